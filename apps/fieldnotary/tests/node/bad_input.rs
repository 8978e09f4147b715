//! What a person gets who makes a mistake: a code that scripts can trust, and one screen with the cure.

use crate::common::contract::Contract;
use crate::common::damage::{Copy, truncate};
use crate::common::sites::{Node, Street};
use crate::common::{Said, fieldnotary, layout, number};
use std::path::Path;

const ORIGIN: &str = "example.org/mistakes";
/// Lines and columns of one screen.
const SCREEN: (usize, usize) = (24, 400);

/// Refused, with these words among those said, on one screen, and by no accident of the program.
fn refused(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, Some(code), "{said:?}");
    for word in words {
        assert!(said.err.contains(word), "{word:?} is missing: {said:?}");
    }
    for accident in ["panicked", "RUST_BACKTRACE", "Error {", "unwrap"] {
        assert!(!said.err.contains(accident), "{said:?}");
    }
    assert_eq!(said.out, "", "what fails says so on standard error");
    let (lines, columns) = SCREEN;
    assert!(
        said.err.lines().count() <= lines && said.err.lines().all(|line| line.len() <= columns),
        "more than a screen: {said:?}"
    );
}

fn run(config: &Path, data: &Path) -> Said {
    let words = [
        "run".as_ref(),
        config.as_os_str(),
        "--data".as_ref(),
        data.as_os_str(),
    ];
    fieldnotary(words)
}

//= A4.6
#[test]
fn a_configuration_that_is_not_there_or_not_sound_is_refused_with_its_cure() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("station.toml");
    let data = dir.path().join("node");
    refused(
        &run(&config, &data),
        3,
        &["cannot read the configuration", "station.toml"],
    );
    assert!(!data.exists(), "nothing is made for a node that cannot run");
    for (text, words) in [
        ("[station\n", &["station.toml:1"][..]),
        ("[station]\nname = \"x\"\n", &["station.toml:", "origin"]),
        (
            "[station]\norigin = \"example.org/x\"\nnmae = \"x\"\n",
            &[
                "station.toml:3",
                "unknown key `nmae`",
                "did you mean `name`",
            ],
        ),
        (
            "[station]\norigin = \"example.org/x\"\n[seal]\nevery = \"1ms\"\n",
            &["station.toml:4", "seal.every", "1s"],
        ),
        ("\u{0}\u{1}", &["station.toml:1"]),
    ] {
        std::fs::write(&config, text).unwrap();
        refused(&run(&config, &data), 3, words);
        let check = fieldnotary(["check".as_ref(), config.as_os_str()]);
        assert_eq!(check.code, Some(1), "{check:?}");
        for word in words {
            let said = format!("{}{}", check.out, check.err);
            assert!(said.contains(word), "{word:?} is missing: {check:?}");
        }
        assert!(!data.exists(), "nothing is made for a node that cannot run");
    }
    std::fs::write(&config, [0xff, 0xfe]).unwrap();
    refused(&run(&config, &data), 3, &["station.toml", "UTF-8"]);
}

#[test]
fn a_directory_that_is_none_is_named_by_every_verb() {
    let dir = tempfile::tempdir().unwrap();
    let absent = dir.path().join("absent");
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    for place in [dir.path(), &absent, &file] {
        for verb in ["log", "verify", "gaps"] {
            let said = fieldnotary([verb.as_ref(), place.as_os_str()]);
            let name = place.display().to_string();
            refused(&said, 3, &[&name, "neither a node's", "collector's"]);
        }
        let status = fieldnotary(["status".as_ref(), place.as_os_str()]);
        refused(&status, 3, &["no node runs on", "fieldnotary run"]);
    }
}

#[test]
fn words_that_make_no_sense_are_answered_with_those_that_do() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().as_os_str();
    let log = fieldnotary([
        "log".as_ref(),
        place,
        "--kind".as_ref(),
        "nonsense".as_ref(),
    ]);
    refused(&log, 2, &["nonsense", "reading", "attempt_failed"]);
    let verify =
        |key: &str| fieldnotary(["verify".as_ref(), place, "--anchor".as_ref(), key.as_ref()]);
    for key in ["nonsense", "", "a+b+c", "example.org/x+12345678+AAAA"] {
        refused(&verify(key), 2, &["--anchor", key]);
    }
    for words in [
        &["lgo"][..],
        &["log"],
        &["verify", ".", "--anchr", "x"],
        &["run", "x.toml"],
    ] {
        refused(&fieldnotary(words), 2, &["Usage"]);
    }
}

//= A1.3
#[test]
fn a_second_node_on_the_same_directory_is_refused_and_harms_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let contract = street.contract(Contract::new(ORIGIN, "1MiB", 4));
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("log_size", 20);
    let config = dir.path().join("node.toml");
    refused(
        &run_for_a_while(&config, node.data()),
        3,
        &["node", "already"],
    );
    // The first one goes on, and nobody read its meters for it.
    node.wait_for("log_size", number(&node.status(), "log_size") + 5);
    let gaps = crate::common::about("gaps", &node.stop(), &[]).json();
    assert_eq!(number(&gaps, "duplicates"), 0, "{gaps}");
}

/// Something done to a node's directory, and what the refusal must speak of.
type Deed = (&'static str, fn(&Path), &'static [&'static str]);

const DEEDS: [Deed; 6] = [
    (
        "a log id cut short",
        |data| truncate(&data.join("identity/log-id"), 7),
        &["identity/log-id", "32 hexadecimal digits", "backup"],
    ),
    (
        "an empty log id",
        |data| truncate(&data.join("identity/log-id"), 0),
        &["identity/log-id", "32 hexadecimal digits", "backup"],
    ),
    (
        "keys without their list, as a power cut leaves them",
        |data| std::fs::remove_file(data.join("identity/keys.vkey")).unwrap(),
        &["identity", "key"],
    ),
    (
        "a list of keys cut short",
        |data| truncate(&data.join("identity/keys.vkey"), 60),
        &["keys.vkey"],
    ),
    (
        "a key cut short",
        |data| truncate(&data.join("identity/authority-p256.pem"), 100),
        &["authority-p256.pem"],
    ),
    (
        "a truth store of another size",
        |data| truncate(&layout::folder(data).join("truth.fnt"), 5_000),
        &["truth.fnt", "size"],
    ),
];

//= A5.4
//= U4
#[test]
fn a_node_with_a_harmed_identity_or_truth_store_says_so_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let contract = street.contract(Contract::new(ORIGIN, "64KiB", 4));
    let data = Node::start(dir.path(), "node", &contract).stop();
    let config = dir.path().join("node.toml");
    let mut wrong = Vec::new();
    for (what, deed, words) in DEEDS {
        let copy = Copy::of(&data);
        deed(copy.path());
        let said = run_for_a_while(&config, copy.path());
        let named = words.iter().all(|word| said.err.contains(word));
        let accident = said.err.contains("panicked");
        if said.code != Some(3) || !named || accident || said.err.lines().count() > SCREEN.0 {
            wrong.push(format!("{what}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Starts a node that should not start; one that does is ended, which is no code of its own.
fn run_for_a_while(config: &Path, data: &Path) -> Said {
    let mut command = std::process::Command::new("timeout");
    command
        .args(["--signal=TERM", "4"])
        .arg(crate::common::program("fieldnotary"));
    command.arg("run").arg(config).arg("--data").arg(data);
    command.stdin(std::process::Stdio::null());
    command.output().unwrap().into()
}
