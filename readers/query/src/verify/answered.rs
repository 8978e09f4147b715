//! An answer to a number of whoever asked, for somebody who has nothing else of the log.

use super::Anchors;
use super::booted::authority_of;
use super::bound::is_authority;
use super::chain::more_beside_words;
use super::signers::Signers;
use super::unsigned::newer_keys_words;
use evidence::Digest;
use evidence::kinds::BootPcr;
use proof::note::{Note, NoteError, VerifierKey};
use tpm::Attest;
use trust_plane::limits::BOOT_PCRS;
use trust_plane::{Claim, Hash, Purpose, Quoted, Rotation, Stated, qualifying, quoted};

/// What a node answered, as it was written down. Nothing in it is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The signed statement.
    pub note: Note,
    /// What a TPM attests over it, where there is something.
    pub quoted: Option<Quoted>,
}

/// What of an answer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The log that answers, with its generation.
    pub origin: String,
    /// SHA-256 of the statement (`attestation_id`).
    pub id: Digest,
    /// Bytes of the number that it answers.
    pub nonce_bytes: u64,
    /// Their SHA-256.
    pub nonce_digest: Hash,
    /// Whether that is the number of whoever asks; without one nothing says that it is no older answer.
    pub fresh: bool,
    /// The known keys that signed the statement.
    pub signed: Vec<VerifierKey>,
    /// Lines of keys that are not known here.
    pub strangers: usize,
    /// What a TPM's key attests over the statement.
    pub attest: Option<Attest>,
    /// Whether that is of the PCRs that a boot extends: a TPM can be asked for a quote of none.
    pub measured: bool,
}

/// Why an answer is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerFault {
    /// Nothing could be judged: no key of that log is known.
    NoKey(String),
    /// This does not hold.
    Contradicts(String),
}

/// Whether those keys gave an answer whose it is to answer now: both that anchor the verification, or to which statements lead
/// from these last; whether it is to this number; and whether the authority among them attests PCRs over it.
///
/// # Errors
/// What does not hold.
pub fn verify_answer(
    answer: &Answer,
    nonce: Option<&[u8]>,
    anchors: &Anchors,
) -> Result<Answered, AnswerFault> {
    let text = answer.note.text();
    let stated = Stated::read(text).filter(|stated| stated.purpose == Purpose::Attestation);
    let stated = stated.ok_or_else(|| {
        let title = text.lines().next().unwrap_or_default();
        AnswerFault::Contradicts(format!(
            "its statement is none to whoever asked: it begins with {title:?}, and is not the three lines of one"
        ))
    })?;
    let keys = anchors.for_origin(stated.origin);
    if keys.is_empty() {
        return Err(match anchors.pinned {
            true => AnswerFault::Contradicts(anchors.none_for(stated.origin)),
            false => AnswerFault::NoKey(format!(
                "no key is known for {}, whose answer this is: give the one that you keep with --anchor VKEY",
                stated.origin
            )),
        });
    }
    let judged = judge(answer, &stated, &keys, |signed| {
        let of_log = |one: &&Rotation| one.base.generation(stated.origin).is_ok();
        let by = |one: &Rotation| {
            one.old
                .iter()
                .any(|old| signed.iter().any(|key| key.is_same_key(old)))
        };
        anchors.rotations.iter().filter(of_log).any(by)
    });
    let told = judged.map_err(AnswerFault::Contradicts)?;
    match nonce {
        None => Ok(told),
        Some(nonce) if Claim::Attestation(nonce).text(stated.origin) == text => {
            Ok(Answered { fresh: true, ..told })
        }
        Some(_) => Err(AnswerFault::Contradicts(
            "it answers another number than the one given with --nonce: it is an older answer, or one to somebody else"
                .to_owned(),
        )),
    }
}

/// Whether the keys signed, and attest; `followed` tells of some whether others followed them, in whatever generation.
fn judge(
    answer: &Answer,
    stated: &Stated<'_>,
    keys: &Signers,
    followed: impl Fn(&[VerifierKey]) -> bool,
) -> Result<Answered, String> {
    let note = &answer.note;
    if keys.has_more() {
        return Err(more_beside_words());
    }
    let verified = note.verify(keys.known()).map_err(|error| {
        let newer = match error {
            NoteError::NoKnownKey => newer_keys_words(note, stated.origin),
            _ => "",
        };
        format!("the statement: {error}{newer}")
    })?;
    let by = |place| verified.has_key(place);
    let signed = signed_by(keys, by);
    // An answer has no size, so that it is due of the newest keys: those that others followed answer nobody any more.
    if followed(&signed) {
        return Err(
            "the statement is signed by keys that others followed, by what they state of each other: these answer nobody any more. An \
             answer from before that change is judged without --rotation, and without rotation-001.note and on beside it"
                .to_owned(),
        );
    }
    if let Some(key) = keys.missing(u64::MAX, by).first() {
        let words = keys.unsigned_words("the statement", key, by);
        let newer = match keys.any_linked(by) {
            false => newer_keys_words(note, stated.origin),
            true => "",
        };
        return Err(format!("{words}{newer}"));
    }
    let strangers = verified.unknown_lines;
    if strangers > keys.strangers_max() {
        return Err(format!(
            "the statement has {strangers} signature lines of unknown keys"
        ));
    }
    if signed.len().saturating_add(strangers) < 2 {
        return Err(
            "the statement is signed once, and an answer has the signatures of both keys of its log"
                .to_owned(),
        );
    }
    let text = note.text();
    let attest = match &answer.quoted {
        None => None,
        Some(quote) => {
            let authority = authority_of(keys, &verified).ok_or_else(|| no_authority(keys))?;
            let attest = quoted(quote, text, authority);
            let attest = attest.map_err(|fault| format!("the quote: {fault}"))?;
            of_the_boot(&quote.pcrs)?;
            Some(attest)
        }
    };
    let measured = answer
        .quoted
        .as_ref()
        .is_some_and(|quote| !quote.pcrs.is_empty());
    Ok(Answered {
        origin: stated.origin.to_owned(),
        id: Digest(qualifying(text)),
        nonce_bytes: stated.bytes,
        nonce_digest: stated.digest,
        fresh: false,
        signed,
        strangers,
        attest,
        measured,
    })
}

fn signed_by(keys: &Signers, by: impl Fn(usize) -> bool) -> Vec<VerifierKey> {
    let known = keys.known().iter().enumerate();
    let signed = known.filter(|(place, _)| by(*place));
    signed.map(|(_, key)| key.clone()).collect()
}

/// Why there is nothing to hold a quote against.
fn no_authority(keys: &Signers) -> String {
    match keys.known().iter().any(|key| is_authority(&key)) {
        true => "the quote: none of the keys that signed the statement is one that a TPM can have".to_owned(),
        false => "the quote could not be judged: it is by the log's P-256 key, and only the other one is known here. Pin that line of \
                  its keys.vkey too"
            .to_owned(),
    }
}

/// A TPM without the bank quotes no PCR, which says nothing of a boot ([`Answered::measured`]); of some of them alone no node quotes.
fn of_the_boot(pcrs: &[BootPcr]) -> Result<(), String> {
    let own = pcrs.iter().map(|one| one.pcr);
    if pcrs.is_empty() || own.clone().eq(BOOT_PCRS.map(u32::from)) {
        return Ok(());
    }
    let own: Vec<String> = own.map(|pcr| pcr.to_string()).collect();
    Err(format!(
        "the quote is of the PCRs {} alone, and a node quotes all of 0 to 9",
        own.join(", ")
    ))
}

#[cfg(test)]
mod tests;
