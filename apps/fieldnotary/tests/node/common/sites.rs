//! The programs of a site: the street, an independent peer, the node, the collector.

use super::contract::{Contract, Port};
use super::{
    READY, Running, about, done, json_lines, list, number, program, python, text, wait_until,
};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A file that a program publishes whole when it is ready.
fn published(path: &Path) -> Option<Value> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

/// Our simulated street.
pub(crate) struct Street {
    running: Running,
    dir: PathBuf,
    description: Value,
}

impl Street {
    /// Starts a street with one serial line and a TCP gateway.
    pub(crate) fn start(dir: &Path, meters: u16) -> Self {
        Self::start_with(dir, meters, "")
    }

    /// The same, with this plan of faults.
    pub(crate) fn start_with(dir: &Path, meters: u16, plan: &str) -> Self {
        let meters = meters.to_string();
        let words = [
            "--rtu-port",
            "rs485",
            "--tcp",
            "127.0.0.1:0",
            "--meters",
            &meters,
        ];
        Self::with(dir, &words, plan)
    }

    /// Starts a street with one wired M-Bus, these words, and this plan of faults.
    pub(crate) fn mbus(dir: &Path, words: &[&str], plan: &str) -> Self {
        Self::with(dir, &[&["--mbus-port", "bus"][..], words].concat(), plan)
    }

    /// Starts a street with these words, and this plan of faults.
    pub(crate) fn with(dir: &Path, words: &[&str], plan: &str) -> Self {
        let faults = dir.join("faults.toml");
        std::fs::write(&faults, plan).unwrap();
        let dir = dir.join("street");
        std::fs::create_dir(&dir).unwrap();
        let mut command = Command::new(program("fieldnotary-street"));
        command.arg("--dir").arg(&dir).arg("--die-with-parent");
        command.args(words).arg("--plan").arg(faults);
        let mut running = Running::start("street", &dir, &mut command);
        let description = running.ready(|| published(&dir.join("street.json")));
        Self {
            running,
            dir,
            description,
        }
    }

    /// What it says that there is.
    pub(crate) const fn description(&self) -> &Value {
        &self.description
    }

    /// The contract of a node that reads everything here ten times a second.
    pub(crate) fn contract(&self, contract: Contract) -> Contract {
        self.contract_every(contract, "100ms")
    }

    /// The same, as often as is said.
    pub(crate) fn contract_every(&self, contract: Contract, every: &str) -> Contract {
        let mut contract = contract.schedule("often", every).profile(
            "meter",
            &[
                ("energy", "holding:0", "u32", "unit = \"Wh\""),
                ("voltage", "holding:2", "u16", "scale = \"0.1\""),
                ("power", "holding:4", "i32", ""),
            ],
        );
        for port in list(&self.description, "ports") {
            let wire = match text(port, "carrier") {
                "rtu" => Port::Rtu(text(port, "path")),
                _ => Port::Tcp(text(port, "address")),
            };
            contract = contract.port(text(port, "name"), wire, "500ms", "1s");
        }
        for meter in list(&self.description, "meters") {
            let (name, port) = (text(meter, "name"), text(meter, "port"));
            contract = contract.meter(name, port, number(meter, "unit"), "often", "meter");
        }
        contract
    }

    /// What the street says that it was asked and answered till now: every line that is whole.
    pub(crate) fn said(&self) -> Vec<Value> {
        let all = std::fs::read_to_string(self.dir.join("street.jsonl")).unwrap();
        let whole = all.rfind('\n').map_or("", |end| &all[..end]);
        json_lines(whole)
    }

    /// Stops, and gives all of it.
    pub(crate) fn stop(self) -> Vec<Value> {
        self.running.stop();
        json_lines(&std::fs::read_to_string(self.dir.join("street.jsonl")).unwrap())
    }
}

/// Meters that are not ours: pymodbus, or what the script serves.
pub(crate) struct Peer {
    running: Running,
    dir: PathBuf,
    ready: Value,
}

impl Peer {
    /// Starts units on a serial line and, under the same numbers, behind a TCP address.
    pub(crate) fn start(dir: &Path, units: &str, more: &[&str]) -> Self {
        Self::of(
            dir,
            "modbus_meters.py",
            &[&["--units", units], more].concat(),
        )
    }

    /// Starts the peer of this script.
    pub(crate) fn of(dir: &Path, script: &str, words: &[&str]) -> Self {
        let dir = dir.join("peer");
        std::fs::create_dir(&dir).unwrap();
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
        let mut command = Command::new(python());
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command.arg(scripts.join(script)).arg(&dir);
        let mut running = Running::start("peer", &dir, command.args(words));
        let ready = running.ready(|| published(&dir.join("peer.json")));
        Self {
            running,
            dir,
            ready,
        }
    }

    /// From its next request on a device behaves so.
    pub(crate) fn control(&self, how: &Value) {
        let draft = self.dir.join("control.json.new");
        std::fs::write(&draft, how.to_string()).unwrap();
        std::fs::rename(draft, self.dir.join("control.json")).unwrap();
    }

    pub(crate) fn device(&self) -> &str {
        text(&self.ready, "device")
    }

    pub(crate) fn address(&self) -> &str {
        text(&self.ready, "address")
    }

    /// What it says of itself.
    pub(crate) const fn ready(&self) -> &Value {
        &self.ready
    }

    /// What it says that it answered. Whoever asks has stopped the node before.
    pub(crate) fn answers(self) -> Vec<Value> {
        let words = self.running.words();
        assert!(words.is_empty(), "the peer complains: {words}");
        self.answered()
    }

    /// The same so far. Asked for a unit that it does not have it complains, and that is no fault.
    pub(crate) fn answered(&self) -> Vec<Value> {
        json_lines(&std::fs::read_to_string(self.dir.join("peer.jsonl")).unwrap())
    }
}

/// A node.
pub(crate) struct Node {
    running: Running,
    data: PathBuf,
}

impl Node {
    /// Makes a node's keys and gives them, the authority's first.
    pub(crate) fn keys(data: &Path, origin: &str) -> Vec<String> {
        let mut init = Command::new(program("fieldnotary-signer"));
        init.arg("init")
            .arg("--identity")
            .arg(data.join("identity"))
            .args(["--origin", origin]);
        vkeys(&done(&mut init).out)
    }

    /// Starts a node whose data lies in `dir/NAME`, and waits until it answers.
    pub(crate) fn start(dir: &Path, name: &str, contract: &Contract) -> Self {
        Self::start_with(dir, name, contract, &[])
    }

    /// The same, with more words on the command line.
    pub(crate) fn start_with(dir: &Path, name: &str, contract: &Contract, words: &[&str]) -> Self {
        Self::start_by(
            Command::new(program("fieldnotary")),
            dir,
            name,
            contract,
            words,
        )
    }

    /// The same by a command with an environment of its own.
    pub(crate) fn start_by(
        mut command: Command,
        dir: &Path,
        name: &str,
        contract: &Contract,
        words: &[&str],
    ) -> Self {
        let (config, data) = (dir.join(format!("{name}.toml")), dir.join(name));
        std::fs::write(&config, contract.toml()).unwrap();
        command.arg("run").arg(&config).arg("--data").arg(&data);
        // Contracts of tests change between two runs, and whoever changes one says why.
        if !words.contains(&"--reason") {
            command.args(["--reason", "a test"]);
        }
        command.args(words);
        let mut running = Running::start(name, dir, command.arg("--die-with-parent"));
        running.ready(|| (about("status", &data, &[]).code == Some(0)).then_some(()));
        Self { running, data }
    }

    /// Lets a node run until its log has so many entries more, and stops it orderly.
    pub(crate) fn grow(dir: &Path, name: &str, contract: &Contract, entries: u64) -> PathBuf {
        let node = Self::start(dir, name, contract);
        let wanted = number(&node.status(), "log_size") + entries;
        node.wait_for("log_size", wanted);
        node.stop()
    }

    /// Waits until a number of its status is at least this.
    pub(crate) fn wait_for(&self, key: &str, at_least: u64) {
        let what = format!("{key} of {at_least}");
        wait_until(&what, READY * 2, || {
            std::thread::sleep(Duration::from_millis(100));
            (number(&self.status(), key) >= at_least).then_some(())
        });
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// What it says of itself.
    pub(crate) fn status(&self) -> Value {
        let said = about("status", &self.data, &[]);
        assert_eq!(said.code, Some(0), "{said:?}\n{}", self.running.words());
        said.json()
    }

    /// What its programs have said so far.
    pub(crate) fn words(&self) -> String {
        self.running.words()
    }

    /// Stops it orderly; its directory remains.
    pub(crate) fn stop(self) -> PathBuf {
        self.running.stop();
        self.data
    }
}

/// A collector.
pub(crate) struct Collector {
    running: Option<Running>,
    dir: PathBuf,
    /// Its cosigner key.
    pub(crate) key: String,
    /// Where the node's certificate and key lie.
    pub(crate) tls: PathBuf,
    /// Where it listens.
    pub(crate) address: String,
}

impl Collector {
    /// Starts a collector that takes the log of these keys.
    pub(crate) fn start(dir: &Path, log_keys: &[String]) -> Self {
        let (folder, tls) = (dir.join("collector"), dir.join("tls"));
        let ready = dir.join("collector.ready");
        let collector = || Command::new(program("fieldnotary-collector"));
        let mut init = collector();
        init.arg("init").arg("--dir").arg(&folder);
        init.args(["--name", "collector.example.org", "--host", "127.0.0.1"]);
        let key = vkeys(&done(&mut init).out).remove(0);
        let mut issue = collector();
        issue.arg("issue").arg("--dir").arg(&folder);
        done(
            issue
                .args(["--reason", "test", "--node", "node", "--out"])
                .arg(&tls),
        );
        let (running, address) = Self::listen(&folder, &ready, "127.0.0.1:0", log_keys);
        Self {
            running: Some(running),
            dir: folder,
            key,
            tls,
            address,
        }
    }

    fn listen(folder: &Path, ready: &Path, at: &str, log_keys: &[String]) -> (Running, String) {
        // What an earlier run published is not this one's.
        let _ = std::fs::remove_file(ready);
        let mut run = Command::new(program("fieldnotary-collector"));
        run.arg("run").arg("--dir").arg(folder);
        run.args(["--listen", at, "--die-with-parent"]);
        run.arg("--ready-file").arg(ready);
        run.args(log_keys.iter().flat_map(|key| ["--log-key", key]));
        let mut running = Running::start("collector", folder.parent().unwrap(), &mut run);
        let about = running.ready(|| published(ready));
        let address = text(&about, "addr").to_owned();
        (running, address)
    }

    /// Goes away; the node notices nothing but silence.
    pub(crate) fn leave(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }

    /// Is killed where it stands: nothing is closed, nothing is said.
    pub(crate) fn kill(&mut self) {
        drop(self.running.take());
    }

    /// Its directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Comes back at the same address.
    pub(crate) fn come_back(&mut self, log_keys: &[String]) {
        let ready = self.dir.with_extension("ready");
        let (running, _) = Self::listen(&self.dir, &ready, &self.address, log_keys);
        self.running = Some(running);
    }

    /// Stops it; its directory remains.
    pub(crate) fn stop(mut self) -> PathBuf {
        self.leave();
        self.dir
    }
}

/// The verifier keys that a program prints.
fn vkeys(words: &str) -> Vec<String> {
    let keys: Vec<String> = words
        .split_whitespace()
        .filter(|word| word.split('+').count() >= 3)
        .map(str::to_owned)
        .collect();
    assert!(!keys.is_empty(), "no verifier key in {words:?}");
    keys
}
