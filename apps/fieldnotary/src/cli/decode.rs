//! The verbs of `fieldnotary decode`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

const MBUS: &str = "\
Examples:
  fieldnotary decode mbus telegram.hex
  echo 10 5B 01 5C 16 | fieldnotary decode mbus -
  fieldnotary decode mbus telegram.hex --json |
      jq '.records[] | {quantity, value, unit}'

Exit codes:
  0  a whole and valid frame
  1  it is none, or not all of it can be read; each fault is told with its layer and byte
  2  the command line was not understood
  3  there was nothing to decode: no file, no bytes, no hexadecimal digits, or too many of them";

const MODBUS: &str = "\
Examples:
  fieldnotary decode modbus frame.hex
  echo 01 03 02 00 2A 39 9B | fieldnotary decode modbus -
  echo 0001 0000 0006 11 03 006B 0003 | fieldnotary decode modbus - --tcp --json

Exit codes:
  0  a whole and valid frame
  1  it is none, or not all of it can be read; each fault is told with its layer and byte
  2  the command line was not understood
  3  there was nothing to decode: no file, no bytes, no hexadecimal digits, or too many of them";

/// What stands below `fieldnotary decode --help`.
pub(super) const HELP: &str = "\
A frame comes as hexadecimal text, in pairs of digits with or without spaces, or as raw bytes.
Nothing is asked of a network, a port or a configuration.

Examples:
  fieldnotary decode mbus telegram.hex
  fieldnotary decode modbus frame.bin --json

Exit codes:
  0  a whole and valid frame
  1  it is none, or not all of it can be read
  2  the command line was not understood
  3  there was nothing to decode

`fieldnotary decode VERB --help` says more. --json prints one object for programs.";

#[derive(Debug, Subcommand)]
pub(crate) enum DecodeVerb {
    /// A frame of Modbus RTU or TCP: unit, function, addresses, registers, exception, CRC
    #[command(after_help = MODBUS)]
    Modbus(DecodeModbusArgs),
    /// A frame of wired M-Bus: link layer, header, and the records with values and units
    #[command(after_help = MBUS)]
    Mbus(DecodeMbusArgs),
}

#[derive(Args, Debug)]
pub(crate) struct DecodeModbusArgs {
    /// Where the frame is, or - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The frame is of a serial line; otherwise its CRC tells
    #[arg(long, conflicts_with = "tcp")]
    pub(crate) rtu: bool,
    /// The frame is of Modbus TCP; otherwise its header tells
    #[arg(long)]
    pub(crate) tcp: bool,
    /// The frame is a request; otherwise its form tells, as far as it can
    #[arg(long, conflicts_with = "response")]
    pub(crate) request: bool,
    /// The frame is a response
    #[arg(long)]
    pub(crate) response: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DecodeMbusArgs {
    /// Where the frame is, or - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
