//! Pulse meters and analog inputs on a card.

use super::site::{MS, OPENED, Site, contract, pulse};
use crate::points::{Input, Restored};
use evidence::Slot;
use evidence::reasons::{AnalogCause, CountBasis, QualityReason};
use std::collections::BTreeMap;
use std::string::{String, ToString};
use std::vec::Vec;

const POLICY: &str = "window = \"20ms\"\nchatter_on = 0";

fn pulses(site: &mut Site, from: u64, count: u64) {
    for turn in 0..count {
        site.edge(OPENED + from + turn * 100 * MS, 6, true);
        site.edge(OPENED + from + turn * 100 * MS + 40 * MS, 6, false);
    }
}

//= A3.3
#[test]
fn a_snapshot_has_exactly_the_pulses_before_its_slot() {
    let mut site = Site::open(
        POLICY,
        &pulse("water", 6, "weight = \"0.01\"\nunit = \"m3\""),
    );
    pulses(&mut site, 100 * MS, 3);
    // This one begins before the slot and is confirmed behind it; the next begins behind it.
    site.edge(OPENED + 990 * MS, 6, true);
    site.edge(OPENED + 1_030 * MS, 6, false);
    site.edge(OPENED + 1_060 * MS, 6, true);
    site.until(OPENED + 2_100 * MS);
    let found: Vec<_> = site.pulses().into_iter().cloned().collect();
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].count, found[1].count), (4, 5));
    assert_eq!(found[0].at.0, OPENED + 1_000 * MS);
    assert_eq!(found[0].pulse_at.map(|at| at.0), Some(OPENED + 990 * MS));
    assert_eq!(
        found[0].slot,
        Some(Slot {
            version: 1,
            number: 100
        })
    );
    assert_eq!(found[0].value.unwrap().to_string(), "0.04");
    assert_eq!(
        (found[0].basis, found[1].basis),
        (CountBasis::Fresh, CountBasis::Live)
    );
    assert_eq!(found[0].quality.reason, QualityReason::None);
    assert_eq!(site.counts.get(&"water".parse().unwrap()), Some(&5));
}

//= A3.3
#[test]
fn a_count_goes_on_where_it_stood_and_says_that_pulses_may_be_missing() {
    let contract = contract(POLICY, &pulse("water", 6, ""));
    let restored = Restored {
        count: 1_000,
        basis: CountBasis::Board,
    };
    let counts = BTreeMap::from([("water".parse().unwrap(), restored)]);
    let mut site = Site::new(&contract, &counts);
    site.start(&contract);
    pulses(&mut site, 100 * MS, 2);
    site.feed(OPENED + 1_500 * MS, Input::Stop);
    site.until(OPENED + 1_510 * MS);
    let found = site.pulses();
    assert_eq!((found[0].count, found[0].basis), (1_002, CountBasis::Board));
    assert_eq!(found[0].quality.reason, QualityReason::MissedPulses);
    assert_eq!(
        (found[1].count, found[1].slot, found[1].suspect),
        (1_002, None, 0)
    );
    assert!(site.stopped);
}

//= A3.3
#[test]
fn lost_edges_and_pulses_almost_long_enough_are_suspected() {
    let mut site = Site::open(POLICY, &pulse("water", 6, ""));
    site.until(OPENED + 50 * MS);
    // Half of the window or more is suspect, less is a glitch.
    for (at, width) in [(100, 9), (200, 10), (300, 19)] {
        site.edge(OPENED + at * MS, 6, true);
        site.edge(OPENED + (at + width) * MS, 6, false);
    }
    site.lose(6, 5);
    site.edge(OPENED + 400 * MS, 6, true);
    site.until(OPENED + 1_200 * MS);
    let found = site.pulses()[0];
    assert_eq!((found.count, found.suspect), (1, 2 + 3));
    assert_eq!(site.counter("glitch_cnt", "water"), 3);
    assert!(
        site.events
            .contains(&"pulses_suspect water: 5 or more since the snapshot before".to_string())
    );
}

//= A3.3
#[test]
fn passing_the_capacity_of_a_register_is_an_event_and_the_count_goes_on() {
    let mut site = Site::open(POLICY, &pulse("water", 6, "capacity = 2"));
    pulses(&mut site, 100 * MS, 5);
    site.until(OPENED + 1_200 * MS);
    assert_eq!(site.pulses()[0].count, 5);
    assert_eq!(site.counter("pulse_overflow_evt", "water"), 2);
    assert!(
        site.events
            .contains(&"pulse_overflow water passed 2, 2 times by now".to_string())
    );
}

//= R3.3
//= R3.4
#[test]
fn an_analog_value_is_told_on_slots_beyond_its_deadband_and_when_its_quality_changes() {
    let channel = "[[card]]\nid = \"box\"\nkind = \"hwmon\"\npath = \"/sys/class/hwmon/hwmon0\"\n";
    let point = "[[ai]]\nid = \"temp\"\ncard = \"box\"\nchannel = \"temp1_input\"\nschedule = \"second\"\n\
                 sample = \"100ms\"\nscale = \"0.001\"\ndeadband = \"0.5\"\nrange = [\"-40\", \"85\"]\n\
                 calibration = \"2026-03\"\n";
    let text = std::format!("{channel}{point}").replace("\"box\"", "\"dio\"");
    let text = text.replace(
        "[[card]]\nid = \"dio\"\nkind = \"hwmon\"\npath = \"/sys/class/hwmon/hwmon0\"\n",
        "",
    );
    let whole = std::format!(
        "[station]\norigin = \"example.org/s1\"\n[[schedule]]\nid = \"second\"\nevery = \"1s\"\n\
         [[card]]\nid = \"dio\"\nkind = \"hwmon\"\npath = \"/sys/class/hwmon/hwmon0\"\n{text}"
    );
    let contract = contract::parse(&whole).unwrap();
    let mut site = Site::new(&contract, &BTreeMap::new());
    site.start(&contract);
    let sample = |site: &mut Site, at: u64, raw: Result<&str, &str>| {
        let channel = String::from("temp1_input");
        let taken = raw.map(|raw| raw.parse().unwrap()).map_err(String::from);
        site.feed(OPENED + at * MS, Input::Sample { channel, taken });
    };
    for (at, raw) in [
        (100, "21000"),
        (200, "21400"),
        (300, "21600"),
        (400, "90000"),
    ] {
        sample(&mut site, at, Ok(raw));
    }
    sample(&mut site, 500, Ok("21600"));
    sample(&mut site, 600, Err("No such device"));
    sample(&mut site, 950, Ok("21700"));
    site.until(OPENED + 1_600 * MS);
    let found: Vec<String> = site
        .analogs()
        .into_iter()
        .map(|one| {
            let value = one
                .value
                .map_or(String::from("-"), |value| value.to_string());
            let at = (one.at.0 - OPENED) / MS;
            std::format!(
                "{at} {value} {} {} {}",
                one.cause,
                one.quality,
                one.quality.reason
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "100 21.000 quality good none",
            "300 21.600 spontaneous good none",
            "400 90.000 quality invalid out_of_range",
            "500 21.600 quality good none",
            "600 - quality invalid source_lost",
            "950 21.700 quality good none",
            "950 21.700 cyclic good none",
            "950 21.700 quality invalid stale",
        ]
    );
    assert_eq!(site.analogs()[0].calibration.as_deref(), Some("2026-03"));
    assert!(
        site.analogs()
            .iter()
            .filter(|one| one.cause == AnalogCause::Cyclic)
            .count()
            == 1
    );
    assert!(site.reads.len() >= 15, "{:?}", site.reads.len());
}
