//! `cargo xtask ci`: everything that guards a change; the same at the desk and on the server.

use crate::failure::{Failure, Outcome};
use crate::steps::{self, Step};
use crate::workspace::Workspace;
use crate::{
    corruption, crash_states, demo, fuzz, graph, holdover, kill_storm, licences, planted, run,
    setup, spec, storm, tamper, test, tidy,
};

/// Seconds that CI gives each fuzz target: enough to notice a decoder that falls over at once.
const FUZZ_SECONDS: u32 = 3;

/// Runs all steps, or those named.
pub(crate) fn ci(workspace: &Workspace, only: &[String]) -> Outcome {
    let all = steps(workspace);
    if let Some(unknown) = only
        .iter()
        .find(|name| !all.iter().any(|step| step.name == *name))
    {
        let names: Vec<&str> = all.iter().map(|step| step.name).collect();
        return Err(Failure::new(format!(
            "there is no step `{unknown}`; there are {}",
            names.join(", ")
        )));
    }
    let chosen: Vec<Step<'_>> = all
        .into_iter()
        .filter(|step| only.is_empty() || only.iter().any(|name| name == step.name))
        .collect();
    steps::run(&chosen)
}

fn steps(workspace: &Workspace) -> Vec<Step<'_>> {
    fn step<'a>(name: &'static str, action: impl Fn() -> Outcome + 'a) -> Step<'a> {
        Step {
            name,
            action: Box::new(action),
        }
    }
    let cargo = |arguments: &'static [&'static str], line: &'static str| {
        move || run::status(workspace.cargo().args(arguments)).map(|()| line.to_owned())
    };
    vec![
        step(
            "fmt",
            cargo(&["fmt", "--all", "--check", "--", "-l"], "formatted"),
        ),
        step("graph", || graph::graph(workspace)),
        step("tidy", || tidy::tidy(workspace)),
        step("spec", || spec::spec(workspace, true)),
        step("deny", || licences::deny(workspace)),
        step("setup", || setup::setup(workspace, setup::FOR_TESTS)),
        step(
            "clippy",
            cargo(
                &[
                    "clippy",
                    "--workspace",
                    "--all-targets",
                    "--",
                    "-D",
                    "warnings",
                ],
                "no warnings",
            ),
        ),
        step("test", || test::test(workspace)),
        step("corruption", || corruption::bounded(workspace)),
        step("holdover", || holdover::bounded(workspace)),
        step("planted", || planted::bounded(workspace)),
        step("demo", || demo::bounded(workspace)),
        step("storm", || storm::bounded(workspace)),
        step("tamper", || tamper::bounded(workspace)),
        step("kills", || kill_storm::bounded(workspace)),
        step("crash-states", || crash_states::bounded(workspace)),
        step("fuzz", || fuzz::fuzz(workspace, FUZZ_SECONDS, None)),
    ]
}
