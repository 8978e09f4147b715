//! Whatever happens in whatever order: one outcome for each command, and no movement without one.

use super::station::Station;
use crate::outputs::Asked;
use crate::points::{Input, Level};
use evidence::Quality;
use evidence::reasons::{OutputOutcome as Out, TagChange};
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec::Vec;

const COMMANDS: [&str; 10] = [
    "select breaker 1",
    "select breaker 0",
    "execute breaker 1",
    "execute breaker 0",
    "cancel breaker",
    "operate horn 1",
    "select horn 1",
    "execute horn 1",
    "operate lamp 1",
    "operate lamp 0",
];

/// What happens, by a number; commands are noted.
fn happens(station: &mut Station, what: u8, given: &mut Vec<u64>) {
    let actor = if what & 1 == 0 { "ada" } else { "bert" };
    match what {
        0..160 => {
            let words = COMMANDS[usize::from(what >> 1) % COMMANDS.len()];
            given.push(station.command(actor, words));
        }
        160..175 => station.moves(9, what & 1 == 0, 1),
        175..185 => station.moves(8, what & 1 == 0, 1),
        185..195 => station.moves(7, what & 1 == 0, 1),
        195..200 => station.oil(if what & 1 == 0 { "60" } else { "95" }, Quality::GOOD),
        200..210 => {
            let change = if what & 1 == 0 {
                TagChange::Set
            } else {
                TagChange::Removed
            };
            station.tag("breaker", change, actor, None);
        }
        210..220 => {
            station.refuses = (what & 1 == 0).then(|| String::from("EIO"));
        }
        220..230 => station.wires = BTreeMap::from([(12, (7, u64::from(what)))]),
        230..236 => station.ask(Asked::RecorderGone),
        236..242 => station.met(station.id + 1, &[]),
        242..248 => station.feed(
            station.now,
            Input::Lost {
                detail: String::new(),
            },
        ),
        _ => {
            let low = |line| Level {
                line,
                high: [8, 13].contains(&line),
            };
            let levels = [7, 8, 9, 12, 13, 14].map(low).to_vec();
            station.feed(station.now, Input::Opened(levels));
        }
    }
}

/// The laws; `Err` says which one is broken.
fn laws(station: &Station, given: &[u64]) -> Result<(), String> {
    let mut finals: BTreeMap<u64, u64> = BTreeMap::new();
    let mut movements: BTreeMap<u64, u64> = BTreeMap::new();
    for record in &station.records {
        let Some(id) = record.command else { continue };
        *finals.entry(id.0).or_default() += u64::from(record.outcome.is_final());
        let moved = matches!(record.outcome, Out::Driven | Out::Operated);
        *movements.entry(id.0).or_default() += u64::from(moved);
    }
    let once = given.iter().all(|id| finals.get(id) == Some(&1));
    let twice = movements.values().any(|count| *count > 1);
    match (once, twice) {
        (true, false) => Ok(()),
        (false, _) => Err(format!("{finals:?} of {given:?}: {:?}", station.records)),
        (true, true) => Err(format!("{movements:?}: {:?}", station.records)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    //= R3.2
    //= R6.7
    #[test]
    fn every_command_has_one_outcome_and_nothing_moves_without_one(
        steps in proptest::collection::vec(any::<(u8, u16)>(), 1..120),
    ) {
        let mut station = Station::ready();
        let mut given = Vec::new();
        for (what, pause) in steps {
            happens(&mut station, what, &mut given);
            station.wait(u64::from(pause % 700));
        }
        station.refuses = None;
        station.wait(700_000);
        let found = laws(&station, &given);
        prop_assert!(found.is_ok(), "{}", found.unwrap_err());
    }
}
