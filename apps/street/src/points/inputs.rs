//! The recording that plays the inputs: edges are appended ahead of their instants.

use super::log::{PointEvent, PointLine};
use super::wave::{InputKind, Played, Wave, What};
use super::{Input, Ordered};
use crate::Stop;
use crate::log::Log;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// So far ahead edges are written: whoever plays them has read them in time, also on a busy machine.
const AHEAD_NS: u64 = 750_000_000;
/// How often more is written.
const STEP_NS: u64 = 250_000_000;
const NS_PER_S: u64 = 1_000_000_000;

/// The inputs of a street, as one card.
#[derive(Debug)]
pub(super) struct Inputs {
    path: PathBuf,
    file: File,
    waves: Vec<(String, Wave)>,
    /// Everything before is written.
    written_ns: u64,
}

impl Inputs {
    /// Begins a new recording.
    pub(super) fn create(
        path: &Path,
        inputs: &[Input],
        faults: &[Ordered<InputKind>],
        seed: u64,
        ready_ns: u64,
    ) -> Result<Self, Stop> {
        let mut text = String::from("# A simulated street, by the monotonic clock.\n");
        for (line, input) in inputs.iter().enumerate() {
            let _ = writeln!(text, "# {line}: {}\n0 level {line} low", input.name);
        }
        let file = File::create(path).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            Ok(file)
        });
        let waves = inputs.iter().enumerate().map(|(line, input)| {
            let wave = Wave::new(line, input, faults, seed, ready_ns);
            (input.name.clone(), wave)
        });
        Ok(Self {
            file: file.map_err(Stop::host(format_args!("cannot make {}", path.display())))?,
            path: path.to_owned(),
            waves: waves.collect(),
            written_ns: ready_ns,
        })
    }

    pub(super) const fn next_due_ns(&self) -> u64 {
        (self.written_ns + STEP_NS).saturating_sub(AHEAD_NS)
    }

    /// Writes what is due, in the order of the instants, in whole steps: a step is the same whenever it is written.
    pub(super) fn act(&mut self, now_ns: u64, log: &mut Log) -> Result<(), Stop> {
        while self.next_due_ns() <= now_ns {
            self.written_ns += STEP_NS;
            let mut played: Vec<(usize, Played)> = Vec::new();
            for (line, (_, wave)) in self.waves.iter_mut().enumerate() {
                let of_line = wave.play(self.written_ns).into_iter();
                played.extend(of_line.map(|one| (line, one)));
            }
            played.sort_by_key(|(_, one)| one.at_ns);
            let text: String = played
                .iter()
                .map(|(line, one)| recorded(*line, one))
                .collect();
            self.file
                .write_all(text.as_bytes())
                .map_err(Stop::host(format_args!(
                    "cannot write {}",
                    self.path.display()
                )))?;
            for (line, one) in &played {
                let name = self.waves.get(*line).map_or("", |(name, _)| name);
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
