//! Keys that change where a part of the node is away: its signer, its recorder, or the log itself, which goes on elsewhere.

use crate::common::contract::Contract;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{Said, about, done, number, program, text, wait_until};
use crate::rotation::{
    Alone, LONG, ORIGIN, begun, ordered_alone, public, rotate, rotations, sealed, verifies,
};
use evidence::reasons::TruthClass;
use evidence::{BootId, CommitId, Digest, Epoch, Generation, UtcNs};
use ipc::message::{Message, Welcome};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A node whose signer runs elsewhere, with the words that start it so.
fn with_signer(dir: &Path) -> (Street, Contract, Alone, PathBuf) {
    let socket = dir.join("keys/signer.sock");
    let mut init = Command::new(program("fieldnotary-signer"));
    init.args(["init", "--origin", ORIGIN, "--identity"]);
    done(init.arg(dir.join("keys/identity")));
    let signer = Alone::start(&dir.join("keys/identity"), &socket);
    let street = Street::start(dir, 1);
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 16));
    (street, contract, signer, socket)
}

fn start(dir: &Path, contract: &Contract, socket: &Path) -> Node {
    let words = ["--signer", socket.to_str().unwrap()];
    Node::start_with(dir, "node", contract, &words)
}

fn seals(data: &Path) -> usize {
    about("log", data, &["--kind", "checkpoint"])
        .entries()
        .len()
}

/// What lies beside the log is one change behind, and nobody can be asked: the log itself tells.
//= A6.1
//= R8.2
#[test]
fn a_node_whose_public_keys_are_behind_starts_while_its_signer_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (_street, contract, signer, socket) = with_signer(dir);
    let node = start(dir, &contract, &socket);
    sealed(&node);
    let old = public(node.data());
    let new = rotate(node.data(), "yearly");
    sealed(&node);
    let data = node.stop();
    assert_eq!(public(&data), new);
    let identity = data.join("identity");
    let statement = identity.join("rotation-001.note");
    let stated = std::fs::read(&statement).unwrap();
    drop(signer);
    let behind = format!("{}\n{}\n", old[0], old[1]);
    std::fs::write(identity.join("keys.vkey"), &behind).unwrap();
    std::fs::remove_file(&statement).unwrap();
    let before = seals(&data);
    let node = start(dir, &contract, &socket);
    wait_until("the missing signer to be told", LONG, || {
        let events = about("log", &data, &["--kind", "event"]).entries();
        let told = events
            .iter()
            .any(|one| text(one, "code") == "signer_unavailable");
        told.then_some(())
    });
    node.wait_for("log_size", number(&node.status(), "log_size") + 5);
    assert_eq!(seals(&data), before);
    // It seals what it captured meanwhile, with the keys of now.
    let signer = Alone::start(&dir.join("keys/identity"), &socket);
    sealed(&node);
    let data = node.stop();
    assert!(seals(&data) > before);
    let all = [old, new.clone()].concat();
    verifies(&data, &all, 1);
    // A start beside its signer brings the public half up to date; and a statement that went lost alone.
    for _ in 0..2 {
        sealed_and_stopped(start(dir, &contract, &socket));
        assert_eq!(public(&data), new);
        assert_eq!(std::fs::read(&statement).unwrap(), stated);
        std::fs::remove_file(&statement).unwrap();
    }
    // What somebody put there instead is left, and named.
    std::fs::write(&statement, "x").unwrap();
    let node = start(dir, &contract, &socket);
    let words = node.words();
    assert!(
        words.contains("rotation-001.note is not what the signer has"),
        "{words}"
    );
    sealed_and_stopped(node);
    assert_eq!(std::fs::read(&statement).unwrap(), b"x");
    drop(signer);
}

fn sealed_and_stopped(node: Node) {
    sealed(&node);
    node.stop();
}

/// Answers as a recorder does until it is told of new keys, and goes away then or refuses.
fn half_a_recorder(socket: &Path, refuses: bool) -> std::thread::JoinHandle<()> {
    let _ = std::fs::remove_file(socket);
    let listener = ipc::Listener::bind(socket).unwrap();
    std::thread::spawn(move || {
        let channel = listener.accept(LONG).unwrap().unwrap();
        let hello = channel.recv(LONG).unwrap().unwrap();
        assert!(matches!(hello, Message::Hello(_)), "{}", hello.name());
        let welcome = Welcome {
            generation: Generation(1),
            epoch: Epoch(1),
            boot_id: BootId([0; 16]),
            contract: CommitId(0),
            contract_digest: Digest([0; 32]),
            origin: format!("{ORIGIN}/g1"),
            truth_class: TruthClass::SameDeviceSync,
            truth_degraded: false,
            commit_ptr: CommitId(1),
            newest_utc: UtcNs(0),
            statement: None,
            ran_in_this_boot: false,
            boot_to_stable_ns: None,
            node_was_away: false,
        };
        channel.send(&welcome.into()).unwrap();
        let told = channel.recv(LONG).unwrap().unwrap();
        assert!(matches!(told, Message::PersonEntry(_)), "{}", told.name());
        if refuses {
            let code = ipc::message::ErrorCode::Unavailable;
            channel
                .send(&Message::error(code, "the medium is full"))
                .unwrap();
        }
    })
}

/// The keys changed, whatever became of telling the log: whoever asked sees them, and what lies beside the log follows.
//= R8.2
#[test]
fn new_keys_are_shown_and_followed_where_the_log_could_not_be_told() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (_street, contract, signer, socket) = with_signer(dir);
    let node = start(dir, &contract, &socket);
    sealed(&node);
    let data = node.stop();
    let mut all = public(&data);
    for (number, (refuses, json)) in [(false, false), (true, false), (false, true)]
        .into_iter()
        .enumerate()
    {
        let recorder = half_a_recorder(&data.join("run/recorder.sock"), refuses);
        let mut rotate = Command::new(program("fieldnotary"));
        rotate
            .args(["keys", "rotate", "--reason", "yearly", "--actor", "ada"])
            .arg(&data);
        rotate.args(json.then_some("--json"));
        let said: Said = rotate.output().unwrap().into();
        recorder.join().unwrap();
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(
            said.err.contains("the keys changed all the same"),
            "{said:?}"
        );
        let new = public(&data);
        assert!(!all.contains(&new[0]) && !all.contains(&new[1]), "{number}");
        for key in &new {
            let line = format!("new key    {key}");
            let shown = match json {
                true => said.json()["new_keys"].to_string().contains(key),
                false => said.out.lines().any(|one| one == line),
            };
            assert!(shown, "{said:?}");
        }
        assert!(
            data.join(format!("identity/rotation-{:03}.note", number + 1))
                .exists()
        );
        all.extend(new);
    }
    // The node tells its log of all three before it seals.
    sealed_and_stopped(start(dir, &contract, &socket));
    verifies(&data, &all, 3);
    drop(signer);
}

/// Two changes over one head: the log tells of both, the collector takes both, and any key leads through.
//= R8.2
//= U4
#[test]
fn keys_that_change_twice_between_two_seals_are_followed_by_node_verifier_and_collector() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::start(dir, 1);
    let mut all = Node::keys(&dir.join("node"), ORIGIN);
    let collector = Collector::start(dir, &all);
    let contract = Contract::new(ORIGIN, "256KiB", 16).delivered_to(&collector);
    let contract = street.contract(contract);
    let node = Node::start(dir, "node", &contract);
    cosigned(&node);
    let data = node.stop();
    let newest = ordered_alone(dir, &data, 2);
    let node = Node::start(dir, "node", &contract);
    cosigned(&node);
    let data = node.stop();
    let told = rotations(&data);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(number(&told[0], "size"), number(&told[1], "size"));
    all.extend(newest);
    verifies(&data, &all, 2);
    let stored = collector.stop();
    verifies(&stored, &all, 2);
    for number in 1..=2 {
        let name = format!("identity/rotation-{number:03}.note");
        std::fs::remove_file(data.join(name)).unwrap();
    }
    verifies(&data, &all, 2);
}

fn cosigned(node: &Node) {
    sealed(node);
    node.wait_for("cosigned_size", number(&node.status(), "sealed_size"));
}

/// A log whose keys changed goes on as a new generation, here and from a backup, and changes its keys there again.
//= R8.2
//= R10.5
//= U4
#[test]
fn a_log_whose_keys_changed_is_adopted_and_changes_them_again() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::start(dir, 1);
    let mut all = Node::keys(&dir.join("node"), ORIGIN);
    let collector = Collector::start(dir, &all);
    let contract = Contract::new(ORIGIN, "256KiB", 16).delivered_to(&collector);
    let contract = street.contract(contract);
    let node = Node::start(dir, "node", &contract);
    cosigned(&node);
    all.extend(rotate(node.data(), "yearly"));
    cosigned(&node);
    let data = node.stop();
    let fieldnotary = || Command::new(program("fieldnotary"));
    let adopt = |data: &Path, cause: &str| {
        let mut adopt = fieldnotary();
        adopt.arg("adopt").arg(data);
        done(adopt.args(["--cause", cause, "--reason", "a test"]));
    };
    adopt(&data, "replaced");
    let node = Node::start(dir, "node", &contract);
    cosigned(&node);
    // The change of before, once in each generation.
    let told = |data: &Path| {
        let mut all: BTreeMap<String, usize> = BTreeMap::new();
        for one in rotations(data) {
            let (generation, _) = text(&one, "event_id").split_once(':').unwrap();
            *all.entry(generation.to_owned()).or_insert(0) += 1;
        }
        all.into_values().collect::<Vec<_>>()
    };
    assert_eq!(told(node.data()), [1, 1]);
    all.extend(rotate(node.data(), "and once more"));
    cosigned(&node);
    let data = node.stop();
    assert_eq!(told(&data), [1, 2]);
    verifies(&data, &all, 3);
    // Another machine takes its place, with the keys of now.
    let (backup, back) = (dir.join("backup"), dir.join("node-back"));
    let mut take = fieldnotary();
    take.arg("backup").arg(&data).arg("--with-keys");
    done(take.arg("--to").arg(&backup));
    let mut restore = fieldnotary();
    restore.arg("restore").arg(&backup).arg("--data").arg(&back);
    done(restore.args(["--anchor", &all[0], "--reason", "a test"]));
    adopt(&back, "restored");
    let node = Node::start(dir, "node-back", &contract);
    cosigned(&node);
    let data = node.stop();
    assert_eq!(told(&data), [1, 2, 2]);
    verifies(&data, &all, 5);
    verifies(&collector.stop(), &all, 5);
}

/// A change of keys that was cut at each of its steps: a backup has one pair of keys, whole, or is not made.
//= R8.2
//= R10.5
#[test]
fn a_backup_while_keys_change_has_one_pair_or_says_when_it_can_be_made() {
    const PARTS: [&str; 3] = ["authority-p256.pem", "ed25519.pem", "keys.vkey"];
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (_street, _, node, _) = begun(dir);
    let data = node.stop();
    let identity = data.join("identity");
    let pair = |from: &Path| PARTS.map(|name| std::fs::read(from.join(name)).unwrap());
    let old = pair(&identity);
    ordered_alone(dir, &data, 1);
    let new = pair(&identity);
    let statement = identity.join("rotation-001.note");
    let stated = std::fs::read(&statement).unwrap();
    let take = |to: &Path, with_keys: bool| -> Said {
        let mut take = Command::new(program("fieldnotary"));
        take.arg("backup").arg(&data).arg("--to").arg(to);
        take.args(with_keys.then_some("--with-keys"))
            .output()
            .unwrap()
            .into()
    };
    // Before the statement is there, and then with so many files in their places.
    for cut in 0..=PARTS.len() + 1 {
        let placed = cut.checked_sub(1);
        for (place, name) in PARTS.into_iter().enumerate() {
            let (path, draft) = (identity.join(name), identity.join(format!("next-{name}")));
            let _ = std::fs::remove_file(&draft);
            if placed.is_some_and(|placed| place < placed) {
                std::fs::write(&path, &new[place]).unwrap();
            } else {
                std::fs::write(&path, &old[place]).unwrap();
                std::fs::write(&draft, &new[place]).unwrap();
            }
        }
        match placed {
            Some(_) => std::fs::write(&statement, &stated).unwrap(),
            None => std::fs::remove_file(&statement).unwrap(),
        }
        let (public, secret) = (dir.join(format!("p{cut}")), dir.join(format!("s{cut}")));
        let said = take(&public, false);
        assert_eq!(said.code, Some(0), "{cut}: {said:?}");
        let said = take(&secret, true);
        let is_settled = placed.is_none_or(|placed| placed == PARTS.len());
        if is_settled {
            assert_eq!(said.code, Some(0), "{cut}: {said:?}");
            let due = if placed.is_none() { &old } else { &new };
            assert_eq!(&pair(&secret.join("identity")), due, "{cut}");
        } else {
            assert_eq!(said.code, Some(3), "{cut}: {said:?}");
            assert!(said.err.contains("the keys are changing"), "{said:?}");
            assert!(said.err.contains("fieldnotary-signer check"), "{said:?}");
            assert!(!secret.exists());
        }
        for made in [public, secret].iter().filter(|made| made.exists()) {
            let names = std::fs::read_dir(made.join("identity")).unwrap();
            let mut names = names.map(|file| file.unwrap().file_name().into_string().unwrap());
            assert!(!names.any(|name| name.starts_with("next-")), "{cut}");
        }
    }
    // What the words say ends a change that was cut.
    let last = PARTS.len() - 1;
    std::fs::write(identity.join(PARTS[last]), &old[last]).unwrap();
    std::fs::write(identity.join(format!("next-{}", PARTS[last])), &new[last]).unwrap();
    let mut check = Command::new(program("fieldnotary-signer"));
    done(check.arg("check").arg("--identity").arg(&identity));
    assert_eq!(pair(&identity), new);
    assert_eq!(take(&dir.join("after"), true).code, Some(0));
}

/// Drafts of a cut change that were left behind are as secret as keys, so that they are not passed over where a signer of another
/// user is to have them all; and they are no keys, so that nobody takes the node for the holder of its own.
//= A6.1
//= R8.2
#[test]
fn drafts_of_keys_that_were_left_with_the_node_are_named_and_are_no_keys() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (_street, contract, signer, socket) = with_signer(dir);
    let node = start(dir, &contract, &socket);
    sealed(&node);
    let data = node.stop();
    drop(signer);
    let identity = data.join("identity");
    let starts = |more: &[&Path]| {
        let mut run = Command::new(program("fieldnotary"));
        run.arg("run").arg(dir.join("node.toml")).arg("--data");
        // Where it is not refused it goes with this test.
        run.arg(&data).arg("--die-with-parent").args(more);
        let said: Said = run.output().unwrap().into();
        assert_eq!(said.code, Some(3), "{said:?}");
        said.err
    };
    let with_signer = [Path::new("--signer"), &socket];
    for name in [
        "next-ed25519.pem",
        "next-authority-p256.pem",
        "next-store.toml",
    ] {
        std::fs::write(identity.join(name), "x").unwrap();
        let said = starts(&with_signer);
        let due = format!("has a draft of keys ({name}), of a change of keys that was cut");
        assert!(said.contains(&due), "{said}");
        assert!(!said.contains("keys of its own"), "{said}");
        // Whose the keys are is still known, and where they are still asked for.
        let said = starts(&[]);
        for due in [
            "has the public half of its keys alone",
            &format!("({name} is a draft of"),
            "say the same again: --signer",
        ] {
            assert!(said.contains(due), "{due}: {said}");
        }
        assert!(data.join("run/signer.sock").is_symlink(), "{name}");
        let mut request = Command::new(program("fieldnotary"));
        request.args(["enrol", "request"]).arg(&data);
        request.arg("--tls").arg(dir.join("tls"));
        request.arg("--to").arg(dir.join("request.json"));
        let said: Said = request.output().unwrap().into();
        let due = "start it as its own user";
        assert!(said.err.contains(due), "{name}: {said:?}");
        // Where there is nothing but a draft, keys were here.
        let public = identity.join("keys.vkey");
        let kept = std::fs::read(&public).unwrap();
        std::fs::remove_file(&public).unwrap();
        let said = starts(&[]);
        assert!(said.contains("and not the keys themselves"), "{said}");
        std::fs::write(&public, kept).unwrap();
        std::fs::remove_file(identity.join(name)).unwrap();
    }
}
