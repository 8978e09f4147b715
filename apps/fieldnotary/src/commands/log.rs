//! `fieldnotary log`: the entries as lines.

mod filter;
mod follow;
pub(super) mod losses;
mod printer;

use super::Ended;
use super::directory::Directory;
use super::entries::{Absent, End, Seen};
use super::log_words::Known;
use super::progress::Progress;
use super::words;
use crate::cli::LogArgs;
use crate::when::Edge;
use evidence::{Entry, UtcNs};
use filter::Filter;
use losses::{Missing, NamedLosses};
use printer::Printer;
use std::io::IsTerminal;

/// Names that are listed when another one was asked for.
const NAMED_MAX: usize = 20;
/// Entries with which `--follow` begins where nothing else is said.
const FOLLOWED_FIRST: usize = 10;

/// Prints entries.
pub(crate) fn log(args: &LogArgs) -> Result<Ended, String> {
    if let (Some(Edge::Time(from)), Some(Edge::Time(to))) = (args.from, args.to)
        && to <= from
    {
        return Err(words::reversed(from, to));
    }
    let directory = Directory::open(&args.dir)?;
    directory.has_generation(args.generation)?;
    let last = match args.last {
        None if args.follow && args.from.is_none() && args.limit.is_none() => Some(FOLLOWED_FIRST),
        last => last,
    };
    let mut view = View::new(args, last);
    // Lines on a terminal are progress enough; elsewhere nobody sees them come.
    let quiet = !std::io::stdout().is_terminal() || last.is_some();
    let progress = quiet.then(|| Progress::of("reading entry"));
    let mut places = follow::Places::default();
    // From the first entry on: units and meters stand in configurations before `--from`.
    let end = directory.each(0, true, |seen| {
        if let Some(progress) = &progress {
            progress.step();
        }
        places.passed(&seen);
        view.see(seen);
    })?;
    drop(progress);
    view.finish();
    if let Some(words) = unknown(args, &view.known) {
        complain!("{words}");
        return Ok(Ended::Badly);
    }
    if args.follow {
        follow::follow(&args.dir, args.generation, places, &mut view)?;
    } else if view.printer.printed == 0 && !args.json {
        sayln!("no entry is {}", asked(args));
    }
    Ok(match (view.ended(args), end) {
        (Ended::Well, End::Certain) => Ended::Well,
        _ => Ended::Badly,
    })
}

/// What is known, what is wanted, and where it goes.
struct View {
    known: Known,
    filter: Filter,
    printer: Printer,
    named: NamedLosses,
    /// What is missing since the last entry, and when that was.
    pending: Vec<Absent>,
    newest: Option<UtcNs>,
}

impl View {
    fn new(args: &LogArgs, last: Option<usize>) -> Self {
        Self {
            known: Known::default(),
            filter: Filter::of(args),
            printer: Printer::new(args.json, args.limit, last),
            named: NamedLosses::default(),
            pending: Vec::new(),
            newest: None,
        }
    }

    fn see(&mut self, seen: Seen<'_>) {
        match seen {
            Seen::Entry(entry) => self.take(entry),
            // The entry behind it tells until when it reaches.
            Seen::Lost(absent) => self.pending.push(absent),
        }
    }

    fn take(&mut self, entry: &Entry) {
        let payload = entry.payload().ok();
        self.named.observe(entry, payload.as_ref());
        self.tell_missing(Some(entry.stamp.timestamp));
        self.newest = Some(entry.stamp.timestamp);
        if self.printer.is_done() {
            return;
        }
        let whole = payload
            .as_ref()
            .is_some_and(|payload| self.known.observe(payload));
        if self.filter.wants(entry, payload.as_ref()) {
            let payload = payload.as_ref();
            self.printer.entry(entry, payload, &self.known, whole);
        }
    }

    fn tell_missing(&mut self, behind: Option<UtcNs>) {
        for absent in std::mem::take(&mut self.pending) {
            if self.filter.wants_missing(&absent, self.newest, behind) {
                self.printer.missing(Missing(absent));
            }
        }
    }

    /// Prints what is left.
    fn finish(&mut self) {
        self.tell_missing(None);
        self.printer.finish();
    }

    /// Badly where something is missing that the log does not name itself.
    fn ended(&self, args: &LogArgs) -> Ended {
        let unnamed = self.named.unnamed(&self.printer.missing);
        if unnamed == 0 {
            return Ended::Well;
        }
        if !args.json {
            let dir = args.dir.display();
            sayln!(
                "{} cannot be read, and no LOSS entry names them; what is damaged is said by: fieldnotary verify {dir}",
                super::words::count(unnamed, "entry", "entries")
            );
        }
        Ended::Badly
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
        let of_card = known.points().find(|one| {
            one.strip_prefix(meter.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        });
        return Some(match of_card {
            Some(point) => format!(
                "fieldnotary: {meter:?} is a card and no meter; ask for a point of it, such as --point {point}"
            ),
            None => no_such("meter", meter, known.meters()),
        });
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
