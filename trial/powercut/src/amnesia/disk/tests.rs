//! What survives a cut, and what does not.

use super::{Disk, Failed, Flaw, SECTOR_BYTES};
use std::collections::BTreeSet;
use trial::Random;

const SECTORS: usize = 16;
const BYTES: usize = SECTORS * SECTOR_BYTES;

fn filled(byte: u8) -> Vec<u8> {
    vec![byte; BYTES]
}

/// A file of zeros, durable.
fn blank() -> (Disk, u64) {
    let mut disk = Disk::default();
    let inode = disk.create("file");
    disk.write(inode, 0, &filled(0), true).unwrap();
    (disk, inode)
}

/// The first byte of each sector.
fn sectors(disk: &Disk, inode: u64) -> Vec<u8> {
    let bytes = disk.read(inode, 0, BYTES).unwrap();
    let sectors: Vec<&[u8]> = bytes.chunks(SECTOR_BYTES).collect();
    let whole = |sector: &[u8]| sector.iter().all(|byte| *byte == sector[0]);
    assert!(sectors.iter().all(|sector| whole(sector)), "a torn sector");
    sectors.iter().map(|sector| sector[0]).collect()
}

/// What is found after a cut, over many seeds.
fn check(prepare: impl Fn(&mut Disk, u64), wanted: &dyn Fn(&[u8]) -> bool) -> BTreeSet<Vec<u8>> {
    (0..200)
        .map(|seed| {
            let (mut disk, inode) = blank();
            prepare(&mut disk, inode);
            disk.restore(&mut Random::new(seed));
            let found = sectors(&disk, inode);
            assert!(wanted(&found), "seed {seed}: {found:?}");
            found
        })
        .collect()
}

#[test]
fn what_was_synced_is_kept() {
    check(
        |disk, inode| {
            disk.write(inode, 0, &filled(1), false).unwrap();
            disk.sync(inode).unwrap();
        },
        &|found| found == [1; SECTORS],
    );
    check(
        |disk, inode| disk.write(inode, 0, &filled(2), true).unwrap(),
        &|found| found == [2; SECTORS],
    );
}

#[test]
fn what_was_not_synced_is_kept_in_any_part_torn_and_reordered() {
    let found = check(
        |disk, inode| {
            disk.write(inode, 0, &filled(1), false).unwrap();
            disk.write(inode, 0, &filled(2), false).unwrap();
        },
        &|found| found.iter().all(|byte| [0, 1, 2].contains(byte)),
    );
    assert!(found.len() > 100, "{} different states", found.len());
    assert!(
        found.contains(&vec![0; SECTORS]),
        "all is forgotten at times"
    );
    assert!(found.contains(&vec![2; SECTORS]), "all is kept at times");
    let reordered = |found: &Vec<u8>| found[0] == 0 && found[SECTORS - 1] == 2;
    assert!(found.iter().any(reordered));
}

#[test]
fn a_synced_write_keeps_its_own_sectors_only() {
    let first = |disk: &mut Disk, inode| {
        disk.write(inode, 0, &filled(1), false).unwrap();
        disk.write(inode, 0, &[2; SECTOR_BYTES], true).unwrap();
    };
    let found = check(first, &|found| found[0] == 2);
    assert!(found.iter().any(|found| found[1] == 0));
}

#[test]
fn the_power_goes_during_an_operation_and_nothing_works_until_it_is_back() {
    let (mut disk, inode) = blank();
    disk.arm(1);
    disk.write(inode, 0, &filled(1), true).unwrap();
    assert_eq!(disk.write(inode, 0, &filled(2), true), Err(Failed));
    assert!(disk.is_off());
    assert_eq!(disk.sync(inode), Err(Failed));
    assert_eq!(disk.read(inode, 0, 1), Err(Failed));
    disk.restore(&mut Random::new(1));
    assert!(!disk.is_off());
    let found = sectors(&disk, inode);
    assert!(found.iter().all(|byte| [1, 2].contains(byte)), "{found:?}");
}

#[test]
fn a_sync_that_lies_keeps_nothing_for_sure() {
    let found = check(
        |disk, inode| {
            disk.plant(Flaw::LyingSync);
            disk.write(inode, 0, &filled(1), true).unwrap();
            disk.sync(inode).unwrap();
        },
        &|found| found.iter().all(|byte| [0, 1].contains(byte)),
    );
    assert!(found.contains(&vec![0; SECTORS]));
}
