//! Mistakes in `[[port]]` and `[[schedule]]`.

use super::{Case, case};

pub(super) const PORTS_AND_SCHEDULES: &[Case] = &[
    case(
        "kind = \"modbus-rtu\"",
        "kind = \"RTU\"",
        "20:8 port.line.kind",
        "write \"modbus-rtu\", \"modbus-tcp\" or \"mbus\"",
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
        "timeout = 200",
        "22:11 port.line.timeout",
        "in quotes: \"200ms\"",
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
