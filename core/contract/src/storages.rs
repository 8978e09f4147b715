//! What an M-Bus meter keeps of its own under storage numbers, each with the time that it is of (U3).

use crate::block::Block;
use crate::error::Report;
use crate::limits::DAY_MS;
use crate::memory::meets;
use crate::model::{Meter, Point, PortKind, Schedule};
use crate::read::{duration, integer, word};
use crate::rules::{Problems, shown_ms};
use alloc::format;

/// Values of the past in each readout, one storage number for each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storages {
    /// How many.
    pub count: u16,
    /// The time from one to the next; their times are multiples of it.
    pub every_ms: u64,
    /// Which instant a date without a time of day is; without it such a date tells no time.
    pub dates: Option<StorageDate>,
}

/// Which instant of a day its values are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageDate {
    /// Its first.
    Begin,
    /// Its last: the first of the next day.
    End,
}

/// Most storage numbers that are looked through.
const STORAGES_MAX: u16 = 1_000;
const KEYS: [&str; 2] = ["storages", "storage_every"];
const DATES: &str = "storage_dates";

impl Storages {
    /// Takes the keys together: the first two or none.
    pub(crate) const fn of(
        count: Option<u16>,
        every_ms: Option<u64>,
        dates: Option<StorageDate>,
    ) -> Result<Option<Self>, ()> {
        match (count, every_ms, dates) {
            (None, None, None) => Ok(None),
            (Some(count), Some(every_ms), dates) => Ok(Some(Self {
                count,
                every_ms,
                dates,
            })),
            _ => Err(()),
        }
    }
}

impl Meter {
    /// How far back the meter remembers: the time from one record to the next, in milliseconds, and how many it has.
    #[must_use]
    pub fn remembers(&self) -> Option<(u64, u16)> {
        let memory = self.memory.map(|memory| (memory.every_ms, memory.records));
        memory.or_else(|| self.storages.map(|one| (one.every_ms, one.count)))
    }

    /// Whether what it remembers has a point: by its place in a record of registers, or by its meaning.
    #[must_use]
    pub fn recalls(&self, point: &Point) -> bool {
        match (self.memory, self.storages) {
            (Some(_), _) => point.memory_offset.is_some(),
            (None, Some(_)) => is_stored(point),
            (None, None) => false,
        }
    }
}

/// A point that is selected by its meaning is stored with the same one; what is of a storage is of the past itself.
fn is_stored(point: &Point) -> bool {
    point.record().is_some_and(|pick| {
        pick.place.is_none() && pick.quantity.is_some() && pick.storage.unwrap_or(0) == 0
    })
}

/// What a file says of it.
pub(crate) fn storages(
    block: &mut Block<'_, '_>,
    report: &mut Report<'_>,
    on_mbus: bool,
) -> Option<Storages> {
    if !on_mbus {
        return None;
    }
    let count = block.maybe(report, "storages", integer("1 to 1000"));
    let every_ms = block.maybe(report, "storage_every", duration(1_000..=DAY_MS));
    let dates = block.maybe(report, DATES, word);
    let missing = KEYS.into_iter().find(|key| !block.has(key));
    if let Some(missing) = missing
        && KEYS.into_iter().chain([DATES]).any(|key| block.has(key))
    {
        let mut out = Problems::default();
        out.add(
            &["storages", "storage_every", DATES],
            format!("`{missing}` is missing"),
            "what a meter stores has `storages` and `storage_every`",
        );
        for problem in out.0 {
            block.problem(report, problem);
        }
    }
    Storages::of(count, every_ms, dates).ok().flatten()
}

/// Of what a meter stores.
pub(crate) fn rules(
    meter: &Meter,
    on: Option<&PortKind>,
    schedule: Option<&Schedule>,
    out: &mut Problems,
) {
    let Some(storages) = meter.storages else {
        return;
    };
    out.unless(
        matches!(on, Some(PortKind::Mbus(_)) | None),
        &["storages", "port"],
        "storage numbers, of a meter on no M-Bus",
        "remove the line",
    );
    out.unless(
        (1..=STORAGES_MAX).contains(&storages.count),
        &["storages"],
        format!("{} storage numbers", storages.count),
        format!("write 1 to {STORAGES_MAX}"),
    );
    out.unless(
        (1_000..=DAY_MS).contains(&storages.every_ms) && storages.every_ms.is_multiple_of(1_000),
        &["storage_every"],
        format!("a value stored every {}", shown_ms(storages.every_ms)),
        "write whole seconds, 1s to 1d",
    );
    if let Some(schedule) = schedule {
        out.unless(
            meets(meter, schedule, storages.every_ms),
            &["storage_every", "schedule"],
            format!(
                "no value stored every {} is of the time of each slot of \"{}\", every {}",
                shown_ms(storages.every_ms),
                schedule.id,
                shown_ms(schedule.every_ms)
            ),
            "a slot's time by the meter's clock is a multiple of `storage_every`: `clock_zone` counts, and the `offset` of the schedule",
        );
    }
    out.unless(
        meter.points.iter().any(is_stored),
        &["storages", "profile", "point"],
        "no point of the meter is selected by its meaning as a value of now, so that none can be found again under a storage number",
        "give one a `quantity`, and neither `record` nor `storage`; or remove the line",
    );
}
