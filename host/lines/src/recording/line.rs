//! One line of a recording.

use evidence::Decimal;
use io_plane::points::Level;
use std::fmt;

/// When something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// As soon as it is read.
    Now,
    /// So many nanoseconds behind the opening.
    Behind(u64),
    /// At this instant of the machine's monotonic clock, in nanoseconds.
    At(u64),
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
    /// The kernel lost so many edges of a line.
    Lost {
        /// The line.
        line: u32,
        /// How many.
        count: u32,
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
    /// An input follows an output, as if it were wired to it.
    Wired {
        /// The output: its line or its channel.
        output: Wire,
        /// The input.
        input: Wire,
        /// After so many nanoseconds.
        after_ns: u64,
    },
    /// The card goes away.
    Gone(String),
}

/// An end of a wire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wire {
    /// A line.
    Line(u32),
    /// A channel.
    Channel(String),
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
    let when = when(words.next().unwrap_or_default()).ok_or_else(|| {
        let right = "seconds behind the opening, such as 0.250, seconds of the monotonic clock, such as @86400.250, or now";
        wrong("no time", right)
    })?;
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
        ("lost", [count]) => Line::Lost {
            line: number()?,
            count: count
                .parse()
                .map_err(|_| wrong("no number of edges", "1 and up"))?,
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
        ("wired", [input, after]) => Line::Wired {
            output: wire(subject),
            input: wire(input),
            after_ns: nanoseconds(after)
                .ok_or_else(|| wrong("no time", "how long it takes, such as 0.020"))?,
        },
        ("gone", words) => Line::Gone([&[subject], words].concat().join(" ")),
        _ => {
            let right = "level LINE high|low, edge LINE rising|falling [NUMBER], lost LINE COUNT, \
                         sample CHANNEL NUMBER, fault CHANNEL WHY, text CHANNEL WORDS, wired OUTPUT INPUT SECONDS or gone WHY behind the time";
            return Err(wrong("nothing that can happen", right));
        }
    };
    Ok(Some((when, line)))
}

fn when(text: &str) -> Option<When> {
    match (text, text.strip_prefix('@')) {
        ("now", _) => Some(When::Now),
        (_, Some(seconds)) => nanoseconds(seconds).map(When::At),
        (seconds, None) => nanoseconds(seconds).map(When::Behind),
    }
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

fn wire(text: &str) -> Wire {
    let line = text.parse().map(Wire::Line);
    line.unwrap_or_else(|_| Wire::Channel(text.to_owned()))
}
