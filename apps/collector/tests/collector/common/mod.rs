//! A log that seals and loses, a collector's process, and a node's uplink over real HTTPS.

mod directory;
mod log;
mod process;
mod uplink;

pub(crate) use directory::check_directory;
pub(crate) use log::{BASE, Log, ix};
pub(crate) use process::{Collector, program};
pub(crate) use uplink::Uplink;
