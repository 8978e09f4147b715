//! `docs/verify-without-us.md`, block after block, on a node whose key is in a TPM; and that it finds a changed byte.

use crate::common::contract::Contract;
use crate::common::damage::copy_into;
use crate::common::sites::{Node, Peer, Street};
use crate::common::{about, done, fieldnotary, number, program, wait_until};
use page::{as_a_stranger, given, says, stranger, tools};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use trial_stores::{Firmware, Swtpm};

mod forger;
mod forgeries;
mod page;
mod turned;

const ORIGIN: &str = "example.org/stranger";
/// How long an authority may take, the node's start with it.
const LONG: Duration = Duration::from_secs(60);

/// Entries that a ring of eight of the smallest segments cannot hold.
const MORE_THAN_THE_RING: u64 = 1_500;

/// Makes the identity of a node whose authority's key is in a TPM.
fn key_in(tpm: &Swtpm, dir: &Path) {
    let (firmware, measured) = (Firmware::of_a_machine("1.42"), dir.join("measured"));
    firmware.start(tpm);
    std::fs::write(&measured, firmware.log()).unwrap();
    let mut init = Command::new(program("fieldnotary-signer"));
    init.arg("init")
        .arg("--identity")
        .arg(dir.join("node/identity"));
    init.args(["--origin", ORIGIN, "--backend", "tpm", "--socket"]);
    done(init.arg(tpm.socket()).arg("--event-log").arg(&measured));
}

/// A node with some days of log, and what a stranger kept of it, in a folder; the node's directory is beside it. The
/// checkpoint is kept after so many entries, and so many follow.
fn made(dir: &Path, ring: (&str, usize), entries: [u64; 2], authority: Option<&Peer>) -> PathBuf {
    let street = Street::start(dir, 2);
    let mut contract = street.contract(Contract::new(ORIGIN, ring.0, ring.1));
    let folder = dir.join("stranger");
    std::fs::create_dir(&folder).unwrap();
    if let Some(authority) = authority {
        let root = dir.join("peer/authority.pem");
        std::fs::copy(&root, folder.join("tsa.pem")).unwrap();
        contract = contract.stamped_by(authority, &root).of_firmware(7);
        let node = Node::start(dir, "node", &contract);
        wait_until("a timestamp", LONG, || {
            let told = about("log", node.data(), &["--kind", "timestamp"]).entries();
            (!told.is_empty()).then_some(())
        });
        node.stop();
    }
    let data = Node::grow(dir, "node", &contract, entries[0]);
    std::fs::copy(data.join("identity/keys.vkey"), folder.join("keys.vkey")).unwrap();
    let early = dir.join("early");
    let words = ["journal", "export", "--tiles"].map(std::ffi::OsStr::new);
    let places = [data.as_os_str(), "-o".as_ref(), early.as_os_str()];
    assert_eq!(fieldnotary(words.into_iter().chain(places)).code, Some(0));
    std::fs::copy(early.join("checkpoint"), folder.join("kept.checkpoint")).unwrap();
    let data = Node::grow(dir, "node", &contract, entries[1]);
    assert_eq!(about("verify", &data, &[]).code, Some(0));
    folder
}

/// Changes one byte of a file, where a text stands.
fn change(file: &Path, at: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes[at] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

//= A1.3
//= A4.7
//= A6.3
//= A6.4
//= A6.5
#[test]
fn the_page_for_strangers_does_what_it_says_and_finds_a_changed_byte() {
    let dir = tempfile::tempdir().unwrap();
    let tpm = Swtpm::new();
    key_in(&tpm, dir.path());
    let authority = Peer::of(dir.path(), "tsa.py", &[]);
    let folder = made(dir.path(), ("256KiB", 16), [150, 250], Some(&authority));
    let tools = tools(dir.path());
    given(dir.path(), &folder, &tools);
    as_a_stranger(&folder, &tools, |_| ()).unwrap_or_else(|why| panic!("{why}"));

    let size = number(
        &about("status", &dir.path().join("node"), &[]).json(),
        "sealed_size",
    );
    assert!(size > 256, "one bundle is full");
    let length = |name: &str| usize::try_from(std::fs::metadata(folder.join(name)).unwrap().len());
    let half = |name: &str| length(name).unwrap() / 2;
    let second_line = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        text.find('\n').unwrap() + 1
    };
    // Within a line: the last digit of base64 has bits that mean nothing.
    let half_line = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        text[..text.len() / 2].rfind('\n').unwrap() + 5
    };
    let last = |name: &str| length(name).unwrap() - 10;
    let bundle = "tiles/tile/entries/000";
    for (name, at) in [
        ("tiles/checkpoint", 3),
        ("tiles/checkpoint", second_line("tiles/checkpoint")),
        ("tiles/checkpoint", last("tiles/checkpoint")),
        ("kept.checkpoint", second_line("kept.checkpoint")),
        ("keys.vkey", second_line("keys.vkey") - 10),
        (bundle, 5),
        (bundle, half(bundle)),
        ("reading.tlog-proof", 40),
        ("reading.tlog-proof", half_line("reading.tlog-proof")),
    ] {
        let why = as_a_stranger(&folder, &tools, |copy| change(&copy.join(name), at));
        assert!(
            why.is_err(),
            "byte {at} of {name} was changed, and nobody saw it"
        );
    }
    // An older log, soundly signed, does not pass for the one that was kept; nor does one of another origin.
    let rolled_back = as_a_stranger(&folder, &tools, |copy| {
        std::fs::remove_dir_all(copy.join("tiles")).unwrap();
        std::fs::create_dir(copy.join("tiles")).unwrap();
        copy_into(&dir.path().join("early"), &copy.join("tiles"));
        std::fs::copy(
            folder.join("tiles/checkpoint"),
            copy.join("kept.checkpoint"),
        )
        .unwrap();
    });
    assert!(rolled_back.is_err_and(|why| why.contains("NOT the log that was signed")));
}

/// The page on a log whose ring has come round, so that its beginning is a hole.
fn come_round(dir: &Path, nothing_for: &[&str]) {
    let folder = made(dir, ("64KiB", 8), [MORE_THAN_THE_RING, 100], None);
    let tools = tools(dir);
    given(dir, &folder, &tools);
    let holes = std::fs::read_to_string(folder.join("tiles/holes.json")).unwrap();
    assert!(holes.contains("\"hashes\":[\""), "{holes}");
    stranger(&folder, &tools, |_| (), nothing_for).unwrap_or_else(|why| panic!("{why}"));
    // A changed hash of what is gone is seen as a changed entry is.
    let at = holes.find("\"hashes\":[\"").unwrap() + 20;
    let harm = |copy: &Path| change(&copy.join("tiles/holes.json"), at);
    assert!(stranger(&folder, &tools, harm, nothing_for).is_err());
    // A checkpoint of a time that lies inside the hole says nothing any more, in words.
    let size = number(&about("status", &dir.join("node"), &[]).json(), "log_size");
    let early = |copy: &Path| {
        let text = std::fs::read_to_string(copy.join("kept.checkpoint")).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].parse::<u64>().unwrap() < size);
        lines[1] = "3";
        std::fs::write(copy.join("kept.checkpoint"), lines.join("\n")).unwrap();
    };
    let copy = tempfile::tempdir().unwrap();
    copy_into(&folder, copy.path());
    early(copy.path());
    let said = says(copy.path(), &tools, &page::block_of("log.py"));
    let words = "entries on both sides of 3 are gone together: keep a newer checkpoint";
    assert!(
        said.code == Some(1) && said.err.trim_end() == words,
        "{said:?}"
    );
}

//= A1.3
//= A4.7
#[test]
fn the_page_for_strangers_holds_where_the_ring_has_come_round_and_the_keys_are_files() {
    let dir = tempfile::tempdir().unwrap();
    Node::keys(&dir.path().join("node"), ORIGIN);
    come_round(
        dir.path(),
        &["bound.py", "attested.py", "firmware.py", "stamped.py"],
    );
}

//= A6.3
//= A6.4
#[test]
fn the_page_for_strangers_holds_where_the_ring_has_come_round_and_the_key_is_in_a_tpm() {
    let dir = tempfile::tempdir().unwrap();
    let tpm = Swtpm::new();
    key_in(&tpm, dir.path());
    come_round(dir.path(), &["firmware.py", "stamped.py"]);
}
