//! What meters say of themselves and what was judged of them, in words.

use crate::commands::words;
use evidence::UtcNs;
use evidence::kinds::{Backfill, ClockOrder, ClockSet, MeterLife, MeterReport, Opaque};
use evidence::reasons::{ClockReason, MeterFinding};

/// `m07 #12: 12345678 LUG, status 00h, access number 5, its clock 2026-11-29T12:00:00`.
pub(super) fn report_words(report: &MeterReport) -> String {
    let mut out = format!("{} #{}:", report.meter_id, report.seq.0);
    for name in [&report.serial, &report.manufacturer].into_iter().flatten() {
        out += &format!(" {name}");
    }
    if let Some(status) = report.status {
        out += &format!(", status {status:02X}h");
    }
    if let Some(number) = report.access_number {
        out += &format!(", access number {number}");
    }
    if let Some(clock) = &report.clock {
        out += &format!(", its clock {clock}");
    }
    out
}

/// `m07/energy rollover: 99999.8 in seq 41, then 0.2 in seq 42`.
pub(in crate::commands) fn life_words(life: &MeterLife) -> String {
    let mut out = life.meter_id.to_string();
    if let Some(point) = &life.point_id {
        out += &format!("/{point}");
    }
    out += &format!(" {}: ", life.finding.name());
    if life.finding == MeterFinding::Clock {
        return out + &clock_words(life);
    }
    let mut parts = Vec::new();
    if let (Some(before), Some(serial)) = (&life.serial_before, &life.serial) {
        parts.push(format!("{before} before, now {serial}"));
    }
    if let (Some(value), Some(seq)) = (life.before, life.before_seq) {
        parts.push(format!("{value} in seq {}", seq.0));
    }
    if let (Some(value), Some(seq)) = (life.about_value, life.about_seq) {
        parts.push(format!("then {value} in seq {}", seq.0));
    }
    if let Some(value) = life.value {
        parts.push(format!("then {value} in seq {}", life.seq.0));
    }
    out + &parts.join(", ")
}

fn clock_words(life: &MeterLife) -> String {
    let class = life.clock_class.map_or("", |class| class.name());
    let offset = life.offset_ns.unwrap_or(0);
    let way = if offset < 0 { "behind" } else { "ahead" };
    let by = apart(offset.unsigned_abs());
    match life.bound_ns {
        Some(bound) => format!(
            "{class}, {by} {way} to within {}",
            words::nanoseconds(bound)
        ),
        None => format!("{class}, {by} {way} by our clock, which nobody bounds"),
    }
}

/// How far two clocks are apart, to the second from ten of them on: nothing is cut off that a bound of a second does not cover.
fn apart(ns: u64) -> String {
    const S_NS: u64 = 1_000_000_000;
    let s = ns.saturating_add(S_NS / 2) / S_NS;
    match s {
        0..10 => words::nanoseconds(ns),
        10..120 => format!("{s} s"),
        120..7_200 => format!("{} min {} s", s / 60, s % 60),
        _ => format!("{} h {} min {} s", s / 3_600, s / 60 % 60, s % 60),
    }
}

/// `m07/profile 80 bytes application/octet-stream, sha256 0a1b...`.
pub(super) fn opaque_words(opaque: &Opaque) -> String {
    format!(
        "{}/{} {} {}, sha256 {}",
        opaque.meter_id,
        opaque.point_id,
        words::count(opaque.length_bytes, "byte", "bytes"),
        opaque.content_type,
        opaque.sha256
    )
}

/// `m07/energy 661.51, slot 1:2000000 of schedule quarter, record 95 of its memory`.
pub(super) fn backfill_words(filled: &Backfill) -> String {
    let slot = format!("slot {} of schedule {}", filled.slot, filled.schedule);
    let (Some(point), Some(record)) = (&filled.point_id, filled.record) else {
        return format!("{}: its memory has nothing of {slot}", filled.meter_id);
    };
    let value = filled
        .value
        .map_or("no value".to_owned(), |value| value.to_string());
    format!(
        "{}/{point} {value}, {slot}, record {record} of its memory",
        filled.meter_id
    )
}

/// `m07: its clock is to be set, ada (uid 1000): it runs off`.
pub(super) fn clock_order_words(order: &ClockOrder) -> String {
    format!(
        "{}: its clock is to be set, {}: {}",
        order.meter_id, order.actor, order.reason
    )
}

/// `m07 told, its clock to 2026-11-29 13:00:01, by entry 4711`.
pub(in crate::commands) fn clock_set_words(set: &ClockSet) -> String {
    let to = set.meter_time_s.map_or_else(String::new, |shows_s| {
        format!(", its clock to {}", shown_s(shows_s))
    });
    let why = match set.reason {
        ClockReason::None => String::new(),
        reason => format!(" ({reason}): {}", reason.meaning()),
    };
    let code = set
        .exception
        .map_or_else(String::new, |code| format!(", with code {code}"));
    format!(
        "{} {}{why}{code}{to}, by entry {}",
        set.meter_id, set.outcome, set.order
    )
}

/// What a clock shows, without a zone: the meter's own is meant.
fn shown_s(seconds: i64) -> String {
    let utc = words::time(UtcNs(seconds.saturating_mul(1_000_000_000)));
    utc.trim_end_matches('Z').to_owned()
}

#[cfg(test)]
mod tests {
    use super::apart;

    //= U6
    #[test]
    fn what_two_clocks_are_apart_is_told_to_the_second() {
        for (ms, said) in [
            (999, "999.0 ms"),
            (9_999, "10 s"),
            (90_400, "90 s"),
            (239_300, "3 min 59 s"),
            (239_700, "4 min 0 s"),
            (3_599_000, "59 min 59 s"),
            (90_061_000, "25 h 1 min 1 s"),
        ] {
            assert_eq!(apart(ms * 1_000_000), said);
        }
    }
}
