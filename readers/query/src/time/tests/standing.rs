//! Where late entries belong, and what is in force at an instant.

use super::{Asked, Log, S, at, source, why};
use evidence::MonoNs;
use evidence::kinds::{Counter, CounterSnapshot, Event};
use evidence::reasons::{CounterState, EventCode, TimeCause, TimeQuality};

/// A reading that was captured before a step is committed behind it, with the stamp that held at its capture.
//= A8.5
#[test]
fn what_is_committed_late_belongs_to_the_stretch_of_its_capture() {
    let asked = Some(Asked::Entry {
        generation: Some(1),
        commit_id: 4,
    });
    let mut log = Log::new(asked);
    log.map(110 * S, 0, TimeQuality::Synced, Some(1_000));
    log.beat(140 * S);
    let before = log.map.clone();
    log.map(150 * S, 5_000_000, TimeQuality::Holdover, Some(5_000_000));
    let after = std::mem::replace(&mut log.map, before);
    assert_eq!(log.beat(149 * S), 4);
    log.map = after;
    log.beat(160 * S);
    let history = log.history();
    let told = history.stretches.iter();
    let told: Vec<_> = told.map(|one| (one.cover.name(), one.entries)).collect();
    assert_eq!(told, [("RTC_ONLY", 1), ("SYNCED", 3), ("HOLDOVER", 2)]);
    assert_eq!(history.jumps.len(), 1);
    let answer = why(&log);
    let moment = &answer.moments[0];
    assert_eq!(moment.stretch.cover.name(), "SYNCED");
    assert!((moment.stretch.begin.at..moment.stretch.end.at).contains(&moment.at));
}

/// What keeps the clock from being held stands with its event until it comes back.
//= A8.3
#[test]
fn the_fault_of_a_source_is_in_force_until_it_is_back() {
    let says = |log: &mut Log, at: u64, code, words: &str, cause| {
        log.put(Event {
            detail: Some(words.to_owned()),
            time_cause: cause,
            ..Event::new(MonoNs(at * S), code, source())
        });
    };
    let in_force = |log: &Log| -> Vec<String> {
        let now = log.account.now().unwrap();
        let words = now.in_force.into_iter().map(|one| one.detail.unwrap());
        words.collect()
    };
    let gone = Some(TimeCause::DaemonGone);
    let mut log = Log::new(at(75 * 1_000_000_000));
    log.map(110 * S, 0, TimeQuality::Synced, Some(1_000));
    says(
        &mut log,
        120,
        EventCode::TimeSourceFault,
        "the real-time clock: absent",
        None,
    );
    says(&mut log, 150, EventCode::SyncLost, "lost", gone);
    says(
        &mut log,
        151,
        EventCode::TimeSourceFault,
        "chronyd at /run/x: gone",
        gone,
    );
    assert_eq!(
        in_force(&log),
        [
            "lost",
            "chronyd at /run/x: gone",
            "the real-time clock: absent"
        ]
    );
    says(
        &mut log,
        180,
        EventCode::TimeSourceBack,
        "chronyd is read and believed again",
        None,
    );
    says(&mut log, 180, EventCode::SyncAcquired, "chronyd", None);
    log.beat(190 * S);
    assert_eq!(in_force(&log), ["the real-time clock: absent"]);
    // At 75 s the daemon was away.
    let moment = &why(&log).json()["moments"][0];
    assert_eq!(moment["in_force"][1]["cause"], "daemon_gone");
    assert_eq!(moment["in_force"].as_array().unwrap().len(), 3);
}

/// An offset without its sign says little, and an identity is nothing but its label.
//= A8.3
#[test]
fn counters_keep_their_labels() {
    let mut log = Log::new(None);
    log.map(110 * S, 0, TimeQuality::Synced, Some(1_000));
    log.put(CounterSnapshot {
        at: MonoNs(120 * S),
        counters: vec![Counter {
            name: "drift_estimate".to_owned(),
            label: Some("fast".to_owned()),
            state: CounterState::Value,
            value: Some(70),
            source: source(),
        }],
    });
    let json = log.account.now().unwrap().json();
    let counter = &json["counters"][0];
    assert_eq!(counter["name"], "drift_estimate");
    assert_eq!(counter["label"], "fast");
    assert_eq!(counter["value"], 70);
}

/// Where labels change the next map corrects by little: the clock was not set back.
//= A8.2
#[test]
fn an_instant_at_a_border_has_one_answer() {
    for off_ns in [60 * 1_000_000_000 - 900, 60 * 1_000_000_000] {
        let mut log = Log::new(at(off_ns));
        log.map(110 * S, 0, TimeQuality::Synced, Some(1_000));
        log.map(160 * S, -900, TimeQuality::Holdover, Some(5_000));
        log.beat(170 * S);
        let why = why(&log);
        assert_eq!((why.moments.len(), why.before), (1, None), "{off_ns}");
    }
}
