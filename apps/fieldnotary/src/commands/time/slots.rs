//! `fieldnotary time slots`: the interval slots of a day, what filled them, and which are not as they should be.

use super::{each, said};
use crate::cli::TimeSlotsArgs;
use crate::commands::Ended;
use crate::commands::ink::{Ink, ink};
use crate::commands::table::{Align, Table};
use crate::commands::words;
use query::{Crossed, SlotAccount, SlotCause, SlotQuestion, SlotReport, ZoneDay};
use time_plane::slots::{Crossing, Day, DayError, Grade};

/// Where no tolerance is asked for, a slot is divided by so much.
const TOLERANCE_PARTS: u64 = 100;
const NS_PER_MS: u64 = 1_000_000;

/// Shows a day. Ends badly where a slot is not filled, or a step of the clock crossed a boundary.
pub(super) fn slots(args: &TimeSlotsArgs) -> Result<Ended, String> {
    let zoned = ZoneDay::of(&args.day, &args.zone)?;
    let day = day_of(&zoned, args.every)?;
    let tolerance_ns = args.tolerance.unwrap_or(args.every / TOLERANCE_PARTS);
    if tolerance_ns >= day.length_ns().div_ceil(2) {
        return Err(format!(
            "a tolerance of {} reaches into the neighbours of a slot of {}: less than half of a slot is right",
            words::span(tolerance_ns / NS_PER_MS),
            words::span(day.length_ns() / NS_PER_MS)
        ));
    }
    let mut account = SlotAccount::new(SlotQuestion {
        day,
        tolerance_ns,
        meter: args.meter.clone(),
    });
    each(&args.dir, |entry| account.observe(entry))?;
    let report = account.report();
    if let Some(meter) = args.meter.as_ref().filter(|_| report.points.is_empty()) {
        let known = account.meters();
        let known: Vec<&str> = known.iter().map(|meter| meter.as_str()).collect();
        complain!(
            "fieldnotary: the log knows no meter {:?}; its meters are: {}",
            meter.as_str(),
            known.join(", ")
        );
        return Ok(Ended::Badly);
    }
    match args.json {
        true => sayln!("{}", report.json(&zoned)),
        false => say!("{}", screen(&report, &zoned)),
    }
    Ok(match report.is_whole() {
        true => Ended::Well,
        false => Ended::Badly,
    })
}

fn day_of(zoned: &ZoneDay, every_ns: u64) -> Result<Day, String> {
    let (date, zone) = (&zoned.date, &zoned.zone);
    if zoned.begin == zoned.end {
        return Err(format!(
            "{zone} had no {date}: its clocks went over it; ask for the day before or behind"
        ));
    }
    Day::new(zoned.begin, zoned.end, every_ns).map_err(|error| {
        let why = match error {
            DayError::Length { length_ns } => format!(
                "slots of {} are not made: 1 s to 1 d is right",
                words::nanoseconds(length_ns)
            ),
            DayError::Ragged { off_ns } => format!(
                "its begin and end do not both lie on a boundary of such slots, one lies {} before",
                words::nanoseconds(off_ns)
            ),
            DayError::Span { .. } => error.to_string(),
        };
        format!(
            "{date} in {zone}, from {} to {}: {why}\n\
             --every takes what divides the day and its distance from UTC, such as 15min",
            words::time(zoned.begin),
            words::time(zoned.end)
        )
    })
}

pub(super) fn screen(report: &SlotReport, zoned: &ZoneDay) -> String {
    let day = &report.day;
    let title = report
        .origin
        .as_deref()
        .unwrap_or("a log without a configuration");
    let mut out = format!(
        "{title}\n{} in {}: {} of {}, from {} to {} (zone data {}); filled within {} of its boundary\n\n",
        zoned.date,
        zoned.zone,
        words::count(day.count().into(), "slot", "slots"),
        words::span(day.length_ns() / NS_PER_MS),
        minute(day, 0),
        minute(day, day.count()),
        ZoneDay::data_version(),
        words::nanoseconds(report.tolerance_ns),
    );
    if report.points.is_empty() {
        return out + "the log expects no readings\n";
    }
    out += &points(report).to_string();
    let stretches = stretches(report);
    if report.points.iter().any(|one| !one.stretches.is_empty()) {
        out += &format!("\n{stretches}");
    }
    if !report.crossings.is_empty() {
        out += &format!("\n{}", crossings(&report.crossings, day));
    }
    out
}

fn points(report: &SlotReport) -> Table<11> {
    let mut table = Table::new(&[
        ("meter", Align::Left),
        ("point", Align::Left),
        ("source", Align::Left),
        ("filled", Align::Right),
        ("early", Align::Right),
        ("late", Align::Right),
        ("empty", Align::Right),
        ("not in the log", Align::Right),
        ("unsure", Align::Right),
        ("farthest off", Align::Right),
        ("error bound to", Align::Right),
    ]);
    let counted = |count: u32, colour| match count {
        0 => "0".to_owned(),
        _ => ink(colour, &count.to_string()),
    };
    for one in &report.points {
        let counts = &one.counts;
        let bound = match (counts.unbounded, counts.off_ns_worst) {
            (_, None) => "-".to_owned(),
            (0, _) => said::bound(counts.bound_ns_max),
            (_, _) => said::bound(None),
        };
        table.row([
            one.meter.to_string(),
            one.point.to_string(),
            one.source.to_string(),
            counts.filled.to_string(),
            counted(counts.early, Ink::Odd),
            counted(counts.late, Ink::Odd),
            counted(counts.empty, Ink::Bad),
            (counts.to_come + counts.before_log).to_string(),
            counted(counts.unsure, Ink::Odd),
            off(counts.off_ns_worst),
            bound,
        ]);
    }
    table
}

/// `+2.0 s` behind the boundary, `-2.0 s` before it.
fn off(off_ns: Option<i64>) -> String {
    off_ns.map_or_else(
        || "-".to_owned(),
        |ns| {
            let sign = if ns < 0 { '-' } else { '+' };
            format!("{sign}{}", words::nanoseconds(ns.unsigned_abs()))
        },
    )
}

fn stretches(report: &SlotReport) -> Table<8> {
    let mut table = Table::new(&[
        ("meter", Align::Left),
        ("point", Align::Left),
        ("first slot (UTC)", Align::Left),
        ("last slot (UTC)", Align::Left),
        ("slots", Align::Right),
        ("are", Align::Left),
        ("class and cause", Align::Left),
        ("explained by", Align::Left),
    ]);
    for one in &report.points {
        for stretch in &one.stretches {
            let (why, entry) = match (&stretch.cause, stretch.grade) {
                (Some(cause), _) => (class_and_cause(cause), said::entry(cause.entry)),
                (None, Grade::Empty) => (ink(Ink::Bad, "UNEXPLAINED"), said::entry(None)),
                (None, _) => (off(stretch.off_ns), said::entry(None)),
            };
            table.row([
                one.meter.to_string(),
                one.point.to_string(),
                minute(&report.day, stretch.first),
                minute(&report.day, stretch.last),
                stretch.slots().to_string(),
                stretch.grade.name().to_owned(),
                why,
                entry,
            ]);
        }
    }
    table
}

fn class_and_cause(cause: &SlotCause) -> String {
    match cause.class == cause.cause {
        true => cause.class.to_owned(),
        false => format!("{} {}", cause.class, cause.cause),
    }
}

fn crossings(crossed: &[Crossed], day: &Day) -> Table<4> {
    let mut table = Table::new(&[
        ("boundary (UTC)", Align::Left),
        ("crossed by a clock that", Align::Left),
        ("why", Align::Left),
        ("shown by", Align::Left),
    ]);
    for one in crossed {
        let doubt = match one.crossing {
            Crossing::Certain => "",
            Crossing::Possible => ", perhaps not at this boundary",
        };
        table.row([
            minute(day, one.slot),
            format!("{}{doubt}", said::jump(&one.jump)),
            said::cause(&one.jump),
            said::proof(&one.jump),
        ]);
    }
    table
}

/// A boundary to the second, and to the millisecond where it has one.
fn minute(day: &Day, slot: u32) -> String {
    let shown = words::time(day.boundary(slot));
    match shown.strip_suffix(".000Z") {
        Some(seconds) => format!("{seconds}Z"),
        None => shown,
    }
}
