//! What a node's log has measured of its ports: cycles, and what each meter took.

use crate::commands::directory::Directory;
use evidence::kinds::{Counter, Payload};
use std::collections::BTreeMap;
use std::path::Path;

const NS_PER_MS: u64 = 1_000_000;

/// What one meter took on its port, over all that the log has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MeterMeasured {
    /// The longest that it took to answer.
    pub(super) reply_ms_max: u64,
    /// How long it had the line to itself, waiting for it included.
    pub(super) busy_ms: u64,
    /// Its sessions, those that passed without a request among them.
    pub(super) sessions: u64,
}

impl MeterMeasured {
    /// What a slot of it takes in the mean; `None` before its first.
    pub(super) fn slot_ns(&self) -> Option<u64> {
        let busy_ns = self.busy_ms.saturating_mul(NS_PER_MS);
        busy_ns.checked_div(self.sessions)
    }
}

/// A counter that begins anew with each start of the process that counts.
#[derive(Clone, Copy, Debug, Default)]
struct Total {
    sum: u64,
    last: u64,
}

impl Total {
    fn told(&mut self, value: u64) {
        let more = value.checked_sub(self.last).unwrap_or(value);
        self.sum = self.sum.saturating_add(more);
        self.last = value;
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    reply_ms_max: u64,
    busy_ms: Total,
    sessions: Total,
}

/// The counters of a log that a plan stands beside.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// By port and schedule, the longest cycle in milliseconds.
    cycles: BTreeMap<String, u64>,
    /// By port and meter.
    meters: BTreeMap<(String, String), Totals>,
}

impl Measured {
    /// Of a node's directory, from its first entry to its last.
    ///
    /// # Errors
    /// For a person: what cannot be read there.
    pub(super) fn read(dir: &Path) -> Result<Self, String> {
        let mut measured = Self::default();
        Directory::open(dir)?.each_entry(0, true, |entry| {
            if let Ok(Payload::CounterSnapshot(snapshot)) = entry.payload() {
                snapshot.counters.iter().for_each(|one| measured.take(one));
            }
        })?;
        Ok(measured)
    }

    fn take(&mut self, counter: &Counter) {
        let (Some(label), Some(value)) = (&counter.label, counter.value) else {
            return;
        };
        let meter = || (counter.source.to_string(), label.clone());
        match counter.name.as_str() {
            "cycle_measured_ms" => {
                let known = self.cycles.entry(label.clone()).or_insert(0);
                *known = value.max(*known);
            }
            "reply_ms_max" => {
                let known = &mut self.meters.entry(meter()).or_default().reply_ms_max;
                *known = value.max(*known);
            }
            "bus_busy_ms" => self.meters.entry(meter()).or_default().busy_ms.told(value),
            "session_cnt" => self.meters.entry(meter()).or_default().sessions.told(value),
            _ => {}
        }
    }

    /// The longest cycle of a schedule on a port, in milliseconds.
    pub(super) fn cycle_ms(&self, port: &str, schedule: &str) -> Option<u64> {
        self.cycles.get(&format!("{port}/{schedule}")).copied()
    }

    /// What a meter took on a port; `None` where it had no session there.
    pub(super) fn meter(&self, port: &str, meter: &str) -> Option<MeterMeasured> {
        let totals = self.meters.get(&(port.to_owned(), meter.to_owned()))?;
        let measured = MeterMeasured {
            reply_ms_max: totals.reply_ms_max,
            busy_ms: totals.busy_ms.sum,
            sessions: totals.sessions.sum,
        };
        (measured.sessions > 0).then_some(measured)
    }
}

#[cfg(test)]
mod tests {
    use super::Measured;
    use evidence::SourceId;
    use evidence::kinds::Counter;
    use evidence::reasons::CounterState;

    fn told(measured: &mut Measured, name: &str, label: &str, value: u64) {
        measured.take(&Counter {
            name: name.to_owned(),
            label: Some(label.to_owned()),
            state: CounterState::Value,
            value: Some(value),
            source: SourceId::new("line").unwrap(),
        });
    }

    //= R5.2
    #[test]
    fn what_was_counted_before_a_restart_counts_and_a_maximum_stays() {
        let mut measured = Measured::default();
        for (busy_ms, sessions, reply_ms) in [(40, 10, 7), (90, 20, 9), (20, 5, 3), (30, 8, 4)] {
            told(&mut measured, "bus_busy_ms", "m1", busy_ms);
            told(&mut measured, "session_cnt", "m1", sessions);
            told(&mut measured, "reply_ms_max", "m1", reply_ms);
            told(&mut measured, "cycle_measured_ms", "line/s", busy_ms);
        }
        let meter = measured.meter("line", "m1").unwrap();
        assert_eq!((meter.busy_ms, meter.sessions), (120, 28));
        assert_eq!(meter.reply_ms_max, 9);
        assert_eq!(meter.slot_ns(), Some(120_000_000 / 28));
        assert_eq!(measured.cycle_ms("line", "s"), Some(90));
        assert_eq!(measured.meter("lan", "m1"), None);
        told(&mut measured, "session_cnt", "m2", 0);
        assert_eq!(measured.meter("line", "m2"), None);
    }
}
