//! The TPM that a test is given: one of its own that is a program, or a device behind the kernel's driver.

use crate::{Firmware, Relay, Swtpm};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// Names the device that all tests of a run are given, one after another, instead of programs of their own.
pub const TPM_VARIABLE: &str = "FIELDNOTARY_TPM";
/// Names the file of the authorities that certified it, in PEM.
pub const AUTHORITIES_VARIABLE: &str = "FIELDNOTARY_TPM_AUTHORITIES";

/// A TPM that cannot be switched off, stopped or copied, unless it is known to be a program.
#[derive(Debug)]
pub struct Tpm {
    kind: Kind,
    relay: Option<Relay>,
}

#[derive(Debug)]
enum Kind {
    Program(Swtpm),
    Device {
        path: PathBuf,
        folder: TempDir,
        /// NV indexes that were not made by this test.
        before: Vec<String>,
    },
}

impl From<Swtpm> for Tpm {
    fn from(program: Swtpm) -> Self {
        let kind = Kind::Program(program);
        Self { kind, relay: None }
    }
}

impl Tpm {
    /// A TPM that is switched on.
    #[must_use]
    pub fn given() -> Self {
        Self::device().unwrap_or_else(|| Swtpm::new().into())
    }

    /// The same with endorsement certificates.
    #[must_use]
    pub fn certified() -> Self {
        Self::device().unwrap_or_else(|| Swtpm::certified().into())
    }

    /// The same that firmware has measured into: a device's own, or this one.
    #[must_use]
    pub fn measured(firmware: &Firmware) -> Self {
        Self::device().unwrap_or_else(|| {
            let program = Swtpm::new();
            firmware.start(&program);
            program.into()
        })
    }

    fn device() -> Option<Self> {
        let path = PathBuf::from(std::env::var_os(TPM_VARIABLE)?);
        let folder = tempfile::tempdir().expect("a folder for files of tools");
        let kind = Kind::Device {
            path,
            folder,
            before: Vec::new(),
        };
        let mut tpm = Self { kind, relay: None };
        let found = tpm.indexes();
        if let Kind::Device { before, .. } = &mut tpm.kind {
            *before = found;
        }
        Some(tpm)
    }

    /// Whether it is a device.
    #[must_use]
    pub const fn is_device(&self) -> bool {
        matches!(self.kind, Kind::Device { .. })
    }

    /// What one of both makes of its path.
    #[must_use]
    pub fn at<T>(&self, device: fn(PathBuf) -> T, socket: fn(PathBuf) -> T) -> T {
        match (&self.kind, &self.relay) {
            (Kind::Device { path, .. }, _) => device(path.clone()),
            (Kind::Program(_), Some(relay)) => socket(relay.socket()),
            (Kind::Program(program), None) => socket(program.socket()),
        }
    }

    /// From here on tools can be used while somebody else is connected: a device can be shared, a program has a wire before it.
    pub fn share(&mut self) {
        if let Kind::Program(program) = &self.kind {
            self.relay = Some(Relay::to(&program.socket()));
        }
    }

    /// The program, whose power can be cut.
    ///
    /// # Panics
    /// Where it is a device.
    pub fn program(&mut self) -> &mut Swtpm {
        match &mut self.kind {
            Kind::Program(program) => program,
            Kind::Device { path, .. } => panic!("{} cannot be switched off", path.display()),
        }
    }

    /// The authorities that certified it, in PEM.
    ///
    /// # Panics
    /// Where nobody has.
    #[must_use]
    pub fn authorities(&self) -> String {
        match &self.kind {
            Kind::Program(program) => program.authorities(),
            Kind::Device { .. } => {
                let file = std::env::var_os(AUTHORITIES_VARIABLE).expect("a file of authorities");
                std::fs::read_to_string(file).expect("authorities")
            }
        }
    }

    /// Runs one of the tpm2-tools on it; on a program that is not shared while nobody else is connected.
    ///
    /// # Panics
    /// Where the tool is not there.
    #[must_use]
    pub fn tool(&self, program: &str, arguments: &[&str]) -> Output {
        match &self.kind {
            Kind::Program(tpm) => tpm.tool(program, arguments),
            Kind::Device { path, folder, .. } => {
                let mut command = Command::new(program);
                command
                    .args(arguments)
                    .env("TPM2TOOLS_TCTI", format!("device:{}", path.display()))
                    .current_dir(folder.path());
                command.output().expect("tpm2-tools are installed")
            }
        }
    }

    /// A folder for files of the tools.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match &self.kind {
            Kind::Program(program) => program.folder(),
            Kind::Device { folder, .. } => folder.path(),
        }
    }

    /// The NV indexes that are defined, as `0x...`.
    fn indexes(&self) -> Vec<String> {
        let said = self.tool("tpm2_getcap", &["handles-nv-index"]);
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let names = said.lines().map(|line| line.trim_start_matches("- "));
        names.map(str::to_owned).collect()
    }
}

impl Drop for Tpm {
    /// A chip has room for few counters: those of this test go.
    fn drop(&mut self) {
        let Kind::Device { before, .. } = &self.kind else {
            return;
        };
        for index in self.indexes() {
            if !before.contains(&index) {
                let _ = self.tool("tpm2_nvundefine", &["-C", "o", &index]);
            }
        }
    }
}
