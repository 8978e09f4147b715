//! How the program speaks: closed outputs, exit codes, help, what it says when it is ready, and what
//! it says of directories that it cannot serve.

use std::io::{BufRead as _, BufReader, PipeReader, pipe};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::common::{Collector, Log, Uplink, program};
use serde_json::Value;
use tempfile::TempDir;

/// The writing end of a pipe whose reader went away.
fn closed() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop::<PipeReader>(reader);
    writer.into()
}

fn collector(dir: &Path) -> PathBuf {
    let path = dir.join("c");
    let init = program()
        .args([
            "init",
            "--name",
            "c.example",
            "--host",
            "c.example",
            "--dir",
        ])
        .arg(&path)
        .output()
        .unwrap();
    assert!(init.status.success(), "{init:?}");
    path
}

/// A verifier key of a log, as good as any.
fn log_key() -> String {
    Log::new(1, None).vkey().to_string()
}

fn run(dir: &Path) -> Command {
    let mut command = program();
    command.args([
        "run",
        "--listen",
        "127.0.0.1:0",
        "--die-with-parent",
        "--log-key",
    ]);
    command.arg(log_key()).arg("--dir").arg(dir);
    command
}

fn check(output: &Output, code: i32, parts: &[&str]) {
    let words = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(code), "{words}");
    for part in parts {
        assert!(words.contains(part), "{part:?} is not in {words}");
    }
}

/// A running collector; it is killed when it goes out of scope.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a collector and reads what it says up to a line that holds `last`.
fn start(command: &mut Command, last: &str) -> (Running, String) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let running = Running(child);
    while !said.contains(last) {
        let read = out.read_line(&mut said).unwrap();
        assert!(read > 0, "it ended after {said}");
    }
    (running, said)
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let dir = TempDir::new().unwrap();
    for args in [
        &["init", "--name", "c.example", "--dir", "c"][..],
        &[
            "issue", "--node", "n", "--dir", "c", "--out", "n", "--reason", "r",
        ],
        &[
            "issue", "--node", "m", "--dir", "c", "--out", "m", "--json", "--reason", "r",
        ],
        &["--help"],
    ] {
        let status = program()
            .args(args)
            .current_dir(dir.path())
            .stdout(closed())
            .stderr(closed())
            .status();
        assert!(status.unwrap().success(), "{args:?}");
    }
    // Nor does a collector whose words nobody reads end.
    let ready = dir.path().join("ready.json");
    let child = run(&dir.path().join("c"))
        .arg("--ready-file")
        .arg(&ready)
        .stdout(closed())
        .stderr(closed())
        .spawn();
    let mut running = Running(child.unwrap());
    for _ in 0..1_000 {
        if ready.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(ready.exists(), "it never was ready");
    assert!(running.0.try_wait().unwrap().is_none(), "it ended");
}

#[test]
fn every_help_has_the_exit_codes_and_usage_is_code_2() {
    for args in [
        &["--help"][..],
        &["init", "--help"],
        &["issue", "--help"],
        &["run", "--help"],
    ] {
        let output = program().args(args).output().unwrap();
        check(&output, 0, &["  3  it could not be done"]);
    }
    let dir = TempDir::new().unwrap();
    let c = collector(dir.path());
    let c = c.to_str().unwrap();
    for (args, part) in [
        (&["init", "--dir", "x", "--name", "a b"][..], "no spaces"),
        (
            &["init", "--dir", "x", "--name", "a", "--host", "\u{e4}"],
            "--host",
        ),
        (
            &[
                "issue", "--dir", c, "--out", "x", "--node", "", "--reason", "r",
            ],
            "node's name",
        ),
        (
            &["issue", "--dir", c, "--out", "x", "--node", "n"],
            "--reason",
        ),
        (
            &[
                "issue", "--dir", c, "--out", "x", "--node", "n", "--reason", " ",
            ],
            "say why",
        ),
        (&["run", "--dir", c], "--log-key is missing"),
        (&["run", "--dir", c, "--log-key", "x"], "expected VKEY"),
    ] {
        let output = program().args(args).current_dir(dir.path()).output();
        check(&output.unwrap(), 2, &[part]);
    }
    assert!(!dir.path().join("x").exists());
}

#[test]
fn when_it_is_ready_it_says_where_as_whom_and_for_whom() {
    let dir = TempDir::new().unwrap();
    let path = collector(dir.path());
    let about: Value =
        serde_json::from_slice(&std::fs::read(path.join("collector.json")).unwrap()).unwrap();
    let (running, said) = start(&mut run(&path), "Ctrl-C");
    for part in [
        "collector ready on 127.0.0.1:",
        "127.0.0.1, ::1, c.example, localhost",
        "c.example authority",
        "fieldnotary-collector issue --dir",
        about["vkey"].as_str().unwrap(),
        &log_key(),
        "none yet",
        "fieldnotary verify",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    // A second one is told who is there.
    let second = run(&path).output().unwrap();
    let pid = format!("(process {})", running.0.id());
    check(
        &second,
        3,
        &["another collector", &pid, "Stop that one first"],
    );
    drop(running);
    let (_running, said) = start(run(&path).arg("--json"), "\n");
    let facts: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(facts["vkey"], about["vkey"]);
    assert_eq!(facts["client_authorities"][0], "c.example authority");
    assert_eq!(facts["logs"], Value::Array(Vec::new()));
}

#[test]
fn a_nodes_key_is_never_overwritten_and_its_uplink_can_be_pasted() {
    let dir = TempDir::new().unwrap();
    let path = collector(dir.path());
    let issue = |more: &[&str]| {
        let mut command = program();
        command.args(["issue", "--reason", "r", "--node", "n7", "--dir"]);
        command.arg(&path);
        command.arg("--out").arg(dir.path().join("n7")).args(more);
        command.output().unwrap()
    };
    let node = dir.path().join("n7").display().to_string();
    check(
        &issue(&[]),
        0,
        &[
            "[uplink]\nurl = \"https://c.example:7443\"\ncollector_key = \"c.example+",
            &format!("key_file = \"{node}/node.key\""),
        ],
    );
    let key = std::fs::read(dir.path().join("n7/node.key")).unwrap();
    check(&issue(&["--json"]), 3, &["exists already", "give --out"]);
    assert_eq!(std::fs::read(dir.path().join("n7/node.key")).unwrap(), key);
    std::fs::remove_dir_all(dir.path().join("n7")).unwrap();
    let output = issue(&["--json", "--url", "https://10.0.0.1:443"]);
    let issued: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(issued["url"], "https://10.0.0.1:443");
    assert_eq!(issued["cert_file"], format!("{node}/node.pem"));
}

/// Each damage to a collector's directory, and what is said of it.
#[test]
fn what_cannot_be_served_is_said_with_what_would_be_right() {
    let dir = TempDir::new().unwrap();
    check(
        &run(&dir.path().join("nonex")).output().unwrap(),
        3,
        &[
            "there is no directory",
            "make a collector with: fieldnotary-collector init",
        ],
    );
    check(
        &run(dir.path()).output().unwrap(),
        3,
        &["it has no collector.json", "init --dir"],
    );
    let path = collector(dir.path());
    let damage = |file: &str, bytes: Option<&[u8]>, parts: &[&str]| {
        let file = path.join(file);
        let before = std::fs::read(&file).unwrap();
        match bytes {
            Some(bytes) => std::fs::write(&file, bytes).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        let output = run(&path).output().unwrap();
        check(&output, 3, parts);
        check(&output, 3, &[file.file_name().unwrap().to_str().unwrap()]);
        std::fs::write(&file, before).unwrap();
    };
    damage(
        "collector.json",
        Some(b"{"),
        &["is damaged", "restore it from a backup"],
    );
    damage(
        "cosigner.key",
        None,
        &["is missing", "restore it from a backup"],
    );
    damage("cosigner.key", Some(b"00\n"), &["64 hex digits"]);
    damage(
        "tls/server.pem",
        None,
        &["is missing: the server's certificate"],
    );
    damage("tls/server.pem", Some(b""), &["it has no certificate"]);
    damage("tls/ca.pem", Some(b"x"), &["authority of the clients"]);
    let other = std::fs::read(path.join("tls/ca.key")).unwrap();
    damage(
        "tls/server.key",
        Some(&other),
        &["is not the key of", "--tls-key"],
    );
    let (taken, said) = start(&mut run(&path), "Ctrl-C");
    drop(taken);
    assert!(said.contains("ready"), "all damage was mended");
}

//= A4.7
#[test]
fn a_damaged_log_is_named_with_its_file_and_lost_rows_come_back() {
    let mut log = Log::new(1, None);
    log.grow(300);
    let mut collector = Collector::new(&log);
    let mut uplink = Uplink::new(&collector, &log, None);
    uplink.deliver(&mut collector, &log, usize::MAX, |_, _| {});
    collector.kill();
    let logs = collector.log_dir(&log);
    let refused = |file: &str, bytes: &[u8], parts: &[&str]| {
        let file = logs.join(file);
        let before = std::fs::read(&file).unwrap();
        std::fs::write(&file, bytes).unwrap();
        let output = run(&collector.path()).output().unwrap();
        check(&output, 3, parts);
        std::fs::write(&file, before).unwrap();
    };
    let origin = &log.origin;
    refused(
        "origin",
        b"other.example/g1\n",
        &["origin is damaged", "SHA-256"],
    );
    refused(
        "state/mirror.json",
        b"{}",
        &[
            origin,
            "mirror.json is damaged",
            "If there is no backup, move",
        ],
    );
    refused(
        "state/position.json",
        b"",
        &[origin, "position.json is damaged"],
    );
    refused("rows.redb", &[7; 9_000], &["rows.redb", "remove it"]);
    std::fs::remove_file(logs.join("rows.redb")).unwrap();
    let held = format!("{origin}: {} entries cosigned\n", log.size());
    let (_running, said) = start(&mut run(&collector.path()), "Ctrl-C");
    assert!(said.contains(&held), "{held:?} is not in {said}");
    assert!(logs.join("rows.redb").exists());
}
