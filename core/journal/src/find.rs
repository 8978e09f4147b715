//! What reading and recovery find: damage is a result, never a reason to stop.

use alloc::vec::Vec;
use core::fmt;
use evidence::reasons::LossCause;
use evidence::{CommitId, Digest, MonoNs, kinds};
use proof::{CompactRange, Hash};

/// State of the truth store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TruthHealth {
    /// Every copy is valid.
    Sound,
    /// A copy is damaged, but both slots can be read.
    Degraded,
    /// One of the two slots cannot be read: the end may be one commit further than the other says.
    SlotLost,
    /// Nothing can be read; the end was found by scanning the ring.
    Lost,
}

/// Committed entries that cannot be read any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The first of them.
    pub first: CommitId,
    /// How many.
    pub count: u64,
    /// Why.
    pub cause: LossCause,
    /// The compact range of their leaves; `None` where several frames in a row took it with them,
    /// and no proof can then cross the range.
    pub hashes: Option<Vec<Hash>>,
    /// The segment in which the damage begins.
    pub segment: u32,
    /// Where in it.
    pub offset: u64,
}

impl Loss {
    /// Index after the last lost entry.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first.0.saturating_add(self.count)
    }

    /// The hashes as a range of the tree.
    #[must_use]
    pub fn range(&self) -> Option<CompactRange> {
        let hashes = self.hashes.clone()?;
        CompactRange::from_parts(self.first.0, self.end(), hashes).ok()
    }

    /// The entry that names this loss; without hashes it has an empty list.
    #[must_use]
    pub fn payload(&self, at: MonoNs) -> kinds::Loss {
        let hashes = self.hashes.iter().flatten();
        kinds::Loss {
            at,
            first: self.first,
            count: self.count,
            cause: self.cause,
            hashes: hashes.map(|hash| Digest(hash.0)).collect(),
            segment: u64::from(self.segment),
            offset_bytes: self.offset,
            before: Vec::new(),
        }
    }
}

/// Something wrong on the media, and what it means for the entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Committed entries are gone.
    Lost(Loss),
    /// A frame fails its checks, yet the tree proves every entry in it: nothing is lost.
    FrameRestored {
        /// Its first entry.
        first: CommitId,
        /// How many.
        count: u64,
        /// Segment.
        segment: u32,
        /// Where in it the frame begins.
        offset: u64,
    },
    /// The header of a segment is damaged; its frames speak for themselves.
    SegmentHeaderDamaged {
        /// Segment.
        segment: u32,
        /// The lap that it holds.
        lap: u64,
    },
    /// A segment lies in the place of another, and is read from there: nothing in it is lost.
    SegmentDisplaced {
        /// The place in which it lies.
        lies: u32,
        /// The segment that it is.
        belongs: u32,
    },
    /// These entries were asked for, and their segments have been reused.
    Retired {
        /// First entry asked for.
        from: CommitId,
        /// First entry that is still there.
        to: CommitId,
    },
    /// A copy of a truth slot is damaged.
    TruthCopyDamaged {
        /// Slot.
        slot: u32,
        /// Copy.
        copy: u32,
    },
    /// A copy of the lease table is damaged.
    LeaseCopyDamaged {
        /// Copy.
        copy: u32,
    },
    /// No slot of the truth store is readable; the end of the log was found by scanning.
    TruthLost,
    /// A copy of a truth slot is sound and older than the other, though the log was closed orderly.
    TruthCopyOld {
        /// Slot.
        slot: u32,
        /// Copy.
        copy: u32,
    },
    /// The truth store is older than the log: frames that it must have known follow its end.
    TruthBehind {
        /// Where it says that the log ends.
        size: u64,
        /// Index after the last entry of the frame found.
        seen_to: u64,
    },
    /// The frames of the ring lead to another root than the truth store has.
    RootMismatch {
        /// Size at which they differ.
        size: u64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(loss) => write!(
                f,
                "entries [{}, {}) are lost ({}): segment {} byte {}",
                loss.first,
                loss.end(),
                loss.cause,
                loss.segment,
                loss.offset
            ),
            Self::FrameRestored {
                first,
                count,
                segment,
                offset,
            } => {
                write!(f, "segment {segment} byte {offset}: the frame is damaged, ")?;
                match count {
                    1 => write!(f, "its entry {first} is whole"),
                    _ => write!(f, "its {count} entries from {first} are whole"),
                }
            }
            Self::SegmentHeaderDamaged { segment, lap } => {
                write!(f, "segment {segment}: the header of lap {lap} is damaged")
            }
            Self::SegmentDisplaced { lies, belongs } => write!(
                f,
                "segment {belongs} lies in the place of segment {lies}, and is read from there"
            ),
            Self::Retired { from, to } => {
                write!(f, "entries [{from}, {to}) have left the ring")
            }
            Self::TruthCopyDamaged { slot, copy } => {
                write!(f, "truth store: copy {copy} of slot {slot} is damaged")
            }
            Self::LeaseCopyDamaged { copy } => {
                write!(f, "truth store: copy {copy} of the lease table is damaged")
            }
            Self::TruthCopyOld { slot, copy } => write!(
                f,
                "truth store: copy {copy} of slot {slot} is older than the other"
            ),
            Self::TruthBehind { size, seen_to } => write!(
                f,
                "truth store: it ends the log at entry {size}, but committed frames reach to \
                 {seen_to}: an older truth store was put in its place"
            ),
            Self::TruthLost => write!(f, "truth store: no slot is readable"),
            Self::RootMismatch { size } => write!(
                f,
                "the frames up to entry {size} lead to another root than the truth store has"
            ),
        }
    }
}
