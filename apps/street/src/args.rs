//! The command line.

use clap::Parser;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

const AFTER_HELP: &str = "\
Files in DIR:
  street.json    written when the street is ready: ports, TCP address, meters, registers, log
  street.jsonl   one line for every request seen, reply sent, and request not answered
  <port>         the serial line, a link to a pseudo terminal

Fault plan, TOML; times count from readiness, without for_s a fault stays for good, and of two
faults at once the first in the file wins:
  [[fault]]
  meter = \"m07\"
  kind = \"silent\"       # or late, corrupt-crc, wrong-unit, exception, truncate, double,
                        # flaky, disconnect
  from_s = 10
  for_s = 15
  # delay_ms = 800      late
  # code = 6            exception
  # probability = 0.3   flaky (silent); other kinds take it too
  # as_unit = 9         wrong-unit; otherwise the next unit of the port";

/// A simulated street of meters with faults to order: Modbus RTU on pseudo terminals, Modbus TCP,
/// and a log of the truth. Needs no privileges.
#[derive(Debug, Parser)]
#[command(name = "fieldnotary-street", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Folder for the serial lines, street.json and the log; made if it does not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,

    /// Number from which all that seems random is drawn.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// A serial line; may be given several times. Without this and --tcp there is one, rtu0.
    #[arg(long = "rtu-port", value_name = "NAME")]
    pub(crate) rtu_ports: Vec<String>,

    /// Address to serve Modbus TCP on, as port "tcp"; port 0 lets the system choose.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) tcp: Option<SocketAddr>,

    /// Meters, dealt out over the ports in turn; each port counts its units from 1.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) meters: u16,

    /// Faults to order.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,

    /// Stop by itself this long after readiness.
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) run_for: Option<Duration>,

    /// Stop when the process that started the street ends.
    #[arg(long)]
    pub(crate) die_with_parent: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| "a number of seconds is due".to_owned())?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}
