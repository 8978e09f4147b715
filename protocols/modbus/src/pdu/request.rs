//! Requests: what a client sends and a server must understand.

use super::{CoilWrite, Function, PduError, RegisterWrite, Registers, Span};
use crate::limits::{READ_BITS_MAX, READ_REGISTERS_MAX, WRITE_BITS_MAX, WRITE_REGISTERS_MAX};
use alloc::vec::Vec;

/// Coils or discrete inputs one request may read.
pub type BitSpan = Span<READ_BITS_MAX>;
/// Registers one request may read.
pub type RegisterSpan = Span<READ_REGISTERS_MAX>;

const COIL_ON: u16 = 0xFF00;
const COIL_OFF: u16 = 0x0000;
/// Function, address, and a quantity or value.
const SHORT_PDU_BYTES: usize = 5;
/// Function, address, quantity, byte count; then data.
const WRITE_HEADER_BYTES: usize = 6;

/// A request that keeps every limit of the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// 01.
    ReadCoils(BitSpan),
    /// 02.
    ReadDiscreteInputs(BitSpan),
    /// 03.
    ReadHoldingRegisters(RegisterSpan),
    /// 04.
    ReadInputRegisters(RegisterSpan),
    /// 05.
    WriteSingleCoil {
        /// Which coil.
        address: u16,
        /// On or off.
        on: bool,
    },
    /// 06.
    WriteSingleRegister {
        /// Which register.
        address: u16,
        /// Its new content.
        value: u16,
    },
    /// 15.
    WriteMultipleCoils(CoilWrite),
    /// 16.
    WriteMultipleRegisters(RegisterWrite),
}

impl Request {
    /// The function asked for.
    #[must_use]
    pub const fn function(&self) -> Function {
        match self {
            Self::ReadCoils(_) => Function::ReadCoils,
            Self::ReadDiscreteInputs(_) => Function::ReadDiscreteInputs,
            Self::ReadHoldingRegisters(_) => Function::ReadHoldingRegisters,
            Self::ReadInputRegisters(_) => Function::ReadInputRegisters,
            Self::WriteSingleCoil { .. } => Function::WriteSingleCoil,
            Self::WriteSingleRegister { .. } => Function::WriteSingleRegister,
            Self::WriteMultipleCoils(_) => Function::WriteMultipleCoils,
            Self::WriteMultipleRegisters(_) => Function::WriteMultipleRegisters,
        }
    }

    /// First address touched.
    #[must_use]
    pub const fn first(&self) -> u16 {
        match self {
            Self::ReadCoils(span) | Self::ReadDiscreteInputs(span) => span.first(),
            Self::ReadHoldingRegisters(span) | Self::ReadInputRegisters(span) => span.first(),
            Self::WriteSingleCoil { address, .. } | Self::WriteSingleRegister { address, .. } => {
                *address
            }
            Self::WriteMultipleCoils(write) => write.span().first(),
            Self::WriteMultipleRegisters(write) => write.span().first(),
        }
    }

    /// Items touched from there on.
    #[must_use]
    pub const fn count(&self) -> u16 {
        match self {
            Self::ReadCoils(span) | Self::ReadDiscreteInputs(span) => span.count(),
            Self::ReadHoldingRegisters(span) | Self::ReadInputRegisters(span) => span.count(),
            Self::WriteSingleCoil { .. } | Self::WriteSingleRegister { .. } => 1,
            Self::WriteMultipleCoils(write) => write.span().count(),
            Self::WriteMultipleRegisters(write) => write.span().count(),
        }
    }

    /// The PDU.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let value = match self {
            Self::WriteSingleCoil { on: true, .. } => COIL_ON,
            Self::WriteSingleCoil { on: false, .. } => COIL_OFF,
            Self::WriteSingleRegister { value, .. } => *value,
            Self::ReadCoils(_)
            | Self::ReadDiscreteInputs(_)
            | Self::ReadHoldingRegisters(_)
            | Self::ReadInputRegisters(_)
            | Self::WriteMultipleCoils(_)
            | Self::WriteMultipleRegisters(_) => self.count(),
        };
        let data = match self {
            Self::WriteMultipleCoils(write) => write.bits().as_bytes(),
            Self::WriteMultipleRegisters(write) => write.registers().as_bytes(),
            Self::ReadCoils(_)
            | Self::ReadDiscreteInputs(_)
            | Self::ReadHoldingRegisters(_)
            | Self::ReadInputRegisters(_)
            | Self::WriteSingleCoil { .. }
            | Self::WriteSingleRegister { .. } => &[],
        };
        let mut pdu = Vec::with_capacity(WRITE_HEADER_BYTES + data.len());
        pdu.push(self.function().code());
        pdu.extend_from_slice(&self.first().to_be_bytes());
        pdu.extend_from_slice(&value.to_be_bytes());
        if !data.is_empty() {
            pdu.push(u8::try_from(data.len()).expect("a write carries at most 246 bytes"));
            pdu.extend_from_slice(data);
        }
        pdu
    }

    /// The request in a PDU, to the last byte.
    ///
    /// # Errors
    /// Whatever breaks the protocol; [`PduError::exception`] is the server's answer to it.
    pub fn decode(pdu: &[u8]) -> Result<Self, PduError> {
        let (&code, body) = pdu.split_first().ok_or(PduError::Empty)?;
        let function = Function::from_code(code).ok_or(PduError::UnknownFunction { code })?;
        let short = PduError::Length {
            code,
            expected: SHORT_PDU_BYTES,
            found: pdu.len(),
        };
        let (&[a, b, c, d], data) = body.split_first_chunk::<4>().ok_or(short)?;
        let (first, second) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let is_write = matches!(
            function,
            Function::WriteMultipleCoils | Function::WriteMultipleRegisters
        );
        if !is_write && !data.is_empty() {
            return Err(short);
        }
        match function {
            Function::ReadCoils => Ok(Self::ReadCoils(Span::new(first, second)?)),
            Function::ReadDiscreteInputs => Ok(Self::ReadDiscreteInputs(Span::new(first, second)?)),
            Function::ReadHoldingRegisters => {
                Ok(Self::ReadHoldingRegisters(Span::new(first, second)?))
            }
            Function::ReadInputRegisters => Ok(Self::ReadInputRegisters(Span::new(first, second)?)),
            Function::WriteSingleCoil => match second {
                COIL_ON => Ok(Self::WriteSingleCoil {
                    address: first,
                    on: true,
                }),
                COIL_OFF => Ok(Self::WriteSingleCoil {
                    address: first,
                    on: false,
                }),
                found => Err(PduError::CoilValue { found }),
            },
            Function::WriteSingleRegister => Ok(Self::WriteSingleRegister {
                address: first,
                value: second,
            }),
            Function::WriteMultipleCoils => decode_coils(first, second, data, pdu.len()),
            Function::WriteMultipleRegisters => decode_registers(first, second, data, pdu.len()),
        }
    }

    /// Bytes the PDU of the normal response has; an exception's has two.
    #[must_use]
    pub fn reply_pdu_bytes(&self) -> usize {
        match self {
            Self::ReadCoils(span) | Self::ReadDiscreteInputs(span) => {
                2 + usize::from(span.count()).div_ceil(8)
            }
            Self::ReadHoldingRegisters(span) | Self::ReadInputRegisters(span) => {
                2 + usize::from(span.count()) * 2
            }
            Self::WriteSingleCoil { .. }
            | Self::WriteSingleRegister { .. }
            | Self::WriteMultipleCoils(_)
            | Self::WriteMultipleRegisters(_) => SHORT_PDU_BYTES,
        }
    }
}

/// The data after a byte count that must say what the quantity says.
fn counted(code: u8, expected: usize, data: &[u8], found: usize) -> Result<&[u8], PduError> {
    let length = PduError::Length {
        code,
        expected: WRITE_HEADER_BYTES + expected,
        found,
    };
    let (&byte_count, data) = data.split_first().ok_or(length)?;
    if usize::from(byte_count) != expected {
        return Err(PduError::ByteCount {
            expected,
            found: usize::from(byte_count),
        });
    }
    if data.len() != expected {
        return Err(length);
    }
    Ok(data)
}

fn decode_coils(first: u16, count: u16, data: &[u8], found: usize) -> Result<Request, PduError> {
    let span = Span::<WRITE_BITS_MAX>::new(first, count);
    // The quantity bounds the byte count, so it is looked at before the data, the range after them.
    if let Err(error @ PduError::Quantity { .. }) = span {
        return Err(error);
    }
    let expected = usize::from(count).div_ceil(8);
    let data = counted(Function::WriteMultipleCoils.code(), expected, data, found)?;
    let states: Vec<bool> = super::PackedBits::from_bytes(data)?
        .states()
        .take(usize::from(count))
        .collect();
    Ok(Request::WriteMultipleCoils(CoilWrite::new(first, &states)?))
}

fn decode_registers(
    first: u16,
    count: u16,
    data: &[u8],
    found: usize,
) -> Result<Request, PduError> {
    let span = Span::<WRITE_REGISTERS_MAX>::new(first, count);
    if let Err(error @ PduError::Quantity { .. }) = span {
        return Err(error);
    }
    let expected = usize::from(count) * 2;
    let data = counted(
        Function::WriteMultipleRegisters.code(),
        expected,
        data,
        found,
    )?;
    let write = RegisterWrite::new(first, Registers::from_bytes(data)?)?;
    Ok(Request::WriteMultipleRegisters(write))
}
