//! Going through the log: frames or entries and, between them, what is damaged.

use alloc::collections::VecDeque;
use evidence::CommitId;

use super::{Reader, ReaderFrame};
use crate::find::Finding;
use crate::frame::StoredEntry;
use crate::medium::{ReadTruth, ReadVolume};
use crate::truth;
use crate::walk::{Step, Walk};

/// Frames and findings, in the order of the log.
#[derive(Debug)]
pub struct Frames<'r, V, T> {
    pub(super) reader: &'r Reader<V, T>,
    pub(super) walk: Walk<'r, V>,
    pub(super) queue: VecDeque<Finding>,
    pub(super) retired: bool,
}

impl<V: ReadVolume, T: ReadTruth> Iterator for Frames<'_, V, T> {
    type Item = Result<ReaderFrame, Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(finding) = self.queue.pop_front() {
            return Some(Err(finding));
        }
        if self.retired {
            return None;
        }
        let step = self.walk.next()?;
        match step {
            Step::Frame(frame) => {
                self.reader.hint.set(self.walk.position());
                Some(Ok(ReaderFrame {
                    first: CommitId(frame.first),
                    entries: frame.entries,
                    location: frame.location,
                    frontier: frame.frontier,
                    joins: frame.joins,
                }))
            }
            Step::Lost(loss, _) => {
                // The writer may have reused the segment while it was being read.
                if let Some(to) = self.reader.retired_meanwhile(loss.first.0) {
                    self.retired = true;
                    let from = loss.first;
                    return Some(Err(Finding::Retired { from, to }));
                }
                Some(Err(Finding::Lost(loss)))
            }
            Step::Finding(finding) => Some(Err(finding)),
        }
    }
}

/// Entries and findings, in the order of the log.
#[derive(Debug)]
pub struct Entries<'r, V, T> {
    pub(super) frames: Frames<'r, V, T>,
    pub(super) from: CommitId,
    pub(super) queue: VecDeque<StoredEntry>,
}

impl<V: ReadVolume, T: ReadTruth> Iterator for Entries<'_, V, T> {
    type Item = Result<StoredEntry, Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.queue.pop_front() {
                return Some(Ok(entry));
            }
            match self.frames.next()? {
                Ok(frame) => {
                    let from = self.from;
                    let wanted = frame.entries.into_iter();
                    self.queue
                        .extend(wanted.filter(|entry| entry.commit_id >= from));
                }
                Err(finding) => return Some(Err(finding)),
            }
        }
    }
}

impl<V: ReadVolume, T: ReadTruth> Reader<V, T> {
    /// Whether what looked damaged has meanwhile been reused by the writer.
    fn retired_meanwhile(&self, at: u64) -> Option<CommitId> {
        let truth = truth::load(&self.ring, &self.medium).truth?;
        let oldest = truth.fixed.oldest_commit_id;
        (truth.fixed.oldest_lap > self.truth.fixed.oldest_lap && at < oldest.0).then_some(oldest)
    }
}
