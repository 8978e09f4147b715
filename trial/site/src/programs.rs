//! The programs of a site, found beside each other, and how they are called.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of programs.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
    /// A command that becomes the program, such as one that gives privileges up.
    wrapper: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    /// Further arguments of `fieldnotary run`.
    run: Vec<OsString>,
}

impl Programs {
    /// The programs in a folder.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            wrapper: Vec::new(),
            variables: Vec::new(),
            run: Vec::new(),
        }
    }

    /// Those beside this program.
    ///
    /// # Errors
    /// When the system does not tell where this program lies.
    pub fn beside_own() -> Result<Self, String> {
        let own = std::env::current_exe()
            .map_err(|error| format!("cannot find this program's own path: {error}"))?;
        Ok(Self::in_folder(own.parent().unwrap_or(Path::new("/"))))
    }

    /// Called through another command, which takes program and arguments at its end.
    #[must_use]
    pub fn through(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(OsString::from).collect();
        self
    }

    /// With a variable of the environment.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &Path) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// With further arguments of `fieldnotary run`.
    #[must_use]
    pub fn with_run_arguments(mut self, arguments: &[&str]) -> Self {
        self.run = arguments.iter().map(OsString::from).collect();
        self
    }

    pub(crate) fn run_arguments(&self) -> &[OsString] {
        &self.run
    }

    /// Whether they were built with the hook of the named steps: then they know its variable.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn hooked(&self) -> Result<bool, String> {
        let path = self.folder.join("fieldnotary");
        let bytes = std::fs::read(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let name = b"FIELDNOTARY_STEPS_BOARD";
        Ok(bytes.windows(name.len()).any(|part| part == name))
    }

    /// The command that starts a program.
    ///
    /// # Errors
    /// When it is not there.
    pub fn command(&self, name: &str) -> Result<Command, String> {
        let path = self.folder.join(name);
        if !path.is_file() {
            return Err(format!(
                "{name} is not beside this program (looked for {}); build all programs together: \
                 cargo build --release --bins",
                path.display()
            ));
        }
        let mut command = match self.wrapper.split_first() {
            Some((wrapper, arguments)) => {
                let mut command = Command::new(wrapper);
                command.args(arguments).arg(path);
                command
            }
            None => Command::new(path),
        };
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }
}
