//! The declared table: what each change of the clock is worth: a doubt, an entry, an event.

use evidence::reasons::OffsetBucket;

/// What a sample shows against those before it, the weightiest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The first sample of this process.
    Start,
    /// The kernel signalled that the clock was set, by whatever amount.
    ClockSet,
    /// The clock moved further than two readings of it may differ.
    Step,
    /// What the kernel says of its clock is not what the last map in the journal was made with.
    KernelStatus,
    /// Another label, or another reason for it.
    Label,
    /// The last map in the journal is old.
    Interval,
    /// Nothing to report.
    Steady,
}

impl Change {
    /// Every change, in the order in which they are looked for.
    pub const ALL: &'static [Self] = &[
        Self::Start,
        Self::ClockSet,
        Self::Step,
        Self::KernelStatus,
        Self::Label,
        Self::Interval,
        Self::Steady,
    ];
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// What the sample shows.
    pub(crate) change: Change,
    /// Whether what was measured before it says nothing any more.
    pub(crate) stepped: bool,
    /// Whether the new map becomes an entry.
    pub(crate) journal: bool,
    /// Whether a `time_step` event is committed (A8.5).
    pub(crate) event: bool,
}

const fn row(change: Change, stepped: bool, journal: bool, event: bool) -> Row {
    Row {
        change,
        stepped,
        journal,
        event,
    }
}

/// The table, in the order in which changes are looked for.
pub(crate) const TABLE: &[Row] = &[
    row(Change::Start, false, true, false),
    row(Change::ClockSet, true, true, true),
    row(Change::Step, true, true, true),
    row(Change::KernelStatus, false, true, false),
    row(Change::Label, false, true, false),
    row(Change::Interval, false, true, false),
    row(Change::Steady, false, false, false),
];

/// The bucket of a magnitude.
#[must_use]
pub(crate) const fn offset_bucket(magnitude_ns: u64) -> OffsetBucket {
    OffsetBucket::of(magnitude_ns)
}
