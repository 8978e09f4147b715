//! A burst of edges through a whole node: every one is in the log or counted as lost there, with its reason, and none is out of order.

use crate::common::contract::Contract;
use crate::common::sites::Node;
use crate::common::{about, length, list, now, number, text, wait_until};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// Edges in a second.
const RATE: usize = 10_000;
/// How long behind the opening the first one comes, so that the node has settled.
const BEGINS_S: usize = 3;
/// The inputs whose every change is an entry, and their lines; the pulse meter beside them counts.
const INPUTS: [(&str, usize); 3] = [("door", 1), ("valve", 2), ("gate", 3)];
const PULSE: (&str, usize) = ("water", 4);
const LINES: usize = INPUTS.len() + 1;

fn contract(edges: &Path, seconds: usize) -> Contract {
    let inputs: String = INPUTS
        .iter()
        .map(|(id, line)| {
            format!("[[di]]\nid = {id:?}\ncard = \"dio\"\nline = {line}\ndebounce = \"bare\"\n\n")
        })
        .collect();
    let (pulse, line) = PULSE;
    // A second of the burst needs half of one.
    let segments = 2 + seconds;
    Contract::of(format!(
        "[station]\norigin = \"example.org/burst\"\n\n[storage]\nsegment_size = \"8MiB\"\nsegments = {segments}\n\n\
         [seal]\nevery = \"1s\"\n\n[[schedule]]\nid = \"second\"\nevery = \"1s\"\n\n\
         [[card]]\nid = \"dio\"\nkind = \"recording\"\npath = {edges:?}\n\n\
         [[debounce]]\nid = \"bare\"\nwindow = \"0us\"\nchatter_on = 0\n\n{inputs}\
         [[pulse]]\nid = {pulse:?}\ncard = \"dio\"\nline = {line}\ndebounce = \"bare\"\nschedule = \"second\"\n"
    ))
}

/// Each line in its turn, and each goes up and down; the kernel's number of an edge is left out now and then, as where its buffer was full.
fn recording(edges: usize) -> (String, u64) {
    let (mut text, mut lost) = (String::new(), 0_u64);
    let mut numbers = [0; LINES];
    for (line, _) in numbers.iter().enumerate() {
        writeln!(text, "0 level {} low", line + 1).unwrap();
    }
    for edge in 0..edges {
        let line = edge % LINES;
        let number = numbers.get_mut(line).unwrap();
        // A pair is lost, so that the line still goes up and down in turn.
        let missing = if edge % 4_999 == 4_998 { 2 } else { 0 };
        lost += missing;
        *number += 1 + missing;
        let us = BEGINS_S * 1_000_000 + edge * (1_000_000 / RATE);
        let way = if (edge / LINES).is_multiple_of(2) {
            "rising"
        } else {
            "falling"
        };
        let (seconds, rest) = (us / 1_000_000, us % 1_000_000);
        writeln!(text, "{seconds}.{rest:06} edge {} {way} {number}", line + 1).unwrap();
    }
    (text, lost)
}

/// The newest counters of the card, by name and label.
fn counters(rows: &[Value]) -> BTreeMap<(String, String), u64> {
    let sheets = rows.iter().filter(|row| row["kind"] == "counter_snapshot");
    let counters = sheets.flat_map(|row| list(row, "counters"));
    let with_value = counters.filter(|one| one["value"].is_u64());
    with_value
        .map(|one| {
            let key = (text(one, "name").to_owned(), text(one, "label").to_owned());
            (key, number(one, "value"))
        })
        .collect()
}

/// Lets the node play the burst; gives its directory, and how long after the last edge the last entry was there.
fn play(dir: &Path, seconds: usize) -> (std::path::PathBuf, u64, Duration) {
    let edges = dir.join("edges.txt");
    let (text, lost) = recording(seconds * RATE);
    std::fs::write(&edges, text).unwrap();
    let begun = now();
    let node = Node::start(dir, "node", &contract(&edges, seconds));
    let last = Duration::from_secs((BEGINS_S + seconds) as u64);
    std::thread::sleep(last.saturating_sub(begun.elapsed()));
    let pulses = (seconds * RATE / LINES / 2) as u64;
    wait_until("the last pulse", Duration::from_secs(120), || {
        let newest = ["--kind", "pulse_count", "--last", "1"];
        let rows = about("log", node.data(), &newest).json_lines();
        rows.iter()
            .any(|row| number(row, "count") >= pulses)
            .then_some(())
    });
    // The log no longer grows by edges: what is left is a second's pulse count and the seals.
    let mut size = 0;
    wait_until("the end of the burst", Duration::from_secs(120), || {
        std::thread::sleep(Duration::from_millis(500));
        let before = std::mem::replace(&mut size, number(&node.status(), "log_size"));
        (before > 0 && size - before < 50).then_some(())
    });
    let behind = begun.elapsed().saturating_sub(last);
    (node.stop(), lost, behind)
}

//= R1.1
//= A3.3
#[test]
fn ten_thousand_edges_in_each_second_are_in_the_log_or_counted_there() {
    let seconds = length("FIELDNOTARY_BURST_S", 2);
    let edges = (seconds * RATE) as u64;
    let each = edges / LINES as u64;
    let dir = tempfile::tempdir().unwrap();
    let (data, lost, behind) = play(dir.path(), seconds);
    let rows = about("log", &data, &[]).json_lines();
    let counted = counters(&rows);
    let of = |name: &str, label: &str| {
        let key = (name.to_owned(), label.to_owned());
        counted.get(&key).copied().unwrap_or_default()
    };

    assert_eq!(number(&rows[0], "commit_id"), 0, "the ring holds all of it");

    // Numbers of the card have no hole, and instants never go back.
    let of_card = |row: &&Value| ["soe", "pulse_count"].contains(&text(row, "kind"));
    let records: Vec<&Value> = rows.iter().filter(of_card).collect();
    let numbers: Vec<u64> = records.iter().map(|row| number(row, "seq")).collect();
    let dense = numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    assert!(
        dense,
        "every number of the card is one record, in its place"
    );
    let told = |row: &&&Value| row["kind"] == "soe" && row["change"] == "edge";
    let instants: Vec<u64> = records
        .iter()
        .filter(told)
        .map(|row| number(row, "mono_ns"))
        .collect();
    assert!(instants.is_sorted(), "an edge is out of order");
    assert_eq!(of("edge_unordered_cnt", "dio"), 0);

    // Of every edge there is an entry, or an entry of its input counts it as one that had no room.
    let (mut kept, mut no_room, mut in_losses) = (0, 0, BTreeMap::new());
    for (id, _) in INPUTS {
        let mine: Vec<&&Value> = records.iter().filter(|row| row["point_id"] == id).collect();
        let entries = mine.iter().filter(|row| row["change"] == "edge").count() as u64;
        let seen = of("edge_cnt", id);
        assert_eq!(seen, each, "{id}: every edge was seen");
        let untold = of("soe_suppressed_cnt", id);
        assert_eq!(
            entries + untold,
            seen,
            "{id}: every edge is an entry or counted"
        );
        let counting = mine.iter().filter(|row| row["loss"].is_string());
        let mut counted = 0;
        for row in counting {
            counted += number(row, "count");
            *in_losses.entry(text(row, "loss").to_owned()).or_insert(0) += number(row, "count");
        }
        let due = untold + of("edge_lost_cnt", id);
        assert_eq!(counted, due, "{id}: entries say how many are missing");
        kept += entries;
        no_room += untold;
    }
    assert_eq!(of("edge_cnt", PULSE.0), each);
    let pulses = of("pulse_cnt", PULSE.0);
    assert_eq!(pulses, each / 2, "every pulse is in the count");
    let by_kernel: u64 = INPUTS
        .iter()
        .chain([&PULSE])
        .map(|(id, _)| of("edge_lost_cnt", id))
        .sum();
    assert_eq!(by_kernel, lost, "what the kernel lost is counted");
    let reasons: Vec<&str> = in_losses.keys().map(String::as_str).collect();
    let known = ["kernel_buffer", "queue_full"];
    assert!(
        reasons.iter().all(|why| known.contains(why)),
        "{in_losses:?}"
    );
    println!(
        "{edges} edges in {seconds} s on {LINES} lines: {kept} entries, {pulses} pulses counted from {each} more, {no_room} without room \
         and {lost} that the kernel had lost, by reason in entries: {in_losses:?}; the last entry {:.1} s behind the last edge",
        behind.as_secs_f64()
    );
    assert_eq!(about("verify", &data, &[]).code, Some(0));
    assert_eq!(about("gaps", &data, &[]).code, Some(0));
}
