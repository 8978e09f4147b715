//! The collector's audit: who let nodes in or took them back, why, and how that ended; who was turned away; and whose logs
//! showed a rollback.
//!
//! JSON lines in three books of `audit/`, each of a bounded size: where one is full it is put aside as `NAME.1.jsonl`, in
//! the place of the one that was put aside before. `number` counts a book's lines from its first one on, so that it is seen how many are gone.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use evidence::Actor;
use evidence::reasons::Outcome;
use serde_json::{Value, json};

use crate::clock;
use crate::error::Error;
use crate::files;
use crate::limits::{AUDIT_BYTES_MAX, AUDIT_TEXT_BYTES_MAX, REFUSALS_TOLD_EVERY_MS};

const DIRECTORY: &str = "audit";

/// What is kept apart, so that a flood of the one pushes out nothing of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Book {
    /// What people did on the collector's directory, and which keys followed others by their own word.
    Acts,
    /// Who was turned away while it served.
    Refusals,
    /// Who delivered what shows a rollback, or another counter.
    Alarms,
}

impl Book {
    const fn name(self) -> &'static str {
        match self {
            Self::Acts => "acts",
            Self::Refusals => "refusals",
            Self::Alarms => "alarms",
        }
    }

    fn path(self, dir: &Path) -> PathBuf {
        dir.join(DIRECTORY).join(format!("{}.jsonl", self.name()))
    }

    fn put_aside(self, dir: &Path) -> PathBuf {
        dir.join(DIRECTORY).join(format!("{}.1.jsonl", self.name()))
    }
}

/// Somebody did something, or was kept from it.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// What.
    pub action: &'a str,
    /// On what.
    pub scope: &'a str,
    /// Why he did it, or why he was kept from it.
    pub reason: &'a str,
    /// How it ended.
    pub outcome: Outcome,
    /// How often, where one line stands for several.
    pub count: u64,
}

/// Who acts, and why.
#[derive(Clone, Debug)]
pub struct Why {
    /// Who: the name that he goes by, and the user id that the kernel vouches for.
    pub actor: Actor,
    /// Why.
    pub reason: String,
}

impl Why {
    /// The local user, or the name given in its place.
    ///
    /// # Errors
    /// Where there is no reason, or the name is none.
    pub fn new(reason: &str, by: Option<&str>) -> Result<Self, Error> {
        evidence::given::reason(reason)
            .map_err(|fault| Error::usage(format!("--reason: {fault}")))?;
        let uid = rustix::process::getuid().as_raw();
        let actor = match by {
            Some(by) => {
                Actor::given(by, uid).map_err(|fault| Error::usage(format!("--by {fault}")))?
            }
            None => {
                let names = ["LOGNAME", "USER"].map(|name| std::env::var(name).ok());
                let local = names.into_iter().flatten().find(|name| !name.is_empty());
                Actor::local(&local.unwrap_or_default(), uid)
            }
        };
        Ok(Self {
            actor,
            reason: reason.to_owned(),
        })
    }

    /// Notes what was done on something, behind telling what came of it. What was refused changed nothing, and is not noted.
    ///
    /// # Errors
    /// Where it cannot be written: it says that the thing is done all the same.
    pub fn done(&self, dir: &Path, action: &str, scope: &str) -> Result<(), Error> {
        let act = Act {
            actor: &self.actor,
            action,
            scope,
            reason: &self.reason,
            outcome: Outcome::Done,
            count: 1,
        };
        note(dir, Book::Acts, &act).map_err(|error| {
            Error::setup(format!(
                "done, but not in the audit: {action} {scope}: {error}"
            ))
        })
    }
}

/// Adds a line to a book, durably.
///
/// # Errors
/// What could not be written; then there is no line.
pub fn note(dir: &Path, book: Book, act: &Act<'_>) -> Result<(), Error> {
    let _taken = taken(dir)?;
    add(dir, book, act, None).map(|_| ())
}

/// Adds the line of a signed statement to the book of acts, durably, and then has it counted. There is one line for each statement,
/// known by the SHA-256 of what it says, however often that is tried; where it cannot be counted there is none.
///
/// # Errors
/// What could not be written, or why it does not count.
pub fn note_and_count(
    dir: &Path,
    act: &Act<'_>,
    hash: &str,
    count: impl FnOnce() -> Result<(), Error>,
) -> Result<(), Error> {
    let _taken = taken(dir)?;
    let path = Book::Acts.path(dir);
    for path in [&path, &Book::Acts.put_aside(dir)] {
        let book = files::read(path)?.unwrap_or_default();
        let mut lines = book.split(|byte| *byte == b'\n');
        let is_it = |line: &[u8]| {
            let line = serde_json::from_slice::<Value>(line).ok();
            line.is_some_and(|line| line.get("statement") == Some(&json!(hash)))
        };
        if lines.any(is_it) {
            // Whoever wrote it may have been cut before it was durable.
            let flushed = File::open(path).and_then(|file| file.sync_all());
            flushed.map_err(Error::io("flush", path))?;
            files::flush_dir(&dir.join(DIRECTORY))?;
            return count();
        }
    }
    let bytes = add(dir, Book::Acts, act, Some(hash))?;
    count().inspect_err(|_| take_back(&path, bytes))
}

/// Adds a line, while the books are [`taken`]; says how many bytes are before it.
fn add(dir: &Path, book: Book, act: &Act<'_>, statement: Option<&str>) -> Result<usize, Error> {
    let path = book.path(dir);
    let before = files::read(&path)?.unwrap_or_default();
    // Where a book tells none, because it was just begun or a cut tore its only line, the one put aside does.
    let last = match last_number(&before) {
        None => last_number(&files::read(&book.put_aside(dir))?.unwrap_or_default()),
        told => told,
    };
    let mut line = json!({
        "number": last.unwrap_or(0).saturating_add(1),
        "at_ms": clock::utc_ms(),
        "actor": act.actor.as_str(),
        "action": act.action,
        "scope": bounded(act.scope),
        "reason": bounded(act.reason),
        "outcome": act.outcome.name(),
        "count": act.count,
    });
    if let (Some(hash), Some(line)) = (statement, line.as_object_mut()) {
        line.insert("statement".to_owned(), hash.into());
    }
    let line = line.to_string();
    let (line, bytes) = match before.len().saturating_add(line.len()) >= AUDIT_BYTES_MAX {
        true => {
            let aside = book.put_aside(dir);
            fs::rename(&path, &aside).map_err(Error::io("rename to", &aside))?;
            (line, 0)
        }
        // A line that a cut tore stays what it is; this one is no part of it.
        false => match before.last().is_some_and(|byte| *byte != b'\n') {
            true => (format!("\n{line}"), before.len()),
            false => (line, before.len()),
        },
    };
    files::append_line(&path, &line).inspect_err(|_| take_back(&path, bytes))?;
    Ok(bytes)
}

/// Takes a line back, as far as that goes: what failed is no act, and whoever is told so tries again.
fn take_back(path: &Path, bytes: usize) {
    if let Ok(file) = OpenOptions::new().write(true).open(path) {
        let _ = file.set_len(u64::try_from(bytes).unwrap_or(u64::MAX));
        let _ = file.sync_all();
    }
}

/// The number of the last line that can be read.
fn last_number(book: &[u8]) -> Option<u64> {
    let mut lines = book.rsplit(|byte| *byte == b'\n');
    lines.find_map(|line| {
        let line: Value = serde_json::from_slice(line).ok()?;
        line.get("number")?.as_u64()
    })
}

/// Held while a line is added: commands run beside the collector that serves.
fn taken(dir: &Path) -> Result<File, Error> {
    let folder = dir.join(DIRECTORY);
    files::create_dir(&folder)?;
    let path = folder.join("lock");
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(Error::io("open", &path))?;
    file.lock().map_err(Error::io("lock", &path))?;
    Ok(file)
}

/// What others wrote, as long as a line has room for.
fn bounded(text: &str) -> &str {
    text.get(..text.floor_char_boundary(AUDIT_TEXT_BYTES_MAX))
        .unwrap_or(text)
}

/// Who is turned away while the collector serves: a line at most every [`REFUSALS_TOLD_EVERY_MS`], which counts those that
/// had none since.
#[derive(Debug)]
pub struct Refusals {
    dir: PathBuf,
    untold: Mutex<Untold>,
}

#[derive(Debug, Default)]
struct Untold {
    /// The last that has no line yet, and how many there are.
    last: Option<Refusal>,
    count: u64,
    tried: Option<Instant>,
}

#[derive(Debug)]
struct Refusal {
    actor: Actor,
    action: String,
    scope: String,
    reason: String,
}

impl Untold {
    /// Writes the line; what cannot be written is counted in the next.
    fn tell(&mut self, dir: &Path) {
        let Some(last) = &self.last else { return };
        let act = Act {
            actor: &last.actor,
            action: &last.action,
            scope: &last.scope,
            reason: &last.reason,
            outcome: Outcome::Refused,
            count: self.count,
        };
        if note(dir, Book::Refusals, &act).is_ok() {
            self.last = None;
            self.count = 0;
        }
    }
}

impl Refusals {
    /// Those of a collector.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_path_buf(),
            untold: Mutex::default(),
        }
    }

    /// Somebody was turned away. What cannot be written stops nothing; it is counted in the next line.
    pub fn refused(&self, actor: &Actor, action: &str, scope: &str, reason: &str) {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        untold.count = untold.count.saturating_add(1);
        untold.last = Some(Refusal {
            actor: actor.clone(),
            action: action.to_owned(),
            scope: bounded(scope).to_owned(),
            reason: bounded(reason).to_owned(),
        });
        let now = clock::instant();
        let every = Duration::from_millis(REFUSALS_TOLD_EVERY_MS);
        // Also where it could not be written: a full disk is no reason to try at each connection.
        let is_soon = |tried: Instant| now.duration_since(tried) < every;
        if untold.tried.is_some_and(is_soon) {
            return;
        }
        untold.tried = Some(now);
        untold.tell(&self.dir);
    }
}

/// The server stops: what has no line yet gets it.
impl Drop for Refusals {
    fn drop(&mut self) {
        let untold = self.untold.get_mut();
        untold
            .unwrap_or_else(PoisonError::into_inner)
            .tell(&self.dir);
    }
}

#[cfg(test)]
mod tests {
    use super::{Act, Book, Refusals, note, note_and_count};
    use crate::error::Error;
    use crate::limits::{AUDIT_BYTES_MAX, AUDIT_TEXT_BYTES_MAX};
    use evidence::Actor;
    use evidence::reasons::Outcome;
    use serde_json::Value;
    use std::path::Path;

    fn lines(path: &Path) -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let read = text.lines().map(|line| serde_json::from_str(line).unwrap());
        read.collect()
    }

    //= A6.7
    //= R11.2
    #[test]
    fn a_book_is_bounded_and_its_numbers_go_on() {
        let dir = tempfile::tempdir().unwrap();
        let long = "\u{e9}".repeat(AUDIT_TEXT_BYTES_MAX);
        let act = Act {
            actor: &Actor::local("ada", 7),
            action: "register",
            scope: &long,
            reason: &long,
            outcome: Outcome::Done,
            count: 1,
        };
        let (now, aside) = (
            Book::Acts.path(dir.path()),
            Book::Acts.put_aside(dir.path()),
        );
        let mut number = 0;
        // Filled, and put aside twice: the older one goes.
        for round in 0..3 {
            for _ in 0..4 {
                note(dir.path(), Book::Acts, &act).unwrap();
                number += 1;
                let numbers: Vec<u64> = [&aside, &now]
                    .iter()
                    .flat_map(|path| lines(path))
                    .map(|line| line["number"].as_u64().unwrap())
                    .collect();
                assert!(
                    numbers.is_sorted_by(|one, next| one + 1 == *next),
                    "{numbers:?}"
                );
                assert_eq!(numbers.last(), Some(&number));
            }
            let size = |path: &Path| path.metadata().map_or(0, |found| found.len());
            let max = u64::try_from(AUDIT_BYTES_MAX).unwrap();
            assert!(size(&now) <= max && size(&aside) <= max, "{round}");
            number += 1;
            let pad = " ".repeat(AUDIT_BYTES_MAX - 3 * 2 * AUDIT_TEXT_BYTES_MAX);
            let full = format!("{{\"number\":{number}{pad}}}\n");
            std::fs::write(&now, full).unwrap();
            let _ = std::fs::remove_file(&aside);
        }
        // One that was put aside just before a cut.
        std::fs::rename(&now, &aside).unwrap();
        note(dir.path(), Book::Acts, &act).unwrap();
        assert_eq!(lines(&now)[0]["number"], number + 1);
    }

    //= A6.7
    #[test]
    fn a_line_that_a_cut_tore_takes_no_other_along_and_numbers_go_on() {
        let dir = tempfile::tempdir().unwrap();
        let act = Act {
            actor: &Actor::local("ada", 7),
            action: "register",
            scope: "example.org/s",
            reason: "new site",
            outcome: Outcome::Done,
            count: 1,
        };
        let book = Book::Acts.path(dir.path());
        for _ in 0..3 {
            note(dir.path(), Book::Acts, &act).unwrap();
        }
        let whole = std::fs::read(&book).unwrap();
        std::fs::write(&book, &whole[..whole.len() - 20]).unwrap();
        note(dir.path(), Book::Acts, &act).unwrap();
        let text = std::fs::read_to_string(&book).unwrap();
        let numbers = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["number"].as_u64());
        assert_eq!(numbers.collect::<Vec<_>>(), [1, 2, 3], "{text}");
        assert_eq!(text.lines().count(), 4);
    }

    //= A6.7
    #[test]
    fn a_statement_has_one_line_where_it_counts_and_none_where_it_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let act = Act {
            actor: &Actor::local("n7", 7),
            action: "add-rotation",
            scope: "example.org/s",
            reason: "yearly",
            outcome: Outcome::Done,
            count: 1,
        };
        let (book, aside) = (
            Book::Acts.path(dir.path()),
            Book::Acts.put_aside(dir.path()),
        );
        let statements = || -> Vec<Value> {
            let all = [&aside, &book].map(|path| lines(path)).concat();
            all.into_iter()
                .map(|line| line["statement"].clone())
                .collect()
        };
        note(dir.path(), Book::Acts, &act).unwrap();
        let add = |hash: &str, counts: bool| {
            let count = || match counts {
                true => Ok(()),
                false => Err(Error::setup("the disk is full")),
            };
            note_and_count(dir.path(), &act, hash, count)
        };
        for _ in 0..3 {
            add("aa", false).unwrap_err();
            assert_eq!(statements(), [Value::Null]);
        }
        for _ in 0..3 {
            add("aa", true).unwrap();
            add("bb", true).unwrap();
            assert_eq!(statements(), [Value::Null, "aa".into(), "bb".into()]);
        }
        // A line that is there stays there: it may be one of before a cut, whose statement counts by now.
        add("aa", false).unwrap_err();
        assert_eq!(statements().len(), 3);
        // Put aside with its book it is still known.
        std::fs::rename(&book, &aside).unwrap();
        add("bb", true).unwrap();
        add("cc", true).unwrap();
        assert_eq!(
            statements(),
            [Value::Null, "aa".into(), "bb".into(), "cc".into()]
        );
    }

    //= A6.7
    #[test]
    fn a_flood_of_refusals_is_one_line_and_pushes_out_no_act() {
        let dir = tempfile::tempdir().unwrap();
        let refusals = Refusals::new(dir.path());
        for _ in 0..500 {
            refusals.refused(
                &Actor::caller("::1"),
                "connect",
                "collector",
                "no certificate",
            );
        }
        let book = Book::Refusals.path(dir.path());
        let told = lines(&book);
        assert_eq!(told.first().unwrap()["count"], 1);
        assert!(told.len() < 100, "{}", told.len());
        assert!(!Book::Acts.path(dir.path()).exists());
        // None is forgotten at the end.
        drop(refusals);
        let counts = lines(&book).into_iter().map(|line| line["count"].as_u64());
        assert_eq!(counts.map(Option::unwrap).sum::<u64>(), 500);
    }
}
