//! What ptp4l says, and the signs in it.

use super::Sources;
use crate::causes::{Leap, Sign};
use crate::engine::claims::{claims, claims_code};
use crate::engine::news::{News, moved, span};
use crate::engine::repeats::About;
use crate::fresh::{Measurement, Verdict};
use crate::reading::{ClockIdentity, PortState, PtpReading, SourceKind, Timestamping};
use crate::sample::ClockSample;
use alloc::format;
use alloc::string::ToString;
use evidence::MonoNs;
use evidence::reasons::{EventCode, TimeCause};

/// What ptp4l showed at its last look (R7.1, R7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PtpHealth {
    /// The grandmaster.
    pub gm: ClockIdentity,
    /// Its clockClass.
    pub gm_class: u8,
    /// The domain.
    pub domain: u8,
    /// Edition of the power profile (IEEE C37.238), where it is in use.
    pub power_profile: Option<u16>,
    /// State of the port that follows, or of the first one where none does.
    pub port: Option<PortState>,
    /// The node's or card's clock minus the master's at the last Sync, in nanoseconds.
    pub offset_ns: i64,
    /// Mean path delay in nanoseconds.
    pub path_delay_ns: i64,
    /// Median distance of the last offsets from their median, in nanoseconds, once there are enough.
    pub jitter_ns: Option<u64>,
    /// How timestamps are taken, where the version tells.
    pub timestamping: Option<Timestamping>,
    /// Syncs and Follow_Ups that should have come in the last seconds and did not.
    pub missing: u64,
    /// Syncs and Follow_Ups that did not pair up since the daemon started, where the version tells.
    pub out_of_order: Option<u64>,
}

impl Sources {
    /// What ptp4l showed at its last look; `None` where it did not answer.
    pub(crate) fn ptp_health(&self) -> Option<&PtpHealth> {
        let standing = &self.standings.ptp;
        self.ptp_health
            .as_ref()
            .filter(|_| standing.fault.is_none())
    }

    /// Keeps what a reading shows.
    fn note_health(&mut self, reading: &PtpReading) {
        let port = self.ptp.follower(reading).or(reading.ports.first());
        let unpaired = port.and_then(|port| port.mismatches);
        self.ptp_health = Some(PtpHealth {
            gm: reading.gm,
            gm_class: reading.gm_class,
            domain: reading.domain,
            power_profile: reading.power_profile.map(|profile| profile.edition),
            port: port.map(|port| port.state),
            offset_ns: reading.offset_ns,
            path_delay_ns: reading.mean_path_delay_ns,
            jitter_ns: self.looks.jitter_ns(),
            timestamping: port.and_then(|port| port.timestamping),
            missing: self.looks.missing(),
            out_of_order: unpaired.map(|of| of.sync.saturating_add(of.follow_up)),
        });
    }

    /// Takes what ptp4l says.
    pub(super) fn ptp(
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
            // What was measured against the one before is still true of the clock; the new one has to settle.
            self.standings.of(SourceKind::Ptp).in_a_row = 0;
        }
        // Both at once announce nothing.
        self.ptp_leap = match reading.time_flags & 0x03 {
            1 => Some(Leap::Insert),
            2 => Some(Leap::Delete),
            _ => None,
        };
        if let Some(ingress) = reading.ingress.filter(|_| self.ptp.steers(reading)) {
            self.syncs.take(at, ingress, reading.offset_ns);
        }
        let verdict = self.ptp.judge(reading, at, clock);
        let measured = matches!(verdict, Verdict::Measured(_));
        let signs = self.looks.take(reading, follower, at, own_ns, measured);
        for sign in signs {
            self.tell(sign, reading, at, news);
        }
        self.note_health(reading);
        match verdict {
            Verdict::Measured(measured) => Verdict::Measured(Measurement {
                interval_ns: self
                    .looks
                    .sync_interval_ns()
                    .unwrap_or(measured.interval_ns),
                asymmetry_ns: measured
                    .asymmetry_ns
                    .saturating_add(self.path_moved_ns.unsigned_abs()),
                ..measured
            }),
            Verdict::Nothing | Verdict::Rejected(_) => verdict,
        }
    }

    fn tell(&mut self, sign: Sign, reading: &PtpReading, at: MonoNs, news: &mut News) {
        let about = match sign {
            Sign::Lost { .. } | Sign::Arrive { .. } => About::Flow,
            Sign::Claims(_) => About::Claims,
            Sign::Motion { .. } => About::Motion,
            Sign::PortState { .. } => About::Port,
        };
        let (code, cause, count, detail) = match sign {
            Sign::Lost { cause, missing } => {
                let detail = cause.meaning().to_string();
                (EventCode::PtpLoss, Some(cause), Some(missing), detail)
            }
            Sign::Arrive { after_ns } => {
                let detail = format!("messages arrive again, after {}", span(after_ns.into()));
                (EventCode::PtpLossEnded, None, Some(after_ns), detail)
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
                    let end = if delay_ns < 0 { i64::MIN } else { i64::MAX };
                    let by_ns = i64::try_from(delay_ns).unwrap_or(end);
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
                let off_ns = reading.offset_ns;
                let detail = format!("from {from} to {to}, its last offset {off_ns} ns");
                (EventCode::PtpPortState, None, None, detail)
            }
        };
        news.often(about, at, code, cause, count, detail);
    }
}
