//! `cargo xtask ci`: everything that guards a change; the same at the desk and on the server.

use crate::failure::{Failure, Outcome};
use crate::steps::{self, Lane, Step};
use crate::workspace::Workspace;
use crate::{
    ahead, bus_time, corruption, crash_states, demo, fuzz, graph, holdover, kill_storm, licences,
    planted, run, setup, spec, storm, tamper, test, tidy,
};

/// Seconds that CI gives each fuzz target: enough to notice a decoder that falls over at once.
const FUZZ_SECONDS: u32 = 2;

/// Runs all steps, or those named.
pub(crate) fn ci(workspace: &Workspace, only: &[String]) -> Outcome {
    let mut stages = vec![
        vec![words(workspace)],
        vec![vec![step("setup", || setup::for_ci(workspace))]],
        vec![
            vec![step("test", || test::test(workspace))],
            beside_the_tests(workspace),
        ],
        vec![suites_that_reckon(workspace), suites_that_wait(workspace)],
        vec![meters(workspace)],
        vec![vec![step("fuzz", || {
            fuzz::fuzz(workspace, FUZZ_SECONDS, None)
        })]],
    ];
    let names: Vec<&str> = stages
        .iter()
        .flatten()
        .flatten()
        .map(|step| step.name)
        .collect();
    if let Some(unknown) = only.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(Failure::new(format!(
            "there is no step `{unknown}`; there are {}",
            names.join(", ")
        )));
    }
    if !only.is_empty() {
        for lane in stages.iter_mut().flatten() {
            lane.retain(|step| only.iter().any(|name| name == step.name));
        }
    }
    steps::run(&stages)
}

fn step<'a>(name: &'static str, action: impl Fn() -> Outcome + Sync + 'a) -> Step<'a> {
    Step {
        name,
        action: Box::new(action),
    }
}

/// What the sources say of themselves, without a build.
fn words(workspace: &Workspace) -> Lane<'_> {
    vec![
        step("fmt", || {
            let mut cargo = workspace.cargo();
            run::status(cargo.args(["fmt", "--all", "--check", "--", "-l"]))?;
            Ok("formatted".into())
        }),
        step("graph", || graph::graph(workspace)),
        step("tidy", || tidy::tidy(workspace)),
        step("spec", || spec::spec(workspace, true)),
        step("deny", || licences::deny(workspace)),
    ]
}

/// What takes the processor while the tests mostly wait. The lints have a folder of their own: cargo lets one build at a
/// time into a folder, and the tests would wait for it.
fn beside_the_tests(workspace: &Workspace) -> Lane<'_> {
    vec![
        step("ahead", || ahead::ahead(workspace)),
        step("clippy", || {
            let mut cargo = workspace.cargo_aside();
            cargo.args(["clippy", "--workspace", "--all-targets", "--target-dir"]);
            cargo.arg(workspace.target().join("lints"));
            run::status(cargo.args(["--", "-D", "warnings"]))?;
            Ok("no warnings".into())
        }),
    ]
}

/// These need the processor, and are optimised programs of their own.
fn suites_that_reckon(workspace: &Workspace) -> Lane<'_> {
    vec![
        step("corruption", || corruption::bounded(workspace)),
        step("holdover", || holdover::bounded(workspace)),
        step("crash-states", || crash_states::bounded(workspace)),
        step("planted", || planted::bounded(workspace)),
    ]
}

/// Alone: whoever takes the processor from the street's meters makes their replies late, which the street's own log
/// does not know.
fn meters(workspace: &Workspace) -> Lane<'_> {
    vec![
        step("demo", || demo::bounded(workspace)),
        step("bus-time", || bus_time::bounded(workspace)),
        step("storm", || storm::bounded(workspace)),
    ]
}

/// These wait for disks and each other, with the programs that the tests used.
fn suites_that_wait(workspace: &Workspace) -> Lane<'_> {
    vec![
        step("tamper", || tamper::bounded(workspace)),
        step("kills", || kill_storm::bounded(workspace)),
    ]
}
