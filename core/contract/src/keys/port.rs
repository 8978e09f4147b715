//! The table of ports.

use super::{MBUS, MODBUS, Preset, REQUIRED, RTU, Section, TCP, key, only, text};

/// Kinds with a serial device.
const SERIAL: &[&str] = &[RTU, MBUS];

pub(crate) const PORT: Section = Section {
    header: "[[port]]",
    doc: "A place where meters are attached; one table for each.",
    keys: &[
        key("id", "id", REQUIRED, "Its name; the source of its records."),
        key(
            "kind",
            "word",
            REQUIRED,
            "`modbus-rtu`, `modbus-tcp`, or `mbus` (wired, EN 13757-2).",
        ),
        only(
            SERIAL,
            key(
                "device",
                "path",
                REQUIRED,
                "Serial device, such as `/dev/ttyS1`. An M-Bus has either this or `address`.",
            ),
        ),
        only(
            SERIAL,
            key(
                "baud",
                "integer",
                Preset::Stated("`9600`; on an M-Bus `2400`"),
                "Bits per second; of an M-Bus 300 to 38400, also where it is behind an `address`: what its converter is set to.",
            ),
        ),
        only(
            &[RTU],
            key(
                "data_bits",
                "integer",
                Preset::Number(8),
                "8: RTU sends whole bytes.",
            ),
        ),
        only(
            SERIAL,
            key(
                "parity",
                "word",
                text("even"),
                "`none`, `even` or `odd`. An M-Bus has `even`; `none` is for a pseudo-terminal.",
            ),
        ),
        only(
            &[RTU],
            key("stop_bits", "integer", Preset::Number(1), "1 or 2."),
        ),
        only(
            &[RTU],
            key(
                "turnaround",
                "duration",
                text("0ms"),
                "Silence after a reply before the next request, \
            beyond the 3.5 characters of the standard; at most 10s.",
            ),
        ),
        only(
            &[RTU],
            key(
                "rs485",
                "word",
                text("adapter"),
                "Who switches the transceiver between sending and listening: the `adapter` by itself, or the \
            `kernel`'s driver with RTS. A driver that cannot refuses, and the port is not opened.",
            ),
        ),
        only(
            &[RTU],
            key(
                "rs485_rts",
                "word",
                text("high"),
                "Level of RTS while sending, `high` or `low`, with `rs485 = \"kernel\"`.",
            ),
        ),
        only(
            &[RTU],
            key(
                "rs485_before",
                "duration",
                text("0ms"),
                "From RTS to the first bit of a request, with `rs485 = \"kernel\"`: whole milliseconds, at most 100ms.",
            ),
        ),
        only(
            &[RTU],
            key(
                "rs485_after",
                "duration",
                text("0ms"),
                "From the last bit to RTS, with `rs485 = \"kernel\"`: whole milliseconds, at most 100ms. A meter that \
            answers sooner is not heard.",
            ),
        ),
        only(
            &[RTU],
            key(
                "echo",
                "word",
                text("none"),
                "`heard` where the line gives each request back: it is taken away before the reply is looked for.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "latency",
                "duration",
                Preset::Stated("`20ms`; with `address` `200ms`"),
                "How long adapter and level converter may hold bytes back: replies are waited for that much \
                longer than the 330 bit times and 50 ms of the standard; at most 2s.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "power_up",
                "duration",
                text("3s"),
                "How long nobody is asked after the port was opened: a converter may give the bus its voltage \
                only then, and a meter may take 3s to start; at most 1min.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "shared",
                "boolean",
                Preset::Stated("`false`"),
                "Another master speaks with the meters too: each readout begins with an initialisation, or a \
                meter could send an old telegram once more.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "overload",
                "condition",
                Preset::Stated("it is not told"),
                "Holds while the level converter reports an overload or a short of its bus, over the input its contact is wired to: \
                `converter-fault on`, or `bus-current > 0.5`. Nobody is asked meanwhile, and no meter is blamed.",
            ),
        ),
        only(
            &[TCP, MBUS],
            key(
                "address",
                "text",
                REQUIRED,
                "`host:port` of the meter or gateway, usually port 502; of an M-Bus that of its level converter in the network.",
            ),
        ),
        only(
            MODBUS,
            key(
                "timeout",
                "duration",
                text("1s"),
                "How long to wait for a reply; at most 60s.",
            ),
        ),
        only(
            MODBUS,
            key(
                "retries",
                "integer",
                Preset::Number(1),
                "Attempts after the first: 0 to 10. An M-Bus has the two of the standard.",
            ),
        ),
        only(
            MODBUS,
            key(
                "late_reply",
                "duration",
                Preset::Stated("`2s`, or `timeout` if that is longer"),
                "How long a reply may \
            still arrive and be mistaken for another's; at least `timeout`.",
            ),
        ),
    ],
};
