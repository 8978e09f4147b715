//! The point contract: one TOML file to a checked, canonical, versioned contract.
//!
//! [`parse`] reads the file and either returns a sound [`Contract`] or everything that is wrong with
//! it. [`Contract::canonical`] is its one encoding, whatever the file's comments, order and spelt-out
//! defaults; [`Contract::parts`] is how it enters the log.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod block;
mod canonical;
mod changes;
mod clock_set;
mod error;
mod firmware;
mod item;
mod keys;
mod life;
pub mod limits;
mod load;
mod mbus;
mod memory;
mod model;
mod modem;
mod names;
mod near;
mod offered;
mod opaque;
mod outputs;
mod pace;
mod parse;
mod parts;
mod place;
mod points;
mod read;
mod rules;
mod serial;
mod sound;
mod station;
mod storages;
mod syntax;
mod syslog;
mod template;
mod time;
mod timestamp;
mod warnings;
mod watch;
mod words;

pub use changes::changes;
pub use error::{ContractError, ContractErrors};
pub use keys::{Key, Preset, SECTIONS, Section, reference};
pub use model::{
    Address, BitField, ClockSetting, ClockTelegram, Contract, Counting, Echo, Firmware,
    MbusAddress, MbusLine, MbusWire, Memory, MemoryOrder, Meter, OfferedSource, OnRollback,
    Oscillator, Parity, Point, Policy, Port, PortKind, PtpMode, PtpTimestamping, RecordFunction,
    RecordPick, Register, Role, Rs485, RtsLevel, Schedule, Seal, Secondary, SerialLine, Source,
    StampHash, Station, Storage, StorageDate, Storages, Syslog, Table, Time, Timestamp, Uplink,
    ValueType, WordOrder,
};
pub use modem::{Asks, Buckets, Modem, ModemCounter};
pub use near::nearest;
pub use outputs::{
    AnalogOutput, Condition, Demand, DigitalOutput, Feedback, OnLoss, Operate, Output, OutputPlace,
    OutputRules,
};
pub use pace::Pace;
pub use parse::parse;
pub use parts::PartsError;
pub use place::{Misfit, placed};
pub use station::{
    Active, Analog, Bias, Card, CardKind, Debounce, DigitalInput, PulseMeter, RegisterChannel,
    Remote, StationPoints, WireFault, bit_of, calibration_digest,
};
pub use template::{Draft, DraftPoint, FILL_IN, Wire, template};
pub use warnings::Warning;
pub use watch::{Limit, ResetSource, ResetWord, Watched};

/// A complete example of a contract file, with comments.
pub const EXAMPLE: &str = include_str!("../example/station.toml");
