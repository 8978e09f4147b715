//! Slots that pass while capture is held back: nobody starts the schedules, and what was missed is told all the same.

use super::{Attempted, Ledger, Missed};
use contract::{Pace, Schedule};
use evidence::{MeterId, ScheduleId, SourceId, UtcNs};

impl Ledger {
    /// Whether capture of any schedule began in this run.
    pub(crate) fn is_started(&self) -> bool {
        !self.started.is_empty()
    }

    /// The schedules that have a numbering, with their ports.
    pub(crate) fn numbered(&self) -> Vec<(SourceId, ScheduleId)> {
        let open = self.numberings.iter().filter(|(_, one)| !one.is_closed());
        open.map(|(key, _)| key.clone()).collect()
    }

    /// What a schedule on a port missed until now, where nobody starts it: it goes on behind that.
    pub(crate) fn missed_so_far(
        &mut self,
        source: &SourceId,
        plan: &Schedule,
        meters: impl Iterator<Item = MeterId>,
        utc: UtcNs,
        attempted: &dyn Fn(&MeterId) -> Option<Attempted>,
    ) -> Vec<Missed> {
        let key = (source.clone(), plan.id.clone());
        // Of a clock that was set back, and of another pace, the next start of capture makes another version.
        let pace = Pace::of(plan);
        let same = self.numberings.get(&key).is_some_and(|old| {
            old.version > 0 && old.pace == Some(pace) && pace.next_after(utc) > old.unused
        });
        if !same {
            return Vec::new();
        }
        let started = self.started.contains(&key);
        let missed = self
            .start_schedule(source, plan, meters, utc, attempted)
            .missed;
        if !started {
            self.started.remove(&key);
        }
        missed
    }
}
