//! The wire of a port that remote cards are behind: one request at a time, whichever card asks.

use super::turns::{Turns, Urgency};
use crate::limits::{REMOTE_LOOK_UP, REMOTE_READY_NS_MAX};
use contract::Port;
use evidence::{MonoNs, SourceId};
use io_plane::{Asking, Outcome, Unanswered};
use modbus::pdu::Request;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wire::{Transport, wait};

/// The wires of remote I/O, one for each port; the cards of a process share them.
#[derive(Clone, Debug)]
pub struct Wires {
    clock: fn() -> MonoNs,
    masters: Arc<Mutex<BTreeMap<SourceId, Shared>>>,
}

impl Wires {
    /// None is open yet; `clock` is the monotonic one.
    #[must_use]
    pub fn new(clock: fn() -> MonoNs) -> Self {
        Self {
            clock,
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
            unsettled: BTreeMap::new(),
        };
        let shared = Shared {
            turns: Arc::new(Turns::new(master)),
            clock: self.clock,
            retries: port.retries,
        };
        masters.insert(port.id.clone(), shared.clone());
        Some(shared)
    }
}

/// Coils that an opening wrote, each with its level.
pub(super) type Written = BTreeSet<(u32, bool)>;

/// A master that several cards have. Each attempt is a turn of its own, so that a card that repeats holds nobody up
/// for longer than the attempt that goes on.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    turns: Arc<Turns<Master>>,
    clock: fn() -> MonoNs,
    retries: u32,
}

impl Shared {
    /// A read, which is repeated as often as the port says.
    pub(super) fn read(&self, unit: u8, request: &Request, urgency: Urgency) -> Outcome {
        let ask = || self.turns.with(urgency, |master| master.ask(unit, request));
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
        self.turns
            .with(Urgency::Command, |master| master.ask(unit, request))
    }

    pub(super) fn now(&self) -> MonoNs {
        (self.clock)()
    }

    /// What openings of this unit wrote since the last one that succeeded.
    pub(super) fn unsettled(&self, unit: u8) -> Written {
        self.turns.with(Urgency::Command, |master| {
            master.unsettled.get(&unit).cloned().unwrap_or_default()
        })
    }

    /// Keeps that for the next opening; nothing where one has succeeded.
    pub(super) fn settle(&self, unit: u8, written: Written) {
        self.turns.with(Urgency::Command, |master| {
            master.unsettled.insert(unit, written);
        });
    }
}

#[derive(Debug)]
struct Master {
    port: Port,
    clock: fn() -> MonoNs,
    asking: Asking,
    wire: Option<Transport>,
    /// By unit: what was written by openings of which none has succeeded yet.
    unsettled: BTreeMap<u8, Written>,
}

impl Master {
    fn ask(&mut self, unit: u8, request: &Request) -> Outcome {
        let opened = match self.wire.take() {
            Some(wire) => Ok(wire),
            None => Transport::open(&self.port).inspect(|_| self.asking.opened((self.clock)())),
        };
        let mut wire = opened.map_err(Unanswered::Refused)?;
        self.make_ready(&mut wire, unit, request)?;
        let frame = self.asking.begin(unit, request.clone(), (self.clock)());
        let lost = |detail: String| Unanswered::Unknown(format!("{}: {detail}", self.port.id));
        wire.send(&frame).map_err(lost)?;
        loop {
            let look = self.asking.look_at().unwrap_or(MonoNs(0));
            let left = Duration::from_nanos(look.since((self.clock)()));
            let bytes = match wait(Some(&wire), None, left.min(REMOTE_LOOK_UP)).wire {
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

    /// Waits until the request may leave, and lets go of what nobody waits for any more.
    fn make_ready(
        &mut self,
        wire: &mut Transport,
        unit: u8,
        request: &Request,
    ) -> Result<(), Unanswered> {
        let began = (self.clock)();
        loop {
            let lost = Unanswered::Refused;
            while wait(Some(wire), None, Duration::ZERO).wire {
                let bytes = wire.receive().map_err(lost)?;
                let _ = self.asking.heard(&bytes, (self.clock)());
                if (self.clock)().since(began) > REMOTE_READY_NS_MAX {
                    break;
                }
            }
            let now = (self.clock)();
            let _ = self.asking.tick(now);
            let ready = self.asking.ready_at(unit, request, now);
            if ready <= now {
                return Ok(());
            }
            if ready.since(began) > REMOTE_READY_NS_MAX || now.since(began) > REMOTE_READY_NS_MAX {
                return Err(Unanswered::Refused(
                    "not asked: a late answer to an earlier request may still come".to_owned(),
                ));
            }
            let left = Duration::from_nanos(ready.since(now));
            let _ = wait(Some(wire), None, left.min(REMOTE_LOOK_UP));
        }
    }
}
