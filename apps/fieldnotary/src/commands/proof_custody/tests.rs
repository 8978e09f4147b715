//! Which entries say of the key behind a proof that hardware holds it, and which leave that open.

use super::{file_beside, find};
use crate::test_keys::{keys, signed, tpm_public};
use evidence::kinds::{Checkpoint, Event, KeyStore};
use evidence::reasons::{Custody, EventCode, HoldoverReason, TimeQuality, TimeStatus};
use evidence::{
    Blob, Captured, CommitId, Digest, Entry, Epoch, Generation, Header, MonoNs, Payload, SaltKey,
    SourceId, Stamp, TimeDetail, UtcNs, leaf_data,
};
use proof::Frontier;
use proof::note::VerifierKey;
use proof::offline::OfflineProof;
use proof::tree::leaf_hash;
use query::Anchors;

const BASE: &str = "example.org/n";
const ORIGIN: &str = "example.org/n/g1";

fn store(custody: Custody, key_public: Option<Vec<u8>>) -> Payload {
    KeyStore {
        at: MonoNs(1),
        custody,
        maker: "a maker".into(),
        non_exportable: true,
        monotonic_counter: false,
        attestation: false,
        measured_boot: false,
        key_public: key_public.map(Blob),
        counters: Vec::new(),
        window_ns: None,
        not_applied: Vec::new(),
    }
    .into()
}

fn checkpoint(custody: Custody) -> Payload {
    Checkpoint {
        at: MonoNs(1),
        size: 0,
        root: Digest([0; 32]),
        custody,
        note: "of no matter here".into(),
    }
    .into()
}

fn leaf(id: u64, payload: &Payload) -> Vec<u8> {
    let captured = Captured::new(payload);
    let entry = Entry {
        header: Header {
            kind: captured.kind,
            generation: Generation(1),
            commit_id: CommitId(id),
            epoch: Epoch(1),
        },
        stamp: Stamp {
            timestamp: UtcNs(1_700_000_000_000_000_000),
            quality: TimeQuality::RtcOnly,
            status: TimeStatus::FreeRun,
            bound_ns: None,
            detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
        },
        captured,
    };
    let salt = SaltKey([4; 16]).salt(Generation(1), CommitId(id));
    leaf_data(&salt, &entry.encode())
}

/// The proofs of an event and of what says what holds the keys, under the head of both, by the keys of a seed.
fn proofs(said: &Payload, seed: u8) -> [OfflineProof; 2] {
    let own = SourceId::new("recorder").unwrap();
    let event = Event::new(MonoNs(1), EventCode::OrderlyStop, own).into();
    let leaves = [leaf(0, &event), leaf(1, said)];
    let mut tree = Frontier::new();
    leaves.iter().for_each(|leaf| tree.push(leaf_hash(leaf)));
    let head = proof::Checkpoint::new(ORIGIN, 2, tree.root()).unwrap();
    let note = signed(&head.body().unwrap(), ORIGIN, &[seed]);
    let others = [leaf_hash(&leaves[1]), leaf_hash(&leaves[0])];
    let mut all = (0..).zip(leaves).zip(others);
    std::array::from_fn(|_| {
        let ((index, leaf), other) = all.next().unwrap();
        OfflineProof {
            leaf: Some(leaf),
            index,
            hashes: vec![other],
            note: note.clone(),
        }
    })
}

/// What is said for programs and on the screen, under these pins: of the entry that says it by itself, and of the other beside it.
fn found(
    said: &Payload,
    pinned: &[VerifierKey],
) -> [Result<(serde_json::Value, String), String>; 2] {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("one.tlog-proof");
    let [event, keys] = proofs(said, 1);
    std::fs::write(file_beside(&path), keys.to_string()).unwrap();
    let anchors = Anchors::pinned(pinned.to_vec());
    [keys, event].map(|proof| {
        query::verify_proof(&proof, &anchors).unwrap();
        let told = find(&proof, &path, &anchors)?.unwrap();
        Ok((told.json(), told.lines().join("\n")))
    })
}

/// An auditor who has one entry and its proof is told of hardware where the log named that very key, and nowhere else.
//= A6.2
//= U4
#[test]
fn hardware_is_said_of_the_key_that_an_entry_under_the_same_head_names_and_that_signed_it() {
    let [authority, beside] = keys(BASE, 1);
    let both = [authority, beside.clone()];
    let own = || Some(tpm_public(1));
    for (said, pinned, hardware, words) in [
        (store(Custody::Tpm, own()), &both[..], true, ""),
        (store(Custody::Tpm, own()), &both[..1], true, ""),
        // Whoever has the other key alone cannot tell which authority signed.
        (
            store(Custody::Tpm, own()),
            &both[1..],
            false,
            "none that is pinned signed here",
        ),
        (
            store(Custody::Tpm, None),
            &both[..],
            false,
            "does not name the key",
        ),
        (
            store(Custody::Pkcs11, None),
            &both[..],
            false,
            "does not name the key",
        ),
        (
            checkpoint(Custody::Tpm),
            &both[..],
            false,
            "a checkpoint says it alone",
        ),
        (
            checkpoint(Custody::Pkcs11),
            &both[..],
            false,
            "a checkpoint says it alone",
        ),
        // What claims nothing has nothing to prove on a screen.
        (store(Custody::TpmEmulated, own()), &both[..], false, ""),
        (store(Custody::Software, None), &both[..], false, ""),
    ] {
        for told in found(&said, pinned) {
            let (json, lines) = told.unwrap();
            assert_eq!(json["hardware"], hardware, "{json}");
            assert_eq!(lines.contains("NOT PROVED: "), !words.is_empty(), "{lines}");
            assert!(lines.contains(words), "{lines}");
            if !words.is_empty() {
                let unproved = json["unproved"].as_str().unwrap();
                assert!(unproved.contains(words), "{json}");
            }
            assert_eq!(json["commit_id"], 1);
        }
    }
    // Another TPM's key: the entry says nothing of this one, and that is no small matter.
    for told in found(&store(Custody::Tpm, Some(tpm_public(2))), &both) {
        let words = told.unwrap_err();
        assert!(
            words.contains("not the one that signs the checkpoints"),
            "{words}"
        );
    }
}

//= A6.2
#[test]
fn what_lies_beside_a_proof_counts_under_the_same_head_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("one.tlog-proof");
    let both = [keys(BASE, 1), keys(BASE, 2)].concat();
    let anchors = Anchors::pinned(both);
    let said = store(Custody::Tpm, Some(tpm_public(1)));
    let [event, _] = proofs(&said, 1);
    let other = store(Custody::Tpm, Some(tpm_public(2)));
    let look = |[_, keys]: [OfflineProof; 2]| {
        std::fs::write(file_beside(&path), keys.to_string()).unwrap();
        find(&event, &path, &anchors).map(|told| told.unwrap().json()["hardware"].clone())
    };
    let under_another = look(proofs(&other, 2)).unwrap_err();
    let words = "it is under the head of 2 entries";
    assert!(under_another.contains(words), "{under_another}");
    // The keys that signed the head of the entry itself are those that count, also where others signed the same one.
    assert_eq!(look(proofs(&said, 2)), Ok(true.into()));
    let elsewhere = dir.path().join("two.tlog-proof");
    assert!(find(&event, &elsewhere, &anchors).unwrap().is_none());
}
