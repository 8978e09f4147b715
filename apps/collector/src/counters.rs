//! What the collector counts since it started.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters; every failure has its own (A4.1).
#[derive(Debug, Default)]
pub struct Counters {
    batch_hash_fail: AtomicU64,
    record_crc_fail: AtomicU64,
    conflicts: AtomicU64,
    cosigned: AtomicU64,
    alarms: AtomicU64,
}

impl Counters {
    /// A package failed verification; the count.
    pub fn batch_hash_failed(&self) -> u64 {
        add(&self.batch_hash_fail)
    }

    /// A record's CRC does not hold; the count.
    pub fn record_crc_failed(&self) -> u64 {
        add(&self.record_crc_fail)
    }

    /// Evidence of a fork was kept; the count.
    pub fn conflict(&self) -> u64 {
        add(&self.conflicts)
    }

    /// A head was cosigned; the count.
    pub fn cosigned(&self) -> u64 {
        add(&self.cosigned)
    }

    /// A log showed a rollback, or another counter; the count.
    pub fn alarm(&self) -> u64 {
        add(&self.alarms)
    }

    /// Name and value of each.
    #[must_use]
    pub fn snapshot(&self) -> [(&'static str, u64); 5] {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("batch_hash_fail_cnt", read(&self.batch_hash_fail)),
            ("record_crc_fail_cnt", read(&self.record_crc_fail)),
            ("conflict_cnt", read(&self.conflicts)),
            ("cosigned_cnt", read(&self.cosigned)),
            ("rollback_alarm_cnt", read(&self.alarms)),
        ]
    }
}

fn add(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::Relaxed).saturating_add(1)
}
