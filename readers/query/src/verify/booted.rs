//! What was booted: whether what entries say of it agrees with itself, and with what was signed and attested of it.

use super::report::{BootTold, FindingKind, Report};
use super::signers::Signers;
use evidence::kinds::{Attestation, Boot, BootPcr};
use evidence::reasons::AttestationOf;
use evidence::{Digest, Payload};
use proof::note::{Algorithm, Note, VerifierKey};
use trust_plane::limits::BOOT_PCRS;
use trust_plane::{Claim, Quoted, is_reset, measurement_id, qualifying, quoted};

/// What the log said last of a boot, as the bytes that were signed.
#[derive(Default)]
pub(super) struct Booted {
    newest: Option<(Vec<u8>, Boot)>,
}

impl Booted {
    /// What was booted.
    pub(super) fn boot(&mut self, id: u64, boot: &Boot, report: &mut Report) {
        if let Some(words) = contradiction(boot) {
            report.find(FindingKind::Boot, Some((id, id)), words);
        }
        let bytes = Payload::from(boot.clone()).encode();
        self.newest = Some((bytes, boot.clone()));
        report.boot = Some(BootTold {
            boot: boot.clone(),
            attested: false,
        });
    }

    /// A statement, with or without what a TPM attests. `signer` is the qualified name of the key that the log stated.
    pub(super) fn attestation(
        &self,
        id: u64,
        told: &Attestation,
        (origin, keys, signer): (&str, &Signers, Option<&[u8]>),
        report: &mut Report,
    ) {
        let found = self.judge(told, origin, keys, signer);
        let of_boot = told.of == AttestationOf::Boot;
        match found {
            Err(words) => {
                let words = format!("the statement about {}: {words}", told.of);
                report.find(FindingKind::Boot, Some((id, id)), words);
            }
            Ok(attested) => {
                report.attestation = Some(told.id);
                if let Some(boot) = report.boot.as_mut().filter(|_| of_boot) {
                    boot.attested = attested;
                }
            }
        }
    }

    /// Whether the statement is attested by a TPM; an error where it does not hold.
    fn judge(
        &self,
        told: &Attestation,
        origin: &str,
        keys: &Signers,
        signer: Option<&[u8]>,
    ) -> Result<bool, String> {
        let note = Note::parse(told.note.as_bytes()).map_err(|error| error.to_string())?;
        let verified = note
            .verify(keys.known())
            .map_err(|error| error.to_string())?;
        if let Some(key) = keys.missing(|place| verified.has_key(place)).first() {
            return Err(format!("it is not signed by {}", key.name()));
        }
        let text = note.text();
        let due = match (told.of, &self.newest, &told.nonce) {
            (AttestationOf::Boot, Some((bytes, _)), _) => Some(Claim::Boot(bytes).text(origin)),
            (AttestationOf::Asked, _, Some(nonce)) => {
                Some(Claim::Attestation(&nonce.0).text(origin))
            }
            (AttestationOf::Asked, _, None) => {
                return Err("it has no number of whoever asked".to_owned());
            }
            // Its entry has left the ring.
            (AttestationOf::Boot, None, _) => None,
        };
        if due.is_some_and(|due| due != text) {
            return Err("another text was signed than the entries say".to_owned());
        }
        if told.id.0 != qualifying(text) {
            return Err("its id is not the hash of its text".to_owned());
        }
        let (Some(attest), Some(signature)) = (&told.attest, &told.signature) else {
            return Ok(false);
        };
        let of_tpm = |(place, key): &(usize, &VerifierKey)| {
            key.algorithm() == Algorithm::EcdsaP256 && verified.has_key(*place)
        };
        let authority = keys.known().iter().enumerate().find(of_tpm);
        let (_, authority) = authority.ok_or("no key that a TPM can have signed it")?;
        let quote = Quoted {
            attest: attest.0.clone(),
            signature: signature.0.clone(),
            pcrs: told.pcrs.clone(),
        };
        let attest = quoted(&quote, text, authority).map_err(|error| error.to_string())?;
        if signer.is_some_and(|signer| signer != attest.qualified_signer) {
            return Err(trust_plane::QuoteFault::OtherSigner.to_string());
        }
        let values = |pcrs: &[BootPcr]| -> Vec<(u32, Digest)> {
            pcrs.iter().map(|one| (one.pcr, one.value)).collect()
        };
        match &self.newest {
            Some((_, boot))
                if told.of == AttestationOf::Boot && values(&boot.pcrs) != values(&told.pcrs) =>
            {
                Err("the TPM attests other PCRs than its entry has".to_owned())
            }
            _ => Ok(true),
        }
    }
}

/// What of an entry contradicts itself.
fn contradiction(boot: &Boot) -> Option<String> {
    let agrees = |one: &BootPcr| one.replayed == Some(one.value);
    let all = boot.pcrs.iter().map(|one| one.pcr);
    let whole = all.eq(BOOT_PCRS.map(u32::from)) && boot.pcrs.iter().all(agrees);
    let began = boot
        .pcrs
        .first()
        .is_some_and(|first| !is_reset(&first.value.0));
    if boot.state.is_proven() && !(whole && began) {
        return Some(
            "the boot is said to be proven, and its PCRs are not those of its log".to_owned(),
        );
    }
    let id = boot.measurement_id;
    if id.is_some_and(|id| id != measurement_id(&boot.pcrs)) {
        return Some("the boot's measurement id is not the hash of its PCRs".to_owned());
    }
    None
}

#[cfg(test)]
mod tests;
