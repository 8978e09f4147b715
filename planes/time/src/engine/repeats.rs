//! Events that flap: so many are told as they come, then the newest of those that came meanwhile, with their number.

use crate::limits::{EVENT_EVERY_NS, EVENTS_AT_ONCE};
use crate::reading::SourceKind;
use alloc::format;
use alloc::vec::Vec;
use evidence::MonoNs;
use evidence::kinds::Event;

/// What events are about that are counted together: the newest of them is how it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Whether a source is read and believed.
    Source(SourceKind),
    /// The state of a port.
    Port,
    /// Messages that do not arrive.
    Flow,
    /// What a grandmaster says of itself.
    Claims,
    /// An offset or a path that moved.
    Motion,
    /// Sources that exclude each other.
    Dispute,
    /// An announced leap second.
    Leap,
    /// Whether the kernel says how it corrects its clock.
    Kernel,
    /// A real-time clock that moved.
    RtcMoved,
    /// What a real-time clock says of its battery.
    RtcSupply,
}

/// How often one thing may be told: so many as they come, then one in a while.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    /// How many may still be told as they come.
    left: u64,
    /// When one more was allowed the last time.
    allowed: MonoNs,
}

impl Default for Allowance {
    fn default() -> Self {
        Self::since(MonoNs(0))
    }
}

impl Allowance {
    const fn since(now: MonoNs) -> Self {
        Self {
            left: EVENTS_AT_ONCE,
            allowed: now,
        }
    }

    /// Whether one may be told now.
    pub(super) fn allows(&mut self, now: MonoNs) -> bool {
        let more = now.since(self.allowed) / EVENT_EVERY_NS;
        self.left = self.left.saturating_add(more).min(EVENTS_AT_ONCE);
        self.allowed = if self.left == EVENTS_AT_ONCE {
            now
        } else {
            self.allowed.plus_ns(more.saturating_mul(EVENT_EVERY_NS))
        };
        self.left > 0
    }

    /// One is told.
    pub(super) const fn spend(&mut self) {
        self.left = self.left.saturating_sub(1);
    }
}

#[derive(Clone, Debug)]
struct Subject {
    about: About,
    allowance: Allowance,
    /// The newest that was not told, and how many were not before it.
    held: Option<(Event, u64)>,
}

/// What was told lately, by what it is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Repeats {
    subjects: Vec<Subject>,
}

impl Repeats {
    /// Takes an event; gives it back where it is told at once.
    pub(super) fn take(&mut self, about: About, event: Event) -> Option<Event> {
        let place = self.subjects.iter().position(|of| of.about == about);
        let subject = match place.and_then(|place| self.subjects.get_mut(place)) {
            Some(subject) => subject,
            None => {
                self.subjects.push(Subject {
                    about,
                    allowance: Allowance::since(event.at),
                    held: None,
                });
                self.subjects.last_mut()?
            }
        };
        let allowed = subject.allowance.allows(event.at);
        match &mut subject.held {
            None if allowed => {
                subject.allowance.spend();
                Some(event)
            }
            None => {
                subject.held = Some((event, 0));
                None
            }
            Some((newest, before)) => {
                *newest = event;
                *before = before.saturating_add(1);
                None
            }
        }
    }

    /// What was held and may be told now.
    pub(super) fn due(&mut self, now: MonoNs) -> Vec<Event> {
        let mut due = Vec::new();
        for subject in &mut self.subjects {
            if subject.allowance.allows(now)
                && let Some((mut event, before)) = subject.held.take()
            {
                subject.allowance.spend();
                if before > 0 {
                    let detail = event.detail.unwrap_or_default();
                    event.detail =
                        Some(format!("{detail}; {before} more since this was told last"));
                }
                due.push(event);
            }
        }
        due
    }
}
