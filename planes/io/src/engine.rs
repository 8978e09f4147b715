//! The engine of one port: one input in, the actions it calls for out.

mod account;
mod report;
mod traffic;

pub use report::{Cycle, MeterBudget};

use crate::action::{Action, Actions, Batch};
use crate::buckets::PortBucket;
use crate::events::{EventLog, News};
use crate::input::{Input, Stream};
use crate::late::LateBook;
use crate::link::Link;
use crate::plan::{Gaps, Plan};
use crate::session::{Flight, MeterState, Origin};
use crate::slots::{Schedule, SlotClock};
use crate::wire::Wire;
use alloc::vec::Vec;
use contract::{Contract, Port};
use core::fmt;
use evidence::reasons::EventCode;
use evidence::{Captured, CommitId, MeterId, MonoNs, PointId, ScheduleId, Seq, SourceId};

const MS_NS: u64 = 1_000_000;

/// Why there can be no engine for a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetupError {
    /// The contract has no such port.
    UnknownPort(SourceId),
    /// The port is an M-Bus, which is not driven yet.
    Mbus(SourceId),
    /// A meter names a schedule that the contract does not have.
    UnknownSchedule {
        /// The meter.
        meter: MeterId,
        /// The schedule.
        schedule: ScheduleId,
    },
    /// A meter without points has nothing to be read.
    NoPoints(MeterId),
    /// A point's registers run past the last address.
    PastLastAddress {
        /// The meter.
        meter: MeterId,
        /// The point.
        point: PointId,
    },
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPort(port) => write!(f, "the contract has no port {port}"),
            Self::Mbus(port) => write!(f, "port {port} is an M-Bus, which no node reads yet"),
            Self::UnknownSchedule { meter, schedule } => {
                write!(
                    f,
                    "meter {meter} names schedule {schedule}, which the contract does not have"
                )
            }
            Self::NoPoints(meter) => {
                write!(f, "meter {meter} has no points; give it one or remove it")
            }
            Self::PastLastAddress { meter, point } => write!(
                f,
                "point {point} of meter {meter} runs past address 65535; lower its address"
            ),
        }
    }
}

impl core::error::Error for SetupError {}

/// Whether the engine goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    /// Nothing new starts; until then it waits for numbers.
    Stopping {
        until: MonoNs,
    },
    Stopped,
}

/// The engine of one port.
#[derive(Debug)]
pub struct PortEngine {
    origin: Origin,
    /// The longest that a meter of this port may take to answer.
    timeout_ns_max: u64,
    late_reply_ns: u64,
    schedules: Vec<Schedule>,
    meters: Vec<MeterState>,
    wire: Wire,
    link: Link,
    flight: Option<Flight>,
    book: LateBook,
    next_token: u64,
    held_until: Option<MonoNs>,
    events: EventLog,
    bucket: PortBucket,
    queue_full: bool,
    phase: Phase,
    /// When counters become entries; `None` before the first input.
    counters_at: Option<MonoNs>,
    /// When a meter answered last, and how many sessions have ended since.
    answered_at: Option<MonoNs>,
    unanswered: u64,
    /// Whether it was said that nobody answers.
    bus_silent: bool,
    last: MonoNs,
    out: Vec<Action>,
}

impl PortEngine {
    /// The engine of a port of the contract; `configuration` is the entry that put it in force.
    ///
    /// # Errors
    /// The contract does not hold together for this port; a parsed contract does.
    pub fn new(
        contract: &Contract,
        port: &SourceId,
        configuration: CommitId,
    ) -> Result<Self, SetupError> {
        let found: &Port = contract
            .ports
            .get(port)
            .ok_or_else(|| SetupError::UnknownPort(port.clone()))?;
        let mut schedules: Vec<Schedule> = Vec::new();
        let mut meters = Vec::new();
        for meter in contract.meters.values().filter(|meter| meter.port == *port) {
            if !contract.schedules.contains_key(&meter.schedule) {
                return Err(SetupError::UnknownSchedule {
                    meter: meter.id.clone(),
                    schedule: meter.schedule.clone(),
                });
            }
            let known = schedules
                .iter()
                .position(|schedule| schedule.id == meter.schedule);
            let at = known.unwrap_or_else(|| {
                schedules.push(Schedule::new(meter.schedule.clone()));
                schedules.len() - 1
            });
            if let Some(schedule) = schedules.get_mut(at) {
                schedule.meters += 1;
            }
            meters.push(MeterState::new(meter.clone(), at, plan(meter)?, found));
        }
        Ok(Self {
            origin: Origin {
                port: port.clone(),
                contract: configuration,
            },
            timeout_ns_max: meters
                .iter()
                .map(|meter| meter.timeout_ns)
                .max()
                .unwrap_or(0),
            late_reply_ns: found.late_reply_ms.saturating_mul(MS_NS),
            schedules,
            meters,
            wire: Wire::new(&found.kind).ok_or_else(|| SetupError::Mbus(port.clone()))?,
            link: Link::new(),
            flight: None,
            book: LateBook::default(),
            next_token: 0,
            held_until: None,
            events: EventLog::default(),
            bucket: PortBucket::default(),
            queue_full: false,
            phase: Phase::Running,
            counters_at: None,
            answered_at: None,
            unanswered: 0,
            bus_silent: false,
            last: MonoNs(0),
            out: Vec::new(),
        })
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> &SourceId {
        &self.origin.port
    }

    /// The schedules that the host has to number.
    #[must_use]
    pub fn schedules(&self) -> Vec<ScheduleId> {
        self.schedules
            .iter()
            .map(|schedule| schedule.id.clone())
            .collect()
    }

    /// Takes one input, with the monotonic time at which it happened.
    pub fn handle(&mut self, now: MonoNs, input: Input) -> Actions {
        if self.phase == Phase::Stopped {
            return Actions::default();
        }
        let now = now.max(self.last);
        self.last = now;
        match input {
            Input::Tick => {}
            Input::Schedule { schedule, clock } => self.number(now, &schedule, clock),
            Input::Lease { stream, next, end } => self.grant(&stream, next, end),
            Input::LinkUp => self.link_up(now),
            Input::LinkRefused { detail } => {
                self.link.refused(now);
                self.report_loss(now, detail);
            }
            Input::LinkLost { detail } => self.link_lost(now, detail),
            Input::Received(bytes) => self.received(now, &bytes),
            Input::Uart(errors) => self.uart(errors),
            Input::QueueFull(full) => self.queue_full = full,
            Input::Stop => self.begin_stop(now),
        }
        self.advance(now);
        Actions(core::mem::take(&mut self.out))
    }

    /// Everything that time alone, or the input just taken, makes due.
    fn advance(&mut self, now: MonoNs) {
        self.poll_wire(now);
        self.expire(now);
        if self.phase == Phase::Running {
            self.fall_due(now);
        }
        self.space_returned(now);
        self.settle(now);
        if self.phase == Phase::Running && self.link.opens(now) {
            self.out.push(Action::Connect);
        }
        self.hold(now);
        self.serve(now);
        self.settle(now);
        self.ask_leases(now);
        self.tell_events(now);
        self.tell_counters(now);
        self.finish_stop(now);
        if self.phase != Phase::Stopped {
            self.wake();
        }
    }

    fn number(&mut self, now: MonoNs, id: &ScheduleId, clock: SlotClock) {
        let port = self.origin.port.clone();
        // What the numbering before still owes is accounted under it.
        if self.phase == Phase::Running {
            self.fall_due(now);
        }
        let Some(schedule) = self
            .schedules
            .iter_mut()
            .find(|schedule| schedule.id == *id)
        else {
            return;
        };
        let markers = schedule.number(now, clock, &port);
        self.emit_unnumbered(markers);
    }

    fn grant(&mut self, stream: &Stream, next: Seq, end: Seq) {
        match stream {
            Stream::Port => self.events.lease.grant(next, end),
            Stream::Meter(id) => {
                if let Some(meter) = self.meters.iter_mut().find(|meter| meter.meter.id == *id) {
                    meter.lease.grant(next, end);
                }
            }
        }
    }

    fn link_up(&mut self, now: MonoNs) {
        self.link.up();
        let quiet_ns = self.timeout_ns_max.saturating_add(self.late_reply_ns);
        self.wire.opened(now.plus_ns(quiet_ns));
        if !self.wire.is_serial() {
            self.book = LateBook::default();
        }
        self.events.note(now, News::new(EventCode::PortOpened));
    }

    fn emit(&mut self, batch: Batch) {
        self.out.push(Action::Emit(batch));
    }

    fn emit_unnumbered(&mut self, records: Vec<Captured>) {
        if !records.is_empty() {
            self.emit(Batch {
                stream: Stream::Port,
                seq: None,
                records,
            });
        }
    }

    /// The next time at which something is due by itself.
    fn wake(&mut self) {
        let mut times: Vec<Option<MonoNs>> = Vec::new();
        if let Phase::Stopping { until } = self.phase {
            times.push(Some(until));
        } else {
            times.extend(self.schedules.iter().map(Schedule::next_due));
            times.push(self.link.retry_at());
            times.push(self.counters_at.filter(|_| !self.queue_full));
        }
        if let Some(flight) = &self.flight {
            let hard = self
                .wire
                .silence_at()
                .map_or(flight.deadline, |_| flight.deadline_hard);
            times.push(Some(hard.max(flight.deadline)));
        }
        times.push(self.wire.silence_at());
        times.push(self.events.next_close());
        if self.flight.is_none() && self.link.is_up() {
            times.push(self.held_until);
            let full = !self.book.has_room(self.last);
            times.push(self.book.next_expiry(self.last).filter(|_| full));
            let free_at = self.wire.free_at().filter(|free_at| *free_at > self.last);
            times.push(free_at.filter(|_| self.any_waits()));
        }
        let leases = self.meters.iter().map(|meter| meter.lease.retry_at());
        times.extend(leases);
        times.push(self.events.lease.retry_at());
        if self.can_settle() {
            times.push(Some(self.last));
        }
        if let Some(at) = times.into_iter().flatten().min() {
            self.out.push(Action::WakeAt(at));
        }
    }
}

/// The plan of a meter whose points all lie within the address space.
fn plan(meter: &contract::Meter) -> Result<Plan, SetupError> {
    let past = |point: &&contract::Point| {
        let end = |one: &contract::Register| u32::from(one.address) + u32::from(one.value.width());
        point.register().map(end) > Some(modbus::limits::ADDRESSES)
    };
    let [first, ..] = meter.points.as_slice() else {
        return Err(SetupError::NoPoints(meter.id.clone()));
    };
    Plan::new(&meter.points, Gaps::Bridged).map_err(|_| SetupError::PastLastAddress {
        meter: meter.id.clone(),
        point: meter.points.iter().find(past).unwrap_or(first).id.clone(),
    })
}
