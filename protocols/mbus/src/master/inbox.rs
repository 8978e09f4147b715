//! What is heard: bytes with their times, the own frame told from a reply.

use super::states::Event;
use crate::limits::{HEARD_BYTES_MAX, LONG_OVERHEAD_BYTES, SHORT_FRAME_BYTES};
use crate::link::{self, ACK, LONG_START, SHORT_START};
use alloc::vec::Vec;

/// What the receiver of the port counted: each is one character (the kernel's counters of a UART).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineErrors {
    /// Wrong parity.
    pub parity: u32,
    /// No stop bit.
    pub framing: u32,
    /// Lost, as nobody fetched them in time.
    pub overrun: u32,
    /// Longer than a character: a short, or a slave that aborts.
    pub breaks: u32,
}

impl LineErrors {
    /// Any of them.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.parity != 0 || self.framing != 0 || self.overrun != 0 || self.breaks != 0
    }

    /// Characters came that were not as they should be.
    #[must_use]
    pub const fn wrong(self) -> bool {
        self.parity != 0 || self.framing != 0 || self.breaks != 0
    }

    /// With those of another count.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            parity: self.parity.saturating_add(other.parity),
            framing: self.framing.saturating_add(other.framing),
            overrun: self.overrun.saturating_add(other.overrun),
            breaks: self.breaks.saturating_add(other.breaks),
        }
    }
}

/// Whether the own frame came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Echo {
    /// No.
    #[default]
    None,
    /// A beginning of it.
    Part,
    /// All of it.
    Whole,
}

/// A run of bytes without a silence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// All bytes, the echo of the own frame included; cut to `HEARD_BYTES_MAX`.
    pub bytes: Vec<u8>,
    /// When the first was read, in monotonic nanoseconds.
    pub first_ns: u64,
    /// When the last was read.
    pub last_ns: u64,
    /// What the receiver counted meanwhile.
    pub errors: LineErrors,
    /// Whether the own frame came back.
    pub echo: Echo,
    /// A reply began before the request had left.
    pub early: bool,
    /// There was more than is kept.
    pub flooded: bool,
    /// Bytes of the echo.
    own: usize,
}

impl Heard {
    /// What is no echo.
    #[must_use]
    pub fn reply(&self) -> &[u8] {
        self.bytes.get(self.own..).unwrap_or_default()
    }

    /// Takes bytes in; `sent` is the own frame, if one may come back.
    pub(super) fn take(&mut self, bytes: &[u8], now_ns: u64, sent: &[u8]) -> Event {
        if self.bytes.is_empty() {
            self.first_ns = now_ns;
        }
        self.last_ns = now_ns;
        let room = HEARD_BYTES_MAX.saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        if bytes.len() > room {
            self.flooded = true;
        }
        (self.echo, self.own) = echo(&self.bytes, sent);
        if self.flooded {
            return Event::Flood;
        }
        match self.reply() {
            [] => Event::Echo,
            _ if self.echo == Echo::Part => Event::Echo,
            reply if is_whole(reply) => Event::Whole,
            _ => Event::Part,
        }
    }

    /// How many bytes a frame still wants that has begun soundly; 0 where it is none, or whole.
    pub(super) fn missing(&self) -> usize {
        missing(self.reply())
    }

    /// What the second run is to this one: the rest of the frame in it, behind this many nanoseconds.
    pub(super) fn goes_on_in(&self, rest: &Self) -> Option<u64> {
        let clean = self.missing() > 0 && !self.errors.any() && !rest.errors.any();
        let joined = [self.reply(), rest.bytes.as_slice()].concat();
        let sound = clean && link::decode(&joined).is_ok();
        sound.then(|| rest.first_ns.saturating_sub(self.last_ns))
    }

    /// There is nothing but the own frame, or nothing at all.
    pub(super) fn is_quiet(&self) -> bool {
        self.reply().is_empty() && !self.errors.any()
    }
}

/// No reply begins like a request does: the bit that tells who speaks is the fifth byte's at the latest.
fn echo(bytes: &[u8], sent: &[u8]) -> (Echo, usize) {
    if sent.is_empty() || bytes.is_empty() {
        (Echo::None, 0)
    } else if bytes.starts_with(sent) {
        (Echo::Whole, sent.len())
    } else if sent.starts_with(bytes) {
        (Echo::Part, 0)
    } else {
        (Echo::None, 0)
    }
}

/// A whole frame by its own length; whether it is sound is judged when the silence behind it has shown that it is all.
fn is_whole(bytes: &[u8]) -> bool {
    let due = match *bytes {
        [ACK, ..] => 1,
        [SHORT_START, ..] => SHORT_FRAME_BYTES,
        [LONG_START, length, ..] => LONG_OVERHEAD_BYTES + usize::from(length),
        _ => return false,
    };
    bytes.len() == due
}

/// Bytes until a whole frame, by its own length, where that has come; 0 where no sound beginning tells.
fn missing(bytes: &[u8]) -> usize {
    let due = match *bytes {
        [LONG_START] => LONG_OVERHEAD_BYTES,
        [LONG_START, first, second, ..] if first != second => 0,
        [LONG_START, _, _, start, ..] if start != LONG_START => 0,
        [LONG_START, length, ..] => LONG_OVERHEAD_BYTES + usize::from(length),
        _ => 0,
    };
    due.saturating_sub(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::{Echo, Event, HEARD_BYTES_MAX, Heard};
    use alloc::vec::Vec;

    const SENT: &[u8] = &[0x10, 0x5B, 0x01, 0x5C, 0x16];

    fn check(pieces: &[&[u8]], events: &[Event], echo: Echo, reply: &[u8]) {
        let mut heard = Heard::default();
        let found: Vec<Event> = pieces
            .iter()
            .zip(1..)
            .map(|(piece, now)| heard.take(piece, now, SENT))
            .collect();
        assert_eq!(found, events);
        assert_eq!(heard.echo, echo);
        assert_eq!(heard.reply(), reply);
        assert_eq!(heard.first_ns, 1);
    }

    //= A3.2
    #[test]
    fn the_own_frame_is_told_from_a_reply_however_it_is_cut() {
        check(&[&[0xE5]], &[Event::Whole], Echo::None, &[0xE5]);
        check(&[SENT], &[Event::Echo], Echo::Whole, &[]);
        let (head, tail) = SENT.split_at(2);
        check(&[head], &[Event::Echo], Echo::Part, head);
        check(
            &[head, tail, &[0xE5]],
            &[Event::Echo, Event::Echo, Event::Whole],
            Echo::Whole,
            &[0xE5],
        );
        let joined: Vec<u8> = [SENT, &[0xE5]].concat();
        check(&[&joined], &[Event::Whole], Echo::Whole, &[0xE5]);
        check(
            &[head, &[0x7F]],
            &[Event::Echo, Event::Part],
            Echo::None,
            &[0x10, 0x5B, 0x7F],
        );
        check(
            &[&[0xE5], &[0xE5]],
            &[Event::Whole, Event::Part],
            Echo::None,
            &[0xE5, 0xE5],
        );
    }

    //= A3.2
    #[test]
    fn more_than_any_reply_is_a_flood_and_is_cut() {
        let mut heard = Heard::default();
        assert_eq!(heard.take(&[0x55; HEARD_BYTES_MAX], 1, SENT), Event::Part);
        assert_eq!(heard.take(&[0x55], 2, SENT), Event::Flood);
        assert_eq!(heard.bytes.len(), HEARD_BYTES_MAX);
    }
}
