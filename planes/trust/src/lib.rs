//! The trust plane: typed statements in, signatures out.
//!
//! The [`Engine`] knows what a statement means and which ones contradict each other; a [`Backend`]
//! holds the keys and knows neither. What goes to a backend is a [`Signable`], which only this crate
//! can make, and only from a checked [`Statement`]: there is no way to have bytes or digests of the
//! caller's choice signed.
//!
//! A signature is had in two steps, so that what it rules out is durable before it leaves:
//! [`Engine::check`] gives a [`Pending`] with the [`LastSigned`] that the host must store first, and
//! [`Engine::sign`] takes the pending statement.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod backend;
mod binding;
mod boot;
mod bound_log;
mod counter;
mod engine;
mod enrolment;
mod firmware;
mod followers;
mod hints;
mod last_signed;
pub mod limits;
mod origin;
mod pcrs_file;
mod quote;
mod release;
mod revocation;
mod rollback;
mod rotation;
mod statement;
mod told;
mod witness;

pub use backend::{
    Backend, BackendError, Capabilities, Certified, Counter, Credential, Description, Endorsement,
    Endorsements, Step,
};
pub use binding::{BindingFault, Bindings, StatedValue, qualifying};
pub use boot::{LogFound, Look, booted, is_reset, measurement_id, not_looked};
pub use bound_log::{BoundLog, Contradiction, StatedKey};
pub use counter::{PlainMark, wear_words, window_ns, writes_a_year};
pub use engine::{Audit, Bound, Engine, FirmwareBound, Pending, SignError, Signed, SignedClaim};
pub use enrolment::{Enrolled, EnrolmentFault, answer_bytes};
pub use evidence::reasons::{CounterKind, Custody, EnrolmentProof, KeyFault};
pub use evidence::{BootId, Digest};
pub use firmware::{
    CounterSeen, FirmwareMemory, FirmwareRule, Installed, Judged, ToBind, VersionBound,
    firmware_bound,
};
pub use followers::{Named, by_taken_back, in_order, newest};
pub use hints::{Hints, LIMITS, Limit, Sign};
pub use last_signed::{LastSigned, LastSignedError, SignedHead};
pub use origin::{BaseOrigin, OriginError};
pub use pcrs_file::{PCRS_FILE_BYTES_MAX, pcrs_file, pcrs_in_file};
pub use proof::Hash;
pub use proof::note::{KeyError, VerifierKey, ecdsa_der, p256_spki};
pub use quote::{QuoteFault, Quoted, quoted};
pub use release::{Release, ReleaseFault};
pub use revocation::RevokedKeys;
pub use rollback::{
    BoundCounters, CounterFound, End, Heads, Moment, Moved, MovedCounter, of_the_log, of_the_store,
};
pub use rotation::{Rotation, RotationFault};
pub use statement::{Claim, Purpose, Signable, Stated, Statement};
pub use tpm::EndorsementKind;
pub use witness::{Source, Witness, WitnessState, Witnessed, unshown_words};
