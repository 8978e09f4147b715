//! Key backends of the signer, and the directory that keeps what a signer must not lose.
//!
//! Three backends: keys in files, for development; a TPM 2.0; a PKCS#11 token. Each says what it found when it
//! was opened: what it can do, and whether it is hardware by its own word. No configuration makes it say
//! anything else.

mod ended;
mod error;
mod files;
mod identity;
pub mod limits;
mod mark;
mod pkcs11;
mod software;
mod steps;
mod store;
mod tpm;

pub use ended::{now_ns, store_calls_ended};
pub use error::KeysError;
pub use identity::{
    Identity, IdentityDir, Keys, NewKeys, PublicIdentity, StatedRotation, StoreNeeds, is_in_files,
    read_rotations, read_vkeys, store_needs,
};
pub use pkcs11::token_is_stuck;
pub use steps::StepsLeft;
pub use tpm::TpmPlace;
