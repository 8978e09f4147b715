//! The command line.

use clap::Parser;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The same in every program of the project.
const EXIT_CODES: &str = "\
Exit codes:
  0  done: told to stop, or the time of --for is over
  1  done, and the answer is no (nothing here has such an answer)
  2  the command line was not understood
  3  it could not be done; standard error says what, where and the cure";

const EXAMPLE: &str = "\
Example:
  fieldnotary-street --dir street --meters 4 --tcp 127.0.0.1:5020";

const MBUS: &str = "\
M-Bus meters have primary addresses from 1 and secondary addresses, which street.json tells. Characters come at
their time on the line. --mbus-telegrams serves captured telegrams instead of the records above.";

const MEMORY: &str = "\
  1000-1383 memory: 96 records, the newest first, of 4 registers: seconds since 1970 by the meter's clock (u32), then
            energy (u32); 0 where none is written yet
";

const FILES: &str = "\
Files in DIR, which one street has for itself:
  street.json    written when it is ready: ports, address, meters, registers, log
  street.jsonl   a line for every request seen, reply sent, request not answered, and whatever a line or a point does
                 by itself
  <port>         the serial line, a link to a pseudo terminal; a node's [[port]]
                 wants parity = \"none\" on it
  inputs.txt     the inputs of --points: a [[card]] of kind \"recording\"";

const POINTS: &str = "\
Points, TOML; street.json says where a node finds each:
  [[input]]             # a digital input, on the next line of inputs.txt from 0
  name = \"water\"        # required; letters, digits, - and _
  per_s = 4             # pulses a second, 0.01 to 1000; left out: 1; 0: it rests
  width_ms = 60         # how long one is; left out: a quarter of the period
  jitter = 0.2          # by how large a share of the rest of its period one may be later; left out: 0
  # device = \"rio\"       # a bit of a device instead, and which: bit = \"discrete:5\", or coil:20
  [[device]]            # remote I/O over Modbus
  name = \"rio\"
  port = \"rio-line\"     # a serial line of its own, which this makes; or tcp
  unit = 3
  [[analog]]            # a register of a device; all but the first three may be left out
  name = \"level\"
  device = \"rio\"
  register = \"input:3\"  # or holding:7
  mean = 12000          # a triangle around it, by swing = 4000 to either side, once in period_s = 60
  [[supply]]            # a directory supplies/NAME with a file in1_input, as hwmon has it
  name = \"vbat\"
  mv = 12000            # with ripple_mv = 50 to either side, once in period_s = 1; a new number each step_ms = 50
  [[modem]]             # a PLC modem that answers a GET with JSON
  name = \"plc\"
  retries = 3           # retransmissions from one question to the next, at the most
  quality = 215         # in tenths, with spread = 10 to either side";

const PLAN: &str = "\
Fault plan, TOML; of two faults at once the first in the file wins:
  [[fault]]
  meter = \"m07\"         # required
  kind = \"silent\"       # required; or late, wrong-unit, exception, truncate,
                        # double, flaky, corrupt-crc (serial only),
                        # disconnect (TCP only), collision (M-Bus only)
  from_s = 10           # seconds after readiness; left out: from the start
  for_s = 15            # seconds; left out: to the end
  # delay_ms = 800      # late: required
  # code = 6            # exception: required, 1 to 255
  # probability = 0.3   # flaky: required; other kinds may have it, and else strike every request
  # as_unit = 9         # wrong-unit: left out, it is the next unit of the port
  # ahead_s = -90       # clock: required
What becomes of a meter itself is no fault of its replies: rollover (its energy nears the end of the register, and has
passed it from from_s on), replaced (another serial number and counter), reset (its energy begins at 0), bad-read (its
energy shows 0 for once; on an M-Bus in the next readout of its line), clock (its clock is so many seconds ahead).

Faults of a line have port instead of meter; meters sit on it in the order of their units, the first one nearest:
  termination   RTU; no terminator: frames ring, the more the farther the meter and the faster the line; several bits
                behind edges are wrong. severity = 0.5 (0 to 1), baud = 9600 (what the line is taken for)
  bias-chatter  RTU; no bias: characters that nobody sent, per_s = 2 times a second on the average, and in the
                turnaround of or glued before a share of the replies, probability = 0.3
  common-mode   serial; bursts of something that is switched damage or swallow whatever is on the line and put garbage
                there. burst_ms = 40 (required); every_s = 2.0, or at_s = [1.0, 5.5] behind from_s
  droop         serial; the supply falls: meters behind the first beyond = 2 (required) go out together, and come back
                power_up_ms = 300 after the end, each further one step_ms = 100 later; what they count survives
  overload      M-Bus; its level converter cuts it off, and meters are back power_up_ms = 300 after the end; marker =
                \"converter\" is an input that is active meanwhile

Faults of an input have point instead of meter:
  glitch        short pulses: per_s = 2 on the average, widths_us = [[3, 9, 1], [300, 900, 2]] (from, to, how often beside
                the others; left out, the four decades to 10 ms alike)
  bounce        each edge is bounces = 3 further pulses at the most, all within spread_ms = 2
  chatter       per_s = 50 changes a second in bursts: burst_ms (required), every_s or at_s
  missed        a share of the pulses never comes: probability = 0.1
  lost-edges    the kernel's buffer runs over at a share of the edges: probability = 0.1, edges = 4 at the most
  stuck         it stays as it is; an analog input too

Faults of an analog input, its point, and of a device, its device:
  open-wire     it reads raw = 0
  out-of-range  it reads raw = 32767
  noise         it reads up to by = 200 too much or too little
  jump          it reads by (required) more
  refused       it is refused with the exception code = 4
  offline       of a device: nothing is answered at all

Faults of a supply, its supply:
  sag, brownout, uvlo  it falls to to_mv (left out: 92, 85, 70 percent) over fall_ms = 0
  loss                 its file is not there

Faults of a PLC modem, its modem:
  mute           it takes the question and says nothing
  garbage        it answers with what is no JSON
  counters-back  it counts from 0 again, once
  noise-storm    retries = 50 more retransmissions a question and less = 120 quality; marker = \"surge\" is an input
                 that is active meanwhile
";

fn after_help() -> String {
    let registers = crate::meter::REGISTERS.iter().map(|quantity| {
        let last = quantity.first + quantity.count - 1;
        let place = match quantity.count {
            1 => quantity.first.to_string(),
            _ => format!("{}-{last}", quantity.first),
        };
        let step = format!("{} {}", quantity.scale, quantity.unit);
        format!(
            "  {place:<5} {:<9} {:<4} in steps of {}\n",
            quantity.name,
            quantity.kind,
            step.trim_end()
        )
    });
    let registers: String = registers.collect();
    let records = crate::mbus::RECORDS.iter().map(|record| {
        format!(
            "  {:<17} storage {} in steps of {} {}\n",
            record.quantity, record.storage, record.scale, record.unit
        )
    });
    let records: String = records.collect();
    format!(
        "{EXAMPLE}\n\n{FILES}\n\nRegisters of every meter: holding registers (function 3), counted from 0, the high \
         word first.\nThe same can be read as input registers (function 4).\n{registers}{MEMORY}\nData records of every \
         M-Bus meter, in this order:\n{records}\n{MBUS}\n\n{POINTS}\n\n{PLAN}\n\n{EXIT_CODES}"
    )
}

/// A simulated street of meters with faults to order: Modbus RTU on pseudo terminals, Modbus TCP,
/// and a log of the truth. Needs no privileges. Ctrl-C stops it.
#[derive(Debug, Parser)]
#[command(
    name = "fieldnotary-street",
    version,
    max_term_width = 100,
    after_help = after_help()
)]
pub(crate) struct Args {
    /// Folder for the serial lines, street.json and the log; made if it does not exist.
    #[arg(long, value_name = "DIR", default_value = "street")]
    pub(crate) dir: PathBuf,

    /// Number from which all that seems random is drawn.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// A serial line; may be given several times. Without any port there is one, rtu0.
    #[arg(long = "rtu-port", value_name = "NAME")]
    pub(crate) rtu_ports: Vec<String>,

    /// A wired M-Bus; may be given several times.
    #[arg(long = "mbus-port", value_name = "NAME")]
    pub(crate) mbus_ports: Vec<String>,

    /// Speed of every M-Bus: 300, 600, 1200 and so on to 38400.
    #[arg(long, value_name = "BAUD", default_value_t = 2_400, value_parser = mbus_baud)]
    pub(crate) mbus_baud: u32,

    /// The M-Bus meters are these: each file *.hex in this folder is the telegram of one.
    #[arg(long, value_name = "DIR", requires = "mbus_ports")]
    pub(crate) mbus_telegrams: Option<PathBuf>,

    /// Address to serve Modbus TCP on, as port "tcp"; port 0 lets the system choose.
    #[arg(long, value_name = "ADDR:PORT", value_parser = address)]
    pub(crate) tcp: Option<SocketAddr>,

    /// Meters, 1 at least, dealt out over the ports in turn; each port counts its units from 1. With
    /// --mbus-telegrams those of the other ports, and 0 is allowed.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) meters: u16,

    /// How often a Modbus meter writes a record to its memory: 1s to 1d, in whole seconds.
    #[arg(long, value_name = "DURATION", default_value = "15min", value_parser = duration)]
    pub(crate) memory_every: Duration,

    /// A station's own points, beside the meters; the format is below. With it --meters 0 is allowed.
    #[arg(long, value_name = "FILE")]
    pub(crate) points: Option<PathBuf>,

    /// Faults to order; the format is below.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,

    /// Stop by itself this long after readiness: 500ms, 90s, 5min, 2h.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(crate) run_for: Option<Duration>,

    /// Print street.json when the street is ready, instead of words.
    #[arg(long)]
    pub(crate) json: bool,

    /// Stop when the process that started the street ends.
    #[arg(long)]
    pub(crate) die_with_parent: bool,

    /// Print the completion script for a shell, and do nothing else.
    #[arg(long, value_name = "SHELL", exclusive = true)]
    pub(crate) completions: Option<manual::Shell>,

    /// Write the manual page to a directory, and do nothing else.
    #[arg(long, value_name = "DIR", exclusive = true)]
    pub(crate) man: Option<PathBuf>,
}

/// Speeds of an M-Bus (EN 13757-3, CI B8h to BFh).
fn mbus_baud(text: &str) -> Result<u32, String> {
    const SPEEDS: u32 = 8;
    let baud = text.parse().unwrap_or(0);
    match (0..SPEEDS).any(|code| 300 << code == baud) {
        true => Ok(baud),
        false => Err("an M-Bus has 300, 600, 1200 and so on to 38400".to_owned()),
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "write an IP address and a port, such as 127.0.0.1:5020".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let due =
        || format!("{text:?} is no duration; write a number with its unit: 500ms, 90s, 5min or 2h");
    let unit_at = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let number: f64 = number.parse().map_err(|_| due())?;
    let seconds = match unit {
        "s" => number,
        "ms" => number / 1_000.0,
        "m" | "min" => number * 60.0,
        "h" => number * 3_600.0,
        _ => return Err(due()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| due())
}

#[cfg(test)]
mod tests {
    use super::duration;
    use std::time::Duration;

    #[test]
    fn an_address_has_a_port() {
        assert!(super::address("127.0.0.1:5020").is_ok());
        for text in ["127.0.0.1", "localhost:1", ""] {
            assert!(super::address(text).unwrap_err().contains("127.0.0.1:5020"));
        }
    }

    #[test]
    fn durations_have_units() {
        for (text, ms) in [
            ("0.3s", Some(300)),
            ("90", None),
            ("90s", Some(90_000)),
            ("500ms", Some(500)),
            ("1.5min", Some(90_000)),
            ("2m", Some(120_000)),
            ("2h", Some(7_200_000)),
            ("-1s", None),
            ("soon", None),
            ("5 parsecs", None),
            ("", None),
            ("1e999", None),
            ("inf", None),
        ] {
            let read = duration(text);
            assert_eq!(read.clone().ok(), ms.map(Duration::from_millis), "{text}");
            assert!(ms.is_some() || read.unwrap_err().contains("90s"), "{text}");
        }
    }
}
