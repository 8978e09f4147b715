//! The `[time]` table whole: its keys, how it is read, what must hold of it.

use crate::block::Block;
use crate::error::{Report, wrong};
use crate::keys::{Key, Preset, Section, key};
use crate::limits::{
    OFFERED_MAX, SOCKET_PATH_BYTES_MAX, TIME_BUDGET_US_MIN, TIME_LIMIT_US_MAX, TIME_LIMIT_US_MIN,
};
use crate::model::{Oscillator, PtpMode, Time};
use crate::offered;
use crate::read::{Raw, Value, integer, text, word};
use crate::rules::{Problems, shown_us};
use alloc::format;

/// The table.
pub(crate) const TIME: Section = Section {
    header: "[time]",
    doc: "What the clock is measured against, and when a stamp may say SYNCED. Without this table nothing is \
        measured, and every stamp says RTC_ONLY.",
    keys: KEYS,
};

const NONE: Preset = Preset::Stated("none");

const KEYS: &[Key] = &[
    key(
        "limit",
        "duration",
        Preset::Text("100ms"),
        "A stamp says SYNCED while the error bound of the clock is within this: 1us to 10s.",
    ),
    key(
        "budget",
        "duration",
        NONE,
        "What a reading may take in its node's queues, and what a commit may take; longer than that is an \
            event: 1ms to 10s.",
    ),
    key(
        "oscillator",
        "word",
        Preset::Text("xo"),
        "What the clock runs on, until it has been seen at work: `xo`, `tcxo`, `ocxo` or `rubidium`.",
    ),
    key(
        "ptp",
        "path",
        NONE,
        "The management socket of ptp4l, such as `/var/run/ptp4l`.",
    ),
    key(
        "ptp_mode",
        "word",
        Preset::Text("disciplines"),
        "`disciplines` where ptp4l steers the clock; `free-running` where it only measures, and its port \
            stays uncalibrated for ever.",
    ),
    key(
        "ptp_domain",
        "integer",
        Preset::Number(0),
        "The PTP domain in which ptp4l is asked, and the only one that is believed: 0 to 255.",
    ),
    key(
        "ptp_class_max",
        "integer",
        Preset::Number(7),
        "The worst clockClass of a grandmaster that is believed: 6 is locked to its reference, 7 in holdover \
            within its specification, 248 the class of a clock that nobody set.",
    ),
    key(
        "ptp_asymmetry",
        "duration",
        Preset::Stated("the whole mean path delay"),
        "The most by which one direction of the path to the grandmaster is longer than the other: 1us to 10s.",
    ),
    key(
        "ptp_timestamping",
        "word",
        NONE,
        "`software` or `hardware`, where ptp4l does not tell: its read-only socket does not. A port of which \
            nobody says it is not believed, for a network card's clock says nothing of the node's.",
    ),
    key(
        "chrony",
        "path",
        NONE,
        "The command socket of chronyd, such as `/run/chrony/chronyd.sock`.",
    ),
    key(
        "rtc",
        "path",
        NONE,
        "The real-time clock, such as `/dev/rtc0`: its drift and its battery are watched.",
    ),
    key(
        "thermal",
        "path",
        NONE,
        "A file of the kernel that gives the temperature near the oscillator in thousandths of a degree, \
            such as `/sys/class/hwmon/hwmon0/temp1_input`.",
    ),
    key(
        "refclock",
        "path",
        NONE,
        "The socket of chronyd's `refclock SOCK`, such as `/run/chrony/fieldnotary.sock`: offered times that are \
            taken go there.",
    ),
    key(
        "offered",
        "tables",
        NONE,
        "Who may offer the time, one `[[time.offered]]` for each.",
    ),
];

const UNITS: [(&str, u64); 3] = [("us", 1), ("ms", 1_000), ("s", 1_000_000)];

/// A duration in microseconds.
pub(crate) fn microseconds(raw: &Raw<'_, '_>) -> Value<u64> {
    const ADVICE: &str = "write a whole number and us, ms or s, in quotes, such as \"500us\"";
    let Raw::Text(text) = raw else {
        return Err(raw.not("a duration", ADVICE));
    };
    let bad = || wrong(format!("\"{text}\" is not a duration"), ADVICE);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at_checked(digits).ok_or_else(bad)?;
    let factor = UNITS.iter().find(|(name, _)| *name == unit);
    let (count, (_, factor)) = count.parse::<u64>().ok().zip(factor).ok_or_else(bad)?;
    count.checked_mul(*factor).ok_or_else(bad)
}

/// Reads the table.
pub(crate) fn read(block: &mut Block<'_, '_>, report: &mut Report<'_>) -> Time {
    block.refuse_unknown(report);
    Time {
        limit_us: block.get(report, "limit", 100_000, microseconds),
        budget_us: block.maybe(report, "budget", microseconds),
        oscillator: block.get(report, "oscillator", Oscillator::Xo, word),
        ptp: block.maybe(report, "ptp", text),
        ptp_mode: block.get(report, "ptp_mode", PtpMode::Disciplines, word),
        ptp_domain: block.maybe(report, "ptp_domain", integer("0 to 255")),
        ptp_class_max: block.get(report, "ptp_class_max", 7, integer("0 to 255")),
        ptp_asymmetry_us: block.maybe(report, "ptp_asymmetry", microseconds),
        ptp_timestamping: block.maybe(report, "ptp_timestamping", word),
        chrony: block.maybe(report, "chrony", text),
        rtc: block.maybe(report, "rtc", text),
        thermal: block.maybe(report, "thermal", text),
        refclock: block.maybe(report, "refclock", text),
        offered: offered::read(block, report),
    }
}

/// What must hold of it.
pub(crate) fn rules(time: &Time) -> Problems {
    let mut out = Problems::default();
    let allowed = TIME_LIMIT_US_MIN..=TIME_LIMIT_US_MAX;
    out.unless(
        allowed.contains(&time.limit_us),
        &["limit"],
        format!("a limit of {}", shown_us(time.limit_us)),
        "write \"1us\" to \"10s\"",
    );
    if let Some(budget_us) = time.budget_us {
        out.unless(
            (TIME_BUDGET_US_MIN..=TIME_LIMIT_US_MAX).contains(&budget_us),
            &["budget"],
            format!("a budget of {}", shown_us(budget_us)),
            "write \"1ms\" to \"10s\"",
        );
    }
    if let Some(asymmetry_us) = time.ptp_asymmetry_us {
        out.unless(
            allowed.contains(&asymmetry_us),
            &["ptp_asymmetry"],
            format!("an asymmetry of {}", shown_us(asymmetry_us)),
            "write \"1us\" to \"10s\"",
        );
    }
    out.unless(
        time.offered.len() <= OFFERED_MAX,
        &["offered"],
        format!("{} senders of the time", time.offered.len()),
        format!("at most {OFFERED_MAX} on one node"),
    );
    out.unless(
        time.refclock.is_none() || !time.offered.is_empty(),
        &["refclock"],
        "nobody's time would go there",
        "write a [[time.offered]] for each sender whose time is taken, or leave it out",
    );
    if let Some(socket) = &time.refclock {
        out.unless(
            socket.len() <= SOCKET_PATH_BYTES_MAX,
            &["refclock"],
            format!("a path of {} bytes", socket.len()),
            format!("a socket's path has at most {SOCKET_PATH_BYTES_MAX}"),
        );
    }
    for (keys, place, such_as) in [
        (&["ptp"], &time.ptp, "/var/run/ptp4l"),
        (&["chrony"], &time.chrony, "/run/chrony/chronyd.sock"),
        (&["rtc"], &time.rtc, "/dev/rtc0"),
        (
            &["thermal"],
            &time.thermal,
            "/sys/class/hwmon/hwmon0/temp1_input",
        ),
        (
            &["refclock"],
            &time.refclock,
            "/run/chrony/fieldnotary.sock",
        ),
    ] {
        let Some(place) = place else { continue };
        let what = match place.trim().is_empty() {
            true => "the path is empty".into(),
            false => format!("\"{place}\" is not a whole path"),
        };
        let advice = format!("write it from the root on, such as \"{such_as}\", or leave it out");
        out.unless(place.starts_with('/'), keys, what, advice);
    }
    out
}
