//! The master of one bus: a job at a time, its requests, and what is remembered between jobs.

use super::budget::{Budgets, Spent};
use super::failure::Failure;
use super::fcb::Fcb;
use super::health::{Evidence, Health};
use super::inbox::LineErrors;
use super::jobs::{
    Command, Commanded, Meter, News, Readout, Scan, Scanned, Search, Searched, Speeded, Step,
};
use super::link::{Link, Output, Power, Report, Stray};
use super::request::{Asked, Request, Station};
use super::running::Running;
use super::timing::Timing;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

/// What the master is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Read a meter.
    Read {
        /// Which.
        meter: Meter,
        /// Reset its application before, with what is to be read then, if that is named (CI 50h).
        reset: Option<Option<u8>>,
        /// Most telegrams; 0 counts as 1, more than `TELEGRAMS_MAX` as that.
        telegrams_max: u8,
        /// Begin with SND_NKE although the FCB is known. To be used wherever another master may have spoken
        /// with the meter meanwhile: with an FCB that is not the next, it sends its last telegram, which is old.
        anew: bool,
    },
    /// Tell a meter something.
    Tell {
        /// Which.
        meter: Meter,
        /// What.
        command: Command,
    },
    /// Give a meter another speed.
    SetSpeed {
        /// Which.
        meter: Meter,
        /// Bits a second.
        baud: u32,
    },
    /// Find all meters by their secondary addresses.
    Search(Search),
    /// Find all meters by their primary addresses.
    Scan(Scan),
}

impl Work {
    /// The meter it is about.
    #[must_use]
    pub const fn meter(&self) -> Option<&Meter> {
        match self {
            Self::Read { meter, .. } | Self::Tell { meter, .. } | Self::SetSpeed { meter, .. } => {
                Some(meter)
            }
            Self::Search(_) | Self::Scan(_) => None,
        }
    }
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What is to be done.
    pub work: Work,
    /// At which speed, in bits a second; `None` is that of the bus.
    pub baud: Option<u32>,
    /// The caller's number of the meter, under which it may have a budget of readouts.
    pub budget: Option<u64>,
}

impl From<Work> for Job {
    fn from(work: Work) -> Self {
        Self {
            work,
            baud: None,
            budget: None,
        }
    }
}

/// Why a job was not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Another has not ended.
    Busy,
    /// All cannot be read, nor told to answer at another speed.
    All,
    /// A speed that no code names, or data that no frame has room for.
    NoSuchFrame,
    /// The meter's budget of readouts is spent.
    Budget(Spent),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => write!(f, "another job has not ended"),
            Self::All => write!(f, "of address 255 none answers; name a meter"),
            Self::NoSuchFrame => write!(
                f,
                "no frame says that: speeds are 300 times a power of two up to 38400, data 1 to 253 bytes"
            ),
            Self::Budget(spent) => spent.fmt(f),
        }
    }
}

impl core::error::Error for Refused {}

/// What came of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Of [`Work::Read`].
    Read(Readout),
    /// Of [`Work::Tell`].
    Told(Commanded),
    /// Of [`Work::SetSpeed`].
    Speed(Speeded),
    /// Of [`Work::Search`].
    Searched(Searched),
    /// Of [`Work::Scan`].
    Scanned(Scanned),
}

/// What the host is to do, or to know, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send these bytes now.
    Send(Vec<u8>),
    /// Set the port to so many bits a second, eight data bits, even parity, one stop bit.
    Speed(u32),
    /// Call [`Master::tick`] at this time, in monotonic nanoseconds, if nothing comes before; it replaces
    /// what was said before. Where it is missing, nothing is due.
    WaitUntil(u64),
    /// A request has ended.
    Exchange {
        /// What came of it, with every byte that was heard.
        report: Report,
        /// Known meters are silent together: this failure is not the meter's.
        bus_silent: bool,
    },
    /// Something was heard without a request.
    Stray(Stray),
    /// Something that is the bus's and no meter's.
    Evidence(Evidence),
    /// The job has ended.
    Done(Outcome),
}

/// The master of one bus. Every call gives what is to be done; a host that drops it loses requests.
#[derive(Clone, Debug)]
pub struct Master {
    link: Link,
    baud: u32,
    latency_ns: u64,
    fcb: Fcb,
    health: Health,
    budgets: Budgets,
    running: Option<(Running, Option<Meter>)>,
    asked: Option<Asked>,
    token: u64,
}

impl Master {
    /// A master on a bus that has voltage, at `baud` bits a second; bytes may be handed over up to
    /// `latency_ns` late, as by converters on TCP.
    #[must_use]
    pub fn new(baud: u32, latency_ns: u64, now_ns: u64) -> Self {
        let timing = Timing::new(baud).with_latency(latency_ns);
        Self {
            link: Link::new(timing, now_ns),
            baud,
            latency_ns,
            fcb: Fcb::default(),
            health: Health::default(),
            budgets: Budgets::default(),
            running: None,
            asked: None,
            token: 0,
        }
    }

    /// The budgets of its meters.
    #[must_use]
    pub const fn budgets(&mut self) -> &mut Budgets {
        &mut self.budgets
    }

    /// A job may be begun.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.running.is_none()
    }

    /// Begins a job.
    ///
    /// # Errors
    /// Where it cannot be begun; nothing has been sent then.
    pub fn begin(&mut self, job: Job, now_ns: u64) -> Result<Vec<Action>, Refused> {
        if self.running.is_some() {
            return Err(Refused::Busy);
        }
        let meter = job.work.meter().copied();
        let anew = matches!(job.work, Work::Read { anew: true, .. });
        let known = !anew && meter.is_some_and(|meter| self.fcb.next(meter.station()).is_some());
        let number = meter.and_then(|meter| self.health.number(&meter));
        let baud = job.baud.unwrap_or(self.baud);
        let reads = matches!(job.work, Work::Read { .. });
        let running = Running::new(job.work, baud, known, number)?;
        // Without voltage no meter is asked, and none spends anything.
        let spends = reads && !self.link.is_off();
        if let Some(budget) = job.budget.filter(|_| spends) {
            self.budgets
                .spend(budget, now_ns)
                .map_err(Refused::Budget)?;
        }
        self.running = Some((running, meter));
        let (mut actions, mut outputs) = (Vec::new(), VecDeque::new());
        self.turn(baud, &mut actions);
        self.step(News::Begin, now_ns, &mut actions, &mut outputs);
        self.drain(outputs, now_ns, &mut actions);
        Ok(self.ended(actions))
    }

    /// What is due by now.
    #[must_use]
    pub fn tick(&mut self, now_ns: u64) -> Vec<Action> {
        self.with(now_ns, |link, out| link.tick(now_ns, out))
    }

    /// Bytes that were read now.
    #[must_use]
    pub fn received(&mut self, bytes: &[u8], now_ns: u64) -> Vec<Action> {
        self.with(now_ns, |link, out| link.received(bytes, now_ns, out))
    }

    /// What the receiver of the port has counted since it was asked last. To be called right after the bytes
    /// that were read with it: a character with wrong parity makes its telegram void.
    #[must_use]
    pub fn line_errors(&mut self, errors: LineErrors, now_ns: u64) -> Vec<Action> {
        self.with(now_ns, |link, out| link.line_errors(errors, now_ns, out))
    }

    /// The request has left in full, for hosts that can tell. Others need not: its length tells as well.
    #[must_use]
    pub fn sent(&mut self, now_ns: u64) -> Vec<Action> {
        self.with(now_ns, |link, out| link.sent(now_ns, out))
    }

    /// What the bus has now. Slaves are given three seconds to start (EN 13757-2, clause 4).
    #[must_use]
    pub fn power(&mut self, power: Power, now_ns: u64) -> Vec<Action> {
        if power != Power::On {
            // Slaves that live on the bus forget what they had last.
            self.fcb.all_lost();
        }
        self.with(now_ns, |link, out| link.power(power, now_ns, out))
    }

    fn with(&mut self, now_ns: u64, work: impl FnOnce(&mut Link, &mut Vec<Output>)) -> Vec<Action> {
        let mut out = Vec::new();
        work(&mut self.link, &mut out);
        let mut actions = Vec::new();
        self.drain(out.into(), now_ns, &mut actions);
        self.ended(actions)
    }

    /// What is due, told last.
    fn ended(&self, mut actions: Vec<Action>) -> Vec<Action> {
        actions.extend(self.link.deadline_ns().map(Action::WaitUntil));
        actions
    }

    fn drain(&mut self, mut outputs: VecDeque<Output>, now_ns: u64, actions: &mut Vec<Action>) {
        while let Some(output) = outputs.pop_front() {
            match output {
                Output::Send(bytes) => actions.push(Action::Send(bytes)),
                Output::Stray(stray) => actions.push(Action::Stray(stray)),
                Output::Report(report) => {
                    self.note(&report, actions);
                    let bus_silent = self.health.all_silent();
                    // Told before what follows from it.
                    let place = actions.len();
                    self.step(News::Report(&report), now_ns, actions, &mut outputs);
                    actions.insert(place, Action::Exchange { report, bus_silent });
                }
            }
        }
    }

    /// What a report teaches about frame count bits and the bus.
    fn note(&mut self, report: &Report, actions: &mut Vec<Action>) {
        let station = report.station;
        match (report.outcome, self.asked.take()) {
            (Ok(_), Some(Asked::Initialise)) => self.fcb.begun(station),
            // A selection begins the link of 253 anew.
            (Ok(_), Some(Asked::Send(payload))) if is_selection(&payload) => {
                self.fcb.begun(station);
            }
            (Ok(_), _) => self.fcb.answered(station),
            (Err(_), _) => self.fcb.lost(station),
        }
        if station == Station::All {
            self.fcb.all_lost();
        }
        let meter = self.running.as_ref().and_then(|(_, meter)| meter.as_ref());
        let told = self.health.heard(meter, report);
        actions.extend(told.into_iter().map(Action::Evidence));
    }

    fn step(
        &mut self,
        news: News<'_>,
        now_ns: u64,
        actions: &mut Vec<Action>,
        outputs: &mut VecDeque<Output>,
    ) {
        let mut news = news;
        loop {
            let Some((running, _)) = &mut self.running else {
                return;
            };
            match running.next(news) {
                Step::Ask(request) => return self.ask(request, now_ns, outputs),
                Step::Speed(baud) => {
                    self.turn(baud, actions);
                    news = News::Ready;
                }
                Step::Done => return self.done(actions),
            }
        }
    }

    fn ask(&mut self, request: Request, now_ns: u64, outputs: &mut VecDeque<Output>) {
        self.token = self.token.wrapping_add(1);
        // Where nothing is known, a link begins with 1.
        let fcb = self.fcb.next(request.station).unwrap_or(true);
        let frame = request.frame(fcb);
        self.asked = Some(request.asked.clone());
        let mut out = Vec::new();
        self.link.ask(self.token, request, frame, now_ns, &mut out);
        outputs.extend(out);
    }

    fn turn(&mut self, baud: u32, actions: &mut Vec<Action>) {
        if self.link.timing().baud() != baud {
            let timing = Timing::new(baud).with_latency(self.latency_ns);
            self.link.set_timing(timing);
            actions.push(Action::Speed(baud));
        }
    }

    fn done(&mut self, actions: &mut Vec<Action>) {
        let Some((running, meter)) = self.running.take() else {
            return;
        };
        let outcome = running.outcome();
        if let (Some(meter), Outcome::Read(readout)) = (meter, &outcome)
            && let Some(kept) = readout.telegrams.last()
        {
            let number = kept.speaker.and_then(|speaker| speaker.access_number);
            self.health.answered(&meter, number);
        }
        if let Outcome::Read(Readout {
            failure: Some(Failure::TooManyTelegrams),
            ..
        }) = &outcome
            && let Some(meter) = meter
        {
            // The meter is in the midst of its telegrams.
            self.fcb.lost(meter.station());
        }
        actions.push(Action::Done(outcome));
    }
}

fn is_selection(payload: &[u8]) -> bool {
    matches!(payload.first(), Some(0x52 | 0x56))
}
