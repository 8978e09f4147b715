//! What points tell of a meter's life: roles, counters, the zone of its clock.

use crate::common::{only_error, with};
use fieldnotary_contract::{Contract, Counting, Role, parse};

const COUNTER: &str = "scale = \"0.01\"\nrole = \"counter\"\nrolls_at = \"1000\"\nrate_max = \"5\"";

/// Lines behind the scale of the point `energy`, where its one error is, and what that says.
const WRONG: [(&str, &str, &str); 12] = [
    (
        "role = \"count\"",
        "46:8 profile.acme.energy.role",
        "did you mean \"counter\"?",
    ),
    (
        "rolls_at = \"9\"",
        "46:12 profile.acme.energy.rolls_at",
        "write role = \"counter\"",
    ),
    (
        "role = \"serial\"\nrate_max = \"9\"",
        "47:12 profile.acme.energy.rate_max",
        "the point is none",
    ),
    (
        "role = \"counter\"\nrolls_at = \"0\"",
        "47:12 profile.acme.energy.rolls_at",
        "above 0",
    ),
    (
        "role = \"counter\"\nrate_max = \"-1\"",
        "47:12 profile.acme.energy.rate_max",
        "above 0",
    ),
    (
        "role = \"counter\"\nrate_max = 0.5",
        "47:12 profile.acme.energy.rate_max",
        "binary fraction",
    ),
    (
        "role = \"counter\"\nrolls_at = \"x\"",
        "47:12 profile.acme.energy.rolls_at",
        "plain digits",
    ),
    (
        "role = 1",
        "46:8 profile.acme.energy.role",
        "write it in quotes",
    ),
    (
        "role = \"clock\"\nrolls_at = \"9\"",
        "47:12 profile.acme.energy.rolls_at",
        "remove the line",
    ),
    (
        "rate = \"9\"",
        "46:1 profile.acme.energy.rate",
        "unknown key",
    ),
    ("role = \"\"", "46:8 profile.acme.energy.role", "counter"),
    (
        "role = \"counter\"\nrole_max = \"1\"",
        "47:1 profile.acme.energy.role_max",
        "unknown key",
    ),
];

//= U2
//= U6
#[test]
fn a_role_that_cannot_be_is_one_error_with_its_cure() {
    for (lines, place, says) in WRONG {
        let text = with("scale = \"0.01\"", &format!("scale = \"0.01\"\n{lines}"));
        let error = only_error(&text).unwrap_or_else(|shown| panic!("{lines}: {shown}"));
        let shown = error.to_string();
        assert!(shown.contains(says), "{lines}: {shown}");
        let (line, key) = place.split_once(' ').unwrap();
        assert!(shown.contains(key), "{lines}: {shown}");
        assert!(
            shown.contains(line.split(':').next().unwrap()),
            "{lines}: {shown}"
        );
    }
    for (kind, role, says) in [
        ("i16", "serial", "a serial number is a whole number"),
        ("f32", "clock", "seconds since 1970"),
        ("u16", "clock", "write type = \"u32\" or \"u64\""),
    ] {
        let lines = format!("type = {kind:?}\nrole = {role:?}\nscale = \"1\"");
        let text = with("type = \"u32\"\nscale = \"0.01\"", &lines);
        let shown = only_error(&text).unwrap_or_else(|shown| panic!("{lines}: {shown}"));
        assert!(shown.to_string().contains(says), "{lines}: {shown}");
    }
    for (zone, says) in [
        ("\"1:00\"", "is no distance from UTC"),
        ("\"+15:00\"", "is no distance from UTC"),
        ("\"+1:00\"", "is no distance from UTC"),
        ("\"CET\"", "such as \"+01:00\""),
        ("\"+01:00\"", "no point of the meter is its clock"),
    ] {
        let text = with("unit = 1 # one", &format!("unit = 1\nclock_zone = {zone}"));
        let shown = only_error(&text).unwrap_or_else(|shown| panic!("{zone}: {shown}"));
        assert!(shown.to_string().contains(says), "{zone}: {shown}");
    }
    let twice = with("scale = \"0.01\"", "role = \"serial\"")
        .replace("type = \"i16\"", "type = \"u32\"\nrole = \"serial\"");
    let shown = only_error(&twice).unwrap_or_else(|shown| panic!("{shown}"));
    assert!(shown.to_string().contains("a meter has one"), "{shown}");
}

//= U2
//= R6.2
#[test]
fn a_role_is_part_of_the_contract_and_comes_back_from_its_canonical_form() {
    let plain = parse(&with("scale = \"0.01\"", "scale = \"0.01\"")).unwrap();
    let mut seen = vec![plain.digest()];
    let clock = "role = \"clock\"";
    for lines in [
        "scale = \"0.01\"\nrole = \"counter\"",
        "scale = \"0.01\"\nrole = \"counter\"\nrolls_at = \"1000\"",
        COUNTER,
        "role = \"serial\"",
        clock,
    ] {
        let contract = parse(&with("scale = \"0.01\"", lines)).unwrap();
        assert_eq!(
            Contract::from_canonical(&contract.canonical()),
            Ok(contract.clone())
        );
        seen.push(contract.digest());
    }
    for zone in ["+00:00", "+01:00", "-03:30"] {
        let text = with("scale = \"0.01\"", clock).replace(
            "unit = 1 # one",
            &format!("unit = 1\nclock_zone = {zone:?}"),
        );
        let contract = parse(&text).unwrap();
        assert_eq!(
            Contract::from_canonical(&contract.canonical()),
            Ok(contract.clone())
        );
        seen.push(contract.digest());
    }
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

//= U2
#[test]
fn a_counter_begins_again_where_its_registers_end_or_where_it_is_said() {
    for (kind, more, due) in [
        ("u16", "", Some("655.36")),
        ("u32", "", Some("42949672.96")),
        // More than a value can hold, and no counter lives to see.
        ("u64", "", None),
        ("u32", "\nbits = \"0-7\"", Some("2.56")),
        ("bcd32", "", Some("1000000.00")),
        ("i32", "", None),
        ("f32", "", None),
        ("i32", "\nrolls_at = \"99\"", Some("99")),
    ] {
        let lines = format!("type = {kind:?}\nscale = \"0.01\"\nrole = \"counter\"{more}");
        let text = with("type = \"u32\"\nscale = \"0.01\"", &lines);
        let contract = parse(&text).unwrap_or_else(|errors| panic!("{lines}: {errors:?}"));
        let meter = contract.meters.values().next().unwrap();
        let energy = meter
            .points
            .iter()
            .find(|point| point.id.as_str() == "energy");
        let found = energy.unwrap().rolls_at().map(|end| end.to_string());
        assert_eq!(found.as_deref(), due, "{lines}");
        assert!(matches!(
            energy.unwrap().role,
            Some(Role::Counter(Counting { .. }))
        ));
    }
}
