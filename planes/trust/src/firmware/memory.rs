//! What a log and its truth store know of the firmware that ran: taken from entries, kept in the state of each segment.

use super::{CounterSeen, Installed};
use crate::limits::{ACCEPTED_BY_BYTES_MAX, ACCEPTED_WHY_BYTES_MAX};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use evidence::Actor;
use evidence::frozen::names::{FIRMWARE, FIRMWARE_ACCEPTED};
use evidence::kinds::Firmware;
use evidence::reasons::{FirmwareCounter, FirmwareOutcome};
use sha2::{Digest as _, Sha256};

/// Digits of a SHA-256.
const INDEX_CHARS: usize = 64;
/// In a label, for a store that was seen to have no counter yet.
const FRESH: &str = "new";

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
    /// Who that was, and why.
    accepted_by: Option<(Actor, String)>,
    bound: Option<Bound>,
    /// What a counter showed of images that are not known here, until a version is bound to it; 0 where it did not show how high.
    shown: Option<u64>,
    /// Whether the store was seen to have no counter before the first version was bound to it: one that is there later is this log's own.
    fresh: bool,
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
        let said = told.actor.clone().zip(told.reason.clone());
        let before = self.accepted_by.take();
        self.accepted_by = said.or(before).filter(|_| decides);
        self.shown = told.shown;
        self.fresh |= told.counter == FirmwareCounter::New && told.value.is_none();
        if let (Some(public), Some(value), Some(bound)) = (&told.public, told.value, self.highest) {
            self.bound = Some(Bound {
                index: index(&public.0),
                value,
                version: bound,
            });
        }
    }

    /// Who accepted what runs, and why.
    #[must_use]
    pub const fn accepted_by(&self) -> Option<&(Actor, String)> {
        self.accepted_by.as_ref()
    }

    /// What a counter showed of images that are not known here, and no binding has settled: a version that ran at the least, or 0.
    #[must_use]
    pub const fn shown(&self) -> Option<u64> {
        self.shown
    }

    /// What a frozen state has of it: names, labels and values.
    #[must_use]
    pub fn frozen(&self) -> Vec<(&'static str, String, u64)> {
        let accepted = self.accepted_by.as_ref().map(|(by, why)| {
            let by = cut(by.as_str(), ACCEPTED_BY_BYTES_MAX);
            let label = format!("{} {by} {}", by.len(), cut(why, ACCEPTED_WHY_BYTES_MAX));
            (FIRMWARE_ACCEPTED, label, self.accepted.unwrap_or(0).into())
        });
        let whole = self.label().map(|(label, value)| (FIRMWARE, label, value));
        whole.into_iter().chain(accepted).collect()
    }

    fn label(&self) -> Option<(String, u64)> {
        let (outcome, installed) = self.newest?;
        let shown = |number: Option<u32>| {
            number.map_or_else(|| String::from("-"), |number| number.to_string())
        };
        let bound = self.bound.as_ref().map_or_else(
            || String::from("- - -"),
            |bound| format!("{} {} {}", bound.value, bound.version, bound.index),
        );
        // Logs of before have no more than the first eight words, and neither has one that knows nothing else.
        let more = (self.fresh || self.shown.is_some()).then(|| {
            let fresh = if self.fresh { FRESH } else { "-" };
            let shown = self.shown.map(|shown| shown.to_string());
            format!(" {fresh} {}", shown.as_deref().unwrap_or("-"))
        });
        let label = format!(
            "{} {} {outcome} {} {} {bound}{}",
            self.attempts,
            self.blocks,
            shown(installed),
            shown(self.accepted),
            more.unwrap_or_default(),
        );
        Some((label, self.highest.unwrap_or(0).into()))
    }

    /// Takes back what [`Self::frozen`] gave, in its order. A label of another form is passed over.
    pub fn recall(&mut self, name: &str, label: &str, value: u64) {
        match name {
            FIRMWARE => {
                if let Some(memory) = Self::parse(label, value) {
                    *self = memory;
                }
            }
            FIRMWARE_ACCEPTED if self.accepted.map(u64::from) == Some(value) => {
                self.accepted_by = said_in(label);
            }
            _ => {}
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
        let (fresh, shown) = match word() {
            None => (false, None),
            Some(fresh @ (FRESH | "-")) => match word()? {
                "-" => (fresh == FRESH, None),
                digits => (fresh == FRESH, Some(digits.parse().ok()?)),
            },
            Some(_) => return None,
        };
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
            accepted_by: None,
            bound,
            shown,
            fresh,
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

    /// What a counter says, and what it shows of images that are not known here: the version that ran at the least, as each raise
    /// was by one or more, or 0 where it does not show how high.
    pub(super) fn compare(&self, seen: &CounterSeen) -> (FirmwareCounter, Option<u64>) {
        // What it showed before cannot be unsaid by a counter that stands lower, or is not there.
        let open = self.shown.is_some();
        let (public, value) = match (seen, &self.bound) {
            (CounterSeen::Unheard, _) => return (FirmwareCounter::Unheard, None),
            (CounterSeen::Incapable | CounterSeen::Absent, bound) if bound.is_some() || open => {
                return (FirmwareCounter::Gone, None);
            }
            (CounterSeen::Incapable, _) => return (FirmwareCounter::None, None),
            (CounterSeen::Absent, _) => return (FirmwareCounter::New, None),
            (CounterSeen::There { public, value }, _) => (public, *value),
        };
        let Some(bound) = &self.bound else {
            // Made in a run whose entry a cut took, where the store had none before; else for others, and nothing says how high.
            return match self.fresh && !open {
                true => (FirmwareCounter::New, None),
                false => (FirmwareCounter::Ahead, Some(0)),
            };
        };
        if bound.index != index(public) || value < bound.value {
            return (FirmwareCounter::Behind, None);
        }
        // One that was due may have been made and have lost its entry to a cut.
        let owed = u64::from(!open && self.highest > Some(bound.version));
        match value.saturating_sub(bound.value) {
            0 if open => (FirmwareCounter::Behind, None),
            steps if steps <= owed => (FirmwareCounter::Level, None),
            steps => (
                FirmwareCounter::Ahead,
                Some(u64::from(bound.version).saturating_add(steps)),
            ),
        }
    }
}

/// Who and why, from a label that begins with how long the first is.
fn said_in(label: &str) -> Option<(Actor, String)> {
    let (bytes, said) = label.split_once(' ')?;
    let (by, why) = said.split_at_checked(bytes.parse().ok()?)?;
    Some((Actor::stated(by)?, why.strip_prefix(' ')?.into()))
}

/// The beginning of a text, whole characters of it.
fn cut(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max)
        .rev()
        .find(|end| text.is_char_boundary(*end));
    match text.len() > bytes_max {
        true => text.get(..end.unwrap_or(0)).unwrap_or_default(),
        false => text,
    }
}

fn index(public: &[u8]) -> String {
    let digest = Sha256::digest(public);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
