//! The engine: which statements may be signed, and the notes that come of them.

mod claims;

pub use claims::{FirmwareBound, SignedClaim};

use crate::backend::{Backend, BackendError, Description, Step};
use crate::binding::{self, BindingFault};
use crate::last_signed::{LastSigned, SignedHead};
use crate::limits::GENERATIONS_MAX;
use crate::origin::{BaseOrigin, OriginError};
use crate::rotation::RotationFault;
use crate::statement::{Purpose, Signable, Statement};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use evidence::Generation;
use evidence::reasons::{CounterKind, Custody, KeyFault};
use proof::checkpoint::CheckpointError;
use proof::note::{Algorithm, KeyError, Note, NoteError, SignatureLine, VerifierKey};
use proof::{Checkpoint, Hash};

/// Why a statement was not signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignError {
    /// The origin is not one of this log.
    Origin(OriginError),
    /// The tree head is not one that can be written.
    Checkpoint(CheckpointError),
    /// A larger tree was signed before: the log went back.
    Shrunk {
        /// Size that was signed last.
        signed: u64,
        /// Size asked for.
        asked: u64,
    },
    /// A tree of this size was signed before, with another root: the log split.
    Split {
        /// The size.
        size: u64,
        /// Root that was signed.
        signed: Hash,
        /// Root asked for.
        asked: Hash,
    },
    /// Keys change in the generation that they sign, and another was asked.
    OtherGeneration {
        /// In which they signed last; the first where they signed nothing.
        newest: Generation,
        /// Which was asked.
        asked: Generation,
    },
    /// The log has had more generations than are kept.
    TooManyGenerations,
    /// The backend's public keys are not usable.
    Key(KeyError),
    /// The backend gave no signature.
    Backend(BackendError),
    /// The backend gave a signature that its own public key does not verify; it is not let out.
    SelfCheck(Algorithm),
    /// The note cannot take the signature.
    Note(NoteError),
    /// The keys change to themselves, or their statement is not one that can be read.
    Rotation(RotationFault),
}

impl SignError {
    /// Whether the statement contradicts an earlier one (`rollback_attempt_cnt`).
    #[must_use]
    pub const fn is_rollback(&self) -> bool {
        matches!(self, Self::Shrunk { .. } | Self::Split { .. })
    }

    /// Whether the fault lies with the keys, not with the statement.
    #[must_use]
    pub const fn is_of_the_keys(&self) -> bool {
        matches!(self, Self::Key(_) | Self::Backend(_) | Self::SelfCheck(_))
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Origin(error) => error.fmt(f),
            Self::Checkpoint(error) => error.fmt(f),
            Self::Shrunk { signed, asked } => write!(
                f,
                "size {asked} asked after size {signed} was signed; a log that went back needs a \
                 new generation"
            ),
            Self::Split {
                size,
                signed,
                asked,
            } => write!(
                f,
                "size {size} was signed with root {signed}, now with root {asked}; a log that \
                 changed needs a new generation"
            ),
            Self::OtherGeneration { newest, asked } => write!(
                f,
                "the keys sign generation {newest}, and not {asked}: they change there alone; one that has just begun \
                 is sealed once first"
            ),
            Self::TooManyGenerations => {
                write!(f, "the log had more than {GENERATIONS_MAX} generations")
            }
            Self::Key(error) => error.fmt(f),
            Self::Backend(error) => error.fmt(f),
            Self::SelfCheck(algorithm) => write!(
                f,
                "the signature of type {:#04x} does not verify under its own key; it was withheld",
                algorithm.byte()
            ),
            Self::Note(error) => error.fmt(f),
            Self::Rotation(error) => write!(f, "the statement of new keys: {error}"),
        }
    }
}

impl core::error::Error for SignError {}

/// A statement that may be signed as soon as [`Pending::last_signed`] is durable.
#[derive(Debug)]
pub struct Pending {
    generation: Generation,
    head: SignedHead,
    checkpoint: Checkpoint,
    purpose: Purpose,
    last_signed: LastSigned,
}

impl Pending {
    /// What the host stores before it asks for the signature.
    #[must_use]
    pub const fn last_signed(&self) -> &LastSigned {
        &self.last_signed
    }
}

/// A tree head, signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The signed note.
    pub note: String,
    /// Where the authority key lives.
    pub custody: Custody,
    /// The counters that it is bound to.
    pub bound: Vec<Bound>,
    /// Why it is not bound to one that it should be bound to.
    pub unbound: Option<BackendError>,
    /// Counters that the store should have and has not.
    pub lacking: Vec<CounterKind>,
}

/// A counter attested over a tree head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Which counter.
    pub counter: CounterKind,
    /// Its value.
    pub value: u64,
    /// What was signed (`TPMS_ATTEST`).
    pub attest: Vec<u8>,
    /// The authority's signature on it, in DER.
    pub signature: Vec<u8>,
}

/// Counts since the signer started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Uses of a key by purpose, of both keys together.
    ops: [u64; Purpose::ALL.len()],
    /// Statements refused for what they say.
    pub refused: u64,
    /// Of those, statements that contradict an earlier one (`rollback_attempt_cnt`).
    pub rollback_attempts: u64,
    /// Signatures not had, or withheld (`signature_fail_cnt`).
    pub signature_failures: u64,
}

impl Audit {
    fn used(&mut self, purpose: Purpose) {
        for (ops, of) in self.ops.iter_mut().zip(Purpose::ALL) {
            *ops = ops.saturating_add(u64::from(*of == purpose));
        }
    }

    /// Something was not had of the store of the keys: a failed signature only where it was asked for one.
    fn failed(&mut self, fault: KeyFault) {
        let tried = u64::from(fault.is_failed_signature());
        self.signature_failures = self.signature_failures.saturating_add(tried);
    }

    /// Uses of a key for a purpose (A6.7).
    #[must_use]
    pub fn key_ops(&self, purpose: Purpose) -> u64 {
        let of = Purpose::ALL.iter().position(|one| *one == purpose);
        of.and_then(|place| self.ops.get(place))
            .copied()
            .unwrap_or(0)
    }

    /// All uses of keys (`key_op_audit_cnt`).
    #[must_use]
    pub fn key_ops_total(&self) -> u64 {
        self.ops.iter().fold(0, |sum, ops| sum.saturating_add(*ops))
    }
}

/// Signs the statements of one log.
#[derive(Debug)]
pub struct Engine<B> {
    backend: B,
    base: BaseOrigin,
    last_signed: LastSigned,
    audit: Audit,
}

impl<B: Backend> Engine<B> {
    /// An engine for the log `base`, going on after `last_signed`.
    pub const fn new(backend: B, base: BaseOrigin, last_signed: LastSigned) -> Self {
        Self {
            backend,
            base,
            last_signed,
            audit: Audit {
                ops: [0; Purpose::ALL.len()],
                refused: 0,
                rollback_attempts: 0,
                signature_failures: 0,
            },
        }
    }

    /// What the backend found in its store, and can do.
    ///
    /// # Errors
    /// [`SignError::Backend`].
    pub fn describe(&mut self) -> Result<Description, SignError> {
        self.backend.describe().map_err(SignError::Backend)
    }

    /// The log's base origin.
    pub const fn base(&self) -> &BaseOrigin {
        &self.base
    }

    /// What was signed last.
    pub const fn last_signed(&self) -> &LastSigned {
        &self.last_signed
    }

    /// Whether a store of this kind can have counters; it is asked nothing for that.
    pub fn can_count(&self) -> bool {
        self.backend.can_count()
    }

    /// A counter's value, without moving it.
    ///
    /// # Errors
    /// [`SignError::Backend`].
    pub fn value(&mut self, counter: CounterKind) -> Result<u64, SignError> {
        self.backend.value(counter).map_err(SignError::Backend)
    }

    /// Gives the backend back.
    pub fn into_backend(self) -> B {
        self.backend
    }

    /// Counts since the signer started.
    pub const fn audit(&self) -> Audit {
        self.audit
    }

    /// The verifier keys under a name, the authority first.
    ///
    /// # Errors
    /// [`SignError::Key`].
    pub fn verifier_keys(&self, name: &str) -> Result<[VerifierKey; 2], SignError> {
        named(&self.backend, name)
    }

    /// Checks a statement against what was signed before; signs nothing.
    ///
    /// # Errors
    /// Why it may not be signed.
    pub fn check(&mut self, statement: &Statement) -> Result<Pending, SignError> {
        let checked = self.checked(statement);
        if let Err(error) = &checked {
            self.refuse(error);
        }
        checked
    }

    /// Signs a statement whose [`Pending::last_signed`] is durable: the note, with the authority's
    /// line first; and binds it to the counters, to the plain one only where a step of that is due.
    ///
    /// # Errors
    /// Why there is no signature. The head counts as signed all the same, as one may have been made.
    pub fn sign(&mut self, pending: Pending, plain: Option<Step>) -> Result<Signed, SignError> {
        let signed = self.signed(pending, plain);
        if let Err(error) = &signed {
            self.refuse(error);
        }
        signed
    }

    /// A text with the lines of both keys, the authority's first.
    fn note(&mut self, keys: &[VerifierKey; 2], signable: &Signable) -> Result<String, SignError> {
        let [authority, ed25519] = keys;
        let by_authority = self.backend.sign_p256(signable);
        let by_authority = self.line(authority, signable, by_authority)?;
        let by_ed25519 = self.backend.sign_ed25519(signable);
        let by_ed25519 = by_ed25519.map(|signature| signature.to_vec());
        let by_ed25519 = self.line(ed25519, signable, by_ed25519)?;
        let mut note = Note::new(signable.text().into()).map_err(SignError::Note)?;
        for line in [by_authority, by_ed25519] {
            note.add(line).map_err(SignError::Note)?;
        }
        Ok(format!("{note}"))
    }

    fn refuse(&mut self, error: &SignError) {
        let audit = &mut self.audit;
        if error.is_of_the_keys() {
            audit.failed(match error {
                SignError::Backend(error) => error.fault,
                _ => KeyFault::Failed,
            });
            return;
        }
        audit.refused = audit.refused.saturating_add(1);
        if error.is_rollback() {
            audit.rollback_attempts = audit.rollback_attempts.saturating_add(1);
        }
    }

    fn checked(&self, statement: &Statement) -> Result<Pending, SignError> {
        let Statement::Checkpoint { origin, size, root } = statement;
        let generation = self.base.generation(origin).map_err(SignError::Origin)?;
        let checkpoint = Checkpoint::new(origin, *size, *root).map_err(SignError::Checkpoint)?;
        let head = SignedHead {
            size: *size,
            root: *root,
        };
        self.contradiction(generation, head)?;
        let last_signed = self
            .last_signed
            .with(generation, head)
            .ok_or(SignError::TooManyGenerations)?;
        Ok(Pending {
            generation,
            head,
            checkpoint,
            purpose: statement.purpose(),
            last_signed,
        })
    }

    fn contradiction(&self, generation: Generation, head: SignedHead) -> Result<(), SignError> {
        match self.last_signed.head(generation) {
            Some(last) if head.size < last.size => Err(SignError::Shrunk {
                signed: last.size,
                asked: head.size,
            }),
            Some(last) if head.size == last.size && head.root != last.root => {
                Err(SignError::Split {
                    size: head.size,
                    signed: last.root,
                    asked: head.root,
                })
            }
            _ => Ok(()),
        }
    }

    fn signed(&mut self, pending: Pending, plain: Option<Step>) -> Result<Signed, SignError> {
        // Another statement may have been signed since this one was checked.
        self.contradiction(pending.generation, pending.head)?;
        self.last_signed = self
            .last_signed
            .with(pending.generation, pending.head)
            .ok_or(SignError::TooManyGenerations)?;
        let description = self.describe()?;
        let text = pending.checkpoint.body().map_err(SignError::Checkpoint)?;
        let keys = self.verifier_keys(&pending.checkpoint.origin)?;
        let signable = Signable::new(text, pending.purpose);
        let mut signed = Signed {
            note: self.note(&keys, &signable)?,
            custody: description.capabilities.custody,
            bound: Vec::new(),
            unbound: None,
            lacking: description.lacking,
        };
        if let Some(counter) = signed.lacking.first() {
            let words = format!(
                "the {counter} counter is not defined, or not as a counter that was moved on once"
            );
            signed.unbound = Some(BackendError::new(KeyFault::CounterUndefined, words));
        }
        for counter in description.counters {
            let step = match counter.kind {
                CounterKind::Orderly => Some(Step::Next),
                CounterKind::Plain => plain,
            };
            let (Some(step), [authority, _]) = (step, &keys) else {
                continue;
            };
            match self.bind(counter.kind, step, &signable, authority) {
                Ok(bound) => signed.bound.push(bound),
                Err(error) => {
                    self.audit.failed(error.fault);
                    signed.unbound = Some(error);
                }
            }
        }
        Ok(signed)
    }

    /// A counter attested over a text, after its own key and the text were checked in it.
    fn bind(
        &mut self,
        counter: CounterKind,
        step: Step,
        signable: &Signable,
        authority: &VerifierKey,
    ) -> Result<Bound, BackendError> {
        self.audit.used(Purpose::Binding);
        let certified = self.backend.certify(counter, step, signable)?;
        let (attest, signature) = (certified.attest, certified.signature);
        let withheld = |fault: BindingFault| {
            BackendError::new(KeyFault::Failed, format!("{fault}; it was withheld"))
        };
        let (_, value) =
            binding::attested(&attest, &signature, signable.text(), authority).map_err(withheld)?;
        Ok(Bound {
            counter,
            value,
            attest,
            signature,
        })
    }

    /// The line of a signature that its own key verifies; the use of the key is counted.
    fn line(
        &mut self,
        key: &VerifierKey,
        signable: &Signable,
        signature: Result<Vec<u8>, BackendError>,
    ) -> Result<SignatureLine, SignError> {
        self.audit.used(signable.purpose());
        let signature = signature.map_err(SignError::Backend)?;
        if key.verify(signable.text(), &signature).is_none() {
            return Err(SignError::SelfCheck(key.algorithm()));
        }
        SignatureLine::new(key.name(), key.key_id(), signature).map_err(SignError::Key)
    }
}

/// The verifier keys of a backend under a name.
fn named(backend: &impl Backend, name: &str) -> Result<[VerifierKey; 2], SignError> {
    let ed25519 = backend.ed25519_public();
    Ok([
        VerifierKey::p256(name, &backend.p256_public()).map_err(SignError::Key)?,
        VerifierKey::ed25519(name, &ed25519, Algorithm::Ed25519).map_err(SignError::Key)?,
    ])
}

mod activate;
mod rotate;
#[cfg(test)]
mod tests;
