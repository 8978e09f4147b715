//! Power fails while a log is begun: the next start begins it, or opens it, and nothing is refused for ever.
//! What may be a log already is never begun over.

use crate::common::{Oracle, SHAPE, SimJournal, check_whole, create, input, salt, step};
use evidence::reasons::TruthClass;
use fieldnotary_sim::media::{Device, Fault, Image, Map, Torn, slot_at};
use journal::{Journal, OpenError};

const CLASSES: [TruthClass; 3] = [
    TruthClass::Independent,
    TruthClass::SameDeviceSync,
    TruthClass::SameDeviceDeferred,
];

fn faults() -> impl Iterator<Item = Fault> {
    let sectors = [
        Torn::Nothing,
        Torn::Everything,
        Torn::Prefix(1),
        Torn::Prefix(3),
        Torn::Suffix(1),
        Torn::Hole(1),
        Torn::Random(1),
        Torn::Random(2),
    ];
    let bytes = [1, 7, 8, 9, 40, 200, 513, 2_000];
    sectors
        .into_iter()
        .map(Fault::PowerCut)
        .chain(bytes.into_iter().map(Fault::PowerCutAtByte))
}

/// As a node starts: it opens the log, and begins one only where none is.
fn start(disk: &Device) -> Result<SimJournal, OpenError> {
    match Journal::open(disk.volume(), disk.truth(), &input()) {
        Err(OpenError::NoLog) => Journal::create(disk.volume(), disk.truth(), &input(), salt(0)),
        opened => opened.map(|(journal, _)| journal),
    }
}

//= A5.2
//= A5.4
#[test]
fn power_may_fail_at_every_write_of_a_beginning_twice() {
    for class in CLASSES {
        let whole = Device::new(SHAPE, class);
        drop(create(&whole));
        for at in 0..whole.commands() {
            for first in faults() {
                for second in [None, Some(Fault::PowerCut(Torn::Prefix(1)))] {
                    let context = format!("{class:?}, write {at} {first:?}, then {second:?}");
                    let disk = Device::new(SHAPE, class);
                    disk.at_command(at, first);
                    Journal::create(disk.volume(), disk.truth(), &input(), salt(0)).unwrap_err();
                    disk.power_on();
                    if let Some(second) = second {
                        disk.at_command(at.min(1), second);
                        let _ = start(&disk);
                        disk.power_on();
                        disk.forget_faults();
                    }
                    let mut journal = start(&disk).unwrap_or_else(|error| {
                        panic!("{context}: {error}");
                    });
                    let mut oracle = Oracle::default();
                    for n in 0..3 {
                        oracle.note(&journal.commit(&step(n), salt(n)).unwrap());
                    }
                    check_whole(&journal, &oracle, &context);
                }
            }
        }
    }
}

/// A device with a log of a few entries, of which `spoil` takes away what told so.
fn spoilt(spoil: impl FnOnce(&mut Image)) -> Device {
    let disk = Device::new(SHAPE, TruthClass::SameDeviceSync);
    let mut journal = create(&disk);
    for n in 0..3 {
        journal.commit(&step(n), salt(n)).unwrap();
    }
    drop(journal);
    disk.change(spoil);
    disk
}

fn creation(disk: &Device) -> Option<OpenError> {
    Journal::create(disk.volume(), disk.truth(), &input(), salt(0)).err()
}

//= A5.2
//= A5.4
#[test]
fn what_may_be_a_log_is_never_begun_over() {
    // Each slot is damaged and every header is gone: two slots were written, so entries may have been.
    let headless = spoilt(|image| {
        for slot in 0..2 {
            for copy in 0..2 {
                image.truth[slot_at(slot, copy) + 100] ^= 1;
            }
        }
        image
            .segments
            .iter_mut()
            .for_each(|segment| segment.fill(0));
    });
    assert_eq!(creation(&headless), Some(OpenError::Occupied));
    // A damaged header without any truth store.
    let storeless = spoilt(|image| {
        image.truth.fill(0);
        image.segments[0][40] ^= 1;
    });
    assert_eq!(creation(&storeless), Some(OpenError::Occupied));
    // What cannot be read may be anything: it is not taken for a torn beginning.
    let unreadable = Device::new(SHAPE, TruthClass::SameDeviceSync);
    unreadable.spoil(Map::new(SHAPE).slot(0, 0));
    assert!(matches!(creation(&unreadable), Some(OpenError::Medium(_))));
}
