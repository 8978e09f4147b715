//! Newtypes for every identifier, so that a meter is never taken for a port nor a seq for a slot.

use crate::cbor::{DecodeError, DecodeFault, Reader, Writer};
use crate::field::Field;
use crate::limits::ID_BYTES_MAX;
use alloc::string::String;
use core::fmt;

/// Why a text is not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// Empty, or longer than [`ID_BYTES_MAX`].
    Length(usize),
    /// Holds this character.
    Character(char),
    /// Names no stream of numbers.
    Stream,
    /// Is not this many hexadecimal digits.
    Digits(usize),
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(0) => write!(f, "an identifier cannot be empty"),
            Self::Length(len) => {
                write!(
                    f,
                    "an identifier has at most {ID_BYTES_MAX} bytes, this one {len}"
                )
            }
            Self::Digits(due) => write!(f, "{due} hexadecimal digits are due"),
            Self::Stream => write!(f, "a stream is written \"meter ID\" or \"port ID\""),
            Self::Character(found) => write!(
                f,
                "an identifier is made of letters, digits and . _ - : / only, this one has {found:?}"
            ),
        }
    }
}

impl core::error::Error for IdError {}

fn checked(text: &str) -> Result<&str, IdError> {
    if text.is_empty() || text.len() > ID_BYTES_MAX {
        return Err(IdError::Length(text.len()));
    }
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b':' | b'/');
    if text.bytes().all(plain) {
        return Ok(text);
    }
    let odd = |c: &char| !u8::try_from(*c).is_ok_and(plain);
    Err(IdError::Character(
        text.chars().find(odd).unwrap_or_default(),
    ))
}

macro_rules! text_id {
    ($( $(#[$meta:meta])* $name:ident; )+) => { $(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks and takes the text.
            pub fn new(text: &str) -> Result<Self, IdError> {
                checked(text).map(|text| Self(String::from(text)))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl core::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl Field for $name {
            const CDDL: &'static str = "id";

            fn write(&self, writer: &mut Writer) {
                writer.text(&self.0);
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = reader.position();
                let text = reader.text(ID_BYTES_MAX)?;
                Self::new(text)
                    .map_err(|_| reader.fault(at, DecodeFault::OutOfRange("an identifier")))
            }

            fn check(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
                let at = reader.position();
                let text = reader.text(ID_BYTES_MAX)?;
                checked(text)
                    .map(drop)
                    .map_err(|_| reader.fault(at, DecodeFault::OutOfRange("an identifier")))
            }
        }
    )+ };
}

text_id! {
    /// A meter, or a station's own group of points.
    MeterId;
    /// A point (a register, an input) within its meter.
    PointId;
    /// Where an entry came from: a port, a role of the node, a person's console.
    SourceId;
    /// A schedule of due slots.
    ScheduleId;
}

/// A card as the group of its points.
impl From<&SourceId> for MeterId {
    fn from(card: &SourceId) -> Self {
        Self(card.0.clone())
    }
}

/// A pulse meter of the station's own, where it is named as meters are.
impl From<&PointId> for MeterId {
    fn from(point: &PointId) -> Self {
        Self(point.0.clone())
    }
}

/// Whose numbers are counted: a meter's read sessions, or a port's events. Written `meter ID` or
/// `port ID`; an identifier has no space, so the two never meet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Read sessions of a meter, or records of a card's points.
    Meter(MeterId),
    /// Events of a port or card.
    Port(SourceId),
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Meter(meter) => write!(f, "meter {meter}"),
            Self::Port(port) => write!(f, "port {port}"),
        }
    }
}

impl core::str::FromStr for Stream {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once(' ') {
            Some(("meter", id)) => MeterId::new(id).map(Self::Meter),
            Some(("port", id)) => SourceId::new(id).map(Self::Port),
            _ => Err(IdError::Stream),
        }
    }
}

macro_rules! number_id {
    ($( $(#[$meta:meta])* $name:ident; )+) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Field for $name {
            const CDDL: &'static str = "uint";

            fn write(&self, writer: &mut Writer) {
                writer.uint(self.0);
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.uint().map(Self)
            }
        }
    )+ };
}

number_id! {
    /// Which life of the log: grows when a rollback, clone or replacement is adopted.
    Generation;
    /// Index of an entry in the log of its generation, and its leaf index in the tree.
    CommitId;
    /// Which run of the recorder within a generation.
    Epoch;
    /// Number of a read session (or edge) of one source, dense within a generation.
    Seq;
}

impl CommitId {
    /// The id after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// `generation:commit_id`, the short name of an entry within its log (the `event_id` of SOE rows).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    /// The log's generation.
    pub generation: Generation,
    /// The index in it.
    pub commit_id: CommitId,
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.generation, self.commit_id)
    }
}

/// A due slot: `number` counts within one `version` of the schedule's numbering.
///
/// The version grows whenever the numbering has to start afresh (the clock was set back), so that
/// (schedule, version, number) never repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// Which numbering.
    pub version: u64,
    /// Which slot in it.
    pub number: u64,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.version, self.number)
    }
}

impl Field for Slot {
    const CDDL: &'static str = "slot";

    fn write(&self, writer: &mut Writer) {
        writer.array(2);
        writer.uint(self.version);
        writer.uint(self.number);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array_of(2)?;
        Ok(Self {
            version: reader.uint()?,
            number: reader.uint()?,
        })
    }
}

/// Two digits of either case for each byte.
fn read_hex(text: &str, bytes: &mut [u8]) -> Result<(), IdError> {
    let due = bytes.len().saturating_mul(2);
    let wrong = IdError::Digits(due);
    if text.len() != due {
        return Err(wrong);
    }
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        let value = high.ok_or(wrong)? << 4 | low.ok_or(wrong)?;
        *byte = u8::try_from(value).map_err(|_| wrong)?;
    }
    Ok(())
}

macro_rules! bytes_id {
    ($( $(#[$meta:meta])* $name:ident, $len:literal, $cddl:literal; )+) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl core::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let mut bytes = [0; $len];
                read_hex(text, &mut bytes)?;
                Ok(Self(bytes))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl Field for $name {
            const CDDL: &'static str = $cddl;

            fn write(&self, writer: &mut Writer) {
                writer.bytes(&self.0);
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.byte_array().map(Self)
            }
        }
    )+ };
}

bytes_id! {
    /// The log's random identity; a copied disk keeps it, a replaced node does not.
    LogId, 16, "bytes16";
    /// The kernel's boot id: monotonic times compare only within one.
    BootId, 16, "bytes16";
    /// A SHA-256 hash.
    Digest, 32, "bytes32";
}

#[cfg(test)]
mod tests {
    use super::{IdError, LogId, MeterId, SourceId, Stream};
    use std::string::ToString;

    #[test]
    fn a_stream_comes_back_from_its_text() {
        for stream in [
            Stream::Meter(MeterId::new("a").unwrap()),
            Stream::Port(SourceId::new("a").unwrap()),
        ] {
            assert_eq!(stream.to_string().parse(), Ok(stream));
        }
        assert_eq!("a".parse::<Stream>(), Err(IdError::Stream));
    }

    #[test]
    fn an_identity_comes_back_from_its_digits_and_from_nothing_else() {
        let id = LogId([0, 1, 0x2a, 0xff, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xf0]);
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.to_uppercase().parse(), Ok(id));
        let signed = text.replacen("00", "+0", 1);
        let wide = text.replacen("00", "\u{fc}", 1);
        for wrong in ["", "00", &signed, &wide, &std::format!("{text}00")] {
            assert_eq!(wrong.parse::<LogId>(), Err(IdError::Digits(32)), "{wrong}");
        }
    }

    #[test]
    fn an_identifier_is_short_and_plain() {
        assert!(MeterId::new("hall-3/m07").is_ok());
        assert_eq!(MeterId::new(""), Err(IdError::Length(0)));
        assert_eq!(MeterId::new(&"x".repeat(49)), Err(IdError::Length(49)));
        assert_eq!(MeterId::new("m 7"), Err(IdError::Character(' ')));
        assert_eq!(MeterId::new("m\u{fc}ll"), Err(IdError::Character('\u{fc}')));
    }
}
