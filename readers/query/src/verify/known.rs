//! A checkpoint that the verifier kept from earlier: the log must have grown out of that tree.
//!
//! Signatures cannot tell an old log from the present one, nor one branch of a fork from the other:
//! all of them were signed by the log. Only what somebody kept elsewhere can.

use super::report::{FindingKind, Report};
use super::unsigned::newer_keys_words;
use proof::checkpoint::CheckpointError;
use proof::note::{Note, NoteError, VerifierKey};
use proof::{Checkpoint, RangeSource, SignedCheckpoint};

/// A kept checkpoint.
#[derive(Clone, Debug)]
pub struct Known {
    note: Note,
    head: Checkpoint,
}

impl Known {
    /// Reads a signed checkpoint; its signature is checked under the keys of the log that it is compared with.
    ///
    /// # Errors
    /// [`CheckpointError`] when it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        let head = Checkpoint::parse(note.text())?;
        Ok(Self { note, head })
    }

    /// The head that it states.
    #[must_use]
    pub const fn head(&self) -> &Checkpoint {
        &self.head
    }
}

/// Compares a log that was read to its end with a kept checkpoint of it.
pub(super) fn compare(
    known: &Known,
    keys: &[VerifierKey],
    tree: &RangeSource,
    report: &mut Report,
) {
    let size = known.head.size;
    let mut find = |entries, words| report.find(FindingKind::Known, entries, words);
    if let Err(error) = SignedCheckpoint::from_note(known.note.clone(), keys) {
        let newer = match error {
            CheckpointError::Note(NoteError::NoKnownKey) => {
                newer_keys_words(&known.note, &known.head.origin)
            }
            _ => "",
        };
        let words = format!(
            "the checkpoint that was kept, of {size} entries, is not signed by a key of this log: {error}{newer}"
        );
        return find(None, words);
    }
    if size > tree.end() {
        let span = Some((tree.end(), size - 1));
        let words = format!(
            "rolled back: a signed checkpoint of {size} entries was kept, and the log ends at {}",
            tree.end()
        );
        return find(span, words);
    }
    let span = size.checked_sub(1).map(|last| (0, last));
    match tree.frontier_at(size) {
        Ok(frontier) if frontier.root() == known.head.root => {}
        Ok(frontier) => {
            let words = format!(
                "a fork: the log signed the root {} of {size} entries, and the entries here lead to {}",
                known.head.root,
                frontier.root()
            );
            find(span, words);
        }
        Err(_) => {
            let words = format!(
                "the tree of {size} entries, of which a checkpoint was kept, cannot be built from what \
                 is here, so nothing says that this log grew out of it: the entries around it have left \
                 the ring or are lost\n\
                 compare the collector's copy, and keep a newer checkpoint"
            );
            find(span, words);
        }
    }
}
