//! Keys of a log and of its collector, drawn from the seed: software keys, as a node without a TPM has them.

use ed25519_dalek::SigningKey as Ed25519;
use p256::ecdsa::SigningKey as P256;
use proof::note::{Algorithm, Note, VerifierKey, p256_spki, sign_ed25519, sign_p256};
use proof::{Checkpoint, Hash};
use trial::Random;
use trust_plane::Rotation;

/// The secrets of one node, and of the collector that cosigns for it.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) base: String,
    pub(crate) authority: P256,
    pub(crate) second: Ed25519,
    pub(crate) cosigner: Ed25519,
}

/// The collector's name.
const COLLECTOR: &str = "collector.example.org";
/// When it cosigned; nobody compares it with a clock.
const COSIGNED_AT_S: u64 = 1_700_000_000;

impl Keys {
    /// Everything follows from the random numbers.
    pub(crate) fn draw(random: &mut Random, base: &str) -> Result<Self, String> {
        let authority = P256::from_slice(&seed(random)).map_err(|error| error.to_string())?;
        Ok(Self {
            base: base.to_owned(),
            authority,
            second: Ed25519::from_bytes(&seed(random)),
            cosigner: Ed25519::from_bytes(&seed(random)),
        })
    }

    /// Other keys of the same node, under the same collector.
    pub(crate) fn next(&self, random: &mut Random) -> Result<Self, String> {
        Ok(Self {
            cosigner: self.cosigner.clone(),
            ..Self::draw(random, &self.base)?
        })
    }

    /// What is stated of keys that follow others, signed by those of `by`: the authorities of all, then the others.
    pub(crate) fn stated(stated: &Rotation, by: &[&Self]) -> Result<String, String> {
        let (text, base) = (stated.text(), stated.base.as_str());
        let mut note = Note::new(text.clone()).map_err(|error| error.to_string())?;
        let authorities = by
            .iter()
            .map(|keys| sign_p256(base, &keys.authority, &text));
        let seconds = by
            .iter()
            .map(|keys| sign_ed25519(base, &keys.second, &text));
        for line in authorities.chain(seconds) {
            let line = line.map_err(|error| error.to_string())?;
            note.add(line).map_err(|error| error.to_string())?;
        }
        Ok(note.to_string())
    }

    /// The verifier keys under a name, the authority's first.
    pub(crate) fn verifiers(&self, name: &str) -> Result<[VerifierKey; 2], String> {
        let spki = p256_spki(self.authority.verifying_key());
        let second = self.second.verifying_key();
        let keys = VerifierKey::p256(name, &spki).and_then(|authority| {
            let second = VerifierKey::ed25519(name, second.as_bytes(), Algorithm::Ed25519)?;
            Ok([authority, second])
        });
        keys.map_err(|error| error.to_string())
    }

    /// The collector's verifier key.
    pub(crate) fn collector(&self) -> Result<VerifierKey, String> {
        VerifierKey::cosigner(COLLECTOR, self.cosigner.verifying_key().as_bytes())
            .map_err(|error| error.to_string())
    }

    /// The note of a head, signed by both keys.
    pub(crate) fn note(&self, origin: &str, size: u64, root: Hash) -> Result<String, String> {
        let text = text(origin, size, root)?;
        let mut note = Note::new(text.clone()).map_err(|error| error.to_string())?;
        let authority = sign_p256(origin, &self.authority, &text);
        let second = sign_ed25519(origin, &self.second, &text);
        for line in [authority, second] {
            let line = line.map_err(|error| error.to_string())?;
            note.add(line).map_err(|error| error.to_string())?;
        }
        Ok(note.to_string())
    }

    /// The collector's line under a head.
    pub(crate) fn cosignature(
        &self,
        origin: &str,
        size: u64,
        root: Hash,
    ) -> Result<String, String> {
        let text = text(origin, size, root)?;
        proof::cosignature::cosign(COLLECTOR, &self.cosigner, COSIGNED_AT_S, &text)
            .map(|line| format!("{line}\n"))
            .map_err(|error| error.to_string())
    }
}

/// The keys of a log, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Succession {
    /// Those that it began with.
    pub(crate) first: Keys,
    /// Those that followed, and the size of the newest head that is not theirs.
    pub(crate) next: Vec<(u64, Keys)>,
}

impl Succession {
    /// Keys that nothing follows.
    pub(crate) const fn of(first: Keys) -> Self {
        Self {
            first,
            next: Vec::new(),
        }
    }

    /// The keys whose a head of this size is.
    pub(crate) fn at(&self, size: u64) -> &Keys {
        let mut newest_first = self.next.iter().rev();
        let found = newest_first.find(|(border, _)| size > *border);
        found.map_or(&self.first, |(_, keys)| keys)
    }

    /// All of them under a name, in their order.
    pub(crate) fn verifiers(&self, name: &str) -> Result<Vec<VerifierKey>, String> {
        let next = self.next.iter().map(|(_, keys)| keys);
        let all = std::iter::once(&self.first).chain(next);
        let all: Result<Vec<_>, _> = all.map(|keys| keys.verifiers(name)).collect();
        Ok(all?.concat())
    }
}

fn text(origin: &str, size: u64, root: Hash) -> Result<String, String> {
    Checkpoint::new(origin, size, root)
        .and_then(|head| head.body())
        .map_err(|error| error.to_string())
}

fn seed(random: &mut Random) -> [u8; 32] {
    let mut bytes = [0; 32];
    for part in bytes.chunks_mut(8) {
        let number = random.number().to_be_bytes();
        part.copy_from_slice(&number);
    }
    bytes
}
