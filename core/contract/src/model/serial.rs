//! Serial lines: the wire, and how its transceiver is switched.

use alloc::string::String;

/// A serial line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialLine {
    /// Device path.
    pub device: String,
    /// Bits per second.
    pub baud: u32,
    /// Data bits; always 8, for whole bytes are sent.
    pub data_bits: u8,
    /// Parity.
    pub parity: Parity,
    /// Stop bits, 1 or 2.
    pub stop_bits: u8,
    /// Silence to keep after a reply before the next request, beyond the 3.5 characters.
    pub turnaround_ms: u64,
    /// How the kernel switches the transceiver; `None` where the adapter does by itself.
    pub rs485: Option<Rs485>,
    /// Whether own requests come back.
    pub echo: Echo,
}

/// How the kernel's driver switches a transceiver between sending and listening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rs485 {
    /// Level of RTS while it sends.
    pub rts: RtsLevel,
    /// From RTS to the first bit.
    pub before_ms: u64,
    /// From the last bit to RTS.
    pub after_ms: u64,
}

/// Level of RTS while a transceiver sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtsLevel {
    /// Asserted.
    High,
    /// Released.
    Low,
}

/// Whether a line gives own requests back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// The receiver is deaf while it sends.
    None,
    /// Each request is heard as well.
    Heard,
}

/// Parity of a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// No parity bit.
    None,
    /// Even parity.
    Even,
    /// Odd parity.
    Odd,
}
