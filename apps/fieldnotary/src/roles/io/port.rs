//! Drives the engine of one port: bytes, time and leases in, requests and records out.

use super::Place;
use super::board::Board;
use super::keeper::Progress;
use super::orders::{About, Orders};
use super::outbox::{News, Outbox, PORT_ITEMS_MAX};
use super::session::{self, Delivery};
use super::work::Watch;
use crate::clock;
use crate::roles::link::RecorderLink;
use contract::{Condition, Contract};
use evidence::{MonoNs, SourceId};
use io_plane::outputs::Held;
use io_plane::{Action, Input, Mark, PortEngine};
use media::{MarkerBoard, Times};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wire::{Listener, Transport, wait};

/// Longest wait, so that a stop is noticed.
const LOOK_UP: Duration = Duration::from_millis(100);

/// Captures on one port until it is told to stop.
pub(super) fn run(
    place: &Place<'_>,
    tap: &Arc<dyn Listener>,
    board: &Board,
    progress: Progress,
) -> Result<(), String> {
    let Place {
        contract,
        data,
        id,
        stop,
        work,
    } = *place;
    let (bell, ringer) = session::bell(id)?;
    // The last records are delivered after the stop, so the link has a stop of its own.
    let give_up = Arc::new(AtomicBool::new(false));
    let mut link = RecorderLink::for_port(&data.recorder_socket(), id, &give_up);
    let Some(welcome) = session::welcome(&mut link, stop, &give_up) else {
        return Ok(());
    };
    let Some(work) = work.of(id, stop) else {
        return Ok(());
    };
    let engine = PortEngine::new(contract, id, welcome.contract)
        .map_err(|error| format!("port {id}: {error}"))?;
    let meters: Vec<_> = contract
        .meters
        .values()
        .filter(|meter| meter.port == *id)
        .map(|meter| meter.id.clone())
        .collect();
    let (marks, _, findings) = MarkerBoard::open(&data.markers(), id, clock::boot_id(), &meters)
        .map_err(|error| format!("port {id}: the poll marker board: {error}"))?;
    for finding in findings {
        eprintln!("io: {id}: the poll marker board: {finding:?}");
    }
    let outbox = Outbox::new(ringer, PORT_ITEMS_MAX);
    let overload = contract.ports.get(id).and_then(|port| port.kind.overload());
    if overload.is_some() {
        board.watch(id, &outbox);
    }
    let mut driver = Driver {
        id,
        contract,
        engine,
        marks,
        board,
        overload,
        reported: Held::Unknown,
        outbox: Arc::clone(&outbox),
        bell,
        wire: None,
        wake_at: MonoNs(0),
        stopped: false,
        progress,
        work,
        tap,
    };
    driver.number_slots(&mut link)?;
    let mut meters = contract.meters.values();
    let is_set = meters.any(|meter| meter.port == *id && meter.clock_setting.is_some());
    let orders = is_set.then(|| Orders::begin(&data.recorder_socket(), About::Clocks, id, &outbox));
    let delivery = Delivery::begin(outbox, link, id, give_up);
    driver.drive(stop);
    driver.outbox.close();
    let delivered = delivery.end();
    orders.map_or(Ok(()), Orders::end)?;
    delivered
}

struct Driver<'a> {
    id: &'a SourceId,
    contract: &'a Contract,
    engine: PortEngine,
    marks: MarkerBoard,
    /// What the points of the station say.
    board: &'a Board,
    /// Holds while the level converter reports an overload.
    overload: Option<&'a Condition>,
    reported: Held,
    outbox: Arc<Outbox>,
    bell: UnixStream,
    wire: Option<Transport>,
    wake_at: MonoNs,
    stopped: bool,
    progress: Progress,
    work: Watch,
    tap: &'a Arc<dyn Listener>,
}

/// Also where the work ended by a fault: what is in the queue is delivered, and no more comes.
impl Drop for Driver<'_> {
    fn drop(&mut self) {
        self.outbox.close();
        self.board.gone(self.id);
    }
}

impl Driver<'_> {
    /// Learns from the recorder where the slots of every schedule stand.
    fn number_slots(&mut self, link: &mut RecorderLink) -> Result<(), String> {
        let schedules: Vec<_> = self.engine.schedules().into_iter().collect();
        for schedule in schedules {
            let clock = session::slots(link, self.contract, self.id, &schedule)?;
            let Some(clock) = clock else { return Ok(()) };
            self.feed(Input::Schedule { schedule, clock });
        }
        Ok(())
    }

    fn drive(&mut self, stop: &AtomicBool) {
        let mut told = false;
        while !self.stopped {
            self.progress.made();
            if stop.load(Ordering::Relaxed) && !told {
                told = true;
                self.feed(Input::Stop);
                continue;
            }
            if let Some(work) = self.work.news() {
                self.feed(Input::Work(work));
            }
            self.look_at_overload();
            let now = clock::mono();
            self.look_at_uart();
            if now >= self.wake_at {
                // Where this process was held up, bytes may lie ready that came in time: they are heard before a silence is judged.
                if wait(self.wire.as_ref(), None, Duration::ZERO).wire {
                    self.receive();
                }
                self.feed(Input::Tick);
            }
            let left = Duration::from_nanos(self.wake_at.since(clock::mono()));
            let ready = wait(self.wire.as_ref(), Some(&self.bell), left.min(LOOK_UP));
            if ready.bell {
                self.take_news();
            }
            if ready.wire {
                self.receive();
            }
        }
    }

    fn take_news(&mut self) {
        for news in self.outbox.answered(&self.bell) {
            self.feed(match news {
                News::Full(full) => Input::QueueFull(full),
                News::Missed {
                    meter,
                    slots,
                    others,
                } => Input::Missed {
                    meter,
                    slots,
                    others,
                },
                News::Leased { stream, next, end } => Input::Lease { stream, next, end },
                News::Clock(asked) => Input::Clock(asked),
                // A port has no outputs.
                News::Asked(_) => continue,
            });
        }
    }

    fn receive(&mut self) {
        let Some(wire) = &mut self.wire else { return };
        let received = wire.receive();
        // Before the bytes: with them the request may be over, to whose meter the errors belong.
        self.look_at_uart();
        let input = match received {
            Ok(bytes) => Input::Received(bytes),
            Err(detail) => {
                self.wire = None;
                Input::LinkLost { detail }
            }
        };
        self.feed(input);
    }

    /// What the converter reports by now, where an input of the station tells.
    fn look_at_overload(&mut self) {
        let Some(condition) = self.overload else {
            return;
        };
        let reported = self
            .board
            .one(&condition.point, clock::mono())
            .held(condition);
        if reported != self.reported {
            self.reported = reported;
            self.feed(Input::Overload(reported));
        }
    }

    /// What the UART counted, if it counts and there is something new.
    fn look_at_uart(&mut self) {
        if let Some(errors) = self.wire.as_mut().and_then(Transport::uart) {
            self.feed(Input::Uart(errors));
        }
    }

    /// Gives the engine an input and does what it wants, and what follows from that.
    fn feed(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for action in self.engine.handle(clock::mono(), input) {
                if let Some(consequence) = self.perform(action) {
                    inputs.push(consequence);
                }
            }
        }
    }

    fn perform(&mut self, action: Action) -> Option<Input> {
        match action {
            Action::Connect => return Some(self.connect()),
            Action::Disconnect => self.wire = None,
            Action::Mark(mark) => self.mark(&mark),
            Action::Transmit(bytes) => {
                let outcome = self.wire.as_mut().map(|wire| wire.send(&bytes));
                if let Some(Err(detail)) = outcome {
                    self.wire = None;
                    return Some(Input::LinkLost { detail });
                }
            }
            Action::Speed(baud) => {
                let outcome = self.wire.as_mut().map(|wire| wire.set_speed(baud));
                if let Some(Err(detail)) = outcome {
                    self.wire = None;
                    return Some(Input::LinkLost { detail });
                }
            }
            Action::Emit(batch) => self.outbox.put_batch(self.id, batch),
            Action::NeedLease { stream } => self.outbox.put_lease(self.id, stream),
            Action::NeedMissed { meter } => self.outbox.put_missed(meter),
            Action::WakeAt(at) => self.wake_at = at,
            Action::Stopped => self.stopped = true,
        }
        None
    }

    fn connect(&mut self) -> Input {
        let Some(port) = self.contract.ports.get(self.id) else {
            return Input::LinkRefused {
                detail: "the contract has no such port".to_owned(),
            };
        };
        match Transport::open(port, Some(self.tap)) {
            Ok(wire) => {
                let left_out = wire.left_out().to_vec();
                self.wire = Some(wire);
                Input::LinkUp { left_out }
            }
            Err(detail) => Input::LinkRefused { detail },
        }
    }

    fn mark(&mut self, mark: &Mark) {
        let written = match mark.reply_at {
            None => {
                let times = Times {
                    seq: mark.seq,
                    at: mark.attempt_at,
                };
                self.marks.attempt(&mark.meter, times, Some(mark.slot))
            }
            Some(at) => self.marks.reply(&mark.meter, Times { seq: mark.seq, at }),
        };
        if let Err(error) = written {
            eprintln!("io: {}: the poll marker board: {error}", self.id);
        }
    }
}
