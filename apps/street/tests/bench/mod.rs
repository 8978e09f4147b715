//! Starts a street, speaks to it with raw frames, reads its log.

use modbus::limits::RTU_FRAME_BYTES_MAX;
use modbus::pdu::Request;
use modbus::rtu::{self, Direction, FrameReader, Timing};
use modbus::tcp;
use modbus::transaction::{Reply, classify, classify_tcp};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

const STARTING: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(5);

/// A street in a folder of its own; killed when dropped.
pub(crate) struct Bench {
    dir: tempfile::TempDir,
    child: Child,
    manifest: Value,
}

/// What came in time on a serial line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Nothing,
    Frame(Vec<u8>),
}

fn command(dir: &tempfile::TempDir, args: &[&str], plan: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fieldnotary-street"));
    command
        .arg("--dir")
        .arg(dir.path().join("street"))
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    if let Some(plan) = plan {
        let path = dir.path().join("plan.toml");
        std::fs::write(&path, plan).expect("the folder is ours");
        command.arg("--plan").arg(path);
    }
    command
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

impl Bench {
    pub(crate) fn start(args: &[&str], plan: Option<&str>) -> Self {
        let dir = folder();
        let mut command = command(&dir, args, plan);
        let child = command
            .arg("--die-with-parent")
            .spawn()
            .expect("the street starts");
        Self::ready(dir, child)
    }

    /// A shell starts the street and is then killed.
    pub(crate) fn start_under_shell() -> Self {
        let dir = folder();
        let mut child = Command::new("sh")
            .args(["-c", "\"$0\" --dir \"$1\" --die-with-parent & wait"])
            .arg(env!("CARGO_BIN_EXE_fieldnotary-street"))
            .arg(dir.path().join("street"))
            .stdout(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let read = wait_for(STARTING, || {
            std::fs::read(dir.path().join("street/street.json")).ok()
        });
        child.kill().expect("the shell runs");
        assert!(read.is_some(), "the street was never ready");
        Self::ready(dir, child)
    }

    fn ready(dir: tempfile::TempDir, child: Child) -> Self {
        let path = dir.path().join("street/street.json");
        let text = wait_for(STARTING, || std::fs::read(&path).ok()).expect("street.json appears");
        let manifest = serde_json::from_slice(&text).expect("street.json appears whole");
        Self {
            dir,
            child,
            manifest,
        }
    }

    /// Exit code and message of a street that does not start.
    pub(crate) fn refused(args: &[&str], plan: Option<&str>) -> (Option<i32>, String) {
        let output = command(&folder(), args, plan)
            .output()
            .expect("the street starts");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    pub(crate) fn manifest(&self) -> &Value {
        &self.manifest
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("street").join(name)
    }

    pub(crate) fn line(&self, port: &str) -> Line {
        let mut ports = self.manifest.list("ports").into_iter();
        let port = ports
            .find(|found| found.text("name") == port)
            .expect("the port is listed");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(port.text("path"));
        let timing = Timing::from_baud(115_200).with_read_latency(5_000_000);
        Line {
            file: file.expect("the line opens"),
            timing,
        }
    }

    pub(crate) fn tcp(&self) -> Tcp {
        let stream = TcpStream::connect(self.manifest.text("tcp")).expect("the street listens");
        Tcp {
            stream,
            decoder: tcp::Decoder::new(),
            ids: tcp::TransactionIds::starting_at(100),
        }
    }

    /// Waits until the log has so many lines.
    pub(crate) fn await_lines(&self, count: usize) {
        let path = self.manifest.text("log");
        let there = || {
            let log = std::fs::read_to_string(&path).expect("there is a log");
            (log.lines().count() >= count).then_some(())
        };
        wait_for(STARTING, there).expect("the log grows");
    }

    pub(crate) fn stop(self) -> Vec<Value> {
        self.stop_by(Signal::TERM).0
    }

    /// The log, and how long stopping took.
    pub(crate) fn stop_by(mut self, signal: Signal) -> (Vec<Value>, Duration) {
        let began = now();
        kill_process(Pid::from_child(&self.child), signal).expect("the street runs");
        assert!(self.wait(STARTING).success());
        let took = now().saturating_sub(began);
        let log = std::fs::read_to_string(self.manifest.text("log")).expect("there is a log");
        let lines = log
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line is JSON"));
        (lines.collect(), took)
    }

    pub(crate) fn wait(&mut self, limit: Duration) -> ExitStatus {
        let ended = wait_for(limit, || {
            self.child.try_wait().expect("the street is our child")
        });
        ended.expect("the street ends")
    }

    /// The street's process is gone, though it is not our child.
    pub(crate) fn wait_gone(&self, limit: Duration) -> bool {
        let process = PathBuf::from(format!("/proc/{}/stat", self.manifest.number("pid")));
        let gone = || match std::fs::read_to_string(&process) {
            Ok(stat) => stat.contains(") Z ").then_some(()),
            Err(_) => Some(()),
        };
        wait_for(limit, gone).is_some()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The client's end of a serial line.
pub(crate) struct Line {
    file: File,
    timing: Timing,
}

impl Line {
    pub(crate) fn write(&self, bytes: &[u8]) {
        (&self.file).write_all(bytes).expect("the line takes bytes");
    }

    pub(crate) fn say(&self, unit: u8, request: &Request) {
        self.write(&rtu::encode(unit, &request.encode()));
    }

    pub(crate) fn ask(&self, unit: u8, request: &Request, limit: Duration) -> Reply {
        self.say(unit, request);
        self.hear(unit, request, limit)
    }

    /// The next frame, as the reply to this request.
    pub(crate) fn hear(&self, unit: u8, request: &Request, limit: Duration) -> Reply {
        match self.next(limit) {
            Heard::Frame(frame) => classify(unit, request, &frame),
            Heard::Nothing => Reply::Truncated(rtu::FrameError::Truncated {
                expected: 0,
                found: 0,
            }),
        }
    }

    pub(crate) fn listen(&self, unit: u8, request: &Request, limit: Duration) -> Heard {
        self.say(unit, request);
        self.next(limit)
    }

    /// Reads byte by byte, so that a frame that follows at once stays for the next call.
    fn next(&self, limit: Duration) -> Heard {
        let mut reader = FrameReader::new(Direction::Replies, self.timing);
        let end = now().saturating_add(limit);
        let mut byte = [0];
        for _ in 0..=RTU_FRAME_BYTES_MAX {
            let until = reader
                .deadline_ns()
                .map_or(end, Duration::from_nanos)
                .min(end);
            if !readable(&self.file, until.saturating_sub(now())) {
                break;
            }
            let count = (&self.file).read(&mut byte).expect("the line can be read");
            assert_eq!(count, 1, "the line hung up");
            if let Some(frame) = reader.feed(&byte, now_ns()).pop() {
                return Heard::Frame(frame.bytes);
            }
        }
        reader
            .cut()
            .map_or(Heard::Nothing, |frame| Heard::Frame(frame.bytes))
    }
}

/// A connection.
pub(crate) struct Tcp {
    stream: TcpStream,
    decoder: tcp::Decoder,
    ids: tcp::TransactionIds,
}

impl Tcp {
    pub(crate) fn say(&mut self, unit: u8, request: &Request) -> u16 {
        let id = self.ids.take();
        let frame = tcp::encode(id, unit, &request.encode()).expect("a request has a frame");
        self.stream
            .write_all(&frame)
            .expect("the connection takes bytes");
        id
    }

    pub(crate) fn ask(&mut self, unit: u8, request: &Request, limit: Duration) -> Option<Reply> {
        let id = self.say(unit, request);
        self.hear(limit)
            .map(|frame| classify_tcp(id, unit, request, &frame))
    }

    /// The next frame; `None` when the connection is closed.
    pub(crate) fn hear(&mut self, limit: Duration) -> Option<tcp::Frame> {
        let end = now().saturating_add(limit);
        let mut byte = [0];
        loop {
            assert!(
                readable(&self.stream, end.saturating_sub(now())),
                "nothing came"
            );
            match self.stream.read(&mut byte) {
                Ok(1) => {}
                _ => return None,
            }
            let frame = self
                .decoder
                .feed(&mut &byte[..])
                .expect("the stream is Modbus");
            if frame.is_some() {
                return frame;
            }
        }
    }
}

/// Fields of a JSON object that have to be there.
pub(crate) trait Field {
    fn field(&self, key: &str) -> &Value;

    fn text(&self, key: &str) -> String {
        self.field(key)
            .as_str()
            .unwrap_or_else(|| unreachable!("{key} is a text"))
            .to_owned()
    }

    fn number(&self, key: &str) -> u64 {
        self.field(key)
            .as_u64()
            .unwrap_or_else(|| unreachable!("{key} is a number"))
    }

    fn byte(&self, key: &str) -> u8 {
        u8::try_from(self.number(key)).expect("the number is a byte")
    }

    fn list(&self, key: &str) -> Vec<Value> {
        self.field(key)
            .as_array()
            .unwrap_or_else(|| unreachable!("{key} is a list"))
            .clone()
    }

    fn numbers(&self, key: &str) -> Vec<u64> {
        let number = |value: &Value| value.as_u64().expect("the list is of numbers");
        self.list(key).iter().map(number).collect()
    }

    fn lacks(&self, key: &str) -> bool {
        self.field(key).is_null()
    }

    fn shown(&self, key: &str) -> String {
        self.field(key).to_string()
    }

    fn is_reply(&self) -> bool {
        self.text("event") == "reply"
    }
}

impl Field for Value {
    fn field(&self, key: &str) -> &Value {
        self.get(key)
            .unwrap_or_else(|| unreachable!("every line has {key}: {self}"))
    }
}

fn readable(fd: &impl AsFd, limit: Duration) -> bool {
    let timeout = Timespec::try_from(limit).expect("the limit is short");
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    poll(&mut fds, Some(&timeout)).expect("poll works") > 0
}

fn now_ns() -> u64 {
    u64::try_from(now().as_nanos()).expect("the machine runs less than 500 years")
}

fn now() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::try_from(now).expect("the clock is positive")
}

fn wait_for<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = now().saturating_add(limit);
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if now() >= end {
            return None;
        }
        std::thread::sleep(STEP);
    }
}
