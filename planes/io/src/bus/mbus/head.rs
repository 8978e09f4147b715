//! What a meter says of itself: who it is, how it is, and what of that is news.

use crate::events::News;
use crate::session::{MeterState, Origin};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use evidence::MonoNs;
use evidence::kinds::MeterReport;
use evidence::reasons::EventCode;
use mbus::master::{Kept, Pattern, Speaker};
use mbus::moment::Moment;

/// What is remembered of a meter between its readouts.
#[derive(Debug, Default)]
pub(super) struct Known {
    status: Option<u8>,
    /// The other meter that was told of last.
    other: Option<Pattern>,
}

impl Known {
    /// Takes in the head of a telegram that is the meter's; what has changed since the one before.
    pub(super) fn heard(&mut self, meter: &MeterState, kept: &Kept) -> Vec<News> {
        let mut news = Vec::new();
        let Some(speaker) = &kept.speaker else {
            return news;
        };
        self.other = None;
        if let Some(status) = speaker.status {
            let before = self.status.replace(status.0);
            if before.unwrap_or_default() != status.0 {
                let names = match status.names() {
                    names if names.is_empty() => String::from("nothing to report"),
                    names => names.join(", "),
                };
                let words = format!("status {:02X}h: {names}", status.0);
                news.push(told(meter, EventCode::MeterStatus, words, &kept.frame));
            }
        }
        news
    }

    /// Another meter answered in its place; told once for each.
    pub(super) fn other(&mut self, meter: &MeterState, reply: &[u8]) -> Option<News> {
        let speaker = Speaker::of(reply)?;
        let who = Pattern::of(&speaker);
        if self.other.replace(who) == Some(who) {
            return None;
        }
        let words = format!("{who} answers, which is not the meter of the contract");
        Some(told(meter, EventCode::MeterIdentity, words, reply))
    }
}

/// An event of a meter.
pub(super) fn told(meter: &MeterState, code: EventCode, words: String, sample: &[u8]) -> News {
    let mut news = News::new(code).detail(words).sample(sample);
    news.meter = Some(meter.meter.id.clone());
    news.about = meter.active.as_ref().map(|session| session.seq);
    news
}

/// The record of what a meter said of itself in a session: the head of its last telegram, and its clock.
pub(super) fn report(
    meter: &MeterState,
    origin: &Origin,
    telegrams: &[Kept],
    attempt: u64,
) -> Option<MeterReport> {
    let session = meter.active.as_ref()?;
    let last = telegrams.last()?;
    let speaker = last.speaker.as_ref()?;
    let clock = telegrams.iter().find_map(|kept| kept.meter_time());
    let digits = |id: [u8; 4]| {
        let digits = id.iter().map(|byte| format!("{byte:02X}"));
        digits.collect::<String>()
    };
    Some(MeterReport {
        at: MonoNs(last.last_ns),
        meter_id: meter.meter.id.clone(),
        source: origin.port.clone(),
        seq: session.seq,
        slot: Some(session.slot),
        attempt,
        serial: speaker.id.map(digits),
        manufacturer: speaker.manufacturer.map(|maker| maker.to_string()),
        version: speaker.version.map(u64::from),
        medium: speaker.medium.map(u64::from),
        access_number: speaker.access_number.map(u64::from),
        status: speaker.status.map(|status| u64::from(status.0)),
        clock: clock.map(|moment| moment.to_string()),
        summer_time: match clock {
            Some(Moment::Instant { summer, .. }) => Some(summer),
            _ => None,
        },
        telegrams: u64::try_from(telegrams.len()).unwrap_or(u64::MAX),
        contract: origin.contract,
    })
}
