//! Response codes (part 2, 6.6): in words, and in what follows from them.

use core::fmt;

/// What a TPM answered instead of success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseCode(pub u32);

/// What follows from a code for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// The same command may be sent again soon: the TPM is busy with itself.
    Again,
    /// Nothing is accepted: failure mode, or not started.
    Broken,
    /// Authorisations are locked out for a while.
    LockedOut,
    /// The index or key that was named does not exist.
    Absent,
    /// It refuses this.
    Refused,
}

/// A code of format 1 names the parameter, handle or session in these bits.
const FORMAT_ONE: u32 = 0x080;
const FORMAT_ONE_CODE: u32 = 0x0bf;
/// A code of format 0 in the version of TPM 2.0.
const FORMAT_ZERO_CODE: u32 = 0x97f;

/// Code without its place, name, consequence.
const KNOWN: &[(u32, &str, Consequence)] = &[
    (
        0x100,
        "not started (TPM_RC_INITIALIZE)",
        Consequence::Broken,
    ),
    (
        0x101,
        "in failure mode (TPM_RC_FAILURE)",
        Consequence::Broken,
    ),
    (
        0x14a,
        "the index was never written (TPM_RC_NV_UNINITIALIZED)",
        Consequence::Refused,
    ),
    (
        0x149,
        "the index does not allow it (TPM_RC_NV_AUTHORIZATION)",
        Consequence::Refused,
    ),
    (
        0x14c,
        "the index exists already (TPM_RC_NV_DEFINED)",
        Consequence::Refused,
    ),
    (
        0x14b,
        "no room for another index (TPM_RC_NV_SPACE)",
        Consequence::Refused,
    ),
    (
        0x143,
        "not a command that it has (TPM_RC_COMMAND_CODE)",
        Consequence::Refused,
    ),
    (
        0x902,
        "no room for another key (TPM_RC_OBJECT_MEMORY)",
        Consequence::Again,
    ),
    (
        0x903,
        "no room for another session (TPM_RC_SESSION_MEMORY)",
        Consequence::Again,
    ),
    (0x904, "out of memory (TPM_RC_MEMORY)", Consequence::Again),
    (0x908, "interrupted (TPM_RC_YIELDED)", Consequence::Again),
    (0x909, "cancelled (TPM_RC_CANCELED)", Consequence::Again),
    (0x90a, "tests itself (TPM_RC_TESTING)", Consequence::Again),
    (
        0x920,
        "limits writes to its flash (TPM_RC_NV_RATE)",
        Consequence::Again,
    ),
    (
        0x921,
        "locked out after wrong authorisations (TPM_RC_LOCKOUT)",
        Consequence::LockedOut,
    ),
    (0x922, "busy (TPM_RC_RETRY)", Consequence::Again),
    (
        0x923,
        "its flash cannot be written now (TPM_RC_NV_UNAVAILABLE)",
        Consequence::Again,
    ),
    (
        0x082,
        "an attribute forbids it (TPM_RC_ATTRIBUTES)",
        Consequence::Refused,
    ),
    (
        0x084,
        "a value out of range (TPM_RC_VALUE)",
        Consequence::Refused,
    ),
    (
        0x085,
        "a hierarchy that is off or wrong (TPM_RC_HIERARCHY)",
        Consequence::Refused,
    ),
    (
        0x08b,
        "no such key or index (TPM_RC_HANDLE)",
        Consequence::Absent,
    ),
    (
        0x08e,
        "wrong authorisation, counted (TPM_RC_AUTH_FAIL)",
        Consequence::Refused,
    ),
    (
        0x092,
        "a scheme that this key does not have (TPM_RC_SCHEME)",
        Consequence::Refused,
    ),
    (
        0x095,
        "a size that is wrong (TPM_RC_SIZE)",
        Consequence::Refused,
    ),
    (
        0x09c,
        "not a key for this (TPM_RC_KEY)",
        Consequence::Refused,
    ),
    (
        0x09f,
        "a credential for another key or another TPM (TPM_RC_INTEGRITY)",
        Consequence::Refused,
    ),
    (
        0x0a0,
        "no ticket for that digest (TPM_RC_TICKET)",
        Consequence::Refused,
    ),
    (
        0x0a2,
        "wrong authorisation (TPM_RC_BAD_AUTH)",
        Consequence::Refused,
    ),
];

impl ResponseCode {
    /// Success.
    pub const SUCCESS: Self = Self(0);

    /// The code without the place that it names.
    #[must_use]
    pub const fn base(self) -> u32 {
        if self.0 & FORMAT_ONE != 0 {
            self.0 & FORMAT_ONE_CODE
        } else {
            self.0 & FORMAT_ZERO_CODE
        }
    }

    fn known(self) -> Option<&'static (u32, &'static str, Consequence)> {
        // The layers above a TPM (the kernel's resource manager) put their number into these bits.
        let of_tpm = self.0 >> 16 == 0;
        KNOWN
            .iter()
            .find(|(code, _, _)| of_tpm && *code == self.base())
    }

    /// What follows from it.
    #[must_use]
    pub fn consequence(self) -> Consequence {
        self.known()
            .map_or(Consequence::Refused, |(_, _, consequence)| *consequence)
    }
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known() {
            Some((_, words, _)) => write!(f, "{:#05x}: {words}", self.0),
            None => write!(f, "{:#05x}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Consequence, ResponseCode};

    #[test]
    fn a_code_is_known_whatever_place_it_names() {
        for (code, consequence) in [
            (0x101, Consequence::Broken),
            (0x921, Consequence::LockedOut),
            (0x922, Consequence::Again),
            (0x18b, Consequence::Absent),
            (0x28b, Consequence::Absent),
            (0x98e, Consequence::Refused),
            (0x3a0, Consequence::Refused),
            (0x2c4, Consequence::Refused),
            (0x000b_0101, Consequence::Refused),
            (0xffff_ffff, Consequence::Refused),
        ] {
            assert_eq!(ResponseCode(code).consequence(), consequence, "{code:#x}");
        }
        assert_eq!(
            std::format!("{}", ResponseCode(0x2c4)),
            "0x2c4: a value out of range (TPM_RC_VALUE)"
        );
        assert_eq!(std::format!("{}", ResponseCode(0x9a7)), "0x9a7");
    }
}
