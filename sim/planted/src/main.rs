//! `planted`: plants bugs in a copy of the sources, one at a time, and demands that a suite finds each.

mod table;
mod tree;
mod trial;

use clap::Parser;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;
use table::Bug;
use tree::{Tree, root};
use trial::{Outcome, SUITES, Trial};

/// Bugs that CI plants.
const BOUNDED_BUGS: usize = 3;

/// Plants bugs in a copy of the sources and runs the suites on it.
#[derive(Parser)]
struct Arguments {
    /// Chooses the bugs of a bounded run and the cases of the suites; without it the sources choose
    #[arg(long)]
    seed: Option<u64>,
    /// A few bugs only
    #[arg(long)]
    bounded: bool,
    /// This bug only
    #[arg(long)]
    only: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// What became of the bugs.
#[derive(Default)]
struct Tally {
    planted: usize,
    caught: BTreeMap<String, &'static str>,
    missed: Vec<String>,
    /// Bugs that do not compile, or suites that fail without a bug: nothing is proven then.
    errors: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let start = now();
    let (seed, tally) = match run(&arguments) {
        Ok(done) => done,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let seconds = now().duration_since(start).as_secs_f64();
    let answer = answer(seed, &tally, seconds);
    if arguments.json {
        println!("{answer}");
    } else {
        println!("{answer:#}");
    }
    if tally.planted > 0 && tally.caught.len() == tally.planted && tally.errors.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run(arguments: &Arguments) -> Result<(u64, Tally), String> {
    let work = root().join("target/planted");
    let target = work.join("build");
    std::fs::create_dir_all(&target).map_err(|error| format!("{}: {error}", target.display()))?;
    let tree = Tree::update(work.join("tree"))?;
    // A number that a report can show whole.
    let seed = arguments.seed.unwrap_or(tree.fingerprint >> 32);
    let trial = Trial {
        tree: &tree,
        target,
        seed,
    };
    let chosen = chosen(arguments, seed)?;
    let mut tally = Tally {
        planted: chosen.len(),
        ..Tally::default()
    };
    let mut at_large: Vec<&Bug> = chosen.iter().collect();
    for (suite, source) in SUITES {
        if at_large.is_empty() || !tree.has(source) {
            continue;
        }
        // A suite that fails by itself finds every bug.
        if trial.run(suite)? != Outcome::Passed {
            tally.errors.push(format!("{suite} fails without a bug"));
            return Ok((seed, tally));
        }
        at_large = hunted(&trial, suite, at_large, &mut tally)?;
    }
    for bug in at_large {
        eprintln!("{}: MISSED; {}", bug.name, bug.breaks);
        tally.missed.push(bug.name.clone());
    }
    Ok((seed, tally))
}

fn chosen(arguments: &Arguments, seed: u64) -> Result<Vec<Bug>, String> {
    let mut bugs = table::bugs()?;
    if let Some(only) = &arguments.only {
        bugs.retain(|bug| bug.name == *only);
        if bugs.is_empty() {
            return Err(format!("there is no bug `{only}` in bugs.toml"));
        }
    } else if arguments.bounded {
        let count = bugs.len();
        // Neighbours in the table break the same part: they are drawn apart.
        let first = usize::try_from(seed % count as u64).unwrap_or(0);
        let wanted = (0..BOUNDED_BUGS).map(|n| (first + n * count / BOUNDED_BUGS) % count);
        let wanted: Vec<usize> = wanted.collect();
        let mut at = 0;
        bugs.retain(|_| {
            at += 1;
            wanted.contains(&(at - 1))
        });
    }
    Ok(bugs)
}

/// Runs a suite on each bug; those that it does not find are given back.
fn hunted<'b>(
    trial: &Trial<'_>,
    suite: &'static str,
    bugs: Vec<&'b Bug>,
    tally: &mut Tally,
) -> Result<Vec<&'b Bug>, String> {
    let mut at_large = Vec::new();
    for bug in bugs {
        trial.tree.plant(bug)?;
        let outcome = trial.run(suite);
        trial.tree.weed(bug)?;
        match outcome? {
            Outcome::Passed => {
                eprintln!("{}: not found by {suite}", bug.name);
                at_large.push(bug);
            }
            Outcome::Failed => {
                eprintln!("{}: found by {suite}", bug.name);
                tally.caught.insert(bug.name.clone(), suite);
            }
            Outcome::NotBuilt => {
                eprintln!("{}: does not compile", bug.name);
                tally.errors.push(format!("{} does not compile", bug.name));
            }
        }
    }
    Ok(at_large)
}

fn answer(seed: u64, tally: &Tally, seconds: f64) -> Value {
    let mut by_suite: BTreeMap<&str, u64> = BTreeMap::new();
    for suite in tally.caught.values() {
        *by_suite.entry(suite).or_default() += 1;
    }
    json!({
        "suite": "planted",
        "seed": seed,
        "planted": tally.planted,
        "caught": tally.caught.len(),
        "missed": tally.missed,
        "errors": tally.errors,
        "by_suite": by_suite,
        "caught_by": tally.caught,
        "seconds": (seconds * 10.0).round() / 10.0,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where this program reads a clock"
)]
fn now() -> Instant {
    Instant::now()
}
