//! What people want of a meter's clock.

use super::Why;
use clap::Args;
use evidence::MeterId;
use std::path::PathBuf;

pub(crate) const SET_CLOCK: &str = "\
Examples:
  fieldnotary set-clock node m07 --reason \"it is four minutes slow\"

The configuration says how the clock is set (`clock_register` or `clock_telegram` of the meter). The
order is an entry of the log before anything is written, and so is what became of it. The time is
that of the node, by the stamp of the order: a node that does not know it to half a second
sets nothing. What the meter shows afterwards is told by the next session that sees its clock.

Exit codes:
  0  the meter has taken the time, and nothing that was seen of its clock says otherwise
  1  it was not told, or did not take it, or its clock does not show it; or no outcome came: the
     log will tell
  2  the command line was not understood
  3  nothing was committed; standard error says why";

#[derive(Args, Debug)]
pub(crate) struct SetClockArgs {
    /// A running node's data directory
    pub(crate) dir: PathBuf,
    /// The meter
    pub(crate) meter: MeterId,
    #[command(flatten)]
    pub(crate) why: Why,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
