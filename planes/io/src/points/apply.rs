//! What facts come to, one after the other in the order of their instants.

use super::engine::CardEngine;
use super::filter::Settled;
use super::line::Role;
use super::order::Fact;
use crate::events::News;
use crate::limits::FACTS_MAX;
use alloc::format;
use evidence::reasons::{AnalogCause, EdgeLossCause, EventCode, SoeChange};
use evidence::{MonoNs, Slot};

/// Something that time alone brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// A line is calm again, or has fewer glitches.
    Calm(usize),
    /// A channel's value is too old.
    Stale(usize),
}

impl CardEngine {
    /// Applies every fact and every timer before which nothing can come any more.
    pub(super) fn release(&mut self) {
        loop {
            let full = self.order.len() > FACTS_MAX;
            let end = if full { MonoNs(u64::MAX) } else { self.end() };
            let timer = self.next_timer().filter(|(at, _)| *at < end);
            let fact = self.order.first().filter(|at| *at < end);
            match (timer, fact) {
                (Some((at, timer)), fact) if fact.is_none_or(|fact| at <= fact) => {
                    self.time_is_over(at, timer);
                }
                (_, Some(_)) => {
                    if let Some((at, fact)) = self.order.take(end) {
                        self.apply(at, fact);
                    }
                }
                _ => break,
            }
        }
    }

    pub(super) fn next_timer(&self) -> Option<(MonoNs, Timer)> {
        let lines = self.lines.iter().enumerate().filter_map(|(at, line)| {
            let Role::Input(input) = &line.role else {
                return None;
            };
            let gates = [input.chatter.opens_at(), input.noise.opens_at()];
            Some((gates.into_iter().flatten().min()?, Timer::Calm(at)))
        });
        let channels = self.channels.iter().enumerate();
        let channels = channels.filter_map(|(at, one)| Some((one.stale_at()?, Timer::Stale(at))));
        lines.chain(channels).min_by_key(|(at, _)| *at)
    }

    fn time_is_over(&mut self, at: MonoNs, timer: Timer) {
        match timer {
            Timer::Calm(line) => {
                if let Some(Role::Input(input)) = self.lines.get_mut(line).map(|one| &mut one.role)
                {
                    input.chatter.open(at);
                    input.noise.open(at);
                }
                self.check_quality(line, at);
            }
            Timer::Stale(channel) => {
                if let Some(one) = self.channels.get_mut(channel) {
                    one.stale();
                }
                self.tell_analog(channel, AnalogCause::Quality, None);
            }
        }
    }

    fn apply(&mut self, at: MonoNs, fact: Fact) {
        match fact {
            Fact::Settled { line, settled } => self.settled(line, &settled),
            Fact::Glitch {
                line,
                width_ns,
                high,
            } => self.glitch(at, line, width_ns, high),
            Fact::Lost { line, count } => self.lost(at, line, count),
            Fact::Due { schedule, slot } => self.due(at, schedule, slot),
            Fact::Sample { channel, taken } => self.sample(at, channel, taken),
            Fact::Watched { watch, taken } => self.take_watched(at, watch, taken),
            Fact::Test(test) => self.set_test(at, test),
            Fact::Gone => self.all_gone(at),
        }
    }

    fn settled(&mut self, at: usize, settled: &Settled) {
        let Some(line) = self.lines.get_mut(at) else {
            return;
        };
        let active = line.is_active(settled.high);
        match &mut line.role {
            Role::Input(input) => {
                input.state = Some(active);
                input.set += u64::from(active && !settled.initial);
                input.since = settled.at;
                if settled.initial {
                    input.condition.known = true;
                    self.tell(at, settled.at, SoeChange::Initial, Some(settled));
                    return;
                }
                input.chatter.note(settled.at);
                input.condition.chatters = input.chatter.is_closed();
                let row = input.condition.row();
                if row.tells && row.quality == input.quality {
                    self.tell(at, settled.at, SoeChange::Edge, Some(settled));
                    return;
                }
                let why = match input.condition.chatters && input.condition.fault.is_none() {
                    true => EdgeLossCause::Chatter,
                    false => EdgeLossCause::InvalidState,
                };
                input.untold(why);
                self.check_quality(at, settled.at);
            }
            Role::Fault { of, fault } => {
                let (of, fault) = (*of, active.then_some(*fault));
                if let Some(Role::Input(input)) = self.lines.get_mut(of).map(|one| &mut one.role) {
                    input.condition.fault = fault;
                }
                self.check_quality(of, settled.at);
            }
            Role::Pulse(_) if active && !settled.initial => self.pulse(at, settled.at),
            Role::Pulse(_) => {}
        }
    }

    fn pulse(&mut self, at: usize, began: MonoNs) {
        let now = self.last;
        let Some(pulse) = self.lines.get_mut(at).and_then(Self::pulse_of) else {
            return;
        };
        pulse.count = pulse.count.saturating_add(1);
        pulse.pulse_at = Some(began);
        pulse.moved = true;
        let passed = pulse
            .meter
            .capacity
            .filter(|capacity| pulse.count.is_multiple_of(*capacity));
        if let Some(capacity) = passed {
            pulse.overflows += 1;
            let times = pulse.count / capacity.max(1);
            let words = format!("{} passed {capacity}, {times} times by now", pulse.meter.id);
            self.events
                .note(now, News::new(EventCode::PulseOverflow).detail(words));
        }
    }

    fn glitch(&mut self, at: MonoNs, place: usize, width_ns: u64, high: bool) {
        let Some(line) = self.lines.get_mut(place) else {
            return;
        };
        line.widths.note(width_ns);
        let active = line.is_active(high);
        let long = width_ns.saturating_mul(2) >= line.window_us.saturating_mul(1_000);
        match &mut line.role {
            Role::Input(input) => {
                input.noise.note(at);
                self.check_quality(place, at);
            }
            Role::Pulse(pulse) if active && long => pulse.suspect(1),
            Role::Pulse(_) | Role::Fault { .. } => {}
        }
    }

    fn lost(&mut self, at: MonoNs, place: usize, count: u64) {
        match self.lines.get_mut(place).map(|one| &mut one.role) {
            // Two edges are a pulse.
            Some(Role::Pulse(pulse)) => pulse.suspect(count.div_ceil(2)),
            Some(Role::Input(_) | Role::Fault { .. }) => {
                self.tell_lost(place, at, count, EdgeLossCause::KernelBuffer);
            }
            None => {}
        }
    }

    fn due(&mut self, at: MonoNs, schedule: usize, slot: Slot) {
        for line in 0..self.lines.len() {
            let follows = self.lines.get_mut(line).and_then(Self::pulse_of);
            if follows.is_some_and(|pulse| pulse.schedule == schedule) {
                self.snapshot(line, at, Some(slot));
            }
        }
        self.ask_modems(schedule, slot);
        for channel in 0..self.channels.len() {
            let follows = self.channels.get(channel);
            if follows.is_some_and(|one| one.schedule == schedule) {
                if let Some(one) = self
                    .channels
                    .get_mut(channel)
                    .filter(|one| one.last.is_none())
                {
                    one.gone(at);
                }
                self.tell_analog(channel, AnalogCause::Cyclic, Some(slot));
            }
        }
    }

    fn sample(
        &mut self,
        at: MonoNs,
        channel: usize,
        taken: Result<evidence::Decimal, alloc::string::String>,
    ) {
        let Some(one) = self.channels.get_mut(channel) else {
            return;
        };
        match taken {
            Ok(raw) => one.take(at, raw),
            Err(detail) => {
                one.faults += 1;
                let first = one.last.as_ref().is_none_or(|last| last.raw.is_some());
                one.gone(at);
                if first {
                    let words = format!("{}: {detail}", one.point.channel);
                    self.events
                        .note(at, News::new(EventCode::PortLost).detail(words));
                }
            }
        }
        let changed = self
            .channels
            .get(channel)
            .map(|one| (one.quality_changed(), one.moved()));
        match changed {
            Some((true, _)) => self.tell_analog(channel, AnalogCause::Quality, None),
            Some((false, true)) => self.tell_analog(channel, AnalogCause::Spontaneous, None),
            _ => {}
        }
    }

    /// People begin or end work: inputs tell it at once, counts and values with what they say next.
    fn set_test(&mut self, at: MonoNs, test: bool) {
        for place in 0..self.lines.len() {
            match self.lines.get_mut(place).map(|one| &mut one.role) {
                Some(Role::Input(input)) => input.condition.test = test,
                Some(Role::Pulse(pulse)) => pulse.test = test,
                Some(Role::Fault { .. }) | None => {}
            }
            self.check_quality(place, at);
        }
        for channel in &mut self.channels {
            channel.test = test;
        }
        for watch in &mut self.watches {
            watch.test = test;
        }
        for modem in &mut self.modems {
            modem.test = test;
        }
    }

    fn all_gone(&mut self, at: MonoNs) {
        for place in 0..self.lines.len() {
            match self.lines.get_mut(place).map(|one| &mut one.role) {
                Some(Role::Input(input)) => {
                    input.state = None;
                    input.condition.known = false;
                    input.condition.fault = None;
                    input.chatter.reset();
                    input.noise.reset();
                    self.check_quality(place, at);
                }
                Some(Role::Pulse(pulse)) => pulse.suspect(1),
                Some(Role::Fault { .. }) | None => {}
            }
        }
        for channel in 0..self.channels.len() {
            if let Some(one) = self.channels.get_mut(channel) {
                one.gone(at);
            }
            if self
                .channels
                .get(channel)
                .is_some_and(|one| one.quality_changed())
            {
                self.tell_analog(channel, AnalogCause::Quality, None);
            }
        }
        self.watched_gone(at);
    }

    /// Tells where what may be believed of an input is not what was told last.
    fn check_quality(&mut self, place: usize, at: MonoNs) {
        let Some(Role::Input(input)) = self.lines.get_mut(place).map(|one| &mut one.role) else {
            return;
        };
        input.condition.chatters = input.chatter.is_closed();
        input.condition.noisy = input.noise.is_closed();
        if input.condition.row().quality != input.quality {
            self.tell(place, at, SoeChange::Quality, None);
        }
    }
}
