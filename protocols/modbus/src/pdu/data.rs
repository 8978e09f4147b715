//! The pieces requests and responses are made of; each can hold only what the protocol allows.

use super::PduError;
use crate::limits::{ADDRESSES, READ_BITS_MAX, READ_REGISTERS_MAX};
use crate::limits::{WRITE_BITS_MAX, WRITE_REGISTERS_MAX};
use alloc::vec::Vec;

/// A range of addresses: 1 to `MAX` items, none past address 65535.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span<const MAX: u16> {
    first: u16,
    count: u16,
}

impl<const MAX: u16> Span<MAX> {
    /// A checked range.
    ///
    /// # Errors
    /// `Quantity` before `AddressRange`, the order in which a server has to look.
    pub fn new(first: u16, count: u16) -> Result<Self, PduError> {
        if count == 0 || count > MAX {
            return Err(PduError::Quantity {
                found: usize::from(count),
                max: MAX,
            });
        }
        if u32::from(first) + u32::from(count) > ADDRESSES {
            return Err(PduError::AddressRange { first, count });
        }
        Ok(Self { first, count })
    }

    /// First address.
    #[must_use]
    pub const fn first(&self) -> u16 {
        self.first
    }

    /// Items from there on.
    #[must_use]
    pub const fn count(&self) -> u16 {
        self.count
    }

    /// The addresses, in order.
    pub fn addresses(&self) -> impl Iterator<Item = u16> + use<MAX> {
        (self.first..=u16::MAX).take(usize::from(self.count))
    }
}

/// Coils or discrete inputs as they travel: eight to a byte, first in the lowest bit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PackedBits(Vec<u8>);

impl PackedBits {
    /// Packs states.
    ///
    /// # Errors
    /// `Quantity` for none, or more than a read may carry.
    pub fn pack(states: &[bool]) -> Result<Self, PduError> {
        let max = READ_BITS_MAX;
        if states.is_empty() || states.len() > usize::from(max) {
            return Err(PduError::Quantity {
                found: states.len(),
                max,
            });
        }
        let pack_byte = |chunk: &[bool]| {
            chunk
                .iter()
                .rev()
                .fold(0_u8, |byte, on| byte << 1 | u8::from(*on))
        };
        Ok(Self(states.chunks(8).map(pack_byte).collect()))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, PduError> {
        let max = READ_BITS_MAX;
        if bytes.is_empty() || bytes.len() > usize::from(max / 8) {
            return Err(PduError::Quantity {
                found: bytes.len().saturating_mul(8),
                max,
            });
        }
        Ok(Self(bytes.to_vec()))
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The states, padding bits included: only the request tells how many were meant.
    pub fn states(&self) -> impl Iterator<Item = bool> + '_ {
        self.0
            .iter()
            .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1))
    }
}

/// Register contents, raw: big-endian byte pairs in register order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Registers(Vec<u8>);

impl Registers {
    /// From register values.
    ///
    /// # Errors
    /// `Quantity` for none, or more than a read may carry.
    pub fn from_values(values: &[u16]) -> Result<Self, PduError> {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_be_bytes())
            .collect();
        Self::from_bytes(&bytes)
    }

    /// From raw bytes.
    ///
    /// # Errors
    /// `OddBytes`, or `Quantity` for none, or more than a read may carry.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PduError> {
        if !bytes.len().is_multiple_of(2) {
            return Err(PduError::OddBytes { found: bytes.len() });
        }
        let (found, max) = (bytes.len() / 2, READ_REGISTERS_MAX);
        if found == 0 || found > usize::from(max) {
            return Err(PduError::Quantity { found, max });
        }
        Ok(Self(bytes.to_vec()))
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The registers as numbers.
    pub fn values(&self) -> impl Iterator<Item = u16> + '_ {
        self.0
            .as_chunks()
            .0
            .iter()
            .map(|pair: &[u8; 2]| u16::from_be_bytes(*pair))
    }
}

/// What function 15 writes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CoilWrite {
    span: Span<WRITE_BITS_MAX>,
    bits: PackedBits,
}

impl CoilWrite {
    /// Coils from `first` on.
    ///
    /// # Errors
    /// As [`Span::new`].
    pub fn new(first: u16, states: &[bool]) -> Result<Self, PduError> {
        let count = quantity(states.len(), WRITE_BITS_MAX)?;
        Ok(Self {
            span: Span::new(first, count)?,
            bits: PackedBits::pack(states)?,
        })
    }

    /// The coils written.
    #[must_use]
    pub const fn span(&self) -> Span<WRITE_BITS_MAX> {
        self.span
    }

    /// Their states, packed; padding is zero.
    #[must_use]
    pub const fn bits(&self) -> &PackedBits {
        &self.bits
    }

    /// Their states, exactly as many as written.
    pub fn states(&self) -> impl Iterator<Item = bool> + '_ {
        self.bits.states().take(usize::from(self.span.count()))
    }
}

/// What function 16 writes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RegisterWrite {
    span: Span<WRITE_REGISTERS_MAX>,
    registers: Registers,
}

impl RegisterWrite {
    /// Registers from `first` on.
    ///
    /// # Errors
    /// As [`Span::new`].
    pub fn new(first: u16, registers: Registers) -> Result<Self, PduError> {
        let count = quantity(registers.as_bytes().len() / 2, WRITE_REGISTERS_MAX)?;
        Ok(Self {
            span: Span::new(first, count)?,
            registers,
        })
    }

    /// The registers written.
    #[must_use]
    pub const fn span(&self) -> Span<WRITE_REGISTERS_MAX> {
        self.span
    }

    /// Their contents.
    #[must_use]
    pub const fn registers(&self) -> &Registers {
        &self.registers
    }
}

fn quantity(found: usize, max: u16) -> Result<u16, PduError> {
    u16::try_from(found).map_err(|_| PduError::Quantity { found, max })
}
