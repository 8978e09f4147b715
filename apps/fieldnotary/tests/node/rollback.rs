//! A log that is not the one that went before: an older image, a clone, a cut log and an older counter are each told
//! apart as a run begins, and by the collector; what is left goes on in a new generation.

use crate::common::contract::Contract;
use crate::common::damage::copy_into;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{about, done, number, program, text, wait_until};
use crate::rollback_alone::on_record;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use trial_stores::Swtpm;

const ORIGIN: &str = "example.org/rolled";
const LONG: Duration = Duration::from_secs(90);

/// A node with its keys in a TPM, and the collector of its log.
struct Site {
    folder: tempfile::TempDir,
    tpm: Swtpm,
    keys: Vec<String>,
    collector: Collector,
    contract: Contract,
    _street: Street,
}

fn entries(data: &Path, kind: &str) -> Vec<Value> {
    about("log", data, &["--kind", kind]).entries()
}

fn found(data: &Path, witness: &str) -> Option<Value> {
    let entries = entries(data, "rollback");
    let of = |one: &&Value| text(one, "witness") == witness;
    entries.iter().rfind(of).cloned()
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let tpm = Swtpm::new();
        let street = Street::start(dir, 1);
        let mut init = Command::new(program("fieldnotary-signer"));
        init.arg("init")
            .arg("--identity")
            .arg(dir.join("node/identity"));
        init.args(["--origin", ORIGIN, "--backend", "tpm", "--socket"]);
        let keys: Vec<String> = done(init.arg(tpm.socket()))
            .out
            .lines()
            .map(str::to_owned)
            .collect();
        let collector = Collector::start(dir, &keys);
        let contract = Contract::new(ORIGIN, "256KiB", 16).delivered_to(&collector);
        let contract = street.contract(contract);
        Self {
            tpm,
            keys,
            collector,
            contract,
            _street: street,
            folder,
        }
    }

    fn dir(&self) -> &Path {
        self.folder.path()
    }

    fn node(&self) -> PathBuf {
        self.dir().join("node")
    }

    /// Runs the node until its log has bindings of the plain counter that it had not, and the collector has entries that
    /// it had not.
    fn goes_on(&self) {
        // The interval of the plain counter is half an hour; without its mark it moves at the first seal.
        let _ = std::fs::remove_file(self.node().join("identity/plain-counter"));
        let plain = |data: &Path| {
            let bindings = match data.join("journal").exists() {
                true => entries(data, "binding"),
                false => Vec::new(),
            };
            bindings
                .iter()
                .filter(|one| text(one, "counter") == "plain")
                .count()
        };
        let before = plain(&self.node());
        let node = Node::start(self.dir(), "node", &self.contract);
        wait_until("a step of the plain counter", LONG, || {
            (plain(node.data()) > before).then_some(())
        });
        let status = node.status();
        node.wait_for("log_size", number(&status, "log_size") + 20);
        node.wait_for("cosigned_size", number(&status, "log_size") + 1);
        assert_eq!(status["rollback"], serde_json::json!([]), "{status}");
        node.stop();
        assert_eq!(self.recorded(), Vec::<Value>::new());
    }

    /// What the collector has on record against the first generation.
    fn recorded(&self) -> Vec<Value> {
        on_record(self.collector.dir(), &format!("{ORIGIN}/g1"))
    }

    /// A copy of the node's disk.
    fn image(&self) -> tempfile::TempDir {
        let image = tempfile::tempdir().unwrap();
        copy_into(&self.node(), image.path());
        image
    }

    /// Puts a copy in the place of a part of the node's disk.
    fn put_back(&self, image: &Path, part: &str) {
        let place = self.node().join(part);
        std::fs::remove_dir_all(&place).unwrap();
        std::fs::create_dir(&place).unwrap();
        copy_into(&image.join(part), &place);
    }

    /// Runs the node, which must find this as it starts and seal no more, and hear the same from the collector.
    fn is_found(&self, alarm: &str) {
        let sealed = about("status", &self.node(), &[]).json();
        let sealed = sealed["sealed_size"].as_u64();
        let node = Node::start(self.dir(), "node", &self.contract);
        let at_start = wait_until("an alarm at the start", LONG, || {
            found(node.data(), "start")
        });
        assert_eq!(text(&at_start, "alarm"), alarm, "{at_start}");
        let outside = wait_until("the collector's word", LONG, || {
            found(node.data(), "collector")
        });
        assert_eq!(text(&outside, "alarm"), "older_image", "{outside}");
        assert!(
            number(&outside, "known_size") > number(&outside, "size"),
            "{outside}"
        );
        // The collector has it on record by itself: a head that was left behind.
        let recorded = self.recorded();
        assert_eq!(text(&recorded[0], "alarm"), "older_image", "{recorded:?}");
        assert_eq!(text(&recorded[0], "shown_by"), "head", "{recorded:?}");
        // It captures and commits, and does not sign.
        let status = node.status();
        node.wait_for("log_size", number(&status, "log_size") + 20);
        let status = node.status();
        let alarms = status["rollback"].as_array().unwrap();
        let told = |one: &Value| text(one, "alarm") == alarm && text(one, "witness") == "start";
        assert!(alarms.iter().any(told), "{status}");
        assert!(entries(node.data(), "unsealed").is_empty());
        if let Some(sealed) = sealed {
            assert_eq!(number(&status, "sealed_size"), sealed, "{status}");
        }
        let data = node.stop();
        // Its files alone say the same.
        let files = about("status", &data, &[]).json();
        for part in ["rollback", "boot"] {
            assert_eq!(files[part], status[part], "{files}");
        }
        assert_eq!(text(&files, "custody"), "tpm-emulated", "{files}");
        let said = about("verify", &data, &[]);
        assert_eq!(said.code, Some(1), "{said:?}");
        let findings = said.json()["findings"].as_array().unwrap().clone();
        let of =
            |one: &Value| text(one, "kind") == "rollback" && text(one, "words").contains(alarm);
        assert!(findings.iter().any(of), "{findings:?}");
        let mut log = Command::new(program("fieldnotary"));
        let log = done(log.arg("log").arg(&data).args(["--kind", "rollback"])).out;
        assert!(log.contains(&format!("ROLLBACK {alarm} (start)")), "{log}");
    }

    /// What is left begins a new generation, which is sealed, bound and delivered.
    fn recovers(&self) {
        let words = [
            "--cause",
            "conflict",
            "--actor",
            "A. Fitter",
            "--reason",
            "test",
        ];
        let said = about("adopt", &self.node(), &words);
        assert_eq!(said.code, Some(0), "{said:?}");
        let node = Node::start(self.dir(), "node", &self.contract);
        let status = node.status();
        node.wait_for("cosigned_size", number(&status, "log_size") + 1);
        let status = node.status();
        assert_eq!(number(&status, "generation"), 2);
        assert_eq!(status["rollback"], serde_json::json!([]), "{status}");
        let data = node.stop();
        let followed = &self.recorded()[0]["followed_by"];
        assert_eq!(followed["origin"], format!("{ORIGIN}/g2"), "{followed}");
        assert_eq!(
            on_record(self.collector.dir(), &format!("{ORIGIN}/g2")),
            Vec::<Value>::new()
        );
        // The verdict of the whole names what was, and does not fail by it any more.
        let said = about("verify", &data, &[]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let findings = said.json()["findings"].as_array().unwrap().clone();
        let of = |one: &Value| text(one, "kind") == "rollback_followed";
        assert!(findings.iter().any(of), "{findings:?}");
    }
}

/// The mark lies on the disk that was put back: it explains the one step that a cut may leave, whatever it says.
//= A6.4
#[test]
fn an_older_image_is_found_whatever_its_mark_was_made_to_say() {
    let site = Site::new();
    site.goes_on();
    let image = site.image();
    site.goes_on();
    site.goes_on();
    std::fs::remove_dir_all(site.node()).unwrap();
    std::fs::create_dir(site.node()).unwrap();
    copy_into(image.path(), &site.node());
    let mark = site.node().join("identity/plain-counter");
    let said = std::fs::read_to_string(&mark).unwrap();
    let (rest, _) = said.trim_end().rsplit_once(' ').unwrap();
    std::fs::write(&mark, format!("{rest} 18446744073709551615\n")).unwrap();
    site.is_found("older_image");
}

//= A6.4
#[test]
fn an_older_image_is_found_by_the_counter_and_by_the_collector() {
    let site = Site::new();
    site.goes_on();
    let image = site.image();
    site.goes_on();
    std::fs::remove_dir_all(site.node()).unwrap();
    std::fs::create_dir(site.node()).unwrap();
    copy_into(image.path(), &site.node());
    site.is_found("older_image");
    site.recovers();
}

//= A6.4
#[test]
fn a_log_that_was_cut_is_found_by_the_signer_and_by_the_collector() {
    let site = Site::new();
    site.goes_on();
    let image = site.image();
    site.goes_on();
    site.put_back(image.path(), "journal");
    site.is_found("truncated_log");
    // Also where it has outgrown what was signed: the tree is another.
    let node = Node::start(site.dir(), "node", &site.contract);
    let known = number(&found(node.data(), "start").unwrap(), "known_size");
    node.wait_for("log_size", known + 5);
    node.stop();
    site.is_found("truncated_log");
    site.recovers();
}

//= A6.4
#[test]
fn a_clone_on_another_machine_is_found_by_its_store_and_by_the_collector() {
    let mut site = Site::new();
    site.goes_on();
    let image = site.image();
    site.goes_on();
    // The other machine has a TPM of its own.
    let other = Swtpm::new();
    std::fs::remove_dir_all(site.node()).unwrap();
    std::fs::create_dir(site.node()).unwrap();
    copy_into(image.path(), &site.node());
    let store = site.node().join("identity/store.toml");
    let text = std::fs::read_to_string(&store).unwrap();
    let (here, there) = (site.tpm.socket(), other.socket());
    let moved = text.replace(here.to_str().unwrap(), there.to_str().unwrap());
    assert_ne!(moved, text);
    std::fs::write(&store, moved).unwrap();
    site.is_found("cloned_image");
    site.tpm.cut();
}

/// A machine that was copied whole, its TPM with it: nothing within can tell, and the collector does.
//= A6.4
#[test]
fn a_clone_with_its_tpm_is_found_by_the_collector() {
    let mut site = Site::new();
    site.goes_on();
    let image = site.image();
    site.tpm.cut();
    let state = tempfile::tempdir().unwrap();
    copy_into(&site.tpm.state(), state.path());
    site.tpm.on();
    site.goes_on();
    let sealed = number(&about("status", &site.node(), &[]).json(), "sealed_size");
    site.tpm.cut();
    std::fs::remove_dir_all(site.tpm.state()).unwrap();
    std::fs::create_dir(site.tpm.state()).unwrap();
    copy_into(state.path(), &site.tpm.state());
    site.tpm.on();
    std::fs::remove_dir_all(site.node()).unwrap();
    std::fs::create_dir(site.node()).unwrap();
    copy_into(image.path(), &site.node());
    // It goes on beyond where the other one was left, before the collector hears of it.
    site.collector.leave();
    let node = Node::start(site.dir(), "node", &site.contract);
    node.wait_for("sealed_size", sealed + 20);
    assert!(found(node.data(), "start").is_none());
    let keys = site.keys.clone();
    site.collector.come_back(&keys);
    let outside = wait_until("the collector's word", LONG, || {
        found(node.data(), "collector")
    });
    assert_eq!(text(&outside, "alarm"), "cloned_image", "{outside}");
    let status = node.status();
    assert_eq!(
        text(&status["rollback"][0], "alarm"),
        "cloned_image",
        "{status}"
    );
    assert_eq!(text(&site.recorded()[0], "alarm"), "cloned_image");
    node.stop();
    site.recovers();
}

//= A6.4
#[test]
fn an_older_counter_is_found_by_the_log_and_in_what_the_collector_has() {
    let mut site = Site::new();
    site.goes_on();
    site.tpm.cut();
    let state = tempfile::tempdir().unwrap();
    copy_into(&site.tpm.state(), state.path());
    site.tpm.on();
    site.goes_on();
    site.tpm.cut();
    std::fs::remove_dir_all(site.tpm.state()).unwrap();
    std::fs::create_dir(site.tpm.state()).unwrap();
    copy_into(state.path(), &site.tpm.state());
    site.tpm.on();
    // The log is whole: it is sealed and delivered, and says what it is bound to.
    let node = Node::start(site.dir(), "node", &site.contract);
    let at_start = wait_until("an alarm at the start", LONG, || {
        found(node.data(), "start")
    });
    assert_eq!(text(&at_start, "alarm"), "replaced_counter", "{at_start}");
    assert!(
        number(&at_start, "value") < number(&at_start, "bound"),
        "{at_start}"
    );
    let size = number(&node.status(), "log_size");
    node.wait_for("cosigned_size", size + 10);
    // The collector finds it in what checkpoints are bound to, and the node hears that.
    let outside = wait_until("the collector's word", LONG, || {
        found(node.data(), "collector")
    });
    assert_eq!(text(&outside, "alarm"), "replaced_counter", "{outside}");
    for part in ["bound", "value"] {
        assert!(outside[part].is_u64(), "{outside}");
    }
    let status = node.status();
    let alarms = status["rollback"].as_array().unwrap().iter();
    let witnesses: Vec<&str> = alarms.map(|one| text(one, "witness")).collect();
    assert_eq!(witnesses, ["start", "collector"], "{status}");
    let data = node.stop();
    let recorded = site.recorded();
    let own = recorded
        .iter()
        .find(|one| one["shown_by"] == "counter")
        .unwrap();
    assert_eq!(text(own, "alarm"), "replaced_counter", "{own}");
    let bindings = entries(&data, "binding");
    let shows = |one: &&Value| number(one, "commit_id") == number(own, "entry");
    let shown = bindings.iter().find(shows).unwrap();
    assert_eq!(
        number(shown, "value"),
        number(own, "value"),
        "{own} {shown}"
    );
    assert!(
        recorded.iter().any(|one| one["shown_by"] == "node"),
        "{recorded:?}"
    );
    let stored = site.collector.dir().to_owned();
    site.collector.leave();
    for place in [&data, &stored] {
        let said = about("verify", place, &["--anchor", &site.keys[0]]);
        assert_eq!(said.code, Some(1), "{said:?}");
        let verdict = said.json();
        let kinds: Vec<&str> = verdict["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| text(one, "kind"))
            .collect();
        assert!(kinds.contains(&"rollback"), "{verdict}");
        // What the log tells before it binds to it is a finding of that alarm.
        assert!(!kinds.contains(&"binding"), "{verdict}");
        let findings = verdict["findings"].as_array().unwrap();
        let told = findings.iter().map(|one| text(one, "words"));
        let told =
            told.filter(|words| words.contains(" counter went from ") && words.ends_with(" tells"));
        assert!((1..=2).contains(&told.count()), "{verdict}");
    }
    // And is answered with it.
    let keys = site.keys.clone();
    site.collector.come_back(&keys);
    site.recovers();
    site.collector.leave();
    let said = about("verify", &stored, &["--anchor", &site.keys[0]]);
    assert_eq!(said.code, Some(0), "{said:?}");
}
