//! A station's own points, each in the form in which a node reads it without hardware.

mod course;
mod inputs;
mod layout;
mod log;
mod modem;
mod remote;
mod shown;
mod supply;
mod wave;

pub(crate) use course::AnalogKind;
pub(crate) use layout::{Input, Layout, parse};
pub(crate) use modem::ModemKind;
pub(crate) use remote::OFFLINE;
pub(crate) use shown::{Shown, words};
pub(crate) use supply::SupplyKind;
pub(crate) use wave::{InputKind, Width};

use crate::Stop;
use crate::clock::after;
use crate::log::Log;
use inputs::Inputs;
use modbus::pdu::Response;
use modem::Modems;
use remote::Remote;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;
use supply::Supplies;

/// The recording that plays the inputs.
const INPUTS_FILE: &str = "inputs.txt";
/// Streams of draws of points begin here, apart from those of meters and lines.
const STREAMS: u64 = 1 << 40;

/// A fault of one point.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ordered<K> {
    /// Index into the list of its interface in [`Layout`].
    pub(crate) place: usize,
    pub(crate) kind: K,
    /// Counted from readiness.
    pub(crate) from: Duration,
    /// `None`: for good.
    pub(crate) until: Option<Duration>,
}

/// From when to when a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    from_ns: u64,
    until_ns: u64,
}

impl Span {
    fn of<K>(fault: &Ordered<K>, ready_ns: u64) -> Self {
        Self {
            from_ns: after(ready_ns, fault.from),
            until_ns: fault.until.map_or(u64::MAX, |until| after(ready_ns, until)),
        }
    }

    fn lasts(&self, at_ns: u64) -> bool {
        (self.from_ns..self.until_ns).contains(&at_ns)
    }
}

/// Faults of points, each list in the order of the plan.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) inputs: Vec<Ordered<InputKind>>,
    pub(crate) analogs: Vec<Ordered<AnalogKind>>,
    /// Devices that are offline.
    pub(crate) devices: Vec<Ordered<()>>,
    pub(crate) supplies: Vec<Ordered<SupplyKind>>,
    pub(crate) modems: Vec<Ordered<ModemKind>>,
}

impl Faults {
    /// How many there are; a marker belongs to the fault that it marks.
    pub(crate) fn len(&self) -> usize {
        let inputs = self
            .inputs
            .iter()
            .filter(|fault| !matches!(fault.kind, InputKind::Held(_)));
        let others = self.analogs.len() + self.devices.len() + self.supplies.len();
        inputs.count() + others + self.modems.len()
    }
}

/// The points of a street.
#[derive(Debug)]
pub(crate) struct Points {
    inputs: Inputs,
    remote: Remote,
    supplies: Supplies,
    modems: Modems,
}

impl Points {
    /// Makes what nodes open. Everything is drawn from `seed` and counts from `ready_ns`.
    pub(crate) fn open(
        dir: &Path,
        layout: &Layout,
        faults: &Faults,
        seed: u64,
        ready_ns: u64,
    ) -> Result<Self, Stop> {
        Ok(Self {
            inputs: Inputs::create(dir, layout, &faults.inputs, seed, ready_ns)?,
            remote: Remote::new(layout, faults, seed, ready_ns),
            supplies: Supplies::create(dir, &layout.supplies, &faults.supplies, ready_ns)?,
            modems: Modems::open(&layout.modems, &faults.modems, seed, ready_ns)?,
        })
    }

    /// When there is something to do.
    pub(crate) fn next_due_ns(&self) -> Option<u64> {
        let inputs = self.inputs.next_due_ns().into_iter();
        inputs.chain(self.supplies.next_due_ns()).min()
    }

    /// Does what is due.
    pub(crate) fn act(&mut self, now_ns: u64, log: &mut Log) -> Result<(), Stop> {
        self.inputs.act(now_ns, &mut self.remote, log)?;
        self.supplies.act(now_ns, log)?;
        self.modems.act(log)
    }

    /// Where each modem is asked, in the order of the layout.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.modems.addresses()
    }

    /// What wakes the street beside its own times: questions to modems.
    pub(crate) fn fds(&self) -> Vec<BorrowedFd<'_>> {
        self.modems.fds()
    }

    /// What a device answers to a request; nothing where it is offline, or of something that is no request.
    pub(crate) fn answer(
        &mut self,
        device: usize,
        pdu: &[u8],
        at_ns: u64,
        log: &mut Log,
    ) -> Result<Option<Response>, Stop> {
        self.remote.answer(device, pdu, at_ns, log)
    }
}
