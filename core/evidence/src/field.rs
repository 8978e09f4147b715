//! What a field of a payload is: something with one encoding and one CDDL name.

use crate::cbor::{DecodeError, DecodeFault, Reader, Writer};
use crate::limits::{BLOB_BYTES_MAX, LIST_LEN_MAX, TEXT_BYTES_MAX};
use alloc::string::String;
use alloc::vec::Vec;

/// A value that a payload can carry.
pub trait Field: Sized {
    /// Its type in the published CDDL.
    const CDDL: &'static str;
    /// Whether a payload may leave it out.
    const OPTIONAL: bool = false;

    /// Whether it is there; only optional fields are ever not.
    fn present(&self) -> bool {
        true
    }

    /// The value that stands for "left out", for optional fields.
    fn absent() -> Option<Self> {
        None
    }

    /// Appends its encoding.
    fn write(&self, writer: &mut Writer);

    /// Takes it from its encoding.
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Passes over it; fails exactly where [`Self::read`] does, and makes nothing.
    fn check(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        Self::read(reader).map(drop)
    }
}

impl<T: Field> Field for Option<T> {
    const CDDL: &'static str = T::CDDL;
    const OPTIONAL: bool = true;

    fn present(&self) -> bool {
        self.is_some()
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn write(&self, writer: &mut Writer) {
        if let Some(value) = self {
            value.write(writer);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::read(reader).map(Some)
    }

    fn check(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        T::check(reader)
    }
}

/// A list; in CDDL the element's name in brackets is written by the generator.
impl<T: Field> Field for Vec<T> {
    const CDDL: &'static str = T::CDDL;

    fn write(&self, writer: &mut Writer) {
        writer.array(self.len());
        for value in self {
            value.write(writer);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let len = reader.array(LIST_LEN_MAX)?;
        (0..len).map(|_| T::read(reader)).collect()
    }

    fn check(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let len = reader.array(LIST_LEN_MAX)?;
        (0..len).try_for_each(|_| T::check(reader))
    }
}

impl Field for String {
    const CDDL: &'static str = "text";

    fn write(&self, writer: &mut Writer) {
        writer.text(self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.string(TEXT_BYTES_MAX)
    }

    fn check(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        reader.text(TEXT_BYTES_MAX).map(drop)
    }
}

/// Opaque bytes: a sample of the wire, raw registers, a part of a contract.
impl Field for Blob {
    const CDDL: &'static str = "blob";

    fn write(&self, writer: &mut Writer) {
        writer.bytes(&self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader
            .bytes(BLOB_BYTES_MAX)
            .map(|bytes| Self(bytes.to_vec()))
    }

    fn check(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        reader.bytes(BLOB_BYTES_MAX).map(drop)
    }
}

/// Opaque bytes as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl From<&[u8]> for Blob {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl Field for u64 {
    const CDDL: &'static str = "uint";

    fn write(&self, writer: &mut Writer) {
        writer.uint(*self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.uint()
    }
}

impl Field for u32 {
    const CDDL: &'static str = "uint32";

    fn write(&self, writer: &mut Writer) {
        writer.uint(u64::from(*self));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = reader.position();
        Self::try_from(reader.uint()?)
            .map_err(|_| reader.fault(at, DecodeFault::OutOfRange("a 32-bit unsigned integer")))
    }
}

impl Field for i64 {
    const CDDL: &'static str = "int64";

    fn write(&self, writer: &mut Writer) {
        writer.int(*self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.int()
    }
}

impl Field for bool {
    const CDDL: &'static str = "bool";

    fn write(&self, writer: &mut Writer) {
        writer.bool(*self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.bool()
    }
}
