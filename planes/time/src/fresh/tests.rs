//! Daemons whose flags lie.

mod accuracy;

use super::{ChronyPolicy, ChronyWatch, Measurement, PtpPolicy, PtpWatch, Rejection, Verdict};
use crate::limits::{FRESH_NS_MIN, PATH_FRESH_NS};
use crate::reading::{
    CardClockReading, ChronyReading, ChronySourceState, PortState, PtpReading, Timestamping,
};
use crate::tests::{chrony, clock, ptp, utc};
use evidence::{MonoNs, UtcNs};
use std::string::{String, ToString};

const MS: u64 = 1_000_000;

fn measured(verdict: Verdict) -> Measurement {
    match verdict {
        Verdict::Measured(measured) => measured,
        other => panic!("{other:?}"),
    }
}

/// A watch that has had two looks, and saw a Delay_Resp between them.
fn watched(policy: PtpPolicy) -> (PtpWatch, PtpReading) {
    let mut watch = PtpWatch::new(policy);
    for (ingress_ns, syncs) in [(750 * MS, 6), (1_000 * MS, 8)] {
        let at_ns = ingress_ns + 50 * MS;
        watch.judge(&ptp(ingress_ns, syncs), MonoNs(at_ns), &clock(at_ns));
    }
    (watch, ptp(1_250 * MS, 10))
}

//= R7.2
#[test]
fn a_new_sync_is_a_measurement_of_its_own_instant() {
    let (mut watch, next) = watched(PtpPolicy::default());
    let measured = measured(watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS)));
    assert_eq!(measured.taken, MonoNs(1_250 * MS));
    assert_eq!(measured.offset_ns, next.offset_ns);
    // Accuracy 0x21 is 100 ns; an undeclared asymmetry is the whole delay.
    assert_eq!(
        (measured.uncertainty_ns, measured.asymmetry_ns),
        (100, 1_500)
    );
    assert_eq!(measured.fresh_until(), MonoNs(1_250 * MS + FRESH_NS_MIN));
}

//= A8.4
#[test]
fn a_frozen_reading_is_no_measurement_whatever_its_flags_say() {
    let (mut watch, next) = watched(PtpPolicy::default());
    watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS));
    // Trap 1 and 2: gmPresent, class and offset stay; the ingress stays too.
    let later = watch.judge(&next, MonoNs(1_550 * MS), &clock(1_550 * MS));
    assert_eq!(later, Verdict::Nothing);
    // An ingress of its own, and no Sync counted: not a measurement either.
    let mut odd = next.clone();
    odd.ingress = Some(UtcNs(odd.ingress.unwrap().0 + 1));
    assert_eq!(
        watch.judge(&odd, MonoNs(1_800 * MS), &clock(1_800 * MS)),
        Verdict::Nothing
    );
}

#[test]
fn the_first_look_claims_nothing() {
    let mut watch = PtpWatch::new(PtpPolicy::default());
    let reading = ptp(1_000 * MS, 8);
    let verdict = watch.judge(&reading, MonoNs(1_050 * MS), &clock(1_050 * MS));
    assert_eq!(verdict, Verdict::Nothing);
}

//= R7.1
#[test]
fn only_a_following_port_is_believed() {
    for (state, free_running, believed) in [
        (PortState::Slave, false, true),
        (PortState::Slave, true, true),
        (PortState::Uncalibrated, true, true),
        (PortState::Uncalibrated, false, false),
        (PortState::Listening, true, false),
        (PortState::Master, true, false),
        (PortState::Faulty, true, false),
        (PortState::Unknown(77), true, false),
    ] {
        let (mut watch, mut next) = watched(PtpPolicy {
            free_running,
            ..PtpPolicy::default()
        });
        next.ports[0].state = state;
        let verdict = watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS));
        if believed {
            measured(verdict);
        } else {
            assert_eq!(
                verdict,
                Verdict::Rejected(Rejection::NotFollowing),
                "{state}"
            );
        }
    }
}

//= R7.1
#[test]
fn what_is_measured_and_not_believed_says_why() {
    type Spoil = fn(&mut PtpReading);
    let cases: [(Spoil, Rejection); 7] = [
        (|of| of.gm_class = 248, Rejection::Class),
        // Worse than ten seconds, it says itself.
        (|of| of.gm_accuracy = 0x31, Rejection::Inaccurate),
        (
            |of| of.ports[0].timestamping = None,
            Rejection::TimestampingUnknown,
        ),
        (|of| of.offset_ns = 37_000_000_154, Rejection::WholeSeconds),
        (|of| of.offset_ns = -1_000_000_000, Rejection::WholeSeconds),
        (|of| of.domain = 4, Rejection::ForeignDomain),
        (
            |of| of.ports[0].timestamping = Some(Timestamping::Hardware),
            Rejection::CardClock,
        ),
    ];
    for (spoil, expected) in cases {
        let (mut watch, mut next) = watched(PtpPolicy {
            domain: Some(0),
            ..PtpPolicy::default()
        });
        spoil(&mut next);
        let verdict = watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS));
        assert_eq!(verdict, Verdict::Rejected(expected));
    }
}

#[test]
fn an_ingress_that_cannot_be_is_taken_for_the_last_look() {
    let (mut watch, mut next) = watched(PtpPolicy::default());
    next.ingress = Some(UtcNs(5));
    let measured = measured(watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS)));
    assert_eq!(measured.taken, MonoNs(1_050 * MS));
}

//= A8.2
#[test]
fn an_update_of_chronyd_is_a_measurement_and_its_leap_status_is_not() {
    let mut watch = ChronyWatch::new(ChronyPolicy::default());
    let first = chrony(1_000 * MS);
    let nothing = watch.judge(&first, MonoNs(1_100 * MS), &clock(1_100 * MS));
    assert_eq!(nothing, Verdict::Nothing);
    let second = chrony(3_000 * MS);
    let held = measured(watch.judge(&second, MonoNs(3_100 * MS), &clock(3_100 * MS)));
    assert_eq!(held.taken, MonoNs(3_000 * MS));
    // Slow by 130 ns is behind by 130 ns.
    assert_eq!(
        (held.offset_ns, held.uncertainty_ns, held.asymmetry_ns),
        (-130, 12_000, 750)
    );
    assert_eq!(held.interval_ns, 2_000 * MS);
    // Its sources are silent: the leap status stays normal, the reference time stays where it is.
    for at in [5_100 * MS, 60_000 * MS] {
        assert_eq!(
            watch.judge(&second, MonoNs(at), &clock(at)),
            Verdict::Nothing
        );
    }
    let mut lost = chrony(70_000 * MS);
    lost.stratum = 0;
    assert_eq!(
        watch.judge(&lost, MonoNs(70_100 * MS), &clock(70_100 * MS)),
        Verdict::Rejected(Rejection::Unsynchronised)
    );
}

/// Where polls are short, chronyd takes one sample in several into its clock.
//= A8.2
#[test]
fn a_sample_that_bears_out_the_last_update_is_a_measurement_too() {
    type Change = fn(&mut ChronyReading);
    let cases: [(&str, Change, Option<u64>); 5] = [
        ("the same sample, older", |_| {}, None),
        (
            "another one, of within the last second",
            |of| of.sources[0].error_ns = 12_345,
            // A look ago it was not there, and it was no longer on its way than the path takes.
            Some(3_100 * MS - 1_500),
        ),
        (
            "one that contradicts what is said of the clock",
            |of| {
                of.sources[0].error_ns = 12_345;
                of.sources[0].offset_ns = 40_000;
            },
            None,
        ),
        (
            "that of another source",
            |of| {
                of.sources[0].error_ns = 12_345;
                of.sources[0].name = String::from("10.9.0.2");
            },
            None,
        ),
        (
            "none is followed",
            |of| {
                of.sources[0].error_ns = 12_345;
                of.sources[0].state = ChronySourceState::NotSelectable;
            },
            None,
        ),
    ];
    for (what, change, taken_ns) in cases {
        let mut watch = ChronyWatch::new(ChronyPolicy::default());
        watch.judge(&chrony(1_000 * MS), MonoNs(1_100 * MS), &clock(1_100 * MS));
        let updated = chrony(3_000 * MS);
        measured(watch.judge(&updated, MonoNs(3_100 * MS), &clock(3_100 * MS)));
        let mut next = updated.clone();
        next.sources[0].last_sample_age_s = Some(0);
        change(&mut next);
        let stepped = {
            let mut watch = watch.clone();
            watch.void(MonoNs(3_950 * MS));
            watch.judge(&next, MonoNs(4_000 * MS), &clock(3_950 * MS))
        };
        let verdict = watch.judge(&next, MonoNs(4_000 * MS), &clock(3_950 * MS));
        match taken_ns {
            Some(taken_ns) => assert_eq!(measured(verdict).taken.0, taken_ns, "{what}"),
            None => assert_eq!(verdict, Verdict::Nothing, "{what}"),
        }
        assert_eq!(
            stepped,
            Verdict::Nothing,
            "{what}: before the step or behind it"
        );
    }
}

//= R7.2
#[test]
fn a_cards_clock_says_something_of_ours_once_the_two_are_compared() {
    let (mut watch, mut next) = watched(PtpPolicy::default());
    next.ports[0].timestamping = Some(Timestamping::Hardware);
    next.ports[0].hardware_clock = Some(0);
    // The card counts TAI, and is 5 us ahead of the node; of the master it is 400 ns ahead.
    let tai_ns = 37_000_000_000;
    next.ingress = Some(UtcNs(next.ingress.unwrap().0 + tai_ns + 5_000));
    let card = CardClockReading {
        index: 0,
        difference_ns: tai_ns + 5_000,
        read_uncertainty_ns: 250,
        utc: utc(1_290 * MS),
    };
    let other = CardClockReading { index: 1, ..card };
    watch.compared(other, MonoNs(1_280 * MS));
    let mut of_other_card = watch.clone();
    watch.compared(card, MonoNs(1_290 * MS));
    let held = measured(watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS)));
    assert_eq!((held.offset_ns, held.uncertainty_ns), (-4_600, 350));
    assert_eq!(held.taken, MonoNs(1_250 * MS));
    // A comparison that has become old says nothing any more.
    let verdict = watch.judge(&next, MonoNs(2_300 * MS), &clock(2_300 * MS));
    assert_eq!(verdict, Verdict::Rejected(Rejection::CardClock));
    // That of another card never said anything.
    let (at, later) = (MonoNs(1_300 * MS), MonoNs(2_200 * MS));
    let verdict = of_other_card.judge(&next, at, &clock(at.0));
    assert_eq!(verdict, Verdict::Nothing);
    of_other_card.compared(other, later);
    let verdict = of_other_card.judge(&next, later, &clock(later.0));
    assert_eq!(verdict, Verdict::Rejected(Rejection::CardClock));
}

//= R7.2
#[test]
fn an_offset_that_no_answer_about_the_path_stands_behind_is_none() {
    let mut watch = PtpWatch::new(PtpPolicy {
        free_running: true,
        ..PtpPolicy::default()
    });
    let mut reading = ptp(0, 0);
    let mut look = |watch: &mut PtpWatch, at_ns: u64, answers: u64, gm: u8| {
        // ptp4l shows nought until it knows the delay, and moves the ingress all the same.
        reading.ingress = Some(utc(at_ns - 50 * MS));
        reading.ports[0].received.sync += 2;
        reading.ports[0].received.delay_resp = answers;
        reading.gm.0[7] = gm;
        watch.judge(&reading, MonoNs(at_ns), &clock(at_ns))
    };
    for tick in 1..=80 {
        let verdict = look(&mut watch, tick * 250 * MS, 3, 1);
        assert_eq!(verdict, Verdict::Nothing, "{tick}");
    }
    let unknown = Verdict::Rejected(Rejection::PathUnknown);
    assert_eq!(look(&mut watch, 20_500 * MS, 3, 1), unknown);
    // An answer makes the offset of the next Sync sound, not that of the last one.
    assert_eq!(look(&mut watch, 20_750 * MS, 4, 1), unknown);
    measured(look(&mut watch, 21_000 * MS, 4, 1));
    // Of another master it says nothing.
    assert_eq!(look(&mut watch, 21_250 * MS, 5, 9), Verdict::Nothing);
    assert_eq!(look(&mut watch, 21_500 * MS, 5, 9), Verdict::Nothing);
    assert_eq!(look(&mut watch, 21_750 * MS, 6, 9), Verdict::Nothing);
    measured(look(&mut watch, 22_000 * MS, 6, 9));
    // A daemon that began again counts from nought.
    assert_eq!(look(&mut watch, 22_250 * MS, 0, 9), Verdict::Nothing);
}

//= R7.2
#[test]
fn how_a_port_takes_its_timestamps_is_believed_of_the_site_where_the_daemon_does_not_tell() {
    let says = |timestamping| {
        let (mut watch, mut next) = watched(PtpPolicy {
            timestamping,
            ..PtpPolicy::default()
        });
        next.ports[0].timestamping = None;
        watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS))
    };
    measured(says(Some(Timestamping::Software)));
    let unknown = Verdict::Rejected(Rejection::TimestampingUnknown);
    assert_eq!(says(None), unknown);
    assert!(
        Rejection::TimestampingUnknown
            .to_string()
            .contains("ptp_timestamping")
    );
    let card = Verdict::Rejected(Rejection::CardClock);
    assert_eq!(says(Some(Timestamping::Hardware)), card);
}

/// The way back is cut for good: the daemon goes on with the delay of then.
//= R7.2
#[test]
fn the_delay_of_a_path_that_nobody_answers_for_any_more_grows_old() {
    let (mut watch, mut next) = watched(PtpPolicy::default());
    let answered_ns = 1_050 * MS;
    let mut look = |after_ns: u64| {
        let at_ns = answered_ns + after_ns;
        next.ingress = Some(utc(at_ns - 50 * MS));
        next.ports[0].received.sync += 2;
        next.ports[0].received.delay_resp = 1;
        watch.judge(&next, MonoNs(at_ns), &clock(at_ns))
    };
    measured(look(250 * MS));
    measured(look(PATH_FRESH_NS));
    assert_eq!(
        look(PATH_FRESH_NS + 250 * MS),
        Verdict::Rejected(Rejection::PathUnknown)
    );
}

//= A8.2
#[test]
fn a_chronyd_that_follows_nothing_but_itself_is_not_believed() {
    type Spoil = fn(&mut ChronyReading);
    let cases: [(Spoil, Rejection); 3] = [
        // As `local stratum 10` reports itself: everything nought, and the time moves.
        (
            |of| {
                of.reference = [127, 127, 1, 1];
                of.root_delay_ns = 0;
                of.root_dispersion_ns = 0;
            },
            Rejection::LocalReference,
        ),
        (|of| of.sources.clear(), Rejection::Unsynchronised),
        (
            |of| of.sources[0].state = ChronySourceState::NotSelectable,
            Rejection::Unsynchronised,
        ),
    ];
    for (spoil, expected) in cases {
        let mut watch = ChronyWatch::new(ChronyPolicy::default());
        watch.judge(&chrony(1_000 * MS), MonoNs(1_100 * MS), &clock(1_100 * MS));
        let mut next = chrony(3_000 * MS);
        spoil(&mut next);
        let verdict = watch.judge(&next, MonoNs(3_100 * MS), &clock(3_100 * MS));
        assert_eq!(verdict, Verdict::Rejected(expected));
    }
}

//= A8.2
#[test]
fn a_source_that_measures_seldom_is_fresh_until_it_may_have_missed_one() {
    const SECOND_NS: u64 = 1_000_000_000;
    for (log_poll, fresh_s) in [
        (1, 10),
        (6, 320),
        (7, 640),
        (8, 655),
        (9, 1_280),
        (10, 2_560),
        (14, 2_560),
    ] {
        let mut watch = ChronyWatch::new(ChronyPolicy::default());
        watch.judge(&chrony(1_000 * MS), MonoNs(1_100 * MS), &clock(1_100 * MS));
        let mut next = chrony(3_000 * MS);
        next.sources[0].log_poll = log_poll;
        let held = measured(watch.judge(&next, MonoNs(3_100 * MS), &clock(3_100 * MS)));
        let fresh_ns = held.fresh_until().since(held.taken);
        assert_eq!(fresh_ns / SECOND_NS, fresh_s, "2^{log_poll} s");
    }
}

//= A8.5
#[test]
fn an_update_that_has_not_been_yet_is_not_of_now() {
    let mut watch = ChronyWatch::new(ChronyPolicy::default());
    watch.judge(&chrony(1_000 * MS), MonoNs(1_100 * MS), &clock(1_100 * MS));
    let held = measured(watch.judge(&chrony(9_000 * MS), MonoNs(3_100 * MS), &clock(3_100 * MS)));
    assert_eq!(held.taken, MonoNs(1_100 * MS));
}

/// chronyd goes on over a boot with what it had: that is as old as the boot at the least.
//= A8.5
#[test]
fn an_update_from_before_the_boot_is_not_of_now() {
    let mut watch = ChronyWatch::new(ChronyPolicy::default());
    watch.judge(&chrony(1_000 * MS), MonoNs(1_100 * MS), &clock(1_100 * MS));
    let mut before = chrony(0);
    before.reference_time = UtcNs(utc(0).0 - 1);
    let held = measured(watch.judge(&before, MonoNs(60_000 * MS), &clock(60_000 * MS)));
    assert_eq!(held.taken, MonoNs(0));
}

//= A8.5
#[test]
fn the_look_that_finds_a_step_dates_nothing_behind_it() {
    // The clock was set back by 1.2 s, and ptp4l was slow to answer: its Sync of before looks newer.
    let (at, found) = (MonoNs(2_700 * MS), clock(1_300 * MS));
    let (mut watch, _) = watched(PtpPolicy::default());
    let reading = ptp(2_450 * MS, 10);
    let mut unmoved = watch.clone();
    let held = measured(unmoved.judge(&reading, at, &found));
    assert_eq!(held.taken, MonoNs(2_450 * MS));
    watch.void(found.mono);
    let held = measured(watch.judge(&reading, at, &found));
    assert_eq!(held.taken, MonoNs(1_050 * MS));

    let mut watch = ChronyWatch::new(ChronyPolicy::default());
    watch.judge(&chrony(1_000 * MS), MonoNs(1_100 * MS), &clock(1_100 * MS));
    watch.void(found.mono);
    let held = measured(watch.judge(&chrony(2_450 * MS), at, &found));
    assert_eq!(held.taken, MonoNs(1_100 * MS));
}

//= A8.5
#[test]
fn a_card_that_was_compared_before_a_step_says_nothing_behind_it() {
    let (mut watch, mut next) = watched(PtpPolicy::default());
    next.ports[0].timestamping = Some(Timestamping::Hardware);
    next.ports[0].hardware_clock = Some(0);
    let card = CardClockReading {
        index: 0,
        difference_ns: 37_000_000_000,
        read_uncertainty_ns: 250,
        utc: utc(1_200 * MS),
    };
    watch.compared(card, MonoNs(1_200 * MS));
    watch.void(MonoNs(1_300 * MS));
    let verdict = watch.judge(&next, MonoNs(1_300 * MS), &clock(1_300 * MS));
    assert_eq!(verdict, Verdict::Nothing);
    // Once it is compared anew it says something.
    watch.compared(card, MonoNs(1_310 * MS));
    next.ingress = Some(UtcNs(utc(1_500 * MS).0 + 37_000_000_000));
    next.ports[0].received.sync += 2;
    measured(watch.judge(&next, MonoNs(1_550 * MS), &clock(1_550 * MS)));
}
