//! Keys of logs for tests: a pair for each seed, what they sign, and what a TPM would say of one.

use ed25519_dalek::SigningKey as Ed25519;
use evidence::{Actor, Generation};
use p256::ecdsa::SigningKey as P256;
use proof::Hash;
use proof::note::{Algorithm, Note, VerifierKey, p256_spki, sign_ed25519, sign_p256};
use trust_plane::{BaseOrigin, Rotation};

fn secrets(seed: u8) -> (P256, Ed25519) {
    let p256 = P256::from_slice(&[seed; 32]).unwrap();
    (p256, Ed25519::from_bytes(&[seed; 32]))
}

/// The two keys of a seed, the authority first.
pub(crate) fn keys(name: &str, seed: u8) -> [VerifierKey; 2] {
    let (p256, ed25519) = secrets(seed);
    let public = ed25519.verifying_key();
    [
        VerifierKey::p256(name, &p256_spki(p256.verifying_key())).unwrap(),
        VerifierKey::ed25519(name, public.as_bytes(), Algorithm::Ed25519).unwrap(),
    ]
}

/// A text with the signatures of both keys of these seeds.
pub(crate) fn signed(text: &str, name: &str, seeds: &[u8]) -> Note {
    let mut note = Note::new(text.to_owned()).unwrap();
    for (p256, ed25519) in seeds.iter().map(|seed| secrets(*seed)) {
        note.add(sign_p256(name, &p256, text).unwrap()).unwrap();
        note.add(sign_ed25519(name, &ed25519, text).unwrap())
            .unwrap();
    }
    note
}

/// What the keys of one seed state of those of another, signed by these.
pub(crate) fn rotation(base: &str, [old, new]: [u8; 2], by: &[u8]) -> String {
    let stated = Rotation {
        base: BaseOrigin::new(base).unwrap(),
        generation: Generation(1),
        size: 7,
        root: Hash([4; 32]),
        old: keys(base, old),
        new: keys(base, new),
        by: Actor::local("ada", 7),
        reason: "yearly".into(),
    };
    signed(&stated.text(), base, by).to_string()
}

/// The public area of the authority of a seed, as a TPM has it (`TPMT_PUBLIC`): restricted to what that TPM made or hashed.
pub(crate) fn tpm_public(seed: u8) -> Vec<u8> {
    const BEGINS: [u8; 20] = [
        0, 0x23, 0, 0x0b, 0, 0x05, 0x04, 0x72, 0, 0, 0, 0x10, 0, 0x18, 0, 0x0b, 0, 0x03, 0, 0x10,
    ];
    let spki = p256_spki(secrets(seed).0.verifying_key());
    let (x, y) = spki[spki.len() - 64..].split_at(32);
    [&BEGINS, &[0, 32][..], x, &[0, 32], y].concat()
}
