//! Whose signatures count, and for which origins.

use std::path::Path;
use std::str::FromStr;

use exchange::split_origin;
use proof::note::VerifierKey;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files::{self, Access};

/// What [`remember`] writes.
const FILE: &str = "log-pins.json";

/// A pinned key and the prefix of the origins that it may sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    key: VerifierKey,
    prefix: String,
    /// What it signs from now on counts for nothing: since when and why, in words.
    revoked: Option<String>,
}

impl Pin {
    /// A key for a prefix.
    #[must_use]
    pub fn new(key: VerifierKey, prefix: &str) -> Self {
        Self {
            key,
            prefix: prefix.to_owned(),
            revoked: None,
        }
    }

    /// The same key with since when and why it is revoked: its new signatures count for nothing, what it signed before stays served.
    #[must_use]
    pub fn revoked(self, how: &str) -> Self {
        Self {
            revoked: Some(how.to_owned()),
            ..self
        }
    }

    /// Since when it is revoked and why, where it is.
    #[must_use]
    pub fn how_revoked(&self) -> Option<&str> {
        self.revoked.as_deref()
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The prefix of the origins that it may sign.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether it was revoked.
    #[must_use]
    pub const fn is_revoked(&self) -> bool {
        self.revoked.is_some()
    }

    /// Whether an origin is the prefix itself or a generation of it.
    #[must_use]
    pub fn covers(&self, origin: &str) -> bool {
        origin == self.prefix || split_origin(origin).is_some_and(|(base, _)| base == self.prefix)
    }

    /// The key under its own name and, where that is the prefix, under the origin's: a node's keys are
    /// one per node, their names one per generation.
    pub(super) fn keys_for(&self, origin: &str) -> Vec<VerifierKey> {
        let mut keys = vec![self.key.clone()];
        if self.key.name() == self.prefix && origin != self.prefix {
            keys.extend(self.key.under_name(origin));
        }
        keys
    }
}

impl FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = match text.parse::<VerifierKey>() {
            Ok(key) => {
                let prefix = key.name().to_owned();
                return Ok(Self::new(key, &prefix));
            }
            Err(error) => error,
        };
        // The key's base64 may end in '=' as well: the prefix is what follows the last one.
        let pinned = text.rsplit_once('=').and_then(|(key, prefix)| {
            let key = key.parse().ok()?;
            (!prefix.is_empty()).then(|| Self::new(key, prefix))
        });
        pinned.ok_or_else(|| {
            format!(
                "{error}; expected VKEY or VKEY=PREFIX, where VKEY is one whole line of the node's \
                 identity/keys.vkey"
            )
        })
    }
}

/// A pin as it was at the last start.
#[derive(Serialize, Deserialize)]
struct Remembered {
    vkey: String,
    prefix: String,
}

/// Writes down which key may sign which origins.
pub(super) fn remember(dir: &Path, pins: &[Pin]) -> Result<(), Error> {
    let all: Vec<Remembered> = pins
        .iter()
        .map(|pin| Remembered {
            vkey: pin.key.to_string(),
            prefix: pin.prefix.clone(),
        })
        .collect();
    let text = serde_json::to_string_pretty(&all).map_err(Error::setup)?;
    let path = dir.join(FILE);
    files::write(&path, format!("{text}\n").as_bytes(), Access::Public)
}

/// Which key could sign which origins at the last start; whether it was revoked is not said.
///
/// # Errors
/// A file that cannot be read.
pub fn remembered(dir: &Path) -> Result<Vec<Pin>, Error> {
    let path = dir.join(FILE);
    let Some(bytes) = files::read(&path)? else {
        return Ok(Vec::new());
    };
    let all: Vec<Remembered> =
        serde_json::from_slice(&bytes).map_err(|error| Error::damaged(&path, error))?;
    let pin = |one: Remembered| {
        let key = one.vkey.parse();
        key.map(|key| Pin::new(key, &one.prefix))
            .map_err(|error| Error::damaged(&path, error))
    };
    all.into_iter().map(pin).collect()
}

/// The keys whose signatures on heads of a log are checked: `None` where nobody's are, none at all where the log is closed.
pub(super) fn keys(pins: &[Pin], origin: &str) -> Option<Vec<VerifierKey>> {
    let mut covering = pins.iter().filter(|pin| pin.covers(origin)).peekable();
    covering.peek()?;
    Some(match is_closed(pins, origin) {
        true => Vec::new(),
        false => covering
            .filter(|pin| !pin.is_revoked())
            .flat_map(|pin| pin.keys_for(origin))
            .collect(),
    })
}

/// Whether nothing more of a log is taken: of one of the algorithms that it is pinned with every key was revoked. A log signs
/// with a key of each, and who has one of them does not sign alone.
pub(super) fn is_closed(pins: &[Pin], origin: &str) -> bool {
    let covering: Vec<&Pin> = pins.iter().filter(|pin| pin.covers(origin)).collect();
    covering.iter().any(|revoked| {
        let same = |pin: &&&Pin| pin.key.algorithm() == revoked.key.algorithm();
        covering.iter().filter(same).all(|pin| pin.is_revoked())
    })
}

#[cfg(test)]
mod tests {
    use super::{Pin, is_closed, keys};
    use proof::note::{Algorithm, VerifierKey, p256_spki};

    #[test]
    fn a_pin_is_a_key_with_or_without_a_prefix() {
        let key = p256::ecdsa::SigningKey::from_slice(&[5; 32]).unwrap();
        let key = VerifierKey::p256("example.org/n7", &p256_spki(key.verifying_key())).unwrap();
        assert!(key.to_string().ends_with('='), "the hard case has padding");
        let named: Pin = key.to_string().parse().unwrap();
        assert_eq!(named, Pin::new(key.clone(), "example.org/n7"));
        let other: Pin = format!("{key}=example.org/site/n7").parse().unwrap();
        assert_eq!(other, Pin::new(key.clone(), "example.org/site/n7"));
        for wrong in ["", "x", "a+b+c=", &format!("{key}=")] {
            assert!(wrong.parse::<Pin>().is_err(), "{wrong}");
        }
    }

    //= U4
    #[test]
    fn a_pin_covers_its_prefix_and_its_generations_alone() {
        let public = ed25519_dalek::SigningKey::from_bytes(&[5; 32]).verifying_key();
        let key = VerifierKey::cosigner("k", public.as_bytes()).unwrap();
        let pin = Pin::new(key, "example.org/n7");
        for (origin, covered) in [
            ("example.org/n7", true),
            ("example.org/n7/g1", true),
            ("example.org/n7/g12", true),
            ("example.org/n7/gx", false),
            ("example.org/n70/g1", false),
            ("example.org/n7/other/g1", false),
        ] {
            assert_eq!(pin.covers(origin), covered, "{origin}");
        }
    }

    //= R8.2
    #[test]
    fn a_log_is_closed_as_soon_as_all_of_one_kind_of_its_keys_are_revoked() {
        let name = "example.org/n7";
        let pin = |seed: u8, authority: bool| {
            let key = match authority {
                true => {
                    let key = p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap();
                    VerifierKey::p256(name, &p256_spki(key.verifying_key()))
                }
                false => {
                    let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
                    let public = key.verifying_key();
                    VerifierKey::ed25519(name, public.as_bytes(), Algorithm::Ed25519)
                }
            };
            Pin::new(key.unwrap(), name)
        };
        let (p, e, new_p, new_e) = (pin(1, true), pin(1, false), pin(2, true), pin(2, false));
        let back = |pin: Pin| pin.revoked("on a day, stolen");
        let origin = "example.org/n7/g2";
        for (pins, known, closed) in [
            (vec![], None, false),
            (vec![p.clone(), e.clone()], Some(4), false),
            // One of a node's two keys is as good as both: neither signs alone.
            (vec![back(p.clone()), e.clone()], Some(0), true),
            (vec![p.clone(), back(e.clone())], Some(0), true),
            (vec![back(p.clone()), back(e.clone())], Some(0), true),
            (vec![back(p.clone())], Some(0), true),
            (
                vec![
                    back(p.clone()),
                    back(e.clone()),
                    new_p.clone(),
                    new_e.clone(),
                ],
                Some(4),
                false,
            ),
            (vec![back(p), e, new_p, new_e], Some(6), false),
        ] {
            let found = keys(&pins, origin).map(|keys| keys.len());
            assert_eq!(found, known, "{pins:?}");
            assert_eq!(is_closed(&pins, origin), closed, "{pins:?}");
            assert!(!is_closed(&pins, "example.org/n8/g1"));
        }
    }
}
