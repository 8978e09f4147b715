//! The words of the time reader: marks, labels, stretches, jumps, runs.

use evidence::kinds::TimeMap;
use evidence::reasons::{
    EpochCause, EventCode, HoldoverReason, TimeCause, TimeQuality, TimeStatus,
};
use evidence::{BootId, EntryId, MonoNs, SourceId, UtcNs};

/// An instant, and the entry that shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The entry.
    pub entry: EntryId,
    /// The instant on the monotonic clock of its boot.
    pub at: MonoNs,
    /// The instant as it was stamped.
    pub utc: UtcNs,
}

impl Mark {
    /// UTC less monotonic time, in nanoseconds: what moves when the clock is set.
    pub(super) fn difference_ns(&self) -> i128 {
        i128::from(self.utc.0) - i128::from(self.at.0)
    }
}

/// What stamps claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// RTC_ONLY, SYNCED or HOLDOVER.
    pub quality: TimeQuality,
    /// State of the servo.
    pub status: TimeStatus,
    /// Why the clock runs alone, where it does.
    pub reason: Option<HoldoverReason>,
    /// What the newest map in the log rests on; `None` before the first of the run.
    pub basis: Option<String>,
}

impl Label {
    /// Whether stamps say the same; what they rest on aside.
    #[must_use]
    pub fn is_alike(&self, other: &Self) -> bool {
        (self.quality, self.status, self.reason) == (other.quality, other.status, other.reason)
    }
}

/// What is known of a stretch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cover {
    /// Stamps with this label.
    Labelled(Label),
    /// Nothing was stamped: the recorder did not run.
    NotRunning,
    /// The entries are not here: lost, or no longer in the ring.
    NotHere,
}

impl Cover {
    /// The word for people and programs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Labelled(label) => label.quality.name(),
            Self::NotRunning => "not running",
            Self::NotHere => "not here",
        }
    }

    /// The label, where there is one.
    #[must_use]
    pub const fn label(&self) -> Option<&Label> {
        match self {
            Self::Labelled(label) => Some(label),
            Self::NotRunning | Self::NotHere => None,
        }
    }
}

/// A stretch over which one thing is known. Stretches follow one another without gap and overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// What is known.
    pub cover: Cover,
    /// The run it belongs to, by its place; for a stretch between two runs, the later one.
    pub run: usize,
    /// Where it begins.
    pub begin: Mark,
    /// Where it ends, on the clock that held within it; the entry is the last one within it.
    pub end: Mark,
    /// Entries stamped in it.
    pub entries: u64,
    /// The narrowest and the widest bound that its stamps stated, in nanoseconds.
    pub bound_ns: Option<(u64, u64)>,
    /// Nanoseconds that it lasted; `None` where no clock tells, across a reboot.
    pub lasted_ns: Option<u64>,
}

/// How the clock was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JumpKind {
    /// An event of the time plane tells of a step.
    Step,
    /// An event of the time plane tells of a slew beyond its budget.
    Slew,
    /// Stamps show it, and no event tells of it.
    Untold,
    /// The machine came up with its clock behind the last stamp.
    ResetAtBoot,
}

impl JumpKind {
    /// The word for people and programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Slew => "slew",
            Self::Untold => "untold",
            Self::ResetAtBoot => "reset_at_boot",
        }
    }
}

/// The clock moved against monotonic time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jump {
    /// How.
    pub kind: JumpKind,
    /// The run in which it was seen.
    pub run: usize,
    /// The last mark before it.
    pub before: Mark,
    /// The first mark behind it; of a slew, where it was told.
    pub after: Mark,
    /// By how much, in nanoseconds; `true` for forward, `None` where only the magnitude is known.
    pub magnitude_ns: u64,
    /// Whether it went forward.
    pub forward: Option<bool>,
    /// The cause that the event states; `None` where no event tells of it.
    pub cause: Option<TimeCause>,
    /// The event.
    pub event: Option<EntryId>,
    /// What the event says for a person.
    pub detail: Option<String>,
}

impl Jump {
    /// Whether an entry states a cause that explains it.
    #[must_use]
    pub fn is_explained(&self) -> bool {
        self.cause
            .is_some_and(|cause| cause != TimeCause::Unexplained)
    }
}

/// An event of the time plane, or of the node's processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeEvent {
    /// When, and the entry.
    pub mark: Mark,
    /// The run.
    pub run: usize,
    /// Where: a part of the node, a process of it, or who offered the time.
    pub source: SourceId,
    /// What happened.
    pub code: EventCode,
    /// The cause it states.
    pub cause: Option<TimeCause>,
    /// Its count; for most codes, nanoseconds.
    pub count: Option<u64>,
    /// What it says for a person.
    pub detail: Option<String>,
}

/// A run of the recorder: an epoch of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub epoch: u64,
    /// The kernel's boot id; `None` while no epoch entry told.
    pub boot: Option<BootId>,
    /// Why it began.
    pub cause: Option<EpochCause>,
    /// The entry that begins it.
    pub entry: Option<EntryId>,
    /// Its first entry.
    pub first: Mark,
    /// Its last entry so far.
    pub last: Mark,
    /// When stamps said SYNCED for the first time.
    pub first_synced: Option<Mark>,
    /// What ended it, where the log tells: the node was told to stop, or the recorder's process ended.
    pub ended: Option<TimeEvent>,
}

impl Run {
    /// Whether monotonic times of a run and the next one compare; `None` where nothing tells.
    #[must_use]
    pub fn same_boot(&self, next: &Self) -> Option<bool> {
        match (self.boot, next.boot) {
            (Some(one), Some(other)) => Some(one == other),
            // Monotonic time never goes back within a boot.
            _ if next.first.at < self.last.at => Some(false),
            _ => None,
        }
    }
}

/// The bound at an instant, for a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// When, as it was stamped.
    pub utc: UtcNs,
    /// The bound, in nanoseconds; `None` where nobody could state one.
    pub bound_ns: Option<u64>,
}

/// A map in the log.
#[derive(Clone, Debug)]
pub(super) struct MapEntry {
    pub(super) entry: EntryId,
    pub(super) run: usize,
    pub(super) map: TimeMap,
}

/// What somebody asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// An instant in UTC.
    Time(UtcNs),
    /// An entry: its number, of that generation or of the newest one that has it.
    Entry {
        /// The generation, where it is said.
        generation: Option<u64>,
        /// The commit id.
        commit_id: u64,
    },
}
