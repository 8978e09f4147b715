//! What was booted: whether what entries say of it agrees with itself, and with what was signed and attested of it.

use super::bound::{Bound, is_authority};
use super::report::{BootTold, FindingKind, Report};
use super::signers::Signers;
use evidence::kinds::{Attestation, Boot, BootPcr, BootStage, EpochStart};
use evidence::reasons::{AttestationOf, SecureBoot, StageResult};
use evidence::{BootId, Digest, Payload};
use proof::note::{Note, Verified, VerifierKey};
use trust_plane::StatedKey;
use trust_plane::limits::BOOT_PCRS;
use trust_plane::{Claim, QuoteFault, Quoted, is_reset, measurement_id, qualifying, quoted};

/// What a statement is held against.
pub(super) struct Beside<'a> {
    pub(super) origin: &'a str,
    pub(super) keys: &'a Signers,
    pub(super) bound: &'a Bound,
    /// The entry that it is in.
    pub(super) id: u64,
    /// The epoch that it stands in.
    pub(super) epoch: u64,
}

/// What the log said last of a boot, as the bytes that were signed.
#[derive(Default)]
pub(super) struct Booted {
    newest: Option<(Vec<u8>, Boot)>,
    /// The newest epoch whose beginning was read, and in which boot it runs.
    epoch: Option<(u64, BootId)>,
    /// Whether the log says that it, or what it is bound to, is not the one that went before.
    rolled_back: bool,
    /// Whether it says that it is behind what its keys signed.
    behind: bool,
}

impl Booted {
    /// A run of the recorder begins.
    pub(super) fn epoch(&mut self, epoch: u64, begun: &EpochStart) {
        self.epoch = Some((epoch, begun.boot_id));
    }

    /// The log is not the one that went before, or its TPM is not, and says so.
    pub(super) fn rolled_back(&mut self) {
        self.rolled_back = true;
    }

    /// The log says that it is behind what its keys signed: keys that followed beyond its end speak in it.
    pub(super) fn is_behind(&mut self) {
        self.behind = true;
    }

    /// What was booted, in an entry of this epoch.
    pub(super) fn boot(&mut self, id: u64, epoch: u64, boot: &Boot, report: &mut Report) {
        let here = Some((id, id));
        if let Some(words) = contradiction(boot) {
            report.find(FindingKind::Boot, here, words);
        }
        let runs_in = self.epoch.filter(|(known, _)| *known == epoch);
        if let Some((_, boot_id)) = runs_in.filter(|(_, runs_in)| *runs_in != boot.boot_id) {
            let words = format!(
                "it is about boot {}, and this epoch runs in boot {boot_id}: what was said of an earlier one was \
                 committed again",
                boot.boot_id
            );
            report.find(FindingKind::Boot, here, words);
        }
        let bytes = Payload::from(boot.clone()).encode();
        self.newest = Some((bytes, boot.clone()));
        report.boot = Some(BootTold {
            boot: boot.clone(),
            attested: Some(false),
        });
    }

    /// A statement, with or without what a TPM attests.
    pub(super) fn attestation(
        &self,
        id: u64,
        told: &Attestation,
        beside: &Beside<'_>,
        report: &mut Report,
    ) {
        let found = self.judge(told, beside);
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

    /// Whether the statement is attested by the key that the log stated, `None` where that cannot be judged any more; an
    /// error where it does not hold.
    fn judge(&self, told: &Attestation, beside: &Beside<'_>) -> Result<Option<bool>, String> {
        let Beside { origin, keys, .. } = beside;
        let note = Note::parse(told.note.as_bytes()).map_err(|error| error.to_string())?;
        let verified = note
            .verify(keys.known())
            .map_err(|error| error.to_string())?;
        let missing = keys.missing_in(beside.id, |place| verified.has_key(place));
        let signed = |place| verified.has_key(place);
        let by_later = self.behind && keys.is_by_later(beside.id, signed);
        if let Some(key) = missing.first().filter(|_| !by_later) {
            return Err(keys.unsigned_words("it", key, signed));
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
            return Ok(Some(false));
        };
        if !keys.known().iter().any(|key| is_authority(&key)) {
            return Ok(None);
        }
        let authority = authority_of(keys, &verified);
        let authority = authority.ok_or("no key that a TPM can have signed it")?;
        let quote = Quoted {
            attest: attest.0.clone(),
            signature: signature.0.clone(),
            pcrs: told.pcrs.clone(),
        };
        let attest = quoted(&quote, text, authority).map_err(|error| error.to_string())?;
        if !beside
            .bound
            .is_in_place(told.of, attest.clock, beside.epoch)
        {
            // The log says it itself of its TPM or of its disk: found already, or as soon as a cleared TPM has counters again.
            if self.rolled_back || beside.bound.is_bare() {
                return Ok(Some(false));
            }
            return Err(
                "the TPM's clock in its quote is not of this boot: an older one was committed again"
                    .to_owned(),
            );
        }
        let values = |pcrs: &[BootPcr]| -> Vec<(u32, Digest)> {
            pcrs.iter().map(|one| (one.pcr, one.value)).collect()
        };
        match &self.newest {
            Some((_, boot))
                if told.of == AttestationOf::Boot && values(&boot.pcrs) != values(&told.pcrs) =>
            {
                return Err("the TPM attests other PCRs than its entry has".to_owned());
            }
            _ => {}
        }
        match beside.bound.key() {
            StatedKey::Restricted(name) if name == attest.qualified_signer => Ok(Some(true)),
            StatedKey::Restricted(_) => Err(QuoteFault::OtherSigner.to_string()),
            StatedKey::Nothing => Err(
                "a quote by a key of which the log does not say that it is a TPM's alone: whoever has such a key can \
                 sign any PCRs"
                    .to_owned(),
            ),
            StatedKey::Gone => Ok(None),
        }
    }
}

/// The key that a TPM can have among those that signed a statement.
pub(super) fn authority_of<'k>(keys: &'k Signers, verified: &Verified) -> Option<&'k VerifierKey> {
    let mut signed = keys.known().iter().enumerate();
    let of_tpm =
        |(place, key): &(usize, &VerifierKey)| is_authority(key) && verified.has_key(*place);
    signed.find(of_tpm).map(|(_, key)| key)
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
    let proven = boot.state.is_proven();
    if proven && (boot.log_digest.is_none() || boot.log_bytes.is_none()) {
        return Some("the boot is said to be proven, and by which event log is not".to_owned());
    }
    match (boot.state.is_measured(), boot.measurement_id) {
        (true, Some(id)) if id == measurement_id(&boot.pcrs) => {}
        (true, Some(_)) => {
            return Some("the boot's measurement id is not the hash of its PCRs".to_owned());
        }
        (true, None) => return Some("the boot was measured, and has no measurement id".to_owned()),
        (false, Some(_)) => {
            return Some(
                "the boot has a measurement id, and nothing is said to be measured".to_owned(),
            );
        }
        (false, None) => {}
    }
    let verified = |one: &BootStage| one.result == StageResult::Verified;
    let unproven = |one: &BootStage| one.result == StageResult::Unproven;
    let (stages, secure) = (&boot.stages, boot.secure_boot);
    match proven {
        false if secure != SecureBoot::Unknown || !stages.iter().all(unproven) => Some(
            "the boot is not proven, and Secure Boot or a stage is said to be known".to_owned(),
        ),
        true if stages.iter().any(unproven) => {
            Some("the boot is proven, and a stage of it is not".to_owned())
        }
        true if secure != SecureBoot::On && stages.iter().any(verified) => {
            Some("a stage is said to be verified, and Secure Boot not to be on".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
