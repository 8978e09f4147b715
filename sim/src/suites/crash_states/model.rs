//! What was acknowledged, and what must hold when power fails during a command.

use std::sync::Arc;

use evidence::{Captured, Stamp};
use journal::{Committed, StoredEntry};
use proof::Frontier;

use super::kept::KeptStretch;
use crate::draw::mix;

/// What is handed in at once.
pub(super) type Group = Arc<Vec<(Stamp, Captured)>>;

/// Everything acknowledged so far.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) entries: Vec<StoredEntry>,
    /// The tree after as many entries, from none on.
    pub(super) trees: Vec<Frontier>,
    /// Sequence numbers below this one are leased.
    pub(super) lease: u64,
    /// Entries below this one may leave the ring.
    pub(super) expendable: u64,
    /// The first entry of the ring.
    pub(super) oldest: u64,
    pub(super) epoch: u64,
    /// Handed in and not acknowledged.
    pub(super) under_way: Option<Group>,
    /// The log was closed, and nobody has opened it since.
    pub(super) closed: bool,
    /// What was acknowledged as kept and still is, oldest first.
    pub(super) kept: Arc<Vec<KeptStretch>>,
    /// Entries below this one have passed by the keep-ring, or were given up for it.
    pub(super) passed: u64,
}

/// What must hold if power fails during a command.
#[derive(Clone, Debug)]
pub(super) struct Expect {
    /// Entries acknowledged by then.
    pub(super) acked: usize,
    pub(super) under_way: Option<Group>,
    pub(super) oldest_max: u64,
    pub(super) lease: u64,
    pub(super) epoch: u64,
    pub(super) closed: bool,
    pub(super) kept: Arc<Vec<KeptStretch>>,
    pub(super) passed: u64,
}

impl Expect {
    /// The same number for the same demands, within one sequence.
    pub(super) fn signature(&self) -> u64 {
        let flags = u64::from(self.under_way.is_some()) << 1 | u64::from(self.closed);
        let parts = [
            self.acked as u64,
            self.oldest_max,
            self.lease,
            self.epoch,
            flags,
            self.passed,
        ];
        let kept = self.kept.iter();
        let kept = kept.flat_map(|one| [one.begin, one.end, u64::from(one.segment)]);
        parts
            .into_iter()
            .chain(kept)
            .fold(0, |sum, part| mix(sum ^ part))
    }
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            entries: Vec::new(),
            trees: vec![Frontier::new()],
            lease: 0,
            expendable: 0,
            oldest: 0,
            epoch: 1,
            under_way: None,
            closed: false,
            kept: Arc::default(),
            passed: 0,
        }
    }

    /// Notes what was acknowledged.
    pub(super) fn note(&mut self, committed: &Committed) {
        for entry in &committed.entries {
            let mut tree = self.trees.last().cloned().unwrap_or_default();
            tree.push(proof::tree::leaf_hash(&entry.leaf_data()));
            self.trees.push(tree);
            self.entries.push(entry.clone());
        }
        self.under_way = None;
    }

    pub(super) fn expect(&self) -> Expect {
        Expect {
            acked: self.entries.len(),
            under_way: self.under_way.clone(),
            oldest_max: self.oldest.min(self.expendable),
            lease: self.lease,
            epoch: self.epoch,
            closed: self.closed,
            kept: self.kept.clone(),
            passed: self.passed,
        }
    }
}
