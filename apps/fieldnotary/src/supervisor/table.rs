//! The process table: which programs make a node, how each is started, and how it is watched.

use super::Manner;
use super::child::Spec;
use crate::clock;
use crate::paths::DataDir;
use crate::{installed, programs};
use contract::Contract;
use contract::limits::MODEM_TIMEOUT_MS_MAX;
use io_plane::limits::{STOP_WAIT_NS, STOP_WINDOWS_NS};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How one process is watched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    /// Longest silence that was not announced.
    pub(crate) silence_ms_max: u64,
    /// Most resident memory.
    pub(crate) resident_bytes_max: u64,
    /// How long it is held back, by quarantines so far.
    pub(crate) cool_down_ms: &'static [u64],
}

/// By role: longest silence, and cool-downs. The recorder is held back for a short time only: whatever
/// is wrong with it, nothing is evidence without it. Memory is in the table of `sandbox`.
const WATCHES: &[(&str, u64, &[u64])] = &[
    ("recorder", 30_000, &[5_000, 15_000]),
    ("signer", 15_000, &[15_000, 60_000]),
    ("time", 15_000, &[15_000, 60_000]),
    ("io", 15_000, &[15_000, 60_000, 300_000]),
    ("uplink", 15_000, &[15_000, 60_000, 300_000]),
    ("syslog", 15_000, &[15_000, 60_000, 300_000]),
    ("timestamp", 15_000, &[15_000, 60_000, 300_000]),
];
/// Roles of safe mode.
const SAFE: &[&str] = &["recorder", "signer", "time", "syslog"];
/// Processes that ports are separated into, at most; beyond it ports share.
const PORT_PROCESSES_MAX: usize = 64;

/// How long the capturing process may take to end its sessions, beside what it waits for a modem.
const IO_STOP_MS: u64 = 5_000;
/// The same with a modem: whoever stops a node waits for no more than this before the log is sealed.
const IO_STOP_MS_MAX: u64 = 15_000;
const _: () = assert!(
    MODEM_TIMEOUT_MS_MAX + IO_STOP_MS <= IO_STOP_MS_MAX,
    "a stop would kill the capturing process during a poll of a modem"
);
const _: () = assert!(
    STOP_WINDOWS_NS + STOP_WAIT_NS < IO_STOP_MS * 1_000_000,
    "a stop would kill the capturing process while its windows are open"
);

/// How long the capturing process of this contract may take to end: a card does nothing else while it asks its modem.
fn io_stop(contract: &Contract) -> Duration {
    let modems = contract.points.modems.values();
    let longest = modems.map(|modem| modem.timeout_ms).max().unwrap_or(0);
    Duration::from_millis((longest + IO_STOP_MS).min(IO_STOP_MS_MAX))
}

/// Where the process ids of the running node are written.
pub(super) fn pid_file(data: &DataDir) -> PathBuf {
    data.run().join("processes.json")
}

/// How a role is watched; `io/PORT` as `io`.
fn watch(kind: &str) -> Watch {
    let found = WATCHES.iter().find(|(role, ..)| *role == kind);
    let (_, silence_ms_max, cool_down_ms) = found.copied().unwrap_or((kind, 15_000, &[15_000]));
    Watch {
        silence_ms_max,
        resident_bytes_max: sandbox::row(kind)
            .map_or(u64::MAX, |row| row.quotas.resident_bytes_max),
        cool_down_ms,
    }
}

/// Everything that starts processes of a node.
pub(super) struct Starts {
    config: PathBuf,
    data: DataDir,
    contract: Contract,
    own: PathBuf,
    /// Where it is a process of this node.
    signer: Option<PathBuf>,
    started: String,
    /// Which configuration was put in force, by whom and why, where somebody said so.
    changed: Vec<String>,
    /// The programs of the node, as they lay there when it was started.
    programs: Vec<String>,
    accept_firmware: bool,
}

impl Starts {
    pub(super) fn new(config: &Path, data: &DataDir, manner: &Manner) -> Result<Self, String> {
        let contract = crate::commands::load_contract(config)?;
        let digest = contract.digest().to_string();
        let by = manner.by.as_str().to_owned();
        let changed = manner.reason.clone().map(|why| vec![digest, by, why]);
        Ok(Self {
            config: config.to_path_buf(),
            data: data.clone(),
            contract,
            own: programs::own()?,
            signer: match manner.starts_signer {
                true => Some(programs::sibling("fieldnotary-signer")?),
                false => None,
            },
            started: clock::mono().0.to_string(),
            changed: changed.unwrap_or_default(),
            programs: installed::as_words(&installed::programs()),
            accept_firmware: manner.accept_firmware,
        })
    }

    /// The site as it was when the node was started.
    pub(super) const fn contract(&self) -> &Contract {
        &self.contract
    }

    /// Every process of a node, in the order of their start; in safe mode only those that keep the log.
    pub(super) fn specs(&self, safe_mode: bool) -> Vec<Spec> {
        let signer = self.signer.as_deref().map(|program| self.signer(program));
        let mut specs: Vec<Spec> = signer.into_iter().collect();
        specs.extend([self.recorder(), self.role("time"), self.role("io")]);
        if self.contract.uplink.is_some() {
            specs.push(self.role("uplink"));
        }
        if self.contract.syslog.is_some() {
            specs.push(self.role("syslog"));
        }
        if self.contract.timestamp.is_some() {
            specs.push(self.role("timestamp"));
        }
        specs.retain(|spec| !safe_mode || SAFE.contains(&spec.role.as_str()));
        specs
    }

    /// How long the capturing process may take to end.
    pub(super) fn io_stop(&self) -> Duration {
        io_stop(&self.contract)
    }

    /// Ports and cards of the site.
    pub(super) fn ports(&self) -> usize {
        self.contract.ports.len() + self.contract.points.cards.len()
    }

    /// A process for each port and card, named after it; where there are very many, each for several.
    pub(super) fn separated(&self) -> Vec<Spec> {
        let cards = self.contract.points.cards.values();
        let cards = cards.filter(|card| card.remote.is_none());
        let cards = cards.map(|card| &card.id);
        let ports = self.contract.ports.keys().chain(cards);
        let ports: Vec<&str> = ports.map(|id| id.as_str()).collect();
        let each = ports.len().div_ceil(PORT_PROCESSES_MAX).max(1);
        ports
            .chunks(each)
            .filter_map(|chunk| {
                let first = chunk.first()?;
                let mut spec = self.role("io");
                spec.role = format!("io/{first}");
                for port in chunk {
                    spec.arguments
                        .extend(["--port".to_owned(), (*port).to_owned()]);
                }
                Some(spec)
            })
            .collect()
    }

    fn recorder(&self) -> Spec {
        let mut spec = self.role("recorder");
        if !self.changed.is_empty() {
            spec.arguments.push("--changed".to_owned());
            spec.arguments.extend(self.changed.iter().cloned());
        }
        for program in self.programs.chunks(3) {
            spec.arguments.push("--program".to_owned());
            spec.arguments.extend(program.iter().cloned());
        }
        if self.accept_firmware {
            spec.arguments.push("--accept-firmware".to_owned());
        }
        spec
    }

    fn role(&self, role: &'static str) -> Spec {
        Spec {
            role: role.to_owned(),
            program: self.own.clone(),
            arguments: vec![
                "role".to_owned(),
                role.to_owned(),
                "--config".to_owned(),
                text(&self.config),
                "--data".to_owned(),
                text(self.data.root()),
                "--node-started".to_owned(),
                self.started.clone(),
            ],
            watch: watch(role),
        }
    }

    fn signer(&self, program: &Path) -> Spec {
        Spec {
            role: "signer".to_owned(),
            program: program.to_path_buf(),
            arguments: vec![
                "run".to_owned(),
                "--identity".to_owned(),
                text(&self.data.identity()),
                "--socket".to_owned(),
                text(&self.data.signer_socket()),
                "--origin".to_owned(),
                self.contract.station.origin.clone(),
                "--die-with-parent".to_owned(),
                "--pulse".to_owned(),
            ],
            watch: watch("signer"),
        }
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::{IO_STOP_MS, SAFE, WATCHES, io_stop, watch};
    use std::time::Duration;

    /// A stop in the middle of a poll kills nobody: the longest modem has its time, and the sessions theirs.
    //= R10.4
    #[test]
    fn a_stop_waits_for_the_longest_modem_of_the_contract() {
        let modem = |id: &str, timeout: &str| {
            format!(
                "[[card]]\nid = \"c{id}\"\nkind = \"modem-http\"\npath = \"http://192.0.2.{id}/s\"\n\
                 [[modem]]\nid = \"m{id}\"\ncard = \"c{id}\"\nschedule = \"s\"\ntimeout = \"{timeout}\"\nlink = \"L\"\n"
            )
        };
        let stop = |modems: &str| {
            let text = format!(
                "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"s\"\nevery = \"1min\"\n\
                 [[card]]\nid = \"adc\"\nkind = \"iio\"\npath = \"/iio\"\n\
                 [[ai]]\nid = \"level\"\ncard = \"adc\"\nchannel = \"in\"\nschedule = \"s\"\n{modems}"
            );
            io_stop(&contract::parse(&text).unwrap())
        };
        let rest = Duration::from_millis(IO_STOP_MS);
        assert_eq!(stop(""), rest);
        let both = modem("1", "10s") + &modem("2", "500ms");
        assert_eq!(stop(&both), rest + Duration::from_secs(10));
    }

    //= R10.2
    #[test]
    fn every_confined_role_is_watched_and_safe_mode_keeps_log_time_keys_and_alarms() {
        let roles: Vec<&str> = sandbox::ROLES.iter().map(|row| row.role).collect();
        for (role, silence_ms, cool_down_ms) in WATCHES {
            assert!(roles.contains(role), "{role} has no row");
            assert!(
                *silence_ms > 10_000,
                "an answer of the recorder may take ten seconds"
            );
            assert!(cool_down_ms.is_sorted() && !cool_down_ms.is_empty());
            assert!(watch(role).resident_bytes_max < u64::MAX, "{role}");
        }
        assert_eq!(WATCHES.len(), roles.len());
        assert_eq!(SAFE, ["recorder", "signer", "time", "syslog"]);
    }
}
