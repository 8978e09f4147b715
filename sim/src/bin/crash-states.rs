//! `crash-states`: every way that power can fail in a sequence of operations.

use clap::Parser;
use fieldnotary_sim::suites::answer;
use fieldnotary_sim::suites::crash_states::{
    Breach, LENGTH_MAX, Plan, Progress, Report, replay, run,
};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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
    /// The part of the sequences that is tried, such as 3/10: all ten together are the whole run
    #[arg(long, value_parser = share, default_value = "1/1")]
    share: (u64, u64),
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
    plan.share = arguments.share;
    plan.threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (report, seconds) = answer::timed(|| match &arguments.replay {
        None => Some(watched(&plan)),
        Some(address) => replay(&plan, address),
    });
    let Some(report) = report else {
        eprintln!("there is no such state");
        return ExitCode::FAILURE;
    };
    for words in &report.told {
        eprintln!("{words}");
    }
    let counts = Breach::ALL.map(|(breach, key)| (key, report.count(breach)));
    let passed = report.is_clean() && report.states > 0;
    let tried = tried(&plan, arguments.bounded, &report, seconds);
    answer::give(tried, counts, arguments.json, passed)
}

/// Between two lines about how far a run has come.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// `I/N`, from 1 to N.
fn share(text: &str) -> Result<(u64, u64), String> {
    let parts = text.split_once('/');
    let numbers = parts.and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match numbers {
        Some((i, n)) if (1..=n).contains(&i) => Ok((i, n)),
        _ => Err(format!("{text} is no share; 3/10 is the third of ten")),
    }
}

/// A run that says how far it has come.
fn watched(plan: &Plan) -> Report {
    let progress = Arc::new(Progress::default());
    let seen = Arc::clone(&progress);
    // It ends with the program.
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(TELL_EVERY);
            let read = |of: &AtomicU64| of.load(Ordering::Relaxed);
            let (done, of) = (read(&seen.sequences), read(&seen.of));
            let percent = done * 100 / of.max(1);
            let states = read(&seen.states);
            eprintln!("{percent:>3} %: {done} of {of} sequences, {states} states");
        }
    });
    run(plan, &progress)
}

fn tried(plan: &Plan, bounded: bool, report: &Report, seconds: f64) -> Value {
    let rate = report.states as f64 / seconds.max(f64::MIN_POSITIVE);
    json!({
        "suite": "crash-states",
        "seed": plan.seed,
        "bounded": bounded,
        "share": [plan.share.0, plan.share.1],
        "states": report.states,
        "openings": report.openings,
        "states_again": report.states_again,
        "sequences": report.sequences,
        "commands": report.commands,
        "seconds": answer::tenths(seconds),
        "states_per_s": rate.round(),
    })
}
