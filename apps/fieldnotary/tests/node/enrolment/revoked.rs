//! A node is taken back: at the collector, in its log, and in what is said of it.

use super::papers::{ORIGIN, Papers, misused, refused, well};
use crate::common::sites::{Collector, Node};
use crate::common::{about, number, text};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Taken back: nothing more is cosigned, its certificate is served no more, node and log say why; what was stored stays.
pub(super) fn taken_back(
    papers: &Papers<'_>,
    mut collector: Collector,
    node: Node,
    log_keys: &[String],
) {
    let dir = papers.folder;
    let revoke = |reason: &str| {
        // One of the two, as it signs for a generation: a node is taken back whole.
        let beside = named(&log_keys[1], &format!("{ORIGIN}/g1"));
        let words = ["--log-key", &beside, "--by", "grace", "--reason", reason];
        papers.at_the_collector("revoke", &words, &[("--notice", "notice")])
    };
    misused(&revoke(" "), "say why, in words");
    assert!(is_served(dir, &collector.address));
    let said = revoke("the machine was stolen");
    well(&said);
    assert_eq!(said.out.lines().count(), 2, "{said:?}");
    let cosigned = number(&node.status(), "cosigned_size");
    collector.leave();
    collector.come_back(&[]);
    assert!(!is_served(dir, &collector.address));
    crate::common::wait_until("the refusal", crate::common::READY, || {
        let events = about("log", node.data(), &["--kind", "event"]).entries();
        let said = |event: &Value| event["detail"].to_string().contains("were revoked here");
        events.iter().any(said).then_some(())
    });
    assert!(number(&node.status(), "cosigned_size") >= cosigned);

    let note = |notice: &str, registrar: &str| {
        let words = [
            "revoked",
            "--registrar",
            registrar,
            "--reason",
            "told by post",
        ];
        papers.on_the_node(&words, &[("", notice)])
    };
    let mut changed = papers.read("notice");
    let statement = text(&changed, "statement").replace("stolen", "broken");
    changed["statement"] = statement.into();
    papers.write("changed", &changed);
    refused(
        &note("changed", papers.registrar),
        "it is not signed by that registrar",
    );
    refused(&note("receipt", papers.registrar), "that is another paper");
    well(&note("notice", papers.registrar));
    node.wait_for("sealed_size", number(&node.status(), "log_size"));
    let data = node.stop();
    let stored = collector.stop();
    let told = about("log", &data, &["--kind", "revocation"]).entries();
    assert_eq!(told[0]["keys"].as_array().unwrap().len(), 2, "{told:?}");
    assert_eq!(text(&told[0], "why"), "the machine was stolen");
    assert!(text(&told[0], "by").starts_with("grace (uid "), "{told:?}");
    for key in log_keys {
        // What the collector has was cosigned before.
        let said = about("verify", &stored, &["--anchor", key]);
        assert_eq!(said.code, Some(0), "{said:?}");
        // The node went on by itself, with keys that whoever stole it has too.
        let said = about("verify", &data, &["--anchor", key]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert_eq!(said.json()["keys"]["revoked"][0]["pinned"], false);
        let anchors = ["--anchor", key, "--anchor", papers.registrar];
        let said = about("verify", &data, &anchors);
        assert_eq!(said.code, Some(1), "{said:?}");
        let found = said.json()["findings"].to_string();
        assert!(found.contains("nobody cosigned them before"), "{found}");
        assert_eq!(said.json()["keys"]["revoked"][0]["own"], true);
    }
}

/// Whether the collector serves whoever has the node's certificate, as openssl sees it.
fn is_served(dir: &Path, address: &str) -> bool {
    use std::io::Write as _;
    use std::process::Stdio;
    let mut client = Command::new("timeout");
    client.args(["10", "openssl", "s_client", "-quiet", "-connect", address]);
    client.args(["-CAfile", "node-tls/ca.pem", "-cert", "node-tls/node.pem"]);
    client.args(["-key", "node-tls/node.key"]).current_dir(dir);
    client.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut client = client.stderr(Stdio::piped()).spawn().unwrap();
    let mut asked = client.stdin.take().unwrap();
    let _ = asked.write_all(b"GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let said = client.wait_with_output().unwrap();
    drop(asked);
    let words = String::from_utf8_lossy(&said.stdout);
    let served = words.starts_with("HTTP/1.1 404");
    let turned_away =
        words.starts_with("HTTP/1.1 403") && words.contains("certificate was revoked here on 20");
    assert!(served || turned_away, "{said:?}");
    served
}

/// A verifier key under another name.
fn named(vkey: &str, name: &str) -> String {
    let key: proof::note::VerifierKey = vkey.parse().unwrap();
    key.under_name(name).unwrap().to_string()
}
