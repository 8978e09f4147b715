//! One build of the copy, and the suites that are run on it.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::tree::Tree;

/// How long a suite may take before it counts as hanging, in tenths of a second.
const SUITE_TENTHS_MAX: u32 = 4_000;
/// How long a build may take, in tenths of a second.
const BUILD_TENTHS_MAX: u32 = 9_000;

/// A part of the crash states: most of what the whole finds, in a sixth of its time.
const SIXTH: &str = "crash-states (a sixth)";
/// A suite: its name, and the source that the copy has if there is such a suite.
pub(crate) const SUITES: [(&str, &str); 4] = [
    ("corruption", "sim/src/bin/corruption.rs"),
    (SIXTH, "sim/src/bin/crash-states.rs"),
    ("crash-states", "sim/src/bin/crash-states.rs"),
    ("journal", "sim/tests/journal/main.rs"),
];

/// What became of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// It failed, or did not end.
    Failed,
    /// There is nothing to run: the copy does not compile.
    NotBuilt,
}

/// Where the copy is built and how the suites are told to choose.
pub(crate) struct Trial<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) target: PathBuf,
    pub(crate) seed: u64,
}

impl Trial<'_> {
    /// Runs a suite on the copy as it stands; the first violation is enough.
    pub(crate) fn run(&self, suite: &str) -> Result<Outcome, String> {
        let program = match suite {
            SIXTH => "crash-states",
            other => other,
        };
        let target: &[&str] = match suite {
            "journal" => &["--test", "journal"],
            _ => &["--bin", program],
        };
        let mut build = self.cargo(match suite {
            "journal" => &["test", "--no-run"],
            _ => &["build"],
        });
        build.args(target);
        if !self.ends_well(build, "build", BUILD_TENTHS_MAX)? {
            return Ok(Outcome::NotBuilt);
        }
        let seed = self.seed.to_string();
        let mut run = match suite {
            "journal" => {
                let mut tests = self.cargo(&["test"]);
                tests.args(target);
                tests
            }
            _ => {
                let mut run = Command::new(self.target.join("release").join(program));
                run.args(["--bounded", "--json", "--seed", &seed]);
                match suite {
                    "corruption" => drop(run.arg("--until-fault")),
                    SIXTH => drop(run.args(["--share", "1/6"])),
                    _ => {}
                }
                run
            }
        };
        run.current_dir(&self.tree.folder);
        match self.ends_well(run, suite, SUITE_TENTHS_MAX)? {
            true => Ok(Outcome::Passed),
            false => Ok(Outcome::Failed),
        }
    }

    fn cargo(&self, words: &[&str]) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .current_dir(&self.tree.folder)
            .args(words)
            .args(["--release", "-p", "fieldnotary-sim"])
            .env("CARGO_TARGET_DIR", &self.target)
            // A build for one run: what is short to build and short to run.
            .env("CARGO_INCREMENTAL", "1")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2");
        for (name, _) in std::env::vars_os() {
            let ours = name.to_str().is_some_and(|name| {
                name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
            });
            if ours {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs it with its words in a log; whether it ends by itself and well.
    fn ends_well(&self, mut command: Command, what: &str, tenths_max: u32) -> Result<bool, String> {
        let path = self.target.join(format!("{what}.log"));
        let log = File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let again = log.try_clone().map_err(|error| error.to_string())?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(again)
            .spawn()
            .map_err(|error| format!("{what}: {error}"))?;
        wait(child, tenths_max).map_err(|error| format!("{what}: {error}"))
    }
}

fn wait(mut child: Child, tenths_max: u32) -> std::io::Result<bool> {
    for _ in 0..tenths_max {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        sleep(Duration::from_millis(100));
    }
    child.kill()?;
    child.wait()?;
    Ok(false)
}
