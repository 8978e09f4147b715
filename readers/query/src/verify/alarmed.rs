//! Alarms that a collector has on record: whose log showed a rollback or another counter. A verdict names all of them; it fails by
//! one that stands, as what the node had behind it may be held by nobody.

use super::report::{FindingKind, Report};
use crate::collector::LogDir;
use evidence::foreign::line;
use evidence::reasons::{RollbackAlarm, RollbackWitness};
use serde_json::Value;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

/// Where a collector keeps them, the older part first.
const BOOKS: [&str; 2] = ["audit/alarms.1.jsonl", "audit/alarms.jsonl"];
/// A collector's books are far smaller; what is longer is not read on.
const BOOK_BYTES_MAX: u64 = 64 << 20;

/// Where a collector keeps those of one log, with what showed each, under the log's directory.
const RECORD: &str = "state/witness.json";
/// A collector keeps 64 alarms there, and a few counters.
const RECORD_BYTES_MAX: u64 = 4 << 20;

/// Alarms on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarmed {
    /// How many.
    pub count: u64,
    /// When the newest was noted, in ms since 1970.
    pub newest_ms: u64,
    /// Of which log it is.
    pub origin: String,
    /// What it says.
    pub reason: String,
    /// Where it stands.
    pub file: String,
}

/// Reads what is on record; a line that is cut short or changed is no alarm.
pub(super) fn read_alarms(root: &Path, report: &mut Report) {
    for book in BOOKS {
        let path = root.join(book);
        let Ok(file) = std::fs::File::open(&path) else {
            continue;
        };
        let lines = BufReader::new(file.take(BOOK_BYTES_MAX)).lines();
        for line in lines.map_while(Result::ok) {
            let Ok(one) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            let word = |name: &str| one.get(name).and_then(Value::as_str).map(str::to_owned);
            let number = |name: &str| one.get(name).and_then(Value::as_u64);
            let (Some(newest_ms), Some(origin), Some(reason)) =
                (number("at_ms"), word("scope"), word("reason"))
            else {
                continue;
            };
            let before = report.alarmed.as_ref().map_or(0, |before| before.count);
            // Repeated ones are one line with a count.
            let more = number("count").unwrap_or(1).max(1);
            report.alarmed = Some(Alarmed {
                count: before.saturating_add(more),
                newest_ms,
                origin,
                reason,
                file: path.display().to_string(),
            });
        }
    }
}

/// Reads what is on record against one log, which of it stands, and why the rest does not. What the log's entries say themselves is
/// found where they are judged.
pub(super) fn read_record(log: &LogDir, report: &mut Report) {
    let path = log.path.join(RECORD);
    let mut text = String::new();
    let read = std::fs::File::open(&path)
        .and_then(|file| file.take(RECORD_BYTES_MAX).read_to_string(&mut text));
    let record = match read {
        Ok(_) => serde_json::from_str::<Value>(&text).map_err(|error| error.to_string()),
        // A version without a witness wrote none.
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        Err(error) => Err(error.to_string()),
    };
    let record = match record {
        Ok(record) => record,
        Err(error) => {
            let words = format!(
                "{}: {error}; whether an alarm stands against {} is not known",
                path.display(),
                line(&log.origin)
            );
            report.find(FindingKind::File, None, words);
            return;
        }
    };
    let by = record
        .pointer("/followed_by/origin")
        .and_then(Value::as_str);
    let alarms = record.get("alarms").and_then(Value::as_array);
    for one in alarms.into_iter().flatten() {
        let word = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or("?");
        let number = |name: &str| one.get(name).and_then(Value::as_u64);
        let shown_by = word("shown_by");
        if shown_by == "node" {
            continue;
        }
        let alarm = word("alarm");
        let (kind, then) = match (number("went_on"), by) {
            (Some(size), _) => (
                FindingKind::RollbackFollowed,
                format!("the log went on from the newest then, to {size} entries"),
            ),
            (None, Some(by)) => {
                let then = format!("{} followed", line(by));
                (FindingKind::RollbackFollowed, then)
            }
            (None, None) => {
                let cure = RollbackAlarm::from_name(alarm).map_or("", RollbackAlarm::cure);
                let words = format!("nothing answered it yet\ncure       {cure}");
                (FindingKind::Rollback, words)
            }
        };
        let at = number("entry").map(|entry| (entry, entry));
        let words = format!(
            "{} ({}, shown by the {}) on record against {}: {}; {then}",
            line(alarm),
            RollbackWitness::Collector,
            line(shown_by),
            line(&log.origin),
            line(word("detail"))
        );
        report.find(kind, at, words);
    }
}

#[cfg(test)]
mod tests {
    use super::{FindingKind, LogDir, Report, read_alarms, read_record};

    /// What the collector holds is sound; what the node had behind an alarm that stands may be gone.
    //= A6.4
    #[test]
    fn a_verdict_fails_by_an_alarm_that_stands_and_names_one_that_was_answered() {
        let dir = tempfile::tempdir().unwrap();
        let log = LogDir {
            path: dir.path().to_path_buf(),
            origin: "example.org/n/g1".to_owned(),
        };
        std::fs::create_dir(dir.path().join("state")).unwrap();
        let read = |record: &str| {
            std::fs::write(dir.path().join("state/witness.json"), record).unwrap();
            let mut report = Report::default();
            read_record(&log, &mut report);
            report.findings
        };
        let alarm = |shown_by: &str, went_on: &str| {
            format!(
                "{{\"alarm\":\"older_image\",\"shown_by\":\"{shown_by}\",\"entry\":null,\"detail\":\"behind\",\"went_on\":{went_on}}}"
            )
        };
        let follower = "{\"origin\":\"example.org/n/g2\"}";
        for (shown_by, went_on, followed_by, kind, says) in [
            (
                "head",
                "null",
                "null",
                Some(FindingKind::Rollback),
                "Put it back",
            ),
            ("fork", "null", "null", Some(FindingKind::Rollback), "adopt"),
            (
                "counter",
                "null",
                "null",
                Some(FindingKind::Rollback),
                "behind",
            ),
            (
                "head",
                "90",
                "null",
                Some(FindingKind::RollbackFollowed),
                "90 entries",
            ),
            (
                "fork",
                "null",
                follower,
                Some(FindingKind::RollbackFollowed),
                "n/g2 followed",
            ),
            // The entry that says it is judged itself.
            ("node", "null", "null", None, ""),
        ] {
            let alarm = alarm(shown_by, went_on);
            let found = read(&format!(
                "{{\"alarms\":[{alarm}],\"followed_by\":{followed_by}}}"
            ));
            let kinds: Vec<_> = found.iter().map(|one| one.kind).collect();
            assert_eq!(
                kinds,
                Vec::from_iter(kind),
                "{shown_by} {went_on} {followed_by}"
            );
            assert!(
                found.iter().all(|one| one.words.contains(says)),
                "{found:?}"
            );
        }
        assert_eq!(read("{\"alarms\":[]}"), []);
        let damaged = read("{\"alarms\":[");
        assert_eq!(damaged.first().map(|one| one.kind), Some(FindingKind::File));
        std::fs::remove_file(dir.path().join("state/witness.json")).unwrap();
        let mut report = Report::default();
        read_record(&log, &mut report);
        assert_eq!(report.findings, []);
    }

    //= A6.3
    #[test]
    fn alarms_on_record_are_counted_and_the_newest_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let audit = dir.path().join("audit");
        std::fs::create_dir(&audit).unwrap();
        let mut report = Report::default();
        read_alarms(dir.path(), &mut report);
        assert_eq!(report.alarmed, None);
        let line = |at: u64, why: &str, count: u64| {
            format!(
                "{{\"at_ms\":{at},\"scope\":\"example.org/g1\",\"reason\":\"{why}\",\"count\":{count}}}\n"
            )
        };
        std::fs::write(audit.join("alarms.1.jsonl"), line(5, "older_image: a", 1)).unwrap();
        let book = line(7, "replaced_counter: b", 2) + "{\"at_ms\":9,\n";
        std::fs::write(audit.join("alarms.jsonl"), book).unwrap();
        read_alarms(dir.path(), &mut report);
        let told = report.alarmed.clone().unwrap();
        assert_eq!((told.count, told.newest_ms), (3, 7));
        assert_eq!(told.reason, "replaced_counter: b");
        assert!(told.file.ends_with("audit/alarms.jsonl"), "{told:?}");
        assert!(report.ok(), "an alarm on record is no failure of its own");
    }
}
