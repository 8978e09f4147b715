//! The command line as people and scripts meet it: every verb of all programs, what is printed for whom,
//! filters of the log, and colour on terminals alone.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{Said, about, done, fieldnotary, number, program, text, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

pub(crate) const PROGRAMS: [&str; 4] = [
    "fieldnotary",
    "fieldnotary-signer",
    "fieldnotary-collector",
    "fieldnotary-street",
];
/// Verbs that print no facts: a script, pages, help, and a process that answers on its socket alone.
const NO_FACTS: [(&str, &str); 7] = [
    ("fieldnotary", "completions"),
    ("fieldnotary", "man"),
    ("fieldnotary-signer", "completions"),
    ("fieldnotary-signer", "man"),
    ("fieldnotary-signer", "run"),
    ("fieldnotary-collector", "completions"),
    ("fieldnotary-collector", "man"),
];

fn said(name: &str, words: &[&str]) -> Said {
    let mut command = Command::new(program(name));
    command.args(words).stdin(Stdio::null());
    command.output().unwrap().into()
}

/// A line of a paragraph that ends before the width of the terminal makes it.
fn broken(help: &str, width: usize) -> Option<String> {
    let notes = help.split_once("\nOptions:")?.1.split_once("\n\n")?.1;
    let lines: Vec<&str> = notes.lines().collect();
    let early = |pair: &[&str]| {
        let word = pair[1].split(' ').next().unwrap_or_default();
        let words = |line: &str| !line.is_empty() && !line.starts_with(' ');
        words(pair[0])
            && words(pair[1])
            && !pair[0].ends_with(':')
            && pair[0].chars().count() + 1 + word.chars().count() <= width
    };
    let early = lines.windows(2).find(|pair| early(pair));
    let cut = |line: &&&str| line.contains("jq ") && line.matches('\'').count() % 2 == 1;
    early
        .map(|pair| pair.join("\n"))
        .or_else(|| lines.iter().find(cut).map(ToString::to_string))
}

//= U3
#[test]
fn help_breaks_where_the_terminal_ends_and_cuts_no_example() {
    let mut wrong = Vec::new();
    for name in PROGRAMS {
        let verbs = verbs(name);
        for verb in std::iter::once(None).chain(verbs.iter().map(Some)) {
            let words: Vec<&str> = verb.map_or(Vec::new(), |verb| verb.split(' ').collect());
            for width in [80, 100] {
                let mut command = Command::new(program(name));
                command.env("COLUMNS", width.to_string());
                let help: Said = command.args(&words).arg("--help").output().unwrap().into();
                if let Some(line) = broken(&help.out, width) {
                    wrong.push(format!("{name} {verb:?} at {width}:\n{line}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The verbs that a program's help lists, and their own as `journal inspect`; none for one without verbs.
pub(crate) fn verbs(name: &str) -> Vec<String> {
    below(name, &[])
}

/// The verbs of a group, each followed by its own.
fn below(name: &str, group: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    for verb in verbs_of(name, group) {
        let path = [group, &[&verb]].concat();
        all.push(path.join(" "));
        all.extend(below(name, &path));
    }
    all
}

fn verbs_of(name: &str, group: &[&str]) -> Vec<String> {
    let help = said(name, &[group, &["--help"]].concat()).out;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    listed
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("    "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .map(str::to_owned)
        .collect()
}

//= A2.5
#[test]
fn every_verb_of_every_program_has_help_codes_an_example_and_json() {
    let mut wrong = Vec::new();
    for name in PROGRAMS {
        let verbs = verbs(name);
        assert_eq!(verbs.is_empty(), name == "fieldnotary-street", "{verbs:?}");
        for verb in std::iter::once(None).chain(verbs.iter().map(Some)) {
            let words: Vec<&str> = verb.map_or(Vec::new(), |verb| verb.split(' ').collect());
            let help = said(name, &[words.as_slice(), &["--help"]].concat());
            let verb = verb.map_or("", String::as_str);
            let facts = !verb.is_empty() || name == "fieldnotary-street";
            let json = facts && !NO_FACTS.contains(&(name, verb));
            for (what, is_there) in [
                ("code 0", help.code == Some(0)),
                ("exit codes", help.out.contains("Exit codes:\n  0  ")),
                (
                    "an example",
                    help.out.contains("\n  fieldnotary") || help.out.contains("\n  eval"),
                ),
                ("--json", !json || help.out.contains("--json")),
                (
                    "100 columns",
                    help.out.lines().all(|line| line.chars().count() <= 100),
                ),
            ] {
                if !is_there {
                    wrong.push(format!("{name} {verb}: no {what}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn shells_and_manuals_know_every_verb() {
    let dir = tempfile::tempdir().unwrap();
    for name in PROGRAMS {
        for shell in ["bash", "zsh", "fish"] {
            let script = match name {
                "fieldnotary-street" => said(name, &["--completions", shell]),
                _ => said(name, &["completions", shell]),
            };
            assert_eq!(script.code, Some(0), "{script:?}");
            for verb in verbs(name) {
                let known = verb.split(' ').all(|word| script.out.contains(word));
                assert!(known, "{name}, {shell}: {verb}");
            }
        }
    }
    // A script that a shell cannot read would greet its user at every login.
    let file = dir.path().join("fieldnotary.bash");
    std::fs::write(&file, said("fieldnotary", &["completions", "bash"]).out).unwrap();
    done(Command::new("bash").arg("-n").arg(&file));
    let pages = dir.path().join("man");
    let man = fieldnotary(["man".as_ref(), "--to".as_ref(), pages.as_os_str()]);
    assert_eq!(man.code, Some(0), "{man:?}");
    for name in PROGRAMS {
        let verbs = verbs(name);
        let names = verbs
            .iter()
            .map(|verb| format!("{name}-{}.1", verb.replace(' ', "-")));
        for page in names.chain([format!("{name}.1")]) {
            let text = std::fs::read_to_string(pages.join(&page)).unwrap();
            assert!(
                text.contains(".SH NAME") && text.contains("Exit codes:"),
                "{page}"
            );
        }
    }
}

/// A node's directory with readings of two meters.
fn grown(dir: &Path) -> std::path::PathBuf {
    let street = Street::start(dir, 2);
    let contract = street.contract(Contract::new("example.org/line", "256KiB", 4));
    let data = Node::grow(dir, "node", &contract, 150);
    drop(street);
    data
}

//= R11.1
#[test]
fn the_log_is_shown_in_part_by_point_time_id_kind_and_number() {
    let dir = tempfile::tempdir().unwrap();
    let data = grown(dir.path());
    let rows = |more: &[&str]| {
        let said = about("log", &data, more);
        assert_eq!(said.code, Some(0), "{said:?}");
        said.json_lines()
    };
    let all = rows(&[]);
    let of_point = rows(&["--kind", "reading", "--point", "energy"]);
    assert!(!of_point.is_empty() && of_point.iter().all(|row| row["point_id"] == "energy"));
    let of_meter = rows(&["--kind", "reading", "--point", "m01/energy"]);
    assert!(
        of_meter.len() < of_point.len(),
        "{} {}",
        of_meter.len(),
        of_point.len()
    );
    assert!(!of_meter.is_empty() && of_meter.iter().all(|row| row["meter_id"] == "m01"));
    let ids = |rows: &[serde_json::Value]| -> Vec<u64> {
        rows.iter().map(|row| number(row, "commit_id")).collect()
    };
    assert_eq!(ids(&rows(&["--from", "7", "--to", "11"])), [7, 8, 9, 10]);
    assert_eq!(ids(&rows(&["--from", "7", "--limit", "2"])), [7, 8]);
    let newest = ids(&all).split_off(all.len() - 3);
    assert_eq!(ids(&rows(&["--last", "3"])), newest);
    // Between the times of two entries lies what was stamped between them.
    let (from, to) = (text(&all[20], "timestamp"), text(&all[60], "timestamp"));
    let between = rows(&["--from", from, "--to", to]);
    assert!(!between.is_empty());
    for row in &between {
        assert!((from..to).contains(&text(row, "timestamp")), "{row}");
    }
    assert_eq!(rows(&["--from", "-1h"]).len(), all.len());
    assert!(rows(&["--to", "-1h"]).is_empty());
    let kinds = rows(&["--kind", "checkpoint", "--kind", "epoch"]);
    assert!(kinds.iter().all(|row| row["kind"] != "reading") && !kinds.is_empty());
    let nobody = about("log", &data, &["--point", "nobody"]);
    assert_eq!(nobody.code, Some(1), "{nobody:?}");
    assert!(nobody.err.contains("m01/energy"), "{nobody:?}");
    let words = fieldnotary([
        "log".as_ref(),
        data.as_os_str(),
        "--to".as_ref(),
        "-1h".as_ref(),
    ]);
    assert!(words.out.starts_with("no entry is before 20"), "{words:?}");
}

#[test]
fn a_log_that_is_followed_shows_new_entries_until_ctrl_c() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let contract = street.contract(Contract::new("example.org/line", "256KiB", 4));
    let node = Node::start(dir.path(), "node", &contract);
    node.wait_for("readings", 10);
    let before = number(&node.status(), "log_size");
    let mut command = Command::new(program("fieldnotary"));
    command.arg("log").arg(node.data());
    command.args(["--follow", "--json", "--kind", "reading"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut ids = Vec::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    while ids.last().is_none_or(|id| *id < before + 20) {
        let mut line = String::new();
        assert!(
            out.read_line(&mut line).unwrap() > 0,
            "it ended by itself: {ids:?}"
        );
        let row: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(row["kind"], "reading");
        ids.push(number(&row, "commit_id"));
    }
    assert!(
        ids.is_sorted_by(|a, b| a < b),
        "each once and in order: {ids:?}"
    );
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    // What it still wrote goes nowhere; it must not wait for a reader.
    drop(out);
    let status = wait_until("end of the follower", Duration::from_secs(10), || {
        child.try_wait().unwrap()
    });
    assert_eq!(status.code(), Some(0));
    // Whoever sees a number without --json sees the newest ten first.
    let mut short = Command::new("timeout");
    short
        .args(["--signal=INT", "2"])
        .arg(program("fieldnotary"));
    let said: Said = short
        .arg("log")
        .arg(node.data())
        .args(["--follow", "--kind", "reading"])
        .output()
        .unwrap()
        .into();
    assert!(said.out.lines().count() > 10, "{said:?}");
    node.stop();
}

/// What a terminal would show of a command, colours and all.
fn on_a_terminal(words: &str, more: &[(&str, &str)]) -> String {
    let mut command = Command::new("script");
    command
        .args(["-qec", words, "/dev/null"])
        .stdin(Stdio::null());
    command.env("TERM", "xterm").env_remove("NO_COLOR");
    command.envs(more.iter().copied());
    Said::from(command.output().unwrap()).out
}

#[test]
fn colour_is_for_terminals_and_for_whoever_wants_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = grown(dir.path());
    let words = format!(
        "{} verify {}",
        program("fieldnotary").display(),
        data.display()
    );
    let shown = on_a_terminal(&words, &[]);
    assert!(shown.contains("\u{1b}[32mVERIFIED\u{1b}[0m"), "{shown:?}");
    // Without colour long work may still draw over its own line; a dumb terminal gets words alone.
    for (plain, none) in [
        (("NO_COLOR", "1"), "\u{1b}[3"),
        (("TERM", "dumb"), "\u{1b}"),
    ] {
        let shown = on_a_terminal(&words, &[plain]);
        assert!(
            shown.contains("VERIFIED") && !shown.contains(none),
            "{shown:?}"
        );
    }
    let piped = fieldnotary(["verify".as_ref(), data.as_os_str()]);
    assert!(piped.out.starts_with("VERIFIED"), "{piped:?}");
    let status = format!(
        "{} status {}",
        program("fieldnotary").display(),
        data.display()
    );
    let shown = on_a_terminal(&status, &[]);
    assert!(shown.contains("\u{1b}[33mNOT RUNNING"), "{shown:?}");
}
