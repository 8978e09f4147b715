//! `cargo xtask clock-guest`: a node in a guest machine whose clocks are moved; and its verdict for the night.

use crate::failure::{Failure, Outcome};
use crate::guest;
use crate::run;
use crate::setup::{self, Tool};
use crate::suite;
use crate::workspace::Workspace;
use serde_json::Value;
use std::process::Command;

/// The suite's program, and the packages that it and the node in the guest are of.
const PROGRAM: &str = "fieldnotary-clock-guest";
const PACKAGES: [&str; 3] = [
    "fieldnotary",
    "fieldnotary-signer",
    "fieldnotary-trial-guest",
];
/// What a whole run tries at least.
const TRIED_MIN: u64 = 16;

/// What moves clocks in the guest, and makes the network of its ptp4l.
const TOOLS: &[Tool] = &[
    setup::PTP4L,
    setup::IP,
    setup::NFT,
    Tool {
        program: "chronyd",
        probe: &["--version"],
        packages: &["chrony"],
        purpose: "holds the guest's clock, and sets it",
    },
    Tool {
        program: "phc_ctl",
        probe: &["-v"],
        packages: &["linuxptp"],
        purpose: "moves the guest's clock by an offset",
    },
    Tool {
        program: "hwclock",
        probe: &["--version"],
        packages: &["util-linux-extra", "util-linux"],
        purpose: "sets one clock of the guest by the other",
    },
];

/// Builds, then becomes the suite with these arguments: its answer is the last that is printed.
pub(crate) fn clock_guest(workspace: &Workspace, arguments: &[String]) -> Outcome {
    suite::become_suite(prepared(workspace)?, arguments)
}

/// The whole run for the night.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    verdict(&suite::answer_of(prepared(workspace)?, &["--json"])?)
}

fn prepared(workspace: &Workspace) -> Result<Command, Failure> {
    setup::setup(workspace, TOOLS)?;
    let parts = guest::parts(workspace)?;
    let packages = PACKAGES.iter().flat_map(|package| ["-p", package]);
    run::status(workspace.cargo().args(["build", "--bins"]).args(packages))?;
    let programs = workspace.target().join("debug");
    let mut suite = Command::new(programs.join(PROGRAM));
    suite.arg("--guest").arg(parts);
    suite.arg("--programs").arg(programs);
    Ok(suite)
}

/// The answer in a line, if every cause was named and nothing was left out.
fn verdict(answer: &Value) -> Outcome {
    let number = |key: &str| answer.get(key).and_then(Value::as_u64);
    match (number("tried"), number("wrong")) {
        (Some(tried), Some(0)) if tried >= TRIED_MIN => Ok(format!(
            "{tried} ways in which clocks are moved or lie at boot, each named rightly"
        )),
        _ => Err(Failure::new(format!(
            "a cause was not named, or a way was not tried: {answer}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::{TRIED_MIN, verdict};
    use serde_json::json;

    //= R1.2
    #[test]
    fn a_run_passes_only_if_everything_was_tried_and_nothing_named_wrongly() {
        assert!(verdict(&json!({ "tried": TRIED_MIN, "wrong": 0 })).is_ok());
        for broken in [
            json!({ "tried": TRIED_MIN, "wrong": 1 }),
            json!({ "tried": TRIED_MIN - 1, "wrong": 0 }),
            json!({ "tried": TRIED_MIN }),
            json!({ "wrong": 0 }),
        ] {
            assert!(verdict(&broken).is_err(), "{broken}");
        }
    }
}
