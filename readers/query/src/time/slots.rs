//! Interval slots of a day, read from the log: what filled them, how far off, and why some are empty (U1).
//!
//! Places, grades and crossings are the time plane's arithmetic; here it is given what entries tell.

use super::account::TimeAccount;
use super::model::{Jump, JumpKind};
use crate::gaps::{GapAccount, GapFilter, Missing};
use contract::{Contract, Pace};
use evidence::kinds::Reading;
use evidence::reasons::MarkerKind;
use evidence::{Entry, EntryId, MeterId, Payload, PointId, SourceId, UtcNs};
use std::collections::BTreeMap;
use time_plane::slots::{Counts, Crossing, Day, Fill, Grade, Measure, Step, Tally};

/// What is asked of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotQuestion {
    /// The slots.
    pub day: Day,
    /// How far from its boundary a reading fills a slot, in nanoseconds.
    pub tolerance_ns: u64,
    /// Only this meter.
    pub meter: Option<MeterId>,
}

/// Collects readings of a day by slot, and what explains those that are not there.
#[derive(Debug)]
pub struct SlotAccount {
    asked: SlotQuestion,
    time: TimeAccount,
    gaps: GapAccount,
    points: BTreeMap<(MeterId, PointId), (SourceId, Tally)>,
    /// When the first schedule was begun, as it was stamped: before that nothing was due.
    begun: Option<UtcNs>,
}

impl SlotAccount {
    /// An account of a day.
    #[must_use]
    pub fn new(asked: SlotQuestion) -> Self {
        Self {
            asked,
            time: TimeAccount::new(),
            gaps: GapAccount::new(),
            points: BTreeMap::new(),
            begun: None,
        }
    }

    /// Takes in one committed entry; damaged records are skipped, verification names them.
    pub fn observe(&mut self, entry: &Entry) {
        self.time.observe(entry);
        self.gaps.observe(entry);
        match entry.payload() {
            Ok(Payload::Reading(reading)) => self.reading(entry, reading),
            Ok(Payload::Marker(marker)) if marker.marker == MarkerKind::ScheduleStart => {
                self.begun.get_or_insert(entry.stamp.timestamp);
            }
            _ => {}
        }
    }

    fn reading(&mut self, entry: &Entry, reading: Reading) {
        if !self.is_asked(&reading.meter_id) {
            return;
        }
        let pace = self.time.contract.as_ref();
        let pace = pace.and_then(|contract| pace_of(contract, &reading.meter_id));
        let due = reading.slot.zip(pace);
        let due = due.and_then(|(slot, pace)| pace.utc(slot.number));
        let Some(placed) = self.asked.day.place(due, entry.stamp.timestamp) else {
            return;
        };
        let day = &self.asked.day;
        let (source, tally) = self
            .points
            .entry((reading.meter_id, reading.point_id))
            .or_insert_with(|| (reading.source.clone(), Tally::new(day)));
        *source = reading.source;
        tally.take(placed, entry.stamp.bound_ns);
    }

    fn is_asked(&self, meter: &MeterId) -> bool {
        self.asked.meter.as_ref().is_none_or(|only| only == meter)
    }

    /// The meters of which any entry expected readings.
    #[must_use]
    pub fn meters(&self) -> std::collections::BTreeSet<&MeterId> {
        self.gaps.meters()
    }

    /// The report over everything shown so far. Points of the newest configuration without a reading are in it.
    #[must_use]
    pub fn report(&self) -> SlotReport {
        let SlotQuestion {
            day, tolerance_ns, ..
        } = self.asked;
        let crossings = self.crossings();
        let reach = i64::try_from(day.length_ns()).unwrap_or(i64::MAX);
        let gaps = self.gaps.report_on(&GapFilter {
            meter: self.asked.meter.clone(),
            from: Some(UtcNs(day.begin().0.saturating_sub(reach))),
            to: Some(UtcNs(day.end().0.saturating_add(reach))),
        });
        let measure = Measure {
            tolerance_ns,
            log: self.reach(),
        };
        let mut points = self.points.clone();
        for (key, source) in self.expected() {
            points
                .entry(key)
                .or_insert_with(|| (source, Tally::new(&day)));
        }
        let points = points.into_iter().map(|((meter, point), (source, tally))| {
            let of_point = |one: &&Missing| one.meter_id == meter && one.points.contains(&point);
            let why = Why {
                account: self,
                pace: self.pace(&meter, &point),
                missing: gaps.missing.iter().filter(of_point).collect(),
                crossings: &crossings,
            };
            PointSlots {
                counts: tally.counts(&day, measure),
                stretches: stretches(&tally, measure, &why),
                source,
                meter,
                point,
            }
        });
        SlotReport {
            origin: self.time.origin().map(str::to_owned),
            day,
            tolerance_ns,
            points: points.collect(),
            crossings,
        }
    }

    /// The log's first and newest instant.
    fn reach(&self) -> Option<(UtcNs, UtcNs)> {
        // A whole log begins with its first schedule, and one that left the ring with its first entry.
        let first = self.time.runs.first()?.first;
        let first = match first.entry.commit_id.0 {
            0 => self.begun.unwrap_or(first.utc).max(first.utc),
            _ => first.utc,
        };
        let (newest, _) = self.time.newest?;
        Some((first, newest.utc))
    }

    /// Points that the newest configuration reads, with their port.
    fn expected(&self) -> impl Iterator<Item = ((MeterId, PointId), SourceId)> {
        let meters = self
            .time
            .contract
            .iter()
            .flat_map(|one| one.meters.values());
        let asked = meters.filter(|meter| self.is_asked(&meter.id));
        asked.flat_map(|meter| {
            let points = meter.points.iter();
            points.map(|point| ((meter.id.clone(), point.id.clone()), meter.port.clone()))
        })
    }

    /// When a point is due by the newest configuration; `None` where that does not read it.
    fn pace(&self, meter: &MeterId, point: &PointId) -> Option<Pace> {
        let contract = self.time.contract.as_ref()?;
        let mut points = contract.meters.get(meter)?.points.iter();
        points.find(|one| one.id == *point)?;
        pace_of(contract, meter)
    }

    /// Every boundary that a jump of the clock crossed.
    fn crossings(&self) -> Vec<Crossed> {
        let mut crossed = Vec::new();
        for jump in &self.time.jumps {
            for step in steps(jump) {
                let here = self.asked.day.crossed(step);
                crossed.extend(here.map(|(slot, crossing)| Crossed {
                    slot,
                    crossing,
                    jump: jump.clone(),
                }));
            }
        }
        crossed.sort_by_key(|one| (one.slot, one.jump.after.entry));
        // A step whose direction nobody knows is played both ways, and is one crossing.
        crossed.dedup_by_key(|one| (one.slot, one.jump.after.entry));
        crossed
    }
}

/// The steps that a jump may have been; slewing crosses nothing.
fn steps(jump: &Jump) -> impl Iterator<Item = Step> + use<> {
    let passed_ns = match jump.kind {
        // Monotonic times of two boots do not compare.
        JumpKind::ResetAtBoot => 0,
        _ => jump.after.at.since(jump.before.at),
    };
    let before = jump.before.utc;
    let magnitude = i64::try_from(jump.magnitude_ns).unwrap_or(i64::MAX);
    let ways = match (jump.kind, jump.forward) {
        (JumpKind::Slew, _) => [None, None],
        (_, Some(true)) => [Some(magnitude), None],
        (_, Some(false)) => [Some(-magnitude), None],
        (_, None) => [Some(magnitude), Some(-magnitude)],
    };
    ways.into_iter().flatten().map(move |moved_ns| Step {
        before,
        passed_ns,
        moved_ns,
    })
}

fn pace_of(contract: &Contract, meter: &MeterId) -> Option<Pace> {
    let schedule = &contract.meters.get(meter)?.schedule;
    contract.schedules.get(schedule).map(Pace::of)
}

/// A boundary that a step of the clock crossed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossed {
    /// The slot that begins there.
    pub slot: u32,
    /// Whether it is certain.
    pub crossing: Crossing,
    /// The jump, with its entries and its cause.
    pub jump: Jump,
}

/// Why a slot is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotCause {
    /// The class: one of a gap, or `CLOCK_STEP`, `NOT_DUE`, `LOG_BEGINS_LATER`, `LOG_ENDS_BEFORE`.
    pub class: &'static str,
    /// The cause in one word.
    pub cause: &'static str,
    /// The entry that says so.
    pub entry: Option<EntryId>,
}

/// Slots in a row that stand alike and are not simply filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotStretch {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
    /// How they stand.
    pub grade: Grade,
    /// Why they are empty, where anything tells.
    pub cause: Option<SlotCause>,
    /// How far from its boundary the worst of them was read, in nanoseconds; of those without a judged reading `None`.
    pub off_ns: Option<i64>,
}

impl SlotStretch {
    /// How many slots.
    #[must_use]
    pub const fn slots(&self) -> u32 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}

/// The day of one point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointSlots {
    /// The port.
    pub source: SourceId,
    /// The meter.
    pub meter: MeterId,
    /// The point.
    pub point: PointId,
    /// How its slots stand.
    pub counts: Counts,
    /// Those that are not filled, in order.
    pub stretches: Vec<SlotStretch>,
}

/// A day by slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotReport {
    /// The log's name.
    pub origin: Option<String>,
    /// The slots.
    pub day: Day,
    /// The tolerance, in nanoseconds.
    pub tolerance_ns: u64,
    /// Every point, by meter.
    pub points: Vec<PointSlots>,
    /// Boundaries that a step of the clock crossed.
    pub crossings: Vec<Crossed>,
}

impl SlotReport {
    /// Whether every slot of every point is filled within the tolerance, and no step crossed a boundary.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let filled = |one: &PointSlots| one.counts.filled == self.day.count();
        self.crossings.is_empty() && self.points.iter().all(filled)
    }
}

/// What may explain an empty slot of a point.
struct Why<'r> {
    account: &'r SlotAccount,
    pace: Option<Pace>,
    missing: Vec<&'r Missing>,
    crossings: &'r [Crossed],
}

impl Why<'_> {
    /// Of a slot that is not judged, the entry that says so; of an empty one, what explains it.
    fn of(&self, slot: u32, grade: Grade) -> Option<SlotCause> {
        let time = &self.account.time;
        match grade {
            Grade::Filled | Grade::Early | Grade::Late => None,
            Grade::Empty => self.of_empty(slot),
            Grade::ToCome => time.newest.map(|(newest, _)| SlotCause {
                class: "LOG_ENDS_BEFORE",
                cause: "not_there_yet",
                entry: Some(newest.entry),
            }),
            Grade::BeforeLog => time.runs.first().map(|run| SlotCause {
                class: "LOG_BEGINS_LATER",
                cause: "not_here",
                entry: Some(run.first.entry),
            }),
        }
    }

    fn of_empty(&self, slot: u32) -> Option<SlotCause> {
        let day = &self.account.asked.day;
        let at = day.boundary(slot);
        let told = |class, cause, entry| {
            Some(SlotCause {
                class,
                cause,
                entry,
            })
        };
        if let Some(gap) = self.missing.iter().find(|gap| is_in(day, slot, gap)) {
            return told(gap.class.name(), gap.cause, gap.entry);
        }
        let leapt = |one: &&Crossed| one.slot == slot && one.jump.forward != Some(false);
        if let Some(one) = self.crossings.iter().find(leapt) {
            let jump = &one.jump;
            let cause = jump
                .cause
                .map_or("untold", evidence::reasons::TimeCause::name);
            return told("CLOCK_STEP", cause, jump.event.or(Some(jump.after.entry)));
        }
        // By the configuration of today: what one before it asked for, its gaps would tell.
        (!self.is_due(at)).then_some(SlotCause {
            class: "NOT_DUE",
            cause: "no_schedule",
            entry: None,
        })
    }

    /// Whether anything is due nearer to this boundary than to another.
    fn is_due(&self, at: UtcNs) -> bool {
        let Some(pace) = self.pace else { return false };
        let day = &self.account.asked.day;
        let half = i64::try_from(day.length_ns() / 2).unwrap_or(i64::MAX);
        let due = pace.utc(pace.first_from(UtcNs(at.0.saturating_sub(half))));
        due.is_some_and(|due| due.0 < at.0.saturating_add(half))
    }
}

/// Whether a stretch of due slots has one whose nearest boundary is this slot's.
fn is_in(day: &Day, slot: u32, gap: &Missing) -> bool {
    let at = day.boundary(slot);
    let (Some(first), Some(last)) = (gap.first_utc, gap.last_utc) else {
        return false;
    };
    let nearest = UtcNs(at.0.clamp(first.0.min(last.0), last.0));
    day.nearest(nearest) == Some(slot)
}

fn stretches(tally: &Tally, by: Measure, why: &Why<'_>) -> Vec<SlotStretch> {
    let mut all: Vec<SlotStretch> = Vec::new();
    for (slot, grade, fill) in tally.graded(&why.account.asked.day, by) {
        if grade == Grade::Filled {
            continue;
        }
        let cause = why.of(slot, grade);
        let judged = matches!(grade, Grade::Early | Grade::Late);
        let off_ns = fill.filter(|_| judged).map(|fill: Fill| fill.off_ns);
        match all.last_mut() {
            Some(one)
                if one.last.saturating_add(1) == slot
                    && (one.grade, &one.cause) == (grade, &cause) =>
            {
                one.last = slot;
                one.off_ns = farther(one.off_ns, off_ns);
            }
            _ => all.push(SlotStretch {
                first: slot,
                last: slot,
                grade,
                cause,
                off_ns,
            }),
        }
    }
    all
}

/// Of two offsets the one that is farther from its boundary.
fn farther(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    let distance = |off_ns: Option<i64>| off_ns.map_or(0, i64::unsigned_abs);
    match distance(other) > distance(one) {
        true => other,
        false => one,
    }
}

#[cfg(test)]
mod tests;
