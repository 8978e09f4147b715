//! The verbs of `fieldnotary journal`.

use super::help;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum JournalVerb {
    /// Show a journal as it lies on its media: segments, frames, truth store, leases
    #[command(after_help = help::JOURNAL_INSPECT)]
    Inspect(InspectArgs),
    /// Say what is wrong with a journal, and salvage what can be read
    #[command(after_help = help::JOURNAL_FSCK)]
    Fsck(FsckArgs),
}

#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// A node's data directory, or one folder of its journal such as journal/g000001
    pub(crate) dir: PathBuf,
    /// Only this generation; otherwise all of them, in order
    #[arg(long, value_name = "N")]
    pub(crate) generation: Option<u64>,
    /// One segment: its header field by field, and its frames
    #[arg(long, value_name = "N")]
    pub(crate) segment: Option<u32>,
    /// One frame of that segment, by the byte at which it begins: its header and its entries
    #[arg(long, value_name = "OFFSET", requires = "segment")]
    pub(crate) frame: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct FsckArgs {
    /// A node's data directory, or one folder of its journal such as journal/g000001
    pub(crate) dir: PathBuf,
    /// Only this generation; otherwise all of them, in order
    #[arg(long, value_name = "N")]
    pub(crate) generation: Option<u64>,
    /// Write every entry that can be read into this new file, one JSON object a line, and what is
    /// missing between them
    #[arg(long, value_name = "FILE")]
    pub(crate) salvage: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
