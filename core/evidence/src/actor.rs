//! Who did something. An actor cannot be left out, and cannot be nobody: each way to make one names somebody.

use crate::cbor::{DecodeError, DecodeFault, Reader, Writer};
use crate::field::Field;
use crate::ids::Digest;
use crate::limits::ACTOR_BYTES_MAX;
use alloc::format;
use alloc::string::String;
use core::fmt;

/// Somebody: a local user, the holder of a certificate, a caller, or a process of the node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor(String);

impl Actor {
    /// A local user: the name that he goes by, and the user id that the kernel vouches for.
    #[must_use]
    pub fn local(name: &str, uid: u32) -> Self {
        let name = match name.trim() {
            "" => "local user",
            name => name,
        };
        Self::bounded(name, &format!(" {}", Self::vouched(uid)))
    }

    /// The end of a local user's name: what the kernel vouches for.
    #[must_use]
    pub fn vouched(uid: u32) -> String {
        format!("(uid {uid})")
    }

    /// Whether a name is a local user's with this id, and claims no other besides.
    #[must_use]
    pub fn is_local(name: &str, uid: u32) -> bool {
        let end = Self::vouched(uid);
        name.len() > end.len() && name.ends_with(&end) && name.matches("(uid").count() == 1
    }

    /// Whoever holds the key of this certificate: the SHA-256 of its DER, and the name in it.
    #[must_use]
    pub fn peer(certificate: Digest, name: &str) -> Self {
        Self::bounded(name, &format!(" (certificate sha256:{certificate})"))
    }

    /// Whoever called from an address, where nothing vouches for more.
    #[must_use]
    pub fn caller(address: &str) -> Self {
        Self::bounded(address, " (address)")
    }

    /// A process of the node, by its role.
    #[must_use]
    pub fn node(role: &str) -> Self {
        Self::bounded(role, " (node)")
    }

    /// Somebody who was named so before, by one of these; `None` where nobody is named.
    #[must_use]
    pub fn stated(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self::bounded(text, ""))
    }

    /// Several of whom none is told apart any more.
    #[must_use]
    pub fn others() -> Self {
        Self::bounded("others", "")
    }

    /// A name without control characters, cut where it is too long, and what it is vouched for by.
    fn bounded(name: &str, end: &str) -> Self {
        let room = ACTOR_BYTES_MAX.saturating_sub(end.len());
        let mut text = String::new();
        for c in name.chars().map(|c| if c.is_control() { '?' } else { c }) {
            if text.len() + c.len_utf8() > room {
                break;
            }
            text.push(c);
        }
        text.push_str(end);
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn checked<'b>(reader: &mut Reader<'b>) -> Result<&'b str, DecodeError> {
    let at = reader.position();
    let text = reader.text(ACTOR_BYTES_MAX)?;
    match text.trim().is_empty() {
        true => Err(reader.fault(at, DecodeFault::OutOfRange("somebody"))),
        false => Ok(text),
    }
}

/// Text as in entries from before there was a form for each of the four.
impl Field for Actor {
    const CDDL: &'static str = "actor";

    fn write(&self, writer: &mut Writer) {
        writer.text(&self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        checked(reader).map(|text| Self(String::from(text)))
    }

    fn check(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        checked(reader).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::Actor;
    use crate::cbor::{Reader, Writer};
    use crate::field::Field;
    use crate::ids::Digest;
    use crate::limits::ACTOR_BYTES_MAX;
    use alloc::string::String;

    //= R11.2
    #[test]
    fn an_actor_is_somebody_however_it_is_made() {
        let long = "\u{e9}".repeat(ACTOR_BYTES_MAX);
        for (actor, begins, ends) in [
            (Actor::local("ada", 7), "ada (uid 7)", "(uid 7)"),
            (Actor::local("", 0), "local user (uid 0)", "(uid 0)"),
            (Actor::local("a\nb", 7), "a?b (uid 7)", ")"),
            (Actor::local(&long, 7), "\u{e9}", " (uid 7)"),
            (
                Actor::peer(Digest([1; 32]), "n"),
                "n (certificate sha256:0101",
                "01)",
            ),
            (Actor::caller("::1"), "::1 (address)", "(address)"),
            (Actor::node("recorder"), "recorder (node)", "(node)"),
            (Actor::stated("ada (uid 7)").unwrap(), "ada (uid 7)", ")"),
            (Actor::others(), "others", "others"),
        ] {
            let text = actor.as_str();
            assert!(text.starts_with(begins) && text.ends_with(ends), "{text}");
            assert!(text.len() <= ACTOR_BYTES_MAX);
            let mut writer = Writer::new();
            actor.write(&mut writer);
            let bytes = writer.into_bytes();
            assert_eq!(Actor::read(&mut Reader::new(&bytes)), Ok(actor));
        }
        for nobody in ["", " ", "\u{a0}"] {
            assert_eq!(Actor::stated(nobody), None);
            let mut writer = Writer::new();
            writer.text(&String::from(nobody));
            let bytes = writer.into_bytes();
            assert!(Actor::read(&mut Reader::new(&bytes)).is_err());
            assert!(Actor::check(&mut Reader::new(&bytes)).is_err());
        }
    }
}
