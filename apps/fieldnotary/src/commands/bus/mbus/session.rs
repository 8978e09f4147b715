//! One job of the master on an open line, with nothing but this process around it.

use crate::cli::MbusLineArgs;
use crate::clock;
use crate::commands::ports;
use contract::{Echo, Parity, SerialLine};
use evidence::MonoNs;
use mbus::master::{Action, Job, Master, Outcome, Report, Work};
use std::time::Duration;
use wire::{Transport, wait};

/// What a USB adapter may hold bytes back.
const SERIAL_LATENCY_NS: u64 = 20_000_000;
/// What a network and the converter behind it may.
const TCP_LATENCY_NS: u64 = 200_000_000;
/// How long an attempt to connect may take.
const CONNECT: Duration = Duration::from_secs(5);
/// Nothing is waited for longer than this at a time.
const BEAT_NS: u64 = 1_000_000_000;

/// `m-bus /dev/ttyUSB0, 2400 8E1`.
pub(super) fn shown(args: &MbusLineArgs) -> String {
    match (&args.serial, &args.tcp) {
        (Some(device), _) => format!("m-bus {device}, {} 8E1", args.baud),
        (None, Some(address)) => format!("m-bus behind {address}, {} bit/s", args.baud),
        (None, None) => "m-bus".to_owned(),
    }
}

/// Does one piece of work; `heard` is told of each request when it has ended.
///
/// # Errors
/// Why the line cannot be opened, why it was lost, or why there is no such work.
pub(super) fn run(
    args: &MbusLineArgs,
    work: Work,
    mut heard: impl FnMut(Report),
) -> Result<Outcome, String> {
    let mut wire = open(args)?;
    let latency = match args.serial {
        Some(_) => SERIAL_LATENCY_NS,
        None => TCP_LATENCY_NS,
    };
    let latency_ns = args.latency.unwrap_or(latency);
    let mut master = Master::new(args.baud, latency_ns, clock::mono().0);
    let lost = |why: String| format!("{} was lost: {why}", shown(args));
    let mut actions = master
        .begin(Job::from(work), clock::mono().0)
        .map_err(|refused| refused.to_string())?;
    loop {
        let mut due_ns = None;
        for action in actions {
            match action {
                Action::Send(bytes) => wire.send(&bytes).map_err(lost)?,
                Action::WaitUntil(at_ns) => due_ns = Some(at_ns),
                Action::Exchange { report, .. } => heard(report),
                Action::Done(outcome) => return Ok(outcome),
                // The work asked for here keeps the speed of the bus, and one job knows no meter that fell silent.
                Action::Speed(_) | Action::Stray(_) | Action::Evidence(_) => {}
            }
        }
        let now = clock::mono();
        let left_ns = due_ns.map_or(BEAT_NS, |due_ns| MonoNs(due_ns).since(now).min(BEAT_NS));
        actions = match wait(Some(&wire), None, Duration::from_nanos(left_ns)).wire {
            true => {
                let bytes = wire.receive().map_err(lost)?;
                master.received(&bytes, clock::mono().0)
            }
            false => master.tick(clock::mono().0),
        };
    }
}

fn open(args: &MbusLineArgs) -> Result<Transport, String> {
    match (&args.serial, &args.tcp) {
        (Some(device), _) => {
            ports::is_closed(device)?;
            // A pseudo-terminal has no parity bit.
            let parity = match wire::is_pseudo_terminal(device) {
                true => Parity::None,
                false => Parity::Even,
            };
            Transport::serial(&SerialLine {
                device: device.clone(),
                baud: args.baud,
                data_bits: 8,
                parity,
                stop_bits: 1,
                turnaround_ms: 0,
                rs485: None,
                echo: Echo::None,
            })
        }
        (None, Some(address)) => Transport::tcp(address, CONNECT),
        (None, None) => Err("say which bus: --serial or --tcp".to_owned()),
    }
}
