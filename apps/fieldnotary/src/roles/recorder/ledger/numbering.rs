//! The slot numbering of one schedule on one port: what is accounted for, and how it is closed.

use super::Attempted;
use contract::Pace;
use evidence::{MeterId, Slot};
use std::collections::BTreeMap;

/// The slot numbering of one schedule on one port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbering {
    pub(super) version: u64,
    /// The distance of its slots; `None` where no entry tells.
    pub(super) pace: Option<Pace>,
    /// No number from here on was ever used.
    pub(super) unused: u64,
    /// Where a meter stands that has no slot of its own yet.
    pub(super) base: u64,
    /// Its meters: the slots below are accounted for.
    pub(super) served: BTreeMap<MeterId, u64>,
}

/// Slots without a session, of one meter or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missed {
    pub(crate) meter: Option<MeterId>,
    pub(crate) first: Slot,
    pub(crate) count: u64,
}

impl Numbering {
    /// A numbering that starts with this slot.
    pub(super) fn starting(
        slot: Slot,
        pace: Option<Pace>,
        meters: impl Iterator<Item = MeterId>,
    ) -> Self {
        Self {
            version: slot.version,
            pace,
            unused: slot.number,
            base: slot.number,
            served: meters.map(|meter| (meter, slot.number)).collect(),
        }
    }

    /// Whether the contract dropped it and everything in it is accounted for.
    pub(super) fn is_closed(&self) -> bool {
        self.pace == Some(Pace::NONE)
    }

    /// Nothing is due any more under this numbering.
    pub(super) fn close(&mut self) {
        self.pace = Some(Pace::NONE);
        self.served.clear();
    }

    /// Notes a slot that an entry names; false where it is of another version.
    pub(super) fn used(&mut self, slot: Slot) -> bool {
        if slot.version > self.version {
            // The entry that started this version is gone: its pace and meters stay what they were.
            let meters: Vec<MeterId> = self.served.keys().cloned().collect();
            *self = Self::starting(slot, self.pace, meters.into_iter());
        }
        let current = slot.version == self.version;
        if current {
            self.unused = self.unused.max(slot.number.saturating_add(1));
        }
        current
    }

    /// Notes that a meter's slot has its session.
    pub(super) fn serve(&mut self, meter: &MeterId, slot: Slot) {
        if self.used(slot) {
            let base = self.base;
            let served = self.served.entry(meter.clone()).or_insert(base);
            *served = (*served).max(slot.number.saturating_add(1));
        }
    }

    /// Notes slots that an entry calls missed: whoever had reached the first is behind the last.
    pub(super) fn missed(&mut self, meter: Option<&MeterId>, first: Slot, count: u64) {
        let end = first.number.saturating_add(count);
        let last = Slot {
            number: end.saturating_sub(1).max(first.number),
            ..first
        };
        if !self.used(last) {
            return;
        }
        let pass = |next: &mut u64| {
            if *next >= first.number {
                *next = end.max(*next);
            }
        };
        if meter.is_none() {
            pass(&mut self.base);
        }
        self.served
            .iter_mut()
            .filter(|(id, _)| meter.is_none_or(|meter| meter == *id))
            .for_each(|(_, next)| pass(next));
    }

    /// Notes an orderly stop behind a slot: everything up to it is accounted for.
    pub(super) fn stopped(&mut self, slot: Slot) {
        if self.used(slot) {
            self.base = self.unused;
            let unused = self.unused;
            self.served.values_mut().for_each(|next| *next = unused);
        }
    }

    /// What is not accounted for below `end`: from the slot that no meter has a session for, of all
    /// meters; before it, of each meter that lags, without the slots whose attempt is known.
    pub(super) fn open_below(
        &self,
        end: u64,
        attempted: &dyn Fn(&MeterId) -> Option<Lost>,
    ) -> Vec<Missed> {
        let mut open = Vec::new();
        let mut push = |meter: Option<&MeterId>, first: u64, end: u64| {
            if first < end {
                open.push(Missed {
                    meter: meter.cloned(),
                    first: Slot {
                        version: self.version,
                        number: first,
                    },
                    count: end - first,
                });
            }
        };
        if self.is_closed() {
            return open;
        }
        let lost: BTreeMap<&MeterId, (u64, u64)> = self
            .served
            .keys()
            .filter_map(|meter| Some((meter, attempted(meter)?.slots(self.version)?)))
            .collect();
        let reached = self.served.iter().map(|(meter, next)| {
            let attempted = lost.get(meter).map_or(0, |(_, end)| *end);
            attempted.max(*next)
        });
        let all = reached.max().unwrap_or(self.base).min(end);
        for (meter, next) in &self.served {
            let (from, to) = lost.get(meter).copied().unwrap_or((all, all));
            push(Some(meter), *next, from.min(all));
            push(Some(meter), to.max(*next), all);
        }
        push(None, all, end);
        open
    }
}

/// Sessions that were attempted and left no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) count: u64,
    pub(super) last: Slot,
}

impl Lost {
    /// What of an attempt was never committed, given the numbers that have no entry yet.
    pub(super) fn of(attempted: &Attempted, pending: core::ops::Range<u64>) -> Option<Self> {
        let seq = pending.contains(&attempted.seq).then_some(attempted.seq)?;
        Some(Self {
            count: seq - pending.start + 1,
            last: attempted.slot?,
        })
    }

    /// The slots that they served: one session a slot, the last one known.
    fn slots(self, version: u64) -> Option<(u64, u64)> {
        let end = self.last.number.saturating_add(1);
        (self.last.version == version).then_some((end.saturating_sub(self.count), end))
    }
}
