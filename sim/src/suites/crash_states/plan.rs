//! How much is tried.

use super::planted::Planted;
use super::report::Breach;

/// Longest sequence.
pub const LENGTH_MAX: usize = 6;

/// What is tried.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Chooses the samples.
    pub seed: u64,
    /// Of the sequences of each length, from one on, every how many-th is tried; 0 for none.
    pub one_in: [u64; LENGTH_MAX],
    /// Choices beside the structured ones where they are too many.
    pub samples: u64,
    /// In every how many-th state power fails again during recovery.
    pub again_one_in: u64,
    /// The share of the sequences that is tried, and of how many: a run that is too long for one night is several.
    pub share: (u64, u64),
    /// Threads.
    pub threads: usize,
    /// Violations that are told in words.
    pub told_max: usize,
    /// The beginning that is tried alone: `young`, `round` or `keeping`.
    pub base: Option<&'static str>,
    /// The breach after which a thread needs not go on.
    pub until: Option<Breach>,
    /// A lie that must be found.
    pub planted: Option<Planted>,
}

impl Plan {
    /// For every change: within three minutes on two cores.
    #[must_use]
    pub const fn bounded(seed: u64) -> Self {
        Self {
            seed,
            one_in: [1, 1, 6, 110, 1_500, 50_000],
            samples: 32,
            again_one_in: 16,
            share: (1, 1),
            threads: 2,
            told_max: 8,
            base: None,
            until: None,
            planted: None,
        }
    }

    /// For the night: all sequences of up to three operations and a sample of the longer ones, more than 10^8 states
    /// in some two processor hours. Another night's seed draws other samples.
    #[must_use]
    pub const fn full(seed: u64) -> Self {
        Self {
            seed,
            one_in: [1, 1, 1, 2, 20, 300],
            samples: 256,
            again_one_in: 16,
            share: (1, 1),
            threads: 2,
            told_max: 8,
            base: None,
            until: None,
            planted: None,
        }
    }
}
