//! What a run counted.

use std::collections::BTreeMap;

use super::damage::Damage;

/// Details that are kept of each sort of fault: the first ones tell the tale.
const DETAILS_MAX: usize = 5;

/// What must never happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// An acknowledged entry is neither read nor inside a named loss nor behind a stated uncertainty.
    SilentLoss,
    /// Other bytes, hashes, leases or another root than were committed.
    WrongData,
    /// An entry that nobody handed in.
    Invented,
    /// The log was not opened, or could not go on.
    RefusedOpen,
    /// Something that says something about the log was damaged, and no finding names it.
    Undetected,
    /// A loss names what can be read, or a finding names another place than the damaged one.
    InexactLoss,
    /// A finding or doubt where nothing was touched.
    FalseAlarm,
    /// The engine panicked.
    Panic,
}

impl Fault {
    /// All of them, with their keys in the report.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::SilentLoss, "silent_loss"),
        (Self::WrongData, "wrong_data"),
        (Self::Invented, "invented"),
        (Self::RefusedOpen, "refused_open"),
        (Self::Undetected, "undetected"),
        (Self::InexactLoss, "inexact_loss"),
        (Self::FalseAlarm, "false_alarm"),
        (Self::Panic, "panics"),
    ];

    pub(super) fn key(self) -> &'static str {
        let found = Self::ALL.iter().find(|(fault, _)| *fault == self);
        found.map_or("", |(_, key)| key)
    }
}

/// A violation and what was seen.
pub(super) type Violation = (Fault, String);

/// The counts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Damaged devices that were tried.
    pub cases: u64,
    /// Of these, where something of the log was touched.
    pub touched: u64,
    /// Cases by kind of damage.
    pub by_kind: BTreeMap<&'static str, u64>,
    /// Cases with a fault of each sort.
    pub faults: BTreeMap<Fault, u64>,
    /// The first violations: image, kind and number of the case, and what was seen.
    pub details: BTreeMap<Fault, Vec<String>>,
}

impl Report {
    /// How many cases had a fault of this sort.
    #[must_use]
    pub fn count(&self, fault: Fault) -> u64 {
        self.faults.get(&fault).copied().unwrap_or(0)
    }

    /// Whether nothing was violated.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    pub(super) fn note(&mut self, kind: &'static str, touched: bool) {
        self.cases += 1;
        self.touched += u64::from(touched);
        *self.by_kind.entry(kind).or_default() += 1;
    }

    pub(super) fn blame(&mut self, case: &str, damage: &Damage, violations: &[Violation]) {
        let mut seen = Vec::new();
        for (fault, what) in violations {
            if !seen.contains(fault) {
                seen.push(*fault);
                *self.faults.entry(*fault).or_default() += 1;
            }
            let details = self.details.entry(*fault).or_default();
            if details.len() < DETAILS_MAX {
                details.push(format!("{case}: {}: {what} ({damage})", fault.key()));
            }
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.touched += other.touched;
        for (kind, count) in other.by_kind {
            *self.by_kind.entry(kind).or_default() += count;
        }
        for (fault, count) in other.faults {
            *self.faults.entry(fault).or_default() += count;
        }
        for (fault, more) in other.details {
            let details = self.details.entry(fault).or_default();
            details.extend(more);
            details.truncate(DETAILS_MAX);
        }
    }
}
