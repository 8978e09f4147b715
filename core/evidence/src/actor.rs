//! Who did something. An actor cannot be left out, and cannot be nobody: each way to make one names somebody.

use crate::cbor::{DecodeError, DecodeFault, Reader, Writer};
use crate::field::Field;
use crate::foreign::steers;
use crate::ids::Digest;
use crate::limits::ACTOR_BYTES_MAX;
use alloc::format;
use alloc::string::String;
use core::fmt;

/// Why a name names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorFault {
    /// It has nothing but white space.
    Nobody,
    /// It has a sign that steers a screen.
    Steers,
    /// It has so many bytes, and there is room for so many.
    TooLong(usize, usize),
}

impl fmt::Display for ActorFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("is empty: write a name, or leave it out"),
            Self::Steers => f.write_str(
                "has a sign that steers a screen, such as the end of a line: write a name on one line",
            ),
            Self::TooLong(bytes, room) => {
                write!(f, "has {bytes} bytes: write a name of at most {room}")
            }
        }
    }
}

impl core::error::Error for ActorFault {}

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

    /// The same of a name that he gave himself: nothing of it is changed, and nothing but blanks around it left out.
    ///
    /// # Errors
    /// Why it is none.
    pub fn given(name: &str, uid: u32) -> Result<Self, ActorFault> {
        let name = name.trim();
        let end = format!(" {}", Self::vouched(uid));
        let room = ACTOR_BYTES_MAX.saturating_sub(end.len());
        if name.is_empty() {
            return Err(ActorFault::Nobody);
        }
        if name.contains(steers) {
            return Err(ActorFault::Steers);
        }
        match name.len() > room {
            true => Err(ActorFault::TooLong(name.len(), room)),
            false => Ok(Self::bounded(name, &end)),
        }
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
    match text.trim().is_empty() || text.contains(char::is_control) {
        true => Err(reader.fault(at, DecodeFault::OutOfRange(RANGE))),
        false => Ok(text),
    }
}

/// What is read as one, in words.
const RANGE: &str = "an actor, who is somebody and has no control characters";

/// Any text of that range, as in entries from before there was a form for each of the four.
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
    use super::{Actor, ActorFault};
    use crate::cbor::{Reader, Writer};
    use crate::field::Field;
    use crate::ids::{CommitId, Digest, MeterId, PointId};
    use crate::kinds::{self, Payload};
    use crate::limits::ACTOR_BYTES_MAX;
    use crate::reasons::{CommandOrigin, CommandStep, MaintenancePhase, Outcome, TagChange};
    use crate::time::MonoNs;
    use alloc::format;
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
        }
    }

    /// One of each entry that had a free text to say who.
    fn by(name: &str) -> [Payload; 6] {
        let (at, meter_id, point_id) = (
            MonoNs(1),
            MeterId::new("m").unwrap(),
            PointId::new("p").unwrap(),
        );
        let reason = String::from("why");
        let actor = Actor::stated(name).unwrap();
        [
            kinds::Command {
                at,
                point_id: point_id.clone(),
                step: CommandStep::Operate,
                value: None,
                origin: CommandOrigin::Person,
                actor: actor.clone(),
                reason: reason.clone(),
                issued: None,
            }
            .into(),
            kinds::Tag {
                at,
                point_id: point_id.clone(),
                change: TagChange::Set,
                actor: actor.clone(),
                reason: reason.clone(),
                owner: None,
            }
            .into(),
            kinds::ClockOrder {
                at,
                meter_id,
                actor: actor.clone(),
                reason: reason.clone(),
            }
            .into(),
            kinds::Maintenance {
                at,
                phase: MaintenancePhase::Begin,
                actor: actor.clone(),
                reason,
                source: None,
                meter_id: None,
                until: None,
            }
            .into(),
            kinds::Probe {
                at,
                probe: "TP_VBUS".into(),
                actor: actor.clone(),
                source: None,
                meter_id: None,
                value: None,
                unit: None,
                file: None,
                note: None,
                file_name: None,
                file_bytes: None,
                measured: None,
            }
            .into(),
            kinds::SignOff {
                at,
                actor,
                meter_id: None,
                point_id,
                reading: CommitId(1),
                value: "1".parse().unwrap(),
                expected: "1".parse().unwrap(),
                tolerance: "0".parse().unwrap(),
                outcome: Outcome::Done,
                sessions: 0,
                incomplete: 0,
                span_ns: 0,
                note: None,
            }
            .into(),
        ]
    }

    /// Every entry that says who, as it is written with and without a form of its own for that.
    //= R11.2
    #[test]
    fn no_entry_is_by_nobody_and_all_that_name_somebody_are_read_as_before() {
        let name = "field engineer";
        // The text as it always was: its length in the head, then its bytes.
        let text = [&[0x60 | 14], name.as_bytes()].concat();
        for payload in by(name) {
            let (kind, bytes) = (payload.kind(), payload.encode());
            let place = bytes.windows(text.len()).position(|part| part == text);
            let place = place.unwrap();
            assert_eq!(Payload::decode(kind, &bytes), Ok(payload));
            for nobody in ["              ", "field\nengineer", "field\u{1b}engineer"] {
                let mut bytes = bytes.clone();
                bytes[place + 1..][..14].copy_from_slice(nobody.as_bytes());
                let said = Payload::decode(kind, &bytes).unwrap_err();
                assert!(format!("{said}").contains("who is somebody"), "{said}");
            }
            let mut bytes = bytes;
            bytes.splice(place..place + text.len(), [0x60]);
            assert!(Payload::decode(kind, &bytes).is_err(), "{}", kind.name());
        }
    }

    //= R11.2
    #[test]
    fn what_names_nobody_is_neither_read_nor_taken_as_given() {
        let room = ACTOR_BYTES_MAX - " (uid 7)".len();
        let (fits, long) = ("a".repeat(room), "a".repeat(room + 1));
        for (name, fault) in [
            ("", Some(ActorFault::Nobody)),
            (" \u{a0}", Some(ActorFault::Nobody)),
            ("a\nb", Some(ActorFault::Steers)),
            ("a\u{1b}[2Jb", Some(ActorFault::Steers)),
            ("a\u{85}b", Some(ActorFault::Steers)),
            ("a\u{202e}b", Some(ActorFault::Steers)),
            (&long, Some(ActorFault::TooLong(room + 1, room))),
            (&fits, None),
            (" ada ", None),
        ] {
            let given = Actor::given(name, 7);
            assert_eq!(given.clone().err(), fault, "{name:?}");
            if let Ok(actor) = given {
                assert_eq!(actor.as_str(), format!("{} (uid 7)", name.trim()));
            }
        }
        let longest = "a".repeat(ACTOR_BYTES_MAX);
        for (text, reads) in [
            ("", false),
            (" \u{a0}", false),
            ("a\nb (uid 7)", false),
            ("a\u{1b}b (uid 7)", false),
            ("a\u{85}b (uid 7)", false),
            (&format!("{longest}a"), false),
            (&longest, true),
            // As entries of before have it.
            ("field engineer", true),
        ] {
            let mut writer = Writer::new();
            writer.text(text);
            let bytes = writer.into_bytes();
            let read = Actor::read(&mut Reader::new(&bytes));
            assert_eq!(read.is_ok(), reads, "{text:?}");
            assert_eq!(Actor::check(&mut Reader::new(&bytes)).is_ok(), reads);
            if let Ok(actor) = read {
                assert_eq!(actor.as_str(), text);
            }
        }
    }
}
