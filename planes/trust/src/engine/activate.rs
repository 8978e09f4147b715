//! The signer's part of an enrolment: what its store's maker vouches for, and the answer to a challenge.

use super::{Engine, SignError, SignedClaim};
use crate::backend::{Backend, Credential, Endorsements};
use crate::enrolment::answer_bytes;
use crate::statement::Claim;
use alloc::vec::Vec;
use tpm::EndorsementKind;

impl<B: Backend> Engine<B> {
    /// The certificates of the store's maker.
    ///
    /// # Errors
    /// [`SignError::Backend`].
    pub fn endorsements(&mut self) -> Result<Endorsements, SignError> {
        self.backend.endorsements().map_err(SignError::Backend)
    }

    /// Answers a challenge with an attestation by both keys. Where it comes with a credential, what the TPM found in
    /// it goes into the answer and nowhere else. `request` is the SHA-256 of the request that is answered for; `begin` is
    /// told of the key before the store is asked to open anything.
    ///
    /// # Errors
    /// Why there is no answer: above all a credential for another key or another TPM.
    pub fn answer(
        &mut self,
        origin: &str,
        nonce: &[u8; 32],
        request: &[u8; 32],
        credential: Option<&Credential>,
        begin: impl FnOnce(EndorsementKind),
    ) -> Result<SignedClaim, SignError> {
        // Nothing is opened for a log that is not this one.
        self.base.generation(origin).map_err(SignError::Origin)?;
        let found = match credential {
            None => Vec::new(),
            Some(credential) => {
                begin(credential.kind);
                let found = self
                    .backend
                    .activate(credential)
                    .map_err(SignError::Backend);
                found.inspect_err(|error| self.refuse(error))?
            }
        };
        self.claim(
            origin,
            Claim::Attestation(&answer_bytes(nonce, request, &found)),
        )
    }
}
