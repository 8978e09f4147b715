//! What the engine of a port is told.

use crate::clocks::ClockAsked;
use crate::outputs::Held;
use crate::recall::MissedSlot;
use crate::slots::SlotClock;
use crate::work::Work;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::{MeterId, ScheduleId, Seq};

/// A number space that the recorder leases in blocks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Read sessions of a meter.
    Meter(MeterId),
    /// Events of the port itself; its key is the port's id.
    Port,
}

/// Errors the UART counted since it was last asked (R5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UartErrors {
    /// Characters without a stop bit.
    pub framing: u64,
    /// Characters with the wrong parity.
    pub parity: u64,
    /// Characters lost because nobody fetched the ones before.
    pub overrun: u64,
    /// Characters lost because the kernel's own buffer was full.
    pub buffer_overrun: u64,
    /// Breaks: the line was held longer than a character.
    pub breaks: u64,
}

impl UartErrors {
    /// Adds what was counted later.
    pub(crate) fn add(&mut self, more: Self) {
        self.framing += more.framing;
        self.parity += more.parity;
        self.overrun += more.overrun;
        self.buffer_overrun += more.buffer_overrun;
        self.breaks += more.breaks;
    }
}

/// Everything that can happen to a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The time of the last [`WakeAt`](crate::Action::WakeAt) has come. Harmless at any other time.
    Tick,
    /// Numbers the slots of a schedule from here on: at the start, and again after the clock was
    /// stepped. Numbers that were due already are never due again.
    Schedule {
        /// One of [`PortEngine::schedules`](crate::PortEngine::schedules).
        schedule: ScheduleId,
        /// Its slots in monotonic time.
        clock: SlotClock,
    },
    /// A block of numbers, `next` to `end - 1`, is this engine's to use.
    Lease {
        /// Whose numbers.
        stream: Stream,
        /// The first.
        next: Seq,
        /// One past the last.
        end: Seq,
    },
    /// The port is open, or the connection stands.
    LinkUp {
        /// What of the line's description its driver left out, each for a person.
        left_out: Vec<String>,
    },
    /// Slots of a meter without a reading, which its own memory may have.
    Missed {
        /// The meter.
        meter: MeterId,
        /// The slots.
        slots: Vec<MissedSlot>,
        /// Whether there are others, for another time.
        others: bool,
    },
    /// It could not be opened.
    LinkRefused {
        /// Why, for a person.
        detail: String,
    },
    /// It was open and is not any more. Not said after an [`Action::Disconnect`](crate::Action).
    LinkLost {
        /// Why, for a person.
        detail: String,
    },
    /// Bytes that arrived just now.
    Received(Vec<u8>),
    /// What the UART counted.
    Uart(UartErrors),
    /// Whether the port's condition `overload` holds by now: its level converter reports one.
    Overload(Held),
    /// The host's queue towards the recorder is full (`true`), or has space again (`false`). Sessions
    /// under way still end with a batch.
    QueueFull(bool),
    /// What the log says of orders to set the clocks of meters.
    Clock(ClockAsked),
    /// Where people work now; replaces what was said before. What would be good is a test there.
    Work(Work),
    /// Finish: the request in flight may still be answered, nothing new starts.
    Stop,
}
