//! Does a figure stand still, jump or run? Told from the medians of four stretches of its last values.

use super::table::Motion;
use crate::limits::{MOTION_FLOOR_NS, MOTION_PASSED, MOTION_POINTS_MAX, MOTION_POINTS_MIN};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// The last values of one figure, in nanoseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    values_ns: VecDeque<i128>,
    /// Values since it was empty that were passed over.
    passed: usize,
    /// Values that were kept in all, forgotten ones among them.
    taken: usize,
}

/// What the last values show, and by how much they moved in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) motion: Motion,
    pub(crate) by_ns: i128,
    /// The level of the oldest values, and of the newest.
    pub(crate) from_ns: i128,
    pub(crate) to_ns: i128,
    /// What is no movement.
    pub(crate) noise_ns: i128,
    /// Whether the largest step is the newest: a jump enters there, the tail of a drift leaves at the other end.
    pub(crate) is_newest: bool,
}

impl Moved {
    /// Whether these values stand where `before` stood at first: what moved has come back.
    pub(crate) fn is_back_at(&self, before_ns: i128) -> bool {
        (self.to_ns - before_ns).abs() <= self.noise_ns
    }
}

impl Track {
    /// Takes a value; the oldest leaves.
    ///
    /// The first few are passed over: a daemon that has just begun, or follows another master, measures its path with
    /// its first messages, and each corrects the offset.
    pub(crate) fn push(&mut self, value_ns: i128) {
        if self.passed < MOTION_PASSED {
            self.passed += 1;
            return;
        }
        if self.values_ns.len() >= MOTION_POINTS_MAX {
            self.values_ns.pop_front();
        }
        self.values_ns.push_back(value_ns);
        self.taken = self.taken.wrapping_add(1);
    }

    /// How many values it has taken in all; only differences of it say something.
    pub(crate) const fn taken(&self) -> usize {
        self.taken
    }

    /// Forgets what was before the newest values, after a jump that was told.
    pub(crate) fn settle(&mut self) {
        let keep = MOTION_POINTS_MIN / 4;
        let surplus = self.values_ns.len().saturating_sub(keep);
        self.values_ns.drain(..surplus);
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.values_ns.clear();
        self.passed = 0;
    }

    /// The median distance of the values from their median, once there are enough of them.
    pub(crate) fn spread_ns(&self) -> Option<u64> {
        if self.values_ns.len() < MOTION_POINTS_MIN {
            return None;
        }
        let values: Vec<i128> = self.values_ns.iter().copied().collect();
        u64::try_from(spread(&values, median(&values))).ok()
    }

    /// What the values show.
    pub(crate) fn moved(&self) -> Moved {
        let unknown = Moved {
            motion: Motion::Unknown,
            by_ns: 0,
            from_ns: 0,
            to_ns: 0,
            // Nothing is within it: of too few values nothing is said.
            noise_ns: -1,
            is_newest: false,
        };
        let length = self.values_ns.len();
        if length < MOTION_POINTS_MIN {
            return unknown;
        }
        let values: Vec<i128> = self.values_ns.iter().copied().collect();
        let stretches: Vec<&[i128]> = values.chunks(length.div_ceil(4)).collect();
        let levels: Vec<i128> = stretches.iter().map(|stretch| median(stretch)).collect();
        // A jump is in one stretch alone, and in one difference between neighbours; a drift is in none of these.
        let spreads = stretches.iter().zip(&levels);
        let quietest = spreads
            .map(|(stretch, level)| spread(stretch, *level))
            .min()
            .unwrap_or(0);
        let pairs = values.iter().zip(values.iter().skip(1));
        let differences: Vec<i128> = pairs.map(|(one, next)| next - one).collect();
        let scatter = spread(&differences, median(&differences));
        // Four to five standard deviations either way: a difference scatters 1.4 times as much as a value.
        let noise_ns = quietest
            .saturating_mul(6)
            .max(scatter.saturating_mul(4))
            .max(i128::from(MOTION_FLOOR_NS));
        let steps: Vec<i128> = levels
            .iter()
            .zip(levels.iter().skip(1))
            .map(|(before, after)| after - before)
            .collect();
        let by_ns: i128 = steps.iter().sum();
        let largest = steps.iter().map(|step| step.abs()).max().unwrap_or(0);
        let motion = if largest.max(by_ns.abs()) <= noise_ns {
            Motion::Steady
        } else if by_ns.abs() > noise_ns
            && (by_ns.abs() * 7..=by_ns.abs() * 13).contains(&(largest * 10))
        {
            // One step is nearly all of it: what went there and came back is none.
            Motion::Jumped
        } else if steps.iter().all(|step| step.signum() == by_ns.signum()) {
            Motion::Drifting
        } else {
            Motion::Unknown
        };
        Moved {
            motion,
            by_ns,
            from_ns: levels.first().copied().unwrap_or(0),
            to_ns: levels.last().copied().unwrap_or(0),
            noise_ns,
            is_newest: steps.last().is_some_and(|step| step.abs() == largest),
        }
    }
}

fn median(values: &[i128]) -> i128 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

/// The median distance from the level.
fn spread(values: &[i128], level: i128) -> i128 {
    let distances: Vec<i128> = values.iter().map(|value| (value - level).abs()).collect();
    median(&distances)
}
