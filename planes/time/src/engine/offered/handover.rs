//! The way of what was taken to the daemon that steers the clock: named faults, pauses, a bound.

use crate::engine::news::News;
use crate::limits::{HANDOVER_PAUSE_NS_FIRST, HANDOVER_PAUSE_NS_MAX, OFFERS_WAITING_MAX};
use crate::reading::{Fault, OfferedSample};
use alloc::vec::Vec;
use evidence::{MonoNs, UtcNs};

/// A sample for chronyd's reference clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToHand {
    /// What was offered.
    pub sample: OfferedSample,
    /// What the node's clock said at that instant.
    pub local: UtcNs,
    /// The node's clock minus the offered time, in nanoseconds.
    pub offset_ns: i64,
}

/// Why nothing is handed over now.
#[derive(Clone, Debug)]
struct Down {
    fault: Fault,
    next_try: MonoNs,
    pause_ns: u64,
    dropped: u64,
}

/// What waits, and whether the daemon takes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct HandOver {
    waiting: Vec<ToHand>,
    down: Option<Down>,
    /// The offset of the last one that was handed over, until a step is compared with it.
    handed_ns: Option<i64>,
}

impl HandOver {
    /// One more; the oldest gives way where too many wait.
    pub(crate) fn push(&mut self, sample: ToHand) {
        if self.waiting.len() >= OFFERS_WAITING_MAX {
            self.waiting.remove(0);
        }
        self.waiting.push(sample);
    }

    /// What is to be handed over at `now`: nothing before a daemon that failed is due again.
    pub(crate) fn take(&mut self, now: MonoNs) -> Vec<ToHand> {
        let mut taken = core::mem::take(&mut self.waiting);
        if let Some(down) = &mut self.down
            && !taken.is_empty()
        {
            // One is enough to see whether it is back.
            let kept = if now < down.next_try { 0 } else { 1 };
            let dropped = taken.len().saturating_sub(kept);
            taken.drain(..dropped);
            let dropped = u64::try_from(dropped).unwrap_or(u64::MAX);
            down.dropped = down.dropped.saturating_add(dropped);
        }
        taken
    }

    /// What became of one that was taken.
    pub(crate) fn handed(
        &mut self,
        now: MonoNs,
        sample: &ToHand,
        outcome: Result<(), Fault>,
        news: &mut News,
    ) {
        match (outcome, self.down.take()) {
            (Ok(()), None) => self.handed_ns = Some(sample.offset_ns),
            (Ok(()), Some(down)) => {
                self.handed_ns = Some(sample.offset_ns);
                news.handover_back(now, down.dropped);
            }
            (Err(fault), None) => {
                news.handover_fault(now, &fault);
                self.down = Some(Down {
                    fault,
                    next_try: now.plus_ns(HANDOVER_PAUSE_NS_FIRST),
                    pause_ns: HANDOVER_PAUSE_NS_FIRST,
                    dropped: 1,
                });
            }
            (Err(fault), Some(down)) => {
                if fault != down.fault {
                    news.handover_fault(now, &fault);
                }
                let pause_ns = down.pause_ns.saturating_mul(2).min(HANDOVER_PAUSE_NS_MAX);
                self.down = Some(Down {
                    fault,
                    next_try: now.plus_ns(pause_ns),
                    pause_ns,
                    dropped: down.dropped.saturating_add(1),
                });
            }
        }
    }

    /// The offset of the last one that was handed over, once.
    pub(crate) const fn take_handed(&mut self) -> Option<i64> {
        self.handed_ns.take()
    }

    /// Why the daemon takes nothing now.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        self.down.as_ref().map(|down| &down.fault)
    }
}
