//! The command line.

use clap::{Parser, Subcommand};
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0  the node named every cause rightly
  1  it did not; what it said stands in the answer
  2  the command line was not understood
  3  it could not be done; standard error says why";

/// A node in a guest machine whose clocks are moved, drawn from a seed.
#[derive(Debug, Parser)]
#[command(name = "fieldnotary-clock-guest", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
    /// Number from which sizes, directions and order are drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// A short run for every change
    #[arg(long)]
    pub(crate) bounded: bool,
    /// The answer as one JSON object on one line; progress goes to standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// Folder of an unpacked kernel package with its modules listed
    #[arg(long, value_name = "DIR")]
    pub(crate) guest: Option<PathBuf>,
    /// Folder of the node's programs
    #[arg(long, value_name = "DIR")]
    pub(crate) programs: Option<PathBuf>,
}

/// Roles in which the program starts itself, inside of the guest.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Is the true time for chronyd until it is killed
    #[command(hide = true)]
    Feed(FeedArgs),
    /// Is a grandmaster, with a ptp4l that steers the clock by it, until it is killed
    #[command(hide = true)]
    Lead(LeadArgs),
    /// Sets the clock as any program may
    #[command(hide = true)]
    Set(SetArgs),
}

/// What the true time is told.
#[derive(Debug, clap::Args)]
pub(crate) struct FeedArgs {
    /// The socket of chronyd's reference clock
    #[arg(long)]
    pub(crate) socket: PathBuf,
    /// The file that says how far the true time is ahead of where it was at first, in nanoseconds
    #[arg(long)]
    pub(crate) ahead: PathBuf,
}

/// Whom ptp4l follows, and where it is asked.
#[derive(Debug, clap::Args)]
pub(crate) struct LeadArgs {
    /// Where ptp4l is to have its management socket
    #[arg(long)]
    pub(crate) socket: PathBuf,
    /// The file that says how far the grandmaster is ahead of where it was at first, in nanoseconds
    #[arg(long)]
    pub(crate) ahead: PathBuf,
}

/// By how much the clock is set.
#[derive(Debug, clap::Args)]
pub(crate) struct SetArgs {
    /// Nanoseconds, forward positive
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) by: i64,
}
