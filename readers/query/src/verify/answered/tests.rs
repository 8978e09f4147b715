//! Answers, each changed in one place, under the keys of somebody who has nothing else of the log.

use super::{Answer, AnswerFault, Answered, verify_answer};
use crate::verify::Anchors;
use crate::verify::enrolled::tests::keys;
use ed25519_dalek::SigningKey as Ed25519;
use evidence::kinds::BootPcr;
use evidence::{Actor, Digest, Generation};
use p256::ecdsa::{SigningKey as P256, signature::Signer as _};
use proof::note::{Note, VerifierKey, sign_ed25519, sign_p256};
use trust_plane::{BaseOrigin, Claim, Hash, Quoted, Rotation, measurement_id, qualifying};

const BASE: &str = "example.org/n";
const ORIGIN: &str = "example.org/n/g2";
const NONCE: [u8; 16] = [0x5a; 16];
/// The TPM's clock in every quote: milliseconds, resets, restarts.
const CLOCK: (u64, u32, u32) = (77_000, 5, 2);

fn note(text: &str, p256: &[u8], ed25519: &[u8]) -> Note {
    let mut note = Note::new(text.to_owned()).unwrap();
    for seed in p256 {
        let key = P256::from_slice(&[*seed; 32]).unwrap();
        note.add(sign_p256(ORIGIN, &key, text).unwrap()).unwrap();
    }
    for seed in ed25519 {
        let key = Ed25519::from_bytes(&[*seed; 32]);
        note.add(sign_ed25519(ORIGIN, &key, text).unwrap()).unwrap();
    }
    note
}

fn pcrs(which: &[u32]) -> Vec<BootPcr> {
    let pcr = |pcr: &u32| BootPcr {
        pcr: *pcr,
        value: Digest([u8::try_from(*pcr).unwrap() + 7; 32]),
        replayed: None,
    };
    which.iter().map(pcr).collect()
}

const ALL: [u32; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/// What the authority of a seed attests of these PCRs over a text.
fn quote(seed: u8, text: &str, which: &[u32]) -> Quoted {
    let pcrs = pcrs(which);
    let sized = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [&length[..], bytes].concat()
    };
    let mut bits = [0u8; 3];
    for one in which {
        bits[usize::try_from(one / 8).unwrap()] |= 1 << (one % 8);
    }
    let (clock_ms, resets, restarts) = CLOCK;
    let attest = [
        &[0xff, 0x54, 0x43, 0x47, 0x80, 0x18][..],
        &sized(&[0, 0xb]),
        &sized(&qualifying(text)),
        &clock_ms.to_be_bytes(),
        &resets.to_be_bytes(),
        &restarts.to_be_bytes(),
        &[1],
        &9u64.to_be_bytes(),
        &[0, 0, 0, 1, 0, 0xb, 3],
        &bits,
        &sized(&measurement_id(&pcrs).0),
    ]
    .concat();
    let key = P256::from_slice(&[seed; 32]).unwrap();
    let signature: p256::ecdsa::DerSignature = key.sign(&attest);
    Quoted {
        attest,
        signature: signature.as_bytes().to_vec(),
        pcrs,
    }
}

fn text() -> String {
    Claim::Attestation(&NONCE).text(ORIGIN)
}

/// A node's answer with the keys of a seed, and with the TPM's.
fn answer(seed: u8) -> Answer {
    Answer {
        note: note(&text(), &[seed], &[seed]),
        quoted: Some(quote(seed, &text(), &ALL)),
    }
}

fn pinned(seed: u8) -> Anchors {
    Anchors::pinned(keys(BASE, seed).to_vec())
}

fn holds(answer: &Answer, anchors: &Anchors) -> Answered {
    verify_answer(answer, Some(&NONCE), anchors).unwrap()
}

fn fails(answer: &Answer, anchors: &Anchors, words: &str) -> String {
    match verify_answer(answer, Some(&NONCE), anchors) {
        Err(AnswerFault::Contradicts(told)) => {
            assert!(told.contains(words), "{words}: {told}");
            told
        }
        other => panic!("{words}: {other:?}"),
    }
}

//= A6.3
#[test]
fn an_answer_holds_by_both_keys_of_its_log_and_its_quote_by_the_authority() {
    let whole = answer(1);
    let told = holds(&whole, &pinned(1));
    assert_eq!((told.origin.as_str(), told.fresh), (ORIGIN, true));
    assert_eq!(told.id, Digest(qualifying(&text())));
    assert_eq!((told.nonce_bytes, told.strangers), (16, 0));
    let clock = told.attest.unwrap().clock;
    assert_eq!(
        (clock.clock_ms, clock.reset_count, clock.restart_count),
        CLOCK
    );
    // Without a number nothing is said of freshness, and all else is the same.
    let told = verify_answer(&whole, None, &pinned(1)).unwrap();
    assert!(!told.fresh && told.attest.is_some() && told.measured);
    // Keys in files or a token give the statement alone.
    let alone = Answer {
        quoted: None,
        ..whole.clone()
    };
    assert_eq!(holds(&alone, &pinned(1)).attest, None);
    // One key of the two: the other's line is somebody's that is not known, and is said to be.
    let [authority, second] = keys(BASE, 1);
    let told = holds(&whole, &Anchors::pinned(vec![authority.clone()]));
    assert_eq!((told.signed.len(), told.strangers), (1, 1));
    let beside = Anchors::pinned(vec![authority]).and_beside(keys(BASE, 1).to_vec());
    let told = holds(&whole, &beside);
    assert_eq!((told.signed.len(), told.strangers), (2, 0));
    // A line that nobody can check is one all the same: without it an answer has one signature of its two.
    let once = Answer {
        note: note(&text(), &[1], &[]),
        ..whole.clone()
    };
    let one = Anchors::pinned(vec![keys(BASE, 1)[0].clone()]);
    fails(&once, &one, "is signed once");
    // A quote is by the first of them: under the second alone it is not judged, and that is no verdict.
    let second = Anchors::pinned(vec![second]);
    fails(&whole, &second, "could not be judged");
    assert_eq!(holds(&alone, &second).attest, None);
    // A TPM without a SHA-256 bank quotes no PCR, and one with it whatever somebody asks it for: nothing is said of a boot.
    let no_bank = Answer {
        quoted: Some(quote(1, &text(), &[])),
        ..whole
    };
    let told = holds(&no_bank, &pinned(1));
    assert!(told.attest.is_some() && !told.measured);
}

//= A6.3
#[test]
fn whatever_is_changed_in_an_answer_is_named() {
    let whole = answer(1);
    let changed = |change: &dyn Fn(&mut Answer)| {
        let mut changed = whole.clone();
        change(&mut changed);
        changed
    };
    let quoted =
        |change: &dyn Fn(&mut Quoted)| changed(&|answer| change(answer.quoted.as_mut().unwrap()));
    let other = Claim::Attestation(&[9; 16]).text(ORIGIN);
    let boot = Claim::Boot(&NONCE).text(ORIGIN);
    let head = format!("{ORIGIN}\n7\n{}\n", Hash([3; 32]));
    let both = |text: &str| note(text, &[1], &[1]);
    for (answer, words) in [
        // A note of another kind, though both keys signed it.
        (
            changed(&|one| one.note = both(&boot)),
            "none to whoever asked",
        ),
        (
            changed(&|one| one.note = both(&head)),
            "none to whoever asked",
        ),
        // Another number, whole and signed: an older answer.
        (
            changed(&|one| {
                one.note = both(&other);
                one.quoted = Some(quote(1, &other, &ALL));
            }),
            "another number than the one given with --nonce",
        ),
        // The text of one answer under the signatures of another.
        (
            changed(&|one| {
                let lines = both(&other).to_string();
                let lines = lines.split_once("\n\n").unwrap().1;
                one.note = Note::parse(format!("{}\n{lines}", text()).as_bytes()).unwrap();
            }),
            "does not verify",
        ),
        // A line of one of the keys is missing, or is another's.
        (
            changed(&|one| one.note = note(&text(), &[1], &[])),
            "is not signed by example.org/n/g2 (Ed25519",
        ),
        (
            changed(&|one| one.note = note(&text(), &[], &[1])),
            "is not signed by example.org/n/g2 (P-256",
        ),
        (
            changed(&|one| one.note = note(&text(), &[1, 2], &[1])),
            "1 signature lines of unknown keys",
        ),
        // A quote of another answer, of another key, of other PCRs, of some of them.
        (
            changed(&|one| one.quoted = Some(quote(1, &other, &ALL))),
            "over another text than the statement",
        ),
        (
            changed(&|one| one.quoted = Some(quote(2, &text(), &ALL))),
            "the authority did not sign the quote",
        ),
        (quoted(&|one| one.pcrs[3].value.0[0] ^= 1), "other PCRs"),
        (quoted(&|one| one.pcrs[3].pcr = 10), "other PCRs"),
        (quoted(&|one| one.pcrs.truncate(9)), "other PCRs"),
        (
            quoted(&|one| one.signature[9] ^= 1),
            "did not sign the quote",
        ),
        (quoted(&|one| one.attest[40] ^= 1), "did not sign the quote"),
        (
            quoted(&|one| one.attest.truncate(80)),
            "did not sign the quote",
        ),
        (
            changed(&|one| one.quoted = Some(quote(1, &text(), &[0, 7]))),
            "of the PCRs 0, 7 alone",
        ),
    ] {
        fails(&answer, &pinned(1), words);
    }
}

/// What the keys of one seed state of those of another, in a generation.
fn rotation(generation: u64, old: u8, new: u8) -> Rotation {
    Rotation {
        base: BaseOrigin::new(BASE).unwrap(),
        generation: Generation(generation),
        size: 7,
        root: Hash([4; 32]),
        old: keys(BASE, old),
        new: keys(BASE, new),
        by: Actor::local("ada", 7),
        reason: "yearly".into(),
    }
}

//= A6.3
//= R8.2
#[test]
fn of_keys_that_changed_the_newest_answer_and_statements_lead_to_them() {
    for generation in [1, 2] {
        let stated = || vec![rotation(generation, 1, 2), rotation(generation, 2, 3)];
        // Who pinned an old key follows it to those of now, and hears what to bring along.
        let hint = fails(&answer(3), &pinned(1), "--rotation FILE");
        assert!(hint.contains("rotation-001.note"), "{hint}");
        let [first, _] = keys(BASE, 1);
        let beside = || keys(BASE, 3).to_vec();
        fails(
            &answer(3),
            &Anchors::pinned(vec![first.clone()]).and_beside(beside()),
            "--rotation FILE",
        );
        for anchors in [
            pinned(1),
            pinned(2),
            pinned(3),
            Anchors::pinned(vec![first]),
        ] {
            holds(&answer(3), &anchors.clone().and_rotations(stated()));
            // Those that others followed answer nobody any more.
            let anchors = anchors.and_rotations(stated());
            for before in [1, 2] {
                fails(
                    &answer(before),
                    &anchors,
                    "signed by keys that others followed",
                );
            }
        }
    }
    let words = fails(
        &answer(1),
        &pinned(1).and_rotations(vec![rotation(2, 1, 2)]),
        "others followed",
    );
    assert!(words.contains("without --rotation"), "{words}");
    // Also where that was in a later generation than the one that answers.
    for seed in [1, 2] {
        fails(
            &answer(seed),
            &pinned(1).and_rotations(vec![rotation(3, 1, 2)]),
            "",
        );
    }
    // What keys of another log state says nothing of these.
    let elsewhere = Rotation {
        base: BaseOrigin::new("example.org/other").unwrap(),
        ..rotation(2, 1, 2)
    };
    holds(&answer(1), &pinned(1).and_rotations(vec![elsewhere]));
    // The keys of one pair do not speak for those of the other.
    let mixed = Answer {
        note: note(&text(), &[2], &[1]),
        quoted: None,
    };
    let anchors = pinned(1).and_rotations(vec![rotation(2, 1, 2)]);
    fails(&mixed, &anchors, "others followed");
    let two = Anchors::pinned([keys(BASE, 1), keys(BASE, 2)].concat());
    let anchors = two.and_rotations(vec![rotation(2, 2, 3)]);
    fails(&mixed, &anchors, "others followed");
}

//= A6.3
#[test]
fn an_answer_of_another_log_is_named_and_without_a_key_there_is_no_verdict() {
    let other = Anchors::pinned(keys("example.org/other", 1).to_vec());
    let words = fails(
        &answer(1),
        &other,
        "the key you pinned is of example.org/other",
    );
    assert!(words.contains(ORIGIN), "{words}");
    // A forger's own keys of the same name are none of those that were pinned.
    let forged: Vec<VerifierKey> = keys(BASE, 9).to_vec();
    fails(&answer(9), &pinned(1), "no signature is of a known key");
    fails(
        &answer(9),
        &pinned(1).and_beside(forged),
        "is not signed by",
    );
    for beside in [Vec::new(), keys("example.org/other", 1).to_vec()] {
        let nobody = Anchors::found_beside(beside);
        let fault = verify_answer(&answer(1), Some(&NONCE), &nobody);
        let Err(AnswerFault::NoKey(words)) = fault else {
            panic!("{fault:?}");
        };
        assert!(words.contains("--anchor VKEY"), "{words}");
    }
    holds(&answer(1), &Anchors::found_beside(keys(BASE, 1).to_vec()));
}
