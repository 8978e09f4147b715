//! The node's own clocks from look to look: steps, slews, sleeps.

use super::repeats::Allowance;
use super::stray::Stray;
use crate::limits::{
    JOURNAL_INTERVAL_NS, SLEW_BUDGET_NS, SLEW_WINDOW_NS, STEADY_RATE_NS, STEP_THRESHOLD_NS,
};
use crate::sample::{ClockComparison, ClockSample};
use crate::table::{Change, Row, TABLE};

/// A movement of UTC against monotonic time, and the time it took at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Movement {
    pub(super) moved_ns: i128,
    pub(super) within_ns: u64,
    pub(super) signalled: bool,
    pub(super) slept_ns: u64,
    unexplained: bool,
}

impl Movement {
    fn between(earlier: &ClockComparison, later: &ClockComparison) -> Self {
        let moved_ns = later.sample.difference_ns() - earlier.sample.difference_ns();
        let within_ns = later.sample.mono.since(earlier.sample.mono);
        // No slew is among them: CLOCK_MONOTONIC is slewed with CLOCK_REALTIME.
        let reading_ns = u128::from(earlier.sample.read_uncertainty_ns)
            .saturating_add(u128::from(later.sample.read_uncertainty_ns));
        let explained_ns = reading_ns.saturating_add(u128::from(STEP_THRESHOLD_NS));
        let booted_ns = later.boot_ns.saturating_sub(earlier.boot_ns);
        Self {
            moved_ns,
            within_ns,
            signalled: false,
            slept_ns: booted_ns.saturating_sub(within_ns),
            unexplained: moved_ns.unsigned_abs() > explained_ns,
        }
    }

    /// A movement that nobody watched, where it was more than two readings may differ.
    pub(super) fn unwatched(moved_ns: i128, within_ns: u64, now: &ClockSample) -> Option<Self> {
        let coarse_ns = STEP_THRESHOLD_NS.saturating_add(2 * now.read_uncertainty_ns);
        (moved_ns.unsigned_abs() > u128::from(coarse_ns)).then_some(Self {
            moved_ns,
            within_ns,
            ..Self::default()
        })
    }

    pub(super) fn magnitude_ns(&self) -> u64 {
        u64::try_from(self.moved_ns.unsigned_abs()).unwrap_or(u64::MAX)
    }
}

/// A slew of the clock beyond what its frequency correction explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slew {
    pub(super) moved_ns: i128,
    pub(super) within_ns: u64,
}

/// Compares each look with the one before it and with the last map in the journal.
#[derive(Clone, Debug, Default)]
pub(super) struct ClockWatch {
    last: Option<ClockComparison>,
    /// The comparison behind the last map in the journal.
    journalled: Option<ClockComparison>,
    /// How often the kernel's flag may become an entry.
    flag_told: Allowance,
    /// A signal that came with a comparison that could not be used.
    set_pending: bool,
    movement: Movement,
    /// `CLOCK_REALTIME` against the raw clock, in parts per billion, as it is in the long run.
    steady_ppb: Option<i64>,
    /// What the clock was moved by itself beyond that, in all.
    own_ns: i128,
    window: Option<(ClockComparison, i64)>,
    slew: Option<Slew>,
    /// What it was slewed beyond its correction, at the last look and at the one before it.
    stray: [Stray; 2],
}

impl ClockWatch {
    /// The last comparison.
    pub(super) const fn last(&self) -> Option<ClockComparison> {
        self.last
    }

    /// The movement that the last step was.
    pub(super) const fn last_movement(&self) -> Movement {
        self.movement
    }

    /// How far the clock was moved by itself, in nanoseconds and in all, its steady rate taken out.
    pub(super) const fn own_moves_ns(&self) -> i128 {
        self.own_ns
    }

    /// What the clock was slewed beyond its correction.
    pub(super) const fn stray(&self) -> &Stray {
        let [now, _] = &self.stray;
        now
    }

    /// The same at the look before the last one: whatever the last one saw first was so since then at most.
    pub(super) const fn stray_before(&self) -> &Stray {
        let [_, before] = &self.stray;
        before
    }

    /// A slew beyond the budget, told once.
    pub(super) const fn slew_beyond_budget(&mut self) -> Option<Slew> {
        self.slew.take()
    }

    /// The map of this comparison became an entry.
    pub(super) const fn journalled(&mut self, now: &ClockComparison) {
        self.journalled = Some(*now);
    }

    /// Takes a comparison; `None` where it cannot be used.
    pub(super) fn take(&mut self, now: &ClockComparison, clock_set: bool) -> Option<Row> {
        self.set_pending |= clock_set;
        let ahead = self
            .last
            .is_none_or(|last| now.sample.mono > last.sample.mono);
        if !now.sample.is_usable() || !ahead {
            return None;
        }
        let signalled = core::mem::take(&mut self.set_pending);
        let row = self.judge(now, signalled);
        self.slewed(now, row.stepped);
        if let Some(last) = &self.last {
            let [mut stray, _] = self.stray;
            stray.take(last, now);
            self.stray = [stray, *self.stray()];
        }
        self.last = Some(*now);
        Some(row)
    }

    /// The first row of the table that the comparison fits.
    fn judge(&mut self, now: &ClockComparison, signalled: bool) -> Row {
        let flag = |of: &ClockComparison| of.sample.kernel.map(|kernel| kernel.flag_synchronised);
        let flag_differs = self.journalled.is_some_and(|then| flag(&then) != flag(now))
            && self.flag_told.allows(now.sample.mono);
        let since_last = self.last.map(|last| Movement::between(&last, now));
        // Many small moves add up: each stays below the threshold, their sum does not.
        let since_journal = self.journalled.map(|then| Movement::between(&then, now));
        let unexplained = [since_last, since_journal]
            .into_iter()
            .flatten()
            .find(|movement| movement.unexplained);
        let fits = |change: Change| match change {
            Change::Start => self.last.is_none(),
            Change::ClockSet => signalled,
            Change::Step => unexplained.is_some(),
            Change::KernelStatus => flag_differs,
            // Labels are the engine's.
            Change::Label => false,
            Change::Interval => {
                since_journal.is_some_and(|moved| moved.within_ns >= JOURNAL_INTERVAL_NS)
            }
            Change::Steady => true,
        };
        let steady = Row {
            change: Change::Steady,
            stepped: false,
            journal: false,
            event: false,
        };
        let row = TABLE.iter().find(|row| fits(row.change)).copied();
        if row.is_some_and(|row| row.change == Change::KernelStatus) {
            self.flag_told.spend();
        }
        let movement = if signalled { since_last } else { unexplained };
        if let Some(movement) = movement {
            self.movement = Movement {
                signalled,
                ..movement
            };
        }
        row.unwrap_or(steady)
    }

    /// Follows what the clock does against the raw one.
    fn slewed(&mut self, now: &ClockComparison, stepped: bool) {
        let Some(last) = self.last else {
            return;
        };
        let against_raw = |from: &ClockComparison| {
            let utc_ns = i128::from(now.sample.utc.0) - i128::from(from.sample.utc.0);
            utc_ns - (i128::from(now.raw_ns) - i128::from(from.raw_ns))
        };
        let moved_ns = against_raw(&last);
        let within_ns = i128::from(now.sample.mono.since(last.sample.mono)).max(1);
        if stepped {
            self.own_ns += moved_ns;
            self.window = None;
            return;
        }
        let rate_ppb = clamp(moved_ns * 1_000_000_000 / within_ns);
        let steady_ppb = *self.steady_ppb.get_or_insert(rate_ppb);
        self.own_ns += moved_ns - i128::from(steady_ppb) * within_ns / 1_000_000_000;
        let share = within_ns.min(STEADY_RATE_NS.into());
        let towards = i128::from(rate_ppb - steady_ppb) * share / i128::from(STEADY_RATE_NS);
        self.steady_ppb = Some(steady_ppb.saturating_add(clamp(towards)));

        let frequency_ppb = now
            .sample
            .kernel
            .map_or(0, |kernel| kernel.frequency_ppt / 1_000);
        let Some((from, was_ppb)) = self.window else {
            self.window = Some((*now, frequency_ppb));
            return;
        };
        let window_ns = now.sample.mono.since(from.sample.mono);
        if window_ns >= SLEW_WINDOW_NS {
            let explained = i128::from(was_ppb) * i128::from(window_ns) / 1_000_000_000;
            let moved_ns = against_raw(&from) - explained;
            self.window = Some((*now, frequency_ppb));
            if moved_ns.unsigned_abs() > u128::from(SLEW_BUDGET_NS) {
                self.slew = Some(Slew {
                    moved_ns,
                    within_ns: window_ns,
                });
            }
        }
    }
}

fn clamp(value: i128) -> i64 {
    i64::try_from(value.clamp(-1_000_000_000, 1_000_000_000)).unwrap_or(0)
}
