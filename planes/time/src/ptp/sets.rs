//! The data sets that are read, field by field (IEEE 1588-2008, 15.5.3, and linuxptp's own).

use super::message::PortIdentity;
use crate::bytes::Bytes;
use crate::reading::{
    ClockIdentity, PortState, PowerProfile, PtpCounts, PtpMismatches, Timestamping,
};
use alloc::string::String;

/// A management id, and with it a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Id {
    /// DEFAULT_DATA_SET.
    Default,
    /// CURRENT_DATA_SET.
    Current,
    /// PARENT_DATA_SET.
    Parent,
    /// TIME_PROPERTIES_DATA_SET.
    TimeProperties,
    /// PORT_DATA_SET.
    PortData,
    /// TIME_STATUS_NP.
    TimeStatus,
    /// SUBSCRIBE_EVENTS_NP.
    SubscribeEvents,
    /// PORT_PROPERTIES_NP.
    PortProperties,
    /// PORT_STATS_NP.
    PortStats,
    /// PORT_SERVICE_STATS_NP, from version 4.0 on.
    PortServiceStats,
    /// PORT_HWCLOCK_NP, from version 4.0 on.
    HardwareClock,
    /// POWER_PROFILE_SETTINGS_NP, from version 4.0 on.
    PowerProfile,
}

impl Id {
    /// Every id, with its number.
    pub const ALL: &'static [(Self, u16)] = &[
        (Self::Default, 0x2000),
        (Self::Current, 0x2001),
        (Self::Parent, 0x2002),
        (Self::TimeProperties, 0x2003),
        (Self::PortData, 0x2004),
        (Self::TimeStatus, 0xC000),
        (Self::SubscribeEvents, 0xC003),
        (Self::PortProperties, 0xC004),
        (Self::PortStats, 0xC005),
        (Self::PortServiceStats, 0xC007),
        (Self::HardwareClock, 0xC009),
        (Self::PowerProfile, 0xC00A),
    ];

    /// Its number on the wire.
    #[must_use]
    pub fn number(self) -> u16 {
        let found = Self::ALL.iter().find(|(id, _)| *id == self);
        found.map_or(0, |(_, number)| *number)
    }

    /// The id of a number, if it is one of these.
    #[must_use]
    pub fn of(number: u16) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, of)| *of == number);
        found.map(|(id, _)| *id)
    }
}

/// A data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataSet {
    /// The clock.
    Default(DefaultData),
    /// The path that was measured.
    Current(Current),
    /// The master and the grandmaster.
    Parent(Parent),
    /// What the grandmaster says of its timescale.
    TimeProperties(TimeProperties),
    /// One port.
    PortData(PortData),
    /// The offset that was measured, and when.
    TimeStatus(TimeStatus),
    /// Interface and timestamps of one port.
    PortProperties(PortProperties),
    /// Messages received by one port.
    PortStats(PortStats),
    /// Messages that one port could not pair up.
    PortServiceStats(PortServiceStats),
    /// The card's clock of one port.
    HardwareClock(HardwareClock),
    /// The power profile's inaccuracies, as one port has them; `None` where the profile is not in use.
    PowerProfile(Option<PowerProfile>),
}

/// DEFAULT_DATA_SET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultData {
    /// How many ports the clock has.
    pub ports: u16,
    /// The clock.
    pub clock: ClockIdentity,
    /// Its domain.
    pub domain: u8,
}

/// CURRENT_DATA_SET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// Clocks between the grandmaster and here.
    pub steps_removed: u16,
    /// Mean path delay, whole nanoseconds.
    pub mean_path_delay_ns: i64,
}

/// PARENT_DATA_SET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The port of the master.
    pub master: PortIdentity,
    /// The grandmaster's clockClass.
    pub class: u8,
    /// Its clockAccuracy.
    pub accuracy: u8,
    /// Its offsetScaledLogVariance.
    pub variance: u16,
    /// Its priorities 1 and 2.
    pub priorities: [u8; 2],
    /// The grandmaster.
    pub gm: ClockIdentity,
}

/// TIME_PROPERTIES_DATA_SET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeProperties {
    /// TAI minus UTC in seconds.
    pub utc_offset_s: i16,
    /// Its flags; [`crate::reading::PtpReading::time_flags`] has their order.
    pub flags: u8,
    /// timeSource.
    pub source: u8,
}

/// PORT_DATA_SET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortData {
    /// The port.
    pub port: PortIdentity,
    /// Its state.
    pub state: PortState,
    /// Mean delay of the path to the neighbour, in nanoseconds; 0 where the port does not measure that.
    pub peer_delay_ns: i64,
    /// Seconds between Announces as a power of two.
    pub log_announce_interval: i8,
    /// Seconds between Syncs as a power of two.
    pub log_sync_interval: i8,
}

/// TIME_STATUS_NP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeStatus {
    /// Local clock minus master, in nanoseconds.
    pub offset_ns: i64,
    /// Local clock at the last Sync, in nanoseconds since 1970; 0 where there was none.
    pub ingress_ns: i64,
    /// The flag "a grandmaster is present".
    pub gm_present: bool,
    /// The grandmaster.
    pub gm: ClockIdentity,
}

/// PORT_PROPERTIES_NP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortProperties {
    /// The port.
    pub port: PortIdentity,
    /// How it takes timestamps.
    pub timestamping: Timestamping,
    /// Its interface.
    pub interface: String,
}

/// PORT_STATS_NP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortStats {
    /// The port.
    pub port: PortIdentity,
    /// What it received.
    pub received: PtpCounts,
}

/// PORT_SERVICE_STATS_NP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortServiceStats {
    /// The port.
    pub port: PortIdentity,
    /// What did not pair up.
    pub mismatches: PtpMismatches,
}

/// PORT_HWCLOCK_NP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HardwareClock {
    /// The port.
    pub port: PortIdentity,
    /// N of the card's `/dev/ptpN`, `None` where it has no clock.
    pub index: Option<u32>,
}

impl DataSet {
    /// Takes the data of a TLV; longer ones than known are taken for their known part. `None` for an id
    /// that has no data to read.
    pub(crate) fn decode(id: Id, data: Bytes<'_>) -> Result<Option<Self>, &'static str> {
        let (set, short) = match id {
            Id::Default => (default(data).map(Self::Default), "a short DEFAULT_DATA_SET"),
            Id::Current => (current(data).map(Self::Current), "a short CURRENT_DATA_SET"),
            Id::Parent => (parent(data).map(Self::Parent), "a short PARENT_DATA_SET"),
            Id::TimeProperties => (
                time_properties(data).map(Self::TimeProperties),
                "a short TIME_PROPERTIES_DATA_SET",
            ),
            Id::PortData => (port_data(data).map(Self::PortData), "a short PORT_DATA_SET"),
            Id::TimeStatus => (
                time_status(data).map(Self::TimeStatus),
                "a short TIME_STATUS_NP",
            ),
            Id::PortProperties => (
                properties(data)?.map(Self::PortProperties),
                "a short PORT_PROPERTIES_NP",
            ),
            Id::PortStats => (stats(data).map(Self::PortStats), "a short PORT_STATS_NP"),
            Id::PortServiceStats => (
                service_stats(data).map(Self::PortServiceStats),
                "a short PORT_SERVICE_STATS_NP",
            ),
            Id::HardwareClock => (
                hardware_clock(data).map(Self::HardwareClock),
                "a short PORT_HWCLOCK_NP",
            ),
            Id::PowerProfile => (
                power_profile(data).map(Self::PowerProfile),
                "a short POWER_PROFILE_SETTINGS_NP",
            ),
            Id::SubscribeEvents => return Ok(None),
        };
        set.map(Some).ok_or(short)
    }

    /// The id that asks for it.
    #[must_use]
    pub const fn id(&self) -> Id {
        match self {
            Self::Default(_) => Id::Default,
            Self::Current(_) => Id::Current,
            Self::Parent(_) => Id::Parent,
            Self::TimeProperties(_) => Id::TimeProperties,
            Self::PortData(_) => Id::PortData,
            Self::TimeStatus(_) => Id::TimeStatus,
            Self::PortProperties(_) => Id::PortProperties,
            Self::PortStats(_) => Id::PortStats,
            Self::PortServiceStats(_) => Id::PortServiceStats,
            Self::HardwareClock(_) => Id::HardwareClock,
            Self::PowerProfile(_) => Id::PowerProfile,
        }
    }
}

fn port(data: &mut Bytes<'_>) -> Option<PortIdentity> {
    Some(PortIdentity {
        clock: data.clock()?,
        port: data.u16()?,
    })
}

fn default(mut data: Bytes<'_>) -> Option<DefaultData> {
    // Flags, reserved.
    data.skip(2)?;
    let ports = data.u16()?;
    // Its own priorities and quality: what it would say as a grandmaster.
    data.skip(6)?;
    Some(DefaultData {
        ports,
        clock: data.clock()?,
        domain: data.u8()?,
    })
}

fn current(mut data: Bytes<'_>) -> Option<Current> {
    let steps_removed = data.u16()?;
    // The offset, which TIME_STATUS_NP says too.
    data.skip(8)?;
    Some(Current {
        steps_removed,
        mean_path_delay_ns: data.i64()? >> 16,
    })
}

fn parent(mut data: Bytes<'_>) -> Option<Parent> {
    let master = port(&mut data)?;
    // Statistics that linuxptp does not keep.
    data.skip(8)?;
    let first = data.u8()?;
    let (class, accuracy, variance) = (data.u8()?, data.u8()?, data.u16()?);
    Some(Parent {
        master,
        class,
        accuracy,
        variance,
        priorities: [first, data.u8()?],
        gm: data.clock()?,
    })
}

fn time_properties(mut data: Bytes<'_>) -> Option<TimeProperties> {
    Some(TimeProperties {
        utc_offset_s: data.i16()?,
        flags: data.u8()?,
        source: data.u8()?,
    })
}

fn port_data(mut data: Bytes<'_>) -> Option<PortData> {
    let port = port(&mut data)?;
    let state = PortState::of(data.u8()?);
    // Interval of Delay_Req.
    data.skip(1)?;
    let peer_delay_ns = data.i64()? >> 16;
    let log_announce_interval = data.i8()?;
    data.skip(1)?;
    Some(PortData {
        port,
        state,
        peer_delay_ns,
        log_announce_interval,
        log_sync_interval: data.i8()?,
    })
}

fn time_status(mut data: Bytes<'_>) -> Option<TimeStatus> {
    let (offset_ns, ingress_ns) = (data.i64()?, data.i64()?);
    // Rate and phase changes that the grandmaster announces (IEEE 802.1AS); 0 elsewhere.
    data.skip(22)?;
    Some(TimeStatus {
        offset_ns,
        ingress_ns,
        gm_present: data.i32()? != 0,
        gm: data.clock()?,
    })
}

fn properties(mut data: Bytes<'_>) -> Result<Option<PortProperties>, &'static str> {
    let fields = |data: &mut Bytes<'_>| {
        let port = port(data)?;
        // The state, which PORT_DATA_SET says too.
        data.skip(1)?;
        let timestamping = Timestamping::of(data.u8()?);
        Some((port, timestamping, data.u8()?))
    };
    let Some((port, timestamping, length)) = fields(&mut data) else {
        return Ok(None);
    };
    let Some(name) = data.slice(usize::from(length)) else {
        return Ok(None);
    };
    let name = core::str::from_utf8(name).map_err(|_| "an interface name that is not text")?;
    Ok(Some(PortProperties {
        port,
        timestamping,
        interface: String::from(name),
    }))
}

fn stats(mut data: Bytes<'_>) -> Option<PortStats> {
    let port = port(&mut data)?;
    // One counter for each of the sixteen message types, by its number.
    let mut received = [0; 16];
    for count in &mut received {
        *count = data.counter()?;
    }
    let [
        sync,
        _,
        _,
        peer_delay_resp,
        _,
        _,
        _,
        _,
        follow_up,
        delay_resp,
        _,
        announce,
        ..,
    ] = received;
    Some(PortStats {
        port,
        received: PtpCounts {
            sync,
            follow_up,
            delay_resp: delay_resp.saturating_add(peer_delay_resp),
            announce,
        },
    })
}

fn service_stats(mut data: Bytes<'_>) -> Option<PortServiceStats> {
    let port = port(&mut data)?;
    // Eight kinds of timeouts: one of them counts every Delay_Req that is due, so none is a fault.
    data.skip(8 * 8)?;
    Some(PortServiceStats {
        port,
        mismatches: PtpMismatches {
            sync: data.counter()?,
            follow_up: data.counter()?,
        },
    })
}

fn hardware_clock(mut data: Bytes<'_>) -> Option<HardwareClock> {
    Some(HardwareClock {
        port: port(&mut data)?,
        index: u32::try_from(data.i32()?).ok(),
    })
}

fn power_profile(mut data: Bytes<'_>) -> Option<Option<PowerProfile>> {
    let edition = match data.u16()? {
        1 => 2011,
        2 => 2017,
        other => other,
    };
    let gm_id = data.u16()?;
    let known = |ns: u32| (ns != u32::MAX).then_some(ns);
    let profile = PowerProfile {
        edition,
        gm_id,
        gm_inaccuracy_ns: known(data.u32()?),
        network_inaccuracy_ns: known(data.u32()?),
        total_inaccuracy_ns: known(data.u32()?),
    };
    Some((edition != 0).then_some(profile))
}

impl PortState {
    /// Every state that has a number (IEEE 1588-2008, table 8; 10 is linuxptp's).
    pub const NUMBERED: &'static [(Self, u8)] = &[
        (Self::Initializing, 1),
        (Self::Faulty, 2),
        (Self::Disabled, 3),
        (Self::Listening, 4),
        (Self::PreMaster, 5),
        (Self::Master, 6),
        (Self::Passive, 7),
        (Self::Uncalibrated, 8),
        (Self::Slave, 9),
        (Self::GrandMaster, 10),
    ];

    /// The state of a number.
    #[must_use]
    pub fn of(number: u8) -> Self {
        let found = Self::NUMBERED.iter().find(|(_, of)| *of == number);
        found.map_or(Self::Unknown(number), |(state, _)| *state)
    }
}

impl Timestamping {
    /// The meaning of a number: software, then hardware in its four forms.
    #[must_use]
    pub const fn of(number: u8) -> Self {
        match number {
            0 => Self::Software,
            1..=4 => Self::Hardware,
            other => Self::Unknown(other),
        }
    }
}
