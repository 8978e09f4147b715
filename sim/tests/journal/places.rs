//! Segments that are not where they belong, are cut, or are not there: what a reader reads, and what a writer does.

use crate::common::{SHAPE, create, group, index, input, open, salt, step};
use crate::golden::read_all;
use evidence::reasons::TruthClass;
use evidence::{Captured, MonoNs};
use fieldnotary_sim::media::{Device, Image, Target};
use journal::limits::SEGMENT_HEADER_BYTES;
use journal::{Finding, Journal, OpenError, Reader, Recovery};

const SEGMENTS: usize = SHAPE.segments as usize;

/// A ring that has gone round, and everything that was ever committed to it.
fn gone_round() -> (Image, crate::common::Oracle) {
    let disk = Device::new(SHAPE, TruthClass::SameDeviceSync);
    let mut journal = create(&disk);
    let mut oracle = crate::common::Oracle::default();
    let mut n = 0;
    while journal.stats().segments_opened < 6 {
        oracle.note(&journal.commit(&step(n), salt(n + 1)).unwrap());
        n += 1;
    }
    journal.close().unwrap();
    (disk.image(), oracle)
}

fn disk_of(image: &Image) -> Device {
    Device::with_image(SHAPE, TruthClass::SameDeviceSync, image)
}

fn reader(
    disk: &Device,
) -> Reader<fieldnotary_sim::media::DeviceVolume, fieldnotary_sim::media::DeviceTruth> {
    let input = input();
    Reader::open(disk.volume(), disk.truth(), input.log_id, input.generation).unwrap()
}

fn refused(disk: &Device) -> Option<OpenError> {
    Journal::open(disk.volume(), disk.truth(), &input()).err()
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap()
}

/// Exchanged files cost a reader nothing, and stop a writer before it has written a byte: it would name lost
/// what lies in the wrong place, and write over it.
//= A5.4
#[test]
fn exchanged_segments_are_read_whole_and_never_written_over() {
    let (image, oracle) = gone_round();
    for one in 0..SEGMENTS {
        for other in one + 1..SEGMENTS {
            let context = format!("segments {one} and {other}");
            let mut harmed = image.clone();
            harmed.segments.swap(one, other);
            let disk = disk_of(&harmed);
            let reader = reader(&disk);
            let (found, losses) = read_all(&reader, &oracle, &context);
            assert!(found.is_empty() && losses.is_empty(), "{context}");
            let (lies, belongs) = (number(one), number(other));
            let both = [(lies, belongs), (belongs, lies)]
                .map(|(lies, belongs)| Finding::SegmentDisplaced { lies, belongs });
            assert_eq!(reader.scrub().findings, both, "{context}");
            let frames = reader.frame_reader();
            let oldest = reader.locate(reader.oldest()).unwrap();
            assert!(frames.find(oldest).is_some(), "{context}");
            let error = Some(OpenError::Displaced { lies, belongs });
            assert_eq!(refused(&disk), error, "{context}");
            assert!(disk.image() == harmed, "{context}: it was written to");
            let put_back = disk_of(&image);
            assert_eq!(open(&put_back).1.losses, [], "{context}");
        }
    }
}

/// A file under another's name, and none under its own: that other one is gone, and no more.
//= A5.4
#[test]
fn a_segment_that_was_moved_over_another_costs_only_that_other() {
    let (image, oracle) = gone_round();
    for from in 0..SEGMENTS {
        let to = (from + 1) % SEGMENTS;
        let context = format!("segment {from} in the place of {to}");
        let mut harmed = image.clone();
        harmed.segments[to] = core::mem::replace(&mut harmed.segments[from], vec![0; 16_384]);
        let disk = disk_of(&harmed);
        let (_, losses) = read_all(&reader(&disk), &oracle, &context);
        assert!(!losses.is_empty(), "{context}");
        let there = losses.iter().all(|loss| loss.segment == number(to));
        assert!(there, "{context}: {losses:?}");
        let (lies, belongs) = (number(to), number(from));
        let error = Some(OpenError::Displaced { lies, belongs });
        assert_eq!(refused(&disk), error, "{context}");
        // Copied and not moved, it hides nothing: what it lies over is lost, as with any damage.
        harmed.segments[from].clone_from(&image.segments[from]);
        let disk = disk_of(&harmed);
        let (_, copied) = read_all(&reader(&disk), &oracle, &context);
        assert_eq!(copied.len(), losses.len(), "{context}");
        assert_eq!(refused(&disk), None, "{context}");
    }
}

/// A header that a device wrote into another segment is no segment: the frames there are of their own place.
//= A5.4
#[test]
fn a_header_that_went_astray_moves_nothing() {
    let (image, oracle) = gone_round();
    for gone in [false, true] {
        let mut harmed = image.clone();
        let header = image.segments[1][..SEGMENT_HEADER_BYTES].to_vec();
        harmed.segments[2][..SEGMENT_HEADER_BYTES].copy_from_slice(&header);
        if gone {
            harmed.segments[1][..SEGMENT_HEADER_BYTES].fill(0);
        }
        let disk = disk_of(&harmed);
        let reader = reader(&disk);
        let (_, losses) = read_all(&reader, &oracle, "astray");
        assert!(losses.is_empty() && reader.displaced().is_empty(), "{gone}");
        assert_eq!(refused(&disk), None, "{gone}");
    }
}

/// The entries that name the losses that an opening found.
fn naming(recovery: &Recovery) -> Vec<(evidence::Stamp, Captured)> {
    let losses = recovery.losses.iter();
    losses
        .map(|loss| {
            let payload = loss.payload(MonoNs(1)).into();
            (crate::common::stamp(), Captured::new(&payload))
        })
        .collect()
}

/// The newest segment is gone, and nothing but its frames is lost: not the last one before it either, however
/// often the node is started since.
//= A5.4
#[test]
fn a_start_without_the_newest_segment_costs_no_other_entry() {
    for segments_opened in [2, 3, 5] {
        let disk = Device::new(SHAPE, TruthClass::SameDeviceSync);
        let mut journal = create(&disk);
        let mut n = 0;
        let mut begun = 0;
        while journal.stats().segments_opened < segments_opened || journal.size() < begun + 6 {
            let opened = journal.stats().segments_opened;
            let committed = journal.commit(&step(n), salt(n + 1)).unwrap();
            if journal.stats().segments_opened > opened {
                begun = committed.first.0;
            }
            n += 1;
        }
        let newest = SHAPE.segment_of(segments_opened);
        journal.close().unwrap();
        disk.cut(Target::Segment(newest), 0);
        for start in 0..4 {
            let context = format!("{segments_opened} segments, start {start}");
            let (mut journal, recovery) = open(&disk);
            if start == 0 {
                let lost: u64 = recovery.losses.iter().map(|loss| loss.count).sum();
                assert_eq!(recovery.losses[0].first.0, begun, "{context}");
                assert_eq!(lost, journal.size() - begun, "{context}");
            } else {
                assert_eq!(recovery.losses, [], "{context}");
            }
            let mut entries = naming(&recovery);
            entries.extend(group(9_000 + start, 1, 50));
            // As a node does whose medium refuses a place.
            while journal.commit(&entries, salt(5_000 + start)).is_err() {
                journal
                    .begin_epoch_after_failure(salt(6_000 + start))
                    .unwrap();
            }
            drop(journal.into_media());
            let reader = reader(&disk);
            let last_before = reader.entry(evidence::CommitId(begun - 1)).unwrap();
            assert!(last_before.is_ok(), "{context}: {last_before:?}");
            assert_eq!(reader.scrub().unnamed, [], "{context}");
            assert!(index(reader.size()) > index(begun), "{context}");
        }
    }
}
