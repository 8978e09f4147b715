//! How far long work has come: one line on standard error, for whoever waits at a terminal.

use crate::clock;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Work that is done sooner says nothing.
const QUIET: Duration = Duration::from_secs(1);
/// How often the line changes.
const BEAT: Duration = Duration::from_millis(200);

/// Shows how far work has come until it is dropped.
pub(super) struct Progress {
    shared: Arc<Shared>,
    shower: Option<JoinHandle<()>>,
}

struct Shared {
    what: &'static str,
    done: Arc<AtomicU64>,
    all: AtomicU64,
    over: AtomicBool,
}

impl Progress {
    /// Begins; `what` is said before the numbers.
    pub(super) fn of(what: &'static str) -> Self {
        Self::over(what, &Arc::default())
    }

    /// The same, for work that counts by itself.
    pub(super) fn over(what: &'static str, done: &Arc<AtomicU64>) -> Self {
        let shared = Arc::new(Shared {
            what,
            done: Arc::clone(done),
            all: AtomicU64::new(0),
            over: AtomicBool::new(false),
        });
        // Without a terminal nobody looks; words on it would only stand in a file.
        let shower = can_redraw().then(|| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || show(&shared))
        });
        Self { shared, shower }
    }

    /// How many there are in all; 0 if nobody knows.
    pub(super) fn all(&self, all: u64) {
        self.shared.all.store(all, Ordering::Relaxed);
    }

    /// So many are done.
    pub(super) fn at(&self, done: u64) {
        self.shared.done.store(done, Ordering::Relaxed);
    }

    /// One more is done.
    pub(super) fn step(&self) {
        self.shared.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether a line can be written over on standard error: a terminal, and not one that only prints.
fn can_redraw() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stderr().is_terminal() && !dumb
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(shower) = self.shower.take() {
            shower.thread().unpark();
            // It has nothing to say that could go wrong.
            let _ = shower.join();
        }
    }
}

fn show(shared: &Shared) {
    let began = clock::mono();
    let mut shown = false;
    while !shared.over.load(Ordering::Relaxed) {
        let ms = clock::mono().0.saturating_sub(began.0) / 1_000_000;
        if u128::from(ms) >= QUIET.as_millis() {
            let words = line(
                shared.what,
                shared.done.load(Ordering::Relaxed),
                shared.all.load(Ordering::Relaxed),
                ms / 1_000,
            );
            let _ = write!(std::io::stderr(), "\r\u{1b}[2K{words}");
            let _ = std::io::stderr().flush();
            shown = true;
        }
        std::thread::park_timeout(BEAT);
    }
    if shown {
        let _ = write!(std::io::stderr(), "\r\u{1b}[2K");
        let _ = std::io::stderr().flush();
    }
}

fn line(what: &str, done: u64, all: u64, seconds: u64) -> String {
    match (done, all) {
        (0, 0) => format!("{what} ... {seconds} s"),
        (_, 0) => format!("{what} {done} ... {seconds} s"),
        _ => format!(
            "{what} {done} of {all} ({} %) ... {seconds} s",
            done.min(all).saturating_mul(100) / all
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn the_line_says_how_far_and_how_long() {
        for (done, all, words) in [
            (0, 0, "reading entries ... 3 s"),
            (41, 0, "reading entries 41 ... 3 s"),
            (41, 400, "reading entries 41 of 400 (10 %) ... 3 s"),
            (500, 400, "reading entries 500 of 400 (100 %) ... 3 s"),
        ] {
            assert_eq!(line("reading entries", done, all, 3), words);
        }
    }
}
