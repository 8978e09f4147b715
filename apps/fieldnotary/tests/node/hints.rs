//! What is too often to be chance, under a whole node: starts of a log that was never closed, seals that the keys do not give, a counter that
//! was set back, callers of another user; and not bytes at the signer's socket that are no request.

use crate::common::blows::{running, signal, successor};
use crate::common::contract::Contract;
use crate::common::damage::copy_into;
use crate::common::sites::{Node, Street};
use crate::common::{about, done, number, program, text, wait_until};
use crate::restarts::end;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketType, connect, send, socket};
use rustix::process::Signal;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use trial_stores::{SOFTHSM_MODULE, SoftHsm, Swtpm};

const ORIGIN: &str = "example.org/hints";
/// Of every Debian: a user that has no business with the keys.
const FOREIGN: u32 = 1;
/// One caller: it connects, and waits until it is turned away.
const CALL: &str = "import socket, sys
one = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
one.settimeout(20)
one.connect(sys.argv[1])
one.recv(65536)
";
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
    let contract = street.contract(Contract::new(ORIGIN, "1MiB", 4));
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
    let contract = street.contract(Contract::new(ORIGIN, "1MiB", 4));
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

/// The hint of a node that runs, once it is told.
fn hinted(data: &Path, sign: &str) -> Value {
    let hint = wait_until(sign, SOON * 2, || {
        std::thread::sleep(Duration::from_millis(300));
        hints(data).pop()
    });
    let detail = text(&hint, "detail");
    assert!(detail.starts_with(&format!("{sign}: ")), "{hint}");
    hint
}

fn keys_in(tpm: &Swtpm, data: &Path) {
    let mut init = Command::new(program("fieldnotary-signer"));
    init.arg("init")
        .arg("--identity")
        .arg(data.join("identity"));
    init.args(["--origin", ORIGIN, "--backend", "tpm", "--socket"]);
    done(init.arg(tpm.socket()));
}

fn keys_in_token(hsm: &SoftHsm, data: &Path) {
    let mut init = Command::new(program("fieldnotary-signer"));
    init.arg("init")
        .arg("--identity")
        .arg(data.join("identity"));
    init.args(["--origin", ORIGIN, "--backend", "pkcs11", "--token"]);
    init.args(["station", "--module", SOFTHSM_MODULE, "--pin-file"]);
    init.arg(hsm.pin_file()).arg("--allow").arg(hsm.folder());
    done(init.env("SOFTHSM2_CONF", hsm.configuration()));
}

/// Whoever reaches the socket and is not the signer's own user is turned away, is in the audit by the user id that the kernel
/// vouches for, and three of him are a hint.
//= A6.7
//= R11.2
#[test]
fn callers_of_another_user_are_in_the_audit_and_three_of_them_a_hint() {
    assert!(
        rustix::process::geteuid().is_root(),
        "only root can be two users: run the tests as root"
    );
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 1);
    let contract = street.contract(Contract::new(ORIGIN, "1MiB", 4));
    let node = Node::start(dir.path(), "node", &contract);
    let data = node.data().to_owned();
    let socket = data.join("run/signer.sock");
    let call = || {
        let mut caller = Command::new("python3");
        caller.args(["-c", CALL]).arg(&socket).current_dir("/");
        caller.uid(FOREIGN).gid(FOREIGN).output().unwrap().status
    };
    assert!(!call().success(), "its folder keeps others out");
    // Somebody has opened the folders and the socket.
    for (place, mode) in [
        (dir.path(), 0o755),
        (&data, 0o755),
        (&data.join("run"), 0o755),
        (&socket, 0o666),
    ] {
        std::fs::set_permissions(place, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    for calls in 1..=3 {
        assert!(call().success());
        let refused = || {
            let audits = rows(&data, "audit");
            let own = |one: &Value| text(one, "action") == "use the keys";
            audits.into_iter().find(own)
        };
        let told = wait_until("the audit", SOON, refused);
        assert_eq!(text(&told, "outcome"), "refused", "{told}");
        assert!(
            text(&told, "actor").ends_with(&format!("(uid {FOREIGN})")),
            "{told}"
        );
        if calls < 3 {
            assert_eq!(hints(&data), Vec::<Value>::new(), "{calls}");
        }
    }
    let hint = hinted(&data, "turned_away");
    assert_eq!(number(&hint, "count"), 3, "{hint}");
    assert!(call().success());
    let sealed = number(&node.status(), "log_size");
    node.wait_for("sealed_size", sealed + 10);
    let data = node.stop();
    assert_eq!(hints(&data).len(), 1, "told once in its time");
    assert_eq!(about("verify", &data, &[]).code, Some(0));
}

/// More seals than make a hint, at one a second.
const SEALS_MISSED: Duration = Duration::from_secs(8);
const TOO_MANY: u64 = 5;

/// The stretch without seals that came to its end last.
fn missed(data: &Path, before: usize) -> Value {
    wait_until("an end of it", SOON, || {
        let mut ended = rows(data, "unsealed");
        (ended.len() > before).then(|| ended.pop().unwrap())
    })
}

/// A TPM that is not there was asked for no signature, and a token that is not there neither, however long that goes on: nobody is
/// sent to look for an intruder. A token that is there and refuses, seal after seal, is a hint.
//= A6.7
#[test]
fn seals_that_a_store_refuses_again_and_again_are_a_hint_and_those_that_nobody_could_ask_for_are_none()
 {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 1);
    let contract = street.contract(Contract::new(ORIGIN, "1MiB", 4));
    let (mut tpm, hsm) = (Swtpm::new(), SoftHsm::new("station"));
    keys_in(&tpm, &dir.path().join("in-tpm"));
    keys_in_token(&hsm, &dir.path().join("in-token"));
    let start = |name| {
        let mut command = Command::new(program("fieldnotary"));
        command.env("SOFTHSM2_CONF", hsm.configuration());
        let node = Node::start_by(command, dir.path(), name, &contract, &[]);
        node.wait_for("sealed_size", 10);
        node
    };
    let (in_tpm, in_token) = (start("in-tpm"), start("in-token"));
    tpm.cut();
    hsm.draw(true);
    std::thread::sleep(SEALS_MISSED);
    tpm.on();
    hsm.draw(false);
    for (node, cause) in [(&in_tpm, "unavailable"), (&in_token, "token_missing")] {
        let ended = missed(node.data(), 0);
        assert_eq!(text(&ended, "cause"), cause, "{ended}");
        assert!(number(&ended, "missed") > TOO_MANY, "{ended}");
        assert_eq!(hints(node.data()), Vec::<Value>::new(), "{cause}");
    }
    // It is opened anew with the PIN that its file has then.
    hsm.write_pin("0000");
    hsm.draw(true);
    std::thread::sleep(SEALS_MISSED / 4);
    hsm.draw(false);
    let hint = hinted(in_token.data(), "signature_failures");
    assert_eq!(number(&hint, "count"), TOO_MANY, "{hint}");
    let size = number(&in_token.status(), "log_size");
    in_token.wait_for("log_size", size + 20);
    for (node, told) in [(in_tpm, 0), (in_token, 1)] {
        let data = node.stop();
        assert_eq!(hints(&data).len(), told, "told once in its time");
        let said = about("verify", &data, &[]);
        assert_eq!(said.code, Some(0), "{said:?}");
        // What a rollback could take away unseen is stated of either store, and is the same in a status.
        let keys = said.json()["keys"].clone();
        let code = ["counter_is_a_file", "no_counter"][told];
        assert_eq!(text(&keys["rollback"], "code"), code, "{keys}");
        assert!(keys["rollback"]["window_ns"].is_null(), "{keys}");
        let status = about("status", &data, &[]).json();
        assert_eq!(text(&status["unseen"], "code"), code, "{status}");
    }
}

/// Somebody puts an older state of the TPM back: once is enough.
//= A6.4
//= A6.7
#[test]
fn a_counter_that_was_set_back_is_a_hint() {
    let dir = tempfile::tempdir().unwrap();
    let mut tpm = Swtpm::new();
    keys_in(&tpm, &dir.path().join("node"));
    let street = Street::start(dir.path(), 1);
    let contract = street.contract(Contract::new(ORIGIN, "1MiB", 4));
    let data = Node::grow(dir.path(), "node", &contract, 30);
    tpm.cut();
    let older = tempfile::tempdir().unwrap();
    copy_into(&tpm.state(), older.path());
    tpm.on();
    Node::grow(dir.path(), "node", &contract, 30);
    assert_eq!(hints(&data), Vec::<Value>::new());
    tpm.cut();
    std::fs::remove_dir_all(tpm.state()).unwrap();
    std::fs::create_dir(tpm.state()).unwrap();
    copy_into(older.path(), &tpm.state());
    tpm.on();
    let node = Node::start(dir.path(), "node", &contract);
    let hint = hinted(&data, "counter_anomalies");
    assert_eq!(number(&hint, "count"), 1, "{hint}");
    let found = rows(&data, "rollback");
    assert!(!found.is_empty());
    node.stop();
    // The next start finds the same, and has told of it.
    Node::grow(dir.path(), "node", &contract, 20);
    assert_eq!(hints(&data).len(), 1);
}
