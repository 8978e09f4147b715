//! Random kills of every process of the node, drawn from the seed: for long runs.

use std::time::Duration;
use trial::Random;

/// The processes that are killed.
pub(super) const ROLES: [&str; 5] = ["recorder", "io", "time", "uplink", "signer"];
/// Shortest and longest pause between two kills, in milliseconds.
const PAUSE_MS: (u64, u64) = (1_500, 9_500);

/// When the next kill falls, and on whom.
#[derive(Clone, Debug)]
pub(super) struct Storm {
    random: Random,
    next_at: Duration,
    until: Duration,
}

impl Storm {
    /// Begins a little after the start and leaves the last tenth in peace, so that all is delivered.
    pub(super) fn new(seed: u64, run_for: Duration) -> Self {
        let mut storm = Self {
            random: Random::new(seed),
            next_at: Duration::ZERO,
            until: run_for * 9 / 10,
        };
        storm.next_at = storm.pause();
        storm
    }

    /// Whom to kill now, if anyone.
    pub(super) fn due(&mut self, now: Duration) -> Option<&'static str> {
        if now < self.next_at || now >= self.until {
            return None;
        }
        self.next_at = now + self.pause();
        self.random.one_of(&ROLES).copied()
    }

    fn pause(&mut self) -> Duration {
        let (shortest, longest) = PAUSE_MS;
        Duration::from_millis(self.random.between(shortest, longest))
    }
}

#[cfg(test)]
mod tests {
    use super::{ROLES, Storm};
    use std::time::Duration;

    //= A1.2
    #[test]
    fn a_storm_meets_every_process_and_follows_from_its_seed() {
        let strikes = |seed| {
            let mut storm = Storm::new(seed, Duration::from_secs(600));
            let ticks = (0..600_000).step_by(20).map(Duration::from_millis);
            ticks
                .filter_map(|now| Some((now, storm.due(now)?)))
                .collect::<Vec<_>>()
        };
        let (one, two) = (strikes(1), strikes(2));
        assert_eq!(one, strikes(1));
        assert_ne!(one, two);
        assert!((60..400).contains(&one.len()), "{}", one.len());
        for role in ROLES {
            assert!(one.iter().any(|(_, struck)| *struck == role), "{role}");
        }
        assert!(one.iter().all(|(at, _)| *at < Duration::from_secs(540)));
    }
}
