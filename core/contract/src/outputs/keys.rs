//! The keys of the station's outputs.

use crate::keys::{Key, Preset, Section, key};
use crate::station::keys::{ID, ON_CARD};

const REQUIRED: Preset = Preset::Required;
const NONE: Preset = Preset::Stated("none");

/// What an interlock looks like.
pub(super) const INTERLOCK_ADVICE: &str = "write [\"POINT on\", \"POINT off\", \"POINT < 8.5\"], each with <, <=, > or >= and a number, or on or \
     off; with \" good\" behind it where a questionable value does not do";

/// What a condition that stands alone looks like.
pub(super) const CONDITION_ADVICE: &str = "write \"POINT on\", \"POINT off\" or \"POINT > 0.5\", with <, <=, > or >= and a number; with \" good\" behind it \
     where a questionable value does not do";

const OPERATE: Key = key(
    "operate",
    "word",
    Preset::Text("select"),
    "`select`: a command has to select it before; `direct`: it may also operate it at once.",
);
const SELECT_TIMEOUT: Key = key(
    "select_timeout",
    "duration",
    Preset::Text("30s"),
    "So long a selection holds: 1s to 10min.",
);
const COMMAND_AGE: Key = key(
    "command_age",
    "duration",
    Preset::Text("5s"),
    "A command that is older when it arrives is refused, by the clock of this node and by its own time tag: \
     100ms to 10min.",
);
const ON_LOSS: Key = key(
    "on_loss",
    "word",
    Preset::Text("safe"),
    "What it does at an orderly stop, when its card is opened, and when the recorder is away: goes to `safe`, or `hold`s.",
);
const LOSS_AFTER: Key = key(
    "loss_after",
    "duration",
    Preset::Text("10s"),
    "So long the recorder may be away before that: 1s to 1h.",
);
const FEEDBACK_WINDOW: Key = key(
    "feedback_window",
    "duration",
    Preset::Text("2s"),
    "So long the feedback may take to say what was commanded: 10ms to 10min; longer than the debounce windows of its card.",
);
const INTERLOCKS: Key = key(
    "interlocks",
    "list of conditions",
    NONE,
    "What must hold when it is selected and again when it is operated: `[\"earth off good\", \"pressure < 8.5\"]`. A point \
     that is invalid holds it back; with ` good` behind it one that is questionable too.",
);
const REMOTE_SWITCH: Key = key(
    "remote_switch",
    "id",
    NONE,
    "The digital input that is active while commands are taken; otherwise the station is local.",
);
const NAME: Key = key(
    "name",
    "text",
    Preset::Text(""),
    "A name for people; at most 200 bytes.",
);

pub(crate) const DO: Section = Section {
    header: "[[do]]",
    doc: "A digital output: driven by committed commands alone, and by nothing else but its safe default.",
    keys: &[
        ID,
        ON_CARD,
        key("line", "integer", REQUIRED, "Its line on the card, from 0."),
        key(
            "active",
            "word",
            Preset::Text("high"),
            "The level that is on: `high` or `low`.",
        ),
        key("safe", "word", REQUIRED, "Its safe default: `on` or `off`."),
        key(
            "pulse",
            "duration",
            Preset::Stated("it stays"),
            "It goes back to its safe default by itself after so long: 10ms to 10min; not with `on_loss = \"hold\"`.",
        ),
        OPERATE,
        SELECT_TIMEOUT,
        COMMAND_AGE,
        key(
            "feedback",
            "id",
            NONE,
            "The digital input that proves it: active when it is on.",
        ),
        FEEDBACK_WINDOW,
        INTERLOCKS,
        REMOTE_SWITCH,
        ON_LOSS,
        LOSS_AFTER,
        NAME,
    ],
};

pub(crate) const AO: Section = Section {
    header: "[[ao]]",
    doc: "An analog output: as a digital one, with a value.",
    keys: &[
        ID,
        ON_CARD,
        key(
            "channel",
            "text",
            REQUIRED,
            "Its channel on the card, as the kernel names it: `out_voltage0_raw`, `pwm1`.",
        ),
        key(
            "scale",
            "decimal",
            Preset::Number(1),
            "The value is the whole number on the channel times this: `\"0.001\"`.",
        ),
        key("offset", "decimal", Preset::Number(0), "Plus this."),
        key(
            "unit",
            "text",
            Preset::Text(""),
            "Unit for people and exports; at most 32 bytes.",
        ),
        key(
            "range",
            "two decimals",
            REQUIRED,
            "Smallest and largest value that may be commanded, `[\"0\", \"100\"]`.",
        ),
        key(
            "safe",
            "decimal",
            REQUIRED,
            "Its safe default, within `range`.",
        ),
        OPERATE,
        SELECT_TIMEOUT,
        COMMAND_AGE,
        key("feedback", "id", NONE, "The analog input that proves it."),
        FEEDBACK_WINDOW,
        key(
            "tolerance",
            "decimal",
            Preset::Stated("required with `feedback`"),
            "By how much the feedback may differ from what was commanded.",
        ),
        INTERLOCKS,
        REMOTE_SWITCH,
        ON_LOSS,
        LOSS_AFTER,
        NAME,
    ],
};
