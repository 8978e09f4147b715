//! Every way in which a binding does not bind, on attestations made here with a key of ours; those of a real TPM
//! are judged in the tests of the signer and of the node.

use super::{BindingFault, Bindings, name, qualified};
use ed25519_dalek::ed25519::signature::Signer as _;
use evidence::kinds::{Binding, BindingCounter, KeyStore};
use evidence::reasons::{CounterKind, Custody};
use evidence::{Blob, MonoNs};
use p256::ecdsa::{DerSignature, SigningKey};
use proof::note::{VerifierKey, p256_spki};
use std::string::String;
use std::vec::Vec;
use tpm::{KeyPublic, NvPublic};

const TEXT: &str = "meters.example/site/g1\n5\nAAAA\n";
/// The bit of an index that was incremented.
const WRITTEN: u32 = 1 << 29;

pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 32]).unwrap()
}

pub(crate) fn authority(key: &SigningKey) -> VerifierKey {
    VerifierKey::p256("meters.example/site/g1", &p256_spki(key.verifying_key())).unwrap()
}

/// The public area of a key in a TPM that made this point; the bit flips an attribute.
pub(crate) fn public(key: &SigningKey, flip: u32) -> Vec<u8> {
    let spki = p256_spki(key.verifying_key());
    let (x, y) = spki[spki.len() - 64..].split_at(32);
    let mut public = KeyPublic::authority_template(x.try_into().unwrap());
    public.truncate(public.len() - 2);
    public.extend([0, 32]);
    public.extend(y);
    let attributes = u32::from_be_bytes(public[4..8].try_into().unwrap()) ^ flip;
    public[4..8].copy_from_slice(&attributes.to_be_bytes());
    public
}

/// What its TPM calls this key in an attestation.
pub(crate) fn qualified_of(number: u8) -> Vec<u8> {
    qualified(&name(&public(&key(number), 0)))
}

pub(crate) fn index(index: u32, orderly: bool, flip: u32) -> Vec<u8> {
    let mut public = NvPublic::counter(index, orderly).bytes();
    let attributes = u32::from_be_bytes(public[6..10].try_into().unwrap()) ^ WRITTEN ^ flip;
    public[6..10].copy_from_slice(&attributes.to_be_bytes());
    public
}

pub(crate) fn store(key_public: Vec<u8>, plain: Vec<u8>) -> KeyStore {
    KeyStore {
        at: MonoNs(1),
        custody: Custody::Tpm,
        maker: "IFX SLB9".into(),
        non_exportable: true,
        monotonic_counter: true,
        attestation: true,
        measured_boot: false,
        key_public: Some(Blob(key_public)),
        counters: Vec::from([BindingCounter {
            counter: CounterKind::Plain,
            public: Blob(plain),
        }]),
        window_ns: None,
        not_applied: Vec::new(),
    }
}

/// What an attestation says.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) signer: Vec<u8>,
    pub(crate) index: Vec<u8>,
    pub(crate) value: u64,
    pub(crate) clock_ms: u64,
    pub(crate) resets: u32,
    pub(crate) offset: u16,
}

impl Said {
    pub(crate) fn new() -> Self {
        Self {
            text: TEXT.into(),
            signer: qualified(&name(&public(&key(7), 0))),
            index: name(&index(1, false, 0)),
            value: 10,
            clock_ms: 1_000,
            resets: 3,
            offset: 0,
        }
    }

    pub(crate) fn by(&self, signer: &SigningKey) -> Binding {
        let sized = |bytes: &[u8]| {
            let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
            [&length[..], bytes].concat()
        };
        let attest = [
            &[0xff, 0x54, 0x43, 0x47, 0x80, 0x14][..],
            &sized(&self.signer),
            &sized(&super::qualifying(&self.text)),
            &self.clock_ms.to_be_bytes(),
            &self.resets.to_be_bytes(),
            &[0, 0, 0, 0, 1],
            &[0; 8],
            &sized(&self.index),
            &self.offset.to_be_bytes(),
            &sized(&self.value.to_be_bytes()),
        ]
        .concat();
        let signature: DerSignature = signer.sign(&attest);
        Binding {
            at: MonoNs(2),
            size: 5,
            counter: CounterKind::Plain,
            value: self.value,
            attest: Blob(attest),
            signature: Blob(signature.as_bytes().to_vec()),
        }
    }
}

fn stated() -> Bindings {
    let mut bindings = Bindings::default();
    let store = store(public(&key(7), 0), index(1, false, 0));
    assert_eq!(bindings.store(&store, &authority(&key(7))), []);
    bindings
}

//= A6.4
#[test]
fn a_store_with_another_key_a_weak_key_or_no_counter_is_named() {
    let plain = CounterKind::Plain;
    for (key_public, counter, fault) in [
        (public(&key(7), 0), index(1, false, 0), None),
        (
            public(&key(8), 0),
            index(1, false, 0),
            Some(BindingFault::OtherKey),
        ),
        // It may be duplicated; it signs what others hashed.
        (
            public(&key(7), 1 << 1),
            index(1, false, 0),
            Some(BindingFault::WeakKey),
        ),
        (
            public(&key(7), 1 << 16),
            index(1, false, 0),
            Some(BindingFault::WeakKey),
        ),
        // An orderly one, one that the owner may write, one that never moved, a plain index.
        (
            public(&key(7), 0),
            index(1, true, 0),
            Some(BindingFault::NoCounter(plain)),
        ),
        (
            public(&key(7), 0),
            index(1, false, 1 << 1),
            Some(BindingFault::NoCounter(plain)),
        ),
        (
            public(&key(7), 0),
            index(1, false, WRITTEN),
            Some(BindingFault::NoCounter(plain)),
        ),
        (
            public(&key(7), 0),
            index(1, false, 0x10),
            Some(BindingFault::NoCounter(plain)),
        ),
    ] {
        let mut bindings = Bindings::default();
        let outcome = bindings.store(&store(key_public, counter), &authority(&key(7)));
        assert_eq!(outcome, Vec::from_iter(fault));
    }
    let mut bindings = stated();
    let again = store(public(&key(7), 0), index(2, false, 0));
    let replaced = bindings.store(&again, &authority(&key(7)));
    assert_eq!(replaced, [BindingFault::CounterReplaced(plain)]);
}

//= A6.4
#[test]
fn only_a_newer_value_of_the_stated_counter_over_this_text_binds() {
    let good = Said::new();
    let counter = CounterKind::Plain;
    let other = |change: fn(&mut Said)| {
        let mut said = Said::new();
        said.value = 11;
        said.clock_ms = 2_000;
        change(&mut said);
        said.by(&key(7))
    };
    let mut stated_otherwise = other(|_| {});
    stated_otherwise.value = 12;
    let mut of_the_other = other(|_| {});
    of_the_other.counter = CounterKind::Orderly;
    for (binding, fault) in [
        (other(|_| {}), None),
        (other(|said| said.value = 500), None),
        (other(|said| (said.resets, said.clock_ms) = (4, 1)), None),
        (good.by(&key(8)), Some(BindingFault::Signature)),
        (
            other(|said| said.text = "another\n5\nAAAA\n".into()),
            Some(BindingFault::OtherText),
        ),
        (other(|said| said.offset = 1), Some(BindingFault::NoValue)),
        (
            other(|said| said.index = name(b"?")),
            Some(BindingFault::OtherIndex(counter)),
        ),
        (
            other(|said| said.signer = name(b"?")),
            Some(BindingFault::OtherSigner),
        ),
        (
            other(|said| said.value = 10),
            Some(BindingFault::Backwards {
                counter,
                before: 10,
                now: 10,
            }),
        ),
        (
            other(|said| said.value = 9),
            Some(BindingFault::Backwards {
                counter,
                before: 10,
                now: 9,
            }),
        ),
        (other(|said| said.resets = 2), Some(BindingFault::OtherTpm)),
        (
            other(|said| said.clock_ms = 999),
            Some(BindingFault::OtherTpm),
        ),
        (
            stated_otherwise,
            Some(BindingFault::OtherValue {
                attested: 11,
                stated: 12,
            }),
        ),
        (
            of_the_other,
            Some(BindingFault::UnknownCounter(CounterKind::Orderly)),
        ),
    ] {
        let mut bindings = stated();
        bindings
            .take(&good.by(&key(7)), TEXT, &authority(&key(7)))
            .unwrap();
        let outcome = bindings.take(&binding, TEXT, &authority(&key(7)));
        assert_eq!(outcome.err(), fault);
        let stands = if fault.is_none() { binding.value } else { 10 };
        assert_eq!(bindings.value(counter), Some(stands));
    }
    let nothing = Bindings::default().take(&good.by(&key(7)), TEXT, &authority(&key(7)));
    assert_eq!(nothing, Err(BindingFault::UnknownCounter(counter)));
}

//= A6.4
#[test]
fn steps_of_the_plain_counter_that_no_binding_shows_are_counted() {
    let mut bindings = stated();
    for (value, unshown) in [(10, 0), (11, 0), (13, 1), (20, 6)] {
        let mut said = Said::new();
        said.value = value;
        let taken = bindings.take(&said.by(&key(7)), TEXT, &authority(&key(7)));
        assert_eq!(taken, Ok(unshown), "{value}");
    }
}
