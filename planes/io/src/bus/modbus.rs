//! Modbus on a port: requests out, replies in, and what is made of everything else on the wire.

mod clock;
mod recalls;

use super::Cost;
use super::course::Course;
use crate::SetupError;
use crate::action::{Action, Mark};
use crate::books::{Books, Phase};
use crate::clocks::Sent;
use crate::events::News;
use crate::late::LateBook;
use crate::limits::SILENT_ATTEMPTS_MAX;
use crate::session::{Failure, MeterState};
use crate::stray::Met;
use crate::wire::{Heard, Verdict, Wire};
use alloc::string::String;
use alloc::vec::Vec;
use clock::clock_reason;
use contract::Port;
use evidence::MonoNs;
use evidence::reasons::{AttemptCause, ClockReason, EventCode};
use modbus::pdu::{Request, Response};
use recalls::Remembering;

const MS_NS: u64 = 1_000_000;

/// What a request is for.
#[derive(Clone, Debug)]
pub(crate) enum Aim {
    /// A session, with its mark on the board.
    Session(Mark),
    /// No session: the meter's own memory, or the lines of a card.
    Aside,
    /// Its clock.
    Clock(Sent),
}

/// A request on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    pub(crate) meter: usize,
    pub(crate) token: u64,
    pub(crate) unit: u8,
    pub(crate) request: Request,
    /// As it was sent.
    pub(crate) frame: Vec<u8>,
    pub(crate) aim: Aim,
    /// When it left.
    pub(crate) sent: MonoNs,
    /// When its last bit has left.
    pub(crate) sent_end: MonoNs,
    /// A reply has to begin before this.
    pub(crate) deadline: MonoNs,
    /// And to end before this.
    pub(crate) deadline_hard: MonoNs,
    /// Bytes heard while it waits that begin like nobody's frame: perhaps its own reply, destroyed.
    pub(crate) suspect: Option<Vec<u8>>,
}

/// What Modbus has beside the books of its port.
#[derive(Debug)]
pub(crate) struct ModbusBus {
    /// The longest that a meter of this port may take to answer.
    timeout_ns_max: u64,
    late_reply_ns: u64,
    wire: Wire,
    /// By place of the meter.
    courses: Vec<Course>,
    /// By place of the meter, of those that have a memory.
    memories: Vec<Option<Remembering>>,
    flight: Option<Flight>,
    book: LateBook,
    next_token: u64,
    held_until: Option<MonoNs>,
}

impl ModbusBus {
    /// Of a port whose meters are in the books.
    pub(super) fn new(port: &Port, books: &mut Books) -> Result<Self, SetupError> {
        let mut courses = Vec::new();
        let wire = Wire::new(&port.kind).ok_or_else(|| SetupError::UnknownPort(port.id.clone()))?;
        for meter in &mut books.meters {
            meter.trial_ns = wire.silent_ns(meter.timeout_ns);
            courses.push(course(&meter.meter)?);
        }
        Ok(Self {
            timeout_ns_max: books
                .meters
                .iter()
                .map(|meter| meter.timeout_ns)
                .max()
                .unwrap_or(0),
            late_reply_ns: port.late_reply_ms.saturating_mul(MS_NS),
            wire,
            courses,
            memories: books
                .meters
                .iter()
                .map(|one| Remembering::new(&one.meter))
                .collect(),
            flight: None,
            book: LateBook::default(),
            next_token: 0,
            held_until: None,
        })
    }

    pub(super) fn is_serial(&self) -> bool {
        self.wire.is_serial()
    }

    /// The meter whose reply is waited for.
    pub(super) fn asked(&self) -> Option<usize> {
        self.flight.as_ref().map(|flight| flight.meter)
    }

    /// What a session of a meter costs.
    pub(super) fn cost(&self, books: &Books, at: usize) -> Cost {
        let Some((meter, course)) = books.meters.get(at).zip(self.courses.get(at)) else {
            return Cost::default();
        };
        let attempts = u64::from(meter.retries).saturating_add(1);
        let reads = course.reads().iter();
        let wire = reads.map(|read| self.wire.budget_ns(&read.request));
        Cost {
            requests: course.reads().len(),
            wire_ns: wire.fold(0, u64::saturating_add),
            silent_ns: meter.trial_ns.saturating_mul(attempts),
        }
    }

    /// The port was opened.
    pub(super) fn opened(&mut self, now: MonoNs) {
        let quiet_ns = self.timeout_ns_max.saturating_add(self.late_reply_ns);
        self.wire.opened(now.plus_ns(quiet_ns));
        if !self.wire.is_serial() {
            self.book = LateBook::default();
        }
    }

    /// The port or connection is gone.
    pub(super) fn lost(&mut self, books: &mut Books, now: MonoNs) {
        self.give_up(books, now, Failure::new(self.wire.lost_cause()));
    }

    /// What time alone makes due.
    pub(super) fn tick(&mut self, books: &mut Books, now: MonoNs) {
        self.poll_wire(books, now);
        self.expire(books, now);
    }

    /// When something here is due by itself.
    pub(super) fn wake_times(&self, books: &Books) -> Vec<Option<MonoNs>> {
        let mut times = Vec::from([self.wire.silence_at()]);
        if let Some(flight) = &self.flight {
            let hard = self
                .wire
                .silence_at()
                .map_or(flight.deadline, |_| flight.deadline_hard);
            times.push(Some(hard.max(flight.deadline)));
        } else if books.link.is_up() {
            times.push(self.held_until);
            let full = !self.book.has_room(books.last);
            times.push(self.book.next_expiry(books.last).filter(|_| full));
            let free_at = self.wire.free_at().filter(|free_at| *free_at > books.last);
            let wants = books.any_waits() || self.would_remember(books.last);
            times.push(free_at.filter(|_| wants || self.clock_waits(books)));
            times.extend(self.clock_held_until(books).map(Some));
            times.extend(self.remember_at(books.last).map(Some));
        }
        times
    }

    /// Bytes arrived.
    pub(super) fn received(&mut self, books: &mut Books, now: MonoNs, bytes: &[u8]) {
        if let Some(length_ns) = self.wire.transfer_ns(bytes.len()) {
            let first = MonoNs(now.0.saturating_sub(length_ns));
            books.bucket.line.carried(first, length_ns);
        }
        for heard in self.wire.feed(bytes, now) {
            self.judge(books, now, &heard);
        }
        books.bucket.echoes += self.wire.take_echoes();
    }

    /// Frames that silence has ended.
    pub(super) fn poll_wire(&mut self, books: &mut Books, now: MonoNs) {
        if let Some(heard) = self.wire.poll(now) {
            self.judge(books, now, &heard);
        }
    }

    fn judge(&mut self, books: &mut Books, now: MonoNs, heard: &Heard) {
        let verdict = heard.judge(self.flight.as_ref(), &self.book, now);
        if heard.is_damaged() && !matches!(verdict, Verdict::Echo(_)) {
            books.bucket.crc_fail += 1;
            books.bursts.damaged(now);
        }
        match verdict {
            Verdict::Echo(rest) => {
                books.bucket.echoes += 1;
                books.met(now, Met::Echo, self.asked(), &heard.bytes());
                if let Some(rest) = rest {
                    self.judge(books, now, &rest);
                }
            }
            Verdict::Answer(response) => {
                if let Some(flight) = self.proper_reply(books, now) {
                    match &flight.aim {
                        Aim::Session(_) => self.answered(books, now, &flight, &response),
                        Aim::Aside => self.remembered(books, now, &flight, &response),
                        Aim::Clock(sent) => books.clock_ended(now, sent, ClockReason::None, None),
                    }
                }
            }
            Verdict::Exception(code) => {
                if let Some(flight) = self.proper_reply(books, now) {
                    let failure = Failure {
                        cause: AttemptCause::Exception,
                        exception: Some(code),
                        sample: Some(heard.bytes()),
                    };
                    self.attempt_failed(books, now, &flight, failure);
                }
            }
            Verdict::Fails(cause) => {
                let failure = Failure {
                    sample: Some(heard.bytes()),
                    ..Failure::new(cause)
                };
                self.give_up(books, now, failure);
            }
            Verdict::Late(asked) => {
                self.book.answered(asked.token);
                books.late(now, asked.meter, asked.seq, &heard.bytes());
            }
            Verdict::Foreign => books.met(now, Met::Frame, self.asked(), &heard.bytes()),
            Verdict::Noise { stuck } => self.noise(books, now, heard, stuck),
            Verdict::Broken => {
                let detail = String::from("the stream is not Modbus; the connection is closed");
                let news = News::new(EventCode::LineNoise)
                    .sample(&heard.bytes())
                    .detail(detail);
                books.bucket.noise += 1;
                books.events.note(now, news);
                let failure = Failure {
                    sample: Some(heard.bytes()),
                    ..Failure::new(AttemptCause::Framing)
                };
                books.link.lost(now);
                books.report_loss(now, String::new());
                self.give_up(books, now, failure);
                books.out.push(Action::Disconnect);
            }
        }
    }

    /// Bytes that are no frame. While a request waits they may be its reply, destroyed, unless they
    /// begin like a frame of another meter of the port.
    fn noise(&mut self, books: &mut Books, now: MonoNs, heard: &Heard, stuck: bool) {
        let bytes = heard.bytes();
        let met = if stuck { Met::Flood } else { Met::Noise };
        books.met(now, met, self.asked(), &bytes);
        if let Some(flight) = &mut self.flight {
            let unit = bytes.first().copied();
            let known = |unit| books.meters.iter().any(|meter| unit_of(meter) == unit);
            let others = unit.is_some_and(|unit| unit != flight.unit && known(unit));
            if !others {
                flight.suspect.get_or_insert(bytes);
            }
        }
    }

    /// The request in flight has its reply, answer or exception.
    fn proper_reply(&mut self, books: &mut Books, now: MonoNs) -> Option<Flight> {
        let mut flight = self.flight.take()?;
        self.book.answered(flight.token);
        books.note_answer(now);
        books.bursts.good();
        self.end_flight(books, now, &flight);
        if let Some(meter) = books.meters.get_mut(flight.meter) {
            let reply_ns = now.since(flight.sent_end);
            meter.bucket.reply_ns_max = meter.bucket.reply_ns_max.max(reply_ns);
        }
        if let Aim::Session(mark) = &mut flight.aim {
            mark.reply_at = Some(now);
            books.out.push(Action::Mark(mark.clone()));
        }
        Some(flight)
    }

    /// The request in flight is given up; its reply may still come, so it stays in the book.
    fn give_up(&mut self, books: &mut Books, now: MonoNs, failure: Failure) {
        if let Some(flight) = self.flight.take() {
            self.end_flight(books, now, &flight);
            self.attempt_failed(books, now, &flight, failure);
        }
    }

    fn end_flight(&mut self, books: &mut Books, now: MonoNs, flight: &Flight) {
        if let Some(meter) = books.meters.get_mut(flight.meter) {
            meter.bucket.bus_busy_ns += now.since(flight.sent);
        }
    }

    fn answered(&mut self, books: &mut Books, now: MonoNs, flight: &Flight, response: &Response) {
        let at = flight.meter;
        if let Some(meter) = books.meters.get_mut(at)
            && let Some(course) = self.courses.get_mut(at)
        {
            course.answered(meter, &books.origin, now, response);
            books.close_session(now, at);
        }
    }

    fn attempt_failed(
        &mut self,
        books: &mut Books,
        now: MonoNs,
        flight: &Flight,
        failure: Failure,
    ) {
        match &flight.aim {
            Aim::Session(_) => {}
            Aim::Aside => return self.not_remembered(books, now, flight),
            Aim::Clock(sent) => {
                return books.clock_ended(now, sent, clock_reason(&failure), failure.exception);
            }
        }
        let at = flight.meter;
        if let Some(meter) = books.meters.get_mut(at)
            && let Some(course) = self.courses.get_mut(at)
        {
            course.failed(meter, &books.origin, now, failure);
            books.close_session(now, at);
        }
    }

    /// The reply did not begin in time, or did not end.
    pub(super) fn expire(&mut self, books: &mut Books, now: MonoNs) {
        let Some(flight) = &self.flight else {
            return;
        };
        let begun = self.wire.silence_at().is_some();
        if now < flight.deadline || (begun && now < flight.deadline_hard) {
            return;
        }
        if let Some(heard) = self.wire.cut(now) {
            self.judge(books, now, &heard);
        }
        let Some(flight) = &mut self.flight else {
            return;
        };
        let failure = match flight.suspect.take() {
            Some(bytes) => Failure {
                sample: Some(bytes),
                ..Failure::new(AttemptCause::Framing)
            },
            None => Failure::new(AttemptCause::Timeout),
        };
        books.link.silent_attempts += 1;
        let dead = !self.wire.is_serial() && books.link.silent_attempts >= SILENT_ATTEMPTS_MAX;
        if dead {
            books.link.given_up();
            books.out.push(Action::Disconnect);
            books.report_loss(now, String::from("nothing answers on the connection"));
        }
        self.give_up(books, now, failure);
    }

    /// Who may not be asked yet.
    pub(super) fn hold(&mut self, books: &mut Books, now: MonoNs) {
        self.held_until = None;
        if !self.wire.is_serial() {
            return;
        }
        let book = &self.book;
        let in_flight = self.flight.as_ref().map(|flight| flight.token);
        for (meter, course) in books.meters.iter_mut().zip(&self.courses) {
            let held = course.hold(meter, |unit, request| {
                book.held_until(unit, request, in_flight, now)
            });
            self.held_until = self.held_until.into_iter().chain(held).min();
        }
    }

    /// Sends the next request, earliest due first; among those of one slot who failed least, then who
    /// waited longest, so that an overloaded bus starves nobody.
    pub(super) fn serve(&mut self, books: &mut Books, now: MonoNs) {
        self.hold(books, now);
        if books.phase != Phase::Running {
            return;
        }
        if books.link.is_refused() {
            books.refuse_all(now, self.wire.refused_cause());
            return;
        }
        let free = self.wire.free_at().is_some_and(|free_at| free_at <= now);
        if !books.link.is_up() || self.flight.is_some() || !free || !self.book.has_room(now) {
            return;
        }
        if self.set_clock(books, now) {
            return;
        }
        let Some(at) = books.next_served() else {
            return self.remember(books, now);
        };
        let Some((meter, course)) = books.meters.get_mut(at).zip(self.courses.get_mut(at)) else {
            return;
        };
        if !meter.take_bus() {
            return;
        }
        if let Some((request, mark)) = course.request(meter).zip(meter.mark(now, 0)) {
            self.send(books, now, at, request, Aim::Session(mark));
        }
    }

    /// A request leaves.
    fn send(&mut self, books: &mut Books, now: MonoNs, at: usize, request: Request, aim: Aim) {
        let Some(meter) = books.meters.get_mut(at) else {
            return;
        };
        let token = self.next_token;
        self.next_token += 1;
        let (unit, timeout_ns) = (unit_of(meter), meter.timeout_ns);
        let (frame, transfer_ns) = self.wire.encode(token, unit, &request);
        meter.bucket.bytes_sent += u64::try_from(frame.len()).unwrap_or(u64::MAX);
        let sent_end = now.plus_ns(transfer_ns);
        let deadline = sent_end.plus_ns(timeout_ns);
        let deadline_hard = deadline.plus_ns(self.wire.grace_ns());
        let expires = deadline_hard.plus_ns(self.late_reply_ns);
        let mark = match &aim {
            Aim::Session(mark) => Some(mark.clone()),
            Aim::Aside | Aim::Clock(_) => None,
        };
        let seq = mark.as_ref().map(|mark| mark.seq);
        self.book
            .sent((token, at, seq), unit, &request, now, expires);
        books.out.extend(mark.map(Action::Mark));
        self.wire.sent(&frame);
        if self.wire.is_serial() {
            books.bucket.line.carried(now, transfer_ns);
        }
        books.out.push(Action::Transmit(frame.clone()));
        self.flight = Some(Flight {
            meter: at,
            token,
            unit,
            request,
            frame,
            aim,
            sent: now,
            sent_end,
            deadline,
            deadline_hard,
            suspect: None,
        });
    }
}

/// The unit address of a meter; the contract has one for each on a Modbus port.
fn unit_of(meter: &MeterState) -> u8 {
    meter.meter.unit().unwrap_or_default()
}

/// The course of a meter whose points all lie within the address space.
fn course(meter: &contract::Meter) -> Result<Course, SetupError> {
    let past = |point: &&contract::Point| {
        let end = |one: &contract::Register| u32::from(one.address) + u32::from(one.width());
        point.register().map(end) > Some(modbus::limits::ADDRESSES)
    };
    let [first, ..] = meter.points.as_slice() else {
        return Err(SetupError::NoPoints(meter.id.clone()));
    };
    Course::new(meter).map_err(|_| SetupError::PastLastAddress {
        meter: meter.id.clone(),
        point: meter.points.iter().find(past).unwrap_or(first).id.clone(),
    })
}
