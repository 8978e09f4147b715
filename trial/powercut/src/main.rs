//! Kills and power cuts under the journal on a real kernel, judged by what was acknowledged.

mod amnesia;
mod args;
mod capture;
mod clock;
mod cuts;
mod kills;
mod ledger;
mod log;
mod tally;
mod work;

use args::{Args, Role};
use clap::Parser;
use std::process::ExitCode;
use tally::Tally;

/// It could not be done.
const EXIT_FAILED: u8 = 3;

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(Role::Writer(writer)) = &args.role {
        kills::writer(writer);
        return ExitCode::SUCCESS;
    }
    let began = clock::now();
    eprintln!("seed {}", args.seed);
    let mut tally = Tally::default();
    if let Err(error) = run(&args, &mut tally) {
        eprintln!("fieldnotary-powercut: {error}");
        return ExitCode::from(EXIT_FAILED);
    }
    let seconds = (clock::now() - began).as_secs_f64();
    let answer = tally.json(args.seed, seconds);
    println!("{answer}");
    if tally.breaches() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run(args: &Args, tally: &mut Tally) -> Result<(), String> {
    let size = args.size();
    let temporary = tempfile::tempdir().map_err(log::said)?;
    let folder = |name: &str| {
        let folder = temporary.path().join(name);
        std::fs::create_dir(&folder)
            .map(|()| folder)
            .map_err(log::said)
    };
    kills::kills(&folder("kills")?, args.seed, size.kills, tally)?;
    cuts::cuts(&folder("cuts")?, args.seed, size.cuts, tally)?;
    Ok(())
}
