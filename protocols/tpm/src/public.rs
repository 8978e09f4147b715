//! Public areas of keys and of NV indexes, and what their attributes forbid.

use crate::wire::{Malformed, Reader, Writer};
use alloc::vec::Vec;

/// SHA-256 as a name and signature hash (`TPM_ALG_SHA256`).
pub const ALG_SHA256: u16 = 0x000b;
/// No algorithm (`TPM_ALG_NULL`).
pub const ALG_NULL: u16 = 0x0010;
/// ECDSA (`TPM_ALG_ECDSA`).
pub const ALG_ECDSA: u16 = 0x0018;
pub(crate) const ALG_ECC: u16 = 0x0023;
pub(crate) const CURVE_P256: u16 = 0x0003;

/// `fixedTPM`: it cannot be duplicated.
pub(crate) const FIXED_TPM: u32 = 1 << 1;
/// `fixedParent`: nor moved below another parent.
pub(crate) const FIXED_PARENT: u32 = 1 << 4;
/// `sensitiveDataOrigin`: the TPM made it.
pub(crate) const SENSITIVE_DATA_ORIGIN: u32 = 1 << 5;
/// `userWithAuth`: an empty password uses it.
const USER_WITH_AUTH: u32 = 1 << 6;
/// `noDA`: a lock-out does not touch it.
const NO_DA: u32 = 1 << 10;
/// `restricted`: it signs digests of the TPM's own making only.
pub(crate) const RESTRICTED: u32 = 1 << 16;
/// `sign`.
const SIGN: u32 = 1 << 18;
/// What the authority key must be.
const AUTHORITY: u32 =
    FIXED_TPM | FIXED_PARENT | SENSITIVE_DATA_ORIGIN | USER_WITH_AUTH | NO_DA | RESTRICTED | SIGN;

/// The public area of a key on P-256 that signs (`TPMT_PUBLIC`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPublic {
    attributes: u32,
    bytes: Vec<u8>,
    x: [u8; 32],
    y: [u8; 32],
}

impl KeyPublic {
    /// The template of the authority key: what a TPM derives the key from, with its own seed. The
    /// random bytes make it a key of its own.
    #[must_use]
    pub fn authority_template(random: &[u8; 32]) -> Vec<u8> {
        let mut out = Writer::default();
        out.u16(ALG_ECC).u16(ALG_SHA256).u32(AUTHORITY).sized(&[]);
        // No symmetric part, ECDSA over SHA-256, no key derivation.
        out.u16(ALG_NULL).u16(ALG_ECDSA).u16(ALG_SHA256);
        out.u16(CURVE_P256).u16(ALG_NULL);
        out.sized(random).sized(&[]);
        out.0
    }

    /// Reads a public area; only what [`Self::authority_template`] may have led to in form.
    ///
    /// # Errors
    /// Where it is another kind of key.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut of = Reader::new("P-256 signing key", bytes);
        let (kind, hash, attributes) = (of.u16()?, of.u16()?, of.u32()?);
        let policy = of.sized()?;
        let form = [of.u16()?, of.u16()?, of.u16()?, of.u16()?, of.u16()?];
        let right = [ALG_NULL, ALG_ECDSA, ALG_SHA256, CURVE_P256, ALG_NULL];
        if (kind, hash, form) != (ALG_ECC, ALG_SHA256, right) || !policy.is_empty() {
            return Err(of.fault());
        }
        let fault = of.fault();
        let [x, y] = [of.sized()?, of.sized()?].map(padded);
        of.finish()?;
        Ok(Self {
            attributes,
            bytes: bytes.to_vec(),
            x: x.ok_or(fault)?,
            y: y.ok_or(fault)?,
        })
    }

    /// As a TPM hashes it for its name.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The point, uncompressed (SEC 1).
    #[must_use]
    pub fn point(&self) -> [u8; 65] {
        let mut point = [4; 65];
        let coordinates = self.x.iter().chain(&self.y);
        for (to, from) in point.iter_mut().skip(1).zip(coordinates) {
            *to = *from;
        }
        point
    }

    /// Whether it was made in its TPM, can never leave it, and signs nothing but what the TPM itself
    /// made or hashed.
    #[must_use]
    pub const fn is_authority(&self) -> bool {
        self.attributes == AUTHORITY
    }
}

/// A number of at most 32 bytes, filled up in front.
pub(crate) fn padded(number: &[u8]) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    let start = out.len().checked_sub(number.len())?;
    out.get_mut(start..)?.copy_from_slice(number);
    Some(out)
}

const NV_AUTH_WRITE: u32 = 1 << 2;
const NV_AUTH_READ: u32 = 1 << 18;
const NV_NO_DA: u32 = 1 << 25;
const NV_ORDERLY: u32 = 1 << 26;
const NV_WRITTEN: u32 = 1 << 29;
/// The type of the index, of which 1 is a counter.
const NV_TYPE: u32 = 0xf0;
const NV_COUNTER: u32 = 0x10;

/// The public area of an NV index (`TPMS_NV_PUBLIC`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NvPublic {
    /// The index.
    pub index: u32,
    attributes: u32,
    policy: Vec<u8>,
    data_bytes: u16,
}

impl NvPublic {
    /// A counter at this index: empty authorisation, no lock-out; `orderly` is one that mostly lives in
    /// memory and spares the flash.
    #[must_use]
    pub const fn counter(index: u32, orderly: bool) -> Self {
        let common = NV_COUNTER | NV_AUTH_WRITE | NV_AUTH_READ | NV_NO_DA;
        Self {
            index,
            attributes: if orderly { common | NV_ORDERLY } else { common },
            policy: Vec::new(),
            data_bytes: crate::limits::COUNTER_BYTES,
        }
    }

    /// A counter like it that bears a mark by which it is found again: the mark is a policy, and nothing about the index is ruled by
    /// policy.
    #[must_use]
    pub fn marked_counter(index: u32, mark: &[u8; 32]) -> Self {
        Self {
            policy: mark.to_vec(),
            ..Self::counter(index, false)
        }
    }

    /// Reads a public area.
    ///
    /// # Errors
    /// Where it is none, or one whose name is no SHA-256.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut of = Reader::new("public area of an NV index", bytes);
        let (index, hash, attributes) = (of.u32()?, of.u16()?, of.u32()?);
        if hash != ALG_SHA256 {
            return Err(of.fault());
        }
        let policy = of.sized()?.to_vec();
        let data_bytes = of.u16()?;
        of.finish()?;
        Ok(Self {
            index,
            attributes,
            policy,
            data_bytes,
        })
    }

    /// As a TPM hashes it for its name.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u32(self.index).u16(ALG_SHA256).u32(self.attributes);
        out.sized(&self.policy).u16(self.data_bytes);
        out.0
    }

    /// Whether it is a counter as [`Self::counter`] makes it: only incremented, by whoever may use the TPM.
    #[must_use]
    pub fn is_counter(&self, orderly: bool) -> bool {
        let right = Self::counter(self.index, orderly);
        self.attributes & !NV_WRITTEN == right.attributes
            && self.policy.is_empty()
            && self.data_bytes == right.data_bytes
    }

    /// Whether it is one as [`Self::marked_counter`] makes it, whatever the mark.
    #[must_use]
    pub fn is_marked_counter(&self) -> bool {
        let right = Self::counter(self.index, false);
        self.attributes & !NV_WRITTEN == right.attributes
            && self.policy.len() == 32
            && self.data_bytes == right.data_bytes
    }

    /// Whether it bears this mark.
    #[must_use]
    pub fn bears(&self, mark: &[u8; 32]) -> bool {
        self.policy == mark
    }

    /// How many bytes it holds.
    #[must_use]
    pub const fn data_bytes(&self) -> u16 {
        self.data_bytes
    }

    /// Whether its type is that of a counter, whatever else it allows.
    #[must_use]
    pub const fn counts(&self) -> bool {
        self.attributes & NV_TYPE == NV_COUNTER
    }

    /// Whether it was ever incremented.
    #[must_use]
    pub const fn is_written(&self) -> bool {
        self.attributes & NV_WRITTEN != 0
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyPublic, NvPublic, padded};

    #[test]
    fn the_template_reads_back_as_an_authority_and_no_other_attribute_does() {
        let template = KeyPublic::authority_template(&[7; 32]);
        let key = KeyPublic::parse(&template).unwrap();
        assert!(key.is_authority());
        assert_eq!(key.point()[..2], [4, 7]);
        assert_eq!(key.bytes(), template);
        for bit in 0..32 {
            let mut other = template.clone();
            other[4 + bit / 8] ^= 0x80 >> (bit % 8);
            assert!(!KeyPublic::parse(&other).unwrap().is_authority(), "{bit}");
        }
        for cut in 0..template.len() {
            assert!(KeyPublic::parse(&template[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn a_counter_is_told_from_every_other_index() {
        for orderly in [false, true] {
            let counter = NvPublic::counter(0x0150_0010, orderly);
            let bytes = counter.bytes();
            assert_eq!(NvPublic::parse(&bytes).as_ref(), Ok(&counter));
            assert!(counter.is_counter(orderly) && counter.counts());
            assert!(!counter.is_counter(!orderly) && !counter.is_written());
            for bit in 0..32 {
                let mut other = bytes.clone();
                other[6 + bit / 8] ^= 0x80 >> (bit % 8);
                let other = NvPublic::parse(&other).unwrap();
                // Bit 29 is set by the first increment.
                assert_eq!(other.is_counter(orderly), bit == 2, "{bit}");
                assert_eq!(other.is_written(), bit == 2, "{bit}");
            }
        }
    }

    #[test]
    fn a_marked_counter_is_told_from_every_other_index_and_from_other_marks() {
        let marked = NvPublic::marked_counter(0x0180_0102, &[9; 32]);
        let bytes = marked.bytes();
        assert_eq!(NvPublic::parse(&bytes).as_ref(), Ok(&marked));
        assert!(marked.is_marked_counter() && marked.counts() && marked.bears(&[9; 32]));
        assert!(!marked.is_counter(false) && !marked.bears(&[8; 32]));
        assert!(!NvPublic::counter(0x0180_0102, false).is_marked_counter());
        for bit in 0..32 {
            let mut other = bytes.clone();
            other[6 + bit / 8] ^= 0x80 >> (bit % 8);
            let other = NvPublic::parse(&other).unwrap();
            assert_eq!(other.is_marked_counter(), bit == 2, "{bit}");
        }
    }

    #[test]
    fn numbers_are_filled_up_in_front() {
        assert_eq!(padded(&[1, 2]).unwrap()[29..], [0, 1, 2]);
        assert_eq!(padded(&[]), Some([0; 32]));
        assert_eq!(padded(&[0; 33]), None);
    }
}
