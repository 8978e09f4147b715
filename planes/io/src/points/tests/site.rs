//! A contract with a card, and the host of its engine.

use crate::input::Stream;
use crate::points::{Action, CardEngine, Edge, Input, Level, Restored};
use crate::slots::SlotClock;
use contract::Contract;
use evidence::kinds::{Analog, Payload, PulseCount, Soe};
use evidence::{CommitId, MonoNs, PointId, Seq};
use std::collections::{BTreeMap, VecDeque};
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

pub(super) const MS: u64 = 1_000_000;
/// The instant at which the card is opened.
pub(super) const OPENED: u64 = 1_000 * MS;

pub(super) fn contract(policy: &str, points: &str) -> Contract {
    let text = format!(
        "[station]\norigin = \"example.org/s1\"\n\
         [[schedule]]\nid = \"second\"\nevery = \"1s\"\n\
         [[card]]\nid = \"dio\"\nkind = \"gpio\"\npath = \"/dev/gpiochip0\"\n\
         [[debounce]]\nid = \"p\"\n{policy}\n{points}"
    );
    contract::parse(&text).expect("a sound contract")
}

pub(super) fn di(id: &str, line: u32, more: &str) -> String {
    format!("[[di]]\nid = \"{id}\"\ncard = \"dio\"\nline = {line}\ndebounce = \"p\"\n{more}\n")
}

pub(super) fn pulse(id: &str, line: u32, more: &str) -> String {
    format!(
        "[[pulse]]\nid = \"{id}\"\ncard = \"dio\"\nline = {line}\ndebounce = \"p\"\nschedule = \"second\"\n{more}\n"
    )
}

/// The engine with a host that grants every lease at once and keeps what is emitted.
pub(super) struct Site {
    pub(super) engine: CardEngine,
    pub(super) records: Vec<Payload>,
    pub(super) events: Vec<String>,
    pub(super) counts: BTreeMap<PointId, u64>,
    pub(super) reads: Vec<(u64, String)>,
    pub(super) texts: Vec<String>,
    /// Modems that the card is to ask.
    pub(super) asked: Vec<String>,
    pub(super) marked: Option<Seq>,
    pub(super) stopped: bool,
    next_seq: u64,
    next_event: u64,
    wake: u64,
    now: u64,
    seqnos: BTreeMap<u32, u32>,
}

impl Site {
    pub(super) fn new(contract: &Contract, counts: &BTreeMap<PointId, Restored>) -> Self {
        let card = "dio".parse().expect("an id");
        let engine = CardEngine::new(contract, &card, CommitId(1), counts).expect("an engine");
        Self {
            engine,
            records: Vec::new(),
            events: Vec::new(),
            counts: BTreeMap::new(),
            reads: Vec::new(),
            texts: Vec::new(),
            asked: Vec::new(),
            marked: None,
            stopped: false,
            next_seq: 0,
            next_event: 0,
            wake: 0,
            now: 0,
            seqnos: BTreeMap::new(),
        }
    }

    /// Opened, with all lines low.
    pub(super) fn open(policy: &str, points: &str) -> Self {
        let contract = contract(policy, points);
        let mut site = Self::new(&contract, &BTreeMap::new());
        site.start(&contract);
        site
    }

    pub(super) fn start(&mut self, contract: &Contract) {
        let lines = contract
            .points
            .inputs
            .values()
            .flat_map(|one| [Some(one.line), one.fault_line].into_iter().flatten());
        let pulses = contract.points.pulses.values().map(|one| one.line);
        let levels = lines.chain(pulses).map(|line| Level { line, high: false });
        let levels: Vec<Level> = levels.collect();
        self.now = OPENED - 1;
        for schedule in self.engine.schedules() {
            let clock = SlotClock {
                version: 1,
                number_at_anchor: 100,
                anchor: MonoNs(OPENED + 1_000 * MS),
                every_ns: 1_000 * MS,
            };
            self.feed(self.now, Input::Schedule { schedule, clock });
        }
        self.feed(OPENED, Input::Opened(levels));
    }

    /// Feeds an input at this time, after every wake-up before it.
    pub(super) fn feed(&mut self, at: u64, input: Input) {
        self.until(at);
        self.now = at;
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for action in self.engine.handle(MonoNs(at), input) {
                inputs.extend(self.perform(action));
            }
        }
    }

    /// Every wake-up up to this time.
    pub(super) fn until(&mut self, at: u64) {
        while self.wake <= at && self.wake > 0 && !self.stopped {
            let now = self.wake.max(self.now);
            self.wake = 0;
            self.now = now;
            let mut inputs = VecDeque::from([Input::Tick]);
            while let Some(input) = inputs.pop_front() {
                for action in self.engine.handle(MonoNs(now), input) {
                    inputs.extend(self.perform(action));
                }
            }
            assert!(
                self.wake > now || self.wake == 0 || self.stopped,
                "the engine spins at {now}"
            );
        }
    }

    fn perform(&mut self, action: Action) -> Option<Input> {
        match action {
            Action::Open | Action::Close | Action::Show { .. } => {}
            Action::Drive { .. } => panic!("the card has no outputs"),
            Action::Read { channel } => self.reads.push((self.now, channel)),
            Action::ReadText { channel } => self.texts.push(channel),
            Action::Ask { point } => self.asked.push(point.to_string()),
            Action::Mark { seq, .. } => self.marked = Some(seq),
            Action::Count { point, count, .. } => {
                self.counts.insert(point, count);
            }
            Action::Emit(batch) => {
                for (place, record) in (0..).zip(&batch.records) {
                    let payload = record.payload().expect("a sound record");
                    let seq = match &payload {
                        Payload::Soe(soe) => soe.seq,
                        Payload::PulseCount(pulse) => pulse.seq,
                        Payload::Analog(analog) => analog.seq,
                        Payload::Excursion(one) => one.seq,
                        Payload::ResetReason(one) => one.seq,
                        Payload::ModemReport(one) => one.seq,
                        Payload::Event(event) => {
                            let words = event.detail.clone().unwrap_or_default();
                            self.events.push(format!("{} {words}", event.code));
                            continue;
                        }
                        _ => continue,
                    };
                    assert_eq!(batch.seq.map(|first| first.0 + place), Some(seq.0), "dense");
                    assert!(self.marked >= Some(seq), "marked before it leaves");
                    assert!(matches!(batch.stream, Stream::Meter(_)), "its own stream");
                    self.records.push(payload);
                }
            }
            Action::NeedLease { stream } => {
                let counter = match stream {
                    Stream::Meter(_) => &mut self.next_seq,
                    Stream::Port => &mut self.next_event,
                };
                let next = *counter;
                *counter += 64;
                return Some(Input::Lease {
                    stream,
                    next: Seq(next),
                    end: Seq(next + 64),
                });
            }
            Action::WakeAt(at) => self.wake = at.0,
            Action::Stopped => self.stopped = true,
        }
        None
    }

    /// An edge that is read at its instant, with the kernel's next number.
    pub(super) fn edge(&mut self, at: u64, line: u32, rising: bool) {
        let seqno = self.seqnos.entry(line).or_default();
        *seqno += 1;
        let edge = Edge {
            at: MonoNs(at),
            line,
            rising,
            line_seqno: *seqno,
        };
        self.feed(at, Input::Edges(Vec::from([edge])));
    }

    /// So many edges of a line that the kernel had no room for.
    pub(super) fn lose(&mut self, line: u32, count: u32) {
        *self.seqnos.entry(line).or_default() += count;
    }

    /// The records of inputs: `door 1 edge good none`, and behind it what has no record.
    pub(super) fn soe(&self) -> Vec<String> {
        let said = |soe: &Soe| {
            let state = soe
                .value
                .map_or(String::from("-"), |on| u8::from(on).to_string());
            let loss = match (soe.count, soe.loss) {
                (Some(count), Some(loss)) => format!(" {count} {loss}"),
                _ => String::new(),
            };
            let (point, change, quality) = (&soe.point_id, soe.change, soe.quality);
            let at = soe.at.0.saturating_sub(OPENED) / MS;
            format!(
                "{at} {point} {state} {change} {quality} {}{loss}",
                quality.reason
            )
        };
        self.records
            .iter()
            .filter_map(|record| match record {
                Payload::Soe(soe) => Some(said(soe)),
                _ => None,
            })
            .collect()
    }

    pub(super) fn pulses(&self) -> Vec<&PulseCount> {
        let records = self.records.iter();
        let pulses = records.filter_map(|record| match record {
            Payload::PulseCount(pulse) => Some(pulse),
            _ => None,
        });
        pulses.collect()
    }

    pub(super) fn analogs(&self) -> Vec<&Analog> {
        let records = self.records.iter();
        let analogs = records.filter_map(|record| match record {
            Payload::Analog(analog) => Some(analog),
            _ => None,
        });
        analogs.collect()
    }

    /// A counter of a point or of the card.
    pub(super) fn counter(&self, name: &str, label: &str) -> u64 {
        let counters = self.engine.counters();
        let mut found = counters
            .iter()
            .filter(|one| one.name == name && one.label.as_deref() == Some(label));
        found.next().and_then(|one| one.value).unwrap_or(0)
    }
}
