//! `cargo xtask storm`: the programs built with the hook of the named steps, then the storm; and its
//! short form for CI.

use crate::failure::{Failure, Outcome};
use crate::run;
use crate::suite;
use crate::workspace::Workspace;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a storm takes, found beside each other.
const PROGRAMS: [&str; 5] = [
    "fieldnotary",
    "fieldnotary-signer",
    "fieldnotary-collector",
    "fieldnotary-street",
    "fieldnotary-storm",
];
/// What only a program with the hook holds: the name of the hook's variable.
const MARK: &[u8] = b"FIELDNOTARY_STEPS_BOARD";

/// Builds, then becomes a storm with these arguments: its answer is the last that is printed, and its
/// exit code is this program's.
pub(crate) fn storm(workspace: &Workspace, arguments: &[String]) -> Outcome {
    suite::become_suite(prepared(workspace)?, arguments)
}

/// A short storm for CI; everything must hold.
pub(crate) fn bounded(workspace: &Workspace) -> Outcome {
    verdict(&suite::answer_of(
        prepared(workspace)?,
        &["--bounded", "--json"],
    )?)
}

/// The full storm for the night.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    verdict(&suite::answer_of(prepared(workspace)?, &["--json"])?)
}

/// The storm, with programs and a folder of its own.
fn prepared(workspace: &Workspace) -> Result<Command, Failure> {
    let programs = build(workspace)?;
    let folder = workspace.target().join("storm/run");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    }
    let mut storm = Command::new(programs.join("fieldnotary-storm"));
    storm
        .arg("--programs")
        .arg(&programs)
        .arg("--dir")
        .arg(&folder);
    Ok(storm)
}

/// Builds the programs with the hook into a folder of their own. What lies in the usual place is built
/// without it again, so that nobody takes one for the other.
fn build(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let usual = workspace.target().join("debug");
    let own = workspace.target().join("storm/programs");
    fs::create_dir_all(&own)
        .map_err(|error| Failure::new(format!("{}: {error}", own.display())))?;
    let mut hooked = workspace.programs();
    hooked.args(["--features", "fieldnotary-steps/hook"]);
    let built = run::status(&mut hooked).and_then(|()| {
        PROGRAMS.iter().try_for_each(|name| {
            let (from, to) = (usual.join(name), own.join(name));
            let _ = fs::remove_file(&to);
            fs::copy(&from, &to)
                .map(drop)
                .map_err(|error| Failure::new(format!("{}: {error}", from.display())))
        })
    });
    run::status(&mut workspace.programs())?;
    built?;
    if !holds_hook(&own.join("fieldnotary"))? {
        return Err(Failure::new(
            "the storm's programs were built without the hook",
        ));
    }
    for name in PROGRAMS.iter().filter(|name| **name != "fieldnotary-storm") {
        if holds_hook(&usual.join(name))? {
            return Err(Failure::new(format!(
                "{name} has the storm's hook in a build that did not ask for it"
            )));
        }
    }
    Ok(own)
}

fn holds_hook(program: &Path) -> Result<bool, Failure> {
    let bytes = fs::read(program)
        .map_err(|error| Failure::new(format!("{}: {error}", program.display())))?;
    Ok(bytes.windows(MARK.len()).any(|part| part == MARK))
}

/// The answer in a line, if nothing was lost, invented, doubled, left unexplained or explained wrongly.
fn verdict(answer: &Value) -> Outcome {
    let number = |key: &str| answer.get(key).and_then(Value::as_u64);
    let clean = [
        "lost",
        "invented",
        "duplicated",
        "unexplained",
        "wrong_cause",
    ]
    .iter()
    .all(|key| number(key) == Some(0));
    let verified = answer.get("verified") == Some(&Value::Bool(true));
    let quiet = answer.get("findings").and_then(Value::as_array);
    if clean && verified && quiet.is_some_and(Vec::is_empty) {
        return Ok(format!(
            "{} kills, {} faults, resumed in {} ms (p50), {} ms (p99)",
            number("kills").unwrap_or(0),
            number("faults").unwrap_or(0),
            number("resume_ms_p50").unwrap_or(0),
            number("resume_ms_p99").unwrap_or(0)
        ));
    }
    Err(Failure::new(format!("the storm found something: {answer}")))
}

#[cfg(test)]
mod tests {
    use super::verdict;
    use serde_json::json;

    //= R2.3
    #[test]
    fn a_storm_passes_only_if_every_count_is_there_and_nought() {
        let sound = json!({
            "kills": 60, "faults": 24, "lost": 0, "invented": 0, "duplicated": 0, "unexplained": 0,
            "wrong_cause": 0, "resume_ms_p50": 200, "resume_ms_p99": 900, "seed": 1,
            "verified": true, "findings": [],
        });
        assert!(verdict(&sound).unwrap().starts_with("60 kills, 24 faults"));
        for (key, value) in [
            ("lost", json!(1)),
            ("invented", json!(1)),
            ("duplicated", json!(2)),
            ("unexplained", json!(1)),
            ("wrong_cause", json!(1)),
            ("wrong_cause", json!(null)),
            ("verified", json!(false)),
            ("findings", json!(["site 1: something"])),
        ] {
            let mut planted = sound.clone();
            planted[key] = value;
            assert!(verdict(&planted).is_err(), "{key}");
        }
    }
}
