//! A meter's clock is set on a serial line: with which time, once, and what is said of it.

use super::recalls::{BAUD, Host, Writes};
use super::world::{ANCHOR, MS, S};
use crate::limits::{CLOCK_BOUND_NS_MAX, CLOCK_ORDER_AGE_NS_MAX};
use crate::{ClockAsked, Input};
use contract::{Contract, parse};
use evidence::kinds::{ClockOrder, ClockSet, Payload};
use evidence::reasons::{OffsetBucket, TimeQuality, TimeStatus};
use evidence::{Actor, CommitId, MonoNs, Stamp, TimeDetail, UtcNs};
use modbus::pdu::Request;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

/// What time it is at the monotonic 0: so many seconds and a half.
const ZERO_S: i64 = 1_800_000_000;

fn contract(clock: &str, kind: &str) -> Contract {
    let meter = |unit: u8| {
        format!(
            "[[meter]]\nid = \"m{unit}\"\nport = \"bus\"\nunit = {unit}\nschedule = \"s\"\nclock_zone = \"+01:00\"\n{clock}\n\
             [[meter.point]]\nid = \"clock\"\nregister = \"holding:0\"\ntype = \"{kind}\"\nrole = \"clock\"\n\
             word_order = \"low-first\"\n"
        )
    };
    let text = format!(
        "[station]\norigin = \"a/b\"\n[[port]]\nid = \"bus\"\nkind = \"modbus-rtu\"\ndevice = \"/dev/x\"\nbaud = {BAUD}\n\
         timeout = \"200ms\"\nlate_reply = \"400ms\"\nretries = 0\n\
         [[schedule]]\nid = \"s\"\nevery = \"2s\"\n{}{}",
        meter(1),
        meter(2)
    );
    parse(&text).unwrap_or_else(|errors| panic!("{errors:?}"))
}

pub(super) fn stamp(at: MonoNs) -> Stamp {
    let since = i64::try_from(at.0).unwrap();
    Stamp {
        timestamp: UtcNs(ZERO_S * 1_000_000_000 + 500_000_000 + since),
        quality: TimeQuality::Synced,
        status: TimeStatus::Locked,
        bound_ns: Some(CLOCK_BOUND_NS_MAX),
        detail: TimeDetail::Offset(OffsetBucket::Below1Us),
    }
}

pub(super) fn order(id: u64, meter: &str, at: MonoNs) -> ClockAsked {
    ClockAsked::Order {
        id: CommitId(id),
        order: ClockOrder {
            at,
            meter_id: meter.parse().unwrap(),
            actor: Actor::local("ada", 7),
            reason: "it runs off".to_string(),
        },
        stamp: stamp(at),
    }
}

/// The recorder is met at 10, with these orders open.
pub(super) fn met(open: &[(&str, u64)]) -> Input {
    let open = open.iter();
    Input::Clock(ClockAsked::Met {
        from: CommitId(10),
        open: open
            .map(|(meter, id)| (meter.parse().unwrap(), CommitId(*id)))
            .collect(),
    })
}

/// What is said of each order: its number, outcome and reason.
fn said(host: &Host) -> Vec<String> {
    let told = host.records.iter().filter_map(|(seq, one)| match one {
        Payload::ClockSet(told) => {
            assert_eq!(*seq, None);
            Some(format!("{} {} {}", told.order, told.outcome, told.reason))
        }
        _ => None,
    });
    told.collect()
}

fn writes(host: &Host) -> Vec<(MonoNs, u8, Request)> {
    let is = |one: &&(MonoNs, u8, Request)| matches!(one.2, Request::WriteMultipleRegisters(_));
    host.sent.iter().filter(is).cloned().collect()
}

/// The same line with one order for a meter, at a time after the first slot.
fn one_order(contract: &Contract, writes: Writes, change: impl FnOnce(&mut Stamp)) -> Host {
    let mut host = Host::of(contract, &[], true);
    host.writes = writes;
    host.at(0, met(&[]));
    let at = ANCHOR.plus_ns(500 * MS);
    let ClockAsked::Order {
        id,
        order,
        mut stamp,
    } = order(11, "m2", at)
    else {
        unreachable!()
    };
    change(&mut stamp);
    host.at(
        at.0 + MS,
        Input::Clock(ClockAsked::Order { id, order, stamp }),
    );
    host.run(90)
}

//= U6
#[test]
fn a_meter_is_told_the_time_once_to_the_second_in_its_own_zone_and_form() {
    for (kind, words) in [("u32", 2), ("u64", 4)] {
        let contract = contract("clock_register = \"holding:40\"", kind);
        let host = one_order(&contract, Writes::Taken, |_| ());
        let [(at, 2, Request::WriteMultipleRegisters(write))] = &writes(&host)[..] else {
            panic!("{:?}", writes(&host));
        };
        assert_eq!((write.span().first(), write.span().count()), (40, words));
        let pairs = write.registers().as_bytes().chunks(2).rev();
        let shows = pairs.fold(0_i64, |all, pair| {
            all << 16 | i64::from(u16::from_be_bytes([pair[0], pair[1]]))
        });
        // Half a second was over at 0; the frame takes some milliseconds.
        let now_ms = i64::try_from(at.0 / MS).unwrap();
        let due_s = ZERO_S + 3_600 + (500 + now_ms + 7 + 500) / 1_000;
        assert_eq!(shows, due_s);
        assert_eq!(said(&host), ["11 told none"]);
        let told = host.records.iter().find_map(|(_, one)| match one {
            Payload::ClockSet(told) => Some(told),
            _ => None,
        });
        let told: &ClockSet = told.unwrap();
        assert_eq!((told.meter_time_s, told.sent_at), (Some(shows), Some(*at)));
        assert_eq!(told.source.as_str(), "bus");
    }
}

//= U6
//= R6.7
#[test]
fn what_holds_an_order_back_is_told_and_nothing_is_written() {
    let can = contract("clock_register = \"holding:40\"", "u32");
    let cannot = contract("", "u32");
    type Change = fn(&mut Stamp);
    let cases: [(&Contract, Change, &str); 4] = [
        (&cannot, |_| (), "11 refused not_settable"),
        (
            &can,
            |stamp| stamp.quality = TimeQuality::RtcOnly,
            "11 refused time_unsure",
        ),
        (
            &can,
            |stamp| stamp.bound_ns = None,
            "11 refused time_unsure",
        ),
        (
            &can,
            |stamp| stamp.bound_ns = Some(CLOCK_BOUND_NS_MAX + 1),
            "11 refused time_unsure",
        ),
    ];
    for (contract, change, due) in cases {
        let host = one_order(contract, Writes::Taken, change);
        assert_eq!(
            (said(&host), writes(&host).len()),
            (Vec::from([due.to_string()]), 0)
        );
    }
    for (writes_are, due) in [
        (Writes::Declined, "11 failed declined"),
        (Writes::Lost, "11 failed no_answer"),
    ] {
        let host = one_order(&can, writes_are, |_| ());
        assert_eq!(
            (said(&host), writes(&host).len()),
            (Vec::from([due.to_string()]), 1)
        );
    }
}

/// Nobody waits for ever, and nothing is written twice, whatever ends between.
//= U6
//= R6.7
#[test]
fn an_order_is_carried_out_once_and_each_has_its_outcome() {
    let contract = contract("clock_register = \"holding:40\"", "u32");
    let mut host = Host::of(&contract, &[], true);
    // One that came to a process before this one, and one that the recorder did not hand over when it ended.
    host.at(0, met(&[("m1", 4)]));
    let at = ANCHOR.plus_ns(100 * MS);
    host.at(at.0, Input::Clock(order(11, "m1", at)));
    host.at(at.0 + MS, Input::Clock(order(11, "m1", at)));
    let again = ClockAsked::Met {
        from: CommitId(20),
        open: Vec::from([
            ("m1".parse().unwrap(), CommitId(4)),
            ("m2".parse().unwrap(), CommitId(12)),
        ]),
    };
    host.at(at.0 + S, Input::Clock(again));
    host.at(at.0 + 2 * S, Input::Clock(order(12, "m2", at)));
    host.at(at.0 + 3 * S, Input::Clock(order(9, "m2", at)));
    let host = host.run(4);
    assert_eq!(writes(&host).len(), 1);
    let due = [
        "4 unknown interrupted",
        "11 told none",
        "4 unknown interrupted",
        "12 refused interrupted",
    ];
    assert_eq!(said(&host), due);
}

//= U6
#[test]
fn an_order_on_a_line_that_never_opens_ends_and_so_does_one_at_a_stop() {
    let contract = contract("clock_register = \"holding:40\"", "u32");
    let mut host = Host::of(&contract, &[], true);
    let lost = || Input::LinkLost {
        detail: "gone".to_string(),
    };
    host.at(0, met(&[]));
    // The port is lost again as soon as it opens.
    for tenth in 1..2_000 {
        host.at(tenth * 100 * MS, lost());
    }
    let at = MonoNs(50 * MS);
    host.at(at.0, Input::Clock(order(11, "m1", at)));
    let late = MonoNs(CLOCK_ORDER_AGE_NS_MAX + 10 * S);
    host.at(late.0, Input::Clock(order(12, "m1", late)));
    host.at(late.0 + 10 * MS, Input::Stop);
    // What comes when the engine has stopped is told by the next one, which meets it open.
    host.at(late.0 + 20 * MS, Input::Clock(order(13, "m1", late)));
    let host = host.run(90);
    let due = ["11 refused too_old", "12 refused stopping"];
    assert_eq!(said(&host), due);
    assert_eq!(writes(&host).len(), 0);
}

/// A session of two requests of which the first reads the clock: what it read is all of before the write, or all of behind it.
//= U6
#[test]
fn a_clock_is_written_between_two_sessions_of_its_meter() {
    let far = "register = \"holding:0\"";
    let text = |meter: &str| {
        format!(
            "[station]\norigin = \"a/b\"\n[[port]]\nid = \"bus\"\nkind = \"modbus-rtu\"\ndevice = \"/dev/x\"\nbaud = {BAUD}\n\
             timeout = \"200ms\"\nlate_reply = \"400ms\"\nretries = 0\n[[schedule]]\nid = \"s\"\nevery = \"2s\"\n{meter}"
        )
    };
    let meter = |unit: u8| {
        format!(
            "[[meter]]\nid = \"m{unit}\"\nport = \"bus\"\nunit = {unit}\nschedule = \"s\"\nclock_register = \"holding:40\"\n\
             [[meter.point]]\nid = \"clock\"\n{far}\ntype = \"u32\"\nrole = \"clock\"\n\
             [[meter.point]]\nid = \"far\"\nregister = \"holding:200\"\ntype = \"u32\"\n"
        )
    };
    let contract =
        parse(&text(&(meter(1) + &meter(2)))).unwrap_or_else(|errors| panic!("{errors:?}"));
    for ms in 0..60 {
        let mut host = Host::of(&contract, &[], true);
        host.at(0, met(&[]));
        let at = ANCHOR.plus_ns(ms * MS);
        host.at(at.0, Input::Clock(order(11, "m1", at)));
        let host = host.run(3);
        let of_m1: Vec<u16> = host
            .sent
            .iter()
            .filter(|(_, unit, _)| *unit == 1)
            .map(|(.., request)| request.first())
            .collect();
        let at = of_m1
            .iter()
            .position(|first| *first == 40)
            .expect("it is written");
        assert_eq!(at % 2, 0, "{ms} ms: {of_m1:?}");
        assert_eq!(said(&host), ["11 told none"]);
    }
}
