//! The roles of a node, each a process of its own: `fieldnotary role NAME`.

mod confine;
pub(crate) mod io;
mod link;
pub(crate) mod recorder;
mod runs;
mod standing;
pub(crate) mod syslog;
pub(crate) mod time;
pub(crate) mod timestamp;
mod tls;
pub(crate) mod uplink;

pub(crate) use confine::confine;
