//! Every number below a new block is committed, in a gap or skipped; every missed slot is counted.

use super::{Attempted, LEASE_BLOCK, Ledger, Missed, SlotStart, Verdict, meters_on};
use contract::Contract;
use evidence::kinds::{AttemptFailed, Marker, SeqSkip};
use evidence::reasons::{AttemptCause, MarkerKind};
use evidence::{
    CommitId, MeterId, MonoNs, Payload, ScheduleId, Seq, Slot, SourceId, Stream, UtcNs,
};

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

const SECOND: i64 = 1_000_000_000;

/// A contract with one schedule of this pace and these meters on it; `other` keeps the port in use.
fn contract(every: &str, meters: &[&str]) -> Contract {
    let mut text = format!(
        "[station]\norigin = \"example.org/ledger\"\n\n[[port]]\nid = \"rs485-1\"\nkind = \"modbus-tcp\"\n\
         address = \"127.0.0.1:502\"\n\n[[schedule]]\nid = \"fast\"\nevery = {every:?}\n\n\
         [[schedule]]\nid = \"slow\"\nevery = \"10s\"\n\n[[profile]]\nid = \"p\"\n\n[[profile.point]]\n\
         id = \"energy\"\nregister = \"holding:0\"\ntype = \"u32\"\n\n"
    );
    for (unit, meter) in (1..).zip(meters.iter().chain(&["other"])) {
        let schedule = if *meter == "other" { "slow" } else { "fast" };
        text.push_str(&format!(
            "[[meter]]\nid = {meter:?}\nport = \"rs485-1\"\nunit = {unit}\nschedule = {schedule:?}\n\
             profile = \"p\"\n\n"
        ));
    }
    contract::parse(&text).unwrap()
}

fn configure(ledger: &mut Ledger, contract: &Contract) {
    for part in contract.parts(MonoNs(0)) {
        ledger.observe(&part.into());
    }
}

/// A ledger with two meters that are read every second.
fn two_meters() -> Ledger {
    let mut ledger = Ledger::default();
    configure(&mut ledger, &contract("1s", &["m1", "m2"]));
    ledger
}

/// Starts the fast schedule at a second, which is not due any more.
fn start_at(
    ledger: &mut Ledger,
    seconds: i64,
    attempted: &dyn Fn(&MeterId) -> Option<Attempted>,
) -> SlotStart {
    let contract = ledger.contract.clone().unwrap();
    let meters = meters_on(&contract, &port(), &schedule());
    let utc = UtcNs(seconds * SECOND);
    let plan = contract.schedules.get(&schedule()).unwrap();
    let start = ledger.start_schedule(&port(), plan, meters, utc, attempted);
    ledger.observe(&marker(MarkerKind::ScheduleStart, start.slot));
    start
}

fn start(ledger: &mut Ledger, seconds: i64) -> SlotStart {
    start_at(ledger, seconds, &|_| None)
}

fn marker(marker: MarkerKind, slot: Slot) -> Payload {
    Marker {
        at: MonoNs(0),
        marker,
        source: port(),
        schedule: Some(schedule()),
        slot: Some(slot),
        meter_id: None,
        seq: None,
        count: None,
        last_attempt: None,
        last_reply: None,
    }
    .into()
}

fn serve(ledger: &mut Ledger, meter: &str, seq: u64, slot: Slot) {
    let failed = AttemptFailed {
        at: MonoNs(1),
        meter_id: MeterId::new(meter).unwrap(),
        source: port(),
        seq: Seq(seq),
        slot: Some(slot),
        attempt: 0,
        last: true,
        cause: AttemptCause::Timeout,
        exception: None,
        points: vec![],
        sample: None,
        contract: CommitId(0),
    };
    ledger.observe(&failed.into());
}

fn slot(version: u64, number: u64) -> Slot {
    Slot { version, number }
}

fn runs(missed: &[Missed]) -> Vec<(&str, Slot, u64)> {
    let name = |run: &Missed| run.meter.as_ref().map_or("all", |_| "one");
    let meter = |run: &Missed| run.meter.as_ref().is_some_and(|m| m.as_str() == "m2");
    let word = |run: &Missed| if meter(run) { "m2" } else { name(run) };
    missed
        .iter()
        .map(|run| (word(run), run.first, run.count))
        .collect()
}

//= A4.2
//= A4.3
#[test]
fn downtime_of_all_begins_where_no_meter_has_a_session() {
    let mut ledger = two_meters();
    assert_eq!(start(&mut ledger, 99).missed, []);
    (100..=104).for_each(|number| serve(&mut ledger, "m1", number, slot(1, number)));
    (100..=101).for_each(|number| serve(&mut ledger, "m2", number, slot(1, number)));
    let mut known = ledger.clone();
    let later = start(&mut ledger, 109);
    assert_eq!(later.slot, slot(1, 110));
    // 102 to 104 have readings of m1: only m2 missed them.
    let expected = [("m2", slot(1, 102), 3), ("all", slot(1, 105), 5)];
    assert_eq!(runs(&later.missed), expected);
    // Two sessions of m2 were attempted, the last for 103: these slots are a gap and no downtime.
    known.extend(&meter("m2"));
    let attempted = |meter: &MeterId| {
        (meter.as_str() == "m2").then_some(Attempted {
            seq: 103,
            at: MonoNs(5),
            slot: Some(slot(1, 103)),
            reply_at: None,
        })
    };
    known.committed(meter("m2"), 101);
    let later = start_at(&mut known, 109, &attempted);
    let expected = [("m2", slot(1, 104), 1), ("all", slot(1, 105), 5)];
    assert_eq!(runs(&later.missed), expected);
}

//= A4.2
//= A4.3
#[test]
fn another_pace_is_another_numbering_and_the_old_one_is_closed_in_its_own_terms() {
    let cases = [
        ("1s", "2s", slot(2, 56), ("all", slot(1, 101), 10)),
        ("2s", "1s", slot(2, 111), ("all", slot(1, 51), 5)),
        ("1s", "1s", slot(1, 111), ("all", slot(1, 101), 10)),
    ];
    for (before, after, first, missed) in cases {
        for frozen in [false, true] {
            let mut ledger = Ledger::default();
            configure(&mut ledger, &contract(before, &["m1"]));
            let began = start(&mut ledger, 99).slot;
            serve(&mut ledger, "m1", 0, began);
            configure(&mut ledger, &contract(after, &["m1"]));
            if frozen {
                ledger = thawed(&ledger, &contract(after, &["m1"]));
            }
            let later = start(&mut ledger, 110);
            assert_eq!(later.slot, first, "{before} {after}");
            assert_eq!(runs(&later.missed), [missed], "{before} {after}");
        }
    }
}

//= A4.2
#[test]
fn a_meter_that_is_new_has_no_downtime_before_it_existed() {
    let mut ledger = Ledger::default();
    configure(&mut ledger, &contract("1s", &["m1"]));
    start(&mut ledger, 99);
    serve(&mut ledger, "m1", 0, slot(1, 104));
    configure(&mut ledger, &contract("1s", &["m1", "m2"]));
    let later = start(&mut ledger, 109);
    assert_eq!(runs(&later.missed), [("all", slot(1, 105), 5)]);
    serve(&mut ledger, "m1", 1, slot(1, 110));
    let again = start(&mut ledger, 111);
    assert!(again.again);
    let expected = [("m2", slot(1, 110), 1), ("all", slot(1, 111), 1)];
    assert_eq!(runs(&again.missed), expected);
}

//= A4.2
//= A4.3
#[test]
fn a_dropped_schedule_is_closed_once_and_comes_back_under_a_new_version() {
    for frozen in [false, true] {
        let mut ledger = Ledger::default();
        configure(&mut ledger, &contract("1s", &["m1"]));
        start(&mut ledger, 99);
        serve(&mut ledger, "m1", 0, slot(1, 104));
        let without = contract("1s", &[]);
        configure(&mut ledger, &without);
        let ended = ledger.end_dropped(UtcNs(109 * SECOND), &|_| None);
        let [end] = ended.as_slice() else {
            panic!("{ended:?}");
        };
        assert_eq!(runs(&end.missed), [("all", slot(1, 105), 5)]);
        assert_eq!(end.last, slot(1, 109));
        ledger.observe(&marker(MarkerKind::ScheduleStop, end.last));
        if frozen {
            ledger = thawed(&ledger, &without);
        }
        assert_eq!(ledger.end_dropped(UtcNs(200 * SECOND), &|_| None), []);
        configure(&mut ledger, &contract("1s", &["m1"]));
        let back = start(&mut ledger, 299);
        assert_eq!((back.slot, back.missed), (slot(2, 300), vec![]));
    }
}

//= A4.2
#[test]
fn a_clock_set_back_opens_a_new_numbering_and_loses_no_slot() {
    let mut ledger = two_meters();
    start(&mut ledger, 99);
    serve(&mut ledger, "m1", 0, slot(1, 105));
    let back = start(&mut ledger, 49);
    assert_eq!(back.slot, slot(2, 50));
    assert_eq!(runs(&back.missed), [("m2", slot(1, 100), 6)]);
}

//= A4.3
#[test]
fn an_orderly_stop_is_downtime_from_the_slot_after_it() {
    let mut ledger = two_meters();
    start(&mut ledger, 99);
    ledger.observe(&marker(MarkerKind::ScheduleStop, slot(1, 120)));
    let again = start(&mut ledger, 129);
    assert_eq!(runs(&again.missed), [("all", slot(1, 121), 9)]);
}

//= A5.2
#[test]
fn what_was_served_is_known_again_from_the_entries_alone() {
    let mut ledger = two_meters();
    start(&mut ledger, 99);
    ledger.observe(&marker(MarkerKind::ScheduleStop, slot(1, 120)));
    start(&mut ledger, 129);
    serve(&mut ledger, "m1", 0, slot(1, 133));
    serve(&mut ledger, "m2", 0, slot(1, 133));
    let mut back = thawed(&ledger, &contract("1s", &["m1", "m2"]));
    serve(&mut back, "m1", 1, slot(1, 134));
    let later = start(&mut back, 139);
    let expected = [("m2", slot(1, 134), 1), ("all", slot(1, 135), 5)];
    assert_eq!(runs(&later.missed), expected);
}

/// What a recorder knows that starts with a segment's frozen state, as this contract comes before it.
fn thawed(ledger: &Ledger, contract: &Contract) -> Ledger {
    let mut back = Ledger::default();
    configure(&mut back, contract);
    let counters = ledger.freeze(&port());
    for part in evidence::frozen::snapshots(MonoNs(0), &port(), &counters) {
        back.observe(&part.into());
    }
    back
}

//= A5.2
#[test]
fn a_frozen_ledger_comes_back_whole() {
    let mut ledger = two_meters();
    ledger.committed(meter("m1"), 41);
    start(&mut ledger, 7);
    serve(&mut ledger, "m2", 3, slot(1, 9));
    ledger.observe(&marker(MarkerKind::Heartbeat, slot(1, 12)));
    let back = thawed(&ledger, &contract("2s", &["m2"]));
    assert!(back.is_frozen());
    assert_eq!(back.windows, ledger.windows);
    assert_eq!(back.numberings, ledger.numberings);
}
