//! `holdover`: simulated oscillators left alone, and the error bound held against the truth.

use clap::Parser;
use fieldnotary_sim::holdover::{ClassReport, PART_NAMES, Plan, Report, Run, run_all};
use serde_json::{Map, Value, json};
use std::process::ExitCode;
use std::time::Instant;
use time_plane::drift::OscillatorClass;

/// Locks simulated oscillators for hours or days, leaves them alone for hours, and compares their true
/// error with the bound that the time plane states.
#[derive(Parser)]
struct Arguments {
    /// Chooses every oscillator, place, servo and moment of loss
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs of each class
    #[arg(long)]
    runs: Option<u32>,
    /// What fits a change: few runs, half a day of lock at most
    #[arg(long)]
    bounded: bool,
    /// Hours alone
    #[arg(long, default_value_t = 4)]
    hours: u32,
    /// Shortest and longest hours of lock: 0.1,2
    #[arg(long, value_parser = locked_hours)]
    locked_hours: Option<(u32, u32)>,
    /// These classes only: xo, tcxo, ocxo, rubidium
    #[arg(long, value_delimiter = ',', value_parser = class)]
    class: Vec<OscillatorClass>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

fn class(name: &str) -> Result<OscillatorClass, String> {
    OscillatorClass::from_name(name)
        .ok_or_else(|| format!("`{name}` is none of xo, tcxo, ocxo, rubidium"))
}

/// Seconds of `SHORTEST,LONGEST` hours.
fn locked_hours(text: &str) -> Result<(u32, u32), String> {
    let hours = |text: &str| text.trim().parse::<f64>().ok().map(seconds_of);
    let (shortest, longest) = text.split_once(',').unwrap_or((text, text));
    match (hours(shortest), hours(longest)) {
        (Some(shortest), Some(longest)) if shortest <= longest => Ok((shortest, longest)),
        _ => Err(format!(
            "`{text}` is not the shortest and the longest hours, like 0.1,2"
        )),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    eprintln!("seed {}", arguments.seed);
    let mut plan = if arguments.bounded {
        Plan::bounded(arguments.seed)
    } else {
        Plan::full(arguments.seed)
    };
    plan.runs = arguments.runs.unwrap_or(plan.runs);
    plan.alone_s = arguments.hours.clamp(1, 1_000) * 3_600;
    plan.locked_s = arguments.locked_hours.unwrap_or(plan.locked_s);
    plan.threads = std::thread::available_parallelism().map_or(1, usize::from);
    let classes = if arguments.class.is_empty() {
        OscillatorClass::ALL
    } else {
        &arguments.class
    };
    let start = now();
    let report = run_all(&plan, classes);
    let seconds = now().duration_since(start).as_secs_f64();
    if arguments.json {
        println!("{}", answer(&plan, arguments.bounded, &report, seconds));
    } else {
        println!("{}", table(&report));
    }
    if report.is_met() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn answer(plan: &Plan, bounded: bool, report: &Report, seconds: f64) -> Value {
    json!({
        "suite": "holdover",
        "seed": plan.seed,
        "bounded": bounded,
        "runs": plan.runs,
        "alone_s": plan.alone_s,
        "met": report.is_met(),
        "seconds": (seconds * 10.0).round() / 10.0,
        "classes": report.classes.iter().map(class_answer).collect::<Vec<_>>(),
    })
}

fn class_answer(report: &ClassReport) -> Value {
    let mut parts = Map::new();
    let counts = report.largest_hour.iter().zip(report.needed);
    for (name, (share, (largest, needed))) in
        PART_NAMES.iter().zip(report.parts_hour.iter().zip(counts))
    {
        let share = rounded(*share, 1_000.0);
        let part = json!({ "median_share": share, "largest": largest, "needed": needed });
        parts.insert((*name).to_owned(), part);
    }
    json!({
        "class": report.class.name(),
        "runs": report.runs,
        "covered": report.covered,
        "measured": { "runs": report.measured.0, "covered": report.measured.1 },
        "error_1h_ns": { "p50": report.error_hour_ns.0.round(), "p99": report.error_hour_ns.1.round() },
        "bound_1h_ns": {
            "p50": report.bound_hour_ns.0, "p95": report.bound_hour_ns.1, "p99": report.bound_hour_ns.2,
        },
        "bound_over_error_p99": {
            "p50": rounded(report.ratios().0, 100.0), "p99": rounded(report.ratios().1, 100.0),
        },
        "within_5_p99": report.tight,
        "worst_error_over_bound": {
            "p50": rounded(report.worst.0, 1_000.0), "p99": rounded(report.worst.1, 1_000.0),
        },
        "parts_1h": parts,
        "outside": report.outside.iter().map(run_answer).collect::<Vec<_>>(),
        "met": report.is_met(),
    })
}

fn run_answer(run: &Run) -> Value {
    json!({
        "run": run.number,
        "locked_s": run.locked_s,
        "measured": run.is_measured,
        "outside_at_s": run.outside_at_s,
        "worst": rounded(run.worst, 1_000.0),
    })
}

fn table(report: &Report) -> String {
    let mut lines = vec![
        "| class | runs | covered | error 1 h p50 us | p99 us | bound 1 h p50 us | p99 us | over p99 of the \
         error: p50 | p99 | error/bound, worst of a run: p50 | p99 | bar |"
            .to_owned(),
        format!("| --- |{} --- |", " ---: |".repeat(10)),
    ];
    for class in &report.classes {
        let us = |ns: f64| format!("{:.3}", ns / 1_000.0);
        lines.push(format!(
            "| {} | {} | {} | {} | {} | {} | {} | {:.2} | {:.2} | {:.2} | {:.2} | {} |",
            class.class.name(),
            class.runs,
            class.covered,
            us(class.error_hour_ns.0),
            us(class.error_hour_ns.1),
            us(class.bound_hour_ns.0),
            us(class.bound_hour_ns.2),
            class.ratios().0,
            class.ratios().1,
            class.worst.0,
            class.worst.1,
            if class.is_met() { "met" } else { "missed" },
        ));
    }
    lines.push(String::new());
    lines.push("| class: part | median share after 1 h | largest | needed |".to_owned());
    lines.push("| --- | ---: | ---: | ---: |".to_owned());
    for class in &report.classes {
        let counts = class.largest_hour.iter().zip(class.needed);
        for (name, (share, (largest, needed))) in
            PART_NAMES.iter().zip(class.parts_hour.iter().zip(counts))
        {
            let name_of_class = class.class.name();
            lines.push(format!(
                "| {name_of_class}: {name} | {share:.3} | {largest} | {needed} |"
            ));
        }
    }
    lines.join("\n")
}

/// Whole seconds of some hours, from a minute to a year.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded at both ends"
)]
fn seconds_of(hours: f64) -> u32 {
    (hours * 3_600.0).clamp(60.0, 31_536_000.0) as u32
}

fn rounded(number: f64, steps: f64) -> f64 {
    (number * steps).round() / steps
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where this program reads a clock"
)]
fn now() -> Instant {
    Instant::now()
}
