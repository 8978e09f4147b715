//! The declared tables: what each aspect of a source shows, and its cause.
//!
//! Three aspects are judged apart, for they fail apart: what arrives, what the grandmaster claims, and
//! how offset and delay move. Where nothing arrives, nothing is said of motion.

use evidence::reasons::TimeCause;

/// Messages of one kind over the last seconds, against what their interval promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flow {
    /// As many as promised.
    Flowing,
    /// Some are missing.
    Thinned,
    /// None.
    Stopped,
    /// This kind was never seen: a one-step master sends no Follow_Up.
    Unused,
}

impl Flow {
    /// Every value.
    pub const ALL: &'static [Self] = &[Self::Flowing, Self::Thinned, Self::Stopped, Self::Unused];
}

/// The port that follows, against what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Port {
    /// It follows.
    Follows,
    /// It listens, or is a master itself.
    Left,
    /// Its link is down, or it is switched off.
    Down,
}

impl Port {
    /// Every value.
    pub const ALL: &'static [Self] = &[Self::Follows, Self::Left, Self::Down];
}

/// What arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flows {
    /// The port.
    pub port: Port,
    /// Sync: the event path (UDP port 319).
    pub sync: Flow,
    /// Follow_Up: the general path (UDP port 320).
    pub follow_up: Flow,
    /// Announce: the general path. Where Syncs have stopped, only those since then, and not the first one before Syncs are due behind it.
    pub announce: Flow,
}

/// Why messages do not arrive; `None` where all is well.
#[must_use]
pub const fn flow_cause(flows: Flows) -> Option<TimeCause> {
    use Flow::{Flowing, Stopped, Thinned, Unused};
    let Flows {
        port,
        sync,
        follow_up,
        announce,
    } = flows;
    // A master that sends no Sync sends no Follow_Up either: then its Announces tell whether it is there.
    let general = matches!(follow_up, Flowing | Thinned) || matches!(announce, Flowing | Thinned);
    match (port, sync) {
        (Port::Down, _) => Some(TimeCause::LinkDown),
        (_, Stopped) if general => Some(TimeCause::EventPathLoss),
        (_, Stopped) => Some(TimeCause::GrandmasterSilent),
        (_, Flowing | Thinned) if matches!(follow_up, Stopped) => Some(TimeCause::GeneralPathLoss),
        (_, Flowing | Thinned) if matches!((follow_up, announce), (Unused, Stopped)) => {
            Some(TimeCause::GeneralPathLoss)
        }
        (_, Thinned) => Some(TimeCause::PacketLoss),
        (_, Flowing) if matches!(follow_up, Thinned) => Some(TimeCause::PacketLoss),
        (Port::Left, Unused) => Some(TimeCause::GrandmasterSilent),
        (Port::Left | Port::Follows, Flowing | Unused) => None,
    }
}

/// What a grandmaster says its clock is worth, against what it said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    /// The same.
    Same,
    /// Less.
    Worse,
    /// More.
    Better,
}

impl Worth {
    /// Every value.
    pub const ALL: &'static [Self] = &[Self::Same, Self::Worse, Self::Better];
}

/// What the grandmaster claims, against what it claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Another grandmaster or domain.
    pub identity: bool,
    /// Its class, accuracy or traceability.
    pub class: Worth,
    /// Its offset between TAI and UTC, or whether that holds.
    pub utc_offset: bool,
    /// A leap second is announced, or no longer.
    pub leap: bool,
    /// The offset from it is whole seconds.
    pub whole_seconds: bool,
}

/// Why the grandmaster is not what it was; `None` where it is.
#[must_use]
pub const fn claims_cause(claims: Claims) -> Option<TimeCause> {
    match claims {
        Claims { identity: true, .. } => Some(TimeCause::GrandmasterChange),
        Claims {
            utc_offset: true, ..
        }
        | Claims {
            whole_seconds: true,
            ..
        } => Some(TimeCause::UtcOffset),
        Claims {
            class: Worth::Better,
            ..
        } => Some(TimeCause::ClassImproved),
        Claims {
            class: Worth::Worse,
            ..
        } => Some(TimeCause::ClockClass),
        Claims { leap: true, .. } => Some(TimeCause::LeapSecond),
        Claims { .. } => None,
    }
}

/// How a figure moves, the node's own clock taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Motion {
    /// Within its noise.
    Steady,
    /// From one level to another.
    Jumped,
    /// Along a slope.
    Drifting,
    /// Too little was measured to say.
    Unknown,
}

impl Motion {
    /// Every value.
    pub const ALL: &'static [Self] = &[Self::Steady, Self::Jumped, Self::Drifting, Self::Unknown];
}

/// How offset and delay move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Motions {
    /// Offset from the master.
    pub offset: Motion,
    /// Mean path delay.
    pub delay: Motion,
}

/// Why offset and delay move; `None` where they do not, or too little is known.
///
/// One source cannot tell how much of a path's change is asymmetry: a delay that moved is a path that
/// changed, whatever the offset did.
#[must_use]
pub const fn motion_cause(motions: Motions) -> Option<TimeCause> {
    match (motions.offset, motions.delay) {
        (_, Motion::Jumped) => Some(TimeCause::PathAsymmetry),
        (Motion::Jumped, _) => Some(TimeCause::GrandmasterStep),
        (Motion::Drifting, Motion::Steady | Motion::Unknown) => Some(TimeCause::GrandmasterDrift),
        (Motion::Drifting | Motion::Steady | Motion::Unknown, Motion::Drifting) => {
            Some(TimeCause::PathAsymmetry)
        }
        (Motion::Steady | Motion::Unknown, Motion::Steady | Motion::Unknown) => None,
    }
}
