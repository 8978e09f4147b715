//! Remote I/O over Modbus as a card: coils and discrete inputs are its lines, registers its channels.
//!
//! Such a device never speaks by itself. A change of a bit has the instant before the request that showed it: it
//! happened since the look before. What is over between two looks is not seen, and no number tells of it.

mod master;
mod turns;

pub use master::Wires;

use crate::fault::Fault;
use crate::limits::REMOTE_REST_NS;
use crate::{Source, Wanted, WantedOutput};
use contract::{Card, Port, RegisterChannel, Remote as Place, Table, ValueType, bit_of};
use evidence::{Decimal, MonoNs};
use io_plane::Unanswered;
use io_plane::outputs::Drive;
use io_plane::points::{Edge, Level};
use master::{Shared, Written};
use modbus::limits::READ_BITS_MAX;
use modbus::pdu::{BitSpan, RegisterSpan, RegisterWrite, Registers, Request, Response};
use rustix::fd::BorrowedFd;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use turns::Urgency;

/// What a remote card is behind.
#[derive(Clone, Copy, Debug)]
pub struct Behind<'a> {
    /// Its port.
    pub port: &'a Port,
    /// The wires that cards share.
    pub wires: &'a Wires,
}

/// A remote card.
#[derive(Debug)]
pub(crate) struct Remote {
    place: PathBuf,
    master: Shared,
    unit: u8,
    poll_ns: u64,
    next: MonoNs,
    /// Reads of its bits, and the line of the first bit of each.
    reads: Vec<(Request, u32)>,
    levels: BTreeMap<u32, bool>,
    seqnos: BTreeMap<u32, u32>,
    due: Vec<Edge>,
    /// Registers that were not answered: until when nobody waits for each of them again, and why.
    rests: BTreeMap<String, (MonoNs, String)>,
    /// The same of all, where two in a row were not, or the device was not reached.
    silent: Option<(MonoNs, String)>,
    /// The newest read of a register was not answered.
    unanswered: bool,
}

impl Remote {
    pub(crate) fn open(
        card: &Card,
        place: &Place,
        behind: Behind<'_>,
        wanted: &[Wanted],
        outputs: &[WantedOutput],
        now: MonoNs,
    ) -> Result<Self, Fault> {
        let path = PathBuf::from(card.place());
        let master = behind.wires.of(behind.port).ok_or_else(|| Fault::Other {
            path: path.clone(),
            what: "the port does not speak Modbus".to_owned(),
        })?;
        let lines = wanted.iter().map(|one| one.line);
        let lines: BTreeSet<u32> = lines.chain(outputs.iter().map(|one| one.line)).collect();
        let mut remote = Self {
            place: path,
            master,
            unit: place.unit,
            poll_ns: place.poll_ms.saturating_mul(1_000_000),
            next: now,
            reads: reads(&lines),
            levels: BTreeMap::new(),
            seqnos: BTreeMap::new(),
            due: Vec::new(),
            rests: BTreeMap::new(),
            silent: None,
            unanswered: false,
        };
        // A card that does not answer is not driven: it is tried again and again, and no entry would tell of it.
        remote.look(now, Urgency::Poll)?;
        remote.go_safe(outputs)?;
        // Where its lines stand behind that, whatever was written; the first change from then on has number 1.
        remote.look(now, Urgency::Poll)?;
        remote.master.written(remote.unit, Written::clear);
        remote.due.clear();
        remote.seqnos.clear();
        Ok(remote)
    }

    /// Writes outputs to their safe level. What an opening before wrote, and stands as it was written, is not written
    /// again: a device that fails behind that is not switched at each of the tries.
    fn go_safe(&self, outputs: &[WantedOutput]) -> Result<(), Fault> {
        for output in outputs.iter().filter(|output| !output.keep) {
            let (line, high) = (output.line, output.high);
            let stands = self.levels.get(&line) == Some(&high);
            // Before it leaves: what nobody answers may have been carried out.
            let fresh = self
                .master
                .written(self.unit, |all| all.insert((line, high)));
            if fresh || !stands {
                self.write_bit(line, high)?;
            }
        }
        Ok(())
    }

    fn fault(&self, what: impl ToString) -> Fault {
        Fault::Other {
            path: self.place.clone(),
            what: what.to_string(),
        }
    }

    fn read(&self, request: &Request, urgency: Urgency) -> Result<Response, Fault> {
        self.master
            .read(self.unit, request, urgency)
            .map_err(|why| self.fault(why))
    }

    fn write(&self, request: &Request) -> Result<(), Fault> {
        let written = self.master.write(self.unit, request);
        written.map(drop).map_err(|why| match why {
            Unanswered::Refused(_) | Unanswered::NotAsked(_) => self.fault(why),
            Unanswered::Unknown(why) => self.fault(format!("{why}; it may have been carried out")),
        })
    }

    /// Reads all bits; changes become edges.
    fn look(&mut self, now: MonoNs, urgency: Urgency) -> Result<(), Fault> {
        self.next = now.plus_ns(self.poll_ns);
        for at in 0..self.reads.len() {
            let Some((request, first)) = self.reads.get(at) else {
                continue;
            };
            let (first, count) = (*first, u32::from(request.count()));
            let states: Vec<bool> = match self.read(request, urgency)? {
                Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => {
                    bits.states().collect()
                }
                other => return Err(self.fault(format!("{other:?} answers no read of bits"))),
            };
            for (line, high) in (first..first.saturating_add(count)).zip(states) {
                let before = self.levels.insert(line, high);
                if before == Some(high) {
                    continue;
                }
                let seqno = self.seqnos.entry(line).or_default();
                *seqno = seqno.wrapping_add(1);
                self.due.push(Edge {
                    at: now,
                    line,
                    rising: high,
                    line_seqno: *seqno,
                });
            }
        }
        Ok(())
    }

    fn write_bit(&self, line: u32, high: bool) -> Result<(), Fault> {
        let Some((Table::Coil, address)) = bit_of(line) else {
            return Err(self.fault(format!("line {line} is no coil")));
        };
        self.write(&Request::WriteSingleCoil { address, on: high })
    }

    fn write_number(&self, channel: &str, raw: i64) -> Result<(), Fault> {
        let register = RegisterChannel::of(channel).map_err(|why| self.fault(why))?;
        let (min, max) = register.span();
        if register.table != Table::Holding || !(min..=max).contains(&raw) {
            return Err(self.fault(format!("{channel} takes no {raw}")));
        }
        let [.., a, b, c, d] = raw.to_be_bytes();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let address = register.address;
        self.write(&match register.value.width() {
            1 => Request::WriteSingleRegister {
                address,
                value: low,
            },
            _ => Registers::from_values(&[high, low])
                .and_then(|both| RegisterWrite::new(address, both))
                .map(Request::WriteMultipleRegisters)
                .map_err(|why| self.fault(why))?,
        })
    }

    fn rest_until(&self) -> MonoNs {
        self.master.now().plus_ns(REMOTE_REST_NS)
    }

    fn number(&mut self, channel: &str) -> Result<Decimal, Fault> {
        let register = RegisterChannel::of(channel).map_err(|why| self.fault(why))?;
        let span = RegisterSpan::new(register.address, register.value.width());
        let span = span.map_err(|why| self.fault(why))?;
        let request = match register.table {
            Table::Input => Request::ReadInputRegisters(span),
            _ => Request::ReadHoldingRegisters(span),
        };
        let before = std::mem::take(&mut self.unanswered);
        let response = match self.master.read(self.unit, &request, Urgency::Poll) {
            Ok(response) => response,
            Err(Unanswered::Refused(why)) => return Err(self.fault(why)),
            // Whichever register is asked for, it is the device that is not reached.
            Err(Unanswered::NotAsked(why)) => {
                self.silent = Some((self.rest_until(), why.clone()));
                return Err(self.fault(why));
            }
            Err(Unanswered::Unknown(why)) => {
                let rest = (self.rest_until(), why.clone());
                self.silent = before.then(|| rest.clone());
                self.rests.insert(channel.to_owned(), rest);
                self.unanswered = true;
                return Err(self.fault(why));
            }
        };
        let values: Vec<u16> = response
            .registers()
            .map(|registers| registers.values().collect())
            .unwrap_or_default();
        let number = number_of(&values, register.value);
        let number = number.ok_or_else(|| self.fault("the answer has no such registers"))?;
        Decimal::new(i128::from(number), 0).map_err(|why| self.fault(why))
    }
}

impl Source for Remote {
    fn levels(&mut self) -> Result<Vec<Level>, Fault> {
        let levels = self.levels.iter();
        Ok(levels
            .map(|(line, high)| Level {
                line: *line,
                high: *high,
            })
            .collect())
    }

    fn edges(&mut self, now: MonoNs) -> Result<Vec<Edge>, Fault> {
        if !self.reads.is_empty() && now >= self.next {
            self.look(now, Urgency::Poll)?;
        }
        Ok(std::mem::take(&mut self.due))
    }

    fn sample(&mut self, channel: &str, now: MonoNs) -> Result<Decimal, Fault> {
        let rests = self.rests.get(channel).into_iter().chain(&self.silent);
        match rests.clone().find(|(until, _)| now < *until) {
            Some((_, why)) => Err(self.fault(why)),
            None => self.number(channel),
        }
    }

    fn text(&mut self, channel: &str, _now: MonoNs) -> Result<String, Fault> {
        Err(self.fault(format!("{channel} is no text")))
    }

    fn drive(&mut self, to: &Drive, now: MonoNs) -> Result<(), Fault> {
        match to {
            Drive::Line { line, high } => {
                // What changed before is not what follows from it.
                self.look(self.master.now(), Urgency::Command)?;
                let written = self.write_bit(*line, *high);
                self.next = now;
                written
            }
            Drive::Channel { channel, raw } => self.write_number(channel, *raw),
        }
    }

    fn watched(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn next_at(&self, _now: MonoNs) -> Option<MonoNs> {
        (!self.reads.is_empty()).then_some(self.next)
    }
}

/// Reads of these lines and of no others, each with its first line: a device may refuse what it does not have.
fn reads(lines: &BTreeSet<u32>) -> Vec<(Request, u32)> {
    let mut runs: Vec<(u32, u16)> = Vec::new();
    for line in lines {
        match runs.last_mut() {
            Some((first, count))
                if *first + u32::from(*count) == *line && *count < READ_BITS_MAX =>
            {
                *count += 1;
            }
            _ => runs.push((*line, 1)),
        }
    }
    let request = |(first, count): (u32, u16)| {
        let (table, address) = bit_of(first)?;
        let span = BitSpan::new(address, count).ok()?;
        let request = match table {
            Table::Coil => Request::ReadCoils(span),
            _ => Request::ReadDiscreteInputs(span),
        };
        Some((request, first))
    };
    runs.into_iter().filter_map(request).collect()
}

/// The number that registers hold, the high word first.
fn number_of(registers: &[u16], value: ValueType) -> Option<i64> {
    let wide = |high: u16, low: u16| (u32::from(high) << 16) | u32::from(low);
    Some(match (value, registers) {
        (ValueType::U16, [one]) => i64::from(*one),
        (ValueType::I16, [one]) => i64::from(one.cast_signed()),
        (ValueType::U32, [high, low]) => i64::from(wide(*high, *low)),
        (ValueType::I32, [high, low]) => i64::from(wide(*high, *low).cast_signed()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
