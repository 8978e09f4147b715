//! The declared table: what is known of an offered time, and whether it is taken.

use evidence::reasons::{EventCode, TimeCause};

/// What becomes of an offered time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfferVerdict {
    /// It is one more source.
    Taken,
    /// The contract does not name its sender.
    Untrusted,
    /// It is less certain than the contract asks.
    Uncertain,
    /// It comes sooner behind the last one than the contract allows.
    TooSoon,
    /// It came too late, or is of an instant that has not been.
    Stale,
    /// It lies before what is certain to have been.
    BeforeFloor,
    /// It is further from the node's clock than the contract allows.
    TooFar,
    /// It contradicts a source that is measured.
    Contradicts,
    /// Other offered times contradict it, and no majority decides.
    Disputed,
}

impl OfferVerdict {
    /// Every verdict.
    pub const ALL: &'static [Self] = &[
        Self::Taken,
        Self::Untrusted,
        Self::Uncertain,
        Self::TooSoon,
        Self::Stale,
        Self::BeforeFloor,
        Self::TooFar,
        Self::Contradicts,
        Self::Disputed,
    ];

    /// The reason code of a refusal; `None` where it is taken.
    #[must_use]
    pub const fn cause(self) -> Option<TimeCause> {
        Some(match self {
            Self::Taken => return None,
            Self::Untrusted => TimeCause::OfferUntrusted,
            Self::Uncertain => TimeCause::OfferUncertain,
            Self::TooSoon => TimeCause::OfferTooSoon,
            Self::Stale => TimeCause::OfferStale,
            Self::BeforeFloor => TimeCause::OfferBeforeFloor,
            Self::TooFar => TimeCause::OfferTooFar,
            Self::Contradicts => TimeCause::OfferContradicts,
            Self::Disputed => TimeCause::OfferDisputed,
        })
    }

    /// The event that tells of it.
    #[must_use]
    pub const fn code(self) -> EventCode {
        match self {
            Self::Taken => EventCode::OfferTaken,
            _ => EventCode::SyncRequestRefused,
        }
    }
}

/// What is known of an offered time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a column of the table, which a test walks whole"
)]
pub(super) struct Facts {
    /// The contract names its sender.
    pub(super) trusted: bool,
    /// It is as certain as the contract asks.
    pub(super) certain: bool,
    /// Enough time has passed since the sender's last one.
    pub(super) paced: bool,
    /// It is of an instant that is not long ago and has been.
    pub(super) timely: bool,
    /// It lies behind what is certain to have been.
    pub(super) behind_floor: bool,
    /// It is as near to the node's clock as the contract asks.
    pub(super) near: bool,
    /// No measured source excludes it.
    pub(super) agrees_with_measured: bool,
    /// More than half of the offered times agree with it, itself included, and none that as many agree with
    /// excludes it.
    pub(super) has_majority: bool,
}

/// The first thing that speaks against it; what needs no comparison comes first.
pub(super) const fn verdict(facts: Facts) -> OfferVerdict {
    match facts {
        Facts { trusted: false, .. } => OfferVerdict::Untrusted,
        Facts { certain: false, .. } => OfferVerdict::Uncertain,
        Facts { paced: false, .. } => OfferVerdict::TooSoon,
        Facts { timely: false, .. } => OfferVerdict::Stale,
        Facts {
            behind_floor: false,
            ..
        } => OfferVerdict::BeforeFloor,
        Facts { near: false, .. } => OfferVerdict::TooFar,
        Facts {
            agrees_with_measured: false,
            ..
        } => OfferVerdict::Contradicts,
        Facts {
            has_majority: false,
            ..
        } => OfferVerdict::Disputed,
        Facts { .. } => OfferVerdict::Taken,
    }
}

#[cfg(test)]
mod tests {
    use super::{Facts, OfferVerdict, verdict};
    use evidence::reasons::EventCode;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    /// What each column says when it alone is wrong, in the order in which they count.
    const COLUMNS: [OfferVerdict; 8] = [
        OfferVerdict::Untrusted,
        OfferVerdict::Uncertain,
        OfferVerdict::TooSoon,
        OfferVerdict::Stale,
        OfferVerdict::BeforeFloor,
        OfferVerdict::TooFar,
        OfferVerdict::Contradicts,
        OfferVerdict::Disputed,
    ];

    //= R6.8
    #[test]
    fn a_time_is_taken_only_where_nothing_speaks_against_it_and_the_first_that_does_is_named() {
        for row in 0..=u8::MAX {
            let column = |place: u8| row & (1 << place) != 0;
            let facts = Facts {
                trusted: column(0),
                certain: column(1),
                paced: column(2),
                timely: column(3),
                behind_floor: column(4),
                near: column(5),
                agrees_with_measured: column(6),
                has_majority: column(7),
            };
            let wrong = (0..8u8).find(|place| !column(*place));
            let expected = wrong.map_or(OfferVerdict::Taken, |place| COLUMNS[usize::from(place)]);
            assert_eq!(verdict(facts), expected, "{facts:?}");
        }
    }

    //= R6.8
    #[test]
    fn every_refusal_has_a_reason_code_of_its_own() {
        let causes: Vec<_> = OfferVerdict::ALL
            .iter()
            .filter_map(|one| one.cause())
            .collect();
        let distinct: BTreeSet<u64> = causes.iter().map(|cause| cause.code()).collect();
        assert_eq!((causes.len(), distinct.len()), (8, 8));
        for one in OfferVerdict::ALL {
            let taken = one.code() == EventCode::OfferTaken;
            assert_eq!(taken, one.cause().is_none(), "{one:?}");
        }
    }
}
