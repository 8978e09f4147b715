//! `fieldnotary bus mbus search`: who is on a bus, by secondary addresses.

use super::session::{run, shown};
use super::{cells, failure_json, speaker_json};
use crate::cli::MbusSearchArgs;
use crate::commands::Ended;
use crate::commands::ink::{Ink, ink};
use crate::commands::progress::Progress;
use crate::commands::table::{Align, Table};
use crate::commands::words;
use mbus::master::{Outcome, Pattern, Search, Searched, Work};
use serde_json::{Value, json};

/// Searches. Ends badly where nobody is found, or not everybody can be told apart.
pub(super) fn search(args: &MbusSearchArgs) -> Result<Ended, String> {
    let search = Search {
        under: args.under.unwrap_or(Pattern::ANY),
        letters: args.letters,
        shadows: !args.quick,
        ..Search::default()
    };
    let progress = Progress::of("asking");
    let outcome = run(&args.line, Work::Search(search), |_| progress.step())?;
    drop(progress);
    let Outcome::Searched(searched) = outcome else {
        return Err("the search ended as something else".to_owned());
    };
    let bus = shown(&args.line);
    match args.line.json {
        true => sayln!("{}", object(&bus, &searched)),
        false => say!("{}", screen(&bus, &searched)),
    }
    let sure = searched.complete && searched.collisions.is_empty();
    Ok(match sure && !searched.found.is_empty() {
        true => Ended::Well,
        false => Ended::Badly,
    })
}

fn object(bus: &str, searched: &Searched) -> Value {
    let found = searched.found.iter().map(|one| speaker_json(&one.speaker));
    let collisions = searched.collisions.iter().map(|one| {
        json!({
            "pattern": one.pattern.to_string(),
            "heard": failure_json(one.failure),
            "found": one.found,
        })
    });
    json!({
        "bus": bus,
        "found": found.collect::<Vec<_>>(),
        "collisions": collisions.collect::<Vec<_>>(),
        "requests": searched.requests,
        "complete": searched.complete,
        "failure": searched.failure.map(failure_json),
    })
}

fn screen(bus: &str, searched: &Searched) -> String {
    let mut table = Table::new(&[
        ("secondary", Align::Left),
        ("meter", Align::Right),
        ("made by", Align::Left),
        ("version", Align::Right),
        ("medium", Align::Left),
        ("primary", Align::Right),
    ]);
    for one in &searched.found {
        let [secondary, number, maker, version, medium] = cells(&one.speaker);
        let primary = one.speaker.primary.to_string();
        table.row([secondary, number, maker, version, medium, primary]);
    }
    let mut out = format!("{bus}\n\n");
    if searched.found.is_empty() {
        out += "no meter was found: look at wiring, voltage and speed of the bus\n";
    } else {
        out += &format!("{table}\n");
    }
    for one in &searched.collisions {
        let words = format!(
            "{}: {}; told apart: {}",
            one.pattern, one.failure, one.found
        );
        out += &format!("{}\n", ink(Ink::Bad, &words));
    }
    if !searched.complete {
        let why = searched.failure.map(|failure| format!(": {failure}"));
        let words = format!("the search is not complete{}", why.unwrap_or_default());
        out += &format!("{}\n", ink(Ink::Bad, &words));
    }
    out += &format!(
        "{}, {}\n",
        words::count(searched.found.len() as u64, "meter", "meters"),
        words::count(searched.requests.into(), "request", "requests"),
    );
    out
}
