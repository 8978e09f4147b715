//! The documented shapes that programs read (docs/time.md).

use super::history::{TimeHistory, Totals};
use super::model::{Jump, Mark, Run, Stretch, TimeEvent};
use super::now::TimeNow;
use super::offered::Offered;
use super::slots::{Crossed, PointSlots, SlotReport};
use super::why::{Moment, Sign, TimeWhy};
use super::zone::ZoneDay;
use crate::rfc3339;
use evidence::kinds::TimeMap;
use evidence::reasons::{DriftBudget, TimeCause, TimeQuality};
use evidence::{EntryId, Stamp, TimeDetail};
use serde_json::{Map, Value, json};
use time_plane::slots::{Crossing, Day};

fn mark(mark: &Mark) -> Value {
    json!({ "event_id": mark.entry.to_string(), "utc": rfc3339(mark.utc), "mono_ns": mark.at.0 })
}

fn stretch(one: &Stretch) -> Value {
    let label = one.cover.label();
    json!({
        "cover": one.cover.name(),
        "time_quality": label.map(|label| label.quality.name()),
        "time_status": label.map(|label| label.status.name()),
        "reason": label.and_then(|label| label.reason).map(evidence::reasons::HoldoverReason::name),
        "basis": label.and_then(|label| label.basis.as_ref()),
        "begin": mark(&one.begin),
        "end": mark(&one.end),
        "lasted_ns": one.lasted_ns,
        "entries": one.entries,
        "bound_ns_min": one.bound_ns.map(|(least, _)| least),
        "bound_ns_max": one.bound_ns.map(|(_, most)| most),
    })
}

fn jump(one: &Jump) -> Value {
    json!({
        "kind": one.kind.name(),
        "magnitude_ns": one.magnitude_ns,
        "direction": one.forward.map(|forward| if forward { "forward" } else { "backward" }),
        "cause": one.cause.map(TimeCause::name),
        "meaning": one.cause.map(TimeCause::meaning),
        "explained": one.is_explained(),
        "event_id": one.event.map(|entry| entry.to_string()),
        "before": mark(&one.before),
        "after": mark(&one.after),
        "detail": one.detail,
    })
}

fn event(one: &TimeEvent) -> Value {
    json!({
        "event_id": one.mark.entry.to_string(),
        "utc": rfc3339(one.mark.utc),
        "source": one.source.as_str(),
        "code": one.code.name(),
        "cause": one.cause.map(TimeCause::name),
        "count": one.count,
        "detail": one.detail,
    })
}

fn offered(all: &[Offered]) -> Vec<Value> {
    let said = |one: &Offered| {
        let mut said = event(&one.event);
        if let Some(object) = said.as_object_mut() {
            object.insert("from".to_owned(), json!(one.from.as_str()));
            object.insert("verdict".to_owned(), json!(one.verdict()));
        }
        said
    };
    all.iter().map(said).collect()
}

fn run(one: &Run) -> Value {
    json!({
        "epoch": one.epoch,
        "event_id": one.entry.map(|entry| entry.to_string()),
        "cause": one.cause.map(evidence::reasons::EpochCause::name),
        "boot_id": one.boot.map(|boot| boot.to_string()),
        "ended_by": one.ended.as_ref().map(event),
        "first": mark(&one.first),
        "last": mark(&one.last),
    })
}

fn map(one: Option<&(EntryId, TimeMap)>) -> Value {
    let Some((entry, map)) = one else {
        return Value::Null;
    };
    json!({
        "event_id": entry.to_string(),
        "utc": rfc3339(map.utc),
        "time_quality": map.quality.name(),
        "time_status": map.status.name(),
        "basis": map.basis,
        "bound_ns": map.bound_ns,
        "bound_growth_ppb": map.bound_growth_ppb,
        "parts": {
            "initial_ns": map.initial_ns,
            "frequency_ns": map.frequency_ns,
            "temperature_ns": map.temperature_ns,
            "ageing_ns": map.ageing_ns,
            "asymmetry_ns": map.asymmetry_ns,
        },
        "drift_budget": map.drift_budget.map(DriftBudget::name),
        "sync_age_ns": map.sync_age_ns,
    })
}

fn stamp(one: &Stamp) -> Value {
    json!({
        "utc": rfc3339(one.timestamp),
        "time_quality": one.quality.name(),
        "time_status": one.status.name(),
        "bound_ns": one.bound_ns,
        "offset_bucket": match one.detail {
            TimeDetail::Offset(bucket) => Some(bucket.name()),
            TimeDetail::Holdover(_) => None,
        },
        "holdover_reason": match one.detail {
            TimeDetail::Offset(_) => None,
            TimeDetail::Holdover(reason) => Some(reason.name()),
        },
    })
}

fn totals(one: &Totals) -> Value {
    let all = one.labelled_ns();
    let quality: Map<String, Value> = TimeQuality::ALL
        .iter()
        .map(|quality| {
            let ns = one.quality_ns.get(quality).copied().unwrap_or(0);
            let permille = u128::from(ns) * 1_000 / u128::from(all.max(1));
            let said = json!({ "ns": ns, "permille": u64::try_from(permille).unwrap_or(0) });
            (quality.name().to_owned(), said)
        })
        .collect();
    let jumps: Map<String, Value> = one
        .jumps
        .iter()
        .map(|(bucket, count)| (bucket.name().to_owned(), json!(count)))
        .collect();
    let (holdover_ns, longest_ns) = one.holdover_ns;
    json!({
        "time_quality": quality,
        "not_running_ns": one.not_running_ns,
        "not_here_ns": one.not_here_ns,
        "sync_acquired_cnt": one.sync_acquired,
        "sync_lost_cnt": one.sync_lost,
        "holdover_cnt": one.holdovers,
        "holdover_ns": holdover_ns,
        "holdover_longest_ns": longest_ns,
        "jumps": jumps,
        "jumps_unexplained": one.unexplained,
        "restarts": one.restarts,
    })
}

impl TimeHistory {
    /// One object: `stretches`, `jumps`, `events`, `runs`, `totals`.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "origin": self.origin,
            "limit_ns": self.limit_ns,
            "stretches": self.stretches.iter().map(stretch).collect::<Vec<_>>(),
            "jumps": self.jumps.iter().map(jump).collect::<Vec<_>>(),
            "events": self.events.iter().map(event).collect::<Vec<_>>(),
            "runs": self.runs.iter().map(run).collect::<Vec<_>>(),
            "totals": totals(&self.totals),
            "boot_to_stable_ns": self.boot_to_stable_ns,
        })
    }
}

impl TimeNow {
    /// One object: the newest stamp, what it rests on, and the counters.
    #[must_use]
    pub fn json(&self) -> Value {
        let counters: Vec<Value> = self
            .counters
            .iter()
            .map(|(entry, counter)| {
                json!({
                    "name": counter.name,
                    "label": counter.label,
                    "state": counter.state.name(),
                    "value": counter.value,
                    "event_id": entry.to_string(),
                })
            })
            .collect();
        json!({
            "origin": self.origin,
            "newest": mark(&self.newest),
            "stamp": stamp(&self.stamp),
            "stretch": self.stretch.as_ref().map(stretch),
            "map": map(self.map.as_ref()),
            "limit_ns": self.limit_ns,
            "share_permille": self.share_permille(),
            "last_sync_age_ns": self.sync_age_ns,
            "boot_to_stable_ns": self.boot_to_stable_ns,
            "last_jump": self.jump.as_ref().map(jump),
            "offered": offered(&self.offered),
            "in_force": self.in_force.iter().map(event).collect::<Vec<_>>(),
            "refclock": self.refclock.as_ref().map(event),
            "counters_utc": self.counters_utc.map(rfc3339),
            "counters": counters,
            "totals": totals(&self.totals),
        })
    }
}

fn moment(one: &Moment) -> Value {
    json!({
        "utc": rfc3339(one.utc),
        "mono_ns": one.at.0,
        "stretch": stretch(&one.stretch),
        "stamp": one.stamp.as_ref().map(stamp),
        "map": map(one.map.as_ref()),
        "in_force": one.in_force.iter().map(event).collect::<Vec<_>>(),
        "jump_before": one.jump_before.as_ref().map(|(one, distance_ns)| distant(one, *distance_ns)),
    })
}

fn signs(all: &[Sign]) -> Vec<Value> {
    let said = |sign: &Sign| {
        let mut said = event(&sign.event);
        if let Some(object) = said.as_object_mut() {
            object.insert("before_ns".to_owned(), json!(sign.before_ns));
        }
        said
    };
    all.iter().map(said).collect()
}

/// A jump and how far it is away.
fn distant(one: &Jump, distance_ns: i64) -> Value {
    let mut said = jump(one);
    if let Some(object) = said.as_object_mut() {
        object.insert("distance_ns".to_owned(), json!(distance_ns));
    }
    said
}

impl TimeWhy {
    /// One object: `moments`, the jumps around, `signs`, `restarts`, and whether it is `explained`.
    #[must_use]
    pub fn json(&self) -> Value {
        let near = |one: &Option<(Jump, i64)>| {
            let one = one.as_ref();
            one.map(|(one, distance_ns)| distant(one, *distance_ns))
        };
        let restarts: Vec<Value> = self
            .restarts
            .iter()
            .map(|(one, next)| {
                json!({
                    "ended": run(one),
                    "began": run(next),
                    "same_boot": one.same_boot(next),
                    "utc_went_back": next.first.utc < one.last.utc,
                })
            })
            .collect();
        json!({
            "origin": self.origin,
            "explained": self.is_explained(),
            "limit_ns": self.limit_ns,
            "moments": self.moments.iter().map(moment).collect::<Vec<_>>(),
            "ahead_ns": self.ahead_ns,
            "jumped_over_by": self.over.as_ref().map(jump),
            "jump_before": near(&self.before),
            "jump_after": near(&self.after),
            "signs": signs(&self.signs),
            "node": signs(&self.node),
            "ended": self.ended.as_ref().map(|end| json!({
                "run": run(&end.run),
                "stretch": stretch(&end.stretch),
                "newest": mark(&end.newest),
            })),
            "offered": offered(&self.offered),
            "restarts": restarts,
            "log_begins": self.reach.as_ref().map(|(first, _)| mark(first)),
            "log_ends": self.reach.as_ref().map(|(_, last)| mark(last)),
        })
    }
}

impl SlotReport {
    /// One object: the day with its number of slots, points, and boundaries that a step crossed.
    #[must_use]
    pub fn json(&self, day: &ZoneDay) -> Value {
        json!({
            "origin": self.origin,
            "whole": self.is_whole(),
            "date": day.date,
            "zone": day.zone,
            "zone_data": ZoneDay::data_version(),
            "begin": rfc3339(self.day.begin()),
            "end": rfc3339(self.day.end()),
            "slot_ns": self.day.length_ns(),
            "slots": self.day.count(),
            "tolerance_ns": self.tolerance_ns,
            "points": self.points.iter().map(|one| point_slots(one, &self.day)).collect::<Vec<_>>(),
            "crossings": self.crossings.iter().map(|one| crossed(one, &self.day)).collect::<Vec<_>>(),
        })
    }
}

fn point_slots(one: &PointSlots, day: &Day) -> Value {
    let stretches = one.stretches.iter().map(|stretch| {
        let cause = stretch.cause.as_ref();
        json!({
            "first_slot": stretch.first,
            "last_slot": stretch.last,
            "slots": stretch.slots(),
            "from": rfc3339(day.boundary(stretch.first)),
            "to": rfc3339(day.boundary(stretch.last)),
            "state": stretch.grade.name(),
            "class": cause.map(|cause| cause.class),
            "cause": cause.map(|cause| cause.cause),
            "event_id": cause.and_then(|cause| cause.entry).map(|entry| entry.to_string()),
            "off_ns": stretch.off_ns,
        })
    });
    let counts = &one.counts;
    json!({
        "source_id": one.source.as_str(),
        "meter_id": one.meter.as_str(),
        "point_id": one.point.as_str(),
        "filled": counts.filled,
        "early": counts.early,
        "late": counts.late,
        "empty": counts.empty,
        "to_come": counts.to_come,
        "before_log": counts.before_log,
        "unsure": counts.unsure,
        "off_ns_worst": counts.off_ns_worst,
        "bound_ns_max": counts.bound_ns_max,
        "unbounded": counts.unbounded,
        "stretches": stretches.collect::<Vec<_>>(),
    })
}

fn crossed(one: &Crossed, day: &Day) -> Value {
    json!({
        "slot": one.slot,
        "boundary": rfc3339(day.boundary(one.slot)),
        "certain": one.crossing == Crossing::Certain,
        "jump": jump(&one.jump),
    })
}
