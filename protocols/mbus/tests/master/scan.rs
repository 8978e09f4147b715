//! Who answers at which primary address.

use crate::given::address;
use crate::line::{Line, slave};
use fieldnotary_mbus::application::SecondaryAddress;
use fieldnotary_mbus::master::{Outcome, Primary, Scan, Scanned, Work};
use fieldnotary_mbus::slave::Slave;

const ONE: u32 = 0x1234_5678;
const TWO: u32 = 0x1234_5679;

fn at(place: u8) -> Primary {
    Primary::new(place).unwrap()
}

fn of(id: u32) -> SecondaryAddress {
    address(id, 0x2C2D, 1, 7)
}

fn scan(line: &mut Line, scan: Scan) -> Scanned {
    match line.run(Work::Scan(scan)) {
        Outcome::Scanned(scanned) => scanned,
        other => panic!("{other:?}"),
    }
}

//= A3.2
#[test]
fn a_scan_lists_every_primary_address_and_tells_collisions() {
    let mut slaves: Vec<Slave> = [0, 1, 77, 250]
        .map(|place| slave(place, of(0x1000_0000 + u32::from(place))))
        .into();
    // Two at one address, with telegrams that differ.
    slaves.push(slave(33, of(ONE)));
    slaves.push(slave(33, of(TWO)));
    // And two whose acknowledgements are no E5h already.
    slaves.push(slave(44, of(ONE)));
    slaves.push(slave(44, of(TWO)));
    slaves[7].after_bits = 14;
    let mut line = Line::new(slaves);
    let scanned = scan(&mut line, Scan::all().unwrap());
    assert!(scanned.complete && scanned.failure.is_none());
    assert_eq!(scanned.asked, 251);
    let listed: Vec<(u8, bool)> = scanned
        .listed
        .iter()
        .map(|one| (one.address.get(), one.meter.is_ok()))
        .collect();
    assert_eq!(
        listed,
        [
            (0, true),
            (1, true),
            (33, false),
            (44, false),
            (77, true),
            (250, true)
        ]
    );
    for listed in &scanned.listed[2..4] {
        let Err(failure) = &listed.meter else {
            panic!("a collision is due");
        };
        assert!(failure.reason().collision);
    }
    let (speaker, _) = scanned.listed[4].meter.as_ref().unwrap();
    assert_eq!(speaker.unwrap().secondary(), Some(of(0x1000_004D)));
}

//= A3.2
#[test]
fn one_noise_in_a_scan_is_no_collision() {
    let mut line = Line::new(vec![slave(3, of(ONE))]);
    let mut hit = false;
    line.fault = Box::new(move |request, mut spoken| {
        if request.len() == 5 && request[1] & 0x0F == 0x0B && !core::mem::replace(&mut hit, true) {
            spoken[0].bytes[9] ^= 0xFF;
        }
        spoken
    });
    let part = Scan {
        first: at(2),
        last: at(4),
        ..Scan::all().unwrap()
    };
    let scanned = scan(&mut line, part);
    assert_eq!(scanned.asked, 3);
    assert_eq!(scanned.listed.len(), 1);
    assert!(scanned.listed[0].meter.is_ok());
}
