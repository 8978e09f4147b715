//! Random plans, faults, latencies and host troubles: the account holds whatever happens.

use super::accounting::check_all;
use super::site::{Site, meter_id};
use super::world::{ANCHOR, MS, Script, Sent, World, answer_pdu};
use crate::Input;
use evidence::MonoNs;
use evidence::reasons::AttemptCause;
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_oneof, proptest};
use proptest::test_runner::Config;
use std::boxed::Box;
use std::string::String;
use std::vec;
use std::vec::Vec;

/// What a meter does with one request.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Answer,
    Silence,
    Late,
    LateException,
    Crc,
    Cut,
    Exception(u8),
    OtherUnit,
    OtherUnitThenAnswer,
    OtherFunction,
    OtherShape,
    NoiseThenAnswer,
    Pieces,
    Twice,
}

/// Deeds that leave whole frames, or a damaged one that its own silence ends.
fn framed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => Just(Deed::Answer),
        1 => Just(Deed::Silence),
        2 => Just(Deed::Late),
        1 => Just(Deed::LateException),
        1 => Just(Deed::Crc),
        1 => Just(Deed::Cut),
        1 => (1_u8..12).prop_map(Deed::Exception),
        1 => Just(Deed::OtherUnit),
        1 => Just(Deed::OtherUnitThenAnswer),
        1 => Just(Deed::OtherFunction),
        1 => Just(Deed::OtherShape),
    ]
}

fn any_deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => framed(),
        1 => Just(Deed::NoiseThenAnswer),
        1 => Just(Deed::Pieces),
        1 => Just(Deed::Twice),
    ]
}

/// The bytes of a deed; `dice` varies the delays.
fn replies(sent: &Sent, deed: Deed, dice: u64, site: &Site) -> Vec<(u64, Vec<u8>)> {
    let answer = sent.answer();
    let soon = sent.soonest_ns(&answer) + dice % (40 * MS);
    // Later than the timeout, within the window that the contract names.
    let late = sent.soonest_ns(&[]) + site.timeout_ms * MS + 1 + dice % (site.late_reply_ms * MS);
    let mut damaged = answer.clone();
    if let Some(byte) = damaged.get_mut(7) {
        *byte ^= 0x20;
    }
    let cut = answer[..5].to_vec();
    let other = sent.frame_of(
        99,
        &answer_pdu(0xFFFF, 99, sent.request.first(), sent.request.count()),
    );
    let mut function = answer_pdu(
        0xFFFF,
        sent.unit,
        sent.request.first(),
        sent.request.count(),
    );
    function[0] = 4;
    let shape = answer_pdu(0xFFFF, sent.unit, 0, sent.request.count() + 1);
    match deed {
        Deed::Answer => std::vec![(soon, answer)],
        Deed::Silence => Vec::new(),
        Deed::Late => std::vec![(late, answer)],
        Deed::LateException => std::vec![(late, sent.exception(4))],
        Deed::Crc => std::vec![(soon, damaged)],
        Deed::Cut => std::vec![(soon, cut)],
        Deed::Exception(code) => std::vec![(soon, sent.exception(code))],
        Deed::OtherUnit => std::vec![(soon, other)],
        Deed::OtherUnitThenAnswer => std::vec![(soon, other), (soon + 10 * MS, answer)],
        Deed::OtherFunction => std::vec![(soon, sent.frame(&function))],
        Deed::OtherShape => std::vec![(soon, sent.frame(&shape))],
        Deed::NoiseThenAnswer => {
            std::vec![
                (soon, std::vec![0xEE, 1, 2]),
                (soon + dice % (50 * MS), answer)
            ]
        }
        Deed::Pieces => {
            let (head, tail) = answer.split_at(4);
            std::vec![
                (soon, head.to_vec()),
                (soon + dice % (30 * MS), tail.to_vec())
            ]
        }
        Deed::Twice => std::vec![(soon, answer.clone()), (soon + MS, answer)],
    }
}

fn script(site: &Site, deeds: Vec<(Deed, u64)>, clean: Option<usize>) -> Script {
    let site = site.clone();
    Box::new(move |sent| {
        let (deed, dice) = deeds[sent.index % deeds.len()];
        let deed = if clean == Some(sent.place()) {
            Deed::Answer
        } else {
            deed
        };
        replies(sent, deed, dice, &site)
    })
}

fn sites() -> impl Strategy<Value = Site> {
    let addresses = prop::collection::btree_set(0_u16..120, 1..5);
    let meters = prop::collection::vec(addresses, 1..6);
    (
        any::<bool>(),
        200_u64..2_000,
        30_u64..200,
        20_u64..900,
        0_u32..3,
        meters,
    )
        .prop_map(
            |(serial, every_ms, timeout_ms, late_reply_ms, retries, meters)| Site {
                serial,
                baud: 19_200,
                every_ms,
                timeout_ms,
                late_reply_ms,
                // Said to echo, and does not: nothing is lost by it.
                echo: [contract::Echo::None, contract::Echo::Heard][(retries % 2) as usize],
                retries,
                turnaround_ms: 2,
                own: None,
                meters: meters
                    .into_iter()
                    .map(|addresses| addresses.into_iter().map(|address| address * 2).collect())
                    .collect(),
            },
        )
}

/// Something the host does at a time.
fn troubles() -> impl Strategy<Value = Vec<(u64, Input)>> {
    let lost = Input::LinkLost {
        detail: String::from("lost"),
    };
    let trouble = prop_oneof![
        Just(Input::QueueFull(true)),
        Just(Input::QueueFull(false)),
        Just(Input::QueueFull(false)),
        Just(lost),
        Just(Input::Received(std::vec![1, 3, 0x77, 0x10])),
        Just(Input::Tick),
    ];
    prop::collection::vec((0_u64..20_000, trouble), 0..8)
}

proptest! {
    #![proptest_config(Config { cases: 400, ..Config::default() })]

    //= A4.2
    //= A4.6
    //= A3.7
    #[test]
    fn every_slot_is_accounted_once_and_no_value_strays(
        site in sites(),
        deeds in prop::collection::vec((any_deed(), any::<u64>()), 1..60),
        troubles in troubles(),
        lease_ms in 0_u64..3_000,
        refusals in 0_usize..3,
        stop_ms in 0_u64..20_000,
    ) {
        let mut world = World::new(&site, script(&site, deeds, None));
        world.lease_ns = lease_ms * MS;
        world.refusals = refusals;
        for (at_ms, input) in troubles {
            world.at(MonoNs(at_ms * MS), input);
        }
        let stop = ANCHOR.plus_ns(stop_ms * MS);
        world.run_until(stop);
        world.stop();
        check_all(&world, &site, stop);
    }

    //= A3.7
    #[test]
    fn a_good_meter_among_bad_ones_has_a_clean_bucket(
        site in sites(),
        deeds in prop::collection::vec((framed(), any::<u64>()), 1..60),
        good in any::<prop::sample::Index>(),
    ) {
        let good = good.index(site.meters.len());
        let mut site = site;
        site.serial = true;
        site.timeout_ms = site.timeout_ms.max(120);
        let mut world = World::new(&site, script(&site, deeds, Some(good)));
        let stop = ANCHOR.plus_ns(15_000 * MS);
        world.run_until(stop);
        world.stop();
        check_all(&world, &site, stop);
        let own = world.failures().into_iter().filter(|failed| failed.meter_id == meter_id(good));
        for failed in own {
            let unserved = [AttemptCause::SlotOverrun, AttemptCause::Stopped];
            prop_assert!(unserved.contains(&failed.cause), "{:?}", failed);
        }
        prop_assert!(world.counter("late_reply_cnt", meter_id(good).as_str()) == 0);
    }
}
