//! One exchange after another on one line: the table of states, driven by bytes and time.

use super::failure::Failure;
use super::inbox::{Heard, LineErrors};
use super::judge::{Answer, Proof, judge};
use super::request::{Due, Request, Station};
use super::states::{Action, Event, State, next};
use super::timing::Timing;
use crate::limits::{BUSY_NS_MAX, POWER_UP_NS};
use alloc::vec::Vec;

/// What a bus has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// Voltage.
    On,
    /// None.
    Off,
    /// Its converter reports overload or a short.
    Overload,
}

/// One time that a request was sent, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it was handed over to be sent, in monotonic nanoseconds.
    pub sent_ns: u64,
    /// What was heard.
    pub heard: Heard,
    /// Why it was no answer; `None` where it was one.
    pub failure: Option<Failure>,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The number it was given.
    pub token: u64,
    /// Whom it was for.
    pub station: Station,
    /// The frame, the same in every attempt.
    pub request: Vec<u8>,
    /// Every time it was sent: once and its repeats.
    pub attempts: Vec<Attempt>,
    /// The answer, or why there is none: the failure of the last attempt, or what kept the next from being made.
    pub outcome: Result<Answer, Failure>,
    /// What the answer proves of who gave it.
    pub proof: Proof,
    /// Runs of bytes without a request that were heard since the report before.
    pub strays: u32,
}

impl Report {
    /// The frame of the answer; empty where there is none.
    #[must_use]
    pub fn reply(&self) -> &[u8] {
        match (&self.outcome, self.attempts.last()) {
            (Ok(_), Some(attempt)) => attempt.heard.reply(),
            _ => &[],
        }
    }

    /// Nothing at all was heard in any attempt.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.attempts.iter().all(|attempt| attempt.heard.is_quiet())
    }
}

/// What was heard without a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The bytes, and when.
    pub heard: Heard,
    /// The request given up last that this would have answered, by its number: a late reply.
    pub late_for: Option<u64>,
}

/// What a link wants or tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Send these bytes now.
    Send(Vec<u8>),
    /// A request has ended.
    Report(Report),
    /// Something was heard without one.
    Stray(Stray),
}

#[derive(Clone, Debug)]
struct Current {
    token: u64,
    request: Request,
    frame: Vec<u8>,
    attempts: Vec<Attempt>,
}

/// The line and the one request on it.
#[derive(Clone, Debug)]
pub(super) struct Link {
    timing: Timing,
    state: State,
    deadline_ns: Option<u64>,
    /// The line has been silent since.
    quiet_ns: u64,
    /// Until then the rest of a frame that ended too early may come.
    rest_ns: u64,
    /// A request has waited for silence since.
    resting_ns: u64,
    heard: Heard,
    current: Option<Current>,
    /// The request given up last and what was heard to it, for a reply that is later than late.
    missed: Option<(u64, Request, Heard)>,
    strays: u32,
    without: Failure,
    /// What judging found, until the table has taken it up.
    judged: Option<Result<(Answer, Proof), Failure>>,
}

impl Link {
    /// A line with voltage, silent since `now_ns`.
    pub(super) fn new(timing: Timing, now_ns: u64) -> Self {
        Self {
            timing,
            state: State::Idle,
            deadline_ns: None,
            quiet_ns: now_ns,
            rest_ns: now_ns,
            resting_ns: now_ns,
            heard: Heard::default(),
            current: None,
            missed: None,
            strays: 0,
            without: Failure::NoPower,
            judged: None,
        }
    }

    pub(super) const fn timing(&self) -> Timing {
        self.timing
    }

    pub(super) const fn set_timing(&mut self, timing: Timing) {
        self.timing = timing;
    }

    /// No slave can speak: what a bus without voltage, or with rising one, does to the line is no telegram.
    const fn is_dead(&self) -> bool {
        matches!(self.state, State::Off | State::Starting)
    }

    /// The bus has no voltage, so that nothing can be sent.
    pub(super) const fn is_off(&self) -> bool {
        matches!(self.state, State::Off)
    }

    pub(super) const fn deadline_ns(&self) -> Option<u64> {
        self.deadline_ns
    }

    /// Takes a request with its frame. The caller has seen that there is none yet.
    pub(super) fn ask(
        &mut self,
        token: u64,
        request: Request,
        frame: Vec<u8>,
        now_ns: u64,
        out: &mut Vec<Output>,
    ) {
        if self.current.is_some() {
            return;
        }
        self.current = Some(Current {
            token,
            request,
            frame,
            attempts: Vec::new(),
        });
        self.event(Event::Ask, now_ns, now_ns, out);
        self.tick(now_ns, out);
    }

    /// What is due by now.
    pub(super) fn tick(&mut self, now_ns: u64, out: &mut Vec<Output>) {
        while let Some(at_ns) = self.deadline_ns
            && at_ns <= now_ns
        {
            self.deadline_ns = None;
            self.event(Event::Timer, at_ns, now_ns, out);
        }
    }

    /// Bytes that were read now.
    pub(super) fn received(&mut self, bytes: &[u8], now_ns: u64, out: &mut Vec<Output>) {
        // What comes at the very end of a window is in time. Within a frame only a look that found nothing is a
        // silence: a host that was held up has not seen one, and what it reads now may have come long ago.
        if self.state != State::Receiving || self.heard.missing() == 0 {
            self.tick(now_ns.saturating_sub(1), out);
        }
        if bytes.is_empty() || self.is_dead() {
            return;
        }
        let sent = match (&self.current, self.state) {
            (_, State::Idle | State::Resting) | (None, _) => &[][..],
            (Some(current), _) => current.frame.as_slice(),
        };
        let event = self.heard.take(bytes, now_ns, sent);
        self.quiet_ns = now_ns;
        let event = match (self.state, event) {
            (State::Resting, _) if now_ns.saturating_sub(self.resting_ns) > BUSY_NS_MAX => {
                Event::Flood
            }
            // While a request waits it is time that counts, not bytes.
            (State::Resting, Event::Flood) => Event::Part,
            (_, event) => event,
        };
        self.event(event, now_ns, now_ns, out);
    }

    /// What the receiver of the port counted since it was last asked.
    pub(super) fn line_errors(&mut self, errors: LineErrors, now_ns: u64, out: &mut Vec<Output>) {
        self.tick(now_ns, out);
        if !self.is_dead() {
            self.heard.errors = self.heard.errors.and(errors);
        }
    }

    /// The last bit of the request has left, for a host that can tell.
    pub(super) fn sent(&mut self, now_ns: u64, out: &mut Vec<Output>) {
        if self.state == State::Sending {
            self.deadline_ns = Some(now_ns);
        }
        self.tick(now_ns, out);
    }

    /// What the bus has now.
    pub(super) fn power(&mut self, power: Power, now_ns: u64, out: &mut Vec<Output>) {
        self.tick(now_ns, out);
        let event = match power {
            Power::On => Event::PowerOn,
            Power::Off | Power::Overload => Event::PowerOff,
        };
        match power {
            Power::Off => self.without = Failure::NoPower,
            Power::Overload => self.without = Failure::Overload,
            Power::On => {}
        }
        self.event(event, now_ns, now_ns, out);
    }

    fn event(&mut self, event: Event, at_ns: u64, now_ns: u64, out: &mut Vec<Output>) {
        let from = self.state;
        let (action, to) = next(from, event);
        self.state = to;
        match action {
            Action::Nothing | Action::Hold | Action::Refuse => {}
            Action::Start => self.deadline_ns = Some(at_ns.saturating_add(POWER_UP_NS)),
            Action::Fail => {
                self.deadline_ns = None;
                self.heard = Heard::default();
                self.give_up(self.without, out);
            }
            Action::Release => {
                self.quiet_ns = at_ns;
                if self.current.is_some() {
                    self.event(Event::Ask, at_ns, now_ns, out);
                }
            }
            Action::Rest => {
                self.resting_ns = at_ns;
                self.deadline_ns = Some(self.quiet_ns.saturating_add(self.timing.idle_ns()));
            }
            Action::Send => self.send(now_ns, out),
            Action::Open => self.open(from, at_ns, now_ns, out),
            Action::Collect => self.collect(event, at_ns),
            Action::Stray => self.stray(out),
            Action::Busy => {
                self.deadline_ns = None;
                self.stray(out);
                self.give_up(Failure::Busy, out);
            }
            Action::Judge => self.judge(at_ns, now_ns, out),
            Action::Report => self.report(out),
        }
    }

    fn send(&mut self, now_ns: u64, out: &mut Vec<Output>) {
        self.stray(out);
        let Some(current) = &mut self.current else {
            self.state = State::Idle;
            return;
        };
        self.heard = Heard::default();
        current.attempts.push(Attempt {
            sent_ns: now_ns,
            heard: Heard::default(),
            failure: None,
        });
        let lasts_ns = self.timing.transfer_ns(current.frame.len());
        self.deadline_ns = Some(now_ns.saturating_add(lasts_ns));
        out.push(Output::Send(current.frame.clone()));
    }

    fn open(&mut self, from: State, at_ns: u64, now_ns: u64, out: &mut Vec<Output>) {
        self.quiet_ns = self.quiet_ns.max(at_ns);
        let nothing_due = self
            .current
            .as_ref()
            .is_some_and(|current| current.request.due == Due::Nothing);
        let window_ns = match nothing_due {
            true => self.timing.idle_ns(),
            false => self.timing.window_ns(),
        };
        self.deadline_ns = Some(at_ns.saturating_add(window_ns));
        if from == State::Sending && self.heard.early {
            // What began too early goes on until the line is silent.
            self.event(Event::Part, at_ns, now_ns, out);
        }
    }

    fn collect(&mut self, event: Event, at_ns: u64) {
        match self.state {
            State::Sending => self.heard.early |= event != Event::Echo,
            State::Settling => self.deadline_ns = Some(at_ns.saturating_add(self.timing.idle_ns())),
            State::Resting => {
                let quiet_ns = at_ns.max(self.rest_ns);
                self.deadline_ns = Some(quiet_ns.saturating_add(self.timing.idle_ns()));
            }
            _ => self.deadline_ns = Some(at_ns.saturating_add(self.timing.gap_ns())),
        }
    }

    /// Tells what was heard without a request; behind a silence it is the late reply to that attempt.
    fn stray(&mut self, out: &mut Vec<Output>) {
        let heard = core::mem::take(&mut self.heard);
        if heard.bytes.is_empty() && !heard.errors.any() {
            return;
        }
        self.strays = self.strays.saturating_add(1);
        if let Some(last) = self
            .current
            .as_mut()
            .and_then(|current| current.attempts.last_mut())
            && last.failure == Some(Failure::NoReply)
            && !heard.bytes.is_empty()
        {
            last.failure = Some(Failure::LateReply);
            last.heard = heard;
            return;
        }
        if let Some(last) = self
            .current
            .as_mut()
            .and_then(|current| current.attempts.last_mut())
            && last.failure == Some(Failure::Truncated)
            && let Some(pause_ns) = last.heard.goes_on_in(&heard)
        {
            let pause_ms = u32::try_from(pause_ns / 1_000_000).unwrap_or(u32::MAX);
            last.failure = Some(Failure::Interrupted { pause_ms });
            last.heard.bytes.extend_from_slice(&heard.bytes);
            last.heard.last_ns = heard.last_ns;
            return;
        }
        let answers = |(_, request, head): &&(u64, Request, Heard)| match head.missing() {
            0 => judge(request, &heard).is_ok(),
            _ => head.goes_on_in(&heard).is_some(),
        };
        let late_for = self.missed.as_ref().filter(answers);
        let late_for = late_for.map(|(token, ..)| *token);
        out.push(Output::Stray(Stray { heard, late_for }));
    }

    fn judge(&mut self, at_ns: u64, now_ns: u64, out: &mut Vec<Output>) {
        self.deadline_ns = None;
        let heard = core::mem::take(&mut self.heard);
        let Some(current) = &mut self.current else {
            self.state = State::Idle;
            return;
        };
        let judged = judge(&current.request, &heard);
        let silent = matches!(judged, Err(Failure::NoReply));
        if silent {
            // A reply that is only just late is heard in the rest behind the window, before it meets a repeat.
            self.quiet_ns = at_ns;
        }
        if matches!(judged, Err(Failure::Truncated)) {
            // Whoever is not at the end of his frame has so much time to say the rest, before it meets a repeat.
            let lasts_ns = self.timing.transfer_ns(heard.missing());
            self.rest_ns = at_ns.saturating_add(lasts_ns);
            self.quiet_ns = self.rest_ns;
        }
        let repeats = current.request.repeats.bounded();
        let most = if silent {
            repeats.silent
        } else {
            repeats.damaged
        };
        let made = current.attempts.len().saturating_sub(1);
        let event = match judged {
            Ok(_) => Event::Answered,
            Err(failure) if failure.reason().again && made < usize::from(most) => Event::Again,
            Err(_) => Event::GaveUp,
        };
        if let Some(attempt) = current.attempts.last_mut() {
            attempt.failure = judged.err();
            attempt.heard = heard;
        }
        self.judged = Some(judged);
        self.event(event, at_ns, now_ns, out);
    }

    fn report(&mut self, out: &mut Vec<Output>) {
        match self.judged.take() {
            Some(Ok((answer, proof))) => self.end(Ok(answer), proof, out),
            Some(Err(failure)) => self.give_up(failure, out),
            None => {}
        }
    }

    fn give_up(&mut self, failure: Failure, out: &mut Vec<Output>) {
        if let Some(current) = &mut self.current {
            let last = current.attempts.last();
            let heard = match failure {
                Failure::NoReply => Some(Heard::default()),
                Failure::Truncated => last.map(|last| last.heard.clone()),
                _ => None,
            };
            if let Some(heard) = heard {
                self.missed = Some((current.token, current.request.clone(), heard));
            }
            // An attempt that power or chatter cut short failed for that.
            if let Some(last) = current.attempts.last_mut() {
                last.failure = last.failure.or(Some(failure));
            }
        }
        self.end(Err(failure), Proof::Nothing, out);
    }

    fn end(&mut self, outcome: Result<Answer, Failure>, proof: Proof, out: &mut Vec<Output>) {
        let Some(current) = self.current.take() else {
            return;
        };
        if outcome.is_ok() {
            self.missed = None;
        }
        out.push(Output::Report(Report {
            token: current.token,
            station: current.request.station,
            request: current.frame,
            attempts: current.attempts,
            outcome,
            proof,
            strays: core::mem::take(&mut self.strays),
        }));
    }
}
