//! Reads the tables of the station's own points.

use super::model::{Analog, Card, Debounce, DigitalInput, PulseMeter};
use super::remote::line;
use crate::block::Block;
use crate::error::Report;
use crate::limits::{
    CHATTER_TIME_MS_MAX, CHATTER_TIME_MS_MIN, DAY_MS, REMOTE_POLL_MS, SAMPLE_MS_MAX, SAMPLE_MS_MIN,
};
use crate::read::{decimal, duration, id, integer, pair, text, word};
use crate::time::microseconds;
use alloc::string::String;
use evidence::{Decimal, PointId, ScheduleId, SourceId};

type Table<'t, 'i> = Block<'t, 'i>;

/// Stands in for an id that cannot be read, so that the rest is still checked.
fn or_stand_in<T: core::str::FromStr>(read: Option<T>, stand_in: &str) -> Option<T> {
    read.or_else(|| stand_in.parse().ok())
}

fn whole(number: i128) -> Decimal {
    Decimal::new(number, 0).unwrap_or_else(|_| unreachable!("a digit is a decimal"))
}

pub(crate) fn card(id: SourceId, block: &mut Table<'_, '_>, report: &mut Report<'_>) -> Card {
    block.refuse_unknown(report);
    let kind = block.get(report, "kind", super::CardKind::Gpio, word);
    block.refuse_other_kinds(report, "cards", "this card", crate::words::word_of(kind));
    // Its own id stands in for a place, so that no two cards seem to share one.
    let remote = match kind {
        super::CardKind::Modbus => {
            let port = block.get(report, "port", None, |raw| crate::read::id(raw).map(Some));
            Some(super::Remote {
                port: port.unwrap_or_else(|| id.clone()),
                unit: block.get(report, "unit", 1, integer("1 to 247")),
                poll_ms: block.get(report, "poll", 100, duration(REMOTE_POLL_MS)),
            })
        }
        _ => None,
    };
    let path = match remote {
        Some(_) => String::new(),
        None => block.get(report, "path", alloc::format!("/{id}"), text),
    };
    Card {
        kind,
        path,
        buffer: block.get(report, "buffer", 1_024, integer("16 to 1024")),
        remote,
        baud: block.maybe(report, "baud", integer("such as 9600")),
        id,
    }
}

pub(crate) fn policy(id: PointId, block: &mut Table<'_, '_>, report: &mut Report<'_>) -> Debounce {
    block.refuse_unknown(report);
    let time = duration(CHATTER_TIME_MS_MIN..=CHATTER_TIME_MS_MAX);
    Debounce {
        id,
        window_us: block.get(report, "window", 1, microseconds),
        hardware_us: block.get(report, "hardware", 0, microseconds),
        chatter_on: block.get(report, "chatter_on", 0, integer("2 to 1000, or 0")),
        chatter_off: block.get(report, "chatter_off", 0, integer("less than chatter_on")),
        chatter_time_ms: block.get(report, "chatter_time", 1_000, time),
        noise: block.get(report, "noise", 0, integer("1 to 1000, or 0")),
    }
}

/// What lines have in common; `None` only where a stand-in is no id.
struct Wired {
    card: SourceId,
    line: u32,
    active: super::Active,
    bias: super::Bias,
    policy: PointId,
}

fn wired(block: &mut Table<'_, '_>, report: &mut Report<'_>, stand_in: &str) -> Option<Wired> {
    block.refuse_unknown(report);
    let card = block.get(report, "card", None, |raw| id(raw).map(Some));
    let line = block.get(report, "line", 0, line);
    let policy = block.get(report, "debounce", None, |raw| id(raw).map(Some));
    Some(Wired {
        card: or_stand_in(card, stand_in)?,
        line,
        active: block.get(report, "active", super::Active::High, word),
        bias: block.get(report, "bias", super::Bias::AsIs, word),
        policy: or_stand_in(policy, stand_in)?,
    })
}

pub(crate) fn input(
    id: PointId,
    block: &mut Table<'_, '_>,
    report: &mut Report<'_>,
    stand_in: &str,
) -> Option<DigitalInput> {
    let wired = wired(block, report, stand_in)?;
    Some(DigitalInput {
        id,
        card: wired.card,
        line: wired.line,
        active: wired.active,
        bias: wired.bias,
        policy: wired.policy,
        fault_line: block.maybe(report, "fault_line", line),
        fault: block.get(report, "fault", super::WireFault::OpenWire, word),
        name: block.get(report, "name", String::new(), text),
        marker: block.maybe(report, "marker", word),
    })
}

pub(crate) fn pulse(
    id: PointId,
    block: &mut Table<'_, '_>,
    report: &mut Report<'_>,
    stand_in: &str,
) -> Option<PulseMeter> {
    let wired = wired(block, report, stand_in)?;
    let schedule = schedule(block, report);
    Some(PulseMeter {
        id,
        card: wired.card,
        line: wired.line,
        active: wired.active,
        bias: wired.bias,
        policy: wired.policy,
        schedule: or_stand_in(schedule, stand_in)?,
        weight: block.get(report, "weight", whole(1), decimal),
        unit: block.get(report, "unit", String::new(), text),
        capacity: block.maybe(report, "capacity", integer("such as 65536")),
    })
}

pub(crate) fn analog(
    id: PointId,
    block: &mut Table<'_, '_>,
    report: &mut Report<'_>,
    stand_in: &str,
) -> Option<Analog> {
    block.refuse_unknown(report);
    let card = block.get(report, "card", None, |raw| crate::read::id(raw).map(Some));
    let schedule = schedule(block, report);
    Some(Analog {
        id,
        card: or_stand_in(card, stand_in)?,
        channel: block.get(report, "channel", String::from("unreadable"), text),
        schedule: or_stand_in(schedule, stand_in)?,
        sample_ms: block.get(
            report,
            "sample",
            1_000,
            duration(SAMPLE_MS_MIN..=SAMPLE_MS_MAX),
        ),
        scale: block.get(report, "scale", whole(1), decimal),
        offset: block.get(report, "offset", whole(0), decimal),
        unit: block.get(report, "unit", String::new(), text),
        range: block.maybe(report, "range", pair(decimal, "[\"0\", \"100\"]")),
        deadband: block.maybe(report, "deadband", decimal),
        rate_max: block.maybe(report, "rate_max", decimal),
        noise: block.maybe(report, "noise", decimal),
        open_below: block.maybe(report, "open_below", decimal),
        short_above: block.maybe(report, "short_above", decimal),
        stale_ms: block.maybe(report, "stale", duration(SAMPLE_MS_MIN..=DAY_MS)),
        calibration: block.maybe(report, "calibration", text),
        calibrated: block.maybe(report, "calibrated", text),
        calibrated_by: block.maybe(report, "calibrated_by", text),
    })
}

fn schedule(block: &mut Table<'_, '_>, report: &mut Report<'_>) -> Option<ScheduleId> {
    block.get(report, "schedule", None, |raw| id(raw).map(Some))
}
