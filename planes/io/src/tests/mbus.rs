//! The engine on a simulated M-Bus: slaves of protocols/mbus on a line with exact bit times.

mod clocks;
mod model;
mod overload;
mod readouts;
mod recalls;

use super::world::{ANCHOR, FIRST_SEQ, FIRST_SLOT, MS};
use crate::{Action, Actions, Input, Mark, MissedSlot, PortEngine, SlotClock, Stream};
use contract::{Contract, parse};
use evidence::kinds::{AttemptFailed, Event, MeterReport, Opaque, Payload, Reading};
use evidence::{CommitId, MonoNs, ScheduleId, Seq, SourceId};
use mbus::application::{Manufacturer, SecondaryAddress};
use mbus::link::{Control, Frame, encode};
use mbus::master::Pattern;
use mbus::master::timing::Timing;
use mbus::slave::{Bus, Slave, Spoken, overlay};
use std::boxed::Box;
use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

pub(super) const BAUD: u32 = 2_400;

/// A meter of this place: primary address one more, its number eight times that digit.
pub(super) fn who(place: u8) -> SecondaryAddress {
    SecondaryAddress {
        id: [(place + 1) << 4 | (place + 1); 4],
        manufacturer: Manufacturer(0x32A7),
        version: 1,
        medium: 7,
    }
}

/// A telegram of a meter, with these records.
pub(super) fn telegram(primary: u8, of: &SecondaryAddress, status: u8, records: &[u8]) -> Vec<u8> {
    let mut payload = vec![0x72];
    payload.extend(Pattern::exact(of).bytes());
    payload.extend([0, status, 0, 0]);
    payload.extend(records);
    let frame = Frame::Long {
        control: Control::new(8),
        address: primary,
        payload: &payload,
    };
    encode(&frame).unwrap()
}

/// A volume of so many litres, and one of storage 1.
pub(super) fn volumes(litres: u8) -> Vec<u8> {
    vec![0x01, 0x13, litres, 0x41, 0x13, litres / 2]
}

pub(super) fn slave(place: u8) -> Slave {
    let frame = telegram(place + 1, &who(place), 0, &volumes(100 + place));
    let mut slave = Slave::new(vec![frame], BAUD).unwrap();
    slave.access_number = Some(1);
    slave
}

/// A contract with meters m0, m1 and so on, each with these lines beside its port, schedule and points.
pub(super) fn contract(port: &str, meters: &[String]) -> Contract {
    let mut text = format!(
        "[station]\norigin = \"a/b\"\n[[port]]\nid = \"bus\"\nkind = \"mbus\"\ndevice = \"/dev/x\"\n\
         latency = \"0ms\"\npower_up = \"0ms\"\n{port}\n[[schedule]]\nid = \"s\"\nevery = \"10s\"\n\
         [[profile]]\nid = \"p\"\n[[profile.point]]\nid = \"volume\"\nquantity = \"Volume\"\nunit = \"m^3\"\n\
         [[profile.point]]\nid = \"before\"\nrecord = 1\nstorage = 1\nscale = \"1000\"\nunit = \"l\"\n"
    );
    for (place, lines) in meters.iter().enumerate() {
        text += &format!(
            "[[meter]]\nid = \"m{place}\"\nport = \"bus\"\nschedule = \"s\"\nprofile = \"p\"\n{lines}\n"
        );
    }
    parse(&text).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// What the bus makes of a request: changes what is said in return.
pub(super) type Fault = Box<dyn FnMut(&[u8], Vec<Spoken>) -> Vec<Spoken>>;

/// A host and a recorder around the engine of an M-Bus.
pub(super) struct Line {
    pub(super) engine: PortEngine,
    pub(super) bus: Bus,
    pub(super) fault: Fault,
    pub(super) now: MonoNs,
    pub(super) records: Vec<(Stream, Option<Seq>, Payload)>,
    pub(super) sent: Vec<(MonoNs, Vec<u8>)>,
    pub(super) marks: Vec<Mark>,
    pub(super) speeds: Vec<u32>,
    pub(super) stopped: bool,
    /// A clock is set: what is sent is of no session, and has no mark.
    pub(super) tells: bool,
    /// What the recorder says is missing of any meter that remembers.
    pub(super) missing: Option<Vec<MissedSlot>>,
    pub(super) asked: usize,
    timing: Timing,
    agenda: BTreeMap<(MonoNs, u64), Input>,
    order: u64,
    wake: Option<MonoNs>,
    leased: BTreeMap<Stream, u64>,
}

impl Line {
    pub(super) fn new(contract: &Contract, slaves: Vec<Slave>) -> Self {
        let port: SourceId = "bus".parse().unwrap();
        let mut line = Self {
            engine: PortEngine::new(contract, &port, CommitId(1)).unwrap(),
            bus: Bus { slaves },
            fault: Box::new(|_, spoken| spoken),
            now: MonoNs(0),
            records: Vec::new(),
            sent: Vec::new(),
            marks: Vec::new(),
            speeds: Vec::new(),
            stopped: false,
            tells: false,
            missing: None,
            asked: 0,
            timing: Timing::new(BAUD),
            agenda: BTreeMap::new(),
            order: 0,
            wake: None,
            leased: BTreeMap::new(),
        };
        let schedule: ScheduleId = "s".parse().unwrap();
        let clock = SlotClock {
            version: 1,
            number_at_anchor: FIRST_SLOT,
            anchor: ANCHOR,
            every_ns: 10_000 * MS,
        };
        line.at(MonoNs(0), Input::Schedule { schedule, clock });
        line
    }

    pub(super) fn at(&mut self, at: MonoNs, input: Input) {
        self.order += 1;
        self.agenda.insert((at, self.order), input);
    }

    /// Lets so many slots pass, each to the end of its ten seconds.
    pub(super) fn slots(&mut self, count: u64) {
        let end = ANCHOR.plus_ns(count * 10_000 * MS - MS);
        self.run_until(end);
    }

    pub(super) fn run_until(&mut self, end: MonoNs) {
        let mut steps = 0_u64;
        loop {
            let next = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let Some(at) = next.into_iter().chain(self.wake).min() else {
                break;
            };
            if at > end || self.stopped {
                break;
            }
            steps = if at > self.now { 0 } else { steps + 1 };
            assert!(steps < 5_000, "the engine spins at {:?}", self.now);
            self.now = self.now.max(at);
            let input = match next == Some(at) {
                true => self.agenda.pop_first().unwrap().1,
                false => Input::Tick,
            };
            let actions = self.engine.handle(self.now, input);
            self.perform(actions);
        }
        self.now = self.now.max(end);
    }

    pub(super) fn stop(&mut self) {
        let at = self.now;
        self.at(at, Input::Stop);
        self.run_until(at.plus_ns(30_000 * MS));
        assert!(self.stopped, "the engine does not stop");
    }

    fn perform(&mut self, actions: Actions) {
        self.wake = None;
        for action in actions {
            match action {
                Action::Connect => {
                    let left_out = Vec::new();
                    self.at(self.now.plus_ns(MS), Input::LinkUp { left_out });
                }
                Action::Disconnect => {
                    self.agenda
                        .retain(|_, input| !matches!(input, Input::Received(_)));
                }
                Action::Mark(mark) => self.marks.push(mark),
                Action::Transmit(bytes) => self.transmit(&bytes),
                Action::Speed(baud) => {
                    self.timing = Timing::new(baud);
                    self.speeds.push(baud);
                }
                Action::Emit(batch) => {
                    for record in batch.records {
                        let payload = record.payload().unwrap();
                        self.records
                            .push((batch.stream.clone(), batch.seq, payload));
                    }
                }
                Action::NeedLease { stream } => {
                    let next = *self.leased.get(&stream).unwrap_or(&FIRST_SEQ);
                    self.leased.insert(stream.clone(), next + 32);
                    let (next, end) = (Seq(next), Seq(next + 32));
                    self.at(self.now.plus_ns(MS), Input::Lease { stream, next, end });
                }
                Action::NeedMissed { meter } => {
                    let slots = self.missing.clone().expect("no meter has a memory");
                    self.asked += 1;
                    let others = false;
                    let answer = Input::Missed {
                        meter,
                        slots,
                        others,
                    };
                    self.at(self.now.plus_ns(MS), answer);
                }
                Action::WakeAt(at) => self.wake = Some(at),
                Action::Stopped => self.stopped = true,
            }
        }
    }

    fn transmit(&mut self, bytes: &[u8]) {
        let mark = self.marks.last().expect("the board is written before");
        let marked = (mark.attempt_at, mark.reply_at) == (self.now, None);
        assert!(marked || self.tells);
        self.sent.push((self.now, bytes.to_vec()));
        let end = self.now.plus_ns(self.timing.transfer_ns(bytes.len()));
        let spoken = self.bus.receive(bytes, self.timing.baud());
        let spoken = (self.fault)(bytes, spoken);
        for character in overlay(&spoken) {
            let at = end.plus_ns(self.timing.bits_ns(character.after_bits));
            self.at(at, Input::Received(vec![character.byte]));
        }
    }

    pub(super) fn readings(&self, meter: &str) -> Vec<&Reading> {
        let reading = |record| match record {
            &(_, _, Payload::Reading(ref reading)) if reading.meter_id.as_str() == meter => {
                Some(reading)
            }
            _ => None,
        };
        self.records.iter().filter_map(reading).collect()
    }

    pub(super) fn carried(&self, meter: &str) -> Vec<&Opaque> {
        let carried = |record| match record {
            &(_, _, Payload::Opaque(ref opaque)) if opaque.meter_id.as_str() == meter => {
                Some(opaque)
            }
            _ => None,
        };
        self.records.iter().filter_map(carried).collect()
    }

    pub(super) fn failures(&self, meter: &str) -> Vec<&AttemptFailed> {
        let failed = |record| match record {
            &(_, _, Payload::AttemptFailed(ref failed)) if failed.meter_id.as_str() == meter => {
                Some(failed)
            }
            _ => None,
        };
        self.records.iter().filter_map(failed).collect()
    }

    pub(super) fn reports(&self, meter: &str) -> Vec<&MeterReport> {
        let report = |record| match record {
            &(_, _, Payload::MeterReport(ref report)) if report.meter_id.as_str() == meter => {
                Some(report)
            }
            _ => None,
        };
        self.records.iter().filter_map(report).collect()
    }

    pub(super) fn events(&self) -> Vec<&Event> {
        let event = |record| match record {
            &(_, _, Payload::Event(ref event)) => Some(event),
            _ => None,
        };
        self.records.iter().filter_map(event).collect()
    }

    pub(super) fn counter(&self, name: &str, label: &str) -> Option<u64> {
        let counters = self.engine.counters();
        let fits = |counter: &&evidence::kinds::Counter| {
            counter.name == name && counter.label.as_deref() == Some(label)
        };
        counters.iter().find(fits)?.value
    }
}

/// The meters by their primary addresses, 1 and up.
pub(super) fn by_primary(count: u8) -> Vec<String> {
    (1..=count)
        .map(|address| format!("primary = {address}"))
        .collect()
}
