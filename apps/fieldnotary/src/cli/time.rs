//! The verbs of `fieldnotary time`.

use super::help;
use crate::when::{instant, length_ns};
use clap::{ArgGroup, Args, Subcommand};
use evidence::{MeterId, UtcNs};
use query::Asked;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum TimeVerb {
    /// The clock as the newest entry was stamped by it: label, error bound, source, counters
    #[command(after_help = help::TIME_NOW)]
    Now(TimeNowArgs),
    /// Labels, error bound, jumps and restarts over time, with their causes and entries
    #[command(after_help = help::TIME_HISTORY)]
    History(TimeHistoryArgs),
    /// What the clock was worth at an instant, and why it jumped before
    #[command(after_help = help::TIME_WHY)]
    Why(TimeWhyArgs),
    /// The interval slots of a day: which are filled, late, early or empty, and where the clock was set
    #[command(after_help = help::TIME_SLOTS)]
    Slots(TimeSlotsArgs),
}

#[derive(Args, Debug)]
pub(crate) struct TimeSlotsArgs {
    /// A node's or a collector's directory
    pub(crate) dir: PathBuf,
    /// The day, such as 2026-03-29
    #[arg(long, value_name = "DATE")]
    pub(crate) day: String,
    /// The zone whose day it is, by its IANA name such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) zone: String,
    /// Length of a slot, 1s to 1d; its boundaries are multiples of it in UTC
    #[arg(long, value_name = "DURATION", default_value = "15min", value_parser = length_ns)]
    pub(crate) every: u64,
    /// How far from its boundary a reading fills a slot [default: a hundredth of the slot]
    #[arg(long, value_name = "DURATION", value_parser = length_ns)]
    pub(crate) tolerance: Option<u64>,
    /// Only this meter
    #[arg(long, value_name = "METER")]
    pub(crate) meter: Option<MeterId>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TimeNowArgs {
    /// A node's or a collector's directory
    pub(crate) dir: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TimeHistoryArgs {
    /// A node's or a collector's directory
    pub(crate) dir: PathBuf,
    /// From this time on: 2026-11-20T14:00:00Z, 2026-11-20, 14:00 (today), -1h; times are UTC
    #[arg(long, value_name = "TIME", value_parser = instant, allow_hyphen_values = true)]
    pub(crate) from: Option<UtcNs>,
    /// Up to this time, and not with it
    #[arg(long, value_name = "TIME", value_parser = instant, allow_hyphen_values = true)]
    pub(crate) to: Option<UtcNs>,
    /// Only the last N rows of the table
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) last: Option<usize>,
    /// Write the drawing to this file too, as SVG; nothing is ever overwritten
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("asked").args(["entry", "at"]).required(true))]
pub(crate) struct TimeWhyArgs {
    /// A node's or a collector's directory
    pub(crate) dir: PathBuf,
    /// The entry asked about, as 4711 or 1:4711
    #[arg(value_name = "COMMIT_ID", value_parser = entry)]
    pub(crate) entry: Option<Asked>,
    /// The instant asked about: 2026-11-20T14:00:00Z, 14:00 (today), -1h; UTC
    #[arg(long, value_name = "INSTANT", value_parser = instant, allow_hyphen_values = true)]
    pub(crate) at: Option<UtcNs>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

fn entry(text: &str) -> Result<Asked, String> {
    let due =
        || "an entry is written as its commit id, 4711, or with its generation, 1:4711".to_owned();
    let number = |digits: &str| digits.parse::<u64>().map_err(|_| due());
    let (generation, commit_id) = match text.split_once(':') {
        Some((generation, id)) => (Some(number(generation)?), number(id)?),
        None => (None, number(text)?),
    };
    Ok(Asked::Entry {
        generation,
        commit_id,
    })
}
