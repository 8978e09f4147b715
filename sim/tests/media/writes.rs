//! What reaches the platter when a write is torn, refused, cut short, lost or led astray.

use crate::common::{device, restart, sectors, write};
use fieldnotary_sim::media::Fault;
use fieldnotary_sim::media::{SECTOR_BYTES, Torn};
use journal::limits::TRUTH_SLOT_BYTES;
use journal::{MediumFault, ReadTruth, ReadVolume, TruthMedium};

/// One write of four sectors of 7 over sectors of 1: what it reports, and what is there after a restart.
fn check(fault: Fault, reported: Result<(), MediumFault>, left: &[u8]) {
    let device = device();
    write(&device, 0, 6, 1).unwrap();
    device.at_command(0, fault);
    let result = write(&device, 0, 4, 7).map_err(|error| error.fault);
    assert_eq!(result, reported, "{fault:?}");
    device.power_on();
    restart(&device);
    assert_eq!(sectors(&device, 6), left, "{fault:?}");
}

#[test]
fn each_fault_leaves_what_it_says() {
    let io = Err(MediumFault::Io);
    check(Fault::PowerCut(Torn::Nothing), io, &[1, 1, 1, 1, 1, 1]);
    check(Fault::PowerCut(Torn::Prefix(1)), io, &[7, 1, 1, 1, 1, 1]);
    check(Fault::PowerCut(Torn::Suffix(1)), io, &[1, 7, 7, 7, 1, 1]);
    check(Fault::PowerCut(Torn::Hole(2)), io, &[7, 7, 1, 7, 1, 1]);
    check(Fault::PowerCut(Torn::Everything), io, &[7, 7, 7, 7, 1, 1]);
    check(Fault::Refused(Torn::Prefix(3)), io, &[7, 7, 7, 1, 1, 1]);
    check(Fault::Short(SECTOR_BYTES), io, &[7, 1, 1, 1, 1, 1]);
    check(Fault::Full, Err(MediumFault::Full), &[1, 1, 1, 1, 1, 1]);
    check(Fault::Lost, Ok(()), &[1, 1, 1, 1, 1, 1]);
    check(Fault::LyingFlush, Ok(()), &[1, 1, 1, 1, 1, 1]);
    check(Fault::FlushFailed, io, &[1, 1, 1, 1, 1, 1]);
    let astray = Fault::Misdirected(2 * SECTOR_BYTES);
    check(astray, Ok(()), &[1, 1, 7, 7, 7, 7]);
    let paired = Fault::PairedPage(5 * SECTOR_BYTES + 17);
    check(paired, io, &[1, 1, 1, 1, 1, 0xA5]);
}

#[test]
fn a_device_without_power_does_nothing_and_the_next_write_after_it_is_sound() {
    let device = device();
    device.at_command(0, Fault::PowerCut(Torn::Nothing));
    assert!(write(&device, 0, 1, 7).is_err());
    assert!(device.is_dead());
    assert!(write(&device, 0, 1, 8).is_err());
    assert!(device.volume().read(0, 0, &mut [0]).is_err());
    device.power_on();
    write(&device, 1, 1, 9).unwrap();
    assert_eq!(sectors(&device, 2), [0, 9]);
}

/// The copies of a slot lie on an FRAM in the order of their bytes: at most one of them is torn.
#[test]
fn an_fram_tears_at_a_byte() {
    for cut in [0, 1, 700, TRUTH_SLOT_BYTES, TRUTH_SLOT_BYTES + 9] {
        let device = device();
        let mut truth = device.truth();
        truth.write_durable(0, &[1; TRUTH_SLOT_BYTES]).unwrap();
        device.at_command(0, Fault::PowerCutAtByte(cut));
        assert!(truth.write_durable(0, &[2; TRUTH_SLOT_BYTES]).is_err());
        device.power_on();
        let mut found = Vec::new();
        for copy in 0..2 {
            let mut bytes = [0; TRUTH_SLOT_BYTES];
            truth.read(0, copy, &mut bytes).unwrap();
            found.extend(bytes);
        }
        let new = found.iter().take_while(|byte| **byte == 2).count();
        assert_eq!(new, cut);
        assert!(found[cut..].iter().all(|byte| *byte == 1));
    }
}

#[test]
fn the_platter_winds_back_over_any_number_of_writes() {
    let device = device();
    write(&device, 0, 4, 1).unwrap();
    let (mark, before) = device.platter(|platter| (platter.mark(), platter.bytes().to_vec()));
    for byte in 2..9 {
        write(&device, usize::from(byte % 3), 2, byte).unwrap();
    }
    device.rot(3, 0x40);
    assert_ne!(device.platter(|platter| platter.bytes().to_vec()), before);
    device.platter(|platter| platter.rewind(mark));
    assert_eq!(device.platter(|platter| platter.bytes().to_vec()), before);
}
