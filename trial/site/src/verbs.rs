//! The verbs that anyone may use, and what their answers mean for a verdict.

use crate::{Findings, Programs};
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;

/// What a verb found: its JSON, and whether it ended well.
#[derive(Debug)]
pub struct Found {
    /// The answer.
    pub json: Value,
    /// Whether the program's exit code says so too.
    pub well: bool,
}

/// Runs a verb of `fieldnotary` on a directory.
///
/// # Errors
/// When it does not answer in JSON.
pub fn command(
    programs: &Programs,
    verb: &[&str],
    dir: &Path,
    anchors: &[String],
) -> Result<Found, String> {
    let (text, well) = run(programs, verb, dir, anchors)?;
    let json = serde_json::from_str(&text).map_err(|error| {
        format!(
            "`fieldnotary {} {}` did not answer in JSON: {error}",
            verb.join(" "),
            dir.display()
        )
    })?;
    Ok(Found { json, well })
}

/// The entries of a directory, in order.
///
/// # Errors
/// When they cannot be read.
pub fn rows(programs: &Programs, dir: &Path) -> Result<Vec<Value>, String> {
    let (text, _) = run(programs, &["log"], dir, &[])?;
    let rows: Vec<Value> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("`fieldnotary log {}` is not JSON: {error}", dir.display()))?;
    let is_entry = |row: &Value| row.get("missing_first").is_none();
    Ok(rows.into_iter().filter(is_entry).collect())
}

fn run(
    programs: &Programs,
    verb: &[&str],
    dir: &Path,
    anchors: &[String],
) -> Result<(String, bool), String> {
    let shown = format!("fieldnotary {} {}", verb.join(" "), dir.display());
    let mut command = programs.command("fieldnotary")?;
    command
        .args(verb)
        .arg(dir)
        .arg("--json")
        .stdin(Stdio::null());
    for anchor in anchors {
        command.args(["--anchor", anchor]);
    }
    let done = command
        .output()
        .map_err(|error| format!("cannot start `{shown}`: {error}"))?;
    let text =
        String::from_utf8(done.stdout).map_err(|_| format!("`{shown}` did not answer in text"))?;
    if text.trim().is_empty() && !done.status.success() {
        let words = String::from_utf8_lossy(&done.stderr);
        return Err(format!("`{shown}`: {}", words.trim()));
    }
    Ok((text, done.status.success()))
}

/// Adds what keeps a verification from counting: it must hold, be anchored, and cover something.
pub fn judge_verification(findings: &mut Findings, what: &str, found: &Found) {
    let is_true = |key: &str| found.json.get(key) == Some(&Value::Bool(true));
    if !is_true("ok") || !found.well {
        findings.add(format!("the verification of the {what}'s directory failed"));
        let words = found.json.get("findings").and_then(Value::as_array);
        for finding in words.into_iter().flatten() {
            let words = finding.get("words").and_then(Value::as_str);
            let place = finding.get("first").and_then(Value::as_u64);
            let place = place.map_or(String::new(), |first| format!("entry {first}: "));
            findings.add(format!("{what}: {place}{}", words.unwrap_or("a finding")));
        }
    }
    if !is_true("anchored") {
        findings.add(format!(
            "the verification of the {what}'s directory is not anchored"
        ));
    }
    if found
        .json
        .get("sealed_entries")
        .and_then(Value::as_u64)
        .unwrap_or_default()
        == 0
    {
        findings.add(format!(
            "no entry of the {what}'s directory is under a signed checkpoint"
        ));
    }
}

/// How far the collector has cosigned, by the newest acknowledgement in the log.
#[must_use]
pub fn cosigned_size(rows: &[Value]) -> u64 {
    let acks = rows
        .iter()
        .filter(|row| row.get("kind").and_then(Value::as_str) == Some("ack"));
    acks.filter_map(|ack| ack.get("size")?.as_u64())
        .max()
        .unwrap_or_default()
}

/// How many readings a stretch of missing ones stands for.
#[must_use]
pub fn readings(missing: &Value) -> u64 {
    missing.get("readings").and_then(Value::as_u64).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::{Findings, Found, cosigned_size, judge_verification};
    use serde_json::{Value, json};

    fn check(findings: &Findings, part: Option<&str>) {
        let texts = findings.texts();
        match part {
            None => assert!(texts.is_empty(), "{texts:?}"),
            Some(part) => assert!(
                texts.iter().any(|text| text.contains(part)),
                "{part}: {texts:?}"
            ),
        }
    }

    //= A1.3
    #[test]
    fn a_verification_counts_only_if_it_holds_and_is_anchored() {
        let sound = json!({"ok": true, "anchored": true, "sealed_entries": 9, "findings": []});
        for (key, value, well, part) in [
            ("ok", json!(true), true, None),
            (
                "ok",
                json!(true),
                false,
                Some("the node's directory failed"),
            ),
            (
                "ok",
                json!(false),
                true,
                Some("the node's directory failed"),
            ),
            ("ok", json!("true"), true, Some("failed")),
            ("anchored", json!(false), true, Some("is not anchored")),
            ("sealed_entries", json!(0), true, Some("no entry")),
        ] {
            let mut json = sound.clone();
            json[key] = value;
            let mut findings = Findings::default();
            judge_verification(&mut findings, "node", &Found { json, well });
            check(&findings, part);
        }
        let failed = json!({"ok": false, "anchored": true, "sealed_entries": 9,
            "findings": [{"first": 7, "words": "damaged"}, {"words": "no tree"}]});
        let mut findings = Findings::default();
        judge_verification(
            &mut findings,
            "node",
            &Found {
                json: failed,
                well: false,
            },
        );
        check(&findings, Some("node: entry 7: damaged"));
        check(&findings, Some("node: no tree"));
    }

    #[test]
    fn the_cosigned_size_is_that_of_the_newest_ack() {
        let rows: Vec<Value> = vec![
            json!({"kind": "ack", "size": 5}),
            json!({"kind": "checkpoint", "size": 90}),
            json!({"kind": "ack", "size": 30}),
        ];
        assert_eq!(cosigned_size(&rows), 30);
        assert_eq!(cosigned_size(&[]), 0);
    }
}
