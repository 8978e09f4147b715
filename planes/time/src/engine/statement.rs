//! A statement: what the recorder stamps with until the next one.

use super::Engine;
use super::claims;
use crate::arbiter::gap_ns;
use crate::bound::BoundParts;
use crate::drift::drift_budget;
use crate::fresh::Measurement;
use crate::sample::ClockComparison;
use crate::states::ClockState;
use crate::table::offset_bucket;
use alloc::string::String;
use evidence::kinds::TimeMap;
use evidence::limits::{LATE_STAMPS_NS, STATEMENT_VALID_NS};
use evidence::{MonoNs, TimeDetail};

impl Engine {
    /// The map of a comparison, `held` being the measurement that holds the clock.
    pub(super) fn map(&self, now: &ClockComparison, held: Option<&Measurement>) -> TimeMap {
        let at = now.sample.mono;
        let (quality, status) = self.state.label();
        let valid = at.plus_ns(STATEMENT_VALID_NS);
        let valid_until = match (self.state, held) {
            (ClockState::Locked, Some(measured)) => valid.min(self.claimed_until(measured, at)),
            _ => valid,
        };
        let parts = self.bound_parts(at);
        // Stamps may be taken from a map that is late: the line holds for a while behind its end.
        let line = self.anchor.as_ref().map(|anchor| {
            let line = anchor.bound.line(at, valid_until.plus_ns(LATE_STAMPS_NS));
            let moved_ns = parts.map_or(0, |(_, moved_ns)| moved_ns);
            let strays_ppb = self.clock.stray().rate_ppb(self.clock.stray_before());
            (
                line.bound_ns.saturating_add(moved_ns),
                line.bound_growth_ppb.saturating_add(strays_ppb),
            )
        });
        let part = |of: fn(&BoundParts) -> u64| parts.as_ref().map(|(parts, _)| of(parts));
        TimeMap {
            at,
            as_of: at,
            utc: now.sample.utc,
            quality,
            status,
            bound_ns: line.map(|(bound_ns, _)| bound_ns),
            bound_growth_ppb: line.map_or(0, |(_, growth_ppb)| growth_ppb),
            valid_until,
            detail: held.map_or(TimeDetail::Holdover(self.reason), |measured| {
                TimeDetail::Offset(offset_bucket(measured.offset_ns.unsigned_abs()))
            }),
            basis: self.basis(now),
            initial_ns: parts
                .as_ref()
                .map(|(parts, moved_ns)| parts.initial_ns.saturating_add(*moved_ns)),
            frequency_ns: part(|parts| parts.frequency_ns),
            temperature_ns: part(|parts| parts.temperature_ns),
            ageing_ns: part(|parts| parts.ageing_ns),
            asymmetry_ns: part(|parts| parts.asymmetry_ns),
            drift_budget: self
                .bound_ns(at)
                .map(|bound_ns| drift_budget(Some(bound_ns), self.policy.limit_ns)),
            sync_age_ns: self.last_sync_age_ns(at),
        }
    }

    /// What stamps rest on, in words.
    pub(super) fn source_basis(&self) -> Option<String> {
        let measured = self.anchor.as_ref()?.measured?;
        self.sources.basis(&measured)
    }

    fn basis(&self, now: &ClockComparison) -> String {
        let flag = now.sample.kernel.map(|kernel| kernel.flag_synchronised);
        let unmeasured = || String::from(claims::unmeasured(flag));
        self.source_basis().unwrap_or_else(unmeasured)
    }

    /// A claim ends with the freshness of what it rests on, even if nobody says another word. It rests on
    /// every source that would hold it on as well: where the best of them falls silent, stamps between
    /// that moment and the next look are no worse than those behind it.
    fn claimed_until(&self, held: &Measurement, at: MonoNs) -> MonoNs {
        let carries = |other: &Measurement| {
            gap_ns(held, other) == 0 && other.bound_ns() <= self.policy.limit_ns
        };
        let fresh = self.sources.fresh(at);
        let others = fresh.iter().filter(|other| carries(other));
        others
            .map(Measurement::fresh_until)
            .fold(held.fresh_until(), MonoNs::max)
    }
}
