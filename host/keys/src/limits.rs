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
