//! The live view: redrawn in place on a terminal, a line now and then elsewhere.

use super::injector::Blow;
use super::plan::Plan;
use super::text::{bar, columns, cut, seconds};
use super::watch::{Standing, Watch};
use query::GapReport;
use std::io::Write;
use std::time::Duration;

/// Time between two pictures.
const PICTURE: Duration = Duration::from_millis(500);
/// Time between two lines where there is no terminal.
const LINE: Duration = Duration::from_secs(5);
/// Characters of a bar.
const BAR_WIDTH: usize = 28;
/// Width taken where the terminal does not tell its own.
const WIDTH_DEFAULT: usize = 80;

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
                self.draw(&picture(sight));
            }
            Screen::Lines => {
                self.next = sight.elapsed + LINE;
                print(&format!("{}\n", line(sight)));
            }
        }
    }

    /// Draws over what was drawn before.
    fn draw(&mut self, lines: &[String]) {
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
        let width = size.map_or(WIDTH_DEFAULT, |size| usize::from(size.ws_col).max(1));
        // A picture higher than the screen could not be redrawn.
        let height = size.map_or(usize::MAX, |size| usize::from(size.ws_row).max(2) - 1);
        let mut text = String::new();
        if self.drawn_lines > 0 {
            text.push_str(&format!("\x1b[{}A", self.drawn_lines));
        }
        let lines: Vec<&str> = lines
            .iter()
            .take(height)
            .map(|line| cut(line, width))
            .collect();
        for line in &lines {
            text.push_str(line);
            text.push_str("\x1b[K\n");
        }
        text.push_str("\x1b[J");
        self.drawn_lines = lines.len();
        print(&text);
    }
}

fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that went away ends the view, not the demonstration.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn missing(gaps: &GapReport) -> u64 {
    u64::try_from(gaps.missing.len()).unwrap_or(u64::MAX)
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

/// The whole picture, line by line.
fn picture(sight: &Sight<'_>) -> Vec<String> {
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
                "{} readings; {} missing, {explained} explained",
                gaps.captured,
                missing(&gaps)
            ),
        ),
        (
            "sealed",
            standing.sealed_size,
            log,
            format!(
                "{} of {log} entries under a signed checkpoint",
                standing.sealed_size
            ),
        ),
        (
            "cosigned",
            standing.cosigned_size,
            log,
            format!(
                "{} of {log} entries stored by the collector",
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
    lines.extend(columns(&meters(sight)));
    lines
}

fn claims(standing: &Standing) -> String {
    format!(
        "time      {}; truth store {}; keys {}",
        standing.time_quality, standing.truth_class, standing.custody
    )
}

fn meters(sight: &Sight<'_>) -> Vec<Vec<String>> {
    let heading = [
        "meter",
        "port",
        "quality",
        "seq",
        "energy Wh",
        "power W",
        "voltage V",
        "read",
        "failed",
        "last failure",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for (name, meter) in &sight.watch.meters {
        let value = |point: &str| {
            meter
                .values
                .get(point)
                .cloned()
                .unwrap_or_else(|| "-".to_owned())
        };
        let ailment = sight.plan.faults.iter().find(|fault| fault.meter == *name);
        let failure = meter
            .last_failure
            .map_or(String::new(), |cause| match ailment {
                Some(fault) if fault.ailment.shows_as(cause) => {
                    format!("{cause} ({})", fault.ailment.words())
                }
                _ => cause.to_owned(),
            });
        rows.push(vec![
            name.clone(),
            meter.port.clone(),
            meter.quality.clone(),
            meter.seq.to_string(),
            value("energy"),
            value("power"),
            value("voltage"),
            meter.sessions_read.to_string(),
            meter.attempts_failed.to_string(),
            failure,
        ]);
    }
    rows
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
mod tests {
    use super::{Sight, line, picture};
    use crate::demo::injector::Blow;
    use crate::demo::plan::Plan;
    use crate::demo::watch::{MeterView, Watch};
    use std::time::Duration;

    #[test]
    fn the_picture_shows_meters_and_blows() {
        let plan = Plan::new(Duration::from_secs(60), 0);
        let mut watch = Watch::new("/nowhere/recorder.sock".into());
        watch.standing.log_size = 200;
        watch.standing.sealed_size = 100;
        let meter = MeterView {
            port: "rs485-1".into(),
            quality: "no reading".into(),
            last_failure: Some("timeout"),
            ..MeterView::default()
        };
        watch.meters.insert("m01".into(), meter);
        let blows = [Blow::Cut {
            at: Duration::from_secs(27),
            connections: 1,
            restored: None,
        }];
        let sight = Sight {
            plan: &plan,
            folder: "demo",
            elapsed: Duration::from_secs(30),
            watch: &watch,
            blows: &blows,
            uplink_bytes: 34_567,
        };
        let text = picture(&sight).join("\n");
        for part in [
            "30.0 s of 60.0 s",
            "[##############..............]  30.0 s",
            "[##############..............]  100 of 200 entries",
            "uplink    CUT since 3.0 s; 34 kB carried",
            "recorder  does not answer",
            "timeout (never answers)",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert!(line(&sight).contains("uplink CUT since 3.0 s"));
    }
}
