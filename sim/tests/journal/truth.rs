//! The truth store rots, is lost, or is older than the ring: the end is found or said to be uncertain.

use crate::common::{Oracle, SHAPE, blank, create, group, index, input, open, salt, step};
use crate::golden::{SMALL, golden, read_all, reader};
use evidence::CommitId;
use evidence::reasons::TruthClass;
use fieldnotary_sim::draw::mix;
use fieldnotary_sim::media::{Device, Fault, SECTOR_BYTES, Torn, slot_at, table_at};
use journal::limits::{DEFERRED_COMMITS_MAX, TABLE_BYTES, TRUTH_SLOT_BYTES};
use journal::{Finding, Journal, TruthHealth};

//= A5.4
//= A5.9
#[test]
fn every_byte_of_the_truth_store_may_rot() {
    let golden = golden();
    let disk = golden.disk();
    let slots = 0..slot_at(1, 1) + TRUTH_SLOT_BYTES;
    let tables = (table_at(0)..table_at(1) + TABLE_BYTES).step_by(101);
    for at in slots.chain(tables) {
        disk.change(|image| image.truth[at] ^= 0x20);
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
        disk.change(|image| image.truth[at] ^= 0x20);
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
    disk.change(|image| {
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
    let spoil_slot = |disk: &Device| {
        disk.change(|image| {
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
    disk.change(|image| image.segments[location.segment as usize][at] ^= 1);
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
    let wipe = |disk: &Device| {
        disk.change(|image| image.truth[..table_at(0)].fill(0xA5));
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
        disk.change(|image| {
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

/// With one flush for log and truth, the end after a crash is said to be uncertain, and never
/// shortened in silence; an orderly stop leaves no doubt.
//= A5.9
#[test]
fn a_deferred_truth_store_never_claims_a_certain_end_after_a_crash() {
    let disk = Device::new(SMALL, TruthClass::SameDeviceDeferred);
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
    disk.change(|image| image.truth = old_truth);
    let (mut journal, recovery) = open(&disk);
    assert_eq!(journal.size(), size);
    assert!(recovery.rolled_forward > 0 && recovery.uncertain.is_some());
    journal.commit(&step(7), salt(7)).unwrap();
    journal.close().unwrap();
    let (_, recovery) = open(&disk);
    assert_eq!(recovery.uncertain, None);
}

/// One flush for each commit; and whatever of the slot that was never flushed reaches the medium, the
/// other one is whole, so that every acknowledged entry is found.
//= A5.9
#[test]
fn a_deferred_truth_store_costs_one_flush_a_commit_and_keeps_a_sound_slot() {
    let disk = Device::new(SHAPE, TruthClass::SameDeviceDeferred);
    let mut journal = create(&disk);
    let mut oracle = Oracle::default();
    let mut flushed = disk.image().truth;
    let mut flushes = journal.stats().truth_flushes;
    for n in 0..u64::from(DEFERRED_COMMITS_MAX) + 3 {
        oracle.note(&journal.commit(&group(n, 1, 8), salt(n)).unwrap());
        let image = disk.image();
        if journal.stats().truth_flushes > flushes {
            flushes = journal.stats().truth_flushes;
            flushed = image.truth;
            continue;
        }
        for seed in 0..4 {
            let mut crashed = image.clone();
            for at in (0..table_at(0)).step_by(SECTOR_BYTES) {
                if mix(seed ^ mix(at as u64)) & 1 == 1 {
                    let sector = at..at + SECTOR_BYTES;
                    crashed.truth[sector.clone()].copy_from_slice(&flushed[sector]);
                }
            }
            let crashed = Device::with_image(SHAPE, TruthClass::SameDeviceDeferred, &crashed);
            let scrub = reader(&crashed).scrub();
            let accused = |finding: &Finding| matches!(finding, Finding::TruthBehind { .. });
            assert!(
                !scrub.findings.iter().any(accused),
                "commit {n}, seed {seed}"
            );
            let (journal, recovery) = open(&crashed);
            assert_ne!(recovery.truth, TruthHealth::Lost, "commit {n}, seed {seed}");
            assert_eq!(journal.root(), oracle.root(), "commit {n}, seed {seed}");
        }
    }
    let stats = journal.stats();
    // Two tables, and both copies of two states.
    let created = 6;
    // A segment is opened behind a flushed state, here sooner than the commits would ask for one.
    let opened = 2 * (stats.segments_opened - 1);
    assert_eq!(stats.truth_flushes, created + opened, "{stats:?}");
    assert_eq!(stats.volume_flushes, stats.commits + stats.segments_opened);
}

/// One crash tore the slot that was never flushed, the next one a copy of the other in the opening: power
/// fails again at every write of the next opening, and the only sound copy outlives that.
//= A5.4
//= A5.9
#[test]
fn an_opening_never_tears_the_only_sound_slot_of_a_deferred_truth_store() {
    let class = TruthClass::SameDeviceDeferred;
    let disk = Device::new(SHAPE, class);
    let mut journal = create(&disk);
    let mut oracle = Oracle::default();
    for n in 0..3 {
        oracle.note(&journal.commit(&step(n), salt(n)).unwrap());
    }
    drop(journal);
    // The newest slot is the torn one or, where all of the cache was written back, the other.
    for (torn_slot, torn_copy) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let mut image = disk.image();
        image.truth[slot_at(1 - torn_slot, torn_copy)] ^= 1;
        image.truth[slot_at(torn_slot, 0)] ^= 1;
        image.truth[slot_at(torn_slot, 1)] ^= 1;
        for at in 0.. {
            let mut cut = false;
            for torn in [Torn::Hole(0), Torn::Prefix(1), Torn::Random(7)] {
                let disk = Device::with_image(SHAPE, class, &image);
                disk.at_command(at, Fault::PowerCut(torn));
                let opened = Journal::open(disk.volume(), disk.truth(), &input());
                cut |= opened.is_err();
                drop(opened);
                disk.power_on();
                let (journal, recovery) = open(&disk);
                let context =
                    format!("slot {torn_slot}, copy {torn_copy}, write {at} torn as {torn:?}");
                assert_ne!(recovery.truth, TruthHealth::Lost, "{context}");
                assert_eq!(journal.root(), oracle.root(), "{context}");
            }
            if !cut {
                break;
            }
        }
    }
}

/// A log that has opened so many segments, under the truth store as it stood after the first commit.
fn behind_an_old_truth(segments_opened: u64) -> (Device, Oracle) {
    let disk = Device::new(SMALL, TruthClass::SameDeviceSync);
    let mut journal = create(&disk);
    let mut oracle = Oracle::default();
    oracle.note(&journal.commit(&step(0), salt(0)).unwrap());
    let old_truth = disk.image().truth;
    for n in 1.. {
        let opened = journal.stats().segments_opened >= segments_opened;
        oracle.note(&journal.commit(&step(n), salt(n)).unwrap());
        if opened {
            break;
        }
    }
    drop(journal);
    disk.change(|image| image.truth = old_truth);
    (disk, oracle)
}

/// An old truth store on newer segments: everything after it is found again, and doubted.
//= A5.4
//= A5.9
#[test]
fn an_old_truth_store_shortens_nothing() {
    let (disk, oracle) = behind_an_old_truth(3);
    let (journal, recovery) = open(&disk);
    assert_eq!(
        (journal.size(), journal.root()),
        (oracle.size(), oracle.root())
    );
    assert!(recovery.uncertain.is_some());
}

/// A truth store that is older than a round of the ring: what it knew has been written over, and the
/// log still ends where its newest frames say.
//= A5.4
//= A5.9
#[test]
fn a_truth_store_older_than_the_ring_ends_nothing() {
    let (disk, mut oracle) = behind_an_old_truth(6);
    let behind = |finding: &Finding| matches!(finding, Finding::TruthBehind { .. });
    assert!(reader(&disk).scrub().findings.iter().any(behind));
    let (mut journal, recovery) = open(&disk);
    assert!(recovery.uncertain.is_some(), "{recovery:?}");
    assert!(recovery.findings.iter().any(behind), "{recovery:?}");
    assert!(recovery.losses.is_empty(), "{:?}", recovery.losses);
    assert_eq!(
        (journal.size(), journal.root()),
        (oracle.size(), oracle.root())
    );
    // The new state outranks the old one.
    oracle.note(&journal.commit(&step(90), salt(90)).unwrap());
    drop(journal);
    assert_eq!(open(&disk).0.root(), oracle.root());
}

/// The newest slot is lost, and with it the header of the lap that its frame had begun.
//= A5.4
#[test]
fn the_first_frame_of_a_lap_is_rolled_forward_without_its_header() {
    let disk = Device::new(SMALL, TruthClass::SameDeviceSync);
    let mut journal = create(&disk);
    let mut oracle = Oracle::default();
    for n in 0.. {
        let before = disk.image().truth;
        let committed = journal.commit(&step(n), salt(n)).unwrap();
        oracle.note(&committed);
        if committed.rolled {
            disk.change(|image| {
                image.truth = before;
                image.segments[committed.location.segment as usize][100] ^= 1;
            });
            break;
        }
    }
    drop(journal);
    let (journal, recovery) = open(&disk);
    assert_eq!(journal.root(), oracle.root());
    assert!(recovery.losses.is_empty() && recovery.rolled_forward > 0);
}

/// The first state that a log ever had, put back alone, is no log that was just begun where its ring went on.
//= A5.4
//= A5.9
#[test]
fn an_old_first_state_alone_in_the_store_hides_no_lost_slot() {
    for commits in [0, 1, 40] {
        let disk = blank();
        let mut journal = create(&disk);
        let begun = disk.image().truth;
        for n in 0..commits {
            journal.commit(&step(n), salt(n + 1)).unwrap();
        }
        drop(journal);
        for (slot, copy) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            disk.change(|image| {
                image.truth[..table_at(0)].fill(0);
                let at = slot_at(slot, copy);
                let first = &begun[slot_at(0, 0)..][..TRUTH_SLOT_BYTES];
                image.truth[at..at + TRUTH_SLOT_BYTES].copy_from_slice(first);
            });
            let reader = reader(&disk);
            let context = format!("{commits} commits, slot {slot} copy {copy}");
            let (health, findings) = reader.truth_health();
            let other = |copy| Finding::TruthCopyDamaged {
                slot: 1 - slot,
                copy,
            };
            let named = findings.contains(&other(0)) && findings.contains(&other(1));
            let right = match commits {
                0 => TruthHealth::Degraded,
                _ => TruthHealth::SlotLost,
            };
            assert_eq!((health, named), (right, commits > 0), "{context}");
        }
    }
}
