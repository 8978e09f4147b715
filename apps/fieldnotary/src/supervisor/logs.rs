//! What processes write to standard error: bounded in rate, in files that are bounded and rotated.

use super::pipes::each_line;
use crate::clock;
use std::fs::{File, OpenOptions};
use std::io::{PipeReader, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Bytes of one file.
const FILE_BYTES_MAX: u64 = 256 << 10;
/// Files of one process; the oldest goes.
const FILES: u32 = 4;
/// Lines that may come at once.
const LINES_BURST: u64 = 200;
/// One more line each this many milliseconds.
const LINE_EVERY_MS: u64 = 50;
/// Bytes of a line that are kept.
const LINE_BYTES_MAX: usize = 1_024;
/// Lines that wait for a standard error that nobody reads.
const ECHO_MAX: usize = 256;

/// The log files of one process.
#[derive(Debug)]
pub(crate) struct LogBook {
    path: PathBuf,
    page: Mutex<Page>,
}

#[derive(Debug)]
struct Page {
    file: Option<File>,
    bytes: u64,
    lines_left: u64,
    counted_ms: u64,
    /// Since the line that said so last.
    dropped: u64,
    dropped_unreported: u64,
}

impl LogBook {
    /// The book of a role; its files are made when there is something to write.
    pub(crate) fn new(dir: &Path, role: &str) -> Arc<Self> {
        let name = format!("{}.log", role.replace(['/', ':'], "-"));
        let page = Page {
            file: None,
            bytes: 0,
            lines_left: LINES_BURST,
            counted_ms: 0,
            dropped: 0,
            dropped_unreported: 0,
        };
        Arc::new(Self {
            path: dir.join(name),
            page: Mutex::new(page),
        })
    }

    /// Takes lines from a pipe until its other end is gone.
    pub(super) fn read(self: &Arc<Self>, lines: PipeReader) {
        let book = Arc::clone(self);
        std::thread::spawn(move || {
            each_line(lines, LINE_BYTES_MAX, |line| {
                book.line(line, clock::mono().0 / 1_000_000);
            });
        });
    }

    /// Takes one line, if there is room for it in this moment.
    pub(super) fn line(&self, line: &str, now_ms: u64) {
        let mut page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        page.refill(now_ms);
        if page.lines_left == 0 {
            page.dropped += 1;
            page.dropped_unreported += 1;
            return;
        }
        page.lines_left -= 1;
        let dropped = std::mem::take(&mut page.dropped);
        if dropped > 0 {
            let rate = 1_000 / LINE_EVERY_MS;
            let words = format!("({dropped} lines dropped here: more than {rate} a second)");
            page.write(&self.path, &words);
        }
        page.write(&self.path, line);
    }

    /// Lines dropped since this was asked last.
    pub(super) fn take_dropped(&self) -> u64 {
        let mut page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut page.dropped_unreported)
    }
}

impl Page {
    fn refill(&mut self, now_ms: u64) {
        let more = now_ms.saturating_sub(self.counted_ms) / LINE_EVERY_MS;
        self.counted_ms = self.counted_ms.saturating_add(more * LINE_EVERY_MS);
        self.lines_left = self.lines_left.saturating_add(more).min(LINES_BURST);
    }

    /// Files that cannot be written are no reason to hold up a process: its words still go to ours.
    fn write(&mut self, path: &Path, line: &str) {
        echo(line);
        let text = format!("{} {line}\n", query::rfc3339(clock::utc()));
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        if self.file.is_none() || self.bytes.saturating_add(bytes) > FILE_BYTES_MAX {
            self.turn(path, bytes);
        }
        if let Some(file) = &mut self.file
            && file.write_all(text.as_bytes()).is_ok()
        {
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    /// Goes on in the file that is there, or begins a new one.
    fn turn(&mut self, path: &Path, bytes: u64) {
        let size = std::fs::metadata(path).map_or(0, |found| found.len());
        self.bytes = size;
        if size.saturating_add(bytes) > FILE_BYTES_MAX {
            let numbered = |number: u32| path.with_extension(format!("log.{number}"));
            for number in (1..FILES - 1).rev() {
                let _ = std::fs::rename(numbered(number), numbered(number + 1));
            }
            let _ = std::fs::rename(path, numbered(1));
            self.bytes = 0;
        }
        self.file = OpenOptions::new().append(true).create(true).open(path).ok();
    }
}

/// A line to our own standard error, from a thread of its own: nobody waits for whoever reads it.
fn echo(line: &str) {
    if cfg!(test) {
        return;
    }
    static ECHO: OnceLock<SyncSender<String>> = OnceLock::new();
    let sender = ECHO.get_or_init(|| {
        let (sender, lines) = sync_channel::<String>(ECHO_MAX);
        std::thread::spawn(move || {
            for line in lines {
                crate::commands::complain!("{line}");
            }
        });
        sender
    });
    // What it cannot take stands in the file.
    let _ = sender.try_send(line.to_owned());
}

#[cfg(test)]
mod tests {
    use super::{FILE_BYTES_MAX, FILES, LINE_EVERY_MS, LINES_BURST, LogBook};
    use std::path::Path;

    fn files(dir: &Path) -> Vec<(String, u64)> {
        let mut found: Vec<_> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, entry.metadata().unwrap().len())
            })
            .collect();
        found.sort();
        found
    }

    //= R10.4
    #[test]
    fn a_flood_of_lines_is_cut_and_one_line_says_how_much() {
        let dir = tempfile::tempdir().unwrap();
        let book = LogBook::new(dir.path(), "io/rs485");
        for n in 0..5_000 {
            book.line(&format!("noise {n}"), 10);
        }
        assert_eq!(book.take_dropped(), 5_000 - LINES_BURST);
        assert_eq!(book.take_dropped(), 0);
        book.line("calm", 10 + 2 * LINE_EVERY_MS);
        let text = std::fs::read_to_string(dir.path().join("io-rs485.log")).unwrap();
        assert_eq!(text.matches("noise").count() as u64, LINES_BURST);
        assert!(
            text.contains(&format!("({} lines dropped", 5_000 - LINES_BURST)),
            "{text}"
        );
        assert!(text.ends_with(" calm\n"));
    }

    //= R2.3
    #[test]
    fn files_are_rotated_and_never_hold_more_than_their_quota() {
        let dir = tempfile::tempdir().unwrap();
        let book = LogBook::new(dir.path(), "uplink");
        let line = "x".repeat(900);
        for n in 0..4_000 {
            book.line(&line, n * LINE_EVERY_MS);
        }
        let found = files(dir.path());
        assert_eq!(found.len(), FILES as usize, "{found:?}");
        assert!(
            found.iter().all(|(_, bytes)| *bytes <= FILE_BYTES_MAX),
            "{found:?}"
        );
        // The next run goes on where this one ended.
        let (before, next) = (found[0].1, LogBook::new(dir.path(), "uplink"));
        next.line("again", 0);
        assert!(files(dir.path())[0].1 > before);
    }
}
