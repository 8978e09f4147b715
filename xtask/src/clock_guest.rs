//! `cargo xtask clock-guest`: a node in a guest machine whose clocks are moved; and its verdict for the night.

use crate::failure::Outcome;
use crate::setup::{self, Tool};
use crate::workspace::Workspace;
use crate::{guest, suite};

const PROGRAM: &str = "fieldnotary-clock-guest";
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
    suite::become_suite(guest::with_a_node(workspace, TOOLS, PROGRAM)?, arguments)
}

/// The whole run for the night.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    let suite = guest::with_a_node(workspace, TOOLS, PROGRAM)?;
    let answer = suite::answer_of(suite, &["--json"])?;
    let ways = "ways in which clocks are moved or lie at boot, each named rightly";
    guest::verdict(&answer, "wrong", TRIED_MIN, ways)
}
