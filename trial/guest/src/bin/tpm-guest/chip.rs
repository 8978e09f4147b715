//! The chip behind the machine's bus: swtpm, whose state is a folder that can be copied and put back.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

const LOOK: Duration = Duration::from_millis(50);
const LOOKS: u32 = 200;

/// A chip that is switched on; off with this value.
#[derive(Debug)]
pub(crate) struct Chip {
    program: Child,
    socket: PathBuf,
}

/// Makes a chip as its maker does, with endorsement certificates of the maker that this folder keeps.
pub(crate) fn make(state: &Path, maker: &Path) -> Result<(), String> {
    std::fs::create_dir_all(state).map_err(|error| format!("{}: {error}", state.display()))?;
    trial_stores::certify(state, maker);
    Ok(())
}

impl Chip {
    /// Switches it on; the machine takes it from there.
    pub(crate) fn on(state: &Path, socket: &Path) -> Result<Self, String> {
        let _ = std::fs::remove_file(socket);
        let mut swtpm = Command::new("swtpm");
        swtpm.args(["socket", "--tpm2", "--terminate", "--tpmstate"]);
        swtpm.arg(format!("dir={}", state.display()));
        swtpm.arg("--ctrl");
        swtpm.arg(format!("type=unixio,path={}", socket.display()));
        let program = swtpm.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let program = program.map_err(|error| format!("swtpm cannot be started: {error}"))?;
        for _ in 0..LOOKS {
            if socket.exists() {
                break;
            }
            sleep(LOOK);
        }
        Ok(Self {
            program,
            socket: socket.to_owned(),
        })
    }

    /// What gives a machine the chip.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let socket = format!("socket,id=chip,path={}", self.socket.display());
        let words = [
            "-chardev",
            &socket,
            "-tpmdev",
            "emulator,id=tpm,chardev=chip",
            "-device",
            "tpm-tis,tpmdev=tpm",
        ];
        words.map(str::to_owned).to_vec()
    }
}

impl Drop for Chip {
    /// It ends by itself when its machine does; what it has not written by then is lost with the power.
    fn drop(&mut self) {
        for _ in 0..LOOKS {
            if matches!(self.program.try_wait(), Ok(Some(_))) {
                return;
            }
            sleep(LOOK);
        }
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
