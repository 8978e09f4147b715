//! The messages of a two-step master (IEEE 1588-2008, clause 13), written out.

use super::Orders;

/// The identity of the grandmaster: locally administered, made up.
pub(super) const CLOCK: [u8; 8] = [0x02, 0x46, 0x4E, 0xFF, 0xFE, 0x47, 0x4D, 0x01];
const PORT: u16 = 1;
const HEADER_BYTES: usize = 34;
const TWO_STEP: u8 = 0x02;
const DELAY_REQ: u8 = 1;
/// What is said of the clock besides: `offsetScaledLogVariance` unknown, priorities, a GPS.
const VARIANCE: u16 = 0xFFFF;
const PRIORITIES: [u8; 2] = [100, 128];
const TIME_SOURCE: u8 = 0x20;

/// Messages that carry one stamp.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Sync,
    FollowUp,
}

/// Type, second flag byte's neighbours, control field: what differs between headers.
struct Head {
    kind: u8,
    flags: [u8; 2],
    sequence: u16,
    control: u8,
    log_interval: i8,
    correction: [u8; 8],
}

fn message(head: &Head, body: &[&[u8]]) -> Vec<u8> {
    let length = HEADER_BYTES + body.iter().map(|part| part.len()).sum::<usize>();
    let length = u16::try_from(length).unwrap_or(u16::MAX);
    let mut bytes = vec![head.kind, 2];
    bytes.extend_from_slice(&length.to_be_bytes());
    // Domain 0, reserved.
    bytes.extend_from_slice(&[0, 0]);
    bytes.extend_from_slice(&head.flags);
    bytes.extend_from_slice(&head.correction);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&CLOCK);
    bytes.extend_from_slice(&PORT.to_be_bytes());
    bytes.extend_from_slice(&head.sequence.to_be_bytes());
    bytes.push(head.control);
    bytes.extend_from_slice(&head.log_interval.to_be_bytes());
    for part in body {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// Nanoseconds as a stamp: 48 bits of seconds, 32 of nanoseconds.
fn stamp(ns: i64) -> [u8; 10] {
    let [_, _, seconds @ ..] = ns.div_euclid(1_000_000_000).to_be_bytes();
    let fraction = u32::try_from(ns.rem_euclid(1_000_000_000)).unwrap_or(0);
    let mut bytes = [0; 10];
    let parts = seconds
        .iter()
        .chain(&fraction.to_be_bytes())
        .copied()
        .collect::<Vec<u8>>();
    for (to, from) in bytes.iter_mut().zip(parts) {
        *to = from;
    }
    bytes
}

/// A Sync, whose own stamp says nothing, or the `Follow_Up` with the stamp of its leaving.
pub(super) fn stamped(kind: Kind, sequence: u16, log_interval: i8, ns: i64) -> Vec<u8> {
    let (kind, flags, control) = match kind {
        Kind::Sync => (0x0, [TWO_STEP, 0], 0),
        Kind::FollowUp => (0x8, [0, 0], 2),
    };
    let head = Head {
        kind,
        flags,
        sequence,
        control,
        log_interval,
        correction: [0; 8],
    };
    message(&head, &[&stamp(ns)])
}

/// An Announce.
pub(super) fn announce(sequence: u16, log_interval: i8, orders: &Orders) -> Vec<u8> {
    let head = Head {
        kind: 0xB,
        flags: [0, orders.time_flags],
        sequence,
        control: 5,
        log_interval,
        correction: [0; 8],
    };
    let [first, second] = PRIORITIES;
    message(
        &head,
        &[
            &[0; 10],
            &orders.utc_offset_s.to_be_bytes(),
            &[0, first, orders.class, orders.accuracy],
            &VARIANCE.to_be_bytes(),
            &[second],
            &CLOCK,
            // No clock between.
            &[0, 0],
            &[TIME_SOURCE],
        ],
    )
}

/// The answer to a `Delay_Req` that came in at `ns`; `None` for anything else.
pub(super) fn delay_resp(request: &[u8], log_interval: i8, ns: i64) -> Option<Vec<u8>> {
    let kind = *request.first()?;
    let correction: [u8; 8] = request.get(8..16)?.try_into().ok()?;
    let port = request.get(20..30)?;
    let sequence: [u8; 2] = request.get(30..32)?.try_into().ok()?;
    if kind & 0x0F != DELAY_REQ {
        return None;
    }
    let head = Head {
        kind: 0x9,
        flags: [0, 0],
        sequence: u16::from_be_bytes(sequence),
        control: 3,
        log_interval,
        correction,
    };
    Some(message(&head, &[&stamp(ns), port]))
}

#[cfg(test)]
mod tests {
    use super::{CLOCK, Kind, delay_resp, stamped};

    #[test]
    fn messages_have_the_lengths_and_places_of_the_standard() {
        let follow_up = stamped(Kind::FollowUp, 0x0102, -3, 3_000_000_007);
        assert_eq!(follow_up.len(), 44);
        assert_eq!(follow_up[..4], [8, 2, 0, 44]);
        assert_eq!(follow_up[20..28], CLOCK);
        assert_eq!(follow_up[28..34], [0, 1, 1, 2, 2, 0xFD]);
        assert_eq!(follow_up[34..], [0, 0, 0, 0, 0, 3, 0, 0, 0, 7]);
        let mut request = vec![0; 44];
        request[0] = 1;
        request[8..16].fill(9);
        request[20..32].copy_from_slice(&[7; 12]);
        let response = delay_resp(&request, -2, 0).unwrap();
        assert_eq!(response.len(), 54);
        assert_eq!(response[8..16], [9; 8]);
        assert_eq!(response[30..34], [7, 7, 3, 0xFE]);
        assert_eq!(response[44..], [7; 10]);
        assert_eq!(delay_resp(&request[..31], -2, 0), None);
        request[0] = 0;
        assert_eq!(delay_resp(&request, -2, 0), None);
    }
}
