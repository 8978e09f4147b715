//! A file to begin with: every key of the declared table, with what it means, set or as a comment.

use crate::firmware::FIRMWARE;
use crate::keys::{Key, METER, POINT, PROFILE, Preset, RTU, SECTIONS, Section, TCP, UPLINK};
use crate::limits::HEAD_END;
use crate::modem::MODEM;
use crate::offered::OFFERED;
use crate::outputs::{AO, DO};
use crate::station::{AI, CARD, DEBOUNCE, DI, PULSE};
use crate::syslog::SYSLOG;
use crate::time::TIME;
use crate::timestamp::TIMESTAMP;
use crate::watch::{ENVIRONMENT, POWER, RESET};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Behind each value that only the owner of the file can know.
pub const FILL_IN: &str = "# <- fill in";
/// Columns of a comment.
const COLUMNS: usize = 98;
const PORT_ID: &str = "port-1";
const SCHEDULE_ID: &str = "regular";
const PROFILE_ID: &str = "acme-3p";
/// Tables of the station's own points.
const STATION: [&str; 11] = [
    CARD.header,
    DEBOUNCE.header,
    DI.header,
    PULSE.header,
    AI.header,
    POWER.header,
    ENVIRONMENT.header,
    RESET.header,
    DO.header,
    AO.header,
    MODEM.header,
];
/// Tables that are comments until somebody wants them.
const OFF: [&str; 17] = [
    SYSLOG.header,
    TIMESTAMP.header,
    FIRMWARE.header,
    PROFILE.header,
    TIME.header,
    OFFERED.header,
    CARD.header,
    DEBOUNCE.header,
    DI.header,
    PULSE.header,
    AI.header,
    POWER.header,
    ENVIRONMENT.header,
    RESET.header,
    DO.header,
    AO.header,
    MODEM.header,
];

/// Where the first meter is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wire {
    /// A serial device.
    Rtu {
        /// Its path.
        device: String,
        /// Bits per second, where not the default.
        baud: Option<u32>,
        /// The parity's word, where not the default.
        parity: Option<String>,
    },
    /// `host:port`.
    Tcp(String),
}

/// A point of the first meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftPoint {
    /// Its name.
    pub id: String,
    /// Table and address.
    pub register: String,
    /// Its type's word.
    pub value: String,
}

/// What is known of a station when its file is begun; all of it may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// The log's name.
    pub origin: Option<String>,
    /// A name for people.
    pub name: Option<String>,
    /// Where the first meter is attached.
    pub wire: Option<Wire>,
    /// The first meter's name.
    pub meter: Option<String>,
    /// Its address on the port.
    pub unit: Option<u8>,
    /// Its points.
    pub points: Vec<DraftPoint>,
    /// How often it is read.
    pub every: Option<String>,
    /// Base URL of the collector; without one there is none.
    pub uplink: Option<String>,
}

/// How a key stands in the file.
enum Line {
    Set(String),
    FillIn,
    Comment(String),
}

/// The file: values that `draft` lacks and nobody can guess are empty and marked with [`FILL_IN`].
#[must_use]
pub fn template(draft: &Draft) -> String {
    let mut out = String::from(
        "# What this node reads, how it keeps it, and where it delivers it.\n#\n\
         # Every key stands here with its meaning. A line such as `#name = \"...\"` is not in force; what\n\
         # it shows is what holds without it, or an example. `fieldnotary check FILE` says what is wrong\n\
         # or still to be filled in, all at once.\n\
         # Durations: \"500ms\", \"1s\", \"15min\", \"1h\", \"1d\". Sizes: 4096, \"64KiB\", \"16MiB\".\n\
         # Decimals stand in quotes, so that they stay exact: \"0.01\".\n",
    );
    for section in SECTIONS.iter().filter(|section| **section != POINT) {
        let off = match section.header {
            header if header == UPLINK.header => draft.uplink.is_none(),
            header => OFF.contains(&header),
        };
        table(&mut out, section, section.header, off, draft, None);
        if *section == UPLINK && off {
            out += "# `fieldnotary-collector issue` prints this table, ready to paste.\n";
        }
        if *section == PROFILE {
            out += "# Its points have the keys of [[meter.point]] below.\n\
                    #[[profile.point]]\n#id = \"energy\"\n#register = \"holding:0\"\n#type = \"u32\"\n";
        }
        if *section == METER {
            let none = [None];
            let points = draft.points.iter().map(Some);
            let points: Vec<Option<&DraftPoint>> = points.collect();
            let points = if points.is_empty() {
                &none[..]
            } else {
                &points
            };
            for (place, point) in points.iter().enumerate() {
                if place == 0 {
                    table(&mut out, &POINT, "[[meter.point]]", false, draft, *point);
                } else if let Some(point) = point {
                    out += &format!(
                        "\n[[meter.point]]\nid = {:?}\nregister = {:?}\ntype = {:?}\n",
                        point.id, point.register, point.value
                    );
                }
            }
        }
    }
    out
}

/// One table: what it is for, its header, its keys; `off` where all of it is a comment.
fn table(
    out: &mut String,
    section: &Section,
    header: &str,
    off: bool,
    draft: &Draft,
    point: Option<&DraftPoint>,
) {
    out.push('\n');
    comment(out, section.doc);
    let mark = if off { "#" } else { "" };
    *out += &format!("{mark}{header}\n");
    for key in section.keys.iter().filter(|key| key.kind != "tables") {
        comment(out, &meaning(section, key));
        let name = key.name;
        match line(section, key, draft, point) {
            Line::Set(value) => *out += &format!("{mark}{name} = {value}\n"),
            Line::FillIn => *out += &format!("{mark}{name} = \"\"  {FILL_IN}\n"),
            Line::Comment(value) => *out += &format!("#{name} = {value}\n"),
        }
    }
}

fn meaning(section: &Section, key: &Key) -> String {
    let only = section.only(key);
    let otherwise = match key.preset {
        Preset::Stated(words) => format!(" Left out: {words}."),
        Preset::Required | Preset::Text(_) | Preset::Number(_) => String::new(),
    };
    format!("{}{only}{otherwise}", key.doc)
}

/// How one key stands in the file: what the draft says, what nobody can guess, or what holds without it.
fn line(section: &Section, key: &Key, draft: &Draft, point: Option<&DraftPoint>) -> Line {
    let known = known(section, key.name, draft, point);
    if let Some(value) = known {
        return Line::Set(value);
    }
    let rtu = matches!(draft.wire, Some(Wire::Rtu { .. }));
    match key.preset {
        Preset::Required if key.only.contains(&RTU) != key.only.contains(&TCP) => {
            match (key.only.contains(&TCP), rtu) {
                (true, false) => Line::FillIn,
                _ => Line::Comment(example(section, key.name)),
            }
        }
        Preset::Required if section.header == UPLINK.header && draft.uplink.is_none() => {
            Line::Comment(example(section, key.name))
        }
        Preset::Required
            if STATION.contains(&section.header)
                || [SYSLOG.header, TIMESTAMP.header].contains(&section.header) =>
        {
            Line::Comment(example(section, key.name))
        }
        Preset::Required => Line::FillIn,
        Preset::Stated(_) | Preset::Text("") => Line::Comment(example(section, key.name)),
        Preset::Text(text) => Line::Comment(format!("{text:?}")),
        Preset::Number(number) => Line::Comment(number.to_string()),
    }
}

/// What the draft says of a key, or what serves as well as anything else.
fn known(
    section: &Section,
    name: &str,
    draft: &Draft,
    point: Option<&DraftPoint>,
) -> Option<String> {
    let quoted = |text: &str| format!("{text:?}");
    let given = |text: &Option<String>| text.as_deref().map(quoted);
    let (device, address, baud, parity) = match &draft.wire {
        Some(Wire::Rtu {
            device,
            baud,
            parity,
        }) => (Some(device), None, *baud, parity.clone()),
        Some(Wire::Tcp(address)) => (None, Some(address), None, None),
        None => (None, None, None, None),
    };
    match (section.header, name) {
        ("[station]", "origin") => given(&draft.origin),
        ("[station]", "name") => given(&draft.name),
        ("[uplink]", "url") => given(&draft.uplink),
        ("[[port]]", "id") => Some(quoted(PORT_ID)),
        ("[[port]]", "kind") if device.is_some() => Some(quoted("modbus-rtu")),
        ("[[port]]", "kind") => Some(quoted("modbus-tcp")),
        ("[[port]]", "device") => device.map(|device| quoted(device)),
        ("[[port]]", "address") => address.map(|address| quoted(address)),
        ("[[port]]", "baud") => baud.map(|baud| baud.to_string()),
        ("[[port]]", "parity") => parity.as_deref().map(quoted),
        ("[[schedule]]", "id") => Some(quoted(SCHEDULE_ID)),
        ("[[schedule]]", "every") => given(&draft.every).or_else(|| Some(quoted("10s"))),
        ("[[time.offered]]", "id") => Some(quoted(HEAD_END)),
        ("[[profile]]", "id") => Some(quoted(PROFILE_ID)),
        ("[[meter]]", "id") => given(&draft.meter).or_else(|| Some(quoted("meter-1"))),
        ("[[meter]]", "port") => Some(quoted(PORT_ID)),
        ("[[meter]]", "unit") => Some(draft.unit.unwrap_or(1).to_string()),
        ("[[meter]]" | "[[pulse]]" | "[[ai]]" | "[[modem]]", "schedule") => {
            Some(quoted(SCHEDULE_ID))
        }
        ("[[card]]", "id") => Some(quoted("dio-1")),
        ("[[card]]", "kind") => Some(quoted("gpio")),
        ("[[debounce]]", "id") => Some(quoted("contact")),
        ("[[di]]", "id") => Some(quoted("door")),
        ("[[pulse]]", "id") => Some(quoted("water")),
        ("[[ai]]", "id") => Some(quoted("cabinet")),
        ("[[power]]", "id") => Some(quoted("vbat")),
        ("[[environment]]", "id") => Some(quoted("cabinet-air")),
        ("[[reset]]", "id") => Some(quoted("board")),
        ("[[do]]", "id") => Some(quoted("breaker")),
        ("[[ao]]", "id") => Some(quoted("valve")),
        ("[[modem]]", "id") => Some(quoted("plc-1")),
        (header, "id") if header == POINT.header => {
            Some(quoted(point.map_or("value-1", |point| &point.id)))
        }
        (header, "register") if header == POINT.header => {
            point.map(|point| quoted(&point.register))
        }
        (header, "type") if header == POINT.header => {
            Some(quoted(point.map_or("u16", |point| &point.value)))
        }
        _ => None,
    }
}

/// An example of a value that has no default to show.
fn example(section: &Section, name: &str) -> String {
    let text = match (section.header, name) {
        (_, "backoff") => "[\"1s\", \"60s\"]",
        (_, "range") => "[\"0\", \"99999999\"]",
        ("[station]", "name") => "\"Hall 3\"",
        (_, "truth_dir") => "\"/mnt/fram\"",
        (_, "truth_device") => "\"/sys/bus/spi/devices/spi0.0/fram\"",
        (_, "budget") => "\"500ms\"",
        (_, "ptp") => "\"/var/run/ptp4l\"",
        (_, "ptp_asymmetry") => "\"5us\"",
        (_, "ptp_timestamping") => "\"software\"",
        (_, "chrony") => "\"/run/chrony/chronyd.sock\"",
        (_, "rtc") => "\"/dev/rtc0\"",
        (_, "thermal") => "\"/sys/class/hwmon/hwmon0/temp1_input\"",
        (_, "refclock") => "\"/run/chrony/fieldnotary.sock\"",
        ("[firmware]", "version" | "allow_down_to") => "3",
        ("[firmware]", "file") => "\"/etc/os-release\"",
        ("[timestamp]", "url") => "\"http://timestamp.example.org/tsr\"",
        (_, "trust_file") => "\"/etc/fieldnotary/timestamp-ca.pem\"",
        (_, "url") => "\"https://collector.example.org:7443\"",
        (_, "collector_key") => "\"collector.example.org+15d1a274+BLJlUh...\"",
        (_, "ca_file") => "\"/etc/fieldnotary/ca.pem\"",
        (_, "cert_file") => "\"/etc/fieldnotary/node.pem\"",
        (_, "key_file") => "\"/etc/fieldnotary/node.key\"",
        (_, "device") => "\"/dev/ttyUSB0\"",
        ("[syslog]", "address") => "\"syslog.example.org:6514\"",
        (_, "address") => "\"192.0.2.7:502\"",
        (_, "late_reply") => "\"2s\"",
        ("[[meter]]", "timeout") => "\"1500ms\"",
        ("[[meter]]", "retries") => "0",
        (_, "baud") => "9600",
        (_, "clock_zone") => "\"+01:00\"",
        (_, "clock_register") => "\"holding:9\"",
        (_, "clock_telegram") => "\"type-i\"",
        (_, "role") => "\"counter\"",
        (_, "rolls_at") => "\"1000000\"",
        (_, "memory") => "\"holding:1000\"",
        (_, "memory_records") => "96",
        (_, "memory_width") => "4",
        (_, "memory_every") => "\"15min\"",
        (_, "memory_offset") => "2",
        (_, "storages") => "31",
        (_, "storage_dates") => "\"end\"",
        (_, "storage_every") => "\"1d\"",
        (_, "payload") => "\"application/octet-stream\"",
        (_, "registers") => "40",
        (_, "latency") => "\"20ms\"",
        (_, "shared") => "false",
        (_, "primary") => "5",
        (_, "secondary") => "\"12345678\"",
        (_, "manufacturer") => "\"LUG\"",
        (_, "version" | "medium") => "4",
        (_, "reads_per_day") => "24",
        (_, "record" | "storage" | "tariff" | "subunit") => "0",
        (_, "quantity") => "\"Volume\"",
        (_, "function") => "\"instantaneous\"",
        (_, "record_unit") => "\"Wh\"",
        (_, "bits") => "\"4-7\"",
        (_, "profile") => "\"acme-3p\"",
        (_, "unit") => "\"kWh\"",
        _ => of_the_station(section, name),
    };
    debug_assert!(!text.is_empty(), "{} {name} has an example", section.header);
    String::from(text)
}

/// The same of what only the station's own points have.
fn of_the_station(section: &Section, name: &str) -> &'static str {
    match (section.header, name) {
        ("[[do]]" | "[[ao]]", "name") => "\"Bay 3\"",
        ("[[do]]", "safe") => "\"off\"",
        ("[[ao]]", "safe") => "\"0\"",
        (_, "pulse") => "\"500ms\"",
        (_, "feedback" | "remote_switch") => "\"contact\"",
        (_, "tolerance") => "\"1.5\"",
        (_, "interlocks") => "[\"earth off good\", \"pressure < 8.5\"]",
        (_, "overload") => "\"converter-fault on\"",
        (_, "path") => "\"/dev/gpiochip0\"",
        ("[[card]]", "port") => "\"remote-line\"",
        (_, "card") => "\"dio-1\"",
        (_, "line") => "4",
        (_, "debounce") => "\"contact\"",
        (_, "window") => "\"10ms\"",
        (_, "fault_line") => "5",
        ("[[di]]", "name") => "\"Door of bay 3\"",
        (_, "capacity") => "65536",
        (_, "ask") => "[\"AT+PLCSTAT?\"]",
        (_, "link") => "\"/link/up\"",
        (_, "retransmissions") => "\"/tx/retries\"",
        (_, "quality") => "\"/snr\"",
        (_, "quality_buckets") => "[\"10\", \"20\"]",
        (_, "counters") => "[\"crc=/rx/crc\"]",
        (_, "marker") => "\"surge\"",
        ("[[power]]", "channel") => "\"in1_input\"",
        ("[[reset]]", "channel") => "\"power_on_reason\"",
        (_, "droop") => "\"11.5\"",
        ("[[power]]", "brownout") => "\"10.5\"",
        (_, "uvlo") => "\"9\"",
        (_, "cold") => "\"-10\"",
        (_, "hot") => "\"70\"",
        (_, "dry") => "\"10\"",
        (_, "humid") => "\"85\"",
        ("[[reset]]", _) => "[\"32\"]",
        (_, "channel") => "\"temp1_input\"",
        (_, "deadband") => "\"0.5\"",
        (_, "rate_max") => "\"2\"",
        ("[[ai]]", "noise") => "\"0.2\"",
        (_, "open_below") => "\"3600\"",
        (_, "short_above") => "\"21000\"",
        (_, "stale") => "\"5s\"",
        (_, "calibration") => "\"2026-03\"",
        (_, "calibrated") => "\"2026-03-14\"",
        (_, "calibrated_by") => "\"ada, certificate 4711\"",
        _ => "",
    }
}

/// Words as comment lines.
fn comment(out: &mut String, words: &str) {
    let mut line = String::from("#");
    for word in words.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > COLUMNS {
            *out += &format!("{line}\n");
            line = String::from("#");
        }
        line.push(' ');
        line += word;
    }
    *out += &format!("{line}\n");
}
