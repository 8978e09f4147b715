//! What can be wrong with a PDU, and what a server answers to it.

use super::{EXCEPTION_BIT, ExceptionCode, Function};
use crate::limits;
use core::fmt;

/// A PDU, or a request about to become one, that breaks the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PduError {
    /// No function code at all.
    Empty,
    /// A function code this crate does not speak.
    UnknownFunction {
        /// The code as it came.
        code: u8,
    },
    /// More or fewer bytes than the function calls for.
    Length {
        /// The function code as it came, exception bit included.
        code: u8,
        /// Bytes the PDU should have.
        expected: usize,
        /// Bytes it has.
        found: usize,
    },
    /// None, or more items than one request may name.
    Quantity {
        /// Items named.
        found: usize,
        /// Most that may be named.
        max: u16,
    },
    /// The range runs past address 65535.
    AddressRange {
        /// First address.
        first: u16,
        /// Items from there on.
        count: u16,
    },
    /// The byte count does not fit the quantity beside it.
    ByteCount {
        /// Bytes the quantity calls for.
        expected: usize,
        /// Bytes announced.
        found: usize,
    },
    /// Register data come in pairs of bytes.
    OddBytes {
        /// Bytes found.
        found: usize,
    },
    /// A single coil is written with FF00 (on) or 0000 (off).
    CoilValue {
        /// The value as it came.
        found: u16,
    },
}

impl PduError {
    /// What a server answers; `None` where there is no function code to answer under.
    #[must_use]
    pub const fn exception(&self) -> Option<ExceptionCode> {
        match *self {
            Self::Empty => None,
            Self::UnknownFunction { code } if code & EXCEPTION_BIT != 0 => None,
            Self::UnknownFunction { .. } => Some(ExceptionCode::IllegalFunction),
            Self::AddressRange { .. } => Some(ExceptionCode::IllegalDataAddress),
            Self::Length { .. }
            | Self::Quantity { .. }
            | Self::ByteCount { .. }
            | Self::OddBytes { .. }
            | Self::CoilValue { .. } => Some(ExceptionCode::IllegalDataValue),
        }
    }
}

impl fmt::Display for PduError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => write!(f, "the PDU is empty; it starts with a function code"),
            Self::UnknownFunction { code } => {
                write!(f, "function code {code} is not one of")?;
                for function in Function::ALL {
                    write!(f, " {}", function.code())?;
                }
                Ok(())
            }
            Self::Length {
                code,
                expected,
                found,
            } => {
                write!(
                    f,
                    "a PDU of function {code} has {found} bytes where {expected} are due"
                )
            }
            Self::Quantity { found, max } => {
                write!(f, "{found} items in one request; 1 to {max} are allowed")
            }
            Self::AddressRange { first, count } => write!(
                f,
                "{count} items from address {first} run past the last address, {}",
                limits::ADDRESSES - 1
            ),
            Self::ByteCount { expected, found } => {
                write!(
                    f,
                    "byte count {found} where the quantity calls for {expected}"
                )
            }
            Self::OddBytes { found } => {
                write!(
                    f,
                    "{found} bytes of register data; registers take two bytes each"
                )
            }
            Self::CoilValue { found } => {
                write!(f, "coil value {found:04X}; FF00 is on and 0000 is off")
            }
        }
    }
}

impl core::error::Error for PduError {}
