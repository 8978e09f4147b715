//! What is claimed of a clock, as it is told.

use crate::reading::PtpReading;
use alloc::format;
use alloc::string::{String, ToString};
use evidence::reasons::{EventCode, TimeCause};

/// The event that tells of a cause.
pub(super) const fn claims_code(cause: TimeCause) -> EventCode {
    match cause {
        TimeCause::GrandmasterChange => EventCode::GrandmasterChanged,
        TimeCause::UtcOffset => EventCode::UtcOffsetFault,
        TimeCause::LeapSecond => EventCode::LeapSecond,
        TimeCause::ClassImproved => EventCode::GrandmasterImproved,
        _ => EventCode::GrandmasterDegraded,
    }
}

/// What the grandmaster claims now, in words.
pub(super) fn claims(cause: TimeCause, reading: &PtpReading) -> String {
    match cause {
        TimeCause::GrandmasterChange => {
            format!("now {}, domain {}", reading.gm, reading.domain)
        }
        TimeCause::UtcOffset => format!(
            "TAI minus UTC is {} s, the offset from the master {} ms",
            reading.utc_offset_s,
            rounded_ms(reading.offset_ns)
        ),
        TimeCause::LeapSecond => match reading.time_flags & 0x03 {
            1 => "a minute of 61 seconds is announced".to_string(),
            2 => "a minute of 59 seconds is announced".to_string(),
            _ => "no longer announced".to_string(),
        },
        _ => format!(
            "class {}, accuracy 0x{:02x}",
            reading.gm_class, reading.gm_accuracy
        ),
    }
}

/// Milliseconds, to the nearest.
const fn rounded_ms(ns: i64) -> i64 {
    let half = if ns < 0 { -500_000 } else { 500_000 };
    ns.saturating_add(half) / 1_000_000
}

/// What a stamp rests on where nothing was measured; `flag` is the kernel's "synchronised", where it is known.
pub(super) const fn unmeasured(flag: Option<bool>) -> &'static str {
    match flag {
        None => "CLOCK_REALTIME",
        Some(false) => "CLOCK_REALTIME; the kernel's flag says unsynchronised",
        Some(true) => "CLOCK_REALTIME; the kernel's flag says synchronised, no source was measured",
    }
}
