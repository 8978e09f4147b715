//! What the reading verbs say where something is not there: entries, keys, a checkpoint, a place to write to.

use crate::common::contract::Contract;
use crate::common::damage::Copy;
use crate::common::sites::{Node, Street};
use crate::common::{Said, about, fieldnotary, number, text};
use crate::journal_harms::{BLOCK_BYTES, middle, overwrite};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

const ORIGIN: &str = "example.org/verbs";

fn grown(dir: &Path) -> PathBuf {
    let street = Street::start(dir, 2);
    let contract = street.contract(Contract::new(ORIGIN, "128KiB", 3));
    Node::grow(dir, "node", &contract, 900)
}

fn verb(words: &[&str], dir: &Path, more: &[&str]) -> Said {
    let words = words.iter().map(OsStr::new).chain([dir.as_os_str()]);
    fieldnotary(words.chain(more.iter().map(OsStr::new)))
}

fn check(said: &Said, code: i32, words: &[&str]) {
    let all = format!("{}{}", said.out, said.err);
    assert_eq!(said.code, Some(code), "{said:?}");
    for word in words {
        assert!(all.contains(word), "{word:?} is missing:\n{all}");
    }
    assert!(!all.contains("os error"), "{all}");
}

/// Every number from the first record on is an entry's or lies in what is missing, and none twice.
fn follows(rows: &[Value]) -> (u64, u64) {
    let (mut next, mut missing) = (None, 0);
    for row in rows {
        let (first, last) = match row["missing_first"].as_u64() {
            Some(first) => (first, number(row, "missing_last")),
            None => (number(row, "commit_id"), number(row, "commit_id")),
        };
        assert!(next.is_none_or(|next| next == first), "{next:?}: {row}");
        if row["missing_first"].is_u64() {
            assert_eq!(number(row, "missing"), last - first + 1, "{row}");
            missing += number(row, "missing");
        }
        next = Some(last + 1);
    }
    (next.unwrap(), missing)
}

/// What the keep-rings hold of older entries has gaps of its own: the ring alone is looked at.
fn of_the_ring(dir: &Path, more: &[&str]) -> (Said, Vec<Value>) {
    let oldest = verb(&["journal", "inspect", "--json"], dir, &[]).json();
    let oldest = number(&oldest["journals"][0]["log"], "oldest").to_string();
    let said = about("log", dir, &[&["--from", &oldest], more].concat());
    let rows = said.json_lines();
    (said, rows)
}

//= A5.4
#[test]
fn log_says_in_its_place_what_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let data = grown(dir.path());
    let (whole, rows) = of_the_ring(&data, &[]);
    assert_eq!(whole.code, Some(0), "{}", whole.err);
    let (size, none) = follows(&rows);
    assert_eq!(none, 0);
    type Deed = fn(&Path);
    let harms: [(Deed, &str); 3] = [
        (
            |ring| overwrite(&middle(ring), 8_192, &[9; BLOCK_BYTES]),
            "their frame are damaged: segment ",
        ),
        (
            |ring| std::fs::remove_file(middle(ring)).unwrap(),
            ".fnj is missing",
        ),
        (
            |ring| crate::common::damage::truncate(&middle(ring), 50_000),
            " has 50000 bytes, 131072 are due",
        ),
    ];
    for (deed, why) in harms {
        let copy = Copy::of(&data);
        deed(&copy.path().join("journal/g000001"));
        let (said, rows) = of_the_ring(copy.path(), &[]);
        assert_eq!(said.code, Some(1), "{why}");
        let (end, missing) = follows(&rows);
        assert!(
            end == size && missing > 0,
            "{why}: {missing} missing of {end}"
        );
        let record = rows.iter().find(|row| row["missing_first"].is_u64());
        let record = record.unwrap();
        assert!(text(record, "words").contains(why), "{record}");
        assert_eq!(number(record, "generation"), 1);
        let verified = about("verify", copy.path(), &[]).json();
        let lost: u64 = crate::common::list(&verified, "findings")
            .iter()
            .filter(|one| one["kind"] == "lost")
            .map(|one| number(one, "last") - number(one, "first") + 1)
            .sum();
        assert_eq!(lost, missing, "verify tells of the same: {verified}");

        let (first, last) = (
            number(record, "missing_first"),
            number(record, "missing_last"),
        );
        let which = format!("{first} to {last}: ");
        let words = verb(&["log"], copy.path(), &[]);
        check(
            &words,
            1,
            &["MISSING", &which, why, "no LOSS entry names them"],
        );
        // What was not asked for is not said.
        let after = (last + 1).to_string();
        let before = first.to_string();
        let is_missing = |row: &Value| row["missing_first"].is_u64();
        let behind = rows.iter().rev().take_while(|row| !is_missing(row)).count();
        let behind = behind.to_string();
        for more in [
            ["--from", after.as_str()],
            ["--to", before.as_str()],
            ["--last", behind.as_str()],
            ["--limit", "1"],
        ] {
            let said = verb(&["log"], copy.path(), &more);
            let few = more[0] == "--last" || more[0] == "--limit";
            // Several stretches may be lost: the first bounds what is asked for here.
            if few || record == rows.iter().rfind(|row| is_missing(row)).unwrap() {
                check(&said, 0, &[]);
                assert!(!said.out.contains("MISSING"), "{more:?}: {}", said.out);
            }
        }
        check(
            &verb(&["log"], copy.path(), &["--kind", "downtime"]),
            1,
            &["MISSING"],
        );
    }
}

/// A restart over damage names the loss: from then on the log explains it itself.
//= A5.4
#[test]
fn log_shows_a_named_loss_and_ends_well() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    // All of it lies in the newest segment, which every start looks at.
    let contract = street.contract(Contract::new(ORIGIN, "4MiB", 2));
    let data = Node::grow(dir.path(), "node", &contract, 60);
    let segment = &crate::common::layout::read(&data).segments[0];
    let lost = segment.frames[segment.frames.len() / 2];
    let bytes = vec![9; lost.end - lost.begin];
    overwrite(&segment.path, u64::try_from(lost.begin).unwrap(), &bytes);
    let said = about("log", &data, &[]);
    let (_, missing) = follows(&said.json_lines());
    assert!(
        said.code == Some(1) && missing > 0,
        "{missing}: {}",
        said.err
    );
    Node::grow(dir.path(), "node", &contract, 10);
    let said = about("log", &data, &[]);
    let (_, still) = follows(&said.json_lines());
    assert_eq!((said.code, still), (Some(0), missing), "{}", said.err);
    check(
        &verb(&["log"], &data, &[]),
        0,
        &["MISSING", "cannot be read"],
    );
}

#[test]
fn what_is_not_there_is_named_with_what_would_be_right() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 1);
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let contract = street.contract(Contract::new(ORIGIN, "128KiB", 8));
    let data = Node::grow(dir.path(), "node", &contract, 30);
    let at = |name: &str| dir.path().join(name);
    let shown = |path: PathBuf| path.display().to_string();

    // An export goes nowhere into the data directory, by whatever name.
    std::os::unix::fs::symlink(&data, at("link")).unwrap();
    for out in [
        "node/tiles",
        "node/journal/g000001/t",
        "node/a/b/c",
        "link/tiles",
    ] {
        for form in [&["--tiles"][..], &["--proof", "1"]] {
            let out = shown(at(out));
            let more = [form, &["-o", &out]].concat();
            let said = verb(&["journal", "export"], &data, &more);
            check(
                &said,
                3,
                &["lies inside the data directory", "name a place outside"],
            );
        }
    }
    assert!(!data.join("tiles").exists() && !data.join("a").exists());
    let tiles = shown(at("tiles"));
    check(
        &verb(&["journal", "export"], &data, &["--tiles", "-o", &tiles]),
        0,
        &["EXPORTED"],
    );

    // A checkpoint that is none.
    let anchor = ["--anchor", keys[0].as_str(), "--known"];
    for (known, words) in [
        (
            at("tiles"),
            &["that is a directory", "did you mean ", "tiles/checkpoint?"][..],
        ),
        (data.clone(), &["that is a directory", "name the file"]),
        (at("nowhere"), &["there is no such file", "name the file"]),
    ] {
        let said = verb(
            &["verify"],
            &data,
            &[&anchor[..], &[&shown(known)]].concat(),
        );
        check(&said, 3, words);
    }
    let right = shown(at("tiles/checkpoint"));
    check(
        &verb(&["verify"], &data, &[&anchor[..], &[&right]].concat()),
        0,
        &["VERIFIED"],
    );

    // Without the public keys beside it nobody knows whose log it is.
    std::fs::remove_file(data.join("identity/keys.vkey")).unwrap();
    for more in [&anchor[..2], &[]] {
        let said = verb(&["verify"], &data, more);
        let words = [
            "identity/keys.vkey is missing",
            "one a line",
            "put it back",
            "you keep",
        ];
        check(&said, 3, &words);
    }
    std::fs::write(data.join("identity/keys.vkey"), keys.join("\n")).unwrap();
    check(&verb(&["verify"], &data, &anchor[..2]), 0, &["VERIFIED"]);
}
