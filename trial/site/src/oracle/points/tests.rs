//! Logs that agree with what was played, and one change each that does not.

mod contacts;

use super::{Played, compare_points};
use serde_json::{Value, json};

const MS: u64 = 1_000_000;

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn opened(card: &str, at: u64) -> Value {
    json!({"kind": "event", "code": "port_opened", "source": card, "mono_ns": at * MS})
}

/// The last counters of a card: its point may have said nothing for long.
fn stopped(card: &str, at: u64) -> Value {
    json!({"kind": "counter_snapshot", "mono_ns": at * MS, "counters": [{"name": "link_lost_cnt", "source": card, "state": "value", "value": 0}]})
}

/// Between an opening and the last counters.
fn within(card: &str, rows: Vec<Value>, end: u64) -> Vec<Value> {
    let rows = rows.into_iter().map(|mut row| {
        row["source"] = json!(card);
        row
    });
    let ends = [opened(card, 0), stopped(card, end)];
    let rows: Vec<Value> = rows.collect();
    [&ends[..1], &rows, &ends[1..]].concat()
}

fn without(rows: &[Value], places: &[usize]) -> Vec<Value> {
    let mut rows = rows.to_vec();
    for place in places {
        rows[*place]["point_id"] = json!("another");
    }
    rows
}

fn check(street: &str, rows: &[Value], part: &str) -> Played {
    let played = compare_points(street, rows).unwrap();
    let texts = played.findings.texts();
    match part {
        "" => assert_eq!(texts, [""; 0]),
        part => assert!(
            texts.iter().any(|text| text.contains(part)),
            "{part}: {texts:?}"
        ),
    }
    played
}

fn with(rows: &[Value], place: usize, key: &str, value: Value) -> Vec<Value> {
    let mut rows = rows.to_vec();
    rows[place][key] = value;
    rows
}

/// A level that is read each second: sound, an open wire, sound, refused, sound.
fn level() -> String {
    let read = |at: u64, raw: Option<i64>, fault: Option<&str>| json!({"mono_ns": (at * 1_000 + 5) * MS, "event": "read", "point": "level", "device": "rio", "raw": raw, "fault": fault});
    text(&[
        read(10, Some(500), None),
        read(11, Some(0), Some("open-wire")),
        read(12, Some(510), None),
        read(13, None, Some("refused")),
        read(24, Some(-520), None),
    ])
}

fn values() -> Vec<Value> {
    let row = |at: u64, raw: Option<&str>, reason: &str| json!({"kind": "analog", "event_id": format!("1:{at}"), "point_id": "level", "mono_ns": at * 1_000 * MS, "raw": raw, "reason": reason});
    let rows = vec![
        row(10, Some("500"), "none"),
        row(11, Some("0"), "open_wire"),
        row(12, Some("510"), "none"),
        row(13, None, "source_lost"),
        row(24, Some("-520"), "none"),
    ];
    within("rio", rows, 26_000)
}

//= R3.1
#[test]
fn values_that_were_answered_agree_and_any_other_is_found() {
    let (street, rows) = (level(), values());
    assert_eq!(check(&street, &rows, "").values, 5);
    check(
        &street,
        &with(&rows, 1, "raw", json!("501")),
        "says 501; the device answered 500",
    );
    check(
        &street,
        &with(&rows, 2, "reason", json!("none")),
        "under the fault \"open-wire\"",
    );
    check(
        &street,
        &with(&rows, 2, "reason", json!("noise")),
        "no entry says open_wire",
    );
    check(
        &street,
        &with(&rows, 3, "reason", json!("out_of_range")),
        "under the fault \"\"",
    );
    check(
        &street,
        &with(&rows, 4, "reason", json!("test")),
        "has no value (test)",
    );
    check(
        &street,
        &with(&rows, 5, "mono_ns", json!(30_000 * MS)),
        "that nothing answered",
    );
    check(
        &street,
        &with(&rows, 5, "raw", json!(null)),
        "every read was answered",
    );
    let mut silent = rows.clone();
    silent.remove(4);
    check(&street, &silent, "no entry says source_lost or stale");
    // It is lost while its device does not answer something else, but not while another device does not.
    let lost = with(&rows, 3, "raw", json!(null));
    let lost = with(&lost, 3, "reason", json!("source_lost"));
    for (device, part) in [("rio", ""), ("another", "every read was answered")] {
        let line = json!({"mono_ns": 12_002 * MS, "event": "silent", "point": device, "device": device, "fault": "offline"});
        check(&(street.clone() + &text(&[line])), &lost, part);
    }
}

//= R3.1
#[test]
fn bits_that_were_shown_agree_and_any_other_is_found() {
    let shown = |at: u64, rising: bool| json!({"mono_ns": at * MS, "event": "shown", "point": "bit", "rising": rising});
    let street = text(&[
        shown(1_005, true),
        shown(2_005, false),
        shown(3_005, true),
        shown(5_005, false),
        shown(6_005, true),
    ]);
    let row = |at: u64, change: &str, value: u64| json!({"kind": "soe", "event_id": format!("1:{at}"), "point_id": "bit", "mono_ns": at * MS, "change": change, "value": value});
    // The card is lost behind the third change; the fourth is what is found as it is opened again.
    let rows = vec![
        row(500, "initial", 0),
        row(1_000, "edge", 1),
        row(2_000, "edge", 0),
        row(3_000, "edge", 1),
        row(3_500, "quality", 1),
        row(5_010, "initial", 0),
        row(6_000, "edge", 1),
    ];
    let rows = within("rio", rows, 7_000);
    assert_eq!(check(&street, &rows, "").changes, 6);
    check(
        &street,
        &with(&rows, 3, "value", json!(1)),
        "that no answer showed",
    );
    check(
        &street,
        &with(&rows, 6, "value", json!(1)),
        "finds a state that no answer showed",
    );
    for place in [3, 7] {
        check(
            &street,
            &without(&rows, &[place]),
            "1 changes that answers showed are not told",
        );
    }
    check(
        &street,
        &[&rows[..3], &rows[2..]].concat(),
        "tells a change a second time",
    );
}

/// A supply of 12 V: at 10 s it falls to 10 V for 2 s, at 20 s nothing can be read for 2 s.
fn vbat() -> String {
    let stands = |at: u64, mv: Option<i64>, fault: Option<&str>| json!({"mono_ns": at * 1_000 * MS, "event": "supply", "point": "vbat", "raw": mv, "fault": fault});
    text(&[
        stands(5, Some(12_000), None),
        stands(10, Some(10_000), Some("brownout")),
        stands(11, Some(9_900), Some("brownout")),
        stands(12, Some(12_000), None),
        stands(20, None, Some("loss")),
        stands(22, Some(12_100), None),
        stands(30, Some(12_000), None),
    ])
}

fn excursions() -> Vec<Value> {
    let row = |at: u64, change: &str, band: Option<&str>, value: Option<&str>| {
        json!({"kind": "excursion", "event_id": format!("1:{at}"), "point_id": "vbat", "mono_ns": at * MS, "change": change, "band": band,
               "limit": band.map(|_| "10.5"), "value": value, "extreme": null})
    };
    let mut rows = vec![
        row(6_000, "found", None, Some("12.000")),
        row(10_020, "entered", Some("brownout"), Some("10.000")),
        row(12_020, "left", Some("brownout"), Some("12.000")),
        row(20_010, "lost", None, None),
        row(22_010, "found", None, Some("12.100")),
    ];
    rows[2]["extreme"] = json!("9.900");
    within("bat", rows, 30_000)
}

//= A7.2
#[test]
fn excursions_of_a_supply_agree_and_any_other_is_found() {
    let (street, rows) = (vbat(), excursions());
    assert_eq!(check(&street, &rows, "").excursions, 5);
    check(
        &street,
        &with(&rows, 1, "value", json!("12.001")),
        "12.001, which did not stand there",
    );
    check(
        &street,
        &with(&rows, 2, "mono_ns", json!(15_000 * MS)),
        "beyond brownout, and the supply was not",
    );
    check(
        &street,
        &with(&rows, 3, "extreme", json!("10.000")),
        "it was at 9900 mV for long",
    );
    check(
        &street,
        &with(&rows, 3, "extreme", json!("9.000")),
        "9.000 at the furthest, which did not stand there",
    );
    check(
        &street,
        &with(&rows, 4, "mono_ns", json!(15_000 * MS)),
        "lost a supply that could be read",
    );
    for (places, part) in [
        (&[2][..], "brownout from"),
        (&[4], "loss from"),
        (&[4, 5], "loss from"),
    ] {
        check(&street, &without(&rows, places), part);
    }
}

/// A modem that is asked each second: two answers, none, garbage, and two after it began anew.
fn plc() -> String {
    let said = |at: u64, count: Option<u64>, fault: Option<&str>| json!({"mono_ns": at * 1_000 * MS + MS, "event": "modem", "point": "plc", "count": count, "raw": count.map(|_| 215), "fault": fault});
    text(&[
        said(10, Some(100), None),
        said(11, Some(153), Some("noise-storm")),
        said(12, None, Some("mute")),
        said(13, None, Some("garbage")),
        said(14, Some(2), Some("counters-back")),
        said(15, Some(4), None),
    ])
}

fn reports() -> Vec<Value> {
    let row = |at: u64, outcome: &str, count: Option<u64>, step: Option<u64>, restarted: bool| {
        json!({"kind": "modem_report", "event_id": format!("1:{at}"), "point_id": "plc", "mono_ns": at * 1_000 * MS, "outcome": outcome,
               "retransmissions": count, "step": step, "restarted": restarted, "value": count.map(|_| "21.5")})
    };
    let rows = vec![
        row(10, "answered", Some(100), None, false),
        row(11, "answered", Some(153), Some(53), false),
        row(12, "silent", None, None, false),
        row(13, "garbled", None, None, false),
        row(14, "answered", Some(2), None, true),
        row(15, "answered", Some(4), Some(2), false),
    ];
    within("web", rows, 16_000)
}

//= A3.4
#[test]
fn reports_of_a_modem_agree_and_any_other_is_found() {
    let (street, rows) = (plc(), reports());
    assert_eq!(check(&street, &rows, "").reports, 6);
    check(
        &street,
        &with(&rows, 1, "retransmissions", json!(101)),
        "reports Some(101) retransmissions; it said Some(100)",
    );
    check(
        &street,
        &with(&rows, 2, "value", json!("21.4")),
        "it said Some(215) tenths",
    );
    check(
        &street,
        &with(&rows, 2, "step", json!(3)),
        "a step of Some(3); it was Some(53)",
    );
    check(
        &street,
        &with(&rows, 3, "outcome", json!("garbled")),
        "it is \"silent\" under the fault Some(\"mute\")",
    );
    check(
        &street,
        &with(&rows, 5, "restarted", json!(false)),
        "its counter went back: true",
    );
    check(
        &street,
        &with(&rows, 6, "mono_ns", json!(90_000 * MS)),
        "that was not asked",
    );
    check(
        &street,
        rows.get(..5).unwrap(),
        "1 questions have no report",
    );
}
