//! Tables of meters and their points.

use super::{Preset, REQUIRED, Section, key, text};

pub(crate) const PROFILE: Section = Section {
    header: "[[profile]]",
    doc: "Points that meters of one type share.",
    keys: &[
        key("id", "id", REQUIRED, "Its name, for `profile` of a meter."),
        key(
            "point",
            "tables",
            REQUIRED,
            "Its points, one `[[profile.point]]` for each.",
        ),
    ],
};

pub(crate) const METER: Section = Section {
    header: "[[meter]]",
    doc: "A meter on a port. Its points come from its profile, then from its own `[[meter.point]]` tables.",
    keys: &[
        key("id", "id", REQUIRED, "Its name; unique in the node."),
        key("port", "reference", REQUIRED, "`id` of its port."),
        key(
            "unit",
            "integer",
            REQUIRED,
            "Its address on the port: 1 to 247 on a serial line, 0 to 255 over TCP.",
        ),
        key("schedule", "reference", REQUIRED, "`id` of its schedule."),
        key(
            "timeout",
            "duration",
            Preset::Stated("that of its port"),
            "How long to wait for its reply: 1ms to 60s.",
        ),
        key(
            "retries",
            "integer",
            Preset::Stated("those of its port"),
            "Attempts after the first: 0 to 10.",
        ),
        key(
            "profile",
            "reference",
            Preset::Stated("none"),
            "`id` of its profile.",
        ),
        key(
            "point",
            "tables",
            Preset::Stated("none"),
            "Points of its own, one `[[meter.point]]` for each.",
        ),
    ],
};

pub(crate) const POINT: Section = Section {
    header: "[[profile.point]] and [[meter.point]]",
    doc: "One value of a meter.",
    keys: &[
        key("id", "id", REQUIRED, "Its name; unique in the meter."),
        key(
            "register",
            "register",
            REQUIRED,
            "Table and address, such as `holding:0`: tables `coil`, `discrete`, \
            `holding`, `input`, protocol addresses from 0 (hexadecimal as `0x10`).",
        ),
        key(
            "type",
            "word",
            REQUIRED,
            "`bit` (in `coil` and `discrete`); in `holding` and `input` `u16`, `i16`, `u32`, `i32`, `u64`, `i64`, \
            `f32`, `f64` (IEEE 754; the value is the shortest decimal that reads back as the same number), \
            `bcd16`, `bcd32` or `bcd64` (4, 8 and 16 digits, no sign).",
        ),
        key(
            "word_order",
            "word",
            text("high-first"),
            "Order of the 16-bit words of a wider value: `high-first` or `low-first`; `high-first-swapped` and \
            `low-first-swapped` where in each word the less significant byte comes first.",
        ),
        key(
            "bits",
            "bits",
            Preset::Stated("all"),
            "The bits of a `u16`, `u32` or `u64` that are the value, such as `\"4-7\"` or `\"3\"`; bit 0 is the least \
            significant.",
        ),
        key(
            "scale",
            "decimal",
            text("1"),
            "The value is the raw number times this, exactly; not 0.",
        ),
        key(
            "unit",
            "text",
            text(""),
            "Unit of measure, for people and exports.",
        ),
        key(
            "range",
            "two decimals",
            Preset::Stated("none"),
            "Smallest and largest good value, scaled; a value outside is marked.",
        ),
        key(
            "policy",
            "word",
            text("evidence-first"),
            "`evidence-first`: nothing leaves before it is durable (billing). \
            `availability-first`: a dead disk does not blind operation, and every such value says so. \
            It is part of the contract already and acts from the first SCADA server on; deliveries are \
            evidence-first always.",
        ),
    ],
};
