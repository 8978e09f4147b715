//! Who answers at which primary address.

use super::{News, Step};
use crate::limits::{LISTED_MAX, PRIMARY_MAX};
use crate::master::failure::Failure;
use crate::master::identity::Speaker;
use crate::master::judge::Answer;
use crate::master::request::{Primary, Repeats, Request, Station};
use alloc::vec::Vec;

/// Which addresses, and how often each is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The first address.
    pub first: Primary,
    /// The last.
    pub last: Primary,
    /// Repeats: two after silence triple the time of a scan, most of which is spent on nobody.
    pub repeats: Repeats,
}

impl Scan {
    /// All 251 addresses, one repeat after silence.
    #[must_use]
    pub fn all() -> Option<Self> {
        Some(Self {
            first: Primary::new(0)?,
            last: Primary::new(PRIMARY_MAX)?,
            repeats: Repeats {
                silent: 1,
                ..Repeats::STANDARD
            },
        })
    }
}

/// An address at which something answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The address.
    pub address: Primary,
    /// Who it is and the telegram, or why that is not known: damage that came again with each repeat means
    /// more than one slave of this address, or noise.
    pub meter: Result<(Option<Speaker>, Vec<u8>), Failure>,
}

/// What a scan found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// The addresses at which something answered.
    pub listed: Vec<Listed>,
    /// Addresses that were asked.
    pub asked: u16,
    /// All that were wanted were asked.
    pub complete: bool,
    /// What ended it early.
    pub failure: Option<Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Knocking,
    Reading,
}

/// The job.
#[derive(Clone, Debug)]
pub(in crate::master) struct Scanning {
    scan: Scan,
    at: u8,
    phase: Phase,
    pub(in crate::master) scanned: Scanned,
}

impl Scanning {
    pub(in crate::master) fn new(scan: Scan) -> Self {
        Self {
            at: scan.first.get(),
            scan,
            phase: Phase::Knocking,
            scanned: Scanned::default(),
        }
    }

    pub(in crate::master) fn next(&mut self, news: News<'_>) -> Step {
        let Some(report) = news.report() else {
            return self.knock();
        };
        if let Err(failure @ (Failure::NoPower | Failure::Overload | Failure::Busy)) =
            report.outcome
        {
            self.scanned.failure = Some(failure);
            return Step::Done;
        }
        match (self.phase, &report.outcome) {
            (Phase::Knocking, Err(Failure::NoReply)) => self.on(),
            // Whatever was heard, somebody is there.
            (Phase::Knocking, _) => {
                self.phase = Phase::Reading;
                match Primary::new(self.at) {
                    Some(address) => Step::Ask(Request {
                        repeats: self.scan.repeats,
                        ..Request::data(Station::Primary(address))
                    }),
                    None => Step::Done,
                }
            }
            (Phase::Reading, outcome) => {
                let meter = match outcome {
                    Ok(Answer::Telegram { speaker }) => Ok((*speaker, report.reply().to_vec())),
                    Ok(_) => Err(Failure::WrongForm),
                    Err(failure) => Err(*failure),
                };
                if let Some(address) = Primary::new(self.at)
                    && self.scanned.listed.len() < LISTED_MAX
                {
                    self.scanned.listed.push(Listed { address, meter });
                }
                self.on()
            }
        }
    }

    fn on(&mut self) -> Step {
        if self.at >= self.scan.last.get() {
            self.scanned.complete = true;
            return Step::Done;
        }
        self.at = self.at.saturating_add(1);
        self.knock()
    }

    fn knock(&mut self) -> Step {
        self.phase = Phase::Knocking;
        match Primary::new(self.at) {
            Some(address) if self.at <= self.scan.last.get() => {
                self.scanned.asked = self.scanned.asked.saturating_add(1);
                Step::Ask(Request {
                    repeats: self.scan.repeats,
                    ..Request::initialise(Station::Primary(address))
                })
            }
            _ => {
                self.scanned.complete = true;
                Step::Done
            }
        }
    }
}
