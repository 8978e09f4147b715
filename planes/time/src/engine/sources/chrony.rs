//! What chronyd says of its clock and its sources.

use super::Sources;
use super::moving::{Figure, Moving};
use crate::causes::Leap;
use crate::engine::news::{News, moved, span};
use crate::engine::repeats::About;
use crate::fresh::{Measurement, Verdict};
use crate::limits::SOURCE_STEP_NS_MIN;
use crate::reading::{ChronyReading, LeapStatus};
use crate::sample::ClockSample;
use alloc::format;
use alloc::string::ToString;
use evidence::MonoNs;
use evidence::reasons::{EventCode, TimeCause};

impl Sources {
    /// Takes what chronyd says.
    pub(super) fn chrony(
        &mut self,
        reading: &ChronyReading,
        at: MonoNs,
        clock: &ClockSample,
        own_ns: i128,
        news: &mut News,
    ) -> Verdict {
        self.chrony_hears = reading.sources.iter().any(|one| one.reach & 1 == 1);
        let leap = match reading.leap {
            LeapStatus::Insert => Some(Leap::Insert),
            LeapStatus::Delete => Some(Leap::Delete),
            LeapStatus::Normal | LeapStatus::Unsynchronised | LeapStatus::Unknown(_) => None,
        };
        if leap.is_some() && self.chrony_leap.is_none() {
            let detail = "chronyd announces one for the end of the month".to_string();
            let cause = Some(TimeCause::LeapSecond);
            let code = EventCode::LeapSecond;
            news.often(About::Leap, at, code, cause, None, detail);
        }
        self.chrony_leap = leap;
        self.reference = Some((reading.reference, reading.stratum));
        self.updates
            .take(at, reading.reference_time, reading.last_offset_ns);
        let kernel_ppt = clock.kernel.map(|kernel| kernel.frequency_ppt);
        self.chrony_idle.take(kernel_ppt, reading.frequency_ppb);
        let verdict = self.chrony.judge(reading, at, clock);
        if let Verdict::Measured(measured) = &verdict {
            self.source_moved(measured, own_ns, news);
        }
        match verdict {
            // What we handed on was no more certain before chronyd had it than behind.
            Verdict::Measured(measured) if self.chrony_is_ours() => {
                Verdict::Measured(Measurement {
                    uncertainty_ns: measured.uncertainty_ns.max(self.handed_uncertainty_ns),
                    ..measured
                })
            }
            verdict => verdict,
        }
    }

    /// Tells of a source of chronyd whose time jumped: its measurement excludes the one before, away from the node's
    /// clock, which was not moved meanwhile. Towards it chronyd corrects.
    fn source_moved(&mut self, measured: &Measurement, own_ns: i128, news: &mut News) {
        let before_own_ns = core::mem::replace(&mut self.chrony_own_ns, own_ns);
        let Some(before) = self.standings.chrony.held.filter(|_| !self.void) else {
            return;
        };
        self.moved_in_all(measured, own_ns, news);
        let (own_in_all_ns, own_ns) = (own_ns, own_ns - before_own_ns);
        let moved_ns = i128::from(measured.offset_ns) - i128::from(before.offset_ns) - own_ns;
        let allowed_ns = u128::from(before.bound_ns() - before.offset_ns.unsigned_abs())
            + u128::from(measured.bound_ns() - measured.offset_ns.unsigned_abs())
            + u128::from(SOURCE_STEP_NS_MIN);
        let away = measured.offset_ns.unsigned_abs() > before.offset_ns.unsigned_abs();
        if away && moved_ns.unsigned_abs() > allowed_ns {
            // The node's clock is ahead of a source that went back.
            let by_ns = moved_ns.saturating_neg();
            let cause = TimeCause::SourceStep;
            let from_ns = i128::from(before.offset_ns) - (own_in_all_ns - own_ns);
            self.chrony_moving = Some(Moving::new(measured.taken, from_ns, moved_ns));
            let detail = format!(
                "{}, as chronyd measures it: {}",
                moved(by_ns),
                cause.meaning()
            );
            let count = u64::try_from(by_ns.unsigned_abs()).ok();
            let code = EventCode::TimeSourceMoved;
            news.often(
                About::Motion,
                measured.taken,
                code,
                Some(cause),
                count,
                detail,
            );
        }
    }
    /// Tells how far it jumped in all, once its figures stay: the first one was a part of it.
    fn moved_in_all(&mut self, measured: &Measurement, own_ns: i128, news: &mut News) {
        let Some(moving) = &mut self.chrony_moving else {
            return;
        };
        let figure = moving.take(measured.taken, i128::from(measured.offset_ns) - own_ns);
        if figure != Figure::Open {
            self.chrony_moving = None;
        }
        if let Figure::InAll { by_ns, told_ns } = figure {
            let detail = format!(
                "{} in all; its first figure was {}",
                moved(by_ns.saturating_neg()),
                span(told_ns.unsigned_abs())
            );
            let count = u64::try_from(by_ns.unsigned_abs()).ok();
            let code = EventCode::TimeSourceMovedInAll;
            let cause = Some(TimeCause::SourceStep);
            news.often(About::Motion, measured.taken, code, cause, count, detail);
        }
    }
}
