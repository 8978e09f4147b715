//! Bytes rot behind the journal's back: what is lost is named, the rest is read, nothing is made up.

use crate::common::{Oracle, blank, create, group, index, open, salt, step};
use crate::golden::{SMALL, golden, read_all, reader, recover_and_go_on};
use fieldnotary_sim::draw::mix;
use fieldnotary_sim::media::{Fault, SECTOR_BYTES, Torn};
use journal::Finding;

/// One byte in so many rots at the desk, and every one at night; it has no factor in common with eight, so that every
/// bit of a byte rots.
const SHARE: usize = 5;

fn rot_every_byte(segment: usize) {
    let share = match std::env::var("FIELDNOTARY_SWEEP_SHARE") {
        Ok(text) => text.parse().expect("FIELDNOTARY_SWEEP_SHARE is a number"),
        Err(_) => SHARE,
    };
    let golden = golden();
    let disk = golden.disk();
    let (mut lost_frames, mut restored) = (0, 0);
    for at in (0..golden.image.segments[segment].len()).step_by(share) {
        let context = format!("segment {segment} byte {at}");
        let flip = 1 << (at % 8);
        disk.change(|image| image.segments[segment][at] ^= flip);
        let reader = reader(&disk);
        assert_eq!(reader.size(), golden.oracle.size());
        let (mut findings, losses) = read_all(&reader, &golden.oracle, &context);
        for loss in &losses {
            assert!(loss.hashes.is_some(), "{context}: the tree is torn");
            assert_eq!(loss.segment as usize, segment, "{context}");
            assert!(loss.offset <= at as u64, "{context}");
        }
        // One frame is the most that one byte can take.
        assert!(losses.len() <= 1, "{context}");
        if let [loss] = &losses[..] {
            let frame = golden
                .frames
                .iter()
                .find(|(_, _, first)| *first == loss.first.0);
            assert!(frame.is_some_and(|(location, _, _)| location.offset == loss.offset));
        }
        lost_frames += losses.len();
        restored += findings
            .iter()
            .filter(|finding| matches!(finding, Finding::FrameRestored { .. }))
            .count();
        if losses.is_empty() && findings.is_empty() {
            findings = reader.scrub().findings;
        }
        assert_eq!(
            !findings.is_empty(),
            golden.is_committed(segment, at),
            "{context}: {findings:?}"
        );
        disk.change(|image| image.segments[segment][at] ^= flip);
    }
    assert!(
        restored > 200 / share && lost_frames > 200 / share,
        "{restored} {lost_frames}"
    );
}

//= A5.4
//= A4.3
#[test]
fn every_byte_of_the_first_segment_may_rot() {
    rot_every_byte(0);
}

//= A5.4
//= A4.3
#[test]
fn every_byte_of_the_second_segment_may_rot() {
    rot_every_byte(1);
}

//= A5.4
//= A4.3
#[test]
fn every_byte_of_the_third_segment_may_rot() {
    rot_every_byte(2);
}

//= A5.4
#[test]
fn a_damaged_log_opens_names_its_losses_once_and_goes_on() {
    let golden = golden();
    for segment in 0..SMALL.segments as usize {
        for at in (0..golden.image.segments[segment].len()).step_by(173) {
            let disk = golden.disk();
            disk.change(|image| image.segments[segment][at] ^= 0x04);
            recover_and_go_on(&disk, &golden, &format!("segment {segment} byte {at}"));
        }
    }
}

/// Frames of every kind of damage at once, drawn from a printed seed.
//= A5.4
#[test]
fn many_faults_at_once_never_lose_silently_and_never_invent() {
    let golden = golden();
    let sectors = golden.image.segments[0].len() / SECTOR_BYTES;
    for seed in 0..3_000u64 {
        let disk = golden.disk();
        let mut draw = seed;
        let mut next = |bound: usize| {
            draw = mix(draw);
            index(draw % bound as u64)
        };
        for _ in 0..1 + seed % 5 {
            let segment = next(golden.image.segments.len());
            let start = next(sectors) * SECTOR_BYTES;
            let (other, from) = (
                next(golden.image.segments.len()),
                next(sectors) * SECTOR_BYTES,
            );
            let byte = start + next(SECTOR_BYTES);
            let kind = next(8);
            disk.change(|image| {
                let source = image.segments[other][from..from + SECTOR_BYTES].to_vec();
                let sector = &mut image.segments[segment][start..start + SECTOR_BYTES];
                match kind {
                    0 => sector.fill(0),
                    1 => sector.fill(0xFF),
                    // A misdirected write.
                    2 | 3 => sector.copy_from_slice(&source),
                    4 => image.segments[segment][start..].fill(0),
                    5 => image.segments[segment].fill(0),
                    _ => image.segments[segment][byte] ^= 0x80,
                }
            });
        }
        let context = format!("seed {seed}");
        read_all(&reader(&disk), &golden.oracle, &context);
        if seed % 5 == 0 {
            recover_and_go_on(&disk, &golden, &context);
        }
    }
}

//= A5.4
#[test]
fn unreadable_sectors_and_missing_segments_are_damage_like_any_other() {
    let golden = golden();
    for segment in 0..SMALL.segments {
        for sector in 0..u64::from(SMALL.block_bytes).max(SMALL.segment_bytes / 512) {
            let at = sector * 512;
            if at >= SMALL.segment_bytes {
                break;
            }
            let disk = golden.disk();
            disk.wear_out(disk.map().segment(segment, at));
            let context = format!("unreadable sector {at} of segment {segment}");
            let (_, losses) = read_all(&reader(&disk), &golden.oracle, &context);
            // Only the frame that the sector lies in: not those before it.
            let here = golden.frames.iter().find(|(location, bytes, _)| {
                location.segment == segment
                    && (location.offset..location.offset + bytes).contains(&at)
            });
            assert_eq!(losses.len(), usize::from(here.is_some()), "{context}");
            for (loss, (_, _, first)) in losses.iter().zip(here) {
                assert_eq!(loss.first.0, *first, "{context}");
            }
            let (journal, _) = open(&disk);
            assert_eq!(journal.root(), golden.oracle.root(), "{context}");
        }
        let disk = golden.disk();
        disk.change(|image| image.segments[segment as usize].clear());
        let context = format!("segment {segment} missing");
        let (_, losses) = read_all(&reader(&disk), &golden.oracle, &context);
        assert!(
            losses
                .iter()
                .all(|loss| { loss.cause == evidence::reasons::LossCause::SegmentMissing }),
            "{context}: {losses:?}"
        );
        assert!(!losses.is_empty(), "{context}");
    }
}

/// Where the header of a lap is gone, a frame that its epoch passed by looks like one of the log: it
/// proves itself or is none, wherever reading begins.
//= A5.4
#[test]
fn a_frame_passed_by_hides_nothing_from_a_reader_that_begins_behind_it() {
    let disk = blank();
    let mut journal = create(&disk);
    let mut oracle = Oracle::default();
    for n in 0..3 {
        oracle.note(&journal.commit(&step(n), salt(n)).unwrap());
    }
    disk.at_command(0, Fault::Refused(Torn::Prefix(1)));
    journal.commit(&group(700, 2, 300), salt(8)).unwrap_err();
    journal.begin_epoch_after_failure(salt(9)).unwrap();
    let first = oracle.size();
    for n in 3..6 {
        oracle.note(&journal.commit(&group(n * 100, 4, 60), salt(n)).unwrap());
    }
    drop(journal);
    disk.change(|image| {
        image.segments[1][40] ^= 1;
        image.segments[1][4_096 + 40] ^= 1;
    });
    let reader = reader(&disk);
    let (_, losses) = read_all(&reader, &oracle, "in the row");
    for id in first..oracle.size() {
        let lost = losses
            .iter()
            .any(|loss| loss.first.0 <= id && id < loss.end());
        let alone = reader.entry(evidence::CommitId(id)).unwrap();
        assert_eq!(alone.is_err(), lost, "entry {id}: {alone:?}");
    }
}

/// A lap whose first frame can be read began there: what ends before that in the lap before it was passed by by no
/// epoch, however many began since.
//= A5.4
//= A4.3
#[test]
fn a_frame_before_the_known_beginning_of_the_next_lap_is_not_taken_for_one_that_was_passed_by() {
    let disk = blank();
    let mut journal = create(&disk);
    let mut oracle = Oracle::default();
    oracle.note(&journal.commit(&step(0), salt(0)).unwrap());
    disk.at_command(0, Fault::Refused(Torn::Nothing));
    journal.commit(&step(70), salt(8)).unwrap_err();
    journal.begin_epoch_after_failure(salt(9)).unwrap();
    // The second lap: a frame of the second epoch, and two of the third.
    let kept = journal.commit(&step(1), salt(1)).unwrap();
    oracle.note(&kept);
    drop(journal);
    let (mut journal, _) = open(&disk);
    let gone = [2, 3].map(|n| journal.commit(&step(n), salt(n)).unwrap());
    gone.iter().for_each(|committed| oracle.note(committed));
    drop(journal);
    let at = index(gone[0].location.offset);
    disk.change(|image| image.segments[1][at..].fill(0));
    // A sector in the header of the third lap, and the failure that begins it.
    disk.wear_out(disk.map().segment(2, 3_584));
    let (mut journal, recovery) = open(&disk);
    assert_eq!(recovery.losses.len(), 2, "{recovery:?}");
    disk.at_command(0, Fault::Refused(Torn::Nothing));
    journal.commit(&step(71), salt(10)).unwrap_err();
    journal.begin_epoch_after_failure(salt(11)).unwrap();
    oracle.note(&journal.commit(&step(4), salt(4)).unwrap());
    drop(journal);
    let reader = reader(&disk);
    let (findings, losses) = read_all(&reader, &oracle, "behind three epochs");
    let lost: Vec<u64> = losses
        .iter()
        .flat_map(|loss| loss.first.0..loss.end())
        .collect();
    let right: Vec<u64> = (gone[0].first.0..gone[1].size).collect();
    assert_eq!(lost, right, "{losses:?}");
    // Nor is it called damaged.
    let header = Finding::SegmentHeaderDamaged { segment: 2, lap: 3 };
    let others = findings
        .iter()
        .filter(|one| !matches!(one, Finding::Lost(_)));
    assert_eq!(others.collect::<Vec<_>>(), [&header]);
    let alone = reader.entry(kept.first).unwrap();
    assert_eq!(alone.as_ref(), Ok(&oracle.entries[index(kept.first.0)]));
}

/// Where neither the header nor the first frame of the next lap is left, the tree may still tell that no epoch passed
/// a frame by: then nothing is wrong with it.
//= A5.4
//= A4.3
#[test]
fn a_sound_frame_that_only_the_tree_proves_is_not_called_damaged() {
    let disk = blank();
    let mut journal = create(&disk);
    let mut oracle = Oracle::default();
    oracle.note(&journal.commit(&step(0), salt(0)).unwrap());
    drop(journal);
    // Two epochs later a write is refused, and the third lap begins.
    for _ in 0..2 {
        drop(open(&disk));
    }
    let (mut journal, _) = open(&disk);
    disk.at_command(0, Fault::Refused(Torn::Nothing));
    journal.commit(&step(70), salt(8)).unwrap_err();
    journal.begin_epoch_after_failure(salt(9)).unwrap();
    let gone = journal.commit(&step(1), salt(1)).unwrap();
    oracle.note(&gone);
    oracle.note(&journal.commit(&step(2), salt(2)).unwrap());
    drop(journal);
    disk.change(|image| {
        let end = index(gone.location.offset) + gone.frame_bytes as usize;
        image.segments[1][..end].fill(0);
    });
    let (findings, losses) = read_all(&reader(&disk), &oracle, "proven by the tree");
    let [loss] = &losses[..] else {
        panic!("{losses:?}")
    };
    assert_eq!((loss.first, loss.end()), (gone.first, gone.size));
    let header = Finding::SegmentHeaderDamaged { segment: 1, lap: 2 };
    let others = findings
        .iter()
        .filter(|one| !matches!(one, Finding::Lost(_)));
    assert_eq!(others.collect::<Vec<_>>(), [&header]);
}
