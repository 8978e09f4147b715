//! One round: the report, how many sources there are, and each of them, one question at a time.

use super::message::{Answer, Query, Reply, Request, SourceData, Tracking, decode, encode};
use crate::limits::CHRONY_SOURCES_MAX;
use crate::reading::{ChronyReading, Fault};
use alloc::vec::Vec;

/// The status of a source that is no longer there.
const NO_SUCH_SOURCE: u16 = 4;

/// What became of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It answers the question that is out.
    Taken,
    /// An answer to an earlier question, or to somebody else's.
    Foreign,
}

/// A round of questions to one daemon.
#[derive(Clone, Debug)]
pub struct Round {
    sequence: u32,
    /// What is to be asked next, or is out; `None` when all is answered.
    query: Option<Query>,
    out: bool,
    fault: Option<Fault>,
    count: u32,
    tracking: Option<Tracking>,
    sources: Vec<SourceData>,
}

impl Round {
    /// A round whose questions are numbered from `first_sequence`. A number that cannot be guessed
    /// keeps away whoever else may write to the socket.
    #[must_use]
    pub const fn new(first_sequence: u32) -> Self {
        Self {
            sequence: first_sequence,
            query: Some(Query::Tracking),
            out: false,
            fault: None,
            count: 0,
            tracking: None,
            sources: Vec::new(),
        }
    }

    /// The number after the last one used: where the next round begins.
    #[must_use]
    pub const fn next_sequence(&self) -> u32 {
        self.sequence.wrapping_add(1)
    }

    /// The next request to send; `None` while one is out, and when nothing is left to ask.
    pub fn request(&mut self) -> Option<Request> {
        if self.out || self.fault.is_some() {
            return None;
        }
        let query = self.query?;
        self.out = true;
        Some(encode(query, self.sequence))
    }

    /// Whether a question is out and unanswered.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.out && !self.is_complete()
    }

    /// Whether nothing is left to ask.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.fault.is_some() || self.query.is_none()
    }

    /// The question that is out stays unanswered, which ends the round.
    pub fn give_up(&mut self) {
        if !self.is_complete() {
            self.fault = Some(Fault::Silent);
        }
    }

    /// Takes a message that came in. One that cannot be read ends the round.
    pub fn accept(&mut self, bytes: &[u8]) -> Accepted {
        let Some(query) = self.query.filter(|_| self.out && self.fault.is_none()) else {
            return Accepted::Foreign;
        };
        match decode(query, bytes) {
            Err(what) => self.fault = Some(Fault::Malformed(what)),
            Ok(reply) if reply.sequence != self.sequence => return Accepted::Foreign,
            Ok(reply) => self.answer(query, reply),
        }
        Accepted::Taken
    }

    fn answer(&mut self, query: Query, reply: Reply) {
        match (reply.answer, query) {
            (Answer::Tracking(tracking), _) => {
                self.tracking = Some(tracking);
                self.ask(Some(Query::SourceCount));
            }
            (Answer::SourceCount(count), _) if count > CHRONY_SOURCES_MAX => {
                self.fault = Some(Fault::Unsupported("more sources than CHRONY_SOURCES_MAX"));
            }
            (Answer::SourceCount(count), _) => {
                self.count = count;
                self.ask((count > 0).then_some(Query::Source(0)));
            }
            (Answer::Source(source), Query::Source(index)) => {
                self.sources.push(source);
                self.ask_source(index + 1);
            }
            // It was removed between two questions.
            (Answer::Refused(NO_SUCH_SOURCE), Query::Source(index)) => self.ask_source(index + 1),
            (Answer::Refused(_), _) => {
                self.fault = Some(Fault::Unsupported("chronyd refuses a report"));
            }
            (Answer::OtherVersion(_), _) => {
                self.fault = Some(Fault::Unsupported(
                    "another version of chronyd's command protocol than 6",
                ));
            }
            (Answer::Source(_) | Answer::Other, _) => {
                self.fault = Some(Fault::Unsupported("a layout of chronyd that is not known"));
            }
        }
    }

    fn ask_source(&mut self, index: u32) {
        self.ask((index < self.count).then_some(Query::Source(index)));
    }

    fn ask(&mut self, query: Option<Query>) {
        self.query = query;
        self.out = false;
        self.sequence = self.sequence.wrapping_add(1);
    }

    /// The reading.
    ///
    /// # Errors
    ///
    /// The first fault, or [`Fault::Silent`] if the round is not complete.
    pub fn finish(self) -> Result<ChronyReading, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let tracking = self.tracking.filter(|_| self.query.is_none());
        let tracking = tracking.ok_or(Fault::Silent)?;
        Ok(ChronyReading {
            reference: tracking.reference,
            stratum: tracking.stratum,
            leap: tracking.leap,
            reference_time: tracking.reference_time,
            correction_ns: tracking.correction_ns,
            last_offset_ns: tracking.last_offset_ns,
            rms_offset_ns: tracking.rms_offset_ns,
            frequency_ppb: tracking.frequency_ppb,
            residual_ppb: tracking.residual_ppb,
            skew_ppb: tracking.skew_ppb,
            root_delay_ns: tracking.root_delay_ns,
            root_dispersion_ns: tracking.root_dispersion_ns,
            update_interval_ms: tracking.update_interval_ms,
            sources: self.sources,
        })
    }
}
