//! A file that is played as a card: for tests, and to look again at what happened elsewhere.
//!
//! One thing in a line: when, in seconds behind the opening or `now` for as soon as it is read; what; and of
//! what. A line that begins with `#` is a remark. What is appended while it is played is played too.
//!
//! ```text
//! 0 level 4 high
//! 0.100 edge 4 rising
//! 0.150000 edge 4 falling 7
//! now sample temp1_input 21500
//! 0 text power_on_reason brown-out reset
//! 2 fault temp1_input the sensor does not answer
//! 3 gone pulled out
//! ```
//!
//! A level is that at the opening. The number behind an edge is the kernel's number on its line; where it is
//! left out, it is the next one.

use crate::fault::{Fault, of_errno};
use crate::limits::{
    RECORDING_LINE_BYTES_MAX, RECORDING_LOOK_NS, RECORDING_READ_BYTES, RECORDING_SAMPLES_MAX,
};
use crate::{Source, Wanted};
use evidence::{Decimal, MonoNs};
use io_plane::points::{Edge, Level};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// When something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// As soon as it is read.
    Now,
    /// So many nanoseconds behind the opening.
    Behind(u64),
}

/// A line of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// How a line of the card stands at the opening.
    Level(Level),
    /// An edge, with the kernel's number where it is stated.
    Edge {
        /// The line.
        line: u32,
        /// The level behind it.
        rising: bool,
        /// The kernel's number.
        line_seqno: Option<u32>,
    },
    /// What a channel says from here on.
    Sample {
        /// The channel.
        channel: String,
        /// The number, or why there is none.
        says: Result<Decimal, String>,
    },
    /// What a file of the card says from here on.
    Text {
        /// The file.
        channel: String,
        /// Its text.
        says: String,
    },
    /// The card goes away.
    Gone(String),
}

/// What cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingError(String);

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RecordingError {}

/// Reads a line; nothing of an empty one and of a remark.
///
/// # Errors
/// What is wrong, and what would be right.
pub fn parse_line(text: &str) -> Result<Option<(When, Line)>, RecordingError> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let wrong = |what: &str, right: &str| {
        RecordingError(format!(
            "{what} in \"{}\"; write {right}",
            text.escape_debug()
        ))
    };
    let mut words = text.split_ascii_whitespace();
    let when = words.next().unwrap_or_default();
    let when = match when {
        "now" => When::Now,
        seconds => nanoseconds(seconds).map(When::Behind).ok_or_else(|| {
            wrong(
                "no time",
                "seconds behind the opening, such as 0.250, or now",
            )
        })?,
    };
    let what = words.next().unwrap_or_default();
    let subject = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.collect();
    let number = || {
        let line = subject.parse().ok();
        line.ok_or_else(|| wrong("no number of a line", "0 to 63"))
    };
    let line = match (what, rest.as_slice()) {
        ("level", ["high" | "low"]) => Line::Level(Level {
            line: number()?,
            high: rest == ["high"],
        }),
        ("edge", ["rising" | "falling", seqno @ ..]) if seqno.len() < 2 => Line::Edge {
            line: number()?,
            rising: rest.first() == Some(&"rising"),
            line_seqno: match seqno.first() {
                None => None,
                Some(seqno) => {
                    let seqno = seqno.parse().ok();
                    Some(seqno.ok_or_else(|| wrong("no number of an edge", "1 and up"))?)
                }
            },
        },
        ("sample", [value]) => Line::Sample {
            channel: subject.to_owned(),
            says: Ok(value
                .parse()
                .map_err(|_| wrong("no decimal number", "one such as 21500 or -0.5"))?),
        },
        ("fault", words) if !words.is_empty() => Line::Sample {
            channel: subject.to_owned(),
            says: Err(words.join(" ")),
        },
        ("text", words) if !words.is_empty() => Line::Text {
            channel: subject.to_owned(),
            says: words.join(" "),
        },
        ("gone", words) => Line::Gone([&[subject], words].concat().join(" ")),
        _ => {
            let right = "level LINE high|low, edge LINE rising|falling [NUMBER], sample CHANNEL NUMBER, \
                         fault CHANNEL WHY, text CHANNEL WORDS or gone WHY behind the time";
            return Err(wrong("nothing that can happen", right));
        }
    };
    Ok(Some((when, line)))
}

/// Decimal seconds, to the nanosecond.
fn nanoseconds(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 9 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let part: u64 = format!("{part:0<9}").parse().ok()?;
    whole.checked_mul(1_000_000_000)?.checked_add(part)
}

/// A recording that is played.
#[derive(Debug)]
pub(crate) struct Recording {
    path: PathBuf,
    file: File,
    opened: MonoNs,
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
    gone: Option<String>,
    fault: Option<String>,
}

impl Recording {
    pub(crate) fn open(path: &Path, wanted: &[Wanted], now: MonoNs) -> Result<Self, Fault> {
        let file = File::open(path).map_err(|error| {
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            of_errno(path, errno)
        })?;
        let mut recording = Self {
            path: path.to_path_buf(),
            file,
            opened: now,
            rest: Vec::new(),
            lines_read: 0,
            levels: wanted.iter().map(|one| (one.line, false)).collect(),
            waiting: VecDeque::new(),
            due: Vec::new(),
            seqnos: BTreeMap::new(),
            samples: BTreeMap::new(),
            texts: BTreeMap::new(),
            gone: None,
            fault: None,
        };
        recording.look(now);
        recording.sound()?;
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

    /// Reads what is new, and lets happen what is due.
    fn look(&mut self, now: MonoNs) {
        let mut bytes = Vec::new();
        let read = (&self.file)
            .take(RECORDING_READ_BYTES)
            .read_to_end(&mut bytes);
        if let Err(error) = read {
            self.fault = Some(error.to_string());
        }
        for byte in bytes {
            if byte != b'\n' {
                self.rest.push(byte);
                if self.rest.len() > RECORDING_LINE_BYTES_MAX {
                    self.fault = Some(format!(
                        "line {} is longer than {RECORDING_LINE_BYTES_MAX} bytes",
                        self.lines_read + 1
                    ));
                    return;
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
                Ok(Some((When::Now, line))) => self.waiting.push_back((now, line)),
                Ok(Some((When::Behind(ns), line))) => {
                    let at = self.opened.plus_ns(ns);
                    self.waiting.push_back((at, line));
                }
                Err(error) => {
                    self.fault = Some(format!("line {}: {error}", self.lines_read));
                    return;
                }
            }
        }
        if self.waiting.len() > RECORDING_SAMPLES_MAX * 16 {
            self.fault = Some("more lines than are held: let their times come first".to_owned());
        }
        while let Some((at, line)) = self.waiting.pop_front_if(|(at, _)| *at <= now) {
            self.happens(at, line);
        }
    }

    fn happens(&mut self, at: MonoNs, line: Line) {
        match line {
            Line::Level(_) => {}
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
            Line::Sample { channel, says } => {
                self.samples.insert(channel, says);
            }
            Line::Text { channel, says } => {
                self.texts.insert(channel, says);
            }
            Line::Gone(why) => self.gone = Some(why),
        }
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

    fn watched(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn next_at(&self, now: MonoNs) -> Option<MonoNs> {
        let next = self.waiting.front().map(|(at, _)| *at);
        let look = now.plus_ns(RECORDING_LOOK_NS);
        Some(next.map_or(look, |next| next.min(look)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Recording, When, parse_line};
    use crate::{Fault, Source};
    use evidence::MonoNs;
    use io_plane::points::{Edge, Level};
    use proptest::prelude::{any, proptest};
    use std::io::Write;

    const S: u64 = 1_000_000_000;

    fn edge(at: u64, rising: bool, line_seqno: u32) -> Edge {
        let at = MonoNs(at);
        Edge {
            at,
            line: 4,
            rising,
            line_seqno,
        }
    }

    //= A3.3
    #[test]
    fn a_recording_is_played_from_its_opening_and_grows() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(
            file,
            "# a door\n0 level 4 high\n1 edge 4 falling\n2.5 edge 4 rising 9"
        )
        .unwrap();
        writeln!(file, "0 sample t 21.5\n2 fault t no answer").unwrap();
        let mut card = Recording::open(file.path(), &[], MonoNs(10 * S)).unwrap();
        assert_eq!(
            card.levels().unwrap(),
            [Level {
                line: 4,
                high: true
            }]
        );
        assert_eq!(card.edges(MonoNs(11 * S - 1)), Ok(vec![]));
        // The file's order holds: it waits behind the edge at 1 s.
        assert_eq!(
            card.sample("t", MonoNs(11 * S - 1)).unwrap_err(),
            Fault::NotYet {
                path: file.path().into(),
                channel: "t".into(),
            }
        );
        assert_eq!(
            card.sample("u", MonoNs(11 * S - 1)).unwrap_err(),
            Fault::NotRecorded {
                path: file.path().into(),
                channel: "u".into(),
            }
        );
        assert_eq!(
            card.edges(MonoNs(13 * S)),
            Ok(vec![edge(11 * S, false, 1), edge(12 * S + S / 2, true, 9)])
        );
        assert!(
            card.sample("t", MonoNs(13 * S))
                .unwrap_err()
                .to_string()
                .ends_with("t: no answer")
        );
        write!(file, "now edge 4 falling\nnow edge 4 ris").unwrap();
        assert_eq!(
            card.edges(MonoNs(14 * S)),
            Ok(vec![edge(14 * S, false, 10)])
        );
        writeln!(file, "ing\nnow gone pulled out").unwrap();
        assert_eq!(card.edges(MonoNs(15 * S)), Ok(vec![edge(15 * S, true, 11)]));
        assert!(
            card.edges(MonoNs(16 * S))
                .unwrap_err()
                .to_string()
                .ends_with("gone: pulled out")
        );
    }

    //= U3
    #[test]
    fn a_line_that_cannot_be_read_says_what_would_be_right() {
        for (text, says) in [
            (
                "soon edge 4 rising",
                "no time in \"soon edge 4 rising\"; write seconds behind the opening",
            ),
            ("1. edge four rising", "no number of a line"),
            ("1 edge 4 rising x", "no number of an edge"),
            ("1 sample t hot", "no decimal number"),
            ("1 edge 4 up", "nothing that can happen"),
            ("1", "nothing that can happen"),
        ] {
            let said = parse_line(text).unwrap_err().to_string();
            assert!(said.starts_with(says), "{text}: {said}");
        }
        assert_eq!(
            parse_line("0.25 gone").unwrap(),
            Some((When::Behind(S / 4), Line::Gone(String::new())))
        );
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "0 level 4 high\n1 edge").unwrap();
        let fault = Recording::open(file.path(), &[], MonoNs(0))
            .unwrap_err()
            .to_string();
        assert!(
            fault.contains(": line 2: nothing that can happen in \"1 edge\""),
            "{fault}"
        );
    }

    proptest! {
        #[test]
        fn no_text_does_harm(text in any::<String>()) {
            let _ = parse_line(&text);
        }
    }
}
