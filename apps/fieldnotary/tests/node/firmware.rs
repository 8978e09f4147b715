//! The firmware of a node: newer, the same, older, not to be read; observed, blocked, accepted; kept by files and by a TPM.

use crate::common::contract::Contract;
use crate::common::damage::copy_into;
use crate::common::sites::{Node, Street};
use crate::common::{about, done, fieldnotary, list, number, program, text, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use trial_stores::Swtpm;

const ORIGIN: &str = "example.org/firmware";
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) fn image(dir: &Path, says: &str) {
    let text = format!("ID=acme\nIMAGE_VERSION=\"2.{says}\"\nSECURITY_VERSION={says}\n");
    std::fs::write(dir.join("os-release"), text).unwrap();
}

pub(crate) fn contract(dir: &Path, street: &Street, more: &str) -> Contract {
    let site = street.contract(Contract::new(ORIGIN, "256KiB", 16));
    let file = dir.join("os-release");
    Contract::of(format!(
        "{}[firmware]\nfile = {file:?}\n{more}\n",
        site.toml()
    ))
}

pub(crate) fn told(data: &Path) -> Vec<Value> {
    about("log", data, &["--kind", "firmware"]).entries()
}

/// The newest entry, once it says this.
pub(crate) fn stands(data: &Path, key: &str, says: &Value) -> Value {
    wait_until(&format!("{key} {says}"), LONG, || {
        let last = told(data).pop()?;
        (last[key] == *says).then_some(last)
    })
}

fn counter(node: &Node, name: &str) -> Value {
    let status = node.status();
    let of_firmware = |one: &&Value| one["name"] == name && one["label"] != Value::Null;
    list(&status, "counters").iter().find(of_firmware).unwrap()["value"].clone()
}

/// That nothing is captured while the log is sealed on.
pub(crate) fn captures_nothing(node: &Node) {
    let size = number(&node.status(), "log_size");
    node.wait_for("sealed_size", size);
    let status = node.status();
    let roles: Vec<&str> = list(&status, "processes")
        .iter()
        .map(|one| text(one, "role"))
        .collect();
    assert!(!roles.contains(&"io"), "{roles:?}");
    assert_eq!(number(&status, "readings"), 0);
}

pub(crate) fn verdict(data: &Path) -> Value {
    let said = about("verify", data, &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    said.json()["firmware"].clone()
}

fn sha256(path: &Path) -> String {
    let said = done(Command::new("sha256sum").arg(path)).out;
    said.split(' ').next().unwrap().to_owned()
}

/// A site whose image says what it is told to.
struct Site {
    folder: tempfile::TempDir,
    street: Street,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let street = Street::start(folder.path(), 2);
        Self { folder, street }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("node")
    }

    /// Starts a node on an image of this version, of none where it is empty, until its log says how that stands.
    fn run(&self, version: &str, more: &str, words: &[&str], outcome: &str) -> Node {
        let dir = self.folder.path();
        match version {
            "" => std::fs::write(dir.join("os-release"), "ID=acme\n").unwrap(),
            version => image(dir, version),
        }
        let contract = contract(dir, &self.street, more);
        let node = Node::start_with(dir, "node", &contract, words);
        stands(&self.data(), "outcome", &json!(outcome));
        node
    }

    /// What `check` says of such an image before it is started, with its line.
    fn checked(&self, version: &str, more: &str, says: &[&str]) {
        let dir = self.folder.path();
        match version {
            "" => std::fs::write(dir.join("os-release"), "ID=acme\n").unwrap(),
            version => image(dir, version),
        }
        let (config, data) = (dir.join("checked.toml"), self.data());
        let toml = contract(dir, &self.street, more).toml().to_owned();
        std::fs::write(&config, &toml).unwrap();
        let said = about("check", &config, &["--data", data.to_str().unwrap()]).json();
        let warnings = list(&said, "warnings").iter();
        let of_it: Vec<&str> = warnings
            .filter_map(Value::as_str)
            .filter(|one| one.contains(": firmware."))
            .collect();
        assert_eq!(of_it.is_empty(), says.is_empty(), "{said}");
        let place = toml.lines().position(|line| line.starts_with("file = "));
        for words in says {
            let line = format!("line {}: firmware.file: ", place.unwrap() + 1);
            assert!(
                of_it[0].starts_with(&line) && of_it[0].contains(words),
                "{of_it:?}"
            );
        }
    }

    fn reads(&self, version: &str, more: &str, words: &[&str], outcome: &str) {
        let node = self.run(version, more, words, outcome);
        node.wait_for("readings", 2);
        let highest = told(&self.data()).pop().unwrap()["highest"].clone();
        assert_eq!(counter(&node, "fw_version_counter"), highest);
        node.stop();
    }
}

const BLOCK: &str = "rollback = \"block\"";

/// Where older ones are only observed: six starts, two of them attempts.
fn observed(site: &Site) {
    let update = ["--actor", "ada", "--reason", "the update"];
    for (version, words, outcome) in [
        ("6", &[][..], "first"),
        ("6", &[], "same"),
        ("7", &update, "raised"),
        ("6", &[], "observed"),
        ("", &[], "observed"),
        ("7", &[], "same"),
    ] {
        site.reads(version, "", words, outcome);
    }
    let all = told(&site.data());
    let raised = all.iter().find(|one| text(one, "outcome") == "raised");
    let raised = raised.unwrap();
    assert!(text(raised, "actor").starts_with("ada (uid "), "{raised}");
    let said = (text(raised, "reason"), text(raised, "image"));
    assert_eq!(said, ("the update", "2.7"));
    assert_eq!(text(raised, "kept"), "truth_store");
    let last = all.last().unwrap();
    assert_eq!((number(last, "attempts"), number(last, "blocks")), (2, 0));
}

/// What is blocked captures nothing; the log goes on, says why and what to do.
fn blocked(site: &Site) {
    let node = site.run("6", BLOCK, &[], "blocked");
    captures_nothing(&node);
    assert_eq!(counter(&node, "rollback_attempt_cnt"), json!(3));
    assert_eq!(counter(&node, "rollback_block_cnt"), json!(1));
    assert_eq!(node.status()["firmware"]["outcome"], "blocked");
    let screen = fieldnotary(["status".as_ref(), node.data().as_os_str()]).out;
    assert!(
        screen.contains("firmware   blocked: version 6, 7 is the highest"),
        "{screen}"
    );
    wait_until("the word of it", LONG, || {
        let words = node.words();
        (words.contains("FIRMWARE BLOCKED") && words.contains("--accept-firmware")).then_some(())
    });
    let first = number(&told(&site.data()).pop().unwrap(), "commit_id");
    node.stop();
    std::thread::sleep(Duration::from_secs(3));
    let node = site.run("", BLOCK, &[], "blocked");
    captures_nothing(&node);
    node.stop();
    // What the block held back is one thing, and the time in which the node stood another.
    let missed = about("log", &site.data(), &["--kind", "downtime"]).json_lines();
    let since = missed.iter().filter(|one| number(one, "commit_id") > first);
    let mut causes: Vec<&str> = since.map(|one| text(one, "cause")).collect();
    causes.dedup();
    let by_turns = ["firmware_blocked", "orderly_stop", "firmware_blocked"];
    assert!(causes.ends_with(&by_turns), "{causes:?}");
}

/// Somebody takes it as it is; that holds over starts, for this version alone.
fn accepted(site: &Site) {
    let words = [
        "--accept-firmware",
        "--actor",
        "ada",
        "--reason",
        "7 loses readings",
    ];
    site.run("6", BLOCK, &words, "accepted").stop();
    site.reads("6", BLOCK, &[], "accepted");
    let accepted = told(&site.data()).pop().unwrap();
    // By whose leave, and why, also at a start that says nothing.
    let by = (text(&accepted, "actor"), text(&accepted, "reason"));
    assert!(by.0.starts_with("ada (uid ") && by.1 == "7 loses readings");
    assert_eq!(
        (number(&accepted, "highest"), &accepted["accepted"]),
        (7, &json!(true))
    );
    let audits = about("log", &site.data(), &["--kind", "audit"]).json_lines();
    assert!(
        audits.iter().any(|audit| {
            audit["action"] == "accept firmware" && audit["reason"] == "7 loses readings"
        }),
        "{audits:?}"
    );
    site.run("5", BLOCK, &[], "blocked").stop();
    site.run("6", BLOCK, &[], "blocked").stop();
}

//= A6.4
//= A6.5
//= A6.6
//= R8.3
//= A11.3
#[test]
fn an_older_firmware_is_told_blocked_or_accepted_and_the_highest_never_falls() {
    let site = Site::new();
    let data = site.data();
    observed(&site);
    blocked(&site);
    accepted(&site);
    let window = format!("{BLOCK}\nallow_down_to = 6");
    site.reads("6", &window, &[], "allowed");
    let allowed = told(&data).pop().unwrap();
    let by = (text(&allowed, "actor"), text(&allowed, "reason"));
    assert!(by.0 == "recorder (node)" && by.1.contains("allow_down_to = 6"));
    site.reads("7", BLOCK, &[], "same");
    let said = verdict(&data);
    assert_eq!(
        (&said["highest"], &said["kept"]),
        (&json!(7), &json!("truth_store"))
    );
    let (attempts, blocks) = (number(&said, "attempts"), number(&said, "blocks"));
    assert_eq!((attempts, blocks), (9, 4));
    // What was missed meanwhile has that cause.
    let downtimes = about("log", &data, &["--kind", "downtime"]).json_lines();
    assert!(
        downtimes
            .iter()
            .any(|one| one["cause"] == "firmware_blocked"),
        "{downtimes:?}"
    );
    assert_eq!(about("gaps", &data, &[]).code, Some(0), "all is explained");
    site.checked(
        "6",
        BLOCK,
        &["version 6 is installed", "`run` captures nothing"],
    );
    site.checked("6", "", &["counts an attempt to go back"]);
    site.checked(
        "",
        BLOCK,
        &["(7 is the highest that ran here)", "SECURITY_VERSION=3"],
    );
    site.checked("7", BLOCK, &[]);
    site.street.stop();
}

/// Which software made a log can be told from the log: by version, and by the hash of each program's file.
//= U9.1
//= R1.4
#[test]
fn a_log_names_the_programs_that_made_it_by_version_and_digest() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::start(dir, 1);
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 16));
    let data = Node::grow(dir, "node", &contract, 20);
    let entry = told(&data).pop().unwrap();
    assert_eq!(text(&entry, "outcome"), "undeclared");
    let said = verdict(&data);
    assert_eq!(said["programs"], entry["programs"]);
    let programs = list(&entry, "programs");
    let names: Vec<&str> = programs.iter().map(|one| text(one, "name")).collect();
    assert_eq!(names, ["fieldnotary", "fieldnotary-signer"]);
    for one in programs {
        let path = program(text(one, "name"));
        assert_eq!(text(one, "digest"), sha256(&path), "{one}");
        let version = done(Command::new(&path).arg("--version")).out;
        assert_eq!(
            version.trim(),
            format!("{} {}", text(one, "name"), text(one, "version"))
        );
    }
    let screen = fieldnotary(["verify".as_ref(), data.as_os_str()]).out;
    assert!(screen.contains("programs   fieldnotary "), "{screen}");
    // Its sealed parameters are the configuration, by its digest.
    let contracts = about("log", &data, &["--kind", "configuration"]).json_lines();
    assert_eq!(text(&contracts[0], "digest").len(), 64);
    street.stop();
}

pub(crate) fn keys(dir: &Path, tpm: &Swtpm) {
    let mut init = Command::new(program("fieldnotary-signer"));
    init.arg("init")
        .arg("--identity")
        .arg(dir.join("node/identity"));
    init.args(["--origin", ORIGIN, "--backend", "tpm", "--socket"]);
    done(init.arg(tpm.socket()));
}

/// A disk of an older image finds by the counter that a newer one ran; what is on that disk cannot hide it.
//= A6.4
//= R8.3
#[test]
fn an_older_disk_and_its_firmware_are_found_by_the_counter_of_the_tpm() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let tpm = Swtpm::new();
    let street = Street::start(dir, 1);
    let block = contract(dir, &street, "rollback = \"block\"");
    keys(dir, &tpm);
    let data = dir.join("node");
    let bound = |version: &str, words: &[&str]| {
        image(dir, version);
        let before = told(&data).len();
        let node = Node::start_with(dir, "node", &block, words);
        let entry = wait_until("a version that is bound", LONG, || {
            let last = told(&data).split_off(before).pop()?;
            last["value"].is_u64().then_some(last)
        });
        node.wait_for("readings", 1);
        node.stop();
        assert_eq!(
            (
                text(&entry, "kept"),
                number(&entry, "highest").to_string().as_str()
            ),
            ("counter", version)
        );
        number(&entry, "value")
    };
    let first = bound("6", &[]);
    assert_eq!(bound("6", &[]), first, "the same costs no write");
    let old = tempfile::tempdir().unwrap();
    copy_into(&data, old.path());
    assert_eq!(bound("8", &[]), first + 1, "one write for each raise");
    assert_eq!(bound("9", &[]), first + 2);
    let said = verdict(&data);
    assert_eq!(
        (&said["attested"], &said["value"]),
        (&json!(true), &json!(first + 2))
    );
    // Down on the same disk.
    image(dir, "8");
    let node = Node::start(dir, "node", &block);
    stands(&data, "outcome", &json!("blocked"));
    captures_nothing(&node);
    node.stop();
    assert_eq!(about("verify", &data, &[]).code, Some(0));

    // The disk of before, with the firmware of before: nothing on it knows of 9.
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::create_dir(&data).unwrap();
    copy_into(old.path(), &data);
    image(dir, "6");
    let node = Node::start(dir, "node", &block);
    let found = stands(&data, "outcome", &json!("blocked"));
    assert_eq!(
        (text(&found, "counter"), number(&found, "highest")),
        ("ahead", 6),
        "{found}"
    );
    assert!(
        text(&found, "detail").contains("8 is the highest"),
        "each raise was by one at the least: {found}"
    );
    let status = node.status();
    let roles: Vec<&str> = list(&status, "processes")
        .iter()
        .map(|one| text(one, "role"))
        .collect();
    assert!(!roles.contains(&"io"), "{roles:?}");
    node.stop();
    // A firmware that reaches all that may have run goes on, and says what it met.
    let words = ["--reason", "the update of both"];
    assert_eq!(bound("9", &words), first + 3);
    let met = told(&data).pop().unwrap();
    assert_eq!(
        (text(&met, "counter"), text(&met, "outcome")),
        ("ahead", "raised")
    );
    street.stop();
}

/// The TPM is gone while the node starts: the disk decides, capture begins, and the counter is heard when it is back.
//= A6.4
//= A2.4
#[test]
fn a_tpm_that_is_gone_holds_no_capture_up_and_is_heard_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let mut tpm = Swtpm::new();
    let street = Street::start(dir, 1);
    let block = contract(dir, &street, "rollback = \"block\"");
    keys(dir, &tpm);
    image(dir, "6");
    tpm.cut();
    let node = Node::start(dir, "node", &block);
    node.wait_for("readings", 2);
    assert_eq!(
        text(&told(node.data()).pop().unwrap(), "counter"),
        "unheard"
    );
    tpm.on();
    let data = node.data().to_owned();
    let entry = stands(&data, "kept", &json!("counter"));
    assert_eq!(text(&entry, "counter"), "new");
    node.stop();
    assert_eq!(verdict(&data)["attested"], json!(true));
    // Undefined by the TPM's owner while the node stands: told, and nothing is claimed of a counter any more.
    let public = text(&entry, "public").get(..8).unwrap();
    let gone = tpm.tool("tpm2_nvundefine", &["-C", "o", &format!("0x{public}")]);
    assert!(gone.status.success(), "{gone:?}");
    let node = Node::start(dir, "node", &block);
    node.wait_for("readings", 2);
    let entry = stands(&data, "counter", &json!("gone"));
    assert_eq!(text(&entry, "kept"), "truth_store");
    node.stop();
    // Somebody takes that as it is: a counter is made anew.
    let words = ["--accept-firmware", "--reason", "the TPM was cleared"];
    let node = Node::start_with(dir, "node", &block, &words);
    stands(&data, "kept", &json!("counter"));
    node.stop();
    street.stop();
}

/// Whoever moves the counter beside a node that runs, a copy of it with a newer image or somebody at its socket, is told of when
/// the store is asked next, and what runs is older then.
//= A6.4
//= R8.3
#[test]
fn a_counter_that_moves_while_the_node_runs_is_judged_again() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let tpm = Swtpm::new();
    let street = Street::start(dir, 1);
    let block = contract(dir, &street, "rollback = \"block\"");
    keys(dir, &tpm);
    image(dir, "7");
    let node = Node::start(dir, "node", &block);
    let data = node.data().to_path_buf();
    let bound = wait_until("a version that is bound", LONG, || {
        told(&data).into_iter().find(|one| one["value"].is_u64())
    });
    node.wait_for("readings", 1);
    let socket = data.join("run/signer.sock");
    let signer = ipc::Channel::connect(&socket, Duration::from_secs(5)).unwrap();
    let asked = ipc::message::BindFirmware {
        origin: format!("{ORIGIN}/g1"),
        version: 8,
        above: Some(number(&bound, "value")),
    };
    let answer = signer.ask(&asked.into(), LONG).unwrap();
    assert!(
        matches!(answer, ipc::Message::FirmwareBound(_)),
        "{answer:?}"
    );
    drop(signer);
    // A signer that begins anew is asked what it is.
    let status = node.status();
    let process = list(&status, "processes").iter();
    let pid = process
        .filter(|one| text(one, "role") == "signer")
        .map(|one| one["pid"].as_i64().unwrap())
        .next();
    let pid = pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).unwrap()));
    kill_process(pid.unwrap(), Signal::KILL).unwrap();
    let entry = stands(&data, "outcome", &json!("blocked"));
    assert_eq!(text(&entry, "counter"), "ahead", "{entry}");
    assert_eq!(
        (number(&entry, "attempts"), number(&entry, "blocks")),
        (1, 1)
    );
    wait_until("no capture", LONG, || {
        let status = node.status();
        let mut all = list(&status, "processes").iter();
        all.all(|one| text(one, "role") != "io").then_some(())
    });
    let data = node.stop();
    assert_eq!(told(&data).len(), 4, "told once");
    street.stop();
}
