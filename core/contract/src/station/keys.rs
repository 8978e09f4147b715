//! The keys of the station's own points.

use crate::keys::{Key, Preset, Section, key, only};

const REQUIRED: Preset = Preset::Required;
/// Kinds of cards that are of this machine.
const HERE: &[&str] = &[
    "gpio",
    "hwmon",
    "iio",
    "directory",
    "modem-http",
    "modem-serial",
    "modem-command",
    "recording",
];
const MODEM_LINE: &[&str] = &["modem-serial"];
const REMOTE: &[&str] = &["modbus"];
const NONE: Preset = Preset::Stated("none");

pub(crate) const ID: Key = key(
    "id",
    "id",
    REQUIRED,
    "Its name, which no other point of the station has.",
);
pub(crate) const ON_CARD: Key = key("card", "id", REQUIRED, "The card it is wired to.");
const LINE: Key = key(
    "line",
    "integer",
    REQUIRED,
    "Its line on the card, from 0; of remote I/O `\"discrete:4\"` or `\"coil:4\"`.",
);
const ACTIVE: Key = key(
    "active",
    "word",
    Preset::Text("high"),
    "The level that counts as active (1): `high` or `low`.",
);
const BIAS: Key = key(
    "bias",
    "word",
    Preset::Text("as-is"),
    "What the chip is to pull the line to: `as-is`, `pull-up`, `pull-down` or `disabled`.",
);
const POLICY: Key = key(
    "debounce",
    "id",
    REQUIRED,
    "The [[debounce]] that decides when a state counts.",
);
const SCHEDULE: Key = key(
    "schedule",
    "id",
    REQUIRED,
    "The [[schedule]] on whose slots it is written.",
);
const UNIT: Key = key(
    "unit",
    "text",
    Preset::Text(""),
    "Unit for people and exports; at most 32 bytes.",
);

pub(crate) const CARD: Section = Section {
    header: "[[card]]",
    doc: "Where the station's own points are wired; one table for each chip.",
    keys: &[
        key(
            "id",
            "id",
            REQUIRED,
            "Its name; the source of its records. No port and no meter has the same.",
        ),
        key(
            "kind",
            "word",
            REQUIRED,
            "`gpio` (lines of a GPIO character device), `hwmon` or `iio` (channels of a directory of the kernel), \
            `directory` (the same of any other one, such as a power supply or a thermal zone), \
            `modbus` (remote I/O on a [[port]]: coils, discrete inputs and registers), `modem-http`, `modem-serial` or \
            `modem-command` (a PLC modem, see `[[modem]]`), or `recording` (a file that is played, see [points.md](points.md#recordings); whatever comes from it is \
            marked as a test).",
        ),
        only(
            HERE,
            key(
                "path",
                "path",
                REQUIRED,
                "The whole path, from `/` on: of the device, such as `/dev/gpiochip0`; of the directory, such as \
                `/sys/class/hwmon/hwmon0`; or of the file. Of `modem-http` its address, such as \
                `http://192.0.2.9/status`; of `modem-serial` its line; of `modem-command` the program that asks it.",
            ),
        ),
        only(
            MODEM_LINE,
            key(
                "baud",
                "integer",
                Preset::Number(115_200),
                "Bits per second.",
            ),
        ),
        key(
            "buffer",
            "integer",
            Preset::Number(1_024),
            "Edges that the kernel holds until they are read: 16 to 1024; what comes beyond is lost and counted.",
        ),
        only(
            REMOTE,
            key(
                "port",
                "id",
                REQUIRED,
                "The [[port]] that it is behind, of kind `modbus-rtu` or `modbus-tcp`, which has no meters; several \
                cards may share one.",
            ),
        ),
        only(
            REMOTE,
            key(
                "unit",
                "integer",
                Preset::Number(1),
                "Its unit address there: 1 to 247, of TCP 0 to 255.",
            ),
        ),
        only(
            REMOTE,
            key(
                "poll",
                "duration",
                Preset::Text("100ms"),
                "How often its bits are read: 10ms to 10s. A change that is over between two looks is not seen.",
            ),
        ),
    ],
};

pub(crate) const DEBOUNCE: Section = Section {
    header: "[[debounce]]",
    doc: "A policy that says when a state of a line counts; many points may share one.",
    keys: &[
        key(
            "id",
            "id",
            REQUIRED,
            "Its name, which stands in every record.",
        ),
        key(
            "window",
            "duration",
            REQUIRED,
            "So long a state has to hold: 0us to 10s. What is shorter is a glitch, counted by its width. All \
            points of a card wait for the longest window among them, so that their records keep their order.",
        ),
        key(
            "hardware",
            "duration",
            Preset::Text("0us"),
            "What the kernel is asked to filter before, 0us for nothing: shorter than `window`. What it filters \
            is not counted.",
        ),
        key(
            "chatter_on",
            "integer",
            Preset::Number(20),
            "So many changes within `chatter_time` freeze the point: its state counts as invalid, and changes are \
            only counted. 2 to 1000, or 0 for never.",
        ),
        key(
            "chatter_off",
            "integer",
            Preset::Number(2),
            "So many changes or fewer within `chatter_time` thaw it; less than `chatter_on`.",
        ),
        key(
            "chatter_time",
            "duration",
            Preset::Text("1s"),
            "The time in which changes and glitches are counted: 10ms to 1h.",
        ),
        key(
            "noise",
            "integer",
            Preset::Number(0),
            "So many glitches within `chatter_time` make the quality questionable: 1 to 1000, or 0 for never.",
        ),
    ],
};

pub(crate) const DI: Section = Section {
    header: "[[di]]",
    doc: "A digital input: every change that its policy confirms is an entry (SOE).",
    keys: &[
        ID,
        ON_CARD,
        LINE,
        ACTIVE,
        BIAS,
        POLICY,
        key(
            "fault_line",
            "integer",
            NONE,
            "A second line of the card that is active while the wire is at fault; the input is invalid meanwhile.",
        ),
        key(
            "fault",
            "word",
            Preset::Text("open-wire"),
            "What `fault_line` says: `open-wire` or `short`.",
        ),
        key(
            "name",
            "text",
            Preset::Text(""),
            "A name for people; at most 200 bytes.",
        ),
        key(
            "marker",
            "word",
            NONE,
            "What it marks on the timeline: `surge`, `isolation-fault`, `noise` or `maintenance`. Its entries say so, \
            and how often it was set is counted.",
        ),
    ],
};

pub(crate) const PULSE: Section = Section {
    header: "[[pulse]]",
    doc: "A pulse meter: its count goes on over restarts and never backwards.",
    keys: &[
        ID,
        ON_CARD,
        LINE,
        ACTIVE,
        BIAS,
        POLICY,
        SCHEDULE,
        key(
            "weight",
            "decimal",
            Preset::Number(1),
            "What a pulse stands for, in quotes: `\"0.001\"`.",
        ),
        UNIT,
        key(
            "capacity",
            "integer",
            NONE,
            "Where the register of whoever reads the count begins again, such as 65536: passing it is an event. \
            The count here goes on.",
        ),
    ],
};

pub(crate) const AI: Section = Section {
    header: "[[ai]]",
    doc: "An analog input: written on its slots, when it moves further than `deadband`, and when its quality changes.",
    keys: &[
        ID,
        ON_CARD,
        key(
            "channel",
            "text",
            REQUIRED,
            "Its channel on the card, as the kernel names it: `temp1_input`, `in_voltage0_raw`.",
        ),
        SCHEDULE,
        key(
            "sample",
            "duration",
            Preset::Text("1s"),
            "How often it is read: 10ms to 1h.",
        ),
        key(
            "scale",
            "decimal",
            Preset::Number(1),
            "The value is the raw number times this, exactly: `\"0.001\"`.",
        ),
        key("offset", "decimal", Preset::Number(0), "Plus this."),
        UNIT,
        key(
            "range",
            "two decimals",
            NONE,
            "Smallest and largest good value, `[\"0\", \"100\"]`; outside it is invalid.",
        ),
        key(
            "deadband",
            "decimal",
            Preset::Stated("only slots count"),
            "A value that is further than this from the last one told is told at once.",
        ),
        key(
            "rate_max",
            "decimal",
            NONE,
            "The most that the value can move in a second; faster is questionable.",
        ),
        key(
            "noise",
            "decimal",
            NONE,
            "The most by which the eight newest samples may differ; more is questionable.",
        ),
        key(
            "open_below",
            "decimal",
            NONE,
            "A raw number below this says that the wire is open, such as 3600 of a 4-20 mA loop in microamperes.",
        ),
        key(
            "short_above",
            "decimal",
            NONE,
            "A raw number above this says that it is shorted, such as 21000.",
        ),
        key(
            "stale",
            "duration",
            Preset::Stated("three times `sample`"),
            "A value without a newer sample for so long is invalid; at least `sample`, at most 1d.",
        ),
        key(
            "calibration",
            "text",
            NONE,
            "Version of the calibration that the scaling comes from; it stands in every record. One version has one content: channel, `scale`, \
             `offset`, `unit`, `range`, `open_below`, `short_above` and the two keys below, which are an entry with their digest.",
        ),
        key(
            "calibrated",
            "text",
            NONE,
            "When that was made, such as `2026-03-14`; part of the calibration.",
        ),
        key(
            "calibrated_by",
            "text",
            NONE,
            "Who made it, a person or a laboratory with its certificate; part of the calibration.",
        ),
    ],
};
