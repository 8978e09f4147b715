//! `cargo xtask league`: the league built in its own workspace, then run; and its form for the night.

use crate::failure::{Failure, Outcome};
use crate::run;
use crate::suite;
use crate::workspace::Workspace;
use serde_json::Value;
use std::process::Command;

/// Our rows: the journal with each class of truth store.
const OURS: [&str; 3] = ["fieldnotary", "fieldnotary/sync", "fieldnotary/deferred"];
/// What no row of ours may have.
const NEVER: [&str; 4] = [
    "silent_loss",
    "wrong_data",
    "refused_open",
    "refused_reading",
];
/// Rows that must be there, or the league has shrunk: ours and nine others.
const ROWS_MIN: usize = 12;

/// Builds, then becomes the league with these arguments.
pub(crate) fn league(workspace: &Workspace, arguments: &[String]) -> Outcome {
    suite::become_suite(built(workspace)?, arguments)
}

/// The whole league for the night, after the test that its faults are counted as what they are.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    run::status(cargo(workspace, "clippy").args(["--all-targets", "--", "-D", "warnings"]))?;
    run::status(cargo(workspace, "test").args(["--quiet"]))?;
    verdict(&suite::answer_of(built(workspace)?, &["--json"])?)
}

/// cargo on the league's workspace; the peers are built once, for all of these.
fn cargo(workspace: &Workspace, verb: &str) -> Command {
    let mut cargo = workspace.cargo();
    cargo
        .args([verb, "--release", "--locked", "--manifest-path"])
        .args(["league/Cargo.toml", "--target-dir"])
        .arg(workspace.target().join("league"));
    cargo
}

fn built(workspace: &Workspace) -> Result<Command, Failure> {
    run::status(&mut cargo(workspace, "build"))?;
    let program = "league/release/fieldnotary-league";
    Ok(Command::new(workspace.target().join(program)))
}

/// The answer in a line, if our rows keep what they promise. How the others fare is no condition.
fn verdict(answer: &Value) -> Outcome {
    let rows = answer.get("rows").and_then(Value::as_array);
    let rows = rows.ok_or_else(|| Failure::new(format!("the league has no rows: {answer}")))?;
    let mut findings = Vec::new();
    if rows.len() < ROWS_MIN {
        findings.push(format!("{} rows; there must be {ROWS_MIN}", rows.len()));
    }
    let mut trials = 0;
    for name in OURS {
        let row = rows
            .iter()
            .find(|row| row.get("engine").and_then(Value::as_str) == Some(name));
        let number = |key: &str| row.and_then(|row| row.get(key)).and_then(Value::as_u64);
        for key in NEVER.iter().filter(|key| number(key) != Some(0)) {
            findings.push(format!("{name}: {key} is {:?}", number(key)));
        }
        match number("trials") {
            None | Some(0) => findings.push(format!("{name}: no trials")),
            Some(count) => trials += count,
        }
    }
    Failure::unless_empty(&findings, "things are wrong in the league")?;
    Ok(format!(
        "{} rows; {trials} faults on ours, no loss in silence, nothing wrong, none refused",
        rows.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::{NEVER, OURS, ROWS_MIN, verdict};
    use serde_json::{Value, json};

    fn sound() -> Value {
        let row = |name: &str| {
            json!({
                "engine": name, "trials": 6, "silent_loss": 0, "wrong_data": 0, "refused_open": 0,
                "refused_reading": 0,
            })
        };
        let others = (0..ROWS_MIN - OURS.len()).map(|n| row(&n.to_string()));
        let rows: Vec<Value> = OURS.iter().map(|name| row(name)).chain(others).collect();
        json!({ "rows": rows, "seed": 1, "seconds": 20 })
    }

    #[test]
    fn ours_must_keep_its_promises_and_the_others_need_not() {
        assert!(verdict(&sound()).unwrap().starts_with("12 rows; 18 faults"));
        for key in NEVER {
            let mut planted = sound();
            planted["rows"][ROWS_MIN - 1][key] = json!(60);
            assert!(verdict(&planted).is_ok(), "{key} of another engine");
            for value in [json!(1), json!(null)] {
                let mut planted = sound();
                planted["rows"][1][key] = value;
                assert!(verdict(&planted).is_err(), "{key} of ours");
            }
        }
        let mut planted = sound();
        planted["rows"][0]["trials"] = json!(0);
        assert!(verdict(&planted).is_err(), "nothing tried");
        planted["rows"].as_array_mut().unwrap().pop();
        assert!(verdict(&planted).is_err(), "a row is missing");
        assert!(verdict(&json!({})).is_err());
    }
}
