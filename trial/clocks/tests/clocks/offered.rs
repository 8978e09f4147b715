//! Times that others offer, judged by the engine and handed to a real chronyd that has no other source.

use clocks::{Chronyd, Probe as _, RefClock};
use evidence::kinds::{Event, TimeMap};
use evidence::reasons::{EventCode, TimeCause, TimeQuality};
use evidence::{SourceId, UtcNs};
use fieldnotary_trial_clocks::{Chrony, Rig, Side};
use std::time::Duration;
use time_plane::drift::OscillatorClass;
use time_plane::fresh::{ChronyPolicy, PtpPolicy};
use time_plane::limits::REFCLOCK_ID;
use time_plane::reading::{
    ChronyReading, ChronySourceState, Fault, Observation, OfferedSample, Reading, SourceKind,
};
use time_plane::{Engine, OfferPolicy, OfferSource, Policy};

/// The user that Debian's chronyd runs as.
const USER: &str = "_chrony";
const SECOND_NS: i64 = 1_000_000_000;
const YEAR_NS: i64 = 365 * 86_400 * SECOND_NS;
/// How far the trusted sender is ahead of this machine's clock.
const AHEAD_NS: i64 = 300_000_000;
/// How wrong every offer says it may be.
const UNCERTAINTY_NS: u64 = 2_000_000;
/// Of its `refclock` line: a poll a second, so that it chooses soon.
const OPTIONS: &str = "refid FNTY poll 0 filter 1 precision 1e-3 delay 4e-3";
/// Looks a second, as the time process makes them.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Seconds until chronyd has chosen; five when nothing else runs.
const SELECTED_S: u64 = 30;

struct Bench {
    engine: Engine,
    probe: Chronyd,
    clock: RefClock,
    read: Option<ChronyReading>,
    told: Vec<Event>,
    map: Option<TimeMap>,
    handed: usize,
    chrony: Option<Chrony>,
    rig: Rig,
}

impl Bench {
    fn new(trusted: &[&str]) -> Self {
        let rig = Rig::new().unwrap();
        let chrony = rig.chronyd_fed(USER, OPTIONS).unwrap();
        let mut daemon = rig.daemon(&chrony.socket).unwrap();
        let uid = rig.run(Side::Follower, "id", &["-u", USER]).unwrap();
        daemon.trusted_uids = vec![uid.trim().parse().unwrap()];
        let sources = trusted.iter().map(|name| OfferSource {
            name: (*name).to_owned(),
            priority: 1,
            offset_max_ns: 10_000_000_000,
            uncertainty_max_ns: 50_000_000,
            interval_ns: 1_000_000_000,
            pause_min_ns: 100_000_000,
        });
        let policy = Policy {
            limit_ns: 1_000_000_000,
            oscillator: OscillatorClass::Xo,
            ptp: PtpPolicy::default(),
            chrony: ChronyPolicy::default(),
            offered: OfferPolicy {
                sources: sources.collect(),
            },
            floor: UtcNs(0),
        };
        Self {
            engine: Engine::new(SourceId::new("time").unwrap(), policy),
            probe: Chronyd::new(&daemon).unwrap(),
            clock: RefClock::new(&chrony.reference_clock).unwrap(),
            read: None,
            told: Vec::new(),
            map: None,
            handed: 0,
            chrony: Some(chrony),
            rig,
        }
    }

    /// A second of looks in which each of these offers the time, this far ahead of the machine's clock.
    fn second(&mut self, offers: &[(&str, i64)]) {
        for turn in 0..4 {
            let mut now = clocks::compare();
            now.sample.kernel = clocks::kernel_status();
            if !self.engine.compare(&now, false) {
                std::thread::sleep(LOOK_EVERY);
                continue;
            }
            let seen = self.probe.look(clocks::mono());
            if let Ok(Reading::Chrony(reading)) = &seen.outcome {
                self.read = Some(reading.clone());
            }
            self.engine.note(&seen);
            for (from, ahead_ns) in offers.iter().filter(|_| turn == 0) {
                self.engine.note(&offer(from, *ahead_ns));
            }
            for sample in self.engine.take_offers() {
                let outcome = self.clock.send(&sample.sample, sample.local);
                self.handed += usize::from(outcome.is_ok());
                self.engine.handed(&sample, outcome);
            }
            if let Some(statement) = self.engine.conclude() {
                self.told.extend(statement.events);
                self.map = Some(statement.map);
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Offers until chronyd is as wanted.
    fn until(&mut self, what: &str, offers: &[(&str, i64)], wanted: impl Fn(&Self) -> bool) {
        for _ in 0..SELECTED_S {
            self.second(offers);
            if wanted(self) {
                return;
            }
        }
        let log = self.rig.log("chronyd-follower");
        panic!(
            "not seen in {SELECTED_S} s: {what}; {:?}\n{:?}\n{log}",
            self.read, self.told
        );
    }

    fn selected(&self) -> bool {
        let sources = self.read.iter().flat_map(|read| &read.sources);
        sources
            .filter(|source| source.is_refclock && source.name == "FNTY")
            .any(|source| source.state == ChronySourceState::Selected)
    }

    /// What was told of offers: who, and why not.
    fn offers(&self) -> Vec<(&str, Option<TimeCause>)> {
        let of_offers = self.told.iter().filter(|event| {
            [EventCode::OfferTaken, EventCode::SyncRequestRefused].contains(&event.code)
        });
        of_offers
            .map(|event| (event.source.as_str(), event.time_cause))
            .collect()
    }

    fn count(&self, code: EventCode) -> usize {
        self.told.iter().filter(|event| event.code == code).count()
    }
}

fn offer(from: &str, ahead_ns: i64) -> Observation {
    let now = clocks::compare().sample;
    Observation {
        at: now.mono,
        outcome: Ok(Reading::Offered(OfferedSample {
            from: from.to_owned(),
            utc: UtcNs(now.utc.0 + ahead_ns),
            uncertainty_ns: UNCERTAINTY_NS,
        })),
        source: SourceKind::Offered,
    }
}

/// UTC less monotonic time of this machine: moves when its clock is set.
fn difference_ns() -> i64 {
    let now = clocks::compare().sample;
    now.utc.0 - i64::try_from(now.mono.0).unwrap()
}

//= R6.8
#[test]
fn a_time_that_is_taken_steers_chronyd_and_a_hostile_one_is_refused_and_moves_nothing() {
    let mut bench = Bench::new(&["head-end"]);
    let before_ns = difference_ns();
    // The default: nobody of this name is trusted, and chronyd stays without a source.
    for _ in 0..4 {
        bench.second(&[("stranger", 0)]);
    }
    assert_eq!((bench.handed, bench.selected()), (0, false));
    let honest = [("head-end", AHEAD_NS)];
    bench.until("the reference clock selected", &honest, Bench::selected);
    let read = bench.read.clone().unwrap();
    assert_eq!(read.reference, REFCLOCK_ID);
    let off_ns = |read: &ChronyReading| (read.correction_ns - AHEAD_NS).abs();
    assert!(off_ns(&read) < 5_000_000, "{read:?}");
    bench.until("SYNCED", &honest, |bench| {
        bench.map.as_ref().map(|map| map.quality) == Some(TimeQuality::Synced)
    });
    // It cannot be more certain than what it has from us.
    let bound_ns = bench.map.as_ref().and_then(|map| map.bound_ns).unwrap();
    assert!(bound_ns >= AHEAD_NS.unsigned_abs(), "{bound_ns}");

    // Somebody who took over the head-end, and a stranger.
    let handed = bench.handed;
    for _ in 0..5 {
        bench.second(&[("head-end", 3 * YEAR_NS), ("stranger", -YEAR_NS)]);
    }
    assert_eq!(bench.handed, handed, "{:?}", bench.told);
    assert_eq!(
        bench.offers(),
        [
            ("stranger", Some(TimeCause::OfferUntrusted)),
            ("head-end", None),
            ("head-end", Some(TimeCause::OfferTooFar)),
        ]
    );
    let read = bench.read.clone().unwrap();
    assert!(off_ns(&read) < 5_000_000, "{read:?}");
    assert!((difference_ns() - before_ns).abs() < 1_000_000);
    assert_eq!(bench.count(EventCode::TimeStep), 0);
}

//= R6.8
#[test]
fn of_two_offered_times_that_disagree_chronyd_is_given_neither_and_both_are_named() {
    let mut bench = Bench::new(&["head-end", "scada-1"]);
    let agree = [("head-end", 0), ("scada-1", 500_000)];
    bench.until("the reference clock selected", &agree, Bench::selected);
    let disagree = [("head-end", 0), ("scada-1", 2 * SECOND_NS)];
    bench.second(&disagree);
    let handed = bench.handed;
    for _ in 0..4 {
        bench.second(&disagree);
    }
    assert_eq!(bench.handed, handed);
    let refused: Vec<&str> = bench
        .offers()
        .into_iter()
        .filter(|(_, cause)| *cause == Some(TimeCause::OfferDisputed))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(refused, ["scada-1", "head-end"]);
    assert_eq!(bench.count(EventCode::SourcesDisagree), 1);
    let read = bench.read.clone().unwrap();
    assert!(read.correction_ns.abs() < 20_000_000, "{read:?}");
}

#[test]
fn a_chronyd_that_ends_and_comes_back_is_told_and_tried_again() {
    let mut bench = Bench::new(&["head-end"]);
    let honest = [("head-end", 0)];
    bench.until("a sample taken", &honest, |bench| bench.handed > 0);
    // Before that there may have been no socket yet.
    bench.told.clear();
    // Killed: its socket's file stays, and nobody is behind it.
    drop(bench.chrony.take());
    bench.until("the fault", &honest, |bench| {
        bench.count(EventCode::RefclockFault) == 1
    });
    assert_eq!(bench.engine.handover_fault(), Some(&Fault::Stale));
    bench.chrony = Some(bench.rig.chronyd_fed(USER, OPTIONS).unwrap());
    bench.until("it is back", &honest, |bench| {
        bench.count(EventCode::RefclockBack) == 1
    });
    assert_eq!(bench.engine.handover_fault(), None);
    assert_eq!(bench.count(EventCode::RefclockFault), 1);
}
