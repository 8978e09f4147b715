//! The contract at a start: it is said where it is new, with what it moves and which streams it ends.

use super::Committer;
use crate::clock;
use crate::roles::recorder::changed::{self, Changed};
use crate::roles::recorder::in_force::InForce;
use crate::roles::recorder::wiring;
use contract::Contract;
use evidence::reasons::EventCode;
use evidence::{CommitId, MeterId, Payload, SourceId};

impl Committer {
    /// The contract, unless the log has it in force already.
    pub(in crate::roles::recorder) fn stage_contract(
        &mut self,
        in_force: InForce,
        changed: Option<&Changed>,
    ) {
        let digest = self.contract.digest();
        if let Some(commit) = in_force.place_of(&digest) {
            self.contract_commit = commit;
            return;
        }
        let begin = self.staged.len();
        let offset = u64::try_from(begin).unwrap_or(0);
        self.contract_commit = CommitId(self.journal.size() + offset);
        let at = clock::mono();
        for part in self.contract.parts(at) {
            self.stage(part.into());
        }
        let before = in_force.says();
        if in_force.is_known() {
            let audit = changed::audit(changed, before.as_ref(), &self.contract, at);
            self.stage(audit.into());
        }
        let moved = before.as_ref().map_or_else(Vec::new, |before| {
            wiring::changes(before, &self.contract, self.contract_commit, at)
        });
        moved.into_iter().for_each(|moved| self.stage(moved.into()));
        // A contract that is in force has told what it moved.
        self.uncut = begin..self.staged.len();
        self.retire(before.as_ref());
    }

    /// The calibrations of the contract, at every start; one that is another scaling than the log knows under its version is told: a start by a
    /// person refuses it, and a file that was changed under a running node comes in force by a restart of the recorder alone.
    pub(in crate::roles::recorder) fn stage_calibrations(&mut self) {
        for one in self.calibrations.reused(&self.contract) {
            let (known, by) = one.known;
            let words = format!(
                "\"{}\" of {} had digest {known} in entry {by} and has {} now",
                one.version, one.point, one.is
            );
            self.event(EventCode::CalibrationReused, |event| {
                event.detail = Some(words);
            });
        }
        let said = self
            .contract
            .calibration_entries(clock::mono(), self.contract_commit);
        let said: Vec<_> = said.collect();
        for one in said {
            let place = u64::try_from(self.staged.len()).unwrap_or(0);
            self.calibrations
                .observe(CommitId(self.journal.size() + place), &one);
            self.stage(one.into());
        }
        self.calibrations.fit(&self.contract);
    }

    /// Closes the streams of meters, ports and cards that this contract has no more. Their producers have ended, or capture under a contract of
    /// which nothing is taken. Where a marker board cannot be read, what was attempted is not known: then the next contract closes them.
    fn retire(&mut self, before: Option<&Contract>) {
        let Ok(known) = self.attempted() else {
            return;
        };
        let own = self.own.clone();
        let was_on = |meter: &MeterId| -> SourceId {
            let was = before.and_then(|before| before.meters.get(meter));
            was.map_or_else(|| own.clone(), |was| was.port.clone())
        };
        let attempted = |meter: &MeterId| known.get(meter).copied();
        let entries = self.ledger.retire(&was_on, &attempted, clock::mono());
        self.stage_closed(entries);
    }

    /// Orders to set clocks that no port takes by this contract have an outcome, where an earlier one had left them open.
    pub(in crate::roles::recorder) fn end_left_clock_orders(&mut self) {
        let about = (&self.own, self.contract_commit, clock::mono());
        let orders = self.lately.operated().clocks();
        let left: Vec<_> = orders.left(&self.contract, about).collect();
        left.into_iter().for_each(|ended| self.stage(ended.into()));
    }

    /// Entries that close numbers, counted.
    pub(super) fn stage_closed(&mut self, entries: Vec<Payload>) {
        for entry in entries {
            match &entry {
                Payload::Marker(gap) => self.stats.seq_gaps += gap.count.unwrap_or(0),
                Payload::SeqSkip(skip) => self.stats.seq_skips += skip.count,
                _ => {}
            }
            self.stage(entry);
        }
    }
}
