//! What processes say to the supervisor: signs of life and how they are confined.

use crate::clock;
use rustix::fs::{OFlags, fcntl_setfl};
use sandbox::Report;
use sandbox::pulse::{LINE_BYTES_MAX, Word};
use std::io::{PipeReader, PipeWriter, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes read at once.
const READ_BYTES: usize = 4_096;

/// What a process has said of itself so far.
#[derive(Debug, Default)]
pub(crate) struct Signs(Mutex<Said>);

#[derive(Debug, Default)]
struct Said {
    /// Up to here its silence is no wonder.
    due_ms: u64,
    confined: Report,
}

impl Signs {
    /// Of a process that is being started now.
    pub(crate) fn new(now_ms: u64) -> Arc<Self> {
        let said = Said {
            due_ms: now_ms,
            ..Said::default()
        };
        Arc::new(Self(Mutex::new(said)))
    }

    fn hear(&self, word: Word, now_ms: u64) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match word {
            Word::Alive => said.due_ms = now_ms,
            Word::Busy(ms) => said.due_ms = now_ms.saturating_add(ms),
            Word::Confined(measure, outcome) => said.confined.add(measure, outcome),
        }
    }

    /// How long it has been silent without having announced it.
    pub(crate) fn silent_ms(&self, now_ms: u64) -> u64 {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        now_ms.saturating_sub(said.due_ms)
    }

    /// The supervisor itself stood still for so long: nobody's silence counts for that time.
    pub(crate) fn forgive(&self, ms: u64) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.due_ms = said.due_ms.saturating_add(ms);
    }

    /// How it is confined, once it has said all.
    pub(crate) fn confined(&self) -> Option<Report> {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = said.confined.measures().count() == sandbox::Measure::ALL.len();
        all.then(|| said.confined.clone())
    }
}

/// A pipe for a process's words; a full one is no reason for the process to wait.
pub(super) fn words() -> std::io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = std::io::pipe()?;
    fcntl_setfl(&writer, OFlags::NONBLOCK)?;
    Ok((reader, writer))
}

/// Listens until the process is gone.
pub(super) fn listen(words: PipeReader, signs: &Arc<Signs>) {
    let signs = Arc::clone(signs);
    std::thread::spawn(move || {
        each_line(words, LINE_BYTES_MAX, |line| {
            if let Some(word) = Word::parse(line) {
                signs.hear(word, clock::mono().0 / 1_000_000);
            }
        });
    });
}

/// Reads lines until the other end is gone; a longer one is cut.
pub(super) fn each_line(mut from: impl Read, bytes_max: usize, mut take: impl FnMut(&str)) {
    let mut buffer = [0u8; READ_BYTES];
    let mut line: Vec<u8> = Vec::new();
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        for byte in buffer.get(..read).unwrap_or_default() {
            if *byte == b'\n' {
                take(&String::from_utf8_lossy(&line));
                line.clear();
            } else if line.len() < bytes_max {
                line.push(*byte);
            }
        }
    }
    if !line.is_empty() {
        take(&String::from_utf8_lossy(&line));
    }
}

#[cfg(test)]
mod tests {
    use super::{Signs, each_line};
    use sandbox::pulse::Word;

    #[test]
    fn lines_are_bounded_and_none_is_lost() {
        let mut lines = Vec::new();
        let text = format!("one\n\n{}\nlast", "x".repeat(9_000));
        each_line(text.as_bytes(), 10, |line| lines.push(line.to_owned()));
        assert_eq!(lines, ["one", "", "xxxxxxxxxx", "last"]);
    }

    #[test]
    fn silence_counts_from_what_was_announced() {
        let signs = Signs::new(1_000);
        assert_eq!(signs.silent_ms(1_500), 500);
        signs.hear(Word::Busy(10_000), 2_000);
        assert_eq!(signs.silent_ms(11_000), 0);
        assert_eq!(signs.silent_ms(13_000), 1_000);
        signs.forgive(5_000);
        assert_eq!(signs.silent_ms(17_500), 500);
        signs.hear(Word::Alive, 17_500);
        assert_eq!(signs.silent_ms(17_600), 100);
    }
}
