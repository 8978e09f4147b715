//! What a guest machine is started from: Debian's kernel, unpacked into `target/guest` and never installed; and what
//! the suites in guests have in common.

use crate::failure::{Failure, Outcome};
use crate::run;
use crate::setup::{self, Tool};
use crate::workspace::Workspace;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package that depends on the newest kernel.
const KERNEL: &str = "linux-image-amd64";

pub(crate) const MACHINE: Tool = Tool {
    program: "qemu-system-x86_64",
    probe: &["--version"],
    packages: &["qemu-system-x86"],
    purpose: "is the guest machine",
};
pub(crate) const SHELL: Tool = Tool {
    program: "busybox",
    probe: &["true"],
    packages: &["busybox-static"],
    purpose: "is the guest's shell",
};

const TOOLS: &[Tool] = &[
    MACHINE,
    SHELL,
    Tool {
        program: "modprobe",
        probe: &["--version"],
        packages: &["kmod"],
        purpose: "knows which modules a disk takes",
    },
];

/// The folder of the unpacked kernel, fetched where it is not there.
pub(crate) fn parts(workspace: &Workspace) -> Result<PathBuf, Failure> {
    setup::setup(workspace, TOOLS)?;
    let folder = workspace.target().join("guest");
    let parts = folder.join("parts");
    if !parts.exists() {
        fetch(&folder)?;
    }
    Ok(parts)
}

/// Builds a suite whose guest has a node, which is given the kernel and the node's programs.
pub(crate) fn with_a_node(
    workspace: &Workspace,
    tools: &[Tool],
    program: &str,
) -> Result<Command, Failure> {
    setup::setup(workspace, tools)?;
    let parts = parts(workspace)?;
    run::status(&mut workspace.programs())?;
    let programs = workspace.target().join("debug");
    let mut suite = Command::new(programs.join(program));
    suite.arg("--guest").arg(parts);
    suite.arg("--programs").arg(programs);
    Ok(suite)
}

/// The answer of a suite in a line, if none of its ways was `bad` and no fewer were tried than it has.
pub(crate) fn verdict(answer: &Value, bad: &str, tried_min: u64, ways: &str) -> Outcome {
    let number = |key: &str| answer.get(key).and_then(Value::as_u64);
    match (number("tried"), number(bad)) {
        (Some(tried), Some(0)) if tried >= tried_min => Ok(format!("{tried} {ways}")),
        _ => Err(Failure::new(format!(
            "a way went wrong or was not tried: {answer}"
        ))),
    }
}

fn fetch(folder: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", folder.display()));
    let draft = folder.join("draft");
    let _ = fs::remove_dir_all(&draft);
    fs::create_dir_all(&draft).map_err(failed)?;
    let depends = run::output(Command::new("apt-cache").args(["depends", KERNEL]))?;
    let image = depends
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|name| name.starts_with("linux-image-"))
        .ok_or_else(|| Failure::new(format!("{KERNEL} depends on no kernel here")))?
        .to_owned();
    let mut download = Command::new("apt-get");
    run::status(
        download
            .current_dir(&draft)
            .args(["-qq", "download", &image]),
    )?;
    let package = only_entry(&draft).map_err(failed)?;
    let root = draft.join("root");
    run::status(Command::new("dpkg").arg("-x").arg(&package).arg(&root))?;
    let modules = only_entry(&root.join("lib/modules")).map_err(failed)?;
    let version = modules.file_name().unwrap_or_default();
    run::status(Command::new("depmod").arg("-b").arg(&root).arg(version))?;
    // Under its name once it is whole.
    fs::rename(&root, folder.join("parts")).map_err(failed)?;
    fs::remove_dir_all(&draft).map_err(failed)
}

fn only_entry(folder: &Path) -> std::io::Result<PathBuf> {
    let first = fs::read_dir(folder)?.next();
    first.map_or_else(
        || Err(std::io::Error::other("nothing is there")),
        |entry| entry.map(|entry| entry.path()),
    )
}

#[cfg(test)]
mod tests {
    use super::verdict;
    use serde_json::json;

    //= A6.4
    //= R1.2
    //= R3.1
    #[test]
    fn a_run_passes_only_if_every_way_was_tried_and_none_went_wrong() {
        let judge = |answer: &serde_json::Value| verdict(answer, "failed", 9, "ways");
        assert_eq!(
            judge(&json!({"tried": 10, "failed": 0})).unwrap(),
            "10 ways"
        );
        assert!(judge(&json!({"tried": 9, "failed": 0})).is_ok());
        for broken in [
            json!({"tried": 9, "failed": 1}),
            json!({"tried": 8, "failed": 0}),
            json!({"tried": 9}),
            json!({"failed": 0}),
            json!({"tried": 9, "wrong": 0}),
            json!({}),
        ] {
            assert!(judge(&broken).is_err(), "{broken}");
        }
    }
}
