//! Headers: who speaks, how it is, and how often it was asked.

use super::ByteOrder;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

/// A manufacturer's three letters, packed into 15 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manufacturer(pub u16);

impl fmt::Display for Manufacturer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for shift in [10, 5, 0] {
            let letter = u8::try_from(self.0 >> shift & 0x1F).unwrap_or_default();
            // 1 is A; what is no letter is shown as what it is not.
            let shown = match letter {
                1..=26 => char::from(letter + 64),
                _ => '?',
            };
            f.write_char(shown)?;
        }
        Ok(())
    }
}

/// What a meter calls itself, the same for its life: unlike a primary address it need not be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondaryAddress {
    /// Eight digits, in the order of a number; some meters use A to F, a selection F as a wildcard.
    pub id: [u8; 4],
    /// FFFFh is a selection's wildcard.
    pub manufacturer: Manufacturer,
    /// Generation; FFh is a selection's wildcard.
    pub version: u8,
    /// What is metered; FFh is a selection's wildcard.
    pub medium: u8,
}

impl SecondaryAddress {
    pub(super) fn new(bytes: &[u8; 8], order: ByteOrder) -> Self {
        let &[a, b, c, d, m, n, version, medium] = bytes;
        let (id, maker) = match order {
            ByteOrder::LowFirst => ([d, c, b, a], [n, m]),
            ByteOrder::HighFirst => ([a, b, c, d], [m, n]),
        };
        Self {
            id,
            manufacturer: Manufacturer(u16::from_be_bytes(maker)),
            version,
            medium,
        }
    }
}

/// The digits of an identification number, without zeros before them, as they stand on a meter.
#[must_use]
pub fn identification(id: [u8; 4]) -> String {
    let mut digits = String::new();
    for byte in id {
        // Writing to a string does not fail.
        let _ = write!(digits, "{byte:02X}");
    }
    match digits.trim_start_matches('0') {
        "" => "0".to_string(),
        shown => shown.to_string(),
    }
}

/// How the meter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u8);

impl Status {
    /// The bits that are set, named.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        let application = match self.0 & 3 {
            1 => Some("application busy"),
            2 => Some("any application error"),
            3 => Some("abnormal condition or alarm"),
            _ => None,
        };
        let bits = [
            (0x04, "power low"),
            (0x08, "permanent error"),
            (0x10, "temporary error"),
            (0x20, "manufacturer specific 1"),
            (0x40, "manufacturer specific 2"),
            (0x80, "manufacturer specific 3"),
        ];
        let set = bits
            .into_iter()
            .filter(|(bit, _)| self.0 & bit != 0)
            .map(|(_, name)| name);
        application.into_iter().chain(set).collect()
    }
}

/// The header of a variable data structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Who speaks; a short header does not tell.
    pub address: Option<SecondaryAddress>,
    /// One more with each answer.
    pub access_number: u8,
    /// How the meter is.
    pub status: Status,
    /// Signature of old, configuration word of today's meters.
    pub configuration: u16,
}

impl Header {
    pub(super) fn long(bytes: &[u8; 12], order: ByteOrder) -> Self {
        let &[a, b, c, d, e, f, g, h, access, status, low, high] = bytes;
        let address = SecondaryAddress::new(&[a, b, c, d, e, f, g, h], order);
        let word = match order {
            ByteOrder::LowFirst => [high, low],
            ByteOrder::HighFirst => [low, high],
        };
        Self {
            address: Some(address),
            access_number: access,
            status: Status(status),
            configuration: u16::from_be_bytes(word),
        }
    }

    pub(super) const fn short(&[access, status, low, high]: &[u8; 4]) -> Self {
        Self {
            address: None,
            access_number: access,
            status: Status(status),
            configuration: u16::from_be_bytes([high, low]),
        }
    }
}
