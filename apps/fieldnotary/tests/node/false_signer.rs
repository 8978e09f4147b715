//! Somebody between the node and its signer puts signatures that do not hold in the place of those that do: nothing of it becomes a
//! checkpoint and no statement, and the node says so and hints at it.

use crate::common::blows::{running, signal, successor};
use crate::common::contract::Contract;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{about, number, program, text, wait_until};
use crate::rotation::{rotate, rotations, sealed, verifies};
use evidence::reasons::Custody;
use evidence::{Actor, Blob, Digest, Generation};
use ipc::message::{Describe, Keys, NoteText, Rotate, SignedTree};
use ipc::{Channel, Listener, Message};
use rustix::process::Signal;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

const ORIGIN: &str = "example.org/between";
const LONG: Duration = Duration::from_secs(60);
/// How often whoever stands between looks whether somebody comes.
const LOOK: Duration = Duration::from_millis(100);

/// What is done to answers of the signer.
const NOTHING: u8 = 0;
/// A sign of the authority's signature is another.
const FLIPPED: u8 = 1;
/// The head that was signed first is given for each.
const OLD: u8 = 2;
/// The second key's signature is left out.
const HALF: u8 = 3;
/// A sign of the signature on a statement is another.
const STATEMENT: u8 = 4;
/// The key is said to be held where it is not.
const CUSTODY: u8 = 5;
/// Somebody with keys of his own answers in the signer's stead.
const IMPOSTOR: u8 = 6;
/// He announces the keys of the log, which are public, and what else would do harm.
const PRETENDER: u8 = 7;

/// Changes a sign of the first signature.
fn flipped(note: &str) -> String {
    let line = note.split_once("\n\n").unwrap().1.lines().next().unwrap();
    let at = line.len() - 20;
    let other = if line.as_bytes()[at] == b'A' {
        "B"
    } else {
        "A"
    };
    let changed = format!("{}{other}{}", &line[..at], &line[at + 1..]);
    note.replace(line, &changed)
}

/// Leaves the last signature out.
fn half(note: &str) -> String {
    let (rest, _) = note.trim_end().rsplit_once('\n').unwrap();
    format!("{rest}\n")
}

fn harmed(answer: Message, harm: u8, first: &mut Option<NoteText>) -> Message {
    match answer {
        Message::SignedNote(mut signed) => {
            let first = first.get_or_insert_with(|| signed.note.clone()).clone();
            signed.note = match harm {
                FLIPPED => NoteText(flipped(&signed.note.0)),
                OLD => first,
                HALF => NoteText(half(&signed.note.0)),
                _ => signed.note,
            };
            if harm == CUSTODY {
                signed.custody = Custody::Tpm;
            }
            signed.into()
        }
        Message::SignedRecord(mut signed) if harm == STATEMENT => {
            signed.note = NoteText(flipped(&signed.note.0));
            signed.into()
        }
        other => other,
    }
}

/// What is public of the log's keys, and what would end its seals, stop what is captured and stand in the log for good.
fn pretend(said: &mut Keys, real: &Channel) {
    let request = Describe {
        origin: None,
        nonce: None,
    };
    let Ok(Message::Keys(public)) = real.ask(&request.into(), LONG) else {
        panic!("the signer says what it is")
    };
    said.vkeys = public.vkeys;
    said.signed = vec![SignedTree {
        generation: Generation(1),
        size: 1_000_000_000_000,
        root: Digest([7; 32]),
    }];
    said.maker = "somebody".into();
    (said.monotonic_counter, said.counts_firmware) = (true, true);
    said.firmware_public = Some(Blob(vec![1, 0x80]));
    said.firmware_value = Some(41);
}

/// Has a signer change its keys, and tells no log of it.
fn order(signer: &Channel, reason: &str) {
    let uid = rustix::process::geteuid().as_raw();
    let ask = Rotate {
        origin: format!("{ORIGIN}/g1"),
        actor: Actor::local("ada", uid),
        reason: reason.into(),
    };
    let Message::Rotated(_) = signer.ask(&ask.into(), LONG).unwrap() else {
        panic!("the keys change")
    };
}

/// Serves one caller until he goes.
fn carry(caller: &Channel, [real, impostor]: &[Channel; 2], harm: &AtomicU8) {
    let mut first = None;
    loop {
        match caller.recv(LOOK) {
            Ok(None) => {}
            Err(_) => return,
            Ok(Some(request)) => {
                let harm = harm.load(Ordering::SeqCst);
                let asked = if harm >= IMPOSTOR { impostor } else { real };
                let answer = asked.send(&request).and_then(|()| asked.recv(LONG));
                let Ok(Some(mut answer)) = answer else { return };
                if harm == PRETENDER
                    && let Message::Keys(said) = &mut answer
                {
                    pretend(said, real);
                }
                let answer = harmed(answer, harm, &mut first);
                if caller.send(&answer).is_err() {
                    return;
                }
            }
        }
    }
}

/// Stands between a socket and the signer and an impostor at others; what is done to the answers.
fn between(socket: &Path, signers: [&Path; 2]) -> Arc<AtomicU8> {
    let harm = Arc::new(AtomicU8::new(NOTHING));
    let listener = Listener::bind(socket).unwrap();
    let (signers, told) = (signers.map(Path::to_path_buf), harm.clone());
    // It stands there until the test ends.
    std::thread::spawn(move || {
        loop {
            let Ok(Some(caller)) = listener.accept(LOOK) else {
                continue;
            };
            let told = told.clone();
            let both = signers.each_ref();
            let both = both.map(|signer| Channel::connect(signer, LONG).unwrap());
            std::thread::spawn(move || carry(&caller, &both, &told));
        }
    });
    harm
}

/// A signer that somebody else runs.
struct Signer(Child);

impl Signer {
    /// With keys of a folder, at a socket.
    fn start(identity: &Path, socket: &Path) -> Self {
        let mut run = Command::new(program("fieldnotary-signer"));
        run.args(["run", "--origin", ORIGIN, "--identity"]);
        run.arg(identity).arg("--socket").arg(socket);
        Self(run.spawn().unwrap())
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A signer with keys in a folder, an impostor with keys of his own, and who stands between them and a socket.
fn signers(dir: &Path) -> ([Signer; 2], PathBuf, Arc<AtomicU8>) {
    let (real, impostor) = (dir.join("real.sock"), dir.join("impostor.sock"));
    Node::keys(&dir.join("impostor"), ORIGIN);
    let both = [("keeper", &real), ("impostor", &impostor)]
        .map(|(name, socket)| Signer::start(&dir.join(name).join("identity"), socket));
    let socket = dir.join("between.sock");
    let harm = between(&socket, [&real, &impostor]);
    (both, socket, harm)
}

fn events(data: &Path, code: &str) -> Vec<Value> {
    let mut all = about("log", data, &["--kind", "event"]).entries();
    all.retain(|event| text(event, "code") == code);
    all
}

fn told(data: &Path, code: &str, times: usize) -> Value {
    wait_until(code, LONG, || {
        std::thread::sleep(Duration::from_millis(300));
        let mut all = events(data, code);
        (all.len() >= times).then(|| all.pop().unwrap())
    })
}

/// Each harm is told in words while it lasts, and ends with it.
fn not_sealed(node: &Node, harm: &AtomicU8) {
    let data = node.data();
    for (place, (how, words)) in [
        (
            FLIPPED,
            "what the signer gave is no signed head: signature of ",
        ),
        (OLD, "the signer signed another head than it was asked for"),
        (
            HALF,
            "the signer's note is not signed with its two keys and them alone",
        ),
        (
            CUSTODY,
            "the signer says beside a head that its key is held as tpm, and described it as held as software",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        harm.store(how, Ordering::SeqCst);
        let event = told(data, "signer_unavailable", place + 1);
        let detail = text(&event, "detail");
        assert!(detail.starts_with(&format!("failed: {words}")), "{event}");
        let cure = "see who serves the signer's socket";
        assert!(detail.contains(cure), "{event}");
        let status = node.status();
        assert_eq!(text(&status["seals"], "state"), "missed", "{status}");
        if how == FLIPPED {
            let hint = told(data, "tamper_hint", 1);
            let detail = text(&hint, "detail");
            assert!(detail.starts_with("signature_failures: "), "{hint}");
            assert_eq!(number(&hint, "count"), 5, "{hint}");
        }
        // It captures and commits meanwhile.
        node.wait_for("log_size", number(&status, "log_size") + 10);
        harm.store(NOTHING, Ordering::SeqCst);
        told(data, "signer_recovered", place + 1);
        node.wait_for("cosigned_size", number(&node.status(), "log_size"));
    }
    assert_eq!(events(data, "tamper_hint").len(), 1, "told once");
    assert!(events(data, "uplink_refused").is_empty());
}

//= A6.3
//= A6.7
//= A11.1
//= A11.2
//= A11.3
#[test]
fn an_invalid_signature_becomes_no_checkpoint_and_no_statement_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::start(dir, 1);
    let keys = Node::keys(&dir.join("keeper"), ORIGIN);
    let (signers, socket, harm) = signers(dir);
    let collector = Collector::start(dir, &keys);
    let contract = Contract::new(ORIGIN, "1MiB", 4).delivered_to(&collector);
    let contract = street.contract(contract);
    let words = ["--signer", socket.to_str().unwrap()];
    let node = Node::start_with(dir, "node", &contract, &words);
    node.wait_for("cosigned_size", 30);
    not_sealed(&node, &harm);
    let sound = node.stop();
    for place in [sound.as_path(), collector.dir()] {
        let said = about(
            "verify",
            place,
            &["--anchor", &keys[0], "--anchor", &keys[1]],
        );
        assert_eq!(said.code, Some(0), "{said:?}");
    }

    // What a statement says of the machine is no entry where it does not hold: of whoever asks, who is told, and of a boot.
    let node = Node::start_with(dir, "node", &contract, &words);
    let data = node.data().to_path_buf();
    let kinds = || {
        ["boot", "attestation"].map(|kind| about("log", &data, &["--kind", kind]).entries().len())
    };
    node.wait_for("sealed_size", number(&node.status(), "log_size"));
    let [boots, attestations] = wait_until("the boot", LONG, || {
        Some(kinds()).filter(|[boots, _]| *boots == 2)
    });
    harm.store(STATEMENT, Ordering::SeqCst);
    let recorder = running(&data, "recorder");
    signal(recorder, Signal::KILL);
    successor(&data, "recorder", recorder);
    sealed(&node);
    sealed(&node);
    let said = about("attest", &data, &[]);
    assert_eq!(said.code, Some(3), "{said:?}");
    let due = "attested nothing with the keys of this log: signature of ";
    assert!(said.err.contains(due), "{said:?}");
    assert_eq!(kinds(), [boots, attestations]);
    harm.store(NOTHING, Ordering::SeqCst);
    wait_until("the boot of this run", LONG, || {
        (kinds() == [boots + 1, attestations + 1]).then_some(())
    });
    // Files attest nothing, and the command says so; its entry is there.
    assert_eq!(about("attest", &data, &[]).code, Some(1));
    assert_eq!(kinds(), [boots + 1, attestations + 2]);
    sealed(&node);
    node.wait_for("cosigned_size", number(&node.status(), "log_size"));
    let data = node.stop();
    for place in [data.as_path(), collector.dir()] {
        let said = about("verify", place, &["--anchor", &keys[0]]);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    drop(signers);
    collector.stop();
}

/// Waits for what is told of somebody with other keys in this epoch of the recorder; the keys that are right are named.
fn told_of_other_keys(data: &Path, keys: &[String], times: usize) {
    wait_until("somebody with other keys to be told of", LONG, || {
        std::thread::sleep(Duration::from_millis(300));
        let mut all = events(data, "signer_unavailable");
        all.retain(|event| text(event, "detail").starts_with("other_keys: "));
        (all.len() >= times).then_some(())
    });
    let event = events(data, "signer_unavailable").pop().unwrap();
    let detail = text(&event, "detail");
    let named = |key: &String| key.splitn(3, '+').take(2).collect::<Vec<_>>().join("+");
    let right: Vec<String> = keys.iter().map(named).collect();
    for words in [
        "other_keys: the signer announces 2 keys: ",
        &format!("this log is signed with two: {}", right.join(", ")),
        "nothing of it went into the log; see who serves the signer's socket",
        "fieldnotary adopt",
    ] {
        assert!(detail.contains(words), "{words} in {detail}");
    }
    let (announced, _) = detail.split_once("; this log").unwrap();
    assert!(!right.iter().any(|key| announced.contains(key)), "{detail}");
}

/// Whoever serves the signer's socket with keys of his own, from the first description of a recorder on or later, seals nothing. Keys
/// that follow those of the log by their own word do, whoever hears of them first.
//= A6.3
//= A6.7
//= A11.3
//= R8.2
#[test]
fn who_answers_as_the_signer_with_keys_of_his_own_seals_nothing_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::start(dir, 1);
    let mut keys = Node::keys(&dir.join("keeper"), ORIGIN);
    let (signers, socket, harm) = signers(dir);
    let contract = street.contract(Contract::new(ORIGIN, "1MiB", 4));
    let words = ["--signer", socket.to_str().unwrap()];
    let node = Node::start_with(dir, "node", &contract, &words);
    let data = node.data().to_path_buf();
    let seals = || {
        about("log", &data, &["--kind", "checkpoint"])
            .entries()
            .len()
    };
    sealed(&node);
    // In the place of a signer that is known, and then from the first word on that a recorder hears.
    for times in 1..=2 {
        harm.store(IMPOSTOR, Ordering::SeqCst);
        if times > 1 {
            let recorder = running(&data, "recorder");
            signal(recorder, Signal::KILL);
            successor(&data, "recorder", recorder);
        }
        told_of_other_keys(&data, &keys, times);
        let before = seals();
        let status = node.status();
        assert_eq!(text(&status["seals"], "state"), "missed", "{status}");
        assert!(
            text(&status["seals"], "cure").contains("identity/keys.vkey"),
            "{status}"
        );
        // It captures and commits meanwhile.
        node.wait_for("log_size", number(&status, "log_size") + 10);
        assert_eq!(seals(), before);
        harm.store(NOTHING, Ordering::SeqCst);
        sealed(&node);
        let stretches = about("log", &data, &["--kind", "unsealed"]).entries();
        assert_eq!(stretches.len(), times, "{stretches:?}");
        assert!(seals() > before);
    }
    // The signer's own new keys: as the log is told by whoever ordered them, and by the signer where that one was cut off.
    keys.extend(rotate(&data, "yearly"));
    sealed(&node);
    let signer = Channel::connect(&dir.join("real.sock"), LONG).unwrap();
    order(&signer, "and once more");
    wait_until("the log to be told", LONG, || {
        (rotations(&data).len() == 2).then_some(())
    });
    sealed(&node);
    let recorder = running(&data, "recorder");
    signal(recorder, Signal::KILL);
    successor(&data, "recorder", recorder);
    sealed(&node);
    assert_eq!(
        events(&data, "signer_unavailable")
            .iter()
            .filter(|event| text(event, "detail").starts_with("other_keys: "))
            .count(),
        2
    );
    let data = node.stop();
    verifies(&data, &keys, 2);
    drop(signers);
}

/// The keys of a log are public: whoever announces them at the signer's socket, and has others, is believed nothing, is asked for
/// nothing, and has nothing in the log.
//= A6.3
//= A6.4
//= A11.3
//= R8.2
#[test]
fn who_announces_the_keys_of_the_log_and_has_others_has_nothing_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::start(dir, 1);
    let keys = Node::keys(&dir.join("keeper"), ORIGIN);
    let (signers, socket, harm) = signers(dir);
    // A statement of keys of his own, whole and under the name of the log.
    let impostor = Channel::connect(&dir.join("impostor.sock"), LONG).unwrap();
    order(&impostor, "yearly");
    let contract = Contract::new(ORIGIN, "1MiB", 4).of_firmware(7);
    let contract = street.contract(contract);
    let words = ["--signer", socket.to_str().unwrap()];
    let node = Node::start_with(dir, "node", &contract, &words);
    let data = node.data().to_path_buf();
    let kinds = || {
        let kinds = [
            "rollback",
            "key_rotation",
            "key_store",
            "boot",
            "attestation",
            "firmware",
        ];
        // That the signer could not be asked of a boot is the recorder's own word.
        let of_signer = |one: &Value| one["state"] != "unavailable";
        kinds.map(|kind| {
            let mut all = about("log", &data, &["--kind", kind]).entries();
            all.retain(of_signer);
            all.len()
        })
    };
    sealed(&node);
    wait_until("the boot", LONG, || (kinds()[4] == 1).then_some(()));
    let before = kinds();
    harm.store(PRETENDER, Ordering::SeqCst);
    // In the place of a signer that is known, and then from the first word on that a recorder hears.
    for times in 1..=2 {
        if times > 1 {
            let recorder = running(&data, "recorder");
            signal(recorder, Signal::KILL);
            successor(&data, "recorder", recorder);
        }
        let event = wait_until("who pretends to be told of", LONG, || {
            std::thread::sleep(Duration::from_millis(300));
            let mut all = events(&data, "signer_unavailable");
            all.retain(|event| text(event, "detail").starts_with("other_keys: "));
            (all.len() >= times).then(|| all.pop().unwrap())
        });
        let detail = text(&event, "detail");
        assert!(
            detail.contains("what it says is not signed with them"),
            "{detail}"
        );
        let said = about("attest", &data, &[]);
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(said.err.contains("the keys of this log"), "{said:?}");
        // It captures and commits meanwhile.
        node.wait_for("log_size", number(&node.status(), "log_size") + 10);
        assert_eq!(kinds(), before);
    }
    harm.store(NOTHING, Ordering::SeqCst);
    sealed(&node);
    wait_until("the boot of this run", LONG, || {
        (kinds()[4] == 2).then_some(())
    });
    let [alarms, rotations, ..] = kinds();
    assert_eq!((alarms, rotations), (0, 0));
    sealed(&node);
    let data = node.stop();
    verifies(&data, &keys, 0);
    drop(signers);
}
