//! The keys of supplies, environments and reset reasons.

use crate::keys::{Key, Preset, Section, key};

const REQUIRED: Preset = Preset::Required;
const NONE: Preset = Preset::Stated("none");

const ID: Key = key(
    "id",
    "id",
    REQUIRED,
    "Its name, which no other point of the station has.",
);
const CARD: Key = key(
    "card",
    "id",
    REQUIRED,
    "The card that it is a channel of: of kind `hwmon`, `iio`, `directory` or `recording`.",
);
const CHANNEL: Key = key(
    "channel",
    "text",
    REQUIRED,
    "Its channel, as the kernel names it: `in1_input`, `voltage_now`, `temp`, `humidity1_input`.",
);
const SCALE: Key = key(
    "scale",
    "decimal",
    Preset::Text("0.001"),
    "The value is the raw number times this, exactly. hwmon counts in thousandths, power supplies in millionths.",
);
const OFFSET: Key = key("offset", "decimal", Preset::Number(0), "Plus this.");

const fn limit(name: &'static str, doc: &'static str) -> Key {
    key(name, "decimal", NONE, doc)
}

pub(crate) const POWER: Section = Section {
    header: "[[power]]",
    doc: "A supply that is watched: each time below a limit is an entry when it begins and one when it ends, with \
        its lowest value and how long it was.",
    keys: &[
        ID,
        CARD,
        CHANNEL,
        key(
            "sample",
            "duration",
            Preset::Text("100ms"),
            "How often it is read: 10ms to 1h. What is over between two samples is not seen.",
        ),
        SCALE,
        OFFSET,
        key(
            "unit",
            "text",
            Preset::Text("V"),
            "Unit for people and exports; at most 32 bytes.",
        ),
        limit("droop", "Below this it droops (`vbat_droop_cnt`)."),
        limit(
            "brownout",
            "Below this it is a brownout (`brownout_log_cnt`); not above `droop`.",
        ),
        limit(
            "uvlo",
            "Below this its regulator locks out (`uvlo_cnt`); not above the others.",
        ),
        key(
            "hysteresis",
            "decimal",
            Preset::Number(0),
            "By so much it has to come back above a limit before it counts as back.",
        ),
    ],
};

pub(crate) const ENVIRONMENT: Section = Section {
    header: "[[environment]]",
    doc: "A temperature or a humidity that is watched: each time beyond a limit is an entry when it begins and one when \
        it ends. For values on a schedule use `[[ai]]` on the same channel.",
    keys: &[
        ID,
        CARD,
        CHANNEL,
        key(
            "sample",
            "duration",
            Preset::Text("10s"),
            "How often it is read: 10ms to 1h.",
        ),
        SCALE,
        OFFSET,
        key(
            "unit",
            "text",
            Preset::Text("degC"),
            "Unit for people and exports; at most 32 bytes.",
        ),
        limit("cold", "Below this it is cold."),
        limit("hot", "Above this it is hot; above `cold`."),
        limit("dry", "Below this it is dry."),
        limit("humid", "Above this it is humid; above `dry`."),
        key(
            "hysteresis",
            "decimal",
            Preset::Number(0),
            "By so much it has to come back before it counts as back.",
        ),
    ],
};

const fn words(name: &'static str, doc: &'static str) -> Key {
    key(name, "list of texts", NONE, doc)
}

pub(crate) const RESET: Section = Section {
    header: "[[reset]]",
    doc: "Where the platform says why it was reset: a file, read whenever its card is opened. The kernel's own words \
        (`brown-out reset`, `watchdog timeout`, ...) need no mention here; what has no meaning is `unknown`.",
    keys: &[
        ID,
        CARD,
        key(
            "channel",
            "text",
            REQUIRED,
            "The file in the directory of the card, such as `power_on_reason` or `bootstatus`.",
        ),
        words(
            "power_on",
            "Texts of it that mean that power was switched on.",
        ),
        words("brownout", "The same for a supply that had been too low."),
        words("watchdog", "For a watchdog that had not been fed."),
        words("software", "For a program or the kernel that asked for it."),
        words("external", "For a button or a line from outside."),
        words("thermal_reset", "For heat."),
        words(
            "fault",
            "For a clock, a regulator or another part of the board.",
        ),
    ],
};
