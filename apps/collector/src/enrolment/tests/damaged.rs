//! Files that are damaged when keys are taken back: an emergency waits for none of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Desk, Node, ORIGIN, pinned, refused};
use crate::enrolment::UnreadFile;
use crate::registry::Pin;
use certificates::papers::Receipt;

const ELSEWHERE: &str = "example.org/n8";

/// The file of the record that a node was enrolled by.
fn record(desk: &Desk, receipt: &Receipt) -> PathBuf {
    desk.dir()
        .join("enrolment")
        .join(format!("{}.json", receipt.request))
}

/// Each way in which a file is no good.
const HARMS: [fn(&Path); 4] = [
    // Sound but for what is in it, where there is a certificate.
    |path| {
        let sound = std::fs::read_to_string(path).unwrap();
        let other = sound.replace("BEGIN CERTIFICATE", "BEGIN NOTHING");
        let changed = if other == sound { "{" } else { &other };
        std::fs::write(path, changed).unwrap();
    },
    |path| std::fs::write(path, "{\"request\":").unwrap(),
    |path| std::fs::write(path, "").unwrap(),
    |path| {
        std::fs::remove_file(path).unwrap();
        std::fs::create_dir(path).unwrap();
    },
];

/// Whether openssl finds the certificate of a receipt on the list.
fn is_listed(desk: &Desk, receipt: &Receipt) -> bool {
    std::fs::write(desk.file("node.pem"), &receipt.certificate).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args(["verify", "-crl_check", "-CAfile", "c/tls/ca.pem"]);
    openssl.args(["-CRLfile", "c/tls/revoked.pem", "node.pem"]);
    let said = openssl.current_dir(desk.folder.path()).output().unwrap();
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        said.status.success() || words.contains("certificate revoked"),
        "{words}"
    );
    !said.status.success()
}

/// A file of another node, or of none, is named and stops nothing: the node that is meant is taken back whole.
//= R8.2
//= R8.4
#[test]
fn a_damaged_record_of_another_node_or_a_damaged_list_of_pins_stops_no_revocation() {
    for harm in HARMS {
        for enrolled in [true, false] {
            for file in [UnreadFile::Record, UnreadFile::Pins] {
                let (own, other) = (Node::new(ORIGIN, 1), Node::new(ELSEWHERE, 2));
                let desk = Desk::new();
                let others = desk.enrol(&other, false).unwrap();
                let given = match enrolled {
                    true => Vec::new(),
                    false => pinned(&own),
                };
                let receipt = enrolled.then(|| desk.enrol(&own, false).unwrap());
                desk.run(&given);
                let path = match file {
                    UnreadFile::Record => record(&desk, &others),
                    _ => desk.dir().join("log-pins.json"),
                };
                harm(&path);
                // Either of the two, where something tells of the other.
                let both = own.keys(ORIGIN);
                let (asked, whole) = match file {
                    UnreadFile::Pins if !enrolled => (&both[..], false),
                    _ => (&both[1..], true),
                };
                let done = desk.try_revoke(asked).unwrap();
                assert_eq!(done.all.len(), 2, "{file:?} {enrolled}: {done:?}");
                assert_eq!((done.alone, done.unlisted), (Vec::new(), None));
                assert_eq!(done.unknown.is_empty(), whole, "{:?}", done.unknown);
                let [unread] = &done.unread[..] else {
                    panic!("{:?}", done.unread);
                };
                assert_eq!(unread.file, file);
                let name = path.display().to_string();
                assert!(unread.words.contains(&name), "{unread:?}");
                if let Some(receipt) = &receipt {
                    assert!(is_listed(&desk, receipt));
                }
                // Who is taken in is another thing: nothing is decided by a part.
                refused(desk.enrol(&Node::new(ORIGIN, 3), true), &name);
            }
        }
    }
}

/// Whoever was shut out stays so, whatever became of his record since.
//= R8.2
#[test]
fn a_certificate_that_is_on_the_list_stays_there_when_its_record_is_gone() {
    let (first, second) = (Node::new(ORIGIN, 1), Node::new(ELSEWHERE, 2));
    for harm in HARMS {
        for gone in [true, false] {
            let desk = Desk::new();
            let receipts = [&first, &second].map(|node| desk.enrol(node, false).unwrap());
            desk.revoke(&first.keys(ORIGIN)[..1]);
            let path = record(&desk, &receipts[0]);
            match gone {
                true => std::fs::remove_file(&path).unwrap(),
                false => harm(&path),
            }
            let list = desk.dir().join("tls/revoked.pem");
            let sound = std::fs::read(&list).unwrap();
            let done = desk.try_revoke(&second.keys(ELSEWHERE)[..1]).unwrap();
            assert_eq!((done.all.len(), done.unlisted), (4, None));
            assert!(receipts.iter().all(|one| is_listed(&desk, one)), "{gone}");
            // With a list that cannot be read it is not known who was shut out: none is written over it.
            std::fs::write(&list, &sound[..sound.len() / 2]).unwrap();
            let done = desk.try_revoke(&second.keys(ELSEWHERE)).unwrap();
            assert_eq!(done.unlisted.is_some(), !gone, "{done:?}");
            let left = std::fs::read(&list).unwrap();
            assert_eq!(left == sound[..sound.len() / 2], !gone);
        }
    }
}

/// What a damaged record may tell is not guessed: the key that was given goes, by itself, and it is said how the other one does.
//= R8.2
#[test]
fn a_key_whose_record_is_damaged_is_taken_back_by_itself_and_no_good_one_with_it() {
    let (old, new) = (Node::new(ORIGIN, 1), Node::new(ORIGIN, 2));
    for which in 0..2 {
        let desk = Desk::new();
        let receipt = desk.enrol(&new, false).unwrap();
        // One key of the machine before was given too: by the pins alone either could sign with one of the others.
        desk.run(&[pinned(&old).remove(which)]);
        let path = record(&desk, &receipt);
        let sound = std::fs::read(&path).unwrap();
        std::fs::write(&path, &sound[..sound.len() / 2]).unwrap();
        let key = old.keys(ORIGIN)[which].clone();
        let done = desk.try_revoke(std::slice::from_ref(&key)).unwrap();
        let back: Vec<_> = done.all.iter().map(|one| one.vkey.clone()).collect();
        assert_eq!((back, done.alone), (vec![key.to_string()], vec![key]));
        assert!(done.unread[0].file.then().contains("give the other line"));
        // Its own too, each by itself; and with the file put back its certificate is found again.
        let keys = new.keys(ORIGIN);
        let done = desk.try_revoke(&keys).unwrap();
        assert_eq!((done.all.len(), done.alone), (3, Vec::new()));
        std::fs::write(&path, &sound).unwrap();
        let done = desk.try_revoke(&keys[..1]).unwrap();
        assert_eq!((done.all.len(), done.unread), (3, Vec::new()));
        assert!(is_listed(&desk, &receipt));
        let all = super::pins(&desk.dir(), Vec::new()).unwrap();
        assert!(all.iter().all(Pin::is_revoked), "{all:?}");
    }
}

/// Written over, it would let in whoever was shut out: this one file is needed.
//= R8.2
#[test]
fn damaged_revocations_are_not_written_over_and_it_is_said_how_they_are_had_again() {
    let (own, other) = (Node::new(ORIGIN, 1), Node::new(ELSEWHERE, 2));
    let desk = Desk::new();
    desk.run(&[pinned(&own), pinned(&other)].concat());
    desk.revoke(&own.keys(ORIGIN)[..1]);
    let path = desk.dir().join("revoked-keys.json");
    std::fs::write(&path, "[{").unwrap();
    for words in [
        "revoked-keys.json is damaged",
        "move it away and revoke again",
        "audit/acts.jsonl",
    ] {
        refused(desk.try_revoke(&other.keys(ELSEWHERE)), words);
    }
    assert_eq!(std::fs::read(&path).unwrap(), b"[{");
}
