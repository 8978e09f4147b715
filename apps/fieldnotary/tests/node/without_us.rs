//! `docs/verify-without-us.md`, block after block, on a node whose key is in a TPM; and that it finds a changed byte.

use crate::common::contract::Contract;
use crate::common::damage::copy_into;
use crate::common::sites::{Node, Peer, Street};
use crate::common::{Said, about, done, fieldnotary, number, program, wait_until};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use trial_stores::{Firmware, Swtpm};

const PAGE: &str = include_str!("../../../../docs/verify-without-us.md");
const ORIGIN: &str = "example.org/stranger";
/// All that the page may use beside what a shell has built in.
const TOOLS: &[&str] = &[
    "bash",
    "base64",
    "cat",
    "cut",
    "head",
    "mkdir",
    "sort",
    "tail",
    "openssl",
    "go",
    "tpm2_print",
    "tpm2_checkquote",
    "sha256sum",
];
/// Where it is found: what stands there in place of `...` may be anything.
const ANYTHING: &str = "...";

/// How long an authority may take, the node's start with it.
const LONG: Duration = Duration::from_secs(60);

/// Entries that a ring of eight of the smallest segments cannot hold.
const MORE_THAN_THE_RING: u64 = 1_500;

/// A block of the page, and what it must print.
struct Block {
    on_the_node: bool,
    shell: String,
    printed: String,
}

/// All of them. A block of text tells what the shell before it prints.
fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (place, part) in PAGE.split("```").enumerate() {
        if place % 2 == 0 {
            continue;
        }
        let (kind, body) = part.split_once('\n').unwrap();
        match kind {
            "sh" | "sh node" => blocks.push(Block {
                on_the_node: kind != "sh",
                shell: body.to_owned(),
                printed: String::new(),
            }),
            "text" => blocks.last_mut().unwrap().printed = body.to_owned(),
            other => panic!("a block of {other:?} is neither run nor compared"),
        }
    }
    blocks
}

/// A folder with the tools alone, and Python without what others installed.
fn tools(dir: &Path) -> PathBuf {
    let folder = dir.join("tools");
    std::fs::create_dir(&folder).unwrap();
    for name in TOOLS {
        let found = done(Command::new("sh").args(["-c", &format!("command -v {name}")]));
        symlink(found.out.trim_end(), folder.join(name)).unwrap();
    }
    let which = "import sys; print(sys.executable)";
    let python = done(Command::new("python3").args(["-c", which])).out;
    let script = format!("#!/bin/sh\nexec {} -E -s -S \"$@\"\n", python.trim_end());
    let own = folder.join("python3");
    std::fs::write(&own, script).unwrap();
    let mut executable = Command::new("chmod");
    done(executable.arg("+x").arg(&own));
    folder
}

/// Runs a block in a folder, with nothing of the environment.
fn run(block: &Block, dir: &Path, path: &str) -> Said {
    let mut shell = Command::new("bash");
    shell
        .args(["-euo", "pipefail", "-c", &block.shell])
        .current_dir(dir)
        .env_clear()
        .env("PATH", path)
        .env("LC_ALL", "C.UTF-8");
    shell.output().unwrap().into()
}

/// Whether a line is what the page says.
fn like(line: &str, wanted: &str) -> bool {
    let Some((begin, rest)) = wanted.split_once(ANYTHING) else {
        return line == wanted;
    };
    let Some(mut line) = line.strip_prefix(begin) else {
        return false;
    };
    let parts: Vec<&str> = rest.split(ANYTHING).collect();
    for (place, part) in parts.iter().enumerate() {
        let at = match place + 1 == parts.len() {
            true if part.is_empty() => Some(line.len()),
            true => line.rfind(part).filter(|at| at + part.len() == line.len()),
            false => line.find(part),
        };
        match at {
            // What may be anything is at least something.
            Some(at) if at > 0 => line = &line[at + part.len()..],
            _ => return false,
        }
    }
    line.is_empty()
}

/// Whether a block did and printed what the page says; otherwise why not.
fn held(block: &Block, said: &Said) -> Result<(), String> {
    let lines: Vec<&str> = said.out.lines().collect();
    let wanted: Vec<&str> = block.printed.lines().collect();
    let alike = lines.len() == wanted.len()
        && lines
            .iter()
            .zip(&wanted)
            .all(|(line, want)| like(line, want));
    match said.code == Some(0) && alike {
        true => Ok(()),
        false => Err(format!("{}\nprinted {said:?}", block.shell)),
    }
}

/// Runs what a stranger runs, on a copy; `Err` with the first block that did not hold.
fn as_a_stranger(from: &Path, tools: &Path, harm: impl FnOnce(&Path)) -> Result<(), String> {
    stranger(from, tools, harm, &[])
}

/// The same, where the blocks that run these scripts must end with words, and without a traceback.
fn stranger(
    from: &Path,
    tools: &Path,
    harm: impl FnOnce(&Path),
    nothing_for: &[&str],
) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    copy_into(from, folder.path());
    harm(folder.path());
    let path = tools.to_str().unwrap();
    for block in blocks().iter().filter(|block| !block.on_the_node) {
        let said = run(block, folder.path(), path);
        let mut script = nothing_for.iter();
        match script.any(|name| block.shell.contains(&format!("\npython3 {name}\n"))) {
            true => {
                let words = said.err.trim_end();
                let plain = words.ends_with(": nothing to check") && words.lines().count() == 1;
                assert!(said.code == Some(1) && plain, "{said:?}");
            }
            false => held(block, &said)?,
        }
    }
    Ok(())
}

/// What a stranger is given of a node: the blocks that make the files, run in its folder.
fn given(dir: &Path, folder: &Path, tools: &Path) {
    let own = program("fieldnotary");
    let both = format!("{}:{}", tools.display(), own.parent().unwrap().display());
    symlink(dir.join("node"), folder.join("node")).unwrap();
    for block in blocks().iter().filter(|block| block.on_the_node) {
        held(block, &run(block, folder, &both)).unwrap_or_else(|why| panic!("{why}"));
    }
    std::fs::remove_file(folder.join("node")).unwrap();
}

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
        contract = contract.stamped_by(authority, &root);
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
    let page = blocks();
    let log = page.iter().find(|block| block.shell.contains("> log.py"));
    let said = run(log.unwrap(), copy.path(), tools.to_str().unwrap());
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
    come_round(dir.path(), &["bound.py", "attested.py", "stamped.py"]);
}

//= A6.3
//= A6.4
#[test]
fn the_page_for_strangers_holds_where_the_ring_has_come_round_and_the_key_is_in_a_tpm() {
    let dir = tempfile::tempdir().unwrap();
    let tpm = Swtpm::new();
    key_in(&tpm, dir.path());
    come_round(dir.path(), &["stamped.py"]);
}

#[test]
fn what_is_compared_can_differ() {
    assert!(like("in it: meter a point b", "in it: meter ... point ..."));
    assert!(!like("in it: meter point b", "in it: meter... point ..."));
    assert!(!like("Verified OK ", "Verified OK"));
    assert!(!like("12 of 13", "... of 14"));
}
