//! `fieldnotary journal`: the journal itself, for those who look after it.

mod export;
mod export_proof;

use super::Ended;
use crate::cli::JournalVerb;

/// Does what was asked of a journal.
pub(crate) fn journal(verb: &JournalVerb) -> Result<Ended, String> {
    match verb {
        JournalVerb::Export(args) => export::export(args),
    }
}
