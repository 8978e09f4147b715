//! What people did, and what they measured.

use super::FieldRow;
use crate::Decimal;
use crate::actor::Actor;
use crate::cbor::{DecodeError, Reader, Writer};
use crate::field::Field;
use crate::ids::{CommitId, Digest, MeterId, PointId, SourceId};
use crate::reasons::{MaintenancePhase, Outcome, WiringChange};
use crate::time::{MonoNs, UtcNs};
use alloc::string::String;

payload! {
    /// Who did what, why, and how it ended.
    Audit {
        0 at: MonoNs => "when";
        1 actor: Actor => "who: a local user, the holder of a certificate or of a key, or a process of the node";
        2 action: String => "what";
        3 reason: String => "why";
        4 scope: String => "on what";
        5 outcome: Outcome => "how it ended";
        6 diff: Option<String> => "what changed, in short";
    }
}

payload! {
    /// A measurement that a person attached, on the same timeline (A3.6).
    Probe {
        0 at: MonoNs => "when it was attached";
        1 probe: String => "the probe point (TP_IF_DIFF, TP_VBUS, ...)";
        2 actor: Actor => "who measured";
        3 source: Option<SourceId> => "the port it concerns";
        4 meter_id: Option<MeterId> => "the meter it concerns";
        5 value: Option<Decimal> => "the value";
        6 unit: Option<String> => "its unit";
        7 file: Option<Digest> => "SHA-256 of an attached file";
        8 note: Option<String> => "what the person noted";
        9 file_name: Option<String> => "what the attached file was called";
        10 file_bytes: Option<u64> => "how long it is";
        11 measured: Option<UtcNs> => "when it was measured, as the person states it";
    }
}

payload! {
    /// People begin or end work on a port or a meter.
    Maintenance {
        0 at: MonoNs => "when it was said";
        1 phase: MaintenancePhase => "begin or end";
        2 actor: Actor => "who";
        3 reason: String => "what is done, and why";
        4 source: Option<SourceId> => "the port, where it is one";
        5 meter_id: Option<MeterId> => "the meter, where it is one; with neither, the whole station";
        6 until: Option<UtcNs> => "when it is meant to end";
    }
}

payload! {
    /// A person compared a point with what it shows in the field, from the place to the log (U8).
    SignOff {
        0 at: MonoNs => "when";
        1 actor: Actor => "who";
        2 meter_id: Option<MeterId> => "the meter; absent for a point of the station's own";
        3 point_id: PointId => "the point";
        4 reading: CommitId => "the entry whose value was compared";
        5 value: Decimal => "that value, 1 or 0 for on or off";
        6 expected: Decimal => "what the person saw in the field";
        7 tolerance: Decimal => "by how much they may differ";
        8 outcome: Outcome => "done where they agree, failed where they do not";
        9 sessions: u64 => "read sessions of the meter in the time before: the baseline of its wiring; none of a station's own point";
        10 incomplete: u64 => "of them, those that left a point without a reading";
        11 span_ns: u64 => "how long that time is, in nanoseconds";
        12 note: Option<String> => "what the person noted";
    }
}

payload! {
    /// A new contract has a meter elsewhere than the one before (A3.8).
    Wiring {
        0 at: MonoNs => "when the contract came in force";
        1 change: WiringChange => "what became of it";
        2 meter_id: MeterId => "the meter";
        3 was_source: Option<SourceId> => "the port it was attached to";
        4 was_address: Option<String> => "its address there";
        5 source: Option<SourceId> => "the port it is attached to now";
        6 address: Option<String> => "its address there";
        7 contract: CommitId => "the configuration entry that says so";
    }
}
