//! What is common to kinds of events, beside the table that declares them.

use super::EventCode;

impl EventCode {
    /// Whether it is of the time plane: clocks, their sources and what others say of the time. These have two blocks of
    /// numbers for themselves.
    #[must_use]
    pub const fn is_of_time(self) -> bool {
        matches!(self.code(), 32..=47 | 112..=122)
    }

    /// Whether the count of such an event is nanoseconds, and not a number of things.
    #[must_use]
    pub const fn counts_nanoseconds(self) -> bool {
        matches!(
            self,
            Self::TimeStep
                | Self::TimeSlew
                | Self::HoldoverEnded
                | Self::TimeSourceMoved
                | Self::PathChange
                | Self::SourcesDisagree
                | Self::ClockFloored
                | Self::TimingOverBudget
                | Self::RtcMoved
                | Self::PtpLossEnded
                | Self::TimeSourceMovedInAll
                | Self::BusOverloadOver
        )
    }
}

#[cfg(test)]
mod tests {
    use super::EventCode;

    #[test]
    fn a_code_counts_nanoseconds_where_its_meaning_says_so() {
        for code in EventCode::ALL {
            let says = code.meaning().contains("the count is nanoseconds");
            assert_eq!(code.counts_nanoseconds(), says, "{code}");
            let of_time = code.is_of_time() || *code == EventCode::BusOverloadOver;
            assert!(!says || of_time, "{code}");
        }
    }

    #[test]
    fn the_two_blocks_of_the_time_plane_have_no_other_codes_in_them() {
        let of_time = |code: EventCode| code.is_of_time();
        let others = [
            EventCode::LineErrors,
            EventCode::RecordRejected,
            EventCode::SafeModeLeft,
            EventCode::RecordChanged,
            EventCode::BusOverload,
            EventCode::PulseOverflow,
        ];
        assert!(!others.into_iter().any(of_time));
        let ends = [
            EventCode::TimeStep,
            EventCode::PtpLoss,
            EventCode::SourcesDisagree,
            EventCode::TimeSourceMovedInAll,
        ];
        assert!(ends.into_iter().all(of_time));
    }
}
