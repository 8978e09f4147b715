//! A wired M-Bus on a port: readouts by the master, and what its reports are to meters and books.

mod cause;
mod clock;
mod head;
mod outcome;
mod overload;
mod pick;
mod place;
mod recalls;
mod runs;

use super::Cost;
use crate::SetupError;
use crate::action::{Action, Mark};
use crate::books::{Books, Phase};
use crate::clocks::Sent;
use crate::input::UartErrors;
use crate::limits::MBUS_TELEGRAMS_MAX;
use crate::session::Failure;
use crate::state::{Event, State};
use crate::stray::Met;
use alloc::vec::Vec;
use contract::{MbusLine, Port, PortKind};
use evidence::reasons::{AttemptCause, ClockReason};
use evidence::{MonoNs, Seq};
use head::Known;
use mbus::link;
use mbus::master::timing::Timing;
use mbus::master::{Action as Doing, Job, LineErrors, Master, Outcome, Refused, Stray, Work};
use overload::Overload;
use place::Place;
use recalls::Storing;
pub(crate) use runs::Runs;

const MS_NS: u64 = 1_000_000;

/// A readout under way.
#[derive(Debug)]
struct Reading {
    /// Place of the meter.
    meter: usize,
    /// Requests sent of which no report has come yet.
    sent: u64,
    /// The mark of the last of them.
    mark: Option<Mark>,
    /// The attempt that read each telegram.
    attempts: Vec<u64>,
    /// An exchange failed, and has its entries.
    failed: bool,
    /// Something was heard of the meter.
    heard: bool,
}

/// What is known of one meter beside the books.
#[derive(Debug)]
struct Slave {
    place: Place,
    known: Known,
    /// For each of its points, why it had no reading last time.
    lacking: Vec<Option<AttemptCause>>,
    /// Runs of readouts, one behind the other, in which nothing at all was heard of it.
    runs: Runs,
    storing: Option<Storing>,
}

/// What an M-Bus has beside the books of its port.
#[derive(Debug)]
pub(crate) struct MbusBus {
    line: MbusLine,
    latency_ns: u64,
    /// After an attempt that failed nobody else is asked for so long: a late reply would destroy another's.
    late_ns: u64,
    master: Master,
    /// By place of the meter.
    slaves: Vec<Slave>,
    reading: Option<Reading>,
    /// A meter that is being told the time, by its place.
    telling: Option<(usize, Sent)>,
    /// When the master is to be called again.
    tick_at: Option<MonoNs>,
    /// Nobody is asked before: converter and meters start.
    ready_at: MonoNs,
    /// What its converter reports.
    overload: Option<Overload>,
    /// The request given up last: its number, the meter's place, the session.
    missed: Option<(u64, usize, Seq)>,
    /// The speed that the port has now.
    baud: u32,
}

impl MbusBus {
    /// Of a port whose meters are in the books.
    pub(super) fn new(port: &Port, books: &mut Books) -> Result<Self, SetupError> {
        let PortKind::Mbus(line) = &port.kind else {
            return Err(SetupError::UnknownPort(port.id.clone()));
        };
        let latency_ns = line.latency_ms.saturating_mul(MS_NS);
        let baud = line.baud();
        let mut master = Master::new(baud, latency_ns, 0);
        let mut slaves = Vec::new();
        for (number, meter) in (0..).zip(&books.meters) {
            let address = Place::new(&meter.meter.address);
            let place = address.ok_or_else(|| SetupError::NoAddress(meter.meter.id.clone()))?;
            if let Some(reads) = place.reads_per_day {
                let set = master.budgets().set(number, reads);
                set.map_err(|_| SetupError::NoAddress(meter.meter.id.clone()))?;
            }
            slaves.push(Slave {
                place,
                known: Known::default(),
                lacking: alloc::vec![None; meter.meter.points.len()],
                runs: Runs::default(),
                storing: Storing::new(&meter.meter),
            });
        }
        let bus = Self {
            line: line.clone(),
            latency_ns,
            late_ns: port.late_reply_ms.saturating_mul(MS_NS),
            master,
            slaves,
            reading: None,
            telling: None,
            tick_at: None,
            ready_at: MonoNs(0),
            overload: None,
            missed: None,
            baud,
        };
        for at in 0..books.meters.len() {
            let cost = bus.cost(books, at);
            if let Some(meter) = books.meters.get_mut(at) {
                meter.trial_ns = cost.silent_ns;
            }
        }
        Ok(bus)
    }

    /// The meter whose reply is waited for.
    pub(super) fn asked(&self) -> Option<usize> {
        let told = self.telling.as_ref().map(|(at, _)| *at);
        let read = self.reading.as_ref().filter(|reading| reading.sent > 0);
        told.or(read.map(|reading| reading.meter))
    }

    /// A readout is under way, or a meter is being told the time.
    pub(super) const fn is_busy(&self) -> bool {
        self.reading.is_some() || self.telling.is_some()
    }

    /// Runs of readouts, one behind the other, in which nothing was heard of the meter at this place.
    pub(super) fn runs(&self, at: usize) -> Option<&Runs> {
        self.slaves.get(at).map(|slave| &slave.runs)
    }

    /// What a readout of a meter costs.
    pub(super) fn cost(&self, books: &Books, at: usize) -> Cost {
        let Some((meter, slave)) = books.meters.get(at).zip(self.slaves.get(at)) else {
            return Cost::default();
        };
        let baud = slave.place.baud.unwrap_or(self.line.baud());
        let timing = Timing::new(baud).with_latency(self.latency_ns);
        let records = meter.meter.points.len();
        let mut cost = slave.place.cost(timing, self.line.shared, records);
        cost.silent_ns = cost.silent_ns.saturating_add(self.late_ns);
        cost
    }

    /// The port was opened, at the speed of the contract.
    pub(super) fn opened(&mut self, now: MonoNs) {
        self.baud = self.line.baud();
        self.renew(now);
        self.ready_at = now.plus_ns(self.line.power_up_ms.saturating_mul(MS_NS));
    }

    /// The port is gone, and with it the readout.
    pub(super) fn lost(&mut self, books: &mut Books, now: MonoNs) {
        self.renew(now);
        if let Some((_, sent)) = self.telling.take() {
            books.clock_ended(now, &sent, ClockReason::LineLost, None);
        }
        if let Some(reading) = self.reading.take()
            && let Some(meter) = books.meters.get_mut(reading.meter)
        {
            let failure = Failure::new(AttemptCause::PortUnavailable);
            meter.record_failure(&books.origin, now, failure);
            meter.fire(&books.origin, now, Event::FailedLast);
            books.close_session(now, reading.meter);
        }
    }

    /// A master that knows nothing but what batteries have spent.
    fn renew(&mut self, now: MonoNs) {
        let budgets = self.master.budgets().clone();
        self.master = Master::new(self.line.baud(), self.latency_ns, now.0);
        *self.master.budgets() = budgets;
        self.tick_at = None;
        self.missed = None;
    }

    /// Bytes arrived.
    pub(super) fn received(&mut self, books: &mut Books, now: MonoNs, bytes: &[u8]) {
        let length_ns = Timing::new(self.baud).transfer_ns(bytes.len());
        let first = MonoNs(now.0.saturating_sub(length_ns));
        books.bucket.line.carried(first, length_ns);
        let actions = self.master.received(bytes, now.0);
        self.perform(books, now, actions);
    }

    /// What the receiver counted with the bytes that come now.
    pub(super) fn line_errors(&mut self, books: &mut Books, now: MonoNs, errors: UartErrors) {
        let count = |errors: u64| u32::try_from(errors).unwrap_or(u32::MAX);
        let errors = LineErrors {
            parity: count(errors.parity),
            framing: count(errors.framing),
            overrun: count(errors.overrun.saturating_add(errors.buffer_overrun)),
            breaks: count(errors.breaks),
        };
        if errors.any() && books.link.is_up() {
            let actions = self.master.line_errors(errors, now.0);
            self.perform(books, now, actions);
        }
    }

    /// What time alone makes due.
    pub(super) fn tick(&mut self, books: &mut Books, now: MonoNs) {
        if self.tick_at.is_some_and(|at| at <= now) {
            let actions = self.master.tick(now.0);
            self.perform(books, now, actions);
        }
        self.give_overload_up(books, now);
    }

    /// When something here is due by itself.
    pub(super) fn wake_times(&self, books: &Books) -> Vec<Option<MonoNs>> {
        let free = books.link.is_up() && !self.is_busy() && self.overload.is_none();
        let clock_at = self.clock_at(books).filter(|_| free);
        // While the bus is kept free for a clock, its time is what is waited for.
        let waits = free && books.any_waits() && !self.is_kept_free(books, books.last);
        Vec::from([
            self.tick_at,
            self.overload.as_ref().and_then(Overload::given_up_at),
            Some(self.ready_at.max(books.last)).filter(|_| waits),
            clock_at,
        ])
    }

    /// Begins the next readout. Who is not read, because his battery does not allow it, leaves the bus to the next.
    pub(super) fn serve(&mut self, books: &mut Books, now: MonoNs) {
        if books.phase != Phase::Running {
            return;
        }
        if books.link.is_refused() {
            books.refuse_all(now, AttemptCause::PortUnavailable);
            return;
        }
        if self.overload.is_some() {
            books.refuse_all(now, AttemptCause::BusOverload);
            return;
        }
        let may = books.link.is_up() && !self.is_busy() && now >= self.ready_at;
        if may && self.set_clock(books, now) {
            return;
        }
        for _ in 0..books.meters.len() {
            if !books.link.is_up() || self.is_busy() || now < self.ready_at {
                return;
            }
            let Some(at) = books.next_served() else {
                return;
            };
            self.begin(books, now, at);
        }
    }

    fn begin(&mut self, books: &mut Books, now: MonoNs, at: usize) {
        let Some((meter, slave)) = books.meters.get_mut(at).zip(self.slaves.get(at)) else {
            return;
        };
        if !meter.take_bus() {
            return;
        }
        meter.served = now;
        self.reading = Some(Reading {
            meter: at,
            sent: 0,
            mark: None,
            attempts: Vec::new(),
            failed: false,
            heard: false,
        });
        let job = Job {
            work: Work::Read {
                meter: slave.place.meter,
                reset: None,
                telegrams_max: MBUS_TELEGRAMS_MAX,
                anew: self.line.shared,
            },
            baud: slave.place.baud,
            budget: u64::try_from(at).ok(),
        };
        match self.master.begin(job, now.0) {
            Ok(actions) => self.perform(books, now, actions),
            Err(refused) => {
                let cause = match refused {
                    Refused::Budget(_) => AttemptCause::BudgetSpent,
                    Refused::Busy | Refused::All | Refused::NoSuchFrame => {
                        AttemptCause::PortUnavailable
                    }
                };
                self.reading = None;
                meter.record_failure(&books.origin, now, Failure::new(cause));
                meter.fire(&books.origin, now, Event::FailedLast);
                books.close_session(now, at);
            }
        }
    }

    /// Does what the master wants, in its order.
    fn perform(&mut self, books: &mut Books, now: MonoNs, actions: Vec<Doing>) {
        self.tick_at = None;
        for action in actions {
            match action {
                Doing::Send(bytes) => {
                    if !self.send(books, now, bytes) {
                        return;
                    }
                }
                Doing::Speed(baud) => self.turn(books, baud),
                Doing::WaitUntil(at_ns) => self.tick_at = Some(MonoNs(at_ns)),
                Doing::Exchange { report, .. } => self.exchanged(books, now, &report),
                Doing::Stray(stray) => self.stray(books, now, &stray),
                // An echo is told from a reply and counted; that known meters are silent together, the books see themselves.
                Doing::Evidence(_) => {}
                Doing::Done(Outcome::Read(readout)) => {
                    let of = self.reading.as_ref().map(|reading| reading.meter);
                    self.done(books, now, &readout);
                    self.remember(books, now, of, &readout);
                }
                Doing::Done(Outcome::Told(told)) => self.clock_told(books, now, told),
                Doing::Done(_) => {}
            }
        }
    }

    fn turn(&mut self, books: &mut Books, baud: u32) {
        self.baud = baud;
        books.out.push(Action::Speed(baud));
    }

    /// A request leaves, unless the node stops; then a selected meter is let go, and no more. Whether the readout goes on.
    fn send(&mut self, books: &mut Books, now: MonoNs, bytes: Vec<u8>) -> bool {
        if let Some((at, _)) = self.telling {
            self.transmit(books, now, at, bytes);
            return true;
        }
        let Some(reading) = &mut self.reading else {
            return false;
        };
        let at = reading.meter;
        let Some(meter) = books.meters.get_mut(at) else {
            return false;
        };
        let stopping = meter
            .active
            .as_ref()
            .is_some_and(|session| session.state == State::Closing);
        if stopping && !outcome::lets_go(&bytes) {
            self.reading = None;
            self.renew(now);
            meter.fire(&books.origin, now, Event::AnsweredMore);
            books.close_session(now, at);
            return false;
        }
        let Some(mark) = meter.mark(now, reading.sent) else {
            return false;
        };
        reading.sent += 1;
        reading.mark = Some(mark.clone());
        books.out.push(Action::Mark(mark));
        self.transmit(books, now, at, bytes);
        true
    }

    fn transmit(&self, books: &mut Books, now: MonoNs, at: usize, bytes: Vec<u8>) {
        if let Some(meter) = books.meters.get_mut(at) {
            meter.bucket.bytes_sent += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        }
        let length_ns = Timing::new(self.baud).transfer_ns(bytes.len());
        books.bucket.line.carried(now, length_ns);
        books.out.push(Action::Transmit(bytes));
    }

    /// Something was heard without a request, or beside one.
    fn stray(&mut self, books: &mut Books, now: MonoNs, stray: &Stray) {
        let bytes = &stray.heard.bytes;
        let late = self
            .missed
            .filter(|(token, ..)| stray.late_for == Some(*token));
        if let Some((_, at, seq)) = late {
            self.missed = None;
            books.late(now, at, Some(seq), bytes);
        } else {
            let met = match link::decode(stray.heard.reply()) {
                _ if stray.heard.flooded => Met::Flood,
                Ok(_) => Met::Frame,
                Err(_) => Met::Noise,
            };
            books.met(now, met, self.asked(), bytes);
        }
    }
}
