//! Telling a meter something: begin anew, reset the application, take another address, any data.

use super::{Meter, News, Step, closing, opening};
use crate::master::failure::Failure;
use crate::master::request::{Primary, Repeats, Request, Station};
use alloc::vec::Vec;

/// What a meter is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// SND_NKE.
    Initialise,
    /// Reset of the application (CI 50h), with what is to be read then, if that is named.
    Reset(Option<u8>),
    /// Another primary address; that it answers there is looked at.
    SetPrimary(Primary),
    /// SND_UD with this CI field and data, 1 to 253 bytes.
    Send(Vec<u8>),
    /// The same without repeats: what is true at one instant only.
    SendOnce(Vec<u8>),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commanded {
    /// E5h came, or none was due; else why not.
    pub outcome: Result<(), Failure>,
    /// Of a new address: whether somebody answers there.
    pub answers: Option<Result<(), Failure>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Opening,
    Telling,
    Looking,
    Closing,
}

/// The job.
#[derive(Clone, Debug)]
pub(in crate::master) struct Telling {
    meter: Meter,
    command: Command,
    known: bool,
    phase: Phase,
    pub(in crate::master) commanded: Commanded,
}

impl Telling {
    pub(in crate::master) const fn new(meter: Meter, command: Command, known: bool) -> Self {
        Self {
            meter,
            command,
            known,
            phase: Phase::Opening,
            commanded: Commanded {
                outcome: Ok(()),
                answers: None,
            },
        }
    }

    pub(in crate::master) fn next(&mut self, news: News<'_>) -> Step {
        let failure = news.failure();
        match self.phase {
            Phase::Opening if failure.is_some() => self.failed(failure),
            Phase::Opening => {
                if matches!(news, News::Begin) {
                    // SND_NKE needs no SND_NKE before it.
                    let known = self.known || self.command == Command::Initialise;
                    if let Some(request) = opening(&self.meter, known) {
                        return Step::Ask(request);
                    }
                }
                self.tell()
            }
            Phase::Telling if failure.is_some() => self.failed(failure),
            Phase::Telling => match self.command {
                Command::SetPrimary(address) if self.meter != Meter::All => {
                    self.phase = Phase::Looking;
                    Step::Ask(Request::initialise(Station::Primary(address)))
                }
                _ => self.close(),
            },
            Phase::Looking => {
                self.commanded.answers = Some(failure.map_or(Ok(()), Err));
                self.close()
            }
            Phase::Closing => Step::Done,
        }
    }

    fn tell(&mut self) -> Step {
        self.phase = Phase::Telling;
        let station = self.meter.station();
        let request = match &self.command {
            Command::Initialise => Some(Request::initialise(station)),
            Command::Reset(subcode) => Some(Request::reset(station, *subcode)),
            Command::SetPrimary(address) => Some(Request::set_primary(station, *address)),
            Command::Send(payload) => Request::send(station, payload),
            Command::SendOnce(payload) => Request::send(station, payload).map(|request| Request {
                repeats: Repeats::NONE,
                ..request
            }),
        };
        match request {
            Some(request) => Step::Ask(request),
            // Looked at before the job began.
            None => self.close(),
        }
    }

    fn failed(&mut self, failure: Option<Failure>) -> Step {
        self.commanded.outcome = failure.map_or(Ok(()), Err);
        self.close()
    }

    fn close(&mut self) -> Step {
        self.phase = Phase::Closing;
        closing(&self.meter)
    }
}
