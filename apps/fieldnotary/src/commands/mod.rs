//! The verbs that people type.

/// Prints to standard output; a reader that went away (`| head`) is no error of ours.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stdout(), $($words)*);
    }};
}

/// The same with a line end.
macro_rules! sayln {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}

/// Complains on standard error; nobody there to hear it is no error of ours either.
macro_rules! complain {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}
pub(crate) use complain;

mod check;
mod directory;
mod gaps;
mod log;
mod log_words;
mod misfits;
mod on_disk;
mod readiness;
mod run;
mod status;
mod status_screen;
mod table;
mod verify;
mod words;

pub(crate) use check::check;
pub(crate) use directory::open_reader;
pub(crate) use gaps::gaps;
pub(crate) use log::log;
pub(crate) use readiness::delivery_is_hopeless;
pub(crate) use run::{run, run_role};
pub(crate) use status::status;
pub(crate) use verify::verify;

use contract::{Contract, ContractErrors};
use std::path::Path;

/// How a verb ended: what scripts can trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Done, and what was asked holds.
    Well,
    /// Done, and what was asked does not hold.
    Badly,
}

/// Reads a configuration; the error is everything that is wrong with it.
pub(crate) fn load_contract(path: &Path) -> Result<Contract, String> {
    read_contract(path).map(|(_, contract)| contract)
}

/// The same, and the text that it was read from.
fn read_contract(path: &Path) -> Result<(String, Contract), String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the configuration {}: {error}", path.display()))?;
    match contract::parse(&text) {
        Ok(contract) => Ok((text, contract)),
        Err(errors) => Err(ContractErrors::new(&path.display().to_string(), &errors).to_string()),
    }
}
