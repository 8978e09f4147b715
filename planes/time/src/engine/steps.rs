//! Moves of the clock whose cause is asked of the daemon: one that makes a step by itself has measured the
//! clock's error an instant before, and nobody else has seen that.

use super::clock::Movement;
use super::news::News;
use crate::causes::{LocalMove, corrects, name_move};
use crate::limits::{STEP_ANSWER_NS, UPDATES_MAX};
use crate::sample::ClockSample;
use alloc::collections::VecDeque;
use evidence::reasons::TimeCause;
use evidence::{MonoNs, UtcNs};

/// Something that a daemon took into its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Update {
    /// When it was first read.
    at: MonoNs,
    reference_time: UtcNs,
    /// By how much the clock was ahead, in nanoseconds.
    offset_ns: i64,
}

/// The last updates of a daemon that steers the clock.
#[derive(Clone, Debug, Default)]
pub(super) struct Updates {
    last: VecDeque<Update>,
    heard: Option<MonoNs>,
}

impl Updates {
    /// Takes what the daemon says at `at` of its last update: its time, and by how much the clock was ahead.
    pub(super) fn take(&mut self, at: MonoNs, reference_time: UtcNs, offset_ns: i64) {
        self.heard = Some(at);
        let is_known = self.last.back().is_some_and(|last| {
            (last.reference_time, last.offset_ns) == (reference_time, offset_ns)
        });
        if is_known {
            return;
        }
        if self.last.len() >= UPDATES_MAX {
            self.last.pop_front();
        }
        self.last.push_back(Update {
            at,
            reference_time,
            offset_ns,
        });
    }

    /// Whether it has ever been heard.
    pub(super) const fn is_heard(&self) -> bool {
        self.heard.is_some()
    }

    /// The offset of an update since then which such a movement makes good.
    pub(super) fn made_good(&self, moved_ns: i128, since: MonoNs) -> Option<i64> {
        let recent = self.last.iter().rev().take_while(|one| one.at >= since);
        recent
            .map(|one| one.offset_ns)
            .find(|offset_ns| corrects(moved_ns, *offset_ns))
    }
}

/// A step that nothing seen so far explains.
#[derive(Clone, Copy, Debug)]
struct Open {
    now: ClockSample,
    movement: Movement,
    seen: LocalMove,
}

/// The step that waits for an answer, if one does.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steps {
    open: Option<Open>,
}

impl Steps {
    /// Takes a step. It is told at once where its cause is known, or where no daemon that steers `answers`.
    pub(super) fn take(
        &mut self,
        now: &ClockSample,
        movement: Movement,
        seen: LocalMove,
        answers: bool,
        news: &mut News,
    ) {
        if let Some(earlier) = self.open.take() {
            earlier.tell(&earlier.seen, news);
        }
        let open = Open {
            now: *now,
            movement,
            seen,
        };
        let unknown = matches!(
            name_move(&seen),
            TimeCause::SetByProgram | TimeCause::Unexplained
        );
        if unknown && answers {
            self.open = Some(open);
        } else {
            open.tell(&seen, news);
        }
    }

    /// Tells of the step that waits, once a daemon has said that it was its own, all were read behind it, or
    /// have had time enough.
    pub(super) fn answer(&mut self, now: MonoNs, daemons: &[&Updates], news: &mut News) {
        let Some(open) = self.open else { return };
        let found = open.now.mono;
        // It may have answered a question between the step and its finding.
        let since = MonoNs(found.0.saturating_sub(open.movement.within_ns));
        let made_good = daemons
            .iter()
            .find_map(|daemon| daemon.made_good(open.seen.moved_ns, since));
        let are_heard = daemons.iter().all(|daemon| daemon.heard >= Some(found));
        if made_good.is_none() && !are_heard && now.since(found) < STEP_ANSWER_NS {
            return;
        }
        self.open = None;
        let seen = LocalMove {
            offset_before_ns: made_good,
            ..open.seen
        };
        open.tell(&seen, news);
    }
}

impl Open {
    fn tell(&self, seen: &LocalMove, news: &mut News) {
        news.stepped(&self.now, &self.movement, name_move(seen));
    }
}
