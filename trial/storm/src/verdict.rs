//! The verdict on one site: what was acknowledged is there, what is missing is explained by what was done.

use crate::blow::{Blow, Fault, How, Target};
use crate::causes::{Judge, ends_capture, pid_in};
use crate::diary::{Diary, Window};
use crate::holder::{Held, Whole};
use crate::site::Site;
use evidence::reasons::EventCode;
use evidence::{Entry, Payload, split_leaf};
use proof::tree::leaf_hash;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use trial::{Counts, Findings, Found};

/// How long delivery may take to catch up at the end.
const DELIVERED: Duration = Duration::from_secs(60);
/// How long the node may take to stop: the last sessions, the last seal, the last delivery.
const ORDERLY: Duration = Duration::from_secs(45);
/// How long the other programs may take to stop.
const STOP: Duration = Duration::from_secs(10);
/// What was asked this long before a medium failed may not be committed yet, and the mark of the attempt
/// is written without a flush: it outlives processes, not the medium's failure.
const NOTED_NS: u64 = 3_000_000_000;
/// A supervisor that lived on for this long has reported the end of a process.
const REPORTED_NS: u64 = 8_000_000_000;
/// A node that delivers has met a collector that was put back within this.
const MET_NS: u64 = 20_000_000_000;

/// What came of one site.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) kills: u64,
    pub(crate) faults: u64,
    pub(crate) by_kind: BTreeMap<String, u64>,
    pub(crate) resumes_ms: Vec<u64>,
    pub(crate) counts: Counts,
    pub(crate) entries: u64,
    pub(crate) readings: u64,
    pub(crate) missing: u64,
    /// Entries that explain something missing, each compared with what was done.
    pub(crate) causes: u64,
    pub(crate) acks: u64,
    pub(crate) verified: bool,
    pub(crate) findings: Vec<String>,
}

impl Verdict {
    /// Whether everything holds.
    pub(crate) fn holds(&self) -> bool {
        self.verified && self.findings.is_empty() && self.counts == Counts::default()
    }
}

impl Site {
    /// Ends the storm: everything is healed, delivered, stopped and judged.
    pub(crate) fn judge(mut self) -> Result<(Self, Verdict), String> {
        let mut verdict = Verdict::default();
        self.heal()?;
        if let Err(words) = self.wait_delivered(DELIVERED) {
            verdict.counts.unexplained += 1;
            verdict.findings.push(format!("at the end {words}"));
        }
        self.diary.works();
        let held = self.holder.held();
        let whole = Whole::read(&self.layout.recorder_socket(), &held.acks)?;
        self.stop()?;
        held_against(&held, &whole, &mut verdict);
        self.judge_causes(&whole, &mut verdict)?;
        self.judge_files(&mut verdict)?;
        verdict.kills = self.diary.kills;
        verdict.faults = self.diary.faults;
        verdict.by_kind.clone_from(&self.diary.by_kind);
        verdict.resumes_ms.clone_from(&self.diary.resumes_ms);
        verdict.counts.unexplained += count(&self.diary.findings);
        verdict.findings.extend(self.diary.findings.iter().cloned());
        Ok((self, verdict))
    }

    fn stop(&mut self) -> Result<(), String> {
        if let Some(mut node) = self.node.take() {
            let status = node.stop(ORDERLY)?;
            if !status.success() {
                return Err(node.words(&format!("did not stop orderly ({status})")));
            }
        }
        if let Some(mut collector) = self.collector.take() {
            collector.stop(STOP)?;
        }
        self.street.stop(STOP).map(drop)
    }

    fn judge_causes(&self, whole: &Whole, verdict: &mut Verdict) -> Result<(), String> {
        let street_log = self.street_log()?;
        let mut judge = Judge::new(&self.diary, &street_log);
        let mut ends: Vec<u64> = Vec::new();
        let mut conflicts_ns: Vec<u64> = Vec::new();
        for (_, leaf) in &whole.entries {
            let entry = split_leaf(leaf).and_then(|(_, bytes)| Entry::decode(bytes).ok());
            let Some(entry) = entry else { continue };
            judge.entry(&entry);
            if let Ok(Payload::Event(event)) = entry.payload() {
                match event.code {
                    EventCode::ProcessKilled | EventCode::ProcessExited => {
                        ends.extend(event.detail.as_deref().and_then(pid_in));
                    }
                    EventCode::UplinkConflict => conflicts_ns.push(event.at.0),
                    _ => {}
                }
            }
        }
        verdict.entries = count(&whole.entries);
        verdict.causes = judge.judged;
        verdict.counts.wrong_cause += count(&judge.findings);
        verdict.findings.append(&mut judge.findings);
        let unnamed = unnamed(&self.diary, &ends, &conflicts_ns);
        verdict.counts.unexplained += count(&unnamed);
        verdict.findings.extend(unnamed);
        Ok(())
    }

    fn street_log(&self) -> Result<String, String> {
        let path = self.layout.street_log();
        std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))
    }

    /// The same verbs that anyone may use, and the street's own log.
    fn judge_files(&self, verdict: &mut Verdict) -> Result<(), String> {
        let (programs, layout) = (&self.programs, &self.layout);
        let verb = |verb: &str, dir: &std::path::Path, anchors: &[String]| {
            trial::command(programs, &[verb], dir, anchors)
        };
        let node = verb("verify", &layout.node(), &self.keys.log)?;
        let collector = verb("verify", &layout.collector(), &self.keys.log)?;
        let gaps = verb("gaps", &layout.node(), &[])?;
        let own = trial::rows(programs, &layout.node())?;
        let copy = trial::rows(programs, &layout.collector())?;
        // While the medium takes no writes nothing can be noted: what was asked then is named as missing.
        let failing = |at_ns: u64| {
            self.diary.windows.iter().any(|window| {
                let from_ns = window.from_ns.saturating_sub(NOTED_NS);
                let to_ns = window.silent_to_ns;
                to_ns.is_some_and(|to_ns| (from_ns..=to_ns).contains(&at_ns))
            })
        };
        // A reply that is on its way when capture is ended reaches nobody; that its attempt had timed out is there.
        let deaf = |at_ns: u64| {
            let mut ended = self
                .diary
                .windows
                .iter()
                .filter(|one| ends_capture(&one.blow));
            ended.any(|window| (window.from_ns..=window.to_ns).contains(&at_ns))
        };
        let street_log = self.street_log()?;
        let excuses = trial::Excuses {
            unwritten: &failing,
            unheard: &deaf,
        };
        let comparison = trial::compare_excusing(&self.description, &street_log, &own, &excuses)?;
        let mut verification = Findings::default();
        trial::judge_verification(&mut verification, "node", &node);
        trial::judge_verification(&mut verification, "collector", &collector);
        verification.append(&trial::same_log(&own, &copy, trial::cosigned_size(&own)));
        verdict.verified = verification.is_empty();
        verdict.findings.extend(verification.texts());
        verdict.readings = comparison.readings;
        add(&mut verdict.counts, &comparison.counts);
        verdict.findings.extend(comparison.findings.texts());
        account(&gaps, verdict);
        Ok(())
    }
}

fn count<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

/// Adds counts up.
pub(crate) fn add(sum: &mut Counts, more: &Counts) {
    sum.lost += more.lost;
    sum.invented += more.invented;
    sum.duplicated += more.duplicated;
    sum.unexplained += more.unexplained;
    sum.wrong_cause += more.wrong_cause;
}

/// Every acknowledged entry is in the log with the same bytes, or inside a loss that the log names; every
/// cosigned root is a root of this log.
fn held_against(held: &Held, whole: &Whole, verdict: &mut Verdict) {
    let now: BTreeMap<u64, _> = whole
        .entries
        .iter()
        .map(|(index, leaf)| (*index, leaf_hash(leaf)))
        .collect();
    let named = |index: u64| {
        let mut holes = whole.holes.iter();
        holes.any(|(first, count)| (*first..first.saturating_add(*count)).contains(&index))
    };
    let mut lost: Vec<String> = held.contradictions.clone();
    for (index, hash) in &held.entries {
        match now.get(index) {
            Some(now) if now == hash => {}
            Some(_) => lost.push(format!(
                "entry {index} has other bytes than were acknowledged"
            )),
            None if named(*index) => {}
            None => lost.push(format!("entry {index} was acknowledged and is gone")),
        }
    }
    for (size, root) in &held.acks {
        if whole.roots.get(size) != Some(root) {
            lost.push(format!(
                "the collector cosigned another tree of {size} entries than this log is"
            ));
        }
    }
    verdict.acks = u64::try_from(held.acks.len()).unwrap_or(u64::MAX);
    verdict.counts.lost += count(&lost);
    verdict.findings.append(&mut lost);
}

/// What `gaps` could not account for.
fn account(gaps: &Found, verdict: &mut Verdict) {
    let number = |key: &str| gaps.json.get(key).and_then(Value::as_u64).unwrap_or(0);
    verdict.missing = number("missing_readings");
    let open = verdict.missing.saturating_sub(number("missing_explained"));
    let seqs = gaps.json.get("seq_findings").and_then(Value::as_array);
    let seqs = seqs.map_or(0, |seqs| count(seqs));
    verdict.counts.unexplained += open + seqs;
    verdict.counts.duplicated += number("duplicates");
    if open > 0 {
        verdict.findings.push(format!(
            "{open} missing readings have no entry that explains them"
        ));
        let missing = gaps.json.get("missing").and_then(Value::as_array);
        let unexplained = missing.into_iter().flatten().filter(|one| {
            let class = one.get("class").and_then(Value::as_str);
            class.is_none_or(|class| ["UNEXPLAINED", "OPEN"].contains(&class))
        });
        verdict
            .findings
            .extend(unexplained.take(5).map(|one| format!("unexplained: {one}")));
    }
    if seqs > 0 {
        let words = gaps.json.get("seq_findings").map(Value::to_string);
        verdict.findings.push(format!(
            "session numbers are unexplained: {}",
            words.unwrap_or_default()
        ));
    }
    if number("duplicates") > 0 {
        let words = format!("{} readings are there twice", number("duplicates"));
        verdict.findings.push(words);
    }
}

/// Blows that the log does not speak of, and would have to.
fn unnamed(diary: &Diary, ends: &[u64], conflicts_ns: &[u64]) -> Vec<String> {
    let ends_node = |window: &Window| {
        matches!(
            window.blow,
            Blow::Strike(Target::Supervisor | Target::All, _) | Blow::Fault(Fault::ReadOnly)
        )
    };
    let mut unnamed = Vec::new();
    for window in &diary.windows {
        let until_ns = window.from_ns.saturating_add(REPORTED_NS);
        let node_ended = diary.windows.iter().any(|other| {
            ends_node(other) && other.from_ns <= until_ns && other.to_ns >= window.from_ns
        });
        let killed = matches!(
            window.blow,
            Blow::Strike(target, How::Kill) if Target::CHILDREN.contains(&target)
        );
        if killed && !node_ended && !window.pids.iter().any(|pid| ends.contains(pid)) {
            unnamed.push(format!("the log does not name: {}", window.blow));
        }
        let met =
            |at_ns: &u64| (window.from_ns..window.to_ns.saturating_add(MET_NS)).contains(at_ns);
        if window.blow == Blow::Fault(Fault::Rollback) && !conflicts_ns.iter().any(met) {
            unnamed.push("the node does not state that its collector was put back".to_owned());
        }
    }
    unnamed
}

#[cfg(test)]
mod tests;
