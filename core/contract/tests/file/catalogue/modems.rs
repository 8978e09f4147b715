//! Mistakes in `[[modem]]` and the cards of modems.

use super::{Case, case};

/// A station with a modem of each sort.
pub(crate) const FILE: &str = r#"[station]
origin = "example.org/s1"

[[schedule]]
id = "minute"
every = "1min"

[[port]]
id = "bus"
kind = "modbus-rtu"
device = "/dev/ttyUSB0"
baud = 9600

[[card]]
id = "web"
kind = "modem-http"
path = "http://192.0.2.9/status"

[[card]]
id = "line"
kind = "modem-serial"
path = "/dev/ttyUSB2"
baud = 9600

[[modem]]
id = "plc-1"
card = "web"
schedule = "minute"
link = "/up"
retransmissions = "/retx"

[[modem]]
id = "plc-2"
card = "line"
schedule = "minute"
timeout = "3s"
ask = ["AT+STAT?"]
retransmissions = "RETX"
quality = "SNR"
quality_buckets = ["10", "20"]
counters = ["crc=CRC", "sync=SYNC"]
"#;

pub(super) const MODEMS: &[Case] = &[
    case(
        "http://192",
        "https://192",
        "17:8 card.web.path",
        "is no address of plain HTTP; write it whole, such as \"http://192.0.2.9/status\"",
    ),
    case(
        "path = \"/dev/ttyUSB2\"",
        "path = \"ttyUSB2\"",
        "22:8 card.line.path",
        "write the whole path, such as \"/dev/ttyUSB2\"",
    ),
    case(
        "path = \"/dev/ttyUSB2\"",
        "path = \"/dev/ttyUSB0\"",
        "22:8 card.line.path",
        "port \"bus\" has that line",
    ),
    case(
        "/dev/ttyUSB2\"\nbaud = 9600",
        "/dev/ttyUSB2\"\nbaud = 9601",
        "23:8 card.line.baud",
        "write one that serial lines know",
    ),
    case(
        "/status\"",
        "/status\"\nbaud = 9600",
        "18:8 card.web.baud",
        "remove the line, or change the kind",
    ),
    case(
        "card = \"line\"",
        "card = \"web\"",
        "34:8 modem.plc-2.card",
        "modem \"plc-1\" has it too; one card for each modem",
    ),
    case(
        "timeout = \"3s\"",
        "timeout = \"11s\"",
        "36:11 modem.plc-2.timeout",
        "100ms",
    ),
    case(
        "every = \"1min\"",
        "every = \"3s\"",
        "36:11 modem.plc-2.timeout",
        "an answer may take 3s and it is asked every 3s; write a shorter time, or ask less often",
    ),
    case(
        "ask = [\"AT+STAT?\"]\n",
        "",
        "34:8 modem.plc-2.card",
        "nothing is asked on the serial line",
    ),
    case(
        "ask = [\"AT+STAT?\"]",
        "ask = [\"AT\\rATZ\"]",
        "37:7 modem.plc-2.ask",
        "the text holds a control character",
    ),
    case(
        "link = \"/up\"",
        "link = \"UP\"",
        "30:19 modem.plc-1.retransmissions",
        "write all as pointers, which begin with a slash, or all as keys",
    ),
    case(
        "link = \"/up\"\nretransmissions = \"/retx\"\n",
        "",
        "25:1 modem.plc-1.retransmissions",
        "nothing of its answer is wanted",
    ),
    case(
        "[\"10\", \"20\"]",
        "[\"20\", \"20\"]",
        "40:19 modem.plc-2.quality_buckets",
        "write the smallest first, and none twice",
    ),
    case(
        "\"crc=CRC\"",
        "\"crc\"",
        "41:12 modem.plc-2.counters",
        "write NAME=PLACE",
    ),
    case(
        "sync=SYNC",
        "crc=SYNC",
        "41:12 modem.plc-2.counters",
        "give each a name of its own",
    ),
    case(
        "id = \"plc-2\"",
        "id = \"plc-2\"\nqualty = \"SNR\"",
        "34:1 modem.plc-2.qualty",
        "did you mean `quality`?",
    ),
];
