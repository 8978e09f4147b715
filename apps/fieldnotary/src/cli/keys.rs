//! The keys that sign the log.

use super::Why;
use clap::{Args, Subcommand};
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
Example:
  fieldnotary keys rotate node --reason \"yearly, order 4711\"

The node must run. With --json it prints one JSON object.

Exit codes:
  0  done
  2  the command line was not understood
  3  nothing was done, or not all of it; standard error says why";
const ROTATE: &str = HELP;

/// What is done about the keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysVerb {
    /// Make new keys in the store of the old ones, have these state it, and seal with the new ones
    #[command(after_help = ROTATE)]
    Rotate(Box<KeysRotateArgs>),
}

/// A rotation.
#[derive(Args, Debug)]
pub(crate) struct KeysRotateArgs {
    /// A running node's data directory
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) why: Why,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
