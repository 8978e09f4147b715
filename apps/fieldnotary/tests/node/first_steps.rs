//! A newcomer types what `fieldnotary --help` says, and nothing else, against a meter that is not ours.

use crate::common::sites::Peer;
use crate::common::{READY, Running, Said, fieldnotary, program, wait_until};
use std::path::Path;
use std::process::{Command, Stdio};

/// The address that the help uses for a meter.
const METER: &str = "192.0.2.7:502";

/// The commands under "First steps", one after the other, with their words.
fn steps() -> Vec<Vec<String>> {
    let help = fieldnotary(["--help"]).out;
    let (_, rest) = help.split_once("First steps").unwrap();
    let (block, _) = rest.split_once("\n\n").unwrap();
    let block = block.replace("\\\n", " ");
    block
        .lines()
        .filter_map(|line| line.trim().strip_prefix("fieldnotary "))
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

fn typed(dir: &Path, words: &[String]) -> Said {
    let mut command = Command::new(program("fieldnotary"));
    command.args(words).current_dir(dir).stdin(Stdio::null());
    command.output().unwrap().into()
}

//= R6.2
//= A2.5
#[test]
fn the_help_alone_leads_to_a_verified_log_of_a_real_device() {
    let dir = tempfile::tempdir().unwrap();
    let peer = Peer::start(dir.path(), "1", &[]);
    let steps = steps();
    let verbs: Vec<&str> = steps.iter().map(|step| step[0].as_str()).collect();
    assert_eq!(verbs, ["init", "check", "run", "status", "verify"]);
    let mut running = None;
    for mut step in steps {
        for word in &mut step {
            *word = word.replace(METER, peer.address());
        }
        match step[0].as_str() {
            "run" => {
                let mut command = Command::new(program("fieldnotary"));
                command.args(&step).current_dir(dir.path());
                let mut node = Running::start("run", dir.path(), &mut command);
                let data = dir.path().join("node");
                node.ready(|| node_reads(&data));
                running = Some(node);
            }
            "verify" => {
                // As somebody who looks up and copies the key that `run` printed.
                let words = running.as_ref().map(Running::words).unwrap_or_default();
                let vkey = words.lines().find_map(|line| line.strip_prefix("vkey "));
                let vkey = vkey.unwrap().split_whitespace().next().unwrap().to_owned();
                let step: Vec<String> = step
                    .iter()
                    .map(|word| word.replace("VKEY", &vkey))
                    .collect();
                let said = typed(dir.path(), &step);
                assert_eq!(said.code, Some(0), "{said:?}");
                assert!(
                    said.out.starts_with("VERIFIED against the key you pinned"),
                    "{said:?}"
                );
                // And the line as a whole, as `run` printed it.
                let whole = words.lines().find_map(|line| line.strip_prefix("check "));
                let whole = whole.unwrap().trim().strip_prefix("fieldnotary ").unwrap();
                let whole: Vec<String> = whole.split_whitespace().map(str::to_owned).collect();
                assert_eq!(typed(dir.path(), &whole).code, Some(0), "{whole:?}");
            }
            _ => {
                let said = typed(dir.path(), &step);
                assert_eq!(said.code, Some(0), "{step:?}: {said:?}");
            }
        }
    }
    running.unwrap().stop();
    let read = fieldnotary([
        "log".as_ref(),
        dir.path().join("node").as_os_str(),
        "--kind".as_ref(),
        "reading".as_ref(),
        "--json".as_ref(),
    ]);
    let rows = read.json_lines();
    assert!(
        !rows.is_empty() && rows.iter().all(|row| row["quality"] == "good"),
        "{rows:?}"
    );
    let answers = peer.answers();
    assert!(answers.len() >= rows.len(), "{answers:?}");
}

/// Whether the node has a reading of its meter; slots are ten seconds apart.
fn node_reads(data: &Path) -> Option<()> {
    let report = || {
        let said = fieldnotary(["status".as_ref(), data.as_os_str(), "--json".as_ref()]);
        (said.code == Some(0)).then(|| said.json())
    };
    report()?;
    let read = wait_until("first reading", READY, || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        report().filter(|report| report["readings"].as_u64() > Some(0))
    });
    read["running"]
        .as_bool()
        .filter(|running| *running)
        .map(|_| ())
}
