//! Key backends of the signer, and the directory that keeps what a signer must not lose.
//!
//! There is one backend so far: [`SoftwareKeys`], keys in files, for development. It says of itself
//! that its custody is `software` and that it has none of the capabilities of hardware; no
//! configuration makes it say anything else.

mod error;
mod files;
mod identity;
pub mod limits;
mod software;

pub use error::KeysError;
pub use identity::{Identity, IdentityDir, PublicIdentity, read_vkeys};
pub use software::SoftwareKeys;
