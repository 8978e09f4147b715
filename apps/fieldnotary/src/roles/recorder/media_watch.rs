//! What the journal's device says of itself, as counters, and an event where it gets worse.

use evidence::SourceId;
use evidence::kinds::Counter;
use evidence::reasons::CounterState;
use media::{HEALTH_COUNTERS, HealthSource, HealthValue};
use serde_json::{Value, json};

/// From here on the used part of an eMMC's life is told, and again with every further step.
const LIFE_USED_TOLD_PCT: u64 = 80;
/// The state of an eMMC's reserve from which on it is told: 80 percent of it used.
const PRE_EOL_TOLD: u64 = 2;

/// One counter of the device.
#[derive(Clone, Debug)]
struct Watched {
    name: &'static str,
    label: Option<&'static str>,
    /// The latest value that was read, and the first.
    latest: Option<u64>,
    first: Option<u64>,
    /// Why there is none now.
    why: Option<String>,
    /// How bad it was when it was told last.
    told: u64,
}

/// The device under the journal.
#[derive(Debug)]
pub(super) struct MediaWatch {
    source: HealthSource,
    watched: Vec<Watched>,
}

impl MediaWatch {
    pub(super) fn new(source: HealthSource) -> Self {
        let watched = HEALTH_COUNTERS.into_iter().map(|(name, label)| Watched {
            name,
            label,
            latest: None,
            first: None,
            why: Some("not read yet".to_owned()),
            told: 0,
        });
        Self {
            watched: watched.collect(),
            source,
        }
    }

    /// Reads the device; gives what got worse, in words.
    pub(super) fn look(&mut self) -> Vec<String> {
        let values = self.source.read().into_iter();
        let both = self.watched.iter_mut().zip(values);
        both.filter_map(|(watched, value)| watched.take(value))
            .collect()
    }

    /// As counters of a snapshot.
    pub(super) fn counters(&self, source: &SourceId) -> Vec<Counter> {
        let counter = |watched: &Watched| Counter {
            name: watched.name.to_owned(),
            label: watched.label.map(str::to_owned),
            state: watched.state(),
            value: watched.latest,
            source: source.clone(),
        };
        self.watched.iter().map(counter).collect()
    }

    /// For the status: also why something is not known.
    pub(super) fn json(&self) -> Value {
        let values = self.watched.iter().map(|watched| {
            json!({
                "name": watched.name,
                "label": watched.label,
                "state": watched.state().name(),
                "value": watched.latest,
                "reason": watched.why,
            })
        });
        json!({
            "kind": self.source.kind(),
            "folder": self.source.folder().map(|folder| folder.display().to_string()),
            "values": values.collect::<Vec<_>>(),
        })
    }
}

impl Watched {
    fn state(&self) -> CounterState {
        match (self.latest, &self.why) {
            (Some(_), None) => CounterState::Value,
            // It was read in this run, and cannot be any more.
            (Some(_), Some(_)) => CounterState::Stale,
            (None, _) => CounterState::Unsupported,
        }
    }

    fn take(&mut self, read: HealthValue) -> Option<String> {
        match read.value {
            Err(why) => {
                self.why = Some(why);
                None
            }
            Ok(value) => {
                self.why = None;
                self.latest = Some(value);
                let first = *self.first.get_or_insert(value);
                let (level, words) = worse(self.name, value, first)?;
                let news = level > self.told;
                self.told = self.told.max(level);
                news.then_some(words)
            }
        }
    }
}

/// How bad a value is, and what it means; `None` where nothing is to be told.
fn worse(name: &str, value: u64, first: u64) -> Option<(u64, String)> {
    let told = match name {
        "media_life_used_pct" if value > 100 => (
            value,
            "the eMMC has outlived what it was made for".to_owned(),
        ),
        "media_life_used_pct" if value >= LIFE_USED_TOLD_PCT => (
            value,
            format!("up to {value} percent of the eMMC's life are used"),
        ),
        "media_pre_eol" if value >= PRE_EOL_TOLD => {
            let percent = if value == PRE_EOL_TOLD { 80 } else { 90 };
            (
                value,
                format!("{percent} percent of the eMMC's reserved blocks are used"),
            )
        }
        // Counted since the driver was loaded: none is usual.
        "ecc_failed_cnt" if value > 0 => (
            value,
            format!("the NAND could not correct {value} reads since it was attached"),
        ),
        // Some blocks are bad from the factory.
        "bad_block_cnt" if value > first => (
            value,
            format!("{} blocks of the NAND went bad in this run", value - first),
        ),
        _ => return None,
    };
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::MediaWatch;
    use evidence::SourceId;
    use evidence::reasons::CounterState;
    use media::HealthSource;
    use std::path::Path;

    fn state(watch: &MediaWatch, name: &str) -> (CounterState, Option<u64>) {
        let counters = watch.counters(&SourceId::new("recorder").unwrap());
        let counter = counters.into_iter().find(|one| one.name == name).unwrap();
        (counter.state, counter.value)
    }

    fn write(dir: &Path, files: &[(&str, &str)]) {
        for (name, text) in files {
            std::fs::write(dir.join(name), text).unwrap();
        }
    }

    //= A2.5
    //= A5.5
    #[test]
    fn a_value_that_cannot_be_read_any_more_is_stale_and_one_never_read_unsupported() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &[("life_time", "0x03 0x02\n")]);
        let mut watch = MediaWatch::new(HealthSource::Emmc(dir.path().to_owned()));
        let life = "media_life_used_pct";
        assert_eq!(state(&watch, life), (CounterState::Unsupported, None));
        assert!(watch.look().is_empty());
        assert_eq!(state(&watch, life), (CounterState::Value, Some(30)));
        let eol = state(&watch, "media_pre_eol");
        assert_eq!(eol, (CounterState::Unsupported, None));
        write(dir.path(), &[("life_time", "nonsense\n")]);
        watch.look();
        assert_eq!(state(&watch, life), (CounterState::Stale, Some(30)));
        let json = watch.json();
        let reason = json
            .pointer("/values/0/reason")
            .and_then(|one| one.as_str());
        assert!(reason.is_some_and(|why| why.contains("nonsense")), "{json}");
    }

    //= A5.5
    //= A5.8
    #[test]
    fn every_threshold_is_told_once_and_again_when_it_gets_worse() {
        let dir = tempfile::tempdir().unwrap();
        let mut watch = MediaWatch::new(HealthSource::Emmc(dir.path().to_owned()));
        for (life, eol, told) in [
            ("0x07 0x01", "0x01", 0),
            ("0x08 0x01", "0x01", 1),
            ("0x08 0x01", "0x01", 0),
            ("0x09 0x08", "0x02", 3),
            ("0x0b 0x08", "0x03", 2),
            ("0x0b 0x08", "0x03", 0),
        ] {
            write(dir.path(), &[("life_time", life), ("pre_eol_info", eol)]);
            assert_eq!(watch.look().len(), told, "{life} {eol}");
        }
        let mut watch = MediaWatch::new(HealthSource::Nand(dir.path().to_owned()));
        for (failures, bad, told) in [("0", "3", 0), ("1", "3", 1), ("1", "4", 1), ("2", "5", 2)] {
            write(
                dir.path(),
                &[("ecc_failures", failures), ("bad_blocks", bad)],
            );
            assert_eq!(watch.look().len(), told, "{failures} {bad}");
        }
    }
}
