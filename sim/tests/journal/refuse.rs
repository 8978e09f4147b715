//! The device refuses a write: the journal latches, nothing acknowledged is lost, a new epoch goes on.

use crate::common::{Oracle, SHAPE, blank, check_whole, create, input, open, salt, step};
use crate::golden::{SMALL, golden};
use evidence::reasons::TruthClass;
use fieldnotary_sim::media::{Device, Fault, Torn};
use journal::{CommitError, Journal, Shape};

const COMMITS: u64 = 30;
const PATTERNS: [Torn; 4] = [
    Torn::Nothing,
    Torn::Everything,
    Torn::Prefix(2),
    Torn::Random(9),
];

//= A5.2
//= A5.4
#[test]
fn a_refused_write_latches_and_a_new_epoch_goes_on() {
    for segments in [2, 4] {
        refuse_every_write(Shape { segments, ..SHAPE });
    }
}

/// Headers and slots can be written, frames cannot: each attempt takes no more than a few fresh segments,
/// and what was acknowledged stays; whatever the ring's size, and whether or not the node is started anew.
//= A5.2
//= A5.4
#[test]
fn a_device_that_refuses_every_frame_does_not_eat_the_ring() {
    for segments in [2, 3, 4, 7] {
        for restarts in [false, true] {
            refuse_every_frame(Shape { segments, ..SHAPE }, restarts);
        }
    }
}

fn refuse_every_frame(shape: Shape, restarts: bool) {
    let context = format!("{} segments, restarts: {restarts}", shape.segments);
    let disk = Device::new(shape, TruthClass::SameDeviceSync);
    let mut journal = create(&disk);
    let mut oracle = Oracle::default();
    for n in 0..COMMITS {
        oracle.note(&journal.commit(&step(n), salt(n)).unwrap());
    }
    let newest = journal.size() - 1;
    for n in COMMITS..2 * COMMITS {
        disk.at_command(0, Fault::Refused(Torn::Nothing));
        journal.commit(&step(n), salt(n)).unwrap_err();
        if restarts {
            drop(journal.into_media());
            disk.forget_faults();
            journal = open(&disk).0;
            continue;
        }
        match journal.begin_epoch_after_failure(salt(1_000 + n)) {
            Ok(_) => {}
            // A ring that says so gives nothing away either.
            Err(error) => {
                assert!(
                    matches!(error, CommitError::RingFull { .. }),
                    "{context}: {error}"
                );
                break;
            }
        }
    }
    assert!(
        journal.oldest().0 <= newest,
        "{context}: the newest entries are gone"
    );
    check_whole(&journal, &oracle, &context);
}

fn refuse_every_write(shape: Shape) {
    let disk = Device::new(shape, TruthClass::SameDeviceSync);
    let mut journal = create(&disk);
    let image = disk.image();
    let before = disk.commands();
    for n in 0..COMMITS {
        journal.commit(&step(n), salt(n)).unwrap();
    }
    let writes = disk.commands() - before;
    for at in 0..writes {
        for torn in PATTERNS {
            // 0: the write fails once; more: the attempts to recover fail as well.
            for failing in [1usize, 2, 3, 7] {
                let context = format!("write {at} {torn:?}, {failing} failures");
                let disk = Device::with_image(shape, TruthClass::SameDeviceSync, &image);
                let (mut journal, _) = open(&disk);
                for n in 0..failing {
                    disk.at_command(at + n, Fault::Refused(torn));
                }
                let mut oracle = Oracle::default();
                let mut failures = 0;
                let mut n = 0;
                while n < COMMITS {
                    match journal.commit(&step(n), salt(n)) {
                        Ok(committed) => {
                            oracle.note(&committed);
                            n += 1;
                        }
                        Err(error) => {
                            assert!(
                                matches!(error, CommitError::Medium(_)),
                                "{context}: {error}"
                            );
                            assert!(journal.is_latched());
                            assert_eq!(
                                journal.commit(&step(n), salt(n)),
                                Err(CommitError::Latched)
                            );
                            failures += 1;
                            let epoch = journal.epoch();
                            while let Err(error) =
                                journal.begin_epoch_after_failure(salt(1_000 + n))
                            {
                                assert!(matches!(error, CommitError::Medium(_)), "{context}");
                                failures += 1;
                            }
                            assert!(journal.epoch() > epoch);
                        }
                    }
                }
                assert!(failures >= 1, "{context}: nothing failed");
                check_whole(&journal, &oracle, &context);
                let (volume, truth) = journal.into_media();
                drop((volume, truth));
                let (journal, recovery) = open(&disk);
                assert!(recovery.losses.is_empty(), "{context}");
                assert_eq!(recovery.rolled_forward, 0, "{context}");
                check_whole(&journal, &oracle, &context);
            }
        }
    }
}

//= A5.2
#[test]
fn power_fails_while_a_refused_write_is_being_left_behind() {
    let disk = blank();
    let mut journal = create(&disk);
    let mut oracle = Oracle::default();
    for n in 0..6 {
        oracle.note(&journal.commit(&step(n), salt(n)).unwrap());
    }
    let image = {
        journal.into_media();
        disk.image()
    };
    for refused in PATTERNS {
        for refused_at in 0..2 {
            for cut_at in 0..8 {
                for cut in PATTERNS {
                    let context = format!("{refused:?} at {refused_at}, {cut:?} after {cut_at}");
                    let disk = Device::with_image(SHAPE, TruthClass::SameDeviceSync, &image);
                    let (mut journal, _) = open(&disk);
                    let mut oracle = oracle.clone();
                    disk.at_command(refused_at, Fault::Refused(refused));
                    journal.commit(&step(50), salt(50)).unwrap_err();
                    disk.at_command(cut_at, Fault::PowerCut(cut));
                    let mut under_way = vec![step(50)];
                    if journal.begin_epoch_after_failure(salt(51)).is_ok() {
                        for n in 50..60 {
                            under_way = vec![step(n)];
                            match journal.commit(&step(n), salt(n)) {
                                Ok(committed) => oracle.note(&committed),
                                Err(_) => break,
                            }
                        }
                    }
                    drop(journal);
                    disk.power_on();
                    let (journal, recovery) = open(&disk);
                    assert!(
                        recovery.losses.is_empty(),
                        "{context}: {:?}",
                        recovery.losses
                    );
                    let reader = journal.reader().unwrap();
                    let forward: Vec<_> = reader
                        .entries(evidence::CommitId(oracle.size()))
                        .map(Result::unwrap)
                        .collect();
                    assert!(
                        forward.is_empty()
                            || under_way
                                .iter()
                                .any(|group| crate::common::is_group(&forward, group)),
                        "{context}: something was invented"
                    );
                    oracle.extend(forward);
                    check_whole(&journal, &oracle, &context);
                }
            }
        }
    }
}

//= A5.6
#[test]
fn a_full_ring_refuses_until_entries_are_cosigned_or_given_up() {
    let disk = blank();
    let mut input = crate::common::input();
    input.options.retain_uncosigned = true;
    let mut journal =
        journal::Journal::create(disk.volume(), disk.truth(), &input, salt(0)).unwrap();
    let mut oracle = Oracle::default();
    let mut n = 0;
    let needed = loop {
        match journal.commit(&step(n), salt(n)) {
            Ok(committed) => oracle.note(&committed),
            Err(CommitError::RingFull { needed_size, .. }) => break needed_size,
            Err(error) => panic!("{error}"),
        }
        n += 1;
    };
    assert!(!journal.is_latched() && needed > 0 && needed < oracle.size());
    check_whole(&journal, &oracle, "full");
    journal.note_cosigned(needed - 1);
    assert!(matches!(
        journal.commit(&step(n), salt(n)),
        Err(CommitError::RingFull { .. })
    ));
    journal.note_cosigned(needed);
    oracle.note(&journal.commit(&step(n), salt(n)).unwrap());
    assert_eq!(journal.oldest().0, needed);
    // Or the operator gives the next segment up.
    let needed = loop {
        n += 1;
        match journal.commit(&step(n), salt(n)) {
            Ok(committed) => oracle.note(&committed),
            Err(CommitError::RingFull { needed_size, .. }) => break needed_size,
            Err(error) => panic!("{error}"),
        }
    };
    journal.permit_pruning(needed);
    oracle.note(&journal.commit(&step(n), salt(n)).unwrap());
    check_whole(&journal, &oracle, "given up");
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
    let empty = Device::new(SMALL, TruthClass::SameDeviceSync);
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
    let disk = Device::with_image(shape, TruthClass::SameDeviceSync, &image);
    assert!(matches!(
        Journal::open(disk.volume(), disk.truth(), &input()),
        Err(OpenError::ShapeMismatch {
            segments: Some(segments),
            segment_bytes: 16_384,
            block_bytes
        }) if segments == SMALL.segments && block_bytes == SMALL.block_bytes
    ));
}
