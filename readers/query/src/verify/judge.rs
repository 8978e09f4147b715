//! What an entry's bytes say by themselves, wherever they stand: judged by any thread, taken in order by the chain.

use evidence::{EntryError, EntryRef, Header, Kind, Payload};

/// An entry that is well formed.
pub(super) struct Judged {
    pub(super) header: Header,
    /// Its payload, where the chain has a use for it; whether it is sound, where not.
    pub(super) payload: Result<Option<Payload>, EntryError>,
}

/// Judges the bytes of an entry; an error when they are none.
pub(super) fn judge(bytes: &[u8]) -> Result<Judged, EntryError> {
    let entry = EntryRef::decode(bytes)?;
    let payload = if is_followed(entry.header.kind) {
        entry.payload().map(Some)
    } else {
        entry.check().map(|()| None)
    };
    Ok(Judged {
        header: entry.header,
        payload,
    })
}

/// Whether something follows from what entries of this kind say.
const fn is_followed(kind: Kind) -> bool {
    match kind {
        Kind::Checkpoint
        | Kind::KeyStore
        | Kind::Enrolment
        | Kind::Revocation
        | Kind::Timestamp
        | Kind::KeyRotation
        | Kind::Rollback
        | Kind::Binding
        | Kind::EpochStart
        | Kind::Boot
        | Kind::Attestation
        | Kind::Ack
        | Kind::Loss
        | Kind::Configuration
        | Kind::CounterSnapshot
        | Kind::Unkept
        | Kind::Calibration
        | Kind::Firmware
        | Kind::Event => true,
        Kind::Reading
        | Kind::AttemptFailed
        | Kind::Marker
        | Kind::Audit
        | Kind::Downtime
        | Kind::SeqSkip
        | Kind::TimeMap
        | Kind::MeterReport
        | Kind::Probe
        | Kind::Maintenance
        | Kind::SignOff
        | Kind::Wiring
        | Kind::Unsealed
        | Kind::KeyUse
        | Kind::Soe
        | Kind::PulseCount
        | Kind::Analog
        | Kind::MeterLife
        | Kind::Backfill
        | Kind::Opaque
        | Kind::Excursion
        | Kind::ResetReason
        | Kind::Command
        | Kind::ClockOrder
        | Kind::ClockSet
        | Kind::Output
        | Kind::Tag
        | Kind::TimestampFailed
        | Kind::ModemReport => false,
    }
}
