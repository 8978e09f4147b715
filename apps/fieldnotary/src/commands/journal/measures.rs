//! The measures of a ring: from `ring.json`, and from the media themselves where that is not to be had
//! or says otherwise.

use crate::roles::recorder::read_ring;
use evidence::reasons::TruthClass;
use journal::image::{self, Identity};
use journal::limits::{BLOCK_BYTES_MAX, SEGMENTS_MAX, SEGMENTS_MIN};
use journal::{Shape, truth_owner};
use media::FoundTruth;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// Bytes of a block where nothing tells them.
const BLOCK_BYTES_GUESSED: u32 = 4_096;

/// Where the measures come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Source {
    /// As the ring was made.
    RingFile,
    /// A sound slot of the truth store.
    TruthStore,
    /// Sound headers of segments; how many segments there are, from the names of the files.
    SegmentHeaders,
    /// Sizes and names of the files alone.
    FileSizes,
}

impl Source {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::RingFile => "ring.json",
            Self::TruthStore => "truth store",
            Self::SegmentHeaders => "guessed from segment headers",
            Self::FileSizes => "guessed from file sizes",
        }
    }
}

/// The measures to read a ring by.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Measures {
    pub(in crate::commands) shape: Shape,
    pub(super) source: Source,
    /// Why `ring.json` was not taken.
    pub(super) objection: Option<String>,
}

/// What the sound headers of the segments in a folder say of themselves.
#[derive(Debug)]
pub(super) struct Headers(Vec<(Identity, u64, u32)>);

impl Headers {
    pub(super) fn of(ring: &Path) -> Self {
        let files = segment_files(ring);
        Self(files.keys().filter_map(|no| header_of(ring, *no)).collect())
    }

    /// Whose store it is and what it would be right for, where that is not these segments: their log is the one
    /// that is wanted here, if any of them is of it, else the one that most are of.
    pub(super) fn objection(
        &self,
        truth: &FoundTruth,
        wanted: Option<Identity>,
    ) -> Option<ForeignTruth> {
        let (log_id, generation) = truth_owner(truth)?;
        let owner = Identity { log_id, generation };
        let is_here = |log: &Identity| self.0.iter().any(|header| header.0 == *log);
        let log = wanted
            .filter(is_here)
            .or_else(|| most(self.0.iter().map(|header| header.0)))?;
        if owner != log {
            return Some(ForeignTruth::OfLog { owner, log });
        }
        let told = of_truth(truth)?;
        let mut own = self.0.iter().filter(|header| header.0 == log);
        let same = |header: &(Identity, u64, u32)| {
            (header.1, header.2) == (told.segment_bytes, told.block_bytes)
        };
        (!own.any(same)).then_some(ForeignTruth::OfRing { told })
    }
}

/// A truth store that the segments beside it contradict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum ForeignTruth {
    /// It is of another log or generation than the segments.
    OfLog { owner: Identity, log: Identity },
    /// It is of a ring of these measures.
    OfRing { told: Shape },
}

impl ForeignTruth {
    /// What contradicts what.
    pub(in crate::commands) fn words(self) -> String {
        match self {
            Self::OfLog { owner, log } if owner.log_id == log.log_id => format!(
                "it is the truth store of generation {} of this log, and the segments are of generation {}",
                owner.generation, log.generation
            ),
            Self::OfLog { owner, log } => format!(
                "it is the truth store of another log, {owner}, and the segments are of {log}"
            ),
            Self::OfRing { told } => format!(
                "it is the truth store of a ring of other measures ({}), which no segment has",
                says(told)
            ),
        }
    }
}

/// Measures of the ring in a folder; `None` where nothing of a ring is there.
pub(super) fn measures(ring: &Path, truth: &FoundTruth) -> Option<Measures> {
    let told = read_ring(ring).and_then(|shape| match shape.objection() {
        Some(why) => Err(format!("{}: {why}", ring.join("ring.json").display())),
        None => Ok(shape),
    });
    let seen = seen(ring, truth);
    let (shape, source, objection) = match (told, seen) {
        (Ok(told), Some((seen, Source::TruthStore))) if told != seen => {
            let words = format!("it says {}, the truth store {}", says(told), says(seen));
            (seen, Source::TruthStore, Some(words))
        }
        (Ok(told), Some((seen, Source::SegmentHeaders))) if differs(told, seen) => {
            let words = format!("it says {}, the segments {}", says(told), says(seen));
            (seen, Source::SegmentHeaders, Some(words))
        }
        (Ok(told), _) => (told, Source::RingFile, None),
        (Err(words), Some((seen, source))) => (seen, source, Some(words)),
        (Err(_), None) => return None,
    };
    Some(Measures {
        shape,
        source,
        objection,
    })
}

/// Whether headers contradict: they do not know the number of segments.
fn differs(told: Shape, seen: Shape) -> bool {
    (told.segment_bytes, told.block_bytes) != (seen.segment_bytes, seen.block_bytes)
}

fn says(shape: Shape) -> String {
    format!(
        "{} segments of {} bytes with blocks of {}",
        shape.segments, shape.segment_bytes, shape.block_bytes
    )
}

/// What the media say themselves, the surest of them first.
fn seen(ring: &Path, truth: &FoundTruth) -> Option<(Shape, Source)> {
    let sound = |shape: &Shape| shape.objection().is_none();
    let by_truth = of_truth(truth).filter(sound);
    if let Some(shape) = by_truth {
        return Some((shape, Source::TruthStore));
    }
    let files = segment_files(ring);
    let last = files.keys().next_back()?;
    let segments = last.saturating_add(1).max(SEGMENTS_MIN);
    let shape = |(segment_bytes, block_bytes)| Shape {
        segment_bytes,
        segments,
        block_bytes,
    };
    let headers = Headers::of(ring).0.into_iter();
    let by_headers = most(headers.map(|(_, bytes, block)| (bytes, block)))
        .map(shape)
        .filter(sound);
    if let Some(shape) = by_headers {
        return Some((shape, Source::SegmentHeaders));
    }
    let sizes = files.values().map(|bytes| (*bytes, BLOCK_BYTES_GUESSED));
    let by_sizes = most(sizes).map(shape).filter(sound);
    by_sizes.map(|shape| (shape, Source::FileSizes))
}

fn of_truth(truth: &FoundTruth) -> Option<Shape> {
    let (log_id, generation) = truth_owner(truth)?;
    let owner = Identity { log_id, generation };
    let slots = image::slots(truth, owner);
    let newest = slots
        .iter()
        .max_by_key(|slot| slot.header.number("counter"))?;
    let small = |name: &str| u32::try_from(newest.header.number(name)?).ok();
    Some(Shape {
        segment_bytes: newest.header.number("segment_bytes")?,
        segments: small("segments")?,
        block_bytes: small("block_bytes")?,
    })
}

/// The log that each segment's sound header names.
pub(super) fn owners(ring: &Path) -> BTreeMap<u32, Identity> {
    let files = segment_files(ring);
    let owner = |no: &u32| Some((*no, header_of(ring, *no)?.0));
    files.keys().filter_map(owner).collect()
}

fn header_of(ring: &Path, segment: u32) -> Option<(Identity, u64, u32)> {
    let file = std::fs::File::open(ring.join(media::segment_file_name(segment))).ok()?;
    let mut bytes = Vec::new();
    file.take(u64::from(BLOCK_BYTES_MAX))
        .read_to_end(&mut bytes)
        .ok()?;
    let (identity, _, segment_bytes, block_bytes) = image::measures(&bytes)?;
    Some((identity, segment_bytes, block_bytes))
}

/// The files that are named as segments are, and their bytes.
pub(super) fn segment_files(ring: &Path) -> BTreeMap<u32, u64> {
    let files = std::fs::read_dir(ring).into_iter().flatten().flatten();
    files
        .filter_map(|file| {
            let name = file.file_name();
            let number = name.to_str()?.strip_prefix("seg-")?.strip_suffix(".fnj")?;
            let found = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
            let number = number.parse().ok().filter(|no| *no < SEGMENTS_MAX)?;
            Some((number, found.len()))
        })
        .collect()
}

fn most<T: Ord>(all: impl Iterator<Item = T>) -> Option<T> {
    let mut votes = BTreeMap::new();
    for one in all {
        *votes.entry(one).or_insert(0u32) += 1;
    }
    votes
        .into_iter()
        .max_by_key(|(_, votes)| *votes)
        .map(|(one, _)| one)
}

/// The class where nothing tells it: the usual one.
pub(super) const CLASS_GUESSED: TruthClass = TruthClass::SameDeviceSync;
