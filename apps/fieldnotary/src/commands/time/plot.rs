//! The bound over time on a terminal: a logarithmic axis, the labels as a band, marks where the clock jumped.

use crate::commands::words;
use evidence::UtcNs;
use query::{Cover, Jump, TimeHistory};
use rustix::termios::tcgetwinsize;
use std::fmt::Write;
use std::io::IsTerminal;

/// Rows of the drawing itself: with the lines around it, one screen.
const ROWS: usize = 11;
/// Columns of the axis.
const AXIS: usize = 9;
/// Columns where no terminal says how many it has; a wider one than the most is not filled.
const COLUMNS: usize = 80;
const COLUMNS_MIN: usize = 40;
const COLUMNS_MAX: usize = 200;

/// What a terminal can show.
pub(super) struct Screen {
    pub(super) columns: usize,
    pub(super) blocks: bool,
}

impl Screen {
    /// The terminal of standard output; plain ASCII where it is none or does not speak UTF-8.
    pub(super) fn of_terminal() -> Self {
        let out = std::io::stdout();
        let size = tcgetwinsize(&out).ok().map(|size| usize::from(size.ws_col));
        let columns = size.filter(|columns| *columns > 0).unwrap_or(COLUMNS);
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
            .unwrap_or_default()
            .to_lowercase();
        let speaks = locale.contains("utf-8") || locale.contains("utf8");
        Self {
            columns: columns.clamp(COLUMNS_MIN, COLUMNS_MAX),
            blocks: speaks && out.is_terminal(),
        }
    }
}

/// Decades that an axis spans: from the power of ten at or below the least to the one above the most.
pub(super) fn decades(history: &TimeHistory) -> Option<(u32, u32)> {
    let known = || history.points.iter().filter_map(|point| point.bound_ns);
    let limit = history.limit_ns.filter(|_| known().next().is_some());
    let all = || known().chain(limit).map(|ns| ns.max(1));
    let (least, most) = (all().min()?, all().max()?);
    let (low, high) = (least.ilog10(), most.ilog10().saturating_add(1));
    Some((low, high.max(low.saturating_add(1))))
}

/// From the first instant to the last one of what is drawn.
pub(super) fn reach(history: &TimeHistory) -> (UtcNs, UtcNs) {
    let marks = || {
        let stretches = history.stretches.iter();
        stretches.flat_map(|one| [one.begin.utc, one.end.utc])
    };
    let first = marks().min().unwrap_or_default();
    let last = marks().max().unwrap_or_default();
    (first, last.max(UtcNs(first.0.saturating_add(1))))
}

/// How far an instant is from the first to the last, from 0 to `steps`.
fn place(utc: UtcNs, (first, last): (UtcNs, UtcNs), steps: usize) -> usize {
    let span = (i128::from(last.0) - i128::from(first.0)).max(1);
    let into = i128::from(utc.0) - i128::from(first.0);
    let steps_wide = i128::try_from(steps).unwrap_or(0);
    let at = into.saturating_mul(steps_wide) / span;
    usize::try_from(at.max(0)).unwrap_or(0).min(steps)
}

/// One letter a quality.
pub(super) const fn letter(cover: &Cover) -> char {
    use evidence::reasons::TimeQuality;
    match cover {
        Cover::Labelled(label) => match label.quality {
            TimeQuality::Synced => 'S',
            TimeQuality::Holdover => 'H',
            TimeQuality::RtcOnly => 'R',
        },
        Cover::NotRunning => '.',
        Cover::NotHere => '?',
    }
}

/// The drawing, with its title and legend.
pub(super) fn plot(history: &TimeHistory, screen: &Screen) -> String {
    let width = screen.columns.saturating_sub(AXIS).max(1);
    let span = reach(history);
    let column = |utc| place(utc, span, width.saturating_sub(1));
    let mut out = String::new();
    let origin = history.origin.as_deref().unwrap_or("a log");
    let (from, to) = (words::time(span.0), words::time(span.1));
    let _ = writeln!(out, "{origin}: error bound of the clock\n{from} to {to}");
    match decades(history) {
        Some(decades) => bounds(&mut out, history, screen, (width, decades, &column)),
        None => out.push_str("no stamp here states an error bound\n"),
    }
    let mut band = vec![' '; width];
    for one in &history.stretches {
        let (begin, end) = (column(one.begin.utc), column(one.end.utc));
        let cells = band
            .iter_mut()
            .skip(begin)
            .take(end.saturating_sub(begin).saturating_add(1));
        cells.for_each(|cell| *cell = letter(&one.cover));
    }
    let mut marks = vec![' '; width];
    for jump in &history.jumps {
        if let Some(cell) = marks.get_mut(column(jump.after.utc)) {
            *cell = if Jump::is_explained(jump) { '^' } else { '!' };
        }
    }
    for (name, cells) in [("label", band), ("jumps", marks)] {
        let cells: String = cells.into_iter().collect();
        let _ = writeln!(out, "{name:>7}  {}", cells.trim_end());
    }
    out.push_str(&hours(span, width));
    out.push_str(
        "S SYNCED  H HOLDOVER  R RTC_ONLY  . not running  ? entries not here\n\
         ^ the clock jumped  ! and nothing explains it  - the site's limit\n",
    );
    out
}

type Axes<'a> = (usize, (u32, u32), &'a dyn Fn(UtcNs) -> usize);

fn bounds(
    out: &mut String,
    history: &TimeHistory,
    screen: &Screen,
    (width, (low, high), column): Axes<'_>,
) {
    let span = high.saturating_sub(low).max(1);
    // The height of a bound in rows, from 0 at the bottom: a logarithm needs no more than a screen shows.
    let height = |ns: u64| {
        let digits = ns.max(1).ilog10();
        let within = ns.max(1) / 10u64.pow(digits.min(19));
        let third = [1u32, 2, 5]
            .iter()
            .rposition(|step| u64::from(*step) <= within)
            .unwrap_or(0);
        let steps = usize::try_from(digits.saturating_sub(low)).unwrap_or(0) * 3 + third;
        let all = usize::try_from(span).unwrap_or(1) * 3;
        (steps * ROWS.saturating_sub(1) / all).min(ROWS.saturating_sub(1))
    };
    let mut tops: Vec<Option<usize>> = vec![None; width];
    let mut last: Option<(usize, usize)> = None;
    for point in &history.points {
        let at = column(point.utc);
        let Some(ns) = point.bound_ns else {
            last = None;
            continue;
        };
        let top = height(ns);
        // A bound holds until the next one: the columns between two points are drawn as well.
        if let Some((from, before)) = last.filter(|(from, _)| *from < at) {
            let cells = tops.iter_mut().take(at).skip(from.saturating_add(1));
            cells.for_each(|cell| *cell = (*cell).max(Some(before)));
        }
        if let Some(cell) = tops.get_mut(at) {
            *cell = (*cell).max(Some(top));
        }
        last = Some((at, top));
    }
    let limit = history.limit_ns.map(height);
    let (full, dot) = if screen.blocks {
        ('\u{2588}', '\u{2592}')
    } else {
        ('*', ':')
    };
    for row in (0..ROWS).rev() {
        let cells: String = tops
            .iter()
            .map(|top| match top {
                Some(top) if *top == row => full,
                Some(top) if *top > row => dot,
                _ if limit == Some(row) => '-',
                _ => ' ',
            })
            .collect();
        let _ = writeln!(out, "{:>7} |{}", tick(row, low, span), cells.trim_end());
    }
}

/// The power of ten that begins in a row of the axis.
fn tick(row: usize, low: u32, span: u32) -> String {
    let all = usize::try_from(span).unwrap_or(1);
    let decade = (0..=all).find(|decade| decade * (ROWS - 1) / all.max(1) == row);
    decade
        .and_then(|decade| u32::try_from(decade).ok())
        .and_then(|decade| 10u64.checked_pow(low.saturating_add(decade)))
        .map_or_else(String::new, power)
}

/// A power of ten of nanoseconds, short.
pub(super) fn power(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} us", ns / 1_000),
        1_000_000..1_000_000_000 => format!("{} ms", ns / 1_000_000),
        1_000_000_000.. => format!("{} s", ns / 1_000_000_000),
    }
}

/// Hours and minutes under the drawing, from left to right.
fn hours((first, last): (UtcNs, UtcNs), width: usize) -> String {
    let ticks = (width / 16).max(1);
    let mut line = String::new();
    for tick in 0..ticks {
        let column = tick * width / ticks;
        let span = i128::from(last.0) - i128::from(first.0);
        let into = span * i128::try_from(column).unwrap_or(0) / i128::try_from(width).unwrap_or(1);
        let at = UtcNs(first.0.saturating_add(i64::try_from(into).unwrap_or(0)));
        let text = words::time(at);
        let shown = if span > 172_800_000_000_000 {
            text.get(5..16)
        } else {
            text.get(11..19)
        };
        let missing = column.saturating_sub(line.len());
        let _ = write!(line, "{:missing$}{}", "", shown.unwrap_or_default());
    }
    format!("{:>7}  {line}\n", "UTC")
}
