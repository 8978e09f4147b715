//! Days of 92, 96 and 100 quarters over logs in the making, with what fills them and what does not.

use super::{SlotAccount, SlotQuestion, SlotReport};
use crate::time::ZoneDay;
use contract::{Contract, Pace};
use evidence::kinds::{AttemptFailed, Event, Marker, Reading};
use evidence::reasons::{
    AttemptCause, EventCode, HoldoverReason, MarkerKind, TimeCause, TimeQuality, TimeStatus,
};
use evidence::{
    Blob, Captured, CommitId, Entry, Epoch, Generation, Header, MeterId, MonoNs, Payload, PointId,
    Quality, ScheduleId, Seq, Slot, SourceId, Stamp, TimeDetail, UtcNs,
};
use time_plane::slots::{Crossing, Day};

const S: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * S;
const QUARTER: u64 = 900_000_000_000;
const TOLERANCE: u64 = 10_000_000_000;
/// The clock's lead over monotonic time at the start of the log.
const LEAD: i64 = 1_700_000_000 * S;

fn source() -> SourceId {
    SourceId::new("tcp").unwrap()
}

fn meter() -> MeterId {
    MeterId::new("m1").unwrap()
}

/// A log of one meter with two points, of which the clock may be set.
struct Log {
    account: SlotAccount,
    pace: Pace,
    next: u64,
    seq: u64,
    version: u64,
    /// UTC less monotonic time.
    lead: i64,
    bound_ns: Option<u64>,
}

impl Log {
    fn new(day: &ZoneDay, every: &str) -> Self {
        let slots = Day::new(day.begin, day.end, QUARTER).unwrap();
        let text = format!(
            "[station]\norigin = \"example.org/slots\"\n\n[[port]]\nid = \"tcp\"\nkind = \"modbus-tcp\"\n\
             address = \"127.0.0.1:502\"\n\n[[schedule]]\nid = \"s\"\nevery = {every:?}\n\n\
             [[profile]]\nid = \"p\"\n\n[[profile.point]]\nid = \"energy\"\nregister = \"holding:0\"\n\
             type = \"u32\"\n\n[[profile.point]]\nid = \"power\"\nregister = \"holding:2\"\ntype = \"u32\"\n\n\
             [[meter]]\nid = \"m1\"\nport = \"tcp\"\nunit = 1\nschedule = \"s\"\nprofile = \"p\"\n"
        );
        let contract: Contract = contract::parse(&text).unwrap();
        let mut log = Self {
            account: SlotAccount::new(SlotQuestion {
                day: slots,
                tolerance_ns: TOLERANCE,
                meter: None,
            }),
            pace: Pace::of(contract.schedules.values().next().unwrap()),
            next: 0,
            seq: 0,
            version: 1,
            lead: LEAD,
            bound_ns: Some(1_000_000),
        };
        let before = day.begin.0 - 20 * MINUTE;
        for part in contract.parts(log.at(before)) {
            log.put(before, part);
        }
        log
    }

    /// Commits what the clock stamps with this time.
    fn put(&mut self, utc: i64, payload: impl Into<Payload>) -> u64 {
        let payload = payload.into();
        let entry = Entry {
            header: Header {
                kind: payload.kind(),
                generation: Generation(1),
                commit_id: CommitId(self.next),
                epoch: Epoch(1),
            },
            stamp: Stamp {
                timestamp: UtcNs(utc),
                quality: TimeQuality::Holdover,
                status: TimeStatus::Holdover,
                bound_ns: self.bound_ns,
                detail: TimeDetail::Holdover(HoldoverReason::SourceLost),
            },
            captured: Captured::new(&payload),
        };
        self.account.observe(&entry);
        self.next += 1;
        self.next - 1
    }

    fn at(&self, utc: i64) -> MonoNs {
        MonoNs(u64::try_from(utc - self.lead).unwrap())
    }

    fn slot(&self, due: i64) -> Slot {
        Slot {
            version: self.version,
            number: self.pace.first_from(UtcNs(due)),
        }
    }

    fn read_points(&mut self, due: i64, utc: i64, points: &[&str]) {
        for point in points {
            let reading = Reading {
                at: self.at(utc),
                meter_id: meter(),
                point_id: PointId::new(point).unwrap(),
                source: source(),
                seq: Seq(self.seq),
                slot: Some(self.slot(due)),
                attempt: 0,
                raw: Blob(Vec::from([0, 0, 0, 1])),
                value: None,
                quality: Quality::GOOD,
                contract: CommitId(0),
            };
            self.put(utc, reading);
        }
        self.seq += 1;
    }

    fn read(&mut self, due: i64, off: i64) {
        self.read_points(due, due + off, &["energy", "power"]);
    }

    fn fail(&mut self, due: i64, points: &[&str]) -> u64 {
        let failed = AttemptFailed {
            at: self.at(due + S),
            meter_id: meter(),
            source: source(),
            seq: Seq(self.seq),
            slot: Some(self.slot(due)),
            attempt: 0,
            last: true,
            cause: AttemptCause::Timeout,
            exception: None,
            points: points
                .iter()
                .map(|point| PointId::new(point).unwrap())
                .collect(),
            sample: None,
            contract: CommitId(0),
        };
        self.seq += 1;
        self.put(due + S, failed)
    }

    fn marker(&mut self, utc: i64, marker: MarkerKind, due: i64) {
        let marker = Marker {
            at: self.at(utc),
            marker,
            source: source(),
            schedule: Some(ScheduleId::new("s").unwrap()),
            slot: Some(self.slot(due)),
            meter_id: None,
            seq: None,
            count: None,
            last_attempt: None,
            last_reply: None,
        };
        self.put(utc, marker);
    }

    /// The clock is set by so much at this time of it, and an event tells.
    fn step(&mut self, utc: i64, by: i64) -> u64 {
        self.lead += by;
        let event = Event {
            count: Some(by.unsigned_abs()),
            time_cause: Some(TimeCause::SetByProgram),
            ..Event::new(self.at(utc + by), EventCode::TimeStep, source())
        };
        self.put(utc + by, event)
    }

    /// Every quarter from one instant to another, each a second late.
    fn quarters(&mut self, from: i64, to: i64) {
        let mut due = from;
        while due < to {
            self.read(due, S);
            due += 15 * MINUTE;
        }
    }
}

fn of(report: &SlotReport) -> Vec<(u32, u32, u32, u32)> {
    let counts = report.points.iter().map(|one| one.counts);
    counts
        .map(|one| (one.filled, one.early, one.late, one.empty))
        .collect()
}

//= U1
#[test]
fn days_of_92_96_and_100_quarters_are_filled_quarter_by_quarter() {
    for (date, slots) in [("2026-03-29", 92), ("2026-06-01", 96), ("2026-10-25", 100)] {
        let day = ZoneDay::of(date, "Europe/Berlin").unwrap();
        let mut log = Log::new(&day, "15min");
        // What lies around the day is of its neighbours.
        log.quarters(day.begin.0 - 15 * MINUTE, day.end.0 + 15 * MINUTE);
        let report = log.account.report();
        assert_eq!(report.day.count(), slots, "{date}");
        assert_eq!(of(&report), [(slots, 0, 0, 0); 2], "{date}");
        assert!(report.is_whole() && report.points[0].stretches.is_empty());
        let json = report.json(&day);
        assert_eq!(json["slots"], slots);
        assert_eq!(json["whole"], true);
        assert_eq!(json["points"][0]["bound_ns_max"], 1_000_000);
    }
}

//= U1
#[test]
fn what_is_early_late_or_empty_is_named_with_its_cause() {
    let day = ZoneDay::of("2026-06-01", "UTC").unwrap();
    let mut log = Log::new(&day, "15min");
    let due = |slot: i64| day.begin.0 + slot * 15 * MINUTE;
    log.marker(due(0) - MINUTE, MarkerKind::ScheduleStart, due(0));
    log.quarters(due(0), due(4));
    log.read(due(4), 11 * S);
    log.read(due(5), -11 * S);
    log.read_points(due(6), due(6) + S, &["power"]);
    // One session, of which one point failed.
    log.seq -= 1;
    let energy = log.fail(due(6), &["energy"]);
    let failed = log.fail(due(7), &["energy", "power"]);
    log.bound_ns = None;
    log.read(due(8), S);
    log.bound_ns = Some(5_000_000_000);
    log.read(due(9), 6 * S);
    let report = log.account.report();
    assert_eq!(of(&report), [(6, 1, 1, 2), (7, 1, 1, 1)]);
    let counts = report.points[0].counts;
    assert_eq!((counts.to_come, counts.before_log), (86, 0));
    assert_eq!((counts.unsure, counts.unbounded), (2, 1));
    assert_eq!(counts.bound_ns_max, Some(5_000_000_000));
    let said = |point: usize| -> Vec<_> {
        let stretches = report.points[point].stretches.iter();
        stretches
            .map(|one| {
                let cause = one.cause.as_ref();
                let entry = cause.and_then(|cause| cause.entry);
                (
                    (one.first, one.last, one.grade.name()),
                    cause.map_or("", |cause| cause.class),
                    entry.map(|entry| entry.commit_id.0),
                )
            })
            .collect()
    };
    let last = Some(log.next - 1);
    let ends = ((10, 95, "to come"), "LOG_ENDS_BEFORE", last);
    assert_eq!(
        said(0),
        [
            ((4, 4, "late"), "", None),
            ((5, 5, "early"), "", None),
            ((6, 6, "empty"), "IF_ERR", Some(energy)),
            ((7, 7, "empty"), "IF_ERR", Some(failed)),
            ends,
        ]
    );
    assert_eq!(
        said(1)[2..],
        [((7, 7, "empty"), "IF_ERR", Some(failed)), ends]
    );
    assert!(!report.is_whole());
    let late = &report.json(&day)["points"][0]["stretches"][0];
    assert_eq!(
        (&late["state"], &late["off_ns"]),
        (&"late".into(), &(11 * S).into())
    );
}

//= U1
#[test]
fn a_step_forward_leaves_slots_empty_and_flags_each() {
    let day = ZoneDay::of("2026-06-01", "UTC").unwrap();
    let mut log = Log::new(&day, "15min");
    let due = |slot: i64| day.begin.0 + slot * 15 * MINUTE;
    log.quarters(due(0), due(8));
    let leap = due(8) - MINUTE;
    log.marker(leap, MarkerKind::Heartbeat, due(8));
    let told = log.step(leap + S, 33 * MINUTE);
    log.version += 1;
    log.quarters(due(11), due(96) + 1);
    let report = log.account.report();
    assert_eq!(of(&report), [(93, 0, 0, 3); 2]);
    let flagged: Vec<_> = report
        .crossings
        .iter()
        .map(|one| (one.slot, one.crossing))
        .collect();
    let certain = Crossing::Certain;
    assert_eq!(flagged, [(8, certain), (9, certain), (10, certain)]);
    let [stretch] = &report.points[0].stretches[..] else {
        panic!("{:?}", report.points[0].stretches);
    };
    let cause = stretch.cause.as_ref().unwrap();
    assert_eq!((stretch.first, stretch.last), (8, 10));
    assert_eq!((cause.class, cause.cause), ("CLOCK_STEP", "set_by_program"));
    assert_eq!(cause.entry.unwrap().commit_id.0, told);
    let json = &report.json(&day)["crossings"][0];
    assert_eq!((&json["slot"], &json["certain"]), (&8.into(), &true.into()));
    assert_eq!(json["jump"]["direction"], "forward");
}

//= U1
#[test]
fn a_step_back_over_a_boundary_is_flagged_though_its_slot_is_filled() {
    let day = ZoneDay::of("2026-06-01", "UTC").unwrap();
    for (back, crossed) in [(30 * S, Vec::from([8])), (S, Vec::new())] {
        let mut log = Log::new(&day, "15min");
        let due = |slot: i64| day.begin.0 + slot * 15 * MINUTE;
        log.quarters(due(0), due(9));
        log.marker(due(8) + 10 * S, MarkerKind::Heartbeat, due(9));
        log.step(due(8) + 11 * S, -back);
        log.version += 1;
        if !crossed.is_empty() {
            log.read(due(8), 2 * S);
        }
        log.quarters(due(9), due(96));
        let report = log.account.report();
        assert_eq!(of(&report), [(96, 0, 0, 0); 2]);
        let flagged: Vec<u32> = report.crossings.iter().map(|one| one.slot).collect();
        assert_eq!(flagged, crossed, "{back}");
        assert_eq!(report.is_whole(), crossed.is_empty());
    }
}

//= U1
#[test]
fn slots_in_which_nothing_is_due_are_not_called_unexplained() {
    let day = ZoneDay::of("2026-06-01", "UTC").unwrap();
    let mut log = Log::new(&day, "1h");
    for hour in 0..=24 {
        log.read(day.begin.0 + hour * 60 * MINUTE, S);
    }
    let report = log.account.report();
    assert_eq!(of(&report), [(24, 0, 0, 72); 2]);
    let classes = report.points[0].stretches.iter();
    let classes: Vec<_> = classes
        .map(|one| one.cause.as_ref().unwrap().class)
        .collect();
    assert_eq!(classes, ["NOT_DUE"; 24]);
    // A pace that is finer than the slots fills each with what is nearest to its boundary.
    let mut log = Log::new(&day, "5min");
    for due in 0..=288 {
        log.read(day.begin.0 + due * 5 * MINUTE, 2 * S);
    }
    let report = log.account.report();
    assert_eq!(of(&report), [(96, 0, 0, 0); 2]);
    assert_eq!(report.points[0].counts.off_ns_worst, Some(2 * S));
}
