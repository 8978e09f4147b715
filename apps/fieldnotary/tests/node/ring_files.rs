//! Files of a node's ring that changed places, were cut, or are gone: what every verb says of them, and what a node
//! does that starts over them.

use crate::common::contract::Contract;
use crate::common::damage::{Copy, swap, truncate};
use crate::common::sites::{Node, Street};
use crate::common::{Said, about, fieldnotary, list, number, program, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

const SEGMENTS: usize = 4;
/// A start that is not refused would go on for ever.
const PATIENCE_S: &str = "20";

/// A site whose node has filled its ring once and stopped, and the configuration of that node.
struct Site {
    dir: tempfile::TempDir,
    street: Street,
    contract: Contract,
    data: PathBuf,
}

fn site() -> Site {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let contract = street.contract(Contract::new("example.org/files", "128KiB", SEGMENTS));
    let data = Node::grow(dir.path(), "node", &contract, 900);
    Site {
        dir,
        street,
        contract,
        data,
    }
}

fn ring(data: &Path) -> PathBuf {
    data.join("journal/g000001")
}

fn segment(data: &Path, number: usize) -> PathBuf {
    ring(data).join(format!("seg-{number:04}.fnj"))
}

/// Segments by their laps, the oldest first.
fn by_lap(data: &Path) -> Vec<usize> {
    let lap = |number: &usize| {
        let bytes = std::fs::read(segment(data, *number)).unwrap();
        u64::from_be_bytes(bytes[48..56].try_into().unwrap())
    };
    let mut all: Vec<usize> = (0..SEGMENTS).collect();
    all.sort_by_key(lap);
    all
}

/// The files of a folder by their names.
fn files(dir: &Path) -> BTreeMap<OsString, Vec<u8>> {
    let files = std::fs::read_dir(dir).unwrap();
    let files = files.map(|file| file.unwrap().path());
    files
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_name().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect()
}

/// A start that ends by itself.
fn refused(config: &Path, data: &Path) -> Said {
    let mut command = Command::new("timeout");
    command.arg(PATIENCE_S).arg(program("fieldnotary"));
    command.arg("run").arg(config).arg("--data").arg(data);
    command.output().unwrap().into()
}

fn journal(verb: &str, dir: &Path, more: &[&str]) -> Said {
    let mut words: Vec<OsString> = vec!["journal".into(), verb.into(), dir.into()];
    words.extend(more.iter().map(Into::into));
    fieldnotary(words.iter())
}

fn ids(data: &Path) -> Vec<u64> {
    let rows = about("log", data, &[]).json_lines();
    rows.iter()
        .filter_map(|row| row["commit_id"].as_u64())
        .collect()
}

//= A5.4
//= A4.6
#[test]
fn segments_that_changed_places_are_read_by_every_verb_and_refused_by_a_node() {
    let site = site();
    let config = site.dir.path().join("node.toml");
    let order = by_lap(&site.data);
    let (newest, other) = (order[SEGMENTS - 1], order[1]);
    let whole = ids(&site.data);
    let copy = Copy::of(&site.data);
    let data = copy.path();
    let (one, two) = (segment(data, newest), segment(data, other));
    swap(&one, &two);
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let place = format!("{} holds what belongs into {}", name(&one), name(&two));
    assert_eq!(ids(data), whole);
    let out = data.with_extension("tiles");
    let tiles = ["--tiles", "-o", out.to_str().unwrap()];
    for said in [
        about("log", data, &[]),
        about("gaps", data, &[]),
        journal("export", data, &tiles),
    ] {
        assert!(said.err.contains(&place), "{said:?}");
        assert!(
            said.err
                .contains(&format!("mv {}.moved {}", name(&one), name(&two)))
        );
    }
    // The words of fsck, which give the cure as well.
    let status = about("status", data, &[]);
    let held = format!(
        "it holds the content of {}, and is read as that",
        name(&two)
    );
    assert!(status.out.contains(&held), "{status:?}");
    assert!(
        status.out.contains("does not start before that"),
        "{status:?}"
    );
    let verified = about("verify", data, &[]);
    assert_eq!(verified.code, Some(1), "{verified:?}");
    let json = verified.json();
    let bad: Vec<&Value> = list(&json, "findings")
        .iter()
        .filter(|one| one["failure"] == true)
        .collect();
    assert_eq!(bad.len(), 2, "{json}");
    for one in bad {
        assert!(text(one, "words").contains("lies in the place of"), "{one}");
    }
    let before = files(&ring(data));
    let said = refused(&config, data);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(
        said.err.contains(&place) && said.err.contains("nothing was changed"),
        "{said:?}"
    );
    assert!(files(&ring(data)) == before, "the ring was written to");
    // What the message says puts it right.
    let cure = said.err.lines().filter(|line| line.starts_with("  "));
    let cure = cure.collect::<Vec<_>>().join("\n");
    let done = Command::new("sh").arg("-ec").arg(&cure).status().unwrap();
    assert!(done.success(), "{cure}");
    assert!(files(&ring(data)) == files(&ring(&site.data)));
    assert_eq!(journal("fsck", data, &[]).code, Some(0));
    drop(site.street);
}

//= A5.4
//= A5.8
#[test]
fn a_newest_segment_that_was_cut_costs_a_node_what_lay_behind_its_end() {
    let site = site();
    let newest = by_lap(&site.data)[SEGMENTS - 1];
    let file = segment(&site.data, newest);
    let bytes = std::fs::read(&file).unwrap();
    let words = ["--segment", &newest.to_string(), "--json"];
    let shown = journal("inspect", &ring(&site.data), &words).json();
    let places = list(&shown, "places").iter();
    let committed: Vec<&Value> = places
        .filter(|place| place["standing"] == "committed")
        .collect();
    let first = number(&committed[0]["header"], "first_commit_id");
    // In the last frame that was committed.
    let kept = number(committed[committed.len() - 1], "offset") + 40;
    truncate(&file, kept);
    let before = ids(&site.data);
    let last = Node::grow(site.dir.path(), "node", &site.contract, 20);
    assert_eq!(std::fs::read(&file).unwrap().len(), bytes.len());
    let after = about("log", &last, &[]).json_lines();
    let read: Vec<u64> = after
        .iter()
        .filter_map(|row| row["commit_id"].as_u64())
        .collect();
    let of_file = before.iter().filter(|id| **id >= first);
    let gone: Vec<&u64> = of_file.filter(|id| !read.contains(id)).collect();
    assert_eq!(gone, Vec::<&u64>::new(), "readable before the start");
    let losses: Vec<&Value> = after.iter().filter(|row| row["kind"] == "loss").collect();
    assert!(!losses.is_empty(), "{kept} of {} bytes", bytes.len());
    for loss in &losses {
        assert!(loss.to_string().contains("segment_missing"), "{loss}");
    }
    let verified = about("verify", &last, &[]);
    let json = verified.json();
    assert!(
        list(&json, "findings")
            .iter()
            .all(|one| one["failure"] == false),
        "{json}"
    );
    // How long its commits took is the machine's affair.
    let tests = journal("selftest", &last, &["--json"]).json();
    let wear = list(&tests, "tests")
        .iter()
        .find(|one| one["name"] == "wear");
    let wear = wear.unwrap();
    assert_ne!(wear["verdict"], "suspected", "{wear}");
    drop(site.street);
}

/// Damage in a segment that the ring comes round to is named before nothing is left that shows it.
//= A5.4
//= A4.3
#[test]
fn damage_that_is_written_over_leaves_its_name_in_the_log() {
    let site = site();
    let oldest = by_lap(&site.data)[1];
    let words = ["--segment", &oldest.to_string(), "--json"];
    let shown = journal("inspect", &ring(&site.data), &words).json();
    let places = list(&shown, "places").iter();
    let committed: Vec<&Value> = places
        .filter(|place| place["standing"] == "committed")
        .collect();
    let at = number(committed[3], "offset");
    let first = number(&committed[3]["header"], "first_commit_id");
    let behind = number(&committed[6]["header"], "first_commit_id");
    // Three frames in a row: their hashes go with them.
    let gone = usize::try_from(number(committed[6], "offset") - at).unwrap();
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(segment(&site.data, oldest))
        .unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &vec![0; gone], at).unwrap();
    drop(file);
    // Started twice meanwhile: it is named once.
    Node::grow(site.dir.path(), "node", &site.contract, 200);
    let node = Node::start(site.dir.path(), "node", &site.contract);
    let ring_gone = || number(&node.status()["ring"], "oldest_commit_id") >= behind;
    for _ in 0..600 {
        if ring_gone() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(ring_gone(), "{}", node.status()["ring"]);
    let data = node.stop();
    let rows = about("log", &data, &["--kind", "loss"]).json_lines();
    let named = rows.iter().filter(|row| {
        row["detail"]["first"] == first || row.to_string().contains(&format!("\"first\":{first}"))
    });
    assert_eq!(named.count(), 1, "{first} to {behind}: {rows:?}");
    // And no keep-ring is blamed for it.
    assert_eq!(journal("fsck", &data, &[]).code, Some(0));
    let report = about("verify", &data, &[]).json();
    let failure = |one: &&Value| one["failure"] == true;
    let failures: Vec<&Value> = list(&report, "findings").iter().filter(failure).collect();
    assert!(failures.is_empty(), "{failures:?}");
    drop(site.street);
}

//= A5.4
#[test]
fn a_folder_with_a_stray_file_hides_no_generation_and_is_named() {
    let site = site();
    let verbs = ["status", "verify", "gaps"];
    let codes = verbs.map(|verb| about(verb, &site.data, &[]).code);
    let stray = site.data.join("journal/g000002");
    std::fs::create_dir(&stray).unwrap();
    std::fs::write(stray.join("notes.txt"), "mine").unwrap();
    let whole = ids(&site.data);
    assert!(whole.len() > 100, "{whole:?}");
    assert_eq!(verbs.map(|verb| about(verb, &site.data, &[]).code), codes);
    let said = journal("fsck", &site.data, &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("only notes.txt"), "{said:?}");
    let node = Node::start(site.dir.path(), "node", &site.contract);
    assert_eq!(number(&node.status(), "generation"), 1);
    assert!(node.words().contains("only notes.txt"), "{}", node.words());
    node.stop();
    // What is left of a log is no stray file.
    std::fs::copy(ring(&site.data).join("truth.fnt"), stray.join("truth.fnt")).unwrap();
    let config = site.dir.path().join("node.toml");
    assert_eq!(refused(&config, &site.data).code, Some(3));
    assert_eq!(journal("fsck", &site.data, &[]).code, Some(1));
    drop(site.street);
}

/// Where the next generation would be made lies something of somebody else's: adoption says so before it touches
/// anything, and an empty folder is in nobody's way.
//= A5.4
//= U4
#[test]
fn an_adoption_makes_no_generation_over_what_somebody_put_in_its_place() {
    let site = site();
    let stray = site.data.join("journal/g000002");
    let words = [
        "--cause",
        "restored",
        "--actor",
        "A. Fitter",
        "--reason",
        "test",
    ];
    type Deed = fn(&Path);
    let deeds: [(&str, Deed); 2] = [
        ("only notes.txt", |stray| {
            std::fs::create_dir(stray).unwrap();
            std::fs::write(stray.join("notes.txt"), "mine").unwrap();
        }),
        ("is a file", |stray| std::fs::write(stray, "mine").unwrap()),
    ];
    for (what, deed) in deeds {
        deed(&stray);
        let before = files(&ring(&site.data));
        let said = about("adopt", &site.data, &words);
        assert_eq!(said.code, Some(3), "{said:?}");
        for word in ["g000002", what, "nothing was changed"] {
            assert!(said.err.contains(word), "{word}: {said:?}");
        }
        assert!(!site.data.join("journal/adopting").exists());
        assert!(
            files(&ring(&site.data)) == before,
            "the ring was written to"
        );
        // What the message says makes room, and keeps what was there.
        let cure = said
            .err
            .lines()
            .find(|line| line.starts_with("  "))
            .unwrap();
        let done = Command::new("sh").arg("-ec").arg(cure).status().unwrap();
        assert!(done.success() && !stray.exists(), "{cure}");
    }
    std::fs::create_dir(&stray).unwrap();
    let said = about("adopt", &site.data, &words);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(journal("fsck", &site.data, &[]).code, Some(0));
    let node = Node::start(site.dir.path(), "node", &site.contract);
    assert_eq!(number(&node.status(), "generation"), 2);
    node.stop();
    assert_eq!(about("verify", &site.data, &[]).code, Some(0));
    drop(site.street);
}
