//! What a commit costs on a device: flushes, bytes and time, beside a bare durable write of the same size.
//!
//! `cargo run --release -p fieldnotary-media --example commit_cost -- DIR [TRUTH_DIR | deferred]`
//!
//! With `TRUTH_DIR` on another device the truth store is `independent` (a directory in memory stands for an
//! FRAM); with the word `deferred` it lies beside the ring and is flushed now and then. Commits and bare writes
//! take turns. The block layer's own counters are read where the directories lie on a block device (a loop
//! device serves well), the bare writes not among them.

mod common;

use common::{INPUT, now_ns, reading};
use evidence::SaltKey;
use evidence::reasons::TruthClass;
use fieldnotary_media::{Access, DATA_SYNC, FileTruth, FileVolume, TRUTH_FILE};
use journal::{Journal, Shape};
use rustix::fs::OFlags;
use std::error::Error;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

const SHAPE: Shape = Shape {
    segment_bytes: 8 << 20,
    segments: 8,
    block_bytes: 4_096,
};
/// Batch sizes and how many commits of each.
const RUNS: &[(u64, u64)] = &[(1, 400), (64, 400), (1_024, 100)];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let directory = arguments
        .next()
        .ok_or("usage: commit_cost DIR [TRUTH_DIR | deferred]")?
        .join("journal");
    let (class, truth_directory) = match arguments.next() {
        None => (TruthClass::SameDeviceSync, directory.clone()),
        Some(word) if word.as_os_str() == "deferred" => {
            (TruthClass::SameDeviceDeferred, directory.clone())
        }
        Some(other) => (TruthClass::Independent, other),
    };
    let truth_path = truth_directory.join(TRUTH_FILE);
    FileVolume::provision(&directory, SHAPE, |_| {})?;
    FileTruth::provision(&truth_path)?;
    let volume = FileVolume::open(&directory, SHAPE, Access::ReadWrite)?;
    let truth = FileTruth::open(&truth_path, class, Access::ReadWrite)?;
    println!("truth store {class}, O_DIRECT {}", volume.direct());
    let mut journal = Journal::create(volume, truth, &INPUT, SaltKey([3; 16]))?;
    let mut bench = Bench {
        raw: Raw::new(&directory)?,
        directory,
        truth_path,
        independent: class == TruthClass::Independent,
        seq: 0,
    };
    println!(
        "{:>6} {:>8} {:>10} {:>10} {:>12} {:>12} {:>8} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8}",
        "batch",
        "commits",
        "volume",
        "truth",
        "dev volume",
        "dev truth",
        "WA",
        "p50 us",
        "p99 us",
        "raw p50",
        "raw p99",
        "p50/raw",
        "p99/raw"
    );
    for (batch, commits) in RUNS {
        bench.run(&mut journal, *batch, *commits)?;
    }
    Ok(())
}

/// What stays the same from run to run.
struct Bench {
    raw: Raw,
    directory: PathBuf,
    truth_path: PathBuf,
    independent: bool,
    seq: u64,
}

impl Bench {
    fn run(
        &mut self,
        journal: &mut Journal<FileVolume, FileTruth>,
        batch: u64,
        commits: u64,
    ) -> Result<(), Box<dyn Error>> {
        let devices = |bench: &Self| (device(&bench.directory), device(&bench.truth_path));
        let before = journal.stats();
        let mut written = (Device::default(), Device::default());
        let mut counted = (true, true);
        let (mut spans, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..commits {
            let group: Vec<_> = (0..batch).map(|_| reading(&mut self.seq)).collect();
            let from = devices(self);
            let began = now_ns();
            let frame_bytes = journal.commit(&group, SaltKey([4; 16]))?.frame_bytes;
            spans.push(now_ns() - began);
            let to = devices(self);
            counted.0 &= written.0.add(from.0, to.0);
            counted.1 &= written.1.add(from.1, to.1);
            // A bare durable write of as many bytes, in turn.
            bare.push(self.raw.write(frame_bytes as usize)?);
        }
        let after = journal.stats();
        let flushes = |of: Device, counted: bool| match counted {
            true => format!("{:.2}", ratio(of.flushes, commits)),
            false => "-".to_owned(),
        };
        let payload = after.payload_bytes - before.payload_bytes;
        let bytes = match counted.0 {
            true => written.0.sectors * 512,
            false => after.frame_bytes - before.frame_bytes,
        };
        let truth = match self.independent {
            true => flushes(written.1, counted.1),
            false => "same".to_owned(),
        };
        let (p50, p99) = (percentile(&mut spans, 50), percentile(&mut spans, 99));
        let (raw_p50, raw_p99) = (percentile(&mut bare, 50), percentile(&mut bare, 99));
        println!(
            "{batch:>6} {commits:>8} {:>10.2} {:>10.2} {:>12} {truth:>12} {:>8.2} {:>9} {:>9} {:>9} {:>9} {:>8.2} {:>8.2}",
            ratio(after.volume_flushes - before.volume_flushes, commits),
            ratio(after.truth_flushes - before.truth_flushes, commits),
            flushes(written.0, counted.0),
            ratio(bytes, payload),
            p50 / 1_000,
            p99 / 1_000,
            raw_p50 / 1_000,
            raw_p99 / 1_000,
            ratio(p50, raw_p50),
            ratio(p99, raw_p99),
        );
        Ok(())
    }
}

/// The block layer's counters of the device that a path lies on.
#[derive(Clone, Copy, Default)]
struct Device {
    sectors: u64,
    flushes: u64,
}

impl Device {
    /// Adds what was counted between two looks; whether both saw a device.
    fn add(&mut self, from: Option<Self>, to: Option<Self>) -> bool {
        let Some((from, to)) = from.zip(to) else {
            return false;
        };
        self.sectors += to.sectors - from.sectors;
        self.flushes += to.flushes - from.flushes;
        true
    }
}

fn device(path: &Path) -> Option<Device> {
    let dev = std::fs::metadata(path).ok()?.dev();
    let (major, minor) = (rustix::fs::major(dev), rustix::fs::minor(dev));
    let stat = std::fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat")).ok()?;
    let fields: Vec<u64> = stat
        .split_whitespace()
        .filter_map(|n| n.parse().ok())
        .collect();
    Some(Device {
        sectors: *fields.get(6)?,
        flushes: *fields.get(15)?,
    })
}

/// A zero-filled file for bare durable writes.
struct Raw {
    file: std::fs::File,
    buffer: Vec<u8>,
}

impl Raw {
    fn new(directory: &Path) -> Result<Self, Box<dyn Error>> {
        let path = directory.join("raw");
        std::fs::write(&path, vec![0u8; 1 << 20])?;
        std::fs::File::open(&path)?.sync_all()?;
        let flags = OFlags::RDWR | DATA_SYNC | OFlags::DIRECT;
        let file = rustix::fs::open(&path, flags, rustix::fs::Mode::empty())?.into();
        Ok(Self {
            file,
            buffer: vec![0; (1 << 20) + 4_096],
        })
    }

    fn write(&self, bytes: usize) -> Result<u64, Box<dyn Error>> {
        let start = self.buffer.as_ptr().align_offset(4_096);
        let aligned = self
            .buffer
            .get(start..start + bytes)
            .ok_or("a frame larger than 1 MiB")?;
        let began = now_ns();
        self.file.write_all_at(aligned, 0)?;
        Ok(now_ns() - began)
    }
}

fn percentile(spans: &mut [u64], percent: usize) -> u64 {
    spans.sort_unstable();
    spans
        .get((spans.len().saturating_sub(1)) * percent / 100)
        .copied()
        .unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / (b.max(1)) as f64
}
