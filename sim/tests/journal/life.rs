//! A log lives: it is created, written, rolled, closed, opened and read.

use crate::common::{Oracle, SHAPE, blank, create, group, input, salt};
use evidence::CommitId;
use evidence::reasons::EpochCause;
use journal::Journal;

//= A5.1
//= A5.2
#[test]
fn what_was_committed_is_read_back() {
    let disk = blank();
    let mut journal = create(&disk);
    let mut oracle = Oracle::default();
    let mut rolled = 0;
    for n in 0..40u64 {
        let group = group(n * 10, 1 + n % 5, 100);
        let committed = journal.commit(&group, salt(n + 1)).unwrap();
        rolled += u64::from(committed.rolled);
        oracle.note(&committed);
    }
    assert!(
        rolled >= 2 && rolled < u64::from(SHAPE.segments),
        "{rolled} rolls"
    );
    let reader = journal.reader().unwrap();
    let read: Vec<_> = reader.entries(CommitId(0)).map(Result::unwrap).collect();
    assert_eq!(read, oracle.entries);
    for size in 0..=oracle.size() {
        assert_eq!(
            reader.frontier_at(size).unwrap().hashes(),
            oracle.range(0, size).hashes()
        );
    }
    assert_eq!(reader.range(3, 50).unwrap(), oracle.range(3, 50));
    let (volume, truth) = journal.close().unwrap();
    let (journal, recovery) = Journal::open(volume, truth, &input()).unwrap();
    assert_eq!(recovery.cause, EpochCause::OrderlyStart);
    assert_eq!((recovery.rolled_forward, recovery.dropped_bytes), (0, 0));
    assert!(recovery.findings.is_empty() && recovery.losses.is_empty());
    assert_eq!(journal.epoch().0, 2);
    assert_eq!(
        (journal.size(), journal.root()),
        (oracle.size(), oracle.root())
    );
    // One segment (small frames share the stretches read), and the headers of all.
    let headers = u64::from(SHAPE.segments) * 4 * 4_096;
    assert!(
        recovery.scan_bytes <= 4 * SHAPE.segment_bytes + headers,
        "{}",
        recovery.scan_bytes
    );
    assert!(journal.reader().unwrap().scrub().findings.is_empty());
}
