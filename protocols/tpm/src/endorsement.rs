//! The endorsement key: a TPM's maker certifies it, and it decrypts what is meant for another key of the same TPM.
//!
//! Templates, indexes and policy are those of the TCG EK Credential Profile 2.5, annex B (the low range).

use crate::command::{Command, ENDORSEMENT, PASSWORD};
use crate::limits::NV_PART_BYTES_MAX;
use crate::public::{
    ALG_ECC, ALG_NULL, ALG_SHA256, CURVE_P256, FIXED_PARENT, FIXED_TPM, RESTRICTED,
    SENSITIVE_DATA_ORIGIN,
};
use crate::wire::Writer;
use alloc::vec::Vec;

const ALG_RSA: u16 = 0x0001;
const ALG_AES: u16 = 0x0006;
const ALG_CFB: u16 = 0x0043;
const AES_BITS: u16 = 128;
const RSA_BITS: u16 = 2_048;
/// Nobody (`TPM_RH_NULL`).
const NULL: u32 = 0x4000_0007;
/// A session that a policy is worked off in (`TPM_SE_POLICY`).
const POLICY: u8 = 1;
/// `adminWithPolicy`: a policy alone may certify or activate with it.
const ADMIN_WITH_POLICY: u32 = 1 << 7;
/// `decrypt`.
const DECRYPT: u32 = 1 << 17;
const ATTRIBUTES: u32 =
    FIXED_TPM | FIXED_PARENT | SENSITIVE_DATA_ORIGIN | ADMIN_WITH_POLICY | RESTRICTED | DECRYPT;
/// `TPM2_PolicySecret` of the endorsement hierarchy (`PolicyA`).
const POLICY_A: [u8; 32] = [
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
    0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa,
];

/// The endorsement keys that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndorsementKind {
    /// RSA with 2,048 bits: template L-1, which nearly every TPM has a certificate for.
    Rsa2048,
    /// ECC on P-256: template L-2.
    P256,
}

impl EndorsementKind {
    /// All of them, in the order in which they are looked for: a key on P-256 is derived at once, an RSA key in seconds to
    /// minutes.
    pub const ALL: &'static [Self] = &[Self::P256, Self::Rsa2048];

    /// The word that people and programs read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa-2048",
            Self::P256 => "p-256",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }

    /// Where its certificate lies.
    #[must_use]
    pub const fn certificate_index(self) -> u32 {
        match self {
            Self::Rsa2048 => 0x01c0_0002,
            Self::P256 => 0x01c0_000a,
        }
    }

    /// What a TPM derives it from ([`Command::create_primary`], [`crate::response::handle`]).
    #[must_use]
    pub fn template(self) -> Vec<u8> {
        let kind = match self {
            Self::Rsa2048 => ALG_RSA,
            Self::P256 => ALG_ECC,
        };
        let mut out = Writer::default();
        out.u16(kind).u16(ALG_SHA256).u32(ATTRIBUTES);
        out.sized(&POLICY_A);
        out.u16(ALG_AES).u16(AES_BITS).u16(ALG_CFB).u16(ALG_NULL);
        match self {
            // The exponent 0 is 65,537.
            Self::Rsa2048 => out.u16(RSA_BITS).u32(0).sized(&[0; 256]),
            Self::P256 => out
                .u16(CURVE_P256)
                .u16(ALG_NULL)
                .sized(&[0; 32])
                .sized(&[0; 32]),
        };
        out.0
    }
}

impl Command {
    /// A part of an index from an offset on, at most [`NV_PART_BYTES_MAX`] ([`crate::response::buffer`]).
    #[must_use]
    pub fn nv_read(index: u32, length: u16, offset: u16) -> Self {
        let mut parameters = Writer::default();
        parameters.u16(length.min(NV_PART_BYTES_MAX)).u16(offset);
        Self::with("TPM2_NV_Read", 0x14e, &[index, index], 1, &parameters.0)
    }

    /// Begins a session for a policy ([`crate::response::handle`]).
    #[must_use]
    pub fn policy_session() -> Self {
        let mut parameters = Writer::default();
        // What makes the TPM's own nonces fresh is its own; nothing here is authenticated by ours.
        parameters.sized(&[0; 16]).sized(&[]).u8(POLICY);
        parameters.u16(ALG_NULL).u16(ALG_SHA256);
        Self::with(
            "TPM2_StartAuthSession",
            0x176,
            &[NULL, NULL],
            0,
            &parameters.0,
        )
        .giving_handle()
    }

    /// Shows in a session that the endorsement hierarchy's password, the empty one, is known.
    #[must_use]
    pub fn policy_secret(session: u32) -> Self {
        let mut parameters = Writer::default();
        parameters.sized(&[]).sized(&[]).sized(&[]).u32(0);
        let handles = [ENDORSEMENT, session];
        Self::with("TPM2_PolicySecret", 0x151, &handles, 1, &parameters.0)
    }

    /// Opens a credential that was made for `key` and `endorsement` together; `session` has worked off
    /// the policy of the latter ([`crate::response::buffer`]).
    #[must_use]
    pub fn activate_credential(
        key: u32,
        endorsement: u32,
        session: u32,
        credential: &[u8],
        secret: &[u8],
    ) -> Self {
        let mut parameters = Writer::default();
        parameters.sized(credential).sized(secret);
        let (handles, sessions) = ([key, endorsement], [PASSWORD, session]);
        Self::with_sessions(
            "TPM2_ActivateCredential",
            0x147,
            &handles,
            &sessions,
            &parameters.0,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, EndorsementKind};

    #[test]
    fn templates_are_those_of_the_profile() {
        let rsa = EndorsementKind::Rsa2048.template();
        assert_eq!(rsa.len(), 314);
        assert_eq!(rsa[..8], [0, 1, 0, 0x0b, 0, 3, 0, 0xb2]);
        let ecc = EndorsementKind::P256.template();
        assert_eq!(ecc.len(), 122);
        assert_eq!(ecc[..8], [0, 0x23, 0, 0x0b, 0, 3, 0, 0xb2]);
        for kind in EndorsementKind::ALL {
            assert_eq!(EndorsementKind::from_name(kind.name()), Some(*kind));
        }
    }

    #[test]
    fn a_credential_is_opened_by_a_password_and_a_session() {
        let command = Command::activate_credential(1, 2, 0x0300_0000, &[7], &[8, 9]);
        let area = [
            &[0, 0, 0, 18][..],
            &[0x40, 0, 0, 9, 0, 0, 0, 0, 0],
            &[3, 0, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat();
        let bytes = command.bytes();
        assert_eq!(bytes[..2], [0x80, 2]);
        assert_eq!(bytes[18..40], area);
        assert_eq!(bytes[40..], [0, 1, 7, 0, 2, 8, 9]);
    }
}
