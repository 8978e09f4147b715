//! X.509 certificates: what they say of their holder, who vouches for them, and what only the TPM of an endorsement
//! certificate can open; the papers of an enrolment.

mod chain;
mod credential;
mod holder;
mod listed;
pub mod papers;
mod stamp;

pub use chain::{Authorities, ChainFault, Purpose, Vouched, date};
pub use credential::{SECRET_BYTES, SealFault, Sealed, key_name, seal};
pub use holder::Holder;
pub use listed::listed;
pub use stamp::{Stamp, StampFault, imprint, judge};
