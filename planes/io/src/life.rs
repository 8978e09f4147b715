//! The life of meters, told from what is committed of them: another serial number, counters that roll over, go back or
//! leap, clocks that drift (U2, U6).
//!
//! Pure, and no part of a port: whoever commits shows each record with its stamp, in order, and what is found becomes
//! entries beside them. A reading is never changed by it. What it goes on from after a restart comes from the same
//! records, or from [`Life::freeze`] where they have left the log.

mod clock;
mod course;
mod judge;
mod missed;
mod state;

pub use state::Frozen;

pub use judge::{Course, Doubt, RULINGS, Row, Ruling, Who, rule};
pub use missed::Missed;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use clock::{Offset, Shown};
use contract::{Contract, Meter, Role};
use course::{Bounds, course};
use evidence::kinds::{ClockSet, MeterLife, MeterReport, Reading};
use evidence::reasons::{ClockClass, ClockOutcome, MeterFinding, Validity};
use evidence::{CommitId, Decimal, MeterId, MonoNs, Payload, PointId, Seq, SourceId, Stamp, UtcNs};

const NS_PER_MIN: i64 = 60_000_000_000;
const MIN_PER_H: i64 = 60;

/// Where a value was read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sample {
    value: Decimal,
    seq: Seq,
    /// By the monotonic clock, in this boot.
    at: Option<MonoNs>,
    utc: UtcNs,
}

/// A counter, and the last that is known of it.
#[derive(Clone, Debug)]
struct Counter {
    believed: Sample,
    /// The serial number under which that was read, where it was known.
    serial: Option<String>,
    doubted: Option<(Sample, Course)>,
    /// The scale by which it was read: values of another cannot be compared.
    scale: Decimal,
}

/// What is known of a meter.
#[derive(Clone, Debug, Default)]
struct Known {
    serial: Option<(String, Seq)>,
    counters: BTreeMap<PointId, Counter>,
    clock: Option<ClockClass>,
    /// Whether its clock counts seconds; `None` where it never showed any in this run.
    counts_seconds: Option<bool>,
}

/// What one read session told.
#[derive(Clone, Debug)]
struct Session {
    meter: MeterId,
    source: SourceId,
    seq: Seq,
    contract: CommitId,
    at: MonoNs,
    serial: Option<String>,
    counts: Vec<(PointId, Sample)>,
    /// What its clock showed, how far that is set ahead of UTC in minutes, and our stamp.
    clock: Option<(Shown, i64, Stamp)>,
}

/// What is known of all meters.
#[derive(Clone, Debug, Default)]
pub struct Life {
    meters: BTreeMap<MeterId, Known>,
    open: Option<Session>,
}

impl Life {
    /// Takes in a record and its stamp. Gives what the session before told, if this is of another.
    pub fn take(
        &mut self,
        contract: &Contract,
        payload: &Payload,
        stamp: &Stamp,
    ) -> Vec<MeterLife> {
        if let Payload::ClockSet(set) = payload {
            return self.clock_set(contract, set);
        }
        let (meter, source, seq, under, at) = match payload {
            Payload::Reading(one) => (&one.meter_id, &one.source, one.seq, one.contract, one.at),
            Payload::MeterReport(one) => {
                (&one.meter_id, &one.source, one.seq, one.contract, one.at)
            }
            _ => return Vec::new(),
        };
        let Some(known) = contract.meters.get(meter) else {
            return Vec::new();
        };
        let same = |open: &Session| open.meter == *meter && open.seq == seq;
        let found = match self.open.as_ref().is_some_and(same) {
            true => Vec::new(),
            false => self.close(contract),
        };
        let session = self.open.get_or_insert_with(|| Session {
            meter: meter.clone(),
            source: source.clone(),
            seq,
            contract: under,
            at,
            serial: None,
            counts: Vec::new(),
            clock: None,
        });
        session.at = session.at.max(at);
        match payload {
            Payload::Reading(reading) => session.reading(known, reading, stamp),
            Payload::MeterReport(report) => session.report(known, report, stamp),
            _ => {}
        }
        found
    }

    /// A meter that took a time shows it from the next session on: how far that is off is news, whatever was told before.
    fn clock_set(&mut self, contract: &Contract, set: &ClockSet) -> Vec<MeterLife> {
        let found = self.close(contract);
        if set.outcome != ClockOutcome::Refused
            && let Some(known) = self.meters.get_mut(&set.meter_id)
        {
            known.clock = None;
        }
        found
    }

    /// What the session told whose records were taken in last, now that it is whole.
    pub fn close(&mut self, contract: &Contract) -> Vec<MeterLife> {
        let Some(session) = self.open.take() else {
            return Vec::new();
        };
        let Some(meter) = contract.meters.get(&session.meter) else {
            return Vec::new();
        };
        let known = self.meters.entry(session.meter.clone()).or_default();
        let mut found = Vec::new();
        found.extend(known.identify(&session));
        for (point, sample) in &session.counts {
            known.count(meter, &session, point, sample, &mut found);
        }
        if let Some(offset) = known.offset(&session)
            && let Some(class) = offset.news(known.clock)
        {
            known.clock = Some(class);
            found.push(MeterLife {
                offset_ns: Some(offset.ns),
                bound_ns: offset.bound_ns(),
                clock_class: Some(class),
                ..session.finding(MeterFinding::Clock)
            });
        }
        found
    }
}

impl Session {
    fn reading(&mut self, meter: &Meter, reading: &Reading, stamp: &Stamp) {
        let point = meter.points.iter().find(|one| one.id == reading.point_id);
        let (Some(role), Some(value)) = (point.and_then(|point| point.role), reading.value) else {
            return;
        };
        // What is marked as wrong already is nothing to judge by.
        if reading.quality.validity == Validity::Invalid {
            return;
        }
        match role {
            Role::Serial => self.serial = Some(value.to_string()),
            Role::Counter(_) => self.counts.push((
                reading.point_id.clone(),
                Sample {
                    value,
                    seq: reading.seq,
                    at: Some(reading.at),
                    utc: stamp.timestamp,
                },
            )),
            Role::Clock => {
                let seconds = i64::try_from(value.mantissa()).ok();
                let shown = seconds
                    .filter(|_| value.exponent() == 0)
                    .map(Shown::seconds);
                let ahead_min = meter.clock_zone_min.unwrap_or(0);
                self.clock = shown.map(|shown| (shown, ahead_min, *stamp));
            }
        }
    }

    fn report(&mut self, meter: &Meter, report: &MeterReport, stamp: &Stamp) {
        self.serial = report.serial.as_ref().map(|serial| {
            let maker = report.manufacturer.as_ref();
            maker.map_or_else(|| serial.clone(), |maker| format!("{serial} {maker}"))
        });
        let summer_min = if report.summer_time == Some(true) {
            MIN_PER_H
        } else {
            0
        };
        let ahead_min = meter.clock_zone_min.unwrap_or(0) + summer_min;
        let shown = report.clock.as_deref().and_then(Shown::text);
        self.clock = shown.map(|shown| (shown, ahead_min, *stamp));
    }

    /// An entry that says nothing yet.
    fn finding(&self, finding: MeterFinding) -> MeterLife {
        MeterLife::new(
            self.at,
            self.meter.clone(),
            self.source.clone(),
            self.seq,
            finding,
            self.contract,
        )
    }
}

impl Known {
    /// The serial number of a session; told where it is another than before.
    fn identify(&mut self, session: &Session) -> Option<MeterLife> {
        let serial = session.serial.clone()?;
        let before = self.serial.replace((serial.clone(), session.seq))?;
        (before.0 != serial).then(|| MeterLife {
            before_seq: Some(before.1),
            serial_before: Some(before.0),
            serial: Some(serial),
            ..session.finding(MeterFinding::Replaced)
        })
    }

    /// How far its clock was from ours in a session; `None` where a first showing leaves open whether it counts seconds.
    fn offset(&mut self, session: &Session) -> Option<Offset> {
        let (mut shown, ahead_min, stamp) = session.clock?;
        let known = self.counts_seconds;
        shown.counts_seconds |= known == Some(true);
        self.counts_seconds = Some(shown.counts_seconds);
        let open = known.is_none() && !shown.counts_seconds;
        (!open).then(|| shown.against(&stamp, ahead_min))
    }

    /// A counter's value in a session.
    fn count(
        &mut self,
        meter: &Meter,
        session: &Session,
        id: &PointId,
        sample: &Sample,
        found: &mut Vec<MeterLife>,
    ) {
        let Some(point) = meter.points.iter().find(|point| point.id == *id) else {
            return;
        };
        let fresh = || Counter {
            believed: sample.clone(),
            serial: session.serial.clone(),
            doubted: None,
            scale: point.scale,
        };
        let counter = self.counters.get_mut(id);
        let Some(counter) = counter.filter(|counter| counter.scale == point.scale) else {
            self.counters.insert(id.clone(), fresh());
            return;
        };
        let bounds = |before: &Sample| Bounds {
            rolls_at: point.rolls_at(),
            rate_max: point.counting().and_then(|counting| counting.rate_max),
            elapsed_ns: elapsed_ns(before, sample),
        };
        let who = match (&counter.serial, &session.serial) {
            (Some(before), Some(now)) if before == now => Who::Same,
            (Some(_), Some(_)) => Who::Other,
            _ => Who::Untold,
        };
        let run = course(
            counter.believed.value,
            sample.value,
            bounds(&counter.believed),
        );
        let doubt = match &counter.doubted {
            None => Doubt::None,
            Some((doubted, how)) => {
                let on = course(doubted.value, sample.value, bounds(doubted)) == Course::Onward;
                match (how, on) {
                    (Course::Leap, true) => Doubt::LeapGoesOn,
                    (Course::Leap, false) => Doubt::LeapLeft,
                    (_, true) => Doubt::BackGoesOn,
                    (_, false) => Doubt::BackLeft,
                }
            }
        };
        let ruling = rule(who, doubt, run);
        let told = |finding: MeterFinding| MeterLife {
            point_id: Some(id.clone()),
            before: Some(counter.believed.value),
            before_seq: Some(counter.believed.seq),
            value: Some(sample.value),
            ..session.finding(finding)
        };
        if let (Some(finding), Some((doubted, _))) = (ruling.before, &counter.doubted) {
            found.push(MeterLife {
                about_seq: Some(doubted.seq),
                about_value: Some(doubted.value),
                ..told(finding)
            });
        }
        if let Some(finding) = ruling.this {
            let replaced = finding == MeterFinding::Replaced;
            found.push(MeterLife {
                serial_before: counter.serial.clone().filter(|_| replaced),
                serial: session.serial.clone().filter(|_| replaced),
                ..told(finding)
            });
        }
        match ruling.believes() {
            true => {
                // A session that told no number leaves the one that is known.
                let serial = session.serial.clone().or(counter.serial.take());
                *counter = Counter { serial, ..fresh() };
            }
            false => counter.doubted = Some((sample.clone(), run)),
        }
    }
}

/// The time from one sample to the next; `None` where no clock tells it.
fn elapsed_ns(before: &Sample, now: &Sample) -> Option<u64> {
    match (before.at, now.at) {
        (Some(before), Some(now)) => Some(now.since(before)),
        // A minute more, for a clock that was put right in between.
        _ => u64::try_from(
            now.utc
                .0
                .checked_sub(before.utc.0)?
                .checked_add(NS_PER_MIN)?,
        )
        .ok(),
    }
}

#[cfg(test)]
mod tests;
