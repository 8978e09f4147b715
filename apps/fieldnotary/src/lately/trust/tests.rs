//! What a report says of keys, boot and rollbacks, from the entries that were seen.

use super::Trust;
use evidence::frozen::names::SEALS_ENDED;
use evidence::kinds::{Boot, Counter, CounterSnapshot, EpochStart, Rollback};
use evidence::reasons::{
    BootState, CounterState, EpochCause, RollbackAlarm, RollbackWitness, SecureBoot, TruthClass,
};
use evidence::{BootId, MonoNs, Payload, SourceId};
use serde_json::{Value, json};

fn begins(cause: EpochCause) -> Payload {
    EpochStart::new(MonoNs(1), cause, BootId([1; 16]), TruthClass::Independent).into()
}

fn boot() -> Payload {
    Boot {
        at: MonoNs(1),
        boot_id: BootId([1; 16]),
        state: BootState::LogMissing,
        detail: "no event log".to_owned(),
        measurement_id: None,
        secure_boot: SecureBoot::On,
        stages: Vec::new(),
        stages_left_out: 0,
        pcrs: Vec::new(),
        log_digest: None,
        log_bytes: None,
        fault: None,
    }
    .into()
}

fn snapshot(alarm: RollbackAlarm, size: u64) -> Payload {
    CounterSnapshot {
        at: MonoNs(1),
        counters: vec![Counter {
            name: SEALS_ENDED.to_owned(),
            label: Some(alarm.name().to_owned()),
            state: CounterState::Value,
            value: Some(size),
            source: SourceId::new("recorder").unwrap(),
        }],
    }
    .into()
}

fn alarm(alarm: RollbackAlarm) -> Payload {
    Rollback {
        at: MonoNs(1),
        alarm,
        witness: RollbackWitness::Start,
        size: 900,
        known_size: None,
        counter: None,
        bound: None,
        value: None,
        detail: "cut".to_owned(),
    }
    .into()
}

fn told(entries: &[Payload]) -> (Value, Value) {
    let mut trust = Trust::default();
    for entry in entries {
        trust.observe(entry);
    }
    let [(_, custody), _, _, (_, rollback), (_, boot), _] = trust.report();
    assert_eq!(custody, Value::Null);
    (rollback, boot["found"]["state"].clone())
}

//= A6.5
#[test]
fn a_boot_is_of_the_newest_run() {
    let state = BootState::LogMissing.name();
    let start = begins(EpochCause::OrderlyStart);
    assert_eq!(told(&[start.clone(), boot()]).1, state);
    assert_eq!(
        told(&[start.clone(), boot(), begins(EpochCause::WriteFailure)]).1,
        state
    );
    assert_eq!(told(&[start.clone(), boot(), start]).1, Value::Null);
}

/// What ended the seals is told though its entry is not among those that were seen, and once.
//= A6.4
#[test]
fn an_alarm_that_ended_the_seals_outlives_its_entry() {
    let cut = RollbackAlarm::TruncatedLog;
    let names = |entries: &[Payload]| -> Vec<(Value, Value)> {
        let (rollback, _) = told(entries);
        let all = rollback.as_array().unwrap().iter();
        all.map(|one| (one["alarm"].clone(), one["witness"].clone()))
            .collect()
    };
    assert_eq!(names(&[boot()]), []);
    assert_eq!(
        names(&[snapshot(cut, 900)]),
        [(json!(cut.name()), Value::Null)]
    );
    let witness = json!(RollbackWitness::Start.name());
    let own = [(json!(cut.name()), witness)];
    assert_eq!(names(&[alarm(cut), snapshot(cut, 900)]), own);
    assert_eq!(names(&[snapshot(cut, 900), alarm(cut)]), own);
}
