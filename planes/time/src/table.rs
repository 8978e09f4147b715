//! The declared table: what each change of the clock does to state, journal and events.

use evidence::reasons::{HoldoverReason, OffsetBucket, TimeQuality, TimeStatus};

/// What is known of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockState {
    /// It runs as it did when the process first looked.
    FreeRunning,
    /// It was set since, and nothing has confirmed it.
    Stepped,
}

impl ClockState {
    /// Every state.
    pub const ALL: &'static [Self] = &[Self::FreeRunning, Self::Stepped];

    /// What a stamp may say of such a clock (A8.4).
    #[must_use]
    pub const fn says(self) -> (TimeQuality, TimeStatus, HoldoverReason) {
        match self {
            Self::FreeRunning => (
                TimeQuality::RtcOnly,
                TimeStatus::FreeRun,
                HoldoverReason::NeverSynchronised,
            ),
            Self::Stepped => (
                TimeQuality::RtcOnly,
                TimeStatus::FreeRun,
                HoldoverReason::ClockStepped,
            ),
        }
    }
}

/// What a sample shows against those before it, the weightiest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The first sample of this process.
    Start,
    /// The kernel signalled that the clock was set, by whatever amount.
    ClockSet,
    /// The clock moved further than slewing can explain.
    Step,
    /// What the kernel says of its clock changed.
    KernelStatus,
    /// Slewing has carried the clock away from the last map in the journal.
    Slewed,
    /// The last map in the journal is old.
    Interval,
    /// Nothing to report.
    Steady,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// What the sample shows.
    pub change: Change,
    /// The state it leads to; the state stays where there is none.
    pub to: Option<ClockState>,
    /// Whether the new map becomes an entry.
    pub journal: bool,
    /// Whether a `time_step` event is committed (A8.5).
    pub event: bool,
}

const fn row(change: Change, to: Option<ClockState>, journal: bool, event: bool) -> Row {
    Row {
        change,
        to,
        journal,
        event,
    }
}

/// The table, in the order in which changes are looked for.
pub const TABLE: &[Row] = &[
    row(Change::Start, Some(ClockState::FreeRunning), true, false),
    row(Change::ClockSet, Some(ClockState::Stepped), true, true),
    row(Change::Step, Some(ClockState::Stepped), true, true),
    row(Change::KernelStatus, None, true, false),
    row(Change::Slewed, None, true, false),
    row(Change::Interval, None, true, false),
    row(Change::Steady, None, false, false),
];

/// The bucket of a magnitude.
#[must_use]
pub const fn offset_bucket(magnitude_ns: u64) -> OffsetBucket {
    match magnitude_ns {
        0..1_000 => OffsetBucket::Below1Us,
        1_000..10_000 => OffsetBucket::Below10Us,
        10_000..100_000 => OffsetBucket::Below100Us,
        100_000..1_000_000 => OffsetBucket::Below1Ms,
        1_000_000..10_000_000 => OffsetBucket::Below10Ms,
        10_000_000..100_000_000 => OffsetBucket::Below100Ms,
        100_000_000..1_000_000_000 => OffsetBucket::Below1S,
        1_000_000_000.. => OffsetBucket::FromOneS,
    }
}
