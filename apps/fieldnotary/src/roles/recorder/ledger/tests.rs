//! Every number below a new block is committed, in a gap or skipped; every missed slot is counted.

use super::{Attempted, LEASE_BLOCK, Ledger, SlotStart, Verdict};
use evidence::Stream;
use evidence::kinds::{CounterSnapshot, Marker, SeqSkip};
use evidence::reasons::MarkerKind;
use evidence::{MeterId, MonoNs, Payload, ScheduleId, Seq, Slot, SourceId};

fn port() -> SourceId {
    SourceId::new("rs485-1").unwrap()
}

fn meter(id: &str) -> Stream {
    Stream::Meter(MeterId::new(id).unwrap())
}

fn schedule() -> ScheduleId {
    ScheduleId::new("fast").unwrap()
}

fn attempted(seq: u64) -> Attempted {
    let slot = Some(Slot {
        version: 1,
        number: 70,
    });
    Attempted {
        seq,
        at: MonoNs(5),
        slot,
        reply_at: None,
    }
}

fn restart(ledger: &mut Ledger, known: Option<Attempted>) -> (u64, Vec<Payload>) {
    let (lease, entries) = ledger.restart(&meter("m1"), &port(), known, MonoNs(9));
    (lease.next, entries)
}

//= A4.2
#[test]
fn numbers_attempted_before_a_crash_are_a_gap_and_the_rest_is_skipped() {
    let mut ledger = Ledger::default();
    let (first, none) = restart(&mut ledger, None);
    assert_eq!((first, none.len()), (0, 0));
    for seq in 0..10 {
        ledger.committed(meter("m1"), seq);
    }
    let (next, entries) = restart(&mut ledger, Some(attempted(11)));
    assert_eq!(next, LEASE_BLOCK);
    let [Payload::Marker(gap), Payload::SeqSkip(skip)] = entries.as_slice() else {
        panic!("{entries:?}");
    };
    assert_eq!(
        (gap.marker, gap.seq, gap.count),
        (MarkerKind::SeqGap, Some(Seq(10)), Some(2))
    );
    assert_eq!((skip.first, skip.count), (Seq(12), LEASE_BLOCK - 12));
}

//= A4.2
//= A4.8
#[test]
fn every_number_below_a_new_block_is_committed_in_a_gap_or_skipped() {
    for committed in 0..6u64 {
        for last in [None, Some(0), Some(3), Some(5), Some(LEASE_BLOCK + 4)] {
            let mut ledger = Ledger::default();
            restart(&mut ledger, None);
            (0..committed).for_each(|seq| ledger.committed(meter("m1"), seq));
            let (next, entries) = restart(&mut ledger, last.map(attempted));
            let explained: u64 = entries
                .iter()
                .map(|entry| match entry {
                    Payload::Marker(Marker {
                        count: Some(count), ..
                    })
                    | Payload::SeqSkip(SeqSkip { count, .. }) => *count,
                    other => panic!("{other:?}"),
                })
                .sum();
            assert_eq!(committed + explained, next, "{committed} {last:?}");
        }
    }
}

//= A4.2
#[test]
fn what_was_committed_is_not_committed_again() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.verdict(&meter("m1"), Seq(0)), Verdict::New);
    ledger.committed(meter("m1"), 0);
    assert_eq!(ledger.verdict(&meter("m1"), Seq(0)), Verdict::Known);
    assert_eq!(ledger.verdict(&meter("m1"), Seq(1)), Verdict::New);
    assert_eq!(ledger.verdict(&meter("m2"), Seq(0)), Verdict::New);
}

fn start(ledger: &mut Ledger, utc_next: u64) -> SlotStart {
    let meters = ["m1", "m2"].map(|id| MeterId::new(id).unwrap());
    ledger.start_schedule(&port(), &schedule(), meters.iter(), utc_next)
}

fn serve(ledger: &mut Ledger, meter: &str, number: u64) {
    let slot = Slot { version: 1, number };
    ledger.served(&port(), &schedule(), &MeterId::new(meter).unwrap(), slot);
}

//= A4.2
//= A4.3
#[test]
fn downtime_begins_where_the_first_meter_has_no_session() {
    let mut ledger = Ledger::default();
    assert_eq!(start(&mut ledger, 100).missed, None);
    (100..=104).for_each(|number| serve(&mut ledger, "m1", number));
    (100..=102).for_each(|number| serve(&mut ledger, "m2", number));
    let later = start(&mut ledger, 110);
    let missed = Some((
        Slot {
            version: 1,
            number: 103,
        },
        7,
    ));
    let slot = Slot {
        version: 1,
        number: 110,
    };
    assert_eq!(
        later,
        SlotStart {
            slot,
            missed,
            was_stopped: false
        }
    );
}

//= A4.2
#[test]
fn a_clock_set_back_opens_a_new_numbering_and_loses_no_slot() {
    let mut ledger = Ledger::default();
    start(&mut ledger, 100);
    serve(&mut ledger, "m1", 105);
    let back = start(&mut ledger, 50);
    assert_eq!(
        back.slot,
        Slot {
            version: 2,
            number: 50
        }
    );
    assert_eq!(
        back.missed,
        Some((
            Slot {
                version: 1,
                number: 100
            },
            6
        ))
    );
}

//= A4.3
#[test]
fn an_orderly_stop_is_downtime_from_the_slot_after_it() {
    let mut ledger = Ledger::default();
    start(&mut ledger, 100);
    ledger.observe(
        &Marker {
            at: MonoNs(0),
            marker: MarkerKind::ScheduleStop,
            source: port(),
            schedule: Some(schedule()),
            slot: Some(Slot {
                version: 1,
                number: 120,
            }),
            meter_id: None,
            seq: None,
            count: None,
            last_attempt: None,
            last_reply: None,
        }
        .into(),
    );
    let again = start(&mut ledger, 130);
    assert!(again.was_stopped);
    assert_eq!(
        again.missed,
        Some((
            Slot {
                version: 1,
                number: 121
            },
            9
        ))
    );
}

//= A5.2
#[test]
fn a_frozen_ledger_comes_back_whole() {
    let mut ledger = Ledger::default();
    ledger.committed(meter("m1"), 41);
    start(&mut ledger, 7);
    serve(&mut ledger, "m2", 9);
    let counters = ledger.freeze(&port());
    let mut back = Ledger::default();
    back.observe(
        &CounterSnapshot {
            at: MonoNs(0),
            counters,
        }
        .into(),
    );
    assert!(back.is_frozen());
    assert_eq!(back.windows, ledger.windows);
    assert_eq!(back.numberings, ledger.numberings);
}
