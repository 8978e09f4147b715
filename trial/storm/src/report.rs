//! The one answer of a storm, for people and for programs.

use crate::blow::Abilities;
use crate::verdict::{Verdict, add};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use trial::Counts;

/// Findings that the answer names.
const FINDINGS_MAX: usize = 40;

/// What came of all sites.
#[derive(Debug)]
pub(crate) struct Report {
    seed: u64,
    sites: u64,
    seconds: u64,
    sum: Verdict,
    skipped: Vec<&'static str>,
}

impl Report {
    /// Adds the sites up; one that could not be judged does not hold.
    pub(crate) fn of(
        seed: u64,
        can: Abilities,
        outcomes: Vec<Result<Verdict, String>>,
        seconds: u64,
    ) -> Self {
        let mut sum = Verdict {
            verified: !outcomes.is_empty(),
            ..Verdict::default()
        };
        let sites = u64::try_from(outcomes.len()).unwrap_or(u64::MAX);
        for (number, outcome) in (1..).zip(outcomes) {
            match outcome {
                Ok(verdict) => take(&mut sum, number, verdict),
                Err(error) => {
                    sum.verified = false;
                    sum.findings.push(error);
                }
            }
        }
        sum.resumes_ms.sort_unstable();
        let mut skipped = Vec::new();
        if !can.volume {
            skipped.push("disk-full, read-only: they take root, mkfs.ext4 and loop devices");
        }
        if !can.permissions {
            skipped.push("no-permission: under root it takes setpriv");
        }
        if !can.steps {
            skipped.push("named steps and the clock: the programs were built without the hook");
        }
        Self {
            seed,
            sites,
            seconds,
            sum,
            skipped,
        }
    }

    /// Whether everything holds.
    pub(crate) fn holds(&self) -> bool {
        self.sum.holds()
    }

    fn json(&self) -> Value {
        let sum = &self.sum;
        let Counts {
            lost,
            invented,
            duplicated,
            unexplained,
            wrong_cause,
        } = sum.counts;
        json!({
            "kills": sum.kills,
            "faults": sum.faults,
            "lost": lost,
            "invented": invented,
            "duplicated": duplicated,
            "unexplained": unexplained,
            "wrong_cause": wrong_cause,
            "resume_ms_p50": percentile(&sum.resumes_ms, 50),
            "resume_ms_p99": percentile(&sum.resumes_ms, 99),
            "seed": self.seed,
            "verified": sum.verified,
            "sites": self.sites,
            "seconds": self.seconds,
            "entries": sum.entries,
            "readings": sum.readings,
            "missing": sum.missing,
            "causes": sum.causes,
            "acks": sum.acks,
            "by_kind": sum.by_kind,
            "skipped": self.skipped,
            "findings": sum.findings.iter().take(FINDINGS_MAX).collect::<Vec<_>>(),
            "more_findings": sum.findings.len().saturating_sub(FINDINGS_MAX),
        })
    }

    /// Prints it; a reader that went away is no error of ours.
    pub(crate) fn print(&self, as_json: bool) {
        let out = &mut std::io::stdout().lock();
        let json = self.json();
        if as_json {
            let _ = writeln!(out, "{json}");
            return;
        }
        for (key, value) in json.as_object().into_iter().flatten() {
            match value {
                Value::Array(lines) => {
                    for line in lines.iter().filter_map(Value::as_str) {
                        let _ = writeln!(out, "{key}: {line}");
                    }
                }
                Value::Object(counts) => {
                    for (name, count) in counts {
                        let _ = writeln!(out, "  {name:<32} {count:>8}");
                    }
                }
                other => {
                    let _ = writeln!(out, "{key:<16} {other:>10}");
                }
            }
        }
    }
}

fn take(sum: &mut Verdict, number: u64, verdict: Verdict) {
    sum.kills += verdict.kills;
    sum.faults += verdict.faults;
    sum.entries += verdict.entries;
    sum.readings += verdict.readings;
    sum.missing += verdict.missing;
    sum.causes += verdict.causes;
    sum.acks += verdict.acks;
    sum.verified &= verdict.verified;
    add(&mut sum.counts, &verdict.counts);
    let kinds: &mut BTreeMap<String, u64> = &mut sum.by_kind;
    for (kind, count) in verdict.by_kind {
        *kinds.entry(kind).or_default() += count;
    }
    sum.resumes_ms.extend(verdict.resumes_ms);
    let named = verdict.findings.into_iter();
    sum.findings
        .extend(named.map(|finding| format!("site {number}: {finding}")));
}

/// A percentile of a sorted list; 0 of none.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Report, percentile};
    use crate::blow::Abilities;
    use crate::verdict::Verdict;

    const CAN: Abilities = Abilities {
        volume: false,
        permissions: true,
        steps: true,
    };

    fn sound() -> Verdict {
        Verdict {
            verified: true,
            kills: 3,
            ..Verdict::default()
        }
    }

    //= R2.3
    #[test]
    fn a_storm_holds_only_if_every_site_does() {
        let holds = |outcomes| Report::of(1, CAN, outcomes, 1).holds();
        assert!(holds(vec![Ok(sound()), Ok(sound())]));
        assert!(!holds(vec![]));
        assert!(!holds(vec![
            Ok(sound()),
            Err("it did not start".to_owned())
        ]));
        let mut lossy = sound();
        lossy.counts.lost = 1;
        assert!(!holds(vec![Ok(lossy)]));
        let mut unproven = sound();
        unproven.verified = false;
        assert!(!holds(vec![Ok(sound()), Ok(unproven)]));
        let json = Report::of(9, CAN, vec![Ok(sound()), Ok(sound())], 1).json();
        assert_eq!((&json["kills"], &json["seed"]), (&6.into(), &9.into()));
        assert!(json["skipped"][0].as_str().unwrap().contains("disk-full"));
    }

    #[test]
    fn percentiles_are_taken_from_the_list() {
        let list: Vec<u64> = (0..=100).collect();
        assert_eq!((percentile(&list, 50), percentile(&list, 99)), (50, 99));
        assert_eq!(percentile(&[], 99), 0);
    }
}
