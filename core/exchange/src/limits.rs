//! Every bound of the exchange, by name.

/// Entries that one batch aims at; a node far behind goes from sealed size to sealed size in such
/// steps, so that the hashes it holds stay bounded (two per entry).
pub const BATCH_ENTRIES_MAX: u64 = 65_536;

/// Entries in one `add-entries` request: 16 packages.
pub const REQUEST_ENTRIES_MAX: u64 = 4_096;

/// Bytes of one `add-entries` body; the first package always travels, however large.
pub const REQUEST_BYTES_MAX: usize = 1 << 20;

/// Bytes of leaf data that a node holds at once; what lies past them is read a second time.
pub const HELD_BYTES_MAX: usize = 8 << 20;

/// Sealed checkpoints that a node remembers on the way to the newest one.
pub const OFFERS_MAX: usize = 1_024;

/// How long a node waits for a response before it takes the request for lost.
pub const REQUEST_TIMEOUT_MS: u64 = 60_000;

/// First wait after a failure; it doubles with every further one.
pub const BACKOFF_FIRST_MS: u64 = 1_000;

/// Longest wait after a failure.
pub const BACKOFF_MAX_MS: u64 = 300_000;

/// Shortest wait after a refusal: what is refused will hardly be taken a second later.
pub const REFUSED_WAIT_MS: u64 = 60_000;

/// Times in a row that the collector may answer "I stand elsewhere" before the node backs off.
pub const MOVES_MAX: u32 = 3;

/// Tries to fetch the collector's signed checkpoint as evidence of a conflict.
pub const EVIDENCE_TRIES_MAX: u32 = 3;

/// Bytes of a response that a node looks at; a signed note fits many times.
pub const RESPONSE_BYTES_MAX: usize = 64 << 10;

/// Pending checkpoints that a collector accepts as the end of an upload.
pub const PENDING_KEPT: usize = 8;

/// Runs of entries and holes in one package: at worst they alternate.
pub const PACKAGE_RUNS_MAX: usize = 256;

/// Hashes of the compact range of one hole: two per level of the tree.
pub const HOLE_HASHES_MAX: usize = 126;

/// Height above which one hash of a hole is a package of its own: a package is 2^8 entries.
pub const PACKAGE_HEIGHT: u32 = 8;

/// Bytes of a package that failed verification, kept as a sample (A4.1).
pub const SAMPLE_BYTES_MAX: usize = 64 << 10;

/// Bytes that an upload buffers: a header with its ticket and one whole package with its runs.
pub const UPLOAD_BUFFER_BYTES_MAX: usize = proof::limits::PACKAGE_BYTES_MAX
    + proof::limits::TICKET_BYTES_MAX
    + PACKAGE_RUNS_MAX * (19 + HOLE_HASHES_MAX * proof::limits::HASH_BYTES)
    + 1_024;

/// Longest header that states an alarm: its longest words and numbers, twice over for what a later version adds.
pub const ALARM_BYTES_MAX: usize = 256;

/// Characters of a refusal's text that a node keeps.
pub const REFUSAL_CHARS_MAX: usize = 420;
