//! The point contract: one TOML file to a checked, canonical, versioned contract.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod model;

pub use model::{
    Contract, Meter, Parity, Point, Policy, Port, PortKind, Schedule, Seal, SerialLine, Station,
    Storage, Table, Uplink, ValueType, WordOrder,
};
