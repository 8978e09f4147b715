//! One round: which questions are put, what counts as their answer, and the reading they make.
//!
//! One question is out at a time, so that the daemon's queue and ours never fill: a daemon that cannot
//! send waits, and a clock that waits for its reader is worse than no reader.

use super::message::{Body, Client, GET_BYTES, Message, decode, get};
use super::sets::{
    Current, DataSet, DefaultData, HardwareClock, Id, Parent, PortData, PortProperties,
    PortServiceStats, PortStats, TimeProperties, TimeStatus,
};
use crate::limits::PTP_PORTS_MAX;
use crate::reading::{Fault, PowerProfile, PtpPort, PtpReading};
use alloc::vec::Vec;
use evidence::UtcNs;

/// The questions in their order: what is measured stands together, so that a Sync seldom comes between.
/// The last four are answered by some versions only: of them 3.1.1 knows the properties alone.
const QUESTIONS: &[(Id, Need, Answers)] = &[
    (Id::Default, Need::Required, Answers::One),
    (Id::TimeProperties, Need::Required, Answers::One),
    (Id::Parent, Need::Required, Answers::One),
    (Id::TimeStatus, Need::Required, Answers::One),
    (Id::Current, Need::Required, Answers::One),
    (Id::PortStats, Need::Required, Answers::OfEachPort),
    (Id::PortData, Need::Required, Answers::OfEachPort),
    (Id::PortProperties, Need::Optional, Answers::OfEachPort),
    (Id::PortServiceStats, Need::Optional, Answers::OfEachPort),
    (Id::HardwareClock, Need::Optional, Answers::OfEachPort),
    (Id::PowerProfile, Need::Optional, Answers::OfEachPort),
];

/// How many questions a round has at most; the next round's first number is this much higher.
#[expect(clippy::cast_possible_truncation, reason = "a constant, eleven")]
pub(crate) const QUESTIONS_MAX: u16 = QUESTIONS.len() as u16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Required,
    Optional,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    One,
    OfEachPort,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It answers the question that is out.
    Taken,
    /// An answer that was there already.
    Repeated,
    /// A push: the state of a port, a measurement, a new parent.
    Pushed(DataSet),
    /// For somebody else, or too late.
    Foreign,
}

/// A round of questions to one daemon.
#[derive(Clone, Debug)]
pub struct Round {
    client: Client,
    first_sequence: u16,
    /// Which question.
    at: usize,
    out: bool,
    fault: Option<Fault>,
    /// The ports that answered the question that is out.
    answered: Vec<u16>,
    gathered: Gathered,
}

#[derive(Clone, Debug, Default)]
struct Gathered {
    default: Option<DefaultData>,
    current: Option<Current>,
    parent: Option<Parent>,
    time_properties: Option<TimeProperties>,
    time_status: Option<TimeStatus>,
    ports: Vec<PortData>,
    properties: Vec<PortProperties>,
    stats: Vec<PortStats>,
    service_stats: Vec<PortServiceStats>,
    hardware_clocks: Vec<HardwareClock>,
    power_profiles: Vec<(u16, PowerProfile)>,
}

impl Round {
    /// How many sequence numbers a round takes: the next one begins that much later.
    pub const SEQUENCES: u16 = QUESTIONS_MAX;

    /// A round whose questions are numbered from `first_sequence`.
    #[must_use]
    pub fn new(client: Client, first_sequence: u16) -> Self {
        Self {
            client,
            first_sequence,
            at: 0,
            out: false,
            fault: None,
            answered: Vec::new(),
            gathered: Gathered::default(),
        }
    }

    /// The next request to send; `None` while one is out, and when nothing is left to ask.
    pub fn request(&mut self) -> Option<[u8; GET_BYTES]> {
        if self.out || self.fault.is_some() {
            return None;
        }
        let (id, _, _) = QUESTIONS.get(self.at)?;
        self.out = true;
        Some(get(self.client, self.sequence(), *id))
    }

    /// Whether a question is out and unanswered.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.out && !self.is_complete()
    }

    /// Whether nothing is left to ask.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.fault.is_some() || self.at >= QUESTIONS.len()
    }

    /// The question that is out stays unanswered: one that is needed ends the round as
    /// [`Fault::Silent`], another one is left out.
    pub fn give_up(&mut self) {
        match QUESTIONS.get(self.at) {
            Some((_, Need::Required, _)) => self.fail(Fault::Silent),
            Some(_) => self.advance(),
            None => {}
        }
    }

    /// Takes a message that came in. One that cannot be read ends the round: the daemon, or whoever
    /// speaks in its place, is not understood.
    pub fn accept(&mut self, bytes: &[u8]) -> Accepted {
        let message = match decode(bytes) {
            Ok(message) => message,
            Err(what) => {
                self.fail(Fault::Malformed(what));
                return Accepted::Foreign;
            }
        };
        if message.to_port != self.client.port {
            return Accepted::Foreign;
        }
        self.judge(message)
    }

    fn judge(&mut self, message: Message) -> Accepted {
        let mine = message.sequence == self.sequence() && self.out;
        let question = QUESTIONS.get(self.at).copied().filter(|_| mine);
        match (message.body, question) {
            (Body::Set(set), Some((id, _, answers))) if set.id() == id => {
                self.answer(message.from.port, set, answers)
            }
            (Body::Refused { id, .. }, Some((asked, need, _))) if id == asked.number() => {
                match need {
                    Need::Required => self.fail(Fault::Unsupported(REFUSED)),
                    Need::Optional => self.advance(),
                }
                Accepted::Taken
            }
            (Body::Set(set), _) if self.is_earlier(message.sequence, set.id()) => {
                Accepted::Repeated
            }
            (Body::Set(set), _) if is_pushed(set.id()) => Accepted::Pushed(set),
            _ => Accepted::Foreign,
        }
    }

    /// Whether a question of this round that has been answered had this number.
    fn is_earlier(&self, sequence: u16, id: Id) -> bool {
        let index = usize::from(sequence.wrapping_sub(self.first_sequence));
        let same = QUESTIONS.get(index).is_some_and(|(asked, ..)| *asked == id);
        same && index < self.at
    }

    fn answer(&mut self, from_port: u16, set: DataSet, answers: Answers) -> Accepted {
        if answers == Answers::One {
            self.gathered.take(from_port, set);
            let ports = self.gathered.default.map_or(0, |default| default.ports);
            if usize::from(ports) > PTP_PORTS_MAX {
                self.fail(Fault::Unsupported("more ports than PTP_PORTS_MAX"));
            } else {
                self.advance();
            }
            return Accepted::Taken;
        }
        if self.answered.contains(&from_port) {
            return Accepted::Repeated;
        }
        self.answered.push(from_port);
        self.gathered.take(from_port, set);
        let due = self.gathered.default.map_or(1, |default| default.ports);
        if self.answered.len() >= usize::from(due) {
            self.advance();
        }
        Accepted::Taken
    }

    fn sequence(&self) -> u16 {
        let index = u16::try_from(self.at).unwrap_or(u16::MAX);
        self.first_sequence.wrapping_add(index)
    }

    fn advance(&mut self) {
        self.at += 1;
        self.out = false;
        self.answered.clear();
    }

    fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    /// The reading.
    ///
    /// # Errors
    ///
    /// The first fault, or [`Fault::Silent`] if the round is not complete.
    pub fn finish(self) -> Result<PtpReading, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.at < QUESTIONS.len() {
            return Err(Fault::Silent);
        }
        self.gathered.reading().ok_or(Fault::Silent)
    }
}

const REFUSED: &str = "the daemon refuses a data set that every version since 3.1 has";

/// What a subscription pushes.
fn is_pushed(id: Id) -> bool {
    matches!(id, Id::PortData | Id::TimeStatus | Id::Parent)
}

impl Gathered {
    fn take(&mut self, from_port: u16, set: DataSet) {
        match set {
            DataSet::Default(set) => self.default = Some(set),
            DataSet::Current(set) => self.current = Some(set),
            DataSet::Parent(set) => self.parent = Some(set),
            DataSet::TimeProperties(set) => self.time_properties = Some(set),
            DataSet::TimeStatus(set) => self.time_status = Some(set),
            DataSet::PortData(set) => self.ports.push(set),
            DataSet::PortProperties(set) => self.properties.push(set),
            DataSet::PortStats(set) => self.stats.push(set),
            DataSet::PortServiceStats(set) => self.service_stats.push(set),
            DataSet::HardwareClock(set) => self.hardware_clocks.push(set),
            DataSet::PowerProfile(Some(set)) => self.power_profiles.push((from_port, set)),
            DataSet::PowerProfile(None) => {}
        }
    }

    fn reading(self) -> Option<PtpReading> {
        let (default, current) = (self.default?, self.current?);
        let (parent, properties) = (self.parent?, self.time_properties?);
        let status = self.time_status?;
        let mut ports = Vec::new();
        for port in &self.ports {
            ports.push(self.port(port)?);
        }
        ports.sort_by_key(|port| port.number);
        Some(PtpReading {
            clock: default.clock,
            domain: default.domain,
            offset_ns: status.offset_ns,
            mean_path_delay_ns: self.mean_path_delay_ns(&current),
            ingress: (status.ingress_ns != 0).then_some(UtcNs(status.ingress_ns)),
            gm_present: status.gm_present,
            gm: parent.gm,
            gm_class: parent.class,
            gm_accuracy: parent.accuracy,
            gm_variance: parent.variance,
            gm_priorities: parent.priorities,
            steps_removed: current.steps_removed,
            utc_offset_s: properties.utc_offset_s,
            time_flags: properties.flags,
            time_source: properties.source,
            power_profile: self.power_profile(),
            ports,
        })
    }

    fn port(&self, port: &PortData) -> Option<PtpPort> {
        let number = port.port.port;
        let stats = self.stats.iter().find(|of| of.port.port == number)?;
        let properties = self.properties.iter().find(|of| of.port.port == number);
        let service = self.service_stats.iter().find(|of| of.port.port == number);
        let hardware = self
            .hardware_clocks
            .iter()
            .find(|of| of.port.port == number);
        Some(PtpPort {
            number,
            state: port.state,
            log_sync_interval: port.log_sync_interval,
            log_announce_interval: port.log_announce_interval,
            interface: properties.map(|of| of.interface.clone()),
            timestamping: properties.map(|of| of.timestamping),
            hardware_clock: hardware.and_then(|of| of.index),
            received: stats.received,
            mismatches: service.map(|of| of.mismatches),
        })
    }

    /// With peer delay CURRENT_DATA_SET stays at nought, and the port that follows knows the way to its
    /// neighbour.
    fn mean_path_delay_ns(&self, current: &Current) -> i64 {
        let follower = self.ports.iter().find(|of| of.state.follows());
        match current.mean_path_delay_ns {
            0 => follower.map_or(0, |of| of.peer_delay_ns),
            delay_ns => delay_ns,
        }
    }

    /// As the port has it that follows a master, or else the first.
    fn power_profile(&self) -> Option<PowerProfile> {
        let follows = |number: u16| {
            let port = self.ports.iter().find(|of| of.port.port == number);
            port.is_some_and(|port| port.state.follows())
        };
        let of_follower = self
            .power_profiles
            .iter()
            .find(|(port, _)| follows(*port))
            .or(self.power_profiles.first());
        of_follower.map(|(_, profile)| *profile)
    }
}
