//! What no flush has covered: seen by readers, and at the mercy of power.

use crate::common::{device, restart, sectors, write};
use fieldnotary_sim::media::{Device, Fault};
use journal::limits::TRUTH_SLOT_BYTES;
use journal::{ReadTruth, TruthMedium};

fn slot(device: &Device, copy: u32) -> u8 {
    let mut bytes = [0; TRUTH_SLOT_BYTES];
    device.truth().read(0, copy, &mut bytes).unwrap();
    assert!(bytes.iter().all(|byte| *byte == bytes[0]));
    bytes[0]
}

#[test]
fn an_unflushed_write_is_seen_at_once_and_gone_with_the_power() {
    let device = device();
    let mut truth = device.truth();
    truth.write_durable(0, &[1; TRUTH_SLOT_BYTES]).unwrap();
    truth.write_deferred(0, &[2; TRUTH_SLOT_BYTES]).unwrap();
    assert_eq!((slot(&device, 0), slot(&device, 1)), (2, 2));
    restart(&device);
    assert_eq!((slot(&device, 0), slot(&device, 1)), (1, 1));
}

/// The cache is written back in any order: the second copy may be there without the first.
#[test]
fn any_sector_of_the_cache_may_persist_without_the_others() {
    let device = device();
    let mut truth = device.truth();
    truth.write_deferred(0, &[2; TRUTH_SLOT_BYTES]).unwrap();
    let second = device.map().slot(0, 1);
    device.cut_power(|at| at >= second);
    device.power_on();
    assert_eq!((slot(&device, 0), slot(&device, 1)), (0, 2));
}

#[test]
fn a_durable_write_of_a_place_covers_what_was_unflushed_there() {
    let device = device();
    let mut truth = device.truth();
    truth.write_deferred(0, &[2; TRUTH_SLOT_BYTES]).unwrap();
    truth.write_copy(0, 0, &[3; TRUTH_SLOT_BYTES]).unwrap();
    assert_eq!(device.unflushed().len(), 1, "the other copy");
    restart(&device);
    assert_eq!((slot(&device, 0), slot(&device, 1)), (3, 0));
}

/// As on Linux: after a failed flush the pages count as clean, readers see them, and the next flush,
/// which succeeds, has not written them.
#[test]
fn a_failed_flush_is_not_made_good_by_the_next_one() {
    let device = device();
    device.at_command(0, Fault::FlushFailed);
    assert!(write(&device, 0, 2, 7).is_err());
    write(&device, 2, 1, 8).unwrap();
    assert_eq!(sectors(&device, 3), [7, 7, 8]);
    device.cut_power(|_| true);
    device.power_on();
    assert_eq!(sectors(&device, 3), [0, 0, 8]);
}

#[test]
fn a_flush_that_lies_is_found_out_only_by_a_power_cut() {
    let device = device();
    device.at_command(0, Fault::LyingFlush);
    write(&device, 0, 1, 7).unwrap();
    assert_eq!(sectors(&device, 1), [7]);
    device.cut_power(|_| true);
    device.power_on();
    assert_eq!(sectors(&device, 1), [0]);
}
