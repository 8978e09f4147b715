//! The server side: from a request and a register bank to the response.

use crate::pdu::{ExceptionCode, PackedBits, Registers, Request, Response};
use alloc::vec::Vec;

/// The two tables of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitTable {
    /// Read and write.
    Coils,
    /// Read only.
    DiscreteInputs,
}

/// The two tables of registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterTable {
    /// Read and write.
    Holding,
    /// Read only.
    Input,
}

/// What a server serves. Whatever is not provided is refused as an illegal function.
///
/// A range is served whole or refused whole; a read returns exactly `count` items.
pub trait Bank {
    /// `count` bits from `first` on.
    ///
    /// # Errors
    /// The exception to answer with.
    fn read_bits(
        &mut self,
        table: BitTable,
        first: u16,
        count: u16,
    ) -> Result<Vec<bool>, ExceptionCode> {
        let _ = (table, first, count);
        Err(ExceptionCode::IllegalFunction)
    }

    /// `count` registers from `first` on.
    ///
    /// # Errors
    /// The exception to answer with.
    fn read_registers(
        &mut self,
        table: RegisterTable,
        first: u16,
        count: u16,
    ) -> Result<Vec<u16>, ExceptionCode> {
        let _ = (table, first, count);
        Err(ExceptionCode::IllegalFunction)
    }

    /// Coils from `first` on take these states.
    ///
    /// # Errors
    /// The exception to answer with.
    fn write_coils(&mut self, first: u16, states: &[bool]) -> Result<(), ExceptionCode> {
        let _ = (first, states);
        Err(ExceptionCode::IllegalFunction)
    }

    /// Holding registers from `first` on take these values.
    ///
    /// # Errors
    /// The exception to answer with.
    fn write_registers(&mut self, first: u16, values: &[u16]) -> Result<(), ExceptionCode> {
        let _ = (first, values);
        Err(ExceptionCode::IllegalFunction)
    }
}

/// The response to a request.
pub fn answer(request: &Request, bank: &mut impl Bank) -> Response {
    try_answer(request, bank).unwrap_or_else(|code| Response::Exception {
        function: request.function().code(),
        code,
    })
}

/// The response to a PDU; `None` where there is nothing to answer under.
pub fn serve(pdu: &[u8], bank: &mut impl Bank) -> Option<Response> {
    match Request::decode(pdu) {
        Ok(request) => Some(answer(&request, bank)),
        Err(error) => {
            let function = *pdu.first()?;
            error
                .exception()
                .map(|code| Response::Exception { function, code })
        }
    }
}

fn try_answer(request: &Request, bank: &mut impl Bank) -> Result<Response, ExceptionCode> {
    let (first, count) = (request.first(), request.count());
    match request {
        Request::ReadCoils(_) => {
            read_bits(bank, BitTable::Coils, first, count).map(Response::ReadCoils)
        }
        Request::ReadDiscreteInputs(_) => read_bits(bank, BitTable::DiscreteInputs, first, count)
            .map(Response::ReadDiscreteInputs),
        Request::ReadHoldingRegisters(_) => {
            read_registers(bank, RegisterTable::Holding, first, count)
                .map(Response::ReadHoldingRegisters)
        }
        Request::ReadInputRegisters(_) => read_registers(bank, RegisterTable::Input, first, count)
            .map(Response::ReadInputRegisters),
        Request::WriteSingleCoil { address, on } => {
            bank.write_coils(*address, &[*on])?;
            Ok(Response::WriteSingleCoil {
                address: *address,
                on: *on,
            })
        }
        Request::WriteSingleRegister { address, value } => {
            bank.write_registers(*address, &[*value])?;
            Ok(Response::WriteSingleRegister {
                address: *address,
                value: *value,
            })
        }
        Request::WriteMultipleCoils(write) => {
            bank.write_coils(first, &write.states().collect::<Vec<_>>())?;
            Ok(Response::WriteMultipleCoils(write.span()))
        }
        Request::WriteMultipleRegisters(write) => {
            bank.write_registers(first, &write.registers().values().collect::<Vec<_>>())?;
            Ok(Response::WriteMultipleRegisters(write.span()))
        }
    }
}

fn read_bits(
    bank: &mut impl Bank,
    table: BitTable,
    first: u16,
    count: u16,
) -> Result<PackedBits, ExceptionCode> {
    let states = bank.read_bits(table, first, count)?;
    whole(states.len(), count)?;
    PackedBits::pack(&states).map_err(|_| ExceptionCode::ServerDeviceFailure)
}

fn read_registers(
    bank: &mut impl Bank,
    table: RegisterTable,
    first: u16,
    count: u16,
) -> Result<Registers, ExceptionCode> {
    let values = bank.read_registers(table, first, count)?;
    whole(values.len(), count)?;
    Registers::from_values(&values).map_err(|_| ExceptionCode::ServerDeviceFailure)
}

/// A bank that returns another amount than asked for is broken; the client must not see its data.
fn whole(found: usize, count: u16) -> Result<(), ExceptionCode> {
    if found == usize::from(count) {
        Ok(())
    } else {
        Err(ExceptionCode::ServerDeviceFailure)
    }
}
