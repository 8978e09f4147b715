//! The declared table: what is known of the clock, what a look shows, and where that leads.

use evidence::reasons::{HoldoverReason, TimeQuality, TimeStatus};

/// What is known of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClockState {
    /// No source has held it since boot.
    FreeRunning,
    /// A source is heard for the first time, and has not settled.
    Acquiring,
    /// Fresh measurements hold it within the site's limit.
    Locked,
    /// It was locked, and runs alone.
    Holdover,
    /// It was locked, and a source is heard again that has not settled.
    Reacquiring,
}

impl ClockState {
    /// Every state.
    pub const ALL: &'static [Self] = &[
        Self::FreeRunning,
        Self::Acquiring,
        Self::Locked,
        Self::Holdover,
        Self::Reacquiring,
    ];

    /// What a stamp may say of such a clock (A8.4, R11.3).
    #[must_use]
    pub const fn label(self) -> (TimeQuality, TimeStatus) {
        match self {
            Self::FreeRunning => (TimeQuality::RtcOnly, TimeStatus::FreeRun),
            Self::Acquiring => (TimeQuality::RtcOnly, TimeStatus::Acquiring),
            Self::Locked => (TimeQuality::Synced, TimeStatus::Locked),
            Self::Holdover => (TimeQuality::Holdover, TimeStatus::Holdover),
            Self::Reacquiring => (TimeQuality::Holdover, TimeStatus::Acquiring),
        }
    }

    /// Whether it has been locked since boot.
    #[must_use]
    pub const fn was_locked(self) -> bool {
        match self {
            Self::FreeRunning | Self::Acquiring => false,
            Self::Locked | Self::Holdover | Self::Reacquiring => true,
        }
    }
}

/// What the sources show together, the weightiest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// The clock was set, and nothing has been measured since.
    Stepped,
    /// Two sources exclude each other, and no third decides.
    Disputed,
    /// Fresh and settled, and the bound is within what the state asks for.
    Good,
    /// Fresh, and not settled yet.
    Settling,
    /// Fresh, settled or not, and the bound is wider than the site allows.
    Coarse,
    /// Heard, and not believed.
    Rejected,
    /// Nothing fresh any more.
    Lost,
    /// Nothing yet in this process, which has just begun; one before it held the clock.
    Away,
    /// Nothing has ever been measured.
    Never,
}

impl Finding {
    /// Every finding.
    pub const ALL: &'static [Self] = &[
        Self::Stepped,
        Self::Disputed,
        Self::Good,
        Self::Settling,
        Self::Coarse,
        Self::Rejected,
        Self::Lost,
        Self::Away,
        Self::Never,
    ];

    /// Why the clock runs alone, where this finding is the reason.
    #[must_use]
    pub const fn reason(self) -> HoldoverReason {
        match self {
            Self::Stepped => HoldoverReason::ClockStepped,
            Self::Disputed | Self::Rejected => HoldoverReason::SourceRejected,
            Self::Coarse => HoldoverReason::BeyondLimit,
            Self::Good | Self::Settling | Self::Lost => HoldoverReason::SourceLost,
            Self::Away => HoldoverReason::TimePlaneSilent,
            Self::Never => HoldoverReason::NeverSynchronised,
        }
    }
}

/// What crossing from one state to another is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// Nothing to tell.
    None,
    /// `sync_acquired`: from no claim to SYNCED.
    Acquired,
    /// `sync_lost`: from SYNCED to HOLDOVER.
    Lost,
}

/// Where a finding leads from a state. Total: each pair has one answer.
#[must_use]
pub const fn next(state: ClockState, finding: Finding) -> ClockState {
    use ClockState::{Acquiring, FreeRunning, Holdover, Locked, Reacquiring};
    match (state, finding) {
        (_, Finding::Good) => Locked,
        (FreeRunning | Acquiring, Finding::Settling | Finding::Coarse) => Acquiring,
        (
            FreeRunning | Acquiring,
            Finding::Stepped
            | Finding::Disputed
            | Finding::Rejected
            | Finding::Lost
            | Finding::Away
            | Finding::Never,
        ) => FreeRunning,
        // A claim once made outlasts what has not settled: the bound says what it is worth.
        (Locked, Finding::Settling) => Locked,
        (Holdover | Reacquiring, Finding::Settling) => Reacquiring,
        (Locked | Holdover | Reacquiring, Finding::Coarse) => Reacquiring,
        (
            Locked | Holdover | Reacquiring,
            Finding::Stepped
            | Finding::Disputed
            | Finding::Rejected
            | Finding::Lost
            | Finding::Away
            | Finding::Never,
        ) => Holdover,
    }
}

/// What is told of going from one state to another.
#[must_use]
pub const fn crossing(from: ClockState, to: ClockState) -> Crossing {
    match (from, to) {
        (ClockState::Locked, ClockState::Locked) => Crossing::None,
        (_, ClockState::Locked) => Crossing::Acquired,
        (ClockState::Locked, _) => Crossing::Lost,
        _ => Crossing::None,
    }
}

#[cfg(test)]
mod tests {
    use super::{ClockState, Crossing, Finding, crossing, next};
    use evidence::reasons::TimeQuality;
    use std::fmt::Write;
    use std::string::String;

    /// The whole table as it stands in `states.txt`, which a person reads and reviews.
    //= A8.4
    //= R11.3
    #[test]
    fn the_whole_table_is_what_was_reviewed() {
        let mut table = String::new();
        for state in ClockState::ALL {
            for finding in Finding::ALL {
                let to = next(*state, *finding);
                let (quality, status) = to.label();
                let told = match crossing(*state, to) {
                    Crossing::None => "",
                    Crossing::Acquired => "  sync_acquired",
                    Crossing::Lost => "  sync_lost",
                };
                let row = std::format!(
                    "{:<12} {:<9} {:<12} {quality:<9} {status}{told}",
                    std::format!("{state:?}"),
                    std::format!("{finding:?}"),
                    std::format!("{to:?}"),
                    quality = std::format!("{quality}"),
                );
                let _ = writeln!(table, "{}", row.trim_end());
            }
        }
        assert_eq!(table, include_str!("states.txt"), "{table}");
    }

    //= A8.4
    #[test]
    fn synced_is_only_reached_by_good_and_only_kept_by_fresh() {
        for state in ClockState::ALL {
            for finding in Finding::ALL {
                let synced = next(*state, *finding).label().0 == TimeQuality::Synced;
                let kept = *state == ClockState::Locked && *finding == Finding::Settling;
                assert_eq!(synced, *finding == Finding::Good || kept);
            }
        }
    }

    #[test]
    fn who_was_never_locked_is_never_in_holdover() {
        for state in ClockState::ALL.iter().filter(|state| !state.was_locked()) {
            for finding in Finding::ALL {
                let to = next(*state, *finding);
                assert!(!to.was_locked() || to == ClockState::Locked);
            }
        }
    }
}
