//! What was booted, and what the signer attests: asked of it once in each run, and by whoever asks.

use super::sealer::{Unsealed, unexpected, why};
use crate::clock;
use evidence::kinds::{Attestation, Boot, BootPcr, Counter};
use evidence::reasons::{AttestationOf, BootState, CounterState, KeyFault};
use evidence::{Actor, Blob, Captured, Digest, Payload, SourceId};
use ipc::IpcError;
use ipc::message::{BootAsked, ErrorCode, Message, RecordPurpose, SignRecord, SignedRecord, Uses};
use proof::note::Note;
use std::path::PathBuf;
use std::time::Duration;
use trust_plane::{Look, not_looked, qualifying};

/// How long an attestation may take: the signer may be busy with a seal, and a TPM is slow.
const ATTEST_TIMEOUT: Duration = Duration::from_secs(15);
/// How long to look for the signer's socket.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// Bytes of a number that somebody asks with: fewer can be guessed, more are of no use.
const NONCE_BYTES: std::ops::RangeInclusive<usize> = 8..=64;

/// What the signer said of a boot, as entries.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) boot: Captured,
    /// Its statement; none where the store did not answer.
    pub(super) attestation: Option<Attestation>,
    pub(super) uses: Vec<Uses>,
}

/// What was told in this run.
#[derive(Debug, Default)]
pub(super) struct BootWatch {
    told: bool,
    not_told: bool,
}

impl BootWatch {
    /// What was told is of no use: it is asked for anew.
    pub(super) const fn again(&mut self) {
        self.told = false;
    }

    /// What there is to tell behind a seal that was had, or was missed for this reason; `ask` is the way to the signer.
    pub(super) fn due(
        &mut self,
        missed: Option<&Unsealed>,
        origin: &str,
        mut ask: impl FnMut(&Message) -> Result<Message, IpcError>,
    ) -> Option<Told> {
        if self.told {
            return None;
        }
        let failed = match missed {
            Some(missed) if missed.fault != KeyFault::RolledBack => {
                Some((missed.fault, missed.words.clone()))
            }
            _ => match asked(origin, &mut ask) {
                Ok(told) => {
                    self.told = true;
                    return Some(told);
                }
                Err(IpcError::Peer {
                    code: ErrorCode::Busy,
                    ..
                }) => None,
                Err(other) => Some(why(&other, KeyFault::Failed)),
            },
        };
        // Told once; the signer is asked again behind each seal.
        let (fault, words) = failed.filter(|_| !self.not_told)?;
        self.not_told = true;
        let look = Look {
            at: clock::mono(),
            boot_id: clock::boot_id(),
        };
        let words = format!("{}: {words}", BootState::Unavailable.meaning());
        Some(Told {
            boot: Captured::new(&not_looked(look, fault, &words).into()),
            attestation: None,
            uses: Vec::new(),
        })
    }
}

/// Has the signer look, and sign what it found.
fn asked(
    origin: &str,
    ask: &mut impl FnMut(&Message) -> Result<Message, IpcError>,
) -> Result<Told, IpcError> {
    let boot = match ask(&BootAsked {}.into())? {
        Message::BootFound(found) if matches!(found.boot.payload(), Ok(Payload::Boot(_))) => {
            found.boot
        }
        other => return Err(unexpected(&other)),
    };
    let request = SignRecord {
        origin: origin.to_owned(),
        purpose: RecordPurpose::Boot,
        bytes: Blob(boot.capture.clone()),
    };
    match ask(&request.into())? {
        Message::SignedRecord(signed) => {
            let uses = signed.uses.clone();
            let attestation = attestation(signed, AttestationOf::Boot);
            Ok(Told {
                boot,
                attestation: Some(attestation?),
                uses,
            })
        }
        other => Err(unexpected(&other)),
    }
}

/// A signed statement as an entry.
fn attestation(signed: SignedRecord, of: AttestationOf) -> Result<Attestation, IpcError> {
    let note = Note::parse(signed.note.0.as_bytes()).map_err(|error| IpcError::Peer {
        code: ErrorCode::Internal,
        text: format!("the signer gave a note that is none: {error}"),
        fault: Some(KeyFault::Failed),
    })?;
    let id = Digest(qualifying(note.text()));
    let (mut attest, mut signature, mut pcrs) = (None, None, Vec::new());
    if let Some(quoted) = signed.quoted {
        (attest, signature) = (Some(quoted.attest), Some(quoted.signature));
        pcrs = quoted
            .pcrs
            .into_iter()
            .map(|one| BootPcr {
                pcr: one.pcr,
                value: one.value,
                replayed: None,
            })
            .collect();
    }
    Ok(Attestation {
        at: clock::mono(),
        id,
        of,
        note: signed.note.0,
        custody: signed.custody,
        nonce: None,
        actor: None,
        attest,
        signature,
        pcrs,
        fault: signed.unquoted_fault,
        detail: signed.unquoted,
    })
}

/// Who answers people that ask what this machine is: a way of its own to the signer, so that no seal waits for them.
#[derive(Debug)]
pub(super) struct Attester {
    pub(super) signer: PathBuf,
    pub(super) origin: String,
}

impl Attester {
    /// The signer's answer to a number of whoever asks, as an entry.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn answer(
        &self,
        nonce: &Blob,
        name: &str,
        uid: u32,
    ) -> Result<Captured, (ErrorCode, String)> {
        if !NONCE_BYTES.contains(&nonce.0.len()) {
            let words = format!(
                "a number of {} bytes; it must have {} to {}",
                nonce.0.len(),
                NONCE_BYTES.start(),
                NONCE_BYTES.end()
            );
            return Err((ErrorCode::Invalid, words));
        }
        let request = SignRecord {
            origin: self.origin.clone(),
            purpose: RecordPurpose::Attestation,
            bytes: nonce.clone(),
        };
        let asked = ipc::Channel::connect(&self.signer, CONNECT_TIMEOUT)
            .and_then(|signer| signer.ask(&request.into(), ATTEST_TIMEOUT))
            .and_then(|answer| match answer {
                Message::SignedRecord(signed) => attestation(signed, AttestationOf::Asked),
                other => Err(unexpected(&other)),
            });
        let entry = asked.map_err(|error| match error {
            IpcError::Peer { code, text, .. } => (code, text),
            other => (ErrorCode::Unavailable, format!("the signer: {other}")),
        })?;
        let entry = Attestation {
            nonce: Some(nonce.clone()),
            actor: Some(Actor::local(name, uid)),
            ..entry
        };
        Ok(Captured::new(&entry.into()))
    }
}

/// The newest of what was told, for counters.
#[derive(Debug, Default)]
pub(super) struct BootStats {
    boot: Option<Boot>,
    attestation: Option<Digest>,
}

impl BootStats {
    /// Takes an entry of this run.
    pub(super) fn observe(&mut self, payload: &Payload) {
        match payload {
            Payload::Boot(boot) => self.boot = Some(boot.clone()),
            Payload::Attestation(attestation) => self.attestation = Some(attestation.id),
            _ => {}
        }
    }

    /// As counters of a snapshot: the word is the label, the value a number for it (of a hash the first eight bytes).
    pub(super) fn counters(&self, source: &SourceId) -> Vec<Counter> {
        let counter = |name: &str, found: Option<(String, u64)>| {
            let (label, value) = found.unzip();
            Counter {
                name: name.to_owned(),
                label,
                state: match value {
                    Some(_) => CounterState::Value,
                    None => CounterState::Unsupported,
                },
                value,
                source: source.clone(),
            }
        };
        let hash = |digest: Digest| {
            let first = digest.0.first_chunk().copied().unwrap_or_default();
            (digest.to_string(), u64::from_be_bytes(first))
        };
        let boot = self.boot.as_ref();
        let proven = boot.filter(|boot| boot.state.is_proven());
        vec![
            counter(
                "boot_measurement_id",
                boot.and_then(|boot| boot.measurement_id).map(hash),
            ),
            counter(
                "secure_boot_status",
                proven.map(|boot| (boot.secure_boot.to_string(), boot.secure_boot.code())),
            ),
            counter("attestation_id", self.attestation.map(hash)),
        ]
    }
}
