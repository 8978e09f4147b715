//! A client whose certificate was taken back: what gets it through the handshake, and what it reaches behind it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use certificates::papers::Receipt;
use rustls::CertificateError as Fault;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use super::clients::Standing;
use super::{Server, Told, server_side};
use crate::audit::Refusals;
use crate::clock;
use crate::enrolment::tests::{Desk, Node};
use crate::enrolment::{pins, turned_away};
use crate::identity::TlsFiles;
use crate::log::RequestLog;
use crate::registry::Registry;

const OWN: &str = "example.org/n7";
const OTHER: &str = "example.org/n8";

/// A registrar that took a node back, that node and another one, each with what it got.
fn taken_back() -> (Desk, [(Node, Receipt); 2]) {
    let desk = Desk::new();
    let nodes = [(OWN, 1), (OTHER, 2)].map(|(origin, seed)| {
        let node = Node::new(origin, seed);
        let receipt = desk.enrol(&node, false).unwrap();
        (node, receipt)
    });
    desk.revoke(&nodes[0].0.keys(OWN)[..1]);
    (desk, nodes)
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// What the handshake says of a certificate, and what is said behind it.
fn judged(files: &TlsFiles, told: Told, pem: &str, at_s: u64) -> Result<Standing, rustls::Error> {
    let tls = server_side(files, told).unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(at_s));
    let standing = tls.clients.standing(&der(pem), &[], now);
    let verifier: &dyn rustls::server::danger::ClientCertVerifier = &*tls.clients;
    let shaken = verifier.verify_client_cert(&der(pem), &[], now);
    assert_eq!(shaken.err(), standing.clone().err(), "one judge for both");
    standing
}

//= R8.2
//= R8.4
#[test]
fn a_certificate_that_was_taken_back_and_is_right_otherwise_is_let_through_to_its_words() {
    let (desk, [(_, own), (_, other)]) = taken_back();
    let files = TlsFiles::of(&desk.dir());
    let told = turned_away(&desk.dir()).unwrap();
    assert_eq!(told.len(), 1);
    let now = clock::utc_s();
    assert_eq!(
        judged(&files, told.clone(), &other.certificate, now),
        Ok(Standing::Served)
    );
    let words = |standing: Result<Standing, rustls::Error>| match standing {
        Ok(Standing::TurnedAway(words)) => words,
        other => panic!("{other:?}"),
    };
    let said = words(judged(&files, told.clone(), &own.certificate, now));
    let (since, why) = said.split_once(" by ada (uid ").unwrap();
    assert!(
        since.starts_with("this node's certificate was revoked here on 20"),
        "{said}"
    );
    assert!(why.ends_with("): stolen\n"), "{said}");
    // By the list alone, which has no words; and by the record alone, where no list could be written.
    let said = words(judged(&files, Told::new(), &own.certificate, now));
    assert!(said.contains("no record of why"), "{said}");
    let unlisted = TlsFiles {
        client_crl: desk.dir().join("tls/none.pem"),
        ..files.clone()
    };
    let said = words(judged(&unlisted, told.clone(), &own.certificate, now));
    assert!(said.contains("stolen"), "{said}");
    // Whatever else is wrong ends the handshake.
    let stranger = Desk::new();
    let strange = stranger.enrol(&Node::new(OWN, 1), false).unwrap();
    let server = std::fs::read_to_string(&files.cert).unwrap();
    let years = 40 * 365 * 86_400;
    for files in [&files, &unlisted] {
        for (pem, at_s, fault) in [
            (&own.certificate, now + years, "Expired"),
            (&own.certificate, now - years, "NotValidYet"),
            (&other.certificate, now + years, "Expired"),
            (&strange.certificate, now, "BadSignature"),
            (&server, now, "InvalidPurpose"),
        ] {
            match judged(files, told.clone(), pem, at_s) {
                Err(rustls::Error::InvalidCertificate(why)) => {
                    assert_ne!(why, Fault::Revoked);
                    assert!(format!("{why:?}").contains(fault), "{fault}: {why:?}");
                }
                other => panic!("{fault}: {other:?}"),
            }
        }
    }
}

/// A client with this node's certificate.
fn client((node, receipt): &(Node, Receipt)) -> Agent {
    let ca = Certificate::from_pem(receipt.authority.as_bytes()).unwrap();
    let own = Certificate::from_pem(receipt.certificate.as_bytes()).unwrap();
    let key = PrivateKey::from_pem(node.tls.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&[ca.to_owned()]))
        .client_cert(Some(ClientCert::new_with_certs(&[own.to_owned()], key)))
        .unversioned_rustls_crypto_provider(provider)
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .into()
}

/// Every file under a directory but those of the books, with its bytes.
fn files_in(dir: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true if path.ends_with("audit") => {}
            true => files_in(&path, found),
            false => drop(found.insert(path.clone(), std::fs::read(path).unwrap())),
        }
    }
}

/// How a request is made, to where, and with what body.
fn requests(hash: &str) -> Vec<(&'static str, String, Option<Vec<u8>>)> {
    let mut all = Vec::new();
    let stored = [
        "checkpoint",
        "holes.json",
        "follows.json",
        "tile/0/000",
        "tile/entries/000",
        "holes/entries/000",
        "state/mirror.json",
    ];
    let mut paths: Vec<String> = stored.iter().map(|file| format!("{hash}/{file}")).collect();
    let others = [
        "",
        "nothing",
        "add-checkpoint",
        "add-rotation",
        "add-entries",
        "../cosigner.key",
    ];
    paths.extend(others.map(str::to_owned));
    for path in paths {
        for method in ["GET", "HEAD", "OPTIONS", "DELETE"] {
            all.push((method, path.clone(), None));
        }
        for method in ["POST", "PUT", "PATCH"] {
            // Small enough to come with the head, and larger than a socket takes at once.
            for bytes in [20, 1 << 20] {
                all.push((method, path.clone(), Some(vec![b'x'; bytes])));
            }
        }
    }
    all
}

/// Each of so many requests has its line, and the book a line a second at the most, by whom the certificate names; none is forgotten.
fn books_have(dir: &Path, requested: &Path, requests: usize) {
    let lines = |path: &Path| -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let turned: Vec<_> = lines(requested);
    let turned = turned.iter().filter(|one| one["event"] == "turned_away");
    assert_eq!(turned.count(), requests);
    let book = lines(&dir.join("audit/refusals.jsonl"));
    let actor = book[0]["actor"].as_str().unwrap();
    assert!(actor.starts_with("n7 (certificate sha256:"), "{actor}");
    assert_eq!(
        (&book[0]["action"], &book[0]["outcome"]),
        (&"connect".into(), &"refused".into())
    );
    assert!(
        book[0]["reason"].as_str().unwrap().contains(": stolen"),
        "{book:?}"
    );
    assert!(book.len() < requests / 2, "{}", book.len());
    let counted: u64 = book.iter().map(|one| one["count"].as_u64().unwrap()).sum();
    assert_eq!(counted, u64::try_from(requests).unwrap());
}

/// Whatever it asks, however: nothing is read, stored or told but since when, by whom and why.
//= R8.2
//= R11.5
#[test]
fn whoever_is_turned_away_reaches_nothing_but_the_words() {
    let (desk, nodes) = taken_back();
    let dir = desk.dir();
    let hash = proof::tile::origin_directory(&format!("{OWN}/g1"));
    let log = dir.join("logs").join(&hash);
    std::fs::create_dir_all(log.join("tile/0")).unwrap();
    for file in ["checkpoint", "holes.json", "tile/0/000"] {
        std::fs::write(log.join(file), "stored").unwrap();
    }
    let tls = server_side(&TlsFiles::of(&dir), turned_away(&dir).unwrap()).unwrap();
    let registry = Registry::open(&dir, pins(&dir, Vec::new()).unwrap()).unwrap();
    let requested = desk.dir().with_extension("jsonl");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let addr = runtime.block_on(async {
        let log = RequestLog::open(Some(&requested)).unwrap();
        let at = "127.0.0.1:0".parse().unwrap();
        let server = Server::bind(at, tls, registry, log, Refusals::new(&dir))
            .await
            .unwrap();
        let addr = server.addr().unwrap();
        tokio::spawn(server.serve());
        addr
    });
    let [away, served] = nodes.each_ref().map(client);
    let url = |path: &str| format!("https://{addr}/{path}");
    // The other node reads what is stored, and is told what it did wrong.
    for (path, due) in [
        (format!("{hash}/checkpoint"), 200),
        ("nothing".to_owned(), 404),
    ] {
        assert_eq!(served.get(url(&path)).call().unwrap().status(), due);
    }
    let mut before = BTreeMap::new();
    files_in(&dir, &mut before);
    let all = requests(&hash);
    for (method, path, body) in &all {
        let request = Request::builder().method(*method).uri(url(path));
        let said = match body {
            Some(body) => away.run(request.body(body.clone()).unwrap()),
            None => away.run(request.body(()).unwrap()),
        };
        let mut said = said.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        assert_eq!(said.status(), 403, "{method} {path}");
        let names: Vec<_> = said
            .headers()
            .keys()
            .map(|name| name.as_str().to_owned())
            .collect();
        let own = names.iter().filter(|name| name.starts_with("fieldnotary"));
        assert_eq!(own.count(), 0, "{names:?}");
        assert_eq!(said.headers()["connection"], "close", "{method} {path}");
        let words = said.body_mut().read_to_string().unwrap();
        let due = *method == "HEAD" && words.is_empty()
            || words.starts_with("this node's certificate was revoked here on 20")
                && words.ends_with(": stolen\n");
        assert!(due, "{method} {path}: {words}");
    }
    let mut after = BTreeMap::new();
    files_in(&dir, &mut after);
    assert!(before == after, "something was stored");
    runtime.shutdown_timeout(Duration::from_secs(5));
    books_have(&dir, &requested, all.len());
}
