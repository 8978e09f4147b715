//! A node's time process on the rig: it looks as the role does, and stamps are taken all the while.

use clocks::{ClockSetSignal, Probe};
use evidence::kinds::{Event, TimeMap};
use evidence::reasons::{EventCode, TimeCause, TimeQuality};
use evidence::{MonoNs, SourceId, UtcNs};
use std::time::Duration;
use time_plane::drift::OscillatorClass;
use time_plane::fresh::{ChronyPolicy, PtpPolicy};
use time_plane::reading::{Observation, Reading};
use time_plane::{Engine, OfferPolicy, Policy};

/// How often the role looks.
const LOOK_EVERY_NS: u64 = 250_000_000;
/// How often a stamp is taken.
const STAMP_EVERY: Duration = Duration::from_millis(50);

/// Something that was told, and when.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) at: MonoNs,
    pub(crate) event: Event,
}

/// The engine, its sources, and the stamps that its words lead to.
pub(crate) struct Watch {
    engine: Engine,
    probes: Vec<Box<dyn Probe>>,
    signal: Option<ClockSetSignal>,
    next: MonoNs,
    map: Option<TimeMap>,
    /// What the daemons showed of their last measurement, judged by nobody.
    shown: Vec<UtcNs>,
    measured: MonoNs,
    /// A SYNCED stamp may be so much younger than the last measurement.
    window_ns: u64,
    pub(crate) told: Vec<Told>,
    quality: TimeQuality,
    /// Times at which the quality of the stamps changed.
    pub(crate) changes: Vec<(MonoNs, TimeQuality)>,
    /// The oldest measurement behind a SYNCED stamp.
    pub(crate) oldest_ns: u64,
    pub(crate) synced_stamps: u64,
}

impl Watch {
    /// Looks at these; a stamp may rest on a measurement for `window_ns`.
    pub(crate) fn new(probes: Vec<Box<dyn Probe>>, window_ns: u64) -> Self {
        let policy = Policy {
            limit_ns: 1_000_000,
            oscillator: OscillatorClass::Xo,
            ptp: PtpPolicy {
                free_running: true,
                ..PtpPolicy::default()
            },
            chrony: ChronyPolicy::default(),
            offered: OfferPolicy::default(),
            floor: UtcNs(0),
        };
        Self {
            engine: Engine::new(SourceId::new("time").unwrap(), policy),
            shown: vec![UtcNs(0); probes.len()],
            probes,
            signal: ClockSetSignal::new().ok(),
            next: MonoNs(0),
            map: None,
            measured: MonoNs(0),
            window_ns,
            told: Vec::new(),
            quality: TimeQuality::RtcOnly,
            changes: Vec::new(),
            oldest_ns: 0,
            synced_stamps: 0,
        }
    }

    pub(crate) fn is_synced(&self) -> bool {
        self.quality == TimeQuality::Synced
    }

    /// Goes on for so many seconds.
    pub(crate) fn run(&mut self, seconds: u64) {
        self.until(seconds, |_| false);
    }

    /// Goes on until it is so, for so many seconds at most; whether it was.
    pub(crate) fn until(&mut self, seconds: u64, is_so: impl Fn(&Self) -> bool) -> bool {
        let deadline = clocks::mono().plus_ns(seconds * 1_000_000_000);
        while clocks::mono() < deadline {
            if clocks::mono() >= self.next {
                self.look();
            }
            self.stamp();
            if is_so(self) {
                return true;
            }
            std::thread::sleep(STAMP_EVERY);
        }
        false
    }

    fn look(&mut self) {
        let set = self.signal.as_mut().is_some_and(|of| of.take().unwrap());
        let now = clocks::compare();
        self.next = now.sample.mono.plus_ns(LOOK_EVERY_NS);
        if !self.engine.compare(&now, set) {
            return;
        }
        for index in 0..self.probes.len() {
            let seen = self.probes[index].look(clocks::mono());
            self.shows(index, &seen, now.sample.utc.0 - ns(now.sample.mono));
            self.engine.note(&seen);
        }
        let Some(statement) = self.engine.conclude() else {
            return;
        };
        let at = now.sample.mono;
        let told = statement.events.into_iter();
        self.told.extend(told.map(|event| Told { at, event }));
        self.map = Some(statement.map);
    }

    /// The newest measurement of all sources, as the daemons date it themselves.
    fn shows(&mut self, index: usize, seen: &Observation, utc_ahead_ns: i64) {
        let instant = match &seen.outcome {
            Ok(Reading::Ptp(reading)) => reading.ingress,
            Ok(Reading::Chrony(reading)) => Some(reading.reference_time),
            _ => None,
        };
        if let Some(instant) = instant.filter(|instant| *instant != self.shown[index]) {
            self.shown[index] = instant;
            let mono = u64::try_from(instant.0 - utc_ahead_ns).unwrap_or(0);
            self.measured = self.measured.max(MonoNs(mono));
        }
    }

    fn stamp(&mut self) {
        let Some(map) = &self.map else {
            return;
        };
        let now = clocks::mono();
        let stamp = map.evaluate(now);
        if stamp.quality != self.quality {
            self.quality = stamp.quality;
            self.changes.push((now, stamp.quality));
        }
        if stamp.quality == TimeQuality::Synced {
            self.synced_stamps += 1;
            self.oldest_ns = self.oldest_ns.max(now.since(self.measured));
            assert!(
                now.since(self.measured) <= self.window_ns,
                "a SYNCED stamp rests on a measurement that is {} ms old: {map:?}",
                now.since(self.measured) / 1_000_000
            );
        }
    }

    /// What was told since, a line each.
    pub(crate) fn words_since(&self, since: MonoNs) -> String {
        let later = self.told.iter().filter(|told| told.at >= since);
        let line = |told: &Told| {
            let ms = told.at.since(since) / 1_000_000;
            let cause = told.event.time_cause.map_or("-", TimeCause::name);
            let detail = told.event.detail.as_deref().unwrap_or_default();
            format!("\n  {ms:>6} ms {} {cause}: {detail}", told.event.code)
        };
        later.map(line).collect()
    }

    /// The causes that were told since.
    pub(crate) fn causes_since(&self, since: MonoNs) -> Vec<(EventCode, TimeCause)> {
        let later = self.told.iter().filter(|told| told.at >= since);
        later
            .filter_map(|told| Some((told.event.code, told.event.time_cause?)))
            .collect()
    }

    /// How often this was told since.
    pub(crate) fn count_since(&self, code: EventCode, since: MonoNs) -> usize {
        let later = self.told.iter().filter(|told| told.at >= since);
        later.filter(|told| told.event.code == code).count()
    }
}

fn ns(mono: MonoNs) -> i64 {
    i64::try_from(mono.0).unwrap()
}
