//! `crash-states`: every way that power can fail in a sequence of operations.

use clap::Parser;
use fieldnotary_sim::suites::crash_states::{Breach, LENGTH_MAX, Plan, Report, replay, run};
use serde_json::{Map, Value, json};
use std::process::ExitCode;
use std::time::Instant;

/// Lets power fail at every device command of short sequences of operations, with every choice of
/// what reached the medium, and again while the engine recovers.
#[derive(Parser)]
struct Arguments {
    /// Chooses the samples
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What fits a change: all short sequences and a sample of the longer ones
    #[arg(long)]
    bounded: bool,
    /// Of the sequences of each length, from one on, every how many-th is tried; 0 for none
    #[arg(long, value_delimiter = ',')]
    one_in: Vec<u64>,
    /// One state, as a violation names it
    #[arg(long)]
    replay: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    eprintln!("seed {}", arguments.seed);
    // A panic of the engine is counted; its text would stand between the answers.
    std::panic::set_hook(Box::new(|_| {}));
    let mut plan = if arguments.bounded {
        Plan::bounded(arguments.seed)
    } else {
        Plan::full(arguments.seed)
    };
    if !arguments.one_in.is_empty() {
        plan.one_in = [0; LENGTH_MAX];
        plan.one_in
            .iter_mut()
            .zip(&arguments.one_in)
            .for_each(|(to, from)| *to = *from);
    }
    plan.threads = std::thread::available_parallelism().map_or(1, usize::from);
    let start = now();
    let report = match &arguments.replay {
        None => run(&plan),
        Some(address) => match replay(&plan, address) {
            Some(report) => report,
            None => {
                eprintln!("there is no state {address}");
                return ExitCode::FAILURE;
            }
        },
    };
    let seconds = now().duration_since(start).as_secs_f64();
    for words in &report.told {
        eprintln!("{words}");
    }
    let answer = answer(&plan, arguments.bounded, &report, seconds);
    if arguments.json {
        println!("{answer}");
    } else {
        println!("{answer:#}");
    }
    if report.is_clean() && report.states > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn answer(plan: &Plan, bounded: bool, report: &Report, seconds: f64) -> Value {
    let mut counts = Map::new();
    for (breach, key) in Breach::ALL {
        counts.insert(key.to_owned(), report.count(breach).into());
    }
    let rate = report.states as f64 / seconds.max(f64::MIN_POSITIVE);
    let mut answer = json!({
        "suite": "crash-states",
        "seed": plan.seed,
        "bounded": bounded,
        "states": report.states,
        "openings": report.openings,
        "states_again": report.states_again,
        "sequences": report.sequences,
        "commands": report.commands,
        "seconds": (seconds * 10.0).round() / 10.0,
        "states_per_s": rate.round(),
    });
    if let Value::Object(answer) = &mut answer {
        answer.append(&mut counts);
    }
    answer
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where this program reads a clock"
)]
fn now() -> Instant {
    Instant::now()
}
