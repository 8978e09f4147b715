//! How busy a port will be, computed ahead from the contract (R5.2).

use crate::limits::{READ_BITS_MAX, READ_REGISTERS_MAX};
use crate::model::{
    Address, Contract, MbusLine, Meter, Parity, Point, Port, PortKind, SerialLine, Table,
};
use alloc::vec::Vec;

/// Bytes of a read request: unit, function, address, count, CRC.
const REQUEST_BYTES: u64 = 8;
/// Bytes of a reply around its data: unit, function, length, CRC.
const REPLY_BYTES: u64 = 5;
/// Silence around request and reply, in characters: 3.5 after each.
const SILENCE_CHARS: u64 = 7;
/// Bytes of an M-Bus request: start, control, address, checksum, stop.
const MBUS_REQUEST_BYTES: u64 = 5;
/// Bytes of a telegram without records: frame and long header.
const MBUS_TELEGRAM_BYTES: u64 = 21;
/// Bytes of the shortest record that counts something.
const MBUS_RECORD_BYTES: u64 = 6;
/// The silence behind each frame: 33 bit times.
const MBUS_SILENCE_CHARS: u64 = 3;
/// A share of the time is given in millionths, so that slow schedules count too.
const WHOLE: u128 = 1_000_000;

/// What share of a port's time its meters take, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    /// If every meter answers at once: only the time on the wire.
    pub(crate) answered_percent: u64,
    /// If none answers: every attempt waits for its timeout.
    pub(crate) silent_percent: u64,
}

/// The load of a port by all its meters.
pub(crate) fn load(contract: &Contract, port: &Port) -> Load {
    let (mut answered, mut silent) = (0u128, 0u128);
    for meter in contract
        .meters
        .values()
        .filter(|meter| meter.port == port.id)
    {
        let Some(schedule) = contract.schedules.get(&meter.schedule) else {
            continue;
        };
        let every_us = u128::from(schedule.every_ms.max(1)) * 1_000;
        let (wire_us, waiting_us) = session_us(port, meter);
        answered += u128::from(wire_us) * WHOLE / every_us;
        silent += u128::from(waiting_us) * WHOLE / every_us;
    }
    let percent = |share: u128| u64::try_from(share * 100 / WHOLE).unwrap_or(u64::MAX);
    Load {
        answered_percent: percent(answered),
        silent_percent: percent(silent),
    }
}

/// Microseconds of one session: if all is answered at once, and if nothing is.
fn session_us(port: &Port, meter: &Meter) -> (u64, u64) {
    if let PortKind::Mbus(line) = &port.kind {
        return mbus_session_us(port, line, meter);
    }
    let attempts = u64::from(meter.retries.unwrap_or(port.retries)) + 1;
    let timeout_ms = meter.timeout_ms.unwrap_or(port.timeout_ms);
    let (mut answered, mut silent) = (0u64, 0u64);
    for data_bytes in reads(&meter.points) {
        let (request, reply) = match &port.kind {
            PortKind::ModbusRtu(line) => (
                chars_us(line, REQUEST_BYTES + SILENCE_CHARS / 2)
                    + line.rs485.map_or(0, |rs485| rs485.before_ms * 1_000),
                chars_us(line, REPLY_BYTES + data_bytes + SILENCE_CHARS / 2)
                    + line.turnaround_ms * 1_000,
            ),
            PortKind::ModbusTcp { .. } | PortKind::Mbus(_) => (0, 0),
        };
        answered = answered.saturating_add(request + reply);
        let waiting = request + timeout_ms.saturating_mul(1_000);
        silent = silent.saturating_add(waiting.saturating_mul(attempts));
    }
    (answered, silent)
}

/// The same of a readout: beginning, acknowledgement, request, and the shortest telegram that holds the points. Nothing is read
/// where the beginning is not acknowledged.
fn mbus_session_us(port: &Port, line: &MbusLine, meter: &Meter) -> (u64, u64) {
    let own = match &meter.address {
        Address::Mbus(address) => address.baud,
        Address::Unit(_) => None,
    };
    let baud = own.unwrap_or(line.baud());
    let points = u64::try_from(meter.points.len()).unwrap_or(u64::MAX);
    let telegram = MBUS_TELEGRAM_BYTES.saturating_add(points.saturating_mul(MBUS_RECORD_BYTES));
    let chars = 4 * MBUS_SILENCE_CHARS + 2 * MBUS_REQUEST_BYTES + 1;
    let answered = mbus_chars_us(baud, chars.saturating_add(telegram));
    let attempts = u64::from(port.retries) + 1;
    let waiting = mbus_chars_us(baud, MBUS_REQUEST_BYTES) + port.timeout_ms.saturating_mul(1_000);
    (answered, waiting.saturating_mul(attempts))
}

/// Microseconds of so many characters on the line.
fn chars_us(line: &SerialLine, chars: u64) -> u64 {
    let parity = u64::from(line.parity != Parity::None);
    let bits = 1 + u64::from(line.data_bits) + parity + u64::from(line.stop_bits);
    chars * bits * 1_000_000 / u64::from(line.baud.max(1))
}

/// The same of an M-Bus, whose characters have 11 bits.
fn mbus_chars_us(baud: u32, chars: u64) -> u64 {
    chars * 11 * 1_000_000 / u64::from(baud.max(1))
}

/// The fewest reads that cover the points: for each, the bytes of its data. A lower bound, since a
/// read may take in registers that no point asks for.
fn reads(points: &[Point]) -> Vec<u64> {
    let mut all = Vec::new();
    for table in [Table::Coil, Table::Discrete, Table::Holding, Table::Input] {
        let bits = matches!(table, Table::Coil | Table::Discrete);
        let span_max = if bits {
            READ_BITS_MAX
        } else {
            READ_REGISTERS_MAX
        };
        let mut spans: Vec<(u32, u32)> = points
            .iter()
            .filter_map(Point::register)
            .filter(|register| register.table == table)
            .map(|register| {
                let start = u32::from(register.address);
                (start, start + u32::from(register.width()))
            })
            .collect();
        spans.sort_unstable();
        let mut reads = Vec::new();
        let mut open: Option<(u32, u32)> = None;
        for (start, end) in spans {
            open = match open {
                Some((first, last)) if end.max(last) - first <= span_max => {
                    Some((first, end.max(last)))
                }
                other => {
                    reads.extend(other);
                    Some((start, end))
                }
            };
        }
        reads.extend(open);
        let bytes = |(start, end): (u32, u32)| {
            let width = u64::from(end - start);
            if bits { width.div_ceil(8) } else { width * 2 }
        };
        all.extend(reads.into_iter().map(bytes));
    }
    all
}
