//! The course of a Modbus meter's session: which request is next, and what follows from its outcome.

use crate::decode::decode;
use crate::plan::{Gaps, Plan, PlannedRead};
use crate::session::{Failure, MeterState, Origin, Read, Session};
use crate::state::Event;
use contract::Meter;
use evidence::reasons::AttemptCause;
use evidence::{MonoNs, Seq};
use modbus::pdu::{ExceptionCode, PduError, Request, Response};

impl Failure {
    /// The meter did not speak: its other registers need not be tried.
    fn is_silence(&self) -> bool {
        let gateway = ExceptionCode::GatewayTargetFailedToRespond.code();
        matches!(
            self.cause,
            AttemptCause::Timeout
                | AttemptCause::ConnectRefused
                | AttemptCause::ConnectionLost
                | AttemptCause::PortUnavailable
        ) || self.exception == Some(gateway)
    }

    /// The same question would get the same answer.
    fn is_settled(&self) -> bool {
        let settled = [
            ExceptionCode::IllegalFunction,
            ExceptionCode::IllegalDataAddress,
            ExceptionCode::IllegalDataValue,
        ];
        settled
            .iter()
            .any(|code| self.exception == Some(code.code()))
    }
}

/// Where the requests of a meter's session stand.
#[derive(Debug)]
pub(super) struct Course {
    plan: Plan,
    /// The session that this is of.
    session: Option<Seq>,
    read: usize,
    tries: u32,
    keep_gaps: bool,
}

impl Course {
    /// Of a meter, with its points in the fewest requests.
    pub(super) fn new(meter: &Meter) -> Result<Self, PduError> {
        Ok(Self {
            plan: Plan::new(&meter.points, Gaps::Bridged)?,
            session: None,
            read: 0,
            tries: 0,
            keep_gaps: false,
        })
    }

    pub(super) fn reads(&self) -> &[PlannedRead] {
        &self.plan.reads
    }

    /// The request that is next in a session.
    fn of(&self, session: &Session) -> Option<&PlannedRead> {
        let read = match self.session == Some(session.seq) {
            true => self.read,
            false => 0,
        };
        self.plan.reads.get(read)
    }

    /// Notes whether a late reply could be mistaken for the answer to a session's next request.
    pub(super) fn hold(
        &self,
        meter: &mut MeterState,
        until: impl Fn(u8, &Request) -> Option<MonoNs>,
    ) -> Option<MonoNs> {
        let unit = meter.meter.unit()?;
        let mut earliest: Option<MonoNs> = None;
        for session in [&mut meter.active, &mut meter.waiting]
            .into_iter()
            .flatten()
        {
            let Some(read) = self.of(session) else {
                continue;
            };
            let held = until(unit, &read.request);
            let event = if held.is_some() {
                Event::HoldBack
            } else {
                Event::Release
            };
            if let Some(row) = session.state.on(event) {
                session.state = row.to;
            }
            if session.is_held() {
                earliest = earliest.into_iter().chain(held).min();
            }
        }
        earliest
    }

    /// The request of the session that has the bus now.
    pub(super) fn request(&mut self, meter: &MeterState) -> Option<Request> {
        let session = meter.active.as_ref()?;
        if self.session != Some(session.seq) {
            self.session = Some(session.seq);
            (self.read, self.tries) = (0, 0);
            if core::mem::take(&mut self.keep_gaps)
                && let Ok(plan) = Plan::new(&meter.meter.points, Gaps::Kept)
            {
                self.plan = plan;
            }
        }
        Some(self.of(session)?.request.clone())
    }

    /// The request in flight was answered.
    pub(super) fn answered(
        &mut self,
        meter: &mut MeterState,
        origin: &Origin,
        now: MonoNs,
        response: &Response,
    ) {
        let Some(attempt) = meter.active.as_ref().map(|session| session.attempt) else {
            return;
        };
        let Some(read) = self.plan.reads.get(self.read) else {
            return;
        };
        meter.bucket.frames_ok += 1;
        let first = read.request.first();
        for place in &read.points {
            let point = meter.meter.points.get(*place);
            if let Some(decoded) = point.and_then(|point| decode(point, first, response)) {
                let read = Read {
                    place: *place,
                    attempt,
                    decoded,
                };
                meter.read(origin, now, read);
            }
        }
        self.tries = 0;
        self.read += 1;
        if let Some(session) = &mut meter.active {
            session.attempt += 1;
        }
        let event = if self.read < self.plan.reads.len() {
            Event::AnsweredMore
        } else {
            Event::AnsweredLast
        };
        meter.fire(origin, now, event);
    }

    /// The request in flight gave nothing.
    pub(super) fn failed(
        &mut self,
        meter: &mut MeterState,
        origin: &Origin,
        now: MonoNs,
        failure: Failure,
    ) {
        let retries = if meter.is_quarantined() {
            0
        } else {
            meter.retries
        };
        let (silence, settled) = (failure.is_silence(), failure.is_settled());
        let refused = failure.exception == Some(ExceptionCode::IllegalDataAddress.code());
        meter.record_failure(origin, now, failure);
        let Some(session) = &mut meter.active else {
            return;
        };
        let read = self.plan.reads.get(self.read);
        self.keep_gaps |= refused && read.is_some_and(|read| read.bridges);
        session.failures += 1;
        let event = if self.tries < retries && !settled {
            self.tries += 1;
            Event::FailedMore
        } else if silence || self.read + 1 >= self.plan.reads.len() {
            Event::FailedLast
        } else {
            self.tries = 0;
            self.read += 1;
            Event::FailedMore
        };
        meter.fire(origin, now, event);
    }
}
