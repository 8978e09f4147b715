//! Every bound of the collector, by name.

/// Connections served at once; more wait in the kernel's queue.
pub const CONNECTIONS_MAX: usize = 256;

/// Time for a TLS handshake.
pub const HANDSHAKE_TIMEOUT_MS: u64 = 10_000;

/// Time for the head of a request.
pub const HEAD_TIMEOUT_MS: u64 = 30_000;

/// Time between two pieces of a body.
pub const BODY_PIECE_TIMEOUT_MS: u64 = 30_000;

/// Bytes of one `add-entries` body, after decompression: at least one package of any size, and 32 usual ones.
pub const ADD_ENTRIES_BYTES_MAX: usize = 32 << 20;

/// Bytes of compressed body that are decompressed at once, so that a small body cannot become a large buffer.
pub const GZIP_PIECE_BYTES: usize = 8 << 10;

/// Bytes of a body that are still read after the answer is known, so that the client can hear it.
pub const DRAIN_BYTES_MAX: usize = 4 << 20;

/// Evidence of forks kept per log.
pub const FORKS_KEPT_MAX: usize = 1_024;

/// Samples of failed packages kept per log, the newest.
pub const SAMPLES_KEPT_MAX: usize = 16;

/// Hash tiles held in memory per log.
pub const TILE_CACHE_MAX: usize = 1_024;

/// Bytes of a file that is read whole.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// Rows written in one transaction of the database.
pub const ROWS_PER_COMMIT: u64 = 4_096;

/// How long a node's certificate holds where nothing is said, in days: renewed at a yearly visit, with a year to spare.
pub const CERTIFICATE_DAYS_DEFAULT: u32 = 730;

/// And at most: ten years, the life of a station.
pub const CERTIFICATE_DAYS_MAX: u32 = 3_650;

/// Bytes of one book of the audit; as many may be put aside beside it.
pub const AUDIT_BYTES_MAX: usize = 1 << 20;

/// Bytes of one text in a line of it.
pub const AUDIT_TEXT_BYTES_MAX: usize = 512;

/// Shortest time between two lines of who was turned away; those in between are counted.
pub const REFUSALS_TOLD_EVERY_MS: u64 = 1_000;

/// Alarms of one log that are kept: the first half of them for ever, then the newest.
pub const ALARMS_KEPT_MAX: usize = 64;

/// Entries that the witness judges until what it knows is stored; so many at most are judged again after a restart.
pub const WITNESS_SAVED_EVERY: u64 = 4_096;

/// Entries that are judged of a log that was taken by a version without a witness: its newest.
pub const WITNESS_LOOKS_BACK: u64 = 65_536;

/// First entries of a generation among which its audit says who adopted it, and why.
pub const ADOPTION_LOOKS_MAX: u64 = 64;

/// Time for whoever is turned away to ask and to hear the answer.
pub const TURNED_AWAY_MS: u64 = 10_000;

/// Of it, for what he sends behind the head of his request, which is thrown away.
pub const TURNED_AWAY_DRAIN_MS: u64 = 2_000;

/// Characters of who took a node back, in what that hears.
pub const REVOKED_BY_CHARS_MAX: usize = 48;

/// Characters of the reason there.
pub const REVOKED_REASON_CHARS_MAX: usize = 256;
