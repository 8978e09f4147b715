//! A file that is played as a card: for tests, and to look again at what happened elsewhere.
//!
//! One thing in a line: when, in seconds behind the opening, `@` with seconds of the machine's monotonic clock, or `now`
//! for as soon as it is read; what; and of what. A line that begins with `#` is a remark. What is appended while it is played is played too.
//!
//! ```text
//! 0 level 4 high
//! 0.100 edge 4 rising
//! 0.150000 edge 4 falling 7
//! @86400.250 edge 4 rising
//! 0.300 lost 4 3
//! now sample temp1_input 21500
//! 0 text power_on_reason brown-out reset
//! 2 fault temp1_input the sensor does not answer
//! 0 wired 12 7 0.040
//! 3 gone pulled out
//! ```
//!
//! A level is that at the opening. The number behind an edge is the kernel's number on its line; where it is
//! left out, it is the next one, behind those that were lost. What stands at an instant before the opening has happened:
//! an edge gives the level then, and has no number. An input that is wired to an output follows it. What outputs are given is appended
//! to a file of the same name with `.driven` behind it, where there is one.

mod line;
#[cfg(test)]
mod tests;

pub use line::{Line, RecordingError, When, Wire, parse_line};

use crate::fault::{Fault, of_errno};
use crate::limits::{
    RECORDING_LINE_BYTES_MAX, RECORDING_LOOK_NS, RECORDING_READ_BYTES, RECORDING_SAMPLES_MAX,
};
use crate::{Source, Wanted, WantedOutput};
use evidence::{Decimal, MonoNs};
use io_plane::outputs::Drive;
use io_plane::points::{Edge, Level};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A recording that is played.
#[derive(Debug)]
pub(crate) struct Recording {
    path: PathBuf,
    file: File,
    opened: MonoNs,
    /// It is read for the first time.
    opening: bool,
    /// Bytes of a line that has no end yet.
    rest: Vec<u8>,
    lines_read: u64,
    levels: BTreeMap<u32, bool>,
    /// What is due later, in the order of the file.
    waiting: VecDeque<(MonoNs, Line)>,
    due: Vec<Edge>,
    seqnos: BTreeMap<u32, u32>,
    samples: BTreeMap<String, Result<Decimal, String>>,
    texts: BTreeMap<String, String>,
    wires: Vec<(Wire, Wire, u64)>,
    gone: Option<String>,
    fault: Option<String>,
}

impl Recording {
    pub(crate) fn open(
        path: &Path,
        wanted: &[Wanted],
        outputs: &[WantedOutput],
        now: MonoNs,
    ) -> Result<Self, Fault> {
        let file = File::open(path).map_err(|error| {
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            of_errno(path, errno)
        })?;
        let mut recording = Self {
            path: path.to_path_buf(),
            file,
            opened: now,
            opening: true,
            rest: Vec::new(),
            lines_read: 0,
            levels: wanted.iter().map(|one| (one.line, false)).collect(),
            waiting: VecDeque::new(),
            due: Vec::new(),
            seqnos: BTreeMap::new(),
            samples: BTreeMap::new(),
            texts: BTreeMap::new(),
            wires: Vec::new(),
            gone: None,
            fault: None,
        };
        while recording.look(now) == RECORDING_READ_BYTES {}
        recording.opening = false;
        recording.sound()?;
        for output in outputs {
            let level = recording.levels.entry(output.line).or_insert(output.high);
            if !output.keep {
                *level = output.high;
            }
        }
        Ok(recording)
    }

    fn sound(&self) -> Result<(), Fault> {
        match (&self.fault, &self.gone) {
            (Some(what), _) => Err(Fault::Recording {
                path: self.path.clone(),
                what: what.clone(),
            }),
            (None, Some(why)) => Err(Fault::Other {
                path: self.path.clone(),
                what: format!("gone: {why}"),
            }),
            (None, None) => Ok(()),
        }
    }

    /// Reads what is new, and lets happen what is due; how many bytes there were.
    fn look(&mut self, now: MonoNs) -> u64 {
        let mut bytes = Vec::new();
        let read = (&self.file)
            .take(RECORDING_READ_BYTES)
            .read_to_end(&mut bytes);
        if let Err(error) = read {
            self.fault = Some(error.to_string());
        }
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        for byte in bytes {
            if byte != b'\n' {
                self.rest.push(byte);
                if self.rest.len() > RECORDING_LINE_BYTES_MAX {
                    self.fault = Some(format!(
                        "line {} is longer than {RECORDING_LINE_BYTES_MAX} bytes",
                        self.lines_read + 1
                    ));
                    return 0;
                }
                continue;
            }
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.rest)).into_owned();
            self.lines_read += 1;
            match parse_line(&line) {
                Ok(None) => {}
                Ok(Some((_, Line::Level(level)))) => {
                    self.levels.insert(level.line, level.high);
                }
                Ok(Some((
                    _,
                    Line::Wired {
                        output,
                        input,
                        after_ns,
                    },
                ))) => self.wires.push((output, input, after_ns)),
                Ok(Some((When::Now, line))) => self.waiting.push_back((now, line)),
                Ok(Some((When::At(ns), line))) if self.opening && MonoNs(ns) < self.opened => {
                    self.happened(line);
                }
                Ok(Some((When::At(ns), line))) => {
                    self.waiting.push_back((MonoNs(ns).max(self.opened), line));
                }
                Ok(Some((When::Behind(ns), line))) => {
                    let at = self.opened.plus_ns(ns);
                    self.waiting.push_back((at, line));
                }
                Err(error) => {
                    self.fault = Some(format!("line {}: {error}", self.lines_read));
                    return 0;
                }
            }
        }
        if self.waiting.len() > RECORDING_SAMPLES_MAX * 16 {
            self.fault = Some("more lines than are held: let their times come first".to_owned());
        }
        while let Some((at, line)) = self.waiting.pop_front_if(|(at, _)| *at <= now) {
            self.happens(at, line);
        }
        count
    }

    /// It was before the opening: what comes of it is how things stand.
    fn happened(&mut self, line: Line) {
        match line {
            Line::Edge { line, rising, .. } => {
                self.levels.insert(line, rising);
            }
            Line::Lost { .. } => {}
            other => self.happens(self.opened, other),
        }
    }

    fn happens(&mut self, at: MonoNs, line: Line) {
        match line {
            Line::Level(_) | Line::Wired { .. } => {}
            Line::Edge {
                line,
                rising,
                line_seqno,
            } => {
                let known = self.seqnos.entry(line).or_default();
                *known = line_seqno.unwrap_or(known.wrapping_add(1));
                let line_seqno = *known;
                self.due.push(Edge {
                    at,
                    line,
                    rising,
                    line_seqno,
                });
            }
            Line::Lost { line, count } => {
                let known = self.seqnos.entry(line).or_default();
                *known = known.wrapping_add(count);
            }
            Line::Sample { channel, says } => {
                self.samples.insert(channel, says);
            }
            Line::Text { channel, says } => {
                self.texts.insert(channel, says);
            }
            Line::Gone(why) => self.gone = Some(why),
        }
    }

    /// What is wired to an output follows it.
    fn follow(&mut self, output: &Wire, now: MonoNs, says: &Drive) {
        let wired = self.wires.iter().filter(|(from, ..)| from == output);
        let follows: Vec<(Wire, u64)> = wired.map(|(_, to, ns)| (to.clone(), *ns)).collect();
        for (input, after_ns) in follows {
            let line = match (input, says) {
                (Wire::Line(line), Drive::Line { high, .. }) => Line::Edge {
                    line,
                    rising: *high,
                    line_seqno: None,
                },
                (Wire::Channel(channel), Drive::Channel { raw, .. }) => Line::Sample {
                    channel,
                    says: Decimal::new(i128::from(*raw), 0).map_err(|error| error.to_string()),
                },
                _ => continue,
            };
            let at = now.plus_ns(after_ns);
            let place = self.waiting.partition_point(|(other, _)| *other <= at);
            self.waiting.insert(place, (at, line));
        }
    }

    /// Where what outputs are given is noted.
    fn noted(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(".driven");
        path.into()
    }
}

impl Source for Recording {
    fn levels(&mut self) -> Result<Vec<Level>, Fault> {
        let levels = self.levels.iter();
        let level = |(line, high): (&u32, &bool)| Level {
            line: *line,
            high: *high,
        };
        Ok(levels.map(level).collect())
    }

    fn edges(&mut self, now: MonoNs) -> Result<Vec<Edge>, Fault> {
        self.look(now);
        let due = std::mem::take(&mut self.due);
        if due.is_empty() {
            self.sound()?;
        }
        Ok(due)
    }

    fn sample(&mut self, channel: &str, now: MonoNs) -> Result<Decimal, Fault> {
        self.look(now);
        match self.samples.get(channel) {
            Some(Ok(number)) => Ok(*number),
            Some(Err(what)) => Err(Fault::Other {
                path: self.path.clone(),
                what: format!("{channel}: {what}"),
            }),
            None => {
                let (path, channel) = (self.path.clone(), channel.to_owned());
                let of_it = |line: &Line| matches!(line, Line::Sample { channel: of, .. } if *of == channel);
                Err(match self.waiting.iter().any(|(_, line)| of_it(line)) {
                    true => Fault::NotYet { path, channel },
                    false => Fault::NotRecorded { path, channel },
                })
            }
        }
    }

    fn text(&mut self, channel: &str, now: MonoNs) -> Result<String, Fault> {
        self.look(now);
        let says = self.texts.get(channel).cloned();
        says.ok_or_else(|| Fault::NoSuchChannel {
            path: self.path.clone(),
            channel: channel.to_owned(),
        })
    }

    fn drive(&mut self, to: &Drive, now: MonoNs) -> Result<(), Fault> {
        self.look(now);
        self.sound()?;
        let (output, words) = match to {
            Drive::Line { line, high } => {
                let before = self.levels.insert(*line, *high);
                let level = if *high { "high" } else { "low" };
                let output = Wire::Line(*line);
                if before != Some(*high) {
                    self.follow(&output, now, to);
                }
                (output, format!("{line} {level}"))
            }
            Drive::Channel { channel, raw } => {
                let output = Wire::Channel(channel.clone());
                self.follow(&output, now, to);
                (output, format!("{channel} {raw}"))
            }
        };
        let note = std::fs::OpenOptions::new().append(true).open(self.noted());
        let written = note.map(|mut note| writeln!(note, "{} drive {words}", now.0));
        match written {
            Ok(Err(error)) => Err(Fault::Other {
                path: self.noted(),
                what: format!("{output:?}: {error}"),
            }),
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }

    fn watched(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn next_at(&self, now: MonoNs) -> Option<MonoNs> {
        let next = self.waiting.front().map(|(at, _)| *at);
        let look = now.plus_ns(RECORDING_LOOK_NS);
        Some(next.map_or(look, |next| next.min(look)))
    }
}
