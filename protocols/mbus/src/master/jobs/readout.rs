//! Reading a meter: all its telegrams, each known to be the next one of the same meter.

use super::{Meter, News, Step, closing, opening};
use crate::limits::TELEGRAMS_MAX;
use crate::master::failure::Failure;
use crate::master::identity::{Pattern, Speaker};
use crate::master::judge::{Answer, Proof, records};
use crate::master::link::Report;
use crate::master::request::Request;
use crate::moment::Moment;
use crate::record::{Function, Value};
use crate::telegram::Telegram;
use alloc::vec::Vec;

/// One telegram, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The whole frame.
    pub frame: Vec<u8>,
    /// What its head says.
    pub speaker: Option<Speaker>,
    /// What it proves of who sent it.
    pub proof: Proof,
    /// When the request was handed over, in monotonic nanoseconds.
    pub sent_ns: u64,
    /// When the first byte was read.
    pub first_ns: u64,
    /// When the last byte was read.
    pub last_ns: u64,
    /// The access number is that of the telegram before, of this readout or the one before it: the meter
    /// does not count, or sends something old.
    pub number_stood: bool,
}

impl Kept {
    /// The meter's own time: its newest record of date and time that is of now (VIF 6Dh, storage 0).
    #[must_use]
    pub fn meter_time(&self) -> Option<Moment> {
        const QUANTITY: &str = "Time point (date & time)";
        let telegram = Telegram::read(&self.frame);
        telegram.records.iter().find_map(|record| {
            let of_now = record.function == Function::Instantaneous
                && record.storage == 0
                && record.quantity.as_deref() == Some(QUANTITY);
            match record.value {
                Value::Moment(moment) if of_now => Some(moment),
                _ => None,
            }
        })
    }
}

/// What a readout gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readout {
    /// The telegrams in their order; those before a failure as well.
    pub telegrams: Vec<Kept>,
    /// Why it is not whole; `None` where the last telegram says that no more follow.
    pub failure: Option<Failure>,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Opening,
    Resetting,
    Reading,
    Closing,
}

/// The job.
#[derive(Clone, Debug)]
pub(in crate::master) struct Reading {
    meter: Meter,
    reset: Option<Option<u8>>,
    telegrams_max: u8,
    known: bool,
    number: Option<u8>,
    phase: Phase,
    pub(in crate::master) readout: Readout,
}

impl Reading {
    /// `known`: the FCB is; `number`: the access number of the meter's last telegram.
    pub(in crate::master) fn new(
        meter: Meter,
        reset: Option<Option<u8>>,
        telegrams_max: u8,
        known: bool,
        number: Option<u8>,
    ) -> Self {
        Self {
            meter,
            reset,
            telegrams_max: telegrams_max.clamp(1, TELEGRAMS_MAX),
            known,
            number,
            phase: Phase::Opening,
            readout: Readout::default(),
        }
    }

    pub(in crate::master) fn next(&mut self, news: News<'_>) -> Step {
        match (self.phase, news) {
            (Phase::Opening, News::Begin) => match opening(&self.meter, self.known) {
                Some(request) => Step::Ask(request),
                None => self.opened(),
            },
            (Phase::Closing, _) => Step::Done,
            (_, News::Report(report)) => match report.outcome {
                Err(failure) => self.failed(failure),
                Ok(_) => match self.phase {
                    Phase::Opening => self.opened(),
                    Phase::Resetting => self.read(),
                    Phase::Reading | Phase::Closing => self.took(report),
                },
            },
            (_, News::Begin | News::Ready) => Step::Done,
        }
    }

    fn opened(&mut self) -> Step {
        match self.reset {
            Some(subcode) => {
                self.phase = Phase::Resetting;
                Step::Ask(Request::reset(self.meter.station(), subcode))
            }
            None => self.read(),
        }
    }

    fn read(&mut self) -> Step {
        self.phase = Phase::Reading;
        let last = self.readout.telegrams.last();
        // Whoever sent the first telegram must send the others.
        let first = self.readout.telegrams.first();
        let speaker = first
            .and_then(|kept| kept.speaker)
            .filter(|speaker| speaker.id.is_some());
        Step::Ask(Request {
            meter: speaker.map_or(self.meter.identity(), |speaker| Some(Pattern::of(&speaker))),
            before: last.and_then(|kept| records(&kept.frame)).map(Vec::from),
            ..Request::data(self.meter.station())
        })
    }

    fn took(&mut self, report: &Report) -> Step {
        let Ok(Answer::Telegram { speaker }) = report.outcome else {
            return self.failed(Failure::WrongForm);
        };
        let Some(attempt) = report.attempts.last() else {
            return self.failed(Failure::NoReply);
        };
        let number = speaker.and_then(|speaker| speaker.access_number);
        let stood = number.is_some() && number == self.number;
        self.number = number;
        self.readout.telegrams.push(Kept {
            frame: report.reply().to_vec(),
            speaker,
            proof: report.proof,
            sent_ns: attempt.sent_ns,
            first_ns: attempt.heard.first_ns,
            last_ns: attempt.heard.last_ns,
            number_stood: stood,
        });
        if !Telegram::read(report.reply()).more_follow() {
            return self.close();
        }
        if self.readout.telegrams.len() >= usize::from(self.telegrams_max) {
            return self.failed(Failure::TooManyTelegrams);
        }
        self.read()
    }

    fn failed(&mut self, failure: Failure) -> Step {
        self.readout.failure = Some(failure);
        self.close()
    }

    fn close(&mut self) -> Step {
        self.phase = Phase::Closing;
        closing(&self.meter)
    }
}
