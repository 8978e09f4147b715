//! Clocks under trial: a master and a follower in network namespaces of their own, real ptp4l and chronyd
//! as processes, and faults to order.
//!
//! No daemon ever touches the machine's clock: ptp4l runs with `free_running`, chronyd with `-x`. So
//! master and follower share one clock, and what they measure is the noise of measuring; a
//! [`SimGrandmaster`] has a clock of its own.
//!
//! It needs root, for the namespaces, and the packages linuxptp, chrony, nftables and iproute2.

mod daemons;
mod grandmaster;
mod namespace;
mod process;
mod rig;

pub use daemons::{Chrony, Ptp};
pub use grandmaster::{Orders, SimGrandmaster};
pub use process::Process;
pub use rig::{Direction, FOLLOWER_ADDRESS, MASTER_ADDRESSES, Rig, Side, until};
