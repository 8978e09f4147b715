//! The command line.

use clap::{Parser, Subcommand};
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0  every promise held, and every planted fault was found
  1  something does not hold; it is named
  2  the command line was not understood
  3  it could not be done; standard error says why";

/// Kills and power cuts under the journal, on a real kernel, drawn from a seed.
#[derive(Debug, Parser)]
#[command(name = "fieldnotary-powercut", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
    /// Number from which logs, work and moments are drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// A short run for every change
    #[arg(long)]
    pub(crate) bounded: bool,
    /// The counts as one JSON object on one line; progress goes to standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// Kills of a writer
    #[arg(long, value_name = "N")]
    pub(crate) kills: Option<u64>,
    /// Power cuts under the journal's files
    #[arg(long, value_name = "N")]
    pub(crate) cuts: Option<u64>,
    /// Power cuts under an ext4 of its own, on a loop device; needs root
    #[arg(long, value_name = "N")]
    pub(crate) loop_cuts: Option<u64>,
    /// Power cuts of a whole machine
    #[arg(long, value_name = "N")]
    pub(crate) guest_cuts: Option<u64>,
    /// Folder of an unpacked kernel package with its modules listed; without it no machine is cut off
    #[arg(long, value_name = "DIR")]
    pub(crate) guest: Option<PathBuf>,
}

/// Roles in which the program starts itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Writes until it is killed
    #[command(hide = true)]
    Writer(WriterArgs),
}

/// What a writer is told.
#[derive(Debug, clap::Args)]
pub(crate) struct WriterArgs {
    /// The folder of log and truth store
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// The class of the truth store, by its place in the list
    #[arg(long)]
    pub(crate) class: usize,
    /// The log's seed
    #[arg(long)]
    pub(crate) log_seed: u64,
    /// The first capture to hand in
    #[arg(long)]
    pub(crate) first: u64,
    /// Number from which the work is drawn
    #[arg(long)]
    pub(crate) work_seed: u64,
    /// Acknowledge before the commit: a fault, planted to see it found
    #[arg(long)]
    pub(crate) hasty: bool,
}

/// How much is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) kills: u64,
    pub(crate) cuts: u64,
    pub(crate) loop_cuts: u64,
    pub(crate) guest_cuts: u64,
}

impl Args {
    /// What is asked for, over what the length stands for.
    pub(crate) fn size(&self) -> Size {
        let (kills, cuts, loop_cuts, guest_cuts) = if self.bounded {
            (36, 60, 3, 1)
        } else {
            (10_000, 10_000, 400, 240)
        };
        Size {
            kills: self.kills.unwrap_or(kills),
            cuts: self.cuts.unwrap_or(cuts),
            loop_cuts: self.loop_cuts.unwrap_or(match self.bounded && !root() {
                true => 0,
                false => loop_cuts,
            }),
            guest_cuts: self.guest_cuts.unwrap_or(guest_cuts),
        }
    }
}

/// Whether this program may mount a block device: a short run does without that where it may not.
fn root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(test)]
mod tests {
    use super::{Args, Size};
    use clap::{CommandFactory, Parser};

    fn size(words: &[&str]) -> Size {
        let line = ["powercut"].iter().chain(words);
        Args::try_parse_from(line).unwrap().size()
    }

    #[test]
    fn the_command_line_is_sound_and_a_full_run_is_as_large_as_promised() {
        Args::command().debug_assert();
        let full = size(&[]);
        assert!(full.kills >= 10_000 && full.cuts >= 10_000 && full.loop_cuts >= 300);
        assert!(full.guest_cuts >= 200);
        let bounded = size(&["--bounded", "--cuts", "7"]);
        assert!(bounded.kills < 100 && bounded.cuts == 7);
    }
}
