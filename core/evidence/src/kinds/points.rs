//! What the points of a station say.

use super::FieldRow;
use crate::cbor::{DecodeError, Reader, Writer};
use crate::field::Field;
use crate::ids::{CommitId, Digest, PointId, Seq, Slot, SourceId};
use crate::reasons::{AnalogCause, CountBasis, EdgeLossCause, FieldMarker, SoeChange};
use crate::time::MonoNs;
use crate::{Decimal, Quality};
use alloc::string::String;

payload! {
    /// A change of a digital input, or of what may be believed of it (R1.1, R3.1).
    Soe {
        0 at: MonoNs => "when, by the kernel's timestamp of the edge";
        1 point_id: PointId => "the point";
        2 source: SourceId => "the card";
        3 line: u64 => "the line of the card";
        4 seq: Seq => "number of the record among those of the card";
        5 change: SoeChange => "what changed";
        6 value: Option<bool> => "the state, active or not; absent where none is known";
        7 quality: Quality => "validity and reason";
        8 policy: String => "the debounce policy";
        9 window_us: u64 => "its window, in microseconds";
        10 confirmed_at: Option<MonoNs> => "when the state had held for the whole window";
        11 bounce_from: Option<MonoNs> => "the first edge of the bouncing that led to it";
        12 count: Option<u64> => "changes or edges that have no record of their own";
        13 loss: Option<EdgeLossCause> => "why they have none";
        14 contract: CommitId => "the configuration entry in force";
        15 marker: Option<FieldMarker> => "what the input marks, where it is a marker";
    }
}

payload! {
    /// A pulse meter's count and its instant, taken together (A3.3).
    PulseCount {
        0 at: MonoNs => "the instant: the count has every pulse before it and none after";
        1 point_id: PointId => "the point";
        2 source: SourceId => "the card";
        3 line: u64 => "the line of the card";
        4 seq: Seq => "number of the record among those of the card";
        5 slot: Option<Slot> => "the due slot it serves; absent for the last one before a stop";
        6 count: u64 => "pulses ever counted; never smaller than in any entry before";
        7 pulse_at: Option<MonoNs> => "when the last of them began, in this run";
        8 value: Option<Decimal> => "the count times the weight of a pulse, exactly";
        9 quality: Quality => "validity and reason";
        10 basis: CountBasis => "where the count came from";
        11 suspect: u64 => "pulses that may have been missed since the snapshot before";
        12 policy: String => "the debounce policy";
        13 window_us: u64 => "its window, in microseconds";
        14 contract: CommitId => "the configuration entry in force";
    }
}

payload! {
    /// A calibration of an analog input: what scales its raw numbers (R3.3).
    Calibration {
        0 at: MonoNs => "when it came in force, or was said again at a start";
        1 point_id: PointId => "the point";
        2 source: SourceId => "the card";
        3 channel: String => "the channel of the card";
        4 version: String => "its version, which stands in every value that it scales";
        5 digest: Digest => "SHA-256 of a map in deterministic CBOR: what is here under keys 2, 3 and 6 to 14";
        6 scale: Decimal => "the value is the raw number times this";
        7 offset: Decimal => "plus this";
        8 unit: String => "in this unit";
        9 range_min: Option<Decimal> => "the smallest good value";
        10 range_max: Option<Decimal> => "the largest good value";
        11 open_below: Option<Decimal> => "a raw number below this says that the wire is open";
        12 short_above: Option<Decimal> => "a raw number above this says that it is shorted";
        13 calibrated: Option<String> => "when it was made";
        14 calibrated_by: Option<String> => "who made it";
        15 contract: CommitId => "the configuration entry that has it";
    }
}

payload! {
    /// An analog input's value (R3.3).
    Analog {
        0 at: MonoNs => "when it was sampled";
        1 point_id: PointId => "the point";
        2 source: SourceId => "the card";
        3 channel: String => "the channel of the card";
        4 seq: Seq => "number of the record among those of the card";
        5 slot: Option<Slot> => "the due slot it serves";
        6 cause: AnalogCause => "why it is told";
        7 raw: Option<Decimal> => "the number as the card gave it; absent where it gave none";
        8 value: Option<Decimal> => "the exact scaled value";
        9 quality: Quality => "validity and reason";
        10 calibration: Option<String> => "version of the calibration";
        11 contract: CommitId => "the configuration entry under which it was scaled";
    }
}
