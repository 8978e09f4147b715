//! The wire of a port that remote cards are behind: one request at a time, whichever card asks.

use super::turns::{Turn, Turns, Urgency};
use crate::limits::{REMOTE_LOOK_NS, REMOTE_READY_NS_MAX, REMOTE_STALE_READS_MAX};
use contract::Port;
use evidence::{MonoNs, SourceId};
use io_plane::{Asking, Outcome, Unanswered};
use modbus::pdu::Request;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wire::{Listener, Transport, wait};

/// The wires of remote I/O, one for each port; the cards of a process share them.
#[derive(Clone, Debug)]
pub struct Wires {
    clock: fn() -> MonoNs,
    /// Whoever is told what is on the wire of a port.
    listeners: BTreeMap<SourceId, Arc<dyn Listener>>,
    masters: Arc<Mutex<BTreeMap<SourceId, Shared>>>,
}

impl Wires {
    /// None is open yet; `clock` is the monotonic one, and what is on the wire of a port is told to its listener.
    #[must_use]
    pub fn new(clock: fn() -> MonoNs, listeners: BTreeMap<SourceId, Arc<dyn Listener>>) -> Self {
        Self {
            clock,
            listeners,
            masters: Arc::default(),
        }
    }

    /// The wire of a port; `None` of one that does not speak Modbus.
    pub(super) fn of(&self, port: &Port) -> Option<Shared> {
        let mut masters = self.masters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = masters.get(&port.id) {
            return Some(shared.clone());
        }
        let master = Master {
            port: port.clone(),
            clock: self.clock,
            asking: Asking::new(port)?,
            wire: None,
            listener: self.listeners.get(&port.id).cloned(),
        };
        let shared = Shared {
            turns: Arc::new(Turns::new(master, self.clock)),
            clock: self.clock,
            retries: port.retries,
            written: Arc::default(),
        };
        masters.insert(port.id.clone(), shared.clone());
        Some(shared)
    }
}

/// Coils that an opening wrote, each with its level.
pub(super) type Written = BTreeSet<(u32, bool)>;

/// A master that several cards have. Each attempt is a turn of its own, so that a card that repeats holds nobody up
/// for longer than the attempt that goes on; until a late answer cannot come any more, no turn is used.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    turns: Arc<Turns<Master>>,
    clock: fn() -> MonoNs,
    retries: u32,
    /// By unit: what openings wrote since the last one that succeeded.
    written: Arc<Mutex<BTreeMap<u8, Written>>>,
}

impl Shared {
    /// A read, which is repeated as often as the port says.
    pub(super) fn read(&self, unit: u8, request: &Request, urgency: Urgency) -> Outcome {
        let ask = || self.attempt(unit, request, urgency);
        let mut outcome = ask();
        for _ in 0..self.retries {
            if !matches!(outcome, Err(Unanswered::Unknown(_))) {
                break;
            }
            outcome = ask();
        }
        outcome
    }

    /// A write, which is sent once: what nobody answered may have been carried out.
    pub(super) fn write(&self, unit: u8, request: &Request) -> Outcome {
        self.attempt(unit, request, Urgency::Command)
    }

    fn attempt(&self, unit: u8, request: &Request, urgency: Urgency) -> Outcome {
        let mut since = None;
        self.turns.with(urgency, |master| {
            let since = *since.get_or_insert_with(master.clock);
            master.ask(unit, request, since)
        })
    }

    pub(super) fn now(&self) -> MonoNs {
        (self.clock)()
    }

    /// What openings of this unit wrote since the last one that succeeded: looked at, and kept as it is left.
    pub(super) fn written<R>(&self, unit: u8, look: impl FnOnce(&mut Written) -> R) -> R {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        look(written.entry(unit).or_default())
    }
}

#[derive(Debug)]
struct Master {
    port: Port,
    clock: fn() -> MonoNs,
    asking: Asking,
    wire: Option<Transport>,
    listener: Option<Arc<dyn Listener>>,
}

impl Master {
    fn open(&mut self) -> Result<Transport, String> {
        let wire = Transport::open(&self.port, self.listener.as_ref())?;
        self.asking.opened((self.clock)());
        Ok(wire)
    }

    /// One attempt, where the request may leave now; `since` is when its first turn was.
    fn ask(&mut self, unit: u8, request: &Request, since: MonoNs) -> Turn<Outcome> {
        let (wire, ready) = match self.ready(unit, request) {
            Ok(found) => found,
            Err(lost) => return Turn::Over(Err(Unanswered::NotAsked(lost))),
        };
        let now = (self.clock)();
        if ready <= now {
            return Turn::Over(self.exchange(wire, unit, request));
        }
        self.wire = Some(wire);
        if ready.max(now).since(since) > REMOTE_READY_NS_MAX {
            return Turn::Over(Err(Unanswered::NotAsked(
                "not asked: a late answer to an earlier request may still come".to_owned(),
            )));
        }
        // The late answer may come before it is given up.
        Turn::NotBefore(ready.min(now.plus_ns(REMOTE_LOOK_NS)))
    }

    /// The wire, and from when on the request may leave.
    fn ready(&mut self, unit: u8, request: &Request) -> Result<(Transport, MonoNs), String> {
        if let Some(mut wire) = self.wire.take()
            && let Ok(ready) = self.ready_at(&mut wire, unit, request)
        {
            return Ok((wire, ready));
        }
        // Whoever closed a connection on which nothing was asked for long takes a new one.
        let mut wire = self.open()?;
        let ready = self.ready_at(&mut wire, unit, request)?;
        Ok((wire, ready))
    }

    /// Lets go of what nobody waits for any more, and tells from when on the request may leave.
    fn ready_at(
        &mut self,
        wire: &mut Transport,
        unit: u8,
        request: &Request,
    ) -> Result<MonoNs, String> {
        for _ in 0..REMOTE_STALE_READS_MAX {
            if !wait(Some(wire), None, Duration::ZERO).wire {
                break;
            }
            let bytes = wire.receive()?;
            let _ = self.asking.heard(&bytes, (self.clock)());
        }
        let now = (self.clock)();
        let _ = self.asking.tick(now);
        Ok(self.asking.ready_at(unit, request, now))
    }

    /// Sends the request and waits for its answer, at most as long as the port says.
    fn exchange(&mut self, mut wire: Transport, unit: u8, request: &Request) -> Outcome {
        let frame = self.asking.begin(unit, request.clone(), (self.clock)());
        let lost = |detail: String| Unanswered::Unknown(format!("{}: {detail}", self.port.id));
        wire.send(&frame).map_err(lost)?;
        loop {
            let look = self.asking.look_at().unwrap_or(MonoNs(0));
            let left_ns = look.since((self.clock)()).min(REMOTE_LOOK_NS);
            let bytes = match wait(Some(&wire), None, Duration::from_nanos(left_ns)).wire {
                true => wire.receive().map_err(lost)?,
                false => Vec::new(),
            };
            let now = (self.clock)();
            let heard = self.asking.heard(&bytes, now);
            if let Some(outcome) = heard.or_else(|| self.asking.tick(now)) {
                // A connection on which nothing comes may be dead without knowing it.
                let serial = self.port.kind.serial().is_some();
                if serial || !matches!(outcome, Err(Unanswered::Unknown(_))) {
                    self.wire = Some(wire);
                }
                return outcome;
            }
        }
    }
}
