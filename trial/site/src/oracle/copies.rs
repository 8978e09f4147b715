//! The collector's copy against the node's log.

use super::Findings;
use serde_json::Value;
use std::collections::BTreeMap;

/// Whether the collector holds, entry by entry, what the node holds, up to the cosigned size.
#[must_use]
pub fn same_log(node: &[Value], collector: &[Value], cosigned: u64) -> Findings {
    let mut findings = Findings::default();
    let id = |row: &Value| row.get("commit_id").and_then(Value::as_u64);
    let own: BTreeMap<u64, &Value> = node
        .iter()
        .filter_map(|row| Some((id(row)?, row)))
        .collect();
    for row in collector {
        let Some(commit_id) = id(row) else {
            findings.add("the collector's copy has an entry without commit_id".to_owned());
            continue;
        };
        match own.get(&commit_id) {
            Some(own) if *own == row => {}
            Some(_) => findings.add(format!(
                "entry {commit_id}: the collector's copy differs from the node's"
            )),
            None => findings.add(format!(
                "entry {commit_id}: the collector has it, the node not"
            )),
        }
    }
    let held = u64::try_from(collector.len()).unwrap_or(u64::MAX);
    if held < cosigned {
        findings.add(format!(
            "the collector cosigned {cosigned} entries, but its copy has only {held}"
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::same_log;
    use serde_json::json;

    //= A1.3
    #[test]
    fn a_copy_that_differs_lacks_or_invents_is_found() {
        let row = |id: u64, value: &str| json!({"commit_id": id, "value": value});
        let node = [row(0, "a"), row(1, "b"), row(2, "c")];
        assert!(same_log(&node, &node, 3).is_empty());
        assert!(
            same_log(&node, &node[..2], 2).is_empty(),
            "the tail is not cosigned yet"
        );
        for (copy, cosigned, part) in [
            (
                vec![row(0, "a"), row(1, "x")],
                2,
                "entry 1: the collector's copy differs",
            ),
            (vec![row(0, "a")], 2, "only 1"),
            (
                vec![row(0, "a"), row(7, "b")],
                2,
                "entry 7: the collector has it",
            ),
            (vec![json!({"value": "a"})], 1, "without commit_id"),
        ] {
            let findings = same_log(&node, &copy, cosigned).texts();
            assert!(
                findings.iter().any(|text| text.contains(part)),
                "{part}: {findings:?}"
            );
        }
    }
}
