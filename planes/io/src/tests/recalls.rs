//! A meter's memory on a serial line: what is read from it, when, and that nobody waits for it.

use super::world::{ANCHOR, FIRST_SLOT, MS, S};
use crate::{Action, Actions, Input, MissedSlot, PortEngine, SlotClock, Stream};
use contract::{Contract, parse};
use evidence::kinds::{Backfill, Payload};
use evidence::reasons::BackfillOutcome;
use evidence::{CommitId, MonoNs, ScheduleId, Seq, Slot, SourceId, UtcNs};
use modbus::pdu::{ExceptionCode, Registers, Request, Response};
use modbus::rtu::{self, Timing};
use std::collections::BTreeMap;
use std::format;
use std::vec::Vec;

pub(super) const BAUD: u32 = 19_200;
const EVERY_S: u64 = 2;
const MEMORY: u16 = 1_000;
/// What the newest record is of, and when that was due.
const NEWEST: u64 = 900_000;

fn contract(timeout: &str) -> Contract {
    let meter = |unit: u8| {
        format!(
            "[[meter]]\nid = \"m{unit}\"\nport = \"bus\"\nunit = {unit}\nschedule = \"s\"\n\
             memory = \"holding:{MEMORY}\"\nmemory_records = 40\nmemory_width = 4\nmemory_every = \"{EVERY_S}s\"\n\
             [[meter.point]]\nid = \"energy\"\nregister = \"holding:0\"\ntype = \"u32\"\nmemory_offset = 2\n"
        )
    };
    let text = format!(
        "[station]\norigin = \"a/b\"\n[[port]]\nid = \"bus\"\nkind = \"modbus-rtu\"\ndevice = \"/dev/x\"\nbaud = {BAUD}\n\
         timeout = \"{timeout}\"\nlate_reply = \"{timeout}\"\nretries = 0\n\
         [[schedule]]\nid = \"s\"\nevery = \"{EVERY_S}s\"\n{}{}",
        meter(1),
        meter(2)
    );
    parse(&text).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// What becomes of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writes {
    Taken,
    Declined,
    Lost,
}

/// A host of two meters on a line, each with a memory.
pub(super) struct Host {
    engine: PortEngine,
    now: MonoNs,
    agenda: BTreeMap<(MonoNs, u64), Input>,
    order: u64,
    wake: Option<MonoNs>,
    leased: u64,
    /// What the recorder says is missing, of each meter once.
    missing: BTreeMap<evidence::MeterId, Vec<u64>>,
    /// Whether memories answer.
    answers: bool,
    pub(super) writes: Writes,
    pub(super) sent: Vec<(MonoNs, u8, Request)>,
    pub(super) records: Vec<(Option<Seq>, Payload)>,
    asked: usize,
}

impl Host {
    fn new(timeout: &str, missing: &[u64], answers: bool) -> Self {
        Self::of(&contract(timeout), missing, answers)
    }

    pub(super) fn of(contract: &Contract, missing: &[u64], answers: bool) -> Self {
        let port: SourceId = "bus".parse().unwrap();
        let missing = missing.to_vec();
        let of = |meter: &str| (meter.parse().unwrap(), missing.clone());
        let mut host = Self {
            engine: PortEngine::new(contract, &port, CommitId(1)).unwrap(),
            now: MonoNs(0),
            agenda: BTreeMap::new(),
            order: 0,
            wake: None,
            leased: 0,
            missing: [of("m1"), of("m2")].into(),
            answers,
            writes: Writes::Taken,
            sent: Vec::new(),
            records: Vec::new(),
            asked: 0,
        };
        let schedule: ScheduleId = "s".parse().unwrap();
        let clock = SlotClock {
            version: 1,
            number_at_anchor: FIRST_SLOT,
            anchor: ANCHOR,
            every_ns: EVERY_S * S,
        };
        host.at(0, Input::Schedule { schedule, clock });
        host
    }

    pub(super) fn at(&mut self, after_ns: u64, input: Input) {
        self.order += 1;
        let at = self.now.plus_ns(after_ns);
        self.agenda.insert((at, self.order), input);
    }

    pub(super) fn run(mut self, slots: u64) -> Self {
        let end = ANCHOR.plus_ns(slots * EVERY_S * S);
        let mut steps = 0;
        loop {
            let next = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let Some(at) = next
                .into_iter()
                .chain(self.wake)
                .min()
                .filter(|at| *at <= end)
            else {
                return self;
            };
            steps = if at > self.now { 0 } else { steps + 1 };
            assert!(steps < 1_000, "the engine spins at {:?}", self.now);
            self.now = self.now.max(at);
            let input = match next == Some(at) {
                true => self.agenda.pop_first().unwrap().1,
                false => Input::Tick,
            };
            let actions = self.engine.handle(self.now, input);
            self.perform(actions);
        }
    }

    fn perform(&mut self, actions: Actions) {
        self.wake = None;
        for action in actions {
            match action {
                Action::Connect => {
                    let left_out = Vec::new();
                    self.at(MS, Input::LinkUp { left_out });
                }
                Action::Transmit(bytes) => self.transmit(&bytes),
                Action::Emit(batch) => {
                    let records = batch.records.iter();
                    let records = records.map(|one| (batch.seq, one.payload().unwrap()));
                    self.records.extend(records);
                }
                Action::NeedLease { stream } => {
                    let (next, end) = (Seq(self.leased), Seq(self.leased + 500));
                    self.leased += if stream == Stream::Port { 0 } else { 500 };
                    self.at(MS, Input::Lease { stream, next, end });
                }
                Action::NeedMissed { meter } => {
                    self.asked += 1;
                    let slots = self.missing.remove(&meter).unwrap_or_default();
                    let slots = slots.iter().map(|number| MissedSlot {
                        slot: Slot {
                            version: 1,
                            number: *number,
                        },
                        due: UtcNs(i64::try_from(number * EVERY_S * S).unwrap()),
                    });
                    let slots = slots.collect();
                    let others = false;
                    self.at(
                        MS,
                        Input::Missed {
                            meter,
                            slots,
                            others,
                        },
                    );
                }
                Action::WakeAt(at) => self.wake = Some(at),
                Action::Mark(_) | Action::Disconnect | Action::Speed(_) | Action::Stopped => {}
            }
        }
    }

    fn transmit(&mut self, bytes: &[u8]) {
        let frame = rtu::decode(bytes).unwrap();
        let request = Request::decode(frame.pdu).unwrap();
        self.sent.push((self.now, frame.unit, request.clone()));
        if let Request::WriteMultipleRegisters(write) = &request {
            let response = match self.writes {
                Writes::Taken => Response::WriteMultipleRegisters(write.span()),
                Writes::Declined => Response::Exception {
                    function: request.function().code(),
                    code: ExceptionCode::IllegalDataAddress,
                },
                Writes::Lost => return,
            };
            return self.reply(bytes.len(), frame.unit, &response);
        }
        let remembers = request.first() >= MEMORY;
        if remembers && !self.answers {
            return;
        }
        let words: Vec<u16> = match remembers {
            false => (0..request.count()).map(|place| place % 2 * 7).collect(),
            true => (request.first() - MEMORY..request.first() - MEMORY + request.count())
                .map(|register| {
                    let number = NEWEST - u64::from(register / 4);
                    let value = if register % 4 < 2 {
                        number * EVERY_S
                    } else {
                        number
                    };
                    if register % 2 == 0 {
                        u16::try_from(value >> 16).unwrap()
                    } else {
                        u16::try_from(value & 0xFFFF).unwrap()
                    }
                })
                .collect(),
        };
        let response = Response::ReadHoldingRegisters(Registers::from_values(&words).unwrap());
        self.reply(bytes.len(), frame.unit, &response);
    }

    fn reply(&mut self, asked: usize, unit: u8, response: &Response) {
        let reply = rtu::encode(unit, &response.encode());
        let timing = Timing::from_baud(BAUD);
        let after_ns = timing.transfer_ns(asked) + timing.transfer_ns(reply.len()) + MS;
        self.at(after_ns, Input::Received(reply));
    }

    /// When each live request left.
    fn live(&self) -> Vec<(MonoNs, u8)> {
        let live = self
            .sent
            .iter()
            .filter(|(.., request)| request.first() < MEMORY);
        live.map(|(at, unit, _)| (*at, *unit)).collect()
    }

    fn filled(&self) -> Vec<&Backfill> {
        let mut filled = Vec::new();
        for (seq, payload) in &self.records {
            if let Payload::Backfill(one) = payload {
                assert_eq!(*seq, None, "a fill has no number");
                filled.push(one);
            }
        }
        filled
    }
}

//= U3
#[test]
fn missed_slots_are_filled_while_nobody_waits_and_the_live_cycle_is_as_without() {
    let without = Host::new("200ms", &[], true).run(12);
    let missing = [NEWEST - 30, NEWEST - 2, NEWEST - 1, NEWEST - 300];
    let with = Host::new("200ms", &missing, true).run(12);
    assert_eq!(with.live(), without.live());
    assert!(with.live().len() >= 2 * 12);
    let mut slots: Vec<(&str, u64, bool)> = with
        .filled()
        .iter()
        .map(|one| {
            let found = one.outcome == BackfillOutcome::Found;
            if found {
                assert_eq!(one.value.unwrap().mantissa(), i128::from(one.slot.number));
                assert_eq!(
                    one.meter_time_s,
                    Some((one.slot.number * EVERY_S).cast_signed())
                );
            }
            (one.meter_id.as_str(), one.slot.number, found)
        })
        .collect();
    slots.sort_unstable();
    let of = |meter| missing.map(|slot| (meter, slot, slot != NEWEST - 300));
    let mut due: Vec<_> = of("m1").into_iter().chain(of("m2")).collect();
    due.sort_unstable();
    assert_eq!(slots, due);
    // Once more after the first answer, and then no more: nothing was missed since.
    assert_eq!(with.asked, 4);
    assert!(without.filled().is_empty());
}

//= U3
//= A3.7
#[test]
fn a_memory_that_is_silent_costs_no_live_session_anything_and_is_left_alone() {
    let without = Host::new("200ms", &[], true).run(12);
    let with = Host::new("200ms", &[NEWEST - 1], false).run(12);
    assert_eq!(with.live(), without.live());
    let tried = with.sent.len() - with.live().len();
    assert_eq!(tried, 2, "each once, then a pause");
    let failed =
        |(_, payload): &&(Option<Seq>, Payload)| matches!(payload, Payload::AttemptFailed(_));
    assert_eq!(with.records.iter().filter(failed).count(), 0);
}

//= U3
#[test]
fn where_a_request_could_outlast_the_time_to_the_next_slot_none_is_sent() {
    let with = Host::new("1s", &[NEWEST - 1], true).run(12);
    assert_eq!(with.sent.len(), with.live().len());
    assert!(with.live().len() >= 2 * 12);
}
