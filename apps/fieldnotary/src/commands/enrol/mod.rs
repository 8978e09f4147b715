//! `fieldnotary enrol` and `keys`: a registrar takes the node's keys in; other keys take their place.

mod accept;
mod answer;
mod request;
mod revoked;
mod rotate;
mod signer;

use super::Ended;
use crate::cli::{EnrolVerb, KeysVerb};
use certificates::papers::{PAPER_BYTES_MAX, Request};
use evidence::foreign::shown;
use std::io::Read as _;
use std::path::Path;

/// The node's newest request, beside its key of TLS.
const REQUEST_FILE: &str = "request.json";

/// Does a step of an enrolment.
pub(crate) fn enrol(verb: &EnrolVerb) -> Result<Ended, String> {
    match verb {
        EnrolVerb::Request(args) => request::request(args),
        EnrolVerb::Answer(args) => answer::answer(args),
        EnrolVerb::Accept(args) => accept::accept(args),
        EnrolVerb::Revoked(args) => revoked::revoked(args),
    }
}

/// Does something about the keys.
pub(crate) fn keys(verb: &KeysVerb) -> Result<Ended, String> {
    match verb {
        KeysVerb::Rotate(args) => rotate::rotate(args),
    }
}

/// The bytes of a paper.
fn paper(path: &Path) -> Result<Vec<u8>, String> {
    let limit = u64::try_from(PAPER_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes));
    read.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(bytes)
}

/// What is wrong with a paper, and where; what was sent here steers no terminal.
fn amiss(path: &Path, error: impl std::fmt::Display) -> String {
    format!(
        "{}: {}; nothing was done",
        path.display(),
        shown(&error.to_string())
    )
}

/// The request that was made here last: what this node asked for, whatever a carrier made of it.
fn own_request(tls: &Path) -> Result<Request, String> {
    let path = tls.join(REQUEST_FILE);
    if !path.exists() {
        return Err(format!(
            "{} is missing: no request was made with this directory; make one with fieldnotary enrol request, or name \
             the directory of its --tls",
            path.display()
        ));
    }
    Request::read(&paper(&path)?).map_err(|error| amiss(&path, error))
}

/// Refuses a paper that is about another request than the node's own.
fn of_own_request(path: &Path, named: &str, own: &Request) -> Result<(), String> {
    match named == own.id() {
        true => Ok(()),
        false => Err(amiss(
            path,
            "it is about another request than the newest one that was made here: the request was changed on its way, \
             or made anew since; give the registrar the newest one, and compare what it says of it",
        )),
    }
}
