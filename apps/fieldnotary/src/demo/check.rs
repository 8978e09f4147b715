//! The check at the end: the same commands that anyone else would use, and the street's own log.

use super::layout::Layout;
use serde_json::Value;
use std::path::Path;
use trial::{
    Comparison, Findings, Keys, Programs, command, cosigned_size, judge_verification, readings,
    rows,
};

/// Everything that the check established.
#[derive(Debug)]
pub(super) struct Verdict {
    /// `fieldnotary verify` of the node, as JSON.
    pub(super) node: Value,
    /// `fieldnotary verify` of the collector, as JSON.
    pub(super) collector: Value,
    /// `fieldnotary gaps` of the node, as JSON.
    pub(super) gaps: Value,
    /// The log's entries, as rows.
    pub(super) rows: Vec<Value>,
    pub(super) comparison: Comparison,
    pub(super) log_size: u64,
    pub(super) cosigned_size: u64,
    /// Whatever does not add up; verified means that there is nothing.
    pub(super) findings: Findings,
}

impl Verdict {
    pub(super) fn verified(&self) -> bool {
        self.findings.is_empty()
    }

    /// Entries under a signed checkpoint.
    pub(super) fn sealed_size(&self) -> u64 {
        let sealed = self.node.get("sealed_entries").and_then(Value::as_u64);
        sealed.unwrap_or_default()
    }

    /// A number of the account of gaps.
    pub(super) fn account(&self, key: &str) -> u64 {
        self.gaps
            .get(key)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    }

    /// How many readings are missing.
    pub(super) fn missing_readings(&self) -> u64 {
        self.missing().iter().map(readings).sum()
    }

    /// The missing readings, in stretches.
    pub(super) fn missing(&self) -> &[Value] {
        self.gaps
            .get("missing")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}

/// Checks a site that has stopped.
pub(super) fn check(layout: &Layout, keys: &Keys, description: &Value) -> Result<Verdict, String> {
    let programs = Programs::beside_own()?;
    let node = command(&programs, &["verify"], &layout.node(), &keys.log)?;
    let collector = command(&programs, &["verify"], &layout.collector(), &keys.log)?;
    let gaps = command(&programs, &["gaps"], &layout.node(), &[])?;
    let own = rows(&programs, &layout.node())?;
    let copy = rows(&programs, &layout.collector())?;
    let path = layout.street_log();
    let street_log = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let comparison = trial::compare(description, &street_log, &own)?;
    let next = own
        .last()
        .and_then(|row| row.get("commit_id"))
        .and_then(Value::as_u64);
    let log_size = next.map_or(0, |last| last + 1);
    let cosigned_size = cosigned_size(&own);

    let mut findings = Findings::default();
    judge_verification(&mut findings, "node", &node);
    judge_verification(&mut findings, "collector", &collector);
    judge_gaps(&mut findings, &gaps.json);
    judge_collector_key(
        &mut findings,
        &layout.collector().join("collector.json"),
        keys,
    );
    if cosigned_size == 0 {
        findings.add("the collector has cosigned nothing".to_owned());
    }
    findings.append(&trial::same_log(&own, &copy, cosigned_size));
    findings.append(&comparison.findings);
    if comparison.read == 0 {
        findings.add("no reply of the street became a reading".to_owned());
    }
    Ok(Verdict {
        node: node.json,
        collector: collector.json,
        gaps: gaps.json,
        rows: own,
        comparison,
        log_size,
        cosigned_size,
        findings,
    })
}

/// The collector's directory is verified with the key that it names itself: it must be the pinned one.
fn judge_collector_key(findings: &mut Findings, about: &Path, keys: &Keys) {
    let text = std::fs::read_to_string(about).unwrap_or_default();
    let about: Value = serde_json::from_str(&text).unwrap_or_default();
    if about.get("vkey").and_then(Value::as_str) != Some(keys.collector.as_str()) {
        findings.add(format!(
            "the collector does not name the pinned key {}",
            keys.collector
        ));
    }
}

fn judge_gaps(findings: &mut Findings, gaps: &Value) {
    let number = |key: &str| gaps.get(key).and_then(Value::as_u64).unwrap_or_default();
    let list = |key: &str| gaps.get(key).and_then(Value::as_array).map_or(0, Vec::len);
    let stretches = gaps.get("missing").and_then(Value::as_array);
    let missing: u64 = stretches.into_iter().flatten().map(readings).sum();
    if missing > number("missing_explained") {
        let open = missing - number("missing_explained");
        findings.add(format!(
            "{open} missing readings have no entry that explains them"
        ));
    }
    if number("duplicates") > 0 {
        findings.add(format!("{} readings are there twice", number("duplicates")));
    }
    if list("seq_findings") > 0 {
        findings.add(format!(
            "{} stretches of session numbers are unexplained",
            list("seq_findings")
        ));
    }
    if number("due") == 0 {
        findings.add("no slot was due".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::{Findings, Keys, judge_collector_key, judge_gaps};
    use serde_json::json;

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
    fn a_collector_with_another_key_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let about = dir.path().join("collector.json");
        let keys = Keys {
            log: Vec::new(),
            collector: "c+1+A".to_owned(),
        };
        for (text, part) in [
            ("{\"vkey\": \"c+1+A\"}", None),
            ("{\"vkey\": \"c+1+B\"}", Some("the pinned key c+1+A")),
            ("", Some("the pinned key c+1+A")),
        ] {
            std::fs::write(&about, text).unwrap();
            let mut findings = Findings::default();
            judge_collector_key(&mut findings, &about, &keys);
            check(&findings, part);
        }
    }

    //= A4.3
    //= A4.6
    #[test]
    fn an_account_with_anything_unexplained_is_found() {
        let account = |missing: usize, explained: u64, duplicates: u64, seqs: usize| {
            json!({
                "due": 10, "missing": vec![json!({}); missing], "missing_explained": explained,
                "duplicates": duplicates, "seq_findings": vec![json!({}); seqs],
            })
        };
        for (gaps, part) in [
            (account(2, 2, 0, 0), None),
            (
                account(2, 1, 0, 0),
                Some("1 missing readings have no entry"),
            ),
            (account(0, 0, 1, 0), Some("twice")),
            (account(0, 0, 0, 1), Some("1 stretches")),
            (json!({}), Some("no slot was due")),
        ] {
            let mut findings = Findings::default();
            judge_gaps(&mut findings, &gaps);
            check(&findings, part);
        }
    }
}
