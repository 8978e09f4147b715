//! `fieldnotary journal`: what inspect and fsck say of a node's journal, whole and harmed in every way.

use crate::common::contract::Contract;
use crate::common::damage::{Copy, copy_into};
use crate::common::sites::{Node, Street};
use crate::common::{Said, fieldnotary, list, number, text};
use crate::journal_harms::{BLOCK_BYTES, HARMS, Harm, image, middle, overwrite};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn tool(verb: &str, dir: &Path, more: &[&str]) -> Said {
    let mut words = vec!["journal".into(), verb.into(), dir.as_os_str().to_owned()];
    words.extend(more.iter().map(Into::into));
    fieldnotary(words.iter().map(std::ffi::OsString::as_os_str))
}

fn fsck(dir: &Path, code: i32) -> Value {
    let said = tool("fsck", dir, &["--json"]);
    assert_eq!(said.code, Some(code), "{said:?}");
    assert!(said.err.is_empty(), "{said:?}");
    let json = said.json();
    assert_eq!(json["ok"] == true, code == 0, "{json}");
    json["journals"][0].clone()
}

fn inspect(dir: &Path, more: &[&str]) -> Value {
    let said = tool("inspect", dir, &[more, &["--json"]].concat());
    assert_eq!(said.code, Some(0), "{said:?}");
    said.json()
}

/// The kinds of the findings, and the entries that they name.
fn found(report: &Value) -> Vec<(String, Option<(u64, u64)>)> {
    let findings = list(report, "findings").iter();
    findings
        .map(|one| {
            for key in ["words", "cure", "file"] {
                assert!(!text(one, key).is_empty(), "{one}");
            }
            let entries = one["first"].as_u64().zip(one["last"].as_u64());
            (text(one, "kind").to_owned(), entries)
        })
        .collect()
}

fn kinds(report: &Value) -> Vec<String> {
    found(report).into_iter().map(|(kind, _)| kind).collect()
}

/// A node's directory whose ring has gone round once, and the folder of its journal in it.
fn grown(dir: &Path) -> PathBuf {
    let street = Street::start(dir, 2);
    let contract = street.contract(Contract::new("example.org/tools", "128KiB", 3));
    let data = Node::grow(dir, "node", &contract, 900);
    drop(street);
    data
}

/// Where the frames of a segment begin, and the entries of each.
fn frames(ring: &Path, segment: u32) -> BTreeMap<u64, (u64, u64)> {
    let report = inspect(ring, &["--segment", &segment.to_string()]);
    let committed = list(&report, "places").iter();
    committed
        .filter(|place| place["standing"] == "committed")
        .map(|place| {
            let (first, count) = (
                number(&place["header"], "first_commit_id"),
                number(&place["header"], "count"),
            );
            (number(place, "offset"), (first, first + count - 1))
        })
        .collect()
}

/// What fsck says of a harmed copy, in a folder of the journal alone, and that it leaves it as it is.
fn tell(harm: &Harm, ring: &Path, other: &Path, wrong: &mut Vec<String>) {
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("journal/g000001");
    std::fs::create_dir_all(&copy).unwrap();
    copy_into(ring, &copy);
    (harm.deed)(&copy, other);
    let before = image(&copy);
    let said = tool("fsck", &copy, &["--json"]);
    let words = tool("fsck", &copy, &[]);
    let shown = tool("inspect", &copy, &[]);
    let mut fail = |what: &str| wrong.push(format!("{}: {what}: {said:?}", harm.name));
    if image(&copy) != before {
        fail("the image was written to");
    }
    let Some(expected) = harm.kinds else {
        if (said.code, shown.code) != (Some(3), Some(3))
            || !said.err.contains("nothing of a journal")
        {
            fail("not code 3");
        }
        return;
    };
    // Where nothing of a log is left, there is nothing to be shown.
    let due = Some(i32::from(!harm.read));
    if (said.code, words.code, shown.code) != (Some(1), Some(1), due) {
        return fail(&format!(
            "codes {:?} {:?} {:?}",
            said.code, words.code, shown.code
        ));
    }
    let report = said.json()["journals"][0].clone();
    let mut kinds = kinds(&report);
    kinds.sort();
    kinds.dedup();
    let mut due: Vec<&str> = expected.to_vec();
    due.sort_unstable();
    if kinds != due {
        fail(&format!("found {kinds:?}, due {due:?}"));
    }
    if harm.read != (number(&report, "entries") > 0) {
        fail("entries read");
    }
    // Each entry of the ring is read, or a finding names it.
    if let (Some(oldest), Some(size)) = (report["oldest"].as_u64(), report["size"].as_u64()) {
        let named: u64 = found(&report)
            .iter()
            .filter(|(kind, _)| kind == "lost")
            .filter_map(|(_, entries)| entries.map(|(first, last)| last - first + 1))
            .sum();
        if named + number(&report, "entries") != size - oldest {
            fail("entries are neither read nor named");
        }
    }
}

//= A5.2
//= A5.4
#[test]
fn a_whole_journal_is_sound_and_every_harm_is_named_without_a_write() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let data = grown(dir.path());
    let other = Street::start(elsewhere.path(), 1);
    let contract = other.contract(Contract::new("example.org/other", "128KiB", 3));
    let foreign = Node::grow(elsewhere.path(), "node", &contract, 30).join("journal/g000001");
    let ring = data.join("journal/g000001");
    for place in [&data, &ring] {
        let report = fsck(place, 0);
        assert_eq!(found(&report), [], "{report}");
        assert_eq!(report["ring"]["source"], "ring.json");
        let (oldest, size) = (number(&report, "oldest"), number(&report, "size"));
        assert!(
            oldest > 0 && number(&report, "entries") == size - oldest,
            "{report}"
        );
    }
    let mut wrong = Vec::new();
    for harm in HARMS {
        tell(harm, &ring, &foreign, &mut wrong);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    shown(&data, &ring);
    salvaged(&data, &ring);
}

/// Inspect shows what is there, of all and of one part.
fn shown(data: &Path, ring: &Path) {
    let report = inspect(data, &[])["journals"][0].clone();
    let segments = list(&report, "segments");
    assert_eq!(segments.len(), 3);
    let entries: u64 = segments.iter().map(|one| number(one, "entries")).sum();
    let (oldest, size) = (
        number(&report["log"], "oldest"),
        number(&report["log"], "size"),
    );
    assert_eq!(entries, size - oldest, "{report}");
    let kinds = report["kinds"].as_object().unwrap();
    let by_kind: u64 = kinds.values().map(|one| number(one, "entries")).sum();
    assert_eq!(by_kind, entries);
    assert!(
        number(&report["kinds"]["reading"], "entries") > 100,
        "{report}"
    );
    assert_eq!(number(&report["leases"]["streams"], "meter m01"), 1_024);
    assert_eq!(list(&report["truth"], "copies").len(), 4);
    let by_hand = std::fs::read(ring.join("seg-0001.fnj")).unwrap();
    let lap = u64::from_be_bytes(by_hand[48..56].try_into().unwrap());
    assert_eq!(number(&segments[1]["header"], "lap"), lap);
    let frames = frames(ring, 1);
    assert_eq!(frames.len() as u64, number(&segments[1], "frames"));
    let (offset, (first, last)) = frames.iter().next_back().unwrap();
    let words = ["--segment", "1", "--frame", &offset.to_string()];
    let frame = inspect(ring, &words);
    assert_eq!(list(&frame, "entries").len() as u64, last - first + 1);
    assert_eq!(list(&frame, "entries")[0]["commit_id"], *first);
    for words in [
        &["--segment", "3"] as &[_],
        &["--segment", "1", "--frame", "4097"],
    ] {
        let said = tool("inspect", ring, words);
        assert_eq!(said.code, Some(3), "{said:?}");
    }
    let words = tool("inspect", data, &[]);
    for part in [
        "sealed below",
        "slot 1 copy 1",
        "leases copy 0",
        "counter_snapshot",
        "room",
    ] {
        assert!(words.out.contains(part), "{part}: {words:?}");
    }
}

/// The salvaged entries are those that `log` shows, and what is missing stands between them.
fn salvaged(data: &Path, ring: &Path) {
    let copy = Copy::of(data);
    let file = middle(ring);
    let harmed = copy
        .path()
        .join("journal/g000001")
        .join(file.file_name().unwrap());
    let number_of = |name: &str| name[4..8].parse().unwrap();
    let frames = frames(ring, number_of(file.file_name().unwrap().to_str().unwrap()));
    let (offset, entries) = frames.iter().nth(5).unwrap();
    overwrite(&harmed, *offset, &[0; BLOCK_BYTES]);
    let out = data.with_file_name("salvaged.jsonl");
    let file = ["--salvage", out.to_str().unwrap(), "--json"];
    let said = tool("fsck", copy.path(), &file);
    assert_eq!(said.code, Some(1), "{said:?}");
    let found = found(&said.json()["journals"][0]);
    assert_eq!(found, [("lost".to_owned(), Some(*entries))]);
    let lines: Vec<Value> = std::fs::read_to_string(&out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["format"], "fieldnotary-salvage-1");
    let whole = crate::common::about("log", data, &[]).json_lines();
    // What the keep-rings hold of older segments is not in the ring that is salvaged.
    let first = number(&lines[1], "commit_id");
    let mut rows = whole.iter().filter(|row| number(row, "commit_id") >= first);
    for line in &lines[1..] {
        if line.get("missing_first").is_some() {
            let missing = (number(line, "missing_first"), number(line, "missing_last"));
            assert_eq!(missing, *entries, "{line}");
            assert!(!list(line, "hashes").is_empty(), "{line}");
            rows.by_ref()
                .take(usize::try_from(entries.1 - entries.0).unwrap() + 1)
                .for_each(drop);
            continue;
        }
        let row = rows.next().unwrap();
        for key in ["commit_id", "kind", "record_crc", "seq", "timestamp"] {
            assert_eq!(line[key], row[key], "{line}");
        }
        assert!(text(line, "bytes").len() > 20 && text(line, "salt").len() == 32);
    }
    assert!(rows.next().is_none());
    // Nothing is written over, nor into what is looked at.
    let inside = copy.path().join("salvaged.jsonl");
    for path in [&out, &inside] {
        let said = tool("fsck", copy.path(), &["--salvage", path.to_str().unwrap()]);
        assert_eq!(said.code, Some(3), "{said:?}");
    }
    assert!(!inside.exists());
}

//= A5.4
#[test]
fn a_node_that_runs_is_looked_at_without_a_lock_and_is_sound() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let contract = street.contract(Contract::new("example.org/running", "128KiB", 3));
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("readings", 30);
    let data = dir.path().join("node");
    let mut size = 0;
    for _ in 0..20 {
        let report = fsck(&data, 0);
        assert!(number(&report, "size") >= size, "{report}");
        size = number(&report, "size");
        inspect(&data, &[]);
    }
    node.wait_for("readings", 400);
    fsck(&data, 0);
    // Whatever lies under it, each counter of the medium has a state, and a reason where it has no value.
    let medium = node.status()["medium"].clone();
    assert_eq!(list(&medium, "values").len(), 8, "{medium}");
    for one in list(&medium, "values") {
        assert!(
            one["value"].is_u64() || !text(one, "reason").is_empty(),
            "{one}"
        );
    }
    node.stop();
    assert_eq!(fsck(&data, 0)["closed_orderly"], true);
}
