//! What M-Bus meters store of the past in each of their readouts: it fills what was missed (U3).

use super::MbusBus;
use super::pick::{Picked, pick, value};
use crate::action::{Action, Batch};
use crate::books::Books;
use crate::input::Stream;
use crate::limits::{MEMORY_APART_S, MEMORY_ASK_NS};
use crate::recall::MissedSlot;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use contract::{Meter, RecordPick, StorageDate};
use evidence::kinds::{Backfill, Payload};
use evidence::reasons::BackfillOutcome;
use evidence::{Captured, MeterId, MonoNs};
use mbus::master::{Kept, Readout};
use mbus::moment::Moment;
use mbus::record::{Function, Record, Value};
use mbus::telegram::Telegram;

const NS_PER_S: i64 = 1_000_000_000;
const S_PER_MIN: i64 = 60;
const S_PER_DAY: i64 = 86_400;
/// What the words of a date, and of a date and time, begin with.
const TIME_POINT: &str = "Time point (date";

/// What a meter stores, as its last whole readout had it, and where the talk about what was missed stands.
#[derive(Debug, Default)]
pub(super) struct Storing {
    readout: Vec<Kept>,
    /// Something may be missing of which the recorder was not asked.
    open: bool,
    /// The recorder was asked and has not answered.
    asked: bool,
    /// It is not asked before.
    ask_at: MonoNs,
    /// Sessions without all their readings, when the recorder was asked last.
    lacking: u64,
}

impl Storing {
    /// Of a meter that stores something. What was missed before the engine began is open.
    pub(super) fn new(meter: &Meter) -> Option<Self> {
        meter.storages.map(|_| Self {
            open: true,
            ..Self::default()
        })
    }

    /// A readout was whole: asks the recorder for what was missed, where something may be.
    pub(super) fn read(&mut self, books: &mut Books, now: MonoNs, at: usize, telegrams: &[Kept]) {
        let Some(meter) = books.meters.get(at) else {
            return;
        };
        self.readout = telegrams.to_vec();
        self.open |= meter.lacking != self.lacking;
        if self.open && !self.asked && self.ask_at <= now {
            (self.asked, self.lacking) = (true, meter.lacking);
            let meter = meter.meter.id.clone();
            books.out.push(Action::NeedMissed { meter });
        }
    }

    /// The recorder said what is missing: what the last readout has of it is told.
    pub(super) fn missed(
        &mut self,
        books: &mut Books,
        now: MonoNs,
        at: usize,
        slots: &[MissedSlot],
        others: bool,
    ) {
        self.asked = false;
        self.open = others || !slots.is_empty();
        self.ask_at = now.plus_ns(MEMORY_ASK_NS);
        let (port, contract) = (books.origin.port.clone(), books.origin.contract);
        let Some(state) = books.meters.get_mut(at) else {
            return;
        };
        let meter = &state.meter;
        let ahead_s = meter.clock_zone_min.unwrap_or(0) * S_PER_MIN;
        let telegrams = self.readout.iter();
        let telegrams: Vec<Telegram<'_>> =
            telegrams.map(|kept| Telegram::read(&kept.frame)).collect();
        let dates = meter.storages.and_then(|storages| storages.dates);
        let times = times(&telegrams, dates);
        let (mut found, mut absent) = (0, 0);
        let mut records = Vec::new();
        for missed in slots {
            let due_s = missed.due.0.div_euclid(NS_PER_S).saturating_add(ahead_s);
            let whole = Backfill::absent(
                now,
                meter.id.clone(),
                port.clone(),
                meter.schedule.clone(),
                missed.slot,
                contract,
            );
            match of_time(&times, due_s) {
                Some((time_s, storage)) => {
                    let has = stored(meter, &telegrams, &self.readout, (time_s, storage), &whole);
                    let fills = |one: &Payload| matches!(one, Payload::Backfill(one) if one.outcome == BackfillOutcome::Found);
                    match has.iter().any(fills) {
                        true => found += 1,
                        false => absent += 1,
                    }
                    records.extend(has);
                }
                // The newest may not have been stored yet.
                None if times
                    .keys()
                    .next_back()
                    .is_some_and(|newest| *newest > due_s) =>
                {
                    absent += 1;
                    records.push(whole.into());
                }
                None => {}
            }
        }
        let id = meter.id.clone();
        state.bucket.recalled += found;
        state.bucket.not_recalled += absent;
        if !records.is_empty() {
            books.emit(Batch {
                stream: Stream::Meter(id),
                seq: None,
                records: records.iter().map(Captured::new).collect(),
            });
        }
    }
}

impl MbusBus {
    /// A readout of a meter has ended: what a whole one stores is kept.
    pub(super) fn remember(
        &mut self,
        books: &mut Books,
        now: MonoNs,
        of: Option<usize>,
        readout: &Readout,
    ) {
        let slave = of.and_then(|at| Some((at, self.slaves.get_mut(at)?.storing.as_mut()?)));
        if let Some((at, storing)) = slave.filter(|_| readout.failure.is_none()) {
            storing.read(books, now, at, &readout.telegrams);
        }
    }

    /// The recorder said which slots of a meter are missing, and whether there are others.
    pub(in crate::bus) fn missed(
        &mut self,
        books: &mut Books,
        now: MonoNs,
        meter: &MeterId,
        slots: &[MissedSlot],
        others: bool,
    ) {
        let at = books.meters.iter().position(|one| one.meter.id == *meter);
        let slave = at.and_then(|at| Some((at, self.slaves.get_mut(at)?.storing.as_mut()?)));
        if let Some((at, storing)) = slave {
            storing.missed(books, now, at, slots, others);
        }
    }
}

/// The times of a readout's storage numbers, in seconds since 1970 by the meter's clock. A storage that tells more than one time tells none:
/// one of them is when something else was.
fn times(telegrams: &[Telegram<'_>], dates: Option<StorageDate>) -> BTreeMap<i64, u64> {
    let mut of_storage: BTreeMap<u64, Option<i64>> = BTreeMap::new();
    let records = telegrams
        .iter()
        .flat_map(|telegram| telegram.records.iter());
    for record in records.filter(|record| is_time(record)) {
        let Value::Moment(moment) = &record.value else {
            continue;
        };
        let seconds = match (moment, dates) {
            (Moment::Day(_), None) => None,
            (Moment::Day(_), Some(StorageDate::End)) => moment.seconds().map(|s| s + S_PER_DAY),
            _ => moment.seconds(),
        };
        let known = of_storage.entry(record.storage).or_insert(seconds);
        if *known != seconds {
            *known = None;
        }
    }
    let told = of_storage.into_iter();
    told.filter_map(|(storage, seconds)| Some((seconds?, storage)))
        .collect()
}

/// When the values of a storage were: not when a largest value was, nor when a limit was passed.
fn is_time(record: &Record<'_>) -> bool {
    let quantity = record.quantity.as_deref().unwrap_or_default();
    record.storage > 0
        && (record.tariff, record.device) == (0, 0)
        && record.function == Function::Instantaneous
        && quantity.starts_with(TIME_POINT)
        && record.notes.is_empty()
}

/// The storage number of a time, where one is near enough.
fn of_time(times: &BTreeMap<i64, u64>, due_s: i64) -> Option<(i64, u64)> {
    let apart_s = i64::try_from(MEMORY_APART_S).unwrap_or(0);
    let near = due_s.saturating_sub(apart_s)..=due_s.saturating_add(apart_s);
    let found = times.range(near).next()?;
    Some((*found.0, *found.1))
}

/// What a storage number has of the meter's points.
fn stored(
    meter: &Meter,
    telegrams: &[Telegram<'_>],
    readout: &[Kept],
    (time_s, storage): (i64, u64),
    whole: &Backfill,
) -> Vec<Payload> {
    let points = meter.points.iter().filter(|point| meter.recalls(point));
    let each = points.filter_map(|point| {
        let meant = RecordPick {
            storage: Some(storage),
            ..point.record()?.clone()
        };
        let Picked::Found { telegram, record } = pick(point, &meant, telegrams) else {
            // The time is there, and of this point nothing: it is not asked for again.
            let absent = Backfill {
                point_id: Some(point.id.clone()),
                ..whole.clone()
            };
            return Some(absent.into());
        };
        let status = readout.get(telegram).and_then(|kept| kept.speaker?.status);
        let decoded = value(point, record, status);
        Some(
            Backfill {
                outcome: BackfillOutcome::Found,
                point_id: Some(point.id.clone()),
                meter_time_s: Some(time_s),
                record: Some(storage),
                raw: Some(decoded.raw),
                value: decoded.value,
                quality: decoded.quality,
                ..whole.clone()
            }
            .into(),
        )
    });
    each.collect()
}
