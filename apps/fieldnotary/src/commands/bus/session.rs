//! One slot of a port, driven by hand: the engine of the node, with nothing but this process around it.

use crate::clock;
use contract::{Contract, Port, Schedule};
use evidence::kinds::Payload;
use evidence::{CommitId, MonoNs, ScheduleId, Seq, SourceId};
use io_plane::{Action, Input, PortEngine, SlotClock, Stream};
use std::time::Duration;
use wire::{Transport, wait};

/// Numbers that are granted at once: more than a session takes.
const GRANTED: u64 = 1_024;
/// Longest wait, so that progress is told.
const LOOK_UP: Duration = Duration::from_millis(100);
/// The slot is the only one there is.
const EVERY_MS: u64 = 86_400_000;

/// What was on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Nanoseconds since the first request.
    pub(super) at_ns: u64,
    pub(super) sent: bool,
    pub(super) bytes: Vec<u8>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) frames: Vec<Frame>,
    /// Readings, failed attempts and events, as a node would commit them.
    pub(super) records: Vec<Payload>,
}

/// The contract with these meters alone, all of one schedule, which is due once.
pub(super) fn once(
    contract: &Contract,
    port: Port,
    meters: impl IntoIterator<Item = contract::Meter>,
) -> Result<Contract, String> {
    let schedule: ScheduleId = "once".parse().map_err(|error| format!("{error}"))?;
    let meters = meters.into_iter().map(|meter| contract::Meter {
        schedule: schedule.clone(),
        ..meter
    });
    Ok(Contract {
        meters: meters.map(|meter| (meter.id.clone(), meter)).collect(),
        ports: [(port.id.clone(), port)].into(),
        schedules: [(
            schedule.clone(),
            Schedule {
                id: schedule,
                every_ms: EVERY_MS,
                offset_ms: 0,
            },
        )]
        .into(),
        ..contract.clone()
    })
}

/// Serves each meter of the contract once. `done` hears how many have been.
///
/// # Errors
/// Why the port cannot be opened.
pub(super) fn run(
    contract: &Contract,
    port: &SourceId,
    done: impl FnMut(usize),
) -> Result<Outcome, String> {
    let engine = PortEngine::new(contract, port, CommitId(0)).map_err(|error| error.to_string())?;
    let place = contract.ports.get(port).ok_or("there is no such port")?;
    let mut driver = Driver {
        port: place,
        engine,
        wire: None,
        began: None,
        wake_at: MonoNs(0),
        refused: None,
        ended: 0,
        stopped: false,
        outcome: Outcome::default(),
    };
    driver.serve(contract.meters.len(), done);
    match driver.refused {
        Some(why) => Err(why),
        None => Ok(driver.outcome),
    }
}

struct Driver<'c> {
    port: &'c Port,
    engine: PortEngine,
    wire: Option<Transport>,
    began: Option<MonoNs>,
    wake_at: MonoNs,
    refused: Option<String>,
    /// Meters whose session has ended.
    ended: usize,
    stopped: bool,
    outcome: Outcome,
}

impl Driver<'_> {
    fn serve(&mut self, meters: usize, mut done: impl FnMut(usize)) {
        for schedule in self.engine.schedules() {
            let clock = SlotClock {
                version: 1,
                number_at_anchor: 1,
                anchor: clock::mono(),
                every_ns: EVERY_MS * 1_000_000,
            };
            self.feed(Input::Schedule { schedule, clock });
        }
        let mut told = false;
        while !self.stopped {
            if !told && (self.ended >= meters || self.refused.is_some()) {
                told = true;
                self.feed(Input::Stop);
                continue;
            }
            if clock::mono() >= self.wake_at {
                self.feed(Input::Tick);
            }
            let left = Duration::from_nanos(self.wake_at.since(clock::mono()));
            if wait(self.wire.as_ref(), None, left.min(LOOK_UP)).wire {
                self.receive();
            }
            done(self.ended);
        }
    }

    fn receive(&mut self) {
        let Some(wire) = &mut self.wire else { return };
        let input = match wire.receive() {
            Ok(bytes) => {
                self.heard(&bytes);
                Input::Received(bytes)
            }
            Err(detail) => {
                self.wire = None;
                Input::LinkLost { detail }
            }
        };
        self.feed(input);
    }

    /// Bytes that follow one another without a request between are shown as one frame.
    fn heard(&mut self, bytes: &[u8]) {
        let at_ns = self.elapsed_ns();
        match self.outcome.frames.last_mut().filter(|last| !last.sent) {
            Some(last) => last.bytes.extend_from_slice(bytes),
            None => self.outcome.frames.push(Frame {
                at_ns,
                sent: false,
                bytes: bytes.to_vec(),
            }),
        }
    }

    fn elapsed_ns(&mut self) -> u64 {
        let now = clock::mono();
        now.since(*self.began.get_or_insert(now))
    }

    fn feed(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for action in self.engine.handle(clock::mono(), input) {
                inputs.extend(self.perform(action));
            }
        }
    }

    fn perform(&mut self, action: Action) -> Option<Input> {
        match action {
            Action::Connect => return Some(self.connect()),
            Action::Disconnect => self.wire = None,
            Action::Mark(_) => {}
            Action::Transmit(bytes) => {
                let at_ns = self.elapsed_ns();
                let sent = self.wire.as_mut().map(|wire| wire.send(&bytes));
                self.outcome.frames.push(Frame {
                    at_ns,
                    sent: true,
                    bytes,
                });
                if let Some(Err(detail)) = sent {
                    self.wire = None;
                    return Some(Input::LinkLost { detail });
                }
            }
            Action::Speed(baud) => {
                let set = self.wire.as_mut().map(|wire| wire.set_speed(baud));
                if let Some(Err(detail)) = set {
                    self.wire = None;
                    return Some(Input::LinkLost { detail });
                }
            }
            Action::Emit(batch) => {
                let of_meter = matches!(batch.stream, Stream::Meter(_));
                self.ended += usize::from(of_meter && batch.seq.is_some());
                let records = batch.records.iter();
                let records = records.filter_map(|record| record.payload().ok());
                self.outcome.records.extend(records);
            }
            Action::NeedLease { stream } => {
                return Some(Input::Lease {
                    stream,
                    next: Seq(0),
                    end: Seq(GRANTED),
                });
            }
            // What one session shows has no log behind it.
            Action::NeedMissed { .. } => {}
            Action::WakeAt(at) => self.wake_at = at,
            Action::Stopped => self.stopped = true,
        }
        None
    }

    fn connect(&mut self) -> Input {
        match Transport::open(self.port, None) {
            Ok(wire) => {
                let left_out = wire.left_out().to_vec();
                self.wire = Some(wire);
                Input::LinkUp { left_out }
            }
            Err(detail) => {
                self.refused = Some(detail.clone());
                Input::LinkRefused { detail }
            }
        }
    }
}
