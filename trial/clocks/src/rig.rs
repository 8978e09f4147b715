//! The rig: two namespaces and the link between them, what may be done to it, and where things lie.

use crate::namespace::{Namespace, remove_left, run};
use crate::process::Process;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The master's addresses: one server of time may be asked as several.
pub const MASTER_ADDRESSES: [&str; 3] = ["10.9.0.1", "10.9.0.3", "10.9.0.4"];
/// The follower's address.
pub const FOLLOWER_ADDRESS: &str = "10.9.0.2";
/// Between two looks for something that is to happen.
const PAUSE: Duration = Duration::from_millis(20);

/// The two sides of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who has the time.
    Master,
    /// Who takes it.
    Follower,
}

impl Side {
    /// The side's interface.
    #[must_use]
    pub const fn interface(self) -> &'static str {
        match self {
            Self::Master => "vmaster",
            Self::Follower => "vfollower",
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Follower => "follower",
        }
    }
}

/// Which packets are lost, as they come in at the follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// PTP's event messages (UDP 319): Sync.
    Event,
    /// PTP's general messages (UDP 320): `Follow_Up`, `Delay_Resp`, Announce.
    General,
}

/// Two namespaces with a link between them; everything goes with this value.
#[derive(Debug)]
pub struct Rig {
    master: Namespace,
    follower: Namespace,
    folder: TempDir,
}

impl Rig {
    /// Makes the namespaces and the link.
    ///
    /// # Errors
    ///
    /// Where this is not root, or a program is missing: which, and what is needed.
    pub fn new() -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err(
                "clocks are tried in network namespaces, which need root: run the tests as root"
                    .into(),
            );
        }
        remove_left();
        let rig = Self {
            master: Namespace::make("m")?,
            follower: Namespace::make("f")?,
            folder: tempfile::tempdir().map_err(|error| format!("no folder: {error}"))?,
        };
        // Daemons that drop root must pass through to directories of their own.
        let mode = rustix::fs::Mode::from_raw_mode(0o711);
        rustix::fs::chmod(rig.folder.path(), mode)
            .map_err(|errno| format!("{}: {errno}", rig.folder.path().display()))?;
        let (master, follower) = (Side::Master.interface(), Side::Follower.interface());
        run(Command::new("ip")
            .args([
                "link",
                "add",
                master,
                "netns",
                rig.master.name(),
                "type",
                "veth",
            ])
            .args(["peer", "name", follower, "netns", rig.follower.name()]))?;
        for address in MASTER_ADDRESSES {
            rig.address(Side::Master, address)?;
        }
        rig.address(Side::Follower, FOLLOWER_ADDRESS)?;
        rig.link(Side::Master, true)?;
        rig.link(Side::Follower, true)?;
        // PTP's messages go to a group of addresses.
        let group = ["route", "add", "224.0.0.0/4", "dev", master];
        run(&mut rig.master.ip(&group))?;
        run(&mut rig.nft("add table inet trial"))?;
        run(&mut rig.nft("add chain inet trial input { type filter hook input priority 0; }"))?;
        Ok(rig)
    }

    fn address(&self, side: Side, address: &str) -> Result<(), String> {
        let with_length = format!("{address}/24");
        let arguments = ["addr", "add", &with_length, "dev", side.interface()];
        run(&mut self.namespace(side).ip(&arguments)).map(drop)
    }

    pub(crate) fn namespace(&self, side: Side) -> &Namespace {
        match side {
            Side::Master => &self.master,
            Side::Follower => &self.follower,
        }
    }

    fn nft(&self, words: &str) -> Command {
        let mut command = self.follower.program("nft");
        command.arg(words);
        command
    }

    /// Takes the link up or down at one side.
    ///
    /// # Errors
    ///
    /// What `ip` said.
    pub fn link(&self, side: Side, up: bool) -> Result<(), String> {
        let state = if up { "up" } else { "down" };
        let arguments = ["link", "set", side.interface(), state];
        run(&mut self.namespace(side).ip(&arguments)).map(drop)
    }

    /// Loses this part of the follower's incoming packets, in percent, from now on.
    ///
    /// # Errors
    ///
    /// What `nft` said.
    pub fn lose(&self, what: Direction, percent: u8) -> Result<(), String> {
        let port = match what {
            Direction::Event => 319,
            Direction::General => 320,
        };
        let part = match percent {
            100.. => String::new(),
            _ => format!("numgen random mod 100 < {percent}"),
        };
        let rule = format!("add rule inet trial input udp dport {port} {part} drop");
        run(&mut self.nft(&rule)).map(drop)
    }

    /// Loses nothing from now on.
    ///
    /// # Errors
    ///
    /// What `nft` said.
    pub fn heal(&self) -> Result<(), String> {
        run(&mut self.nft("flush chain inet trial input")).map(drop)
    }

    /// A path in the rig's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A directory in the rig's folder, made if need be, that others may pass through.
    ///
    /// # Errors
    ///
    /// Where it cannot be made.
    pub fn directory(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.path(name);
        if !path.exists() {
            let made = DirBuilder::new().mode(0o711).create(&path);
            made.map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(path)
    }

    /// Runs a program on one side and gives what it printed.
    ///
    /// # Errors
    ///
    /// Where it could not be run or failed.
    pub fn run(&self, side: Side, program: &str, arguments: &[&str]) -> Result<String, String> {
        run(self.namespace(side).program(program).args(arguments))
    }

    /// Starts a program on one side; its output is in `NAME.log`.
    pub(crate) fn start(
        &self,
        side: Side,
        name: &str,
        program: &str,
        arguments: &[&str],
    ) -> Result<Process, String> {
        let log = self.path(&format!("{name}.log"));
        let log = File::options().create(true).append(true).open(&log);
        let log = log.map_err(|error| format!("{name}.log: {error}"))?;
        let mut command = self.namespace(side).program(program);
        command.args(arguments);
        Process::start(name, command, log)
    }

    /// What a program of this name has printed: for the message of a test that fails.
    #[must_use]
    pub fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(&format!("{name}.log"))).unwrap_or_default()
    }

    /// Writes a file in the rig's folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.path(name);
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }
}

/// Looks until there is something, for so many seconds at most.
pub fn until<T>(seconds: u64, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = clocks::mono().plus_ns(seconds * 1_000_000_000);
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if clocks::mono() >= deadline {
            return None;
        }
        std::thread::sleep(PAUSE);
    }
}
