//! `fieldnotary time`: what stamps are worth, and why the clock jumped, from entries alone.

mod history;
mod now;
mod plot;
mod said;
mod svg;
#[cfg(test)]
mod tests;
mod why;

use super::Ended;
use super::directory::Directory;
use super::progress::Progress;
use crate::cli::TimeVerb;
use query::TimeAccount;
use std::path::Path;

/// Reads the log and answers.
pub(crate) fn time(verb: &TimeVerb) -> Result<Ended, String> {
    match verb {
        TimeVerb::Now(args) => now::now(args),
        TimeVerb::History(args) => history::history(args),
        TimeVerb::Why(args) => why::why(args),
    }
}

/// Shows every entry that is here to the account, those of the keep-rings too.
fn read(dir: &Path, account: &mut TimeAccount) -> Result<(), String> {
    let directory = Directory::open(dir)?;
    let progress = Progress::of("reading entry");
    directory.each_entry(0, true, |entry| {
        progress.step();
        account.observe(entry);
    })
}
