//! The sources together: what each is worth now, and what is told of it.

mod chrony;
mod moving;
mod ptp;

pub use ptp::PtpHealth;

use super::Policy;
use super::idle::Idle;
use super::news::News;
use super::offered::{HandOver, Offers, Outcome, ToHand};
use super::rtc::RtcWatch;
use super::standings::Standings;
use super::steps::Updates;
use crate::arbiter::gap_ns;
use crate::causes::{Leap, Looks};
use crate::fresh::{ChronyWatch, Measurement, PtpWatch, Rejection, Verdict};
use crate::limits::{FRESH_NS_MIN, REFCLOCK_ID, TEMPERATURE_FRESH_NS};
use crate::reading::{ClockIdentity, Fault, Observation, OfferedSample, Reading, SourceKind};
use crate::sample::ClockSample;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use evidence::reasons::TimeCause;
use evidence::{MonoNs, UtcNs};
use moving::Moving;

/// All sources.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    standings: Standings,
    ptp: PtpWatch,
    looks: Looks,
    ptp_health: Option<PtpHealth>,
    /// What the path's delay moved by since its grandmaster was first heard, there and back, in nanoseconds.
    path_moved_ns: i64,
    gm: Option<(ClockIdentity, u8)>,
    chrony: ChronyWatch,
    reference: Option<([u8; 4], u16)>,
    /// Whether a source of chronyd answered its last poll.
    chrony_hears: bool,
    /// How far the node's clock had been moved by itself when chronyd measured it last, in nanoseconds.
    chrony_own_ns: i128,
    /// The jump of a source of chronyd that is not known whole yet.
    chrony_moving: Option<Moving>,
    /// Whether chronyd leaves the clock alone.
    chrony_idle: Idle,
    /// What chronyd took into its clock, and what ptp4l did where it steers the node's own.
    updates: Updates,
    syncs: Updates,
    /// The leap second that ptp4l announces, and the one that chronyd does.
    ptp_leap: Option<Leap>,
    chrony_leap: Option<Leap>,
    rtc: RtcWatch,
    thermal: Option<(MonoNs, i32)>,
    offers: Offers,
    handover: HandOver,
    /// How wrong the last sample may be that was handed to the daemon, in nanoseconds.
    handed_uncertainty_ns: u64,
    /// Whether the clock was moved, and nothing was measured since.
    void: bool,
    /// When it was found moved the last time.
    stepped: MonoNs,
    /// What a daemon measured before this says nothing: behind a step backward a Sync of before it looks
    /// later by that step.
    not_before: MonoNs,
}

impl Sources {
    pub(super) fn new(policy: &Policy) -> Self {
        Self {
            standings: Standings::default(),
            ptp: PtpWatch::new(policy.ptp),
            looks: Looks::default(),
            ptp_health: None,
            path_moved_ns: 0,
            gm: None,
            chrony: ChronyWatch::new(policy.chrony),
            reference: None,
            chrony_hears: false,
            chrony_own_ns: 0,
            chrony_moving: None,
            chrony_idle: Idle::default(),
            updates: Updates::default(),
            syncs: Updates::default(),
            ptp_leap: None,
            chrony_leap: None,
            rtc: RtcWatch::default(),
            thermal: None,
            offers: Offers::new(&policy.offered, policy.floor),
            handover: HandOver::default(),
            handed_uncertainty_ns: 0,
            void: false,
            stepped: MonoNs(0),
            not_before: MonoNs(0),
        }
    }

    /// Takes what was seen of a source.
    pub(super) fn note(
        &mut self,
        seen: &Observation,
        clock: &ClockSample,
        own_ns: i128,
        news: &mut News,
    ) {
        match &seen.outcome {
            Err(fault) => self.fails(seen, fault, news),
            Ok(reading) => {
                let verdict = match reading {
                    Reading::Ptp(ptp) => self.ptp(ptp, seen.at, clock, own_ns, news),
                    Reading::Chrony(chrony) => self.chrony(chrony, seen.at, clock, own_ns, news),
                    Reading::Rtc(rtc) => {
                        self.rtc.take(rtc, seen.at, clock, news);
                        Verdict::Nothing
                    }
                    Reading::Offered(sample) => self.offer(sample, seen.at, clock, news),
                    Reading::CardClock(card) => {
                        self.ptp.compared(*card, seen.at);
                        Verdict::Nothing
                    }
                    Reading::Thermal { millidegrees_c } => {
                        self.thermal = Some((seen.at, *millidegrees_c));
                        Verdict::Nothing
                    }
                };
                self.judged(seen, verdict, news);
            }
        }
    }

    /// The measurements that are fresh, at most one a source.
    ///
    /// An offered time has no vote against those that are measured.
    pub(super) fn fresh(&self, now: MonoNs) -> Vec<Measurement> {
        let mut fresh = self.measured(now);
        let offered = self.standings.offered.held;
        let agrees = |one: &Measurement| fresh.iter().all(|other| gap_ns(one, other) == 0);
        let offered = offered.filter(|held| now <= held.fresh_until() && agrees(held));
        fresh.extend(offered);
        fresh
    }

    /// Those of them that nobody offered.
    fn measured(&self, now: MonoNs) -> Vec<Measurement> {
        let all = self.standings.all();
        all.into_iter()
            .filter_map(|standing| standing.held)
            .filter(|held| held.source != SourceKind::Offered && now <= held.fresh_until())
            .collect()
    }

    /// Whether chronyd follows what we handed to it: then it says nothing of its own.
    fn chrony_is_ours(&self) -> bool {
        self.reference
            .is_some_and(|(reference, _)| reference == REFCLOCK_ID)
    }

    /// Fresh measurements of a source without a break.
    pub(super) fn in_a_row(&self, source: SourceKind) -> u32 {
        let all = self.standings.all();
        all.into_iter()
            .filter(|of| of.held.is_some_and(|held| held.source == source))
            .map(|of| of.in_a_row)
            .sum()
    }

    /// Whether a source is heard and not believed.
    pub(super) fn rejects(&self) -> bool {
        let heard = |rejection: Rejection| rejection.is_of_heard();
        self.standings
            .all()
            .iter()
            .any(|of| of.rejection.is_some_and(heard))
    }

    /// Whether the last word about any source that measures is that it cannot be read, or is not believed.
    pub(super) fn is_any_down(&self) -> bool {
        let Standings {
            ptp,
            chrony,
            offered,
            ..
        } = &self.standings;
        [ptp, chrony, offered].iter().any(|of| of.is_down)
    }

    /// Whoever measured has to settle anew.
    pub(super) fn unsettle(&mut self) {
        for standing in self.standings.all_mut() {
            standing.in_a_row = 0;
        }
    }

    /// Why the measurements of the source ended that held the clock.
    pub(super) fn loss_cause(&self, held: SourceKind, now: MonoNs) -> Option<TimeCause> {
        let Standings { ptp, chrony, .. } = &self.standings;
        match held {
            SourceKind::Ptp => match (&ptp.fault, ptp.rejection) {
                (Some(_), _) => Some(TimeCause::DaemonGone),
                (None, Some(Rejection::WholeSeconds)) => Some(TimeCause::UtcOffset),
                (None, Some(Rejection::Class | Rejection::Inaccurate)) => {
                    Some(TimeCause::ClockClass)
                }
                (None, _) => self.looks.flow_cause(now, FRESH_NS_MIN / 2),
            },
            // A successor has nobody to follow yet.
            SourceKind::Chrony if chrony.fault.is_some() || chrony.was_gone => {
                Some(TimeCause::DaemonGone)
            }
            SourceKind::Chrony if self.chrony_hears => Some(TimeCause::SamplesRefused),
            SourceKind::Chrony => Some(TimeCause::SourceSilent),
            // Why nobody offers the time any more is not told.
            SourceKind::Offered | SourceKind::Rtc | SourceKind::CardClock | SourceKind::Thermal => {
                None
            }
        }
    }

    /// The clock was found moved by the comparison at `at`: what was measured before says nothing of it now.
    pub(super) fn void(&mut self, at: MonoNs, moved_ns: i128) {
        for standing in self.standings.all_mut() {
            standing.release();
        }
        self.ptp.void(at);
        self.chrony.void(at);
        self.chrony_moving = None;
        self.offers.void();
        self.looks.forget_motion();
        // Against a clock that was moved the real-time clock has not drifted.
        self.rtc.restart();
        // No Sync is longer on its way to us than that.
        let backward_ns = u64::try_from(moved_ns.saturating_neg()).unwrap_or(0);
        self.void = true;
        self.stepped = at;
        self.not_before = at.plus_ns(backward_ns.min(FRESH_NS_MIN));
    }

    /// Whether the clock was moved and nothing has been measured since.
    pub(super) const fn is_void(&self) -> bool {
        self.void
    }

    /// Whether a measurement is of before the last step.
    fn is_of_before(&self, measured: &Measurement) -> bool {
        let limit = match measured.source {
            SourceKind::Ptp | SourceKind::Chrony => self.not_before,
            // Offers are dated by the monotonic clock.
            SourceKind::Offered | SourceKind::Rtc | SourceKind::CardClock | SourceKind::Thermal => {
                self.stepped
            }
        };
        measured.taken < limit
    }

    /// The leap seconds that sources announce.
    pub(super) const fn leaps(&self) -> [Option<Leap>; 2] {
        [self.ptp_leap, self.chrony_leap]
    }

    /// The temperature near the oscillator in thousandths of a degree, while its reading is fresh.
    pub(super) fn temperature(&self, now: MonoNs) -> Option<i32> {
        self.thermal
            .filter(|(at, _)| now.since(*at) <= TEMPERATURE_FRESH_NS)
            .map(|(_, millidegrees)| millidegrees)
    }

    /// What chronyd took into the node's clock; nothing where it leaves that alone.
    pub(super) fn updates(&self) -> Option<&Updates> {
        (!self.chrony_idle.is_known()).then_some(&self.updates)
    }

    /// Whether somebody may steer the node's clock by what this source measures of it.
    pub(super) const fn is_steered_by(&self, source: SourceKind) -> bool {
        match source {
            SourceKind::Ptp => !self.ptp.is_free_running(),
            SourceKind::Chrony => !self.chrony_idle.is_known(),
            SourceKind::Offered | SourceKind::Rtc | SourceKind::CardClock | SourceKind::Thermal => {
                true
            }
        }
    }

    /// What those daemons took into the clock that steer it, and have answered when they were asked last.
    pub(super) fn steering(&self) -> Vec<&Updates> {
        let Standings { ptp, chrony, .. } = &self.standings;
        let updates = self.updates().map(|updates| (updates, chrony));
        updates
            .into_iter()
            .chain([(&self.syncs, ptp)])
            .filter(|(updates, of)| updates.is_heard() && of.fault.is_none())
            .map(|(updates, _)| updates)
            .collect()
    }

    /// The real-time clock.
    pub(super) const fn rtc(&self) -> &RtcWatch {
        &self.rtc
    }

    /// The offset of the last time from outside that was handed to the daemon, once.
    pub(super) const fn take_handed(&mut self) -> Option<i64> {
        self.handover.take_handed()
    }

    /// Times from outside that were taken, for the daemon that steers the clock.
    pub(super) fn take_offers(&mut self, now: MonoNs) -> Vec<ToHand> {
        self.handover.take(now)
    }

    /// What became of one of them.
    pub(super) fn handed(
        &mut self,
        now: MonoNs,
        sample: &ToHand,
        outcome: Result<(), Fault>,
        news: &mut News,
    ) {
        if outcome.is_ok() {
            self.handed_uncertainty_ns = sample.sample.uncertainty_ns;
        }
        self.handover.handed(now, sample, outcome, news);
    }

    /// Why the daemon takes none of them now.
    pub(super) fn handover_fault(&self) -> Option<&Fault> {
        self.handover.fault()
    }

    /// Times from outside that were lost on the way.
    pub(super) fn offers_lost(&mut self, now: MonoNs, count: u64, news: &mut News) {
        self.offers.lost(now, count, news);
    }

    /// Which source a stamp rests on, in words: that of the measurement which the bound grows from, unless
    /// that counts for nothing any more.
    pub(super) fn basis(&self, anchor: &Measurement) -> Option<String> {
        let all = self.standings.all();
        let held = all.into_iter().filter_map(|standing| standing.held);
        let best = held.into_iter().find(|held| held.source == anchor.source)?;
        Some(match (best.source, self.gm, self.reference) {
            (SourceKind::Ptp, Some((gm, class)), _) => {
                format!("ptp4l, grandmaster {gm}, class {class}")
            }
            (SourceKind::Chrony, _, Some((reference, stratum))) => {
                let [a, b, c, d] = reference;
                let name = if reference.iter().all(u8::is_ascii_uppercase) {
                    String::from_utf8_lossy(&reference).into_owned()
                } else {
                    format!("{a}.{b}.{c}.{d}")
                };
                format!("chronyd, reference {name}, stratum {stratum}")
            }
            (SourceKind::Offered, _, _) => format!(
                "the time that {} offers",
                self.offers.selected().unwrap_or("somebody")
            ),
            (source, _, _) => source.name().to_string(),
        })
    }

    fn fails(&mut self, seen: &Observation, fault: &Fault, news: &mut News) {
        let standing = self.standings.of(seen.source);
        standing.asked = true;
        standing.failed = standing.failed.saturating_add(1);
        // Who says nothing is not refused any more.
        standing.rejection = None;
        standing.is_down = true;
        standing.was_gone |= fault.is_gone();
        if standing.fault.as_ref() != Some(fault) {
            standing.fault = Some(fault.clone());
            let gone = matches!(seen.source, SourceKind::Ptp | SourceKind::Chrony);
            let cause = (gone && fault.is_gone()).then_some(TimeCause::DaemonGone);
            let right = fault.missing_right(seen.source);
            let right = right.map_or_else(String::new, |right| format!("; {right}"));
            news.fault(seen.at, seen.source, cause, &format!("{fault}{right}"));
        }
        // Who does not answer announces nothing any more.
        match seen.source {
            SourceKind::Ptp => self.ptp_leap = None,
            SourceKind::Chrony => self.chrony_leap = None,
            SourceKind::Rtc => self.rtc.lost(),
            SourceKind::CardClock | SourceKind::Offered | SourceKind::Thermal => {}
        }
    }

    fn judged(&mut self, seen: &Observation, verdict: Verdict, news: &mut News) {
        let void = matches!(&verdict, Verdict::Measured(measured) if self.is_of_before(measured));
        let measures = matches!(
            seen.source,
            SourceKind::Ptp | SourceKind::Chrony | SourceKind::Offered
        );
        let standing = self.standings.of(seen.source);
        standing.asked = true;
        standing.fault = None;
        match verdict {
            Verdict::Nothing if !measures => standing.come_back(seen, news),
            Verdict::Nothing => {}
            Verdict::Measured(_) if void => {}
            Verdict::Measured(measured) => {
                let unbroken = standing
                    .held
                    .is_some_and(|held| measured.taken <= held.fresh_until());
                standing.in_a_row = if unbroken {
                    standing.in_a_row.saturating_add(1)
                } else {
                    1
                };
                standing.held = Some(measured);
                standing.was_gone = false;
                standing.rejection = None;
                standing.come_back(seen, news);
                self.void = false;
            }
            Verdict::Rejected(rejection) => {
                standing.release();
                standing.failed = standing.failed.saturating_add(1);
                standing.is_down = true;
                if standing.rejection.replace(rejection) != Some(rejection) {
                    news.fault(seen.at, seen.source, None, &rejection.to_string());
                }
            }
        }
    }

    fn offer(
        &mut self,
        sample: &OfferedSample,
        at: MonoNs,
        clock: &ClockSample,
        news: &mut News,
    ) -> Verdict {
        let mut measured = self.measured(clock.mono);
        if self.chrony_is_ours() {
            measured.retain(|one| one.source != SourceKind::Chrony);
        }
        let before = self.offers.selected().map(ToString::to_string);
        match self.offers.judge(sample, at, clock, &measured, news) {
            Outcome::Selected(measured) => {
                // Who comes in another one's place has to settle first.
                if before.as_deref() != Some(&sample.from) {
                    self.standings.of(SourceKind::Offered).release();
                }
                let local_ns = clock.difference_ns() + i128::from(at.0);
                if let Ok(local_ns) = i64::try_from(local_ns) {
                    self.handover.push(ToHand {
                        sample: sample.clone(),
                        local: UtcNs(local_ns),
                        offset_ns: measured.offset_ns,
                    });
                }
                Verdict::Measured(measured)
            }
            Outcome::Disputed => {
                self.standings.of(SourceKind::Offered).release();
                Verdict::Nothing
            }
            Outcome::StandsBy | Outcome::Refused => Verdict::Nothing,
        }
    }
}
