//! What the recorder counts of itself (A5.5), each with its name from the counters' list.

use evidence::SourceId;
use evidence::kinds::Counter;
use evidence::reasons::CounterState;

/// Commit times that the percentile looks back on.
const LATENCIES_MAX: usize = 1_024;
/// A commit that takes longer is a write stall.
pub(super) const WRITE_STALL_NS: u64 = 1_000_000_000;

/// Counters that the documents ask for and this node has no source for yet: a zero would be a lie.
const UNSUPPORTED: &[&str] = &[
    "uvlo_cnt",
    "vbat_min",
    "vbat_droop_cnt",
    "brownout_log_cnt",
    "reset_reason",
    "ecc_corrected_cnt",
    "ecc_failed_cnt",
    "bad_block_cnt",
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

/// The recorder's own counters.
#[derive(Debug, Default)]
pub(super) struct Stats {
    latencies_ns: Vec<u64>,
    next: usize,
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
    pub(super) fn committed(&mut self, entries: u64, latency_ns: u64) {
        self.commits += 1;
        self.entries += entries;
        if latency_ns > WRITE_STALL_NS {
            self.write_stalls += 1;
        }
        if let Some(oldest) = self.latencies_ns.get_mut(self.next) {
            *oldest = latency_ns;
        } else {
            self.latencies_ns.push(latency_ns);
        }
        self.next = (self.next + 1) % LATENCIES_MAX;
    }

    /// A percentile of the latest commit times, in nanoseconds.
    pub(super) fn latency_ns(&self, percent: usize) -> Option<u64> {
        let mut sorted = self.latencies_ns.clone();
        sorted.sort_unstable();
        let place = (sorted.len().checked_sub(1)?) * percent / 100;
        sorted.get(place).copied()
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
            ("commit_latency_p50", self.latency_ns(50)),
            ("commit_latency_p99", self.latency_ns(99)),
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

#[cfg(test)]
mod tests {
    use super::{LATENCIES_MAX, Stats};
    use evidence::SourceId;
    use evidence::reasons::CounterState;

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
        (0..LATENCIES_MAX).for_each(|_| stats.committed(1, 9_000_000));
        (0..LATENCIES_MAX).for_each(|_| stats.committed(1, 5));
        assert_eq!(stats.latency_ns(99), Some(5));
        assert_eq!(stats.commits, 2 * LATENCIES_MAX as u64);
    }
}
