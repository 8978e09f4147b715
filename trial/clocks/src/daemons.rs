//! ptp4l and chronyd with configurations under which they never touch the machine's clock.

use crate::process::Process;
use crate::rig::{MASTER_ADDRESSES, Rig, Side};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Options of every ptp4l here: software timestamps, its own clock left alone, and short intervals, so
/// that a master is chosen within two seconds.
const PTP: &[(&str, &str)] = &[
    ("time_stamping", "software"),
    ("network_transport", "UDPv4"),
    ("free_running", "1"),
    ("logAnnounceInterval", "-2"),
    ("announceReceiptTimeout", "3"),
    ("logSyncInterval", "-3"),
    ("logMinDelayReqInterval", "-2"),
    ("fault_reset_interval", "-2"),
    ("summary_interval", "4"),
];
/// A grandmaster that says UTC: the clock is the machine's, and both sides have it.
const PTP_MASTER: &[(&str, &str)] = &[
    ("masterOnly", "1"),
    ("clockClass", "6"),
    ("clockAccuracy", "0x21"),
    ("timeSource", "0x20"),
    ("priority1", "100"),
    ("utc_offset", "0"),
];
const PTP_FOLLOWER: &[(&str, &str)] = &[("slaveOnly", "1")];

/// A running ptp4l.
#[derive(Debug)]
pub struct Ptp {
    /// Its process.
    pub process: Process,
    /// Its management socket.
    pub socket: PathBuf,
    /// The one that takes questions alone, which version 4 has.
    pub read_only: Option<PathBuf>,
}

/// A running chronyd.
#[derive(Debug)]
pub struct Chrony {
    /// Its process.
    pub process: Process,
    /// Its command socket.
    pub socket: PathBuf,
    /// The socket of its reference clock, where it was given one.
    pub reference_clock: PathBuf,
}

impl Rig {
    /// Starts ptp4l on one side; `options` go over the usual ones.
    ///
    /// # Errors
    ///
    /// Where it could not be started.
    pub fn ptp4l(&self, side: Side, options: &[(&str, &str)]) -> Result<Ptp, String> {
        let name = format!("ptp4l-{}", side.name());
        let socket = self.path(&format!("{name}.uds"));
        let of_side = match side {
            Side::Master => PTP_MASTER,
            Side::Follower => PTP_FOLLOWER,
        };
        let mut text = format!("[global]\nuds_address {}\n", socket.display());
        let read_only = (self.ptp4l_version()? >= 4).then(|| self.path(&format!("{name}.ro")));
        if let Some(path) = &read_only {
            let _ = writeln!(text, "uds_ro_address {}", path.display());
        }
        let usual = PTP.iter().chain(of_side);
        let kept = usual.filter(|(name, _)| !options.iter().any(|(of, _)| of == name));
        for (option, value) in kept.chain(options) {
            let _ = writeln!(text, "{option} {value}");
        }
        let _ = writeln!(text, "[{}]", side.interface());
        let config = self.write(&format!("{name}.conf"), &text)?;
        let config = config.to_string_lossy();
        let process = self.start(side, &name, "ptp4l", &["-m", "-f", &config])?;
        Ok(Ptp {
            process,
            socket,
            read_only,
        })
    }

    /// The major version of the ptp4l that is installed.
    ///
    /// # Errors
    ///
    /// Where there is none, or it does not say.
    pub fn ptp4l_version(&self) -> Result<u32, String> {
        let text = self.run(Side::Follower, "ptp4l", &["-v"])?;
        let major = text.trim().split('.').next().unwrap_or_default();
        major
            .parse()
            .map_err(|_| format!("`ptp4l -v` printed {text:?}, no version"))
    }

    /// Starts chronyd on one side as this user: the master serves, the follower asks each of the
    /// master's addresses and has a reference clock named TEST.
    ///
    /// # Errors
    ///
    /// Where it could not be started.
    pub fn chronyd(&self, side: Side, user: &str) -> Result<Chrony, String> {
        let mut sources = String::new();
        match side {
            Side::Master => sources.push_str("local stratum 1\nallow all\n"),
            Side::Follower => {
                for address in MASTER_ADDRESSES {
                    let _ = writeln!(
                        sources,
                        "server {address} minpoll 0 maxpoll 0 iburst xleave"
                    );
                }
                sources.push_str("port 0\nmaxclockerror 5\n");
            }
        }
        let refclock =
            (side == Side::Follower).then_some("refid TEST poll 0 dpoll -2 filter 1 noselect");
        self.chronyd_with(side, user, &sources, refclock)
    }

    /// Starts a chronyd of the follower that has nothing but a reference clock, which this process feeds;
    /// `options` are those of its line.
    ///
    /// # Errors
    ///
    /// Where it could not be started.
    pub fn chronyd_fed(&self, user: &str, options: &str) -> Result<Chrony, String> {
        self.chronyd_with(Side::Follower, user, "port 0\n", Some(options))
    }

    fn chronyd_with(
        &self,
        side: Side,
        user: &str,
        sources: &str,
        refclock: Option<&str>,
    ) -> Result<Chrony, String> {
        let name = format!("chronyd-{}", side.name());
        let folder = self.directory(&name)?;
        // It makes no socket, and says nothing, where the directory is not its own and closed to others.
        let user_and_group = format!("{user}:");
        self.run(side, "chown", &[&user_and_group, &folder.to_string_lossy()])?;
        self.run(side, "chmod", &["750", &folder.to_string_lossy()])?;
        let socket = folder.join("command.sock");
        let reference_clock = folder.join("reference.sock");
        let mut text = format!(
            "bindcmdaddress {}\npidfile {}\ncmdport 0\n",
            socket.display(),
            folder.join("pid").display()
        );
        text.push_str(sources);
        if let Some(options) = refclock {
            let path = reference_clock.display();
            let _ = writeln!(text, "refclock SOCK {path} {options}");
        }
        let config = self.write(&format!("{name}.conf"), &text)?;
        let config = config.to_string_lossy();
        // -x: it measures and never corrects. -d: it stays in the foreground and says what it does.
        let arguments = ["-x", "-d", "-u", user, "-f", &config];
        let process = self.start(side, &name, "chronyd", &arguments)?;
        Ok(Chrony {
            process,
            socket,
            reference_clock,
        })
    }

    /// A daemon as our probes are told of it; our own sockets lie in a directory of the rig.
    ///
    /// # Errors
    ///
    /// Where that directory cannot be made.
    pub fn daemon(&self, socket: &std::path::Path) -> Result<clocks::Daemon, String> {
        let mut daemon = clocks::Daemon::new(socket, &self.directory("probes")?);
        // The machine that tries this may be busy with much else.
        daemon.wait = std::time::Duration::from_millis(500);
        Ok(daemon)
    }
}
