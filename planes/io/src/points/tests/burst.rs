//! Bursts: whatever the edges are, each is recorded or counted with its reason, and none out of order.

use super::site::{MS, OPENED, Site, di, pulse};
use crate::points::{Edge, Input};
use evidence::MonoNs;
use evidence::kinds::Payload;
use evidence::reasons::SoeChange;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use std::string::String;
use std::vec::Vec;

const LINES: [(&str, u32); 3] = [("door", 4), ("valve", 5), ("water", 6)];

/// Steps of (distance in microseconds, line, edges that the kernel loses before it, edges read together).
fn run(policy: &str, steps: &[(u16, u8, u8, u8)]) -> Site {
    let points = di("door", 4, "") + &di("valve", 5, "active = \"low\"") + &pulse("water", 6, "");
    let mut site = Site::open(policy, &points);
    let (mut at, mut levels, mut seqnos) = (OPENED, [false; 3], [0u32; 3]);
    let mut read: Vec<Edge> = Vec::new();
    for (distance, line, lose, together) in steps {
        at += u64::from(*distance) * 1_000;
        // Whatever waits is read within 5 ms.
        if let Some(first) = read.first().filter(|first| at - first.at.0 > 5 * MS) {
            let then = first.at.0 + 5 * MS;
            site.feed(then, Input::Edges(std::mem::take(&mut read)));
        }
        let line = usize::from(*line) % 3;
        // The kernel drops what it has no room for; levels go on.
        let lost = if *lose > 250 {
            u32::from(*lose - 250)
        } else {
            0
        };
        levels[line] ^= lost % 2 == 0;
        seqnos[line] += lost + 1;
        read.push(Edge {
            at: MonoNs(at),
            line: LINES[line].1,
            rising: levels[line],
            line_seqno: seqnos[line],
        });
        if read.len() > usize::from(*together % 16) {
            site.feed(at, Input::Edges(std::mem::take(&mut read)));
        }
    }
    site.feed(at, Input::Edges(read));
    site.until(at + 500 * MS);
    site
}

/// The laws; `Err` says which one is broken.
fn laws(site: &Site, steps: &[(u16, u8, u8, u8)]) -> Result<(), String> {
    let sum = |name: &str| LINES.map(|(label, _)| site.counter(name, label));
    let check = |law: &str, holds: bool| match holds {
        true => Ok(()),
        false => Err(std::format!("{law}: {:?}", site.engine.counters())),
    };
    let lost: u64 = steps
        .iter()
        .map(|(_, _, lose, _)| u64::from(lose.saturating_sub(250)))
        .sum();
    check(
        "every edge was seen",
        sum("edge_cnt").iter().sum::<u64>() == steps.len() as u64,
    )?;
    check(
        "every lost edge was counted",
        sum("edge_lost_cnt").iter().sum::<u64>() == lost,
    )?;
    for (label, _) in LINES {
        let of = |name: &str| site.counter(name, label);
        let fates = of("edge_confirmed_cnt") + of("debounce_reject_cnt") + of("edge_pending_cnt");
        check("every edge has a fate", of("edge_cnt") == fates)?;
        check(
            "glitches are rejected edges",
            2 * of("glitch_cnt") <= of("debounce_reject_cnt"),
        )?;
        if label == "water" {
            let pairs = of("edge_confirmed_cnt").div_ceil(2);
            check("a pulse is two edges", of("pulse_cnt").abs_diff(pairs) <= 1)?;
            continue;
        }
        let told = of("soe_cnt") + of("soe_suppressed_cnt");
        check(
            "every change is told or counted",
            of("edge_confirmed_cnt") == told,
        )?;
        let records = site.records.iter().filter(|record| match record {
            Payload::Soe(soe) => soe.change == SoeChange::Edge && soe.point_id.as_str() == label,
            _ => false,
        });
        check(
            "what is told is a record",
            records.count() as u64 == of("soe_cnt"),
        )?;
    }
    let at = |record: &Payload| record.at();
    check(
        "no record is out of order",
        site.records.is_sorted_by_key(at),
    )?;
    check(
        "no edge came late",
        site.counter("edge_unordered_cnt", "dio") == 0,
    )
}

const POLICIES: [&str; 4] = [
    "window = \"0us\"\nchatter_on = 0",
    "window = \"2ms\"\nchatter_on = 0",
    "window = \"1ms\"\nchatter_on = 8\nchatter_off = 2\nchatter_time = \"50ms\"",
    "window = \"5ms\"\nnoise = 4\nchatter_time = \"100ms\"",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    //= R1.1
    //= R3.1
    //= A3.3
    #[test]
    fn every_edge_is_recorded_or_counted_and_none_out_of_order(
        steps in proptest::collection::vec(any::<(u16, u8, u8, u8)>(), 1..400),
        policy in 0..4usize,
        shrink in 1..60u16,
    ) {
        let steps: Vec<_> = steps.into_iter().map(|(d, l, k, t)| (d / shrink, l, k, t)).collect();
        let site = run(POLICIES[policy], &steps);
        prop_assert_eq!(laws(&site, &steps), Ok(()));
        prop_assert!(site.records.len() >= 2);
    }
}

/// 10,000 edges within a second, as they would come from a relay that flutters on three lines.
//= R1.1
//= A3.3
#[test]
fn ten_thousand_edges_in_a_second_are_all_recorded_or_counted() {
    for policy in POLICIES {
        let mut state = 0x9E37_79B9u32;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        };
        let steps: Vec<(u16, u8, u8, u8)> = (0..10_000)
            .map(|_| {
                let [a, b, c, d] = next().to_be_bytes();
                (100, a, if c == 255 { b } else { 0 }, d)
            })
            .collect();
        let site = run(policy, &steps);
        assert_eq!(laws(&site, &steps), Ok(()), "{policy}");
        if policy.contains("\"0us\"") {
            let told = site.counter("soe_cnt", "door") + site.counter("soe_cnt", "valve");
            assert!(
                told > 6_000,
                "without a window each change is a record: {told}"
            );
        }
    }
}
