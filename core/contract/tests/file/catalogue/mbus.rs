//! Mistakes in what a file says of an M-Bus: its line, its meters' addresses, what selects a record.

use super::{Case, case};

/// A sound file of one M-Bus.
pub(crate) const FILE: &str = r#"[station]
origin = "example.org/s1"

[[port]]
id = "bus"
kind = "mbus"
device = "/dev/ttyS1"
baud = 2400

[[port]]
id = "lan"
kind = "modbus-tcp"
address = "10.0.0.5:502"

[[schedule]]
id = "hour"
every = "1h"

[[profile]]
id = "water"

[[profile.point]]
id = "volume"
quantity = "Volume"
unit = "m^3"

[[profile.point]]
id = "flow"
record = 3

[[meter]]
id = "w1"
port = "bus"
primary = 5 # w1
schedule = "hour"
profile = "water" # w1

[[meter]]
id = "w2"
port = "bus"
secondary = "12345678"
schedule = "hour"
profile = "water"

[[meter]]
id = "m1"
port = "lan"
unit = 1
schedule = "hour"
point = [{id = "volt", register = "holding:0", type = "u16"}]
"#;

/// A key or word that is written wrong is the one error, told in the words of an M-Bus.
pub(super) const TYPOS: &[Case] = &[
    case(
        "quantity = \"Volume\"",
        "quantitiy = \"Volume\"",
        "24:1 profile.water.volume.quantitiy",
        "unknown key `quantitiy`; did you mean `quantity`?",
    ),
    case(
        "record = 3",
        "recrod = 3",
        "29:1 profile.water.flow.recrod",
        "did you mean `record`?",
    ),
    case(
        "profile = \"water\" # w1",
        "point = [{id = \"v\", quantitiy = \"Volume\"}]",
        "36:21 meter.w1.v.quantitiy",
        "did you mean `quantity`?",
    ),
    case(
        "profile = \"water\" # w1",
        "point = [{id = \"v\", record = 1, typ = \"u16\"}]",
        "36:33 meter.w1.v.typ",
        "unknown key `typ`; known here: `id`, `record`, `quantity`, `function`, `storage`",
    ),
    case(
        "primary = 5 # w1",
        "primry = 5",
        "34:1 meter.w1.primry",
        "did you mean `primary`?",
    ),
    case(
        "kind = \"mbus\"",
        "kind = \"mbuss\"",
        "6:8 port.bus.kind",
        "did you mean \"mbus\"?",
    ),
    case(
        "kind = \"mbus\"",
        "kind = \"wired\"",
        "6:8 port.bus.kind",
        "\"mbus\"",
    ),
];

pub(super) const LINES: &[Case] = &[
    case(
        "baud = 2400",
        "baud = 9601",
        "8:8 port.bus.baud",
        "9601 is not a speed of an M-Bus; the nearest one is 9600",
    ),
    case(
        "baud = 2400",
        "baud = 57600",
        "8:8 port.bus.baud",
        "the nearest one is 38400",
    ),
    case(
        "baud = 2400",
        "parity = \"odd\"",
        "8:10 port.bus.parity",
        "an M-Bus has even parity",
    ),
    case(
        "baud = 2400",
        "latency = \"3s\"",
        "8:11 port.bus.latency",
        "at most 2s",
    ),
    case(
        "baud = 2400",
        "latency = 20",
        "8:11 port.bus.latency",
        "in quotes: \"20ms\"",
    ),
    case(
        "baud = 2400",
        "power_up = \"2min\"",
        "8:12 port.bus.power_up",
        "at most 1min",
    ),
    case(
        "baud = 2400",
        "shared = \"yes\"",
        "8:10 port.bus.shared",
        "write true or false, without quotes",
    ),
    case(
        "baud = 2400",
        "timeout = \"1s\"",
        "8:11 port.bus.timeout",
        "is for ports of kind \"modbus-rtu\" or \"modbus-tcp\"",
    ),
    case(
        "baud = 2400",
        "stop_bits = 1",
        "8:13 port.bus.stop_bits",
        "this port is \"mbus\"",
    ),
    case(
        "address = \"10.0.0.5:502\"",
        "address = \"10.0.0.5:502\"\nshared = true",
        "14:10 port.lan.shared",
        "is for ports of kind \"mbus\"",
    ),
    case(
        "device = \"/dev/ttyS1\"",
        "",
        "4:1 port.bus.device",
        "`device` is missing",
    ),
    case(
        "device = \"/dev/ttyS1\"",
        "device = \"ttyS1\"",
        "7:10 port.bus.device",
        "the whole path",
    ),
];

pub(super) const METERS: &[Case] = &[
    case(
        "primary = 5 # w1",
        "primary = 251",
        "34:11 meter.w1.primary",
        "address 251 is reserved; write 0 to 250",
    ),
    case(
        "primary = 5 # w1",
        "primary = 253",
        "34:11 meter.w1.primary",
        "whichever meter is selected",
    ),
    case(
        "primary = 5 # w1",
        "primary = 254",
        "34:11 meter.w1.primary",
        "answered by every meter at once",
    ),
    case(
        "primary = 5 # w1",
        "primary = 300",
        "34:11 meter.w1.primary",
        "0 to 250",
    ),
    case(
        "primary = 5 # w1",
        "",
        "31:1 meter.w1.primary",
        "write primary = 5, or secondary = \"12345678\"",
    ),
    case(
        "primary = 5 # w1",
        "unit = 5",
        "34:8 meter.w1.unit",
        "its port is \"mbus\"",
    ),
    case(
        "primary = 5 # w1",
        "primary = 5\nretries = 0",
        "35:11 meter.w1.retries",
        "its port is \"mbus\"",
    ),
    case(
        "primary = 5 # w1",
        "primary = 5\nversion = 1",
        "35:11 meter.w1.version",
        "`version` narrows `secondary`, which is not there",
    ),
    case(
        "primary = 5 # w1",
        "primary = 5\nsecondary = \"12345678\"",
        "42:13 meter.w2.secondary",
        "meter \"w1\" has this address on port \"bus\" too",
    ),
    case(
        "secondary = \"12345678\"",
        "primary = 5",
        "41:11 meter.w2.primary",
        "meter \"w1\" has this address on port \"bus\" too",
    ),
    case(
        "secondary = \"12345678\"",
        "secondary = 12345678",
        "41:13 meter.w2.secondary",
        "write its eight digits in quotes: \"12345678\"",
    ),
    case(
        "secondary = \"12345678\"",
        "secondary = \"1234567\"",
        "41:13 meter.w2.secondary",
        "the eight digits on the meter's label",
    ),
    case(
        "secondary = \"12345678\"",
        "secondary = \"1234567G\"",
        "41:13 meter.w2.secondary",
        "is no identification number",
    ),
    case(
        "secondary = \"12345678\"",
        "secondary = \"1234FFFF\"",
        "41:13 meter.w2.secondary",
        "\"1234FFFF\" has a wildcard, F",
    ),
    case(
        "secondary = \"12345678\"",
        "secondary = \"1234567a\"",
        "41:13 meter.w2.secondary",
        "write \"1234567A\"",
    ),
    case(
        "secondary = \"12345678\"",
        "secondary = \"12345678\"\nmanufacturer = \"lug\"",
        "42:16 meter.w2.manufacturer",
        "three capital letters",
    ),
    case(
        "secondary = \"12345678\"",
        "secondary = \"12345678\"\nversion = 255",
        "42:11 meter.w2.version",
        "leave it out for any",
    ),
    case(
        "secondary = \"12345678\"",
        "secondary = \"12345678\"\nmedium = 255",
        "42:10 meter.w2.medium",
        "leave it out for any",
    ),
    case(
        "secondary = \"12345678\"",
        "secondary = \"12345678\"\nbaud = 1000",
        "42:8 meter.w2.baud",
        "the nearest one is 1200",
    ),
    case(
        "secondary = \"12345678\"",
        "secondary = \"12345678\"\nreads_per_day = 97",
        "42:17 meter.w2.reads_per_day",
        "write 1 to 96",
    ),
    case(
        "secondary = \"12345678\"",
        "secondary = \"12345678\"\nreads_per_day = 4",
        "42:17 meter.w2.reads_per_day",
        "schedule \"hour\" asks 24 times a day, and 4 are allowed; read it every 6h or less often",
    ),
    case(
        "unit = 1",
        "unit = 1\nprimary = 1",
        "49:11 meter.m1.primary",
        "its port is \"modbus-tcp\"",
    ),
];

pub(super) const RECORDS: &[Case] = &[
    case(
        "record = 3",
        "storage = 3",
        "29:11 profile.water.flow.storage",
        "this fits more than one record; write `quantity`",
    ),
    case(
        "record = 3",
        "record = 8000",
        "29:10 profile.water.flow.record",
        "the first is 0",
    ),
    case(
        "record = 3",
        "record = \"3\"",
        "29:10 profile.water.flow.record",
        "write it without quotes: 3",
    ),
    case(
        "record = 3",
        "record = 3\nregister = \"holding:0\"",
        "29:10 profile.water.flow.record",
        "a point has one of them",
    ),
    case(
        "record = 3",
        "record = 3\ntype = \"u16\"",
        "30:8 profile.water.flow.type",
        "a data record says itself how it is coded",
    ),
    case(
        "record = 3",
        "record = 3\nbits = \"3\"",
        "30:8 profile.water.flow.bits",
        "a data record says itself how it is coded",
    ),
    case(
        "record = 3",
        "record = 3\nword_order = \"low-first\"",
        "30:14 profile.water.flow.word_order",
        "a data record says itself how it is coded",
    ),
    case(
        "record = 3",
        "record = 3\nfunction = \"minimal\"",
        "30:12 profile.water.flow.function",
        "did you mean \"minimum\"?",
    ),
    case(
        "record = 3",
        "record = 3\ntariff = -1",
        "30:10 profile.water.flow.tariff",
        "from 0",
    ),
    case(
        "record = 3",
        "record = 3\nsubunit = 70000",
        "30:11 profile.water.flow.subunit",
        "outside the range",
    ),
    case(
        "quantity = \"Volume\"",
        "quantity = \"\"",
        "24:12 profile.water.volume.quantity",
        "as `bus mbus read` shows it",
    ),
    case(
        "record = 3",
        "record = 3\nrecord_unit = \"\"",
        "30:15 profile.water.flow.record_unit",
        "as `bus mbus read` shows it",
    ),
    case(
        "unit = \"m^3\"",
        "scale = 0",
        "25:9 profile.water.volume.scale",
        "makes every value 0",
    ),
    case(
        "unit = \"m^3\"",
        "range = [\"5\", \"1\"]",
        "25:9 profile.water.volume.range",
        "no value lies between 5 and 1",
    ),
    case(
        "profile = \"water\" # w1",
        "point = [{id = \"volt\", register = \"holding:0\", type = \"u16\"}]",
        "36:35 meter.w1.volt.register",
        "`register` is of a Modbus meter, and this one is on an M-Bus; select a data record with `quantity`",
    ),
    case(
        "profile = \"water\" # w1",
        "point = [{id = \"volt\", type = \"u16\"}]",
        "36:31 meter.w1.volt.type",
        "`type` is of a Modbus meter",
    ),
    case(
        "profile = \"water\" # w1",
        "point = [{id = \"volt\"}]",
        "36:10 meter.w1.volt.quantity",
        "the point names no data record of its meter; select a data record with `quantity` or `record`",
    ),
    case(
        "point = [{id = \"volt\", register = \"holding:0\", type = \"u16\"}]",
        "profile = \"water\"",
        "50:11 meter.m1.profile",
        "point \"volume\" reads a data record, which no meter on port \"lan\" has",
    ),
];
