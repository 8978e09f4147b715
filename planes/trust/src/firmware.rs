//! Whether a node runs from firmware that is older than what ran before, and what is done about it.
//!
//! Two tables decide: what follows from the number that is installed, and what becomes of the store's counter.

mod bound;
mod memory;

pub use bound::{VersionBound, firmware_bound};
pub use memory::FirmwareMemory;

use evidence::reasons::{FirmwareCounter, FirmwareOutcome};

/// What is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    /// The contract declares nothing.
    Undeclared,
    /// It cannot be read.
    Unreadable,
    /// This security version.
    Version(u32),
}

impl Installed {
    /// The version, where there is one.
    #[must_use]
    pub const fn version(self) -> Option<u32> {
        match self {
            Self::Version(version) => Some(version),
            Self::Undeclared | Self::Unreadable => None,
        }
    }
}

/// What is done about an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirmwareRule {
    /// Whether it is blocked.
    pub block: bool,
    /// The oldest that is not.
    pub allow_down_to: Option<u32>,
}

/// The store's counter as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CounterSeen {
    /// The store was not heard yet.
    Unheard,
    /// It has none and can have none.
    Incapable,
    /// It has none.
    Absent,
    /// It has one.
    There {
        /// Its public area (`TPMS_NV_PUBLIC`).
        public: alloc::vec::Vec<u8>,
        /// Its value.
        value: u64,
    },
}

/// How what is installed stands to the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing is declared.
    Undeclared,
    /// It cannot be read, and none was seen before.
    Unread,
    /// It cannot be read, and one was.
    Lost,
    /// None was seen before.
    First,
    /// It is the highest.
    Same,
    /// It is higher.
    Newer,
    /// It is lower.
    Older,
    /// Images ran that the disk does not know, and how high they were is not known either: no number is shown to reach them.
    Unplaced,
}

impl Told {
    fn of(installed: Installed, floor: Option<u64>, unplaced: bool) -> Self {
        match (installed, floor, unplaced) {
            (Installed::Undeclared, _, _) => Self::Undeclared,
            (Installed::Unreadable, None, false) => Self::Unread,
            (Installed::Unreadable, _, _) => Self::Lost,
            (Installed::Version(_), _, true) => Self::Unplaced,
            (Installed::Version(_), None, false) => Self::First,
            (Installed::Version(version), Some(floor), false) => {
                match u64::from(version).cmp(&floor) {
                    core::cmp::Ordering::Less => Self::Older,
                    core::cmp::Ordering::Equal => Self::Same,
                    core::cmp::Ordering::Greater => Self::Newer,
                }
            }
        }
    }

    /// Whether it is shown not to be older than anything that ran.
    const fn reaches(self) -> bool {
        matches!(self, Self::First | Self::Same | Self::Newer)
    }
}

/// Who lets an older one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// Nobody.
    None,
    /// The window of the contract.
    Window,
    /// A person.
    Accepted,
}

use FirmwareCounter as C;
use FirmwareOutcome as O;

/// What follows from the number: with `observe`, and with `block`.
pub(crate) const OF_THE_NUMBER: &[(Told, Leave, O, O)] = &[
    (Told::Undeclared, Leave::None, O::Undeclared, O::Undeclared),
    (
        Told::Undeclared,
        Leave::Window,
        O::Undeclared,
        O::Undeclared,
    ),
    (
        Told::Undeclared,
        Leave::Accepted,
        O::Undeclared,
        O::Undeclared,
    ),
    (Told::Unread, Leave::None, O::Unreadable, O::Unreadable),
    (Told::Unread, Leave::Window, O::Unreadable, O::Unreadable),
    (Told::Unread, Leave::Accepted, O::Unreadable, O::Unreadable),
    // An image from before the file has none: what does not say its version is not let past by that.
    (Told::Lost, Leave::None, O::Observed, O::Blocked),
    (Told::Lost, Leave::Window, O::Observed, O::Blocked),
    (Told::Lost, Leave::Accepted, O::Accepted, O::Accepted),
    (Told::First, Leave::None, O::First, O::First),
    (Told::First, Leave::Window, O::First, O::First),
    (Told::First, Leave::Accepted, O::First, O::First),
    (Told::Same, Leave::None, O::Same, O::Same),
    (Told::Same, Leave::Window, O::Same, O::Same),
    (Told::Same, Leave::Accepted, O::Same, O::Same),
    (Told::Newer, Leave::None, O::Raised, O::Raised),
    (Told::Newer, Leave::Window, O::Raised, O::Raised),
    (Told::Newer, Leave::Accepted, O::Raised, O::Raised),
    (Told::Older, Leave::None, O::Observed, O::Blocked),
    (Told::Older, Leave::Window, O::Observed, O::Allowed),
    (Told::Older, Leave::Accepted, O::Accepted, O::Accepted),
    // However high they were, what the window lets run runs.
    (Told::Unplaced, Leave::None, O::Observed, O::Blocked),
    (Told::Unplaced, Leave::Window, O::Observed, O::Allowed),
    (Told::Unplaced, Leave::Accepted, O::Accepted, O::Accepted),
];

/// What becomes of the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Nothing.
    Leave,
    /// The highest version is bound to it as it stands; where it is not there, it is made.
    Bind,
    /// It is moved on, and the highest version bound to that.
    Raise,
}

/// What becomes of the counter: whether a higher version than it is bound to, or shows, is due, and whether what is installed
/// reaches all that ran or a person has accepted it.
pub(crate) const OF_THE_COUNTER: &[(C, bool, bool, Act)] = &[
    (C::None, false, false, Act::Leave),
    (C::None, false, true, Act::Leave),
    (C::None, true, false, Act::Leave),
    (C::None, true, true, Act::Leave),
    (C::Unheard, false, false, Act::Leave),
    (C::Unheard, false, true, Act::Leave),
    (C::Unheard, true, false, Act::Leave),
    (C::Unheard, true, true, Act::Leave),
    (C::New, false, false, Act::Leave),
    (C::New, false, true, Act::Leave),
    (C::New, true, false, Act::Bind),
    (C::New, true, true, Act::Bind),
    (C::Level, false, false, Act::Bind),
    (C::Level, false, true, Act::Bind),
    (C::Level, true, false, Act::Raise),
    (C::Level, true, true, Act::Raise),
    // What it says of other images stands until something reaches them, or a person has decided. It was moved for them
    // already: without a higher version than theirs a step more would show one that never ran.
    (C::Ahead, false, false, Act::Leave),
    (C::Ahead, false, true, Act::Bind),
    (C::Ahead, true, false, Act::Leave),
    (C::Ahead, true, true, Act::Raise),
    (C::Behind, false, false, Act::Leave),
    (C::Behind, false, true, Act::Bind),
    (C::Behind, true, false, Act::Leave),
    (C::Behind, true, true, Act::Bind),
    (C::Gone, false, false, Act::Leave),
    (C::Gone, false, true, Act::Bind),
    (C::Gone, true, false, Act::Leave),
    (C::Gone, true, true, Act::Bind),
];

/// A version to be bound to the store's counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToBind {
    /// The version.
    pub version: u32,
    /// The counter is moved on unless it stands above this already; absent where it stays as it is.
    pub above: Option<u64>,
}

/// What was found, and what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// How what is installed stands.
    pub outcome: FirmwareOutcome,
    /// What the counter says.
    pub counter: FirmwareCounter,
    /// The version that every image must reach; `None` where none was seen.
    pub floor: Option<u64>,
    /// What a counter shows of images that the disk does not know, now or before, until a version is bound to it: a version that
    /// ran at the least, or 0 where it does not show how high.
    pub shown: Option<u64>,
    /// What is bound to the counter.
    pub bind: Option<ToBind>,
}

impl FirmwareMemory {
    /// Judges what is installed by what disk and store know. `accepting` is whether a person accepts it with this start.
    #[must_use]
    pub fn judge(
        &self,
        installed: Installed,
        rule: FirmwareRule,
        accepting: bool,
        seen: &CounterSeen,
    ) -> Judged {
        let (counter, says) = self.compare(seen);
        let known = self.highest().map(u64::from);
        let shown = says.max(self.shown());
        let floor = known.max(shown.filter(|shown| *shown > 0));
        let told = Told::of(installed, floor, shown == Some(0));
        // What a person accepted is good for what was known then: a counter that contradicts it later needs a word of its own.
        let contradicts = match counter {
            C::Ahead => says > self.shown(),
            C::Behind | C::Gone => true,
            C::None | C::Unheard | C::New | C::Level => false,
        };
        let accepted = accepting || (!contradicts && self.accepted(installed));
        let version = installed.version();
        let in_window = rule.allow_down_to.zip(version);
        let leave = match in_window.is_some_and(|(oldest, version)| version >= oldest) {
            _ if accepted => Leave::Accepted,
            true => Leave::Window,
            false => Leave::None,
        };
        let outcome = of_the_number(told, leave, rule.block);
        let highest = self.highest().max(version);
        let settled = accepted || (counter == C::Ahead && told.reaches());
        let due = match counter {
            C::Ahead => told == Told::Newer,
            _ => highest.is_some() && highest > self.bound_version(),
        };
        let act = of_the_counter(counter, due, settled);
        let bind = highest.and_then(|version| match (act, seen) {
            (Act::Leave, _) => None,
            (Act::Raise, CounterSeen::There { value, .. }) => {
                // A step whose entry a cut took is not made twice: the log's own value says so. One of a counter that is
                // ahead may be, and never shows more than the version that is installed.
                let above = match counter {
                    C::Level => self.bound_value().unwrap_or(*value),
                    _ => *value,
                };
                Some(ToBind {
                    version,
                    above: Some(above),
                })
            }
            (Act::Bind | Act::Raise, _) => Some(ToBind {
                version,
                above: None,
            }),
        });
        Judged {
            outcome,
            counter,
            floor,
            shown,
            bind,
        }
    }
}

fn of_the_number(told: Told, leave: Leave, block: bool) -> FirmwareOutcome {
    let row = OF_THE_NUMBER
        .iter()
        .find(|row| (row.0, row.1) == (told, leave));
    match (row, block) {
        (Some(row), false) => row.2,
        (Some(row), true) => row.3,
        // Every pair has a row.
        (None, _) => O::Unreadable,
    }
}

fn of_the_counter(counter: FirmwareCounter, due: bool, settled: bool) -> Act {
    let row = OF_THE_COUNTER
        .iter()
        .find(|row| (row.0, row.1, row.2) == (counter, due, settled));
    row.map_or(Act::Leave, |row| row.3)
}

#[cfg(test)]
mod tests;
