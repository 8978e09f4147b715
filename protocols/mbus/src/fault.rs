//! What is wrong with a frame: the layer, the byte, and what would be right.

use alloc::format;
use alloc::string::String;
use core::fmt;

/// The layer that a fault is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Frames (EN 13757-2).
    Link,
    /// CI field and header (EN 13757-3).
    Application,
    /// Data records (EN 13757-3).
    Record,
}

impl Layer {
    /// Its name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Application => "application",
            Self::Record => "record",
        }
    }
}

/// What is wrong there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No byte at all.
    Empty,
    /// The first byte starts no frame.
    Start {
        /// The byte found.
        found: u8,
    },
    /// The bytes end within this part.
    Ends {
        /// What is not whole.
        part: &'static str,
        /// Bytes that it should have.
        expected: usize,
        /// Bytes of it that are there.
        found: usize,
    },
    /// The two length fields differ.
    Lengths {
        /// The first.
        first: u8,
        /// The second.
        second: u8,
    },
    /// A length that leaves no room for control, address and CI.
    Length {
        /// The length found.
        found: u8,
    },
    /// No second start behind the lengths.
    SecondStart {
        /// The byte found.
        found: u8,
    },
    /// The checksum does not fit the bytes.
    Checksum {
        /// That of the bytes.
        computed: u8,
        /// That in the frame.
        found: u8,
    },
    /// No stop behind the checksum.
    Stop {
        /// The byte found.
        found: u8,
    },
    /// Bytes behind the end.
    Trailing {
        /// The end of what.
        part: &'static str,
        /// How many.
        count: usize,
    },
    /// A CI field whose data this crate does not know.
    Ci {
        /// The field found.
        found: u8,
    },
    /// The records are encrypted.
    Encrypted {
        /// The mode that the configuration word names.
        mode: u8,
    },
    /// More extensions than a record may have.
    TooMany {
        /// DIFE or VIFE.
        part: &'static str,
        /// How many are allowed.
        max: usize,
    },
    /// A code that is reserved, so that nobody knows how long what follows is.
    Reserved {
        /// DIF or LVAR.
        part: &'static str,
        /// The code found.
        found: u8,
    },
}

impl Cause {
    /// What would be right, where it can be named.
    #[must_use]
    pub fn expected(&self) -> Option<String> {
        Some(match *self {
            Self::Empty | Self::Start { .. } => String::from("68h, 10h or E5h"),
            Self::Ends { expected, .. } => format!("{expected} bytes"),
            Self::Lengths { first, .. } => format!("{first:02X}h"),
            Self::Length { .. } => String::from("03h to FFh"),
            Self::SecondStart { .. } => String::from("68h"),
            Self::Checksum { computed, .. } => format!("{computed:02X}h"),
            Self::Stop { .. } => String::from("16h"),
            Self::Trailing { .. } => String::from("0 bytes"),
            Self::TooMany { max, .. } => format!("at most {max}"),
            Self::Ci { .. } | Self::Encrypted { .. } | Self::Reserved { .. } => return None,
        })
    }

    /// What was found instead, where it can be named.
    #[must_use]
    pub fn found(&self) -> Option<String> {
        Some(match *self {
            Self::Empty => String::from("0 bytes"),
            Self::Start { found }
            | Self::Length { found }
            | Self::SecondStart { found }
            | Self::Checksum { found, .. }
            | Self::Stop { found }
            | Self::Ci { found }
            | Self::Reserved { found, .. } => format!("{found:02X}h"),
            Self::Lengths { second, .. } => format!("{second:02X}h"),
            Self::Ends { found, .. } => format!("{found} bytes"),
            Self::Trailing { count, .. } => format!("{count} bytes"),
            Self::Encrypted { mode } => format!("mode {mode}"),
            Self::TooMany { max, .. } => format!("more than {max}"),
        })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => write!(f, "there is no byte; a frame starts with 68h, 10h or E5h"),
            Self::Start { found } => {
                write!(
                    f,
                    "{found:02X}h starts no frame; 68h (long), 10h (short) and E5h (ack) do"
                )
            }
            Self::Ends {
                part,
                expected,
                found,
            } => write!(
                f,
                "the bytes end within the {part}: {expected} are due, {found} are there"
            ),
            Self::Lengths { first, second } => write!(
                f,
                "the second length is {second:02X}h, the first {first:02X}h; they must be equal"
            ),
            Self::Length { found } => write!(
                f,
                "length {found:02X}h; control, address and CI alone make 03h"
            ),
            Self::SecondStart { found } => {
                write!(f, "{found:02X}h where the start 68h comes a second time")
            }
            Self::Checksum { computed, found } => write!(
                f,
                "the frame carries checksum {found:02X}h, its bytes give {computed:02X}h"
            ),
            Self::Stop { found } => write!(f, "{found:02X}h where the stop 16h is due"),
            Self::Trailing { part, count } => {
                write!(f, "bytes behind the end of the {part}: {count}")
            }
            Self::Ci { found } => write!(
                f,
                "CI {found:02X}h: what data follow it is not known here; they are shown as bytes"
            ),
            Self::Encrypted { mode } => write!(
                f,
                "the records are encrypted (mode {mode}); without the meter's key they cannot be read"
            ),
            Self::TooMany { part, max } => {
                write!(f, "more than {max} {part} in one record")
            }
            Self::Reserved { part, found } => write!(
                f,
                "{part} {found:02X}h is reserved: how long its data are is not known"
            ),
        }
    }
}

/// A fault and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In which layer.
    pub layer: Layer,
    /// At which byte, counted from the frame's first.
    pub at: usize,
    /// What it is.
    pub cause: Cause,
}

impl Fault {
    pub(crate) const fn new(layer: Layer, at: usize, cause: Cause) -> Self {
        Self { layer, at, cause }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} layer, byte {}: {}",
            self.layer.name(),
            self.at,
            self.cause
        )
    }
}

impl core::error::Error for Fault {}
