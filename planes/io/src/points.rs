//! The station's own points: one engine for each card, without I/O.
//!
//! It owns debounce, chatter, quality, pulse counts, analog values and the order of their records. It must
//! never read a clock, take the instant of reading an edge for the edge's, tell a change from an invalid
//! state, or let a count become smaller.
//!
//! # How a host drives it
//!
//! ```text
//! let mut engine = CardEngine::new(&contract, &card, configuration_entry, &counts)?;
//! for schedule in engine.schedules() {           // number the slots, from UTC
//!     perform(engine.handle(now, Input::Schedule { schedule, clock }));
//! }
//! loop {                                         // edges, samples, leases, wake-ups
//!     perform(engine.handle(now, input));        // actions strictly in order
//! }
//! perform(engine.handle(now, Input::Stop));      // and go on until Action::Stopped
//! ```
//!
//! - Edges are handed over in the order in which the kernel has them, as soon as they can be read and before
//!   a `Tick` of a later time: an edge that comes more than [`SETTLE_NS`](crate::limits::SETTLE_NS) after its
//!   instant may find records of later instants gone.
//! - [`Action::Mark`] comes before its [`Action::Emit`]: write the board first (A4.8).
//! - [`Action::Count`] is written to the count board at once; what the board and the recorder know comes back
//!   in [`Restored`] at the next start.
//!
//! # Invariants
//!
//! 1. Every edge from before the stop that was handed over is confirmed, rejected or still pending; every confirmed change of a
//!    digital input has a record, or is counted in one with the reason why it has none of its own.
//! 2. Records of a card carry its numbers densely. Those of lines are in the order of their instants; an
//!    analog one has the instant of its sample, and its place is where it was told.
//! 3. A pulse count never becomes smaller, and a snapshot has exactly the pulses before its instant:
//!    a stop waits for the windows that are open, within a bound.

mod analog;
mod apply;
mod condition;
mod engine;
mod filter;
mod gate;
mod io;
mod line;
mod modems;
mod order;
mod said;
mod stop;
mod surround;
mod tell;
#[cfg(test)]
mod tests;
mod watch;
mod width;

pub use condition::{CONDITIONS, Condition, Row};
pub use engine::{CardEngine, CardError};
pub use filter::{STEPS, State, Step, Told, What};
pub use io::{Action, Edge, Input, Level, Polled, Restored};
pub use surround::thousandths;
