//! What a node's files tell, whether the node runs or not.

use super::directory::{generations, keys_of, open_found};
use super::journal::finding::Finding;
use super::journal::look::{FoundReader, first_look};
use crate::clock;
use crate::lately::{Lately, age_ms};
use crate::paths::DataDir;
use contract::Contract;
use evidence::kinds::Configuration;
use evidence::reasons::TruthClass;
use evidence::{CommitId, Generation, Payload, UtcNs};
use journal::{ReadTruth, ReadVolume, Reader, Shape, TruthHealth};
use serde_json::{Map, Value, json};

/// Newest entries that are looked at for what happened lately.
const LOOKED_AT_MAX: u64 = 8_192;
/// Newest entries over which the pace of writing is measured.
const PACE_ENTRIES: u64 = 4_096;

/// The newest generation of a node's log.
pub(super) struct OnDisk {
    data: DataDir,
    generation: Generation,
    reader: FoundReader,
    shape: Shape,
    class: TruthClass,
}

/// The generations before the newest one, as they were left.
pub(super) fn older(data: &DataDir) -> Value {
    let mut all = generations(data).unwrap_or_default();
    all.pop();
    let all = all.into_iter().map(|generation| {
        match open_found(data, generation).map(|found| found.reader) {
            Ok(reader) => json!({
                "generation": generation.0,
                "log_size": reader.size(),
                "sealed_size": told(reader.sealed_size(), &reader, None),
                "cosigned_size": told(reader.cosigned_size(), &reader, None),
            }),
            Err(error) => json!({ "generation": generation.0, "error": error }),
        }
    });
    all.collect()
}

/// A size as the truth store knows it; where nothing is left of that, as the log's own entries tell it.
fn told(by_truth: u64, reader: &FoundReader, by_log: Option<u64>) -> Option<u64> {
    match reader.truth_health().0 {
        TruthHealth::Lost => by_log,
        TruthHealth::Sound | TruthHealth::Degraded | TruthHealth::SlotLost => {
            Some(by_truth.max(by_log.unwrap_or(0)))
        }
    }
}

/// Whether a log was closed orderly, where that is known: of two slots the one that can be read may be the older.
pub(super) fn closed_orderly<V: ReadVolume, T: ReadTruth>(reader: &Reader<V, T>) -> Option<bool> {
    match reader.truth_health().0 {
        TruthHealth::Sound | TruthHealth::Degraded => Some(reader.closed_orderly()),
        TruthHealth::SlotLost | TruthHealth::Lost => None,
    }
}

impl OnDisk {
    /// Opens the newest generation; disturbs nobody.
    pub(super) fn open(data: &DataDir) -> Result<Self, String> {
        let generation = generations(data)?.pop().ok_or_else(|| {
            let shown = data.root().display();
            format!(
                "{shown} holds no log yet: it has a node's identity, but no journal\n\
                     the log begins with the first: fieldnotary run CONFIG --data {shown}"
            )
        })?;
        let found = open_found(data, generation)?;
        Ok(Self {
            data: data.clone(),
            generation,
            reader: found.reader,
            shape: found.shape,
            class: found.class,
        })
    }

    /// The report of a node that does not run, as far as its files tell.
    pub(super) fn report(&self) -> Result<Map<String, Value>, String> {
        let (lately, contract) = self.lately();
        let keys = keys_of(&self.data, self.generation)?;
        let base = keys.first().map_or("", |key| key.name());
        let mut report = Map::new();
        let mut put = |name: &str, value: Value| report.insert(name.to_owned(), value);
        put("running", json!(false));
        put("origin", json!(format!("{base}/g{}", self.generation)));
        put("generation", json!(self.generation.0));
        put("epoch", json!(self.reader.epoch().0));
        put("closed_orderly", json!(closed_orderly(&self.reader)));
        put("told_to_stop", json!(lately.stopped()));
        put("truth_class", json!(self.class.name()));
        put("log_size", json!(self.reader.size()));
        let (sealed, cosigned) = lately.reached();
        let sealed = told(self.reader.sealed_size(), &self.reader, sealed);
        let cosigned = told(self.reader.cosigned_size(), &self.reader, cosigned);
        put("sealed_size", json!(sealed));
        put("cosigned_size", json!(cosigned));
        put("ring", self.ring(cosigned));
        for (name, part) in lately.trust() {
            put(name, part);
        }
        let harm = first_look(&self.data, self.generation)?;
        let is_failure = |one: &Finding| one.kind.is_failure();
        put(
            "journal",
            json!({
                "ok": !harm.iter().any(is_failure),
                "findings": harm.iter().map(Finding::json).collect::<Vec<_>>(),
            }),
        );
        if let Some(contract) = contract {
            put("meters", json!(contract.meters.len()));
            put("certificates", crate::papers::own_certificates(&contract));
            let now = clock::utc();
            for (name, part) in lately.report(&contract, now, lately.newest().unwrap_or(now)) {
                put(name, part);
            }
        }
        Ok(report)
    }

    /// Why the last seals were not had, where the next start asks for them again.
    pub(super) fn seals_missed(&self) -> Option<String> {
        let (lately, _) = self.lately();
        let (_, seals) = lately
            .trust()
            .into_iter()
            .find(|(name, _)| *name == "seals")?;
        let word = |key: &str| seals.get(key).and_then(Value::as_str);
        (word("state") == Some("missed")).then(|| {
            let (cause, detail) = (word("cause").unwrap_or("?"), word("detail").unwrap_or("?"));
            format!("{cause}: {detail}")
        })
    }

    /// Entries committed, sealed and cosigned.
    pub(super) fn sizes(&self) -> (u64, u64, u64) {
        let reader = &self.reader;
        (reader.size(), reader.sealed_size(), reader.cosigned_size())
    }

    /// What the newest entries tell, and the contract in force.
    fn lately(&self) -> (Lately, Option<Contract>) {
        let mut lately = Lately::default();
        let (mut parts, mut contract) = (Vec::<Configuration>::new(), None);
        let mut from = self.reader.size().saturating_sub(LOOKED_AT_MAX);
        // Without a configuration among them, from the oldest entry on: it is somewhere.
        if !self.configured_from(from) {
            from = 0;
        }
        self.begun(from, &mut lately);
        for stored in self.reader.entries(CommitId(from)).flatten() {
            let Ok(entry) = stored.entry() else { continue };
            let Ok(payload) = entry.payload() else {
                continue;
            };
            lately.observe(stored.commit_id, &entry.stamp, &payload);
            if let Payload::Configuration(part) = payload {
                if part.part == 0 {
                    parts.clear();
                }
                parts.push(part);
                contract = Contract::from_parts(&parts).ok().or(contract);
            }
        }
        (lately, contract)
    }

    /// What the newest run said once, at its beginning, if that is before these entries.
    fn begun(&self, before: u64, lately: &mut Lately) {
        let epoch = self.reader.epoch();
        let is_of_it = |id: u64| {
            let stored = self.reader.entry(CommitId(id))?.ok()?;
            Some(stored.entry().ok()?.header.epoch == epoch)
        };
        let (mut low, mut high) = (self.reader.oldest().0, before);
        while low < high {
            let middle = low.midpoint(high);
            match is_of_it(middle) {
                Some(true) => high = middle,
                Some(false) | None => low = middle.saturating_add(1),
            }
        }
        let end = low.saturating_add(LOOKED_AT_MAX).min(before);
        let entries = self.reader.entries(CommitId(low)).flatten();
        for stored in entries.take_while(|stored| stored.commit_id.0 < end) {
            if let Ok(payload) = stored.entry().and_then(|entry| entry.payload()) {
                lately.observe_alone(&payload);
            }
        }
    }

    fn configured_from(&self, from: u64) -> bool {
        let entries = self.reader.entries(CommitId(from)).flatten();
        entries
            .filter_map(|stored| stored.entry().ok())
            .any(|entry| entry.header.kind == evidence::Kind::Configuration)
    }

    /// How the ring is used, and when entries that no collector has would have to leave it, as far as it is known
    /// which it has.
    pub(super) fn ring(&self, cosigned_size: Option<u64>) -> Value {
        let (size, oldest) = (self.reader.size(), self.reader.oldest());
        let last = size.checked_sub(1);
        let newest = last.and_then(|last| self.reader.locate(CommitId(last)));
        let first = self.reader.locate(oldest);
        let (Some(newest), Some(first)) = (newest, first) else {
            return json!({ "segment_bytes": self.shape.segment_bytes, "segments": self.shape.segments });
        };
        let segment_bytes = self.shape.segment_bytes;
        let laps = newest.lap.saturating_sub(first.lap);
        let used = laps
            .saturating_mul(segment_bytes)
            .saturating_add(newest.offset);
        let pace = self.pace();
        let waiting = cosigned_size.filter(|cosigned| *cosigned < size);
        // The segment of the first waiting entry is taken again one ring after it was begun.
        let gives_up_s = waiting
            .and_then(|first| self.reader.locate(CommitId(first)))
            .and_then(|waiting| {
                let lap = waiting.lap.saturating_add(u64::from(self.shape.segments));
                let left = lap.saturating_sub(newest.lap).saturating_mul(segment_bytes);
                left.saturating_sub(newest.offset).checked_div(pace?)
            });
        let now = clock::utc();
        json!({
            "segment_bytes": segment_bytes,
            "segments": self.shape.segments,
            "segments_used": laps.saturating_add(1),
            "used_bytes": used,
            "total_bytes": segment_bytes.saturating_mul(u64::from(self.shape.segments)),
            "oldest_commit_id": oldest.0,
            "oldest_timestamp": self.time_of(oldest.0).map(query::rfc3339),
            "bytes_per_s": pace,
            "uncosigned_entries": cosigned_size.map(|cosigned| size.saturating_sub(cosigned)),
            "uncosigned_for_ms": waiting
                .and_then(|first| self.time_of(first))
                .map(|at| age_ms(at, now)),
            "gives_up_uncosigned_in_s": gives_up_s,
        })
    }

    /// Bytes a second that the newest entries took.
    fn pace(&self) -> Option<u64> {
        let last = self.reader.size().checked_sub(1)?;
        let from = last
            .saturating_sub(PACE_ENTRIES)
            .max(self.reader.oldest().0);
        let (begin, end) = (self.time_of(from)?, self.time_of(last)?);
        let place = |id: u64| {
            let at = self.reader.locate(CommitId(id))?;
            Some(at.lap.saturating_mul(self.shape.segment_bytes) + at.offset)
        };
        let bytes = place(last)?.saturating_sub(place(from)?);
        bytes
            .saturating_mul(1_000)
            .checked_div(age_ms(begin, end))
            .filter(|pace| *pace > 0)
    }

    fn time_of(&self, id: u64) -> Option<UtcNs> {
        let stored = self.reader.entry(CommitId(id))?.ok()?;
        Some(stored.entry().ok()?.stamp.timestamp)
    }
}
