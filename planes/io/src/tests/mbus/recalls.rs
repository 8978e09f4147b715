//! Values that an M-Bus meter stores of the past fill what was missed, out of the readout that is made anyway.

use super::{BAUD, Line, contract, telegram, who};
use crate::MissedSlot;
use crate::tests::world::ANCHOR;
use evidence::kinds::{Backfill, Payload};
use evidence::reasons::BackfillOutcome;
use evidence::{Slot, UtcNs};
use mbus::moment::Date;
use mbus::slave::Slave;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

/// 2026-11-29.
const TODAY: i64 = 20_786;

fn date(day: i64) -> [u8; 2] {
    let date = Date::of_days(day).unwrap();
    let year = u8::try_from(date.year - 2000).unwrap();
    [date.day | (year & 7) << 5, date.month | (year >> 3) << 4]
}

/// A volume of now, and of so many days before under as many storage numbers; of one of them the record has another unit.
fn days(count: u8) -> Vec<u8> {
    let mut records = vec![0x01, 0x13, 120];
    for storage in 1..=count {
        // The lowest bit of a storage number is in the DIF, the next four in a DIFE.
        let (low, high) = (0x80 | (storage & 1) << 6, storage >> 1);
        let [day, month] = date(TODAY - i64::from(storage));
        records.extend([0x02 | low, high, 0x6C, day, month]);
        records.extend([0x01 | low, high, 0x13, 120 - storage]);
    }
    records
}

fn missed(days_back: i64) -> MissedSlot {
    let number = u64::try_from(TODAY - days_back).unwrap();
    // Midnight of a clock one hour ahead.
    let utc_s = (TODAY - days_back) * 86_400 - 3_600;
    MissedSlot {
        slot: Slot { version: 1, number },
        due: UtcNs(utc_s * 1_000_000_000),
    }
}

fn line(records: &[u8], missing: &[i64]) -> Line {
    line_of("begin", records, missing)
}

fn line_of(dates: &str, records: &[u8], missing: &[i64]) -> Line {
    let mut lines =
        "primary = 1\nclock_zone = \"+01:00\"\nstorages = 10\nstorage_every = \"10s\"".to_string();
    if !dates.is_empty() {
        lines += &std::format!("\nstorage_dates = {dates:?}");
    }
    let contract = contract("", &[lines]);
    let frame = telegram(1, &who(0), 0, records);
    let slave = Slave::new(vec![frame], BAUD).unwrap();
    let mut line = Line::new(&contract, vec![slave]);
    line.missing = Some(missing.iter().map(|back| missed(*back)).collect());
    line
}

/// What was told of each missed day: `3 197 @3`, or `9 absent`.
fn told(line: &Line) -> Vec<String> {
    let told = |one: &Backfill| {
        let back = TODAY - i64::try_from(one.slot.number).unwrap();
        match one.outcome {
            BackfillOutcome::Absent => {
                let point = one.point_id.as_ref().map_or("", |point| point.as_str());
                std::format!("{back} absent {point}")
            }
            BackfillOutcome::Found => {
                let time_s = (TODAY - back) * 86_400;
                assert_eq!(one.meter_time_s, Some(time_s));
                assert_eq!(one.point_id.as_ref().unwrap().as_str(), "volume");
                let (value, storage) = (one.value.unwrap(), one.record.unwrap());
                std::format!("{back} {value} @{storage}")
            }
        }
    };
    let mut all = Vec::new();
    for (_, seq, payload) in &line.records {
        if let Payload::Backfill(one) = payload {
            assert_eq!(*seq, None);
            all.push(told(one));
        }
    }
    all
}

//= U3
//= A3.2
#[test]
fn what_is_stored_fills_missed_slots_without_a_request_of_its_own() {
    let without = {
        let mut line = line(&days(3), &[]);
        line.slots(4);
        line.sent.len()
    };
    let mut line = line(&days(3), &[2, 3, 9]);
    line.slots(1);
    // Litres as cubic metres; what lies before the oldest is gone.
    assert_eq!(told(&line), ["2 0.118 @2", "3 0.117 @3", "9 absent "]);
    line.missing = Some(Vec::new());
    line.slots(4);
    assert_eq!(line.sent.len(), without, "nothing was asked for it");
    assert_eq!(line.asked, 2, "and the recorder no more than it has to be");
}

//= U3
#[test]
fn what_may_still_come_is_waited_for_and_what_is_no_value_of_the_point_is_none() {
    // Of today there is nothing yet, and a hole is a hole.
    let mut records = days(4);
    let hole = records.len() - 2 * 9;
    records.drain(hole..hole + 9);
    let mut today = line(&records, &[0, 3, 4]);
    today.slots(1);
    assert_eq!(told(&today), ["3 absent ", "4 0.116 @4"]);
    // A storage without a date tells of no time.
    let mut bare = line(&[0x01, 0x13, 120, 0x41, 0x13, 100], &[1]);
    bare.slots(2);
    assert_eq!(told(&bare), Vec::<String>::new());
    assert!(bare.now > ANCHOR);
}

/// When the largest value was, or a limit was passed, is no time of the values beside it; and which instant a date is has to be said.
//= U3
#[test]
fn only_what_is_the_time_of_a_storage_is_taken_for_it() {
    // Of storage 1: its date, and the date of a maximum two days before.
    let mut records = days(1);
    let [day, month] = date(TODAY - 2);
    records.extend([0x52, 0x6C, day, month]);
    let mut with_maximum = line(&records, &[1, 2]);
    with_maximum.slots(1);
    assert_eq!(told(&with_maximum), ["1 0.119 @1", "2 absent "]);
    // Two dates of the same storage: neither is believed.
    let mut records = days(1);
    records.extend([0x42, 0x6C, day, month]);
    let mut two = line(&records, &[1, 2]);
    two.slots(1);
    assert_eq!(told(&two), Vec::<String>::new());
    // A date alone tells a time where the contract says which.
    let mut untold = line_of("", &days(3), &[2]);
    untold.slots(1);
    assert_eq!(told(&untold), Vec::<String>::new());
    let mut end = line_of("end", &days(3), &[1]);
    end.slots(1);
    assert_eq!(told(&end), ["1 0.118 @2"], "the end of the day before");
}

/// A point that the meter does not store is said to be absent, and not asked for again.
//= U3
#[test]
fn a_stored_time_without_the_point_is_absent_for_it_alone() {
    let mut records = days(2);
    // Storage 1 has no volume: its record is of an energy.
    let at = records
        .iter()
        .skip(3)
        .position(|byte| *byte == 0x13)
        .unwrap()
        + 3;
    records[at] = 0x03;
    let mut line = line(&records, &[1, 2]);
    line.slots(1);
    assert_eq!(told(&line), ["1 absent volume", "2 0.118 @2"]);
}
