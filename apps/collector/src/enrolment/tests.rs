//! What a proven node, a stolen key and a carrier of papers can and cannot do at the registrar.

use crate::error::Error;
use std::path::{Path, PathBuf};

use certificates::papers::{Answer, Challenge, Notice, Paper, Receipt, Request};
use proof::note::{Algorithm, Note, VerifierKey, p256_spki, sign_ed25519, sign_p256};
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;
use trust_plane::{Claim, RevokedKeys, answer_bytes};

mod damaged;
mod followed;
mod paper_words;
mod whose;

use super::{Asked, Registered, Revocation, TakenBack, challenge, pins, register, revoke};
use crate::audit::Why;
use crate::identity::init;
use crate::registry::{Pin, Registry};

const ORIGIN: &str = "example.org/n7";

/// A node, as far as a registrar sees it.
pub(crate) struct Node {
    origin: String,
    p256: p256::ecdsa::SigningKey,
    ed25519: ed25519_dalek::SigningKey,
    pub(crate) tls: KeyPair,
}

impl Node {
    pub(crate) fn new(origin: &str, seed: u8) -> Self {
        Self {
            origin: origin.to_owned(),
            p256: p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap(),
            ed25519: ed25519_dalek::SigningKey::from_bytes(&[seed; 32]),
            tls: KeyPair::generate().unwrap(),
        }
    }

    pub(crate) fn keys(&self, name: &str) -> [VerifierKey; 2] {
        let beside = self.ed25519.verifying_key();
        [
            VerifierKey::p256(name, &p256_spki(self.p256.verifying_key())).unwrap(),
            VerifierKey::ed25519(name, beside.as_bytes(), Algorithm::Ed25519).unwrap(),
        ]
    }

    fn request(&self) -> Request {
        let pkcs10 = CertificateParams::default();
        let pkcs10 = pkcs10.serialize_request(&self.tls).unwrap().pem();
        Request {
            origin: self.origin.clone(),
            log: format!("{}/g1", self.origin),
            vkeys: self
                .keys(&self.origin)
                .iter()
                .map(ToString::to_string)
                .collect(),
            custody: "software".into(),
            maker: String::new(),
            key_public: None,
            endorsements: Vec::new(),
            certificate_request: pkcs10.unwrap(),
        }
    }

    /// What its signer answers for the request that it made itself.
    fn answer(&self, request: &Request, challenge: &Challenge) -> Answer {
        let nonce = challenge.nonce.0.clone().try_into().unwrap();
        let bytes = answer_bytes(&nonce, &request.hash(), &[]);
        let log = format!("{}/g1", self.origin);
        let mut note = Note::new(Claim::Attestation(&bytes).text(&log)).unwrap();
        let text = note.text().to_owned();
        note.add(sign_p256(&log, &self.p256, &text).unwrap())
            .unwrap();
        note.add(sign_ed25519(&log, &self.ed25519, &text).unwrap())
            .unwrap();
        Answer {
            request: challenge.request.clone(),
            note: note.to_string(),
        }
    }
}

/// A registrar, and papers on their way to it and from it.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        init(&folder.path().join("c"), "c.example.org", &[]).unwrap();
        Self { folder }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().join("c")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, paper: Paper) -> PathBuf {
        let path = self.file(name);
        std::fs::write(&path, paper.text()).unwrap();
        path
    }

    fn challenge(&self, request: &Request) -> Result<Challenge, String> {
        let asked = Asked {
            request: self.put("request", Paper::Request(request.clone())),
            roots: Vec::new(),
            revoked: Vec::new(),
            self_asserted: true,
        };
        let out = self.file("challenge");
        challenge(&self.dir(), &asked, &out).map_err(|error| error.to_string())?;
        Ok(Challenge::read(&std::fs::read(out).unwrap()).unwrap())
    }

    fn register(&self, answer: Answer, origin: &str, new_keys: bool) -> Result<Receipt, String> {
        let asked = Registered {
            answer: self.put("answer", Paper::Answer(answer)),
            origin: origin.to_owned(),
            node: "n7".to_owned(),
            days: Some(30),
            url: None,
            new_keys,
        };
        let out = self.file("receipt");
        register(&self.dir(), &asked, &out).map_err(|error| error.to_string())?;
        Ok(Receipt::read(&std::fs::read(out).unwrap()).unwrap())
    }

    pub(crate) fn enrol(&self, node: &Node, new_keys: bool) -> Result<Receipt, String> {
        let request = node.request();
        let challenge = self.challenge(&request)?;
        let answer = node.answer(&request, &challenge);
        self.register(answer, &node.origin, new_keys)
    }

    pub(crate) fn revoke(&self, keys: &[VerifierKey]) -> Vec<String> {
        let done = revoke(&self.dir(), &taken_back(keys, None)).unwrap();
        done.all.into_iter().map(|one| one.vkey).collect()
    }

    fn try_revoke(&self, keys: &[VerifierKey]) -> Result<Revocation, String> {
        revoke(&self.dir(), &taken_back(keys, None)).map_err(|error| error.to_string())
    }

    /// Starts with these keys on the command line, and ends.
    fn run(&self, given: &[Pin]) {
        let pins = pins(&self.dir(), given.to_vec()).unwrap();
        Registry::open(&self.dir(), pins).unwrap();
    }
}

fn taken_back(keys: &[VerifierKey], notice: Option<PathBuf>) -> TakenBack {
    TakenBack {
        keys: keys.to_vec(),
        why: Why::new("stolen", Some("ada")).unwrap(),
        notice,
    }
}

#[track_caller]
fn refused<T>(said: Result<T, String>, words: &str) {
    let said = said.err().expect("it is refused");
    assert!(said.contains(words), "{words}: {said}");
}

fn pinned(node: &Node) -> Vec<Pin> {
    let pin = |key: VerifierKey| Pin::new(key, &node.origin);
    node.keys(&node.origin).map(pin).to_vec()
}

//= R8.4
//= U4
#[test]
fn a_node_is_never_taken_in_for_the_log_of_another() {
    let (own, stranger) = (Node::new(ORIGIN, 1), Node::new(ORIGIN, 2));
    // Registered before.
    let desk = Desk::new();
    desk.enrol(&own, false).unwrap();
    for new_keys in [false, true] {
        refused(
            desk.enrol(&stranger, new_keys),
            "is known here with other keys",
        );
    }
    // Its own keys may be renewed.
    let before = desk.enrol(
        &Node {
            tls: KeyPair::generate().unwrap(),
            ..own
        },
        false,
    );
    before.unwrap();
    // Given on the command line, under its name or for a prefix, and started once.
    let own = Node::new(ORIGIN, 1);
    let for_prefix: Vec<Pin> = own
        .keys("another.name")
        .map(|key| Pin::new(key, ORIGIN))
        .to_vec();
    let of_generation: Vec<Pin> = own
        .keys("example.org/n7/g3")
        .map(|key| Pin::new(key, "example.org/n7/g3"))
        .to_vec();
    for given in [pinned(&own), for_prefix, of_generation] {
        let desk = Desk::new();
        desk.run(&given);
        refused(desk.enrol(&stranger, true), "is known here with other keys");
        desk.enrol(&own, false).unwrap();
    }
    // Whoever takes it in says for which log: what a request says of itself is no more than that.
    let desk = Desk::new();
    let other = Node::new("example.org/n8", 2);
    let request = other.request();
    let answer = other.answer(&request, &desk.challenge(&request).unwrap());
    refused(
        desk.register(answer, ORIGIN, false),
        "nobody is taken in for another's log",
    );
}

//= R8.4
//= U4
#[test]
fn an_origin_that_names_a_generation_is_no_origin_of_a_node() {
    let desk = Desk::new();
    for origin in [
        "example.org/n7/g1",
        "example.org/n7/g12",
        "example.org/n7/g0",
    ] {
        refused(
            desk.challenge(&Node::new(origin, 2).request()),
            "ends in a generation",
        );
    }
    // The keys of a request are those of its own origin.
    let mut mixed = Node::new(ORIGIN, 2).request();
    mixed.vkeys = Node::new("example.org/n8", 2).request().vkeys;
    refused(desk.challenge(&mixed), "of its own origin");
    mixed = Node::new(ORIGIN, 2).request();
    mixed.log = "example.org/n8/g1".into();
    refused(desk.challenge(&mixed), "is no generation of");
}

//= R8.2
#[test]
fn either_key_of_a_node_takes_both_back_under_whatever_name_it_is_given() {
    let names = [ORIGIN, "example.org/n7/g1", "example.org/n7/g4"];
    for which in 0..2 {
        for name in names {
            let own = Node::new(ORIGIN, 1);
            let (registered, given) = (Desk::new(), Desk::new());
            registered.enrol(&own, false).unwrap();
            given.run(&pinned(&own));
            for desk in [registered, given] {
                let revoked = desk.revoke(&own.keys(name)[which..=which]);
                assert_eq!(revoked.len(), 2, "{revoked:?}");
                let all = pins(&desk.dir(), pinned(&own)).unwrap();
                assert!(all.iter().all(Pin::is_revoked), "{all:?}");
                // And once only.
                assert_eq!(desk.revoke(&own.keys(ORIGIN)).len(), 2);
            }
        }
    }
}

//= R8.2
#[test]
fn a_revoked_key_is_neither_challenged_nor_registered_and_its_receipt_is_had_no_more() {
    let own = Node::new(ORIGIN, 1);
    for which in 0..2 {
        let desk = Desk::new();
        let request = own.request();
        let asked = desk.challenge(&request).unwrap();
        let answer = own.answer(&request, &asked);
        desk.revoke(&own.keys("example.org/n7/g1")[which..=which]);
        refused(
            desk.register(answer.clone(), ORIGIN, true),
            "was revoked here (stolen)",
        );
        refused(desk.challenge(&request), "was revoked here (stolen)");
        refused(desk.enrol(&own, true), "was revoked here (stolen)");
    }
    let desk = Desk::new();
    let request = own.request();
    let answer = own.answer(&request, &desk.challenge(&request).unwrap());
    desk.register(answer.clone(), ORIGIN, false).unwrap();
    desk.revoke(&own.keys(ORIGIN)[..1]);
    refused(
        desk.register(answer, ORIGIN, false),
        "was revoked here (stolen)",
    );
    // Another node goes on in its place only where whoever takes it in says so.
    let next = Node::new(ORIGIN, 2);
    refused(desk.enrol(&next, false), "--new-keys");
    desk.enrol(&next, true).unwrap();
    let all = pins(&desk.dir(), Vec::new()).unwrap();
    assert_eq!(all.iter().filter(|pin| !pin.is_revoked()).count(), 2);
    refused(
        desk.enrol(&Node::new(ORIGIN, 3), true),
        "is known here with other keys",
    );
}

//= R8.4
#[test]
fn a_carrier_who_changes_the_request_for_a_certificate_gets_none() {
    let (own, carrier) = (Node::new(ORIGIN, 1), Node::new(ORIGIN, 9));
    let desk = Desk::new();
    let honest = own.request();
    let mut swapped = honest.clone();
    swapped.certificate_request = carrier.request().certificate_request;
    let challenge = desk.challenge(&swapped).unwrap();
    // The node answers for what it asked itself, whichever of the two the paper names.
    refused(
        desk.register(own.answer(&honest, &challenge), ORIGIN, false),
        "no answer to the newest challenge",
    );
    // An attestation over a number of the carrier's is no answer either, however long the number may be.
    let nonce: [u8; 32] = challenge.nonce.0.clone().try_into().unwrap();
    let log = "example.org/n7/g1";
    for bytes in [nonce.to_vec(), [nonce, swapped.hash()].concat()] {
        let mut note = Note::new(Claim::Attestation(&bytes).text(log)).unwrap();
        let text = note.text().to_owned();
        note.add(sign_p256(log, &own.p256, &text).unwrap()).unwrap();
        note.add(sign_ed25519(log, &own.ed25519, &text).unwrap())
            .unwrap();
        let answer = Answer {
            request: swapped.id(),
            note: note.to_string(),
        };
        refused(
            desk.register(answer, ORIGIN, false),
            "no answer to the newest challenge",
        );
    }
    let challenge = desk.challenge(&honest).unwrap();
    let receipt = desk
        .register(own.answer(&honest, &challenge), ORIGIN, false)
        .unwrap();
    assert_eq!(receipt.request, honest.id());
}

//= R8.2
#[test]
fn a_certificate_ends_when_it_was_said_to() {
    let desk = Desk::new();
    desk.enrol(&Node::new(ORIGIN, 1), false).unwrap();
    let receipt = Receipt::read(&std::fs::read(desk.file("receipt")).unwrap()).unwrap();
    std::fs::write(desk.file("node.pem"), &receipt.certificate).unwrap();
    let holds_in = |days: u32| {
        let mut openssl = std::process::Command::new("openssl");
        let seconds = (days * 86_400).to_string();
        openssl.args(["x509", "-noout", "-checkend", &seconds, "-in", "node.pem"]);
        let done = openssl.current_dir(desk.folder.path()).output().unwrap();
        done.status.success()
    };
    assert!(holds_in(29) && !holds_in(31));
}

#[test]
fn what_a_paper_says_steers_no_terminal() {
    let desk = Desk::new();
    let mut request = Node::new(ORIGIN, 1).request();
    request.origin = "a\u{1b}[2Jb".into();
    let said = desk.challenge(&request).unwrap_err();
    assert!(!said.contains('\u{1b}') && said.contains("2Jb"), "{said}");
    let forged = r#"{"fieldnotary":"enrolment request v1","\u001b[31mx":1}"#;
    std::fs::write(desk.file("request"), forged).unwrap();
    let asked = Asked {
        request: desk.file("request"),
        roots: Vec::new(),
        revoked: Vec::new(),
        self_asserted: true,
    };
    let said = challenge(&desk.dir(), &asked, Path::new("none"))
        .unwrap_err()
        .to_string();
    assert!(!said.contains('\u{1b}'), "{said:?}");
}

//= R8.2
#[test]
fn a_node_that_is_taken_back_has_its_certificates_on_a_list_and_a_notice_that_says_why() {
    let desk = Desk::new();
    let (own, other) = (Node::new(ORIGIN, 1), Node::new("example.org/n8", 2));
    let mut certificates = Vec::new();
    // Two of one node: its certificate was renewed, with the same key.
    for (name, node) in [("own", &own), ("again", &own), ("other", &other)] {
        let mut request = node.request();
        request.maker = name.into();
        let challenge = desk.challenge(&request).unwrap();
        let answer = node.answer(&request, &challenge);
        let receipt = desk.register(answer, &node.origin, false).unwrap();
        std::fs::write(desk.file(name), receipt.certificate).unwrap();
        certificates.push(name);
    }
    let notice = desk.file("notice");
    revoke(
        &desk.dir(),
        &taken_back(&own.keys(ORIGIN)[..1], Some(notice.clone())),
    )
    .unwrap();
    for name in certificates {
        let mut openssl = std::process::Command::new("openssl");
        openssl.args(["verify", "-crl_check", "-CAfile", "c/tls/ca.pem"]);
        openssl.args(["-CRLfile", "c/tls/revoked.pem", name]);
        let said = openssl.current_dir(desk.folder.path()).output().unwrap();
        assert_eq!(said.status.success(), name == "other", "{said:?}");
        let words = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(
            words.contains("certificate revoked"),
            name != "other",
            "{words}"
        );
    }
    let told = |path: &Path| {
        let paper = Notice::read(&std::fs::read(path).unwrap()).unwrap();
        let registrar = paper.registrar.parse().unwrap();
        RevokedKeys::read(paper.statement.as_bytes(), &registrar).unwrap()
    };
    let first = told(&notice);
    assert_eq!(first.vkeys.len(), 2);
    assert_eq!(first.reason, "stolen");
    assert!(first.by.starts_with("ada (uid "), "{}", first.by);
    // Asked for again it says the same, not who asked again and why.
    let mut again = taken_back(&own.keys(ORIGIN)[1..], Some(desk.file("again")));
    again.why.reason = "for the files".into();
    revoke(&desk.dir(), &again).unwrap();
    let mut second = told(&desk.file("again"));
    second.vkeys.reverse();
    assert_eq!(second, first);
    // Keys of different times have a notice each.
    again.keys.extend(other.keys("example.org/n8"));
    let said = revoke(&desk.dir(), &again).map_err(|error| error.to_string());
    refused(said, "ask for each node's notice by itself");
    for (reason, by) in [
        ("a\nb", Some("ada")),
        ("x", Some(" ")),
        ("x", Some("a\u{1b}b")),
        ("x", Some(&"a".repeat(evidence::limits::ACTOR_BYTES_MAX))),
    ] {
        assert!(Why::new(reason, by).is_err(), "{reason:?} {by:?}");
    }
}

/// What was given stands: asked for again as it was, it comes again; asked for otherwise, nobody is told that it is so.
//= R8.4
#[test]
fn a_receipt_is_given_again_as_it_was_and_not_with_other_options() {
    let desk = Desk::new();
    let own = Node::new(ORIGIN, 1);
    let request = own.request();
    let challenge = desk.challenge(&request).unwrap();
    let answer = own.answer(&request, &challenge);
    let first = desk.register(answer.clone(), &own.origin, false).unwrap();
    let again = desk.register(answer.clone(), &own.origin, false).unwrap();
    assert_eq!(again, first);
    let with = |node: &str, days: Option<u32>, url: Option<&str>| {
        let asked = Registered {
            answer: desk.put("answer", Paper::Answer(answer.clone())),
            origin: own.origin.clone(),
            node: node.to_owned(),
            days,
            url: url.map(str::to_owned),
            new_keys: false,
        };
        register(&desk.dir(), &asked, &desk.file("other"))
    };
    assert!(with("n7", None, Some(&first.url)).is_ok());
    for (said, option) in [
        (with("n8", None, None), "--node n7, and n8"),
        (with("n7", Some(31), None), "--days 30, and 31"),
        (with("n7", Some(30), Some("https://other:1")), "--url"),
    ] {
        match said {
            Err(Error::Refused(words)) => assert!(words.contains(option), "{words}"),
            other => panic!("{other:?}"),
        }
    }
}
