//! Checkpoints (C2SP tlog-checkpoint): origin, size and root of a tree as the text of a signed note.

use alloc::string::{String, ToString as _};
use core::fmt;

use crate::limits::{NAME_BYTES_MAX, TREE_SIZE_MAX};
use crate::note::{Note, NoteError, Verified, VerifierKey};
use crate::text::{decimal, has_forbidden_control};
use crate::tree::{Hash, empty_root};

/// Why a checkpoint is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckpointError {
    /// The origin is empty, too long or not one line of text.
    BadOrigin,
    /// The size line is no decimal without leading zeros up to [`TREE_SIZE_MAX`].
    BadSize,
    /// The root line is not the base64 of 32 bytes.
    BadRoot,
    /// The size is 0 and the root is not that of the empty tree.
    RootOfEmptyTree,
    /// A line is missing, or an extension line is empty, or the text does not end in a newline.
    BadLines,
    /// Extension lines where none are allowed.
    Extensions {
        /// How many.
        lines: usize,
    },
    /// The note around the checkpoint is refused.
    Note(NoteError),
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadOrigin => write!(
                f,
                "checkpoint origin must be one line of 1 to {NAME_BYTES_MAX} bytes"
            ),
            Self::BadSize => write!(
                f,
                "checkpoint size must be a decimal without leading zeros up to {TREE_SIZE_MAX}"
            ),
            Self::BadRoot => f.write_str("checkpoint root must be the base64 of 32 bytes"),
            Self::RootOfEmptyTree => {
                f.write_str("checkpoint of size 0 must have the root of the empty tree")
            }
            Self::BadLines => f.write_str(
                "checkpoint must be three or more non-empty lines, each ended by a newline",
            ),
            Self::Extensions { lines } => {
                write!(
                    f,
                    "checkpoint has {lines} extension lines, none are allowed here"
                )
            }
            Self::Note(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for CheckpointError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Note(error) => Some(error),
            Self::BadOrigin
            | Self::BadSize
            | Self::BadRoot
            | Self::RootOfEmptyTree
            | Self::BadLines
            | Self::Extensions { .. } => None,
        }
    }
}

impl From<NoteError> for CheckpointError {
    fn from(error: NoteError) -> Self {
        Self::Note(error)
    }
}

/// A tree head: what a log commits to when it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Identity of the log.
    pub origin: String,
    /// Leaves in the tree.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
}

impl Checkpoint {
    /// A checkpoint that can be written.
    ///
    /// # Errors
    /// [`CheckpointError::BadOrigin`], [`CheckpointError::BadSize`] or [`CheckpointError::RootOfEmptyTree`].
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        let checkpoint = Self {
            origin: origin.to_string(),
            size,
            root,
        };
        checkpoint.check()?;
        Ok(checkpoint)
    }

    /// Parses a note text and tolerates extension lines, which say nothing here (tlog-checkpoint "Note text").
    ///
    /// # Errors
    /// The first line that breaks the form.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        parse_counting(text).map(|(checkpoint, _)| checkpoint)
    }

    /// Parses a note text of exactly three lines, the only form this project writes.
    ///
    /// # Errors
    /// As [`Self::parse`], and [`CheckpointError::Extensions`].
    pub fn parse_exact(text: &str) -> Result<Self, CheckpointError> {
        match parse_counting(text)? {
            (checkpoint, 0) => Ok(checkpoint),
            (_, lines) => Err(CheckpointError::Extensions { lines }),
        }
    }

    /// The note text: three lines.
    ///
    /// # Errors
    /// As [`Self::new`], as the fields may have been set since.
    pub fn body(&self) -> Result<String, CheckpointError> {
        self.check()?;
        Ok(alloc::format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            self.root
        ))
    }

    /// The note without signatures, ready to take lines.
    ///
    /// # Errors
    /// As [`Self::body`].
    pub fn to_note(&self) -> Result<Note, CheckpointError> {
        Ok(Note::new(self.body()?)?)
    }

    fn check(&self) -> Result<(), CheckpointError> {
        let origin = &self.origin;
        if origin.is_empty()
            || origin.len() > NAME_BYTES_MAX
            || origin.contains('\n')
            || has_forbidden_control(origin)
        {
            return Err(CheckpointError::BadOrigin);
        }
        if self.size > TREE_SIZE_MAX {
            return Err(CheckpointError::BadSize);
        }
        if self.size == 0 && self.root != empty_root() {
            return Err(CheckpointError::RootOfEmptyTree);
        }
        Ok(())
    }
}

fn parse_counting(text: &str) -> Result<(Checkpoint, usize), CheckpointError> {
    let lines = text.strip_suffix('\n').ok_or(CheckpointError::BadLines)?;
    let mut lines = lines.split('\n');
    let mut next = || lines.next().ok_or(CheckpointError::BadLines);
    let (origin, size, root) = (next()?, next()?, next()?);
    let size = decimal(size).ok_or(CheckpointError::BadSize)?;
    let root = Hash::from_base64(root).ok_or(CheckpointError::BadRoot)?;
    let mut extensions = 0usize;
    for line in lines {
        if line.is_empty() {
            return Err(CheckpointError::BadLines);
        }
        extensions = extensions.saturating_add(1);
    }
    Ok((Checkpoint::new(origin, size, root)?, extensions))
}

/// A checkpoint with its note, after its signatures were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    extension_lines: usize,
    note: Note,
    verified: Verified,
}

impl SignedCheckpoint {
    /// Opens a signed checkpoint: signatures first, text after.
    ///
    /// Which keys count is the caller's to say: give the log's keys to learn that the log signed, a cosigner's keys to
    /// learn that the cosigner did. Cosignatures are looked at again with [`Self::verify`].
    ///
    /// # Errors
    /// [`CheckpointError::Note`] when the note or a signature fails, otherwise what breaks the checkpoint's form.
    pub fn open(note_bytes: &[u8], keys: &[VerifierKey]) -> Result<Self, CheckpointError> {
        Self::from_note(Note::parse(note_bytes)?, keys)
    }

    /// The same from a note already parsed.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_note(note: Note, keys: &[VerifierKey]) -> Result<Self, CheckpointError> {
        let verified = note.verify(keys)?;
        let (checkpoint, extension_lines) = parse_counting(note.text())?;
        Ok(Self {
            checkpoint,
            extension_lines,
            note,
            verified,
        })
    }

    /// The tree head.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Extension lines tolerated under the tree head.
    #[must_use]
    pub const fn extension_lines(&self) -> usize {
        self.extension_lines
    }

    /// The note, to be stored or sent on byte for byte.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// Which of the keys given at opening signed.
    #[must_use]
    pub const fn verified(&self) -> &Verified {
        &self.verified
    }

    /// Checks the note's lines against other keys, such as those of cosigners.
    ///
    /// # Errors
    /// As [`Note::verify`].
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Verified, NoteError> {
        self.note.verify(keys)
    }
}

#[cfg(test)]
mod tests;
