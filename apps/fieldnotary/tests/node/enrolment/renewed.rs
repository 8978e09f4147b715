//! A certificate is renewed with a new key, while the old one serves.

use super::delivering;
use super::papers::{ORIGIN, Papers, openssl, refused, well};
use crate::common::contract::Contract;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{about, text};

//= R8.2
//= R8.4
#[test]
fn a_new_key_for_tls_takes_the_old_ones_place_with_its_certificate_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::start(dir, 1);
    let log_keys = Node::keys(&dir.join("node"), ORIGIN);
    let mut collector = Collector::start(dir, &log_keys);
    let contract = Contract::new(ORIGIN, "256KiB", 16);
    let node = Node::start(dir, "node", &street.contract(contract));
    let (own, at) = (node.data().to_path_buf(), collector.dir().to_path_buf());
    let registrar = collector.key.clone();
    let papers = Papers {
        folder: dir,
        node: &own,
        collector: &at,
        registrar: &registrar,
    };
    let challenge = || {
        let paths = [("--request", "request"), ("--out", "challenge")];
        papers.at_the_collector("challenge", &["--self-asserted"], &paths)
    };
    let enrol = |more: &[&str]| {
        let words = [&["request"], more].concat();
        let paths = [("--tls", "node-tls"), ("--to", "request")];
        well(&papers.on_the_node(&words, &paths));
        well(&challenge());
        well(&papers.answer("challenge"));
        well(&papers.register("answer"));
    };
    let read = |name: &str| std::fs::read_to_string(papers.file(name)).unwrap();
    enrol(&[]);
    well(&papers.accept("receipt", "node-tls"));
    let (key, certificate) = (read("node-tls/node.key"), read("node-tls/node.pem"));
    std::fs::copy(papers.file("receipt"), papers.file("first")).unwrap();
    enrol(&["--renew"]);
    // Until the receipt is accepted all is as it was.
    assert_eq!(read("node-tls/node.key"), key);
    assert_eq!(read("node-tls/node.pem"), certificate);
    refused(
        &papers.accept("first", "node-tls"),
        "about another request than the newest one",
    );
    let next = read("node-tls/next.key");
    well(&papers.accept("receipt", "node-tls"));
    assert_eq!(read("node-tls/node.key"), next);
    assert!(!papers.file("node-tls/next.key").exists());
    // A step that was cut between key and certificate is done again.
    std::fs::write(papers.file("node-tls/node.pem"), &certificate).unwrap();
    well(&papers.accept("receipt", "node-tls"));
    assert_ne!(read("node-tls/node.pem"), certificate);
    let public = |words: &[&str]| openssl(dir, words);
    assert_eq!(
        public(&["x509", "-in", "node-tls/node.pem", "-noout", "-pubkey"]),
        public(&["pkey", "-in", "node-tls/node.key", "-pubout"])
    );
    node.stop();

    let data = delivering(dir, &street, &mut collector, 50).stop();
    let told = about("log", &data, &["--kind", "enrolment"]).entries();
    assert_eq!(told.len(), 3, "{told:?}");
    for one in &told {
        assert_eq!(text(one, "proof"), "possession");
    }
}
