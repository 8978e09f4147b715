//! Keys with a user of their own: a node that starts no signer and uses one that somebody else runs.

use crate::common::contract::Contract;
use crate::common::sites::Node;
use crate::common::{Said, about, list, program, text, wait_until};
use rustix::process::geteuid;
use serde_json::Value;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ORIGIN: &str = "example.org/own-signer";
/// Of every Debian: the user that has the keys, and the one that runs the node.
const KEEPER: (&str, u32) = ("daemon", 1);
const NODE: &str = "nobody";
/// The group of the second, which the first is in.
const GROUP: u32 = 65_534;
const PATIENCE: Duration = Duration::from_secs(60);

/// Programs that every user may start, and the home of the keys.
struct Site {
    dir: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(dir.path(), open).unwrap();
        let site = Self { dir };
        std::fs::create_dir(site.place("bin")).unwrap();
        for name in ["fieldnotary", "fieldnotary-signer"] {
            let (from, to) = (program(name), site.place("bin").join(name));
            if std::fs::hard_link(&from, &to).is_err() {
                std::fs::copy(&from, &to).unwrap();
            }
        }
        for folder in ["keeper", "keeper/run"] {
            let folder = site.place(folder);
            std::fs::create_dir(&folder).unwrap();
            chown(&folder, Some(KEEPER.1), Some(GROUP)).unwrap();
        }
        site
    }

    fn place(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn socket(&self) -> PathBuf {
        self.place("keeper/run/signer.sock")
    }

    /// The signer's program as the user that has the keys.
    fn as_keeper(&self, words: &[&str], identity: &str) -> Command {
        let mut command = Command::new(self.place("bin/fieldnotary-signer"));
        command
            .args(words)
            .arg("--identity")
            .arg(self.place(identity));
        command.uid(KEEPER.1).gid(GROUP).current_dir("/");
        command
    }

    fn make_keys(&self, identity: &str, origin: &str) {
        let made = self
            .as_keeper(&["init", "--origin", origin], identity)
            .output();
        assert!(made.as_ref().unwrap().status.success(), "{made:?}");
    }

    fn serve(&self, identity: &str) -> Signer {
        self.serve_for(identity, ORIGIN)
    }

    fn serve_for(&self, identity: &str, origin: &str) -> Signer {
        let mut command = self.as_keeper(&["run", "--origin", origin, "--for", NODE], identity);
        command.arg("--socket").arg(self.socket());
        let said = std::fs::File::create(self.place("signer.log")).unwrap();
        let signer = Signer(command.stdin(Stdio::null()).stderr(said).spawn().unwrap());
        // A node starts without it too: whoever is to be refused for it finds it there.
        wait_until("a signer that serves", PATIENCE, || {
            let said = std::fs::read_to_string(self.place("signer.log")).unwrap();
            said.contains("ready: ").then_some(())
        });
        signer
    }

    fn run(&self, words: &[&str]) -> Said {
        let mut command = Command::new(self.place("bin/fieldnotary"));
        command.arg("run").arg(self.place("node.toml"));
        command.arg("--data").arg(self.place("node"));
        command.args(["--reason", "a test"]).args(words);
        command.output().unwrap().into()
    }
}

struct Signer(Child);

impl Drop for Signer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn rows(data: &Path, kind: &str) -> Vec<Value> {
    about("log", data, &["--kind", kind]).json_lines()
}

fn sealed_more(data: &Path) {
    let seals = || rows(data, "checkpoint").len();
    let had = seals();
    wait_until("another seal", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(300));
        (seals() > had).then_some(())
    });
}

fn told(data: &Path, code: &str) {
    wait_until(code, PATIENCE, || {
        std::thread::sleep(Duration::from_millis(300));
        let told = rows(data, "event").iter().any(|row| row["code"] == code);
        told.then_some(())
    });
}

/// Who is no user of this machine is refused, whoever asks.
fn an_unknown_user_is_refused() {
    let mut command = Command::new(program("fieldnotary-signer"));
    command.args([
        "run",
        "--identity",
        "x",
        "--socket",
        "y",
        "--origin",
        ORIGIN,
    ]);
    let said: Said = command
        .args(["--for", "nobody-knows-him"])
        .output()
        .unwrap()
        .into();
    assert_eq!(said.code, Some(2), "{said:?}");
}

//= A6.1
//= A6.7
#[test]
fn a_node_is_sealed_by_a_signer_of_another_user_and_holds_no_key() {
    an_unknown_user_is_refused();
    assert!(
        geteuid().is_root(),
        "only root can be two users: run the tests as root"
    );
    let site = Site::new();
    site.make_keys("keeper/identity", ORIGIN);
    // Who may read the folder of the socket can lock it, and holds nobody up by that.
    let folder = std::fs::File::open(site.place("keeper/run")).unwrap();
    folder.lock().unwrap();
    let signer = site.serve("keeper/identity");
    let contract = Contract::new(ORIGIN, "1MiB", 4);
    let socket = site.socket().display().to_string();
    let words = ["--user", NODE, "--signer", &socket];
    let own = || Command::new(site.place("bin/fieldnotary"));
    let node = Node::start_by(own(), site.dir.path(), "node", &contract, &words);
    let data = node.data().to_owned();
    sealed_more(&data);

    // Without its signer it goes on, and starts, and says so; with it again it is sealed again.
    drop(signer);
    let data = node.stop();
    let node = Node::start_by(own(), site.dir.path(), "node", &contract, &words);
    told(&data, "signer_unavailable");
    let signer = site.serve("keeper/identity");
    told(&data, "signer_recovered");
    sealed_more(&data);
    check_rotation(&site, &contract, node, &words);
    check_evidence(&data);
    drop(signer);
    check_refusals(&site, &words);
}

/// Its keys change where they are, and the node's public half follows, also where it was away meanwhile.
fn check_rotation(site: &Site, contract: &Contract, node: Node, words: &[&str]) {
    let own = || Command::new(site.place("bin/fieldnotary"));
    let data = node.data().to_owned();
    let old = std::fs::read_to_string(data.join("identity/keys.vkey")).unwrap();
    let mut rotate = own();
    rotate.uid(GROUP).gid(GROUP).current_dir("/");
    rotate.args(["keys", "rotate", "--reason", "yearly", "--actor", "ada"]);
    let said: Said = rotate.arg(&data).output().unwrap().into();
    assert_eq!(said.code, Some(0), "{said:?}");
    sealed_more(&data);
    let data = node.stop();
    let new = std::fs::read_to_string(data.join("identity/keys.vkey")).unwrap();
    for key in old.lines().chain(new.lines()) {
        let verified = about("verify", &data, &["--anchor", key]);
        assert_eq!(verified.code, Some(0), "{verified:?}");
    }
    // A node that was not there when the keys changed takes those that follow its own.
    std::fs::write(data.join("identity/keys.vkey"), &old).unwrap();
    std::fs::remove_file(data.join("identity/rotation-001.note")).unwrap();
    let node = Node::start_by(own(), site.dir.path(), "node", contract, words);
    sealed_more(&data);
    let data = node.stop();
    let again = std::fs::read_to_string(data.join("identity/keys.vkey")).unwrap();
    assert_eq!(again, new);
}

/// What the log says of who has the keys, and what the node has of them.
fn check_evidence(data: &Path) {
    let stores = rows(data, "key_store");
    assert!(!stores.is_empty());
    for store in &stores {
        let lacks = list(store, "not_applied").iter();
        let lacks: Vec<&str> = lacks.filter_map(Value::as_str).collect();
        assert!(
            !lacks.iter().any(|one| one.contains("a user of its own")),
            "{lacks:?}"
        );
    }
    let mut held: Vec<_> = std::fs::read_dir(data.join("identity"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    held.sort();
    assert_eq!(held, ["keys.vkey", "log-id", "rotation-001.note"]);
    let verified = about("verify", data, &[]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    for row in rows(data, "event") {
        assert_ne!(text(&row, "code"), "tamper_hint", "{row}");
    }
}

/// Another signer is not this log's, the own user is not another one, and a generation is not adopted without its keys.
fn check_refusals(site: &Site, words: &[&str]) {
    let data = site.place("node");
    let adopt = |more: &[&str]| -> Said {
        let mut command = Command::new(site.place("bin/fieldnotary"));
        command
            .arg("adopt")
            .arg(&data)
            .args(["--cause", "replaced", "--reason", "a test"]);
        command
            .args(more)
            .uid(GROUP)
            .gid(GROUP)
            .output()
            .unwrap()
            .into()
    };
    refused(&adopt(&[]), "say the same again: --signer");
    refused(&adopt(&words[2..]), "no signer serves");
    refused(&site.run(&["--user", NODE]), "say the same again: --signer");
    let own = data.join("run/signer.sock").display().to_string();
    refused(
        &site.run(&["--user", NODE, "--signer", &own]),
        "where this node's processes look",
    );

    site.make_keys("keeper/other", ORIGIN);
    let other = site.serve("keeper/other");
    refused(&site.run(words), "other keys than");
    refused(&site.run(&words[2..]), "does not serve this user");
    drop(other);
    site.make_keys("keeper/foreign", "example.org/foreign");
    let foreign = site.serve_for("keeper/foreign", "example.org/foreign");
    refused(&site.run(words), "keys of another log");
    drop(foreign);

    let signer = site.serve("keeper/identity");
    let adopted = adopt(&words[2..]);
    assert_eq!(adopted.code, Some(0), "{adopted:?}");
    drop(signer);
    let mut same = site.as_keeper(
        &["run", "--origin", ORIGIN, "--for", KEEPER.0],
        "keeper/other",
    );
    let same: Said = same
        .arg("--socket")
        .arg(site.socket())
        .output()
        .unwrap()
        .into();
    assert_eq!(same.code, Some(2), "{same:?}");
    assert!(
        same.err.contains("the user that this signer runs as"),
        "{same:?}"
    );
    check_given_away(site);
}

fn refused(said: &Said, due: &str) {
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains(due), "{due}: {said:?}");
}

/// Keys that a node had are its signer's once they are where docs/keys.md says.
fn check_given_away(site: &Site) {
    let (from, to) = (site.place("before"), site.place("keeper/after"));
    Node::keys(&from, ORIGIN);
    let from = from.join("identity");
    std::fs::create_dir(&to).unwrap();
    for name in ["authority-p256.pem", "ed25519.pem", "last-signed"] {
        std::fs::rename(from.join(name), to.join(name)).unwrap();
    }
    let check = || -> Said {
        chown_all(&to);
        site.as_keeper(&["check"], "keeper/after")
            .output()
            .unwrap()
            .into()
    };
    assert_ne!(check().code, Some(0), "keys.vkey is not there yet");
    std::fs::copy(from.join("keys.vkey"), to.join("keys.vkey")).unwrap();
    let whole = check();
    assert_eq!(whole.code, Some(0), "{whole:?}");
}

fn chown_all(folder: &Path) {
    chown(folder, Some(KEEPER.1), Some(GROUP)).unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        chown(file.unwrap().path(), Some(KEEPER.1), Some(GROUP)).unwrap();
    }
}
