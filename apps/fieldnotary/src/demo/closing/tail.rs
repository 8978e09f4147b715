//! The newest entries, which no checkpoint or cosignature covers yet: which they are, and why.

use serde_json::Value;

/// What is said of the entries above the newest seal and the newest cosignature.
pub(super) fn sentences(rows: &[Value], log: u64, sealed: u64, cosigned: u64) -> Vec<String> {
    let mut sentences = Vec::new();
    if sealed < log {
        sentences.push(unsealed(rows, log, sealed));
    }
    if cosigned < sealed {
        let open = match sealed - cosigned {
            1 => "1 sealed entry is".to_owned(),
            many => format!("{many} sealed entries are"),
        };
        sentences.push(format!(
            "{open} not cosigned yet: the collector had not answered when the node stopped. The next \
             start delivers them first."
        ));
    }
    sentences
}

fn unsealed(rows: &[Value], log: u64, sealed: u64) -> String {
    let above: Vec<&str> = rows
        .iter()
        .filter(|row| row.get("commit_id").and_then(Value::as_u64) >= Some(sealed))
        .filter_map(|row| row.get("kind")?.as_str())
        .collect();
    let of_kind = |kind: &str| above.iter().filter(|found| **found == kind).count();
    let (seals, acks) = (of_kind("checkpoint"), of_kind("ack"));
    let others = above.len().saturating_sub(seals + acks);
    let mut which: Vec<String> = Vec::new();
    for (count, one, many) in [
        (
            seals,
            "the record of the last checkpoint",
            "records of checkpoints",
        ),
        (
            acks,
            "the record of its cosignature",
            "records of cosignatures",
        ),
        (
            others,
            "1 entry that came after it",
            "entries that came after it",
        ),
    ] {
        match count {
            0 => {}
            1 => which.push(one.to_owned()),
            _ => which.push(format!("{count} {many}")),
        }
    }
    let why = "A checkpoint covers what stands before it, so its own record and that of its \
               cosignature come too late for it; the next start seals them.";
    let last = match log - sealed {
        1 => "The last entry is".to_owned(),
        many => format!("The last {many} entries are"),
    };
    format!(
        "{last} under no checkpoint yet: {}. {why}",
        which.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::sentences;
    use serde_json::{Value, json};

    fn rows(kinds: &[&str]) -> Vec<Value> {
        let row = |(id, kind): (usize, &&str)| json!({"commit_id": id, "kind": kind});
        kinds.iter().enumerate().map(row).collect()
    }

    #[test]
    fn what_is_not_covered_is_named_with_its_reason() {
        let usual = rows(&["reading", "reading", "checkpoint", "ack"]);
        let late = rows(&["reading", "checkpoint", "reading", "reading"]);
        for (rows, sealed, cosigned, parts) in [
            (
                &usual,
                2,
                2,
                &[
                    "The last 2 entries are under no checkpoint yet: the record of the last checkpoint, \
                     the record of its cosignature. A checkpoint covers what stands before it",
                ][..],
            ),
            (&usual, 3, 3, &["The last entry is"]),
            (
                &late,
                1,
                1,
                &["last checkpoint, 2 entries that came after it."],
            ),
            (
                &usual,
                2,
                1,
                &[
                    "no checkpoint yet",
                    "1 sealed entry is not cosigned yet",
                    "The next start delivers",
                ],
            ),
            (&usual, 4, 4, &[]),
        ] {
            let words = sentences(rows, 4, sealed, cosigned).join("\n");
            for part in parts {
                assert!(words.contains(part), "{part:?} is not in {words}");
            }
            assert_eq!(words.is_empty(), parts.is_empty(), "{words}");
        }
    }
}
