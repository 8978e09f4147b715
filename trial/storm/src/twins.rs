//! Two nodes with one identity: a copy of a node's directory is started elsewhere, and both go on.

use crate::faults::copy;
use crate::site::Site;
use crate::verdict::Verdict;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use trial::{Running, start_node, wait_until};

/// How long the conflict may take to be stated at both ends.
const STATED: Duration = Duration::from_secs(45);
/// How long a node may take to stop.
const ORDERLY: Duration = Duration::from_secs(45);

/// As a node states that the collector holds more of its log than it has.
const AHEAD: &str = "delivery stops (ahead)";

impl Site {
    /// Starts the node and a copy of it side by side: after the verdict, as the log is forked by that.
    pub(crate) fn twins(mut self, mut verdict: Verdict) -> Result<Verdict, String> {
        copy(&self.layout.node(), &self.layout.clone_of_node())?;
        let (logs, contract) = (self.layout.logs(), self.layout.contract());
        self.start_collector()?;
        self.start_node()?;
        let twin_logs = logs.join("twin");
        std::fs::create_dir_all(&twin_logs)
            .map_err(|error| format!("cannot make {}: {error}", twin_logs.display()))?;
        let twin_dir = self.layout.clone_of_node();
        let mut twin = start_node(&self.programs, &contract, &twin_dir, &twin_logs)?;
        let stated = wait_until(STATED, || {
            let collector = kept_conflicts(&self.layout.collector()) > 0;
            let told = [self.layout.node(), twin_dir.clone()].map(|dir| self.conflict(&dir));
            // Who finds the collector ahead of him sends no checkpoint that contradicts another: there is none to keep.
            let explained = |told: &String| collector || told.contains(AHEAD);
            told.iter().flatten().any(explained).then_some(())
        });
        verdict.faults += 1;
        *verdict
            .by_kind
            .entry("two-nodes-one-identity".to_owned())
            .or_default() += 1;
        if stated.is_none() {
            verdict.counts.unexplained += 1;
            verdict.findings.push(format!(
                "two nodes with one identity: the collector keeps {} conflicts, and {} of the nodes \
                 state one",
                kept_conflicts(&self.layout.collector()),
                [self.layout.node(), twin_dir]
                    .iter()
                    .filter(|dir| self.conflict(dir).is_some())
                    .count()
            ));
        }
        for running in [Some(&mut twin), self.node.as_mut()].into_iter().flatten() {
            if let Err(words) = Running::stop(running, ORDERLY) {
                verdict.findings.push(words);
            }
        }
        Ok(verdict)
    }

    /// What a node says of a conflict since it began last.
    fn conflict(&self, node: &Path) -> Option<String> {
        let rows = trial::rows(&self.programs, node).unwrap_or_default();
        let newest = rows.iter().rev().take(2_000);
        let text =
            |row: &Value, name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
        newest
            .take_while(|row| text(row, "code").as_deref() != Some("orderly_stop"))
            .find(|row| text(row, "code").as_deref() == Some("uplink_conflict"))
            .map(|row| text(row, "detail").unwrap_or_default())
    }
}

/// Conflicts that a collector keeps as evidence.
fn kept_conflicts(collector: &Path) -> usize {
    let logs = std::fs::read_dir(collector.join("logs")).into_iter();
    let files = logs.flatten().flatten();
    let files = files.map(|log| -> PathBuf { log.path().join("conflicts.jsonl") });
    let texts = files.map(|path| std::fs::read_to_string(path).unwrap_or_default());
    texts.map(|text| text.lines().count()).sum()
}
