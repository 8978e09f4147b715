//! Responses: what a server sends and a client must understand.

use super::{EXCEPTION_BIT, ExceptionCode, Function, PackedBits, PduError, Registers};
use super::{Request, Span};
use crate::limits::{WRITE_BITS_MAX, WRITE_REGISTERS_MAX};
use alloc::vec::Vec;

/// A response. Whether it answers a given request is [`crate::transaction`]'s question.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Response {
    /// 01.
    ReadCoils(PackedBits),
    /// 02.
    ReadDiscreteInputs(PackedBits),
    /// 03.
    ReadHoldingRegisters(Registers),
    /// 04.
    ReadInputRegisters(Registers),
    /// 05: the request, echoed.
    WriteSingleCoil {
        /// Which coil.
        address: u16,
        /// On or off.
        on: bool,
    },
    /// 06: the request, echoed.
    WriteSingleRegister {
        /// Which register.
        address: u16,
        /// Its new content.
        value: u16,
    },
    /// 15: the range written.
    WriteMultipleCoils(Span<WRITE_BITS_MAX>),
    /// 16: the range written.
    WriteMultipleRegisters(Span<WRITE_REGISTERS_MAX>),
    /// A refusal.
    Exception {
        /// The function refused: the code without its exception bit, known to this crate or not.
        function: u8,
        /// Why.
        code: ExceptionCode,
    },
}

impl Response {
    /// The function code on the wire, exception bit included.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::ReadCoils(_) => Function::ReadCoils.code(),
            Self::ReadDiscreteInputs(_) => Function::ReadDiscreteInputs.code(),
            Self::ReadHoldingRegisters(_) => Function::ReadHoldingRegisters.code(),
            Self::ReadInputRegisters(_) => Function::ReadInputRegisters.code(),
            Self::WriteSingleCoil { .. } => Function::WriteSingleCoil.code(),
            Self::WriteSingleRegister { .. } => Function::WriteSingleRegister.code(),
            Self::WriteMultipleCoils(_) => Function::WriteMultipleCoils.code(),
            Self::WriteMultipleRegisters(_) => Function::WriteMultipleRegisters.code(),
            Self::Exception { function, .. } => *function | EXCEPTION_BIT,
        }
    }

    /// The registers of a read of registers.
    #[must_use]
    pub const fn registers(&self) -> Option<&Registers> {
        match self {
            Self::ReadHoldingRegisters(registers) | Self::ReadInputRegisters(registers) => {
                Some(registers)
            }
            Self::ReadCoils(_)
            | Self::ReadDiscreteInputs(_)
            | Self::WriteSingleCoil { .. }
            | Self::WriteSingleRegister { .. }
            | Self::WriteMultipleCoils(_)
            | Self::WriteMultipleRegisters(_)
            | Self::Exception { .. } => None,
        }
    }

    /// The PDU.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::ReadCoils(bits) | Self::ReadDiscreteInputs(bits) => {
                counted(self.code(), bits.as_bytes())
            }
            Self::ReadHoldingRegisters(registers) | Self::ReadInputRegisters(registers) => {
                counted(self.code(), registers.as_bytes())
            }
            Self::WriteSingleCoil { address, on } => Request::WriteSingleCoil {
                address: *address,
                on: *on,
            }
            .encode(),
            Self::WriteSingleRegister { address, value } => Request::WriteSingleRegister {
                address: *address,
                value: *value,
            }
            .encode(),
            Self::WriteMultipleCoils(span) => echo(self.code(), span.first(), span.count()),
            Self::WriteMultipleRegisters(span) => echo(self.code(), span.first(), span.count()),
            Self::Exception { code, .. } => Vec::from([self.code(), code.code()]),
        }
    }

    /// The response in a PDU, to the last byte.
    ///
    /// # Errors
    /// Whatever breaks the protocol.
    pub fn decode(pdu: &[u8]) -> Result<Self, PduError> {
        let (&code, body) = pdu.split_first().ok_or(PduError::Empty)?;
        if code & EXCEPTION_BIT != 0 {
            let &[exception] = body else {
                return Err(PduError::Length {
                    code,
                    expected: 2,
                    found: pdu.len(),
                });
            };
            let function = code & !EXCEPTION_BIT;
            return Ok(Self::Exception {
                function,
                code: ExceptionCode::from_code(exception),
            });
        }
        let function = Function::from_code(code).ok_or(PduError::UnknownFunction { code })?;
        match function {
            Function::ReadCoils => Ok(Self::ReadCoils(PackedBits::from_bytes(uncount(
                code, body,
            )?)?)),
            Function::ReadDiscreteInputs => Ok(Self::ReadDiscreteInputs(PackedBits::from_bytes(
                uncount(code, body)?,
            )?)),
            Function::ReadHoldingRegisters => Ok(Self::ReadHoldingRegisters(
                Registers::from_bytes(uncount(code, body)?)?,
            )),
            Function::ReadInputRegisters => Ok(Self::ReadInputRegisters(Registers::from_bytes(
                uncount(code, body)?,
            )?)),
            Function::WriteSingleCoil | Function::WriteSingleRegister => {
                Request::decode(pdu).and_then(Self::echoed)
            }
            Function::WriteMultipleCoils => {
                let (first, count) = unecho(code, body)?;
                Ok(Self::WriteMultipleCoils(Span::new(first, count)?))
            }
            Function::WriteMultipleRegisters => {
                let (first, count) = unecho(code, body)?;
                Ok(Self::WriteMultipleRegisters(Span::new(first, count)?))
            }
        }
    }

    /// The response to a write of one item is the request itself.
    fn echoed(request: Request) -> Result<Self, PduError> {
        match request {
            Request::WriteSingleCoil { address, on } => Ok(Self::WriteSingleCoil { address, on }),
            Request::WriteSingleRegister { address, value } => {
                Ok(Self::WriteSingleRegister { address, value })
            }
            Request::ReadCoils(_)
            | Request::ReadDiscreteInputs(_)
            | Request::ReadHoldingRegisters(_)
            | Request::ReadInputRegisters(_)
            | Request::WriteMultipleCoils(_)
            | Request::WriteMultipleRegisters(_) => Err(PduError::UnknownFunction {
                code: request.function().code(),
            }),
        }
    }
}

fn counted(code: u8, data: &[u8]) -> Vec<u8> {
    let count = u8::try_from(data.len()).expect("a response carries at most 250 bytes");
    let mut pdu = Vec::with_capacity(2 + data.len());
    pdu.extend_from_slice(&[code, count]);
    pdu.extend_from_slice(data);
    pdu
}

fn uncount(code: u8, body: &[u8]) -> Result<&[u8], PduError> {
    let found = body.len() + 1;
    let (&count, data) = body.split_first().ok_or(PduError::Length {
        code,
        expected: 2,
        found,
    })?;
    if data.len() != usize::from(count) {
        return Err(PduError::Length {
            code,
            expected: usize::from(count) + 2,
            found,
        });
    }
    Ok(data)
}

fn echo(code: u8, first: u16, count: u16) -> Vec<u8> {
    let mut pdu = Vec::from([code]);
    pdu.extend_from_slice(&first.to_be_bytes());
    pdu.extend_from_slice(&count.to_be_bytes());
    pdu
}

fn unecho(code: u8, body: &[u8]) -> Result<(u16, u16), PduError> {
    let &[a, b, c, d] = body else {
        return Err(PduError::Length {
            code,
            expected: 5,
            found: body.len() + 1,
        });
    };
    Ok((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}
