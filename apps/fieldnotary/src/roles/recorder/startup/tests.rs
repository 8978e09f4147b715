//! What a start remembers of entries.

use super::{Remembered, counter};
use evidence::frozen::names::{BOOT_TO_STABLE, EPOCH_BEGAN, NEWEST_SYNCED};
use evidence::kinds::CounterSnapshot;
use evidence::{BootId, CommitId, MonoNs, SourceId, UtcNs};

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
