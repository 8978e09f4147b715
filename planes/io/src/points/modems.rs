//! PLC modems of a card: when they are asked, what their answers come to, what is counted.

use super::engine::CardEngine;
use super::io::{Action, Polled};
use super::watch::Live;
use crate::buckets::Sheet;
use crate::events::sample;
use crate::modem::{self, NoAnswer};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use contract::Modem;
use evidence::kinds::{ModemCount, ModemReport};
use evidence::reasons::{DowntimeCause, ModemOutcome, QualityReason};
use evidence::{Blob, MonoNs, Quality, Seq, Slot};

/// What came of a poll.
type Taken = Result<Vec<u8>, (ModemOutcome, String)>;

/// Totals as a modem counts them; nothing where it has not said one.
#[derive(Debug, Clone)]
struct Totals {
    retransmissions: Option<u64>,
    counters: Vec<Option<u64>>,
}

impl Totals {
    /// Takes in an answer: what it leaves out stays, but where the modem began to count anew since.
    fn take(&mut self, answer: &modem::Answer, restarted: bool) {
        let after = |now: Option<u64>, then: Option<u64>| now.or(then.filter(|_| !restarted));
        self.retransmissions = after(answer.retransmissions, self.retransmissions);
        for (then, now) in self.counters.iter_mut().zip(&answer.counters) {
            *then = after(*now, *then);
        }
    }
}

/// A PLC modem.
#[derive(Debug)]
pub(super) struct PlcModem {
    pub(super) of: Modem,
    pub(super) schedule: usize,
    /// The slot that it is asked for now.
    asked: Option<Slot>,
    live: Live,
    link: Option<bool>,
    /// What it counted up to the answer before.
    seen: Totals,
    /// The same up to the last report that the log has, and whether the modem restarted since.
    told: Totals,
    anew: bool,
    /// Retransmissions while it was watched, over its restarts.
    repeated: Option<u64>,
    restarts: u64,
    outcomes: [u64; ModemOutcome::ALL.len()],
    buckets: Vec<u64>,
    dropped: u64,
    pub(super) test: bool,
}

impl PlcModem {
    pub(super) fn new(of: &Modem, schedule: usize, test: bool) -> Self {
        let none = Totals {
            retransmissions: None,
            counters: of.counters.iter().map(|_| None).collect(),
        };
        Self {
            of: of.clone(),
            schedule,
            asked: None,
            live: Live::Never,
            link: None,
            seen: none.clone(),
            told: none,
            anew: false,
            repeated: None,
            restarts: 0,
            outcomes: [0; ModemOutcome::ALL.len()],
            buckets: vec![0; of.buckets.count()],
            dropped: 0,
            test,
        }
    }

    /// What the bytes of an answer say, or how the poll ended, why, and how the answer begins.
    fn read(&self, taken: &Taken) -> Result<modem::Answer, (ModemOutcome, String, Option<Blob>)> {
        let bytes = match taken {
            Ok(bytes) => bytes,
            Err((outcome, detail)) => return Err((*outcome, detail.clone(), None)),
        };
        modem::answer(&self.of, bytes).map_err(|error| {
            let outcome = match error {
                NoAnswer::TooLong => ModemOutcome::TooLong,
                NoAnswer::Garbled => ModemOutcome::Garbled,
                NoAnswer::Nothing => ModemOutcome::Incomplete,
            };
            (outcome, error.to_string(), Some(sample(bytes)))
        })
    }

    /// Counts what an answer says beside the one before.
    fn count(&mut self, answer: &modem::Answer) {
        let back = |now: Option<u64>, then: Option<u64>| matches!((now, then), (Some(now), Some(then)) if now < then);
        let (now, then) = (answer.retransmissions, self.seen.retransmissions);
        let mut pairs = answer.counters.iter().zip(&self.seen.counters);
        let restarted = back(now, then) || pairs.any(|(now, then)| back(*now, *then));
        let from = if restarted { Some(0) } else { then };
        if let Some(now) = now {
            let more = from.map_or(0, |from| now.saturating_sub(from));
            self.repeated = Some(self.repeated.unwrap_or(0).saturating_add(more));
        }
        self.restarts += u64::from(restarted);
        self.anew |= restarted;
        self.seen.take(answer, restarted);
        if restarted && now.is_none() && then.is_some() {
            // What it says of them next, it repeated since.
            self.seen.retransmissions = Some(0);
        }
    }

    /// What an answer says beside the last report that the log has, for one that it will have.
    fn compare(&mut self, answer: &modem::Answer) -> (bool, Option<u64>, Vec<ModemCount>) {
        let restarted = core::mem::take(&mut self.anew);
        let step = |now: Option<u64>, then: Option<u64>| match (now, then) {
            (Some(now), Some(then)) if !restarted => now.checked_sub(then),
            _ => None,
        };
        let more = step(answer.retransmissions, self.told.retransmissions);
        let each = self.of.counters.iter().zip(&answer.counters);
        let counts = each
            .zip(&self.told.counters)
            .filter_map(|((counter, now), then)| {
                Some(ModemCount {
                    name: counter.name.clone(),
                    total: (*now)?,
                    step: step(*now, *then),
                })
            });
        let counts = counts.collect();
        self.told.take(answer, restarted);
        (restarted, more, counts)
    }
}

impl CardEngine {
    /// A slot is due: its modems are asked.
    pub(super) fn ask_modems(&mut self, schedule: usize, slot: Slot) {
        for modem in &mut self.modems {
            if modem.schedule != schedule {
                continue;
            }
            modem.asked = Some(slot);
            let point = modem.of.id.clone();
            self.out.push(Action::Ask { point });
        }
    }

    /// A modem was asked.
    pub(super) fn modem_said(&mut self, now: MonoNs, asked: &Polled) {
        let Some(place) = self.modems.iter().position(|one| one.of.id == asked.point) else {
            return;
        };
        let room = self.has_room();
        let Some(modem) = self.modems.get_mut(place) else {
            return;
        };
        let slot = modem.asked.take();
        let read = modem.read(&asked.taken);
        let mut report = ModemReport {
            at: now,
            point_id: modem.of.id.clone(),
            source: self.card.clone(),
            seq: Seq(0),
            slot,
            outcome: ModemOutcome::Answered,
            link: None,
            retransmissions: None,
            step: None,
            quality_value: None,
            counters: Vec::new(),
            restarted: false,
            took_us: asked.took_ns / 1_000,
            detail: None,
            sample: None,
            quality: match modem.test {
                true => Quality::questionable(QualityReason::Test),
                false => Quality::GOOD,
            },
            contract: self.contract,
        };
        match read {
            Ok(answer) => {
                modem.live = Live::Now;
                modem.link = answer.link;
                modem.count(&answer);
                // What the log has no room for is told with the next report.
                if room {
                    (report.restarted, report.step, report.counters) = modem.compare(&answer);
                }
                let bucket = answer.quality.map(|quality| modem.of.buckets.of(quality));
                if let Some(count) = bucket.and_then(|place| modem.buckets.get_mut(place)) {
                    *count += 1;
                }
                report.link = answer.link;
                report.retransmissions = answer.retransmissions;
                report.quality_value = answer.quality;
                report.detail = (!answer.missing.is_empty())
                    .then(|| format!("not in the answer: {}", answer.missing.join(", ")));
            }
            Err((outcome, detail, sample)) => {
                if modem.live == Live::Now {
                    modem.live = Live::Lost;
                }
                report.outcome = outcome;
                report.quality = Quality::invalid(QualityReason::SourceLost);
                (report.detail, report.sample) = (Some(detail), sample);
            }
        }
        let outcomes = ModemOutcome::ALL.iter();
        let at = outcomes.clone().position(|one| *one == report.outcome);
        if let Some(count) = at.and_then(|at| modem.outcomes.get_mut(at)) {
            *count += 1;
        }
        if room {
            report.detail = report.detail.map(crate::events::bounded);
            self.waiting.push_back(report.into());
            return;
        }
        modem.dropped += 1;
        let (point, schedule) = (modem.of.id.clone(), modem.schedule);
        if let (Some(schedule), Some(slot)) = (self.schedules.get_mut(schedule), slot) {
            schedule.miss(None, slot, 1, DowntimeCause::Backpressure);
        }
        self.no_room(point.as_str());
    }

    pub(super) fn count_modems(&self, sheet: &mut Sheet) {
        for modem in &self.modems {
            let (id, live) = (modem.of.id.as_str(), modem.live);
            sheet.of_source(live, "plc_retx_cnt", id, modem.repeated);
            sheet.of_source(live, "plc_link", id, modem.link.map(u64::from));
            for (place, count) in modem.buckets.iter().enumerate() {
                if *count > 0 {
                    let label = format!("{id}/{}", modem.of.buckets.name(place));
                    sheet.value("plc_quality", &label, *count);
                }
            }
            sheet.of_source(live, "modem_restart_cnt", id, Some(modem.restarts));
            for (outcome, count) in ModemOutcome::ALL.iter().zip(modem.outcomes) {
                if count > 0 {
                    sheet.value("modem_poll_cnt", &format!("{id}/{outcome}"), count);
                }
            }
            for (counter, total) in modem.of.counters.iter().zip(&modem.seen.counters) {
                let label = format!("{id}/{}", counter.name);
                sheet.of_source(live, "modem_counter", &label, *total);
            }
            sheet.value("record_dropped_cnt", id, modem.dropped);
        }
    }
}
