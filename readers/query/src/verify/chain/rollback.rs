//! What a log says itself of not being the one that went before, and what its keys show of that.

use super::Chain;
use crate::verify::report::FindingKind;
use evidence::foreign::line;
use evidence::kinds::Rollback;
use evidence::reasons::{RollbackAlarm, RollbackWitness};
use trust_plane::Rotation;

impl Chain<'_> {
    /// Takes an alarm of the log about itself.
    pub(super) fn rollback(&mut self, id: u64, found: &Rollback) {
        let said = line(&found.detail);
        let words = format!("{} ({}): {said}", found.alarm, found.witness);
        // What is gone at the end is named by LOSS entries, and judged as they are.
        if found.alarm == RollbackAlarm::LostEnd {
            self.report
                .find(FindingKind::LostEnd, Some((id, id)), words);
            return;
        }
        self.report
            .find(FindingKind::Rollback, Some((id, id)), words);
        self.booted.rolled_back();
        self.bound.alarm(id, found);
        // The collector's word is no signature of this log's, and ends no seals.
        if found.witness != RollbackWitness::Collector && found.alarm.ends_seals() {
            self.behind = true;
            self.booted.is_behind();
        }
    }

    /// What is wrong with the head that keys of this generation state they changed behind. A log that says itself that it is behind
    /// what its keys signed does not have it: then the statement, which four keys signed, shows the same as the alarm.
    pub(super) fn border(&mut self, id: u64, stated: &Rotation) -> Result<(), String> {
        let root = self.root_at(stated.size);
        let words = match root {
            _ if stated.size > id => "it speaks of a head before that exists",
            Some(root) if root != stated.root => "the old keys signed another tree of that size",
            _ => return Ok(()),
        };
        if !self.behind {
            return Err(words.to_owned());
        }
        let words = format!(
            "the keys changed behind a head of {} entries, as old and new ones signed: this log had as many, and they are not \
             here",
            stated.size
        );
        self.report
            .find(FindingKind::Rollback, Some((id, id)), words);
        Ok(())
    }
}
