//! Whose announcement is taken for the signer's.

use super::{KeysBeside, KnownKeys};
use crate::test_keys::{keys, rotation, signed};
use evidence::reasons::Custody;
use evidence::{Digest, Generation, Payload};
use ipc::message::{Keys, NoteText, SignedTree};
use proof::note::VerifierKey;
use std::collections::BTreeSet;
use trust_plane::{Claim, Rotation};

const BASE: &str = "example.org/n";

fn vkeys(seed: u8) -> Vec<String> {
    keys(BASE, seed).iter().map(ToString::to_string).collect()
}

fn stated(seeds: [u8; 2]) -> String {
    rotation(BASE, seeds, &seeds)
}

fn read(note: &str) -> Rotation {
    Rotation::read(note.as_bytes()).unwrap()
}

/// A node beside whose log these keys and statements lie.
fn beside(keys: Vec<VerifierKey>, notes: &[String]) -> KeysBeside {
    let stated = notes.iter().map(|note| (note.clone(), read(note)));
    KeysBeside {
        keys: Ok(keys),
        stated: stated.collect(),
    }
}

fn known(seed: u8) -> KnownKeys {
    let nothing = || panic!("nothing is told that does not lie beside the log");
    KnownKeys::begin(
        beside(keys(BASE, seed).to_vec(), &[]),
        &BTreeSet::new(),
        nothing,
    )
}

const ASKED: Digest = Digest([9; 32]);

/// What a signer says that announces these keys, signed with those of a seed.
fn said(vkeys: &[String], notes: &[String], by: &[u8]) -> Keys {
    let keys = Keys {
        vkeys: vkeys.to_vec(),
        custody: Custody::Software,
        non_exportable: false,
        monotonic_counter: false,
        attestation: false,
        measured_boot: false,
        key_ops: 0,
        refused: 0,
        rollback_attempts: 0,
        signature_failures: 0,
        maker: "files".into(),
        key_public: None,
        counters: Vec::new(),
        lacked: Vec::new(),
        plain_every_ns: 1,
        not_applied: Vec::new(),
        uses: Vec::new(),
        signed: Vec::new(),
        rotations: notes.iter().cloned().map(NoteText).collect(),
        counts_firmware: false,
        firmware_public: None,
        firmware_value: None,
        firmware_fault: None,
        firmware_unread: None,
        note: None,
    };
    let text = Claim::Description(&keys.signed_bytes(&ASKED)).text(BASE);
    let note = Some(NoteText(signed(&text, BASE, by).to_string()));
    Keys { note, ..keys }
}

/// Whoever announces keys has them, where they are one of the pairs that are known here.
fn heard(known: &mut KnownKeys, keys: &[String], notes: &[String]) -> Result<(), String> {
    let sorted = |keys: &[String]| -> BTreeSet<String> { keys.iter().cloned().collect() };
    let seed = (1..=3).find(|seed| sorted(&vkeys(*seed)) == sorted(keys));
    known.heard(&said(keys, notes, &[seed.unwrap_or(4)]), &ASKED)
}

/// The keys are public: who announces them has them only where he signed what he says, all of it, over the number that he was asked
/// with.
//= A6.3
//= A11.3
#[test]
fn who_announces_the_keys_and_does_not_sign_what_he_says_with_them_is_not_the_signer() {
    let right = || said(&vkeys(1), &[], &[1]);
    let changed = |change: fn(&mut Keys)| {
        let mut keys = right();
        change(&mut keys);
        keys
    };
    let other = Digest([8; 32]);
    let note = |keys: &Keys| keys.note.clone().unwrap().0;
    let half = note(&right())
        .trim_end()
        .rsplit_once('\n')
        .unwrap()
        .0
        .to_owned();
    for (said, asked, held) in [
        (right(), ASKED, true),
        (right(), other, false),
        (said(&vkeys(1), &[], &[4]), ASKED, false),
        (said(&vkeys(1), &[], &[1, 4]), ASKED, false),
        (said(&vkeys(1), &[], &[]), ASKED, false),
        (changed(|keys| keys.note = None), ASKED, false),
        (
            changed(|keys| {
                keys.signed = vec![SignedTree {
                    generation: Generation(1),
                    size: 1_000_000_000_000,
                    root: Digest([1; 32]),
                }];
            }),
            ASKED,
            false,
        ),
        (changed(|keys| keys.custody = Custody::Tpm), ASKED, false),
        (
            Keys {
                note: Some(NoteText(format!("{half}\n"))),
                ..right()
            },
            ASKED,
            false,
        ),
        // What leads to other keys leads to them only who has them.
        (said(&vkeys(2), &[stated([1, 2])], &[2]), ASKED, true),
        (said(&vkeys(2), &[stated([1, 2])], &[1]), ASKED, false),
    ] {
        let mut known = known(1);
        let told = known.heard(&said, &asked);
        assert_eq!(told.is_ok(), held, "{told:?}");
        if let Err(words) = told {
            for due in [
                "the signer announces the keys of this log (",
                "and what it says is not signed with them: ",
                "see who serves the signer's socket",
            ] {
                assert!(words.contains(due), "{words}");
            }
            assert_eq!(known.now(), vkeys(1));
        }
    }
}

/// Whoever brings statements along may want them in the log: those of other keys are not of it, however whole they are.
//= A6.3
//= R8.2
#[test]
fn statements_are_of_the_keys_of_now_and_of_those_that_they_followed_and_no_others() {
    let mut known = known(1);
    heard(&mut known, &vkeys(3), &[stated([1, 2]), stated([2, 3])]).unwrap();
    let notes = |all: &[String]| -> Vec<NoteText> { all.iter().cloned().map(NoteText).collect() };
    let of_log = [stated([8, 1]), stated([1, 2]), stated([2, 3])];
    let others = [
        stated([5, 6]),
        // By keys of the log that never named these; by names of another log; behind the keys of now.
        rotation(BASE, [2, 9], &[2]),
        rotation("example.org/other", [2, 3], &[2, 3]),
        stated([3, 7]),
        "no note".to_owned(),
    ];
    let all = [
        &of_log[..1],
        &others[..2],
        &of_log[1..2],
        &others[2..4],
        &of_log[2..],
        &others[4..],
    ];
    assert_eq!(known.of_these(&notes(&all.concat())), of_log);
    assert!(known.of_these(&notes(&others)).is_empty());
    // As many as an identity can have are looked at.
    let many: Vec<String> = std::iter::repeat_with(|| stated([5, 6])).take(40).collect();
    let late = [many, of_log.to_vec()].concat();
    assert!(known.of_these(&notes(&late)).is_empty());
}

/// What was asked of the signer is of use where the keys of now signed it, under the origin of the log.
//= A6.3
//= A6.5
#[test]
fn what_was_asked_for_is_signed_by_both_keys_of_now() {
    let origin = format!("{BASE}/g1");
    let text = "a text\n";
    let by = |name: &str, seeds: &[u8]| signed(text, name, seeds).to_string();
    let known = known(1);
    let holds = |note: &str, text: &str| known.signed(note, text, &origin).is_ok();
    assert!(holds(&by(&origin, &[1]), text));
    for (note, text) in [
        (by(&origin, &[4]), text),
        (by(&origin, &[1, 4]), text),
        (by(BASE, &[1]), text),
        (by(&origin, &[1]), "another text\n"),
        ("no note".to_owned(), text),
    ] {
        assert!(!holds(&note, text), "{note}");
    }
    let [authority, _] = keys(&origin, 1);
    assert_eq!(
        known.signed(&by(&origin, &[1]), text, &origin),
        Ok(authority)
    );
}

/// Whoever serves the signer's socket with keys of his own is not asked for a signature, whatever he brings along.
//= A6.3
//= R8.2
#[test]
fn keys_to_which_nothing_leads_from_those_of_the_log_are_not_the_signers() {
    let swapped = || vkeys(1).into_iter().rev().collect();
    let one_of_each = vec![vkeys(1).remove(0), vkeys(4).remove(1)];
    let three = [vkeys(1), vkeys(4)[..1].to_vec()].concat();
    let twice = vec![vkeys(1).remove(0); 2];
    let changed = stated([1, 2]).replace("yearly", "weekly");
    for (said, notes, refused) in [
        (vkeys(1), vec![], None),
        (swapped(), vec![], None),
        (vkeys(2), vec![stated([1, 2])], None),
        (vkeys(3), vec![stated([1, 2]), stated([2, 3])], None),
        // Statements of all keys that an identity ever had are brought along.
        (vkeys(1), vec![stated([7, 8]), stated([8, 1])], None),
        (vkeys(4), vec![], Some("announces 2 keys: ")),
        (vkeys(1)[..1].to_vec(), vec![], Some("announces one key: ")),
        (three, vec![], Some("announces 3 keys: ")),
        (Vec::new(), vec![], Some("announces 0 keys: none; ")),
        (one_of_each, vec![], Some("announces 2 keys: ")),
        (twice, vec![], Some("announces 2 keys: ")),
        (
            vec!["x\u{1b}[2J".into(); 900],
            vec![],
            Some("and 896 more; "),
        ),
        // By his own word alone; by words that somebody changed; by those of another log; by a part of them.
        (
            vkeys(4),
            vec![rotation(BASE, [1, 4], &[4])],
            Some("announces"),
        ),
        (vkeys(4), vec![stated([5, 4])], Some("announces")),
        (vkeys(2), vec![changed], Some("announces")),
        (vkeys(3), vec![stated([2, 3])], Some("announces")),
        (
            vkeys(2),
            vec![rotation("example.org/other", [1, 2], &[1, 2])],
            Some("announces"),
        ),
    ] {
        let mut known = known(1);
        let told = heard(&mut known, &said, &notes);
        match refused {
            None => {
                assert_eq!(told, Ok(()), "{said:?}");
                let now: BTreeSet<String> = known.now().into_iter().collect();
                assert_eq!(now, said.into_iter().collect());
            }
            Some(words) => {
                let told = told.unwrap_err();
                assert!(told.contains(words), "{told}");
                let [authority, second] = keys(BASE, 1);
                for key in [authority, second] {
                    let named = format!("{BASE}+{:08x}", key.key_id());
                    assert!(told.contains(&named), "{told}");
                }
                let cure =
                    "see who serves the signer's socket, and start the signer that has these keys";
                assert!(told.contains(cure) && !told.contains('\u{1b}'), "{told}");
                assert!(told.len() < 1_500, "{}", told.len());
                assert_eq!(known.now(), vkeys(1));
            }
        }
    }
}

/// Keys that others followed are nobody's any more, however the node heard of it.
//= A6.3
//= R8.2
#[test]
fn keys_of_before_are_not_the_signers_once_the_node_knows_of_those_that_follow() {
    let entry = |note: &str| {
        let told = super::super::rotated::entry(note, evidence::MonoNs(1)).unwrap();
        Payload::from(told)
    };
    let name = |note: &String| super::name(note);
    let first = stated([1, 2]);
    let by_file = || {
        let told = BTreeSet::from([name(&first)]);
        let lies = beside(keys(BASE, 1).to_vec(), std::slice::from_ref(&first));
        KnownKeys::begin(lies, &told, || panic!("the file says it"))
    };
    let by_log = || {
        let told = BTreeSet::from([name(&first)]);
        let lies = beside(keys(BASE, 1).to_vec(), &[]);
        KnownKeys::begin(lies, &told, || vec![read(&first)])
    };
    let by_signer = || {
        let mut known = known(1);
        heard(&mut known, &vkeys(2), std::slice::from_ref(&first)).unwrap();
        known
    };
    let by_person = || {
        let mut known = known(1);
        known.observe(&entry(&first));
        known
    };
    // The file may be ahead of a log that is not told yet.
    let ahead = || known(2);
    for mut known in [by_file(), by_log(), by_signer(), by_person(), ahead()] {
        assert_eq!(known.now(), vkeys(2));
        let told = heard(&mut known, &vkeys(1), std::slice::from_ref(&first));
        assert!(told.unwrap_err().contains("announces 2 keys"));
        assert_eq!(
            heard(&mut known, &vkeys(2), std::slice::from_ref(&first)),
            Ok(())
        );
        known.observe(&entry(&stated([5, 6])));
        assert_eq!(known.now(), vkeys(2));
    }
}

/// A signer that went back, and has still what says so.
//= A6.3
#[test]
fn keys_that_state_themselves_that_others_follow_are_not_the_signers() {
    let mut known = known(1);
    let told = heard(&mut known, &vkeys(1), &[stated([1, 2])]);
    let words = told.unwrap_err();
    let expected = format!("{BASE}+{:08x}", keys(BASE, 2)[0].key_id());
    assert!(words.contains(&expected), "{words}");
}

/// Where the node does not know its keys it takes nobody's word for them.
//= A6.3
#[test]
fn a_node_that_does_not_know_its_keys_takes_none() {
    let all = [keys(BASE, 1).to_vec(), keys(BASE, 2).to_vec()].concat();
    let one = keys(BASE, 1)[..1].to_vec();
    let lacks = KeysBeside {
        keys: Err("keys.vkey is missing".into()),
        stated: Vec::new(),
    };
    for (lies, words) in [
        (lacks, "keys.vkey is missing"),
        (beside(all, &[]), "has 4 keys, and a log has two"),
        (beside(one, &[]), "has 1 keys, and a log has two"),
    ] {
        let mut known = KnownKeys::begin(lies, &BTreeSet::new(), Vec::new);
        let told = heard(&mut known, &vkeys(1), &[]).unwrap_err();
        assert!(told.contains(words), "{told}");
        assert!(told.contains("put identity/keys.vkey back"), "{told}");
        assert!(known.now().is_empty());
    }
}

/// What was asked for before keys changed, and comes behind the entry that says so.
//= A6.3
#[test]
fn a_note_of_keys_that_others_followed_in_this_run_is_known() {
    let origin = format!("{BASE}/g1");
    let by = |seed: u8| signed("a text\n", &origin, &[seed]).to_string();
    let mut known = known(1);
    assert!(!known.is_of_before(&by(1), &origin));
    heard(&mut known, &vkeys(3), &[stated([1, 2]), stated([2, 3])]).unwrap();
    assert!(known.is_of_before(&by(1), &origin));
    assert!(!known.is_of_before(&by(3), &origin) && !known.is_of_before(&by(4), &origin));
    assert!(!known.is_of_before("no note", &origin));
}
