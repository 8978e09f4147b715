//! An entry: `[header, stamp, capture bytes, record CRC]`, the same bytes everywhere.

use crate::cbor::{DecodeError, DecodeFault, Reader, Writer};
use crate::field::Field;
use crate::ids::{CommitId, EntryId, Epoch, Generation};
use crate::kinds::{Kind, Payload};
use crate::limits::ENTRY_BYTES_MAX;
use crate::time::Stamp;
use alloc::vec::Vec;
use core::fmt;

/// What a producer hands to the recorder: a kind, its capture bytes and their CRC-32C (A4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// Kind of the payload.
    pub kind: Kind,
    /// The payload's one encoding.
    pub capture: Vec<u8>,
    /// CRC-32C over the capture bytes, made where they were made.
    pub record_crc: u32,
}

impl Captured {
    /// Encodes a payload and protects it.
    #[must_use]
    pub fn new(payload: &Payload) -> Self {
        let capture = payload.encode();
        let record_crc = crc32c::crc32c(&capture);
        Self {
            kind: payload.kind(),
            capture,
            record_crc,
        }
    }

    /// Whether the capture bytes are still those that were protected.
    #[must_use]
    pub fn crc_holds(&self) -> bool {
        crc32c::crc32c(&self.capture) == self.record_crc
    }

    /// The payload, if CRC and encoding hold.
    pub fn payload(&self) -> Result<Payload, EntryError> {
        if !self.crc_holds() {
            return Err(EntryError::RecordCrc {
                stored: self.record_crc,
                computed: crc32c::crc32c(&self.capture),
            });
        }
        Payload::decode(self.kind, &self.capture).map_err(EntryError::Capture)
    }
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Kind of the payload.
    pub kind: Kind,
    /// Generation of the log.
    pub generation: Generation,
    /// Index in the log.
    pub commit_id: CommitId,
    /// Run of the recorder that committed it.
    pub epoch: Epoch,
}

impl Header {
    /// The header of an entry's bytes; what follows it is not looked at.
    #[must_use]
    pub fn peek(entry: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(entry);
        reader.array_of(4).ok()?;
        Self::read(&mut reader).ok()
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array_of(4)?;
        let at = reader.position();
        let kind = Kind::from_code(reader.uint()?).ok_or_else(|| {
            reader.fault(at, DecodeFault::OutOfRange("the kinds of this version"))
        })?;
        Ok(Self {
            kind,
            generation: Generation::read(reader)?,
            commit_id: CommitId::read(reader)?,
            epoch: Epoch::read(reader)?,
        })
    }

    /// The entry's short name.
    #[must_use]
    pub fn id(&self) -> EntryId {
        EntryId {
            generation: self.generation,
            commit_id: self.commit_id,
        }
    }
}

/// A committed entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub header: Header,
    /// When it was captured.
    pub stamp: Stamp,
    /// What was captured.
    pub captured: Captured,
}

/// Why bytes are not a sound entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryError {
    /// The array around the capture bytes is malformed.
    Envelope(DecodeError),
    /// The capture bytes do not match their record CRC.
    RecordCrc {
        /// The CRC in the entry.
        stored: u32,
        /// The CRC of the bytes found.
        computed: u32,
    },
    /// The capture bytes match their CRC but are not a payload of their kind.
    Capture(DecodeError),
    /// Longer than an entry may be.
    TooLong(usize),
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Envelope(error) => write!(f, "the entry is malformed at {error}"),
            Self::RecordCrc { stored, computed } => {
                write!(
                    f,
                    "the record CRC is {stored:08x} but its bytes give {computed:08x}"
                )
            }
            Self::Capture(error) => write!(f, "the capture bytes are malformed at {error}"),
            Self::TooLong(len) => {
                write!(
                    f,
                    "the entry has {len} bytes, more than the {ENTRY_BYTES_MAX} it may have"
                )
            }
        }
    }
}

impl core::error::Error for EntryError {}

/// Room for header, stamp, lengths and CRC, as they mostly are.
const ENVELOPE_BYTES: usize = 64;

/// The bytes of the entry of these parts.
#[must_use]
pub fn encode_entry(header: &Header, stamp: &Stamp, captured: &Captured) -> Vec<u8> {
    let mut out = Vec::with_capacity(captured.capture.len().saturating_add(ENVELOPE_BYTES));
    append_entry(&mut out, header, stamp, captured);
    out
}

/// Appends the bytes of the entry of these parts.
pub fn append_entry(out: &mut Vec<u8>, header: &Header, stamp: &Stamp, captured: &Captured) {
    let mut writer = Writer::behind(core::mem::take(out));
    writer.array(4);
    writer.array(4);
    writer.uint(header.kind.code());
    header.generation.write(&mut writer);
    header.commit_id.write(&mut writer);
    header.epoch.write(&mut writer);
    stamp.write(&mut writer);
    writer.bytes(&captured.capture);
    writer.uint(u64::from(captured.record_crc));
    *out = writer.into_bytes();
}

/// An entry whose parts still lie in its bytes: to be judged, not to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryRef<'a> {
    /// Where it stands.
    pub header: Header,
    /// When it was captured.
    pub stamp: Stamp,
    /// The capture bytes.
    pub capture: &'a [u8],
    /// Their CRC-32C, made where they were made.
    pub record_crc: u32,
}

impl<'a> EntryRef<'a> {
    /// Reads an entry, as [`Entry::decode`] does.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, EntryError> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(EntryError::TooLong(bytes.len()));
        }
        Self::read(bytes).map_err(EntryError::Envelope)
    }

    fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.array_of(4)?;
        let header = Header::read(&mut reader)?;
        let stamp = Stamp::read(&mut reader)?;
        let capture = reader.bytes(ENTRY_BYTES_MAX)?;
        let record_crc = u32::read(&mut reader)?;
        reader.finish()?;
        Ok(Self {
            header,
            stamp,
            capture,
            record_crc,
        })
    }

    /// Whether CRC and encoding of the payload hold; fails exactly where [`Self::payload`] does, and
    /// makes nothing.
    pub fn check(&self) -> Result<(), EntryError> {
        self.check_crc()?;
        Payload::check(self.header.kind, self.capture).map_err(EntryError::Capture)
    }

    /// The payload, if CRC and encoding hold.
    pub fn payload(&self) -> Result<Payload, EntryError> {
        self.check_crc()?;
        Payload::decode(self.header.kind, self.capture).map_err(EntryError::Capture)
    }

    fn check_crc(&self) -> Result<(), EntryError> {
        let (stored, computed) = (self.record_crc, crc32c::crc32c(self.capture));
        match stored == computed {
            true => Ok(()),
            false => Err(EntryError::RecordCrc { stored, computed }),
        }
    }

    /// The entry by itself.
    #[must_use]
    pub fn to_entry(self) -> Entry {
        Entry {
            header: self.header,
            stamp: self.stamp,
            captured: Captured {
                kind: self.header.kind,
                capture: self.capture.to_vec(),
                record_crc: self.record_crc,
            },
        }
    }
}

impl Entry {
    /// Its bytes, as they go into frame, batch, tile and bundle.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode_entry(&self.header, &self.stamp, &self.captured)
    }

    /// Reads an entry. The record CRC is not checked here: a damaged record is still shown.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        EntryRef::decode(bytes).map(EntryRef::to_entry)
    }

    /// The payload, if CRC and encoding hold.
    pub fn payload(&self) -> Result<Payload, EntryError> {
        self.captured.payload()
    }
}

#[cfg(test)]
mod tests {
    use super::{Captured, Entry, EntryError, Header};
    use crate::kinds::{Configuration, Counter, CounterSnapshot, Kind, Loss, Reading};
    use crate::reasons::{CounterState, HoldoverReason, LossCause, TimeQuality, TimeStatus};
    use crate::{
        Blob, CommitId, Digest, Epoch, Generation, MeterId, MonoNs, PointId, Quality, Seq, Slot,
        SourceId, Stamp, TimeDetail, UtcNs,
    };
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use std::vec::Vec;

    fn reading() -> Entry {
        let payload = Reading {
            at: MonoNs(12_345),
            meter_id: MeterId::new("m07").unwrap(),
            point_id: PointId::new("energy").unwrap(),
            source: SourceId::new("rs485-1").unwrap(),
            seq: Seq(41),
            slot: Some(Slot {
                version: 1,
                number: 99,
            }),
            attempt: 0,
            raw: Blob(std::vec![0, 1, 0, 2]),
            value: Some("655.38".parse().unwrap()),
            quality: Quality::GOOD,
            contract: CommitId(1),
        }
        .into();
        Entry {
            header: Header {
                kind: Kind::Reading,
                generation: Generation(1),
                commit_id: CommitId(300),
                epoch: Epoch(2),
            },
            stamp: Stamp {
                timestamp: UtcNs(1_700_000_000_000_000_000),
                quality: TimeQuality::RtcOnly,
                status: TimeStatus::FreeRun,
                bound_ns: None,
                detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
            },
            captured: Captured::new(&payload),
        }
    }

    /// Of every form that a field can have: optional, list, nested, text, bytes.
    fn payloads() -> Vec<crate::Payload> {
        let counter = |label: Option<&str>| Counter {
            name: "polls".into(),
            label: label.map(Into::into),
            state: CounterState::Value,
            value: Some(7),
            source: SourceId::new("io").unwrap(),
        };
        std::vec![
            reading().payload().unwrap(),
            Loss {
                at: MonoNs(5),
                first: CommitId(3),
                count: 4,
                cause: LossCause::FrameDamaged,
                hashes: std::vec![Digest([1; 32]), Digest([2; 32])],
                segment: 1,
                offset_bytes: 4_096,
                before: Vec::new(),
            }
            .into(),
            CounterSnapshot {
                at: MonoNs(6),
                counters: std::vec![counter(None), counter(Some("m07"))],
            }
            .into(),
            Configuration {
                at: MonoNs(7),
                digest: Digest([3; 32]),
                part: 0,
                parts: 1,
                bytes: Blob(std::vec![9; 40]),
            }
            .into(),
        ]
    }

    //= A2.1
    //= A2.2
    //= R2.2
    #[test]
    fn an_entry_comes_back_from_its_bytes() {
        let entry = reading();
        let back = Entry::decode(&entry.encode()).unwrap();
        assert_eq!(back, entry);
        assert_eq!(back.payload().unwrap().encode(), entry.captured.capture);
    }

    //= A4.1
    #[test]
    fn any_flipped_bit_of_the_capture_bytes_breaks_the_record_crc() {
        let whole = reading();
        for byte in 0..whole.captured.capture.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged.captured.capture[byte] ^= 1 << bit;
                assert!(matches!(
                    damaged.payload(),
                    Err(EntryError::RecordCrc { .. })
                ));
            }
        }
    }

    #[test]
    fn a_field_that_this_version_does_not_know_is_refused() {
        let mut capture = crate::cbor::Writer::new();
        capture.map(1);
        capture.uint(77);
        capture.uint(0);
        let error = crate::Payload::decode(Kind::Event, &capture.into_bytes()).unwrap_err();
        assert!(std::format!("{error}").contains("required key 0 is missing"));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in any::<Vec<u8>>()) {
            if let Ok(entry) = Entry::decode(&bytes) {
                prop_assert_eq!(entry.encode(), bytes.clone());
            }
            for kind in Kind::ALL {
                prop_assert_eq!(
                    crate::Payload::decode(*kind, &bytes).map(drop),
                    crate::Payload::check(*kind, &bytes)
                );
                if let Ok(payload) = crate::Payload::decode(*kind, &bytes) {
                    prop_assert_eq!(payload.encode(), bytes.clone());
                }
            }
        }

        #[test]
        fn whatever_still_decodes_after_damage_encodes_to_the_same_bytes(
            at in 0usize..80, mask in 1u8..=255
        ) {
            let mut bytes = reading().encode();
            let at = at % bytes.len();
            bytes[at] ^= mask;
            if let Ok(entry) = Entry::decode(&bytes) {
                prop_assert_eq!(entry.encode(), bytes);
            }
        }

        /// The capture bytes themselves are damaged, so that no CRC hides what the check passes over.
        #[test]
        fn a_check_fails_exactly_where_reading_fails(
            sample in 0usize..4, at in 0usize..4_096, mask in 0u8..=255, cut in 0usize..4
        ) {
            let payload = payloads().swap_remove(sample);
            let mut capture = payload.encode();
            let at = at % capture.len();
            capture[at] ^= mask;
            capture.truncate(capture.len() - cut.min(capture.len()));
            for kind in [payload.kind(), Kind::Reading] {
                let read = crate::Payload::decode(kind, &capture);
                prop_assert_eq!(read.map(drop), crate::Payload::check(kind, &capture));
            }
        }
    }
}
