//! Room in the ring: what has to leave it uncosigned is named first.

use super::Committer;
use crate::clock;
use crate::roles::recorder::feed::Feed;
use crate::roles::recorder::given_up::GivenUp;
use crate::roles::standing;
use evidence::kinds::Loss;
use evidence::reasons::LossCause;
use evidence::{Captured, CommitId, Payload};
use proof::CompactRange;
use std::path::Path;

/// With less left in the segment than this and the next group, the next segment's room is seen to.
const NOTICE_BYTES: u64 = 32 << 10;
/// Bytes of an entry beside its capture, at the most, on average over a group.
const ENTRY_OVERHEAD_BYTES: usize = 96;
/// A group is committed in parts of at most this share of a segment, so that room is seen to in time.
const PART_OF_SEGMENT: u64 = 4;

impl Committer {
    /// Names what the next segment will push out, while there is still room for the statement here.
    pub(super) fn see_to_room(&mut self, group: &[(Captured, Payload)]) -> Result<(), String> {
        let bytes: u64 = group.iter().map(bytes_of).sum();
        let wanted = bytes.saturating_mul(2).saturating_add(NOTICE_BYTES);
        // What nobody was promised goes when its place is taken, and no sooner: an uplink may be set
        // before that.
        if !self.owes_entries() || self.journal.segment_bytes_left() >= wanted {
            return Ok(());
        }
        let Some(needed) = self.journal.next_segment_needs() else {
            return Ok(());
        };
        let statements = self.give_up_below(needed);
        if !statements.is_empty() {
            self.commit_losses(statements)?;
        }
        self.journal.permit_pruning(needed);
        Ok(())
    }

    /// Gives up what no cosigner has below `needed`; gives back the entries that say so.
    pub(in crate::roles::recorder) fn give_up_below(&mut self, needed: u64) -> Vec<Loss> {
        if !self.owes_entries() {
            return Vec::new();
        }
        let before = self.given_up.count();
        let extended = extend(
            &mut self.given_up,
            &self.feed,
            &self.standing,
            self.seal.cosigned_size,
            needed,
        );
        match extended {
            Ok(()) => {
                self.stats.lost += self.given_up.count().saturating_sub(before);
                self.given_up.statements(clock::mono())
            }
            Err(why) => {
                eprintln!("recorder: entries below {needed} leave without their hashes: {why}");
                let first = self
                    .given_up
                    .end()
                    .unwrap_or(0)
                    .max(self.seal.cosigned_size);
                vec![without_hashes(first, needed)]
            }
        }
    }

    /// Whether anyone was promised these entries: an uplink is set, or a cosigner has some of the log.
    pub(in crate::roles::recorder) fn owes_entries(&self) -> bool {
        self.contract.uplink.is_some() || self.seal.cosigned_size > 0
    }

    /// What left the ring before an uplink was set, or in a moment that left no time to name it.
    pub(in crate::roles::recorder) fn name_what_left(&mut self) -> Vec<Loss> {
        let oldest = self.journal.oldest().0;
        let from = self
            .given_up
            .end()
            .unwrap_or(0)
            .max(self.seal.cosigned_size);
        if !self.owes_entries() || oldest <= from {
            return Vec::new();
        }
        self.stats.lost += oldest - from;
        let tree = (from == 0).then(|| self.feed.with_reader(|reader| reader.frontier_at(oldest)));
        match tree {
            // From the first entry on, the tree itself is the range that is missing.
            Some(Ok(tree)) => {
                self.given_up.begin(proof::Frontier::new());
                self.given_up.add(CompactRange::from(tree));
                self.given_up.statements(clock::mono())
            }
            Some(Err(_)) | None => vec![without_hashes(from, oldest)],
        }
    }

    /// Behind a commit: part of what the next segment pushes out passes by the keep-rings.
    pub(super) fn keep_pace(&mut self, committed: usize) {
        let Some(to) = self.journal.next_segment_retires() else {
            return;
        };
        let committed = u64::try_from(committed).unwrap_or(u64::MAX);
        // A failure is met again, and said, when the segment is needed.
        let _ = self.keeper.keep_pace(to, committed);
        self.note_kept();
        self.name_what_is_damaged();
    }

    /// What cannot be read of a segment that is about to be reused is named while the log goes on: afterwards nothing
    /// would tell it from entries that left whole.
    fn name_what_is_damaged(&mut self) {
        for loss in self.keeper.unnamed() {
            self.lost(&loss);
        }
    }

    /// The next segment is needed now: what of the old one has not passed by the keep-rings does, or
    /// it is said that it could not.
    pub(super) fn keep_below(&mut self, needed: u64) {
        if let Err(why) = self.keeper.catch_up(needed) {
            eprintln!("recorder: entries below {needed} leave the ring unkept: {why}");
        }
        for unkept in self.keeper.pass_over(needed) {
            self.stage(unkept.into());
        }
        self.note_kept();
        self.name_what_is_damaged();
    }

    /// Tells the journal how far the keep-rings are.
    pub(in crate::roles::recorder) fn note_kept(&mut self) {
        self.journal.note_kept(self.keeper.kept_size());
    }

    fn commit_losses(&mut self, losses: Vec<Loss>) -> Result<(), String> {
        let staged: Vec<_> = losses
            .into_iter()
            .map(|loss| captured(loss.into()))
            .collect();
        self.commit_entries(&staged).map(drop)
    }
}

/// A group in parts for each of which room is seen to. `inside` tells of a place whether it lies inside of what belongs
/// together, as a submission, whose number alone tells later whether it is in the log: none is cut.
pub(super) fn parts(
    group: &[(Captured, Payload)],
    segment_bytes: u64,
    inside: impl Fn(usize) -> bool,
) -> impl Iterator<Item = &[(Captured, Payload)]> {
    let limit = segment_bytes / PART_OF_SEGMENT;
    let (mut bytes, mut at) = (0u64, 0);
    group.chunk_by(move |before, next| {
        at += 1;
        bytes = bytes.saturating_add(bytes_of(before));
        let fits = bytes.saturating_add(bytes_of(next)) <= limit || inside(at);
        if !fits {
            bytes = 0;
        }
        fits
    })
}

fn bytes_of((captured, _): &(Captured, Payload)) -> u64 {
    u64::try_from(captured.capture.len() + ENTRY_OVERHEAD_BYTES).unwrap_or(u64::MAX)
}

/// Where the parts of a group landed: between them, what was given up may have been named.
#[derive(Debug, Default)]
pub(super) struct Placed(Vec<(usize, CommitId)>);

impl Placed {
    /// The next part: its length and its first id.
    pub(super) fn push(&mut self, len: usize, first: CommitId) {
        self.0.push((len, first));
    }

    /// The commit id of the group's entry at this place.
    pub(super) fn id_of(&self, offset: usize) -> CommitId {
        let mut left = offset;
        for (len, first) in &self.0 {
            if left < *len {
                return CommitId(first.0 + u64::try_from(left).unwrap_or(0));
            }
            left -= len;
        }
        CommitId(0)
    }
}

/// An entry of the recorder's own, as it is committed.
pub(super) fn captured(payload: Payload) -> (Captured, Payload) {
    (Captured::new(&payload), payload)
}

fn without_hashes(first: u64, end: u64) -> Loss {
    Loss {
        at: clock::mono(),
        first: CommitId(first),
        count: end.saturating_sub(first),
        cause: LossCause::Pruned,
        hashes: Vec::new(),
        segment: 0,
        offset_bytes: 0,
        before: Vec::new(),
    }
}

/// Reads the ranges that have to go, cut wherever the collector may stand.
fn extend(
    given_up: &mut GivenUp,
    feed: &Feed,
    standing: &Path,
    cosigned_size: u64,
    needed: u64,
) -> Result<(), String> {
    let cuts = standing::read(standing);
    feed.with_reader(|reader| {
        reader.refresh().map_err(|error| error.to_string())?;
        let from = given_up.end().unwrap_or(0).max(cosigned_size);
        if from >= needed {
            return Ok(());
        }
        if given_up.end() != Some(from) {
            let tree = reader
                .frontier_at(from)
                .map_err(|error| error.to_string())?;
            given_up.begin(tree);
        }
        given_up.join_below(reader.oldest().0, &cuts);
        let edges = cuts
            .iter()
            .copied()
            .filter(|cut| (from + 1..needed).contains(cut));
        let mut at = from;
        for edge in edges {
            // A cut inside a damaged frame cannot be made; the tree matters more.
            if let Ok(range) = reader.range(at, edge) {
                given_up.add(range);
                at = edge;
            }
        }
        let rest = reader
            .range(at, needed)
            .map_err(|error| error.to_string())?;
        given_up.add(rest);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{captured, parts};
    use evidence::kinds::CounterSnapshot;
    use evidence::{MonoNs, Payload};

    //= A5.1
    #[test]
    fn a_submission_is_never_cut() {
        let one = || {
            captured(Payload::from(CounterSnapshot {
                at: MonoNs(1),
                counters: vec![],
            }))
        };
        let group: Vec<_> = (0..60).map(|_| one()).collect();
        let lengths = |inside: &dyn Fn(usize) -> bool| -> Vec<usize> {
            parts(&group, 8_192, inside).map(<[_]>::len).collect()
        };
        let free = lengths(&|_| false);
        assert!(free.len() > 2, "{free:?}");
        // A submission of twenty that begins where the first part would end but for one.
        let (first, end) = (free[0] - 1, free[0] + 19);
        let kept = lengths(&|at| first < at && at < end);
        assert_eq!(kept[0], end, "{kept:?}");
        assert_eq!(kept.iter().sum::<usize>(), group.len());
    }
}
