//! Contracts for tests: one port, meters of 32-bit registers at even addresses.

use contract::{
    Address, Contract, Echo, Meter, Parity, Point, Policy, Port, PortKind, Register, Schedule,
    Seal, SerialLine, Source, Station, Storage, Table, ValueType, WordOrder,
};
use evidence::reasons::TruthClass;
use evidence::{Decimal, MeterId, PointId, ScheduleId, SourceId};
use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec::Vec;

/// Of the serial line.
pub(super) const TURNAROUND_MS: u64 = 2;

/// A point with nothing special.
pub(crate) fn point(id: &str, table: Table, address: u16, value: ValueType) -> Point {
    Point {
        id: PointId::new(id).unwrap(),
        from: Source::Register(Register {
            table,
            address,
            value,
            word_order: WordOrder::HighFirst,
            bits: None,
            registers: None,
        }),
        scale: Decimal::new(1, 0).unwrap(),
        unit: String::new(),
        range: None,
        policy: Policy::EvidenceFirst,
        role: None,
        memory_offset: None,
        content_type: None,
    }
}

/// The registers of a point that has some.
pub(crate) fn register(point: &mut Point) -> &mut Register {
    match &mut point.from {
        Source::Register(register) => register,
        Source::Record(_) => panic!("a point of registers is due"),
    }
}

/// What a test varies.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) serial: bool,
    pub(super) baud: u32,
    pub(super) every_ms: u64,
    pub(super) timeout_ms: u64,
    pub(super) late_reply_ms: u64,
    pub(super) echo: Echo,
    pub(super) turnaround_ms: u64,
    pub(super) retries: u32,
    /// A meter with a timeout, in milliseconds, and retries of its own.
    pub(super) own: Option<(usize, u64, u32)>,
    /// Even addresses of the points of each meter; the meter's unit is its place plus one.
    pub(super) meters: Vec<Vec<u16>>,
}

impl Site {
    pub(super) fn serial(meters: usize) -> Self {
        Self {
            serial: true,
            baud: 19_200,
            every_ms: 1_000,
            timeout_ms: 100,
            late_reply_ms: 200,
            echo: Echo::None,
            turnaround_ms: TURNAROUND_MS,
            retries: 1,
            own: None,
            meters: std::vec![std::vec![0, 2]; meters],
        }
    }

    pub(super) fn tcp(meters: usize) -> Self {
        Self {
            serial: false,
            ..Self::serial(meters)
        }
    }

    pub(super) fn contract(&self) -> Contract {
        let port = port_id();
        let kind = if self.serial {
            PortKind::ModbusRtu(line(self))
        } else {
            PortKind::ModbusTcp {
                address: String::from("gateway:502"),
            }
        };
        let port = Port {
            id: port.clone(),
            kind,
            timeout_ms: self.timeout_ms,
            retries: self.retries,
            late_reply_ms: self.late_reply_ms,
        };
        let schedule = Schedule {
            id: schedule_id(),
            every_ms: self.every_ms,
            offset_ms: 0,
        };
        let meter = |(place, addresses): (usize, &Vec<u16>)| {
            let points = addresses.iter().map(|address| {
                point(
                    &format!("r{address}"),
                    Table::Holding,
                    *address,
                    ValueType::U32,
                )
            });
            let own = self.own.filter(|(of, ..)| *of == place);
            let meter = Meter {
                id: meter_id(place),
                port: port_id(),
                address: Address::Unit(u8::try_from(place + 1).unwrap()),
                schedule: schedule_id(),
                timeout_ms: own.map(|(_, timeout_ms, _)| timeout_ms),
                retries: own.map(|(_, _, retries)| retries),
                clock_zone_min: None,
                clock_setting: None,
                memory: None,
                storages: None,
                points: points.collect(),
            };
            (meter.id.clone(), meter)
        };
        Contract {
            station: Station {
                origin: String::from("example.org/station"),
                name: String::from("station"),
            },
            storage: Storage {
                segment_bytes: 1 << 20,
                segments: 4,
                block_bytes: 4_096,
                truth: TruthClass::SameDeviceSync,
                truth_dir: None,
                truth_device: None,
                keep_soe_bytes: None,
                keep_audit_bytes: None,
                group_wait_ms: 5,
            },
            seal: Seal {
                every_ms: 60_000,
                entries_max: 4_096,
            },
            time: None,
            uplink: None,
            syslog: None,
            timestamp: None,
            firmware: None,
            ports: BTreeMap::from([(port.id.clone(), port)]),
            schedules: BTreeMap::from([(schedule.id.clone(), schedule)]),
            meters: self.meters.iter().enumerate().map(meter).collect(),
            points: contract::StationPoints::default(),
        }
    }
}

fn line(site: &Site) -> SerialLine {
    SerialLine {
        device: String::from("/dev/ttyS0"),
        baud: site.baud,
        data_bits: 8,
        parity: Parity::Even,
        stop_bits: 1,
        turnaround_ms: site.turnaround_ms,
        rs485: None,
        echo: site.echo,
    }
}

pub(super) fn port_id() -> SourceId {
    SourceId::new("port-1").unwrap()
}

pub(super) fn schedule_id() -> ScheduleId {
    ScheduleId::new("profile").unwrap()
}

pub(super) fn meter_id(place: usize) -> MeterId {
    MeterId::new(&format!("m{place:02}")).unwrap()
}
