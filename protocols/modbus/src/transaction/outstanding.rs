//! Unanswered requests of a serial line, against late and repeated replies.
//!
//! A serial reply names its unit and function and carries data; nothing says which request it
//! answers. A reply that comes after its timeout therefore looks like the answer to the next request
//! of the same unit, function and amount of data, and another register range, or an older value,
//! would be taken for the one asked for. The only cure is not to ask until the late reply can no
//! longer come.

use crate::limits::OUTSTANDING_MAX;
use crate::pdu::{EXCEPTION_BIT, Request};
use crate::rtu::Frame;
use alloc::vec::Vec;
use core::fmt;

/// Everything by which a serial reply can be told from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// Unit that will answer.
    pub unit: u8,
    /// Function code it will answer under.
    pub function: u8,
    /// Bytes of data after the function code, the byte count of a read not counted.
    pub byte_count: u8,
    /// Address and quantity or value, which replies to writes repeat.
    pub echo: Option<[u8; 4]>,
}

impl Fingerprint {
    /// The fingerprint of the answer to `request` sent to `unit`.
    #[must_use]
    pub fn of(unit: u8, request: &Request) -> Self {
        let function = request.function().code();
        let pdu_bytes = request.reply_pdu_bytes();
        match request {
            Request::ReadCoils(_)
            | Request::ReadDiscreteInputs(_)
            | Request::ReadHoldingRegisters(_)
            | Request::ReadInputRegisters(_) => {
                let byte_count = u8::try_from(pdu_bytes - 2).unwrap_or(u8::MAX);
                Self {
                    unit,
                    function,
                    byte_count,
                    echo: None,
                }
            }
            Request::WriteSingleCoil { .. }
            | Request::WriteSingleRegister { .. }
            | Request::WriteMultipleCoils(_)
            | Request::WriteMultipleRegisters(_) => {
                let echo = request
                    .encode()
                    .get(1..5)
                    .and_then(|echo| echo.try_into().ok());
                Self {
                    unit,
                    function,
                    byte_count: 4,
                    echo,
                }
            }
        }
    }

    /// This frame could be the reply, an exception included.
    #[must_use]
    pub fn matches(&self, frame: &Frame<'_>) -> bool {
        if frame.unit != self.unit {
            return false;
        }
        match frame.pdu {
            [code, _] if *code == self.function | EXCEPTION_BIT => true,
            [code, data @ ..] if *code == self.function => match (self.echo, data) {
                (Some(echo), data) => data == echo,
                (None, [count, data @ ..]) => {
                    *count == self.byte_count && data.len() == usize::from(*count)
                }
                (None, []) => false,
            },
            _ => false,
        }
    }
}

/// Why no further request may be sent: the list of unanswered ones is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{OUTSTANDING_MAX} requests are unanswered; wait until the late-reply window of one ends"
        )
    }
}

impl core::error::Error for Full {}

/// The request a stray frame belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The caller's number of the request.
    pub token: u64,
    /// When it was sent.
    pub sent_ns: u64,
    /// It had its answer already: the frame repeats one.
    pub repeated: bool,
    /// Requests the frame fits equally well; above 1 `token` is the oldest of them.
    pub candidates: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    token: u64,
    fingerprint: Fingerprint,
    sent_ns: u64,
    expires_ns: u64,
    answered: bool,
}

/// The requests of one serial line whose replies may still come.
#[derive(Clone, Debug, Default)]
pub struct Outstanding {
    entries: Vec<Entry>,
}

impl Outstanding {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// Notes a request as it is sent. `expires_ns` ends its late-reply window: no reply comes later.
    ///
    /// # Errors
    /// `Full` when every place is held by an unanswered request whose window is open.
    pub fn sent(
        &mut self,
        token: u64,
        fingerprint: Fingerprint,
        sent_ns: u64,
        expires_ns: u64,
    ) -> Result<(), Full> {
        self.entries.retain(|entry| entry.expires_ns > sent_ns);
        if self.entries.len() >= OUTSTANDING_MAX {
            let answered = self
                .entries
                .iter()
                .position(|entry| entry.answered)
                .ok_or(Full)?;
            self.entries.remove(answered);
        }
        self.entries.push(Entry {
            token,
            fingerprint,
            sent_ns,
            expires_ns,
            answered: false,
        });
        Ok(())
    }

    /// Notes that a request has its answer. It is remembered until its window ends, so that a second
    /// copy of the answer can be named as such. `false`: no such request.
    pub fn answered(&mut self, token: u64) -> bool {
        let entry = self.entries.iter_mut().find(|entry| entry.token == token);
        entry.map(|entry| entry.answered = true).is_some()
    }

    /// A request with this fingerprint must not be sent yet: a late reply could pass for its answer.
    #[must_use]
    pub fn is_ambiguous(&self, fingerprint: &Fingerprint, now_ns: u64) -> bool {
        self.ambiguous_until_ns(fingerprint, now_ns).is_some()
    }

    /// When the request may be sent; `None` if now.
    #[must_use]
    pub fn ambiguous_until_ns(&self, fingerprint: &Fingerprint, now_ns: u64) -> Option<u64> {
        let same = |entry: &&Entry| entry.fingerprint == *fingerprint;
        self.unanswered(now_ns)
            .filter(same)
            .map(|entry| entry.expires_ns)
            .max()
    }

    /// A late *exception* could pass for one of this request: exceptions carry no byte count, so unit
    /// and function decide alone. No value can be mistaken that way, only a refusal.
    #[must_use]
    pub fn exception_is_ambiguous(&self, fingerprint: &Fingerprint, now_ns: u64) -> bool {
        let same = |entry: &Entry| {
            (entry.fingerprint.unit, entry.fingerprint.function)
                == (fingerprint.unit, fingerprint.function)
        };
        self.unanswered(now_ns).any(same)
    }

    /// The request a frame belongs to that is not the answer awaited: the oldest unanswered one it
    /// fits, else the newest answered one it repeats.
    #[must_use]
    pub fn explains(&self, frame: &Frame<'_>, now_ns: u64) -> Option<Explained> {
        let fits = |entry: &&Entry| entry.fingerprint.matches(frame);
        let late = self.unanswered(now_ns).filter(fits);
        let candidates = late.clone().count();
        if let Some(oldest) = late.min_by_key(|entry| entry.sent_ns) {
            return Some(explained(oldest, candidates));
        }
        let repeats = self
            .open(now_ns)
            .filter(|entry| entry.answered)
            .filter(fits);
        let candidates = repeats.clone().count();
        repeats
            .max_by_key(|entry| entry.sent_ns)
            .map(|entry| explained(entry, candidates))
    }

    /// Unanswered requests whose window is open.
    #[must_use]
    pub fn unanswered_count(&self, now_ns: u64) -> usize {
        self.unanswered(now_ns).count()
    }

    fn open(&self, now_ns: u64) -> impl Iterator<Item = &Entry> + Clone {
        self.entries
            .iter()
            .filter(move |entry| entry.expires_ns > now_ns)
    }

    fn unanswered(&self, now_ns: u64) -> impl Iterator<Item = &Entry> + Clone {
        self.open(now_ns).filter(|entry| !entry.answered)
    }
}

fn explained(entry: &Entry, candidates: usize) -> Explained {
    let Entry {
        token,
        sent_ns,
        answered,
        ..
    } = *entry;
    Explained {
        token,
        sent_ns,
        repeated: answered,
        candidates,
    }
}
