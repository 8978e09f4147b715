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
const NODE_UID: u32 = 65_534;
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
            chown(&folder, Some(KEEPER.1), Some(KEEPER.1)).unwrap();
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
        command.uid(KEEPER.1).gid(KEEPER.1).current_dir("/");
        command
    }

    fn make_keys(&self, identity: &str) {
        let made = self
            .as_keeper(&["init", "--origin", ORIGIN], identity)
            .output();
        assert!(made.as_ref().unwrap().status.success(), "{made:?}");
    }

    fn serve(&self, identity: &str) -> Signer {
        let mut command = self.as_keeper(&["run", "--origin", ORIGIN, "--for", NODE], identity);
        command.arg("--socket").arg(self.socket());
        let said = std::fs::File::create(self.place("signer.log")).unwrap();
        let child = command.stdin(Stdio::null()).stderr(said).spawn().unwrap();
        Signer(child)
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
    wait_until("more seals", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(300));
        (seals() >= had + 2).then_some(())
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
    // Only root can be two users.
    if !geteuid().is_root() {
        return;
    }
    let site = Site::new();
    site.make_keys("keeper/identity");
    let signer = site.serve("keeper/identity");
    let contract = Contract::new(ORIGIN, "1MiB", 4);
    let socket = site.socket().display().to_string();
    let words = ["--user", NODE, "--signer", &socket];
    let own = || Command::new(site.place("bin/fieldnotary"));
    let node = Node::start_by(own(), site.dir.path(), "node", &contract, &words);
    let data = node.data().to_owned();
    sealed_more(&data);

    // Without its signer it goes on, and says so; with it again it is sealed again.
    drop(signer);
    told(&data, "signer_unavailable");
    let signer = site.serve("keeper/identity");
    told(&data, "signer_recovered");
    sealed_more(&data);
    let old = std::fs::read_to_string(data.join("identity/keys.vkey")).unwrap();
    let mut rotate = own();
    rotate.uid(NODE_UID).gid(NODE_UID).current_dir("/");
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
    let node = Node::start_by(own(), site.dir.path(), "node", &contract, &words);
    sealed_more(&data);
    let data = node.stop();
    let again = std::fs::read_to_string(data.join("identity/keys.vkey")).unwrap();
    assert_eq!(again, new);

    let stores = rows(&data, "key_store");
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
    let verified = about("verify", &data, &[]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    for row in rows(&data, "event") {
        assert_ne!(text(&row, "code"), "tamper_hint", "{row}");
    }

    drop(signer);
    check_refusals(&site, &words);
}

/// Another signer is not this log's, and the own user is not another one.
fn check_refusals(site: &Site, words: &[&str]) {
    let nobody = site.run(words);
    assert_eq!(nobody.code, Some(3), "{nobody:?}");
    assert!(nobody.err.contains("no signer serves"), "{nobody:?}");
    site.make_keys("keeper/other");
    let other = site.serve("keeper/other");
    let foreign = site.run(words);
    assert_eq!(foreign.code, Some(3), "{foreign:?}");
    assert!(foreign.err.contains("other keys than"), "{foreign:?}");
    drop(other);
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
    let without = site.run(&["--user", NODE]);
    assert_eq!(without.code, Some(3), "{without:?}");
    assert!(without.err.contains("--signer"), "{without:?}");
}
