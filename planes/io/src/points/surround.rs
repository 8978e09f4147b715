//! Supplies, the environment and reset reasons of a card: what is asked, what is told, what is counted.

use super::engine::CardEngine;
use super::io::Action;
use super::order::Fact;
use super::watch::{Live, Said};
use crate::buckets::Sheet;
use crate::events::News;
use crate::limits::{RECORDS_WAITING_MAX, RESET_TEXT_BYTES_MAX};
use alloc::format;
use alloc::string::String;
use contract::ResetSource;
use evidence::kinds::{Excursion, ResetReason};
use evidence::reasons::{Band, EventCode, QualityReason, ResetCause};
use evidence::{Decimal, MonoNs, Quality, Seq};

/// Where the platform says why it was reset.
#[derive(Debug)]
pub(super) struct Reset {
    pub(super) of: ResetSource,
    /// What it said last, and whether it could be read.
    said: Option<(ResetCause, bool)>,
    pub(super) dropped: u64,
}

impl Reset {
    pub(super) fn new(of: &ResetSource) -> Self {
        Self {
            of: of.clone(),
            said: None,
            dropped: 0,
        }
    }
}

impl CardEngine {
    /// The card was opened: numbers are read from now on, words at once.
    pub(super) fn look_around(&mut self, now: MonoNs) {
        for watch in &mut self.watches {
            watch.next_read = now;
        }
        for reset in &self.resets {
            let channel = reset.of.channel.clone();
            self.out.push(Action::ReadText { channel });
        }
    }

    /// Asks for the numbers that are due.
    pub(super) fn ask_watched(&mut self, now: MonoNs) {
        for watch in &mut self.watches {
            if watch.next_read > now {
                continue;
            }
            let every_ns = watch.of.sample_ms.saturating_mul(1_000_000);
            let behind = now.since(watch.next_read) / every_ns.max(1);
            let step = every_ns.saturating_mul(behind.saturating_add(1));
            watch.next_read = watch.next_read.plus_ns(step);
            let channel = watch.of.channel.clone();
            // Two that watch one channel share what it says.
            let asked = self.out.iter().any(
                |action| matches!(action, Action::Read { channel: known } if *known == channel),
            );
            if !asked {
                self.out.push(Action::Read { channel });
            }
        }
    }

    /// A channel was asked: everything that watches it hears of it.
    pub(super) fn watched(&mut self, now: MonoNs, name: &str, taken: Option<Decimal>) {
        for (watch, one) in self.watches.iter().enumerate() {
            if one.of.channel == name {
                self.order.put(now, Fact::Watched { watch, taken });
            }
        }
    }

    pub(super) fn take_watched(&mut self, at: MonoNs, place: usize, taken: Option<Decimal>) {
        let Some(watch) = self.watches.get_mut(place) else {
            return;
        };
        let said = match taken {
            Some(raw) => watch.take(at, raw),
            None => {
                watch.faults += 1;
                watch.lost(at, QualityReason::SourceLost)
            }
        };
        for one in said {
            self.tell_watched(place, one);
        }
    }

    pub(super) fn watched_gone(&mut self, at: MonoNs) {
        for place in 0..self.watches.len() {
            let watch = self.watches.get_mut(place);
            let said = watch.map(|watch| watch.lost(at, QualityReason::SourceLost));
            for one in said.unwrap_or_default() {
                self.tell_watched(place, one);
            }
        }
    }

    fn tell_watched(&mut self, place: usize, said: Said) {
        let room = self.has_room();
        let Some(watch) = self.watches.get_mut(place) else {
            return;
        };
        if !room {
            watch.dropped += 1;
            let point = watch.of.id.clone();
            self.no_room(point.as_str());
            return;
        }
        let excursion = Excursion {
            at: said.at,
            point_id: watch.of.id.clone(),
            source: self.card.clone(),
            channel: watch.of.channel.clone(),
            seq: Seq(0),
            change: said.change,
            band: said.band.map(|(band, _)| band),
            limit: said.band.map(|(_, limit)| limit),
            value: said.value,
            extreme: said.extreme,
            lasted_ns: said.lasted_ns,
            quality: said.quality,
            contract: self.contract,
        };
        self.waiting.push_back(excursion.into());
    }

    /// What a file said of the last reset.
    pub(super) fn reset_said(&mut self, now: MonoNs, name: &str, taken: &Result<String, String>) {
        let (room, test) = (self.has_room(), self.played);
        for place in 0..self.resets.len() {
            let Some(reset) = self.resets.get_mut(place) else {
                continue;
            };
            if reset.of.channel != name {
                continue;
            }
            let says = taken.as_deref().ok().map(|text| bounded(text.trim()));
            let cause = says
                .as_deref()
                .map_or(ResetCause::Unknown, |text| reset.of.meaning(text));
            reset.said = Some((cause, says.is_some()));
            let quality = match (&says, test) {
                (None, _) => Quality::invalid(QualityReason::SourceLost),
                (Some(_), true) => Quality::questionable(QualityReason::Test),
                (Some(_), false) => Quality::GOOD,
            };
            if let Err(detail) = taken {
                let words = format!("{name}: {detail}");
                let news = News::new(EventCode::PortLost).detail(words);
                self.events.note(now, news);
            }
            if !room {
                reset.dropped += 1;
                let point = reset.of.id.clone();
                self.no_room(point.as_str());
                continue;
            }
            let reason = ResetReason {
                at: now,
                point_id: reset.of.id.clone(),
                source: self.card.clone(),
                channel: reset.of.channel.clone(),
                seq: Seq(0),
                cause,
                says,
                quality,
                contract: self.contract,
            };
            self.waiting.push_back(reason.into());
        }
    }

    /// An event for a record that had no room; the log of events bounds how many.
    pub(super) fn no_room(&mut self, point: &str) {
        let words = format!(
            "{RECORDS_WAITING_MAX} records wait for the recorder; one of {point} had no room"
        );
        let news = News::new(EventCode::QueueOverflow).detail(words);
        self.events.note(self.last, news);
    }

    /// The counters of everything that is watched: a source that never spoke has none, one that fell silent an old one.
    pub(super) fn count_watched(&self, sheet: &mut Sheet) {
        for watch in &self.watches {
            let (id, live) = (watch.of.id.as_str(), watch.live);
            let supply = watch
                .bounds
                .iter()
                .all(|bound| is_of_power(bound.limit.band));
            if supply {
                sheet.of_source(live, "vbat_min", id, watch.min.and_then(thousandths));
            }
            for bound in &watch.bounds {
                let band = bound.limit.band;
                let label = match is_of_power(band) {
                    true => String::from(id),
                    false => format!("{id}/{band}"),
                };
                sheet.of_source(live, counter_of(band), &label, Some(bound.count));
                if band == Band::Droop {
                    for (bucket, count) in bound.depths().filter(|(_, count)| *count > 0) {
                        sheet.value("vbat_droop_depth", &format!("{id}/{bucket}"), count);
                    }
                }
                for (bucket, count) in bound.spans().filter(|(_, count)| *count > 0) {
                    sheet.value("excursion_span", &format!("{id}/{band}/{bucket}"), count);
                }
                let now = u64::from(bound.is_inside());
                sheet.of_source(live, "excursion_now", &format!("{id}/{band}"), Some(now));
            }
            sheet.value("sample_fault_cnt", id, watch.faults);
            sheet.value("record_dropped_cnt", id, watch.dropped);
        }
        for reset in &self.resets {
            let id = reset.of.id.as_str();
            match reset.said {
                Some((cause, true)) => sheet.value("reset_reason", &format!("{id}/{cause}"), 1),
                Some((_, false)) | None => sheet.of_source(Live::Never, "reset_reason", id, None),
            }
            sheet.value("record_dropped_cnt", id, reset.dropped);
        }
    }
}

impl Sheet {
    pub(super) fn of_source(&mut self, live: Live, name: &str, label: &str, value: Option<u64>) {
        use evidence::reasons::CounterState::{Stale, Unsupported, Value};
        match (live, value) {
            (Live::Never, _) | (_, None) => self.push(name, label, Unsupported, None),
            (Live::Now, Some(_)) => self.push(name, label, Value, value),
            (Live::Lost, Some(_)) => self.push(name, label, Stale, value),
        }
    }
}

const fn is_of_power(band: Band) -> bool {
    matches!(band, Band::Droop | Band::Brownout | Band::Uvlo)
}

const fn counter_of(band: Band) -> &'static str {
    match band {
        Band::Droop => "vbat_droop_cnt",
        Band::Brownout => "brownout_log_cnt",
        Band::Uvlo => "uvlo_cnt",
        Band::Cold | Band::Hot | Band::Dry | Band::Humid => "env_tag",
    }
}

/// A value as a counter: in thousandths of its unit, cut off; below 0 there is none.
#[must_use]
pub fn thousandths(value: Decimal) -> Option<u64> {
    let mantissa = u64::try_from(value.mantissa()).ok()?;
    let exponent = i32::from(value.exponent()) + 3;
    let factor = 10u64.checked_pow(exponent.unsigned_abs())?;
    match exponent < 0 {
        true => Some(mantissa / factor),
        false => mantissa.checked_mul(factor),
    }
}

/// The beginning of a text, as long as an entry keeps.
fn bounded(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    let mut end = text.len().min(RESET_TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    String::from(text.get(..end).unwrap_or_default())
}
