//! The verbs that people type.

/// Prints to standard output; a reader that went away (`| head`) is no error of ours.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let screen = $crate::commands::foreign::Screen(format_args!($($words)*));
        let _ = write!(std::io::stdout(), "{screen}");
    }};
}

/// The same with a line end.
macro_rules! sayln {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let screen = $crate::commands::foreign::Screen(format_args!($($words)*));
        let _ = writeln!(std::io::stdout(), "{screen}");
    }};
}

/// Complains on standard error; nobody there to hear it is no error of ours either.
macro_rules! complain {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let screen = $crate::commands::foreign::Screen(format_args!($($words)*));
        let _ = writeln!(std::io::stderr(), "{screen}");
    }};
}
pub(crate) use complain;

mod adopt;
mod adopt_again;
mod answer_folder;
mod backup;
mod backup_archive;
mod backup_log;
mod backup_manifest;
mod backup_statements;
mod backup_tar;
mod bus;
mod cards;
mod check;
mod clocks_asked;
mod clocks_there;
mod configured;
mod decode;
mod directory;
mod enrol;
mod entries;
mod firmware_there;
pub(crate) mod foreign;
mod gaps;
mod gaps_unread;
mod init;
mod ink;
mod journal;
mod keep_check;
mod log;
mod log_words;
mod manuals;
mod misfits;
mod on_disk;
mod own_signer;
mod ports;
mod preflight;
mod processes;
mod progress;
mod proof_custody;
mod quantities;
mod readiness;
mod restore;
mod restore_mark;
mod ring_files;
mod run;
mod sealed_by;
mod secrets;
mod site;
mod status;
mod status_certificates;
mod status_link;
mod status_medium;
mod status_outputs;
mod status_points;
mod status_screen;
mod status_trust;
mod table;
mod time;
mod unseen;
mod verify;
mod verify_answer;
mod verify_boot;
mod verify_counts;
mod verify_firmware;
mod verify_keys;
mod verify_link;
mod verify_pins;
mod verify_proof;
mod verify_revoked;
mod verify_stamps;
mod words;

pub(crate) use adopt::adopt;
pub(crate) use backup::backup;
pub(crate) use bus::bus;
pub(crate) use check::check;
pub(crate) use decode::decode;
pub(crate) use directory::{keys_beside, open_beside, open_reader};
pub(crate) use enrol::{enrol, keys};
pub(crate) use gaps::gaps;
pub(crate) use init::{init, point};
pub(crate) use journal::journal;
pub(crate) use log::log;
pub(crate) use log_words::entry_words;
pub(crate) use manuals::{completions, man};
pub(crate) use readiness::delivery_is_hopeless;
pub(crate) use restore::restore;
pub(crate) use run::{run, run_role};
pub(crate) use sealed_by::stated_in;
pub(crate) use site::{annotate, attest, maintenance, operate, set_clock, signoff, tag, wiring};
pub(crate) use status::status;
pub(crate) use time::time;
pub(crate) use unseen::Unseen;
pub(crate) use verify::verify;
pub(crate) use words::up_to;

use contract::{Contract, ContractErrors};
use directory::is_node;
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

/// The text of a configuration; the error says how to get one.
fn read_configuration(path: &Path) -> Result<String, String> {
    use std::io::ErrorKind;
    let shown = path.display();
    let refused =
        |what: &str, cure: String| format!("cannot read the configuration {shown}: {what}\n{cure}");
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => refused(
            "there is no such file",
            format!("write one with: fieldnotary init {shown}"),
        ),
        ErrorKind::IsADirectory => refused(
            "it is a directory",
            format!("name the file in it, or write one with: fieldnotary init {shown}"),
        ),
        ErrorKind::PermissionDenied => refused(
            "no permission",
            format!("look who may read it: ls -l {shown}"),
        ),
        _ => refused(&error.to_string(), format!("look at it: ls -l {shown}")),
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        refused(
            &format!("it is no text in UTF-8, from byte {at} on"),
            format!("look what it is: file {shown}; a fresh one comes from: fieldnotary init NAME"),
        )
    })
}

/// The same, and the text that it was read from.
fn read_contract(path: &Path) -> Result<(String, Contract), String> {
    let text = read_configuration(path)?;
    match contract::parse(&text) {
        Ok(contract) => Ok((text, contract)),
        Err(errors) => Err(ContractErrors::new(&path.display().to_string(), &errors)
            .on_one_screen()
            .to_string()),
    }
}
