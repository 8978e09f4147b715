//! What the engine needs of something that holds keys, and what that thing says of itself.

use crate::firmware::CounterSeen;
use crate::statement::Signable;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use evidence::Digest;
use evidence::reasons::{CounterKind, Custody, KeyFault};
use tpm::EndorsementKind;

/// What a backend can do; printed wherever a verdict leans on its signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Where the authority key lives.
    pub custody: Custody,
    /// Whether the key can never leave.
    pub non_exportable: bool,
    /// Whether it has a counter that only moves forward.
    pub monotonic_counter: bool,
    /// Whether it can attest its key.
    pub attestation: bool,
    /// Whether it can attest what was booted.
    pub measured_boot: bool,
}

impl Capabilities {
    /// Of keys in files: none.
    pub const SOFTWARE: Self = Self {
        custody: Custody::Software,
        non_exportable: false,
        monotonic_counter: false,
        attestation: false,
        measured_boot: false,
    };
}

/// How far a counter is moved before its value is attested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// On by one.
    Next,
    /// On by one, unless it stands above this value already: then its last step was attested in nothing that was kept.
    Above(u64),
}

impl Step {
    /// As it stands: a counter that was ever moved stands above this.
    pub const AS_IT_STANDS: Self = Self::Above(0);

    /// What is done with the plain counter, where the log shows this value of it; `due` is whether a step is. A counter that the log
    /// shows no value of is attested at once, as until then steps of others go unseen; that moves it no further and wears nothing.
    #[must_use]
    pub const fn of_plain(due: bool, shown: Option<u64>) -> Option<Self> {
        match (due, shown) {
            (true, Some(shown)) => Some(Self::Above(shown)),
            (true, None) => Some(Self::Next),
            (false, Some(_)) => None,
            (false, None) => Some(Self::AS_IT_STANDS),
        }
    }

    /// Whether a counter that stands at this value is moved.
    #[must_use]
    pub const fn moves(self, value: u64) -> bool {
        match self {
            Self::Next => true,
            Self::Above(shown) => value <= shown,
        }
    }
}

/// A counter that checkpoints are bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Which of the two.
    pub kind: CounterKind,
    /// Its public area as its TPM hashes it (`TPMS_NV_PUBLIC`).
    pub public: Vec<u8>,
}

/// What a backend found when it opened its store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// What it can do.
    pub capabilities: Capabilities,
    /// What the store says of itself: maker, model, firmware.
    pub maker: String,
    /// The authority's public area as its TPM hashes it (`TPMT_PUBLIC`).
    pub key_public: Option<Vec<u8>>,
    /// The counters that are there.
    pub counters: Vec<Counter>,
    /// Counters that should be there and are not.
    pub lacking: Vec<CounterKind>,
    /// Keys of before that the store still holds, besides the one that signs.
    pub kept: u64,
}

/// What a TPM attests over the text of a statement: a counter's value, or PCRs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// What was signed (`TPMS_ATTEST`).
    pub attest: Vec<u8>,
    /// The authority's signature on it: ECDSA over SHA-256, ASN.1 DER.
    pub signature: Vec<u8>,
}

/// A certificate by which a TPM's maker vouches for a key in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endorsement {
    /// Which of the TPM's endorsement keys.
    pub kind: EndorsementKind,
    /// X.509 in DER, as the TPM keeps it.
    pub certificate: Vec<u8>,
}

/// The certificates of a store's maker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endorsements {
    /// Those that could be read.
    pub readable: Vec<Endorsement>,
    /// Why others could not, each with its kind: they count as none.
    pub unreadable: Vec<String>,
}

/// What only the TPM with this endorsement key and this authority can open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// For which endorsement key.
    pub kind: EndorsementKind,
    /// `TPMS_ID_OBJECT`: what is inside, and a MAC over it and the authority's name.
    pub blob: Vec<u8>,
    /// What the endorsement key decrypts (`TPMU_ENCRYPTED_SECRET`).
    pub secret: Vec<u8>,
}

/// Why a backend did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendError {
    /// What is wrong.
    pub fault: KeyFault,
    /// The same in words, with what would be right.
    pub words: String,
}

impl BackendError {
    /// An error in these words.
    #[must_use]
    pub fn new(fault: KeyFault, words: impl Into<String>) -> Self {
        let words = words.into();
        Self { fault, words }
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key store: {}: {}", self.fault, self.words)
    }
}

impl core::error::Error for BackendError {}

/// Holds the two keys of a node. Its store may be gone for a while: whatever needs it opens it again.
pub trait Backend: fmt::Debug {
    /// What was found when the store was opened.
    ///
    /// # Errors
    /// Where it cannot be opened.
    fn describe(&mut self) -> Result<Description, BackendError>;

    /// The authority's public key: Subject Public Key Info in DER, the point uncompressed.
    fn p256_public(&self) -> Vec<u8>;

    /// The public key for tools that know only Ed25519. It never counts as hardware custody.
    fn ed25519_public(&self) -> [u8; 32];

    /// Signs with the authority's key: ECDSA over SHA-256 of the text, ASN.1 DER.
    ///
    /// # Errors
    /// Where there is no signature.
    fn sign_p256(&mut self, text: &Signable) -> Result<Vec<u8>, BackendError>;

    /// Signs with the Ed25519 key.
    ///
    /// # Errors
    /// Where there is no signature.
    fn sign_ed25519(&mut self, text: &Signable) -> Result<[u8; 64], BackendError>;

    /// Whether a store of this kind can have counters. Nothing is asked of it for that: a slow one costs nothing.
    fn can_count(&self) -> bool;

    /// A counter's value, without moving it. Asked only of counters that [`Self::describe`] names.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn value(&mut self, counter: CounterKind) -> Result<u64, BackendError> {
        let words = alloc::format!("the store has no {counter} counter");
        Err(BackendError::new(KeyFault::CounterUndefined, words))
    }

    /// Moves a counter on and has its value attested over the SHA-256 of the text. Asked only of
    /// counters that [`Self::describe`] names.
    ///
    /// # Errors
    /// Where there is no attestation; the counter may have moved all the same.
    fn certify(
        &mut self,
        counter: CounterKind,
        step: Step,
        text: &Signable,
    ) -> Result<Certified, BackendError>;

    /// The counter of raised firmware versions as it is now.
    ///
    /// # Errors
    /// Where that cannot be told.
    fn firmware(&mut self) -> Result<CounterSeen, BackendError> {
        Ok(CounterSeen::Incapable)
    }

    /// Has its value attested over the SHA-256 of the text, and gives its public area too. It is made where it is not there, and moved on where it
    /// stands at `above` or below. Asked only of stores that can have one.
    ///
    /// # Errors
    /// Where there is no attestation; the counter may have moved all the same.
    fn certify_firmware(
        &mut self,
        _above: Option<u64>,
        _: &Signable,
    ) -> Result<(Vec<u8>, Certified), BackendError> {
        let words = "the store has no counter of firmware versions";
        Err(BackendError::new(KeyFault::CounterUndefined, words))
    }

    /// The PCRs of [`crate::limits::BOOT_PCRS`], ascending; none where there is no SHA-256 bank. Asked only of stores that
    /// [`Self::describe`] says can attest.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn pcrs(&mut self) -> Result<Vec<(u8, Digest)>, BackendError> {
        Err(BackendError::new(KeyFault::Failed, "the store has no PCRs"))
    }

    /// Has those PCRs attested over the SHA-256 of the text; asked as [`Self::pcrs`].
    ///
    /// # Errors
    /// Where there is no attestation.
    fn quote(&mut self, _: &Signable) -> Result<Certified, BackendError> {
        Err(BackendError::new(KeyFault::Failed, "the store has no PCRs"))
    }

    /// Lets go of the store until it is needed again: another may have to open it.
    fn release(&mut self) {}

    /// The certificates of the store's maker; none where it has none.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn endorsements(&mut self) -> Result<Endorsements, BackendError> {
        Ok(Endorsements::default())
    }

    /// Opens a credential: that shows the authority and the endorsement key to be in one TPM.
    ///
    /// # Errors
    /// Where it was made for another key or another TPM, or the store has no endorsement key.
    fn activate(&mut self, credential: &Credential) -> Result<Vec<u8>, BackendError> {
        let of = credential.kind.name();
        let words = alloc::format!("the store has no {of} endorsement key: it opens no credential");
        Err(BackendError::new(KeyFault::Failed, words))
    }
}

impl<B: Backend + ?Sized> Backend for Box<B> {
    fn describe(&mut self) -> Result<Description, BackendError> {
        (**self).describe()
    }

    fn p256_public(&self) -> Vec<u8> {
        (**self).p256_public()
    }

    fn ed25519_public(&self) -> [u8; 32] {
        (**self).ed25519_public()
    }

    fn sign_p256(&mut self, text: &Signable) -> Result<Vec<u8>, BackendError> {
        (**self).sign_p256(text)
    }

    fn sign_ed25519(&mut self, text: &Signable) -> Result<[u8; 64], BackendError> {
        (**self).sign_ed25519(text)
    }

    fn can_count(&self) -> bool {
        (**self).can_count()
    }

    fn value(&mut self, counter: CounterKind) -> Result<u64, BackendError> {
        (**self).value(counter)
    }

    fn certify(
        &mut self,
        counter: CounterKind,
        step: Step,
        text: &Signable,
    ) -> Result<Certified, BackendError> {
        (**self).certify(counter, step, text)
    }

    fn firmware(&mut self) -> Result<CounterSeen, BackendError> {
        (**self).firmware()
    }

    fn certify_firmware(
        &mut self,
        above: Option<u64>,
        text: &Signable,
    ) -> Result<(Vec<u8>, Certified), BackendError> {
        (**self).certify_firmware(above, text)
    }

    fn pcrs(&mut self) -> Result<Vec<(u8, Digest)>, BackendError> {
        (**self).pcrs()
    }

    fn quote(&mut self, text: &Signable) -> Result<Certified, BackendError> {
        (**self).quote(text)
    }

    fn release(&mut self) {
        (**self).release();
    }

    fn endorsements(&mut self) -> Result<Endorsements, BackendError> {
        (**self).endorsements()
    }

    fn activate(&mut self, credential: &Credential) -> Result<Vec<u8>, BackendError> {
        (**self).activate(credential)
    }
}
