//! A station with a breaker, a horn and a valve, and the host of its engine.

use crate::input::Stream;
use crate::outputs::{Asked, Drive, Given, Seen, Value};
use crate::points::{Action, CardEngine, Edge, Input, Level};
use contract::Contract;
use evidence::kinds::{Command, Output, Payload, Tag};
use evidence::reasons::{CommandOrigin, CommandStep, TagChange, TimeQuality, TimeStatus};
use evidence::{Actor, CommitId, MonoNs, PointId, Quality, Seq, Stamp, TimeDetail, UtcNs};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

pub(super) const MS: u64 = 1_000_000;
/// When the card is opened.
pub(super) const OPENED: u64 = 1_000 * MS;

/// Lines: breaker 12, its contact 7; horn 13 without feedback; the switch 8 and the earth switch 9.
pub(super) fn contract(more: &str) -> Contract {
    let text = format!(
        "[station]\norigin = \"example.org/s1\"\n\
         [[card]]\nid = \"dio\"\nkind = \"gpio\"\npath = \"/dev/gpiochip0\"\n\
         [[card]]\nid = \"box\"\nkind = \"iio\"\npath = \"/iio\"\n\
         [[schedule]]\nid = \"q\"\nevery = \"15min\"\n\
         [[debounce]]\nid = \"p\"\nwindow = \"5ms\"\nchatter_on = 6\nchatter_off = 1\nchatter_time = \"400ms\"\n\
         [[di]]\nid = \"contact\"\ncard = \"dio\"\nline = 7\ndebounce = \"p\"\n\
         [[di]]\nid = \"remote\"\ncard = \"dio\"\nline = 8\ndebounce = \"p\"\n\
         [[di]]\nid = \"earth\"\ncard = \"dio\"\nline = 9\ndebounce = \"p\"\n\
         [[ai]]\nid = \"oil\"\ncard = \"box\"\nchannel = \"in0_raw\"\nschedule = \"q\"\n\
         [[do]]\nid = \"breaker\"\ncard = \"dio\"\nline = 12\nsafe = \"off\"\nfeedback = \"contact\"\n\
         feedback_window = \"500ms\"\ninterlocks = [\"earth off\", \"oil < 90\"]\nremote_switch = \"remote\"\n\
         select_timeout = \"10s\"\n\
         [[do]]\nid = \"horn\"\ncard = \"dio\"\nline = 13\nactive = \"low\"\nsafe = \"off\"\npulse = \"200ms\"\n\
         operate = \"direct\"\n\
         [[do]]\nid = \"lamp\"\ncard = \"dio\"\nline = 14\nsafe = \"off\"\noperate = \"direct\"\non_loss = \"hold\"\n{more}"
    );
    contract::parse(&text).expect("a sound contract")
}

/// The engine of the card, a host that answers at once, and what is wired to the lines.
pub(super) struct Station {
    pub(super) engine: CardEngine,
    pub(super) records: Vec<Output>,
    /// What the card was given: milliseconds behind the opening, and what.
    pub(super) drives: Vec<String>,
    /// Lines that follow an output after so many milliseconds.
    pub(super) wires: BTreeMap<u32, (u32, u64)>,
    /// What the card says to every drive.
    pub(super) refuses: Option<String>,
    pub(super) quality: TimeQuality,
    pub(super) stopped: bool,
    pub(super) id: u64,
    edges: BTreeMap<(u64, u32), bool>,
    seqnos: BTreeMap<u32, u32>,
    next_seq: u64,
    wake: u64,
    pub(super) now: u64,
}

impl Station {
    /// Opened, heard of the log, remote, not earthed, the oil at 60.
    pub(super) fn ready() -> Self {
        let mut station = Self::of(&contract(""));
        station.met(0, &[]);
        station
    }

    pub(super) fn of(contract: &Contract) -> Self {
        let card = "dio".parse().expect("an id");
        let engine = CardEngine::new(contract, &card, CommitId(1), &BTreeMap::new());
        let mut station = Self {
            engine: engine.expect("an engine"),
            records: Vec::new(),
            drives: Vec::new(),
            wires: BTreeMap::from([(12, (7, 40))]),
            refuses: None,
            quality: TimeQuality::Synced,
            stopped: false,
            id: 100,
            edges: BTreeMap::new(),
            seqnos: BTreeMap::new(),
            next_seq: 0,
            wake: 0,
            now: OPENED - 1,
        };
        let level = |line, high| Level { line, high };
        let levels = [
            level(7, false),
            level(8, true),
            level(9, false),
            level(12, false),
            level(13, true),
            level(14, false),
        ];
        station.feed(OPENED, Input::Opened(levels.to_vec()));
        station.oil("60", Quality::GOOD);
        station.until(OPENED + 50 * MS);
        station
    }

    pub(super) fn met(&mut self, from: u64, open: &[(&str, u64)]) {
        let open = open
            .iter()
            .map(|(point, id)| (point.parse().expect("an id"), CommitId(*id)));
        let met = Asked::Met {
            from: CommitId(from),
            open: open.collect(),
            tags: BTreeSet::new(),
        };
        self.ask(met);
    }

    pub(super) fn ask(&mut self, asked: Asked) {
        self.feed(self.now, Input::Outputs(asked));
    }

    pub(super) fn oil(&mut self, value: &str, quality: Quality) {
        let seen = Seen {
            value: Some(Value::Number(value.parse().expect("a number"))),
            quality,
            at: MonoNs(self.now),
        };
        self.ask(Asked::Seen {
            point: "oil".parse().expect("an id"),
            seen,
        });
    }

    /// `select breaker 1`, `cancel breaker`, by this actor; gives the number of its entry.
    pub(super) fn command(&mut self, actor: &str, words: &str) -> u64 {
        let given = self.given(actor, words);
        let id = given.id.0;
        self.ask(Asked::Command(given));
        id
    }

    pub(super) fn given(&mut self, actor: &str, words: &str) -> Given {
        let mut words = words.split(' ');
        let mut word = || words.next().unwrap_or_default();
        let step = CommandStep::from_name(word()).expect("a step");
        let command = Command {
            at: MonoNs(self.now),
            point_id: PointId::new(word()).expect("an id"),
            step,
            value: word().parse().ok(),
            origin: CommandOrigin::Person,
            actor: Actor::stated(actor).unwrap(),
            reason: "a test".to_string(),
            issued: None,
        };
        self.id += 1;
        Given {
            id: CommitId(self.id),
            command,
            stamp: Stamp {
                timestamp: UtcNs(0),
                quality: self.quality,
                status: TimeStatus::Locked,
                bound_ns: None,
                detail: TimeDetail::Offset(evidence::reasons::OffsetBucket::Below1Ms),
            },
        }
    }

    pub(super) fn tag(&mut self, point: &str, change: TagChange, actor: &str, owner: Option<&str>) {
        self.ask(Asked::Tag(Tag {
            at: MonoNs(self.now),
            point_id: point.parse().expect("an id"),
            change,
            actor: Actor::stated(actor).unwrap(),
            reason: "work".to_string(),
            owner: owner.map(ToString::to_string),
        }));
    }

    /// A line changes so many milliseconds from now.
    pub(super) fn moves(&mut self, line: u32, high: bool, after_ms: u64) {
        self.edges.insert((self.now + after_ms * MS, line), high);
    }

    pub(super) fn wait(&mut self, ms: u64) {
        self.until(self.now + ms * MS);
    }

    pub(super) fn feed(&mut self, at: u64, input: Input) {
        self.until(at);
        self.handle(at, input);
    }

    fn handle(&mut self, at: u64, input: Input) {
        self.now = self.now.max(at);
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for action in self.engine.handle(MonoNs(self.now), input) {
                inputs.extend(self.perform(action));
            }
        }
    }

    /// Every edge and every wake-up up to this time.
    pub(super) fn until(&mut self, at: u64) {
        for turn in 0.. {
            assert!(turn < 100_000, "the engine spins at {}", self.now);
            let wake = Some(self.wake).filter(|wake| *wake > 0 && !self.stopped);
            let edge = self.edges.first_key_value().map(|((at, _), _)| *at);
            let Some(next) = wake
                .into_iter()
                .chain(edge)
                .min()
                .filter(|next| *next <= at)
            else {
                break;
            };
            if edge == Some(next) {
                let Some(((_, line), rising)) = self.edges.pop_first() else {
                    break;
                };
                let seqno = self.seqnos.entry(line).or_default();
                *seqno += 1;
                let edge = Edge {
                    at: MonoNs(next),
                    line,
                    rising,
                    line_seqno: *seqno,
                };
                self.handle(next, Input::Edges(Vec::from([edge])));
            } else {
                self.wake = 0;
                self.handle(next, Input::Tick);
            }
        }
        self.now = self.now.max(at);
    }

    fn perform(&mut self, action: Action) -> Option<Input> {
        match action {
            Action::Drive { point, to } => {
                let at = (self.now - OPENED) / MS;
                match to {
                    Drive::Line { line, high } => {
                        self.drives.push(format!("{at} {line} {}", u8::from(high)));
                        if let Some((input, ms)) =
                            self.wires.get(&line).filter(|_| self.refuses.is_none())
                        {
                            self.edges.insert((self.now + ms * MS, *input), high);
                        }
                    }
                    Drive::Channel { channel, raw } => {
                        self.drives.push(format!("{at} {channel} {raw}"));
                    }
                }
                let taken = self.refuses.clone().map_or(Ok(()), Err);
                Some(Input::Outputs(Asked::Driven { point, taken }))
            }
            Action::Emit(batch) => {
                for (place, record) in (0..).zip(&batch.records) {
                    if let Ok(Payload::Output(output)) = record.payload() {
                        assert_eq!(batch.seq.map(|seq| seq.0 + place), Some(output.seq.0));
                        self.records.push(output);
                    }
                }
                None
            }
            Action::NeedLease { stream } => {
                let next = self.next_seq;
                self.next_seq += u64::from(stream != Stream::Port) * 64;
                Some(Input::Lease {
                    stream,
                    next: Seq(next),
                    end: Seq(next + 64),
                })
            }
            Action::WakeAt(at) => {
                self.wake = at.0;
                None
            }
            Action::Stopped => {
                self.stopped = true;
                None
            }
            _ => None,
        }
    }

    /// What was told since the last look: `breaker proved none 101`, and behind it what is meant.
    pub(super) fn told(&mut self) -> Vec<String> {
        let said = |one: Output| {
            let mut words = format!("{} {} {}", one.point_id, one.outcome, one.reason);
            if let Some(command) = one.command {
                words += &format!(" {command}");
            }
            if let Some(about) = one.about {
                words += &format!(" ({about})");
            }
            words
        };
        self.records.drain(..).map(said).collect()
    }
}
