//! Origins: a log's name, which stays, and its generation, which grows.

use crate::limits::BASE_ORIGIN_BYTES_MAX;
use alloc::format;
use alloc::string::String;
use core::fmt;
use evidence::Generation;
use proof::note::is_key_name;

/// What stands between base origin and generation.
const SEPARATOR: &str = "/g";

/// Why a text is not an origin that this signer may speak for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginError {
    /// The base is empty, too long, or holds a space, a plus or a control character.
    BadBase(String),
    /// The base has a generation at its end already.
    HasGeneration(String),
    /// The origin asked for does not belong to the base.
    Foreign {
        /// The origin asked for.
        origin: String,
        /// The base.
        base: String,
    },
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadBase(base) => write!(
                f,
                "origin {base:?} must have 1 to {BASE_ORIGIN_BYTES_MAX} bytes without spaces, plus \
                 or control characters"
            ),
            Self::HasGeneration(base) => write!(
                f,
                "origin {base:?} ends in a generation; give it without, every generation adds its own"
            ),
            Self::Foreign { origin, base } => write!(
                f,
                "origin {origin:?} is not {base}{SEPARATOR} and a generation in decimal"
            ),
        }
    }
}

impl core::error::Error for OriginError {}

/// The part of an origin that all generations of a log share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseOrigin(String);

impl BaseOrigin {
    /// Checks and takes the text.
    ///
    /// # Errors
    /// [`OriginError::BadBase`] or [`OriginError::HasGeneration`].
    pub fn new(base: &str) -> Result<Self, OriginError> {
        if base.len() > BASE_ORIGIN_BYTES_MAX || !is_key_name(base) {
            return Err(OriginError::BadBase(base.into()));
        }
        let generation = base.rsplit_once(SEPARATOR).map(|(_, number)| number);
        if generation.and_then(decimal).is_some() {
            return Err(OriginError::HasGeneration(base.into()));
        }
        Ok(Self(base.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The origin line of a generation.
    #[must_use]
    pub fn of(&self, generation: Generation) -> String {
        format!("{}{SEPARATOR}{generation}", self.0)
    }

    /// The generation of an origin line of this log.
    ///
    /// # Errors
    /// [`OriginError::Foreign`].
    pub fn generation(&self, origin: &str) -> Result<Generation, OriginError> {
        origin
            .strip_prefix(&self.0)
            .and_then(|rest| rest.strip_prefix(SEPARATOR))
            .and_then(decimal)
            .map(Generation)
            .ok_or_else(|| OriginError::Foreign {
                origin: origin.into(),
                base: self.0.clone(),
            })
    }
}

impl fmt::Display for BaseOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A decimal without sign or leading zeros: one generation, one origin line.
fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if plain && !leading_zero {
        text.parse().ok()
    } else {
        None
    }
}
#[cfg(test)]
mod tests {
    use super::{BaseOrigin, OriginError};
    use crate::limits::BASE_ORIGIN_BYTES_MAX;
    use evidence::Generation;
    use std::string::ToString as _;

    #[test]
    fn a_base_is_a_key_name_without_a_generation() {
        for good in [
            "meters.example/site",
            "x",
            "x/g",
            "x/g1a",
            "x/g01",
            "a/g1/b",
        ] {
            assert_eq!(BaseOrigin::new(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "a b",
            "a+b",
            "a\nb",
            &"x".repeat(BASE_ORIGIN_BYTES_MAX + 1),
        ] {
            let error = BaseOrigin::new(bad).unwrap_err();
            assert!(matches!(error, OriginError::BadBase(_)), "{error}");
        }
        for bad in ["x/g1", "x/g0", "x/g18446744073709551615"] {
            let error = BaseOrigin::new(bad).unwrap_err();
            assert!(matches!(error, OriginError::HasGeneration(_)), "{error}");
            assert!(error.to_string().contains("give it without"), "{error}");
        }
    }

    #[test]
    fn an_origin_is_the_base_and_one_plain_generation() {
        let base = BaseOrigin::new("meters.example/site").unwrap();
        for generation in [0, 1, 17, u64::MAX] {
            let origin = base.of(Generation(generation));
            assert_eq!(base.generation(&origin), Ok(Generation(generation)));
        }
        let longest = BaseOrigin::new(&"x".repeat(BASE_ORIGIN_BYTES_MAX)).unwrap();
        let line = longest.of(Generation(u64::MAX));
        assert!(line.len() <= proof::limits::NAME_BYTES_MAX);
        for foreign in [
            "",
            "meters.example/site",
            "meters.example/site/g",
            "meters.example/site/g01",
            "meters.example/site/g+1",
            "meters.example/site/g1 ",
            "meters.example/site/g1\nx",
            "meters.example/site/g18446744073709551616",
            "meters.example/sitE/g1",
            "other/meters.example/site/g1",
        ] {
            let error = base.generation(foreign).unwrap_err();
            assert!(matches!(error, OriginError::Foreign { .. }), "{error}");
        }
    }
}
