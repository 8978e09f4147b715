//! Signed notes (C2SP signed-note): a text, and signature lines of named keys under it.

mod key;
mod line;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use key::{Algorithm, KeyError, VerifierKey, is_key_name, p256_spki};
pub use line::{SignatureLine, ecdsa_der, sign_ed25519, sign_p256};

use crate::limits::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX};
use crate::text::has_forbidden_control;

/// Why a note is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// More bytes than [`NOTE_BYTES_MAX`].
    TooLong {
        /// Bytes of the note.
        bytes: usize,
    },
    /// Not UTF-8, or with a control character other than newline.
    NotText,
    /// The text does not end in a newline.
    NoNewline,
    /// No blank line separates text and signatures, or the last line is not ended.
    NoSignatures,
    /// A signature line is not `— name base64`, counted from 1.
    BadLine {
        /// Number of the signature line.
        line: usize,
    },
    /// More signature lines than [`NOTE_SIGNATURES_MAX`].
    TooManySignatures,
    /// Two of the given keys share name and key id.
    AmbiguousKey {
        /// Name of both.
        name: String,
        /// Key id of both.
        key_id: u32,
    },
    /// A line of a known key does not verify.
    BadSignature {
        /// Name of the key.
        name: String,
        /// Key id of the key.
        key_id: u32,
    },
    /// No line is of a known key.
    NoKnownKey,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => {
                write!(f, "note has {bytes} bytes, {NOTE_BYTES_MAX} are accepted")
            }
            Self::NotText => {
                f.write_str("note is not UTF-8 without control characters other than newline")
            }
            Self::NoNewline => f.write_str("note text does not end in a newline"),
            Self::NoSignatures => {
                f.write_str("note has no blank line followed by complete signature lines")
            }
            Self::BadLine { line } => {
                write!(f, "signature line {line} is not '— name base64'")
            }
            Self::TooManySignatures => {
                write!(f, "note has more than {NOTE_SIGNATURES_MAX} signatures")
            }
            Self::AmbiguousKey { name, key_id } => {
                write!(f, "two known keys are named {name} with id {key_id:08x}")
            }
            Self::BadSignature { name, key_id } => {
                write!(f, "signature of {name} ({key_id:08x}) does not verify")
            }
            Self::NoKnownKey => f.write_str("no signature is of a known key"),
        }
    }
}

impl core::error::Error for NoteError {}

/// A signed note, parsed or under construction. Nothing in it is trusted before [`Note::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

impl Note {
    /// A note without signatures yet.
    ///
    /// # Errors
    /// [`NoteError::NotText`], [`NoteError::NoNewline`] or [`NoteError::TooLong`].
    pub fn new(text: String) -> Result<Self, NoteError> {
        if text.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong { bytes: text.len() });
        }
        if has_forbidden_control(&text) {
            return Err(NoteError::NotText);
        }
        if !text.ends_with('\n') {
            return Err(NoteError::NoNewline);
        }
        Ok(Self {
            text,
            signatures: Vec::new(),
        })
    }

    /// Parses a note with at least one signature line (signed-note "Format").
    ///
    /// # Errors
    /// What breaks the format.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong { bytes: bytes.len() });
        }
        let note = core::str::from_utf8(bytes).map_err(|_| NoteError::NotText)?;
        if has_forbidden_control(note) {
            return Err(NoteError::NotText);
        }
        // The last blank line separates: text ends with the first of the two newlines.
        let (text, _) = note.rsplit_once("\n\n").ok_or(NoteError::NoSignatures)?;
        let (text, rest) = note
            .split_at_checked(text.len().saturating_add(1))
            .ok_or(NoteError::NoSignatures)?;
        let lines = rest.strip_prefix('\n').ok_or(NoteError::NoSignatures)?;
        Ok(Self {
            text: String::from(text),
            signatures: SignatureLine::parse_lines(lines)?,
        })
    }

    /// The signed text, with its final newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines in order.
    #[must_use]
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// Adds a line; a line equal to one already there is not repeated.
    ///
    /// # Errors
    /// [`NoteError::TooManySignatures`].
    pub fn add(&mut self, line: SignatureLine) -> Result<(), NoteError> {
        if self.signatures.contains(&line) {
            return Ok(());
        }
        if self.signatures.len() >= NOTE_SIGNATURES_MAX {
            return Err(NoteError::TooManySignatures);
        }
        self.signatures.push(line);
        Ok(())
    }

    /// Checks every line of a known key (signed-note "Signatures").
    ///
    /// Lines of unknown keys are counted and otherwise ignored, also when they share name or id with a known one.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`] for one line of a known key that fails, [`NoteError::NoKnownKey`] without any line of
    /// a known key, [`NoteError::AmbiguousKey`] when the keys cannot be told apart.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Verified, NoteError> {
        for (n, key) in keys.iter().enumerate() {
            if keys
                .iter()
                .skip(n.saturating_add(1))
                .any(|other| other.has_identity(key.name(), key.key_id()))
            {
                return Err(NoteError::AmbiguousKey {
                    name: key.name().into(),
                    key_id: key.key_id(),
                });
            }
        }
        let mut verified = Verified::default();
        for (line_index, line) in self.signatures.iter().enumerate() {
            let known = keys
                .iter()
                .enumerate()
                .find(|(_, key)| key.has_identity(line.name(), line.key_id()));
            let Some((key_index, key)) = known else {
                verified.unknown_lines = verified.unknown_lines.saturating_add(1);
                continue;
            };
            let Some(statement) = key.verify(&self.text, line.bytes()) else {
                return Err(NoteError::BadSignature {
                    name: line.name().into(),
                    key_id: line.key_id(),
                });
            };
            verified.lines.push(VerifiedLine {
                line: line_index,
                key: key_index,
                statement,
            });
        }
        if verified.lines.is_empty() {
            return Err(NoteError::NoKnownKey);
        }
        Ok(verified)
    }

    /// The note as bytes. Without signature lines it is not yet a note others can parse.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        alloc::format!("{self}").into_bytes()
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// What a verified line states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// The key signed the text.
    Signed,
    /// The cosigner observed the checkpoint at this time (tlog-cosignature).
    Cosigned {
        /// POSIX time in seconds, as the cosigner states it.
        time_s: u64,
    },
}

/// One line that verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedLine {
    /// Index into [`Note::signatures`].
    pub line: usize,
    /// Index into the keys given to [`Note::verify`].
    pub key: usize,
    /// What the line states.
    pub statement: Statement,
}

/// What [`Note::verify`] found: at least one line, and all lines of known keys, verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// The lines that verified, in note order. One key may have several.
    pub lines: Vec<VerifiedLine>,
    /// Lines of keys not known here.
    pub unknown_lines: usize,
}

impl Verified {
    /// Whether the key at this index signed.
    #[must_use]
    pub fn has_key(&self, key: usize) -> bool {
        self.lines.iter().any(|line| line.key == key)
    }

    /// The latest cosignature time of the key at this index, in seconds.
    #[must_use]
    pub fn cosigned_at_s(&self, key: usize) -> Option<u64> {
        self.lines
            .iter()
            .filter(|line| line.key == key)
            .filter_map(|line| match line.statement {
                Statement::Cosigned { time_s } => Some(time_s),
                Statement::Signed => None,
            })
            .max()
    }
}

#[cfg(test)]
mod tests;
