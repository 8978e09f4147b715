//! The card that is opened and lost, and the way to the safe default.

use super::{Output, Purpose, Spec, Told, of_switch};
use crate::outputs::group::Desk;
use crate::outputs::proof::Proof;
use crate::outputs::state::{Event, State};
use alloc::string::ToString;
use contract::{Active, OnLoss};
use evidence::MonoNs;
use evidence::reasons::{OutputOutcome, OutputReason};

impl Output {
    /// When something is due by itself.
    pub(in crate::outputs) fn deadline(&self) -> Option<MonoNs> {
        let selected = self.selection.as_ref().map(|one| one.until);
        let proof = self.running.as_ref().and_then(|one| one.proof.as_ref());
        let proof = proof.filter(|_| self.state == State::Proving);
        let times = [selected, self.pulse_until, proof.map(Proof::decided_at)];
        times.into_iter().flatten().min()
    }

    /// The card was opened. A line has its level from then on; a channel is driven to where it is safe.
    pub(in crate::outputs) fn opened(&mut self, now: MonoNs, high: Option<bool>, desk: &mut Desk) {
        let holds = self.rules().on_loss == OnLoss::Hold;
        self.retreats_for = OutputReason::None;
        match (&self.spec, high) {
            (Spec::Digital(output), Some(high)) => {
                let on = high == (output.active == Active::High);
                self.stands = Some(of_switch(on));
                if !holds && on != output.safe {
                    self.opened_elsewhere(now, desk);
                    return;
                }
                let outcome = match on == output.safe {
                    true => OutputOutcome::Safe,
                    false => OutputOutcome::Kept,
                };
                let told = Told {
                    value: self.stands,
                    driven_at: Some(now),
                    ..Told::default()
                };
                self.tell(now, outcome, OutputReason::Opened, told, desk);
            }
            (Spec::Analog(_), _) if !holds => {
                self.stands = None;
                self.retreat(now, OutputReason::Opened, desk);
            }
            _ => {
                let told = Told::default();
                self.tell(now, OutputOutcome::Kept, OutputReason::Opened, told, desk);
            }
        }
    }

    /// It was driven to its safe default as its card was opened, and is not there.
    fn opened_elsewhere(&self, now: MonoNs, desk: &mut Desk) {
        let told = Told {
            value: Some(self.safe()),
            about: Some("the card was opened, and the line reads otherwise".to_string()),
            ..Told::default()
        };
        let (outcome, why) = (OutputOutcome::Failed, OutputReason::DriverFault);
        self.tell(now, outcome, why, told, desk);
    }

    /// The card is gone, and with it what was asked of it.
    pub(in crate::outputs) fn gone(&mut self, now: MonoNs, desk: &mut Desk) {
        self.asked.clear();
        self.pulse_until = None;
        self.stands = None;
        let told = self.of_what_runs();
        self.selection = None;
        self.turn(now, Event::Gone, OutputReason::CardLost, told, desk);
    }

    /// Whether it is elsewhere than at its safe default, and was not asked there for this reason already: a card
    /// that refuses is not asked without end.
    pub(in crate::outputs) fn strays(&self, reason: OutputReason) -> bool {
        let still = matches!(self.state, State::Idle | State::Selected);
        let rests = still && self.stands == Some(self.safe());
        let asked = self.state == State::Retreating || self.retreats_for == reason;
        !(asked || rests && self.is_settled())
    }

    /// It goes to its safe default, where it is not there.
    pub(in crate::outputs) fn retreat(
        &mut self,
        now: MonoNs,
        reason: OutputReason,
        desk: &mut Desk,
    ) {
        if !self.strays(reason) {
            return;
        }
        let told = self.of_what_runs();
        self.selection = None;
        self.pulse_until = None;
        self.retreats_for = reason;
        self.turn(now, Event::Retreat, reason, told, desk);
        self.counts.retreats += 1;
        self.drive(Purpose::Retreat, self.safe(), desk);
    }

    /// It holds, and what runs or is selected is given up.
    pub(in crate::outputs) fn give_up(
        &mut self,
        now: MonoNs,
        reason: OutputReason,
        desk: &mut Desk,
    ) {
        let told = self.of_what_runs();
        let event = match self.state {
            State::Selected => Event::Cancel,
            State::Proving => Event::Missed,
            State::Idle | State::Driving | State::Retreating => return,
        };
        self.selection = None;
        self.turn(now, event, reason, told, desk);
    }

    /// The command that runs, or else the selection that is given up.
    fn of_what_runs(&self) -> Told {
        match self.state {
            State::Driving | State::Proving => self.of_running(),
            State::Idle | State::Selected | State::Retreating => Told {
                selection: self.selection.as_ref().map(|one| one.id),
                ..Told::default()
            },
        }
    }
}
