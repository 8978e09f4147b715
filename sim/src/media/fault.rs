//! What can happen at a numbered command.

use crate::draw::mix;

/// What a medium persists at once.
pub const SECTOR_BYTES: usize = 512;

/// Which sectors of an interrupted write reach the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Torn {
    /// None.
    Nothing,
    /// All, although nobody was told.
    Everything,
    /// The first n.
    Prefix(usize),
    /// All but the first n.
    Suffix(usize),
    /// All but the n-th.
    Hole(usize),
    /// A subset drawn from this seed.
    Random(u64),
}

impl Torn {
    pub(crate) fn persists(self, sector: usize) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Prefix(n) => sector < n,
            Self::Suffix(n) => sector >= n,
            Self::Hole(n) => sector != n,
            Self::Random(seed) => mix(seed ^ mix(sector as u64)) & 1 == 1,
        }
    }
}

/// What happens instead of what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Power fails during it: this much of it persists and nothing of the cache.
    PowerCut(Torn),
    /// Power fails during it, after this many bytes in the order of writing: an FRAM.
    PowerCutAtByte(usize),
    /// The device reports failure; this much persists all the same, and the device goes on.
    Refused(Torn),
    /// The flush fails and the pages count as clean: readers see them until power fails, and no
    /// later flush writes them.
    FlushFailed,
    /// No space; nothing is written.
    Full,
    /// This many bytes are written and the rest is refused.
    Short(usize),
    /// Reported durable, and dropped.
    Lost,
    /// Reported durable, and left in the volatile cache for ever.
    LyingFlush,
    /// Reported durable, and written this many bytes behind its place.
    Misdirected(usize),
    /// Power fails during it, nothing of it persists, and the sector at this place, written long
    /// ago to the paired page, is damaged with it.
    PairedPage(usize),
}
