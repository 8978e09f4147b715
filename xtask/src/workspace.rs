//! The repository: where it is, which files it has, what cargo knows of it.

use crate::failure::Failure;
use crate::run;
use serde_json::Value;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The repository that holds this crate.
    pub(crate) fn find() -> Result<Self, Failure> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        match manifest.as_deref().and_then(Path::parent) {
            Some(root) => Ok(Self { root: root.into() }),
            None => Err(Failure::new("not started by cargo: use `cargo xtask`")),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> PathBuf {
        match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => self.root.join(folder),
            None => self.path("target"),
        }
    }

    pub(crate) fn read(&self, relative: &str) -> Result<String, Failure> {
        fs::read_to_string(self.path(relative))
            .map_err(|error| Failure::new(format!("{relative}: cannot be read: {error}")))
    }

    pub(crate) fn write(&self, relative: &str, text: &str) -> Result<(), Failure> {
        let path = self.path(relative);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| Failure::new(format!("{relative}: cannot be written: {error}")))
    }

    /// The build of every program as the tests start them. Whoever needs one asks for all: chosen packages have other features of
    /// what they use, and cargo would build that again.
    pub(crate) fn programs(&self) -> Command {
        let mut cargo = self.cargo();
        cargo.args(["build", "--workspace", "--bins"]);
        cargo
    }

    /// cargo, in the root.
    pub(crate) fn cargo(&self) -> Command {
        self.in_root(Command::new(cargo()))
    }

    /// cargo, in the root, with what the processor has left over.
    pub(crate) fn cargo_aside(&self) -> Command {
        let mut command = Command::new("nice");
        command.args(["-n", "19"]).arg(cargo());
        self.in_root(command)
    }

    fn in_root(&self, mut command: Command) -> Command {
        // What `cargo run` sets for this program must not leak into the builds it starts.
        for (name, _) in env::vars_os() {
            let ours = name.to_str().is_some_and(|name| {
                name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
            });
            if ours {
                command.env_remove(name);
            }
        }
        command.current_dir(&self.root);
        command
    }

    /// Every file that is or would be committed, relative, sorted.
    pub(crate) fn files(&self) -> Result<Vec<String>, Failure> {
        let mut git = Command::new("git");
        git.current_dir(&self.root);
        git.args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        let mut files: Vec<String> = run::output(&mut git)?
            .split('\0')
            .filter(|path| !path.is_empty() && self.path(path).is_file())
            .map(str::to_owned)
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// `cargo metadata`, parsed.
    pub(crate) fn metadata(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let mut cargo = self.cargo();
        cargo
            .args(["metadata", "--format-version", "1"])
            .args(arguments);
        let text = run::output(&mut cargo)?;
        serde_json::from_str(&text)
            .map_err(|error| Failure::new(format!("cargo metadata does not parse: {error}")))
    }
}

fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
