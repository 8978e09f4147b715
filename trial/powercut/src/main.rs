//! Kills and power cuts under the journal on a real kernel, judged by what was acknowledged.

mod amnesia;
mod args;
mod blocks;
mod capture;
mod clock;
mod cuts;
mod guest;
mod kills;
mod ledger;
mod log;
mod plants;
mod run;
mod tally;
mod work;
mod writer;

use args::{Args, Role};
use clap::Parser;
use std::path::Path;
use std::process::ExitCode;
use tally::Tally;

/// It could not be done.
const EXIT_FAILED: u8 = 3;

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(Role::Writer(writer)) = &args.role {
        writer::writer(writer);
        return ExitCode::SUCCESS;
    }
    let began = clock::now();
    eprintln!("seed {}", args.seed);
    let mut tally = Tally::default();
    if let Err(error) = suite(&args, &mut tally) {
        eprintln!("fieldnotary-powercut: {error}");
        return ExitCode::from(EXIT_FAILED);
    }
    let seconds = (clock::now() - began).as_secs_f64();
    let answer = tally.json(args.seed, seconds);
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

/// Every part in turn, each in a folder of its own.
fn suite(args: &Args, tally: &mut Tally) -> Result<(), String> {
    type Part = fn(&Path, u64, u64, &mut Tally) -> Result<(), String>;
    let size = args.size();
    let parts: [(&str, u64, Part); 4] = [
        ("planted faults", 1, plants::plants),
        ("kills", size.kills, kills::kills),
        ("cuts", size.cuts, cuts::cuts),
        ("loop cuts", size.loop_cuts, blocks::cuts),
    ];
    for (part, count, run) in parts {
        let began = clock::now();
        let folder = tempfile::tempdir().map_err(log::said)?;
        run(folder.path(), args.seed, count, tally).map_err(|why| format!("{part}: {why}"))?;
        let seconds = (clock::now() - began).as_secs_f64();
        eprintln!("{part}: {count} in {seconds:.1} s");
    }
    if let Some(parts) = &args.guest {
        let folder = tempfile::tempdir().map_err(log::said)?;
        let guest = guest::Guest::build(parts, folder.path())?;
        guest::cuts(&guest, folder.path(), args.seed, size.guest_cuts, tally)?;
    }
    Ok(())
}
