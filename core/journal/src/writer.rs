//! The writer: frame durable, truth store advanced, and only then acknowledged.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use evidence::limits::ENTRY_BYTES_MAX;
use evidence::reasons::TruthClass;
use evidence::{Captured, CommitId, Entry, Epoch, Generation, Header, LogId, SaltKey, Stamp};
use proof::{CompactRange, Frontier, Hash};

use crate::error::{CommitError, OpenError};
use crate::find::Finding;
use crate::frame::{
    EncodedFrame, NewFrame, StoredEntry, header_bytes_of, payload_bytes_of, payload_room,
};
use crate::layout::{SEGMENT_MAGIC, SegmentFixed, VERSION};
use crate::leases::{self, Leases, Table};
use crate::limits::{
    ENTRY_ENVELOPE_BYTES_MAX, FAILURE_SEGMENTS_MAX, FRAME_BYTES_MAX, FRAME_ENTRIES_MAX,
    TABLE_COPIES, TRUTH_SLOTS,
};
use crate::medium::{TruthMedium, Volume};
use crate::reader::Reader;
use crate::recovery::{self, OpenInput, Recovery};
use crate::ring::{Location, Ring};
use crate::segment::SegmentHead;
use crate::truth::{self, Truth};

/// How a journal behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Refuse to reuse a segment whose entries no cosigner has stored.
    pub retain_uncosigned: bool,
    /// Read every n-th frame back before it is acknowledged; 0 for never.
    pub read_back_every: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            retain_uncosigned: true,
            read_back_every: 0,
        }
    }
}

/// What the writer counted since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Group commits acknowledged.
    pub commits: u64,
    /// Entries acknowledged.
    pub entries: u64,
    /// Bytes of all frames, padding included.
    pub frame_bytes: u64,
    /// Bytes of the entries in them.
    pub payload_bytes: u64,
    /// Durable writes of the ring (segment headers and frames).
    pub volume_flushes: u64,
    /// Durable writes of the truth store (slots and lease tables).
    pub truth_flushes: u64,
    /// Segments opened.
    pub segments_opened: u64,
    /// Writes that failed.
    pub write_failures: u64,
    /// Frames read back after writing.
    pub read_backs: u64,
    /// Of these, frames that differed.
    pub read_back_failures: u64,
    /// End of the newest frame that is durable in the ring, in bytes since the log began.
    pub write_ptr: u64,
    /// End of the newest frame that the truth store knows, in bytes since the log began.
    pub commit_ptr: u64,
}

/// A group commit that is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Id of its first entry.
    pub first: CommitId,
    /// The entries as stored, in order.
    pub entries: Vec<StoredEntry>,
    /// Entries in the log now.
    pub size: u64,
    /// Root of the tree now.
    pub root: Hash,
    /// Bytes of the frame, padding included.
    pub frame_bytes: u32,
    /// Bytes of the entries in it.
    pub payload_bytes: u32,
    /// Where the frame lies.
    pub location: Location,
    /// Whether it opened a segment.
    pub rolled: bool,
}

/// The journal of one log, as its one writer holds it.
#[derive(Debug)]
pub struct Journal<V, T> {
    ring: Ring<V>,
    medium: T,
    /// The newest state that the truth store holds, and the slot it lies in.
    truth: Truth,
    slot: u32,
    counter: u64,
    /// First commit id of each lap in the ring.
    laps: BTreeMap<u64, u64>,
    open: OpenSegment,
    epoch: Epoch,
    latched: bool,
    failures: u32,
    options: Options,
    table: Table,
    /// The copy to write first: never the only sound one.
    table_copy: u32,
    sealed_size: u64,
    cosigned_size: u64,
    pruned_size: u64,
    stats: Stats,
}

/// The segment being written.
#[derive(Clone, Copy, Debug)]
struct OpenSegment {
    lap: u64,
    offset: u64,
    salt_key: SaltKey,
    /// Set when nothing more may be written to it.
    left: bool,
}

impl<V: Volume, T: TruthMedium> Journal<V, T> {
    /// Begins a log on blank media. `salt` is the random salt key of the first segment.
    ///
    /// # Errors
    /// [`OpenError::Occupied`] unless the media are blank, or a medium's failure.
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
        let loaded = truth::load(&medium);
        let occupied = (0..ring.shape.segments).any(|segment| ring.segment_head(segment).is_ok());
        if !loaded.blank || occupied {
            return Err(OpenError::Occupied);
        }
        recovery::check_identity(&ring, &loaded)?;
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
        let mut journal = Self::assemble(ring, medium, truth, 1, laps, input);
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
        let ring = Ring::new(volume, input.log_id, input.generation);
        let loaded = truth::load(&medium);
        let truth_lost = loaded.truth.is_none();
        let end = recovery::recover(&ring, &medium, loaded)?;
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
        journal.epoch = recovery.epoch;
        journal.open.left = recovery.uncertain.is_some() || journal.unopened_segment();
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
            epoch: fixed.epoch,
            slot,
            counter: fixed.counter,
            laps,
            latched: false,
            failures: 0,
            options: input.options,
            table: Table::default(),
            table_copy: 0,
            sealed_size: fixed.sealed_size,
            cosigned_size: fixed.cosigned_size,
            pruned_size: fixed.pruned_size,
            stats: Stats::default(),
            ring,
            medium,
            truth,
        }
    }

    /// Whether the newest segment has neither frames nor a header.
    fn unopened_segment(&self) -> bool {
        self.open.offset == self.ring.shape.first_frame_offset()
            && !self
                .ring
                .segment_head(self.ring.shape.segment_of(self.open.lap))
                .is_ok_and(|head| head.fixed.lap == self.open.lap)
    }

    /// How many of these captures, counted from the front, fit one commit, given the lengths of
    /// their capture bytes. Zero when the first is too long for any.
    pub fn fitting(&self, capture_bytes: impl IntoIterator<Item = usize>) -> usize {
        let mut room = payload_room(&self.ring.shape);
        let fits = |len: &usize| {
            let entry = len.saturating_add(ENTRY_ENVELOPE_BYTES_MAX);
            match room.checked_sub(payload_bytes_of(core::iter::once(entry))) {
                Some(left) if entry <= ENTRY_BYTES_MAX => {
                    room = left;
                    true
                }
                _ => false,
            }
        };
        let lens = capture_bytes.into_iter().take(FRAME_ENTRIES_MAX);
        lens.take_while(fits).count()
    }

    /// Commits a group: one frame, durable, then the truth store. `salt` is a fresh random salt
    /// key, used if the frame opens a segment.
    ///
    /// # Errors
    /// [`CommitError`]; nothing of the group is part of the log then. After a failed write the
    /// journal takes nothing until [`Self::begin_epoch_after_failure`].
    pub fn commit(
        &mut self,
        group: &[(Stamp, Captured)],
        salt: SaltKey,
    ) -> Result<Committed, CommitError> {
        if self.latched {
            return Err(CommitError::Latched);
        }
        let encoded = self.encode(group)?;
        let frame_bytes = self.frame_bytes(&encoded)?;
        let end = self.open.offset.saturating_add(frame_bytes as u64);
        let rolled = self.open.left || end > self.ring.shape.segment_bytes;
        if rolled {
            self.roll(salt)?;
        }
        let first = self.truth.fixed.size;
        let mut frontier = self.truth.frontier.clone();
        let mut range = CompactRange::empty(first);
        let generation = self.ring.generation;
        let entries: Vec<StoredEntry> = (first..)
            .zip(encoded)
            .map(|(id, bytes)| {
                StoredEntry::new(&self.open.salt_key, generation, CommitId(id), bytes)
            })
            .collect();
        for entry in &entries {
            frontier.push(entry.leaf_hash);
            range.push(entry.leaf_hash);
        }
        let location = self.ring.location(self.open.lap, self.open.offset);
        let frame = self.write_frame(&entries, frontier.root(), location)?;
        let next = self.advanced(frontier, range, &frame);
        self.write_truth(next)?;
        self.open.offset = self.truth.fixed.commit_offset;
        self.count(&entries, &frame);
        Ok(Committed {
            first: CommitId(first),
            entries,
            size: self.truth.fixed.size,
            root: self.truth.fixed.root,
            frame_bytes: u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX),
            payload_bytes: frame.payload_bytes,
            location,
            rolled,
        })
    }

    fn encode(&self, group: &[(Stamp, Captured)]) -> Result<Vec<Vec<u8>>, CommitError> {
        if group.is_empty() {
            return Err(CommitError::Empty);
        }
        let ids = self.truth.fixed.size..;
        ids.zip(group)
            .enumerate()
            .map(|(index, (id, (stamp, captured)))| {
                let entry = Entry {
                    header: Header {
                        kind: captured.kind,
                        generation: self.ring.generation,
                        commit_id: CommitId(id),
                        epoch: self.epoch,
                    },
                    stamp: *stamp,
                    captured: captured.clone(),
                };
                let bytes = entry.encode();
                if bytes.len() > ENTRY_BYTES_MAX {
                    let bytes = bytes.len();
                    return Err(CommitError::EntryTooLong { index, bytes });
                }
                Ok(bytes)
            })
            .collect()
    }

    /// Bytes of the frame of these entries, if one frame of this ring holds them.
    fn frame_bytes(&self, encoded: &[Vec<u8>]) -> Result<usize, CommitError> {
        let shape = &self.ring.shape;
        let header = header_bytes_of(
            self.truth.frontier.hashes().len(),
            self.truth.newest_range.hashes().len(),
        );
        let payload = payload_bytes_of(encoded.iter().map(Vec::len));
        let bytes = shape.blocks_up(header.saturating_add(payload));
        let room = shape
            .segment_bytes
            .saturating_sub(shape.first_frame_offset());
        if encoded.len() > FRAME_ENTRIES_MAX || bytes > FRAME_BYTES_MAX || bytes as u64 > room {
            return Err(CommitError::TooLarge {
                entries: encoded.len(),
                bytes,
            });
        }
        Ok(bytes)
    }

    fn write_frame(
        &mut self,
        entries: &[StoredEntry],
        root_after: Hash,
        location: Location,
    ) -> Result<EncodedFrame, CommitError> {
        let frame = NewFrame {
            log_id: self.ring.log_id,
            generation: self.ring.generation,
            epoch: self.epoch,
            epoch_first: self.truth.fixed.epoch_first_commit_id,
            lap: location.lap,
            offset: location.offset,
            salt_key: self.open.salt_key,
            frontier: &self.truth.frontier,
            previous_range: &self.truth.newest_range,
            previous_frame_crc: self.truth.fixed.newest_frame_crc,
            root_after,
            entries,
        };
        let frame = frame
            .encode(&self.ring.shape)
            .ok_or(CommitError::TooLarge {
                entries: entries.len(),
                bytes: FRAME_BYTES_MAX,
            })?;
        let written =
            self.ring
                .volume
                .write_durable(location.segment, location.offset, &frame.bytes);
        self.stats.volume_flushes = self.stats.volume_flushes.saturating_add(1);
        written.map_err(|error| self.latch(CommitError::Medium(error)))?;
        self.read_back(&frame, location)?;
        self.stats.write_ptr = self.linear(location.lap, location.offset, frame.bytes.len());
        Ok(frame)
    }

    /// Reads the frame back where the options ask for it (A5.5).
    fn read_back(&mut self, frame: &EncodedFrame, location: Location) -> Result<(), CommitError> {
        let every = u64::from(self.options.read_back_every);
        if every == 0 || !self.stats.commits.is_multiple_of(every) {
            return Ok(());
        }
        self.stats.read_backs = self.stats.read_backs.saturating_add(1);
        let found = self
            .ring
            .read(location.segment, location.offset, frame.bytes.len());
        if found.is_ok_and(|found| found == frame.bytes) {
            return Ok(());
        }
        self.stats.read_back_failures = self.stats.read_back_failures.saturating_add(1);
        Err(self.latch(CommitError::ReadBack {
            segment: location.segment,
            offset: location.offset,
        }))
    }

    /// The truth after a frame.
    fn advanced(&self, frontier: Frontier, range: CompactRange, frame: &EncodedFrame) -> Truth {
        let mut next = self.truth.clone();
        next.set_tree(frontier, range);
        let fixed = &mut next.fixed;
        fixed.lap = self.open.lap;
        fixed.salt_key = self.open.salt_key;
        fixed.commit_offset = self.open.offset.saturating_add(frame.bytes.len() as u64);
        fixed.newest_lap = self.open.lap;
        fixed.newest_end = fixed.commit_offset;
        fixed.newest_frame_crc = frame.header_crc;
        fixed.doubt = 0;
        next
    }

    /// Opens the next segment of the ring for the current epoch.
    fn roll(&mut self, salt: SaltKey) -> Result<(), CommitError> {
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
        let segments = u64::from(self.ring.shape.segments);
        let oldest = lap.saturating_sub(segments).saturating_add(1);
        if oldest <= self.truth.fixed.oldest_lap {
            return Ok(());
        }
        let size = self.truth.fixed.size;
        let first = self.laps.range(oldest..).next();
        let first = first.map_or(size, |(_, first)| *first);
        let given_up = self.cosigned_size.max(self.pruned_size);
        if self.options.retain_uncosigned && first > given_up {
            return Err(CommitError::RingFull {
                needed_size: first,
                cosigned_size: self.cosigned_size,
            });
        }
        let mut next = self.truth.clone();
        next.fixed.oldest_lap = oldest;
        next.fixed.oldest_commit_id = CommitId(first);
        self.write_truth(next)?;
        self.laps = self.laps.split_off(&oldest);
        Ok(())
    }

    fn write_segment_header(&mut self, lap: u64, salt: SaltKey) -> Result<(), CommitError> {
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

    /// Writes the older slot. What it holds after a failure is unknown, so the next attempt writes
    /// the same slot again, under a higher counter.
    fn write_truth(&mut self, mut next: Truth) -> Result<(), CommitError> {
        self.counter = self.counter.saturating_add(1);
        next.fixed.counter = self.counter;
        next.fixed.sealed_size = self.sealed_size;
        next.fixed.cosigned_size = self.cosigned_size;
        next.fixed.pruned_size = self.pruned_size;
        let slot = self.slot.saturating_add(1) % TRUTH_SLOTS;
        self.stats.truth_flushes = self.stats.truth_flushes.saturating_add(1);
        let written = self.medium.write_durable(slot, &next.encode());
        written.map_err(|error| self.latch(CommitError::Medium(error)))?;
        self.slot = slot;
        self.stats.commit_ptr = self.linear(next.fixed.lap, next.fixed.commit_offset, 0);
        self.truth = next;
        Ok(())
    }

    fn latch(&mut self, error: CommitError) -> CommitError {
        self.latched = true;
        self.stats.write_failures = self.stats.write_failures.saturating_add(1);
        error
    }

    fn linear(&self, lap: u64, offset: u64, bytes: usize) -> u64 {
        lap.saturating_sub(1)
            .saturating_mul(self.ring.shape.segment_bytes)
            .saturating_add(offset)
            .saturating_add(bytes as u64)
    }

    fn count(&mut self, entries: &[StoredEntry], frame: &EncodedFrame) {
        let stats = &mut self.stats;
        stats.commits = stats.commits.saturating_add(1);
        stats.entries = stats.entries.saturating_add(entries.len() as u64);
        stats.frame_bytes = stats.frame_bytes.saturating_add(frame.bytes.len() as u64);
        stats.payload_bytes = stats
            .payload_bytes
            .saturating_add(u64::from(frame.payload_bytes));
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
        // and after a few fresh segments the last one is tried again.
        let held = self
            .open
            .lap
            .saturating_sub(self.truth.fixed.lap)
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
        self.failures = 0;
        Ok(self.epoch)
    }

    /// Stores the lease table; it is durable when this returns.
    ///
    /// # Errors
    /// [`CommitError::Leases`] when it is too long, or the medium's; the table before still holds.
    pub fn store_leases(&mut self, leases: Leases) -> Result<(), CommitError> {
        let table = Table {
            counter: self.table.counter.saturating_add(1),
            leases,
        };
        self.write_leases(&table)?;
        self.table = table;
        Ok(())
    }

    fn write_leases(&mut self, table: &Table) -> Result<(), CommitError> {
        let bytes = table
            .encode(self.ring.log_id, self.ring.generation)
            .map_err(|error| CommitError::Leases { bytes: error.bytes })?;
        let first = self.table_copy;
        for copy in (0..TABLE_COPIES).map(|n| first.saturating_add(n) % TABLE_COPIES) {
            self.stats.truth_flushes = self.stats.truth_flushes.saturating_add(1);
            if let Err(error) = self.medium.write_table(copy, &bytes) {
                self.stats.write_failures = self.stats.write_failures.saturating_add(1);
                self.table_copy = copy;
                return Err(CommitError::Medium(error));
            }
        }
        Ok(())
    }

    /// Closes the log orderly and gives the media back.
    ///
    /// # Errors
    /// [`CommitError::Latched`], or the medium's: then it counts as not closed.
    pub fn close(mut self) -> Result<(V, T), CommitError> {
        if self.latched {
            return Err(CommitError::Latched);
        }
        let mut next = self.truth.clone();
        next.fixed.orderly = 1;
        self.write_truth(next)?;
        Ok(self.into_media())
    }

    /// Gives the media back without closing the log, as a crash would.
    pub fn into_media(self) -> (V, T) {
        (self.ring.volume, self.medium)
    }
}

impl<V: Volume, T: TruthMedium> Journal<V, T> {
    /// Tells the journal up to where a checkpoint is signed; goes into the next truth write.
    pub fn note_sealed(&mut self, size: u64) {
        self.sealed_size = self.sealed_size.max(size.min(self.size()));
    }

    /// Tells the journal up to where a collector has cosigned: segments below may be reused.
    pub fn note_cosigned(&mut self, size: u64) {
        self.cosigned_size = self.cosigned_size.max(size.min(self.size()));
    }

    /// Gives entries below `size` up although nobody has cosigned them. The caller commits the loss
    /// entry that says so.
    pub fn permit_pruning(&mut self, size: u64) {
        self.pruned_size = self.pruned_size.max(size.min(self.size()));
    }

    /// A reader of the committed log over the same media.
    ///
    /// # Errors
    /// As [`Reader::open`]; none in practice, as the log is open.
    pub fn reader(&self) -> Result<Reader<&V, &T>, OpenError> {
        Reader::open(
            &self.ring.volume,
            &self.medium,
            self.ring.log_id,
            self.ring.generation,
        )
    }

    /// First entry of the newest segment that has entries: where the newest counter snapshot is.
    #[must_use]
    pub fn newest_segment_first(&self) -> CommitId {
        let size = self.truth.fixed.size;
        let first = self.laps.values().rev().find(|first| **first < size);
        CommitId(first.copied().unwrap_or(0))
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

    /// The epoch that runs.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
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

    /// Up to where a checkpoint is signed.
    #[must_use]
    pub fn sealed_size(&self) -> u64 {
        self.sealed_size
    }

    /// Up to where a collector has cosigned.
    #[must_use]
    pub fn cosigned_size(&self) -> u64 {
        self.cosigned_size
    }

    /// What the truth store can prove.
    #[must_use]
    pub fn truth_class(&self) -> TruthClass {
        self.medium.class()
    }

    /// Whether a write failed and a new epoch has to begin.
    #[must_use]
    pub fn is_latched(&self) -> bool {
        self.latched
    }

    /// Bytes left in the segment being written.
    #[must_use]
    pub fn segment_bytes_left(&self) -> u64 {
        if self.open.left {
            return 0;
        }
        self.ring
            .shape
            .segment_bytes
            .saturating_sub(self.open.offset)
    }

    /// The leases as last stored.
    #[must_use]
    pub fn leases(&self) -> &Leases {
        &self.table.leases
    }

    /// What was counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }
}

/// The error of a write during opening.
fn opening(error: CommitError) -> OpenError {
    match error {
        CommitError::Medium(error) => OpenError::Medium(error),
        CommitError::Empty
        | CommitError::TooLarge { .. }
        | CommitError::EntryTooLong { .. }
        | CommitError::RingFull { .. }
        | CommitError::ReadBack { .. }
        | CommitError::Latched
        | CommitError::NotLatched
        | CommitError::Leases { .. } => OpenError::Shape("the opening met an impossible refusal"),
    }
}
