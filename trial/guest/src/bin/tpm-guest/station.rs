//! The station in the guest: a node on a disk with its keys in the machine's TPM, through as many boots as need be.

use crate::chip::{self, Chip};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;
use trial_guest::{Guest, Image, machine, said_by};

/// The programs lie in it twice while it boots.
const MEMORY_MIB: u32 = 1_280;
const DISK_BYTES: u64 = 192 << 20;
/// The node's own programs and its meter, as they are built.
const NODE: [&str; 3] = ["fieldnotary", "fieldnotary-signer", "fieldnotary-street"];
const ORIGIN: &str = "example.org/guest";
const CONTRACT: &str = r#"
[station]
origin = "example.org/guest"
[storage]
segment_size = "1MiB"
segments = 4
[seal]
every = "2s"
[[port]]
id = "street"
kind = "modbus-tcp"
address = "127.0.0.1:1502"
[[schedule]]
id = "often"
every = "1s"
[[profile]]
id = "meter"
[[profile.point]]
id = "energy"
register = "holding:0"
type = "u32"
unit = "Wh"
[[meter]]
id = "house"
port = "street"
unit = 1
schedule = "often"
profile = "meter"
"#;
/// The meter, which outlives the node.
const STREET: &str = "pidof fieldnotary-street >/run/street.pid || \
    fieldnotary-street --dir /run/street --tcp 127.0.0.1:1502 --meters 1 >/run/street.log 2>&1 &";
/// What node and signer have said, where something that was due did not come.
const TOLD: &str = "tail -n 20 /run/node.log /run/signer.log /ext4/node/logs/*.log; \
    fieldnotary status /ext4/node; fieldnotary log /ext4/node | tail -n 20";
/// Between two looks for something that is to happen, and for how long it is looked for.
const PAUSE: Duration = Duration::from_millis(500);
const SEEN_WITHIN_NS: u64 = 180_000_000_000;
/// The same of what takes many commands to the chip.
const SLOW_WITHIN_NS: u64 = 1_800_000_000_000;

/// Programs of this machine that tests of the keys use: tools of the TPM, and strangers who judge.
const TOOLS: [&str; 2] = ["/usr/bin/tpm2", "/usr/bin/openssl"];
/// What one of them asks for before it makes a request for a certificate.
const OPENSSL: &str = "[req]\ndistinguished_name = name\n[name]\n";
/// What those tools load by name.
const LOADED: [&str; 1] = ["libtss2-tcti-device.so.0"];

/// Programs that a guest's image is made of.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    /// Where the node's own are.
    pub(crate) node: PathBuf,
    /// The tests of the keys.
    pub(crate) tests: PathBuf,
    /// And what measures them.
    pub(crate) bench: PathBuf,
}

/// Disk and chip, which outlive the boots.
#[derive(Debug)]
pub(crate) struct Station {
    folder: TempDir,
    kernel: PathBuf,
}

/// A machine that is on. The machine ends first, then its chip.
#[derive(Debug)]
pub(crate) struct Boot {
    guest: Guest,
    _chip: Option<Chip>,
}

/// A copy of the disk, or of the chip's state.
#[derive(Debug)]
pub(crate) struct Copy {
    of: PathBuf,
    kept: PathBuf,
}

impl Station {
    /// Puts image, disk and chip together.
    pub(crate) fn make(parts: &Path, programs: &Programs) -> Result<Self, String> {
        let failed = |error: std::io::Error| error.to_string();
        let folder = tempfile::tempdir().map_err(failed)?;
        let mut image = Image::new(parts, &[])?;
        let kernel = image.kernel().to_owned();
        let lines = Guest::lines(&mut image);
        for name in NODE {
            image.program(&format!("programs/{name}"), &programs.node.join(name))?;
        }
        image.program("programs/keys-tests", &programs.tests)?;
        image.program("programs/keys-bench", &programs.bench)?;
        for tool in TOOLS {
            image.program(tool, Path::new(tool))?;
        }
        for name in LOADED {
            let library = library(name)?;
            image.program(&library.to_string_lossy(), &library)?;
        }
        image.file("etc/openssl.cnf", OPENSSL.as_bytes());
        image.file("etc/station.toml", CONTRACT.as_bytes());
        let station = Self { folder, kernel };
        chip::make(&station.chip(), &station.path("maker"))?;
        let authorities = trial_stores::authorities(&station.path("maker"));
        image.file("etc/authorities.pem", authorities.as_bytes());
        image.write(&lines, &station.path("initramfs"))?;
        let disk = station.disk();
        let file = std::fs::File::create(&disk).map_err(failed)?;
        file.set_len(DISK_BYTES).map_err(failed)?;
        said_by(Command::new("mkfs.ext4").arg("-q").arg(&disk))?;
        Ok(station)
    }

    /// Puts a new chip of the same maker in the place of the one that is there.
    pub(crate) fn other_chip(&self) -> Result<(), String> {
        said_by(Command::new("rm").arg("-rf").arg(self.chip()))?;
        chip::make(&self.chip(), &self.path("maker"))
    }

    /// Goes a way behind which disk and chip are what they were before, however it ended.
    pub(crate) fn and_back(
        &self,
        way: impl FnOnce(&Self) -> Result<Value, String>,
    ) -> Result<Value, String> {
        let kept = [
            self.copy(&self.disk(), "kept")?,
            self.copy(&self.chip(), "kept")?,
        ];
        let verdict = way(self);
        kept.iter().try_for_each(Copy::put_back)?;
        verdict
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The disk's file.
    pub(crate) fn disk(&self) -> PathBuf {
        self.path("disk")
    }

    /// The folder of the chip's state.
    pub(crate) fn chip(&self) -> PathBuf {
        self.path("tpm")
    }

    /// Copies one of both under a name, while the machine is off.
    pub(crate) fn copy(&self, of: &Path, name: &str) -> Result<Copy, String> {
        let kept = of.with_extension(name);
        said_by(Command::new("rm").arg("-rf").arg(&kept))?;
        said_by(Command::new("cp").arg("-a").arg(of).arg(&kept))?;
        Ok(Copy {
            of: of.to_owned(),
            kept,
        })
    }

    /// Switches the machine on, with its chip or without.
    pub(crate) fn boot(&self, with_chip: bool) -> Result<Boot, String> {
        let console = self.path("console");
        let mut machine = machine(
            &self.kernel,
            &self.path("initramfs"),
            "",
            MEMORY_MIB,
            &self.disk(),
            &console,
        );
        let chip = match with_chip {
            true => Some(Chip::on(&self.chip(), &self.path("tpm.socket"))?),
            false => None,
        };
        if let Some(chip) = &chip {
            machine.args(chip.arguments());
        }
        let guest = Guest::start(machine, &self.path("switch"), &console)?;
        Ok(Boot { guest, _chip: chip })
    }
}

/// Where the loader finds a library.
fn library(name: &str) -> Result<PathBuf, String> {
    let known = said_by(Command::new("/sbin/ldconfig").arg("-p"))?;
    let line = known
        .lines()
        .find(|line| line.trim_start().starts_with(name));
    let path = line.and_then(|line| line.split(" => ").nth(1));
    path.map(PathBuf::from)
        .ok_or_else(|| format!("this machine has no {name}"))
}

impl Copy {
    /// Puts it back in the place of what is there now.
    pub(crate) fn put_back(&self) -> Result<(), String> {
        said_by(Command::new("rm").arg("-rf").arg(&self.of))?;
        said_by(Command::new("cp").arg("-a").arg(&self.kept).arg(&self.of)).map(drop)
    }
}

impl Boot {
    /// Makes the keys, in the chip; the verifier's lines lie in `/ext4/keys`.
    pub(crate) fn make_keys(&mut self) -> Result<(), String> {
        let made = "fieldnotary-signer init --identity /ext4/node/identity --backend tpm";
        let line = format!("{made} --origin {ORIGIN} > /ext4/keys");
        self.guest.do_it(&line).map(drop)
    }

    /// What a line printed that must succeed.
    pub(crate) fn do_it(&mut self, line: &str) -> Result<String, String> {
        self.guest.do_it(line)
    }

    /// The same of one that may fail: its exit code as well.
    pub(crate) fn run(&mut self, line: &str) -> Result<(i32, String), String> {
        self.guest.run(line)
    }

    /// Starts the meter and the node, and waits until the node serves.
    pub(crate) fn start_node(&mut self) -> Result<(), String> {
        self.start_node_with("")
    }

    /// The same with more words for the node.
    pub(crate) fn start_node_with(&mut self, words: &str) -> Result<(), String> {
        self.guest.do_it(STREET)?;
        self.guest.do_it(&format!(
            "fieldnotary run /etc/station.toml --data /ext4/node {words} >/run/node.log 2>&1 & NODE=$!",
        ))?;
        self.seen("the node", |boot| {
            let (code, _) = boot.run("grep -q ^ready /run/node.log")?;
            Ok((code == 0).then_some(()))
        })
    }

    /// Stops it orderly and makes the disk whole.
    pub(crate) fn rest(&mut self) -> Result<(), String> {
        self.guest
            .do_it("kill -TERM $NODE; wait $NODE; sync")
            .map(drop)
    }

    /// The same, and switches the machine off.
    pub(crate) fn stop_node(mut self) -> Result<(), String> {
        self.rest()
    }

    /// What a line printed that may take minutes, and must succeed.
    pub(crate) fn slowly(&mut self, line: &str) -> Result<String, String> {
        self.do_it(&format!(
            "rm -f /run/slow.code; ( ( {line} ) >/run/slow.log 2>&1; echo $? >/run/slow.code ) &"
        ))?;
        let code = self.seen_within(SLOW_WITHIN_NS, line, |boot| {
            let (_, code) = boot.run("cat /run/slow.code")?;
            Ok(code.trim().parse::<i32>().ok())
        })?;
        let said = self.do_it("cat /run/slow.log")?;
        match code {
            0 => Ok(said),
            code => Err(format!("`{line}` in the guest ended with {code}: {said}")),
        }
    }

    /// The entries of a kind.
    pub(crate) fn entries(&mut self, kind: &str) -> Result<Vec<Value>, String> {
        let line = format!("fieldnotary log /ext4/node --kind {kind} --json");
        let said = self.do_it(&line)?;
        let lines = said.lines().filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_str(line).map_err(|error| format!("{error}: {line}")))
            .collect()
    }

    /// What the node says of itself.
    pub(crate) fn status(&mut self) -> Result<Value, String> {
        let said = self.do_it("fieldnotary status /ext4/node --json")?;
        serde_json::from_str(&said).map_err(|error| format!("{error}: {said}"))
    }

    /// Waits until there are more entries of a kind than so many; gives all of them.
    pub(crate) fn more_than(&mut self, count: usize, kind: &str) -> Result<Vec<Value>, String> {
        let what = format!("more than {count} entries {kind}");
        self.seen(&what, |boot| {
            let entries = boot.entries(kind)?;
            Ok((entries.len() > count).then_some(entries))
        })
    }

    /// The first of what a look finds.
    pub(crate) fn seen<T>(
        &mut self,
        what: &str,
        look: impl FnMut(&mut Self) -> Result<Option<T>, String>,
    ) -> Result<T, String> {
        self.seen_within(SEEN_WITHIN_NS, what, look)
    }

    fn seen_within<T>(
        &mut self,
        within_ns: u64,
        what: &str,
        mut look: impl FnMut(&mut Self) -> Result<Option<T>, String>,
    ) -> Result<T, String> {
        let deadline = clocks::mono().plus_ns(within_ns);
        while clocks::mono() < deadline {
            if let Some(found) = look(self)? {
                return Ok(found);
            }
            sleep(PAUSE);
        }
        let (_, log) = self.run(TOLD)?;
        Err(format!("{what}: not seen; the node says {log}"))
    }
}
