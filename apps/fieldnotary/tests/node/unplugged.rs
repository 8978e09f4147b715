//! A serial adapter is pulled out and put back: the port is lost, no meter is blamed, and reading goes on by itself.

use crate::common::contract::{Contract, Port};
use crate::common::sites::{Node, Peer};
use crate::common::{about, number, text, wait_until};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use serde_json::Value;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(90);
/// How long the adapter is out: some slots long.
const OUT: Duration = Duration::from_secs(5);
const METERS: [(&str, u64); 3] = [("m1", 1), ("m2", 2), ("m3", 3)];

/// Whether the name goes with the adapter, as udev has it, or stays and leads nowhere.
#[derive(Clone, Copy, PartialEq)]
enum Name {
    Goes,
    Stays,
}

/// An adapter on a line of meters: a device of its own for as long as it is plugged in, under a name that is a link.
struct Adapter {
    name: PathBuf,
    line: String,
    relay: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Adapter {
    fn on(line: &str, name: PathBuf) -> Self {
        let mut adapter = Self {
            name,
            line: line.to_owned(),
            relay: None,
        };
        adapter.plug();
        adapter
    }

    /// Puts it in: a new device behind the old name.
    fn plug(&mut self) {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let mut settings = tcgetattr(&ours).unwrap();
        settings.make_raw();
        tcsetattr(&ours, OptionalActions::Now, &settings).unwrap();
        let device = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let line = open(&self.line, flags, Mode::empty()).unwrap();
        let _ = std::fs::remove_file(&self.name);
        symlink(device, &self.name).unwrap();
        let out = Arc::new(AtomicBool::new(false));
        let pulled = Arc::clone(&out);
        let relay = std::thread::spawn(move || carry(&ours, &line, &pulled));
        self.relay = Some((out, relay));
    }

    /// Pulls it out: the node's end hangs up.
    fn pull(&mut self, name: Name) {
        if let Some((out, relay)) = self.relay.take() {
            if name == Name::Goes {
                std::fs::remove_file(&self.name).unwrap();
            }
            out.store(true, Ordering::Relaxed);
            relay.join().unwrap();
        }
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        self.pull(Name::Stays);
    }
}

/// Carries bytes both ways until the adapter is pulled out.
fn carry(ours: &OwnedFd, line: &OwnedFd, pulled: &AtomicBool) {
    let look_up = Timespec::try_from(Duration::from_millis(20)).unwrap();
    let mut buffer = [0; 512];
    while !pulled.load(Ordering::Relaxed) {
        let mut ends = [ours, line].map(|end| PollFd::new(end, PollFlags::IN));
        poll(&mut ends, Some(&look_up)).unwrap();
        let readable = ends
            .each_ref()
            .map(|end| end.revents().contains(PollFlags::IN));
        for (is_readable, (from, to)) in readable.into_iter().zip([(ours, line), (line, ours)]) {
            if is_readable && let Ok(len @ 1..) = rustix::io::read(from, &mut buffer) {
                let _ = rustix::io::write(to, &buffer[..len]);
            }
        }
        // Whose far end nobody has open is always ready, and has nothing.
        if readable == [false; 2] {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn contract(device: &Path) -> Contract {
    let device = device.display().to_string();
    let mut contract = Contract::new("example.org/unplugged", "4MiB", 4)
        .port("line", Port::Rtu(&device), "300ms", "300ms")
        .schedule("second", "1s")
        .profile("meter", &[("energy", "holding:4", "u32", "")]);
    for (id, unit) in METERS {
        contract = contract.meter(id, "line", unit, "second", "meter");
    }
    contract
}

fn rows(data: &Path, kind: &str) -> Vec<Value> {
    about("log", data, &["--kind", kind]).json_lines()
}

/// Waits until each meter has so many readings more than it had.
fn read_on(node: &Node, more: usize) {
    let counts = || {
        let readings = rows(node.data(), "reading");
        METERS.map(|(id, _)| readings.iter().filter(|row| row["meter_id"] == id).count())
    };
    let had = counts();
    wait_until("readings of every meter", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(300));
        let grown = counts()
            .iter()
            .zip(had)
            .all(|(now, had)| *now >= had + more);
        grown.then_some(())
    });
}

fn told(node: &Node, code: &str, times: usize) {
    wait_until(code, PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        let events = rows(node.data(), "event");
        let of_line = |row: &&Value| row["code"] == code && row["source"] == "line";
        (events.iter().filter(of_line).count() >= times).then_some(())
    });
}

//= R5.3
//= A3.7
//= A4.3
#[test]
fn an_adapter_that_is_pulled_out_and_put_back_costs_slots_and_blames_no_meter() {
    let dir = tempfile::tempdir().unwrap();
    let peer = Peer::start(dir.path(), "1,2,3", &[]);
    let name = dir.path().join("adapter");
    let mut adapter = Adapter::on(peer.device(), name.clone());
    let node = Node::start(dir.path(), "node", &contract(&name));
    read_on(&node, 3);
    for (times, name) in [(1, Name::Goes), (2, Name::Stays)] {
        adapter.pull(name);
        told(&node, "port_lost", times);
        std::thread::sleep(OUT);
        adapter.plug();
        // Nobody touches the node.
        told(&node, "port_opened", times + 1);
        read_on(&node, 3);
    }
    let data = node.stop();
    drop(adapter);
    let events = rows(&data, "event");
    let lost = |row: &&Value| row["code"] == "port_lost";
    assert_eq!(events.iter().filter(lost).count(), 2, "{events:?}");
    // What failed is the port, and never a meter on it.
    let failures = rows(&data, "attempt_failed");
    let causes: Vec<&str> = failures.iter().map(|row| text(row, "reason")).collect();
    let of_port = causes.iter().filter(|cause| **cause == "port_unavailable");
    assert!(of_port.count() >= 2 * METERS.len(), "{causes:?}");
    let allowed = ["port_unavailable", "slot_overrun", "stopped"];
    let blamed = causes.iter().find(|cause| !allowed.contains(cause));
    assert_eq!(blamed, None, "{failures:?}");
    for code in ["bus_silent", "late_reply", "foreign_reply", "line_errors"] {
        assert!(
            events.iter().all(|row| row["code"] != code),
            "{code}: {events:?}"
        );
    }
    let gaps = about("gaps", &data, &[]).json();
    let missing = number(&gaps, "missing_readings");
    assert!(missing >= 2 * 3 * METERS.len() as u64, "{gaps}");
    assert_eq!(number(&gaps, "missing_explained"), missing, "{gaps}");
    let verified = about("verify", &data, &[]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}
