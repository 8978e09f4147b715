//! `fieldnotary time`: what stamps are worth, why the clock jumped, and how slots are filled, from entries alone.

mod history;
mod now;
mod plot;
mod said;
mod slots;
mod svg;
#[cfg(test)]
mod tests;
mod why;

use super::Ended;
use super::directory::Directory;
use super::progress::Progress;
use crate::cli::TimeVerb;
use evidence::Entry;
use query::TimeAccount;
use std::path::Path;

/// Reads the log and answers.
pub(crate) fn time(verb: &TimeVerb) -> Result<Ended, String> {
    match verb {
        TimeVerb::Now(args) => now::now(args),
        TimeVerb::History(args) => history::history(args),
        TimeVerb::Why(args) => why::why(args),
        TimeVerb::Slots(args) => slots::slots(args),
    }
}

/// Shows every entry that is here to the account, those of the keep-rings too.
fn read(dir: &Path, account: &mut TimeAccount) -> Result<(), String> {
    each(dir, |entry| account.observe(entry))
}

fn each(dir: &Path, mut show: impl FnMut(&Entry)) -> Result<(), String> {
    let directory = Directory::open(dir)?;
    let progress = Progress::of("reading entry");
    directory.each_entry(0, true, |entry| {
        progress.step();
        show(entry);
    })?;
    Ok(())
}
