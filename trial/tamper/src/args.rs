//! The command line.

use clap::Parser;
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0  every forgery was found by whoever can find it, and every honest log was accepted by all
  1  something was missed, or accused falsely; it is named
  2  the command line was not understood
  3  it could not be done; standard error says what, where and the cure";

/// Forged logs, judged by this project's verifiers and by strangers'.
#[derive(Clone, Debug, Parser)]
#[command(name = "fieldnotary-tamper", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// The program `fieldnotary`
    #[arg(long, value_name = "FILE")]
    pub(crate) fieldnotary: PathBuf,
    /// The verifier in Go, built from go/verify.go
    #[arg(long, value_name = "FILE")]
    pub(crate) go: PathBuf,
    /// Where the forged copies go; must not exist
    #[arg(long, value_name = "DIR", default_value = "fieldnotary-tamper")]
    pub(crate) dir: PathBuf,
    /// Number from which logs and forgeries are drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// A short run: every kind of forgery a few times, a minute at most
    #[arg(long)]
    pub(crate) bounded: bool,
    /// How often every kind of forgery is done, each time to other logs
    #[arg(long, value_name = "N")]
    pub(crate) rounds: Option<u64>,
    /// Say the table of forgeries, who must find them and who cannot, and do nothing
    #[arg(long)]
    pub(crate) list: bool,
    /// One JSON object at the end, on standard output; progress goes to standard error
    #[arg(long)]
    pub(crate) json: bool,
}

/// Rounds of a short run, and of a whole one.
const ROUNDS_BOUNDED: u64 = 2;
const ROUNDS: u64 = 60;

impl Args {
    /// How often every kind of forgery is done.
    pub(crate) fn rounds(&self) -> u64 {
        let usual = if self.bounded { ROUNDS_BOUNDED } else { ROUNDS };
        self.rounds.unwrap_or(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }
}
