//! What is spoken on a port: the books are the same for all, the wire is not.

mod course;
mod mbus;
mod modbus;

pub(crate) use modbus::{Aim, Flight};

use crate::SetupError;
use crate::books::Books;
use crate::input::UartErrors;
use crate::outputs::Held;
use crate::recall::MissedSlot;
use alloc::boxed::Box;
use alloc::vec::Vec;
use contract::{Port, PortKind};
use evidence::{MeterId, MonoNs};
use mbus::MbusBus;
use modbus::ModbusBus;

/// The wire of a port and whoever masters it.
#[derive(Debug)]
pub(crate) enum Bus {
    Modbus(Box<ModbusBus>),
    Mbus(Box<MbusBus>),
}

/// What a session of a meter costs its port.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Requests.
    pub(crate) requests: usize,
    /// Time on the wire if the meter answers at once, in nanoseconds.
    pub(crate) wire_ns: u64,
    /// If it does not answer at all.
    pub(crate) silent_ns: u64,
}

impl Bus {
    /// Of a port whose meters are in the books.
    pub(crate) fn new(port: &Port, books: &mut Books) -> Result<Self, SetupError> {
        Ok(match port.kind {
            PortKind::Mbus(_) => Self::Mbus(Box::new(MbusBus::new(port, books)?)),
            PortKind::ModbusRtu(_) | PortKind::ModbusTcp { .. } => {
                Self::Modbus(Box::new(ModbusBus::new(port, books)?))
            }
        })
    }

    pub(crate) fn is_serial(&self) -> bool {
        match self {
            Self::Modbus(bus) => bus.is_serial(),
            Self::Mbus(_) => true,
        }
    }

    /// The meter whose reply is waited for.
    pub(crate) fn asked(&self) -> Option<usize> {
        match self {
            Self::Modbus(bus) => bus.asked(),
            Self::Mbus(bus) => bus.asked(),
        }
    }

    /// What the session of the meter at this place costs.
    pub(crate) fn cost(&self, books: &Books, at: usize) -> Cost {
        match self {
            Self::Modbus(bus) => bus.cost(books, at),
            Self::Mbus(bus) => bus.cost(books, at),
        }
    }

    /// The port was opened.
    pub(crate) fn opened(&mut self, now: MonoNs) {
        match self {
            Self::Modbus(bus) => bus.opened(now),
            Self::Mbus(bus) => bus.opened(now),
        }
    }

    /// The port or connection is gone.
    pub(crate) fn lost(&mut self, books: &mut Books, now: MonoNs) {
        match self {
            Self::Modbus(bus) => bus.lost(books, now),
            Self::Mbus(bus) => bus.lost(books, now),
        }
    }

    /// What the converter of an M-Bus reports of it. No other wire has one.
    pub(crate) fn overload(&mut self, books: &mut Books, now: MonoNs, reported: Held) {
        match self {
            Self::Modbus(_) => {}
            Self::Mbus(bus) => bus.overload(books, now, reported),
        }
    }

    /// Bytes arrived.
    pub(crate) fn received(&mut self, books: &mut Books, now: MonoNs, bytes: &[u8]) {
        match self {
            Self::Modbus(bus) => bus.received(books, now, bytes),
            Self::Mbus(bus) => bus.received(books, now, bytes),
        }
    }

    /// What time alone makes due.
    pub(crate) fn tick(&mut self, books: &mut Books, now: MonoNs) {
        match self {
            Self::Modbus(bus) => bus.tick(books, now),
            Self::Mbus(bus) => bus.tick(books, now),
        }
    }

    /// Asks the next meter, where one may be asked.
    pub(crate) fn serve(&mut self, books: &mut Books, now: MonoNs) {
        match self {
            Self::Modbus(bus) => bus.serve(books, now),
            Self::Mbus(bus) => bus.serve(books, now),
        }
    }

    /// The recorder said which slots of a meter are missing.
    pub(crate) fn missed(
        &mut self,
        books: &mut Books,
        now: MonoNs,
        meter: &MeterId,
        slots: Vec<MissedSlot>,
        others: bool,
    ) {
        match self {
            Self::Modbus(bus) => bus.missed(books, now, meter, slots, others),
            Self::Mbus(bus) => bus.missed(books, now, meter, &slots, others),
        }
    }

    /// When something here is due by itself.
    pub(crate) fn wake_times(&self, books: &Books) -> Vec<Option<MonoNs>> {
        match self {
            Self::Modbus(bus) => bus.wake_times(books),
            Self::Mbus(bus) => bus.wake_times(books),
        }
    }

    /// Something is under way that a stop waits for.
    pub(crate) fn is_busy(&self) -> bool {
        match self {
            Self::Modbus(bus) => bus.asked().is_some(),
            Self::Mbus(bus) => bus.is_busy(),
        }
    }

    /// What the receiver counted, right before the bytes that came with it. A Modbus frame has a check of its own.
    pub(crate) fn line_errors(&mut self, books: &mut Books, now: MonoNs, errors: UartErrors) {
        if let Self::Mbus(bus) = self {
            bus.line_errors(books, now, errors);
        }
    }

    /// Runs of readouts, one behind the other, in which nothing was heard of the meter at this place; `None` where nobody counts them.
    pub(crate) fn runs(&self, at: usize) -> Option<&mbus::Runs> {
        match self {
            Self::Modbus(_) => None,
            Self::Mbus(bus) => bus.runs(at),
        }
    }
}
