//! Every bound the protocol (or this crate) sets, by name.

/// Longest PDU: a 256-byte serial frame less address and CRC.
pub const PDU_BYTES_MAX: usize = 253;
/// Shortest serial frame: address, function, CRC.
pub const RTU_FRAME_BYTES_MIN: usize = 4;
/// Longest serial frame.
pub const RTU_FRAME_BYTES_MAX: usize = 256;
/// Length of a serial exception frame: address, function, code, CRC.
pub const RTU_EXCEPTION_BYTES: usize = 5;
/// Bytes a serial frame adds to its PDU: address and CRC.
pub const RTU_OVERHEAD_BYTES: usize = 3;
/// MBAP header: transaction, protocol, length, unit.
pub const MBAP_BYTES: usize = 7;
/// Longest frame over TCP.
pub const TCP_FRAME_BYTES_MAX: usize = MBAP_BYTES + PDU_BYTES_MAX;
/// Most coils or discrete inputs in one read.
pub const READ_BITS_MAX: u16 = 2000;
/// Most registers in one read.
pub const READ_REGISTERS_MAX: u16 = 125;
/// Most coils in one write.
pub const WRITE_BITS_MAX: u16 = 1968;
/// Most registers in one write.
pub const WRITE_REGISTERS_MAX: u16 = 123;
/// Addresses are 16 bits wide: one past the last.
pub const ADDRESSES: u32 = 65_536;
/// The unit address every server on a serial line obeys and none answers.
pub const UNIT_BROADCAST: u8 = 0;
/// Highest unit address of a single server on a serial line.
pub const UNIT_MAX: u8 = 247;
/// Most requests an [`Outstanding`](crate::transaction::Outstanding) remembers.
pub const OUTSTANDING_MAX: usize = 64;
