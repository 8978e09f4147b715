//! The engine of one port: one input in, the actions it calls for out.

mod report;

pub use report::{Cycle, MeterBudget};

use crate::action::{Action, Actions};
use crate::books::{Books, Phase};
use crate::bus::Bus;
use crate::input::Input;
use crate::session::{MeterState, Origin};
use alloc::vec::Vec;
use contract::{Contract, Port};
use core::fmt;
use evidence::{CommitId, MeterId, MonoNs, PointId, ScheduleId, SourceId};

/// Why there can be no engine for a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetupError {
    /// The contract has no such port.
    UnknownPort(SourceId),
    /// A meter has no address that its port knows.
    NoAddress(MeterId),
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
            Self::NoAddress(meter) => {
                write!(
                    f,
                    "meter {meter} has no address that its port knows; give it one"
                )
            }
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

/// The engine of one port.
#[derive(Debug)]
pub struct PortEngine {
    books: Books,
    bus: Bus,
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
        let mut books = Books::new(Origin {
            port: port.clone(),
            contract: configuration,
        });
        for meter in contract.meters.values().filter(|meter| meter.port == *port) {
            if !contract.schedules.contains_key(&meter.schedule) {
                return Err(SetupError::UnknownSchedule {
                    meter: meter.id.clone(),
                    schedule: meter.schedule.clone(),
                });
            }
            if meter.points.is_empty() {
                return Err(SetupError::NoPoints(meter.id.clone()));
            }
            let schedule = books.follow(&meter.schedule);
            let state = MeterState::new(meter.clone(), schedule, found);
            books.meters.push(state);
        }
        let bus = Bus::new(found, &mut books)?;
        Ok(Self { books, bus })
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> &SourceId {
        &self.books.origin.port
    }

    /// The schedules that the host has to number.
    #[must_use]
    pub fn schedules(&self) -> Vec<ScheduleId> {
        self.books
            .schedules
            .iter()
            .map(|schedule| schedule.id.clone())
            .collect()
    }

    /// Takes one input, with the monotonic time at which it happened.
    pub fn handle(&mut self, now: MonoNs, input: Input) -> Actions {
        let books = &mut self.books;
        if books.phase == Phase::Stopped {
            return Actions::default();
        }
        let now = now.max(books.last);
        books.last = now;
        match input {
            Input::Tick => {}
            Input::Schedule { schedule, clock } => books.number(now, &schedule, clock),
            Input::Lease { stream, next, end } => books.grant(&stream, next, end),
            Input::LinkUp { left_out } => {
                books.opened(now, &left_out);
                self.bus.opened(now);
            }
            Input::LinkRefused { detail } => {
                books.link.refused(now);
                books.report_loss(now, detail);
            }
            Input::LinkLost { detail } => {
                if books.link.is_up() {
                    books.link.lost(now);
                    books.report_loss(now, detail);
                    self.bus.lost(books, now);
                }
            }
            Input::Received(bytes) => self.received(now, &bytes),
            Input::Uart(errors) => {
                books.uart(now, errors, self.bus.asked());
                self.bus.line_errors(books, now, errors);
            }
            Input::Overload(reported) => self.bus.overload(books, now, reported),
            Input::Missed {
                meter,
                slots,
                others,
            } => self.bus.missed(books, now, &meter, slots, others),
            Input::Clock(asked) => books.clock(now, asked),
            Input::QueueFull(full) => books.queue_full = full,
            Input::Work(work) => {
                for meter in &mut books.meters {
                    meter.test = work.is_on(&meter.meter.id);
                }
            }
            Input::Stop => books.begin_stop(now),
        }
        self.advance(now);
        Actions(core::mem::take(&mut self.books.out))
    }

    fn received(&mut self, now: MonoNs, bytes: &[u8]) {
        let books = &mut self.books;
        if !books.link.is_up() || bytes.is_empty() {
            return;
        }
        books.link.heard();
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let asked = self.bus.asked();
        let bucket = match asked.and_then(|at| books.meters.get_mut(at)) {
            Some(meter) => &mut meter.bucket,
            None => &mut books.bucket.unasked,
        };
        bucket.bytes_received += count;
        self.bus.received(books, now, bytes);
    }

    /// Everything that time alone, or the input just taken, makes due.
    fn advance(&mut self, now: MonoNs) {
        let (books, bus) = (&mut self.books, &mut self.bus);
        bus.tick(books, now);
        if books.phase == Phase::Running {
            books.fall_due(now);
        }
        books.give_up_clocks(now);
        books.space_returned(now);
        books.settle(now);
        if books.phase == Phase::Running && books.link.opens(now) {
            books.out.push(Action::Connect);
        }
        bus.serve(books, now);
        books.settle(now);
        books.ask_leases(now);
        books.tell_events(now);
        self.tell_counters(now);
        self.books.finish_stop(now, self.bus.is_busy());
        self.wake();
    }

    /// Counters whose time has come become entries.
    fn tell_counters(&mut self, now: MonoNs) {
        if !self.books.counters_due(now) {
            return;
        }
        // One by one: those of many meters are more than one message holds.
        for snapshot in self.snapshots(now) {
            self.books.emit_unnumbered(Vec::from([snapshot]));
        }
    }

    /// The next time at which something is due by itself.
    fn wake(&mut self) {
        let books = &self.books;
        if books.phase == Phase::Stopped {
            return;
        }
        let times = books.wake_times().into_iter();
        let times = times.chain(self.bus.wake_times(books));
        if let Some(at) = times.flatten().min() {
            self.books.out.push(Action::WakeAt(at));
        }
    }
}
