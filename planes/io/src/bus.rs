//! What is spoken on a port: the books are the same for all, the wire is not.

mod course;
mod modbus;

pub(crate) use modbus::Flight;

use crate::SetupError;
use crate::books::Books;
use alloc::vec::Vec;
use contract::Port;
use evidence::MonoNs;
use modbus::ModbusBus;

/// The wire of a port and whoever masters it.
#[derive(Debug)]
pub(crate) enum Bus {
    Modbus(ModbusBus),
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
        ModbusBus::new(port, books).map(Self::Modbus)
    }

    pub(crate) fn is_serial(&self) -> bool {
        let Self::Modbus(bus) = self;
        bus.is_serial()
    }

    /// The meter whose reply is waited for.
    pub(crate) fn asked(&self) -> Option<usize> {
        let Self::Modbus(bus) = self;
        bus.asked()
    }

    /// What the session of the meter at this place costs.
    pub(crate) fn cost(&self, books: &Books, at: usize) -> Cost {
        let Self::Modbus(bus) = self;
        bus.cost(books, at)
    }

    /// The port was opened.
    pub(crate) fn opened(&mut self, now: MonoNs) {
        let Self::Modbus(bus) = self;
        bus.opened(now);
    }

    /// The port or connection is gone.
    pub(crate) fn lost(&mut self, books: &mut Books, now: MonoNs) {
        let Self::Modbus(bus) = self;
        bus.lost(books, now);
    }

    /// Bytes arrived.
    pub(crate) fn received(&mut self, books: &mut Books, now: MonoNs, bytes: &[u8]) {
        let Self::Modbus(bus) = self;
        bus.received(books, now, bytes);
    }

    /// What time alone makes due.
    pub(crate) fn tick(&mut self, books: &mut Books, now: MonoNs) {
        let Self::Modbus(bus) = self;
        bus.tick(books, now);
    }

    /// Asks the next meter, where one may be asked.
    pub(crate) fn serve(&mut self, books: &mut Books, now: MonoNs) {
        let Self::Modbus(bus) = self;
        bus.serve(books, now);
    }

    /// When something here is due by itself.
    pub(crate) fn wake_times(&self, books: &Books) -> Vec<Option<MonoNs>> {
        let Self::Modbus(bus) = self;
        bus.wake_times(books)
    }
}
