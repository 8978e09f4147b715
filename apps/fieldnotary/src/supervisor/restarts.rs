//! The restart ledger: what started and ended, kept across boots in one small file; and the brake on
//! resets.
//!
//! A start that neither ended orderly nor lasted counts. So many of them in a row are a reset storm, and
//! the next start is one in safe mode. Counted without a clock: one that was never set would lie.

use crate::clock;
use crate::files;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Starts in a row that did not last; with so many behind it a node starts in safe mode.
pub(crate) const RESETS_MAX: u64 = 5;
/// A start that lasted so long is none of a storm; safe mode ends after as long.
pub(crate) const LASTED_MS: u64 = 10 * 60 * 1_000;
/// Starts that are kept.
const STARTS_MAX: usize = 32;
/// Restarts of processes that are kept.
const RESTARTS_MAX: usize = 64;
/// At most one write in this time: a crash loop must not wear the medium.
const WRITE_EVERY_MS: u64 = 1_000;
/// The word for a start that ended orderly, but in safe mode.
const SAFE: &str = "stopped in safe mode";
/// Layout of the file.
const VERSION: u64 = 1;

/// The ledger of one node.
#[derive(Debug)]
pub(crate) struct Restarts {
    path: PathBuf,
    starts: Vec<Value>,
    restarts: Vec<Value>,
    totals: Map<String, Value>,
    /// Starts in a row that did not last, before this one.
    resets: u64,
    began_ms: u64,
    written_ms: u64,
    stale: bool,
    lasted: bool,
}

impl Restarts {
    /// Reads the ledger and notes this start. What cannot be read is said, and begun anew.
    pub(crate) fn begin(path: &Path, now_ms: u64) -> (Self, Option<String>) {
        let (file, trouble) = match std::fs::read_to_string(path) {
            Ok(text) => match serde_json::from_str::<Value>(&text) {
                Ok(file) if file.get("version") == Some(&json!(VERSION)) => (file, None),
                _ => (
                    Value::Null,
                    Some("is damaged or of another version".to_owned()),
                ),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (Value::Null, None),
            Err(error) => (Value::Null, Some(error.to_string())),
        };
        let trouble = trouble.map(|why| {
            format!(
                "the restart ledger {} {why}; it begins anew",
                path.display()
            )
        });
        // What is no object was not written here.
        let list = |name: &str| -> Vec<Value> {
            let list = file.get(name).and_then(Value::as_array);
            let mut list = list.cloned().unwrap_or_default();
            list.retain(Value::is_object);
            list
        };
        let mut starts = list("starts");
        if let Some(last) = starts.last_mut().and_then(Value::as_object_mut)
            && last.get("ended") == Some(&json!("running"))
        {
            last.insert("ended".to_owned(), json!("reset"));
        }
        // Whoever stops a node in safe mode has not yet said that it may leave it.
        let counts = |start: &&Value| counts(start);
        let in_row = starts.iter().rev().take_while(counts);
        let resets = u64::try_from(in_row.count()).unwrap_or(0);
        let boot: String = clock::boot_id()
            .0
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        starts.push(json!({
            "boot": boot,
            "at": query::rfc3339(clock::utc()),
            "ended": "running",
        }));
        let ledger = Self {
            path: path.to_path_buf(),
            starts,
            restarts: list("restarts"),
            totals: file
                .get("totals")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
            resets,
            began_ms: now_ms,
            written_ms: 0,
            stale: true,
            lasted: false,
        };
        (ledger, trouble)
    }

    /// Starts in a row that did not last, before this one.
    pub(crate) const fn resets(&self) -> u64 {
        self.resets
    }

    /// Whether this start has to be one in safe mode.
    pub(crate) const fn is_storm(&self) -> bool {
        self.resets >= RESETS_MAX
    }

    /// The resets before this start have been dealt with.
    pub(crate) fn forget_resets(&mut self) {
        for start in &mut self.starts {
            if counts(start) {
                end_as(start, "reset, dealt with");
            }
        }
        self.stale = true;
    }

    /// Notes that a process ended and is to be started again.
    pub(crate) fn note(&mut self, role: &str, cause: &str) {
        self.restarts.push(json!({
            "role": role,
            "at": query::rfc3339(clock::utc()),
            "cause": cause,
        }));
        let total = self.totals.get(role).and_then(Value::as_u64).unwrap_or(0);
        self.totals.insert(role.to_owned(), json!(total + 1));
        self.stale = true;
    }

    /// Writes what is new, if it is time; notes a start that lasted.
    pub(crate) fn tend(&mut self, now_ms: u64) -> Result<(), String> {
        if !self.lasted && now_ms.saturating_sub(self.began_ms) >= LASTED_MS {
            self.lasted = true;
            self.end_as("lasted");
        }
        if self.stale && now_ms.saturating_sub(self.written_ms) >= WRITE_EVERY_MS {
            self.written_ms = now_ms;
            self.write()?;
        }
        Ok(())
    }

    /// This start ends orderly.
    pub(crate) fn close(&mut self, in_safe_mode: bool) -> Result<(), String> {
        self.end_as(if in_safe_mode { SAFE } else { "orderly" });
        self.write()
    }

    /// Writes now.
    pub(crate) fn write(&mut self) -> Result<(), String> {
        keep_last(&mut self.starts, STARTS_MAX);
        keep_last(&mut self.restarts, RESTARTS_MAX);
        self.stale = false;
        files::write_durably(&self.path, self.json().to_string())
    }

    /// All of it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "version": VERSION,
            "starts": self.starts,
            "restarts": self.restarts,
            "totals": self.totals,
        })
    }

    fn end_as(&mut self, word: &str) {
        if let Some(last) = self.starts.last_mut() {
            end_as(last, word);
        }
        self.stale = true;
    }
}

/// Whether a start counts as a reset.
fn counts(start: &Value) -> bool {
    let ended = start.get("ended").and_then(Value::as_str);
    ended.is_some_and(|word| word == "reset" || word == SAFE)
}

fn end_as(start: &mut Value, word: &str) {
    if let Some(start) = start.as_object_mut() {
        start.insert("ended".to_owned(), json!(word));
    }
}

fn keep_last(list: &mut Vec<Value>, most: usize) {
    let over = list.len().saturating_sub(most);
    list.drain(..over);
}

#[cfg(test)]
mod tests {
    use super::{LASTED_MS, RESETS_MAX, RESTARTS_MAX, Restarts, STARTS_MAX};
    use std::path::Path;

    /// A start that ends in this way; how many resets it found behind it.
    fn start(path: &Path, how: &str) -> u64 {
        let (mut ledger, trouble) = Restarts::begin(path, 0);
        assert_eq!(trouble, None);
        ledger.write().unwrap();
        match how {
            "reset" => {}
            "orderly" => ledger.close(false).unwrap(),
            "stopped in safe mode" => ledger.close(true).unwrap(),
            "lasted" => {
                ledger.tend(LASTED_MS - 1).unwrap();
                ledger.tend(LASTED_MS + 2_000).unwrap();
            }
            "dealt with" => {
                ledger.forget_resets();
                ledger.write().unwrap();
            }
            other => panic!("{other}"),
        }
        ledger.resets()
    }

    //= R10.2
    #[test]
    fn only_starts_in_a_row_that_did_not_last_are_a_storm() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("restarts.json");
        let cases = [
            ("reset", 0),
            ("reset", 1),
            ("orderly", 2),
            ("reset", 0),
            ("reset", 1),
            ("lasted", 2),
            ("reset", 0),
            ("reset", 1),
            ("reset", 2),
            ("dealt with", 3),
            // It did not last either, but what was before it no longer counts.
            ("reset", 1),
            ("reset", 2),
        ];
        for (place, (how, resets)) in cases.into_iter().enumerate() {
            assert_eq!(start(&path, how), resets, "start {place}");
        }
        for _ in 3..RESETS_MAX {
            start(&path, "reset");
        }
        assert!(Restarts::begin(&path, 0).0.is_storm());
        let so_far = RESETS_MAX;
        assert_eq!(start(&path, "stopped in safe mode"), so_far);
        assert_eq!(start(&path, "dealt with"), so_far + 1);
        assert_eq!(start(&path, "orderly"), 1);
    }

    #[test]
    fn the_file_is_bounded_and_a_damaged_one_is_no_reason_not_to_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("restarts.json");
        for _ in 0..STARTS_MAX + 9 {
            start(&path, "reset");
        }
        let (mut ledger, _) = Restarts::begin(&path, 0);
        (0..RESTARTS_MAX + 9).for_each(|n| ledger.note("io", &format!("signal {n}")));
        ledger.write().unwrap();
        let kept = ledger.json();
        assert_eq!(kept["starts"].as_array().unwrap().len(), STARTS_MAX);
        assert_eq!(kept["restarts"].as_array().unwrap().len(), RESTARTS_MAX);
        assert_eq!(kept["totals"]["io"], RESTARTS_MAX + 9);
        let foreign = r#"{"version":1,"starts":[7,"x",null],"restarts":3,"totals":[]}"#;
        std::fs::write(&path, foreign).unwrap();
        let (mut ledger, _) = Restarts::begin(&path, 0);
        ledger.forget_resets();
        assert_eq!(ledger.json()["starts"].as_array().unwrap().len(), 1);
        std::fs::write(&path, "{half").unwrap();
        let (ledger, trouble) = Restarts::begin(&path, 0);
        assert!(trouble.unwrap().contains("begins anew"));
        assert_eq!(ledger.resets(), 0);
    }
}
