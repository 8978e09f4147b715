//! The keys of a running node change: what signs, what the log says, and what others can check of it.

use crate::common::contract::Contract;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{Said, about, done, list, number, program, text, wait_until};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;
use trial_stores::Swtpm;

pub(crate) const ORIGIN: &str = "example.org/rotated";
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A node that has sealed with its first keys; these, and what starts it again.
pub(crate) fn begun(dir: &Path) -> (Street, Contract, Node, Vec<String>) {
    let street = Street::start(dir, 1);
    let keys = Node::keys(&dir.join("node"), ORIGIN);
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 16));
    let node = Node::start(dir, "node", &contract);
    sealed(&node);
    (street, contract, node, keys)
}

/// Has a node change its keys; the new ones.
pub(crate) fn rotate(data: &Path, reason: &str) -> Vec<String> {
    let mut rotate = Command::new(program("fieldnotary"));
    rotate.args(["keys", "rotate"]).arg(data);
    let said = done(rotate.args(["--reason", reason, "--actor", "ada", "--json"]));
    let said: Value = serde_json::from_str(&said.out).unwrap();
    let new = list(&said, "new_keys");
    new.iter()
        .map(|key| key.as_str().unwrap().to_owned())
        .collect()
}

/// Waits until what is in the log now is sealed.
pub(crate) fn sealed(node: &Node) {
    node.wait_for("sealed_size", number(&node.status(), "log_size"));
}

pub(crate) fn rotations(dir: &Path) -> Vec<Value> {
    about("log", dir, &["--kind", "key_rotation"]).entries()
}

/// Whether a log verifies under each of these keys alone.
pub(crate) fn verifies(dir: &Path, keys: &[String], rotated: usize) {
    for key in keys {
        let said = about("verify", dir, &["--anchor", key]);
        assert_eq!(said.code, Some(0), "{key}: {said:?}");
        let keys = &said.json()["keys"];
        assert_eq!(list(keys, "rotated").len(), rotated, "{keys}");
    }
}

//= R8.2
#[test]
fn a_node_seals_with_new_keys_and_its_log_verifies_by_old_and_new() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (_street, _, node, mut all) = begun(dir);
    // Without a reason nothing is done.
    let mut bare = Command::new(program("fieldnotary"));
    let refused: Said = bare
        .args(["keys", "rotate"])
        .arg(node.data())
        .output()
        .unwrap()
        .into();
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("--reason <TEXT>"), "{refused:?}");
    assert!(rotations(node.data()).is_empty());
    for reason in ["yearly", "and once more"] {
        all.extend(rotate(node.data(), reason));
        sealed(&node);
    }
    let data = node.stop();
    let told = rotations(&data);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(text(&told[0], "reason"), "yearly");
    assert!(text(&told[0], "actor").starts_with("ada (uid "), "{told:?}");
    verifies(&data, &all, 2);
    // So does what is published of it, and what comes back from a backup without keys.
    let fieldnotary = || Command::new(program("fieldnotary"));
    let (tiles, backup, back) = (dir.join("tiles"), dir.join("backup"), dir.join("back"));
    let mut export = fieldnotary();
    export.args(["journal", "export"]).arg(&data).arg("--tiles");
    done(export.arg("--out").arg(&tiles));
    verifies(&tiles, &all, 2);
    done(
        fieldnotary()
            .arg("backup")
            .arg(&data)
            .arg("--to")
            .arg(&backup),
    );
    let mut restore = fieldnotary();
    restore.arg("restore").arg(&backup).arg("--data").arg(&back);
    done(restore.args(["--anchor", &all[0], "--reason", "a test"]));
    verifies(&back, &all, 2);
    proof_follows(dir, &data, &all);
    // The entries are the statements: nothing is missed of what lies beside the log while it has them.
    let identity = data.join("identity");
    for number in 1..=2 {
        std::fs::remove_file(identity.join(format!("rotation-{number:03}.note"))).unwrap();
    }
    verifies(&data, &all, 2);
    // A file there that states something else is named.
    std::fs::copy(
        dir.join("kept/rotation-002.note"),
        identity.join("rotation-001.note"),
    )
    .unwrap();
    std::fs::write(identity.join("rotation-002.note"), "x").unwrap();
    let said = about("verify", &data, &["--anchor", &all[0]]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("rotation-002.note"), "{said:?}");
}

/// One file with one entry is signed by the newest keys: to whoever has the oldest, statements lead.
fn proof_follows(dir: &Path, data: &Path, keys: &[String]) {
    let folder = dir.join("kept");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("one.tlog-proof");
    let mut export = Command::new(program("fieldnotary"));
    export
        .args(["journal", "export", "--proof", "3"])
        .arg(data)
        .arg("-o");
    done(export.arg(&file));
    let notes = [2, 1].map(|number| data.join(format!("identity/rotation-{number:03}.note")));
    let [newer, older] = notes.each_ref().map(|note| note.to_str().unwrap());
    let check = |key: &str, statements: &[&str], code: i32| {
        let named = statements.iter().flat_map(|one| ["--rotation", one]);
        let words: Vec<&str> = ["--anchor", key].into_iter().chain(named).collect();
        let said = about("verify", &file, &words);
        assert_eq!(said.code, Some(code), "{words:?}: {said:?}");
    };
    for (place, key) in keys.iter().enumerate() {
        check(key, &[], if place < 4 { 1 } else { 0 });
        check(key, &[newer, older], 0);
        check(key, &[older], if place < 4 { 1 } else { 0 });
        check(key, &[newer], if place < 2 { 1 } else { 0 });
    }
    check(&keys[0], &[file.to_str().unwrap()], 3);
    for (number, note) in [2, 1].into_iter().zip(&notes) {
        std::fs::copy(note, folder.join(format!("rotation-{number:03}.note"))).unwrap();
    }
    for key in keys {
        check(key, &[], 0);
    }
}

/// The collector that knows the old keys alone goes on with the new ones, and with what they state after a start of its own.
//= R8.2
//= U4
#[test]
fn a_collector_cosigns_over_a_rotation_and_follows_no_keys_that_nothing_states() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::start(dir, 1);
    let mut all = Node::keys(&dir.join("node"), ORIGIN);
    let mut collector = Collector::start(dir, &all);
    let contract = Contract::new(ORIGIN, "256KiB", 16).delivered_to(&collector);
    let node = Node::start(dir, "node", &street.contract(contract));
    let cosigned = |node: &Node| {
        sealed(node);
        node.wait_for("cosigned_size", number(&node.status(), "sealed_size"));
    };
    cosigned(&node);
    all.extend(rotate(node.data(), "yearly"));
    cosigned(&node);
    // It is away while the keys change again, and comes back with the first pins.
    collector.leave();
    all.extend(rotate(node.data(), "once more"));
    sealed(&node);
    collector.come_back(&all[..2]);
    cosigned(&node);
    let stored = collector.dir().to_path_buf();
    verifies(&stored, &all, 2);
    let acts = std::fs::read_to_string(stored.join("audit/acts.jsonl")).unwrap();
    let brought = |act: &&str| act.contains("\"add-rotation\"") && act.contains("(certificate ");
    assert_eq!(acts.lines().filter(brought).count(), 2, "{acts}");
    // A collector that has lost the statements, and is told of the first keys alone, takes no head by those of now until
    // the node has brought them again.
    collector.leave();
    std::fs::remove_dir_all(stored.join("rotations")).unwrap();
    collector.come_back(&all[..2]);
    wait_until("the refusal", LONG, || {
        let events = about("log", node.data(), &["--kind", "event"]).entries();
        let said = |event: &Value| text(event, "code") == "uplink_refused";
        events.iter().any(said).then_some(())
    });
    cosigned(&node);
    node.stop();
    collector.stop();
    // What it has cosigned verifies by any of the keys: the entries lead from one to another.
    verifies(&stored, &all, 2);
}

/// What it knows by people's word needs no statement, and one that it cannot follow keeps it from no later one.
//= R8.2
#[test]
fn a_collector_that_was_given_the_keys_of_now_follows_the_next_change() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::start(dir, 1);
    let mut all = Node::keys(&dir.join("node"), ORIGIN);
    let mut collector = Collector::start(dir, &all);
    collector.leave();
    let contract = Contract::new(ORIGIN, "256KiB", 16).delivered_to(&collector);
    let node = Node::start(dir, "node", &street.contract(contract));
    sealed(&node);
    all.extend(rotate(node.data(), "before it had a collector"));
    sealed(&node);
    collector.come_back(&all[2..]);
    let cosigned = |node: &Node| {
        sealed(node);
        node.wait_for("cosigned_size", number(&node.status(), "sealed_size"));
    };
    cosigned(&node);
    all.extend(rotate(node.data(), "behind it"));
    cosigned(&node);
    node.stop();
    verifies(&collector.stop(), &all[2..], 2);
}

/// Has a signer change its keys, and tells no log of it.
pub(crate) fn order(signer: &ipc::Channel) {
    let own = rustix::process::getuid().as_raw();
    let asked = ipc::message::Rotate {
        origin: format!("{ORIGIN}/g1"),
        actor: evidence::Actor::local("ada", own),
        reason: "yearly".to_owned(),
    };
    let answer = signer.ask(&asked.into(), LONG).unwrap();
    let ipc::Message::Rotated(_) = answer else {
        panic!("{answer:?}");
    };
}

/// Has the signer of a node that stands change its keys so many times; the keys that it has then.
pub(crate) fn ordered_alone(dir: &Path, data: &Path, times: usize) -> Vec<String> {
    let alone = Alone::start(&data.join("identity"), &dir.join("alone.sock"));
    let signer = alone.channel();
    for _ in 0..times {
        order(&signer);
    }
    drop(alone);
    public(data)
}

/// The keys beside a log.
pub(crate) fn public(data: &Path) -> Vec<String> {
    let keys = std::fs::read_to_string(data.join("identity/keys.vkey")).unwrap();
    keys.lines().map(str::to_owned).collect()
}

/// A signer that no node started; it is killed when it goes out of scope.
pub(crate) struct Alone(Child, PathBuf);

impl Alone {
    pub(crate) fn start(identity: &Path, socket: &Path) -> Self {
        let mut command = Command::new(program("fieldnotary-signer"));
        command.args(["run", "--origin", ORIGIN, "--identity"]);
        command.arg(identity).arg("--socket").arg(socket);
        let started = Self(command.spawn().unwrap(), socket.to_owned());
        drop(started.channel());
        started
    }

    pub(crate) fn channel(&self) -> ipc::Channel {
        wait_until("the signer", LONG, || {
            ipc::Channel::connect(&self.1, Duration::from_millis(100)).ok()
        })
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Whoever ordered it is gone before the log could be told: the node tells it before it seals again.
//= R8.2
#[test]
fn a_rotation_that_the_log_was_not_told_of_is_told_before_the_next_seal() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (_street, contract, node, mut all) = begun(dir);
    let signer =
        ipc::Channel::connect(&node.data().join("run/signer.sock"), Duration::from_secs(5))
            .unwrap();
    order(&signer);
    drop(signer);
    wait_until("the entry", LONG, || {
        (!rotations(node.data()).is_empty()).then_some(())
    });
    sealed(&node);
    let data = node.stop();
    let public = std::fs::read_to_string(data.join("identity/keys.vkey")).unwrap();
    all.extend(public.lines().map(str::to_owned));
    verifies(&data, &all, 1);
    // Over a start nothing is told twice.
    let node = Node::start(dir, "node", &contract);
    sealed(&node);
    let data = node.stop();
    assert_eq!(rotations(&data).len(), 1);
    verifies(&data, &all, 1);
    // Nor is anything lost where new keys never sealed before the node was gone.
    ordered_alone(dir, &data, 1);
    let node = Node::start(dir, "node", &contract);
    sealed(&node);
    let data = node.stop();
    let public = std::fs::read_to_string(data.join("identity/keys.vkey")).unwrap();
    all.extend(public.lines().map(str::to_owned));
    assert_eq!((rotations(&data).len(), all.len()), (2, 6));
    verifies(&data, &all, 2);
}

//= A6.1
//= R8.2
#[test]
fn a_key_in_a_tpm_is_followed_by_another_of_that_tpm_and_the_same_counters() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let tpm = Swtpm::new();
    let street = Street::start(dir, 1);
    let mut init = Command::new(program("fieldnotary-signer"));
    init.arg("init").arg("--identity");
    init.arg(dir.join("node/identity"));
    init.args(["--origin", ORIGIN, "--backend", "tpm", "--socket"]);
    let said = done(init.arg(tpm.socket()));
    let mut all: Vec<String> = said.out.lines().map(str::to_owned).collect();
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 16));
    let node = Node::start(dir, "node", &contract);
    sealed(&node);
    all.extend(rotate(node.data(), "yearly"));
    sealed(&node);
    let data = node.stop();
    verifies(&data, &all, 1);
    let bindings = about("log", &data, &["--kind", "binding"]).entries();
    let before = number(&rotations(&data)[0], "commit_id");
    let (old, new): (Vec<_>, Vec<_>) = bindings
        .iter()
        .partition(|one| number(one, "commit_id") < before);
    assert!(!old.is_empty() && !new.is_empty(), "{bindings:?}");
    // Nothing of the TPM's changed but the key.
    let node = Node::start(dir, "node", &contract);
    sealed(&node);
    let data = node.stop();
    verifies(&data, &all, 1);
    assert!(
        about("log", &data, &["--kind", "rollback"])
            .entries()
            .is_empty()
    );
}
