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
/// Highest primary address of a single slave; 251 and 252 are reserved.
pub const PRIMARY_MAX: u8 = 250;
/// The address behind which the selected slave answers (EN 13757-3, secondary addressing).
pub const ADDRESS_SELECTED: u8 = 253;
/// The address that every slave answers: for a bus with one (EN 13757-2, clause 5).
pub const ADDRESS_ANY: u8 = 254;
/// The address that every slave obeys and none answers (EN 13757-2, clause 5).
pub const ADDRESS_ALL: u8 = 255;
/// Most repeats of a request, all with the same FCB (EN 13757-2, clause 5).
pub const REPEATS_MAX: u8 = 2;
/// Most bytes that are kept of what is heard without a silence: the own frame as an echo, and the longest reply.
pub const HEARD_BYTES_MAX: usize = 2 * FRAME_BYTES_MAX;
/// Longest that a request waits for a bus that does not fall silent.
pub const BUSY_NS_MAX: u64 = 3_000_000_000;
/// A slave may take this long after its bus has voltage again (EN 13757-2, clause 4).
pub const POWER_UP_NS: u64 = 3_000_000_000;
/// Most telegrams of one readout.
pub const TELEGRAMS_MAX: u8 = 64;
/// Most requests of one search: all manufacturers at one spot, and a busy tree beside them.
pub const SEARCH_REQUESTS_MAX: u32 = 65_536;
/// Most meters, and most collisions, that one search or scan lists.
pub const LISTED_MAX: usize = 1_024;
/// Most meters whose budget, or whose habit of answering, is remembered.
pub const METERS_MAX: usize = 1_024;
/// Most readouts in 24 hours that a budget can allow: one every quarter of an hour.
pub const BUDGET_READS_MAX: u32 = 96;
/// The span that a budget is for.
pub const BUDGET_NS: u64 = 24 * 3_600 * 1_000_000_000;
/// Bit times after which a simulated slave is taken to speak no more: minutes at any speed.
pub const LINE_BITS_MAX: u64 = 1 << 20;
/// Known meters that must be silent in a row until that is the bus and not the meters.
pub const SILENT_METERS_MIN: usize = 3;

const _: () = assert!(HEARD_BYTES_MAX >= 2 * FRAME_BYTES_MAX);
const _: () = assert!(SILENT_METERS_MIN >= 2 && SILENT_METERS_MIN <= METERS_MAX);
