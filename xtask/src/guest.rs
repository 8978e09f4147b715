//! What a guest machine is started from: Debian's kernel, unpacked into `target/guest` and never installed.

use crate::failure::Failure;
use crate::run;
use crate::setup::{self, Tool};
use crate::workspace::Workspace;
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
