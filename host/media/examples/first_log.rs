//! The journal as a library: a log in a directory of its own, written, left as a crash would leave it,
//! opened again and read. Run it twice: the second time it goes on with the same log.
//!
//! `cargo run -p fieldnotary-media --example first_log -- DIR`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use evidence::kinds::Event;
use evidence::reasons::{EventCode, HoldoverReason, TimeQuality, TimeStatus, TruthClass};
use evidence::{
    BootId, Captured, Generation, LogId, MonoNs, Payload, SaltKey, SourceId, Stamp, TimeDetail,
    UtcNs,
};
use fieldnotary_media::{Access, FileTruth, FileVolume, TRUTH_FILE, WriterLock};
use journal::{Journal, OpenError, OpenInput, Options, Shape};
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
    let directory =
        directory.ok_or("name a directory for the log: a new one, or of an earlier run")?;
    let size = run(&directory)?;
    println!(
        "{size} entries; look at them with: fieldnotary journal inspect {}",
        directory.display()
    );
    Ok(())
}

/// Entries in the log when it was closed.
pub(crate) fn run(directory: &Path) -> Result<u64, Box<dyn Error>> {
    // The files are written from end to end once, and never again grow, shrink or move; what is there is kept.
    FileVolume::provision(directory, SHAPE, |_| {})?;
    FileTruth::provision(&directory.join(TRUTH_FILE))?;
    // The measures are the caller's to keep. A node, and `fieldnotary journal inspect` and `fsck`, read them here.
    let ring = format!(
        "{{\"segment_bytes\":{},\"segments\":{},\"block_bytes\":{}}}",
        SHAPE.segment_bytes, SHAPE.segments, SHAPE.block_bytes
    );
    std::fs::write(directory.join("ring.json"), ring)?;
    // The journal has one writer, and does not look whether it is the only one: this lock does. Readers need none.
    let _only = WriterLock::take(directory)?;

    let mut journal = begin(directory)?;
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

    let (journal, recovery) = {
        let (volume, truth) = media(directory)?;
        Journal::open(volume, truth, &input())?
    };
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
    // Who signs checkpoints says here up to where, once a signature is there; nobody does in this example, and
    // nothing counts as sealed: journal.note_sealed(signed_size).
    // Who delivers says what is stored elsewhere, so that its segments may be taken again; here nobody waits for it
    // (see `input`): journal.note_cosigned(cosigned_size).
    let size = journal.size();
    journal.close()?;
    Ok(size)
}

/// A log is begun once. Over one that is there `create` writes nothing and says `Occupied`: then it is opened, whatever
/// state it was left in.
fn begin(directory: &Path) -> Result<Journal<FileVolume, FileTruth>, Box<dyn Error>> {
    let (volume, truth) = media(directory)?;
    match Journal::create(volume, truth, &input(), SaltKey([3; 16])) {
        Ok(journal) => Ok(journal),
        Err(OpenError::Occupied) => {
            let (volume, truth) = media(directory)?;
            let (journal, recovery) = Journal::open(volume, truth, &input())?;
            println!("a log is here already: {:?}", recovery.cause);
            Ok(journal)
        }
        Err(error) => Err(error.into()),
    }
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
        options: Options {
            // By default the ring keeps what nobody has cosigned: once it is full `commit` refuses with `RingFull`,
            // until `note_cosigned` or `permit_pruning` lets the oldest go. Without a collector they leave as they are.
            retain_uncosigned: false,
            ..Options::default()
        },
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
