//! `fieldnotary log`: the entries as lines.

mod filter;
mod follow;
mod printer;

use super::Ended;
use super::directory::Directory;
use super::log_words::Known;
use super::progress::Progress;
use crate::cli::LogArgs;
use crate::when::Edge;
use evidence::Entry;
use filter::Filter;
use printer::Printer;
use std::io::IsTerminal;

/// Names that are listed when another one was asked for.
const NAMED_MAX: usize = 20;
/// Entries with which `--follow` begins where nothing else is said.
const FOLLOWED_FIRST: usize = 10;

/// Prints entries.
pub(crate) fn log(args: &LogArgs) -> Result<Ended, String> {
    let directory = Directory::open(&args.dir)?;
    directory.has_generation(args.generation)?;
    let last = match args.last {
        None if args.follow && args.from.is_none() && args.limit.is_none() => Some(FOLLOWED_FIRST),
        last => last,
    };
    let mut view = View {
        known: Known::default(),
        filter: Filter::of(args),
        printer: Printer::new(args.json, args.limit, last),
    };
    // Lines on a terminal are progress enough; elsewhere nobody sees them come.
    let quiet = !std::io::stdout().is_terminal() || last.is_some();
    let progress = quiet.then(|| Progress::of("reading entry"));
    let mut places = follow::Places::default();
    // From the first entry on: units and meters stand in configurations before `--from`.
    directory.each_entry(0, true, |entry| {
        if let Some(progress) = &progress {
            progress.step();
        }
        places.passed(entry);
        view.take(entry);
    })?;
    drop(progress);
    view.printer.finish();
    if let Some(words) = unknown(args, &view.known) {
        complain!("{words}");
        return Ok(Ended::Badly);
    }
    if args.follow {
        follow::follow(&args.dir, args.generation, places, &mut view)?;
    } else if view.printer.printed == 0 && !args.json {
        sayln!("no entry is {}", asked(args));
    }
    Ok(Ended::Well)
}

/// What is known, what is wanted, and where it goes.
struct View {
    known: Known,
    filter: Filter,
    printer: Printer,
}

impl View {
    fn take(&mut self, entry: &Entry) {
        if self.printer.is_done() {
            return;
        }
        let payload = entry.payload().ok();
        let whole = payload
            .as_ref()
            .is_some_and(|payload| self.known.observe(payload));
        if self.filter.wants(entry, payload.as_ref()) {
            let payload = payload.as_ref();
            self.printer.entry(entry, payload, &self.known, whole);
        }
    }
}

/// What was asked for, in words, where nothing is of that sort.
fn asked(args: &LogArgs) -> String {
    let mut asked = Vec::new();
    if !args.kind.is_empty() {
        let kinds: Vec<&str> = args.kind.iter().map(|kind| kind.name()).collect();
        asked.push(format!("of kind {}", kinds.join(" or ")));
    }
    for (what, name) in [("meter", &args.meter), ("point", &args.point)] {
        asked.extend(name.as_ref().map(|name| format!("about {what} {name}")));
    }
    for (word, edge) in [("from", args.from), ("before", args.to)] {
        asked.extend(edge.map(|edge| match edge {
            Edge::Id(id) => format!("{word} entry {id}"),
            Edge::Time(at) => format!("{word} {}", super::words::time(at)),
        }));
    }
    asked.extend(args.generation.map(|one| format!("of generation {one}")));
    match asked.is_empty() {
        true => "there".to_owned(),
        false => asked.join(", "),
    }
}

/// A meter or a point that the log does not know, and those that it does.
fn unknown(args: &LogArgs, known: &Known) -> Option<String> {
    if let Some(meter) = &args.meter
        && !known.meters().any(|one| one == meter)
    {
        return Some(no_such("meter", meter, known.meters()));
    }
    let point = args.point.as_ref()?;
    let there = known
        .points()
        .any(|one| one.ends_with(point) && filter::is_point(one, point));
    (!there).then(|| no_such("point", point, known.points()))
}

fn no_such<'k>(what: &str, name: &str, known: impl Iterator<Item = &'k str>) -> String {
    let known: Vec<&str> = known.collect();
    let mut named = known
        .get(..known.len().min(NAMED_MAX))
        .unwrap_or_default()
        .join(", ");
    if known.len() > NAMED_MAX {
        named += &format!(", ... ({} in all)", known.len());
    }
    if known.is_empty() {
        named = "none".to_owned();
    }
    format!("fieldnotary: the log knows no {what} {name:?}; its {what}s are: {named}")
}
