//! One request at a time to a device that is no meter, without I/O: a remote card of the station's own points.
//!
//! ```text
//! let mut asking = Asking::new(&port)?;
//! asking.opened(now);                            // the wire is open, and whenever it was opened anew
//! wait until asking.ready_at(unit, &request, now);
//! send asking.begin(unit, request, now);
//! while no outcome { asking.heard(&bytes, now) or, at asking.look_at(), asking.tick(now) }
//! ```
//!
//! A reply is believed only where it can be tied to the request: a serial unit is not asked for a function while a
//! late reply to an earlier request for it may come. Nothing is sent a second time here.

use crate::bus::{Aim, Flight};
use crate::late::LateBook;
use crate::wire::{Heard, Verdict, Wire};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use contract::Port;
use evidence::MonoNs;
use modbus::pdu::{ExceptionCode, Request, Response};

const MS_NS: u64 = 1_000_000;

/// What came of a request: the response, or for a person why there is none.
pub type Outcome = Result<Response, Unanswered>;

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The device refuses it: nothing came of it.
    Refused(String),
    /// It never left, as the device is not reached or may still answer an earlier one: nothing came of it.
    NotAsked(String),
    /// Nothing that answers it was heard: whether it was carried out is not known.
    Unknown(String),
}

impl core::fmt::Display for Unanswered {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Refused(words) | Self::NotAsked(words) | Self::Unknown(words) => {
                f.write_str(words)
            }
        }
    }
}

/// The requests to the devices of one port.
#[derive(Debug)]
pub struct Asking {
    wire: Wire,
    book: LateBook,
    timeout_ns: u64,
    late_ns: u64,
    token: u64,
    flight: Option<Flight>,
}

impl Asking {
    /// Of a Modbus port; `None` of any other.
    #[must_use]
    pub fn new(port: &Port) -> Option<Self> {
        Some(Self {
            wire: Wire::new(&port.kind)?,
            book: LateBook::default(),
            timeout_ns: port.timeout_ms.saturating_mul(MS_NS),
            late_ns: port.late_reply_ms.saturating_mul(MS_NS),
            token: 0,
            flight: None,
        })
    }

    /// The wire was opened: a serial one stays silent until no reply to whoever used it before can come.
    pub fn opened(&mut self, now: MonoNs) {
        self.flight = None;
        self.wire.opened(now.plus_ns(self.late_ns));
    }

    /// From when on the request may leave.
    #[must_use]
    pub fn ready_at(&self, unit: u8, request: &Request, now: MonoNs) -> MonoNs {
        let held = match self.wire.is_serial() {
            true => self.book.held_until(unit, request, None, now),
            false => None,
        };
        let free = self.wire.free_at().or_else(|| self.wire.silence_at());
        let room = self.book.next_expiry(now);
        let room = room.filter(|_| !self.book.has_room(now));
        let times = [held, free, room].into_iter().flatten();
        times.max().unwrap_or(now)
    }

    /// The bytes of a request that leaves now; whatever was under way before is given up.
    #[must_use]
    pub fn begin(&mut self, unit: u8, request: Request, now: MonoNs) -> Vec<u8> {
        // What of a stream has begun long ago and did not end is no part of the answer to this.
        let _ = self.wire.poll(now);
        self.token += 1;
        let (frame, transfer_ns) = self.wire.encode(self.token, unit, &request);
        let sent_end = now.plus_ns(transfer_ns);
        let deadline = sent_end.plus_ns(self.timeout_ns);
        let expires = sent_end.plus_ns(self.late_ns.max(self.timeout_ns));
        let of = (self.token, 0, None);
        self.book.sent(of, unit, &request, now, expires);
        self.wire.sent(&frame);
        self.flight = Some(Flight {
            meter: 0,
            token: self.token,
            unit,
            request,
            frame: frame.clone(),
            aim: Aim::Aside,
            sent: now,
            sent_end,
            deadline,
            deadline_hard: deadline.plus_ns(self.wire.grace_ns()),
            suspect: None,
        });
        frame
    }

    /// When to [`Asking::tick`], bytes or none.
    #[must_use]
    pub fn look_at(&self) -> Option<MonoNs> {
        let flight = self.flight.as_ref()?;
        // A reply that has begun in time may end later.
        Some(match self.wire.silence_at() {
            Some(silence) => silence.min(flight.deadline_hard),
            None => flight.deadline,
        })
    }

    /// Takes bytes; also those that come while nothing is asked.
    pub fn heard(&mut self, bytes: &[u8], now: MonoNs) -> Option<Outcome> {
        let heard = self.wire.feed(bytes, now);
        self.judge(heard, now)
    }

    /// Silence may have ended a frame, and time may be up.
    pub fn tick(&mut self, now: MonoNs) -> Option<Outcome> {
        let ended = self.wire.poll(now);
        if let Some(outcome) = self.judge(ended, now) {
            return Some(outcome);
        }
        let due = self.look_at()?;
        if due > now {
            return None;
        }
        let cut = self.wire.cut(now);
        let outcome = self.judge(cut, now);
        let flight = self.flight.take();
        outcome.or_else(|| flight.map(|_| Err(self.silent())))
    }

    fn silent(&self) -> Unanswered {
        let ms = self.timeout_ns / MS_NS;
        Unanswered::Unknown(format!("no answer within {ms}ms"))
    }

    fn judge(&mut self, heard: impl IntoIterator<Item = Heard>, now: MonoNs) -> Option<Outcome> {
        let mut waiting: Vec<Heard> = heard.into_iter().collect();
        waiting.reverse();
        let mut outcome = None;
        while let Some(one) = waiting.pop() {
            let verdict = one.judge(self.flight.as_ref(), &self.book, now);
            let found = match verdict {
                Verdict::Answer(response) => Ok(response),
                Verdict::Exception(code) => {
                    let name = ExceptionCode::from_code(code).name();
                    Err(Unanswered::Refused(format!(
                        "the device refuses it: exception {code} ({name})"
                    )))
                }
                Verdict::Fails(cause) => Err(Unanswered::Unknown(format!(
                    "the answer cannot be used: {}",
                    cause.name()
                ))),
                Verdict::Broken => Err(Unanswered::Unknown("what came is no Modbus".to_string())),
                Verdict::Echo(rest) => {
                    waiting.extend(rest);
                    continue;
                }
                Verdict::Late(asked) => {
                    self.book.answered(asked.token);
                    continue;
                }
                Verdict::Foreign | Verdict::Noise { .. } => continue,
            };
            if let Some(flight) = self.flight.take() {
                if matches!(found, Ok(_) | Err(Unanswered::Refused(_))) {
                    self.book.answered(flight.token);
                }
                outcome = Some(found);
            }
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::{Asking, Outcome, Unanswered};
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use contract::Port;
    use evidence::MonoNs;
    use modbus::pdu::{BitSpan, PackedBits, Request, Response};
    use modbus::{rtu, tcp};
    use proptest::prelude::{any, proptest};
    use std::format;

    const MS: u64 = 1_000_000;

    fn port(kind: &str) -> Port {
        let text = format!(
            "[station]\norigin = \"example.org/s\"\n[[port]]\nid = \"p\"\n{kind}\ntimeout = \"100ms\"\n\
             late_reply = \"500ms\"\n"
        );
        let contract = contract::parse(&text).unwrap();
        contract.ports.values().next().unwrap().clone()
    }

    fn serial() -> Asking {
        let port = port("kind = \"modbus-rtu\"\ndevice = \"/dev/ttyS1\"\nbaud = 115200");
        Asking::new(&port).unwrap()
    }

    fn coils(first: u16) -> Request {
        Request::ReadCoils(BitSpan::new(first, 8).unwrap())
    }

    fn on() -> Response {
        Response::ReadCoils(PackedBits::pack(&[true; 8]).unwrap())
    }

    /// The outcome of the time between.
    fn wait(asking: &mut Asking) -> (MonoNs, Outcome) {
        loop {
            let at = asking.look_at().unwrap();
            if let Some(outcome) = asking.tick(at) {
                return (at, outcome);
            }
        }
    }

    //= A3.7
    #[test]
    fn a_late_reply_on_a_line_answers_nothing_and_its_unit_is_not_asked_before_it_could_come() {
        let mut asking = serial();
        asking.opened(MonoNs(0));
        let quiet = asking.ready_at(3, &coils(0), MonoNs(0));
        assert_eq!(quiet, MonoNs(500 * MS), "whoever used it before");
        let sent = asking.begin(3, coils(0), quiet);
        assert_eq!(sent, rtu::encode(3, &coils(0).encode()));
        let (at, outcome) = wait(&mut asking);
        assert_eq!(
            outcome,
            Err(Unanswered::Unknown("no answer within 100ms".to_string()))
        );
        assert!(
            at > quiet.plus_ns(100 * MS) && at < quiet.plus_ns(102 * MS),
            "{at:?}"
        );
        // The same unit has to wait, another has not.
        assert!(asking.ready_at(3, &coils(40), at) > quiet.plus_ns(500 * MS));
        assert!(asking.ready_at(4, &coils(40), at) <= at);
        let _ = asking.begin(4, coils(40), at);
        let late = rtu::encode(3, &on().encode());
        assert_eq!(asking.heard(&late, at.plus_ns(MS)), None);
        let own = rtu::encode(4, &on().encode());
        assert_eq!(asking.heard(&own, at.plus_ns(10 * MS)), Some(Ok(on())));
        // It came: nothing more can.
        let later = at.plus_ns(20 * MS);
        assert!(asking.ready_at(3, &coils(40), later) <= later);
    }

    #[test]
    fn over_tcp_the_transaction_decides_and_a_refusal_is_told_from_silence() {
        let port = port("kind = \"modbus-tcp\"\naddress = \"192.0.2.1:502\"");
        let mut asking = Asking::new(&port).unwrap();
        asking.opened(MonoNs(0));
        let write = Request::WriteSingleCoil {
            address: 20,
            on: true,
        };
        assert_eq!(asking.ready_at(3, &write, MonoNs(0)), MonoNs(0));
        let _ = asking.begin(3, write.clone(), MonoNs(0));
        let (at, outcome) = wait(&mut asking);
        assert!(
            matches!(outcome, Err(Unanswered::Unknown(_))),
            "{outcome:?}"
        );
        let _ = asking.begin(3, write.clone(), at);
        let echo = |transaction| tcp::encode(transaction, 3, &write.encode()).unwrap();
        assert_eq!(asking.heard(&echo(1), at), None, "the answer to the first");
        let refusal = tcp::encode(2, 3, &[0x85, 2]).unwrap();
        let outcome = asking.heard(&refusal, at).unwrap();
        let Err(Unanswered::Refused(words)) = outcome else {
            panic!("{outcome:?}");
        };
        assert!(
            words.starts_with("the device refuses it: exception 2"),
            "{words}"
        );
        let _ = asking.begin(3, write.clone(), at);
        let whole: Vec<u8> = echo(3);
        let (one, two) = whole.split_at(5);
        assert_eq!(asking.heard(one, at), None);
        let answer = Response::WriteSingleCoil {
            address: 20,
            on: true,
        };
        assert_eq!(asking.heard(two, at), Some(Ok(answer)));
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm_and_silence_ends_whatever_came(bytes in any::<Vec<u8>>()) {
            let mut asking = serial();
            asking.opened(MonoNs(0));
            let _ = asking.begin(3, coils(0), MonoNs(0));
            if asking.heard(&bytes, MonoNs(MS)).is_none() {
                let (at, _) = wait(&mut asking);
                assert!(at < MonoNs(300 * MS));
            }
            assert_eq!(asking.look_at(), None);
        }
    }
}
