//! How often the keys may be used: far more than a node needs, far less than a flood. Each purpose has a bound of its
//! own, so that a flood of one leaves the others theirs.

use trust_plane::Purpose;

/// Requests that may come at once, and the time after which one more may.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) burst_max: u64,
    pub(crate) refill_ns: u64,
}

pub(crate) const SECOND_NS: u64 = 1_000_000_000;
/// Tree heads, and with each the counters: one a minute by default, more where entries come fast.
pub(crate) const CHECKPOINTS: Limit = Limit {
    burst_max: 64,
    refill_ns: SECOND_NS / 10,
};
/// What was booted, looked for and then signed, and the firmware's version: once a boot, and again where the first answer was lost.
pub(crate) const BOOTS: Limit = Limit {
    burst_max: 16,
    refill_ns: 60 * SECOND_NS,
};
/// Answers to who asks what this machine is: by hand, or a fleet's look now and then.
pub(crate) const ATTESTATIONS: Limit = Limit {
    burst_max: 8,
    refill_ns: 5 * SECOND_NS,
};
/// What the signer is: asked at each connection of the recorder, with each step of the plain counter and with each tree
/// head while those are not bound, and by hand. It reads both counters, and signs what it says where it is asked with a number.
const DESCRIPTIONS: Limit = CHECKPOINTS;

/// A day.
pub(crate) const DAY_S: u64 = 24 * 60 * 60;
/// New keys: once in a long while, and again where something failed. An identity has a bounded number of them, which whoever
/// may ask would else use up at once.
pub(crate) const ROTATIONS: Limit = Limit {
    burst_max: 4,
    refill_ns: DAY_S * SECOND_NS,
};

/// Steps of the counter of firmware versions: one for each version that is raised, and one when it is made. A node is updated a few
/// times a year; each step is a write of the store's flash, and makes older whatever does not reach it.
pub(crate) const FIRMWARE_STEPS: Limit = Limit {
    burst_max: 4,
    refill_ns: DAY_S * SECOND_NS,
};

/// The bound of a purpose.
pub(crate) const fn limit(purpose: Purpose) -> Limit {
    match purpose {
        Purpose::Checkpoint | Purpose::Binding => CHECKPOINTS,
        Purpose::Boot | Purpose::Firmware => BOOTS,
        Purpose::Attestation => ATTESTATIONS,
        Purpose::Rotation => ROTATIONS,
        Purpose::Description => DESCRIPTIONS,
    }
}

/// A bucket of requests that refills with time.
#[derive(Debug)]
pub(crate) struct RateLimit {
    limit: Limit,
    left: u64,
    /// The instant up to which refills are counted.
    counted_ns: u64,
}

impl RateLimit {
    /// A full bucket.
    pub(crate) const fn new(limit: Limit, now_ns: u64) -> Self {
        Self {
            limit,
            left: limit.burst_max,
            counted_ns: now_ns,
        }
    }

    /// The same without what was taken before this process was started.
    pub(crate) const fn after(mut self, taken: u64) -> Self {
        self.left = self.left.saturating_sub(taken);
        self
    }

    /// How many are left, as of the newest that was taken.
    pub(crate) const fn left(&self) -> u64 {
        self.left
    }

    /// Takes one request out; `false` if there is none.
    pub(crate) fn take(&mut self, now_ns: u64) -> bool {
        let Limit {
            burst_max,
            refill_ns,
        } = self.limit;
        let since = now_ns.saturating_sub(self.counted_ns);
        let refills = since.checked_div(refill_ns).unwrap_or(burst_max);
        self.counted_ns = self
            .counted_ns
            .saturating_add(refills.saturating_mul(refill_ns));
        self.left = self.left.saturating_add(refills).min(burst_max);
        let taken = self.left.checked_sub(1);
        self.left = taken.unwrap_or(0);
        taken.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{RateLimit, limit};
    use trust_plane::Purpose;

    fn taken(bucket: &mut RateLimit, burst_max: u64, now_ns: u64) -> u64 {
        (0..2 * burst_max)
            .map(|_| u64::from(bucket.take(now_ns)))
            .sum()
    }

    #[test]
    fn a_burst_passes_then_one_per_refill_and_never_more_than_a_burst() {
        for purpose in Purpose::ALL {
            let limit = limit(*purpose);
            let (burst, refill_ns) = (limit.burst_max, limit.refill_ns);
            let start = 7 * refill_ns + 3;
            let mut bucket = RateLimit::new(limit, start);
            let mut taken = |now_ns| taken(&mut bucket, burst, now_ns);
            assert_eq!(taken(start), burst);
            assert_eq!(taken(start + refill_ns - 1), 0);
            assert_eq!(taken(start + refill_ns), 1);
            assert_eq!(taken(start + 4 * refill_ns + 1), 3);
            assert_eq!(taken(start + 1_000 * refill_ns), burst);
            // A clock that does not move on gives nothing.
            assert_eq!(taken(0), 0);
            let before = || RateLimit::new(limit, start).after(burst - 1);
            assert!(before().take(start) && !before().after(1).take(start));
            assert!(!before().after(burst).take(start));
        }
    }
}
