//! Entries planted against a diary: a cause that is not what was done must be found.

use super::{Judge, ends_capture, of, pid_in};
use crate::blow::{Blow, Fault, How, Target};
use crate::diary::{Diary, Window};
use evidence::kinds::{AttemptFailed, Downtime, EpochStart, Event};
use evidence::reasons::{
    AttemptCause, DowntimeCause, EpochCause, EventCode, TimeQuality, TimeStatus, TruthClass,
};
use evidence::{
    BootId, Captured, CommitId, Entry, Epoch, Generation, Header, MeterId, MonoNs, Payload, Seq,
    Slot, SourceId, Stamp, TimeDetail, UtcNs,
};
use std::time::Duration;

const S: u64 = 1_000_000_000;

fn entry(payload: Payload) -> Entry {
    let captured = Captured::new(&payload);
    Entry {
        header: Header {
            kind: captured.kind,
            generation: Generation(1),
            commit_id: CommitId(7),
            epoch: Epoch(1),
        },
        stamp: Stamp {
            timestamp: UtcNs(0),
            quality: TimeQuality::RtcOnly,
            status: TimeStatus::FreeRun,
            bound_ns: None,
            detail: TimeDetail::Holdover(evidence::reasons::HoldoverReason::NeverSynchronised),
        },
        captured,
    }
}

fn slot() -> Slot {
    Slot {
        version: 1,
        number: 9,
    }
}

fn downtime(at_ns: u64, cause: DowntimeCause) -> Payload {
    Downtime {
        at: MonoNs(at_ns),
        schedule: "s".parse().unwrap(),
        first: slot(),
        count: Some(2),
        cause,
        source: SourceId::new("tcp").unwrap(),
        meter_id: None,
    }
    .into()
}

fn failed(at_ns: u64, meter: &str, cause: AttemptCause) -> Payload {
    AttemptFailed {
        at: MonoNs(at_ns),
        meter_id: MeterId::new(meter).unwrap(),
        source: SourceId::new("tcp").unwrap(),
        seq: Seq(3),
        slot: Some(slot()),
        attempt: 1,
        last: true,
        cause,
        exception: None,
        points: Vec::new(),
        sample: None,
        contract: CommitId(1),
    }
    .into()
}

fn ended(at_ns: u64, pid: u64) -> Payload {
    Event {
        count: Some(1),
        detail: Some(format!("pid {pid}, signal 9")),
        ..Event::new(
            MonoNs(at_ns),
            EventCode::ProcessKilled,
            SourceId::new("io").unwrap(),
        )
    }
    .into()
}

/// From second 10 to second 12.
fn findings(blow: Blow, street_log: &str, payload: Payload) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut diary = Diary::new(&folder.path().join("log")).unwrap();
    diary.windows.push(Window {
        blow,
        from_ns: 10 * S,
        to_ns: 12 * S,
        pids: vec![41],
        silent_to_ns: None,
        is_open: false,
    });
    let mut judge = Judge::new(&diary, street_log);
    judge.entry(&entry(payload));
    judge.findings
}

fn check(blow: Blow, payload: Payload, clean: bool) {
    let found = findings(blow, "", payload);
    assert_eq!(found.is_empty(), clean, "{blow}: {found:?}");
}

//= A4.3
#[test]
fn a_downtime_must_have_the_cause_of_the_blow_at_its_time() {
    let io = Blow::Strike(Target::Io, How::Kill);
    let stop = Blow::Strike(Target::Supervisor, How::Terminate);
    let crash = Blow::Strike(Target::All, How::Kill);
    for (blow, cause, at_s, clean) in [
        (io, DowntimeCause::ProcessRestart, 11, true),
        (io, DowntimeCause::ProcessRestart, 14, true),
        (io, DowntimeCause::ProcessRestart, 16, false),
        (io, DowntimeCause::ProcessRestart, 9, false),
        (io, DowntimeCause::OrderlyStop, 11, false),
        (io, DowntimeCause::Unknown, 11, false),
        (stop, DowntimeCause::OrderlyStop, 11, true),
        (stop, DowntimeCause::NodeRestart, 11, false),
        (crash, DowntimeCause::NodeRestart, 11, true),
        (crash, DowntimeCause::OrderlyStop, 11, false),
        (crash, DowntimeCause::Reboot, 11, false),
    ] {
        check(blow, downtime(at_s * S, cause), clean);
    }
    // What must not touch capture at all may not explain that something is missing.
    for blow in [
        Blow::Strike(Target::Signer, How::Kill),
        Blow::Strike(Target::Recorder, How::Kill),
        Blow::Strike(Target::Collector, How::Freeze(Duration::from_secs(1))),
        Blow::Fault(Fault::DiskFull),
        Blow::Fault(Fault::Cut),
    ] {
        check(blow, downtime(11 * S, DowntimeCause::ProcessRestart), false);
    }
}

//= A4.3
#[test]
fn a_failed_attempt_must_have_met_its_meters_fault_or_a_blow_on_capture() {
    let freeze = Blow::Strike(Target::Io, How::Freeze(Duration::from_secs(1)));
    let none = Blow::Fault(Fault::Cut);
    check(freeze, failed(11 * S, "m02", AttemptCause::Timeout), true);
    check(none, failed(11 * S, "m02", AttemptCause::Timeout), false);
    check(freeze, failed(11 * S, "m02", AttemptCause::Stopped), false);
    let log = "{\"event\":\"request\",\"mono_ns\":10000000000,\"meter\":\"m02\",\"port\":\"tcp\"}\n\
               {\"event\":\"no-reply\",\"mono_ns\":10000000001,\"meter\":\"m02\",\"port\":\"tcp\",\
               \"fault\":\"silent\"}\n";
    for (at_s, meter, cause, clean) in [
        (11, "m02", AttemptCause::Timeout, true),
        (11, "m04", AttemptCause::Timeout, false),
        (11, "m04", AttemptCause::SlotOverrun, true),
        (20, "m02", AttemptCause::Timeout, false),
        (9, "m02", AttemptCause::Timeout, false),
    ] {
        let found = findings(none, log, failed(at_s * S, meter, cause));
        assert_eq!(found.is_empty(), clean, "{at_s} {meter} {cause}: {found:?}");
    }
}

//= A2.4
#[test]
fn a_process_that_ended_must_have_been_struck() {
    let kill = Blow::Strike(Target::Io, How::Kill);
    check(kill, ended(11 * S, 41), true);
    check(kill, ended(50 * S, 41), true);
    check(kill, ended(11 * S, 42), false);
    check(
        Blow::Fault(Fault::NoMemory(Target::Io)),
        ended(11 * S, 42),
        true,
    );
    check(Blow::Fault(Fault::Reset), ended(11 * S, 42), false);
    assert_eq!(pid_in("pid 77, signal 9"), Some(77));
    assert_eq!(pid_in("pid 77"), Some(77));
    assert_eq!(pid_in("no pid"), None);
}

//= A5.6
#[test]
fn a_truth_store_is_never_lost_by_a_storm() {
    let epoch = EpochStart {
        truth_degraded: true,
        ..EpochStart::new(
            MonoNs(11 * S),
            EpochCause::TruthLost,
            BootId([0; 16]),
            TruthClass::SameDeviceSync,
        )
    };
    check(Blow::Strike(Target::All, How::Kill), epoch.into(), false);
}

#[test]
fn no_blow_may_show_as_unknown_or_lost() {
    for target in Target::CHILDREN {
        for how in [How::Kill, How::Terminate, How::Freeze(Duration::ZERO)] {
            let causes = of(&Blow::Strike(target, how));
            assert!(
                !causes.iter().any(|cause| cause.starts_with("COMMIT_GAP")),
                "{target:?}"
            );
            assert!(!causes.contains(&"DOWNTIME/unknown"), "{target:?}");
        }
    }
}

//= A5.6
#[test]
fn blows_that_end_capture_are_those_that_strike_it_or_all() {
    for (blow, ends) in [
        (Blow::Strike(Target::Io, How::Kill), true),
        (Blow::Strike(Target::Io, How::Terminate), true),
        (Blow::Strike(Target::All, How::Kill), true),
        (Blow::Strike(Target::Supervisor, How::Terminate), true),
        (Blow::Strike(Target::Recorder, How::Kill), false),
        (
            Blow::Strike(Target::Io, How::Freeze(Duration::from_secs(1))),
            false,
        ),
        (Blow::Fault(Fault::NoMemory(Target::Io)), true),
        (Blow::Fault(Fault::NoMemory(Target::Recorder)), false),
        (Blow::Fault(Fault::DiskFull), false),
    ] {
        assert_eq!(ends_capture(&blow), ends, "{blow}");
    }
}
