//! Keeps one port at work: a thread that ends is started again, one that hangs is named, and one that
//! ends again and again is held back while the others go on.

use crate::clock;
use crate::containment::{Career, Failure, Verdict};
use evidence::reasons::EventCode;
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

/// Longest turn of a port's loop; a name that is looked up, and a connection, take their time.
const SILENCE_MS_MAX: u64 = 60_000;
/// How long a port is held back, by quarantines so far.
const COOL_DOWN_MS: &[u64] = &[15_000, 60_000, 300_000];

/// A port's sign of life; nothing before its loop has begun.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<AtomicU64>);

impl Progress {
    /// The loop goes on.
    pub(super) fn made(&self) {
        self.at(clock::mono().0 / 1_000_000);
    }

    fn at(&self, now_ms: u64) {
        self.0.store(now_ms, Ordering::Relaxed);
    }

    fn silent_ms(&self, now_ms: u64) -> u64 {
        match self.0.load(Ordering::Relaxed) {
            0 => 0,
            last => now_ms.saturating_sub(last),
        }
    }
}

/// Something for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct News {
    pub(super) code: EventCode,
    pub(super) words: String,
}

type Work = dyn Fn(Progress) -> Result<(), String> + Send + Sync;

/// One port.
pub(super) struct Keeper {
    port: String,
    work: Arc<Work>,
    thread: Option<JoinHandle<Result<(), String>>>,
    progress: Progress,
    career: Career,
    started_ms: u64,
    start_at_ms: u64,
    held_back: bool,
    hangs: bool,
    done: bool,
}

impl Keeper {
    /// A port whose work is to be started.
    pub(super) fn new(
        port: &str,
        work: impl Fn(Progress) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            port: port.to_owned(),
            work: Arc::new(work),
            thread: None,
            progress: Progress::default(),
            career: Career::new(COOL_DOWN_MS),
            started_ms: 0,
            start_at_ms: 0,
            held_back: false,
            hangs: false,
            done: false,
        }
    }

    pub(super) fn port(&self) -> &str {
        &self.port
    }

    /// Its work ended as it should, or never began before the stop.
    pub(super) const fn is_done(&self) -> bool {
        self.done
    }

    /// Looks after the port; what is new is for the log.
    pub(super) fn tend(&mut self, now_ms: u64, stopping: bool) -> Vec<News> {
        if self.done {
            return Vec::new();
        }
        match self.thread.take_if(|thread| thread.is_finished()) {
            Some(thread) => match thread.join() {
                Ok(Ok(())) => {
                    self.done = true;
                    Vec::new()
                }
                Ok(Err(words)) => self.failed(now_ms, words),
                Err(panic) => self.failed(now_ms, words_of(panic.as_ref())),
            },
            None if self.thread.is_some() => self.watch(now_ms),
            None if stopping => {
                self.done = true;
                Vec::new()
            }
            None if now_ms >= self.start_at_ms => self.start(now_ms),
            None => Vec::new(),
        }
    }

    fn watch(&mut self, now_ms: u64) -> Vec<News> {
        let silent_ms = self.progress.silent_ms(now_ms);
        let hangs = silent_ms > SILENCE_MS_MAX;
        if hangs == self.hangs {
            return Vec::new();
        }
        self.hangs = hangs;
        vec![if hangs {
            let words = format!(
                "its work hangs for {} s; the other ports go on",
                silent_ms / 1_000
            );
            news(EventCode::PortQuarantined, words)
        } else {
            news(EventCode::PortReleased, "its work goes on".to_owned())
        }]
    }

    fn failed(&mut self, now_ms: u64, words: String) -> Vec<News> {
        self.hangs = false;
        let ran_ms = now_ms.saturating_sub(self.started_ms);
        let failure = Failure::Fault(words);
        match self.career.failed(&failure, ran_ms) {
            Verdict::Restart { after_ms } => {
                self.start_at_ms = now_ms + after_ms;
                let words = format!("its work ended and is begun again: {failure}");
                vec![news(EventCode::PortReleased, words)]
            }
            Verdict::Quarantine { for_ms } => {
                self.start_at_ms = now_ms + for_ms;
                self.held_back = true;
                let words = format!("held back for {} s: {failure}", for_ms / 1_000);
                vec![news(EventCode::PortQuarantined, words)]
            }
        }
    }

    fn start(&mut self, now_ms: u64) -> Vec<News> {
        self.progress = Progress::default();
        self.started_ms = now_ms;
        let (work, progress) = (Arc::clone(&self.work), self.progress.clone());
        let started = std::thread::Builder::new()
            .name(format!("port {}", self.port))
            .spawn(move || work(progress));
        match started {
            Ok(thread) => self.thread = Some(thread),
            Err(error) => return self.failed(now_ms, format!("no thread: {error}")),
        }
        if !std::mem::take(&mut self.held_back) {
            return Vec::new();
        }
        let words = "its cool-down is over; it is tried again".to_owned();
        vec![news(EventCode::PortReleased, words)]
    }
}

fn news(code: EventCode, words: String) -> News {
    News { code, words }
}

/// What a fault of this program said.
fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a fault of this program: {}", text.unwrap_or("no words"))
}

#[cfg(test)]
mod tests {
    use super::{Keeper, News, Progress, SILENCE_MS_MAX};
    use evidence::reasons::EventCode;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    /// Looks at this time until something is new, or the port is done.
    fn next(keeper: &mut Keeper, now_ms: u64, stopping: bool) -> Vec<News> {
        for _ in 0..500 {
            let news = keeper.tend(now_ms, stopping);
            if !news.is_empty() || keeper.is_done() {
                return news;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("nothing is new");
    }

    fn codes(news: &[News]) -> Vec<EventCode> {
        news.iter().map(|one| one.code).collect()
    }

    //= R10.5
    #[test]
    fn a_port_whose_work_breaks_is_begun_again_then_held_back_alone() {
        let turns = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&turns);
        let mut broken = Keeper::new("rs485-1", move |_| {
            // A fault and an error, in turn.
            assert!(counted.fetch_add(1, Ordering::Relaxed) % 2 == 1, "planted");
            Err("planted as well".to_owned())
        });
        let sound = AtomicU64::new(0);
        let mut other = Keeper::new("rs485-2", move |progress: Progress| {
            progress.made();
            while sound.fetch_add(1, Ordering::Relaxed) < 200 {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(())
        });
        assert!(other.tend(0, false).is_empty());
        let mut now = 0;
        for _ in 0..4 {
            let news = next(&mut broken, now, false);
            assert_eq!(codes(&news), [EventCode::PortReleased], "{news:?}");
            now += 2_000;
        }
        let news = next(&mut broken, now, false);
        assert_eq!(codes(&news), [EventCode::PortQuarantined]);
        assert!(news[0].words.contains("planted"), "{news:?}");
        assert_eq!(turns.load(Ordering::Relaxed), 5);
        assert!(broken.tend(now + 14_999, false).is_empty());
        let news = next(&mut broken, now + 15_000, false);
        assert_eq!(
            codes(&news),
            [EventCode::PortReleased],
            "tried again: {news:?}"
        );
        assert!(next(&mut other, 1, true).is_empty() && other.is_done());
        next(&mut broken, now + 15_001, true);
        assert!(next(&mut broken, now + 15_002, true).is_empty() && broken.is_done());
    }

    //= R10.5
    #[test]
    fn a_port_that_hangs_is_named_and_named_again_when_it_goes_on() {
        let mut keeper = Keeper::new("rs485-1", |progress: Progress| {
            progress.at(1_000);
            std::thread::sleep(Duration::from_secs(3_600));
            Ok(())
        });
        keeper.tend(1_000, false);
        let news = next(&mut keeper, 1_001 + SILENCE_MS_MAX, false);
        assert_eq!(codes(&news), [EventCode::PortQuarantined]);
        assert!(
            keeper.tend(2_000 + SILENCE_MS_MAX, false).is_empty(),
            "said once"
        );
        keeper.progress.at(70_000);
        assert_eq!(
            codes(&keeper.tend(70_001, false)),
            [EventCode::PortReleased]
        );
    }
}
