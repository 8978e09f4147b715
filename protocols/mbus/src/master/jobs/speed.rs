//! Another speed for a meter, and back where it does not answer there.

use super::{Meter, News, Step, closing, opening};
use crate::master::failure::Failure;
use crate::master::request::{Request, Station};

/// Where a meter answers after it was told another speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speeded {
    /// E5h came at the old speed; else why not.
    pub told: Result<(), Failure>,
    /// At which speed it answers now, in bits a second; `None` where at neither.
    pub answers_at: Option<u32>,
    /// Why it did not answer at the new one.
    pub failure: Option<Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Opening,
    Telling,
    /// The line changes to the speed that is looked at next.
    Turning,
    Looking,
    TurningBack,
    LookingBack,
    Closing,
}

/// The job. The slave acknowledges at the old speed and takes the new one behind that; where the
/// acknowledgement is lost it has changed all the same, so that the new speed is looked at anyhow.
#[derive(Clone, Debug)]
pub(in crate::master) struct Turning {
    meter: Meter,
    old: u32,
    new: u32,
    known: bool,
    phase: Phase,
    pub(in crate::master) speeded: Speeded,
}

impl Turning {
    pub(in crate::master) const fn new(meter: Meter, old: u32, new: u32, known: bool) -> Self {
        Self {
            meter,
            old,
            new,
            known,
            phase: Phase::Opening,
            speeded: Speeded {
                told: Ok(()),
                answers_at: None,
                failure: None,
            },
        }
    }

    pub(in crate::master) fn next(&mut self, news: News<'_>) -> Step {
        let failure = news.failure();
        match self.phase {
            Phase::Opening => {
                if let Some(failure) = failure {
                    self.speeded.told = Err(failure);
                    return self.close();
                }
                if matches!(news, News::Begin)
                    && let Some(request) = opening(&self.meter, self.known)
                {
                    return Step::Ask(request);
                }
                self.phase = Phase::Telling;
                let request = Request::set_speed(self.meter.station(), self.new);
                // Looked at before the job began.
                request.map_or(Step::Done, Step::Ask)
            }
            Phase::Telling => {
                self.speeded.told = failure.map_or(Ok(()), Err);
                self.phase = Phase::Turning;
                Step::Speed(self.new)
            }
            Phase::Turning => self.look(Phase::Looking),
            Phase::Looking => match failure {
                None => {
                    self.speeded.answers_at = Some(self.new);
                    self.close()
                }
                Some(failure) => {
                    self.speeded.failure = Some(failure);
                    self.phase = Phase::TurningBack;
                    Step::Speed(self.old)
                }
            },
            Phase::TurningBack => self.look(Phase::LookingBack),
            Phase::LookingBack => {
                self.speeded.answers_at = failure.is_none().then_some(self.old);
                self.close()
            }
            Phase::Closing => Step::Done,
        }
    }

    fn look(&mut self, phase: Phase) -> Step {
        self.phase = phase;
        Step::Ask(match &self.meter {
            Meter::Secondary(pattern) => Request::select(pattern),
            Meter::Primary { .. } | Meter::Only | Meter::All => {
                Request::initialise(self.meter.station())
            }
        })
    }

    fn close(&mut self) -> Step {
        self.phase = Phase::Closing;
        match self.meter {
            // Nobody is selected at a speed at which nobody answered.
            Meter::Secondary(_) if self.speeded.answers_at.is_none() => Step::Done,
            _ => closing(&self.meter),
        }
    }
}

/// Whether a meter can be told a speed: one with a code, and a meter that can answer.
pub(in crate::master) fn can_be_told(meter: &Meter, baud: u32) -> bool {
    *meter != Meter::All && Request::set_speed(Station::Any, baud).is_some()
}
