//! A registrar takes a node's keys in: what it has proved to it, what it refuses, and what that is worth afterwards.

mod papers;
mod renewed;
mod revoked;
mod turned_away;

use crate::common::contract::Contract;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{about, done, fieldnotary, number, program, text};
use papers::{ORIGIN, Papers, misused, openssl, refused, well};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use trial_stores::Swtpm;

fn keys(data: &Path, tpm: &Swtpm) -> Vec<String> {
    let mut init = Command::new(program("fieldnotary-signer"));
    init.arg("init")
        .arg("--identity")
        .arg(data.join("identity"));
    init.args(["--origin", ORIGIN, "--backend", "tpm", "--socket"]);
    let said = done(init.arg(tpm.socket()));
    said.out.lines().map(str::to_owned).collect()
}

/// With the certificate, and without a key on the collector's command line, the log is delivered up to this size.
fn delivering(dir: &Path, street: &Street, collector: &mut Collector, size: u64) -> Node {
    collector.leave();
    collector.come_back(&[]);
    let contract = Contract::new(ORIGIN, "256KiB", 16);
    let contract = contract.uplink(&collector.address, &collector.key, &dir.join("node-tls"));
    let node = Node::start(dir, "node", &street.contract(contract));
    node.wait_for("cosigned_size", size);
    node
}

/// A certificate for the key of the request's own endorsement certificate, by this node's maker, that expires at once.
fn expired(papers: &Papers<'_>, tpm: &Swtpm, request: &Value) -> Value {
    let der = text(&request["endorsements"][0], "certificate").to_owned();
    std::fs::write(papers.file("ek.b64"), der).unwrap();
    let folder = papers.folder;
    openssl(
        folder,
        &["base64", "-d", "-A", "-in", "ek.b64", "-out", "ek.der"],
    );
    openssl(
        folder,
        &[
            "x509", "-inform", "der", "-in", "ek.der", "-pubkey", "-noout", "-out", "ek.pem",
        ],
    );
    openssl(
        folder,
        &[
            "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "x.key", "-subj", "/CN=x",
            "-out", "x.csr",
        ],
    );
    let (key, ca) = (
        tpm.folder().join("ca/sign.pem"),
        tpm.folder().join("ca/issuer.pem"),
    );
    let (key, ca) = (key.display().to_string(), ca.display().to_string());
    std::fs::write(papers.file("v3"), "basicConstraints=critical,CA:FALSE\n").unwrap();
    openssl(
        folder,
        &[
            "x509",
            "-req",
            "-in",
            "x.csr",
            "-force_pubkey",
            "ek.pem",
            "-CA",
            &ca,
            "-CAkey",
            &key,
            "-set_serial",
            "9",
            "-extfile",
            "v3",
            "-days",
            "0",
            "-outform",
            "der",
            "-out",
            "old.der",
        ],
    );
    let der = openssl(folder, &["base64", "-A", "-in", "old.der"]);
    let mut request = request.clone();
    request["endorsements"][0]["certificate"] = String::from_utf8(der).unwrap().trim().into();
    request
}

/// What a registrar refuses before it challenges; what it was asked stays open.
fn bad_requests(papers: &Papers<'_>, tpm: &Swtpm, other: &Swtpm) {
    std::fs::write(papers.file("other.pem"), other.authorities()).unwrap();
    let said = papers.challenge("request", "other.pem");
    refused(
        &said,
        "nobody vouches for its endorsement certificate (rsa-2048)",
    );
    let request = papers.read("request");
    papers.write("expired", &expired(papers, tpm, &request));
    // Times in certificates are whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    refused(&papers.challenge("expired", "maker.pem"), "it expired");
    let mut changed = request.clone();
    // A restricted key without that attribute: it may sign what its TPM did not make.
    changed["key_public"] = text(&request, "key_public")
        .replacen("ACMACwAF", "ACMACwAE", 1)
        .into();
    papers.write("weak", &changed);
    refused(
        &papers.challenge("weak", "maker.pem"),
        "may sign what that did not make",
    );
    changed = request.clone();
    changed["endorsements"] = Value::Array(Vec::new());
    papers.write("bare", &changed);
    refused(
        &papers.challenge("bare", "maker.pem"),
        "has no endorsement certificate",
    );
    changed = request;
    changed["vkeys"][0] = changed["vkeys"][1].clone();
    papers.write("keys", &changed);
    refused(
        &papers.challenge("keys", "maker.pem"),
        "not a P-256 and an Ed25519 key",
    );
    refused(
        &papers.challenge("maker.pem", "maker.pem"),
        "no paper of an enrolment",
    );
    let said = papers.at_the_collector(
        "challenge",
        &[],
        &[("--request", "request"), ("--out", "challenge")],
    );
    misused(&said, "--endorsement-ca FILE is missing");
    refused(&papers.register("request"), "that is another paper");
}

fn pkcs10_of_another(papers: &Papers<'_>) -> String {
    let words = [
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "carrier.key",
        "-subj",
        "/CN=x",
    ];
    String::from_utf8(openssl(papers.folder, &words)).unwrap()
}

/// What node and registrar refuse of papers that were exchanged or changed on their way.
fn bad_answers(papers: &Papers<'_>) {
    well(&papers.challenge("request", "maker.pem"));
    let mut challenge = papers.read("challenge");
    let sealed = text(&challenge["credential"], "blob").to_owned();
    let changed: String = sealed.chars().rev().collect::<String>().replace('=', "");
    challenge["credential"]["blob"] = format!(
        "{}{}",
        &changed[..sealed.len() - 4],
        &sealed[sealed.len() - 4..]
    )
    .into();
    papers.write("changed", &challenge);
    refused(
        &papers.answer("changed"),
        "was not made for this key in this TPM",
    );
    // An answer without what only the TPM finds.
    challenge["credential"] = Value::Null;
    papers.write("without", &challenge);
    well(&papers.answer("without"));
    refused(
        &papers.register("answer"),
        "no answer to the newest challenge, or not by the TPM",
    );
    well(&papers.answer("challenge"));
    std::fs::copy(papers.file("answer"), papers.file("older")).unwrap();
    well(&papers.challenge("request", "maker.pem"));
    refused(
        &papers.register("older"),
        "no answer to the newest challenge",
    );
    // A carrier who puts a request for a certificate of his own in: the node answers for none but its own request.
    let mut swapped = papers.read("request");
    swapped["certificate_request"] = pkcs10_of_another(papers).into();
    papers.write("swapped", &swapped);
    well(&papers.challenge("swapped", "maker.pem"));
    refused(
        &papers.answer("challenge"),
        "about another request than the newest one that was made here",
    );
    // Nor is it one where he makes the challenge name that.
    let mut renamed = papers.read("challenge");
    renamed["request"] = papers.read("older")["request"].clone();
    papers.write("renamed", &renamed);
    well(&papers.answer("renamed"));
    let mut answer = papers.read("answer");
    answer["request"] = papers.read("challenge")["request"].clone();
    papers.write("carried", &answer);
    refused(
        &papers.register("carried"),
        "no answer to the newest challenge",
    );
    let mut answer = papers.read("older");
    answer["request"] = "0".repeat(64).into();
    papers.write("strange", &answer);
    refused(
        &papers.register("strange"),
        "no challenge of this collector is open",
    );
}

/// What a node refuses of a receipt; nothing of it is written.
fn bad_receipts(papers: &Papers<'_>) {
    let receipt = papers.read("receipt");
    let changed = |key: &str, value: &str| {
        let mut changed = receipt.clone();
        changed[key] = value.into();
        papers.write("changed", &changed);
        papers.accept("changed", "node-tls")
    };
    let statement = text(&receipt, "statement").replace("credential", "possession");
    refused(
        &changed("statement", &statement),
        "it is not signed by that registrar",
    );
    let other = std::fs::read_to_string(papers.folder.join("tls/node.pem")).unwrap();
    refused(
        &changed("certificate", &other),
        "certificate is not the one that the registrar states",
    );
    refused(
        &papers.accept("receipt", "no-tls"),
        "no request was made with this directory",
    );
    // All that the registrar does not sign with its own name is signed by its hash.
    let stranger = format!("{}{other}", text(&receipt, "authority"));
    refused(
        &changed("authority", &stranger),
        "authority is not the one that the registrar states",
    );
    refused(
        &changed("authority", &other),
        "authority is not the one that the registrar states",
    );
    refused(
        &changed("endorsement", "MAA="),
        "endorsement certificate is not the one that the registrar states",
    );
    refused(
        &changed("request", &"0".repeat(64)),
        "about another request than the newest one",
    );
    assert!(!papers.file("node-tls/node.pem").exists());
}

/// What a carrier says of collector and place is not what the node prints, and the certificate ends when it was said to.
fn carried_receipt(papers: &Papers<'_>, receipt: &Value) {
    let mut carried = receipt.clone();
    carried["registrar"] = "another+00000000+AAAA".into();
    carried["url"] = "https://elsewhere.example:1".into();
    papers.write("carried", &carried);
    let said = papers.accept("carried", "node-tls");
    well(&said);
    assert!(said.out.contains(papers.registrar), "{said:?}");
    assert!(!said.out.contains("elsewhere"), "{said:?}");
    let expiry = [
        "x509",
        "-noout",
        "-checkend",
        "3369600",
        "-in",
        "node-tls/node.pem",
    ];
    openssl(papers.folder, &expiry);
}

/// Somebody with tiles and one line of the keys has nothing to compare the other with, and that is no fault of the log.
fn with_one_key(dir: &Path, data: &Path, log_keys: &[String]) {
    let tiles = dir.join("tiles");
    let words = ["journal", "export", "--tiles", data.to_str().unwrap(), "-o"];
    let said = fieldnotary(words.into_iter().chain([tiles.to_str().unwrap()]));
    well(&said);
    for (at, key) in log_keys.iter().enumerate() {
        let said = about("verify", &tiles, &["--anchor", key]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let left = said.json()["keys"]["enrolled"][0]["not_compared"].clone();
        assert_eq!(left, log_keys[1 - at].as_str(), "{left}");
    }
}

/// What a verdict on the node's directory and on the collector's says of an enrolment.
fn verdicts(data: &Path, stored: &Path, log_keys: &[String], registrar: &str) {
    let told = about("log", data, &["--kind", "enrolment"]).entries();
    assert_eq!(text(&told[0], "proof"), "credential");
    assert_eq!(text(&told[0], "reason"), "commissioning");
    for place in [data, stored] {
        let of = |anchors: &[&str]| {
            let said = about("verify", place, anchors);
            assert_eq!(said.code, Some(0), "{said:?}");
            said.json()["keys"]["enrolled"][0].clone()
        };
        let anchored = of(&["--anchor", &log_keys[0], "--anchor", registrar]);
        assert_eq!(anchored["pinned"], true, "{anchored}");
        assert_eq!(text(&anchored, "proof"), "credential");
        assert_eq!(text(&anchored, "root"), "swtpm-localca-rootca");
        assert_eq!(of(&["--anchor", &log_keys[0]])["pinned"], false);
    }
    let screen = fieldnotary(["verify", data.to_str().unwrap(), "--anchor", &log_keys[0]]).out;
    assert!(
        screen.contains("/g1 by collector.example.org at "),
        "{screen}"
    );
    assert!(
        screen.contains("UNANCHORED: pin the registrar's key"),
        "{screen}"
    );
}

//= R8.2
//= R8.4
//= A6.1
#[test]
fn a_node_is_enrolled_by_the_tpm_that_its_maker_certified_and_by_nothing_less() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (tpm, other) = (Swtpm::certified(), Swtpm::certified());
    std::fs::write(dir.join("maker.pem"), tpm.authorities()).unwrap();
    let street = Street::start(dir, 1);
    let log_keys = keys(&dir.join("node"), &tpm);
    let mut collector = Collector::start(dir, &log_keys);
    let node = Node::start(
        dir,
        "node",
        &street.contract(Contract::new(ORIGIN, "256KiB", 16)),
    );
    let papers = Papers {
        folder: dir,
        node: node.data(),
        collector: collector.dir(),
        registrar: &collector.key,
    };
    well(&papers.request("request"));
    bad_requests(&papers, &tpm, &other);
    bad_answers(&papers);
    well(&papers.challenge("request", "maker.pem"));
    well(&papers.answer("challenge"));
    well(&papers.register("answer"));
    let receipt = papers.read("receipt");
    // The same answer has the same receipt, and the request cannot be used again.
    well(&papers.register("answer"));
    assert_eq!(papers.read("receipt"), receipt);
    refused(
        &papers.challenge("request", "maker.pem"),
        "registered already",
    );
    bad_receipts(&papers);
    carried_receipt(&papers, &receipt);
    let registrar = collector.key.clone();
    node.wait_for("sealed_size", number(&node.status(), "log_size"));
    node.stop();

    let node = delivering(dir, &street, &mut collector, 100);
    let papers = node.status()["certificates"].clone();
    assert_eq!(text(&papers[0], "subject"), "station-7", "{papers}");
    assert_eq!(text(&papers[0], "section"), "uplink", "{papers}");
    let data = node.stop();
    let stored = collector.stop();
    with_one_key(dir, &data, &log_keys);
    verdicts(&data, &stored, &log_keys, &registrar);
}

//= R8.4
//= R8.2
#[test]
fn keys_in_files_are_taken_in_by_the_nodes_own_word_and_taken_back_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::start(dir, 1);
    let log_keys = Node::keys(&dir.join("node"), ORIGIN);
    let collector = Collector::start(dir, &log_keys);
    let contract = Contract::new(ORIGIN, "256KiB", 16);
    let contract = street.contract(contract.delivered_to(&collector));
    let node = Node::start(dir, "node", &contract);
    let (data, at) = (node.data().to_path_buf(), collector.dir().to_path_buf());
    let registrar = collector.key.clone();
    let papers = Papers {
        folder: dir,
        node: &data,
        collector: &at,
        registrar: &registrar,
    };
    well(&papers.request("request"));
    std::fs::write(
        papers.file("maker.pem"),
        std::fs::read(dir.join("tls/ca.pem")).unwrap(),
    )
    .unwrap();
    refused(&papers.challenge("request", "maker.pem"), "are in no TPM");
    let paths = [("--request", "request"), ("--out", "challenge")];
    let said = papers.at_the_collector("challenge", &["--self-asserted"], &paths);
    well(&said);
    assert!(
        said.out.contains("\"software\" by its own word"),
        "{said:?}"
    );
    well(&papers.answer("challenge"));
    well(&papers.register("answer"));
    let accepted = papers.accept("receipt", "node-tls");
    well(&accepted);
    // What it prints is a part of a contract, wherever that lies.
    let whole = format!("ca_file = {:?}", dir.join("node-tls/ca.pem"));
    assert!(accepted.out.contains(&whole), "{accepted:?}");
    // The certificate is one that openssl takes for the key that never left the node.
    let subject = openssl(
        dir,
        &["verify", "-CAfile", "node-tls/ca.pem", "node-tls/node.pem"],
    );
    assert!(String::from_utf8(subject).unwrap().contains("OK"));
    let told = about("log", node.data(), &["--kind", "enrolment"]).entries();
    assert_eq!(text(&told[0], "proof"), "possession");

    revoked::taken_back(&papers, collector, node, &log_keys);
}
