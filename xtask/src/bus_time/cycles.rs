//! Exchanges on the line, and the cycles they make.

use serde_json::Value;
use std::fmt;

/// Bits of a character: 8N2, as a pseudo terminal has no parity bit.
const BITS: u64 = 11;
/// Above this the silence is fixed (Modbus over serial line, 2.5.1.1).
const FAST_BAUD: u64 = 19_200;
const FAST_SILENCE_NS: u64 = 1_750_000;
/// Who begins later than this behind a reply begins a cycle: its slot was not due before.
const PAUSE_NS: u64 = 150_000_000;

/// A request and its reply on the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange {
    /// When the first bit of the request was on the line.
    request_ns: u64,
    request_bytes: u64,
    reply_bytes: u64,
    /// When the last bit of the reply was over.
    end_ns: u64,
}

impl Exchange {
    pub(super) fn of(line: &Value) -> Option<Self> {
        let number = |key: &str| line.get(key)?.as_u64();
        Some(Self {
            request_ns: number("request_ns")?,
            request_bytes: number("request_bytes")?,
            reply_bytes: number("reply_bytes")?,
            end_ns: number("end_ns")?,
        })
    }
}

/// What the whole cycles on a line took: the first, in which numbers are still to be had, left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cycles {
    pub(super) count: u64,
    requests: u64,
    took_ns: u64,
    least_ns: u64,
    /// Requests that began before the line had been silent for 3.5 characters.
    pub(super) early: u64,
}

impl Cycles {
    pub(super) fn of(exchanges: &[Exchange], baud: u64) -> Self {
        let character_ns = BITS * 1_000_000_000 / baud;
        let silence_ns = match baud > FAST_BAUD {
            true => FAST_SILENCE_NS,
            false => character_ns * 7 / 2,
        };
        let mut cycles = Self::default();
        for pair in exchanges.windows(2) {
            let [one, next] = pair else { continue };
            cycles.early += u64::from(next.request_ns < one.end_ns + silence_ns);
        }
        let together =
            |one: &Exchange, next: &Exchange| next.request_ns.saturating_sub(one.end_ns) < PAUSE_NS;
        for cycle in exchanges.chunk_by(together).skip(1) {
            let [first, .., last] = cycle else { continue };
            let characters: u64 = cycle
                .iter()
                .map(|one| one.request_bytes + one.reply_bytes)
                .sum();
            let requests = cycle.len() as u64;
            cycles.count += 1;
            cycles.requests += requests;
            cycles.took_ns += last.end_ns - first.request_ns;
            // Between request and reply, and between a reply and the next request.
            cycles.least_ns += characters * character_ns + (2 * requests - 1) * silence_ns;
        }
        cycles
    }

    /// How long they took, in thousandths of the least.
    pub(super) const fn permille(&self) -> u64 {
        match self.least_ns {
            0 => u64::MAX,
            least_ns => (self.took_ns * 1_000).div_ceil(least_ns),
        }
    }
}

impl fmt::Display for Cycles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_one = |sum_ns: u64| {
            let us = sum_ns.checked_div(self.count).unwrap_or(0) / 1_000;
            format!("{}.{:03} ms", us / 1_000, us % 1_000)
        };
        let permille = self.permille();
        write!(
            f,
            "{} | {} | {} | {} | {}.{:03} | {}",
            self.count,
            self.requests,
            of_one(self.least_ns),
            of_one(self.took_ns),
            permille / 1_000,
            permille % 1_000,
            self.early
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Cycles, Exchange};

    /// At 9600 baud: a character takes 1,145,833 ns, the silence 4,010,415 ns.
    const CHARACTER_NS: u64 = 1_145_833;
    const SILENCE_NS: u64 = 4_010_415;

    fn exchange(request_ns: u64) -> Exchange {
        Exchange {
            request_ns,
            request_bytes: 8,
            reply_bytes: 13,
            end_ns: request_ns + 21 * CHARACTER_NS + SILENCE_NS,
        }
    }

    fn line(pauses: &[u64]) -> Vec<Exchange> {
        let mut at = 1_000;
        let next = |pause: &u64| {
            let one = exchange(at + pause);
            at = one.end_ns;
            one
        };
        pauses.iter().map(next).collect()
    }

    #[test]
    fn a_cycle_without_a_wasted_instant_takes_its_least_and_a_short_silence_is_counted() {
        let second = 1_000_000_000;
        // The first cycle is left out, whatever it took.
        let exact = [0, 9 * SILENCE_NS, second, SILENCE_NS, SILENCE_NS];
        let cycles = Cycles::of(&line(&exact), 9_600);
        assert_eq!((cycles.count, cycles.requests, cycles.early), (1, 3, 0));
        assert_eq!(cycles.permille(), 1_000, "{cycles:?}");
        let early = [0, second, SILENCE_NS - 1, SILENCE_NS];
        assert_eq!(Cycles::of(&line(&early), 9_600).early, 1);
        let slow = [0, second, SILENCE_NS + 10_000_000, second, SILENCE_NS];
        let cycles = Cycles::of(&line(&slow), 9_600);
        assert_eq!((cycles.count, cycles.requests), (2, 4));
        assert_eq!(cycles.permille(), 1_084, "{cycles:?}");
    }

    #[test]
    fn no_cycle_is_no_good_cycle() {
        assert!(Cycles::of(&[], 9_600).permille() > 1_100);
        assert!(Cycles::of(&line(&[0, 1]), 9_600).permille() > 1_100);
    }
}
