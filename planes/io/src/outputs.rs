//! The station's outputs: what must hold before one is driven, its course, and its proof, without I/O.
//!
//! It belongs to the engine of a card ([`crate::points`]): the records of outputs are numbered with those of
//! the card's inputs. It must never drive an output for anything but a committed command, the end of that
//! command's pulse, or the safe default; never carry a command out twice; and never take silence for a proof.
//!
//! # How a host drives it
//!
//! - [`Asked::Met`] whenever the recorder is met, and [`Asked::RecorderGone`] when it is not heard any more. What
//!   is committed between the two is handed over as [`Asked::Command`] and [`Asked::Tag`], in the order of the log.
//! - [`Drive`] is carried out at once and answered with [`Asked::Driven`]. A line has its level from the opening on:
//!   the safe one, or the one that it had.
//! - Points of other cards are told with [`Asked::Seen`], also when nobody knows them any more.
//!
//! # Invariants
//!
//! 1. A command that was handed over has exactly one final outcome ([`OutputOutcome::is_final`]), or its card
//!    ended before; then the next start tells it as unknown.
//! 2. Nothing is driven by a command that the [`REFUSALS`] hold back, nor by one that was committed before this
//!    engine heard of the log.
//! 3. Every movement is one record, with the entry that asked for it or the reason why it went by itself.
//!
//! [`OutputOutcome::is_final`]: evidence::reasons::OutputOutcome::is_final

mod gate;
mod group;
mod output;
mod proof;
mod seen;
mod state;
#[cfg(test)]
mod tests;

pub use gate::{Facts, REFUSALS, Refusal};
pub(crate) use group::{Around, Effect, Outputs};
pub use group::{Asked, Drive, Given};
pub use seen::{Held, Seen, Value};
pub use state::{COURSE, Event, State, Turn};
