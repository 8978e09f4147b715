//! The adapters of GPIO lines, channels and serial lines against real drivers of the kernel, in a guest that has them.

mod bench;
mod far_end;
mod guest;
mod outputs;
mod uart;
mod ways;

use clap::{Parser, Subcommand};
use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitCode;

/// It could not be done.
const EXIT_FAILED: u8 = 3;

/// Edges, outputs, channels and a serial line through real drivers: taken, driven, counted, lost and refused.
#[derive(Debug, Parser)]
#[command(name = "fieldnotary-line-guest", version)]
struct Args {
    /// The guest's kernel; `cargo xtask line-guest` builds it
    #[arg(long, value_name = "FILE")]
    kernel: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// What is done inside of the guest
    #[command(hide = true)]
    Inside,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.role.is_some() {
        ways::all();
        return ExitCode::SUCCESS;
    }
    match suite(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("fieldnotary-line-guest: {error}");
            ExitCode::from(EXIT_FAILED)
        }
    }
}

/// Whether every way went as it should.
fn suite(args: &Args) -> Result<bool, String> {
    let kernel = args.kernel.as_ref().ok_or(
        "a guest takes --kernel with a simulated GPIO chip; `cargo xtask line-guest` builds one",
    )?;
    let answer = guest::answer(kernel)?;
    match args.json {
        true => println!("{answer}"),
        false => println!("{answer:#}"),
    }
    Ok(answer.get("failed").and_then(Value::as_u64) == Some(0))
}
