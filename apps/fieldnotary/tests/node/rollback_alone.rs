//! The collector as the only one who knows: the node's disk was put back with all that could tell it so, its keys being
//! files. Each rollback is found all the same, recorded at the collector, and told to the node.
//!
//! What is left out is a replaced counter: a log has the values that it is bound to, so no node that is what it says can be
//! silent of one. A log that is silent is delivered by hand in the collector's own tests.

use crate::common::contract::Contract;
use crate::common::damage::copy_into;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{about, number, text, wait_until};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ORIGIN: &str = "example.org/alone";
const LONG: Duration = Duration::from_secs(60);

/// What the collector has on record against a generation of a log.
pub(crate) fn on_record(collector: &Path, origin: &str) -> Vec<Value> {
    let hash = proof::tile::origin_directory(origin);
    let path = collector.join("logs").join(hash).join("state/witness.json");
    // While it is written, it is the one before or the one behind.
    let record = std::fs::read_to_string(path).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    let followed = &record["followed_by"];
    let alarms = record["alarms"].as_array().unwrap().iter();
    alarms
        .map(|one| {
            let mut one = one.clone();
            one["followed_by"] = followed.clone();
            one
        })
        .collect()
}

struct Site {
    folder: tempfile::TempDir,
    keys: Vec<String>,
    collector: Collector,
    contract: Contract,
    _street: Street,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let street = Street::start(dir, 1);
        let keys = Node::keys(&dir.join("node"), ORIGIN);
        let collector = Collector::start(dir, &keys);
        let contract = Contract::new(ORIGIN, "256KiB", 16).delivered_to(&collector);
        let contract = street.contract(contract);
        Self {
            keys,
            collector,
            contract,
            _street: street,
            folder,
        }
    }

    fn node(&self) -> PathBuf {
        self.folder.path().join("node")
    }

    /// Runs until the collector has what it had not.
    fn goes_on(&self) {
        let node = Node::start(self.folder.path(), "node", &self.contract);
        let size = number(&node.status(), "log_size");
        node.wait_for("cosigned_size", size + 5);
        node.stop();
    }

    fn copy(&self) -> tempfile::TempDir {
        let image = tempfile::tempdir().unwrap();
        copy_into(&self.node(), image.path());
        image
    }

    /// Puts a part of the disk back, or all of it.
    fn put_back(&self, image: &Path, part: &str) {
        let (place, from) = (self.node().join(part), image.join(part));
        let _ = std::fs::remove_dir_all(&place);
        if from.exists() {
            std::fs::create_dir(&place).unwrap();
            copy_into(&from, &place);
        }
    }

    /// The newest alarm at the collector that stands.
    fn stands(&self, generation: u64) -> Option<Value> {
        let all = on_record(self.collector.dir(), &format!("{ORIGIN}/g{generation}"));
        let stands = |one: &&Value| one["went_on"].is_null() && one["followed_by"].is_null();
        all.iter().rfind(stands).cloned()
    }

    /// A node that finds nothing itself hears it from the collector, which has it on record.
    fn is_found_outside(&self, node: &Node, case: &str, alarm: &str, shown_by: &[&str]) {
        let status = wait_until(&format!("the collector's word of {case}"), LONG, || {
            let status = node.status();
            let told = status["rollback"].as_array()?.first()?.clone();
            (text(&told, "witness") == "collector").then_some(status)
        });
        let told = status["rollback"].as_array().unwrap();
        assert_eq!(told.len(), 1, "{case}: the node knew: {status}");
        let stands = self.stands(1).unwrap();
        assert_eq!(stands["alarm"], alarm, "{case}: {stands}");
        let by = text(&stands, "shown_by");
        assert!(shown_by.contains(&by), "{case}: {stands}");
        let own = about("log", node.data(), &["--kind", "rollback"]).entries();
        let own = own.iter().filter(|one| text(one, "witness") != "collector");
        assert_eq!(own.count(), 0, "{case}");
    }

    fn runs_and_is_found_outside(&self, case: &str, alarm: &str, shown_by: &[&str]) {
        let node = Node::start(self.folder.path(), "node", &self.contract);
        self.is_found_outside(&node, case, alarm, shown_by);
        node.stop();
    }
}

const ALL: &[&str] = &[""];
/// All that says how far the log went; what says how far meters were asked stays.
const LOG: &[&str] = &["journal", "truth", "identity", "uplink"];

//= A6.4
#[test]
fn a_disk_that_was_put_back_whole_is_found_by_the_collector_alone_and_told_to_the_node() {
    let mut site = Site::new();
    site.goes_on();
    let image = site.copy();
    site.goes_on();
    assert_eq!(site.stands(1), None);

    for (case, parts) in [("an older image", ALL), ("a cut log", LOG)] {
        let newest = site.copy();
        for part in parts {
            site.put_back(image.path(), part);
        }
        // Behind; and a contradiction where it sealed once more before it asked.
        site.runs_and_is_found_outside(case, "older_image", &["head", "fork"]);
        // The newest disk comes back, and the log goes on: what was merely behind stands no more.
        site.put_back(newest.path(), "");
        site.goes_on();
        let stands = site.stands(1);
        assert!(stands.is_none_or(|one| one["shown_by"] == "fork"), "{case}");
    }

    // Both copies go on, this one beyond the other before the collector hears of it.
    let clone = site.copy();
    site.goes_on();
    let other = number(&about("status", &site.node(), &[]).json(), "sealed_size");
    site.put_back(clone.path(), "");
    site.collector.leave();
    let node = Node::start(site.folder.path(), "node", &site.contract);
    node.wait_for("sealed_size", other + 10);
    let keys = site.keys.clone();
    site.collector.come_back(&keys);
    site.is_found_outside(&node, "a clone", "cloned_image", &["fork"]);
    node.stop();

    // A new generation that says why is what the alarm waits for.
    let words = [
        "--cause",
        "conflict",
        "--actor",
        "A. Fitter",
        "--reason",
        "two ran",
    ];
    let said = about("adopt", &site.node(), &words);
    assert_eq!(said.code, Some(0), "{said:?}");
    site.goes_on();
    assert_eq!(site.stands(1), None);
    let kept = on_record(site.collector.dir(), &format!("{ORIGIN}/g1"));
    let followed = &kept.last().unwrap()["followed_by"];
    assert_eq!(followed["origin"], format!("{ORIGIN}/g2"), "{followed}");
    assert_eq!(followed["cause"], "conflict", "{followed}");
    assert_eq!(followed["reason"], "two ran", "{followed}");
    assert_eq!(site.stands(2), None);
}
