//! What is dropped first where a queue of reports is full: audit and what the field did last.

use crate::reasons::EventCode;

/// How long a report is kept; the lowest is dropped first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Samples that help to look for a cause; their number is kept when they are not.
    Diagnostic,
    /// What the node's parts did.
    Operation,
    /// Changes of the field and its ports, the state of the evidence itself, and what people did.
    Evidence,
}

impl EventCode {
    /// How long an event of this code is kept.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a table: a line for each code")]
    pub const fn priority(self) -> Priority {
        match self {
            Self::LateReply
            | Self::ForeignReply
            | Self::LineNoise
            | Self::IdleChatter
            | Self::OutputDropped
            | Self::ProcessConfined => Priority::Diagnostic,
            Self::ProcessStarted
            | Self::ProcessExited
            | Self::ProcessKilled
            | Self::ProcessHung
            | Self::ProcessOverMemory
            | Self::ProcessReleased
            | Self::ProcessThrottled
            | Self::PortReleased
            | Self::SignerRecovered
            | Self::CheckpointBound
            | Self::UplinkDown
            | Self::UplinkUp
            | Self::SyslogDown
            | Self::SyslogUp
            | Self::PtpPortState
            | Self::PtpLoss
            | Self::PtpLossEnded
            | Self::TimeSourceBack
            | Self::RefclockBack
            | Self::UplinkRefused => Priority::Operation,
            Self::ProcessQuarantined
            | Self::SyslogDropped
            | Self::PortsSeparated
            | Self::PortOpened
            | Self::BusStuck
            | Self::OwnEcho
            | Self::LineErrors
            | Self::PortLimited
            | Self::MeterIdentity
            | Self::MeterStatus
            | Self::RecordChanged
            | Self::BusSilent
            | Self::BusOverload
            | Self::BusOverloadOver
            | Self::BusAnswers
            | Self::PortLost
            | Self::PortQuarantined
            | Self::TimeStep
            | Self::RtcMoved
            | Self::PulseOverflow
            | Self::PulsesSuspect
            | Self::EdgesUnordered
            | Self::CalibrationReused
            | Self::TimeSlew
            | Self::SyncAcquired
            | Self::SyncLost
            | Self::HoldoverEnded
            | Self::GrandmasterChanged
            | Self::GrandmasterDegraded
            | Self::GrandmasterImproved
            | Self::OfferTaken
            | Self::RefclockFault
            | Self::TimeSourceFault
            | Self::TimeSourceMoved
            | Self::TimeSourceMovedInAll
            | Self::RtcInvalid
            | Self::LeapSecond
            | Self::UtcOffsetFault
            | Self::PathChange
            | Self::SourcesDisagree
            | Self::SyncRequestRefused
            | Self::ClockFloored
            | Self::TimingOverBudget
            | Self::RecordRejected
            | Self::QueueOverflow
            | Self::WriteStall
            | Self::WriteFailed
            | Self::MediumDegraded
            | Self::CommitInBrownout
            | Self::CommitAfterBrownout
            | Self::EndedInBrownout
            | Self::KeepFailed
            | Self::TruthStoreOld
            | Self::SignerUnavailable
            | Self::CheckpointUnbound
            | Self::FirmwareCounterUnread
            | Self::TamperHint
            | Self::UplinkConflict
            | Self::OrderlyStop
            | Self::SafeModeEntered
            | Self::SafeModeLeft => Priority::Evidence,
        }
    }
}
