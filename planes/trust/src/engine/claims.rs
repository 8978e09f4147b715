//! Claims, and what a TPM attests beside them.

use super::{Engine, SignError};
use crate::backend::{Backend, BackendError};
use crate::binding::attested;
use crate::boot::is_quoted;
use crate::firmware::{CounterSeen, ToBind};
use crate::limits::QUOTE_TRIES_MAX;
use crate::quote::{QuoteFault, Quoted, quoted};
use crate::statement::{Claim, Signable};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::Digest;
use evidence::kinds::BootPcr;
use evidence::reasons::{Custody, KeyFault};
use proof::note::VerifierKey;

/// A claim, signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedClaim {
    /// The signed note.
    pub note: String,
    /// Where the authority key lives.
    pub custody: Custody,
    /// What was booted, as the TPM attests it over the claim's text: for claims about that, where the store can.
    pub quoted: Option<Quoted>,
    /// Why it does not, where it should.
    pub unquoted: Option<BackendError>,
}

/// A firmware version, bound to the store's counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirmwareBound {
    /// The counter's value.
    pub value: u64,
    /// Its public area (`TPMS_NV_PUBLIC`).
    pub public: Vec<u8>,
    /// What was signed (`TPMS_ATTEST`).
    pub attest: Vec<u8>,
    /// The authority's signature on it, in DER.
    pub signature: Vec<u8>,
}

impl<B: Backend> Engine<B> {
    /// Signs a claim under the origin of one of this log's generations.
    ///
    /// # Errors
    /// Why there is no signature.
    pub fn claim(&mut self, origin: &str, claim: Claim<'_>) -> Result<SignedClaim, SignError> {
        let signed = self.claimed(origin, claim);
        if let Err(error) = &signed {
            self.refuse(error);
        }
        signed
    }

    fn claimed(&mut self, origin: &str, claim: Claim<'_>) -> Result<SignedClaim, SignError> {
        self.base.generation(origin).map_err(SignError::Origin)?;
        let description = self.describe()?;
        let keys = self.verifier_keys(origin)?;
        let signable = Signable::new(claim.text(origin), claim.purpose());
        let note = self.note(&keys, &signable)?;
        let mut signed = SignedClaim {
            note,
            custody: description.capabilities.custody,
            quoted: None,
            unquoted: None,
        };
        if description.capabilities.attestation && is_quoted(claim.purpose()) {
            let [authority, _] = &keys;
            match self.quote(&signable, authority) {
                Ok(quoted) => signed.quoted = Some(quoted),
                Err(error) => {
                    self.audit.failed(error.fault);
                    signed.unquoted = Some(error);
                }
            }
        }
        Ok(signed)
    }

    /// Signs what the signer says of itself, as the bytes that say so: the note, under the base origin, for it is of the store and of
    /// no generation.
    ///
    /// # Errors
    /// Why there is no signature.
    pub fn description(&mut self, said: &[u8]) -> Result<String, SignError> {
        let base = String::from(self.base.as_str());
        let claim = Claim::Description(said);
        let signable = Signable::new(claim.text(&base), claim.purpose());
        let keys = self.verifier_keys(&base);
        let note = keys.and_then(|keys| self.note(&keys, &signable));
        if let Err(error) = &note {
            self.refuse(error);
        }
        note
    }

    /// The store's counter of raised firmware versions as it is now.
    ///
    /// # Errors
    /// [`SignError::Backend`].
    pub fn firmware(&mut self) -> Result<CounterSeen, SignError> {
        self.backend.firmware().map_err(SignError::Backend)
    }

    /// Binds a firmware version to that counter, under the origin of one of this log's generations.
    ///
    /// # Errors
    /// Why it is not bound; the counter may have moved all the same.
    pub fn bind_firmware(
        &mut self,
        origin: &str,
        bind: ToBind,
    ) -> Result<FirmwareBound, SignError> {
        let bound = self.firmware_bound(origin, bind);
        if let Err(error) = &bound {
            self.refuse(error);
        }
        bound
    }

    fn firmware_bound(&mut self, origin: &str, bind: ToBind) -> Result<FirmwareBound, SignError> {
        self.base.generation(origin).map_err(SignError::Origin)?;
        let [authority, _] = self.verifier_keys(origin)?;
        let claim = Claim::Firmware(bind.version.into());
        let signable = Signable::new(claim.text(origin), claim.purpose());
        self.audit.used(claim.purpose());
        let certified = self.backend.certify_firmware(bind.above, &signable);
        let (public, certified) = certified.map_err(SignError::Backend)?;
        let (attest, signature) = (certified.attest, certified.signature);
        let found = attested(&attest, &signature, signable.text(), &authority);
        let (_, value) = found.map_err(|fault| {
            let words = format!("{fault}; it was withheld");
            SignError::Backend(BackendError::new(KeyFault::Failed, words))
        })?;
        Ok(FirmwareBound {
            value,
            public,
            attest,
            signature,
        })
    }

    /// The PCRs that say what was booted; `None` where the store attests none.
    ///
    /// # Errors
    /// [`SignError::Backend`].
    pub fn pcrs(&mut self) -> Result<Option<Vec<(u8, Digest)>>, SignError> {
        // As for a counter's value, no key is used and nothing refused: what fails is told by whoever asked, and is no
        // signature that was not had.
        let attests = self.describe()?.capabilities.attestation;
        let pcrs = attests.then(|| self.backend.pcrs()).transpose();
        pcrs.map_err(SignError::Backend)
    }

    /// PCRs attested over a text, after its own key, the text and their values were checked in it.
    fn quote(
        &mut self,
        signable: &Signable,
        authority: &VerifierKey,
    ) -> Result<Quoted, BackendError> {
        let mut fault = QuoteFault::OtherPcrs;
        for _ in 0..QUOTE_TRIES_MAX {
            self.audit.used(signable.purpose());
            let certified = self.backend.quote(signable)?;
            let pcrs = self
                .backend
                .pcrs()?
                .into_iter()
                .map(|(pcr, value)| BootPcr {
                    pcr: pcr.into(),
                    value,
                    replayed: None,
                });
            let quote = Quoted {
                attest: certified.attest,
                signature: certified.signature,
                pcrs: pcrs.collect(),
            };
            match quoted(&quote, signable.text(), authority) {
                Ok(_) => return Ok(quote),
                // A PCR was extended in between.
                Err(QuoteFault::OtherPcrs) => {}
                Err(other) => {
                    fault = other;
                    break;
                }
            }
        }
        Err(BackendError::new(
            KeyFault::Failed,
            format!("{fault}; it was withheld"),
        ))
    }
}
