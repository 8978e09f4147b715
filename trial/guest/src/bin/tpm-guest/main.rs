//! A node in a guest machine whose keys are in the machine's TPM, behind the kernel's own driver: sealed, without
//! power, without the TPM, on an older disk, with an older TPM.

mod chip;
mod firmware;
mod keys;
mod other_user;
mod rollback;
mod station;
mod ways;

use clap::Parser;
use serde_json::{Value, json};
use station::{Programs, Station};
use std::path::PathBuf;
use std::process::ExitCode;

/// It could not be done.
const EXIT_FAILED: u8 = 3;

/// A node whose keys are in a machine's TPM, through what befalls machines; each way is told as it ends
#[derive(Debug, Parser)]
#[command(name = "fieldnotary-tpm-guest", version)]
struct Args {
    /// The unpacked package of the guest's kernel; `cargo xtask tpm-guest` fetches it
    #[arg(long, value_name = "DIR")]
    guest: PathBuf,
    /// Where the node's own programs are
    #[arg(long, value_name = "DIR")]
    programs: PathBuf,
    /// The program with the tests of the keys
    #[arg(long, value_name = "FILE")]
    tests: PathBuf,
    /// The program that measures the keys
    #[arg(long, value_name = "FILE")]
    bench: PathBuf,
    /// Only the ways whose names have this in them, behind the first; may be given several times
    #[arg(long, value_name = "WORDS")]
    only: Vec<String>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match suite(&args) {
        Ok(answer) => {
            match args.json {
                true => println!("{answer}"),
                false => println!("{answer:#}"),
            }
            match answer.get("failed").and_then(Value::as_u64) {
                Some(0) => ExitCode::SUCCESS,
                _ => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            eprintln!("fieldnotary-tpm-guest: {error}");
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn suite(args: &Args) -> Result<Value, String> {
    let began = clocks::mono();
    let programs = Programs {
        node: args.programs.clone(),
        tests: args.tests.clone(),
        bench: args.bench.clone(),
    };
    let mut station = Station::make(&args.guest, &programs)?;
    let mut told = Vec::new();
    // The first makes the keys.
    let wanted = |name: &str| {
        let named = args.only.iter().any(|words| name.contains(words));
        named || args.only.is_empty() || name == ways::FIRST
    };
    for (name, way) in ways::ALL.iter().filter(|(name, _)| wanted(name)) {
        let verdict = way(&mut station);
        match &verdict {
            Ok(figures) => eprintln!("{name}: ok {figures}"),
            Err(why) => eprintln!("{name}: failed: {why}"),
        }
        told.push(match verdict {
            Ok(figures) => json!({"way": name, "ok": true, "figures": figures}),
            Err(why) => json!({"way": name, "ok": false, "why": why}),
        });
    }
    let failed = told
        .iter()
        .filter(|one| one.get("ok") != Some(&Value::Bool(true)));
    let failed = failed.count();
    let seconds = clocks::mono().since(began) / 1_000_000_000;
    Ok(json!({"tried": told.len(), "failed": failed, "seconds": seconds, "ways": told}))
}
