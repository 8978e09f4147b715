//! Every due reading that is missing is found once, whatever numbers the entries hold.

mod cards;
mod generations;
mod opaque;
mod parted;
mod removed;

use super::{GapAccount, GapFilter, GapReport};
use contract::Contract;
use evidence::kinds::{AttemptFailed, Counter, Downtime, Loss, Marker, Reading, SeqSkip};
use evidence::reasons::{
    AttemptCause, CounterState, DowntimeCause, GapClass, HoldoverReason, LossCause, MarkerKind,
    SkipCause, TimeQuality, TimeStatus,
};
use evidence::{
    Blob, Captured, CommitId, Entry, Epoch, Generation, Header, MeterId, MonoNs, Payload, PointId,
    Quality, ScheduleId, Seq, Slot, SourceId, Stamp, TimeDetail, UtcNs,
};

/// A log in the making.
struct Log {
    account: GapAccount,
    generation: Generation,
    next: u64,
}

impl Log {
    /// Begins with a contract of two meters, each with two points, read at this pace.
    fn new(every: &str) -> Self {
        let mut log = Self::empty();
        log.configure(every);
        log
    }

    fn empty() -> Self {
        Self {
            account: GapAccount::new(),
            generation: Generation(1),
            next: 0,
        }
    }

    fn configure(&mut self, every: &str) {
        let text = format!(
            "[station]\norigin = \"example.org/gaps\"\n\n[[port]]\nid = \"tcp\"\nkind = \"modbus-tcp\"\n\
             address = \"127.0.0.1:502\"\n\n[[schedule]]\nid = \"fast\"\nevery = {every:?}\n\n\
             [[profile]]\nid = \"p\"\n\n[[profile.point]]\nid = \"energy\"\nregister = \"holding:0\"\n\
             type = \"u32\"\n\n[[profile.point]]\nid = \"power\"\nregister = \"holding:2\"\ntype = \"u32\"\n\n\
             [[meter]]\nid = \"m1\"\nport = \"tcp\"\nunit = 1\nschedule = \"fast\"\nprofile = \"p\"\n\n\
             [[meter]]\nid = \"m2\"\nport = \"tcp\"\nunit = 2\nschedule = \"fast\"\nprofile = \"p\"\n"
        );
        let contract: Contract = contract::parse(&text).unwrap();
        for part in contract.parts(MonoNs(0)) {
            self.put(part);
        }
    }

    fn put(&mut self, payload: impl Into<Payload>) {
        let payload = payload.into();
        let entry = Entry {
            header: Header {
                kind: payload.kind(),
                generation: self.generation,
                commit_id: CommitId(self.next),
                epoch: Epoch(1),
            },
            stamp: Stamp {
                timestamp: UtcNs(0),
                quality: TimeQuality::RtcOnly,
                status: TimeStatus::FreeRun,
                bound_ns: None,
                detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
            },
            captured: Captured::new(&payload),
        };
        self.next += 1;
        self.account.observe(&entry);
    }

    /// The state at the start of a segment: numbering 3 began at 90, and who was served up to where.
    fn freeze(&mut self) {
        let counter = |name: &str, meter: &str, value| Counter {
            name: name.to_owned(),
            label: Some(format!("tcp fast{meter}")),
            state: CounterState::Value,
            value: Some(value),
            source: port(),
        };
        let state = [
            counter("slot_version", "", 3),
            counter("slot_every_ms", "", 1_000),
            counter("slot_offset_ms", "", 0),
            counter("slot_floor", "", 90),
            counter("slot_next", "", 102),
            counter("slot_served", " m1", 101),
            counter("slot_served", " m2", 99),
        ];
        for part in evidence::frozen::snapshots(MonoNs(0), &port(), &state) {
            self.put(part);
        }
    }

    fn marker(&mut self, marker: MarkerKind, slot: Slot) {
        self.put(Marker {
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
        });
    }

    fn read(&mut self, id: &str, seq: u64, slot: Slot) {
        for point in ["energy", "power"] {
            self.put(Reading {
                at: MonoNs(0),
                meter_id: meter(id),
                point_id: PointId::new(point).unwrap(),
                source: port(),
                seq: Seq(seq),
                slot: Some(slot),
                attempt: 0,
                raw: Blob(vec![0; 4]),
                value: None,
                quality: Quality::GOOD,
                contract: CommitId(0),
            });
        }
    }

    fn fail(&mut self, id: &str, seq: u64, slot: Slot) {
        let points = ["energy", "power"].map(|point| PointId::new(point).unwrap());
        self.put(AttemptFailed {
            at: MonoNs(0),
            meter_id: meter(id),
            source: port(),
            seq: Seq(seq),
            slot: Some(slot),
            attempt: 0,
            last: true,
            cause: AttemptCause::Timeout,
            exception: None,
            points: points.to_vec(),
            sample: None,
            contract: CommitId(0),
        });
    }

    fn down(&mut self, id: Option<&str>, first: Slot, count: u64) {
        self.put(Downtime {
            at: MonoNs(0),
            schedule: schedule(),
            first,
            count: Some(count),
            cause: DowntimeCause::NodeRestart,
            source: port(),
            meter_id: id.map(meter),
        });
    }

    fn lost(&mut self, id: &str, first: u64, count: u64, slot: Slot) {
        self.put(Marker {
            at: MonoNs(0),
            marker: MarkerKind::SeqGap,
            source: port(),
            schedule: None,
            slot: Some(slot),
            meter_id: Some(meter(id)),
            seq: Some(Seq(first)),
            count: Some(count),
            last_attempt: None,
            last_reply: None,
        });
    }

    fn report(&self) -> GapReport {
        self.account.report()
    }
}

fn port() -> SourceId {
    SourceId::new("tcp").unwrap()
}

fn schedule() -> ScheduleId {
    ScheduleId::new("fast").unwrap()
}

fn meter(id: &str) -> MeterId {
    MeterId::new(id).unwrap()
}

fn slot(version: u64, number: u64) -> Slot {
    Slot { version, number }
}

/// Meter, first slot, how many, class, and how many entries explain it.
type Stretch<'a> = (&'a str, Slot, u64, GapClass, u64);

#[track_caller]
fn check(report: &GapReport, expected: &[Stretch<'_>]) {
    let found: Vec<Stretch<'_>> = report
        .missing
        .iter()
        .map(|one| {
            let id = one.meter_id.as_str();
            (id, one.slot, one.slots, one.class, one.entries)
        })
        .collect();
    assert_eq!(found, expected);
    let sum: u64 = report.missing.iter().map(super::Missing::readings).sum();
    assert_eq!(sum, report.readings_missing());
}

//= A4.3
#[test]
fn neighbouring_slots_lost_in_one_way_are_one_stretch() {
    let mut log = Log::new("1s");
    log.marker(MarkerKind::ScheduleStart, slot(1, 100));
    for number in 100..200 {
        log.read("m1", number, slot(1, number));
        if number < 150 {
            log.fail("m2", number, slot(1, number));
        } else {
            log.read("m2", number, slot(1, number));
        }
    }
    let report = log.report();
    check(&report, &[("m2", slot(1, 100), 50, GapClass::IfErr, 50)]);
    let stretch = &report.missing[0];
    assert_eq!((stretch.readings(), stretch.all_points), (100, true));
    assert_eq!(stretch.first_utc, Some(UtcNs(100_000_000_000)));
    assert_eq!(stretch.last_utc, Some(UtcNs(149_000_000_000)));
    let summary = &report.meters[&meter("m2")];
    assert_eq!(
        (summary.due, summary.read(), summary.missing),
        (200, 100, 100)
    );
    assert_eq!(
        (report.due, report.captured, report.missing_explained()),
        (200, 300, 100)
    );
}

//= A4.3
#[test]
fn numbers_of_any_size_cost_nothing() {
    let huge = 1 << 60;
    let mut log = Log::new("1s");
    log.marker(MarkerKind::ScheduleStart, slot(1, 100));
    log.read("m1", 7, slot(1, 100));
    log.down(None, slot(1, 101), huge);
    log.down(Some("m2"), slot(1, u64::MAX), u64::MAX);
    log.lost("m2", u64::MAX, u64::MAX, slot(1, u64::MAX));
    log.lost("m1", 8, huge, slot(1, 90));
    log.put(SeqSkip {
        at: MonoNs(0),
        meter_id: meter("m1"),
        first: Seq(u64::MAX),
        count: u64::MAX,
        cause: SkipCause::LeaseAbandoned,
    });
    log.marker(MarkerKind::Heartbeat, slot(1, u64::MAX));
    log.marker(MarkerKind::ScheduleStart, slot(1, u64::MAX));
    let report = log.report();
    assert!(report.missing.len() < 10, "{}", report.missing.len());
    assert!(report.readings_missing() > huge);
    assert_eq!(report.missing[0].slots, huge);
    assert_eq!(report.missing[0].class, GapClass::Downtime);
    let filter = GapFilter {
        from: Some(UtcNs(i64::MAX - 1)),
        ..GapFilter::default()
    };
    assert!(log.account.report_on(&filter).missing.len() < 10);
}

//= A4.2
//= A4.3
#[test]
fn a_numbering_ends_in_its_own_terms_and_each_version_has_its_own_times() {
    let mut log = Log::new("2s");
    log.marker(MarkerKind::ScheduleStart, slot(1, 50));
    log.read("m1", 0, slot(1, 50));
    log.read("m2", 0, slot(1, 50));
    log.configure("1s");
    log.down(None, slot(1, 51), 5);
    log.marker(MarkerKind::ScheduleStart, slot(2, 112));
    log.read("m1", 1, slot(2, 112));
    log.fail("m2", 1, slot(2, 112));
    let report = log.report();
    let down = GapClass::Downtime;
    let expected = [
        ("m1", slot(1, 51), 5, down, 1),
        ("m2", slot(1, 51), 5, down, 1),
        ("m2", slot(2, 112), 1, GapClass::IfErr, 1),
    ];
    check(&report, &expected);
    assert_eq!(report.missing[0].last_utc, Some(UtcNs(110_000_000_000)));
    assert_eq!(report.missing[2].first_utc, Some(UtcNs(112_000_000_000)));
}

//= A4.3
//= A4.6
#[test]
fn sessions_without_result_explain_as_many_slots_and_the_rest_needs_its_own_entry() {
    let mut log = Log::new("1s");
    log.marker(MarkerKind::ScheduleStart, slot(1, 100));
    for number in 100..=106 {
        log.read("m1", number, slot(1, number));
    }
    log.read("m2", 0, slot(1, 100));
    log.down(Some("m2"), slot(1, 105), 1);
    log.down(None, slot(1, 107), 3);
    log.marker(MarkerKind::ScheduleStart, slot(1, 110));
    log.lost("m2", 1, 3, slot(1, 104));
    log.read("m1", 107, slot(1, 110));
    log.read("m2", 4, slot(1, 110));
    let (gap, down) = (GapClass::SeqGap, GapClass::Downtime);
    let expected = [
        ("m1", slot(1, 107), 3, down, 1),
        ("m2", slot(1, 101), 1, GapClass::Unexplained, 0),
        ("m2", slot(1, 102), 3, gap, 1),
        ("m2", slot(1, 105), 1, down, 1),
        ("m2", slot(1, 106), 1, GapClass::Unexplained, 0),
        ("m2", slot(1, 107), 3, down, 1),
    ];
    let report = log.report();
    check(&report, &expected);
    assert!(!report.meters[&meter("m2")].explained());
    assert!(report.meters[&meter("m1")].explained());
}

#[test]
fn a_filter_counts_what_it_shows_and_nothing_else() {
    let mut log = Log::new("1s");
    log.marker(MarkerKind::ScheduleStart, slot(1, 100));
    for number in 100..120 {
        log.fail("m1", number, slot(1, number));
        log.read("m2", number, slot(1, number));
    }
    let at = |seconds: i64| Some(UtcNs(seconds * 1_000_000_000));
    let cases = [
        (Some("m1"), None, None, 20, 20),
        (Some("m2"), None, None, 20, 0),
        (None, at(105), at(110), 10, 5),
        (Some("m1"), at(105), None, 15, 15),
        (None, at(500), None, 0, 0),
        (None, None, at(50), 0, 0),
        (Some("m9"), None, None, 0, 0),
    ];
    for (id, from, to, due, missing) in cases {
        let meter = id.map(meter);
        let filter = GapFilter { meter, from, to };
        let report = log.account.report_on(&filter);
        assert_eq!(
            (report.due, report.readings_missing()),
            (due, 2 * missing),
            "{filter:?}"
        );
    }
    let nothing = GapFilter {
        from: at(500),
        ..GapFilter::default()
    };
    assert!(log.account.report_on(&nothing).meters.is_empty());
    let known = log.account.meters();
    assert!(known.contains(&meter("m2")) && !known.contains(&meter("m9")));
}

//= A4.3
#[test]
fn where_the_start_has_left_the_log_the_frozen_state_takes_its_place() {
    let mut log = Log::new("2s");
    log.freeze();
    log.read("m1", 50, slot(3, 101));
    log.fail("m2", 50, slot(3, 99));
    log.read("m2", 51, slot(3, 101));
    log.marker(MarkerKind::ScheduleStop, slot(3, 102));
    let expected = [
        ("m1", slot(3, 102), 1, GapClass::Unexplained, 0),
        ("m2", slot(3, 99), 1, GapClass::IfErr, 1),
        ("m2", slot(3, 100), 1, GapClass::Unexplained, 0),
        ("m2", slot(3, 102), 1, GapClass::Unexplained, 0),
    ];
    let report = log.report();
    check(&report, &expected);
    assert_eq!(report.due, 2 + 4);
    assert_eq!(report.missing[1].first_utc, Some(UtcNs(99_000_000_000)));
}

/// The entries in which a numbering began are lost with its first readings, and a LOSS entry says so.
//= A4.3
//= A4.6
#[test]
fn slots_of_which_only_lost_entries_told_are_due_and_explained() {
    let lost = 400;
    let told = |named: u64| {
        let mut log = Log::new("1s");
        let first = log.next;
        log.next += lost;
        log.configure("1s");
        log.freeze();
        log.put(Loss {
            at: MonoNs(0),
            first: CommitId(first),
            count: named,
            cause: LossCause::Pruned,
            hashes: Vec::new(),
            segment: 0,
            offset_bytes: 0,
            before: Vec::new(),
        });
        log.read("m1", 50, slot(3, 101));
        log.read("m2", 50, slot(3, 101));
        log.marker(MarkerKind::ScheduleStop, slot(3, 101));
        log.report()
    };
    let report = told(lost);
    let expected = [
        ("m1", slot(3, 90), 11, GapClass::CommitGap, 1),
        ("m2", slot(3, 90), 9, GapClass::CommitGap, 1),
        ("m2", slot(3, 99), 2, GapClass::Unexplained, 0),
    ];
    check(&report, &expected);
    assert_eq!(report.lost_entries, lost);
    // Of a part of the missing entries nothing is said: they may have been retired.
    let report = told(lost - 1);
    check(&report, &[("m2", slot(3, 99), 2, GapClass::Unexplained, 0)]);
}
