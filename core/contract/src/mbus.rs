//! The M-Bus in a contract: its line, the addresses of its meters, what selects a data record.

mod read;
mod rules;

pub(crate) use read::{is_meant, line, meter_address, no_pick, pick};
pub(crate) use rules::{address_rules, budget, line_rules, pick_rules, same_meter, speed_of_meter};

use crate::model::{Point, Port, PortKind, SerialLine, Source};
use crate::outputs::Condition;
use alloc::string::String;
use core::cmp::Ordering;
use evidence::{Decimal, SourceId};

/// From the end of a request a reply is waited for so many bit times, its first character among them ...
const REPLY_BITS: u64 = 341;
/// ... and so long (EN 13757-2, clause 5).
const REPLY_EXTRA_MS: u64 = 50;
/// Repeats of a request (EN 13757-2, clause 5).
const REPEATS: u32 = 2;

/// A wired M-Bus: a level converter, and what is behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MbusLine {
    /// How the converter is reached.
    pub wire: MbusWire,
    /// How long adapter and converter may hold bytes back.
    pub latency_ms: u64,
    /// How long nobody is asked after the device was opened.
    pub power_up_ms: u64,
    /// Another master speaks with the meters too.
    pub shared: bool,
    /// Holds while the converter reports an overload or a short; over an input of the station that its contact is wired to.
    pub overload: Option<Condition>,
}

/// How a level converter is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MbusWire {
    /// By a serial device: 8 data bits and 1 stop bit; no parity only where there is no line, as on a pseudo-terminal.
    Serial(SerialLine),
    /// By a TCP connection that carries the bytes of the bus as they are.
    Tcp {
        /// `host:port`.
        address: String,
        /// The speed of the bus behind it, which the converter is set to.
        baud: u32,
    },
}

impl MbusLine {
    /// Its serial device, where it has one.
    #[must_use]
    pub const fn serial(&self) -> Option<&SerialLine> {
        match &self.wire {
            MbusWire::Serial(line) => Some(line),
            MbusWire::Tcp { .. } => None,
        }
    }

    /// The speed of the bus, in bits a second.
    #[must_use]
    pub const fn baud(&self) -> u32 {
        match &self.wire {
            MbusWire::Serial(line) => line.baud,
            MbusWire::Tcp { baud, .. } => *baud,
        }
    }

    /// The name of its device, or its address.
    #[must_use]
    pub fn place(&self) -> &str {
        match &self.wire {
            MbusWire::Serial(line) => &line.device,
            MbusWire::Tcp { address, .. } => address,
        }
    }
}

/// How a meter is reached on an M-Bus: by its primary address where it has one, else by being selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MbusAddress {
    /// 0 to 250.
    pub primary: Option<u8>,
    /// Who it must be.
    pub secondary: Option<Secondary>,
    /// Its own speed, where that is not the one of the port.
    pub baud: Option<u32>,
    /// Readouts that its battery allows in any 24 hours.
    pub reads_per_day: Option<u32>,
}

/// What a meter calls itself (EN 13757-3, secondary address).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secondary {
    /// Eight digits; some meters have A to E among them.
    pub id: String,
    /// Three letters; any where it is left out.
    pub manufacturer: Option<String>,
    /// Its generation; any where it is left out.
    pub version: Option<u8>,
    /// What it meters; any where it is left out.
    pub medium: Option<u8>,
}

/// What selects a data record: its place, its meaning, or both, which then must agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordPick {
    /// Its place in the readout, from 0, over all telegrams.
    pub place: Option<u16>,
    /// What it measures, in the words of the decoder.
    pub quantity: Option<String>,
    /// Its function.
    pub function: Option<RecordFunction>,
    /// Its storage number.
    pub storage: Option<u64>,
    /// Its tariff.
    pub tariff: Option<u32>,
    /// Its subunit.
    pub subunit: Option<u16>,
    /// The unit that it must have.
    pub unit: Option<String>,
}

/// What kind of value a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordFunction {
    /// Of now.
    Instantaneous,
    /// The largest.
    Maximum,
    /// The smallest.
    Minimum,
    /// Of a time of error.
    Error,
    /// Of a set date, in a fixed data structure.
    Stored,
}

impl Port {
    /// A port of an M-Bus: how long it waits, and how often it asks again, is the standard's.
    #[must_use]
    pub(crate) fn mbus(id: SourceId, line: MbusLine) -> Self {
        let bits_ms = (REPLY_BITS * 1_000).div_ceil(u64::from(line.baud().max(1)));
        let timeout_ms = bits_ms + REPLY_EXTRA_MS + line.latency_ms;
        Self {
            id,
            kind: PortKind::Mbus(line),
            timeout_ms,
            retries: REPEATS,
            late_reply_ms: timeout_ms,
        }
    }
}

impl PortKind {
    /// What holds while its level converter reports an overload, where the contract says how that is told.
    #[must_use]
    pub const fn overload(&self) -> Option<&Condition> {
        match self {
            Self::Mbus(line) => line.overload.as_ref(),
            Self::ModbusRtu(_) | Self::ModbusTcp { .. } => None,
        }
    }
}

impl Point {
    /// The unit that a point's record must have: the one that it names, or that of the point where the number is not
    /// scaled into another. `None`: any, or no record at all.
    #[must_use]
    pub fn record_unit(&self) -> Option<&str> {
        let Source::Record(pick) = &self.from else {
            return None;
        };
        let unscaled =
            Decimal::new(1, 0).is_ok_and(|one| one.cmp_value(self.scale) == Ordering::Equal);
        let own = Some(self.unit.as_str()).filter(|unit| unscaled && !unit.is_empty());
        pick.unit.as_deref().or(own)
    }
}
