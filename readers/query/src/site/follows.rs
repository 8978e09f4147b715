//! Does trouble follow the meter or the place? A declared table over the rates before and after a move.

use super::counts::Counts;
use std::fmt;

/// Sessions that a stretch needs before it tells anything.
const SESSIONS_MIN: u64 = 20;
/// Incomplete sessions from which a stretch is troubled, in parts per million.
const TROUBLED_PPM_MIN: u64 = 10_000;
/// And as many times those of the other meters on the port.
const TIMES_OTHERS_MIN: u64 = 5;

/// What a move tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// Troubled before and after: it came along with the meter.
    Meter,
    /// Troubled before and not after: it stayed behind, or the work cured it.
    Place,
    /// Sound before and troubled after: it came with the new place, or with the work.
    NewPlace,
    /// Sound before and after.
    Neither,
    /// The other meters of a port were troubled too: it is the port's trouble first of all.
    Port,
    /// Too few sessions before or after.
    TooFew,
}

/// What a meter's stretch on a port was like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    TooFew,
    Sound,
    Troubled,
    /// And so were the others on the port, at a fifth of its share or more.
    WithOthers,
}

impl Stretch {
    pub(super) fn of(own: &Counts, others: &Counts) -> Self {
        if own.sessions < SESSIONS_MIN {
            return Self::TooFew;
        }
        let own_ppm = own.incomplete_ppm().unwrap_or(0);
        let others_ppm = others.incomplete_ppm().unwrap_or(0);
        match own_ppm >= TROUBLED_PPM_MIN {
            false => Self::Sound,
            true if own_ppm >= others_ppm.saturating_mul(TIMES_OTHERS_MIN) => Self::Troubled,
            true => Self::WithOthers,
        }
    }
}

impl Follows {
    pub(super) const fn of(before: Stretch, after: Stretch) -> Self {
        use Stretch::{Sound, TooFew, Troubled, WithOthers};
        match (before, after) {
            (TooFew, _) | (_, TooFew) => Self::TooFew,
            (WithOthers, _) | (_, WithOthers) => Self::Port,
            (Troubled, Troubled) => Self::Meter,
            (Troubled, Sound) => Self::Place,
            (Sound, Troubled) => Self::NewPlace,
            (Sound, Sound) => Self::Neither,
        }
    }

    /// The word for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meter => "meter",
            Self::Place => "place",
            Self::NewPlace => "new_place",
            Self::Neither => "neither",
            Self::Port => "port",
            Self::TooFew => "unknown",
        }
    }
}

impl fmt::Display for Follows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Meter => {
                "the trouble came along with the meter: look at the meter and its own connection"
            }
            Self::Place => {
                "the trouble stayed behind, or the work cured it: look at the place that it left"
            }
            Self::NewPlace => {
                "the trouble came with the new place, or with the work: look at the new connection"
            }
            Self::Neither => "no trouble before and none after",
            Self::Port => "the other meters of the port were troubled too: look at the port first",
            Self::TooFew => "too few sessions before or after to tell",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Follows, Stretch};
    use crate::site::Counts;

    /// What every pair of stretches tells: rows are before, columns after.
    //= A3.8
    #[test]
    fn the_table_is_this() {
        use Stretch::{Sound, TooFew, Troubled, WithOthers};
        let all = [TooFew, Sound, Troubled, WithOthers];
        let table = all.map(|before| all.map(|after| Follows::of(before, after).name()));
        assert_eq!(
            table,
            [
                ["unknown", "unknown", "unknown", "unknown"],
                ["unknown", "neither", "new_place", "port"],
                ["unknown", "place", "meter", "port"],
                ["unknown", "port", "port", "port"],
            ]
        );
    }

    //= A3.8
    #[test]
    fn a_stretch_is_troubled_beside_the_others_of_its_port() {
        let counts = |sessions, incomplete| Counts {
            sessions,
            incomplete,
            ..Counts::default()
        };
        for (own, others, like) in [
            ((19, 19), (900, 0), Stretch::TooFew),
            ((20, 0), (0, 0), Stretch::Sound),
            ((1_000, 9), (900, 0), Stretch::Sound),
            ((1_000, 10), (900, 0), Stretch::Troubled),
            ((1_000, 10), (0, 0), Stretch::Troubled),
            ((1_000, 50), (1_000, 10), Stretch::Troubled),
            ((1_000, 49), (1_000, 10), Stretch::WithOthers),
            ((20, 20), (20, 20), Stretch::WithOthers),
        ] {
            let (own, others) = (counts(own.0, own.1), counts(others.0, others.1));
            assert_eq!(Stretch::of(&own, &others), like, "{own:?} {others:?}");
        }
    }
}
