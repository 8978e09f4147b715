//! The papers of an enrolment on their way between a node and its registrar.

use crate::common::{Said, fieldnotary, program};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) const ORIGIN: &str = "example.org/enrolled";

/// The papers of one enrolment, and who hands them to whom.
pub(super) struct Papers<'a> {
    pub(super) folder: &'a Path,
    pub(super) node: &'a Path,
    pub(super) collector: &'a Path,
    pub(super) registrar: &'a str,
}

impl Papers<'_> {
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn on_the_node(&self, words: &[&str], paths: &[(&str, &str)]) -> Said {
        let mut all: Vec<String> = vec!["enrol".into(), words[0].into()];
        all.push(self.node.display().to_string());
        for (option, name) in paths {
            all.extend((!option.is_empty()).then(|| (*option).to_owned()));
            all.push(self.file(name).display().to_string());
        }
        all.extend(words[1..].iter().map(|word| (*word).to_owned()));
        fieldnotary(all)
    }

    pub(super) fn at_the_collector(
        &self,
        verb: &str,
        words: &[&str],
        paths: &[(&str, &str)],
    ) -> Said {
        let mut command = Command::new(program("fieldnotary-collector"));
        command
            .arg(verb)
            .arg("--dir")
            .arg(self.collector)
            .args(words);
        for (option, name) in paths {
            command.arg(option).arg(self.file(name));
        }
        command.output().unwrap().into()
    }

    pub(super) fn request(&self, to: &str) -> Said {
        self.on_the_node(&["request"], &[("--tls", "node-tls"), ("--to", to)])
    }

    pub(super) fn challenge(&self, request: &str, ca: &str) -> Said {
        let paths = [
            ("--request", request),
            ("--endorsement-ca", ca),
            ("--out", "challenge"),
        ];
        self.at_the_collector("challenge", &[], &paths)
    }

    pub(super) fn answer(&self, challenge: &str) -> Said {
        let paths = [("", challenge), ("--tls", "node-tls"), ("--to", "answer")];
        self.on_the_node(&["answer"], &paths)
    }

    pub(super) fn register(&self, answer: &str) -> Said {
        let paths = [("--answer", answer), ("--out", "receipt")];
        let words = [
            "--reason",
            "commissioning",
            "--node",
            "station-7",
            "--origin",
            ORIGIN,
            "--days",
            "40",
        ];
        self.at_the_collector("register", &words, &paths)
    }

    pub(super) fn accept(&self, receipt: &str, tls: &str) -> Said {
        let words = [
            "accept",
            "--registrar",
            self.registrar,
            "--reason",
            "commissioning",
        ];
        self.on_the_node(&words, &[("", receipt), ("--tls", tls)])
    }

    pub(super) fn read(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.file(name)).unwrap()).unwrap()
    }

    pub(super) fn write(&self, name: &str, paper: &Value) {
        std::fs::write(self.file(name), paper.to_string()).unwrap();
    }
}

#[track_caller]
pub(super) fn well(said: &Said) {
    assert_eq!(said.code, Some(0), "{said:?}");
}

/// The command line was not understood.
#[track_caller]
pub(super) fn misused(said: &Said, words: &str) {
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains(words), "{words} is not in:\n{}", said.err);
}

/// The answer is no, or it could not be done.
#[track_caller]
pub(super) fn refused(said: &Said, words: &str) {
    assert!(matches!(said.code, Some(1 | 3)), "{said:?}");
    assert!(said.err.contains(words), "{words} is not in:\n{}", said.err);
}

pub(super) fn openssl(folder: &Path, words: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl")
        .args(words)
        .current_dir(folder)
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}
