//! `cargo xtask holdover`: the error bound against simulated oscillators, built for speed; and its short
//! form for CI.

use crate::failure::{Failure, Outcome};
use crate::suite;
use crate::workspace::Workspace;
use serde_json::Value;

const PACKAGE: &str = "fieldnotary-sim";
const PROGRAM: &str = "holdover";
/// Classes of oscillators that must be there.
const CLASSES: usize = 4;

/// Builds the suite and becomes it.
pub(crate) fn holdover(workspace: &Workspace, arguments: &[String]) -> Outcome {
    suite::become_program(workspace, PACKAGE, PROGRAM, arguments)
}

/// Some runs of each class for CI.
pub(crate) fn bounded(workspace: &Workspace) -> Outcome {
    let arguments = ["--bounded", "--json"];
    verdict(&suite::answer(workspace, PACKAGE, PROGRAM, &arguments)?)
}

/// A thousand runs of each class, for the night.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    verdict(&suite::answer(workspace, PACKAGE, PROGRAM, &["--json"])?)
}

/// The answer in a line, if every class is there and met the bar.
fn verdict(answer: &Value) -> Outcome {
    let none = Vec::new();
    let classes = answer.get("classes").and_then(Value::as_array);
    let classes = classes.unwrap_or(&none);
    let number = |class: &Value, key: &str| class.get(key).and_then(Value::as_u64).unwrap_or(0);
    let met = |class: &Value| {
        class.get("met").and_then(Value::as_bool) == Some(true) && number(class, "runs") > 0
    };
    if classes.len() != CLASSES || !classes.iter().all(met) {
        return Err(Failure::new(format!(
            "the error bound does not hold, or is too wide: {answer}"
        )));
    }
    let covered: u64 = classes.iter().map(|class| number(class, "covered")).sum();
    let runs: u64 = classes.iter().map(|class| number(class, "runs")).sum();
    Ok(format!(
        "{covered} of {runs} holdovers inside of their bound all the time"
    ))
}

#[cfg(test)]
mod tests {
    use super::verdict;
    use serde_json::{Value, json};

    fn class(runs: u32, met: bool) -> Value {
        json!({ "runs": runs, "covered": runs, "met": met })
    }

    //= A8.3
    #[test]
    fn a_run_passes_only_with_every_class_and_each_within_the_bar() {
        let sound = json!({ "classes": vec![class(20, true); 4] });
        assert!(verdict(&sound).unwrap().starts_with("80 of 80"));
        for planted in [class(20, false), class(0, true), json!({})] {
            let mut classes = vec![class(20, true); 3];
            classes.push(planted);
            assert!(verdict(&json!({ "classes": classes })).is_err());
        }
        assert!(verdict(&json!({ "classes": vec![class(20, true); 3] })).is_err());
        assert!(verdict(&json!({})).is_err());
    }
}
