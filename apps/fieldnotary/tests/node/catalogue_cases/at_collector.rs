//! Collectors: wrong papers, keys that are none or another's, damaged state.

use crate::bench::{Case, Place};
use crate::common::damage::truncate;
use std::path::PathBuf;

const RUN: &[&str] = &[
    "fieldnotary-collector",
    "run",
    "--dir",
    "collector",
    "--listen",
    "127.0.0.1:0",
    "--log-key",
    "VKEY",
];
/// What every start notes: that it serves, and the keys it was given.
const KEEPS: &[&str] = &[
    "collector/lock",
    "collector/log-keys",
    "collector/log-pins.json",
];
const CHECK: &[&str] = &["fieldnotary", "check", "station.toml", "--data", "node"];

/// The directory of the one log that the collector holds.
fn log(place: &Place) -> PathBuf {
    let logs = place.path("collector/logs");
    let log = std::fs::read_dir(logs).unwrap().next().unwrap().unwrap();
    log.path()
}

fn cut(place: &Place, file: &str, bytes: u64) {
    place.collector();
    truncate(&place.path("collector").join(file), bytes);
}

fn uplink(place: &Place, ca: &str, cert: &str, key: &str) {
    place.papers();
    // From the data directory, so that what is quoted is as long in every run.
    std::fs::create_dir(place.path("node")).unwrap();
    let file = |name: &str| format!("{:?}", format!("../{name}"));
    place.config(
        "[seal]",
        &format!(
            "[uplink]\nurl = \"https://collector.example.org:7443\"\ncollector_key = {:?}\n\
             ca_file = {}\ncert_file = {}\nkey_file = {}\n\n[seal]",
            place.collector_key(),
            file(ca),
            file(cert),
            file(key)
        ),
    );
}

pub(crate) const COLLECTOR: &[Case] = &[
    Case::new("uplink-wrong-ca", 1, CHECK, |place| {
        uplink(
            place,
            "papers/node.key",
            "papers/node.pem",
            "papers/node.key",
        );
    }),
    Case::new("uplink-wrong-client-certificate", 1, CHECK, |place| {
        uplink(place, "papers/ca.pem", "papers/ca.pem", "papers/node.key");
    }),
    Case::new("uplink-papers-missing", 1, CHECK, |place| {
        uplink(place, "gone/ca.pem", "gone/node.pem", "gone/node.key");
    }),
    Case::new("none-here", 3, RUN, |_| {}),
    Case::new(
        "init-over-one",
        3,
        &[
            "fieldnotary-collector",
            "init",
            "--dir",
            "collector",
            "--name",
            "c.example.org",
        ],
        Place::collector,
    ),
    Case::new(
        "issue-over-a-key",
        3,
        &[
            "fieldnotary-collector",
            "issue",
            "--dir",
            "collector",
            "--node",
            "node",
            "--out",
            "papers",
            "--reason",
            "commissioning",
        ],
        |place| {
            place.collector();
            place.papers();
        },
    ),
    Case::new(
        "no-log-key",
        2,
        &[
            "fieldnotary-collector",
            "run",
            "--dir",
            "collector",
            "--listen",
            "127.0.0.1:0",
        ],
        Place::collector,
    ),
    Case::new(
        "log-key-is-none",
        2,
        &[
            "fieldnotary-collector",
            "run",
            "--dir",
            "collector",
            "--listen",
            "127.0.0.1:0",
            "--log-key",
            "example.org/catalogue",
        ],
        Place::collector,
    ),
    Case::new(
        "client-authority-is-none",
        3,
        &[
            "fieldnotary-collector",
            "run",
            "--dir",
            "collector",
            "--listen",
            "127.0.0.1:0",
            "--log-key",
            "VKEY",
            "--client-ca",
            "collector/tls/server.key",
        ],
        Place::collector,
    ),
    Case::new(
        "server-key-of-another",
        3,
        &[
            "fieldnotary-collector",
            "run",
            "--dir",
            "collector",
            "--listen",
            "127.0.0.1:0",
            "--log-key",
            "VKEY",
            "--tls-key",
            "collector/tls/ca.key",
        ],
        Place::collector,
    ),
    Case::new("cosigner-key-cut", 3, RUN, |place| {
        cut(place, "cosigner.key", 9)
    }),
    Case::new("about-damaged", 3, RUN, |place| {
        cut(place, "collector.json", 20)
    }),
    Case::new("server-certificate-missing", 3, RUN, |place| {
        place.collector();
        std::fs::remove_file(place.path("collector/tls/server.pem")).unwrap();
    }),
    Case::new(
        "checkpoint-cut",
        1,
        &["fieldnotary", "verify", "collector"],
        |place| {
            place.collector();
            truncate(&log(place).join("checkpoint"), 40);
        },
    ),
    Case::new("state-damaged", 3, RUN, |place| {
        place.collector();
        let state = log(place).join("state");
        for file in std::fs::read_dir(&state).unwrap() {
            truncate(&file.unwrap().path(), 5);
        }
    })
    .makes(KEEPS),
    Case::new("origin-of-a-log-missing", 3, RUN, |place| {
        place.collector();
        std::fs::remove_file(log(place).join("origin")).unwrap();
    })
    .makes(KEEPS),
    Case::new("rows-damaged", 3, RUN, |place| {
        place.collector();
        truncate(&log(place).join("rows.redb"), 1_000);
    })
    .only_lines(3)
    .makes(KEEPS),
    Case::new(
        "a-node-instead",
        3,
        &[
            "fieldnotary-collector",
            "run",
            "--dir",
            "node",
            "--listen",
            "127.0.0.1:0",
            "--log-key",
            "VKEY",
        ],
        Place::node,
    ),
    Case::new(
        "address-is-not-of-this-host",
        3,
        &[
            "fieldnotary-collector",
            "run",
            "--dir",
            "collector",
            "--listen",
            "192.0.2.1:7443",
            "--log-key",
            "VKEY",
        ],
        Place::collector,
    )
    .makes(&[
        "collector/lock",
        "collector/log-keys",
        "collector/log-pins.json",
        "collector/logs",
    ]),
];
