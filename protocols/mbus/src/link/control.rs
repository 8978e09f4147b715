//! The control field: who speaks, what is wanted, and the bits that keep order.

/// Who speaks to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The master commands or asks.
    ToMeter,
    /// The meter answers.
    FromMeter,
}

/// A control field. The same two bits mean FCB and FCV to a meter, ACD and DFC from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Control(u8);

const TO_METER: u8 = 0x40;
const UPPER: u8 = 0x20;
const LOWER: u8 = 0x10;

impl Control {
    /// The field of a byte; any byte is one.
    #[must_use]
    pub const fn new(byte: u8) -> Self {
        Self(byte)
    }

    /// The byte on the wire.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.0
    }

    /// Who speaks.
    #[must_use]
    pub const fn direction(self) -> Direction {
        if self.0 & TO_METER != 0 {
            Direction::ToMeter
        } else {
            Direction::FromMeter
        }
    }

    /// Frame count bit, where there is one; it counts only with [`Self::fcv`].
    #[must_use]
    pub const fn fcb(self) -> Option<bool> {
        self.towards(Direction::ToMeter, UPPER)
    }

    /// Frame count bit valid.
    #[must_use]
    pub const fn fcv(self) -> Option<bool> {
        self.towards(Direction::ToMeter, LOWER)
    }

    /// Access demand: the meter has data of class 1 waiting.
    #[must_use]
    pub const fn acd(self) -> Option<bool> {
        self.towards(Direction::FromMeter, UPPER)
    }

    /// Data flow control: the meter can take no more data.
    #[must_use]
    pub const fn dfc(self) -> Option<bool> {
        self.towards(Direction::FromMeter, LOWER)
    }

    const fn towards(self, direction: Direction, bit: u8) -> Option<bool> {
        match (self.direction(), direction) {
            (Direction::ToMeter, Direction::ToMeter)
            | (Direction::FromMeter, Direction::FromMeter) => Some(self.0 & bit != 0),
            (Direction::ToMeter, Direction::FromMeter)
            | (Direction::FromMeter, Direction::ToMeter) => None,
        }
    }

    /// The function code: the low four bits.
    #[must_use]
    pub const fn function(self) -> u8 {
        self.0 & 0x0F
    }

    /// What the standard calls the function; `None` for codes that it does not name.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match (self.direction(), self.function()) {
            (Direction::ToMeter, 0x0) => Some("SND_NKE"),
            (Direction::ToMeter, 0x3) => Some("SND_UD"),
            (Direction::ToMeter, 0x9) => Some("REQ_SKE"),
            (Direction::ToMeter, 0xA) => Some("REQ_UD1"),
            (Direction::ToMeter, 0xB) => Some("REQ_UD2"),
            (Direction::FromMeter, 0x0) => Some("ACK"),
            (Direction::FromMeter, 0x1) => Some("NACK"),
            (Direction::FromMeter, 0x8) => Some("RSP_UD"),
            (Direction::FromMeter, 0x9) => Some("NO_DATA"),
            (Direction::FromMeter, 0xB) => Some("RSP_SKE"),
            (Direction::ToMeter | Direction::FromMeter, _) => None,
        }
    }
}
