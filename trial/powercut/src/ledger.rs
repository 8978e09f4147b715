//! The oracle: what was handed in, acknowledged and released, against what a reopened log shows.

use crate::capture;
use crate::log::{FileJournal, Log};
use crate::tally::{Breach, Tally};
use crate::work::{Word, leased};
use evidence::reasons::TruthClass;
use evidence::{CommitId, Entry};
use journal::{Finding, Recovery, StoredEntry, TruthHealth};
use std::collections::{BTreeMap, BTreeSet};

/// What is known about a log from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// The capture of each entry that was acknowledged, or shown after a crash.
    pub(crate) entries: BTreeMap<u64, u64>,
    /// Captures below this number were handed in.
    pub(crate) handed_in: u64,
    /// Entries below this id may have left the ring.
    released: u64,
    /// Numbers below the first are leased; below the second they may be.
    leases: (u64, u64),
    /// Whether the writer had come to an orderly end.
    closed: bool,
    /// Whether a doubt was stated that no entry has answered yet.
    doubt_stands: bool,
}

impl Ledger {
    /// Takes a word of the writer down.
    pub(crate) fn hear(&mut self, word: Word, tally: &mut Tally) {
        match word {
            Word::Opens => self.closed = false,
            Word::Intends { first, count } => self.handed_in = self.handed_in.max(first + count),
            Word::Acknowledged { id, first, count } => {
                tally.acknowledged += count;
                self.doubt_stands = false;
                self.entries.extend((id..id + count).zip(first..));
            }
            Word::Releases { size } => self.released = self.released.max(size),
            Word::Leases { number } => self.leases.1 = self.leases.1.max(number),
            Word::Leased { number } => self.leases.0 = self.leases.0.max(number),
            Word::Opened | Word::Closes => {}
            Word::Closed => self.closed = true,
        }
    }

    /// The ledger of a moment: what was acknowledged by then, and what is said soon after of things begun
    /// before.
    pub(crate) fn at_moment(&self, said_after: &[Word]) -> Self {
        let mut moment = self.clone();
        let mut ignored = Tally::default();
        for word in said_after {
            match word {
                Word::Opens
                | Word::Intends { .. }
                | Word::Releases { .. }
                | Word::Leases { .. } => {
                    moment.hear(*word, &mut ignored);
                }
                Word::Opened
                | Word::Acknowledged { .. }
                | Word::Leased { .. }
                | Word::Closes
                | Word::Closed => {}
            }
        }
        moment
    }

    /// Opens the log and holds it against what is known; whether everything held.
    pub(crate) fn judge(&mut self, log: &Log, what: &str, tally: &mut Tally) -> bool {
        let before = tally.breaches();
        tally.cases += 1;
        match log.scrub() {
            Ok(scrub) => alarms(&format!("{what}, as it lies"), &scrub.findings, tally),
            Err(error) => tally.breach(Breach::RefusedOpen, format!("{what}, as it lies: {error}")),
        }
        match log.open() {
            Ok((journal, recovery)) => self.compare(log, what, &journal, &recovery, tally),
            Err(error) => tally.breach(Breach::RefusedOpen, format!("{what}: {error}")),
        }
        self.closed = false;
        tally.breaches() == before
    }

    fn compare(
        &mut self,
        log: &Log,
        what: &str,
        journal: &FileJournal,
        recovery: &Recovery,
        tally: &mut Tally,
    ) {
        self.doubts(log, what, recovery, tally);
        let uncertain = recovery.uncertain.map(|uncertain| uncertain.from.0);
        let reader = match journal.reader() {
            Ok(reader) => reader,
            Err(error) => {
                tally.breach(Breach::RefusedOpen, format!("{what}: reading: {error}"));
                return;
            }
        };
        let (mut shown, mut numbers) = (BTreeMap::new(), BTreeSet::new());
        for item in reader.entries(CommitId(0)) {
            match item {
                Ok(entry) => {
                    let id = entry.commit_id.0;
                    match self.recognise(log, &entry) {
                        Ok(number) if numbers.insert(number) => {
                            shown.insert(id, number);
                        }
                        Ok(number) => tally.breach(
                            Breach::Invented,
                            format!("{what}: entry {id}: capture {number} a second time"),
                        ),
                        Err((breach, why)) => {
                            tally.breach(breach, format!("{what}: entry {id}: {why}"));
                        }
                    }
                }
                Err(Finding::Lost(loss)) => tally.breach(
                    Breach::FalseAlarm,
                    format!("{what}: {}", Finding::Lost(loss)),
                ),
                Err(_) => {}
            }
        }
        let missing = self.entries.range(self.released..);
        if let Some((id, number)) = missing.into_iter().find(|(id, _)| !shown.contains_key(id)) {
            let doubted = uncertain.is_some_and(|from| from <= *id);
            let breach = if doubted {
                Breach::DoubtedLoss
            } else {
                Breach::SilentLoss
            };
            let story = format!(
                "{what}: entry {id} (capture {number}) is missing in {} entries; {recovery:?}",
                journal.size()
            );
            tally.breach(breach, story);
        }
        self.numbers(what, journal, tally);
        // What was shown once must stay; what was in doubt and is not there is answered.
        self.entries = shown;
    }

    /// The number of an entry's capture, if it was handed in and stands where it was acknowledged.
    fn recognise(&self, log: &Log, entry: &StoredEntry) -> Result<u64, (Breach, String)> {
        let decoded = Entry::decode(&entry.bytes)
            .map_err(|error| (Breach::WrongData, format!("not an entry: {error}")))?;
        let number = capture::number_of(&decoded.captured)
            .ok_or((Breach::WrongData, "none of ours".to_owned()))?;
        if number >= self.handed_in {
            let why = format!("capture {number} was never handed in");
            return Err((Breach::Invented, why));
        }
        if decoded.captured != capture::capture(log.seed, number) {
            return Err((
                Breach::WrongData,
                format!("capture {number} has other bytes"),
            ));
        }
        match self.entries.get(&entry.commit_id.0) {
            Some(known) if *known != number => {
                let why = format!("holds capture {number}, acknowledged was {known}");
                Err((Breach::WrongData, why))
            }
            _ => Ok(number),
        }
    }

    /// A power cut damages nothing that was durable: no loss may be named, no doubt stated where the
    /// class of the truth store gives certainty.
    fn doubts(&mut self, log: &Log, what: &str, recovery: &Recovery, tally: &mut Tally) {
        alarms(what, &recovery.findings, tally);
        if recovery.leases_lost {
            tally.breach(Breach::FalseAlarm, format!("{what}: the leases are lost"));
        }
        let stood = self.doubt_stands;
        self.doubt_stands = recovery.uncertain.is_some();
        if recovery.uncertain.is_none() || stood {
            return;
        }
        let deferred = log.class == TruthClass::SameDeviceDeferred;
        if deferred && !self.closed {
            tally.stated_doubts += 1;
        } else if recovery.truth == TruthHealth::SlotLost {
            tally.breach(Breach::TornSlotDoubt, format!("{what}: {recovery:?}"));
        } else {
            tally.breach(Breach::FalseAlarm, format!("{what}: {recovery:?}"));
        }
    }

    fn numbers(&mut self, what: &str, journal: &FileJournal, tally: &mut Tally) {
        let (sure, perhaps) = self.leases;
        let found = leased(journal);
        if found < sure {
            let story = format!("{what}: numbers to {sure} were leased, the table says {found}");
            tally.breach(Breach::SilentLoss, story);
        } else if found > perhaps {
            let story = format!("{what}: the table leases to {found}, asked was {perhaps}");
            tally.breach(Breach::Invented, story);
        }
        self.leases = (found, found);
    }
}

/// A power cut damages nothing that was durable, and nobody put an old truth store in its place. (A copy
/// older than its neighbour is what a cut in an orderly end leaves.)
fn alarms(what: &str, findings: &[Finding], tally: &mut Tally) {
    let alarm = findings.iter().find(|finding| {
        matches!(
            finding,
            Finding::Lost(_)
                | Finding::TruthLost
                | Finding::SegmentDisplaced { .. }
                | Finding::TruthBehind { .. }
                | Finding::RootMismatch { .. }
        )
    });
    if let Some(finding) = alarm {
        tally.breach(Breach::FalseAlarm, format!("{what}: {finding}"));
    }
}
