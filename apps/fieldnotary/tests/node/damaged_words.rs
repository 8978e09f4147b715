//! What every reading verb says and returns over a damaged log: the same of one harm, with a cure that works.

use crate::common::contract::Contract;
use crate::common::damage::{Copy, copy_into};
use crate::common::layout::{self, folder};
use crate::common::sites::{Node, Street};
use crate::common::{Said, fieldnotary, list, number, program, text};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

const ORIGIN: &str = "example.org/damaged";

/// The verbs that read a log, each with what comes behind the directory.
const VERBS: [&[&str]; 5] = [
    &["log"],
    &["gaps"],
    &["verify"],
    &["status"],
    &["journal", "fsck"],
];

pub(super) struct Site {
    dir: tempfile::TempDir,
    street: Street,
    pub(super) contract: Contract,
    pub(super) data: PathBuf,
}

/// A node that has run and was stopped, and its truth store as it was after a first run.
pub(super) fn site() -> (Site, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let contract = street.contract(Contract::new(ORIGIN, "128KiB", 6));
    let data = Node::grow(dir.path(), "node", &contract, 40);
    let old = std::fs::read(folder(&data).join("truth.fnt")).unwrap();
    Node::grow(dir.path(), "node", &contract, 120);
    let site = Site {
        dir,
        street,
        contract,
        data,
    };
    (site, old)
}

pub(super) fn say(words: &[&str], dir: &Path, more: &[&str]) -> Said {
    let words = words.iter().map(OsStr::new).chain([dir.as_os_str()]);
    fieldnotary(words.chain(more.iter().map(OsStr::new)))
}

pub(super) fn all(said: &Said) -> String {
    format!("{}{}", said.out, said.err)
}

pub(super) fn check(said: &Said, code: i32, words: &[&str]) {
    let all = all(said);
    assert_eq!(said.code, Some(code), "{said:?}");
    for word in words {
        assert!(all.contains(word), "{word:?} is missing:\n{all}");
    }
}

/// An export to a new place.
pub(super) fn export(dir: &Path) -> Said {
    let out = tempfile::tempdir().unwrap();
    let tiles = out.path().join("tiles");
    say(
        &["journal", "export"],
        dir,
        &["--tiles", "-o", tiles.to_str().unwrap()],
    )
}

pub(super) fn log_size(dir: &Path) -> u64 {
    number(&say(&["status", "--json"], dir, &[]).json(), "log_size")
}

/// The findings of fsck of the first journal.
pub(super) fn fsck(dir: &Path) -> Value {
    say(&["journal", "fsck", "--json"], dir, &[]).json()["journals"][0].clone()
}

/// The command that a cure names, on its indented line; it is done.
pub(super) fn do_as_told(cure: &str) {
    let command = cure.lines().last().unwrap().trim();
    let done = Command::new("sh").args(["-c", command]).status().unwrap();
    assert!(done.success(), "{command}");
}

/// A copy of the site's node in a place of its own, as `NAME/node`.
pub(super) fn copy(site: &Site, name: &str) -> (PathBuf, PathBuf) {
    let place = site.dir.path().join(name);
    let data = place.join("node");
    std::fs::create_dir_all(&data).unwrap();
    copy_into(&site.data, &data);
    (place, data)
}

//= A5.4
#[test]
fn without_its_truth_store_or_its_measures_a_log_is_read_and_the_cure_that_is_told_works() {
    let (site, _) = site();
    let size = log_size(&site.data);
    for (name, certain) in [("truth.fnt", false), ("ring.json", true)] {
        let (place, data) = copy(&site, &format!("without-{name}"));
        std::fs::remove_file(folder(&data).join(name)).unwrap();
        let code = i32::from(!certain);
        for verb in [&["log"], &["gaps"]] {
            check(&say(verb, &data, &[]), code, &[name, "fsck", "--salvage"]);
        }
        check(&export(&data), code, &[name, "fsck", "--salvage"]);
        for verb in [&["verify"][..], &["status"], &["journal", "fsck"]] {
            check(
                &say(verb, &data, &[]),
                1,
                &[name, "the node does not start"],
            );
        }
        // All of it is there: the newest entries too.
        assert_eq!(log_size(&data), size, "{name}");
        let rows = say(&["log", "--json"], &data, &[]).json_lines();
        assert_eq!(number(rows.last().unwrap(), "commit_id"), size - 1);

        // What is said of the node is true, and so is the cure.
        let config = place.join("node.toml");
        std::fs::write(&config, site.contract.toml()).unwrap();
        let more = ["--data", data.to_str().unwrap()];
        check(&say(&["run"], &config, &more), 3, &[name]);
        let report = fsck(&data);
        let found = list(&report, "findings");
        assert_eq!(found.len(), 1, "{report}");
        do_as_told(text(&found[0], "cure"));
        Node::grow(&place, "node", &site.contract, 5);
        check(&say(&["verify"], &data, &[]), 0, &["VERIFIED"]);
        assert!(log_size(&data) > size);
    }
    drop(site.street);
}

//= A5.4
#[test]
fn a_truth_store_of_another_log_is_named_and_not_believed() {
    let (site, _) = site();
    let elsewhere = tempfile::tempdir().unwrap();
    let contract = site
        .street
        .contract(Contract::new("example.org/other", "64KiB", 3));
    let other = Node::grow(elsewhere.path(), "node", &contract, 20);
    let (_, data) = copy(&site, "foreign");
    let foreign = folder(&other).join("truth.fnt");
    std::fs::copy(&foreign, folder(&data).join("truth.fnt")).unwrap();
    let named = ["the truth store of another log", "not used"];
    for verb in VERBS {
        check(&say(verb, &data, &[]), 1, &named);
    }
    check(&export(&data), 1, &named);
    let report = fsck(&data);
    assert_eq!(report["ring"]["source"], "ring.json", "{report}");
    assert_eq!(list(&report, "findings").len(), 1, "{report}");
    assert_eq!(number(&report, "entries"), log_size(&site.data));
    // A folder alone, and without its measures.
    let alone = tempfile::tempdir().unwrap();
    let ring = alone.path().join("journal/g000001");
    std::fs::create_dir_all(&ring).unwrap();
    copy_into(&folder(&data), &ring);
    std::fs::remove_file(ring.join("ring.json")).unwrap();
    let out = alone.path().join("saved.jsonl");
    let said = say(
        &["journal", "fsck", "--salvage", out.to_str().unwrap()],
        &ring,
        &[],
    );
    check(&said, 1, &named);
    let saved = std::fs::read_to_string(&out).unwrap();
    let entries = saved
        .lines()
        .filter(|line| line.contains("commit_id"))
        .count();
    assert_eq!(entries as u64, log_size(&site.data), "{said:?}");
    // A second salvage writes over nothing, and says so in words.
    let said = say(
        &["journal", "fsck", "--salvage", out.to_str().unwrap()],
        &ring,
        &[],
    );
    check(&said, 3, &["exists", "another name"]);
    assert!(!all(&said).contains("os error"), "{said:?}");
}

//= A5.4
#[test]
fn a_lost_tail_is_lost_for_every_verb() {
    let (site, _) = site();
    let (_, data) = copy(&site, "tail");
    let journal = layout::read(&data);
    let newest = journal.segments.last().unwrap();
    let bytes = std::fs::metadata(&newest.path).unwrap().len();
    let first = newest.frames[0].first;
    std::fs::write(&newest.path, vec![0; usize::try_from(bytes).unwrap()]).unwrap();
    let last = log_size(&data) - 1;
    // The newest frame is known to the truth store, which tells of it by itself.
    let (begin, end) = (format!("{first} to "), last.to_string());
    for verb in VERBS {
        check(&say(verb, &data, &[]), 1, &[&begin, &end]);
    }
    check(
        &say(&["gaps"], &data, &[]),
        1,
        &["NOT IN THIS ACCOUNT", "The account ends at "],
    );
    let unread = say(&["gaps", "--json"], &data, &[]).json();
    let unread = list(&unread, "unread");
    assert_eq!(number(&unread[0], "missing_first"), first);
    assert_eq!(number(unread.last().unwrap(), "missing_last"), last);
    let said = export(&data);
    check(
        &said,
        1,
        &[&begin, &end, "LOST", "they were signed up to entry"],
    );
    assert!(!all(&said).contains("not signed yet"), "{said:?}");
}

//= A5.2
//= A5.4
#[test]
fn an_older_truth_store_has_one_instruction_and_the_node_loses_nothing_by_it() {
    let (site, old) = site();
    let (place, data) = copy(&site, "old");
    let before = say(&["log", "--json"], &data, &[]).json_lines();
    std::fs::write(folder(&data).join("truth.fnt"), old).unwrap();
    let told = "nothing has to be put back: start the node.";
    for verb in [&["verify"][..], &["status"], &["journal", "fsck"]] {
        let said = say(verb, &data, &[]);
        check(&said, 1, &[told]);
        for other in ["do not start", "may go on", "adopt"] {
            assert!(!all(&said).contains(other), "{other:?}: {said:?}");
        }
    }
    check(&say(&["log"], &data, &[]), 0, &[told]);
    let node = Node::start(&place, "node", &site.contract);
    node.wait_for("log_size", before.len() as u64 + 5);
    assert!(
        node.words().contains("is older than its log by"),
        "{}",
        node.words()
    );
    node.stop();
    let after = say(&["log", "--json"], &data, &[]).json_lines();
    assert!(after.starts_with(&before), "an entry was lost or changed");
    check(&say(&["log"], &data, &[]), 0, &["truth_store_old"]);
    check(&say(&["verify"], &data, &[]), 0, &["VERIFIED"]);
}

//= A5.4
#[test]
fn what_lay_behind_the_end_of_a_cut_segment_is_missing_and_not_damaged() {
    let (site, _) = site();
    let journal = layout::read(&site.data);
    let cut = &journal.segments[0];
    for (at, first) in [
        // In the middle of a frame, between two, and before the first.
        (cut.frames[1].begin + 100, cut.frames[1].first),
        (cut.frames[2].begin, cut.frames[2].first),
        (4_096, cut.frames[0].first),
    ] {
        let copy = Copy::of(&site.data);
        let file = folder(copy.path()).join(cut.path.file_name().unwrap());
        crate::common::damage::truncate(&file, at as u64);
        let report = fsck(copy.path());
        let found = list(&report, "findings");
        let lost: Vec<&Value> = found
            .iter()
            .filter(|one| text(one, "kind") == "lost")
            .collect();
        assert_eq!(number(lost[0], "first"), first, "cut at {at}: {report}");
        for one in lost {
            assert!(
                text(one, "words").contains("segment_missing"),
                "cut at {at}: {one}"
            );
        }
        for verb in [&["log"][..], &["verify"], &["journal", "fsck"]] {
            let said = say(verb, copy.path(), &[]);
            assert!(
                !all(&said).contains("frame_damaged"),
                "cut at {at}: {said:?}"
            );
        }
    }
}

//= A5.4
#[test]
fn status_says_at_a_first_look_what_fsck_says() {
    let (site, _) = site();
    type Deed = fn(&Path);
    let harms: [(&str, Deed); 5] = [
        ("a segment is missing", |ring| {
            std::fs::remove_file(ring.join("seg-0000.fnj")).unwrap();
        }),
        ("a segment is cut", |ring| {
            crate::common::damage::truncate(&ring.join("seg-0000.fnj"), 50_000);
        }),
        ("a header is damaged", |ring| {
            let file = ring.join("seg-0000.fnj");
            let mut bytes = std::fs::read(&file).unwrap();
            bytes[20] ^= 9;
            std::fs::write(file, bytes).unwrap();
        }),
        ("a slot is damaged", |ring| {
            let file = ring.join("truth.fnt");
            let mut bytes = std::fs::read(&file).unwrap();
            bytes[4_196] ^= 9;
            std::fs::write(file, bytes).unwrap();
        }),
        ("measures are noise", |ring| {
            std::fs::write(ring.join("ring.json"), "{").unwrap();
        }),
    ];
    let whole = say(&["status"], &site.data, &[]);
    assert!(!all(&whole).contains("NOT SOUND"), "{whole:?}");
    for (name, deed) in harms {
        let copy = Copy::of(&site.data);
        deed(&folder(copy.path()));
        let words = |one: &Value| (text(one, "file").to_owned(), text(one, "words").to_owned());
        let report = fsck(copy.path());
        let deep: Vec<_> = list(&report, "findings").iter().map(words).collect();
        let said = say(&["status", "--json"], copy.path(), &[]).json();
        let first: Vec<_> = list(&said["journal"], "findings")
            .iter()
            .map(words)
            .collect();
        assert_eq!(said["journal"]["ok"], false, "{name}: {said}");
        assert!(
            !first.is_empty() && first.iter().all(|one| deep.contains(one)),
            "{name}: {first:?} and {deep:?}"
        );
        check(
            &say(&["status"], copy.path(), &[]),
            1,
            &["NOT SOUND", &first[0].1, "journal fsck"],
        );
    }
}

//= A5.4
#[test]
fn of_two_logs_in_one_directory_the_foreign_file_is_named_and_a_blank_segment_is_no_loss() {
    let (site, _) = site();
    let elsewhere = tempfile::tempdir().unwrap();
    let contract = site
        .street
        .contract(Contract::new("example.org/other", "128KiB", 6));
    let other = Node::grow(elsewhere.path(), "node", &contract, 20);
    let copy = Copy::of(&site.data);
    let segment = folder(&other).join("seg-0000.fnj");
    std::fs::copy(segment, folder(copy.path()).join("seg-0000.fnj")).unwrap();
    let named = ["seg-0000.fnj", "belongs to another log"];
    for verb in VERBS {
        check(&say(verb, copy.path(), &[]), 1, &named);
    }
    check(&export(copy.path()), 1, &named);
    // What is not of the other log is read: the newest entries too.
    let size = log_size(&site.data);
    assert_eq!(log_size(copy.path()), size);
    let rows = say(&["log", "--json"], copy.path(), &[]).json_lines();
    assert_eq!(number(rows.last().unwrap(), "commit_id"), size - 1);
    assert_eq!(number(&rows[0], "missing_first"), 0);
    // A node does not start over it, and says what is mixed.
    let (place, data) = self::copy(&site, "mixed");
    std::fs::copy(
        folder(copy.path()).join("seg-0000.fnj"),
        folder(&data).join("seg-0000.fnj"),
    )
    .unwrap();
    let config = place.join("node.toml");
    std::fs::write(&config, site.contract.toml()).unwrap();
    let more = ["--data", data.to_str().unwrap()];
    let words = [
        "two logs are mixed",
        "of another log: seg-0000.fnj",
        "move what is foreign out",
    ];
    check(&say(&["run"], &config, &more), 3, &words);
    let copy = Copy::of(&site.data);
    std::fs::remove_file(folder(copy.path()).join("seg-0005.fnj")).unwrap();
    for verb in [&["verify"][..], &["journal", "fsck"], &["gaps"], &["log"]] {
        check(&say(verb, copy.path(), &[]), 0, &[]);
    }
    let said = say(&["journal", "fsck"], copy.path(), &[]);
    check(
        &said,
        0,
        &["seg-0005.fnj", "nothing stood in it", "nothing is lost"],
    );
    // What was reached and is gone is shown by the overview too.
    std::fs::remove_file(folder(copy.path()).join("seg-0000.fnj")).unwrap();
    let said = say(&["journal", "inspect"], copy.path(), &[]);
    check(
        &said,
        0,
        &["NOT SOUND", "seg-0000.fnj: missing", "journal fsck"],
    );
    let whole = say(&["journal", "inspect"], &site.data, &[]);
    assert!(!all(&whole).contains("NOT SOUND"), "{whole:?}");
}

//= A5.4
#[test]
fn what_may_not_be_read_is_not_lost() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let (site, _) = site();
    for name in ["seg-0000.fnj", "truth.fnt", "ring.json"] {
        let copy = Copy::of(&site.data);
        let file = folder(copy.path()).join(name);
        let mode = std::fs::Permissions::from_mode(0o200);
        std::fs::set_permissions(&file, mode).unwrap();
        let root = rustix::process::geteuid().is_root();
        if root {
            chown(&file, Some(4_711), None).unwrap();
        }
        for verb in VERBS {
            let mut command = Command::new(if root { "setpriv" } else { "env" });
            if root {
                command.arg("--bounding-set=-dac_override,-dac_read_search");
            }
            command
                .arg(program("fieldnotary"))
                .args(verb)
                .arg(copy.path());
            let said: Said = command.output().unwrap().into();
            let mut words = vec![name, "mode 0200", "nothing is known to be lost"];
            if root {
                words.extend(["belongs to user 4711", "this is user 0"]);
            }
            check(&said, 3, &words);
            for never in ["restore", "another log", "os error"] {
                assert!(!all(&said).contains(never), "{verb:?} {never:?}: {said:?}");
            }
        }
    }
}
