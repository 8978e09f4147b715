//! Enrolment: keys of a node are taken in against proof of what holds them, and taken back by name.
//!
//! Each request has a file of its own in `enrolment/`: the challenge that is open for it, then the receipt.

mod challenge;
mod origins;
mod readable;
mod register;
mod revoke;
mod turned_away;

pub use challenge::{Asked, challenge};
pub use readable::{Unread, UnreadFile};
pub use register::{Registered, register};
pub use revoke::{Revocation, Revoked, TakenBack, revoke};
pub(crate) use turned_away::revoked_words;
pub use turned_away::turned_away;

use std::path::{Path, PathBuf};

use certificates::papers::{Bytes, PAPER_BYTES_MAX, Receipt, Request};
use evidence::foreign::shown;
use proof::note::VerifierKey;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files::{self, Access};
use crate::identity::serial_of;
use crate::registry::{self, Pin};
use revoke::Revocations;

const DIRECTORY: &str = "enrolment";
/// How long a challenge can be answered, in seconds: a visit to a site and back.
pub const CHALLENGE_LIFE_S: u64 = 14 * 86_400;

/// What was proved to whom asked, or is to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    request: Request,
    /// When the challenge was made, in seconds since 1970.
    asked_s: u64,
    nonce: Bytes,
    /// What only the TPM can find in the credential; empty where there is none.
    inside: Bytes,
    /// The endorsement certificate that was vouched for, and the root of its chain.
    vouched: Option<(Bytes, String)>,
    receipt: Option<Receipt>,
}

impl Record {
    fn path(dir: &Path, request: &str) -> Result<PathBuf, Error> {
        let hex = request.len() == 64 && request.bytes().all(|byte| byte.is_ascii_hexdigit());
        match hex {
            true => Ok(dir.join(DIRECTORY).join(format!("{request}.json"))),
            false => Err(Error::refused(
                "the paper names no request: 64 hex digits are due",
            )),
        }
    }

    fn read(dir: &Path, request: &str) -> Result<Option<Self>, Error> {
        let path = Self::path(dir, request)?;
        let Some(bytes) = files::read(&path)? else {
            return Ok(None);
        };
        let damaged = |error: &dyn std::fmt::Display| {
            Error::setup(format!(
                "{} is damaged: {error}; restore it from a backup, or move it away: the node that it is of is then enrolled anew, \
                 or its keys are given with --log-key",
                path.display()
            ))
        };
        let record: Self = serde_json::from_slice(&bytes).map_err(|error| damaged(&error))?;
        if let Some(receipt) = &record.receipt
            && let Err(error) = serial_of(&receipt.certificate)
        {
            return Err(damaged(&format_args!("its certificate: {error}")));
        }
        Ok(Some(record))
    }

    fn write(&self, dir: &Path) -> Result<(), Error> {
        let path = Self::path(dir, &self.request.id())?;
        files::create_dir(&dir.join(DIRECTORY))?;
        let text = serde_json::to_string_pretty(self).map_err(Error::setup)?;
        files::write(&path, text.as_bytes(), Access::Secret)
    }
}

/// A paper from elsewhere.
fn paper(path: &Path) -> Result<Vec<u8>, Error> {
    use std::io::Read as _;
    let file = std::fs::File::open(path).map_err(Error::io("read", path))?;
    let limit = u64::try_from(PAPER_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let mut limited = file.take(limit.saturating_add(1));
    limited
        .read_to_end(&mut bytes)
        .map_err(Error::io("read", path))?;
    Ok(bytes)
}

/// What is wrong with a paper, and where; what was sent here steers no terminal.
fn amiss(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::refused(format!("{}: {}", path.display(), shown(&error.to_string())))
}

/// The verifier keys of a request, the authority first.
fn vkeys(request: &Request) -> Option<[VerifierKey; 2]> {
    let keys: Result<Vec<VerifierKey>, _> = request.vkeys.iter().map(|key| key.parse()).collect();
    keys.ok()?.try_into().ok()
}

/// Held while what lies in the folder is read, judged and changed: two commands at once do not both find it free.
struct Taken(#[expect(dead_code, reason = "the open file is the lock")] std::fs::File);

impl Taken {
    fn new(dir: &Path) -> Result<Self, Error> {
        let folder = dir.join(DIRECTORY);
        files::create_dir(&folder)?;
        let path = folder.join("lock");
        let mut options = std::fs::OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(Error::io("open", &path))?;
        file.lock().map_err(Error::io("lock", &path))?;
        Ok(Self(file))
    }
}

/// Everything that was asked here.
fn records(dir: &Path) -> Result<Vec<Record>, Error> {
    each_record(dir)?.into_iter().collect()
}

/// The same, each with what is wrong with it where it cannot be read.
fn each_record(dir: &Path) -> Result<Vec<Result<Record, Error>>, Error> {
    let folder = dir.join(DIRECTORY);
    let found = match std::fs::read_dir(&folder) {
        Ok(found) => found.collect::<Result<Vec<_>, _>>(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let mut all = Vec::new();
    for entry in found.map_err(Error::io("list", &folder))? {
        let name = entry.file_name();
        let request = name.to_str().and_then(|name| name.strip_suffix(".json"));
        if let Some(request) = request.filter(|request| request.len() == 64) {
            all.extend(Record::read(dir, request).transpose());
        }
    }
    Ok(all)
}

/// The pins of all keys that were taken in here, and those given on the command line; those that were revoked say so.
///
/// # Errors
/// Files that cannot be read.
pub fn pins(dir: &Path, given: Vec<Pin>) -> Result<Vec<Pin>, Error> {
    let mut all = given;
    for record in records(dir)? {
        let keys = record.receipt.as_ref().and_then(|_| vkeys(&record.request));
        for key in keys.into_iter().flatten() {
            let pin = Pin::new(key, &record.request.origin);
            if !all.contains(&pin) {
                all.push(pin);
            }
        }
    }
    let revoked = Revocations::read(dir)?;
    let is_revoked = |key: &VerifierKey| revoked.find(key).is_some();
    let marked = all.into_iter().map(|pin| match revoked.find(pin.key()) {
        Some(one) => pin.revoked(&one.how()),
        None => pin,
    });
    registry::with_followers(dir, marked.collect(), &is_revoked)
}

#[cfg(test)]
pub(crate) mod tests;
