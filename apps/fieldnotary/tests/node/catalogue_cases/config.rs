//! Configurations: what is not there, not readable, or not sound.

use super::{CHECK, RUN};
use crate::bench::{Case, Place};

const SOUND: &str = r#"[station]
origin = "example.org/s1"

[[port]]
id = "lan"
kind = "modbus-tcp"
address = "192.0.2.7:502"

[[schedule]]
id = "minute"
every = "1min"

[[meter]]
id = "m1"
port = "lan"
unit = 1
schedule = "minute"

[[meter.point]]
id = "energy"
register = "holding:0"
type = "u32"
"#;

/// Ten different mistakes, one for each line that was changed.
const TEN: &str = r#"[station]
origin = "https://example.org/s1"
nmae = "Hall 3"

[storage]
segments = "8"
block = 1000

[seal]
every = "1ms"

[[port]]
id = "lan"
kind = "modbus-tpc"
address = "192.0.2.7"

[[schedule]]
id = "minute"
every = "1min"
offset = "2min"

[[meter]]
id = "m1"
port = "wlan"
unit = 300
schedule = "minute"

[[meter.point]]
id = "energy"
register = "holding:0"
type = "float"
"#;

fn with(place: &Place, from: &str, to: &str) {
    assert!(SOUND.contains(from), "{from}");
    place.write("station.toml", SOUND.replacen(from, to, 1));
}

pub(crate) const CONFIGURATIONS: &[Case] = &[
    Case::new("unknown-key", 1, CHECK, |place| {
        with(place, "\n\n[[port]]", "\nnmae = \"Hall 3\"\n\n[[port]]");
    }),
    Case::new("wrong-type", 1, CHECK, |place| {
        with(place, "unit = 1", "unit = \"1\"");
    }),
    Case::new("duplicate-point", 1, CHECK, |place| {
        let more = "[[meter.point]]\nid = \"energy\"\nregister = \"holding:2\"\ntype = \"u16\"\n";
        place.write("station.toml", format!("{SOUND}\n{more}"));
    }),
    Case::new("duplicate-address", 1, CHECK, |place| {
        let meter = SOUND.split_once("[[meter]]").map(|(_, meter)| meter);
        let meter = meter.unwrap_or_default().replace("\"m1\"", "\"m2\"");
        place.write("station.toml", format!("{SOUND}\n[[meter]]{meter}"));
    }),
    Case::new("impossible-schedule", 1, CHECK, |place| {
        with(place, "\"1min\"", "\"50ms\"\noffset = \"1s\"");
    }),
    Case::new("ten-errors", 1, CHECK, |place| {
        place.write("station.toml", TEN)
    }),
    Case::new("broken-notation", 1, CHECK, |place| {
        with(place, "[station]", "[station");
    }),
    Case::new("no-file", 3, CHECK, |_| {}),
    Case::new("empty-file", 1, CHECK, |place| {
        place.write("station.toml", "")
    }),
    Case::new("a-directory", 3, CHECK, |place| {
        std::fs::create_dir(place.path("station.toml")).unwrap();
    }),
    Case::new("not-text", 3, CHECK, |place| {
        place.write("station.toml", [0xff, 0xfe, 0x00]);
    }),
    Case::new("no-permission", 3, CHECK, |place| {
        with(place, "", "");
        place.mode("station.toml", 0o000);
    })
    .powerless(),
    Case::new("run-not-sound", 3, RUN, |place| {
        with(place, "unit = 1", "unit = 248000")
    }),
    Case::new(
        "init-over-a-file",
        3,
        &["fieldnotary", "init", "station.toml"],
        |place| with(place, "", ""),
    ),
    Case::new(
        "init-with-wrong-values",
        1,
        &[
            "fieldnotary",
            "init",
            "station.toml",
            "--origin",
            "https://example.org/s1",
            "--tcp",
            "192.0.2.7",
            "--register",
            "holding:70000",
        ],
        |_| {},
    ),
    Case::new("not-filled-in", 1, CHECK, |place| {
        let file = place.path("station.toml").display().to_string();
        place.run(&["fieldnotary", "init", &file]);
    }),
];
