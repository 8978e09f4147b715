//! `fieldnotary signoff`: a point from its place in the field to the log (U8).

use super::recorder::{Site, actor};
use super::wiring::{account, share};
use crate::cli::SignoffArgs;
use crate::clock;
use crate::commands::Ended;
use crate::commands::table::{Align, Table};
use crate::commands::words;
use crate::roles::recorder::agrees;
use evidence::kinds::{Reading, SignOff};
use evidence::reasons::{Outcome, Validity};
use evidence::{Decimal, Entry, EntryId, MeterId, Payload, PointId, UtcNs};
use query::{MeterSite, SiteReport, Standing};
use serde_json::json;

/// Compares a point, or tells how all of them stand.
pub(crate) fn signoff(args: &SignoffArgs) -> Result<Ended, String> {
    match (&args.meter, &args.point, args.expected) {
        (Some(meter), Some(point), Some(expected)) => compare(args, meter, point, expected),
        _ => standing(args),
    }
}

fn compare(
    args: &SignoffArgs,
    meter: &MeterId,
    point: &PointId,
    expected: Decimal,
) -> Result<Ended, String> {
    if args.tolerance.mantissa() < 0 {
        return Err(
            "--tolerance is negative: write by how much the two may differ, such as 0.5".to_owned(),
        );
    }
    let site = Site::open(&args.dir)?;
    site.has(Some(meter), None)?;
    has_point(&site, meter, point)?;
    let recorder = site.recorder()?;
    let mut newest: Option<(Entry, Reading)> = None;
    let report = account(&args.dir, |entry| {
        if let Ok(Payload::Reading(reading)) = entry.payload()
            && (&reading.meter_id, &reading.point_id) == (meter, point)
        {
            newest = Some((entry.clone(), reading));
        }
    })?;
    let (entry, reading) = newest.ok_or_else(|| {
        format!("the log has no reading of {meter}/{point} yet; nothing was written\nwhy not: fieldnotary gaps {}", args.dir.display())
    })?;
    let value = usable(args, &entry, &reading)?;
    let site_of = report.meters.iter().find(|one| one.meter == *meter);
    let (since, baseline) = site_of.map_or_else(Default::default, |one| one.since_work.clone());
    let span_ns = entry.stamp.timestamp.0.saturating_sub(since.0);
    let mut said = SignOff {
        at: clock::mono(),
        actor: actor(args.actor.as_deref())?.to_string(),
        meter_id: meter.clone(),
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
    tell(args, &said, entry.header.id(), committed.at);
    Ok(if agrees { Ended::Well } else { Ended::Badly })
}

fn has_point(site: &Site, meter: &MeterId, point: &PointId) -> Result<(), String> {
    let points = site.contract.meters.get(meter).map(|meter| &meter.points);
    let mut names = points.into_iter().flatten().map(|point| point.id.as_str());
    if names.clone().any(|name| name == point.as_str()) {
        return Ok(());
    }
    let first = names.next().unwrap_or_default().to_owned();
    let names = names.fold(first, |all, name| format!("{all}, {name}"));
    Err(format!(
        "meter {meter} has no point {:?}; it has {names}",
        point.as_str()
    ))
}

/// The value of a reading that may be compared.
fn usable(args: &SignoffArgs, entry: &Entry, reading: &Reading) -> Result<Decimal, String> {
    let (at, id) = (entry.stamp.timestamp, entry.header.id());
    let age_ns = u64::try_from(clock::utc().0.saturating_sub(at.0)).unwrap_or(0);
    let of_it = format!(
        "the newest reading of {}/{}, entry {id},",
        reading.meter_id, reading.point_id
    );
    if age_ns > args.within {
        return Err(format!(
            "{of_it} is {} old; nothing was written\nwait for the next one, or allow it with --within",
            words::nanoseconds(age_ns)
        ));
    }
    let quality = reading.quality;
    match reading.value.filter(|_| quality.validity == Validity::Good) {
        Some(value) => Ok(value),
        None => Err(format!(
            "{of_it} is {} ({}), and only a good one can be signed off; nothing was written",
            quality.validity.name(),
            quality.reason.name()
        )),
    }
}

fn tell(args: &SignoffArgs, said: &SignOff, reading: EntryId, at: EntryId) {
    let agrees = said.outcome == Outcome::Done;
    if args.json {
        let json = json!({
            "event_id": at.to_string(),
            "meter_id": said.meter_id.as_str(),
            "point_id": said.point_id.as_str(),
            "outcome": said.outcome.name(),
            "reading": reading.to_string(),
            "value": said.value.to_string(),
            "expected": said.expected.to_string(),
            "tolerance": said.tolerance.to_string(),
            "sessions": said.sessions,
            "incomplete": said.incomplete,
        });
        sayln!("{json}");
        return;
    }
    let (meter, point) = (&said.meter_id, &said.point_id);
    let verdict = if agrees {
        "signed off"
    } else {
        "NOT signed off"
    };
    sayln!("{meter}/{point} {verdict}: entry {at}");
    sayln!("  read       {}  (entry {reading})", said.value);
    sayln!("  in field   {}  +- {}", said.expected, said.tolerance);
    sayln!(
        "  baseline   {}, {} of them incomplete, in {} since the last work on it",
        words::count(said.sessions, "session", "sessions"),
        said.incomplete,
        words::nanoseconds(said.span_ns)
    );
}

fn standing(args: &SignoffArgs) -> Result<Ended, String> {
    let report = account(&args.dir, |_| ())?;
    let all = || {
        let meters = report.meters.iter();
        meters.flat_map(|meter| meter.points.iter().map(move |point| (meter, point)))
    };
    let signed = all()
        .filter(|(_, point)| point.standing == Standing::Signed)
        .count();
    let points = all().count();
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
    for meter in &report.meters {
        for point in &meter.points {
            let (at, id, said) = match &point.newest {
                Some((at, id, said)) => (words::time(*at), id.to_string(), Some(said)),
                None => (String::new(), String::new(), None),
            };
            let of = |field: fn(&SignOff) -> String| said.map_or_else(String::new, field);
            table.row([
                format!("{}/{}", meter.meter, point.point),
                point.standing.name().to_owned(),
                at,
                of(|said| said.value.to_string()),
                of(|said| format!("{} +- {}", said.expected, said.tolerance)),
                of(|said| said.actor.clone()),
                id,
            ]);
        }
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
    let rows: Vec<_> = report
        .meters
        .iter()
        .flat_map(|meter| {
            meter.points.iter().map(|point| {
                let said = point.newest.as_ref();
                let time = |at: UtcNs| query::rfc3339(at);
                json!({
                    "meter_id": meter.meter.as_str(),
                    "point_id": point.point.as_str(),
                    "standing": point.standing.name().replace(' ', "_"),
                    "compared": said.map(|(at, _, _)| time(*at)),
                    "entry": said.map(|(_, id, _)| id.0),
                    "value": said.map(|(_, _, said)| said.value.to_string()),
                    "expected": said.map(|(_, _, said)| said.expected.to_string()),
                    "tolerance": said.map(|(_, _, said)| said.tolerance.to_string()),
                    "actor": said.map(|(_, _, said)| said.actor.clone()),
                })
            })
        })
        .collect();
    json!({"signed": signed, "points": points, "rows": rows})
}
