//! Random faults of some meters of a bus: what is booked on a meter is its own, and every point has its account.

use super::{Line, by_primary, contract, slave};
use crate::Stream;
use evidence::kinds::Payload;
use evidence::reasons::AttemptCause;
use evidence::{PointId, Seq};
use mbus::link::{self, Frame};
use mbus::slave::Spoken;
use proptest::prelude::{
    Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use proptest::test_runner::Config;
use std::boxed::Box;
use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::string::ToString;
use std::vec;
use std::vec::Vec;

/// What a meter does with one request.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Answer,
    Silence,
    Late(u64),
    Twice,
    Flip(u8),
    Cut,
    Address(u8),
    Collide,
    /// Characters that are no frame, before the telegram and within it.
    NoiseBefore(u8),
    NoiseInside(u8),
    /// A pause of so many bits within the telegram.
    Pause(u64),
    /// An application error in place of the telegram.
    Refuses(u8),
}

fn deeds() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => Just(Deed::Answer),
        1 => Just(Deed::Silence),
        1 => (0_u64..900).prop_map(Deed::Late),
        1 => Just(Deed::Twice),
        1 => any::<u8>().prop_map(Deed::Flip),
        1 => Just(Deed::Cut),
        2 => (1_u8..9).prop_map(Deed::Address),
        1 => Just(Deed::Collide),
        1 => any::<u8>().prop_map(Deed::NoiseBefore),
        1 => any::<u8>().prop_map(Deed::NoiseInside),
        1 => (1_u64..60).prop_map(Deed::Pause),
        1 => (0_u8..10).prop_map(Deed::Refuses),
    ]
}

fn done(said: Spoken, deed: Deed) -> Vec<Spoken> {
    let with = |bytes: Vec<u8>| Spoken {
        bytes,
        ..said.clone()
    };
    match deed {
        Deed::Answer => std::vec![said],
        Deed::Silence => Vec::new(),
        Deed::Late(bits) => std::vec![Spoken {
            after_bits: said.after_bits + bits,
            ..said
        }],
        Deed::Twice => {
            // Within the silence that is owed: what comes behind it meets the next request.
            let again = said.after_bits + 11 * said.bytes.len() as u64 + 25;
            let second = Spoken {
                after_bits: again,
                ..said.clone()
            };
            std::vec![said, second]
        }
        Deed::Flip(bit) => {
            let mut bytes = said.bytes.clone();
            let at = usize::from(bit / 8) % bytes.len();
            bytes[at] ^= 1 << (bit % 8);
            std::vec![with(bytes)]
        }
        Deed::Cut => {
            let most = said.bytes.len() - 1;
            std::vec![with(said.bytes[..most.max(1)].to_vec())]
        }
        Deed::Address(address) => std::vec![instead(&said, |_, had| (address, had.to_vec()))],
        Deed::Refuses(code) => std::vec![instead(&said, |own, _| (own, vec![0x70, code]))],
        Deed::NoiseBefore(of) => std::vec![with([&[of, of ^ 0x5A][..], &said.bytes].concat())],
        Deed::NoiseInside(of) => {
            let (head, tail) = said.bytes.split_at(said.bytes.len() / 2);
            std::vec![with([head, &[of], tail].concat())]
        }
        Deed::Pause(bits) => {
            let (head, tail) = said.bytes.split_at(said.bytes.len() / 2);
            let rest = Spoken {
                after_bits: said.after_bits + 11 * head.len() as u64 + bits,
                bytes: tail.to_vec(),
                ..said.clone()
            };
            std::vec![with(head.to_vec()), rest]
        }
        Deed::Collide => {
            let other = Spoken {
                after_bits: said.after_bits + 3,
                ..said.clone()
            };
            std::vec![said, other]
        }
    }
}

const METERS: u8 = 4;

/// The same telegram with another payload or address; what is no telegram stays as it is.
fn instead(said: &Spoken, make: impl Fn(u8, &[u8]) -> (u8, Vec<u8>)) -> Spoken {
    let Ok(Frame::Long {
        control,
        address,
        payload,
    }) = link::decode(&said.bytes)
    else {
        return said.clone();
    };
    let (address, payload) = make(address, payload);
    let other = Frame::Long {
        control,
        address,
        payload: &payload,
    };
    Spoken {
        bytes: link::encode(&other).unwrap(),
        ..said.clone()
    }
}

/// Every session of a meter accounts for both of its points, with dense numbers; buckets count the failed entries.
fn check(line: &Line) {
    let all: BTreeSet<PointId> = ["volume", "before"].map(|id| id.parse().unwrap()).into();
    for place in 0..METERS {
        let id = format!("m{place}");
        let stream = Stream::Meter(id.parse().unwrap());
        let mut sessions: BTreeMap<Seq, Vec<PointId>> = BTreeMap::new();
        for (_, seq, payload) in line.records.iter().filter(|(of, ..)| *of == stream) {
            let points = match payload {
                Payload::Reading(reading) => {
                    // Each value is one that this meter alone has.
                    let own = [f64::from(100 + place) / 1e3, f64::from((100 + place) / 2)];
                    let value: f64 = reading.value.unwrap().to_string().parse().unwrap();
                    assert!(own.contains(&value), "{reading:?}");
                    std::vec![reading.point_id.clone()]
                }
                Payload::AttemptFailed(failed) => failed.points.clone(),
                Payload::MeterReport(report) => {
                    let serial = format!("{}", place + 1).repeat(8);
                    assert_eq!(report.serial.as_ref(), Some(&serial));
                    Vec::new()
                }
                other => panic!("{other:?} in a meter's stream"),
            };
            sessions.entry(seq.unwrap()).or_default().extend(points);
        }
        for (due, (seq, points)) in (super::FIRST_SEQ..).zip(&sessions) {
            assert_eq!(*seq, Seq(due));
            assert_eq!(points.len(), 2, "{id} {seq}: {points:?}");
            let points: BTreeSet<PointId> = points.iter().cloned().collect();
            assert_eq!(points, all);
        }
        for cause in AttemptCause::ALL {
            let failures = line.failures(&id);
            let entries = failures.iter().filter(|failed| failed.cause == *cause);
            let counted = line.counter("if_err_cnt", &format!("{id}/{cause}"));
            assert_eq!(counted.unwrap_or(0), entries.count() as u64, "{id} {cause}");
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 60, ..Config::default() })]

    //= A3.7
    //= A3.2
    //= A4.6
    #[test]
    fn errors_of_one_meter_are_never_in_anothers_bucket(
        script in prop::collection::vec(deeds(), 1..40),
        bad in prop::collection::btree_set(0..usize::from(METERS), 1..3),
        shared in any::<bool>(),
        by_number in any::<bool>(),
    ) {
        let lines = match by_number {
            true => (1..=METERS).map(|digit| {
                let digits = format!("{digit}").repeat(8);
                format!("secondary = \"{digits}\"")
            }).collect(),
            false => by_primary(METERS),
        };
        let port = if shared { "shared = true" } else { "" };
        let slaves = (0..METERS).map(slave).collect();
        let mut line = Line::new(&contract(port, &lines), slaves);
        let mut deeds = script.into_iter().cycle();
        let struck = bad.clone();
        line.fault = Box::new(move |_, spoken| {
            spoken.into_iter().flat_map(|one| match struck.contains(&one.by) {
                true => done(one, deeds.next().unwrap()),
                false => std::vec![one],
            }).collect()
        });
        line.slots(6);
        line.stop();
        check(&line);
        for place in (0..usize::from(METERS)).filter(|place| !bad.contains(place)) {
            let id = format!("m{place}");
            let failed = line.failures(&id);
            let mut foreign = failed.iter().filter(|failed| {
                !matches!(failed.cause, AttemptCause::SlotOverrun | AttemptCause::Stopped)
            });
            prop_assert!(foreign.next().is_none(), "{id}: {failed:?}");
            prop_assert_eq!(line.counter("late_reply_cnt", &id), Some(0));
            prop_assert_eq!(line.counter("drop_cnt", &id), Some(0));
        }
    }
}
