//! The page on logs whose keys changed and whose firmware was raised, and on forged ones.

use super::forger::{Forged, Thief};
use super::forgeries::FORGERIES;
use super::page::{block_of, given, says, scripts, stranger, tools};
use super::{ORIGIN, key_in};
use crate::common::contract::Contract;
use crate::common::damage::copy_into;
use crate::common::sites::{Node, Street};
use crate::common::{about, done, fieldnotary, number, program};
use std::path::{Path, PathBuf};
use std::process::Command;
use trial_stores::Swtpm;

/// A node whose keys change and whose firmware does, and what a stranger kept of its first days.
struct Site<'a> {
    dir: &'a Path,
    street: Street,
}

impl Site<'_> {
    fn data(&self) -> PathBuf {
        self.dir.join("node")
    }

    /// The folder of the stranger.
    fn folder(&self) -> PathBuf {
        self.dir.join("stranger")
    }

    /// Runs the node until what it has is sealed, and has it change its keys where a reason is given.
    fn run(&self, version: u32, words: &[&str], rotate: Option<&str>) {
        let contract = Contract::new(ORIGIN, "256KiB", 16).of_firmware(version);
        let node = Node::start_with(self.dir, "node", &self.street.contract(contract), words);
        let grown = || {
            let size = number(&node.status(), "log_size");
            node.wait_for("sealed_size", size + 30);
        };
        grown();
        if let Some(reason) = rotate {
            let mut rotate = Command::new(program("fieldnotary"));
            rotate.args(["keys", "rotate"]).arg(node.data());
            done(rotate.args(["--reason", reason, "--actor", "ada"]));
            grown();
        }
        node.stop();
    }

    /// The stranger keeps the keys of now and the newest checkpoint.
    fn keep(&self) {
        std::fs::create_dir(self.folder()).unwrap();
        let kept = |name: &str| self.folder().join(name);
        std::fs::copy(self.data().join("identity/keys.vkey"), kept("keys.vkey")).unwrap();
        let early = self.dir.join("early");
        let words = ["journal", "export", "--tiles"].map(std::ffi::OsStr::new);
        let (data, out) = (self.data(), "-o".as_ref());
        let places = [data.as_os_str(), out, early.as_os_str()];
        assert_eq!(fieldnotary(words.into_iter().chain(places)).code, Some(0));
        std::fs::copy(early.join("checkpoint"), kept("kept.checkpoint")).unwrap();
    }

    /// Another copy of what holds the keys.
    fn identity(&self, name: &str) -> PathBuf {
        let copy = self.dir.join(name);
        std::fs::create_dir(&copy).unwrap();
        copy_into(&self.data().join("identity"), &copy);
        copy
    }
}

fn site(dir: &Path) -> Site<'_> {
    let street = Street::start(dir, 1);
    Site { dir, street }
}

/// The proof of one entry, where the stranger has no log and the statements of the keys beside it.
fn alone(site: &Site, tools: &Path, changes: usize) {
    let copy = tempfile::tempdir().unwrap();
    let from = |name: &str| site.folder().join(name);
    for name in ["keys.vkey", "reading.tlog-proof", "reading.keys.tlog-proof"] {
        std::fs::copy(from(name), copy.path().join(name)).unwrap();
    }
    scripts(copy.path());
    let without = says(copy.path(), tools, &block_of("proof.py"));
    let words = "proof.checkpoint: not signed with the keys whose it is";
    assert!(
        without.code == Some(1) && without.err.trim_end() == words,
        "{without:?}"
    );
    for number in 1..=changes {
        let name = format!("rotation-{number:03}.note");
        std::fs::copy(
            site.data().join("identity").join(&name),
            copy.path().join(name),
        )
        .unwrap();
    }
    let said = says(copy.path(), tools, &block_of("proof.py"));
    assert!(
        said.code == Some(0) && said.out.ends_with("Verified OK\n"),
        "{said:?}"
    );
}

/// One change, by keys that are files: no counter, no quote, and the keys are followed all the same.
//= A4.7
//= R8.2
#[test]
fn the_page_for_strangers_follows_one_change_of_keys() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path());
    Node::keys(&site.data(), ORIGIN);
    site.run(7, &[], None);
    site.keep();
    site.run(7, &[], Some("yearly"));
    let tools = tools(site.dir);
    given(site.dir, &site.folder(), &tools);
    let nothing_for = ["bound.py", "attested.py", "stamped.py"];
    stranger(&site.folder(), &tools, |_| (), &nothing_for).unwrap_or_else(|why| panic!("{why}"));
    alone(&site, &tools, 1);
    // Keys that nobody stated lead nowhere, and a log by others is none of theirs.
    let strange = tempfile::tempdir().unwrap();
    Node::keys(strange.path(), ORIGIN);
    let theirs = |copy: &Path| {
        let keys = strange.path().join("identity/keys.vkey");
        std::fs::copy(keys, copy.join("keys.vkey")).unwrap();
    };
    let why = stranger(&site.folder(), &tools, theirs, &nothing_for).unwrap_err();
    assert!(
        why.contains("nothing leads from the keys that you kept to those that sign it"),
        "{why}"
    );
}

/// Two changes in a TPM, firmware that is raised between them, and one that goes back; then what a forger makes of it.
//= A4.7
//= A6.1
//= A6.4
//= A6.5
//= R8.2
//= R8.3
#[test]
fn the_page_for_strangers_follows_keys_and_firmware_and_names_what_is_forged_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let tpm = Swtpm::new();
    key_in(&tpm, folder.path());
    let site = site(folder.path());
    site.run(6, &[], None);
    site.keep();
    let retired = site.identity("retired");
    site.run(
        7,
        &["--actor", "ada", "--reason", "the update"],
        Some("yearly"),
    );
    site.run(
        8,
        &["--actor", "ada", "--reason", "the next"],
        Some("and once more"),
    );
    site.run(7, &[], None);
    site.run(
        7,
        &[
            "--accept-firmware",
            "--actor",
            "ada",
            "--reason",
            "8 loses readings",
        ],
        None,
    );
    let verdict = about("verify", &site.data(), &[]);
    assert_eq!(verdict.code, Some(0), "{verdict:?}");
    let tools = tools(site.dir);
    given(site.dir, &site.folder(), &tools);
    stranger(&site.folder(), &tools, |_| (), &["stamped.py"]).unwrap_or_else(|why| panic!("{why}"));
    alone(&site, &tools, 2);
    says_what_ran(&site, &tools);
    // Whoever kept the newest keys is led back.
    let copy = forged_copy(&site);
    std::fs::copy(
        site.data().join("identity/keys.vkey"),
        copy.path().join("keys.vkey"),
    )
    .unwrap();
    let said = says(copy.path(), &tools, "python3 rotated.py");
    assert!(
        said.out.starts_with("the keys changed 2 times; "),
        "{said:?}"
    );
    forge(&site, &retired, &tools);
}

fn says_what_ran(site: &Site, tools: &Path) {
    let copy = forged_copy(site);
    let said = says(copy.path(), tools, "python3 firmware.py");
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(
        lines[0],
        "firmware: 8 is the highest version; 2 attempts to go back, 0 of them blocked"
    );
    assert!(
        lines[1].starts_with("lower ones: 7 where 8 is the highest, observed (entry "),
        "{said:?}"
    );
    assert!(
        lines[1].contains("; 7 where 8 is the highest, accepted by ada (uid "),
        "{said:?}"
    );
    assert!(lines[1].contains("): 8 loses readings (entry "), "{said:?}");
    assert!(lines[2].ends_with(", certified for version 8"), "{said:?}");
}

/// What the stranger has, with the scripts of the page.
fn forged_copy(site: &Site) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_into(&site.folder(), copy.path());
    scripts(copy.path());
    copy
}

/// Each is in a log that is whole and soundly signed by the keys of now, and is found by its script, in words.
fn forge(site: &Site, retired: &Path, tools: &Path) {
    let now = site.identity("now");
    let thieves = [Thief::with(retired, ORIGIN), Thief::with(&now, ORIGIN)];
    let mut signed = number(&about("status", &site.data(), &[]).json(), "log_size");
    for (script, words, work) in FORGERIES {
        let copy = forged_copy(site);
        let tiles = copy.path().join("tiles");
        let mut log = Forged::of(&tiles);
        // No signer contradicts itself: what it signs is larger than all that it signed.
        log.pad_to(signed + 1);
        work(&mut log, &thieves);
        let size = log.head().0;
        log.pad_to(size + 1);
        signed = size + 1;
        log.put(&tiles, &thieves[1].sign(log.head()));
        let whole = says(copy.path(), tools, "python3 log.py tiles/checkpoint");
        assert_eq!(whole.code, Some(0), "{words}: {whole:?}");
        if *script != "rotated.py" {
            let followed = says(copy.path(), tools, "python3 rotated.py");
            assert_eq!(followed.code, Some(0), "{words}: {followed:?}");
        }
        let said = says(copy.path(), tools, &format!("python3 {script}"));
        let told = said.err.trim_end();
        let plain = said.code == Some(1) && told.lines().count() == 1;
        let named = told.starts_with("entry ") && told.ends_with(words);
        assert!(plain && named, "{script} {words}: {said:?}");
    }
    // The newest head itself, by keys that others followed.
    let copy = forged_copy(site);
    let tiles = copy.path().join("tiles");
    let mut log = Forged::of(&tiles);
    log.pad_to(signed + 1);
    log.put(&tiles, &thieves[0].sign(log.head()));
    let said = says(copy.path(), tools, "python3 rotated.py");
    let words = "tiles/checkpoint: signed with keys that others followed: they sign nothing more";
    assert!(
        said.code == Some(1) && said.err.trim_end() == words,
        "{said:?}"
    );
}
