//! `fieldnotary verify`, as somebody at a terminal calls it.

use super::{Exhibit, Verdict, Verifier, Who};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How `verify` ends: it holds, and it does not.
const EXIT_WELL: i32 = 0;
const EXIT_BADLY: i32 = 1;

pub(super) struct Program(PathBuf);

impl Program {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_path_buf())
    }
}

impl Verifier for Program {
    fn who(&self) -> Who {
        Who::Program
    }

    fn judge(&mut self, exhibit: &Exhibit<'_>) -> Result<Verdict, String> {
        let mut command = Command::new(&self.0);
        command.arg("verify").arg(exhibit.dir).arg("--json");
        for key in exhibit.keys.into_iter().flatten() {
            command.arg("--anchor").arg(key.to_string());
        }
        if let Some((_, file)) = exhibit.known {
            command.arg("--known").arg(file);
        }
        let output = command
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{}: {error}", self.0.display()))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(match output.status.code() {
            Some(EXIT_WELL) => Verdict::Holds,
            Some(EXIT_BADLY) => Verdict::Found(failures(&output.stdout)),
            _ => Verdict::NoAnswer(format!("{}: {said}", output.status)),
        })
    }
}

/// All that fails, in words.
fn failures(json: &[u8]) -> String {
    let report: serde_json::Value = serde_json::from_slice(json).unwrap_or_default();
    let findings = report.get("findings").and_then(serde_json::Value::as_array);
    let fails = |one: &&serde_json::Value| {
        one.get("failure").and_then(serde_json::Value::as_bool) == Some(true)
    };
    let words = |one: &serde_json::Value| one.get("words")?.as_str().map(str::to_owned);
    let failing = findings.into_iter().flatten().filter(fails);
    let all: Vec<String> = failing.filter_map(words).collect();
    match all.is_empty() {
        true => "not verified".to_owned(),
        false => all.join("; "),
    }
}
