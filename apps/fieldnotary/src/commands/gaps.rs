//! `fieldnotary gaps`: which due readings are missing, and the entries that explain it.

use super::Ended;
use super::directory::{Directory, generations, lacking_segments, open_found};
use super::entries::{End, Seen};
use super::gaps_unread::Unread;
use super::ink::{Ink, ink};
use super::progress::Progress;
use super::ring_files::lacking_in_reach;
use super::table::{Align, Table};
use crate::cli::GapsArgs;
use evidence::reasons::{Anchor, GapClass};
use evidence::{Generation, MeterId, UtcNs};
use query::{GapAccount, GapFilter, GapReport, MeterSummary, Missing};
use serde_json::json;
use std::path::Path;

/// Points named in one row of the table; the JSON names them all.
const POINTS_SHOWN_MAX: usize = 3;

/// Accounts for gaps. Ends badly when something is missing that nothing explains.
pub(crate) fn gaps(args: &GapsArgs) -> Result<Ended, String> {
    let directory = Directory::open(&args.dir)?;
    directory.has_generation(args.generation)?;
    let mut account = GapAccount::new();
    let wanted = |generation: Generation| args.generation.is_none_or(|only| only == generation.0);
    let progress = Progress::of("reading entry");
    let mut unread = Unread::default();
    let end = directory.each(0, false, |seen| {
        progress.step();
        if !wanted(seen.reaches().0) {
            return;
        }
        unread.see(&seen);
        if let Seen::Entry(entry) = seen {
            account.observe(entry);
        }
    })?;
    unread.leave_named();
    drop(progress);
    let not_held: Vec<Generation> = account
        .predecessors()
        .filter(|(generation, before)| {
            args.generation.is_none() && !directory.holds(*generation, before)
        })
        .map(|(generation, _)| *generation)
        .collect();
    for generation in not_held {
        account.predecessor_not_held(generation);
    }
    let reversed = args.from.zip(args.to).filter(|(from, to)| to <= from);
    if let Some((from, to)) = reversed {
        return Err(super::words::reversed(from, to));
    }
    let filter = GapFilter {
        meter: args.meter.clone(),
        from: args.from,
        to: args.to,
    };
    let report = account.report_on(&filter);
    let unknown = filter
        .meter
        .as_ref()
        .filter(|meter| !account.meters().contains(*meter));
    if args.json {
        let mut json = as_json(&report);
        if let Some(object) = json.as_object_mut() {
            object.insert("unread".to_owned(), unread.json());
        }
        sayln!("{json}");
    } else if let Some(meter) = unknown {
        complain!("fieldnotary: {}", not_known(meter, &account));
    } else {
        print_lacking(&directory, &args.dir);
        print_report(&report);
        unread.print(&args.dir);
    }
    let whole = unread.is_empty() && end == End::Certain;
    let unexplained = |finding: &query::SeqFinding| finding.class == GapClass::Unexplained;
    let explained = report.missing_explained() == report.readings_missing()
        && !report.seq_findings.iter().any(unexplained)
        && report.duplicates == 0;
    Ok(if explained && whole && unknown.is_none() {
        Ended::Well
    } else {
        Ended::Badly
    })
}

/// What a log has instead of a meter that it does not know.
fn not_known(meter: &MeterId, account: &GapAccount) -> String {
    let cards = account.cards();
    let known = account.meters().into_iter();
    let (cards, meters): (Vec<&str>, Vec<&str>) = known
        .map(MeterId::as_str)
        .partition(|one| cards.iter().any(|card| card.as_str() == *one));
    let list = |what: &str, ids: &[&str]| match ids {
        [] => String::new(),
        ids => format!("; its {what} are: {}", ids.join(", ")),
    };
    format!(
        "the log knows no meter {:?}{}{}",
        meter.as_str(),
        list("meters", &meters),
        list("cards", &cards)
    )
}

fn as_json(report: &GapReport) -> serde_json::Value {
    let meters: Vec<_> = report
        .meters
        .iter()
        .map(|(meter, summary)| {
            let by_class: serde_json::Map<_, _> = summary
                .by_class
                .iter()
                .map(|(class, count)| (class.name().to_owned(), json!(count)))
                .collect();
            json!({
                "meter_id": meter.as_str(),
                "card": report.cards.contains(meter),
                "due": summary.due,
                "read": summary.read(),
                "missing": summary.missing,
                "backfilled": summary.filled,
                "by_class": by_class,
                "explained": summary.explained(),
            })
        })
        .collect();
    let seq_findings: Vec<_> = report
        .seq_findings
        .iter()
        .map(|finding| {
            json!({
                "meter_id": finding.meter_id.as_str(),
                "first": finding.first,
                "count": finding.count,
                "class": finding.class.name(),
            })
        })
        .collect();
    json!({
        "begins": report.begins.map(|entry| entry.to_string()),
        "due": report.due,
        "attempted": report.attempted,
        "captured": report.captured,
        "duplicates": report.duplicates,
        "readings_due": report.readings_due(),
        "missing_readings": report.readings_missing(),
        "missing_explained": report.missing_explained(),
        "missing_backfilled": report.readings_filled(),
        "meters": meters,
        "missing": report.missing.iter().map(range_json).collect::<Vec<_>>(),
        "seq_findings": seq_findings,
        "lost_entries": report.lost_entries,
    })
}

fn range_json(missing: &Missing) -> serde_json::Value {
    let points: Vec<&str> = missing.points.iter().map(|point| point.as_str()).collect();
    json!({
        "meter_id": missing.meter_id.as_str(),
        "points": points,
        "source": missing.source.as_str(),
        "schedule": missing.schedule.as_str(),
        "slot": missing.slot.to_string(),
        "last_slot": missing.last_slot().to_string(),
        "slots": missing.slots,
        "readings": missing.readings(),
        "first_utc": missing.first_utc.map(query::rfc3339),
        "last_utc": missing.last_utc.map(query::rfc3339),
        "seq": missing.seq,
        "class": missing.class.name(),
        "anchor": missing.class.anchor().map(Anchor::name),
        "cause": missing.cause,
        "event_id": missing.entry.map(|entry| entry.to_string()),
        "last_event_id": missing.last_entry.map(|entry| entry.to_string()),
        "event_ids": missing.entries,
        "backfill_event_id": missing.filled.map(|(first, _)| first.to_string()),
        "last_backfill_event_id": missing.filled.map(|(_, last)| last.to_string()),
    })
}

fn print_report(report: &GapReport) {
    if let Some(begins) = report.begins.filter(|begins| begins.commit_id.0 > 0) {
        sayln!("Older entries were retired: the account begins at entry {begins}.");
    }
    if report.meters.is_empty() {
        sayln!("No reading was due, so none is missing.");
    } else if report.missing.is_empty() {
        sayln!(
            "No reading is missing: all {} that were due are there.",
            report.readings_due()
        );
    } else {
        sayln!(
            "{} of {} due readings are missing, {} of them are explained.",
            report.readings_missing(),
            report.readings_due(),
            report.missing_explained()
        );
    }
    if report.readings_filled() > 0 {
        sayln!(
            "{} of the missing are in the meters' own memories: missed live, and backfilled (log --kind backfill).",
            report.readings_filled()
        );
    }
    if report.attempted > 0 || report.captured > 0 || report.due > 0 {
        sayln!(
            "{} slots due, {} sessions attempted, {} readings captured, {} of them twice.",
            report.due,
            report.attempted,
            report.captured,
            report.duplicates
        );
    }
    say!("{}", tables(report));
    for finding in &report.seq_findings {
        let last = finding
            .first
            .saturating_add(finding.count.saturating_sub(1));
        let words = match finding.class {
            GapClass::CommitGap => "went with entries that a LOSS entry names",
            _ => "no entry explains them: UNEXPLAINED",
        };
        let of = match report.cards.contains(&finding.meter_id) {
            true => "record",
            false => "session",
        };
        sayln!(
            "{}: {of} numbers {} to {last}: {words}",
            finding.meter_id,
            finding.first,
        );
    }
    if report.lost_entries > 0 {
        sayln!(
            "{} entries are lost, and named (log --kind loss). Slots of which only they told are not \
             counted above.",
            report.lost_entries
        );
    }
}

/// Files of a node that are gone or cut: what they held counts as missing below.
fn print_lacking(directory: &Directory, dir: &Path) {
    let Directory::Node(data) = directory else {
        return;
    };
    let all = generations(data).unwrap_or_default().into_iter();
    let lacking = all.map(|one| match open_found(data, one) {
        Ok(log) => lacking_in_reach(data, one, &log.reader).unwrap_or_default(),
        Err(_) => {
            let all = lacking_segments(data, one).unwrap_or_default();
            all.into_values().collect()
        }
    });
    for words in lacking.flatten() {
        sayln!(
            "damaged: {words}; which entries that concerns is said by: fieldnotary verify {}",
            dir.display()
        );
    }
}

/// How meters and cards stand, and what each lacks: meters first, cards in tables of their own.
fn tables(report: &GapReport) -> String {
    let mut out = String::new();
    let is_card = |id: &MeterId| report.cards.contains(id);
    for (what, cards) in [("meter", false), ("card", true)] {
        let of = report.meters.iter();
        let of: Vec<_> = of.filter(|(id, _)| is_card(id) == cards).collect();
        if !of.is_empty() {
            out += &format!("\n{}", summary(what, &of));
        }
    }
    for (what, cards) in [("meter", false), ("card", true)] {
        let of = report.missing.iter();
        let of: Vec<_> = of.filter(|one| is_card(&one.meter_id) == cards).collect();
        if !of.is_empty() {
            out += &format!("\n{}", ranges(what, &of));
        }
    }
    out
}

fn summary(what: &'static str, of: &[(&MeterId, &MeterSummary)]) -> Table<6> {
    let mut table = Table::new(&[
        (what, Align::Left),
        ("due", Align::Right),
        ("read", Align::Right),
        ("missing", Align::Right),
        ("explained", Align::Left),
        ("by class", Align::Left),
    ]);
    for (meter, summary) in of {
        table.row([
            meter.to_string(),
            summary.due.to_string(),
            summary.read().to_string(),
            summary.missing.to_string(),
            explained(summary),
            classes(summary),
        ]);
    }
    table
}

fn explained(summary: &MeterSummary) -> String {
    match (summary.missing, summary.explained()) {
        (0, _) => "-".to_owned(),
        (_, true) => "yes".to_owned(),
        (_, false) => ink(Ink::Bad, "NO"),
    }
}

fn classes(summary: &MeterSummary) -> String {
    let one = |(class, count): (&GapClass, &u64)| format!("{class} {count}");
    summary
        .by_class
        .iter()
        .map(one)
        .collect::<Vec<_>>()
        .join(", ")
}

fn ranges(what: &'static str, of: &[&Missing]) -> Table<9> {
    let mut table = Table::new(&[
        (what, Align::Left),
        ("points", Align::Left),
        ("slots", Align::Right),
        ("first slot", Align::Right),
        ("last slot", Align::Right),
        ("from (UTC)", Align::Left),
        ("to (UTC)", Align::Left),
        ("class and cause", Align::Left),
        ("explained by", Align::Left),
    ]);
    for missing in of {
        let why = if missing.cause == missing.class.name() {
            missing.cause.to_owned()
        } else {
            format!("{} {}", missing.class, missing.cause)
        };
        table.row([
            missing.meter_id.to_string(),
            points(missing),
            missing.slots.to_string(),
            missing.slot.to_string(),
            missing.last_slot().to_string(),
            time(missing.first_utc),
            time(missing.last_utc),
            why,
            entries(missing),
        ]);
    }
    table
}

fn points(missing: &Missing) -> String {
    let shown = missing.points.iter().take(POINTS_SHOWN_MAX);
    let shown: Vec<&str> = shown.map(|point| point.as_str()).collect();
    let all = missing.points.len();
    match all.saturating_sub(shown.len()) {
        _ if missing.all_points && all > 1 => format!("all {all}"),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// To the millisecond, in which schedules are written.
fn time(at: Option<UtcNs>) -> String {
    let Some(at) = at else {
        return "-".to_owned();
    };
    let text = query::rfc3339(at);
    match text.split_once('.') {
        Some((seconds, rest)) if rest.starts_with("000") => format!("{seconds}Z"),
        Some((seconds, rest)) => format!("{seconds}.{}Z", rest.get(..3).unwrap_or_default()),
        None => text,
    }
}

fn entries(missing: &Missing) -> String {
    let why = match (missing.entry, missing.last_entry) {
        (Some(first), Some(last)) if missing.entries > 1 => {
            format!("{} entries, {first} to {last}", missing.entries)
        }
        (Some(entry), _) => format!("entry {entry}"),
        (None, _) => "-".to_owned(),
    };
    match missing.filled {
        None => why,
        Some((first, last)) if first == last => format!("{why}; backfilled by entry {first}"),
        Some((first, last)) => format!("{why}; backfilled by entries {first} to {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::tables;
    use evidence::MeterId;
    use query::{GapReport, MeterSummary};

    //= A4.3
    #[test]
    fn a_card_is_no_meter() {
        let id = |text: &str| MeterId::new(text).unwrap();
        let due = |due: u64| MeterSummary {
            due,
            ..MeterSummary::default()
        };
        let report = GapReport {
            meters: [(id("dio"), due(7)), (id("m1"), due(9))].into(),
            cards: [id("dio")].into(),
            ..GapReport::default()
        };
        let screen = tables(&report);
        let heads: Vec<&str> = screen.split_whitespace().collect();
        let place = |word: &str| heads.iter().position(|one| *one == word).unwrap();
        let order = [place("meter"), place("m1"), place("card"), place("dio")];
        assert!(order.is_sorted(), "{screen}");
    }
}
