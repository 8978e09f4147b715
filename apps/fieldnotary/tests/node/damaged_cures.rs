//! What is said to do over a damaged journal: nothing that makes it worse, and the shortest way that works.

use crate::common::damage::truncate;
use crate::common::sites::Node;
use crate::common::{Said, layout, list, text};
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
