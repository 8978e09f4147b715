//! The I/O plane: ports, schedules, read sessions and their outcome, without I/O.
//!
//! One [`PortEngine`] is one port, so that ports share no state and one port's trouble stays its own.
//! It owns due slots, read sessions and their numbers, the bus, the late-reply windows and the error
//! buckets. It must never read a clock, invent a number, write the journal, or make a reading of a
//! reply that it cannot tie to the one request it answers.
//!
//! # How a host drives it
//!
//! ```text
//! let mut engine = PortEngine::new(&contract, &port_id, configuration_entry)?;
//! for schedule in engine.schedules() {           // number the slots, from UTC
//!     perform(engine.handle(now, Input::Schedule { schedule, clock }));
//! }
//! loop {                                         // bytes, leases, link, wake-ups
//!     perform(engine.handle(now, input));        // actions strictly in order
//! }
//! perform(engine.handle(now, Input::Stop));      // and go on until Action::Stopped
//! ```
//!
//! - `now` is monotonic, the moment the input happened. Every answer ends with one
//!   [`Action::WakeAt`] that replaces the one before; it may lie in the past: then tick at once.
//! - [`SlotClock`]: slot `number_at_anchor` is due at `anchor`, one more every `every_ns`. Give the next
//!   slot, not one of the past. Slots between two runs or two numberings are the recorder's to account,
//!   from the `ScheduleStop`/`Heartbeat` marker before and the `ScheduleStart` marker after.
//! - [`Action::NeedLease`] is answered with [`Input::Lease`] when the recorder has granted a block; it
//!   is repeated while none comes. Blocks of 64 and more keep the traffic low.
//! - [`Action::NeedMissed`] is answered with [`Input::Missed`]; nothing waits for the answer.
//! - [`Action::Mark`] comes before its [`Action::Transmit`]: write the board first (A4.8).
//! - [`Action::Emit`]: a meter's batch holds all records of one session (readings and failed attempts)
//!   under its `seq`, so (meter, seq) names it when it has to be sent again. At most one failed attempt
//!   of a session is `last`; it names every point the session leaves without a reading. `attempt`
//!   counts the requests sent in the session, over all its registers.
//! - [`Input::QueueFull`]: no session starts while it holds. What falls due then is one `Downtime` entry
//!   per schedule. Keep room for one more batch per session under way. After [`Input::Stop`] it counts
//!   no more: all that is owed is said.
//! - [`PortEngine::counters`] and [`PortEngine::snapshots`] at any time.
//!
//! # Invariants
//!
//! 1. Every due slot of every meter ends in exactly one session or in downtime (A4.2, A4.6).
//! 2. Batches of one stream carry its numbers densely and in order; (meter, seq, point) is unique.
//! 3. On a serial line a unit is not asked for a function while an earlier request to it for that
//!    function may still be answered late; other meters are served meanwhile. A line that was just
//!    opened stays silent that long, for whoever used it before.
//! 4. A failed attempt counts in the bucket of the meter that was asked, and nowhere else (A3.7).
//! 5. Every queue and rate has its bound in [`limits`].
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod action;
mod asking;
mod books;
mod buckets;
mod bursts;
mod bus;
mod clocks;
mod decode;
mod echo;
mod engine;
mod events;
mod health;
mod input;
mod late;
mod lease;
pub mod life;
pub mod limits;
mod link;
pub mod modem;
pub mod outputs;
mod plan;
pub mod points;
mod recall;
mod session;
mod slots;
mod state;
mod stray;
#[cfg(test)]
mod tests;
mod wire;
mod work;

pub use action::{Action, Actions, Batch, Mark};
pub use asking::{Asking, Outcome, Unanswered};
pub use clocks::ClockAsked;
pub use decode::{Decoded, decode};
pub use engine::{Cycle, MeterBudget, PortEngine, SetupError};
pub use input::{Input, Stream, UartErrors};
pub use plan::{Gaps, Plan, PlannedRead};
pub use recall::MissedSlot;
pub use slots::SlotClock;
pub use state::{Event, State, TRANSITIONS, Transition};
pub use stray::{Met, STRAYS, Stray, Turn};
pub use work::Work;
