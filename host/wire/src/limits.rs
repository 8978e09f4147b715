//! Every bound of the wires, with the reason for its size.

/// Bytes read at once; a whole Modbus or M-Bus frame fits.
pub(crate) const READ_BYTES: usize = 512;
/// How long a connection to a level converter in the network may take, and each write to it.
pub(crate) const CONVERTER_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
