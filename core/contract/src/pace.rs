//! The slots of a schedule: numbers of UTC, whoever counts them.

use crate::model::Schedule;
use evidence::UtcNs;

const NS_PER_MS: i128 = 1_000_000;

/// The distance of a schedule's slots, and their shift from UTC multiples of it. Slot 0 is in 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Milliseconds from slot to slot.
    pub every_ms: u64,
    /// Milliseconds by which each is later than the multiple.
    pub offset_ms: u64,
}

impl Pace {
    /// Of a schedule in which nothing is due any more.
    pub const NONE: Self = Self {
        every_ms: 0,
        offset_ms: 0,
    };

    /// Of a schedule in force.
    #[must_use]
    pub fn of(schedule: &Schedule) -> Self {
        Self {
            every_ms: schedule.every_ms.max(1),
            offset_ms: schedule.offset_ms,
        }
    }

    /// When a slot is due; `None` where that is no time at all.
    #[must_use]
    pub fn utc(self, number: u64) -> Option<UtcNs> {
        let ms = i128::from(number) * i128::from(self.every_ms) + i128::from(self.offset_ms);
        i64::try_from(ms * NS_PER_MS).ok().map(UtcNs)
    }

    /// The first slot that is due at this time or later.
    #[must_use]
    pub fn first_from(self, utc: UtcNs) -> u64 {
        let every_ns = self.every_ns();
        let since = self.since(utc) + every_ns - 1;
        u64::try_from(since.max(0) / every_ns).unwrap_or(u64::MAX)
    }

    /// The first slot that is due after this time.
    #[must_use]
    pub fn next_after(self, utc: UtcNs) -> u64 {
        u64::try_from(self.since(utc).max(0) / self.every_ns() + 1).unwrap_or(u64::MAX)
    }

    fn since(self, utc: UtcNs) -> i128 {
        i128::from(utc.0) - i128::from(self.offset_ms) * NS_PER_MS
    }

    fn every_ns(self) -> i128 {
        i128::from(self.every_ms.max(1)) * NS_PER_MS
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use evidence::UtcNs;

    //= U1
    #[test]
    fn slots_and_times_agree_in_both_directions() {
        let pace = Pace {
            every_ms: 1_000,
            offset_ms: 250,
        };
        let second = 1_000_000_000;
        assert_eq!(pace.utc(10), Some(UtcNs(10 * second + second / 4)));
        for number in [1, 2, 10, 1_795_184_662] {
            let due = pace.utc(number).unwrap();
            assert_eq!(pace.first_from(due), number);
            assert_eq!(pace.next_after(due), number + 1);
            assert_eq!(pace.first_from(UtcNs(due.0 + 1)), number + 1);
            assert_eq!(pace.next_after(UtcNs(due.0 - 1)), number);
        }
        assert_eq!(pace.first_from(UtcNs(-5 * second)), 0);
        assert_eq!(pace.next_after(UtcNs(-5 * second)), 1);
        assert_eq!(pace.utc(u64::MAX), None);
    }
}
