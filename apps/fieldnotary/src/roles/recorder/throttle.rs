//! How much one process may ask of the committer: what its part of the contract needs, several times
//! over, and a burst for what waited while the recorder was down. Whoever asks for more waits.

use contract::Contract;
use evidence::SourceId;

/// How much more than the contract needs is let through.
const HEADROOM: u64 = 4;
/// Requests a second beside the readings: leases, markers, events, reports, time.
const BESIDE_PER_S: u64 = 50;
/// Batches of edges of a card: those of 10,000 edges a second, several times over.
const BATCHES_PER_S: u64 = 1_000;
/// Requests that may come at once: a port's whole queue, and its leases.
const BURST: u64 = 8_192;
/// One entry says so, and one more each this long while it goes on.
const SAY_EVERY_NS: u64 = 60_000_000_000;
const SECOND_NS: u64 = 1_000_000_000;

/// The allowance of one connection.
#[derive(Debug)]
pub(super) struct Throttle {
    per_s: u64,
    left: u64,
    counted_ns: u64,
    slowed: u64,
    said_ns: Option<u64>,
}

/// What a request has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Delay {
    /// How long it waits.
    pub(super) wait_ns: u64,
    /// How many waited since this was said last, if it is to be said now.
    pub(super) say: Option<u64>,
}

impl Throttle {
    /// The allowance of a process that says it is this source.
    pub(super) fn new(per_s: u64, now_ns: u64) -> Self {
        Self {
            per_s: per_s.max(1),
            left: BURST,
            counted_ns: now_ns,
            slowed: 0,
            said_ns: None,
        }
    }

    /// The pace for whoever this turned out to be.
    pub(super) fn allow(&mut self, per_s: u64) {
        self.per_s = per_s.max(1);
    }

    /// Takes one request.
    pub(super) fn take(&mut self, now_ns: u64) -> Delay {
        let each_ns = (SECOND_NS / self.per_s).max(1);
        let more = now_ns.saturating_sub(self.counted_ns) / each_ns;
        self.counted_ns = self.counted_ns.saturating_add(more.saturating_mul(each_ns));
        self.left = self.left.saturating_add(more).min(BURST);
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return Delay {
                wait_ns: 0,
                say: None,
            };
        }
        self.slowed += 1;
        let due = self
            .said_ns
            .is_none_or(|said| now_ns.saturating_sub(said) >= SAY_EVERY_NS);
        let say = due.then(|| {
            self.said_ns = Some(now_ns);
            std::mem::take(&mut self.slowed)
        });
        Delay {
            wait_ns: each_ns,
            say,
        }
    }

    /// Requests a second that it may make in the long run.
    pub(super) const fn per_s(&self) -> u64 {
        self.per_s
    }
}

/// What the contract needs of a source, with headroom.
pub(super) fn allowance_per_s(contract: &Contract, source: &SourceId) -> u64 {
    let sessions = contract
        .meters
        .values()
        .filter(|meter| meter.port == *source)
        .filter_map(|meter| contract.schedules.get(&meter.schedule))
        .map(|schedule| 1_000u64.div_ceil(schedule.every_ms.max(1)))
        .sum::<u64>();
    let card = contract.points.cards.contains_key(source);
    sessions
        .saturating_mul(HEADROOM)
        .saturating_add(BESIDE_PER_S)
        .saturating_add(if card { BATCHES_PER_S } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::{BURST, SAY_EVERY_NS, SECOND_NS, Throttle};

    //= R10.4
    #[test]
    fn a_flood_passes_a_burst_then_at_its_pace_and_is_said_once_a_minute() {
        let mut throttle = Throttle::new(100, 7);
        for _ in 0..BURST {
            assert_eq!(throttle.take(7).wait_ns, 0);
        }
        let first = throttle.take(7);
        assert_eq!((first.wait_ns, first.say), (SECOND_NS / 100, Some(1)));
        assert_eq!(throttle.take(8).say, None);
        assert_eq!(throttle.take(9).say, None);
        assert_eq!(
            throttle.take(SECOND_NS / 100 + 7).wait_ns,
            0,
            "one has come free"
        );
        let later = throttle.take(SECOND_NS / 100 + 8);
        assert!(later.wait_ns > 0 && later.say.is_none());
        let rest = SAY_EVERY_NS + SECOND_NS;
        while throttle.take(rest).wait_ns == 0 {}
        assert_eq!(throttle.take(rest).say, None, "said by the one before");
    }
}
