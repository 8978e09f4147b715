//! A node's log survives its machine: backup, restore, adoption, and the collector that sees it all.

mod twin;

use crate::common::contract::Contract;
use crate::common::sites::{Collector, Node, Street};
use crate::common::{Said, about, fieldnotary, list, number, text};
use serde_json::Value;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ORIGIN: &str = "example.org/replacement";
/// Readings of a run before something happens to it.
const READINGS: u64 = 60;
const PATIENCE: Duration = Duration::from_secs(60);

/// A street, a collector that takes the log of a node in `node`, and the contract of that node.
struct Site {
    dir: tempfile::TempDir,
    keys: Vec<String>,
    collector: Collector,
    contract: Contract,
    _street: Street,
}

impl Site {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let street = Street::start(dir.path(), 3);
        let keys = Node::keys(&dir.path().join("node"), ORIGIN);
        let collector = Collector::start(dir.path(), &keys);
        let contract = street.contract(Contract::new(ORIGIN, "1MiB", 8));
        let contract = contract.delivered_to(&collector);
        Self {
            dir,
            keys,
            collector,
            contract,
            _street: street,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn start(&self, name: &str) -> Node {
        Node::start(self.dir.path(), name, &self.contract)
    }

    /// Starts a node and waits until it has read and delivered something in this run.
    fn grow(&self, name: &str) -> Node {
        let node = self.start(name);
        node.wait_for("readings", READINGS);
        let size = number(&node.status(), "log_size");
        node.wait_for("cosigned_size", size);
        node
    }

    fn adopt(&self, name: &str, cause: &str) -> Value {
        let words = ["--cause", cause, "--actor", "A. Fitter", "--reason", "test"];
        let said = about("adopt", &self.path(name), &words);
        assert_eq!(said.code, Some(0), "{said:?}");
        said.json()
    }
}

fn verb(words: &[&OsStr]) -> Said {
    fieldnotary(words)
}

fn backup(data: &Path, to: &Path, more: &[&str]) -> Said {
    let to = to.display().to_string();
    let mut words = vec!["--to", &to];
    words.extend(more);
    about("backup", data, &words)
}

fn restore(from: &Path, data: &Path) -> Said {
    let data = data.display().to_string();
    about("restore", from, &["--data", &data, "--reason", "drill"])
}

fn run(config: &Path, data: &Path) -> Said {
    let (run, option) = (OsStr::new("run"), OsStr::new("--data"));
    verb(&[run, config.as_os_str(), option, data.as_os_str()])
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        // Sockets stay behind.
        if path.is_dir() && name != "run" {
            copy(&path, &to.join(name));
        } else if path.is_file() {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).unwrap();
}

/// Over all generations in a directory: no number twice, nothing missing that no entry explains.
fn accounted(dir: &Path) -> Value {
    let rows = about("log", dir, &["--kind", "reading"]).json_lines();
    let mut seen = BTreeSet::new();
    for row in &rows {
        let key = (
            text(row, "meter_id"),
            number(row, "seq"),
            text(row, "point_id"),
        );
        assert!(seen.insert(key), "{key:?} twice in {}", dir.display());
    }
    assert!(!seen.is_empty());
    let said = about("gaps", dir, &[]);
    assert_eq!(said.code, Some(0), "{}: {said:?}", dir.display());
    let gaps = said.json();
    assert_eq!(
        number(&gaps, "missing_explained"),
        number(&gaps, "missing_readings")
    );
    assert!(list(&gaps, "seq_findings").is_empty(), "{gaps}");
    assert_eq!(number(&gaps, "duplicates"), 0, "{gaps}");
    gaps
}

/// A directory that verifies; gives what was said.
fn verified(dir: &Path, keys: &[String]) -> Value {
    let anchors: Vec<&str> = keys.iter().flat_map(|key| ["--anchor", key]).collect();
    let said = about("verify", dir, &anchors);
    assert_eq!(said.code, Some(0), "{}: {said:?}", dir.display());
    said.json()
}

/// `follows.json` of a generation at the collector.
fn follows(collector: &Path, generation: u64) -> Value {
    let origin = format!("{ORIGIN}/g{generation}");
    for log in std::fs::read_dir(collector.join("logs")).unwrap() {
        let log = log.unwrap().path();
        if std::fs::read_to_string(log.join("origin")).unwrap().trim() == origin {
            let text = std::fs::read_to_string(log.join("follows.json")).unwrap();
            return serde_json::from_str(&text).unwrap();
        }
    }
    panic!("the collector has no {origin}");
}

/// The entries of a kind in one generation.
fn entries(dir: &Path, kind: &str, generation: u64) -> Vec<Value> {
    let generation = generation.to_string();
    about("log", dir, &["--kind", kind, "--generation", &generation]).json_lines()
}

/// Nothing runs on a directory that was restored, and every verb says what it is.
fn refuses_to_run(site: &Site, name: &str) {
    let said = run(&site.path("node.toml"), &site.path(name));
    assert_eq!(said.code, Some(3), "{said:?}");
    for words in [
        "restored",
        "not adopted",
        "fieldnotary adopt",
        "--cause restored",
    ] {
        assert!(said.err.contains(words), "{words:?} is not in {}", said.err);
    }
    let status = about("status", &site.path(name), &[]);
    assert_eq!(status.code, Some(1), "{status:?}");
    assert_eq!(status.json()["restored"]["complete"], true);
    let verify = about("verify", &site.path(name), &[]);
    assert_eq!(verify.json()["restored"]["generation"], 1, "{verify:?}");
    let words = fieldnotary([OsStr::new("verify"), site.path(name).as_os_str()]);
    assert!(words.out.contains("RESTORED, NOT ADOPTED"), "{words:?}");
}

//= U4
//= R10.5
#[test]
fn a_node_that_lost_its_data_goes_on_from_a_backup() {
    let mut site = Site::new();
    let node = site.grow("node");
    let taken = backup(node.data(), &site.path("backup.tar"), &["--with-keys"]);
    assert_eq!(taken.code, Some(0), "{taken:?}");
    let taken = taken.json();
    assert_eq!(
        (&taken["running"], &taken["keys"]),
        (&true.into(), &true.into())
    );
    let mode = std::fs::metadata(site.path("backup.tar"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    // It goes on, and the collector takes what the backup has not.
    let size = number(&node.status(), "log_size");
    node.wait_for("cosigned_size", size + READINGS);
    let data = node.stop();
    std::fs::remove_dir_all(&data).unwrap();

    let restored = restore(&site.path("backup.tar"), &data);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    refuses_to_run(&site, "node");
    let adopted = site.adopt("node", "restored");
    assert_eq!(
        (number(&adopted, "generation"), &adopted["new_keys"]),
        (2, &Value::Null)
    );
    let node = site.grow("node");
    let told = node.status();
    assert_eq!(text(&told, "origin"), format!("{ORIGIN}/g2"));
    assert_eq!(told["restored"], Value::Null);
    node.stop();
    site.collector.leave();
    let collector = site.path("collector");

    // The first entry names what is followed, and the state behind it what is carried on.
    let first = &entries(&data, "epoch", 2)[0];
    assert_eq!(
        (text(first, "cause"), text(first, "adoption_cause")),
        ("adoption", "restored")
    );
    let uid = rustix::process::getuid().as_raw();
    let audit = &entries(&data, "audit", 2)[0];
    assert_eq!(
        (text(audit, "actor"), text(audit, "reason")),
        (format!("A. Fitter (uid {uid})").as_str(), "test")
    );
    // Who had restored the directory before, and why, is in it too.
    assert!(text(audit, "diff").ends_with(": drill"), "{audit}");
    for skip in entries(&data, "seq_skip", 2)
        .iter()
        .filter(|one| one["cause"] == "adoption")
    {
        let meter = text(skip, "meter_id");
        let last = list(&adopted, "meters")
            .iter()
            .find(|one| one["meter_id"] == meter);
        assert_eq!(number(last.unwrap(), "last_seq") + 1, number(skip, "seq"));
    }
    let down: Vec<Value> = entries(&data, "downtime", 2);
    assert!(
        down.iter().any(|one| one["cause"] == "adoption"),
        "{down:?}"
    );

    let own = verified(&data, &site.keys);
    assert_eq!(own["generations"][1]["follows"]["link"], "holds", "{own}");
    accounted(&data);
    verified(&collector, &site.keys);
    accounted(&collector);
    assert_eq!(follows(&collector, 2)["link"], "behind");
}

//= U4
#[test]
fn a_second_adoption_begins_nothing_where_nothing_ran_on_the_first() {
    let mut site = Site::new();
    let data = site.grow("node").stop();
    let taken = backup(&data, &site.path("backup"), &["--with-keys"]);
    assert_eq!(taken.code, Some(0), "{taken:?}");
    let other = site.path("other");
    assert_eq!(restore(&site.path("backup"), &other).code, Some(0));
    // What the log has not reached is in no backup, and is missed by nobody.
    assert!(!other.join("journal/g000001/seg-0007.fnj").exists());
    let screen = verb(&[OsStr::new("gaps"), other.as_os_str()]);
    assert_eq!(screen.code, Some(0), "{screen:?}");
    assert!(!screen.out.contains("damaged"), "{screen:?}");

    site.adopt("other", "restored");
    let words = ["--cause", "conflict", "--actor", "B", "--reason", "twice"];
    let again = about("adopt", &other, &words);
    assert_eq!(again.code, Some(3), "{again:?}");
    for word in [
        "adopted already",
        "generation 2 follows generation 1 (restored)",
        "A. Fitter",
        ": test",
        "nothing was changed",
        "--again",
    ] {
        assert!(again.err.contains(word), "{word}: {again:?}");
    }
    assert!(!other.join("journal/g000003").exists());
    let more = about("adopt", &other, &[&words[..], &["--again"]].concat());
    assert_eq!(more.code, Some(0), "{more:?}");
    let more = more.json();
    assert_eq!(number(&more, "generation"), 3);
    for meter in list(&more, "meters") {
        assert_eq!(meter["last_seq"], Value::Null, "{more}");
    }
    // Where something ran, another adoption is what it says.
    std::fs::rename(&data, site.path("gone")).unwrap();
    std::fs::rename(&other, &data).unwrap();
    site.grow("node").stop();
    let after = site.adopt("node", "replaced");
    assert_eq!(number(&after, "generation"), 4);
    site.collector.leave();
}

//= U4
#[test]
fn another_machine_with_keys_of_its_own_takes_the_nodes_place() {
    let mut site = Site::new();
    let node = site.grow("node");
    let data = node.stop();
    let taken = backup(&data, &site.path("backup"), &[]);
    assert_eq!(taken.code, Some(0), "{taken:?}");
    for secret in ["authority-p256.pem", "ed25519.pem", "last-signed"] {
        assert!(
            !site.path("backup/identity").join(secret).exists(),
            "{secret}"
        );
    }
    assert_eq!(
        restore(&site.path("backup"), &site.path("other")).code,
        Some(0)
    );
    refuses_to_run(&site, "other");
    let adopted = site.adopt("other", "replaced");
    let mut keys = site.keys.clone();
    let new = list(&adopted, "new_keys")
        .iter()
        .map(|key| key.as_str().unwrap().to_owned());
    keys.extend(new);
    assert_eq!(keys.len(), 4, "{adopted}");
    site.collector.leave();
    site.collector.come_back(&keys);
    site.grow("other").stop();
    site.collector.leave();

    let other = site.path("other");
    let own = verified(&other, &[]);
    assert_eq!(own["generations"][1]["follows"]["link"], "holds", "{own}");
    verified(&other, &keys);
    accounted(&other);
    let collector = site.path("collector");
    verified(&collector, &keys);
    accounted(&collector);
    // Everything had been delivered before the machine was replaced.
    let follows = follows(&collector, 2);
    assert_eq!(follows["link"], "matches", "{follows}");
}

//= U4
//= R2.3
#[test]
fn a_backup_that_is_not_whole_is_refused_by_name() {
    let site = Site::new();
    let data = site.grow("node").stop();
    let (dir, tar) = (site.path("backup"), site.path("backup.tar"));
    for to in [&dir, &tar] {
        assert_eq!(backup(&data, to, &["--with-keys"]).code, Some(0));
        let again = backup(&data, to, &[]);
        assert_eq!(again.code, Some(3), "{again:?}");
        assert!(again.err.contains("overwrites nothing"), "{again:?}");
    }
    for secret in ["authority-p256.pem", "ed25519.pem", "last-signed"] {
        let mode = std::fs::metadata(dir.join("identity").join(secret)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600, "{secret}");
    }
    let segment = "journal/g000001/seg-0000.fnj";
    let flip = |name: &'static str| {
        move |dir: &Path| {
            let mut bytes = std::fs::read(dir.join(name)).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(dir.join(name), bytes).unwrap();
        }
    };
    type Harm = Box<dyn Fn(&Path)>;
    let cases: [(&str, &str, Harm); 6] = [
        ("edited", segment, Box::new(flip(segment))),
        ("manifest", "manifest.json", Box::new(flip("manifest.json"))),
        (
            "truth",
            "truth.fnt",
            Box::new(flip("journal/g000001/truth.fnt")),
        ),
        (
            "cut",
            segment,
            Box::new(move |dir| {
                let file = std::fs::File::options()
                    .write(true)
                    .open(dir.join(segment))
                    .unwrap();
                file.set_len(8_192).unwrap();
            }),
        ),
        (
            "missing",
            "identity/log-id",
            Box::new(|dir| std::fs::remove_file(dir.join("identity/log-id")).unwrap()),
        ),
        (
            "more",
            "identity/foreign",
            Box::new(|dir| std::fs::write(dir.join("identity/foreign"), "x").unwrap()),
        ),
    ];
    for (name, file, harm) in cases {
        let copied = site.path(name);
        copy(&dir, &copied);
        harm(&copied);
        let into = site.path("into");
        let said = restore(&copied, &into);
        assert_eq!(said.code, Some(3), "{name}: {said:?}");
        assert!(said.err.contains(file), "{name}: {}", said.err);
        assert!(!into.exists(), "{name}: nothing is written");
    }
    let bytes = std::fs::read(&tar).unwrap();
    std::fs::write(site.path("short.tar"), &bytes[..bytes.len() / 2]).unwrap();
    let said = restore(&site.path("short.tar"), &site.path("into"));
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("cut short"), "{}", said.err);
    // A key of somebody else.
    let other = Node::keys(&site.path("stranger"), ORIGIN);
    let words = ["--data", "into", "--anchor", &other[0], "--reason", "test"];
    let said = about("restore", &dir, &words);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("does not verify"), "{}", said.err);
    let said = restore(&dir, &data);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("not empty"), "{}", said.err);
}
