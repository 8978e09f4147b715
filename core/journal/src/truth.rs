//! The truth store: where the committed log ends, in two slots of two copies each.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use evidence::{Generation, LogId};
use proof::{CompactRange, Frontier};

use crate::bytes::{is_blank, put_hashes, split_crc, take_hashes};
use crate::find::{Finding, TruthHealth};
use crate::layout::{CRC_BYTES, TRUTH_MAGIC, TruthFixed, VERSION};
use crate::limits::{TRUTH_COPIES, TRUTH_SLOT_BYTES, TRUTH_SLOTS};
use crate::medium::{MediumError, ReadTruth, ReadVolume};
use crate::ring::Ring;

/// One state of the log's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) fixed: TruthFixed,
    /// The tree.
    pub(crate) frontier: Frontier,
    /// The leaves of the newest frame.
    pub(crate) newest_range: CompactRange,
}

/// What one copy of a slot holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Copy {
    Valid(Box<Truth>),
    Blank,
    Damaged,
    Newer(u16),
}

/// What was found in the store.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// The newest state, if any is readable.
    pub(crate) truth: Option<Truth>,
    /// The slot it came from.
    pub(crate) slot: u32,
    pub(crate) health: TruthHealth,
    /// A newer version wrote it.
    pub(crate) newer: Option<u16>,
    pub(crate) findings: Vec<Finding>,
}

impl Truth {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(TRUTH_SLOT_BYTES);
        self.fixed.write(&mut out);
        put_hashes(&mut out, self.frontier.hashes());
        put_hashes(&mut out, self.newest_range.hashes());
        out.resize(TRUTH_SLOT_BYTES.saturating_sub(CRC_BYTES), 0);
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_be_bytes());
        out
    }

    /// Reads one copy of a slot.
    pub(crate) fn parse(bytes: &[u8]) -> Copy {
        if is_blank(bytes) {
            return Copy::Blank;
        }
        let Some((body, crc)) = split_crc(bytes) else {
            return Copy::Damaged;
        };
        let mut rest = body;
        match TruthFixed::read(&mut rest) {
            Some(fixed) if fixed.magic == TRUTH_MAGIC && crc32c::crc32c(body) == crc => {
                if fixed.version == VERSION {
                    Self::parts(fixed, rest)
                        .map_or(Copy::Damaged, |truth| Copy::Valid(Box::new(truth)))
                } else {
                    Copy::Newer(fixed.version)
                }
            }
            _ => Copy::Damaged,
        }
    }

    fn parts(fixed: TruthFixed, mut rest: &[u8]) -> Option<Self> {
        let laps_held = fixed.lap.checked_sub(fixed.oldest_lap)?;
        if fixed.oldest_lap == 0
            || laps_held >= u64::from(fixed.segments)
            || fixed.newest_lap > fixed.lap
            || fixed.commit_offset > fixed.segment_bytes
            || fixed.newest_end > fixed.segment_bytes
            || fixed.oldest_commit_id.0 > fixed.size
            || fixed.epoch_first_commit_id.0 > fixed.size
        {
            return None;
        }
        let frontier = take_hashes(&mut rest, usize::from(fixed.frontier_len))?;
        let range = take_hashes(&mut rest, usize::from(fixed.newest_range_len))?;
        let first = fixed.newest_first_commit_id.0;
        let truth = Self {
            frontier: Frontier::from_parts(fixed.size, frontier).ok()?,
            newest_range: CompactRange::from_parts(first, fixed.size, range).ok()?,
            fixed,
        };
        (truth.frontier.root() == truth.fixed.root).then_some(truth)
    }

    /// Sets the tree and all fields that follow from it.
    pub(crate) fn set_tree(&mut self, frontier: Frontier, newest_range: CompactRange) {
        self.fixed.size = frontier.size();
        self.fixed.root = frontier.root();
        self.fixed.newest_first_commit_id = evidence::CommitId(newest_range.begin());
        self.fixed.frontier_len = u8::try_from(frontier.hashes().len()).unwrap_or(u8::MAX);
        self.fixed.newest_range_len = u8::try_from(newest_range.hashes().len()).unwrap_or(u8::MAX);
        self.frontier = frontier;
        self.newest_range = newest_range;
    }
}

/// Counter of every copy, slot by slot; `None` where a copy cannot be read.
pub(crate) fn counters<T: ReadTruth>(medium: &T) -> Vec<Option<u64>> {
    let mut buffer = vec![0; TRUTH_SLOT_BYTES];
    let mut counters = Vec::new();
    for slot in 0..TRUTH_SLOTS {
        for copy in 0..TRUTH_COPIES {
            let read = medium
                .read(slot, copy, &mut buffer)
                .map(|()| Truth::parse(&buffer));
            counters.push(match read {
                Ok(Copy::Valid(truth)) => Some(truth.fixed.counter),
                _ => None,
            });
        }
    }
    counters
}

/// The log and generation whose truth store this is; `None` where no sound slot says so.
#[must_use]
pub fn truth_owner<T: ReadTruth>(medium: &T) -> Option<(LogId, Generation)> {
    let truth = load_beside(medium, &|| false).truth?;
    Some((truth.fixed.log_id, truth.fixed.generation))
}

/// Whose truth store this was by the word of a header, which need not be sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TruthClaim {
    /// The log.
    pub log_id: LogId,
    /// The generation.
    pub generation: Generation,
    /// Whether another version of the format wrote it: there is none before this one.
    pub newer: bool,
}

/// What the first header says that is one, a newer version's before all others; `None` where there is none.
/// It proves nothing: for what is done with a store that has no owner.
#[must_use]
pub fn truth_claim<T: ReadTruth>(medium: &T) -> Option<TruthClaim> {
    let mut buffer = vec![0; TRUTH_SLOT_BYTES];
    let mut first = None;
    for slot in 0..TRUTH_SLOTS {
        for copy in 0..TRUTH_COPIES {
            if medium.read(slot, copy, &mut buffer).is_err() {
                continue;
            }
            let Some(fixed) = TruthFixed::read(&mut buffer.as_slice()) else {
                continue;
            };
            if fixed.magic != TRUTH_MAGIC {
                continue;
            }
            let claim = TruthClaim {
                log_id: fixed.log_id,
                generation: fixed.generation,
                newer: fixed.version != VERSION,
            };
            if claim.newer {
                return Some(claim);
            }
            first = first.or(Some(claim));
        }
    }
    first
}

/// Whether the store is as power loss leaves it in the first write of all: nothing beyond the copy that is
/// written first, and that one not whole. Nothing can have been committed behind such a store.
///
/// # Errors
/// The medium's: what cannot be read may be anything.
pub(crate) fn broke_off_at_first_write<T: ReadTruth>(
    medium: &T,
    first_slot: u32,
) -> Result<bool, MediumError> {
    let mut buffer = vec![0; TRUTH_SLOT_BYTES];
    for slot in 0..TRUTH_SLOTS {
        for copy in 0..TRUTH_COPIES {
            medium.read(slot, copy, &mut buffer)?;
            let first = (slot, copy) == (first_slot, 0);
            match Truth::parse(&buffer) {
                Copy::Blank => {}
                Copy::Damaged if first => {}
                Copy::Damaged | Copy::Valid(_) | Copy::Newer(_) => return Ok(false),
            }
        }
    }
    Ok(true)
}

/// Reads the whole store of a ring.
pub(crate) fn load<V: ReadVolume, T: ReadTruth>(ring: &Ring<V>, medium: &T) -> Loaded {
    load_beside(medium, &|| ring.is_used())
}

/// The same, where `used` tells whether the ring beside it holds more than a log does that was just begun.
fn load_beside<T: ReadTruth>(medium: &T, used: &dyn Fn() -> bool) -> Loaded {
    let mut loaded = Loaded {
        truth: None,
        slot: 0,
        health: TruthHealth::Sound,
        newer: None,
        findings: Vec::new(),
    };
    let mut slot_alive = Vec::new();
    let mut blank_slots = Vec::new();
    let mut buffer = vec![0; TRUTH_SLOT_BYTES];
    let mut before = buffer.clone();
    for slot in 0..TRUTH_SLOTS {
        let mut alive = false;
        let mut known: Option<Copy> = None;
        let mut blank = true;
        for copy in 0..TRUTH_COPIES {
            let read = match medium.read(slot, copy, &mut buffer) {
                // The copies of a sound slot are the same bytes: what they say is worked out once.
                Ok(()) => match known.take() {
                    Some(copy) if buffer == before => copy,
                    _ => Truth::parse(&buffer),
                },
                Err(_) => Copy::Damaged,
            };
            core::mem::swap(&mut buffer, &mut before);
            known.replace(read.clone());
            blank &= read == Copy::Blank;
            match read {
                Copy::Valid(truth) => {
                    alive = true;
                    let newest = loaded.truth.as_ref().map(|best| best.fixed.counter);
                    if newest.is_none_or(|newest| truth.fixed.counter > newest) {
                        loaded.slot = slot;
                        loaded.truth = Some(*truth);
                    }
                }
                Copy::Newer(version) => loaded.newer = Some(version),
                Copy::Blank | Copy::Damaged => {
                    loaded
                        .findings
                        .push(Finding::TruthCopyDamaged { slot, copy });
                }
            }
        }
        slot_alive.push(alive);
        if blank {
            blank_slots.push(slot);
        }
    }
    // A log that was just created has written one slot only. An old copy of that first state, alone in the store of
    // a log that went on, looks the same: the ring tells.
    let first_write = loaded
        .truth
        .as_ref()
        .is_some_and(|truth| truth.fixed.counter == 1);
    if first_write && blank_slots.len() == 1 && !used() {
        loaded.findings.retain(|finding| {
            !matches!(finding, Finding::TruthCopyDamaged { slot, .. } if blank_slots.contains(slot))
        });
        slot_alive = vec![true];
    }
    loaded.health = match &loaded.truth {
        None => TruthHealth::Lost,
        Some(_) if slot_alive.contains(&false) => TruthHealth::SlotLost,
        Some(_) if !loaded.findings.is_empty() => TruthHealth::Degraded,
        Some(_) => TruthHealth::Sound,
    };
    loaded
}
