//! What is counted.

/// How a promise can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breach {
    /// Acknowledged, and neither readable nor named nor doubted.
    SilentLoss,
    /// Read, and not what was acknowledged.
    WrongData,
    /// Read, and never handed in.
    Invented,
    /// A state that power loss can leave was not opened.
    RefusedOpen,
    /// The engine panicked.
    Panic,
    /// Damage or doubt was reported where there is none.
    FalseAlarm,
    /// A sequence could not be followed on a sound device.
    Stuck,
}

impl Breach {
    /// All of them, with their keys.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::SilentLoss, "silent_loss"),
        (Self::WrongData, "wrong_data"),
        (Self::Invented, "invented"),
        (Self::RefusedOpen, "refused_open"),
        (Self::Panic, "panics"),
        (Self::FalseAlarm, "false_alarm"),
        (Self::Stuck, "stuck"),
    ];

    /// Its key.
    #[must_use]
    pub fn key(self) -> &'static str {
        let keyed = Self::ALL.iter().find(|(breach, _)| *breach == self);
        keyed.map_or("", |(_, key)| key)
    }
}

/// What a run counted.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Distinct states that the engine was opened on.
    pub states: u64,
    /// Openings: a state that two commands can leave is judged by what must hold in either.
    pub openings: u64,
    /// Of these, such in which power had failed again during recovery.
    pub states_again: u64,
    /// Sequences, for each class and each beginning.
    pub sequences: u64,
    /// Device commands during which power failed.
    pub commands: u64,
    /// Breaches of each kind, in the order of [`Breach::ALL`].
    pub breaches: [u64; Breach::ALL.len()],
    /// The first of them in words, each with how to repeat it.
    pub told: Vec<String>,
}

impl Report {
    /// How often a promise was broken so.
    #[must_use]
    pub fn count(&self, breach: Breach) -> u64 {
        let index = Breach::ALL.iter().position(|(other, _)| *other == breach);
        index
            .and_then(|index| self.breaches.get(index))
            .copied()
            .unwrap_or(0)
    }

    /// Whether no promise was broken.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.breaches.iter().all(|count| *count == 0)
    }

    pub(super) fn add(&mut self, breach: Breach, told_max: usize, tell: impl FnOnce() -> String) {
        let index = Breach::ALL.iter().position(|(other, _)| *other == breach);
        if let Some(count) = index.and_then(|index| self.breaches.get_mut(index)) {
            *count += 1;
        }
        if self.told.len() < told_max {
            self.told.push(tell());
        }
    }

    pub(super) fn merge(&mut self, other: Self, told_max: usize) {
        self.states += other.states;
        self.openings += other.openings;
        self.states_again += other.states_again;
        self.sequences += other.sequences;
        self.commands += other.commands;
        for (to, from) in self.breaches.iter_mut().zip(other.breaches) {
            *to += from;
        }
        self.told.extend(other.told);
        self.told.truncate(told_max);
    }
}
