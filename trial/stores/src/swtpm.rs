//! swtpm: a TPM 2.0 that is a program.

use crate::done;
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Looks for the socket before it is given up, 20 ms apart.
const LOOKS_MAX: u32 = 500;

/// A TPM with a state of its own.
#[derive(Debug)]
pub struct Swtpm {
    folder: TempDir,
    child: Option<Child>,
}

/// Makes the state of a TPM as its maker does: with an endorsement key, and certificates of an authority that is kept in `maker`.
///
/// # Panics
/// Where it cannot be made.
pub fn certify(state: &Path, maker: &Path) {
    let local = maker.join("localca.conf");
    let folder = maker.display();
    let text = format!(
        "statedir = {folder}/ca\nsigningkey = {folder}/ca/sign.pem\nissuercert = {folder}/ca/issuer.pem\n\
         certserial = {folder}/ca/serial\n"
    );
    std::fs::create_dir_all(maker.join("ca")).expect("a folder for an authority");
    std::fs::write(&local, text).expect("a configuration of the authority");
    let config = maker.join("setup.conf");
    let text = format!(
        "create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = {}\n\
         create_certs_tool_options = /etc/swtpm-localca.options\nactive_pcr_banks = sha256\n",
        local.display()
    );
    std::fs::write(&config, text).expect("a configuration of swtpm_setup");
    let mut setup = Command::new("swtpm_setup");
    setup.args(["--tpm2", "--create-ek-cert", "--lock-nvram", "--overwrite"]);
    setup.arg("--config").arg(config);
    done(setup.arg("--tpmstate").arg(state));
}

/// The authority that certifies in that folder, in PEM: the issuer of the certificates, then the root.
///
/// # Panics
/// Where nothing was certified there.
#[must_use]
pub fn authorities(maker: &Path) -> String {
    let read = |name: &str| {
        std::fs::read_to_string(maker.join("ca").join(name)).expect("an authority of its own")
    };
    format!(
        "{}{}",
        read("issuer.pem"),
        read("swtpm-localca-rootca-cert.pem")
    )
}

impl Swtpm {
    /// A new TPM, switched on.
    #[must_use]
    pub fn new() -> Self {
        let mut tpm = Self::off();
        tpm.on();
        tpm
    }

    /// A new TPM with endorsement certificates of an authority made on the spot, switched on.
    #[must_use]
    pub fn certified() -> Self {
        let mut tpm = Self::off();
        certify(&tpm.state(), tpm.folder());
        tpm.on();
        tpm
    }

    /// The authority that certified it, in PEM: the issuer of its certificates, then the root.
    ///
    /// # Panics
    /// Where it is not certified.
    #[must_use]
    pub fn authorities(&self) -> String {
        authorities(self.folder())
    }

    fn off() -> Self {
        let folder = tempfile::tempdir().expect("a folder for a TPM");
        std::fs::create_dir(folder.path().join("state")).expect("a folder for its state");
        Self {
            folder,
            child: None,
        }
    }

    /// Where its state is: a directory that can be copied away and back.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The socket that carries commands.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("tpm.sock")
    }

    /// Switches it on, which is a reset.
    pub fn on(&mut self) {
        let socket = self.socket();
        let control = self.folder.path().join("tpm.sock.ctrl");
        let at = |path: &Path| format!("type=unixio,path={}", path.display());
        let mut command = Command::new("swtpm");
        command
            .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"])
            .args(["--tpmstate", &format!("dir={}", self.state().display())])
            .args(["--server", &at(&socket), "--ctrl", &at(&control)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.child = Some(command.spawn().expect("swtpm starts"));
        for _ in 0..LOOKS_MAX {
            // It is there before anybody listens.
            if UnixStream::connect(&socket).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("swtpm serves no socket at {}", socket.display());
    }

    /// Cuts its power: what it had only in memory is gone.
    pub fn cut(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_file(self.socket());
        let _ = std::fs::remove_file(self.folder.path().join("tpm.sock.ctrl"));
    }

    /// Makes it stand still, or go on.
    pub fn stand_still(&self, still: bool) {
        let signal = match still {
            true => Signal::STOP,
            false => Signal::CONT,
        };
        let pid = self.child.as_ref().map(Pid::from_child);
        kill_process(pid.expect("it is switched on"), signal).expect("a signal to swtpm");
    }

    /// Runs one of the tpm2-tools on it. It serves one at a time: nobody else may be connected.
    ///
    /// # Panics
    /// Where the program is not there.
    #[must_use]
    pub fn tool(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        let socket = format!("swtpm:path={}", self.socket().display());
        command
            .args(arguments)
            .env("TPM2TOOLS_TCTI", socket)
            .current_dir(self.folder.path());
        command.output().expect("tpm2-tools are installed")
    }

    /// A folder for files of the tools.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Default for Swtpm {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Swtpm {
    fn drop(&mut self) {
        self.cut();
    }
}
