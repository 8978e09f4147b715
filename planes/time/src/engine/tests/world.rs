//! A node that follows a grandmaster, and what can be done to the two.

use super::policy;
use crate::engine::Engine;
use crate::engine::Policy;
use crate::reading::{Fault, Observation, PtpReading, Reading, SourceKind};
use crate::tests::{comparison, ptp};
use evidence::kinds::{Event, TimeMap};
use evidence::reasons::{EventCode, TimeCause, TimeQuality};
use evidence::{SourceId, UtcNs};
use std::vec::Vec;

pub(super) const MS: u64 = 1_000_000;
pub(super) const TICK_NS: u64 = 250 * MS;
pub(super) const SYNC_NS: u64 = 125 * MS;

/// The network, the grandmaster and the node's own clock.
pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) now_ns: u64,
    pub(super) random: u64,
    pub(super) reading: PtpReading,
    /// The master's clock against what it should be.
    pub(super) master_ns: i64,
    pub(super) master_ppb: i64,
    /// Extra delay of each direction.
    pub(super) up_ns: i64,
    pub(super) down_ns: i64,
    /// What the node's clock was moved by.
    pub(super) own_ns: i64,
    /// What it was slewed by against the oscillator, beyond its correction.
    pub(super) slewed_ns: Option<i64>,
    /// The kernel does not say how it corrects its clock.
    pub(super) mute_kernel: bool,
    pub(super) lose_event: bool,
    pub(super) lose_general: bool,
    /// The master sends no Sync and no Follow_Up, and all else.
    pub(super) lose_syncs: bool,
    pub(super) lose_percent: u64,
    pub(super) silent: bool,
    /// Whether the delay is measured with every Sync, and not once a second.
    pub(super) fast_delays: bool,
    /// Whether the machine is busy: software timestamps scatter by microseconds, and some are late by tens of them.
    pub(super) busy: bool,
    pub(super) fault: Option<Fault>,
    /// Stretches of more than a second between two whole pairs of Sync and Follow_Up.
    pub(super) silences: usize,
    pub(super) paired_ns: u64,
    pub(super) maps: Vec<TimeMap>,
    pub(super) told: Vec<Event>,
    pub(super) set: bool,
}

impl World {
    pub(super) fn new(policy: Policy) -> Self {
        let mut reading = ptp(0, 0);
        reading.ingress = None;
        Self {
            engine: Engine::new(SourceId::new("time").unwrap(), policy),
            now_ns: 1_000 * MS,
            random: 7,
            reading,
            master_ns: 0,
            master_ppb: 0,
            up_ns: 0,
            down_ns: 0,
            own_ns: 0,
            slewed_ns: None,
            mute_kernel: false,
            lose_event: false,
            lose_general: false,
            lose_syncs: false,
            lose_percent: 0,
            silent: false,
            fast_delays: false,
            busy: false,
            fault: None,
            silences: 0,
            paired_ns: 0,
            maps: Vec::new(),
            told: Vec::new(),
            set: false,
        }
    }

    /// A world that has run for half a minute, and is SYNCED.
    pub(super) fn synced() -> Self {
        let mut world = Self::new(policy());
        world.run(30);
        assert_eq!(world.map().quality, TimeQuality::Synced);
        assert_eq!(world.count(EventCode::SyncAcquired), 1);
        world.told.clear();
        world.maps.clear();
        world
    }

    pub(super) fn random(&mut self, below: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    pub(super) fn run(&mut self, seconds: u64) {
        for _ in 0..seconds * 4 {
            self.tick();
        }
    }

    pub(super) fn tick(&mut self) {
        self.pass();
        self.look();
    }

    /// A tick's time passes, with its Syncs.
    pub(super) fn pass(&mut self) {
        let from = self.now_ns;
        self.now_ns += TICK_NS;
        self.master_ns += self.master_ppb / 4;
        for sync in [from + SYNC_NS / 2, from + SYNC_NS * 3 / 2] {
            self.sync(sync);
        }
    }

    /// The node looks at its clocks and at ptp4l.
    pub(super) fn look(&mut self) {
        let mut now = comparison(self.now_ns);
        now.sample.utc.0 += self.own_ns;
        if let Some(slewed_ns) = self.slewed_ns {
            now.raw_ns = now.raw_ns.saturating_add_signed(-slewed_ns);
        }
        now.sample.kernel = now.sample.kernel.filter(|_| !self.mute_kernel);
        let at = now.sample.mono;
        let outcome = match &self.fault {
            Some(fault) => Err(fault.clone()),
            None => Ok(Reading::Ptp(self.reading.clone())),
        };
        let set = std::mem::take(&mut self.set);
        assert!(self.engine.compare(&now, set));
        self.engine.note(&Observation {
            at,
            outcome,
            source: SourceKind::Ptp,
        });
        let statement = self.engine.conclude().unwrap();
        self.told.extend(statement.events);
        self.maps.push(statement.map);
    }

    /// What a busy machine adds to an offset: about a normal deviate of 1.2 us, and one in twelve is late by up to
    /// 40 us either way, its own stamp or that of the other side.
    fn busy_ns(&mut self) -> i64 {
        let sum: u64 = (0..6).map(|_| self.random(1_700)).sum();
        let late = if self.random(12) == 0 {
            self.random(80_000)
        } else {
            40_000
        };
        sum.cast_signed() - 5_100 + late.cast_signed() - 40_000
    }

    /// One Sync, its Follow_Up, and what the slower messages bring.
    pub(super) fn sync(&mut self, at_ns: u64) {
        let noise_ns = i64::try_from(self.random(600)).unwrap() - 300;
        let busy_ns = if self.busy { self.busy_ns() } else { 0 };
        let lost = |of: &mut Self| of.silent || of.lose_syncs || of.random(100) < of.lose_percent;
        let (no_sync, no_follow_up) = (lost(self), lost(self));
        let (silent, lose_event, lose_general) = (self.silent, self.lose_event, self.lose_general);
        let received = &mut self.reading.ports[0].received;
        received.sync += u64::from(!no_sync && !lose_event);
        received.follow_up += u64::from(!no_follow_up && !lose_general);
        let second = at_ns / (1_000 * MS) != (at_ns + SYNC_NS) / (1_000 * MS);
        let measures = second || self.fast_delays;
        if measures && !silent && !lose_general && !lose_event {
            received.delay_resp += 1;
            self.reading.mean_path_delay_ns =
                1_500 + (self.up_ns + self.down_ns) / 2 + noise_ns / 4;
        }
        if second && !silent && !lose_general {
            received.announce += u64::from((at_ns / (1_000 * MS)).is_multiple_of(2));
        }
        if !no_sync && !no_follow_up && !lose_event && !lose_general {
            // The claim is looked at every quarter of a second: what came since the last look is in time.
            let looked_ns = at_ns.next_multiple_of(TICK_NS) - TICK_NS;
            let silent = self.paired_ns > 0 && looked_ns > self.paired_ns + 1_000 * MS;
            self.silences += usize::from(silent);
            self.paired_ns = at_ns;
            self.reading.ingress = Some(UtcNs(crate::tests::utc(at_ns).0 + self.own_ns));
            self.reading.offset_ns =
                self.own_ns - self.master_ns + (self.down_ns - self.up_ns) / 2 + noise_ns + busy_ns;
        }
    }

    pub(super) fn map(&self) -> &TimeMap {
        self.maps.last().unwrap()
    }

    pub(super) fn count(&self, code: EventCode) -> usize {
        self.told.iter().filter(|event| event.code == code).count()
    }

    /// The one event of this code, and its cause.
    pub(super) fn cause(&self, code: EventCode) -> Option<TimeCause> {
        let of: Vec<&Event> = self
            .told
            .iter()
            .filter(|event| event.code == code)
            .collect();
        assert_eq!(of.len(), 1, "{code}: {:?}", self.told);
        of[0].time_cause
    }

    /// Seconds after `since_ns` at which the label stopped to be SYNCED.
    pub(super) fn synced_for_ns(&self, since_ns: u64) -> u64 {
        let last = self
            .maps
            .iter()
            .rfind(|map| map.quality == TimeQuality::Synced);
        last.map_or(0, |map| {
            map.valid_until.0.min(map.at.0 + TICK_NS) - since_ns
        })
    }
}
