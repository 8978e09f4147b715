//! A port with its meters, whatever is heard on it and whenever: numbers come in order, an order to set a clock has one outcome, nothing
//! spins, and a stop ends.
#![no_main]

use contract::Contract;
use evidence::kinds::{ClockOrder, Payload};
use evidence::reasons::{OffsetBucket, TimeQuality, TimeStatus};
use evidence::{Actor, CommitId, MonoNs, Seq, Slot, Stamp, TimeDetail, UtcNs};
use io_plane::{
    Action, Batch, ClockAsked, Input, MissedSlot, PortEngine, SlotClock, Stream, UartErrors,
};
use libfuzzer_sys::fuzz_target;
use mbus::link::{Control, Frame, encode};
use modbus::pdu::{Registers, Request, Response};
use modbus::{rtu, tcp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const MS: u64 = 1_000_000;
/// Steps at one instant beyond which an engine would never let go.
const STEPS_MAX: usize = 5_000;
const KINDS: usize = 3;

static CONTRACTS: LazyLock<[Contract; KINDS]> = LazyLock::new(|| {
    let modbus = |kind: &str| {
        let meters: String = (1..=2)
            .map(|unit| {
                format!(
                    "[[meter]]\nid = \"m{unit}\"\nport = \"p\"\nunit = {unit}\nschedule = \"s\"\nclock_register = \"holding:4\"\n\
                     memory = \"input:100\"\nmemory_records = 8\nmemory_width = 4\nmemory_every = \"1s\"\n\
                     [[meter.point]]\nid = \"e\"\nregister = \"holding:0\"\ntype = \"u32\"\nmemory_offset = 2\nrole = \"counter\"\n\
                     [[meter.point]]\nid = \"c\"\nregister = \"holding:4\"\ntype = \"u32\"\nrole = \"clock\"\n"
                )
            })
            .collect();
        format!("{kind}\ntimeout = \"100ms\"\nlate_reply = \"200ms\"\nretries = 1\n{meters}")
    };
    let mbus = "kind = \"mbus\"\ndevice = \"/dev/x\"\nlatency = \"0ms\"\npower_up = \"0ms\"\n\
        [[meter]]\nid = \"m1\"\nport = \"p\"\nprimary = 1\nschedule = \"s\"\nclock_telegram = \"type-f\"\nstorages = 4\n\
        storage_every = \"1s\"\n[[meter.point]]\nid = \"v\"\nquantity = \"Volume\"\n\
        [[meter]]\nid = \"m2\"\nport = \"p\"\nsecondary = \"12345678\"\nschedule = \"s\"\nclock_telegram = \"type-i\"\n\
        [[meter.point]]\nid = \"t\"\npayload = \"application/x-mbus-frames\"\n";
    let whole = |port: &str| {
        let text = format!(
            "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"s\"\nevery = \"1s\"\n[[port]]\nid = \"p\"\n{port}"
        );
        contract::parse(&text).expect("a sound contract")
    };
    [
        whole(&modbus(
            "kind = \"modbus-rtu\"\ndevice = \"/dev/x\"\nbaud = 9600",
        )),
        whole(&modbus(
            "kind = \"modbus-tcp\"\naddress = \"127.0.0.1:502\"",
        )),
        whole(mbus),
    ]
});

/// An engine with what is around it.
struct World {
    engine: PortEngine,
    kind: usize,
    now: MonoNs,
    wake: Option<MonoNs>,
    sent: Vec<u8>,
    stopped: bool,
    /// The next number of each stream.
    seqs: BTreeMap<Stream, Seq>,
    leased: u64,
    orders: u64,
    given: BTreeSet<CommitId>,
    ended: BTreeSet<CommitId>,
}

impl World {
    fn new(kind: usize) -> Self {
        let contract = &CONTRACTS[kind];
        let port = contract.ports.keys().next().expect("one port");
        let mut world = Self {
            engine: PortEngine::new(contract, port, CommitId(1)).expect("a port of the contract"),
            kind,
            now: MonoNs(MS),
            wake: None,
            sent: Vec::new(),
            stopped: false,
            seqs: BTreeMap::new(),
            leased: 0,
            orders: 10,
            given: BTreeSet::new(),
            ended: BTreeSet::new(),
        };
        for schedule in world.engine.schedules() {
            let clock = SlotClock {
                version: 1,
                number_at_anchor: 100,
                anchor: MonoNs(500 * MS),
                every_ns: 1_000 * MS,
            };
            world.take(Input::Schedule { schedule, clock });
        }
        let met = ClockAsked::Met {
            from: CommitId(10),
            open: Vec::new(),
        };
        world.take(Input::Clock(met));
        world
    }

    fn take(&mut self, input: Input) {
        let mut inputs = vec![input];
        let mut steps = 0;
        while let Some(input) = inputs.pop() {
            steps += 1;
            assert!(steps < STEPS_MAX, "the engine spins");
            self.wake = None;
            for action in self.engine.handle(self.now, input) {
                match action {
                    Action::Connect => inputs.push(Input::LinkUp {
                        left_out: Vec::new(),
                    }),
                    Action::Transmit(bytes) => self.sent = bytes,
                    Action::Emit(batch) => self.emitted(&batch),
                    Action::NeedLease { stream } => {
                        let next = Seq(self.leased);
                        self.leased += 32;
                        let end = Seq(self.leased);
                        inputs.push(Input::Lease { stream, next, end });
                    }
                    Action::WakeAt(at) => self.wake = Some(at),
                    Action::Stopped => self.stopped = true,
                    Action::Disconnect
                    | Action::Mark(_)
                    | Action::Speed(_)
                    | Action::NeedMissed { .. } => {}
                }
            }
            let due = self.wake.is_some_and(|at| at <= self.now);
            if inputs.is_empty() && due && !self.stopped {
                inputs.push(Input::Tick);
            }
        }
    }

    fn emitted(&mut self, batch: &Batch) {
        assert!(!batch.records.is_empty());
        if let Some(seq) = batch.seq {
            let known = self.seqs.insert(batch.stream.clone(), seq);
            assert!(
                known.is_none_or(|known| known < seq),
                "numbers come in order"
            );
        }
        for record in &batch.records {
            assert!(record.crc_holds());
            if let Payload::ClockSet(set) = record.payload().expect("its own record") {
                assert!(self.given.contains(&set.order) || set.order < CommitId(10));
                assert!(self.ended.insert(set.order), "one outcome for each order");
            }
        }
    }

    /// An answer to what was sent last, of whose fields the script harms some.
    fn answer(&self, harm: u8, data: &[u8]) -> Vec<u8> {
        let held = |count: usize| -> Vec<u8> {
            data.iter()
                .copied()
                .chain(std::iter::repeat(0))
                .take(count)
                .collect()
        };
        if self.kind == 2 {
            return match harm {
                0 => vec![0xE5],
                1 => data.to_vec(),
                _ => encode(&Frame::Long {
                    control: Control::new(8),
                    address: harm & 3,
                    payload: &[
                        &[0x72, 0x78, 0x56, 0x34, 0x12, 0xA7, 0x32, 1, 7, 0, 0, 0, 0],
                        data,
                    ]
                    .concat(),
                })
                .unwrap_or_default(),
            };
        }
        let head = if self.kind == 0 { 1 } else { 7 };
        let unit = self.sent.get(head - 1).copied().unwrap_or(1);
        let end = self
            .sent
            .len()
            .saturating_sub(if self.kind == 0 { 2 } else { 0 });
        let pdu = self.sent.get(head..end).unwrap_or_default();
        let Ok(request) = Request::decode(pdu) else {
            return data.to_vec();
        };
        let words: Vec<u16> = (0..usize::from(request.count()))
            .map(|place| u16::from(held(place + 1)[place]))
            .collect();
        let response = match (&request, harm) {
            (_, 0) => vec![
                request.function().code() | 0x80,
                data.first().copied().unwrap_or(2),
            ],
            (_, 1) => data.iter().copied().take(9).collect(),
            (Request::WriteMultipleRegisters(write), _) => {
                Response::WriteMultipleRegisters(write.span()).encode()
            }
            _ => match Registers::from_values(&words) {
                Ok(registers) if request.function().code() == 4 => {
                    Response::ReadInputRegisters(registers).encode()
                }
                Ok(registers) => Response::ReadHoldingRegisters(registers).encode(),
                Err(_) => Vec::new(),
            },
        };
        let unit = if harm == 2 {
            unit.wrapping_add(1)
        } else {
            unit
        };
        match self.kind {
            0 => rtu::encode(unit, &response),
            _ => {
                let id = self
                    .sent
                    .first_chunk()
                    .map_or(0, |id| u16::from_be_bytes(*id));
                let id = if harm == 3 { id.wrapping_sub(1) } else { id };
                tcp::encode(id, unit, &response).unwrap_or_default()
            }
        }
    }

    fn order(&mut self, which: u8) {
        let id = CommitId(self.orders);
        self.orders += 1;
        self.given.insert(id);
        let stamp = Stamp {
            timestamp: UtcNs(1_800_000_000_000_000_000),
            quality: match which & 2 {
                0 => TimeQuality::Synced,
                _ => TimeQuality::RtcOnly,
            },
            status: TimeStatus::Locked,
            bound_ns: Some(1),
            detail: TimeDetail::Offset(OffsetBucket::Below1Us),
        };
        let order = ClockOrder {
            at: self.now,
            meter_id: format!("m{}", 1 + (which & 1)).parse().expect("a name"),
            actor: Actor::local("ada", 1),
            reason: "slow".into(),
        };
        self.take(Input::Clock(ClockAsked::Order { id, order, stamp }));
    }

    fn missed(&mut self, which: u8) {
        let slot = |number: u64| MissedSlot {
            slot: Slot { version: 1, number },
            due: UtcNs(i64::from(which) * 1_000_000_000),
        };
        self.take(Input::Missed {
            meter: format!("m{}", 1 + (which & 1)).parse().expect("a name"),
            slots: (0..u64::from(which >> 5)).map(slot).collect(),
            others: which & 2 == 0,
        });
    }

    /// Lets time pass to the next thing that is due.
    fn pass(&mut self, most_ns: u64) {
        let to = self.now.plus_ns(most_ns);
        self.now = self
            .wake
            .filter(|at| *at > self.now)
            .map_or(to, |at| at.min(to));
        self.take(Input::Tick);
    }
}

fuzz_target!(|data: &[u8]| {
    let [kind, script @ ..] = data else { return };
    let mut world = World::new(usize::from(*kind) % KINDS);
    let mut rest = script;
    while let [op, more @ ..] = rest {
        rest = more;
        let (what, arg) = (op & 15, op >> 4);
        let count = usize::from(arg).min(rest.len());
        let (bytes, behind) = rest.split_at(count);
        match what {
            0..=3 => {
                world.now = world.now.plus_ns(20 * MS);
                let answer = world.answer(arg & 7, bytes);
                world.take(Input::Received(answer));
                rest = behind;
            }
            4 => {
                world.take(Input::Received(bytes.to_vec()));
                rest = behind;
            }
            5 => world.take(Input::LinkLost {
                detail: "gone".into(),
            }),
            6 => world.order(arg),
            7 => {
                world.missed(bytes.first().copied().unwrap_or(arg));
                rest = behind;
            }
            8 => world.take(Input::QueueFull(arg & 1 == 0)),
            9 => world.take(Input::Uart(UartErrors {
                framing: u64::from(arg & 1),
                breaks: u64::from(arg >> 1),
                ..UartErrors::default()
            })),
            10 => world.now = world.now.plus_ns(u64::from(arg) * MS),
            _ => world.pass(1_000 * MS),
        }
    }
    world.take(Input::QueueFull(false));
    world.take(Input::Stop);
    for _ in 0..STEPS_MAX {
        if world.stopped {
            break;
        }
        world.pass(1_000 * MS);
    }
    assert!(world.stopped, "a stop ends");
    let left: Vec<_> = world.given.difference(&world.ended).collect();
    assert!(left.is_empty(), "an order without an outcome: {left:?}");
});
