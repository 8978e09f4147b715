//! Meters in the canonical form: each names its point list by its place.

use crate::clock_set::{ClockSetting, ClockTelegram};
use crate::item::records;
use crate::limits::POINTS_MAX;
use crate::model::{Address, MbusAddress, Memory, Meter, Point, StorageDate, Storages};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use evidence::{MeterId, ScheduleId, SourceId};

records! {
    MeterRow { 0 id; 1 port; 2 unit; 3 schedule; 4 list; 5 timeout_ms; 6 retries; 7 mbus; 8 clock_zone_min; 9 memory; 10 clock_register;
        11 clock_telegram; 12 storages; 13 storage_every_ms; 14 storage_dates; }
}

/// A meter with the place of its point list.
pub(super) struct MeterRow {
    id: MeterId,
    port: SourceId,
    unit: Option<u8>,
    schedule: ScheduleId,
    list: u64,
    timeout_ms: Option<u64>,
    retries: Option<u32>,
    mbus: Option<MbusAddress>,
    clock_zone_min: Option<i64>,
    memory: Option<Memory>,
    clock_register: Option<u16>,
    clock_telegram: Option<ClockTelegram>,
    storages: Option<u16>,
    storage_every_ms: Option<u64>,
    storage_dates: Option<StorageDate>,
}

impl MeterRow {
    pub(super) fn of(meter: &Meter, list: u64) -> Self {
        Self {
            id: meter.id.clone(),
            port: meter.port.clone(),
            unit: meter.unit(),
            schedule: meter.schedule.clone(),
            list,
            timeout_ms: meter.timeout_ms,
            retries: meter.retries,
            clock_zone_min: meter.clock_zone_min,
            memory: meter.memory,
            clock_register: meter.clock_setting.and_then(ClockSetting::register),
            clock_telegram: meter.clock_setting.and_then(ClockSetting::telegram),
            storages: meter.storages.map(|storages| storages.count),
            storage_every_ms: meter.storages.map(|storages| storages.every_ms),
            storage_dates: meter.storages.and_then(|storages| storages.dates),
            mbus: match &meter.address {
                Address::Mbus(address) => Some(address.clone()),
                Address::Unit(_) => None,
            },
        }
    }
}

/// The meters with their points; `None` if a list is missing or all together are too many.
pub(super) fn meters(
    rows: Vec<MeterRow>,
    lists: &[Vec<Point>],
) -> Option<BTreeMap<MeterId, Meter>> {
    let mut total = 0;
    let mut meters = BTreeMap::new();
    for row in rows {
        let points = lists.get(usize::try_from(row.list).ok()?)?;
        total += points.len();
        if total > POINTS_MAX {
            return None;
        }
        let meter = Meter {
            id: row.id.clone(),
            port: row.port,
            address: match (row.unit, row.mbus) {
                (Some(unit), None) => Address::Unit(unit),
                (None, Some(address)) => Address::Mbus(address),
                _ => return None,
            },
            schedule: row.schedule,
            timeout_ms: row.timeout_ms,
            retries: row.retries,
            clock_zone_min: row.clock_zone_min,
            memory: row.memory,
            clock_setting: ClockSetting::of(row.clock_register, row.clock_telegram).ok()?,
            storages: Storages::of(row.storages, row.storage_every_ms, row.storage_dates).ok()?,
            points: points.clone(),
        };
        meters.insert(row.id, meter);
    }
    Some(meters)
}
