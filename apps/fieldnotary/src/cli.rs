//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use evidence::{Kind, MeterId, UtcNs};
use proof::note::VerifierKey;
use std::path::PathBuf;

/// The one table of exit codes; every verb says what its own `no` is.
const CODES: &str = "\
Exit codes:
  0  done, and what was asked holds
  1  done, and the answer is no (each verb's --help says which no it has)
  2  the command line was not understood
  3  it could not be done; standard error says what, where and the cure";
const CODES_RUN: &str = "\
Exit codes:
  0  it was told to stop, and did
  2  the command line was not understood
  3  it could not run: configuration, keys, certificates or directory; standard error says which";
const CODES_CHECK: &str = "\
Exit codes:
  0  the configuration is sound
  1  it has errors; all of them are listed
  2  the command line was not understood
  3  the file could not be read";
const CODES_STATUS: &str = "\
Exit codes:
  0  a node runs there
  1  none does; what its files tell is shown
  2  the command line was not understood
  3  not a node's directory, or it could not be read";
const CODES_LOG: &str = "\
Exit codes:
  0  the entries were printed, be there any or none
  1  --meter names a meter that the log does not know
  2  the command line was not understood
  3  the directory is none, or it could not be read";
const CODES_VERIFY: &str = "\
Where the key comes from: `fieldnotary run` prints the log's keys when it is ready, and
`fieldnotary-signer vkey --identity DIR/identity` prints them again. Keep them elsewhere: keys that
lie beside a log find damage, but a forger would have replaced them too.

Exit codes:
  0  VERIFIED: everything holds
  1  NOT VERIFIED: something does not; it is named
  2  the command line was not understood
  3  the directory is none, holds no log, or could not be read";
const CODES_GAPS: &str = "\
Exit codes:
  0  nothing is missing, or an entry of the log explains all that is
  1  something is missing that nothing explains, a reading is there twice, or the log does not
     know the meter of --meter
  2  the command line was not understood
  3  the directory is none, holds no log, or could not be read";

/// A meter data concentrator and RTU whose data nobody can doubt.
#[derive(Debug, Parser)]
#[command(name = "fieldnotary", version, max_term_width = 100, after_help = CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show a whole site at work: simulated meters, a node, a collector, faults, and the proof
    Demo(crate::demo::DemoArgs),
    /// Run a node until it is told to stop (SIGTERM or Ctrl-C)
    #[command(after_help = CODES_RUN)]
    Run(RunArgs),
    /// Check a configuration file and say everything that is wrong with it
    #[command(after_help = CODES_CHECK)]
    Check(CheckArgs),
    /// One screen about a node: readings, log, collector, ring; also when it is not running
    #[command(after_help = CODES_STATUS)]
    Status(DirArgs),
    /// Print the entries of a node's or a collector's directory
    #[command(after_help = CODES_LOG)]
    Log(LogArgs),
    /// Verify every committed byte of a node's or a collector's directory
    #[command(after_help = CODES_VERIFY)]
    Verify(VerifyArgs),
    /// Account for every due reading that is missing
    #[command(after_help = CODES_GAPS)]
    Gaps(GapsArgs),
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
    /// Check against this data directory too: the log that is there, and files with relative paths
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
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
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub(crate) kind: Vec<Kind>,
    /// Only entries about this meter
    #[arg(long, value_name = "METER")]
    pub(crate) meter: Option<String>,
    /// Start with this commit id
    #[arg(long, value_name = "COMMIT_ID", default_value_t = 0)]
    pub(crate) from: u64,
}

#[derive(Args, Debug)]
pub(crate) struct GapsArgs {
    /// A node's or a collector's directory
    pub(crate) dir: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Only this meter
    #[arg(long, value_name = "METER")]
    pub(crate) meter: Option<MeterId>,
    /// Only what was due at this time or later (2026-11-20T14:00:00Z, or a date; UTC)
    #[arg(long, value_name = "T", value_parser = query::utc)]
    pub(crate) from: Option<UtcNs>,
    /// Only what was due before this time
    #[arg(long, value_name = "T", value_parser = query::utc)]
    pub(crate) to: Option<UtcNs>,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// A node's or a collector's directory
    pub(crate) dir: PathBuf,
    /// The log's key as you keep it, `ORIGIN+8 hex digits+base64`; may be repeated
    #[arg(long, value_name = "VKEY", value_parser = vkey)]
    pub(crate) anchor: Vec<VerifierKey>,
    /// List every finding; without it the first of each kind, and how many there are
    #[arg(long)]
    pub(crate) all: bool,
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

fn kind(name: &str) -> Result<Kind, String> {
    Kind::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        format!("the kinds of entries are {}", known.join(", "))
    })
}

fn vkey(text: &str) -> Result<VerifierKey, String> {
    text.parse::<VerifierKey>().map_err(|error| {
        format!("not a verifier key ({error}); copy a whole line of `fieldnotary-signer vkey`")
    })
}
