//! `fieldnotary bus mbus read`: all telegrams of one meter, decoded.

use super::failure_json;
use super::session::{run, shown};
use crate::cli::MbusReadArgs;
use crate::commands::Ended;
use crate::commands::decode::{hex, mbus_object, mbus_screen};
use crate::commands::ink::{Ink, ink};
use mbus::master::{Attempt, Meter, Outcome, Readout, Report, Work};
use mbus::telegram::Telegram;
use serde_json::{Value, json};

/// Reads. Ends badly where a telegram is missing or not valid.
pub(super) fn read(args: &MbusReadArgs) -> Result<Ended, String> {
    let meter = match (args.address, args.secondary) {
        (Some(address), _) => Meter::Primary {
            address,
            identity: None,
        },
        (None, Some(pattern)) => Meter::Secondary(pattern),
        (None, None) => return Err("say which meter: --address or --secondary".to_owned()),
    };
    let work = Work::Read {
        meter,
        reset: None,
        telegrams_max: args.telegrams,
        anew: true,
    };
    let mut reports = Vec::new();
    let outcome = run(&args.line, work, |report| reports.push(report))?;
    let Outcome::Read(readout) = outcome else {
        return Err("the readout ended as something else".to_owned());
    };
    let failed: Vec<&Attempt> = reports.iter().flat_map(failed).collect();
    let bus = shown(&args.line);
    match args.line.json {
        true => sayln!("{}", object(&bus, &readout, &failed)),
        false => say!("{}", screen(&bus, &readout, &failed)),
    }
    let telegrams = readout.telegrams.iter();
    let valid = telegrams
        .map(|kept| Telegram::read(&kept.frame))
        .all(|telegram| telegram.is_valid());
    Ok(match valid && readout.failure.is_none() {
        true => Ended::Well,
        false => Ended::Badly,
    })
}

fn failed(report: &Report) -> impl Iterator<Item = &Attempt> {
    let attempts = report.attempts.iter();
    attempts.filter(|attempt| attempt.failure.is_some())
}

fn object(bus: &str, readout: &Readout, failed: &[&Attempt]) -> Value {
    let telegrams = readout.telegrams.iter();
    let telegrams = telegrams.map(|kept| mbus_object(&kept.frame, &Telegram::read(&kept.frame)));
    let failed = failed.iter().map(|attempt| {
        json!({
            "failure": attempt.failure.map(failure_json),
            "heard": hex(&attempt.heard.bytes),
        })
    });
    json!({
        "bus": bus,
        "telegrams": telegrams.collect::<Vec<_>>(),
        "failed_attempts": failed.collect::<Vec<_>>(),
        "failure": readout.failure.map(failure_json),
    })
}

fn screen(bus: &str, readout: &Readout, failed: &[&Attempt]) -> String {
    let mut out = format!("{bus}\n");
    for kept in &readout.telegrams {
        let telegram = Telegram::read(&kept.frame);
        out += &format!("\n{}", mbus_screen(&kept.frame, &telegram));
    }
    for attempt in failed {
        let why = attempt.failure.map(|failure| failure.to_string());
        let heard = match attempt.heard.bytes.as_slice() {
            [] => String::new(),
            bytes => format!(": {}", hex(bytes)),
        };
        out += &format!("\nan attempt failed, {}{heard}", why.unwrap_or_default());
    }
    if !failed.is_empty() {
        out.push('\n');
    }
    if let Some(failure) = readout.failure {
        let words = format!("not everything was read: {failure}");
        out += &format!("\n{}\n", ink(Ink::Bad, &words));
    }
    out
}
