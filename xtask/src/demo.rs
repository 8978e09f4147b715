//! `cargo xtask demo`: the programs built, then the demonstration; and its short form for CI.

use crate::failure::{Failure, Outcome};
use crate::run;
use crate::workspace::Workspace;
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The demonstration starts all four, found beside each other.
const PROGRAMS: [&str; 4] = [
    "fieldnotary",
    "fieldnotary-signer",
    "fieldnotary-collector",
    "fieldnotary-street",
];

/// Builds the programs and becomes the demonstration.
pub(crate) fn demo(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let target = workspace.target().join("release");
    announce(PROGRAMS.iter().all(|name| target.join(name).is_file()));
    build_release(workspace)?;
    let mut demo = Command::new(workspace.target().join("release/fieldnotary"));
    demo.arg("demo").args(arguments);
    if !arguments
        .iter()
        .any(|word| word == "--for" || word.starts_with("--for="))
    {
        demo.args(["--for", "60s"]);
    }
    Err(Failure::new(format!(
        "`{}` cannot be started: {}",
        run::shown(&demo),
        demo.exec()
    )))
}

/// Says that a build comes, and how long it takes; cargo then shows how far it is.
fn announce(built_before: bool) {
    // Not a word on standard output: that is the demonstration's.
    let _ = writeln!(std::io::stderr(), "{}", announcement(built_before));
}

const fn announcement(built_before: bool) -> &'static str {
    if built_before {
        "building the programs, as far as they changed; then the demonstration starts"
    } else {
        "building the programs; the first time takes some minutes, then the demonstration starts"
    }
}

/// Builds the four programs as they are shipped.
pub(crate) fn build_release(workspace: &Workspace) -> Result<(), Failure> {
    let mut build = workspace.cargo();
    build.args(["build", "--release", "--bins"]);
    build.args(PROGRAMS.iter().flat_map(|name| ["-p", name]));
    run::status(&mut build)
}

/// Twenty seconds of the demonstration, in a folder of its own; its verdict must be "verified".
pub(crate) fn bounded(workspace: &Workspace) -> Outcome {
    run::status(&mut workspace.programs())?;
    let folder = workspace.path("target/ci-demo");
    let failed = |error| Failure::new(format!("target/ci-demo: {error}"));
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    fs::create_dir_all(&folder).map_err(failed)?;
    let mut demo = Command::new(workspace.target().join("debug/fieldnotary"));
    demo.args(["demo", "--for", "20s", "--json"])
        .current_dir(&folder);
    let text = run::output(&mut demo)?;
    verdict(&text)
}

/// Reads the demonstration's report: one JSON object, the whole output or its last line.
fn verdict(output: &str) -> Outcome {
    let last = output
        .lines()
        .rfind(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let report: Value = serde_json::from_str(output)
        .or_else(|_| serde_json::from_str(last))
        .map_err(|error| Failure::new(format!("the demo's report is not JSON: {error}: {last}")))?;
    match report.get("verified") {
        Some(Value::Bool(true)) => Ok("20 s of readings, verified".into()),
        other => Err(Failure::new(format!(
            "the demo's report must say \"verified\": true, it says {other:?}: {report}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::{announcement, verdict};

    #[test]
    fn a_first_build_is_announced_with_its_length() {
        assert!(
            announcement(false)
                .contains("building the programs; the first time takes some minutes")
        );
        assert!(announcement(true).contains("as far as they changed"));
    }

    #[test]
    fn only_a_verified_report_passes() {
        for (output, good) in [
            ("{\"verified\": true}\n", true),
            ("started\n{\"verified\":true,\"entries\":7}\n\n", true),
            ("{\n  \"verified\": true\n}\n", true),
            ("{\"verified\": false}", false),
            ("{\"verified\": \"true\"}", false),
            ("{\"entries\": 7}", false),
            ("", false),
        ] {
            assert_eq!(verdict(output).is_ok(), good, "{output}");
        }
    }
}
