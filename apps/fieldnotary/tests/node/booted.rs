//! What was booted, in the log of a node: on a machine that was measured, on one that was not, and with a TPM that is gone.

use crate::answered::{self, Given};
use crate::common::contract::Contract;
use crate::common::damage::Copy;
use crate::common::sites::{Node, Street};
use crate::common::{about, done, fieldnotary, program, text, wait_until};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use trial_stores::{Firmware, Swtpm};

const ORIGIN: &str = "example.org/booted";
const LONG: Duration = Duration::from_secs(60);

fn entries(dir: &Path, kind: &str) -> Vec<Value> {
    about("log", dir, &["--kind", kind]).entries()
}

/// Keys in a TPM into which a machine measures; gives where its event log is.
fn keys(dir: &Path, tpm: &Swtpm) -> PathBuf {
    let log = dir.join("measurements");
    let mut init = Command::new(program("fieldnotary-signer"));
    init.arg("init")
        .arg("--identity")
        .arg(dir.join("node/identity"));
    init.args(["--origin", ORIGIN, "--backend", "tpm", "--socket"]);
    done(init.arg(tpm.socket()).arg("--event-log").arg(&log));
    log
}

/// The newest boot of a node that runs, once it is in this state.
fn booted(node: &Node, state: &str) -> Value {
    wait_until("a boot", LONG, || {
        let last = entries(node.data(), "boot").pop()?;
        (text(&last, "state") == state).then_some(last)
    })
}

fn verdict(data: &Path) -> Value {
    let said = about("verify", data, &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    said.json()["boot"].clone()
}

/// A number of somebody is answered; openssl and tpm2-tools verify what is written down.
fn answers(node: &Node, dir: &Path) {
    let (nonce, to) = ("00112233445566778899aabbccddeeff", dir.join("answer"));
    let words = [
        "--nonce",
        nonce,
        "--actor",
        "auditor",
        "--to",
        to.to_str().unwrap(),
    ];
    let said = about("attest", node.data(), &words);
    assert_eq!(said.code, Some(0), "{said:?}");
    let id = text(&said.json(), "attestation_id").to_owned();
    let told = entries(node.data(), "attestation").pop().unwrap();
    assert_eq!(
        (text(&told, "id"), text(&told, "of")),
        (id.as_str(), "asked")
    );
    assert_eq!(text(&told, "nonce"), nonce);
    assert!(text(&told, "actor").starts_with("auditor (uid "), "{told}");
    let vkeys = std::fs::read_to_string(node.data().join("identity/keys.vkey")).unwrap();
    std::fs::write(to.join("keys.vkey"), vkeys).unwrap();
    let page = include_str!("../../../../docs/boot.md");
    let shell = page
        .split("```sh\n")
        .nth(1)
        .and_then(|part| part.split("```").next());
    let checked = |nonce: &str| {
        let mut bash = Command::new("bash");
        bash.args(["-euc", shell.unwrap()]).current_dir(&to);
        bash.env("nonce", nonce).output().unwrap()
    };
    let fresh = checked(nonce);
    assert!(fresh.status.success(), "{fresh:?}");
    assert!(fresh.stdout.ends_with(b"fresh\n"), "{fresh:?}");
    // An answer to another number is none to this.
    assert!(!checked("ff112233445566778899aabbccddeeff").status.success());
    ours(node, dir, &to, nonce);
    // What is too short to be no guess, and a directory that is there, are refused.
    let short = about("attest", node.data(), &["--nonce", "00ff"]);
    assert_eq!(short.code, Some(2), "{short:?}");
    let again = about("attest", node.data(), &words);
    assert_eq!(again.code, Some(3), "{again:?}");
}

/// The same by `fieldnotary verify`, beside an answer of the same node to another number.
fn ours(node: &Node, dir: &Path, answer: &Path, nonce: &str) {
    let plain = Copy::of(answer);
    std::fs::remove_file(plain.path().join("keys.vkey")).unwrap();
    for made in ["authority.der", "authority.pem"] {
        std::fs::remove_file(plain.path().join(made)).unwrap();
    }
    let other = dir.join("other-answer");
    let said = answered::asked(node, "ff112233445566778899aabbccddeeff", &other);
    assert_eq!(said.code, Some(0), "{said:?}");
    let keys = std::fs::read_to_string(node.data().join("identity/keys.vkey")).unwrap();
    let keys: Vec<String> = keys.lines().map(str::to_owned).collect();
    let keys = <[String; 2]>::try_from(keys).unwrap();
    let given = Given {
        answer: plain.path(),
        nonce,
        other: &other,
        keys: &keys,
    };
    given.judged();
    let strange = Node::keys(&dir.join("strange"), "example.org/other");
    answered::of_another_log(plain.path(), nonce, &strange[0], node.data());
}

/// One of the counters.
fn counter_of(status: &Value, name: &str) -> Value {
    let all = status["counters"].as_array().unwrap();
    all.iter().find(|one| one["name"] == name).unwrap().clone()
}

/// The newest attestation is the one that is counted under its id, and each checkpoint of the run is a batch that was signed.
fn signatures_are_counted(node: &Node) {
    let newest = entries(node.data(), "attestation").pop().unwrap();
    let attested = counter_of(&node.status(), "attestation_id");
    assert_eq!(attested["label"], newest["id"]);
    let first = text(&newest, "id").get(..16).unwrap();
    let first = u64::from_str_radix(first, 16).unwrap();
    assert_eq!(attested["value"], first);
    let checkpoints = || entries(node.data(), "checkpoint").len() as u64;
    let signed = || counter_of(&node.status(), "batch_hash_signed_cnt")["value"].clone();
    let before = signed().as_u64().unwrap();
    assert!(before > 0);
    let more = wait_until("another seal", LONG, || {
        let signed = signed().as_u64()?;
        (signed > before).then_some(signed)
    });
    wait_until("each in the log", LONG, || {
        (checkpoints() >= more).then_some(())
    });
    let (held, signed) = (checkpoints(), signed().as_u64().unwrap());
    assert!(held <= signed, "and no other: {held}, {signed}");
}

//= A6.3
//= A6.5
//= A6.6
//= R8.1
#[test]
fn a_measured_boot_is_in_the_log_with_its_stages_and_is_attested() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let mut tpm = Swtpm::new();
    let street = Street::start(dir, 1);
    let log = keys(dir, &tpm);
    let firmware = Firmware::of_a_machine("1.42");
    std::fs::write(&log, firmware.log()).unwrap();
    firmware.start(&tpm);
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 16));
    let node = Node::start(dir, "node", &contract);
    let boot = booted(&node, "replayed");
    assert_eq!(text(&boot, "secure_boot"), "on");
    let stages = boot["stages"].as_array().unwrap();
    let told: Vec<(&str, &str)> = stages
        .iter()
        .map(|one| (text(one, "stage"), text(one, "result")))
        .collect();
    assert_eq!(
        told,
        [
            ("rom", "measured"),
            ("firmware", "measured"),
            ("loader", "verified"),
            ("system", "measured")
        ]
    );
    assert_eq!(text(&stages[0], "version"), "1.42");
    let status = node.status();
    assert_eq!(status["boot"]["found"]["state"], "replayed", "{status}");
    let id = text(&boot, "measurement_id").to_owned();
    let counters = status["counters"].as_array().unwrap();
    let counter =
        |name: &str| counters.iter().find(|one| one["name"] == name).unwrap()["label"].clone();
    assert_eq!(counter("boot_measurement_id"), id.as_str());
    assert_eq!(counter("secure_boot_status"), "on");
    answers(&node, dir);
    let running = node.status();
    signatures_are_counted(&node);
    let data = node.stop();
    // Its files alone say the same.
    let files = about("status", &data, &[]).json();
    assert_eq!(files["boot"], running["boot"]);
    assert_eq!(
        (text(&files, "custody"), &files["rollback"]),
        ("tpm-emulated", &serde_json::json!([]))
    );
    let said = verdict(&data);
    assert_eq!(
        (&said["found"]["proven"], &said["found"]["attested"]),
        (&true.into(), &true.into())
    );

    // The same machine again is the same measurement; another firmware is another; a log that was left behind is told.
    tpm.cut();
    tpm.on();
    firmware.start(&tpm);
    let node = Node::start(dir, "node", &contract);
    assert_eq!(text(&booted(&node, "replayed"), "measurement_id"), id);
    node.stop();
    tpm.cut();
    tpm.on();
    Firmware::of_a_machine("1.41").start(&tpm);
    let node = Node::start(dir, "node", &contract);
    let boot = booted(&node, "log_differs");
    assert_ne!(text(&boot, "measurement_id"), id);
    assert!(text(&boot, "detail").contains("PCR 0."), "{boot}");
    let of_stage = |one: &Value| text(one, "result") == "unproven";
    assert!(boot["stages"].as_array().unwrap().iter().all(of_stage));
    let data = node.stop();
    let said = verdict(&data);
    assert_eq!(
        (&said["found"]["proven"], &said["found"]["attested"]),
        (&false.into(), &true.into())
    );
}

/// The TPM is gone when the node starts: it captures and commits, says that it does not know, and says it later.
//= A6.5
//= A11.2
#[test]
fn a_tpm_that_comes_late_is_asked_late_and_nothing_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let mut tpm = Swtpm::new();
    let street = Street::start(dir, 1);
    keys(dir, &tpm);
    tpm.cut();
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 16));
    let node = Node::start(dir, "node", &contract);
    let boot = booted(&node, "unavailable");
    assert_eq!(text(&boot, "fault"), "unavailable");
    let attested = counter_of(&node.status(), "attestation_id");
    assert_eq!(attested["state"], "unsupported", "{attested}");
    assert!(attested["value"].is_null() && attested["label"].is_null());
    node.wait_for("readings", 5);
    tpm.on();
    let boot = booted(&node, "unmeasured");
    assert_eq!(boot["measurement_id"], Value::Null);
    assert_eq!(entries(node.data(), "boot").len(), 2);
    let data = node.stop();
    let said = verdict(&data);
    assert_eq!(said["found"]["proven"], false);
    let screen = done(
        Command::new(program("fieldnotary"))
            .arg("verify")
            .arg(&data),
    )
    .out;
    assert!(
        screen.contains("boot       unmeasured: the firmware measured nothing"),
        "{screen}"
    );
}

/// Keys in files: nothing is claimed, in the log, in the status and in the verdict.
//= A6.3
//= A6.4
//= A6.5
//= A6.6
#[test]
fn a_node_without_a_tpm_claims_nothing_of_its_boot() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::start(dir, 1);
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 16));
    let node = Node::start(dir, "node", &contract);
    booted(&node, "unattested");
    // Its statement is signed, and has no quote.
    let attested = wait_until("a statement", LONG, || {
        entries(node.data(), "attestation").pop()
    });
    let counted = counter_of(&node.status(), "attestation_id");
    assert_eq!(
        (&counted["label"], &attested["attest"]),
        (&attested["id"], &Value::Null)
    );
    // It answers with its keys, and has no quote to give.
    let (nonce, folder) = ("00112233445566778899aabbccddeeff", dir.join("alone"));
    let said = answered::asked(&node, nonce, &folder);
    assert_eq!(said.code, Some(1), "{said:?}");
    let keys = std::fs::read_to_string(node.data().join("identity/keys.vkey")).unwrap();
    answered::statement_alone(&folder, nonce, keys.lines().next().unwrap());
    assert_eq!(
        (&said.json()["quoted"], &said.json()["hardware"]),
        (&false.into(), &false.into())
    );
    let data = node.stop();
    for (verb, words) in [
        (
            "status",
            "\nunseen     the whole disk put back, without limit where no collector has it",
        ),
        (
            "verify",
            "\nrollback   unseen from within: the whole disk put back as it once was",
        ),
    ] {
        let said = fieldnotary([verb.as_ref(), data.as_os_str()]);
        assert!(said.out.contains(words), "{words:?} in {said:?}");
    }
    // Nobody answers: nothing is left that would stand in the way of the same command later.
    let to = dir.join("answer");
    let said = about("attest", &data, &["--to", to.to_str().unwrap()]);
    assert_eq!((said.code, to.exists()), (Some(3), false), "{said:?}");
    assert!(
        entries(&data, "attestation")
            .iter()
            .all(|one| one["attest"].is_null())
    );
    let said = verdict(&data);
    assert_eq!(
        (&said["found"]["proven"], &said["found"]["attested"]),
        (&false.into(), &false.into())
    );
}
