//! A counter of firmware versions that was used before the disk knew of it, and one that cannot be read.

use crate::common::damage::copy_into;
use crate::common::sites::{Node, Street};
use crate::common::{about, list, number, text, wait_until};
use crate::firmware::{LONG, captures_nothing, contract, image, keys, stands, told, verdict};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use trial_stores::Swtpm;

const BLOCK: &str = "rollback = \"block\"";

fn process(node: &Node, role: &str) -> i32 {
    let status = node.status();
    let of_role = list(&status, "processes").iter();
    let pid = of_role
        .filter(|one| text(one, "role") == role)
        .find_map(|one| one["pid"].as_i64());
    i32::try_from(pid.unwrap()).unwrap()
}

fn counts(entry: &Value) -> (u64, u64) {
    (number(entry, "attempts"), number(entry, "blocks"))
}

fn last(data: &Path) -> Value {
    told(data).pop().unwrap()
}

/// The newest entry that a counter's value is bound in.
fn bound(data: &Path) -> Value {
    wait_until("a version that is bound", LONG, || {
        last(data)["value"].is_u64().then(|| last(data))
    })
}

/// A recorder that is killed alone begins no new start of the firmware.
fn the_recorder_alone_is_no_start(node: &Node, counted: (u64, u64)) {
    for _ in 0..2 {
        let before = told(node.data()).len();
        let pid = process(node, "recorder");
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
        wait_until("the counter heard by a new recorder", LONG, || {
            let all = told(node.data());
            let heard = |one: &Value| text(one, "counter") == "ahead";
            (all.len() > before && all.last().is_some_and(heard)).then_some(())
        });
        assert_eq!(counts(&last(node.data())), counted);
    }
}

/// The disk is new, and its identity as it was made; the TPM's counter was used. Nothing runs on it, whether the TPM is heard or
/// not, until somebody takes it as it is.
//= A6.4
//= R8.3
#[test]
fn a_wiped_disk_before_a_used_counter_is_blocked_over_starts_until_somebody_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let mut tpm = Swtpm::new();
    let street = Street::start(dir, 1);
    let block = contract(dir, &street, BLOCK);
    keys(dir, &tpm);
    let data = dir.join("node");
    let made = tempfile::tempdir().unwrap();
    copy_into(&data.join("identity"), made.path());
    image(dir, "9");
    let node = Node::start(dir, "node", &block);
    let used = number(&bound(&data), "value");
    node.stop();
    let absent = told(&data);
    let absent = absent.iter().find(|one| text(one, "counter") == "new");
    assert!(
        absent.is_some_and(|one| one["value"].is_null()),
        "that there was none stands before the first is bound"
    );

    std::fs::remove_dir_all(&data).unwrap();
    std::fs::create_dir_all(data.join("identity")).unwrap();
    copy_into(made.path(), &data.join("identity"));
    image(dir, "3");
    let node = Node::start(dir, "node", &block);
    let met = stands(&data, "outcome", &json!("blocked"));
    assert_eq!((text(&met, "counter"), &met["shown"]), ("ahead", &json!(0)));
    assert!(text(&met, "detail").contains("--accept-firmware"), "{met}");
    assert_eq!(counts(&met), (1, 1));
    captures_nothing(&node);
    the_recorder_alone_is_no_start(&node, (1, 1));
    node.stop();

    // What was met is known without the TPM too.
    tpm.cut();
    let node = Node::start(dir, "node", &block);
    let known = stands(&data, "counter", &json!("unheard"));
    assert_eq!(
        (text(&known, "outcome"), counts(&known)),
        ("blocked", (2, 2))
    );
    captures_nothing_while_the_tpm_is_away(&node);
    assert_eq!(node.status()["firmware"]["shown"], 0);
    node.stop();
    let said = about("verify", &data, &[]);
    assert_eq!(said.json()["firmware"]["shown"], 0, "{said:?}");
    tpm.on();
    assert!(told(&data).iter().all(|one| one["value"].is_null()));

    let words = [
        "--accept-firmware",
        "--actor",
        "ada",
        "--reason",
        "a new disk",
    ];
    let node = Node::start_with(dir, "node", &block, &words);
    let entry = bound(&data);
    assert_eq!(
        (
            text(&entry, "outcome"),
            text(&entry, "reason"),
            number(&entry, "value")
        ),
        ("accepted", "a new disk", used),
        "it was moved for others, and not again: {entry}"
    );
    assert!(text(&entry, "actor").starts_with("ada (uid "), "{entry}");
    assert!(entry["shown"].is_null(), "settled");
    node.wait_for("readings", 1);
    node.stop();
    let node = Node::start(dir, "node", &block);
    node.wait_for("readings", 1);
    assert_eq!(text(&last(&data), "outcome"), "same");
    node.stop();
    let settled = verdict(&data);
    assert_eq!(settled["attested"], json!(true));
    assert_eq!(settled.get("shown"), Some(&Value::Null), "{settled}");
    street.stop();
}

fn captures_nothing_while_the_tpm_is_away(node: &Node) {
    // Longer than the wait for a TPM that is there.
    std::thread::sleep(Duration::from_secs(12));
    let status = node.status();
    let mut roles = list(&status, "processes").iter();
    assert!(roles.all(|one| text(one, "role") != "io"), "{status}");
    assert_eq!(number(&status, "readings"), 0);
}

fn tool(tpm: &Swtpm, program: &str, words: &[&str]) {
    let said = tpm.tool(program, words);
    assert!(said.status.success(), "{program}: {said:?}");
}

/// Somebody with the TPM's owner authorisation puts a counter with a password of his own in the place of the node's.
fn spoil(tpm: &Swtpm, public: &str) -> String {
    let index = format!("0x{}", public.get(..8).unwrap());
    let policy = public.get(24..88).unwrap();
    let byte = |at: usize| u8::from_str_radix(policy.get(at..at + 2).unwrap(), 16).unwrap();
    let mark: Vec<u8> = (0..policy.len()).step_by(2).map(byte).collect();
    std::fs::write(tpm.folder().join("mark"), mark).unwrap();
    tool(tpm, "tpm2_nvundefine", &["-C", "o", &index]);
    let attributes = "nt=counter|authwrite|authread|no_da";
    let define = [
        &index, "-C", "o", "-s", "8", "-a", attributes, "-L", "mark", "-p", "theirs",
    ];
    tool(tpm, "tpm2_nvdefine", &define);
    tool(
        tpm,
        "tpm2_nvincrement",
        &[&index, "-C", &index, "-P", "theirs"],
    );
    index
}

/// A counter of firmware versions that cannot be read ends no seals and no capture: the log says so, and the disk decides.
//= A6.4
//= A2.4
//= A6.7
#[test]
fn a_firmware_counter_that_cannot_be_read_is_told_and_the_log_is_sealed_on() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let tpm = Swtpm::new();
    let street = Street::start(dir, 1);
    let block = contract(dir, &street, BLOCK);
    keys(dir, &tpm);
    let data = dir.join("node");
    image(dir, "7");
    let node = Node::start(dir, "node", &block);
    let public = text(&bound(&data), "public").to_owned();
    node.stop();
    let index = spoil(&tpm, &public);

    let node = Node::start(dir, "node", &block);
    let entry = wait_until("what cannot be read", LONG, || {
        let entry = last(&data);
        let says = text(&entry, "detail").contains("its counter could not be read: ");
        says.then_some(entry)
    });
    assert_eq!(
        (text(&entry, "counter"), text(&entry, "outcome")),
        ("unheard", "same"),
        "{entry}"
    );
    node.wait_for("readings", 2);
    let size = number(&node.status(), "log_size");
    node.wait_for("sealed_size", size);
    let status = node.status();
    assert_eq!(status["firmware"]["counter"], "unheard", "{status}");
    assert_eq!(status["seals"]["state"], "sealing", "{status}");
    let events = about("log", &data, &["--kind", "event"]).json_lines();
    let of_it = events.iter();
    let of_it: Vec<&str> = of_it
        .filter(|one| one["code"] == "firmware_counter_unread")
        .map(|one| text(one, "detail"))
        .collect();
    assert_eq!(of_it.len(), 1, "told once: {events:?}");
    assert!(of_it[0].starts_with("failed: "), "{of_it:?}");
    node.stop();

    // An image that is older by the disk's own word is blocked all the same.
    image(dir, "6");
    let node = Node::start(dir, "node", &block);
    stands(&data, "outcome", &json!("blocked"));
    captures_nothing(&node);
    node.stop();
    tool(&tpm, "tpm2_nvundefine", &["-C", "o", &index]);
    image(dir, "7");
    let node = Node::start(dir, "node", &block);
    stands(&data, "counter", &json!("gone"));
    node.stop();
    assert_eq!(about("verify", &data, &[]).code, Some(0));
    street.stop();
}

/// Who holds as many connections to the signer as he likes keeps no recorder from it, and no seal out of the log.
//= A6.7
#[test]
fn a_recorder_reaches_its_signer_whoever_sits_there() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::start(dir, 1);
    let site = contract(dir, &street, "");
    image(dir, "7");
    let node = Node::start(dir, "node", &site);
    let socket = node.data().join("run/signer.sock");
    let sit = || ipc::Channel::connect(&socket, LONG).unwrap();
    let _sitting: Vec<_> = (0..40).map(|_| sit()).collect();
    let sealed_more = || {
        let size = number(&node.status(), "log_size");
        node.wait_for("sealed_size", size + 1);
    };
    sealed_more();
    // It has no connection any more, and all seats of this process are taken.
    let pid = process(&node, "recorder");
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    wait_until("another recorder", LONG, || {
        let said = about("status", node.data(), &[]);
        let pids = (said.code == Some(0)).then(|| process(&node, "recorder"))?;
        (pids != pid).then_some(())
    });
    sealed_more();
    let status = node.status();
    assert_eq!(status["seals"]["state"], "sealing", "{status}");
    let data = node.stop();
    let events = about("log", &data, &["--kind", "event"]).json_lines();
    let missed = events
        .iter()
        .find(|one| one["code"] == "signer_unavailable");
    assert!(missed.is_none(), "{missed:?}");
    street.stop();
}
