//! A whole log to damage, and the reading of it that knows what must be there.

use crate::common::{Oracle, SHAPE, SimJournal, create, index, input, open, salt, stamp, step};
use evidence::reasons::TruthClass;
use evidence::{Captured, MonoNs};
use fieldnotary_sim::media::{Device, Image};
use journal::limits::SEGMENT_HEADER_BYTES;
use journal::{Finding, Location, Loss, Reader, Shape};

pub(crate) const SMALL: Shape = Shape {
    segments: 3,
    ..SHAPE
};

/// A log that fills two segments and begins the third.
pub(crate) struct Golden {
    pub(crate) image: Image,
    pub(crate) oracle: Oracle,
    /// Where each frame lies, its bytes, and its first entry.
    pub(crate) frames: Vec<(Location, u64, u64)>,
    /// The truth store as it stood after each frame.
    pub(crate) truths: Vec<Vec<u8>>,
}

pub(crate) fn golden() -> Golden {
    let disk = Device::new(SMALL, TruthClass::SameDeviceSync);
    let mut journal = create(&disk);
    let mut oracle = Oracle::default();
    let mut frames = Vec::new();
    let mut truths = Vec::new();
    let mut n = 0;
    while journal.stats().segments_opened < 3 || frames.len() % 3 != 0 {
        let committed = journal.commit(&step(n), salt(n + 1)).unwrap();
        oracle.note(&committed);
        let bytes = u64::from(committed.frame_bytes);
        truths.push(disk.image().truth);
        frames.push((committed.location, bytes, committed.first.0));
        n += 1;
    }
    journal.into_media();
    Golden {
        image: disk.image(),
        oracle,
        frames,
        truths,
    }
}

impl Golden {
    pub(crate) fn disk(&self) -> Device {
        Device::with_image(SMALL, TruthClass::SameDeviceSync, &self.image)
    }

    /// Whether a byte of a segment says anything about the committed log.
    pub(crate) fn is_committed(&self, segment: usize, at: usize) -> bool {
        at < SEGMENT_HEADER_BYTES
            || self.frames.iter().any(|(location, bytes, _)| {
                let start = index(location.offset);
                location.segment as usize == segment && (start..start + index(*bytes)).contains(&at)
            })
    }
}

/// Reads everything: entries must be those of the oracle, and what is missing must be named.
pub(crate) fn read_all<V: journal::ReadVolume, T: journal::ReadTruth>(
    reader: &Reader<V, T>,
    oracle: &Oracle,
    context: &str,
) -> (Vec<Finding>, Vec<Loss>) {
    let mut next = reader.oldest().0;
    let mut findings = Vec::new();
    let mut losses = Vec::new();
    for item in reader.entries(reader.oldest()) {
        match item {
            Ok(entry) => {
                assert_eq!(entry.commit_id.0, next, "{context}");
                assert!(
                    entry == oracle.entries[index(next)],
                    "{context}: entry {next} is wrong"
                );
                next += 1;
            }
            Err(finding) => {
                if let Finding::Lost(loss) = &finding {
                    assert_eq!(loss.first.0, next, "{context}: {finding}");
                    if let Some(range) = loss.range() {
                        assert_eq!(range, oracle.range(next, loss.end()), "{context}");
                    }
                    next = loss.end();
                    losses.push(loss.clone());
                }
                findings.push(finding);
            }
        }
    }
    assert_eq!(
        next,
        reader.size(),
        "{context}: entries are missing without a word"
    );
    (findings, losses)
}

pub(crate) fn reader(disk: &Device) -> Reader<impl journal::ReadVolume, impl journal::ReadTruth> {
    let input = input();
    Reader::open(disk.volume(), disk.truth(), input.log_id, input.generation).unwrap()
}

pub(crate) fn loss_group(losses: &[Loss]) -> Vec<(evidence::Stamp, Captured)> {
    losses
        .iter()
        .map(|loss| (stamp(), Captured::new(&loss.payload(MonoNs(1)).into())))
        .collect()
}

/// Opens a damaged log, names the losses, goes on, and opens it again.
pub(crate) fn recover_and_go_on(disk: &Device, golden: &Golden, context: &str) -> SimJournal {
    let (mut journal, recovery) = open(disk);
    assert_eq!(journal.size(), golden.oracle.size(), "{context}");
    assert_eq!(journal.root(), golden.oracle.root(), "{context}");
    let mut oracle = golden.oracle.clone();
    if !recovery.losses.is_empty() {
        let named = journal
            .commit(&loss_group(&recovery.losses), salt(900))
            .unwrap();
        oracle.note(&named);
    }
    oracle.note(&journal.commit(&step(77), salt(901)).unwrap());
    {
        let reader = journal.reader().unwrap();
        let (_, losses) = read_all(&reader, &oracle, context);
        if losses.iter().all(|loss| loss.hashes.is_some()) {
            // Where the newest lap had nothing to begin with, the next one was begun, and the oldest is gone.
            let source = reader.proof_source(reader.oldest().0).unwrap();
            assert_eq!(
                source.frontier().unwrap().root(),
                oracle.root(),
                "{context}"
            );
        }
    }
    drop(journal);
    let (journal, again) = open(disk);
    assert!(
        again.losses.is_empty(),
        "{context}: named twice: {:?}",
        again.losses
    );
    assert_eq!(journal.root(), oracle.root(), "{context}");
    journal
}
