//! Requests and replies of the command protocol.

use super::float::scaled;
use crate::bytes::Bytes;
use crate::reading::{ChronySource, ChronySourceState, LeapStatus};
use alloc::format;
use alloc::string::String;
use core::net::{Ipv4Addr, Ipv6Addr};
use evidence::UtcNs;

const VERSION: u8 = 6;
const REQUEST: u8 = 1;
const REPLY: u8 = 2;
const REQUEST_HEADER_BYTES: usize = 20;
/// The longest request: each is as long as its reply, so that a server cannot be used to amplify.
pub const REQUEST_BYTES_MAX: usize = 104;
const NS: u32 = 1_000_000_000;
/// In place of the upper half of a time whose writer has 32 bits of seconds.
const NO_HIGH_SECONDS: u32 = 0x7FFF_FFFF;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// The tracking report.
    Tracking,
    /// How many sources there are.
    SourceCount,
    /// The source of this index.
    Source(u32),
}

impl Query {
    const fn command(self) -> u16 {
        match self {
            Self::SourceCount => 14,
            Self::Source(_) => 15,
            Self::Tracking => 33,
        }
    }

    const fn reply(self) -> u16 {
        match self {
            Self::SourceCount => 2,
            Self::Source(_) => 3,
            Self::Tracking => 5,
        }
    }

    const fn bytes(self) -> usize {
        match self {
            Self::SourceCount => 32,
            Self::Source(_) => 76,
            Self::Tracking => REQUEST_BYTES_MAX,
        }
    }
}

/// A request, ready to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    bytes: [u8; REQUEST_BYTES_MAX],
    len: usize,
}

impl Request {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Writes a request under a number of its own.
#[must_use]
pub fn encode(query: Query, sequence: u32) -> Request {
    let mut bytes = [0; REQUEST_BYTES_MAX];
    let index = match query {
        Query::Source(index) => index,
        Query::Tracking | Query::SourceCount => 0,
    };
    let fields: &[&[u8]] = &[
        &[VERSION, REQUEST, 0, 0],
        &query.command().to_be_bytes(),
        // The first attempt.
        &[0; 2],
        &sequence.to_be_bytes(),
        &[0; 8],
        &index.to_be_bytes(),
    ];
    const { assert!(REQUEST_HEADER_BYTES + 4 <= REQUEST_BYTES_MAX) }
    for (to, from) in bytes.iter_mut().zip(fields.iter().copied().flatten()) {
        *to = *from;
    }
    Request {
        bytes,
        len: query.bytes(),
    }
}

/// A reply, taken from its frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The number of its request.
    pub sequence: u32,
    /// What it says.
    pub answer: Answer,
}

/// What a reply says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The tracking report.
    Tracking(Tracking),
    /// How many sources there are.
    SourceCount(u32),
    /// One source.
    Source(SourceData),
    /// A status other than success, by its number.
    Refused(u16),
    /// The version of the protocol is another one.
    OtherVersion(u8),
    /// An answer to another query.
    Other,
}

/// The tracking report, in the words of [`crate::reading::ChronyReading`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracking {
    /// Its reference.
    pub reference: [u8; 4],
    /// Its stratum.
    pub stratum: u16,
    /// The leap status.
    pub leap: LeapStatus,
    /// When it last took a measurement into its clock.
    pub reference_time: UtcNs,
    /// What is left to correct, in nanoseconds; positive where the clock is slow.
    pub correction_ns: i64,
    /// The last measured offset, in nanoseconds.
    pub last_offset_ns: i64,
    /// Root mean square of the offsets, in nanoseconds.
    pub rms_offset_ns: u64,
    /// The frequency error, in parts per billion.
    pub frequency_ppb: i64,
    /// The residual frequency, in parts per billion.
    pub residual_ppb: i64,
    /// The bound of the frequency's error, in parts per billion.
    pub skew_ppb: u64,
    /// Delay to the root, in nanoseconds.
    pub root_delay_ns: u64,
    /// Dispersion to the root, in nanoseconds.
    pub root_dispersion_ns: u64,
    /// Between its last two updates, in milliseconds.
    pub update_interval_ms: u64,
}

/// One source.
pub type SourceData = ChronySource;

/// Takes a reply to `query` apart.
///
/// # Errors
///
/// What is wrong with it, if it is no reply or is shorter than it must be.
pub fn decode(query: Query, bytes: &[u8]) -> Result<Reply, &'static str> {
    const SHORT: &str = "a reply shorter than its header";
    let mut rest = Bytes(bytes);
    let mut header = || -> Option<(u8, u8, u16, u16, u16, u32)> {
        let (version, kind) = (rest.u8()?, rest.u8()?);
        rest.skip(2)?;
        let (command, reply, status) = (rest.u16()?, rest.u16()?, rest.u16()?);
        rest.skip(6)?;
        let sequence = rest.u32()?;
        rest.skip(8)?;
        Some((version, kind, command, reply, status, sequence))
    };
    let (version, kind, command, reply, status, sequence) = header().ok_or(SHORT)?;
    if kind != REPLY {
        return Err("not a reply of chronyd's command protocol");
    }
    let answer = if version != VERSION {
        Answer::OtherVersion(version)
    } else if command != query.command() {
        Answer::Other
    } else if status != 0 {
        Answer::Refused(status)
    } else if reply != query.reply() {
        // A later chronyd may answer in a layout of its own.
        Answer::Other
    } else {
        data(query, rest)?
    };
    Ok(Reply { sequence, answer })
}

fn data(query: Query, data: Bytes<'_>) -> Result<Answer, &'static str> {
    let (answer, short) = match query {
        Query::Tracking => (
            tracking(data).map(Answer::Tracking),
            "a short tracking report",
        ),
        Query::SourceCount => (count(data), "a short number of sources"),
        Query::Source(_) => (source(data).map(Answer::Source), "a short source"),
    };
    answer.ok_or(short)
}

fn count(mut data: Bytes<'_>) -> Option<Answer> {
    data.u32().map(Answer::SourceCount)
}

fn tracking(mut data: Bytes<'_>) -> Option<Tracking> {
    let reference = data.array()?;
    // The address behind the reference: 16 bytes, its family, and two for the alignment.
    data.skip(20)?;
    let (stratum, leap) = (data.u16()?, LeapStatus::of(data.u16()?));
    let reference_time = time(&mut data)?;
    Some(Tracking {
        reference,
        stratum,
        leap,
        reference_time,
        correction_ns: scaled(data.u32()?, NS),
        last_offset_ns: scaled(data.u32()?, NS),
        rms_offset_ns: magnitude(data.u32()?, NS),
        // Parts per million.
        frequency_ppb: scaled(data.u32()?, 1_000),
        residual_ppb: scaled(data.u32()?, 1_000),
        skew_ppb: magnitude(data.u32()?, 1_000),
        root_delay_ns: magnitude(data.u32()?, NS),
        root_dispersion_ns: magnitude(data.u32()?, NS),
        update_interval_ms: magnitude(data.u32()?, 1_000),
    })
}

/// A number that is never negative by its meaning; one that is, counts by its size.
fn magnitude(bits: u32, unit: u32) -> u64 {
    scaled(bits, unit).unsigned_abs()
}

fn time(data: &mut Bytes<'_>) -> Option<UtcNs> {
    let (high, low, nanoseconds) = (data.u32()?, data.u32()?, data.u32()?);
    let high = if high == NO_HIGH_SECONDS { 0 } else { high };
    let seconds = (u64::from(high) << 32 | u64::from(low)).cast_signed();
    let ns = i128::from(seconds) * i128::from(NS) + i128::from(nanoseconds);
    let bound = if ns < 0 { i64::MIN } else { i64::MAX };
    Some(UtcNs(i64::try_from(ns).unwrap_or(bound)))
}

fn source(mut data: Bytes<'_>) -> Option<SourceData> {
    const REFERENCE_CLOCK: u16 = 2;
    let address: [u8; 16] = data.array()?;
    let family = data.u16()?;
    data.skip(2)?;
    let log_poll = data.i16()?;
    let (stratum, state, mode) = (data.u16()?, data.u16()?, data.u16()?);
    // Its flags: options of the configuration.
    data.skip(2)?;
    // Eight polls in a field of sixteen bits.
    let [_, reach] = data.array()?;
    let age = data.u32()?;
    // The first number is the offset as it was measured, the second as the clock was corrected since.
    data.skip(4)?;
    let is_refclock = mode == REFERENCE_CLOCK;
    Some(SourceData {
        name: name(address, family, is_refclock),
        stratum,
        state: ChronySourceState::of(state),
        is_refclock,
        log_poll,
        reach,
        last_sample_age_s: (age != u32::MAX).then_some(age),
        offset_ns: scaled(data.u32()?, NS),
        error_ns: magnitude(data.u32()?, NS),
    })
}

fn name(address: [u8; 16], family: u16, is_refclock: bool) -> String {
    let [a, b, c, d, ..] = address;
    let first = [a, b, c, d];
    match (family, is_refclock) {
        (_, true) => {
            let letters = first.iter().take_while(|letter| **letter != 0);
            letters
                .map(|letter| char::from(*letter))
                .map(|letter| {
                    if letter.is_ascii_graphic() {
                        letter
                    } else {
                        '?'
                    }
                })
                .collect()
        }
        (1, false) => format!("{}", Ipv4Addr::from(first)),
        (2, false) => format!("{}", Ipv6Addr::from(address)),
        // A source whose name has no address yet has a number in its place.
        (_, false) => format!("ID#{:010}", u32::from_be_bytes(first)),
    }
}

impl LeapStatus {
    /// The meaning of a number.
    #[must_use]
    pub const fn of(number: u16) -> Self {
        match number {
            0 => Self::Normal,
            1 => Self::Insert,
            2 => Self::Delete,
            3 => Self::Unsynchronised,
            other => Self::Unknown(other),
        }
    }
}

impl ChronySourceState {
    /// The meaning of a number.
    #[must_use]
    pub const fn of(number: u16) -> Self {
        match number {
            0 => Self::Selected,
            1 => Self::NotSelectable,
            2 => Self::Falseticker,
            3 => Self::Jittery,
            4 => Self::Combined,
            5 => Self::NotCombined,
            other => Self::Unknown(other),
        }
    }
}
