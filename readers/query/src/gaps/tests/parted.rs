//! A generation that begins before the end of what is held: the branch behind that had another schedule.

use super::{Log, check, meter, port, schedule, slot};
use evidence::kinds::{Counter, Downtime, EpochStart, Predecessor, SeqSkip};
use evidence::reasons::{
    CounterState, DowntimeCause, EpochCause, GapClass, MarkerKind, SkipCause, TruthClass,
};
use evidence::{BootId, CommitId, Digest, EntryId, Generation, MonoNs, Seq, Slot};

/// Every 5 s up to slot 10 (50 s), which a backup has; every 4 s from slot 14 (56 s) on, which it has not.
fn branch(reads: &[u64]) -> Log {
    let mut log = Log::new("5s");
    log.marker(MarkerKind::ScheduleStart, slot(1, 9));
    for (seq, number) in [(0, 9), (1, 10)] {
        log.both(seq, slot(1, number));
    }
    log.marker(MarkerKind::ScheduleStop, slot(1, 10));
    log.configure("4s");
    log.down(None, slot(1, 11), 1);
    log.marker(MarkerKind::ScheduleStart, slot(2, 14));
    for number in reads {
        log.both(number - 12, slot(2, *number));
    }
    log.marker(MarkerKind::ScheduleStop, slot(2, *reads.last().unwrap()));
    log
}

impl Log {
    fn both(&mut self, seq: u64, slot: Slot) {
        for id in ["m1", "m2"] {
            self.read(id, seq, slot);
        }
    }

    /// A generation from a state in which slots of the first numbering are served up to 10; it names `count` of
    /// them as its own downtime, and reads at its own pace.
    fn adopt(&mut self, own: &str, count: u64, reads: &[Slot]) {
        (self.generation, self.next) = (Generation(2), 0);
        self.put(EpochStart {
            predecessor: Some(Predecessor {
                generation: Generation(1),
                size: 5,
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
        self.configure("5s");
        let counter = |name: &str, label: &str, value| Counter {
            name: name.to_owned(),
            label: Some(label.to_owned()),
            state: CounterState::Value,
            value: Some(value),
            source: port(),
        };
        let state = [
            counter("seq_window", "meter m1", 2),
            counter("seq_window", "meter m2", 2),
            counter("slot_version", "tcp fast", 1),
            counter("slot_every_ms", "tcp fast", 5_000),
            counter("slot_offset_ms", "tcp fast", 0),
            counter("slot_floor", "tcp fast", 9),
            counter("slot_served", "tcp fast m1", 11),
            counter("slot_served", "tcp fast m2", 11),
        ];
        for part in evidence::frozen::snapshots(MonoNs(0), &port(), &state) {
            self.put(part);
        }
        for id in ["m1", "m2"] {
            self.put(SeqSkip {
                at: MonoNs(0),
                meter_id: meter(id),
                first: Seq(2),
                count: 98,
                cause: SkipCause::Adoption,
            });
        }
        self.configure(own);
        if count > 0 {
            self.put(Downtime {
                at: MonoNs(0),
                schedule: schedule(),
                first: slot(1, 11),
                count: Some(count),
                cause: DowntimeCause::Adoption,
                source: port(),
                meter_id: None,
            });
        }
        self.marker(MarkerKind::ScheduleStart, reads[0]);
        for (seq, slot) in (100..).zip(reads) {
            self.both(seq, *slot);
        }
        self.marker(MarkerKind::ScheduleStop, *reads.last().unwrap());
    }
}

/// The same slots of both meters.
fn of_both(
    stretches: &[(Slot, u64, GapClass, u64)],
) -> Vec<(&'static str, Slot, u64, GapClass, u64)> {
    let of = |id| {
        stretches
            .iter()
            .map(move |(slot, slots, class, entries)| (id, *slot, *slots, *class, *entries))
    };
    of("m1").chain(of("m2")).collect()
}

//= A4.3
//= U4
#[test]
fn a_branch_is_judged_by_the_schedule_that_was_in_force_in_it() {
    // Down to 100 s by the clock of the state; its first own slot is at 100 s in each case.
    for (own, reads) in [
        ("4s", [slot(2, 25), slot(2, 26)]),
        ("2s", [slot(2, 50), slot(2, 51)]),
        ("5s", [slot(1, 20), slot(1, 21)]),
    ] {
        let mut log = branch(&[14, 15, 16]);
        log.adopt(own, 9, &reads);
        let report = log.report();
        let down = GapClass::Downtime;
        check(
            &report,
            &of_both(&[(slot(1, 11), 1, down, 1), (slot(2, 17), 8, down, 1)]),
        );
        assert_eq!(report.due, 2 * (3 + 3 + 8 + 2), "{own}");
        assert_eq!(report.seq_findings, [], "{own}");
        let adopted = report.missing[1].entry.unwrap();
        assert_eq!(adopted.generation, Generation(2), "{own}");
        assert_eq!(report.missing[1].cause, "adoption", "{own}");
    }
}

//= A4.3
//= U4
#[test]
fn an_adoption_explains_no_silence_that_the_branch_itself_shows() {
    let mut log = branch(&[14, 16]);
    log.adopt("4s", 9, &[slot(2, 25)]);
    let report = log.report();
    let (down, open) = (GapClass::Downtime, GapClass::Unexplained);
    check(
        &report,
        &of_both(&[
            (slot(1, 11), 1, down, 1),
            (slot(2, 15), 1, open, 0),
            (slot(2, 17), 8, down, 1),
        ]),
    );
    assert_eq!(
        report.seq_findings.len(),
        2,
        "its number is missing as well"
    );
}

//= A4.3
//= U4
#[test]
fn an_adoption_explains_no_silence_of_a_branch_with_the_same_schedule() {
    let mut log = Log::new("5s");
    log.marker(MarkerKind::ScheduleStart, slot(1, 9));
    for (seq, number) in [(0, 9), (1, 10), (2, 11), (4, 13)] {
        log.both(seq, slot(1, number));
    }
    log.adopt("5s", 9, &[slot(1, 20)]);
    let report = log.report();
    check(
        &report,
        &of_both(&[
            (slot(1, 12), 1, GapClass::Unexplained, 0),
            (slot(1, 14), 6, GapClass::Downtime, 1),
        ]),
    );
    assert_eq!(report.seq_findings.len(), 2);
}

//= A4.3
//= U4
#[test]
fn where_no_slot_of_the_state_passed_the_adoption_itself_explains_the_branchs() {
    let mut log = branch(&[14]);
    // The next slot of the state is at 55 s, and the branch reached 56 s: a clock set back.
    log.adopt("5s", 0, &[slot(1, 13)]);
    let report = log.report();
    let down = GapClass::Downtime;
    check(
        &report,
        &of_both(&[(slot(1, 11), 1, down, 1), (slot(2, 15), 2, down, 1)]),
    );
    let named = EntryId {
        generation: Generation(2),
        commit_id: CommitId(0),
    };
    assert_eq!(report.missing[1].entry, Some(named));
}

//= A4.3
//= U4
#[test]
fn sessions_without_a_result_explain_slots_of_their_own_branch_alone() {
    let mut log = branch(&[14, 15]);
    // The branch names a slot by its number that the generation uses as well, long after.
    log.lost("m1", 4, 1, slot(2, 26));
    log.adopt("4s", 9, &[slot(2, 25), slot(2, 27)]);
    let report = log.report();
    let at = |id: &str| {
        let of = report.missing.iter();
        of.filter(|one| one.meter_id.as_str() == id && one.slot == slot(2, 26))
            .map(|one| one.class)
            .collect::<Vec<_>>()
    };
    assert_eq!(at("m1"), [GapClass::Unexplained]);
    assert_eq!(at("m2"), [GapClass::Unexplained]);
}
