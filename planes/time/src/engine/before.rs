//! A time process that begins while the node runs: it goes on from what was stated before it.

use super::Engine;
use super::anchor::Anchor;
use super::clock::Movement;
use crate::bound::Bound;
use crate::drift::ServoSample;
use crate::sample::ClockComparison;
use crate::states::ClockState;
use evidence::MonoNs;
use evidence::kinds::TimeMap;
use evidence::reasons::{HoldoverReason, TimeQuality};

/// What the recorder knows of this boot from before the process began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// The last statement of this boot.
    pub map: Option<TimeMap>,
    /// Whether the whole node was away since: then nobody's silence ended what was claimed.
    pub node_was_away: bool,
    /// Whether the node has run in this boot before: then a clock that is wrong is not the one it booted with.
    pub ran_in_this_boot: bool,
    /// When SYNCED was first claimed in this boot, in nanoseconds since it began, where that is known.
    pub boot_to_stable_ns: Option<u64>,
}

impl Engine {
    /// Goes on from there: who was SYNCED runs alone until a source is measured again.
    #[must_use]
    pub fn after(mut self, before: Before) -> Self {
        self.counters.boot_to_stable_ns = before.boot_to_stable_ns.unwrap_or(0);
        let quality = before.map.as_ref().map(|map| map.quality);
        if matches!(quality, Some(TimeQuality::Synced | TimeQuality::Holdover)) {
            self.state = ClockState::Holdover;
            self.reason = HoldoverReason::TimePlaneSilent;
        }
        self.before = before;
        self
    }

    /// Tells what has changed since the last statement, at the first look.
    pub(super) fn go_on(&mut self, now: &ClockComparison) {
        let at = now.sample.mono;
        let Some(map) = self.before.map.take().filter(|map| map.as_of <= at) else {
            return;
        };
        let difference_ns = i128::from(map.utc.0) - i128::from(map.as_of.0);
        let moved_ns = now.sample.difference_ns() - difference_ns;
        let within_ns = at.since(map.as_of);
        if let Some(movement) = Movement::unwatched(moved_ns, within_ns, &now.sample) {
            self.counters.steps = self.counters.steps.saturating_add(1);
            self.news.stepped_unwatched(&now.sample, &movement);
        }
        self.anchor = self.carried(&map, moved_ns, now);
        match map.quality {
            TimeQuality::Synced => {
                self.counters.sync_lost = self.counters.sync_lost.saturating_add(1);
                // While nothing ran nothing was claimed: that is no part of a holdover.
                let away = self.before.node_was_away;
                self.holdover_since = Some(if away { at } else { map.valid_until.min(at) });
                let age_ns = at.since(measured_at(&map));
                if self.before.node_was_away {
                    self.news.lost_with_the_node(at, at.since(map.as_of));
                } else {
                    let reason = HoldoverReason::TimePlaneSilent;
                    self.news.lost(at, reason, None, age_ns);
                }
            }
            TimeQuality::Holdover if self.before.node_was_away => self.holdover_since = Some(at),
            // It began when what was measured last had become too old.
            TimeQuality::Holdover => self.holdover_since = Some(measured_at(&map)),
            TimeQuality::RtcOnly => {}
        }
    }

    /// The bound goes on growing from what it was; what was learnt of the oscillator is gone, so that it does as the
    /// declared class may.
    fn carried(&self, map: &TimeMap, moved_ns: i128, now: &ClockComparison) -> Option<Anchor> {
        let asymmetry_ns = map.asymmetry_ns.unwrap_or(0);
        let sample = ServoSample {
            at: measured_at(map),
            ..self.servo(now, false)
        };
        let initial_ns = map.bound_ns?.saturating_sub(asymmetry_ns);
        Some(Anchor {
            measured: None,
            stepped_ns: u64::try_from(moved_ns.unsigned_abs()).unwrap_or(u64::MAX),
            stray: *self.clock.stray_before(),
            bound: Bound::new(&sample, initial_ns, asymmetry_ns, self.learner.growth()),
        })
    }
}

/// When the bound of a statement was measured: what grew since is in it, and grows on from there.
fn measured_at(map: &TimeMap) -> MonoNs {
    MonoNs(map.as_of.0.saturating_sub(map.sync_age_ns.unwrap_or(0)))
}
