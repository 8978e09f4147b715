//! What came of a request, and of a whole readout: entries of the meter that was asked, and of nobody else.

use super::cause::{cause, exception};
use super::head::{self, told};
use super::pick::{Picked, pick, value};
use super::{MbusBus, Reading};
use crate::action::Action;
use crate::books::Books;
use crate::decode::Decoded;
use crate::session::{Failure, MeterState, Origin, Read};
use crate::state::Event;
use crate::stray::Met;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use contract::Point;
use evidence::reasons::{AttemptCause, EventCode};
use evidence::{Blob, MonoNs, Quality};
use mbus::limits::ADDRESS_SELECTED;
use mbus::link::{self, Frame};
use mbus::master::timing::Timing;
use mbus::master::{Answer, Attempt, Echo, Failure as Why, Kept, Readout, Report};
use mbus::record::Record;
use mbus::telegram::Telegram;

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// To begin with the meter.
    Opening,
    Data,
    /// To let the selected meter go: what comes of it is nobody's failure.
    Closing,
}

fn purpose(report: &Report) -> Purpose {
    const REQ_UD2: u8 = 0xB;
    match link::decode(&report.request) {
        Ok(Frame::Short { control, .. }) if control.function() == REQ_UD2 => Purpose::Data,
        _ if lets_go(&report.request) => Purpose::Closing,
        _ => Purpose::Opening,
    }
}

/// Whether a request lets the selected meter go: SND_NKE to address 253.
pub(super) fn lets_go(request: &[u8]) -> bool {
    const SND_NKE: u8 = 0x0;
    matches!(
        link::decode(request),
        Ok(Frame::Short { control, address })
            if control.function() == SND_NKE && address == ADDRESS_SELECTED
    )
}

impl MbusBus {
    /// A request has ended, with all its repeats.
    pub(super) fn exchanged(&mut self, books: &mut Books, now: MonoNs, report: &Report) {
        if let Some(quiet_ns) = self.quiet_ns(report) {
            self.ready_at = self.ready_at.max(MonoNs(quiet_ns));
        }
        if let Some((at, _)) = self.telling {
            return self.clock_exchanged(books, now, at, report);
        }
        let Some(reading) = &mut self.reading else {
            return;
        };
        let at = reading.meter;
        let Some((meter, slave)) = books.meters.get_mut(at).zip(self.slaves.get_mut(at)) else {
            return;
        };
        reading.sent = 0;
        reading.heard |= !report.is_silent();
        if let Some(first) = report.attempts.first() {
            meter.bucket.bus_busy_ns += now.0.saturating_sub(first.sent_ns);
        }
        let purpose = purpose(report);
        reading.failed |= report.outcome.is_err() && purpose != Purpose::Closing;
        let about = meter.active.as_ref().map(|session| session.seq);
        if report.outcome == Err(Why::NoReply) {
            self.missed = about.map(|seq| (report.token, at, seq));
        }
        let (mut strays, mut late) = (Vec::new(), Vec::new());
        for attempt in &report.attempts {
            books.bucket.echoes += u64::from(attempt.heard.echo == Echo::Whole);
            let Some(why) = attempt.failure else { continue };
            if let Why::Checksum { .. } = why {
                books.bucket.crc_fail += 1;
                books.bursts.damaged(now);
            }
            if why == Why::ForeignMeter {
                let news = slave.known.other(meter, attempt.heard.reply());
                news.into_iter()
                    .for_each(|news| books.events.note(now, news));
            }
            if why == Why::LateReply {
                late.push(&attempt.heard.bytes);
            }
            let given_up = report.outcome == Err(why) && purpose != Purpose::Closing;
            if purpose == Purpose::Closing || why == Why::BeforeRequest && !given_up {
                // Not the meter's: it was let go, or its request had not left and it was asked again.
                strays.push(attempt.heard.bytes.clone());
            } else {
                let failure = failure(why, purpose, Some(attempt));
                meter.record_failure(&books.origin, now, failure);
            }
        }
        match report.outcome {
            Ok(answer) => {
                let replied = answer != Answer::Silence;
                Self::answered(reading, meter, now, report, answer, self.baud);
                if replied {
                    books.note_answer(now);
                    books.bursts.good();
                    let mark = reading.mark.take();
                    let mark = mark.map(|mark| crate::action::Mark {
                        reply_at: Some(now),
                        ..mark
                    });
                    books.out.extend(mark.map(Action::Mark));
                }
            }
            // What kept it from being sent at all has no attempt of its own.
            Err(why) if report.attempts.is_empty() && purpose != Purpose::Closing => {
                meter.record_failure(&books.origin, now, failure(why, purpose, None));
            }
            Err(_) => {}
        }
        late.iter()
            .for_each(|bytes| books.late(now, at, about, bytes));
        for bytes in strays.iter().filter(|bytes| !bytes.is_empty()) {
            let met = match link::decode(bytes) {
                Ok(_) => Met::Frame,
                Err(_) => Met::Noise,
            };
            books.met(now, met, Some(at), bytes);
        }
    }

    /// Until when another meter's reply could be destroyed by one that is still owed: to an attempt that failed, or to
    /// one that nothing came of.
    fn quiet_ns(&self, report: &Report) -> Option<u64> {
        let owed = report.attempts.iter().any(|one| one.failure.is_some());
        let silent = report.outcome == Ok(Answer::Silence);
        let last = report.attempts.last().filter(|_| silent || owed)?;
        let timing = Timing::new(self.baud).with_latency(self.latency_ns);
        let until_ns = last
            .sent_ns
            .saturating_add(timing.transfer_ns(report.request.len()))
            .saturating_add(timing.window_ns())
            .saturating_add(self.late_ns);
        Some(until_ns)
    }

    fn answered(
        reading: &mut Reading,
        meter: &mut MeterState,
        now: MonoNs,
        report: &Report,
        answer: Answer,
        baud: u32,
    ) {
        // An acknowledgement is no attempt to read: what has a number is what the log has an entry of.
        if let Answer::Telegram { .. } = answer {
            meter.bucket.frames_ok += 1;
            reading.attempts.push(pass_over(meter));
        }
        if let Some(last) = report.attempts.last().filter(|_| answer != Answer::Silence) {
            let sent_ns = Timing::new(baud).transfer_ns(report.request.len());
            let ended_ns = last.sent_ns.saturating_add(sent_ns);
            let reply_ns = now.0.min(last.heard.last_ns).saturating_sub(ended_ns);
            meter.bucket.reply_ns_max = meter.bucket.reply_ns_max.max(reply_ns);
        }
    }

    /// A readout has ended.
    pub(super) fn done(&mut self, books: &mut Books, now: MonoNs, readout: &Readout) {
        let Some(reading) = self.reading.take() else {
            return;
        };
        let at = reading.meter;
        let Some((meter, slave)) = books.meters.get_mut(at).zip(self.slaves.get_mut(at)) else {
            return;
        };
        let failed_itself = reading.failed && self.overload.is_none();
        slave.runs.ended(reading.heard, failed_itself);
        if let Some(why) = readout.failure.filter(|_| !reading.failed) {
            let failure = failure(why, Purpose::Data, None);
            meter.record_failure(&books.origin, now, failure);
        }
        for kept in &readout.telegrams {
            let news = slave.known.heard(meter, kept).into_iter();
            news.for_each(|news| books.events.note(now, news));
        }
        let telegrams = readout.telegrams.iter();
        let telegrams: Vec<Telegram<'_>> =
            telegrams.map(|kept| Telegram::read(&kept.frame)).collect();
        let mut causes: Vec<AttemptCause> = Vec::new();
        for place in 0..meter.meter.points.len() {
            // Only all telegrams together tell that a record is the only one of its meaning.
            let one = meter.meter.points.get(place).and_then(Point::record);
            let by_meaning = one.is_some_and(|pick| pick.place.is_none());
            if readout.failure.is_some() && by_meaning {
                continue;
            }
            if meter.meter.points.get(place).is_some_and(Point::is_readout) {
                let attempt = reading.attempts.last().copied().unwrap_or_default();
                read_all(
                    meter,
                    &books.origin,
                    place,
                    attempt,
                    &readout.telegrams,
                    now,
                );
                continue;
            }
            let cause = match point(meter, place, &telegrams) {
                Ok((telegram, record)) => {
                    let attempt = reading.attempts.get(telegram).copied();
                    let attempt = attempt.unwrap_or_default();
                    let kept = readout.telegrams.get(telegram);
                    read_point(meter, &books.origin, (place, record), attempt, kept, now);
                    None
                }
                // What was not read whole may still hold it.
                Err(_) if readout.failure.is_some() => continue,
                Err((cause, words)) => {
                    let known = slave.lacking.get(place).copied().flatten();
                    if known != Some(cause) {
                        let last = readout.telegrams.last();
                        let sample = last.map_or(&[][..], |kept| &kept.frame);
                        let news = told(meter, EventCode::RecordChanged, words, sample);
                        books.events.note(now, news);
                    }
                    causes.push(cause);
                    Some(cause)
                }
            };
            if let Some(known) = slave.lacking.get_mut(place) {
                *known = cause;
            }
        }
        causes.sort_unstable();
        causes.dedup();
        let whole = causes.is_empty() && readout.failure.is_none();
        for cause in causes {
            meter.record_failure(&books.origin, now, Failure::new(cause));
        }
        let attempt = reading.attempts.last().copied().unwrap_or_default();
        if let Some(report) = head::report(meter, &books.origin, &readout.telegrams, attempt) {
            meter.note(report.into());
        }
        let event = match whole {
            true => Event::AnsweredLast,
            false => Event::FailedLast,
        };
        meter.fire(&books.origin, now, event);
        books.close_session(now, at);
    }
}

/// The attempt that has just ended; the next one has another number.
fn pass_over(meter: &mut MeterState) -> u64 {
    let Some(session) = &mut meter.active else {
        return 0;
    };
    let attempt = session.attempt;
    session.attempt = attempt.saturating_add(1);
    attempt
}

fn failure(why: Why, purpose: Purpose, attempt: Option<&Attempt>) -> Failure {
    let heard = attempt.map(|attempt| attempt.heard.bytes.clone());
    Failure {
        cause: cause(why, purpose == Purpose::Data),
        exception: exception(why),
        sample: heard.filter(|bytes| !bytes.is_empty()),
    }
}

/// Takes a point's value out of its record, which one telegram of the readout holds.
fn read_point(
    meter: &mut MeterState,
    origin: &Origin,
    (place, record): (usize, &Record<'_>),
    attempt: u64,
    kept: Option<&Kept>,
    now: MonoNs,
) {
    let Some(point) = meter.meter.points.get(place) else {
        return;
    };
    let status = kept.and_then(|kept| kept.speaker?.status);
    let read = Read {
        place,
        attempt,
        decoded: value(point, record, status),
    };
    let at = kept.map_or(now, |kept| MonoNs(kept.last_ns));
    meter.read(origin, at, read);
}

/// Takes all telegrams of a readout for a point, frame behind frame.
fn read_all(
    meter: &mut MeterState,
    origin: &Origin,
    place: usize,
    attempt: u64,
    telegrams: &[Kept],
    now: MonoNs,
) {
    let frames: Vec<&[u8]> = telegrams.iter().map(|kept| kept.frame.as_slice()).collect();
    let decoded = Decoded {
        raw: Blob::from(frames.concat().as_slice()),
        value: None,
        quality: Quality::GOOD,
    };
    let read = Read {
        place,
        attempt,
        decoded,
    };
    let at = telegrams.last().map_or(now, |kept| MonoNs(kept.last_ns));
    meter.read(origin, at, read);
}

/// A point's record and its telegram, or why there is none, for a counter and for a person.
fn point<'t>(
    meter: &MeterState,
    place: usize,
    telegrams: &'t [Telegram<'t>],
) -> Result<(usize, &'t Record<'t>), (AttemptCause, String)> {
    let missing = || (AttemptCause::RecordMissing, String::new());
    let one: &Point = meter.meter.points.get(place).ok_or_else(missing)?;
    let meant = one.record().ok_or_else(missing)?;
    let id = &one.id;
    match pick(one, meant, telegrams) {
        Picked::Found { telegram, record } => Ok((telegram, record)),
        Picked::Missing => {
            let words = format!("point {id}: no record of the readout is what the contract says");
            Err((AttemptCause::RecordMissing, words))
        }
        Picked::Ambiguous => {
            let words = format!(
                "point {id}: more than one record is what the contract says; `record` or `storage` tells them apart"
            );
            Err((AttemptCause::RecordAmbiguous, words))
        }
        Picked::Unit { found } => {
            let (found, due) = (found.unwrap_or("no unit"), one.record_unit().unwrap_or(""));
            let words = format!("point {id}: the record is in {found}, the contract says {due}");
            Err((AttemptCause::RecordUnit, words))
        }
    }
}
