//! ptp4l: a measurement is a Sync that was not there before, taken by a port that follows.
//!
//! `gmPresent`, the grandmaster's class and the offset itself stay as they are for ten seconds and more
//! when the grandmaster is gone, and for ever when only the event messages are lost. What moves with
//! every Sync is the time of its ingress and the counter of Syncs.

use super::measurement::{Measurement, Rejection, Verdict};
use crate::limits::{
    FRESH_NS_MIN, INGRESS_SLACK_NS, PATH_ANSWER_NS, PATH_FRESH_NS, UTC_OFFSET_NEAR_NS,
};
use crate::reading::{
    CardClockReading, ClockIdentity, PortState, PtpPort, PtpReading, SourceKind, Timestamping,
};
use crate::sample::ClockSample;
use evidence::{MonoNs, UtcNs};

/// What the site says of its PTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PtpPolicy {
    /// The daemon measures and does not steer; its port then stays uncalibrated for ever.
    pub free_running: bool,
    /// The domain; `None` for any.
    pub domain: Option<u8>,
    /// The worst clockClass that is believed: 6 locked, 7 in holdover within its specification.
    pub class_max: u8,
    /// The most by which one direction of the path may be longer, in nanoseconds. Where the site does not
    /// say, the whole mean path delay.
    pub asymmetry_ns: Option<u64>,
    /// How a port takes timestamps where the daemon does not tell; `None` where nobody says, and then
    /// nothing is believed: a card's offset says nothing of the node's clock.
    pub timestamping: Option<Timestamping>,
}

impl Default for PtpPolicy {
    fn default() -> Self {
        Self {
            free_running: false,
            domain: None,
            class_max: 7,
            asymmetry_ns: None,
            timestamping: None,
        }
    }
}

/// What was seen of ptp4l at the last look.
#[derive(Clone, Debug)]
pub struct PtpWatch {
    policy: PtpPolicy,
    ingress: Option<UtcNs>,
    syncs: u64,
    looked: Option<MonoNs>,
    card: Option<(MonoNs, CardClockReading)>,
    following: Option<Following>,
    /// The comparison of the clocks that found the node's clock moved.
    stepped: Option<MonoNs>,
}

/// Which master is followed by which port, and what was heard of the way to it.
#[derive(Clone, Copy, Debug)]
struct Following {
    port: u16,
    gm: ClockIdentity,
    since: MonoNs,
    /// Answers about the path's delay, counted by the daemon.
    delay_resp: u64,
    /// When the last of them came: before the first the daemon shows an offset and leaves it as it was, and long behind
    /// the last it goes on with the delay of then.
    answered: Option<MonoNs>,
}

impl PtpWatch {
    /// A watch that has seen nothing.
    #[must_use]
    pub const fn new(policy: PtpPolicy) -> Self {
        Self {
            policy,
            ingress: None,
            syncs: 0,
            looked: None,
            card: None,
            following: None,
            stepped: None,
        }
    }

    /// The node's clock was found moved by the comparison at `at`: what was compared with it is void.
    pub const fn void(&mut self, at: MonoNs) {
        self.card = None;
        self.stepped = Some(at);
    }

    /// Takes a comparison of the network card's clock with the node's.
    pub const fn compared(&mut self, card: CardClockReading, at: MonoNs) {
        self.card = Some((at, card));
    }

    /// The port that follows a master.
    #[must_use]
    pub fn follower<'a>(&self, reading: &'a PtpReading) -> Option<&'a PtpPort> {
        reading.ports.iter().find(|port| match port.state {
            PortState::Slave => true,
            PortState::Uncalibrated => self.policy.free_running,
            PortState::Initializing
            | PortState::Faulty
            | PortState::Disabled
            | PortState::Listening
            | PortState::PreMaster
            | PortState::Master
            | PortState::Passive
            | PortState::GrandMaster
            | PortState::Unknown(_) => false,
        })
    }

    /// Whether it only measures: it leaves every clock alone then.
    #[must_use]
    pub const fn is_free_running(&self) -> bool {
        self.policy.free_running
    }

    /// Whether the daemon steers the node's own clock by what it measures. It steers the clock that takes its
    /// port's timestamps, unless it is told to measure alone. A port that waits for a step is uncalibrated.
    #[must_use]
    pub fn steers(&self, reading: &PtpReading) -> bool {
        let own = |port: &PtpPort| {
            let timestamping = port.timestamping.or(self.policy.timestamping);
            matches!(port.state, PortState::Slave | PortState::Uncalibrated)
                && timestamping == Some(Timestamping::Software)
        };
        !self.policy.free_running && reading.ports.iter().any(own)
    }

    /// Judges a reading that was there at `at`; `clock` relates UTC to monotonic time.
    pub fn judge(&mut self, reading: &PtpReading, at: MonoNs, clock: &ClockSample) -> Verdict {
        let syncs = reading
            .ports
            .iter()
            .fold(0u64, |sum, port| sum.saturating_add(port.received.sync));
        let last = self.looked.replace(at);
        let moved = reading.ingress.is_some() && reading.ingress != self.ingress;
        let heard = syncs > self.syncs;
        // After a restart of the daemon its counters begin again.
        self.syncs = syncs;
        self.ingress = reading.ingress;
        let Some(port) = self.follower(reading) else {
            self.following = None;
            return Verdict::Rejected(Rejection::NotFollowing);
        };
        let following = self.follow(reading, port, at);
        let card = match self.comparison(port, at, following.since) {
            Ok(card) => card,
            Err(verdict) => return verdict,
        };
        // What the card's clock is ahead of the node's, TAI taken out.
        let ahead_ns = card.map_or(0, |card| {
            let tai_ns = i64::from(reading.utc_offset_s).saturating_mul(1_000_000_000);
            card.difference_ns.saturating_sub(tai_ns)
        });
        let offset_ns = reading.offset_ns.saturating_sub(ahead_ns);
        if let Some(rejection) = self.rejection(reading, offset_ns) {
            return Verdict::Rejected(rejection);
        }
        // The first look cannot tell a measurement from a frozen one.
        let (true, true, Some(ingress), Some(last)) = (moved, heard, reading.ingress, last) else {
            return Verdict::Nothing;
        };
        match following.answered {
            None if at.since(following.since) <= PATH_ANSWER_NS => return Verdict::Nothing,
            Some(answered) if at.since(answered) <= PATH_FRESH_NS => {}
            _ => return Verdict::Rejected(Rejection::PathUnknown),
        }
        let ingress = UtcNs(
            ingress
                .0
                .saturating_sub(card.map_or(0, |card| card.difference_ns)),
        );
        Verdict::Measured(Measurement {
            source: SourceKind::Ptp,
            // No clock of now dates a Sync of before a step.
            taken: if self.stepped == Some(clock.mono) {
                last
            } else {
                taken(ingress, last, at, clock)
            },
            offset_ns,
            uncertainty_ns: accuracy_ns(reading)
                .saturating_add(card.map_or(0, |card| card.read_uncertainty_ns)),
            asymmetry_ns: self
                .policy
                .asymmetry_ns
                .unwrap_or(reading.mean_path_delay_ns.unsigned_abs()),
            interval_ns: interval_ns(port.log_sync_interval),
        })
    }

    /// Follows who is followed. What it says of an answer is what was so before this look: the offset that
    /// an answer makes sound comes with the next Sync.
    fn follow(&mut self, reading: &PtpReading, port: &PtpPort, at: MonoNs) -> Following {
        let delay_resp = port.received.delay_resp;
        let known = self.following.filter(|of| {
            (of.port, of.gm) == (port.number, reading.gm) && of.delay_resp <= delay_resp
        });
        let before = known.unwrap_or(Following {
            port: port.number,
            gm: reading.gm,
            since: at,
            delay_resp,
            answered: None,
        });
        self.following = Some(Following {
            delay_resp,
            answered: match delay_resp > before.delay_resp {
                true => Some(at),
                false => before.answered,
            },
            ..before
        });
        before
    }

    /// The comparison of the card's clock that goes with the port's timestamps, where they are the card's;
    /// what is to be said where there is none.
    fn comparison(
        &self,
        port: &PtpPort,
        at: MonoNs,
        since: MonoNs,
    ) -> Result<Option<CardClockReading>, Verdict> {
        match port.timestamping.or(self.policy.timestamping) {
            None => return Err(Verdict::Rejected(Rejection::TimestampingUnknown)),
            Some(Timestamping::Software) => return Ok(None),
            Some(Timestamping::Hardware | Timestamping::Unknown(_)) => {}
        }
        let fresh = self.card.filter(|(then, card)| {
            at.since(*then) <= FRESH_NS_MIN && Some(card.index) == port.hardware_clock
        });
        if let Some((_, card)) = fresh {
            return Ok(Some(card));
        }
        // Behind a step, or with another port, the next comparison has yet to come.
        let since = self.stepped.map_or(since, |stepped| stepped.max(since));
        if port.hardware_clock.is_some() && at.since(since) <= FRESH_NS_MIN {
            Err(Verdict::Nothing)
        } else {
            Err(Verdict::Rejected(Rejection::CardClock))
        }
    }

    fn rejection(&self, reading: &PtpReading, offset_ns: i64) -> Option<Rejection> {
        if self
            .policy
            .domain
            .is_some_and(|domain| domain != reading.domain)
        {
            return Some(Rejection::ForeignDomain);
        }
        if whole_seconds(offset_ns).is_some() {
            return Some(Rejection::WholeSeconds);
        }
        if reading.gm_class > self.policy.class_max {
            return Some(Rejection::Class);
        }
        (reading.gm_accuracy == WORSE_THAN_10_S).then_some(Rejection::Inaccurate)
    }
}

/// The instant of an ingress, which lies between two looks; where the clock moved between them, the earlier.
fn taken(ingress: UtcNs, last: MonoNs, at: MonoNs, clock: &ClockSample) -> MonoNs {
    let mono_ns = i128::from(ingress.0) - clock.difference_ns();
    let slack_ns = i128::from(INGRESS_SLACK_NS);
    let within = mono_ns + slack_ns >= i128::from(last.0) && mono_ns <= i128::from(at.0) + slack_ns;
    let taken = u64::try_from(mono_ns).ok().filter(|_| within);
    taken.map_or(last, |taken| MonoNs(taken.min(at.0)))
}

/// Seconds, where an offset is so near to whole ones that it is no measurement but a mistake.
#[must_use]
pub(crate) fn whole_seconds(offset_ns: i64) -> Option<i64> {
    const SECOND_NS: i64 = 1_000_000_000;
    let half = if offset_ns < 0 {
        -SECOND_NS / 2
    } else {
        SECOND_NS / 2
    };
    let seconds = offset_ns.saturating_add(half) / SECOND_NS;
    let rest_ns = offset_ns.saturating_sub(seconds.saturating_mul(SECOND_NS));
    (seconds != 0 && rest_ns.unsigned_abs() <= UTC_OFFSET_NEAR_NS).then_some(seconds)
}

/// Nanoseconds of two to the power of `log_s` seconds, for intervals between 1/128 s and 128 s.
#[must_use]
pub(crate) fn interval_ns(log_s: i8) -> u64 {
    const SECOND_NS: u64 = 1_000_000_000;
    let power = log_s.clamp(-7, 7);
    if power < 0 {
        SECOND_NS >> power.unsigned_abs()
    } else {
        SECOND_NS << power.unsigned_abs()
    }
}

/// A clockAccuracy that says: worse than ten seconds (IEEE 1588-2008, table 6).
const WORSE_THAN_10_S: u8 = 0x31;

/// The accuracy that the grandmaster states (IEEE 1588-2008, table 6; below 25 ns IEEE 1588-2019, table 5), or what the
/// power profile states where that is more. Codes that the tables leave out state nothing.
fn accuracy_ns(reading: &PtpReading) -> u64 {
    let stated = match reading.gm_accuracy {
        0x17..=0x20 => 25,
        0x21 => 100,
        0x22 => 250,
        0x23 => 1_000,
        0x24 => 2_500,
        0x25 => 10_000,
        0x26 => 25_000,
        0x27 => 100_000,
        0x28 => 250_000,
        0x29 => 1_000_000,
        0x2a => 2_500_000,
        0x2b => 10_000_000,
        0x2c => 25_000_000,
        0x2d => 100_000_000,
        0x2e => 250_000_000,
        0x2f => 1_000_000_000,
        0x30 => 10_000_000_000,
        // Not stated: the class is what vouches for it then. Worse than ten seconds is refused.
        ..=0x16 | WORSE_THAN_10_S.. => 1_000_000,
    };
    let Some(profile) = reading.power_profile else {
        return stated;
    };
    // The edition of 2011 states the parts, that of 2017 their sum.
    let of = |ns: Option<u32>| ns.map_or(0, u64::from);
    stated
        .max(of(profile.gm_inaccuracy_ns))
        .saturating_add(of(profile.network_inaccuracy_ns))
        .max(of(profile.total_inaccuracy_ns))
}
