//! The commands: each is bytes to be written whole.

use crate::limits::{BANKS_MAX, COUNTER_BYTES, SELECT_BYTES_MAX};
use crate::public::{ALG_NULL, ALG_SHA256, NvPublic};
use crate::wire::{Malformed, Reader, Writer};
use alloc::vec::Vec;

/// The hierarchy of the owner (`TPM_RH_OWNER`).
pub const OWNER: u32 = 0x4000_0001;
/// The endorsement hierarchy (`TPM_RH_ENDORSEMENT`).
pub const ENDORSEMENT: u32 = 0x4000_000b;
/// A password in place of a session (`TPM_RS_PW`).
pub(crate) const PASSWORD: u32 = 0x4000_0009;
const ST_NO_SESSIONS: u16 = 0x8001;
const ST_SESSIONS: u16 = 0x8002;
const CAP_HANDLES: u32 = 1;
const CAP_PROPERTIES: u32 = 6;

/// A command and what its answer must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    name: &'static str,
    bytes: Vec<u8>,
    gives_handle: bool,
    has_sessions: bool,
}

impl Command {
    /// Any command: its code, handles of which the first `authorised` take an empty password, and parameters.
    #[must_use]
    pub fn with(
        name: &'static str,
        code: u32,
        handles: &[u32],
        authorised: usize,
        parameters: &[u8],
    ) -> Self {
        let passwords = alloc::vec![PASSWORD; authorised];
        Self::with_sessions(name, code, handles, &passwords, parameters)
    }

    /// Any command whose first handles are authorised by these sessions, one each; a session ends with the command.
    #[must_use]
    pub fn with_sessions(
        name: &'static str,
        code: u32,
        handles: &[u32],
        sessions: &[u32],
        parameters: &[u8],
    ) -> Self {
        let mut body = Writer::default();
        body.u32(code);
        for handle in handles {
            body.u32(*handle);
        }
        if !sessions.is_empty() {
            let mut area = Writer::default();
            for session in sessions {
                area.u32(*session).sized(&[]).u8(0).sized(&[]);
            }
            let length = u32::try_from(area.0.len()).unwrap_or(u32::MAX);
            body.u32(length).bytes(&area.0);
        }
        body.bytes(parameters);
        let tag = match sessions.is_empty() {
            true => ST_NO_SESSIONS,
            false => ST_SESSIONS,
        };
        // The size counts itself and the tag.
        let size = u32::try_from(body.0.len().saturating_add(6)).unwrap_or(u32::MAX);
        let mut whole = Writer::default();
        whole.u16(tag).u32(size).bytes(&body.0);
        Self {
            name,
            bytes: whole.0,
            gives_handle: false,
            has_sessions: !sessions.is_empty(),
        }
    }

    /// The same, where its answer begins with a handle.
    pub(crate) fn giving_handle(self) -> Self {
        Self {
            gives_handle: true,
            ..self
        }
    }

    /// Its name in the specification.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What is written to the TPM.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether its answer begins with a handle.
    pub(crate) const fn gives_handle(&self) -> bool {
        self.gives_handle
    }

    /// Whether its answer says how long its parameters are.
    pub(crate) const fn has_sessions(&self) -> bool {
        self.has_sessions
    }

    /// Fixed or variable properties from one on ([`crate::response::properties`]).
    #[must_use]
    pub fn properties(first: u32, count: u32) -> Self {
        Self::capability(CAP_PROPERTIES, first, count)
    }

    /// Handles from one on: NV indexes, keys ([`crate::response::handles`]).
    #[must_use]
    pub fn handles(first: u32, count: u32) -> Self {
        Self::capability(CAP_HANDLES, first, count)
    }

    fn capability(capability: u32, property: u32, count: u32) -> Self {
        let mut parameters = Writer::default();
        parameters.u32(capability).u32(property).u32(count);
        Self::with("TPM2_GetCapability", 0x17a, &[], 0, &parameters.0)
    }

    /// Derives the primary key of a template in the endorsement hierarchy
    /// ([`crate::response::primary`]). It stays until it is flushed.
    #[must_use]
    pub fn create_primary(template: &[u8]) -> Self {
        let mut parameters = Writer::default();
        // Empty password and data; no outside information, no PCRs.
        parameters.sized(&[0, 0, 0, 0]).sized(template);
        parameters.sized(&[]).u32(0);
        Self::with(
            "TPM2_CreatePrimary",
            0x131,
            &[ENDORSEMENT],
            1,
            &parameters.0,
        )
        .giving_handle()
    }

    /// Forgets a key that was derived or loaded.
    #[must_use]
    pub fn flush(handle: u32) -> Self {
        Self::with("TPM2_FlushContext", 0x165, &[], 0, &handle.to_be_bytes())
    }

    /// Hashes a text and gives a ticket that says so ([`crate::response::hashed`]).
    #[must_use]
    pub fn hash(text: &[u8]) -> Self {
        let mut parameters = Writer::default();
        parameters.sized(text).u16(ALG_SHA256).u32(ENDORSEMENT);
        Self::with("TPM2_Hash", 0x17d, &[], 0, &parameters.0)
    }

    /// Signs a digest with a ticket of [`Self::hash`], in the key's own scheme
    /// ([`crate::response::signature`]).
    #[must_use]
    pub fn sign(key: u32, digest: &[u8], ticket: &[u8]) -> Self {
        let mut parameters = Writer::default();
        parameters.sized(digest).u16(ALG_NULL).bytes(ticket);
        Self::with("TPM2_Sign", 0x15d, &[key], 1, &parameters.0)
    }

    /// Defines an index, as the owner.
    #[must_use]
    pub fn nv_define(public: &NvPublic) -> Self {
        let mut parameters = Writer::default();
        parameters.sized(&[]).sized(&public.bytes());
        Self::with("TPM2_NV_DefineSpace", 0x12a, &[OWNER], 1, &parameters.0)
    }

    /// The public area of an index ([`crate::response::nv_public`]).
    #[must_use]
    pub fn nv_read_public(index: u32) -> Self {
        Self::with("TPM2_NV_ReadPublic", 0x169, &[index], 0, &[])
    }

    /// Adds one to a counter.
    #[must_use]
    pub fn nv_increment(index: u32) -> Self {
        Self::with("TPM2_NV_Increment", 0x134, &[index, index], 1, &[])
    }

    /// A counter's value ([`crate::response::counter`]).
    #[must_use]
    pub fn nv_read_counter(index: u32) -> Self {
        let mut parameters = Writer::default();
        parameters.u16(COUNTER_BYTES).u16(0);
        Self::with("TPM2_NV_Read", 0x14e, &[index, index], 1, &parameters.0)
    }

    /// Has a counter's value attested over 32 bytes of whoever asks ([`crate::response::attested`]).
    #[must_use]
    pub fn nv_certify(key: u32, index: u32, qualifying: &[u8; 32]) -> Self {
        let mut parameters = Writer::default();
        parameters.sized(qualifying).u16(ALG_NULL);
        parameters.u16(COUNTER_BYTES).u16(0);
        let handles = [key, index, index];
        Self::with("TPM2_NV_Certify", 0x184, &handles, 2, &parameters.0)
    }

    /// Has PCRs attested over 32 bytes of whoever asks ([`crate::response::attested`]).
    #[must_use]
    pub fn quote(key: u32, qualifying: &[u8; 32], selection: &PcrSelection) -> Self {
        let mut parameters = Writer::default();
        parameters.sized(qualifying).u16(ALG_NULL);
        selection.write(&mut parameters);
        Self::with("TPM2_Quote", 0x158, &[key], 1, &parameters.0)
    }

    /// Reads PCRs, as many as fit ([`crate::response::pcrs`]).
    #[must_use]
    pub fn pcr_read(selection: &PcrSelection) -> Self {
        let mut parameters = Writer::default();
        selection.write(&mut parameters);
        Self::with("TPM2_PCR_Read", 0x17e, &[], 0, &parameters.0)
    }
}

/// Which PCRs of which banks (`TPML_PCR_SELECTION`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PcrSelection {
    /// Hash of the bank, and its PCRs as bits, the first in the lowest bit of the first byte.
    banks: Vec<(u16, Vec<u8>)>,
}

impl PcrSelection {
    /// PCRs of the SHA-256 bank; those from 24 on do not exist and are left out.
    #[must_use]
    pub fn sha256(pcrs: &[u8]) -> Self {
        let mut bits = [0u8; 3];
        for pcr in pcrs {
            if let Some(byte) = bits.get_mut(usize::from(pcr / 8)) {
                *byte |= 1 << (pcr % 8);
            }
        }
        Self {
            banks: Vec::from([(ALG_SHA256, bits.to_vec())]),
        }
    }

    /// The PCRs of the SHA-256 bank, where no other bank is selected.
    #[must_use]
    pub fn pcrs(&self) -> Option<Vec<u8>> {
        let mut pcrs = Vec::new();
        for (hash, bits) in &self.banks {
            let some = bits.iter().any(|byte| *byte != 0);
            if some && *hash != ALG_SHA256 {
                return None;
            }
            let all = (0u8..).zip(bits).flat_map(|(place, byte)| {
                (0..8u8)
                    .filter(move |bit| byte & (1 << bit) != 0)
                    .map(move |bit| place.saturating_mul(8).saturating_add(bit))
            });
            pcrs.extend(all);
        }
        Some(pcrs)
    }

    fn write(&self, out: &mut Writer) {
        out.u32(u32::try_from(self.banks.len()).unwrap_or(u32::MAX));
        for (hash, bits) in &self.banks {
            let length = u8::try_from(bits.len()).unwrap_or(u8::MAX);
            out.u16(*hash).u8(length).bytes(bits);
        }
    }

    pub(crate) fn read(of: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = of.count(BANKS_MAX)?;
        let mut banks = Vec::new();
        for _ in 0..count {
            let (hash, length) = (of.u16()?, usize::from(of.u8()?));
            if length > SELECT_BYTES_MAX {
                return Err(of.fault());
            }
            banks.push((hash, of.take(length)?.to_vec()));
        }
        Ok(Self { banks })
    }
}
