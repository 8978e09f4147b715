//! Where people work: what is captured there meanwhile is a test.

use alloc::collections::BTreeSet;
use evidence::reasons::QualityReason;
use evidence::{MeterId, Quality};

/// What people work on, as far as one port or card is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Work {
    /// On nothing of it.
    #[default]
    None,
    /// On these meters.
    On(BTreeSet<MeterId>),
    /// On all of it: the port, the card or the station.
    All,
}

impl Work {
    /// Whether it concerns a meter; a card is one of its own name.
    #[must_use]
    pub fn is_on(&self, meter: &MeterId) -> bool {
        match self {
            Self::None => false,
            Self::On(meters) => meters.contains(meter),
            Self::All => true,
        }
    }
}

/// The quality of what was captured while people worked: only what would be good becomes a test.
pub(crate) fn marked(quality: Quality, test: bool) -> Quality {
    match test && quality == Quality::GOOD {
        true => Quality::questionable(QualityReason::Test),
        false => quality,
    }
}
