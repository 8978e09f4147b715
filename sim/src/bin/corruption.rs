//! `corruption`: every way that a medium can change behind the journal's back, and what it then says.

use clap::Parser;
use fieldnotary_sim::suites::answer;
use fieldnotary_sim::suites::corruption::{Fault, Kind, Plan, Report, run};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Damages whole logs in every way, and demands that each loss is named and nothing is made up.
#[derive(Parser)]
struct Arguments {
    /// Chooses the cases of a bounded run and all pairs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A sample of every kind of damage
    #[arg(long)]
    bounded: bool,
    /// Stop at the first violation
    #[arg(long)]
    until_fault: bool,
    /// One case, as a violation names it: IMAGE/KIND/NUMBER
    #[arg(long)]
    case: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let case = match arguments.case.as_deref().map(parsed) {
        Some(None) => {
            eprintln!("a case is IMAGE/KIND/NUMBER, as in independent-orderly/bit/1234");
            return ExitCode::FAILURE;
        }
        case => case.flatten(),
    };
    // A panic of the engine is a violation and is counted; its text stands in the report.
    std::panic::set_hook(Box::new(|_| {}));
    let plan = Plan {
        seed: arguments.seed,
        bounded: arguments.bounded,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        until_fault: arguments.until_fault,
        case,
    };
    let (report, seconds) = answer::timed(|| run(&plan));
    for detail in report.details.values().flatten() {
        let (case, _) = detail.split_once(':').unwrap_or((detail, ""));
        eprintln!("{detail}");
        eprintln!(
            "  replay: cargo xtask corruption --seed {} --case {case}",
            plan.seed
        );
    }
    let counts = Fault::ALL.map(|(fault, key)| (key, report.count(fault)));
    // A case that is not there would otherwise pass.
    let passed = report.is_clean() && report.cases > 0;
    let tried = tried(&plan, &report, seconds);
    answer::give(tried, counts, arguments.json, passed)
}

fn parsed(case: &str) -> Option<(String, Kind, u64)> {
    let mut parts = case.split('/');
    let (image, kind, number) = (parts.next()?, parts.next()?, parts.next()?);
    Some((image.to_owned(), Kind::named(kind)?, number.parse().ok()?))
}

fn tried(plan: &Plan, report: &Report, seconds: f64) -> Value {
    json!({
        "suite": "corruption",
        "seed": plan.seed,
        "bounded": plan.bounded,
        "cases": report.cases,
        "touched": report.touched,
        "by_kind": report.by_kind,
        "seconds": answer::tenths(seconds),
    })
}
