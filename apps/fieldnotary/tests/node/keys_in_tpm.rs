//! A node whose key is in a TPM, which is a program: what it binds, what it goes on doing while the TPM is gone,
//! and what an older copy of the TPM's state betrays.

use crate::common::contract::Contract;
use crate::common::damage::copy_into;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{about, done, fieldnotary, number, program, text, wait_until};
use crate::rollback_alone::on_record;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use trial_stores::Swtpm;

const ORIGIN: &str = "example.org/in-tpm";
const LONG: Duration = Duration::from_secs(60);

fn keys(data: &Path, tpm: &Swtpm) -> Vec<String> {
    let mut init = Command::new(program("fieldnotary-signer"));
    init.arg("init")
        .arg("--identity")
        .arg(data.join("identity"));
    init.args(["--origin", ORIGIN, "--backend", "tpm", "--socket"]);
    let said = done(init.arg(tpm.socket()));
    said.out.lines().map(str::to_owned).collect()
}

fn entries(dir: &Path, kind: &str) -> Vec<serde_json::Value> {
    about("log", dir, &["--kind", kind]).entries()
}

/// Waits until the log of a node has so many bindings.
fn bound(data: &Path, at_least: usize) {
    wait_until("checkpoints that are bound", LONG, || {
        (entries(data, "binding").len() >= at_least).then_some(())
    });
}

/// Waits until the log says that the signer is not there.
fn told_unavailable(node: &Node) {
    wait_until("an event", LONG, || {
        let events = entries(node.data(), "event");
        let of = |event: &serde_json::Value| text(event, "code") == "signer_unavailable";
        events.iter().any(of).then_some(())
    });
}

/// Takes the TPM away until the log says so and goes on without seals, then puts it back; gives the size that the log
/// had meanwhile.
fn without(node: &Node, tpm: &mut Swtpm) -> u64 {
    tpm.cut();
    told_unavailable(node);
    let size = number(&node.status(), "log_size") + 20;
    node.wait_for("log_size", size);
    assert!(entries(node.data(), "unsealed").is_empty());
    tpm.on();
    wait_until("an entry about the stretch", LONG, || {
        (!entries(node.data(), "unsealed").is_empty()).then_some(())
    });
    size
}

/// One entry alone says what its keys are in as the log's verdict does; by whose key that was stated is compared.
fn proof_names_the_store(dir: &Path, data: &Path, key: &str) {
    let file = dir.join("one.tlog-proof");
    let mut export = Command::new(program("fieldnotary"));
    export
        .args(["journal", "export", "--proof", "20"])
        .arg(data);
    done(export.arg("-o").arg(&file));
    let said = about("verify", &file, &["--anchor", key]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let told = said.json();
    let whole = about("verify", data, &["--anchor", key]).json();
    assert_eq!(text(&told, "custody"), "tpm-emulated");
    assert_eq!(told["keys"]["hardware"], false, "{told}");
    assert_eq!(
        told["keys"]["key_store"], whole["keys"]["key_store"],
        "{told}"
    );
    let mut screen = Command::new(program("fieldnotary"));
    screen.arg("verify").arg(&file).args(["--anchor", key]);
    let screen = done(&mut screen).out;
    for words in [
        "keys       tpm-emulated: in a TPM 2.0 that is a program",
        "non-exportable, monotonic counter, attestation; it proves nothing of a store whose state is a file",
    ] {
        assert!(screen.contains(words), "{words} in:\n{screen}");
    }
}

//= A6.2
//= A6.4
//= A6.7
#[test]
fn a_node_binds_its_log_and_outlives_its_tpm() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let mut tpm = Swtpm::new();
    let street = Street::start(dir, 2);
    let log_keys = keys(&dir.join("node"), &tpm);
    let collector = Collector::start(dir, &log_keys);
    let contract = Contract::new(ORIGIN, "256KiB", 16).delivered_to(&collector);
    let node = Node::start(dir, "node", &street.contract(contract));
    bound(node.data(), 4);
    let store = entries(node.data(), "key_store").remove(0);
    assert_eq!(text(&store, "custody"), "tpm-emulated");
    assert!(
        store
            .get("window_ns")
            .is_none_or(serde_json::Value::is_null),
        "{store}"
    );

    // Without its TPM it captures, commits and delivers what is sealed; the stretch is an entry.
    let size = without(&node, &mut tpm);
    let unsealed = entries(node.data(), "unsealed").remove(0);
    assert_eq!(text(&unsealed, "cause"), "unavailable");
    assert!(number(&unsealed, "sealed") >= size, "{unsealed}");
    assert!(number(&unsealed, "missed") > 0, "{unsealed}");
    bound(node.data(), entries(node.data(), "binding").len() + 2);
    // Long enough that the last stretch between two seals is a small part of it, on a slow machine too.
    node.wait_for("log_size", 900);
    node.wait_for("cosigned_size", number(&node.status(), "sealed_size"));
    let data = node.stop();
    // What was done with the keys is in the log, by purpose, and sealed.
    let told = entries(&data, "key_use");
    let sum = |purpose: &str| -> u64 {
        let count = |one: &serde_json::Value| one["uses"][purpose].as_u64().unwrap_or(0);
        told.iter().map(count).sum()
    };
    let checkpoints = u64::try_from(entries(&data, "checkpoint").len()).unwrap();
    assert!(sum("checkpoint") + 4 >= 2 * checkpoints, "{told:?}");
    assert!(sum("binding") > 0, "{told:?}");
    let stored = collector.stop();
    // Missed seals, a TPM that was away and came back: nothing of it is a rollback to who reads the bindings alone.
    let recorded = on_record(&stored, &format!("{ORIGIN}/g1"));
    assert!(recorded.is_empty(), "{recorded:?}");

    for place in [&data, &stored] {
        let said = about("verify", place, &["--anchor", &log_keys[0]]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let verdict = said.json();
        let keys = &verdict["keys"];
        assert_eq!(keys["hardware"], false, "{verdict}");
        assert_eq!(keys["key_store"]["non_exportable"], true, "{verdict}");
        let sealed = number(&verdict, "sealed_entries");
        let bound = number(&keys["bound"], "entries");
        assert!(bound * 10 >= sealed * 9, "{verdict}");
        assert!(number(&keys["bound"], "bindings") >= 4, "{verdict}");
        let rollback = serde_json::json!({ "code": "counter_is_a_file", "window_ns": null });
        assert_eq!(keys["rollback"], rollback, "{verdict}");
    }
    proof_names_the_store(dir, &data, &log_keys[0]);
    let mut screen = Command::new(program("fieldnotary"));
    let screen = done(screen.arg("verify").arg(&data)).out;
    for words in [
        "keys       tpm-emulated: in a TPM 2.0 that is a program",
        "it proves nothing of a store whose state is a file",
        "unseen from within where no collector has it: without limit",
    ] {
        assert!(screen.contains(words), "{words} in:\n{screen}");
    }
}

/// Somebody guesses at secrets of the TPM until it takes no more of them. What the signer has in it is not protected by guessing, so that
/// a stranger at the TPM cannot end the seals.
//= A6.2
#[test]
fn a_tpm_that_is_locked_out_makes_keys_and_seals_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let tpm = Swtpm::new();
    let says = |tool: &str, words: &[&str]| {
        let said = tpm.tool(tool, words);
        let words = String::from_utf8_lossy(&said.stderr).into_owned();
        (said.status.success(), words)
    };
    let limits = [
        "--setup-parameters",
        "--max-tries=1",
        "--recovery-time=9999",
    ];
    assert!(says("tpm2_dictionarylockout", &limits).0);
    let secret = [
        "0x1500099",
        "-C",
        "o",
        "-s",
        "8",
        "-p",
        "right",
        "-a",
        "authread|authwrite",
    ];
    let made = says("tpm2_nvdefine", &secret);
    assert!(made.0, "{}", made.1);
    let write = [
        "0x1500099",
        "-C",
        "0x1500099",
        "-P",
        "right",
        "-i",
        "/dev/null",
    ];
    says("tpm2_nvwrite", &write);
    let guess = |secret| {
        says(
            "tpm2_nvread",
            &["0x1500099", "-C", "0x1500099", "-P", secret],
        )
    };
    guess("wrong");
    let locked = guess("right");
    assert!(!locked.0 && locked.1.contains("0x921"), "{}", locked.1);

    let street = Street::start(dir, 1);
    let log_keys = keys(&dir.join("node"), &tpm);
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 16));
    let node = Node::start(dir, "node", &contract);
    bound(node.data(), 3);
    let data = node.stop();
    assert!(!guess("right").0, "it is locked out to the end");
    assert_eq!(entries(&data, "unsealed").len(), 0);
    let said = about("verify", &data, &["--anchor", &log_keys[0]]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

/// Its TPM is gone, the node is stopped, and only the next run has seals again.
//= A6.4
//= A6.7
#[test]
fn a_stretch_without_seals_outlives_the_run_in_which_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let mut tpm = Swtpm::new();
    let street = Street::start(dir, 1);
    keys(&dir.join("node"), &tpm);
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 16));
    let node = Node::start(dir, "node", &contract);
    bound(node.data(), 1);
    let words = node.words();
    assert!(!words.contains("software keys"), "{words}");
    tpm.cut();
    told_unavailable(&node);
    let data = node.stop();
    assert!(entries(&data, "unsealed").is_empty());
    tpm.on();
    let node = Node::start(dir, "node", &contract);
    let unsealed = wait_until("an entry about the stretch", LONG, || {
        entries(node.data(), "unsealed").pop()
    });
    assert_eq!(text(&unsealed, "cause"), "unavailable", "{unsealed}");
    assert!(number(&unsealed, "missed") > 0, "{unsealed}");
    assert!(
        number(&unsealed, "sealed_before") < number(&unsealed, "sealed"),
        "{unsealed}"
    );
    let data = node.stop();
    // The stretch begins with the last seal of the run before, and whoever reads the log sees since when.
    let sealed_before = number(&unsealed, "sealed_before");
    let before = entries(&data, "checkpoint");
    let before = before
        .iter()
        .find(|one| number(one, "size") == sealed_before);
    let sealed_utc = text(before.unwrap(), "timestamp");
    assert_eq!(text(&unsealed, "sealed_utc"), sealed_utc, "{unsealed}");
    let said = fieldnotary(["log", data.to_str().unwrap(), "--kind", "unsealed"]);
    let since = sealed_utc.split_once('.').unwrap().0;
    let shown = format!("no seals since {since}");
    assert!(said.out.contains(&shown), "{said:?}");
}

//= A6.4
#[test]
fn an_older_copy_of_the_tpm_is_found_by_its_counters() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let mut tpm = Swtpm::new();
    let street = Street::start(dir, 1);
    keys(&dir.join("node"), &tpm);
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 16));
    let grown = |more: usize| {
        let node = Node::start(dir, "node", &contract);
        bound(node.data(), entries(node.data(), "binding").len() + more);
        node.stop()
    };
    let data = grown(2);
    tpm.cut();
    let copy = tempfile::tempdir().unwrap();
    copy_into(&tpm.state(), copy.path());
    tpm.on();
    grown(3);
    // Somebody puts the older state back: the counters and the count of resets are what they were.
    tpm.cut();
    std::fs::remove_dir_all(tpm.state()).unwrap();
    std::fs::create_dir(tpm.state()).unwrap();
    copy_into(copy.path(), &tpm.state());
    tpm.on();
    assert_eq!(about("verify", &data, &[]).code, Some(0));
    grown(1);
    let said = about("verify", &data, &[]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let verdict = said.json();
    let findings = verdict["findings"].as_array().unwrap();
    let words: Vec<&str> = findings.iter().map(|one| text(one, "words")).collect();
    let of_counter = |one: &serde_json::Value| ["binding", "rollback"].contains(&text(one, "kind"));
    assert!(findings.iter().all(of_counter), "{words:?}");
    let betrayed = |word: &&str| word.contains("counter went from") || word.contains("older copy");
    assert!(words.iter().any(betrayed), "{words:?}");
}
