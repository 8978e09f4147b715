//! Salvage: what can be read of an image that nobody may write to, whatever state it is in.
//!
//! A reader refuses what is not its log. Here such parts are set aside, as if they were missing, and
//! what is left is read; where the truth store ends the log too early, frames behind its end are read
//! as well, and marked as such.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use evidence::CommitId;
use evidence::reasons::TruthClass;

use crate::displaced::{Displaced, Misplaced, displaced};
use crate::find::{Finding, Loss};
use crate::frame::StoredEntry;
use crate::image::{self, Identity, SlotLook, State};
use crate::medium::{MediumError, MediumFault, ReadTruth, ReadVolume, Shape};
use crate::reader::Reader;
use crate::ring::{Ring, SegmentAt};
use crate::segment::SegmentFault;

/// A medium of which some parts are taken as missing.
#[derive(Debug)]
pub struct Masked<'m, M> {
    medium: &'m M,
    /// Segments, or slot copies as `slot * copies + copy`.
    hidden: Vec<u32>,
    /// Segments that are read from the place of another.
    moved: BTreeMap<u32, u32>,
}

impl<M> Masked<'_, M> {
    fn refuse(&self, part: u32, offset: u64) -> Result<(), MediumError> {
        match self.hidden.contains(&part) {
            false => Ok(()),
            true => Err(MediumError {
                fault: MediumFault::Missing,
                segment: part,
                offset,
                os_error: None,
            }),
        }
    }
}

impl<V: ReadVolume> ReadVolume for Masked<'_, V> {
    fn shape(&self) -> Shape {
        self.medium.shape()
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        self.refuse(segment, offset)?;
        let place = self.moved.get(&segment).copied().unwrap_or(segment);
        self.medium.read(place, offset, into)
    }
}

impl<T: ReadTruth> ReadTruth for Masked<'_, T> {
    fn class(&self) -> TruthClass {
        self.medium.class()
    }

    fn read(&self, slot: u32, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        self.refuse(part_of(slot, copy), 0)?;
        self.medium.read(slot, copy, into)
    }

    fn read_table(&self, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        self.medium.read_table(copy, into)
    }
}

fn part_of(slot: u32, copy: u32) -> u32 {
    slot.saturating_mul(crate::limits::TRUTH_COPIES)
        .saturating_add(copy)
}

/// Why nothing can be salvaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NothingHere {
    /// A ring cannot have these measures.
    Shape(&'static str),
    /// No header of any log is sound.
    NoLog,
}

impl fmt::Display for NothingHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(what) => write!(f, "no ring can have these measures: {what}"),
            Self::NoLog => write!(f, "no sound header of any log is here"),
        }
    }
}

impl core::error::Error for NothingHere {}

/// One thing that salvage comes by, in the order of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Salvaged {
    /// An entry; `beyond` the end that the truth store names, if it names one.
    Entry {
        /// The entry.
        entry: StoredEntry,
        /// Whether the truth store ends the log before it.
        beyond: bool,
    },
    /// Entries that are not here.
    Missing(Loss),
}

/// An image opened for salvage.
#[derive(Debug)]
pub struct Salvage<'m, V, T> {
    identity: Identity,
    aside_segments: Vec<(u32, State)>,
    aside_slots: Vec<(u32, u32, State)>,
    displaced: Vec<Displaced>,
    reader: Reader<Masked<'m, V>, Masked<'m, T>>,
}

impl<'m, V: ReadVolume, T: ReadTruth> Salvage<'m, V, T> {
    /// Opens what is there: as the log `wanted` if any part is of it, else as the log that most parts
    /// belong to.
    ///
    /// # Errors
    /// [`NothingHere`] where no header of any log is sound.
    pub fn open(
        volume: &'m V,
        medium: &'m T,
        wanted: Option<Identity>,
    ) -> Result<Self, NothingHere> {
        let shape = volume.shape();
        if let Some(why) = shape.objection() {
            return Err(NothingHere::Shape(why));
        }
        let identity = wanted
            .filter(|wanted| is_held(volume, medium, *wanted))
            .or_else(|| image::identify(volume, medium))
            .or(wanted)
            .ok_or(NothingHere::NoLog)?;
        let aside =
            |state: &State| matches!(state, State::Foreign | State::Newer | State::OtherShape);
        let aside_segments: Vec<(u32, State)> = (0..shape.segments)
            .map(|no| (no, image::segment(volume, identity, no).state))
            .filter(|(_, state)| aside(state))
            .collect();
        let aside_slots: Vec<(u32, u32, State)> = image::slots(medium, identity)
            .into_iter()
            .map(|slot| (slot.slot, slot.copy, of_ring(&slot, &shape)))
            .filter(|(_, _, state)| aside(state))
            .collect();
        let ring = Ring::new(volume, identity.log_id, identity.generation);
        let displaced = displaced(&ring, &misplaced(&ring));
        let read = displaced.iter().filter(|one| one.read);
        let moved: BTreeMap<u32, u32> = read.map(|one| (one.belongs, one.lies)).collect();
        let aside = aside_segments.iter().map(|(no, _)| *no);
        let hidden = aside.chain(displaced.iter().map(|one| one.lies));
        let volume = Masked {
            medium: volume,
            hidden: hidden.filter(|no| !moved.contains_key(no)).collect(),
            moved,
        };
        let slots = aside_slots.iter();
        let truth = Masked {
            medium,
            hidden: slots.map(|(slot, copy, _)| part_of(*slot, *copy)).collect(),
            moved: BTreeMap::new(),
        };
        let reader = Reader::open_durable(volume, truth, identity.log_id, identity.generation)
            .map_err(|_| NothingHere::NoLog)?;
        Ok(Self {
            identity,
            aside_segments,
            aside_slots,
            displaced,
            reader,
        })
    }

    /// The log that is read here.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The reader of what is left.
    #[must_use]
    pub fn reader(&self) -> &Reader<Masked<'m, V>, Masked<'m, T>> {
        &self.reader
    }

    /// Segments that are not of this log and ring, and what they are.
    #[must_use]
    pub fn aside_segments(&self) -> &[(u32, State)] {
        &self.aside_segments
    }

    /// Copies of truth slots that are not of this log and ring (slot, copy), and what they are.
    #[must_use]
    pub fn aside_slots(&self) -> &[(u32, u32, State)] {
        &self.aside_slots
    }

    /// Segments of this log that lie in the place of another.
    #[must_use]
    pub fn displaced(&self) -> &[Displaced] {
        &self.displaced
    }

    /// Index after the last entry that can be read behind the end that the truth store names.
    #[must_use]
    pub fn further_end(&self) -> Option<u64> {
        self.reader.claimed().map(|_| self.reader.size())
    }

    /// Whether the newest entries lead to the root that the truth store names; also where they cannot
    /// be read, as nothing then contradicts it.
    #[must_use]
    pub fn root_holds(&self) -> bool {
        if let Some(claimed) = self.reader.claimed() {
            let tree = self.reader.frontier_at(claimed.size);
            return !tree.is_ok_and(|tree| tree.root() != claimed.root);
        }
        let size = self.reader.size();
        let newest = self.reader.frames(CommitId(size.saturating_sub(1)));
        let Some(frame) = newest.filter_map(Result::ok).last() else {
            return true;
        };
        let mut tree = frame.frontier;
        for entry in frame.entries {
            tree.push(entry.leaf_hash);
        }
        tree.size() != size || tree.root() == self.reader.root()
    }

    /// Index after the last entry that the truth store knows of; where it is lost, after the last one found.
    #[must_use]
    pub fn committed_size(&self) -> u64 {
        let claimed = self.reader.claimed();
        claimed.map_or(self.reader.size(), |claimed| claimed.size)
    }

    /// Every entry that can be read and every range that cannot, in the order of the log.
    pub fn items(&self) -> impl Iterator<Item = Salvaged> {
        let committed = self.committed_size();
        let items = self.reader.entries(self.reader.oldest());
        items.filter_map(move |item| match item {
            Ok(entry) => Some(Salvaged::Entry {
                beyond: entry.commit_id.0 >= committed,
                entry,
            }),
            Err(Finding::Lost(loss)) => Some(Salvaged::Missing(loss)),
            Err(_) => None,
        })
    }
}

/// Whether any part of the image is of this log.
fn is_held<V: ReadVolume, T: ReadTruth>(volume: &V, medium: &T, identity: Identity) -> bool {
    let segments = 0..volume.shape().segments;
    let slots = image::slots(medium, identity);
    slots.iter().any(|slot| slot.header.is_sound())
        || segments
            .into_iter()
            .any(|no| image::segment(volume, identity, no).is_sound())
}

/// The headers that lie elsewhere; the parts of another log are passed over.
fn misplaced<V: ReadVolume>(ring: &Ring<V>) -> Vec<Misplaced> {
    let segments = 0..ring.shape.segments;
    let found = segments.filter_map(|lies| match ring.segment_head(lies) {
        Err(SegmentAt::Fault(SegmentFault::Elsewhere { segment_no, lap })) => Some(Misplaced {
            lies,
            belongs: segment_no,
            lap,
        }),
        _ => None,
    });
    found.collect()
}

/// A sound slot may still speak of a ring of other measures.
fn of_ring(slot: &SlotLook, shape: &Shape) -> State {
    let header = &slot.header;
    let same = header.number("segments") == Some(u64::from(shape.segments))
        && header.number("segment_bytes") == Some(shape.segment_bytes)
        && header.number("block_bytes") == Some(u64::from(shape.block_bytes));
    match header.state {
        State::Sound if !same => State::OtherShape,
        state => state,
    }
}
