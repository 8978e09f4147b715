//! Who speaks, who is meant, and whether they are the same.

use crate::application::{Application, Content, Header, Manufacturer, SecondaryAddress, Status};
use crate::link::{self, Frame, PAYLOAD_AT};
use core::fmt;

/// The nibble, and the byte, that stand for any.
const ANY_DIGIT: u8 = 0xF;
const ANY_BYTE: u8 = 0xFF;
const ANY_MANUFACTURER: u16 = 0xFFFF;
// Digits of an identification number.
const DIGITS: u8 = 8;

/// What the head of a telegram says of its meter (EN 13757-3, headers and fixed data structure).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// The primary address in the frame.
    pub primary: u8,
    /// Eight digits, in the order of a number; `None` for headers that name nobody (CI 78h, 7Ah).
    pub id: Option<[u8; 4]>,
    /// Who made it; the fixed data structure does not tell.
    pub manufacturer: Option<Manufacturer>,
    /// Its generation; the fixed data structure does not tell.
    pub version: Option<u8>,
    /// What it meters; the fixed data structure has codes of its own, which are not these.
    pub medium: Option<u8>,
    /// One more with each telegram, as a rule.
    pub access_number: Option<u8>,
    /// How it is; of a fixed data structure only what its status says of the meter's condition.
    pub status: Option<Status>,
}

impl Speaker {
    /// Of a whole frame; `None` where it is none, or carries no data of a meter.
    #[must_use]
    pub fn of(frame: &[u8]) -> Option<Self> {
        let Ok(Frame::Long {
            address, payload, ..
        }) = link::decode(frame)
        else {
            return None;
        };
        let (application, _) = Application::decode(payload, PAYLOAD_AT).ok()?;
        let nobody = Self {
            primary: address,
            id: None,
            manufacturer: None,
            version: None,
            medium: None,
            access_number: None,
            status: None,
        };
        match application.content {
            Content::Records { header, .. } => Some(nobody.with_header(header)),
            Content::Fixed(fixed) => Some(Self {
                id: Some(fixed.id),
                access_number: Some(fixed.access_number),
                status: Some(fixed.condition()),
                ..nobody
            }),
            Content::Selection { .. }
            | Content::Error(_)
            | Content::Alarm(_)
            | Content::Reset(_)
            | Content::Speed(_)
            | Content::Bytes(_) => None,
        }
    }

    fn with_header(self, header: Option<Header>) -> Self {
        let Some(header) = header else { return self };
        let address = header.address;
        Self {
            id: address.map(|address| address.id),
            manufacturer: address.map(|address| address.manufacturer),
            version: address.map(|address| address.version),
            medium: address.map(|address| address.medium),
            access_number: Some(header.access_number),
            status: Some(header.status),
            ..self
        }
    }

    /// The full secondary address, where the telegram tells all of it.
    #[must_use]
    pub fn secondary(&self) -> Option<SecondaryAddress> {
        Some(SecondaryAddress {
            id: self.id?,
            manufacturer: self.manufacturer?,
            version: self.version?,
            medium: self.medium?,
        })
    }
}

/// Whether who speaks is who is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// All that is given fits, and all of it was told.
    Same,
    /// What was told fits, and something that is given was not told.
    Unproven,
    /// Something does not fit.
    Other,
}

/// Whom a selection means: a secondary address with wildcards (EN 13757-3, secondary addressing).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    /// Eight digits, in the order of a number; Fh is any.
    pub id: [u8; 4],
    /// FFFFh is any.
    pub manufacturer: u16,
    /// FFh is any.
    pub version: u8,
    /// FFh is any.
    pub medium: u8,
    /// Eight digits of the fabrication number, for meters that know enhanced selection.
    pub fabrication: Option<[u8; 4]>,
}

impl Pattern {
    /// Everybody.
    pub const ANY: Self = Self {
        id: [ANY_BYTE; 4],
        manufacturer: ANY_MANUFACTURER,
        version: ANY_BYTE,
        medium: ANY_BYTE,
        fabrication: None,
    };

    /// The meter of this address and nobody else.
    #[must_use]
    pub const fn exact(address: &SecondaryAddress) -> Self {
        Self {
            id: address.id,
            manufacturer: address.manufacturer.0,
            version: address.version,
            medium: address.medium,
            fabrication: None,
        }
    }

    /// Who spoke; what the telegram does not tell is any.
    #[must_use]
    pub fn of(speaker: &Speaker) -> Self {
        let maker = speaker.manufacturer;
        Self {
            id: speaker.id.unwrap_or(Self::ANY.id),
            manufacturer: maker.map_or(ANY_MANUFACTURER, |maker| maker.0),
            version: speaker.version.unwrap_or(ANY_BYTE),
            medium: speaker.medium.unwrap_or(ANY_BYTE),
            fabrication: None,
        }
    }

    /// The first digit from the left that is any, 0 to 7.
    #[must_use]
    pub fn first_any_digit(&self) -> Option<u8> {
        let nibbles = self.id.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
        let (place, _) = (0..DIGITS)
            .zip(nibbles)
            .find(|(_, nibble)| *nibble == ANY_DIGIT)?;
        Some(place)
    }

    /// With another digit at `place`, 0 to 7 from the left.
    #[must_use]
    pub fn with_digit(mut self, place: u8, digit: u8) -> Self {
        if let Some(byte) = self.id.get_mut(usize::from(place / 2)) {
            *byte = match place % 2 {
                0 => *byte & 0x0F | digit << 4,
                _ => *byte & 0xF0 | digit & 0x0F,
            };
        }
        self
    }

    /// Whether a meter of this address is meant; the fabrication number is not part of it.
    #[must_use]
    pub fn means(&self, address: &SecondaryAddress) -> bool {
        digits_fit(self.id, address.id)
            && byte_fits(self.version, address.version)
            && byte_fits(self.medium, address.medium)
            && (self.manufacturer == ANY_MANUFACTURER
                || self.manufacturer == address.manufacturer.0)
    }

    /// Whether who speaks is meant.
    #[must_use]
    pub fn against(&self, speaker: &Speaker) -> Match {
        let told = |wanted: bool, fits: Option<bool>| match (wanted, fits) {
            (_, Some(false)) => Match::Other,
            (true, None) => Match::Unproven,
            (_, _) => Match::Same,
        };
        let version = speaker.version.map(|found| byte_fits(self.version, found));
        let medium = speaker.medium.map(|found| byte_fits(self.medium, found));
        let maker = speaker
            .manufacturer
            .map(|found| self.manufacturer == ANY_MANUFACTURER || self.manufacturer == found.0);
        let all = [
            told(
                self.id != Self::ANY.id,
                speaker.id.map(|found| digits_fit(self.id, found)),
            ),
            told(self.manufacturer != ANY_MANUFACTURER, maker),
            told(self.version != ANY_BYTE, version),
            told(self.medium != ANY_BYTE, medium),
        ];
        if all.contains(&Match::Other) {
            Match::Other
        } else if all.contains(&Match::Unproven) {
            Match::Unproven
        } else {
            Match::Same
        }
    }

    /// The eight bytes behind CI 52h, lowest first.
    #[must_use]
    pub fn bytes(&self) -> [u8; 8] {
        let [a, b, c, d] = self.id;
        let [high, low] = self.manufacturer.to_be_bytes();
        [d, c, b, a, low, high, self.version, self.medium]
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.id {
            write!(f, "{byte:02X}")?;
        }
        write!(
            f,
            ".{:04X}.{:02X}.{:02X}",
            self.manufacturer, self.version, self.medium
        )
    }
}

const fn byte_fits(wanted: u8, found: u8) -> bool {
    wanted == ANY_BYTE || wanted == found
}

fn digits_fit(wanted: [u8; 4], found: [u8; 4]) -> bool {
    let nibble = |wanted: u8, found: u8| wanted == ANY_DIGIT || wanted == found;
    wanted
        .iter()
        .zip(found)
        .all(|(wanted, found)| nibble(wanted >> 4, found >> 4) && nibble(wanted & 0xF, found & 0xF))
}

#[cfg(test)]
mod tests {
    use super::{Match, Pattern, Speaker};
    use crate::application::{Manufacturer, SecondaryAddress};

    const METER: SecondaryAddress = SecondaryAddress {
        id: [0x12, 0x34, 0x56, 0x78],
        manufacturer: Manufacturer(0x2C2D),
        version: 1,
        medium: 7,
    };

    fn speaker() -> Speaker {
        Speaker {
            primary: 5,
            id: Some(METER.id),
            manufacturer: Some(METER.manufacturer),
            version: Some(METER.version),
            medium: Some(METER.medium),
            access_number: Some(1),
            status: None,
        }
    }

    //= A3.2
    #[test]
    fn wildcards_mean_any_and_everything_else_itself() {
        let exact = Pattern::exact(&METER);
        for (pattern, means) in [
            (Pattern::ANY, true),
            (exact, true),
            (Pattern::ANY.with_digit(0, 1), true),
            (Pattern::ANY.with_digit(0, 2), false),
            (Pattern::ANY.with_digit(7, 8), true),
            (Pattern::ANY.with_digit(7, 7), false),
            (
                Pattern {
                    version: 2,
                    ..exact
                },
                false,
            ),
            (Pattern { medium: 8, ..exact }, false),
            (
                Pattern {
                    manufacturer: 1,
                    ..exact
                },
                false,
            ),
            (
                Pattern {
                    manufacturer: 0xFFFF,
                    ..exact
                },
                true,
            ),
        ] {
            assert_eq!(pattern.means(&METER), means, "{pattern}");
            let due = if means { Match::Same } else { Match::Other };
            assert_eq!(pattern.against(&speaker()), due, "{pattern}");
        }
        assert_eq!(
            exact.bytes(),
            [0x78, 0x56, 0x34, 0x12, 0x2D, 0x2C, 0x01, 0x07]
        );
    }

    //= A3.7
    #[test]
    fn what_a_header_does_not_tell_is_not_taken_for_granted() {
        let fixed = Speaker {
            manufacturer: None,
            version: None,
            medium: None,
            ..speaker()
        };
        assert_eq!(Pattern::exact(&METER).against(&fixed), Match::Unproven);
        assert_eq!(Pattern::ANY.against(&fixed), Match::Same);
        let other = Pattern::exact(&METER).with_digit(3, 9);
        assert_eq!(other.against(&fixed), Match::Other);
        let nameless = Speaker { id: None, ..fixed };
        assert_eq!(
            Pattern::ANY.with_digit(0, 1).against(&nameless),
            Match::Unproven
        );
    }
}
