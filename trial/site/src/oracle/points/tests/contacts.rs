//! Counts, changes and glitches of inputs.

use super::{MS, check, opened, stopped, text, with, without};
use crate::oracle::points::compare_points;
use serde_json::{Value, json};

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

/// What a node with a window of 5 ms has of it, which opened the card half a second on.
fn rows() -> Vec<Value> {
    let count = |at: u64, count: u64, basis: &str, suspect: u64| {
        json!({"kind": "pulse_count", "event_id": format!("1:{at}"), "point_id": "water", "source": "dio", "mono_ns": at * MS,
               "count": count, "basis": basis, "suspect": suspect, "debounce_window_us": 5_000})
    };
    let counter = |name: &str, label: &str, value: u64| json!({"name": name, "label": label, "state": "value", "value": value, "source": "dio"});
    vec![
        opened("dio", 500),
        count(900, 0, "fresh", 0),
        count(2_500, 2, "live", 0),
        count(3_500, 3, "live", 0),
        count(6_500, 4, "live", 1),
        json!({"kind": "counter_snapshot", "mono_ns": 6_600 * MS, "counters": [
            counter("glitch_cnt", "water", 2), counter("glitch_width", "water/<100us", 1)]}),
        json!({"kind": "counter_snapshot", "mono_ns": 6_600 * MS, "counters": [counter("glitch_width", "water/<10ms", 1)]}),
    ]
}

//= A3.3
#[test]
fn the_first_count_of_an_opening_is_judged_from_its_first_state_on() {
    let (street, rows) = (water(), rows());
    // The first count of all is judged from the opening on.
    check(
        &street,
        &with(&rows, 1, "count", json!(1)),
        "counts 1 since the snapshot before; 0 pulses",
    );
    // One that goes on where another run stood has what was played since it was opened, and may have what was before.
    let mut again = rows.clone();
    again.insert(2, opened("dio", 1_500));
    let again = with(&again, 3, "basis", json!("log"));
    check(&street, &again, "");
    let fewer = |by: u64| {
        let counts = [(3, 2), (4, 3), (5, 4)].into_iter();
        counts.fold(again.clone(), |rows, (place, count)| {
            with(&rows, place, "count", json!(count - by))
        })
    };
    check(&street, &fewer(1), "");
    // A board that was there has what was counted before; a count that begins anew is none that goes on.
    let board = with(&fewer(1), 3, "basis", json!("board"));
    check(&street, &board, "");
    let fresh = with(
        &with(&again, 3, "basis", json!("fresh")),
        1,
        "count",
        json!(9),
    );
    check(&street, &fresh, "9 were counted before");
    check(
        &street,
        &fewer(2),
        "counts 0 since the snapshot before; 2 pulses were played that hold for the window, 1 of them",
    );
}

fn counted(at: u64, count: u64, basis: &str) -> Value {
    let mut row = rows().swap_remove(2);
    row["mono_ns"] = json!(at * MS);
    row["count"] = json!(count);
    row["basis"] = json!(basis);
    row
}

/// A card is opened, killed before its first slot, and opened again: between the runs nobody counted, and the board has no more
/// than what the killed one saw.
//= A3.3
#[test]
fn a_board_has_what_its_own_run_saw_and_not_what_was_played_before_it() {
    let street = water();
    let said = json!({"kind": "soe", "point_id": "door", "source": "dio", "mono_ns": 2_400 * MS});
    // The one that was killed saw the pulse at two seconds, or that at one as well.
    for (opened_at, least) in [(1_500, 1), (950, 2)] {
        let of = |count| {
            let before = [opened("dio", 500), counted(900, 0, "fresh")];
            let killed = [opened("dio", opened_at), said.clone()];
            let after = [opened("dio", 2_450), counted(2_900, count, "board")];
            [before, killed, after].concat()
        };
        check(&street, &of(least - 1), &format!("{least} of them since"));
        check(&street, &of(least), "");
        check(&street, &of(2), "");
        check(&street, &of(3), "2 pulses were played");
    }
}

/// A slot may fall between an opening and the first state: an edge in the window is that state's own.
//= A3.3
#[test]
fn a_pulse_that_began_in_the_window_of_an_opening_may_be_its_first_state() {
    let street = water();
    let of = |first, second| {
        let counts = [
            (1_999, 0, "fresh"),
            (2_500, first, "live"),
            (3_500, second, "live"),
        ];
        let counts = counts.map(|(at, count, basis)| counted(at, count, basis));
        [&[opened("dio", 1_997)][..], &counts].concat()
    };
    check(&street, &of(0, 1), "");
    check(&street, &of(1, 2), "");
    check(&street, &of(2, 3), "counts 2 since");
    check(&street, &of(0, 0), "counts 0 since");
}

//= A3.3
#[test]
fn counts_and_glitches_that_were_played_agree_and_any_other_is_found() {
    let (street, rows) = (water(), rows());
    let played = check(&street, &rows, "");
    assert_eq!((played.counts, played.pulses, played.meant), (4, 4, 5));
    assert_eq!(
        (played.glitches, played.histograms, played.unjudged),
        (2, 1, 0)
    );

    check(
        &street,
        &with(&rows, 2, "count", json!(3)),
        "counts 3 since the snapshot before; 2 pulses",
    );
    check(
        &street,
        &with(&rows, 2, "count", json!(0)),
        "counts 0 since the snapshot before; 2 pulses",
    );
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
    check(
        &street,
        &with(&rows, 3, "suspect", json!(1)),
        "suspects 1 pulses; 0 were lost and 0 cut short at the most",
    );
    check(
        &street,
        &without(&rows, &[3, 4]),
        "2 pulses were played behind the last count",
    );
    check(
        &street,
        &without(&rows, &[1, 2, 3, 4]),
        "it was played, and no entry is of it",
    );
    check(
        &street,
        &with(&rows, 0, "code", json!("other")),
        "no entry says that its card dio was opened",
    );
    // Without counters, or with those of two openings, the histogram is not judged, and that is said.
    let played = check(&street, rows.get(..5).unwrap(), "");
    assert_eq!((played.histograms, played.unjudged), (0, 1));
    let mut twice = rows.clone();
    twice.push(opened("dio", 6_700));
    let played = check(&street, &twice, "");
    assert_eq!((played.histograms, played.unjudged), (0, 1));
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
        "counts 2 since the snapshot before; 3 pulses",
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
    rows.insert(0, opened("dio", 500));
    rows.push(stopped("dio", 9_000));
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
        &with(&rows, 2, "mono_ns", json!(2_001 * MS)),
        "tells a change that was not played",
    );
    check(
        &street,
        &with(&rows, 7, "count", json!(5)),
        "7 changes that were played are not told; 6 were kept back",
    );
    check(
        &street,
        &with(&rows, 8, "count", json!(2)),
        "2 edges are said to be lost",
    );
    check(
        &street,
        &with(&rows, 8, "loss", json!(null)),
        "no entry says so",
    );
    check(
        &street,
        &with(&rows, 6, "mono_ns", json!(3_000 * MS)),
        "an input that did not chatter",
    );
    check(
        &street,
        &with(&rows, 6, "reason", json!("test")),
        "was not frozen",
    );
    // What is told ends with the card, and not with what happens to be told of the point.
    let fewer = check(
        &street,
        &without(&rows, &[8, 9]),
        "8 changes that were played are not told; 7 were kept back",
    );
    let texts = fewer.findings.texts();
    assert!(
        texts.iter().any(|text| text.contains("3 edges were lost")),
        "{texts:?}"
    );
    check(
        &street,
        &without(&rows, &[1, 2]),
        "8 changes that were played are not told; 7 were kept back",
    );
    let mut twice = rows.clone();
    twice.insert(3, rows[2].clone());
    check(&street, &twice, "tells a change a second time");
    // Who is frozen to the end tells at the end of that how many were kept back.
    let frozen = [&rows[..7], &rows[10..]].concat();
    check(&street, &frozen, "");
}
