//! The small kernel of the bench for points, built from Debian's source into `target/guest` and never installed.
//!
//! Debian's own kernel has no simulated GPIO chip, and its simulated bus is a module; this one has both built in.

use crate::failure::Failure;
use crate::run;
use crate::setup::{self, Tool};
use crate::workspace::Workspace;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's source of the kernel, and what it is merged with.
const SOURCE: &str = "linux-source-6.1";
const CONFIG: &str = "trial/guest/kernel.config";
/// What is changed in the source: a driver that is offered as a module alone is built in.
const BUS_STUB: (&str, &str, &str) = (
    "drivers/i2c/Kconfig",
    "tristate \"I2C/SMBus Test Stub\"\n\tdepends on m\n",
    "tristate \"I2C/SMBus Test Stub\"\n",
);

const TOOLS: &[Tool] = &[
    Tool {
        program: "make",
        probe: &["--version"],
        packages: &["make", "gcc", "bc"],
        purpose: "builds the guest's kernel",
    },
    Tool {
        program: "flex",
        probe: &["--version"],
        packages: &["flex", "bison"],
        purpose: "reads the kernel's configuration",
    },
    Tool {
        program: "xz",
        probe: &["--version"],
        packages: &["xz-utils"],
        purpose: "unpacks the kernel's source",
    },
    Tool {
        program: "test",
        probe: &["-e", "/usr/include/gelf.h"],
        packages: &["libelf-dev"],
        purpose: "is what the kernel's own checks are built with",
    },
];

/// The kernel's image, built where it is not there or its configuration is another.
pub(crate) fn image(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let config = workspace.read(CONFIG)?;
    let name = format!("kernel-{}", fingerprint(&config));
    let image = workspace.target().join("guest").join(name);
    if !image.exists() {
        setup::setup(workspace, TOOLS)?;
        println!("building the guest's kernel once; this takes some minutes");
        build(&workspace.path(CONFIG), &image)?;
    }
    Ok(image)
}

/// Names a configuration; another toolchain may name it otherwise and builds once more.
fn fingerprint(config: &str) -> String {
    let mut hasher = DefaultHasher::new();
    config.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn build(config: &Path, image: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", image.display()));
    let folder = image.with_extension("draft");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(failed)?;
    let mut download = Command::new("apt-get");
    run::status(
        download
            .current_dir(&folder)
            .args(["-qq", "download", SOURCE]),
    )?;
    let package = fs::read_dir(&folder).map_err(failed)?.next();
    let package = package.transpose().map_err(failed)?;
    let package = package.ok_or_else(|| Failure::new(format!("apt-get has no {SOURCE}")))?;
    run::status(
        Command::new("dpkg")
            .arg("-x")
            .arg(package.path())
            .arg(&folder),
    )?;
    let archive = format!("usr/src/{SOURCE}.tar.xz");
    run::status(
        Command::new("tar")
            .current_dir(&folder)
            .args(["xf", &archive]),
    )?;
    let source = folder.join(SOURCE);
    let (file, offered, built_in) = BUS_STUB;
    let text = fs::read_to_string(source.join(file)).map_err(failed)?;
    if !text.contains(offered) {
        return Err(Failure::new(format!(
            "{SOURCE}: {file} is not the one that is known"
        )));
    }
    fs::write(source.join(file), text.replace(offered, built_in)).map_err(failed)?;
    make(&source, &["tinyconfig"])?;
    let mut merge = Command::new("scripts/kconfig/merge_config.sh");
    merge
        .current_dir(&source)
        .args(["-m", ".config"])
        .arg(config);
    run::output(&mut merge)?;
    make(&source, &["olddefconfig"])?;
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    make(&source, &[&format!("-j{jobs}"), "bzImage"])?;
    // Under its name once it is whole.
    fs::rename(source.join("arch/x86/boot/bzImage"), image).map_err(failed)?;
    fs::remove_dir_all(&folder).map_err(failed)
}

fn make(source: &Path, words: &[&str]) -> Result<(), Failure> {
    let mut make = Command::new("make");
    make.current_dir(source).arg("-s").args(words);
    let (said, good) = run::captured(&mut make)?;
    match good {
        true => Ok(()),
        false => Err(Failure::new(format!(
            "{said}\n`make {}` failed",
            words.join(" ")
        ))),
    }
}
