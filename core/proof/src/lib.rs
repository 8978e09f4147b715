//! RFC 6962 trees, C2SP checkpoints and cosignatures, proofs and their verification.
