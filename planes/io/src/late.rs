//! Requests that may still be answered: what a stray reply belongs to, and what must not be asked yet.

use alloc::vec::Vec;
use evidence::{MonoNs, Seq};
use modbus::limits::OUTSTANDING_MAX;
use modbus::pdu::Request;
use modbus::rtu::Frame;
use modbus::transaction::{Fingerprint, Outstanding};

/// A request whose reply may still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The engine's number of the request; over TCP its low half is the transaction identifier.
    pub(crate) token: u64,
    /// Place of the meter asked.
    pub(crate) meter: usize,
    /// The read session; a request to the meter's memory has none.
    pub(crate) seq: Option<Seq>,
    unit: u8,
    function: u8,
    expires: MonoNs,
    /// It had its proper reply.
    pub(crate) answered: bool,
}

/// The requests of a port whose replies may still come.
#[derive(Debug, Default)]
pub(crate) struct LateBook {
    outstanding: Outstanding,
    asked: Vec<Asked>,
}

impl LateBook {
    /// There is room to ask.
    pub(crate) fn has_room(&self, now: MonoNs) -> bool {
        self.unanswered(now).count() < OUTSTANDING_MAX
    }

    /// Notes a request as it is sent.
    pub(crate) fn sent(
        &mut self,
        (token, meter, seq): (u64, usize, Option<Seq>),
        unit: u8,
        request: &Request,
        sent: MonoNs,
        expires: MonoNs,
    ) {
        self.asked.retain(|asked| asked.expires > sent);
        if self.asked.len() >= 2 * OUTSTANDING_MAX {
            let answered = self.asked.iter().position(|asked| asked.answered);
            self.asked.remove(answered.unwrap_or_default());
        }
        self.asked.push(Asked {
            token,
            meter,
            seq,
            unit,
            function: request.function().code(),
            expires,
            answered: false,
        });
        let full = self
            .outstanding
            .sent(token, Fingerprint::of(unit, request), sent.0, expires.0);
        debug_assert!(full.is_ok(), "room is checked before a request is sent");
    }

    /// Notes that a request has its proper reply.
    pub(crate) fn answered(&mut self, token: u64) {
        let _ = self.outstanding.answered(token);
        if let Some(asked) = self.asked.iter_mut().find(|asked| asked.token == token) {
            asked.answered = true;
        }
    }

    /// Until when no request for this function may go to this unit; `None` if it may. Stricter than
    /// the fingerprint: an exception carries no byte count, so a late one fits every request of unit and
    /// function, and would make the true answer look late in turn.
    /// The request `in_flight` is not late yet, and holds nobody.
    pub(crate) fn held_until(
        &self,
        unit: u8,
        request: &Request,
        in_flight: Option<u64>,
        now: MonoNs,
    ) -> Option<MonoNs> {
        let function = request.function().code();
        self.unanswered(now)
            .filter(|asked| Some(asked.token) != in_flight)
            .filter(|asked| (asked.unit, asked.function) == (unit, function))
            .map(|asked| asked.expires)
            .max()
    }

    /// The request that a serial frame belongs to.
    pub(crate) fn explains(&self, frame: &Frame<'_>, now: MonoNs) -> Option<Asked> {
        let found = self.outstanding.explains(frame, now.0)?;
        self.asked
            .iter()
            .find(|asked| asked.token == found.token)
            .copied()
    }

    /// The request that was sent under a transaction identifier.
    pub(crate) fn under(&self, transaction: u16, now: MonoNs) -> Option<Asked> {
        let same = |asked: &&Asked| transaction_of(asked.token) == transaction;
        let open = |asked: &&Asked| asked.expires > now;
        self.asked.iter().rev().filter(open).find(same).copied()
    }

    /// When the next window ends.
    pub(crate) fn next_expiry(&self, now: MonoNs) -> Option<MonoNs> {
        self.unanswered(now).map(|asked| asked.expires).min()
    }

    fn unanswered(&self, now: MonoNs) -> impl Iterator<Item = &Asked> {
        let open = move |asked: &&Asked| !asked.answered && asked.expires > now;
        self.asked.iter().filter(open)
    }
}

/// The transaction identifier of a request.
pub(crate) fn transaction_of(token: u64) -> u16 {
    let [.., high, low] = token.to_be_bytes();
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests {
    use super::LateBook;
    use evidence::{MonoNs, Seq};
    use modbus::pdu::{RegisterSpan, Request};

    fn read(first: u16, count: u16) -> Request {
        Request::ReadHoldingRegisters(RegisterSpan::new(first, count).unwrap())
    }

    //= A3.7
    #[test]
    fn a_unit_is_held_back_for_the_function_that_may_still_be_answered() {
        let mut book = LateBook::default();
        book.sent((1, 0, Some(Seq(9))), 7, &read(0, 2), MonoNs(0), MonoNs(100));
        let input = Request::ReadInputRegisters(RegisterSpan::new(0, 2).unwrap());
        assert_eq!(
            book.held_until(7, &read(40, 2), None, MonoNs(10)),
            Some(MonoNs(100))
        );
        assert_eq!(
            book.held_until(7, &read(0, 5), None, MonoNs(99)),
            Some(MonoNs(100))
        );
        assert_eq!(book.held_until(7, &read(0, 2), None, MonoNs(100)), None);
        assert_eq!(book.held_until(8, &read(0, 2), None, MonoNs(10)), None);
        assert_eq!(book.held_until(7, &input, None, MonoNs(10)), None);
        book.answered(1);
        assert_eq!(book.held_until(7, &read(0, 2), None, MonoNs(10)), None);
        assert_eq!(
            book.under(1, MonoNs(10)).and_then(|asked| asked.seq),
            Some(Seq(9))
        );
        assert_eq!(book.under(1, MonoNs(100)), None);
    }
}
