//! Outputs on a whole node: commands from the command line to a line that moves, and whatever ends between.

use crate::common::blows::{running, signal, successor};
use crate::common::contract::Contract;
use crate::common::sites::Node;
use crate::common::{Said, about, fieldnotary, list, number, text, wait_until};
use rustix::process::Signal;
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long something may take to be in the log.
const SOON: Duration = Duration::from_secs(60);

/// A breaker whose contact follows it, or does not; the earth switch is on a card of its own.
fn contract(dir: &Path, window: &str) -> Contract {
    let (dio, bay) = (dir.join("dio.txt"), dir.join("bay.txt"));
    Contract::of(format!(
        "[station]\norigin = \"example.org/outputs\"\n\n[storage]\nsegment_size = \"1MiB\"\nsegments = 4\n\n\
         [seal]\nevery = \"1s\"\n\n[[debounce]]\nid = \"p\"\nwindow = \"5ms\"\n\n\
         [[card]]\nid = \"dio\"\nkind = \"recording\"\npath = {dio:?}\n\n\
         [[card]]\nid = \"bay\"\nkind = \"recording\"\npath = {bay:?}\n\n\
         [[di]]\nid = \"contact\"\ncard = \"dio\"\nline = 7\ndebounce = \"p\"\n\n\
         [[di]]\nid = \"remote\"\ncard = \"dio\"\nline = 8\ndebounce = \"p\"\n\n\
         [[di]]\nid = \"earth\"\ncard = \"bay\"\nline = 1\ndebounce = \"p\"\n\n\
         [[do]]\nid = \"breaker\"\ncard = \"dio\"\nline = 12\nsafe = \"off\"\nfeedback = \"contact\"\n\
         feedback_window = \"{window}\"\ninterlocks = [\"earth off\"]\nremote_switch = \"remote\"\n\
         operate = \"direct\"\n\n\
         [[do]]\nid = \"lamp\"\ncard = \"dio\"\nline = 13\nsafe = \"off\"\non_loss = \"hold\"\n\n\
         [[ao]]\nid = \"valve\"\ncard = \"dio\"\nchannel = \"out\"\nscale = \"0.5\"\nrange = [\"0\", \"100\"]\n\
         safe = \"10\"\nunit = \"%\"\noperate = \"direct\"\n"
    ))
}

struct Site {
    dir: tempfile::TempDir,
    node: Node,
    data: PathBuf,
}

impl Site {
    /// A node whose outputs have heard of the log; the contact is wired to the breaker, or not.
    fn start(wired: bool, window: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let wire = if wired { "0 wired 12 7 0.050\n" } else { "" };
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write("dio.txt", &format!("{wire}0 level 8 high\n"));
        write("bay.txt", "0 level 1 low\n");
        write("dio.txt.driven", "");
        let node = Node::start(dir.path(), "node", &contract(dir.path(), window));
        let data = node.data().to_owned();
        let site = Self { dir, node, data };
        site.outcome("the valve", |row| {
            row["point_id"] == "valve" && row["outcome"] == "safe"
        });
        // The first states of all inputs are there, and what they say has come to the outputs.
        for point in ["contact", "remote", "earth"] {
            site.row(point, |row| {
                row["point_id"] == point && row["kind"] == "soe"
            });
        }
        wait_until("a selection", SOON, || {
            (site.operate("breaker", "--select", "on", "ada").code == Some(0)).then_some(())
        });
        assert_eq!(site.operate("breaker", "--cancel", "", "ada").code, Some(0));
        site
    }

    fn rows(&self) -> Vec<Value> {
        about("log", &self.data, &[]).json_lines()
    }

    /// Waits for a row of the log.
    fn row(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        wait_until(what, SOON, || self.rows().into_iter().rev().find(&fits))
    }

    fn outcome(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.row(what, |row| row["kind"] == "output" && fits(row))
    }

    fn operate(&self, point: &str, step: &str, value: &str, actor: &str) -> Said {
        operate(&self.data, point, step, value, actor)
    }

    /// The same while something else happens; it waits for the outcome.
    fn meanwhile(&self, point: &'static str, value: &'static str) -> JoinHandle<Option<i32>> {
        let data = self.data.clone();
        std::thread::spawn(move || operate(&data, point, "--direct", value, "ada").code)
    }

    /// The newest command, once it is in the log.
    fn command(&self, point: &str, before: u64) -> u64 {
        let row = self.row("the command", |row| {
            row["kind"] == "command" && row["point_id"] == point && id(row) > before
        });
        id(&row)
    }

    /// What became of a command in the end.
    fn end_of(&self, command: u64) -> (String, String) {
        let finals = |row: &Value| row["command"] == command && row["outcome"] != "driven";
        let row = self.outcome("the outcome", finals);
        // Nothing more comes of it.
        let all = self.rows();
        let count = all.iter().filter(|row| finals(row)).count();
        assert_eq!(count, 1, "{all:?}");
        (
            text(&row, "outcome").to_owned(),
            text(&row, "reason").to_owned(),
        )
    }

    fn play(&self, card: &str, line: &str) {
        let path = self.dir.path().join(format!("{card}.txt"));
        let file = std::fs::OpenOptions::new().append(true).open(path);
        writeln!(file.unwrap(), "{line}").unwrap();
    }

    /// What the card was given, without its instants.
    fn driven(&self) -> Vec<String> {
        let noted = std::fs::read_to_string(self.dir.path().join("dio.txt.driven")).unwrap();
        let words = noted.lines().filter_map(|line| line.split_once(" drive "));
        words.map(|(_, what)| what.to_owned()).collect()
    }

    fn newest(&self) -> u64 {
        self.rows().last().map_or(0, id)
    }

    /// Stops it; the log verifies.
    fn stop(self) {
        let data = self.node.stop();
        assert_eq!(about("verify", &data, &[]).code, Some(0));
    }
}

fn operate(data: &Path, point: &str, step: &str, value: &str, actor: &str) -> Said {
    let data = data.to_str().unwrap();
    let mut words = vec![
        "operate", data, point, step, "--reason", "a test", "--actor", actor,
    ];
    if !value.is_empty() {
        words.extend(["--value", value]);
    }
    words.push("--json");
    fieldnotary(words)
}

fn id(row: &Value) -> u64 {
    number(row, "commit_id")
}

/// Outcome and reason of the last thing that came of a command.
fn came(said: &Said) -> (String, String) {
    let said = said.json();
    let last = list(&said, "outcomes").last().unwrap_or(&Value::Null);
    (
        text(last, "outcome").to_owned(),
        text(last, "reason").to_owned(),
    )
}

fn is(outcome: &str, reason: &str) -> (String, String) {
    (outcome.to_owned(), reason.to_owned())
}

//= R3.2
//= R3.5
//= R6.7
//= R11.2
#[test]
fn a_command_is_committed_then_moves_the_line_and_is_proved_or_says_why_not() {
    let site = Site::start(true, "2s");
    let before = site.driven();
    assert_eq!(before, ["out 20"], "the valve is safe, nothing else moved");
    assert_eq!(
        came(&site.operate("breaker", "--select", "on", "ada")),
        is("selected", "none")
    );
    let other = site.operate("breaker", "--execute", "on", "bert");
    assert_eq!(
        (came(&other), other.code),
        (is("refused", "selected_by_other"), Some(1))
    );
    let done = site.operate("breaker", "--execute", "on", "ada");
    assert_eq!((came(&done), done.code), (is("proved", "none"), Some(0)));
    assert_eq!(site.driven(), ["out 20", "12 high"]);
    let proved = site.outcome("the proof", |row| row["outcome"] == "proved");
    let command = site.row("the command", |row| row["commit_id"] == proved["command"]);
    assert!(id(&command) < id(&proved));
    assert_eq!(text(&command, "detail"), "a test");
    assert!(
        text(&command, "actor").starts_with("ada (uid "),
        "{command}"
    );
    assert_eq!(text(&proved, "feedback"), "contact");
    let select = site.row("the select", |row| row["commit_id"] == proved["selection"]);
    assert_eq!(text(&select, "step"), "select");
    site.stop();
}

//= R3.2
//= R3.3
//= R3.5
#[test]
fn another_cards_input_a_tag_and_the_switch_hold_a_command_back() {
    let site = Site::start(true, "2s");
    site.play("bay", "now edge 1 rising");
    wait_until("an interlock", SOON, || {
        let said = site.operate("breaker", "--direct", "off", "ada");
        let (outcome, reason) = came(&said);
        // Until the edge is heard the breaker may be switched off, which it is.
        let allowed = ["none", "already_there"].contains(&reason.as_str());
        assert!(outcome == "refused" || allowed, "{reason}");
        (reason == "interlock").then_some(())
    });
    site.play("bay", "now edge 1 falling");
    site.row("no earth", |row| {
        row["point_id"] == "earth" && row["value"] == 0
    });
    let data = site.data.to_str().unwrap();
    let tagged = fieldnotary(["tag", data, "lamp", "--reason", "work", "--actor", "bert"]);
    assert_eq!(tagged.code, Some(0), "{}", tagged.err);
    wait_until("a tag", SOON, || {
        let said = site.operate("lamp", "--select", "on", "ada");
        (came(&said) == is("refused", "tagged")).then_some(())
    });
    let status = about("status", &site.data, &[]).json();
    let lamp = list(&status, "outputs")
        .iter()
        .find(|row| row["id"] == "lamp");
    let tags = list(lamp.unwrap(), "tags");
    assert!(
        tags[0].as_str().unwrap().starts_with("bert (uid "),
        "{lamp:?}"
    );
    site.play("dio", "now edge 8 falling");
    site.row("local", |row| {
        row["point_id"] == "remote" && row["change"] == "edge"
    });
    assert_eq!(
        came(&site.operate("breaker", "--direct", "off", "ada")),
        is("refused", "local")
    );

    assert_eq!(
        came(&site.operate("valve", "--direct", "42.5", "ada")),
        is("operated", "none")
    );
    assert!(site.driven().contains(&"out 85".to_owned()));
    let missing = site.operate("hron", "--direct", "on", "ada");
    assert!(
        missing.err.contains("it has breaker, lamp, valve"),
        "{}",
        missing.err
    );
    let wrong = site.operate("breaker", "--direct", "7", "ada");
    assert!(wrong.err.contains("write on or off"), "{}", wrong.err);
    let said = fieldnotary(["log".as_ref(), site.data.as_os_str()]).out;
    for words in [
        "breaker: operate directly off, ada (uid ",
        "breaker off: refused (local): remote",
        "lamp tagged, bert",
    ] {
        assert!(said.contains(words), "{words} in\n{said}");
    }
    site.stop();
}

//= R3.2
//= R6.7
#[test]
fn a_command_that_io_had_when_it_was_killed_is_told_as_unknown_and_not_carried_out() {
    let site = Site::start(false, "30s");
    let before = site.newest();
    let io = running(&site.data, "io");
    signal(io, Signal::STOP);
    let asked = site.meanwhile("breaker", "on");
    let command = site.command("breaker", before);
    signal(io, Signal::KILL);
    successor(&site.data, "io", io);
    assert_eq!(site.end_of(command), is("unknown", "process_ended"));
    assert_eq!(asked.join().unwrap(), Some(1));
    assert!(
        !site.driven().contains(&"12 high".to_owned()),
        "{:?}",
        site.driven()
    );

    // And one whose line had moved already, while its proof was awaited.
    let before = site.newest();
    let asked = site.meanwhile("breaker", "on");
    let command = site.command("breaker", before);
    site.outcome("the movement", |row| {
        row["command"] == command && row["outcome"] == "driven"
    });
    let io = running(&site.data, "io");
    signal(io, Signal::KILL);
    successor(&site.data, "io", io);
    assert_eq!(site.end_of(command), is("unknown", "process_ended"));
    assert_eq!(asked.join().unwrap(), Some(1));
    let highs = site.driven().iter().filter(|one| *one == "12 high").count();
    assert_eq!(highs, 1, "once, before: {:?}", site.driven());
    site.stop();
}

//= R3.2
//= R6.7
#[test]
fn a_recorder_that_is_killed_between_carries_nothing_out_later_and_loses_no_outcome() {
    let site = Site::start(false, "4s");
    // Between the commit and the movement.
    let before = site.newest();
    let io = running(&site.data, "io");
    signal(io, Signal::STOP);
    // What it had asked the log for is answered: nothing.
    std::thread::sleep(Duration::from_millis(1_500));
    let asked = site.meanwhile("breaker", "on");
    let command = site.command("breaker", before);
    let recorder = running(&site.data, "recorder");
    signal(recorder, Signal::KILL);
    successor(&site.data, "recorder", recorder);
    signal(io, Signal::CONT);
    assert_eq!(site.end_of(command), is("refused", "interrupted"));
    assert_eq!(asked.join().unwrap(), Some(3), "nobody answered");
    assert!(
        !site.driven().contains(&"12 high".to_owned()),
        "{:?}",
        site.driven()
    );

    // Between the movement and its outcome, which comes while nobody records.
    let before = site.newest();
    let asked = site.meanwhile("breaker", "on");
    let command = site.command("breaker", before);
    site.outcome("the movement", |row| {
        row["command"] == command && row["outcome"] == "driven"
    });
    let recorder = running(&site.data, "recorder");
    signal(recorder, Signal::KILL);
    site.play("dio", "now edge 7 rising");
    successor(&site.data, "recorder", recorder);
    assert_eq!(site.end_of(command), is("proved", "none"));
    assert_eq!(asked.join().unwrap(), Some(3), "nobody answered");
    let highs = site.driven().iter().filter(|one| *one == "12 high").count();
    assert_eq!(highs, 1, "{:?}", site.driven());
    site.stop();
}
