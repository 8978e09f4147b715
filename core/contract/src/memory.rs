//! A meter's own memory, its load profile: where its records are and what they hold (U3).

use crate::block::Block;
use crate::error::Report;
use crate::item::records;
use crate::limits::{DAY_MS, READ_REGISTERS_MAX, REGISTERS};
use crate::model::{Meter, Point, PortKind, Schedule, Table};
use crate::read::{duration, integer, register, word};
use crate::rules::{Problems, shown_ms};
use alloc::format;

/// The records of a meter's memory: a table in registers, each record of one length and with its time in its first two
/// registers, as seconds since 1970 by the meter's clock, the high word first; 0 in one that is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Holding or input registers.
    pub table: Table,
    /// The first register of the first record.
    pub first: u16,
    /// Records.
    pub records: u16,
    /// Registers of a record.
    pub width: u16,
    /// The time from one record to the next; their times are multiples of it.
    pub every_ms: u64,
    /// Where the newest is.
    pub order: MemoryOrder,
}

/// Where the newest record of a memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryOrder {
    /// At the first place; all others move on when one is added.
    NewestFirst,
    /// Somewhere: a new one takes the place of the oldest, behind the newest.
    Ring,
}

records! { Memory { 0 table; 1 first; 2 records; 3 width; 4 every_ms; 5 order; } }

/// The keys of a meter that speak of its memory.
const KEYS: [&str; 5] = [
    "memory",
    "memory_records",
    "memory_width",
    "memory_every",
    "memory_order",
];
/// Registers of a record's time.
pub(crate) const TIME_REGISTERS: u16 = 2;
const MS_PER_MIN: i64 = 60_000;
/// Most records of a memory that is read.
const RECORDS_MAX: u16 = 32_767;

/// What a file says of a meter's memory.
pub(crate) fn memory(block: &mut Block<'_, '_>, report: &mut Report<'_>) -> Option<Memory> {
    let place = block.maybe(report, "memory", register);
    let records = block.maybe(report, "memory_records", integer("1 to 32767"));
    let width = block.maybe(report, "memory_width", integer("3 to 125 registers"));
    let every_ms = block.maybe(report, "memory_every", duration(1_000..=DAY_MS));
    let order = block.maybe(report, "memory_order", word);
    let written = KEYS.into_iter().find(|key| block.has(key))?;
    for key in KEYS.iter().take(4) {
        if !block.has(key) {
            let mut out = Problems::default();
            out.add(
                &KEYS,
                format!("`{written}` is of a memory, and `{key}` is missing"),
                "a memory has `memory`, `memory_records`, `memory_width` and `memory_every`",
            );
            for problem in out.0 {
                block.problem(report, problem);
            }
            break;
        }
    }
    let (table, first) = place?;
    Some(Memory {
        table,
        first,
        records: records?,
        width: width?,
        every_ms: every_ms?,
        order: order.unwrap_or(MemoryOrder::NewestFirst),
    })
}

/// Of a meter's memory, and of the points that it holds.
pub(crate) fn rules(
    meter: &Meter,
    on: Option<&PortKind>,
    schedule: Option<&Schedule>,
    out: &mut Problems,
) {
    let held = meter
        .points
        .iter()
        .find(|point| point.memory_offset.is_some());
    let Some(memory) = meter.memory else {
        if let Some(point) = held {
            out.add(
                &[
                    "memory",
                    "memory_records",
                    "memory_width",
                    "memory_every",
                    "profile",
                    "point",
                ],
                format!(
                    "point \"{}\" has `memory_offset`, and the meter no memory",
                    point.id
                ),
                "say where its records are with `memory`, or remove the line",
            );
        }
        return;
    };
    layout(memory, on, out);
    if let Some(schedule) = schedule {
        out.unless(
            meets(meter, schedule, memory.every_ms),
            &["memory_every", "schedule"],
            format!(
                "no record every {} is of the time of each slot of \"{}\", every {}",
                shown_ms(memory.every_ms),
                schedule.id,
                shown_ms(schedule.every_ms)
            ),
            "a slot's time by the meter's clock is a multiple of `memory_every`: `clock_zone` counts, and the `offset` of the schedule",
        );
    }
    out.unless(
        held.is_some(),
        &["memory", "profile", "point"],
        "no point of the meter is in its memory",
        "give a point `memory_offset`, or remove the line",
    );
    let width = u32::from(memory.width);
    let past = |point: &&Point| {
        let Some((offset, register)) = point.memory_offset.zip(point.register()) else {
            return false;
        };
        u32::from(offset) + u32::from(register.width()) > width
    };
    if let Some(point) = meter.points.iter().find(past) {
        out.add(
            &["memory_width", "profile", "point"],
            format!("point \"{}\" ends behind the {width} registers of a record", point.id),
            "its `memory_offset` counts registers from the beginning of the record, the time being at 0",
        );
    }
}

/// Whether the slots of a schedule are at multiples of a time by the meter's clock, as its records are.
pub(crate) fn meets(meter: &Meter, schedule: &Schedule, every_ms: u64) -> bool {
    let every_ms = i64::try_from(every_ms).unwrap_or(i64::MAX).max(1);
    let zone_ms = meter.clock_zone_min.unwrap_or(0).saturating_mul(MS_PER_MIN);
    let of = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    let first_ms = of(schedule.offset_ms).saturating_add(zone_ms);
    of(schedule.every_ms) % every_ms == 0 && first_ms.rem_euclid(every_ms) == 0
}

/// Of where the records are.
fn layout(memory: Memory, on: Option<&PortKind>, out: &mut Problems) {
    out.unless(
        !matches!(on, Some(PortKind::Mbus(_))),
        &["memory", "port"],
        "a memory in registers, of a meter on an M-Bus",
        "remove the line",
    );
    out.unless(
        matches!(memory.table, Table::Holding | Table::Input),
        &["memory"],
        "a memory of bits",
        "write a register of `holding` or `input`",
    );
    let width = u32::from(memory.width);
    out.unless(
        width > u32::from(TIME_REGISTERS) && width <= READ_REGISTERS_MAX,
        &["memory_width"],
        format!("a record of {width} registers"),
        format!(
            "its time has two and a value one at least, and one read carries {READ_REGISTERS_MAX}"
        ),
    );
    let end = u32::from(memory.first) + u32::from(memory.records) * width;
    out.unless(
        (1..=RECORDS_MAX).contains(&memory.records) && end <= REGISTERS,
        &["memory_records", "memory", "memory_width"],
        format!(
            "{} records of {width} registers from {} on",
            memory.records, memory.first
        ),
        format!(
            "they end at address 65535 at the latest: at most {}",
            (REGISTERS - u32::from(memory.first)) / width.max(1)
        ),
    );
    out.unless(
        (1_000..=DAY_MS).contains(&memory.every_ms) && memory.every_ms.is_multiple_of(1_000),
        &["memory_every"],
        format!("a record every {}", shown_ms(memory.every_ms)),
        "write whole seconds, 1s to 1d",
    );
}

/// Of a point that a memory holds.
pub(crate) fn point_rules(point: &Point, out: &mut Problems) {
    let Some(offset) = point.memory_offset else {
        return;
    };
    out.unless(
        offset >= TIME_REGISTERS,
        &["memory_offset"],
        format!("register {offset} of a record is its time"),
        "write 2 or more",
    );
    let registers = point
        .register()
        .is_some_and(|register| matches!(register.table, Table::Holding | Table::Input));
    out.unless(
        registers,
        &["memory_offset"],
        "a point that is no register, in a memory of registers",
        "remove the line",
    );
}

/// Points of memories, of all meters.
pub(crate) fn points(contract: &crate::model::Contract) -> u64 {
    let of = |meter: &Meter| {
        let held = meter.points.iter().filter(|point| meter.recalls(point));
        u64::try_from(held.count()).unwrap_or(u64::MAX)
    };
    contract.meters.values().map(of).sum()
}
