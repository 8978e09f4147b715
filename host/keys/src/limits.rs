//! Names, modes and bounds of the identity directory.

use trust_plane::limits::LAST_SIGNED_BYTES_MAX as HEADS_BYTES_MAX;

/// The authority's key: P-256, PKCS#8 in PEM.
pub const AUTHORITY_FILE: &str = "authority-p256.pem";
/// The key for tools that know only Ed25519: PKCS#8 in PEM.
pub const ED25519_FILE: &str = "ed25519.pem";
/// The newest signed head of each generation.
pub const LAST_SIGNED_FILE: &str = "last-signed";
/// The public verifier keys under the base origin, one per line, the authority first. Written last:
/// with it the identity is whole.
pub const VKEYS_FILE: &str = "keys.vkey";

/// Mode of files that only the signer may read.
pub const SECRET_MODE: u32 = 0o600;
/// Mode of files that everybody may read.
pub const PUBLIC_MODE: u32 = 0o644;
/// Mode of a directory that this program creates.
pub const DIRECTORY_MODE: u32 = 0o700;

/// Longest key file: a PEM of a few hundred bytes, with room for a comment.
pub const KEY_FILE_BYTES_MAX: usize = 4_096;
/// Longest file of last signed heads.
pub const LAST_SIGNED_BYTES_MAX: usize = HEADS_BYTES_MAX;
/// Longest wait for one answer of a TPM: the slowest command that is sent, the derivation of a key, takes
/// about a second on slow chips. Below the nine seconds for which the recorder waits for a seal.
pub const TPM_TIMEOUT_NS: u64 = 4_000_000_000;
/// Longest wait for an RSA key to be derived: a TPM looks for two primes, which takes seconds on most chips and more than a
/// minute on slow ones that are unlucky. Only an enrolment asks for it.
pub const TPM_RSA_TIMEOUT_NS: u64 = 180_000_000_000;
/// How often a command is sent again to a TPM that is busy with itself.
pub const TPM_BUSY_TRIES_MAX: u32 = 5;
/// And how long after.
pub const TPM_BUSY_PAUSE: std::time::Duration = std::time::Duration::from_millis(40);
/// The first NV index that is tried for a counter, in the owner's range; each log takes two that are free.
pub const TPM_COUNTER_FIRST: u32 = 0x0180_0100;
/// And how many are tried.
pub const TPM_COUNTERS_TRIED_MAX: u32 = 256;
/// Handles asked for at once.
pub const TPM_HANDLES_MAX: u32 = 254;
/// Which store holds the keys, where it is not files.
pub const STORE_FILE: &str = "store.toml";
/// Longest such file.
pub const STORE_FILE_BYTES_MAX: usize = 8_192;
/// When the plain counter moved last.
pub const PLAIN_FILE: &str = "plain-counter";
/// Longest such file: a title, a boot id, a number.
pub const PLAIN_FILE_BYTES_MAX: usize = 256;
/// How often the counter of firmware versions may still be moved.
pub const STEPS_FILE: &str = "firmware-steps";
/// Longest such file: a title and two numbers.
pub const STEPS_FILE_BYTES_MAX: usize = 256;
/// Longest PIN, with a line feed behind it.
pub const PIN_BYTES_MAX: usize = 257;
/// How often a token whose session failed is opened anew within one request: once drawn and put back, or another process's reset of it,
/// and what fails behind that is told and tried at the next request.
pub const TOKEN_OPENED_ANEW_MAX: u32 = 1;
/// Longest wait for one answer of a token: below the nine seconds for which the recorder waits for a seal, so that it hears what is slow.
/// A module may do several things within it: open, log in, look for the key.
pub const TOKEN_TIMEOUT_NS: u64 = 8_000_000_000;
/// Longest wait for a token to make a key.
pub const TOKEN_MAKE_TIMEOUT_NS: u64 = TPM_RSA_TIMEOUT_NS;
/// A module that keeps a call for so much longer than its time never comes back: the signer ends, as the token can be had by another process
/// alone.
pub const TOKEN_STUCK_NS_MAX: u64 = 120_000_000_000;
/// Most keys of a token that a message names; more are counted.
pub const TOKEN_KEYS_NAMED_MAX: usize = 8;
/// Bytes of the id of a key in a token.
pub const KEY_ID_BYTES: usize = 16;
