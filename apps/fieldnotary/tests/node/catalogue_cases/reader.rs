//! Readers that are shown something else than a log.

use crate::bench::{Case, Place};

fn empty(place: &Place) {
    std::fs::create_dir(place.path("node")).unwrap();
}

fn a_file(place: &Place) {
    place.write("node", "words\n");
}

fn above(place: &Place) {
    place.node();
    place.collector();
}

fn no_log_yet(place: &Place) {
    place.run(&[
        "fieldnotary-signer",
        "init",
        "--identity",
        &place.path("node/identity").display().to_string(),
        "--origin",
        "example.org/s1",
    ]);
}

fn no_delivery_yet(place: &Place) {
    let dir = place.path("collector").display().to_string();
    place.run(&[
        "fieldnotary-collector",
        "init",
        "--dir",
        &dir,
        "--name",
        "c.example.org",
    ]);
}

macro_rules! each {
    ($cases:ident, $name:literal, $dir:literal, $prepare:expr) => {
        $cases.push(Case::new(
            concat!($name, "-log"),
            3,
            &["fieldnotary", "log", $dir],
            $prepare,
        ));
        $cases.push(Case::new(
            concat!($name, "-gaps"),
            3,
            &["fieldnotary", "gaps", $dir],
            $prepare,
        ));
        let words = &["fieldnotary", "verify", $dir];
        $cases.push(Case::new(concat!($name, "-verify"), 3, words, $prepare));
        let words = &["fieldnotary", "status", $dir];
        $cases.push(Case::new(concat!($name, "-status"), 3, words, $prepare));
    };
}

pub(crate) fn wrong_places() -> Vec<Case> {
    let mut cases = Vec::new();
    each!(cases, "absent", "node", |_| {});
    each!(cases, "empty", "node", empty);
    each!(cases, "a-file", "node", a_file);
    each!(cases, "one-above", ".", above);
    each!(cases, "within", "node/journal", Place::node);
    each!(cases, "no-log-yet", "node", no_log_yet);
    each!(cases, "no-delivery-yet", "collector", no_delivery_yet);
    cases.push(Case::new(
        "unknown-meter-log",
        1,
        &["fieldnotary", "log", "node", "--meter", "nobody"],
        Place::node,
    ));
    cases.push(Case::new(
        "unknown-meter-gaps",
        1,
        &["fieldnotary", "gaps", "node", "--meter", "nobody"],
        Place::node,
    ));
    cases.push(Case::new(
        "unknown-generation",
        3,
        &["fieldnotary", "log", "node", "--generation", "7"],
        Place::node,
    ));
    cases.push(Case::new(
        "unknown-time",
        2,
        &["fieldnotary", "log", "node", "--from", "yesterday"],
        |_| {},
    ));
    cases.push(
        Case::new(
            "anchor-of-another-log",
            1,
            &[
                "fieldnotary",
                "verify",
                "node",
                "--anchor",
                "example.org/s1+d97623d4+AfjtPNidtnnUFmnONWpAqIJb8k7qe5H5MZofDP0q/PP3",
            ],
            Place::node,
        )
        .only_lines(3),
    );
    cases
}
