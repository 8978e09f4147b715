//! `cargo xtask planted`: bugs planted in a copy of the sources, each to be found by a suite.

use crate::failure::{Failure, Outcome};
use crate::suite;
use crate::workspace::Workspace;
use serde_json::Value;

const PACKAGE: &str = "fieldnotary-planted";
const PROGRAM: &str = "planted";

/// Builds the program and becomes it.
pub(crate) fn planted(workspace: &Workspace, arguments: &[String]) -> Outcome {
    suite::become_program(workspace, PACKAGE, PROGRAM, arguments)
}

/// A few bugs for CI.
pub(crate) fn bounded(workspace: &Workspace) -> Outcome {
    let arguments = ["--bounded", "--json"];
    verdict(&suite::answer(workspace, PACKAGE, PROGRAM, &arguments)?)
}

/// All of them, for the night.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    verdict(&suite::answer(workspace, PACKAGE, PROGRAM, &["--json"])?)
}

fn verdict(answer: &Value) -> Outcome {
    let number = |key: &str| answer.get(key).and_then(Value::as_u64);
    let empty = |key: &str| {
        answer
            .get(key)
            .and_then(Value::as_array)
            .is_some_and(Vec::is_empty)
    };
    match (number("planted"), number("caught")) {
        (Some(planted), Some(caught))
            if planted > 0 && planted == caught && empty("missed") && empty("errors") =>
        {
            Ok(format!("{caught} of {planted} planted bugs found"))
        }
        _ => Err(Failure::new(format!(
            "not every planted bug is found: {answer}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::verdict;
    use serde_json::json;

    #[test]
    fn every_planted_bug_must_be_found() {
        let sound = json!({ "planted": 3, "caught": 3, "missed": [], "errors": [] });
        assert!(verdict(&sound).unwrap().starts_with("3 of 3"));
        for (key, value) in [
            ("planted", json!(0)),
            ("caught", json!(2)),
            ("missed", json!(["a"])),
            ("errors", json!(["does not compile"])),
            ("errors", json!(null)),
        ] {
            let mut holed = sound.clone();
            holed[key] = value;
            assert!(verdict(&holed).is_err(), "{key}");
        }
    }
}
