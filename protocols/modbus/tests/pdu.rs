//! PDUs against the worked examples of the application protocol, and against its limits.

use fieldnotary_modbus::pdu::{
    CoilWrite, ExceptionCode, Function, PackedBits, PduError, RegisterWrite, Registers, Request,
    Response, Span,
};
use fieldnotary_modbus::server::{Bank, BitTable, RegisterTable, answer, serve};

fn registers(values: &[u16]) -> Registers {
    Registers::from_values(values).expect("a legal number of registers")
}

fn bits(bytes: &[u8]) -> PackedBits {
    let states: Vec<bool> = bytes
        .iter()
        .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1))
        .collect();
    PackedBits::pack(&states).expect("a legal number of bits")
}

fn check(request: &Request, request_pdu: &[u8], response: &Response, response_pdu: &[u8]) {
    assert_eq!(request.encode(), request_pdu);
    assert_eq!(Request::decode(request_pdu).as_ref(), Ok(request));
    assert_eq!(response.encode(), response_pdu);
    assert_eq!(Response::decode(response_pdu).as_ref(), Ok(response));
    assert_eq!(response.code(), request.function().code());
    assert_eq!(request.reply_pdu_bytes(), response_pdu.len());
}

//= A1.1
#[test]
fn worked_examples_of_reads() {
    check(
        &Request::ReadCoils(Span::new(0x13, 0x13).unwrap()),
        &[0x01, 0x00, 0x13, 0x00, 0x13],
        &Response::ReadCoils(bits(&[0xCD, 0x6B, 0x05])),
        &[0x01, 0x03, 0xCD, 0x6B, 0x05],
    );
    check(
        &Request::ReadDiscreteInputs(Span::new(0xC4, 0x16).unwrap()),
        &[0x02, 0x00, 0xC4, 0x00, 0x16],
        &Response::ReadDiscreteInputs(bits(&[0xAC, 0xDB, 0x35])),
        &[0x02, 0x03, 0xAC, 0xDB, 0x35],
    );
    check(
        &Request::ReadHoldingRegisters(Span::new(0x6B, 3).unwrap()),
        &[0x03, 0x00, 0x6B, 0x00, 0x03],
        &Response::ReadHoldingRegisters(registers(&[0x022B, 0x0000, 0x0064])),
        &[0x03, 0x06, 0x02, 0x2B, 0x00, 0x00, 0x00, 0x64],
    );
    check(
        &Request::ReadInputRegisters(Span::new(8, 1).unwrap()),
        &[0x04, 0x00, 0x08, 0x00, 0x01],
        &Response::ReadInputRegisters(registers(&[0x000A])),
        &[0x04, 0x02, 0x00, 0x0A],
    );
}

//= A1.1
#[test]
fn worked_examples_of_writes() {
    check(
        &Request::WriteSingleCoil {
            address: 0xAC,
            on: true,
        },
        &[0x05, 0x00, 0xAC, 0xFF, 0x00],
        &Response::WriteSingleCoil {
            address: 0xAC,
            on: true,
        },
        &[0x05, 0x00, 0xAC, 0xFF, 0x00],
    );
    check(
        &Request::WriteSingleRegister {
            address: 1,
            value: 3,
        },
        &[0x06, 0x00, 0x01, 0x00, 0x03],
        &Response::WriteSingleRegister {
            address: 1,
            value: 3,
        },
        &[0x06, 0x00, 0x01, 0x00, 0x03],
    );
    let states = [
        true, false, true, true, false, false, true, true, true, false,
    ];
    check(
        &Request::WriteMultipleCoils(CoilWrite::new(0x13, &states).unwrap()),
        &[0x0F, 0x00, 0x13, 0x00, 0x0A, 0x02, 0xCD, 0x01],
        &Response::WriteMultipleCoils(Span::new(0x13, 10).unwrap()),
        &[0x0F, 0x00, 0x13, 0x00, 0x0A],
    );
    let write = RegisterWrite::new(1, registers(&[0x000A, 0x0102])).unwrap();
    check(
        &Request::WriteMultipleRegisters(write),
        &[0x10, 0x00, 0x01, 0x00, 0x02, 0x04, 0x00, 0x0A, 0x01, 0x02],
        &Response::WriteMultipleRegisters(Span::new(1, 2).unwrap()),
        &[0x10, 0x00, 0x01, 0x00, 0x02],
    );
}

//= A3.1
#[test]
fn exception_responses() {
    let refused = Response::Exception {
        function: 1,
        code: ExceptionCode::IllegalDataAddress,
    };
    assert_eq!(refused.encode(), [0x81, 0x02]);
    assert_eq!(Response::decode(&[0x81, 0x02]), Ok(refused));
    let unnamed = Response::Exception {
        function: 0x2B,
        code: ExceptionCode::Other(0x55),
    };
    assert_eq!(Response::decode(&[0xAB, 0x55]), Ok(unnamed));
    for wrong in [&[0x81][..], &[0x81, 2, 0]] {
        let found = wrong.len();
        let error = PduError::Length {
            code: 0x81,
            expected: 2,
            found,
        };
        assert_eq!(Response::decode(wrong), Err(error));
    }
}

//= A3.1
#[test]
fn requests_that_break_the_protocol_and_the_servers_answer() {
    use ExceptionCode::{IllegalDataAddress, IllegalDataValue, IllegalFunction};
    let overfull_coils = [&[0x0F, 0, 0, 0x07, 0xB1, 0xF7][..], &[0; 247]].concat();
    let overfull_registers = [&[0x10, 0, 0, 0, 124, 248][..], &[0; 248]].concat();
    for (pdu, expected) in [
        (&[][..], None),
        (&[0x83, 0, 0, 0, 1], None),
        (&[0x2B, 0x0E, 1, 0], Some(IllegalFunction)),
        (&[0x00, 0, 0, 0, 1], Some(IllegalFunction)),
        (&[0x03, 0, 0, 0], Some(IllegalDataValue)),
        (&[0x03, 0, 0, 0, 1, 0], Some(IllegalDataValue)),
        (&[0x03, 0, 0, 0, 0], Some(IllegalDataValue)),
        (&[0x03, 0, 0, 0, 126], Some(IllegalDataValue)),
        (&[0x04, 0, 0, 0, 126], Some(IllegalDataValue)),
        (&[0x01, 0, 0, 0x07, 0xD1], Some(IllegalDataValue)),
        (&[0x02, 0, 0, 0x07, 0xD1], Some(IllegalDataValue)),
        (&[0x03, 0xFF, 0xFF, 0, 2], Some(IllegalDataAddress)),
        (
            &[0x10, 0xFF, 0xFF, 0, 2, 4, 0, 0, 0, 0],
            Some(IllegalDataAddress),
        ),
        (&[0x05, 0, 0, 0xFF, 0x01], Some(IllegalDataValue)),
        (&[0x0F, 0, 0, 0, 9, 1, 0], Some(IllegalDataValue)),
        (&[0x0F, 0, 0, 0, 9, 2, 0], Some(IllegalDataValue)),
        (&[0x0F, 0, 0, 0, 9], Some(IllegalDataValue)),
        (&[0x10, 0, 0, 0, 1, 2, 0], Some(IllegalDataValue)),
        (&[0x10, 0, 0, 0, 1, 2, 0, 0, 0], Some(IllegalDataValue)),
        (&overfull_coils, Some(IllegalDataValue)),
        (&overfull_registers, Some(IllegalDataValue)),
    ] {
        let error = Request::decode(pdu).expect_err("the request breaks the protocol");
        assert_eq!(error.exception(), expected, "{pdu:02X?}: {error}");
    }
}

//= A1.1
#[test]
fn the_largest_requests_are_legal() {
    for pdu in [
        vec![0x01, 0, 0, 0x07, 0xD0],
        vec![0x03, 0, 0, 0, 125],
        vec![0x03, 0xFF, 0xFF, 0, 1],
        [&[0x0F, 0, 0, 0x07, 0xB0, 0xF6][..], &[0xFF; 246]].concat(),
        [&[0x10, 0, 0, 0, 123, 246][..], &[0xFF; 246]].concat(),
    ] {
        let request = Request::decode(&pdu).expect("a legal request");
        assert_eq!(request.encode(), pdu);
        assert!(request.reply_pdu_bytes() <= fieldnotary_modbus::limits::PDU_BYTES_MAX);
    }
}

//= A3.1
#[test]
fn responses_that_break_the_protocol() {
    for pdu in [
        &[][..],
        &[0x03],
        &[0x03, 0],
        &[0x03, 1, 0],
        &[0x03, 2, 0],
        &[0x03, 2, 0, 0, 0],
        &[0x03, 3, 0, 0, 0],
        &[0x01, 0],
        &[0x06, 0, 0, 0],
        &[0x05, 0, 0, 0x12, 0x34],
        &[0x10, 0, 0, 0, 124],
        &[0x2B, 0],
    ] {
        assert!(Response::decode(pdu).is_err(), "{pdu:02X?}");
    }
}

//= A1.1
#[test]
fn function_codes_are_their_own_inverse() {
    let known: Vec<u8> = (0..=255)
        .filter(|code| Function::from_code(*code).is_some())
        .collect();
    assert_eq!(known, [1, 2, 3, 4, 5, 6, 15, 16]);
    for function in Function::ALL {
        assert_eq!(Function::from_code(function.code()), Some(function));
    }
}

/// Four holding registers that can be written, and coils that lie about their number.
struct Small([u16; 4]);

impl Bank for Small {
    fn read_bits(&mut self, _: BitTable, _: u16, _: u16) -> Result<Vec<bool>, ExceptionCode> {
        Ok(vec![true])
    }

    fn read_registers(
        &mut self,
        table: RegisterTable,
        first: u16,
        count: u16,
    ) -> Result<Vec<u16>, ExceptionCode> {
        if table == RegisterTable::Input {
            return Err(ExceptionCode::IllegalFunction);
        }
        let (first, count) = (usize::from(first), usize::from(count));
        let range = self
            .0
            .get(first..first + count)
            .ok_or(ExceptionCode::IllegalDataAddress)?;
        Ok(range.to_vec())
    }

    fn write_registers(&mut self, first: u16, values: &[u16]) -> Result<(), ExceptionCode> {
        let first = usize::from(first);
        let range = self
            .0
            .get_mut(first..first + values.len())
            .ok_or(ExceptionCode::IllegalDataAddress)?;
        range.copy_from_slice(values);
        Ok(())
    }
}

//= A1.1
#[test]
fn a_server_answers_from_its_bank() {
    let mut bank = Small([1, 2, 3, 4]);
    for (request, response) in [
        (&[0x03, 0, 1, 0, 2][..], Some(&[0x03, 4, 0, 2, 0, 3][..])),
        (&[0x03, 0, 3, 0, 2], Some(&[0x83, 2])),
        (&[0x04, 0, 0, 0, 1], Some(&[0x84, 1])),
        (&[0x06, 0, 0, 0xAB, 0xCD], Some(&[0x06, 0, 0, 0xAB, 0xCD])),
        (
            &[0x10, 0, 2, 0, 2, 4, 0, 7, 0, 8],
            Some(&[0x10, 0, 2, 0, 2]),
        ),
        (
            &[0x03, 0, 0, 0, 4],
            Some(&[0x03, 8, 0xAB, 0xCD, 0, 2, 0, 7, 0, 8]),
        ),
        (&[0x05, 0, 0, 0xFF, 0], Some(&[0x85, 1])),
        (&[0x01, 0, 0, 0, 1], Some(&[0x01, 1, 1])),
        (&[0x01, 0, 0, 0, 2], Some(&[0x81, 4])),
        (&[0x2B, 0], Some(&[0xAB, 1])),
        (&[0x03, 0], Some(&[0x83, 3])),
        (&[0x83, 0], None),
        (&[], None),
    ] {
        let served = serve(request, &mut bank).map(|response| response.encode());
        assert_eq!(served.as_deref(), response, "{request:02X?}");
    }
    let request = Request::ReadHoldingRegisters(Span::new(2, 1).unwrap());
    assert_eq!(
        answer(&request, &mut bank)
            .registers()
            .map(|found| found.values().collect()),
        Some(vec![7])
    );
}
