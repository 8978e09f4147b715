//! What people on site tell a running node, and the account of it.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{Said, about, fieldnotary, list, number, text, wait_until};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

const ORIGIN: &str = "example.org/site";

/// The second meter of the serial line refuses every other request.
const FAULTS: &str =
    "[[fault]]\nmeter = \"m03\"\nkind = \"exception\"\ncode = 4\nprobability = 0.5\n";

fn tell(verb: &str, data: &Path, words: &[&str]) -> Said {
    let data = data.to_str().unwrap();
    fieldnotary([&[verb, data], words].concat())
}

fn refused(said: &Said, words: &str) {
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains(words), "{words:?} in {said:?}");
}

/// The newest entry of a kind.
fn newest(data: &Path, kind: &str) -> Value {
    let said = about("log", data, &["--kind", kind, "--last", "1"]);
    said.json_lines().pop().unwrap()
}

//= A3.6
#[test]
fn a_measurement_is_an_entry_and_its_file_is_kept_under_its_hash() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let contract = street.contract(Contract::new(ORIGIN, "1MiB", 2));
    let node = Node::start(dir.path(), "node", &contract);
    let data = node.data().to_owned();
    let picture = dir.path().join("droop.png");
    std::fs::write(&picture, b"a picture of a droop").unwrap();
    let said = tell(
        "annotate",
        &data,
        &[
            "--probe",
            "TP_VBUS",
            "--port",
            "rs485",
            "--value",
            "35.60",
            "--unit",
            "V",
            "--file",
            picture.to_str().unwrap(),
            "--note",
            "sags",
            "--actor",
            "ada",
            "--json",
        ],
    );
    assert_eq!(said.code, Some(0), "{said:?}");
    let entry = newest(&data, "probe");
    assert_eq!(
        number(&said.json(), "commit_id"),
        number(&entry, "commit_id")
    );
    for (key, value) in [
        ("probe", "TP_VBUS"),
        ("source", "rs485"),
        ("value", "35.60"),
        ("unit", "V"),
        ("file_name", "droop.png"),
        ("detail", "sags"),
    ] {
        assert_eq!(text(&entry, key), value);
    }
    let uid = rustix::process::getuid().as_raw();
    assert_eq!(text(&entry, "actor"), format!("ada (uid {uid})"));
    let kept = data.join("attachments").join(text(&entry, "file"));
    assert_eq!(std::fs::read(kept).unwrap(), b"a picture of a droop");
    // The hash is that of everybody else.
    let theirs = std::process::Command::new("sha256sum")
        .arg(&picture)
        .output()
        .unwrap();
    let theirs = String::from_utf8(theirs.stdout).unwrap();
    assert_eq!(theirs.split(' ').next(), Some(text(&entry, "file")));
    bad_measurements(&data, &picture);
    drop(node.stop());
    refused(
        &tell("annotate", &data, &["--probe", "TP_VBUS", "--value", "1"]),
        "no node runs on",
    );
}

fn bad_measurements(data: &Path, picture: &Path) {
    let size = number(&about("status", data, &[]).json(), "log_size");
    let add = |words: &[&str]| tell("annotate", data, words);
    for (words, code, complaint) in [
        (
            &["--probe", "vbus", "--value", "1"][..],
            2,
            "a probe point is written TP_",
        ),
        (
            &["--probe", "TP_VBUS", "--value", "much"],
            2,
            "write a number such as 1234.50",
        ),
        (
            &["--probe", "TP_IF_DIF", "--value", "1"],
            3,
            "did you mean TP_IF_DIFF?",
        ),
        (
            &["--probe", "TP_CABINET_DOOR", "--value", "1"],
            3,
            "is stated with --own-probe",
        ),
        (&["--probe", "TP_VBUS", "--note", " "], 3, "--note is empty"),
        (
            &["--probe", "TP_VBUS", "--value", "1", "--unit", ""],
            3,
            "--unit is empty",
        ),
        (
            &["--probe", "TP_VBUS"],
            3,
            "give a --value, a --file or a --note",
        ),
        (
            &["--probe", "TP_VBUS", "--note", "n", "--meter", "m09"],
            3,
            "no meter \"m09\"; it has m01, m02",
        ),
        (
            &["--probe", "TP_VBUS", "--note", "n", "--port", "mbus"],
            3,
            "no port or card \"mbus\"; it has ",
        ),
        (
            &["--probe", "TP_VBUS", "--note", "n", "--actor", " "],
            3,
            "--actor is empty",
        ),
        (
            &["--probe", "TP_VBUS", "--file", "/nowhere.png"],
            3,
            "cannot read /nowhere.png",
        ),
        (&["--probe", "TP_VBUS", "--file", "/"], 3, "/ is no file"),
    ] {
        let said = add(words);
        assert_eq!(said.code, Some(code), "{said:?}");
        assert!(said.err.contains(complaint), "{complaint:?} in {said:?}");
    }
    std::fs::File::options()
        .write(true)
        .open(picture)
        .unwrap()
        .set_len((16 << 20) + 1)
        .unwrap();
    refused(
        &add(&["--probe", "TP_VBUS", "--file", picture.to_str().unwrap()]),
        "at most 16777216 are taken",
    );
    let probes = about(
        "log",
        data,
        &["--kind", "probe", "--from", &size.to_string()],
    );
    assert!(probes.json_lines().is_empty(), "{probes:?}");
}

//= U8
#[test]
fn a_point_is_signed_off_against_the_field_and_no_longer_when_it_moved() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let contract = street.contract(Contract::new(ORIGIN, "1MiB", 2));
    let node = Node::start(dir.path(), "node", &contract);
    let data = node.data().to_owned();
    assert_eq!(about("signoff", &data, &[]).code, Some(1));
    let voltage = text(&newest_of(&data, "m01", "voltage"), "value").to_owned();
    let compare = |expected: &str, more: &[&str]| {
        let words = [
            "--meter",
            "m01",
            "--point",
            "voltage",
            "--expected",
            expected,
            "--json",
        ];
        tell("signoff", &data, &[&words[..], more].concat())
    };
    let far = compare("9999", &[]);
    assert_eq!(far.code, Some(1), "{far:?}");
    assert_eq!(text(&newest(&data, "sign_off"), "outcome"), "failed");
    let near = compare(&voltage, &["--tolerance", "50", "--note", "handheld meter"]);
    assert_eq!(near.code, Some(0), "{near:?}");
    let entry = newest(&data, "sign_off");
    assert_eq!(text(&entry, "outcome"), "done");
    assert!(number(&entry, "sessions") > 0);
    let read = number(&entry, "reading").to_string();
    let compared = about("log", &data, &["--from", &read, "--limit", "1"]);
    assert_eq!(text(&compared.json(), "value"), text(&entry, "value"));
    refused(
        &compare("1", &["--tolerance", "-1"]),
        "--tolerance is negative",
    );
    refused(
        &tell(
            "signoff",
            &data,
            &["--meter", "m01", "--point", "volts", "--expected", "1"],
        ),
        "it has energy, voltage, power",
    );
    refused(
        &tell(
            "signoff",
            &data,
            &["--meter", "m9", "--point", "e", "--expected", "1"],
        ),
        "it has m01, m02",
    );
    assert_eq!(standing(&data, "m01", "voltage"), "signed");
    assert_eq!(standing(&data, "m01", "energy"), "open");
    let data = node.stop();
    refused(&compare(&voltage, &["--within", "1ms"]), "no node runs on");

    let swapped = swapped(&contract, "m01", "m02");
    Node::start(dir.path(), "node", &swapped).stop();
    assert_eq!(standing(&data, "m01", "voltage"), "moved_since");
    let moved = about("log", &data, &["--kind", "wiring"]).json_lines();
    let told: Vec<(&str, &str)> = moved
        .iter()
        .map(|one| (text(one, "meter_id"), text(one, "change")))
        .collect();
    assert_eq!(told, [("m01", "moved"), ("m02", "moved")]);
}

fn newest_of(data: &Path, meter: &str, point: &str) -> Value {
    let words = [
        "--kind", "reading", "--meter", meter, "--point", point, "--last", "1",
    ];
    wait_until("a reading", Duration::from_secs(20), || {
        about("log", data, &words).json_lines().pop()
    })
}

fn standing(data: &Path, meter: &str, point: &str) -> String {
    let said = about("signoff", data, &[]).json();
    let mut rows = list(&said, "rows").iter();
    let row = rows.find(|row| text(row, "meter_id") == meter && text(row, "point_id") == point);
    text(row.unwrap(), "standing").to_owned()
}

/// A meter that refuses often is moved to the address of one that answers, and work is done on the line meanwhile.
//= A3.8
#[test]
fn trouble_that_stays_at_the_old_place_is_told_from_trouble_that_comes_along() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start_with(dir.path(), 4, FAULTS);
    let contract = street.contract(Contract::new(ORIGIN, "4MiB", 4));
    let node = Node::start(dir.path(), "node", &contract);
    let begin = tell(
        "maintenance",
        node.data(),
        &["begin", "--port", "rs485", "--reason", "swap"],
    );
    assert_eq!(begin.code, Some(0), "{begin:?}");
    work_that_does_not_fit(node.data());
    sessions(&node, 1);
    let data = node.stop();
    let swapped = swapped(&contract, "m01", "m03");
    let node = Node::start(dir.path(), "node", &swapped);
    let end = tell(
        "maintenance",
        &data,
        &[
            "end", "--port", "rs485", "--reason", "swapped", "--actor", "ada",
        ],
    );
    assert_eq!(end.code, Some(0), "{end:?}");
    sessions(&node, 2);
    node.stop();
    let said = about("wiring", &data, &["--meter", "m03"]).json();
    let places = list(&list(&said, "meters")[0], "places");
    let follows: Vec<&Value> = places.iter().map(|place| &place["follows"]).collect();
    assert_eq!(follows, [&Value::Null, &Value::from("place")], "{said:#}");
    assert!(number(&places[0]["own"]["failed"], "exception") > 0);
    let work = &list(&said, "work")[0];
    assert_eq!(text(work, "source"), "rs485");
    assert_eq!(work["reasons"], serde_json::json!(["swap", "swapped"]));
    assert!(work["from"].is_string() && work["to"].is_string());
    let words = fieldnotary(["wiring", data.to_str().unwrap()]);
    assert!(words.out.contains("the trouble stayed behind"), "{words:?}");
    assert_eq!(about("wiring", &data, &["--meter", "m77"]).code, Some(1));
}

/// What is read while people work on a line is marked as a test, by the process that reads it.
//= A3.8
#[test]
fn readings_during_maintenance_are_marked_as_a_test_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 4);
    let contract = street.contract(Contract::new(ORIGIN, "1MiB", 4));
    let node = Node::start(dir.path(), "node", &contract);
    let data = node.data().to_owned();
    let newest = |meter: &str, quality: &str| {
        wait_until(
            &format!("{meter} {quality}"),
            Duration::from_secs(20),
            || {
                let newest = newest_of(&data, meter, "voltage");
                (text(&newest, "reason") == quality).then_some(newest)
            },
        )
    };
    newest("m03", "none");
    let say = |phase: &str, more: &[&str]| {
        let words = [&[phase, "--reason", "terminator", "--json"], more].concat();
        let said = tell("maintenance", &data, &words);
        assert_eq!(said.code, Some(0), "{said:?}");
        number(&said.json(), "commit_id")
    };
    let began = say("begin", &["--meter", "m03"]);
    let first = newest("m03", "test");
    assert!(number(&first, "commit_id") > began);
    assert_eq!(text(&newest_of(&data, "m01", "voltage"), "reason"), "none");
    let status = node.status();
    assert_eq!(status["maintenance"], serde_json::json!(["meter m03"]));
    let screen = fieldnotary(["status".as_ref(), data.as_os_str()]).out;
    let line = "work       open on meter m03: what is captured there is a test";
    assert!(screen.contains(line), "{screen}");
    // Whoever comes to work later knows it too: the io process of a new start.
    let data = node.stop();
    let node = Node::start(dir.path(), "node", &contract);
    let size = number(&node.status(), "log_size");
    wait_until("more readings", Duration::from_secs(20), || {
        let newest = newest_of(&data, "m03", "voltage");
        (number(&newest, "commit_id") > size).then_some(())
    });
    assert_eq!(text(&newest_of(&data, "m03", "voltage"), "reason"), "test");
    let refused = ["--meter", "m03", "--point", "voltage", "--expected", "1"];
    let refused = tell("signoff", &data, &refused);
    assert!(refused.err.contains("questionable (test)"), "{refused:?}");
    say("end", &["--meter", "m03"]);
    newest("m03", "none");
    node.stop();
}

/// Work goes on on the serial line: what else is said of it is refused, and nothing is written.
fn work_that_does_not_fit(data: &Path) {
    let again = ["begin", "--port", "rs485", "--reason", "again"];
    let said = tell("maintenance", data, &again);
    refused(&said, "work on port rs485 goes on already: since ");
    refused(&said, ": swap; nothing was written");
    refused(&said, "end --port rs485 --reason TEXT");
    let other = ["end", "--meter", "m03", "--reason", "done"];
    let said = tell("maintenance", data, &other);
    refused(&said, "no work on meter m03 was begun that could end");
    refused(&said, "work goes on on port rs485: since ");
    let past = ["begin", "--reason", "r", "--until", "2026-01-01T10:00:00Z"];
    refused(&tell("maintenance", data, &past), "write a time to come");
    let twisted = fieldnotary(["maintenance", "begin", "node", "--reason", "r"]);
    assert_eq!(twisted.code, Some(2), "{twisted:?}");
    assert!(twisted.err.contains("the directory, then begin or end"));
    let log = about("log", data, &["--kind", "maintenance"]).json_lines();
    assert_eq!(log.len(), 1, "{log:?}");
}

/// The contract with two meters in each other's places.
fn swapped(contract: &Contract, one: &str, other: &str) -> Contract {
    let name = |meter: &str| format!("id = {meter:?}");
    let (one, other, neither) = (name(one), name(other), name("neither"));
    let toml = contract
        .toml()
        .replace(&one, &neither)
        .replace(&other, &one);
    Contract::of(toml.replace(&neither, &other))
}

/// Waits until the log has m03 at so many places, and 25 sessions of it at the last.
fn sessions(node: &Node, places: usize) {
    wait_until("25 sessions of m03", Duration::from_secs(60), || {
        std::thread::sleep(Duration::from_millis(500));
        let said = about("wiring", node.data(), &["--meter", "m03"]).json();
        let there = list(&list(&said, "meters")[0], "places");
        (there.len() == places && number(&there[places - 1]["own"], "sessions") >= 25).then_some(())
    });
}
