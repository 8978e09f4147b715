//! The engine: one sample in, one statement out.

use crate::limits::{
    JOURNAL_INTERVAL_NS, JOURNAL_SLEW_NS, SLEW_PPB_MAX, STATEMENT_VALID_NS, STEP_THRESHOLD_NS,
};
use crate::sample::{ClockSample, KernelStatus};
use crate::table::{Change, ClockState, Row, TABLE, offset_bucket};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::SourceId;
use evidence::TimeDetail;
use evidence::kinds::{Event, TimeMap};
use evidence::reasons::EventCode;

/// What the time process tells the recorder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The map that serves for stamps from now on.
    pub map: TimeMap,
    /// What led to it.
    pub change: Change,
    /// Whether the map becomes an entry.
    pub journal: bool,
    /// Events to commit; they are stamped under the new map.
    pub events: Vec<Event>,
}

/// Counts since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Samples that made a statement.
    pub samples: u64,
    /// Samples not used: readings too far apart, or monotonic time not ahead of the last.
    pub samples_rejected: u64,
    /// Steps reported (`time_step_evt`).
    pub steps: u64,
}

/// Compares each sample with the one before it and with the last map in the journal.
#[derive(Clone, Debug)]
pub struct Engine {
    source: SourceId,
    state: ClockState,
    last: Option<ClockSample>,
    /// The sample behind the last map in the journal.
    journalled: Option<ClockSample>,
    /// A signal that came with a sample that could not be used.
    set_pending: bool,
    counters: Counters,
}

/// A movement of UTC against monotonic time, and the time it took at most.
#[derive(Clone, Copy)]
struct Movement {
    moved_ns: i128,
    within_ns: u64,
    unexplained: bool,
}

impl Movement {
    fn between(earlier: &ClockSample, later: &ClockSample) -> Self {
        let moved_ns = later.difference_ns() - earlier.difference_ns();
        let within_ns = later.mono.since(earlier.mono);
        let slew_ns = u128::from(within_ns) * u128::from(SLEW_PPB_MAX) / 1_000_000_000;
        let reading_ns = u128::from(earlier.read_uncertainty_ns)
            .saturating_add(u128::from(later.read_uncertainty_ns));
        let explained_ns = slew_ns
            .saturating_add(reading_ns)
            .saturating_add(u128::from(STEP_THRESHOLD_NS));
        Self {
            moved_ns,
            within_ns,
            unexplained: moved_ns.unsigned_abs() > explained_ns,
        }
    }

    fn magnitude_ns(self) -> u64 {
        u64::try_from(self.moved_ns.unsigned_abs()).unwrap_or(u64::MAX)
    }
}

impl Engine {
    /// An engine that has seen no clock yet; its events name `source`.
    #[must_use]
    pub const fn new(source: SourceId) -> Self {
        Self {
            source,
            state: ClockState::FreeRunning,
            last: None,
            journalled: None,
            set_pending: false,
            counters: Counters {
                samples: 0,
                samples_rejected: 0,
                steps: 0,
            },
        }
    }

    /// Takes a sample. `clock_set` says that the kernel signalled since the last one that the clock
    /// was set. `None` for a sample that says nothing; the last statement then runs out by itself.
    pub fn observe(&mut self, sample: ClockSample, clock_set: bool) -> Option<Statement> {
        self.set_pending |= clock_set;
        let ahead = self.last.is_none_or(|last| sample.mono > last.mono);
        if !sample.is_usable() || !ahead {
            self.counters.samples_rejected = self.counters.samples_rejected.saturating_add(1);
            return None;
        }
        self.counters.samples = self.counters.samples.saturating_add(1);
        let signalled = core::mem::take(&mut self.set_pending);
        let (row, movement) = self.judge(&sample, signalled);
        if let Some(to) = row.to {
            self.state = to;
        }
        let mut events = Vec::new();
        if let Some(movement) = movement.filter(|_| row.event) {
            self.counters.steps = self.counters.steps.saturating_add(1);
            events.push(self.step_event(&sample, movement, signalled));
        }
        if row.journal {
            self.journalled = Some(sample);
        }
        self.last = Some(sample);
        Some(Statement {
            map: self.map(&sample),
            change: row.change,
            journal: row.journal,
            events,
        })
    }

    /// Counts since the process started.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// The first row of the table that the sample fits, and the movement that is to be reported.
    fn judge(&self, sample: &ClockSample, signalled: bool) -> (Row, Option<Movement>) {
        let since_last = self.last.map(|last| Movement::between(&last, sample));
        // Many small moves add up: each stays below the threshold, their sum does not.
        let since_journal = self
            .journalled
            .map(|journalled| Movement::between(&journalled, sample));
        let unexplained = [since_last, since_journal]
            .into_iter()
            .flatten()
            .find(|movement| movement.unexplained);
        let fits = |change: Change| match change {
            Change::Start => self.last.is_none(),
            Change::ClockSet => signalled,
            Change::Step => unexplained.is_some(),
            Change::KernelStatus => self
                .last
                .is_some_and(|last| flag(last.kernel) != flag(sample.kernel)),
            Change::Slewed => {
                since_journal.is_some_and(|moved| moved.magnitude_ns() > JOURNAL_SLEW_NS)
            }
            Change::Interval => {
                since_journal.is_some_and(|moved| moved.within_ns >= JOURNAL_INTERVAL_NS)
            }
            Change::Steady => true,
        };
        let row = TABLE.iter().find(|row| fits(row.change));
        let steady = Row {
            change: Change::Steady,
            to: None,
            journal: false,
            event: false,
        };
        let movement = if signalled { since_last } else { unexplained };
        (row.copied().unwrap_or(steady), movement)
    }

    fn map(&self, sample: &ClockSample) -> TimeMap {
        let (quality, status, reason) = self.state.says();
        TimeMap {
            at: sample.mono,
            as_of: sample.mono,
            utc: sample.utc,
            quality,
            status,
            bound_ns: None,
            bound_growth_ppb: 0,
            valid_until: sample.mono.plus_ns(STATEMENT_VALID_NS),
            detail: TimeDetail::Holdover(reason),
            basis: basis(sample.kernel),
        }
    }

    fn step_event(&self, sample: &ClockSample, movement: Movement, signalled: bool) -> Event {
        let magnitude_ns = movement.magnitude_ns();
        let direction = if movement.moved_ns < 0 {
            "backward"
        } else {
            "forward"
        };
        let seen = if signalled {
            "signalled by the kernel"
        } else {
            "seen by comparing the clocks"
        };
        Event {
            at: sample.mono,
            code: EventCode::TimeStep,
            source: self.source.clone(),
            meter_id: None,
            seq: None,
            about_seq: None,
            count: Some(magnitude_ns),
            detail: Some(format!(
                "{direction} by {magnitude_ns} ns ({}), within the last {} ms, {seen}",
                offset_bucket(magnitude_ns),
                movement.within_ns.div_ceil(1_000_000),
            )),
            sample: None,
        }
    }
}

fn flag(kernel: Option<KernelStatus>) -> Option<bool> {
    kernel.map(|kernel| kernel.flag_synchronised)
}

fn basis(kernel: Option<KernelStatus>) -> String {
    String::from(match flag(kernel) {
        None => "CLOCK_REALTIME",
        Some(false) => "CLOCK_REALTIME; the kernel's flag says unsynchronised",
        Some(true) => "CLOCK_REALTIME; the kernel's flag says synchronised, no source was measured",
    })
}

#[cfg(test)]
mod tests;
