//! Media that tear, forget, lie, fail and rot: one device of numbered commands, with a platter that
//! can be wound back.

mod command;
mod counter;
mod device;
mod fault;
mod handles;
mod map;
mod platter;

pub use command::{Command, Logged, Target};
pub use counter::{Counter, CounterError};
pub use device::Device;
pub use fault::Fault;
pub use handles::{DeviceTruth, DeviceVolume};
pub use map::Map;
pub use platter::{Mark, Platter};
