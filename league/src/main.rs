//! The league: other engines and ours under the same commits and the same faults.
//!
//! Each row is an engine in its strictest durable mode. What commits cost is counted on devices of
//! the row's own where the league may mount some; after faults, a child opens the damaged copy.

mod child;
mod clock;
mod cost;
mod device;
mod engine;
mod engines;
mod faults;
mod image;
mod noise;
mod record;
mod report;
mod verbs;
mod verdict;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use serde_json::json;

use device::Ground;
use engine::{Failed, Place, ROWS, Row, row};
use faults::Faulty;
use report::Found;

/// The league: other engines and ours under the same commits and the same faults.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// What records and faults follow from; drawn and printed if not given
    #[arg(long)]
    seed: Option<u64>,
    /// A tenth of the commits, three trials of each fault
    #[arg(long)]
    bounded: bool,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
    /// These rows only (comma-separated)
    #[arg(long, value_delimiter = ',')]
    engines: Vec<String>,
    /// Seconds after which an engine that does not answer counts as one that refuses
    #[arg(long, default_value_t = 20)]
    step_seconds: u64,
    /// Where files are made
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// What a child of the league does.
#[derive(Subcommand)]
enum Verb {
    /// Commit batches of as many records as each line of standard input says
    #[command(hide = true)]
    Commit {
        engine: String,
        data: PathBuf,
        truth: PathBuf,
        #[arg(long)]
        seed: u64,
    },
    /// Open and say everything
    #[command(hide = true)]
    Read {
        engine: String,
        data: PathBuf,
        truth: PathBuf,
    },
    /// Time and count commits
    #[command(hide = true)]
    Cost {
        engine: String,
        data: PathBuf,
        truth: PathBuf,
        #[arg(long)]
        seed: u64,
        #[arg(long)]
        batch: u64,
        #[arg(long)]
        commits: u64,
    },
}

/// Trials of each fault, in full and in the short form.
const TRIALS: u64 = 60;
const TRIALS_BOUNDED: u64 = 3;
/// The short form's part of the commits.
const BOUNDED_PART: u64 = 10;

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    let outcome = match arguments.verb.take() {
        Some(verb) => child(verb),
        None => league(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(why)) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn child(verb: Verb) -> Result<(), Failed> {
    match verb {
        Verb::Commit {
            engine,
            data,
            truth,
            seed,
        } => verbs::commit(&engine, &Place { data, truth }, seed),
        Verb::Read {
            engine,
            data,
            truth,
        } => verbs::read(&engine, &Place { data, truth }),
        Verb::Cost {
            engine,
            data,
            truth,
            seed,
            batch,
            commits,
        } => cost::run(&engine, &Place { data, truth }, seed, (batch, commits)),
    }
}

fn league(arguments: &Arguments) -> Result<(), Failed> {
    let began = clock::now();
    let seed = arguments
        .seed
        .unwrap_or_else(|| u64::from(std::process::id()));
    let rows: Vec<&'static Row> = match arguments.engines.as_slice() {
        [] => ROWS.iter().collect(),
        names => names
            .iter()
            .map(|name| row(name).ok_or_else(|| Failed(format!("there is no engine `{name}`"))))
            .collect::<Result<_, _>>()?,
    };
    let mut found = Vec::new();
    for row in rows {
        if !arguments.json {
            eprintln!("{} ({})", row.name, row.mode);
        }
        let tried = one(row, arguments, seed);
        found.push(
            tried
                .map_err(|Failed(why)| Failed(format!("{}: {why}", row.name)))?
                .json(),
        );
    }
    if arguments.json {
        let seconds = began.elapsed().as_secs();
        println!(
            "{}",
            json!({"rows": found, "seed": seed, "seconds": seconds})
        );
    } else {
        println!("{}seed {seed}", report::tables(&found));
    }
    Ok(())
}

fn one(row: &'static Row, arguments: &Arguments, seed: u64) -> Result<Found, Failed> {
    let below = arguments.dir.clone().unwrap_or_else(std::env::temp_dir);
    let (part, trials) = match arguments.bounded {
        true => (BOUNDED_PART, TRIALS_BOUNDED),
        false => (1, TRIALS),
    };
    let ground = Ground::make(&below)?;
    let mut costs = BTreeMap::new();
    for (batch, commits) in cost::RUNS {
        let name = format!("batch-{batch}");
        let cost = cost::of(row.name, &ground, &name, seed, (batch, commits / part))?;
        costs.insert(batch, cost);
    }
    let trial = Faulty {
        engine: row.name,
        below: &below,
        seed,
        step_max: Duration::from_secs(arguments.step_seconds),
    };
    Ok(Found {
        row,
        costs,
        faults: trial.all(trials)?,
    })
}
