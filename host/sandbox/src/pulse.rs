//! The sign of life: words on the pipe between a process and its supervisor, one a line.
//!
//! The loop that does the work gives it, never a thread beside it: a loop that hangs must not look
//! alive. Who waits for something that may take longer says for how long before it waits.

use crate::{Measure, Outcome, Report};
use rustix::time::{ClockId, clock_gettime};
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::ThreadId;
use std::time::Duration;

/// Longest line; what is longer is no word of ours.
pub const LINE_BYTES_MAX: usize = 512;
/// Longest silence that a process may announce.
pub const BUSY_MS_MAX: u64 = 20 * 60 * 1_000;
/// At most one sign of life in this time.
const EVERY_MS: u64 = 400;

/// The thread whose progress counts.
static OF: OnceLock<ThreadId> = OnceLock::new();
static LAST_MS: AtomicU64 = AtomicU64::new(0);

/// A word of a process to its supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// It makes progress.
    Alive,
    /// It may be silent for so many milliseconds.
    Busy(u64),
    /// How it went with one measure of confinement.
    Confined(Measure, Outcome),
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alive => f.write_str("alive"),
            Self::Busy(ms) => write!(f, "busy {ms}"),
            Self::Confined(measure, Outcome::Applied) => write!(f, "confined {measure}"),
            Self::Confined(measure, Outcome::Not(why)) => write!(f, "confined {measure} not {why}"),
        }
    }
}

impl Word {
    /// Reads a line; what is no word is `None`.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        if line == "alive" {
            return Some(Self::Alive);
        }
        let (word, rest) = line.split_once(' ')?;
        match word {
            "busy" => rest
                .parse()
                .ok()
                .map(|ms: u64| Self::Busy(ms.min(BUSY_MS_MAX))),
            "confined" => {
                let (name, outcome) = match rest.split_once(" not ") {
                    None => (rest, Outcome::Applied),
                    Some((name, why)) => (name, Outcome::Not(why.to_owned())),
                };
                Measure::from_name(name).map(|measure| Self::Confined(measure, outcome))
            }
            _ => None,
        }
    }
}

/// From here on this thread gives signs of life for its process, on standard output. What other
/// threads say is not heard: a loop that hangs beside them must not look alive.
pub fn begin() {
    let _ = OF.set(std::thread::current().id());
}

/// Says that the loop goes on; cheap enough for every turn.
pub fn alive() {
    let (now, last) = (now_ms(), LAST_MS.load(Ordering::Relaxed));
    if now.saturating_sub(last) >= EVERY_MS {
        say(&Word::Alive);
    }
}

/// Says how long the loop may be silent.
pub fn busy(span: Duration) {
    say(&Word::Busy(
        u64::try_from(span.as_millis()).unwrap_or(BUSY_MS_MAX),
    ));
}

/// Says how this process is confined.
pub fn confined(report: &Report) {
    for (measure, outcome) in report.measures() {
        say(&Word::Confined(*measure, outcome.clone()));
    }
}

fn now_ms() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000) + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000
}

fn say(word: &Word) {
    if OF.get() != Some(&std::thread::current().id()) {
        return;
    }
    LAST_MS.store(now_ms(), Ordering::Relaxed);
    let line: String = word.to_string().replace(['\n', '\r'], " ");
    let mut bytes: Vec<u8> = line.into_bytes();
    bytes.truncate(LINE_BYTES_MAX - 1);
    bytes.push(b'\n');
    // A full pipe has signs of life enough; one that nobody reads is the supervisor's end.
    let _ = rustix::io::write(rustix::stdio::stdout(), &bytes);
}

#[cfg(test)]
mod tests {
    use super::{BUSY_MS_MAX, Word};
    use crate::{Measure, Outcome};

    #[test]
    fn every_word_is_read_as_it_was_said() {
        for word in [
            Word::Alive,
            Word::Busy(0),
            Word::Busy(BUSY_MS_MAX),
            Word::Confined(Measure::Files, Outcome::Applied),
            Word::Confined(
                Measure::User,
                Outcome::Not("it runs as root; not so good".to_owned()),
            ),
        ] {
            assert_eq!(Word::parse(&word.to_string()), Some(word));
        }
    }

    #[test]
    fn nobody_announces_silence_for_ever_and_noise_is_no_word() {
        let longest = Word::parse(&format!("busy {}", u64::MAX));
        assert_eq!(longest, Some(Word::Busy(BUSY_MS_MAX)));
        for noise in [
            "",
            "alive ",
            "busy",
            "busy -1",
            "confined",
            "confined tea",
            "\u{fffd}",
        ] {
            assert_eq!(Word::parse(noise), None, "{noise:?}");
        }
    }
}
