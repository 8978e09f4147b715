//! The management messages of linuxptp (3.1 and 4), and the round of questions that makes a reading.
//!
//! IEEE 1588-2008, clause 15, as ptp4l speaks it on its local socket. Only GET and the subscription to
//! pushes are ever sent: nothing here changes the daemon.

mod message;
mod round;
mod sets;

pub use message::{
    Body, Client, GET_BYTES, Message, PortIdentity, SUBSCRIBE_BYTES, decode, get, subscribe,
};
pub use round::{Accepted, Round};
pub use sets::{
    Current, DataSet, DefaultData, HardwareClock, Id, Parent, PortData, PortProperties,
    PortServiceStats, PortStats, TimeProperties, TimeStatus,
};

#[cfg(test)]
mod tests;
