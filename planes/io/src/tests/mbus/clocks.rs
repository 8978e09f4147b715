//! An M-Bus meter's clock is set: in its form, as a minute begins where it has no seconds, and nobody is in the way.

use super::{Line, by_primary, contract, slave};
use crate::Input;
use crate::tests::clocks::{met, order, stamp};
use crate::tests::world::{ANCHOR, MS, S};
use evidence::MonoNs;
use evidence::kinds::{ClockSet, Payload};
use mbus::link::{Frame, decode};
use mbus::moment::{type_f, type_i};
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

fn told(line: &Line) -> Vec<&ClockSet> {
    let told = line.records.iter().filter_map(|(.., one)| match one {
        Payload::ClockSet(told) => Some(told),
        _ => None,
    });
    told.collect()
}

/// The times that were sent, each with the instant at which it was whole at the meter.
pub(super) fn times(line: &Line) -> Vec<(MonoNs, String)> {
    let times = line.sent.iter().filter_map(|(at, bytes)| {
        let Ok(Frame::Long { payload, .. }) = decode(bytes) else {
            return None;
        };
        let read = match payload {
            [0x51, 0x04, 0x6D, rest @ ..] => type_f(*rest.first_chunk()?),
            [0x51, 0x06, 0x6D, rest @ ..] => type_i(*rest.first_chunk()?),
            _ => return None,
        };
        let arrives = at.plus_ns(line.timing.transfer_ns(bytes.len()));
        Some((arrives, read.unwrap().to_string()))
    });
    times.collect()
}

fn clock_of(utc_ns: i64) -> String {
    let s = utc_ns.div_euclid(1_000_000_000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60)
}

/// A meter shows what time it was when the last bit arrived, to the second, or at the minute.
pub(super) fn assert_true(arrives: MonoNs, shown: &str) {
    let utc_ns = stamp(arrives).timestamp.0;
    let half_ns = 500_000_000;
    let near = [-half_ns, 0, half_ns].map(|off| clock_of(utc_ns + off));
    let is = near.iter().any(|clock| shown.ends_with(clock.as_str()));
    assert!(is, "{shown}, {near:?}");
}

//= U6
//= A3.2
#[test]
fn an_mbus_meter_is_told_the_time_in_its_form_and_within_a_second() {
    for (form, address) in [
        ("type-i", "primary = 1"),
        ("type-f", "primary = 1"),
        ("type-f", "secondary = \"11111111\""),
        ("type-i", "secondary = \"11111111\""),
    ] {
        let mut meters = by_primary(3);
        meters[0] = format!("{address}\nclock_telegram = \"{form}\"");
        let mut line = Line::new(&contract("", &meters), (0..3).map(slave).collect());
        line.tells = true;
        line.at(MonoNs(0), met(&[]));
        let at = ANCHOR.plus_ns(13 * S);
        line.at(at, Input::Clock(order(11, "m0", at)));
        line.slots(9);
        let times = times(&line);
        let [(arrives, shown)] = &times[..] else {
            panic!("{form} {address}: {times:?}");
        };
        assert_true(*arrives, shown);
        if form == "type-f" {
            assert!(shown.ends_with(":00"), "{shown}");
        }
        let [one] = told(&line)[..] else {
            panic!("{:?}", told(&line));
        };
        assert_eq!((one.outcome.name(), one.reason.name()), ("told", "none"));
        // Nobody's slot was lost to it.
        for meter in ["m0", "m1", "m2"] {
            assert!(
                line.readings(meter).len() >= 2 * 8,
                "{form} {address} {meter}"
            );
            assert!(line.failures(meter).is_empty());
        }
    }
}

//= U6
#[test]
fn a_meter_that_is_silent_or_whose_bus_is_lost_has_an_outcome() {
    let meters = Vec::from(["primary = 1\nclock_telegram = \"type-i\"".to_string()]);
    for (silent, due) in [(true, "failed no_answer"), (false, "failed line_lost")] {
        let mut line = Line::new(&contract("", &meters), (0..1).map(slave).collect());
        line.tells = true;
        line.at(MonoNs(0), met(&[]));
        let at = ANCHOR.plus_ns(5 * S);
        line.at(at, Input::Clock(order(11, "m0", at)));
        line.fault = std::boxed::Box::new(move |bytes, spoken| match bytes.get(6) {
            Some(0x51) => Vec::new(),
            _ => spoken,
        });
        if !silent {
            let detail = "gone".to_string();
            line.at(at.plus_ns(100 * MS), Input::LinkLost { detail });
        }
        line.slots(3);
        let [one] = told(&line)[..] else {
            panic!("{:?}", told(&line));
        };
        assert_eq!(format!("{} {}", one.outcome, one.reason), due);
        assert_eq!(
            times(&line).len(),
            1,
            "a time is not sent again when it is old"
        );
        assert!(line.readings("m0").len() >= 4, "and it is read again");
    }
}
