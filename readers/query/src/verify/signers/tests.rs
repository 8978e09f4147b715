//! Which of its keys a head of a log must have.

use super::Signers;
use proof::note::{Algorithm, VerifierKey, p256_spki};

const ORIGIN: &str = "example.org/n/g1";

/// `p1` and `p2` are keys of the first algorithm, `e1` and `e2` of the second.
fn keys(names: &str) -> Vec<VerifierKey> {
    let key = |name: &str| {
        let seed = [name.as_bytes()[1]; 32];
        let made = match name.starts_with('p') {
            true => {
                let key = p256::ecdsa::SigningKey::from_slice(&seed).unwrap();
                VerifierKey::p256(ORIGIN, &p256_spki(key.verifying_key()))
            }
            false => {
                let key = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
                VerifierKey::ed25519(ORIGIN, key.as_bytes(), Algorithm::Ed25519)
            }
        };
        made.unwrap()
    };
    names.split_whitespace().map(key).collect()
}

fn ids<'a>(keys: impl IntoIterator<Item = &'a VerifierKey>) -> Vec<u32> {
    keys.into_iter().map(VerifierKey::key_id).collect()
}

/// Pinned, beside, who signed; who is missing, and how many lines may be of strangers.
//= A1.3
//= U4
#[test]
fn both_keys_of_the_log_must_sign_and_a_key_beside_never_stands_in_for_a_pinned_one() {
    for (pinned, beside, signed, missing, strangers) in [
        ("p1 e1", "", "p1 e1", "", 0),
        ("p1 e1", "", "p1", "e1", 0),
        ("p1 e1", "", "e1", "p1", 0),
        ("p1", "p1 e1", "p1 e1", "", 0),
        ("p1", "p1 e1", "p1", "e1", 0),
        ("e1", "p1 e1", "e1", "p1", 0),
        ("p1", "", "p1", "", 1),
        ("e1", "", "e1", "", 1),
        ("p1", "p2 e2", "p2 e2", "p1", 0),
        ("p1 p2", "e1", "p2 e1", "", 0),
        ("p1", "e1 e2", "p1 e2", "", 0),
        ("p1", "p2 e1 e2", "p1", "e1", 0),
    ] {
        let signers = Signers::new(keys(pinned), keys(beside));
        let by = ids(&keys(signed));
        let found = signers.missing(7, |place| by.contains(&signers.known()[place].key_id()));
        let said = format!("{pinned} | {beside} | {signed}");
        assert_eq!(ids(found), ids(&keys(missing)), "{said}");
        assert_eq!(signers.strangers_max(), strangers, "{said}");
    }
    assert!(Signers::new(Vec::new(), keys("p1 e1")).is_empty());
}
