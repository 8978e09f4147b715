//! An answer is judged; the keys are taken in, and the node gets its certificate and a statement.

use std::path::{Path, PathBuf};

use certificates::papers::{Answer, Paper, Receipt, Request, sha256};
use certificates::{Holder, date};
use evidence::foreign::shown;
use exchange::collector::Cosigner as _;
use proof::Hash;
use proof::note::{Note, VerifierKey};
use rcgen::CertificateSigningRequestParams;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use trust_plane::{Claim, Enrolled, EnrolmentProof, answer_bytes};

use super::challenge::own_word;
use super::{CHALLENGE_LIFE_S, Record, Taken, amiss, origins, paper, vkeys};
use crate::clock;
use crate::error::Error;
use crate::files::{self, Access};
use crate::identity::{Identity, about, sign_request, tls_files};
use crate::limits::CERTIFICATE_DAYS_DEFAULT;

/// What an answer is taken in as.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The answer's file.
    pub answer: PathBuf,
    /// The log that the node is taken in for.
    pub origin: String,
    /// Name of the node, for its certificate.
    pub node: String,
    /// How long the certificate holds, in days, where something is said.
    pub days: Option<u32>,
    /// Base URL under which the node reaches the collector.
    pub url: Option<String>,
    /// Whether the log may have had other keys, which were revoked.
    pub new_keys: bool,
}

/// Judges an answer, takes the keys in and writes the receipt; gives words for whoever asked. The same answer gives
/// the same receipt again.
///
/// # Errors
/// What is wrong with the answer.
pub fn register(dir: &Path, asked: &Registered, out: &Path) -> Result<String, Error> {
    let refused = |words: &str| amiss(&asked.answer, words);
    let answer =
        Answer::read(&paper(&asked.answer)?).map_err(|error| amiss(&asked.answer, error))?;
    about(dir)?;
    let _taken = Taken::new(dir)?;
    let Some(mut record) = Record::read(dir, &answer.request)? else {
        return Err(refused(
            "no challenge of this collector is open for its request: it is another collector's, or the request was made \
             anew since",
        ));
    };
    if record.receipt.is_none() && clock::utc_s().saturating_sub(record.asked_s) > CHALLENGE_LIFE_S
    {
        return Err(refused(
            "its challenge is older than 14 days: make a new one of the same request",
        ));
    }
    if record.request.origin != asked.origin {
        return Err(refused(&format!(
            "it is of a node that signs the log {}, and --origin says {}: nobody is taken in for another's log",
            record.request.origin, asked.origin
        )));
    }
    let keys = vkeys(&record.request).ok_or_else(|| refused("its request has no keys"))?;
    answers(&record, &keys, &answer).map_err(refused)?;
    origins::judge(dir, &record, &keys, asked.new_keys)
        .map_err(|error| amiss(&asked.answer, error))?;
    let receipt = match record.receipt.clone() {
        Some(receipt) => {
            same_options(&receipt, asked).map_err(|words| refused(&words))?;
            receipt
        }
        None => {
            let receipt = receipt(dir, &record, keys, asked)?;
            record.receipt = Some(receipt.clone());
            // Before the receipt leaves, so that it can be had again.
            record.write(dir)?;
            receipt
        }
    };
    let until = certified_until(&receipt);
    let paper = Paper::Receipt(Box::new(receipt));
    files::write(out, paper.text().as_bytes(), Access::Public)?;
    Ok(shown(&format!(
        "took in the keys of {}, {}; its certificate holds until {until}",
        record.request.origin,
        own_word(&record.request)
    )))
}

/// Whom a receipt's certificate is of.
fn holder(receipt: &Receipt) -> Option<Holder> {
    let der = CertificateDer::from_pem_slice(receipt.certificate.as_bytes());
    Some(Holder::of(&der.ok()?))
}

/// Whether a receipt that was given is what is asked for now: it is given again as it is.
fn same_options(receipt: &Receipt, asked: &Registered) -> Result<(), String> {
    let given = holder(receipt);
    let name = given.as_ref().and_then(|holder| holder.name.clone());
    let days = given.and_then(|holder| holder.valid_s);
    // A day of it lies before it was given.
    let days = days.map(|(from, until)| until.saturating_sub(from) / 86_400 - 1);
    let shown = |days: i64| days.to_string();
    for (option, said, was) in [
        ("--node", Some(asked.node.clone()), name),
        (
            "--days",
            asked.days.map(|days| shown(days.into())),
            days.map(shown),
        ),
        ("--url", asked.url.clone(), Some(receipt.url.clone())),
    ] {
        if let Some(said) = said.filter(|said| was.as_ref() != Some(said)) {
            return Err(format!(
                "it was registered with {option} {}, and {said} is asked for: what was given stands; for another certificate \
                 the node makes a new request",
                was.as_deref().unwrap_or("left out")
            ));
        }
    }
    Ok(())
}

/// Until when a receipt's certificate holds.
fn certified_until(receipt: &Receipt) -> String {
    let valid_s = holder(receipt).and_then(|holder| holder.valid_s);
    let (_, end) = valid_s.unwrap_or_default();
    date(u64::try_from(end).unwrap_or_default())
}

/// Whether both keys answered this challenge, with what was in the credential.
fn answers(record: &Record, keys: &[VerifierKey; 2], answer: &Answer) -> Result<(), &'static str> {
    let note = Note::parse(answer.note.as_bytes()).map_err(|_| "its note is no signed note")?;
    let nonce = <&[u8; 32]>::try_from(record.nonce.0.as_slice());
    let nonce = nonce.map_err(|_| "its record has no nonce")?;
    let bytes = answer_bytes(nonce, &record.request.hash(), &record.inside.0);
    if note.text() != Claim::Attestation(&bytes).text(&record.request.log) {
        return Err(
            "it is no answer to the newest challenge, or not by the TPM that it was sealed to: have the newest challenge \
             answered on the node itself",
        );
    }
    let named = keys
        .each_ref()
        .map(|key| key.under_name(&record.request.log));
    let [Ok(authority), Ok(beside)] = named else {
        return Err("its keys cannot sign under the log's name");
    };
    let verified = note.verify(&[authority, beside]);
    match verified.is_ok_and(|verified| verified.has_key(0) && verified.has_key(1)) {
        true => Ok(()),
        false => Err("it is not signed by both keys of the request"),
    }
}

fn receipt(
    dir: &Path,
    record: &Record,
    vkeys: [VerifierKey; 2],
    asked: &Registered,
) -> Result<Receipt, Error> {
    let identity = Identity::load(dir)?;
    let (proof, vouched) = match &record.vouched {
        None => (EnrolmentProof::Possession, None),
        Some(vouched) => (EnrolmentProof::Credential, Some(vouched)),
    };
    let request = requested(&record.request)?;
    let certificate = sign_request(
        dir,
        &request,
        &asked.node,
        asked.days.unwrap_or(CERTIFICATE_DAYS_DEFAULT),
    )?;
    let (authority, url) = tls_files(dir, asked.url.as_deref())?;
    let stated = Enrolled {
        origin: record.request.origin.clone(),
        vkeys,
        proof,
        endorsement: vouched.map(|(certificate, _)| Hash(sha256(&certificate.0))),
        root: vouched.map(|(_, root)| root.clone()),
        request: Hash(record.request.hash()),
        certificate: pem_hash(&certificate)?,
        authority: pem_hash(&authority)?,
        url,
    };
    let text = stated.text();
    let line = identity.cosign(&text).map_err(Error::setup)?;
    let mut note = Note::new(text).map_err(Error::setup)?;
    note.add(line).map_err(Error::setup)?;
    Ok(Receipt {
        request: record.request.id(),
        statement: note.to_string(),
        registrar: identity.vkey().to_string(),
        endorsement: vouched.map(|(certificate, _)| certificate.clone()),
        certificate,
        authority,
        url: stated.url,
    })
}

/// SHA-256 of a certificate in PEM.
fn pem_hash(pem: &str) -> Result<Hash, Error> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(Error::setup)?;
    Ok(Hash(sha256(&der)))
}

fn requested(request: &Request) -> Result<CertificateSigningRequestParams, Error> {
    let params = CertificateSigningRequestParams::from_pem(&request.certificate_request);
    params.map_err(|error| {
        Error::refused(format!(
            "the request's certificate_request is no request for a certificate (PKCS#10) signed by its own key: {error}"
        ))
    })
}
