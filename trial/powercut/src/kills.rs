//! `kill -9` of a writer at a random moment; the one who keeps the ledger is never killed.

use crate::args::WriterArgs;
use crate::ledger::Ledger;
use crate::log::{CLASSES, Log, cases_of_log, said};
use crate::tally::Tally;
use crate::work::{Pace, Word, work};
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use trial::Random;

/// Kills on one log before a new one is made.
const KILLS_OF_LOG: u64 = 40;
/// A writer is killed before it is this old, or before its log is open for this long.
const KILL_WITHIN_US: u64 = 50_000;
/// A writer that has not opened its log by then has failed.
const OPENED_WITHIN: Duration = Duration::from_secs(20);

/// Kills a writer so often.
pub(crate) fn kills(folder: &Path, seed: u64, count: u64, tally: &mut Tally) -> Result<(), String> {
    let mut random = Random::new(seed);
    let mut left = count;
    let mut number = 0;
    let of_log = cases_of_log(count, KILLS_OF_LOG);
    while left > 0 {
        let class = number % CLASSES.len();
        number += 1;
        let most = left.min(of_log);
        left -= life(folder, class, random.number(), most, Pace::Sound, tally)?;
    }
    Ok(())
}

/// One log from its making on, until so many kills or something that does not hold; the kills made.
pub(crate) fn life(
    folder: &Path,
    class: usize,
    seed: u64,
    most: u64,
    pace: Pace,
    tally: &mut Tally,
) -> Result<u64, String> {
    let mut random = Random::new(seed);
    let log = log_of(folder, class, seed)?;
    for before in [&log.dir, &log.truth_dir] {
        let _ = std::fs::remove_dir_all(before);
    }
    log.make()?;
    let mut ledger = Ledger::default();
    for kill in 1..=most {
        let mut writer = Writer::start(
            folder,
            &log,
            class,
            (ledger.handed_in, random.number()),
            pace,
        )?;
        let from_opened = random.between(0, 2) == 0;
        writer.kill(from_opened, random.between(0, KILL_WITHIN_US))?;
        writer.heard().for_each(|word| ledger.hear(word, tally));
        tally.kills += 1;
        let what = format!("kill {kill} of {} log {seed}", log.class);
        if !ledger.judge(&log, &what, tally) {
            return Ok(kill);
        }
    }
    Ok(most)
}

fn log_of(folder: &Path, class: usize, seed: u64) -> Result<Log, String> {
    let class = CLASSES.get(class).copied().ok_or("no such class")?;
    let (dir, truth_dir) = (folder.join("journal"), folder.join("truth"));
    Ok(Log::of_seed(seed, class, dir, truth_dir))
}

/// The writer's program: its words go to standard output, each whole.
pub(crate) fn writer(args: &WriterArgs) {
    let say = |line: String| {
        // Nobody listens any more when this fails, and the end is near.
        let _ = std::io::stdout().write_all(line.as_bytes());
    };
    let why = match log_of(&args.dir, args.class, args.log_seed) {
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
struct Writer {
    child: Child,
    lines: Receiver<String>,
    words: Vec<Word>,
}

impl Writer {
    fn start(
        folder: &Path,
        log: &Log,
        class: usize,
        (first, work_seed): (u64, u64),
        pace: Pace,
    ) -> Result<Self, String> {
        let own = std::env::current_exe().map_err(said)?;
        let mut child = Command::new(own)
            .arg("writer")
            .arg("--dir")
            .arg(folder)
            .args(["--class", &class.to_string()])
            .args(["--log-seed", &log.seed.to_string()])
            .args(["--first", &first.to_string()])
            .args(["--work-seed", &work_seed.to_string()])
            .args((pace == Pace::Hasty).then_some("--hasty"))
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

    /// Kills it so long after its start, or after its log is open, and hears it out.
    fn kill(&mut self, from_opened: bool, after_us: u64) -> Result<(), String> {
        while from_opened && self.words.last() != Some(&Word::Opened) {
            match self.lines.recv_timeout(OPENED_WITHIN) {
                Ok(line) => self.take(&line)?,
                Err(RecvTimeoutError::Timeout) => return Err("the writer hangs".to_owned()),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        std::thread::sleep(Duration::from_micros(after_us));
        self.child.kill().map_err(said)?;
        self.child.wait().map_err(said)?;
        while let Ok(line) = self.lines.recv() {
            self.take(&line)?;
        }
        Ok(())
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let word = read(line).map_err(|other| format!("the writer says: {other}"))?;
        self.words.push(word);
        Ok(())
    }

    fn heard(&mut self) -> impl Iterator<Item = Word> {
        std::mem::take(&mut self.words).into_iter()
    }
}
