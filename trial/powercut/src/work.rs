//! The writer's work: groups of entries, numbers leased, orderly ends now and then, and word of each to
//! a witness before and after.

use crate::capture;
use crate::log::{FileJournal, Log, said};
use evidence::{MeterId, SaltKey, Seq, Stream};
use journal::CommitError;
use std::time::Duration;
use trial::Random;

/// Entries that the writer keeps although a cosigner could have them.
const KEPT_ENTRIES: u64 = 60;
/// Most entries of a usual group, and of a large one.
const GROUP_ENTRIES: (u64, u64) = (6, 40);
/// The stream whose lease stands for all.
const METER: &str = "meter-1";

/// How much too early a hasty writer acknowledges.
const HASTE: Duration = Duration::from_millis(2);

/// What the writer says, in this order around what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// The log is being opened.
    Opens,
    /// It is open.
    Opened,
    /// The captures `[first, first + count)` are handed in.
    Intends { first: u64, count: u64 },
    /// They are entries from this id on.
    Acknowledged { id: u64, first: u64, count: u64 },
    /// Entries below this id may leave the ring.
    Releases { size: u64 },
    /// Numbers below this one are being leased.
    Leases { number: u64 },
    /// They are leased.
    Leased { number: u64 },
    /// The log is being closed.
    Closes,
    /// It is closed.
    Closed,
}

/// When the writer acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// When the commit has returned.
    Sound,
    /// Before it is made: a fault, planted to see it found.
    Hasty,
}

/// Works until something fails; the reason is returned.
pub(crate) fn work(
    log: &Log,
    first: u64,
    pace: Pace,
    random: &mut Random,
    tell: &mut dyn FnMut(Word),
) -> String {
    let mut next = first;
    loop {
        tell(Word::Opens);
        let mut journal = match log.open() {
            Ok((journal, _)) => journal,
            Err(error) => return error,
        };
        tell(Word::Opened);
        let commits = random.between(1, 120);
        for _ in 0..commits {
            if let Err(error) = commit(&mut journal, (log.seed, pace), &mut next, random, tell) {
                return said(error);
            }
            if random.between(0, 16) == 0
                && let Err(error) = lease(&mut journal, random, tell)
            {
                return said(error);
            }
        }
        tell(Word::Closes);
        if let Err(error) = journal.close() {
            return said(error);
        }
        tell(Word::Closed);
    }
}

fn commit(
    journal: &mut FileJournal,
    (seed, pace): (u64, Pace),
    next: &mut u64,
    random: &mut Random,
    tell: &mut dyn FnMut(Word),
) -> Result<(), CommitError> {
    let (usual, large) = GROUP_ENTRIES;
    let most = if random.between(0, 12) == 0 {
        large
    } else {
        usual
    };
    let count = random.between(1, most + 1);
    let first = *next;
    let group: Vec<_> = (first..first + count)
        .map(|number| (capture::stamp(), capture::capture(seed, number)))
        .collect();
    *next += count;
    if let Some(needed) = journal.next_segment_needs() {
        let size = needed.max(journal.size().saturating_sub(KEPT_ENTRIES));
        tell(Word::Releases { size });
        journal.note_sealed(size);
        journal.note_cosigned(size);
    }
    tell(Word::Intends { first, count });
    let salt = SaltKey([random.number().to_be_bytes()[0]; 16]);
    let id = journal.size();
    if pace == Pace::Hasty {
        tell(Word::Acknowledged { id, first, count });
        std::thread::sleep(HASTE);
    }
    let committed = journal.commit(&group, salt)?;
    let id = committed.first.0;
    tell(Word::Acknowledged { id, first, count });
    Ok(())
}

fn lease(
    journal: &mut FileJournal,
    random: &mut Random,
    tell: &mut dyn FnMut(Word),
) -> Result<(), CommitError> {
    let number = leased(journal) + random.between(1, 1_024);
    let mut leases = journal.leases().clone();
    let meter = MeterId::new(METER).expect("an identifier of this program");
    leases.seqs.insert(Stream::Meter(meter), Seq(number));
    tell(Word::Leases { number });
    journal.store_leases(leases)?;
    tell(Word::Leased { number });
    Ok(())
}

/// The numbers below this one are leased.
pub(crate) fn leased(journal: &FileJournal) -> u64 {
    let seqs = &journal.leases().seqs;
    seqs.values().next().map_or(0, |seq| seq.0)
}
