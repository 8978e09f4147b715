//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A meter data concentrator and RTU whose data nobody can doubt.
#[derive(Debug, Parser)]
#[command(name = "fieldnotary", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show a whole site at work: simulated meters, a node, a collector, faults, and the proof
    Demo(crate::demo::DemoArgs),
    /// Run a node until it is told to stop (SIGTERM or Ctrl-C)
    Run(RunArgs),
    /// Check a configuration file and say everything that is wrong with it
    Check(CheckArgs),
    /// Ask a running node how it is
    Status(DirArgs),
    /// Print the entries of a node's or a collector's directory
    Log(LogArgs),
    /// Verify every committed byte of a node's or a collector's directory
    Verify(VerifyArgs),
    /// Account for every due reading that is missing
    Gaps(DirArgs),
    /// One process of a node (started by `run`)
    #[command(hide = true)]
    Role(RoleArgs),
}

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The station's configuration
    pub(crate) config: PathBuf,
    /// Where journal, keys and sockets live; created if it does not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// End when the process that started this one ends
    #[arg(long)]
    pub(crate) die_with_parent: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// The station's configuration
    pub(crate) config: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DirArgs {
    /// A data directory
    pub(crate) dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct LogArgs {
    /// A node's or a collector's directory
    pub(crate) dir: PathBuf,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Only entries of this kind (reading, event, attempt_failed, ...); may be repeated
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<String>,
    /// Only entries about this meter
    #[arg(long, value_name = "METER")]
    pub(crate) meter: Option<String>,
    /// Start with this commit id
    #[arg(long, value_name = "COMMIT_ID", default_value_t = 0)]
    pub(crate) from: u64,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// A node's or a collector's directory
    pub(crate) dir: PathBuf,
    /// The log's key, pinned out of band, as a signed-note verifier key
    #[arg(long, value_name = "VKEY")]
    pub(crate) anchor: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RoleArgs {
    pub(crate) role: Role,
    #[arg(long)]
    pub(crate) config: PathBuf,
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// When the supervisor started, on the monotonic clock of this boot, in nanoseconds
    #[arg(long, default_value_t = 0)]
    pub(crate) node_started: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    Recorder,
    Time,
    Io,
    Uplink,
}
