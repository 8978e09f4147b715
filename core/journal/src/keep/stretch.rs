//! A stretch of the log on its way into a keep-ring: what is kept, and the hashes of the rest.

use alloc::vec::Vec;
use proof::{CompactRange, Frontier};

use super::format::part_bytes;
use crate::frame::StoredEntry;

/// A piece of a stretch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// An entry that is kept.
    Kept(StoredEntry),
    /// Entries that were let go, by their hashes.
    LetGo(CompactRange),
}

impl Part {
    /// Its range of the tree.
    #[must_use]
    pub fn range(&self) -> CompactRange {
        match self {
            Self::Kept(entry) => {
                let mut range = CompactRange::empty(entry.commit_id.0);
                range.push(entry.leaf_hash);
                range
            }
            Self::LetGo(range) => range.clone(),
        }
    }
}

/// Consecutive entries of a log, kept or let go, from the tree before them on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    before: Frontier,
    after: Frontier,
    parts: Vec<Part>,
    kept: u32,
    /// Bytes of all parts but the last, which may still grow.
    settled_bytes: usize,
}

impl Stretch {
    /// An empty stretch behind a tree.
    #[must_use]
    pub fn behind(tree: Frontier) -> Self {
        Self {
            after: tree.clone(),
            before: tree,
            parts: Vec::new(),
            kept: 0,
            settled_bytes: 0,
        }
    }

    /// Takes the next entry, to keep or to let go. One that is not the next is not taken.
    pub fn push(&mut self, entry: StoredEntry, keep: bool) {
        if entry.commit_id.0 != self.end() {
            return;
        }
        let leaf = entry.leaf_hash;
        if keep {
            self.kept = self.kept.saturating_add(1);
            // By itself: what is rare must not hold the frames around it.
            let bytes = entry.bytes.detached();
            self.add(Part::Kept(StoredEntry { bytes, ..entry }));
        } else if let Some(Part::LetGo(range)) = self.parts.last_mut() {
            range.push(leaf);
        } else {
            let mut range = CompactRange::empty(self.end());
            range.push(leaf);
            self.add(Part::LetGo(range));
        }
        self.after.push(leaf);
    }

    /// Takes a range of entries that cannot be read. One that does not begin here is not taken.
    pub fn push_range(&mut self, range: &CompactRange) {
        if range.is_empty() || self.after.append_range(range).is_err() {
            return;
        }
        if let Some(Part::LetGo(before)) = self.parts.last_mut() {
            // Adjacent: it ends where the tree did.
            let _ = before.append(range);
        } else {
            self.add(Part::LetGo(range.clone()));
        }
    }

    fn add(&mut self, part: Part) {
        self.settled_bytes = self.bytes();
        self.parts.push(part);
    }

    /// The tree before it.
    #[must_use]
    pub const fn before(&self) -> &Frontier {
        &self.before
    }

    /// The tree behind it.
    #[must_use]
    pub const fn after(&self) -> &Frontier {
        &self.after
    }

    /// First entry.
    #[must_use]
    pub const fn begin(&self) -> u64 {
        self.before.size()
    }

    /// Index after the last entry.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.after.size()
    }

    /// Whether it covers no entry.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The pieces, in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The hashes of all of it.
    #[must_use]
    pub fn range(&self) -> CompactRange {
        let mut all = CompactRange::empty(self.begin());
        for part in &self.parts {
            // Parts are adjacent: each began at the end of the one before.
            let _ = all.append(&part.range());
        }
        all
    }

    /// How many entries are kept.
    #[must_use]
    pub const fn kept(&self) -> u32 {
        self.kept
    }

    /// Bytes of its pieces in a frame.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let open = self.parts.last().map_or(0, part_bytes);
        self.settled_bytes.saturating_add(open)
    }
}
