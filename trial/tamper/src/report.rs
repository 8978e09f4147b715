//! What came of it, and whether it is what is due.

use crate::forgeries::Forgery;
use crate::verifiers::{Verdict, Who};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Faults that are quoted in words.
const QUOTED_MAX: usize = 40;

/// The counts of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// Logs shown to the verifiers, honest ones included.
    pub(crate) cases: u64,
    /// Answers given.
    pub(crate) verdicts: u64,
    /// Answers `found` that were due, of all forgeries.
    found: u64,
    undetected: u64,
    false_alarm: u64,
    wrong_data: u64,
    silent_loss: u64,
    refused_open: u64,
    /// By forgery: how often it was done, and who found it how often.
    by_forgery: BTreeMap<String, (u64, BTreeMap<Who, u64>)>,
    faults: Vec<String>,
}

impl Report {
    /// Takes what one verifier said.
    pub(crate) fn take(
        &mut self,
        name: &str,
        forgery: Option<&Forgery>,
        who: Who,
        complete: bool,
        verdict: Verdict,
    ) {
        self.verdicts += 1;
        let row = self.by_forgery.entry(name.to_owned()).or_default();
        row.0 += u64::from(who == Who::Library);
        if matches!(verdict, Verdict::Found(_)) {
            *row.1.entry(who).or_default() += 1;
        }
        let due = forgery.map(|forgery| forgery.must_be_seen(who, complete));
        match (due, verdict) {
            (None, Verdict::Found(words)) => {
                self.false_alarm += 1;
                self.fault(format!("{} accuses an honest log: {words}", who.name()));
            }
            (Some(true), Verdict::Holds) => {
                self.undetected += 1;
                self.fault(format!("{} does not find {name}", who.name()));
            }
            (Some(true), Verdict::Found(words)) => {
                let due = forgery.map_or("", |forgery| forgery.named);
                match !who.is_ours() || words.contains(due) {
                    true => self.found += 1,
                    false => {
                        self.undetected += 1;
                        let who = who.name();
                        self.fault(format!("{who} does not call {name} `{due}`, but: {words}"));
                    }
                }
            }
            (_, Verdict::NoAnswer(words)) => {
                self.refused_open(name, &format!("{}: {words}", who.name()));
            }
            _ => {}
        }
    }

    /// An entry was read that was never committed.
    pub(crate) fn wrong_data(&mut self, name: &str, id: u64) {
        self.wrong_data += 1;
        self.fault(format!("{name}: entry {id} was read and never committed"));
    }

    /// A log was accepted that lacks entries, and nothing names them.
    pub(crate) fn silent_loss(&mut self, name: &str, at: u64) {
        self.silent_loss += 1;
        self.fault(format!(
            "{name}: accepted, and entries at {at} are missing without a word"
        ));
    }

    /// A log was not looked at.
    pub(crate) fn refused_open(&mut self, name: &str, words: &str) {
        self.refused_open += 1;
        self.fault(format!("{name}: no answer: {words}"));
    }

    fn fault(&mut self, words: String) {
        if self.faults.len() < QUOTED_MAX {
            self.faults.push(words);
        }
    }

    /// Adds what another court found.
    pub(crate) fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.verdicts += other.verdicts;
        self.found += other.found;
        self.undetected += other.undetected;
        self.false_alarm += other.false_alarm;
        self.wrong_data += other.wrong_data;
        self.silent_loss += other.silent_loss;
        self.refused_open += other.refused_open;
        for (name, (done, by)) in other.by_forgery {
            let row = self.by_forgery.entry(name).or_default();
            row.0 += done;
            for (who, count) in by {
                *row.1.entry(who).or_default() += count;
            }
        }
        for fault in other.faults {
            self.fault(fault);
        }
    }

    /// Whether all is as it must be, and something was looked at.
    pub(crate) fn holds(&self) -> bool {
        let faults = self.undetected
            + self.false_alarm
            + self.wrong_data
            + self.silent_loss
            + self.refused_open;
        faults == 0 && self.found > 0
    }

    /// The report as programs read it.
    pub(crate) fn json(&self, seed: u64, seconds: f64) -> Value {
        let forgeries: serde_json::Map<String, Value> = self
            .by_forgery
            .iter()
            .map(|(name, (done, by))| {
                let by: serde_json::Map<String, Value> = by
                    .iter()
                    .map(|(who, count)| (who.name().to_owned(), json!(count)))
                    .collect();
                (name.clone(), json!({ "cases": done, "found_by": by }))
            })
            .collect();
        json!({
            "ok": self.holds(),
            "cases": self.cases,
            "verdicts": self.verdicts,
            "found": self.found,
            "undetected": self.undetected,
            "false_alarm": self.false_alarm,
            "wrong_data": self.wrong_data,
            "silent_loss": self.silent_loss,
            "refused_open": self.refused_open,
            "seconds": (seconds * 10.0).round() / 10.0,
            "seed": seed,
            "forgeries": forgeries,
            "faults": self.faults,
        })
    }

    /// The report as people read it.
    pub(crate) fn print(&self, seed: u64, seconds: f64) {
        for fault in &self.faults {
            println!("{fault}");
        }
        println!(
            "{}: {} cases, {} verdicts, {} found, {} undetected, {} false alarms, {} wrong data, \
             {} silent losses, {} without answer, {seconds:.1} s, seed {seed}",
            if self.holds() {
                "HOLDS"
            } else {
                "DOES NOT HOLD"
            },
            self.cases,
            self.verdicts,
            self.found,
            self.undetected,
            self.false_alarm,
            self.wrong_data,
            self.silent_loss,
            self.refused_open,
        );
    }
}
