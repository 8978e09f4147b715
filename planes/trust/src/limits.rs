//! Every bound of the trust plane, with the reason for its size.

/// Generations of one log that the signer keeps the last head of; each adoption adds one, and a
/// node that adopts more often than this in its life has another problem.
pub const GENERATIONS_MAX: usize = 1_024;
/// Longest base origin: a generation suffix of at most 22 bytes must still fit a key name.
pub const BASE_ORIGIN_BYTES_MAX: usize = proof::limits::NAME_BYTES_MAX - 22;
/// Shortest time between two steps of the plain counter within a boot, in seconds: 28 years of
/// [`FLASH_CYCLES`].
pub const PLAIN_EVERY_S: u64 = 1_800;
/// And the shortest that may be configured: 14 years.
pub const PLAIN_EVERY_S_MIN: u64 = 900;
/// And the longest: what a rollback may take away unseen is longer by a seal interval.
pub const PLAIN_EVERY_S_MAX: u64 = 7 * 86_400;
/// Write cycles of the flash in a common TPM (ST33 family, data brief DB4278).
pub const FLASH_CYCLES: u64 = 500_000;
/// Steps of an orderly counter for each write (`TPM_PT_ORDERLY_COUNT` of common TPMs).
pub const ORDERLY_STEPS_A_WRITE: u64 = 255;
/// Longest file of last signed heads.
pub const LAST_SIGNED_BYTES_MAX: usize = 128 * 1_024;
/// PCRs that say what was booted: firmware, Secure Boot, boot loader, kernel. Those from 10 on move while a system runs (its
/// integrity measurements, the phases of systemd).
pub const BOOT_PCRS: [u8; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
/// Stages of each kind that an entry about a boot has: a boot loader measures each of its commands.
pub const BOOT_STAGES_MAX: usize = 12;
/// Longest event log of firmware that is read.
pub const EVENT_LOG_BYTES_MAX: usize = tpm::limits::EVENT_LOG_BYTES_MAX;
/// Keys that one revocation names: those of a node, or of a node and what it was replaced by.
pub const REVOKED_KEYS_MAX: usize = 8;
/// Longest quote that is read: what a TPM attests of PCRs has some hundred bytes.
pub const QUOTE_BYTES_MAX: usize = tpm::limits::MESSAGE_BYTES_MAX;
/// Longest signature on one: an ECDSA signature of P-256 in DER.
pub const SIGNATURE_BYTES_MAX: usize = 72;
/// How often PCRs are read and quoted again where they moved in between.
pub const QUOTE_TRIES_MAX: u32 = 3;
/// Rotations of keys that one identity has: one a year outlives any machine, and the statements of all of them fit a message.
pub const ROTATIONS_MAX: usize = 32;
/// Longest statement of new keys: four keys and signatures with the longest name, and the texts below.
pub const ROTATION_BYTES_MAX: usize = 4_096;
/// Longest reason of one.
pub const ROTATION_REASON_BYTES_MAX: usize = evidence::limits::REASON_BYTES_MAX;
/// Longest name of who orders one.
pub const ROTATION_ACTOR_BYTES_MAX: usize = 256;
/// Of who accepted a firmware so much is kept over starts; his audit entry has it whole.
pub const ACCEPTED_BY_BYTES_MAX: usize = 256;
/// And so much of why.
pub const ACCEPTED_WHY_BYTES_MAX: usize = 512;
/// Longest file of an image that says its security version; one of a distribution has some hundred bytes.
pub const RELEASE_BYTES_MAX: usize = 64 * 1_024;
/// Longest version of an image in its maker's words that is kept.
pub const IMAGE_CHARS_MAX: usize = 64;
