//! What meters say of themselves, and what became of them.

use super::FieldRow;
use crate::actor::Actor;
use crate::cbor::{DecodeError, Reader, Writer};
use crate::field::{Blob, Field};
use crate::ids::{CommitId, Digest, MeterId, PointId, ScheduleId, Seq, Slot, SourceId};
use crate::reasons::{BackfillOutcome, ClockClass, ClockOutcome, ClockReason, MeterFinding};
use crate::time::MonoNs;
use crate::{Decimal, Quality};
use alloc::string::String;

payload! {
    /// What a meter said of itself in a read session: who it is, how it is, which time it has.
    MeterReport {
        0 at: MonoNs => "when its last telegram was complete";
        1 meter_id: MeterId => "the meter";
        2 source: SourceId => "the port that read it";
        3 seq: Seq => "number of the read session";
        4 slot: Option<Slot> => "the due slot";
        5 attempt: u64 => "sub-number of the attempt that read its last telegram";
        6 serial: Option<String> => "the identification number in its header, eight digits";
        7 manufacturer: Option<String> => "the code of who made it, three letters";
        8 version: Option<u64> => "its generation";
        9 medium: Option<u64> => "code of what it meters (EN 13757-3)";
        10 access_number: Option<u64> => "its count of readouts, 0 to 255";
        11 status: Option<u64> => "its status byte (EN 13757-3)";
        12 clock: Option<String> => "its own date and time, of no time zone";
        13 telegrams: u64 => "telegrams of the readout";
        14 contract: CommitId => "the configuration entry in force";
        15 summer_time: Option<bool> => "whether it marks its clock as summer time; absent where its clock has no mark";
    }
}

payload! {
    /// What the course of a meter's readings was judged to be; the readings themselves stay as they came (U2, U6).
    MeterLife {
        0 at: MonoNs => "when the reading that shows it was complete";
        1 meter_id: MeterId => "the meter";
        2 source: SourceId => "the port that read it";
        3 seq: Seq => "the read session that shows it";
        4 finding: MeterFinding => "what it was judged to be";
        5 point_id: Option<PointId> => "the counter, where it is one";
        6 before: Option<Decimal> => "its last value that was believed; of a meter that was replaced the final reading";
        7 before_seq: Option<Seq> => "the read session of that value";
        8 value: Option<Decimal> => "the value that shows it; of a new meter the first reading";
        9 about_seq: Option<Seq> => "the earlier read session that is judged, where it is not this one";
        10 about_value: Option<Decimal> => "the value that was read there";
        11 serial_before: Option<String> => "the serial number before";
        12 serial: Option<String> => "the serial number now";
        13 offset_ns: Option<i64> => "the meter's clock less ours; ahead is positive";
        14 bound_ns: Option<u64> => "the error of that at the most, that of our own stamp included; absent where nobody can bound the stamp";
        15 clock_class: Option<ClockClass> => "the class of the offset's magnitude";
        16 contract: CommitId => "the configuration entry in force";
    }
}

payload! {
    /// A payload of a meter that is carried as it came and decoded by nobody here (U7). It serves the point's slot as a reading does.
    Opaque {
        0 at: MonoNs => "when the reply was complete";
        1 meter_id: MeterId => "the meter";
        2 point_id: PointId => "the point within it";
        3 source: SourceId => "the port that read it";
        4 seq: Seq => "number of the read session of this meter";
        5 slot: Option<Slot> => "the due slot it serves";
        6 attempt: u64 => "sub-number of the attempt that succeeded, from 0";
        7 content_type: String => "what it is, by the contract";
        8 length_bytes: u64 => "its length";
        9 sha256: Digest => "SHA-256 over it";
        10 bytes: Blob => "it, as it came";
        11 quality: Quality => "validity and reason";
        12 contract: CommitId => "the configuration entry in force";
    }
}

payload! {
    /// What a meter's own memory had of a slot that was missed: never a reading, and never counted as one (U3).
    Backfill {
        0 at: MonoNs => "when the meter gave it";
        1 meter_id: MeterId => "the meter";
        2 source: SourceId => "the port that read it";
        3 schedule: ScheduleId => "the schedule of the missed slot";
        4 slot: Slot => "the missed slot";
        5 outcome: BackfillOutcome => "whether the memory had it";
        6 point_id: Option<PointId> => "the point; absent where the memory had no record of that time";
        7 meter_time_s: Option<i64> => "the record's time by the meter's clock, in seconds since 1970 as it shows them";
        8 record: Option<u64> => "the record's place in the memory, from 0";
        9 raw: Option<Blob> => "the register bytes as they came";
        10 value: Option<Decimal> => "the exact scaled value";
        11 quality: Quality => "validity and reason";
        12 contract: CommitId => "the configuration entry in force";
    }
}

payload! {
    /// Somebody asks that the clock of a meter is set; it is committed before anything is written to the meter (U6).
    ClockOrder {
        0 at: MonoNs => "when it was asked";
        1 meter_id: MeterId => "the meter";
        2 actor: Actor => "who, as the kernel vouches for";
        3 reason: String => "why";
    }
}

payload! {
    /// What became of an order to set a meter's clock (U6).
    ClockSet {
        0 at: MonoNs => "when that was known";
        1 meter_id: MeterId => "the meter";
        2 source: SourceId => "its port";
        3 order: CommitId => "the order's entry";
        4 outcome: ClockOutcome => "what happened";
        5 reason: ClockReason => "why";
        6 meter_time_s: Option<i64> => "the time that was written, by the meter's clock, in seconds since 1970 as it shows them";
        7 sent_at: Option<MonoNs> => "when it left";
        8 exception: Option<u64> => "the code with which the meter declined, where it has one";
        9 contract: CommitId => "the configuration entry in force";
    }
}
