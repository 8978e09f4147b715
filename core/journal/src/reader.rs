//! The reader: committed entries, read-only, without a lock; damage is named, never an error.

mod iterate;
mod scrub;
mod state;
mod tree;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use evidence::{CommitId, Generation, LogId};
pub use iterate::{Entries, Frames};
use proof::tree::Joins;
use proof::{Frontier, Hash};
pub use scrub::Scrub;

use crate::displaced::{Displaced, displaced, moves};
use crate::error::OpenError;
use crate::find::{Finding, TruthHealth};
use crate::frame::StoredEntry;
use crate::medium::{ReadTruth, ReadVolume};
use crate::recovery;
use crate::ring::{Location, Ring};
use crate::truth::{self, Loaded, Truth};
use crate::walk::{Ahead, FrameReader, ReadAhead, Start, Walk};

/// Reads the committed log. It shows the log as the truth store had it at [`Self::refresh`], and
/// never passes that end.
#[derive(Debug)]
pub struct Reader<V, T> {
    ring: Ring<V>,
    medium: T,
    truth: Truth,
    health: TruthHealth,
    truth_findings: Vec<Finding>,
    displaced: Vec<Displaced>,
    /// What the truth store says, where the ring goes on behind that.
    claimed: Option<Claimed>,
    laps: RefCell<BTreeMap<u64, u64>>,
    /// Behind the last frame that was read to its end.
    hint: Cell<Option<Start>>,
}

/// The end that a truth store names, where the log goes on behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Entries that it knows of.
    pub size: u64,
    /// The root that it has for them.
    pub root: Hash,
    /// The place behind the newest frame that it knows of.
    pub end: Location,
    /// Whether no crash explains that: an older truth store was put in the place of the newest one.
    pub old: bool,
}

/// Looks at a log that is written meanwhile, until the truth store is taken at its word.
const LOOKS_MAX: u32 = 5;

/// A frame as the reader gives it out: one group commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderFrame {
    /// First entry.
    pub first: CommitId,
    /// The entries, in order; their leaves lead to the frame's root.
    pub entries: Vec<StoredEntry>,
    /// Where it lies.
    pub location: Location,
    /// The tree before it.
    pub frontier: Frontier,
    /// What was joined while it was proven, for others that build the tree over its entries.
    pub joins: Joins,
}

impl<V: ReadVolume, T: ReadTruth> Reader<V, T> {
    /// Opens the log for reading. Where the truth store is lost, the end is found by scanning.
    ///
    /// # Errors
    /// [`OpenError`] when there is no log, or another one, or a newer format.
    pub fn open(
        volume: V,
        medium: T,
        log_id: LogId,
        generation: Generation,
    ) -> Result<Self, OpenError> {
        let mut ring = Ring::new(volume, log_id, generation);
        let loaded = truth::load(&ring, &medium);
        let headers = recovery::check_identity(&ring, &loaded)?;
        let displaced = displaced(&ring, &headers.misplaced);
        ring.read_elsewhere(moves(&displaced));
        let (truth, health, truth_findings) = settle(&ring, loaded)?;
        Ok(Self {
            ring,
            medium,
            truth,
            health,
            truth_findings,
            displaced,
            claimed: None,
            laps: RefCell::new(BTreeMap::new()),
            hint: Cell::new(None),
        })
    }

    /// The same for a log that nobody may be writing, as recovery would find it: where the truth store is
    /// older than the ring, the log ends where the frames do ([`Self::claimed`] tells). A single frame
    /// behind the end that the store names is not shown: it may be under way, and nobody was told of it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_as_found(
        volume: V,
        medium: T,
        log_id: LogId,
        generation: Generation,
    ) -> Result<Self, OpenError> {
        let mut reader = Self::open(volume, medium, log_id, generation)?;
        reader.go_on(2)?;
        Ok(reader)
    }

    /// The same with every frame that can be read.
    pub(crate) fn open_durable(
        volume: V,
        medium: T,
        log_id: LogId,
        generation: Generation,
    ) -> Result<Self, OpenError> {
        let mut reader = Self::open(volume, medium, log_id, generation)?;
        reader.go_on(1)?;
        Ok(reader)
    }

    /// Goes on behind the end that the truth store names, if so many frames follow it, or it is an old one.
    fn go_on(&mut self, frames_min: u64) -> Result<(), OpenError> {
        for _ in 0..LOOKS_MAX {
            let loaded = truth::load(&self.ring, &self.medium);
            let newest = recovery::check_identity(&self.ring, &loaded)?.newest;
            let Some(named) = loaded.truth else {
                return Ok(());
            };
            let class = self.medium.class();
            let found = recovery::found(&self.ring, class, loaded.health, newest.as_ref(), &named);
            let again = truth::load(&self.ring, &self.medium).truth;
            if again.is_none_or(|again| again.fixed.counter != named.fixed.counter) {
                // Somebody writes: the store is as new as can be, once it is read after the frames.
                self.refresh()?;
                continue;
            }
            (self.health, self.truth_findings) = (loaded.health, loaded.findings);
            let further = found.truth.fixed.size > named.fixed.size;
            if further && (found.old || found.frames >= frames_min) {
                self.claimed = Some(Claimed {
                    size: named.fixed.size,
                    root: named.fixed.root,
                    end: (self.ring).location(named.fixed.lap, named.fixed.commit_offset),
                    old: found.old,
                });
                self.truth = found.truth;
                self.truth.fixed.orderly = 0;
            } else {
                self.truth = named;
            }
            return Ok(());
        }
        Ok(())
    }

    /// What the truth store says, where the log was read on behind that.
    #[must_use]
    pub fn claimed(&self) -> Option<Claimed> {
        self.claimed
    }

    /// Looks at the truth store again; whether the log has grown.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn refresh(&mut self) -> Result<bool, OpenError> {
        let loaded = truth::load(&self.ring, &self.medium);
        let counter = loaded.truth.as_ref().map(|truth| truth.fixed.counter);
        if self.claimed.is_some() && counter == Some(self.truth.fixed.counter) {
            return Ok(false);
        }
        self.claimed = None;
        let (truth, health, findings) = settle(&self.ring, loaded)?;
        let grown = truth.fixed.size > self.truth.fixed.size;
        self.laps
            .borrow_mut()
            .retain(|lap, _| *lap >= truth.fixed.oldest_lap);
        if truth.fixed.epoch != self.truth.fixed.epoch {
            self.hint.set(None);
        }
        (self.truth, self.health, self.truth_findings) = (truth, health, findings);
        Ok(grown)
    }

    /// The frames from the one that holds `from` on, with what is damaged between them.
    pub fn frames(&self, from: CommitId) -> Frames<'_, V, T> {
        let oldest = self.truth.fixed.oldest_commit_id;
        let mut queue = VecDeque::new();
        if from < oldest {
            queue.push_back(Finding::Retired { from, to: oldest });
        }
        let from = from.max(oldest);
        Frames {
            reader: self,
            walk: Walk::new(&self.ring, &self.truth, self.start(from), from.0),
            queue,
            retired: false,
        }
    }

    /// The same, where somebody may have read frames ahead; what comes of it does not change.
    pub fn frames_ahead<'r>(
        &'r self,
        from: CommitId,
        ahead: &'r dyn ReadAhead,
    ) -> Frames<'r, V, T> {
        let frames = self.frames(from);
        Frames {
            walk: frames.walk.with_ahead(Ahead(ahead)),
            ..frames
        }
    }

    /// Reads frames of this log by their place, for [`ReadAhead`]: one for each thread.
    pub fn frame_reader(&self) -> FrameReader<&V> {
        FrameReader::new(self.ring.another())
    }

    /// The entries from `from` on, with what is damaged between them.
    pub fn entries(&self, from: CommitId) -> Entries<'_, V, T> {
        Entries {
            frames: self.frames(from),
            from,
            queue: VecDeque::new(),
        }
    }

    /// One entry: `None` past the end, else the entry or why it cannot be read.
    pub fn entry(&self, id: CommitId) -> Option<Result<StoredEntry, Finding>> {
        if id.0 >= self.truth.fixed.size {
            return None;
        }
        self.entries(id).find(|item| match item {
            Ok(entry) => entry.commit_id == id,
            Err(Finding::Lost(loss)) => loss.first <= id && id.0 < loss.end(),
            Err(Finding::Retired { to, .. }) => id < *to,
            Err(
                Finding::FrameRestored { .. }
                | Finding::SegmentHeaderDamaged { .. }
                | Finding::SegmentDisplaced { .. }
                | Finding::TruthCopyDamaged { .. }
                | Finding::TruthCopyOld { .. }
                | Finding::TruthBehind { .. }
                | Finding::LeaseCopyDamaged { .. }
                | Finding::TruthLost
                | Finding::RootMismatch { .. },
            ) => false,
        })
    }

    /// Where the frame of an entry lies, if it can be read.
    pub fn locate(&self, id: CommitId) -> Option<Location> {
        let frame = self.frames(id).find_map(Result::ok)?;
        let end = frame.first.0.saturating_add(frame.entries.len() as u64);
        (frame.first <= id && id.0 < end).then_some(frame.location)
    }

    fn start(&self, from: CommitId) -> Start {
        if let Some(hint) = self.hint.get()
            && hint.expected == from.0
            && hint.location.lap >= self.truth.fixed.oldest_lap
        {
            return hint;
        }
        let fixed = &self.truth.fixed;
        let mut laps = self.laps.borrow_mut();
        laps.insert(fixed.oldest_lap, fixed.oldest_commit_id.0);
        // From the newest lap down: what is asked for is mostly new.
        for lap in (fixed.oldest_lap..=fixed.lap).rev() {
            let known = laps.get(&lap).copied();
            let first = known.or_else(|| recovery::lap_first(&self.ring, lap));
            let Some(first) = first else { continue };
            laps.insert(lap, first);
            if first <= from.0 {
                return Start::of_lap(&self.ring, lap, first);
            }
        }
        Start::of_lap(&self.ring, fixed.oldest_lap, fixed.oldest_commit_id.0)
    }
}

fn settle<V: ReadVolume>(
    ring: &Ring<V>,
    loaded: Loaded,
) -> Result<(Truth, TruthHealth, Vec<Finding>), OpenError> {
    match loaded.truth {
        Some(truth) => Ok((truth, loaded.health, loaded.findings)),
        None => {
            let mut findings = loaded.findings;
            findings.push(Finding::TruthLost);
            let truth = recovery::scan(ring).ok_or(OpenError::NoLog)?;
            Ok((truth, TruthHealth::Lost, findings))
        }
    }
}
