//! What is signed, what is refused, and what is counted.

use super::{Engine, SignError};
use crate::backend::{
    Backend, BackendError, Capabilities, Certified, Counter, Credential, Description, Step,
};
use crate::last_signed::LastSigned;
use crate::origin::BaseOrigin;
use crate::statement::{Claim, Purpose, Signable, Statement};
use ed25519_dalek::Signer as _;
use evidence::reasons::{CounterKind, KeyFault};
use proof::note::{Algorithm, Note, p256_spki};
use proof::{Hash, SignedCheckpoint};
use std::string::{String, ToString as _};
use std::vec::Vec;
use tpm::EndorsementKind;

const BASE: &str = "meters.example/site";
const G1: &str = "meters.example/site/g1";
const G2: &str = "meters.example/site/g2";

/// Keys made of two numbers, and a fault to show.
#[derive(Debug)]
struct Keys {
    p256: p256::ecdsa::SigningKey,
    ed25519: ed25519_dalek::SigningKey,
    fault: Option<Fault>,
    counters: Vec<Counter>,
    lacking: Vec<CounterKind>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Store(KeyFault),
    WrongText,
}

impl Keys {
    fn new(fault: Option<Fault>) -> Self {
        Self {
            p256: p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap(),
            ed25519: ed25519_dalek::SigningKey::from_bytes(&[9; 32]),
            fault,
            counters: Vec::new(),
            lacking: Vec::new(),
        }
    }

    fn text(&self, text: &Signable) -> Result<String, BackendError> {
        match self.fault {
            None => Ok(text.text().into()),
            Some(Fault::Store(fault)) => Err(BackendError::new(fault, "no token")),
            Some(Fault::WrongText) => Ok("another text".into()),
        }
    }
}

impl Backend for Keys {
    fn describe(&mut self) -> Result<Description, BackendError> {
        Ok(Description {
            capabilities: Capabilities::SOFTWARE,
            maker: "two numbers".into(),
            key_public: None,
            counters: self.counters.clone(),
            lacking: self.lacking.clone(),
            kept: 0,
        })
    }

    fn p256_public(&self) -> Vec<u8> {
        p256_spki(self.p256.verifying_key())
    }

    fn ed25519_public(&self) -> [u8; 32] {
        self.ed25519.verifying_key().to_bytes()
    }

    fn sign_p256(&mut self, text: &Signable) -> Result<Vec<u8>, BackendError> {
        let text = self.text(text)?;
        let signature: p256::ecdsa::DerSignature = self.p256.sign(text.as_bytes());
        Ok(signature.as_bytes().to_vec())
    }

    fn sign_ed25519(&mut self, text: &Signable) -> Result<[u8; 64], BackendError> {
        let text = self.text(text)?;
        Ok(self.ed25519.sign(text.as_bytes()).to_bytes())
    }

    fn can_count(&self) -> bool {
        true
    }

    fn value(&mut self, _: CounterKind) -> Result<u64, BackendError> {
        Ok(8)
    }

    fn certify(
        &mut self,
        _: CounterKind,
        _: Step,
        text: &Signable,
    ) -> Result<Certified, BackendError> {
        let text = self.text(text)?;
        let attest = attest(&text, 9);
        let signature: p256::ecdsa::DerSignature = self.p256.sign(&attest);
        Ok(Certified {
            attest,
            signature: signature.as_bytes().to_vec(),
        })
    }
}

/// An attestation of a counter over a text, as far as it matters here.
fn attest(text: &str, value: u64) -> Vec<u8> {
    let mut out = std::vec![0xff, 0x54, 0x43, 0x47, 0x80, 0x14, 0, 0, 0, 32];
    out.extend(crate::qualifying(text));
    out.extend([0; 8 + 4 + 4 + 1 + 8]);
    out.extend([0, 0, 0, 0, 0, 8]);
    out.extend(value.to_be_bytes());
    out
}

fn engine(last_signed: LastSigned, fault: Option<Fault>) -> Engine<Keys> {
    Engine::new(
        Keys::new(fault),
        BaseOrigin::new(BASE).unwrap(),
        last_signed,
    )
}

fn head(origin: &str, size: u64, root: u8) -> Statement {
    Statement::Checkpoint {
        origin: origin.into(),
        size,
        root: Hash([root; 32]),
    }
}

fn sign(engine: &mut Engine<Keys>, statement: &Statement) -> Result<String, SignError> {
    let pending = engine.check(statement)?;
    engine
        .sign(pending, Some(Step::Next))
        .map(|signed| signed.note)
}

//= A6.3
#[test]
fn a_checkpoint_is_signed_by_both_keys_under_the_origins_name() {
    let mut engine = engine(LastSigned::default(), None);
    let note = sign(&mut engine, &head(G1, 70, 1)).unwrap();
    let keys = engine.verifier_keys(G1).unwrap();
    assert_eq!(keys[0].algorithm(), Algorithm::EcdsaP256);
    assert_eq!(keys[1].algorithm(), Algorithm::Ed25519);
    // The authority alone vouches, and so does the other line for tools that know only it.
    for key in &keys {
        let only = [key.clone()];
        let opened = SignedCheckpoint::open(note.as_bytes(), &only).unwrap();
        let checkpoint = opened.checkpoint();
        assert_eq!((checkpoint.origin.as_str(), checkpoint.size), (G1, 70));
        assert_eq!(checkpoint.root, Hash([1; 32]));
    }
    let note = Note::parse(note.as_bytes()).unwrap();
    let lines = note.signatures();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].key_id(), keys[0].key_id());
    assert!(lines.iter().all(|line| line.name() == G1));
}

//= A6.1
//= A6.3
#[test]
fn what_was_signed_is_never_contradicted() {
    let table: [(Statement, Option<bool>); 9] = [
        (head(G1, 10, 1), None),
        (head(G1, 10, 1), None),
        (head(G1, 10, 2), Some(true)),
        (head(G1, 9, 1), Some(true)),
        (head(G1, 11, 3), None),
        (head(G1, 10, 1), Some(true)),
        (head(G2, 3, 1), None),
        (head(G1, 11, 3), None),
        (head(G2, 0, 1), Some(false)),
    ];
    let mut engine = engine(LastSigned::default(), None);
    for (statement, refused) in table {
        let signed = sign(&mut engine, &statement);
        let rollback = signed.as_ref().err().map(SignError::is_rollback);
        assert_eq!(rollback, refused, "{statement:?} {signed:?}");
    }
    let audit = engine.audit();
    assert_eq!((audit.refused, audit.rollback_attempts), (4, 3));
    assert_eq!(audit.signature_failures, 0);
    assert_eq!(engine.audit().key_ops(Purpose::Checkpoint), 10);
    assert_eq!(engine.audit().key_ops_total(), 10);
}

//= A6.3
//= A6.7
#[test]
fn claims_are_signed_by_both_keys_and_counted_by_purpose() {
    let mut engine = engine(LastSigned::default(), None);
    sign(&mut engine, &head(G1, 70, 1)).unwrap();
    for claim in [Claim::Boot(b"stages"), Claim::Attestation(b"nonce")] {
        let note = engine.claim(G1, claim).unwrap().note;
        let note = Note::parse(note.as_bytes()).unwrap();
        assert_eq!(note.text(), claim.text(G1));
        let keys = engine.verifier_keys(G1).unwrap();
        let verified = note.verify(&keys).unwrap();
        assert!(verified.has_key(0) && verified.has_key(1));
        assert_eq!(engine.audit().key_ops(claim.purpose()), 2, "{claim:?}");
    }
    let foreign = engine.claim("other.example/site/g1", Claim::Boot(b"stages"));
    assert!(matches!(foreign, Err(SignError::Origin(_))), "{foreign:?}");
    assert_eq!(engine.audit().refused, 1);
    assert_eq!(engine.audit().key_ops_total(), 6);
}

/// What the signer says of itself is of its store, and of no generation.
//= A6.3
//= A6.7
#[test]
fn a_description_is_signed_by_both_keys_under_the_base_origin_and_counted() {
    let mut engine = engine(LastSigned::default(), None);
    let note = engine.description(b"what it says").unwrap();
    let note = Note::parse(note.as_bytes()).unwrap();
    assert_eq!(note.text(), Claim::Description(b"what it says").text(BASE));
    let keys = engine.verifier_keys(BASE).unwrap();
    let verified = note.verify(&keys).unwrap();
    assert!(verified.has_key(0) && verified.has_key(1));
    assert_eq!(engine.audit().key_ops(Purpose::Description), 2);
    assert_eq!(engine.audit().key_ops_total(), 2);
}

//= A6.3
#[test]
fn a_restart_remembers_what_the_host_stored() {
    let mut first = engine(LastSigned::default(), None);
    let pending = first.check(&head(G1, 10, 1)).unwrap();
    let stored = pending.last_signed().to_text();
    // The process ends here: stored, but the signature never left.
    let mut second = engine(LastSigned::parse(&stored).unwrap(), None);
    let shrunk = sign(&mut second, &head(G1, 9, 1)).unwrap_err();
    assert_eq!(
        shrunk,
        SignError::Shrunk {
            signed: 10,
            asked: 9
        }
    );
    assert!(shrunk.to_string().contains("needs a new generation"));
    assert!(sign(&mut second, &head(G1, 10, 1)).is_ok());
}

#[test]
fn of_two_pending_statements_that_contradict_one_is_signed() {
    let mut engine = engine(LastSigned::default(), None);
    let one = engine.check(&head(G1, 10, 1)).unwrap();
    let other = engine.check(&head(G1, 10, 2)).unwrap();
    assert!(engine.sign(one, Some(Step::Next)).is_ok());
    assert!(
        engine
            .sign(other, Some(Step::Next))
            .unwrap_err()
            .is_rollback()
    );
}

//= A6.1
#[test]
fn nothing_but_a_head_of_this_log_is_signed() {
    let mut engine = engine(LastSigned::default(), None);
    for origin in [
        "",
        BASE,
        "other/g1",
        "meters.example/site/g1\n5\nAAAA",
        "cosignature/v1",
    ] {
        let error = sign(&mut engine, &head(origin, 5, 1)).unwrap_err();
        assert!(matches!(error, SignError::Origin(_)), "{origin:?}: {error}");
    }
    for size in [0, u64::MAX] {
        let error = sign(&mut engine, &head(G1, size, 1)).unwrap_err();
        assert!(matches!(error, SignError::Checkpoint(_)), "{error}");
    }
    assert_eq!(engine.audit().key_ops_total(), 0);
    assert_eq!(engine.audit().refused, 7);
    assert_eq!(engine.audit().rollback_attempts, 0);
}

/// A store that is not there, or whose module does not begin, has not failed to sign; one that has no key, or locks, has.
//= A6.6
#[test]
fn only_a_store_that_was_there_fails_to_sign() {
    for fault in KeyFault::ALL {
        let mut engine = engine(LastSigned::default(), Some(Fault::Store(*fault)));
        sign(&mut engine, &head(G1, 5, 1)).unwrap_err();
        let counted = engine.audit().signature_failures;
        assert_eq!(counted, u64::from(fault.is_failed_signature()), "{fault}");
        assert_eq!(engine.audit().refused, 0);
    }
    for gone in [KeyFault::Unavailable, KeyFault::TokenMissing] {
        assert!(!gone.is_failed_signature(), "{gone}");
    }
    assert!(KeyFault::Failed.is_failed_signature());
}

//= A6.3
#[test]
fn a_signature_that_does_not_verify_is_withheld() {
    let table = [
        (Fault::Store(KeyFault::LockedOut), "locked_out: no token"),
        (Fault::WrongText, "it was withheld"),
    ];
    for (fault, expected) in table {
        let mut engine = engine(LastSigned::default(), Some(fault));
        let error = sign(&mut engine, &head(G1, 5, 1)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(engine.audit().signature_failures, 1);
        assert_eq!(engine.audit().refused, 0);
        // It may have been made and seen: the head counts as signed.
        assert!(engine.check(&head(G1, 4, 1)).unwrap_err().is_rollback());
    }
}

#[test]
fn equal_statements_have_equal_notes() {
    let mut engine = engine(LastSigned::default(), None);
    let note = sign(&mut engine, &head(G1, 5, 1)).unwrap();
    assert_eq!(sign(&mut engine, &head(G1, 5, 1)).unwrap(), note);
}

#[test]
fn a_key_under_another_name_is_the_key_of_that_name() {
    let engine = engine(LastSigned::default(), None);
    let named = |name: &str| engine.verifier_keys(name).unwrap();
    for (base, full) in named(BASE).iter().zip(named(G1)) {
        assert_eq!(base.under_name(G1).unwrap(), full);
    }
    // The authority's key id is the same in every generation, that of Ed25519 is not.
    assert_eq!(named(G1)[0].key_id(), named(G2)[0].key_id());
    assert_ne!(named(G1)[1].key_id(), named(G2)[1].key_id());
}

/// An engine whose keys have both counters.
fn counting() -> Engine<Keys> {
    let mut keys = Keys::new(None);
    keys.counters = [CounterKind::Orderly, CounterKind::Plain]
        .into_iter()
        .map(|kind| Counter {
            kind,
            public: Vec::new(),
        })
        .collect();
    Engine::new(keys, BaseOrigin::new(BASE).unwrap(), LastSigned::default())
}

//= A6.4
#[test]
fn a_checkpoint_is_bound_to_the_plain_counter_only_where_that_is_due() {
    let mut engine = counting();
    for (size, due, counters) in [
        (5, None, &[CounterKind::Orderly][..]),
        (
            6,
            Some(Step::Next),
            &[CounterKind::Orderly, CounterKind::Plain],
        ),
    ] {
        let pending = engine.check(&head(G1, size, 1)).unwrap();
        let signed = engine.sign(pending, due).unwrap();
        let bound: Vec<_> = signed.bound.iter().map(|one| one.counter).collect();
        assert_eq!(bound, counters);
        assert!(signed.bound.iter().all(|one| one.value == 9));
        assert_eq!(signed.unbound, None);
    }
    assert_eq!(engine.audit().key_ops(Purpose::Binding), 3);
    assert_eq!(engine.audit().key_ops_total(), 7);
}

//= A6.4
#[test]
fn a_counter_that_is_not_there_leaves_the_checkpoint_signed_and_says_so() {
    let mut engine = counting();
    engine.backend.lacking.push(CounterKind::Plain);
    engine.backend.counters.pop();
    let pending = engine.check(&head(G1, 5, 1)).unwrap();
    let signed = engine.sign(pending, Some(Step::Next)).unwrap();
    assert_eq!(signed.bound.len(), 1);
    let unbound = signed.unbound.unwrap();
    assert_eq!(unbound.fault, KeyFault::CounterUndefined);
    assert!(unbound.words.contains("plain counter"), "{}", unbound.words);
}

/// A signer that hangs would be taken for one that derives a key, where anybody could have it announce that.
//= A6.7
#[test]
fn what_may_take_long_begins_only_where_the_request_is_for_this_log() {
    let mut engine = engine(LastSigned::default(), None);
    let credential = Credential {
        kind: EndorsementKind::Rsa2048,
        blob: Vec::new(),
        secret: Vec::new(),
    };
    for (origin, credential, due) in [
        ("meters.example/other/g1", Some(&credential), None),
        (G1, None, None),
        (G1, Some(&credential), Some(EndorsementKind::Rsa2048)),
    ] {
        let mut begun = None;
        let _refused = engine.answer(origin, &[1; 32], &[2; 32], credential, |kind| {
            begun = Some(kind);
        });
        assert_eq!(begun, due, "{origin}");
    }
}
