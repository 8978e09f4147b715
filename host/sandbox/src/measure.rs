//! What was applied to a process, and what could not be.

use std::fmt;

/// A means of confinement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// A user that is not root.
    User,
    /// Limits of memory, descriptors and file length.
    Quotas,
    /// Its memory is not read by others, and not dumped.
    Memory,
    /// It never gains privileges.
    Privileges,
    /// Only the files of its row.
    Files,
    /// Only the network of its row.
    Network,
    /// No signals to processes outside, no abstract sockets.
    Scope,
    /// No dangerous system calls.
    Calls,
}

impl Measure {
    /// Every measure, in the order in which they are applied.
    pub const ALL: &'static [Self] = &[
        Self::User,
        Self::Quotas,
        Self::Memory,
        Self::Privileges,
        Self::Files,
        Self::Network,
        Self::Scope,
        Self::Calls,
    ];

    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Quotas => "quotas",
            Self::Memory => "memory",
            Self::Privileges => "privileges",
            Self::Files => "files",
            Self::Network => "network",
            Self::Scope => "scope",
            Self::Calls => "calls",
        }
    }

    /// The measure of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How it went with one measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// In force.
    Applied,
    /// Not in force, or only in part; the words say why.
    Not(String),
}

impl Outcome {
    /// In force, or the reason of an error.
    pub(crate) fn of<E: fmt::Display>(what: &str, result: Result<(), E>) -> Self {
        match result {
            Ok(()) => Self::Applied,
            Err(error) => Self::Not(format!("{what}: {error}")),
        }
    }
}

/// What was applied to a process, and what could not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    measures: Vec<(Measure, Outcome)>,
}

impl Report {
    /// Notes a measure.
    pub fn add(&mut self, measure: Measure, outcome: Outcome) {
        self.measures.push((measure, outcome));
    }

    /// Every measure, in the order of application.
    pub fn measures(&self) -> impl Iterator<Item = &(Measure, Outcome)> {
        self.measures.iter()
    }

    /// The measures in force.
    pub fn applied(&self) -> impl Iterator<Item = Measure> {
        self.measures()
            .filter(|(_, outcome)| *outcome == Outcome::Applied)
            .map(|(measure, _)| *measure)
    }

    /// What is not in force, and why.
    pub fn missing(&self) -> impl Iterator<Item = (Measure, &str)> {
        self.measures()
            .filter_map(|(measure, outcome)| match outcome {
                Outcome::Applied => None,
                Outcome::Not(why) => Some((*measure, why.as_str())),
            })
    }
}

/// One line: what is in force, and what is not with its reason.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let applied: Vec<&str> = self.applied().map(Measure::name).collect();
        match applied.as_slice() {
            [] => write!(f, "not confined")?,
            some => write!(f, "confined by {}", some.join(", "))?,
        }
        for (place, (measure, why)) in self.missing().enumerate() {
            let before = if place == 0 { "; not by " } else { ", " };
            write!(f, "{before}{measure} ({why})")?;
        }
        Ok(())
    }
}
