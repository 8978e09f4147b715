//! A bound as a straight line: what a TimeMap carries.

use super::{Bound, seconds, whole_ns};
use crate::limits::{LAGS, TEMPERATURE_FRESH_NS, UNSEEN_SWING_MILLIDEGREES_PER_H};
use evidence::MonoNs;

/// A straight line above a bound, in the fields of a TimeMap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The instant at which it begins (`as_of`).
    pub from: MonoNs,
    /// The bound at that instant.
    pub bound_ns: u64,
    /// Its growth, in parts per billion of elapsed time.
    pub bound_growth_ppb: u32,
}

impl Bound {
    /// A line that is nowhere below the bound from `from` to `through`, and allows for what the
    /// temperature may still do on the way.
    ///
    /// Where stamps may be taken from a map that is late, `through` belongs behind its `valid_until`:
    /// behind `through` the bound may be steeper than the line. Between two of its knots the bound is
    /// convex, so a line that is above it at the knots is above it everywhere.
    #[must_use]
    pub fn line(&self, from: MonoNs, through: MonoNs) -> Line {
        let from = from.max(self.known_until);
        let through = through.max(from.plus_ns(SHORTEST_NS));
        let mut growth_ppb = self.chord_ppb(from, through);
        for knot in self.knots() {
            if knot.since(from) > NEAREST_KNOT_NS && knot < through {
                growth_ppb = growth_ppb.max(self.chord_ppb(from, knot));
            }
        }
        Line {
            from,
            bound_ns: self.parts(from).total_ns().saturating_add(ROUNDING_NS),
            bound_growth_ppb: u32::try_from(whole_ns(growth_ppb)).unwrap_or(u32::MAX),
        }
    }

    /// Instants at which the bound may bend downwards, and the one at which the sensor falls silent.
    fn knots(&self) -> impl Iterator<Item = MonoNs> {
        let silent = self
            .temperature
            .map(|(read_at, _)| read_at.plus_ns(TEMPERATURE_FRESH_NS));
        (0..LAGS)
            .map(|lag| self.measured_at.plus_ns(1_000_000_000 << lag))
            .chain(silent)
    }

    /// The mean growth from one instant to another, in nanoseconds a second.
    fn chord_ppb(&self, from: MonoNs, to: MonoNs) -> f64 {
        let length_s = seconds(to.since(from));
        let rate_k_per_s = f64::from(UNSEEN_SWING_MILLIDEGREES_PER_H) / 1_000.0 / 3_600.0;
        let warming_ppb = 0.5 * self.growth.slope_ppt_per_k() * rate_k_per_s * length_s / 1_000.0;
        (self.grown_ns(to) - self.grown_ns(from)) / length_s + warming_ppb
    }
}

/// Parts are rounded upwards each by itself, three of them grow; a TimeMap rounds its growth down.
const ROUNDING_NS: u64 = 5;
/// No line is shorter.
const SHORTEST_NS: u64 = 1_000_000_000;
/// A knot nearer than this cannot lift the bound above the line by a nanosecond.
const NEAREST_KNOT_NS: u64 = 1_000;
const _: () = assert!(LAGS < 34, "the longest lag fits nanoseconds");
