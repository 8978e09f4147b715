//! The account over several generations: what is handed over, what has left a ring.

use super::{Log, check, meter, port, slot};
use evidence::kinds::{Counter, EpochStart, Predecessor, SeqSkip};
use evidence::reasons::{CounterState, EpochCause, GapClass, MarkerKind, SkipCause, TruthClass};
use evidence::{BootId, CommitId, Digest, EntryId, Generation, MonoNs, Seq};

/// A second generation behind a branch of the first that read on to slot 14, of which only slot 10 is here.
fn adopted() -> Log {
    let mut log = Log::new("1s");
    log.marker(MarkerKind::ScheduleStart, slot(1, 10));
    log.read("m1", 0, slot(1, 10));
    log.read("m2", 0, slot(1, 10));
    (log.generation, log.next) = (Generation(2), 0);
    log.put(EpochStart {
        predecessor: Some(Predecessor {
            generation: Generation(1),
            size: 90,
            root: Digest([1; 32]),
            checkpoint: None,
            cause: None,
        }),
        ..EpochStart::new(
            MonoNs(0),
            EpochCause::Adoption,
            BootId([0; 16]),
            TruthClass::SameDeviceSync,
        )
    });
    log.configure("1s");
    let counter = |name: &str, label: &str, value| Counter {
        name: name.to_owned(),
        label: Some(label.to_owned()),
        state: CounterState::Value,
        value: Some(value),
        source: port(),
    };
    let state = [
        counter("seq_window", "meter m1", 5),
        counter("seq_window", "meter m2", 4),
        counter("slot_version", "tcp fast", 1),
        counter("slot_every_ms", "tcp fast", 1_000),
        counter("slot_offset_ms", "tcp fast", 0),
        counter("slot_floor", "tcp fast", 10),
        counter("slot_served", "tcp fast m1", 15),
        counter("slot_served", "tcp fast m2", 14),
    ];
    for part in evidence::frozen::snapshots(MonoNs(0), &port(), &state) {
        log.put(part);
    }
    for (id, first) in [("m1", 5), ("m2", 4)] {
        log.put(SeqSkip {
            at: MonoNs(0),
            meter_id: meter(id),
            first: Seq(first),
            count: 100 - first,
            cause: SkipCause::Adoption,
        });
    }
    log.down(Some("m2"), slot(1, 14), 1);
    log.down(None, slot(1, 15), 3);
    log.marker(MarkerKind::ScheduleStart, slot(1, 18));
    log.read("m1", 100, slot(1, 18));
    log.read("m2", 100, slot(1, 18));
    log.marker(MarkerKind::ScheduleStop, slot(1, 18));
    log
}

//= U4
#[test]
fn what_a_log_that_is_not_held_accounts_for_is_explained_by_who_follows_it() {
    let mut log = adopted();
    let missing = |class, entries| {
        [
            ("m1", slot(1, 11), 4, class, entries),
            ("m1", slot(1, 15), 3, GapClass::Downtime, 1),
            ("m2", slot(1, 11), 3, class, entries),
            ("m2", slot(1, 14), 4, GapClass::Downtime, 2),
        ]
    };
    // Where all of the predecessor is here, what is missing in it stays unexplained.
    let report = log.report();
    check(&report, &missing(GapClass::Unexplained, 0));
    assert_eq!(report.seq_findings.len(), 2);
    log.account.predecessor_not_held(Generation(2));
    let report = log.report();
    check(&report, &missing(GapClass::CommitGap, 1));
    assert_eq!(report.seq_findings, []);
    let named = EntryId {
        generation: Generation(2),
        commit_id: CommitId(0),
    };
    assert_eq!(report.missing[0].entry, Some(named));
}

//= U4
#[test]
fn a_loss_explains_entries_of_its_own_generation_alone() {
    let mut log = adopted();
    // Names ids that the first generation has as well.
    log.put(evidence::kinds::Loss {
        at: MonoNs(0),
        first: CommitId(0),
        count: 3,
        cause: evidence::reasons::LossCause::FrameDamaged,
        hashes: Vec::new(),
        segment: 0,
        offset_bytes: 0,
        before: Vec::new(),
    });
    let classes = log
        .report()
        .missing
        .into_iter()
        .map(|missing| missing.class);
    assert_eq!(
        classes
            .filter(|class| *class == GapClass::Unexplained)
            .count(),
        2
    );
}

//= U4
//= A4.3
#[test]
fn where_a_generation_has_lost_its_beginning_nothing_before_its_state_is_missing() {
    let mut log = Log::new("1s");
    log.marker(MarkerKind::ScheduleStart, slot(1, 10));
    for id in ["m1", "m2"] {
        log.read(id, 0, slot(1, 10));
        log.read(id, 2, slot(1, 12));
    }
    (log.generation, log.next) = (Generation(2), 900);
    // The frame that opened the segment stands before the state.
    log.read("m2", 499, slot(1, 599));
    log.configure("1s");
    let counter = |name: &str, label: &str, value| Counter {
        name: name.to_owned(),
        label: Some(label.to_owned()),
        state: CounterState::Value,
        value: Some(value),
        source: port(),
    };
    let state = [
        counter("seq_window", "meter m1", 500),
        counter("seq_window", "meter m2", 500),
        counter("slot_version", "tcp fast", 1),
        counter("slot_every_ms", "tcp fast", 1_000),
        counter("slot_offset_ms", "tcp fast", 0),
        counter("slot_floor", "tcp fast", 18),
        counter("slot_served", "tcp fast m1", 600),
        counter("slot_served", "tcp fast m2", 600),
    ];
    for part in evidence::frozen::snapshots(MonoNs(0), &port(), &state) {
        log.put(part);
    }
    for id in ["m1", "m2"] {
        log.read(id, 500, slot(1, 600));
    }
    log.marker(MarkerKind::ScheduleStop, slot(1, 601));
    let report = log.report();
    let missing = GapClass::Unexplained;
    check(
        &report,
        &[
            ("m1", slot(1, 11), 1, missing, 0),
            ("m1", slot(1, 601), 1, missing, 0),
            ("m2", slot(1, 11), 1, missing, 0),
            ("m2", slot(1, 601), 1, missing, 0),
        ],
    );
    assert_eq!(report.due, 2 * 5 + 1);
    let seqs: Vec<_> = report
        .seq_findings
        .iter()
        .map(|one| (one.first, one.count))
        .collect();
    assert_eq!(seqs, [(1, 1), (1, 1)]);
}
