//! The way from an edge to a durable entry, part by part, and the alarm when it takes too long (R7.4).

use crate::limits::OVER_BUDGET_TOLD_EVERY_NS;
use evidence::MonoNs;

/// A part of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// From the edge to the kernel's timestamp, where a source tells of both.
    Edge,
    /// From the capture to its arrival at the recorder.
    Queue,
    /// From there to the durable frame.
    Commit,
}

impl Part {
    /// Every part, in the order of the way.
    pub const ALL: &'static [Self] = &[Self::Edge, Self::Queue, Self::Commit];

    /// Its name, as counters have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Queue => "queue",
            Self::Commit => "commit",
        }
    }
}

/// Bucket n counts what took less than 2^n microseconds and no less than half of that; the last one all
/// that took longer.
const BUCKETS: usize = 26;

/// How long something took, in powers of two of a microsecond.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; BUCKETS],
}

impl Histogram {
    /// Counts one.
    pub fn add(&mut self, span_ns: u64) {
        let us = span_ns / 1_000;
        let bucket = usize::try_from(u64::BITS - us.leading_zeros()).unwrap_or(BUCKETS);
        if let Some(count) = self.counts.get_mut(bucket.min(BUCKETS - 1)) {
            *count = count.saturating_add(1);
        }
    }

    /// The upper end of the bucket, in microseconds, below which so many of a hundred lie; `None` where
    /// nothing was counted. What is in the last bucket is given by its lower end.
    #[must_use]
    pub fn percentile_us(&self, percent: u64) -> Option<u64> {
        let all: u64 = self.counts.iter().sum();
        if all == 0 {
            return None;
        }
        let wanted = all.saturating_mul(percent.min(100)).div_ceil(100).max(1);
        let mut seen = 0u64;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen = seen.saturating_add(*count);
            if seen >= wanted {
                return Some(1 << bucket.min(BUCKETS - 2));
            }
        }
        None
    }
}

/// A part of the way took longer than its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// Which.
    pub part: Part,
    /// The longest since this was last told, in nanoseconds.
    pub longest_ns: u64,
    /// How many took longer since then.
    pub times: u64,
    /// What is allowed, in nanoseconds.
    pub budget_ns: u64,
}

#[derive(Clone, Debug, Default)]
struct Watched {
    histogram: Histogram,
    longest_ns: u64,
    times: u64,
    told: Option<MonoNs>,
}

/// Watches the parts against one budget for each.
#[derive(Clone, Debug)]
pub struct Budget {
    budget_ns: Option<u64>,
    edge: Watched,
    queue: Watched,
    commit: Watched,
}

impl Budget {
    /// Measures; and tells of a part that takes longer than this many nanoseconds.
    #[must_use]
    pub fn new(budget_ns: Option<u64>) -> Self {
        Self {
            budget_ns,
            edge: Watched::default(),
            queue: Watched::default(),
            commit: Watched::default(),
        }
    }

    fn part(&mut self, part: Part) -> &mut Watched {
        match part {
            Part::Edge => &mut self.edge,
            Part::Queue => &mut self.queue,
            Part::Commit => &mut self.commit,
        }
    }

    /// Counts one; what is to be told of its part, once in [`OVER_BUDGET_TOLD_EVERY_NS`].
    pub fn take(&mut self, part: Part, span_ns: u64, now: MonoNs) -> Option<Over> {
        let budget_ns = self.budget_ns;
        let watched = self.part(part);
        watched.histogram.add(span_ns);
        let budget_ns = budget_ns.filter(|budget_ns| span_ns > *budget_ns)?;
        watched.times = watched.times.saturating_add(1);
        watched.longest_ns = watched.longest_ns.max(span_ns);
        let silent = watched
            .told
            .is_some_and(|told| now.since(told) < OVER_BUDGET_TOLD_EVERY_NS);
        if silent {
            return None;
        }
        watched.told = Some(now);
        Some(Over {
            part,
            longest_ns: core::mem::take(&mut watched.longest_ns),
            times: core::mem::take(&mut watched.times),
            budget_ns,
        })
    }

    /// How long a part took.
    #[must_use]
    pub const fn histogram(&self, part: Part) -> &Histogram {
        match part {
            Part::Edge => &self.edge.histogram,
            Part::Queue => &self.queue.histogram,
            Part::Commit => &self.commit.histogram,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Histogram, Over, Part};
    use crate::limits::OVER_BUDGET_TOLD_EVERY_NS;
    use evidence::MonoNs;

    //= R7.4
    #[test]
    fn percentiles_are_the_upper_ends_of_their_buckets() {
        let mut spans = Histogram::default();
        assert_eq!(spans.percentile_us(50), None);
        for (span_ns, times) in [(400, 1), (900_000, 98), (70_000_000, 1)] {
            for _ in 0..times {
                spans.add(span_ns);
            }
        }
        assert_eq!(spans.percentile_us(1), Some(1));
        assert_eq!(spans.percentile_us(50), Some(1_024));
        assert_eq!(spans.percentile_us(99), Some(1_024));
        assert_eq!(spans.percentile_us(100), Some(131_072));
        spans.add(u64::MAX);
        assert_eq!(spans.percentile_us(100), Some(1 << 24));
    }

    //= R7.4
    #[test]
    fn a_part_over_its_budget_is_told_once_in_a_while_and_none_is_forgotten() {
        let mut budget = Budget::new(Some(5_000_000));
        let at = MonoNs(1_000_000_000);
        assert_eq!(budget.take(Part::Queue, 5_000_000, at), None);
        let over = |longest_ns, times| Over {
            part: Part::Queue,
            longest_ns,
            times,
            budget_ns: 5_000_000,
        };
        let told = budget.take(Part::Queue, 5_000_001, at);
        assert_eq!(told, Some(over(5_000_001, 1)));
        assert_eq!(budget.take(Part::Queue, 9_000_000, at.plus_ns(1)), None);
        // Each part has its own.
        assert!(
            budget
                .take(Part::Commit, 6_000_000, at.plus_ns(2))
                .is_some()
        );
        let later = at.plus_ns(OVER_BUDGET_TOLD_EVERY_NS);
        let told = budget.take(Part::Queue, 6_000_000, later);
        assert_eq!(told, Some(over(9_000_000, 2)));
        assert_eq!(
            budget.histogram(Part::Queue).percentile_us(100),
            Some(16_384)
        );
    }

    #[test]
    fn without_a_budget_it_only_counts() {
        let mut budget = Budget::new(None);
        for part in Part::ALL {
            assert_eq!(budget.take(*part, u64::MAX, MonoNs(0)), None);
            assert!(budget.histogram(*part).percentile_us(50).is_some());
        }
    }
}
