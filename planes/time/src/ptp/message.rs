//! One management message: the requests that are sent, and the frame around an answer.

use super::sets::{DataSet, Id};
use crate::bytes::Bytes;
use crate::reading::ClockIdentity;

/// Length of a GET.
pub const GET_BYTES: usize = 54;
/// Length of the request that subscribes to pushes.
pub const SUBSCRIBE_BYTES: usize = GET_BYTES + EVENTS_DATA_BYTES;

const MANAGEMENT: u8 = 0x0D;
/// The edition in the low nibble; later daemons answer with a minor number above it.
const VERSION: u8 = 2;
/// The control field of a management message, and the interval that says "none".
const CONTROL_AND_INTERVAL: [u8; 2] = [4, 0x7F];
const TLV_MANAGEMENT: u16 = 1;
const TLV_ERROR: u16 = 2;
/// Seconds, and a bit for each of 512 events.
const EVENTS_DATA_BYTES: usize = 66;
/// Port states and the parent's data set, bits 0 and 2: what changes seldom. Measurements, bit 1, would come with every
/// Sync, and are asked for often enough.
const EVENTS: u8 = 0b101;

#[derive(Clone, Copy)]
enum Action {
    Get = 0,
    Set = 1,
    Response = 2,
}

/// Who asks: what stands in each request, and what an answer is addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The asking port's number: answers to another are not ours. The process id serves.
    pub port: u16,
    /// The daemon's domain; it ignores requests of another.
    pub domain: u8,
    /// The daemon's `transportSpecific`, 0 but for IEEE 802.1AS (1).
    pub transport_specific: u8,
}

/// A port of a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortIdentity {
    /// The clock.
    pub clock: ClockIdentity,
    /// The port, from 1; 0 for the clock itself.
    pub port: u16,
}

/// An answer or a push, taken from its frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who says it.
    pub from: PortIdentity,
    /// The port number that it is addressed to.
    pub to_port: u16,
    /// The number of the request that it answers; a push has a count of its own.
    pub sequence: u16,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A data set.
    Set(DataSet),
    /// The request was refused (MANAGEMENT_ERROR_STATUS).
    Refused {
        /// Why: 2 no such id, 6 not supported (IEEE 1588-2008, table 72).
        error: u16,
        /// The management id that was asked for.
        id: u16,
    },
    /// A data set or a kind of message that nobody here asked for.
    Other,
}

/// The request for one data set, addressed to every port.
#[must_use]
pub fn get(client: Client, sequence: u16, id: Id) -> [u8; GET_BYTES] {
    request(client, sequence, id.number(), Action::Get, &[])
}

/// The request to push port states, and from version 4 measurements and parents too, for `lease_s`
/// seconds. Only the daemon's read-write socket takes it.
#[must_use]
pub fn subscribe(client: Client, sequence: u16, lease_s: u16) -> [u8; SUBSCRIBE_BYTES] {
    let mut data = [0; EVENTS_DATA_BYTES];
    if let Some((seconds, events)) = data.split_first_chunk_mut::<2>() {
        *seconds = lease_s.to_be_bytes();
        if let Some(first) = events.first_mut() {
            *first = EVENTS;
        }
    }
    request(
        client,
        sequence,
        Id::SubscribeEvents.number(),
        Action::Set,
        &data,
    )
}

fn request<const N: usize>(
    client: Client,
    sequence: u16,
    id: u16,
    action: Action,
    data: &[u8],
) -> [u8; N] {
    let mut bytes = [0; N];
    let length = u16::try_from(N).unwrap_or(u16::MAX);
    let tlv_length = u16::try_from(data.len() + 2).unwrap_or(u16::MAX);
    let fields: &[&[u8]] = &[
        &[client.transport_specific << 4 | MANAGEMENT, VERSION],
        &length.to_be_bytes(),
        &[client.domain, 0],
        // Flags, correction and what is reserved.
        &[0; 14],
        // The asking clock: none, it is a local program.
        &[0; 8],
        &client.port.to_be_bytes(),
        &sequence.to_be_bytes(),
        &CONTROL_AND_INTERVAL,
        // Every clock, every port; no hop beyond the daemon itself.
        &[0xFF; 10],
        &[0, 0, action as u8, 0],
        &TLV_MANAGEMENT.to_be_bytes(),
        &tlv_length.to_be_bytes(),
        &id.to_be_bytes(),
        data,
    ];
    for (to, from) in bytes.iter_mut().zip(fields.iter().copied().flatten()) {
        *to = *from;
    }
    bytes
}

/// Takes a message apart.
///
/// # Errors
///
/// What is wrong with it, if it is no management message or is shorter than it says.
pub fn decode(bytes: &[u8]) -> Result<Message, &'static str> {
    const SHORT: &str = "a management message shorter than its header";
    let mut header = Bytes(bytes);
    let [kind, version] = header.array().ok_or(SHORT)?;
    if kind & 0x0F != MANAGEMENT {
        return Err("not a management message");
    }
    if version & 0x0F != VERSION {
        return Err("another edition of PTP than 2");
    }
    let length = usize::from(header.u16().ok_or(SHORT)?);
    let message = bytes
        .get(..length)
        .ok_or("a management message shorter than it says")?;
    let mut rest = Bytes(message);
    let mut frame = || -> Option<(PortIdentity, u16, u16, u8)> {
        rest.skip(20)?;
        let from = PortIdentity {
            clock: rest.clock()?,
            port: rest.u16()?,
        };
        let sequence = rest.u16()?;
        // Control, interval and the clock that is addressed.
        rest.skip(10)?;
        let to_port = rest.u16()?;
        rest.skip(2)?;
        let action = rest.u8()? & 0x0F;
        rest.skip(1)?;
        Some((from, sequence, to_port, action))
    };
    let (from, sequence, to_port, action) = frame().ok_or(SHORT)?;
    Ok(Message {
        from,
        to_port,
        sequence,
        body: body(rest, action)?,
    })
}

fn body(mut rest: Bytes<'_>, action: u8) -> Result<Body, &'static str> {
    const SHORT: &str = "a management TLV shorter than it says";
    if action != Action::Response as u8 {
        return Ok(Body::Other);
    }
    let kind = rest.u16().ok_or(SHORT)?;
    let length = rest.u16().ok_or(SHORT)?;
    let mut tlv = Bytes(rest.slice(usize::from(length)).ok_or(SHORT)?);
    match kind {
        TLV_MANAGEMENT => {
            let id = tlv.u16().ok_or(SHORT)?;
            match Id::of(id) {
                Some(id) => DataSet::decode(id, tlv).map(|set| set.map_or(Body::Other, Body::Set)),
                None => Ok(Body::Other),
            }
        }
        TLV_ERROR => {
            let error = tlv.u16().ok_or(SHORT)?;
            let id = tlv.u16().ok_or(SHORT)?;
            Ok(Body::Refused { error, id })
        }
        _ => Ok(Body::Other),
    }
}
