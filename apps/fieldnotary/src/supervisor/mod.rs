//! Starts, watches and restarts the processes of a node. Parses nothing from a wire.

mod child;
mod gate;
mod logs;
mod pipes;
mod reports;
mod restarts;
mod state;
mod table;

pub(crate) use reports::Reports;

use crate::acts::Act;
use crate::clock;
use crate::containment::{Failure, Verdict};
use crate::paths::DataDir;
use child::{Change, Spec, Supervised};
use evidence::Actor;
use evidence::kinds::Audit;
use evidence::reasons::{EventCode, Outcome};
use gate::{Gate, Stand};
use logs::LogBook;
use restarts::Restarts;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use table::Starts;

/// How often the processes are looked after.
const LOOK_UP: Duration = Duration::from_millis(20);
/// Whoever looks later than this was stopped himself: the others' silence does not count for that time.
const LATE_MS: u64 = 1_000;
/// How often lines that were dropped are reported.
const DROPPED_EVERY_MS: u64 = 60_000;
/// How long the last delivery may take before the node stops without it.
const DELIVERY: Duration = Duration::from_secs(10);
/// How long any process may take to end after it was asked to.
const END: Duration = Duration::from_secs(3);

/// How a node is to be run.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// Who runs it.
    pub(crate) by: Actor,
    /// Why it is run as it is: with another configuration, or out of safe mode.
    pub(crate) reason: Option<String>,
    /// Whether safe mode is ended.
    pub(crate) leave_safe_mode: bool,
    /// Whether the firmware that is installed is accepted as it is.
    pub(crate) accept_firmware: bool,
    /// A process that cannot be confined as its row says ends the node.
    pub(crate) require_confinement: bool,
    /// Whether the signer is a process of this node, and not somebody else's.
    pub(crate) starts_signer: bool,
}

/// Runs a node until it is told to stop.
pub(crate) fn run(config: &Path, data: &DataDir, manner: &Manner) -> Result<(), String> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| format!("cannot listen for signal {signal}: {error}"))?;
    }
    let mut node = Supervisor::begin(config, data, manner)?;
    let mut outcome = Ok(());
    while !stop.load(Ordering::Relaxed) {
        outcome = node.turn(now_ms());
        if outcome.is_err() {
            break;
        }
        std::thread::sleep(LOOK_UP);
    }
    orderly_stop(data, &mut node.processes, node.starts.io_stop());
    if let Err(error) = node.restarts.close(node.safe_mode.is_some()) {
        node.say(&error);
    }
    outcome
}

fn now_ms() -> u64 {
    clock::mono().0 / 1_000_000
}

/// The processes of a node and what is kept of them.
struct Supervisor {
    data: DataDir,
    starts: Starts,
    processes: Vec<Supervised>,
    reports: Reports,
    restarts: Restarts,
    book: Arc<LogBook>,
    /// Why it is in safe mode, and when it leaves it.
    safe_mode: Option<(String, u64)>,
    /// Whether capture may begin, where an older firmware is blocked, and how that stood when it was looked at last.
    gate: Option<Gate>,
    stand: Stand,
    require_confinement: bool,
    /// How each role was found to be confined, as last reported.
    confined: BTreeMap<String, String>,
    separated: bool,
    looked_ms: u64,
    dropped_ms: u64,
    /// What the two files say.
    shown: [String; 2],
}

impl Supervisor {
    fn begin(config: &Path, data: &DataDir, manner: &Manner) -> Result<Self, String> {
        let now_ms = now_ms();
        let (restarts, trouble) = Restarts::begin(&data.restarts(), now_ms);
        let starts = Starts::new(config, data, manner)?;
        let gate = Gate::of(starts.contract(), data.recorder_socket());
        let mut node = Self {
            data: data.clone(),
            starts,
            processes: Vec::new(),
            reports: Reports::to(data.recorder_socket(), "supervisor"),
            restarts,
            book: LogBook::new(&data.logs(), "supervisor"),
            safe_mode: None,
            stand: match gate {
                Some(_) => Stand::Held,
                None => Stand::Open,
            },
            gate,
            require_confinement: manner.require_confinement,
            confined: BTreeMap::new(),
            separated: false,
            looked_ms: now_ms,
            dropped_ms: now_ms,
            shown: Default::default(),
        };
        if let Some(trouble) = trouble {
            node.say(&trouble);
        }
        node.brake(manner, now_ms);
        node.accepts(manner);
        // Before anything is started: the next start must find this one.
        if let Err(error) = node.restarts.write() {
            node.say(&error);
        }
        node.supervise_missing();
        Ok(node)
    }

    /// After a storm of resets the node starts in safe mode, unless somebody says otherwise.
    fn brake(&mut self, manner: &Manner, now_ms: u64) {
        let resets = self.restarts.resets();
        if manner.leave_safe_mode {
            let (actor, reason) = (&manner.by, manner.reason.clone().unwrap_or_default());
            self.restarts.forget_resets();
            if self.restarts.is_storm() {
                self.say(&format!("safe mode is left by {actor}: {reason}"));
                self.reports.audit(Audit {
                    at: clock::mono(),
                    actor: actor.clone(),
                    action: Act::LeaveSafeMode.name().to_owned(),
                    reason: reason.clone(),
                    scope: "io and uplink of this node".to_owned(),
                    outcome: Outcome::Done,
                    diff: Some(format!("{resets} starts in a row had not lasted")),
                });
                self.safe_mode_left(format!("by {actor}: {reason}"));
            }
        } else if self.restarts.is_storm() {
            let minutes = restarts::LASTED_MS / 60_000;
            let why = format!("{resets} starts in a row ended within {minutes} minutes each");
            self.say(&format!(
                "SAFE MODE: {why}; recorder, time and signer run, io and uplink do not. It ends after \
                 {minutes} minutes, or with: fieldnotary run ... --leave-safe-mode --reason TEXT"
            ));
            let detail =
                format!("reason: {why}; scope: io and uplink do not run; by: the supervisor");
            self.reports
                .send(EventCode::SafeModeEntered, "supervisor", resets, detail);
            self.safe_mode = Some((why, now_ms + restarts::LASTED_MS));
        }
    }

    /// Who accepts the firmware that is installed, and why.
    fn accepts(&self, manner: &Manner) {
        if !manner.accept_firmware {
            return;
        }
        let (actor, reason) = (&manner.by, manner.reason.clone().unwrap_or_default());
        self.say(&format!(
            "the firmware that is installed is accepted by {actor}: {reason}"
        ));
        self.reports.audit(Audit {
            at: clock::mono(),
            actor: actor.clone(),
            action: Act::AcceptFirmware.name().to_owned(),
            reason,
            scope: "the firmware that is installed, until another version is started".to_owned(),
            outcome: Outcome::Done,
            diff: None,
        });
    }

    /// Capture begins when that is known to be right, and ends when it is not.
    fn firmware(&mut self) {
        let stand = self.gate.as_ref().map_or(Stand::Open, Gate::stand);
        if stand == self.stand {
            return;
        }
        self.stand = stand;
        match &self.stand {
            Stand::Held => {}
            Stand::Open => self.supervise_missing(),
            Stand::Shut(words) => {
                let words = format!("FIRMWARE BLOCKED, nothing is captured: {words}");
                self.say(&words);
                end(&mut self.processes, &["io"], self.starts.io_stop());
                self.processes.retain(|process| process.kind() != "io");
            }
        }
    }

    /// Starts what is to run and does not.
    fn supervise_missing(&mut self) {
        let runs: Vec<String> = self.processes.iter().map(|p| p.role().to_owned()).collect();
        let mut specs = self.starts.specs(self.safe_mode.is_some());
        specs.retain(|spec| !runs.contains(&spec.role));
        specs.retain(|spec| self.stand == Stand::Open || spec.role != "io");
        self.supervise(specs);
    }

    fn safe_mode_left(&self, detail: String) {
        self.reports
            .send(EventCode::SafeModeLeft, "supervisor", 1, detail);
    }

    fn supervise(&mut self, specs: Vec<Spec>) {
        for spec in specs {
            let book = LogBook::new(&self.data.logs(), &spec.role);
            self.processes.push(Supervised::new(spec, book));
        }
    }

    /// A line of the supervisor's own.
    fn say(&self, words: &str) {
        self.book.line(&format!("fieldnotary: {words}"), now_ms());
    }

    /// Looks after everything once.
    fn turn(&mut self, now_ms: u64) -> Result<(), String> {
        let late_ms = now_ms.saturating_sub(self.looked_ms);
        self.looked_ms = now_ms;
        if late_ms > LATE_MS {
            for process in &self.processes {
                process.signs().forgive(late_ms);
            }
        }
        if self
            .safe_mode
            .as_ref()
            .is_some_and(|(_, until)| now_ms >= *until)
        {
            self.safe_mode = None;
            self.say("safe mode is over: the node stood long enough");
            self.safe_mode_left("the node stood long enough; by: the supervisor".to_owned());
            self.supervise_missing();
        }
        self.firmware();
        for at in 0..self.processes.len() {
            let Some(process) = self.processes.get_mut(at) else {
                continue;
            };
            let (role, change) = (process.role().to_owned(), process.tend(now_ms));
            if let Some(change) = change {
                self.changed(&role, change);
            }
        }
        self.confinement()?;
        self.dropped_lines(now_ms);
        if let Err(error) = self.restarts.tend(now_ms) {
            self.say(&error);
        }
        self.show(now_ms);
        Ok(())
    }

    fn changed(&mut self, role: &str, change: Change) {
        match change {
            Change::Started { pid, restarts } => {
                let detail = format!("pid {pid}");
                self.reports
                    .send(EventCode::ProcessStarted, role, restarts, detail);
            }
            Change::Released => {
                self.say(&format!("{role} is tried again"));
                let detail = "its cool-down is over".to_owned();
                self.reports
                    .send(EventCode::ProcessReleased, role, 1, detail);
            }
            Change::Ended {
                pid,
                failure,
                verdict,
            } => {
                let pid = pid.map_or_else(String::new, |pid| format!("pid {pid}, "));
                self.reports
                    .send(code_of(&failure), role, 1, format!("{pid}{failure}"));
                self.restarts.note(role, &failure.to_string());
                match verdict {
                    Verdict::Restart { .. } => {
                        self.say(&format!("{role} ended ({pid}{failure}); restarting it"));
                    }
                    Verdict::Quarantine { for_ms } => self.quarantined(role, &failure, for_ms),
                }
            }
        }
    }

    /// The capturing process is divided, so that one port cannot end the others; all else is held back.
    fn quarantined(&mut self, role: &str, failure: &Failure, for_ms: u64) {
        if role == "io" && !self.separated && self.starts.ports() > 1 {
            self.separated = true;
            let detail = format!("io failed again and again, last: {failure}");
            self.say(&format!("{detail}; each port gets a process of its own"));
            let ports = u64::try_from(self.starts.ports()).unwrap_or(u64::MAX);
            self.reports
                .send(EventCode::PortsSeparated, role, ports, detail);
            self.processes.retain(|process| process.role() != "io");
            let specs = self.starts.separated();
            self.supervise(specs);
            return;
        }
        let seconds = for_ms / 1_000;
        let detail = format!("held back for {seconds} s, last: {failure}");
        self.say(&format!("{role} fails again and again: {detail}"));
        self.reports
            .send(EventCode::ProcessQuarantined, role, 1, detail);
    }

    /// How each process is confined goes into the log when it is new.
    fn confinement(&mut self) -> Result<(), String> {
        for process in &self.processes {
            let Some(report) = process.signs().confined() else {
                continue;
            };
            let words = report.to_string();
            if self.confined.get(process.role()) == Some(&words) {
                continue;
            }
            let missing = u64::try_from(report.missing().count()).unwrap_or(u64::MAX);
            if self.require_confinement && missing > 0 {
                let role = process.role();
                return Err(format!(
                    "{role} is not confined as --require-confinement asks: {words}"
                ));
            }
            let code = EventCode::ProcessConfined;
            self.reports
                .send(code, process.role(), missing, words.clone());
            self.confined.insert(process.role().to_owned(), words);
        }
        Ok(())
    }

    fn dropped_lines(&mut self, now_ms: u64) {
        if now_ms.saturating_sub(self.dropped_ms) < DROPPED_EVERY_MS {
            return;
        }
        self.dropped_ms = now_ms;
        for process in &self.processes {
            let lines = process.book().take_dropped();
            if lines > 0 {
                let detail = "more lines a second than are kept; its log says where".to_owned();
                self.reports
                    .send(EventCode::OutputDropped, process.role(), lines, detail);
            }
        }
    }

    /// Which process is which, for people and for tests that end one of them.
    fn pids(&self) -> String {
        let mut pids = serde_json::Map::new();
        pids.insert("supervisor".to_owned(), json!(std::process::id()));
        for process in &self.processes {
            pids.insert(process.role().to_owned(), json!(process.pid()));
        }
        serde_json::Value::Object(pids).to_string()
    }

    /// Which process is which, and what `status` shows of them. Written where it changed; that it could
    /// not be (a full disk) is no reason to end a node.
    fn show(&mut self, now_ms: u64) {
        let safe_mode = self.safe_mode.as_ref();
        let state = state::report(&self.processes, safe_mode, &self.restarts, now_ms).to_string();
        let files = [table::pid_file(&self.data), self.data.supervision()];
        for ((path, text), shown) in files.iter().zip([self.pids(), state]).zip(&mut self.shown) {
            if text != *shown && replace(path, &text).is_ok() {
                *shown = text;
            }
        }
    }
}

const fn code_of(failure: &Failure) -> EventCode {
    match failure {
        Failure::Killed(_) => EventCode::ProcessKilled,
        Failure::Silent(_) => EventCode::ProcessHung,
        Failure::OverMemory(_) => EventCode::ProcessOverMemory,
        Failure::Exited(_) | Failure::Fault(_) => EventCode::ProcessExited,
    }
}

/// Capture ends first, then the log is sealed and delivered, then everything else ends.
fn orderly_stop(data: &DataDir, processes: &mut [Supervised], io_stop: Duration) {
    end(processes, &["io"], io_stop);
    // What they would still hand over, no seal would hold.
    end(processes, &["timestamp", "time"], END);
    if let Some(sealed) = reports::stop_recorder(&data.recorder_socket()) {
        let deadline = clock::mono().plus_ns(nanoseconds(DELIVERY));
        while processes
            .iter()
            .any(|process| process.kind() == "uplink" && process.pid().is_some())
            && reports::cosigned_size(&data.recorder_socket()).is_some_and(|size| size < sealed)
            && clock::mono() < deadline
            && !crate::commands::delivery_is_hopeless(data)
        {
            std::thread::sleep(LOOK_UP);
        }
    }
    end(processes, &["uplink", "syslog"], END);
    end(processes, &["recorder"], END);
    end(processes, &["signer"], END);
    // What is left would be a lie: the node is no longer running.
    let _ = std::fs::remove_file(table::pid_file(data));
    let _ = std::fs::remove_file(data.supervision());
}

fn end(processes: &mut [Supervised], roles: &[&str], patience: Duration) {
    let mut ending: Vec<&mut Supervised> = processes
        .iter_mut()
        .filter(|process| roles.contains(&process.kind()))
        .collect();
    for process in &ending {
        process.terminate();
    }
    let deadline = clock::mono().plus_ns(nanoseconds(patience));
    while ending.iter_mut().any(|process| !process.has_ended()) {
        if clock::mono() > deadline {
            for process in &ending {
                process.kill();
            }
            return;
        }
        std::thread::sleep(LOOK_UP);
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Replaces a file that the next start makes anew.
fn replace(path: &Path, text: &str) -> Result<(), String> {
    let draft = path.with_extension("json.new");
    std::fs::write(&draft, text)
        .and_then(|()| std::fs::rename(&draft, path))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}
