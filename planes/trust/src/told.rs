//! Which contradiction of a log's counters is the one that an alarm in front of it tells of.
//!
//! An alarm names one counter, the value that the log had shown of it, and the one that was found. It answers for the first
//! that the log shows of that counter behind it, and for nothing else: not for what stands before it, not for the other counter, not
//! for a second time, and not for what is forged.

use crate::binding::BindingFault;
use alloc::collections::BTreeMap;
use evidence::kinds::Rollback;
use evidence::reasons::{CounterKind, RollbackAlarm, RollbackWitness};

/// What is contradicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A counter stands behind its value of before.
    Value(CounterKind),
    /// A counter is another index.
    Index(CounterKind),
    /// The TPM's clock, or its count of resets, stands behind.
    Clock,
    /// Something that no node sees of its store: whoever reads the log finds it.
    Other,
}

impl What {
    pub(crate) const fn of(fault: &BindingFault) -> Self {
        match fault {
            BindingFault::Backwards { counter, .. } => Self::Value(*counter),
            BindingFault::CounterReplaced(counter) => Self::Index(*counter),
            BindingFault::OtherTpm => Self::Clock,
            BindingFault::Malformed(_)
            | BindingFault::OtherKey
            | BindingFault::WeakKey
            | BindingFault::NoCounter(_)
            | BindingFault::NoFirmwareCounter
            | BindingFault::OtherFirmwareCounter
            | BindingFault::UnknownCounter(_)
            | BindingFault::Signature
            | BindingFault::NoValue
            | BindingFault::OtherValue { .. }
            | BindingFault::OtherText
            | BindingFault::OtherIndex(_)
            | BindingFault::OtherSigner => Self::Other,
        }
    }

    const fn row(self) -> Row {
        match self {
            Self::Value(_) => Row::Value,
            Self::Index(_) => Row::Index,
            Self::Clock => Row::Clock,
            Self::Other => Row::Other,
        }
    }
}

/// The same without the counter, as the table has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Value,
    Index,
    Clock,
    Other,
}

/// What stands in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// No alarm about the counter since it was shown last.
    Nothing,
    /// One with other values than the log shows.
    Otherwise,
    /// One that found the counter behind.
    Behind,
    /// One that found another counter, not behind.
    Another,
}

#[cfg(test)]
impl Row {
    pub(crate) const ALL: [Self; 4] = [Self::Value, Self::Index, Self::Clock, Self::Other];
}

#[cfg(test)]
impl Said {
    pub(crate) const ALL: [Self; 4] = [Self::Nothing, Self::Otherwise, Self::Behind, Self::Another];
}

/// Whether the alarm tells of it.
pub(crate) const TOLD: &[(Row, Said, bool)] = &[
    (Row::Value, Said::Nothing, false),
    (Row::Value, Said::Otherwise, false),
    (Row::Value, Said::Behind, true),
    (Row::Value, Said::Another, false),
    (Row::Index, Said::Nothing, false),
    (Row::Index, Said::Otherwise, false),
    // Another TPM's may stand anywhere.
    (Row::Index, Said::Behind, true),
    (Row::Index, Said::Another, true),
    (Row::Clock, Said::Nothing, false),
    (Row::Clock, Said::Otherwise, false),
    // An older copy of a TPM has both behind.
    (Row::Clock, Said::Behind, true),
    // One that was cleared (TPM2_Clear) lost its counters, and counts clock and resets from 0 with the key that it had.
    (Row::Clock, Said::Another, true),
    (Row::Other, Said::Nothing, false),
    (Row::Other, Said::Otherwise, false),
    (Row::Other, Said::Behind, false),
    (Row::Other, Said::Another, false),
];

pub(crate) fn is_told(what: Row, said: Said) -> bool {
    let row = TOLD.iter().find(|row| (row.0, row.1) == (what, said));
    row.is_some_and(|row| row.2)
}

/// An alarm about a counter that the log has not shown since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Alarm {
    entry: u64,
    bound: Option<u64>,
    value: u64,
    /// Whether no other index of the counter was stated since.
    index: bool,
    /// Whether nothing was attested by the TPM since.
    clock: bool,
}

impl Alarm {
    /// What it is to a counter of which the log shows the first value, and where that is known the second one behind it.
    fn says(self, before: Option<u64>, now: Option<u64>) -> Said {
        // Where the entries that showed it are not here, nothing contradicts the alarm.
        let of_before = before.is_none_or(|before| self.bound == Some(before));
        // The counter moves on between the look and the seal.
        let of_now = now.is_none_or(|now| self.value <= now);
        match (of_before && of_now, self.bound) {
            (false, _) => Said::Otherwise,
            (true, Some(bound)) if self.value < bound => Said::Behind,
            (true, _) => Said::Another,
        }
    }
}

/// The alarms of a log about its counters, as far as they are open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told(BTreeMap<CounterKind, Alarm>);

impl Told {
    /// Takes an alarm of the log, in this entry. Only the node's own word of another counter speaks of one that it saw: what its collector
    /// says is of entries that are here already, and what ends the seals is followed by none.
    pub(crate) fn alarm(&mut self, entry: u64, found: &Rollback) {
        let own = found.witness != RollbackWitness::Collector;
        if !own || found.alarm != RollbackAlarm::ReplacedCounter {
            return;
        }
        if let (Some(counter), Some(value)) = (found.counter, found.value) {
            let alarm = Alarm {
                entry,
                bound: found.bound,
                value,
                index: true,
                clock: true,
            };
            self.0.insert(counter, alarm);
        }
    }

    /// The entry of the alarm that tells of a contradiction; `before` gives the newest value that the log shows of a counter.
    pub(crate) fn of(
        &self,
        fault: &BindingFault,
        before: impl Fn(CounterKind) -> Option<u64>,
    ) -> Option<u64> {
        let what = What::of(fault);
        let now = match fault {
            BindingFault::Backwards { now, .. } => Some(*now),
            _ => None,
        };
        let tells = |counter: &CounterKind, alarm: &Alarm| {
            let of_it = match what {
                What::Value(one) => one == *counter,
                What::Index(one) => one == *counter && alarm.index,
                What::Clock => alarm.clock,
                What::Other => true,
            };
            of_it && is_told(what.row(), alarm.says(before(*counter), now))
        };
        let mut told = self
            .0
            .iter()
            .filter(|(counter, alarm)| tells(counter, alarm));
        told.next().map(|(_, alarm)| alarm.entry)
    }

    /// The log shows a counter: what was said of it before is said no more.
    pub(crate) fn shown(&mut self, counter: CounterKind) {
        self.0.remove(&counter);
        for alarm in self.0.values_mut() {
            alarm.clock = false;
        }
    }

    /// The log states another index of a counter: one alarm answers for one.
    pub(crate) fn stated(&mut self, counter: CounterKind) {
        if let Some(alarm) = self.0.get_mut(&counter) {
            alarm.index = false;
        }
    }
}

#[cfg(test)]
mod tests;
