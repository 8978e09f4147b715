//! Alarms that a collector has on record: whose log showed a rollback or another counter. They stand after the
//! directory is whole again, so a verdict names them; it does not fail by them, as what they are of is judged apart.

use super::report::Report;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Where a collector keeps them, the older part first.
const BOOKS: [&str; 2] = ["audit/alarms.1.jsonl", "audit/alarms.jsonl"];
/// A collector's books are far smaller; what is longer is not read on.
const BOOK_BYTES_MAX: u64 = 64 << 20;

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

#[cfg(test)]
mod tests {
    use super::{Report, read_alarms};

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
