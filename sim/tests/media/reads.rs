//! Reads that fail, and reads that answer with something else.

use crate::common::{device, sectors, write};
use fieldnotary_sim::media::SECTOR_BYTES;
use journal::ReadVolume;

#[test]
fn a_latent_error_fails_every_read_that_touches_its_sector_until_it_is_written() {
    let device = device();
    write(&device, 0, 4, 1).unwrap();
    device.spoil(SECTOR_BYTES + 100);
    let volume = device.volume();
    let mut two = [0; 2 * SECTOR_BYTES];
    assert!(volume.read(0, 0, &mut two).is_err());
    assert!(volume.read(0, SECTOR_BYTES as u64 + 511, &mut [0]).is_err());
    volume.read(0, 0, &mut two[..SECTOR_BYTES]).unwrap();
    volume.read(0, 2 * SECTOR_BYTES as u64, &mut two).unwrap();
    write(&device, 0, 3, 2).unwrap();
    assert_eq!(sectors(&device, 4), [2, 2, 2, 1]);
}

#[test]
fn a_misdirected_read_answers_with_another_sector() {
    let device = device();
    for sector in 0..3 {
        write(&device, sector, 1, 10 + u8::try_from(sector).unwrap()).unwrap();
    }
    device.answer(SECTOR_BYTES, 2 * SECTOR_BYTES);
    assert_eq!(sectors(&device, 3), [10, 12, 12]);
}

#[test]
fn a_stale_read_answers_with_what_was_there_before() {
    let device = device();
    write(&device, 0, 2, 1).unwrap();
    device.answer(SECTOR_BYTES, SECTOR_BYTES);
    write(&device, 0, 2, 2).unwrap();
    assert_eq!(sectors(&device, 2), [2, 1]);
}

#[test]
fn rot_turns_these_bits_over_and_no_others() {
    let device = device();
    write(&device, 0, 1, 1).unwrap();
    device.rot(5, 0x81);
    let mut bytes = [0; SECTOR_BYTES];
    device.volume().read(0, 0, &mut bytes).unwrap();
    let changed: Vec<usize> = (0..SECTOR_BYTES).filter(|at| bytes[*at] != 1).collect();
    assert_eq!((changed, bytes[5]), (vec![5], 0x80));
}
