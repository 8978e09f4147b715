//! Self-tests for storage errors that seem to come from nowhere: five symptoms, and what the log knows of each.

use evidence::kinds::{Counter, EpochStart};
use evidence::reasons::{AttemptCause, EventCode, LossCause};
use evidence::{Entry, MeterId, MonoNs, Payload, PointId};
use std::collections::{BTreeMap, BTreeSet};

/// A failed attempt this soon after a stall may have been starved by it.
const STARVED_WITHIN_NS: u64 = 10_000_000_000;
/// A recovery this many times the median of those before it is one that grows.
const GROWN_TIMES: u64 = 4;
/// Below this many bytes nobody cares how the scan grows.
const SCAN_BYTES_NOTED: u64 = 1 << 20;
/// Sessions of a point looked back on for one that was served twice.
const SESSIONS_MAX: usize = 1 << 16;

/// What the log says of a symptom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Looked for, and not there.
    Clear,
    /// There: the likely cause is worth a look at the hardware.
    Suspected,
    /// Nothing in this log would show it.
    NoEvidence,
}

impl Verdict {
    /// The word for programs and people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Suspected => "suspected",
            Self::NoEvidence => "no evidence",
        }
    }
}

/// One symptom with its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfTest {
    /// The symptom, in a word.
    pub name: &'static str,
    /// The symptom, as somebody in the field sees it.
    pub symptom: &'static str,
    /// What usually causes it.
    pub cause: &'static str,
    /// What the log says.
    pub verdict: Verdict,
    /// The figures that were looked at, by the counters' names.
    pub figures: Vec<(&'static str, Option<u64>)>,
}

/// Goes through the entries of a log, in order.
#[derive(Debug, Default)]
pub struct SelfTests {
    counters: BTreeMap<String, u64>,
    epochs: Vec<EpochStart>,
    stalls: u64,
    /// The newest stall of this run: times of another cannot be compared.
    stalled_at: Option<MonoNs>,
    failures_after_stalls: u64,
    /// Session numbers by meter and point.
    served: BTreeMap<(MeterId, PointId), BTreeSet<u64>>,
    duplicates: u64,
    damaged: u64,
    entries: u64,
    out_of_order: u64,
    next: Option<(u64, u64)>,
}

impl SelfTests {
    /// Takes the next entry.
    pub fn observe(&mut self, entry: &Entry) {
        let here = (entry.header.generation.0, entry.header.commit_id.0);
        self.entries = self.entries.saturating_add(1);
        if self.next.is_some_and(|next| here < next) {
            self.out_of_order = self.out_of_order.saturating_add(1);
        }
        self.next = Some((here.0, here.1.saturating_add(1)));
        match entry.payload() {
            Ok(Payload::CounterSnapshot(snapshot)) => {
                snapshot
                    .counters
                    .iter()
                    .for_each(|counter| self.count(counter));
            }
            Ok(Payload::EpochStart(epoch)) => {
                self.stalled_at = None;
                self.epochs.push(epoch);
            }
            Ok(Payload::Event(event)) if event.code == EventCode::WriteStall => {
                self.stalls = self.stalls.saturating_add(event.count.unwrap_or(1));
                self.stalled_at = Some(event.at);
            }
            Ok(Payload::AttemptFailed(failed)) if failed.cause == AttemptCause::Timeout => {
                let starved = |stall: MonoNs| failed.at.since(stall) <= STARVED_WITHIN_NS;
                if self.stalled_at.is_some_and(starved) {
                    self.failures_after_stalls = self.failures_after_stalls.saturating_add(1);
                }
            }
            Ok(Payload::Reading(reading)) => {
                let served = self
                    .served
                    .entry((reading.meter_id, reading.point_id))
                    .or_default();
                if !served.insert(reading.seq.0) {
                    self.duplicates = self.duplicates.saturating_add(1);
                }
                if served.len() > SESSIONS_MAX {
                    served.pop_first();
                }
            }
            // A file that is gone or cut short is no worn flash.
            Ok(Payload::Loss(loss)) if loss.cause == LossCause::FrameDamaged => {
                self.damaged = self.damaged.saturating_add(loss.count);
            }
            _ => {}
        }
    }

    /// Counters only grow within a run, and begin anew with the next: the largest tells whether it ever happened.
    fn count(&mut self, counter: &Counter) {
        if let Some(value) = counter.value {
            let known = self.counters.entry(counter.name.clone()).or_default();
            *known = value.max(*known);
        }
    }

    /// The five verdicts.
    #[must_use]
    pub fn verdicts(&self) -> Vec<SelfTest> {
        vec![
            self.records(),
            self.stalled(),
            self.duplicated(),
            self.wear(),
            self.recoveries(),
        ]
    }

    fn figure(&self, name: &str) -> Option<u64> {
        self.counters.get(name).copied()
    }

    fn any(&self, names: &[&str]) -> bool {
        names
            .iter()
            .any(|name| self.figure(name).is_some_and(|value| value > 0))
    }

    fn records(&self) -> SelfTest {
        let names = [
            "record_crc_fail_cnt",
            "frame_crc_fail",
            "read_back_cnt",
            "read_back_fail_cnt",
        ];
        let looked = self.figure("record_crc_fail_cnt").is_some();
        SelfTest {
            name: "records",
            symptom: "record CRCs fail while the wire is clean",
            cause: "memory or a buffer spoils bytes, or the medium gives back others than were written",
            verdict: verdict(
                looked,
                self.any(&["record_crc_fail_cnt", "read_back_fail_cnt"]),
            ),
            figures: names.map(|name| (name, self.figure(name))).to_vec(),
        }
    }

    fn stalled(&self) -> SelfTest {
        let told = Some(self.stalls);
        SelfTest {
            name: "stalls",
            symptom: "commits take long, then meters time out",
            cause: "the medium stalls (garbage collection) and capture starves",
            verdict: verdict(
                self.figure("commit_cnt").is_some(),
                self.failures_after_stalls > 0,
            ),
            figures: vec![
                ("write_stall_cnt", self.figure("write_stall_cnt").max(told)),
                ("commit_latency_p99", self.figure("commit_latency_p99")),
                ("queue_depth", self.figure("queue_depth")),
                ("timeouts_after_stalls", Some(self.failures_after_stalls)),
            ],
        }
    }

    fn duplicated(&self) -> SelfTest {
        let crashes = self
            .epochs
            .iter()
            .filter(|epoch| epoch.after_crash())
            .count() as u64;
        SelfTest {
            name: "duplicates",
            symptom: "readings come twice after a reboot",
            cause: "something was acknowledged before it was durable, or resent without its number",
            verdict: verdict(
                self.entries > 0,
                self.duplicates > 0 || self.out_of_order > 0,
            ),
            figures: vec![
                ("readings_twice", Some(self.duplicates)),
                ("commit_ids_out_of_order", Some(self.out_of_order)),
                ("journal_recovery_cnt", Some(crashes)),
            ],
        }
    }

    fn wear(&self) -> SelfTest {
        let names = [
            "bad_block_cnt",
            "ecc_corrected_cnt",
            "ecc_failed_cnt",
            "spare_block_cnt",
        ];
        let looked = names.iter().any(|name| self.figure(name).is_some()) || self.damaged > 0;
        let failing = self.any(&["ecc_failed_cnt"]) || self.damaged > 0;
        let mut figures = names.map(|name| (name, self.figure(name))).to_vec();
        figures.push(("entries_lost_to_damage", Some(self.damaged)));
        SelfTest {
            name: "wear",
            symptom: "stretches are missing months later",
            cause: "the flash wears out: bad blocks grow and reads fail in silence",
            verdict: verdict(looked, failing),
            figures,
        }
    }

    fn recoveries(&self) -> SelfTest {
        let scans: Vec<u64> = self.epochs.iter().map(|epoch| epoch.scan_bytes).collect();
        let (newest, before) = match scans.split_last() {
            Some((newest, before)) => (Some(*newest), before.to_vec()),
            None => (None, Vec::new()),
        };
        let usual = median(before);
        let grown = newest.zip(usual).is_some_and(|(newest, usual)| {
            newest > SCAN_BYTES_NOTED && newest > usual.saturating_mul(GROWN_TIMES)
        });
        let longest = self.epochs.iter().map(|epoch| epoch.recovery_us).max();
        SelfTest {
            name: "recovery",
            symptom: "starts take longer from month to month",
            cause: "checkpoints are too far apart, so that more is scanned each time",
            verdict: verdict(usual.is_some(), grown),
            figures: vec![
                ("checkpoint_interval", self.figure("checkpoint_interval")),
                ("journal_scan_bytes", newest),
                ("journal_scan_bytes_median", usual),
                ("recovery_duration_us_max", longest),
            ],
        }
    }
}

const fn verdict(looked: bool, found: bool) -> Verdict {
    match (found, looked) {
        (true, _) => Verdict::Suspected,
        (false, true) => Verdict::Clear,
        (false, false) => Verdict::NoEvidence,
    }
}

fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests;
