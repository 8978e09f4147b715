//! Bounds of what is read.

/// Longest token, in bytes: it must fit into an entry, with its chain of certificates.
pub const TOKEN_BYTES_MAX: usize = 32 * 1_024;
/// Longest answer, in bytes: a token, its status and the words of a refusal.
pub const ANSWER_BYTES_MAX: usize = TOKEN_BYTES_MAX + 2_048;
/// Certificates that a token may bring along.
pub const CERTIFICATES_MAX: usize = 8;
/// Of the words of a refusal so many characters are kept.
pub const WORDS_CHARS_MAX: usize = 200;
