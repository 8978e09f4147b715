//! A line that is listened to, and the last failing frames of a meter out of a log.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{READY, Said, about, fieldnotary, json_lines, list, program, text, wait_until};
use rustix::fd::OwnedFd;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Unit 17 is asked for holding registers 107 to 109, and answers (Modbus Application Protocol 1.1b3, 6.3).
const ASKED: [u8; 8] = [0x11, 0x03, 0x00, 0x6B, 0x00, 0x03, 0x76, 0x87];
const ANSWERED: [u8; 11] = [
    0x11, 0x03, 0x06, 0xAE, 0x41, 0x56, 0x52, 0x43, 0x40, 0x49, 0xAD,
];

/// The end of whoever plays the line, and the name of the other.
fn line() -> (OwnedFd, String) {
    let main = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&main).unwrap();
    unlockpt(&main).unwrap();
    let name = ptsname(&main, Vec::new()).unwrap();
    (main, name.into_string().unwrap())
}

fn watch(device: &str, more: &[&str]) -> Child {
    let mut command = Command::new(program("fieldnotary"));
    command.args(["bus", "watch", "--rtu", device, "--parity", "none"]);
    command.args(more).stdin(Stdio::null());
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let fds = PathBuf::from(format!("/proc/{}/fd", child.id()));
    wait_until("open device", READY, || {
        let open = std::fs::read_dir(&fds).ok()?.flatten();
        let mut names = open.filter_map(|one| std::fs::read_link(one.path()).ok());
        names
            .any(|name| name.to_str() == Some(device))
            .then_some(())
    });
    // Its settings follow at once.
    std::thread::sleep(Duration::from_millis(300));
    child
}

fn say(line: &OwnedFd, bytes: &[u8]) {
    rustix::io::write(line, bytes).unwrap();
    std::thread::sleep(Duration::from_millis(80));
}

fn ended(child: Child) -> Said {
    child.wait_with_output().unwrap().into()
}

//= A3.1
#[test]
fn a_line_is_watched_frame_by_frame() {
    let (main, device) = line();
    let speak = || {
        say(&main, &ASKED);
        say(&main, &ANSWERED);
        let mut damaged = ANSWERED;
        damaged[4] ^= 0x10;
        say(&main, &damaged);
        say(&main, &ANSWERED);
    };
    let child = watch(&device, &["--json", "--count", "4"]);
    speak();
    let said = ended(child);
    assert_eq!(said.code, Some(0), "{said:?}");
    let rows = json_lines(&said.out);
    let directions: Vec<&str> = rows
        .iter()
        .take(4)
        .map(|row| text(row, "direction"))
        .collect();
    assert_eq!(directions, ["request", "response", "unknown", "response"]);
    let paired: Vec<bool> = rows
        .iter()
        .take(4)
        .map(|row| row["paired"] == true)
        .collect();
    assert_eq!(paired, [false, true, false, false]);
    assert_eq!(rows[0]["unit"], 17);
    assert_eq!(rows[1]["decoded"]["valid"], true, "{}", rows[1]);
    assert_eq!(rows[2]["crc_ok"], false);
    assert!(
        rows[1]["gap_chars_tenths"].as_u64().unwrap() > 35,
        "{}",
        rows[1]
    );
    let summary = &rows[4]["summary"];
    assert_eq!(
        (&summary["replies"], &summary["damaged"]),
        (&1.into(), &1.into())
    );
    assert!(
        summary["uart"].is_null(),
        "a pseudo-terminal counts nothing: {summary}"
    );

    let child = watch(&device, &["--count", "4"]);
    speak();
    let said = ended(child);
    assert_eq!(said.code, Some(0), "{said:?}");
    let lines: Vec<&str> = said.out.lines().collect();
    let heading = lines.iter().find(|line| line.contains("bytes")).unwrap();
    let column = heading.find("what").unwrap();
    for due in ["request, function 3", "response, function 3"] {
        let row = lines.iter().find(|line| line.contains(due)).unwrap();
        assert_eq!(row.find(due), Some(column), "{}", said.out);
    }
    for due in [
        "11 03 00 6B 00 03 76 87",
        "BAD",
        "1 request, 1 reply, 1 without a request, 1 run damaged",
    ] {
        assert!(said.out.contains(due), "{due}: {}", said.out);
    }
}

//= A3.1
#[test]
fn a_line_that_is_silent_wrong_or_gone_is_told_as_that() {
    let (main, device) = line();
    let said = ended(watch(&device, &["--for", "1s"]));
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("nothing was heard"), "{said:?}");
    let child = watch(&device, &["--count", "1"]);
    say(&main, &[0xFF, 0xFE, 0x00, 0x11]);
    let said = ended(child);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.out.contains("another speed or parity than"),
        "{said:?}"
    );
    let child = watch(&device, &[]);
    say(&main, &ASKED);
    drop(main);
    let said = ended(child);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("1 request, 0 replies"), "{said:?}");
    assert!(said.err.contains("was lost"), "{said:?}");
    for (words, code, due) in [
        (
            &["watch", "--rtu", "/dev/there-is-none"][..],
            3,
            "plug it in",
        ),
        (&["watch", "--rtu", "/dev/null"], 3, "is no serial device"),
        (
            &["watch", "--tcp", "127.0.0.1:502"],
            2,
            "unexpected argument '--tcp'",
        ),
        (
            &["watch", "--rtu", "/dev/null", "--baud", "9601"],
            2,
            "the nearest one is 9600",
        ),
        (
            &["watch", "--rtu", "/dev/null", "--for", "soon"],
            2,
            "such as 15min",
        ),
        (&["watch"], 2, "--rtu"),
        (&["failing", "/there-is-none", "m"], 3, "/there-is-none"),
    ] {
        let said = fieldnotary([&["bus"], words].concat());
        assert_eq!(said.code, Some(code), "{words:?}: {said:?}");
        assert!(said.err.contains(due), "{due}: {said:?}");
    }
}

//= A3.1
#[test]
fn the_last_failing_frames_of_a_meter_are_in_the_log() {
    const FAULTS: &str =
        "[[fault]]\nmeter = \"m03\"\nkind = \"exception\"\ncode = 4\nprobability = 0.5\n";
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start_with(dir.path(), 4, FAULTS);
    let contract = street.contract(Contract::new("example.org/failing", "1MiB", 4));
    let node = Node::start(dir.path(), "node", &contract);
    let failing = |meter: &str, more: &[&str]| {
        let data = node.data().display().to_string();
        fieldnotary([&["bus", "failing", &data, meter], more].concat())
    };
    // While the node runs.
    let rows = wait_until("failed attempts", READY, || {
        let said = failing("m03", &["--last", "3", "--json"]);
        let rows = json_lines(&said.out);
        (rows.len() == 3).then_some(rows)
    });
    for row in &rows {
        assert_eq!(text(row, "cause"), "exception");
        assert!(row["decoded"].to_string().contains("exception"), "{row}");
    }
    let said = failing("m03", &[]);
    assert!(said.out.contains("exception"), "{said:?}");
    let well = failing("m01", &[]);
    assert_eq!(well.code, Some(0), "{well:?}");
    assert!(
        well.out.contains("m01: no attempt failed or came late"),
        "{well:?}"
    );
    let unknown = failing("m99", &[]);
    assert_eq!(unknown.code, Some(3), "{unknown:?}");
    assert!(
        unknown.err.contains("its meters are: m01, m02, m03, m04"),
        "{unknown:?}"
    );
    node.stop();
}

/// Whoever asks or listens on the line of a running node would take its replies: also on a pseudo-terminal, and as root.
#[test]
fn a_line_that_a_node_reads_is_left_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 4);
    let contract = street.contract(Contract::new("example.org/taken", "1MiB", 4));
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("readings", 10);
    let ports = list(street.description(), "ports").iter();
    let mut lines = ports.filter(|port| text(port, "carrier") == "rtu");
    let device = text(lines.next().unwrap(), "path");
    let asked = |verb: &str, more: &[&str]| {
        let line = ["bus", verb, "--rtu", device, "--parity", "none"];
        fieldnotary([&line, more].concat())
    };
    for (verb, more) in [("scan", &["--units", "1-2"]), ("watch", &["--for", "1s"])] {
        let said = asked(verb, more);
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(said.err.contains("is open in process"), "{said:?}");
    }
    // A second node on it says so before and while it runs, sets nothing on the line, and reads when it is free.
    let second = street.contract(Contract::new("example.org/second", "1MiB", 4));
    let config = dir.path().join("second.toml");
    std::fs::write(&config, second.toml()).unwrap();
    let checked = fieldnotary(["check", config.to_str().unwrap()]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.out.contains("warning: port "), "{checked:?}");
    assert!(
        checked.out.contains("(fieldnotary); two masters"),
        "{checked:?}"
    );
    let other = Node::start(dir.path(), "second", &second);
    assert!(
        other.words().contains("is open in process"),
        "{}",
        other.words()
    );
    let lost = wait_until(
        "the port that it cannot have",
        Duration::from_secs(30),
        || {
            let events = about("log", other.data(), &["--kind", "event"]).json_lines();
            events
                .into_iter()
                .find(|event| event["code"] == "port_lost")
        },
    );
    let why = text(&lost, "detail");
    assert!(
        why.contains(device) && why.contains("is open in process"),
        "{lost}"
    );
    node.stop();
    wait_until(
        "readings of the second node",
        Duration::from_secs(60),
        || {
            let readings = about("log", other.data(), &["--kind", "reading"]).json_lines();
            let opened = readings
                .iter()
                .any(|one| text(one, "source") == text(&lost, "source"));
            opened.then_some(())
        },
    );
    other.stop();
    let free = asked("scan", &["--units", "1-2"]);
    assert_eq!(free.code, Some(0), "{free:?}");
}
