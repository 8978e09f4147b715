//! Every bound of the wires, with the reason for its size.

/// Bytes read at once; a whole Modbus or M-Bus frame fits.
pub(crate) const READ_BYTES: usize = 512;
