//! Every mistake in a file: one error, at its place, that says what would be right.

mod firmware;
mod mbus;
mod meters;
mod modems;
mod notation;
mod outputs;
mod points;
mod ports;
mod station;
mod station_points;
mod syslog;
mod time;
mod timestamp;
mod uplink;

use crate::common::{BASE, changed, only_error};
use fieldnotary_contract::{ContractErrors, parse};
use firmware::FIRMWARE;
use meters::METERS;
use modems::MODEMS;
use notation::NOTATION_AND_NAMES;
use outputs::OUTPUTS;
use points::POINTS;
use ports::PORTS_AND_SCHEDULES;
use station::STATION_STORAGE_AND_SEAL;
use station_points::STATION_POINTS;
use syslog::SYSLOG;
use time::TIME;
use timestamp::TIMESTAMP;
use uplink::UPLINK;

pub(crate) use mbus::FILE as MBUS;

/// A change to the sound file, where the error is, its key, and what it says.
struct Case {
    from: &'static str,
    to: &'static str,
    place: &'static str,
    says: &'static str,
}

const fn case(
    from: &'static str,
    to: &'static str,
    place: &'static str,
    says: &'static str,
) -> Case {
    Case {
        from,
        to,
        place,
        says,
    }
}

fn check(cases: &[Case]) {
    check_in(BASE, cases);
}

fn check_in(file: &str, cases: &[Case]) {
    let mut wrong = String::new();
    for case in cases {
        let found = only_error(&changed(file, case.from, case.to));
        let error = match found {
            Ok(error) => error,
            Err(shown) => {
                wrong += &format!("{:?}\n{shown}\n", case.to);
                continue;
            }
        };
        let place = format!("{}:{} {}", error.line, error.column, error.key);
        let says = format!("{}; {}", error.what, error.advice);
        if place != case.place || !says.contains(case.says) {
            wrong += &format!("{:?}\n  at {place}\n  {says}\n", case.to);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_sound_file_is_sound() {
    let contract = parse(BASE).map_err(|errors| ContractErrors::new("base", &errors).to_string());
    assert_eq!(contract.map(|contract| contract.meters.len()), Ok(2));
}

//= R6.2
#[test]
fn notation_and_names_are_checked() {
    check(NOTATION_AND_NAMES);
}

//= R6.2
#[test]
fn station_storage_and_seal_are_checked() {
    check(STATION_STORAGE_AND_SEAL);
}

//= R6.2
//= A8.4
#[test]
fn sources_of_time_are_checked() {
    check(TIME);
}

//= R6.2
#[test]
fn uplinks_are_checked() {
    check(UPLINK);
}

//= R6.2
//= R5.2
#[test]
fn ports_and_schedules_are_checked() {
    check(PORTS_AND_SCHEDULES);
}

//= R6.2
//= A3.4
#[test]
fn modems_are_checked() {
    check_in(modems::FILE, MODEMS);
}

//= R6.2
//= R3.2
//= R3.5
#[test]
fn outputs_are_checked() {
    check_in(outputs::FILE, OUTPUTS);
}

//= R6.2
//= R3.1
//= R3.3
#[test]
fn the_stations_own_points_are_checked() {
    check(STATION_POINTS);
}

//= R6.2
//= A4.2
#[test]
fn meters_are_checked() {
    check(METERS);
}

//= R6.2
//= A5.6
#[test]
fn points_are_checked() {
    check(POINTS);
    check(SYSLOG);
    check(TIMESTAMP);
}

//= R6.2
//= R8.3
#[test]
fn the_firmware_is_checked() {
    check(FIRMWARE);
}

//= R6.2
//= A3.2
#[test]
fn what_a_file_says_of_an_mbus_is_checked() {
    assert_eq!(crate::common::errors(mbus::FILE), []);
    check_in(mbus::FILE, mbus::LINES);
    check_in(mbus::FILE, mbus::METERS);
    check_in(mbus::FILE, mbus::RECORDS);
    check_in(mbus::FILE, mbus::TYPOS);
}
