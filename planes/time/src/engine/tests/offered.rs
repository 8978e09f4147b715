//! Times that masters and the head-end send: who is taken, who is refused and why, what goes to the daemon.

use super::policy;
use super::world::{MS, World};
use crate::engine::{OfferPolicy, OfferSource, Policy};
use crate::limits::{OFFERS_WAITING_MAX, REFCLOCK_ID};
use crate::reading::{Fault, Observation, OfferedSample, Reading, SourceKind};
use crate::tests::chrony;
use evidence::kinds::Event;
use evidence::reasons::{EventCode, TimeCause, TimeQuality};
use evidence::{MonoNs, UtcNs};
use std::string::ToString;
use std::vec::Vec;

const SECOND_NS: i64 = 1_000_000_000;
const YEAR_NS: i64 = 365 * 86_400 * SECOND_NS;

fn source(name: &str, priority: u8) -> OfferSource {
    OfferSource {
        name: name.to_string(),
        priority,
        offset_max_ns: 10_000_000_000,
        uncertainty_max_ns: 50_000_000,
        interval_ns: 60_000 * MS,
        pause_min_ns: 500 * MS,
    }
}

fn trusting(names: &[(&str, u8)]) -> Policy {
    let sources = names.iter().map(|(name, priority)| source(name, *priority));
    Policy {
        offered: OfferPolicy {
            sources: sources.collect(),
        },
        limit_ns: 1_000_000_000,
        ..policy()
    }
}

/// A node without any other source.
fn alone(policy: Policy) -> World {
    let mut world = World::new(policy);
    world.fault = Some(Fault::Absent);
    world.run(2);
    world.told.clear();
    world
}

fn note(world: &mut World, from: &str, at_ns: u64, ahead_ns: i64, uncertainty_ns: u64) {
    let sample = OfferedSample {
        from: from.to_string(),
        utc: UtcNs(crate::tests::utc(at_ns).0 + ahead_ns),
        uncertainty_ns,
    };
    world.engine.note(&Observation {
        at: MonoNs(at_ns),
        outcome: Ok(Reading::Offered(sample)),
        source: SourceKind::Offered,
    });
}

fn now(world: &mut World, from: &str, ahead_ns: i64, uncertainty_ns: u64) {
    let at_ns = world.now_ns;
    note(world, from, at_ns, ahead_ns, uncertainty_ns);
}

/// One offer of now, this far ahead of the node's clock; how many go to the daemon.
fn offer(world: &mut World, from: &str, ahead_ns: i64, uncertainty_ns: u64) -> usize {
    now(world, from, ahead_ns, uncertainty_ns);
    let to_hand = world.engine.take_offers().len();
    world.run(1);
    to_hand
}

/// Sender, code and cause of what was told of offers.
fn told(world: &World) -> Vec<(&str, EventCode, Option<TimeCause>)> {
    let of_offers = |event: &&Event| {
        matches!(
            event.code,
            EventCode::OfferTaken | EventCode::SyncRequestRefused
        )
    };
    let events = world.told.iter().filter(of_offers);
    events
        .map(|event| (event.source.as_str(), event.code, event.time_cause))
        .collect()
}

fn refused(from: &str, cause: TimeCause) -> (&str, EventCode, Option<TimeCause>) {
    (from, EventCode::SyncRequestRefused, Some(cause))
}

//= R6.8
#[test]
fn by_default_every_offered_time_is_refused_and_told() {
    let mut world = alone(policy());
    assert_eq!(offer(&mut world, "head-end", 0, 1_000), 0);
    assert_eq!(
        told(&world),
        [refused("head-end", TimeCause::OfferUntrusted)]
    );
    assert_eq!(world.map().quality, TimeQuality::RtcOnly);
}

//= R6.8
#[test]
fn a_time_from_outside_is_taken_by_policy_and_holds_the_clock_with_its_bound() {
    let mut world = alone(trusting(&[("head-end", 1)]));
    for _ in 0..4 {
        assert_eq!(offer(&mut world, "head-end", 7_000_000, 20_000_000), 1);
    }
    assert_eq!(told(&world), [("head-end", EventCode::OfferTaken, None)]);
    let map = world.map();
    assert_eq!(map.quality, TimeQuality::Synced);
    assert_eq!(map.basis, "the time that head-end offers");
    assert!(map.bound_ns.unwrap() >= 27_000_000);
}

//= R6.8
#[test]
fn each_refusal_is_told_with_its_reason_and_nothing_goes_to_the_daemon() {
    let cases: [(&str, i64, u64, TimeCause); 5] = [
        ("stranger", 0, 1_000, TimeCause::OfferUntrusted),
        ("head-end", 0, 60_000_000, TimeCause::OfferUncertain),
        ("head-end", 3 * YEAR_NS, 1_000, TimeCause::OfferTooFar),
        ("head-end", -11 * SECOND_NS, 1_000, TimeCause::OfferTooFar),
        ("head-end", -3 * YEAR_NS, 1_000, TimeCause::OfferBeforeFloor),
    ];
    for (from, ahead_ns, uncertainty_ns, cause) in cases {
        let mut policy = trusting(&[("head-end", 1)]);
        policy.floor = UtcNs(crate::tests::UTC_0 - YEAR_NS);
        let mut world = alone(policy);
        assert_eq!(offer(&mut world, from, ahead_ns, uncertainty_ns), 0);
        assert_eq!(told(&world), [refused(from, cause)]);
        assert_eq!(world.map().quality, TimeQuality::RtcOnly, "{cause}");
    }
}

//= R6.8
#[test]
fn an_offer_of_another_moment_or_too_soon_is_refused() {
    for (at_ns, cause) in [
        (30_000 * MS, Some(TimeCause::OfferStale)),
        (39_000 * MS, None),
        (45_000 * MS, Some(TimeCause::OfferStale)),
    ] {
        let mut world = World::new(trusting(&[("head-end", 1)]));
        world.fault = Some(Fault::Absent);
        world.now_ns = 40_000 * MS;
        world.run(1);
        note(&mut world, "head-end", at_ns, 0, 1_000);
        world.run(1);
        assert_eq!(told(&world)[0].2, cause, "{at_ns}");
    }
    let mut world = alone(trusting(&[("head-end", 1)]));
    now(&mut world, "head-end", 0, 1_000);
    now(&mut world, "head-end", 0, 1_000);
    world.run(1);
    assert_eq!(
        told(&world)[1],
        refused("head-end", TimeCause::OfferTooSoon)
    );
}

//= R6.8
#[test]
fn an_offer_of_an_instant_that_has_not_been_does_not_lock_its_sender_out() {
    let mut world = alone(trusting(&[("head-end", 1)]));
    let later_ns = world.now_ns + 3_600_000 * MS;
    note(&mut world, "head-end", later_ns, 0, 1_000);
    world.run(1);
    assert_eq!(told(&world), [refused("head-end", TimeCause::OfferStale)]);
    assert_eq!(offer(&mut world, "head-end", 0, 1_000), 1);
}

//= R6.8
#[test]
fn a_time_that_contradicts_a_measured_source_is_refused_and_does_not_disturb_it() {
    let mut world = World::new(trusting(&[("head-end", 1), ("scada-1", 1)]));
    world.run(10);
    assert_eq!(offer(&mut world, "head-end", 5 * SECOND_NS, 1_000_000), 0);
    assert_eq!(offer(&mut world, "scada-1", 5 * SECOND_NS, 1_000_000), 0);
    let expected = ["head-end", "scada-1"].map(|name| refused(name, TimeCause::OfferContradicts));
    assert_eq!(told(&world), expected);
    let refusal = world.told.iter().rfind(|event| event.time_cause.is_some());
    let words = refusal.and_then(|event| event.detail.as_deref()).unwrap();
    assert!(words.contains("ptp4l says otherwise"), "{words}");
    assert_eq!(world.map().quality, TimeQuality::Synced);
    assert_eq!(world.count(EventCode::SourcesDisagree), 0);
    // One that is wide enough to agree with two that are measured does not end their dispute.
    let mut world = World::new(trusting(&[("head-end", 1)]));
    world.run(10);
    for _ in 0..8 {
        let mut says = chrony(world.now_ns - 100 * MS);
        says.correction_ns = -50_000_000;
        world.engine.note(&Observation {
            at: MonoNs(world.now_ns),
            outcome: Ok(Reading::Chrony(says)),
            source: SourceKind::Chrony,
        });
        assert_eq!(offer(&mut world, "head-end", -25_000_000, 50_000_000), 1);
    }
    assert_eq!(world.map().quality, TimeQuality::Holdover);
    assert_eq!(world.count(EventCode::SourcesDisagree), 1);
    // One that was taken before the measured source came has no vote against it.
    let mut world = alone(trusting(&[("head-end", 1)]));
    assert_eq!(offer(&mut world, "head-end", 5 * SECOND_NS, 1_000_000), 1);
    world.fault = None;
    world.run(10);
    assert_eq!(world.map().quality, TimeQuality::Synced);
    assert_eq!(world.count(EventCode::SourcesDisagree), 0);
}

//= R6.8
#[test]
fn of_two_that_disagree_neither_is_handed_over_and_both_are_named() {
    let mut world = alone(trusting(&[("head-end", 1), ("scada-1", 2)]));
    assert_eq!(offer(&mut world, "head-end", 0, 1_000_000), 1);
    for _ in 0..3 {
        assert_eq!(offer(&mut world, "scada-1", 2 * SECOND_NS, 1_000_000), 0);
        assert_eq!(offer(&mut world, "head-end", 0, 1_000_000), 0);
    }
    assert_eq!(
        told(&world),
        [
            ("head-end", EventCode::OfferTaken, None),
            refused("scada-1", TimeCause::OfferDisputed),
            refused("head-end", TimeCause::OfferDisputed),
        ]
    );
    assert_eq!(world.count(EventCode::SourcesDisagree), 1);
    let disagree = world
        .told
        .iter()
        .find(|event| event.code == EventCode::SourcesDisagree);
    let words = disagree.and_then(|event| event.detail.as_deref()).unwrap();
    assert!(words.contains("scada-1 and head-end"), "{words}");
    assert_ne!(world.map().quality, TimeQuality::Synced);
    // Once one of them has been silent for five of its intervals, the other is taken again.
    world.run(301);
    assert_eq!(offer(&mut world, "head-end", 0, 1_000_000), 1);
    assert_eq!(told(&world).last().unwrap().1, EventCode::OfferTaken);
}

//= R6.8
#[test]
fn a_majority_of_offered_times_outvotes_the_third() {
    let mut world = alone(trusting(&[("a", 1), ("b", 2), ("c", 3)]));
    assert_eq!(offer(&mut world, "b", 0, 1_000_000), 1);
    assert_eq!(offer(&mut world, "c", 0, 1_000_000), 0, "b is better");
    assert_eq!(offer(&mut world, "a", 2 * SECOND_NS, 1_000_000), 0);
    assert_eq!(offer(&mut world, "b", 0, 1_000_000), 1);
    assert_eq!(told(&world)[2], refused("a", TimeCause::OfferDisputed));
    assert_eq!(world.count(EventCode::SourcesDisagree), 1);
}

/// "c" is so uncertain that it agrees with both: neither of them is outvoted by that.
//= R6.8
#[test]
fn a_wide_offer_makes_no_majority_of_two_that_exclude_each_other() {
    let mut world = alone(trusting(&[("a", 1), ("b", 2), ("c", 3)]));
    assert_eq!(offer(&mut world, "a", 0, 1_000), 1);
    assert_eq!(offer(&mut world, "c", 10_000_000, 50_000_000), 0);
    for _ in 0..2 {
        assert_eq!(offer(&mut world, "b", 20_000_000, 1_000), 0);
        assert_eq!(offer(&mut world, "a", 0, 1_000), 0);
    }
    let disputed = ["b", "a"].map(|name| refused(name, TimeCause::OfferDisputed));
    assert_eq!(told(&world)[2..], disputed);
    // What it says itself is excluded by nobody.
    assert_eq!(offer(&mut world, "c", 10_000_000, 50_000_000), 1);
}

//= R6.8
#[test]
fn of_those_that_agree_the_one_of_better_priority_is_handed_over() {
    let mut world = alone(trusting(&[("head-end", 2), ("scada-1", 1)]));
    assert_eq!(offer(&mut world, "head-end", 0, 1_000_000), 1);
    assert_eq!(offer(&mut world, "scada-1", 500_000, 1_000_000), 1);
    assert_eq!(offer(&mut world, "head-end", 0, 1_000_000), 0);
    let map = world.map();
    assert_eq!(map.basis, "the time that scada-1 offers");
}

//= R6.8
#[test]
fn a_clock_before_the_floor_takes_a_trusted_time_however_far_it_is() {
    let mut policy = trusting(&[("head-end", 1)]);
    policy.floor = UtcNs(crate::tests::UTC_0 + YEAR_NS);
    let mut world = alone(policy);
    assert_eq!(offer(&mut world, "head-end", YEAR_NS / 2, 1_000), 0);
    assert_eq!(
        told(&world),
        [refused("head-end", TimeCause::OfferBeforeFloor)]
    );
    assert_eq!(offer(&mut world, "head-end", 2 * YEAR_NS, 1_000), 1);
}

//= R6.8
#[test]
fn a_sender_without_manners_does_not_fill_the_log() {
    let mut world = alone(trusting(&[("head-end", 1)]));
    for turn in 0..600u64 {
        let strangers = turn.to_string();
        offer(&mut world, &std::format!("stranger-{strangers}"), 0, 1_000);
        let ahead_ns = if turn.is_multiple_of(2) { 0 } else { YEAR_NS };
        offer(&mut world, "head-end", ahead_ns, 1_000);
    }
    // Twenty minutes: the first of each verdict and at most one a minute of those that change.
    let of = |name: &str| told(&world).iter().filter(|(of, ..)| *of == name).count();
    assert!((2..=23).contains(&of("head-end")), "{}", of("head-end"));
    let strangers = told(&world).len() - of("head-end");
    assert!((2..=17).contains(&strangers), "{strangers}");
    // Sixteen by name, "head-end" among them.
    let mut names: Vec<&str> = told(&world).iter().map(|(name, ..)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 16 + 1, "{names:?}");
    assert!(of("others") >= 1);
    // Nothing of it is lost in silence.
    world.run(3_600);
    offer(&mut world, "stranger-1000", 0, 1_000);
    let last = world
        .told
        .iter()
        .rfind(|event| event.source.as_str() == "others");
    assert!(last.unwrap().count.unwrap() > 500, "{last:?}");
}

//= R6.8
#[test]
fn what_chronyd_has_from_us_is_no_second_witness() {
    let mut world = alone(trusting(&[("head-end", 1), ("scada-1", 1)]));
    world.run(1);
    for second in 0..4u64 {
        let mut says = chrony(world.now_ns - 100 * MS);
        says.reference = REFCLOCK_ID;
        says.correction_ns = 2 * SECOND_NS + i64::try_from(second).unwrap();
        world.engine.note(&Observation {
            at: MonoNs(world.now_ns),
            outcome: Ok(Reading::Chrony(says)),
            source: SourceKind::Chrony,
        });
        world.run(1);
    }
    // chronyd says what an earlier sample said; that does not make it right.
    assert_eq!(offer(&mut world, "scada-1", 0, 1_000_000), 1);
    let mut says = chrony(world.now_ns - 100 * MS);
    says.reference = *b"PPS0";
    says.correction_ns = 2 * SECOND_NS;
    world.engine.note(&Observation {
        at: MonoNs(world.now_ns),
        outcome: Ok(Reading::Chrony(says)),
        source: SourceKind::Chrony,
    });
    assert_eq!(offer(&mut world, "scada-1", 0, 1_000_000), 0);
    assert_eq!(
        told(&world).last().unwrap().2,
        Some(TimeCause::OfferContradicts)
    );
}

#[test]
fn a_reference_clock_that_takes_nothing_is_told_once_and_tried_less_and_less_often() {
    let mut world = alone(trusting(&[("head-end", 1)]));
    let mut tries = 0;
    for _ in 0..200 {
        now(&mut world, "head-end", 0, 1_000_000);
        for sample in world.engine.take_offers() {
            tries += 1;
            world.engine.handed(&sample, Err(Fault::Absent));
        }
        world.run(1);
    }
    assert_eq!(world.engine.handover_fault(), Some(&Fault::Absent));
    assert!((7..=9).contains(&tries), "{tries}");
    assert_eq!(world.count(EventCode::RefclockFault), 1);
    assert_eq!(world.count(EventCode::RefclockBack), 0);
    // Another fault is another entry; then it is back, and says how many it was not given.
    world.run(61);
    now(&mut world, "head-end", 0, 1_000_000);
    let sample = world.engine.take_offers().pop().unwrap();
    world.engine.handed(&sample, Err(Fault::Stale));
    world.run(61);
    now(&mut world, "head-end", 0, 1_000_000);
    let sample = world.engine.take_offers().pop().unwrap();
    world.engine.handed(&sample, Ok(()));
    world.run(1);
    assert_eq!(world.count(EventCode::RefclockFault), 2);
    let back = world.told.last().unwrap();
    assert_eq!(back.code, EventCode::RefclockBack);
    assert_eq!(back.count, Some(201));
    assert_eq!(world.engine.handover_fault(), None);
}

#[test]
fn nobody_who_does_not_fetch_them_makes_offers_pile_up() {
    let mut world = alone(trusting(&[("head-end", 1)]));
    for _ in 0..3 * OFFERS_WAITING_MAX {
        now(&mut world, "head-end", 0, 1_000_000);
        world.run(1);
    }
    assert_eq!(world.engine.take_offers().len(), OFFERS_WAITING_MAX);
}

//= A8.5
//= R6.8
#[test]
fn a_step_behind_a_sample_that_was_handed_over_has_the_head_end_for_its_cause() {
    let mut world = alone(trusting(&[("head-end", 1)]));
    now(&mut world, "head-end", SECOND_NS, 1_000_000);
    let sample = world.engine.take_offers().pop().unwrap();
    assert_eq!(sample.offset_ns, -SECOND_NS);
    assert_eq!(sample.local, crate::tests::utc(world.now_ns));
    world.engine.handed(&sample, Ok(()));
    world.run(1);
    world.own_ns += SECOND_NS;
    world.set = true;
    world.run(1);
    assert_eq!(world.cause(EventCode::TimeStep), Some(TimeCause::HeadEnd));
}
