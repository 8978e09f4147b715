//! State frozen at the start of a segment: counters, in as many snapshots as it takes.
//!
//! An entry has a bound and a station's state has not, so the parts are counted; whoever reads them
//! takes the state only when it is whole.

use crate::kinds::{Counter, CounterSnapshot};
use crate::reasons::CounterState;
use crate::{MonoNs, SourceId};
use alloc::string::ToString;
use alloc::vec::Vec;

/// The counters of a station's state, by name; each has a label that says what it is about.
pub mod names {
    /// Next session number of a stream that is not committed; label: the stream.
    pub const SEQ_WINDOW: &str = "seq_window";
    /// First number of a stream that has no window; label: who says so.
    pub const SEQ_FLOOR: &str = "seq_floor";
    /// The last count of a pulse meter; label: the point.
    pub const PULSES: &str = "pulses_counted";
    /// How often work of people was begun and not ended; label: `station`, `port ID` or `meter ID`.
    pub const WORK: &str = "work_open";
    /// Commit id of a command without an outcome; label: the output.
    pub const COMMAND_OPEN: &str = "command_open";
    /// Commit id of an order to set a clock that has no outcome; label: the meter.
    pub const CLOCK_ORDER: &str = "clock_order_open";
    /// Commit id of a tag; label: the output, and behind a space who set it.
    pub const POINT_TAGGED: &str = "point_tagged";
    /// Commit id of the entry that said a calibration last; label: point, digest and version.
    pub const CALIBRATION: &str = "calibration";
    /// The highest security version of the firmware that was seen; label: attempts to go back, those that were blocked, how the newest
    /// start stood, its version, the one that a person has accepted, and the counter's value and the version that it is bound to, each
    /// `-` where there is none; then, where either is known, `new` where the store was seen to have no counter, and the version that a
    /// counter showed to have run.
    pub const FIRMWARE: &str = "firmware_highest";
    /// The version that a person has accepted, 0 for one that cannot be read; label: how long the next is, who, and why.
    pub const FIRMWARE_ACCEPTED: &str = "firmware_accepted";
    /// Version of a numbering; label of all that follow: port and schedule.
    pub const SLOT_VERSION: &str = "slot_version";
    /// Length of its slots; 0 where the contract has the schedule no more.
    pub const SLOT_EVERY: &str = "slot_every_ms";
    /// Their shift from UTC multiples of the length.
    pub const SLOT_OFFSET: &str = "slot_offset_ms";
    /// Slots below are accounted for, for every meter.
    pub const SLOT_FLOOR: &str = "slot_floor";
    /// Slots from here on were never used.
    pub const SLOT_NEXT: &str = "slot_next";
    /// Slots below are accounted for, for the meter named last in the label.
    pub const SLOT_SERVED: &str = "slot_served";
    /// Commit id of the configuration in force; label: its digest.
    pub const CONTRACT_COMMIT: &str = "contract_commit";
    /// Beginning of the epoch; label: the boot.
    pub const EPOCH_BEGAN: &str = "epoch_began_ns";
    /// The latest UTC that a SYNCED stamp had, in nanoseconds since 1970; label: the scale.
    pub const NEWEST_SYNCED: &str = "newest_synced_ns";
    /// When SYNCED was claimed first in a boot, in nanoseconds since it began; label: the boot.
    pub const BOOT_TO_STABLE: &str = "boot_to_stable_ns";
    /// How many entries from the one in the label on a cosigner has by name alone.
    pub const LOST_ENTRIES: &str = "lost_entries";
    /// The newest value of a counter that a checkpoint was bound to; label: the counter, the SHA-256 of its
    /// public area, and `lacked` where the store had it no more since.
    pub const BOUND_COUNTER: &str = "bound_counter";
    /// How many entries the log had when it was found to be rolled back, so that it is sealed no more; label: the alarm.
    pub const SEALS_ENDED: &str = "seals_ended";
    /// Since when the link to the collector stands as it does, in nanoseconds since 1970; label: how, `1` where it was heard of
    /// in that run and `0` where not, when it was heard of last in nanoseconds since 1970, and why, where that is known.
    pub const LINK: &str = "link_stands";
    /// Keys that follow others were told in this generation; label: SHA-256 of the statement.
    pub const KEYS_ROTATED: &str = "keys_rotated";
    /// How many seals were missed since the last one; label: why the first of them was.
    pub const SEALS_MISSED: &str = "seals_missed_since";
    /// When the newest checkpoint came, by its stamp, in nanoseconds since 1970; label: the scale.
    pub const SEALED: &str = "sealed_utc_ns";
    /// When a hint of tampering was seen, or told, in seconds since 1970; label: the sign, and behind a space `seen` or `told`.
    pub const TAMPER_SIGN: &str = "tamper_sign";
    /// How often callers of a user were turned away by one run of the signer; label: boot, when the signer was started, `refused`,
    /// `malformed`, `rotations` or `firmware_steps`, the user, how many no audit entry has, and when one was made last in seconds since 1970, or `-`.
    pub const SIGNER_CALLERS: &str = "signer_callers";
    /// How many entries were durable when a supply went too low for writes; label: point, limit, the lowest value or `-`, and
    /// the longest commit since in nanoseconds.
    pub const SUPPLY_LOW: &str = "supply_low";
    /// The session that read a meter's serial number; label: meter and number.
    pub const LIFE_SERIAL: &str = "life_serial";
    /// When a counter's last believed value was read, in nanoseconds since 1970; label: meter, point, value and session.
    pub const LIFE_COUNT: &str = "life_count";
    /// The same of a reading that is doubted.
    pub const LIFE_DOUBT: &str = "life_doubt";
    /// The class of how far a meter's clock is from ours; label: meter.
    pub const LIFE_CLOCK: &str = "life_clock";
    /// How many slots in a row have no reading and may be filled from the meter's memory; label: meter, point, version and
    /// number of the first.
    pub const LIFE_MISSED: &str = "life_missed";
}

/// Whether a counter is part of what a recorder goes on from: whoever else says it is not believed.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    use names::{
        BOOT_TO_STABLE, BOUND_COUNTER, CALIBRATION, CLOCK_ORDER, COMMAND_OPEN, CONTRACT_COMMIT,
        EPOCH_BEGAN, FIRMWARE, FIRMWARE_ACCEPTED, KEYS_ROTATED, LINK, LOST_ENTRIES, NEWEST_SYNCED,
        POINT_TAGGED, PULSES, SEALED, SEALS_ENDED, SEALS_MISSED, SEQ_FLOOR, SEQ_WINDOW,
        SIGNER_CALLERS, SUPPLY_LOW, TAMPER_SIGN, WORK,
    };
    let whole = [
        PART,
        SEQ_FLOOR,
        SEQ_WINDOW,
        CONTRACT_COMMIT,
        EPOCH_BEGAN,
        NEWEST_SYNCED,
        BOOT_TO_STABLE,
        LOST_ENTRIES,
        PULSES,
        WORK,
        COMMAND_OPEN,
        CLOCK_ORDER,
        POINT_TAGGED,
        BOUND_COUNTER,
        SEALS_ENDED,
        KEYS_ROTATED,
        SEALS_MISSED,
        SEALED,
        TAMPER_SIGN,
        SUPPLY_LOW,
        SIGNER_CALLERS,
        CALIBRATION,
        FIRMWARE,
        FIRMWARE_ACCEPTED,
        LINK,
    ];
    whole.contains(&name) || name.starts_with("slot_") || name.starts_with("life_")
}

/// Counter that numbers a part; its label is how many parts there are.
const PART: &str = "frozen_part";
/// Counters of one part: with the longest names and labels they stay below an entry's bound.
const PART_COUNTERS_MAX: usize = 192;
/// Parts of one state at the most; more is no state of ours.
const PARTS_MAX: u64 = 1_024;

/// The snapshots that hold a state, in order.
#[must_use]
pub fn snapshots(at: MonoNs, source: &SourceId, counters: &[Counter]) -> Vec<CounterSnapshot> {
    let parts = counters.chunks(PART_COUNTERS_MAX);
    let total = parts.len().to_string();
    (0..)
        .zip(parts)
        .map(|(index, part)| {
            let number = Counter {
                name: PART.to_string(),
                label: Some(total.clone()),
                state: CounterState::Value,
                value: Some(index),
                source: source.clone(),
            };
            let mut counters = Vec::from([number]);
            counters.extend_from_slice(part);
            CounterSnapshot { at, counters }
        })
        .collect()
}

/// Puts parts together again.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    next: u64,
    counters: Vec<Counter>,
}

impl Parts {
    /// Takes the next snapshot of a log; gives the state when this was its last part. A part out of
    /// order begins nothing, and a snapshot that is no part leaves what is held.
    pub fn take(&mut self, snapshot: &CounterSnapshot) -> Option<Vec<Counter>> {
        let (number, part) = snapshot.counters.split_first()?;
        if number.name != PART {
            return None;
        }
        let total: u64 = number.label.as_deref()?.parse().ok()?;
        let index = number.value?;
        if index == 0 {
            *self = Self::default();
        }
        if index != self.next || total > PARTS_MAX {
            *self = Self::default();
            return None;
        }
        self.next = index.saturating_add(1);
        self.counters.extend_from_slice(part);
        (self.next == total).then(|| core::mem::take(self).counters)
    }
}

#[cfg(test)]
mod tests {
    use super::{PART_COUNTERS_MAX, Parts, snapshots};
    use crate::kinds::{Counter, CounterSnapshot};
    use crate::limits::{ENTRY_BYTES_MAX, ID_BYTES_MAX};
    use crate::reasons::CounterState;
    use crate::{Captured, MonoNs, SourceId};
    use std::string::String;
    use std::vec::Vec;

    fn counters(count: usize) -> Vec<Counter> {
        let id = "x".repeat(ID_BYTES_MAX);
        (0..count)
            .map(|value| Counter {
                name: String::from("slot_every_ms"),
                label: Some(std::format!("{id} {id} {id}")),
                state: CounterState::Value,
                value: Some(u64::MAX - value as u64),
                source: SourceId::new(&id).unwrap(),
            })
            .collect()
    }

    //= A5.6
    #[test]
    fn a_state_of_any_size_fits_entries_and_comes_back_whole() {
        for count in [1, PART_COUNTERS_MAX, PART_COUNTERS_MAX + 1, 2_000] {
            let state = counters(count);
            let source = SourceId::new("recorder").unwrap();
            let parts = snapshots(MonoNs(7), &source, &state);
            let mut joined = Parts::default();
            let (last, before) = parts.split_last().unwrap();
            for part in before {
                assert!(Captured::new(&part.clone().into()).capture.len() + 128 < ENTRY_BYTES_MAX);
                assert_eq!(joined.take(part), None);
            }
            assert_eq!(joined.take(last), Some(state));
        }
    }

    #[test]
    fn half_a_state_is_none_and_other_snapshots_do_not_disturb() {
        let source = SourceId::new("recorder").unwrap();
        let state = counters(500);
        let parts = snapshots(MonoNs(7), &source, &state);
        let mut joined = Parts::default();
        assert_eq!(joined.take(&parts[0]), None);
        assert_eq!(joined.take(&parts[2]), None, "one is missing");
        assert_eq!(joined.take(&parts[1]), None, "and does not come late");
        let other = CounterSnapshot {
            at: MonoNs(8),
            counters: counters(1),
        };
        for part in &parts[..2] {
            assert_eq!(joined.take(part), None);
            assert_eq!(joined.take(&other), None);
        }
        assert_eq!(joined.take(&parts[2]), Some(state));
    }
}
