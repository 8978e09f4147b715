//! The rules of signed notes, case by case.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use super::{
    Algorithm, KeyError, Note, NoteError, SignatureLine, Statement, VerifierKey, is_key_name,
    p256_spki, sign_ed25519, sign_p256,
};
use crate::cosignature::{TimestampedSignature, cosign};
use crate::limits::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX};

const TEXT: &str = "log.example\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

fn ed(seed: u8) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[seed; 32])
}

fn ed_key(name: &str, seed: u8) -> VerifierKey {
    VerifierKey::ed25519(
        name,
        ed(seed).verifying_key().as_bytes(),
        Algorithm::Ed25519,
    )
    .unwrap()
}

fn signed(lines: impl IntoIterator<Item = SignatureLine>) -> Note {
    let mut note = Note::new(TEXT.into()).unwrap();
    lines.into_iter().for_each(|line| note.add(line).unwrap());
    note
}

#[test]
fn the_format_is_strict() {
    let good = "— a AAAAAAA=\n";
    let table: [(&[u8], NoteError); 14] = [
        (b"", NoteError::NoSignatures),
        (b"text\n", NoteError::NoSignatures),
        (b"text\n\n", NoteError::NoSignatures),
        (b"text\n\n\n", NoteError::NoSignatures),
        ("text\n\n— a AAAAAAA=".as_bytes(), NoteError::NoSignatures),
        (
            "text\n\n- a AAAAAAA=\n".as_bytes(),
            NoteError::BadLine { line: 1 },
        ),
        (
            "text\n\n—  AAAAAAA=\n".as_bytes(),
            NoteError::BadLine { line: 1 },
        ),
        (
            "text\n\n— a+b AAAAAAA=\n".as_bytes(),
            NoteError::BadLine { line: 1 },
        ),
        (
            "text\n\n— a AAAAAA==\n".as_bytes(),
            NoteError::BadLine { line: 1 },
        ),
        (
            "text\n\n— a AAAAAAB=\n".as_bytes(),
            NoteError::BadLine { line: 1 },
        ),
        (
            "text\n\n— a AAAAAAA= \n".as_bytes(),
            NoteError::BadLine { line: 1 },
        ),
        ("te\txt\n\n— a AAAAAAA=\n".as_bytes(), NoteError::NotText),
        ("text\r\n\n— a AAAAAAA=\n".as_bytes(), NoteError::NotText),
        (b"te\xffxt\n\n\xe2\x80\x94 a AAAAAAA=\n", NoteError::NotText),
    ];
    for (bytes, expected) in table {
        assert_eq!(
            Note::parse(bytes),
            Err(expected),
            "{:?}",
            String::from_utf8_lossy(bytes)
        );
    }
    // The last blank line separates; earlier ones belong to the text.
    let note = Note::parse(format!("a\n\nb\n\n\n{good}").as_bytes()).unwrap();
    assert_eq!(note.text(), "a\n\nb\n\n");
    assert_eq!(
        Note::parse(format!("text\n\n{good}{good}x\n").as_bytes()),
        Err(NoteError::BadLine { line: 3 })
    );
}

#[test]
fn bounds_hold() {
    let line = "— a AAAAAAA=\n";
    let many = |count| Note::parse(format!("t\n\n{}", line.repeat(count)).as_bytes());
    assert_eq!(
        many(NOTE_SIGNATURES_MAX).unwrap().signatures().len(),
        NOTE_SIGNATURES_MAX
    );
    assert_eq!(
        many(NOTE_SIGNATURES_MAX + 1),
        Err(NoteError::TooManySignatures)
    );
    let long = "x".repeat(NOTE_BYTES_MAX) + "\n";
    assert_eq!(
        Note::parse(long.as_bytes()),
        Err(NoteError::TooLong {
            bytes: NOTE_BYTES_MAX + 1
        })
    );
    assert!(Note::new(long).is_err());
    assert_eq!(Note::new("no end".into()), Err(NoteError::NoNewline));
    let mut full = many(NOTE_SIGNATURES_MAX).unwrap();
    let more = SignatureLine::new("b", 1, vec![1]).unwrap();
    assert_eq!(full.add(more), Err(NoteError::TooManySignatures));
}

#[test]
fn names_follow_the_rules() {
    for good in ["a", "log.example/node-7", "\u{e9}", "oid/1.2.3"] {
        assert!(is_key_name(good), "{good:?}");
    }
    let long = "x".repeat(256);
    for bad in [
        "",
        "a b",
        "a+b",
        "a\u{a0}b",
        "a\u{2003}",
        "a\n",
        "a\u{7}",
        // DEL, a control sequence of eight bits, and what turns the order around.
        "a\u{7f}",
        "a\u{9b}31m",
        "a\u{202e}b",
        "a\u{200b}",
        "\u{feff}a",
        &long,
    ] {
        assert!(!is_key_name(bad), "{bad:?}");
        assert_eq!(SignatureLine::new(bad, 1, vec![1]), Err(KeyError::BadName));
        assert!(sign_ed25519(bad, &ed(1), TEXT).is_err());
    }
}

//= A4.1
#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let p256 = p256::ecdsa::SigningKey::from_slice(&[5; 32]).unwrap();
    let keys = [
        ed_key("log.example", 1),
        VerifierKey::p256("log.example", &p256_spki(p256.verifying_key())).unwrap(),
        VerifierKey::cosigner("collector.example", ed(2).verifying_key().as_bytes()).unwrap(),
    ];
    let lines = [
        sign_ed25519("log.example", &ed(1), TEXT).unwrap(),
        sign_p256("log.example", &p256, TEXT).unwrap(),
        cosign("collector.example", &ed(2), 1_700_000_000, TEXT).unwrap(),
    ];
    for (key, line) in keys.iter().zip(lines) {
        let keys = core::slice::from_ref(key);
        let bytes = signed([line]).to_bytes();
        assert!(Note::parse(&bytes).unwrap().verify(keys).is_ok());
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let refused = Note::parse(&bad)
                .and_then(|note| note.verify(keys))
                .is_err();
            assert!(
                refused,
                "bit {bit} of {:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }
}

//= A4.7
#[test]
fn known_lines_must_verify_and_unknown_lines_are_counted() {
    let (known, other) = (ed_key("log.example", 1), ed_key("log.example", 2));
    let good = sign_ed25519("log.example", &ed(1), TEXT).unwrap();
    let stranger = sign_ed25519("log.example", &ed(2), TEXT).unwrap();
    let namesake_id = SignatureLine::new("someone.else", known.key_id(), vec![1; 64]).unwrap();
    let note = signed([stranger.clone(), good.clone(), namesake_id]);
    let keys = core::slice::from_ref(&known);
    let verified = note.verify(keys).unwrap();
    assert_eq!((verified.lines.len(), verified.unknown_lines), (1, 2));
    assert_eq!((verified.lines[0].line, verified.lines[0].key), (1, 0));

    let forged = SignatureLine::new("log.example", known.key_id(), vec![1; 64]).unwrap();
    let bad = NoteError::BadSignature {
        name: "log.example".into(),
        key_id: known.key_id(),
    };
    assert_eq!(signed([good.clone(), forged]).verify(keys), Err(bad));
    assert_eq!(signed([stranger]).verify(keys), Err(NoteError::NoKnownKey));
    let both = signed([good]).verify(&[known.clone(), other]).unwrap();
    assert!(both.has_key(0) && !both.has_key(1));
    assert!(matches!(
        note.verify(&[known.clone(), known]),
        Err(NoteError::AmbiguousKey { .. })
    ));
}

//= A1.3
#[test]
fn a_cosignature_states_its_time() {
    let key = VerifierKey::cosigner("collector.example", ed(2).verifying_key().as_bytes()).unwrap();
    let lines = [1_700_000_000, 1_700_000_060]
        .map(|time_s| cosign("collector.example", &ed(2), time_s, TEXT).unwrap());
    let verified = signed(lines).verify(core::slice::from_ref(&key)).unwrap();
    assert_eq!(
        verified.lines[0].statement,
        Statement::Cosigned {
            time_s: 1_700_000_000
        }
    );
    assert_eq!(verified.cosigned_at_s(0), Some(1_700_000_060));
    assert!(cosign("collector.example", &ed(2), 1 << 63, TEXT).is_err());

    for (time_s, readable) in [((1u64 << 63) - 1, true), (1 << 63, false)] {
        let bytes = [&time_s.to_be_bytes()[..], &[0; 64]].concat();
        assert_eq!(TimestampedSignature::from_bytes(&bytes).is_some(), readable);
    }
    assert_eq!(TimestampedSignature::from_bytes(&[0; 71]), None);
    assert_eq!(TimestampedSignature::from_bytes(&[0; 73]), None);

    // The same key as type 0x01 has another id and accepts no cosignature, and the other way round.
    let plain = ed_key("collector.example", 2);
    assert_ne!(plain.key_id(), key.key_id());
    let line = sign_ed25519("collector.example", &ed(2), TEXT).unwrap();
    assert_eq!(key.verify(TEXT, line.bytes()), None);
}

#[test]
fn verifier_keys_are_strict() {
    let key = ed_key("log.example", 1);
    let text = key.to_string();
    assert_eq!(text.parse(), Ok(key.clone()));
    let wrong_id = text.replacen(&format!("{:08x}", key.key_id()), "00000000", 1);
    assert_eq!(
        wrong_id.parse::<VerifierKey>(),
        Err(KeyError::BadId {
            expected: key.key_id(),
            got: 0
        })
    );
    let upper = text.replacen(&format!("{:08x}", key.key_id()), "ABCDEF01", 1);
    let table: [(&str, KeyError); 8] = [
        ("", KeyError::BadForm),
        ("a", KeyError::BadForm),
        ("a+00000000", KeyError::BadForm),
        ("a+0000000+AQ==", KeyError::BadForm),
        (&upper, KeyError::BadForm),
        ("a+00000000+", KeyError::BadForm),
        ("a+00000000+AQ==", KeyError::BadMaterial),
        (
            "a+00000000+BgA=",
            KeyError::UnknownAlgorithm { algorithm: 6 },
        ),
    ];
    for (text, expected) in table {
        assert_eq!(text.parse::<VerifierKey>(), Err(expected), "{text:?}");
    }
    // Points of small order verify what nobody signed.
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(
        VerifierKey::cosigner("a", &identity),
        Err(KeyError::BadMaterial)
    );
}

#[test]
fn p256_keys_have_one_form() {
    let signing = p256::ecdsa::SigningKey::from_slice(&[5; 32]).unwrap();
    let spki = p256_spki(signing.verifying_key());
    assert!(VerifierKey::p256("a", &spki).is_ok());
    let bad = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = spki.clone();
        change(&mut bytes);
        VerifierKey::p256("a", &bytes)
    };
    assert_eq!(bad(&|b| b.push(0)), Err(KeyError::BadMaterial));
    assert_eq!(bad(&|b| b.truncate(90)), Err(KeyError::BadMaterial));
    assert_eq!(bad(&|b| b[26] = 0x06), Err(KeyError::BadMaterial));
    assert_eq!(bad(&|b| b[90] ^= 1), Err(KeyError::BadMaterial));
    assert!(super::ecdsa_der(&[0; 64]).is_err());
    assert!(super::ecdsa_der(&[0xff; 64]).is_err());
}
