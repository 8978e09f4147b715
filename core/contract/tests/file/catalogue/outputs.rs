//! Mistakes in `[[do]]` and `[[ao]]`.

use super::{Case, case};

/// A station with an output of each sort.
pub(crate) const FILE: &str = r#"[station]
origin = "example.org/s1"

[[schedule]]
id = "q"
every = "15min"

[[card]]
id = "dio"
kind = "gpio"
path = "/dev/gpiochip0"

[[card]]
id = "dac"
kind = "iio"
path = "/iio"

[[debounce]]
id = "slow"
window = "400ms"

[[di]]
id = "contact"
card = "dio"
line = 7
debounce = "slow"

[[ai]]
id = "position"
card = "dac"
channel = "in_voltage0_raw"
schedule = "q"

[[do]]
id = "breaker"
card = "dio"
line = 12
safe = "off"
pulse = "1s"
feedback = "contact"
feedback_window = "2s"
interlocks = ["contact off", "position < 8.5"]
remote_switch = "contact"

[[ao]]
id = "valve"
card = "dac"
channel = "out_voltage0_raw"
scale = "0.01"
range = ["0", "100"]
safe = "10"
feedback = "position"
tolerance = "1"
"#;

pub(super) const OUTPUTS: &[Case] = &[
    case(
        "line = 12",
        "line = 7",
        "37:8 do.breaker.line",
        "one point for each line",
    ),
    case(
        "line = 12",
        "line = 64",
        "37:8 do.breaker.line",
        "lines are 0 to 63",
    ),
    case(
        "safe = \"off\"\n",
        "",
        "34:1 do.breaker.safe",
        "`safe` is missing; Its safe default: `on` or `off`",
    ),
    case(
        "safe = \"off\"",
        "safe = \"low\"",
        "38:8 do.breaker.safe",
        "write \"on\" or \"off\"",
    ),
    case(
        "pulse = \"1s\"",
        "pulse = \"5ms\"",
        "39:9 do.breaker.pulse",
        "write 10ms to 10min",
    ),
    case(
        "feedback = \"contact\"",
        "feedback = \"contcat\"",
        "40:12 do.breaker.feedback",
        "did you mean \"contact\"?",
    ),
    case(
        "feedback = \"contact\"",
        "feedback = \"position\"",
        "40:12 do.breaker.feedback",
        "\"position\" is an analog input; name a [[di]]",
    ),
    case(
        "feedback_window = \"2s\"",
        "feedback_window = \"300ms\"",
        "41:19 do.breaker.feedback_window",
        "write \"420ms\" or more",
    ),
    case(
        "feedback_window = \"2s\"",
        "feedback_window = \"2s\"\ntolerance = 1",
        "42:1 do.breaker.tolerance",
        "`tolerance` belongs in [[ao]]",
    ),
    case(
        "\"contact off\"",
        "\"contact open\"",
        "42:14 do.breaker.interlocks",
        "\"open\" is no on, off, <, <=, > or >=",
    ),
    case(
        "\"contact off\"",
        "\"contact < 1\"",
        "42:14 do.breaker.interlocks",
        "a digital input has no value; write \"contact on\" or \"contact off\"",
    ),
    case(
        "\"position < 8.5\"",
        "\"positoin < 8.5\"",
        "42:14 do.breaker.interlocks",
        "did you mean \"position\"?",
    ),
    case(
        "remote_switch = \"contact\"",
        "remote_switch = \"remote\"",
        "43:17 do.breaker.remote_switch",
        "declare it with [[di]], or write \"contact\"",
    ),
    case(
        "remote_switch = \"contact\"",
        "select_timeout = \"11min\"",
        "43:18 do.breaker.select_timeout",
        "write 1s to 10min",
    ),
    case(
        "remote_switch = \"contact\"",
        "command_age = \"10ms\"",
        "43:15 do.breaker.command_age",
        "write 100ms to 10min",
    ),
    case(
        "remote_switch = \"contact\"",
        "on_loss = \"stay\"",
        "43:11 do.breaker.on_loss",
        "write \"safe\" or \"hold\"",
    ),
    case(
        "remote_switch = \"contact\"",
        "on_loss = \"hold\"",
        "43:11 do.breaker.on_loss",
        "an output that goes back by itself cannot hold; write \"safe\", or remove `pulse`",
    ),
    case(
        "remote_switch = \"contact\"",
        "operate = \"at once\"",
        "43:11 do.breaker.operate",
        "write \"select\" or \"direct\"",
    ),
    case(
        "id = \"breaker\"",
        "id = \"contact\"",
        "35:6 do.contact.id",
        "another point of the station is called \"contact\"",
    ),
    case(
        "card = \"dio\"\nline = 12",
        "card = \"dac\"\nline = 12",
        "36:8 do.breaker.card",
        "has no lines; name a card of kind \"gpio\", or write [[ao]]",
    ),
    case(
        "card = \"dac\"\nchannel = \"out_voltage0_raw\"",
        "card = \"dio\"\nchannel = \"out_voltage0_raw\"",
        "47:8 ao.valve.card",
        "has no channels that take a value",
    ),
    case(
        "range = [\"0\", \"100\"]",
        "range = [\"100\", \"0\"]",
        "50:9 ao.valve.range",
        "write the smallest value first",
    ),
    case(
        "safe = \"10\"",
        "safe = \"101\"",
        "51:8 ao.valve.safe",
        "the safe default 101 lies outside 0 to 100",
    ),
    case(
        "range = [\"0\", \"100\"]\nsafe = \"10\"",
        "range = [\"0\", \"99.996\"]\nsafe = \"99.996\"",
        "51:8 ao.valve.safe",
        "the safe default 99.996 would be output as 100.00, outside 0 to 99.996",
    ),
    case(
        "tolerance = \"1\"\n",
        "",
        "52:12 ao.valve.feedback",
        "write by how much it may differ",
    ),
    case(
        "scale = \"0.01\"",
        "scale = \"0.000000000000000000000000000001\"",
        "49:9 ao.valve.scale",
        "use a coarser `scale`",
    ),
    case(
        "scale = \"0.01\"",
        "scale = 0",
        "49:9 ao.valve.scale",
        "a scale of 0 makes every value the same",
    ),
    case(
        "channel = \"out_voltage0_raw\"",
        "channel = \"../out\"",
        "48:11 ao.valve.channel",
        "is not the name of a channel",
    ),
];
