//! What a log and its truth store know of the firmware that ran: taken from entries, kept in the state of each segment.

use super::{CounterSeen, Installed};
use alloc::format;
use alloc::string::{String, ToString as _};
use evidence::kinds::Firmware;
use evidence::reasons::{FirmwareCounter, FirmwareOutcome};
use sha2::{Digest as _, Sha256};

/// Digits of a SHA-256.
const INDEX_CHARS: usize = 64;

/// What the highest version is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bound {
    /// SHA-256 of the counter's public area, in hexadecimal digits.
    index: String,
    value: u64,
    version: u32,
}

/// What is known of the firmware that ran before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirmwareMemory {
    highest: Option<u32>,
    attempts: u64,
    blocks: u64,
    newest: Option<(FirmwareOutcome, Option<u32>)>,
    /// What a person has accepted; 0 for one that cannot be read.
    accepted: Option<u32>,
    bound: Option<Bound>,
}

impl FirmwareMemory {
    /// The highest version that was seen.
    #[must_use]
    pub const fn highest(&self) -> Option<u32> {
        self.highest
    }

    /// Attempts to go back, and those of them that were blocked.
    #[must_use]
    pub const fn counts(&self) -> (u64, u64) {
        (self.attempts, self.blocks)
    }

    /// How the newest start stood, and with which version.
    #[must_use]
    pub const fn newest(&self) -> Option<(FirmwareOutcome, Option<u32>)> {
        self.newest
    }

    /// Takes what the truth store knows. What was accepted below a version of which the log does not know is accepted no more.
    pub fn truth(&mut self, highest: u32) {
        if highest > 0 && Some(highest) > self.highest {
            self.highest = Some(highest);
            self.accepted = None;
        }
    }

    /// Takes an entry.
    pub fn observe(&mut self, told: &Firmware) {
        let version = |number: Option<u64>| number.and_then(|number| u32::try_from(number).ok());
        self.highest = self.highest.max(version(told.highest));
        self.attempts = self.attempts.max(told.attempts);
        self.blocks = self.blocks.max(told.blocks);
        let installed = version(told.installed);
        self.newest = Some((told.outcome, installed));
        // Kept where it is what lets the version run, and nowhere else.
        let decides = told.accepted && told.outcome == FirmwareOutcome::Accepted;
        self.accepted = decides.then(|| installed.unwrap_or(0));
        if let (Some(public), Some(value), Some(bound)) = (&told.public, told.value, self.highest) {
            self.bound = Some(Bound {
                index: index(&public.0),
                value,
                version: bound,
            });
        }
    }

    /// What a frozen state has of it: a label, and the highest version, 0 where none was seen.
    #[must_use]
    pub fn frozen(&self) -> Option<(String, u64)> {
        let (outcome, installed) = self.newest?;
        let shown = |number: Option<u32>| {
            number.map_or_else(|| String::from("-"), |number| number.to_string())
        };
        let bound = self.bound.as_ref().map_or_else(
            || String::from("- - -"),
            |bound| format!("{} {} {}", bound.value, bound.version, bound.index),
        );
        let label = format!(
            "{} {} {outcome} {} {} {bound}",
            self.attempts,
            self.blocks,
            shown(installed),
            shown(self.accepted)
        );
        Some((label, self.highest.unwrap_or(0).into()))
    }

    /// Takes back what [`Self::frozen`] gave. A label of another form is passed over.
    pub fn recall(&mut self, label: &str, value: u64) {
        if let Some(memory) = Self::parse(label, value) {
            *self = memory;
        }
    }

    fn parse(label: &str, value: u64) -> Option<Self> {
        let mut words = label.split(' ');
        let mut word = || words.next().filter(|word| !word.is_empty());
        let (attempts, blocks) = (word()?.parse().ok()?, word()?.parse().ok()?);
        let outcome = FirmwareOutcome::from_name(word()?)?;
        let number = |word: &str| match word {
            "-" => Some(None),
            digits => digits.parse().ok().map(Some),
        };
        let (installed, accepted) = (number(word()?)?, number(word()?)?);
        let (at, version, index) = (word()?, number(word()?)?, word()?);
        let bound = match version {
            None => None,
            Some(version) => Some(Bound {
                index: Some(index)
                    .filter(|index| index.len() == INDEX_CHARS)?
                    .into(),
                value: at.parse().ok()?,
                version,
            }),
        };
        let highest = u32::try_from(value).ok()?;
        Some(Self {
            highest: (highest > 0).then_some(highest),
            attempts,
            blocks,
            newest: Some((outcome, installed)),
            accepted,
            bound,
        })
    }

    /// Whether the highest version is bound to a counter.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        self.bound.is_some()
    }

    /// Whether a person has accepted what is installed.
    #[must_use]
    pub fn accepted(&self, installed: Installed) -> bool {
        match installed {
            Installed::Undeclared => false,
            other => self.accepted == Some(other.version().unwrap_or(0)),
        }
    }

    pub(super) fn bound_version(&self) -> Option<u32> {
        self.bound.as_ref().map(|bound| bound.version)
    }

    pub(super) fn bound_value(&self) -> Option<u64> {
        self.bound.as_ref().map(|bound| bound.value)
    }

    /// What a counter says, and the version that it shows to have run at the least: each raise was by one or more.
    pub(super) fn compare(&self, seen: &CounterSeen) -> (FirmwareCounter, u64) {
        let (public, value) = match (seen, &self.bound) {
            (CounterSeen::Unheard, _) => return (FirmwareCounter::Unheard, 0),
            (CounterSeen::Incapable | CounterSeen::Absent, Some(_)) => {
                return (FirmwareCounter::Gone, 0);
            }
            (CounterSeen::Incapable, None) => return (FirmwareCounter::None, 0),
            (CounterSeen::Absent, None) => return (FirmwareCounter::New, 0),
            (CounterSeen::There { public, value }, _) => (public, *value),
        };
        let Some(bound) = &self.bound else {
            // Made in a run whose entry a cut took; or by one of which this disk knows nothing at all.
            return match self.highest {
                Some(_) => (FirmwareCounter::New, 0),
                None => (FirmwareCounter::Ahead, 1),
            };
        };
        if bound.index != index(public) || value < bound.value {
            return (FirmwareCounter::Behind, 0);
        }
        // One that was due may have been made and have lost its entry to a cut.
        let owed = u64::from(self.highest > Some(bound.version));
        match value.saturating_sub(bound.value) {
            steps if steps <= owed => (FirmwareCounter::Level, 0),
            steps => (
                FirmwareCounter::Ahead,
                u64::from(bound.version).saturating_add(steps),
            ),
        }
    }
}

fn index(public: &[u8]) -> String {
    let digest = Sha256::digest(public);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
