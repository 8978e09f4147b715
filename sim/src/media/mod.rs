//! Media that tear, forget, lie, fail and rot: one device of numbered commands, with a platter that
//! can be wound back.

mod command;
mod counter;
mod device;
mod fault;
mod handles;
mod image;
mod map;
mod platter;

pub use command::{Command, Logged, Target};
pub use counter::{Counter, CounterError};
pub use device::Device;
pub use fault::{Fault, SECTOR_BYTES, Torn};
pub use handles::{DeviceKeep, DeviceTruth, DeviceVolume};
pub use image::Image;
pub use map::{Map, slot_at, table_at};
pub use platter::{Mark, Platter};
