//! A journal of before under keys that changed since: what the log says of them, and whether the told cure ends it.

use crate::common::contract::Contract;
use crate::common::damage::copy_into;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{about, done, list, number, program, text, wait_until};
use crate::rotation::{LONG, ORIGIN, rotate, rotations, sealed};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use trial_stores::Swtpm;

/// Keys of a node, in a TPM where there is one.
fn keys(dir: &Path, tpm: Option<&Swtpm>) -> Vec<String> {
    let Some(tpm) = tpm else {
        return Node::keys(&dir.join("node"), ORIGIN);
    };
    let mut init = Command::new(program("fieldnotary-signer"));
    init.arg("init").arg("--identity");
    init.arg(dir.join("node/identity"))
        .args(["--origin", ORIGIN]);
    init.args(["--backend", "tpm", "--socket"])
        .arg(tpm.socket());
    let said = done(&mut init).out;
    said.lines().map(str::to_owned).collect()
}

fn found(verdict: &Value) -> Vec<(&str, &str)> {
    let all = list(verdict, "findings").iter();
    all.map(|one| (text(one, "kind"), text(one, "words")))
        .collect()
}

/// Whether a collector has two signed heads of a log that contradict each other.
fn has_conflicts(logs: &Path) -> bool {
    let mut logs = std::fs::read_dir(logs).unwrap();
    logs.any(|log| log.unwrap().path().join("conflicts.jsonl").exists())
}

/// Runs a node until the collector has cosigned what it has now.
fn delivered(node: &Node) {
    node.wait_for("cosigned_size", number(&node.status(), "log_size"));
}

//= A6.4
//= R8.2
#[test]
fn a_journal_of_before_under_keys_that_changed_since_verifies_once_it_was_adopted() {
    let tpm = Swtpm::new();
    for tpm in [None, Some(&tpm)] {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let street = Street::start(dir, 1);
        let mut all = keys(dir, tpm);
        let mut collector = Collector::start(dir, &all);
        let contract = Contract::new(ORIGIN, "256KiB", 16).delivered_to(&collector);
        let contract = street.contract(contract);
        let node = Node::start(dir, "node", &contract);
        sealed(&node);
        delivered(&node);
        let data = node.stop();
        let before = tempfile::tempdir().unwrap();
        copy_into(&data.join("journal"), before.path());
        let node = Node::start(dir, "node", &contract);
        // The keys change behind a head that the journal of before has not.
        sealed(&node);
        for reason in ["yearly", "and once more"] {
            all.extend(rotate(node.data(), reason));
            sealed(&node);
        }
        delivered(&node);
        node.stop();
        let journal = data.join("journal");
        std::fs::remove_dir_all(&journal).unwrap();
        std::fs::create_dir(&journal).unwrap();
        copy_into(before.path(), &journal);

        // The keys say what they changed behind, and what was booted: all of it is what the alarm says, in other words.
        let node = Node::start(dir, "node", &contract);
        wait_until("the log to be found cut", LONG, || {
            let told = about("log", node.data(), &["--kind", "rollback"]).entries();
            let cut = |one: &Value| text(one, "alarm") == "truncated_log";
            told.iter().any(cut).then_some(())
        });
        wait_until("the changes of keys and the boot", LONG, || {
            let booted = about("log", node.data(), &["--kind", "attestation"]).entries();
            let done = rotations(node.data()).len() == 2 && booted.len() > 1;
            done.then_some(())
        });
        // Where the log grows beyond what was signed of it, the same holds.
        node.wait_for("log_size", number(&node.status(), "log_size") + 20);
        let data = node.stop();
        for key in &all {
            let said = about("verify", &data, &["--anchor", key]);
            assert_eq!(said.code, Some(1), "{said:?}");
            let verdict = said.json();
            let found = found(&verdict);
            assert!(
                found.iter().all(|(kind, _)| *kind == "rollback"),
                "{found:?}"
            );
            let proof =
                |(_, words): &&(&str, &str)| words.contains("the keys changed behind a head");
            assert_eq!(found.iter().filter(proof).count(), 2, "{found:?}");
        }

        let mut adopt = Command::new(program("fieldnotary"));
        adopt.arg("adopt").arg(&data);
        done(adopt.args(["--cause", "conflict", "--reason", "a test"]));
        let node = Node::start(dir, "node", &contract);
        sealed(&node);
        delivered(&node);
        let data = node.stop();
        let stored = collector.dir().to_owned();
        collector.leave();
        for (place, alarm) in [(&data, "truncated_log"), (&stored, "older_image")] {
            for key in &all {
                let said = about("verify", place, &["--anchor", key]);
                assert_eq!(said.code, Some(0), "{said:?}");
                let verdict = said.json();
                let named = |(kind, words): &(&str, &str)| {
                    *kind == "rollback_followed" && words.contains(alarm)
                };
                assert!(found(&verdict).iter().any(named), "{verdict}");
            }
        }
    }
}

/// What a collector holds is sound; that its node was put back and nobody answered it is no whole log.
//= A6.4
#[test]
fn an_alarm_that_stands_at_a_collector_fails_its_verdict_until_it_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::start(dir, 1);
    let keys = keys(dir, None);
    let collector = Collector::start(dir, &keys);
    let contract = Contract::new(ORIGIN, "256KiB", 16).delivered_to(&collector);
    let contract = street.contract(contract);
    let run = || {
        let node = Node::start(dir, "node", &contract);
        sealed(&node);
        delivered(&node);
        node.stop()
    };
    let data = run();
    let older = tempfile::tempdir().unwrap();
    copy_into(&data, older.path());
    run();
    let newest = tempfile::tempdir().unwrap();
    copy_into(&data, newest.path());
    let put = |image: &Path| {
        std::fs::remove_dir_all(&data).unwrap();
        std::fs::create_dir(&data).unwrap();
        copy_into(image, &data);
    };
    put(older.path());
    let node = Node::start(dir, "node", &contract);
    let status = wait_until("the collector's word", LONG, || {
        let status = node.status();
        (!list(&status, "rollback").is_empty()).then_some(status)
    });
    assert_eq!(text(&status["rollback"][0], "alarm"), "older_image");
    // The mildest cure comes first, on the screen too.
    let mut screen = Command::new(program("fieldnotary"));
    let screen = done(screen.arg("status").arg(node.data())).out;
    let (back, adopt) = (screen.find("Put it back"), screen.find("adopt"));
    assert!(back.is_some() && back < adopt, "{screen}");
    node.stop();
    let said = about("verify", collector.dir(), &["--anchor", &keys[0]]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let verdict = said.json();
    let named = found(&verdict);
    let stands = |(kind, words): &&(&str, &str)| {
        *kind == "rollback" && words.contains("older_image") && words.contains("Put it back")
    };
    assert!(named.iter().any(|one| stands(&one)), "{verdict}");
    assert!(number(&verdict["alarms"], "count") > 0, "{verdict}");
    // Whether the older disk had sealed a head of its own before it heard, which the collector then keeps beside the other.
    let forked = has_conflicts(&collector.dir().join("logs"));
    let by_the_fork = |(_, words): &(&str, &str)| words.contains("by the fork");
    assert_eq!(named.iter().any(by_the_fork), forked, "{verdict}");

    // The newest disk again: the log goes on, which answers it unless two heads contradict each other.
    put(newest.path());
    run();
    let said = about("verify", collector.dir(), &["--anchor", &keys[0]]);
    assert_eq!(said.code, Some(i32::from(forked)), "{said:?}");
    let verdict = said.json();
    let answered = |(kind, words): &(&str, &str)| {
        *kind == "rollback_followed" && words.contains("went on from the newest")
    };
    assert!(forked || found(&verdict).iter().any(answered), "{verdict}");
}
