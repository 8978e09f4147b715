//! The same drawing as a file: SVG that needs nothing else, in light and dark.

use super::{plot, said};
use crate::commands::words;
use evidence::UtcNs;
use query::{Cover, Jump, TimeHistory};
use std::fmt::Write;

/// Measures of the drawing, in its own units.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 60.0;
const PLOT: f64 = 240.0;
const BAND: f64 = 18.0;
/// Times written under the axis.
const TIMES: u32 = 5;

/// Plain colours first: not every program that draws it knows more.
const STYLE: &str = "\
svg{font:13px sans-serif}.paper{fill:#fff}text{fill:#1b1f24}.title{font-size:16px;font-weight:600}\
.axis{stroke:#1b1f24}.grid{stroke:#d0d7de}.bound{fill:none;stroke:#0b62c4;stroke-width:2}\
.limit{stroke:#b3202c;stroke-dasharray:6 4}.S{fill:#2f8f46}.H{fill:#d99a1c}.R{fill:#c2571a}\
.N{fill:none;stroke:#8c959f;stroke-dasharray:2 2}.Q{fill:#8c959f}.jump{fill:#1b1f24}.bad{fill:#b3202c}\
@media(prefers-color-scheme:dark){.paper{fill:#0d1117}text,.jump{fill:#e6edf3}.axis{stroke:#e6edf3}\
.grid{stroke:#30363d}.bound{stroke:#58a6ff}.limit{stroke:#ff7b72}.S{fill:#3fb950}.H{fill:#e3b341}.R{fill:#f0883e}\
.N{stroke:#6e7681}.Q{fill:#6e7681}.bad{fill:#ff7b72}}";

/// The whole file.
pub(super) fn drawing(history: &TimeHistory) -> String {
    let span = plot::reach(history);
    let x = |utc: UtcNs| LEFT + part(utc, span) * (WIDTH - LEFT - RIGHT);
    let origin = escaped(history.origin.as_deref().unwrap_or("a log"));
    let (from, to) = (words::time(span.0), words::time(span.1));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
         <style>{STYLE}</style>\n<title>{origin}: error bound of the clock, {from} to {to}</title>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"24\">{origin}: error bound of the clock</text>\n\
         <text x=\"{LEFT}\" y=\"44\">{from} to {to}</text>\n"
    );
    bounds(&mut out, history, &x);
    let band_top = TOP + PLOT + 12.0;
    for one in &history.stretches {
        let (begin, end) = (x(one.begin.utc), x(one.end.utc));
        let tip = match &one.cover {
            Cover::Labelled(label) => {
                format!("{}: {}", plain(&said::label(label)), said::reason(label))
            }
            other => other.name().to_owned(),
        };
        let _ = writeln!(
            out,
            "<rect class=\"{}\" x=\"{begin:.1}\" y=\"{band_top}\" width=\"{:.1}\" height=\"{BAND}\"><title>{} from {} to {}</title></rect>",
            class(&one.cover),
            (end - begin).max(1.0),
            escaped(&tip),
            escaped(&said::mark(&one.begin)),
            escaped(&said::mark(&one.end)),
        );
    }
    for jump in &history.jumps {
        let (at, top) = (x(jump.after.utc), band_top + BAND + 4.0);
        let (left, right, foot) = (at - 5.0, at + 5.0, top + 10.0);
        let tip = format!(
            "{} {}: {} ({})",
            words::time(jump.after.utc),
            said::jump(jump),
            plain(&said::cause(jump)),
            said::proof(jump)
        );
        let kind = if Jump::is_explained(jump) {
            "jump"
        } else {
            "bad"
        };
        let _ = writeln!(
            out,
            "<path class=\"{kind}\" d=\"M{at:.1} {top}L{left:.1} {foot}L{right:.1} {foot}Z\"><title>{}</title></path>",
            escaped(&tip)
        );
    }
    times(&mut out, span, band_top + BAND + 34.0);
    legend(&mut out);
    out.push_str("</svg>\n");
    out
}

/// The bound as steps on a logarithmic axis, and the site's limit.
fn bounds(out: &mut String, history: &TimeHistory, x: &dyn Fn(UtcNs) -> f64) {
    let right = WIDTH - RIGHT;
    let foot = TOP + PLOT;
    let Some((low, high)) = plot::decades(history) else {
        let _ = writeln!(
            out,
            "<text x=\"{LEFT}\" y=\"{}\">no stamp states an error bound</text>",
            TOP + 40.0
        );
        return;
    };
    let (low_f, span) = (f64::from(low), f64::from(high.saturating_sub(low).max(1)));
    let y = |ns: u64| foot - (log10(ns) - low_f) / span * PLOT;
    for decade in low..=high {
        let Some(ns) = 10u64.checked_pow(decade) else {
            break;
        };
        let _ = writeln!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/><text x=\"{1}\" y=\"{2:.1}\" text-anchor=\"end\">{3}</text>",
            y(ns),
            LEFT - 8.0,
            y(ns) + 4.0,
            plot::power(ns),
        );
    }
    let _ = writeln!(
        out,
        "<text transform=\"translate(16 {}) rotate(-90)\" text-anchor=\"middle\">error bound (time, logarithmic)</text>",
        TOP + PLOT / 2.0
    );
    let mut path = String::new();
    let mut before: Option<f64> = None;
    for point in &history.points {
        let Some(ns) = point.bound_ns else {
            before = None;
            continue;
        };
        let (at, height) = (x(point.utc), y(ns));
        let _ = match before {
            Some(before) => write!(path, "L{at:.1} {before:.1}L{at:.1} {height:.1}"),
            None => write!(path, "M{at:.1} {height:.1}"),
        };
        before = Some(height);
    }
    let _ = writeln!(out, "<path class=\"bound\" d=\"{path}\"/>");
    if let Some(limit_ns) = history.limit_ns {
        let _ = writeln!(
            out,
            "<line class=\"limit\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{0:.1}\" y2=\"{0:.1}\"><title>the site's limit, {1}</title></line>",
            y(limit_ns),
            words::nanoseconds(limit_ns)
        );
    }
}

fn times(out: &mut String, (first, last): (UtcNs, UtcNs), y: f64) {
    for tick in 0..=TIMES {
        let part = f64::from(tick) / f64::from(TIMES);
        let into =
            (i128::from(last.0) - i128::from(first.0)) * i128::from(tick) / i128::from(TIMES);
        let at = UtcNs(first.0.saturating_add(i64::try_from(into).unwrap_or(0)));
        let text = words::time(at);
        let anchor = match tick {
            0 => "start",
            TIMES => "end",
            _ => "middle",
        };
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>",
            LEFT + part * (WIDTH - LEFT - RIGHT),
            text.get(5..19).unwrap_or_default()
        );
    }
    let _ = writeln!(out, "<text x=\"16\" y=\"{y}\">UTC</text>");
}

fn legend(out: &mut String) {
    let items = [
        ("bound", "error bound"),
        ("S", "SYNCED"),
        ("H", "HOLDOVER"),
        ("R", "RTC_ONLY"),
        ("N", "not running"),
        ("Q", "entries not here"),
        ("jump", "jump"),
        ("bad", "unexplained"),
    ];
    let mut left = LEFT;
    for (class, words) in items {
        let _ = writeln!(
            out,
            "<rect class=\"{class}\" x=\"{left}\" y=\"{}\" width=\"12\" height=\"12\"/><text x=\"{}\" y=\"{}\">{words}</text>",
            HEIGHT - 22.0,
            left + 17.0,
            HEIGHT - 12.0,
        );
        left += 34.0 + 7.6 * f64::from(u32::try_from(words.len()).unwrap_or(0));
    }
}

const fn class(cover: &Cover) -> &'static str {
    match plot::letter(cover) {
        'S' => "S",
        'H' => "H",
        'R' => "R",
        '.' => "N",
        _ => "Q",
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a drawing has fewer points than a float has digits"
)]
fn part(utc: UtcNs, (first, last): (UtcNs, UtcNs)) -> f64 {
    let into = i128::from(utc.0) - i128::from(first.0);
    let span = i128::from(last.0) - i128::from(first.0);
    (into as f64 / span.max(1) as f64).clamp(0.0, 1.0)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a drawing has fewer points than a float has digits"
)]
fn log10(ns: u64) -> f64 {
    (ns.max(1) as f64).log10()
}

/// Without colours: a file has none of a terminal's.
fn plain(words: &str) -> String {
    let mut out = String::new();
    let mut escape = false;
    for c in words.chars() {
        match (escape, c) {
            (false, '\u{1b}') => escape = true,
            (false, c) => out.push(c),
            (true, 'm') => escape = false,
            (true, _) => {}
        }
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
