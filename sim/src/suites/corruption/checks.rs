//! The suite can fail: engines that lie in one way each are put in the place of the real one.

use evidence::CommitId;
use journal::{Finding, Loss, OpenError, StoredEntry, TruthHealth};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Engine, Fault, Kind, Opening, Plan, Reading, Report, Subject, run_with};
use crate::media::Device;

/// The engine, with something changed in what it says.
struct Liar<R, O> {
    read: R,
    open: O,
}

impl<R, O> Subject for Liar<R, O>
where
    R: Fn(&mut Reading) -> Result<(), OpenError> + Sync,
    O: Fn(&mut Opening) -> Result<(), OpenError> + Sync,
{
    fn read(&self, disk: &Device, probe: u64) -> Result<Reading, OpenError> {
        let mut reading = Engine.read(disk, probe)?;
        (self.read)(&mut reading)?;
        Ok(reading)
    }

    fn open(&self, disk: &Device, go_on: bool) -> Result<Opening, OpenError> {
        let mut opening = Engine.open(disk, go_on)?;
        (self.open)(&mut opening)?;
        Ok(opening)
    }
}

fn plan(case: &str, kind: Kind, number: u64) -> Plan {
    Plan {
        seed: 1,
        bounded: true,
        threads: 1,
        until_fault: false,
        case: Some((case.to_owned(), kind, number)),
    }
}

fn tried(subject: &impl Subject, kind: Kind, number: u64) -> Report {
    run_with(&plan("independent-orderly", kind, number), subject)
}

/// A bit in the first frame of the ring; and one that nobody wrote.
const OF_AN_ENTRY: u64 = (4_096 + 480) * 8;

fn check_reading(lie: impl Fn(&mut Reading) + Sync, fault: Fault) {
    let liar = Liar {
        read: |reading: &mut Reading| {
            lie(reading);
            Ok(())
        },
        open: |_: &mut Opening| Ok(()),
    };
    let report = tried(&liar, Kind::Bit, OF_AN_ENTRY);
    assert_eq!(report.count(fault), 1, "{report:?}");
}

fn check_opening(lie: impl Fn(&mut Opening) + Sync, fault: Fault) {
    let liar = Liar {
        read: |_: &mut Reading| Ok(()),
        open: |opening: &mut Opening| {
            lie(opening);
            Ok(())
        },
    };
    let report = tried(&liar, Kind::Bit, OF_AN_ENTRY);
    assert_eq!(report.count(fault), 1, "{report:?}");
}

fn first_entry(reading: &mut Reading) -> usize {
    let found = reading.items.iter().position(Result::is_ok);
    found.unwrap()
}

//= A5.4
#[test]
fn the_engine_itself_is_found_sound() {
    let report = tried(&Engine, Kind::Bit, OF_AN_ENTRY);
    assert_eq!((report.cases, report.touched), (1, 1));
    assert!(report.is_clean(), "{report:?}");
}

#[test]
fn a_reader_that_lies_is_found_out() {
    check_reading(
        |reading| {
            let at = first_entry(reading);
            let entry = reading.items[at].as_mut().unwrap();
            let mut bytes = entry.bytes.to_vec();
            bytes[20] ^= 1;
            entry.bytes = bytes.into();
        },
        Fault::WrongData,
    );
    check_reading(
        |reading| {
            let at = first_entry(reading);
            drop(reading.items.remove(at));
        },
        Fault::SilentLoss,
    );
    check_reading(|reading| drop(reading.items.pop()), Fault::SilentLoss);
    check_reading(
        |reading| {
            let mut more = reading.items.last().unwrap().clone();
            more.as_mut().unwrap().commit_id.0 += 1;
            reading.items.push(more);
        },
        Fault::Invented,
    );
    check_reading(|reading| reading.size -= 1, Fault::SilentLoss);
    check_reading(|reading| reading.root.0[0] ^= 1, Fault::WrongData);
    check_reading(|reading| reading.leases = None, Fault::SilentLoss);
    check_reading(|reading| reading.findings.clear(), Fault::InexactLoss);
    check_reading(
        |reading| reading.findings.push(Finding::TruthLost),
        Fault::FalseAlarm,
    );
    check_reading(
        |reading| reading.health = TruthHealth::Degraded,
        Fault::Undetected,
    );
    check_reading(|reading| reading.probe.1 = None, Fault::WrongData);
}

/// A loss that is wider than the damage, in both of what is read: the coarse answer of most logs.
#[test]
fn a_loss_that_names_what_can_be_read_is_found_out() {
    let widen = |reading: &mut Reading| {
        let at = reading.items.iter().position(Result::is_err).unwrap();
        let Err(Finding::Lost(mut loss)) = reading.items.remove(at) else {
            panic!("the damaged frame is a loss")
        };
        loss.count += 1;
        loss.hashes = None;
        // The entry behind it goes into the loss.
        reading.items[at] = Err(Finding::Lost(loss.clone()));
        let scrubbed = reading
            .findings
            .iter_mut()
            .find(|finding| matches!(finding, Finding::Lost(_)));
        *scrubbed.unwrap() = Finding::Lost(loss);
    };
    check_reading(widen, Fault::InexactLoss);
}

/// The newest lap cut short, a bad sector in the header of the lap that is begun then: what stands before the cut is
/// known to be of the log, as the first frame behind it tells where that lap began.
//= A5.4
#[test]
fn a_loss_made_up_of_the_last_frame_before_a_cut_is_found_out_after_going_on() {
    let case = ("independent-scarred".to_owned(), Kind::Pair, 108_208);
    let plan = Plan {
        seed: 12,
        case: Some(case),
        ..plan("", Kind::Pair, 0)
    };
    let sound = run_with(&plan, &Engine);
    assert!(sound.is_clean() && sound.touched == 1, "{sound:?}");
    let went_on = AtomicBool::new(false);
    let liar = Liar {
        read: |_: &mut Reading| Ok(()),
        open: |opening: &mut Opening| {
            let Some(after) = &mut opening.after else {
                return Ok(());
            };
            let items = &mut after.reading.items;
            let lost = items.iter().find_map(|item| match item {
                Err(Finding::Lost(loss)) => Some(loss.clone()),
                _ => None,
            });
            let lost = lost.unwrap();
            let first = CommitId(lost.first.0 - 1);
            let is_before = |item: &&mut Result<StoredEntry, Finding>| {
                item.as_ref().is_ok_and(|entry| entry.commit_id == first)
            };
            let before = items.iter_mut().find(is_before).unwrap();
            *before = Err(Finding::Lost(Loss {
                first,
                count: 1,
                hashes: None,
                ..lost
            }));
            went_on.store(true, Ordering::Relaxed);
            Ok(())
        },
    };
    let report = run_with(&plan, &liar);
    assert!(went_on.load(Ordering::Relaxed), "{report:?}");
    assert_eq!(report.count(Fault::InexactLoss), 1, "{report:?}");
}

/// Both copies of each slot replaced, one of them by the first state that the log ever had: a slot is lost.
//= A5.4
#[test]
fn a_lost_slot_beside_the_first_state_of_the_log_is_named() {
    for image in [
        "independent-scarred",
        "same-device-sync-scarred",
        "same-device-deferred-scarred",
    ] {
        let case = (image.to_owned(), Kind::Pair, 14_072);
        let plan = Plan {
            seed: 12,
            case: Some(case),
            ..plan("", Kind::Pair, 0)
        };
        let report = run_with(&plan, &Engine);
        assert!(report.is_clean() && report.touched == 1, "{report:?}");
    }
}

#[test]
fn a_recovery_that_lies_is_found_out() {
    check_opening(|opening| opening.size -= 1, Fault::SilentLoss);
    check_opening(|opening| opening.size += 1, Fault::Invented);
    check_opening(|opening| opening.root.0[0] ^= 1, Fault::WrongData);
    check_opening(
        |opening| {
            opening.recovery.uncertain = Some(journal::Uncertain {
                from: evidence::CommitId(0),
                seen_to: None,
            });
        },
        Fault::FalseAlarm,
    );
    check_opening(
        |opening| opening.recovery.leases_lost = true,
        Fault::Undetected,
    );
}

#[test]
fn refusals_and_panics_are_counted() {
    let refuses = Liar {
        read: |_: &mut Reading| Err(OpenError::NoLog),
        open: |_: &mut Opening| Ok(()),
    };
    let report = tried(&refuses, Kind::Bit, OF_AN_ENTRY);
    assert_eq!(report.count(Fault::RefusedOpen), 1, "{report:?}");
    let panics = Liar {
        read: |_: &mut Reading| panic!("planted"),
        open: |_: &mut Opening| Ok(()),
    };
    let report = tried(&panics, Kind::Bit, OF_AN_ENTRY);
    assert_eq!(report.count(Fault::Panic), 1, "{report:?}");
}

/// Silence about a damage that costs no entry is found as well: a header, a copy, a table.
#[test]
fn damage_that_nothing_names_is_found_out() {
    let silent = Liar {
        read: |reading: &mut Reading| {
            reading.findings.clear();
            reading.items.retain(Result::is_ok);
            Ok(())
        },
        open: |_: &mut Opening| Ok(()),
    };
    for (kind, number) in [
        (Kind::Bit, 100 * 8),
        (Kind::Bit, (4_096 + 10) * 8),
        (Kind::SlotBit, 8),
        (Kind::TableBit, 8),
    ] {
        let report = tried(&silent, kind, number);
        assert_eq!(report.count(Fault::Undetected), 1, "{kind:?} {report:?}");
    }
}

/// Every kind has cases on every image, and the same seed draws the same ones.
#[test]
fn a_bounded_run_tries_every_kind_and_repeats_itself() {
    let plan = Plan {
        seed: 5,
        bounded: true,
        threads: 2,
        until_fault: true,
        case: None,
    };
    let blind = Liar {
        read: |_: &mut Reading| Err(OpenError::NoLog),
        open: |_: &mut Opening| Ok(()),
    };
    let stopped = run_with(&plan, &blind);
    assert!(!stopped.is_clean() && stopped.cases < 1_000);
    for (kind, name, _) in Kind::ALL {
        assert_eq!(Kind::named(name), Some(kind));
    }
}
