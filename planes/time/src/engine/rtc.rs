//! The real-time clock beside the kernel's: what it says of itself, how it drifts, and whether it moved.

use super::news::{News, moved};
use super::repeats::About;
use crate::drift::{RtcDrift, RtcEstimate, RtcMove, RtcOutcome};
use crate::limits::RTC_AGREES_NS;
use crate::reading::{RtcReading, RtcVoltage};
use crate::sample::ClockSample;
use alloc::format;
use alloc::string::ToString;
use evidence::reasons::{EventCode, TimeCause};
use evidence::{MonoNs, UtcNs};

/// What was seen of it.
#[derive(Clone, Debug, Default)]
pub(super) struct RtcWatch {
    drift: RtcDrift,
    voltage: Option<RtcVoltage>,
    /// Whether its last reading may be relied upon; `None` before the first.
    valid: Option<bool>,
}

impl RtcWatch {
    /// Takes a reading; `clock` relates the kernel's UTC to monotonic time.
    pub(super) fn take(
        &mut self,
        reading: &RtcReading,
        at: MonoNs,
        clock: &ClockSample,
        news: &mut News,
    ) {
        self.supply(reading, at, news);
        let kernel = clock.difference_ns() + i128::from(at.0);
        let Ok(kernel) = i64::try_from(kernel) else {
            return;
        };
        if let RtcOutcome::Restarted(by) = self.drift.observe(at, UtcNs(kernel), reading) {
            let held = clock.kernel.is_some_and(|kernel| kernel.flag_synchronised);
            if let Some(cause) = cause(&by, held) {
                tell(&by, cause, at, news);
            }
        }
    }

    /// It could not be read: nothing is known of it.
    pub(super) const fn lost(&mut self) {
        self.valid = None;
    }

    /// The kernel's clock was set: against that the other has not drifted.
    pub(super) fn restart(&mut self) {
        self.drift.restart();
    }

    /// Whether it says of itself that its time holds; `None` where it was not read.
    pub(super) const fn is_valid(&self) -> Option<bool> {
        self.valid
    }

    /// How fast it runs against the kernel's.
    pub(super) fn estimate(&self) -> Option<RtcEstimate> {
        self.drift.estimate()
    }

    /// What it says of its battery; a driver without such flags says that its time holds by giving it.
    fn supply(&mut self, reading: &RtcReading, at: MonoNs, news: &mut News) {
        self.valid = Some(!reading.voltage.is_some_and(|voltage| voltage.invalid));
        let Some(voltage) = reading.voltage else {
            return;
        };
        let before = self.voltage.replace(voltage);
        let doubt = voltage.invalid || voltage.backup_low || voltage.backup_empty;
        if doubt && before.as_ref().is_none_or(|before| *before != voltage) {
            let why = if voltage.invalid {
                "its time is invalid"
            } else if voltage.backup_empty {
                "its battery is empty or absent"
            } else {
                "its battery is low"
            };
            let (about, code) = (About::RtcSupply, EventCode::RtcInvalid);
            news.often(about, at, code, None, None, why.to_string());
        }
    }
}

/// Why it moved; `None` where nobody has to be asked: a kernel whose clock is held sets it every eleven
/// minutes, and whoever else set it then set it right.
fn cause(by: &RtcMove, held: bool) -> Option<TimeCause> {
    let agrees =
        by.ahead_ns.unsigned_abs() <= u128::from(by.uncertainty_ns) + u128::from(RTC_AGREES_NS);
    match (held && agrees, by.moved_ns > 0) {
        (true, _) => None,
        (false, true) => Some(TimeCause::RtcRanOn),
        (false, false) => Some(TimeCause::RtcSet),
    }
}

fn tell(by: &RtcMove, cause: TimeCause, at: MonoNs, news: &mut News) {
    let away = if by.ahead_ns < 0 {
        "behind"
    } else {
        "ahead of"
    };
    let detail = format!(
        "{}, now {} ms {away} the node's clock: {}",
        moved(by.moved_ns),
        by.ahead_ns.unsigned_abs() / 1_000_000,
        cause.meaning(),
    );
    let (about, code) = (About::RtcMoved, EventCode::RtcMoved);
    news.moves_often(about, at, code, cause, by.moved_ns, detail);
}
