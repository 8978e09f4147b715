//! What the host reads from the sources of time, and why it read nothing.
//!
//! A reading is what a source says, decoded and not yet believed. Flags in it are flags: whether a
//! claim is made follows from measurements and their age alone.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use evidence::{MonoNs, UtcNs};

/// One look at one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// When the answer was there.
    pub at: MonoNs,
    /// What the source said, or why nothing is known of it.
    pub outcome: Result<Reading, Fault>,
    /// Which source was asked.
    pub source: SourceKind,
}

/// The sources of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    /// ptp4l, by its management socket.
    Ptp,
    /// chronyd, by its command socket.
    Chrony,
    /// The machine's real-time clock.
    Rtc,
    /// The temperature near the oscillator.
    Thermal,
    /// A network card's clock, compared with ours.
    CardClock,
    /// Samples that masters and the head-end send.
    Offered,
}

impl SourceKind {
    /// Every source.
    pub const ALL: &'static [Self] = &[
        Self::Ptp,
        Self::Chrony,
        Self::Rtc,
        Self::Thermal,
        Self::CardClock,
        Self::Offered,
    ];

    /// The source whose name some words begin with, as those of its faults do.
    #[must_use]
    pub fn named_first(words: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|of| words.starts_with(of.name()))
    }

    /// Its name, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ptp => "ptp4l",
            Self::Chrony => "chronyd",
            Self::Rtc => "the real-time clock",
            Self::CardClock => "the network card's clock",
            Self::Thermal => "the temperature",
            Self::Offered => "a time from outside",
        }
    }
}

/// What a source said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// ptp4l's data sets, of one look.
    Ptp(PtpReading),
    /// chronyd's tracking report and its sources.
    Chrony(ChronyReading),
    /// The real-time clock.
    Rtc(RtcReading),
    /// Thousandths of a degree Celsius.
    Thermal {
        /// The temperature, in thousandths of a degree Celsius.
        millidegrees_c: i32,
    },
    /// A network card's clock against `CLOCK_REALTIME`.
    CardClock(CardClockReading),
    /// A sample that somebody sent.
    Offered(OfferedSample),
}

/// Why a source could not be read. None of these is ever taken for "in order".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no such socket or device.
    Absent,
    /// The socket's file is there, its process is not.
    Stale,
    /// Access was refused.
    Denied,
    /// Whoever answers runs as somebody who may not speak for the clock.
    Stranger,
    /// No answer within the time allowed.
    Silent,
    /// An answer that is not one of the protocol: what is wrong with it.
    Malformed(&'static str),
    /// The socket of ours that it answers to cannot be had: why not.
    OwnEnd(String),
    /// An answer that says that this version cannot do what was asked.
    Unsupported(&'static str),
}

impl Fault {
    /// Nobody is there to answer, or nobody answers.
    #[must_use]
    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::Absent | Self::Stale | Self::Silent)
    }

    /// The right that is missing, where it is one.
    #[must_use]
    pub const fn missing_right(&self, source: SourceKind) -> Option<&'static str> {
        Some(match (self, source) {
            (Self::Denied, SourceKind::Ptp) => {
                "this user must be able to write to the socket and to pass its folder: root, or a member of its group"
            }
            (Self::Denied, SourceKind::Chrony) => {
                "this user must be able to make a socket beside chronyd's and to write to that one: root, or chronyd's \
                 own user"
            }
            (Self::Denied, SourceKind::Rtc | SourceKind::CardClock) => {
                "this user must be able to open the device for reading: root, or a member of its group"
            }
            (Self::Denied, SourceKind::Thermal) => "this user must be able to read the file",
            (Self::Denied, SourceKind::Offered) => "this user must be able to write to the socket",
            (Self::Stranger, SourceKind::Ptp) => "ptp4l must run as root, or as the node's user",
            (Self::Stranger, SourceKind::Chrony) => {
                "chronyd must run as root, as the node's user, or as the owner of its socket's folder"
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("there is no such socket or device"),
            Self::Stale => f.write_str("its socket is there and nobody answers: it has ended"),
            Self::Denied => f.write_str("access is refused"),
            Self::Stranger => {
                f.write_str("who answers runs as a user who may not speak for the clock")
            }
            Self::Silent => f.write_str("no answer within the time allowed"),
            Self::OwnEnd(why) => write!(f, "the socket that it answers to cannot be had: {why}"),
            Self::Malformed(what) => write!(f, "an answer that is not of the protocol: {what}"),
            Self::Unsupported(what) => write!(f, "this version cannot say it: {what}"),
        }
    }
}

/// An eight-byte PTP clock identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClockIdentity(pub [u8; 8]);

impl fmt::Display for ClockIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let point = if index == 3 || index == 5 { "." } else { "" };
            write!(f, "{point}{byte:02x}")?;
        }
        Ok(())
    }
}

/// What ptp4l says, gathered from the answers to one round of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PtpReading {
    /// The local clock.
    pub clock: ClockIdentity,
    /// Its domain.
    pub domain: u8,
    /// Local clock minus master, in nanoseconds, as last measured.
    pub offset_ns: i64,
    /// Mean path delay in nanoseconds.
    pub mean_path_delay_ns: i64,
    /// The local clock at the last Sync; `None` where no Sync was taken. The only sign of freshness.
    pub ingress: Option<UtcNs>,
    /// The daemon's flag "a grandmaster is present": may stay up long after it is gone.
    pub gm_present: bool,
    /// The grandmaster.
    pub gm: ClockIdentity,
    /// Its clockClass (IEEE 1588-2008, 7.6.2.4).
    pub gm_class: u8,
    /// Its clockAccuracy (IEEE 1588-2008, 7.6.2.5).
    pub gm_accuracy: u8,
    /// Its offsetScaledLogVariance.
    pub gm_variance: u16,
    /// Its priorities 1 and 2.
    pub gm_priorities: [u8; 2],
    /// Clocks between it and here.
    pub steps_removed: u16,
    /// TAI minus UTC as the grandmaster says, in seconds.
    pub utc_offset_s: i16,
    /// timePropertiesDS flags: bit 0 leap61, 1 leap59, 2 UTC offset valid, 3 PTP timescale,
    /// 4 time traceable, 5 frequency traceable.
    pub time_flags: u8,
    /// Its timeSource (IEEE 1588-2008, 7.6.2.6).
    pub time_source: u8,
    /// Ports, in their order.
    pub ports: Vec<PtpPort>,
    /// The power profile's inaccuracies, where it is in use (IEEE C37.238).
    pub power_profile: Option<PowerProfile>,
}

/// One port of ptp4l.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PtpPort {
    /// Its number, from 1.
    pub number: u16,
    /// Its state.
    pub state: PortState,
    /// Seconds between Syncs as a power of two, by the daemon's own configuration: a master may send
    /// them at another pace, and this stays as it is.
    pub log_sync_interval: i8,
    /// Seconds between Announces as a power of two.
    pub log_announce_interval: i8,
    /// Its network interface, where the version tells.
    pub interface: Option<String>,
    /// How it takes timestamps, where the version tells.
    pub timestamping: Option<Timestamping>,
    /// N of the `/dev/ptpN` that it disciplines, where the version tells and there is one.
    pub hardware_clock: Option<u32>,
    /// Messages received since the daemon started.
    pub received: PtpCounts,
    /// Messages that did not pair up, where the version tells.
    pub mismatches: Option<PtpMismatches>,
}

/// Messages by type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PtpCounts {
    /// Sync.
    pub sync: u64,
    /// Follow_Up.
    pub follow_up: u64,
    /// Delay_Resp or Pdelay_Resp.
    pub delay_resp: u64,
    /// Announce.
    pub announce: u64,
}

/// Messages that did not pair up (PORT_SERVICE_STATS_NP, linuxptp 4.0 and later).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PtpMismatches {
    /// A Sync without its Follow_Up.
    pub sync: u64,
    /// A Follow_Up without its Sync.
    pub follow_up: u64,
}

/// Port states (IEEE 1588-2008, 8.2.5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortState {
    /// Starting.
    Initializing,
    /// A fault, the link being down among them.
    Faulty,
    /// Switched off.
    Disabled,
    /// Waiting for an Announce.
    Listening,
    /// About to be a master.
    PreMaster,
    /// A master.
    Master,
    /// Neither.
    Passive,
    /// A master is chosen and the servo has not settled; normal for ever where the port is free-running.
    Uncalibrated,
    /// Following a master.
    Slave,
    /// linuxptp's own: the grandmaster of a boundary clock.
    GrandMaster,
    /// A number that no edition of the standard has.
    Unknown(u8),
}

impl fmt::Display for PortState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Initializing => "INITIALIZING",
            Self::Faulty => "FAULTY",
            Self::Disabled => "DISABLED",
            Self::Listening => "LISTENING",
            Self::PreMaster => "PRE_MASTER",
            Self::Master => "MASTER",
            Self::Passive => "PASSIVE",
            Self::Uncalibrated => "UNCALIBRATED",
            Self::Slave => "SLAVE",
            Self::GrandMaster => "GRAND_MASTER",
            Self::Unknown(number) => return write!(f, "state {number}"),
        })
    }
}

impl PortState {
    /// Whether the port takes the time of a master: [`Self::Slave`], or [`Self::Uncalibrated`], where a
    /// free-running port stays.
    #[must_use]
    pub const fn follows(self) -> bool {
        matches!(self, Self::Slave | Self::Uncalibrated)
    }
}

/// How a port takes timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timestamping {
    /// In software: the local clock of `offset_ns` is `CLOCK_REALTIME`.
    Software,
    /// In hardware: it is the network card's clock, and what it says of `CLOCK_REALTIME` is nothing.
    Hardware,
    /// A number of no known meaning.
    Unknown(u8),
}

/// The inaccuracies of IEEE C37.238, in nanoseconds; `None` where the sender does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerProfile {
    /// The edition of the profile, 2011 or 2017; 0 where none is in use.
    pub edition: u16,
    /// The short grandmaster identity.
    pub gm_id: u16,
    /// The grandmaster's inaccuracy.
    pub gm_inaccuracy_ns: Option<u32>,
    /// What the network adds.
    pub network_inaccuracy_ns: Option<u32>,
    /// Both together.
    pub total_inaccuracy_ns: Option<u32>,
}

/// What chronyd says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChronyReading {
    /// Its reference: an IPv4 address or four letters.
    pub reference: [u8; 4],
    /// Its stratum; 0 where it is not synchronised.
    pub stratum: u16,
    /// The leap status that it announces.
    pub leap: LeapStatus,
    /// When it last took a measurement into its clock.
    pub reference_time: UtcNs,
    /// What is left to correct of the system clock, in nanoseconds; positive where the clock is slow.
    pub correction_ns: i64,
    /// The last measured offset, in nanoseconds.
    pub last_offset_ns: i64,
    /// Long-term root mean square of the offsets, in nanoseconds.
    pub rms_offset_ns: u64,
    /// The frequency error that it corrects, in parts per billion.
    pub frequency_ppb: i64,
    /// The residual frequency, in parts per billion.
    pub residual_ppb: i64,
    /// The bound that it estimates of the frequency's error, in parts per billion.
    pub skew_ppb: u64,
    /// Delay to the root, in nanoseconds.
    pub root_delay_ns: u64,
    /// Dispersion to the root, in nanoseconds: grows honestly while nothing is measured.
    pub root_dispersion_ns: u64,
    /// Seconds between its last two updates, in milliseconds.
    pub update_interval_ms: u64,
    /// Its sources, in its order.
    pub sources: Vec<ChronySource>,
}

/// What chronyd announces of the next leap second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeapStatus {
    /// None is near.
    Normal,
    /// The last minute of the day has 61 seconds.
    Insert,
    /// The last minute of the day has 59 seconds.
    Delete,
    /// Not synchronised.
    Unsynchronised,
    /// A number of no known meaning.
    Unknown(u16),
}

/// One source of chronyd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChronySource {
    /// Its address or name, as text.
    pub name: String,
    /// Its stratum.
    pub stratum: u16,
    /// What chronyd makes of it.
    pub state: ChronySourceState,
    /// Whether it is a reference clock and not a server.
    pub is_refclock: bool,
    /// Seconds between polls as a power of two.
    pub log_poll: i16,
    /// The last eight polls, the newest in bit 0: set where it answered.
    pub reach: u8,
    /// Seconds since its last good sample; `None` where there was none.
    pub last_sample_age_s: Option<u32>,
    /// The last sample's offset, in nanoseconds, with what the clock was corrected since; positive where
    /// the local clock is ahead.
    pub offset_ns: i64,
    /// Its error bound, in nanoseconds.
    pub error_ns: u64,
}

/// What chronyd makes of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChronySourceState {
    /// The one that it follows.
    Selected,
    /// Cannot be reached, or may not be selected.
    NotSelectable,
    /// Contradicts the majority.
    Falseticker,
    /// Too uncertain.
    Jittery,
    /// Agrees, and is left out.
    NotCombined,
    /// Agrees, and is combined with the selected one.
    Combined,
    /// A number of no known meaning.
    Unknown(u16),
}

/// What the real-time clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtcReading {
    /// Its time, taken to be UTC: the middle of what the looks so far leave possible.
    pub utc: UtcNs,
    /// How far its time may be from that, in nanoseconds: half a second after the first look, less as
    /// the turn of its second is closed in upon ([`crate::rtc::Turn`]).
    pub read_uncertainty_ns: u64,
    /// Its voltage and validity flags, where the driver has them.
    pub voltage: Option<RtcVoltage>,
}

/// What a real-time clock says of its supply (`RTC_VL_READ`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RtcVoltage {
    /// Its time cannot be relied upon.
    pub invalid: bool,
    /// The backup battery is low.
    pub backup_low: bool,
    /// The backup battery is empty or absent.
    pub backup_empty: bool,
    /// The voltage is too low for its accuracy.
    pub accuracy_low: bool,
}

/// A network card's clock (`/dev/ptpN`) against `CLOCK_REALTIME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardClockReading {
    /// N of `/dev/ptpN`.
    pub index: u32,
    /// The card's clock minus `CLOCK_REALTIME`, in nanoseconds; cards that follow PTP count TAI, so the
    /// UTC offset is in it.
    pub difference_ns: i64,
    /// How far that may be off, in nanoseconds: half the time that the two readings took.
    pub read_uncertainty_ns: u64,
    /// `CLOCK_REALTIME` at the comparison.
    pub utc: UtcNs,
}

/// The time as a master or the head-end sent it (C_CS_NA_1, DNP3 write time, collector).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedSample {
    /// Who sent it, in the words of the contract.
    pub from: String,
    /// The time that it says.
    pub utc: UtcNs,
    /// How wrong it may be, in nanoseconds: the path included.
    pub uncertainty_ns: u64,
}
