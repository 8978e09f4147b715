//! What was signed last, per generation: the memory that makes contradiction impossible.
//!
//! Its text form has one line per generation, `generation size root`, between a title and a last
//! line that counts them, so that a file cut short is not taken for an older one.

use crate::limits::{GENERATIONS_MAX, LAST_SIGNED_BYTES_MAX};
use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt::{self, Write as _};
use evidence::Generation;
use proof::Hash;

const TITLE: &str = "fieldnotary last signed v1";
const END: &str = "end";

/// A tree head that was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedHead {
    /// Size of the tree.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// The newest signed head of each generation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastSigned(BTreeMap<u64, SignedHead>);

/// Why a text is not a record of last signed heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastSignedError {
    /// This line, counted from 1, is not what it should be.
    BadLine(usize),
    /// The last line is missing, or counts another number of lines.
    Truncated,
    /// Longer than it can be.
    TooLong(usize),
}

impl fmt::Display for LastSignedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadLine(line) => write!(f, "line {line} is not as this program writes it"),
            Self::Truncated => write!(f, "the last line is missing or counts other lines"),
            Self::TooLong(bytes) => write!(
                f,
                "{bytes} bytes are more than the {LAST_SIGNED_BYTES_MAX} it may have"
            ),
        }
    }
}

impl core::error::Error for LastSignedError {}

impl LastSigned {
    /// The newest signed head of a generation.
    #[must_use]
    pub fn head(&self, generation: Generation) -> Option<SignedHead> {
        self.0.get(&generation.0).copied()
    }

    /// The newest generation that was signed, and its newest head.
    #[must_use]
    pub fn newest(&self) -> Option<(Generation, SignedHead)> {
        let (generation, head) = self.0.last_key_value()?;
        Some((Generation(*generation), *head))
    }

    /// The record with a newer head; `None` where one more generation is too many.
    pub(crate) fn with(&self, generation: Generation, head: SignedHead) -> Option<Self> {
        let mut next = self.clone();
        next.0.insert(generation.0, head);
        (next.0.len() <= GENERATIONS_MAX).then_some(next)
    }

    /// Its text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::from(TITLE);
        text.push('\n');
        for (generation, head) in &self.0 {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{generation} {} {}", head.size, head.root);
        }
        let _ = writeln!(text, "{END} {}", self.0.len());
        text
    }

    /// Reads its text; only the form that [`Self::to_text`] writes is accepted.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, LastSignedError> {
        if text.len() > LAST_SIGNED_BYTES_MAX {
            return Err(LastSignedError::TooLong(text.len()));
        }
        let body = text.strip_suffix('\n').ok_or(LastSignedError::Truncated)?;
        let mut lines = body.split('\n').enumerate();
        if lines.next() != Some((0, TITLE)) {
            return Err(LastSignedError::BadLine(1));
        }
        let mut heads = BTreeMap::new();
        for (place, line) in lines {
            if let Some(count) = line.strip_prefix(END) {
                let record = Self(heads);
                // One form only: what follows, or a wrong count, or leading zeros all differ.
                return match (record.to_text() == text, count.is_empty()) {
                    (true, false) => Ok(record),
                    _ => Err(LastSignedError::Truncated),
                };
            }
            let (generation, head) =
                head_line(line).ok_or(LastSignedError::BadLine(place.saturating_add(1)))?;
            heads.insert(generation, head);
            if heads.len() > GENERATIONS_MAX {
                return Err(LastSignedError::TooLong(text.len()));
            }
        }
        Err(LastSignedError::Truncated)
    }
}

fn head_line(line: &str) -> Option<(u64, SignedHead)> {
    let (generation, rest) = line.split_once(' ')?;
    let (size, root) = rest.split_once(' ')?;
    let head = SignedHead {
        size: size.parse().ok()?,
        root: Hash::from_base64(root)?,
    };
    Some((generation.parse().ok()?, head))
}

#[cfg(test)]
mod tests {
    use super::{LastSigned, LastSignedError, SignedHead};
    use crate::limits::{GENERATIONS_MAX, LAST_SIGNED_BYTES_MAX};
    use evidence::Generation;
    use proof::Hash;
    use proptest::prelude::{prop_assert_eq, proptest};
    use std::string::String;

    fn record(generations: u64) -> LastSigned {
        (0..generations).fold(LastSigned::default(), |record, generation| {
            let head = SignedHead {
                size: generation * 1_000,
                root: Hash([u8::try_from(generation % 251).unwrap(); 32]),
            };
            record.with(Generation(generation), head).unwrap()
        })
    }

    #[test]
    fn a_record_comes_back_from_its_text_and_no_part_of_it_does() {
        for generations in [0, 1, 3] {
            let record = record(generations);
            let text = record.to_text();
            assert_eq!(LastSigned::parse(&text).as_ref(), Ok(&record));
            for cut in 0..text.len() {
                assert!(LastSigned::parse(&text[..cut]).is_err(), "cut at {cut}");
            }
            let line = text.lines().nth(1).unwrap();
            let without = text.replacen(&std::format!("{line}\n"), "", 1);
            assert_eq!(LastSigned::parse(&without), Err(LastSignedError::Truncated));
        }
    }

    #[test]
    fn another_form_of_the_same_record_is_refused() {
        let text = record(2).to_text();
        for other in [
            text.replace("\n0 ", "\n00 "),
            text.replace("end 2", "end 3"),
            text.replace("end 2", "end"),
            text.replace("v1", "v2"),
            std::format!("{text}\n"),
            text.replace('\n', "\r\n"),
            String::new(),
        ] {
            assert!(LastSigned::parse(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn the_longest_record_fits_its_file() {
        let last = u64::MAX - u64::try_from(GENERATIONS_MAX).unwrap();
        let head = SignedHead {
            size: u64::MAX,
            root: Hash([255; 32]),
        };
        let full = (1..=u64::try_from(GENERATIONS_MAX).unwrap())
            .fold(LastSigned::default(), |record, generation| {
                record.with(Generation(last + generation), head).unwrap()
            });
        assert!(full.to_text().len() <= LAST_SIGNED_BYTES_MAX);
        assert_eq!(LastSigned::parse(&full.to_text()).as_ref(), Ok(&full));
        assert_eq!(full.with(Generation(0), head), None);
        assert!(full.with(Generation(u64::MAX), head).is_some());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(fieldnotary last signed v1\n)?[0-9a-zA-Z =/+\n]{0,200}") {
            if let Ok(record) = LastSigned::parse(&text) {
                prop_assert_eq!(record.to_text(), text);
            }
        }
    }
}
