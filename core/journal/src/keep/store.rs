//! What each keep-ring keeps.

use evidence::Kind;
use evidence::reasons::KeepStore;

/// A keep-ring by what it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Store {
    /// Events and measurements by hand: the sequence of events (SOE).
    Soe,
    /// Who did what, how the log began again, and what was lost.
    Audit,
}

impl Store {
    /// Both, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Soe, Self::Audit];

    /// Its number in the format.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Soe => 1,
            Self::Audit => 2,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Soe => "soe",
            Self::Audit => "audit",
        }
    }

    /// Whether entries of a kind are kept here. Readings and what explains their gaps stay with the
    /// readings; the configuration is said again at the start of every segment.
    #[must_use]
    pub const fn keeps(self, kind: Kind) -> bool {
        match kind {
            // Where one of them fails, the other tells of it.
            Kind::Unkept => true,
            Kind::Event
            | Kind::Probe
            | Kind::Soe
            | Kind::MeterLife
            | Kind::Excursion
            | Kind::ResetReason
            | Kind::Output => matches!(self, Self::Soe),
            Kind::Audit
            | Kind::Calibration
            | Kind::Firmware
            | Kind::EpochStart
            | Kind::Loss
            | Kind::Maintenance
            | Kind::SignOff
            | Kind::KeyStore
            | Kind::Unsealed
            | Kind::Rollback
            | Kind::KeyUse
            | Kind::Boot
            | Kind::Attestation
            | Kind::Enrolment
            | Kind::Revocation
            | Kind::Timestamp
            | Kind::KeyRotation
            | Kind::Wiring
            | Kind::Command
            | Kind::ClockOrder
            | Kind::ClockSet
            | Kind::Tag => matches!(self, Self::Audit),
            Kind::Reading
            | Kind::PulseCount
            | Kind::Analog
            | Kind::ModemReport
            | Kind::AttemptFailed
            | Kind::Marker
            | Kind::CounterSnapshot
            | Kind::Checkpoint
            | Kind::Binding
            | Kind::Ack
            | Kind::Downtime
            | Kind::SeqSkip
            | Kind::Configuration
            | Kind::MeterReport
            | Kind::Backfill
            | Kind::Opaque
            | Kind::TimestampFailed
            | Kind::TimeMap => false,
        }
    }
}

impl From<Store> for KeepStore {
    fn from(store: Store) -> Self {
        match store {
            Store::Soe => Self::Soe,
            Store::Audit => Self::Audit,
        }
    }
}
