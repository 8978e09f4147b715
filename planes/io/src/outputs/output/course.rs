//! What follows from a drive: its proof, the end of its pulse.

use super::{MS, Output, Purpose, Spec, Told};
use crate::outputs::group::{Desk, Points};
use crate::outputs::state::{Event, State};
use alloc::string::String;
use evidence::MonoNs;
use evidence::reasons::{OutputOutcome, OutputReason};

impl Output {
    /// What became of the oldest drive.
    pub(in crate::outputs) fn driven(
        &mut self,
        now: MonoNs,
        taken: Result<(), String>,
        desk: &mut Desk,
    ) {
        let Some(purpose) = self.asked.pop_front() else {
            return;
        };
        match (purpose, taken) {
            (Purpose::Command, taken) if self.state == State::Driving => {
                self.command_driven(now, taken, desk);
            }
            // The card was lost, or the output had to go back meanwhile: that is told already.
            (Purpose::Command, _) => {}
            (Purpose::Release, taken) => self.released(now, taken, desk),
            (Purpose::Retreat, Ok(())) => {
                self.stands = Some(self.safe());
                let told = Told {
                    value: self.stands,
                    driven_at: Some(now),
                    ..Told::default()
                };
                let why = self.retreats_for;
                self.turn(now, Event::Retreated, why, told, desk);
            }
            (Purpose::Retreat, Err(words)) => {
                let told = Told {
                    value: Some(self.safe()),
                    about: Some(words),
                    ..Told::default()
                };
                let why = OutputReason::DriverFault;
                self.turn(now, Event::Failed, why, told, desk);
            }
        }
    }

    fn command_driven(&mut self, now: MonoNs, taken: Result<(), String>, desk: &mut Desk) {
        let Some(running) = &mut self.running else {
            return;
        };
        if let Err(words) = taken {
            self.stands = None;
            let told = Told {
                about: Some(words),
                ..self.of_running()
            };
            let why = OutputReason::DriverFault;
            self.turn(now, Event::Failed, why, told, desk);
            return;
        }
        self.counts.driven += 1;
        self.retreats_for = OutputReason::None;
        running.driven_at = Some(now);
        if let Some(proof) = &mut running.proof {
            proof.begin(now);
        }
        let event = match running.proof {
            Some(_) => Event::Driven,
            None => Event::Bare,
        };
        self.stands = Some(running.value);
        if let Spec::Digital(output) = &self.spec
            && let Some(pulse_ms) = output.pulse_ms
        {
            self.pulse_until = Some(now.plus_ns(pulse_ms.saturating_mul(MS)));
        }
        let told = self.of_running();
        self.turn(now, event, OutputReason::None, told, desk);
    }

    fn released(&mut self, now: MonoNs, taken: Result<(), String>, desk: &mut Desk) {
        let told = Told {
            value: Some(self.safe()),
            driven_at: taken.is_ok().then_some(now),
            about: taken.as_ref().err().cloned(),
            ..self.of_running()
        };
        let reason = match taken {
            Ok(()) => OutputReason::None,
            Err(_) => OutputReason::DriverFault,
        };
        self.stands = taken.is_ok().then(|| self.safe());
        self.tell(now, OutputOutcome::Released, reason, told, desk);
    }

    pub(super) fn of_running(&self) -> Told {
        let running = self.running.as_ref();
        Told {
            command: running.map(|one| one.id),
            selection: running.and_then(|one| one.selection),
            value: running.map(|one| one.value),
            driven_at: running.and_then(|one| one.driven_at),
            ..Told::default()
        }
    }

    /// What time, or what points say by now, brings.
    pub(in crate::outputs) fn advance(
        &mut self,
        now: MonoNs,
        points: &Points<'_>,
        desk: &mut Desk,
    ) {
        if self.selection.as_ref().is_some_and(|one| one.until <= now) {
            let told = Told {
                selection: self.selection.take().map(|one| one.id),
                ..Told::default()
            };
            self.turn(now, Event::Expire, OutputReason::None, told, desk);
        }
        if self.pulse_until.is_some_and(|until| until <= now) {
            self.pulse_until = None;
            self.drive(Purpose::Release, self.safe(), desk);
        }
        if self.state == State::Proving {
            self.prove(now, points, desk);
        }
    }

    fn prove(&mut self, now: MonoNs, points: &Points<'_>, desk: &mut Desk) {
        let rules = self.rules();
        let seen = rules.feedback.as_ref().map(|one| points.seen(&one.point));
        let proof = self.running.as_mut().and_then(|one| one.proof.as_mut());
        let (Some(seen), Some(proof)) = (seen, proof) else {
            return;
        };
        let Some(verdict) = proof.look(now, &seen) else {
            return;
        };
        let told = Told {
            seen: Some(seen),
            ..self.of_running()
        };
        match verdict {
            Ok(reason) => {
                self.counts.proved += 1;
                self.turn(now, Event::Proved, reason, told, desk);
            }
            Err(reason) => {
                self.counts.mismatched += 1;
                self.turn(now, Event::Missed, reason, told, desk);
            }
        }
    }
}
