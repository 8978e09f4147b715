//! The station in the guest: node, chronyd and the true time on one disk, through as many boots as need be.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use trial_guest::{Guest, Image, machine, said_by};

const MEMORY_MIB: u32 = 768;
const DISK_BYTES: u64 = 256 << 20;
/// The node's own programs, as they are built.
const NODE: [&str; 2] = ["fieldnotary", "fieldnotary-signer"];
/// Programs of the system that move clocks, and where Debian has them.
const MOVERS: [&str; 5] = [
    "/usr/sbin/chronyd",
    "/usr/bin/chronyc",
    "/usr/sbin/phc_ctl",
    "/usr/sbin/hwclock",
    "/usr/sbin/ptp4l",
];
/// And those that make the network between a ptp4l and its grandmaster, with the modules that it takes.
const NETWORK: [&str; 3] = ["/usr/sbin/ip", "/usr/sbin/nft", "/usr/bin/setpriv"];
const NETWORK_MODULES: [&str; 2] = ["veth", "nf_tables"];
/// Between two looks for something that is to happen.
const PAUSE: Duration = Duration::from_millis(500);

const CONTRACT: &str = r#"
[station]
origin = "example.org/guest"
[storage]
segment_size = "1MiB"
segments = 4
[time]
limit = "10ms"
oscillator = "xo"
chrony = "/run/chrony/chronyd.sock"
ptp = "/run/ptp4l"
rtc = "/dev/rtc0"
"#;

/// A step of more than a millisecond is made at once; the kernel may set the real-time clock.
const CHRONY: &str = "\
bindcmdaddress /run/chrony/chronyd.sock
pidfile /run/chrony/pid
cmdport 0
port 0
refclock SOCK /run/chrony/true.sock refid TRUE poll 0 dpoll -2 filter 1 precision 1e-5
makestep 0.001 -1
rtcsync
";

/// What all boots share.
#[derive(Debug)]
pub(crate) struct Station {
    folder: TempDir,
    kernel: PathBuf,
}

/// A jump, as `time why` tells it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) kind: String,
    pub(crate) cause: String,
    pub(crate) magnitude_ns: u64,
    pub(crate) direction: String,
    pub(crate) explained: bool,
}

impl Told {
    /// By how much, negative where it went backward.
    pub(crate) fn signed_ns(&self) -> i64 {
        let ns = i64::try_from(self.magnitude_ns).unwrap_or(i64::MAX);
        if self.direction == "backward" {
            -ns
        } else {
            ns
        }
    }

    /// In one line.
    pub(crate) fn line(&self) -> String {
        let Self {
            kind,
            cause,
            magnitude_ns,
            direction,
            explained,
        } = self;
        format!("{kind} {direction} by {magnitude_ns} ns: {cause}, explained {explained}")
    }

    fn of(jump: &Value) -> Self {
        let word = |key: &str| {
            jump.get(key)
                .and_then(Value::as_str)
                .unwrap_or("-")
                .to_owned()
        };
        Self {
            kind: word("kind"),
            cause: word("cause"),
            magnitude_ns: jump
                .get("magnitude_ns")
                .and_then(Value::as_u64)
                .unwrap_or(0),
            direction: word("direction"),
            explained: jump.get("explained").and_then(Value::as_bool) == Some(true),
        }
    }
}

impl Station {
    /// Puts image and disk together.
    pub(crate) fn make(parts: &Path, programs: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| error.to_string();
        let folder = tempfile::tempdir().map_err(failed)?;
        let mut image = Image::new(parts, &NETWORK_MODULES)?;
        let kernel = image.kernel().to_owned();
        let lines = Guest::lines(&mut image);
        for name in NODE {
            image.program(&format!("programs/{name}"), &programs.join(name))?;
        }
        for file in MOVERS.iter().chain(&NETWORK).map(Path::new) {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            image.program(&format!("programs/{name}"), file)?;
        }
        let own = std::env::current_exe().map_err(failed)?;
        image.program("programs/clock-guest", &own)?;
        image.file("etc/station.toml", CONTRACT.as_bytes());
        image.file("etc/chrony.conf", CHRONY.as_bytes());
        image.write(&lines, &folder.path().join("initramfs"))?;
        let disk = folder.path().join("disk");
        let file = std::fs::File::create(&disk).map_err(failed)?;
        file.set_len(DISK_BYTES).map_err(failed)?;
        said_by(Command::new("mkfs.ext4").arg("-q").arg(&disk))?;
        Ok(Self { folder, kernel })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Boots a machine on the disk; `rtc` is what its real-time clock begins with, in QEMU's words.
    pub(crate) fn boot(&self, rtc: &str) -> Result<Guest, String> {
        let console = self.path("console");
        let mut machine = machine(
            &self.kernel,
            &self.path("initramfs"),
            "",
            MEMORY_MIB,
            &self.path("disk"),
            &console,
        );
        machine.args(["-rtc", &format!("base={rtc},clock=host")]);
        let mut guest = Guest::start(machine, &self.path("switch"), &console)?;
        guest.do_it("mkdir -m 750 /run/chrony")?;
        Ok(guest)
    }
}

/// The event that tells of a real-time clock that moved by itself.
pub(crate) const RTC_MOVED: &str = "rtc_moved";

/// Starts the node and waits until it serves.
pub(crate) fn start_node(guest: &mut Guest) -> Result<(), String> {
    guest.do_it(
        "fieldnotary run /etc/station.toml --data /ext4/node >/run/node.log 2>&1 & NODE=$!",
    )?;
    let up = wait_for(240, || {
        let (code, _) = guest.run("grep -q ^ready /run/node.log")?;
        Ok((code == 0).then_some(()))
    })?;
    match up {
        Some(()) => Ok(()),
        None => Err(format!(
            "the node does not start: {}",
            guest.run("cat /run/node.log")?.1
        )),
    }
}

/// Stops it orderly.
pub(crate) fn stop_node(guest: &mut Guest) -> Result<(), String> {
    guest.do_it("kill -TERM $NODE; wait $NODE; sync").map(drop)
}

/// Starts chronyd and the true time that it follows, which is so far ahead of the machine's clock.
pub(crate) fn start_true_time(guest: &mut Guest, ahead_ns: i64) -> Result<(), String> {
    guest.do_it(&format!("echo {ahead_ns} > /run/ahead"))?;
    guest.do_it("chronyd -d -u root -f /etc/chrony.conf >/run/chronyd.log 2>&1 & HOLDER=$!")?;
    guest.do_it(
        "clock-guest feed --socket /run/chrony/true.sock --ahead /run/ahead >/run/feed.log 2>&1 & TRUE=$!",
    )?;
    Ok(())
}

/// Ends chronyd and its true time.
pub(crate) fn stop_true_time(guest: &mut Guest) -> Result<(), String> {
    guest
        .do_it("kill $HOLDER $TRUE; wait $HOLDER $TRUE; true")
        .map(drop)
}

/// Starts a grandmaster, and a ptp4l that follows it.
pub(crate) fn start_grandmaster(guest: &mut Guest) -> Result<(), String> {
    guest.do_it("echo 0 > /run/ahead")?;
    guest.do_it("clock-guest lead --socket /run/ptp4l --ahead /run/ahead >/run/lead.log 2>&1 &")?;
    Ok(())
}

/// What `time now` says.
pub(crate) fn now(guest: &mut Guest) -> Result<Value, String> {
    object(guest, "fieldnotary time now /ext4/node --json")
}

/// What `time history` says.
pub(crate) fn history(guest: &mut Guest) -> Result<Value, String> {
    object(guest, "fieldnotary time history /ext4/node --json")
}

/// The jump that `time why` finds before this entry.
pub(crate) fn why_before(guest: &mut Guest, entry: &str) -> Result<Option<Told>, String> {
    let why = object(
        guest,
        &format!("fieldnotary time why /ext4/node {entry} --json"),
    )?;
    let jump = why.get("jump_before").filter(|jump| jump.is_object());
    Ok(jump.map(Told::of))
}

/// The jumps in a history whose entries are newer than this one; with the entry that tells of each, or that
/// came after it.
pub(crate) fn jumps(history: &Value, newest: u64) -> Vec<(Told, String)> {
    let none = Vec::new();
    let jumps = history.get("jumps").and_then(Value::as_array);
    let entry = |jump: &Value| {
        let told = jump.get("event_id").filter(|id| id.is_string());
        let after = jump.get("after").and_then(|mark| mark.get("event_id"));
        let id = told.or(after).and_then(Value::as_str);
        id.unwrap_or_default().to_owned()
    };
    let jumps = jumps.unwrap_or(&none).iter();
    let jumps = jumps.map(|jump| (Told::of(jump), entry(jump)));
    jumps.filter(|(_, id)| number(id) > newest).collect()
}

/// The events in a history of this code that are newer than this entry, as cause and detail.
pub(crate) fn events(history: &Value, newest: u64, code: &str) -> Vec<String> {
    let none = Vec::new();
    let events = history.get("events").and_then(Value::as_array);
    let word = |event: &Value, key: &str| {
        let word = event.get(key).and_then(Value::as_str);
        word.unwrap_or("-").to_owned()
    };
    events
        .unwrap_or(&none)
        .iter()
        .filter(|event| word(event, "code") == code && number(&word(event, "event_id")) > newest)
        .map(|event| format!("{}: {}", word(event, "cause"), word(event, "detail")))
        .collect()
}

/// A counter of `time now`, where it has a value.
pub(crate) fn counter(now: &Value, name: &str) -> Option<u64> {
    let counters = now.get("counters").and_then(Value::as_array)?;
    let named = |one: &&Value| one.get("name").and_then(Value::as_str) == Some(name);
    counters.iter().find(named)?.get("value")?.as_u64()
}

/// The newest entry of the log.
pub(crate) fn newest(guest: &mut Guest) -> Result<u64, String> {
    let now = now(guest)?;
    let id = now.get("newest").and_then(|mark| mark.get("event_id"));
    let id = id.and_then(Value::as_str).unwrap_or_default();
    Ok(number(id))
}

/// The commit id of an entry that is named with its generation.
fn number(id: &str) -> u64 {
    let (_, number) = id.split_once(':').unwrap_or_default();
    number.parse().unwrap_or(0)
}

fn object(guest: &mut Guest, line: &str) -> Result<Value, String> {
    let (code, said) = guest.run(line)?;
    serde_json::from_str(&said)
        .map_err(|error| format!("`{line}` ended with {code}: {error}: {said}"))
}

/// Waits until the node says SYNCED.
pub(crate) fn synced(guest: &mut Guest) -> Result<(), String> {
    let found = wait_for(240, || {
        let (code, _) = guest.run("fieldnotary time now /ext4/node --json")?;
        Ok((code == 0).then_some(()))
    })?;
    found.ok_or("the node is not SYNCED after four minutes".to_owned())
}

/// Looks until there is something, for so many seconds at most.
pub(crate) fn wait_for<T>(
    seconds: u64,
    mut look: impl FnMut() -> Result<Option<T>, String>,
) -> Result<Option<T>, String> {
    let deadline = clocks::mono().plus_ns(seconds * 1_000_000_000);
    loop {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        if clocks::mono() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}
