//! A level converter that reports an overload by a contact, on a whole node: an input of the station holds the bus back.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{about, list, number, text, wait_until};
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
/// How long the converter reports an overload: some slots.
const LASTS: Duration = Duration::from_millis(3_500);

fn contract(street: &Street, contact: &Path) -> Contract {
    let ports = list(street.description(), "ports");
    let device = text(&ports[0], "path");
    let meters: String = list(street.description(), "meters")
        .iter()
        .map(|meter| {
            let (name, unit) = (text(meter, "name"), number(meter, "unit"));
            format!(
                "[[meter]]\nid = {name:?}\nport = \"bus\"\nschedule = \"often\"\nprimary = {unit}\n\
                 [[meter.point]]\nid = \"volume\"\nrecord = 1\nunit = \"m^3\"\n\n"
            )
        })
        .collect();
    Contract::of(format!(
        "[station]\norigin = \"example.org/overload\"\n\n[storage]\nsegment_size = \"4MiB\"\nsegments = 4\n\n\
         [seal]\nevery = \"1s\"\n\n[[port]]\nid = \"bus\"\nkind = \"mbus\"\ndevice = {device:?}\nbaud = 9600\n\
         parity = \"none\"\nlatency = \"100ms\"\npower_up = \"0s\"\noverload = \"converter on\"\n\n\
         [[card]]\nid = \"dio\"\nkind = \"recording\"\npath = {contact:?}\n\n\
         [[debounce]]\nid = \"contact\"\nwindow = \"5ms\"\n\n\
         [[di]]\nid = \"converter\"\ncard = \"dio\"\nline = 1\ndebounce = \"contact\"\n\n\
         [[schedule]]\nid = \"often\"\nevery = \"1s\"\n\n{meters}"
    ))
}

fn rows(data: &Path, kind: &str) -> Vec<Value> {
    about("log", data, &["--kind", kind]).json_lines()
}

/// Waits until each of two meters has this many readings more than it had.
fn read_on(data: &Path, more: usize) {
    let counts = || {
        let readings = rows(data, "reading");
        ["m01", "m02"].map(|id| readings.iter().filter(|row| row["meter_id"] == id).count())
    };
    let had = counts();
    wait_until("readings of both meters", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(300));
        let now = counts();
        (now[0] >= had[0] + more && now[1] >= had[1] + more).then_some(())
    });
}

fn told(data: &Path, code: &str) -> Value {
    wait_until(code, PATIENCE, || {
        std::thread::sleep(Duration::from_millis(100));
        rows(data, "event")
            .into_iter()
            .find(|row| row["code"] == code)
    })
}

//= A3.2
//= A3.7
//= A4.3
#[test]
fn a_converter_that_reports_an_overload_holds_the_bus_back_and_no_meter_is_blamed() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::mbus(dir.path(), &["--meters", "2", "--mbus-baud", "9600"], "");
    let contact = dir.path().join("contact.txt");
    std::fs::write(&contact, "0 level 1 low\n").unwrap();
    let say = |line: &str| {
        let mut file = std::fs::OpenOptions::new().append(true).open(&contact);
        writeln!(file.as_mut().unwrap(), "{line}").unwrap();
    };
    let node = Node::start(dir.path(), "node", &contract(&street, &contact));
    read_on(node.data(), 2);
    say("now edge 1 rising");
    let began = told(node.data(), "bus_overload");
    assert_eq!(text(&began, "source"), "bus");
    std::thread::sleep(LASTS);
    say("now edge 1 falling");
    let over = told(node.data(), "bus_overload_over");
    // Nobody touches the node.
    read_on(node.data(), 2);
    let data = node.stop();

    let lasted_ns = number(&over, "count");
    assert!(lasted_ns >= LASTS.as_nanos().try_into().unwrap(), "{over}");
    let (from, to) = (number(&began, "commit_id"), number(&over, "commit_id"));
    let within = |row: &&Value| (from..to).contains(&number(row, "commit_id"));
    assert_eq!(rows(&data, "reading").iter().filter(within).count(), 0);
    let failures = rows(&data, "attempt_failed");
    let causes = failures.iter().map(|row| text(row, "reason"));
    let held_back = causes.clone().filter(|cause| *cause == "bus_overload");
    assert!(held_back.count() >= 2 * 2, "{failures:?}");
    let allowed = ["bus_overload", "slot_overrun", "stopped"];
    let blamed = causes.clone().find(|cause| !allowed.contains(cause));
    assert_eq!(blamed, None, "{failures:?}");
    let silent = |row: &Value| row["code"] == "bus_silent";
    assert!(!rows(&data, "event").iter().any(silent));

    let gaps = about("gaps", &data, &[]).json();
    let missing = number(&gaps, "missing_readings");
    assert_eq!(number(&gaps, "missing_explained"), missing, "{gaps}");
    assert_eq!(about("verify", &data, &[]).code, Some(0));
    drop(street);
}
