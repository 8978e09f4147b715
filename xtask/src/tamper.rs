//! `cargo xtask tamper`: forged logs, and the verifiers that must find them; and its short form for CI.

use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;
use crate::{run, setup, suite};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// What must be nought in the answer.
const FAULTS: [&str; 5] = [
    "undetected",
    "false_alarm",
    "wrong_data",
    "silent_loss",
    "refused_open",
];
/// Where Debian puts the sources of Go's libraries.
const GO_PATH: &str = "/usr/share/gocode";

/// Builds, then becomes the suite with these arguments: its answer is the last that is printed, and its
/// exit code is this program's.
pub(crate) fn tamper(workspace: &Workspace, arguments: &[String]) -> Outcome {
    suite::become_suite(prepared(workspace)?, arguments)
}

/// Every kind of forgery a few times, for CI.
pub(crate) fn bounded(workspace: &Workspace) -> Outcome {
    verdict(&suite::answer_of(
        prepared(workspace)?,
        &["--bounded", "--json"],
    )?)
}

/// Thousands of forgeries, for the night.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    verdict(&suite::answer_of(prepared(workspace)?, &["--json"])?)
}

/// The suite, with the verifiers that are programs and a folder of its own.
fn prepared(workspace: &Workspace) -> Result<Command, Failure> {
    setup::setup(workspace, setup::FOR_TAMPERING)?;
    run::status(&mut workspace.programs())?;
    let home = workspace.target().join("tamper");
    fs::create_dir_all(&home)
        .map_err(|error| Failure::new(format!("{}: {error}", home.display())))?;
    let go = verifier_in_go(workspace)?;
    let folder = home.join("run");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    }
    let programs = workspace.target().join("debug");
    let mut suite = Command::new(programs.join("fieldnotary-tamper"));
    suite
        .arg("--fieldnotary")
        .arg(programs.join("fieldnotary"))
        .arg("--go")
        .arg(go)
        .arg("--dir")
        .arg(folder);
    Ok(suite)
}

/// Builds the verifier in Go from Debian's sources of its library; nothing is downloaded.
fn verifier_in_go(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let home = workspace.target().join("tamper");
    let program = home.join("verify-go");
    let mut go = Command::new("go");
    go.args(["build", "-o"])
        .arg(&program)
        .arg(workspace.path("trial/tamper/go/verify.go"))
        .env("GO111MODULE", "off")
        .env("GOPATH", GO_PATH)
        .env("GOCACHE", home.join("gocache"))
        .env("GOFLAGS", "");
    run::status(&mut go)?;
    Ok(program)
}

/// The answer in a line, if every forgery was found and no honest log accused.
fn verdict(answer: &Value) -> Outcome {
    let number = |key: &str| answer.get(key).and_then(Value::as_u64);
    let clean = FAULTS.iter().all(|key| number(key) == Some(0));
    let worked = number("found").is_some_and(|found| found > 0);
    if clean && worked && answer.get("ok") == Some(&Value::Bool(true)) {
        return Ok(format!(
            "{} cases, {} verdicts, {} forgeries found, none missed, nobody accused falsely",
            number("cases").unwrap_or(0),
            number("verdicts").unwrap_or(0),
            number("found").unwrap_or(0),
        ));
    }
    Err(Failure::new(format!(
        "the tamper suite found something: {answer}"
    )))
}

#[cfg(test)]
mod tests {
    use super::verdict;
    use serde_json::json;

    #[test]
    fn the_suite_passes_only_if_every_count_is_there_and_nought_and_something_was_found() {
        let sound = json!({
            "ok": true, "cases": 156, "verdicts": 600, "found": 310, "undetected": 0,
            "false_alarm": 0, "wrong_data": 0, "silent_loss": 0, "refused_open": 0,
        });
        assert!(verdict(&sound).unwrap().starts_with("156 cases"));
        for (key, value) in [
            ("undetected", json!(1)),
            ("false_alarm", json!(1)),
            ("wrong_data", json!(1)),
            ("silent_loss", json!(1)),
            ("refused_open", json!(1)),
            ("undetected", json!(null)),
            ("found", json!(0)),
            ("ok", json!(false)),
        ] {
            let mut planted = sound.clone();
            planted[key] = value;
            assert!(verdict(&planted).is_err(), "{key}");
        }
    }
}
