//! Bytes rot behind the journal's back: what is lost is named, the rest is read, nothing is made up.

use crate::common::{Oracle, SHAPE, SimJournal, create, index, input, open, salt, stamp, step};
use evidence::reasons::TruthClass;
use evidence::{Captured, CommitId, MonoNs};
use fieldnotary_sim::disk::{Image, SECTOR_BYTES, SimDisk, mix, slot_at, table_at};
use journal::limits::{SEGMENT_HEADER_BYTES, TABLE_BYTES, TRUTH_SLOT_BYTES};
use journal::{Finding, Journal, Location, Loss, Reader, Shape, TruthHealth};

const SMALL: Shape = Shape {
    segments: 3,
    ..SHAPE
};

/// A log that fills two segments and begins the third.
struct Golden {
    image: Image,
    oracle: Oracle,
    /// Where each frame lies, its bytes, and its first entry.
    frames: Vec<(Location, u64, u64)>,
}

fn golden() -> Golden {
    let disk = SimDisk::new(SMALL, TruthClass::SameDeviceSync);
    let mut journal = create(&disk);
    let mut oracle = Oracle::default();
    let mut frames = Vec::new();
    let mut n = 0;
    while journal.stats().segments_opened < 3 || frames.len() % 3 != 0 {
        let committed = journal.commit(&step(n), salt(n + 1)).unwrap();
        oracle.note(&committed);
        let bytes = u64::from(committed.frame_bytes);
        frames.push((committed.location, bytes, committed.first.0));
        n += 1;
    }
    journal.into_media();
    Golden {
        image: disk.image(),
        oracle,
        frames,
    }
}

impl Golden {
    fn disk(&self) -> SimDisk {
        SimDisk::with_image(SMALL, TruthClass::SameDeviceSync, self.image.clone())
    }

    /// Whether a byte of a segment says anything about the committed log.
    fn is_committed(&self, segment: usize, at: usize) -> bool {
        at < SEGMENT_HEADER_BYTES
            || self.frames.iter().any(|(location, bytes, _)| {
                let start = index(location.offset);
                location.segment as usize == segment && (start..start + index(*bytes)).contains(&at)
            })
    }
}

/// Reads everything: entries must be those of the oracle, and what is missing must be named.
fn read_all<V: journal::ReadVolume, T: journal::ReadTruth>(
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

fn reader(disk: &SimDisk) -> Reader<impl journal::ReadVolume, impl journal::ReadTruth> {
    let input = input();
    Reader::open(disk.volume(), disk.truth(), input.log_id, input.generation).unwrap()
}

fn rot_every_byte(segment: usize) {
    let golden = golden();
    let disk = golden.disk();
    let (mut lost_frames, mut restored) = (0, 0);
    for at in 0..golden.image.segments[segment].len() {
        let context = format!("segment {segment} byte {at}");
        let flip = 1 << (at % 8);
        disk.rot(|image| image.segments[segment][at] ^= flip);
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
        disk.rot(|image| image.segments[segment][at] ^= flip);
    }
    assert!(
        restored > 200 && lost_frames > 200,
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
//= A5.9
#[test]
fn every_byte_of_the_truth_store_may_rot() {
    let golden = golden();
    let disk = golden.disk();
    let slots = 0..slot_at(1, 1) + TRUTH_SLOT_BYTES;
    let tables = (table_at(0)..table_at(1) + TABLE_BYTES).step_by(101);
    for at in slots.chain(tables) {
        disk.rot(|image| image.truth[at] ^= 0x20);
        let reader = reader(&disk);
        let context = format!("truth byte {at}");
        assert_eq!(reader.size(), golden.oracle.size(), "{context}");
        assert_eq!(reader.root(), golden.oracle.root(), "{context}");
        if at % 7 == 0 {
            assert!(!reader.scrub().findings.is_empty(), "{context}");
        }
        if at < table_at(0) {
            assert_eq!(reader.truth_health().0, TruthHealth::Degraded, "{context}");
        }
        disk.rot(|image| image.truth[at] ^= 0x20);
    }
}

fn loss_group(losses: &[Loss]) -> Vec<(evidence::Stamp, Captured)> {
    losses
        .iter()
        .map(|loss| (stamp(), Captured::new(&loss.payload(MonoNs(1)).into())))
        .collect()
}

/// Opens a damaged log, names the losses, goes on, and opens it again.
fn recover_and_go_on(disk: &SimDisk, golden: &Golden, context: &str) -> SimJournal {
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
            let source = reader.proof_source(0).unwrap();
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

//= A5.4
#[test]
fn a_damaged_log_opens_names_its_losses_once_and_goes_on() {
    let golden = golden();
    for segment in 0..SMALL.segments as usize {
        for at in (0..golden.image.segments[segment].len()).step_by(173) {
            let disk = golden.disk();
            disk.rot(|image| image.segments[segment][at] ^= 0x04);
            recover_and_go_on(&disk, &golden, &format!("segment {segment} byte {at}"));
        }
    }
}

/// The last frame is damaged after it was acknowledged: only the truth store can tell.
//= A5.4
//= A5.9
#[test]
fn a_damaged_last_frame_is_a_loss_and_not_a_torn_tail() {
    let golden = golden();
    let (location, bytes, first) = *golden.frames.last().unwrap();
    let disk = golden.disk();
    let start = index(location.offset);
    disk.rot(|image| {
        image.segments[location.segment as usize][start..start + index(bytes)].fill(0);
    });
    let (journal, recovery) = open(&disk);
    assert_eq!(journal.size(), golden.oracle.size());
    assert_eq!(recovery.dropped_bytes, 0);
    let [loss] = &recovery.losses[..] else {
        panic!("{:?}", recovery.losses)
    };
    assert_eq!((loss.first.0, loss.end()), (first, golden.oracle.size()));
    assert_eq!(
        loss.range().unwrap(),
        golden.oracle.range(first, golden.oracle.size())
    );
    assert!(
        journal
            .reader()
            .unwrap()
            .entry(CommitId(first))
            .unwrap()
            .is_err()
    );
}

/// The newest truth slot and the frame that it speaks of are both gone.
//= A5.4
//= A5.9
#[test]
fn a_lost_slot_and_a_damaged_tail_are_uncertain_and_never_silent() {
    let golden = golden();
    let (location, _, first) = *golden.frames.last().unwrap();
    let newest = (0..2)
        .max_by_key(|slot| {
            let at = slot_at(*slot, 0) + 72;
            golden.image.truth[at..at + 8].to_vec()
        })
        .unwrap();
    let spoil_slot = |disk: &SimDisk| {
        disk.rot(|image| {
            image.truth[slot_at(newest, 0)] ^= 1;
            image.truth[slot_at(newest, 1)] ^= 1;
        });
    };
    // The slot alone: its frame is rolled forward.
    let disk = golden.disk();
    spoil_slot(&disk);
    let (journal, recovery) = open(&disk);
    assert_eq!(recovery.truth, TruthHealth::SlotLost);
    assert_eq!(recovery.uncertain, None);
    assert_eq!(recovery.rolled_forward, golden.oracle.size() - first);
    assert_eq!(journal.root(), golden.oracle.root());
    // Both: nobody can know, and the log says so; the doubtful bytes are not written over.
    let disk = golden.disk();
    spoil_slot(&disk);
    let at = index(location.offset) + 700;
    disk.rot(|image| image.segments[location.segment as usize][at] ^= 1);
    let (journal, recovery) = open(&disk);
    assert_eq!(recovery.uncertain.map(|doubt| doubt.from.0), Some(first));
    drop(journal);
    // A crash before anything was committed does not make the doubt go away.
    let (mut journal, recovery) = open(&disk);
    assert!(recovery.uncertain.is_some());
    let committed = journal.commit(&step(5), salt(5)).unwrap();
    assert!(committed.rolled && committed.first.0 == first);
    drop(journal);
    let (_, recovery) = open(&disk);
    assert_eq!(recovery.uncertain, None);
}

//= A5.4
//= A5.9
#[test]
fn without_a_truth_store_the_ring_is_scanned_and_the_end_is_uncertain() {
    let golden = golden();
    let wipe = |disk: &SimDisk| {
        disk.rot(|image| image.truth[..table_at(0)].fill(0xA5));
    };
    let disk = golden.disk();
    wipe(&disk);
    let (journal, recovery) = open(&disk);
    assert_eq!(recovery.truth, TruthHealth::Lost);
    assert_eq!(recovery.cause, evidence::reasons::EpochCause::TruthLost);
    assert!(recovery.uncertain.is_some());
    assert_eq!(journal.size(), golden.oracle.size());
    assert_eq!(journal.root(), golden.oracle.root());
    drop(journal);
    // With damage in the middle as well.
    for (location, bytes, first) in &golden.frames[1..] {
        let context = format!("no truth, frame of {first} gone");
        let disk = golden.disk();
        wipe(&disk);
        let start = index(location.offset);
        disk.rot(|image| {
            image.segments[location.segment as usize][start..start + index(*bytes)].fill(0);
        });
        let reader = reader(&disk);
        read_all(&reader, &golden.oracle, &context);
        let (mut journal, recovery) = open(&disk);
        assert!(recovery.uncertain.is_some(), "{context}");
        let last = golden.frames.last().unwrap().2;
        let size = if *first == last {
            last
        } else {
            golden.oracle.size()
        };
        assert_eq!(journal.size(), size, "{context}");
        journal.commit(&step(3), salt(3)).unwrap();
        assert_eq!(
            journal.reader().unwrap().truth_health().0,
            TruthHealth::Sound
        );
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
            disk.rot(|image| {
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
            disk.spoil_sector(segment, at);
            let context = format!("unreadable sector {at} of segment {segment}");
            read_all(&reader(&disk), &golden.oracle, &context);
            let (journal, _) = open(&disk);
            assert_eq!(journal.root(), golden.oracle.root(), "{context}");
        }
        let disk = golden.disk();
        disk.rot(|image| image.segments[segment as usize].clear());
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

//= A5.2
#[test]
fn another_log_another_shape_and_no_log_are_refused() {
    use journal::OpenError;
    let golden = golden();
    let disk = golden.disk();
    let mut other = input();
    other.log_id = evidence::LogId([8; 16]);
    assert!(matches!(
        Journal::open(disk.volume(), disk.truth(), &other),
        Err(OpenError::ForeignLog { .. })
    ));
    assert_eq!(
        Journal::create(disk.volume(), disk.truth(), &input(), salt(0)).err(),
        Some(OpenError::Occupied)
    );
    let empty = SimDisk::new(SMALL, TruthClass::SameDeviceSync);
    assert!(matches!(
        Journal::open(empty.volume(), empty.truth(), &input()),
        Err(OpenError::NoLog)
    ));
    // The truth store of another ring.
    let mut image = golden.image.clone();
    image.segments = vec![vec![0; 16_384]; 5];
    let shape = Shape {
        segments: 5,
        ..SMALL
    };
    let disk = SimDisk::with_image(shape, TruthClass::SameDeviceSync, image);
    assert!(matches!(
        Journal::open(disk.volume(), disk.truth(), &input()),
        Err(OpenError::ShapeMismatch)
    ));
}

/// With one flush for log and truth, the end after a crash is said to be uncertain, and never
/// shortened in silence; an orderly stop leaves no doubt.
//= A5.9
#[test]
fn a_deferred_truth_store_never_claims_a_certain_end_after_a_crash() {
    let disk = SimDisk::new(SMALL, TruthClass::SameDeviceDeferred);
    let mut journal = create(&disk);
    for n in 0..4 {
        journal.commit(&step(n), salt(n)).unwrap();
    }
    let old_truth = disk.image().truth;
    for n in 4..7 {
        journal.commit(&step(n), salt(n)).unwrap();
    }
    let size = journal.size();
    drop(journal);
    // The truth store never reached the medium; the frames did.
    disk.rot(|image| image.truth = old_truth);
    let (mut journal, recovery) = open(&disk);
    assert_eq!(journal.size(), size);
    assert!(recovery.rolled_forward > 0 && recovery.uncertain.is_some());
    journal.commit(&step(7), salt(7)).unwrap();
    journal.close().unwrap();
    let (_, recovery) = open(&disk);
    assert_eq!(recovery.uncertain, None);
}

/// An old truth store on newer segments: everything after it is found again, and doubted.
//= A5.4
//= A5.9
#[test]
fn an_old_truth_store_shortens_nothing() {
    let disk = SimDisk::new(SMALL, TruthClass::SameDeviceSync);
    let mut journal = create(&disk);
    let mut oracle = Oracle::default();
    oracle.note(&journal.commit(&step(0), salt(0)).unwrap());
    let old_truth = disk.image().truth;
    let mut n = 1;
    while journal.stats().segments_opened < 3 {
        oracle.note(&journal.commit(&step(n), salt(n)).unwrap());
        n += 1;
    }
    drop(journal);
    disk.rot(|image| image.truth = old_truth);
    let (journal, recovery) = open(&disk);
    assert_eq!(
        (journal.size(), journal.root()),
        (oracle.size(), oracle.root())
    );
    assert!(recovery.uncertain.is_some());
}
