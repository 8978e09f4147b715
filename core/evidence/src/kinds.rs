//! The one declared table of entry kinds. Enum, payload types, tags, CDDL and the documentation's
//! table all come from it; numbers of kinds and keys are for ever.

mod said;
#[macro_use]
mod table;

use crate::cbor::{DecodeError, Reader, Writer};
use crate::field::{Blob, Field};
use crate::ids::{
    BootId, CommitId, Digest, Generation, MeterId, PointId, ScheduleId, Seq, Slot, SourceId,
};
use crate::reasons::{
    AdoptionCause, AnalogCause, AttemptCause, BackfillOutcome, Band, BandChange, ClockClass,
    CountBasis, CounterKind, CounterState, Custody, DowntimeCause, DriftBudget, EdgeLossCause,
    EpochCause, EventCode, FieldMarker, KeyFault, LossCause, MaintenancePhase, MarkerKind,
    MeterFinding, Outcome, ResetCause, SkipCause, SoeChange, TimeCause, TimeQuality, TimeStatus,
    TruthClass, WiringChange,
};
use crate::time::{MonoNs, TimeDetail, UtcNs};
use crate::{Decimal, Quality};
use alloc::string::String;
use alloc::vec::Vec;

/// One row per field: key, CDDL name, CDDL type, list or not, optional or not, meaning.
pub(crate) struct FieldRow {
    pub(crate) key: u64,
    pub(crate) name: &'static str,
    pub(crate) cddl: &'static str,
    pub(crate) list: bool,
    pub(crate) optional: bool,
    pub(crate) doc: &'static str,
}

payload! {
    /// One counter of a snapshot.
    Counter {
        0 name: String => "the counter's name";
        1 label: Option<String> => "what it is counted by (a meter, a port, a class)";
        2 state: CounterState => "value, unsupported or stale";
        3 value: Option<u64> => "the count; absent when unsupported";
        4 source: SourceId => "who counts";
    }
}

payload! {
    /// The log that a new generation follows.
    Predecessor {
        0 generation: Generation => "the generation that ended";
        1 size: u64 => "the size of its tree when it was left";
        2 root: Digest => "the root of that tree";
        3 checkpoint: Option<String> => "its last signed checkpoint";
        4 cause: Option<AdoptionCause> => "why it was left";
    }
}

payload! {
    /// A counter that checkpoints are bound to.
    BindingCounter {
        0 counter: CounterKind => "which of the two";
        1 public: Blob => "its public area as its TPM hashes it (TPMS_NV_PUBLIC)";
    }
}

kinds! {
    1 "reading" Reading {
        "One point's value, read in one session."
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
    2 "event" Event {
        "Something happened that is not a reading."
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
    3 "attempt_failed" AttemptFailed {
        "One attempt of a read session that gave no reading, with its cause."
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
    4 "marker" Marker {
        "Where capture stood: schedules, heartbeats, and what was attempted but not committed."
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
    5 "audit" Audit {
        "Who did what, why, and how it ended."
        0 at: MonoNs => "when";
        1 actor: String => "who: a local user, a peer's certificate, a key, or the node itself";
        2 action: String => "what";
        3 reason: String => "why";
        4 scope: String => "on what";
        5 outcome: Outcome => "how it ended";
        6 diff: Option<String> => "what changed, in short";
    }
    6 "counter_snapshot" CounterSnapshot {
        "Counters as they stood, each with its source and whether that was live."
        0 at: MonoNs => "when";
        1 counters: Vec<Counter>, list => "the counters";
    }
    7 "checkpoint" Checkpoint {
        "The tree's head, signed."
        0 at: MonoNs => "when it was signed";
        1 size: u64 => "size of the tree";
        2 root: Digest => "its root";
        3 note: String => "the signed note (C2SP tlog-checkpoint)";
        4 custody: Custody => "where the authority key lives";
    }
    8 "ack" Ack {
        "A collector's cosignature: it has stored the log's contents up to this size."
        0 at: MonoNs => "when it was verified here";
        1 collector: String => "the cosigner's key name";
        2 size: u64 => "size of the cosigned tree";
        3 root: Digest => "its root";
        4 cosignature: String => "the note signature line (C2SP tlog-cosignature)";
    }
    9 "epoch" EpochStart {
        "A run of the recorder begins: what it found, and what its truth store can prove."
        0 at: MonoNs => "when";
        1 cause: EpochCause => "why";
        2 boot_id: BootId => "the kernel's boot id, for every monotonic time of this epoch";
        3 truth_class: TruthClass => "class of the truth store (A5.9)";
        4 truth_degraded: bool => "whether only a lone copy of the truth was valid";
        5 rolled_forward: u64 => "entries that were durable but not yet acknowledged, kept";
        6 dropped_bytes: u64 => "bytes of a torn, never acknowledged tail, dropped";
        7 scan_bytes: u64 => "bytes read to recover";
        8 recovery_us: u64 => "time it took, in microseconds";
        9 predecessor: Option<Predecessor> => "the log this generation follows";
    }
    10 "downtime" Downtime {
        "Due slots of a schedule that passed while nothing captured."
        0 at: MonoNs => "when it was established";
        1 schedule: ScheduleId => "the schedule";
        2 first: Slot => "the first missed slot";
        3 count: Option<u64> => "how many; absent while time is not trusted";
        4 cause: DowntimeCause => "why";
        5 source: SourceId => "the port whose schedule it was";
        6 meter_id: Option<MeterId> => "the meter whose slots they were; absent when it was every \
            meter of the schedule";
    }
    11 "seq_skip" SeqSkip {
        "Sequence numbers of a meter that were never attempted and never will be."
        0 at: MonoNs => "when it was established";
        1 meter_id: MeterId => "the meter";
        2 first: Seq => "the first number";
        3 count: u64 => "how many";
        4 cause: SkipCause => "why";
    }
    12 "loss" Loss {
        "Committed entries that are gone; the hashes keep the tree whole."
        0 at: MonoNs => "when it was found";
        1 first: CommitId => "the first lost entry";
        2 count: u64 => "how many";
        3 cause: LossCause => "why";
        4 hashes: Vec<Digest>, list => "the compact range of the lost leaves";
        5 segment: u64 => "the segment they were in";
        6 offset_bytes: u64 => "where in it the damage begins";
        7 before: Vec<Digest>, list => "for pruned entries, the tree before the first of them: what is delivered next is proven from there";
    }
    13 "configuration" Configuration {
        "The contract in force from here on, in canonical form; large ones in several parts."
        0 at: MonoNs => "when";
        1 digest: Digest => "SHA-256 of the whole canonical contract";
        2 part: u64 => "number of this part, from 0";
        3 parts: u64 => "how many parts";
        4 bytes: Blob => "this part of the canonical contract";
    }
    14 "time_map" TimeMap {
        "How the node's monotonic clock relates to UTC, and how far to trust it."
        0 at: MonoNs => "when it was stated";
        1 as_of: MonoNs => "the instant at which the clocks were compared";
        2 utc: UtcNs => "UTC at that instant";
        3 quality: TimeQuality => "RTC_ONLY, SYNCED or HOLDOVER";
        4 status: TimeStatus => "state of the servo";
        5 bound_ns: Option<u64> => "bound of the error at that instant; absent where unknown";
        6 bound_growth_ppb: u32 => "growth of the bound, in parts per billion of elapsed time";
        7 valid_until: MonoNs => "after this instant the statement is late";
        8 detail: TimeDetail => "offset bucket or holdover reason";
        9 basis: String => "which clock or daemon it rests on";
        10 initial_ns: Option<u64> => "of the bound: what the last measurement left, and steps since";
        11 frequency_ns: Option<u64> => "of the bound: what the oscillator's frequency may have done since";
        12 temperature_ns: Option<u64> => "of the bound: what the temperature may have done since";
        13 ageing_ns: Option<u64> => "of the bound: what ageing may have done since";
        14 asymmetry_ns: Option<u64> => "of the bound: what the path may hide";
        15 drift_budget: Option<DriftBudget> => "how much of the site's limit the bound uses up";
        16 sync_age_ns: Option<u64> => "how old the last measurement is";
    }
    15 "probe" Probe {
        "A measurement that a person attached, on the same timeline (A3.6)."
        0 at: MonoNs => "when it was attached";
        1 probe: String => "the probe point (TP_IF_DIFF, TP_VBUS, ...)";
        2 actor: String => "who measured";
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
    16 "meter_report" MeterReport {
        "What a meter said of itself in a read session: who it is, how it is, which time it has."
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
    21 "maintenance" Maintenance {
        "People begin or end work on a port or a meter."
        0 at: MonoNs => "when it was said";
        1 phase: MaintenancePhase => "begin or end";
        2 actor: String => "who";
        3 reason: String => "what is done, and why";
        4 source: Option<SourceId> => "the port, where it is one";
        5 meter_id: Option<MeterId> => "the meter, where it is one; with neither, the whole station";
        6 until: Option<UtcNs> => "when it is meant to end";
    }
    22 "sign_off" SignOff {
        "A person compared a point with what it shows in the field, from the place to the log (U8)."
        0 at: MonoNs => "when";
        1 actor: String => "who";
        2 meter_id: MeterId => "the meter";
        3 point_id: PointId => "the point within it";
        4 reading: CommitId => "the entry whose value was compared";
        5 value: Decimal => "that value";
        6 expected: Decimal => "what the person saw in the field";
        7 tolerance: Decimal => "by how much they may differ";
        8 outcome: Outcome => "done where they agree, failed where they do not";
        9 sessions: u64 => "read sessions of the meter in the time before: the baseline of its wiring";
        10 incomplete: u64 => "of them, those that left a point without a reading";
        11 span_ns: u64 => "how long that time is, in nanoseconds";
        12 note: Option<String> => "what the person noted";
    }
    23 "wiring" Wiring {
        "A new contract has a meter elsewhere than the one before (A3.8)."
        0 at: MonoNs => "when the contract came in force";
        1 change: WiringChange => "what became of it";
        2 meter_id: MeterId => "the meter";
        3 was_source: Option<SourceId> => "the port it was attached to";
        4 was_address: Option<String> => "its address there";
        5 source: Option<SourceId> => "the port it is attached to now";
        6 address: Option<String> => "its address there";
        7 contract: CommitId => "the configuration entry that says so";
    }
    18 "soe" Soe {
        "A change of a digital input, or of what may be believed of it (R1.1, R3.1)."
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
    19 "pulse_count" PulseCount {
        "A pulse meter's count and its instant, taken together (A3.3)."
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
    20 "analog" Analog {
        "An analog input's value (R3.3)."
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
    27 "meter_life" MeterLife {
        "What the course of a meter's readings was judged to be; the readings themselves stay as they came (U2, U6)."
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
    34 "key_store" KeyStore {
        "What holds the node's keys, and what that proves of them (A6.2)."
        0 at: MonoNs => "when it was found";
        1 custody: Custody => "where the authority key lives";
        2 maker: String => "what the store says of itself: maker, model, firmware";
        3 non_exportable: bool => "whether the key can never leave";
        4 monotonic_counter: bool => "whether it has a counter that only moves forward";
        5 attestation: bool => "whether it can attest its key";
        6 measured_boot: bool => "whether it can attest what was booted";
        7 key_public: Option<Blob> => "the authority's public area as its TPM hashes it (TPMT_PUBLIC)";
        8 counters: Vec<BindingCounter>, list => "the counters that checkpoints are bound to";
        9 window_ns: Option<u64> => "the longest stretch that could be rolled back unseen while no \
            collector has it; absent where it is unlimited";
        10 not_applied: Vec<String>, list => "protections that were wanted and could not be had";
    }
    35 "binding" Binding {
        "A checkpoint bound to a counter that only moves forward (A6.4)."
        0 at: MonoNs => "when it was attested";
        1 size: u64 => "size of the tree of that checkpoint";
        2 counter: CounterKind => "which counter";
        3 value: u64 => "its value";
        4 attest: Blob => "what the TPM signed (TPMS_ATTEST), over the SHA-256 of the checkpoint's text";
        5 signature: Blob => "the authority's ECDSA signature on that, in DER";
    }
    36 "unsealed" Unsealed {
        "Seals come again: the stretch before had none."
        0 at: MonoNs => "when the first seal came";
        1 since: MonoNs => "when the first one was missed";
        2 sealed_before: u64 => "size of the tree that was sealed last before";
        3 sealed: u64 => "size of the tree that is sealed now, with all of the stretch in it";
        4 missed: u64 => "how many seals were missed";
        5 cause: KeyFault => "why the first of them was";
    }
    28 "backfill" Backfill {
        "What a meter's own memory had of a slot that was missed: never a reading, and never counted as one (U3)."
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
    30 "excursion" Excursion {
        "A supply or an environment that is watched went beyond a limit, came back, or its source came or went (A7.2, A7.4)."
        0 at: MonoNs => "when it was sampled";
        1 point_id: PointId => "the point";
        2 source: SourceId => "the card";
        3 channel: String => "the channel of the card";
        4 seq: Seq => "number of the record among those of the card";
        5 change: BandChange => "what is told";
        6 band: Option<Band> => "the band beyond the limit; absent where it is about the source";
        7 limit: Option<Decimal> => "the limit";
        8 value: Option<Decimal> => "the exact scaled value; absent where there is none";
        9 extreme: Option<Decimal> => "the furthest that a sample went meanwhile, where it is over";
        10 lasted_ns: Option<u64> => "how long it was beyond, from sample to sample, in nanoseconds";
        11 quality: Quality => "validity and reason";
        12 contract: CommitId => "the configuration entry in force";
    }
    31 "reset_reason" ResetReason {
        "What the platform says of the reset before this boot (A2.5); said at each opening of its card."
        0 at: MonoNs => "when it was read";
        1 point_id: PointId => "the point";
        2 source: SourceId => "the card";
        3 channel: String => "the channel of the card";
        4 seq: Seq => "number of the record among those of the card";
        5 cause: ResetCause => "what that means, by the contract or the kernel";
        6 says: Option<String> => "its own words; absent where it could not be read";
        7 quality: Quality => "validity and reason";
        8 contract: CommitId => "the configuration entry in force";
    }
}
