//! When a port hands in what: the sessions of its meters, one after another, and heartbeats; the same of cards.

use super::entries::{self, Sizes};
use super::seldom::Seldom;
use contract::{Card, Contract, Meter, Point, Port, PortKind};
use io_plane::limits::{COUNTERS_EVERY_NS, COUNTERS_FIRST_NS, HEARTBEAT_NS, SETTLE_NS};
use io_plane::{Gaps, Plan};
use std::rc::Rc;

/// Bits of a byte on a serial line: start, data, parity or second stop, stop.
const BITS_A_BYTE: u64 = 11;
/// Bytes of an RTU request, and of a response beside its registers.
const REQUEST_BYTES: u64 = 8;
const RESPONSE_BYTES: u64 = 5;
/// Bytes of an M-Bus readout beside its records: initialisation, acknowledgement, request, frame and header.
const MBUS_BYTES: u64 = 32;
/// Bytes of a data record, as most count with.
const MBUS_RECORD_BYTES: u64 = 6;
/// Heartbeats come no more often than this.
const HEARTBEAT_MS: u64 = HEARTBEAT_NS / NS_A_MS;
const US_A_MS: u64 = 1_000;
const NS_A_MS: u64 = 1_000_000;
const NS_A_US: u64 = 1_000;

/// Entries that are handed in together, by their bytes.
pub(super) type Lengths = Rc<[usize]>;

/// What one port hands in, in order.
#[derive(Debug, Default)]
pub(super) struct PortTraffic {
    /// When, in microseconds, and what.
    pub(super) submissions: Vec<(u64, Lengths)>,
    /// Slots that pass before the port has time for them.
    pub(super) overruns: u64,
    /// Sessions of its meters.
    pub(super) sessions: u64,
    /// Numbers that it uses up.
    pub(super) numbers: u64,
}

/// How one meter's session goes.
struct Session {
    lengths: Lengths,
    span_us: u64,
}

/// What comes seldom: each of them handed in alone.
pub(super) fn of_seldom(all: &[Seldom], horizon_ms: u64) -> PortTraffic {
    let mut submissions: Vec<(u64, Lengths)> = Vec::new();
    for one in all {
        let lengths: Lengths = Rc::new([one.bytes]);
        let due = one.within(horizon_ms).into_iter();
        submissions.extend(due.map(|ms| (ms * US_A_MS, Rc::clone(&lengths))));
    }
    submissions.sort_by_key(|(at, _)| *at);
    PortTraffic {
        submissions,
        ..PortTraffic::default()
    }
}

/// Everything that a port hands in within a horizon.
pub(super) fn of_port(
    contract: &Contract,
    port: &Port,
    sizes: &Sizes,
    reply_ms: u64,
    horizon_ms: u64,
) -> PortTraffic {
    let mut traffic = PortTraffic::default();
    let mut due: Vec<(u64, u64, Rc<Vec<Session>>)> = Vec::new();
    for schedule in contract.schedules.values() {
        let here = |meter: &&Meter| meter.port == port.id && meter.schedule == schedule.id;
        let meters = contract.meters.values().filter(here);
        let sessions = meters.map(|meter| session(meter, port, schedule.every_ms, reply_ms));
        let sessions: Rc<Vec<Session>> = Rc::new(sessions.collect());
        if sessions.is_empty() {
            continue;
        }
        let every = schedule.every_ms.max(1);
        let slots = horizon_ms.div_ceil(every);
        let first = schedule.offset_ms % every;
        let at = |slot: u64| (slot * every + first, every, Rc::clone(&sessions));
        due.extend((0..slots).map(at));
    }
    due.sort_by_key(|(at_ms, every, _)| (*at_ms, *every));
    let counters = entries::port_counters(contract, &port.id);
    let counters: Vec<Lengths> = counters.into_iter().map(|one| Rc::from([one])).collect();
    let mut told_ms = COUNTERS_FIRST_NS / NS_A_MS;
    let beat: Lengths = Rc::from([sizes.heartbeat].as_slice());
    let (mut free_us, mut next_beat_ms) = (0u64, HEARTBEAT_MS);
    for (at_ms, every, sessions) in due {
        let (at_us, passed_us) = (at_ms * US_A_MS, (at_ms + every) * US_A_MS);
        if at_ms >= next_beat_ms {
            next_beat_ms = at_ms + HEARTBEAT_MS;
            traffic
                .submissions
                .push((at_us.max(free_us), Rc::clone(&beat)));
        }
        if at_ms >= told_ms {
            told_ms += COUNTERS_EVERY_NS / NS_A_MS;
            let told = counters
                .iter()
                .map(|one| (at_us.max(free_us), Rc::clone(one)));
            traffic.submissions.extend(told);
        }
        for session in sessions.iter() {
            let begin = free_us.max(at_us);
            if begin >= passed_us {
                traffic.overruns += 1;
                continue;
            }
            free_us = begin + session.span_us;
            traffic.sessions += 1;
            traffic.numbers += 1;
            let lengths = Rc::clone(&session.lengths);
            traffic.submissions.push((free_us, lengths));
        }
    }
    traffic
}

/// Everything that a card hands in within a horizon: what is due on its slots. What its inputs do beside that, and
/// values that move beyond their deadband, no configuration tells.
pub(super) fn of_card(
    contract: &Contract,
    card: &Card,
    sizes: &Sizes,
    horizon_ms: u64,
) -> PortTraffic {
    let mut traffic = PortTraffic::default();
    let beat: Lengths = Rc::from([sizes.heartbeat].as_slice());
    for schedule in contract.schedules.values() {
        let lengths = entries::card_slot(contract, &card.id, schedule);
        if lengths.is_empty() {
            continue;
        }
        let (every, mut next_beat_ms) = (schedule.every_ms.max(1), 0);
        let (numbers, lengths): (u64, Lengths) = (lengths.len() as u64, lengths.into());
        for slot in 0..horizon_ms.div_ceil(every) {
            let at_ms = slot * every + schedule.offset_ms % every;
            if at_ms >= next_beat_ms {
                next_beat_ms = at_ms + HEARTBEAT_MS;
                traffic
                    .submissions
                    .push((at_ms * US_A_MS, Rc::clone(&beat)));
            }
            traffic.numbers += numbers;
            let settled_us = at_ms * US_A_MS + SETTLE_NS / NS_A_US;
            traffic.submissions.push((settled_us, Rc::clone(&lengths)));
        }
    }
    let counters = entries::card_counters(contract, &card.id);
    let mut told_ms = COUNTERS_FIRST_NS / NS_A_MS;
    while told_ms < horizon_ms {
        let told = counters
            .iter()
            .map(|one| (told_ms * US_A_MS, Rc::from([*one])));
        traffic.submissions.extend(told);
        told_ms += COUNTERS_EVERY_NS / NS_A_MS;
    }
    traffic.submissions.sort_by_key(|(at_us, _)| *at_us);
    traffic
}

fn session(meter: &Meter, port: &Port, every_ms: u64, reply_ms: u64) -> Session {
    let (baud, turnaround_ms) = match &port.kind {
        PortKind::ModbusRtu(line) => (Some(line.baud), line.turnaround_ms),
        PortKind::Mbus(line) => (Some(line.baud()), 0),
        PortKind::ModbusTcp { .. } => (None, 0),
    };
    let wire = |bytes: u64| {
        baud.map_or(0, |baud| {
            let bits = bytes * BITS_A_BYTE;
            bits * 1_000_000 / u64::from(baud.max(1)) + turnaround_ms * US_A_MS
        })
    };
    let span_us = match port.kind {
        PortKind::Mbus(_) => {
            let records = MBUS_RECORD_BYTES * meter.points.len() as u64;
            reply_ms * US_A_MS + wire(MBUS_BYTES + records)
        }
        PortKind::ModbusRtu(_) | PortKind::ModbusTcp { .. } => {
            let plan = Plan::new(&meter.points, Gaps::Bridged).unwrap_or_default();
            let spans = plan.reads.iter().map(|read| {
                let points = read.points.iter().filter_map(|at| meter.points.get(*at));
                let registers = points.filter_map(Point::register);
                let data: u64 = registers.map(|one| u64::from(one.width()) * 2).sum();
                reply_ms * US_A_MS + wire(REQUEST_BYTES + RESPONSE_BYTES + data)
            });
            spans.sum()
        }
    };
    Session {
        span_us,
        lengths: entries::session(meter, every_ms).into(),
    }
}
