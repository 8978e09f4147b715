//! The checked contract: what every plane reads. Built only by the parser, so that it is always sound.

mod serial;

pub use crate::clock_set::{ClockSetting, ClockTelegram};
pub use crate::firmware::{Firmware, OnRollback};
pub use crate::life::{Counting, Role};
pub use crate::mbus::{MbusAddress, MbusLine, MbusWire, RecordFunction, RecordPick, Secondary};
pub use crate::memory::{Memory, MemoryOrder};
pub use crate::storages::{StorageDate, Storages};
pub use crate::syslog::Syslog;
pub use crate::timestamp::{StampHash, Timestamp};
pub use serial::{Echo, Parity, Rs485, RtsLevel, SerialLine};

use crate::station::StationPoints;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use evidence::reasons::TruthClass;
use evidence::{Decimal, MeterId, PointId, ScheduleId, SourceId};

/// A whole station, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The station.
    pub station: Station,
    /// The journal and its truth store.
    pub storage: Storage,
    /// When the tree is sealed.
    pub seal: Seal,
    /// What the clock is measured against; where this is left out, nothing.
    pub time: Option<Time>,
    /// The collector, if there is one.
    pub uplink: Option<Uplink>,
    /// The receiver of syslog, if there is one.
    pub syslog: Option<Syslog>,
    /// The timestamp authority, if there is one.
    pub timestamp: Option<Timestamp>,
    /// The firmware that the node runs from, where it is declared.
    pub firmware: Option<Firmware>,
    /// Ports by id.
    pub ports: BTreeMap<SourceId, Port>,
    /// Schedules by id.
    pub schedules: BTreeMap<ScheduleId, Schedule>,
    /// Meters by id.
    pub meters: BTreeMap<MeterId, Meter>,
    /// The station's own points.
    pub points: StationPoints,
}

/// Who this node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Station {
    /// The log's origin without its generation, a schema-less URL such as `example.org/station-7`.
    pub origin: String,
    /// A name for people.
    pub name: String,
}

/// Shape of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Bytes of one segment; a multiple of the block.
    pub segment_bytes: u64,
    /// Segments in the ring, at least 2.
    pub segments: u32,
    /// Alignment and padding of a frame: 512, 4096 or 16384.
    pub block_bytes: u32,
    /// Class of the truth store.
    pub truth: TruthClass,
    /// The directory of an independent truth store, on a device of its own. A log of the first days
    /// may have none.
    pub truth_dir: Option<String>,
    /// The device of an independent truth store that holds nothing else, such as an FRAM.
    pub truth_device: Option<String>,
    /// Bytes of the ring that keeps events, where that is not
    /// [`KEEP_BYTES`](crate::limits::KEEP_BYTES); 0 for none.
    pub keep_soe_bytes: Option<u64>,
    /// Bytes of the ring that keeps audit, epochs and losses, where that is not
    /// [`KEEP_BYTES`](crate::limits::KEEP_BYTES); 0 for none.
    pub keep_audit_bytes: Option<u64>,
    /// Longest wait for more records before a group is committed.
    pub group_wait_ms: u64,
}

/// When the tree is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// At least this often, also when idle.
    pub every_ms: u64,
    /// And whenever this many entries are unsealed.
    pub entries_max: u64,
}

/// What the clock is measured against, and when a stamp may say SYNCED.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Time {
    /// SYNCED while the error bound is within this, in microseconds.
    pub limit_us: u64,
    /// What a part of the way to a durable entry may take, in microseconds.
    pub budget_us: Option<u64>,
    /// What the clock runs on.
    pub oscillator: Oscillator,
    /// The management socket of ptp4l.
    pub ptp: Option<String>,
    /// Whether ptp4l steers the clock.
    pub ptp_mode: PtpMode,
    /// The domain that ptp4l is asked in, and the only one that is believed; 0 where none is stated.
    pub ptp_domain: Option<u8>,
    /// The worst clockClass that is believed.
    pub ptp_class_max: u8,
    /// The most by which one direction of the path is longer, in microseconds.
    pub ptp_asymmetry_us: Option<u64>,
    /// Whose clock ptp4l's timestamps are of, where it does not tell.
    pub ptp_timestamping: Option<PtpTimestamping>,
    /// The command socket of chronyd.
    pub chrony: Option<String>,
    /// The real-time clock.
    pub rtc: Option<String>,
    /// The file that gives the temperature near the oscillator.
    pub thermal: Option<String>,
    /// The socket of chronyd's reference clock, which is given the offered times that are taken.
    pub refclock: Option<String>,
    /// Who may offer the time.
    pub offered: BTreeMap<SourceId, OfferedSource>,
}

/// Who may offer the time, and what is taken of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedSource {
    /// His name.
    pub id: SourceId,
    /// Of several that agree the lowest is handed on.
    pub priority: u8,
    /// The most that it may be from the node's clock.
    pub offset_max_ms: u64,
    /// The most that it may be wrong by its own account, in microseconds.
    pub uncertainty_max_us: u64,
    /// How often it comes.
    pub interval_ms: u64,
    /// What comes sooner is refused.
    pub pause_min_ms: u64,
}

/// Classes of oscillators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oscillator {
    /// A plain crystal.
    Xo,
    /// Compensated for temperature.
    Tcxo,
    /// In an oven.
    Ocxo,
    /// A rubidium standard.
    Rubidium,
}

/// What ptp4l does with the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PtpMode {
    /// It steers it.
    Disciplines,
    /// It only measures.
    FreeRunning,
}

/// What takes ptp4l's timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PtpTimestamping {
    /// The kernel, by the node's clock.
    Software,
    /// The network card, by its own clock.
    Hardware,
}

/// Where batches go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uplink {
    /// Base URL of the collector, `https://host:port/prefix`.
    pub url: String,
    /// The collector's cosigner key (signed-note verifier key, type 0x04).
    pub collector_vkey: String,
    /// PEM file of the authority that signed the collector's certificate.
    pub ca_file: String,
    /// PEM file of this node's client certificate.
    pub cert_file: String,
    /// PEM file of its key.
    pub key_file: String,
    /// First wait after a failure.
    pub backoff_ms_min: u64,
    /// Longest wait after failures.
    pub backoff_ms_max: u64,
    /// One request's deadline.
    pub timeout_ms: u64,
}

/// A place where meters are attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its id; the `source` of its records.
    pub id: SourceId,
    /// What it is.
    pub kind: PortKind,
    /// How long to wait for a reply.
    pub timeout_ms: u64,
    /// Attempts after the first.
    pub retries: u32,
    /// How long a reply may be late and still be mistaken for another.
    pub late_reply_ms: u64,
}

/// What is spoken on a port, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortKind {
    /// Modbus RTU on a serial device.
    ModbusRtu(SerialLine),
    /// Modbus TCP to one server or gateway.
    ModbusTcp {
        /// `host:port`.
        address: String,
    },
    /// Wired M-Bus behind a level converter, on a serial device or over TCP.
    Mbus(MbusLine),
}

/// Due slots: UTC multiples of `every_ms`, shifted by `offset_ms`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// Length of a slot.
    pub every_ms: u64,
    /// Shift of the slots from UTC multiples.
    pub offset_ms: u64,
}

/// A meter on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    /// Its id.
    pub id: MeterId,
    /// The port it is attached to.
    pub port: SourceId,
    /// How it is reached there.
    pub address: Address,
    /// Its schedule.
    pub schedule: ScheduleId,
    /// How long to wait for its reply, where that is not what the port says.
    pub timeout_ms: Option<u64>,
    /// Attempts after the first, where those are not what the port says.
    pub retries: Option<u32>,
    /// How far its clock is set ahead of UTC, in minutes; as UTC where nothing is said.
    pub clock_zone_min: Option<i64>,
    /// How its clock is set, where it may be.
    pub clock_setting: Option<ClockSetting>,
    /// Its own memory, where one is read.
    pub memory: Option<Memory>,
    /// What it stores under storage numbers, where that fills slots.
    pub storages: Option<Storages>,
    /// Its points in the order of the file.
    pub points: Vec<Point>,
}

/// How a meter is reached on its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A unit address of Modbus.
    Unit(u8),
    /// Addresses of an M-Bus.
    Mbus(MbusAddress),
}

/// One value of a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// Its id within the meter.
    pub id: PointId,
    /// Where its number comes from.
    pub from: Source,
    /// The value is raw times this.
    pub scale: Decimal,
    /// Unit for people and exports.
    pub unit: String,
    /// Smallest and largest good value.
    pub range: Option<(Decimal, Decimal)>,
    /// Whether a value may leave the node before it is durable.
    pub policy: Policy,
    /// What it tells of the meter's life.
    pub role: Option<Role>,
    /// Where its registers are in a record of the meter's memory.
    pub memory_offset: Option<u16>,
    /// It is no number: its bytes are carried as they came, under this label of their content type (U7).
    pub content_type: Option<String>,
}

/// What a point is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A register or group of registers of a Modbus meter.
    Register(Register),
    /// A data record of an M-Bus meter.
    Record(RecordPick),
}

/// One register or group of registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// Which table of the meter.
    pub table: Table,
    /// First register or bit, protocol address from 0.
    pub address: u16,
    /// Type of the value.
    pub value: ValueType,
    /// Order of the 16-bit words and of their bytes.
    pub word_order: WordOrder,
    /// The bits of the number that are the value, where not all of them are.
    pub bits: Option<BitField>,
    /// How many registers are carried, where they are no number.
    pub registers: Option<u16>,
}

/// The four tables of a Modbus device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Coils, function 01.
    Coil,
    /// Discrete inputs, function 02.
    Discrete,
    /// Holding registers, function 03.
    Holding,
    /// Input registers, function 04.
    Input,
}

/// How registers form a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// One bit.
    Bit,
    /// One register.
    U16,
    /// One register, two's complement.
    I16,
    /// Two registers.
    U32,
    /// Two registers, two's complement.
    I32,
    /// Four registers.
    U64,
    /// Four registers, two's complement.
    I64,
    /// Two registers, IEEE 754 binary32.
    F32,
    /// Four registers, IEEE 754 binary64.
    F64,
    /// One register, four digits.
    Bcd16,
    /// Two registers, eight digits.
    Bcd32,
    /// Four registers, sixteen digits.
    Bcd64,
}

/// Bits of an unsigned number that are a number of their own; bit 0 is the least significant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitField {
    /// The lowest of them.
    pub low: u8,
    /// The highest.
    pub high: u8,
}

impl PortKind {
    /// Its serial device, where it has one.
    #[must_use]
    pub const fn serial(&self) -> Option<&SerialLine> {
        match self {
            Self::ModbusRtu(line) => Some(line),
            Self::Mbus(line) => line.serial(),
            Self::ModbusTcp { .. } => None,
        }
    }

    /// The name of its device, or its address.
    #[must_use]
    pub fn place(&self) -> &str {
        match self {
            Self::ModbusRtu(line) => &line.device,
            Self::Mbus(line) => line.place(),
            Self::ModbusTcp { address } => address,
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ModbusRtu(_) => "RTU",
            Self::ModbusTcp { .. } => "TCP",
            Self::Mbus(_) => "M-Bus",
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit(unit) => write!(f, "{unit}"),
            Self::Mbus(address) => match (&address.secondary, address.primary) {
                (_, Some(primary)) => write!(f, "{primary}"),
                (Some(secondary), None) => f.write_str(&secondary.id),
                (None, None) => Ok(()),
            },
        }
    }
}

impl Meter {
    /// Its unit address, on a Modbus port.
    #[must_use]
    pub const fn unit(&self) -> Option<u8> {
        match self.address {
            Address::Unit(unit) => Some(unit),
            Address::Mbus(_) => None,
        }
    }
}

impl Point {
    /// Its registers, where it is of a Modbus meter.
    #[must_use]
    pub const fn register(&self) -> Option<&Register> {
        match &self.from {
            Source::Register(register) => Some(register),
            Source::Record(_) => None,
        }
    }

    /// Whether it is a whole readout of an M-Bus meter: all its telegrams, as they came.
    #[must_use]
    pub fn is_readout(&self) -> bool {
        let nothing = RecordPick::default();
        self.content_type.is_some() && self.record().is_some_and(|pick| *pick == nothing)
    }

    /// What selects its data record, where it is of an M-Bus meter.
    #[must_use]
    pub const fn record(&self) -> Option<&RecordPick> {
        match &self.from {
            Source::Record(pick) => Some(pick),
            Source::Register(_) => None,
        }
    }
}

impl Register {
    /// Registers (or bits) it takes.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.registers.unwrap_or_else(|| self.value.width())
    }
}

impl ValueType {
    /// Registers (or bits) it takes.
    #[must_use]
    pub const fn width(self) -> u16 {
        match self {
            Self::Bit | Self::U16 | Self::I16 | Self::Bcd16 => 1,
            Self::U32 | Self::I32 | Self::F32 | Self::Bcd32 => 2,
            Self::U64 | Self::I64 | Self::F64 | Self::Bcd64 => 4,
        }
    }
}

/// Order of 16-bit words in a wider value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordOrder {
    /// Most significant word first, as the standard's big-endian spirit has it.
    HighFirst,
    /// Least significant word first.
    LowFirst,
    /// Most significant word first, in each the less significant byte first.
    HighFirstSwapped,
    /// Least significant word first, in each the less significant byte first: little-endian throughout.
    LowFirstSwapped,
}

/// What comes first when the journal cannot take a record (A5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Nothing leaves before it is durable.
    EvidenceFirst,
    /// A dead disk does not blind operation: values are served, flagged and counted.
    AvailabilityFirst,
}
