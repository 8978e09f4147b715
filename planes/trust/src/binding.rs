//! Whether a checkpoint is bound to a counter, for whoever reads the log: nothing here trusts the node.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use evidence::kinds::{Binding, BindingCounter, KeyStore};
use evidence::reasons::CounterKind;
use proof::note::VerifierKey;
use sha2::{Digest as _, Sha256};
use tpm::attest::Clock;
use tpm::command::ENDORSEMENT;
use tpm::{Attest, KeyPublic, Malformed, NvPublic};

/// A name begins with its hash.
const NAME_SHA256: [u8; 2] = tpm::public::ALG_SHA256.to_be_bytes();

/// Why a checkpoint is not bound by what claims to bind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindingFault {
    /// The statement about the store is no public area of a key or a counter.
    Malformed(Malformed),
    /// The key's public area is of another key than the one that signs the log.
    OtherKey,
    /// The key's attributes let it leave, or sign what its TPM did not make.
    WeakKey,
    /// An index that is no counter as it must be.
    NoCounter(CounterKind),
    /// An index that is no counter of firmware versions as it must be.
    NoFirmwareCounter,
    /// Another index is attested than the counter of firmware versions that is stated.
    OtherFirmwareCounter,
    /// The log went over to another index in the middle.
    CounterReplaced(CounterKind),
    /// No statement about the store names this counter.
    UnknownCounter(CounterKind),
    /// The signature does not hold.
    Signature,
    /// It is not the value of a counter that is attested.
    NoValue,
    /// The attested value is not the one that the entry states.
    OtherValue {
        /// As attested.
        attested: u64,
        /// As stated.
        stated: u64,
    },
    /// It is attested over something else than the checkpoint.
    OtherText,
    /// The index has another name than the counter that was stated.
    OtherIndex(CounterKind),
    /// The key is not a primary key of the endorsement hierarchy, or another.
    OtherSigner,
    /// The counter did not move forward.
    Backwards {
        /// Which.
        counter: CounterKind,
        /// The value before.
        before: u64,
        /// The value now.
        now: u64,
    },
    /// The TPM counts fewer resets than before, or its clock went back without one.
    OtherTpm,
}

impl fmt::Display for BindingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(f),
            Self::OtherKey => f.write_str("the store's key is not the one that signs the checkpoints"),
            Self::WeakKey => f.write_str(
                "the store's key may leave it, or may sign what its TPM did not make",
            ),
            Self::NoCounter(counter) => write!(f, "the {counter} counter is an index that can be written"),
            Self::NoFirmwareCounter => {
                f.write_str("what is stated as the counter of firmware versions is an index that can be written, or of something else")
            }
            Self::OtherFirmwareCounter => {
                f.write_str("the attested index is not the counter of firmware versions that is stated")
            }
            Self::CounterReplaced(counter) => write!(f, "the {counter} counter was replaced by another index"),
            Self::UnknownCounter(counter) => {
                write!(f, "bound to a {counter} counter that no statement about the store names")
            }
            Self::Signature => f.write_str("the authority did not sign the attestation"),
            Self::NoValue => f.write_str("no counter's value is attested"),
            Self::OtherValue { attested, stated } => {
                write!(f, "{attested} is attested, {stated} is stated")
            }
            Self::OtherText => f.write_str("attested over another text than this checkpoint's"),
            Self::OtherIndex(counter) => {
                write!(f, "the attested index is not the {counter} counter that was stated")
            }
            Self::OtherSigner => {
                f.write_str("the signer is no primary key of the endorsement hierarchy, or another one")
            }
            Self::Backwards {
                counter,
                before,
                now,
            } => write!(f, "the {counter} counter went from {before} to {now}"),
            Self::OtherTpm => f.write_str(
                "the TPM's count of resets or its clock went back: another TPM, an older copy of one, or it was cleared",
            ),
        }
    }
}

impl core::error::Error for BindingFault {}

impl From<Malformed> for BindingFault {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
}

/// The bindings of a log in their order: what was stated of the store, and where its counters stand.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    signer: Option<Vec<u8>>,
    indexes: BTreeMap<CounterKind, Vec<u8>>,
    values: BTreeMap<CounterKind, u64>,
    clock: Option<Clock>,
}

impl Bindings {
    /// Takes a statement about the store. `authority` is the key that signs the log's checkpoints.
    ///
    /// Gives what the statement contradicts: the key, itself, or the one before. Each counter is taken as it is stated, also behind
    /// one at fault.
    #[must_use]
    pub fn store(&mut self, store: &KeyStore, authority: &VerifierKey) -> Vec<BindingFault> {
        let Some(public) = &store.key_public else {
            return Vec::new();
        };
        match self.key(&public.0, authority) {
            Ok(()) => {
                let counters = store.counters.iter();
                counters.filter_map(|one| self.counter(one).err()).collect()
            }
            Err(fault) => Vec::from([fault]),
        }
    }

    fn key(&mut self, public: &[u8], authority: &VerifierKey) -> Result<(), BindingFault> {
        let key = KeyPublic::parse(public)?;
        if !authority.public_bytes().ends_with(&key.point()) {
            return Err(BindingFault::OtherKey);
        }
        if !key.is_authority() {
            return Err(BindingFault::WeakKey);
        }
        self.signer = Some(qualified(&name(key.bytes())));
        Ok(())
    }

    fn counter(&mut self, one: &BindingCounter) -> Result<(), BindingFault> {
        let public = NvPublic::parse(&one.public.0)?;
        if !public.is_counter(one.counter == CounterKind::Orderly) || !public.is_written() {
            return Err(BindingFault::NoCounter(one.counter));
        }
        let name = name(&public.bytes());
        let before = self
            .indexes
            .entry(one.counter)
            .or_insert_with(|| name.clone());
        if *before != name {
            *before = name;
            self.values.remove(&one.counter);
            return Err(BindingFault::CounterReplaced(one.counter));
        }
        Ok(())
    }

    /// Takes a binding of the checkpoint with this text, and gives how many steps of the plain counter lie between it and
    /// the one before: steps that nothing shows, and what was sealed at them may have been taken away. The node makes
    /// no second step before its log shows the first. The orderly counter skips at a cut of power, and tells nothing.
    ///
    /// # Errors
    /// Why it does not bind; then nothing of it is remembered.
    pub fn take(
        &mut self,
        binding: &Binding,
        text: &str,
        authority: &VerifierKey,
    ) -> Result<u64, BindingFault> {
        let (counter, value) = (binding.counter, binding.value);
        let stated = StatedValue {
            value,
            attest: &binding.attest.0,
            signature: &binding.signature.0,
        };
        let attest = stated.check(text, authority)?;
        let index = self.indexes.get(&counter);
        let index = index.ok_or(BindingFault::UnknownCounter(counter))?;
        if attest
            .counter()
            .is_none_or(|(name, _)| name != index.as_slice())
        {
            return Err(BindingFault::OtherIndex(counter));
        }
        if self.signer.as_ref() != Some(&attest.qualified_signer) {
            return Err(BindingFault::OtherSigner);
        }
        let before = self.values.get(&counter).copied();
        if let Some(before) = before.filter(|before| value <= *before) {
            return Err(BindingFault::Backwards {
                counter,
                before,
                now: value,
            });
        }
        if !self.may_follow(attest.clock) {
            return Err(BindingFault::OtherTpm);
        }
        self.values.insert(counter, value);
        self.clock = Some(attest.clock);
        let plain = before.filter(|_| counter == CounterKind::Plain);
        Ok(plain.map_or(0, |before| value - before - 1))
    }

    /// Forgets where a counter and the TPM's clock stood.
    pub(crate) fn forget(&mut self, counter: CounterKind) {
        self.values.remove(&counter);
        self.clock = None;
    }

    /// Forgets what a binding contradicts by this fault and nothing else; whether there was any such.
    pub(crate) fn forget_contradicted(&mut self, fault: &BindingFault) -> bool {
        match fault {
            BindingFault::Backwards { counter, .. } => self.values.remove(counter).is_some(),
            BindingFault::OtherTpm => self.clock.take().is_some(),
            _ => false,
        }
    }

    /// The qualified name of the key that was stated: what its TPM calls it in an attestation.
    #[must_use]
    pub fn signer(&self) -> Option<&[u8]> {
        self.signer.as_deref()
    }

    /// Whether something attested with this clock can come behind the newest binding, in the life of one TPM.
    #[must_use]
    pub fn may_follow(&self, clock: Clock) -> bool {
        self.clock.is_none_or(|before| !went_back(before, clock))
    }

    /// How often the TPM had been reset at the newest binding.
    #[must_use]
    pub fn resets(&self) -> Option<u32> {
        self.clock.map(|clock| clock.reset_count)
    }

    /// A counter's newest value that holds.
    #[must_use]
    pub fn value(&self, counter: CounterKind) -> Option<u64> {
        self.values.get(&counter).copied()
    }

    /// The newest value of each.
    pub(crate) fn values(&self) -> BTreeMap<CounterKind, u64> {
        self.values.clone()
    }
}

/// Whether the second cannot be later than the first in the life of one TPM. A clock that is not safe may have
/// lost up to its interval of saving.
const fn went_back(before: Clock, now: Clock) -> bool {
    let of_one_run = before.reset_count == now.reset_count
        && before.restart_count == now.restart_count
        && before.safe
        && now.safe;
    now.reset_count < before.reset_count || (of_one_run && now.clock_ms < before.clock_ms)
}

/// A counter's value as it is stated, and what a TPM is said to have signed of it.
#[derive(Clone, Copy, Debug)]
pub struct StatedValue<'a> {
    /// The value.
    pub value: u64,
    /// What was signed (`TPMS_ATTEST`).
    pub attest: &'a [u8],
    /// The authority's signature on it, in DER.
    pub signature: &'a [u8],
}

impl StatedValue<'_> {
    /// Whether this key attested this value over this text. Of which counter it does not say.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check(&self, text: &str, authority: &VerifierKey) -> Result<Attest, BindingFault> {
        let (attest, value) = attested(self.attest, self.signature, text, authority)?;
        let stated = self.value;
        match value == stated {
            true => Ok(attest),
            false => Err(BindingFault::OtherValue {
                attested: value,
                stated,
            }),
        }
    }
}

/// An attestation by this key over this text, and the counter's value in it.
///
/// # Errors
/// What does not hold.
pub(crate) fn attested(
    attest: &[u8],
    signature: &[u8],
    text: &str,
    authority: &VerifierKey,
) -> Result<(Attest, u64), BindingFault> {
    if !authority.verify_bytes(attest, signature) {
        return Err(BindingFault::Signature);
    }
    let attest = Attest::parse(attest)?;
    let (_, value) = attest.counter().ok_or(BindingFault::NoValue)?;
    if attest.extra.as_slice() != Sha256::digest(text.as_bytes()).as_slice() {
        return Err(BindingFault::OtherText);
    }
    Ok((attest, value))
}

/// The name of something with this public area (part 1, 16).
pub(crate) fn name(public: &[u8]) -> Vec<u8> {
    [&NAME_SHA256[..], &Sha256::digest(public)].concat()
}

/// The name of a primary key with that of its hierarchy, which is its handle, hashed in.
fn qualified(name_of_key: &[u8]) -> Vec<u8> {
    name(&[&ENDORSEMENT.to_be_bytes()[..], name_of_key].concat())
}

/// The SHA-256 of a text, which is what is put into an attestation over it.
#[must_use]
pub fn qualifying(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
pub(crate) mod tests;
