//! Listening to a line on which others speak: frames of both sides, and which reply belongs to which request.

use super::reader::predicted_len;
use super::{Direction, Timing, crc16};
use crate::limits::{RTU_FRAME_BYTES_MAX, RTU_FRAME_BYTES_MIN, UNIT_BROADCAST};
use crate::pdu::{EXCEPTION_BIT, Request};
use alloc::vec::Vec;

/// A request is forgotten after this; whatever comes then answers nothing.
pub const PAIRED_NS_MAX: u64 = 10_000_000_000;

/// What a run of bytes is, as far as one who only listens can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A whole frame that asks.
    Request,
    /// A whole frame that answers the request before it, so long after its end.
    Reply {
        /// From the last bit of the request to the first of the reply, in nanoseconds.
        after_ns: u64,
    },
    /// A whole frame that answers, to a request that was not heard.
    Unpaired,
    /// No whole frame: damaged, cut, or noise.
    Damaged,
}

/// A run of bytes between two boundaries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// When the first one began, reckoned from when it was read.
    pub begun_ns: u64,
    /// When the last one had ended.
    pub ended_ns: u64,
    /// Silence before it; `None` for the first that is heard.
    pub gap_ns: Option<u64>,
    /// What it is.
    pub role: Role,
}

/// A request whose reply may come.
#[derive(Clone, Debug)]
struct Asked {
    unit: u8,
    function: u8,
    reply_bytes: Option<usize>,
    ended_ns: u64,
}

/// Takes what is read from a line, gives what was said on it. Every byte comes out once, in order.
#[derive(Clone, Debug)]
pub struct Listener {
    timing: Timing,
    silence_ns: u64,
    bytes: Vec<u8>,
    begun_ns: u64,
    ended_ns: u64,
    before_ns: Option<u64>,
    asked: Option<Asked>,
}

impl Listener {
    /// One who hears bytes up to `latency_ns` late: so much longer has a silence to be to end what is no frame.
    #[must_use]
    pub const fn new(timing: Timing, latency_ns: u64) -> Self {
        Self {
            timing,
            silence_ns: timing.with_read_latency(latency_ns).t35_ns,
            bytes: Vec::new(),
            begun_ns: 0,
            ended_ns: 0,
            before_ns: None,
            asked: None,
        }
    }

    /// Takes bytes that were read at once at `at_ns`.
    pub fn feed(&mut self, bytes: &[u8], at_ns: u64) -> Vec<Heard> {
        let mut out = Vec::new();
        let mut left = bytes.len();
        for byte in bytes {
            left -= 1;
            // The last one ended when it was read, those before it a character each earlier.
            let reckoned = at_ns.saturating_sub(self.timing.transfer_ns(left));
            let ended_ns = reckoned.max(self.ended_ns);
            let begun_ns = ended_ns
                .saturating_sub(self.timing.character_ns)
                .max(self.ended_ns);
            out.extend(self.poll(begun_ns));
            if self.bytes.is_empty() {
                self.begun_ns = begun_ns;
            }
            self.bytes.push(*byte);
            self.ended_ns = ended_ns;
            out.extend(self.complete());
        }
        out
    }

    /// What silence has ended by `now_ns`.
    pub fn poll(&mut self, now_ns: u64) -> Vec<Heard> {
        match self.deadline_ns() {
            Some(deadline_ns) if now_ns >= deadline_ns => self.cut(),
            _ => Vec::new(),
        }
    }

    /// When silence ends what is collected; `None` while nothing is.
    #[must_use]
    pub fn deadline_ns(&self) -> Option<u64> {
        (!self.bytes.is_empty()).then(|| self.ended_ns.saturating_add(self.silence_ns))
    }

    /// Hands out whatever is collected. Behind bytes that are no frame a whole one is found.
    pub fn cut(&mut self) -> Vec<Heard> {
        let len = self.bytes.len();
        let whole = |from: &usize| self.bytes.get(*from..).is_some_and(is_whole);
        let from = (0..len.saturating_sub(RTU_FRAME_BYTES_MIN - 1)).find(whole);
        let from = from.unwrap_or(len);
        let before = self.bytes.get(..from).is_some_and(is_whole);
        let mut out = Vec::new();
        out.extend(self.take(from, before));
        out.extend(self.take(len - from, true));
        out
    }

    /// Whoever asks is known to ask again: what comes next answers nothing from before.
    pub fn ask_anew(&mut self) {
        self.asked = None;
    }

    /// The frame that the byte just taken completes: its header says so, and its CRC fits.
    fn complete(&mut self) -> Vec<Heard> {
        let len = self.bytes.len();
        let fits = |direction| predicted_len(direction, &self.bytes) == Some(len);
        let announced = fits(Direction::Requests) || fits(Direction::Replies);
        if announced && is_whole(&self.bytes) {
            return self.take(len, true).into_iter().collect();
        }
        if len > RTU_FRAME_BYTES_MAX {
            return self.cut();
        }
        Vec::new()
    }

    fn take(&mut self, len: usize, whole: bool) -> Option<Heard> {
        if len == 0 {
            return None;
        }
        let rest = self.bytes.split_off(len.min(self.bytes.len()));
        let bytes = core::mem::replace(&mut self.bytes, rest);
        let begun_ns = self.begun_ns;
        let behind_ns = self.timing.transfer_ns(self.bytes.len());
        let ended_ns = self.ended_ns.saturating_sub(behind_ns).max(begun_ns);
        self.begun_ns = ended_ns;
        let gap_ns = self.before_ns.replace(ended_ns);
        let gap_ns = gap_ns.map(|before_ns| begun_ns.saturating_sub(before_ns));
        let role = match whole {
            true => self.role(&bytes, begun_ns, ended_ns),
            false => Role::Damaged,
        };
        Some(Heard {
            bytes,
            begun_ns,
            ended_ns,
            gap_ns,
            role,
        })
    }

    /// Who speaks in a whole frame: a reply where one is due that looks like it, else a request if it can be one.
    fn role(&mut self, frame: &[u8], begun_ns: u64, ended_ns: u64) -> Role {
        let (unit, code) = match frame {
            [unit, code, ..] => (*unit, *code),
            _ => return Role::Damaged,
        };
        let asked = self.asked.take();
        let answers = |asked: &Asked| {
            let lasts = begun_ns.saturating_sub(asked.ended_ns) <= PAIRED_NS_MAX;
            let same = (asked.unit, asked.function) == (unit, code & !EXCEPTION_BIT);
            let exception = code & EXCEPTION_BIT != 0;
            let long = exception || asked.reply_bytes.is_none_or(|due| due == frame.len());
            lasts && same && long
        };
        if let Some(asked) = asked.filter(answers) {
            let after_ns = begun_ns.saturating_sub(asked.ended_ns);
            return Role::Reply { after_ns };
        }
        let pdu = frame.get(1..frame.len().saturating_sub(2));
        let request = pdu.and_then(|pdu| Request::decode(pdu).ok());
        if request.is_none() && (code & EXCEPTION_BIT != 0 || is_reply(frame)) {
            return Role::Unpaired;
        }
        if unit != UNIT_BROADCAST {
            self.asked = Some(Asked {
                unit,
                function: code,
                reply_bytes: request.as_ref().map(super::expected_reply_len),
                ended_ns,
            });
        }
        Role::Request
    }
}

fn is_reply(frame: &[u8]) -> bool {
    predicted_len(Direction::Replies, frame) == Some(frame.len())
}

/// A CRC taken over its own two bytes leaves nothing.
fn is_whole(bytes: &[u8]) -> bool {
    (RTU_FRAME_BYTES_MIN..=RTU_FRAME_BYTES_MAX).contains(&bytes.len()) && crc16(bytes) == 0
}

#[cfg(test)]
mod tests {
    use super::{Heard, Listener, Role};
    use crate::rtu::{Timing, encode};
    use alloc::vec::Vec;
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    const MS: u64 = 1_000_000;
    const LATENCY: u64 = 2 * MS;

    fn listener() -> Listener {
        Listener::new(Timing::from_baud(9_600), LATENCY)
    }

    /// Feeds runs that were read at once, each at its time, and cuts at the end.
    fn hear(runs: &[(u64, Vec<u8>)]) -> Vec<Heard> {
        let mut listener = listener();
        let mut out: Vec<Heard> = Vec::new();
        for (at_ms, bytes) in runs {
            out.extend(listener.poll(at_ms * MS));
            out.extend(listener.feed(bytes, at_ms * MS));
        }
        out.extend(listener.cut());
        out
    }

    fn roles(heard: &[Heard]) -> Vec<&'static str> {
        let name = |one: &Heard| match one.role {
            Role::Request => "request",
            Role::Reply { .. } => "reply",
            Role::Unpaired => "unpaired",
            Role::Damaged => "damaged",
        };
        heard.iter().map(name).collect()
    }

    fn ask(unit: u8) -> Vec<u8> {
        encode(unit, &[3, 0, 0, 0, 2])
    }

    fn answer(unit: u8) -> Vec<u8> {
        encode(unit, &[3, 4, 0, 1, 0, 2])
    }

    //= A3.1
    #[test]
    fn both_sides_are_told_apart_and_paired() {
        let heard = hear(&[
            (100, ask(1)),
            (150, answer(1)),
            (200, ask(2)),
            (300, ask(3)),
            (340, encode(3, &[0x83, 2])),
            (400, answer(4)),
        ]);
        let due = [
            "request", "reply", "request", "request", "reply", "unpaired",
        ];
        assert_eq!(roles(&heard), due);
        // The reply's nine characters end at 150 ms; the request ended at 100.
        let characters = 9 * Timing::from_baud(9_600).character_ns;
        let after_ns = 50 * MS - characters;
        assert_eq!(heard[1].role, Role::Reply { after_ns });
        assert_eq!(heard[1].gap_ns, Some(after_ns));
        assert_eq!(heard[0].gap_ns, None);
    }

    #[test]
    fn a_write_and_its_answer_are_the_same_bytes_and_not_the_same_thing() {
        let write = encode(1, &[6, 0, 1, 0, 9]);
        let heard = hear(&[(100, write.clone()), (140, write.clone()), (200, write)]);
        assert_eq!(roles(&heard), ["request", "reply", "request"]);
    }

    //= A3.1
    #[test]
    fn what_is_no_frame_is_kept_and_a_frame_behind_it_is_found() {
        let noisy = [&[0xFF, 0x00][..], &ask(1)].concat();
        let mut flipped = answer(1);
        flipped[4] ^= 1;
        let heard = hear(&[(100, noisy), (200, flipped), (300, answer(1))]);
        assert_eq!(roles(&heard), ["damaged", "request", "damaged", "reply"]);
        assert_eq!(heard[0].bytes, [0xFF, 0x00]);
        let run_together = [ask(1), answer(1), ask(2)].concat();
        assert_eq!(
            roles(&hear(&[(100, run_together)])),
            ["request", "reply", "request"]
        );
    }

    #[test]
    fn a_function_that_is_not_known_ends_with_silence() {
        let heard = hear(&[
            (100, encode(9, &[0x41, 1, 2])),
            (200, encode(9, &[0x41, 7])),
        ]);
        assert_eq!(roles(&heard), ["request", "reply"]);
        // Nobody answers to all, and a request is forgotten after a while.
        let heard = hear(&[
            (100, encode(0, &[6, 0, 1, 0, 9])),
            (200, encode(0, &[6, 0, 1, 0, 9])),
        ]);
        assert_eq!(roles(&heard), ["request", "request"]);
        let heard = hear(&[(100, ask(1)), (20_000, answer(1))]);
        assert_eq!(roles(&heard), ["request", "unpaired"]);
    }

    proptest! {
        //= A3.1
        #[test]
        fn every_byte_comes_out_once_and_in_order(
            runs in prop::collection::vec((0_u64..40, prop::collection::vec(any::<u8>(), 0..40)), 0..12),
        ) {
            let mut at_ms = 0;
            let mut timed = Vec::new();
            for (pause, bytes) in runs {
                at_ms += pause;
                timed.push((at_ms, bytes));
            }
            let sent: Vec<u8> = timed.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
            let heard = hear(&timed);
            let mut before = 0;
            for one in &heard {
                prop_assert!(one.begun_ns >= before && one.ended_ns >= one.begun_ns);
                before = one.ended_ns;
                prop_assert_eq!(one.role == Role::Damaged, crate::rtu::decode(&one.bytes).is_err());
            }
            let got: Vec<u8> = heard.into_iter().flat_map(|one| one.bytes).collect();
            prop_assert_eq!(got, sent);
        }
    }
}
