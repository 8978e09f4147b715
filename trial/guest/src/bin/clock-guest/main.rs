//! A node in a guest machine whose clocks are moved in every way there is; it must name what was done.

mod args;
mod boots;
mod inside;
mod station;
mod tally;
mod ways;

use args::{Args, Role};
use clap::Parser;
use std::process::ExitCode;
use tally::Tally;

/// It could not be done.
const EXIT_FAILED: u8 = 3;

fn main() -> ExitCode {
    let args = Args::parse();
    let inside = match &args.role {
        Some(Role::Feed(feed)) => Some(inside::feed(feed)),
        Some(Role::Lead(lead)) => Some(inside::lead(lead)),
        Some(Role::Set(set)) => Some(inside::set(set)),
        None => None,
    };
    if let Some(outcome) = inside {
        return ended(outcome);
    }
    let began = clocks::mono();
    eprintln!("seed {}", args.seed);
    let mut tally = Tally::default();
    if let Err(error) = suite(&args, &mut tally) {
        return ended(Err(error));
    }
    let answer = tally.json(args.seed, clocks::mono().since(began));
    if args.json {
        println!("{answer}");
    } else {
        println!("{answer:#}");
    }
    if tally.breaches() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn ended(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fieldnotary-clock-guest: {error}");
            ExitCode::from(EXIT_FAILED)
        }
    }
}

/// One disk through its life: the ways in which a clock is moved, then boots with a clock that lies.
fn suite(args: &Args, tally: &mut Tally) -> Result<(), String> {
    let (Some(parts), Some(programs)) = (&args.guest, &args.programs) else {
        return Err(
            "a guest takes --guest and --programs; `cargo xtask clock-guest` gives both".into(),
        );
    };
    let station = station::Station::make(parts, programs)?;
    ways::ways(&station, args.seed, tally)?;
    if !args.bounded {
        boots::eleven_minutes(&station, tally)?;
        boots::real_time_clock(&station, tally)?;
    }
    boots::boots(&station, args.bounded, tally)
}
