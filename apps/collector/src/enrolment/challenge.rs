//! A request is judged and answered with a challenge.

use std::path::{Path, PathBuf};

use certificates::papers::{Bytes, Challenge, Credential, Paper, Request, sha256_hex};
use certificates::{Authorities, Purpose, SECRET_BYTES, key_name, seal};
use evidence::Generation;
use evidence::foreign::shown;
use evidence::reasons::Custody;
use exchange::split_origin;
use proof::note::{Algorithm, VerifierKey};
use tpm::KeyPublic;
use trust_plane::BaseOrigin;

use super::revoke::Revocations;
use super::{Record, Taken, amiss, paper, vkeys};
use crate::clock;
use crate::error::Error;
use crate::files::{self, Access};
use crate::identity::about;

/// Whom a request is held against.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The request's file.
    pub request: PathBuf,
    /// Files of authorities of TPM makers, PEM.
    pub roots: Vec<PathBuf>,
    /// Files of what these took back, PEM.
    pub revoked: Vec<PathBuf>,
    /// Whether keys are taken in by the node's own word.
    pub self_asserted: bool,
}

/// Judges a request and writes a challenge; gives the words for whoever asked.
///
/// # Errors
/// What is wrong with the request, or that nobody vouches for the node's TPM.
pub fn challenge(dir: &Path, asked: &Asked, out: &Path) -> Result<String, Error> {
    about(dir)?;
    let file = paper(&asked.request)?;
    let request = Request::read(&file);
    let request = request.map_err(|error| amiss(&asked.request, error))?;
    let keys = sound_keys(&request).map_err(|error| amiss(&asked.request, error))?;
    let id = request.id();
    let _taken = Taken::new(dir)?;
    let revoked = Revocations::read(dir)?;
    if let Some(one) = keys.iter().find_map(|key| revoked.find(key)) {
        let words = format!(
            "one of its keys was revoked here ({}): it is challenged no more; the node needs new keys",
            one.reason
        );
        return Err(amiss(&asked.request, words));
    }
    if Record::read(dir, &id)?.is_some_and(|record| record.receipt.is_some()) {
        return Err(amiss(
            &asked.request,
            "this request was answered and registered already; a new key or certificate needs a new request",
        ));
    }
    let mut nonce = [0; SECRET_BYTES];
    getrandom::fill(&mut nonce).map_err(Error::setup)?;
    let mut record = Record {
        request,
        asked_s: clock::utc_s(),
        nonce: Bytes(nonce.to_vec()),
        inside: Bytes::default(),
        vouched: None,
        receipt: None,
    };
    let (credential, words) = match asked.self_asserted {
        true => (
            None,
            format!("{:?} by its own word", record.request.custody),
        ),
        false => {
            let (sealed, root) = credential(asked, &keys, &mut record)?;
            let own_word = own_word(&record.request);
            let words = format!("in a TPM that {root} vouches for; {own_word}");
            (Some(sealed), words)
        }
    };
    let paper = Challenge {
        request: id.clone(),
        log: record.request.log.clone(),
        nonce: record.nonce.clone(),
        credential,
    };
    // Before the challenge leaves: an answer to one that was forgotten would be refused.
    record.write(dir)?;
    files::write(
        out,
        Paper::Challenge(paper).text().as_bytes(),
        Access::Public,
    )?;
    // Of the file as it lies there: whoever carries it can compute the same.
    let sum = sha256_hex(&file);
    Ok(shown(&format!(
        "{}: its authority is {words}\nSHA-256 of the request: {sum}",
        record.request.origin
    )))
}

/// What a node says of its keys' place and of who made that. Whose root vouches for a program says nothing of hardware.
pub(super) fn own_word(request: &Request) -> String {
    let (custody, maker) = (&request.custody, &request.maker);
    let emulated = match custody.as_str() == Custody::TpmEmulated.name() {
        true => ", a program and no chip",
        false => "",
    };
    format!("by the node's own word in {custody}{emulated} ({maker})")
}

/// The two keys, where they are of the log that the request is about.
fn sound_keys(request: &Request) -> Result<[VerifierKey; 2], String> {
    BaseOrigin::new(&request.origin).map_err(|error| error.to_string())?;
    let keys = vkeys(request).ok_or("two verifier keys are due")?;
    let algorithms = keys.each_ref().map(VerifierKey::algorithm);
    if algorithms != [Algorithm::EcdsaP256, Algorithm::Ed25519]
        || keys.iter().any(|key| key.name() != request.origin)
    {
        return Err("its keys are not a P-256 and an Ed25519 key of its own origin".to_owned());
    }
    let of_it = |(base, _): (&str, Generation)| base == request.origin;
    match split_origin(&request.log).is_some_and(of_it) {
        true => Ok(keys),
        false => Err(format!(
            "{:?} is no generation of {:?}",
            request.log, request.origin
        )),
    }
}

/// What only the TPM with these keys can open, and who vouches for that TPM.
fn credential(
    asked: &Asked,
    keys: &[VerifierKey; 2],
    record: &mut Record,
) -> Result<(Credential, String), Error> {
    let refused = |words: String| amiss(&asked.request, words);
    let without = "to take keys in by the node's own word, which the log will say: --self-asserted";
    let Some(public) = &record.request.key_public else {
        let custody = &record.request.custody;
        let words = format!(
            "its keys ({custody}) are in no TPM, and so nothing can be proved of them\n{without}"
        );
        return Err(refused(words));
    };
    let key = KeyPublic::parse(&public.0).map_err(|error| refused(error.to_string()))?;
    let [authority, _] = keys;
    if !authority.public_bytes().ends_with(&key.point()) {
        return Err(refused(
            "its public area is of another key than its verifier key".to_owned(),
        ));
    }
    if !key.is_authority() {
        let words = "its key may leave its TPM, or may sign what that did not make: no restricted signing key with \
                     fixedTPM, fixedParent and sensitiveDataOrigin";
        return Err(refused(words.to_owned()));
    }
    let (certificate, root) = vouched(asked, &record.request, without)?;
    let mut inside = [0; SECRET_BYTES];
    getrandom::fill(&mut inside).map_err(Error::setup)?;
    let sealed = seal(&certificate.0, &key_name(key.bytes()), &inside);
    let sealed =
        sealed.map_err(|error| refused(format!("its endorsement certificate: {error}")))?;
    record.inside = Bytes(inside.to_vec());
    record.vouched = Some((certificate, root.clone()));
    let credential = Credential {
        kind: sealed.kind.name().to_owned(),
        blob: Bytes(sealed.blob),
        secret: Bytes(sealed.secret),
    };
    Ok((credential, root))
}

/// The first endorsement certificate that somebody vouches for.
fn vouched(asked: &Asked, request: &Request, without: &str) -> Result<(Bytes, String), Error> {
    let authorities = authorities(asked)?;
    let refused = |words: String| amiss(&asked.request, words);
    if request.endorsements.is_empty() {
        let maker = &request.maker;
        let words = format!("its TPM ({maker}) has no endorsement certificate\n{without}");
        return Err(refused(words));
    }
    let mut faults = Vec::new();
    for one in &request.endorsements {
        let certificate = &one.certificate;
        match authorities.vouch(&certificate.0, &[], Purpose::Endorsement, clock::utc_s()) {
            Ok(vouched) => return Ok((certificate.clone(), vouched.root)),
            Err(fault) => faults.push(format!(
                "nobody vouches for its endorsement certificate ({}): {fault}",
                one.kind
            )),
        }
    }
    Err(refused(faults.join("; ")))
}

fn authorities(asked: &Asked) -> Result<Authorities, Error> {
    let read = |paths: &[PathBuf]| -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        for path in paths {
            let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
            all.extend(bytes);
            all.push(b'\n');
        }
        Ok(all)
    };
    if asked.roots.is_empty() {
        return Err(Error::usage(
            "--endorsement-ca FILE is missing: the certificates of the TPM's maker, root and those between, in PEM; or \
             take the keys in by the node's own word with --self-asserted",
        ));
    }
    let wrong = |option: &str, error| Error::usage(format!("{option}: {error}"));
    let authorities = Authorities::from_pem(&read(&asked.roots)?);
    let authorities = authorities.map_err(|error| wrong("--endorsement-ca", error))?;
    match asked.revoked.is_empty() {
        true => Ok(authorities),
        false => {
            let lists = read(&asked.revoked)?;
            let authorities = authorities.and_revoked(&lists);
            authorities.map_err(|error| wrong("--endorsement-crl", error))
        }
    }
}
