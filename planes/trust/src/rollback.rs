//! Whether a log is the one that went before: log, truth store, what was signed last and the counters, compared.
//!
//! Two tables say what follows from what was found; each row is one finding, and every finding has a row.

use crate::binding::BindingFault;
use crate::last_signed::SignedHead;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::Generation;
use evidence::kinds::{Binding, KeyStore};
use evidence::reasons::{CounterKind, RollbackAlarm};
use proof::Hash;
use sha2::{Digest as _, Sha256};

/// What the signer's newest head says of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heads {
    /// It has signed nothing of this generation, or the log's tree at that size cannot be read any more.
    Unknown,
    /// The log has that head.
    Agree,
    /// It has signed more than is here, or a later generation.
    Ahead,
    /// It has signed another tree of that size.
    Differ,
}

impl Heads {
    /// Every finding.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Agree, Self::Ahead, Self::Differ];

    /// Compares the newest head that was signed with a log of this generation and size; `root_at` gives its root at a
    /// size, where that can be read.
    #[must_use]
    pub fn compare(
        newest: Option<(Generation, SignedHead)>,
        generation: Generation,
        size: u64,
        root_at: impl FnOnce(u64) -> Option<Hash>,
    ) -> Self {
        match newest {
            Some((signed, _)) if signed > generation => Self::Ahead,
            Some((signed, head)) if signed == generation && head.size > size => Self::Ahead,
            Some((signed, head)) if signed == generation => match root_at(head.size) {
                Some(root) if root == head.root => Self::Agree,
                Some(_) => Self::Differ,
                None => Self::Unknown,
            },
            Some(_) | None => Self::Unknown,
        }
    }
}

/// What the truth store says of the log's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every entry that it names there is there.
    Whole,
    /// The last ones are not.
    Lost,
}

impl End {
    /// Every finding.
    pub const ALL: [Self; 2] = [Self::Whole, Self::Lost];
}

/// What the store's counters say of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// They stand where the log left them.
    Level,
    /// The plain one was moved by more than what this disk knows.
    Ahead,
    /// One stands behind what the log is bound to.
    Behind,
    /// One is another index.
    OtherIndex,
    /// The store has not the key that signs the log.
    OtherStore,
    /// What says that it binds does not, or nothing binds any more and the log does not say why: who reads the log finds it.
    Unproven,
}

impl Moved {
    /// Every finding.
    pub const ALL: [Self; 6] = [
        Self::Level,
        Self::Ahead,
        Self::Behind,
        Self::OtherIndex,
        Self::OtherStore,
        Self::Unproven,
    ];

    /// What a fault of a binding, or of the statement about the store, says of the log.
    #[must_use]
    pub const fn of_fault(fault: &BindingFault) -> Self {
        match fault {
            BindingFault::OtherKey | BindingFault::WeakKey | BindingFault::OtherSigner => {
                Self::OtherStore
            }
            BindingFault::NoCounter(_)
            | BindingFault::NoFirmwareCounter
            | BindingFault::OtherFirmwareCounter
            | BindingFault::CounterReplaced(_)
            | BindingFault::UnknownCounter(_)
            | BindingFault::OtherIndex(_) => Self::OtherIndex,
            BindingFault::Backwards { .. } | BindingFault::OtherTpm => Self::Behind,
            BindingFault::Malformed(_)
            | BindingFault::Signature
            | BindingFault::NoValue
            | BindingFault::OtherValue { .. }
            | BindingFault::OtherText => Self::Unproven,
        }
    }
}

/// When it was looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the first seal of a run.
    Start,
    /// Later.
    Running,
}

impl Moment {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Start, Self::Running];
}

use RollbackAlarm as A;

/// What follows from signed heads and truth store.
pub(crate) const OF_THE_LOG: &[(Heads, End, Option<RollbackAlarm>)] = &[
    (Heads::Unknown, End::Whole, None),
    (Heads::Unknown, End::Lost, Some(A::LostEnd)),
    (Heads::Agree, End::Whole, None),
    (Heads::Agree, End::Lost, Some(A::LostEnd)),
    (Heads::Ahead, End::Whole, Some(A::TruncatedLog)),
    (Heads::Ahead, End::Lost, Some(A::TruncatedLog)),
    (Heads::Differ, End::Whole, Some(A::TruncatedLog)),
    (Heads::Differ, End::Lost, Some(A::TruncatedLog)),
];

/// What follows from the store and its counters.
pub(crate) const OF_THE_STORE: &[(Moved, Moment, Option<RollbackAlarm>)] = &[
    (Moved::Level, Moment::Start, None),
    (Moved::Level, Moment::Running, None),
    (Moved::Ahead, Moment::Start, Some(A::OlderImage)),
    // Nobody but this node moves it, unless another node has its log too.
    (Moved::Ahead, Moment::Running, Some(A::ClonedImage)),
    (Moved::Behind, Moment::Start, Some(A::ReplacedCounter)),
    (Moved::Behind, Moment::Running, Some(A::ReplacedCounter)),
    (Moved::OtherIndex, Moment::Start, Some(A::ReplacedCounter)),
    (Moved::OtherIndex, Moment::Running, Some(A::ReplacedCounter)),
    (Moved::OtherStore, Moment::Start, Some(A::ClonedImage)),
    (Moved::OtherStore, Moment::Running, Some(A::ReplacedCounter)),
    (Moved::Unproven, Moment::Start, Some(A::ReplacedCounter)),
    (Moved::Unproven, Moment::Running, Some(A::ReplacedCounter)),
];

/// The row of [`OF_THE_LOG`].
#[must_use]
pub fn of_the_log(heads: Heads, end: End) -> Option<RollbackAlarm> {
    let row = |row: &&(Heads, End, Option<RollbackAlarm>)| (row.0, row.1) == (heads, end);
    OF_THE_LOG.iter().find(row).and_then(|row| row.2)
}

/// The row of [`OF_THE_STORE`].
#[must_use]
pub fn of_the_store(moved: Moved, moment: Moment) -> Option<RollbackAlarm> {
    let row = |row: &&(Moved, Moment, Option<RollbackAlarm>)| (row.0, row.1) == (moved, moment);
    OF_THE_STORE.iter().find(row).and_then(|row| row.2)
}

/// A counter of the store as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterFound {
    /// Which.
    pub counter: CounterKind,
    /// Its public area (`TPMS_NV_PUBLIC`).
    pub public: Vec<u8>,
    /// Its value.
    pub value: u64,
    /// The value that it was about to have when the signer moved it last, where that is kept. A file says it, on the disk
    /// that is judged: it explains one step and no more.
    pub moving_to: Option<u64>,
}

/// A counter, what the log is bound to, and what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MovedCounter {
    /// What it says of the log.
    pub moved: Moved,
    /// Which counter.
    pub counter: CounterKind,
    /// Its newest value in the log.
    pub bound: Option<u64>,
    /// Its value as it was found.
    pub value: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    /// SHA-256 of the public area, in hexadecimal digits.
    index: String,
    value: Option<u64>,
    /// Whether the store had it no more since: what is there under its name now was defined anew.
    lacked: bool,
}

/// Ends the label of a counter that the store had no more.
const LACKED: &str = " lacked";

/// The counters that a log is bound to, with the newest value of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoundCounters(BTreeMap<CounterKind, Held>);

impl BoundCounters {
    /// Takes a statement about the store. Another index begins anew: what that is was told when it was met.
    pub fn store(&mut self, store: &KeyStore) {
        for (counter, held) in &mut self.0 {
            held.lacked |= !store.counters.iter().any(|one| one.counter == *counter);
        }
        for one in &store.counters {
            let index = index(&one.public.0);
            let held = self.0.get(&one.counter);
            if held.is_none_or(|held| held.index != index) {
                let held = Held {
                    index,
                    value: None,
                    lacked: false,
                };
                self.0.insert(one.counter, held);
            }
        }
    }

    /// Takes a binding.
    pub fn binding(&mut self, binding: &Binding) {
        if let Some(held) = self.0.get_mut(&binding.counter) {
            held.value = Some(binding.value);
            held.lacked = false;
        }
    }

    /// Takes that the log told of a counter as another one: nothing of it is known from then on, until a checkpoint is bound to it.
    pub fn told(&mut self, counter: CounterKind) {
        if let Some(held) = self.0.get_mut(&counter) {
            (held.value, held.lacked) = (None, false);
        }
    }

    /// A counter's newest value in the log; `None` where it has none, or none of the index that is there now.
    #[must_use]
    pub fn value(&self, counter: CounterKind) -> Option<u64> {
        let held = self.0.get(&counter).filter(|held| !held.lacked)?;
        held.value
    }

    /// What a frozen state has of it: a label and a value for each counter that was bound to.
    pub fn frozen(&self) -> impl Iterator<Item = (String, u64)> + '_ {
        self.0.iter().filter_map(|(counter, held)| {
            let lacked = if held.lacked { LACKED } else { "" };
            let label = format!("{counter} {}{lacked}", held.index);
            Some((label, held.value?))
        })
    }

    /// Takes back what [`Self::frozen`] gave. A label of another form is passed over.
    pub fn recall(&mut self, label: &str, value: u64) {
        let parts = label.split_once(' ');
        let parts = parts.and_then(|(name, index)| Some((CounterKind::from_name(name)?, index)));
        if let Some((counter, index)) = parts {
            let lacked = index.strip_suffix(LACKED);
            let held = Held {
                index: lacked.unwrap_or(index).into(),
                value: Some(value),
                lacked: lacked.is_some(),
            };
            self.0.insert(counter, held);
        }
    }

    /// Compares with a counter that the store has; `None` where the log names none of that kind.
    #[must_use]
    pub fn compare(&self, found: &CounterFound) -> Option<MovedCounter> {
        let held = self.0.get(&found.counter)?;
        Some(MovedCounter {
            moved: held.judge(found),
            counter: found.counter,
            bound: held.value,
            value: found.value,
        })
    }
}

impl Held {
    fn judge(&self, found: &CounterFound) -> Moved {
        // One that is defined anew begins above every value that a counter of the TPM ever had (TPM 2.0 part 3, NV_Increment);
        // behind TPM2_Clear some forget what an orderly one had in memory alone.
        if self.lacked || self.index != index(&found.public) {
            return Moved::OtherIndex;
        }
        let Some(bound) = self.value else {
            return Moved::Level;
        };
        if found.value < bound {
            return Moved::Behind;
        }
        // The orderly one skips at a cut of power by as much as a rollback would hide.
        let plain = found.counter == CounterKind::Plain;
        // The signer moves it only where the log has the step before: so a cut leaves one step without its entry, and
        // whoever writes a larger number into the mark explains nothing. A mark of an earlier version does not say.
        let one_step = bound.saturating_add(1);
        let known = found.moving_to.map_or(one_step, |next| next.min(one_step));
        if plain && found.value > bound.max(known) {
            return Moved::Ahead;
        }
        Moved::Level
    }
}

fn index(public: &[u8]) -> String {
    let digest = Sha256::digest(public);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
