//! Key backends of the signer.
