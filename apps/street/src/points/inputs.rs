//! The recording that plays the inputs: edges are appended ahead of their instants.

use super::log::{PointEvent, PointLine};
use super::remote::Remote;
use super::wave::{InputKind, Played, Wave, What};
use super::{INPUTS_FILE, Layout, Ordered};
use crate::Stop;
use crate::log::Log;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// So far ahead edges are written: whoever plays them has read them in time, also on a busy machine.
const AHEAD_NS: u64 = 3 * NS_PER_S;
/// How often more is written.
const STEP_NS: u64 = 250_000_000;
const NS_PER_S: u64 = 1_000_000_000;

/// The inputs of a street: the lines of a recording, and bits of devices.
#[derive(Debug)]
pub(super) struct Inputs {
    path: PathBuf,
    file: Option<File>,
    waves: Vec<Playing>,
    /// Everything before is written.
    written_ns: u64,
}

/// An input, and its line where it is one of the recording.
#[derive(Debug)]
struct Playing {
    name: String,
    line: Option<usize>,
    wave: Wave,
}

impl Inputs {
    /// Begins a new recording, where an input is a line of it.
    pub(super) fn create(
        dir: &Path,
        layout: &Layout,
        faults: &[Ordered<InputKind>],
        seed: u64,
        ready_ns: u64,
    ) -> Result<Self, Stop> {
        let path = dir.join(INPUTS_FILE);
        let mut text = String::from("# A simulated street, by the monotonic clock.\n");
        for (line, input) in layout.recorded() {
            let _ = writeln!(text, "# {line}: {}\n0 level {line} low", input.name);
        }
        let create = || {
            let mut file = File::create(&path)?;
            file.write_all(text.as_bytes())?;
            Ok(file)
        };
        let file = layout.recorded().next().map(|_| create()).transpose();
        let line_of = |name: &str| {
            let mut recorded = layout.recorded();
            recorded.find_map(|(line, input)| (input.name == name).then_some(line))
        };
        let waves = layout
            .inputs
            .iter()
            .enumerate()
            .map(|(place, input)| Playing {
                name: input.name.clone(),
                line: line_of(&input.name),
                wave: Wave::new(place, input, faults, seed, ready_ns),
            });
        Ok(Self {
            file: file.map_err(Stop::host(format_args!("cannot make {}", path.display())))?,
            waves: waves.collect(),
            path,
            written_ns: ready_ns,
        })
    }

    pub(super) fn next_due_ns(&self) -> Option<u64> {
        let due_ns = (self.written_ns + STEP_NS).saturating_sub(AHEAD_NS);
        Some(due_ns).filter(|_| !self.waves.is_empty())
    }

    /// Writes what is due, in the order of the instants, in whole steps: a step is the same whenever it is written.
    pub(super) fn act(
        &mut self,
        now_ns: u64,
        remote: &mut Remote,
        log: &mut Log,
    ) -> Result<(), Stop> {
        while self.next_due_ns().is_some_and(|due_ns| due_ns <= now_ns) {
            self.written_ns += STEP_NS;
            let mut played: Vec<(usize, Played)> = Vec::new();
            for (place, playing) in self.waves.iter_mut().enumerate() {
                let of_it = playing.wave.play(self.written_ns).into_iter();
                played.extend(of_it.map(|one| (place, one)));
            }
            played.sort_by_key(|(_, one)| one.at_ns);
            let mut text = String::new();
            for (place, one) in &played {
                let Some(playing) = self.waves.get(*place) else {
                    continue;
                };
                match playing.line {
                    Some(line) => text += &recorded(line, one),
                    None => remote.plays(&playing.name, one),
                }
            }
            if let Some(file) = &mut self.file {
                file.write_all(text.as_bytes())
                    .map_err(Stop::host(format_args!(
                        "cannot write {}",
                        self.path.display()
                    )))?;
            }
            for (place, one) in &played {
                let name = self.waves.get(*place).map_or("", |playing| &playing.name);
                log.write(&told(name, one))?;
            }
        }
        Ok(())
    }
}

/// Lines of the recording.
fn recorded(line: usize, played: &Played) -> String {
    let (s, ns) = (played.at_ns / NS_PER_S, played.at_ns % NS_PER_S);
    match played.what {
        What::Edge { rising } => {
            let word = if rising { "rising" } else { "falling" };
            format!("@{s}.{ns:09} edge {line} {word}\n")
        }
        What::Lost { count } => format!("@{s}.{ns:09} lost {line} {count}\n"),
        What::Pulse { .. } | What::Fault { .. } => String::new(),
    }
}

/// The line of the log.
fn told<'a>(point: &'a str, played: &Played) -> PointLine<'a> {
    let line = |event| PointLine::new(played.at_ns, event, point);
    match played.what {
        What::Pulse {
            number,
            until_ns,
            fault,
        } => PointLine {
            fault,
            until_ns: Some(until_ns),
            count: Some(number),
            ..line(PointEvent::Pulse)
        },
        What::Edge { rising } => PointLine {
            rising: Some(rising),
            ..line(PointEvent::Edge)
        },
        What::Lost { count } => PointLine {
            fault: Some("lost-edges"),
            count: Some(u64::from(count)),
            ..line(PointEvent::Lost)
        },
        What::Fault {
            fault,
            until_ns,
            changes,
        } => PointLine {
            fault: Some(fault),
            until_ns: Some(until_ns).filter(|until_ns| *until_ns != u64::MAX),
            count: changes,
            ..line(PointEvent::Played)
        },
    }
}
