//! `fieldnotary signoff`: a point from its place in the field to the log (U8).

use super::recorder::{Site, actor};
use super::wiring::{account, share};
use super::words::named;
use crate::cli::SignoffArgs;
use crate::clock;
use crate::commands::Ended;
use crate::commands::table::{Align, Table};
use crate::commands::words;
use crate::roles::recorder::{agrees, is_a_state};
use evidence::kinds::SignOff;
use evidence::reasons::{Outcome, Validity};
use evidence::{Decimal, Entry, EntryId, MeterId, Payload, PointId, UtcNs};
use query::{MeterSite, PointStanding, SiteReport, Standing};
use serde_json::json;

/// Compares a point, or tells how all of them stand.
pub(crate) fn signoff(args: &SignoffArgs) -> Result<Ended, String> {
    match (&args.point, args.expected) {
        (Some(point), Some(expected)) => compare(args, args.meter.as_ref(), point, expected),
        _ => standing(args),
    }
}

fn compare(
    args: &SignoffArgs,
    meter: Option<&MeterId>,
    point: &PointId,
    expected: Decimal,
) -> Result<Ended, String> {
    if args.tolerance.mantissa() < 0 {
        return Err(
            "--tolerance is negative: write by how much the two may differ, such as 0.5".to_owned(),
        );
    }
    let site = Site::open(&args.dir)?;
    site.has(meter, None)?;
    if let Some(meter) = meter {
        has_point(&site, meter, point)?;
    }
    is_a_state(meter, point, &site.contract, [expected, args.tolerance])
        .map_err(|error| format!("{error}; nothing was written"))?;
    let recorder = site.recorder()?;
    let mut newest: Option<(Entry, Payload)> = None;
    let report = account(&args.dir, |entry| {
        let Ok(payload) = entry.payload() else { return };
        let shown = payload.shown();
        if shown.is_some_and(|shown| (shown.meter_id, shown.point_id) == (meter, point)) {
            newest = Some((entry.clone(), payload));
        }
    })?;
    if meter.is_none() {
        is_own(&report, point)?;
    }
    let name = meter.map_or_else(|| point.to_string(), |meter| format!("{meter}/{point}"));
    let (entry, payload) = newest.ok_or_else(|| {
        format!(
            "the log says nothing of {name} yet; nothing was written\nwhy not: fieldnotary gaps {}",
            args.dir.display()
        )
    })?;
    let value = usable(args, &entry, &payload, &name)?;
    let site_of = report.meters.iter().find(|one| Some(&one.meter) == meter);
    let since_work = site_of.map(|one| one.since_work.clone());
    let span_ns = since_work.as_ref().map_or(0, |(since, _)| {
        entry.stamp.timestamp.0.saturating_sub(since.0)
    });
    let baseline = since_work.map_or_else(Default::default, |(_, counts)| counts);
    let mut said = SignOff {
        at: clock::mono(),
        actor: actor(args.actor.as_deref())?,
        meter_id: meter.cloned(),
        point_id: point.clone(),
        reading: entry.header.commit_id,
        value,
        expected,
        tolerance: args.tolerance,
        outcome: Outcome::Failed,
        sessions: baseline.sessions,
        incomplete: baseline.incomplete,
        span_ns: u64::try_from(span_ns).unwrap_or(0),
        note: args.note.clone(),
    };
    let agrees = agrees(&said)
        .map_err(|error| format!("the numbers cannot be compared: {error}; nothing was written"))?;
    if agrees {
        said.outcome = Outcome::Done;
    }
    let committed = recorder.commit(said.clone())?;
    tell(args, &said, &entry, committed.at);
    Ok(if agrees { Ended::Well } else { Ended::Badly })
}

fn has_point(site: &Site, meter: &MeterId, point: &PointId) -> Result<(), String> {
    let points = site.contract.meters.get(meter).map(|meter| &meter.points);
    let names = points.into_iter().flatten().map(|point| point.id.as_str());
    among(names, point).map_err(|names| {
        format!(
            "meter {meter} has no point {:?}; it has {names}",
            point.as_str()
        )
    })
}

fn is_own(report: &SiteReport, point: &PointId) -> Result<(), String> {
    among(report.own.iter().map(|one| one.point.as_str()), point).map_err(|names| {
        format!(
            "the station has no point of its own {:?} that can be compared; it has {names}\n\
             a point of a meter is named with --meter",
            point.as_str()
        )
    })
}

/// Whether a point is among these names; they are the error where it is not.
fn among<'n>(
    mut names: impl Iterator<Item = &'n str> + Clone,
    point: &PointId,
) -> Result<(), String> {
    if names.clone().any(|name| name == point.as_str()) {
        return Ok(());
    }
    let first = names.next().unwrap_or("none").to_owned();
    Err(names.fold(first, |all, name| format!("{all}, {name}")))
}

/// The value of an entry that may be compared.
fn usable(
    args: &SignoffArgs,
    entry: &Entry,
    payload: &Payload,
    name: &str,
) -> Result<Decimal, String> {
    let id = entry.header.id();
    let shown = payload.shown();
    let age_ns = age_ns(entry);
    let of_it = format!(
        "the newest entry of {name}, {} {id},",
        payload.kind().name()
    );
    if age_ns > args.within && shown.is_none_or(|shown| !shown.holds) {
        return Err(format!(
            "{of_it} is {} old; nothing was written\nwait for the next one, or allow it with --within",
            words::nanoseconds(age_ns)
        ));
    }
    let quality = shown.map(|shown| shown.quality);
    let good = shown.filter(|shown| shown.quality.validity == Validity::Good);
    good.and_then(|shown| shown.value).ok_or_else(|| {
        let quality = quality.map_or_else(String::new, |quality| {
            format!("{} ({})", quality.validity.name(), quality.reason.name())
        });
        format!(
            "{of_it} is {quality}, and only a good value can be signed off; nothing was written"
        )
    })
}

/// How long ago an entry was made.
fn age_ns(entry: &Entry) -> u64 {
    u64::try_from(clock::utc().0.saturating_sub(entry.stamp.timestamp.0)).unwrap_or(0)
}

fn tell(args: &SignoffArgs, said: &SignOff, read: &Entry, at: EntryId) {
    let (reading, age_ns) = (read.header.id(), age_ns(read));
    let agrees = said.outcome == Outcome::Done;
    if args.json {
        let json = json!({
            "event_id": at.to_string(),
            "meter_id": said.meter_id.as_ref().map(MeterId::as_str),
            "point_id": said.point_id.as_str(),
            "outcome": said.outcome.name(),
            "reading": reading.to_string(),
            "age_ns": age_ns,
            "value": said.value.to_string(),
            "expected": said.expected.to_string(),
            "tolerance": said.tolerance.to_string(),
            "sessions": said.sessions,
            "incomplete": said.incomplete,
        });
        sayln!("{json}");
        return;
    }
    let verdict = if agrees {
        "signed off"
    } else {
        "NOT signed off"
    };
    sayln!("{} {verdict}: entry {at}", named(said));
    sayln!(
        "  read       {}  (entry {reading}, {} old)",
        said.value,
        words::nanoseconds(age_ns)
    );
    sayln!("  in field   {}  +- {}", said.expected, said.tolerance);
    if said.meter_id.is_some() {
        sayln!(
            "  baseline   {}, {} of them incomplete, in {} since the last work on it",
            words::count(said.sessions, "session", "sessions"),
            said.incomplete,
            words::nanoseconds(said.span_ns)
        );
    }
}

/// Every point that can be compared: those of meters, and the station's own.
fn rows(report: &SiteReport) -> impl Iterator<Item = (Option<&MeterId>, &PointStanding)> {
    let meters = report.meters.iter();
    let meters = meters.flat_map(|one| {
        one.points
            .iter()
            .map(move |point| (Some(&one.meter), point))
    });
    meters.chain(report.own.iter().map(|point| (None, point)))
}

fn standing(args: &SignoffArgs) -> Result<Ended, String> {
    let report = account(&args.dir, |_| ())?;
    let signed = rows(&report)
        .filter(|(_, point)| point.standing == Standing::Signed)
        .count();
    let points = rows(&report).count();
    if args.json {
        sayln!("{}", as_json(&report, signed, points));
    } else {
        print(&report);
        sayln!(
            "\n{signed} of {} signed off",
            words::count(points as u64, "point", "points")
        );
    }
    Ok(if signed == points {
        Ended::Well
    } else {
        Ended::Badly
    })
}

fn print(report: &SiteReport) {
    use Align::{Left, Right};
    let mut table = Table::new(&[
        ("point", Left),
        ("standing", Left),
        ("compared", Left),
        ("read", Right),
        ("in field", Right),
        ("by", Left),
        ("entry", Right),
    ]);
    for (meter, point) in rows(report) {
        let (at, id, said) = match &point.newest {
            Some((at, id, said)) => (words::time(*at), id.to_string(), Some(said)),
            None => (String::new(), String::new(), None),
        };
        let of = |field: fn(&SignOff) -> String| said.map_or_else(String::new, field);
        table.row([
            meter.map_or_else(
                || point.point.to_string(),
                |meter| format!("{meter}/{}", point.point),
            ),
            point.standing.name().to_owned(),
            at,
            of(|said| said.value.to_string()),
            of(|said| format!("{} +- {}", said.expected, said.tolerance)),
            of(|said| said.actor.to_string()),
            id,
        ]);
    }
    say!("{table}");
    let mut baselines = report.meters.iter().filter_map(baseline_words).peekable();
    if baselines.peek().is_some() {
        sayln!("\nagainst the baseline of their sign-off:");
        baselines.for_each(|line| sayln!("  {line}"));
    }
}

fn baseline_words(meter: &MeterSite) -> Option<String> {
    let baseline = meter.baseline.as_ref()?;
    Some(format!(
        "{}: {} then, {} since",
        meter.meter,
        share(&baseline.then),
        share(&baseline.since)
    ))
}

fn as_json(report: &SiteReport, signed: usize, points: usize) -> serde_json::Value {
    let row = |(meter, point): (Option<&MeterId>, &PointStanding)| {
        let said = point.newest.as_ref();
        let time = |at: UtcNs| query::rfc3339(at);
        json!({
            "meter_id": meter.map(MeterId::as_str),
            "point_id": point.point.as_str(),
            "standing": point.standing.name().replace(' ', "_"),
            "compared": said.map(|(at, _, _)| time(*at)),
            "entry": said.map(|(_, id, _)| id.0),
            "value": said.map(|(_, _, said)| said.value.to_string()),
            "expected": said.map(|(_, _, said)| said.expected.to_string()),
            "tolerance": said.map(|(_, _, said)| said.tolerance.to_string()),
            "actor": said.map(|(_, _, said)| said.actor.as_str()),
        })
    };
    let rows: Vec<_> = rows(report).map(row).collect();
    json!({"signed": signed, "points": points, "rows": rows})
}
