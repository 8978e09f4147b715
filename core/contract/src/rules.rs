//! What makes a contract sound. The parser and the canonical decoder hold every contract to these rules.

use crate::error::{Wrong, wrong};
use crate::life;
use crate::limits::{
    BACKOFF_MS_MAX, BACKOFF_MS_MIN, BLOCK_BYTES, DAY_MS, GROUP_WAIT_MS_MAX, KEEP_BYTES_RANGE,
    LATE_REPLY_MS_MAX, NAME_BYTES_MAX, ORIGIN_BYTES_MAX, PORT_TIMEOUT_MS_MAX, REGISTERS,
    RESERVED_SOURCES, RETRIES_MAX, SCHEDULE_EVERY_MS_MIN, SEAL_ENTRIES_MAX, SEAL_EVERY_MS_MAX,
    SEAL_EVERY_MS_MIN, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN, SEGMENTS_MAX, SEGMENTS_MIN,
    UNIT_BYTES_MAX, UPLINK_TIMEOUT_MS_MAX, UPLINK_TIMEOUT_MS_MIN,
};
use crate::mbus;
use crate::memory;
use crate::model::{
    BitField, Point, Port, PortKind, Register, Schedule, Seal, Source, Station, Storage, Table,
    Uplink, ValueType,
};
use crate::names::{address, origin, path, url, vkey};
use crate::opaque;
use crate::serial;
use crate::words::word_of;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use evidence::Decimal;
use evidence::reasons::TruthClass;

/// A broken rule.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The keys it is about; the first is the place.
    pub(crate) keys: &'static [&'static str],
    pub(crate) wrong: Wrong,
    /// It is about something that is not there, so an unreadable part of the file may explain it.
    pub(crate) absent: bool,
}

/// Collects broken rules.
#[derive(Debug, Default)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    pub(crate) fn add(
        &mut self,
        keys: &'static [&'static str],
        what: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.0.push(Problem {
            keys,
            wrong: wrong(what, advice),
            absent: false,
        });
    }

    pub(crate) fn unless(
        &mut self,
        sound: bool,
        keys: &'static [&'static str],
        what: impl Into<String>,
        advice: impl Into<String>,
    ) {
        if !sound {
            self.add(keys, what, advice);
        }
    }

    pub(crate) fn check(&mut self, keys: &'static [&'static str], found: Result<(), Wrong>) {
        if let Err(wrong) = found {
            self.0.push(Problem {
                keys,
                wrong,
                absent: false,
            });
        }
    }
}

/// Microseconds as they are written in a contract: those durations have no longer unit than a second.
pub(crate) fn shown_us(us: u64) -> String {
    let units = [(1_000_000, "s"), (1_000, "ms")];
    let found = units
        .iter()
        .find(|(unit, _)| us != 0 && us.is_multiple_of(*unit));
    match found {
        Some((unit, name)) => format!("{}{name}", us / unit),
        None => format!("{us}us"),
    }
}

/// Milliseconds as a person would write them.
pub(crate) fn shown_ms(ms: u64) -> String {
    let units = [
        (DAY_MS, "d"),
        (3_600_000, "h"),
        (60_000, "min"),
        (1_000, "s"),
    ];
    let found = units
        .iter()
        .find(|(unit, _)| ms != 0 && ms.is_multiple_of(*unit));
    match found {
        Some((unit, name)) => format!("{}{name}", ms / unit),
        None => format!("{ms}ms"),
    }
}

pub(crate) fn station(station: &Station) -> Problems {
    let mut out = Problems::default();
    out.check(&["origin"], origin(&station.origin, ORIGIN_BYTES_MAX));
    let len = station.name.len();
    out.unless(
        len <= NAME_BYTES_MAX && !station.name.is_empty(),
        &["name"],
        format!("a name of {len} bytes"),
        format!("1 to {NAME_BYTES_MAX} bytes, or leave it out"),
    );
    out
}

pub(crate) fn storage(storage: &Storage) -> Problems {
    let mut out = Problems::default();
    let (segment, block) = (storage.segment_bytes, storage.block_bytes);
    out.unless(
        BLOCK_BYTES.contains(&block),
        &["block"],
        format!("{block} is not a block size"),
        "write 512, 4096 or 16384",
    );
    out.unless(
        (SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&segment),
        &["segment_size"],
        format!("a segment of {segment} bytes"),
        "write 64KiB to 1GiB",
    );
    out.unless(
        segment.is_multiple_of(u64::from(block)),
        &["segment_size", "block"],
        format!("{segment} bytes are not a multiple of the block, {block}"),
        format!(
            "the next multiple is {}",
            segment.next_multiple_of(u64::from(block.max(1)))
        ),
    );
    out.unless(
        (SEGMENTS_MIN..=SEGMENTS_MAX).contains(&storage.segments),
        &["segments"],
        format!("a ring cannot have {} segments", storage.segments),
        format!("at least {SEGMENTS_MIN}: one is written while the other is still wanted; at most {SEGMENTS_MAX}"),
    );
    keep_rings(storage, &mut out);
    out.unless(
        storage.truth_dir.is_none() || storage.truth_device.is_none(),
        &["truth_device", "truth_dir"],
        "a truth store lies in one place",
        "remove `truth_dir` or `truth_device`",
    );
    let places = [
        (
            &["truth_dir", "truth"],
            &storage.truth_dir,
            "of another device's directory",
            "/mnt/fram",
        ),
        (
            &["truth_device", "truth"],
            &storage.truth_device,
            "of a device",
            "/dev/mmcblk1",
        ),
    ];
    for (keys, place, of_what, example) in places {
        let Some(place) = place else { continue };
        out.unless(
            storage.truth == TruthClass::Independent,
            keys,
            "a same-device truth store lies beside its ring",
            "remove the line, or write truth = \"independent\"",
        );
        out.unless(
            place.starts_with('/') && place.len() > 1,
            keys.get(..1).unwrap_or_default(),
            format!("\"{place}\" is not the path {of_what}"),
            format!("write the whole path, such as \"{example}\""),
        );
    }
    out.unless(
        storage.group_wait_ms <= GROUP_WAIT_MS_MAX,
        &["group_wait"],
        format!(
            "{} is too long: every acknowledgement waits for it",
            shown_ms(storage.group_wait_ms)
        ),
        format!("at most {}", shown_ms(GROUP_WAIT_MS_MAX)),
    );
    out
}

fn keep_rings(storage: &Storage, out: &mut Problems) {
    let keeps: [(&[_], _); 2] = [
        (&["keep_soe"], storage.keep_soe_bytes),
        (&["keep_audit"], storage.keep_audit_bytes),
    ];
    for (keys, bytes) in keeps {
        let Some(bytes) = bytes else { continue };
        out.unless(
            bytes == 0 || KEEP_BYTES_RANGE.contains(&bytes),
            keys,
            format!("a keep-ring of {bytes} bytes"),
            "write 2MiB to 1GiB, or 0 for none",
        );
    }
}

pub(crate) fn seal(seal: &Seal) -> Problems {
    let mut out = Problems::default();
    out.unless(
        (SEAL_EVERY_MS_MIN..=SEAL_EVERY_MS_MAX).contains(&seal.every_ms),
        &["every"],
        format!("a seal every {}", shown_ms(seal.every_ms)),
        "write 1s to 1d",
    );
    out.unless(
        (1..=SEAL_ENTRIES_MAX).contains(&seal.entries_max),
        &["entries"],
        format!("a seal after {} entries", seal.entries_max),
        format!("write 1 to {SEAL_ENTRIES_MAX}"),
    );
    out
}

pub(crate) fn uplink(uplink: &Uplink) -> Problems {
    let mut out = Problems::default();
    out.check(&["url"], url(&uplink.url));
    out.check(&["collector_key"], vkey(&uplink.collector_vkey));
    out.check(&["ca_file"], path(&uplink.ca_file));
    out.check(&["cert_file"], path(&uplink.cert_file));
    out.check(&["key_file"], path(&uplink.key_file));
    let (first, longest) = (uplink.backoff_ms_min, uplink.backoff_ms_max);
    out.unless(
        first <= longest && first >= BACKOFF_MS_MIN && longest <= BACKOFF_MS_MAX,
        &["backoff"],
        format!("a wait from {} to {}", shown_ms(first), shown_ms(longest)),
        "write the first wait, at least 100ms, then the longest, at most 1d",
    );
    out.unless(
        (UPLINK_TIMEOUT_MS_MIN..=UPLINK_TIMEOUT_MS_MAX).contains(&uplink.timeout_ms),
        &["timeout"],
        format!("a deadline of {}", shown_ms(uplink.timeout_ms)),
        "write 1s to 10min",
    );
    out
}

pub(crate) fn port(port: &Port) -> Problems {
    let mut out = Problems::default();
    out.unless(
        !RESERVED_SOURCES.contains(&port.id.as_str()),
        &["id"],
        format!("\"{}\" names a part of the node", port.id),
        "choose another id, such as \"rs485-1\"",
    );
    out.unless(
        (1..=PORT_TIMEOUT_MS_MAX).contains(&port.timeout_ms),
        &["timeout"],
        format!("a timeout of {}", shown_ms(port.timeout_ms)),
        "write 1ms to 60s",
    );
    out.unless(
        port.retries <= RETRIES_MAX,
        &["retries"],
        format!("{} retries", port.retries),
        format!("at most {RETRIES_MAX}: a dead meter holds up the others"),
    );
    out.unless(
        port.late_reply_ms >= port.timeout_ms,
        &["late_reply", "timeout"],
        format!(
            "{} is shorter than the timeout, {}",
            shown_ms(port.late_reply_ms),
            shown_ms(port.timeout_ms)
        ),
        "a reply is late only after the timeout: write at least the timeout",
    );
    out.unless(
        port.late_reply_ms <= LATE_REPLY_MS_MAX,
        &["late_reply"],
        format!("a window of {}", shown_ms(port.late_reply_ms)),
        "at most 10min",
    );
    match &port.kind {
        PortKind::ModbusRtu(line) => serial::sound(line, &mut out),
        PortKind::ModbusTcp { address: text } => out.check(&["address"], address(text)),
        PortKind::Mbus(line) => mbus::line_rules(line, &mut out),
    }
    out
}

/// A device's path.
pub(crate) fn device(path: &str, out: &mut Problems) {
    out.unless(
        path.starts_with('/') && path.len() > 1,
        &["device"],
        format!("\"{path}\" is not the path of a device"),
        "write the whole path, such as \"/dev/ttyS1\"",
    );
}

pub(crate) fn schedule(schedule: &Schedule) -> Problems {
    let mut out = Problems::default();
    let (every, offset) = (schedule.every_ms, schedule.offset_ms);
    out.unless(
        (SCHEDULE_EVERY_MS_MIN..=DAY_MS).contains(&every),
        &["every"],
        format!("slots of {}", shown_ms(every)),
        "write 100ms to 1d",
    );
    out.unless(
        offset < every,
        &["offset", "every"],
        format!(
            "the offset, {}, is not shorter than a slot, {}",
            shown_ms(offset),
            shown_ms(every)
        ),
        "an offset shifts slots within their length: write less than `every`",
    );
    out
}

pub(crate) fn point(point: &Point) -> Problems {
    let mut out = Problems::default();
    match &point.from {
        Source::Register(register) => registers(register, &mut out),
        Source::Record(_) if point.is_readout() => {}
        Source::Record(pick) => mbus::pick_rules(pick, &mut out),
    }
    scale(point, &mut out);
    life::role_rules(point, &mut out);
    memory::point_rules(point, &mut out);
    opaque::rules(point, &mut out);
    if let Some((min, max)) = point.range {
        out.unless(
            min.cmp_value(max) != Ordering::Greater,
            &["range"],
            format!("no value lies between {min} and {max}"),
            "write the smallest good value first, then the largest",
        );
    }
    let len = point.unit.len();
    out.unless(
        len <= UNIT_BYTES_MAX,
        &["unit"],
        format!("a unit of {len} bytes"),
        format!("at most {UNIT_BYTES_MAX}, such as \"kWh\""),
    );
    out
}

fn registers(register: &Register, out: &mut Problems) {
    let end = u32::from(register.address) + u32::from(register.width());
    out.unless(
        end <= REGISTERS,
        &["register", "type"],
        format!(
            "a value of {} registers at {} ends past 65535",
            register.width(),
            register.address
        ),
        "choose a lower address or a narrower type",
    );
    if register.registers.is_some() {
        return;
    }
    let bits = matches!(register.table, Table::Coil | Table::Discrete);
    let bit = register.value == ValueType::Bit;
    let (table, value) = (word_of(register.table), word_of(register.value));
    out.unless(
        bit || !bits,
        &["type", "register"],
        format!("the table `{table}` holds bits, not `{value}`"),
        "write type = \"bit\", or a register of `holding` or `input`",
    );
    out.unless(
        bits || !bit,
        &["type", "register"],
        format!("the table `{table}` holds registers, not bits"),
        "write type = \"u16\", or a register of `coil` or `discrete`",
    );
    bit_field(register, out);
}

fn bit_field(register: &Register, out: &mut Problems) {
    let Some(BitField { low, high }) = register.bits else {
        return;
    };
    let unsigned = [ValueType::U16, ValueType::U32, ValueType::U64];
    out.unless(
        unsigned.contains(&register.value),
        &["bits", "type"],
        format!("`{}` has no bits to choose from", word_of(register.value)),
        "write type = \"u16\", \"u32\" or \"u64\", or remove the line",
    );
    let last = register.value.width() * 16 - 1;
    out.unless(
        low <= high && u16::from(high) <= last,
        &["bits", "type"],
        format!("bits {low} to {high} of a number whose last bit is {last}"),
        "write the lowest bit first; bit 0 is the least significant",
    );
}

fn scale(point: &Point, out: &mut Problems) {
    let scale = point.scale;
    let value = point.register().map(|register| register.value);
    let bit = value == Some(ValueType::Bit);
    out.unless(
        scale.mantissa() != 0,
        &["scale"],
        "a scale of 0 makes every value 0",
        "write 1 for the raw number",
    );
    let one = Decimal::new(1, 0).is_ok_and(|one| one.cmp_value(scale) == Ordering::Equal);
    out.unless(
        !bit || one || scale.mantissa() == 0,
        &["scale", "type"],
        "a bit has no scale",
        "remove the line",
    );
    // Wider counters are multiplied by short scales only; the reading says so if it ever overflows.
    let raw_max = match value {
        Some(ValueType::Bit | ValueType::U16 | ValueType::I16 | ValueType::Bcd16) => {
            i128::from(u16::MAX)
        }
        Some(ValueType::U32 | ValueType::I32 | ValueType::Bcd32) => i128::from(u32::MAX),
        _ => 1,
    };
    let largest = Decimal::new(raw_max, 0).and_then(|raw| raw.checked_mul(scale));
    out.unless(
        largest.is_ok(),
        &["scale", "type"],
        format!("the largest raw number times {scale} has more digits than a value can hold"),
        "write the scale with fewer digits",
    );
}
