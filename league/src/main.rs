//! The league: other engines and ours under the same commits and the same faults.
//!
//! Each row is an engine in its strictest durable mode. What commits cost is counted on devices of
//! the row's own where the league may mount some; after faults, a child opens the damaged copy.

mod child;
mod clock;
mod cost;
mod cuts;
mod device;
mod engine;
mod engines;
mod faults;
mod image;
mod noise;
mod record;
mod report;
mod tape;
mod verbs;
mod verdict;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use serde_json::json;

use cost::Cost;
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
    /// A twentieth of the commits, three trials of each fault
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

/// How much is tried.
struct Extent {
    /// How often every row's costs are taken; the medians count.
    rounds: u64,
    /// One commit of so many.
    part: u64,
    /// Trials of each fault.
    trials: u64,
}

const WHOLE: Extent = Extent {
    rounds: 3,
    part: 1,
    trials: 60,
};
const BOUNDED: Extent = Extent {
    rounds: 1,
    part: 20,
    trials: 3,
};

/// Where faults are tried, if it is there: nothing is timed there, and memory spares the disk.
const MEMORY: &str = "/dev/shm";

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
    let extent = if arguments.bounded { BOUNDED } else { WHOLE };
    let below = arguments.dir.clone().unwrap_or_else(std::env::temp_dir);
    let costs = costs(&rows, &below, seed, &extent)?;
    let mut found = Vec::new();
    for (row, costs) in rows.into_iter().zip(costs) {
        let faulty = Faulty {
            engine: row.name,
            below: Some(Path::new(MEMORY))
                .filter(|dir| dir.is_dir())
                .unwrap_or(&below),
            seed,
            step_max: Duration::from_secs(arguments.step_seconds),
        };
        let faults = faulty.all(extent.trials).map_err(of_row(row))?;
        found.push(Found { row, costs, faults }.json());
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

/// What the commits of each row cost, by batch size. The rows take turns, so that a disk that is slow
/// for a while is slow for all.
fn costs(
    rows: &[&'static Row],
    below: &Path,
    seed: u64,
    extent: &Extent,
) -> Result<Vec<BTreeMap<u64, Cost>>, Failed> {
    let mut runs = vec![BTreeMap::<u64, Vec<Cost>>::new(); rows.len()];
    for _ in 0..extent.rounds {
        for (row, runs) in rows.iter().zip(&mut runs) {
            let ground = Ground::make(below)?;
            for (batch, commits) in cost::RUNS {
                let run = (batch, commits / extent.part);
                let cost = cost::of(row.name, &ground, seed, run).map_err(of_row(row))?;
                runs.entry(batch).or_default().push(cost);
            }
        }
    }
    let medians = |runs: BTreeMap<u64, Vec<Cost>>| {
        let of_batch = |(batch, runs): (u64, Vec<Cost>)| (batch, Cost::median(&runs));
        runs.into_iter().map(of_batch).collect()
    };
    Ok(runs.into_iter().map(medians).collect())
}

fn of_row(row: &Row) -> impl Fn(Failed) -> Failed {
    |Failed(why)| Failed(format!("{}: {why}", row.name))
}
