//! The damages that are tried: each kind is a list, and a case is an image, a kind and a number.

use std::ops::Range;

use journal::limits::{SEGMENT_HEADER_BYTES, TABLE_BYTES, TRUTH_SLOT_BYTES};

use super::damage::{Area, Damage, Edit};
use super::golden::{Golden, SHAPE};
use super::kept::KEEP_SHAPE;
use crate::draw::mix;
use crate::media::{Image, SECTOR_BYTES, table_at};

/// Bytes of a word that is zeroed.
const WORD_BYTES: usize = 8;
/// Values that a sector or a copy is filled with.
const FILLS: [u8; 2] = [0, 0xFF];
/// Copies in the truth store: four of slots, two of the lease table.
const COPIES: usize = 6;
/// Bytes of a header that are the same in every log; the hashes behind them come and go.
pub(super) const FIXED_HEADER_BYTES: usize = 160;
const SEGMENT: usize = 16_384;
/// Bytes of a keep-ring, and of a segment of it.
const KEPT: usize = KEPT_SEGMENT * 3;
const KEPT_SEGMENT: usize = 8_192;
const _: () = assert!(
    KEPT_SEGMENT as u64 == KEEP_SHAPE.segment_bytes
        && KEPT == KEPT_SEGMENT * KEEP_SHAPE.segments as usize
);
/// Kinds of damage that come in pairs: the first so many of all.
const PAIRED: usize = 16;
const _: () = assert!(SEGMENT as u64 == SHAPE.segment_bytes);

/// A kind of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One bit of a segment is turned.
    Bit,
    /// Eight aligned bytes of a segment are zeros.
    Word,
    /// A sector of a segment is all zeros or all ones.
    Sector,
    /// A sector is what it was one lap ago.
    StaleSector,
    /// Two sectors of the device have changed places.
    Exchange,
    /// A sector was also written over another.
    Misdirected,
    /// A sector of a segment cannot be read.
    Unreadable,
    /// A segment ends early.
    Cut,
    /// Some segments are not there.
    Missing,
    /// A whole frame or header is zeros, ones, or what stood there one lap ago.
    Stretch,
    /// A whole segment is zeros, ones, what it was one lap ago, or another segment.
    Segment,
    /// One bit of a truth slot is turned.
    SlotBit,
    /// One bit of a lease table is turned, of its padding one in each word.
    TableBit,
    /// Some of the copies in the truth store are zeros, ones, or have a bit turned.
    Copies,
    /// A sector of the truth store is all zeros or all ones.
    TruthSector,
    /// A copy of a slot holds what another copy holds, or held some commits ago.
    StaleCopy,
    /// All slots are what they were some commits ago.
    StaleTruth,
    /// Two of the above at once, drawn by the seed.
    Pair,
    /// One bit of a keep-ring is turned.
    KeepBit,
    /// A sector of a keep-ring is all zeros, all ones, or another one of it.
    KeepSector,
    /// A sector of a keep-ring cannot be read.
    KeepUnreadable,
    /// A segment of a keep-ring ends early, or is missing.
    KeepCut,
    /// Two segments have changed places, or one lies in another's place and is missing in its own.
    Displaced,
}

impl Kind {
    /// All of them, with their names and how many cases of each CI tries on an image.
    pub const ALL: [(Self, &'static str, u64); 23] = [
        (Self::Bit, "bit", 1_500),
        (Self::Word, "word", 600),
        (Self::Sector, "sector", 200),
        (Self::StaleSector, "stale-sector", 100),
        (Self::Exchange, "exchange", 500),
        (Self::Misdirected, "misdirected", 500),
        (Self::Unreadable, "unreadable", 100),
        (Self::Cut, "cut", 400),
        (Self::Missing, "missing", 10),
        (Self::Stretch, "stretch", 200),
        (Self::Segment, "segment", 20),
        (Self::SlotBit, "slot-bit", 500),
        (Self::TableBit, "table-bit", 300),
        (Self::Copies, "copies", 100),
        (Self::TruthSector, "truth-sector", 150),
        (Self::StaleCopy, "stale-copy", 150),
        (Self::StaleTruth, "stale-truth", 100),
        (Self::Pair, "pair", 1_500),
        (Self::KeepBit, "keep-bit", 3_000),
        (Self::KeepSector, "keep-sector", 500),
        (Self::KeepUnreadable, "keep-unreadable", 100),
        (Self::KeepCut, "keep-cut", 1_000),
        (Self::Displaced, "displaced", 20),
    ];
    /// Pairs that the whole suite draws for an image.
    const PAIRS: u64 = 200_000;

    /// The kind of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known, _)| *known == name);
        found.map(|(kind, _, _)| *kind)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// How many cases CI tries on an image.
    pub(super) fn quota(self) -> u64 {
        self.row().2
    }

    fn row(self) -> (Self, &'static str, u64) {
        let found = Self::ALL.into_iter().find(|(kind, _, _)| *kind == self);
        found.expect("every kind has a row")
    }

    /// How many cases there are.
    #[must_use]
    pub fn count(self, golden: &Golden) -> u64 {
        let segments = golden.image.segments.len();
        let ring = segments * SEGMENT;
        let sectors = ring / SECTOR_BYTES;
        let slots = golden.image.truth.len().min(table_at(0));
        let pool = golden.pool.len();
        let kept = golden.keep.as_ref().map_or(0, |_| KEPT);
        let kept_sectors = kept / SECTOR_BYTES;
        let count = match self {
            Self::Bit => ring * 8,
            Self::Word => ring / WORD_BYTES,
            Self::Sector => sectors * FILLS.len(),
            Self::StaleSector | Self::Unreadable => sectors,
            Self::Exchange => pool * (pool - 1) / 2,
            Self::Misdirected => pool * pool,
            Self::Cut => ring,
            Self::Missing => (1 << segments) - 1,
            Self::Stretch => stretches(golden).len() * (FILLS.len() + 1),
            Self::Segment => segments * (FILLS.len() + 1 + segments),
            Self::SlotBit => slots * 8,
            Self::TableBit => golden.table_bits.len(),
            Self::Copies => ((1 << COPIES) - 1) * (FILLS.len() + 1),
            Self::TruthSector => golden.image.truth.len() / SECTOR_BYTES * FILLS.len(),
            Self::StaleCopy => 4 * 4 * golden.truths.len(),
            Self::StaleTruth => golden.truths.len(),
            Self::Pair => return Self::PAIRS,
            Self::KeepBit => kept * 8,
            Self::KeepSector => kept_sectors * (FILLS.len() + kept_sectors),
            Self::KeepUnreadable => kept_sectors,
            Self::KeepCut => kept,
            Self::Displaced => segments * segments,
        };
        count as u64
    }

    /// The damage of a case. The seed matters to pairs only.
    #[must_use]
    pub fn damage(self, golden: &Golden, case: u64, seed: u64) -> Damage {
        let n = usize::try_from(case).unwrap_or(usize::MAX);
        let (in_ring, nth_sector) = (
            |at: usize| (Area::Segment(at / SEGMENT), at % SEGMENT),
            |n| {
                let at = n * SECTOR_BYTES;
                (Area::Segment(at / SEGMENT), at % SEGMENT)
            },
        );
        match self {
            Self::Bit => {
                let (area, at) = in_ring(n / 8);
                Damage(vec![Edit::Flip(area, at, 1 << (n % 8))])
            }
            Self::Word => {
                let (area, at) = in_ring(n * WORD_BYTES);
                Damage::fill(area, at..at + WORD_BYTES, 0)
            }
            Self::Sector => {
                let (area, at) = nth_sector(n / FILLS.len());
                Damage::fill(area, at..at + SECTOR_BYTES, FILLS[n % FILLS.len()])
            }
            Self::StaleSector => {
                let (area, at) = nth_sector(n);
                stale(golden, area, at..at + SECTOR_BYTES)
            }
            Self::Exchange => exchange(golden, n),
            Self::Misdirected => misdirected(golden, n),
            Self::Unreadable => {
                let at = n * SECTOR_BYTES;
                Damage(vec![Edit::Unreadable(
                    Area::Segment(at / SEGMENT),
                    at % SEGMENT,
                )])
            }
            Self::Cut => Damage(vec![Edit::Cut(Area::Segment(n / SEGMENT), n % SEGMENT)]),
            Self::Missing => {
                let segments = 0..golden.image.segments.len();
                let gone = segments.filter(|segment| (n + 1) >> segment & 1 == 1);
                Damage(gone.map(Edit::Missing).collect())
            }
            Self::Stretch => {
                let stretches = stretches(golden);
                let (area, bytes) = stretches[n % stretches.len()].clone();
                match FILLS.get(n / stretches.len()) {
                    Some(fill) => Damage::fill(area, bytes, *fill),
                    None => stale(golden, area, bytes),
                }
            }
            Self::Segment => segment(golden, n),
            Self::SlotBit => Damage(vec![Edit::Flip(Area::Truth, n / 8, 1 << (n % 8))]),
            Self::TableBit => {
                let bit = golden.table_bits[n];
                Damage(vec![Edit::Flip(Area::Truth, bit / 8, 1 << (bit % 8))])
            }
            Self::Copies => copies(n, mix(seed ^ case)),
            Self::TruthSector => {
                let at = n / FILLS.len() * SECTOR_BYTES;
                Damage::fill(Area::Truth, at..at + SECTOR_BYTES, FILLS[n % FILLS.len()])
            }
            Self::StaleCopy => stale_copy(golden, n),
            Self::StaleTruth => {
                let truth = golden.truths[n].clone();
                Damage(vec![Edit::Put(Area::Truth, 0, truth)])
            }
            Self::Pair => pair(golden, mix(seed ^ mix(case))),
            Self::Displaced => displaced(golden, n),
            Self::KeepBit | Self::KeepSector | Self::KeepUnreadable | Self::KeepCut => {
                self.damage_kept(golden, n)
            }
        }
    }

    /// The damage of a case of the keep-ring; the other kinds are not of one.
    fn damage_kept(self, golden: &Golden, n: usize) -> Damage {
        match self {
            Self::KeepBit => {
                let (area, at) = in_keep(n / 8);
                Damage(vec![Edit::Flip(area, at, 1 << (n % 8))])
            }
            Self::KeepSector => {
                let kinds = FILLS.len() + KEPT / SECTOR_BYTES;
                let (area, at) = in_keep(n / kinds * SECTOR_BYTES);
                match FILLS.get(n % kinds) {
                    Some(fill) => Damage::fill(area, at..at + SECTOR_BYTES, *fill),
                    None => {
                        let from = in_keep((n % kinds - FILLS.len()) * SECTOR_BYTES);
                        Damage(vec![Edit::Put(area, at, sector(golden, from))])
                    }
                }
            }
            Self::KeepUnreadable => {
                let (area, at) = in_keep(n * SECTOR_BYTES);
                Damage(vec![Edit::Unreadable(area, at)])
            }
            Self::KeepCut => {
                let (area, at) = in_keep(n);
                Damage(vec![Edit::Cut(area, at)])
            }
            _ => Damage(Vec::new()),
        }
    }

    /// Whether one structure at most is touched, so that its neighbours can tell what it said.
    pub(super) fn is_single(self) -> bool {
        match self {
            Self::Bit
            | Self::Word
            | Self::Sector
            | Self::StaleSector
            | Self::Unreadable
            | Self::SlotBit
            | Self::TableBit
            | Self::TruthSector
            | Self::StaleCopy => true,
            Self::Exchange
            | Self::Misdirected
            | Self::Cut
            | Self::Missing
            | Self::Stretch
            | Self::Segment
            | Self::Copies
            | Self::StaleTruth
            | Self::Pair
            | Self::KeepBit
            | Self::KeepSector
            | Self::KeepUnreadable
            | Self::KeepCut
            | Self::Displaced => false,
        }
    }

    /// Whether a keep-ring is damaged, and the log itself is not.
    pub(super) fn is_of_keep(self) -> bool {
        matches!(
            self,
            Self::KeepBit | Self::KeepSector | Self::KeepUnreadable | Self::KeepCut
        )
    }
}

/// Sectors that a write may go to instead of another: the ring, the slots, and of the tables those
/// that hold something.
pub(super) fn pool(image: &Image) -> Vec<(Area, usize)> {
    let ring = (0..image.segments.len())
        .flat_map(|segment| {
            (0..SEGMENT)
                .step_by(SECTOR_BYTES)
                .map(move |at| (segment, at))
        })
        .map(|(segment, at)| (Area::Segment(segment), at));
    let truth = (0..image.truth.len()).step_by(SECTOR_BYTES);
    let used = |at: &usize| *at < table_at(0) || says_something(image, *at);
    ring.chain(truth.filter(used).map(|at| (Area::Truth, at)))
        .collect()
}

/// Whether a sector of the truth store is not all zeros.
fn says_something(image: &Image, at: usize) -> bool {
    let sector = &image.truth[at..at + SECTOR_BYTES];
    sector.iter().any(|byte| *byte != 0)
}

/// The bits of the lease tables that are turned, counted from the front of the truth store: every one of
/// the sectors that say something and, of the zeros between them, one in each word. All that is done
/// with those zeros is to check them, and a CRC finds any single bit wherever it lies: only a check
/// that leaves a stretch out would miss some.
pub(super) fn table_bits(image: &Image) -> Vec<usize> {
    let sectors = (table_at(0)..image.truth.len()).step_by(SECTOR_BYTES);
    let bits = sectors.flat_map(|at| {
        let (step, turn) = match says_something(image, at) {
            true => (1, 0),
            false => (WORD_BYTES * 8, WORD_BYTES * 8),
        };
        let first = at * 8;
        (first..first + SECTOR_BYTES * 8)
            .step_by(step)
            .map(move |bit| bit + below(mix(bit as u64), turn.max(1)))
    });
    bits.collect()
}

/// A place in the keep-ring.
fn in_keep(at: usize) -> (Area, usize) {
    (Area::Keep(at / KEPT_SEGMENT), at % KEPT_SEGMENT)
}

fn sector(golden: &Golden, (area, at): (Area, usize)) -> Vec<u8> {
    area.bytes(golden)[at..at + SECTOR_BYTES].to_vec()
}

fn exchange(golden: &Golden, n: usize) -> Damage {
    let pool = &golden.pool;
    // The n-th pair of different sectors: row by row of a triangle.
    let mut rest = n;
    let mut first = 0;
    while rest >= pool.len() - 1 - first {
        rest -= pool.len() - 1 - first;
        first += 1;
    }
    let (one, other) = (pool[first], pool[first + 1 + rest]);
    let (at_one, at_other) = (sector(golden, other), sector(golden, one));
    Damage(vec![
        Edit::Put(one.0, one.1, at_one),
        Edit::Put(other.0, other.1, at_other),
    ])
}

fn misdirected(golden: &Golden, n: usize) -> Damage {
    let pool = &golden.pool;
    let (from, to) = (pool[n / pool.len()], pool[n % pool.len()]);
    Damage(vec![Edit::Put(to.0, to.1, sector(golden, from))])
}

fn stale(golden: &Golden, area: Area, bytes: Range<usize>) -> Damage {
    let Area::Segment(segment) = area else {
        return Damage::default();
    };
    let old = golden.older[segment][bytes.clone()].to_vec();
    Damage(vec![Edit::Put(area, bytes.start, old)])
}

/// What was written at once: the headers of the segments, and the frames.
fn stretches(golden: &Golden) -> Vec<(Area, Range<usize>)> {
    let headers = (0..golden.image.segments.len()).map(|at| (at, 0..SEGMENT_HEADER_BYTES));
    let frames = golden.frames.iter();
    headers
        .chain(frames.map(|frame| (frame.segment, frame.bytes.clone())))
        .map(|(segment, bytes)| (Area::Segment(segment), bytes))
        .collect()
}

fn segment(golden: &Golden, n: usize) -> Damage {
    let segments = golden.image.segments.len();
    let area = Area::Segment(n % segments);
    let how = n / segments;
    if let Some(fill) = FILLS.get(how) {
        Damage::fill(area, 0..SEGMENT, *fill)
    } else if let Some(from) = (how - FILLS.len()).checked_sub(1) {
        let other = golden.image.segments[from].clone();
        Damage(vec![Edit::Put(area, 0, other)])
    } else {
        stale(golden, area, 0..SEGMENT)
    }
}

/// Of each two segments once the one in the place of the other, and once both exchanged; of a segment and
/// itself nothing.
fn displaced(golden: &Golden, n: usize) -> Damage {
    let segments = golden.image.segments.len();
    let (from, to) = (n / segments, n % segments);
    let put = |from: usize, to: usize| {
        Edit::Put(Area::Segment(to), 0, golden.image.segments[from].clone())
    };
    let back = match from < to {
        true => put(to, from),
        false => Edit::Missing(from),
    };
    match from == to {
        true => Damage::default(),
        false => Damage(vec![put(from, to), back]),
    }
}

fn copies(n: usize, drawn: u64) -> Damage {
    let (subset, how) = (n % ((1 << COPIES) - 1) + 1, n / ((1 << COPIES) - 1));
    let chosen = (0..COPIES).filter(|copy| subset >> copy & 1 == 1);
    let edits = chosen.flat_map(|copy| {
        let (at, len) = match copy.checked_sub(4) {
            None => (copy * TRUTH_SLOT_BYTES, TRUTH_SLOT_BYTES),
            Some(table) => (table_at(0) + table * TABLE_BYTES, TABLE_BYTES),
        };
        match FILLS.get(how) {
            Some(fill) => Damage::fill(Area::Truth, at..at + len, *fill).0,
            None => {
                let bit = below(mix(drawn ^ copy as u64), len * 8);
                vec![Edit::Flip(Area::Truth, at + bit / 8, 1 << (bit % 8))]
            }
        }
    });
    Damage(edits.collect())
}

fn stale_copy(golden: &Golden, n: usize) -> Damage {
    let (to, from, when) = (n % 4, n / 4 % 4, n / 16);
    let old = &golden.truths[when][from * TRUTH_SLOT_BYTES..][..TRUTH_SLOT_BYTES];
    Damage(vec![Edit::Put(
        Area::Truth,
        to * TRUTH_SLOT_BYTES,
        old.to_vec(),
    )])
}

fn pair(golden: &Golden, seed: u64) -> Damage {
    let one = |seed: u64| {
        // Not what stands behind them. A truth store that went back together with the segments that would tell
        // of it cannot be told from an earlier state of both.
        let (kind, _, _) = Kind::ALL[below(seed, PAIRED)];
        let case = mix(seed) % kind.count(golden);
        kind.damage(golden, case, seed)
    };
    let mut damage = one(mix(seed ^ 1));
    damage.0.extend(one(mix(seed ^ 2)).0);
    damage
}

fn below(drawn: u64, bound: usize) -> usize {
    usize::try_from(drawn % bound as u64).unwrap_or(0)
}
