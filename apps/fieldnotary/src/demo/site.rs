//! Starts the whole site and stops it: street, collector, relay, node.

use super::children::{Running, output, wait_until};
use super::contract::{self, Delivery, ORIGIN};
use super::layout::Layout;
use super::plan::{METERS, Plan, RTU_PORTS};
use super::relay::Relay;
use super::watch;
use crate::paths::DataDir;
use crate::programs;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long a program may take until it is ready.
const READY: Duration = Duration::from_secs(20);
/// How long the node may take to stop: the last sessions, the last seal, the last delivery.
const NODE_STOP: Duration = Duration::from_secs(40);
/// How long the other programs may take to stop.
const STOP: Duration = Duration::from_secs(10);
/// Name of the collector, as its key has it.
const COLLECTOR: &str = "demo.collector.example";
/// The generation under whose name the log's checkpoints are signed here: a new log is the first.
const GENERATION: &str = "g1";
/// Name of the node in its client certificate.
const NODE: &str = "street-node";

/// A running site; whatever still runs ends with this value, the node first.
pub(super) struct Site {
    node: Running,
    pub(super) relay: Relay,
    collector: Running,
    street: Running,
    pub(super) keys: Keys,
    /// The street's description of itself.
    pub(super) description: Value,
}

/// The keys that a reader has to know.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// The log's keys, the authority first.
    pub(super) log: Vec<String>,
    /// The collector's cosigning key.
    pub(super) collector: String,
}

impl Keys {
    /// The key to pin.
    pub(super) fn anchor(&self) -> &str {
        self.log.first().map_or("", String::as_str)
    }
}

impl Site {
    /// Starts everything, and waits until the node answers.
    pub(super) fn start(layout: &Layout, plan: &Plan) -> Result<Self, String> {
        let (street, description) = start_street(layout, plan)?;
        let log = make_keys(layout)?;
        let collector_key = prepare_collector(layout)?;
        let keys = Keys {
            log,
            collector: collector_key,
        };
        let (collector, address) = start_collector(layout, &keys)?;
        let relay = Relay::start(address)?;
        write_contract(layout, plan, &description, &relay, &keys)?;
        let node = start_node(layout)?;
        Ok(Self {
            node,
            relay,
            collector,
            street,
            keys,
            description,
        })
    }

    /// An error if one of the programs has ended.
    pub(super) fn require(&mut self) -> Result<(), String> {
        [&mut self.node, &mut self.collector, &mut self.street]
            .into_iter()
            .try_for_each(Running::require)
    }

    /// Stops the node orderly, then what it talked to.
    pub(super) fn stop(mut self) -> Result<(), String> {
        let status = self.node.stop(NODE_STOP)?;
        if !status.success() {
            return Err(self.node.words(&format!("did not stop orderly ({status})")));
        }
        self.collector.stop(STOP)?;
        self.street.stop(STOP)?;
        Ok(())
    }
}

fn start_street(layout: &Layout, plan: &Plan) -> Result<(Running, Value), String> {
    write(&layout.street_plan(), &plan.street_toml())?;
    let mut command = Command::new(programs::sibling("fieldnotary-street")?);
    command.arg("--dir").arg(layout.street());
    command.args([
        "--seed",
        &plan.seed.to_string(),
        "--meters",
        &METERS.to_string(),
    ]);
    for port in RTU_PORTS {
        command.args(["--rtu-port", port]);
    }
    command.args(["--tcp", "127.0.0.1:0", "--die-with-parent", "--plan"]);
    command.arg(layout.street_plan());
    let mut street = Running::start("street", &mut command, &layout.logs())?;
    let path = layout.street_description();
    let text = ready(&mut street, || std::fs::read_to_string(&path).ok())?;
    let description = serde_json::from_str(&text)
        .map_err(|error| format!("{} is not JSON: {error}", path.display()))?;
    Ok((street, description))
}

/// Makes the node's keys; those of its log.
fn make_keys(layout: &Layout) -> Result<Vec<String>, String> {
    let program = programs::sibling("fieldnotary-signer")?;
    let mut init = Command::new(&program);
    init.args(["init", "--origin", ORIGIN, "--identity"])
        .arg(layout.identity());
    vkeys("make the node's keys", &mut init)?;
    let mut named = Command::new(&program);
    named.args(["vkey", "--identity"]).arg(layout.identity());
    named.args(["--origin", &format!("{ORIGIN}/{GENERATION}")]);
    vkeys("print the log's keys", &mut named)
}

/// Makes the collector's keys and the node's certificate; the collector's cosigning key.
fn prepare_collector(layout: &Layout) -> Result<String, String> {
    let program = programs::sibling("fieldnotary-collector")?;
    let keys = vkeys(
        "make the collector's keys",
        Command::new(&program)
            .arg("init")
            .arg("--dir")
            .arg(layout.collector())
            .args(["--name", COLLECTOR, "--host", "127.0.0.1"]),
    )?;
    output(
        "issue the node's certificate",
        Command::new(&program)
            .arg("issue")
            .arg("--dir")
            .arg(layout.collector())
            .args(["--node", NODE, "--out"])
            .arg(layout.tls()),
    )?;
    keys.into_iter()
        .next()
        .ok_or_else(|| "the collector printed no key".to_owned())
}

fn start_collector(layout: &Layout, keys: &Keys) -> Result<(Running, SocketAddr), String> {
    let ready_file = layout.collector().join("ready");
    let mut command = Command::new(programs::sibling("fieldnotary-collector")?);
    command.arg("run").arg("--dir").arg(layout.collector());
    command.args([
        "--listen",
        "127.0.0.1:0",
        "--die-with-parent",
        "--ready-file",
    ]);
    command.arg(&ready_file);
    for key in &keys.log {
        command.args(["--log-key", &format!("{key}={ORIGIN}")]);
    }
    let mut collector = Running::start("collector", &mut command, &layout.logs())?;
    let address = ready(&mut collector, || {
        std::fs::read_to_string(&ready_file)
            .ok()
            .and_then(|text| address(&text))
    })?;
    Ok((collector, address))
}

fn write_contract(
    layout: &Layout,
    plan: &Plan,
    description: &Value,
    relay: &Relay,
    keys: &Keys,
) -> Result<(), String> {
    let tls = layout.tls();
    let delivery = Delivery {
        address: relay.address(),
        collector_key: &keys.collector,
        ca_file: &tls.join("ca.pem"),
        cert_file: &tls.join("node.pem"),
        key_file: &tls.join("node.key"),
    };
    for file in [delivery.ca_file, delivery.cert_file, delivery.key_file] {
        if !file.is_file() {
            return Err(format!("the collector issued no {}", file.display()));
        }
    }
    write(
        &layout.contract(),
        &contract::toml(description, &delivery, plan.run_for)?,
    )
}

fn start_node(layout: &Layout) -> Result<Running, String> {
    let mut command = Command::new(programs::own()?);
    command
        .arg("run")
        .arg(layout.contract())
        .arg("--data")
        .arg(layout.node());
    command.arg("--die-with-parent");
    let mut node = Running::start("node", &mut command, &layout.logs())?;
    let socket = DataDir::new(&layout.node()).recorder_socket();
    ready(&mut node, || watch::answers(&socket).then_some(()))?;
    Ok(node)
}

/// Waits for a program that must not end meanwhile.
fn ready<T>(program: &mut Running, mut look: impl FnMut() -> Option<T>) -> Result<T, String> {
    let found = wait_until(READY, || match program.require() {
        Ok(()) => look().map(Ok),
        Err(error) => Some(Err(error)),
    });
    found.unwrap_or_else(|| Err(program.words("is not ready in time")))
}

/// The verifier keys that a program prints, one on a line.
fn vkeys(what: &str, command: &mut Command) -> Result<Vec<String>, String> {
    let text = output(what, command)?;
    let is_key = |word: &&str| word.split('+').count() >= 3;
    let keys: Vec<String> = text
        .split_whitespace()
        .filter(is_key)
        .map(str::to_owned)
        .collect();
    if keys.is_empty() {
        return Err(format!("cannot {what}: no verifier key in {text:?}"));
    }
    Ok(keys)
}

/// The first address in a ready file.
fn address(text: &str) -> Option<SocketAddr> {
    let words = text.split(|c: char| c.is_whitespace() || ['"', '/', ','].contains(&c));
    words.filter_map(|word| word.parse().ok()).next()
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{address, vkeys};
    use std::process::Command;

    #[test]
    fn the_address_is_found_however_it_is_written() {
        for text in [
            "127.0.0.1:8443\n",
            "https://127.0.0.1:8443/\n",
            "{\"address\": \"127.0.0.1:8443\", \"pid\": 7}",
        ] {
            assert_eq!(
                address(text),
                Some("127.0.0.1:8443".parse().unwrap()),
                "{text}"
            );
        }
        assert_eq!(address("127.0.0.1"), None);
    }

    #[test]
    fn keys_are_taken_from_what_a_program_prints() {
        let mut print = Command::new("/bin/echo");
        let keys = vkeys(
            "print",
            print.arg("key: a.example+0123abcd+AbC+d/=\nb.example+1+x"),
        )
        .unwrap();
        assert_eq!(keys, ["a.example+0123abcd+AbC+d/=", "b.example+1+x"]);
        let error = vkeys("print a key", Command::new("/bin/echo").arg("nothing")).unwrap_err();
        assert!(error.contains("cannot print a key"), "{error}");
    }
}
