//! What capture says: readings, attempts, the course of schedules, and what happened meanwhile.

use super::FieldRow;
use crate::cbor::{DecodeError, Reader, Writer};
use crate::field::{Blob, Field};
use crate::ids::{CommitId, MeterId, PointId, ScheduleId, Seq, Slot, SourceId};
use crate::reasons::{AttemptCause, DowntimeCause, EventCode, MarkerKind, SkipCause, TimeCause};
use crate::time::MonoNs;
use crate::{Decimal, Quality};
use alloc::string::String;
use alloc::vec::Vec;

payload! {
    /// One point's value, read in one session.
    Reading {
        0 at: MonoNs => "when the reply was complete";
        1 meter_id: MeterId => "the meter";
        2 point_id: PointId => "the point within it";
        3 source: SourceId => "the port that read it";
        4 seq: Seq => "number of the read session of this meter";
        5 slot: Option<Slot> => "the due slot it serves";
        6 attempt: u64 => "sub-number of the attempt that succeeded, from 0";
        7 raw: Blob => "the register bytes as they came";
        8 value: Option<Decimal> => "the exact scaled value";
        9 quality: Quality => "validity and reason";
        10 contract: CommitId => "the configuration entry under which it was scaled";
    }
}

payload! {
    /// Something happened that is not a reading.
    Event {
        0 at: MonoNs => "when it was seen";
        1 code: EventCode => "what happened";
        2 source: SourceId => "where";
        3 meter_id: Option<MeterId> => "the meter it concerns";
        4 seq: Option<Seq> => "the event's number at its source";
        5 about_seq: Option<Seq> => "the read session it concerns";
        6 count: Option<u64> => "how many, where it stands for several";
        7 detail: Option<String> => "a sentence for a person";
        8 sample: Option<Blob> => "wire bytes that show it";
        9 time_cause: Option<TimeCause> => "why the clock or a source of time is not what it was";
        10 moved_ns: Option<i64> => "by how much a clock moved, in nanoseconds; forward is positive";
    }
}

impl Event {
    /// An event about nothing in particular; what else it has is added to it.
    #[must_use]
    pub const fn new(at: MonoNs, code: EventCode, source: SourceId) -> Self {
        Self {
            at,
            code,
            source,
            meter_id: None,
            seq: None,
            about_seq: None,
            count: None,
            detail: None,
            sample: None,
            time_cause: None,
            moved_ns: None,
        }
    }
}

payload! {
    /// One attempt of a read session that gave no reading, with its cause.
    AttemptFailed {
        0 at: MonoNs => "when it was given up";
        1 meter_id: MeterId => "the meter";
        2 source: SourceId => "the port";
        3 seq: Seq => "number of the read session";
        4 slot: Option<Slot> => "the due slot";
        5 attempt: u64 => "sub-number of the attempt, from 0";
        6 last: bool => "whether the session ended with it";
        7 cause: AttemptCause => "why";
        8 exception: Option<u64> => "the exception code, where the cause is one";
        9 points: Vec<PointId>, list => "the points that this session leaves without a reading; \
            empty while attempts follow";
        10 sample: Option<Blob> => "wire bytes that show it";
        11 contract: CommitId => "the configuration entry in force";
    }
}

payload! {
    /// Where capture stood: schedules, heartbeats, and what was attempted but not committed.
    Marker {
        0 at: MonoNs => "when it was set";
        1 marker: MarkerKind => "what it marks";
        2 source: SourceId => "who set it";
        3 schedule: Option<ScheduleId> => "the schedule";
        4 slot: Option<Slot> => "the slot it speaks of";
        5 meter_id: Option<MeterId> => "the meter";
        6 seq: Option<Seq> => "the first session it speaks of";
        7 count: Option<u64> => "how many sessions";
        8 last_attempt: Option<MonoNs> => "when the last of them was attempted";
        9 last_reply: Option<MonoNs> => "when the last reply came, if one did";
    }
}

payload! {
    /// Due slots of a schedule that passed while nothing captured.
    Downtime {
        0 at: MonoNs => "when it was established";
        1 schedule: ScheduleId => "the schedule";
        2 first: Slot => "the first missed slot";
        3 count: Option<u64> => "how many; absent while time is not trusted";
        4 cause: DowntimeCause => "why";
        5 source: SourceId => "the port whose schedule it was";
        6 meter_id: Option<MeterId> => "the meter whose slots they were; absent when it was every \
            meter of the schedule";
    }
}

payload! {
    /// Sequence numbers of a meter that were never attempted and never will be.
    SeqSkip {
        0 at: MonoNs => "when it was established";
        1 meter_id: MeterId => "the meter";
        2 first: Seq => "the first number";
        3 count: u64 => "how many";
        4 cause: SkipCause => "why";
    }
}
