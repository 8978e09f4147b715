//! The journal as a library: a log in a directory of its own, written, left as a crash would leave it,
//! opened again and read.
//!
//! `cargo run -p fieldnotary-media --example first_log -- DIR`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use evidence::kinds::Event;
use evidence::reasons::{EventCode, HoldoverReason, TimeQuality, TimeStatus, TruthClass};
use evidence::{
    BootId, Captured, Generation, LogId, MonoNs, Payload, SaltKey, SourceId, Stamp, TimeDetail,
    UtcNs,
};
use fieldnotary_media::{Access, FileTruth, FileVolume, TRUTH_FILE};
use journal::{Journal, OpenInput, Options, Shape};
use std::error::Error;
use std::path::{Path, PathBuf};

/// Four segments of 64 KiB: the oldest is taken again when the newest is full.
const SHAPE: Shape = Shape {
    segment_bytes: 64 << 10,
    segments: 4,
    block_bytes: 4_096,
};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1).map(PathBuf::from);
    let directory = directory.ok_or("name a new directory for the log")?;

    // Once: the files are written from end to end, and never again grow, shrink or move.
    FileVolume::provision(&directory, SHAPE, |_| {})?;
    FileTruth::provision(&directory.join(TRUTH_FILE))?;
    let (volume, truth) = media(&directory)?;
    let mut journal = Journal::create(volume, truth, &input(), SaltKey([3; 16]))?;

    // A group is one frame and one flush; when `commit` returns, power may fail.
    for number in 0..3 {
        let committed = journal.commit(&[event(number)?, event(number)?], SaltKey([4; 16]))?;
        println!(
            "committed from {}, root {}",
            committed.first, committed.root
        );
    }
    // No orderly end: this is what a crash leaves.
    drop(journal);

    let (volume, truth) = media(&directory)?;
    let (mut journal, recovery) = Journal::open(volume, truth, &input())?;
    println!(
        "opened: {:?}, {} entries, {} findings",
        recovery.cause,
        journal.size(),
        recovery.findings.len()
    );
    let reader = journal.reader()?;
    for item in reader.entries(reader.oldest()) {
        // What is damaged is named and passed over; reading never fails.
        match item {
            Ok(stored) => println!("{}: {:?}", stored.commit_id, stored.entry()?.header.kind),
            Err(finding) => println!("damage: {finding}"),
        }
    }
    drop(reader);
    journal.note_sealed(journal.size());
    journal.close()?;
    Ok(())
}

fn media(directory: &Path) -> Result<(FileVolume, FileTruth), Box<dyn Error>> {
    let volume = FileVolume::open(directory, SHAPE, Access::ReadWrite)?;
    let class = TruthClass::SameDeviceSync;
    let truth = FileTruth::open(&directory.join(TRUTH_FILE), class, Access::ReadWrite)?;
    Ok((volume, truth))
}

/// Log id, boot id and salt keys are the caller's: random in a program, fixed here.
fn input() -> OpenInput {
    OpenInput {
        log_id: LogId([1; 16]),
        generation: Generation(1),
        boot_id: BootId([2; 16]),
        options: Options::default(),
    }
}

fn event(number: u64) -> Result<(Stamp, Captured), Box<dyn Error>> {
    let payload: Payload = Event::new(
        MonoNs(number),
        EventCode::PortOpened,
        SourceId::new("port-1")?,
    )
    .into();
    let stamp = Stamp {
        timestamp: UtcNs(1_700_000_000_000_000_000),
        quality: TimeQuality::RtcOnly,
        status: TimeStatus::FreeRun,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
    };
    Ok((stamp, Captured::new(&payload)))
}
