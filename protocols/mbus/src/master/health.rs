//! What is the bus's fault and not a meter's: known meters that fall silent together, the own frame as echo.

use super::identity::Pattern;
use super::inbox::Echo;
use super::jobs::Meter;
use super::link::Report;
use crate::limits::{ADDRESS_ANY, METERS_MAX, SILENT_METERS_MIN};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Something that is the bus's and no meter's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Meters that used to answer have been silent in a row, and nothing was heard between: an open or
    /// shorted bus, or a converter without supply.
    AllSilent {
        /// How many meters.
        meters: usize,
        /// Since the first of them was asked, in monotonic nanoseconds.
        since_ns: u64,
    },
    /// Something was heard again.
    HeardAgain,
    /// The converter sends back what is sent; it is told once.
    Echoes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Primary(u8),
    Secondary(Pattern),
}

fn key(meter: &Meter) -> Option<Key> {
    match *meter {
        Meter::Primary { address, .. } => Some(Key::Primary(address.get())),
        Meter::Secondary(pattern) => Some(Key::Secondary(pattern)),
        Meter::Only => Some(Key::Primary(ADDRESS_ANY)),
        Meter::All => None,
    }
}

/// What is remembered of the meters of a bus.
#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    /// The access number of the last telegram, of every meter that has answered.
    known: BTreeMap<Key, Option<u8>>,
    silent: Vec<Key>,
    since_ns: u64,
    all_silent: bool,
    echoes: bool,
}

impl Health {
    /// Takes a report about a meter in; `None` is one about nobody that is known, as in a search.
    pub(super) fn heard(&mut self, meter: Option<&Meter>, report: &Report) -> Vec<Evidence> {
        let mut told = Vec::new();
        let echo = |attempt: &super::link::Attempt| attempt.heard.echo == Echo::Whole;
        if !self.echoes && report.attempts.iter().any(echo) {
            self.echoes = true;
            told.push(Evidence::Echoes);
        }
        if report.attempts.is_empty() {
            return told;
        }
        if !report.is_silent() {
            self.silent.clear();
            if core::mem::take(&mut self.all_silent) {
                told.push(Evidence::HeardAgain);
            }
            return told;
        }
        let Some(key) = meter.and_then(key) else {
            return told;
        };
        // Silence where none is a fault, as after a deselection, says nothing.
        if report.outcome.is_ok() || !self.known.contains_key(&key) || self.silent.contains(&key) {
            return told;
        }
        if self.silent.is_empty() {
            self.since_ns = report.attempts.first().map_or(0, |attempt| attempt.sent_ns);
        }
        self.silent.push(key);
        let meters = self.silent.len();
        let enough = meters >= SILENT_METERS_MIN || (meters >= 2 && meters == self.known.len());
        if enough && !self.all_silent {
            self.all_silent = true;
            let since_ns = self.since_ns;
            told.push(Evidence::AllSilent { meters, since_ns });
        }
        told
    }

    /// A meter has answered, its last telegram with this access number.
    pub(super) fn answered(&mut self, meter: &Meter, number: Option<u8>) {
        let Some(key) = key(meter) else { return };
        if self.known.len() < METERS_MAX || self.known.contains_key(&key) {
            self.known.insert(key, number);
        }
    }

    /// The access number of a meter's last telegram.
    pub(super) fn number(&self, meter: &Meter) -> Option<u8> {
        self.known.get(&key(meter)?).copied().flatten()
    }

    /// Known meters are silent together.
    pub(super) const fn all_silent(&self) -> bool {
        self.all_silent
    }
}
