//! What the program signs, what it never signs, and how it ends.

use crate::common::{BASE, G1, LONG, Running, SIGNER, Site, head, keys, note, refusal};
use evidence::reasons::Custody;
use ipc::message::{ErrorCode, Status};
use ipc::{IpcError, Message};
use proof::note::VerifierKey;
use proof::{Hash, SignedCheckpoint};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

fn stdout(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr_of_failure(output: &std::process::Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn vkeys(lines: &str) -> Vec<VerifierKey> {
    lines.lines().map(|line| line.parse().unwrap()).collect()
}

//= A6.1
//= A6.3
#[test]
fn a_tree_head_comes_back_signed_by_the_printed_keys() {
    let site = Site::empty();
    let init = site.command(&["init", "--origin", BASE]);
    assert!(String::from_utf8_lossy(&init.stderr).contains("custody: software"));
    assert_eq!(stdout(&init), stdout(&site.command(&["vkey"])));
    let printed = vkeys(&stdout(&site.command(&["vkey", "--origin", G1])));
    let signer = site.start();
    let channel = site.connect();
    let note = note(&channel, &head(G1, 7, 3));
    for key in &printed {
        let only = [key.clone()];
        let opened = SignedCheckpoint::open(note.as_bytes(), &only).unwrap();
        assert_eq!(opened.checkpoint().origin, G1);
        assert_eq!(opened.checkpoint().size, 7);
        assert_eq!(opened.checkpoint().root, Hash([3; 32]));
    }
    let told = keys(&channel, Some(G1));
    assert_eq!(vkeys(&told.vkeys.join("\n")), printed);
    let base = keys(&channel, None).vkeys.join("\n");
    assert_eq!(base, stdout(&init).trim_end());
    drop(signer);
}

//= A6.2
//= A2.3
#[test]
fn software_keys_say_so_and_uses_and_refusals_are_counted() {
    let site = Site::new();
    let _signer = site.start();
    let channel = site.connect();
    note(&channel, &head(G1, 7, 3));
    note(&channel, &head(G1, 7, 3));
    assert_eq!(refusal(&channel, &head(G1, 6, 3)).0, ErrorCode::Rollback);
    assert_eq!(refusal(&channel, &head(BASE, 8, 3)).0, ErrorCode::Invalid);
    let keys = keys(&channel, None);
    assert_eq!(keys.custody, Custody::Software);
    assert!(!keys.non_exportable && !keys.monotonic_counter);
    assert!(!keys.attestation && !keys.measured_boot);
    assert_eq!((keys.key_ops, keys.refused), (4, 2));
    assert_eq!((keys.rollback_attempts, keys.signature_failures), (1, 0));
}

//= A6.1
#[test]
fn only_statements_about_this_log_are_signed() {
    let site = Site::new();
    let _signer = site.start();
    let channel = site.connect();
    for origin in [
        "other.example/g1",
        BASE,
        "meters.example/site/g01",
        "x\ny/g1",
    ] {
        let (code, text) = refusal(&channel, &head(origin, 7, 3));
        assert_eq!(code, ErrorCode::Invalid, "{origin:?}: {text}");
    }
    let (code, text) = refusal(&channel, &Status {}.into());
    assert_eq!(code, ErrorCode::Unsupported);
    assert!(text.contains("does not answer Status"), "{text}");
    // Bytes that are no message of ours end the connection, and only that.
    rustix::net::send(
        &channel,
        b"sign this digest",
        rustix::net::SendFlags::empty(),
    )
    .unwrap();
    match channel.recv(LONG).unwrap() {
        Some(Message::Error(error)) => assert_eq!(error.code, ErrorCode::Malformed),
        other => panic!("{other:?}"),
    }
    assert_eq!(channel.recv(LONG).unwrap_err(), IpcError::Closed);
    assert_eq!(keys(&site.connect(), None).key_ops, 0);
}

//= A6.3
//= A2.3
#[test]
fn what_was_signed_is_remembered_over_a_kill() {
    let site = Site::new();
    let signer = site.start();
    let first = note(&site.connect(), &head(G1, 100, 1));
    // Drop kills without warning.
    drop(signer);
    let _signer = site.start();
    let channel = site.connect();
    for (size, root) in [(99, 1), (100, 2), (1, 1)] {
        let (code, text) = refusal(&channel, &head(G1, size, root));
        assert_eq!(code, ErrorCode::Rollback, "{text}");
    }
    assert_eq!(note(&channel, &head(G1, 100, 1)), first);
    assert!(note(&channel, &head("meters.example/site/g2", 1, 9)).contains("/g2\n1\n"));
}

//= A6.3
#[test]
fn without_a_durable_record_there_is_no_signature() {
    let site = Site::new();
    let _signer = site.start();
    let channel = site.connect();
    let obstacle = site.identity().join(".last-signed.tmp");
    std::fs::create_dir(&obstacle).unwrap();
    let (code, text) = refusal(&channel, &head(G1, 5, 1));
    assert_eq!(code, ErrorCode::Unavailable, "{text}");
    assert_eq!(keys(&channel, None).key_ops, 0);
    std::fs::remove_dir(&obstacle).unwrap();
    note(&channel, &head(G1, 5, 1));
}

#[test]
fn several_connections_are_served_and_contradict_each_other_in_vain() {
    let site = Site::new();
    let _signer = site.start();
    let outcomes: Vec<bool> = std::thread::scope(|scope| {
        let ask = |root| {
            let site = &site;
            move || {
                let channel = site.connect();
                channel.ask(&head(G1, 50, root), LONG).is_ok()
            }
        };
        let threads: Vec<_> = (1..=8).map(|root| scope.spawn(ask(root))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(outcomes.iter().filter(|signed| **signed).count(), 1);
}

#[test]
fn a_flood_of_requests_is_slowed_down() {
    let site = Site::new();
    let _signer = site.start();
    let channel = site.connect();
    note(&channel, &head(G1, 5, 1));
    // Refused ones need no disk, so that a slow one does not slow the flood.
    let busy = (0..200).any(|_| {
        matches!(
            channel.ask(&head(G1, 4, 1), LONG),
            Err(IpcError::Peer {
                code: ErrorCode::Busy,
                ..
            })
        )
    });
    assert!(busy, "200 requests in a row were all answered");
    std::thread::sleep(std::time::Duration::from_millis(300));
    note(&channel, &head(G1, 5, 1));
}

fn pid(running: &Running) -> Pid {
    Pid::from_child(&running.child)
}

#[test]
fn sigterm_ends_it_in_order() {
    let site = Site::new();
    let mut signer = site.start();
    let channel = site.connect();
    note(&channel, &head(G1, 5, 1));
    kill_process(pid(&signer), Signal::TERM).unwrap();
    assert_eq!(channel.recv(LONG).unwrap_err(), IpcError::Closed);
    let status = signer.child.wait().unwrap();
    assert!(status.success(), "{status}");
    assert!(!site.socket().exists());
}

#[test]
fn it_ends_with_its_parent_where_asked_to() {
    let site = Site::new();
    // A shell between: it starts the signer, says so, and waits until it is killed.
    let script = "\"$0\" \"$@\" & echo started; wait";
    let mut parent = Command::new("sh")
        .args(["-c", script, SIGNER])
        .args(site.run_args())
        .arg("--die-with-parent")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let output = parent.stdout.take().unwrap();
    BufReader::new(output).read_line(&mut line).unwrap();
    assert_eq!(line, "started\n");
    let channel = site.connect();
    note(&channel, &head(G1, 5, 1));
    parent.kill().unwrap();
    parent.wait().unwrap();
    assert_eq!(channel.recv(LONG).unwrap_err(), IpcError::Closed);
}

#[test]
fn it_refuses_to_start_where_it_could_do_harm() {
    let site = Site::empty();
    let run = |site: &Site, origin: &str| {
        let mut args = site.run_args();
        *args.last_mut().unwrap() = origin.into();
        stderr_of_failure(&Command::new(SIGNER).args(args).output().unwrap())
    };
    assert!(run(&site, BASE).contains("fieldnotary-signer init"));
    let site = Site::new();
    let table = [
        (
            "other.example",
            "is not the origin meters.example/site that",
        ),
        (G1, "give it without"),
        ("a b", "without spaces"),
    ];
    for (origin, expected) in table {
        let error = run(&site, origin);
        assert!(error.contains(expected), "{error}");
    }
    let again = site.command(&["init", "--origin", BASE]);
    assert!(stderr_of_failure(&again).contains("never overwritten"));
    let foreign = site.command(&["vkey", "--origin", "other.example/g1"]);
    assert!(stderr_of_failure(&foreign).contains("and a generation"));
    let _signer = site.start();
    site.connect();
    assert!(run(&site, BASE).contains("another signer"));
}

/// Gives everything under a path to another user.
fn give_away(path: &Path, uid: u32) {
    std::os::unix::fs::chown(path, Some(uid), Some(uid)).unwrap();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            give_away(&entry.unwrap().path(), uid);
        }
    }
}

//= A6.1
#[test]
fn another_user_is_not_served() {
    const NOBODY: u32 = 65_534;
    if !rustix::process::geteuid().is_root() {
        // Only root can be two users; that others cannot connect is the socket's mode.
        let site = Site::new();
        let _signer = site.start();
        site.connect();
        let mode = std::fs::metadata(site.socket())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        return;
    }
    let site = Site::new();
    let program = site.folder.path().join("signer");
    std::fs::copy(SIGNER, &program).unwrap();
    give_away(site.folder.path(), NOBODY);
    let child = Command::new(program)
        .args(site.run_args())
        .uid(NOBODY)
        .gid(NOBODY)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _signer = Running { child };
    let channel = site.connect();
    match channel.recv(LONG).unwrap() {
        Some(Message::Error(error)) => assert_eq!(error.code, ErrorCode::NotAllowed),
        other => panic!("{other:?}"),
    }
    assert_eq!(channel.recv(LONG).unwrap_err(), IpcError::Closed);
}
