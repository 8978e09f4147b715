//! What the engine of a port wants done, in this order.

use crate::input::Stream;
use alloc::vec::{self, Vec};
use evidence::{Captured, MeterId, MonoNs, Seq, Slot};

/// Where a meter's capture stands: the line of the poll marker board (A4.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The meter.
    pub meter: MeterId,
    /// Its read session.
    pub seq: Seq,
    /// The slot the session serves.
    pub slot: Slot,
    /// Sub-number of the attempt.
    pub attempt: u64,
    /// When the request left.
    pub attempt_at: MonoNs,
    /// When its reply was complete; `None` while there is none.
    pub reply_at: Option<MonoNs>,
}

/// Records that are committed together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Whose numbers they carry.
    pub stream: Stream,
    /// The read session or event; within a stream batches come in this order, each number once.
    /// `None`: markers and downtime, which say the same when they are said twice.
    pub seq: Option<Seq>,
    /// The records, encoded and protected.
    pub records: Vec<Captured>,
}

/// One thing to do.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open the port or connection; answer with `LinkUp` or `LinkRefused`.
    Connect,
    /// Close it, and forget what it had still to say.
    Disconnect,
    /// Write to the marker board, before what follows.
    Mark(Mark),
    /// Send these bytes.
    Transmit(Vec<u8>),
    /// Set the port to so many bits a second; all else stays as the contract says.
    Speed(u32),
    /// Hand these records to the recorder, and keep them until it has acknowledged them.
    Emit(Batch),
    /// Ask the recorder for a block of numbers.
    NeedLease {
        /// Whose numbers.
        stream: Stream,
    },
    /// Ask the recorder which slots of a meter are missing that its memory may have; answer with
    /// [`Input::Missed`](crate::Input), behind all records that were emitted before.
    NeedMissed {
        /// The meter.
        meter: MeterId,
    },
    /// Send `Tick` at this time. Only the latest counts.
    WakeAt(MonoNs),
    /// All is said; drop the engine.
    Stopped,
}

/// What is to be done after one input, in order.
#[must_use]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions(pub(crate) Vec<Action>);

impl IntoIterator for Actions {
    type Item = Action;
    type IntoIter = vec::IntoIter<Action>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
