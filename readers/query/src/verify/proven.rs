//! One entry and its proof, for somebody who has nothing else of the log.

use super::Anchors;
use super::chain::more_beside_words;
use proof::Checkpoint;
use proof::note::VerifierKey;
use proof::offline::OfflineProof;

/// Whether a proof leads from its leaf to a checkpoint that those keys signed whose heads of that size are: the anchors, or
/// keys that statements lead to from them.
///
/// # Errors
/// Why it does not.
pub fn verify_proof(proof: &OfflineProof, anchors: &Anchors) -> Result<(), String> {
    let head = Checkpoint::parse(proof.note.text()).map_err(|error| error.to_string())?;
    let signers = anchors.for_origin(&head.origin);
    if signers.is_empty() {
        return Err(format!(
            "no key is known for {}: give the one that you keep with --anchor VKEY",
            head.origin
        ));
    }
    let signed = proof
        .verify(signers.known())
        .map_err(|error| error.to_string())?;
    if signers.has_more() {
        return Err(more_beside_words());
    }
    let by = |place| signed.verified().has_key(place);
    match signers.missing(head.size, by).first() {
        Some(key) => Err(signers.unsigned_words("the checkpoint", key, by)),
        None => Ok(()),
    }
}

/// The known keys that signed the checkpoint of a proof.
#[must_use]
pub fn signers_of(proof: &OfflineProof, anchors: &Anchors) -> Vec<VerifierKey> {
    let Ok(head) = Checkpoint::parse(proof.note.text()) else {
        return Vec::new();
    };
    let signers = anchors.for_origin(&head.origin);
    let Ok(verified) = proof.note.verify(signers.known()) else {
        return Vec::new();
    };
    let known = signers.known().iter().enumerate();
    let signed = known.filter(|(place, _)| verified.has_key(*place));
    signed.map(|(_, key)| key.clone()).collect()
}
