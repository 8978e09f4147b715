//! Setting a Modbus meter's clock: one write, as soon as the line is free (U6).

use super::{Aim, ModbusBus, unit_of};
use crate::books::Books;
use crate::clocks::{Order, Sent};
use crate::session::Failure;
use alloc::vec::Vec;
use contract::{ClockSetting, Register, ValueType, WordOrder};
use evidence::MonoNs;
use evidence::reasons::{AttemptCause, ClockReason};
use modbus::pdu::{RegisterWrite, Registers, Request};

/// Why a time that had left was not taken.
pub(super) fn clock_reason(failure: &Failure) -> ClockReason {
    match failure.cause {
        AttemptCause::Exception => ClockReason::Declined,
        AttemptCause::ConnectionLost | AttemptCause::PortUnavailable => ClockReason::LineLost,
        _ => ClockReason::NoAnswer,
    }
}

/// The write of a time, in the form in which the meter shows it.
fn write(first: u16, shows: &Register, shows_s: i64) -> Option<Request> {
    let wide: Vec<u16> = match shows.value {
        ValueType::U32 => words(&u32::try_from(shows_s).ok()?.to_be_bytes()),
        ValueType::U64 => words(&u64::try_from(shows_s).ok()?.to_be_bytes()),
        _ => return None,
    };
    let (low_first, swapped) = match shows.word_order {
        WordOrder::HighFirst => (false, false),
        WordOrder::LowFirst => (true, false),
        WordOrder::HighFirstSwapped => (false, true),
        WordOrder::LowFirstSwapped => (true, true),
    };
    let mut wide = wide;
    if low_first {
        wide.reverse();
    }
    if swapped {
        wide.iter_mut().for_each(|word| *word = word.swap_bytes());
    }
    let registers = Registers::from_values(&wide).ok()?;
    let write = RegisterWrite::new(first, registers).ok()?;
    Some(Request::WriteMultipleRegisters(write))
}

fn words(bytes: &[u8]) -> Vec<u16> {
    let pairs = bytes.as_chunks().0.iter();
    pairs.map(|pair| u16::from_be_bytes(*pair)).collect()
}

impl ModbusBus {
    /// Sends the next time that a meter is to be told; whether one left.
    pub(super) fn set_clock(&mut self, books: &mut Books, now: MonoNs) -> bool {
        let Some((at, sent, request)) = self.next_clock(books, now) else {
            return false;
        };
        if books.clocks.leaves(sent.order.id).is_none() {
            return false;
        }
        self.send(books, now, at, request, Aim::Clock(sent));
        true
    }

    /// The first order whose meter may be written to now.
    fn next_clock(&self, books: &Books, now: MonoNs) -> Option<(usize, Sent, Request)> {
        let mut waiting = books.clocks.waiting();
        waiting.find_map(|order| {
            let (at, request) = self.clock_request(books, order, now)?;
            let meter = books.meters.get(at)?;
            let unit = unit_of(meter);
            // Between two sessions: what one of them read of the clock is of one time.
            if meter.active.is_some() {
                return None;
            }
            if self.book.held_until(unit, &request, None, now).is_some() {
                return None;
            }
            // It is whole at the meter when its last bit has arrived.
            let (_, transfer_ns) = self.wire.encode(self.next_token, unit, &request);
            let arrives = now.plus_ns(transfer_ns);
            let (_, request) = self.clock_request(books, order, arrives)?;
            let sent = Sent {
                shows_s: order.shows_s(arrives),
                order: order.clone(),
                at: now,
            };
            Some((at, sent, request))
        })
    }

    fn clock_request(
        &self,
        books: &Books,
        order: &Order,
        arrives: MonoNs,
    ) -> Option<(usize, Request)> {
        let ClockSetting::Register(first) = order.setting else {
            return None;
        };
        let mut meters = books.meters.iter();
        let at = meters.position(|one| one.meter.id == order.meter)?;
        let meter = books.meters.get(at)?;
        let shows = meter.meter.clock_register()?;
        Some((at, write(first, shows, order.shows_s(arrives))?))
    }

    /// Whether a meter is to be told the time, and may be written to now.
    pub(super) fn clock_waits(&self, books: &Books) -> bool {
        self.next_clock(books, books.last).is_some()
    }

    /// When the first meter may be written to that a reply still owed holds back.
    pub(super) fn clock_held_until(&self, books: &Books) -> Option<MonoNs> {
        let waiting = books.clocks.waiting();
        let held = waiting.filter_map(|order| {
            let (at, request) = self.clock_request(books, order, books.last)?;
            let unit = books.meters.get(at).map(unit_of)?;
            self.book.held_until(unit, &request, None, books.last)
        });
        held.min()
    }
}
