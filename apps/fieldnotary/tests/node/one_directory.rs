//! One directory, one program: a node, a collector and a street refuse each other's.

use crate::common::contract::Contract;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{Said, done, fieldnotary, program};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ORIGIN: &str = "example.org/places";

fn check(said: &Said, code: i32, words: &[&str], never: &[&str]) {
    let all = format!("{}{}", said.out, said.err);
    assert_eq!(said.code, Some(code), "{said:?}");
    for word in words {
        assert!(all.contains(word), "{word:?} is missing: {said:?}");
    }
    for word in never {
        assert!(!all.contains(word), "{word:?} is there: {said:?}");
    }
}

/// The names of all files in a directory.
fn names(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            found.extend(names(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

fn collector(words: &[&OsStr]) -> Said {
    let mut command = Command::new(program("fieldnotary-collector"));
    command
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap()
        .into()
}

//= A1.3
#[test]
fn no_program_begins_in_the_directory_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 1);
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 4));
    let config = dir.path().join("node.toml");
    std::fs::write(&config, contract.toml()).unwrap();
    let node = Node::grow(dir.path(), "node", &contract, 10);
    let keys = Node::keys(&dir.path().join("keys"), ORIGIN);
    let kept = Collector::start(dir.path(), &keys).stop();
    let streets = dir.path().join("street");

    for (place, kind) in [
        (&kept, "a collector's directory"),
        (&streets, "a street's directory"),
    ] {
        let before = names(place);
        for (verb, code) in [("check", 1), ("run", 3)] {
            let words = [
                verb.as_ref(),
                config.as_os_str(),
                "--data".as_ref(),
                place.as_os_str(),
            ];
            check(
                &fieldnotary(words),
                code,
                &[kind, "of its own", "--data"],
                &[],
            );
        }
        assert_eq!(names(place), before, "nothing was made");
        let status = fieldnotary(["status".as_ref(), place.as_os_str()]);
        check(&status, 3, &[kind], &["run CONFIG", "nor a collector's"]);
    }

    let key = keys[0].as_str();
    for (place, kind) in [
        (&node, "a node's data directory"),
        (&streets, "a street's directory"),
    ] {
        let before = names(place);
        let dir = place.as_os_str();
        let init = [
            "init",
            "--name",
            "c.example",
            "--host",
            "127.0.0.1",
            "--dir",
        ]
        .map(OsStr::new);
        let run = ["run", "--log-key", key, "--listen", "127.0.0.1:0", "--dir"].map(OsStr::new);
        for words in [init, run] {
            let words = [&words[..], &[dir]].concat();
            check(
                &collector(&words),
                3,
                &[kind, "give --dir another directory"],
                &["NAME"],
            );
        }
        assert_eq!(names(place), before, "nothing was made");
    }
}

/// The papers that a collector issues may lie in the node's directory: that makes it no collector's.
#[test]
fn papers_issued_into_a_nodes_directory_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 1);
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 4));
    let keys = Node::keys(&dir.path().join("node"), ORIGIN);
    let kept = Collector::start(dir.path(), &keys).stop();
    let mut issue = Command::new(program("fieldnotary-collector"));
    issue
        .arg("issue")
        .arg("--dir")
        .arg(&kept)
        .args(["--reason", "test", "--node", "n", "--out"]);
    done(issue.arg(dir.path().join("node")));
    Node::grow(dir.path(), "node", &contract, 10);
}
