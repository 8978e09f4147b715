//! What the last looks at ptp4l show together.

use super::flow::Counted;
use super::motion::Track;
use super::table::{
    Claims, Flow, Flows, Motion, Motions, Port, Worth, claims_cause, flow_cause, motion_cause,
};
use crate::fresh::whole_seconds;
use crate::limits::{
    FLOW_CALM_NS, FLOW_LOST_PERCENT, FLOW_STOPPED_NS_MIN, MOTION_DELAYS, MOTION_POINTS_MAX,
    MOTION_SETTLES_NS, MOTION_WAIT_NS, PORT_SETTLES_NS,
};
use crate::reading::{ClockIdentity, PortState, PtpPort, PtpReading};
use alloc::vec::Vec;
use core::cmp::Ordering;
use evidence::MonoNs;
use evidence::reasons::TimeCause;

/// Something that is not as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Messages do not arrive.
    Lost { cause: TimeCause, missing: u64 },
    /// They arrive again, so many nanoseconds after their loss was told.
    Arrive { after_ns: u64 },
    /// The grandmaster claims something else.
    Claims(TimeCause),
    /// Offset or delay moved.
    Motion {
        cause: TimeCause,
        offset_ns: i128,
        delay_ns: i128,
    },
    /// The port that follows changed its state.
    PortState { from: PortState, to: PortState },
}

const fn port_of(state: PortState) -> Port {
    match state {
        PortState::Slave | PortState::Uncalibrated => Port::Follows,
        PortState::Faulty | PortState::Disabled => Port::Down,
        PortState::Initializing
        | PortState::Listening
        | PortState::PreMaster
        | PortState::Master
        | PortState::Passive
        | PortState::GrandMaster
        | PortState::Unknown(_) => Port::Left,
    }
}

/// Which figures of the grandmaster are compared from look to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Claimed {
    gm: ClockIdentity,
    domain: u8,
    class: u8,
    accuracy: u8,
    traceable: bool,
    utc_offset_s: i16,
    utc_valid: bool,
    ptp_timescale: bool,
    leap: u8,
    whole_seconds: Option<i64>,
}

impl Claimed {
    fn of(reading: &PtpReading) -> Self {
        Self {
            gm: reading.gm,
            domain: reading.domain,
            class: reading.gm_class,
            accuracy: reading.gm_accuracy,
            traceable: reading.time_flags & 0x10 != 0,
            utc_offset_s: reading.utc_offset_s,
            utc_valid: reading.time_flags & 0x04 != 0,
            ptp_timescale: reading.time_flags & 0x08 != 0,
            leap: reading.time_flags & 0x03,
            whole_seconds: whole_seconds(reading.offset_ns),
        }
    }

    /// What it claims to be worth, less is better: its class, then whether that is traceable, then its accuracy,
    /// whose codes rise with the error (IEEE 1588-2008, 7.6.2.4 and 7.6.2.5).
    const fn worth(&self) -> (u8, bool, u8) {
        (self.class, !self.traceable, self.accuracy)
    }

    fn against(&self, before: &Self) -> Claims {
        Claims {
            identity: (self.gm, self.domain) != (before.gm, before.domain),
            class: match self.worth().cmp(&before.worth()) {
                Ordering::Less => Worth::Better,
                Ordering::Equal => Worth::Same,
                Ordering::Greater => Worth::Worse,
            },
            // On a timescale of its own a master's number says nothing of its time.
            utc_offset: self.ptp_timescale
                && (self.utc_offset_s, self.utc_valid) != (before.utc_offset_s, before.utc_valid),
            leap: self.leap != before.leap,
            whole_seconds: self.whole_seconds.is_some()
                && self.whole_seconds != before.whole_seconds,
        }
    }
}

/// An offset that moved and waits for the delay to say whether the path did.
#[derive(Clone, Copy, Debug)]
struct Pending {
    since: MonoNs,
    /// Delays measured until then.
    delays: u64,
    motions: Motions,
    offset_ns: i128,
    delay_ns: i128,
    /// Where the two stood.
    before_ns: (i128, i128),
}

/// The last looks, condensed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looks {
    claimed: Option<Claimed>,
    port: Option<PortState>,
    /// Whose counters are followed.
    number: Option<u16>,
    port_since: MonoNs,
    flow: Option<TimeCause>,
    /// When a loss of messages was told first, and since when nothing shows it.
    lost_since: MonoNs,
    calm_since: Option<MonoNs>,
    sync: Counted,
    follow_up: Counted,
    announce: Counted,
    /// When the first Announce came after the Syncs had ended.
    announced: Option<MonoNs>,
    delay_resp: u64,
    /// Delays measured in all.
    delays: u64,
    offset: Track,
    delay: Track,
    pending: Option<Pending>,
    drifting: bool,
    /// Offsets taken until the last look that showed some movement.
    moving_until: usize,
}

impl Looks {
    /// Nanoseconds between Syncs as they arrive.
    pub(crate) fn sync_interval_ns(&self) -> Option<u64> {
        self.sync.interval_ns()
    }

    /// Messages that should have come in the last seconds and did not.
    pub(crate) fn missing(&self) -> u64 {
        self.sync.missing().max(self.follow_up.missing())
    }

    /// How far the last offsets scatter, in nanoseconds.
    pub(crate) fn jitter_ns(&self) -> Option<u64> {
        self.offset.spread_ns()
    }

    /// Takes a look. `own_ns` is how far the node's clock was moved by itself, in all: taken out of the
    /// offset, what remains is the master's. `measured` says that the offset is a new one.
    pub(crate) fn take(
        &mut self,
        reading: &PtpReading,
        port: Option<&PtpPort>,
        at: MonoNs,
        own_ns: i128,
        measured: bool,
    ) -> Vec<Sign> {
        let mut signs = Vec::new();
        let follows = port.is_some();
        // The follower, or the port that was it, or would be.
        let was = |of: &&PtpPort| Some(of.number) == self.number;
        let was = reading.ports.iter().find(was);
        let Some(port) = port.or(was).or_else(|| reading.ports.first()) else {
            return signs;
        };
        // The counters of two ports say nothing of each other.
        if self.number.replace(port.number) != Some(port.number) {
            self.sync = Counted::default();
            self.follow_up = Counted::default();
            self.announce = Counted::default();
            self.announced = None;
            self.delay_resp = port.received.delay_resp;
            self.forget_motion();
        }
        self.port_signs(port.state, at, &mut signs);
        self.sync.take(at, port.received.sync);
        self.follow_up.take(at, port.received.follow_up);
        self.announce.take(at, port.received.announce);
        self.announced = match self.announce.went_on_after(&self.sync) {
            true => self.announced.or(Some(at)),
            false => None,
        };
        self.flow_signs(at, &mut signs);
        // Who follows nobody calls himself the grandmaster, and does so before his port says it.
        let alone = matches!(
            self.flow,
            Some(TimeCause::GrandmasterSilent | TimeCause::LinkDown)
        );
        if follows && !alone {
            self.claims_signs(reading, &mut signs);
        }
        if measured && whole_seconds(reading.offset_ns).is_none() {
            self.offset.push(i128::from(reading.offset_ns) - own_ns);
        }
        if port.received.delay_resp != self.delay_resp {
            let since = port.received.delay_resp.saturating_sub(self.delay_resp);
            self.delays = self.delays.saturating_add(since);
            self.delay_resp = port.received.delay_resp;
            self.delay.push(reading.mean_path_delay_ns.into());
        }
        self.motion_signs(at, &mut signs);
        signs
    }

    /// Forgets how offset and delay moved: another master, or the node's own clock was set.
    pub(crate) fn forget_motion(&mut self) {
        self.offset.clear();
        self.delay.clear();
        self.pending = None;
        self.drifting = false;
    }

    /// Why messages do not arrive, silences from `quiet_ns` on taken for an end.
    pub(crate) fn flow_cause(&self, now: MonoNs, quiet_ns: u64) -> Option<TimeCause> {
        let settling = now.since(self.port_since) < PORT_SETTLES_NS;
        let port = match port_of(self.port?) {
            // A link that comes up again is no silent master yet, and neither is a daemon that begins.
            Port::Left if settling && self.flow == Some(TimeCause::LinkDown) => Port::Down,
            Port::Left if settling => Port::Follows,
            port => port,
        };
        let sync = self.sync.flow(now, quiet_ns);
        // An Announce from before the Syncs ended says nothing of now, and neither does the first one of a master that is back: its
        // Syncs are due.
        let announced = |since: MonoNs| now.since(since) >= quiet_ns;
        let announce = match self.announce.flow(now, quiet_ns) {
            Flow::Flowing | Flow::Thinned
                if sync == Flow::Stopped && !self.announced.is_some_and(announced) =>
            {
                Flow::Stopped
            }
            flow => flow,
        };
        flow_cause(Flows {
            port,
            sync,
            follow_up: self.follow_up.flow(now, quiet_ns),
            announce,
        })
    }

    fn port_signs(&mut self, to: PortState, at: MonoNs, signs: &mut Vec<Sign>) {
        let from = self.port.replace(to);
        if from != Some(to) {
            self.port_since = at;
            signs.extend(from.map(|from| Sign::PortState { from, to }));
        }
    }

    fn flow_signs(&mut self, at: MonoNs, signs: &mut Vec<Sign>) {
        let Some(cause) = self.flow_cause(at, FLOW_STOPPED_NS_MIN) else {
            self.flow_returns(at, signs);
            return;
        };
        self.calm_since = None;
        if self.flow.is_none() {
            self.lost_since = at;
        }
        if self.flow.replace(cause) != Some(cause) {
            let missing = self.missing();
            signs.push(Sign::Lost { cause, missing });
        }
    }

    /// What was lost in part is over when nothing shows it for a while; what had ended, when it is here again.
    fn flow_returns(&mut self, at: MonoNs, signs: &mut Vec<Sign>) {
        let Some(lost) = self.flow else { return };
        if self.sync.is_late(at) || self.follow_up.is_late(at) {
            return;
        }
        if lost == TimeCause::PacketLoss {
            let percent = FLOW_LOST_PERCENT / 2;
            if self.sync.is_thinned(percent) || self.follow_up.is_thinned(percent) {
                self.calm_since = None;
                return;
            }
            if at.since(*self.calm_since.get_or_insert(at)) < FLOW_CALM_NS {
                return;
            }
        }
        self.flow = None;
        self.calm_since = None;
        let after_ns = at.since(self.lost_since);
        signs.push(Sign::Arrive { after_ns });
    }

    fn claims_signs(&mut self, reading: &PtpReading, signs: &mut Vec<Sign>) {
        let claimed = Claimed::of(reading);
        let Some(before) = self.claimed.replace(claimed) else {
            return;
        };
        let claims = claimed.against(&before);
        if let Some(cause) = claims_cause(claims) {
            signs.push(Sign::Claims(cause));
        }
        if claims.identity {
            self.forget_motion();
        }
    }

    fn motion_signs(&mut self, at: MonoNs, signs: &mut Vec<Sign>) {
        let (offset, delay) = (self.offset.moved(), self.delay.moved());
        if offset.motion != Motion::Steady {
            self.moving_until = self.offset.taken();
        }
        // A tail that lies within the noise at one look stands out of it at the next: only when all values of the
        // drift have left is it over.
        let still = self.offset.taken().wrapping_sub(self.moving_until);
        self.drifting &= still < MOTION_POINTS_MAX;
        let moves = match offset.motion {
            // The tail of a drift that has ended looks like a jump too.
            Motion::Jumped => !self.drifting || offset.is_newest,
            Motion::Drifting => !self.drifting,
            Motion::Steady | Motion::Unknown => false,
        };
        if self.pending.is_none() && (moves || delay.motion == Motion::Jumped) {
            self.pending = Some(Pending {
                since: at,
                delays: self.delays,
                motions: Motions {
                    offset: offset.motion,
                    delay: delay.motion,
                },
                offset_ns: offset.by_ns,
                delay_ns: delay.by_ns,
                before_ns: (offset.from_ns, delay.from_ns),
            });
        }
        let Some(pending) = &mut self.pending else {
            return;
        };
        if delay.motion == Motion::Jumped {
            pending.motions.delay = Motion::Jumped;
            if delay.by_ns.abs() > pending.delay_ns.abs() {
                pending.delay_ns = delay.by_ns;
            }
        }
        // What began as a jump and goes on was the beginning of a drift, and the reverse.
        if matches!(offset.motion, Motion::Jumped | Motion::Drifting) {
            pending.motions.offset = offset.motion;
            if offset.by_ns.abs() > pending.offset_ns.abs() {
                pending.offset_ns = offset.by_ns;
            }
        }
        let waited_ns = at.since(pending.since);
        let heard = self.delays.saturating_sub(pending.delays) >= MOTION_DELAYS;
        if waited_ns < MOTION_WAIT_NS && !(heard && waited_ns >= MOTION_SETTLES_NS) {
            return;
        }
        let Pending {
            mut motions,
            offset_ns,
            delay_ns,
            before_ns,
            ..
        } = *pending;
        self.pending = None;
        // Late stamps of a busy moment are no jump of anybody's clock.
        if motions.offset == Motion::Jumped && offset.is_back_at(before_ns.0) {
            motions.offset = Motion::Steady;
        }
        if motions.delay == Motion::Jumped && delay.is_back_at(before_ns.1) {
            motions.delay = Motion::Steady;
        }
        // A path hides no more than its own length, before and after: what is further is the master's.
        let hidden_ns = before_ns.1.abs() + delay.to_ns.abs() + offset.noise_ns.max(0);
        if motions.offset == Motion::Jumped && offset_ns.abs() > hidden_ns {
            motions.delay = Motion::Steady;
        }
        self.drifting = motions.offset == Motion::Drifting;
        if !self.drifting {
            self.offset.settle();
        }
        self.delay.settle();
        if let Some(cause) = motion_cause(motions) {
            signs.push(Sign::Motion {
                cause,
                offset_ns,
                delay_ns,
            });
        }
    }
}
