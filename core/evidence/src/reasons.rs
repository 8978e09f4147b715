//! Every reason code that an entry may carry. A code is declared once, here or in the module of its subject.

mod boot;
mod event;
mod firmware;
mod gap;
mod keys;
mod log;
mod meter;
mod output;
mod site;
mod stamp;
mod time;

pub use boot::{AttestationOf, BootStageKind, BootState, SecureBoot, StageResult};
pub use firmware::{FirmwareCounter, FirmwareKept, FirmwareOutcome};
pub use keys::{CounterKind, Custody, EnrolmentProof, KeyFault, RollbackAlarm, RollbackWitness};
pub use log::{
    AdoptionCause, CounterState, DowntimeCause, EpochCause, KeepStore, LossCause, MarkerKind,
    SkipCause, TruthClass, UnkeptCause,
};
pub use meter::{BackfillOutcome, ClockClass, ClockOutcome, ClockReason, MeterFinding};
pub use output::{CommandOrigin, CommandStep, OutputOutcome, OutputReason, TagChange};
pub use site::{Band, BandChange, FieldMarker, ModemOutcome, ResetCause};
pub use stamp::StampFault;
pub use time::{DriftBudget, HoldoverReason, OffsetBucket, TimeCause, TimeQuality, TimeStatus};

use crate::codes::codes;

codes! {
    /// Whether a value may be used.
    pub enum Validity as "validity" {
        Good = 0, "good", "usable";
        Questionable = 1, "questionable", "usable with care";
        Invalid = 2, "invalid", "not usable";
    }
}

codes! {
    /// Why a value's quality is what it is.
    pub enum QualityReason as "quality-reason" {
        None = 0, "none", "nothing to report";
        OutOfRange = 1, "out_of_range", "outside the range that the contract allows";
        Undecodable = 2, "undecodable", "the registers do not form a value of the contract's type";
        Overflow = 3, "overflow", "the scaled value has more digits than can be kept";
        Stale = 4, "stale", "older than the contract allows";
        Substituted = 5, "substituted", "entered by a person, not measured";
        Test = 6, "test", "taken during a test or maintenance window";
        Chatter = 7, "chatter", "the input changes too often to be believed; it is frozen";
        OpenWire = 8, "open_wire", "the wire is open";
        ShortCircuit = 9, "short_circuit", "the wire is shorted";
        Noise = 10, "noise", "the signal is disturbed";
        RateOfChange = 11, "rate_of_change", "it moved faster than the contract allows";
        SourceLost = 12, "source_lost", "its card cannot be read";
        MissedPulses = 13, "missed_pulses", "pulses may have been missed since the snapshot before";
        MeterStatus = 14, "meter_status", "the meter says of itself that it has an error";
    }
}

codes! {
    /// What a record of a digital input tells (R1.1).
    pub enum SoeChange as "soe-change" {
        Initial = 0, "initial", "the state found when its card was opened";
        Edge = 1, "edge", "the state changed and held for the whole window";
        Quality = 2, "quality", "what may be believed of the state changed";
        Lost = 3, "lost", "edges were lost, or kept back until the card was closed, as many as counted";
    }
}

codes! {
    /// Why edges or changes of a digital input have no record of their own.
    pub enum EdgeLossCause as "edge-loss-cause" {
        KernelBuffer = 0, "kernel_buffer", "the kernel's buffer was full: its numbers of the line's edges jump";
        QueueFull = 1, "queue_full", "the recorder took none and the node's queue was full";
        Chatter = 2, "chatter", "seen and counted while the point was frozen";
        InvalidState = 3, "invalid_state", "seen and counted while the wire was at fault";
    }
}

codes! {
    /// Where a pulse count came from (A3.3).
    pub enum CountBasis as "count-basis" {
        Live = 0, "live", "counted on from the snapshot before";
        Fresh = 1, "fresh", "nothing was known of the point: counted from 0";
        Log = 2, "log", "taken up at a start from the last count in the log";
        Board = 3, "board", "taken up at a start from the count board, which was ahead of the log";
    }
}

codes! {
    /// Why an analog value is told.
    pub enum AnalogCause as "analog-cause" {
        Cyclic = 0, "cyclic", "a slot of its schedule was due";
        Spontaneous = 1, "spontaneous", "it moved further than the deadband";
        Quality = 2, "quality", "what may be believed of it changed";
    }
}

codes! {
    /// Why one attempt of a read session gave no reading.
    pub enum AttemptCause as "attempt-cause" {
        Timeout = 0, "timeout", "no reply within the reply timeout";
        Crc = 1, "crc", "a reply whose frame check failed";
        Framing = 2, "framing", "bytes that do not form a frame of the protocol";
        Exception = 3, "exception", "the meter answered with an exception";
        ForeignReply = 4, "foreign_reply", "a whole reply, but from another unit or function";
        WrongShape = 5, "wrong_shape", "a reply whose length does not fit the request";
        ConnectRefused = 6, "connect_refused", "no connection to the meter or gateway";
        ConnectionLost = 7, "connection_lost", "the connection closed before the reply";
        PortUnavailable = 8, "port_unavailable", "the port cannot be opened or written";
        SlotOverrun = 9, "slot_overrun", "the slot passed before the bus was free to serve it";
        Quarantined = 10, "quarantined", "the meter is held back after repeated failures";
        LateReplyWindow = 11, "late_reply_window", "held back so that a late reply cannot be mistaken";
        Stopped = 12, "stopped", "the node was told to stop during the session";
        Collision = 13, "collision", "bytes of more than one reply at once, or noise that looks like it: two meters of one address";
        NotAcknowledged = 14, "not_acknowledged", "the meter answered something else where an acknowledgement is due";
        OtherMeter = 15, "other_meter", "a whole reply whose head names another meter than the contract, or nobody";
        Repeated = 16, "repeated", "the telegram before once more: the meter did not go on to the next";
        BusBusy = 17, "bus_busy", "the line was not silent: nothing could be sent, or somebody spoke into the request";
        BudgetSpent = 18, "budget_spent", "not asked: the readouts that its battery allows are spent";
        RecordMissing = 19, "record_missing", "the readout has no data record that is what the contract says";
        RecordAmbiguous = 20, "record_ambiguous", "the readout has more than one data record that is what the contract says";
        RecordUnit = 21, "record_unit", "the data record is in another unit than the contract says";
        ShortReply = 22, "short_reply", "a reply that stops too early with nothing wrong in it, whether or not the rest comes later: the meter stopped, or something on the way, this machine included, held the rest back or lost it";
        BusOverload = 23, "bus_overload", "the level converter reports an overload or a short of its bus: nothing is asked meanwhile";
    }
}

impl AttemptCause {
    /// Whether a request went to the meter: otherwise the attempt says nothing of its wire.
    #[must_use]
    pub const fn was_asked(self) -> bool {
        match self {
            Self::Timeout
            | Self::Crc
            | Self::Framing
            | Self::Exception
            | Self::ForeignReply
            | Self::WrongShape
            | Self::ConnectRefused
            | Self::ConnectionLost
            | Self::Collision
            | Self::NotAcknowledged
            | Self::OtherMeter
            | Self::Repeated
            | Self::RecordMissing
            | Self::RecordAmbiguous
            | Self::RecordUnit
            | Self::ShortReply => true,
            Self::PortUnavailable
            | Self::BusOverload
            | Self::BusBusy
            | Self::BudgetSpent
            | Self::SlotOverrun
            | Self::Quarantined
            | Self::LateReplyWindow
            | Self::Stopped => false,
        }
    }
}

codes! {
    /// What an event entry reports.
    pub enum EventCode as "event-code" {
        ProcessStarted = 0, "process_started", "a process of the node started";
        ProcessExited = 1, "process_exited", "a process of the node ended, orderly or not";
        ProcessKilled = 2, "process_killed", "a process of the node was ended by a signal";
        ProcessConfined = 3, "process_confined", "how a process of the node is confined, and what could not be applied";
        ProcessHung = 4, "process_hung", "a process gave no sign of life within its bound and was ended";
        ProcessOverMemory = 5, "process_over_memory", "a process held more memory than it may and was ended";
        ProcessQuarantined = 6, "process_quarantined", "a process failed again and again and is held back for a while";
        ProcessReleased = 7, "process_released", "a process that was held back is tried again";
        ProcessThrottled = 8, "process_throttled", "a process asked for more than it may and was slowed; the count is requests";
        OutputDropped = 9, "output_dropped", "a process wrote more lines than are kept; the count is lines";
        PortsSeparated = 10, "ports_separated", "each port has a process of its own now, so that one cannot end the others";
        LateReply = 16, "late_reply", "a reply that came after its attempt had been given up";
        ForeignReply = 17, "foreign_reply", "a reply that no request of ours explains";
        LineNoise = 18, "line_noise", "bytes on the line outside any expected reply";
        PortOpened = 19, "port_opened", "the port was opened";
        PortLost = 20, "port_lost", "the port failed and was closed";
        PortQuarantined = 21, "port_quarantined", "a port's work failed again and again, or hangs; it is held back alone";
        BusSilent = 23, "bus_silent", "no meter of the port answers: the fault is of the line, and held against none of them";
        BusAnswers = 24, "bus_answers", "a meter of the port answers again";
        PortLimited = 25, "port_limited", "the port is open, and its driver left out a part of how the line is described";
        BusStuck = 26, "bus_stuck", "the line is held: a break while nobody is asked, or more bytes without a pause than any frame has";
        IdleChatter = 27, "idle_chatter", "bytes on the line while nobody is asked";
        OwnEcho = 28, "own_echo", "the line gives requests back, which its description does not say; the replies are found behind them";
        LineErrors = 29, "line_errors", "errors on the line in a window of time, which ends here; the detail has its length, the classes and the good replies; the count is errors";
        PortReleased = 22, "port_released", "a port whose work had ended, hung or was held back is at work again";
        MeterIdentity = 30, "meter_identity", "another meter answers than the one before, or than the contract names";
        MeterStatus = 31, "meter_status", "a meter's status is not what it was";
        TimeStep = 32, "time_step", "the node's clock was moved by a step; the count is nanoseconds";
        TimeSlew = 33, "time_slew", "the node's clock was slewed beyond its budget; the count is nanoseconds";
        SyncAcquired = 34, "sync_acquired", "fresh measurements hold the clock within the site's limit";
        SyncLost = 35, "sync_lost", "the clock is not held by fresh measurements any more: holdover begins";
        HoldoverEnded = 36, "holdover_ended", "a source holds the clock again, or nothing is known of it any more; the count is nanoseconds in holdover";
        GrandmasterChanged = 37, "grandmaster_changed", "another grandmaster, domain or profile is followed";
        GrandmasterDegraded = 38, "grandmaster_degraded", "the grandmaster says that its own clock became worse";
        PtpPortState = 39, "ptp_port_state", "a PTP port changed its state";
        TimeSourceFault = 40, "time_source_fault", "a source of time cannot be read, or says what cannot be";
        TimeSourceBack = 41, "time_source_back", "a source of time can be read again; the count is looks that failed";
        TimeSourceMoved = 42, "time_source_moved", "a source of time jumped or drifted against the node's clock; the count is nanoseconds";
        RtcInvalid = 43, "rtc_invalid", "the real-time clock says that its time cannot be relied upon";
        LeapSecond = 44, "leap_second", "a leap second is announced, or was taken back";
        UtcOffsetFault = 45, "utc_offset_fault", "a source is wrong by whole seconds: its offset between TAI and UTC does not hold";
        PathChange = 46, "path_change", "the path to the grandmaster changed its delay; how much of it is asymmetry cannot be told from here; the count is nanoseconds";
        PtpLoss = 47, "ptp_loss", "messages of the grandmaster are lost or out of order; the count is messages. Without a cause, as old versions wrote it: they arrive again";
        RecordRejected = 48, "record_rejected", "a captured record failed validation; the sample is kept";
        QueueOverflow = 49, "queue_overflow", "a bounded queue was full and its policy dropped records";
        WriteStall = 50, "write_stall", "a commit took longer than its budget";
        WriteFailed = 51, "write_failed", "the journal's medium refused a write";
        MediumDegraded = 52, "medium_degraded", "the journal's device says of itself that it wears out or fails";
        KeepFailed = 53, "keep_failed", "out of use: a keep-ring took no more, which `unkept` entries tell now with its reach";
        TruthStoreOld = 54, "truth_store_old", "the truth store was an older one than the newest; the log was taken up where its frames end, and the count is entries behind the old end";
        CommitInBrownout = 55, "commit_in_brownout", "a supply went below its limit for a brownout or a lock-out: what was durable then; the count is entries that were not yet";
        CommitAfterBrownout = 56, "commit_after_brownout", "that supply is back: how commits went meanwhile; the count is entries that became durable";
        EndedInBrownout = 57, "ended_in_brownout", "the run before ended while a supply was below such a limit: what became of the commit under way; the count is bytes of it that were taken back";
        SignerUnavailable = 64, "signer_unavailable", "a seal was due and the signer did not answer";
        SignerRecovered = 65, "signer_recovered", "the signer answers again; the count is seals missed, at least";
        CheckpointUnbound = 66, "checkpoint_unbound", "a checkpoint was signed and not bound to its counter";
        CheckpointBound = 67, "checkpoint_bound", "checkpoints are bound again; the count is those that were not";
        TamperHint = 68, "tamper_hint", "what is too often to be chance: signatures not had, counters that are elsewhere, recoveries, callers turned away; the count is how many";
        FirmwareCounterUnread = 69, "firmware_counter_unread", "the signer signs, and its store's counter of firmware versions cannot be read: log and truth store alone say which version was the highest";
        UplinkDown = 80, "uplink_down", "the collector cannot be reached";
        UplinkUp = 81, "uplink_up", "the collector is reached again";
        UplinkConflict = 82, "uplink_conflict", "the collector holds a tree that contradicts this log";
        UplinkRefused = 83, "uplink_refused", "the collector refused a batch";
        SyslogDown = 84, "syslog_down", "the receiver of syslog cannot be reached; what matters is told from the log later";
        SyslogUp = 85, "syslog_up", "the receiver of syslog is reached again";
        SyslogDropped = 86, "syslog_dropped", "entries that the receiver of syslog is not told of any more: too many wait, or they left the ring; the count is entries";
        OrderlyStop = 96, "orderly_stop", "the node was told to stop and did";
        SafeModeEntered = 97, "safe_mode_entered", "starts that did not last, in a row: recorder, time and signer only";
        SafeModeLeft = 98, "safe_mode_left", "the node stood long enough in safe mode, or somebody ended it";
        SourcesDisagree = 112, "sources_disagree", "two sources of time exclude each other; the count is nanoseconds between them";
        SyncRequestRefused = 113, "sync_request_refused", "somebody offered the time and it is not taken, the cause says why; the count is offers since it was last told";
        ClockFloored = 114, "clock_floored", "at boot the clock stood before what is already in the log; the count is nanoseconds";
        TimingOverBudget = 115, "timing_over_budget", "a part of the way from edge to commit took longer than its budget; the count is nanoseconds";
        GrandmasterImproved = 116, "grandmaster_improved", "the grandmaster says that its own clock became better";
        OfferTaken = 117, "offer_taken", "the time that somebody offered is taken as a source; the count is offers since it was last told";
        RefclockFault = 118, "refclock_fault", "offered times that were taken cannot be handed to chronyd's reference clock";
        RefclockBack = 119, "refclock_back", "chronyd takes offered times again; the count is those that it was not given";
        RtcMoved = 120, "rtc_moved", "the real-time clock moved against the node's clock, which was not set; the count is nanoseconds";
        PtpLossEnded = 121, "ptp_loss_ended", "messages of the grandmaster arrive again as they should; the count is nanoseconds since their loss was told";
        TimeSourceMovedInAll = 122, "time_source_moved_in_all", "how far a source of time had jumped, once that was known whole: what was told at first was a part; the count is nanoseconds";
        RecordChanged = 123, "record_changed", "a point has no data record any more that is what the contract says, or more than one";
        BusOverload = 124, "bus_overload", "the level converter of an M-Bus reports an overload or a short: nobody is asked until it is over";
        BusOverloadOver = 125, "bus_overload_over", "the level converter reports its overload no more, and meters are given the time to start; the count is nanoseconds";
        PulseOverflow = 128, "pulse_overflow", "a pulse count passed the capacity of its register; the count is how often by now";
        PulsesSuspect = 129, "pulses_suspect", "pulses may have been missed; the count is how many since it was last told";
        EdgesUnordered = 130, "edges_unordered", "a card gave an edge that is earlier than records that had left; the count is edges";
        CalibrationReused = 131, "calibration_reused", "a calibration is another scaling than the log knows under the same version";
    }
}

codes! {
    /// How an audited action ended.
    pub enum Outcome as "outcome" {
        Done = 0, "done", "carried out";
        Refused = 1, "refused", "not allowed";
        Failed = 2, "failed", "allowed, but it did not succeed";
    }
}

codes! {
    /// Whether work begins or ends.
    pub enum MaintenancePhase as "maintenance-phase" {
        Begin = 0, "begin", "work begins";
        End = 1, "end", "work has ended";
    }
}

codes! {
    /// What a new contract did to the place of a meter.
    pub enum WiringChange as "wiring-change" {
        Moved = 0, "moved", "it is on another port, or has another address there";
        Added = 1, "added", "it was not in the contract before";
        Removed = 2, "removed", "it is in the contract no more";
    }
}

codes! {
    /// Where a missing reading was lost (A4.3, A4.6).
    pub enum GapClass as "gap-class" {
        IfErr = 0, "IF_ERR", "attempted, and the failed attempt has an entry with its cause";
        SeqGap = 1, "SEQ_GAP", "attempted, and no result was ever committed";
        CommitGap = 2, "COMMIT_GAP", "committed, and named since by a LOSS entry, or by the first entry of a generation whose \
            predecessor is not held here";
        Downtime = 3, "DOWNTIME", "due while the node or its capture was not running";
        UplinkGap = 4, "UPLINK_GAP", "committed, and not cosigned yet";
        Open = 5, "OPEN", "due so recently that its session has not ended";
        Unexplained = 6, "UNEXPLAINED", "no entry explains it";
    }
}

codes! {
    /// The five evidence anchors that every failure belongs to (A1.4).
    pub enum Anchor as "anchor" {
        Interface = 0, "interface", "between the node and its meters and points";
        Commit = 1, "commit", "between capture and a durable journal";
        Uplink = 2, "uplink", "between the journal and the collector";
        TimeTrust = 3, "time_trust", "clocks and keys";
        Power = 4, "power", "power, and the running of the node itself";
    }
}

impl OffsetBucket {
    /// The bucket of a magnitude in nanoseconds.
    #[must_use]
    pub const fn of(magnitude_ns: u64) -> Self {
        match magnitude_ns {
            0..1_000 => Self::Below1Us,
            1_000..10_000 => Self::Below10Us,
            10_000..100_000 => Self::Below100Us,
            100_000..1_000_000 => Self::Below1Ms,
            1_000_000..10_000_000 => Self::Below10Ms,
            10_000_000..100_000_000 => Self::Below100Ms,
            100_000_000..1_000_000_000 => Self::Below1S,
            1_000_000_000.. => Self::FromOneS,
        }
    }
}
