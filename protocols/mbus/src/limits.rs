//! Every bound the protocol (or this crate) sets, by name.

/// Least the length field of a long frame counts: control, address, CI.
pub const LENGTH_MIN: u8 = 3;
/// Bytes of a long frame that its length field does not count: two starts, two lengths, checksum, stop.
pub const LONG_OVERHEAD_BYTES: usize = 6;
/// Bytes of a short frame.
pub const SHORT_FRAME_BYTES: usize = 5;
/// Longest frame.
pub const FRAME_BYTES_MAX: usize = LONG_OVERHEAD_BYTES + 255;
/// Most bytes from the CI field on: the length field counts control and address as well.
pub const PAYLOAD_BYTES_MAX: usize = 253;
/// Most DIFE of a record (EN 13757-3, 6.3.5).
pub const DIFES_MAX: usize = 10;
/// Most VIFE of a record (EN 13757-3, 6.4.1).
pub const VIFES_MAX: usize = 10;
/// Longest number that is read as one; longer binary data stay bytes.
pub const NUMBER_BYTES_MAX: usize = 8;
/// Length of the header of a variable data structure (CI 72h, 76h).
pub const LONG_HEADER_BYTES: usize = 12;
/// Length of the short header (CI 7Ah, 7Eh).
pub const SHORT_HEADER_BYTES: usize = 4;
/// Length of a fixed data structure (CI 73h, 77h).
pub const FIXED_BYTES: usize = 16;
/// Length of what selects a meter by its secondary address (CI 52h, 56h).
pub const SELECTION_BYTES: usize = 8;
