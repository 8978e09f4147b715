//! The TPM's endorsement keys: what their maker says of them, and what only they open.

use super::link::{Asked, Link};
use crate::limits::{TPM_RSA_TIMEOUT_NS, TPM_TIMEOUT_NS};
use tpm::limits::{CERTIFICATE_BYTES_MAX, NV_PART_BYTES_MAX};
use tpm::{Command, EndorsementKind, TpmError, response};
use trust_plane::{BackendError, Credential, Endorsement, Endorsements, KeyFault};

/// The certificates that the TPM keeps of its endorsement keys. One that cannot be read counts as none, and why is said: a
/// wire that fails is another matter.
pub(super) fn certificates(link: &mut Link) -> Result<Endorsements, Asked> {
    let mut found = Endorsements::default();
    for kind in EndorsementKind::ALL.iter().copied() {
        match certificate(link, kind.certificate_index()) {
            Ok(Ok(certificate)) => found.readable.push(Endorsement { kind, certificate }),
            Err(asked) if asked.is_absent() => {}
            Ok(Err(why)) => found.unreadable.push(format!("{}: {why}", kind.name())),
            Err(Asked::Tpm(error)) => {
                found.unreadable.push(format!("{}: {error}", kind.name()));
            }
            Err(asked) => return Err(asked),
        }
    }
    Ok(found)
}

/// The certificate at an index, or why what is there is none.
fn certificate(link: &mut Link, index: u32) -> Result<Result<Vec<u8>, String>, Asked> {
    let public = response::nv_public(&link.ask(&Command::nv_read_public(index))?)?;
    let length = public.data_bytes();
    if length > CERTIFICATE_BYTES_MAX {
        return Ok(Err(format!(
            "at {index:#x} are {length} bytes, at most {CERTIFICATE_BYTES_MAX} are read"
        )));
    }
    let mut whole = Vec::with_capacity(usize::from(length));
    let mut offset = 0;
    while offset < length {
        let part = (length - offset).min(NV_PART_BYTES_MAX);
        whole.extend(response::buffer(
            &link.ask(&Command::nv_read(index, part, offset))?,
        )?);
        offset += part;
    }
    // Some makers define more room than the certificate needs: what is behind it is no part of it.
    match der_length(&whole).filter(|stated| *stated <= whole.len()) {
        Some(stated) => {
            whole.truncate(stated);
            Ok(Ok(whole))
        }
        None => Ok(Err(format!(
            "what is at {index:#x} is no certificate in DER"
        ))),
    }
}

/// How long a DER structure says that it is, with its header; certificates have two octets of length.
fn der_length(bytes: &[u8]) -> Option<usize> {
    let [0x30, 0x82, high, low, ..] = bytes else {
        return None;
    };
    Some(usize::from(u16::from_be_bytes([*high, *low])) + 4)
}

/// Opens a credential with the endorsement key that it names, for the key that is open.
pub(super) fn activate(
    link: &mut Link,
    key: u32,
    credential: &Credential,
) -> Result<Vec<u8>, Asked> {
    let derive = Command::create_primary(&credential.kind.template());
    let limit_ns = match credential.kind {
        EndorsementKind::Rsa2048 => TPM_RSA_TIMEOUT_NS,
        EndorsementKind::P256 => TPM_TIMEOUT_NS,
    };
    let endorsement = response::handle(&link.ask_within(&derive, limit_ns)?)?;
    let opened = in_session(link, |link, session| {
        link.ask(&Command::policy_secret(session))?;
        let activate = Command::activate_credential(
            key,
            endorsement,
            session,
            &credential.blob,
            &credential.secret,
        );
        link.ask(&activate).map_err(refused)
    });
    // The TPM has few places for keys; where the wire is gone the next opening clears them.
    let _ = link.ask(&Command::flush(endorsement));
    Ok(response::buffer(&opened?)?)
}

fn in_session<T>(
    link: &mut Link,
    work: impl FnOnce(&mut Link, u32) -> Result<T, Asked>,
) -> Result<T, Asked> {
    let session = response::handle(&link.ask(&Command::policy_session())?)?;
    let done = work(link, session);
    if done.is_err() {
        // It ends with the command that it served; one that failed leaves it.
        let _ = link.ask(&Command::flush(session));
    }
    done
}

/// A TPM that does not open a credential answers with the code of whichever check failed first.
fn refused(asked: Asked) -> Asked {
    match asked {
        Asked::Tpm(error @ TpmError::Code { .. }) => {
            let words = format!(
                "the credential was not made for this key in this TPM: {error}; have the registrar make a challenge \
                 for this node's own request"
            );
            Asked::Wire(BackendError::new(KeyFault::Failed, words))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;
