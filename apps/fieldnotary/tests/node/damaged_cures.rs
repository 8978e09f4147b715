//! What is said to do over a damaged journal: nothing that makes it worse, and the shortest way that works.

use crate::common::damage::truncate;
use crate::common::sites::Node;
use crate::common::{READY, Said, layout, list, text, wait_until};
use crate::damaged_words::{all, check, copy, do_as_told, export, fsck, log_size, say, site};
use std::path::Path;

/// Bytes that nobody wrote.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 7u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()[0]
    };
    (0..bytes).map(|_| next()).collect()
}

/// Runs a node on a directory with the configuration of the site.
fn run(place: &Path, data: &Path) -> Said {
    let more = ["--data", data.to_str().unwrap()];
    say(&["run"], &place.join("node.toml"), &more)
}

//= A5.4
#[test]
fn over_a_destroyed_journal_nothing_is_created_and_every_verb_warns_of_it() {
    let (site, _) = site();
    let (place, data) = copy(&site, "noise");
    std::fs::write(place.join("node.toml"), site.contract.toml()).unwrap();
    let ring = layout::folder(&data);
    let mut destroyed = Vec::new();
    for file in std::fs::read_dir(&ring).unwrap() {
        let file = file.unwrap().path();
        if file.is_file() && file.file_name().unwrap() != "ring.json" {
            let bytes = usize::try_from(std::fs::metadata(&file).unwrap().len()).unwrap();
            std::fs::write(&file, noise(bytes)).unwrap();
            destroyed.push(file);
        }
    }
    let words = [
        "no sound part of a log is found there",
        "create nothing over it",
        "fieldnotary journal fsck ",
    ];
    for (said, code) in [
        (say(&["log"], &data, &[]), 3),
        (say(&["gaps"], &data, &[]), 3),
        (export(&data), 3),
        (say(&["status"], &data, &[]), 3),
        (say(&["verify"], &data, &[]), 1),
        (say(&["journal", "inspect"], &data, &[]), 1),
        (say(&["journal", "inspect", "--json"], &data, &[]), 1),
        (run(&place, &data), 3),
    ] {
        check(&said, code, &words);
        assert!(!all(&said).contains("created first"), "{said:?}");
    }
    check(&say(&["journal", "fsck"], &data, &[]), 1, &["NOT SOUND"]);
    for file in destroyed {
        let bytes = std::fs::read(&file).unwrap();
        assert!(
            bytes == noise(bytes.len()),
            "{} was changed",
            file.display()
        );
    }
    // A ring that was made and never written to is another matter: it says where the log begins.
    for file in std::fs::read_dir(&ring).unwrap() {
        let file = file.unwrap().path();
        if file.is_file() && file.file_name().unwrap() != "ring.json" {
            let bytes = usize::try_from(std::fs::metadata(&file).unwrap().len()).unwrap();
            std::fs::write(&file, vec![0; bytes]).unwrap();
        }
    }
    let begins = ["no entry was ever written to it", "fieldnotary run CONFIG"];
    check(&say(&["log"], &data, &[]), 3, &begins);
    check(
        &say(&["journal", "inspect"], &data, &[]),
        0,
        &["none can be read"],
    );
}

//= A5.4
//= U6
#[test]
fn a_node_that_lacks_a_file_beside_its_segments_is_sent_to_fsck_first() {
    let (site, _) = site();
    type Deed = fn(&Path);
    let harms: [(&str, Deed); 4] = [
        ("no ring.json", |ring| {
            std::fs::remove_file(ring.join("ring.json")).unwrap();
        }),
        ("a cut ring.json", |ring| {
            truncate(&ring.join("ring.json"), 9);
        }),
        ("no truth.fnt", |ring| {
            std::fs::remove_file(ring.join("truth.fnt")).unwrap();
        }),
        ("a cut truth.fnt", |ring| {
            truncate(&ring.join("truth.fnt"), 20_000);
        }),
    ];
    for (place_no, (name, deed)) in harms.into_iter().enumerate() {
        let (place, data) = copy(&site, &format!("lacks-{place_no}"));
        std::fs::write(place.join("node.toml"), site.contract.toml()).unwrap();
        deed(&layout::folder(&data));
        let said = run(&place, &data);
        check(&said, 3, &[]);
        let told = format!("fieldnotary journal fsck {}\n", data.display());
        let (first, then) = (
            said.err.find(&told),
            said.err.find("fieldnotary restore BACKUP"),
        );
        assert!(first.is_some() && first < then, "{name}: {}", said.err);
    }
}

//= A5.4
//= U6
#[test]
fn a_truth_store_that_was_cut_is_made_whole_as_told_and_the_log_goes_on() {
    let (site, _) = site();
    let size = log_size(&site.data);
    // Within the lease tables, before them, behind the first slot, within it, and before all of it.
    for (bytes, suffices) in [
        (100_000, true),
        (16_384, true),
        (8_192, true),
        (6_000, true),
        (0, false),
    ] {
        let (place, data) = copy(&site, &format!("cut-{bytes}"));
        let store = layout::folder(&data).join("truth.fnt");
        truncate(&store, bytes);
        let report = fsck(&data);
        let found = list(&report, "findings");
        assert_eq!(found.len(), 1, "cut at {bytes}: {report}");
        let cure = text(&found[0], "cure");
        assert_eq!(cure.contains("truncate -s "), suffices, "{cure}");
        do_as_told(cure);
        let node = Node::start(&place, "node", &site.contract);
        node.wait_for("log_size", size + 5);
        node.stop();
        check(&say(&["verify"], &data, &[]), 0, &["VERIFIED"]);
        // Whether the end was certain is in the log.
        let uncertain = say(&["log"], &data, &["--kind", "epoch"]);
        let told = uncertain.out.contains("truth_lost");
        assert_eq!(told, !suffices, "cut at {bytes}: {uncertain:?}");
    }
}

/// Of what only the truth store knows nothing is made up where it is gone.
//= A5.4
#[test]
fn without_its_truth_store_nothing_is_said_that_is_not_known() {
    let (site, _) = site();
    let whole = say(&["status", "--json"], &site.data, &[]).json();
    let never = [
        "was not stopped orderly",
        "sealed below 0",
        "entries sealed yet",
        "it crashed",
    ];
    for lost in ["the store", "its newest slot"] {
        let (_, data) = copy(&site, &lost.replace(' ', "-"));
        let store = layout::folder(&data).join("truth.fnt");
        match lost {
            "the store" => std::fs::remove_file(&store).unwrap(),
            _ => {
                let mut bytes = std::fs::read(&store).unwrap();
                let counter = |at: usize| bytes[at + 16..at + 24].to_vec();
                let newest = if counter(0) > counter(8_192) {
                    0
                } else {
                    8_192
                };
                bytes[newest..newest + 8_192].fill(0);
                std::fs::write(&store, bytes).unwrap();
            }
        }
        let status = say(&["status"], &data, &[]);
        let inspect = say(&["journal", "inspect"], &data, &[]);
        check(&status, 1, &["its log ends with an orderly stop"]);
        check(&inspect, 0, &["whether it was closed is not known"]);
        for words in never {
            assert!(
                !all(&status).contains(words),
                "{lost}: {words:?}: {status:?}"
            );
            assert!(
                !all(&inspect).contains(words),
                "{lost}: {words:?}: {inspect:?}"
            );
        }
        let status = say(&["status", "--json"], &data, &[]).json();
        let inspect = say(&["journal", "inspect", "--json"], &data, &[]).json();
        let report = fsck(&data);
        for one in [&status, &inspect["journals"][0]["log"], &report] {
            assert!(one["closed_orderly"].is_null(), "{lost}: {one}");
        }
        // The newest checkpoint says it too.
        assert_eq!(status["sealed_size"], whole["sealed_size"], "{lost}");
        assert_eq!(
            inspect["journals"][0]["log"]["sealed_size"],
            whole["sealed_size"]
        );
    }
    // Without a checkpoint, nobody knows; and a node that was killed is not said to have been stopped.
    let (place, data) = copy(&site, "killed");
    let node = Node::start(&place, "node", &site.contract);
    node.wait_for("log_size", log_size(&site.data) + 5);
    // Killed where it stands.
    drop(node);
    wait_until("an end of the node", READY, || {
        (say(&["status"], &data, &[]).code == Some(1)).then_some(())
    });
    std::fs::remove_file(layout::folder(&data).join("truth.fnt")).unwrap();
    let said = say(&["status"], &data, &[]);
    check(&said, 1, &["whether it was stopped orderly is not known"]);
    assert!(!said.out.contains("an orderly stop"), "{said:?}");
}

//= A5.4
//= U6
#[test]
fn a_verdict_over_damage_that_costs_no_entry_speaks_of_no_loss_and_has_the_cure_of_fsck() {
    let (site, _) = site();
    let cut = layout::read(&site.data);
    let frame = cut.segments[0].frames[1].begin;
    let whole: Vec<usize> = (frame..frame + 4_096).collect();
    let flipped = |file: &Path, at: &[usize]| {
        let mut bytes = std::fs::read(file).unwrap();
        for at in at {
            bytes[*at] ^= 9;
        }
        std::fs::write(file, bytes).unwrap();
    };
    for (name, file, at, is_lost) in [
        ("a copy of a slot", "truth.fnt", &[4_196][..], false),
        ("both copies of a slot", "truth.fnt", &[100, 4_196], false),
        ("a copy of the leases", "truth.fnt", &[16_400], false),
        ("a header", "seg-0000.fnj", &[20], false),
        ("a frame", "seg-0000.fnj", &whole, true),
    ] {
        let (_, data) = copy(&site, &name.replace(' ', "-"));
        flipped(&layout::folder(&data).join(file), at);
        let report = fsck(&data);
        let said = say(&["verify"], &data, &[]);
        check(&said, 1, &["NOT VERIFIED"]);
        let spared = said.out.contains("though no entry is missing for it");
        let cure = text(&list(&report, "findings")[0], "cure").to_owned();
        let told = said.out.contains(&format!("\ncure       {cure}\n"));
        assert_eq!(
            (spared, told),
            (!is_lost, !is_lost),
            "{name}: {said:?} {report}"
        );
        let speaks = ["lost", "COLLECTOR-DIR", "restore BACKUP"];
        let speaks = speaks.iter().any(|words| said.out.contains(words));
        assert_eq!(speaks, is_lost, "{name}: {said:?}");
    }
}
