//! `fieldnotary journal selftest`: five symptoms of a medium that fails, looked for in the log itself.

use crate::cli::SelftestArgs;
use crate::commands::Ended;
use crate::commands::directory::Directory;
use crate::commands::progress::Progress;
use crate::commands::words;
use query::{SelfTest, SelfTests, Verdict};
use serde_json::{Value, json};

/// Goes through the log; ends well unless something is suspected.
pub(crate) fn selftest(args: &SelftestArgs) -> Result<Ended, String> {
    let directory = Directory::open(&args.dir)?;
    let progress = Progress::of("reading entry");
    let mut tests = SelfTests::default();
    directory.each_entry(0, true, |entry| {
        progress.step();
        tests.observe(entry);
    })?;
    drop(progress);
    let verdicts = tests.verdicts();
    let suspected = verdicts
        .iter()
        .any(|test| test.verdict == Verdict::Suspected);
    if args.json {
        let tests: Vec<Value> = verdicts.iter().map(as_json).collect();
        sayln!("{}", json!({ "ok": !suspected, "tests": tests }));
    } else {
        verdicts.iter().for_each(print);
    }
    Ok(match suspected {
        true => Ended::Badly,
        false => Ended::Well,
    })
}

fn as_json(test: &SelfTest) -> Value {
    let figures = test
        .figures
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)));
    json!({
        "name": test.name,
        "symptom": test.symptom,
        "cause": test.cause,
        "verdict": test.verdict.name(),
        "figures": figures.collect::<serde_json::Map<_, _>>(),
    })
}

fn print(test: &SelfTest) {
    sayln!(
        "{:<11} {}: {}",
        test.verdict.name(),
        test.name,
        test.symptom
    );
    if test.verdict == Verdict::Suspected {
        sayln!("{:<11} likely: {}", "", test.cause);
    }
    let figures: Vec<String> = test
        .figures
        .iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{name} {}", figure(name, *value)),
            None => format!("{name} -"),
        })
        .collect();
    sayln!("{:<11} {}", "", figures.join(", "));
}

/// A figure with its unit: counters of latencies are in nanoseconds.
fn figure(name: &str, value: u64) -> String {
    match name {
        name if name.starts_with("commit_latency") => words::nanoseconds(value),
        name if name.ends_with("_us_max") => words::nanoseconds(value.saturating_mul(1_000)),
        name if name.contains("_bytes") => words::bytes(value),
        "checkpoint_interval" => words::count(value, "entry", "entries"),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::figure;

    #[test]
    fn what_has_a_unit_is_shown_with_it() {
        for (name, value, shown) in [
            ("commit_latency_p99", 27_298_815, "27.3 ms"),
            ("recovery_duration_us_max", 1_500, "1.5 ms"),
            ("queue_depth", 7, "7"),
        ] {
            assert_eq!(figure(name, value), shown, "{name}");
        }
    }
}
