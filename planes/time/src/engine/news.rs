//! Events in the words of the evidence, waiting for the next statement.

use super::clock::{Movement, Slew};
use super::offered::OfferVerdict;
use super::repeats::{About, Repeats};
use crate::arbiter::Ruling;
use crate::causes::{LocalMove, name_move};
use crate::limits::EVENTS_WAITING_MAX;
use crate::reading::{Fault, SourceKind};
use crate::sample::ClockSample;
use crate::table::offset_bucket;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::kinds::Event;
use evidence::reasons::{EventCode, HoldoverReason, TimeCause};
use evidence::{MonoNs, SourceId, UtcNs};

/// What events about `adjtimex` begin with. It is none of the sources: it says what is done to the clock.
const KERNEL: &str = "the kernel's correction of the clock";

/// Events that wait, and how many found no room.
#[derive(Clone, Debug)]
pub(super) struct News {
    source: SourceId,
    /// Where sources are read: their sockets and devices.
    places: Vec<(SourceKind, String)>,
    waiting: Vec<Event>,
    dropped: u64,
    repeats: Repeats,
}

impl News {
    pub(super) fn new(source: SourceId) -> Self {
        Self {
            source,
            places: Vec::new(),
            waiting: Vec::new(),
            dropped: 0,
            repeats: Repeats::default(),
        }
    }

    /// Events of these sources name the place.
    pub(super) fn name_places(&mut self, places: Vec<(SourceKind, String)>) {
        self.places = places;
    }

    /// What waits at `now`, and how many were dropped since.
    pub(super) fn take(&mut self, now: MonoNs) -> (Vec<Event>, u64) {
        for event in self.repeats.due(now) {
            self.push(event);
        }
        let dropped = core::mem::take(&mut self.dropped);
        (core::mem::take(&mut self.waiting), dropped)
    }

    /// One event; where too many wait it is counted and dropped.
    pub(super) fn event(
        &mut self,
        at: MonoNs,
        code: EventCode,
        cause: Option<TimeCause>,
        count: Option<u64>,
        detail: Option<String>,
    ) {
        let source = self.source.clone();
        self.event_of(source, at, code, cause, count, detail);
    }

    fn event_of(
        &mut self,
        source: SourceId,
        at: MonoNs,
        code: EventCode,
        cause: Option<TimeCause>,
        count: Option<u64>,
        detail: Option<String>,
    ) {
        let event = event(source, at, code);
        self.push(Event {
            count,
            detail,
            time_cause: cause,
            ..event
        });
    }

    /// One event of those that may flap.
    pub(super) fn often(
        &mut self,
        about: About,
        at: MonoNs,
        code: EventCode,
        cause: Option<TimeCause>,
        count: Option<u64>,
        detail: String,
    ) {
        let event = Event {
            count,
            detail: Some(detail),
            time_cause: cause,
            ..event(self.source.clone(), at, code)
        };
        if let Some(event) = self.repeats.take(about, event) {
            self.push(event);
        }
    }

    fn push(&mut self, event: Event) {
        if self.waiting.len() >= EVENTS_WAITING_MAX {
            self.dropped = self.dropped.saturating_add(1);
        } else {
            self.waiting.push(event);
        }
    }

    /// A clock that moved, forward positive.
    pub(super) fn moves(
        &mut self,
        at: MonoNs,
        code: EventCode,
        cause: TimeCause,
        by_ns: i128,
        detail: String,
    ) {
        let event = event(self.source.clone(), at, code);
        self.push(of_move(event, cause, by_ns, detail));
    }

    /// The same of one that may flap.
    pub(super) fn moves_often(
        &mut self,
        about: About,
        at: MonoNs,
        code: EventCode,
        cause: TimeCause,
        by_ns: i128,
        detail: String,
    ) {
        let event = event(self.source.clone(), at, code);
        let event = of_move(event, cause, by_ns, detail);
        if let Some(event) = self.repeats.take(about, event) {
            self.push(event);
        }
    }

    /// The node's clock was stepped.
    pub(super) fn stepped(&mut self, now: &ClockSample, movement: &Movement, cause: TimeCause) {
        let seen = if movement.signalled {
            "signalled by the kernel"
        } else {
            "seen by comparing the clocks"
        };
        self.step(now, movement, cause, seen);
    }

    /// It was stepped while no time process looked: whoever did it was not seen.
    pub(super) fn stepped_unwatched(&mut self, now: &ClockSample, movement: &Movement) {
        let seen = "seen against the last statement before this process";
        self.step(now, movement, TimeCause::Unexplained, seen);
    }

    fn step(&mut self, now: &ClockSample, movement: &Movement, cause: TimeCause, seen: &str) {
        let detail = format!(
            "{}, within the last {} ms, {seen}: {}",
            moved(movement.moved_ns),
            movement.within_ns.div_ceil(1_000_000),
            cause.meaning(),
        );
        let code = EventCode::TimeStep;
        self.moves(now.mono, code, cause, movement.moved_ns, detail);
    }

    /// The node's clock was slewed further than its frequency correction explains.
    pub(super) fn slewed(&mut self, at: MonoNs, slew: Slew, offset_before_ns: Option<i64>) {
        let cause = name_move(&LocalMove {
            moved_ns: slew.moved_ns,
            signalled: false,
            slept_ns: 0,
            offset_before_ns,
            handed_ns: None,
            leaps: [None, None],
        });
        let detail = format!(
            "slewed {} in {} s: {}",
            moved(slew.moved_ns),
            slew.within_ns / 1_000_000_000,
            cause.meaning(),
        );
        self.moves(at, EventCode::TimeSlew, cause, slew.moved_ns, detail);
    }

    /// The clock stands before what is known to have been: the machine `booted` with it, or it was set back unseen.
    pub(super) fn floored(&mut self, now: &ClockSample, floor: UtcNs, booted: bool) {
        let behind_ns = u64::try_from(i128::from(floor.0) - i128::from(now.utc.0)).unwrap_or(0);
        let detail = format!(
            "the clock stands {} s before the newest time that is certain; certificates are judged by the latter",
            behind_ns.div_ceil(1_000_000_000)
        );
        self.event(
            now.mono,
            EventCode::ClockFloored,
            Some(if booted {
                TimeCause::BootClock
            } else {
                TimeCause::Unexplained
            }),
            Some(behind_ns),
            Some(detail),
        );
    }

    /// SYNCED ended.
    pub(super) fn lost(
        &mut self,
        at: MonoNs,
        reason: HoldoverReason,
        cause: Option<TimeCause>,
        age_ns: u64,
    ) {
        let why = cause.map_or_else(|| reason.meaning(), TimeCause::meaning);
        let detail = format!("{why}; last measured {} before", span(age_ns.into()));
        self.event(at, EventCode::SyncLost, cause, None, Some(detail));
    }

    /// SYNCED ended with the run before this one.
    pub(super) fn lost_with_the_node(&mut self, at: MonoNs, age_ns: u64) {
        let detail = format!(
            "the node did not run; last SYNCED {} before",
            span(age_ns.into())
        );
        self.event(at, EventCode::SyncLost, None, None, Some(detail));
    }

    /// SYNCED again.
    pub(super) fn holdover_ended(&mut self, at: MonoNs, held_ns: u64) {
        let detail = format!("after {}", span(held_ns.into()));
        self.event(
            at,
            EventCode::HoldoverEnded,
            None,
            Some(held_ns),
            Some(detail),
        );
    }

    /// Two sources exclude each other.
    pub(super) fn disputed(&mut self, at: MonoNs, ruling: &Ruling) {
        if let Ruling::Disputed { between, apart_ns } = ruling {
            let [a, b] = between;
            let detail = format!(
                "{} and {} are at least {} apart; neither is believed",
                a.name(),
                b.name(),
                span(u128::from(*apart_ns)),
            );
            let code = EventCode::SourcesDisagree;
            self.often(About::Dispute, at, code, None, Some(*apart_ns), detail);
        }
    }

    /// Somebody offered the time: the event's source is his name.
    pub(super) fn offer(
        &mut self,
        at: MonoNs,
        name: &str,
        verdict: OfferVerdict,
        count: u64,
        detail: String,
    ) {
        let source = SourceId::new(name).unwrap_or_else(|_| self.source.clone());
        let (code, cause) = (verdict.code(), verdict.cause());
        self.event_of(source, at, code, cause, Some(count), Some(detail));
    }

    /// Two that offer the time exclude each other.
    pub(super) fn offers_disputed(&mut self, at: MonoNs, between: [&str; 2], apart_ns: u64) {
        let [a, b] = between;
        let detail = format!(
            "{a} and {b} offer times that are at least {} apart; neither is taken",
            span(apart_ns.into())
        );
        let (code, cause) = (EventCode::SourcesDisagree, Some(TimeCause::OfferDisputed));
        self.event(at, code, cause, Some(apart_ns), Some(detail));
    }

    /// chronyd's reference clock takes nothing.
    pub(super) fn handover_fault(&mut self, at: MonoNs, fault: &Fault) {
        let right = fault.missing_right(SourceKind::Offered);
        let right = right.map_or_else(String::new, |right| format!("; {right}"));
        let detail = format!("the socket that time.refclock names: {fault}{right}");
        let cause = matches!(fault, Fault::Absent | Fault::Stale | Fault::Silent);
        let cause = cause.then_some(TimeCause::DaemonGone);
        self.event(at, EventCode::RefclockFault, cause, None, Some(detail));
    }

    /// It takes samples again.
    pub(super) fn handover_back(&mut self, at: MonoNs, dropped: u64) {
        let detail = "chronyd's reference clock takes offered times again".into();
        self.event(
            at,
            EventCode::RefclockBack,
            None,
            Some(dropped),
            Some(detail),
        );
    }

    /// A source cannot be read, or is not believed any more.
    pub(super) fn fault(
        &mut self,
        at: MonoNs,
        source: SourceKind,
        cause: Option<TimeCause>,
        why: &str,
    ) {
        let detail = match self.places.iter().find(|(of, _)| *of == source) {
            Some((_, place)) => format!("{} at {place}: {why}", source.name()),
            None => format!("{}: {why}", source.name()),
        };
        let code = EventCode::TimeSourceFault;
        self.often(About::Source(source), at, code, cause, None, detail);
    }

    /// The kernel does not tell how it corrects its clock.
    pub(super) fn kernel_fault(&mut self, at: MonoNs) {
        let detail = format!(
            "{KERNEL}: it cannot be asked (adjtimex), so nothing is learnt of the oscillator and the bound grows as \
             its class allows"
        );
        let code = EventCode::TimeSourceFault;
        self.often(About::Kernel, at, code, None, None, detail);
    }

    /// It tells again.
    pub(super) fn kernel_back(&mut self, at: MonoNs, failed: u64) {
        let detail = format!("{KERNEL} can be asked again");
        let code = EventCode::TimeSourceBack;
        self.often(About::Kernel, at, code, None, Some(failed), detail);
    }

    /// A source is read again, or believed again.
    pub(super) fn back(&mut self, at: MonoNs, source: SourceKind, failed: u64) {
        let detail = format!("{} is read and believed", source.name());
        let code = EventCode::TimeSourceBack;
        self.often(About::Source(source), at, code, None, Some(failed), detail);
    }
}

/// An event that tells of a move, forward positive.
fn of_move(event: Event, cause: TimeCause, by_ns: i128, detail: String) -> Event {
    let limit_ns = if by_ns < 0 { i64::MIN } else { i64::MAX };
    let by_ns = i64::try_from(by_ns).unwrap_or(limit_ns);
    Event {
        count: Some(by_ns.unsigned_abs()),
        detail: Some(detail),
        time_cause: Some(cause),
        moved_ns: Some(by_ns),
        ..event
    }
}

/// An event of which nothing is said yet.
const fn event(source: SourceId, at: MonoNs, code: EventCode) -> Event {
    Event::new(at, code, source)
}

/// A span in words, in the unit that leaves few digits.
pub(super) fn span(ns: u128) -> String {
    const UNITS: [(u128, &str); 5] = [
        (86_400_000_000_000, "days"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    // Below three of a unit the next smaller one says more.
    let fits = |(unit, _): &&(u128, &str)| ns >= unit * 3;
    let (unit, name) = UNITS.iter().find(fits).unwrap_or(&(1, "ns"));
    format!("{} {name}", ns / unit)
}

/// A movement in words: direction, nanoseconds, bucket.
pub(super) fn moved(by_ns: i128) -> String {
    let direction = if by_ns < 0 { "backward" } else { "forward" };
    let magnitude_ns = by_ns.unsigned_abs();
    let bucket = offset_bucket(u64::try_from(magnitude_ns).unwrap_or(u64::MAX));
    format!("{direction} by {magnitude_ns} ns ({bucket})")
}
