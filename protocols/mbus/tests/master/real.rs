//! Telegrams of real meters, served by simulated slaves and read by the master.

use crate::given::BAUD;
use crate::kept;
use crate::line::Line;
use fieldnotary_mbus::master::{Makers, Meter, Outcome, Pattern, Primary, Search, Speaker, Work};
use fieldnotary_mbus::slave::Slave;
use fieldnotary_mbus::telegram::Telegram;
use std::collections::BTreeMap;

struct Real {
    name: String,
    frame: Vec<u8>,
}

fn real() -> Vec<Real> {
    let folder = kept::folder();
    let paths = folder.iter().flat_map(|folder| kept::telegrams(folder));
    paths
        .map(|path| Real {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            frame: kept::bytes_of(&path),
        })
        .collect()
}

/// The frame read is the frame served: so are its values, which the decoder's own test holds against the corpus.
fn same(real: &Real, frame: &[u8], address: u8) {
    let mut due = real.frame.clone();
    let sum = due.len() - 2;
    due[sum] = due[sum].wrapping_add(address).wrapping_sub(due[5]);
    due[5] = address;
    assert_eq!(frame, due, "{}", real.name);
    let (read, kept) = (Telegram::read(frame), Telegram::read(&real.frame));
    assert!(read.is_valid(), "{}", real.name);
    assert_eq!(read.records, kept.records, "{}", real.name);
}

//= A3.2
#[test]
fn every_real_meter_is_read_by_its_primary_address() {
    let real = real();
    let slaves = real.iter().zip(1..).map(|(real, address)| {
        let mut slave = Slave::new(vec![real.frame.clone()], BAUD).unwrap();
        slave.primary = address;
        slave
    });
    let mut line = Line::new(slaves.collect());
    for (real, address) in real.iter().zip(1..) {
        let speaker = Speaker::of(&real.frame).unwrap();
        let readout = line.read(Meter::Primary {
            address: Primary::new(address).unwrap(),
            identity: Some(Pattern::of(&speaker)),
        });
        // One telegram is all that was captured, also of meters that have more.
        let due = Telegram::read(&real.frame)
            .more_follow()
            .then_some(fieldnotary_mbus::master::Failure::WrongFcb);
        assert_eq!(readout.failure, due, "{}", real.name);
        same(real, &readout.telegrams[0].frame, address);
        let found = readout.telegrams[0].speaker.unwrap();
        assert_eq!(
            found,
            Speaker {
                primary: address,
                ..speaker
            }
        );
    }
}

//= A3.2
#[test]
fn all_real_meters_on_one_bus_are_found_and_read_by_their_secondary_addresses() {
    let real = real();
    // Some were captured twice; a search tells addresses apart, not captures.
    let mut meters: BTreeMap<Pattern, &Real> = BTreeMap::new();
    for one in &real {
        let speaker = Speaker::of(&one.frame).unwrap();
        if speaker.secondary().is_some() {
            meters.insert(Pattern::of(&speaker), one);
        }
    }
    let slaves = meters
        .values()
        .map(|real| Slave::new(vec![real.frame.clone()], BAUD).unwrap());
    let mut line = Line::new(slaves.collect());
    let search = Search {
        makers: Makers::Listed(Vec::new()),
        letters: true,
        ..Search::default()
    };
    let Outcome::Searched(searched) = line.run(Work::Search(search)) else {
        panic!("a search is due");
    };
    assert!(searched.complete);
    let mut found: Vec<Pattern> = searched
        .found
        .iter()
        .map(|found| Pattern::of(&found.speaker))
        .collect();
    found.sort_unstable();
    let due: Vec<Pattern> = meters.keys().copied().collect();
    assert_eq!(found, due);
    for (pattern, real) in &meters {
        let readout = line.read(Meter::Secondary(*pattern));
        same(real, &readout.telegrams[0].frame, real.frame[5]);
    }
}
