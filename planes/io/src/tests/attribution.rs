//! What goes wrong with one meter is booked on that meter, whatever its neighbours do (A3.7).

use super::accounting::check_all;
use super::deeds::{Deed, FORGED, any_deed, replies};
use super::model::sites;
use super::site::{Site, meter_id};
use super::world::{ANCHOR, MS, Script, Sent, World};
use evidence::MonoNs;
use evidence::kinds::AttemptFailed;
use evidence::reasons::{AttemptCause, EventCode};
use proptest::prelude::{any, prop, proptest};
use proptest::test_runner::Config;
use std::boxed::Box;
use std::vec::Vec;

/// Nothing was sent for these.
const UNSERVED: [AttemptCause; 2] = [AttemptCause::SlotOverrun, AttemptCause::Stopped];

/// The meters in `good` answer, the others do what comes next in the list.
fn some_bad(site: &Site, good: &[bool], deeds: Vec<(Deed, u64)>) -> Script {
    let (site, good) = (site.clone(), good.to_vec());
    Box::new(move |sent| {
        let (deed, dice) = deeds[sent.index % deeds.len()];
        let deed = match good[sent.place()] {
            true => Deed::Answer,
            false => deed,
        };
        replies(sent, (deed, dice), &site, &good)
    })
}

/// Whoever answers has nothing against his name: no failed attempt, no late reply, all his frames.
fn check_good(world: &World, place: usize) {
    let id = meter_id(place);
    for failed in world.failures() {
        let own = failed.meter_id == id && !UNSERVED.contains(&failed.cause);
        assert!(!own, "{failed:?}");
    }
    for cause in AttemptCause::ALL {
        let count = world.counter("if_err_cnt", &std::format!("{id}/{cause}"));
        assert!(count == 0 || UNSERVED.contains(cause), "{id} {cause}");
    }
    for name in ["late_reply_cnt", "quarantine_cnt"] {
        assert_eq!(world.counter(name, id.as_str()), 0, "{id} {name}");
    }
    let asked = world.sent.iter().filter(|sent| sent.place() == place);
    let frames = world.counter("frame_ok_cnt", id.as_str());
    assert_eq!(frames, asked.count() as u64, "{id}");
    for event in world.events() {
        assert_ne!(event.meter_id, Some(id.clone()), "{event:?}");
    }
}

/// The request of a failed attempt.
fn request<'w>(world: &'w World, failed: &AttemptFailed) -> Option<&'w Sent> {
    world.sent.iter().find(|sent| {
        let mark = &sent.mark;
        (&mark.meter, mark.seq, mark.attempt) == (&failed.meter_id, failed.seq, failed.attempt)
    })
}

/// Bytes that an attempt keeps were said by the meter asked, or met what it said on the way.
fn check_samples(world: &World) {
    let between = |from: MonoNs, until: MonoNs, not: usize| {
        let others = world.sent.iter().filter(move |sent| sent.index != not);
        let heard =
            others.flat_map(|sent| sent.said.iter().map(|(delay, _)| sent.at.plus_ns(*delay)));
        heard.filter(|at| (from..=until).contains(at)).count()
    };
    for failed in world.failures() {
        let Some(sample) = &failed.sample else {
            continue;
        };
        let sent = request(world, failed).unwrap();
        let said: Vec<u8> = sent
            .said
            .iter()
            .flat_map(|(_, bytes)| bytes.clone())
            .collect();
        let own = said.windows(sample.0.len()).any(|part| part == sample.0);
        let met = between(sent.at, failed.at, sent.index) > 0;
        assert!(own || met, "{failed:?} keeps what another said: {sent:?}");
    }
}

/// A late answer is told of the session that asked for it: its values say which that is.
fn check_late(world: &World, site: &Site) {
    // Transaction identifier, protocol, length; unit, function, count.
    let tag_at = if site.serial { 3 } else { 9 };
    for event in world.events() {
        if event.code != EventCode::LateReply {
            continue;
        }
        let bytes = event.sample.as_ref().unwrap().0.as_slice();
        let tag = bytes
            .get(tag_at..tag_at + 2)
            .map(|tag| u16::from_be_bytes([tag[0], tag[1]]));
        // An exception has no values, and a forged frame none that anybody measured.
        let Some(tag) = tag.filter(|tag| *tag != FORGED && bytes[tag_at - 2] == 3) else {
            continue;
        };
        let sent = &world.sent[usize::from(tag) - 1];
        assert_eq!(event.meter_id.as_ref(), Some(&sent.mark.meter), "{event:?}");
        assert_eq!(event.about_seq, Some(sent.mark.seq), "{event:?}");
    }
}

fn check(site: &Site, good: &[bool], deeds: Vec<(Deed, u64)>) {
    let mut world = World::new(site, some_bad(site, good, deeds));
    let stop = ANCHOR.plus_ns(15_000 * MS);
    world.run_until(stop);
    world.stop();
    check_all(&world, site, stop);
    check_samples(&world);
    check_late(&world, site);
    for place in (0..site.meters.len()).filter(|place| good[*place]) {
        check_good(&world, place);
    }
}

proptest! {
    #![proptest_config(Config { cases: 400, ..Config::default() })]

    //= A3.7
    //= A3.1
    #[test]
    fn errors_of_one_meter_are_never_in_anothers_bucket(
        site in sites(),
        deeds in prop::collection::vec((any_deed(), any::<u64>()), 1..60),
        good in prop::collection::vec(any::<bool>(), 5),
        one in any::<prop::sample::Index>(),
    ) {
        let (mut site, mut good) = (site, good);
        // One at least, and longer waited for than the slowest answer takes.
        good[one.index(site.meters.len())] = true;
        site.timeout_ms = site.timeout_ms.max(140);
        check(&site, &good, deeds);
    }
}

/// Each deed by itself, of one meter between two good ones: none is left to chance.
//= A3.7
#[test]
fn each_deed_alone_stays_with_who_did_it() {
    let deeds = [
        Deed::Silence,
        Deed::Late,
        Deed::LateException,
        Deed::LateTwice,
        Deed::Twice,
        Deed::Crc,
        Deed::Cut,
        Deed::Exception(2),
        Deed::OtherUnit,
        Deed::OtherUnitThenAnswer,
        Deed::AsAnother(0),
        Deed::AsAnother(1),
        Deed::AsAnotherThenAnswer(1),
        Deed::LateAsAnother(1),
        Deed::OtherFunction,
        Deed::OtherShape,
        Deed::NoiseThenAnswer(0xEE),
        Deed::NoiseInside(3),
        Deed::NoiseBehind(3),
        Deed::Noise(3),
        Deed::Pieces,
        Deed::Drops,
    ];
    for mut site in [Site::serial(3), Site::tcp(3)] {
        site.timeout_ms = 140;
        for deed in deeds {
            for dice in [0, 17 * MS, 39 * MS, 150 * MS] {
                check(&site, &[true, false, true], std::vec![(deed, dice)]);
            }
        }
    }
}

/// A stream has no silence that would end a frame: what was cut off would take the next meter's reply for its rest.
//= A3.7
#[test]
fn a_reply_that_is_cut_off_on_a_stream_takes_nothing_of_the_next() {
    let site = Site::tcp(2);
    let script = |sent: &Sent| {
        let answer = sent.answer();
        let cut = sent.place() == 0;
        let bytes = if cut { answer[..8].to_vec() } else { answer };
        std::vec![(MS, bytes)]
    };
    let mut world = World::new(&site, Box::new(script));
    let stop = ANCHOR.plus_ns(9_900 * MS);
    world.run_until(stop);
    world.stop();
    check_all(&world, &site, stop);
    check_good(&world, 1);
    let failures = world.failures();
    let framing = failures
        .iter()
        .filter(|one| one.cause == AttemptCause::Framing);
    assert!(framing.count() >= 5, "{failures:?}");
    // In quarantine its slots pass without a request.
    let held = failures
        .iter()
        .filter(|one| one.cause == AttemptCause::Quarantined);
    assert!(held.count() > 0, "{failures:?}");
}

/// A late reply can begin like the request: until it differs it looks like its echo, and the line is not silent meanwhile.
//= A3.1
#[test]
fn a_line_on_which_an_echo_may_be_coming_is_not_silent() {
    let mut site = Site::serial(3);
    site.echo = contract::Echo::Heard;
    for late_ms in 90..120 {
        let drops = (Deed::Drops, 0);
        let slow = site.clone();
        let script = move |sent: &Sent| {
            let said = replies(sent, drops, &slow, &[]);
            said.into_iter()
                .map(|(delay, bytes)| (delay + late_ms * MS, bytes))
                .collect()
        };
        let mut world = World::new(&site, Box::new(script));
        // The simulated line itself demands the silence before each request.
        world.run_until(ANCHOR.plus_ns(3_000 * MS));
        assert!(world.sent.len() > 8, "{late_ms}");
    }
}
