//! `fieldnotary bus mbus scan`: who is on a bus, by primary addresses.

use super::session::{run, shown};
use super::{cells, failure_json, speaker_json};
use crate::cli::MbusScanArgs;
use crate::commands::Ended;
use crate::commands::ink::{Ink, ink};
use crate::commands::progress::Progress;
use crate::commands::table::{Align, Table};
use crate::commands::words;
use mbus::master::{Listed, Outcome, Repeats, Scan, Scanned, Work};
use serde_json::{Value, json};

/// Asks each address. Ends badly where nobody answers, an answer is damaged, or not all could be asked.
pub(super) fn scan(args: &MbusScanArgs) -> Result<Ended, String> {
    let (first, last) = args.addresses;
    let scan = Scan {
        first,
        last,
        repeats: Repeats {
            silent: 1,
            ..Repeats::STANDARD
        },
    };
    let progress = Progress::of("asking");
    let outcome = run(&args.line, Work::Scan(scan), |_| progress.step())?;
    drop(progress);
    let Outcome::Scanned(scanned) = outcome else {
        return Err("the scan ended as something else".to_owned());
    };
    let bus = shown(&args.line);
    match args.line.json {
        true => sayln!("{}", object(&bus, &scanned)),
        false => say!("{}", screen(&bus, &scanned)),
    }
    let clean = scanned.listed.iter().all(|one| one.meter.is_ok());
    Ok(
        match clean && scanned.complete && !scanned.listed.is_empty() {
            true => Ended::Well,
            false => Ended::Badly,
        },
    )
}

fn object(bus: &str, scanned: &Scanned) -> Value {
    let listed = scanned.listed.iter().map(|one| {
        let (meter, damaged) = match &one.meter {
            Ok((speaker, _)) => (speaker.as_ref().map(speaker_json), None),
            Err(failure) => (None, Some(failure_json(*failure))),
        };
        json!({ "address": one.address.get(), "meter": meter, "damaged": damaged })
    });
    json!({
        "bus": bus,
        "found": listed.collect::<Vec<_>>(),
        "asked": scanned.asked,
        "complete": scanned.complete,
        "failure": scanned.failure.map(failure_json),
    })
}

fn row(one: &Listed) -> [String; 6] {
    let address = one.address.get().to_string();
    match &one.meter {
        Ok((Some(speaker), _)) => {
            let [secondary, number, maker, version, medium] = cells(speaker);
            [address, secondary, number, maker, version, medium]
        }
        Ok((None, _)) => said(address, "a frame without a head".to_owned()),
        Err(failure) => said(address, ink(Ink::Bad, &failure.to_string())),
    }
}

/// A row of which nothing is known but these words.
fn said(address: String, words: String) -> [String; 6] {
    let nothing = String::new;
    [address, words, nothing(), nothing(), nothing(), nothing()]
}

fn screen(bus: &str, scanned: &Scanned) -> String {
    let mut out = format!("{bus}\n\n");
    if scanned.listed.is_empty() {
        out += "nobody answered: look at wiring, voltage and speed of the bus\n";
    } else {
        let mut table = Table::new(&[
            ("address", Align::Right),
            ("secondary", Align::Left),
            ("meter", Align::Right),
            ("made by", Align::Left),
            ("version", Align::Right),
            ("medium", Align::Left),
        ]);
        for one in &scanned.listed {
            table.row(row(one));
        }
        out += &format!("{table}\n");
    }
    if let Some(failure) = scanned.failure {
        let words = format!("the scan is not complete: {failure}");
        out += &format!("{}\n", ink(Ink::Bad, &words));
    }
    out += &format!(
        "{}, {}\n",
        words::count(
            scanned.listed.len() as u64,
            "address answered",
            "addresses answered"
        ),
        words::count(scanned.asked.into(), "asked", "asked"),
    );
    out
}
