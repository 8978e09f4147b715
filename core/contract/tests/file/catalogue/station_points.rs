//! Mistakes in `[[card]]`, `[[debounce]]`, `[[di]]`, `[[pulse]]` and `[[ai]]`.

use super::{Case, case};

pub(super) const STATION_POINTS: &[Case] = &[
    case(
        "kind = \"gpio\"",
        "kind = \"gpoi\"",
        "72:8 card.dio.kind",
        "did you mean \"gpio\"?",
    ),
    case(
        "path = \"/dev/gpiochip0\"",
        "path = \"gpiochip0\"",
        "73:8 card.dio.path",
        "such as \"/dev/gpiochip0\"",
    ),
    case(
        "path = \"/sys/class/hwmon/hwmon0\"",
        "path = \"/dev/gpiochip0\"",
        "73:8 card.dio.path",
        "one card for each chip",
    ),
    case(
        "path = \"/dev/gpiochip0\"",
        "path = \"/dev/gpiochip0\"\nbuffer = 8",
        "74:10 card.dio.buffer",
        "write 16 to 1024",
    ),
    case(
        "id = \"spare\"",
        "id = \"dio\"",
        "71:6 card.dio.id",
        "cards, ports and meters share no ids",
    ),
    case(
        "window = \"10ms\"",
        "window = \"10\"",
        "82:10 debounce.contact.window",
        "such as \"500us\"",
    ),
    case(
        "window = \"10ms\"",
        "window = \"11s\"",
        "82:10 debounce.contact.window",
        "at most 10s",
    ),
    case(
        "window = \"10ms\"",
        "window = \"10ms\"\nhardware = \"20ms\"",
        "83:12 debounce.contact.hardware",
        "so that glitches are still counted",
    ),
    case(
        "window = \"10ms\"",
        "window = \"10ms\"\nchatter_on = 1",
        "83:14 debounce.contact.chatter_on",
        "or 0 for never",
    ),
    case(
        "window = \"10ms\"",
        "window = \"10ms\"\nchatter_on = 5\nchatter_off = 5",
        "84:15 debounce.contact.chatter_off",
        "less than `chatter_on`",
    ),
    case(
        "line = 4",
        "line = 6",
        "94:8 pulse.water.line",
        "one point for each line",
    ),
    case(
        "fault_line = 5",
        "fault_line = 4",
        "89:14 di.door.fault_line",
        "point \"door\" has line 4 of the card too",
    ),
    case(
        "line = 4",
        "line = 64",
        "87:8 di.door.line",
        "lines are 0 to 63",
    ),
    case(
        "debounce = \"contact\"",
        "debounce = \"contacts\"",
        "88:12 di.door.debounce",
        "did you mean \"contact\"?",
    ),
    case(
        "card = \"dio\"\nline = 6",
        "card = \"box\"\nline = 6",
        "93:8 pulse.water.card",
        "name a card of kind \"gpio\"",
    ),
    case(
        "card = \"box\"",
        "card = \"dio\"",
        "101:8 ai.temp.card",
        "name a card of kind \"hwmon\" or \"iio\"",
    ),
    case(
        "id = \"temp\"",
        "id = \"door\"",
        "100:6 ai.door.id",
        "another point of the station is called \"door\"",
    ),
    case(
        "weight = \"0.01\"",
        "weight = 0.01",
        "97:10 pulse.water.weight",
        "write it in quotes",
    ),
    case(
        "weight = \"0.01\"",
        "weight = \"-1\"",
        "97:10 pulse.water.weight",
        "more than 0",
    ),
    case(
        "weight = \"0.01\"",
        "capacity = 0",
        "97:12 pulse.water.capacity",
        "such as 65536",
    ),
    case(
        "channel = \"temp1_input\"",
        "channel = \"../temp1_input\"",
        "102:11 ai.temp.channel",
        "the file's name in the directory of the card",
    ),
    case(
        "scale = \"0.001\"",
        "open_below = \"21\"\nshort_above = \"4\"",
        "104:14 ai.temp.open_below",
        "leave no raw number",
    ),
    case(
        "scale = \"0.001\"",
        "stale = \"100ms\"",
        "104:9 ai.temp.stale",
        "at least `sample`",
    ),
    case(
        "scale = \"0.001\"",
        "deadband = \"-1\"",
        "104:12 ai.temp.deadband",
        "how far it may move",
    ),
    case(
        "scale = \"0.001\"",
        "calibrated = \"2026-03-14\"",
        "104:14 ai.temp.calibrated",
        "write `calibration` too",
    ),
    case(
        "scale = \"0.001\"",
        "calibrated_by = \"ada\"",
        "104:17 ai.temp.calibrated_by",
        "write `calibration` too",
    ),
    case(
        "scale = \"0.001\"",
        "calibration = \"\"",
        "104:15 ai.temp.calibration",
        "write 1 to 96",
    ),
    case(
        "channel = \"temp1_input\"\nschedule = \"quarter\"",
        "channel = \"temp1_input\"\nschedule = \"quarters\"",
        "103:12 ai.temp.schedule",
        "did you mean \"quarter\"?",
    ),
];
