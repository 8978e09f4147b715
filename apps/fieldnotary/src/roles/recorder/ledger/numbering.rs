//! The slot numbering of one schedule on one port.

use evidence::{MeterId, Slot};
use std::collections::BTreeMap;

/// The slot numbering of one schedule on one port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbering {
    pub(super) version: u64,
    /// No number from here on was ever used.
    pub(super) unused: u64,
    /// Every slot below is accounted for, for every meter.
    pub(super) base: u64,
    /// By meter: the slots below are accounted for.
    pub(super) served: BTreeMap<MeterId, u64>,
    /// Whether the schedule was stopped orderly.
    pub(super) stopped: bool,
}

impl Numbering {
    /// The first slot that is not accounted for, for at least one of these meters.
    pub(super) fn open_from<'m>(&self, meters: impl Iterator<Item = &'m MeterId>) -> u64 {
        if self.stopped {
            return self.unused;
        }
        let served = |meter| {
            self.served
                .get(meter)
                .copied()
                .unwrap_or(self.base)
                .max(self.base)
        };
        meters.map(served).min().unwrap_or(self.unused)
    }

    pub(super) fn used(&mut self, slot: Slot) -> bool {
        if slot.version > self.version {
            *self = Self {
                version: slot.version,
                base: slot.number,
                ..Self::default()
            };
        }
        let current = slot.version == self.version;
        if current {
            self.unused = self.unused.max(slot.number.saturating_add(1));
        }
        current
    }
}
