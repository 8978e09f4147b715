//! Opens the log in a state and holds what it says against what was acknowledged.

use std::panic::{AssertUnwindSafe, catch_unwind};

use evidence::reasons::{EpochCause, TruthClass};
use journal::keep::{Part, Stretch};
use journal::{Finding, Journal, Recovery, StoredEntry};

use super::actor::{DeviceJournal, group, input, is_keeping, stream};
use super::kept::{self, KeptStretch, keeps};
use super::model::{Expect, Model};
use super::planted::Planted;
use super::report::Breach;
use crate::media::Device;

/// A broken promise, in words.
pub(super) type Verdict = (Breach, String);

/// Entries numbered from here on are committed to see that the log goes on.
const GOING_ON: u64 = 1 << 40;

/// What must hold in a state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) class: TruthClass,
    pub(super) model: &'a Model,
    pub(super) expect: &'a Expect,
    /// Whether the platter is as the orderly end left it.
    pub(super) orderly: bool,
    /// Whether the log must also take a commit.
    pub(super) goes_on: bool,
    pub(super) planted: Option<Planted>,
}

/// Opens the log on the device and judges it; an engine that panics is judged as well.
pub(super) fn judge(device: &Device, case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let judged = catch_unwind(AssertUnwindSafe(|| {
        if let Some(planted) = case.planted {
            planted.damage(device, case.model);
        }
        let opened = Journal::open(device.volume(), device.truth(), &input(device));
        match opened {
            Err(error) => verdicts.push((Breach::RefusedOpen, error.to_string())),
            Ok((mut journal, recovery)) => {
                Judge {
                    device,
                    case,
                    verdicts: &mut verdicts,
                }
                .all(&mut journal, &recovery);
            }
        }
    }));
    if judged.is_err() {
        verdicts.push((Breach::Panic, "the engine panicked".to_owned()));
    }
    verdicts
}

struct Judge<'a> {
    device: &'a Device,
    case: &'a Case<'a>,
    verdicts: &'a mut Vec<Verdict>,
}

impl Judge<'_> {
    fn say(&mut self, breach: Breach, words: String) {
        self.verdicts.push((breach, words));
    }

    fn all(&mut self, journal: &mut DeviceJournal, recovery: &Recovery) {
        self.recovery(journal, recovery);
        let forward = self.entries(journal, recovery);
        self.forward(journal, &forward);
        let keeping = is_keeping(self.device);
        if keeping {
            self.kept(journal);
        }
        if self.case.goes_on {
            if keeping {
                self.passes_by(journal);
            }
            self.goes_on(journal);
        }
    }

    /// What the opening says.
    fn recovery(&mut self, journal: &DeviceJournal, recovery: &Recovery) {
        let expect = self.case.expect;
        for finding in &recovery.findings {
            let of_a_torn_write = matches!(
                finding,
                Finding::TruthCopyDamaged { .. }
                    | Finding::LeaseCopyDamaged { .. }
                    | Finding::SegmentHeaderDamaged { .. }
            );
            if !of_a_torn_write {
                self.say(Breach::FalseAlarm, finding.to_string());
            }
        }
        let deferred = self.case.class == TruthClass::SameDeviceDeferred;
        if let Some(uncertain) = recovery.uncertain
            && (!deferred || self.case.orderly)
        {
            let words = format!("doubt from {}: {:?}", uncertain.from, recovery.truth);
            self.say(Breach::FalseAlarm, words);
        }
        if self.case.orderly && recovery.cause != EpochCause::OrderlyStart {
            let words = format!("{:?} after an orderly end", recovery.cause);
            self.say(Breach::FalseAlarm, words);
        }
        if recovery.epoch.0 <= expect.epoch {
            let words = format!("epoch {} begins after {}", recovery.epoch, expect.epoch);
            self.say(Breach::WrongData, words);
        }
        let lease = stream().and_then(|stream| journal.leases().seqs.get(&stream).copied());
        let lease = lease.map_or(0, |seq| seq.0);
        if lease < expect.lease || recovery.leases_lost {
            let words = format!("leases up to {lease} instead of {}", expect.lease);
            self.say(Breach::SilentLoss, words);
        }
    }

    /// Reads everything; returns what is there beyond what was acknowledged.
    fn entries(&mut self, journal: &DeviceJournal, recovery: &Recovery) -> Vec<StoredEntry> {
        let (model, expect) = (self.case.model, self.case.expect);
        let mut forward = Vec::new();
        let reader = match journal.reader() {
            Ok(reader) => reader,
            Err(error) => {
                self.say(Breach::RefusedOpen, error.to_string());
                return forward;
            }
        };
        let mut next = reader.oldest().0;
        if next > expect.oldest_max {
            let words = format!("entries [{}, {next}) have left the ring", expect.oldest_max);
            self.say(Breach::SilentLoss, words);
        }
        for item in reader.entries(reader.oldest()) {
            match item {
                Ok(entry) => {
                    let id = entry.commit_id.0;
                    if id != next {
                        self.say(
                            Breach::SilentLoss,
                            format!("{id} follows where {next} should"),
                        );
                    }
                    next = id + 1;
                    let index = usize::try_from(id).unwrap_or(usize::MAX);
                    if index >= expect.acked {
                        forward.push(entry);
                    } else if model.entries.get(index) != Some(&entry) {
                        self.say(Breach::WrongData, format!("entry {id} is another"));
                    }
                }
                Err(Finding::SegmentHeaderDamaged { .. } | Finding::TruthCopyDamaged { .. }) => {}
                Err(finding) => {
                    self.say(Breach::FalseAlarm, finding.to_string());
                    if let Finding::Lost(loss) = &finding {
                        next = loss.end();
                    }
                }
            }
        }
        let doubted = recovery.uncertain.is_some_and(|doubt| doubt.from.0 <= next);
        if next < expect.acked as u64 && !doubted {
            let words = format!("ends at {next}, {} acknowledged", expect.acked);
            self.say(Breach::SilentLoss, words);
        }
        forward
    }

    /// What was durable and not acknowledged: the whole group under way, or nothing.
    fn forward(&mut self, journal: &DeviceJournal, forward: &[StoredEntry]) {
        let (model, expect) = (self.case.model, self.case.expect);
        let whole = expect.under_way.as_ref().is_some_and(|group| {
            group.len() == forward.len()
                && forward
                    .iter()
                    .zip(group.iter())
                    .all(|(stored, (stamp, captured))| {
                        stored
                            .entry()
                            .is_ok_and(|entry| entry.stamp == *stamp && entry.captured == *captured)
                    })
        });
        if !forward.is_empty() && !whole {
            let words = format!("{} entries that nobody handed in", forward.len());
            self.say(Breach::Invented, words);
            return;
        }
        let size = usize::try_from(journal.size()).unwrap_or(usize::MAX);
        let known = size.min(expect.acked);
        let Some(mut tree) = model.trees.get(known).cloned() else {
            return;
        };
        for entry in forward {
            tree.push(proof::tree::leaf_hash(&entry.leaf_data()));
        }
        if tree.size() != journal.size() || tree.root() != journal.root() {
            self.say(Breach::WrongData, format!("another root at {size}"));
        }
    }

    /// What the keep-ring holds: all that was acknowledged as kept, and nothing that the log never had.
    fn kept(&mut self, journal: &DeviceJournal) {
        let (model, expect) = (self.case.model, self.case.expect);
        let oldest = journal.oldest().0;
        if oldest > expect.passed {
            let words = format!("[{}, {oldest}) left without passing by", expect.passed);
            self.say(Breach::SilentLoss, words);
        }
        let ring = kept::ring(self.device, journal);
        let mut there = Vec::new();
        for item in ring.frames() {
            match item {
                Ok(frame) => {
                    if let Some(words) = objection(model, &frame.stretch) {
                        self.say(Breach::WrongData, words);
                    }
                    there.push((frame.stretch.begin(), frame.stretch.end()));
                }
                Err(finding) => {
                    let meets =
                        |one: &&KeptStretch| one.begin < finding.end && finding.first < one.end;
                    if let Some(one) = expect.kept.iter().find(meets) {
                        let words = format!("kept [{}, {}) is named lost", one.begin, one.end);
                        self.say(Breach::FalseAlarm, words);
                    }
                }
            }
        }
        for one in expect.kept.iter() {
            if !there.contains(&(one.begin, one.end)) {
                let words = format!("kept [{}, {}) is not there", one.begin, one.end);
                self.say(Breach::SilentLoss, words);
            }
        }
    }

    /// What leaves with the next segment passes by, as far as the keep-ring can take it; then the log has
    /// nothing to wait for.
    fn passes_by(&mut self, journal: &mut DeviceJournal) {
        let Some(to) = journal.next_segment_retires() else {
            return;
        };
        let mut ring = kept::ring(self.device, journal);
        if let Err(words) = kept::carry(self.device, journal, &mut ring, to) {
            self.say(Breach::SilentLoss, words);
        }
        let end = kept::ring(self.device, journal).end().unwrap_or(0);
        if end < to {
            let words = format!("[{end}, {to}) passed by and is not there");
            self.say(Breach::SilentLoss, words);
        }
        journal.note_kept(to);
    }

    /// The log takes a commit and reads it back.
    fn goes_on(&mut self, journal: &mut DeviceJournal) {
        if let Some(size) = journal.next_segment_needs() {
            journal.permit_pruning(size);
        }
        let group = group(GOING_ON, 1, 8);
        let committed = match journal.commit(&group, evidence::SaltKey([0x33; 16])) {
            Ok(committed) => committed,
            Err(error) => {
                self.say(
                    Breach::RefusedOpen,
                    format!("no commit afterwards: {error}"),
                );
                return;
            }
        };
        let read = journal
            .reader()
            .ok()
            .and_then(|reader| reader.entry(committed.first));
        let same = matches!(read, Some(Ok(entry)) if committed.entries.first() == Some(&entry));
        if !same {
            self.say(Breach::SilentLoss, "what follows is not read".to_owned());
        }
    }
}

/// What a kept stretch says that is not so: it must lead from tree to tree, with the bytes of what is kept.
fn objection(model: &Model, stretch: &Stretch) -> Option<String> {
    let (begin, end) = (stretch.begin(), stretch.end());
    let tree = |size: u64| model.trees.get(usize::try_from(size).ok()?);
    if tree(begin) != Some(stretch.before()) || tree(end) != Some(stretch.after()) {
        return Some(format!("kept [{begin}, {end}) leads to another tree"));
    }
    let wrong = |part: &Part| match part {
        Part::Kept(entry) => {
            let id = entry.commit_id.0;
            let known = model.entries.get(usize::try_from(id).unwrap_or(usize::MAX));
            !keeps(id) || known != Some(entry)
        }
        Part::LetGo(range) => (range.begin()..range.end()).any(keeps),
    };
    let found = stretch.parts().iter().any(wrong);
    found.then(|| format!("kept [{begin}, {end}) is another"))
}
