//! From a request and a received frame to what the frame is.

use super::table::{Facts, Fit, Relation, Verdict};
use crate::limits::RTU_OVERHEAD_BYTES;
use crate::pdu::{EXCEPTION_BIT, ExceptionCode, Request, Response};
use crate::rtu::FrameError;
use crate::{rtu, tcp};

const EXCEPTION_PDU_BYTES: usize = 2;

/// What a received frame is to the request that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It answers.
    Answer(Response),
    /// It refuses.
    Exception(ExceptionCode),
    /// A whole frame of another unit or function: perhaps late, perhaps another's.
    Foreign(FrameError),
    /// A whole frame of the unit and function that cannot answer this request.
    WrongShape(FrameError),
    /// The right length, damaged.
    BadCrc(FrameError),
    /// Damaged, and shorter than the reply.
    Truncated(FrameError),
    /// Damaged, and longer than the reply: noise around it, or two senders at once.
    TooLong(FrameError),
    /// A reply to another transaction (TCP).
    OtherTransaction(FrameError),
}

impl Reply {
    /// What is wrong; `None` for an answer and for an exception, which are both proper replies.
    #[must_use]
    pub const fn error(&self) -> Option<FrameError> {
        match self {
            Self::Answer(_) | Self::Exception(_) => None,
            Self::Foreign(error)
            | Self::WrongShape(error)
            | Self::BadCrc(error)
            | Self::Truncated(error)
            | Self::TooLong(error)
            | Self::OtherTransaction(error) => Some(*error),
        }
    }
}

/// What a serial frame is to `request` sent to `unit`.
#[must_use]
pub fn classify(unit: u8, request: &Request, frame: &[u8]) -> Reply {
    let asked = Asked {
        unit,
        request,
        transaction: None,
    };
    match rtu::decode(frame) {
        Ok(whole) => asked.judge(whole.unit, whole.pdu, None),
        Err(error) => asked.judge_damaged(frame, error),
    }
}

/// What a frame over TCP is to `request` sent to `unit` under `transaction`.
#[must_use]
pub fn classify_tcp(transaction: u16, unit: u8, request: &Request, frame: &tcp::Frame) -> Reply {
    let asked = Asked {
        unit,
        request,
        transaction: Some(transaction),
    };
    asked.judge(frame.unit, &frame.pdu, Some(frame.transaction))
}

struct Asked<'a> {
    unit: u8,
    request: &'a Request,
    transaction: Option<u16>,
}

impl Asked<'_> {
    fn relation(&self, code: u8) -> Relation {
        let asked = self.request.function().code();
        match code {
            code if code == asked => Relation::Same,
            code if code == asked | EXCEPTION_BIT => Relation::Exception,
            _ => Relation::Other,
        }
    }

    fn reply_pdu_bytes(&self, relation: Relation) -> usize {
        match relation {
            Relation::Exception => EXCEPTION_PDU_BYTES,
            Relation::Same | Relation::Other => self.request.reply_pdu_bytes(),
        }
    }

    fn judge(&self, unit: u8, pdu: &[u8], transaction: Option<u16>) -> Reply {
        let code = pdu.first().copied().unwrap_or_default();
        let function = self.relation(code);
        let expected = self.reply_pdu_bytes(function);
        let facts = Facts {
            crc_ok: true,
            transaction_ok: transaction == self.transaction,
            unit_ok: unit == self.unit,
            function,
            fit: fit(pdu.len(), expected),
            content_ok: content_ok(self.request, pdu),
        };
        let found = pdu.len();
        let wrong_shape = if facts.fit == Fit::Exact {
            FrameError::ContentMismatch
        } else {
            FrameError::LengthMismatch { expected, found }
        };
        match facts.verdict() {
            Verdict::Answer => match Response::decode(pdu) {
                Ok(response) => Reply::Answer(response),
                Err(_) => Reply::WrongShape(wrong_shape),
            },
            Verdict::Exception => {
                let code = pdu.get(1).copied().unwrap_or_default();
                Reply::Exception(ExceptionCode::from_code(code))
            }
            Verdict::OtherTransaction => Reply::OtherTransaction(FrameError::TransactionMismatch {
                expected: self.transaction.unwrap_or_default(),
                found: transaction.unwrap_or_default(),
            }),
            Verdict::Foreign if !facts.unit_ok => Reply::Foreign(FrameError::UnitMismatch {
                expected: self.unit,
                found: unit,
            }),
            Verdict::Foreign => Reply::Foreign(FrameError::FunctionMismatch {
                expected: self.request.function().code(),
                found: code,
            }),
            // The first three cannot be reached with a fitting CRC.
            Verdict::Truncated | Verdict::TooLong | Verdict::BadCrc | Verdict::WrongShape => {
                Reply::WrongShape(wrong_shape)
            }
        }
    }

    fn judge_damaged(&self, frame: &[u8], error: FrameError) -> Reply {
        let code = frame.get(1).copied().unwrap_or_default();
        let function = self.relation(code);
        let expected = self.reply_pdu_bytes(function) + RTU_OVERHEAD_BYTES;
        let found = frame.len();
        let facts = Facts {
            crc_ok: false,
            transaction_ok: true,
            unit_ok: frame.first() == Some(&self.unit),
            function,
            fit: fit(found, expected),
            content_ok: false,
        };
        match facts.verdict() {
            Verdict::Truncated => Reply::Truncated(FrameError::Truncated { expected, found }),
            Verdict::TooLong => Reply::TooLong(FrameError::TooLong { expected, found }),
            // A damaged frame is never anything better.
            Verdict::BadCrc
            | Verdict::OtherTransaction
            | Verdict::Foreign
            | Verdict::Exception
            | Verdict::Answer
            | Verdict::WrongShape => Reply::BadCrc(error),
        }
    }
}

fn fit(found: usize, expected: usize) -> Fit {
    match found.cmp(&expected) {
        core::cmp::Ordering::Less => Fit::Shorter,
        core::cmp::Ordering::Equal => Fit::Exact,
        core::cmp::Ordering::Greater => Fit::Longer,
    }
}

/// A read is answered with its byte count, a write with its address and quantity or value.
fn content_ok(request: &Request, pdu: &[u8]) -> bool {
    match request {
        Request::ReadCoils(_)
        | Request::ReadDiscreteInputs(_)
        | Request::ReadHoldingRegisters(_)
        | Request::ReadInputRegisters(_) => {
            let count = pdu.get(1).map(|count| usize::from(*count));
            count == Some(request.reply_pdu_bytes() - 2)
        }
        Request::WriteSingleCoil { .. }
        | Request::WriteSingleRegister { .. }
        | Request::WriteMultipleCoils(_)
        | Request::WriteMultipleRegisters(_) => request.encode().get(..5) == pdu.get(..5),
    }
}
