//! Random plans, faults, latencies and host troubles: the account holds whatever happens.

use super::accounting::check_all;
use super::deeds::{Deed, any_deed, replies};
use super::site::Site;
use super::world::{ANCHOR, MS, Script, World};
use crate::Input;
use evidence::MonoNs;
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use proptest::test_runner::Config;
use std::boxed::Box;
use std::string::String;
use std::vec::Vec;

fn script(site: &Site, deeds: Vec<(Deed, u64)>) -> Script {
    let site = site.clone();
    Box::new(move |sent| {
        let deed = deeds[sent.index % deeds.len()];
        replies(sent, deed, &site, &[])
    })
}

/// Any site of one port.
pub(super) fn sites() -> impl Strategy<Value = Site> {
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
        let mut world = World::new(&site, script(&site, deeds));
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
}
