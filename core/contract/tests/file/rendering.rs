//! What a person sees: whole renderings, compared with files. `BLESS=1` rewrites them.

use crate::common::{BASE, errors, with};
use fieldnotary_contract::{ContractErrors, parse};
use proptest::prelude::{prop_assert, proptest};
use std::path::PathBuf;

/// Compares `found` with the file, or writes it where `BLESS` is set.
pub(crate) fn same_as_file(path: &str, found: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, found).expect("the folder is there");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{} differs", path.display());
}

fn check(name: &str, text: &str) {
    let found = ContractErrors::new("station.toml", &errors(text)).to_string() + "\n";
    same_as_file(&format!("tests/file/goldens/{name}.txt"), &found);
}

/// Mistakes of every kind in one file.
const EVERYTHING_WRONG: &str = r#"[station]
origin = "https://example.org/s 1"
nmae = "Hall"

[storage]
segments = 1
segment_size = "100KB"

[seals]
every = "60s"

[[port]]
id = "line"
kind = "modbus-rtu"
device = "/dev/ttyS1"
baud = 9601
timeout = "3s"
late_reply = "2s"

[[port]]
id = "line"
kind = "modbus-tcp"
device = "/dev/ttyS1"

[[schedule]]
id = "quarter"
every = 15

[[profile]]
id = "acme"

[[profile.point]]
id = "energy"
register = 40001
type = "u32"
scale = 0.01

[[profile.point]]
id = "energy"
register = "input:65535"
type = "u32"

[[meter]]
id = "m1"
port = "line"
unit = 0
schedule = "quarterly"
profile = "acme"

[[meter]]
id = "m2"
port = "lime"
unit = "2"
schedule = "quarter"
"#;

//= R6.2
#[test]
fn every_error_is_found_at_once() {
    let found = errors(EVERYTHING_WRONG);
    let keys: Vec<&str> = found.iter().map(|error| error.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "station.origin",
            "station.nmae",
            "storage.segments",
            "storage.segment_size",
            "seals",
            "port.line.baud",
            "port.line.late_reply",
            "port.line.address",
            "port.line.id",
            "port.line.device",
            "schedule.quarter.every",
            "profile.acme.energy.register",
            "profile.acme.energy.scale",
            "profile.acme.energy.id",
            "profile.acme.energy.register",
            "meter.m1.unit",
            "meter.m1.schedule",
            "meter.m2.profile",
            "meter.m2.port",
            "meter.m2.unit",
        ]
    );
    check("everything", EVERYTHING_WRONG);
}

//= R6.2
#[test]
fn a_name_that_cannot_be_read_hides_only_what_may_refer_to_it() {
    let broken = with("id = \"quarter\"", "id = \"a name with spaces\"")
        .replacen("port = \"lan\"", "port = \"c\"", 1)
        .replacen("debounce = \"contact\"", "debounce = \"contakt\"", 1)
        .replacen("card = \"box\"", "card = \"bax\"", 1);
    let found = errors(&broken);
    let keys: Vec<&str> = found.iter().map(|error| error.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "schedule.#1.id",
            "meter.m2.port",
            "di.door.debounce",
            "ai.temp.card"
        ]
    );
}

//= R6.2
#[test]
fn the_name_that_stands_in_for_one_that_cannot_be_read_is_shown_to_nobody() {
    for (file, from, to) in [
        (
            crate::catalogue::MBUS,
            "profile = \"water\" # w1",
            "point = [{register = \"holding:0\"}]",
        ),
        (
            crate::catalogue::MBUS,
            "id = \"volt\", register = \"holding:0\", type = \"u16\"",
            "quantity = \"Volume\"",
        ),
    ] {
        let found = errors(&crate::common::changed(file, from, to));
        let shown = ContractErrors::new("station.toml", &found).to_string();
        assert!(
            found.iter().any(|error| error.what == "`id` is missing"),
            "{shown}"
        );
        assert!(!shown.contains("unreadable"), "{shown}");
        assert!(!shown.contains("`type` is missing"), "{shown}");
    }
}

//= R6.2
#[test]
fn renderings_are_as_agreed() {
    check("nothing", "");
    check("misspelt_key", &with("baud = 9600", "buad = 9600"));
    check("float", &with("scale = \"0.01\"", "scale = 0.01"));
    check("missing_key", &with("device = \"/dev/ttyS1\"", ""));
    check(
        "tabs_and_wide",
        &with("name = \"Hall\"", "\tname = \"H\u{e4}ll\"\tx"),
    );
    let long = format!("name = \"{}\" \u{7}", "x".repeat(300));
    check("long_line", &with("name = \"Hall\"", &long));
    // Three broken lines and two wrong values: one mistake in the notation does not hide the rest.
    let broken = BASE
        .replacen("name = \"Hall\"", "name \"Hall\"", 1)
        .replacen("baud = 9600", "baud = 9601", 1)
        .replacen("[[schedule]]", "[[schedule]", 1)
        .replacen("scale = \"0.01\"", "scale = \"0.01", 1)
        .replacen("unit = 1 # one", "unit = 300", 1);
    check("notation", &broken);
}

/// As many meters as a node may have, each with as many points as its profile gives.
fn meters(meters: usize, points: usize) -> String {
    let mut text =
        String::from("[station]\norigin = \"a/b\"\n[[schedule]]\nid = \"s\"\nevery = \"1h\"\n");
    for port in 0..=meters / 200 {
        text += &format!(
            "[[port]]\nid = \"p{port}\"\nkind = \"modbus-tcp\"\naddress = \"h{port}:502\"\n"
        );
    }
    text += "[[profile]]\nid = \"t\"\n";
    for point in 0..points {
        text += &format!(
            "[[profile.point]]\nid = \"x{point}\"\nregister = \"holding:{point}\"\ntype = \"u16\"\n"
        );
    }
    for meter in 0..meters {
        let (port, unit) = (meter / 200, meter % 200);
        text += &format!(
            "[[meter]]\nid = \"m{meter}\"\nport = \"p{port}\"\nunit = {unit}\nschedule = \"s\"\nprofile = \"t\"\n"
        );
    }
    text
}

//= A5.6
#[test]
fn a_segment_must_hold_the_stations_state_several_times() {
    let small = |meters: usize| {
        let text = self::meters(meters, 1);
        parse(&text.replacen(
            "[[schedule]]",
            "[storage]\nsegment_size = \"64KiB\"\n[[schedule]]",
            1,
        ))
    };
    assert!(small(5).is_ok());
    let found = small(200).unwrap_err();
    let (what, advice) = (&found[0].what, &found[0].advice);
    assert!(
        what.contains("begins with the state of the station"),
        "{what}"
    );
    assert_eq!(advice, "write \"1MiB\" or more");
}

#[test]
fn bounds_hold_and_are_named() {
    let long = |meters: usize| {
        self::meters(meters, 1).replace(
            "id = \"m",
            "id = \"a-name-that-is-nearly-forty-eight-bytes-long",
        )
    };
    assert_eq!(parse(&meters(2_000, 2)).err(), None);
    assert_eq!(parse(&long(950)).err(), None);
    for (text, says) in [
        (meters(2_001, 1), "2001 meters"),
        (
            long(1_100),
            "the names of 1106 meters, ports and cards take",
        ),
        (meters(1, 513), "513 points"),
        (meters(960, 105), "more than 100000 points"),
    ] {
        let found = errors(&text);
        let found: Vec<&str> = found.iter().map(|error| error.what.as_str()).collect();
        assert!(
            found.iter().any(|what| what.contains(says)),
            "{found:?} says {says}"
        );
    }
    let large = errors(&"#".repeat(17 * 1_024 * 1_024));
    assert!(large.iter().any(|error| error.what.contains("a file of")));
    // A thousand errors are listed; the rest is counted.
    let many = errors(&"[[meter]]\n".repeat(2_000));
    assert_eq!(many.len(), 1_000);
    assert!(
        many.last()
            .is_some_and(|last| last.what.contains("errors more"))
    );
}

#[test]
fn depth_without_end_is_refused() {
    let found = errors(&format!("x = {}", "[".repeat(100_000)));
    assert!(!found.is_empty());
}

/// Lines of windows files end one character earlier than they seem to.
#[test]
fn line_ends_of_windows_change_nothing() {
    let text = EVERYTHING_WRONG.replace('\n', "\r\n");
    assert_eq!(errors(&text), errors(EVERYTHING_WRONG));
    assert!(parse(&BASE.replace('\n', "\r\n")).is_ok());
}

proptest! {
    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,200}") {
        check_places(&text)?;
    }

    #[test]
    fn no_nonsense_in_a_sound_file_is_a_panic(
        at in 0..BASE.len(),
        len in 0usize..40,
        nonsense in "[\\[\\]\"'=.{},\\\\#\n\t a-z0-9\u{e4}]{0,12}",
    ) {
        let end = (at + len).min(BASE.len());
        let text = format!("{}{nonsense}{}", &BASE[..at], &BASE[end..]);
        check_places(&text)?;
    }

    #[test]
    fn no_order_of_lines_is_a_panic(seed in proptest::collection::vec(0usize..80, 0..80)) {
        let lines: Vec<&str> = BASE.lines().collect();
        let text: Vec<&str> = seed.iter().filter_map(|at| lines.get(*at).copied()).collect();
        check_places(&text.join("\n"))?;
    }
}

/// Whatever the file is: errors in its order, at places that it has.
fn check_places(text: &str) -> Result<(), proptest::test_runner::TestCaseError> {
    let errors = errors(text);
    let lines: Vec<&str> = text.split('\n').collect();
    let mut last = (0, 0);
    for error in &errors {
        prop_assert!((error.line, error.column) >= last, "{error}");
        last = (error.line, error.column);
        let line = lines.get(error.line - 1);
        prop_assert!(
            line.is_some_and(|line| error.column <= line.chars().count() + 1),
            "{error}"
        );
    }
    prop_assert!(parse(text).is_ok() || !errors.is_empty());
    Ok(())
}
