//! Keys in a TPM 2.0: the authority is a primary key of the endorsement hierarchy, restricted to what the
//! TPM itself made or hashed; two NV counters bind checkpoints.

mod endorsement;
mod firmware;
mod link;
mod maker;

pub use link::TpmPlace;

use crate::limits::{TPM_COUNTER_FIRST, TPM_COUNTERS_TRIED_MAX, TPM_HANDLES_MAX};
use crate::software::Ed25519File;
use link::{Asked, Link};
use maker::Maker;
use std::path::PathBuf;
use tpm::limits::PCRS_AT_ONCE_MAX;
use tpm::{Command, KeyPublic, NvPublic, PcrSelection, response};
use trust_plane::limits::BOOT_PCRS;
use trust_plane::{
    Backend, BackendError, Capabilities, Certified, Counter, CounterKind, CounterSeen, Credential,
    Description, Digest, Endorsements, KeyFault, Signable, Step, ecdsa_der, is_reset, p256_spki,
    qualifying,
};

/// NV indexes are handles from here on.
const NV_FIRST: u32 = 0x0100_0000;
/// Keys that were derived or loaded are handles from here on.
const TRANSIENT_FIRST: u32 = 0x8000_0000;
/// The PCR that a machine's firmware measures itself into.
const FIRMWARE_PCR: u8 = 0;

/// What finds the key and the counters in a TPM again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TpmKeyFile {
    pub(crate) place: TpmPlace,
    /// What makes the key one of its own; no secret.
    pub(crate) template: [u8; 32],
    pub(crate) orderly: u32,
    pub(crate) plain: u32,
    /// The firmware's event log, where it is not where the kernel shows that of the device.
    pub(crate) event_log: Option<PathBuf>,
}

impl TpmKeyFile {
    /// Where the firmware's event log is; `None` for a TPM that no firmware measured into.
    pub(crate) fn event_log(&self) -> Option<PathBuf> {
        self.event_log.clone().or_else(|| self.place.event_log())
    }

    const fn index(&self, kind: CounterKind) -> u32 {
        match kind {
            CounterKind::Orderly => self.orderly,
            CounterKind::Plain => self.plain,
        }
    }
}

/// The keys of a node, one of them in a TPM.
#[derive(Debug)]
pub(crate) struct TpmKeys {
    file: TpmKeyFile,
    /// The authority as the log knows it.
    authority: Vec<u8>,
    ed25519: Ed25519File,
    open: Option<Open>,
}

/// A TPM that is open, with the key in it.
#[derive(Debug)]
struct Open {
    link: Link,
    key: u32,
    description: Description,
}

impl Open {
    /// Opens a TPM, derives the key and looks at everything that is said of it.
    fn new(file: &TpmKeyFile) -> Result<(Self, Vec<u8>), Asked> {
        let mut link = Link::open(&file.place).map_err(Asked::Wire)?;
        // A TPM without a resource manager keeps what a user who was killed has left. It serves one user.
        let left = Command::handles(TRANSIENT_FIRST, TPM_HANDLES_MAX);
        for handle in response::handles(&link.ask(&left)?)? {
            link.ask(&Command::flush(handle))?;
        }
        let properties = link.ask(&Command::properties(maker::FIRST, maker::COUNT))?;
        let maker = Maker::of(&response::properties(&properties)?);
        let certificates = Command::handles(maker::CERTIFICATES_FIRST, TPM_HANDLES_MAX);
        let certificates = response::handles(&link.ask(&certificates)?)?;
        let template = KeyPublic::authority_template(&file.template);
        let (key, public) = response::primary(&link.ask(&Command::create_primary(&template))?)?;
        let (counters, lacking) = counters(&mut link, file)?;
        let description = Description {
            capabilities: Capabilities {
                custody: maker.custody(&certificates),
                non_exportable: public.is_authority(),
                monotonic_counter: lacking.is_empty(),
                attestation: true,
                measured_boot: is_measured(&mut link)?,
            },
            maker: maker.to_string(),
            key_public: Some(public.bytes().to_vec()),
            counters,
            lacking,
            kept: 0,
        };
        let open = Self {
            link,
            key,
            description,
        };
        Ok((open, spki(&public)?))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // Where the wire is gone the key is forgotten with the next opening.
        let _ = self.link.ask(&Command::flush(self.key));
    }
}

fn spki(public: &KeyPublic) -> Result<Vec<u8>, Asked> {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&public.point());
    key.map(|key| p256_spki(&key)).map_err(|_| {
        let words = "the TPM derived a key that is no point of the curve";
        Asked::Wire(BackendError::new(KeyFault::Failed, words))
    })
}

/// The counters that are there, and those that are not.
fn counters(link: &mut Link, file: &TpmKeyFile) -> Result<(Vec<Counter>, Vec<CounterKind>), Asked> {
    let (mut there, mut lacking) = (Vec::new(), Vec::new());
    for kind in [CounterKind::Orderly, CounterKind::Plain] {
        match link.ask(&Command::nv_read_public(file.index(kind))) {
            Ok(answer) => {
                let public = response::nv_public(&answer)?;
                match public.is_counter(kind == CounterKind::Orderly) && public.is_written() {
                    true => there.push(Counter {
                        kind,
                        public: public.bytes(),
                    }),
                    false => lacking.push(kind),
                }
            }
            Err(asked) if asked.is_absent() => lacking.push(kind),
            Err(asked) => return Err(asked),
        }
    }
    Ok((there, lacking))
}

/// Whether the firmware measured anything: the PCR is not as a reset leaves it.
fn is_measured(link: &mut Link) -> Result<bool, Asked> {
    let selection = PcrSelection::sha256(&[FIRMWARE_PCR]);
    let (_, _, values) = response::pcrs(&link.ask(&Command::pcr_read(&selection))?)?;
    Ok(values.first().is_some_and(|value| !is_reset(value)))
}

/// The PCRs that say what was booted; none where there is no SHA-256 bank.
fn pcrs(link: &mut Link) -> Result<Vec<(u8, Digest)>, Asked> {
    let mut all = Vec::new();
    for part in BOOT_PCRS.chunks(PCRS_AT_ONCE_MAX) {
        let selection = PcrSelection::sha256(part);
        let (_, read, values) = response::pcrs(&link.ask(&Command::pcr_read(&selection))?)?;
        let read = read.pcrs().unwrap_or_default();
        for (pcr, value) in read.into_iter().zip(values) {
            let value = <[u8; 32]>::try_from(value).map_err(|_| {
                let words = "the TPM has a PCR of another length than SHA-256";
                Asked::Wire(BackendError::new(KeyFault::Failed, words))
            })?;
            all.push((pcr, Digest(value)));
        }
    }
    Ok(all)
}

impl TpmKeys {
    /// Makes a key and two counters; gives what finds them again, and the authority's public key.
    pub(crate) fn create(
        place: &TpmPlace,
        template: [u8; 32],
        event_log: Option<PathBuf>,
    ) -> Result<(TpmKeyFile, Vec<u8>), BackendError> {
        let mut link = Link::open(place)?;
        let [orderly, plain] = define(&mut link)?;
        // One wire at a time is all that a socket serves.
        drop(link);
        let file = TpmKeyFile {
            place: place.clone(),
            template,
            orderly,
            plain,
            event_log,
        };
        let (_, authority) = Open::new(&file)?;
        Ok((file, authority))
    }

    /// The authority's public key of another template in the same TPM, with the same counters.
    pub(crate) fn derive(file: &TpmKeyFile) -> Result<Vec<u8>, BackendError> {
        let (_, authority) = Open::new(file)?;
        Ok(authority)
    }

    /// Keys that are opened when they are first needed.
    pub(crate) const fn new(file: TpmKeyFile, authority: Vec<u8>, ed25519: Ed25519File) -> Self {
        Self {
            file,
            authority,
            ed25519,
            open: None,
        }
    }

    /// The open TPM; opens it where it is not.
    fn open(&mut self) -> Result<&mut Open, BackendError> {
        if self.open.is_none() {
            let (open, authority) = Open::new(&self.file)?;
            if authority != self.authority {
                let words = format!(
                    "the TPM at {} derives another key than this log is signed with: another TPM, or its seed was \
                     changed",
                    self.file.place.path().display()
                );
                return Err(BackendError::new(KeyFault::KeyReplaced, words));
            }
            self.open = Some(open);
        }
        let gone = || BackendError::new(KeyFault::Unavailable, "the TPM is not open");
        self.open.as_mut().ok_or_else(gone)
    }

    /// Works with the open TPM; after a failure it is opened anew.
    fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Open) -> Result<T, Asked>,
    ) -> Result<T, BackendError> {
        let done = work(self.open()?);
        if done.is_err() {
            self.open = None;
        }
        Ok(done?)
    }
}

/// Defines both counters at free indexes and moves them once: until then they have no value.
fn define(link: &mut Link) -> Result<[u32; 2], BackendError> {
    let taken = link.ask(&Command::handles(NV_FIRST, TPM_HANDLES_MAX))?;
    let taken = response::handles(&taken).map_err(Asked::Tpm)?;
    let mut free = (TPM_COUNTER_FIRST..TPM_COUNTER_FIRST.saturating_add(TPM_COUNTERS_TRIED_MAX))
        .filter(|index| !taken.contains(index));
    let mut next = || {
        let words = "no free NV index for a counter in the owner's range";
        free.next()
            .ok_or_else(|| BackendError::new(KeyFault::Failed, words))
    };
    let both = [next()?, next()?];
    for (index, orderly) in both.into_iter().zip([true, false]) {
        link.ask(&Command::nv_define(&NvPublic::counter(index, orderly)))?;
        link.ask(&Command::nv_increment(index))?;
    }
    Ok(both)
}

fn der(r_s: &[u8; 64]) -> Result<Vec<u8>, BackendError> {
    let bad = |_| BackendError::new(KeyFault::Failed, "the TPM gave a signature that is none");
    ecdsa_der(r_s).map_err(bad)
}

impl Backend for TpmKeys {
    fn describe(&mut self) -> Result<Description, BackendError> {
        // Whoever owns the TPM may undefine a counter or define it again while it is open.
        let file = self.file.clone();
        self.with(|open| {
            let (counters, lacking) = counters(&mut open.link, &file)?;
            let description = &mut open.description;
            description.capabilities.monotonic_counter = lacking.is_empty();
            (description.counters, description.lacking) = (counters, lacking);
            Ok(description.clone())
        })
    }

    fn p256_public(&self) -> Vec<u8> {
        self.authority.clone()
    }

    fn ed25519_public(&self) -> [u8; 32] {
        self.ed25519.public()
    }

    fn sign_p256(&mut self, text: &Signable) -> Result<Vec<u8>, BackendError> {
        let r_s = self.with(|open| {
            let hashed = open.link.ask(&Command::hash(text.text().as_bytes()))?;
            let (digest, ticket) = response::hashed(&hashed)?;
            let signed = open.link.ask(&Command::sign(open.key, &digest, &ticket))?;
            Ok(response::signature(&signed)?)
        })?;
        der(&r_s)
    }

    fn sign_ed25519(&mut self, text: &Signable) -> Result<[u8; 64], BackendError> {
        Ok(self.ed25519.sign(text.text()))
    }

    fn can_count(&self) -> bool {
        true
    }

    fn value(&mut self, counter: CounterKind) -> Result<u64, BackendError> {
        let index = self.file.index(counter);
        self.with(|open| {
            let answer = open.link.ask(&Command::nv_read_counter(index))?;
            Ok(response::counter(&answer)?)
        })
    }

    fn certify(
        &mut self,
        counter: CounterKind,
        step: Step,
        text: &Signable,
    ) -> Result<Certified, BackendError> {
        let index = self.file.index(counter);
        let moves = match step {
            Step::Next => true,
            Step::Above(_) => step.moves(self.value(counter)?),
        };
        let (attest, r_s) = self.with(|open| {
            if moves {
                open.link.ask(&Command::nv_increment(index))?;
            }
            let certify = Command::nv_certify(open.key, index, &qualifying(text.text()));
            Ok(response::attested(&open.link.ask(&certify)?)?)
        })?;
        Ok(Certified {
            attest,
            signature: der(&r_s)?,
        })
    }

    fn firmware(&mut self) -> Result<CounterSeen, BackendError> {
        let file = self.file.clone();
        self.with(|open| firmware::seen(&mut open.link, &file))
    }

    fn certify_firmware(
        &mut self,
        above: Option<u64>,
        text: &Signable,
    ) -> Result<(Vec<u8>, Certified), BackendError> {
        let file = self.file.clone();
        let counted = self
            .with(|open| firmware::certify(&mut open.link, open.key, &file, above, text.text()))?;
        let certified = Certified {
            attest: counted.attest,
            signature: der(&counted.r_s)?,
        };
        Ok((counted.public, certified))
    }

    fn pcrs(&mut self) -> Result<Vec<(u8, Digest)>, BackendError> {
        self.with(|open| pcrs(&mut open.link))
    }

    fn quote(&mut self, text: &Signable) -> Result<Certified, BackendError> {
        let (attest, r_s) = self.with(|open| {
            let selection = PcrSelection::sha256(&BOOT_PCRS);
            let quote = Command::quote(open.key, &qualifying(text.text()), &selection);
            Ok(response::attested(&open.link.ask(&quote)?)?)
        })?;
        Ok(Certified {
            attest,
            signature: der(&r_s)?,
        })
    }

    fn release(&mut self) {
        self.open = None;
    }

    fn endorsements(&mut self) -> Result<Endorsements, BackendError> {
        self.with(|open| endorsement::certificates(&mut open.link))
    }

    fn activate(&mut self, credential: &Credential) -> Result<Vec<u8>, BackendError> {
        self.with(|open| endorsement::activate(&mut open.link, open.key, credential))
    }
}

#[cfg(test)]
mod tests;
