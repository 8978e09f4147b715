//! What the log of the truth says of points.

use serde::Serialize;

/// What a line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PointEvent {
    /// A pulse was meant.
    Pulse,
    /// An edge that a card has.
    Edge,
    /// Edges that a card lost.
    Lost,
    /// A fault did something.
    Played,
    /// A register of a device was read.
    Read,
    /// A device, which is the point, did not answer.
    Silent,
    /// A modem was asked: its retransmissions and its quality in tenths, where it says them.
    Modem,
    /// A supply has another number, or none.
    Supply,
    /// A device answered with another state of a bit than before, or for the first time.
    Shown,
}

/// A line. Every key is on every line; `null` where it has no meaning.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PointLine<'a> {
    /// `CLOCK_MONOTONIC` of what it tells: an edge is told before its instant.
    pub(crate) mono_ns: u64,
    pub(crate) event: PointEvent,
    pub(crate) point: &'a str,
    /// The device that was asked.
    pub(crate) device: Option<&'a str>,
    /// The fault that struck.
    pub(crate) fault: Option<&'a str>,
    /// When it is over.
    pub(crate) until_ns: Option<u64>,
    /// The level behind an edge, or of a bit.
    pub(crate) rising: Option<bool>,
    /// The number of a pulse, from 1; how many edges are lost; how often a contact changes;
    /// the retransmissions of a modem.
    pub(crate) count: Option<u64>,
    /// What a register says; millivolts of a supply; the quality of a modem in tenths.
    pub(crate) raw: Option<i64>,
}

impl<'a> PointLine<'a> {
    /// A line that says nothing yet but when, what and of what.
    pub(crate) const fn new(mono_ns: u64, event: PointEvent, point: &'a str) -> Self {
        Self {
            mono_ns,
            event,
            point,
            device: None,
            fault: None,
            until_ns: None,
            rising: None,
            count: None,
            raw: None,
        }
    }
}
