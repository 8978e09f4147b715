//! What ptp4l says, and the signs in it.

use super::Sources;
use crate::causes::Sign;
use crate::engine::claims::{claims, claims_code};
use crate::engine::news::{News, moved};
use crate::fresh::{Measurement, Verdict};
use crate::reading::{PtpReading, SourceKind};
use crate::sample::ClockSample;
use alloc::format;
use alloc::string::ToString;
use evidence::MonoNs;
use evidence::reasons::{EventCode, TimeCause};

impl Sources {
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
        self.ptp_leap = reading.time_flags & 0x03 != 0;
        if let Some(ingress) = reading.ingress.filter(|_| self.ptp.steers(reading)) {
            self.syncs.take(at, ingress, reading.offset_ns);
        }
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
                asymmetry_ns: measured
                    .asymmetry_ns
                    .saturating_add(self.path_moved_ns.unsigned_abs()),
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
        news.event(at, code, cause, count, Some(detail));
    }
}
