//! A meter on its port, whatever it speaks: its numbers, its read sessions and the records they give.

use crate::action::{Batch, Mark};
use crate::buckets::Bucket;
use crate::decode::Decoded;
use crate::events::sample;
use crate::health::{Bus, Health};
use crate::input::Stream;
use crate::lease::Lease;
use crate::limits::{COOL_NS_MAX, OWED_MAX, TURN_NS_MAX};
use crate::state::{Event, State};
use crate::work::marked;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use contract::{Meter, Port};
use evidence::kinds::{AttemptFailed, Opaque, Payload, Reading};
use evidence::reasons::AttemptCause;
use evidence::{Captured, CommitId, Digest, MonoNs, PointId, Seq, Slot, SourceId};
use sha2::Digest as _;

const MS_NS: u64 = 1_000_000;

/// Why an attempt gave no reading.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) cause: AttemptCause,
    pub(crate) exception: Option<u8>,
    pub(crate) sample: Option<Vec<u8>>,
}

impl Failure {
    pub(crate) fn new(cause: AttemptCause) -> Self {
        Self {
            cause,
            exception: None,
            sample: None,
        }
    }
}

/// What every record of a port says of its origin.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) port: SourceId,
    pub(crate) contract: CommitId,
}

/// One read session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) state: State,
    pub(crate) slot: Slot,
    pub(crate) due: MonoNs,
    pub(crate) failures: u32,
    pub(crate) seq: Seq,
    /// Sub-number of the attempt that is made next, or is under way.
    pub(crate) attempt: u64,
    sent: bool,
    records: Vec<Payload>,
    covered: Vec<bool>,
}

impl Session {
    fn new(slot: Slot, due: MonoNs, points: usize) -> Self {
        Self {
            state: State::Due,
            slot,
            due,
            failures: 0,
            seq: Seq(0),
            attempt: 0,
            sent: false,
            records: Vec::new(),
            covered: alloc::vec![false; points],
        }
    }

    /// The meter was asked, and answered or failed by itself: what its port lacked says nothing of it.
    pub(crate) fn was_asked(&self) -> bool {
        let by_itself = |record: &Payload| matches!(record, Payload::AttemptFailed(failed) if failed.cause.was_asked());
        self.sent && (self.covered.contains(&true) || self.records.iter().any(by_itself))
    }

    /// It may be served now, as far as it is concerned.
    pub(crate) fn wants_bus(&self) -> bool {
        matches!(self.state, State::Due | State::Ready)
    }

    pub(crate) fn is_held(&self) -> bool {
        matches!(self.state, State::DueHeld | State::Held)
    }
}

/// A slot that ended without a request, and waits for its number.
#[derive(Debug)]
pub(crate) struct Owed {
    pub(crate) slot: Slot,
    cause: AttemptCause,
    at: MonoNs,
}

/// What was read of one point.
#[derive(Debug)]
pub(crate) struct Read {
    /// Its place among the meter's points.
    pub(crate) place: usize,
    /// Sub-number of the attempt.
    pub(crate) attempt: u64,
    pub(crate) decoded: Decoded,
}

/// One meter.
#[derive(Debug)]
pub(crate) struct MeterState {
    pub(crate) meter: Meter,
    /// Place of its schedule.
    pub(crate) schedule: usize,
    pub(crate) lease: Lease,
    /// The session that has its number.
    pub(crate) active: Option<Session>,
    /// The session of the newest slot, before its number.
    pub(crate) waiting: Option<Session>,
    pub(crate) owed: VecDeque<Owed>,
    pub(crate) bucket: Bucket,
    /// When it was last asked.
    pub(crate) served: MonoNs,
    /// How long its reply is waited for.
    pub(crate) timeout_ns: u64,
    /// Attempts after the first.
    pub(crate) retries: u32,
    /// What a session in quarantine costs that it does not answer, in nanoseconds.
    pub(crate) trial_ns: u64,
    /// Whether people work on it.
    pub(crate) test: bool,
    /// Sessions that left a point without a reading.
    pub(crate) lacking: u64,
    health: Health,
}

impl MeterState {
    pub(crate) fn new(meter: Meter, schedule: usize, port: &Port) -> Self {
        let timeout_ms = meter.timeout_ms.unwrap_or(port.timeout_ms);
        Self {
            timeout_ns: timeout_ms.saturating_mul(MS_NS),
            retries: meter.retries.unwrap_or(port.retries),
            meter,
            schedule,
            lease: Lease::default(),
            active: None,
            waiting: None,
            owed: VecDeque::new(),
            bucket: Bucket::default(),
            served: MonoNs(0),
            trial_ns: 0,
            test: false,
            lacking: 0,
            health: Health::default(),
        }
    }

    /// A slot fell due: what was not started before is over. Returns a slot for which there is no room.
    #[must_use]
    pub(crate) fn slot_due(&mut self, now: MonoNs, slot: Slot, due: MonoNs) -> Option<Slot> {
        let lost = self.give_up_waiting(now, Event::SlotPassed);
        if self.health.cools(now) {
            return lost.or(self.owe(now, slot, AttemptCause::Quarantined));
        }
        self.waiting = Some(Session::new(slot, due, self.meter.points.len()));
        lost
    }

    /// A slot ended without a request. Returns the oldest such slot where there are too many.
    fn owe(&mut self, at: MonoNs, slot: Slot, cause: AttemptCause) -> Option<Slot> {
        self.owed.push_back(Owed { slot, cause, at });
        match self.owed.len() > OWED_MAX {
            true => self.owed.pop_front().map(|owed| owed.slot),
            false => None,
        }
    }

    /// Ends the session that has not started, with the cause that the table has for the event.
    #[must_use]
    pub(crate) fn give_up_waiting(&mut self, now: MonoNs, event: Event) -> Option<Slot> {
        let session = self.waiting.as_ref()?;
        let cause = match session.state.on(event)?.cause? {
            // It was held back until there would be time for it.
            AttemptCause::SlotOverrun if self.is_quarantined() => AttemptCause::Quarantined,
            cause => cause,
        };
        let slot = session.slot;
        self.waiting = None;
        self.owe(now, slot, cause)
    }

    /// The record of the oldest slot that ended without a request, if it can have its number.
    pub(crate) fn settle(&mut self, origin: &Origin) -> Option<(Slot, Batch)> {
        if self.active.is_some() || self.owed.is_empty() {
            return None;
        }
        let seq = self.lease.take()?;
        let owed = self.owed.pop_front()?;
        self.bucket.count(owed.cause);
        self.lacking += 1;
        self.bucket.sessions += 1;
        let points = self.meter.points.iter().map(|point| point.id.clone());
        let record = AttemptFailed {
            at: owed.at,
            meter_id: self.meter.id.clone(),
            source: origin.port.clone(),
            seq,
            slot: Some(owed.slot),
            attempt: 0,
            last: true,
            cause: owed.cause,
            exception: None,
            points: points.collect(),
            sample: None,
            contract: origin.contract,
        };
        Some((owed.slot, self.batch(seq, Vec::from([record.into()]))))
    }

    /// The session that is served next.
    pub(crate) fn next(&self) -> Option<&Session> {
        match &self.active {
            Some(session) => Some(session),
            None => self.waiting.as_ref().filter(|_| self.owed.is_empty()),
        }
    }

    /// The session takes its number, if it has none and there is one.
    fn start(&mut self) -> Option<&mut Session> {
        if self.active.is_none() && self.owed.is_empty() && self.waiting.is_some() {
            let seq = self.lease.take()?;
            self.bucket.sessions += 1;
            self.active = self
                .waiting
                .take()
                .map(|session| Session { seq, ..session });
        }
        self.active.as_mut()
    }

    /// Starts or goes on: whether the bus is this session's now.
    pub(crate) fn take_bus(&mut self) -> bool {
        let Some(session) = self.start() else {
            return false;
        };
        let row = session.state.on(Event::Send);
        if let Some(row) = row {
            session.state = row.to;
        }
        row.is_some()
    }

    /// A request leaves now, behind so many others that nothing is known of yet.
    pub(crate) fn mark(&mut self, now: MonoNs, behind: u64) -> Option<Mark> {
        let session = self.active.as_mut()?;
        session.sent = true;
        self.served = now;
        Some(Mark {
            meter: self.meter.id.clone(),
            seq: session.seq,
            slot: session.slot,
            attempt: session.attempt.saturating_add(behind),
            attempt_at: now,
            reply_at: None,
        })
    }

    /// There is nothing to send on: the session ends, if it can have its number.
    pub(crate) fn refuse(&mut self, origin: &Origin, now: MonoNs, cause: AttemptCause) {
        let ends = |session: &mut Session| session.state.on(Event::Refused).is_some();
        if self.start().is_some_and(ends) {
            self.record_failure(origin, now, Failure::new(cause));
            self.fire(origin, now, Event::Refused);
        }
    }

    /// A point of the active session has its value, from the reply to this attempt.
    pub(crate) fn read(&mut self, origin: &Origin, at: MonoNs, read: Read) {
        let (Some(session), Some(point)) = (&mut self.active, self.meter.points.get(read.place))
        else {
            return;
        };
        if let Some(covered) = session.covered.get_mut(read.place) {
            *covered = true;
        }
        if let Some(content_type) = &point.content_type {
            let bytes = read.decoded.raw;
            let opaque = Opaque {
                at,
                meter_id: self.meter.id.clone(),
                point_id: point.id.clone(),
                source: origin.port.clone(),
                seq: session.seq,
                slot: Some(session.slot),
                attempt: read.attempt,
                content_type: content_type.clone(),
                length_bytes: u64::try_from(bytes.0.len()).unwrap_or(u64::MAX),
                sha256: Digest(sha2::Sha256::digest(&bytes.0).into()),
                bytes,
                quality: marked(read.decoded.quality, self.test),
                contract: origin.contract,
            };
            session.records.push(opaque.into());
            return;
        }
        let reading = Reading {
            at,
            meter_id: self.meter.id.clone(),
            point_id: point.id.clone(),
            source: origin.port.clone(),
            seq: session.seq,
            slot: Some(session.slot),
            attempt: read.attempt,
            raw: read.decoded.raw,
            value: read.decoded.value,
            quality: marked(read.decoded.quality, self.test),
            contract: origin.contract,
        };
        session.records.push(reading.into());
    }

    /// Tells the active session; a cause in the table's row becomes a failed attempt.
    pub(crate) fn fire(&mut self, origin: &Origin, now: MonoNs, event: Event) {
        let Some(row) = self
            .active
            .as_ref()
            .and_then(|active| active.state.on(event))
        else {
            return;
        };
        if let Some(cause) = row.cause {
            self.record_failure(origin, now, Failure::new(cause));
        }
        if let Some(session) = &mut self.active {
            session.state = row.to;
        }
    }

    /// The batch of the active session, once it has ended.
    pub(crate) fn finish(&mut self, now: MonoNs, bus: Bus) -> Option<(Slot, Batch)> {
        let mut session = self
            .active
            .take_if(|session| session.state == State::Ended)?;
        let places = self.meter.points.iter().zip(&session.covered);
        let left = places.filter(|(_, covered)| !**covered);
        let left: Vec<PointId> = left.map(|(point, _)| point.id.clone()).collect();
        if session.was_asked() {
            let newly = self.health.judge(now, bus, session.covered.contains(&true));
            self.bucket.quarantines += u64::from(newly);
        }
        if !left.is_empty() {
            self.lacking += 1;
            let failed = session
                .records
                .iter_mut()
                .rev()
                .find_map(|record| match record {
                    Payload::AttemptFailed(failed) => Some(failed),
                    _ => None,
                });
            if let Some(failed) = failed {
                failed.last = true;
                failed.points = left;
            }
        }
        Some((session.slot, self.batch(session.seq, session.records)))
    }

    /// Held back to one attempt per session.
    pub(crate) fn is_quarantined(&self) -> bool {
        self.health.is_quarantined()
    }

    /// It is served behind all others, unless it has not been asked for long.
    pub(crate) fn yields(&self, now: MonoNs) -> bool {
        self.is_quarantined() && now.since(self.served) < TURN_NS_MAX
    }

    /// Whether waiting for it in vain would be over by then. Nobody waits for that who has not been asked for long.
    pub(crate) fn fits(&self, now: MonoNs, before: Option<MonoNs>) -> bool {
        let is_due = !self.is_quarantined() || now.since(self.served) >= COOL_NS_MAX;
        is_due || before.is_none_or(|before| now.plus_ns(self.trial_ns) <= before)
    }

    /// Something more that is kept with the active session.
    pub(crate) fn note(&mut self, record: Payload) {
        if let Some(session) = &mut self.active {
            session.records.push(record);
        }
    }

    /// An attempt of the active session failed.
    pub(crate) fn record_failure(&mut self, origin: &Origin, now: MonoNs, failure: Failure) {
        let Some(session) = &mut self.active else {
            return;
        };
        self.bucket.count(failure.cause);
        let record = AttemptFailed {
            at: now,
            meter_id: self.meter.id.clone(),
            source: origin.port.clone(),
            seq: session.seq,
            slot: Some(session.slot),
            attempt: session.attempt,
            last: false,
            cause: failure.cause,
            exception: failure.exception.map(u64::from),
            points: Vec::new(),
            sample: failure.sample.map(|bytes| sample(&bytes)),
            contract: origin.contract,
        };
        session.records.push(record.into());
        session.attempt += 1;
    }

    fn batch(&self, seq: Seq, records: Vec<Payload>) -> Batch {
        Batch {
            stream: Stream::Meter(self.meter.id.clone()),
            seq: Some(seq),
            records: records.iter().map(Captured::new).collect(),
        }
    }
}
