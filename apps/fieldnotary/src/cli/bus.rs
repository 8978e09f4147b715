//! The verbs of `fieldnotary bus`.

use super::MbusVerb;
use crate::when::{length_ns, whole};
use clap::{ArgGroup, Args, Subcommand};
use evidence::{MeterId, SourceId};
use std::path::PathBuf;

const PLAN: &str = "\
Examples:
  fieldnotary bus plan station.toml
  fieldnotary bus plan station.toml --data node --json |
      jq '.ports[].schedules[] | {id, cycle_ns, fits}'

Nothing is asked of a port. Times follow from the configuration alone: characters at the line's speed,
the silences of the standard, timeouts and retries. With --data the longest cycle that the node measured
stands beside them.

Exit codes:
  0  every schedule fits into its slots, even with one meter silent
  1  one does not
  2  the command line was not understood
  3  the configuration or the log could not be read";

const PROBE: &str = "\
Examples:
  fieldnotary bus probe station.toml m07
  fieldnotary bus probe station.toml m07 --json |
      jq '.records[] | {point_id, value}'

One session of that meter by the engine of the node, with its timeouts and retries, and every frame of
it. Nothing is written to a log. A serial device that another process has open is not touched.

Exit codes:
  0  every point was read
  1  some were not; each failed attempt is told with its cause and its frame
  2  the command line was not understood
  3  the configuration could not be read, or the port not opened";

const SCAN: &str = "\
Examples:
  fieldnotary bus scan --config station.toml --port rs485-1
  fieldnotary bus scan --rtu /dev/ttyUSB0 --baud 9600 --parity even --units 1-32
  fieldnotary bus scan --tcp 192.0.2.7:502 --json

Each address is asked once for one register. Who answers is there, whatever he says: a value, an
exception, or a frame that is damaged, as where two meters have one address.

Exit codes:
  0  at least one meter answered, and none of them in a damaged frame
  1  nobody did, or an answer was damaged
  2  the command line was not understood
  3  the configuration could not be read, or the port not opened";

const FAILING: &str = "\
Examples:
  fieldnotary bus failing node m07
  fieldnotary bus failing node m07 --last 50 --json | jq -r .bytes

What the log kept of the last attempts that gave no reading: when, why, and the bytes that were on the wire, decoded.
Replies that came too late are shown as well. The node may run.

Exit codes:
  0  they were shown, or there are none
  1  they were shown, and the end of the log is not certain
  2  the command line was not understood
  3  the log could not be read, or it knows no such meter";

const WATCH: &str = "\
Examples:
  fieldnotary bus watch --rtu /dev/ttyUSB0 --baud 9600
  fieldnotary bus watch --config station.toml --port rs485-1 --for 60s
  fieldnotary bus watch --data node --port rs485-1
  fieldnotary bus watch --rtu /dev/ttyUSB0 --json --count 100 |
      jq -r 'select(.crc_ok == false) | .bytes'

Nothing is sent. Each frame: when it began, the silence before it in characters, who speaks (-> asks, <- answers,
<? answers nobody, -- no whole frame), unit, function, and what it means. Ends with Ctrl-C, after --for or --count,
and then counts what was heard. A device that another process has open is not touched. Where that is a node, --data
has it say what it sends and hears, on a port of any kind; it is not held up for that, and what it had no room for is
told as passed over.

Exit codes:
  0  at least one whole frame was heard
  1  none was
  2  the command line was not understood
  3  the device could not be opened or the node not asked, or it was lost while listening";

/// What stands below `fieldnotary bus --help`.
pub(super) const HELP: &str = "\
Examples:
  fieldnotary bus plan station.toml
  fieldnotary bus scan --rtu /dev/ttyUSB0
  fieldnotary bus probe station.toml m07
  fieldnotary bus watch --rtu /dev/ttyUSB0
  fieldnotary bus failing node m07
  fieldnotary bus mbus search --serial /dev/ttyUSB1

Exit codes:
  0  all is well
  1  it is not: a slot too short, a meter that does not answer
  2  the command line was not understood
  3  a configuration, a log or a port that cannot be had

`fieldnotary bus VERB --help` says more. --json prints one object for programs.";

#[derive(Debug, Subcommand)]
pub(crate) enum BusVerb {
    /// Find and read the meters of a wired M-Bus
    #[command(subcommand, after_help = super::mbus::HELP)]
    Mbus(MbusVerb),
    /// The last failing frames of a meter, from the log
    #[command(after_help = FAILING)]
    Failing(BusFailingArgs),
    /// The time that each port needs for its slots, meter by meter, and what silent ones cost
    #[command(after_help = PLAN)]
    Plan(BusPlanArgs),
    /// Read one meter now and show every frame
    #[command(after_help = PROBE)]
    Probe(BusProbeArgs),
    /// Find the meters of a line, or behind a gateway
    #[command(after_help = SCAN)]
    Scan(BusScanArgs),
    /// Listen to a serial line, or to a port of a running node, and show each frame with its meaning
    #[command(after_help = WATCH)]
    Watch(BusWatchArgs),
}

#[derive(Args, Debug)]
pub(crate) struct BusFailingArgs {
    /// The directory of a node or a collector
    pub(crate) dir: PathBuf,
    /// The meter
    pub(crate) meter: MeterId,
    /// How many, the newest
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole::<usize>)]
    pub(crate) last: usize,
    /// Print one JSON object for each
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("line").args(["config", "rtu", "data"]).required(true))]
pub(crate) struct BusWatchArgs {
    #[command(flatten)]
    pub(crate) line: BusSerialArgs,
    /// The directory of a node that runs: it says what is on the wire of its port
    #[arg(long, value_name = "DIR", requires = "port", group = "whose")]
    pub(crate) data: Option<PathBuf>,
    /// End after so long
    #[arg(long = "for", value_name = "DURATION", value_parser = length_ns)]
    pub(crate) length: Option<u64>,
    /// End after so many frames
    #[arg(long, value_name = "N", value_parser = whole::<u64>)]
    pub(crate) count: Option<u64>,
    /// Print one JSON object for each frame, and one with the summary
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BusPlanArgs {
    /// The station's configuration
    pub(crate) config: PathBuf,
    /// Only this port
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<SourceId>,
    /// A node's directory, for what it measured: cycles, and what each meter took
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BusProbeArgs {
    /// The station's configuration
    pub(crate) config: PathBuf,
    /// The meter
    pub(crate) meter: MeterId,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BusScanArgs {
    #[command(flatten)]
    pub(crate) line: BusLineArgs,
    /// The addresses that are asked: 7, or 1-32 [default: 1-247]
    #[arg(long, value_name = "UNITS", value_parser = units)]
    pub(crate) units: Option<(u8, u8)>,
    /// The register that is asked for, TABLE:ADDRESS
    #[arg(long, value_name = "REGISTER", default_value = "holding:0")]
    pub(crate) register: String,
    /// How long each address is waited for
    #[arg(long, value_name = "DURATION", default_value = "200ms", value_parser = length_ns)]
    pub(crate) timeout: u64,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which line: one of a configuration, or one that is described here.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("line").args(["config", "rtu", "tcp"]).required(true))]
pub(crate) struct BusLineArgs {
    #[command(flatten)]
    pub(crate) serial: BusSerialArgs,
    /// A gateway or meter that answers Modbus TCP
    #[arg(long, value_name = "HOST:PORT", value_parser = tcp)]
    pub(crate) tcp: Option<String>,
}

/// A serial line: one of a configuration, or one that is described here.
#[derive(Args, Debug)]
pub(crate) struct BusSerialArgs {
    /// A station's configuration
    #[arg(long, value_name = "FILE", requires = "port", group = "whose")]
    pub(crate) config: Option<PathBuf>,
    /// The port of it
    #[arg(long, value_name = "PORT", requires = "whose")]
    pub(crate) port: Option<SourceId>,
    /// A serial device
    #[arg(long, value_name = "DEVICE", value_parser = device)]
    pub(crate) rtu: Option<String>,
    /// Bits per second of the serial device [default: 9600]
    #[arg(long, value_name = "N", requires = "rtu", value_parser = baud)]
    pub(crate) baud: Option<u32>,
    /// Its parity: none, even or odd [default: even]
    #[arg(long, value_name = "WORD", requires = "rtu", value_parser = parity)]
    pub(crate) parity: Option<String>,
    /// Its stop bits: 1 or 2 [default: 1]
    #[arg(long, value_name = "N", requires = "rtu", value_parser = stop_bits)]
    pub(crate) stop_bits: Option<u8>,
}

/// A text as a configuration has it.
pub(crate) fn quoted(text: &str) -> Result<String, String> {
    match text.contains(['"', '\\', '\n']) {
        true => Err(format!("{text:?} cannot be the name of a device or host")),
        false => Ok(format!("\"{text}\"")),
    }
}

/// Whether a configuration may say this of a port; what is wrong with it, and what would be right.
fn held(kind: &str, lines: &str) -> Result<(), String> {
    let head = "[station]\norigin = \"localhost/scan\"\n\n[[port]]\nid = \"line\"\nkind";
    let parsed = contract::parse(&format!("{head} = \"{kind}\"\n{lines}\n"));
    parsed.map(drop).map_err(|errors| {
        let errors = errors
            .iter()
            .map(|error| format!("{}; {}", error.what, error.advice));
        errors.collect::<Vec<_>>().join("; ")
    })
}

fn tcp(text: &str) -> Result<String, String> {
    held("modbus-tcp", &format!("address = {}", quoted(text)?))?;
    Ok(text.to_owned())
}

/// A device; a name without a slash before it is one of this directory.
fn device(text: &str) -> Result<String, String> {
    let whole = std::path::absolute(text).map_err(|error| error.to_string())?;
    let whole = whole.display().to_string();
    held("modbus-rtu", &format!("device = {}", quoted(&whole)?))?;
    Ok(whole)
}

/// A key of a serial line.
fn of_serial(key: &str, value: &str) -> Result<(), String> {
    held(
        "modbus-rtu",
        &format!("device = \"/dev/null\"\n{key} = {value}"),
    )
}

fn baud(text: &str) -> Result<u32, String> {
    let baud = text
        .parse()
        .map_err(|_| "write bits per second, such as 9600".to_owned())?;
    of_serial("baud", text).map(|()| baud)
}

fn parity(text: &str) -> Result<String, String> {
    of_serial("parity", &quoted(text)?)?;
    Ok(text.to_owned())
}

fn stop_bits(text: &str) -> Result<u8, String> {
    let bits = text.parse().map_err(|_| "write 1 or 2".to_owned())?;
    of_serial("stop_bits", text).map(|()| bits)
}

fn units(text: &str) -> Result<(u8, u8), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |digits: &str| digits.trim().parse::<u8>().ok();
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        _ => Err("write the first and the last address, such as 1-32, or one; 0 to 255".to_owned()),
    }
}
