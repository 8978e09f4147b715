//! Each symptom is found where the log shows it, and only there.

use super::{SelfTests, Verdict};
use evidence::kinds::{AttemptFailed, Counter, CounterSnapshot, EpochStart, Event, Loss, Reading};
use evidence::reasons::{
    AttemptCause, CounterState, EpochCause, EventCode, HoldoverReason, LossCause, TimeQuality,
    TimeStatus, TruthClass,
};
use evidence::{
    Blob, BootId, Captured, CommitId, Entry, Epoch, Generation, Header, MeterId, MonoNs, Payload,
    PointId, Quality, Seq, SourceId, Stamp, TimeDetail, UtcNs,
};

const SECOND: u64 = 1_000_000_000;

#[derive(Default)]
struct Log {
    tests: SelfTests,
    next: u64,
}

fn source() -> SourceId {
    SourceId::new("recorder").unwrap()
}

impl Log {
    fn put(&mut self, payload: impl Into<Payload>) {
        let payload = payload.into();
        let entry = Entry {
            header: Header {
                kind: payload.kind(),
                generation: Generation(1),
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
        self.tests.observe(&entry);
    }

    fn counters(&mut self, counters: &[(&str, Option<u64>)]) {
        let counters = counters.iter().map(|(name, value)| Counter {
            name: (*name).to_owned(),
            label: None,
            state: if value.is_some() {
                CounterState::Value
            } else {
                CounterState::Unsupported
            },
            value: *value,
            source: source(),
        });
        let counters = counters.collect();
        self.put(CounterSnapshot {
            at: MonoNs(0),
            counters,
        });
    }

    fn epoch(&mut self, scan_bytes: u64) {
        self.put(EpochStart {
            scan_bytes,
            recovery_us: scan_bytes / 1_000,
            ..EpochStart::new(
                MonoNs(0),
                EpochCause::Recovery,
                BootId([1; 16]),
                TruthClass::Independent,
            )
        });
    }

    fn stall(&mut self, at: u64) {
        self.put(Event {
            count: Some(2),
            ..Event::new(MonoNs(at), EventCode::WriteStall, source())
        });
    }

    fn timeout(&mut self, at: u64) {
        self.put(AttemptFailed {
            at: MonoNs(at),
            meter_id: MeterId::new("m1").unwrap(),
            source: source(),
            seq: Seq(1),
            slot: None,
            attempt: 0,
            last: false,
            cause: AttemptCause::Timeout,
            exception: None,
            points: Vec::new(),
            sample: None,
            contract: CommitId(0),
        });
    }

    fn reading(&mut self, seq: u64) {
        self.put(Reading {
            at: MonoNs(0),
            meter_id: MeterId::new("m1").unwrap(),
            point_id: PointId::new("energy").unwrap(),
            source: source(),
            seq: Seq(seq),
            slot: None,
            attempt: 0,
            raw: Blob(vec![0; 4]),
            value: None,
            quality: Quality::GOOD,
            contract: CommitId(0),
        });
    }

    fn verdict(&self, name: &str) -> Verdict {
        let all = self.tests.verdicts();
        all.iter().find(|test| test.name == name).unwrap().verdict
    }

    fn verdicts(&self) -> Vec<Verdict> {
        self.tests
            .verdicts()
            .iter()
            .map(|test| test.verdict)
            .collect()
    }
}

fn healthy() -> Log {
    let mut log = Log::default();
    log.epoch(4_096);
    log.epoch(4_096);
    log.counters(&[
        ("record_crc_fail_cnt", Some(0)),
        ("read_back_fail_cnt", Some(0)),
        ("commit_cnt", Some(9)),
        ("ecc_failed_cnt", Some(0)),
    ]);
    log.reading(1);
    log.reading(2);
    log
}

//= A5.8
#[test]
fn a_healthy_log_is_clear_and_an_empty_one_says_nothing() {
    assert_eq!(healthy().verdicts(), [Verdict::Clear; 5]);
    assert_eq!(Log::default().verdicts(), [Verdict::NoEvidence; 5]);
}

//= A5.8
#[test]
fn records_that_fail_and_frames_that_read_back_otherwise_are_suspected() {
    for name in ["record_crc_fail_cnt", "read_back_fail_cnt"] {
        let mut log = healthy();
        log.counters(&[(name, Some(1))]);
        log.counters(&[(name, Some(0))]);
        assert_eq!(log.verdict("records"), Verdict::Suspected, "{name}");
    }
}

//= A5.8
#[test]
fn timeouts_right_behind_a_stall_are_suspected_and_others_are_not() {
    let mut log = healthy();
    log.timeout(5 * SECOND);
    log.stall(60 * SECOND);
    log.timeout(80 * SECOND);
    assert_eq!(log.verdict("stalls"), Verdict::Clear);
    // Another run has another clock.
    log.stall(90 * SECOND);
    log.epoch(4_096);
    log.timeout(SECOND);
    assert_eq!(log.verdict("stalls"), Verdict::Clear);
    log.stall(100 * SECOND);
    log.timeout(103 * SECOND);
    assert_eq!(log.verdict("stalls"), Verdict::Suspected);
}

//= A5.8
#[test]
fn a_session_that_was_served_twice_is_suspected() {
    let mut log = healthy();
    log.epoch(4_096);
    log.reading(2);
    assert_eq!(log.verdict("duplicates"), Verdict::Suspected);
    let mut log = healthy();
    log.next = 1;
    log.reading(3);
    assert_eq!(log.verdict("duplicates"), Verdict::Suspected);
}

//= A5.8
#[test]
fn a_medium_that_fails_is_suspected() {
    let mut log = healthy();
    log.counters(&[("ecc_failed_cnt", Some(2))]);
    assert_eq!(log.verdict("wear"), Verdict::Suspected);
    for (cause, verdict) in [
        (LossCause::FrameDamaged, Verdict::Suspected),
        (LossCause::SegmentMissing, Verdict::Clear),
        (LossCause::Pruned, Verdict::Clear),
    ] {
        let mut log = healthy();
        log.put(Loss {
            at: MonoNs(0),
            first: CommitId(0),
            count: 2,
            cause,
            hashes: Vec::new(),
            segment: 0,
            offset_bytes: 0,
            before: Vec::new(),
        });
        assert_eq!(log.verdict("wear"), verdict, "{cause}");
    }
}

//= A5.8
#[test]
fn a_scan_that_grows_is_suspected() {
    let mut log = healthy();
    for _ in 0..5 {
        log.epoch(2 << 20);
    }
    assert_eq!(log.verdict("recovery"), Verdict::Clear);
    log.epoch(9 << 20);
    assert_eq!(log.verdict("recovery"), Verdict::Suspected);
}
