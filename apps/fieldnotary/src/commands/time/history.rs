//! `fieldnotary time history`: a drawing, what it comes to, and what happened, row by row.

use super::{plot, read, said, svg};
use crate::cli::TimeHistoryArgs;
use crate::commands::Ended;
use crate::commands::table::{Align, Table};
use crate::commands::words;
use evidence::foreign::line;
use evidence::reasons::{TimeCause, TimeQuality};
use evidence::{EntryId, UtcNs};
use query::{Cover, Span, TimeAccount, TimeHistory};
use std::io::{ErrorKind, Write as _};

/// Draws and lists. Ends badly where a jump is there that nothing explains.
pub(super) fn history(args: &TimeHistoryArgs) -> Result<Ended, String> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && to <= from
    {
        return Err(words::reversed(from, to));
    }
    let mut account = TimeAccount::new();
    read(&args.dir, &mut account)?;
    let history = account.history(Span {
        from: args.from,
        to: args.to,
    });
    if history.stretches.is_empty() {
        let reach = account.reach().map_or_else(String::new, |(first, newest)| {
            format!(
                "; the log goes from {} to {}",
                said::mark(&first),
                said::mark(&newest)
            )
        });
        complain!("fieldnotary: no entry is of that time{reach}");
        if args.json {
            sayln!("{}", history.json());
        }
        return Ok(Ended::Badly);
    }
    if let Some(path) = &args.svg {
        let shown = path.display();
        let file = std::fs::File::create_new(path);
        file.and_then(|mut file| file.write_all(svg::drawing(&history).as_bytes()))
            .map_err(|error| {
                let cure = match error.kind() {
                    ErrorKind::AlreadyExists => "name a file that is not there yet",
                    ErrorKind::NotFound => "make its folder first",
                    _ => "name a file in a folder that this user may write to",
                };
                format!("cannot write {shown}: {error}\n{cure}")
            })?;
    }
    if args.json {
        sayln!("{}", history.json());
    } else {
        say!(
            "{}\n{}\n",
            plot::plot(&history, &plot::Screen::of_terminal()),
            totals(&history)
        );
        say!("{}", rows(&history, args.last));
    }
    Ok(match history.totals.unexplained {
        0 => Ended::Well,
        _ => Ended::Badly,
    })
}

pub(super) fn totals(history: &TimeHistory) -> String {
    let totals = &history.totals;
    let all = u128::from(totals.labelled_ns().max(1));
    let shares: Vec<String> = TimeQuality::ALL
        .iter()
        .map(|quality| {
            let ns = totals.quality_ns.get(quality).copied().unwrap_or(0);
            let permille = u128::from(ns) * 1_000 / all;
            format!(
                "{} {}.{} %",
                said::quality(*quality),
                permille / 10,
                permille % 10
            )
        })
        .collect();
    let (holdover_ns, longest_ns) = totals.holdover_ns;
    let jumps: u64 = totals.jumps.values().sum();
    format!(
        "{}; sync acquired {}, lost {}; {}, {} in all, longest {}\n\
         {}, {} unexplained; {}, not running {}, entries not here {}\n",
        shares.join(", "),
        totals.sync_acquired,
        totals.sync_lost,
        words::count(totals.holdovers, "holdover", "holdovers"),
        words::nanoseconds(holdover_ns),
        words::nanoseconds(longest_ns),
        words::count(jumps, "jump", "jumps"),
        totals.unexplained,
        words::count(totals.restarts, "restart", "restarts"),
        words::nanoseconds(totals.not_running_ns),
        words::nanoseconds(totals.not_here_ns),
    )
}

/// One row of what happened.
struct Row {
    order: (usize, EntryId, u8),
    cells: [String; 5],
}

fn row(order: (usize, EntryId, u8), at: UtcNs, cells: [String; 4]) -> Row {
    let [entry, what, bound, why] = cells;
    Row {
        order,
        cells: [words::time(at), entry, what, bound, why],
    }
}

pub(super) fn rows(history: &TimeHistory, last: Option<usize>) -> String {
    let mut rows: Vec<Row> = Vec::new();
    for one in &history.stretches {
        let bound = one.bound_ns.map_or_else(String::new, |(least, most)| {
            let (least, most) = (words::bound(least), words::bound(most));
            match least == most {
                true => most,
                false => format!("{least} to {most}"),
            }
        });
        let (what, why) = match &one.cover {
            Cover::Labelled(label) => (said::label(label), label.basis.clone().unwrap_or_default()),
            Cover::NotRunning => ("not running".to_owned(), restart(history, one.run)),
            Cover::NotHere => (
                "not here".to_owned(),
                "lost, or no longer in the ring".to_owned(),
            ),
        };
        let order = match one.cover {
            Cover::NotRunning => (one.run, EntryId { ..one.begin.entry }, 0),
            _ => (one.run, one.begin.entry, 2),
        };
        let entry = said::entry(Some(one.begin.entry));
        rows.push(row(order, one.begin.utc, [entry, what, bound, why]));
    }
    for jump in &history.jumps {
        let entry = said::entry(jump.event.or(Some(jump.after.entry)));
        let cells = [entry, said::jump(jump), String::new(), said::cause(jump)];
        rows.push(row((jump.run, jump.after.entry, 1), jump.after.utc, cells));
    }
    let told: Vec<EntryId> = history.jumps.iter().filter_map(|jump| jump.event).collect();
    for event in history
        .events
        .iter()
        .filter(|event| !told.contains(&event.mark.entry))
    {
        let cause = event.cause.map_or("", TimeCause::name);
        let detail = line(event.detail.as_deref().unwrap_or_default());
        let why = match (cause.is_empty(), detail.is_empty()) {
            (true, _) => detail,
            (false, true) => cause.to_owned(),
            (false, false) => format!("{cause}: {detail}"),
        };
        let entry = said::entry(Some(event.mark.entry));
        let cells = [entry, event.code.name().to_owned(), String::new(), why];
        rows.push(row((event.run, event.mark.entry, 3), event.mark.utc, cells));
    }
    rows.sort_by_key(|row| row.order);
    let left_out = last.map_or(0, |last| rows.len().saturating_sub(last));
    let mut table = Table::new(&[
        ("from (UTC)", Align::Left),
        ("entry", Align::Right),
        ("what", Align::Left),
        ("error bound", Align::Left),
        ("why, or what it rests on", Align::Left),
    ]);
    for row in rows.into_iter().skip(left_out) {
        table.row(row.cells);
    }
    table.to_string()
}

fn restart(history: &TimeHistory, place: usize) -> String {
    let run = history.runs.get(place);
    let before = place
        .checked_sub(1)
        .and_then(|place| history.runs.get(place));
    let (Some(run), Some(before)) = (run, before) else {
        return String::new();
    };
    let cause = run.cause.map_or("", evidence::reasons::EpochCause::name);
    let boot = match before.same_boot(run) {
        Some(true) => "same boot",
        Some(false) => "the machine was rebooted",
        None => "whether the machine was rebooted is not known",
    };
    let ended = before
        .ended
        .as_ref()
        .map_or_else(String::new, |event| format!("{}; ", said::of_node(event)));
    format!(
        "{ended}{cause}, {boot}; epoch entry {}",
        said::entry(run.entry)
    )
}
