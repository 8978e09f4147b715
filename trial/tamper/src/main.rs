//! The tamper suite: honest logs, forged in every way that is known, and judged by verifiers of which most
//! have never heard of this project.

mod args;
mod clock;
mod court;
mod files;
mod forgeries;
mod keys;
mod maker;
mod memory;
mod report;
mod site;
mod verifiers;

use args::Args;
use clap::Parser;
use court::Court;
use report::Report;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use verifiers::{Tools, Who};

/// It could not be done.
const EXIT_FAILED: u8 = 3;

fn main() -> ExitCode {
    let args = Args::parse();
    if args.list {
        list();
        return ExitCode::SUCCESS;
    }
    eprintln!("seed {}", args.seed);
    let began = clock::now();
    match run(&args) {
        Ok(report) => {
            let seconds = began.elapsed().as_secs_f64();
            match args.json {
                true => println!("{}", report.json(args.seed, seconds)),
                false => report.print(args.seed, seconds),
            }
            match report.holds() {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            eprintln!("fieldnotary-tamper: {error}");
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn run(args: &Args) -> Result<Report, String> {
    let root = &args.dir;
    std::fs::create_dir(root)
        .map_err(|error| format!("cannot make {}: {error}", root.display()))?;
    let tools = Tools {
        fieldnotary: args.fieldnotary.clone(),
        go: args.go.clone(),
    };
    let (next, rounds) = (AtomicU64::new(0), args.rounds());
    let courts = std::thread::available_parallelism().map_or(1, usize::from);
    let work = |number: usize| {
        court(
            &root.join(number.to_string()),
            &tools,
            args.seed,
            &next,
            rounds,
        )
    };
    let reports: Vec<Result<Report, String>> = std::thread::scope(|scope| {
        let work = &work;
        let all: Vec<_> = (0..courts)
            .map(|number| scope.spawn(move || work(number)))
            .collect();
        let fault = || Err("a court ended by a fault of this program".to_owned());
        all.into_iter()
            .map(|one| one.join().unwrap_or_else(|_| fault()))
            .collect()
    });
    let mut report = Report::default();
    for one in reports {
        report.add(one?);
    }
    std::fs::remove_dir_all(root).map_err(|error| format!("{}: {error}", root.display()))?;
    Ok(report)
}

/// Takes rounds until none is left.
fn court(
    dir: &Path,
    tools: &Tools,
    seed: u64,
    next: &AtomicU64,
    rounds: u64,
) -> Result<Report, String> {
    std::fs::create_dir(dir).map_err(|error| format!("cannot make {}: {error}", dir.display()))?;
    let mut verifiers = verifiers::all(tools)?;
    let mut report = Report::default();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= rounds {
            return Ok(report);
        }
        Court::new(dir, &mut verifiers, &mut report).round(seed, number)?;
        eprintln!("round {} of {rounds}", number + 1);
    }
}

/// The table of forgeries in words.
fn list() {
    for forgery in forgeries::table() {
        let names: Vec<&str> = forgery.seen.iter().map(|who| who.name()).collect();
        let blind = Who::ALL
            .into_iter()
            .filter(|who| who.reads(forgery.form) && !forgery.seen.contains(who))
            .map(Who::name);
        let blind: Vec<&str> = blind.collect();
        println!("{} (verifier holds {})", forgery.name, forgery.held.name());
        if !names.is_empty() {
            println!("  must be found by {}", names.join(", "));
        }
        if !blind.is_empty() {
            println!(
                "  cannot be found by {}: {}",
                blind.join(", "),
                forgery.unseen
            );
        }
    }
}
