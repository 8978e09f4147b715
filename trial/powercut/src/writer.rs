//! The writer as a program of its own: how it is started, what it says, and how it is killed.

use crate::args::WriterArgs;
use crate::log::{Log, said};
use crate::work::{Pace, Word, work};
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use trial::Random;

/// The writer's program: its words go to standard output, each whole.
pub(crate) fn writer(args: &WriterArgs) {
    let say = |line: String| {
        let mut words = std::io::stdout();
        let spoken = words
            .write_all(line.as_bytes())
            .and_then(|()| words.flush());
        if spoken.is_err() {
            // Nobody listens any more: a witness that was stopped leaves no writer behind.
            std::process::exit(0);
        }
        // A serial line is heard when it has been sent; a pipe knows no such call.
        let _ = rustix::termios::tcdrain(&words);
    };
    let why = match Log::in_folder(&args.dir, args.class, args.log_seed) {
        Ok(log) => {
            let mut random = Random::new(args.work_seed);
            let pace = if args.hasty { Pace::Hasty } else { Pace::Sound };
            work(&log, args.first, pace, &mut random, &mut |word| {
                say(spelt(word));
            })
        }
        Err(why) => why,
    };
    say(format!("failed {why}\n"));
}

fn spelt(word: Word) -> String {
    match word {
        Word::Opens => "opens\n".to_owned(),
        Word::Opened => "opened\n".to_owned(),
        Word::Intends { first, count } => format!("intends {first} {count}\n"),
        Word::Acknowledged { id, first, count } => format!("acknowledged {id} {first} {count}\n"),
        Word::Releases { size } => format!("releases {size}\n"),
        Word::Leases { number } => format!("leases {number}\n"),
        Word::Leased { number } => format!("leased {number}\n"),
        Word::Closes => "closes\n".to_owned(),
        Word::Closed => "closed\n".to_owned(),
    }
}

/// The word that a line spells; an error tells what else it says.
fn read(line: &str) -> Result<Word, String> {
    let mut parts = line.split(' ');
    let word = parts.next().unwrap_or_default();
    let numbers: Vec<u64> = parts.filter_map(|part| part.parse().ok()).collect();
    match (word, numbers.as_slice()) {
        ("opens", []) => Ok(Word::Opens),
        ("opened", []) => Ok(Word::Opened),
        ("intends", &[first, count]) => Ok(Word::Intends { first, count }),
        ("acknowledged", &[id, first, count]) => Ok(Word::Acknowledged { id, first, count }),
        ("releases", &[size]) => Ok(Word::Releases { size }),
        ("leases", &[number]) => Ok(Word::Leases { number }),
        ("leased", &[number]) => Ok(Word::Leased { number }),
        ("closes", []) => Ok(Word::Closes),
        ("closed", []) => Ok(Word::Closed),
        _ => Err(line.to_owned()),
    }
}

/// A writer at work, and what it has said so far.
pub(crate) struct Writer {
    child: Child,
    lines: Receiver<String>,
    words: Vec<Word>,
}

impl Writer {
    /// Starts a program that says what a writer says on its standard output.
    pub(crate) fn start(command: &mut Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the writer cannot be started: {error}"))?;
        let pipe = child.stdout.take().ok_or("the writer has no pipe")?;
        let (to, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                if to.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            child,
            lines,
            words: Vec::new(),
        })
    }

    /// Waits until its log is open, or it has ended.
    pub(crate) fn opened(&mut self, within: Duration) -> Result<(), String> {
        while self.words.last() != Some(&Word::Opened) {
            match self.lines.recv_timeout(within) {
                Ok(line) => self.take(&line)?,
                Err(RecvTimeoutError::Timeout) => return Err("the writer hangs".to_owned()),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(())
    }

    /// What it has said since it was last asked, up to now.
    pub(crate) fn heard(&mut self) -> Result<Vec<Word>, String> {
        while let Ok(line) = self.lines.try_recv() {
            self.take(&line)?;
        }
        Ok(std::mem::take(&mut self.words))
    }

    /// Kills it and returns all else that it has said.
    pub(crate) fn kill(mut self) -> Result<Vec<Word>, String> {
        self.child.kill().map_err(said)?;
        self.child.wait().map_err(said)?;
        while let Ok(line) = self.lines.recv() {
            self.take(&line)?;
        }
        Ok(std::mem::take(&mut self.words))
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let word = read(line).map_err(|other| format!("the writer says: {other}"))?;
        self.words.push(word);
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Alive still only if something failed on the way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
