//! What commits cost: time, flushes and bytes, and the time beside a bare durable write.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use serde_json::{Value, json};

use crate::child::Running;
use crate::clock::{now, ns_since};
use crate::device::{Counters, Ground, settle};
use crate::engine::{Engine, Failed, Place};
use crate::record::{Batch, KEY_BYTES, RECORD_BYTES};
use crate::verbs;

/// Batch sizes, and how many commits of each; the short form takes a part.
pub(crate) const RUNS: [(u64, u64); 3] = [(1, 400), (64, 400), (1_024, 100)];
/// Commits before anything is counted: what an engine does first is not its usual.
const WARM_COMMITS: u64 = 5;
/// Time for a run of the slowest engine on a busy disk.
const RUN_MAX: Duration = Duration::from_secs(120);
/// Of a bare write: a block of the file system.
const BLOCK_BYTES: usize = 4_096;

/// What a run of commits cost. Counts are absent where the devices are not the row's own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) records_per_s: f64,
    pub(crate) data: Option<Written>,
    pub(crate) truth: Option<Written>,
    /// Median of a commit over the median of a bare durable write of as many bytes.
    pub(crate) p50_over_raw: f64,
    pub(crate) p99_over_raw: f64,
}

/// What reached a device.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Written {
    pub(crate) flushes_per_commit: f64,
    /// Bytes on the device for each byte handed to the engine: key and record, for the journal the encoded
    /// entry (header, stamp, record, CRC).
    pub(crate) amplification: f64,
    /// Bytes on the device for each byte of key and record, for every engine alike.
    pub(crate) of_record: f64,
}

impl Cost {
    /// Of several runs, the median of each figure.
    pub(crate) fn median(runs: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> Option<f64>| {
            let mut all: Vec<f64> = runs.iter().filter_map(figure).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied()
        };
        let written = |flushes, amplification, of_record| {
            Some(Written {
                flushes_per_commit: of(flushes)?,
                amplification: of(amplification)?,
                of_record: of(of_record)?,
            })
        };
        Self {
            records_per_s: of(|run| Some(run.records_per_s)).unwrap_or(0.0),
            data: written(
                |run| Some(run.data?.flushes_per_commit),
                |run| Some(run.data?.amplification),
                |run| Some(run.data?.of_record),
            ),
            truth: written(
                |run| Some(run.truth?.flushes_per_commit),
                |run| Some(run.truth?.amplification),
                |run| Some(run.truth?.of_record),
            ),
            p50_over_raw: of(|run| Some(run.p50_over_raw)).unwrap_or(0.0),
            p99_over_raw: of(|run| Some(run.p99_over_raw)).unwrap_or(0.0),
        }
    }
}

/// Runs a row with batches of one size in a child, in a fresh place.
pub(crate) fn of(
    engine: &str,
    ground: &Ground,
    seed: u64,
    (batch, commits): (u64, u64),
) -> Result<Cost, Failed> {
    let place = ground.place(&format!("batch-{batch}"))?;
    let numbers = [("seed", seed), ("batch", batch), ("commits", commits)];
    let mut child = Running::start("cost", engine, &place, &numbers)?;
    let line = child.expect(RUN_MAX)?;
    let answer: Value = serde_json::from_str(&line)?;
    let number = |key: &str| answer.get(key).and_then(Value::as_f64);
    let needed = |key: &str| number(key).ok_or_else(|| Failed(format!("no `{key}` in {line}")));
    let written = |flushes, bytes, of_record| {
        let written = Written {
            flushes_per_commit: number(flushes)?,
            amplification: number(bytes)?,
            of_record: number(of_record)?,
        };
        ground.is_counted().then_some(written)
    };
    Ok(Cost {
        records_per_s: needed("records_per_s")?,
        data: written("flushes", "amplification", "of_record"),
        truth: written("truth_flushes", "truth_amplification", "truth_of_record"),
        p50_over_raw: needed("p50_over_raw")?,
        p99_over_raw: needed("p99_over_raw")?,
    })
}

/// The child's part: commits, counts, and says what it was in a line.
pub(crate) fn run(
    engine: &str,
    place: &Place,
    seed: u64,
    (batch, commits): (u64, u64),
) -> Result<(), Failed> {
    let mut engine = verbs::open(engine, place)?;
    let mut bench = Bench {
        seed,
        batch,
        next: 0,
    };
    for _ in 0..WARM_COMMITS {
        bench.commit(engine.as_mut())?;
    }
    let before = Both::settled(place)?;
    let encoded_before = engine.encoded_bytes();
    let mut spans = Vec::new();
    for _ in 0..commits {
        spans.push(bench.commit(engine.as_mut())?);
    }
    let at_last_commit = Both::now(place);
    // What an engine leaves to be written later is its cost too.
    let after = Both::settled(place)?;
    let records = batch.saturating_mul(commits);
    let bytes = records.saturating_mul((KEY_BYTES + RECORD_BYTES) as u64);
    let encoded = engine.encoded_bytes().zip(encoded_before);
    let handed = encoded.map_or(bytes, |(to, from)| to.saturating_sub(from));
    let flushes = |of: fn(&Both) -> Option<Counters>| {
        let counted = of(&at_last_commit)?.since(of(&before)?);
        Some(ratio(counted.flushes, commits))
    };
    let amplification = |of: fn(&Both) -> Option<Counters>, bytes| {
        let counted = of(&after)?.since(of(&before)?);
        Some(ratio(counted.sectors.saturating_mul(512), bytes))
    };
    let (paired, bare) = bench.beside_bare(engine.as_mut(), &place.data, commits)?;
    let over = |percent| ratio(percentile(&paired, percent), percentile(&bare, percent));
    println!(
        "{}",
        json!({
            "records_per_s": ratio(records.saturating_mul(1_000_000_000), spans.iter().sum()),
            "flushes": flushes(|both| both.data),
            "amplification": amplification(|both| both.data, handed),
            "of_record": amplification(|both| both.data, bytes),
            "truth_flushes": flushes(|both| both.truth),
            "truth_amplification": amplification(|both| both.truth, handed),
            "truth_of_record": amplification(|both| both.truth, bytes),
            "p50_over_raw": over(50),
            "p99_over_raw": over(99),
        })
    );
    Ok(())
}

/// The counters of both devices.
struct Both {
    data: Option<Counters>,
    truth: Option<Counters>,
}

impl Both {
    fn now(place: &Place) -> Self {
        Self {
            data: Counters::of(&place.data),
            truth: Counters::of(&place.truth),
        }
    }

    /// Once nothing waits to be written.
    fn settled(place: &Place) -> Result<Self, Failed> {
        settle(&place.data)?;
        settle(&place.truth)?;
        Ok(Self::now(place))
    }
}

struct Bench {
    seed: u64,
    batch: u64,
    next: u64,
}

impl Bench {
    /// Commits the next batch; how long that took. The records lie ready before.
    fn commit(&mut self, engine: &mut dyn Engine) -> Result<u64, Failed> {
        let batch = Batch::of(self.seed, self.next, self.batch);
        self.next += self.batch;
        let began = now();
        engine.commit(&batch)?;
        Ok(ns_since(began))
    }

    /// Commits and bare durable writes of as many bytes in turn, on the same device.
    fn beside_bare(
        &mut self,
        engine: &mut dyn Engine,
        folder: &Path,
        commits: u64,
    ) -> Result<(Vec<u64>, Vec<u64>), Failed> {
        let records = usize::try_from(self.batch)?;
        let bare = Bare::new(folder, records * (KEY_BYTES + RECORD_BYTES))?;
        let (mut spans, mut bare_spans) = (Vec::new(), Vec::new());
        for _ in 0..commits {
            spans.push(self.commit(engine)?);
            bare_spans.push(bare.write()?);
        }
        spans.sort_unstable();
        bare_spans.sort_unstable();
        Ok((spans, bare_spans))
    }
}

/// A file for bare durable writes, past the page cache where that goes.
struct Bare {
    file: File,
    buffer: Vec<u8>,
    bytes: usize,
}

impl Bare {
    fn new(folder: &Path, bytes: usize) -> Result<Self, Failed> {
        let bytes = bytes.next_multiple_of(BLOCK_BYTES);
        let path = folder.join("bare");
        std::fs::write(&path, vec![0u8; bytes])?;
        File::open(&path)?.sync_all()?;
        let open = |flags| rustix::fs::open(&path, flags | OFlags::RDWR, Mode::empty());
        let direct = open(media::DATA_SYNC | OFlags::DIRECT);
        Ok(Self {
            file: direct.or_else(|_| open(media::DATA_SYNC))?.into(),
            buffer: vec![0; bytes + BLOCK_BYTES],
            bytes,
        })
    }

    fn write(&self) -> Result<u64, Failed> {
        let start = self.buffer.as_ptr().align_offset(BLOCK_BYTES);
        let aligned = self.buffer.get(start..start + self.bytes);
        let began = now();
        self.file.write_all_at(aligned.unwrap_or_default(), 0)?;
        Ok(ns_since(began))
    }
}

/// Of sorted spans.
fn percentile(spans: &[u64], percent: usize) -> u64 {
    let at = spans.len().saturating_sub(1) * percent / 100;
    spans.get(at).copied().unwrap_or(0)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts far below 2^52 after the division"
)]
fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::{Cost, Written};

    #[test]
    fn the_median_is_taken_of_each_figure() {
        let cost = |records_per_s, flushes_per_commit| Cost {
            records_per_s,
            data: Some(Written {
                flushes_per_commit,
                amplification: 1.5,
                of_record: 1.8,
            }),
            ..Cost::default()
        };
        let median = Cost::median(&[cost(3.0, 1.0), cost(1.0, 9.0), cost(2.0, 2.0)]);
        let data = median.data.unwrap();
        assert_eq!((median.records_per_s, data.flushes_per_commit), (2.0, 2.0));
        assert!(median.truth.is_none());
    }
}
