//! What is too often to be chance, under a whole node: starts of a log that was never closed, and not bytes at the signer's socket that
//! are no request.

use crate::common::blows::{running, signal, successor};
use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{about, text, wait_until};
use crate::restarts::end;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketType, connect, send, socket};
use rustix::process::Signal;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

fn rows(data: &Path, kind: &str) -> Vec<Value> {
    about("log", data, &["--kind", kind]).json_lines()
}

fn hints(data: &Path) -> Vec<Value> {
    let events = rows(data, "event");
    events
        .into_iter()
        .filter(|row| row["code"] == "tamper_hint")
        .collect()
}

fn garbage(data: &Path) {
    let raw = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
    let path = data.join("run/signer.sock");
    connect(&raw, &SocketAddrUnix::new(path).unwrap()).unwrap();
    send(&raw, b"sign this digest", SendFlags::NOSIGNAL).unwrap();
}

//= A6.7
//= R11.2
#[test]
fn who_speaks_garbage_to_the_signer_is_in_the_audit_once_and_no_hint_however_long_it_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 1);
    let contract = street.contract(Contract::new("example.org/hints", "1MiB", 4));
    let node = Node::start(dir.path(), "node", &contract);
    let data = node.data().to_owned();
    garbage(&data);
    let told = wait_until("the audit", SOON, || rows(&data, "audit").pop());
    let own = rustix::process::geteuid().as_raw();
    assert!(
        text(&told, "actor").ends_with(&format!("(uid {own})")),
        "{told}"
    );
    assert_eq!(
        (text(&told, "action"), text(&told, "outcome")),
        ("malformed request", "refused")
    );
    for _ in 0..4 {
        garbage(&data);
    }
    // The recorder alone ends; the signer counts on, and nobody is told of again.
    let recorder = running(&data, "recorder");
    signal(recorder, Signal::KILL);
    successor(&data, "recorder", recorder);
    garbage(&data);
    // Capture, commit and seals went on.
    let sealed = rows(&data, "checkpoint").len();
    let seals = || (rows(&data, "checkpoint").len() > sealed + 2).then_some(());
    wait_until("more seals", SOON, seals);
    assert_eq!(rows(&data, "audit").len(), 1);
    assert_eq!(hints(&data).len(), 0);
    let data = node.stop();
    assert_eq!(about("verify", &data, &[]).code, Some(0));
}

//= A6.7
#[test]
fn a_log_that_is_never_closed_is_a_hint_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 1);
    let contract = street.contract(Contract::new("example.org/hints", "1MiB", 4));
    let mut told = Vec::new();
    for _ in 0..6 {
        let node = Node::start(dir.path(), "node", &contract);
        let data = node.data().to_owned();
        told.push(hints(&data).len());
        node.wait_for("log_size", 5);
        end(node, "kill all");
    }
    // The first start recovered nothing; the fifth is the fourth recovery, and the hint is not said again.
    assert_eq!(told, [0, 0, 0, 0, 1, 1]);
    let hint = hints(&dir.path().join("node")).pop().unwrap();
    assert!(text(&hint, "detail").starts_with("recoveries: "), "{hint}");
}
