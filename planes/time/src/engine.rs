//! The engine: readings and clock comparisons in, one statement out.

mod anchor;
mod before;
mod claims;
mod clock;
mod idle;
mod news;
mod offered;
mod repeats;
mod rtc;
mod sources;
mod standings;
mod statement;
mod steering;
mod steps;
mod stray;

use crate::arbiter::{Ruling, rule};
use crate::bound::whole_ns;
use crate::causes::LocalMove;
use crate::drift::{Learner, OscillatorClass, RtcEstimate};
use crate::fresh::{ChronyPolicy, Measurement, PtpPolicy};
use crate::limits::{
    BEGINNING_NS, LOSSES_FREE, LOSSES_MAX, LOSSES_WINDOW_NS, RELEASE_PERCENT, SETTLED_MEASUREMENTS,
};
use crate::reading::{Fault, Observation, SourceKind};
use crate::sample::ClockComparison;
use crate::states::{ClockState, Crossing, Finding, crossing, next};
use crate::table::{Change, Row};
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use anchor::Anchor;
pub use before::Before;
use clock::ClockWatch;
use evidence::kinds::{Event, TimeMap};
use evidence::reasons::{EventCode, HoldoverReason};
use evidence::{MonoNs, SourceId, UtcNs};
use news::News;
pub use offered::{OfferPolicy, OfferSource, OfferVerdict, ToHand};
pub use sources::PtpHealth;
use sources::Sources;
use steering::Steerings;
use steps::Steps;

/// What the site says of its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// SYNCED is claimed while the error bound is within this, in nanoseconds.
    pub limit_ns: u64,
    /// What is declared of the oscillator, until it has been seen at work.
    pub oscillator: OscillatorClass,
    /// ptp4l.
    pub ptp: PtpPolicy,
    /// chronyd.
    pub chrony: ChronyPolicy,
    /// Times that others send.
    pub offered: OfferPolicy,
    /// No sound clock stands before this: the last committed time, or when the program was built.
    pub floor: UtcNs,
}

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

/// Counts since the process started (A8.2, A8.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Comparisons that made a statement.
    pub samples: u64,
    /// Comparisons not used: readings too far apart, or monotonic time not ahead of the last.
    pub samples_rejected: u64,
    /// Steps of the node's clock (`step_adjust_cnt`).
    pub steps: u64,
    /// `sync_acquired_cnt`.
    pub sync_acquired: u64,
    /// `sync_lost_cnt`, which is `holdover_enter_cnt` too: a claim that ends is a holdover that begins.
    pub sync_lost: u64,
    /// Nanoseconds in holdovers that have ended (`holdover_duration`).
    pub holdover_ns: u64,
    /// Events that found no room.
    pub events_dropped: u64,
    /// Nanoseconds since boot when SYNCED was first claimed (`boot_to_stable`); 0 where it never was.
    pub boot_to_stable_ns: u64,
}

/// Judges sources and clocks, and says what a stamp may claim.
#[derive(Clone, Debug)]
pub struct Engine {
    policy: Policy,
    clock: ClockWatch,
    /// The comparison that nothing was concluded from yet.
    compared: Option<(ClockComparison, Row)>,
    sources: Sources,
    news: News,
    steps: Steps,
    state: ClockState,
    reason: HoldoverReason,
    anchor: Option<Anchor>,
    learner: Learner,
    steerings: Steerings,
    holdover_since: Option<MonoNs>,
    before: Before,
    /// The first comparison.
    began: Option<MonoNs>,
    /// Whose measurement the newest map in the log rests on.
    journalled: Option<SourceKind>,
    /// When SYNCED was lost the last times.
    losses: VecDeque<MonoNs>,
    disputed: bool,
    /// Looks since a source holds the clock at which the kernel did not say how it corrects it.
    unasked: u64,
    counters: Counters,
}

impl Engine {
    /// An engine that has seen nothing yet; its events name `source`.
    #[must_use]
    pub fn new(source: SourceId, policy: Policy) -> Self {
        Self {
            clock: ClockWatch::default(),
            compared: None,
            sources: Sources::new(&policy),
            learner: Learner::new(policy.oscillator),
            steerings: Steerings::default(),
            news: News::new(source),
            steps: Steps::default(),
            policy,
            state: ClockState::FreeRunning,
            reason: HoldoverReason::NeverSynchronised,
            anchor: None,
            holdover_since: None,
            before: Before::default(),
            began: None,
            journalled: None,
            losses: VecDeque::new(),
            disputed: false,
            unasked: 0,
            counters: Counters::default(),
        }
    }

    /// Events of these sources name where they are read: their sockets and devices.
    #[must_use]
    pub fn naming(mut self, places: Vec<(SourceKind, String)>) -> Self {
        self.news.name_places(places);
        self
    }

    /// Times from outside that the policy took, for the daemon that steers the clock; none while that
    /// daemon has failed and is not due for another try.
    pub fn take_offers(&mut self) -> Vec<ToHand> {
        let now = self.now();
        self.sources.take_offers(now)
    }

    /// What became of one of them. It is told in the next statement.
    pub fn handed(&mut self, sample: &ToHand, outcome: Result<(), Fault>) {
        let now = self.now();
        self.sources.handed(now, sample, outcome, &mut self.news);
    }

    /// Why the daemon takes no times from outside now.
    #[must_use]
    pub fn handover_fault(&self) -> Option<&Fault> {
        self.sources.handover_fault()
    }

    /// Times from outside that were lost before they came here.
    pub fn offers_lost(&mut self, count: u64) {
        let now = self.now();
        self.sources.offers_lost(now, count, &mut self.news);
    }

    fn now(&self) -> MonoNs {
        self.clock.last().map_or(MonoNs(0), |now| now.sample.mono)
    }

    /// Takes what was seen of a source. What follows from it is in the next statement.
    pub fn note(&mut self, seen: &Observation) {
        if let Some(now) = self.clock.last() {
            let own_ns = self.clock.own_moves_ns();
            self.sources.note(seen, &now.sample, own_ns, &mut self.news);
        }
    }

    /// Takes a comparison of the clocks. `clock_set` says that the kernel signalled since the last one that
    /// the clock was set. `false` for one that says nothing: behind that nothing is noted, and nothing handed over,
    /// for all of it would be judged by the clock of an earlier look.
    ///
    /// It comes before [`Self::note`], so that no reading is judged by a clock that has moved since, and
    /// [`Self::conclude`] behind that, so that a statement rests on what was just seen.
    #[must_use = "behind a look that was refused nothing may be noted or handed over"]
    pub fn compare(&mut self, now: &ClockComparison, clock_set: bool) -> bool {
        let Some(row) = self.clock.take(now, clock_set) else {
            self.counters.samples_rejected = self.counters.samples_rejected.saturating_add(1);
            return false;
        };
        self.counters.samples = self.counters.samples.saturating_add(1);
        if row.change == Change::Start {
            self.began = Some(now.sample.mono);
            self.go_on(now);
            if now.sample.utc < self.policy.floor {
                let booted = !self.before.ran_in_this_boot;
                self.news.floored(&now.sample, self.policy.floor, booted);
            }
        }
        if row.stepped {
            self.step(now, &row);
        }
        if let Some(slew) = self.clock.slew_beyond_budget() {
            // What is slewed now was measured in this stretch or in the one before it.
            let since = MonoNs(now.sample.mono.0.saturating_sub(2 * slew.within_ns));
            let updates = self.sources.updates();
            let made_good = updates.and_then(|of| of.made_good(slew.moved_ns, since));
            let off_ns = self.corrected_ns();
            self.news
                .slewed(now.sample.mono, slew, made_good.or(off_ns));
        }
        self.compared = Some((*now, row));
        true
    }

    /// What follows from the last comparison and what was noted since; `None` where it was concluded
    /// already, or said nothing. The last statement then runs out by itself.
    pub fn conclude(&mut self) -> Option<Statement> {
        let (now, mut row) = self.compared.take()?;
        let daemons = self.sources.steering();
        self.steps.answer(now.sample.mono, &daemons, &mut self.news);
        let (finding, held) = self.find(&now);
        self.learn(&now, held.as_ref());
        if self.go(now.sample.mono, finding) && !row.journal {
            row = Row {
                change: Change::Label,
                stepped: false,
                journal: true,
                event: false,
            };
        }
        row.journal |= self.rests_elsewhere(now.sample.mono, held.as_ref());
        if row.journal {
            self.clock.journalled(&now);
            self.journalled = held.map(|held| held.source);
        }
        let (events, dropped) = self.news.take(now.sample.mono);
        self.counters.events_dropped = self.counters.events_dropped.saturating_add(dropped);
        Some(Statement {
            map: self.map(&now, held.as_ref()),
            change: row.change,
            journal: row.journal,
            events,
        })
    }

    /// Whether the clock is held by another source than the log says, which is fresh no more: of two that agree the
    /// better one may change at every look.
    fn rests_elsewhere(&self, at: MonoNs, held: Option<&Measurement>) -> bool {
        let (Some(known), Some(held)) = (self.journalled, held) else {
            return false;
        };
        let fresh = self.sources.fresh(at);
        held.source != known && !fresh.iter().any(|one| one.source == known)
    }

    /// Counts since the process started.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// What is known of the clock.
    #[must_use]
    pub const fn state(&self) -> ClockState {
        self.state
    }

    /// How fast the real-time clock runs against the kernel's (A8.1).
    #[must_use]
    pub fn rtc_drift(&self) -> Option<RtcEstimate> {
        self.sources.rtc().estimate()
    }

    /// What ptp4l showed at its last look (R7.2); `None` where it is not read, or did not answer.
    #[must_use]
    pub fn ptp_health(&self) -> Option<&PtpHealth> {
        self.sources.ptp_health()
    }

    /// How far the clock is taken to run away by itself in an hour, in nanoseconds, from what is declared of its
    /// oscillator and what was seen of it (R7.3).
    #[must_use]
    pub fn hourly_wander_ns(&self) -> u64 {
        whole_ns(self.learner.growth().wander_ns(3_600.0))
    }

    /// Whether the real-time clock says that its time holds; `None` where it cannot be read.
    #[must_use]
    pub const fn rtc_valid(&self) -> Option<bool> {
        self.sources.rtc().is_valid()
    }

    /// The clock was moved: what was measured before it is void, and how far it moved adds to the bound.
    fn step(&mut self, now: &ClockComparison, row: &Row) {
        let movement = self.clock.last_movement();
        let off_ns = self.corrected_ns();
        if row.event {
            self.counters.steps = self.counters.steps.saturating_add(1);
            let seen = LocalMove {
                moved_ns: movement.moved_ns,
                signalled: movement.signalled,
                slept_ns: movement.slept_ns,
                offset_before_ns: off_ns,
                handed_ns: self.sources.take_handed(),
                leaps: self.sources.leaps(),
            };
            let answers = !self.sources.steering().is_empty();
            self.steps
                .take(&now.sample, movement, seen, answers, &mut self.news);
        }
        if let Some(anchor) = &mut self.anchor {
            anchor.stepped_ns = anchor.stepped_ns.saturating_add(movement.magnitude_ns());
        }
        self.steerings.restart();
        self.sources.void(now.sample.mono, movement.moved_ns);
    }

    /// What the sources show together, and the measurement that holds the clock.
    fn find(&mut self, now: &ClockComparison) -> (Finding, Option<Measurement>) {
        let at = now.sample.mono;
        let ruling = rule(&self.sources.fresh(at));
        self.tell_dispute(at, ruling);
        match ruling {
            Ruling::Disputed { .. } => (Finding::Disputed, None),
            Ruling::Held(measured) => {
                self.hold(measured, now);
                let settled = self.sources.in_a_row(measured.source) >= self.settles_with(at);
                // The site's limit holds for who has yet to settle too.
                let finding = if self.bound_ns(at) > Some(self.limit_ns()) {
                    Finding::Coarse
                } else if settled {
                    Finding::Good
                } else {
                    Finding::Settling
                };
                (finding, Some(measured))
            }
            Ruling::None if self.sources.is_void() => (Finding::Stepped, None),
            Ruling::None if self.sources.rejects() => (Finding::Rejected, None),
            Ruling::None if self.has_just_begun(at) => (Finding::Away, None),
            Ruling::None if self.anchor.is_some() || self.state.was_locked() => {
                (Finding::Lost, None)
            }
            Ruling::None => (Finding::Never, None),
        }
    }

    /// Whether another process held the clock, and this one has had no time to hear of any source.
    fn has_just_begun(&self, at: MonoNs) -> bool {
        let carried = self.anchor.as_ref().map_or_else(
            || self.state.was_locked(),
            |anchor| anchor.measured.is_none() && self.state.was_locked(),
        );
        let young = self
            .began
            .is_some_and(|began| at.since(began) < BEGINNING_NS);
        carried && young && !self.sources.is_any_down()
    }

    /// How many measurements settle a clock now: twice as many with each loss of late, so that a source that comes
    /// and goes does not take the label with it every time.
    fn settles_with(&self, now: MonoNs) -> u32 {
        let of_late = self
            .losses
            .iter()
            .filter(|lost| now.since(**lost) < LOSSES_WINDOW_NS);
        let count = of_late.count().saturating_sub(LOSSES_FREE);
        SETTLED_MEASUREMENTS << count.min(LOSSES_MAX)
    }

    /// What the state asks of the bound: who is SYNCED is let go a margin later than he is let in.
    const fn limit_ns(&self) -> u64 {
        match self.state {
            ClockState::Locked => self.policy.limit_ns.saturating_mul(RELEASE_PERCENT) / 100,
            ClockState::FreeRunning
            | ClockState::Acquiring
            | ClockState::Holdover
            | ClockState::Reacquiring => self.policy.limit_ns,
        }
    }

    fn tell_dispute(&mut self, now: MonoNs, ruling: Ruling) {
        let disputed = matches!(ruling, Ruling::Disputed { .. });
        if disputed && !self.disputed {
            self.news.disputed(now, &ruling);
        }
        self.disputed = disputed;
    }

    /// Goes where the finding leads, and tells of it. Whether the label or its reason changed.
    fn go(&mut self, now: MonoNs, finding: Finding) -> bool {
        let (from, to) = (self.state, next(self.state, finding));
        let reason = finding.reason();
        match crossing(from, to) {
            Crossing::Acquired => {
                self.counters.sync_acquired = self.counters.sync_acquired.saturating_add(1);
                // Who began later in the boot does not know when the first one was.
                if self.counters.boot_to_stable_ns == 0 && !self.before.ran_in_this_boot {
                    self.counters.boot_to_stable_ns = now.0;
                }
                let basis = self.source_basis();
                self.news
                    .event(now, EventCode::SyncAcquired, None, None, basis);
                if let Some(since) = self.holdover_since.take() {
                    let held_ns = now.since(since);
                    self.counters.holdover_ns = self.counters.holdover_ns.saturating_add(held_ns);
                    self.news.holdover_ended(now, held_ns);
                }
            }
            Crossing::Lost => {
                self.counters.sync_lost = self.counters.sync_lost.saturating_add(1);
                self.holdover_since = Some(now);
                if self.losses.len() >= LOSSES_FREE + LOSSES_MAX {
                    self.losses.pop_front();
                }
                self.losses.push_back(now);
                self.sources.unsettle();
                let cause = match finding {
                    Finding::Lost | Finding::Rejected => {
                        let held = self.anchor.as_ref().and_then(|anchor| anchor.measured);
                        held.and_then(|held| self.sources.loss_cause(held.source, now))
                    }
                    Finding::Stepped
                    | Finding::Disputed
                    | Finding::Good
                    | Finding::Settling
                    | Finding::Coarse
                    | Finding::Away
                    | Finding::Never => None,
                };
                let age_ns = self.last_sync_age_ns(now).unwrap_or(0);
                self.news.lost(now, reason, cause, age_ns);
            }
            Crossing::None => {}
        }
        let changed = to != from || (reason != self.reason && to != ClockState::Locked);
        self.state = to;
        self.reason = reason;
        changed
    }
}

#[cfg(test)]
mod tests;
