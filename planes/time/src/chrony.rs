//! The command protocol of chronyd (version 6, chrony 4): its report, its sources, and the round of
//! questions that makes a reading. Only reports are asked for: nothing here changes the daemon.

mod float;
mod message;
mod round;

pub use float::scaled;
pub use message::{
    Answer, Query, REQUEST_BYTES_MAX, Reply, Request, SourceData, Tracking, decode, encode,
};
pub use round::{Accepted, Round};

#[cfg(test)]
mod tests;
