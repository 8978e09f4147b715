//! The verbs of `fieldnotary bus mbus`.

use crate::when::length_ns;
use clap::{ArgGroup, Args, Subcommand};
use mbus::master::{Pattern, Primary};

/// Clap's own line is wider than a terminal.
const READ_USAGE: &str = "\
fieldnotary bus mbus read [OPTIONS] <--serial <DEVICE>|--tcp <HOST:PORT>>
                                 <--address <N>|--secondary <SECONDARY>>";

const READ: &str = "\
Examples:
  fieldnotary bus mbus read --serial /dev/ttyUSB0 --address 5
  fieldnotary bus mbus read --tcp 192.0.2.9:10001 \\
      --secondary 12345678FFFFFFFF --json

SECONDARY: the 16 digits that `search` shows: identification, manufacturer, version and medium as they
travel. F is any digit; digits that are left out at the end are F.

Exit codes:
  0  every telegram was read, and each is valid
  1  one is missing or damaged; each failed attempt is told with its cause
  2  the command line was not understood
  3  the line could not be opened";

const SCAN: &str = "\
Examples:
  fieldnotary bus mbus scan --serial /dev/ttyUSB0
  fieldnotary bus mbus scan --tcp 192.0.2.9:10001 --addresses 1-60

Exit codes:
  0  at least one meter answered, and none of them in a damaged frame
  1  nobody did, an answer was damaged, or not all addresses could be asked
  2  the command line was not understood
  3  the line could not be opened";

const SEARCH: &str = "\
Examples:
  fieldnotary bus mbus search --serial /dev/ttyUSB0
  fieldnotary bus mbus search --tcp 192.0.2.9:10001 --under 1234 --json |
      jq '.found[].secondary'

Meters that answer together are told apart digit by digit; each that is found has confirmed its full address.
What could not be told apart is shown. --under takes the first digits, or all 16, with F for any.

Exit codes:
  0  at least one meter was found, and nobody was heard who was not
  1  nobody was, somebody could not be told apart, or the search is not complete
  2  the command line was not understood
  3  the line could not be opened";

/// What stands below `fieldnotary bus mbus --help`.
pub(super) const HELP: &str = "\
Examples:
  fieldnotary bus mbus search --serial /dev/ttyUSB0
  fieldnotary bus mbus read --serial /dev/ttyUSB0 --address 5

Exit codes:
  0  all is well
  1  it is not: nobody answered, or not everything could be read or told apart
  2  the command line was not understood
  3  a line that cannot be had

`fieldnotary bus mbus VERB --help` says more. --json prints one object for programs.";

#[derive(Debug, Subcommand)]
pub(crate) enum MbusVerb {
    /// Read all telegrams of one meter now
    #[command(after_help = READ, override_usage = READ_USAGE)]
    Read(MbusReadArgs),
    /// Ask each primary address
    #[command(after_help = SCAN)]
    Scan(MbusScanArgs),
    /// Find the meters of a bus by their secondary addresses
    #[command(after_help = SEARCH)]
    Search(MbusSearchArgs),
}

/// Which bus: the level converter behind a serial device, or one that has a network port.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("bus").args(["serial", "tcp"]).required(true))]
pub(crate) struct MbusLineArgs {
    /// The serial device of a level converter; 8 data bits, even parity, 1 stop bit
    #[arg(long, value_name = "DEVICE")]
    pub(crate) serial: Option<String>,
    /// A converter that passes bytes on over TCP
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) tcp: Option<String>,
    /// Bits per second of the bus
    #[arg(long, value_name = "N", default_value = "2400", value_parser = speed)]
    pub(crate) baud: u32,
    /// How late bytes may be handed over [default: 20ms, and 200ms with --tcp]
    #[arg(long, value_name = "DURATION", value_parser = length_ns)]
    pub(crate) latency: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("whom").args(["address", "secondary"]).required(true))]
pub(crate) struct MbusReadArgs {
    #[command(flatten)]
    pub(crate) line: MbusLineArgs,
    /// Its primary address, 0 to 250
    #[arg(long, value_name = "N", value_parser = primary)]
    pub(crate) address: Option<Primary>,
    /// Its secondary address
    #[arg(long, value_name = "SECONDARY", value_parser = pattern)]
    pub(crate) secondary: Option<Pattern>,
    /// Most telegrams that are read, 1 to 64
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) telegrams: u8,
}

#[derive(Args, Debug)]
pub(crate) struct MbusScanArgs {
    #[command(flatten)]
    pub(crate) line: MbusLineArgs,
    /// The addresses that are asked: 7, or 1-32
    #[arg(long, value_name = "ADDRESSES", default_value = "0-250", value_parser = primaries)]
    pub(crate) addresses: (Primary, Primary),
}

#[derive(Args, Debug)]
pub(crate) struct MbusSearchArgs {
    #[command(flatten)]
    pub(crate) line: MbusLineArgs,
    /// Only meters whose secondary address begins with these digits
    #[arg(long, value_name = "SECONDARY", value_parser = pattern)]
    pub(crate) under: Option<Pattern>,
    /// Identifications may have the letters A to E
    #[arg(long)]
    pub(crate) letters: bool,
    /// Do not look for whoever may be hidden behind a meter of the same make: a quarter of the requests
    #[arg(long)]
    pub(crate) quick: bool,
}

/// The speeds that a meter can be told (EN 13757-2).
fn speed(text: &str) -> Result<u32, String> {
    const SPEEDS: [u32; 8] = [300, 600, 1_200, 2_400, 4_800, 9_600, 19_200, 38_400];
    let speed = text.parse().ok().filter(|speed| SPEEDS.contains(speed));
    speed.ok_or_else(|| {
        "the speeds of an M-Bus are 300 times a power of two, 300 to 38400".to_owned()
    })
}

fn primary(text: &str) -> Result<Primary, String> {
    let number = text.trim().parse::<u8>().ok();
    let primary = number.and_then(Primary::new);
    primary.ok_or_else(|| "a primary address is 0 to 250".to_owned())
}

fn primaries(text: &str) -> Result<(Primary, Primary), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (primary(first)?, primary(last)?);
    match first.get() <= last.get() {
        true => Ok((first, last)),
        false => {
            Err("write the first and the last address, such as 1-32, or one; 0 to 250".to_owned())
        }
    }
}

/// Digits of a secondary address in the order in which tools write it, wildcards behind them.
fn pattern(text: &str) -> Result<Pattern, String> {
    const DIGITS: usize = 16;
    let wrong =
        || "write up to 16 digits of 0 to 9 and A to F, such as 12345678FFFFFFFF".to_owned();
    let fits = (1..=DIGITS).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_hexdigit());
    let whole = fits
        .then(|| format!("{text:F<DIGITS$}"))
        .ok_or_else(wrong)?;
    let bytes = u64::from_str_radix(&whole, 16).map_err(|_| wrong())?;
    let [a, b, c, d, low, high, version, medium] = bytes.to_be_bytes();
    Ok(Pattern {
        id: [a, b, c, d],
        manufacturer: u16::from_be_bytes([high, low]),
        version,
        medium,
        fabrication: None,
    })
}

#[cfg(test)]
mod tests {
    use super::{pattern, primaries};
    use mbus::application::{Manufacturer, SecondaryAddress};
    use mbus::master::Pattern;

    #[test]
    fn a_secondary_address_is_read_as_it_is_shown() {
        let meter = SecondaryAddress {
            id: [0x12, 0x34, 0x56, 0x78],
            manufacturer: Manufacturer(0x2C2D),
            version: 1,
            medium: 7,
        };
        assert_eq!(pattern("123456782D2C0107"), Ok(Pattern::exact(&meter)));
        assert_eq!(pattern("F"), Ok(Pattern::ANY));
        assert!(pattern("1234").is_ok_and(|some| some.means(&meter)));
        assert!(pattern("1235").is_ok_and(|other| !other.means(&meter)));
        for wrong in ["", "12G4", "123456782D2C01070", "+1"] {
            assert!(pattern(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "251", "9-2", "1-251"] {
            assert!(primaries(wrong).is_err(), "{wrong}");
        }
    }
}
