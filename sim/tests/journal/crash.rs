//! Power fails at every single device write, and again while the node recovers.

use crate::common::{
    Oracle, SimJournal, blank, check_whole, create, input, is_group, open, salt, step,
};
use evidence::CommitId;
use evidence::reasons::{EpochCause, TruthClass};
use fieldnotary_sim::media::{Device, Fault, Image, Target, Torn, slot_at};
use journal::{Journal, Leases, Recovery, TruthHealth};

const COMMITS: u64 = 40;

const PATTERNS: [Torn; 9] = [
    Torn::Nothing,
    Torn::Everything,
    Torn::Prefix(1),
    Torn::Prefix(3),
    Torn::Suffix(1),
    Torn::Hole(1),
    Torn::Random(1),
    Torn::Random(2),
    Torn::Random(3),
];

/// Commits step by step until power fails; the step that was under way then is left in `oracle`'s
/// hands by its number.
fn work(
    journal: &mut SimJournal,
    oracle: &mut Oracle,
    steps: core::ops::Range<u64>,
) -> Option<u64> {
    for n in steps {
        if n % 8 == 3 {
            journal.note_sealed(oracle.size());
            journal.note_cosigned(oracle.size());
            if journal.store_leases(Leases::default()).is_err() {
                return Some(n);
            }
        }
        match journal.commit(&step(n), salt(n + 1)) {
            Ok(committed) => oracle.note(&committed),
            Err(_) => return Some(n),
        }
    }
    None
}

/// What recovery may say after a power cut, and what must be in the log.
fn settle(
    journal: &SimJournal,
    recovery: &Recovery,
    oracle: &mut Oracle,
    under_way: u64,
    context: &str,
) {
    assert!(
        recovery.losses.is_empty(),
        "{context}: {:?}",
        recovery.losses
    );
    let group = step(under_way);
    let forward: Vec<_> = journal
        .reader()
        .unwrap()
        .entries(CommitId(oracle.size()))
        .map(Result::unwrap)
        .collect();
    // Durable and not acknowledged: the whole group or nothing of it.
    if forward.is_empty() {
        assert_eq!(recovery.rolled_forward, 0, "{context}");
    } else {
        assert!(
            is_group(&forward, &group),
            "{context}: something was invented"
        );
        oracle.extend(forward);
    }
    // A slot of which neither copy survived has a frame that tells what it said.
    assert_eq!(recovery.uncertain, None, "{context}");
    if recovery.truth == TruthHealth::SlotLost {
        assert!(recovery.rolled_forward > 0, "{context}");
    }
    check_whole(journal, oracle, context);
}

fn golden() -> (Image, usize) {
    let disk = blank();
    let mut journal = create(&disk);
    let image = disk.image();
    let before = disk.commands();
    assert_eq!(work(&mut journal, &mut Oracle::default(), 0..COMMITS), None);
    assert!(journal.oldest().0 > 0, "the ring must have been reused");
    let writes = disk.commands() - before;
    journal.close().unwrap();
    (image, writes)
}

fn disk_with(image: &Image) -> Device {
    Device::with_image(crate::common::SHAPE, TruthClass::SameDeviceSync, image)
}

//= A5.1
//= A5.2
//= A5.4
#[test]
fn power_fails_at_every_write() {
    let (image, writes) = golden();
    let mut seen = (0, 0, 0);
    for at in 0..writes {
        for torn in PATTERNS {
            let context = format!("write {at} torn as {torn:?}");
            let disk = disk_with(&image);
            let (mut journal, _) = open(&disk);
            disk.at_command(at, Fault::PowerCut(torn));
            let mut oracle = Oracle::default();
            let under_way = work(&mut journal, &mut oracle, 0..COMMITS).expect("power fails");
            drop(journal);
            disk.power_on();
            let (mut journal, recovery) = open(&disk);
            assert_eq!(recovery.cause, EpochCause::Recovery);
            settle(&journal, &recovery, &mut oracle, under_way, &context);
            seen.0 += u64::from(recovery.rolled_forward > 0);
            seen.1 += u64::from(recovery.dropped_bytes > 0);
            seen.2 += u64::from(recovery.uncertain.is_some());
            // Life goes on.
            assert_eq!(work(&mut journal, &mut oracle, 100..106), None, "{context}");
            check_whole(&journal, &oracle, &context);
            journal.close().unwrap();
            let (journal, recovery) = open(&disk);
            assert_eq!(recovery.cause, EpochCause::OrderlyStart, "{context}");
            check_whole(&journal, &oracle, &context);
            let scrub = journal.reader().unwrap().scrub();
            assert!(scrub.findings.is_empty(), "{context}: {:?}", scrub.findings);
        }
    }
    // The patterns reach every outcome; doubt is the rare exception.
    assert!(seen.0 > 100 && seen.1 > 30 && seen.2 < 40, "{seen:?}");
}

//= A5.4
#[test]
fn power_fails_again_during_recovery() {
    let (image, writes) = golden();
    for at in 0..writes {
        for (first, second) in [
            (Torn::Prefix(1), Torn::Random(7)),
            (Torn::Random(5), Torn::Nothing),
            (Torn::Everything, Torn::Prefix(2)),
            (Torn::Nothing, Torn::Everything),
        ] {
            for again in 0..4 {
                let context = format!("write {at} {first:?}, then {again} {second:?}");
                let disk = disk_with(&image);
                let (mut journal, _) = open(&disk);
                disk.at_command(at, Fault::PowerCut(first));
                let mut oracle = Oracle::default();
                let under_way = work(&mut journal, &mut oracle, 0..COMMITS).expect("power fails");
                drop(journal);
                disk.power_on();
                disk.at_command(again, Fault::PowerCut(second));
                let opened =
                    journal::Journal::open(disk.volume(), disk.truth(), &crate::common::input());
                let next = match opened {
                    // Power failed while opening: nothing new can be there.
                    Err(_) => under_way,
                    Ok((mut journal, recovery)) => {
                        settle(&journal, &recovery, &mut oracle, under_way, &context);
                        match work(&mut journal, &mut oracle, 200..210) {
                            Some(n) => n,
                            None => panic!("{context}: power did not fail"),
                        }
                    }
                };
                disk.power_on();
                let (journal, recovery) = open(&disk);
                settle(&journal, &recovery, &mut oracle, next, &context);
            }
        }
    }
}

//= A5.1
#[test]
fn one_commit_is_one_flush_of_the_ring_and_one_of_the_truth() {
    let disk = blank();
    let mut journal = create(&disk);
    journal.commit(&step(0), salt(1)).unwrap();
    let before = disk.commands();
    journal.commit(&step(1), salt(1)).unwrap();
    let commands = disk.take_commands();
    let targets: Vec<_> = commands[before..]
        .iter()
        .map(|logged| logged.command.target)
        .collect();
    assert!(
        matches!(targets[..], [Target::Segment(0), Target::TruthSlot(_)]),
        "the frame is durable before the truth store moves: {targets:?}"
    );
    let stats = journal.stats();
    assert_eq!(stats.write_ptr, stats.commit_ptr);
    assert_eq!((stats.commits, stats.volume_flushes), (2, 3));
}

/// A copy of the older slot is damaged, by an earlier cut or by the medium: the next state that goes there
/// begins with it, so that a cut leaves the other one.
//= A5.4
//= A5.9
#[test]
fn a_cut_in_the_opening_spares_the_only_sound_copy_of_a_slot() {
    for (slot, copy) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for torn in PATTERNS {
            let context = format!("slot {slot} copy {copy}, {torn:?}");
            let disk = blank();
            let mut journal = create(&disk);
            journal.commit(&step(0), salt(0)).unwrap();
            drop(journal);
            disk.change(|image| image.truth[slot_at(slot, copy)] ^= 1);
            disk.at_command(0, Fault::PowerCut(torn));
            let cut = Journal::open(disk.volume(), disk.truth(), &input());
            assert!(cut.is_err(), "{context}");
            disk.power_on();
            let (_, recovery) = open(&disk);
            assert_eq!(recovery.uncertain, None, "{context}");
            assert_ne!(recovery.truth, TruthHealth::SlotLost, "{context}");
        }
    }
}
