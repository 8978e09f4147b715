//! A node in a guest machine whose keys are in the machine's TPM, behind the kernel's own driver: sealed, without
//! power, without the TPM, on an older disk, with an older TPM.

mod chip;
mod station;
mod ways;

use clap::Parser;
use serde_json::{Value, json};
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
    let mut station = station::Station::make(&args.guest, &args.programs)?;
    let mut told = Vec::new();
    for (name, way) in ways::ALL {
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
