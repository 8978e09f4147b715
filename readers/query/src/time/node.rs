//! What happened to the node's processes: who ended and came again, and what that says of a time without a stamp.

use super::account::TimeAccount;
use super::events::plus;
use super::model::{Cover, Mark, Run, Stretch, TimeEvent};
use super::why::{SIGNS_MAX, Sign};
use evidence::reasons::EventCode;
use evidence::{MonoNs, UtcNs};

/// How long before an instant, or before a time without stamps, the ends of processes are looked for.
const BEFORE_NS: u64 = 60_000_000_000;
/// And how long behind it: whoever waits for the recorder tells late, but of when it was.
const BEHIND_NS: u64 = 15_000_000_000;
/// Whose process stamps entries, and whose says what they are worth.
const RECORDER: &str = "recorder";
const TIME: &str = "time";

/// A node that did not run any more at the instant asked about, as far as its log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AfterTheEnd {
    /// The newest run, with what ended it where the log tells.
    pub run: Run,
    /// The last that was known of the clock.
    pub stretch: Stretch,
    /// The newest entry.
    pub newest: Mark,
}

/// Whether an event tells of a process that ended or came again. All of them start with the node: that is its restart.
pub(super) const fn is_of_node(code: EventCode, count: Option<u64>) -> bool {
    match code {
        EventCode::ProcessStarted => matches!(count, Some(1..)),
        code => {
            ends(code)
                || matches!(
                    code,
                    EventCode::ProcessQuarantined
                        | EventCode::ProcessReleased
                        | EventCode::SafeModeEntered
                        | EventCode::SafeModeLeft
                        | EventCode::OrderlyStop
                )
        }
    }
}

/// Whether a process ended.
const fn ends(code: EventCode) -> bool {
    matches!(
        code,
        EventCode::ProcessExited
            | EventCode::ProcessKilled
            | EventCode::ProcessHung
            | EventCode::ProcessOverMemory
    )
}

impl TimeAccount {
    /// Takes such an event in.
    pub(super) fn node_event(&mut self, event: TimeEvent) {
        if event.code == EventCode::OrderlyStop {
            self.stopped = true;
            if let Some(run) = self.runs.get_mut(event.run) {
                run.ended = Some(event.clone());
            }
        } else if ends(event.code) && event.source.as_str() == RECORDER {
            self.recorder_ended(&event);
        }
        self.node.push(event);
    }

    /// The recorder ran until then, though its last entry is older. One that hung stamped nothing for a while.
    fn recorder_ended(&mut self, event: &TimeEvent) {
        let at = event.mark.at;
        let holds = |one: &Stretch| {
            one.cover == Cover::NotRunning
                && one.lasted_ns.is_some()
                && self.on_one_clock(one.run, event.run)
                && (one.begin.at..=one.end.at).contains(&at)
        };
        let Some(place) = self.stretches.iter().rposition(holds) else {
            return;
        };
        let Some((before, [between, ..])) = self.stretches.split_at_mut_checked(place) else {
            return;
        };
        let ended = between.run.checked_sub(1);
        if let Some(run) = ended.and_then(|run| self.runs.get_mut(run)) {
            run.ended = Some(event.clone());
        }
        let Some(last) = before
            .last_mut()
            .filter(|last| last.cover.label().is_some())
        else {
            return;
        };
        if event.code != EventCode::ProcessHung {
            let from = between.begin;
            between.begin = Mark {
                at,
                utc: plus(from.utc, at.since(from.at)),
                ..from
            };
            between.lasted_ns = Some(between.end.at.since(at));
            let end = between.begin;
            last.end_at(&from, &end);
        }
    }

    /// Whether monotonic times of two runs are of one boot.
    fn on_one_clock(&self, run: usize, other: usize) -> bool {
        let boot = |place: usize| self.runs.get(place).and_then(|run| run.boot);
        run == other || (boot(run).is_some() && boot(run) == boot(other))
    }

    /// What happened to the node's processes around an instant, or around the time without stamps that it is in; those
    /// nearest to it, in the order in which they happened.
    pub(super) fn node_around(&self, stretch: &Stretch, at: MonoNs) -> Vec<Sign> {
        let silent = stretch.cover == Cover::NotRunning;
        // Across a reboot the instant is counted on the clock that stopped.
        let run = match silent {
            true => stretch.run.saturating_sub(1),
            false => stretch.run,
        };
        let (from, to) = match silent {
            true => (stretch.begin.at, at.max(stretch.end.at)),
            false => (at, at),
        };
        let near = self.node.iter().filter(|event| {
            self.on_one_clock(run, event.run)
                && from.since(event.mark.at) <= BEFORE_NS
                && event.mark.at.since(to) <= BEHIND_NS
        });
        let mut signs: Vec<Sign> = near.map(|event| Sign::of(event, at)).collect();
        signs.sort_by_key(|sign| sign.before_ns.unsigned_abs());
        signs.truncate(SIGNS_MAX);
        signs.sort_by_key(|sign| (sign.event.mark.at, sign.event.mark.entry));
        signs
    }

    /// Since when the time process of a run speaks: one that began again tells anew of what still holds.
    pub(super) fn time_began(&self, run: usize, until: MonoNs) -> MonoNs {
        let began = self.node.iter().filter(|event| {
            event.run == run
                && event.mark.at <= until
                && event.code == EventCode::ProcessStarted
                && event.source.as_str() == TIME
        });
        began.map(|event| event.mark.at).max().unwrap_or(MonoNs(0))
    }

    /// What is known where an instant lies behind the end of a node that does not run.
    pub(super) fn after_the_end(&self, utc: UtcNs) -> Option<AfterTheEnd> {
        let (newest, _) = self.newest.filter(|_| self.stopped)?;
        (utc > newest.utc).then_some(AfterTheEnd {
            run: self.runs.last()?.clone(),
            stretch: self.stretches.last()?.clone(),
            newest,
        })
    }
}
