//! Lines that ring, chatter, are struck by bursts and lose their supply, read by a whole node: each failure in its own
//! meter's bucket, no wrong value, and nothing that the street played without an entry.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{about, list, number, text, wait_until};
use serde_json::Value;
use std::fmt::Write as _;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// Three meters on each of five lines: four with a fault each, and one without.
const PLAN: &str = "\
[[fault]]
port = \"ringing\"
kind = \"termination\"
severity = 0.35
baud = 115200

[[fault]]
port = \"floating\"
kind = \"bias-chatter\"
per_s = 2
probability = 0.3

[[fault]]
port = \"switched\"
kind = \"common-mode\"
every_s = 0.7
burst_ms = 150

[[fault]]
port = \"drooping\"
kind = \"droop\"
beyond = 1
from_s = 3
for_s = 1.5
power_up_ms = 300
step_ms = 500
";

const LINES: [&str; 5] = ["ringing", "floating", "switched", "drooping", "calm"];

fn contract(street: &Street) -> Contract {
    let profile = Contract::new("example.org/lines", "4MiB", 4)
        .schedule("often", "250ms")
        .profile(
            "meter",
            &[
                ("energy", "holding:0", "u32", ""),
                ("power", "holding:4", "i32", ""),
            ],
        );
    let mut out = profile.toml().to_owned();
    for port in list(street.description(), "ports") {
        let (name, path) = (text(port, "name"), text(port, "path"));
        let _ = writeln!(
            out,
            "[[port]]\nid = {name:?}\nkind = \"modbus-rtu\"\ndevice = {path:?}\nbaud = 115200\n\
             parity = \"none\"\ntimeout = \"200ms\"\nretries = 1\nlate_reply = \"250ms\"\n"
        );
    }
    let meters = list(street.description(), "meters").iter();
    meters.fold(Contract::of(out), |contract, meter| {
        let (name, port) = (text(meter, "name"), text(meter, "port"));
        contract.meter(name, port, number(meter, "unit"), "often", "meter")
    })
}

/// Attempts of the meters of a line that failed on the wire, by place on the line: their causes.
fn failures<'a>(log: &'a [Value], description: &Value, line: &str) -> Vec<Vec<&'a str>> {
    let meters = list(description, "meters").iter();
    let on_line = meters.filter(|meter| text(meter, "port") == line);
    let off_the_wire = [
        "stopped",
        "slot_overrun",
        "quarantined",
        "late_reply_window",
    ];
    let causes = on_line.map(|meter| {
        let failed = log
            .iter()
            .filter(|row| row["kind"] == "attempt_failed" && row["meter_id"] == meter["name"]);
        let causes = failed.map(|row| text(row, "reason"));
        causes
            .filter(|cause| !off_the_wire.contains(cause))
            .collect()
    });
    causes.collect()
}

/// How often the street says that a fault struck a meter's exchange on a line.
fn struck(street: &[Value], line: &str, event: &str) -> usize {
    let of = street
        .iter()
        .filter(|row| row["port"] == line && !row["fault"].is_null());
    of.filter(|row| row["event"] == event).count()
}

/// Events of a port that say that it carried what was no answer.
fn strays<'a>(log: &'a [Value], line: &str) -> Vec<&'a str> {
    let events = log
        .iter()
        .filter(|row| row["kind"] == "event" && row["source"] == line);
    let codes = events.map(|row| text(row, "code"));
    codes
        .filter(|code| ["line_noise", "idle_chatter"].contains(code))
        .collect()
}

fn sound(log: &[Value], description: &Value, street: &[Value]) {
    let street: Vec<String> = street.iter().map(Value::to_string).collect();
    let comparison = trial::compare(description, &street.join("\n"), log).unwrap();
    assert!(
        comparison.findings.is_empty(),
        "{:?}",
        comparison.findings.texts()
    );
    assert!(comparison.read > 100, "{comparison:?}");
}

//= A3.1
//= A3.7
//= A4.1
#[test]
fn lines_that_ring_chatter_are_struck_and_droop_blame_nobody_beside() {
    let dir = tempfile::tempdir().unwrap();
    let ports = LINES.iter().flat_map(|line| ["--rtu-port", line]);
    let words: Vec<&str> = ports.chain(["--meters", "15"]).collect();
    let street = Street::with(dir.path(), &words, PLAN);
    let description = street.description().clone();
    let node = Node::start(dir.path(), "node", &contract(&street));
    // The farthest meter of the line that droops fails, and is read again.
    wait_until("a meter that came back", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(500));
        let rows = about("log", node.data(), &[]).json_lines();
        let of = |row: &&Value| row["meter_id"] == "m14";
        let rows: Vec<&Value> = rows.iter().filter(of).collect();
        let failed = rows.iter().position(|row| row["reason"] == "timeout")?;
        let back = rows
            .iter()
            .skip(failed)
            .filter(|row| row["kind"] == "reading");
        (back.count() > 24).then_some(())
    });
    let data = node.stop();
    assert_eq!(about("verify", &data, &[]).code, Some(0));
    let log = about("log", &data, &[]).json_lines();
    let said = street.stop();
    sound(&log, &description, &said);

    let fits = |line: &str, due: &[&str]| {
        let failed = failures(&log, &description, line);
        let mut causes = failed.iter().flatten();
        assert!(
            causes.all(|cause| due.contains(cause)),
            "{line}: {failed:?}"
        );
        failed.iter().map(Vec::len).collect::<Vec<_>>()
    };
    let ringing = fits("ringing", &["crc", "framing", "timeout"]);
    assert!(ringing[2] > ringing[0] && ringing[2] > 5, "{ringing:?}");
    assert!(struck(&said, "ringing", "reply") > 5);
    fits("floating", &["framing", "timeout", "crc"]);
    assert!(strays(&log, "floating").contains(&"idle_chatter"));
    let switched = fits("switched", &["crc", "framing", "timeout"]);
    assert!(switched.iter().sum::<usize>() > 5, "{switched:?}");
    assert!(!strays(&log, "switched").is_empty());
    let drooping = fits("drooping", &["timeout"]);
    assert!(
        drooping[0] == 0 && drooping[1] > 0 && drooping[2] > 0,
        "{drooping:?}"
    );
    assert_eq!(fits("calm", &[]), [0, 0, 0]);
    assert!(strays(&log, "calm").is_empty() && strays(&log, "drooping").is_empty());
}
