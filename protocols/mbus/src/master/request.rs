//! What is asked: whom, what, and what is due in return.

use super::identity::Pattern;
use crate::limits::{
    ADDRESS_ALL, ADDRESS_ANY, ADDRESS_SELECTED, PAYLOAD_BYTES_MAX, PRIMARY_MAX, REPEATS_MAX,
};
use crate::link::{self, Control, Frame};
use alloc::vec::Vec;

/// Whom a frame is for (EN 13757-2, clause 5; EN 13757-3, secondary addressing).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Station {
    /// The slave of a primary address.
    Primary(Primary),
    /// The slave that was selected (253).
    Selected,
    /// Whoever is there (254): for a bus with one slave.
    Any,
    /// All, and none answers (255).
    All,
}

/// A primary address, 0 to 250; 0 is that of slaves which were given none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Primary(u8);

impl Primary {
    /// `None` beyond 250.
    #[must_use]
    pub const fn new(address: u8) -> Option<Self> {
        if address > PRIMARY_MAX {
            return None;
        }
        Some(Self(address))
    }

    /// The address.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Station {
    /// The address field.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Primary(address) => address.get(),
            Self::Selected => ADDRESS_SELECTED,
            Self::Any => ADDRESS_ANY,
            Self::All => ADDRESS_ALL,
        }
    }
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// SND_NKE: the link begins anew, with FCB 1 in the next frame. To 253 it also ends the selection.
    Initialise,
    /// REQ_UD2: the data of class 2.
    Data,
    /// SND_UD: CI field and data, 1 to 253 bytes.
    Send(Vec<u8>),
}

/// What is due in return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// E5h.
    Ack,
    /// E5h, or nothing where nobody was selected.
    AckOrNothing,
    /// Nothing: all were told.
    Nothing,
    /// A telegram.
    Data,
}

impl Due {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Ack, Self::AckOrNothing, Self::Nothing, Self::Data];
}

/// How often a request is sent again, with the FCB as it is: the repeats made, whatever for, are held against the
/// bound for what has just failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeats {
    /// After silence.
    pub silent: u8,
    /// After anything that was heard and was no answer.
    pub damaged: u8,
}

impl Repeats {
    /// As the standard has it: twice.
    pub const STANDARD: Self = Self {
        silent: REPEATS_MAX,
        damaged: REPEATS_MAX,
    };
    /// Not at all.
    pub const NONE: Self = Self {
        silent: 0,
        damaged: 0,
    };

    /// Cut to what the standard allows.
    #[must_use]
    pub fn bounded(self) -> Self {
        Self {
            silent: self.silent.min(REPEATS_MAX),
            damaged: self.damaged.min(REPEATS_MAX),
        }
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whom it is for.
    pub station: Station,
    /// What is asked.
    pub asked: Asked,
    /// What is due in return.
    pub due: Due,
    /// How often it is sent again.
    pub repeats: Repeats,
    /// Who must answer: compared with the header of a telegram.
    pub meter: Option<Pattern>,
    /// The records of the telegram before, which must not come again.
    pub before: Option<Vec<u8>>,
}

const SND_NKE: u8 = 0x40;
const SND_UD: u8 = 0x53;
const REQ_UD2: u8 = 0x5B;
const FCB: u8 = 0x20;
const CI_SELECTION: u8 = 0x52;
const CI_RESET: u8 = 0x50;
const CI_DATA: u8 = 0x51;
const CI_SPEED: u8 = 0xB8;
/// DIF and VIF of a fabrication number: eight digits.
const FABRICATION: [u8; 2] = [0x0C, 0x78];
/// DIF and VIF of a primary address: a byte.
const PRIMARY: [u8; 2] = [0x01, 0x7A];
/// The speed of CI B8h; each next code doubles it.
const SPEED_MIN: u32 = 300;
const SPEEDS: u8 = 8;

impl Request {
    fn new(station: Station, asked: Asked, due: Due) -> Self {
        Self {
            station,
            asked,
            due,
            repeats: Repeats::STANDARD,
            meter: None,
            before: None,
        }
    }

    /// SND_NKE to a station.
    #[must_use]
    pub fn initialise(station: Station) -> Self {
        let due = match station {
            Station::Primary(_) | Station::Any => Due::Ack,
            Station::Selected => Due::AckOrNothing,
            Station::All => Due::Nothing,
        };
        Self::new(station, Asked::Initialise, due)
    }

    /// REQ_UD2 to a station.
    #[must_use]
    pub fn data(station: Station) -> Self {
        Self::new(station, Asked::Data, Due::Data)
    }

    /// SND_UD with CI field and data; `None` for a payload that is empty or longer than 253 bytes.
    #[must_use]
    pub fn send(station: Station, payload: &[u8]) -> Option<Self> {
        if payload.is_empty() || payload.len() > PAYLOAD_BYTES_MAX {
            return None;
        }
        Some(Self::send_whole(station, payload))
    }

    fn send_whole(station: Station, payload: &[u8]) -> Self {
        let due = match station {
            Station::All => Due::Nothing,
            Station::Primary(_) | Station::Selected | Station::Any => Due::Ack,
        };
        Self::new(station, Asked::Send(payload.to_vec()), due)
    }

    /// The selection of whom a pattern means; all others are deselected by it (CI 52h).
    #[must_use]
    pub fn select(pattern: &Pattern) -> Self {
        let mut payload = Vec::from([CI_SELECTION]);
        payload.extend(pattern.bytes());
        if let Some([a, b, c, d]) = pattern.fabrication {
            payload.extend(FABRICATION);
            payload.extend([d, c, b, a]);
        }
        Self::send_whole(Station::Selected, &payload)
    }

    /// A reset of the application, with what is to be read then, if that is named (CI 50h).
    #[must_use]
    pub fn reset(station: Station, subcode: Option<u8>) -> Self {
        let mut payload = Vec::from([CI_RESET]);
        payload.extend(subcode);
        Self::send_whole(station, &payload)
    }

    /// Another primary address (CI 51h, VIF 7Ah).
    #[must_use]
    pub fn set_primary(station: Station, address: Primary) -> Self {
        let mut payload = Vec::from([CI_DATA]);
        payload.extend(PRIMARY);
        payload.push(address.get());
        Self::send_whole(station, &payload)
    }

    /// Another speed in bits a second, from the frame behind its acknowledgement on (CI B8h and up);
    /// `None` for one that has no code: 300, 600, 1200 and so on to 38400 have.
    #[must_use]
    pub fn set_speed(station: Station, baud: u32) -> Option<Self> {
        let code = (0..SPEEDS).find(|code| SPEED_MIN << code == baud)?;
        Some(Self::send_whole(station, &[CI_SPEED + code]))
    }

    /// The frame, with the FCB that is due.
    #[must_use]
    pub fn frame(&self, fcb: bool) -> Vec<u8> {
        let address = self.station.byte();
        let counted = |code: u8| Control::new(if fcb { code | FCB } else { code });
        let frame = match &self.asked {
            Asked::Initialise => Frame::Short {
                control: Control::new(SND_NKE),
                address,
            },
            Asked::Data => Frame::Short {
                control: counted(REQ_UD2),
                address,
            },
            Asked::Send(payload) => Frame::Long {
                control: counted(SND_UD),
                address,
                payload,
            },
        };
        // The length of a payload was looked at when it came in.
        link::encode(&frame).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Primary, Request, Station};
    use crate::master::identity::Pattern;

    fn check(request: &Request, fcb: bool, frame: &str) {
        let bytes: alloc::string::String = request
            .frame(fcb)
            .iter()
            .map(|byte| alloc::format!("{byte:02X} "))
            .collect();
        assert_eq!(bytes.trim_end(), frame);
    }

    /// The frames of the standard's public descriptions.
    //= A3.2
    #[test]
    fn requests_are_the_frames_of_the_standard() {
        let one = Station::Primary(Primary::new(1).unwrap());
        check(&Request::initialise(one), true, "10 40 01 41 16");
        check(
            &Request::initialise(Station::Selected),
            true,
            "10 40 FD 3D 16",
        );
        check(&Request::data(one), true, "10 7B 01 7C 16");
        check(&Request::data(one), false, "10 5B 01 5C 16");
        check(&Request::data(Station::Any), false, "10 5B FE 59 16");
        check(&Request::data(Station::Selected), true, "10 7B FD 78 16");
        check(
            &Request::reset(one, Some(0x10)),
            false,
            "68 04 04 68 53 01 50 10 B4 16",
        );
        check(
            &Request::reset(one, None),
            false,
            "68 03 03 68 53 01 50 A4 16",
        );
        let eight = Primary::new(8).unwrap();
        check(
            &Request::set_primary(Station::Any, eight),
            false,
            "68 06 06 68 53 FE 51 01 7A 08 25 16",
        );
        for (baud, code) in [(300, "B8 0C"), (2_400, "BB 0F"), (9_600, "BD 11")] {
            let due = alloc::format!("68 03 03 68 53 01 {code} 16");
            check(&Request::set_speed(one, baud).unwrap(), false, &due);
        }
        assert_eq!(Request::set_speed(one, 1_000), None);
        assert_eq!(Request::set_speed(one, 76_800), None);
        assert_eq!(Request::send(one, &[]), None);
        assert_eq!(Request::send(one, &[0x51; 254]), None);
        assert!(Primary::new(250).is_some() && Primary::new(251).is_none());
    }

    //= A3.2
    #[test]
    fn a_selection_carries_its_wildcards_and_the_fabrication_number() {
        let pattern = Pattern {
            id: [0x12, 0x34, 0x56, 0x78],
            manufacturer: 0xFFFF,
            version: 0xFF,
            medium: 0xFF,
            fabrication: None,
        };
        check(
            &Request::select(&pattern),
            false,
            "68 0B 0B 68 53 FD 52 78 56 34 12 FF FF FF FF B2 16",
        );
        let enhanced = Pattern {
            fabrication: Some([0x01, 0x02, 0x03, 0x04]),
            ..pattern
        };
        check(
            &Request::select(&enhanced),
            false,
            "68 11 11 68 53 FD 52 78 56 34 12 FF FF FF FF 0C 78 04 03 02 01 40 16",
        );
    }
}
