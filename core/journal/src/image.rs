//! An image as it lies on its media, part by part: headers field by field, sound or not.
//!
//! Nothing here decides what the log is; that is the reader's. A look never fails and never writes.

mod frames;
mod truth;

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use evidence::{Generation, LogId};

pub use frames::{FrameLook, Payload, frame, frames};
pub use truth::{SlotLook, TableLook, slots, tables};

use crate::bytes::{Place, Raw, split_crc, to_usize};
use crate::layout::{FieldRow, SEGMENT_MAGIC, SegmentFixed};
use crate::limits::{BLOCK_BYTES_MAX, SEGMENT_HEADER_BYTES};
use crate::medium::{MediumError, MediumFault, ReadTruth, ReadVolume};
use crate::ring::{Ring, SegmentAt};
use crate::segment::SegmentFault;

/// The log that an image belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// The log.
    pub log_id: LogId,
    /// Its generation.
    pub generation: Generation,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} generation {}", self.log_id, self.generation)
    }
}

/// What a part of the image turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its check holds, and it belongs where it lies.
    Sound,
    /// Zeros: never written.
    Blank,
    /// Its check does not hold.
    Damaged,
    /// Sound, but of another log or generation.
    Foreign,
    /// Sound, but written for another place of this log.
    Elsewhere,
    /// Sound, but of a ring of other measures.
    OtherShape,
    /// Written by a newer version.
    Newer,
    /// The medium did not give it out.
    Unreadable(MediumError),
}

impl State {
    /// One word for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Blank => "blank",
            Self::Damaged => "damaged",
            Self::Foreign => "foreign",
            Self::Elsewhere => "elsewhere",
            Self::OtherShape => "other_shape",
            Self::Newer => "newer",
            Self::Unreadable(MediumError {
                fault: MediumFault::Missing,
                ..
            }) => "missing",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

/// One field of a header, named as in the format's document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Where it begins in the header.
    pub offset: usize,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its value, where it is a number.
    pub number: Option<u64>,
}

/// The fixed part of a header, and what it is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// What it turned out to be.
    pub state: State,
    /// Its fields as they lie there, whatever the state; none where they cannot be read.
    pub fields: Vec<Field>,
}

impl Header {
    fn new(state: State, rows: &[FieldRow], bytes: &[u8]) -> Self {
        let field = |row: &FieldRow| {
            let bytes = bytes.get(row.offset..row.offset.checked_add(row.bytes)?)?;
            let number = row.number.then(|| {
                bytes
                    .iter()
                    .fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte))
            });
            Some(Field {
                name: row.name,
                offset: row.offset,
                bytes: bytes.to_vec(),
                number,
            })
        };
        Self {
            state,
            fields: rows.iter().filter_map(field).collect(),
        }
    }

    /// Whether it is sound.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.state == State::Sound
    }

    /// A number by the name of its field; only of a sound header.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        let sound = self.is_sound().then_some(&self.fields)?;
        sound.iter().find(|field| field.name == name)?.number
    }

    /// A number by the name of its field, as it lies there, whatever the state.
    #[must_use]
    pub fn raw_number(&self, name: &str) -> Option<u64> {
        self.fields.iter().find(|field| field.name == name)?.number
    }

    /// The log that it names, whatever its state.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        let field = |name: &str| self.fields.iter().find(|field| field.name == name);
        let mut log_id = field("log_id")?.bytes.as_slice();
        Some(Identity {
            log_id: LogId::take(&mut log_id)?,
            generation: Generation(field("generation")?.number?),
        })
    }
}

/// The header of a segment.
pub fn segment<V: ReadVolume>(volume: &V, identity: Identity, segment: u32) -> Header {
    let ring = Ring::new(volume, identity.log_id, identity.generation);
    let len = to_usize(ring.shape.first_frame_offset());
    let bytes = ring.read(segment, 0, len).unwrap_or_default();
    let state = match ring.segment_head(segment) {
        Ok(_) => State::Sound,
        Err(SegmentAt::Medium(error)) => State::Unreadable(error),
        Err(SegmentAt::Fault(fault)) => match fault {
            SegmentFault::Blank => State::Blank,
            SegmentFault::Elsewhere { .. } => State::Elsewhere,
            SegmentFault::Damaged => State::Damaged,
            SegmentFault::Foreign(..) => State::Foreign,
            SegmentFault::Newer(_) => State::Newer,
            SegmentFault::OtherShape { .. } => State::OtherShape,
        },
    };
    Header::new(state, SegmentFixed::FIELDS, &bytes)
}

/// The fixed part of a segment's header whose own check holds, wherever it was found.
fn checked(bytes: &[u8]) -> Option<SegmentFixed> {
    let fixed = SegmentFixed::read(&mut &*bytes)?;
    if fixed.magic != SEGMENT_MAGIC || fixed.block_bytes > BLOCK_BYTES_MAX {
        return None;
    }
    let len = SEGMENT_HEADER_BYTES.max(fixed.block_bytes as usize);
    let (body, crc) = split_crc(bytes.get(..len)?)?;
    let place = Place {
        log_id: fixed.log_id,
        segment: fixed.segment_no,
        lap: fixed.lap,
        offset: 0,
    };
    (place.crc(body) == crc).then_some(fixed)
}

/// What a sound header of a segment says of itself, without knowing the ring: its log, its number,
/// `segment_bytes` and `block_bytes`. `bytes` are the first of its file, 64 KiB or all.
#[must_use]
pub fn measures(bytes: &[u8]) -> Option<(Identity, u32, u64, u32)> {
    let fixed = checked(bytes)?;
    let identity = Identity {
        log_id: fixed.log_id,
        generation: fixed.generation,
    };
    let (no, bytes) = (fixed.segment_no, fixed.segment_bytes);
    Some((identity, no, bytes, fixed.block_bytes))
}

/// What the header of a segment says against every copy of a truth store together.
const SEGMENT_VOTES: u32 = 8;

/// The log that most sound headers of segments name; the truth store speaks where they disagree evenly.
pub fn identify<V: ReadVolume, T: ReadTruth>(volume: &V, medium: &T) -> Option<Identity> {
    let shape = volume.shape();
    let mut votes: BTreeMap<Identity, u32> = BTreeMap::new();
    let mut vote = |identity, count| {
        let votes: &mut u32 = votes.entry(identity).or_default();
        *votes = votes.saturating_add(count);
    };
    let mut buffer = vec![0; to_usize(shape.first_frame_offset())];
    for segment in 0..shape.segments {
        if volume.read(segment, 0, &mut buffer).is_ok()
            && let Some((identity, ..)) = measures(&buffer)
        {
            vote(identity, SEGMENT_VOTES);
        }
    }
    truth::owners(medium).for_each(|owner| vote(owner, 1));
    let most = votes.into_iter().max_by_key(|(_, votes)| *votes);
    most.map(|(identity, _)| identity)
}
