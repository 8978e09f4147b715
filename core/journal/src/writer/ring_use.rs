//! How the ring is used: the next segment, what leaves the log for it, and the epoch after a failed write.

use evidence::{CommitId, Epoch, SaltKey};

use super::{Journal, OpenSegment};
use crate::error::CommitError;
use crate::layout::{SEGMENT_MAGIC, SegmentFixed, VERSION};
use crate::limits::FAILURE_SEGMENTS_MAX;
use crate::medium::{TruthMedium, Volume};
use crate::segment::SegmentHead;

impl<V: Volume, T: TruthMedium> Journal<V, T> {
    /// Opens the next segment of the ring for the current epoch.
    pub(super) fn roll(&mut self, salt: SaltKey) -> Result<(), CommitError> {
        let lap = self.open.lap.saturating_add(1);
        self.retire_for(lap)?;
        // Whatever comes of it, this lap is used up: a place that failed is not written again.
        self.open.lap = lap;
        self.open.left = true;
        self.laps.insert(lap, self.truth.fixed.size);
        self.write_segment_header(lap, salt)?;
        self.open = OpenSegment {
            lap,
            offset: self.ring.shape.first_frame_offset(),
            salt_key: salt,
            left: false,
        };
        Ok(())
    }

    /// Makes room for a lap: what its segment still holds leaves the log, and the truth store says
    /// so before the segment is touched.
    fn retire_for(&mut self, lap: u64) -> Result<(), CommitError> {
        let Some((oldest, first)) = self.retired_by(lap) else {
            return self.settle();
        };
        if self.withholds(first) {
            return Err(CommitError::RingFull {
                needed_size: first,
                cosigned_size: self.cosigned_size,
            });
        }
        if self.options.retain_unkept && first > self.kept_size {
            return Err(CommitError::NotKept {
                needed_size: first,
                kept_size: self.kept_size,
            });
        }
        let mut next = self.truth.clone();
        next.fixed.oldest_lap = oldest;
        next.fixed.oldest_commit_id = CommitId(first);
        self.write_truth(next)?;
        self.laps = self.laps.split_off(&oldest);
        Ok(())
    }

    /// Flushes what the truth store still defers: a segment is never opened behind a state that power
    /// loss could take back, so an end older than the newest segment is an old truth store.
    fn settle(&mut self) -> Result<(), CommitError> {
        match self.deferred_commits {
            0 => Ok(()),
            _ => self.write_truth(self.truth.clone()),
        }
    }

    /// The oldest lap and the first entry that stay when a lap is opened; `None` if all stay.
    fn retired_by(&self, lap: u64) -> Option<(u64, u64)> {
        let segments = u64::from(self.ring.shape.segments);
        let oldest = lap.saturating_sub(segments).saturating_add(1);
        if oldest <= self.truth.fixed.oldest_lap {
            return None;
        }
        let first = self.laps.range(oldest..).next();
        Some((
            oldest,
            first.map_or(self.truth.fixed.size, |(_, first)| *first),
        ))
    }

    /// Whether entries below `first` must stay: not cosigned, and not given up.
    fn withholds(&self, first: u64) -> bool {
        self.options.retain_uncosigned && first > self.cosigned_size.max(self.pruned_size)
    }

    /// The size below which entries leave the ring when the next segment is opened; `None` while none do.
    #[must_use]
    pub fn next_segment_retires(&self) -> Option<u64> {
        self.retired_by(self.open.lap.saturating_add(1))
            .map(|(_, first)| first)
    }

    /// The size below which the next segment needs uncosigned entries given up; `None` while it
    /// needs nothing of the kind. Asked early, the loss entry is durable before the entries go.
    #[must_use]
    pub fn next_segment_needs(&self) -> Option<u64> {
        let (_, first) = self.retired_by(self.open.lap.saturating_add(1))?;
        self.withholds(first).then_some(first)
    }

    pub(super) fn write_segment_header(
        &mut self,
        lap: u64,
        salt: SaltKey,
    ) -> Result<(), CommitError> {
        let fixed = &self.truth.fixed;
        let segment_no = self.ring.shape.segment_of(lap);
        let head = SegmentHead {
            fixed: SegmentFixed {
                magic: SEGMENT_MAGIC,
                version: VERSION,
                frontier_len: fixed.frontier_len,
                reserved: [0; 5],
                log_id: self.ring.log_id,
                generation: self.ring.generation,
                epoch: self.epoch,
                lap,
                segment_no,
                block_bytes: self.ring.shape.block_bytes,
                segment_bytes: self.ring.shape.segment_bytes,
                first_commit_id: CommitId(fixed.size),
                epoch_first_commit_id: fixed.epoch_first_commit_id,
                previous_lap: fixed.newest_lap,
                previous_end: fixed.newest_end,
                previous_frame_crc: fixed.newest_frame_crc,
                reserved_2: [0; 4],
                salt_key: salt,
                root_before: fixed.root,
            },
            frontier: self.truth.frontier.clone(),
        };
        let bytes = head.encode(&self.ring.shape);
        self.stats.volume_flushes = self.stats.volume_flushes.saturating_add(1);
        let written = self.ring.volume.write_durable(segment_no, 0, &bytes);
        written.map_err(|error| self.latch(CommitError::Medium(error)))?;
        self.stats.segments_opened = self.stats.segments_opened.saturating_add(1);
        Ok(())
    }

    /// After a failed write: leaves the segment, opens the next one and begins an epoch there. The
    /// place that failed is never written again within its lap.
    ///
    /// # Errors
    /// [`CommitError::NotLatched`], [`CommitError::RingFull`], or the medium's; the journal stays
    /// latched then, and the caller may try again later.
    pub fn begin_epoch_after_failure(&mut self, salt: SaltKey) -> Result<Epoch, CommitError> {
        if !self.latched {
            return Err(CommitError::NotLatched);
        }
        // A failing device must not eat the ring: the segment of the newest entries is never taken,
        // and after a few fresh segments the last one is tried again. Only a commit shows that it works:
        // a header and a slot that can be written say nothing of the frames behind them. The lap of the newest
        // frame is in the truth store, so that a restart does not forget how many segments went without one.
        let held = self
            .open
            .lap
            .saturating_sub(self.truth.fixed.newest_lap)
            .saturating_add(1);
        let repeated =
            self.failures >= FAILURE_SEGMENTS_MAX || held >= u64::from(self.ring.shape.segments);
        let lap = self.open.lap.saturating_add(u64::from(!repeated));
        self.retire_for(lap)?;
        self.failures = self.failures.saturating_add(1);
        self.open.lap = lap;
        self.laps.insert(lap, self.truth.fixed.size);
        self.epoch = Epoch(self.epoch.0.saturating_add(1));
        let mut next = self.truth.clone();
        next.fixed.epoch = self.epoch;
        next.fixed.epoch_first_commit_id = CommitId(next.fixed.size);
        // The header speaks for the new epoch; the truth store follows it.
        let before = core::mem::replace(&mut self.truth, next);
        let header = self.write_segment_header(lap, salt);
        let mut next = core::mem::replace(&mut self.truth, before);
        header?;
        next.fixed.lap = lap;
        next.fixed.commit_offset = self.ring.shape.first_frame_offset();
        next.fixed.salt_key = salt;
        self.write_truth(next)?;
        self.open = OpenSegment {
            lap,
            offset: self.ring.shape.first_frame_offset(),
            salt_key: salt,
            left: false,
        };
        self.latched = false;
        Ok(self.epoch)
    }
}
