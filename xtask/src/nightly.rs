//! `cargo xtask nightly`: the suites that take too long for every change.

use crate::failure::{Failure, Outcome};
use crate::steps::{self, Step};
use crate::workspace::Workspace;
use crate::{
    bus_time, clock_guest, corruption, crash_states, fuzz, holdover, kill_storm, league,
    line_guest, load, planted, run, storm, tamper, test, tpm_guest,
};

/// A long suite.
struct Suite {
    name: &'static str,
    /// Whether it ends by itself after a known time.
    bounded: bool,
    what: &'static str,
    action: fn(&Workspace) -> Outcome,
}

const SUITES: &[Suite] = &[
    Suite {
        name: "soak",
        bounded: true,
        what: "ten minutes of the whole site with kills; everything acknowledged must verify",
        action: |workspace| {
            tests(
                workspace,
                "fieldnotary",
                "soak",
                ("FIELDNOTARY_SOAK_S", "600"),
            )
        },
    },
    Suite {
        name: "polls",
        bounded: false,
        what: "10,000 polls of an independent Modbus peer, every reply accounted for",
        action: |workspace| {
            tests(
                workspace,
                "fieldnotary",
                "polls",
                ("FIELDNOTARY_POLLS", "10000"),
            )
        },
    },
    Suite {
        name: "burst",
        bounded: true,
        what: "10,000 edges in each of 10 seconds through a whole node; each in the log or counted there as lost",
        action: |workspace| {
            tests(
                workspace,
                "fieldnotary",
                "ten_thousand_edges",
                ("FIELDNOTARY_BURST_S", "10"),
            )
        },
    },
    Suite {
        name: "flips",
        bounded: true,
        what: "every byte of a node's and a collector's directory and of three segments harmed; each is found",
        action: |workspace| {
            let whole = ("FIELDNOTARY_SWEEP_SHARE", "1");
            tests(workspace, "fieldnotary", "every_flipped", whole)?;
            tests(workspace, "fieldnotary-sim", "every_byte", whole)
        },
    },
    Suite {
        name: "storm",
        bounded: true,
        what: "2,000 kills and 300 other faults; nothing lost, nothing explained wrongly",
        action: storm::full,
    },
    Suite {
        name: "tamper",
        bounded: true,
        what: "thousands of forged logs; each found by whoever can find it, no honest one accused",
        action: tamper::full,
    },
    Suite {
        name: "kills",
        bounded: true,
        what: "10,000 kills of a writer, 10,000 power cuts under the journal, 400 under an ext4, 240 of a guest",
        action: kill_storm::full,
    },
    Suite {
        name: "bus-time",
        bounded: true,
        what: "a line at five rates through a relay with the time of its bits; 1.10 times that, no request too early",
        action: bus_time::full,
    },
    Suite {
        name: "load",
        bounded: true,
        what: "1,000 Modbus TCP and 250 RTU meters read for a minute; no slot passes unread",
        action: load::full,
    },
    Suite {
        name: "clock-guest",
        bounded: true,
        what: "the clocks of a guest moved in every way, boots in 1970 and 2031; each cause named rightly",
        action: clock_guest::full,
    },
    Suite {
        name: "line-guest",
        bounded: true,
        what: "GPIO lines in and out, hwmon, IIO and a serial line through real drivers of a guest's kernel",
        action: line_guest::full,
    },
    Suite {
        name: "tpm-guest",
        bounded: true,
        what: "a node whose keys are in a guest's TPM, without power, without the TPM, on an older disk",
        action: tpm_guest::full,
    },
    Suite {
        name: "crash-states",
        bounded: true,
        what: "a hundred million ways in which power fails; no promise of the journal broken",
        action: crash_states::full,
    },
    Suite {
        name: "league",
        bounded: true,
        what: "the journal beside other engines, 60 trials of every fault; ours loses nothing in silence",
        action: league::full,
    },
    Suite {
        name: "corruption",
        bounded: true,
        what: "every bit, word, sector and truncation of whole logs damaged; every loss named exactly",
        action: corruption::full,
    },
    Suite {
        name: "holdover",
        bounded: true,
        what: "a thousand oscillators of each class left alone; the error bound holds and is not too wide",
        action: holdover::full,
    },
    Suite {
        name: "planted",
        bounded: true,
        what: "thirty bugs planted in a copy of the sources; the suites find each",
        action: planted::full,
    },
    Suite {
        name: "fuzz",
        bounded: true,
        what: "five minutes of every fuzz target",
        action: |workspace| fuzz::fuzz(workspace, 300, None),
    },
];

/// Runs all suites, or the one named; or says what there is.
pub(crate) fn nightly(workspace: &Workspace, only: Option<&str>, list: bool) -> Outcome {
    if list {
        return Ok(listing());
    }
    let chosen: Vec<Step<'_>> = SUITES
        .iter()
        .filter(|suite| only.is_none_or(|name| name == suite.name))
        .map(|suite| Step {
            name: suite.name,
            action: Box::new(|| (suite.action)(workspace)),
        })
        .collect();
    if chosen.is_empty() {
        return Err(Failure::new(format!(
            "there is no such suite; there are\n{}",
            listing()
        )));
    }
    steps::run(&[vec![chosen]])
}

fn listing() -> String {
    let lines: Vec<String> = SUITES
        .iter()
        .map(|suite| {
            let bound = if suite.bounded {
                "bounded"
            } else {
                "until done"
            };
            format!("{:<12} {bound:<11} {}", suite.name, suite.what)
        })
        .collect();
    lines.join("\n")
}

/// The tests of a package whose names hold a word, told by a variable to run at full length.
fn tests(workspace: &Workspace, package: &str, word: &str, length: (&str, &str)) -> Outcome {
    run::status(&mut workspace.programs())?;
    let mut cargo = test::suite(
        workspace,
        &["test", "-p", package, word, "--", "--nocapture"],
    );
    let passed = run::counting(cargo.env(length.0, length.1), test::passed)?;
    if passed == 0 {
        return Err(Failure::new(format!(
            "no test of {package} has `{word}` in its name"
        )));
    }
    Ok(format!("{passed} tests passed"))
}
