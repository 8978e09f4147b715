//! Codes of what was booted, and of what can be said of it.

use crate::codes::codes;

codes! {
    /// What can be said of what was booted.
    pub enum BootState as "boot-state" {
        Replayed = 0, "replayed", "the firmware's event log leads to the PCRs that the TPM has: the stages are what was measured";
        Unattested = 1, "unattested", "the store of the keys cannot attest what was booted: nothing is claimed";
        Unmeasured = 2, "unmeasured", "the firmware measured nothing into the TPM: nothing is claimed";
        BankAbsent = 3, "bank_absent", "the TPM has no SHA-256 bank of PCRs: nothing is claimed";
        LogMissing = 4, "log_missing", "something was measured, and there is no event log that says what";
        LogUnreadable = 5, "log_unreadable", "the event log cannot be read, or is of another form";
        LogDiffers = 6, "log_differs", "the event log leads to other PCRs than the TPM has: it is not what was measured";
        Unavailable = 7, "unavailable", "the store of the keys did not answer: not known yet";
    }
}

codes! {
    /// Whether the firmware started only what was signed (UEFI Secure Boot), as it measured that.
    pub enum SecureBoot as "secure-boot" {
        Unknown = 0, "unknown", "the event log does not say, or is not believed";
        On = 1, "on", "only what was signed was started";
        Off = 2, "off", "anything was started";
    }
}

codes! {
    /// A stage of a boot, in the order in which they run.
    pub enum BootStageKind as "boot-stage-kind" {
        Rom = 0, "rom", "the code that begins, and measures the next";
        Firmware = 1, "firmware", "firmware, and drivers of cards that it runs";
        Loader = 2, "loader", "a program that the firmware started: boot loader, or a kernel that is one";
        System = 3, "system", "what a boot loader loaded: kernel, its command line, initial file system";
    }
}

codes! {
    /// What became of the check of a stage.
    pub enum StageResult as "stage-result" {
        Verified = 0, "verified", "measured, and the firmware held it against a key or hash before it ran";
        Measured = 1, "measured", "measured; what vouched for it before it ran, the event log does not say";
        Unproven = 2, "unproven", "the event log names it, and does not lead to the PCRs";
    }
}

codes! {
    /// What an attestation is about.
    pub enum AttestationOf as "attestation-of" {
        Boot = 0, "boot", "what was booted: the entry before it";
        Asked = 1, "asked", "a number of whoever asked";
    }
}

impl BootState {
    /// Whether what was booted is proven by what the TPM measured.
    #[must_use]
    pub const fn is_proven(self) -> bool {
        matches!(self, Self::Replayed)
    }

    /// Whether something was measured that was booted: then it has a measurement id, and only then.
    #[must_use]
    pub const fn is_measured(self) -> bool {
        match self {
            Self::Replayed | Self::LogMissing | Self::LogUnreadable | Self::LogDiffers => true,
            Self::Unattested | Self::Unmeasured | Self::BankAbsent | Self::Unavailable => false,
        }
    }

    /// Whether it is bad: what the log says is contradicted.
    #[must_use]
    pub const fn is_contradicted(self) -> bool {
        matches!(self, Self::LogDiffers)
    }
}

#[cfg(test)]
mod tests {
    use super::BootState;

    /// A machine without measured boot never claims one.
    //= A6.5
    #[test]
    fn only_what_was_replayed_is_proven() {
        for state in BootState::ALL {
            let proven = state.meaning().contains("are what was measured");
            assert_eq!(state.is_proven(), proven, "{state}");
            assert!(!(proven && state.is_contradicted()));
            let nothing =
                ["nothing is claimed", "not known yet"].map(|said| state.meaning().contains(said));
            assert_eq!(state.is_measured(), !nothing.contains(&true), "{state}");
        }
    }
}
