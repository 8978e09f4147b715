//! Who changes something says why: what each verb of each program does, that those which change what is there demand a
//! reason, and what the log has of it.

use crate::command_line::{PROGRAMS, verbs};
use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{Said, about, fieldnotary, program, text};
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

const ORIGIN: &str = "example.org/reasons";

/// What a verb does to what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// Nothing: it reads, asks, or simulates.
    Looks,
    /// It makes something new and refuses to touch what is there; no log knows of it yet.
    Makes,
    /// It adds an entry of a kind that has its own actor.
    Adds(&'static str),
    /// It adds such an entry, which has a reason too: `--reason` is demanded.
    Commands(&'static str),
    /// It lets somebody in or takes him back at the collector: `--reason` is demanded, and the collector's audit has it.
    Books,
    /// It changes how a node goes on: `--reason` is demanded, and the log has an audit entry of this action.
    Changes(&'static str),
    /// The same, but only where the configuration is not the one in force, or safe mode is ended.
    ChangesAtTimes(&'static str),
    /// It has verbs, each with a line of its own here, and shows how they go together.
    Groups,
}
use Does::{Adds, Books, Changes, ChangesAtTimes, Commands, Groups, Looks, Makes};

/// Every verb; a new one has to say here what it does.
const VERBS: &[(&str, &[(&str, Does)])] = &[
    (
        "fieldnotary",
        &[
            ("init", Makes),
            ("check", Looks),
            ("run", ChangesAtTimes("configure")),
            ("status", Looks),
            ("log", Looks),
            ("verify", Looks),
            ("gaps", Looks),
            ("time", Looks),
            ("journal", Looks),
            ("bus", Looks),
            ("decode", Looks),
            ("wiring", Looks),
            ("annotate", Adds("probe")),
            ("maintenance", Commands("maintenance")),
            ("signoff", Adds("sign_off")),
            ("operate", Commands("command")),
            ("tag", Commands("tag")),
            ("set-clock", Commands("clock_order")),
            ("enrol request", Makes),
            ("enrol answer", Makes),
            ("enrol accept", Commands("enrolment")),
            ("enrol revoked", Commands("revocation")),
            ("enrol", Groups),
            ("keys rotate", Commands("key_rotation")),
            ("keys", Groups),
            ("attest", Adds("attestation")),
            ("backup", Looks),
            // It makes a directory; the log has who and why when that is adopted.
            ("restore", Changes("adopt")),
            ("adopt", Changes("adopt")),
            ("demo", Makes),
            ("completions", Looks),
            ("man", Makes),
        ],
    ),
    (
        "fieldnotary-signer",
        &[
            ("init", Makes),
            ("check", Looks),
            ("run", Looks),
            ("vkey", Looks),
            ("completions", Looks),
            ("man", Makes),
        ],
    ),
    (
        "fieldnotary-collector",
        &[
            ("init", Makes),
            ("issue", Books),
            ("challenge", Makes),
            ("register", Books),
            // Who and why are in the notice too, and in the log that takes it.
            ("revoke", Commands("revocation")),
            ("run", Looks),
            ("completions", Looks),
            ("man", Makes),
        ],
    ),
    ("fieldnotary-street", &[]),
];

fn help(name: &str, verb: &str) -> String {
    let mut command = Command::new(program(name));
    command
        .args(verb.split(' '))
        .arg("--help")
        .env("COLUMNS", "200");
    Said::from(command.output().unwrap()).out
}

fn with_reason(name: &str, verb: &str, reason: &str) -> Said {
    let mut command = Command::new(program(name));
    command.args(verb.split(' ')).args(["--reason", reason]);
    Said::from(command.output().unwrap())
}

//= R11.2
#[test]
fn no_reason_forges_a_line_or_steers_a_screen() {
    for (name, known) in VERBS {
        let mut tried = 0;
        for verb in verbs(name) {
            if !help(name, &verb).contains("--reason <TEXT>") {
                continue;
            }
            for hostile in [
                "ok\nVERIFIED against the key you pinned",
                "ok\u{1b}[2J",
                "a\u{202e}b",
            ] {
                let said = with_reason(name, &verb, hostile);
                assert_eq!(said.code, Some(2), "{name} {verb}: {said:?}");
                assert!(
                    said.err.contains("steers a screen"),
                    "{name} {verb}: {said:?}"
                );
                assert!(
                    !said.err.contains(['\u{1b}', '\u{202e}']),
                    "{name} {verb}: {said:?}"
                );
            }
            tried += 1;
        }
        let takes =
            |does: &Does| matches!(does, Commands(_) | Changes(_) | ChangesAtTimes(_) | Books);
        let known = known.iter().filter(|(_, does)| takes(does)).count();
        assert_eq!(tried, known, "{name}");
    }
}

//= R11.2
#[test]
fn each_verb_that_changes_what_is_there_demands_a_reason() {
    let declared: Vec<&str> = VERBS.iter().map(|(name, _)| *name).collect();
    assert_eq!(declared, PROGRAMS);
    for (name, known) in VERBS {
        let there = verbs(name);
        let of = |verb: &str| {
            // A group's verbs do what the group does, unless they have a line of their own.
            let group = verb.split(' ').next().unwrap_or_default();
            let mut lines = known.iter();
            let own = lines.clone().find(|(known, _)| *known == verb);
            own.or_else(|| lines.find(|(known, _)| *known == group))
                .unwrap_or_else(|| panic!("{name} {verb}: VERBS does not say what it does"))
                .1
        };
        for (verb, _) in *known {
            assert!(
                there.iter().any(|other| other == verb),
                "{name} has no verb {verb}"
            );
        }
        for verb in &there {
            let help = help(name, verb);
            let usage = help.lines().find(|line| line.starts_with("Usage:"));
            let demanded = usage.is_some_and(|usage| usage.contains(" --reason <TEXT>"));
            let (demands, may) = match of(verb) {
                Changes(_) | Commands(_) | Books => (true, true),
                ChangesAtTimes(_) | Groups => (false, true),
                Looks | Makes | Adds(_) => (false, false),
            };
            assert_eq!(demanded, demands, "{name} {verb}: {usage:?}");
            assert_eq!(help.contains("--reason "), may, "{name} {verb}:\n{help}");
        }
    }
}

fn audits(data: &Path) -> Vec<serde_json::Value> {
    about("log", data, &["--kind", "audit"]).json_lines()
}

fn run(dir: &Path, more: &[&str]) -> Said {
    let (config, data) = (dir.join("node.toml"), dir.join("node"));
    let words = [
        OsStr::new("run"),
        config.as_os_str(),
        "--data".as_ref(),
        data.as_os_str(),
    ];
    fieldnotary(words.into_iter().chain(more.iter().map(OsStr::new)))
}

//= R11.2
#[test]
fn what_was_changed_is_in_the_log_with_who_why_and_what() {
    let dir = tempfile::tempdir().unwrap();
    let street = Street::start(dir.path(), 2);
    let seal = |every: &str| {
        let contract = street.contract(Contract::new(ORIGIN, "256KiB", 8));
        Contract::of(
            contract
                .toml()
                .replace("[seal]\n", &format!("[seal]\nentries = {every}\n")),
        )
    };
    let first = seal("100");
    let data = Node::grow(dir.path(), "node", &first, 30);
    assert!(
        audits(&data).is_empty(),
        "the first configuration changes nothing"
    );

    // Without a reason nothing starts, and the words say what changed and what to write.
    let second = seal("200");
    std::fs::write(dir.path().join("node.toml"), second.toml()).unwrap();
    for more in [&[][..], &["--reason", " "]] {
        let said = run(dir.path(), more);
        assert!(matches!(said.code, Some(2 | 3)), "{said:?}");
        let due = match more.is_empty() {
            true => ["another configuration", "[seal]", "--reason TEXT"],
            false => ["--reason", "say why", "log"],
        };
        for words in due {
            assert!(said.err.contains(words), "{words}: {said:?}");
        }
    }
    // Who only checks learns it too, and of nothing where nothing changed.
    let check = || {
        let config = dir.path().join("node.toml");
        let words = ["check".as_ref(), config.as_os_str(), "--data".as_ref()];
        fieldnotary(words.into_iter().chain([data.as_os_str()]))
    };
    let said = check();
    assert_eq!(said.code, Some(0), "{said:?}");
    for words in ["another configuration", "[seal]", "--reason TEXT"] {
        assert!(said.out.contains(words), "{words}: {said:?}");
    }
    let uid = rustix::process::getuid().as_raw();
    let words = ["--reason", "denser seals, ticket 7", "--actor", "A. Fitter"];
    Node::start_with(dir.path(), "node", &second, &words).stop();
    assert!(!check().out.contains("--reason"), "{:?}", check());
    let told = audits(&data);
    assert_eq!(told.len(), 1, "{told:?}");
    let told = told.last().unwrap();
    for (name, due) in [
        ("actor", format!("A. Fitter (uid {uid})")),
        ("action", "configure".to_owned()),
        ("reason", "denser seals, ticket 7".to_owned()),
        ("outcome", "done".to_owned()),
        ("diff", "[seal]".to_owned()),
    ] {
        assert_eq!(text(told, name), due, "{told}");
    }
    // A start with the same configuration changes nothing, whatever is said.
    Node::start_with(dir.path(), "node", &second, &words).stop();
    assert_eq!(audits(&data).len(), 1);
    assert_eq!(about("verify", &data, &[]).code, Some(0));
}
