//! What the recorder counts of the time that it is told (A8.2, A8.3) and that it takes itself (R7.4), each
//! with its name from the counters' list.

use evidence::kinds::{Counter, CounterSnapshot, Event, TimeMap};
use evidence::limits::STATEMENT_VALID_NS;
use evidence::reasons::{CounterState, DriftBudget, EventCode};
use evidence::{MonoNs, SourceId};
use time_plane::budget::{Budget, Part};

const SECOND_NS: u64 = 1_000_000_000;
/// Counters that the time process may have: three times those that it has.
const TIME_COUNTERS_MAX: usize = 48;

/// Since the recorder started. The time process may begin again meanwhile: what it counted is not lost.
#[derive(Debug, Default)]
pub(super) struct TimeStats {
    steps: u64,
    acquired: u64,
    lost: u64,
    faults: u64,
    /// Nanoseconds of the holdovers that have ended.
    held_ns: u64,
    /// When the holdover that is under way began.
    holdover_since: Option<MonoNs>,
    /// What the time process counts itself, and until when it is not late.
    told: (Vec<Counter>, MonoNs),
    /// The last measurement, and until when the process that told of it is not late.
    measured: Option<(MonoNs, MonoNs)>,
    /// What the last map said of the site's limit.
    drift_budget: Option<DriftBudget>,
}

impl TimeStats {
    /// Counts an event of the time process.
    pub(super) fn event(&mut self, event: &Event) {
        let count = match event.code {
            EventCode::TimeStep => &mut self.steps,
            EventCode::TimeSourceFault => &mut self.faults,
            EventCode::SyncAcquired => {
                self.end_holdover(event.at);
                &mut self.acquired
            }
            EventCode::SyncLost => {
                self.holdover_since = Some(event.at);
                &mut self.lost
            }
            _ => return,
        };
        *count = count.saturating_add(1);
    }

    fn end_holdover(&mut self, at: MonoNs) {
        if let Some(since) = self.holdover_since.take() {
            self.held_ns = self.held_ns.saturating_add(at.since(since));
        }
    }

    /// Takes what the time process counts. It counts under its own name alone, and no more than so much.
    pub(super) fn told(&mut self, told: CounterSnapshot, source: &SourceId) {
        let mut counters = told.counters;
        counters.truncate(TIME_COUNTERS_MAX);
        for counter in &mut counters {
            counter.source.clone_from(source);
        }
        self.told = (counters, told.at.plus_ns(STATEMENT_VALID_NS));
    }

    /// Takes the map that serves from now on.
    pub(super) fn map(&mut self, map: &TimeMap) {
        self.drift_budget = map.drift_budget;
        if let Some(age_ns) = map.sync_age_ns {
            let taken = MonoNs(map.as_of.0.saturating_sub(age_ns));
            self.measured = Some((taken, map.valid_until));
        }
    }

    /// All of it at `now`. Spans are whole seconds, the one that is under way included.
    pub(super) fn counters(&self, source: &SourceId, now: MonoNs) -> Vec<Counter> {
        let running_ns = self.holdover_since.map_or(0, |since| now.since(since));
        let held_s = self.held_ns.saturating_add(running_ns) / SECOND_NS;
        let age_s = self.measured.map(|(taken, _)| now.since(taken) / SECOND_NS);
        let late = self.measured.is_some_and(|(_, until)| now > until);
        let counter = |name: &str, label: Option<&str>, value: Option<u64>, late: bool| Counter {
            name: name.to_owned(),
            label: label.map(str::to_owned),
            state: match value {
                Some(_) if late => CounterState::Stale,
                Some(_) => CounterState::Value,
                None => CounterState::Unsupported,
            },
            value,
            source: source.clone(),
        };
        let bucket = self.drift_budget.map(DriftBudget::name);
        let drift_budget = counter("drift_budget_bucket", bucket, bucket.map(|_| 1), late);
        [
            ("step_adjust_cnt", Some(self.steps), false),
            ("sync_acquired_cnt", Some(self.acquired), false),
            ("sync_lost_cnt", Some(self.lost), false),
            // A claim that ends is a holdover that begins.
            ("holdover_enter_cnt", Some(self.lost), false),
            ("holdover_duration", Some(held_s), false),
            ("time_source_fault_cnt", Some(self.faults), false),
            ("last_sync_age", age_s, late),
        ]
        .into_iter()
        .map(|(name, value, late)| counter(name, None, value, late))
        .chain([drift_budget])
        .chain(self.told_at(now))
        .collect()
    }

    /// Nanoseconds from the machine's boot to the first SYNCED, as the time process said last.
    pub(super) fn boot_to_stable_ns(&self) -> Option<u64> {
        let (counters, _) = &self.told;
        let stable = counters.iter().find(|of| of.name == "boot_to_stable")?;
        stable
            .value
            .map(|seconds| seconds.saturating_mul(SECOND_NS))
    }

    fn told_at(&self, now: MonoNs) -> Vec<Counter> {
        let (counters, until) = &self.told;
        let mut counters = counters.clone();
        if now > *until {
            let values = counters.iter_mut();
            let values = values.filter(|counter| counter.state == CounterState::Value);
            values.for_each(|counter| counter.state = CounterState::Stale);
        }
        counters
    }
}

/// How long each part of the way from an edge to a durable entry took, in microseconds, since the recorder
/// started. A part that no source tells of is told as that.
pub(super) fn of_the_way(budget: &Budget, source: &SourceId) -> Vec<Counter> {
    let percentiles = [("timing_p50", 50), ("timing_p99", 99)];
    let counters = Part::ALL.iter().flat_map(|part| {
        percentiles.map(|(name, percent)| {
            let value = budget.histogram(*part).percentile_us(percent);
            Counter {
                name: name.to_owned(),
                label: Some(part.name().to_owned()),
                state: match value {
                    Some(_) => CounterState::Value,
                    None => CounterState::Unsupported,
                },
                value,
                source: source.clone(),
            }
        })
    });
    counters.collect()
}

#[cfg(test)]
mod tests {
    use super::{SECOND_NS, TimeStats, of_the_way};
    use evidence::kinds::{Counter, CounterSnapshot, Event, TimeMap};
    use evidence::reasons::{CounterState, DriftBudget, EventCode};
    use evidence::{MonoNs, SourceId, UtcNs};
    use time_plane::budget::{Budget, Part};

    fn at(seconds: u64) -> MonoNs {
        MonoNs(seconds * SECOND_NS)
    }

    fn event(seconds: u64, code: EventCode) -> Event {
        Event::new(at(seconds), code, SourceId::new("time").unwrap())
    }

    fn shown(stats: &TimeStats, seconds: u64, name: &str) -> (CounterState, Option<u64>) {
        let counters = stats.counters(&SourceId::new("recorder").unwrap(), at(seconds));
        let found = counters.iter().find(|counter| counter.name == name);
        found.map(|of| (of.state, of.value)).unwrap()
    }

    //= A8.2
    //= A8.3
    #[test]
    fn each_event_counts_under_its_own_name_and_no_other() {
        let mut stats = TimeStats::default();
        let codes = [
            (20, EventCode::SyncAcquired),
            (25, EventCode::PtpLoss),
            (26, EventCode::SyncLost),
            (27, EventCode::TimeSourceFault),
            (30, EventCode::TimeStep),
            (46, EventCode::SyncAcquired),
            (46, EventCode::HoldoverEnded),
            (60, EventCode::SyncLost),
        ];
        for (seconds, code) in codes {
            stats.event(&event(seconds, code));
        }
        let counted = [
            ("step_adjust_cnt", 1),
            ("sync_acquired_cnt", 2),
            ("sync_lost_cnt", 2),
            ("holdover_enter_cnt", 2),
            // 20 s that have ended, and 5 s of the one that has not.
            ("holdover_duration", 25),
            ("time_source_fault_cnt", 1),
        ];
        for (name, count) in counted {
            let found = shown(&stats, 65, name);
            assert_eq!(found, (CounterState::Value, Some(count)), "{name}");
        }
    }

    //= A2.5
    //= A8.3
    #[test]
    fn the_age_of_the_last_measurement_grows_and_is_stale_once_nobody_speaks() {
        let mut stats = TimeStats::default();
        let unknown = (CounterState::Unsupported, None);
        assert_eq!(shown(&stats, 5, "last_sync_age"), unknown);
        stats.map(&TimeMap {
            sync_age_ns: Some(2 * SECOND_NS),
            valid_until: at(13),
            ..TimeMap::absent(at(10), UtcNs(0))
        });
        let age = |seconds| shown(&stats, seconds, "last_sync_age");
        assert_eq!(age(12), (CounterState::Value, Some(4)));
        assert_eq!(age(20), (CounterState::Stale, Some(12)));
    }

    //= A8.3
    #[test]
    fn the_drift_budget_is_the_bucket_of_the_last_map() {
        let mut stats = TimeStats::default();
        let shown = |stats: &TimeStats, seconds| {
            let counters = stats.counters(&SourceId::new("recorder").unwrap(), at(seconds));
            let named = counters
                .into_iter()
                .find(|counter| counter.name == "drift_budget_bucket");
            named.map(|counter| (counter.state, counter.label)).unwrap()
        };
        assert_eq!(shown(&stats, 5), (CounterState::Unsupported, None));
        for bucket in [DriftBudget::Below50Percent, DriftBudget::Spent] {
            stats.map(&TimeMap {
                sync_age_ns: Some(SECOND_NS),
                valid_until: at(13),
                drift_budget: Some(bucket),
                ..TimeMap::absent(at(10), UtcNs(0))
            });
            let label = Some(bucket.name().to_owned());
            assert_eq!(shown(&stats, 12), (CounterState::Value, label.clone()));
            assert_eq!(shown(&stats, 20), (CounterState::Stale, label));
        }
    }

    //= R7.4
    #[test]
    fn each_part_of_the_way_has_its_percentiles_and_one_without_a_source_says_so() {
        let mut budget = Budget::new(None);
        for span_ns in [400_000, 900_000, 900_000] {
            budget.take(Part::Queue, span_ns, at(1));
        }
        let counters = of_the_way(&budget, &SourceId::new("recorder").unwrap());
        let found: Vec<_> = counters
            .iter()
            .map(|counter| {
                (
                    counter.label.as_deref().unwrap(),
                    counter.name.as_str(),
                    counter.value,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("edge", "timing_p50", None),
                ("edge", "timing_p99", None),
                ("queue", "timing_p50", Some(1_024)),
                ("queue", "timing_p99", Some(1_024)),
                ("commit", "timing_p50", None),
                ("commit", "timing_p99", None),
            ]
        );
        assert_eq!(counters[0].state, CounterState::Unsupported);
    }

    //= R7.2
    #[test]
    fn what_the_time_process_counts_is_stale_once_it_is_late() {
        let mut stats = TimeStats::default();
        let counter = |name: &str, state, value| Counter {
            name: name.to_owned(),
            label: None,
            state,
            value,
            source: SourceId::new("time").unwrap(),
        };
        let jitter = counter("jitter", CounterState::Value, Some(400));
        let unknown = counter("out_of_order", CounterState::Unsupported, None);
        let time = SourceId::new("time").unwrap();
        let told = CounterSnapshot {
            at: at(5),
            counters: vec![jitter, unknown],
        };
        stats.told(told, &time);
        let unsupported = (CounterState::Unsupported, None);
        for (seconds, state) in [(8, CounterState::Value), (9, CounterState::Stale)] {
            assert_eq!(shown(&stats, seconds, "jitter"), (state, Some(400)));
            assert_eq!(shown(&stats, seconds, "out_of_order"), unsupported);
        }
    }
}
