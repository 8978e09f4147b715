//! How failures of a process or a port are met: wait, quarantine, cool-down, each a table.

use std::fmt;

/// Waits before a restart, by strikes so far.
pub(crate) const BACKOFF_MS: &[u64] = &[100, 200, 400, 800, 1_600];
/// Whatever ends within this time after its start did not get to work: that is a strike.
pub(crate) const EARLY_MS: u64 = 3_000;
/// Whoever ran this long before it ended begins anew without strikes.
pub(crate) const STABLE_MS: u64 = 30_000;
/// The same for whoever had to be ended: a leak takes its time.
pub(crate) const STABLE_ENDED_MS: u64 = 600_000;

/// Why a process or a port runs no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It left by itself.
    Exited(i32),
    /// A signal ended it.
    Killed(i32),
    /// It gave no sign of life for so many milliseconds.
    Silent(u64),
    /// It held so many bytes.
    OverMemory(u64),
    /// It could not be started, or ended by a fault of this program.
    Fault(String),
}

impl Failure {
    /// Whether the supervisor had to end it.
    const fn was_ended(&self) -> bool {
        matches!(self, Self::Silent(_) | Self::OverMemory(_))
    }

    /// Whether it counts against it, after it ran so long.
    const fn is_strike(&self, ran_ms: u64) -> bool {
        match self {
            Self::Silent(_) | Self::OverMemory(_) => true,
            Self::Exited(_) | Self::Killed(_) | Self::Fault(_) => ran_ms < EARLY_MS,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit code {code}"),
            Self::Killed(signal) => write!(f, "signal {signal}"),
            Self::Silent(ms) => write!(f, "no sign of life for {ms} ms"),
            Self::OverMemory(bytes) => write!(f, "{} MiB of memory", bytes >> 20),
            Self::Fault(words) => f.write_str(words),
        }
    }
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is started again after a wait.
    Restart { after_ms: u64 },
    /// It is held back.
    Quarantine { for_ms: u64 },
}

/// The failures of one process or port.
#[derive(Clone, Debug)]
pub(crate) struct Career {
    strikes: usize,
    quarantines: usize,
    /// How long it is held back, by quarantines so far; the last stands for all that follow.
    cool_down_ms: &'static [u64],
}

impl Career {
    /// No failures yet.
    pub(crate) const fn new(cool_down_ms: &'static [u64]) -> Self {
        Self {
            strikes: 0,
            quarantines: 0,
            cool_down_ms,
        }
    }

    /// Judges a failure after a run of so many milliseconds.
    pub(crate) fn failed(&mut self, failure: &Failure, ran_ms: u64) -> Verdict {
        let stable_ms = if failure.was_ended() {
            STABLE_ENDED_MS
        } else {
            STABLE_MS
        };
        if ran_ms >= stable_ms {
            *self = Self::new(self.cool_down_ms);
        }
        let waits = BACKOFF_MS.get(self.strikes).copied();
        if failure.is_strike(ran_ms) {
            self.strikes += 1;
        }
        match waits {
            Some(after_ms) if self.strikes < BACKOFF_MS.len() => Verdict::Restart { after_ms },
            _ => {
                let last = self.cool_down_ms.last().copied();
                let for_ms = self.cool_down_ms.get(self.quarantines).copied().or(last);
                self.quarantines += 1;
                // After it one try, not five.
                self.strikes = BACKOFF_MS.len() - 1;
                Verdict::Quarantine {
                    for_ms: for_ms.unwrap_or(STABLE_MS),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BACKOFF_MS, Career, Failure, STABLE_ENDED_MS, STABLE_MS, Verdict};

    const COOL_DOWN: &[u64] = &[15_000, 60_000];

    fn restart(after_ms: u64) -> Verdict {
        Verdict::Restart { after_ms }
    }

    fn quarantine(for_ms: u64) -> Verdict {
        Verdict::Quarantine { for_ms }
    }

    fn check(runs: &[(Failure, u64, Verdict)]) {
        let mut career = Career::new(COOL_DOWN);
        for (place, (failure, ran_ms, verdict)) in runs.iter().enumerate() {
            let found = career.failed(failure, *ran_ms);
            assert_eq!(found, *verdict, "run {place}: {failure} after {ran_ms} ms");
        }
    }

    //= R10.5
    #[test]
    fn a_crash_loop_waits_longer_and_longer_then_is_held_back_and_tried_once() {
        let died = |ran, verdict| (Failure::Exited(3), ran, verdict);
        check(&[
            died(10, restart(100)),
            died(10, restart(200)),
            died(10, restart(400)),
            died(10, restart(800)),
            died(10, quarantine(15_000)),
            died(10, quarantine(60_000)),
            died(10, quarantine(60_000)),
            died(STABLE_MS, restart(100)),
        ]);
        assert_eq!(BACKOFF_MS.len(), 5);
    }

    #[test]
    fn one_that_got_to_work_is_restarted_at_once_however_often_it_is_killed() {
        let killed = (Failure::Killed(9), 5_000, restart(100));
        check(&vec![killed; 50]);
    }

    //= R10.4
    #[test]
    fn hangs_and_leaks_count_however_long_they_took() {
        let hung = |ran, verdict| (Failure::Silent(15_000), ran, verdict);
        let leaked = |ran, verdict| (Failure::OverMemory(1 << 30), ran, verdict);
        check(&[
            hung(20_000, restart(100)),
            leaked(90_000, restart(200)),
            hung(20_000, restart(400)),
            leaked(STABLE_MS, restart(800)),
            hung(20_000, quarantine(15_000)),
            leaked(STABLE_ENDED_MS, restart(100)),
        ]);
    }
}
