//! The reason codes of commands and outputs.

use crate::codes::codes;

codes! {
    /// What a command asks for (R6.7).
    pub enum CommandStep as "command-step" {
        Select = 0, "select", "hold the output for this originator, and look whether it could be operated";
        Execute = 1, "execute", "operate what this originator has selected";
        Operate = 2, "operate", "operate at once, without a selection before";
        Cancel = 3, "cancel", "give the selection up";
    }
}

codes! {
    /// What kind of originator a command is from.
    pub enum CommandOrigin as "command-origin" {
        Person = 0, "person", "somebody at this node; the kernel vouches for the user id";
        Master = 1, "master", "a controlling station; the process that serves it vouches for the name";
    }
}

codes! {
    /// What became of a command, or what an output did by itself (R3.2).
    pub enum OutputOutcome as "output-outcome" {
        Selected = 0, "selected", "held for its originator until it is executed, cancelled or its time is over";
        Refused = 1, "refused", "nothing moved";
        Cancelled = 2, "cancelled", "the selection is given up; nothing moved";
        Expired = 3, "expired", "the selection was not executed in time; nothing moved";
        Driven = 4, "driven", "the card has taken it; the proof is awaited, and is told by another entry";
        Operated = 5, "operated", "the card has taken it, and nothing proves what it did";
        Proved = 6, "proved", "the feedback says within its window what was commanded";
        Mismatch = 7, "mismatch", "the feedback does not say within its window what was commanded";
        Failed = 8, "failed", "the card did not take it, or whether it did is not known";
        Unknown = 9, "unknown", "the process that had the command ended before it told; it is not carried out again";
        Released = 10, "released", "the pulse is over and the card was to take the output back; the reason says if it did not";
        Safe = 11, "safe", "the output was taken to its safe default";
        Kept = 12, "kept", "the output was taken over as it stood";
    }
}

impl OutputOutcome {
    /// Whether it says what became of its command, of which each has exactly one.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Driven | Self::Released)
    }
}

codes! {
    /// Why (R3.2, R3.5).
    pub enum OutputReason as "output-reason" {
        None = 0, "none", "nothing to report";
        Local = 1, "local", "the local/remote switch is at local";
        SwitchUnknown = 2, "switch_unknown", "what the local/remote switch says cannot be believed";
        Tagged = 3, "tagged", "a person has locked the output";
        Interlock = 4, "interlock", "an interlock does not hold";
        InterlockUnknown = 5, "interlock_unknown", "a point of an interlock cannot be believed";
        SelectedByOther = 6, "selected_by_other", "another originator has selected it";
        NotSelected = 7, "not_selected", "nothing is selected";
        ValueDiffers = 8, "value_differs", "another value was selected";
        SelectRequired = 9, "select_required", "the contract asks for a selection before";
        Busy = 10, "busy", "a command before has not ended, or a pulse is not over";
        OutOfRange = 11, "out_of_range", "outside the range that the contract allows";
        BadValue = 12, "bad_value", "not a value that this output can have";
        TooOld = 13, "too_old", "older than the contract allows";
        AgeUnknown = 14, "age_unknown", "it has a time tag, and no source has confirmed the node's clock";
        Unproved = 15, "unproved", "its feedback cannot be believed just now, so nothing would prove what it does";
        CardLost = 16, "card_lost", "its card cannot be driven";
        DriverFault = 17, "driver_fault", "the card refused it";
        NoChange = 18, "no_change", "the feedback stayed where it was";
        WrongValue = 19, "wrong_value", "the feedback moved to another value";
        FeedbackInvalid = 20, "feedback_invalid", "the feedback could not be believed at the end of its window";
        AlreadyThere = 21, "already_there", "the feedback said so before already: it proves the state and no movement";
        ProcessEnded = 22, "process_ended", "the process that had it ended";
        RecorderLost = 23, "recorder_lost", "the recorder was away for longer than the contract allows";
        Stopping = 24, "stopping", "the node is being stopped";
        Opened = 25, "opened", "its card was opened";
        Interrupted = 26, "interrupted", "it was committed while nobody could hear of it";
        Backlog = 27, "backlog", "the recorder takes no records, so that its outcome could not be told";
    }
}

codes! {
    /// What a person does to a tag.
    pub enum TagChange as "tag-change" {
        Set = 0, "set", "the output is locked";
        Removed = 1, "removed", "the lock is taken away";
    }
}
