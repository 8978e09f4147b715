//! What was found out, in the order of its instants, until nothing earlier can come any more.

use super::filter::Settled;
use alloc::collections::BTreeMap;
use alloc::string::String;
use evidence::{Decimal, MonoNs, Slot};

/// Something that was found out; lines, channels and schedules by their place in the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// A line's state.
    Settled { line: usize, settled: Settled },
    /// A line had a pulse that was too short.
    Glitch {
        line: usize,
        width_ns: u64,
        high: bool,
    },
    /// Edges of a line were lost.
    Lost { line: usize, count: u64 },
    /// A slot of a schedule is due.
    Due { schedule: usize, slot: Slot },
    /// A channel gave this.
    Sample {
        channel: usize,
        taken: Result<Decimal, String>,
    },
    /// What a channel that is watched gave; nothing where it gave no number.
    Watched {
        watch: usize,
        taken: Option<Decimal>,
    },
    /// Whether what is captured from here on is a test.
    Test(bool),
    /// The card is gone.
    Gone,
}

/// The facts that wait.
#[derive(Debug, Default)]
pub(super) struct Order {
    facts: BTreeMap<(MonoNs, u64), Fact>,
    next: u64,
    /// The newest instant that has left.
    left: MonoNs,
    /// Facts that came after later ones had left.
    pub(super) late: u64,
}

impl Order {
    pub(super) fn put(&mut self, at: MonoNs, fact: Fact) {
        if at < self.left {
            self.late += 1;
        }
        self.facts.insert((at, self.next), fact);
        self.next += 1;
    }

    /// The first fact before `end`.
    pub(super) fn take(&mut self, end: MonoNs) -> Option<(MonoNs, Fact)> {
        let first = self.facts.first_entry()?;
        let (at, _) = *first.key();
        if at >= end {
            return None;
        }
        self.left = self.left.max(at);
        Some((at, first.remove()))
    }

    /// The instant of the first.
    pub(super) fn first(&self) -> Option<MonoNs> {
        self.facts.first_key_value().map(|((at, _), _)| *at)
    }

    /// The newest instant that has left.
    pub(super) const fn left(&self) -> MonoNs {
        self.left
    }

    pub(super) fn len(&self) -> usize {
        self.facts.len()
    }
}
