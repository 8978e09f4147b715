//! How the program speaks: closed outputs, exit codes, help, JSON.

use crate::common::{BASE, G1, SIGNER, Site};
use std::io::{PipeReader, pipe};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

/// The writing end of a pipe whose reader went away.
fn closed() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop::<PipeReader>(reader);
    writer.into()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn check(output: &Output, code: i32, part: &str) {
    let words = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{words}");
    assert!(words.contains(part), "{part:?} is not in {words}");
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let site = Site::new();
    for args in [&["vkey"][..], &["vkey", "--json"], &["check"], &["--help"]] {
        let mut command = Command::new(SIGNER);
        command.args(args);
        if !args.contains(&"--help") {
            command.arg("--identity").arg(site.identity());
        }
        let output = command.stdout(closed()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        assert_eq!(text(&output.stderr), "", "{args:?}");
    }
    // Words to a standard error that nobody reads end nothing either.
    let other = Site::empty();
    let status = Command::new(SIGNER)
        .args(["init", "--origin", BASE, "--identity"])
        .arg(other.identity())
        .stdout(closed())
        .stderr(closed())
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn the_exit_code_says_how_it_ended() {
    let empty = Site::empty();
    check(&empty.command(&["vkey"]), 3, "fieldnotary-signer init");
    check(&empty.command(&["check"]), 1, "fieldnotary-signer init");
    check(&empty.command(&["init", "--origin", "a b"]), 2, "spaces");
    check(&empty.command(&["nonsense"]), 2, "Usage");
    let site = Site::new();
    check(&site.command(&["check"]), 0, "are sound; custody: software");
    check(&site.command(&["init", "--origin", BASE]), 3, "overwritten");
    check(
        &site.command(&["vkey", "--origin", "x/g1"]),
        2,
        "generation",
    );
    let key = site.identity().join("ed25519.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    check(&site.command(&["check"]), 1, "chmod 600");
    check(&site.command(&["check", "--json"]), 1, "\"ok\":false");
}

#[test]
fn every_help_has_the_exit_codes() {
    for args in [
        &["--help"][..],
        &["init", "--help"],
        &["run", "--help"],
        &["vkey", "--help"],
        &["check", "--help"],
    ] {
        let output = Command::new(SIGNER).args(args).output().unwrap();
        check(&output, 0, "  1  done, and the answer is no");
    }
}

//= A6.2
#[test]
fn facts_are_also_json_and_say_the_custody() {
    let site = Site::new();
    for args in [
        &["vkey", "--json", "--origin", G1][..],
        &["check", "--json"],
    ] {
        let output = site.command(args);
        check(&output, 0, "\"custody\":\"software\"");
        let facts: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(facts["origin"], BASE);
        assert_eq!(facts["vkeys"].as_array().unwrap().len(), 2);
    }
}
