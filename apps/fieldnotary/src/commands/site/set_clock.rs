//! `fieldnotary set-clock`: a person has a meter told what time it is.

use super::recorder::{Recorder, Site, actor};
use crate::cli::SetClockArgs;
use crate::clock;
use crate::commands::Ended;
use crate::commands::log_words::{clock_set_words, life_words};
use contract::{Contract, Meter};
use evidence::kinds::{ClockOrder, ClockSet, MeterLife};
use evidence::reasons::{ClockOutcome, MeterFinding};
use evidence::{CommitId, Kind, Payload};
use serde_json::json;
use std::time::Duration;

/// How long an outcome may take: an order that finds no room on its line is given up before.
const OUTCOME: Duration = Duration::from_secs(160);
/// A session that sees the clock may take this long beside its slot.
const SESSION: Duration = Duration::from_secs(10);
/// A clock that was set shows the time to within this, beyond the bound of what is measured.
const SET_WITHIN_NS: u64 = 2_000_000_000;
/// Longer slots nobody waits for.
const SLOT_MS_MAX: u64 = 60_000;

/// Commits the order, and tells what becomes of it.
pub(crate) fn set_clock(args: &SetClockArgs) -> Result<Ended, String> {
    let site = Site::open(&args.dir)?;
    site.has(Some(&args.meter), None)?;
    let recorder = site.recorder()?;
    let committed = recorder.commit(ClockOrder {
        at: clock::mono(),
        meter_id: args.meter.clone(),
        actor: actor(args.why.actor.as_deref())?,
        reason: args.why.reason.clone(),
    })?;
    let order = committed.at.commit_id;
    let outcome = outcome(&recorder, order)?;
    let Some((at, set)) = outcome else {
        return Ok(open(args, order));
    };
    if !args.json {
        sayln!("{} [entry {at}]", clock_set_words(&set));
    }
    let told = set.outcome == ClockOutcome::Told;
    let meter = site.contract.meters.get(&args.meter);
    let seen = match meter.filter(|_| told) {
        Some(meter) => seen(&recorder, at, meter, patience(&site.contract, meter))?,
        None => None,
    };
    let unmoved = seen.as_ref().is_some_and(|(_, life)| is_elsewhere(life));
    match &seen {
        Some((at, life)) if !args.json => {
            sayln!("{} [entry {at}]", life_words(life));
            if unmoved {
                sayln!("it answered that it takes the time, and its clock does not show it");
            }
        }
        None if told && !args.json => sayln!(
            "no session has seen its clock yet; the log will tell: fieldnotary log {} --kind meter_life",
            args.dir.display()
        ),
        _ => {}
    }
    let seen_any = seen.is_some();
    if args.json {
        let seen = seen.map(|(at, life)| {
            json!({
                "commit_id": at.0,
                "offset_ns": life.offset_ns,
                "bound_ns": life.bound_ns,
                "clock_class": life.clock_class.map(|class| class.name()),
            })
        });
        let said = json!({
            "event_id": committed.at.to_string(),
            "commit_id": order.0,
            "outcome": set.outcome.name(),
            "reason": set.reason.name(),
            "meter_time_s": set.meter_time_s,
            "exception": set.exception,
            "seen": seen,
            "shows_it": (told && seen_any).then_some(!unmoved),
        });
        sayln!("{said}");
    }
    Ok(match told && !unmoved {
        true => Ended::Well,
        false => Ended::Badly,
    })
}

/// Whether a clock that was just set is not where it was set to, beyond all that is open about it.
fn is_elsewhere(life: &MeterLife) -> bool {
    let off_ns = life.offset_ns.unwrap_or(0).unsigned_abs();
    off_ns > life.bound_ns.unwrap_or(0).saturating_add(SET_WITHIN_NS)
}

/// How long the next session may take to come, where that is worth a wait.
fn patience(contract: &Contract, meter: &Meter) -> Duration {
    let schedule = contract.schedules.get(&meter.schedule);
    let every_ms = schedule.map_or(u64::MAX, |schedule| schedule.every_ms);
    match every_ms <= SLOT_MS_MAX {
        true => Duration::from_millis(every_ms) + SESSION,
        false => Duration::ZERO,
    }
}

/// Nobody has said yet what became of it.
fn open(args: &SetClockArgs, order: CommitId) -> Ended {
    let shown = args.dir.display();
    match args.json {
        true => sayln!("{}", json!({"commit_id": order.0, "outcome": null})),
        false => sayln!(
            "order {order} has no outcome yet: is the process of its port held back? fieldnotary status {shown}\n\
             the log will tell it: fieldnotary log {shown} --from {order}"
        ),
    }
    Ended::Badly
}

fn outcome(recorder: &Recorder, order: CommitId) -> Result<Option<(CommitId, ClockSet)>, String> {
    let mut found = None;
    recorder.follow(order, &[Kind::ClockSet], OUTCOME, |at, payload| {
        if let Payload::ClockSet(set) = payload
            && set.order == order
        {
            found = Some((at, set));
        }
        found.is_some()
    })?;
    Ok(found)
}

/// What its clock showed in the next session.
fn seen(
    recorder: &Recorder,
    from: CommitId,
    meter: &Meter,
    patience: Duration,
) -> Result<Option<(CommitId, MeterLife)>, String> {
    let mut found = None;
    recorder.follow(from, &[Kind::MeterLife], patience, |at, payload| {
        if let Payload::MeterLife(life) = payload
            && life.meter_id == meter.id
            && life.finding == MeterFinding::Clock
        {
            found = Some((at, life));
        }
        found.is_some()
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::is_elsewhere;
    use evidence::kinds::MeterLife;
    use evidence::reasons::MeterFinding;
    use evidence::{CommitId, MonoNs, Seq, SourceId};

    //= U6
    #[test]
    fn a_clock_that_does_not_show_what_it_took_is_told_from_one_that_is_not_known_better() {
        let life = |offset_ms: i64, bound_ms: Option<u64>| MeterLife {
            offset_ns: Some(offset_ms * 1_000_000),
            bound_ns: bound_ms.map(|ms| ms * 1_000_000),
            ..MeterLife::new(
                MonoNs(1),
                "m1".parse().unwrap(),
                SourceId::new("a").unwrap(),
                Seq(1),
                MeterFinding::Clock,
                CommitId(1),
            )
        };
        for (offset_ms, bound_ms, due) in [
            (0, Some(1_000), false),
            (-2_900, Some(1_000), false),
            (3_100, Some(1_000), true),
            (-240_000, Some(1_000), true),
            // A clock of minutes.
            (45_000, Some(61_000), false),
            (3_000, None, true),
        ] {
            assert_eq!(
                is_elsewhere(&life(offset_ms, bound_ms)),
                due,
                "{offset_ms} {bound_ms:?}"
            );
        }
    }
}
