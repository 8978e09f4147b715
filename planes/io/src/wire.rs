//! The bytes of a port: frames out of them, and what each frame is to the request that waits.

use crate::bus::Flight;
use crate::echo::Echoes;
use crate::late::{Asked, LateBook, transaction_of};
use crate::limits::{READ_LATENCY_NS, TCP_FRAME_NS};
use alloc::vec::Vec;
use contract::{Echo, Parity, PortKind, SerialLine};
use evidence::MonoNs;
use evidence::reasons::AttemptCause;
use modbus::limits::RTU_FRAME_BYTES_MAX;
use modbus::pdu::{EXCEPTION_BIT, Request, Response};
use modbus::rtu::{self, Captured, Direction, End, FrameError, FrameReader, Timing};
use modbus::tcp::{self, Decoder};
use modbus::transaction::{Reply, classify, classify_tcp};

const MS_NS: u64 = 1_000_000;
/// Serial bytes of a read request: address, function, first, quantity, CRC.
const REQUEST_BYTES: usize = 8;

/// A serial line or a connection.
#[derive(Debug)]
pub(crate) enum Wire {
    Serial {
        reader: FrameReader,
        timing: Timing,
        turnaround_ns: u64,
        /// From a request to its first bit, where the kernel switches the transceiver.
        lead_ns: u64,
        /// Where requests come back.
        echoes: Option<Echoes>,
        /// No request before this instant: the silence between frames.
        free_at: MonoNs,
    },
    Tcp {
        decoder: Decoder,
        /// When the frame that is not whole yet began. It has to end before the next request: what is cut off would
        /// take the reply of another meter for its own rest.
        begun: Option<MonoNs>,
    },
}

/// Something that was on the wire.
#[derive(Debug)]
pub(crate) enum Heard {
    Serial(Captured),
    Tcp(tcp::Frame),
    /// The stream is no longer Modbus.
    Broken(Vec<u8>),
}

/// What it is.
#[derive(Debug)]
pub(crate) enum Verdict {
    Answer(Response),
    Exception(u8),
    /// It ends the attempt that waits, with this cause.
    Fails(AttemptCause),
    /// It is the reply to an earlier request.
    Late(Asked),
    /// It is the request in flight, and perhaps something behind it.
    Echo(Option<Heard>),
    /// It is whole, and nobody here asked for it.
    Foreign,
    /// It is not a frame.
    Noise {
        stuck: bool,
    },
    /// It ends the connection.
    Broken,
}

fn timing(line: &SerialLine) -> Timing {
    let parity_bits = u8::from(line.parity != Parity::None);
    let bits = 1 + line.data_bits + parity_bits + line.stop_bits;
    Timing::from_baud_and_bits(line.baud, bits)
}

impl Wire {
    /// Of a Modbus port; `None` of any other.
    pub(crate) fn new(kind: &PortKind) -> Option<Self> {
        Some(match kind {
            PortKind::ModbusRtu(line) => {
                let timing = timing(line);
                let seen = timing.with_read_latency(READ_LATENCY_NS);
                Self::Serial {
                    reader: FrameReader::new(Direction::Replies, seen),
                    timing,
                    turnaround_ns: line.turnaround_ms.saturating_mul(MS_NS),
                    lead_ns: line
                        .rs485
                        .map_or(0, |rs485| rs485.before_ms.saturating_mul(MS_NS)),
                    echoes: match line.echo {
                        Echo::Heard => Some(Echoes::default()),
                        Echo::None => None,
                    },
                    free_at: MonoNs(0),
                }
            }
            PortKind::ModbusTcp { .. } => Self::Tcp {
                decoder: Decoder::new(),
                begun: None,
            },
            PortKind::Mbus(_) => return None,
        })
    }

    pub(crate) fn is_serial(&self) -> bool {
        matches!(self, Self::Serial { .. })
    }

    /// Why an attempt fails when there is nothing to send on.
    pub(crate) fn refused_cause(&self) -> AttemptCause {
        match self {
            Self::Serial { .. } => AttemptCause::PortUnavailable,
            Self::Tcp { .. } => AttemptCause::ConnectRefused,
        }
    }

    /// Why the attempt on the wire fails when the port or connection goes.
    pub(crate) fn lost_cause(&self) -> AttemptCause {
        match self {
            Self::Serial { .. } => AttemptCause::PortUnavailable,
            Self::Tcp { .. } => AttemptCause::ConnectionLost,
        }
    }

    /// It was opened: nothing is left of before, and a serial line stays silent until no reply to
    /// whoever used it before can come any more.
    pub(crate) fn opened(&mut self, quiet_until: MonoNs) {
        match self {
            Self::Serial {
                reader,
                free_at,
                echoes,
                ..
            } => {
                let _ = reader.cut();
                if let Some(echoes) = echoes {
                    let _ = echoes.give_back();
                }
                *free_at = quiet_until;
            }
            Self::Tcp { decoder, begun } => {
                *decoder = Decoder::new();
                *begun = None;
            }
        }
    }

    /// When the next request may leave; `None` while somebody speaks.
    pub(crate) fn free_at(&self) -> Option<MonoNs> {
        match self {
            Self::Serial {
                reader, free_at, ..
            } => reader.pending().is_empty().then_some(*free_at),
            Self::Tcp { begun, .. } => begun.is_none().then_some(MonoNs(0)),
        }
    }

    /// When silence ends the frame under way; over TCP, when it has taken too long.
    pub(crate) fn silence_at(&self) -> Option<MonoNs> {
        match self {
            Self::Serial { reader, .. } => reader.deadline_ns().map(MonoNs),
            Self::Tcp { begun, .. } => begun.map(|begun| begun.plus_ns(TCP_FRAME_NS)),
        }
    }

    /// The frame of a request, and how long it takes to send.
    pub(crate) fn encode(&self, token: u64, unit: u8, request: &Request) -> (Vec<u8>, u64) {
        let pdu = request.encode();
        match self {
            Self::Serial {
                timing, lead_ns, ..
            } => {
                let frame = rtu::encode(unit, &pdu);
                let transfer_ns = timing.transfer_ns(frame.len()).saturating_add(*lead_ns);
                (frame, transfer_ns)
            }
            Self::Tcp { .. } => {
                let frame = tcp::encode(transaction_of(token), unit, &pdu);
                (frame.expect("a typed request has 5 to 253 bytes"), 0)
            }
        }
    }

    /// How much longer than its timeout a reply may take that has begun in time.
    pub(crate) fn grace_ns(&self) -> u64 {
        match self {
            Self::Serial { timing, .. } => timing
                .transfer_ns(RTU_FRAME_BYTES_MAX)
                .saturating_add(timing.t35_ns)
                .saturating_add(READ_LATENCY_NS),
            Self::Tcp { .. } => 0,
        }
    }

    /// Takes bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8], now: MonoNs) -> Vec<Heard> {
        match self {
            Self::Serial {
                reader,
                timing,
                turnaround_ns,
                free_at,
                echoes,
                ..
            } => {
                // Also behind what may still turn out to be no echo.
                let silent_ns = timing.t35_ns.saturating_add(*turnaround_ns);
                *free_at = (*free_at).max(now.plus_ns(silent_ns));
                let stripped = echoes.as_mut().map(|echoes| echoes.strip(bytes));
                let bytes = stripped.as_deref().unwrap_or(bytes);
                if bytes.is_empty() {
                    return Vec::new();
                }
                let frames = reader.feed(bytes, now.0);
                frames.into_iter().map(Heard::Serial).collect()
            }
            Self::Tcp { decoder, begun } => {
                let mut rest = bytes;
                let mut heard = Vec::new();
                let broken = loop {
                    match decoder.feed(&mut rest) {
                        Ok(Some(frame)) => {
                            heard.push(Heard::Tcp(frame));
                            *begun = None;
                        }
                        Ok(None) => break false,
                        Err(_) => break true,
                    }
                };
                if broken {
                    heard.push(Heard::Broken(bytes.to_vec()));
                }
                let inside = !broken && !decoder.pending().is_empty();
                *begun = inside.then_some(begun.unwrap_or(now));
                heard
            }
        }
    }

    /// The frame that silence has ended.
    pub(crate) fn poll(&mut self, now: MonoNs) -> Option<Heard> {
        match self {
            Self::Serial { reader, .. } => reader.poll(now.0).map(Heard::Serial),
            Self::Tcp { .. } if self.silence_at().is_some_and(|at| at <= now) => self.cut(now),
            Self::Tcp { .. } => None,
        }
    }

    /// Whatever has been collected, when time is up.
    pub(crate) fn cut(&mut self, now: MonoNs) -> Option<Heard> {
        match self {
            Self::Serial { reader, echoes, .. } => {
                // What began like the request and did not end like it may be a reply that was cut off.
                let begun = echoes.as_mut().map(Echoes::give_back).unwrap_or_default();
                let whole = reader.feed(&begun, now.0).pop();
                whole.or_else(|| reader.cut()).map(Heard::Serial)
            }
            Self::Tcp { decoder, begun } => {
                let _ = begun.take()?;
                let begun = core::mem::take(decoder);
                Some(Heard::Broken(begun.pending().to_vec()))
            }
        }
    }

    /// A request leaves.
    pub(crate) fn sent(&mut self, frame: &[u8]) {
        if let Self::Serial {
            echoes: Some(echoes),
            ..
        } = self
        {
            echoes.sent(frame);
        }
    }

    /// Requests that came back, as they are said to do, since the last look.
    pub(crate) fn take_echoes(&mut self) -> u64 {
        match self {
            Self::Serial {
                echoes: Some(echoes),
                ..
            } => core::mem::take(&mut echoes.whole),
            Self::Serial { .. } | Self::Tcp { .. } => 0,
        }
    }

    /// How long so many characters take on a serial line.
    pub(crate) fn transfer_ns(&self, characters: usize) -> Option<u64> {
        match self {
            Self::Serial { timing, .. } => Some(timing.transfer_ns(characters)),
            Self::Tcp { .. } => None,
        }
    }

    /// Wire time of a read that is answered at once (R5.2).
    pub(crate) fn budget_ns(&self, request: &Request) -> u64 {
        match self {
            Self::Serial {
                timing,
                turnaround_ns,
                lead_ns,
                ..
            } => {
                let bytes = REQUEST_BYTES + rtu::expected_reply_len(request);
                let silences = timing.t35_ns.saturating_mul(2);
                timing
                    .transfer_ns(bytes)
                    .saturating_add(silences)
                    .saturating_add(*turnaround_ns)
                    .saturating_add(*lead_ns)
            }
            Self::Tcp { .. } => 0,
        }
    }

    /// Wire time of a request that nobody answers.
    pub(crate) fn silent_ns(&self, timeout_ns: u64) -> u64 {
        match self {
            Self::Serial {
                timing, lead_ns, ..
            } => timing
                .transfer_ns(REQUEST_BYTES)
                .saturating_add(*lead_ns)
                .saturating_add(timing.t35_ns)
                .saturating_add(timeout_ns),
            Self::Tcp { .. } => timeout_ns,
        }
    }
}

impl Heard {
    /// The bytes, as they are kept for evidence.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Serial(captured) => captured.bytes.clone(),
            Self::Tcp(frame) => {
                tcp::encode(frame.transaction, frame.unit, &frame.pdu).unwrap_or_default()
            }
            Self::Broken(bytes) => bytes.clone(),
        }
    }

    /// The frame check does not hold.
    pub(crate) fn is_damaged(&self) -> bool {
        match self {
            Self::Serial(captured) => rtu::decode(&captured.bytes).is_err(),
            Self::Tcp(_) | Self::Broken(_) => false,
        }
    }

    /// What it is to the request in flight, and to those given up before.
    pub(crate) fn judge(&self, flight: Option<&Flight>, book: &LateBook, now: MonoNs) -> Verdict {
        match self {
            Self::Broken(_) => Verdict::Broken,
            Self::Tcp(frame) => judge_tcp(frame, flight, book, now),
            Self::Serial(captured) if captured.end == End::Overflow => {
                Verdict::Noise { stuck: true }
            }
            Self::Serial(captured) => judge_serial(captured, flight, book, now),
        }
    }
}

fn judge_tcp(frame: &tcp::Frame, flight: Option<&Flight>, book: &LateBook, now: MonoNs) -> Verdict {
    let transaction = frame.transaction;
    if let Some(flight) = flight
        && transaction_of(flight.token) == transaction
    {
        return match classify_tcp(transaction, flight.unit, &flight.request, frame) {
            Reply::Answer(response) => Verdict::Answer(response),
            Reply::Exception(code) => Verdict::Exception(code.code()),
            Reply::Foreign(_) | Reply::OtherTransaction(_) => {
                Verdict::Fails(AttemptCause::ForeignReply)
            }
            Reply::WrongShape(_) => Verdict::Fails(AttemptCause::WrongShape),
            Reply::BadCrc(_) | Reply::Truncated(_) | Reply::TooLong(_) => {
                Verdict::Fails(AttemptCause::Framing)
            }
        };
    }
    match book.under(transaction, now) {
        Some(asked) => Verdict::Late(asked),
        None => Verdict::Foreign,
    }
}

fn judge_serial(
    captured: &Captured,
    flight: Option<&Flight>,
    book: &LateBook,
    now: MonoNs,
) -> Verdict {
    let bytes = captured.bytes.as_slice();
    // What repeats an answer while somebody else is asked may be his, in another's name: it is held against nobody.
    let known = |asked: &Asked| flight.is_none() || !asked.answered;
    let stray = || match rtu::decode(bytes) {
        Ok(frame) => book
            .explains(&frame, now)
            .filter(known)
            .map_or(Verdict::Foreign, Verdict::Late),
        Err(_) => Verdict::Noise { stuck: false },
    };
    let Some(flight) = flight else {
        return stray();
    };
    let damaged = |cause| {
        if speaks_for(bytes, flight) {
            Verdict::Fails(cause)
        } else {
            Verdict::Noise { stuck: false }
        }
    };
    // A whole frame that does not answer may still be the late reply to an earlier request.
    let odd = |cause| match stray() {
        Verdict::Foreign => Verdict::Fails(cause),
        other => other,
    };
    let reply = classify(flight.unit, &flight.request, bytes);
    // An answer can look like its request: of some coils, by chance.
    if !matches!(reply, Reply::Answer(_))
        && let Some(rest) = bytes.strip_prefix(flight.frame.as_slice())
    {
        let rest = (!rest.is_empty()).then(|| {
            Heard::Serial(Captured {
                bytes: rest.to_vec(),
                ..captured.clone()
            })
        });
        return Verdict::Echo(rest);
    }
    match reply {
        Reply::Answer(response) => Verdict::Answer(response),
        Reply::Exception(code) => Verdict::Exception(code.code()),
        Reply::Foreign(FrameError::FunctionMismatch { .. }) => odd(AttemptCause::ForeignReply),
        Reply::Foreign(_) | Reply::OtherTransaction(_) => stray(),
        Reply::WrongShape(_) => odd(AttemptCause::WrongShape),
        Reply::BadCrc(_) => damaged(AttemptCause::Crc),
        Reply::Truncated(_) | Reply::TooLong(_) => damaged(AttemptCause::Framing),
    }
}

/// Damaged bytes that begin like the reply: only these are held against the meter that was asked.
fn speaks_for(bytes: &[u8], flight: &Flight) -> bool {
    let function = flight.request.function().code();
    match bytes {
        [unit, code, ..] => *unit == flight.unit && *code & !EXCEPTION_BIT == function,
        [unit] => *unit == flight.unit,
        [] => false,
    }
}
