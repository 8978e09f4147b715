//! Whether the clock is steered: its offsets stay where they are.
//!
//! A daemon that only measures leaves the kernel's correction as it is, and a correction that stands still
//! looks like that of a perfect oscillator. What tells the two apart is the offset: it runs away.

use crate::fresh::Measurement;
use crate::limits::{
    SLEW_PPB_MAX, STEADY_FLOOR_NS, STEADY_MEASUREMENTS_MIN, STEADY_NOISE_FACTOR, STEADY_NOISE_OF,
    STEADY_WINDOW_NS,
};
use crate::reading::SourceKind;
use evidence::MonoNs;

/// Measurements whose mean counts as one.
const MEAN_OF: usize = 4;
/// Means over which a jump is told from a drift.
const JUMP_OF: usize = 8;
/// The fastest that a clock runs away, in parts per trillion.
#[expect(clippy::as_conversions, reason = "no wider conversion is const")]
const RUNAWAY_PPT_MAX: i128 = SLEW_PPB_MAX as i128 * 1_000;

/// The mean of a few offsets, and when they were taken.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: MonoNs,
    offset_ns: i64,
}

/// The offsets of one source since they last ran away.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steering {
    first: Option<Mark>,
    /// The next that takes its place, and how many were measured since.
    second: Option<(Mark, u32)>,
    newest: [Option<Measurement>; MEAN_OF],
    /// The means before now, the newest first: whether a movement is of just now.
    before: [Option<Mark>; JUMP_OF],
    count: u32,
    /// How far one offset is from the next, on the average over the last, in nanoseconds.
    noise_ns: u64,
    /// Over so many.
    noise_of: u64,
    /// How fast they ran away, in parts per trillion, until they are seen to stay.
    runaway_ppt: Option<i64>,
}

/// Those of all sources that measure.
#[derive(Clone, Debug, Default)]
pub(super) struct Steerings {
    ptp: Steering,
    chrony: Steering,
    other: Steering,
}

impl Steerings {
    /// That of one source.
    pub(super) const fn of(&mut self, source: SourceKind) -> &mut Steering {
        match source {
            SourceKind::Ptp => &mut self.ptp,
            SourceKind::Chrony => &mut self.chrony,
            SourceKind::Offered | SourceKind::Rtc | SourceKind::CardClock | SourceKind::Thermal => {
                &mut self.other
            }
        }
    }

    /// The clock was moved: its offsets begin anew. How fast it runs away stays known.
    pub(super) fn restart(&mut self) {
        for of in [&mut self.ptp, &mut self.chrony, &mut self.other] {
            of.restart();
        }
    }
}

impl Steering {
    /// Takes a new measurement.
    pub(super) fn observe(&mut self, measured: &Measurement) {
        let [newest, ..] = &self.newest;
        if let Some(newest) = newest {
            let by_ns = measured.offset_ns.abs_diff(newest.offset_ns);
            self.noise_of = (self.noise_of + 1).min(STEADY_NOISE_OF);
            let kept_ns = u128::from(self.noise_ns) * u128::from(self.noise_of - 1);
            let mean_ns = (kept_ns + u128::from(by_ns)) / u128::from(self.noise_of);
            self.noise_ns = u64::try_from(mean_ns).unwrap_or(u64::MAX);
        }
        self.newest.rotate_right(1);
        if let Some(newest) = self.newest.first_mut() {
            *newest = Some(*measured);
        }
        self.count = self.count.saturating_add(1);
        let Some(now) = self.mean() else {
            return;
        };
        let first = *self.first.get_or_insert(now);
        self.before.rotate_right(1);
        if let Some(before) = self.before.first_mut() {
            *before = Some(now);
        }
        let (second, since) = self.second.get_or_insert((now, 0));
        *since = since.saturating_add(1);
        let is_due = now.at.since(second.at) >= STEADY_WINDOW_NS;
        if is_due && *since >= STEADY_MEASUREMENTS_MIN {
            self.first = Some(*second);
            self.second = Some((now, 0));
        }
        let by_ns = i128::from(now.offset_ns) - i128::from(first.offset_ns);
        let allowed_ns = self
            .noise_ns
            .saturating_mul(STEADY_NOISE_FACTOR)
            .saturating_add(STEADY_FLOOR_NS);
        let within_ns = i128::from(now.at.since(first.at));
        if by_ns.unsigned_abs() > u128::from(allowed_ns) && within_ns > 0 {
            // What is faster was a jump.
            let within_ns = self.moving_ns(first, now);
            let rate_ppt = by_ns * 1_000_000_000_000 / within_ns;
            let rate_ppt = rate_ppt.clamp(-RUNAWAY_PPT_MAX, RUNAWAY_PPT_MAX);
            self.restart();
            self.runaway_ppt = i64::try_from(rate_ppt).ok();
        } else if let Some(rate_ppt) = self.runaway_ppt {
            // At that rate they would have run away twice by now.
            let would_ns = u128::from(rate_ppt.unsigned_abs()) * within_ns.unsigned_abs();
            let twice_ns = u128::from(allowed_ns).saturating_mul(2);
            if would_ns / 1_000_000_000_000 > twice_ns {
                self.runaway_ppt = None;
            }
        }
    }

    /// Whether so many offsets stayed where they were that the clock counts as steered.
    pub(super) const fn is_steady(&self) -> bool {
        self.count >= STEADY_MEASUREMENTS_MIN && self.runaway_ppt.is_none()
    }

    /// How fast the clock ran away from its source, in parts per trillion, fast positive; `None` where it
    /// was not seen to, or stays since.
    pub(super) const fn runaway_ppt(&self) -> Option<i64> {
        self.runaway_ppt
    }

    const fn restart(&mut self) {
        self.first = None;
        self.second = None;
        self.newest = [None; MEAN_OF];
        self.before = [None; JUMP_OF];
        self.count = 0;
    }

    /// For how long the offsets have moved, in nanoseconds: since the first of them, or since a moment ago
    /// where they had not moved a quarter of the way by then.
    fn moving_ns(&self, first: Mark, now: Mark) -> i128 {
        let recent = self.before.last().copied().flatten().unwrap_or(first);
        let by_then_ns = recent.offset_ns.abs_diff(first.offset_ns);
        let jumped = by_then_ns < now.offset_ns.abs_diff(first.offset_ns) / 4;
        let from = if jumped { recent } else { first };
        i128::from(now.at.since(from.at)).max(1)
    }

    fn mean(&self) -> Option<Mark> {
        let [a, b, c, d] = self.newest;
        let (a, b, c, d) = (a?, b?, c?, d?);
        let sum_ns: i128 = [a, b, c, d].iter().map(|of| i128::from(of.offset_ns)).sum();
        Some(Mark {
            at: b.taken,
            offset_ns: i64::try_from(sum_ns / 4).ok()?,
        })
    }
}
