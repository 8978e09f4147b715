//! What a meter of a Modbus line does with a request: one answer and the many ways to spoil it.

use super::site::Site;
use super::world::{MS, Sent, answer_pdu};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use std::vec;
use std::vec::Vec;

/// The tag of values that nobody measured.
pub(super) const FORGED: u16 = 0xFFFF;

/// What a meter does with one request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    Answer,
    Silence,
    Late,
    LateException,
    LateTwice,
    Twice,
    Crc,
    Cut,
    Exception(u8),
    /// In the name of a unit that is not on the line.
    OtherUnit,
    OtherUnitThenAnswer,
    /// In the name of another meter of the line.
    AsAnother(u8),
    AsAnotherThenAnswer(u8),
    /// The same, behind the timeout: a frame of a serial line that says so is that meter's own for all who hear it.
    LateAsAnother(u8),
    OtherFunction,
    OtherShape,
    NoiseThenAnswer(u8),
    NoiseInside(u8),
    NoiseBehind(u8),
    Noise(u8),
    Pieces,
    Drops,
}

/// Any deed, in order and in disorder alike.
pub(super) fn any_deed() -> impl Strategy<Value = Deed> {
    let late = prop_oneof![
        2 => Just(Deed::Late),
        1 => Just(Deed::LateException),
        1 => Just(Deed::LateTwice),
        1 => any::<u8>().prop_map(Deed::LateAsAnother),
    ];
    let other = prop_oneof![
        1 => Just(Deed::OtherUnit),
        1 => Just(Deed::OtherUnitThenAnswer),
        2 => any::<u8>().prop_map(Deed::AsAnother),
        1 => any::<u8>().prop_map(Deed::AsAnotherThenAnswer),
        1 => Just(Deed::OtherFunction),
        1 => Just(Deed::OtherShape),
    ];
    let broken = prop_oneof![
        1 => Just(Deed::Crc),
        1 => Just(Deed::Cut),
        1 => any::<u8>().prop_map(Deed::NoiseThenAnswer),
        1 => any::<u8>().prop_map(Deed::NoiseInside),
        1 => any::<u8>().prop_map(Deed::NoiseBehind),
        1 => any::<u8>().prop_map(Deed::Noise),
    ];
    prop_oneof![
        4 => Just(Deed::Answer),
        1 => Just(Deed::Silence),
        1 => Just(Deed::Twice),
        1 => Just(Deed::Pieces),
        1 => Just(Deed::Drops),
        1 => (1_u8..12).prop_map(Deed::Exception),
        3 => late,
        3 => other,
        3 => broken,
    ]
}

/// Three bytes that are no frame; they may begin like one of any meter.
fn junk(of: u8) -> Vec<u8> {
    vec![of, of.rotate_left(3) ^ 0x5A, 2]
}

/// Another meter of the line, in whose name a reply can come; a unit that is not there where there is none. On a serial line
/// only one that answers: behind a frame in the name of one that may still answer late nobody can tell who spoke.
fn another(sent: &Sent, which: u8, site: &Site, good: &[bool]) -> u8 {
    let others = (0..site.meters.len()).filter(|place| {
        *place != sent.place() && (!site.serial || good.get(*place) == Some(&true))
    });
    let others: Vec<usize> = others.collect();
    let chosen = others.get(usize::from(which) % others.len().max(1));
    chosen.map_or(99, |place| u8::try_from(place + 1).unwrap())
}

/// The bytes of a deed, each run of them with the delay after the request began; `dice` varies the delays, and the
/// meters in `good` always answer.
pub(super) fn replies(
    sent: &Sent,
    (deed, dice): (Deed, u64),
    site: &Site,
    good: &[bool],
) -> Vec<(u64, Vec<u8>)> {
    let answer = sent.answer();
    let soon = sent.soonest_ns(&answer) + dice % (40 * MS);
    // Later than the timeout, within the window that the contract names.
    let late = sent.soonest_ns(&[]) + site.timeout_ms * MS + 1 + dice % (site.late_reply_ms * MS);
    let (first, count) = (sent.request.first(), sent.request.count());
    let forged = |unit: u8| sent.frame_of(unit, &answer_pdu(FORGED, unit, first, count));
    match deed {
        Deed::Answer => vec![(soon, answer)],
        Deed::Silence => Vec::new(),
        Deed::Late => vec![(late, answer)],
        Deed::LateException => vec![(late, sent.exception(4))],
        Deed::LateTwice => vec![(late, answer.clone()), (late + MS, answer)],
        Deed::Twice => vec![(soon, answer.clone()), (soon + MS, answer)],
        Deed::Crc => {
            let mut damaged = answer;
            damaged[7] ^= 0x20;
            vec![(soon, damaged)]
        }
        Deed::Cut => vec![(soon, answer[..5].to_vec())],
        Deed::Exception(code) => vec![(soon, sent.exception(code))],
        Deed::OtherUnit => vec![(soon, forged(99))],
        Deed::OtherUnitThenAnswer => vec![(soon, forged(99)), (soon + 10 * MS, answer)],
        Deed::AsAnother(which) => vec![(soon, forged(another(sent, which, site, good)))],
        Deed::AsAnotherThenAnswer(which) => {
            let other = forged(another(sent, which, site, good));
            vec![(soon, other), (soon + 10 * MS, answer)]
        }
        Deed::LateAsAnother(which) => {
            let at = if site.serial { soon } else { late };
            vec![(at, forged(another(sent, which, site, good)))]
        }
        Deed::OtherFunction => {
            let mut pdu = answer_pdu(FORGED, sent.unit, first, count);
            pdu[0] = 4;
            vec![(soon, sent.frame(&pdu))]
        }
        Deed::OtherShape => {
            let pdu = answer_pdu(FORGED, sent.unit, 0, count + 1);
            vec![(soon, sent.frame(&pdu))]
        }
        Deed::NoiseThenAnswer(of) => vec![(soon, junk(of)), (soon + dice % (50 * MS), answer)],
        Deed::NoiseInside(of) => {
            // Over TCP nothing but the header tells noise: its protocol is then not Modbus.
            let (head, tail) = answer.split_at(if site.serial { 4 } else { 2 });
            vec![(soon, [head, &junk(of), tail].concat())]
        }
        Deed::NoiseBehind(of) => vec![(soon, [answer, junk(of)].concat())],
        Deed::Noise(of) => vec![(soon, junk(of))],
        Deed::Pieces => {
            // A pause of 3.5 characters and what a driver may hold back ends a frame of a serial line; what comes then
            // meets the next meter's reply.
            let (head, tail) = answer.split_at(4);
            vec![
                (soon, head.to_vec()),
                (soon + dice % (20 * MS), tail.to_vec()),
            ]
        }
        Deed::Drops => {
            let drop = |(place, byte): (u64, &u8)| (soon + place * MS / 2, vec![*byte]);
            (0..).zip(&answer).map(drop).collect()
        }
    }
}
