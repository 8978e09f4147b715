//! `fieldnotary decode`: one frame, layer by layer, without a port or a configuration.

mod faults;
mod input;
mod mbus;
mod mbus_screen;
mod modbus;
mod modbus_screen;

pub(super) use mbus::{object as mbus_object, secondary as mbus_secondary, told as mbus_told};
pub(super) use mbus_screen::{of_frame_bytes as mbus_records, screen as mbus_screen};
pub(super) use modbus::told as modbus_told;

use super::Ended;
use crate::cli::DecodeVerb;

/// Decodes. Ends badly where the frame is not whole and valid.
pub(crate) fn decode(verb: &DecodeVerb) -> Result<Ended, String> {
    match verb {
        DecodeVerb::Modbus(args) => modbus::modbus(args),
        DecodeVerb::Mbus(args) => mbus::mbus(args),
    }
}

/// Bytes as pairs of digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(" ")
}
