//! The closing page and its short form as JSON: what was captured, what is missing and why, what is
//! proven, and what is not.

mod tail;

use super::check::Verdict;
use super::injector::Blow;
use super::layout::Layout;
use super::plan::Plan;
use super::text::{WIDTH, columns, seconds, wrapped};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use trial::{Keys, counted};

/// Entry ids that a line of the page names.
const IDS_SHOWN: usize = 2;
/// Findings that the page names.
const FINDINGS_SHOWN: usize = 20;

/// What the page is about.
pub(super) struct Closing<'a> {
    pub(super) layout: &'a Layout,
    pub(super) plan: &'a Plan,
    pub(super) keys: &'a Keys,
    pub(super) blows: &'a [Blow],
    pub(super) verdict: &'a Verdict,
    /// How this program was called, so that its commands can be pasted.
    pub(super) program: &'a str,
}

/// Missing readings of one meter with one cause.
#[derive(Default)]
struct Group<'a> {
    readings: u64,
    /// Entries that explain them.
    entries: u64,
    /// The first entry of each stretch.
    ids: BTreeSet<&'a str>,
}

impl Closing<'_> {
    /// The one JSON object at the end.
    pub(super) fn json(&self) -> Value {
        let verdict = self.verdict;
        let path = |path: &Path| path.display().to_string();
        json!({
            "due": verdict.account("due"),
            "attempted": verdict.account("attempted"),
            "captured": verdict.account("captured"),
            "duplicates": verdict.account("duplicates"),
            "missing": verdict.missing_readings(),
            "missing_explained": verdict.account("missing_explained"),
            "log_size": verdict.log_size,
            "sealed_size": verdict.sealed_size(),
            "cosigned_size": verdict.cosigned_size,
            // One party cosigns here, so what it stored is also all that anyone outside has seen.
            "witnessed_size": verdict.cosigned_size,
            "replies_lost": verdict.comparison.counts.lost,
            "verified": verdict.verified(),
            "findings": verdict.findings.texts(),
            "anchor": self.keys.anchor(),
            "collector_key": self.keys.collector,
            "data_dir": path(&self.layout.node()),
            "collector_dir": path(&self.layout.collector()),
            "street_log": path(&self.layout.street_log()),
            "injector_log": path(&self.layout.injector_log()),
        })
    }

    /// The page.
    pub(super) fn page(&self) -> String {
        let mut lines = vec![String::new()];
        let sections = [
            ("Captured", self.captured()),
            ("Missing, and why", self.missing()),
            ("Blows", self.blows()),
            ("The log", self.log()),
            ("Checked", self.checked()),
            (
                "The street's word",
                wrapped(&self.verdict.comparison.words(), WIDTH),
            ),
            ("What this run does not prove", self.not_proven()),
            ("Check it yourself", self.commands()),
        ];
        for (title, body) in sections {
            lines.push(title.to_owned());
            lines.extend(body);
            lines.push(String::new());
        }
        lines.push(match self.verdict.verified() {
            true => "VERIFIED: every check above holds.".to_owned(),
            false => "NOT VERIFIED: see what does not hold above.".to_owned(),
        });
        lines.join("\n") + "\n"
    }

    fn captured(&self) -> Vec<String> {
        let verdict = self.verdict;
        pairs(&[
            ("slots due", verdict.account("due").to_string()),
            (
                "sessions attempted",
                verdict.account("attempted").to_string(),
            ),
            ("readings captured", verdict.account("captured").to_string()),
            ("readings twice", verdict.account("duplicates").to_string()),
            ("readings missing", verdict.missing_readings().to_string()),
            (
                "of them explained",
                verdict.account("missing_explained").to_string(),
            ),
        ])
    }

    /// Grouped by meter, class and cause.
    fn missing(&self) -> Vec<String> {
        let missing = self.verdict.missing();
        if missing.is_empty() {
            return vec!["  nothing".to_owned()];
        }
        let mut groups: BTreeMap<[&str; 3], Group<'_>> = BTreeMap::new();
        for one in missing {
            let word = |key: &str| one.get(key).and_then(Value::as_str);
            let or_unknown = |key: &str| word(key).unwrap_or("?");
            let group = ["meter_id", "class", "cause"].map(or_unknown);
            let group = groups.entry(group).or_default();
            group.readings += trial::readings(one);
            group.ids.extend(word("event_id"));
            let entries = one.get("event_ids").and_then(Value::as_u64);
            group.entries += entries.unwrap_or(1);
        }
        let heading = ["meter", "class", "cause", "readings", "explained by"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        let mut doings: Vec<String> = Vec::new();
        for ([meter, class, cause], group) in groups {
            let mut faults = self.plan.faults.iter();
            let fault = faults.find(|fault| fault.meter == meter && fault.ailment.shows_as(cause));
            doings.extend(fault.map(|fault| format!("{meter}: {}", fault.ailment.words())));
            rows.push(vec![
                meter.to_owned(),
                class.to_owned(),
                cause.to_owned(),
                group.readings.to_string(),
                named(&group),
            ]);
        }
        let mut lines = columns(&rows);
        // One meter may be missing for two causes of one fault.
        doings.dedup();
        if !doings.is_empty() {
            let doings = format!("The street's doing: {}.", doings.join("; "));
            lines.extend(wrapped(&doings, WIDTH));
        }
        lines
    }

    fn blows(&self) -> Vec<String> {
        let planned = self
            .blows
            .iter()
            .filter(|blow| !matches!(blow, Blow::Struck { .. }));
        let sentences = planned.map(|blow| self.sentence(blow)).chain(self.storm());
        let mut lines: Vec<String> = sentences
            .flat_map(|sentence| wrapped(&sentence, WIDTH))
            .collect();
        if lines.is_empty() {
            lines.push("  none: the run was ended before the first".to_owned());
        }
        let path = self.layout.injector_log();
        lines.push(format!("  written down in {}", path.display()));
        lines
    }

    /// How often the storm struck each process.
    fn storm(&self) -> Option<String> {
        let struck = |role: &str| {
            self.blows
                .iter()
                .filter(|blow| matches!(blow, Blow::Struck { role: struck, .. } if *struck == role))
                .count()
        };
        let each: Vec<String> = super::storm::ROLES
            .iter()
            .map(|role| (role, struck(role)))
            .filter(|(_, count)| *count > 0)
            .map(|(role, count)| format!("{role} {count}"))
            .collect();
        (!each.is_empty()).then(|| format!("killed at random besides: {}", each.join(", ")))
    }

    /// What fell, and what it did.
    fn sentence(&self, blow: &Blow) -> String {
        let number = |count: usize, word| counted(u64::try_from(count).unwrap_or(u64::MAX), word);
        match blow {
            Blow::Killed {
                at,
                pid,
                back: Some((took, again)),
            } => {
                let lost = match self.verdict.comparison.counts.lost {
                    0 => "no reply of the street was lost".to_owned(),
                    lost => format!("{lost} undisturbed replies lost in this run"),
                };
                let (at, took) = (seconds(*at), seconds(*took));
                format!(
                    "recorder (pid {pid}) killed with SIGKILL at {at}: answered again after {took} as \
                     pid {again}; {lost}"
                )
            }
            Blow::Killed {
                at,
                pid,
                back: None,
            } => {
                format!(
                    "recorder (pid {pid}) killed at {}: it did not come back",
                    seconds(*at)
                )
            }
            Blow::Cut {
                at,
                connections,
                restored,
            } => {
                let end = restored.map_or("to the end".to_owned(), |(lasted, refused)| {
                    format!(
                        "for {}, {} refused",
                        seconds(lasted),
                        number(refused, "connection")
                    )
                });
                format!(
                    "uplink cut at {} {end}, {} broken: capture went on, and {} of {} entries are \
                     cosigned now",
                    seconds(*at),
                    number(*connections, "connection"),
                    self.verdict.cosigned_size,
                    self.verdict.log_size
                )
            }
            Blow::Struck { at, role } => format!("{role} killed at {}", seconds(*at)),
        }
    }

    fn log(&self) -> Vec<String> {
        let verdict = self.verdict;
        let of = |value: &Value, key: &str| match value.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => "unknown".to_owned(),
        };
        let sealed = verdict.sealed_size();
        let (log, cosigned) = (verdict.log_size, verdict.cosigned_size);
        let mut lines = pairs(&[
            ("entries", log.to_string()),
            ("under a signed checkpoint", sealed.to_string()),
            ("in the collector's copy", of(&verdict.collector, "entries")),
            ("cosigned by the collector", cosigned.to_string()),
            ("truth store", of(&verdict.node, "truth_class")),
            ("custody of the keys", of(&verdict.node, "custody")),
            ("time quality", self.time_qualities()),
        ]);
        let tail = tail::sentences(&verdict.rows, log, sealed, cosigned);
        lines.extend(tail.iter().flat_map(|sentence| wrapped(sentence, WIDTH)));
        lines
    }

    /// Every quality that an entry has.
    fn time_qualities(&self) -> String {
        let rows = self.verdict.rows.iter();
        let found: BTreeSet<&str> = rows
            .filter_map(|row| row.get("time_quality")?.as_str())
            .collect();
        found.into_iter().collect::<Vec<_>>().join(", ")
    }

    fn checked(&self) -> Vec<String> {
        let findings = self.verdict.findings.texts();
        if findings.is_empty() {
            return [
                "  node's journal: every hash and signature, against the pinned key",
                "  collector's copy: the same, and equal to the node's log entry by entry",
                "  readings: each equal to a reply in the street's log, in order, none twice",
                "  replies that are no reading, readings that are missing: each has an entry",
            ]
            .map(str::to_owned)
            .to_vec();
        }
        let more = findings.len().saturating_sub(FINDINGS_SHOWN);
        let mut lines: Vec<String> = findings
            .iter()
            .take(FINDINGS_SHOWN)
            .flat_map(|finding| wrapped(&format!("does not hold: {finding}"), WIDTH))
            .collect();
        if more > 0 {
            lines.push(format!("  and {more} more"));
        }
        lines
    }

    fn not_proven(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let is = |key: &str, word: &str| {
            self.verdict.node.get(key).and_then(Value::as_str) == Some(word)
        };
        if is("custody", "software") {
            lines.push(
                "  Who signed: the keys are files on this machine (custody: software). Whoever owns \
                 the machine could have signed another log.",
            );
        }
        if is("truth_class", "same-device-sync") {
            lines.push(
                "  That log and truth store were not put back together: both lie on one device \
                 (same-device-sync). Beyond that stands only what the collector cosigned.",
            );
        }
        lines.push(
            "  That anyone independent watched: node, collector and street ran on this machine, \
             under one user, and nobody else witnessed the log.",
        );
        if !self
            .time_qualities()
            .split(", ")
            .all(|quality| quality == "SYNCED")
        {
            lines.push(
                "  The time of day: the order of entries is proven, their UTC is as good as its stated \
                 quality.",
            );
        }
        lines.push(
            "  A power cut: a killed process leaves its pages to the kernel, a power cut does not.",
        );
        lines.push("  That a real meter measured rightly: the street is simulated.");
        lines
            .into_iter()
            .flat_map(|line| wrapped(line, WIDTH))
            .collect()
    }

    fn commands(&self) -> Vec<String> {
        let (program, anchor) = (self.program, self.keys.anchor());
        let quoted = |path: &Path| {
            let text = path.display().to_string();
            let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
            if text.chars().all(plain) {
                text
            } else {
                format!("'{}'", text.replace('\'', "'\\''"))
            }
        };
        let (node, collector) = (
            quoted(&self.layout.node()),
            quoted(&self.layout.collector()),
        );
        vec![
            format!("  {program} verify {node} --anchor '{anchor}'"),
            format!("  {program} verify {collector} --anchor '{anchor}'"),
            format!("  {program} gaps {node}"),
            format!(
                "  The street's own word is in {}",
                self.layout.street_log().display()
            ),
        ]
    }
}

/// Names and values, aligned.
fn pairs(pairs: &[(&str, String)]) -> Vec<String> {
    let width = pairs
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or_default();
    pairs
        .iter()
        .map(|(name, value)| format!("  {name:<width$}  {value}"))
        .collect()
}

/// The first few ids, and how many more there are.
fn named(group: &Group<'_>) -> String {
    let mut ordered: Vec<&str> = group.ids.iter().copied().collect();
    if ordered.is_empty() {
        return "-".to_owned();
    }
    ordered.sort_by_key(|id| (id.len(), *id));
    ordered.truncate(IDS_SHOWN);
    let shown = u64::try_from(ordered.len()).unwrap_or(u64::MAX);
    match group.entries.saturating_sub(shown) {
        0 => ordered.join(" "),
        more => format!("{} and {more} more", ordered.join(" ")),
    }
}

#[cfg(test)]
mod tests;
