//! Codes of the log itself: its counters, its losses, what is missing in it and how it began again.

use crate::codes::codes;

codes! {
    /// What a marker marks.
    pub enum MarkerKind as "marker-kind" {
        Heartbeat = 0, "heartbeat", "slots of the schedule were due up to this one";
        ScheduleStart = 1, "schedule_start", "the schedule's numbering starts with this slot";
        ScheduleStop = 2, "schedule_stop", "the schedule was stopped orderly after this slot";
        SeqGap = 3, "seq_gap", "sessions attempted whose result was never committed (A4.8)";
    }
}

codes! {
    /// What kind of number a counter snapshot holds, or why none.
    pub enum CounterState as "counter-state" {
        Value = 0, "value", "the source was live and this is its count";
        Unsupported = 1, "unsupported", "this node has no source for it";
        Stale = 2, "stale", "the source was live before and is not now; the last value is kept";
    }
}

codes! {
    /// Why sequence numbers were skipped.
    pub enum SkipCause as "skip-cause" {
        LeaseAbandoned = 0, "lease_abandoned", "the process that held the block ended without using them";
        Adoption = 1, "adoption", "another copy of the log may have used them: a new generation counts behind them";
        Removed = 2, "removed", "the contract has the meter no more: it owes no number until an entry says that it has begun";
        Begun = 3, "begun", "the meter begins here, above all numbers that meters taken out before it have used: what nothing names below was never handed out";
    }
}

codes! {
    /// Why committed entries are gone.
    pub enum LossCause as "loss-cause" {
        FrameDamaged = 0, "frame_damaged", "the frame's bytes on the medium do not match their checks";
        SegmentMissing = 1, "segment_missing", "the segment's file is missing, cut short or unreadable";
        Pruned = 2, "pruned", "retention had to reuse the space before a cosigner had stored them";
    }
}

codes! {
    /// Why due slots have no session.
    pub enum DowntimeCause as "downtime-cause" {
        OrderlyStop = 0, "orderly_stop", "the node was stopped by its operator";
        ProcessRestart = 1, "process_restart", "the capturing process ended and was started again";
        NodeRestart = 2, "node_restart", "the node ended without an orderly stop on the same boot";
        Reboot = 3, "reboot", "the machine restarted";
        Backpressure = 4, "backpressure", "the journal could not take records and the queue was full";
        Unknown = 5, "unknown", "no evidence tells";
        Adoption = 6, "adoption", "between the predecessor's end and the start of a generation that was adopted";
        SafeMode = 7, "safe_mode", "the node ran in safe mode, in which nothing is captured";
        FirmwareBlocked = 8, "firmware_blocked", "the firmware was older than the highest that ran here, and capture was blocked";
    }
}

codes! {
    /// Why a generation was left and a new one adopted.
    pub enum AdoptionCause as "adoption-cause" {
        Replaced = 0, "replaced", "another machine takes the node's place";
        Restored = 1, "restored", "the node goes on from a backup";
        Conflict = 2, "conflict", "the collector holds another branch of the log";
    }
}

codes! {
    /// Why an epoch of the recorder begins.
    pub enum EpochCause as "epoch-cause" {
        FirstStart = 0, "first_start", "a new log";
        OrderlyStart = 1, "orderly_start", "the log had been closed orderly";
        Recovery = 2, "recovery", "the log had not been closed orderly";
        WriteFailure = 3, "write_failure", "a write failed and the segment was abandoned";
        TruthLost = 4, "truth_lost", "no copy of the truth store was readable; the tail is uncertain";
        Adoption = 5, "adoption", "a new generation that names its predecessor";
    }
}

codes! {
    /// What the truth store can prove (A5.9).
    pub enum TruthClass as "truth-class" {
        Independent = 0, "independent", "a medium of its own: torn tail and damaged history told apart";
        SameDeviceSync = 1, "same-device-sync", "a second flush on the same device: survives power cuts \
            if flushes are honest, detects damage to log or truth, not a joint rollback";
        SameDeviceDeferred = 2, "same-device-deferred", "one flush: the last group may be uncertain, \
            never silently dropped";
    }
}

codes! {
    /// What a keep-ring keeps of the entries that leave the segments (A5.7).
    pub enum KeepStore as "keep-store" {
        Soe = 1, "soe", "the sequence of events, and measurements by hand";
        Audit = 2, "audit", "who did what, how the log began again, and what was lost";
    }
}

codes! {
    /// Why entries did not pass by a keep-ring.
    pub enum UnkeptCause as "unkept-cause" {
        Refused = 0, "refused", "its medium took no more";
        Unopened = 1, "unopened", "its files could not be opened";
        Behind = 2, "behind", "found at a start: it ends before the segments begin";
        Empty = 3, "empty", "found at a start: it is new, or its files were removed";
    }
}
