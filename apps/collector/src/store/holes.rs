//! The holes of a log and their sidecar `holes.json`.

use std::collections::BTreeMap;
use std::path::Path;

use evidence::CommitId;
use evidence::reasons::LossCause;
use exchange::Hole;
use proof::Hash;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files::{self, Access};

/// One hole, or one part of a hole as it came in a package.
#[derive(Clone, Debug)]
struct Lost {
    hole: Hole,
    named_by: Option<CommitId>,
    filled: u64,
}

/// The holes of one log, by first entry. They never overlap.
#[derive(Clone, Debug, Default)]
pub(super) struct Holes {
    lost: BTreeMap<u64, Lost>,
    changed: bool,
}

#[derive(Serialize, Deserialize)]
struct Sidecar {
    holes: Vec<LostForm>,
}

#[derive(Serialize, Deserialize)]
struct LostForm {
    first: u64,
    count: u64,
    cause: String,
    named_by: Option<u64>,
    filled: u64,
    hashes: Vec<String>,
}

impl Holes {
    /// Reads the sidecar; holes at or past `end` came with packages that were never acknowledged.
    pub(super) fn load(path: &Path, end: u64) -> Result<Self, Error> {
        let mut holes = Self::default();
        let Some(bytes) = files::read(path)? else {
            return Ok(holes);
        };
        let sidecar: Sidecar =
            serde_json::from_slice(&bytes).map_err(|error| Error::damaged(path, error))?;
        for form in sidecar.holes.into_iter().filter(|form| form.first < end) {
            let cause = LossCause::from_name(&form.cause);
            let hashes: Option<Vec<Hash>> = form
                .hashes
                .iter()
                .map(|hash| Hash::from_base64(hash))
                .collect();
            let (Some(cause), Some(hashes)) = (cause, hashes) else {
                return Err(Error::damaged(path, "unknown cause or malformed hash"));
            };
            let hole = Hole::new(form.first, form.count, cause, hashes)
                .map_err(|error| Error::damaged(path, error))?;
            let lost = Lost {
                hole,
                named_by: form.named_by.map(CommitId),
                filled: form.filled,
            };
            holes.lost.insert(form.first, lost);
        }
        Ok(holes)
    }

    /// Writes the sidecar if something changed.
    pub(super) fn store(&mut self, path: &Path) -> Result<(), Error> {
        if !self.changed {
            return Ok(());
        }
        let form = |lost: &Lost| LostForm {
            first: lost.hole.first(),
            count: lost.hole.count(),
            cause: lost.hole.cause().name().to_owned(),
            named_by: lost.named_by.map(|id| id.0),
            filled: lost.filled,
            hashes: lost
                .hole
                .range()
                .hashes()
                .iter()
                .map(Hash::to_string)
                .collect(),
        };
        let sidecar = Sidecar {
            holes: self.lost.values().map(form).collect(),
        };
        let text = serde_json::to_string_pretty(&sidecar).map_err(Error::setup)?;
        files::write(path, format!("{text}\n").as_bytes(), Access::Public)?;
        self.changed = false;
        Ok(())
    }

    pub(super) fn add(&mut self, hole: &Hole) {
        self.changed = true;
        self.lost.insert(
            hole.first(),
            Lost {
                hole: hole.clone(),
                named_by: None,
                filled: 0,
            },
        );
    }

    /// Notes which LOSS entry names a hole.
    pub(super) fn name(&mut self, hole: &Hole, id: CommitId) {
        if let Some(lost) = self.lost.get_mut(&hole.first()) {
            lost.named_by = Some(id);
            self.changed = true;
        }
    }

    /// Notes that a lost entry was found again.
    pub(super) fn filled(&mut self, index: u64) {
        if let Some(lost) = self.at_mut(index) {
            lost.filled = lost.filled.saturating_add(1);
            self.changed = true;
        }
    }

    pub(super) fn unnamed(&self) -> Vec<Hole> {
        let unnamed = self.lost.values().filter(|lost| lost.named_by.is_none());
        unnamed.map(|lost| lost.hole.clone()).collect()
    }

    /// Whether every entry of a range was lost, filled since or not.
    pub(super) fn cover(&self, begin: u64, end: u64) -> bool {
        let mut at = begin;
        while at < end {
            match self.hole_at(at) {
                Some(hole) => at = hole.end(),
                None => return false,
            }
        }
        true
    }

    /// The hash that stands for exactly this subtree of lost entries.
    pub(super) fn subtree(&self, begin: u64, end: u64) -> Option<Hash> {
        let (part, hash) = self.hole_at(begin)?.subtree_at(begin)?;
        (part.end() == end).then_some(hash)
    }

    /// The largest subtree of lost entries that begins here and ends by `end`.
    pub(super) fn subtree_within(&self, begin: u64, end: u64) -> Option<(u64, Hash)> {
        let (part, hash) = self.hole_at(begin)?.subtree_at(begin)?;
        (part.end() <= end).then_some((part.end(), hash))
    }

    fn hole_at(&self, index: u64) -> Option<&Hole> {
        let (_, lost) = self.lost.range(..=index).next_back()?;
        (index < lost.hole.end()).then_some(&lost.hole)
    }

    fn at_mut(&mut self, index: u64) -> Option<&mut Lost> {
        let (_, lost) = self.lost.range_mut(..=index).next_back()?;
        (index < lost.hole.end()).then_some(lost)
    }
}
