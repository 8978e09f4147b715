//! SoftHSM2: a PKCS#11 token that is a program.

use crate::done;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;

/// Its module, where Debian puts it.
pub const SOFTHSM_MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// The user's PIN of every token made here.
pub const PIN: &str = "4321";

const SLOW_MODULE: &str = include_str!("slow_module.c");

/// Tokens in a folder of their own.
#[derive(Debug)]
pub struct SoftHsm {
    folder: TempDir,
}

impl SoftHsm {
    /// One token with this label.
    ///
    /// # Panics
    /// Where SoftHSM2 is not installed.
    #[must_use]
    pub fn new(label: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for tokens");
        let tokens = folder.path().join("tokens");
        std::fs::create_dir(&tokens).expect("a folder for tokens");
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            tokens.display()
        );
        let hsm = Self { folder };
        std::fs::write(hsm.configuration(), text).expect("a configuration of SoftHSM2");
        hsm.write_pin(PIN);
        let mut init = Command::new("softhsm2-util");
        init.args(["--init-token", "--free", "--label", label]);
        init.args(["--so-pin", "1234", "--pin", PIN]);
        done(init.env("SOFTHSM2_CONF", hsm.configuration()));
        hsm
    }

    /// What the variable `SOFTHSM2_CONF` must name for whoever uses the tokens.
    #[must_use]
    pub fn configuration(&self) -> PathBuf {
        self.folder.path().join("softhsm2.conf")
    }

    /// The folder of configuration and tokens.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file with the PIN.
    #[must_use]
    pub fn pin_file(&self) -> PathBuf {
        self.folder.path().join("pin")
    }

    /// Builds a module that is SoftHSM2 with these tokens and takes its time to sign, as [`Self::slow`] says; gives its file.
    ///
    /// # Panics
    /// Where there is no C compiler.
    #[must_use]
    pub fn slow_module(&self) -> PathBuf {
        let module = self.folder.path().join("slow.so");
        let source = self.folder.path().join("slow.c");
        std::fs::write(&source, SLOW_MODULE).expect("a source");
        let named = |name: &str, path: &Path| format!("-D{name}=\"{}\"", path.display());
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"]);
        cc.arg(&module).arg(&source);
        cc.arg(named("DELAY", &self.delay_file("sign")));
        cc.arg(named("DELAY_FIND", &self.delay_file("find")));
        cc.arg(named("CONFIGURATION", &self.configuration()));
        cc.arg(named("MODULE", Path::new(SOFTHSM_MODULE)));
        done(cc.arg("-ldl"));
        module
    }

    /// How long that module takes from now on to sign; for ever where it is `None`.
    ///
    /// # Panics
    /// Where that cannot be written.
    pub fn slow(&self, delay: Option<Duration>) {
        self.delay("sign", delay);
    }

    /// How long it takes from now on for whatever it is asked: to look for objects, which is how a token is asked what it is, and to sign.
    ///
    /// # Panics
    /// Where that cannot be written.
    pub fn slow_with_each(&self, delay: Duration) {
        self.delay("sign", Some(delay));
        self.delay("find", Some(delay));
    }

    fn delay(&self, what: &str, delay: Option<Duration>) {
        let ms = delay.map_or_else(|| "-1".to_owned(), |delay| delay.as_millis().to_string());
        // Whole or not at all: it is read meanwhile.
        let draft = self.folder.path().join("delay-draft");
        std::fs::write(&draft, ms).expect("a delay");
        std::fs::rename(draft, self.delay_file(what)).expect("a delay");
    }

    fn delay_file(&self, what: &str) -> PathBuf {
        self.folder.path().join(format!("delay-{what}-ms"))
    }

    /// Writes another PIN into it.
    ///
    /// # Panics
    /// Where that fails.
    pub fn write_pin(&self, pin: &str) {
        let mut options = std::fs::OpenOptions::new();
        let file = options.create(true).truncate(true).write(true).mode(0o600);
        let mut file = file.open(self.pin_file()).expect("a file for the PIN");
        writeln!(file, "{pin}").expect("a PIN");
    }

    /// Takes the tokens away, or puts them back.
    ///
    /// # Panics
    /// Where they are not there.
    pub fn draw(&self, drawn: bool) {
        let (here, away) = (
            self.folder.path().join("tokens"),
            self.folder.path().join("drawn"),
        );
        match drawn {
            true => {
                std::fs::rename(&here, &away).expect("tokens to take away");
                std::fs::create_dir(&here).expect("a folder without tokens");
            }
            false => {
                std::fs::remove_dir(&here).expect("a folder without tokens");
                std::fs::rename(&away, &here).expect("tokens to put back");
            }
        }
    }

    /// Runs OpenSC's pkcs11-tool on the tokens, logged in.
    ///
    /// # Panics
    /// Where the program is not there.
    #[must_use]
    pub fn tool(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("pkcs11-tool");
        command
            .args(["--module", SOFTHSM_MODULE, "--login", "--pin", PIN])
            .args(arguments)
            .env("SOFTHSM2_CONF", self.configuration())
            .current_dir(self.folder.path());
        command.output().expect("pkcs11-tool is installed")
    }
}
