//! Beginning a log on blank media, and opening one whatever state it was left in.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use evidence::reasons::TruthClass;
use evidence::{CommitId, Epoch, SaltKey};
use proof::{CompactRange, Frontier};

use super::{Journal, OpenSegment, Stats};
use crate::error::{CommitError, OpenError};
use crate::find::Finding;
use crate::leases::{self, Table};
use crate::limits::TRUTH_SLOTS;
use crate::medium::{MediumError, TruthMedium, Volume};
use crate::recovery::{self, OpenInput, Recovery};
use crate::ring::{Ring, SegmentAt};
use crate::segment::SegmentFault;
use crate::truth::{self, Truth};

/// The slot that a new log counts as written last: its first state goes into the one after it.
const LAST_SLOT: u32 = 1;

impl<V: Volume, T: TruthMedium> Journal<V, T> {
    /// Begins a log on blank media, or on such as power loss left in an earlier attempt. `salt` is the
    /// random salt key of the first segment.
    ///
    /// # Errors
    /// [`OpenError::Occupied`] where a log is or may have been, or a medium's failure.
    pub fn create(
        volume: V,
        medium: T,
        input: &OpenInput,
        salt: SaltKey,
    ) -> Result<Self, OpenError> {
        let ring = Ring::new(volume, input.log_id, input.generation);
        if let Some(what) = ring.shape.objection() {
            return Err(OpenError::Shape(what));
        }
        let loaded = truth::load(&ring, &medium);
        recovery::check_identity(&ring, &loaded)?;
        if !is_unbegun(&ring, &medium).map_err(OpenError::Medium)? {
            return Err(OpenError::Occupied);
        }
        let mut fixed = recovery::blank_truth(&ring);
        fixed.epoch = Epoch(1);
        fixed.boot_id = input.boot_id;
        fixed.salt_key = salt;
        let truth = Truth {
            fixed,
            frontier: Frontier::new(),
            newest_range: CompactRange::empty(0),
        };
        let laps = BTreeMap::from([(1, 0)]);
        let mut journal = Self::assemble(ring, medium, truth, LAST_SLOT, laps, input);
        journal.write_leases(&Table::default()).map_err(opening)?;
        journal
            .write_truth(journal.truth.clone())
            .map_err(opening)?;
        journal.write_segment_header(1, salt).map_err(opening)?;
        journal
            .write_truth(journal.truth.clone())
            .map_err(opening)?;
        Ok(journal)
    }

    /// Opens a log, whatever state it was left in, and begins an epoch.
    ///
    /// # Errors
    /// [`OpenError`] when there is no log, when it is another log or a newer format, or when the
    /// truth store cannot be written. Damage is reported in [`Recovery`].
    pub fn open(volume: V, medium: T, input: &OpenInput) -> Result<(Self, Recovery), OpenError> {
        let mut ring = Ring::new(volume, input.log_id, input.generation);
        let loaded = truth::load(&ring, &medium);
        let truth_lost = loaded.truth.is_none();
        let deferred = medium.class() == TruthClass::SameDeviceDeferred;
        let found = loaded.truth.as_ref().filter(|_| deferred);
        let unsettled = found.map(|truth| (loaded.slot, truth.encode()));
        let claimed = loaded.truth.as_ref().map(|truth| truth.fixed.lap);
        let end = recovery::recover(&ring, &medium, loaded)?;
        settle(&mut ring, claimed, end.truth.fixed.lap).map_err(OpenError::Medium)?;
        let mut recovery = end.recovery;
        let table = leases::load(&medium, input.log_id, input.generation);
        let repair = table.damaged_copies.first().copied();
        let damaged = table.damaged_copies.into_iter();
        recovery
            .findings
            .extend(damaged.map(|copy| Finding::LeaseCopyDamaged { copy }));
        recovery.leases_lost = table.table.is_none();
        let mut truth = end.truth;
        truth.fixed.epoch = recovery.epoch;
        truth.fixed.epoch_first_commit_id = CommitId(truth.fixed.size);
        truth.fixed.boot_id = input.boot_id;
        truth.fixed.orderly = 0;
        let mut journal = Self::assemble(ring, medium, truth, end.slot, end.laps, input);
        if let Some(table) = table.table {
            journal.table = table;
            if let Some(copy) = repair {
                journal.table_copy = copy;
                journal
                    .store_leases(journal.table.leases.clone())
                    .map_err(opening)?;
            }
        }
        let damaged = recovery
            .findings
            .iter()
            .filter_map(|finding| match finding {
                Finding::TruthCopyDamaged { slot, copy } => Some((*slot, *copy)),
                _ => None,
            });
        journal.damaged_copies = damaged.collect();
        journal.epoch = recovery.epoch;
        journal.open.left = recovery.uncertain.is_some() || journal.leaves_lap();
        journal.ring.volume.make_whole();
        if let Some((slot, bytes)) = unsettled {
            journal
                .settle_newest(slot, &bytes)
                .map_err(OpenError::Medium)?;
        }
        journal
            .write_truth(journal.truth.clone())
            .map_err(opening)?;
        if truth_lost {
            journal
                .write_truth(journal.truth.clone())
                .map_err(opening)?;
        }
        Ok((journal, recovery))
    }

    /// Where the newest slot may never have been flushed, makes it durable as it is before the other is
    /// touched: writing over it what it holds already cannot tear it.
    fn settle_newest(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        self.stats.truth_flushes = self.stats.truth_flushes.saturating_add(1);
        self.medium.write_durable(slot, bytes)
    }

    fn assemble(
        ring: Ring<V>,
        medium: T,
        truth: Truth,
        slot: u32,
        laps: BTreeMap<u64, u64>,
        input: &OpenInput,
    ) -> Self {
        let fixed = &truth.fixed;
        Self {
            open: OpenSegment {
                lap: fixed.lap,
                offset: fixed.commit_offset,
                salt_key: fixed.salt_key,
                left: false,
            },
            memory: Arc::default(),
            epoch: fixed.epoch,
            slot,
            counter: fixed.counter,
            damaged_copies: BTreeMap::new(),
            deferred_commits: 0,
            laps,
            latched: false,
            failures: 0,
            options: input.options,
            table: Table::default(),
            table_copy: 0,
            sealed_size: fixed.sealed_size,
            cosigned_size: fixed.cosigned_size,
            pruned_size: fixed.pruned_size,
            firmware: fixed.firmware,
            kept_size: 0,
            stats: Stats::default(),
            ring,
            medium,
            truth,
        }
    }

    /// Whether the newest segment has neither a header nor a first frame: it was never opened, or its file is
    /// gone. Only the header of a lap tells where the one before it ends and which epoch began then, so the next
    /// lap is begun at once, unless entries would have to leave for it that must stay.
    fn leaves_lap(&self) -> bool {
        let begun = self.open.offset > self.ring.shape.first_frame_offset();
        recovery::lap_first(&self.ring, self.open.lap).is_none()
            && !(begun && self.next_segment_needs().is_some())
    }
}

/// Makes durable whatever was read behind the end that the truth store claims: an earlier process may not have
/// lived to see its last write done. Before that end everything was durable when it was acknowledged.
fn settle<V: Volume>(
    ring: &mut Ring<V>,
    claimed: Option<u64>,
    found: u64,
) -> Result<(), MediumError> {
    let segments = u64::from(ring.shape.segments);
    // The header of the next lap may be written as well.
    let last = found.saturating_add(1);
    let floor = last.saturating_sub(segments.saturating_sub(1));
    let first = claimed.unwrap_or(floor).clamp(floor, last);
    (first..=last).try_for_each(|lap| ring.volume.settle(ring.shape.segment_of(lap)))
}

/// Whether no log was ever begun here. The first truth slot is durable before the first header is touched,
/// so a header that is not blank is of a log, whatever its state.
fn is_unbegun<V: Volume, T: TruthMedium>(ring: &Ring<V>, medium: &T) -> Result<bool, MediumError> {
    for segment in 0..ring.shape.segments {
        match ring.segment_head(segment) {
            Err(SegmentAt::Fault(SegmentFault::Blank)) => {}
            Err(SegmentAt::Medium(error)) => return Err(error),
            Ok(_) | Err(SegmentAt::Fault(_)) => return Ok(false),
        }
    }
    truth::broke_off_at_first_write(medium, LAST_SLOT.saturating_add(1) % TRUTH_SLOTS)
}

/// The error of a write during opening.
fn opening(error: CommitError) -> OpenError {
    match error {
        CommitError::Medium(error) => OpenError::Medium(error),
        CommitError::Empty
        | CommitError::TooLarge { .. }
        | CommitError::EntryTooLong { .. }
        | CommitError::RingFull { .. }
        | CommitError::NotKept { .. }
        | CommitError::ReadBack { .. }
        | CommitError::Latched
        | CommitError::NotLatched
        | CommitError::Leases { .. } => OpenError::Shape("the opening met an impossible refusal"),
    }
}
