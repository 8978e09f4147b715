//! The other side of the bus: simulated slaves that serve given telegrams, and what many of them make of one line.
//!
//! For tests and for a simulated site. A slave obeys what a master may send: SND_NKE, REQ_UD2 with its FCB,
//! selection with wildcards, other addresses and speeds. When several speak at once, [`overlay`] gives what a
//! receiver makes of it, bit by bit.

mod bus;
mod meter;
mod states;

pub use bus::{Bus, Character, Spoken, overlay};
pub use meter::{Reply, Slave};
pub use states::{Answer, Heard, State, next};
