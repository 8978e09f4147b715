//! The engine of one card: one input in, the actions it calls for out.

use super::analog::Channel;
use super::io::{Action, Edge, Input, Level, Restored};
use super::line::{Line, Role};
use super::modems::PlcModem;
use super::order::{Fact, Order};
use super::said::Said;
use super::surround::Reset;
use super::watch::Watch;
use crate::events::{EventLog, News};
use crate::input::Stream;
use crate::lease::Lease;
use crate::limits::{COUNTERS_FIRST_NS, SETTLE_NS};
use crate::link::Link;
use crate::outputs::Outputs;
use crate::slots::{Schedule, SlotClock};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use contract::{CardKind, Contract, Debounce};
use core::fmt;
use evidence::reasons::{CountBasis, DowntimeCause, EventCode};
use evidence::{CommitId, MeterId, MonoNs, Payload, PointId, ScheduleId, Seq, SourceId};

/// Why there can be no engine for a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardError {
    /// The contract has no such card.
    UnknownCard(SourceId),
    /// A point names a debounce policy that the contract does not have.
    UnknownPolicy {
        /// The point.
        point: PointId,
        /// The policy.
        policy: PointId,
    },
}

impl fmt::Display for CardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCard(card) => write!(f, "the contract has no card {card}"),
            Self::UnknownPolicy { point, policy } => write!(
                f,
                "point {point} names the debounce policy {policy}, which the contract does not have"
            ),
        }
    }
}

impl core::error::Error for CardError {}

/// Whether the engine goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Running,
    /// What began by the stop has until then to hold for its window; nothing new starts.
    Ending {
        stop: MonoNs,
        until: MonoNs,
    },
    /// Until then it waits for numbers.
    Stopping {
        until: MonoNs,
    },
    Stopped,
}

/// The engine of one card.
#[derive(Debug)]
pub struct CardEngine {
    pub(super) card: SourceId,
    /// It is a recording: a test whatever people do.
    pub(super) played: bool,
    pub(super) contract: CommitId,
    pub(super) schedules: Vec<Schedule>,
    pub(super) lines: Vec<Line>,
    pub(super) channels: Vec<Channel>,
    pub(super) watches: Vec<Watch>,
    pub(super) resets: Vec<Reset>,
    pub(super) outputs: Outputs,
    pub(super) said: Said,
    pub(super) modems: Vec<PlcModem>,
    pub(super) order: Order,
    pub(super) link: Link,
    pub(super) lease: Lease,
    pub(super) events: EventLog,
    /// Records that wait for numbers or for space, in order.
    pub(super) waiting: VecDeque<Payload>,
    pub(super) queue_full: bool,
    pub(super) phase: Phase,
    pub(super) counters_at: Option<MonoNs>,
    pub(super) last: MonoNs,
    /// Every edge up to here was handed over.
    pub(super) known: MonoNs,
    pub(super) link_lost: u64,
    /// Edges out of order that an event has told.
    pub(super) late_told: u64,
    /// Edges of lines that no point has.
    pub(super) strangers: u64,
    pub(super) out: Vec<Action>,
}

impl CardEngine {
    /// The engine of a card of the contract; `configuration` is the entry that put it in force, `counts` is
    /// where the pulse meters stood before; one that is not there begins at 0.
    ///
    /// # Errors
    /// The contract does not hold together for this card; a parsed contract does.
    pub fn new(
        contract: &Contract,
        card: &SourceId,
        configuration: CommitId,
        counts: &BTreeMap<PointId, Restored>,
    ) -> Result<Self, CardError> {
        let points = &contract.points;
        let found = points.cards.get(card);
        let found = found.ok_or_else(|| CardError::UnknownCard(card.clone()))?;
        let test = found.kind == CardKind::Recording;
        let ids: Vec<&ScheduleId> = points.schedules_on(card).into_iter().collect();
        let place = |id: &ScheduleId| ids.iter().position(|one| *one == id).unwrap_or(usize::MAX);
        let policy = |point: &PointId, id: &PointId| -> Result<&Debounce, CardError> {
            let policy = points.policies.get(id);
            policy.ok_or_else(|| CardError::UnknownPolicy {
                point: point.clone(),
                policy: id.clone(),
            })
        };
        let mut lines = Vec::new();
        for input in points.inputs.values().filter(|one| one.card == *card) {
            let policy = policy(&input.id, &input.policy)?;
            let at = lines.len();
            lines.push(Line::input(input, policy, test));
            let fault = input.fault_line;
            lines.extend(fault.map(|number| Line::fault(number, input, policy, at)));
        }
        for pulse in points.pulses.values().filter(|one| one.card == *card) {
            let policy = policy(&pulse.id, &pulse.policy)?;
            let before = counts.get(&pulse.id);
            let before = before.map_or((0, CountBasis::Fresh), |one| (one.count, one.basis));
            lines.push(Line::pulse(
                pulse,
                policy,
                place(&pulse.schedule),
                before,
                test,
            ));
        }
        let analogs = points.analogs.values().filter(|one| one.card == *card);
        let channels = analogs.map(|point| Channel::new(point, place(&point.schedule), test));
        let watches = points.watched().filter(|one| one.card == *card);
        let watches = watches.map(|one| Watch::new(one.clone(), test));
        let resets = points.resets.values().filter(|one| one.card == *card);
        let channels: Vec<Channel> = channels.collect();
        let outputs = Outputs::new(contract, card, configuration);
        let modems = points.modems.values().filter(|one| one.card == *card);
        let modems = modems.map(|one| PlcModem::new(one, place(&one.schedule), test));
        Ok(Self {
            watches: watches.collect(),
            resets: resets.map(Reset::new).collect(),
            modems: modems.collect(),
            card: card.clone(),
            played: test,
            contract: configuration,
            said: Said::new(contract, card, &outputs, &lines, &channels),
            channels,
            outputs,
            schedules: ids.into_iter().cloned().map(Schedule::new).collect(),
            lines,
            order: Order::default(),
            link: Link::new(),
            lease: Lease::default(),
            events: EventLog::default(),
            waiting: VecDeque::new(),
            queue_full: false,
            phase: Phase::Running,
            counters_at: None,
            last: MonoNs(0),
            known: MonoNs(0),
            link_lost: 0,
            late_told: 0,
            strangers: 0,
            out: Vec::new(),
        })
    }

    /// The schedules that the host has to number.
    #[must_use]
    pub fn schedules(&self) -> Vec<ScheduleId> {
        let ids = self.schedules.iter().map(|schedule| schedule.id.clone());
        ids.collect()
    }

    /// Takes one input, with the monotonic time at which it happened. Every answer ends with one
    /// [`Action::WakeAt`] that replaces the one before.
    pub fn handle(&mut self, now: MonoNs, input: Input) -> Vec<Action> {
        if self.phase == Phase::Stopped {
            return Vec::new();
        }
        let now = now.max(self.last);
        self.last = now;
        match input {
            Input::Tick => {}
            Input::Schedule { schedule, clock } => self.number(now, &schedule, clock),
            Input::Lease { stream, next, end } => self.grant(&stream, next, end),
            Input::Opened(levels) => self.opened(now, &levels),
            Input::Refused { detail } => {
                self.link.refused(now);
                self.report_loss(now, detail);
            }
            Input::Lost { detail } => {
                self.link.lost(now);
                self.report_loss(now, detail);
                self.gone(now);
            }
            Input::Edges(edges) => edges.into_iter().for_each(|edge| self.edge(edge)),
            Input::Sample { channel, taken } => self.sampled(now, &channel, taken),
            Input::Text { channel, taken } => {
                self.link.heard();
                self.reset_said(now, &channel, &taken);
            }
            Input::Answer(asked) => self.modem_said(now, &asked),
            Input::QueueFull(full) => self.queue_full = full,
            Input::Work(work) => {
                let test = self.played || work.is_on(&MeterId::from(&self.card));
                self.order.put(now, Fact::Test(test));
            }
            Input::Outputs(asked) => self.asked(now, asked),
            Input::Stop => self.begin_stop(now),
        }
        self.advance(now);
        core::mem::take(&mut self.out)
    }

    /// Everything that time alone, or the input just taken, makes due.
    fn advance(&mut self, now: MonoNs) {
        if self.phase == Phase::Running {
            self.fall_due(now);
        }
        if matches!(self.phase, Phase::Running | Phase::Ending { .. }) {
            let settled = MonoNs(now.0.saturating_sub(SETTLE_NS));
            self.known = self.known.max(settled);
        }
        for at in 0..self.lines.len() {
            self.settle(at, self.known);
        }
        self.release();
        self.end_windows(now);
        if self.phase == Phase::Running {
            if self.link.opens(now) {
                self.out.push(Action::Open);
            }
            self.ask_channels(now);
        }
        self.see_to_outputs(now);
        self.tell_untold();
        self.save_counts();
        self.drain(now);
        self.tell_events(now);
        self.ask_leases(now);
        self.tell_counters(now);
        self.finish_stop(now);
        if self.phase != Phase::Stopped {
            self.wake();
        }
    }

    fn number(&mut self, now: MonoNs, id: &ScheduleId, clock: SlotClock) {
        if self.phase == Phase::Running {
            self.fall_due(now);
        }
        let found = self.schedules.iter_mut().find(|one| one.id == *id);
        let markers = found.map(|schedule| schedule.number(now, clock, &self.card));
        self.emit_unnumbered(markers.unwrap_or_default());
    }

    fn grant(&mut self, stream: &Stream, next: Seq, end: Seq) {
        match stream {
            Stream::Port => self.events.lease.grant(next, end),
            Stream::Meter(_) => self.lease.grant(next, end),
        }
    }

    fn opened(&mut self, now: MonoNs, levels: &[Level]) {
        self.link.up();
        self.events.note(now, News::new(EventCode::PortOpened));
        for level in levels {
            let line = self.lines.iter_mut().find(|one| one.number == level.line);
            if let Some(line) = line {
                line.opened(now, level.high);
            }
        }
        for channel in &mut self.channels {
            channel.next_read = now;
        }
        self.look_around(now);
        self.outputs.opened(now, levels);
    }

    fn report_loss(&mut self, now: MonoNs, detail: String) {
        if !core::mem::replace(&mut self.link.reported, true) {
            self.link_lost += 1;
            let news = News::new(EventCode::PortLost).detail(detail);
            self.events.note(now, news);
        }
    }

    /// The card is gone: what waited for its window never settles.
    fn gone(&mut self, now: MonoNs) {
        if self.is_stopped_by(now) {
            self.give_windows_up();
        }
        for line in &mut self.lines {
            line.rejected += line.filter.gone();
        }
        self.order.put(now, Fact::Gone);
        self.outputs.gone(now);
    }

    fn edge(&mut self, edge: Edge) {
        self.link.heard();
        let Some(at) = self.lines.iter().position(|one| one.number == edge.line) else {
            self.strangers += 1;
            return;
        };
        self.settle(at, edge.at);
        let stopped = self.is_stopped_by(edge.at);
        let stop = self.stopped_at();
        let Some(line) = self.lines.get_mut(at) else {
            return;
        };
        let missing = line.missing(edge.line_seqno);
        // Behind the stop an edge only says whether what began before it held, and what the kernel lost till then.
        if stopped && line.filter.waiting() == 0 {
            self.behind_the_stop(at, edge.at, missing);
            return;
        }
        line.edges += 1;
        let fate = line.filter.edge(edge.at, edge.rising);
        line.rejected += fate.rejected;
        if missing > 0 {
            line.lost += missing;
            let lost = Fact::Lost {
                line: at,
                count: missing,
            };
            self.order
                .put(stop.map_or(edge.at, |stop| stop.min(edge.at)), lost);
        }
        if let Some((began, width_ns, high)) = fate.glitch {
            let glitch = Fact::Glitch {
                line: at,
                width_ns,
                high,
            };
            self.order.put(began, glitch);
        }
        // Without a window it counts at once.
        self.settle(at, edge.at);
        self.known = self.known.max(edge.at);
    }

    /// Takes what a line's filter confirms by this instant.
    fn settle(&mut self, at: usize, now: MonoNs) {
        let Some(line) = self.lines.get_mut(at) else {
            return;
        };
        if let Some(settled) = line.filter.advance(now) {
            line.confirmed += u64::from(!settled.initial);
            let fact = Fact::Settled { line: at, settled };
            self.order.put(settled.at, fact);
        }
    }

    fn sampled(&mut self, now: MonoNs, name: &str, taken: Result<evidence::Decimal, String>) {
        self.link.heard();
        self.watched(now, name, taken.as_ref().ok().copied());
        let found = self
            .channels
            .iter()
            .position(|one| one.point.channel == name);
        if let Some(channel) = found {
            self.order.put(now, Fact::Sample { channel, taken });
        }
    }

    fn ask_channels(&mut self, now: MonoNs) {
        if !self.link.is_up() {
            return;
        }
        for channel in &mut self.channels {
            if channel.next_read <= now {
                let every_ns = channel.sample_ns();
                let behind = now.since(channel.next_read) / every_ns.max(1);
                let step = every_ns.saturating_mul(behind.saturating_add(1));
                channel.next_read = channel.next_read.plus_ns(step);
                let channel = channel.point.channel.clone();
                self.out.push(Action::Read { channel });
            }
        }
        self.ask_watched(now);
    }

    pub(super) fn fall_due(&mut self, now: MonoNs) {
        for at in 0..self.schedules.len() {
            let Some(schedule) = self.schedules.get_mut(at) else {
                continue;
            };
            let due = schedule.due(now);
            if let Some((first, count)) = due.slept {
                schedule.miss(None, first, count, DowntimeCause::Unknown);
            }
            if self.queue_full {
                for (slot, _) in due.slots {
                    schedule.miss(None, slot, 1, DowntimeCause::Backpressure);
                }
                continue;
            }
            let mut records: Vec<_> = match due.slots.is_empty() {
                true => Vec::new(),
                false => schedule.heartbeat(now, &self.card).into_iter().collect(),
            };
            records.extend(schedule.take_missed(now, &self.card));
            for (slot, due_at) in due.slots {
                self.order.put(due_at, Fact::Due { schedule: at, slot });
            }
            self.emit_unnumbered(records);
        }
    }

    /// The next time at which something is due by itself.
    fn wake(&mut self) {
        let mut times: Vec<Option<MonoNs>> = Vec::new();
        if let Phase::Stopping { until } | Phase::Ending { until, .. } = self.phase {
            times.push(Some(until));
            times.push(self.windows_end());
        } else {
            times.extend(self.schedules.iter().map(Schedule::next_due));
            times.push(self.link.retry_at());
            times.push(self.counters_at.filter(|_| !self.queue_full));
            if self.link.is_up() {
                times.extend(self.channels.iter().map(|one| Some(one.next_read)));
                times.extend(self.watches.iter().map(|one| Some(one.next_read)));
            }
        }
        let settle = |at: Option<MonoNs>| at.map(|at| at.plus_ns(SETTLE_NS));
        times.extend(self.lines.iter().map(|one| settle(one.filter.deadline())));
        let end = self.end();
        let first = self
            .order
            .first()
            .into_iter()
            .chain(self.next_timer().map(|(at, _)| at));
        let running = self.phase == Phase::Running;
        let free = first
            .filter(|at| running && *at >= end && self.pending().is_none_or(|since| *at < since));
        times.extend(free.map(|at| settle(Some(at))));
        times.push(self.outputs.deadline(self.link.is_up()));
        times.push(self.events.next_close());
        times.push(self.lease.retry_at());
        times.push(self.events.lease.retry_at());
        if let Some(at) = times.into_iter().flatten().min() {
            self.out.push(Action::WakeAt(at));
        }
    }

    /// The earliest change that waits for its window.
    pub(super) fn pending(&self) -> Option<MonoNs> {
        let pending = self.lines.iter().filter_map(|one| one.filter.pending());
        pending.min()
    }

    /// Nothing before this instant can come any more.
    pub(super) fn end(&self) -> MonoNs {
        let known = match self.phase {
            Phase::Ending { stop, .. } => self.known.min(stop),
            Phase::Running | Phase::Stopping { .. } | Phase::Stopped => self.known,
        };
        let known = known.plus_ns(1);
        self.pending().map_or(known, |since| since.min(known))
    }

    /// When counters become entries first.
    pub(super) fn first_counters(now: MonoNs) -> MonoNs {
        now.plus_ns(COUNTERS_FIRST_NS)
    }

    /// The pulse meter of a line.
    pub(super) fn pulse_of(line: &mut Line) -> Option<&mut super::line::Pulse> {
        match &mut line.role {
            Role::Pulse(pulse) => Some(pulse),
            Role::Input(_) | Role::Fault { .. } => None,
        }
    }
}
