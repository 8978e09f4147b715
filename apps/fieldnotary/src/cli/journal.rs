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
    /// Look in the log for storage errors that seem to come from nowhere
    #[command(after_help = help::JOURNAL_SELFTEST)]
    Selftest(SelftestArgs),
    /// Compute what a configuration will write, how long its ring lasts, and its flash
    #[command(after_help = help::JOURNAL_BUDGET)]
    Budget(BudgetArgs),
    /// Write a log, or one entry with its proof, in a form that anybody's tools can check
    #[command(after_help = help::JOURNAL_EXPORT)]
    Export(ExportArgs),
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

#[derive(Args, Debug)]
pub(crate) struct SelftestArgs {
    /// A node's data directory, or a collector's
    pub(crate) dir: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BudgetArgs {
    /// The station's configuration
    pub(crate) config: PathBuf,
    /// Bytes of a page of the flash: what the smallest write costs
    #[arg(long, value_name = "SIZE", default_value = "16KiB", value_parser = size)]
    pub(crate) page: u64,
    /// How long a meter takes to answer, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 20)]
    pub(crate) reply_ms: u64,
    /// What the flash takes in all, in terabytes written (TBW of its data sheet)
    #[arg(long, value_name = "TB", value_parser = terabytes, conflicts_with_all = ["pe_cycles", "capacity"])]
    pub(crate) endurance_tbw: Option<f64>,
    /// How often each cell of the flash can be written, together with --capacity
    #[arg(long, value_name = "N", requires = "capacity", value_parser = cycles)]
    pub(crate) pe_cycles: Option<u64>,
    /// How large the flash is that spreads these writes, such as 4GiB
    #[arg(long, value_name = "SIZE", requires = "pe_cycles", value_parser = size)]
    pub(crate) capacity: Option<u64>,
    /// How often each cell of the truth store's medium can be written
    #[arg(long, value_name = "N", value_parser = cycles)]
    pub(crate) fram_cycles: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Bytes, or a whole number with a binary unit.
fn size(text: &str) -> Result<u64, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];
    let unit = units.iter().find(|(unit, _)| text.ends_with(unit));
    let (number, shift) = unit.map_or((text, 0), |(unit, shift)| {
        (text.trim_end_matches(unit), *shift)
    });
    let bytes = number.trim().parse::<u64>().ok();
    let bytes = bytes.and_then(|number| number.checked_mul(1 << shift));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| {
        "write bytes, or a whole number and KiB, MiB, GiB or TiB, such as 16KiB".to_owned()
    })
}

/// Terabytes that a flash takes: more than none, and a number.
fn terabytes(text: &str) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok();
    number
        .filter(|number| number.is_finite() && *number > 0.0)
        .ok_or_else(|| "write a number of terabytes above 0, such as 20 or 0.5".to_owned())
}

/// How often a cell can be written.
fn cycles(text: &str) -> Result<u64, String> {
    let number = text.trim().parse::<u64>().ok();
    number
        .filter(|number| *number > 0)
        .ok_or_else(|| "write a whole number of cycles above 0, such as 3000".to_owned())
}

#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("form").required(true)))]
pub(crate) struct ExportArgs {
    /// A node's data directory
    pub(crate) dir: PathBuf,
    /// The whole log up to its newest signed checkpoint: a directory of C2SP tlog-tiles
    #[arg(long, group = "form")]
    pub(crate) tiles: bool,
    /// One entry with its inclusion proof and the signed checkpoint: one file, C2SP tlog-proof
    #[arg(long, value_name = "COMMIT_ID", group = "form")]
    pub(crate) proof: Option<u64>,
    /// The new directory, or with --proof the new file
    #[arg(short, long, value_name = "OUT")]
    pub(crate) out: PathBuf,
    /// Of this generation; otherwise of the newest
    #[arg(long, value_name = "N")]
    pub(crate) generation: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
