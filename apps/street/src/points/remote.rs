//! Remote I/O over Modbus: devices whose registers follow a course, and whose bits are inputs.

use super::course::Course;
use super::log::{PointEvent, PointLine};
use super::wave::{Played, What};
use super::{Faults, Layout, Span};
use crate::Stop;
use crate::log::Log;
use modbus::pdu::{ExceptionCode, Response};
use modbus::server::{self, Bank, BitTable, RegisterTable};
use std::collections::VecDeque;

/// A device of remote I/O.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) name: String,
    /// The name of its port.
    pub(crate) port: String,
    pub(crate) unit: u8,
    /// Where the file of points speaks of it.
    pub(crate) line: usize,
}

/// Where a bit or a register of a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place<T> {
    /// Index into [`Layout::devices`].
    pub(crate) device: usize,
    pub(crate) table: T,
    pub(crate) address: u16,
}

impl Place<BitTable> {
    /// As a node's contract names it.
    pub(crate) fn words(self) -> String {
        match self.table {
            BitTable::Coils => format!("coil:{}", self.address),
            BitTable::DiscreteInputs => format!("discrete:{}", self.address),
        }
    }
}

impl Place<RegisterTable> {
    /// As a node's contract names it.
    pub(crate) fn words(self) -> String {
        match self.table {
            RegisterTable::Holding => format!("holding:{}", self.address),
            RegisterTable::Input => format!("input:{}", self.address),
        }
    }
}

/// An input that is a bit of a device.
#[derive(Debug)]
struct Bit {
    name: String,
    place: Place<BitTable>,
    /// Edges that are still to come.
    coming: VecDeque<(u64, bool)>,
    level: bool,
    /// What was answered last.
    shown: Option<bool>,
}

/// Something of a device was asked.
#[derive(Debug, Default)]
struct Told {
    /// By place in [`Remote::registers`]: what was answered, and the fault.
    reads: Vec<(usize, Option<i64>, Option<&'static str>)>,
    /// By place in [`Remote::bits`].
    bits: Vec<(usize, bool)>,
}

/// The devices of a street.
#[derive(Debug)]
pub(super) struct Remote {
    /// Of each device.
    names: Vec<String>,
    /// The same: when it does not answer.
    offline: Vec<Vec<Span>>,
    registers: Vec<Course>,
    bits: Vec<Bit>,
}

impl Remote {
    pub(super) fn new(layout: &Layout, faults: &Faults, seed: u64, ready_ns: u64) -> Self {
        let spans = |device: usize| {
            let mine = faults.devices.iter().filter(|fault| fault.place == device);
            mine.map(|fault| Span::of(fault, ready_ns)).collect()
        };
        let registers = layout.analogs.iter().enumerate();
        let registers = registers
            .map(|(place, analog)| Course::new(place, analog, &faults.analogs, seed, ready_ns));
        let bits = layout.inputs.iter().filter_map(|input| {
            Some(Bit {
                name: input.name.clone(),
                place: input.bit?,
                coming: VecDeque::new(),
                level: false,
                shown: None,
            })
        });
        Self {
            names: layout.devices.iter().map(|one| one.name.clone()).collect(),
            offline: (0..layout.devices.len()).map(spans).collect(),
            registers: registers.collect(),
            bits: bits.collect(),
        }
    }

    /// Edges of an input that is a bit.
    pub(super) fn plays(&mut self, name: &str, played: &Played) {
        let bit = self.bits.iter_mut().find(|bit| bit.name == name);
        if let (Some(bit), What::Edge { rising }) = (bit, &played.what) {
            bit.coming.push_back((played.at_ns, *rising));
        }
    }

    /// What a device answers; nothing where it is offline, or of something that is no request.
    pub(super) fn answer(
        &mut self,
        device: usize,
        pdu: &[u8],
        at_ns: u64,
        log: &mut Log,
    ) -> Result<Option<Response>, Stop> {
        let mut spans = self.offline.get(device).into_iter().flatten();
        let down = spans.any(|span| span.lasts(at_ns));
        for bit in &mut self.bits {
            while let Some((_, level)) = bit.coming.pop_front_if(|(due_ns, _)| *due_ns <= at_ns) {
                bit.level = level;
            }
        }
        let mut at = At {
            remote: self,
            device,
            at_ns,
            told: Told::default(),
        };
        let answer = server::serve(pdu, &mut at);
        let told = at.told;
        let asked = self.names.get(device).map(String::as_str);
        for (place, raw, fault) in told.reads {
            let name = self.registers.get(place).map_or("", Course::name);
            let line = PointLine {
                device: asked,
                raw: raw.filter(|_| !down),
                fault: if down { Some(OFFLINE) } else { fault },
                ..PointLine::new(at_ns, PointEvent::Read, name)
            };
            log.write(&line)?;
        }
        if down {
            let line = PointLine {
                device: asked,
                fault: Some(OFFLINE),
                ..PointLine::new(at_ns, PointEvent::Silent, asked.unwrap_or_default())
            };
            log.write(&line)?;
            return Ok(None);
        }
        for (place, level) in told.bits {
            let Some(bit) = self.bits.get_mut(place) else {
                continue;
            };
            if bit.shown.replace(level) != Some(level) {
                let line = PointLine {
                    device: asked,
                    rising: Some(level),
                    ..PointLine::new(at_ns, PointEvent::Shown, &bit.name)
                };
                log.write(&line)?;
            }
        }
        Ok(answer)
    }
}

/// The fault of a whole device.
pub(crate) const OFFLINE: &str = "offline";

/// A device at the instant of a request.
struct At<'a> {
    remote: &'a mut Remote,
    device: usize,
    at_ns: u64,
    told: Told,
}

impl Bank for At<'_> {
    fn read_bits(
        &mut self,
        table: BitTable,
        first: u16,
        count: u16,
    ) -> Result<Vec<bool>, ExceptionCode> {
        let addresses = (0..count).map(|place| first.checked_add(place));
        let bits = addresses.map(|address| {
            let of = |bit: &Bit| {
                let place = bit.place;
                (place.device, place.table, Some(place.address)) == (self.device, table, address)
            };
            let found = self.remote.bits.iter().position(of);
            let level = found.and_then(|place| self.remote.bits.get(place));
            let level = level.is_some_and(|bit| bit.level);
            self.told.bits.extend(found.map(|place| (place, level)));
            level
        });
        // A device has more bits than those that are wired.
        Ok(bits.collect())
    }

    fn read_registers(
        &mut self,
        table: RegisterTable,
        first: u16,
        count: u16,
    ) -> Result<Vec<u16>, ExceptionCode> {
        let mut values = Vec::new();
        for place in 0..count {
            let address = first.checked_add(place);
            let of = |course: &Course| {
                let place = course.place();
                (place.device, place.table, Some(place.address)) == (self.device, table, address)
            };
            let found = self.remote.registers.iter().position(of);
            let Some((place, course)) =
                found.zip(found.and_then(|at| self.remote.registers.get_mut(at)))
            else {
                return Err(ExceptionCode::IllegalDataAddress);
            };
            let (raw, fault) = course.at(self.at_ns);
            self.told.reads.push((place, raw.ok(), fault));
            let [.., high, low] = raw?.to_be_bytes();
            values.push(u16::from_be_bytes([high, low]));
        }
        Ok(values)
    }
}
