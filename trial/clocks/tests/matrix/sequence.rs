//! One fault after the other on one rig, each healed before the next, and what was told of each.

use crate::watch::Watch;
use evidence::MonoNs;
use evidence::reasons::{EventCode, TimeCause};
use std::fmt::Write as _;

/// Seconds until a follower has its master, has measured and is believed.
const SYNCED_S: u64 = 40;
/// The quiet stretch before the first fault, in seconds; a longer one is `FIELDNOTARY_QUIET_S`.
const QUIET_S: u64 = 20;
/// How long a daemon that was just started may have no socket yet.
const ABSENT_NS: u64 = 3_000_000_000;
/// What was broken stays so for a moment longer than until it is told, and what was mended shows its effect
/// within as much, in seconds.
const EFFECT_S: u64 = 2;

fn quiet_s() -> u64 {
    let wanted = std::env::var("FIELDNOTARY_QUIET_S").ok();
    wanted.map_or(QUIET_S, |seconds| seconds.parse().unwrap())
}

/// What is done, and what is to be told of it.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) code: EventCode,
    pub(crate) cause: TimeCause,
    /// Seconds within which it is told.
    pub(crate) within_s: u64,
    /// What may be told beside it, because it looks so at first.
    pub(crate) neighbours: &'static [TimeCause],
}

/// A run of faults, and the lines of the table.
pub(crate) struct Sequence {
    name: &'static str,
    began: MonoNs,
    pub(crate) watch: Watch,
    current: Option<(Fault, MonoNs, Option<MonoNs>)>,
    pub(crate) lines: String,
    pub(crate) wrong: Vec<String>,
}

impl Sequence {
    /// Waits until all is well, and looks on while it is.
    pub(crate) fn begin(name: &'static str, mut watch: Watch) -> Self {
        let began = clocks::mono();
        let mut wrong = Vec::new();
        if !watch.until(SYNCED_S, Watch::is_synced) {
            wrong.push(format!(
                "{name}: no SYNCED within {SYNCED_S} s;{}",
                watch.words_since(began)
            ));
        }
        watch.run(quiet_s());
        let mut told = watch.causes_since(began);
        // The daemons are started just before: until they have their sockets they are absent.
        told.retain(|(_, cause)| *cause != TimeCause::DaemonGone);
        let gone = watch
            .told
            .iter()
            .rfind(|told| told.event.time_cause.is_some());
        let is_late = gone.is_some_and(|told| told.at.since(began) > ABSENT_NS);
        if !told.is_empty() || is_late {
            wrong.push(format!(
                "{name}: all was well; told was{}",
                watch.words_since(began)
            ));
        }
        Self {
            name,
            began,
            watch,
            current: None,
            lines: String::new(),
            wrong,
        }
    }

    /// Breaks something and looks until it is told.
    pub(crate) fn fault(&mut self, fault: Fault, break_it: impl FnOnce()) {
        self.end();
        let since = clocks::mono();
        break_it();
        let (code, cause) = (fault.code, fault.cause);
        let is_told = move |watch: &Watch| watch.causes_since(since).contains(&(code, cause));
        let told = self.watch.until(fault.within_s, is_told);
        let at = told.then(|| self.watch.told.last().map_or(since, |told| told.at));
        self.current = Some((fault, since, at));
    }

    /// Mends it, and looks until stamps are SYNCED again.
    pub(crate) fn heal(&mut self, within_s: u64, mend: impl FnOnce()) {
        self.watch.run(EFFECT_S);
        let mended = clocks::mono();
        mend();
        self.watch.run(EFFECT_S);
        if !self.watch.until(within_s, Watch::is_synced) {
            let name = self.current.as_ref().map_or("", |(fault, ..)| fault.name);
            let told = self.watch.words_since(mended);
            self.wrong.push(format!("{name}: not SYNCED again:{told}"));
        }
    }

    /// Something that must be so.
    pub(crate) fn check(&mut self, is_so: bool, what: &str) {
        if !is_so {
            let since = self
                .current
                .as_ref()
                .map_or(self.began, |(_, since, _)| *since);
            let told = self.watch.words_since(since);
            self.wrong
                .push(format!("{}: {what}; told was{told}", self.name));
        }
    }

    /// Closes the line of the fault that was last.
    pub(crate) fn end(&mut self) {
        let Some((fault, since, at)) = self.current.take() else {
            return;
        };
        let causes = self.watch.causes_since(since);
        let strange = causes
            .iter()
            .filter(|(_, cause)| *cause != fault.cause && !fault.neighbours.contains(cause));
        if at.is_none() || strange.count() > 0 {
            self.wrong.push(format!(
                "{}: {} {} expected within {} s; told was{}",
                fault.name,
                fault.code,
                fault.cause,
                fault.within_s,
                self.watch.words_since(since)
            ));
        }
        let seconds = at.map_or_else(
            || "-".to_owned(),
            |at| format!("{:.1}", at.since(since) as f64 / 1e9),
        );
        let _ = writeln!(
            self.lines,
            "{:<36} {:<22} {:<20} {seconds:>5} s",
            fault.name,
            fault.code.name(),
            fault.cause.name()
        );
    }

    /// The lines, and what was not as it should be.
    pub(crate) fn finish(mut self) -> (String, Vec<String>) {
        self.end();
        let watch = &self.watch;
        let _ = writeln!(
            self.lines,
            "  {}: {} SYNCED stamps, the oldest measurement behind one {} ms, {} changes of quality",
            self.name,
            watch.synced_stamps,
            watch.oldest_ns / 1_000_000,
            watch.changes.len()
        );
        (self.lines, self.wrong)
    }
}
