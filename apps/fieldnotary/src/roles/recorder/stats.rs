//! What the recorder counts of itself (A5.5), each with its name from the counters' list.

use super::media_watch::MediaWatch;
use evidence::kinds::Counter;
use evidence::reasons::CounterState;
use evidence::{MonoNs, SourceId};
use media::HealthSource;
use std::collections::VecDeque;

/// Samples that a percentile looks back on.
const SAMPLES_MAX: usize = 4_096;
/// Readings that may wait for their cosignature and still be timed.
const UNCOSIGNED_MAX: usize = 65_536;
/// A commit that takes longer is a write stall.
pub(super) const WRITE_STALL_NS: u64 = 1_000_000_000;

/// Counters that the documents ask for and this node has no source for yet: a zero would be a lie.
const UNSUPPORTED: &[&str] = &[
    "uvlo_cnt",
    "vbat_min",
    "vbat_droop_cnt",
    "brownout_log_cnt",
    "reset_reason",
    "spare_block_cnt",
    "fw_version_counter",
    "boot_measurement_id",
    "secure_boot_status",
    "attestation_id",
    "rollback_counter",
    "rollback_attempt_cnt",
    "sync_acquired_cnt",
    "sync_lost_cnt",
    "last_sync_age",
    "drift_estimate",
    "rtc_valid_flag",
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
    pub(super) record_crc_failures: u64,
    pub(super) known_again: u64,
    pub(super) queue_depth_max: u64,
    pub(super) recoveries: u64,
    pub(super) scan_bytes: u64,
    pub(super) time_steps: u64,
    pub(super) seals: u64,
    pub(super) seals_missed: u64,
    pub(super) seq_gaps: u64,
    pub(super) seq_skips: u64,
    pub(super) lost: u64,
}

impl Stats {
    /// Counts a group commit that took `latency_ns`.
    pub(super) fn committed(&mut self, entries: u64, latency_ns: u64) {
        self.commits += 1;
        self.entries += entries;
        if latency_ns > WRITE_STALL_NS {
            self.write_stalls += 1;
        }
        self.commit.add(latency_ns);
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

    /// All of it, and what has no source, as counters of a snapshot.
    pub(super) fn counters(&self, source: &SourceId) -> Vec<Counter> {
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
            ("record_crc_fail_cnt", Some(self.record_crc_failures)),
            ("record_rejected_cnt", Some(self.rejected)),
            ("record_known_cnt", Some(self.known_again)),
            ("step_adjust_cnt", Some(self.time_steps)),
            ("batch_hash_signed_cnt", Some(self.seals)),
            ("seq_gap", Some(self.seq_gaps)),
            ("seq_skip", Some(self.seq_skips)),
            ("commit_id_gap", Some(self.lost)),
        ];
        let none = UNSUPPORTED.iter().map(|name| value(name, None));
        own.into_iter()
            .map(|(name, count)| value(name, count))
            .chain(none)
            .collect()
    }
}

/// The counters of a recorder that has just started: as many as there ever are, under the same names.
pub(crate) fn resting_counters(source: &SourceId) -> Vec<Counter> {
    let silent = HealthSource::Silent(String::new());
    let mut counters = Stats::default().counters(source);
    counters.extend(MediaWatch::new(silent).counters(source));
    counters
}

#[cfg(test)]
mod tests {
    use super::{SAMPLES_MAX, Stats};
    use evidence::reasons::CounterState;
    use evidence::{MonoNs, SourceId};

    //= A2.5
    #[test]
    fn what_has_no_source_is_unsupported_and_never_zero() {
        let counters = Stats::default().counters(&SourceId::new("recorder").unwrap());
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
