//! What entries say of a boot, each changed in one place.

use super::Booted;
use crate::verify::report::{FindingKind, Report};
use crate::verify::signers::Signers;
use ed25519_dalek::SigningKey as Ed25519;
use evidence::kinds::{Attestation, Boot};
use evidence::reasons::{AttestationOf, BootState, Custody};
use evidence::{Actor, Blob, BootId, Digest, MonoNs, Payload};
use p256::ecdsa::{SigningKey as P256, signature::Signer as _};
use proof::note::{Algorithm, Note, VerifierKey, p256_spki, sign_ed25519, sign_p256};
use trust_plane::{Claim, LogFound, Look, booted, measurement_id, qualifying};

const ORIGIN: &str = "example.org/n/g1";
const SIGNER: &[u8] = b"qualified";

fn secrets() -> (P256, Ed25519) {
    let p256 = P256::from_slice(&[7; 32]).unwrap();
    (p256, Ed25519::from_bytes(&[8; 32]))
}

fn signers() -> Signers {
    let (p256, ed25519) = secrets();
    let spki = p256_spki(p256.verifying_key());
    let second = ed25519.verifying_key();
    let keys = [
        VerifierKey::p256(ORIGIN, &spki).unwrap(),
        VerifierKey::ed25519(ORIGIN, second.as_bytes(), Algorithm::Ed25519).unwrap(),
    ];
    Signers::new(keys.to_vec(), Vec::new())
}

fn pcrs() -> Vec<(u8, Digest)> {
    (0..10).map(|pcr| (pcr, Digest([pcr + 7; 32]))).collect()
}

/// A boot whose log is missing: its PCRs are what is attested.
fn boot() -> Boot {
    let look = Look {
        at: MonoNs(1),
        boot_id: BootId([1; 16]),
    };
    booted(look, Some(&pcrs()), &LogFound::Missing("there".into()))
}

/// A quote of these PCRs over a text, by a key with this qualified name.
fn quote(text: &str, boot: &Boot) -> Vec<u8> {
    let mut out = vec![
        0xff,
        0x54,
        0x43,
        0x47,
        0x80,
        0x18,
        0,
        u8::try_from(SIGNER.len()).unwrap(),
    ];
    out.extend(SIGNER);
    out.extend([0, 32]);
    out.extend(qualifying(text));
    out.extend([0; 8 + 4 + 4 + 1 + 8]);
    out.extend([0, 0, 0, 1, 0, 0xb, 3, 0xff, 3, 0, 0, 32]);
    out.extend(measurement_id(&boot.pcrs).0);
    out
}

fn attested(boot: &Boot, claim: Claim<'_>) -> Attestation {
    let (p256, ed25519) = secrets();
    let text = claim.text(ORIGIN);
    let mut note = Note::new(text.clone()).unwrap();
    note.add(sign_p256(ORIGIN, &p256, &text).unwrap()).unwrap();
    note.add(sign_ed25519(ORIGIN, &ed25519, &text).unwrap())
        .unwrap();
    let attest = quote(&text, boot);
    let signature: p256::ecdsa::DerSignature = p256.sign(&attest);
    Attestation {
        at: MonoNs(2),
        id: Digest(qualifying(&text)),
        of: AttestationOf::Boot,
        note: note.to_string(),
        custody: Custody::Tpm,
        nonce: None,
        actor: None,
        attest: Some(Blob(attest)),
        signature: Some(Blob(signature.as_bytes().to_vec())),
        pcrs: boot.pcrs.clone(),
        fault: None,
        detail: None,
    }
}

fn bytes(boot: &Boot) -> Vec<u8> {
    Payload::from(boot.clone()).encode()
}

/// What a reader of the two entries finds, and whether the boot is attested.
fn read(boot: &Boot, told: &Attestation) -> (Vec<String>, bool) {
    let mut report = Report::default();
    let mut booted = Booted::default();
    booted.boot(0, boot, &mut report);
    let by = (ORIGIN, &signers(), Some(SIGNER));
    booted.attestation(1, told, by, &mut report);
    assert!(
        report
            .findings
            .iter()
            .all(|one| one.kind == FindingKind::Boot)
    );
    let words = report.findings.into_iter().map(|one| one.words);
    (
        words.collect(),
        report.boot.is_some_and(|boot| boot.attested),
    )
}

/// How a hand changes what is read.
type Hand = fn(&mut Boot, &mut Attestation);

//= A6.5
//= U9
#[test]
fn whatever_is_changed_in_what_is_said_of_a_boot_is_found() {
    let whole = boot();
    let told = attested(&whole, Claim::Boot(&bytes(&whole)));
    assert_eq!(read(&whole, &told), (Vec::new(), true));
    let changes: [(Hand, &str); 9] = [
        (|boot, _| boot.detail.push('x'), "another text was signed"),
        (
            |boot, _| boot.pcrs[3].value.0[0] ^= 1,
            "not the hash of its PCRs",
        ),
        (
            |boot, _| boot.state = BootState::Replayed,
            "said to be proven",
        ),
        (
            |_, told| told.pcrs[3].value.0[0] ^= 1,
            "other values of them",
        ),
        (
            |_, told| told.attest.as_mut().unwrap().0[9] ^= 1,
            "did not sign the quote",
        ),
        (
            |_, told| told.signature.as_mut().unwrap().0[9] ^= 1,
            "did not sign the quote",
        ),
        (|_, told| told.id.0[0] ^= 1, "not the hash of its text"),
        (
            |_, told| told.note = told.note.replace("boot", "audit"),
            "does not verify",
        ),
        (
            |_, told| told.note.truncate(told.note.rfind("\u{2014}").unwrap()),
            "not signed by",
        ),
    ];
    for (hand, words) in changes {
        let (mut boot, mut told) = (whole.clone(), told.clone());
        hand(&mut boot, &mut told);
        let (found, _) = read(&boot, &told);
        assert!(
            found.iter().any(|one| one.contains(words)),
            "{words}: {found:?}"
        );
    }
    // Without a quote nothing is wrong, and nothing attested.
    let mut none = told.clone();
    none.attest = None;
    assert_eq!(read(&whole, &none), (Vec::new(), false));
    // A quote of another machine's boot under the same key.
    let mut other = boot();
    other.pcrs[0].value.0[0] ^= 1;
    let swapped = attested(&other, Claim::Boot(&bytes(&whole)));
    let (found, _) = read(&whole, &swapped);
    assert!(found[0].contains("other PCRs than its entry"), "{found:?}");
    let mut report = Report::default();
    let by = (ORIGIN, &signers(), Some(&b"another"[..]));
    Booted::default().attestation(1, &told, by, &mut report);
    assert!(
        report.findings[0].words.contains("primary key"),
        "{:?}",
        report.findings
    );
}

//= A6.3
#[test]
fn an_answer_is_to_the_number_that_it_names() {
    let whole = boot();
    let nonce = [5u8; 32];
    let asked = Attestation {
        of: AttestationOf::Asked,
        nonce: Some(Blob(nonce.to_vec())),
        actor: Some(Actor::local("ada", 7)),
        ..attested(&whole, Claim::Attestation(&nonce))
    };
    assert_eq!(read(&whole, &asked), (Vec::new(), false));
    for nonce in [None, Some(Blob(vec![6; 32]))] {
        let other = Attestation {
            nonce,
            ..asked.clone()
        };
        assert_eq!(read(&whole, &other).0.len(), 1);
    }
    // An answer does not pass for a statement about the boot.
    let passed = Attestation {
        of: AttestationOf::Boot,
        ..asked
    };
    assert_eq!(read(&whole, &passed).0.len(), 1);
}
