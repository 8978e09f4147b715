//! `fieldnotary bus scan`: who answers on a line, or behind a gateway.

use super::line;
use super::session::{Outcome, once, run};
use crate::cli::BusScanArgs;
use crate::commands::Ended;
use crate::commands::ink::{Ink, ink};
use crate::commands::progress::Progress;
use crate::commands::table::{Align, Table};
use crate::commands::words;
use contract::{Address, Meter, Port, PortKind};
use evidence::MeterId;
use evidence::kinds::Payload;
use evidence::reasons::AttemptCause;
use serde_json::{Value, json};

const NS_PER_MS: u64 = 1_000_000;
/// Addresses of a serial line (Modbus over serial line, 2.2).
const SERIAL: (u8, u8) = (1, 247);
/// A gateway that knows an address and got no answer from it says so with these codes.
const GATEWAY: [u64; 2] = [0x0A, 0x0B];

/// Asks each address. Ends badly where nobody answers, an answer is damaged, or an address could not be asked.
pub(super) fn scan(args: &BusScanArgs) -> Result<Ended, String> {
    let (contract, port) = line::of(&args.line.serial, args.line.tcp.as_deref())?;
    let port = line::known(&contract, &port)?;
    if matches!(port.kind, PortKind::Mbus(_)) {
        let way = match port.kind.serial() {
            Some(_) => "--serial",
            None => "--tcp",
        };
        return Err(format!(
            "port {} is an M-Bus; search it with: fieldnotary bus mbus search {way} {}",
            port.id,
            port.kind.place()
        ));
    }
    line::is_free(port)?;
    let (first, last) = args.units.unwrap_or(SERIAL);
    let serial = matches!(port.kind, PortKind::ModbusRtu(_));
    if serial && (first < SERIAL.0 || last > SERIAL.1) {
        return Err("a serial line has the addresses 1 to 247".to_owned());
    }
    let timeout_ms = (args.timeout / NS_PER_MS).max(1);
    let asked = Port {
        timeout_ms,
        retries: 0,
        late_reply_ms: timeout_ms,
        ..port.clone()
    };
    let pattern = asking_for(&args.register)?;
    let meters = (first..=last).map(|unit| {
        // Meters are asked in the order of their names.
        let id: MeterId = format!("{unit:03}")
            .parse()
            .map_err(|error| format!("{error}"))?;
        Ok(Meter {
            id,
            port: port.id.clone(),
            address: Address::Unit(unit),
            ..pattern.clone()
        })
    });
    let meters: Result<Vec<Meter>, String> = meters.collect();
    let one = once(&contract, asked, meters?)?;
    let progress = Progress::of("asking address");
    let mut seen = 0;
    let outcome = run(&one, &port.id, |ended| {
        for _ in seen..ended {
            progress.step();
        }
        seen = ended;
    })?;
    drop(progress);
    let found = found(&outcome);
    let unasked = unasked(&outcome);
    match args.json {
        true => sayln!(
            "{}",
            json!({
                "port": line::shown(port),
                "asked": [first, last],
                "register": args.register,
                "unasked": unasked,
                "found": found.iter().map(Found::json).collect::<Vec<_>>(),
            })
        ),
        false => say!(
            "{}",
            screen(port, (first, last), timeout_ms, &found, &unasked)
        ),
    }
    let damaged = found
        .iter()
        .any(|one| matches!(one.answer, Answer::Damaged(_)));
    Ok(match found.is_empty() || damaged || !unasked.is_empty() {
        true => Ended::Badly,
        false => Ended::Well,
    })
}

/// A meter that is asked for one register, read as somebody would write it.
fn asking_for(register: &str) -> Result<Meter, String> {
    let drafted = super::super::point(register)?;
    let text = format!(
        "[station]\norigin = \"localhost/scan\"\n\n[[port]]\nid = \"line\"\nkind = \"modbus-tcp\"\n\
         address = \"localhost:502\"\n\n[[schedule]]\nid = \"once\"\nevery = \"1d\"\n\n[[meter]]\nid = \"1\"\n\
         port = \"line\"\nunit = 1\nschedule = \"once\"\n\n[[meter.point]]\nid = \"asked\"\n\
         register = {:?}\ntype = {:?}\n",
        drafted.register, drafted.value
    );
    let contract = contract::parse(&text).map_err(|errors| {
        let errors: Vec<String> = errors
            .iter()
            .map(|error| format!("--register {register}: {}; {}", error.what, error.advice))
            .collect();
        errors.join("\n")
    })?;
    let mut meters = contract.meters.into_values();
    meters
        .next()
        .ok_or_else(|| format!("--register {register} names no register"))
}

/// An address at which somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    unit: u8,
    answer: Answer,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Value(Vec<u8>),
    Exception(u64),
    /// Bytes that are no whole answer: how they are wrong.
    Damaged(AttemptCause),
}

impl Found {
    fn json(&self) -> Value {
        let (answer, detail) = match &self.answer {
            Answer::Value(raw) => ("value", json!(crate::commands::decode::hex(raw))),
            Answer::Exception(code) => ("exception", json!(code)),
            Answer::Damaged(cause) => ("damaged", json!(cause.name())),
        };
        json!({ "unit": self.unit, "answer": answer, "detail": detail })
    }

    fn words(&self) -> String {
        match &self.answer {
            Answer::Value(raw) => format!("value {}", crate::commands::decode::hex(raw)),
            Answer::Exception(code) => {
                format!("exception {code}: it is there, and {}", refuses(*code))
            }
            Answer::Damaged(cause) => ink(
                Ink::Bad,
                &format!(
                    "damaged ({}): two meters of one address, or a disturbed line",
                    cause.name()
                ),
            ),
        }
    }
}

fn unit_of(meter: &MeterId) -> u8 {
    meter.as_str().parse().unwrap_or(u8::MAX)
}

/// What an exception says of the register that was asked for (MODBUS Application Protocol, 7).
const fn refuses(code: u64) -> &'static str {
    match code {
        1 => "does not serve this table (illegal function)",
        2 => "has no such register",
        3 => "does not take this count of registers",
        4 => "failed to answer (device failure)",
        _ => "refuses",
    }
}

fn found(outcome: &Outcome) -> Vec<Found> {
    let answer = |record: &Payload| match record {
        Payload::Reading(reading) => Some(Found {
            unit: unit_of(&reading.meter_id),
            answer: Answer::Value(reading.raw.0.clone()),
        }),
        Payload::AttemptFailed(failed) => Some(Found {
            unit: unit_of(&failed.meter_id),
            answer: match (failed.cause, failed.exception) {
                (AttemptCause::Exception, Some(code)) if GATEWAY.contains(&code) => return None,
                (AttemptCause::Exception, code) => Answer::Exception(code.unwrap_or(0)),
                (
                    AttemptCause::Crc
                    | AttemptCause::Framing
                    | AttemptCause::WrongShape
                    | AttemptCause::ForeignReply,
                    _,
                ) => Answer::Damaged(failed.cause),
                _ => return None,
            },
        }),
        _ => None,
    };
    let mut found: Vec<Found> = outcome.records.iter().filter_map(answer).collect();
    found.sort_by_key(|one| one.unit);
    found
}

/// Addresses of which nothing is known: there was no line to ask them on.
fn unasked(outcome: &Outcome) -> Vec<u8> {
    let unasked = |record: &Payload| match record {
        Payload::AttemptFailed(failed)
            if matches!(
                failed.cause,
                AttemptCause::ConnectRefused
                    | AttemptCause::ConnectionLost
                    | AttemptCause::PortUnavailable
                    | AttemptCause::BusOverload
            ) =>
        {
            Some(unit_of(&failed.meter_id))
        }
        _ => None,
    };
    outcome.records.iter().filter_map(unasked).collect()
}

fn screen(
    port: &Port,
    (first, last): (u8, u8),
    timeout_ms: u64,
    found: &[Found],
    unasked: &[u8],
) -> String {
    let mut out = format!(
        "{}: addresses {first} to {last}, {} each\n\n",
        line::shown(port),
        words::span(timeout_ms)
    );
    if let (Some(first), Some(last)) = (unasked.first(), unasked.last()) {
        let asked = words::count(unasked.len() as u64, "address", "addresses");
        out += &ink(
            Ink::Bad,
            &format!(
                "{asked} between {first} and {last} could not be asked: the line or connection went\n\n"
            ),
        );
    }
    if found.is_empty() && unasked.len() > usize::from(last - first) {
        // Nobody was asked, and nothing follows of wiring and speed.
        return out;
    }
    if found.is_empty() {
        return out
            + match port.kind {
                PortKind::ModbusTcp { .. } => {
                    "nobody answered behind this address: are the meters connected to it, and served under these unit \
                     numbers? a gateway that asks a slow line wants a longer --timeout\n"
                }
                PortKind::ModbusRtu(_) | PortKind::Mbus(_) => {
                    "nobody answered: look at wiring, speed and parity, and give it a longer --timeout\n"
                }
            };
    }
    let mut table = Table::new(&[("unit", Align::Right), ("answer", Align::Left)]);
    for one in found {
        table.row([one.unit.to_string(), one.words()]);
    }
    out += &format!(
        "{table}\n{}\n",
        words::count(found.len() as u64, "meter answered", "meters answered")
    );
    out
}
