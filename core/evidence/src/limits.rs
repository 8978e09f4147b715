//! Every bound of the evidence words, with the reason for its size.

/// Longest entry in bytes: a tile bundle carries it with its salt behind a 16-bit length.
pub const ENTRY_BYTES_MAX: usize = 0xFFFF - SALT_BYTES;
/// Salt in front of every entry in its leaf.
pub const SALT_BYTES: usize = 16;
/// Longest identifier (meter, point, port, schedule) in bytes.
pub const ID_BYTES_MAX: usize = 48;
/// Longest free text (detail, reason) in bytes.
pub const TEXT_BYTES_MAX: usize = 4_096;
/// Longest reason in bytes that a person gives.
pub const REASON_BYTES_MAX: usize = 512;
/// Longest actor in bytes. Entries from before had free texts there.
pub const ACTOR_BYTES_MAX: usize = TEXT_BYTES_MAX;
/// Longest sample of wire bytes kept with an event or failed attempt: a whole Modbus TCP frame.
pub const SAMPLE_BYTES_MAX: usize = 260;
/// Longest byte string in a payload (a part of a contract).
pub const BLOB_BYTES_MAX: usize = 48 * 1_024;
/// Longest opaque payload of a meter: all telegrams of an M-Bus readout, and of Modbus registers far less.
pub const OPAQUE_BYTES_MAX: usize = 8 * 1_024;
/// Longest label of a content type.
pub const CONTENT_TYPE_BYTES_MAX: usize = 64;
/// Most elements in any list of a payload.
pub const LIST_LEN_MAX: usize = 4_096;
/// How long a statement of the time process holds without a new one: three missed samples. A claim in it may
/// end sooner.
pub const STATEMENT_VALID_NS: u64 = 3_000_000_000;
/// For so long behind the end of a TimeMap its bound is right; after that nobody can state one.
pub const LATE_STAMPS_NS: u64 = 60_000_000_000;
/// TimeMaps that are kept for instants of the past: some minutes at the pace of the time process.
pub const TIME_MAPS_MAX: usize = 1_024;

const _: () = assert!(BLOB_BYTES_MAX + 4_096 < ENTRY_BYTES_MAX);
