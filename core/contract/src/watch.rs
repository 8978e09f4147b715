//! What is watched beside the points: supplies, the environment, and the reason of the last reset.

mod keys;
pub(crate) mod read;
mod rules;

pub(crate) use keys::{ENVIRONMENT, POWER, RESET};
pub(crate) use rules::{problems, reset_problems};

use crate::item::{by_id, lists, records};
use crate::limits::{BANDS_MAX, RESET_WORDS_MAX, STATION_POINTS_MAX};
use alloc::string::String;
use alloc::vec::Vec;
use evidence::reasons::{Band, ResetCause};
use evidence::{Decimal, PointId, SourceId};

/// A supply or an environment that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Its id.
    pub id: PointId,
    /// Its card.
    pub card: SourceId,
    /// Its channel on the card.
    pub channel: String,
    /// How often it is read.
    pub sample_ms: u64,
    /// The value is raw times this ...
    pub scale: Decimal,
    /// ... plus this.
    pub offset: Decimal,
    /// In this unit.
    pub unit: String,
    /// Its limits, one for each band at most.
    pub limits: Vec<Limit>,
    /// By so much it has to come back.
    pub hysteresis: Decimal,
}

/// A limit, and the band beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The band.
    pub band: Band,
    /// Where it begins.
    pub at: Decimal,
}

/// Where the platform says why it was reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetSource {
    /// Its id.
    pub id: PointId,
    /// Its card.
    pub card: SourceId,
    /// The file in the directory of the card.
    pub channel: String,
    /// What its words mean.
    pub words: Vec<ResetWord>,
}

/// A word of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetWord {
    /// What it means.
    pub cause: ResetCause,
    /// The whole text, without white space around it.
    pub text: String,
}

impl ResetSource {
    /// What a text means: by the contract, else by the kernel's own words.
    #[must_use]
    pub fn meaning(&self, text: &str) -> ResetCause {
        let text = text.trim();
        let word = self.words.iter().find(|word| word.text == text);
        let known = word.map(|word| word.cause);
        known
            .or_else(|| ResetCause::of_kernel(text))
            .unwrap_or(ResetCause::Unknown)
    }
}

records! {
    Watched { 0 id; 1 card; 2 channel; 3 sample_ms; 4 scale; 5 offset; 6 unit; 7 limits; 8 hysteresis; }
    Limit { 0 band; 1 at; }
    ResetSource { 0 id; 1 card; 2 channel; 3 words; }
    ResetWord { 0 cause; 1 text; }
}

lists! {
    Limit, BANDS_MAX;
    ResetWord, RESET_WORDS_MAX;
}

by_id! {
    where_any:
    PointId => Watched, STATION_POINTS_MAX;
    PointId => ResetSource, STATION_POINTS_MAX;
}
