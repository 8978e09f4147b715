//! A TPM that was cleared in the firmware's set-up: its key is there, its counters are gone, its clock and its resets begin anew.

use crate::common::contract::Contract;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{about, done, number, program, text, wait_until};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use trial_stores::Swtpm;

const ORIGIN: &str = "example.org/cleared";
const LONG: Duration = Duration::from_secs(90);
/// Indexes of a TPM that nothing else was made in, with what their attributes end in.
const PLAIN: (&str, &str) = ("0x1800101", "");
const ORDERLY: (&str, &str) = ("0x1800100", "|orderly");

fn entries(data: &Path, kind: &str) -> Vec<Value> {
    about("log", data, &["--kind", kind]).entries()
}

fn tool(tpm: &Swtpm, program: &str, arguments: &[&str]) {
    let said = tpm.tool(program, arguments);
    assert!(said.status.success(), "{program}: {said:?}");
}

fn reset(tpm: &mut Swtpm) {
    tpm.cut();
    tpm.on();
}

/// As docs/keys.md has it.
fn define(tpm: &Swtpm, (index, orderly): (&str, &str)) {
    let attributes = format!("nt=counter|authwrite|authread|no_da{orderly}");
    let define = [index, "-C", "o", "-s", "8", "-a", &attributes];
    tool(tpm, "tpm2_nvdefine", &define);
    tool(tpm, "tpm2_nvincrement", &[index, "-C", index]);
}

/// Runs the node until something is so, and long enough that what is sealed then is delivered.
fn runs(dir: &Path, contract: &Contract, what: &str, is_so: impl Fn(&Node) -> bool) {
    let node = Node::start(dir, "node", contract);
    wait_until(what, LONG, || is_so(&node).then_some(()));
    let size = number(&node.status(), "log_size");
    node.wait_for("cosigned_size", size + 10);
    node.stop();
}

fn bindings(data: &Path) -> usize {
    entries(data, "binding").len()
}

/// The log has so many alarms of its own, each found at a start, the newest of this counter.
fn tells(data: &Path, counter: &str, alarms: usize) {
    let found = entries(data, "rollback");
    let own = found.iter().filter(|one| text(one, "witness") == "start");
    let own: Vec<&Value> = own.collect();
    assert_eq!(own.len(), alarms, "{found:?}");
    let newest = own[alarms - 1];
    assert_eq!(text(newest, "alarm"), "replaced_counter", "{newest}");
    assert_eq!(text(newest, "counter"), counter, "{newest}");
    if counter == "plain" {
        assert!(
            number(newest, "value") > number(newest, "bound"),
            "{newest}"
        );
    }
}

/// What fails its verdict is what a new generation answers; that the clock went back is told among it, once.
fn fails_by_alarms_alone(place: &Path, key: &str) {
    let said = about("verify", place, &["--anchor", key]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let findings = said.json()["findings"].as_array().unwrap().clone();
    let mut failing = findings.iter().filter(|one| one["failure"] == true);
    let of = |one: &Value| text(one, "kind") == "rollback";
    assert!(failing.all(of), "{findings:?}");
    let words = findings.iter().map(|one| text(one, "words"));
    let clock = words.filter(|words| {
        words.contains("count of resets") && words.contains("as the alarm of entry")
    });
    assert_eq!(clock.count(), 1, "{findings:?}");
}

/// Its keys go on signing, its clock contradicts every binding of before, and the log says so in time: nothing of it fails the
/// log for good.
//= A6.4
//= A6.5
#[test]
fn a_tpm_that_was_cleared_is_told_and_answered_by_a_new_generation() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let data = dir.join("node");
    let mut tpm = Swtpm::new();
    let street = Street::start(dir, 1);
    let mut init = Command::new(program("fieldnotary-signer"));
    init.arg("init")
        .arg("--identity")
        .arg(data.join("identity"));
    init.args(["--origin", ORIGIN, "--backend", "tpm", "--socket"]);
    let keys = done(init.arg(tpm.socket())).out;
    let keys: Vec<String> = keys.lines().map(str::to_owned).collect();
    let collector = Collector::start(dir, &keys);
    let contract = Contract::new(ORIGIN, "256KiB", 16).delivered_to(&collector);
    let contract = street.contract(contract);
    // A machine that was started some times.
    for _ in 0..4 {
        reset(&mut tpm);
    }
    runs(dir, &contract, "bindings", |node| {
        bindings(node.data()) >= 4
    });
    assert_eq!(about("verify", &data, &[]).code, Some(0));

    tool(&tpm, "tpm2_clear", &[]);
    reset(&mut tpm);
    let before = bindings(&data);
    runs(dir, &contract, "a log that says what it lacks", |node| {
        text(&node.status()["seals"], "cause") == "counter_undefined"
    });
    assert_eq!(bindings(&data), before);
    // That alone is no fault of the log.
    let said = about("verify", &data, &["--anchor", &keys[0]]);
    assert_eq!(said.code, Some(0), "{said:?}");

    // One after the other, each above what it was: of the orderly one a TPM may forget what was in memory alone.
    let stored = collector.dir().to_owned();
    for (counter, name, told) in [(PLAIN, "plain", 1), (ORDERLY, "orderly", 2)] {
        define(&tpm, counter);
        let of = |one: &Value| text(one, "counter") == name;
        let count = || {
            entries(&data, "binding")
                .iter()
                .filter(|one| of(one))
                .count()
        };
        let before = count();
        runs(dir, &contract, "a binding to what was defined anew", |_| {
            count() > before
        });
        tells(&data, name, told);
        for place in [&data, &stored] {
            fails_by_alarms_alone(place, &keys[0]);
        }
    }

    let words = [
        "--cause",
        "conflict",
        "--actor",
        "A. Fitter",
        "--reason",
        "cleared",
    ];
    let said = about("adopt", &data, &words);
    assert_eq!(said.code, Some(0), "{said:?}");
    runs(dir, &contract, "bindings of the new generation", |node| {
        bindings(node.data()) >= 2
    });
    for place in [&data, &collector.stop()] {
        let said = about("verify", place, &["--anchor", &keys[0]]);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
}
