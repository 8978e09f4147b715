//! What people want of the station's outputs.

use super::why::reason;
use clap::{ArgGroup, Args};
use evidence::PointId;
use std::path::PathBuf;

/// In two lines: written out the four steps are too long for a screen.
pub(crate) const OPERATE_USAGE: &str = "\
fieldnotary operate [OPTIONS] --reason <TEXT>
         <--select|--execute|--direct|--cancel> <DIR> <POINT>";

pub(crate) const OPERATE: &str = "\
Examples:
  fieldnotary operate node breaker-close --select --value on --reason \"order 4711\"
  fieldnotary operate node breaker-close --execute --value on --reason \"order 4711\"
  fieldnotary operate node valve --direct --value 42.5 --reason \"test run\"
  fieldnotary operate node breaker-close --cancel --reason \"wrong bay\"

The command is an entry of the log before anything moves, and so is what became of it: refused
and why, driven, proved by its feedback or not. A selection is its originator's: the same --actor
and user id.

Exit codes:
  0  selected, operated, proved or cancelled
  1  refused; or operated and not as commanded; or no outcome came: the log will tell
  2  the command line was not understood
  3  nothing was committed; standard error says why";

pub(crate) const TAG: &str = "\
Examples:
  fieldnotary tag node breaker-close --reason \"work on the busbar\"
  fieldnotary tag node breaker-close --remove --reason \"work has ended\"
  fieldnotary tag node breaker-close --remove --of \"bert (uid 1001)\" --reason \"he has left the site\"

A tag holds every command of the output back, whoever gives it. Each person has a tag of their
own, and the output is free when all are removed.

Exit codes:
  0  committed; the entry's number is printed
  2  the command line was not understood
  3  nothing was committed; standard error says why";

/// On what, and by whom.
#[derive(Args, Debug)]
pub(crate) struct OnOutput {
    /// A running node's data directory
    pub(crate) dir: PathBuf,
    /// The output
    pub(crate) point: PointId,
    /// Who it is by, for the log; otherwise the local user. The user id is added in either case
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("step").required(true))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one of four words of the command line"
)]
pub(crate) struct OperateArgs {
    #[command(flatten)]
    pub(crate) on: OnOutput,
    /// Hold it, and see whether it could be operated
    #[arg(long, group = "step", requires = "value")]
    pub(crate) select: bool,
    /// Operate what was selected before
    #[arg(long, group = "step", requires = "value")]
    pub(crate) execute: bool,
    /// Operate at once, where the contract allows it
    #[arg(long, group = "step", requires = "value")]
    pub(crate) direct: bool,
    /// Give the selection up
    #[arg(long, group = "step", conflicts_with = "value")]
    pub(crate) cancel: bool,
    /// What it is to become: on, off, or a number in its unit
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) value: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: String,
}

#[derive(Args, Debug)]
pub(crate) struct TagArgs {
    #[command(flatten)]
    pub(crate) on: OnOutput,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: String,
    /// Take a tag away
    #[arg(long)]
    pub(crate) remove: bool,
    /// Whose, where it is another's: a name with its user id, as `status` and `log` show it
    #[arg(long, value_name = "NAME", requires = "remove")]
    pub(crate) of: Option<String>,
}
