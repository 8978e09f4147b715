//! What travels: requests out, replies in, and what is made of everything else on the wire.

use super::PortEngine;
use crate::action::Action;
use crate::events::News;
use crate::input::UartErrors;
use crate::late::Asked;
use crate::limits::SILENT_ATTEMPTS_MAX;
use crate::session::{Failure, Flight};
use crate::wire::{Heard, Verdict};
use alloc::string::{String, ToString};
use evidence::MonoNs;
use evidence::reasons::{AttemptCause, EventCode};

impl PortEngine {
    /// Bytes arrived.
    pub(super) fn received(&mut self, now: MonoNs, bytes: &[u8]) {
        if !self.link.is_up() || bytes.is_empty() {
            return;
        }
        self.link.heard();
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let asked = self.flight.as_ref().map(|flight| flight.meter);
        let bucket = match asked.and_then(|at| self.meters.get_mut(at)) {
            Some(meter) => &mut meter.bucket,
            None => &mut self.bucket.unasked,
        };
        bucket.bytes_received += count;
        for heard in self.wire.feed(bytes, now) {
            self.judge(now, &heard);
        }
    }

    /// Frames that silence has ended.
    pub(super) fn poll_wire(&mut self, now: MonoNs) {
        if let Some(heard) = self.wire.poll(now) {
            self.judge(now, &heard);
        }
    }

    fn judge(&mut self, now: MonoNs, heard: &Heard) {
        if heard.is_damaged() {
            self.bucket.crc_fail += 1;
        }
        let idle = self.flight.is_none();
        match heard.judge(self.flight.as_ref(), &self.book, now) {
            Verdict::Answer(response) => {
                if let Some(flight) = self.proper_reply(now)
                    && let Some(meter) = self.meters.get_mut(flight.meter)
                {
                    meter.answered(&self.origin, now, &response);
                    self.close_session(now, flight.meter);
                }
            }
            Verdict::Exception(code) => {
                if let Some(flight) = self.proper_reply(now) {
                    let failure = Failure {
                        cause: AttemptCause::Exception,
                        exception: Some(code),
                        sample: Some(heard.bytes()),
                    };
                    self.attempt_failed(now, flight.meter, failure);
                }
            }
            Verdict::Fails(cause) => {
                let failure = Failure {
                    sample: Some(heard.bytes()),
                    ..Failure::new(cause)
                };
                self.give_up(now, failure);
            }
            Verdict::Late(asked) => self.late(now, asked, heard),
            Verdict::Foreign => {
                self.bucket.foreign += 1;
                let news = News::new(EventCode::ForeignReply).sample(&heard.bytes());
                self.events.note(now, news);
            }
            Verdict::Noise { stuck } => self.noise(now, heard, stuck, idle),
            Verdict::Broken => {
                let detail = String::from("the stream is not Modbus; the connection is closed");
                let news = News::new(EventCode::LineNoise)
                    .sample(&heard.bytes())
                    .detail(detail);
                self.bucket.noise += 1;
                self.events.note(now, news);
                let failure = Failure {
                    sample: Some(heard.bytes()),
                    ..Failure::new(AttemptCause::Framing)
                };
                self.link.lost(now);
                self.report_loss(now, String::new());
                self.give_up(now, failure);
                self.out.push(Action::Disconnect);
            }
        }
    }

    fn late(&mut self, now: MonoNs, asked: Asked, heard: &Heard) {
        self.book.answered(asked.token);
        let mut news = News::new(EventCode::LateReply).sample(&heard.bytes());
        news.about = Some(asked.seq);
        if let Some(meter) = self.meters.get_mut(asked.meter) {
            meter.bucket.late += 1;
            news.meter = Some(meter.meter.id.clone());
        }
        self.events.note(now, news);
    }

    /// Bytes that are no frame. While a request waits they may be its reply, destroyed, unless they
    /// begin like a frame of another meter of the port.
    fn noise(&mut self, now: MonoNs, heard: &Heard, stuck: bool, idle: bool) {
        self.bucket.noise += 1;
        self.bucket.stuck += u64::from(stuck);
        self.bucket.idle_chatter += u64::from(idle);
        let bytes = heard.bytes();
        let detail = stuck.then(|| String::from("more bytes without a pause than any frame has"));
        let mut news = News::new(EventCode::LineNoise).sample(&bytes);
        if let Some(detail) = detail {
            news = news.detail(detail);
        }
        self.events.note(now, news);
        if let Some(flight) = &mut self.flight {
            let unit = bytes.first().copied();
            let known = |unit| self.meters.iter().any(|meter| meter.unit() == unit);
            let others = unit.is_some_and(|unit| unit != flight.unit && known(unit));
            if !others {
                flight.suspect.get_or_insert(bytes);
            }
        }
    }

    /// The request in flight has its reply, answer or exception.
    fn proper_reply(&mut self, now: MonoNs) -> Option<Flight> {
        let mut flight = self.flight.take()?;
        self.book.answered(flight.token);
        self.note_answer(now);
        self.end_flight(now, &flight);
        if let Some(meter) = self.meters.get_mut(flight.meter) {
            let reply_ns = now.since(flight.sent_end);
            meter.bucket.reply_ns_max = meter.bucket.reply_ns_max.max(reply_ns);
        }
        flight.mark.reply_at = Some(now);
        self.out.push(Action::Mark(flight.mark.clone()));
        Some(flight)
    }

    /// The request in flight is given up; its reply may still come, so it stays in the book.
    fn give_up(&mut self, now: MonoNs, failure: Failure) {
        if let Some(flight) = self.flight.take() {
            self.end_flight(now, &flight);
            self.attempt_failed(now, flight.meter, failure);
        }
    }

    fn end_flight(&mut self, now: MonoNs, flight: &Flight) {
        if let Some(meter) = self.meters.get_mut(flight.meter) {
            meter.bucket.bus_busy_ns += now.since(flight.mark.attempt_at);
        }
    }

    fn attempt_failed(&mut self, now: MonoNs, at: usize, failure: Failure) {
        if let Some(meter) = self.meters.get_mut(at) {
            meter.failed(&self.origin, now, failure);
            self.close_session(now, at);
        }
    }

    /// The reply did not begin in time, or did not end.
    pub(super) fn expire(&mut self, now: MonoNs) {
        let Some(flight) = &self.flight else {
            return;
        };
        let begun = self.wire.silence_at().is_some();
        if now < flight.deadline || (begun && now < flight.deadline_hard) {
            return;
        }
        if begun && let Some(heard) = self.wire.cut() {
            self.judge(now, &heard);
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
        self.link.silent_attempts += 1;
        let dead = !self.wire.is_serial() && self.link.silent_attempts >= SILENT_ATTEMPTS_MAX;
        if dead {
            self.link.lost(now);
            self.out.push(Action::Disconnect);
            self.report_loss(now, String::from("nothing answers on the connection"));
        }
        self.give_up(now, failure);
    }

    /// Who may not be asked yet.
    pub(super) fn hold(&mut self, now: MonoNs) {
        self.held_until = None;
        if !self.wire.is_serial() {
            return;
        }
        let book = &self.book;
        let in_flight = self.flight.as_ref().map(|flight| flight.token);
        for meter in &mut self.meters {
            let held = meter.hold(|unit, request| book.held_until(unit, request, in_flight, now));
            self.held_until = self.held_until.into_iter().chain(held).min();
        }
    }

    /// Sends the next request, earliest due first; among those of one slot who failed least, then who
    /// waited longest, so that an overloaded bus starves nobody.
    pub(super) fn serve(&mut self, now: MonoNs) {
        if self.phase != super::Phase::Running {
            return;
        }
        if self.link.is_refused() {
            self.refuse_all(now);
            return;
        }
        let free = self.wire.free_at().is_some_and(|free_at| free_at <= now);
        if !self.link.is_up() || self.flight.is_some() || !free || !self.book.has_room(now) {
            return;
        }
        let Some(at) = self.next_served() else {
            return;
        };
        let token = self.next_token;
        let Some(meter) = self.meters.get_mut(at) else {
            return;
        };
        let Some((mark, request)) = meter.send(now) else {
            return;
        };
        meter.served = now;
        self.next_token += 1;
        let (unit, timeout_ns) = (meter.unit(), meter.timeout_ns);
        let (frame, transfer_ns) = self.wire.encode(token, unit, &request);
        meter.bucket.bytes_sent += u64::try_from(frame.len()).unwrap_or(u64::MAX);
        let sent_end = now.plus_ns(transfer_ns);
        let deadline = sent_end.plus_ns(timeout_ns);
        let deadline_hard = deadline.plus_ns(self.wire.grace_ns());
        let expires = deadline_hard.plus_ns(self.late_reply_ns);
        self.book
            .sent((token, at, mark.seq), unit, &request, now, expires);
        self.out.push(Action::Mark(mark.clone()));
        self.out.push(Action::Transmit(frame));
        self.flight = Some(Flight {
            meter: at,
            token,
            unit,
            request,
            mark,
            sent_end,
            deadline,
            deadline_hard,
            suspect: None,
        });
    }

    /// Whether a session could use the bus.
    pub(super) fn any_waits(&self) -> bool {
        self.next_served().is_some()
    }

    fn next_served(&self) -> Option<usize> {
        let wants = |(at, meter): (usize, &crate::session::MeterState)| {
            let (session, _) = meter.next()?;
            let started = meter.active.is_some();
            let may_start = !self.queue_full && meter.lease.left() > 0;
            let ready = session.wants_bus() && (started || may_start);
            let yields = meter.yields(self.last);
            ready.then_some((yields, session.due, session.failures, meter.served, at))
        };
        let (_, _, _, _, at) = self.meters.iter().enumerate().filter_map(wants).min()?;
        Some(at)
    }

    /// There is nothing to send on: what is due ends with that cause.
    fn refuse_all(&mut self, now: MonoNs) {
        let cause = self.wire.refused_cause();
        for at in 0..self.meters.len() {
            let Some(meter) = self.meters.get_mut(at) else {
                continue;
            };
            if meter.active.is_some() || !self.queue_full {
                meter.refuse(&self.origin, now, cause);
                self.close_session(now, at);
            }
        }
    }

    pub(super) fn link_lost(&mut self, now: MonoNs, detail: String) {
        if !self.link.is_up() {
            return;
        }
        self.link.lost(now);
        self.report_loss(now, detail);
        self.give_up(now, Failure::new(self.wire.lost_cause()));
    }

    /// Once per loss; that it stays lost is seen from the failed attempts.
    pub(super) fn report_loss(&mut self, now: MonoNs, detail: String) {
        if core::mem::replace(&mut self.link.reported, true) {
            return;
        }
        self.bucket.link_lost += 1;
        let news = News::new(EventCode::PortLost);
        let news = if detail.is_empty() {
            news
        } else {
            news.detail(detail.to_string())
        };
        self.events.note(now, news);
    }

    /// What the UART counted goes to the meter that is being asked.
    pub(super) fn uart(&mut self, errors: UartErrors) {
        self.bucket.uart_seen = true;
        let asked = self.flight.as_ref().map(|flight| flight.meter);
        match asked.and_then(|at| self.meters.get_mut(at)) {
            Some(meter) => meter.bucket.add_uart(errors),
            None => self.bucket.unasked.add_uart(errors),
        }
    }
}
