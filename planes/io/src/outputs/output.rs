//! One output: what is selected, what runs, and what the card was asked.

mod course;
mod judge;
mod leave;

use super::group::{Around, Desk, Drive, Given, Points};
use super::proof::Proof;
use super::seen::{Seen, Value};
use super::state::{Event, State};
use alloc::collections::VecDeque;
use alloc::string::String;
use contract::{Active, AnalogOutput, DigitalOutput, OutputRules};
use evidence::kinds;
use evidence::reasons::{CommandOrigin, CommandStep, OutputOutcome, OutputReason};
use evidence::{Actor, CommitId, Decimal, MonoNs, PointId};

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;

/// What it is.
#[derive(Debug)]
pub(super) enum Spec {
    /// On a line.
    Digital(DigitalOutput),
    /// On a channel.
    Analog(AnalogOutput),
}

/// Why the card was asked to drive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Command,
    Release,
    Retreat,
}

/// Who has it selected.
#[derive(Clone, Debug)]
struct Selection {
    id: CommitId,
    origin: CommandOrigin,
    actor: Actor,
    value: Decimal,
    until: MonoNs,
}

/// The command that runs, or ran last: the end of its pulse is its too.
#[derive(Clone, Debug)]
struct Running {
    id: CommitId,
    selection: Option<CommitId>,
    value: Decimal,
    driven_at: Option<MonoNs>,
    proof: Option<Proof>,
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) commands: u64,
    pub(super) refused: u64,
    pub(super) driven: u64,
    pub(super) proved: u64,
    pub(super) mismatched: u64,
    pub(super) retreats: u64,
}

/// An output.
#[derive(Debug)]
pub(super) struct Output {
    spec: Spec,
    state: State,
    selection: Option<Selection>,
    running: Option<Running>,
    asked: VecDeque<Purpose>,
    /// When the pulse is over.
    pulse_until: Option<MonoNs>,
    /// Why it was last asked to go to its safe default, since somebody records.
    retreats_for: OutputReason,
    /// What the card was given last; `None` where that is not known.
    stands: Option<Decimal>,
    pub(super) counts: Counts,
}

/// What a record says beside outcome and reason.
#[derive(Debug, Default)]
struct Told {
    command: Option<CommitId>,
    selection: Option<CommitId>,
    value: Option<Decimal>,
    driven_at: Option<MonoNs>,
    seen: Option<Seen>,
    about: Option<String>,
}

impl Output {
    pub(super) fn new(spec: Spec) -> Self {
        Self {
            spec,
            state: State::Idle,
            selection: None,
            running: None,
            asked: VecDeque::new(),
            pulse_until: None,
            retreats_for: OutputReason::None,
            stands: None,
            counts: Counts::default(),
        }
    }

    pub(super) const fn id(&self) -> &PointId {
        match &self.spec {
            Spec::Digital(output) => &output.id,
            Spec::Analog(output) => &output.id,
        }
    }

    pub(super) const fn rules(&self) -> &OutputRules {
        match &self.spec {
            Spec::Digital(output) => &output.rules,
            Spec::Analog(output) => &output.rules,
        }
    }

    /// Its line, where it is on one.
    pub(super) const fn line(&self) -> Option<u32> {
        match &self.spec {
            Spec::Digital(output) => Some(output.line),
            Spec::Analog(_) => None,
        }
    }

    /// Whether it goes back to its safe default by itself.
    pub(super) const fn is_pulsed(&self) -> bool {
        matches!(&self.spec, Spec::Digital(output) if output.pulse_ms.is_some())
    }

    fn safe(&self) -> Decimal {
        match &self.spec {
            Spec::Digital(output) => of_switch(output.safe),
            Spec::Analog(output) => output.safe,
        }
    }

    /// Somebody records again: what is driven from now on may have to go back again.
    pub(super) const fn heard(&mut self) {
        self.retreats_for = OutputReason::None;
    }

    /// Nothing of it waits for an answer of its card.
    pub(super) fn is_settled(&self) -> bool {
        self.asked.is_empty()
    }

    /// Judges a command, and begins what it asks for.
    pub(super) fn command(
        &mut self,
        now: MonoNs,
        given: &Given,
        points: &Points<'_>,
        around: Around,
        desk: &mut Desk,
    ) {
        self.counts.commands += 1;
        let (facts, about) = self.facts(now, given, points, around);
        if let Some(reason) = facts.refusal() {
            self.refused(now, given, reason, about, desk);
            // DNP3 and IEC 60870-5 agree: an execute uses its selection up, also one that fails.
            if given.command.step == CommandStep::Execute && self.is_selected_by(given) {
                self.turn(now, Event::Drop, OutputReason::None, Told::default(), desk);
                self.selection = None;
            }
            return;
        }
        let id = given.id;
        let told = |selection: Option<CommitId>, value| Told {
            command: Some(id),
            selection,
            value,
            ..Told::default()
        };
        let selection = self.selection.as_ref().map(|one| one.id);
        match given.command.step {
            CommandStep::Select => {
                let Some(value) = given.command.value else {
                    return;
                };
                let until = now.plus_ns(self.rules().select_ms.saturating_mul(MS));
                self.selection = Some(Selection {
                    id,
                    origin: given.command.origin,
                    actor: given.command.actor.clone(),
                    value,
                    until,
                });
                let told = told(None, Some(value));
                self.turn(now, Event::Select, OutputReason::None, told, desk);
            }
            CommandStep::Cancel => {
                self.selection = None;
                let told = told(selection, None);
                self.turn(now, Event::Cancel, OutputReason::None, told, desk);
            }
            CommandStep::Execute | CommandStep::Operate => {
                let executes = given.command.step == CommandStep::Execute;
                let event = match executes {
                    true => Event::Execute,
                    false => Event::Operate,
                };
                let Some(value) = given.command.value else {
                    return;
                };
                self.selection = None;
                self.turn(now, event, OutputReason::None, Told::default(), desk);
                let proof = self.rules().feedback.as_ref().map(|feedback| {
                    let expected = match &self.spec {
                        Spec::Digital(_) => Value::Switch(value.mantissa() != 0),
                        Spec::Analog(_) => Value::Number(self.held(value).unwrap_or(value)),
                    };
                    Proof::of(feedback, expected, points.seen(&feedback.point))
                });
                self.running = Some(Running {
                    id,
                    selection: selection.filter(|_| executes),
                    value,
                    driven_at: None,
                    proof,
                });
                self.drive(Purpose::Command, value, desk);
            }
        }
    }

    /// A command is refused; nothing of the output changes by it.
    pub(super) fn refused(
        &mut self,
        now: MonoNs,
        given: &Given,
        reason: OutputReason,
        about: Option<String>,
        desk: &mut Desk,
    ) {
        self.counts.refused += 1;
        let told = Told {
            command: Some(given.id),
            selection: self.selection.as_ref().map(|one| one.id),
            value: given.command.value,
            about,
            ..Told::default()
        };
        self.tell(now, OutputOutcome::Refused, reason, told, desk);
    }

    /// A command of which only the log knows: nobody can say here what became of it.
    pub(super) fn unheard(
        &self,
        now: MonoNs,
        id: CommitId,
        (outcome, reason): (OutputOutcome, OutputReason),
        desk: &mut Desk,
    ) {
        let told = Told {
            command: Some(id),
            ..Told::default()
        };
        self.tell(now, outcome, reason, told, desk);
    }

    /// Asks the card.
    fn drive(&mut self, purpose: Purpose, value: Decimal, desk: &mut Desk) {
        let Some(raw) = self.raw(value) else { return };
        self.asked.push_back(purpose);
        let drive = match &self.spec {
            Spec::Digital(output) => Drive::Line {
                line: output.line,
                high: raw != 0,
            },
            Spec::Analog(output) => Drive::Channel {
                channel: output.channel.clone(),
                raw,
            },
        };
        desk.drive(self.id().clone(), drive);
    }

    /// What the card is given for a value: the level of a line, the number of a channel.
    fn raw(&self, value: Decimal) -> Option<i64> {
        match &self.spec {
            Spec::Digital(output) => {
                let on = value.mantissa() != 0;
                Some(i64::from(on == (output.active == Active::High)))
            }
            Spec::Analog(output) => output.raw_of(value),
        }
    }

    /// What is output for a value: of an analog one what the number on its channel stands for; nothing where that is
    /// no value that can be told.
    fn held(&self, value: Decimal) -> Option<Decimal> {
        match &self.spec {
            Spec::Digital(_) => Some(value),
            Spec::Analog(output) => output.held_of(value),
        }
    }

    /// Takes an event by the table, and tells what it says.
    fn turn(
        &mut self,
        now: MonoNs,
        event: Event,
        reason: OutputReason,
        told: Told,
        desk: &mut Desk,
    ) {
        let Some(turn) = self.state.on(event) else {
            return;
        };
        self.state = turn.to;
        if let Some(outcome) = turn.tells {
            self.tell(now, outcome, reason, told, desk);
        }
    }

    fn tell(
        &self,
        at: MonoNs,
        outcome: OutputOutcome,
        reason: OutputReason,
        told: Told,
        desk: &mut Desk,
    ) {
        let (line, channel) = match &self.spec {
            Spec::Digital(output) => (Some(u64::from(output.line)), None),
            Spec::Analog(output) => (None, Some(output.channel.clone())),
        };
        let raw = told.value.and_then(|value| self.raw(value));
        let raw = raw.filter(|_| told.driven_at.is_some());
        let value = match raw {
            Some(_) => told.value.and_then(|value| self.held(value)),
            None => told.value,
        };
        let feedback = self.rules().feedback.as_ref();
        desk.tell(kinds::Output {
            at,
            point_id: self.id().clone(),
            source: desk.card.clone(),
            line,
            channel,
            seq: evidence::Seq(0),
            outcome,
            reason,
            command: told.command,
            selection: told.selection,
            value,
            raw: raw.and_then(|raw| Decimal::new(i128::from(raw), 0).ok()),
            driven_at: told.driven_at,
            feedback: told.seen.and(feedback).map(|one| one.point.clone()),
            feedback_value: told.seen.and_then(|seen| seen.number()),
            feedback_quality: told.seen.map(|seen| seen.quality),
            about: told.about,
            contract: desk.contract,
        });
    }
}

/// 1 for on, 0 for off.
fn of_switch(on: bool) -> Decimal {
    Decimal::new(i128::from(on), 0).unwrap_or_else(|_| unreachable!("a digit is a decimal"))
}
