//! What goes into the engine of a card, and what comes out.

use crate::action::Batch;
use crate::input::Stream;
use crate::outputs::{Asked, Drive, Seen};
use crate::slots::SlotClock;
use crate::work::Work;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::reasons::{CountBasis, ModemOutcome};
use evidence::{Decimal, MonoNs, PointId, ScheduleId, Seq};

/// One edge, as the kernel tells it (GPIO v2 `gpio_v2_line_event`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// When, by the kernel's monotonic clock.
    pub at: MonoNs,
    /// The line.
    pub line: u32,
    /// The level behind it.
    pub rising: bool,
    /// The kernel's number of the edge on its line, from 1; a jump is so many lost edges. It wraps.
    pub line_seqno: u32,
}

/// The level of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The line.
    pub line: u32,
    /// High or low.
    pub high: bool,
}

/// Where a pulse meter's count stood before this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The count.
    pub count: u64,
    /// Who knew it.
    pub basis: CountBasis,
}

/// What became of a poll of a PLC modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polled {
    /// The modem.
    pub point: PointId,
    /// Its answer, or how and why there is none.
    pub taken: Result<Vec<u8>, (ModemOutcome, String)>,
    /// How long that took.
    pub took_ns: u64,
}

/// Everything that can happen to a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The time of the last [`Action::WakeAt`] has come. Harmless at any other time.
    Tick,
    /// Numbers the slots of a schedule from here on, as for a port.
    Schedule {
        /// One of [`CardEngine::schedules`](super::CardEngine::schedules).
        schedule: ScheduleId,
        /// Its slots in monotonic time.
        clock: SlotClock,
    },
    /// A block of numbers, `next` to `end - 1`, is this engine's to use.
    Lease {
        /// Whose numbers: those of the records, or of the events of the card.
        stream: Stream,
        /// The first.
        next: Seq,
        /// One past the last.
        end: Seq,
    },
    /// The card is open, and this is how its lines stand. Edges count from here on.
    Opened(Vec<Level>),
    /// It could not be opened.
    Refused {
        /// Why, for a person.
        detail: String,
    },
    /// It was open and is not any more.
    Lost {
        /// Why, for a person.
        detail: String,
    },
    /// Edges in the order in which they were read.
    Edges(Vec<Edge>),
    /// What a channel said when it was asked.
    Sample {
        /// Which, as in [`Action::Read`].
        channel: String,
        /// The number as it stands there, or why there is none.
        taken: Result<Decimal, String>,
    },
    /// What a file of the card said when it was asked.
    Text {
        /// Which, as in [`Action::ReadText`].
        channel: String,
        /// Its text, or why there is none.
        taken: Result<String, String>,
    },
    /// A modem was asked.
    Answer(Polled),
    /// The host's queue towards the recorder is full (`true`), or has space again (`false`).
    QueueFull(bool),
    /// Where people work now, as for a port; a card is a meter of its own name.
    Work(Work),
    /// Something that concerns the card's outputs.
    Outputs(Asked),
    /// Finish.
    Stop,
}

/// One thing to do.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open the card; answer with `Opened` or `Refused`.
    Open,
    /// Close it.
    Close,
    /// Ask a channel; answer with `Sample`.
    Read {
        /// Which.
        channel: String,
    },
    /// Ask a file of the card for its text; answer with `Text`.
    ReadText {
        /// Which.
        channel: String,
    },
    /// Give the card this at once; answer with `Outputs(Asked::Driven)`.
    Drive {
        /// The output.
        point: PointId,
        /// What.
        to: Drive,
    },
    /// Tell cards whose outputs watch this point.
    Show {
        /// The point.
        point: PointId,
        /// What is known of it.
        seen: Seen,
    },
    /// Ask a PLC modem; answer with `Answer`.
    Ask {
        /// Which.
        point: PointId,
    },
    /// Write to the marker board that records up to this number are about to leave.
    Mark {
        /// The last number.
        seq: Seq,
        /// The instant of that record.
        at: MonoNs,
    },
    /// Write to the count board.
    Count {
        /// The pulse meter.
        point: PointId,
        /// Its count.
        count: u64,
        /// When the last pulse began.
        at: MonoNs,
    },
    /// Hand these records to the recorder, and keep them until it has acknowledged them. Of records the
    /// batch's number is that of the first; the others follow densely.
    Emit(Batch),
    /// Ask the recorder for a block of numbers.
    NeedLease {
        /// Whose numbers.
        stream: Stream,
    },
    /// Send `Tick` at this time. Only the latest counts.
    WakeAt(MonoNs),
    /// All is said; drop the engine.
    Stopped,
}
