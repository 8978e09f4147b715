//! Tables of meters and their points.

use super::{MBUS, MODBUS, Preset, REQUIRED, Section, key, only, text};

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
        only(
            MODBUS,
            key(
                "unit",
                "integer",
                REQUIRED,
                "Its address on the port: 1 to 247 on a serial line, 0 to 255 over TCP.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "primary",
                "integer",
                Preset::Stated("it is selected by `secondary`"),
                "Its primary address, 0 to 250. With `secondary` beside it, no other meter's telegram is taken.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "secondary",
                "digits",
                Preset::Stated(
                    "whoever has the primary address is read, and told when it is another",
                ),
                "Its identification number, the eight digits on its label, such as `\"12345678\"`; no wildcards.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "manufacturer",
                "text",
                Preset::Stated("any"),
                "Beside `secondary`: who made it, three letters such as `\"LUG\"`.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "version",
                "integer",
                Preset::Stated("any"),
                "Beside `secondary`: its generation, 0 to 254.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "medium",
                "integer",
                Preset::Stated("any"),
                "Beside `secondary`: the code of what it meters, 0 to 254, as `bus mbus search --json` tells it.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "baud",
                "integer",
                Preset::Stated("that of its port"),
                "The speed that it has for itself: 300 to 38400.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "reads_per_day",
                "integer",
                Preset::Stated("no bound"),
                "How often its battery lets it be read in any 24 hours: 1 to 96. Its schedule may not ask more often.",
            ),
        ),
        key("schedule", "reference", REQUIRED, "`id` of its schedule."),
        only(
            MODBUS,
            key(
                "timeout",
                "duration",
                Preset::Stated("that of its port"),
                "How long to wait for its reply: 1ms to 60s.",
            ),
        ),
        only(
            MODBUS,
            key(
                "retries",
                "integer",
                Preset::Stated("those of its port"),
                "Attempts after the first: 0 to 10.",
            ),
        ),
        key(
            "clock_zone",
            "distance from UTC",
            Preset::Stated("`+00:00`"),
            "How far its clock is set ahead of UTC, such as `\"+01:00\"`; without summer time, unless the meter marks that \
            itself.",
        ),
        only(
            MODBUS,
            key(
                "clock_register",
                "register",
                Preset::Stated("its clock cannot be set"),
                "Where its clock is set, the first holding register, such as `holding:9`: seconds since 1970 as its clock is to show them, \
                in the type and word order of the point with `role = \"clock\"`.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "clock_telegram",
                "word",
                Preset::Stated("its clock cannot be set"),
                "The form in which it takes the time: `type-f`, without seconds, sent as a minute begins; `type-i`, with seconds.",
            ),
        ),
        only(
            MODBUS,
            key(
                "memory",
                "register",
                Preset::Stated("none"),
                "Its own memory (load profile), from which missed slots are filled: the first register of its first record, \
                such as `holding:1000`. A record begins with its time, two registers, high word first, in seconds since 1970 by \
                the meter's clock; 0 is a record that is not written.",
            ),
        ),
        only(
            MODBUS,
            key(
                "memory_records",
                "integer",
                Preset::Stated("required with `memory`"),
                "How many records the memory has.",
            ),
        ),
        only(
            MODBUS,
            key(
                "memory_width",
                "integer",
                Preset::Stated("required with `memory`"),
                "Registers of a record, its time included: 3 to 125.",
            ),
        ),
        only(
            MODBUS,
            key(
                "memory_every",
                "duration",
                Preset::Stated("required with `memory`"),
                "The time from one record to the next, in whole seconds: 1s to 1d. The slots of its schedule are multiples.",
            ),
        ),
        only(
            MODBUS,
            key(
                "memory_order",
                "word",
                text("newest-first"),
                "`newest-first`: the newest record is the first one, and all others move on; `ring`: a new record takes the \
                place of the oldest.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "storages",
                "integer",
                Preset::Stated("none"),
                "How many values of the past its readout has under storage numbers, each with the time that it is of: 1 to 1000. Missed \
                slots of points that are selected by their meaning are filled from them.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "storage_every",
                "duration",
                Preset::Stated("required with `storages`"),
                "The time from one stored value to the next, in whole seconds: 1s to 1d. The slots of its schedule are multiples.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "storage_dates",
                "word",
                Preset::Stated("a date without a time of day tells no time"),
                "Which instant of a day the values are of that are stored under a date alone: `begin` or `end` of it, by the meter's \
                clock. The meter's manual says it.",
            ),
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
    doc: "One value of a meter: a register of a Modbus meter, or a data record of an M-Bus one (`record` or `quantity`).",
    keys: &[
        key("id", "id", REQUIRED, "Its name; unique in the meter."),
        only(
            MODBUS,
            key(
                "register",
                "register",
                REQUIRED,
                "Table and address, such as `holding:0`: tables `coil`, `discrete`, \
                `holding`, `input`, protocol addresses from 0 (hexadecimal as `0x10`).",
            ),
        ),
        only(
            MODBUS,
            key(
                "type",
                "word",
                REQUIRED,
                "`bit` (in `coil` and `discrete`); in `holding` and `input` `u16`, `i16`, `u32`, `i32`, `u64`, `i64`, \
                `f32`, `f64` (IEEE 754; the value is the shortest decimal that reads back as the same number), \
                `bcd16`, `bcd32` or `bcd64` (4, 8 and 16 digits, no sign).",
            ),
        ),
        only(
            MODBUS,
            key(
                "word_order",
                "word",
                text("high-first"),
                "Order of the 16-bit words of a wider value: `high-first` or `low-first`; `high-first-swapped` and \
                `low-first-swapped` where in each word the less significant byte comes first.",
            ),
        ),
        only(
            MODBUS,
            key(
                "bits",
                "bits",
                Preset::Stated("all"),
                "The bits of a `u16`, `u32` or `u64` that are the value, such as `\"4-7\"` or `\"3\"`; bit 0 is the least \
                significant.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "record",
                "integer",
                Preset::Stated("the one that has the meaning"),
                "Place of the data record in the readout, from 0, over all its telegrams, as `bus mbus read` shows it. \
                What else is said of the record must be true of it.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "quantity",
                "text",
                Preset::Stated("any; `record` is required then"),
                "What the record measures, in the words of `bus mbus read`, such as `\"Volume\"`. Without `record` \
                exactly one record may have this quantity, function, storage, tariff and subunit.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "function",
                "word",
                Preset::Stated("`instantaneous`; with `record` any"),
                "`instantaneous`, `maximum`, `minimum`, `error` (of a time of error), or `stored` (fixed data structure).",
            ),
        ),
        only(
            &[MBUS],
            key(
                "storage",
                "integer",
                Preset::Stated("`0`, which is now; with `record` any"),
                "Storage number of the record.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "tariff",
                "integer",
                Preset::Stated("`0`; with `record` any"),
                "Tariff of the record.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "subunit",
                "integer",
                Preset::Stated("`0`; with `record` any"),
                "Subunit (device) of the record.",
            ),
        ),
        only(
            &[MBUS],
            key(
                "record_unit",
                "text",
                Preset::Stated("`unit`, where there is no `scale`; else any"),
                "The unit that the meter gives, as `bus mbus read` shows it, such as `\"Wh\"`. A record in another unit \
                is no reading, and a unit in which no record of the `quantity` can be is refused.",
            ),
        ),
        key(
            "payload",
            "text",
            Preset::Stated("it is a number"),
            "It is no number: its bytes are carried as they came, as an entry `opaque` with their SHA-256, under this label of their \
            content type, such as `\"application/octet-stream\"`. Of an M-Bus meter: the data record that is selected, or, where none \
            is, all telegrams of the readout, encrypted ones too.",
        ),
        only(
            MODBUS,
            key(
                "registers",
                "integer",
                Preset::Stated("those of its `type`"),
                "Of a `payload`: how many registers are carried, 1 to 125.",
            ),
        ),
        key(
            "scale",
            "decimal",
            text("1"),
            "The value is the raw number times this, exactly; not 0. Of an M-Bus record the number is what it says in its \
            own unit.",
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
            "role",
            "word",
            Preset::Stated("none"),
            "What it tells of the meter: `counter`, a count that only rises: readings that go back or leap are judged, never \
            changed; `serial`, its serial number, compared in every session; `clock`, its clock, as seconds since 1970. \
            Number and clock of an M-Bus meter are in its telegrams and need no point.",
        ),
        only(
            MODBUS,
            key(
                "memory_offset",
                "integer",
                Preset::Stated("it is not in the memory"),
                "Where it is in a record of the meter's memory: the register, counted from the beginning of the record. Type, word \
                order and scale are the same there.",
            ),
        ),
        key(
            "rolls_at",
            "decimal",
            Preset::Stated("the end of unsigned or `bcd` registers; else none"),
            "Of a counter: the value, scaled, at which it begins again with 0.",
        ),
        key(
            "rate_max",
            "decimal",
            Preset::Stated("none"),
            "Of a counter: the most, scaled, by which it rises in an hour.",
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
