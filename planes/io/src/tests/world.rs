//! A host, a recorder that leases numbers, and a wire with scripted meters. Every reply carries values
//! that no other reply has, so that a reading can be traced to the request it answers.

use super::site::{Site, meter_id, port_id, schedule_id};
use crate::{Action, Actions, Batch, Input, Mark, PortEngine, SlotClock, Stream};
use evidence::kinds::{AttemptFailed, Downtime, Event, Marker, Payload, Reading};
use evidence::{CommitId, MonoNs, Seq};
use modbus::pdu::{ExceptionCode, Registers, Request, Response};
use modbus::rtu::{self, Timing};
use modbus::tcp;
use std::boxed::Box;
use std::collections::BTreeMap;
use std::vec::Vec;

pub(super) const MS: u64 = 1_000_000;
pub(super) const S: u64 = 1_000 * MS;
/// The first slot is due here: after the quiet time of a serial port that was just opened.
pub(super) const ANCHOR: MonoNs = MonoNs(2 * S);
pub(super) const FIRST_SLOT: u64 = 1_000;
pub(super) const FIRST_SEQ: u64 = 70;

/// A request as the wire saw it.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// Its place among all requests.
    pub(super) index: usize,
    pub(super) at: MonoNs,
    pub(super) unit: u8,
    pub(super) request: Request,
    pub(super) mark: Mark,
    /// What the wire did with it: bytes, each with the delay after the request began.
    pub(super) said: Vec<(u64, Vec<u8>)>,
    transaction: Option<u16>,
    transfer_ns: u64,
}

impl Sent {
    pub(super) fn place(&self) -> usize {
        usize::from(self.unit) - 1
    }

    /// The true answer: even registers carry the request's place, odd ones unit and address.
    pub(super) fn answer(&self) -> Vec<u8> {
        let tag = u16::try_from(self.index + 1).unwrap();
        self.frame(&answer_pdu(
            tag,
            self.unit,
            self.request.first(),
            self.request.count(),
        ))
    }

    pub(super) fn frame(&self, pdu: &[u8]) -> Vec<u8> {
        self.frame_of(self.unit, pdu)
    }

    pub(super) fn frame_of(&self, unit: u8, pdu: &[u8]) -> Vec<u8> {
        match self.transaction {
            Some(transaction) => tcp::encode(transaction, unit, pdu).unwrap(),
            None => rtu::encode(unit, pdu),
        }
    }

    pub(super) fn exception(&self, code: u8) -> Vec<u8> {
        let response = Response::Exception {
            function: self.request.function().code(),
            code: ExceptionCode::from_code(code),
        };
        self.frame(&response.encode())
    }

    /// When a reply of this length that is sent at once has been received.
    pub(super) fn soonest_ns(&self, reply: &[u8]) -> u64 {
        let per_byte = self.transfer_ns / 8;
        self.transfer_ns + per_byte * reply.len() as u64
    }
}

pub(super) fn answer_pdu(tag: u16, unit: u8, first: u16, count: u16) -> Vec<u8> {
    let register = |address: u16| match address % 2 {
        0 => tag,
        _ => (u16::from(unit) << 8) | (address / 2),
    };
    let values: Vec<u16> = (first..first + count).map(register).collect();
    Response::ReadHoldingRegisters(Registers::from_values(&values).unwrap()).encode()
}

/// What the wire does with a request: bytes, each with the delay after the request began.
pub(super) type Script = Box<dyn FnMut(&Sent) -> Vec<(u64, Vec<u8>)>>;

/// Every meter answers, as fast as the line allows.
pub(super) fn all_well() -> Script {
    Box::new(|sent| {
        let reply = sent.answer();
        std::vec![(sent.soonest_ns(&reply), reply)]
    })
}

/// A committed record, in the order it was handed over.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) stream: Stream,
    pub(super) seq: Option<Seq>,
    pub(super) batch: usize,
    pub(super) payload: Payload,
}

/// The simulated world around one engine.
pub(super) struct World {
    pub(super) engine: PortEngine,
    pub(super) now: MonoNs,
    pub(super) lines: Vec<Line>,
    pub(super) sent: Vec<Sent>,
    pub(super) marks: Vec<Mark>,
    pub(super) stopped: bool,
    pub(super) connects: usize,
    /// How long the recorder takes to grant a block.
    pub(super) lease_ns: u64,
    pub(super) lease_block: u64,
    /// Outcomes of the next attempts to open; afterwards it opens.
    pub(super) refusals: usize,
    serial: bool,
    turnaround_ms: u64,
    script: Script,
    agenda: BTreeMap<(MonoNs, u64), Input>,
    order: u64,
    wake: Option<MonoNs>,
    leased: BTreeMap<Stream, u64>,
    batches: usize,
    /// When replies begin and end on a stream.
    streamed: Vec<(MonoNs, MonoNs)>,
    timing: Timing,
    heard: Option<MonoNs>,
    full: bool,
    stopping: bool,
}

impl World {
    pub(super) fn new(site: &Site, script: Script) -> Self {
        let engine = PortEngine::new(&site.contract(), &port_id(), CommitId(1)).unwrap();
        let mut world = Self {
            engine,
            now: MonoNs(0),
            lines: Vec::new(),
            sent: Vec::new(),
            marks: Vec::new(),
            stopped: false,
            connects: 0,
            lease_ns: MS,
            lease_block: 32,
            refusals: 0,
            serial: site.serial,
            turnaround_ms: site.turnaround_ms,
            script,
            agenda: BTreeMap::new(),
            order: 0,
            wake: None,
            leased: BTreeMap::new(),
            batches: 0,
            streamed: Vec::new(),
            timing: Timing::from_baud(site.baud),
            heard: None,
            full: false,
            stopping: false,
        };
        let clock = SlotClock {
            version: 1,
            number_at_anchor: FIRST_SLOT,
            anchor: ANCHOR,
            every_ns: site.every_ms * MS,
        };
        let schedule = schedule_id();
        world.at(MonoNs(0), Input::Schedule { schedule, clock });
        world
    }

    /// Lets something happen at a time.
    pub(super) fn at(&mut self, at: MonoNs, input: Input) {
        self.order += 1;
        self.agenda.insert((at, self.order), input);
    }

    /// Lets time pass.
    pub(super) fn run_until(&mut self, end: MonoNs) {
        let mut steps = 0_u64;
        loop {
            let next = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let at = match (next, self.wake) {
                (Some(next), Some(wake)) => next.min(wake),
                (next, wake) => match next.or(wake) {
                    Some(at) => at,
                    None => break,
                },
            };
            if at > end || self.stopped {
                break;
            }
            steps = if at > self.now { 0 } else { steps + 1 };
            assert!(steps < 5_000, "the engine spins at {:?}", self.now);
            self.now = self.now.max(at);
            let input = if next == Some(at) {
                self.agenda.pop_first().unwrap().1
            } else {
                Input::Tick
            };
            match &input {
                Input::Received(_) => self.heard = Some(self.now),
                // Once stopped, all that is owed is said, full or not.
                Input::QueueFull(full) => self.full = *full && !self.stopping,
                Input::Stop => (self.stopping, self.full) = (true, false),
                _ => {}
            }
            let actions = self.engine.handle(self.now, input);
            self.perform(actions);
        }
        self.now = self.now.max(end);
    }

    /// Stops the node, and lets it finish.
    pub(super) fn stop(&mut self) {
        let at = self.now;
        self.at(at, Input::Stop);
        self.run_until(at.plus_ns(10 * S));
        assert!(self.stopped, "the engine does not stop");
    }

    fn perform(&mut self, actions: Actions) {
        self.wake = None;
        for action in actions {
            assert!(!self.stopped, "{action:?} after the stop");
            match action {
                Action::Connect => self.connect(),
                Action::Disconnect => {
                    self.agenda
                        .retain(|_, input| !matches!(input, Input::Received(_)));
                }
                Action::Mark(mark) => self.marks.push(mark),
                Action::Transmit(bytes) => self.transmit(&bytes),
                Action::Speed(_) => panic!("Modbus turns no port to another speed"),
                Action::Emit(batch) => self.keep(batch),
                Action::NeedLease { stream } => self.grant(stream),
                Action::NeedMissed { meter } => panic!("{meter} has no memory"),
                Action::WakeAt(at) => self.wake = Some(at),
                Action::Stopped => self.stopped = true,
            }
        }
    }

    fn connect(&mut self) {
        self.connects += 1;
        let input = if self.refusals > 0 {
            self.refusals -= 1;
            Input::LinkRefused {
                detail: std::string::String::from("nobody there"),
            }
        } else {
            Input::LinkUp {
                left_out: Vec::new(),
            }
        };
        self.at(self.now.plus_ns(MS), input);
    }

    fn grant(&mut self, stream: Stream) {
        let next = *self.leased.get(&stream).unwrap_or(&FIRST_SEQ);
        let end = next + self.lease_block;
        self.leased.insert(stream.clone(), end);
        let lease = Input::Lease {
            stream,
            next: Seq(next),
            end: Seq(end),
        };
        self.at(self.now.plus_ns(self.lease_ns), lease);
    }

    fn transmit(&mut self, bytes: &[u8]) {
        let (unit, pdu, transaction) = if self.serial {
            let silence_ns = self.timing.t35_ns + self.turnaround_ms * MS;
            let silent = self
                .heard
                .is_none_or(|heard| self.now.since(heard) >= silence_ns);
            assert!(
                silent,
                "a request at {:?} without the silence before it",
                self.now
            );
            let frame = rtu::decode(bytes).unwrap();
            (frame.unit, frame.pdu.to_vec(), None)
        } else {
            let frame = tcp::Decoder::new().feed(&mut &bytes[..]).unwrap().unwrap();
            (frame.unit, frame.pdu, Some(frame.transaction))
        };
        let mut sent = Sent {
            index: self.sent.len(),
            at: self.now,
            unit,
            request: Request::decode(&pdu).unwrap(),
            mark: self
                .marks
                .last()
                .cloned()
                .expect("the board is written before a request"),
            said: Vec::new(),
            transaction,
            transfer_ns: if self.serial {
                self.timing.transfer_ns(8)
            } else {
                0
            },
        };
        assert_eq!(sent.mark.attempt_at, self.now);
        assert_eq!(sent.mark.meter, meter_id(sent.place()));
        sent.said = (self.script)(&sent);
        if !self.serial {
            self.queue(&mut sent.said);
        }
        for (delay_ns, bytes) in sent.said.clone() {
            self.at(self.now.plus_ns(delay_ns), Input::Received(bytes));
        }
        self.sent.push(sent);
    }

    /// A stream carries one reply after the other: what would come inside another comes behind it.
    fn queue(&mut self, said: &mut [(u64, Vec<u8>)]) {
        let at = |delay_ns: u64| self.now.plus_ns(delay_ns);
        let (Some(first), Some(last)) = (said.iter().next(), said.last()) else {
            return;
        };
        let (mut first, mut last) = (at(first.0), at(last.0));
        let begun = first;
        while let Some((_, end)) = self
            .streamed
            .iter()
            .find(|(from, until)| first <= *until && last >= *from)
        {
            let behind_ns = end.plus_ns(1).since(first);
            (first, last) = (first.plus_ns(behind_ns), last.plus_ns(behind_ns));
        }
        self.streamed.push((first, last));
        for (delay_ns, _) in said {
            *delay_ns += first.since(begun);
        }
    }

    fn keep(&mut self, batch: Batch) {
        self.batches += 1;
        if self.full {
            let asked = |mark: &Mark| {
                batch.stream == Stream::Meter(mark.meter.clone()) && batch.seq == Some(mark.seq)
            };
            let under_way = self.marks.iter().any(asked);
            assert!(under_way, "{batch:?} while the queue is full");
        }
        for record in batch.records {
            self.lines.push(Line {
                stream: batch.stream.clone(),
                seq: batch.seq,
                batch: self.batches,
                payload: record.payload().unwrap(),
            });
        }
    }

    pub(super) fn readings(&self) -> Vec<&Reading> {
        let reading = |line| match line {
            &Line {
                payload: Payload::Reading(ref reading),
                ..
            } => Some(reading),
            _ => None,
        };
        self.lines.iter().filter_map(reading).collect()
    }

    pub(super) fn failures(&self) -> Vec<&AttemptFailed> {
        let failed = |line| match line {
            &Line {
                payload: Payload::AttemptFailed(ref failed),
                ..
            } => Some(failed),
            _ => None,
        };
        self.lines.iter().filter_map(failed).collect()
    }

    pub(super) fn events(&self) -> Vec<&Event> {
        let event = |line| match line {
            &Line {
                payload: Payload::Event(ref event),
                ..
            } => Some(event),
            _ => None,
        };
        self.lines.iter().filter_map(event).collect()
    }

    pub(super) fn downtimes(&self) -> Vec<&Downtime> {
        let downtime = |line| match line {
            &Line {
                payload: Payload::Downtime(ref downtime),
                ..
            } => Some(downtime),
            _ => None,
        };
        self.lines.iter().filter_map(downtime).collect()
    }

    pub(super) fn markers(&self) -> Vec<&Marker> {
        let marker = |line| match line {
            &Line {
                payload: Payload::Marker(ref marker),
                ..
            } => Some(marker),
            _ => None,
        };
        self.lines.iter().filter_map(marker).collect()
    }

    /// A counter by name and label.
    pub(super) fn counter(&self, name: &str, label: &str) -> u64 {
        let counters = self.engine.counters();
        let fits = |counter: &&evidence::kinds::Counter| {
            counter.name == name && counter.label.as_deref() == Some(label)
        };
        counters
            .iter()
            .find(fits)
            .and_then(|counter| counter.value)
            .unwrap_or(0)
    }
}
