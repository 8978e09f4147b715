//! When the last timestamp was had, kept across restarts.

use evidence::UtcNs;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The last timestamp.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    last: Option<UtcNs>,
}

impl Place {
    /// As it was noted; one that cannot be read says nothing, and the next timestamp is due.
    pub(super) fn open(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let noted: Option<Value> = serde_json::from_str(&text).ok();
        let last = noted.and_then(|noted| noted.get("utc_ns")?.as_i64());
        Self {
            path: path.to_path_buf(),
            last: last.map(UtcNs),
        }
    }

    /// Whether the next one is due; also where the clock stands before the last one.
    pub(super) fn is_due(&self, now: UtcNs, every_ms: u64) -> bool {
        let every_ns = i64::try_from(every_ms.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
        self.last
            .is_none_or(|last| now < last || now.0.saturating_sub(last.0) >= every_ns)
    }

    /// One was had; durable when this returns well.
    pub(super) fn note(&mut self, now: UtcNs) -> Result<(), String> {
        self.last = Some(now);
        let text = json!({ "utc_ns": now.0 });
        crate::files::write_durably(&self.path, format!("{text}\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::Place;
    use evidence::UtcNs;

    #[test]
    fn a_timestamp_is_due_once_a_day_over_restarts_and_clocks_that_go_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("last.json");
        let day_ms = 86_400_000;
        let at = |s: i64| UtcNs(s * 1_000_000_000);
        let mut place = Place::open(&path);
        assert!(place.is_due(at(1_000_000), day_ms));
        place.note(at(1_000_000)).unwrap();
        for place in [place, Place::open(&path)] {
            assert!(!place.is_due(at(1_000_000), day_ms));
            assert!(!place.is_due(at(1_086_399), day_ms));
            assert!(place.is_due(at(1_086_400), day_ms));
            assert!(place.is_due(at(999_999), day_ms));
        }
        std::fs::write(&path, "torn").unwrap();
        assert!(Place::open(&path).is_due(at(1_000_000), day_ms));
    }
}
