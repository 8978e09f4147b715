//! Codes of the firmware that a node runs from: how it stands to the highest version that ever was, and who says that.

use crate::codes::codes;

codes! {
    /// How the installed firmware stands to the highest version that ever was, and what was done about it.
    pub enum FirmwareOutcome as "firmware-outcome" {
        Undeclared = 0, "undeclared", "the configuration declares no version of the firmware: only the programs are named";
        Unreadable = 1, "unreadable", "its version could not be read, and none was seen before";
        First = 2, "first", "the first version that was seen";
        Same = 3, "same", "the highest version that was seen";
        Raised = 4, "raised", "higher than any that was seen";
        Observed = 5, "observed", "an attempt to go back: lower than the highest, not shown to reach it, or not to be read; it runs, as the configuration only observes";
        Allowed = 6, "allowed", "an attempt to go back that is inside the window of the configuration; it runs";
        Accepted = 7, "accepted", "an attempt to go back that a person has accepted; it runs until another version is started";
        Blocked = 8, "blocked", "an attempt to go back that is blocked: nothing is captured";
    }
}

codes! {
    /// What the store's counter of raised versions says of the highest version that the disk knows.
    pub enum FirmwareCounter as "firmware-counter" {
        None = 0, "none", "the store of the keys has no such counter: log and truth store alone remember";
        Unheard = 1, "unheard", "the store was not heard yet, or could not say it: the disk alone was asked";
        New = 2, "new", "no version was counted yet";
        Level = 3, "level", "it stands where this disk left it";
        Ahead = 4, "ahead", "it was raised for images that this disk does not know, or was made anew";
        Behind = 5, "behind", "it stands behind what the log is bound to, or is another one: the store was exchanged, or put back";
        Gone = 6, "gone", "the log knows of one, and the store has it no more";
    }
}

codes! {
    /// Where the highest version is kept so that it cannot go back.
    pub enum FirmwareKept as "firmware-kept" {
        TruthStore = 0, "truth_store", "in log and truth store: files or a medium of the node";
        Counter = 1, "counter", "bound to a counter of the key store that only moves forward, and in log and truth store";
    }
}

impl FirmwareOutcome {
    /// Whether somebody tried to go back (`rollback_attempt_cnt`).
    #[must_use]
    pub const fn is_attempt(self) -> bool {
        match self {
            Self::Observed | Self::Allowed | Self::Accepted | Self::Blocked => true,
            Self::Undeclared | Self::Unreadable | Self::First | Self::Same | Self::Raised => false,
        }
    }

    /// Whether that was blocked (`rollback_block_cnt`).
    #[must_use]
    pub const fn is_block(self) -> bool {
        matches!(self, Self::Blocked)
    }
}

#[cfg(test)]
mod tests {
    use super::FirmwareOutcome;

    //= A6.5
    #[test]
    fn every_block_is_an_attempt_and_every_attempt_says_so() {
        for outcome in FirmwareOutcome::ALL {
            let said = outcome.meaning().starts_with("an attempt to go back");
            assert_eq!(outcome.is_attempt(), said, "{outcome}");
            assert!(!outcome.is_block() || outcome.is_attempt());
        }
    }
}
