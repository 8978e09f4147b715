//! Every mistake in a file: one error, at its place, that says what would be right.

use crate::common::{BASE, only_error, with};
use fieldnotary_contract::{ContractErrors, parse};

const KEY: &str = "collector.example.org+15d1a274+BLJlUhQYCbhJkyF9U5xc/X9dHRRjf54/ty7oPUy1d599";

/// A change to the sound file, where the error is, its key, and what it says.
struct Case {
    from: &'static str,
    to: &'static str,
    place: &'static str,
    says: &'static str,
}

const fn case(
    from: &'static str,
    to: &'static str,
    place: &'static str,
    says: &'static str,
) -> Case {
    Case {
        from,
        to,
        place,
        says,
    }
}

fn check(cases: &[Case]) {
    let mut wrong = String::new();
    for case in cases {
        let found = only_error(&with(case.from, case.to));
        let error = match found {
            Ok(error) => error,
            Err(shown) => {
                wrong += &format!("{:?}\n{shown}\n", case.to);
                continue;
            }
        };
        let place = format!("{}:{} {}", error.line, error.column, error.key);
        let says = format!("{}; {}", error.what, error.advice);
        if place != case.place || !says.contains(case.says) {
            wrong += &format!("{:?}\n  at {place}\n  {says}\n", case.to);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_sound_file_is_sound() {
    let contract = parse(BASE).map_err(|errors| ContractErrors::new("base", &errors).to_string());
    assert_eq!(contract.map(|contract| contract.meters.len()), Ok(2));
}

const NOTATION_AND_NAMES: &[Case] = &[
    case(
        "[storage]",
        "[station]\nname = \"x\"\n[storage]",
        "5:2 ",
        "each table once in the file",
    ),
    case(
        "type = \"i16\"",
        "type = \"i16\"\nrange = [\"0\", \"1\"",
        "51:1 ",
        "this list is not closed",
    ),
    case("name = \"Hall\"", "name \"Hall\"", "3:6 ", "expected `=`"),
    case(
        "name = \"Hall\"",
        "name = \"Hall",
        "3:13 ",
        "invalid basic string",
    ),
    case(
        "[[meter]]\nid = \"m1\"",
        "[[meter]\nid = \"m1\"",
        "52:9 ",
        "unclosed array table",
    ),
    case(
        "baud = 9600",
        "baud = 9600\nbaud = 9600",
        "23:1 ",
        "duplicate key",
    ),
    case(
        "baud = 9600",
        "buad = 9600",
        "22:1 port.line.buad",
        "did you mean `baud`?",
    ),
    case(
        "baud = 9600",
        "every = \"1s\"",
        "22:1 port.line.every",
        "belongs in [seal] or [[schedule]]",
    ),
    case(
        "baud = 9600",
        "colour = 1",
        "22:1 port.line.colour",
        "known here: `id`, `kind`",
    ),
    case(
        "[station]",
        "[sattion]\nx = 1\n[station]",
        "1:2 sattion",
        "did you mean [station]?",
    ),
    case(
        "[station]",
        "[meters]\n[station]",
        "1:2 meters",
        "did you mean [[meter]]?",
    ),
    case(
        "[[schedule]]",
        "[schedule]",
        "34:1 schedule",
        "write [[schedule]] above each",
    ),
    case(
        "[station]",
        "[[station]]",
        "1:1 station",
        "write [station] once",
    ),
    case(
        "id = \"line\"",
        "id = \"my line\"",
        "19:6 port.#1.id",
        "made of letters, digits",
    ),
    case(
        "id = \"line\"",
        "id = \"\"",
        "19:6 port.#1.id",
        "cannot be empty",
    ),
    case(
        "id = \"line\"",
        "id = 7",
        "19:6 port.#1.id",
        "write it in quotes: \"7\"",
    ),
    case(
        "id = \"spare\"",
        "id = \"recorder\"",
        "25:6 port.recorder.id",
        "names a part of the node",
    ),
];

//= R6.2
#[test]
fn notation_and_names_are_checked() {
    check(NOTATION_AND_NAMES);
}

const STATION_STORAGE_AND_SEAL: &[Case] = &[
    case(
        "origin = \"example.org/s1\"",
        "",
        "1:1 station.origin",
        "`origin` is missing",
    ),
    case(
        "example.org/s1",
        "",
        "2:10 station.origin",
        "the origin is empty",
    ),
    case(
        "example.org/s1",
        "example.org/s 1",
        "2:10 station.origin",
        "a space or a plus",
    ),
    case(
        "example.org/s1",
        "example.org/s+1",
        "2:10 station.origin",
        "a space or a plus",
    ),
    case(
        "example.org/s1",
        "https://example.org/s1",
        "2:10 station.origin",
        "has a scheme",
    ),
    case(
        "example.org/s1",
        "example.org/s1/",
        "2:10 station.origin",
        "with a slash",
    ),
    case(
        "example.org/s1",
        "example.org/s1/g3",
        "2:10 station.origin",
        "leave the generation out",
    ),
    case(
        "segments = 4",
        "segments = 1",
        "6:12 storage.segments",
        "at least 2",
    ),
    case(
        "segments = 4",
        "segments = 2.5",
        "6:12 storage.segments",
        "expected a whole number, found a number with a fraction",
    ),
    case(
        "segments = 4",
        "segments = \"4\"",
        "6:12 storage.segments",
        "write it without quotes: 4",
    ),
    case(
        "segments = 4",
        "segments = -1",
        "6:12 storage.segments",
        "outside the range",
    ),
    case(
        "segments = 4",
        "block = 1000",
        "6:9 storage.block",
        "write 512, 4096 or 16384",
    ),
    case(
        "segments = 4",
        "segment_size = \"16MB\"",
        "6:16 storage.segment_size",
        "did you mean \"16MiB\"?",
    ),
    case(
        "segments = 4",
        "segment_size = \"4KiB\"",
        "6:16 storage.segment_size",
        "write 64KiB to 1GiB",
    ),
    case(
        "segments = 4",
        "segment_size = 100000",
        "6:16 storage.segment_size",
        "the next multiple is 102400",
    ),
    case(
        "segments = 4",
        "truth = \"independant\"",
        "6:9 storage.truth",
        "did you mean \"independent\"?",
    ),
    case(
        "segments = 4",
        "truth = \"same-device-deferred\"",
        "6:9 storage.truth",
        "write \"independent\" or \"same-device-sync\"",
    ),
    case(
        "segments = 4",
        "group_wait = \"2s\"",
        "6:14 storage.group_wait",
        "at most 1s",
    ),
    case(
        "every = \"30s\"",
        "every = 30",
        "9:9 seal.every",
        "write the unit too, in quotes: \"30s\"",
    ),
    case(
        "every = \"30s\"",
        "every = \"30m\"",
        "9:9 seal.every",
        "did you mean \"30min\"?",
    ),
    case(
        "every = \"30s\"",
        "every = \"1.5s\"",
        "9:9 seal.every",
        "write a whole number and ms, s, min, h or d",
    ),
    case(
        "every = \"30s\"",
        "every = \"99999999999999999999d\"",
        "9:9 seal.every",
        "is not a duration",
    ),
    case(
        "every = \"30s\"",
        "every = \"0s\"",
        "9:9 seal.every",
        "write 1s to 1d",
    ),
    case(
        "every = \"30s\"",
        "every = true",
        "9:9 seal.every",
        "found a boolean",
    ),
    case(
        "every = \"30s\"",
        "entries = 0",
        "9:11 seal.entries",
        "write 1 to 1000000",
    ),
];

//= R6.2
#[test]
fn station_storage_and_seal_are_checked() {
    check(STATION_STORAGE_AND_SEAL);
}

const UPLINK: &[Case] = &[
    case(
        "https://c.example.org",
        "http://c.example.org",
        "12:7 uplink.url",
        "is not encrypted",
    ),
    case(
        "https://c.example.org",
        "c.example.org",
        "12:7 uplink.url",
        "is not an https URL",
    ),
    case(
        "https://c.example.org",
        "https://",
        "12:7 uplink.url",
        "names no host",
    ),
    case(
        "https://c.example.org",
        "https://c:0",
        "12:7 uplink.url",
        "a port from 1 to 65535",
    ),
    case(
        "https://c.example.org",
        "https://a:b@c",
        "12:7 uplink.url",
        "carries a user name",
    ),
    case(
        "https://c.example.org",
        "https://c?x",
        "12:7 uplink.url",
        "a query or a fragment",
    ),
    case(
        KEY,
        "collector",
        "13:17 uplink.collector_key",
        "fewer than three parts",
    ),
    case(
        KEY,
        "c+123+AAAA",
        "13:17 uplink.collector_key",
        "8 lower-case hex digits",
    ),
    case(
        KEY,
        "c+15d1a274+!",
        "13:17 uplink.collector_key",
        "is not base64",
    ),
    case(
        KEY,
        "c+15d1a274+AbJl",
        "13:17 uplink.collector_key",
        "not a cosigner key (type 0x04)",
    ),
    case(
        KEY,
        "c+15d1a274+BLJl",
        "13:17 uplink.collector_key",
        "the key is cut",
    ),
    case(
        "collector.example.org+",
        "collector2.example.org+",
        "13:17 uplink.collector_key",
        "does not fit its name",
    ),
    case(
        "ca_file = \"ca.pem\"",
        "ca_file = \"\"",
        "14:11 uplink.ca_file",
        "the path is empty",
    ),
    case(
        "ca_file = \"ca.pem\"",
        "ca_file = \"-----BEGIN\"",
        "14:11 uplink.ca_file",
        "the key or certificate itself",
    ),
    case(
        "key_file = \"key.pem\"",
        "",
        "11:1 uplink.key_file",
        "`key_file` is missing",
    ),
    case(
        "key_file = \"key.pem\"",
        "key_file = \"key.pem\"\nbackoff = \"1s\"",
        "17:11 uplink.backoff",
        "[\"1s\", \"60s\"]",
    ),
    case(
        "key_file = \"key.pem\"",
        "key_file = \"key.pem\"\nbackoff = [\"1s\"]",
        "17:11 uplink.backoff",
        "expected two values, found 1",
    ),
    case(
        "key_file = \"key.pem\"",
        "key_file = \"key.pem\"\nbackoff = [\"9s\", \"1s\"]",
        "17:11 uplink.backoff",
        "the first wait",
    ),
    case(
        "key_file = \"key.pem\"",
        "key_file = \"key.pem\"\ntimeout = \"1ms\"",
        "17:11 uplink.timeout",
        "write 1s to 10min",
    ),
];

//= R6.2
#[test]
fn uplinks_are_checked() {
    check(UPLINK);
}

const PORTS_AND_SCHEDULES: &[Case] = &[
    case(
        "kind = \"modbus-rtu\"",
        "kind = \"RTU\"",
        "20:8 port.line.kind",
        "write \"modbus-rtu\" or \"modbus-tcp\"",
    ),
    case(
        "kind = \"modbus-rtu\"",
        "kind = \"modbus-rtv\"",
        "20:8 port.line.kind",
        "did you mean \"modbus-rtu\"?",
    ),
    case(
        "kind = \"modbus-rtu\"",
        "",
        "18:1 port.line.kind",
        "`kind` is missing",
    ),
    case(
        "baud = 9600",
        "address = \"h:1\"",
        "22:11 port.line.address",
        "is for ports of kind \"modbus-tcp\"",
    ),
    case(
        "device = \"/dev/ttyS1\"",
        "",
        "18:1 port.line.device",
        "`device` is missing",
    ),
    case(
        "device = \"/dev/ttyS1\"",
        "device = \"ttyS1\"",
        "21:10 port.line.device",
        "the whole path",
    ),
    case(
        "device = \"/dev/ttyS1\"",
        "device = \"/dev/ttyS2\"",
        "27:10 port.spare.device",
        "port \"line\" has the same device",
    ),
    case(
        "baud = 9600",
        "baud = 9601",
        "22:8 port.line.baud",
        "the nearest one is 9600",
    ),
    case(
        "baud = 9600",
        "data_bits = 7",
        "22:13 port.line.data_bits",
        "RTU sends whole bytes",
    ),
    case(
        "baud = 9600",
        "stop_bits = 3",
        "22:13 port.line.stop_bits",
        "write 1 or 2",
    ),
    case(
        "baud = 9600",
        "parity = \"mark\"",
        "22:10 port.line.parity",
        "\"none\", \"even\" or \"odd\"",
    ),
    case(
        "baud = 9600",
        "retries = 99",
        "22:11 port.line.retries",
        "at most 10",
    ),
    case(
        "baud = 9600",
        "timeout = \"0ms\"",
        "22:11 port.line.timeout",
        "write 1ms to 60s",
    ),
    case(
        "baud = 9600",
        "late_reply = \"10ms\"",
        "22:14 port.line.late_reply",
        "10ms is shorter than the timeout, 1s",
    ),
    case(
        "baud = 9600",
        "turnaround = \"1min\"",
        "22:14 port.line.turnaround",
        "at most 10s",
    ),
    case(
        "10.0.0.5:502",
        "10.0.0.5",
        "32:11 port.lan.address",
        "write \"10.0.0.5:502\"",
    ),
    case(
        "10.0.0.5:502",
        "tcp://10.0.0.5:502",
        "32:11 port.lan.address",
        "is a URL",
    ),
    case(
        "10.0.0.5:502",
        "fd00::5:502",
        "32:11 port.lan.address",
        "in brackets",
    ),
    case(
        "10.0.0.5:502",
        "h:99999",
        "32:11 port.lan.address",
        "a port from 1 to 65535",
    ),
    case(
        "id = \"spare\"",
        "id = \"line\"",
        "25:6 port.line.id",
        "\"line\" is declared twice",
    ),
    case(
        "every = \"15min\"",
        "every = \"0min\"",
        "36:9 schedule.quarter.every",
        "write 100ms to 1d",
    ),
    case(
        "every = \"15min\"",
        "every = \"2d\"",
        "36:9 schedule.quarter.every",
        "write 100ms to 1d",
    ),
    case(
        "every = \"15min\"",
        "every = \"15min\"\noffset = \"15min\"",
        "37:10 schedule.quarter.offset",
        "is not shorter than a slot, 15min",
    ),
    case(
        "every = \"15min\"",
        "",
        "34:1 schedule.quarter.every",
        "`every` is missing",
    ),
];

//= R6.2
//= R5.2
#[test]
fn ports_and_schedules_are_checked() {
    check(PORTS_AND_SCHEDULES);
}

const METERS: &[Case] = &[
    case(
        "id = \"m2\"",
        "id = \"m1\"",
        "60:6 meter.m1.id",
        "\"m1\" is declared twice",
    ),
    case(
        "port = \"lan\"",
        "port = \"lam\"",
        "61:8 meter.m2.port",
        "did you mean \"lan\"?",
    ),
    case(
        "port = \"lan\"",
        "port = \"elsewhere\"",
        "61:8 meter.m2.port",
        "declare it with [[port]], or write \"lan\"",
    ),
    case(
        "port = \"lan\"",
        "",
        "59:1 meter.m2.port",
        "`port` is missing",
    ),
    case(
        "port = \"lan\"",
        "port = \"line\"",
        "62:8 meter.m2.unit",
        "meter \"m1\" has unit 1 on port \"line\" too",
    ),
    case(
        "unit = 1 # one",
        "unit = 0",
        "55:8 meter.m1.unit",
        "unit 0 is the broadcast",
    ),
    case(
        "unit = 1 # one",
        "unit = 248",
        "55:8 meter.m1.unit",
        "unit 248 is reserved",
    ),
    case(
        "unit = 1 # one",
        "unit = 300",
        "55:8 meter.m1.unit",
        "1 to 247 on a serial line",
    ),
    case(
        "schedule = \"quarter\" # one",
        "schedule = \"quartr\"",
        "56:12 meter.m1.schedule",
        "did you mean \"quarter\"?",
    ),
    case(
        "profile = \"acme\"",
        "profile = \"amce\"",
        "57:11 meter.m1.profile",
        "did you mean \"acme\"?",
    ),
    case(
        "profile = \"acme\"",
        "",
        "52:1 meter.m1.profile",
        "the meter has no points",
    ),
    case(
        "id = \"level\"",
        "id = \"energy\"",
        "48:6 profile.acme.energy.id",
        "the meter has two points of this id",
    ),
    case(
        "profile = \"acme\"",
        "profile = \"acme\"\npoint = [{id = \"energy\", register = \"input:0\", type = \"u16\"}]",
        "58:16 meter.m1.energy.id",
        "its profile has a point of this id",
    ),
    case(
        "profile = \"acme\"",
        "profile = \"acme\"\npoint = 7",
        "58:9 meter.m1.point",
        "write [[meter.point]] above each",
    ),
];

//= R6.2
//= A4.2
#[test]
fn meters_are_checked() {
    check(METERS);
}

const POINTS: &[Case] = &[
    case(
        "holding:0",
        "holdng:0",
        "43:12 profile.acme.energy.register",
        "did you mean \"holding\"?",
    ),
    case(
        "holding:0",
        "holding:65535",
        "43:12 profile.acme.energy.register",
        "ends past 65535",
    ),
    case(
        "holding:0",
        "holding:65536",
        "43:12 profile.acme.energy.register",
        "addresses end at 65535",
    ),
    case(
        "holding:0",
        "holding:+1",
        "43:12 profile.acme.energy.register",
        "is not a register",
    ),
    case(
        "holding:0",
        "40001",
        "43:12 profile.acme.energy.register",
        "40001 of the old numbering is \"holding:0\"",
    ),
    case(
        "\"holding:0\"",
        "30010",
        "43:12 profile.acme.energy.register",
        "30010 of the old numbering is \"input:9\"",
    ),
    case(
        "holding:0",
        "coil:0",
        "44:8 profile.acme.energy.type",
        "the table `coil` holds bits, not `u32`",
    ),
    case(
        "type = \"u32\"",
        "type = \"bit\"",
        "44:8 profile.acme.energy.type",
        "holds registers, not bits",
    ),
    case(
        "type = \"u32\"",
        "type = \"float\"",
        "44:8 profile.acme.energy.type",
        "\"bit\", \"u16\"",
    ),
    case(
        "type = \"u32\"",
        "",
        "41:1 profile.acme.energy.type",
        "`type` is missing",
    ),
    case(
        "scale = \"0.01\"",
        "scale = 0.01",
        "45:9 profile.acme.energy.scale",
        "write it in quotes, so that it stays exact: \"0.01\"",
    ),
    case(
        "scale = \"0.01\"",
        "scale = 1e-2",
        "45:9 profile.acme.energy.scale",
        "is a binary fraction",
    ),
    case(
        "scale = \"0.01\"",
        "scale = \"1e-2\"",
        "45:9 profile.acme.energy.scale",
        "write plain digits",
    ),
    case(
        "scale = \"0.01\"",
        "scale = 0",
        "45:9 profile.acme.energy.scale",
        "makes every value 0",
    ),
    case(
        "scale = \"0.01\"",
        "scale = \"1.23456789012\"",
        "45:9 profile.acme.energy.scale",
        "fewer digits",
    ),
    case(
        "scale = \"0.01\"",
        "range = [\"5\", \"1\"]",
        "45:9 profile.acme.energy.range",
        "no value lies between 5 and 1",
    ),
    case(
        "scale = \"0.01\"",
        "range = [0.5, 1]",
        "45:9 profile.acme.energy.range",
        "stays exact: \"0.5\"",
    ),
    case(
        "scale = \"0.01\"",
        "policy = \"availability\"",
        "45:10 profile.acme.energy.policy",
        "did you mean \"availability-first\"?",
    ),
    case(
        "scale = \"0.01\"",
        "word_order = \"low_first\"",
        "45:14 profile.acme.energy.word_order",
        "did you mean \"low-first\"?",
    ),
    case(
        "scale = \"0.01\"",
        "unit = \"kilowatt hours, imported, all three phases\"",
        "45:8 profile.acme.energy.unit",
        "at most 32",
    ),
    case(
        "scale = \"0.01\"",
        "unit = \"k\\u0007\"",
        "45:8 profile.acme.energy.unit",
        "a control character",
    ),
];

//= R6.2
//= A5.6
#[test]
fn points_are_checked() {
    check(POINTS);
}
