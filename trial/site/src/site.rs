//! Starts what a site is made of: street, keys, collector, node.

use crate::children::{Running, output, wait_until};
use crate::programs::Programs;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long a program may take until it is ready.
const READY: Duration = Duration::from_secs(20);
/// The generation under whose name the log's checkpoints are signed at first.
const GENERATION: &str = "g1";

/// The keys that a reader has to know.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The log's keys, the authority first.
    pub log: Vec<String>,
    /// The collector's cosigning key.
    pub collector: String,
}

impl Keys {
    /// The key to pin.
    #[must_use]
    pub fn anchor(&self) -> &str {
        self.log.first().map_or("", String::as_str)
    }
}

/// What street is wanted.
#[derive(Clone, Debug)]
pub struct StreetArgs<'a> {
    /// Its folder.
    pub dir: &'a Path,
    /// Number from which all that seems random is drawn.
    pub seed: u64,
    /// How many meters, dealt out over its ports in turn.
    pub meters: u16,
    /// Its serial lines; TCP comes after them.
    pub rtu_ports: &'a [&'a str],
    /// The fault plan.
    pub plan: &'a Path,
    /// Where its words go.
    pub logs: &'a Path,
}

/// Starts a street; its description of itself.
///
/// # Errors
/// When it is not ready in time.
pub fn start_street(
    programs: &Programs,
    args: &StreetArgs<'_>,
) -> Result<(Running, Value), String> {
    let mut command = programs.command("fieldnotary-street")?;
    command.arg("--dir").arg(args.dir);
    command.args([
        "--seed",
        &args.seed.to_string(),
        "--meters",
        &args.meters.to_string(),
    ]);
    for port in args.rtu_ports {
        command.args(["--rtu-port", port]);
    }
    command.args(["--tcp", "127.0.0.1:0", "--die-with-parent", "--plan"]);
    command.arg(args.plan);
    let mut street = Running::start("street", &mut command, args.logs)?;
    let path = args.dir.join("street.json");
    let text = ready(&mut street, || std::fs::read_to_string(&path).ok())?;
    let description = serde_json::from_str(&text)
        .map_err(|error| format!("{} is not JSON: {error}", path.display()))?;
    Ok((street, description))
}

/// Makes a node's keys; those of its log.
///
/// # Errors
/// When the signer cannot make them.
pub fn make_keys(
    programs: &Programs,
    identity: &Path,
    origin: &str,
) -> Result<Vec<String>, String> {
    let mut init = programs.command("fieldnotary-signer")?;
    init.args(["init", "--origin", origin, "--identity"])
        .arg(identity);
    vkeys("make the node's keys", &mut init)?;
    let mut named = programs.command("fieldnotary-signer")?;
    named.args(["vkey", "--identity"]).arg(identity);
    named.args(["--origin", &format!("{origin}/{GENERATION}")]);
    vkeys("print the log's keys", &mut named)
}

/// Makes a collector's keys and a node's certificate; the collector's cosigning key.
///
/// # Errors
/// When the collector cannot make them.
pub fn prepare_collector(
    programs: &Programs,
    dir: &Path,
    names: (&str, &str),
    tls: &Path,
) -> Result<String, String> {
    let (collector, node) = names;
    let keys = vkeys(
        "make the collector's keys",
        programs
            .command("fieldnotary-collector")?
            .arg("init")
            .arg("--dir")
            .arg(dir)
            .args(["--name", collector, "--host", "127.0.0.1"]),
    )?;
    output(
        "issue the node's certificate",
        programs
            .command("fieldnotary-collector")?
            .arg("issue")
            .arg("--dir")
            .arg(dir)
            .args(["--reason", "trial", "--node", node, "--out"])
            .arg(tls),
    )?;
    keys.into_iter()
        .next()
        .ok_or_else(|| "the collector printed no key".to_owned())
}

/// How a collector is to serve.
#[derive(Clone, Debug)]
pub struct CollectorArgs<'a> {
    /// Its directory.
    pub dir: &'a Path,
    /// Where it listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The keys of the log that it takes.
    pub keys: &'a [String],
    /// The log's base origin.
    pub origin: &'a str,
    /// Where its words go.
    pub logs: &'a Path,
}

/// Starts a collector; where it listens.
///
/// # Errors
/// When it is not ready in time.
pub fn start_collector(
    programs: &Programs,
    args: &CollectorArgs<'_>,
) -> Result<(Running, SocketAddr), String> {
    // Not in its directory: that may be full, or lie on a medium that takes no writes.
    let ready_file = args.logs.join("collector-ready");
    let _ = std::fs::remove_file(&ready_file);
    let mut command = programs.command("fieldnotary-collector")?;
    command.arg("run").arg("--dir").arg(args.dir);
    command.args(["--listen", &args.listen.to_string(), "--die-with-parent"]);
    command.arg("--ready-file").arg(&ready_file);
    for key in args.keys {
        command.args(["--log-key", &format!("{key}={}", args.origin)]);
    }
    let mut collector = Running::start("collector", &mut command, args.logs)?;
    let address = ready(&mut collector, || {
        std::fs::read_to_string(&ready_file)
            .ok()
            .and_then(|text| address(&text))
    })?;
    Ok((collector, address))
}

/// Starts a node, and waits for nothing.
///
/// # Errors
/// When it cannot be started.
pub fn start_node(
    programs: &Programs,
    contract: &Path,
    data: &Path,
    logs: &Path,
) -> Result<Running, String> {
    let mut command = programs.command("fieldnotary")?;
    command.arg("run").arg(contract).arg("--data").arg(data);
    command
        .arg("--die-with-parent")
        .args(programs.run_arguments());
    Running::start("node", &mut command, logs)
}

/// Waits for a program that must not end meanwhile.
///
/// # Errors
/// Its last words, when it ends or is not ready in time.
pub fn ready<T>(program: &mut Running, mut look: impl FnMut() -> Option<T>) -> Result<T, String> {
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
#[must_use]
pub fn address(text: &str) -> Option<SocketAddr> {
    let words = text.split(|c: char| c.is_whitespace() || ['"', '/', ','].contains(&c));
    words.filter_map(|word| word.parse().ok()).next()
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
