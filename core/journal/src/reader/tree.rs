//! The tree as the log tells it: frontiers, compact ranges, the source of proofs.

use evidence::CommitId;
use proof::{CompactRange, Frontier, ProofError, RangeSource};

use super::Reader;
use crate::error::RangeError;
use crate::find::{Finding, Loss};
use crate::medium::{ReadTruth, ReadVolume};
use crate::walk::{Step, Walk};

impl<V: ReadVolume, T: ReadTruth> Reader<V, T> {
    /// The tree when it had `size` leaves, from the frame that reaches there.
    ///
    /// # Errors
    /// [`RangeError`] when the entries needed are outside the log, retired or lost.
    pub fn frontier_at(&self, size: u64) -> Result<Frontier, RangeError> {
        let fixed = &self.truth.fixed;
        if size == 0 {
            return Ok(Frontier::new());
        }
        if size == fixed.size {
            return Ok(self.truth.frontier.clone());
        }
        self.check_range(size, size)?;
        let walk = Walk::new(&self.ring, &self.truth, self.start(CommitId(size)), size);
        for step in walk {
            match step {
                Step::Frame(frame) if frame.first <= size => {
                    let mut frontier = frame.frontier;
                    for entry in frame
                        .entries
                        .iter()
                        .filter(|entry| entry.commit_id.0 < size)
                    {
                        frontier.push(entry.leaf_hash);
                    }
                    return Ok(frontier);
                }
                Step::Lost(loss, Some(tree)) if loss.first.0 == size => return Ok(tree),
                Step::Frame(_) | Step::Lost(..) => break,
                Step::Finding(_) => {}
            }
        }
        Err(RangeError::Lost {
            begin: size,
            end: size.saturating_add(1),
        })
    }

    fn check_range(&self, begin: u64, end: u64) -> Result<(), RangeError> {
        let fixed = &self.truth.fixed;
        if begin > end || end > fixed.size {
            let size = fixed.size;
            return Err(RangeError::OutOfLog { begin, end, size });
        }
        if begin < fixed.oldest_commit_id.0 {
            let oldest = fixed.oldest_commit_id.0;
            return Err(RangeError::Retired { oldest });
        }
        Ok(())
    }

    /// The compact range over `[begin, end)`; lost entries take part with their known hashes where
    /// the range holds the whole loss.
    ///
    /// # Errors
    /// [`RangeError`] when entries are outside the log, retired, or lost without hashes.
    pub fn range(&self, begin: u64, end: u64) -> Result<CompactRange, RangeError> {
        self.check_range(begin, end)?;
        let mut range = CompactRange::empty(begin);
        for item in self.entries(CommitId(begin)) {
            if range.end() >= end {
                break;
            }
            match item {
                Ok(entry) => range.push(entry.leaf_hash),
                Err(Finding::Lost(loss)) => append_loss(&mut range, &loss, end)?,
                Err(_) => {}
            }
        }
        Ok(range)
    }

    /// A source of tree hashes for proofs: the frontier at `from`, then every leaf up to the
    /// committed end, losses by their compact ranges.
    ///
    /// # Errors
    /// As [`Self::range`].
    pub fn proof_source(&self, from: u64) -> Result<RangeSource, RangeError> {
        let mut source = RangeSource::new(&self.frontier_at(from)?);
        for item in self.entries(CommitId(from)) {
            match item {
                Ok(entry) => source.push_leaf(entry.leaf_hash),
                Err(Finding::Lost(loss)) => {
                    let lost = RangeError::Lost {
                        begin: loss.first.0,
                        end: loss.end(),
                    };
                    source
                        .push_range(&loss.range().ok_or(lost)?)
                        .map_err(|_| lost)?;
                }
                Err(_) => {}
            }
        }
        Ok(source)
    }
}

fn append_loss(range: &mut CompactRange, loss: &Loss, end: u64) -> Result<(), RangeError> {
    let lost = RangeError::Lost {
        begin: loss.first.0,
        end: loss.end(),
    };
    // A loss that reaches out of the range cannot be cut: only its whole subtrees are known.
    match loss.range() {
        Some(hashes) if loss.end() <= end => range.append(&hashes).map_err(|_| lost),
        _ => Err(lost),
    }
}

impl From<ProofError> for RangeError {
    fn from(error: ProofError) -> Self {
        Self::Proof(error)
    }
}
