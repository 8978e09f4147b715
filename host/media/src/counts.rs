//! The count board: a marker board whose marks are pulse counts, beside the others and no part of them. It outlives
//! the process that counts, and mostly the power; a count that the log knows better is the log's (A3.3).

use std::collections::BTreeMap;
use std::path::Path;

use evidence::{BootId, MeterId, MonoNs, PointId, Seq, SourceId};

use crate::MediaError;
use crate::marker::{Mark, MarkFinding, MarkerBoard, Times, file_name};

/// Ending of the files' names.
const EXTENSION: &str = "fnc";
/// The same of cards that are played: what a recording counted is no count of the meter that is wired later.
const PLAYED_EXTENSION: &str = "fnp";

/// Counts of pulse meters.
pub type Counts = BTreeMap<PointId, u64>;

/// The count board of one card.
#[derive(Debug)]
pub struct CountBoard(MarkerBoard);

impl CountBoard {
    /// Opens the board of a card with room for these pulse meters; gives the counts that are there. A card that is
    /// `played` from a recording has a board of its own.
    ///
    /// # Errors
    /// As [`MarkerBoard::open`].
    pub fn open(
        dir: &Path,
        card: &SourceId,
        played: bool,
        boot_id: BootId,
        meters: &[PointId],
    ) -> Result<(Self, Counts, Vec<MarkFinding>), MediaError> {
        std::fs::create_dir_all(dir).map_err(|error| MediaError::new("creating", dir, error))?;
        let extension = if played { PLAYED_EXTENSION } else { EXTENSION };
        let path = dir.join(file_name(card, extension));
        let ids: Vec<MeterId> = meters.iter().map(MeterId::from).collect();
        let (board, marks, findings) = MarkerBoard::open_file(&path, boot_id, &ids)?;
        let count = |mark: &Mark| {
            let id = PointId::new(mark.meter_id.as_str()).ok()?;
            Some((id, mark.attempt?.seq.0))
        };
        let counts = marks.iter().filter_map(count).collect();
        Ok((Self(board), counts, findings))
    }

    /// Notes a count and when its last pulse began.
    ///
    /// # Errors
    /// As [`MarkerBoard::attempt`].
    pub fn count(&mut self, meter: &PointId, count: u64, at: MonoNs) -> Result<(), MediaError> {
        let seq = Seq(count);
        self.0
            .attempt(&MeterId::from(meter), Times { seq, at }, None)
    }
}

#[cfg(test)]
mod tests {
    use super::{CountBoard, EXTENSION};
    use crate::marker::{file_name, read_marks};
    use evidence::{BootId, MonoNs, PointId, SourceId};
    use std::collections::BTreeMap;

    //= A3.3
    #[test]
    fn a_count_is_there_for_the_next_process_and_the_next_boot_and_half_a_write_costs_one_step() {
        let dir = tempfile::tempdir().unwrap();
        let card = SourceId::new("dio").unwrap();
        let meters = ["gas", "water"].map(|id| PointId::new(id).unwrap());
        let open = |boot: u8| {
            let boot = BootId([boot; 16]);
            CountBoard::open(dir.path(), &card, false, boot, &meters).unwrap()
        };
        let (mut board, counts, _) = open(1);
        assert!(counts.is_empty());
        for count in 1..=9 {
            board.count(&meters[1], count, MonoNs(count)).unwrap();
        }
        drop(board);
        let (_, counts, findings) = open(2);
        assert_eq!(
            (counts, findings.len()),
            (BTreeMap::from([(meters[1].clone(), 9)]), 0)
        );
        let (_, played, _) =
            CountBoard::open(dir.path(), &card, true, BootId([2; 16]), &meters).unwrap();
        assert!(played.is_empty(), "a recording counts for itself");
        assert!(
            read_marks(dir.path()).0.is_empty(),
            "no session was attempted"
        );
        // The newer of the two copies is cut: the one before it counts.
        let path = dir.path().join(file_name(&card, EXTENSION));
        let sound = std::fs::read(&path).unwrap();
        let (half, copies) = (sound.len() / 2, sound.len() / 4);
        for copy in 0..2 {
            let mut damaged = sound.clone();
            damaged[half + copy * copies + 60] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            let (_, counts, _) = open(2);
            assert!(
                [Some(&8), Some(&9)].contains(&counts.get(&meters[1])),
                "{counts:?}"
            );
        }
    }
}
