//! What is allowed in a contract, and yet most likely not meant.

use crate::limits::{DAY_MS, HEAD_END};
use crate::load::load;
use crate::model::{Contract, PortKind, PtpMode, Table, Time};
use crate::rules::shown_ms;
use crate::station::CardKind;
use crate::words::word_of;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use evidence::{MeterId, PointId, ScheduleId, SourceId};

/// Something to look at before the contract is put in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// There is nothing to read.
    NoMeters,
    /// `[time]` names nothing that measures the clock.
    NothingMeasured,
    /// `[time]` says how ptp4l is read, and not where it is.
    PtpNowhere {
        /// The keys that say nothing so.
        keys: Vec<&'static str>,
    },
    /// A sender's time is trusted, and there is no way by which one offers it.
    NobodyOffers,
    /// A time is trusted of somebody who cannot offer it.
    UnknownSender(SourceId),
    /// Addresses that look like the old numbering, in which 40001 is the first holding register.
    OldNumbering {
        /// A meter.
        meter: MeterId,
        /// A point of it.
        point: PointId,
        /// What is written.
        written: String,
        /// What it says in the old numbering.
        meant: String,
        /// Points of which the same holds.
        more: usize,
    },
    /// No meter is on this port.
    UnusedPort(SourceId),
    /// What this card gives is played from a file.
    Recording(SourceId),
    /// Nothing is wired to this card.
    UnusedCard(SourceId),
    /// No meter follows this schedule.
    UnusedSchedule(ScheduleId),
    /// The slots of this schedule drift through the day.
    UnevenSchedule {
        /// The schedule.
        schedule: ScheduleId,
        /// Length of its slots.
        every_ms: u64,
    },
    /// Two ports reach the same server.
    SameAddress {
        /// The one.
        port: SourceId,
        /// The other.
        other: SourceId,
    },
    /// Even if every meter answers at once, the line cannot carry the schedules (R5.2).
    Overloaded {
        /// The port.
        port: SourceId,
        /// Share of the time that the line is needed.
        percent: u64,
    },
    /// If the meters fall silent, the timeouts alone exceed the schedules (R5.2).
    OverloadedWhenSilent {
        /// The port.
        port: SourceId,
        /// Share of the time that the timeouts take.
        percent: u64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMeters => write!(
                f,
                "the contract has no meters: the node will keep its log and read nothing"
            ),
            Self::NothingMeasured => write!(
                f,
                "[time] names no source: every stamp will say RTC_ONLY; `ptp`, `chrony` or a [[time.offered]] measures \
                 the clock"
            ),
            Self::PtpNowhere { keys } => write!(
                f,
                "[time] has {} and no `ptp`: without the socket of a ptp4l that says nothing",
                keys.join(", ")
            ),
            Self::NobodyOffers => write!(
                f,
                "a [[time.offered]] is trusted and there is no [uplink]: nobody offers the time"
            ),
            Self::UnknownSender(id) => write!(
                f,
                "[[time.offered]] \"{id}\": nobody of this name offers the time; the collector of [uplink] is \"{HEAD_END}\""
            ),
            Self::OldNumbering {
                meter,
                point,
                written,
                meant,
                more,
            } => {
                write!(
                    f,
                    "meter \"{meter}\", point \"{point}\": addresses count from 0, and {written} looks like the old \
                     numbering, in which it is \"{meant}\""
                )?;
                match more {
                    0 => Ok(()),
                    more => write!(f, "; so do {more} more points"),
                }
            }
            Self::Recording(card) => write!(
                f,
                "card \"{card}\" plays a recording: whatever comes from it is marked as a test"
            ),
            Self::UnusedCard(card) => write!(f, "card \"{card}\" has no points"),
            Self::UnusedPort(port) => write!(f, "port \"{port}\" has no meters"),
            Self::UnusedSchedule(schedule) => {
                write!(f, "schedule \"{schedule}\" has no meters")
            }
            Self::UnevenSchedule { schedule, every_ms } => write!(
                f,
                "schedule \"{schedule}\": {} does not divide a day, so its slots fall at other times every day",
                shown_ms(*every_ms)
            ),
            Self::SameAddress { port, other } => write!(
                f,
                "ports \"{other}\" and \"{port}\" have the same address: two connections to one server"
            ),
            Self::Overloaded { port, percent } => write!(
                f,
                "port \"{port}\": its reads need {percent} % of the time even if every meter answers at once; \
                 slots will be missed: read less often, raise the baud rate or split the line"
            ),
            Self::OverloadedWhenSilent { port, percent } => write!(
                f,
                "port \"{port}\": if its meters fall silent, waiting for them needs {percent} % of the time; \
                 slots may be missed: lower `timeout` or `retries`, or read less often"
            ),
        }
    }
}

impl Contract {
    /// What is allowed, and yet most likely not meant.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut out = Vec::new();
        if self.meters.is_empty() && self.points.is_empty() {
            out.push(Warning::NoMeters);
        }
        let unmeasured =
            |time: &Time| time.ptp.is_none() && time.chrony.is_none() && time.offered.is_empty();
        if self.time.as_ref().is_some_and(unmeasured) {
            out.push(Warning::NothingMeasured);
        }
        if let Some(time) = &self.time {
            let keys = ptp_keys(time);
            if time.ptp.is_none() && !keys.is_empty() {
                out.push(Warning::PtpNowhere { keys });
            }
            if self.uplink.is_none() && !time.offered.is_empty() {
                out.push(Warning::NobodyOffers);
            }
            let ids = time.offered.keys();
            let strange = ids.filter(|id| id.as_str() != HEAD_END).cloned();
            out.extend(strange.map(Warning::UnknownSender));
        }
        let mut addresses = BTreeMap::new();
        for (id, port) in &self.ports {
            if let PortKind::ModbusTcp { address } = &port.kind
                && let Some(other) = addresses.insert(address.as_str(), id)
            {
                out.push(Warning::SameAddress {
                    port: id.clone(),
                    other: other.clone(),
                });
            }
            let remote = self.points.has_port(id);
            if !remote && !self.meters.values().any(|meter| meter.port == *id) {
                out.push(Warning::UnusedPort(id.clone()));
            }
            let load = load(self, port);
            let port = id.clone();
            if load.answered_percent > 100 {
                let percent = load.answered_percent;
                out.push(Warning::Overloaded { port, percent });
            } else if load.silent_percent > 100 {
                let percent = load.silent_percent;
                out.push(Warning::OverloadedWhenSilent { port, percent });
            }
        }
        out.extend(self.old_numbering());
        for (id, card) in &self.points.cards {
            if card.kind == CardKind::Recording {
                out.push(Warning::Recording(id.clone()));
            }
            if self.points.on(id).is_empty() {
                out.push(Warning::UnusedCard(id.clone()));
            }
        }
        for (id, schedule) in &self.schedules {
            let by_points = self.points.schedules().any(|one| one == id);
            if !by_points && !self.meters.values().any(|meter| meter.schedule == *id) {
                out.push(Warning::UnusedSchedule(id.clone()));
            }
            if DAY_MS.checked_rem(schedule.every_ms) != Some(0) {
                out.push(Warning::UnevenSchedule {
                    schedule: id.clone(),
                    every_ms: schedule.every_ms,
                });
            }
        }
        out
    }
}

impl Contract {
    /// Points whose addresses look like the old numbering: the first, and how many more.
    fn old_numbering(&self) -> Option<Warning> {
        let points = self.meters.values();
        let points = points.flat_map(|meter| meter.points.iter().map(move |one| (meter, one)));
        let mut found = points.filter_map(|(meter, point)| {
            let register = point.register()?;
            let first = old_first(register.table)?;
            let meant = register.address.checked_sub(first)?;
            (meant < OLD_SPAN).then_some((meter, point, register, meant))
        });
        let (meter, point, register, meant) = found.next()?;
        let table = word_of(register.table);
        Some(Warning::OldNumbering {
            meter: meter.id.clone(),
            point: point.id.clone(),
            written: format!("{table}:{}", register.address),
            meant: format!("{table}:{meant}"),
            more: found.count(),
        })
    }
}

/// Registers of a table in the old numbering of five digits.
const OLD_SPAN: u16 = 9_999;

/// The number of a table's first register in the old numbering; coils begin at 1, which tells nothing.
const fn old_first(table: Table) -> Option<u16> {
    match table {
        Table::Coil => None,
        Table::Discrete => Some(10_001),
        Table::Input => Some(30_001),
        Table::Holding => Some(40_001),
    }
}

/// The keys that tell of ptp4l and are not what they would be if left out.
fn ptp_keys(time: &Time) -> Vec<&'static str> {
    let stated = [
        ("`ptp_mode`", time.ptp_mode != PtpMode::Disciplines),
        ("`ptp_domain`", time.ptp_domain.is_some()),
        ("`ptp_asymmetry`", time.ptp_asymmetry_us.is_some()),
        ("`ptp_timestamping`", time.ptp_timestamping.is_some()),
    ];
    let stated = stated.into_iter().filter(|(_, is)| *is);
    stated.map(|(key, _)| key).collect()
}
