//! The live view: redrawn in place on a terminal, a line now and then elsewhere.

mod meters;

use super::injector::Blow;
use super::plan::Plan;
use super::text::{WIDTH, bar, cut, fitted, seconds};
use super::watch::{Standing, Watch};
use query::GapReport;
use std::io::Write;
use std::time::Duration;

/// Time between two pictures.
const PICTURE: Duration = Duration::from_millis(500);
/// Time between two lines where there is no terminal.
const LINE: Duration = Duration::from_secs(5);
/// Characters of a bar.
const BAR_WIDTH: usize = 20;

/// Where the view goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Screen {
    /// Redrawn in place.
    Terminal,
    /// A line now and then.
    Lines,
    /// Nothing is shown.
    Off,
}

/// What a picture shows.
pub(super) struct Sight<'a> {
    pub(super) plan: &'a Plan,
    pub(super) folder: &'a str,
    pub(super) elapsed: Duration,
    pub(super) watch: &'a Watch,
    pub(super) blows: &'a [Blow],
    /// Bytes between node and collector so far, both ways.
    pub(super) uplink_bytes: u64,
}

/// The live view.
pub(super) struct Live {
    screen: Screen,
    drawn_lines: usize,
    next: Duration,
}

impl Live {
    pub(super) fn new(off: bool) -> Self {
        let terminal = rustix::termios::isatty(std::io::stdout());
        let screen = match (off, terminal) {
            (true, _) => Screen::Off,
            (false, true) => Screen::Terminal,
            (false, false) => Screen::Lines,
        };
        Self {
            screen,
            drawn_lines: 0,
            next: Duration::ZERO,
        }
    }

    /// Whether a picture is due, for which the recorder has to be looked at.
    pub(super) fn is_due(&self, elapsed: Duration) -> bool {
        self.screen != Screen::Off && elapsed >= self.next
    }

    /// A line in passing, before the first picture or after the last.
    pub(super) fn say(&mut self, line: &str) {
        if self.screen != Screen::Off {
            print(&format!("{line}\n"));
        }
    }

    /// Shows how things stand.
    pub(super) fn show(&mut self, sight: &Sight<'_>) {
        match self.screen {
            Screen::Off => {}
            Screen::Terminal => {
                self.next = sight.elapsed + PICTURE;
                let (width, height) = size();
                self.draw(&picture(sight, width, height), width);
            }
            Screen::Lines => {
                self.next = sight.elapsed + LINE;
                print(&format!("{}\n", line(sight)));
            }
        }
    }

    /// Draws over what was drawn before.
    fn draw(&mut self, lines: &[String], width: usize) {
        let mut text = String::new();
        if self.drawn_lines > 0 {
            text.push_str(&format!("\x1b[{}A", self.drawn_lines));
        }
        for line in lines {
            // Only a terminal narrower than the narrowest picture cuts anything.
            text.push_str(cut(line, width));
            text.push_str("\x1b[K\n");
        }
        text.push_str("\x1b[J");
        self.drawn_lines = lines.len();
        print(&text);
    }
}

/// Width of the terminal, and how many lines can be drawn over: a picture higher than the screen could
/// not be redrawn.
fn size() -> (usize, usize) {
    let told = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    // A terminal that does not know its size says 0.
    let told = told.filter(|size| size.ws_col > 0 && size.ws_row > 1);
    told.map_or((WIDTH, usize::MAX), |size| {
        (usize::from(size.ws_col), usize::from(size.ws_row) - 1)
    })
}

/// Writes to standard output.
pub(super) fn print(text: &str) {
    print_to(&mut std::io::stdout().lock(), text);
}

/// A reader that went away ends the view, not the demonstration.
fn print_to(out: &mut impl Write, text: &str) {
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn missing(gaps: &GapReport) -> u64 {
    gaps.readings_missing()
}

fn recorder(sight: &Sight<'_>) -> String {
    let killed = sight.blows.iter().find_map(|blow| match blow {
        Blow::Killed { at, back, .. } => Some((*at, *back)),
        Blow::Cut { .. } | Blow::Struck { .. } => None,
    });
    match (sight.watch.is_up(), killed) {
        (false, _) => "does not answer".to_owned(),
        (true, Some((at, Some((took, _))))) => format!(
            "up, epoch {}; killed at {}, back after {}",
            sight.watch.standing.epoch,
            seconds(at),
            seconds(took)
        ),
        (true, _) => format!("up, epoch {}", sight.watch.standing.epoch),
    }
}

fn uplink(sight: &Sight<'_>) -> String {
    let cut = sight.blows.iter().find_map(|blow| match blow {
        Blow::Cut { at, restored, .. } => Some((*at, *restored)),
        Blow::Killed { .. } | Blow::Struck { .. } => None,
    });
    let state = match cut {
        None => "up".to_owned(),
        Some((at, None)) => format!("CUT since {}", seconds(sight.elapsed.saturating_sub(at))),
        Some((at, Some((lasted, _)))) => {
            format!("up; was cut at {} for {}", seconds(at), seconds(lasted))
        }
    };
    format!("{state}; {} kB carried", sight.uplink_bytes / 1_000)
}

/// The whole picture, in lines of at most `width` characters and, if it can be, `height` lines.
fn picture(sight: &Sight<'_>, width: usize, height: usize) -> Vec<String> {
    let mut lines: Vec<String> = head(sight)
        .iter()
        .flat_map(|line| fitted(line, width))
        .collect();
    lines.extend(meters::table(sight, width));
    if lines.len() > height {
        lines.retain(|line| !line.is_empty());
    }
    lines.truncate(height);
    lines
}

/// What stands above the meters.
fn head(sight: &Sight<'_>) -> Vec<String> {
    let standing = &sight.watch.standing;
    let gaps = sight.watch.gaps();
    let explained = gaps.missing_explained();
    let log = standing.log_size;
    let due = gaps.captured + missing(&gaps);
    let run_for = sight.plan.run_for;
    let mut lines = vec![
        format!(
            "fieldnotary demo, seed {}, in {}",
            sight.plan.seed, sight.folder
        ),
        String::new(),
    ];
    for (name, part, whole, words) in [
        (
            "time",
            ms(sight.elapsed),
            ms(run_for),
            format!(
                "{} of {}",
                seconds(sight.elapsed.min(run_for)),
                seconds(run_for)
            ),
        ),
        (
            "captured",
            gaps.captured,
            due,
            format!(
                "{} read, {} missing, {explained} explained",
                gaps.captured,
                missing(&gaps)
            ),
        ),
        (
            "sealed",
            standing.sealed_size,
            log,
            format!(
                "{} of {log} entries under a checkpoint",
                standing.sealed_size
            ),
        ),
        (
            "cosigned",
            standing.cosigned_size,
            log,
            format!(
                "{} of {log} entries at the collector",
                standing.cosigned_size
            ),
        ),
    ] {
        lines.push(format!(
            "  {name:<9} {}  {words}",
            bar(part, whole, BAR_WIDTH)
        ));
    }
    lines.push(String::new());
    lines.push(format!("  recorder  {}", recorder(sight)));
    lines.push(format!("  uplink    {}", uplink(sight)));
    lines.push(format!("  {}", claims(standing)));
    lines.push(String::new());
    lines
}

fn claims(standing: &Standing) -> String {
    format!(
        "time      {}; truth store {}; keys {}",
        standing.time_quality, standing.truth_class, standing.custody
    )
}

/// The picture in one line.
fn line(sight: &Sight<'_>) -> String {
    let standing = &sight.watch.standing;
    let gaps = sight.watch.gaps();
    format!(
        "{:>7}  {} readings, {} missing ({} explained); log {}, sealed {}, cosigned {}; recorder {}; \
         uplink {}",
        seconds(sight.elapsed),
        gaps.captured,
        missing(&gaps),
        gaps.missing_explained(),
        standing.log_size,
        standing.sealed_size,
        standing.cosigned_size,
        recorder(sight),
        uplink(sight),
    )
}

#[cfg(test)]
mod tests;
