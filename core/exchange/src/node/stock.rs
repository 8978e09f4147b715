//! The leaves of the batch under way: hashes of all of them, data of as many as may be held.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use evidence::CommitId;
use proof::tree::leaf_hash;
use proof::{Frontier, Hash, NodeSource as _, ProofError, RangeSource};

use super::words::{Supply, SupplyError};
use crate::body::{Extent, Format, Part};
use crate::hole::{Hole, Run};

/// A hole of the batch and the entry that names it.
#[derive(Clone, Debug)]
struct NamedHole {
    hole: Hole,
    named_by: CommitId,
}

/// What was read of the log from the collector's next entry on.
#[derive(Clone, Debug)]
pub(super) struct Stock {
    source: RangeSource,
    from: u64,
    holes: Vec<NamedHole>,
    held_from: u64,
    held_end: u64,
    held: VecDeque<Run>,
    held_bytes: usize,
}

impl Stock {
    /// Begins behind the frontier of the tree.
    pub(super) fn new(frontier: &Frontier) -> Self {
        Self {
            source: RangeSource::new(frontier),
            from: frontier.size(),
            holes: Vec::new(),
            held_from: frontier.size(),
            held_end: frontier.size(),
            held: VecDeque::new(),
            held_bytes: 0,
        }
    }

    /// First leaf that could still be read here.
    pub(super) const fn from(&self) -> u64 {
        self.from
    }

    /// Index after the last leaf whose hash is known.
    pub(super) const fn end(&self) -> u64 {
        self.source.end()
    }

    /// Index after the last leaf whose data is held.
    pub(super) const fn held_end(&self) -> u64 {
        self.held_end
    }

    pub(super) const fn source(&self) -> &RangeSource {
        &self.source
    }

    /// Root of the tree at a size.
    pub(super) fn root_at(&self, size: u64) -> Result<Hash, ProofError> {
        self.source
            .frontier_at(size)
            .map(|frontier| frontier.root())
    }

    /// The last entry that names a hole which begins below `size`.
    pub(super) fn named_below(&self, size: u64) -> Option<u64> {
        let below = self.holes.iter().filter(|named| named.hole.first() < size);
        below.map(|named| named.named_by.0).max()
    }

    /// Takes new leaves, or those of a second reading, which must be the same.
    ///
    /// Data is held while it stays under `held_bytes_max`, and up to `needed_end` in any case.
    pub(super) fn take(
        &mut self,
        supply: Supply,
        held_bytes_max: usize,
        needed_end: u64,
    ) -> Result<(), SupplyError> {
        let again = self.held_end < self.end();
        let expected = if again { self.held_end } else { self.end() };
        if supply.from != expected && supply.from != self.end() {
            return Err(SupplyError::Elsewhere {
                expected,
                got: supply.from,
            });
        }
        let mut at = supply.from;
        for run in supply.runs {
            let end = at.saturating_add(match &run {
                Run::Leaf(_) => 1,
                Run::Hole { hole, .. } => hole.end().saturating_sub(at),
            });
            self.learn(&run, at, end)?;
            let wanted = self.held_bytes < held_bytes_max || at < needed_end;
            if at == self.held_end && wanted {
                self.held_bytes = self.held_bytes.saturating_add(bytes_of(&run));
                self.held.push_back(run);
                self.held_end = end;
            }
            at = end;
        }
        Ok(())
    }

    fn learn(&mut self, run: &Run, at: u64, end: u64) -> Result<(), SupplyError> {
        if at < self.end() {
            // Read a second time: the hash decides whether it is what was sealed.
            let same = match run {
                Run::Leaf(leaf) => self.source.subtree(at, end) == Some(leaf_hash(leaf)),
                Run::Hole { hole, .. } => self.holes.iter().any(|named| named.hole == *hole),
            };
            return if same {
                Ok(())
            } else {
                Err(SupplyError::Changed { index: at })
            };
        }
        match run {
            Run::Leaf(leaf) => self.source.push_leaf(leaf_hash(leaf)),
            Run::Hole { hole, named_by } => {
                self.source
                    .push_range(hole.range())
                    .map_err(|_| SupplyError::Elsewhere {
                        expected: at,
                        got: hole.first(),
                    })?;
                self.holes.push(NamedHole {
                    hole: hole.clone(),
                    named_by: *named_by,
                });
            }
        }
        Ok(())
    }

    /// Drops the data of leaves that the collector has.
    pub(super) fn drop_up_to(&mut self, size: u64) {
        while self.held_from < size {
            let Some(run) = self.held.front() else {
                self.held_from = size.min(self.end());
                self.held_end = self.held_end.max(self.held_from);
                return;
            };
            let end = match run {
                Run::Leaf(_) => self.held_from.saturating_add(1),
                Run::Hole { hole, .. } => hole.end(),
            };
            if end > size {
                return;
            }
            self.held_bytes = self.held_bytes.saturating_sub(bytes_of(run));
            self.held.pop_front();
            self.held_from = end;
        }
    }

    /// The package that begins here, as it must be cut.
    pub(super) fn extent(&self, begin: u64, upload_end: u64) -> Extent {
        self.hole_at(begin)
            .and_then(|hole| Extent::wide(hole, begin, upload_end))
            .unwrap_or_else(|| Extent::standard(begin, upload_end))
    }

    /// Whether a package has a hole, which decides its format.
    pub(super) fn format(&self, extent: &Extent) -> Format {
        let touches =
            |named: &NamedHole| named.hole.first() < extent.end && named.hole.end() > extent.begin;
        if self.holes.iter().any(touches) {
            Format::Runs
        } else {
            Format::Standard
        }
    }

    /// The runs of a package whose data is held; `None` where a hole cannot be cut there.
    pub(super) fn parts(&self, extent: &Extent) -> Option<Vec<Part<'_>>> {
        let mut parts = Vec::new();
        let mut at = self.held_from;
        let mut entries: Vec<&[u8]> = Vec::new();
        for run in &self.held {
            if at >= extent.end {
                break;
            }
            match run {
                Run::Leaf(leaf) => {
                    if at >= extent.begin {
                        entries.push(leaf);
                    }
                    at = at.saturating_add(1);
                }
                Run::Hole { hole, .. } => {
                    at = hole.end();
                    let (begin, end) = (hole.first().max(extent.begin), at.min(extent.end));
                    if begin < end {
                        if !entries.is_empty() {
                            parts.push(Part::Entries(core::mem::take(&mut entries)));
                        }
                        parts.push(Part::Hole(hole.part(begin, end)?));
                    }
                }
            }
        }
        if !entries.is_empty() {
            parts.push(Part::Entries(entries));
        }
        let count: u64 = parts.iter().map(Part::count).sum();
        (extent.begin.saturating_add(count) == extent.end).then_some(parts)
    }

    fn hole_at(&self, index: u64) -> Option<&Hole> {
        self.holes
            .iter()
            .map(|named| &named.hole)
            .find(|hole| (hole.first()..hole.end()).contains(&index))
    }
}

fn bytes_of(run: &Run) -> usize {
    match run {
        Run::Leaf(leaf) => leaf.len(),
        Run::Hole { hole, .. } => hole.range().hashes().len().saturating_mul(32),
    }
}
