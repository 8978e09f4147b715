//! The first entries of a segment: contract, frozen state, what is given up. A segment can be read,
//! and a start recovers from it, when all older ones have left the ring.

use super::{Committer, room};
use crate::clock;
use crate::roles::recorder::startup;
use evidence::frozen;

impl Committer {
    /// Commits the frozen state. It may roll itself; the next segment then begins with the next group's
    /// state, and until then recovery looks further back: a freeze never begets a freeze.
    pub(super) fn freeze(&mut self) -> Result<(), String> {
        let now = clock::mono();
        let mut first: Vec<_> = self
            .contract
            .parts(now)
            .into_iter()
            .map(Into::into)
            .collect();
        // The newest cosignature: the entry that had it may leave the ring before the next comes. Behind it the state says how the link
        // to the collector stands now.
        first.extend(self.seal.ack.clone().map(Into::into));
        let mut counters = self.ledger.freeze(&self.own);
        counters.extend(startup::counters(self));
        let state = frozen::snapshots(now, &self.own, &counters);
        first.extend(state.into_iter().map(Into::into));
        let statements = self.given_up.statements(now);
        first.extend(statements.into_iter().map(Into::into));
        let first: Vec<_> = first.into_iter().map(room::captured).collect();
        self.commit_entries(&first)?;
        self.rolled = false;
        Ok(())
    }
}
