//! The sources together: what each is worth now, and what is told of it.

use super::news::{News, moved};
use super::offered::judge;
use super::rtc::RtcWatch;
use super::steps::Updates;
use super::{OfferPolicy, Policy};
use crate::causes::{Looks, Sign};
use crate::fresh::{ChronyWatch, Measurement, PtpWatch, Rejection, Verdict};
use crate::limits::{FRESH_NS_MIN, OFFERS_WAITING_MAX, TEMPERATURE_FRESH_NS};
use crate::reading::{
    ChronyReading, ClockIdentity, Fault, LeapStatus, Observation, OfferedSample, PtpReading,
    Reading, SourceKind,
};
use crate::sample::ClockSample;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use evidence::MonoNs;
use evidence::reasons::{EventCode, TimeCause};

/// What is known of one source.
#[derive(Clone, Debug, Default)]
struct Standing {
    /// Whether anything was ever seen of it, a fault included.
    asked: bool,
    held: Option<Measurement>,
    in_a_row: u32,
    fault: Option<Fault>,
    rejection: Option<Rejection>,
    failed: u64,
}

/// What is known of each.
#[derive(Clone, Debug, Default)]
struct Standings {
    ptp: Standing,
    chrony: Standing,
    rtc: Standing,
    card: Standing,
    thermal: Standing,
    offered: Standing,
}

impl Standings {
    fn all(&self) -> [&Standing; 6] {
        [
            &self.ptp,
            &self.chrony,
            &self.rtc,
            &self.card,
            &self.thermal,
            &self.offered,
        ]
    }

    fn all_mut(&mut self) -> [&mut Standing; 6] {
        [
            &mut self.ptp,
            &mut self.chrony,
            &mut self.rtc,
            &mut self.card,
            &mut self.thermal,
            &mut self.offered,
        ]
    }
}

/// All sources.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    standings: Standings,
    ptp: PtpWatch,
    looks: Looks,
    /// What the path's delay moved by since its grandmaster was first heard, in nanoseconds.
    path_moved_ns: u64,
    gm: Option<(ClockIdentity, u8)>,
    chrony: ChronyWatch,
    reference: Option<([u8; 4], u16)>,
    updates: Updates,
    leap: bool,
    rtc: RtcWatch,
    thermal: Option<(MonoNs, i32)>,
    offers: OfferPolicy,
    offered: Vec<OfferedSample>,
    handed_ns: Option<i64>,
    /// When the clock was found moved, until something is measured behind that.
    void: Option<MonoNs>,
}

impl Sources {
    pub(super) fn new(policy: &Policy) -> Self {
        Self {
            standings: Standings::default(),
            ptp: PtpWatch::new(policy.ptp),
            looks: Looks::default(),
            path_moved_ns: 0,
            gm: None,
            chrony: ChronyWatch::new(policy.chrony),
            reference: None,
            updates: Updates::default(),
            leap: false,
            rtc: RtcWatch::default(),
            thermal: None,
            offers: policy.offered.clone(),
            offered: Vec::new(),
            handed_ns: None,
            void: None,
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
                    Reading::Chrony(chrony) => self.chrony(chrony, seen.at, clock, news),
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
    pub(super) fn fresh(&self, now: MonoNs) -> Vec<Measurement> {
        let all = self.standings.all();
        all.into_iter()
            .filter_map(|standing| standing.held)
            .filter(|held| now <= held.fresh_until())
            .collect()
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
        self.standings.all().iter().any(|of| of.rejection.is_some())
    }

    /// Why measurements ended.
    pub(super) fn loss_cause(&self, now: MonoNs) -> Option<TimeCause> {
        let Standings { ptp, chrony, .. } = &self.standings;
        if ptp.asked {
            return match (&ptp.fault, ptp.rejection) {
                (Some(_), _) => Some(TimeCause::DaemonGone),
                (None, Some(Rejection::WholeSeconds)) => Some(TimeCause::UtcOffset),
                (None, Some(Rejection::Untraceable)) => Some(TimeCause::ClockClass),
                (None, _) => self.looks.flow_cause(now, FRESH_NS_MIN / 2),
            };
        }
        chrony.asked.then_some(match chrony.fault {
            Some(_) => TimeCause::DaemonGone,
            None => TimeCause::SourceSilent,
        })
    }

    /// The clock was found moved: what was measured before says nothing of it now.
    pub(super) fn void(&mut self, at: MonoNs) {
        for standing in self.standings.all_mut() {
            standing.held = None;
            standing.in_a_row = 0;
        }
        self.looks.forget_motion();
        // Against a clock that was moved the real-time clock has not drifted.
        self.rtc.restart();
        self.void = Some(at);
    }

    /// Whether the clock was moved and nothing has been measured since.
    pub(super) const fn is_void(&self) -> bool {
        self.void.is_some()
    }

    /// Whether a source announces a leap second.
    pub(super) const fn leap_announced(&self) -> bool {
        self.leap
    }

    /// The temperature near the oscillator in thousandths of a degree, while its reading is fresh.
    pub(super) fn temperature(&self, now: MonoNs) -> Option<i32> {
        self.thermal
            .filter(|(at, _)| now.since(*at) <= TEMPERATURE_FRESH_NS)
            .map(|(_, millidegrees)| millidegrees)
    }

    /// Whether chronyd has answered when it was asked last, and before.
    pub(super) const fn chrony_answers(&self) -> bool {
        self.updates.is_heard() && self.standings.chrony.fault.is_none()
    }

    /// What chronyd took into its clock.
    pub(super) const fn updates(&self) -> &Updates {
        &self.updates
    }

    /// The real-time clock.
    pub(super) const fn rtc(&self) -> &RtcWatch {
        &self.rtc
    }

    /// The offset of the last time from outside that was taken, once.
    pub(super) const fn take_handed(&mut self) -> Option<i64> {
        self.handed_ns.take()
    }

    /// Times from outside that were taken, for the daemon that steers the clock.
    pub(super) fn take_offers(&mut self) -> Vec<OfferedSample> {
        core::mem::take(&mut self.offered)
    }

    /// Which source a stamp rests on, in words.
    pub(super) fn basis(&self) -> Option<String> {
        let best = self
            .standings
            .all()
            .into_iter()
            .filter_map(|standing| standing.held)
            .min_by_key(Measurement::bound_ns)?;
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
            (source, _, _) => source.name().to_string(),
        })
    }

    fn standing(&mut self, source: SourceKind) -> &mut Standing {
        let Standings {
            ptp,
            chrony,
            rtc,
            card,
            thermal,
            offered,
        } = &mut self.standings;
        match source {
            SourceKind::Ptp => ptp,
            SourceKind::Chrony => chrony,
            SourceKind::Rtc => rtc,
            SourceKind::CardClock => card,
            SourceKind::Thermal => thermal,
            SourceKind::Offered => offered,
        }
    }

    fn fails(&mut self, seen: &Observation, fault: &Fault, news: &mut News) {
        let standing = self.standing(seen.source);
        standing.asked = true;
        standing.failed = standing.failed.saturating_add(1);
        if standing.fault.as_ref() != Some(fault) {
            standing.fault = Some(fault.clone());
            let gone = matches!(seen.source, SourceKind::Ptp | SourceKind::Chrony)
                && matches!(fault, Fault::Absent | Fault::Stale | Fault::Silent);
            let cause = gone.then_some(TimeCause::DaemonGone);
            news.fault(seen.at, seen.source, cause, &fault.to_string());
        }
        if seen.source == SourceKind::Rtc {
            self.rtc.lost();
        }
    }

    fn judged(&mut self, seen: &Observation, verdict: Verdict, news: &mut News) {
        let void = self.void;
        let standing = self.standing(seen.source);
        standing.asked = true;
        if standing.fault.take().is_some() {
            news.back(seen.at, seen.source, standing.failed);
            standing.failed = 0;
        }
        match verdict {
            Verdict::Nothing => {}
            Verdict::Measured(measured) if void.is_some_and(|found| measured.taken < found) => {}
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
                if standing.rejection.take().is_some() {
                    news.back(seen.at, seen.source, standing.failed);
                    standing.failed = 0;
                }
                self.void = None;
            }
            Verdict::Rejected(rejection) => {
                standing.held = None;
                standing.in_a_row = 0;
                standing.failed = standing.failed.saturating_add(1);
                if standing.rejection.replace(rejection) != Some(rejection) {
                    news.fault(seen.at, seen.source, None, &rejection.to_string());
                }
            }
        }
    }

    fn ptp(
        &mut self,
        reading: &PtpReading,
        at: MonoNs,
        clock: &ClockSample,
        own_ns: i128,
        news: &mut News,
    ) -> Verdict {
        let follower = self.ptp.follower(reading);
        // Who follows nobody calls himself the grandmaster.
        let gm = follower.and_then(|_| self.gm.replace((reading.gm, reading.gm_class)));
        if gm.is_some_and(|(known, _)| known != reading.gm) {
            self.path_moved_ns = 0;
            let standing = self.standing(SourceKind::Ptp);
            standing.held = None;
            standing.in_a_row = 0;
        }
        self.leap = reading.time_flags & 0x03 != 0;
        let verdict = self.ptp.judge(reading, at, clock);
        let measured = matches!(verdict, Verdict::Measured(_));
        let signs = self.looks.take(reading, follower, at, own_ns, measured);
        for sign in signs {
            self.tell(sign, reading, at, news);
        }
        match verdict {
            Verdict::Measured(measured) => Verdict::Measured(Measurement {
                interval_ns: self
                    .looks
                    .sync_interval_ns()
                    .unwrap_or(measured.interval_ns),
                asymmetry_ns: measured.asymmetry_ns.saturating_add(self.path_moved_ns),
                ..measured
            }),
            Verdict::Nothing | Verdict::Rejected(_) => verdict,
        }
    }

    fn tell(&mut self, sign: Sign, reading: &PtpReading, at: MonoNs, news: &mut News) {
        let (code, cause, count, detail) = match sign {
            Sign::Flow { cause, missing } => {
                let detail = cause.map_or("messages arrive again", TimeCause::meaning);
                (EventCode::PtpLoss, cause, Some(missing), detail.to_string())
            }
            Sign::Claims(cause) => (
                claims_code(cause),
                Some(cause),
                None,
                claims(cause, reading),
            ),
            Sign::Motion {
                cause,
                offset_ns,
                delay_ns,
            } => {
                let code = if cause == TimeCause::PathAsymmetry {
                    let by_ns = u64::try_from(delay_ns.unsigned_abs()).unwrap_or(u64::MAX);
                    self.path_moved_ns = self.path_moved_ns.saturating_add(by_ns);
                    EventCode::PathChange
                } else {
                    EventCode::TimeSourceMoved
                };
                let detail = format!(
                    "offset {}, path delay {}: {}",
                    moved(offset_ns),
                    moved(delay_ns),
                    cause.meaning()
                );
                let count = u64::try_from(offset_ns.unsigned_abs()).unwrap_or(u64::MAX);
                (code, Some(cause), Some(count), detail)
            }
            Sign::PortState { from, to } => {
                let detail = format!("from {from} to {to}");
                (EventCode::PtpPortState, None, None, detail)
            }
        };
        news.event(at, code, cause, count, Some(detail));
    }

    fn chrony(
        &mut self,
        reading: &ChronyReading,
        at: MonoNs,
        clock: &ClockSample,
        news: &mut News,
    ) -> Verdict {
        let leap = matches!(reading.leap, LeapStatus::Insert | LeapStatus::Delete);
        if leap && !self.leap {
            let detail = "chronyd announces one for the end of the month".to_string();
            let cause = Some(TimeCause::LeapSecond);
            news.event(at, EventCode::LeapSecond, cause, None, Some(detail));
        }
        self.leap |= leap;
        self.reference = Some((reading.reference, reading.stratum));
        self.updates.take(reading, at);
        self.chrony.judge(reading, at, clock)
    }

    fn offer(
        &mut self,
        sample: &OfferedSample,
        at: MonoNs,
        clock: &ClockSample,
        news: &mut News,
    ) -> Verdict {
        match judge(&self.offers, sample, at, clock, &self.fresh(at)) {
            Ok(measured) => {
                self.handed_ns = Some(measured.offset_ns);
                if self.offered.len() < OFFERS_WAITING_MAX {
                    self.offered.push(sample.clone());
                }
                Verdict::Measured(measured)
            }
            Err(refusal) => {
                let detail = format!("{}: {refusal}", sample.from);
                news.event(at, EventCode::SyncRequestRefused, None, None, Some(detail));
                Verdict::Nothing
            }
        }
    }
}

const fn claims_code(cause: TimeCause) -> EventCode {
    match cause {
        TimeCause::GrandmasterChange => EventCode::GrandmasterChanged,
        TimeCause::UtcOffset => EventCode::UtcOffsetFault,
        TimeCause::LeapSecond => EventCode::LeapSecond,
        _ => EventCode::GrandmasterDegraded,
    }
}

/// What the grandmaster claims now, in words.
fn claims(cause: TimeCause, reading: &PtpReading) -> String {
    match cause {
        TimeCause::GrandmasterChange => {
            format!("now {}, domain {}", reading.gm, reading.domain)
        }
        TimeCause::UtcOffset => format!(
            "TAI minus UTC is {} s, the offset from the master {} ms",
            reading.utc_offset_s,
            reading.offset_ns / 1_000_000
        ),
        TimeCause::LeapSecond => match reading.time_flags & 0x03 {
            1 => "61 seconds announced".to_string(),
            2 => "59 seconds announced".to_string(),
            _ => "no longer announced".to_string(),
        },
        _ => format!(
            "class {}, accuracy 0x{:02x}",
            reading.gm_class, reading.gm_accuracy
        ),
    }
}
