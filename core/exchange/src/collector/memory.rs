//! A mirror's storage in memory, which can crash before any of its effects: for simulators and tests.

use alloc::collections::BTreeMap;
use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::fmt;
use evidence::CommitId;
use proof::tree::leaf_hash;
use proof::{CompactRange, Frontier, Hash};

use super::{Fork, MirrorStore, Mirrored, Sample, StaleHead};
use crate::body::{Part, RunPackage};
use crate::hole::Hole;
use crate::limits::PENDING_KEPT;
use crate::node::{Head, Sealed};

/// The storage stopped before an effect, as a power cut would make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crashed;

impl fmt::Display for Crashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the storage stopped before this effect")
    }
}

impl core::error::Error for Crashed {}

#[derive(Clone, Debug, Default)]
struct Image {
    pending: Vec<Sealed>,
    mirrored: Option<Mirrored>,
    leaves: BTreeMap<u64, Vec<u8>>,
    holes: Vec<(Hole, Option<CommitId>)>,
    next: u64,
}

/// Storage in memory: a live image, and the durable one that a restart finds.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    live: Image,
    durable: Image,
    forks: Vec<Fork>,
    stale: Vec<StaleHead>,
    samples: Vec<Sample>,
    effects_left: Option<u64>,
}

impl MemoryStore {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets so many more effects happen, then crashes before every further one.
    pub const fn crash_after(&mut self, effects: u64) {
        self.effects_left = Some(effects);
    }

    /// What a restart finds: only what was durable.
    pub fn restart(&mut self) {
        self.live = self.durable.clone();
        self.effects_left = None;
    }

    /// A stored leaf.
    #[must_use]
    pub fn leaf(&self, index: u64) -> Option<&[u8]> {
        self.live.leaves.get(&index).map(Vec::as_slice)
    }

    /// The holes, with the LOSS entries that name them.
    #[must_use]
    pub fn holes(&self) -> &[(Hole, Option<CommitId>)] {
        &self.live.holes
    }

    /// The forks kept.
    #[must_use]
    pub fn forks(&self) -> &[Fork] {
        &self.forks
    }

    /// The heads of a log that was left behind.
    #[must_use]
    pub fn stale(&self) -> &[StaleHead] {
        &self.stale
    }

    /// The samples kept.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    fn effect(&mut self) -> Result<(), Crashed> {
        match &mut self.effects_left {
            None => Ok(()),
            Some(0) => Err(Crashed),
            Some(left) => {
                *left = left.saturating_sub(1);
                Ok(())
            }
        }
    }

    fn range(&self, begin: u64, end: u64) -> Option<CompactRange> {
        let mut range = CompactRange::empty(begin);
        while range.end() < end {
            let at = range.end();
            // A hole's hash stays true when the hole is filled, wholly or in part.
            let lost = self.live.holes.iter().find_map(|(hole, _)| {
                let (part, hash) = hole.subtree_at(at)?;
                (part.end() <= end).then_some((part.end(), hash))
            });
            match lost {
                Some((end, hash)) => {
                    let lost = CompactRange::from_parts(at, end, Vec::from([hash])).ok()?;
                    range.append(&lost).ok()?;
                }
                None => range.push(leaf_hash(self.live.leaves.get(&at)?)),
            }
        }
        Some(range)
    }
}

impl MirrorStore for MemoryStore {
    type Error = Crashed;

    fn pending(&self) -> &[Sealed] {
        &self.live.pending
    }

    fn mirrored(&self) -> Option<&Mirrored> {
        self.live.mirrored.as_ref()
    }

    fn next_entry(&self) -> u64 {
        self.live.next
    }

    fn stored_range(&self, begin: u64, end: u64) -> Result<Option<CompactRange>, Crashed> {
        Ok(self.range(begin, end))
    }

    fn root_at(&self, size: u64) -> Result<Option<Hash>, Crashed> {
        let range = self.range(0, size);
        let frontier =
            range.and_then(|range| Frontier::from_parts(size, range.hashes().to_vec()).ok());
        Ok(frontier.map(|frontier| frontier.root()))
    }

    fn unnamed_holes(&self) -> Vec<Hole> {
        let unnamed = self.live.holes.iter().filter(|(_, named)| named.is_none());
        unnamed.map(|(hole, _)| hole.clone()).collect()
    }

    fn leaves(
        &self,
        begin: u64,
        end: u64,
        visit: &mut dyn FnMut(u64, &[u8]),
    ) -> Result<(), Crashed> {
        for (index, leaf) in self.live.leaves.range(begin..end) {
            visit(*index, leaf);
        }
        Ok(())
    }

    fn put_pending(&mut self, sealed: Sealed) -> Result<(), Crashed> {
        self.effect()?;
        self.live.pending.push(sealed);
        if self.live.pending.len() > PENDING_KEPT {
            self.live.pending.remove(0);
        }
        self.durable.pending.clone_from(&self.live.pending);
        Ok(())
    }

    fn save(&mut self, package: &RunPackage<'_>) -> Result<(), Crashed> {
        self.effect()?;
        let mut at = package.extent.begin;
        for part in &package.parts {
            match part {
                Part::Entries(entries) => {
                    for (index, entry) in (at..).zip(entries) {
                        let leaf = || entry.to_vec();
                        self.live.leaves.entry(index).or_insert_with(leaf);
                    }
                }
                Part::Hole(hole) if at >= self.live.next => {
                    self.live.holes.push((hole.clone(), None));
                }
                Part::Hole(_) => {}
            }
            at = at.saturating_add(part.count());
        }
        self.live.next = self.live.next.max(at);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Crashed> {
        self.effect()?;
        self.durable.leaves.clone_from(&self.live.leaves);
        self.durable.holes.clone_from(&self.live.holes);
        self.durable.next = self.live.next;
        Ok(())
    }

    fn commit(
        &mut self,
        expected: Option<Head>,
        sealed: &Sealed,
        named: &[(Hole, CommitId)],
    ) -> Result<bool, Crashed> {
        self.effect()?;
        let found = self
            .live
            .mirrored
            .as_ref()
            .map(|mirrored| mirrored.sealed.head);
        if found != expected {
            return Ok(false);
        }
        for (hole, id) in named {
            for (stored, name) in &mut self.live.holes {
                if stored == hole {
                    *name = Some(*id);
                }
            }
        }
        self.live.mirrored = Some(Mirrored {
            sealed: sealed.clone(),
            cosignature: None,
        });
        // Entries are not made durable here: who commits what was not synced is found out.
        self.durable.mirrored.clone_from(&self.live.mirrored);
        self.durable.holes.clone_from(&self.live.holes);
        Ok(true)
    }

    fn put_cosignature(&mut self, lines: &str) -> Result<(), Crashed> {
        self.effect()?;
        for image in [&mut self.live, &mut self.durable] {
            if let Some(mirrored) = &mut image.mirrored {
                mirrored.cosignature = Some(lines.to_string());
            }
        }
        Ok(())
    }

    fn keep_fork(&mut self, fork: &Fork) -> Result<(), Crashed> {
        self.effect()?;
        if !self.forks.iter().any(|kept| kept.offered == fork.offered) {
            self.forks.push(fork.clone());
        }
        Ok(())
    }

    fn keep_stale(&mut self, head: StaleHead) -> Result<(), Crashed> {
        self.effect()?;
        self.stale.push(head);
        Ok(())
    }

    fn keep_sample(&mut self, sample: &Sample) -> Result<(), Crashed> {
        self.effect()?;
        self.samples.push(sample.clone());
        Ok(())
    }
}
