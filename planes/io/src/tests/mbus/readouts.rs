//! Readouts of an M-Bus: values, heads, what is not there, who is another, what a battery allows.

use super::{BAUD, Line, by_primary, contract, slave, telegram, volumes, who};
use crate::Input;
use crate::tests::world::{ANCHOR, FIRST_SEQ, MS};
use evidence::reasons::{AttemptCause, EventCode, QualityReason};
use evidence::{MonoNs, Quality, Seq};
use mbus::slave::Spoken;
use std::boxed::Box;
use std::format;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

fn text(value: Option<evidence::Decimal>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn codes(line: &Line) -> Vec<EventCode> {
    line.events().iter().map(|event| event.code).collect()
}

//= A3.2
//= A2.1
#[test]
fn readings_carry_the_record_and_its_exact_value_and_the_head_comes_with_them() {
    let slaves = vec![slave(0), slave(1)];
    let mut line = Line::new(&contract("", &by_primary(2)), slaves);
    line.slots(2);
    let readings = line.readings("m1");
    assert_eq!(readings.len(), 4);
    let (volume, before) = (readings[0], readings[1]);
    assert_eq!(text(volume.value), "0.101");
    assert_eq!(volume.raw.0, [0x01, 0x13, 101]);
    assert_eq!(
        (volume.seq, volume.quality),
        (Seq(FIRST_SEQ), Quality::GOOD)
    );
    assert_eq!((text(before.value).as_str(), before.attempt), ("50.000", 0));
    let reports = line.reports("m1");
    assert_eq!(reports.len(), 2);
    assert_eq!(reports[0].serial.as_deref(), Some("22222222"));
    assert_eq!(reports[0].manufacturer.as_deref(), Some("LUG"));
    let numbers: Vec<_> = reports.iter().map(|report| report.access_number).collect();
    assert_eq!(numbers, [Some(1), Some(2)]);
    // The FCB is known by now: no second initialisation.
    assert_eq!(line.sent.len(), 2 * 2 + 2);
    assert!(line.failures("m0").is_empty() && line.failures("m1").is_empty());
    assert_eq!(line.counter("drop_cnt", "m1"), Some(0));
    let cycle = line.engine.cycle(&"s".parse().unwrap()).unwrap();
    assert!(cycle.measured_ns.unwrap() < 1_000 * MS, "{cycle:?}");
    line.stop();
}

/// A telegram that nobody here can decode, as encrypted ones are, is carried whole.
//= U7
#[test]
fn a_readout_that_is_carried_is_all_its_frames_and_serves_its_slot() {
    let text = "[station]\norigin = \"a/b\"\n[[port]]\nid = \"bus\"\nkind = \"mbus\"\ndevice = \"/dev/x\"\n\
         latency = \"0ms\"\npower_up = \"0ms\"\n[[schedule]]\nid = \"s\"\nevery = \"10s\"\n\
         [[meter]]\nid = \"m0\"\nport = \"bus\"\nschedule = \"s\"\nprimary = 1\n\
         [[meter.point]]\nid = \"all\"\npayload = \"application/x-mbus-frames\"\n\
         [[meter.point]]\nid = \"block\"\nrecord = 0\npayload = \"application/octet-stream\"\n";
    let contract = contract::parse(text).unwrap_or_else(|errors| panic!("{errors:?}"));
    // DIF 0Fh: from here on the manufacturer's own.
    let secret = [0x0F, 0xDE, 0xAD, 0xBE, 0xEF];
    let frame = telegram(1, &who(0), 0, &secret);
    let meter = mbus::slave::Slave::new(vec![frame.clone()], BAUD).unwrap();
    let mut line = Line::new(&contract, vec![meter]);
    line.slots(2);
    assert!(line.failures("m0").is_empty(), "{:?}", line.failures("m0"));
    let carried = line.carried("m0");
    let told: Vec<_> = carried
        .iter()
        .map(|one| {
            (
                one.point_id.as_str(),
                one.seq.0 - FIRST_SEQ,
                one.bytes.0.clone(),
            )
        })
        .collect();
    let block = secret.to_vec();
    assert_eq!(
        told,
        [
            ("all", 0, frame.clone()),
            ("block", 0, block.clone()),
            ("all", 1, frame),
            ("block", 1, block),
        ]
    );
    for one in carried {
        assert_eq!(one.length_bytes, one.bytes.0.len() as u64);
        assert_eq!(one.quality, Quality::GOOD);
        assert!(one.slot.is_some());
    }
}

//= A3.2
#[test]
fn where_another_master_speaks_each_readout_begins_anew() {
    let mut line = Line::new(&contract("shared = true", &by_primary(1)), vec![slave(0)]);
    line.slots(3);
    assert_eq!(line.sent.len(), 6);
    assert_eq!(line.readings("m0").len(), 6);
}

//= A3.2
#[test]
fn a_selected_meter_is_read_at_a_speed_of_its_own_and_let_go() {
    let lines = [
        "secondary = \"11111111\"\nbaud = 300",
        "secondary = \"22222222\"",
    ];
    let mut slow = slave(0);
    slow.baud = 300;
    let contract = contract("", &lines.map(String::from));
    let mut line = Line::new(&contract, vec![slow, slave(1)]);
    line.slots(1);
    assert_eq!(line.readings("m0").len(), 2, "{:?}", line.failures("m0"));
    assert_eq!(line.readings("m1").len(), 2);
    assert_eq!(line.speeds, [300, BAUD]);
    assert_eq!(line.sent.len(), 6, "selected, read, let go");
}

/// Who drops out, how often and for how long: short runs are a disturbed line, a long one is a meter that is gone.
//= A3.2
#[test]
fn runs_of_missed_readouts_are_counted_by_their_length_for_the_meter_that_dropped_out() {
    let mut line = Line::new(&contract("", &by_primary(2)), vec![slave(0), slave(1)]);
    let mut slot = 1;
    line.slots(slot);
    for missed in [1, 3, 1] {
        let away = line.bus.slaves.pop().unwrap();
        slot += missed;
        line.slots(slot);
        assert_eq!(line.counter("drop_run_now", "m1"), Some(missed));
        line.bus.slaves.push(away);
        slot += 1;
        line.slots(slot);
        assert_eq!(line.counter("drop_run_now", "m1"), Some(0));
    }
    assert_eq!(line.counter("drop_cnt", "m1"), Some(5));
    assert_eq!(line.counter("drop_run", "m1/1"), Some(2));
    assert_eq!(line.counter("drop_run", "m1/3-4"), Some(1));
    for bucket in ["2", "5-8", "9-16", "17-64", ">64"] {
        assert_eq!(line.counter("drop_run", &format!("m1/{bucket}")), None);
    }
    assert_eq!(line.counter("drop_cnt", "m0"), Some(0));
    assert_eq!(line.counter("drop_run", "m0/1"), None);
}

//= A3.2
//= A3.7
#[test]
fn a_dead_meter_is_a_timeout_of_its_own_and_holds_up_nobody() {
    let slaves = vec![slave(0), slave(2)];
    let mut line = Line::new(&contract("", &by_primary(3)), slaves);
    line.slots(8);
    for alive in ["m0", "m2"] {
        assert_eq!(line.readings(alive).len(), 16);
        assert!(line.failures(alive).is_empty());
    }
    let failed = line.failures("m1");
    assert!(
        failed
            .iter()
            .all(|one| { [AttemptCause::Timeout, AttemptCause::Quarantined].contains(&one.cause) })
    );
    // Three requests for each of five sessions, then quarantine.
    assert_eq!(line.counter("if_err_cnt", "m1/timeout"), Some(3 * 5 + 3));
    assert_eq!(line.counter("quarantine_cnt", "m1"), Some(1));
    assert_eq!(line.counter("drop_cnt", "m1"), Some(6));
    // It is out since the first of them: no run is over.
    assert_eq!(line.counter("drop_run_now", "m1"), Some(6));
    assert_eq!(line.counter("drop_run", "m1/5-8"), None);
    assert_eq!(line.counter("drop_run_now", "m0"), Some(0));
    assert!(
        failed
            .iter()
            .filter(|one| one.last)
            .all(|one| one.points.len() == 2)
    );
    line.stop();
}

//= A3.2
#[test]
fn a_record_that_is_not_what_the_contract_says_is_a_failure_with_its_cause() {
    let two = [volumes(7), volumes(7)].concat();
    let joules = vec![0x01, 0x0B, 5, 0x41, 0x13, 5];
    for (records, causes, read) in [
        (vec![0x01, 0x5B, 20], vec![AttemptCause::RecordMissing], 0),
        (two, vec![AttemptCause::RecordAmbiguous], 1),
        (joules, vec![AttemptCause::RecordMissing], 1),
        (vec![0x01, 0x13, 7, 0x41, 0x2B, 7], vec![], 2),
    ] {
        let mut one = slave(0);
        one.serve(vec![telegram(1, &who(0), 0, &records)]);
        let mut line = Line::new(&contract("", &by_primary(1)), vec![one]);
        line.slots(2);
        let failed = line.failures("m0");
        let found: Vec<_> = failed.iter().map(|one| one.cause).collect();
        assert_eq!(found, [causes.clone(), causes.clone()].concat());
        assert_eq!(line.readings("m0").len(), 2 * read, "{records:?}");
        let changed = codes(&line);
        let changed = changed
            .iter()
            .filter(|code| **code == EventCode::RecordChanged);
        assert_eq!(
            changed.count(),
            usize::from(!causes.is_empty()) * (2 - read)
        );
    }
}

//= A3.2
#[test]
fn a_record_in_another_unit_is_no_reading() {
    let mut one = slave(0);
    one.serve(vec![telegram(
        1,
        &who(0),
        0,
        &[0x01, 0x03, 5, 0x41, 0x13, 5],
    )]);
    let mut contract = contract("", &by_primary(1));
    for meter in contract.meters.values_mut() {
        if let contract::Source::Record(pick) = &mut meter.points[0].from {
            pick.quantity = Some(String::from("Energy"));
        }
    }
    let mut line = Line::new(&contract, vec![one]);
    line.slots(1);
    let failed = line.failures("m0");
    assert_eq!(
        (failed.len(), failed[0].cause),
        (1, AttemptCause::RecordUnit)
    );
    let events = line.events();
    let changed = events
        .iter()
        .find(|one| one.code == EventCode::RecordChanged);
    let words = changed.unwrap().detail.clone().unwrap();
    assert!(words.contains("in Wh, the contract says m^3"), "{words}");
}

//= A3.2
//= U2
#[test]
fn another_meter_than_the_contract_names_is_told_and_not_read() {
    let other = telegram(1, &who(5), 0, &volumes(9));
    for (lines, read, told) in [
        // Nobody is named: whoever answers is read, and known by the serial number in each report.
        ("primary = 1", 4, 0),
        ("primary = 1\nsecondary = \"11111111\"", 1, 1),
    ] {
        let mut line = Line::new(&contract("", &[String::from(lines)]), vec![slave(0)]);
        line.slots(1);
        line.bus.slaves[0].serve(vec![other.clone()]);
        line.slots(4);
        assert_eq!(line.readings("m0").len(), 2 * read, "{lines}");
        let identity = codes(&line);
        let identity = identity
            .iter()
            .filter(|code| **code == EventCode::MeterIdentity);
        assert_eq!(identity.count(), told, "{lines}");
        let mut causes: Vec<_> = line.failures("m0").iter().map(|one| one.cause).collect();
        causes.dedup();
        let due = if read == 4 {
            vec![]
        } else {
            vec![AttemptCause::OtherMeter]
        };
        assert_eq!(causes, due, "{lines}");
    }
}

//= A3.2
#[test]
fn a_meter_in_error_has_readings_to_be_used_with_care_and_says_so_once() {
    let mut line = Line::new(&contract("", &by_primary(1)), vec![slave(0)]);
    line.slots(1);
    line.bus.slaves[0].serve(vec![telegram(1, &who(0), 0x10, &volumes(9))]);
    line.slots(3);
    let qualities: Vec<_> = line.readings("m0").iter().map(|one| one.quality).collect();
    let care = Quality::questionable(QualityReason::MeterStatus);
    assert_eq!(
        qualities,
        [Quality::GOOD, Quality::GOOD, care, care, care, care]
    );
    let events = line.events();
    let told: Vec<_> = events
        .iter()
        .filter(|event| event.code == EventCode::MeterStatus)
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(
        told[0].detail.as_deref(),
        Some("status 10h: temporary error")
    );
    assert_eq!(line.reports("m0")[1].status, Some(0x10));
}

//= A3.2
#[test]
fn a_battery_is_not_read_beyond_its_budget_whatever_the_clock_does() {
    let mut contract = contract("", &by_primary(1));
    for meter in contract.meters.values_mut() {
        if let contract::Address::Mbus(address) = &mut meter.address {
            address.reads_per_day = Some(3);
        }
    }
    let mut line = Line::new(&contract, vec![slave(0)]);
    line.slots(5);
    assert_eq!(line.readings("m0").len(), 6);
    let causes: Vec<_> = line.failures("m0").iter().map(|one| one.cause).collect();
    assert_eq!(causes, [AttemptCause::BudgetSpent; 2]);
    assert_eq!(line.sent.len(), 4, "nothing is sent for what is not read");
}

//= A3.2
//= A3.7
#[test]
fn a_late_reply_is_told_and_never_a_reading() {
    let mut line = Line::new(&contract("", &by_primary(2)), vec![slave(0), slave(1)]);
    let late = Box::new(|request: &[u8], spoken: Vec<Spoken>| {
        let asks = request.get(1..3) == Some(&[0x7B, 1]) || request.get(1..3) == Some(&[0x5B, 1]);
        let later = |one: Spoken| Spoken {
            after_bits: one.after_bits + if asks { 460 } else { 0 },
            ..one
        };
        spoken.into_iter().map(later).collect()
    });
    line.fault = late;
    line.slots(3);
    assert!(line.readings("m0").is_empty());
    assert_eq!(line.readings("m1").len(), 6);
    assert!(line.failures("m1").is_empty());
    assert!(line.counter("late_reply_cnt", "m0") > Some(0));
    assert_eq!(line.counter("late_reply_cnt", "m1"), Some(0));
    assert!(codes(&line).contains(&EventCode::LateReply));
    let causes = line.failures("m0");
    assert!(
        causes.iter().all(|one| one.cause == AttemptCause::Timeout),
        "{causes:?}"
    );
}

//= R5.3
#[test]
fn a_port_that_goes_ends_its_readout_and_power_comes_before_the_next() {
    let power = contract("", &by_primary(1));
    let mut line = Line::new(&power, vec![slave(0)]);
    line.run_until(ANCHOR.plus_ns(60 * MS));
    let detail = String::from("unplugged");
    line.at(line.now, Input::LinkLost { detail });
    line.slots(2);
    let failed = line.failures("m0");
    assert_eq!(
        (failed.len(), failed[0].cause),
        (1, AttemptCause::PortUnavailable)
    );
    assert_eq!(line.readings("m0").len(), 2);
    // A converter that needs three seconds, and a slot that is due after two.
    let text = "";
    let mut slow = contract(text, &by_primary(1));
    for port in slow.ports.values_mut() {
        if let contract::PortKind::Mbus(line) = &mut port.kind {
            line.power_up_ms = 3_000;
        }
    }
    let mut line = Line::new(&slow, vec![slave(0)]);
    line.slots(1);
    let first = line.sent[0].0;
    assert!(first >= MonoNs(3_000 * MS), "{first:?}");
    assert_eq!(line.readings("m0").len(), 2);
}

//= A4.6
#[test]
fn a_stop_waits_for_no_readout() {
    for into_ms in [1, 30, 60, 90, 150, 400] {
        let mut line = Line::new(&contract("", &by_primary(2)), vec![slave(0), slave(1)]);
        line.run_until(ANCHOR.plus_ns(into_ms * MS));
        let stopped_at = line.now;
        line.stop();
        let asks = |(at, _): &&(MonoNs, Vec<u8>)| *at > stopped_at;
        assert!(
            line.sent.iter().find(asks).is_none(),
            "a request after the stop"
        );
        for meter in ["m0", "m1"] {
            let all = line.readings(meter).len()
                + line
                    .failures(meter)
                    .last()
                    .map_or(0, |one| one.points.len());
            assert_eq!(all, 2, "{into_ms} {meter}: {:?}", line.failures(meter));
        }
    }
}

/// What was read of a selected meter is kept, and it is let go.
//= A4.6
//= A3.2
#[test]
fn a_stop_behind_the_data_keeps_them() {
    let lines = [String::from("secondary = \"11111111\"")];
    let mut line = Line::new(&contract("", &lines), vec![slave(0)]);
    while line.sent.len() < 2 {
        let next = line.now.plus_ns(MS);
        line.run_until(next);
    }
    let reply = line.now.plus_ns(60 * MS);
    line.run_until(reply);
    line.stop();
    assert_eq!(line.readings("m0").len(), 2, "{:?}", line.failures("m0"));
    assert_eq!(line.sent.len(), 3);
}

//= A3.2
#[test]
fn several_telegrams_are_one_readout_and_their_records_count_on() {
    let first = [volumes(1), vec![0x1F]].concat();
    let second = vec![0x01, 0x5B, 20];
    let frames = vec![
        telegram(1, &who(0), 0, &first),
        telegram(1, &who(0), 0, &second),
    ];
    let mut one = slave(0);
    one.serve(frames);
    let mut contract = contract("", &by_primary(1));
    for meter in contract.meters.values_mut() {
        let point = &mut meter.points[1];
        point.unit = String::from("\u{b0}C");
        point.scale = evidence::Decimal::new(1, 0).unwrap();
        if let contract::Source::Record(pick) = &mut point.from {
            (pick.place, pick.storage) = (Some(3), None);
        }
    }
    let mut line = Line::new(&contract, vec![one]);
    line.slots(1);
    let readings = line.readings("m0");
    let values: Vec<String> = readings.iter().map(|one| text(one.value)).collect();
    assert_eq!(values, ["0.001", "20"], "{:?}", line.failures("m0"));
    let attempts: Vec<_> = readings.iter().map(|one| one.attempt).collect();
    // Each telegram has a number, and the acknowledgement before them has none.
    assert_eq!(attempts, [0, 1]);
    assert_eq!(line.reports("m0")[0].telegrams, 2);
    let whole = readings[0].value.map(|value| value.to_string());
    assert_eq!(whole.as_deref(), Some("0.001"));
}

/// The second telegram, which has a record of the same meaning, does not come: that the one that came is the only one is
/// not known.
//= A3.2
//= A3.7
#[test]
fn a_record_that_was_selected_by_its_meaning_is_no_reading_where_a_telegram_is_missing() {
    let first = [volumes(1), vec![0x1F]].concat();
    let frames = vec![
        telegram(1, &who(0), 0, &first),
        telegram(1, &who(0), 0, &volumes(9)),
    ];
    let mut one = slave(0);
    one.serve(frames);
    let mut line = Line::new(&contract("", &by_primary(1)), vec![one]);
    let mut asked = 0;
    line.fault = Box::new(move |request, spoken| {
        asked += u32::from(request.get(1).is_some_and(|control| control & 0x4F == 0x4B));
        if asked > 1 { Vec::new() } else { spoken }
    });
    line.slots(1);
    // The one that is selected by its place is there all the same.
    let points: Vec<_> = line
        .readings("m0")
        .iter()
        .map(|one| one.point_id.to_string())
        .collect();
    assert_eq!(points, ["before"], "{:?}", line.failures("m0"));
    let failed = line.failures("m0");
    let last = failed.last().unwrap();
    assert_eq!((last.cause, last.last), (AttemptCause::Timeout, true));
    assert_eq!(last.points.len(), 1);
    assert!(
        codes(&line)
            .iter()
            .all(|code| *code != EventCode::RecordChanged)
    );
}
