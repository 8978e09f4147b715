//! What opening a log costs that was left as a kill leaves it, beside a bare read of one segment.
//!
//! `cargo run --release -p fieldnotary-media --example opening_cost -- DIR [SEGMENTS [SEGMENT_MIB [ENTRIES]]]`
//!
//! The ring has gone round once, and its newest segment is nearly full: the most that an opening reads.

mod common;

use common::{INPUT, now_ns, reading};
use evidence::SaltKey;
use evidence::reasons::TruthClass;
use fieldnotary_media::{Access, FileTruth, FileVolume, TRUTH_FILE};
use journal::{Journal, ReadVolume as _, Shape};
use std::error::Error;
use std::path::{Path, PathBuf};

/// Openings, each followed by a bare read.
const ROUNDS: usize = 15;
/// Bytes of one piece of the bare read.
const BARE_BYTES: usize = 256 << 10;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let usage = "usage: opening_cost DIR [SEGMENTS [SEGMENT_MIB [ENTRIES]]]";
    let directory = PathBuf::from(arguments.next().ok_or(usage)?).join("journal");
    let mut number = |usual: u64| match arguments.next() {
        None => Ok(usual),
        Some(text) => text.to_str().ok_or(usage)?.parse().map_err(|_| usage),
    };
    let shape = Shape {
        segments: u32::try_from(number(8)?)?,
        segment_bytes: number(16)? << 20,
        block_bytes: 4_096,
    };
    let entries = number(20)?;
    FileVolume::provision(&directory, shape, |_| {})?;
    FileTruth::provision(&directory.join(TRUTH_FILE))?;
    let (volume, truth) = media(&directory, shape)?;
    println!("O_DIRECT {}, {shape:?}", volume.direct());
    let mut journal = Journal::create(volume, truth, &INPUT, SaltKey([3; 16]))?;
    let mut seq = 0;
    fill(&mut journal, shape, entries, &mut seq)?;
    println!("{seq} entries, {entries} a frame");
    drop(journal);
    let (mut spans, mut bare, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let began = now_ns();
        let (volume, truth) = media(&directory, shape)?;
        let (journal, recovery) = Journal::open(volume, truth, &INPUT)?;
        spans.push(now_ns() - began);
        bytes = recovery.scan_bytes;
        drop(journal);
        bare.push(read_segment(&directory, shape)?);
    }
    spans.sort_unstable();
    bare.sort_unstable();
    let middle = |of: &[u64]| of.get(ROUNDS / 2).copied().unwrap_or(0) / 1_000;
    let most = |of: &[u64]| of.last().copied().unwrap_or(0) / 1_000;
    println!("opening us: p50 {}, most {}", middle(&spans), most(&spans));
    println!(
        "a segment, bare, us: p50 {}, most {}",
        middle(&bare),
        most(&bare)
    );
    println!(
        "bytes read: {bytes}, {:.3} of a segment",
        bytes as f64 / shape.segment_bytes as f64
    );
    Ok(())
}

fn media(directory: &Path, shape: Shape) -> Result<(FileVolume, FileTruth), Box<dyn Error>> {
    let truth = directory.join(TRUTH_FILE);
    let class = TruthClass::SameDeviceSync;
    Ok((
        FileVolume::open(directory, shape, Access::ReadWrite)?,
        FileTruth::open(&truth, class, Access::ReadWrite)?,
    ))
}

/// Fills the ring once round and its newest segment to nine tenths; the round in large frames, for speed.
fn fill(
    journal: &mut Journal<FileVolume, FileTruth>,
    shape: Shape,
    entries: u64,
    seq: &mut u64,
) -> Result<(), Box<dyn Error>> {
    let mut group = |count: u64| (0..count).map(|_| reading(seq)).collect::<Vec<_>>();
    let round = u64::from(shape.segments);
    while journal.stats().segments_opened < round {
        journal.commit(&group(entries.max(1_000)), SaltKey([4; 16]))?;
    }
    let mut of_lap = 0;
    while of_lap < shape.segment_bytes / 10 * 9 {
        of_lap += u64::from(
            journal
                .commit(&group(entries), SaltKey([4; 16]))?
                .frame_bytes,
        );
    }
    Ok(())
}

/// Reads one segment past the page cache, where the file system has a way.
fn read_segment(directory: &Path, shape: Shape) -> Result<u64, Box<dyn Error>> {
    let volume = FileVolume::open(directory, shape, Access::ReadOnly)?;
    let mut bytes = vec![0; BARE_BYTES];
    let began = now_ns();
    for offset in (0..shape.segment_bytes).step_by(BARE_BYTES) {
        volume.read(0, offset, &mut bytes)?;
    }
    Ok(now_ns() - began)
}
