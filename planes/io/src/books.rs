//! The books of a port: its schedules, meters and events, whatever is spoken on its wire.

mod account;

use crate::action::{Action, Batch};
use crate::buckets::PortBucket;
use crate::bursts::Bursts;
use crate::clocks::{ClockAsked, Clocks, Sent};
use crate::events::{EventLog, News};
use crate::input::{Stream, UartErrors};
use crate::link::Link;
use crate::session::{MeterState, Origin};
use crate::slots::{Schedule, SlotClock};
use crate::stray::{Met, Turn, stray};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use evidence::reasons::{AttemptCause, ClockReason, EventCode};
use evidence::{Captured, MonoNs, ScheduleId, Seq};

/// Whether the port goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    /// Nothing new starts; until then it waits for numbers.
    Stopping {
        until: MonoNs,
    },
    Stopped,
}

/// What every port has.
#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) origin: Origin,
    pub(crate) schedules: Vec<Schedule>,
    pub(crate) meters: Vec<MeterState>,
    pub(crate) link: Link,
    pub(crate) events: EventLog,
    pub(crate) bucket: PortBucket,
    pub(crate) bursts: Bursts,
    pub(crate) clocks: Clocks,
    /// Whether it was said that requests come back, since the port was opened.
    echo_told: bool,
    pub(crate) queue_full: bool,
    pub(crate) phase: Phase,
    /// When counters become entries; `None` before the first input.
    counters_at: Option<MonoNs>,
    /// When a meter answered last, and how many sessions have ended since.
    answered_at: Option<MonoNs>,
    unanswered: u64,
    /// Whether it was said that nobody answers.
    bus_silent: bool,
    pub(crate) last: MonoNs,
    pub(crate) out: Vec<Action>,
}

impl Books {
    /// Empty books of a port.
    pub(crate) fn new(origin: Origin) -> Self {
        Self {
            origin,
            schedules: Vec::new(),
            meters: Vec::new(),
            link: Link::new(),
            events: EventLog::default(),
            bucket: PortBucket::default(),
            bursts: Bursts::default(),
            clocks: Clocks::default(),
            echo_told: false,
            queue_full: false,
            phase: Phase::Running,
            counters_at: None,
            answered_at: None,
            unanswered: 0,
            bus_silent: false,
            last: MonoNs(0),
            out: Vec::new(),
        }
    }

    /// The place of a schedule, which one more meter follows.
    pub(crate) fn follow(&mut self, id: &ScheduleId) -> usize {
        let known = self
            .schedules
            .iter()
            .position(|schedule| schedule.id == *id);
        let at = known.unwrap_or_else(|| {
            self.schedules.push(Schedule::new(id.clone()));
            self.schedules.len() - 1
        });
        if let Some(schedule) = self.schedules.get_mut(at) {
            schedule.meters += 1;
        }
        at
    }

    pub(crate) fn number(&mut self, now: MonoNs, id: &ScheduleId, clock: SlotClock) {
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

    pub(crate) fn grant(&mut self, stream: &Stream, next: Seq, end: Seq) {
        match stream {
            Stream::Port => self.events.lease.grant(next, end),
            Stream::Meter(id) => {
                if let Some(meter) = self.meters.iter_mut().find(|meter| meter.meter.id == *id) {
                    meter.lease.grant(next, end);
                }
            }
        }
    }

    /// The log says something of orders to set clocks.
    pub(crate) fn clock(&mut self, now: MonoNs, asked: ClockAsked) {
        let stopping = self.phase != Phase::Running;
        let meters = self.meters.iter().map(|one| &one.meter);
        let told = self.clocks.take(now, asked, &self.origin, stopping, meters);
        self.out.extend(told);
    }

    /// Orders whose time has passed are given up; all of them where the node stops.
    pub(crate) fn give_up_clocks(&mut self, now: MonoNs) {
        let stopping = self.phase != Phase::Running;
        self.out
            .extend(self.clocks.give_up(&self.origin, now, stopping));
    }

    /// What became of a time that had left for a meter.
    pub(crate) fn clock_ended(
        &mut self,
        now: MonoNs,
        sent: &Sent,
        reason: ClockReason,
        exception: Option<u8>,
    ) {
        let told = self
            .clocks
            .ended(&self.origin, now, sent, reason, exception);
        self.out.push(told);
    }

    pub(crate) fn emit(&mut self, batch: Batch) {
        self.out.push(Action::Emit(batch));
    }

    pub(crate) fn emit_unnumbered(&mut self, records: Vec<Captured>) {
        if !records.is_empty() {
            self.emit(Batch {
                stream: Stream::Port,
                seq: None,
                records,
            });
        }
    }

    /// Whether a session could use the bus.
    pub(crate) fn any_waits(&self) -> bool {
        self.next_served().is_some()
    }

    /// The meter whose session has the bus next. One in quarantine is tried in the time that all others leave of a slot, if
    /// it can be.
    pub(crate) fn next_served(&self) -> Option<usize> {
        let next_due = self.schedules.iter().filter_map(Schedule::next_due).min();
        let wants = |(at, meter): (usize, &MeterState)| {
            let session = meter.next()?;
            let started = meter.active.is_some();
            let may_start = !self.queue_full && meter.lease.left() > 0;
            let fits = started || meter.fits(self.last, next_due);
            let ready = session.wants_bus() && fits && (started || may_start);
            let yields = meter.yields(self.last);
            ready.then_some((yields, session.due, session.failures, meter.served, at))
        };
        let (_, _, _, _, at) = self.meters.iter().enumerate().filter_map(wants).min()?;
        Some(at)
    }

    /// There is nothing to send on: what is due ends with that cause.
    pub(crate) fn refuse_all(&mut self, now: MonoNs, cause: AttemptCause) {
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

    /// Once per loss; that it stays lost is seen from the failed attempts.
    pub(crate) fn report_loss(&mut self, now: MonoNs, detail: String) {
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

    /// The port is open; its driver left out so much of how the line is described.
    pub(crate) fn opened(&mut self, now: MonoNs, left_out: &[String]) {
        self.link.up();
        self.bucket.line.opened(now);
        self.echo_told = false;
        self.events.note(now, News::new(EventCode::PortOpened));
        if !left_out.is_empty() {
            let news = News::new(EventCode::PortLimited).detail(left_out.join("; "));
            self.events.note(now, news);
        }
    }

    /// What the UART counted goes to the meter that is being asked.
    pub(crate) fn uart(&mut self, now: MonoNs, errors: UartErrors, asked: Option<usize>) {
        self.bucket.uart_seen = true;
        self.bursts.uart(now, errors);
        match asked.and_then(|at| self.meters.get_mut(at)) {
            Some(meter) => meter.bucket.uart.add(errors),
            None => self.bucket.unasked.uart.add(errors),
        }
        if errors.breaks > 0 {
            self.met(now, Met::Break, asked, &[]);
        }
    }

    /// Bytes that answer nothing, or a break: counted and told as the table has it.
    pub(crate) fn met(&mut self, now: MonoNs, met: Met, asked: Option<usize>, bytes: &[u8]) {
        let turn = match asked {
            Some(_) => Turn::Meter,
            None => Turn::Nobody,
        };
        let row = stray(met, turn);
        let bucket = &mut self.bucket;
        bucket.stuck += u64::from(row.stuck);
        bucket.idle_chatter += u64::from(row.chatter);
        bucket.noise += u64::from(matches!(met, Met::Noise | Met::Flood));
        bucket.foreign += u64::from(met == Met::Frame);
        let known = met == Met::Echo && core::mem::replace(&mut self.echo_told, true);
        let Some(code) = row.event.filter(|_| !known) else {
            return;
        };
        let news = News::new(code);
        let news = match met {
            Met::Flood => news.detail("more bytes without a pause than any frame has".into()),
            Met::Break => news.detail("a break".into()),
            Met::Echo => news.detail("say so with echo = \"heard\"".into()),
            Met::Noise | Met::Frame => news,
        };
        self.events.note(
            now,
            match bytes {
                [] => news,
                bytes => news.sample(bytes),
            },
        );
    }

    /// A reply to a request of the meter at this place came when that was given up.
    pub(crate) fn late(&mut self, now: MonoNs, at: usize, about: Option<Seq>, bytes: &[u8]) {
        let mut news = News::new(EventCode::LateReply).sample(bytes);
        news.about = about;
        if let Some(meter) = self.meters.get_mut(at) {
            meter.bucket.late += 1;
            news.meter = Some(meter.meter.id.clone());
        }
        self.events.note(now, news);
    }

    /// When something of these is due by itself.
    pub(crate) fn wake_times(&self) -> Vec<Option<MonoNs>> {
        let mut times: Vec<Option<MonoNs>> = Vec::new();
        if let Phase::Stopping { until } = self.phase {
            times.push(Some(until));
        } else {
            times.extend(self.schedules.iter().map(Schedule::next_due));
            times.push(self.link.retry_at());
            times.push(self.counters_at.filter(|_| !self.queue_full));
        }
        times.push(self.events.next_close());
        times.push(self.bursts.next_close());
        times.push(self.clocks.gives_up_at());
        let leases = self.meters.iter().map(|meter| meter.lease.retry_at());
        times.extend(leases);
        times.push(self.events.lease.retry_at());
        if self.can_settle() {
            times.push(Some(self.last));
        }
        times
    }
}
