//! How a field of a message is written: as evidence writes it, or with the bounds of a message.

use crate::limits::{
    LEAF_BYTES_MAX, LIST_LEN_MAX, NOTE_BYTES_MAX, STATUS_BYTES_MAX, TEXT_BYTES_MAX,
};
use crate::message::{Leaf, NoteText, StatusText};
use evidence::cbor::{DecodeError, DecodeFault, Reader, Writer};
use evidence::limits::ENTRY_BYTES_MAX;
use evidence::reasons::{CounterKind, Custody, KeyFault, LossCause, TruthClass};
use evidence::{
    Actor, Blob, BootId, Captured, CommitId, Digest, Epoch, Field, Generation, Kind, MeterId,
    MonoNs, PointId, ScheduleId, SourceId, UtcNs,
};

/// A value that a message can carry.
pub(crate) trait Wire: Sized {
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
}

macro_rules! as_in_evidence {
    ($($name:ty),+ $(,)?) => { $(
        impl Wire for $name {
            fn write(&self, writer: &mut Writer) {
                Field::write(self, writer);
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                <Self as Field>::read(reader)
            }
        }
    )+ };
}

as_in_evidence!(
    bool,
    i64,
    u32,
    u64,
    Actor,
    Blob,
    BootId,
    CommitId,
    CounterKind,
    Custody,
    Digest,
    Epoch,
    Generation,
    KeyFault,
    LossCause,
    MeterId,
    MonoNs,
    PointId,
    ScheduleId,
    SourceId,
    TruthClass,
    UtcNs,
);

impl<T: Wire> Wire for Option<T> {
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
}

impl<T: Wire> Wire for Vec<T> {
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
}

impl Wire for String {
    fn write(&self, writer: &mut Writer) {
        writer.text(self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.string(TEXT_BYTES_MAX)
    }
}

impl Wire for NoteText {
    fn write(&self, writer: &mut Writer) {
        writer.text(&self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.string(NOTE_BYTES_MAX).map(Self)
    }
}

impl Wire for StatusText {
    fn write(&self, writer: &mut Writer) {
        writer.text(&self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.string(STATUS_BYTES_MAX).map(Self)
    }
}

impl Wire for Leaf {
    fn write(&self, writer: &mut Writer) {
        writer.bytes(&self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader
            .bytes(LEAF_BYTES_MAX)
            .map(|bytes| Self(bytes.to_vec()))
    }
}

impl Wire for Kind {
    fn write(&self, writer: &mut Writer) {
        writer.uint(self.code());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = reader.position();
        Self::from_code(reader.uint()?)
            .ok_or_else(|| reader.fault(at, DecodeFault::OutOfRange("the kinds of this version")))
    }
}

/// The record as its producer made it: kind, capture bytes, record CRC. Whether the CRC holds is
/// for the recorder to judge, who keeps a sample of what fails.
impl Wire for Captured {
    fn write(&self, writer: &mut Writer) {
        writer.array(3);
        self.kind.write(writer);
        writer.bytes(&self.capture);
        Wire::write(&self.record_crc, writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array_of(3)?;
        Ok(Self {
            kind: Kind::read(reader)?,
            capture: reader.bytes(ENTRY_BYTES_MAX)?.to_vec(),
            record_crc: <u32 as Wire>::read(reader)?,
        })
    }
}
