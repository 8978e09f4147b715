//! Remote I/O of a device that is not ours, over TCP and on a serial line: states, values, commands and their proof.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Peer};
use crate::common::{Said, about, fieldnotary, list, text, wait_until};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long something may take to be in the log.
const SOON: Duration = Duration::from_secs(60);

/// A breaker and a valve of the device, each proved by what the device reads back.
fn contract(port: &str) -> Contract {
    Contract::of(format!(
        "[station]\norigin = \"example.org/remote\"\n\n[storage]\nsegment_size = \"1MiB\"\nsegments = 4\n\n\
         [seal]\nevery = \"1s\"\n\n[[schedule]]\nid = \"s\"\nevery = \"1s\"\n\n\
         [[port]]\nid = \"line\"\n{port}timeout = \"300ms\"\nlate_reply = \"500ms\"\n\n\
         [[debounce]]\nid = \"p\"\nwindow = \"5ms\"\n\n\
         [[card]]\nid = \"rio\"\nkind = \"modbus\"\nport = \"line\"\nunit = 3\npoll = \"20ms\"\n\n\
         [[di]]\nid = \"contact\"\ncard = \"rio\"\nline = \"discrete:5\"\ndebounce = \"p\"\n\n\
         [[di]]\nid = \"readback\"\ncard = \"rio\"\nline = \"coil:20\"\ndebounce = \"p\"\n\n\
         [[ai]]\nid = \"level\"\ncard = \"rio\"\nchannel = \"input:3 i16\"\nschedule = \"s\"\nsample = \"100ms\"\n\
         deadband = \"1\"\n\n\
         [[ai]]\nid = \"position\"\ncard = \"rio\"\nchannel = \"holding:7\"\nschedule = \"s\"\nsample = \"100ms\"\n\
         scale = \"0.01\"\nunit = \"%\"\n\n\
         [[do]]\nid = \"breaker\"\ncard = \"rio\"\nline = \"coil:20\"\nsafe = \"off\"\nfeedback = \"contact\"\n\
         feedback_window = \"2s\"\ninterlocks = [\"level < 100\"]\noperate = \"direct\"\n\n\
         [[ao]]\nid = \"valve\"\ncard = \"rio\"\nchannel = \"holding:7\"\nscale = \"0.01\"\nrange = [\"0\", \"100\"]\n\
         safe = \"10\"\nunit = \"%\"\nfeedback = \"position\"\ntolerance = \"0.5\"\noperate = \"direct\"\n"
    ))
}

struct Site {
    _dir: tempfile::TempDir,
    peer: Peer,
    node: Node,
    data: PathBuf,
}

impl Site {
    fn start(port: impl Fn(&Peer) -> String) -> Self {
        Self::with(port, "")
    }

    /// A site whose contract has this beside.
    fn with(port: impl Fn(&Peer) -> String, beside: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let peer = Peer::of(dir.path(), "modbus_io.py", &["--unit", "3"]);
        let contract = contract(&port(&peer));
        let contract = Contract::of(format!("{}{beside}", contract.toml()));
        let node = Node::start(dir.path(), "node", &contract);
        let data = node.data().to_owned();
        let site = Self {
            _dir: dir,
            peer,
            node,
            data,
        };
        for point in ["contact", "readback"] {
            site.row(point, |row| {
                row["point_id"] == point && row["kind"] == "soe"
            });
        }
        site.row("the valve", |row| {
            row["point_id"] == "valve" && row["outcome"] == "safe"
        });
        site.row("a level", |row| {
            row["point_id"] == "level" && row["value"] == "0"
        });
        site
    }

    fn row(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        wait_until(what, SOON, || {
            let rows = about("log", &self.data, &[]).json_lines();
            rows.into_iter().rev().find(&fits)
        })
    }

    /// Outcome and reason of the last thing that came of a command.
    fn operate(&self, point: &str, value: &str) -> (String, String) {
        let said = operate(&self.data, point, value).json();
        let last = list(&said, "outcomes")
            .last()
            .unwrap_or(&Value::Null)
            .clone();
        (
            text(&last, "outcome").to_owned(),
            text(&last, "reason").to_owned(),
        )
    }

    /// What was written to the device, in order.
    fn writes(&self) -> Vec<Value> {
        self.peer.answered()
    }
}

fn operate(data: &Path, point: &str, value: &str) -> Said {
    let data = data.to_str().unwrap();
    fieldnotary([
        "operate", data, point, "--direct", "--value", value, "--reason", "a test", "--json",
    ])
}

fn is(outcome: &str, reason: &str) -> (String, String) {
    (outcome.to_owned(), reason.to_owned())
}

fn coil(on: bool) -> Value {
    json!({"function": 5, "address": 20, "values": [on]})
}

fn check(site: Site) {
    let before = check_commands(&site);
    check_faults(site, &before);
}

/// The frames of the port for some seconds from now on.
fn watch(data: &Path) -> std::thread::JoinHandle<Vec<Value>> {
    let data = data.to_str().unwrap().to_owned();
    let watcher = std::thread::spawn(move || {
        let words = ["bus", "watch", "--data", &data, "--port", "line", "--json"];
        let said = fieldnotary([&words[..], &["--for", "5s"]].concat());
        assert_eq!(said.code, Some(0), "{said:?}");
        let mut rows = said.json_lines();
        rows.retain(|row| row["direction"].is_string());
        rows
    });
    // It begins within half a second.
    std::thread::sleep(Duration::from_secs(1));
    watcher
}

/// What is commanded is done once and proved; the entry of the level that then forbids it.
fn check_commands(site: &Site) -> Value {
    let register = |value: u64| json!({"function": 6, "address": 7, "values": [value]});
    // From the opening on both are safe.
    assert_eq!(site.writes(), [coil(false), register(1_000)]);

    // A command is written once, and proved by what is read back.
    let watcher = watch(&site.data);
    assert_eq!(site.operate("breaker", "on"), is("proved", "none"));
    // Between two numbers of the register: what was asked for, and what was output.
    assert_eq!(site.operate("valve", "42.505"), is("proved", "none"));
    for (kind, value) in [("command", "42.505"), ("output", "42.51")] {
        let row = site.row(kind, |row| {
            row["point_id"] == "valve" && row["kind"] == kind
        });
        assert_eq!(row["value"], value, "{row}");
    }
    let frames = watcher.join().unwrap();
    let damaged = frames.iter().find(|row| row["decoded"]["valid"] != true);
    assert_eq!(damaged, None);
    // Polls of bits and registers, and the two commands among them.
    for function in [1, 2, 3, 4, 5, 6] {
        let of = |direction: &str| {
            let mut rows = frames.iter();
            rows.any(|row| row["direction"] == direction && row["function"] == function)
        };
        assert!(of("request") && of("response"), "function {function}");
    }
    assert_eq!(site.writes()[2..], [coil(true), register(4_251)]);
    let soe = site.row("the contact", |row| {
        row["point_id"] == "contact" && row["kind"] == "soe" && row["value"] == 1
    });
    assert_eq!(soe["line"], 100_005, "{soe}");
    let soe = site.row("the coil", |row| {
        row["point_id"] == "readback" && row["kind"] == "soe" && row["value"] == 1
    });
    assert_eq!(soe["line"], 200_020, "{soe}");

    // An interlock over a register, below zero and above.
    site.peer.control(&json!({"level": -7}));
    site.row("a level below zero", |row| {
        row["point_id"] == "level" && row["value"] == "-7"
    });
    site.peer.control(&json!({"level": 200}));
    let high = site.row("a level", |row| {
        row["point_id"] == "level" && row["value"] == "200"
    });
    assert_eq!(site.operate("breaker", "off"), is("refused", "interlock"));
    assert_eq!(site.writes().len(), 4, "{:?}", site.writes());

    high
}

/// What does not follow, and what does not answer.
fn check_faults(site: Site, before: &Value) {
    // A contact that stays.
    site.peer.control(&json!({"stuck": true}));
    site.row("the level is back", |row| {
        row["point_id"] == "level"
            && row["value"] == "0"
            && row["commit_id"].as_u64() > before["commit_id"].as_u64()
    });
    assert_eq!(site.operate("breaker", "off"), is("mismatch", "no_change"));
    assert_eq!(site.writes()[4..], [coil(false)]);

    // Nobody answers: nothing is believed, and nothing moves.
    site.peer.control(&json!({"silent": true}));
    let invalid = site.row("an invalid contact", |row| {
        row["point_id"] == "contact" && row["kind"] == "soe" && row["quality"] != before["quality"]
    });
    assert_eq!(invalid["reason"], "source_lost", "{invalid}");
    let (outcome, reason) = site.operate("breaker", "on");
    assert_eq!(
        (outcome.as_str(), reason.as_str()),
        ("refused", "card_lost"),
        "{invalid}"
    );
    assert_eq!(
        site.writes()
            .iter()
            .filter(|one| **one == coil(true))
            .count(),
        1
    );

    // Back, and safe again.
    site.peer.control(&json!({}));
    for point in ["contact", "level"] {
        site.row("all is back", |row| {
            row["point_id"] == point
                && row["quality"] == before["quality"]
                && row["commit_id"].as_u64() > invalid["commit_id"].as_u64()
        });
    }
    assert_eq!(site.operate("breaker", "on"), is("proved", "none"));
    // Nothing of all that is told as an edge that was lost.
    let rows = about("log", &site.data, &[]).json_lines();
    let lost: Vec<&Value> = rows.iter().filter(|row| row["change"] == "lost").collect();
    assert!(lost.is_empty(), "{lost:?}");
    let data = site.node.stop();
    assert_eq!(about("verify", &data, &[]).code, Some(0));
    let last = site.peer.answered();
    assert!(
        last.iter().rev().take(2).any(|one| *one == coil(false)),
        "{last:?}"
    );
}

//= R3.1
//= R3.2
//= R3.3
//= A3.1
#[test]
fn remote_io_over_tcp_is_read_commanded_and_proved() {
    check(Site::start(|peer| {
        format!("kind = \"modbus-tcp\"\naddress = \"{}\"\n", peer.address())
    }));
}

//= R3.1
//= R3.2
//= R3.3
#[test]
fn remote_io_on_a_serial_line_is_read_commanded_and_proved() {
    check(Site::start(|peer| {
        format!(
            "kind = \"modbus-rtu\"\ndevice = \"{}\"\nbaud = 115200\nparity = \"none\"\n",
            peer.device()
        )
    }));
}

/// A card whose unit is not there is asked again and again, on the line of one that is commanded meanwhile.
//= R3.1
//= R3.2
#[test]
fn a_card_that_is_not_there_keeps_no_other_from_the_line_they_share() {
    let site = Site::with(
        |peer| {
            format!(
                "kind = \"modbus-rtu\"\ndevice = \"{}\"\nbaud = 115200\nparity = \"none\"\nretries = 3\n",
                peer.device()
            )
        },
        "\n[[card]]\nid = \"gone\"\nkind = \"modbus\"\nport = \"line\"\nunit = 9\npoll = \"20ms\"\n\n\
         [[di]]\nid = \"nowhere\"\ncard = \"gone\"\nline = \"discrete:0\"\ndebounce = \"p\"\n",
    );
    let lost = site.row("the loss", |row| {
        row["code"] == "port_lost" && row["source"] == "gone"
    });
    assert!(text(&lost, "detail").contains("unit 9"), "{lost}");
    for value in ["on", "off", "on"] {
        assert_eq!(
            site.operate("breaker", value),
            is("proved", "none"),
            "{value}"
        );
    }
    let of_other = site.row("a state", |row| row["point_id"] == "contact");
    assert_eq!(text(&of_other, "quality"), "good");
    let data = site.node.stop();
    assert_eq!(about("verify", &data, &[]).code, Some(0));
}
