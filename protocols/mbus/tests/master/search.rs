//! Finding every meter of a bus, whoever else is on it.

use crate::given::{BAUD, address, telegram, volume};
use crate::line::Line;
use fieldnotary_mbus::application::{Manufacturer, SecondaryAddress};
use fieldnotary_mbus::master::{Failure, Makers, Outcome, Pattern, Search, Searched, Work};
use fieldnotary_mbus::slave::{Slave, Spoken};
use proptest::collection::btree_set;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::Config;
use std::collections::BTreeSet;

type Key = (u32, u16, u8, u8);

const MAKERS: [u16; 3] = [0x2C2D, 0x4024, 0x0442];

fn of(&(id, maker, version, medium): &Key) -> SecondaryAddress {
    address(id, maker, version, medium)
}

/// Eight digits of a number.
fn digits(number: u32) -> u32 {
    (0..8).fold(0, |id, place| {
        id | (number / 10_u32.pow(place) % 10) << (4 * place)
    })
}

fn slave(key: &Key, place: usize) -> Slave {
    let records = volume(u8::try_from(place % 200).unwrap());
    Slave::new(vec![telegram(0, &of(key), 1, &records)], BAUD).unwrap()
}

fn line_of<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Line {
    let slaves = keys
        .into_iter()
        .zip(0..)
        .map(|(key, place)| slave(key, place));
    Line::new(slaves.collect())
}

fn search(line: &mut Line, search: Search) -> Searched {
    match line.run(Work::Search(search)) {
        Outcome::Searched(searched) => searched,
        other => panic!("{other:?}"),
    }
}

fn found(searched: &Searched) -> BTreeSet<Key> {
    let keys: Vec<Key> = searched
        .found
        .iter()
        .map(|found| {
            let address = found.speaker.secondary().unwrap();
            let id = u32::from_be_bytes(address.id);
            (id, address.manufacturer.0, address.version, address.medium)
        })
        .collect();
    let set: BTreeSet<Key> = keys.iter().copied().collect();
    assert_eq!(set.len(), keys.len(), "a meter is listed once");
    set
}

/// Acknowledgements at once are one; telegrams at once are bytes of neither.
fn garbage(line: &mut Line) {
    line.fault = Box::new(|_, mut spoken: Vec<Spoken>| {
        if spoken.len() > 1 && spoken[0].bytes.len() > 1 {
            spoken.truncate(1);
            let bytes = &mut spoken[0].bytes;
            bytes.truncate(12);
            bytes.iter_mut().for_each(|byte| *byte ^= 0x5A);
        }
        spoken
    });
}

/// Numbers that have nothing in common, numbers of one box, and one number many times.
fn keys() -> impl Strategy<Value = BTreeSet<Key>> {
    let id = prop_oneof![
        (0_u32..100_000_000),
        (12_345_600_u32..12_345_700),
        (12_345_670_u32..12_345_674),
    ];
    let key = (id, 0_usize..3, 0_u8..3, 6_u8..8)
        .prop_map(|(id, maker, version, medium)| (digits(id), MAKERS[maker], version, medium));
    btree_set(key, 0..14)
}

fn listed() -> Makers {
    Makers::Listed(MAKERS.map(Manufacturer).to_vec())
}

proptest! {
    #![proptest_config(Config { cases: 24, ..Config::default() })]

    //= A3.2
    #[test]
    fn every_meter_is_found_whoever_else_is_there(keys in keys()) {
        let mut line = line_of(&keys);
        garbage(&mut line);
        let searched = search(&mut line, Search { makers: listed(), ..Search::default() });
        prop_assert!(searched.complete);
        prop_assert_eq!(found(&searched), keys);
        prop_assert_eq!(searched.collisions, []);
    }

    // Numbers differ, all else may be the same: then telegrams overlap bit by bit, and one may hide another.
    //= A3.2
    #[test]
    fn no_meter_hides_another_where_bits_overlap(
        ids in btree_set(prop_oneof![0_u32..100_000_000, 12_345_600_u32..12_345_640], 0..14),
        same in any::<bool>(),
        apart in 0_u64..3,
    ) {
        let keys: BTreeSet<Key> = ids.iter().map(|id| (digits(*id), MAKERS[0], 1, 7)).collect();
        let mut line = line_of(&keys);
        for (slave, place) in line.bus.slaves.iter_mut().zip(0_u64..) {
            slave.after_bits += place * apart % 5;
            if same {
                // Fresh from one box: nothing but the number differs.
                let address = slave.secondary;
                *slave = Slave::new(vec![telegram(0, &address, 1, &volume(0))], BAUD).unwrap();
            }
        }
        let searched = search(&mut line, Search { makers: listed(), ..Search::default() });
        prop_assert!(searched.complete);
        prop_assert_eq!(found(&searched), keys);
    }
}

//= A3.2
#[test]
fn an_empty_bus_takes_few_requests() {
    let mut line = line_of([]);
    let searched = search(&mut line, Search::default());
    assert!(searched.complete && searched.found.is_empty());
    assert_eq!(searched.requests, 2);
}

//= A3.2
#[test]
fn a_hidden_meter_is_found_and_without_looking_for_it_is_not() {
    // The second number has every mark of the first. So have its checksum, and the parity of both, for some
    // reading: together they look like the first.
    let keys = [
        (0x1234_5678, MAKERS[0], 1, 7),
        (0x1234_5679, MAKERS[0], 1, 7),
    ];
    let reading = (0..=255)
        .find(|reading| {
            let frame = telegram(0, &of(&keys[0]), 1, &volume(*reading));
            let sum = frame[frame.len() - 2];
            sum.is_multiple_of(2) && sum.count_ones().is_multiple_of(2)
        })
        .unwrap();
    let mut line = line_of(&keys);
    for slave in &mut line.bus.slaves {
        let address = slave.secondary;
        *slave = Slave::new(vec![telegram(0, &address, 1, &volume(reading))], BAUD).unwrap();
    }
    let blind = Search {
        shadows: false,
        ..Search::default()
    };
    assert_eq!(search(&mut line, blind).found.len(), 1);
    let searched = search(&mut line, Search::default());
    assert_eq!(found(&searched), BTreeSet::from(keys));
}

//= A3.2
#[test]
fn meters_of_one_number_are_told_apart_by_manufacturer_whoever_made_them() {
    // Unknown makers: only all of them find these.
    let keys = [(0x1234_5678, 0x0421, 1, 7), (0x1234_5678, 0x6B5A, 1, 7)];
    let mut line = line_of(&keys);
    garbage(&mut line);
    let all = Search {
        makers: Makers::All,
        ..Search::default()
    };
    let searched = search(&mut line, all);
    assert_eq!(found(&searched), BTreeSet::from(keys));
    assert_eq!(searched.collisions, []);
    // With a list of others they are told as a collision, with all that is known of them, whoever else was found.
    let others = [
        (0x1000_0000, MAKERS[0], 1, 7),
        (0x1100_0000, MAKERS[0], 1, 7),
    ];
    let mut line = line_of(keys.iter().chain(&others));
    garbage(&mut line);
    let listed = Search {
        makers: listed(),
        ..Search::default()
    };
    let searched = search(&mut line, listed);
    assert_eq!(found(&searched), BTreeSet::from(others));
    let [collision] = searched.collisions[..] else {
        panic!("{:?}", searched.collisions);
    };
    let pattern = Pattern {
        manufacturer: 0xFFFF,
        ..Pattern::exact(&of(&keys[0]))
    };
    assert_eq!((collision.pattern, collision.found), (pattern, 0));
    assert!(collision.failure.reason().collision);
}

//= A3.2
#[test]
fn twins_are_told_as_what_they_are() {
    let twin = (0x0000_0001, MAKERS[0], 1, 7);
    let other = (0x9000_0001, MAKERS[1], 1, 7);
    let mut line = line_of(&[twin, twin, other]);
    garbage(&mut line);
    let searched = search(
        &mut line,
        Search {
            makers: listed(),
            ..Search::default()
        },
    );
    assert!(searched.complete);
    assert_eq!(found(&searched), BTreeSet::from([other]));
    let told: Vec<Pattern> = searched.collisions.iter().map(|one| one.pattern).collect();
    assert_eq!(told, [Pattern::exact(&of(&twin))]);
}

//= A3.2
#[test]
fn a_second_voice_behind_a_whole_telegram_is_heard() {
    // The second speaks so late that the first has ended: each telegram comes whole.
    let keys = [
        (0x1000_0000, MAKERS[0], 1, 7),
        (0x2000_0000, MAKERS[0], 1, 7),
    ];
    let mut line = line_of(&keys);
    line.bus.slaves[1].after_bits = 430;
    let searched = search(
        &mut line,
        Search {
            shadows: false,
            ..Search::default()
        },
    );
    assert_eq!(found(&searched), BTreeSet::from(keys));
}

//= A3.2
#[test]
fn numbers_with_letters_are_found_where_digits_do_not_explain_what_is_heard() {
    let keys = [
        (0xA234_5678, MAKERS[0], 1, 7),
        (0xB234_5678, MAKERS[0], 1, 7),
    ];
    let mut line = line_of(&keys);
    garbage(&mut line);
    assert_eq!(
        found(&search(&mut line, Search::default())),
        BTreeSet::from(keys)
    );
    // Beside two that explain it only who asks for letters finds a third.
    let more = [
        keys[0],
        (0x1000_0000, MAKERS[0], 1, 7),
        (0x2000_0000, MAKERS[0], 1, 7),
    ];
    let mut line = line_of(&more);
    garbage(&mut line);
    let letters = Search {
        letters: true,
        ..Search::default()
    };
    assert_eq!(found(&search(&mut line, letters)), BTreeSet::from(more));
}

//= A3.2
#[test]
fn noise_on_a_telegram_costs_requests_and_no_meter() {
    let keys = [(0x1234_5678, MAKERS[0], 1, 7)];
    let mut line = line_of(&keys);
    let mut hit = false;
    line.fault = Box::new(move |request, mut spoken| {
        if request.len() == 5 && request[1] & 0x0F == 0x0B && !core::mem::replace(&mut hit, true) {
            spoken[0].bytes[9] ^= 0xFF;
        }
        spoken
    });
    let searched = search(&mut line, Search::default());
    assert_eq!(found(&searched), BTreeSet::from(keys));
    // One meter does not explain a collision: that it may have been noise is told.
    let [collision] = searched.collisions[..] else {
        panic!("{:?}", searched.collisions);
    };
    assert_eq!((collision.pattern, collision.found), (Pattern::ANY, 1));
}

//= A3.2
#[test]
fn a_search_has_a_bound_and_can_be_for_a_part() {
    let keys: Vec<Key> = (0..8)
        .map(|n| (digits(n * 11_111_111), MAKERS[0], 1, 7))
        .collect();
    let mut line = line_of(&keys);
    garbage(&mut line);
    let few = Search {
        requests_max: 20,
        ..Search::default()
    };
    let searched = search(&mut line, few);
    assert!(!searched.complete && searched.requests == 20);
    let part = Search {
        under: Pattern::ANY.with_digit(0, 3),
        ..Search::default()
    };
    assert_eq!(found(&search(&mut line, part)), BTreeSet::from([keys[3]]));
    // All are deselected when it ends.
    let last = line.seen.sent.last().unwrap();
    assert_eq!(last.1, [0x10, 0x40, 0xFD, 0x3D, 0x16]);
    line.power(fieldnotary_mbus::master::Power::Off);
    let searched = search(&mut line, Search::default());
    assert_eq!(searched.failure, Some(Failure::NoPower));
    assert!(!searched.complete);
}

/// Sixty meters of one make with numbers of their own: what a site's search costs.
//= A3.2
#[test]
fn a_search_of_sixty_meters_takes_minutes() {
    let keys: BTreeSet<Key> = (0..60_u32)
        .map(|n| {
            (
                digits(n.wrapping_mul(2_654_435_761) % 100_000_000),
                MAKERS[0],
                1,
                7,
            )
        })
        .collect();
    let mut cost = [(0, 0); 2];
    for (shadows, cost) in [false, true].into_iter().zip(&mut cost) {
        let mut line = line_of(&keys);
        garbage(&mut line);
        let began_ns = line.now_ns;
        let searched = search(
            &mut line,
            Search {
                shadows,
                ..Search::default()
            },
        );
        assert_eq!(found(&searched), keys);
        *cost = (searched.requests, (line.now_ns - began_ns) / 1_000_000_000);
    }
    let [(plain, plain_s), (with, with_s)] = cost;
    assert!(plain <= 303 && plain_s <= 55, "{cost:?}");
    assert!(with <= 1_174 && with_s <= 302, "{cost:?}");
}
