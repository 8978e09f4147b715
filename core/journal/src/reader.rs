//! The reader: committed entries, read-only, without a lock; damage is named, never an error.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use evidence::{BootId, CommitId, Epoch, Generation, LogId};
use proof::{CompactRange, Frontier, Hash, ProofError, RangeSource};

use crate::error::{OpenError, RangeError};
use crate::find::{Finding, Loss, TruthHealth};
use crate::frame::StoredEntry;
use crate::leases::{self, Leases};
use crate::medium::{ReadTruth, ReadVolume};
use crate::recovery::{self, Named, is_named, note_named};
use crate::ring::{Location, Ring};
use crate::truth::{self, Loaded, Truth};
use crate::walk::{Start, Step, Walk};

/// Reads the committed log. It shows the log as the truth store had it at [`Self::refresh`], and
/// never passes that end.
#[derive(Debug)]
pub struct Reader<V, T> {
    ring: Ring<V>,
    medium: T,
    truth: Truth,
    health: TruthHealth,
    truth_findings: Vec<Finding>,
    laps: RefCell<BTreeMap<u64, u64>>,
    /// Behind the last frame that was read to its end.
    hint: Cell<Option<Start>>,
}

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
}

/// What a look at everything found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scrub {
    /// All findings, in the order of the log.
    pub findings: Vec<Finding>,
    /// Losses that no loss entry of the log names yet.
    pub unnamed: Vec<Loss>,
    /// Entries read.
    pub entries: u64,
    /// Bytes read from the ring.
    pub bytes: u64,
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
        let ring = Ring::new(volume, log_id, generation);
        let loaded = truth::load(&medium);
        recovery::check_identity(&ring, &loaded)?;
        let (truth, health, truth_findings) = settle(&ring, loaded)?;
        Ok(Self {
            ring,
            medium,
            truth,
            health,
            truth_findings,
            laps: RefCell::new(BTreeMap::new()),
            hint: Cell::new(None),
        })
    }

    /// Looks at the truth store again; whether the log has grown.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn refresh(&mut self) -> Result<bool, OpenError> {
        let loaded = truth::load(&self.medium);
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
                | Finding::TruthCopyDamaged { .. }
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
                return Start {
                    location: self.ring.lap_start(lap),
                    expected: first,
                    previous_first: None,
                };
            }
        }
        Start {
            location: self.ring.lap_start(fixed.oldest_lap),
            expected: fixed.oldest_commit_id.0,
            previous_first: None,
        }
    }

    /// The tree when it had `size` leaves, from the frame that reaches there.
    ///
    /// # Errors
    /// [`RangeError`] when the entries needed are outside the log, retired or lost.
    pub fn frontier_at(&self, size: u64) -> Result<Frontier, RangeError> {
        let fixed = &self.truth.fixed;
        if size == 0 {
            return Ok(Frontier::new());
        }
        if size == fixed.size {
            return Ok(self.truth.frontier.clone());
        }
        self.check_range(size, size)?;
        for item in self.frames(CommitId(size)) {
            match item {
                Ok(frame) if frame.first.0 <= size => {
                    let mut frontier = frame.frontier;
                    for entry in frame
                        .entries
                        .iter()
                        .filter(|entry| entry.commit_id.0 < size)
                    {
                        frontier.push(entry.leaf_hash);
                    }
                    return Ok(frontier);
                }
                Err(Finding::Lost(loss)) if loss.first.0 == size => {
                    return self.frontier_before(size);
                }
                Ok(_) | Err(_) => {}
            }
        }
        Err(RangeError::Lost {
            begin: size,
            end: size.saturating_add(1),
        })
    }

    /// The tree at the beginning of a loss, from the frame before it.
    fn frontier_before(&self, size: u64) -> Result<Frontier, RangeError> {
        let lost = RangeError::Lost {
            begin: size,
            end: size.saturating_add(1),
        };
        let previous = CommitId(size.checked_sub(1).ok_or(lost)?);
        let frame = self.frames(previous).find_map(Result::ok).ok_or(lost)?;
        let mut frontier = frame.frontier;
        for entry in &frame.entries {
            frontier.push(entry.leaf_hash);
        }
        if frontier.size() == size {
            Ok(frontier)
        } else {
            Err(lost)
        }
    }

    fn check_range(&self, begin: u64, end: u64) -> Result<(), RangeError> {
        let fixed = &self.truth.fixed;
        if begin > end || end > fixed.size {
            let size = fixed.size;
            return Err(RangeError::OutOfLog { begin, end, size });
        }
        if begin < fixed.oldest_commit_id.0 {
            let oldest = fixed.oldest_commit_id.0;
            return Err(RangeError::Retired { oldest });
        }
        Ok(())
    }

    /// The compact range over `[begin, end)`; lost entries take part with their known hashes where
    /// the range holds the whole loss.
    ///
    /// # Errors
    /// [`RangeError`] when entries are outside the log, retired, or lost without hashes.
    pub fn range(&self, begin: u64, end: u64) -> Result<CompactRange, RangeError> {
        self.check_range(begin, end)?;
        let mut range = CompactRange::empty(begin);
        for item in self.entries(CommitId(begin)) {
            if range.end() >= end {
                break;
            }
            match item {
                Ok(entry) => range.push(entry.leaf_hash),
                Err(Finding::Lost(loss)) => append_loss(&mut range, &loss, end)?,
                Err(_) => {}
            }
        }
        Ok(range)
    }

    /// A source of tree hashes for proofs: the frontier at `from`, then every leaf up to the
    /// committed end, losses by their compact ranges.
    ///
    /// # Errors
    /// As [`Self::range`].
    pub fn proof_source(&self, from: u64) -> Result<RangeSource, RangeError> {
        let mut source = RangeSource::new(&self.frontier_at(from)?);
        for item in self.entries(CommitId(from)) {
            match item {
                Ok(entry) => source.push_leaf(entry.leaf_hash),
                Err(Finding::Lost(loss)) => {
                    let lost = RangeError::Lost {
                        begin: loss.first.0,
                        end: loss.end(),
                    };
                    source
                        .push_range(&loss.range().ok_or(lost)?)
                        .map_err(|_| lost)?;
                }
                Err(_) => {}
            }
        }
        Ok(source)
    }

    /// Reads everything in the ring and the truth store once, and says what is wrong.
    pub fn scrub(&self) -> Scrub {
        let mut scrub = Scrub {
            findings: self.truth_findings.clone(),
            ..Scrub::default()
        };
        let table = leases::load(&self.medium, self.ring.log_id, self.ring.generation);
        for copy in table.damaged_copies {
            scrub.findings.push(Finding::LeaseCopyDamaged { copy });
        }
        let mut named = Named::new();
        let before = self.ring.scanned_bytes();
        for item in self.entries(self.truth.fixed.oldest_commit_id) {
            match item {
                Ok(entry) => {
                    scrub.entries = scrub.entries.saturating_add(1);
                    note_named(&mut named, &entry);
                }
                Err(finding) => scrub.findings.push(finding),
            }
        }
        self.scrub_headers(&mut scrub.findings);
        scrub.unnamed = scrub
            .findings
            .iter()
            .filter_map(|finding| match finding {
                Finding::Lost(loss) if !is_named(&named, loss) => Some(loss.clone()),
                _ => None,
            })
            .collect();
        scrub.bytes = self.ring.scanned_bytes().saturating_sub(before);
        scrub
    }

    /// The headers of laps without frames, which the walk does not mention.
    fn scrub_headers(&self, findings: &mut Vec<Finding>) {
        let fixed = &self.truth.fixed;
        for lap in fixed.oldest_lap..=fixed.lap {
            let segment = self.ring.shape.segment_of(lap);
            let sound = self
                .ring
                .segment_head(segment)
                .is_ok_and(|head| head.fixed.lap == lap);
            let finding = Finding::SegmentHeaderDamaged { segment, lap };
            if !sound && !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }

    /// Entries committed.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.truth.fixed.size
    }

    /// Root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.truth.fixed.root
    }

    /// The tree.
    #[must_use]
    pub fn frontier(&self) -> &Frontier {
        &self.truth.frontier
    }

    /// The oldest entry still in the ring.
    #[must_use]
    pub fn oldest(&self) -> CommitId {
        self.truth.fixed.oldest_commit_id
    }

    /// The log.
    #[must_use]
    pub fn log_id(&self) -> LogId {
        self.ring.log_id
    }

    /// Its generation.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.ring.generation
    }

    /// The epoch that wrote last.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.truth.fixed.epoch
    }

    /// The boot in which it wrote.
    #[must_use]
    pub fn boot_id(&self) -> BootId {
        self.truth.fixed.boot_id
    }

    /// Up to where a checkpoint was signed, as of the last truth write.
    #[must_use]
    pub fn sealed_size(&self) -> u64 {
        self.truth.fixed.sealed_size
    }

    /// Up to where a collector had cosigned, as of the last truth write.
    #[must_use]
    pub fn cosigned_size(&self) -> u64 {
        self.truth.fixed.cosigned_size
    }

    /// Whether the log was closed orderly.
    #[must_use]
    pub fn closed_orderly(&self) -> bool {
        self.truth.fixed.orderly != 0
    }

    /// State of the truth store, and what is damaged in it.
    #[must_use]
    pub fn truth_health(&self) -> (TruthHealth, &[Finding]) {
        (self.health, &self.truth_findings)
    }

    /// The leases as last stored; `None` when no sound copy is left.
    #[must_use]
    pub fn leases(&self) -> Option<Leases> {
        let table = leases::load(&self.medium, self.ring.log_id, self.ring.generation);
        table.table.map(|table| table.leases)
    }

    /// Whether what looked damaged has meanwhile been reused by the writer.
    fn retired_meanwhile(&self, at: u64) -> Option<CommitId> {
        let truth = truth::load(&self.medium).truth?;
        let oldest = truth.fixed.oldest_commit_id;
        (truth.fixed.oldest_lap > self.truth.fixed.oldest_lap && at < oldest.0).then_some(oldest)
    }
}

fn append_loss(range: &mut CompactRange, loss: &Loss, end: u64) -> Result<(), RangeError> {
    let lost = RangeError::Lost {
        begin: loss.first.0,
        end: loss.end(),
    };
    // A loss that reaches out of the range cannot be cut: only its whole subtrees are known.
    match loss.range() {
        Some(hashes) if loss.end() <= end => range.append(&hashes).map_err(|_| lost),
        _ => Err(lost),
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

/// Frames and findings, in the order of the log.
#[derive(Debug)]
pub struct Frames<'r, V, T> {
    reader: &'r Reader<V, T>,
    walk: Walk<'r, V>,
    queue: VecDeque<Finding>,
    retired: bool,
}

impl<V: ReadVolume, T: ReadTruth> Iterator for Frames<'_, V, T> {
    type Item = Result<ReaderFrame, Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(finding) = self.queue.pop_front() {
            return Some(Err(finding));
        }
        if self.retired {
            return None;
        }
        let step = self.walk.next()?;
        match step {
            Step::Frame(frame) => {
                self.reader.hint.set(Some(self.walk.position()));
                Some(Ok(ReaderFrame {
                    first: CommitId(frame.first),
                    entries: frame.entries,
                    location: frame.location,
                    frontier: frame.frontier,
                }))
            }
            Step::Finding(Finding::Lost(loss)) => {
                // The writer may have reused the segment while it was being read.
                if let Some(to) = self.reader.retired_meanwhile(loss.first.0) {
                    self.retired = true;
                    let from = loss.first;
                    return Some(Err(Finding::Retired { from, to }));
                }
                Some(Err(Finding::Lost(loss)))
            }
            Step::Finding(finding) => Some(Err(finding)),
        }
    }
}

/// Entries and findings, in the order of the log.
#[derive(Debug)]
pub struct Entries<'r, V, T> {
    frames: Frames<'r, V, T>,
    from: CommitId,
    queue: VecDeque<StoredEntry>,
}

impl<V: ReadVolume, T: ReadTruth> Iterator for Entries<'_, V, T> {
    type Item = Result<StoredEntry, Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.queue.pop_front() {
                return Some(Ok(entry));
            }
            match self.frames.next()? {
                Ok(frame) => {
                    let from = self.from;
                    let wanted = frame.entries.into_iter();
                    self.queue
                        .extend(wanted.filter(|entry| entry.commit_id >= from));
                }
                Err(finding) => return Some(Err(finding)),
            }
        }
    }
}

impl From<ProofError> for RangeError {
    fn from(error: ProofError) -> Self {
        Self::Proof(error)
    }
}
