//! A node's identity: half written, damaged, or another log's.

use super::RUN;
use crate::bench::{Case, Place};
use crate::common::damage::truncate;

fn cut(place: &Place, file: &str, bytes: u64) {
    place.node();
    truncate(&place.path("node/identity").join(file), bytes);
}

fn remove(place: &Place, file: &str) {
    place.node();
    std::fs::remove_file(place.path("node/identity").join(file)).unwrap();
}

/// The keys of another node in place of its own, with this log's id.
fn other_keys(place: &Place, origin: &str) {
    place.node();
    make_other(place, origin);
    std::fs::copy(
        place.path("node/identity/log-id"),
        place.path("other/log-id"),
    )
    .unwrap();
    put_other(place);
}

/// A journal put into the directory of another node, which has keys and a log id of its own.
fn other_journal(place: &Place) {
    place.node();
    make_other(place, "example.org/catalogue");
    place.write("other/log-id", ANOTHER_LOG);
    put_other(place);
}

const ANOTHER_LOG: &str = "00112233445566778899aabbccddeeff\n";

fn put_other(place: &Place) {
    std::fs::remove_dir_all(place.path("node/identity")).unwrap();
    std::fs::rename(place.path("other"), place.path("node/identity")).unwrap();
}

fn make_other(place: &Place, origin: &str) {
    place.run(&[
        "fieldnotary-signer",
        "init",
        "--identity",
        "other",
        "--origin",
        origin,
    ]);
}

pub(crate) const IDENTITIES: &[Case] = &[
    Case::new("origin-of-another-log", 3, RUN, |place| {
        place.node();
        place.config("example.org/catalogue", "example.org/another");
    }),
    Case::new("keys-of-another-log", 3, RUN, |place| {
        other_keys(place, "example.org/another");
    }),
    Case::new("keys-of-another-node", 3, RUN, |place| {
        other_keys(place, "example.org/catalogue");
    }),
    Case::new("key-cut-short", 3, RUN, |place| {
        cut(place, "authority-p256.pem", 100)
    }),
    Case::new("key-empty", 3, RUN, |place| cut(place, "ed25519.pem", 0)),
    Case::new("key-missing", 3, RUN, |place| {
        remove(place, "authority-p256.pem")
    }),
    Case::new("list-of-keys-missing", 3, RUN, |place| {
        remove(place, "keys.vkey")
    }),
    Case::new("list-of-keys-cut", 3, RUN, |place| {
        cut(place, "keys.vkey", 60)
    }),
    Case::new("log-id-cut", 3, RUN, |place| cut(place, "log-id", 7)),
    Case::new("log-id-missing", 3, RUN, |place| remove(place, "log-id")),
    Case::new("log-id-of-another-log", 3, RUN, |place| {
        place.node();
        place.write("node/identity/log-id", ANOTHER_LOG);
    }),
    Case::new("journal-of-another", 3, RUN, other_journal),
    Case::new("last-signed-damaged", 3, RUN, |place| {
        place.node();
        place.write("node/identity/last-signed", "nonsense\n");
    }),
    Case::new("keys-open-to-all", 3, RUN, |place| {
        place.node();
        place.mode("node/identity/authority-p256.pem", 0o644);
    }),
    Case::new(
        "signer-init-over-keys",
        3,
        &[
            "fieldnotary-signer",
            "init",
            "--identity",
            "node/identity",
            "--origin",
            "example.org/catalogue",
        ],
        Place::node,
    ),
    Case::new(
        "signer-check-damaged",
        1,
        &["fieldnotary-signer", "check", "--identity", "node/identity"],
        |place| cut(place, "authority-p256.pem", 100),
    ),
    Case::new(
        "signer-without-keys",
        3,
        &["fieldnotary-signer", "vkey", "--identity", "node/identity"],
        |_| {},
    ),
];
