//! Whole nodes over each kind of truth store: with one flush a commit, and on a device of its own.

use crate::common::blows::{running, signal};
use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{Said, about, fieldnotary, list, number, text};
use rustix::process::Signal;
use std::path::{Path, PathBuf};

const ORIGIN: &str = "example.org/truth";
/// What an FRAM of 256 KiB holds before anybody wrote to it.
static NEW_MEMORY: [u8; 256 << 10] = [0xA5; 256 << 10];
/// Bytes of a truth store.
const STORE_BYTES: usize = 147_456;

fn site(dir: &Path, storage: &str) -> (Street, Contract) {
    let street = Street::start(dir, 2);
    let contract = street.contract(Contract::new(ORIGIN, "128KiB", 4));
    let lines = format!("block = 4096\n{storage}");
    let text = contract.toml().replacen("block = 4096", &lines, 1);
    (street, Contract::of(text))
}

/// A file in memory in the place of an FRAM that nobody has written to, and the folder that goes with it.
fn fram() -> (tempfile::TempDir, PathBuf) {
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let device = memory.path().join("fram");
    std::fs::write(&device, NEW_MEMORY.as_slice()).unwrap();
    (memory, device)
}

/// The lines of a configuration that keep the truth store there.
fn on(device: &Path) -> String {
    let device = device.display();
    format!("truth = \"independent\"\ntruth_device = \"{device}\"")
}

fn says(said: &Said, code: i32, words: &[&str]) {
    let all = format!("{}{}", said.out, said.err);
    assert_eq!(said.code, Some(code), "{said:?}");
    for word in words {
        assert!(all.contains(word), "{word:?} is missing: {said:?}");
    }
}

//= A5.9
#[test]
fn a_deferred_truth_store_names_its_doubt_after_a_crash_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (_street, contract) = site(dir.path(), "truth = \"same-device-deferred\"");
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("readings", 40);
    let data = dir.path().join("node");
    let before = number(&node.status(), "log_size");
    signal(running(&data, "recorder"), Signal::KILL);
    node.wait_for("readings", 80);
    node.stop();
    let verified = about("verify", &data, &[]);
    says(&verified, 0, &["same-device-deferred"]);
    let epochs = about("log", &data, &["--kind", "epoch"]);
    assert!(epochs.json_lines().len() >= 2, "{epochs:?}");
    // What a crash leaves of a deferred store is no older store that somebody put there.
    let events = about("log", &data, &["--kind", "event"]);
    assert!(!events.out.contains("truth_store_old"), "{events:?}");
    let size = number(&about("status", &data, &[]).json(), "log_size");
    assert!(size > before, "{size} entries after {before}");
}

/// What `check` says of a device: alone, for another log, and for the log whose store it holds.
fn looked_at(config: &Path, device: &Path, other: &Path, data: &Path) {
    let held = std::fs::read(device).unwrap();
    let plain = [config.as_os_str()];
    let with_data = [config.as_os_str(), "--data".as_ref(), other.as_os_str()];
    let look = |words: &[&std::ffi::OsStr]| {
        fieldnotary(std::iter::once("check".as_ref()).chain(words.iter().copied()))
    };
    says(
        &look(&plain),
        0,
        &["warning:", "holds the truth store of log ", "--data DIR"],
    );
    says(
        &look(&with_data),
        1,
        &["holds the truth store of another log", "dd if=/dev/zero"],
    );
    let own = [config.as_os_str(), "--data".as_ref(), data.as_os_str()];
    says(&look(&own), 0, &["sound"]);
    let mut newer = held.clone();
    for at in (0..STORE_BYTES).step_by(4_096) {
        if newer[at..].starts_with(b"FNTRUTH1") {
            newer[at + 8..at + 10].copy_from_slice(&[0, 2]);
        }
    }
    let strange: Vec<u8> = (0..=255).cycle().take(NEW_MEMORY.len()).collect();
    for (bytes, code, words) in [
        (&newer, [1, 1, 1], ["a newer version wrote"; 3]),
        (
            &strange,
            [0, 1, 0],
            ["is not blank", "is not blank", "sound"],
        ),
    ] {
        std::fs::write(device, bytes).unwrap();
        for ((said, code), word) in [&plain[..], &with_data, &own]
            .map(look)
            .iter()
            .zip(code)
            .zip(words)
        {
            says(said, code, &[word]);
        }
    }
    std::fs::write(device, &held).unwrap();
}

//= A5.3
//= A5.9
#[test]
fn an_fram_holds_the_truth_store_of_one_log_after_another_generation() {
    let dir = tempfile::tempdir().unwrap();
    let (_memory, device) = fram();
    let (_street, contract) = site(dir.path(), &on(&device));
    let data = Node::grow(dir.path(), "node", &contract, 20);
    says(&about("verify", &data, &[]), 0, &["independent"]);
    assert!(!data.join("journal/g000001/truth.fnt").exists());
    let held = std::fs::read(&device).unwrap();
    assert_eq!(held.len(), NEW_MEMORY.len());
    assert!(held[..8].starts_with(b"FNTRUTH1"));
    assert!(
        held[STORE_BYTES..].iter().all(|byte| *byte == 0xA5),
        "what lies behind is not ours"
    );

    // Another log does not take the device.
    let config = dir.path().join("other.toml");
    std::fs::write(&config, contract.toml()).unwrap();
    let other = dir.path().join("other");
    let words = [
        "run".as_ref(),
        config.as_os_str(),
        "--data".as_ref(),
        other.as_os_str(),
    ];
    says(&fieldnotary(words), 3, &["another log", "dd if=/dev/zero"]);
    assert!(
        held == std::fs::read(&device).unwrap(),
        "nothing was written over"
    );

    // Nor is it found only when the other node starts.
    looked_at(&config, &device, &other, &data);

    // A generation takes it from the one before, which stays readable.
    let words = [
        "--cause",
        "restored",
        "--actor",
        "A. Fitter",
        "--reason",
        "test",
    ];
    says(&about("adopt", &data, &words), 0, &[]);
    let frozen = std::fs::read(data.join("journal/g000001/truth.fnt")).unwrap();
    assert!(frozen == held[..STORE_BYTES]);
    let data = Node::grow(dir.path(), "node", &contract, 20);
    says(&about("verify", &data, &[]), 0, &["independent"]);
    assert!(!data.join("journal/g000002/truth.fnt").exists());
}

/// What was set aside for a generation that never began is put back before the log goes on.
//= A5.9
#[test]
fn a_truth_store_set_aside_in_vain_returns_to_its_device() {
    let dir = tempfile::tempdir().unwrap();
    let (_memory, device) = fram();
    let (_street, contract) = site(dir.path(), &on(&device));
    let data = Node::grow(dir.path(), "node", &contract, 20);
    let held = std::fs::read(&device).unwrap();
    let aside = data.join("journal/g000001/truth.fnt");
    std::fs::write(&aside, &held[..STORE_BYTES]).unwrap();
    std::fs::write(&device, vec![0; NEW_MEMORY.len()]).unwrap();
    says(&about("verify", &data, &[]), 0, &["independent"]);
    let data = Node::grow(dir.path(), "node", &contract, 20);
    assert!(!aside.exists());
    says(&about("verify", &data, &[]), 0, &["independent"]);
    assert!(std::fs::read(&device).unwrap().starts_with(b"FNTRUTH1"));
}

/// The findings of fsck that are failures: file, words and cure.
fn failures(data: &Path) -> Vec<(String, String, String)> {
    let said = fieldnotary(["journal", "fsck", "--json", data.to_str().unwrap()]);
    let report = said.json()["journals"][0].clone();
    let found = list(&report, "findings").iter();
    let bad = found.filter(|one| one["failure"] == true);
    let part = |one: &serde_json::Value, name| text(one, name).to_owned();
    bad.map(|one| (part(one, "file"), part(one, "words"), part(one, "cure")))
        .collect()
}

/// Does what the last line of a cure says.
fn done(cure: &str) {
    let command = cure.lines().last().unwrap().trim();
    let done = std::process::Command::new("sh")
        .args(["-c", command])
        .status()
        .unwrap();
    assert!(done.success(), "{command}");
}

/// Without `ring.json` the configuration in the log tells where the truth store lies: it is read there, and the
/// file that the cure writes names it.
//= A5.4
//= A5.9
#[test]
fn the_cure_for_a_lost_ring_json_finds_the_truth_store_wherever_it_lies() {
    let (medium, device) = fram();
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    let in_dir = elsewhere.path().display();
    for storage in [
        on(&device),
        format!("truth = \"independent\"\ntruth_dir = \"{in_dir}\""),
        "truth = \"same-device-deferred\"".to_owned(),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (_street, contract) = site(dir.path(), &storage);
        let data = Node::grow(dir.path(), "node", &contract, 20);
        let size = number(&about("status", &data, &[]).json(), "log_size");
        let file = data.join("journal/g000001/ring.json");
        let made = std::fs::read_to_string(&file).unwrap();
        for broken in ["", "{\"hello\": \"world\"}\n"] {
            std::fs::write(&file, broken).unwrap();
            for verb in ["log", "gaps"] {
                says(&about(verb, &data, &[]), 0, &["ring.json"]);
            }
            let (class, _) = storage.split_once('\n').unwrap_or((&storage, ""));
            let class = class.rsplit(' ').next().unwrap().trim_matches('"');
            says(&about("verify", &data, &[]), 1, &["ring.json", class]);
            let found = failures(&data);
            let [(of, _, cure)] = &found[..] else {
                panic!("{storage}: {found:?}");
            };
            assert_eq!(of, "ring.json");
            done(cure);
            let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            let written = std::fs::read_to_string(&file).unwrap();
            assert_eq!(json(&written), json(&made), "{storage}");
        }
        Node::grow(dir.path(), "node", &contract, 5);
        says(&about("verify", &data, &[]), 0, &["\"ok\":true"]);
        assert!(number(&about("status", &data, &[]).json(), "log_size") > size);
    }
    drop(medium);
}

/// The device of the truth store is gone: no node starts, everything that reads does, and nothing tells anybody to
/// make a blank store in its place. When it comes back nothing is lost.
//= A5.4
//= A5.9
#[test]
fn a_log_whose_truth_device_is_gone_is_read_and_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let (_memory, device) = fram();
    let (_street, contract) = site(dir.path(), &on(&device));
    let data = Node::grow(dir.path(), "node", &contract, 20);
    let size = number(&about("status", &data, &[]).json(), "log_size");
    let moved = device.with_extension("moved");
    std::fs::rename(&device, &moved).unwrap();
    let name = device.to_str().unwrap();
    let before = std::fs::read(data.join("journal/g000001/seg-0000.fnj")).unwrap();
    let config = dir.path().join("node.toml");
    let words = [
        "run".as_ref(),
        config.as_os_str(),
        "--data".as_ref(),
        data.as_os_str(),
    ];
    says(
        &fieldnotary(words),
        3,
        &[name, "bring the device of this log back"],
    );
    for verb in ["log", "gaps"] {
        let said = about(verb, &data, &[]);
        says(
            &said,
            1,
            &[name, "missing", "is not certain", "journal fsck"],
        );
    }
    for verb in ["verify", "status"] {
        let said = about(verb, &data, &[]);
        says(&said, 1, &[name, "bring the device of this log back"]);
    }
    assert_eq!(
        number(&about("status", &data, &[]).json(), "log_size"),
        size
    );
    let tiles = dir.path().join("tiles");
    let words = ["--tiles", "-o", tiles.to_str().unwrap()];
    let export = ["journal", "export", data.to_str().unwrap()];
    says(&fieldnotary(export.iter().chain(&words)), 1, &[name]);
    let found = failures(&data);
    let [(of, _, cure)] = &found[..] else {
        panic!("{found:?}");
    };
    assert!(of == name && cure.contains("bring the device"), "{found:?}");
    assert!(!cure.contains("/dev/zero"), "{cure}");
    assert!(!device.exists());
    assert!(before == std::fs::read(data.join("journal/g000001/seg-0000.fnj")).unwrap());
    std::fs::rename(&moved, &device).unwrap();
    Node::grow(dir.path(), "node", &contract, 5);
    says(&about("verify", &data, &[]), 0, &["\"ok\":true"]);
    let epochs = about("log", &data, &["--kind", "epoch"]);
    assert!(!epochs.out.contains("truth_lost"), "{epochs:?}");
}

/// The same of a directory: its medium may only not be mounted.
//= A5.4
//= A5.9
#[test]
fn a_log_whose_truth_directory_is_gone_is_read_and_asks_for_its_medium() {
    let dir = tempfile::tempdir().unwrap();
    let medium = tempfile::tempdir_in("/dev/shm").unwrap();
    let place = medium.path().join("truth");
    std::fs::create_dir(&place).unwrap();
    let shown = place.to_str().unwrap();
    let storage = format!("truth = \"independent\"\ntruth_dir = \"{shown}\"");
    let (_street, contract) = site(dir.path(), &storage);
    let data = Node::grow(dir.path(), "node", &contract, 20);
    let size = number(&about("status", &data, &[]).json(), "log_size");
    let moved = place.with_extension("moved");
    std::fs::rename(&place, &moved).unwrap();
    let config = dir.path().join("node.toml");
    let words = [
        "run".as_ref(),
        config.as_os_str(),
        "--data".as_ref(),
        data.as_os_str(),
    ];
    says(&fieldnotary(words), 3, &[shown, "mount the medium"]);
    for verb in ["log", "gaps"] {
        says(&about(verb, &data, &[]), 1, &[shown, "is not certain"]);
    }
    says(
        &about("verify", &data, &[]),
        1,
        &[shown, "is mounted there"],
    );
    let status = about("status", &data, &[]);
    says(&status, 1, &[shown, "is mounted there"]);
    assert_eq!(number(&status.json(), "log_size"), size);
    // Where it is not mounted the command makes nothing.
    let [(_, _, cure)] = &failures(&data)[..] else {
        panic!("one thing is wrong");
    };
    let command = cure.lines().last().unwrap().trim();
    let mut tried = std::process::Command::new("sh");
    tried.args(["-c", command]);
    assert!(!tried.status().unwrap().success() && !place.exists());
    std::fs::rename(&moved, &place).unwrap();
    Node::grow(dir.path(), "node", &contract, 5);
    says(&about("verify", &data, &[]), 0, &["\"ok\":true"]);
}
