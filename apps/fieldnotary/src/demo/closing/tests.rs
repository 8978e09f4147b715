//! What the closing page and its JSON form say of a verdict.

use super::Closing;
use crate::demo::check::Verdict;
use crate::demo::injector::Blow;
use crate::demo::layout::Layout;
use crate::demo::plan::Plan;
use serde_json::{Value, json};
use std::time::Duration;
use trial::{Comparison, Findings, Keys};

fn missing(meter: &str, class: &str, cause: &str, entry: u64) -> Value {
    json!({
        "meter_id": meter, "point_id": "energy", "slot": "1:7", "seq": 3, "class": class,
        "cause": cause, "event_id": format!("1:{entry}"),
    })
}

fn verdict() -> Verdict {
    let missing: Vec<Value> = [9, 30, 100, 200, 31]
        .map(|entry| missing("m01", "IF_ERR", "timeout", entry))
        .to_vec();
    Verdict {
        node: json!({"custody": "software", "truth_class": "same-device-sync", "sealed_entries": 900}),
        collector: json!({"sealed_entries": 880, "entries": 890}),
        gaps: json!({
            "due": 540, "attempted": 500, "captured": 2_400, "duplicates": 0,
            "missing": missing, "missing_explained": 5,
        }),
        rows: vec![json!({"time_quality": "RTC_ONLY"})],
        comparison: Comparison {
            requests: 7,
            ..Comparison::default()
        },
        log_size: 901,
        cosigned_size: 890,
        findings: Findings::default(),
    }
}

fn with_closing<T>(verdict: &Verdict, look: impl FnOnce(&Closing<'_>) -> T) -> T {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::choose(&dir.path().join("d e")).unwrap();
    let keys = Keys {
        log: vec!["log.example+1+A".into()],
        collector: "c.example+2+B".into(),
    };
    let blows = [
        Blow::Killed {
            at: Duration::from_millis(18_200),
            pid: 70,
            back: Some((Duration::from_millis(400), 90)),
        },
        Blow::Cut {
            at: Duration::from_secs(27),
            connections: 1,
            restored: Some((Duration::from_secs(12), 8)),
        },
    ];
    let plan = Plan::new(Duration::from_secs(60), 0);
    look(&Closing {
        layout: &layout,
        plan: &plan,
        keys: &keys,
        blows: &blows,
        verdict,
        program: "./fieldnotary",
    })
}

//= A1.3
//= A4.3
#[test]
fn the_page_names_what_is_missing_what_fell_and_what_is_not_proven() {
    let page = with_closing(&verdict(), |closing| closing.page());
    for line in page.lines().filter(|line| !line.contains('/')) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "killed with SIGKILL at 18.2 s: answered again after 0.4 s as pid 90;",
        "uplink cut at 27.0 s for 12.0 s, 8 connections refused, 1 connection broken",
        "890 of 901 entries",
        "The last entry is under no checkpoint yet",
        "10 sealed entries are not cosigned yet",
        "The street agrees with the node: it saw 7 requests",
        "The street's doing: m01: never answers.",
    ] {
        assert!(words.contains(part), "{part:?} is not in\n{page}");
    }
    for part in [
        "readings captured   2400\n",
        "m01    IF_ERR  timeout         5  1:9 1:30 and 3 more\n",
        "custody: software",
        "same-device-sync",
        "The time of day",
        "./fieldnotary verify '/",
        "/d e/node' --anchor 'log.example+1+A'",
        "VERIFIED: every check above holds.",
    ] {
        assert!(page.contains(part), "{part:?} is not in\n{page}");
    }
    assert!(!page.contains("NOT VERIFIED"), "{page}");
}

//= A1.3
#[test]
fn a_finding_unmakes_the_verdict() {
    let mut found = verdict();
    found.findings.add("entry 7 is damaged".to_owned());
    let page = with_closing(&found, |closing| closing.page());
    assert!(
        page.contains("  does not hold: entry 7 is damaged\n"),
        "{page}"
    );
    assert!(page.contains("NOT VERIFIED"), "{page}");
    let json = with_closing(&found, |closing| closing.json());
    assert_eq!(
        (&json["verified"], &json["findings"][0]),
        (&json!(false), &json!("entry 7 is damaged"))
    );
}

//= A4.6
#[test]
fn the_object_has_the_numbers_that_programs_rely_on() {
    let json = with_closing(&verdict(), |closing| closing.json());
    for (key, value) in [
        ("due", json!(540)),
        ("attempted", json!(500)),
        ("captured", json!(2_400)),
        ("duplicates", json!(0)),
        ("missing", json!(5)),
        ("missing_explained", json!(5)),
        ("log_size", json!(901)),
        ("cosigned_size", json!(890)),
        ("witnessed_size", json!(890)),
        ("verified", json!(true)),
        ("anchor", json!("log.example+1+A")),
    ] {
        assert_eq!(json[key], value, "{key}");
    }
    for (key, end) in [
        ("data_dir", "/node"),
        ("collector_dir", "/collector"),
        ("street_log", "/street/street.jsonl"),
        ("injector_log", "/injector.jsonl"),
    ] {
        assert!(
            json[key].as_str().unwrap().ends_with(end),
            "{key}: {}",
            json[key]
        );
    }
}
