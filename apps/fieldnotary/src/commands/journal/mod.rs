//! `fieldnotary journal`: tools for a journal as it lies on its media.

mod budget;
mod content;
mod cure;
mod detail;
mod export;
mod export_proof;
pub(super) mod finding;
mod fsck;
mod inspect;
pub(super) mod look;
mod measures;
pub(super) mod place;
mod salvage_file;
mod selftest;
mod survey;

use super::Ended;
use crate::cli::JournalVerb;

/// Runs one of the tools.
pub(crate) fn journal(verb: &JournalVerb) -> Result<Ended, String> {
    match verb {
        JournalVerb::Inspect(args) => inspect::inspect(args),
        JournalVerb::Fsck(args) => fsck::fsck(args),
        JournalVerb::Selftest(args) => selftest::selftest(args),
        JournalVerb::Budget(args) => budget::budget(args),
        JournalVerb::Export(args) => export::export(args),
    }
}
