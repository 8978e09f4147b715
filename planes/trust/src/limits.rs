//! Every bound of the trust plane, with the reason for its size.

/// Generations of one log that the signer keeps the last head of; each adoption adds one, and a
/// node that adopts more often than this in its life has another problem.
pub const GENERATIONS_MAX: usize = 1_024;
/// Longest base origin: a generation suffix of at most 22 bytes must still fit a key name.
pub const BASE_ORIGIN_BYTES_MAX: usize = proof::limits::NAME_BYTES_MAX - 22;
/// Longest file of last signed heads.
pub const LAST_SIGNED_BYTES_MAX: usize = 128 * 1_024;
