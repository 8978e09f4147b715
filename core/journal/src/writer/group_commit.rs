//! The group commit: one frame, durable, then the truth store, then the acknowledgement.

use alloc::sync::Arc;
use alloc::vec::Vec;
use evidence::limits::ENTRY_BYTES_MAX;
use evidence::{Captured, CommitId, Header, SaltKey, Stamp};
use proof::tree::leaf_hash_of;
use proof::{CompactRange, Frontier, Hash};

use super::{Committed, Journal};
use crate::error::CommitError;
use crate::frame::{
    Draft, EncodedFrame, NewFrame, StoredEntry, header_bytes_of, payload_bytes_of, payload_room,
};
use crate::limits::{ENTRY_ENVELOPE_BYTES_MAX, FRAME_BYTES_MAX, FRAME_ENTRIES_MAX};
use crate::medium::{TruthMedium, Volume};
use crate::ring::Location;
use crate::truth::Truth;

impl<V: Volume, T: TruthMedium> Journal<V, T> {
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
        let draft = self.draft(group)?;
        let frame_bytes = self.frame_bytes(&draft)?;
        let end = self.open.offset.saturating_add(frame_bytes as u64);
        let rolled = self.open.left || end > self.ring.shape.segment_bytes;
        if rolled {
            self.roll(salt)?;
        }
        let first = self.truth.fixed.size;
        let generation = self.ring.generation;
        let salts = self.open.salt_key.salts();
        // The leaves are hashed together once; the tree takes them as subtrees.
        let mut range = CompactRange::empty(first);
        let mut leaves = Vec::with_capacity(draft.len());
        for (id, bytes) in (first..).zip(draft.entries()) {
            let salt = salts.of(generation, CommitId(id));
            let leaf_hash = leaf_hash_of(&[&salt, bytes]);
            range.push(leaf_hash);
            leaves.push((salt, leaf_hash));
        }
        let mut frontier = self.truth.frontier.clone();
        frontier
            .append_range(&range)
            .expect("the range begins at the size of the tree");
        let location = self.ring.location(self.open.lap, self.open.offset);
        let frame = self.write_frame(draft, frontier.root(), location)?;
        let next = self.advanced(frontier, range, &frame);
        self.write_truth_of_commit(next)?;
        self.open.offset = self.truth.fixed.commit_offset;
        self.count(leaves.len(), &frame);
        let stored = |((id, (salt, leaf_hash)), bytes)| StoredEntry {
            generation,
            commit_id: CommitId(id),
            salt,
            bytes,
            leaf_hash,
        };
        let entries = (first..).zip(leaves).zip(frame.entries());
        let committed = Committed {
            first: CommitId(first),
            entries: entries.map(stored).collect(),
            size: self.truth.fixed.size,
            root: self.truth.fixed.root,
            frame_bytes: u32::try_from(frame.bytes().len()).unwrap_or(u32::MAX),
            payload_bytes: frame.payload_bytes,
            location,
            rolled,
        };
        self.memory = frame.into_memory();
        Ok(committed)
    }

    /// Encodes the entries of a group where they will lie in their frame.
    fn draft(&mut self, group: &[(Stamp, Captured)]) -> Result<Draft, CommitError> {
        if group.is_empty() {
            return Err(CommitError::Empty);
        }
        let captures = group.iter().map(|(_, captured)| captured.capture.len());
        // The memory of the last frame, unless somebody still holds an entry of it.
        let memory = Arc::try_unwrap(core::mem::take(&mut self.memory)).unwrap_or_default();
        let mut draft = Draft::new(memory, self.header_bytes(), captures);
        let ids = self.truth.fixed.size..;
        for (index, (id, (stamp, captured))) in ids.zip(group).enumerate() {
            let header = Header {
                kind: captured.kind,
                generation: self.ring.generation,
                commit_id: CommitId(id),
                epoch: self.epoch,
            };
            let bytes = draft.push(&header, stamp, captured);
            if bytes > ENTRY_BYTES_MAX {
                return Err(CommitError::EntryTooLong { index, bytes });
            }
        }
        Ok(draft)
    }

    /// Bytes of the next frame's header.
    fn header_bytes(&self) -> usize {
        header_bytes_of(
            self.truth.frontier.hashes().len(),
            self.truth.newest_range.hashes().len(),
        )
    }

    /// Bytes of the frame of these entries, if one frame of this ring holds them.
    fn frame_bytes(&self, draft: &Draft) -> Result<usize, CommitError> {
        let shape = &self.ring.shape;
        let bytes = shape.blocks_up(draft.bytes());
        let room = shape
            .segment_bytes
            .saturating_sub(shape.first_frame_offset());
        if draft.len() > FRAME_ENTRIES_MAX || bytes > FRAME_BYTES_MAX || bytes as u64 > room {
            return Err(CommitError::TooLarge {
                entries: draft.len(),
                bytes,
            });
        }
        Ok(bytes)
    }

    fn write_frame(
        &mut self,
        draft: Draft,
        root_after: Hash,
        location: Location,
    ) -> Result<EncodedFrame, CommitError> {
        let entries = draft.len();
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
        };
        let frame = frame
            .encode(draft, &self.ring.shape)
            .ok_or(CommitError::TooLarge {
                entries,
                bytes: FRAME_BYTES_MAX,
            })?;
        let written =
            self.ring
                .volume
                .write_durable(location.segment, location.offset, frame.bytes());
        self.stats.volume_flushes = self.stats.volume_flushes.saturating_add(1);
        written.map_err(|error| self.latch(CommitError::Medium(error)))?;
        self.read_back(&frame, location)?;
        self.stats.write_ptr = self.linear(location.lap, location.offset, frame.bytes().len());
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
            .read(location.segment, location.offset, frame.bytes().len());
        if found.is_ok_and(|found| found == frame.bytes()) {
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
        fixed.commit_offset = self.open.offset.saturating_add(frame.bytes().len() as u64);
        fixed.newest_lap = self.open.lap;
        fixed.newest_end = fixed.commit_offset;
        fixed.newest_frame_crc = frame.header_crc;
        fixed.doubt = 0;
        next
    }

    /// A frame is committed: the place works.
    fn count(&mut self, entries: usize, frame: &EncodedFrame) {
        self.failures = 0;
        let stats = &mut self.stats;
        stats.commits = stats.commits.saturating_add(1);
        stats.entries = stats.entries.saturating_add(entries as u64);
        stats.frame_bytes = stats.frame_bytes.saturating_add(frame.bytes().len() as u64);
        stats.payload_bytes = stats
            .payload_bytes
            .saturating_add(u64::from(frame.payload_bytes));
    }
}
