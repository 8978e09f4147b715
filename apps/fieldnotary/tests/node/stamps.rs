//! A node that has its checkpoints stamped by an authority that is not ours, openssl's; and one that answers nonsense.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Peer, Street};
use crate::common::{Said, about, done, fieldnotary, list, number, text, wait_until};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const ORIGIN: &str = "example.org/stamped";
const LONG: Duration = Duration::from_secs(90);

fn with_authority(street: &Street, peer: &Peer, dir: &Path) -> Contract {
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 16));
    contract.stamped_by(peer, &dir.join("peer/authority.pem"))
}

fn entries(data: &Path, kind: &str) -> Vec<Value> {
    about("log", data, &["--kind", kind]).entries()
}

/// The words of a verdict, for somebody who trusts these roots.
fn verified(data: &Path, roots: &[&Path]) -> Said {
    let roots = roots
        .iter()
        .flat_map(|root| [OsStr::new("--tsa"), root.as_os_str()]);
    fieldnotary(
        [OsStr::new("verify"), data.as_os_str()]
            .into_iter()
            .chain(roots),
    )
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

//= R8.2
//= A4.7
#[test]
fn a_checkpoint_is_stamped_once_a_day_and_an_authority_that_fails_stops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let peer = Peer::of(dir.path(), "tsa.py", &[]);
    peer.control(&json!({ "how": "wrong-imprint" }));
    let street = Street::start(dir.path(), 1);
    let contract = with_authority(&street, &peer, dir.path());
    let node = Node::start(dir.path(), "node", &contract);
    let failed = wait_until("a failure that is told", LONG, || {
        entries(node.data(), "timestamp_failed").first().cloned()
    });
    assert_eq!(text(&failed, "fault"), "wrong_imprint");
    assert_eq!(number(&failed, "retry_ms"), 5_000, "{failed}");
    // At once: each try that fails doubles the wait for the next.
    peer.control(&json!({ "how": "sound" }));
    let told = wait_until("a timestamp", LONG, || {
        entries(node.data(), "timestamp").first().cloned()
    });
    // Readings went on while it failed.
    let between = number(&failed, "commit_id")..number(&told, "commit_id");
    let readings = entries(node.data(), "reading");
    let meanwhile = readings
        .iter()
        .filter(|one| between.contains(&number(one, "commit_id")));
    assert!(meanwhile.count() > 3, "{failed} {told}");
    // A restart does not ask again on the same day.
    node.stop();
    let node = Node::start(dir.path(), "node", &contract);
    let sealed = number(&node.status(), "sealed_size");
    node.wait_for("sealed_size", sealed + 5);
    let data = node.stop();
    assert_eq!(entries(&data, "timestamp").len(), 1);
    assert_eq!(entries(&data, "timestamp_failed").len(), 1);

    let root = dir.path().join("peer/authority.pem");
    let said = verified(&data, &[&root]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let words = format!("the checkpoint of {} entries of", number(&told, "size"));
    assert!(said.out.contains(&words), "{said:?}");
    assert!(said.out.contains("vouched for by authority"), "{said:?}");
    let bare = verified(&data, &[]);
    assert!(
        bare.code == Some(0) && bare.out.contains("UNANCHORED: name the roots"),
        "{bare:?}"
    );
    let strange = verified(&data, &[&dir.path().join("peer/stranger.pem")]);
    assert!(
        strange.code == Some(0) && strange.out.contains("UNANCHORED: the certificate"),
        "{strange:?}"
    );
    let json = about("verify", &data, &["--tsa", root.to_str().unwrap()]).json();
    let stamps = list(&json, "timestamps");
    assert_eq!(stamps.len(), 1);
    assert_eq!(stamps[0]["anchored"], true);
    assert_eq!(stamps[0]["compared"], true);
    assert_eq!(stamps[0]["root"], "authority");

    // openssl says the same of the token in the log.
    let token = dir.path().join("token");
    std::fs::write(&token, bytes(text(&told, "token"))).unwrap();
    let said = done(
        Command::new("openssl")
            .args(["ts", "-reply", "-token_in", "-token_out", "-text", "-in"])
            .arg(&token),
    );
    assert!(said.out.contains("Hash Algorithm: sha256"), "{said:?}");
    let absent = verified(&data, &[Path::new("absent.pem")]);
    assert!(
        absent.code == Some(3) && absent.err.contains("absent.pem"),
        "{absent:?}"
    );
}
