//! What a start remembers of entries.

use super::{Remembered, counter};
use evidence::Payload;
use evidence::frozen::names::{
    BOOT_TO_STABLE, EPOCH_BEGAN, NEWEST_SYNCED, SIGNER_CALLERS, SUPPLY_LOW, TAMPER_SIGN,
};
use evidence::kinds::CounterSnapshot;
use evidence::kinds::{EpochStart, TimeMap};
use evidence::reasons::{EpochCause, TruthClass};
use evidence::{BootId, CommitId, MonoNs, SourceId, TimeMaps, UtcNs};

/// Every segment that is left was written by a clock in 1970.
//= A8.5
#[test]
fn the_newest_time_that_was_certain_outlives_its_segments() {
    let own = SourceId::new("recorder").unwrap();
    let (boot, other) = (BootId([1; 16]).to_string(), BootId([2; 16]).to_string());
    let state = |boot_of_synced: &str| CounterSnapshot {
        at: MonoNs(5),
        counters: vec![
            counter(&own, EPOCH_BEGAN, boot.clone(), 4),
            counter(
                &own,
                NEWEST_SYNCED,
                "UTC".to_owned(),
                1_800_000_000_000_000_000,
            ),
            counter(&own, BOOT_TO_STABLE, boot_of_synced.to_owned(), 9),
        ],
    };
    for (of, stable_ns) in [(&boot, Some(9)), (&other, None)] {
        let mut remembered = Remembered::default();
        remembered.observe(CommitId(7), state(of).into());
        assert_eq!(remembered.newest_synced, UtcNs(1_800_000_000_000_000_000));
        assert_eq!(remembered.earlier.boot_to_stable_ns(), stable_ns);
    }
}

/// The group that began a segment has the recovery, and the state behind it has it too.
//= A6.7
//= R10.3
#[test]
fn a_frozen_state_has_what_came_before_it_and_nothing_counts_twice() {
    let own = SourceId::new("recorder").unwrap();
    let epoch: Payload = EpochStart::new(
        MonoNs(2),
        EpochCause::Recovery,
        BootId([1; 16]),
        TruthClass::SameDeviceSync,
    )
    .into();
    let map = TimeMap::absent(MonoNs(0), UtcNs(1_800_000_000_000_000_000));
    let stamp = TimeMaps::new(map).stamp(MonoNs(2));
    let state = [
        (TAMPER_SIGN, "recoveries seen", 1_800_000_000),
        (SUPPLY_LOW, "vbat uvlo 8.7 5", 9),
        (SIGNER_CALLERS, "b 5 refused 7 1 -", 3),
    ];
    let counters = state.map(|(name, label, value)| counter(&own, name, label.to_owned(), value));
    let mut remembered = Remembered::default();
    remembered.observe_signs(&epoch, &stamp);
    remembered.observe(CommitId(7), epoch);
    for part in evidence::frozen::snapshots(MonoNs(5), &own, &counters) {
        remembered.observe(CommitId(8), part.into());
    }
    let again = remembered.hints.frozen().chain(remembered.low.frozen());
    let again: Vec<_> = again.collect();
    for (name, label, value) in state {
        let same = again
            .iter()
            .filter(|one| **one == (name, label.to_owned(), value));
        assert_eq!(same.count(), 1, "{name}");
    }
    assert_eq!(again.len(), state.len());
}
