//! The account of a site, from entries in the order of commit.

use super::{Follows, SiteAccount, Standing};
use evidence::kinds::{AttemptFailed, Maintenance, Reading, SignOff, Wiring};
use evidence::reasons::{
    AttemptCause, HoldoverReason, MaintenancePhase, Outcome, TimeQuality, TimeStatus, WiringChange,
};
use evidence::{
    Actor, Blob, Captured, CommitId, Entry, Epoch, Generation, Header, MeterId, MonoNs, Payload,
    PointId, Quality, Seq, SourceId, Stamp, TimeDetail, UtcNs,
};

/// A log in the making: one entry a second.
#[derive(Default)]
struct Log {
    account: SiteAccount,
    next: u64,
    seq: u64,
}

impl Log {
    /// Puts meters in force, each `(name, port, unit)`; `scale` is that of their one point.
    fn contract(&mut self, meters: &[(&str, &str, u8)], scale: &str) {
        let mut text = String::from(
            "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"q\"\nevery = \"15min\"\n",
        );
        for port in ["a", "b"] {
            text += &format!(
                "[[port]]\nid = \"{port}\"\nkind = \"modbus-rtu\"\ndevice = \"/dev/{port}\"\n"
            );
        }
        for (meter, port, unit) in meters {
            text += &format!(
                "[[meter]]\nid = \"{meter}\"\nport = \"{port}\"\nunit = {unit}\nschedule = \"q\"\n\
                 [[meter.point]]\nid = \"e\"\nregister = \"holding:0\"\ntype = \"u16\"\nscale = \"{scale}\"\n"
            );
        }
        for part in contract::parse(&text).unwrap().parts(MonoNs(0)) {
            self.put(part);
        }
    }

    fn put(&mut self, payload: impl Into<Payload>) -> u64 {
        let payload = payload.into();
        let id = self.next;
        self.next += 1;
        self.account.observe(&Entry {
            header: Header {
                kind: payload.kind(),
                generation: Generation(1),
                commit_id: CommitId(id),
                epoch: Epoch(1),
            },
            stamp: Stamp {
                timestamp: UtcNs(i64::try_from(id).unwrap() * 1_000_000_000),
                quality: TimeQuality::RtcOnly,
                status: TimeStatus::FreeRun,
                bound_ns: None,
                detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
            },
            captured: Captured::new(&payload),
        });
        id
    }

    /// Sessions of a meter, of which every `fails`-th times out twice and is given up; 0 for none.
    fn sessions(&mut self, meter_id: &str, port: &str, count: u64, fails: u64) {
        for session in 1..=count {
            self.seq += 1;
            if fails > 0 && session % fails == 0 {
                for (attempt, last) in [(0, false), (1, true)] {
                    let points = if last { vec![point()] } else { vec![] };
                    self.put(AttemptFailed {
                        at: MonoNs(0),
                        meter_id: meter(meter_id),
                        source: source(port),
                        seq: Seq(self.seq),
                        slot: None,
                        attempt,
                        last,
                        cause: AttemptCause::Timeout,
                        exception: None,
                        points,
                        sample: None,
                        contract: CommitId(0),
                    });
                }
            } else {
                self.put(Reading {
                    at: MonoNs(0),
                    meter_id: meter(meter_id),
                    point_id: point(),
                    source: source(port),
                    seq: Seq(self.seq),
                    slot: None,
                    attempt: 0,
                    raw: Blob::from(&[0, 1][..]),
                    value: Some("1".parse().unwrap()),
                    quality: Quality::GOOD,
                    contract: CommitId(0),
                });
            }
        }
    }

    fn sign(&mut self, meter_id: &str, outcome: Outcome) -> u64 {
        self.put(SignOff {
            at: MonoNs(0),
            actor: Actor::local("ada", 0),
            meter_id: Some(meter(meter_id)),
            point_id: point(),
            reading: CommitId(1),
            value: "1".parse().unwrap(),
            expected: "1".parse().unwrap(),
            tolerance: "0".parse().unwrap(),
            outcome,
            sessions: 50,
            incomplete: 1,
            span_ns: 1,
            note: None,
        })
    }

    fn work(&mut self, phase: MaintenancePhase, on: (Option<&str>, Option<&str>), reason: &str) {
        self.put(Maintenance {
            at: MonoNs(0),
            phase,
            actor: Actor::local("ada", 0),
            reason: reason.to_owned(),
            source: on.0.map(source),
            meter_id: on.1.map(meter),
            until: None,
        });
    }

    fn standing(&self, meter_id: &str) -> Standing {
        let report = self.account.report();
        let found = report
            .meters
            .iter()
            .find(|one| one.meter.as_str() == meter_id);
        found.unwrap().points[0].standing
    }
}

fn meter(id: &str) -> MeterId {
    MeterId::new(id).unwrap()
}

fn source(id: &str) -> SourceId {
    SourceId::new(id).unwrap()
}

fn point() -> PointId {
    PointId::new("e").unwrap()
}

//= A3.8
#[test]
fn trouble_that_comes_along_with_a_meter_is_told_from_trouble_that_stays() {
    let mut log = Log::default();
    let first = [
        ("m1", "a", 1),
        ("m2", "a", 2),
        ("m3", "b", 1),
        ("m4", "b", 2),
    ];
    log.contract(&first, "1");
    for (meter, port, fails) in [
        ("m1", "a", 4),
        ("m2", "a", 0),
        ("m3", "b", 4),
        ("m4", "b", 0),
    ] {
        log.sessions(meter, port, 100, fails);
    }
    let moved = log.next;
    log.contract(
        &[
            ("m1", "b", 1),
            ("m2", "a", 2),
            ("m3", "a", 1),
            ("m4", "b", 2),
        ],
        "1",
    );
    for (meter, port, fails) in [
        ("m1", "b", 5),
        ("m2", "a", 0),
        ("m3", "a", 0),
        ("m4", "b", 0),
    ] {
        log.sessions(meter, port, 40, fails);
    }
    // Said again at the start of a segment, a contract moves nobody.
    log.contract(
        &[
            ("m1", "b", 1),
            ("m2", "a", 2),
            ("m3", "a", 1),
            ("m4", "b", 2),
        ],
        "1",
    );
    let report = log.account.report();
    let of = |id: &str| {
        &report
            .meters
            .iter()
            .find(|one| one.meter.as_str() == id)
            .unwrap()
            .stays
    };
    let follows = |id: &str| of(id).iter().map(|stay| stay.follows).collect::<Vec<_>>();
    assert_eq!(follows("m1"), [None, Some(Follows::Meter)]);
    assert_eq!(follows("m2"), [None]);
    assert_eq!(follows("m3"), [None, Some(Follows::Place)]);
    let [before, after] = of("m1").as_slice() else {
        panic!("two places")
    };
    assert_eq!((before.port.as_str(), before.address.as_str()), ("a", "1"));
    assert_eq!((after.port.as_str(), after.address.as_str()), ("b", "1"));
    assert_eq!((before.own.sessions, before.own.incomplete), (100, 25));
    assert_eq!(before.own.mostly(), Some((AttemptCause::Timeout, 50)));
    assert_eq!((before.others.sessions, before.others.incomplete), (100, 0));
    assert_eq!(before.to, Some(after.from));
    assert_eq!(after.said_by, (Generation(1), CommitId(moved)));
    assert_eq!((after.own.sessions, after.own.incomplete), (40, 8));
    // In the same time: not what the meter that was there before had done.
    assert_eq!((after.others.sessions, after.others.incomplete), (40, 0));
    assert_eq!(after.to, None);
}

//= A3.8
#[test]
fn a_meter_that_left_and_came_back_has_two_stays() {
    let mut log = Log::default();
    let (both, one) = ([("m1", "a", 1), ("m2", "a", 2)], [("m2", "a", 2)]);
    log.contract(&both, "1");
    log.contract(&one, "1");
    log.contract(&both, "1");
    let report = log.account.report();
    let stays = &report.meters[0].stays;
    assert_eq!(stays.len(), 2);
    assert!(stays[0].to.is_some_and(|to| to < stays[1].from) && stays[1].to.is_none());
    assert_eq!(stays[1].follows, Some(Follows::TooFew));
}

//= U8
#[test]
fn a_sign_off_holds_until_place_or_point_is_another() {
    let mut log = Log::default();
    log.contract(&[("m1", "a", 1), ("m2", "a", 2)], "1");
    assert_eq!(log.standing("m1"), Standing::Open);
    log.sign("m1", Outcome::Failed);
    assert_eq!(log.standing("m1"), Standing::Failed);
    log.sign("m1", Outcome::Done);
    assert_eq!(log.standing("m1"), Standing::Signed);
    log.sessions("m1", "a", 10, 2);
    log.contract(&[("m1", "a", 1), ("m2", "a", 2)], "0.1");
    assert_eq!(log.standing("m1"), Standing::Changed);
    let baseline = log.account.report().meters[0].baseline.clone().unwrap();
    assert_eq!((baseline.then.sessions, baseline.then.incomplete), (50, 1));
    assert_eq!(
        (baseline.since.sessions, baseline.since.incomplete),
        (10, 5)
    );
    log.sign("m1", Outcome::Done);
    assert_eq!(log.standing("m1"), Standing::Signed);
    log.contract(&[("m1", "b", 1), ("m2", "a", 2)], "0.1");
    assert_eq!(log.standing("m1"), Standing::Moved);
    assert_eq!(log.standing("m2"), Standing::Open);
}

//= A3.8
#[test]
fn work_on_a_port_begins_the_count_of_its_meters_anew_and_of_no_others() {
    let mut log = Log::default();
    log.contract(&[("m1", "a", 1), ("m2", "b", 2)], "1");
    log.sessions("m1", "a", 10, 0);
    log.sessions("m2", "b", 10, 0);
    log.work(MaintenancePhase::Begin, (Some("a"), None), "new terminator");
    log.work(MaintenancePhase::Begin, (None, Some("m2")), "display read");
    log.work(MaintenancePhase::End, (Some("a"), None), "120 ohm fitted");
    log.sessions("m1", "a", 3, 0);
    let report = log.account.report();
    let since: Vec<u64> = report
        .meters
        .iter()
        .map(|one| one.since_work.1.sessions)
        .collect();
    assert_eq!(since, [3, 0]);
    let [port, meter] = report.work.as_slice() else {
        panic!("two works")
    };
    assert!(port.from < port.to && port.from.is_some());
    assert_eq!(port.reasons, ["new terminator", "120 ohm fitted"]);
    assert_eq!(
        (meter.to, meter.meter.as_ref().map(MeterId::as_str)),
        (None, Some("m2"))
    );
    // An end that nobody began is told all the same.
    log.work(MaintenancePhase::End, (None, None), "left");
    let last = log.account.report().work.pop().unwrap();
    assert!(last.from.is_none() && last.to.is_some());
}

/// What the keep-rings hold comes without the contract that it was said under.
//= U8
//= A3.8
#[test]
fn a_sign_off_outlives_the_contract_of_its_time_and_a_move_undoes_it() {
    let meters = [("m1", "a", 1), ("m2", "a", 2)];
    let mut log = Log::default();
    log.sign("m1", Outcome::Done);
    log.contract(&meters, "1");
    assert_eq!(log.standing("m1"), Standing::Signed);
    let mut log = Log::default();
    log.sign("m1", Outcome::Done);
    log.put(Wiring {
        at: MonoNs(0),
        change: WiringChange::Moved,
        meter_id: meter("m1"),
        was_source: Some(source("b")),
        was_address: Some("7".to_owned()),
        source: Some(source("a")),
        address: Some("1".to_owned()),
        contract: CommitId(3),
    });
    log.contract(&meters, "1");
    assert_eq!(log.standing("m1"), Standing::Moved);
    let report = log.account.report();
    let [only] = report.meters[0].stays.as_slice() else {
        panic!("one place: {report:?}")
    };
    assert_eq!(
        (only.said_by, only.to),
        ((Generation(1), CommitId(3)), None)
    );
}
