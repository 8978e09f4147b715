//! The kinds of faults that a plan may order.

use crate::turns::Turn;
use std::time::Duration;

/// What a fault does to a request or its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No reply.
    Silent,
    /// The reply comes after this long.
    Late(Duration),
    /// One bit of the frame flips on the way.
    CorruptCrc,
    /// The reply names another unit.
    WrongUnit(Option<u8>),
    /// A refusal with this code.
    Exception(u8),
    /// The last bytes are missing.
    Truncate,
    /// The reply comes twice.
    Double,
    /// Now and then no reply.
    Flaky,
    /// The TCP connection is closed in place of a reply.
    Disconnect,
    /// Another meter answers at the same time.
    Collision,
    /// Something becomes of the meter itself.
    Turn(Turn),
}

impl Kind {
    /// The word in plan and log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Late(_) => "late",
            Self::CorruptCrc => "corrupt-crc",
            Self::WrongUnit(_) => "wrong-unit",
            Self::Exception(_) => "exception",
            Self::Truncate => "truncate",
            Self::Double => "double",
            Self::Flaky => "flaky",
            Self::Disconnect => "disconnect",
            Self::Collision => "collision",
            Self::Turn(Turn::Rollover) => "rollover",
            Self::Turn(Turn::Replaced) => "replaced",
            Self::Turn(Turn::Reset) => "reset",
            Self::Turn(Turn::BadRead) => "bad-read",
            Self::Turn(Turn::Clock(_)) => "clock",
        }
    }
}

/// Every word that a plan may order: those of meters, of lines, of inputs, of remote I/O, of supplies, of modems.
pub(crate) const KINDS: [&str; 40] = [
    "silent",
    "late",
    "corrupt-crc",
    "wrong-unit",
    "exception",
    "truncate",
    "double",
    "flaky",
    "disconnect",
    "collision",
    "rollover",
    "replaced",
    "reset",
    "bad-read",
    "clock",
    "termination",
    "bias-chatter",
    "common-mode",
    "droop",
    "overload",
    "glitch",
    "bounce",
    "chatter",
    "missed",
    "lost-edges",
    "stuck",
    "open-wire",
    "out-of-range",
    "noise",
    "jump",
    "refused",
    "offline",
    "sag",
    "brownout",
    "uvlo",
    "loss",
    "mute",
    "garbage",
    "counters-back",
    "noise-storm",
];
