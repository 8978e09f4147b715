//! What the recorder counts of itself (A5.5), each with its name from the counters' list.

use super::booted::BootStats;
use super::media_watch::MediaWatch;
use super::power_stats::PowerStats;
use super::signer_stats::SignerStats;
use super::time_stats::{self, TimeStats};
use evidence::kinds::Counter;
use evidence::reasons::CounterState;
use evidence::{MonoNs, SourceId};
use media::HealthSource;
use std::collections::VecDeque;
use time_plane::budget::Budget;

/// Samples that a percentile looks back on.
const SAMPLES_MAX: usize = 4_096;
/// Readings that may wait for their cosignature and still be timed.
const UNCOSIGNED_MAX: usize = 65_536;
/// A commit that takes longer is a write stall.
pub(super) const WRITE_STALL_NS: u64 = 1_000_000_000;

/// Stalls after the first are told together, this often at most.
const STALLS_TOLD_EVERY_NS: u64 = 60_000_000_000;
const DAY_NS: u64 = 86_400_000_000_000;
/// Upper ends of the buckets of `recovery_duration`, in microseconds.
const RECOVERY_BUCKETS: [(u64, &str); 5] = [
    (10_000, "<10ms"),
    (50_000, "<50ms"),
    (250_000, "<250ms"),
    (1_000_000, "<1s"),
    (10_000_000, "<10s"),
];

/// Counters that the documents ask for and this node has no source for yet: a zero would be a lie.
const UNSUPPORTED: &[&str] = &[
    "uvlo_cnt",
    "vbat_min",
    "vbat_droop_cnt",
    "brownout_log_cnt",
    "reset_reason",
    "spare_block_cnt",
    "link_flap_cnt",
    "re_neg_cnt",
    "crc_err_cnt",
    "phy_reset_cnt",
    "rssi",
    "rsrp",
    "rsrq",
    "attach_fail_cnt",
    "plc_retx_cnt",
    "glitch_cnt",
    "debounce_reject_cnt",
    "framing",
    "parity",
    "overrun",
];

/// Those of them that cards of the station's own points count.
pub(super) const OF_CARDS: [&str; 2] = ["glitch_cnt", "debounce_reject_cnt"];

/// The latest samples of a time span.
#[derive(Debug, Default)]
pub(super) struct Spans {
    samples_ns: Vec<u64>,
    next: usize,
}

impl Spans {
    fn add(&mut self, span_ns: u64) {
        if let Some(oldest) = self.samples_ns.get_mut(self.next) {
            *oldest = span_ns;
        } else {
            self.samples_ns.push(span_ns);
        }
        self.next = (self.next + 1) % SAMPLES_MAX;
    }

    /// A percentile of the latest samples, in nanoseconds.
    pub(super) fn percentile_ns(&self, percent: usize) -> Option<u64> {
        let mut sorted = self.samples_ns.clone();
        sorted.sort_unstable();
        let place = sorted.len().checked_sub(1)? * percent / 100;
        sorted.get(place).copied()
    }
}

/// The recorder's own counters.
#[derive(Debug, Default)]
pub(super) struct Stats {
    /// From the first entry of a group to its acknowledgement.
    pub(super) commit: Spans,
    /// From capture to durability, readings only.
    pub(super) durable: Spans,
    /// From capture to the collector's cosignature, readings only.
    pub(super) cosigned: Spans,
    uncosigned: VecDeque<(u64, MonoNs)>,
    pub(super) commits: u64,
    pub(super) entries: u64,
    pub(super) readings: u64,
    pub(super) attempts_failed: u64,
    pub(super) write_stalls: u64,
    pub(super) write_failures: u64,
    pub(super) rejected: u64,
    pub(super) power: PowerStats,
    pub(super) record_crc_failures: u64,
    pub(super) known_again: u64,
    pub(super) queue_depth_max: u64,
    pub(super) recoveries: u64,
    pub(super) scan_bytes: u64,
    /// How long the start took to make the log fit to write; `None` where there was no log.
    pub(super) recovery_us: Option<u64>,
    pub(super) read_backs: u64,
    pub(super) read_back_failures: u64,
    /// Entries between the two newest seals.
    pub(super) seal_interval: Option<u64>,
    /// Bytes that a day like the time since the start writes to the volume.
    pub(super) bytes_per_day: Option<u64>,
    stalls: Stalls,
    /// Of the time that it is told.
    pub(super) time: TimeStats,
    pub(super) signer: SignerStats,
    /// What was booted.
    pub(super) boot: BootStats,
    pub(super) seals: u64,
    pub(super) seals_missed: u64,
    pub(super) seq_gaps: u64,
    pub(super) seq_skips: u64,
    pub(super) lost: u64,
}

/// Stalls that no event has told yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stalls {
    /// How many.
    pub(super) count: u64,
    /// The longest, in nanoseconds.
    pub(super) longest_ns: u64,
    told_ns: Option<u64>,
}

impl Stalls {
    /// What an event is to tell now: the first stall at once, and those of a minute together.
    fn due(&mut self, now_ns: u64) -> Option<Self> {
        let told = self
            .told_ns
            .is_none_or(|told| now_ns.saturating_sub(told) >= STALLS_TOLD_EVERY_NS);
        (self.count > 0 && told).then(|| {
            let due = *self;
            *self = Self {
                told_ns: Some(now_ns),
                ..Self::default()
            };
            due
        })
    }
}

impl Stats {
    /// Counts a group commit that took `latency_ns`.
    pub(super) fn committed(&mut self, entries: u64, latency_ns: u64) {
        self.commits += 1;
        self.entries += entries;
        if latency_ns > WRITE_STALL_NS {
            self.write_stalls += 1;
            self.stalls.count += 1;
            self.stalls.longest_ns = self.stalls.longest_ns.max(latency_ns);
        }
        self.commit.add(latency_ns);
    }

    /// The stalls that an event is to tell now.
    pub(super) fn stalls_to_tell(&mut self, now: MonoNs) -> Option<Stalls> {
        self.stalls.due(now.0)
    }

    /// Takes over what the journal counted since it was opened, `open_ns` ago.
    pub(super) fn of_journal(&mut self, journal: journal::Stats, open_ns: u64) {
        self.read_backs = journal.read_backs;
        self.read_back_failures = journal.read_back_failures;
        let bytes = u128::from(journal.frame_bytes) * u128::from(DAY_NS);
        let per_day = bytes.checked_div(u128::from(open_ns));
        self.bytes_per_day = per_day.and_then(|bytes| u64::try_from(bytes).ok());
    }

    /// A reading captured at `at` is durable now, as entry `commit_id`.
    pub(super) fn reading_durable(&mut self, commit_id: u64, at: MonoNs, now: MonoNs) {
        self.durable.add(now.since(at));
        if self.uncosigned.len() < UNCOSIGNED_MAX {
            self.uncosigned.push_back((commit_id, at));
        }
    }

    /// Everything below `size` is cosigned now.
    pub(super) fn cosigned_to(&mut self, size: u64, now: MonoNs) {
        while let Some((_, at)) = self.uncosigned.pop_front_if(|(id, _)| *id < size) {
            self.cosigned.add(now.since(at));
        }
    }

    /// All of it at `now`, and what has no source, as counters of a snapshot.
    pub(super) fn counters(&self, source: &SourceId, now: MonoNs) -> Vec<Counter> {
        let value = |name: &str, value: Option<u64>| Counter {
            name: name.to_owned(),
            label: None,
            state: if value.is_some() {
                CounterState::Value
            } else {
                CounterState::Unsupported
            },
            value,
            source: source.clone(),
        };
        let own = [
            ("commit_latency_p50", self.commit.percentile_ns(50)),
            ("commit_latency_p99", self.commit.percentile_ns(99)),
            ("commit_cnt", Some(self.commits)),
            ("write_stall_cnt", Some(self.write_stalls)),
            ("write_fail_cnt", Some(self.write_failures)),
            ("queue_depth", Some(self.queue_depth_max)),
            ("journal_recovery_cnt", Some(self.recoveries)),
            ("journal_scan_bytes", Some(self.scan_bytes)),
            ("read_back_cnt", Some(self.read_backs)),
            ("read_back_fail_cnt", Some(self.read_back_failures)),
            ("checkpoint_interval", self.seal_interval),
            ("effective_write_per_day", self.bytes_per_day),
            ("record_crc_fail_cnt", Some(self.record_crc_failures)),
            ("record_rejected_cnt", Some(self.rejected)),
            ("record_known_cnt", Some(self.known_again)),
            // What stands between two checkpoints is a batch, and its hash the root that is signed.
            ("batch_hash_signed_cnt", Some(self.seals)),
            ("seq_gap", Some(self.seq_gaps)),
            ("seq_skip", Some(self.seq_skips)),
            ("commit_id_gap", Some(self.lost)),
        ];
        let none = UNSUPPORTED.iter().map(|name| value(name, None));
        let recovery = self.recovery_us.map(|us| Counter {
            label: Some(recovery_bucket(us).to_owned()),
            ..value("recovery_duration", Some(1))
        });
        own.into_iter()
            .map(|(name, count)| value(name, count))
            .chain(recovery)
            .chain(self.time.counters(source, now))
            .chain(self.signer.counters(source))
            .chain(self.boot.counters(source))
            .chain(none)
            .collect()
    }
}

/// The bucket of the histogram of recoveries that a duration falls in.
pub(crate) fn recovery_bucket(us: u64) -> &'static str {
    let bucket = RECOVERY_BUCKETS.iter().find(|(below_us, _)| us < *below_us);
    bucket.map_or(">=10s", |(_, name)| name)
}

/// The counters of a recorder that has just started: as many as there ever are, under the same names.
pub(crate) fn resting_counters(source: &SourceId) -> Vec<Counter> {
    let silent = HealthSource::Silent(String::new());
    let mut counters = Stats::default().counters(source, MonoNs(0));
    counters.extend(MediaWatch::new(silent).counters(source));
    counters.extend(time_stats::of_the_way(&Budget::new(None), source));
    counters.extend(super::firmware::counters(source, None, None));
    counters
}

#[cfg(test)]
mod tests {
    use super::{SAMPLES_MAX, STALLS_TOLD_EVERY_NS, Stats, WRITE_STALL_NS, recovery_bucket};
    use evidence::reasons::CounterState;
    use evidence::{MonoNs, SourceId};

    //= A2.5
    #[test]
    fn what_has_no_source_is_unsupported_and_never_zero() {
        let counters = Stats::default().counters(&SourceId::new("recorder").unwrap(), MonoNs(0));
        let find = |name: &str| {
            counters
                .iter()
                .find(|counter| counter.name == name)
                .unwrap()
        };
        let droops = find("vbat_droop_cnt");
        assert_eq!(
            (droops.state, droops.value),
            (CounterState::Unsupported, None)
        );
        assert_eq!(find("write_fail_cnt").value, Some(0));
    }

    //= A5.5
    #[test]
    fn the_percentile_looks_at_the_latest_commits_only() {
        let mut stats = Stats::default();
        (0..SAMPLES_MAX).for_each(|_| stats.committed(1, 9_000_000));
        (0..SAMPLES_MAX).for_each(|_| stats.committed(1, 5));
        assert_eq!(stats.commit.percentile_ns(99), Some(5));
        assert_eq!(stats.commits, 2 * SAMPLES_MAX as u64);
    }

    //= A5.5
    //= A5.6
    #[test]
    fn a_stall_is_told_at_once_and_those_after_it_together() {
        let mut stats = Stats::default();
        assert_eq!(stats.stalls_to_tell(MonoNs(5)), None);
        stats.committed(1, WRITE_STALL_NS + 7);
        let first = stats.stalls_to_tell(MonoNs(10)).unwrap();
        assert_eq!((first.count, first.longest_ns), (1, WRITE_STALL_NS + 7));
        for _ in 0..3 {
            stats.committed(1, WRITE_STALL_NS + 9);
            assert_eq!(stats.stalls_to_tell(MonoNs(20)), None);
        }
        let later = stats
            .stalls_to_tell(MonoNs(10 + STALLS_TOLD_EVERY_NS))
            .unwrap();
        assert_eq!((later.count, later.longest_ns), (3, WRITE_STALL_NS + 9));
        assert_eq!(stats.write_stalls, 4);
    }

    //= A5.5
    //= A5.7
    #[test]
    fn what_the_journal_counts_and_how_long_a_recovery_took_are_counters() {
        let mut stats = Stats {
            recovery_us: Some(12_000),
            ..Stats::default()
        };
        let journal = journal::Stats {
            frame_bytes: 4_096,
            read_backs: 9,
            read_back_failures: 1,
            ..journal::Stats::default()
        };
        stats.of_journal(journal, 1_000_000_000);
        let counters = stats.counters(&SourceId::new("recorder").unwrap(), MonoNs(0));
        let find = |name: &str| {
            let found = counters.iter().find(|counter| counter.name == name);
            found.map(|counter| (counter.label.as_deref(), counter.value))
        };
        assert_eq!(find("read_back_cnt"), Some((None, Some(9))));
        assert_eq!(find("read_back_fail_cnt"), Some((None, Some(1))));
        assert_eq!(
            find("effective_write_per_day"),
            Some((None, Some(4_096 * 86_400)))
        );
        assert_eq!(find("recovery_duration"), Some((Some("<50ms"), Some(1))));
        assert_eq!(find("checkpoint_interval"), Some((None, None)));
        assert_eq!(
            [0, 249_999, 250_000, u64::MAX].map(recovery_bucket),
            ["<10ms", "<250ms", "<1s", ">=10s"]
        );
    }

    #[test]
    fn a_reading_is_timed_when_its_cosignature_comes() {
        let mut stats = Stats::default();
        for (id, at) in [(7, 100), (8, 200)] {
            stats.reading_durable(id, MonoNs(at), MonoNs(300));
        }
        stats.cosigned_to(8, MonoNs(1_100));
        assert_eq!(stats.durable.percentile_ns(100), Some(200));
        assert_eq!(stats.cosigned.percentile_ns(100), Some(1_000));
        stats.cosigned_to(9, MonoNs(5_200));
        assert_eq!(stats.cosigned.percentile_ns(100), Some(5_000));
    }
}
