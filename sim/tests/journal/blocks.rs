//! Frames in the middle of a segment are damaged, in blocks of every size: what stands behind them is found again.

use crate::common::{Oracle, create, group, index, input, salt};
use crate::golden::{read_all, reader};
use evidence::reasons::{EpochCause, TruthClass};
use fieldnotary_sim::media::{Device, Image};
use journal::{Finding, Journal, Shape};

/// Frames, and which of them are damaged: two neighbours, as nothing tells where the second begins.
const FRAMES: u64 = 24;
const DAMAGED: std::ops::Range<usize> = 7..9;
/// Entries of a frame: with them some have many blocks of the largest size, and some one of the smallest.
const ENTRIES: u64 = 3;

struct Written {
    shape: Shape,
    oracle: Oracle,
    image: Image,
    lost: std::ops::Range<u64>,
}

fn written(block_bytes: u32) -> Written {
    let shape = Shape {
        segment_bytes: 4 << 20,
        segments: 2,
        block_bytes,
    };
    let disk = Device::new(shape, TruthClass::SameDeviceSync);
    let mut journal = create(&disk);
    let mut oracle = Oracle::default();
    let mut places = Vec::new();
    for number in 0..FRAMES {
        let entries = group(number * 100, ENTRIES, 10 + index(number % 6) * 9_000);
        let committed = journal.commit(&entries, salt(number + 1)).unwrap();
        oracle.note(&committed);
        assert_eq!(committed.location.segment, 0);
        places.push((
            index(committed.location.offset),
            index(committed.frame_bytes.into()),
        ));
    }
    journal.into_media();
    let mut image = disk.image();
    for (at, bytes) in &places[DAMAGED] {
        image.segments[0][*at..at + bytes].fill(0xA5);
    }
    let first = DAMAGED.start as u64 * ENTRIES;
    Written {
        shape,
        oracle,
        image,
        lost: first..DAMAGED.end as u64 * ENTRIES,
    }
}

//= A5.4
#[test]
fn only_what_was_damaged_is_lost_whatever_the_size_of_a_block() {
    for block_bytes in [512, 1_024, 4_096, 8_192, 16_384, 65_536] {
        let written = written(block_bytes);
        let context = format!("blocks of {block_bytes}");
        let class = TruthClass::SameDeviceSync;
        let disk = Device::with_image(written.shape, class, &written.image);
        let (_, losses) = read_all(&reader(&disk), &written.oracle, &context);
        // Of two neighbours one is told as a group without hashes.
        let (first, last) = (losses.first().unwrap(), losses.last().unwrap());
        assert_eq!(
            first.first.0..last.end(),
            written.lost,
            "{context}: {losses:?}"
        );

        // The same log without its truth store is found from its ring alone, to its end.
        let mut image = written.image.clone();
        image.truth.fill(0);
        let disk = Device::with_image(written.shape, class, &image);
        let opened = Journal::open(disk.volume(), disk.truth(), &input());
        let (journal, recovery) = opened.unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!(recovery.cause, EpochCause::TruthLost, "{context}");
        assert_eq!(journal.size(), written.oracle.size(), "{context}");
        let lost = recovery
            .findings
            .iter()
            .any(|one| matches!(one, Finding::Lost(_)));
        assert!(
            lost || !recovery.losses.is_empty(),
            "{context}: {:?}",
            recovery.findings
        );
    }
}
