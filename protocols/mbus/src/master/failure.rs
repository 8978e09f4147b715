//! Why an exchange failed: one reason each, declared once.

use crate::link::Control;
use core::fmt;

/// Why an exchange failed, with what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The bus has no voltage.
    NoPower,
    /// The converter reports overload or a short of the bus.
    Overload,
    /// The line did not fall silent, so that nothing could be sent.
    Busy,
    /// Nothing came in time, and nothing later.
    NoReply,
    /// Something came when the time for it was up. It is kept and not believed.
    LateReply,
    /// Something came before the request had left: another's reply, or a second master.
    BeforeRequest,
    /// Characters with wrong parity or without their stop bit.
    Characters,
    /// Characters were lost in the receiver, as nobody fetched them in time: this side was too slow.
    Lost,
    /// More bytes than a reply has.
    TooLong,
    /// A frame began, no bit of it was wrong, and it ended too early.
    Truncated,
    /// The same, and the rest of it came behind a pause that no slave makes within a telegram: something on
    /// the way held it back.
    Interrupted {
        /// The pause, in milliseconds.
        pause_ms: u32,
    },
    /// A frame of the right length whose checksum does not fit.
    Checksum {
        /// The sum of its bytes.
        computed: u8,
        /// What it carried.
        found: u8,
    },
    /// Bytes that are no frame: a collision or noise.
    Garbage,
    /// A frame, but a request: a second master.
    NotAReply {
        /// Its control field.
        control: u8,
    },
    /// An acknowledgement where data are due, or data where an acknowledgement is.
    WrongForm,
    /// The frame of another primary address.
    ForeignAddress {
        /// The address that was asked.
        expected: u8,
        /// The address that answered.
        found: u8,
    },
    /// The frame of another meter: its header names one that was not asked.
    ForeignMeter,
    /// A header that names nobody, where the name is what tells meters apart.
    Nameless,
    /// The telegram before, once more: the slave did not take the toggled FCB.
    WrongFcb,
    /// The meter answers that it cannot (CI 70h), by its code.
    Application(Option<u8>),
    /// The meter has more telegrams than may be read.
    TooManyTelegrams,
}

/// A reason without its numbers, for counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// What it is called, for counters and events.
    pub name: &'static str,
    /// The request is sent again, as far as its repeats go.
    pub again: bool,
    /// Two slaves at once look like this; so does noise. What is only too short does not: slaves that
    /// speak at once are heard until the last of them ends, and where they disagree characters are wrong.
    pub collision: bool,
}

const fn reason(name: &'static str, again: bool, collision: bool) -> Reason {
    Reason {
        name,
        again,
        collision,
    }
}

impl Failure {
    /// The reason of each failure, in the order of the enum.
    pub const REASONS: [Reason; 21] = [
        reason("no_power", false, false),
        reason("overload", false, false),
        reason("busy", false, false),
        reason("no_reply", true, false),
        reason("late_reply", true, false),
        reason("before_request", true, true),
        reason("characters", true, true),
        reason("lost", true, false),
        reason("too_long", true, true),
        reason("truncated", true, false),
        reason("interrupted", true, false),
        reason("checksum", true, true),
        reason("garbage", true, true),
        reason("not_a_reply", true, false),
        reason("wrong_form", true, false),
        reason("foreign_address", true, false),
        reason("foreign_meter", true, false),
        reason("nameless", false, false),
        reason("wrong_fcb", true, false),
        reason("application", false, false),
        reason("too_many_telegrams", false, false),
    ];

    /// Its place in [`Self::REASONS`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::NoPower => 0,
            Self::Overload => 1,
            Self::Busy => 2,
            Self::NoReply => 3,
            Self::LateReply => 4,
            Self::BeforeRequest => 5,
            Self::Characters => 6,
            Self::Lost => 7,
            Self::TooLong => 8,
            Self::Truncated => 9,
            Self::Interrupted { .. } => 10,
            Self::Checksum { .. } => 11,
            Self::Garbage => 12,
            Self::NotAReply { .. } => 13,
            Self::WrongForm => 14,
            Self::ForeignAddress { .. } => 15,
            Self::ForeignMeter => 16,
            Self::Nameless => 17,
            Self::WrongFcb => 18,
            Self::Application(_) => 19,
            Self::TooManyTelegrams => 20,
        }
    }

    /// Its reason.
    #[must_use]
    pub fn reason(self) -> Reason {
        let known = Self::REASONS.get(self.index()).copied();
        known.unwrap_or(reason("unknown", false, false))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoPower => write!(f, "the bus has no voltage"),
            Self::Overload => write!(f, "the converter reports overload or a short of the bus"),
            Self::Busy => write!(
                f,
                "the line does not fall silent; look for chatter or a break"
            ),
            Self::NoReply => write!(f, "no reply within 330 bit times and 50 ms"),
            Self::LateReply => write!(
                f,
                "the reply came after 330 bit times and 50 ms; a latency is to be set for slow converters"
            ),
            Self::BeforeRequest => write!(f, "bytes came while the request was still on its way"),
            Self::Characters => write!(f, "characters with wrong parity or stop bit"),
            Self::TooLong => write!(f, "more bytes than a reply has"),
            Self::Lost => write!(
                f,
                "characters were lost in the receiver: nobody fetched them in time"
            ),
            Self::Truncated => write!(
                f,
                "the frame ends too early, and nothing in it is wrong: the meter stopped"
            ),
            Self::Interrupted { pause_ms } => write!(
                f,
                "the frame came in two parts, {pause_ms} ms apart; a latency is to be set for slow converters"
            ),
            Self::Checksum { computed, found } => write!(
                f,
                "the frame carries checksum {found:02X}h, its bytes give {computed:02X}h"
            ),
            Self::Garbage => write!(f, "no frame: two slaves at once, or noise"),
            Self::NotAReply { control } => {
                let name = Control::new(control).name().unwrap_or("a reserved code");
                write!(f, "{name} where a reply is due: is there a second master?")
            }
            Self::WrongForm => write!(f, "E5h where data are due, or data where E5h is"),
            Self::ForeignAddress { expected, found } => {
                write!(f, "address {found} answers where {expected} was asked")
            }
            Self::ForeignMeter => write!(f, "a meter answers that was not asked"),
            Self::Nameless => write!(
                f,
                "the reply names no meter, and more than one may be meant"
            ),
            Self::WrongFcb => write!(
                f,
                "the telegram before once more: the slave did not take the toggled FCB"
            ),
            Self::Application(code) => {
                let what = crate::application::application_error(code);
                write!(f, "the meter answers: {what}")
            }
            Self::TooManyTelegrams => write!(f, "more telegrams follow than may be read"),
        }
    }
}

impl core::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::Failure;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    fn every() -> Vec<Failure> {
        let (expected, found) = (1, 2);
        Vec::from([
            Failure::NoPower,
            Failure::Overload,
            Failure::Busy,
            Failure::NoReply,
            Failure::LateReply,
            Failure::BeforeRequest,
            Failure::Characters,
            Failure::Lost,
            Failure::TooLong,
            Failure::Truncated,
            Failure::Interrupted { pause_ms: 40 },
            Failure::Checksum { computed: 1, found },
            Failure::Garbage,
            Failure::NotAReply { control: 0x5B },
            Failure::WrongForm,
            Failure::ForeignAddress { expected, found },
            Failure::ForeignMeter,
            Failure::Nameless,
            Failure::WrongFcb,
            Failure::Application(Some(8)),
            Failure::TooManyTelegrams,
        ])
    }

    //= A3.2
    #[test]
    fn every_failure_has_a_reason_of_its_own_and_words() {
        let every = every();
        assert_eq!(every.len(), Failure::REASONS.len());
        for (at, failure) in every.iter().enumerate() {
            assert_eq!(failure.index(), at);
            assert!(!failure.to_string().is_empty());
            let same = |reason: &&super::Reason| reason.name == failure.reason().name;
            assert_eq!(Failure::REASONS.iter().filter(same).count(), 1);
        }
    }

    //= A3.2
    #[test]
    fn what_looks_like_a_collision_is_asked_again() {
        for reason in Failure::REASONS {
            assert!(reason.again || !reason.collision, "{}", reason.name);
        }
    }
}
