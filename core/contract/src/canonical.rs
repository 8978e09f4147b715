//! The canonical form: one contract, one sequence of bytes, in deterministic CBOR.
//!
//! A map: 0 format, 1 station, 2 storage, 3 seal, 4 uplink (left out where there is none), 5 ports,
//! 6 schedules, 7 point lists, 8 meters, 9 time, 10 the station's own points (both left out where there are none). Ports, schedules and meters are lists in the order of their
//! ids. Meters of one type share one point list, which they name by its place; the lists stand in the
//! order in which the meters first name them. Every value is written, also one that is a default.

mod meters;

use meters::{MeterRow, meters};

use crate::item::{Item, read_list, records, write_list};
use crate::limits::{METER_POINTS_MAX, METERS_MAX, PORTS_MAX, SCHEDULES_MAX};
use crate::model::{
    BitField, Contract, MbusAddress, MbusLine, MbusWire, OfferedSource, Point, Policy, Port,
    PortKind, RecordPick, Register, Role, Schedule, Seal, Secondary, SerialLine, Source, Station,
    Storage, Table, Time, Uplink, ValueType, WordOrder,
};
use crate::outputs::Condition;
use crate::rules;
use crate::sound;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use evidence::cbor::{DecodeError, DecodeFault, MapReader, Reader, Writer};
use evidence::{Decimal, Digest, PointId, SourceId};
use sha2::Digest as _;

/// Number of this format. A change of meaning of any key is a new number.
const FORMAT: u64 = 1;

records! {
    Station { 0 origin; 1 name; }
    Storage { 0 segment_bytes; 1 segments; 2 block_bytes; 3 truth; 4 group_wait_ms; 5 truth_dir; 6 truth_device;
        7 keep_soe_bytes; 8 keep_audit_bytes; }
    Seal { 0 every_ms; 1 entries_max; }
    Uplink {
        0 url; 1 collector_vkey; 2 ca_file; 3 cert_file; 4 key_file;
        5 backoff_ms_min; 6 backoff_ms_max; 7 timeout_ms;
    }
    Time {
        0 limit_us; 1 oscillator; 2 ptp; 3 ptp_mode; 4 ptp_domain; 5 ptp_class_max; 6 ptp_asymmetry_us;
        7 chrony; 8 rtc; 9 thermal; 10 budget_us; 11 refclock; 12 offered; 13 ptp_timestamping;
    }
    OfferedSource {
        0 id; 1 priority; 2 offset_max_ms; 3 uncertainty_max_us; 4 interval_ms; 5 pause_min_ms;
    }
    PortRow { 0 id; 1 kind; 2 timeout_ms; 3 retries; 4 late_reply_ms; }
    Schedule { 0 id; 1 every_ms; 2 offset_ms; }
    PointRow {
        0 id; 1 table; 2 address; 3 value; 4 word_order; 5 scale; 6 unit; 7 range; 8 policy; 9 bits; 10 record; 11 role; 12 memory_offset;
        13 content_type; 14 registers;
    }
    MbusRow { 0 serial; 1 latency_ms; 2 power_up_ms; 3 shared; 4 address; 5 baud; 6 overload; }
    MbusAddress { 0 primary; 1 secondary; 2 baud; 3 reads_per_day; }
    Secondary { 0 id; 1 manufacturer; 2 version; 3 medium; }
    RecordPick { 0 place; 1 quantity; 2 function; 3 storage; 4 tariff; 5 subunit; 6 unit; }
    BitField { 0 low; 1 high; }
}

/// A port; what the standard says of an M-Bus is not written.
struct PortRow {
    id: SourceId,
    kind: PortKind,
    timeout_ms: Option<u64>,
    retries: Option<u32>,
    late_reply_ms: Option<u64>,
}

/// An M-Bus, whose converter is on a serial device or has an address.
struct MbusRow {
    serial: Option<SerialLine>,
    latency_ms: u64,
    power_up_ms: u64,
    shared: bool,
    address: Option<String>,
    baud: Option<u32>,
    overload: Option<Condition>,
}

impl Item for MbusLine {
    fn write(&self, writer: &mut Writer) {
        let (serial, address, baud) = match &self.wire {
            MbusWire::Serial(line) => (Some(line.clone()), None, None),
            MbusWire::Tcp { address, baud } => (None, Some(address.clone()), Some(*baud)),
        };
        let row = MbusRow {
            serial,
            latency_ms: self.latency_ms,
            power_up_ms: self.power_up_ms,
            shared: self.shared,
            address,
            baud,
            overload: self.overload.clone(),
        };
        row.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = reader.position();
        let row = MbusRow::read(reader)?;
        let wire = match (row.serial, row.address, row.baud) {
            (Some(line), None, None) => MbusWire::Serial(line),
            (None, Some(address), Some(baud)) => MbusWire::Tcp { address, baud },
            _ => {
                let what = DecodeFault::OutOfRange("one way to an M-Bus");
                return Err(reader.fault(at, what));
            }
        };
        Ok(Self {
            wire,
            latency_ms: row.latency_ms,
            power_up_ms: row.power_up_ms,
            shared: row.shared,
            overload: row.overload,
        })
    }
}

impl Item for Port {
    fn write(&self, writer: &mut Writer) {
        let own = !matches!(self.kind, PortKind::Mbus(_));
        let row = PortRow {
            id: self.id.clone(),
            kind: self.kind.clone(),
            timeout_ms: own.then_some(self.timeout_ms),
            retries: own.then_some(self.retries),
            late_reply_ms: own.then_some(self.late_reply_ms),
        };
        row.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = reader.position();
        let row = PortRow::read(reader)?;
        match (row.kind, row.timeout_ms, row.retries, row.late_reply_ms) {
            (PortKind::Mbus(line), None, None, None) => Ok(Self::mbus(row.id, line)),
            (PortKind::Mbus(_), ..) => Err(reader.fault(at, DecodeFault::NotDeterministic)),
            (kind, Some(timeout_ms), Some(retries), Some(late_reply_ms)) => Ok(Self {
                id: row.id,
                kind,
                timeout_ms,
                retries,
                late_reply_ms,
            }),
            _ => Err(reader.fault(at, DecodeFault::OutOfRange("a port with its waits"))),
        }
    }
}

/// A point: of a register, or of a record.
struct PointRow {
    id: PointId,
    table: Option<Table>,
    address: Option<u16>,
    value: Option<ValueType>,
    word_order: Option<WordOrder>,
    scale: Decimal,
    unit: String,
    range: Option<(Decimal, Decimal)>,
    policy: Policy,
    bits: Option<BitField>,
    record: Option<RecordPick>,
    role: Option<Role>,
    memory_offset: Option<u16>,
    content_type: Option<String>,
    registers: Option<u16>,
}

impl Item for Point {
    fn write(&self, writer: &mut Writer) {
        let register = self.register();
        let row = PointRow {
            id: self.id.clone(),
            table: register.map(|register| register.table),
            address: register.map(|register| register.address),
            value: register.map(|register| register.value),
            word_order: register.map(|register| register.word_order),
            scale: self.scale,
            unit: self.unit.clone(),
            range: self.range,
            policy: self.policy,
            bits: register.and_then(|register| register.bits),
            record: self.record().cloned(),
            role: self.role,
            memory_offset: self.memory_offset,
            content_type: self.content_type.clone(),
            registers: register.and_then(|register| register.registers),
        };
        row.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = reader.position();
        let row = PointRow::read(reader)?;
        let from = match (
            row.table,
            row.address,
            row.value,
            row.word_order,
            row.record,
        ) {
            (Some(table), Some(address), Some(value), Some(word_order), None) => {
                Source::Register(Register {
                    table,
                    address,
                    value,
                    word_order,
                    bits: row.bits,
                    registers: row.registers,
                })
            }
            (None, None, None, None, Some(pick))
                if row.bits.is_none() && row.registers.is_none() =>
            {
                Source::Record(pick)
            }
            _ => {
                let what = DecodeFault::OutOfRange("a point of one register or one record");
                return Err(reader.fault(at, what));
            }
        };
        Ok(Self {
            id: row.id,
            from,
            scale: row.scale,
            unit: row.unit,
            range: row.range,
            policy: row.policy,
            role: row.role,
            memory_offset: row.memory_offset,
            content_type: row.content_type,
        })
    }
}

/// A map with one key that tells the kind: 0 serial line, 1 address of a TCP server, 2 M-Bus.
impl Item for PortKind {
    fn write(&self, writer: &mut Writer) {
        writer.map(1);
        match self {
            Self::ModbusRtu(line) => {
                writer.uint(0);
                line.write(writer);
            }
            Self::ModbusTcp { address } => {
                writer.uint(1);
                writer.text(address);
            }
            Self::Mbus(line) => {
                writer.uint(2);
                line.write(writer);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut map = reader.map()?;
        let kind = if let Some(reader) = map.value(0)? {
            Self::ModbusRtu(Item::read(reader)?)
        } else if let Some(reader) = map.value(1)? {
            let address: String = Item::read(reader)?;
            Self::ModbusTcp { address }
        } else if let Some(reader) = map.value(2)? {
            Self::Mbus(Item::read(reader)?)
        } else {
            return Err(map.missing(0));
        };
        map.finish()?;
        Ok(kind)
    }
}

impl Contract {
    /// The canonical form.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let (lists, rows) = self.shared_lists();
        let mut writer = Writer::new();
        let some = [
            self.uplink.is_some(),
            self.time.is_some(),
            self.syslog.is_some(),
            self.timestamp.is_some(),
            self.firmware.is_some(),
            !self.points.is_empty(),
        ];
        writer.map(8 + some.into_iter().filter(|some| *some).count());
        writer.uint(0);
        writer.uint(FORMAT);
        writer.uint(1);
        self.station.write(&mut writer);
        writer.uint(2);
        self.storage.write(&mut writer);
        writer.uint(3);
        self.seal.write(&mut writer);
        if let Some(uplink) = &self.uplink {
            writer.uint(4);
            uplink.write(&mut writer);
        }
        writer.uint(5);
        write_list(&mut writer, self.ports.values());
        writer.uint(6);
        write_list(&mut writer, self.schedules.values());
        writer.uint(7);
        writer.array(lists.len());
        for points in lists {
            write_list(&mut writer, points.iter());
        }
        writer.uint(8);
        write_list(&mut writer, rows.iter());
        if let Some(time) = &self.time {
            writer.uint(9);
            time.write(&mut writer);
        }
        if !self.points.is_empty() {
            writer.uint(10);
            self.points.write(&mut writer);
        }
        if let Some(syslog) = &self.syslog {
            writer.uint(12);
            syslog.write(&mut writer);
        }
        if let Some(timestamp) = &self.timestamp {
            writer.uint(13);
            timestamp.write(&mut writer);
        }
        if let Some(firmware) = &self.firmware {
            writer.uint(14);
            firmware.write(&mut writer);
        }
        writer.into_bytes()
    }

    /// SHA-256 of the canonical form.
    #[must_use]
    pub fn digest(&self) -> Digest {
        digest_of(&self.canonical())
    }

    /// Point lists without repetition, and every meter with the place of its own.
    fn shared_lists(&self) -> (Vec<&[Point]>, Vec<MeterRow>) {
        let mut places: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        let mut lists: Vec<&[Point]> = Vec::new();
        let rows = self.meters.values().map(|meter| {
            let mut encoded = Writer::new();
            write_list(&mut encoded, meter.points.iter());
            let list = *places.entry(encoded.into_bytes()).or_insert_with(|| {
                lists.push(&meter.points);
                lists.len() as u64 - 1
            });
            MeterRow::of(meter, list)
        });
        let rows = rows.collect();
        (lists, rows)
    }

    /// Reads a canonical form; refuses every other encoding of the same contract, and every contract
    /// that the parser would refuse.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let mut map = reader.map()?;
        let format: u64 = required(&mut map, 0)?;
        if format != FORMAT {
            let what = DecodeFault::OutOfRange("a known format of the contract");
            return Err(DecodeError { at: 0, what });
        }
        let station = required(&mut map, 1)?;
        let storage = required(&mut map, 2)?;
        let seal = required(&mut map, 3)?;
        let uplink = map.value(4)?.map(Item::read).transpose()?;
        let ports: Vec<Port> = listed(&mut map, 5, PORTS_MAX)?;
        let schedules: Vec<Schedule> = listed(&mut map, 6, SCHEDULES_MAX)?;
        let lists = point_lists(&mut map)?;
        let rows: Vec<MeterRow> = listed(&mut map, 8, METERS_MAX)?;
        let time = map.value(9)?.map(Item::read).transpose()?;
        let points = map.value(10)?.map(Item::read).transpose()?;
        let syslog = map.value(12)?.map(Item::read).transpose()?;
        let timestamp = map.value(13)?.map(Item::read).transpose()?;
        let firmware = map.value(14)?.map(Item::read).transpose()?;
        map.finish()?;
        reader.finish()?;
        let contract = Self {
            station,
            storage,
            seal,
            time,
            uplink,
            syslog,
            timestamp,
            firmware,
            ports: ports
                .into_iter()
                .map(|port| (port.id.clone(), port))
                .collect(),
            schedules: schedules
                .into_iter()
                .map(|one| (one.id.clone(), one))
                .collect(),
            meters: meters(rows, &lists).ok_or(UNSOUND)?,
            points: points.unwrap_or_default(),
        };
        if !sound::problems(&contract, &BTreeSet::new()).is_empty() {
            return Err(UNSOUND);
        }
        // Order, repetition and unused lists: whatever else is not canonical shows here.
        if contract.canonical() != bytes {
            let what = DecodeFault::NotDeterministic;
            return Err(DecodeError { at: 0, what });
        }
        Ok(contract)
    }
}

/// The bytes are well formed, but break a rule of contracts.
const UNSOUND: DecodeError = DecodeError {
    at: 0,
    what: DecodeFault::OutOfRange("a sound contract"),
};

/// SHA-256.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    Digest(sha2::Sha256::digest(bytes).into())
}

fn required<T: Item>(map: &mut MapReader<'_, '_>, key: u64) -> Result<T, DecodeError> {
    match map.value(key)? {
        Some(reader) => T::read(reader),
        None => Err(map.missing(key)),
    }
}

fn listed<T: Item>(
    map: &mut MapReader<'_, '_>,
    key: u64,
    max: usize,
) -> Result<Vec<T>, DecodeError> {
    match map.value(key)? {
        Some(reader) => read_list(reader, max),
        None => Err(map.missing(key)),
    }
}

fn point_lists(map: &mut MapReader<'_, '_>) -> Result<Vec<Vec<Point>>, DecodeError> {
    let Some(reader) = map.value(7)? else {
        return Err(map.missing(7));
    };
    let len = reader.array(METERS_MAX)?;
    let mut lists = Vec::new();
    for _ in 0..len {
        let at = reader.position();
        let points: Vec<Point> = read_list(reader, METER_POINTS_MAX)?;
        let sound = points.iter().all(|point| rules::point(point).0.is_empty());
        if !sound || !sound::distinct(&points) {
            return Err(reader.fault(at, DecodeFault::OutOfRange("sound points")));
        }
        lists.push(points);
    }
    Ok(lists)
}
