//! Logs that agree with what was played, and one change each that does not.

use super::{Played, compare_points};
use serde_json::{Value, json};

const MS: u64 = 1_000_000;

/// Pulses of 40 ms at each second from 1 to 5; the fourth is missed. A glitch of 20 us and one of 3 ms, both behind the
/// second pulse; two edges of the fifth are lost.
fn water() -> String {
    let mut lines = Vec::new();
    for number in 1..=5 {
        let at = number * 1_000 * MS;
        let fault = (number == 4).then_some("missed");
        lines.push(json!({"mono_ns": at, "event": "pulse", "point": "water", "fault": fault, "until_ns": at + 40 * MS, "count": number}));
        let mut edges = vec![(at, true), (at + 40 * MS, false)];
        match number {
            2 => edges.extend([
                (at + 100 * MS, true),
                (at + 100 * MS + 20_000, false),
                (at + 200 * MS, true),
                (at + 203 * MS, false),
            ]),
            4 | 5 => edges.clear(),
            _ => {}
        }
        for (at, rising) in edges {
            lines.push(json!({"mono_ns": at, "event": "edge", "point": "water", "rising": rising}));
        }
    }
    let at = 6_000 * MS;
    lines.push(json!({"mono_ns": at, "event": "lost", "point": "water", "fault": "lost-edges", "count": 2}));
    lines.push(json!({"mono_ns": at, "event": "edge", "point": "water", "rising": true}));
    text(&lines)
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// What a node with a window of 5 ms has of it, which opened the card half a second on.
fn rows() -> Vec<Value> {
    let count = |at: u64, count: u64, basis: &str, suspect: u64| {
        json!({"kind": "pulse_count", "event_id": format!("1:{at}"), "point_id": "water", "source": "dio", "mono_ns": at * MS,
               "count": count, "basis": basis, "suspect": suspect, "debounce_window_us": 5_000})
    };
    let counter = |name: &str, label: &str, value: u64| json!({"name": name, "label": label, "state": "value", "value": value, "source": "dio"});
    vec![
        json!({"kind": "event", "code": "port_opened", "source": "dio", "mono_ns": 500 * MS}),
        count(900, 0, "fresh", 0),
        count(2_500, 2, "live", 0),
        count(3_500, 3, "live", 0),
        count(6_500, 4, "live", 1),
        json!({"kind": "counter_snapshot", "mono_ns": 6_600 * MS, "counters": [
            counter("glitch_cnt", "water", 2), counter("glitch_width", "water/<100us", 1)]}),
        json!({"kind": "counter_snapshot", "mono_ns": 6_600 * MS, "counters": [counter("glitch_width", "water/<10ms", 1)]}),
    ]
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

//= A3.3
#[test]
fn counts_and_glitches_that_were_played_agree_and_any_other_is_found() {
    let (street, rows) = (water(), rows());
    let played = check(&street, &rows, "");
    assert_eq!((played.counts, played.pulses, played.meant), (4, 4, 5));
    assert_eq!(played.glitches, 2);

    check(
        &street,
        &with(&rows, 2, "count", json!(1)),
        "counts 1 since the snapshot before; 2 pulses",
    );
    check(
        &street,
        &with(&rows, 3, "count", json!(1)),
        "2 were counted before",
    );
    check(
        &street,
        &with(&rows, 4, "suspect", json!(0)),
        "suspects 0 pulses; edges of 1 were lost",
    );
    let mut fewer = rows.clone();
    fewer[5]["counters"][1]["value"] = json!(0);
    check(
        &street,
        &fewer,
        "0 glitches <100us are counted; 1 were played",
    );
    // A window of 2 ms would have counted the wide glitch.
    check(
        &street,
        &with(&rows, 1, "debounce_window_us", json!(2_000)),
        "3 pulses",
    );
    // And so would a street that says something else.
    let other = street.replacen("\"rising\":false", "\"rising\":true", 1);
    check(&other, &rows, "counts");
    assert!(
        compare_points(
            "{\"point\": \"a\", \"event\": \"edge\", \"mono_ns\": 1}",
            &[]
        )
        .unwrap_err()
        .contains("rising")
    );
}

/// A door that opens at 2 s, chatters from 4 s on, and loses three edges before 8 s.
fn door() -> String {
    let edge = |at: u64, rising: bool| json!({"mono_ns": at * MS, "event": "edge", "point": "door", "rising": rising});
    let mut lines = vec![
        edge(2_000, true),
        json!({"mono_ns": 4_000 * MS, "event": "played", "point": "door", "fault": "chatter", "until_ns": 4_200 * MS, "count": 10}),
    ];
    lines.extend((0..10).map(|number| edge(4_000 + 20 * number, number % 2 == 1)));
    lines.push(json!({"mono_ns": 8_000 * MS, "event": "lost", "point": "door", "fault": "lost-edges", "count": 3}));
    lines.push(edge(8_000, false));
    text(&lines)
}

/// Frozen at the fourth change.
fn told() -> Vec<Value> {
    let row = |at: u64, change: &str, value: u64, reason: &str| {
        json!({"kind": "soe", "event_id": format!("1:{at}"), "point_id": "door", "source": "dio", "mono_ns": at * MS,
               "change": change, "value": value, "reason": reason, "debounce_window_us": 5_000})
    };
    let mut rows = vec![
        row(500, "initial", 0, "test"),
        row(2_000, "edge", 1, "test"),
        row(4_000, "edge", 0, "test"),
        row(4_020, "edge", 1, "test"),
        row(4_040, "edge", 0, "test"),
        row(4_060, "quality", 1, "chatter"),
        row(5_100, "quality", 1, "test"),
        row(8_000, "lost", 1, "test"),
        row(8_000, "edge", 0, "test"),
    ];
    for (place, count, loss) in [
        (5, 1, "chatter"),
        (6, 6, "chatter"),
        (7, 3, "kernel_buffer"),
    ] {
        rows[place]["count"] = json!(count);
        rows[place]["loss"] = json!(loss);
    }
    rows
}

//= R3.1
#[test]
fn changes_freezes_and_losses_of_an_input_agree_and_any_other_is_found() {
    let (street, rows) = (door(), told());
    let played = check(&street, &rows, "");
    assert_eq!((played.changes, played.frozen, played.lost), (12, 1, 3));
    check(
        &street,
        &with(&rows, 1, "mono_ns", json!(2_001 * MS)),
        "tells a change that was not played",
    );
    check(
        &street,
        &with(&rows, 6, "count", json!(5)),
        "11 changes are told or kept back",
    );
    check(
        &street,
        &with(&rows, 7, "count", json!(2)),
        "2 edges are said to be lost",
    );
    check(
        &street,
        &with(&rows, 7, "loss", json!(null)),
        "no entry says so",
    );
    check(
        &street,
        &with(&rows, 5, "mono_ns", json!(3_000 * MS)),
        "an input that did not chatter",
    );
    check(
        &street,
        &with(&rows, 5, "reason", json!("test")),
        "was not frozen",
    );
}

/// A level that is read each second: sound, an open wire, sound, refused, sound.
fn level() -> String {
    let read = |at: u64, raw: Option<i64>, fault: Option<&str>| json!({"mono_ns": (at * 1_000 + 5) * MS, "event": "read", "point": "level", "raw": raw, "fault": fault});
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
    vec![
        row(10, Some("500"), "none"),
        row(11, Some("0"), "open_wire"),
        row(12, Some("510"), "none"),
        row(13, None, "source_lost"),
        row(24, Some("-520"), "none"),
    ]
}

//= R3.1
#[test]
fn values_that_were_answered_agree_and_any_other_is_found() {
    let (street, rows) = (level(), values());
    assert_eq!(check(&street, &rows, "").values, 5);
    check(
        &street,
        &with(&rows, 0, "raw", json!("501")),
        "says 501; the device answered 500",
    );
    check(
        &street,
        &with(&rows, 1, "reason", json!("none")),
        "under the fault \"open-wire\"",
    );
    check(
        &street,
        &with(&rows, 1, "reason", json!("noise")),
        "no entry says open_wire",
    );
    check(
        &street,
        &with(&rows, 2, "reason", json!("out_of_range")),
        "under the fault \"\"",
    );
    check(
        &street,
        &with(&rows, 3, "reason", json!("test")),
        "has no value (test)",
    );
    check(
        &street,
        &with(&rows, 4, "mono_ns", json!(30_000 * MS)),
        "that nothing answered",
    );
    check(
        &street,
        &with(&rows, 4, "raw", json!(null)),
        "every read was answered",
    );
    let mut silent = rows;
    silent.remove(3);
    check(&street, &silent, "no entry says source_lost or stale");
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
    assert_eq!(check(&street, &rows, "").changes, 6);
    check(
        &street,
        &with(&rows, 2, "value", json!(1)),
        "that no answer showed",
    );
    check(
        &street,
        &with(&rows, 5, "value", json!(1)),
        "finds a state that no answer showed",
    );
    let mut fewer = rows;
    fewer.remove(2);
    check(
        &street,
        &fewer,
        "1 changes that answers showed are not told",
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
    rows
}

//= A7.2
#[test]
fn excursions_of_a_supply_agree_and_any_other_is_found() {
    let (street, rows) = (vbat(), excursions());
    assert_eq!(check(&street, &rows, "").excursions, 5);
    check(
        &street,
        &with(&rows, 0, "value", json!("12.001")),
        "12.001, which did not stand there",
    );
    check(
        &street,
        &with(&rows, 1, "mono_ns", json!(15_000 * MS)),
        "beyond brownout, and the supply was not",
    );
    check(
        &street,
        &with(&rows, 2, "extreme", json!("10.000")),
        "it was at 9900 mV for long",
    );
    check(
        &street,
        &with(&rows, 2, "extreme", json!("9.000")),
        "9.000 at the furthest, which did not stand there",
    );
    check(
        &street,
        &with(&rows, 3, "mono_ns", json!(15_000 * MS)),
        "lost a supply that could be read",
    );
    for (place, part) in [(1, "brownout from"), (3, "loss from")] {
        let mut fewer = rows.clone();
        fewer.remove(place);
        check(&street, &fewer, part);
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
    vec![
        row(10, "answered", Some(100), None, false),
        row(11, "answered", Some(153), Some(53), false),
        row(12, "silent", None, None, false),
        row(13, "garbled", None, None, false),
        row(14, "answered", Some(2), None, true),
        row(15, "answered", Some(4), Some(2), false),
    ]
}

//= A3.4
#[test]
fn reports_of_a_modem_agree_and_any_other_is_found() {
    let (street, rows) = (plc(), reports());
    assert_eq!(check(&street, &rows, "").reports, 6);
    check(
        &street,
        &with(&rows, 0, "retransmissions", json!(101)),
        "reports Some(101) retransmissions; it said Some(100)",
    );
    check(
        &street,
        &with(&rows, 1, "value", json!("21.4")),
        "it said Some(215) tenths",
    );
    check(
        &street,
        &with(&rows, 1, "step", json!(3)),
        "a step of Some(3); it was Some(53)",
    );
    check(
        &street,
        &with(&rows, 2, "outcome", json!("garbled")),
        "it is \"silent\" under the fault Some(\"mute\")",
    );
    check(
        &street,
        &with(&rows, 4, "restarted", json!(false)),
        "its counter went back: true",
    );
    check(
        &street,
        &with(&rows, 5, "mono_ns", json!(90_000 * MS)),
        "that was not asked",
    );
    check(
        &street,
        rows.get(..4).unwrap(),
        "1 questions have no report",
    );
}
