//! A group becomes frames: as many as it takes, around a failed write and a full ring.

use super::Committer;
use crate::roles::recorder::journal_file::salt;
use evidence::{Captured, CommitId, Stamp};
use journal::CommitError;

/// A write that failed is tried in a new segment this often before the node gives the group back.
const NEW_EPOCHS_MAX: u32 = 3;

/// Where a group landed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Landed {
    pub(super) first: CommitId,
    pub(super) rolled: bool,
}

impl Committer {
    /// Commits a group in as many frames as it takes. A failed write moves on to a new segment and
    /// epoch; nothing that was not durable is ever reported as committed.
    pub(super) fn commit_all(&mut self, group: &[(Stamp, Captured)]) -> Result<Landed, String> {
        let mut landed = Landed {
            first: CommitId(self.journal.size()),
            rolled: false,
        };
        let mut rest = group;
        let mut failures = 0;
        while !rest.is_empty() {
            let lengths = rest.iter().map(|(_, captured)| captured.capture.len());
            let fitting = self.journal.fitting(lengths);
            let (frame, after) = rest.split_at(fitting.max(1).min(rest.len()));
            match self.journal.commit(frame, salt()?) {
                Ok(committed) => {
                    landed.rolled |= committed.rolled;
                    rest = after;
                }
                Err(CommitError::RingFull { needed_size, .. }) => self.make_room(needed_size),
                Err(CommitError::NotKept { needed_size, .. }) => self.keep_below(needed_size),
                Err(
                    CommitError::Medium(_) | CommitError::ReadBack { .. } | CommitError::Latched,
                ) if failures < NEW_EPOCHS_MAX => {
                    failures += 1;
                    self.stats.write_failures += 1;
                    landed.rolled = true;
                    self.begin_epoch()?;
                }
                Err(error) => return Err(format!("the group could not be committed: {error}")),
            }
        }
        Ok(landed)
    }

    /// After a failed write. An error leaves the journal latched, and the next turn tries once more.
    fn begin_epoch(&mut self) -> Result<(), String> {
        match self.journal.begin_epoch_after_failure(salt()?) {
            Ok(_) => self.stage_new_epoch(),
            Err(CommitError::RingFull { needed_size, .. }) => self.make_room(needed_size),
            Err(CommitError::NotKept { needed_size, .. }) => self.keep_below(needed_size),
            Err(error) => eprintln!("recorder: no new segment after a failed write: {error}"),
        }
        Ok(())
    }

    /// Room that could not be seen to before: the statement follows the group.
    fn make_room(&mut self, needed_size: u64) {
        for loss in self.give_up_below(needed_size) {
            self.stage(loss.into());
        }
        self.journal.permit_pruning(needed_size);
    }
}
