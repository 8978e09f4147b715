//! What `journal export` writes: a log and a proof that others can check, and a checkpoint to keep.

use crate::common::contract::Contract;
use crate::common::damage::copy_into;
use crate::common::layout;
use crate::common::sites::{Node, Street};
use crate::common::{Said, about, fieldnotary, list, number};
use std::ffi::OsStr;
use std::os::unix::fs::FileExt;
use std::path::Path;

const ORIGIN: &str = "example.org/published";

fn export(data: &Path, out: &Path, more: &[&str]) -> Said {
    let words = ["journal", "export", "--json"].map(OsStr::new);
    let out = [data.as_os_str(), "-o".as_ref(), out.as_os_str()];
    fieldnotary(
        words
            .into_iter()
            .chain(out)
            .chain(more.iter().map(OsStr::new)),
    )
}

/// Verifies against a pinned key, and against a kept checkpoint if there is one.
fn verify(what: &Path, key: &str, known: Option<&Path>) -> Said {
    let mut more = vec!["--anchor", key];
    let known = known.map(|path| path.display().to_string());
    more.extend(known.iter().flat_map(|path| ["--known", path.as_str()]));
    about("verify", what, &more)
}

fn check(said: &Said, code: i32, words: &[&str]) {
    let all = format!("{}{}", said.out, said.err);
    assert_eq!(said.code, Some(code), "{said:?}");
    for word in words {
        assert!(all.contains(word), "{word:?} is missing:\n{all}");
    }
}

/// Every file under a directory.
fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

fn flip(path: &Path, at: u64) {
    let file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path);
    let (file, mut byte) = (file.unwrap(), [0]);
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

/// Any changed byte of any file is found, and so is a missing file.
fn every_harm_is_found(published: &Path, key: &str) {
    for file in files(published) {
        let bytes = std::fs::metadata(&file).unwrap().len();
        for byte in [0, bytes / 2, bytes - 1] {
            flip(&file, byte);
            let said = verify(published, key, None);
            assert!(
                matches!(said.code, Some(1 | 3)),
                "{}: {said:?}",
                file.display()
            );
            flip(&file, byte);
        }
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let said = verify(published, key, None);
        assert!(
            matches!(said.code, Some(1 | 3)),
            "{}: {said:?}",
            file.display()
        );
        std::fs::write(&file, bytes).unwrap();
    }
}

//= A1.3
//= A4.7
//= U4
#[test]
fn a_published_log_verifies_and_its_checkpoint_tells_an_old_copy_and_a_fork_from_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let street = Street::start(dir.path(), 3);
    let keys = Node::keys(&at("node"), ORIGIN);
    let key = keys[0].as_str();
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 8));
    let data = Node::grow(dir.path(), "node", &contract, 300);
    let exported = export(&data, &at("early"), &["--tiles"]);
    check(&exported, 0, &[]);
    let said = exported.json();
    assert_eq!(said["entries"], said["size"]);
    assert!(list(&said, "holes").is_empty());
    assert!(number(&said, "size") > 256, "one bundle is full: {said}");
    let verified = verify(&at("early"), key, None);
    check(&verified, 0, &["\"ok\":true"]);
    assert_eq!(verified.json()["sealed_entries"], said["size"]);
    check(
        &about("verify", &at("early"), &[]),
        1,
        &["no key is known for example.org/published/g1"],
    );
    check(
        &export(&data, &at("early"), &["--tiles"]),
        3,
        &["overwrites nothing"],
    );

    every_harm_is_found(&at("early"), key);
    check(&verify(&at("early"), key, None), 0, &[]);

    // Two copies of the node as it is now; one of them goes on by itself.
    for name in ["old", "fork"] {
        std::fs::create_dir(at(name)).unwrap();
        copy_into(&data, &at(name));
    }
    Node::grow(dir.path(), "node", &contract, 100);
    check(&export(&data, &at("late"), &["--tiles"]), 0, &[]);
    Node::grow(dir.path(), "fork", &contract, 200);
    let (early, late) = (at("early/checkpoint"), at("late/checkpoint"));
    for (name, known, code, words) in [
        ("node", &early, 0, ""),
        ("node", &late, 0, ""),
        ("old", &early, 0, ""),
        ("old", &late, 1, "rolled back: a signed checkpoint of "),
        ("fork", &early, 0, ""),
        ("fork", &late, 1, "a fork: the log signed the root "),
        ("late", &early, 0, ""),
        ("late", &late, 0, ""),
        ("early", &late, 1, "rolled back: "),
    ] {
        check(&verify(&at(name), key, None), 0, &[]);
        let said = verify(&at(name), key, Some(known));
        check(&said, code, &[words]);
    }
    let other = Node::keys(&at("other"), "example.org/other");
    let contract = street.contract(Contract::new("example.org/other", "256KiB", 8));
    let other_data = Node::grow(dir.path(), "other", &contract, 20);
    let said = verify(&other_data, &other[0], Some(&late));
    check(
        &said,
        1,
        &["and that log is not here: what is here is example.org/other/g1"],
    );
    let said = verify(&data, key, Some(&data.join("identity/keys.vkey")));
    check(&said, 3, &["is no signed checkpoint"]);
}

/// What holds the keys is said by an entry with a proof of its own, and by nothing else.
fn keys_beside(file: &Path, key: &str) {
    let beside = file.with_file_name("reading.keys.tlog-proof");
    let shown = |said: &Said| {
        let told = said.json();
        (told["custody"].clone(), told["keys"]["hardware"].clone())
    };
    let said = verify(file, key, None);
    check(&said, 0, &[]);
    assert_eq!(shown(&said), ("software".into(), false.into()), "{said:?}");
    let by = number(&said.json()["keys"], "commit_id");
    let screen = fieldnotary([
        "verify".as_ref(),
        file.as_os_str(),
        "--anchor".as_ref(),
        key.as_ref(),
    ]);
    let words = format!("proves no custody, as entry {by} has it");
    assert!(
        screen
            .out
            .contains("keys       software: in files of the host: ")
            && screen.out.contains(&words),
        "{screen:?}"
    );
    // It says it of itself as well.
    let said = verify(&beside, key, None);
    check(&said, 0, &[]);
    assert_eq!(shown(&said), ("software".into(), false.into()), "{said:?}");
    // Every changed byte of it is found, and without it the entry verifies alone.
    let whole = std::fs::read(&beside).unwrap();
    for byte in (0..whole.len()).step_by(7) {
        flip(&beside, u64::try_from(byte).unwrap());
        let said = about("verify", file, &["--anchor", key]);
        flip(&beside, u64::try_from(byte).unwrap());
        // The line of the other key is nothing that whoever pins one can check.
        let other_line = said.code == Some(0) && byte + 120 > whole.len();
        assert!(
            other_line || matches!(said.code, Some(1 | 3)),
            "byte {byte}: {said:?}"
        );
    }
    std::fs::copy(file, &beside).unwrap();
    check(
        &verify(file, key, None),
        1,
        &["does not say what holds the keys; take it away"],
    );
    std::fs::remove_file(&beside).unwrap();
    let said = verify(file, key, None);
    check(&said, 0, &["\"custody\":null"]);
    let screen = fieldnotary([
        "verify".as_ref(),
        file.as_os_str(),
        "--anchor".as_ref(),
        key.as_ref(),
    ]);
    assert!(
        screen
            .out
            .contains("what holds them is not said here: put "),
        "{screen:?}"
    );
    std::fs::write(&beside, whole).unwrap();
}

//= A4.7
//= U5
#[test]
fn one_reading_is_proven_by_one_file_that_says_nothing_of_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let street = Street::start(dir.path(), 2);
    let keys = Node::keys(&at("node"), ORIGIN);
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 4));
    let data = Node::grow(dir.path(), "node", &contract, 150);
    let readings = about("log", &data, &["--kind", "reading", "--limit", "40"]).json_lines();
    let reading = readings.last().unwrap();
    let id = number(reading, "commit_id").to_string();
    let file = at("reading.tlog-proof");
    check(&export(&data, &file, &["--proof", &id]), 0, &[]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra "), "{text}");
    // A plain name, as the help shows it, is a file of the current folder.
    let said = std::process::Command::new(crate::common::program("fieldnotary"))
        .args(["journal", "export", "--proof", &id, "node", "-o", "plain"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert_eq!(said.status.code(), Some(0), "{said:?}");
    assert_eq!(std::fs::read_to_string(at("plain")).unwrap(), text);
    for key in &keys {
        let said = verify(&file, key, None);
        check(&said, 0, &["\"ok\":true"]);
        let (shown, told) = (&said.json()["entry"], reading);
        for name in ["commit_id", "meter_id", "point_id", "value", "record_crc"] {
            assert_eq!(shown[name], told[name], "{name}");
        }
    }
    for byte in 0..text.len() {
        flip(&file, u64::try_from(byte).unwrap());
        let both = ["--anchor", keys[0].as_str(), "--anchor", keys[1].as_str()];
        let said = about("verify", &file, &both);
        flip(&file, u64::try_from(byte).unwrap());
        assert!(matches!(said.code, Some(1 | 3)), "byte {byte}: {said:?}");
    }
    keys_beside(&file, &keys[0]);
    let other = Node::keys(&at("other"), ORIGIN);
    check(
        &verify(&file, &other[0], None),
        1,
        &["no signature is of a known key"],
    );
    check(&about("verify", &file, &[]), 1, &["no key is known for"]);
    check(
        &export(&data, &file, &["--proof", &id]),
        3,
        &["overwrites nothing"],
    );
    // What held the keys under another head is not said of those that signed this one.
    Node::grow(dir.path(), "node", &contract, 20);
    check(
        &export(&data, &at("later.tlog-proof"), &["--proof", &id]),
        0,
        &[],
    );
    std::fs::copy(at("later.keys.tlog-proof"), at("reading.keys.tlog-proof")).unwrap();
    check(
        &verify(&file, &keys[0], None),
        1,
        &["it is under the head of "],
    );
    let newest = number(&about("status", &data, &[]).json(), "log_size") - 1;
    for (id, words) in [
        (newest, "no signed checkpoint covers this entry yet"),
        (newest + 1, "the log has no entry"),
    ] {
        let said = export(&data, &at("none"), &["--proof", &id.to_string()]);
        check(&said, 3, &[words]);
    }
    for forms in [&[][..], &["--tiles", "--proof", "1"]] {
        assert_eq!(export(&data, &at("none"), forms).code, Some(2), "{forms:?}");
    }
    assert!(!at("none").exists());
}

//= A5.4
#[test]
fn what_is_lost_is_published_as_a_hole_by_name_and_what_is_lost_unnamed_is_called_so() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let street = Street::start(dir.path(), 3);
    let keys = Node::keys(&at("node"), ORIGIN);
    // All of it lies in the newest segment, which every start looks at.
    let contract = street.contract(Contract::new(ORIGIN, "4MiB", 2));
    let data = Node::grow(dir.path(), "node", &contract, 300);
    let journal = layout::read(&data);
    let frames = &journal.segments[0].frames;
    let lost = frames[frames.len() / 2];
    let path = &journal.segments[0].path;
    for byte in lost.begin..lost.end {
        flip(path, u64::try_from(byte).unwrap());
    }
    let unnamed = export(&data, &at("unnamed"), &["--tiles"]);
    check(&unnamed, 1, &["\"named_by\":null"]);
    check(
        &verify(&at("unnamed"), &keys[0], None),
        1,
        &["no LOSS entry names them"],
    );
    // The next start finds the damage and names it.
    Node::grow(dir.path(), "node", &contract, 100);
    let named = export(&data, &at("named"), &["--tiles"]);
    check(&named, 0, &[]);
    let said = named.json();
    let hole = &list(&said, "holes")[0];
    assert_eq!(number(hole, "first"), lost.first);
    assert_eq!(number(hole, "last"), lost.last());
    assert!(hole["named_by"].is_u64(), "{hole}");
    let verified = verify(&at("named"), &keys[0], None);
    check(&verified, 0, &["loss_named"]);
    check(
        &export(&data, &at("none"), &["--proof", &lost.first.to_string()]),
        3,
        &["are lost"],
    );
}

/// What holds the keys stands at the beginning of a log, and a segment between that and a reading is gone with its hashes: the reading
/// is proven by what is here, and that nothing proves what its keys are in is said.
//= A1.3
//= U4
#[test]
fn a_reading_is_proven_where_what_holds_its_keys_cannot_be() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let street = Street::start(dir.path(), 3);
    let keys = Node::keys(&at("node"), ORIGIN);
    let contract = street.contract(Contract::new(ORIGIN, "64KiB", 16));
    let data = Node::grow(dir.path(), "node", &contract, 700);
    let journal = layout::read(&data);
    let [first, between, behind @ ..] = &journal.segments[..] else {
        panic!("the log lies in three segments at the least")
    };
    // The newest of them may have begun behind the last seal.
    let sealed = number(&about("status", &data, &[]).json(), "sealed_size");
    let mut frames = behind.iter().flat_map(|segment| &segment.frames);
    let proven = frames.rfind(|frame| frame.last() < sealed);
    let reading = proven.expect("the third is sealed").first.to_string();
    let stores = about("log", &data, &["--kind", "key_store"]).entries();
    let by = number(stores.last().unwrap(), "commit_id");
    assert!(by <= first.frames.last().unwrap().last());
    let bytes = std::fs::metadata(&between.path).unwrap().len();
    std::fs::write(&between.path, vec![0; usize::try_from(bytes).unwrap()]).unwrap();

    let file = at("one.tlog-proof");
    let said = export(&data, &file, &["--proof", &reading]);
    check(&said, 0, &[]);
    let told = said.json();
    assert!(told["keys_out"].is_null(), "{told}");
    let words = told["keys_unproved"].as_str().unwrap();
    let due = format!("entry {by} says it, and has no proof here: ");
    assert!(words.starts_with(&due), "{words}");
    check(&verify(&file, &keys[0], None), 0, &["\"custody\":null"]);
    let names = || {
        let files = files(dir.path()).into_iter();
        let of_proof = |path: &std::path::PathBuf| path.to_string_lossy().contains(".tlog-proof");
        files.filter(of_proof).collect::<Vec<_>>()
    };
    assert_eq!(names(), std::slice::from_ref(&file));
    let screen = fieldnotary([
        "journal".as_ref(),
        "export".as_ref(),
        data.as_os_str(),
        "-o".as_ref(),
        at("two.tlog-proof").as_os_str(),
        "--proof".as_ref(),
        reading.as_ref(),
    ]);
    check(
        &screen,
        0,
        &["keys       what holds them is not proved: entry "],
    );
}
