//! Deterministic CBOR (RFC 8949, section 4.2.1): one value, one encoding.
//!
//! [`Writer`] can only write the shortest form; [`Reader`] refuses every other. Maps have unsigned
//! integer keys in ascending order. Floating point does not exist here: a register is not a float.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Major types of RFC 8949, section 3.1.
const UINT: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const SIMPLE: u8 = 7;

const FALSE: u8 = 20;
const TRUE: u8 = 21;
const NULL: u8 = 22;

/// Why bytes are not the deterministic CBOR that was expected, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Offset of the item at fault, in bytes from the start of the input.
    pub at: usize,
    /// What is wrong there.
    pub what: DecodeFault,
}

/// What can be wrong with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeFault {
    /// The input ends inside an item.
    Truncated,
    /// An item of another type stands where this one was expected.
    Expected(&'static str),
    /// The argument is not in its shortest form, or the length is indefinite.
    NotDeterministic,
    /// The value is outside what the field allows; the text names the field's type.
    OutOfRange(&'static str),
    /// A map lacks this required key.
    MissingKey(u64),
    /// A map has a key that this version does not know, or keys out of order.
    UnknownKey(u64),
    /// Bytes follow the last item.
    TrailingBytes,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: ", self.at)?;
        match self.what {
            DecodeFault::Truncated => write!(f, "the input ends inside an item"),
            DecodeFault::Expected(what) => write!(f, "expected {what}"),
            DecodeFault::NotDeterministic => {
                write!(
                    f,
                    "not in the shortest form that deterministic CBOR demands"
                )
            }
            DecodeFault::OutOfRange(what) => write!(f, "value outside the range of {what}"),
            DecodeFault::MissingKey(key) => write!(f, "required key {key} is missing"),
            DecodeFault::UnknownKey(key) => write!(f, "key {key} is unknown or out of order"),
            DecodeFault::TrailingBytes => write!(f, "bytes follow the last item"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Appends items to a byte vector, always in the shortest form.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// An empty output.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty output with room for so many bytes.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        Self {
            out: Vec::with_capacity(bytes),
        }
    }

    /// An output that goes on behind these bytes.
    #[must_use]
    pub fn behind(bytes: Vec<u8>) -> Self {
        Self { out: bytes }
    }

    /// What was written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    fn head(&mut self, major: u8, argument: u64) {
        let major = major << 5;
        let be = argument.to_be_bytes();
        match argument {
            0..=23 => self.out.push(major | be[7]),
            24..=0xFF => self.out.extend_from_slice(&[major | 24, be[7]]),
            0x100..=0xFFFF => self.out.extend_from_slice(&[major | 25, be[6], be[7]]),
            0x1_0000..=0xFFFF_FFFF => {
                self.out
                    .extend_from_slice(&[major | 26, be[4], be[5], be[6], be[7]]);
            }
            _ => {
                self.out.push(major | 27);
                self.out.extend_from_slice(&be);
            }
        }
    }

    /// An unsigned integer.
    pub fn uint(&mut self, value: u64) {
        self.head(UINT, value);
    }

    /// A signed integer.
    pub fn int(&mut self, value: i64) {
        match u64::try_from(value) {
            Ok(positive) => self.head(UINT, positive),
            Err(_) => self.head(NEGATIVE, (!value).cast_unsigned()),
        }
    }

    /// An integer of the whole CBOR range, -2^64 to 2^64-1; `false` if outside it.
    #[must_use]
    pub fn wide_int(&mut self, value: i128) -> bool {
        if let Ok(positive) = u64::try_from(value) {
            self.head(UINT, positive);
        } else if let Ok(negative) = u64::try_from(-1 - value) {
            self.head(NEGATIVE, negative);
        } else {
            return false;
        }
        true
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) {
        self.head(BYTES, value.len() as u64);
        self.out.extend_from_slice(value);
    }

    /// A text string.
    pub fn text(&mut self, value: &str) {
        self.head(TEXT, value.len() as u64);
        self.out.extend_from_slice(value.as_bytes());
    }

    /// The head of an array of `len` items; the caller writes the items.
    pub fn array(&mut self, len: usize) {
        self.head(ARRAY, len as u64);
    }

    /// The head of a map of `len` pairs; the caller writes them in ascending order of keys.
    pub fn map(&mut self, len: usize) {
        self.head(MAP, len as u64);
    }

    /// A tag; the caller writes the tagged item.
    pub fn tag(&mut self, tag: u64) {
        self.head(TAG, tag);
    }

    /// A boolean.
    pub fn bool(&mut self, value: bool) {
        self.head(SIMPLE, u64::from(if value { TRUE } else { FALSE }));
    }

    /// Null.
    pub fn null(&mut self) {
        self.head(SIMPLE, u64::from(NULL));
    }
}

/// Takes items from a byte slice, refusing all that is not deterministic.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads from the start of `input`.
    #[must_use]
    pub fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0 }
    }

    /// Offset of the next item.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Fails unless the whole input was read.
    pub fn finish(&self) -> Result<(), DecodeError> {
        if self.at == self.input.len() {
            Ok(())
        } else {
            Err(self.fault(self.at, DecodeFault::TrailingBytes))
        }
    }

    /// An error at the item that starts at `at`.
    #[must_use]
    pub fn fault(&self, at: usize, what: DecodeFault) -> DecodeError {
        DecodeError { at, what }
    }

    fn take(&mut self, len: usize, item: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(len);
        let found = end.and_then(|end| self.input.get(self.at..end));
        let found = found.ok_or(DecodeError {
            at: item,
            what: DecodeFault::Truncated,
        })?;
        self.at += len;
        Ok(found)
    }

    /// Major type of the next item, if any is left.
    fn peek_major(&self) -> Option<u8> {
        self.input.get(self.at).map(|initial| initial >> 5)
    }

    fn head(&mut self, major: u8, expected: &'static str) -> Result<u64, DecodeError> {
        let item = self.at;
        let initial = match self.take(1, item)? {
            [byte] => *byte,
            _ => return Err(self.fault(item, DecodeFault::Truncated)),
        };
        if initial >> 5 != major {
            self.at = item;
            return Err(self.fault(item, DecodeFault::Expected(expected)));
        }
        let (len, floor) = match initial & 0x1F {
            small @ 0..=23 => return Ok(u64::from(small)),
            24 => (1, 24),
            25 => (2, 0x100),
            26 => (4, 0x1_0000),
            27 => (8, 0x1_0000_0000),
            _ => return Err(self.fault(item, DecodeFault::NotDeterministic)),
        };
        let value = self
            .take(len, item)?
            .iter()
            .fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte));
        if value < floor {
            return Err(self.fault(item, DecodeFault::NotDeterministic));
        }
        Ok(value)
    }

    fn len(&mut self, major: u8, what: &'static str, max: usize) -> Result<usize, DecodeError> {
        let item = self.at;
        let len = self.head(major, what)?;
        usize::try_from(len)
            .ok()
            .filter(|len| *len <= max)
            .ok_or_else(|| self.fault(item, DecodeFault::OutOfRange(what)))
    }

    /// An unsigned integer.
    pub fn uint(&mut self) -> Result<u64, DecodeError> {
        self.head(UINT, "an unsigned integer")
    }

    /// A signed 64-bit integer.
    pub fn int(&mut self) -> Result<i64, DecodeError> {
        let item = self.at;
        i64::try_from(self.wide_int()?)
            .map_err(|_| self.fault(item, DecodeFault::OutOfRange("a signed 64-bit integer")))
    }

    /// An integer of the whole CBOR range.
    pub fn wide_int(&mut self) -> Result<i128, DecodeError> {
        if self.peek_major() == Some(NEGATIVE) {
            Ok(-1 - i128::from(self.head(NEGATIVE, "an integer")?))
        } else {
            Ok(i128::from(self.head(UINT, "an integer")?))
        }
    }

    /// A byte string of at most `max` bytes.
    pub fn bytes(&mut self, max: usize) -> Result<&'a [u8], DecodeError> {
        let item = self.at;
        let len = self.len(BYTES, "a byte string", max)?;
        self.take(len, item)
    }

    /// A byte string of exactly `N` bytes.
    pub fn byte_array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let item = self.at;
        let bytes = self.bytes(N)?;
        bytes.try_into().map_err(|_| {
            self.fault(
                item,
                DecodeFault::OutOfRange("a byte string of fixed length"),
            )
        })
    }

    /// A text string of at most `max` bytes.
    pub fn text(&mut self, max: usize) -> Result<&'a str, DecodeError> {
        let item = self.at;
        let len = self.len(TEXT, "a text string", max)?;
        core::str::from_utf8(self.take(len, item)?)
            .map_err(|_| self.fault(item, DecodeFault::Expected("valid UTF-8")))
    }

    /// An owned text string of at most `max` bytes.
    pub fn string(&mut self, max: usize) -> Result<String, DecodeError> {
        self.text(max).map(String::from)
    }

    /// The head of an array of at most `max` items.
    pub fn array(&mut self, max: usize) -> Result<usize, DecodeError> {
        self.len(ARRAY, "an array", max)
    }

    /// The head of an array of exactly `len` items.
    pub fn array_of(&mut self, len: usize) -> Result<(), DecodeError> {
        let item = self.at;
        if self.array(usize::MAX)? == len {
            Ok(())
        } else {
            Err(self.fault(item, DecodeFault::Expected("an array of another length")))
        }
    }

    /// The head of a map; returns a cursor over its integer keys.
    pub fn map(&mut self) -> Result<MapReader<'_, 'a>, DecodeError> {
        let left = self.len(MAP, "a map", crate::limits::LIST_LEN_MAX)?;
        Ok(MapReader {
            reader: self,
            left,
            key: None,
            last: None,
        })
    }

    /// A tag, which must be `tag`.
    pub fn tag(&mut self, tag: u64) -> Result<(), DecodeError> {
        let item = self.at;
        if self.head(TAG, "a tag")? == tag {
            Ok(())
        } else {
            Err(self.fault(item, DecodeFault::Expected("another tag")))
        }
    }

    /// A boolean.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        let item = self.at;
        match self.head(SIMPLE, "a boolean")? {
            value if value == u64::from(FALSE) => Ok(false),
            value if value == u64::from(TRUE) => Ok(true),
            _ => Err(self.fault(item, DecodeFault::Expected("a boolean"))),
        }
    }

    /// Takes a null if one stands here.
    pub fn null_if_any(&mut self) -> bool {
        if self.input.get(self.at) == Some(&((SIMPLE << 5) | NULL)) {
            self.at += 1;
            true
        } else {
            false
        }
    }
}

/// Walks a map whose keys are unsigned integers in ascending order.
#[derive(Debug)]
pub struct MapReader<'r, 'a> {
    reader: &'r mut Reader<'a>,
    left: usize,
    key: Option<u64>,
    last: Option<u64>,
}

impl<'a> MapReader<'_, 'a> {
    /// If the next key is `key`, a reader at its value; `None` if the map does not have it.
    pub fn value(&mut self, key: u64) -> Result<Option<&mut Reader<'a>>, DecodeError> {
        self.pull_key()?;
        if self.key == Some(key) {
            self.key = None;
            Ok(Some(self.reader))
        } else {
            Ok(None)
        }
    }

    /// Reads the next key, unless one waits to be asked for or none is left.
    fn pull_key(&mut self) -> Result<(), DecodeError> {
        if self.key.is_some() || self.left == 0 {
            return Ok(());
        }
        let item = self.reader.position();
        let next = self.reader.uint()?;
        if self.last.is_some_and(|last| next <= last) {
            return Err(self.reader.fault(item, DecodeFault::UnknownKey(next)));
        }
        self.left -= 1;
        self.last = Some(next);
        self.key = Some(next);
        Ok(())
    }

    /// The error for a required key that is not there.
    #[must_use]
    pub fn missing(&self, key: u64) -> DecodeError {
        self.reader
            .fault(self.reader.position(), DecodeFault::MissingKey(key))
    }

    /// Fails if a key is left that nobody asked for.
    pub fn finish(mut self) -> Result<(), DecodeError> {
        self.pull_key()?;
        match self.key {
            None => Ok(()),
            Some(key) => Err(self
                .reader
                .fault(self.reader.position(), DecodeFault::UnknownKey(key))),
        }
    }
}

#[cfg(test)]
mod tests;
