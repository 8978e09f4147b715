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
    /// The counts as one JSON object, on the last line
    #[arg(long)]
    pub(crate) json: bool,
    /// Kills of a writer
    #[arg(long, value_name = "N")]
    pub(crate) kills: Option<u64>,
    /// Power cuts under the journal's files
    #[arg(long, value_name = "N")]
    pub(crate) cuts: Option<u64>,
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
    /// The log's folder
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// The truth store's folder
    #[arg(long)]
    pub(crate) truth_dir: PathBuf,
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
}

/// How much is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) kills: u64,
    pub(crate) cuts: u64,
}

impl Args {
    /// What is asked for, over what the length stands for.
    pub(crate) fn size(&self) -> Size {
        let (kills, cuts) = if self.bounded {
            (60, 400)
        } else {
            (10_000, 10_000)
        };
        Size {
            kills: self.kills.unwrap_or(kills),
            cuts: self.cuts.unwrap_or(cuts),
        }
    }
}
